"""Pulls the plug: a command of the real command line, killed (SIGKILL) when it reaches a moment.

The commands run in processes of their own, forked from one that has imported everything and done nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread

from casebridge.migrate.cli import run as stage_commands
from casebridge.migrate.cli import scan as scan_command
from casebridge.migrate.cli.main import main
from tests.councils import command_line

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.plug"])

assert stage_commands, "it brings in the engines, for every process at once"
assert scan_command, "and so does this"
WATCHED = (
    "casebridge.load.writing.delivery", "casebridge.load.stage", "casebridge.load.rollback",
    "casebridge.dedupe.scan.night",
)  # fmt: skip


def killed_at(words: Sequence[str], folder: Path, moment: str, nth: int = 1) -> bool:
    """Do a command on a project until it reaches a moment for the nth time. Whether it came to that."""
    return _killed(_until_moment, words, folder, moment, nth)


def killed_after(words: Sequence[str], folder: Path, seconds: float) -> bool:
    """Do a command on a project for so many seconds at most. Whether that cut it short."""
    return _killed(_for_seconds, words, folder, seconds)


def killed_in(words: Sequence[str], folder: Path, footprint: str, seconds: float) -> bool:
    """Do a command on a project until a file or folder of it is there and so many seconds more. Whether that cut
    it short."""
    return _killed(_until_footprint, words, folder, footprint, seconds)


def in_background(words: Sequence[str], folder: Path) -> multiprocessing.process.BaseProcess:
    """A command at work; join it, and its `exitcode` is the command's."""
    process = _processes.Process(target=_do, args=(words, folder))
    process.start()
    return process


def _killed(target: Callable[..., None], words: Sequence[str], folder: Path, *how: object) -> bool:
    process = _processes.Process(target=target, args=(words, folder, *how))
    process.start()
    process.join()
    # 1: a rollback that was killed after its last commit has nothing left to take back.
    assert process.exitcode in {0, 1, -signal.SIGKILL}, process.exitcode
    return process.exitcode == -signal.SIGKILL


def _do(words: Sequence[str], folder: Path) -> None:
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    with command_line((*words, "--project", str(folder))):
        main()


def _until_moment(words: Sequence[str], folder: Path, moment: str, nth: int) -> None:
    seen = 0

    def reached(name: str) -> None:
        nonlocal seen
        seen += name == moment
        if seen == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    for module in WATCHED:
        sys.modules[module].failpoint = reached  # type: ignore[attr-defined]
    _do(words, folder)


def _for_seconds(words: Sequence[str], folder: Path, seconds: float) -> None:
    _until_footprint(words, folder, "", seconds)


def _until_footprint(words: Sequence[str], folder: Path, footprint: str, seconds: float) -> None:
    def watch() -> None:
        while not (folder / footprint).exists():
            time.sleep(0.002)
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGKILL)

    Thread(target=watch, daemon=True).start()
    _do(words, folder)
