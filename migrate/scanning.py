"""A scan of a project: the project is held, its control database opened, and one night done."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from casebridge.dedupe.scan.night import Model, Night, Tell, scan
from casebridge.project.audit import KEY_FILE, AuditLog
from casebridge.project.database import open_own, shown
from casebridge.project.job import sole_run
from casebridge.project.private import make_private, private_files
from casebridge.project.settings import read_settings


def scan_project(
    folder: Path, *, whole: bool = False, model: Model = Model.KEPT, day: dt.date | None = None, tell: Tell = print
) -> Night:
    """Scan the live register of the project in a folder. day: whose night it is (by default today's)."""
    settings = read_settings(folder)
    with private_files(shared=settings.shared_group), sole_run(settings.work):
        make_private(settings.folder, shared=settings.shared_group)
        name = f"the control database {shown(settings.control_url)}"
        engine = open_own(settings.control_url, name, "restore it from a backup: decisions stand in it")
        try:
            log = AuditLog(engine, settings.folder / KEY_FILE)
            today = dt.date.today()  # noqa: DTZ011 (the council's day)
            return scan(settings, log, day or today, tell, whole=whole, model=model)
        finally:
            engine.dispose()
