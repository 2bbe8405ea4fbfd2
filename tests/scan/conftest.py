"""One register after its first night, for all tests of the scan: each works on a copy."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests.scan.live import FIRST, LiveRegister, make_live
from tests.shelf import Shelf

PEOPLE = 120


@pytest.fixture(scope="session")
def first_night(shelf: Shelf) -> LiveRegister:
    """A register of PEOPLE after its first scan. Nobody changes it."""

    def make(folder: Path) -> None:
        live = make_live(folder / "project", people=PEOPLE)
        live.scan()
        live.engine.dispose()

    project = shelf.made("first-night", make) / "project"
    return LiveRegister(project, f"sqlite:///{project / 'live.db'}", FIRST + dt.timedelta(days=1))


@pytest.fixture
def live(first_night: LiveRegister, tmp_path: Path) -> LiveRegister:
    """A register of one's own, after its first scan."""
    return first_night.copied(tmp_path / "project")
