"""What people decided of pairs of records: append-only, keyed by legacy key, latest wins.

A decision outlives every run, re-run and rollback, because it names the records by their own keys and
stands in the control database.
"""

from __future__ import annotations

import csv
import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from casebridge.project.errors import Problem, SpecError, counted, did_you_mean

_meta = sa.MetaData()

DECISIONS = sa.Table(
    "decisions",
    _meta,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("left_id", sa.String(240), nullable=False),
    sa.Column("right_id", sa.String(240), nullable=False),
    sa.Column("verdict", sa.String(20), nullable=False),
    sa.Column("reviewer", sa.String(100), nullable=False),
    sa.Column("reason", sa.String(1000), nullable=False),
    sa.Column("decided_at", sa.String(20), nullable=False),
    sa.Index("ix_decisions_pair", "left_id", "right_id"),
)

COLUMNS = ("left", "right", "verdict", "reviewer", "reason")
_LONGEST = {"left": 200, "right": 200, "reviewer": 100, "reason": 1000}


class Ruling(enum.StrEnum):
    """What a reviewer may say of two records."""

    SAME = "same"
    DIFFERENT = "different"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Decision:
    """One ruling on one pair. The ids are `system:key`, the smaller one left."""

    left_id: str
    right_id: str
    verdict: Ruling
    reviewer: str
    reason: str


def decision(left: str, right: str, verdict: Ruling, reviewer: str, reason: str) -> Decision:
    """A decision with its pair in order."""
    first, second = sorted((left, right))
    return Decision(first, second, verdict, reviewer, reason)


def read_decisions(path: Path, systems: Sequence[str], known: Collection[str] | None = None) -> list[Decision]:
    """Decisions made elsewhere: a CSV with left, right, verdict, reviewer, reason.

    A key is `system:key`, or the bare key when the project has one system. `known` are the records that may
    be named (None: not known yet). SpecError lists every bad line by its number; then nothing is taken.
    """
    problems: list[Problem] = []
    taken: list[Decision] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            header = reader.fieldnames or []
            for column in COLUMNS:
                if column not in header:
                    # What stands there may be a record and not a header: it is not repeated.
                    hint = f"line 1 must name {', '.join(COLUMNS)}; it has {counted(len(header), 'cell')}"
                    problems.append(Problem(path.name, "line 1", f"has no column `{column}`", hint))
            if not problems:
                for row in reader:
                    _take(path.name, reader.line_num, row, systems, known, taken, problems)
    except FileNotFoundError as error:
        raise SpecError([Problem(str(path), "", "no such file")]) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SpecError(
            [Problem(path.name, "", f"not readable as CSV in UTF-8: {type(error).__name__}")]
        ) from error
    if problems:
        raise SpecError(problems)
    return taken


def _take(
    file: str,
    line: int,
    row: dict[str, str | None],
    systems: Sequence[str],
    known: Collection[str] | None,
    taken: list[Decision],
    problems: list[Problem],
) -> None:
    where = f"line {line}"
    cells = {column: (row.get(column) or "").strip() for column in COLUMNS}
    empty = [column for column in COLUMNS if not cells[column]]
    if empty or None in row:
        what = f"{', '.join(empty)} must be filled" if empty else "has more fields than the header"
        problems.append(Problem(file, where, what))
        return
    if cells["verdict"] not in set(Ruling):
        problems.append(Problem(file, where, "has a verdict that is none", did_you_mean(cells["verdict"], Ruling)))
        return
    for name, most in _LONGEST.items():
        if len(cells[name]) > most:
            problems.append(Problem(file, where, f"{name} is longer than {most} characters"))
    left, right = (_id(file, where, cells[side], systems, problems) for side in ("left", "right"))
    if left == right:
        problems.append(Problem(file, where, "names the same record twice"))
        return
    strangers = sum(1 for item in (left, right) if known is not None and item not in known)
    if strangers:
        what = f"names {('a record', 'two records')[strangers - 1]} of which no pair can be made"
        problems.append(Problem(file, where, what, "left and right are keys as `casebridge pairs` prints them"))
        return
    taken.append(decision(left, right, Ruling(cells["verdict"]), cells["reviewer"], cells["reason"]))


def _id(file: str, where: str, text: str, systems: Sequence[str], problems: list[Problem]) -> str:
    system, colon, key = text.partition(":")
    if colon and system in systems and key:
        return text
    if len(systems) == 1 and not colon:
        return f"{systems[0]}:{text}"
    problems.append(Problem(file, where, "a key must be written `system:key`", f"systems: {', '.join(systems)}"))
    return text
