"""Staff who may have a record of their own: the staff list held against the whole register."""

from __future__ import annotations

import sqlalchemy as sa

from casebridge.dedupe.candidates import read_register
from casebridge.dedupe.config import read_people
from casebridge.dedupe.review.family import declared_by
from casebridge.project.job import Job

_ROLES = ("forename", "surname", "birth_date", "postcode")


def staff_records(job: Job, engine: sa.Engine) -> list[tuple[str, str, str]]:
    """For each declared person, the records that may be theirs: login, relation, record as `system:key`."""
    config, people = read_people(job.folder, job.specs), declared_by(engine)
    if config is None or not people:
        return []
    register, _ = read_register(job, config)
    columns = {role: column for role, column in config.fields if role in _ROLES}
    found = []
    for row in register.select("id", *dict.fromkeys(columns.values())).iter_rows(named=True):
        roles = {role: str(row[column]) for role, column in columns.items() if row[column] is not None}
        found += [(one.login, one.relation, str(row["id"])) for one in people if one.may_be(roles)]
    return sorted(found)
