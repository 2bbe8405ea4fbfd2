"""The hand-made migration on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hand_made import World, make_world


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A migration in balance, to be spoiled."""
    on_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'target.db'}" if on_sqlite else request.getfixturevalue("postgres_url")
    made = make_world(tmp_path, url)
    yield made
    made.job.ledger.close()


@pytest.fixture
def small_world(tmp_path: Path) -> Iterator[World]:
    """The same on SQLite alone, where the database makes no difference."""
    made = make_world(tmp_path, f"sqlite:///{tmp_path / 'target.db'}")
    yield made
    made.job.ledger.close()
