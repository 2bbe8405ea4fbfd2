"""The demo's nights after go-live: staff work in the made-up council's live register, and it is scanned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from casebridge.migrate.scanning import scan_project
from casebridge.project.database import open_database
from casebridge.project.job import council_day
from casebridge.project.settings import read_settings
from casebridge.synthetic.nights import StaffAtWork

AGAIN, CHANGES = 2, 6


def nights_of(folder: Path, nights: int, seed: int) -> Iterator[str]:
    """Do so many days and nights; a line about each. The first night reads the whole register."""
    settings = read_settings(folder)
    engine = open_database(settings.live.url if settings.live else settings.target_url)
    try:
        today = council_day()
        first = scan_project(folder, day=today, tell=lambda _: None)
        yield f"night {first.night}, everybody: {first.people:,} people, {first.waiting:,} pairs at the desk"
        staff = StaffAtWork(engine, seed)
        for number in range(1, nights + 1):
            day = today + dt.timedelta(days=number)
            done = staff.day(day, CHANGES, AGAIN)
            night = scan_project(folder, day=day, tell=lambda _: None)
            yield (
                f"night {night.night}: staff made {len(done.again)} people again, {done.born} were born, "
                f"{done.moved} moved, {done.married} married, {done.died} died; {night.changed} changed, "
                f"{night.new} new pairs at the desk in {night.seconds:.1f} s"
            )
        yield f"the morning digest: {settings.reports / 'scan' / 'digest.txt'}"
    finally:
        engine.dispose()
