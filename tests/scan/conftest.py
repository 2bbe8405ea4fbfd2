"""One register after its first night, for all tests of the scan: each works on a copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scan.live import LiveRegister, make_live

PEOPLE = 120


@pytest.fixture(scope="session")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> LiveRegister:
    """A register of PEOPLE after its first scan. Nobody changes it."""
    live = make_live(tmp_path_factory.mktemp("scan") / "project", people=PEOPLE)
    live.scan()
    return live


@pytest.fixture
def live(first_night: LiveRegister, tmp_path: Path) -> LiveRegister:
    """A register of one's own, after its first scan."""
    return first_night.copied(tmp_path / "project")
