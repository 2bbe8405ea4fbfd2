"""What is looked at before a run, and by `check`: each look raises what it finds, and changes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from casebridge import load
from casebridge.dedupe.candidates import try_queries as try_linkage
from casebridge.dedupe.config import read_registers
from casebridge.dedupe.foldable import check_merge_rules
from casebridge.extract.preflight import known_columns
from casebridge.migrate.code_lists.signing import notes as code_list_notes
from casebridge.migrate.code_lists.signing import states
from casebridge.migrate.corrections import check_corrections
from casebridge.migrate.limits import check_names
from casebridge.project.database import refusal, shown
from casebridge.project.errors import CasebridgeError, Problem, SpecError, TargetError, counted
from casebridge.project.job import Job
from casebridge.project.no_link import NoLink
from casebridge.project.restriction import check_restriction
from casebridge.transform.codes import read_codes
from casebridge.transform.stage import make_conversions, try_queries


def queries(job: Job) -> None:
    """Whether each spec's query and conditions fit the columns of the dump, as far as they can be read."""
    try:
        plans = make_conversions(job)
    except SpecError:
        return  # told with the problems of the files
    columns = known_columns(job)
    try_queries(job, [plan for plan in plans if all(source in columns for source in plan.spec.sources)], columns)


def code_lists(job: Job) -> None:
    """Whether the lists are what their owners signed: worth knowing, and no fault of the project."""
    for note in (*code_list_notes(states(job)), *_too_long(job)):
        job.report.note(note)


def _too_long(job: Job) -> Iterator[str]:
    """Codes that become longer than the column takes: their rows will break `max_length`."""
    mapped = [
        (spec, column) for spec in job.specs for column in spec.columns if column.codes and column.type.length
    ]
    lists = read_codes(job.folder / "codes", sorted({str(column.codes) for _, column in mapped}))
    for spec, column in mapped:
        targets = {text for window in lists[str(column.codes)].windows for text in window.targets.values()}
        most = column.type.length or 0
        long = sum(len(text) > most for text in targets)
        if long:
            takes = f"{counted(long, 'meaning')} longer than {spec.target}.{column.name} takes"
            yield f"codes/{column.codes}.csv: {takes} ({counted(most, 'character')}): such rows stay behind"


def linkage(job: Job) -> None:
    for config in read_registers(job.folder, job.specs):
        try_linkage(job, config)
        check_merge_rules(job, config)
    NoLink(job).text()


def restriction(job: Job) -> None:
    check_restriction(job.settings, job.target, job.specs)


def databases(job: Job) -> None:
    problems = []
    for where, (url, opened) in zip(("target.url", "control.url"), databases_of(job), strict=True):
        try:
            reach(url, opened)
        except CasebridgeError as error:
            problems.append(Problem("casebridge.toml", where, error.message, error.hint))
    if not problems:
        try:
            load.check_target(job)
        except TargetError as error:
            problems.append(Problem("target.toml", "", error.message, error.hint))
    if problems:
        raise SpecError(problems)


def databases_of(job: Job) -> tuple[tuple[str, Callable[[], sa.Engine]], ...]:
    """The URLs of the target and the control database, and how each is opened."""
    return (job.settings.target_url, job.open_target), (job.settings.control_url, job.open_control)


def reach(url: str, opened: Callable[[], sa.Engine]) -> None:
    """Nobody should learn after an hour of reading that the target was not there."""
    parsed = sa.make_url(url) if "://" in url else None
    if parsed and parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        # To connect would make the file; that it could be made is enough.
        if not os.access(Path(parsed.database or "").parent, os.W_OK):
            hint = "make that folder, or let this login write in it"
            raise TargetError(shown(parsed), "cannot be written there", hint=hint)
        return
    engine = opened()
    try:
        with engine.connect() as connection:
            # SQLite looks at its file only when something of the file is asked for.
            sqlite = connection.dialect.name == "sqlite"
            connection.execute(sa.text("PRAGMA schema_version" if sqlite else "SELECT 1"))
    except SQLAlchemyError as error:
        raise refusal(url, error) from error
    finally:
        engine.dispose()


# What can be told from the project's own files, before anything is read or written.
FILE_CHECKS: tuple[Callable[[Job], object], ...] = (
    make_conversions,
    linkage,
    restriction,
    check_corrections,
    check_names,
)
