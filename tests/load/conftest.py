"""A council made ready for two loads, once, and copies of it that may be spoilt."""

from __future__ import annotations

from pathlib import Path

import pytest
from prepared import FIRST, NEXT, Contents, Snapshots, copy_of, loaded, next_export, plain, state

from tests.councils import Migration, contents, make_migration, small_council


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Migration:
    """All is done before the load, of a first run and of one of the next export; nothing is in the target."""
    folder = tmp_path_factory.mktemp("prepared")
    council = small_council(folder / "council", people=500)
    migration = make_migration(folder / "project", council, batch_rows=600)
    migration.run(until="dedupe", run=FIRST)
    next_export(council)
    migration.run(until="dedupe", run=NEXT)
    return migration


@pytest.fixture(scope="session")
def whole(prepared: Migration, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """The target of a first load that nothing interrupted."""
    return _uninterrupted(prepared, tmp_path_factory.mktemp("whole"), FIRST)


@pytest.fixture(scope="session")
def whole_next(prepared: Migration, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """The target of a full load of the next export, with the same ids."""
    return _uninterrupted(prepared, tmp_path_factory.mktemp("whole-next"), NEXT)


def _uninterrupted(prepared: Migration, folder: Path, run: str) -> Contents:
    migration = copy_of(prepared, folder, None)
    loaded(migration, run)
    return plain(contents(migration.target))


@pytest.fixture(params=["sqlite", "postgresql"])
def ready(request: pytest.FixtureRequest, prepared: Migration, tmp_path: Path) -> Migration:
    """A copy, ready for its loads into an empty database of either kind."""
    on_sqlite = request.param == "sqlite"
    return copy_of(prepared, tmp_path, None if on_sqlite else str(request.getfixturevalue("postgres_url")))


@pytest.fixture(scope="session")
def snapshots(prepared: Migration, tmp_path_factory: pytest.TempPathFactory, _postgres_server: str) -> Snapshots:
    """Targets with runs in them, to be copied."""
    return Snapshots(prepared, tmp_path_factory.mktemp("snapshots"), _postgres_server)


@pytest.fixture(params=["sqlite", "postgresql"])
def first_loaded(request: pytest.FixtureRequest, snapshots: Snapshots, tmp_path: Path) -> Migration:
    """A copy with the first run in its target."""
    return snapshots.copy(request.param, (FIRST,), tmp_path)


@pytest.fixture
def after_delta(
    first_loaded: Migration, snapshots: Snapshots, tmp_path: Path
) -> tuple[Migration, tuple[Contents, set[str]]]:
    """A copy with a second run in its target, and what stood there before that."""
    database = first_loaded.target.partition(":")[0]
    return snapshots.copy(database, (FIRST, NEXT), tmp_path / "after"), state(first_loaded)
