"""A scan of a project: the project is held, its control database opened, and one night done."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from casebridge.dedupe.scan.history import Record
from casebridge.dedupe.scan.night import Preview, preview, scan
from casebridge.dedupe.scan.state import read_state
from casebridge.dedupe.scan.steps import Model, Tell
from casebridge.dedupe.scan.telling import write_failed, write_told
from casebridge.project.audit import KEY_FILE, AuditLog
from casebridge.project.database import open_own, shown
from casebridge.project.errors import CasebridgeError
from casebridge.project.job import council_day, sole_run
from casebridge.project.private import make_private, private_files
from casebridge.project.settings import Settings, read_settings


def preview_scan(
    folder: Path, *, whole: bool = False, model: Model = Model.KEPT, replaced: bool = False, tell: Tell = print
) -> Preview:
    """What a scan would change at the desk; nothing is written."""
    with _held(folder) as (settings, log):
        return preview(settings, log, council_day(), tell, whole=whole, model=model, replaced=replaced)


def chores_of(folder: Path) -> dict[str, list[str] | None]:
    """The keys of each chore as the last scan found them; None where a table was not there. Read only."""
    return dict(read_state(read_settings(folder).work).facts.get("chores", {}))


def absent_chores(folder: Path) -> dict[str, str]:
    """Why the last scan could not make some of these lists, in words."""
    nights = read_state(read_settings(folder).work).facts.get("nights", [])
    return dict(nights[-1].get("absent", {})) if nights else {}


def scan_project(
    folder: Path, *, whole: bool = False, model: Model = Model.KEPT, replaced: bool = False,
    day: dt.date | None = None, tell: Tell = print,
) -> Record:  # fmt: skip
    """Scan the live register of the project in a folder. day: whose night it is (by default today's). replaced:
    the register may be another one than it was; else SourceError where many of its records are gone."""
    with _held(folder) as (settings, log):
        night, folder = day or council_day(), settings.reports / "scan"
        try:
            record = scan(settings, log, night, tell, whole=whole, model=model, replaced=replaced)
        except CasebridgeError as error:
            with suppress(OSError):
                write_failed(folder, settings.name, night, error)
            raise
        desk = settings.live.desk if settings.live else ""
        write_told(folder, settings.name, record, time.time(), desk)
        return record


@contextmanager
def _held(folder: Path) -> Iterator[tuple[Settings, AuditLog]]:
    """The project, held for one process, and its audit log."""
    settings = read_settings(folder)
    with private_files(shared=settings.shared_group), sole_run(settings.work):
        make_private(settings.folder, shared=settings.shared_group)
        name = f"the control database {shown(settings.control_url)}"
        engine = open_own(settings.control_url, name, "restore it from a backup: decisions stand in it")
        try:
            yield settings, AuditLog(engine, settings.folder / KEY_FILE)
        finally:
            engine.dispose()
