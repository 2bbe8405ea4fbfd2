"""What no file of a dump may go beyond, as `[reading]` of the settings says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from casebridge.project.errors import Problem
from casebridge.project.urls import FILE


@dataclass(frozen=True)
class Bounds:
    """What no file may go beyond: bytes of one record, cells, rows and unpacked bytes of a workbook, and bytes of
    a list that people hand in (decisions, a manifest)."""

    longest_record: int = 16 << 20
    workbook_cells: int = 3_000_000
    workbook_size: int = 256 << 20
    workbook_rows: int = 1_048_576
    list_size: int = 64 << 20


def read_bounds(body: Any, problems: list[Problem]) -> Bounds:
    """The bounds of a project; those that nobody set are the defaults."""
    if not isinstance(body, dict):
        return Bounds()
    return Bounds(
        _bytes(body, "longest_record", Bounds.longest_record, problems),
        whole(body, "reading.workbook_cells", Bounds.workbook_cells, problems),
        _bytes(body, "workbook_size", Bounds.workbook_size, problems),
        whole(body, "reading.workbook_rows", Bounds.workbook_rows, problems),
        _bytes(body, "list_size", Bounds.list_size, problems),
    )


def _bytes(body: dict[str, Any], key: str, default: int, problems: list[Problem]) -> int:
    """A size such as 64MB, up to 1GB: what is read at once has to fit into memory."""
    match = re.fullmatch(r"([0-9]{1,4}) ?([KMG])i?B", str(body.get(key, "")))
    size = int(match[1]) << {"K": 10, "M": 20, "G": 30}[match[2]] if match else 0
    if key in body and not 1024 <= size <= 1 << 30:
        problems.append(Problem(FILE, f"reading.{key}", "is no size up to 1GB", "write it like 64MB"))
    return size if 1024 <= size <= 1 << 30 else default


def whole(body: dict[str, Any], where: str, default: int, problems: list[Problem]) -> int:
    """A whole number of 1 or more, at the place `where`."""
    value = body.get(where.rpartition(".")[2], default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        problems.append(Problem(FILE, where, f"must be a whole number of 1 or more, not {value!r}"))
        return default
    return value
