"""What can be told of a target before anything is read: whether its tables can take our columns."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from casebridge.load.writing.tables import columns_present
from casebridge.project.database import DRIVER_ERRORS, refusal
from casebridge.project.errors import Problem, SpecError
from casebridge.project.job import Job
from casebridge.project.target import Target

_TELLS_CAPITALS = frozenset({"postgresql", "oracle"})
"""Kinds of database in which `Name` and `name`, as names in quotes, are two."""


def check_target(job: Job) -> None:
    """SpecError when the database takes two names of target.toml for one. TargetError when a table that is there
    lacks a column of it. A database that is not there yet is not made by looking for it. Writes nothing."""
    url = sa.make_url(job.settings.target_url)
    if url.get_backend_name() not in _TELLS_CAPITALS:
        _refuse_alike(job.target)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return
    engine = job.open_target()
    try:
        with engine.connect() as connection:
            columns_present(connection, job.target)
    except DRIVER_ERRORS as error:
        raise refusal(job.settings.target_url, error) from error
    finally:
        engine.dispose()


def _refuse_alike(target: Target) -> None:
    names = [("", [table.name for table in target.tables])]
    names += [(f"{table.name}.columns", [column.name for column in table.columns]) for table in target.tables]
    problems = []
    for where, there in names:
        first: dict[str, str] = {}
        for name in there:
            other = first.setdefault(name.casefold(), name)
            if other != name:
                what = f"`{other}` and `{name}` differ only in capitals, and are one name to this database"
                hint = "give one of them another name, here and in the specs"
                problems.append(Problem("target.toml", where or name, what, hint))
    if problems:
        raise SpecError(problems)
