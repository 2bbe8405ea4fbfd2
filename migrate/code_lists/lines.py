"""The lines of the code lists that a project's specs use, as people read them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from casebridge.project.blanks import bare_text
from casebridge.project.job import Job
from casebridge.project.lists import read_list
from casebridge.transform.codes import LARGEST_CODES, read_codes


@dataclass(frozen=True)
class CodeLine:
    """One line of a code list: a legacy code in capitals, what it becomes, and for which days."""

    code: str
    target: str
    status: str
    owner: str
    valid_from: str
    valid_to: str

    @property
    def place(self) -> str:
        """What no two lines of a list share: the code, and its days where it has any."""
        return f"{self.code} ({self.valid_from or '…'} to {self.valid_to or '…'})" if self.dated else self.code

    @property
    def dated(self) -> bool:
        """Whether it holds for some days only."""
        return bool(self.valid_from or self.valid_to)

    @property
    def meaning(self) -> str:
        """What the code becomes, as people say it."""
        return self.target if self.target and self.status != "unmapped" else f"({self.status})"


@dataclass(frozen=True)
class UsedList:
    """A code list and the columns of the target that are translated by it, as `spec.column`."""

    name: str
    lines: tuple[CodeLine, ...]
    used_by: tuple[str, ...]

    @property
    def owners(self) -> tuple[str, ...]:
        """Who answers for its lines."""
        return tuple(dict.fromkeys(line.owner for line in self.lines if line.owner))

    @property
    def unmapped(self) -> int:
        """How many of its codes have nothing to become."""
        return sum(line.meaning.startswith("(") for line in self.lines)

    @property
    def meanings(self) -> dict[str, str]:
        """What each code becomes: this is what is signed."""
        return {line.place: line.meaning for line in self.lines}


def used_lists(job: Job) -> dict[str, UsedList]:
    """The code lists that the specs use, by name. SpecError when one of them is wrong."""
    used: dict[str, list[str]] = {}
    for spec in job.specs:
        for column in spec.columns:
            if column.codes:
                used.setdefault(column.codes, []).append(f"{spec.name}.{column.name}")
    read_codes(job.folder / "codes", sorted(used))
    return {
        name: UsedList(name, tuple(map(_line, raw_lines(job.folder / "codes" / f"{name}.csv"))), tuple(used[name]))
        for name in sorted(used)
    }


def raw_lines(path: Path) -> list[dict[str, str]]:
    """The lines of a sound code list, each cell as it stands in the file."""
    text = read_list(path, LARGEST_CODES).decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return [{str(name): value or "" for name, value in row.items() if name} for row in rows]


def _line(row: Mapping[str, str]) -> CodeLine:
    cells = {name: bare_text(value) for name, value in row.items()}
    return CodeLine(
        cells["legacy_code"].upper(), cells["target_code"], cells["status"], cells["owner"],
        cells["valid_from"], cells["valid_to"],
    )  # fmt: skip
