"""A project of a few lines, run as its user would run it, and what then stands in its target."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casebridge.migrate.cli.main import main

CASES = Path(__file__).parent / "cases"


@dataclass
class Ran:
    """One command: its exit code, all that it said, and the project's folder."""

    code: int
    said: str
    folder: Path

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the target holds."""
        with contextlib.closing(sqlite3.connect(self.folder / "target.db")) as connection:
            return connection.execute(sql).fetchall()

    @property
    def report(self) -> dict[str, Any]:
        """The report of the only run."""
        (path,) = (self.folder / "reports").glob("*/report.json")
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return report

    def places(self, source: int = 0) -> dict[str, int]:
        """Where the rows of a source went, without the places that are empty."""
        counts = self.report["sources"][source]
        return {name: count for name, count in counts.items() if isinstance(count, int) and count}


def case(name: str, folder: Path, changed: Mapping[str, str] | None = None) -> Path:
    """A copy of a case, with some files written again."""
    shutil.copytree(CASES / name, folder / name)
    for path, text in (changed or {}).items():
        (folder / name / path).write_text(text, encoding="utf-8")
    return folder / name


def command(folder: Path, *words: str) -> Ran:
    """One command in a project."""
    out, code = io.StringIO(), 0
    argv, sys.argv = sys.argv, ["casebridge", *words, "--project", str(folder)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    finally:
        sys.argv = argv
    return Ran(code, out.getvalue(), folder)
