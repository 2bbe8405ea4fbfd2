"""A council made ready for two loads, once, and copies of it that may be spoilt."""

from __future__ import annotations

from pathlib import Path

import pytest
from prepared import FIRST, NEXT, Contents, Snapshots, loaded, next_export, plain, state

from tests.councils import Migration, contents
from tests.shelf import SMALL, Shelf, copy_of, migration_in, with_its_dump


@pytest.fixture(scope="session")
def prepared(shelf: Shelf) -> Migration:
    """All is done before the load, of a first run and of one of the next export; nothing is in the target."""

    def make(folder: Path) -> None:
        migration = with_its_dump(copy_of(shelf.after("dedupe", batch_rows=SMALL), folder))
        next_export(migration.council)
        migration.run(until="dedupe", run=NEXT)

    return migration_in(shelf.made("prepared", make))


@pytest.fixture(scope="session")
def whole(shelf: Shelf, prepared: Migration) -> Contents:
    """The target of a first load that nothing interrupted."""
    return _uninterrupted(shelf, prepared, FIRST)


@pytest.fixture(scope="session")
def whole_next(shelf: Shelf, prepared: Migration) -> Contents:
    """The target of a full load of the next export, with the same ids."""
    return _uninterrupted(shelf, prepared, NEXT)


def _uninterrupted(shelf: Shelf, prepared: Migration, run: str) -> Contents:
    folder = shelf.made(f"whole-{run}", lambda folder: loaded(copy_of(prepared, folder), run))
    return plain(contents(migration_in(folder).target))


@pytest.fixture(params=["sqlite", "postgresql"])
def ready(request: pytest.FixtureRequest, prepared: Migration, tmp_path: Path) -> Migration:
    """A copy, ready for its loads into an empty database of either kind."""
    on_sqlite = request.param == "sqlite"
    return copy_of(prepared, tmp_path, "" if on_sqlite else str(request.getfixturevalue("postgres_url")))


@pytest.fixture(scope="session")
def snapshots(
    shelf: Shelf, prepared: Migration, tmp_path_factory: pytest.TempPathFactory, _postgres_server: str
) -> Snapshots:
    """Targets with runs in them, to be copied."""
    return Snapshots(shelf, prepared, tmp_path_factory.mktemp("snapshots"), _postgres_server)


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
