"""Names that files, databases and queries take, from those that a source has."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable

from casebridge.project.contracts import raw_name
from casebridge.project.schema import SIDE_TABLES

_LONGEST = 50
_BETWEEN = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def plain_name(name: str, otherwise: str = "column") -> str:
    """Small letters, digits and _, beginning with a letter: `OrderDetails`, `order details` are order_details."""
    words = re.sub(r"[^a-z0-9]+", "_", _BETWEEN.sub("_", name).lower()).strip("_")
    words = words if words[:1].isalpha() else f"{otherwise[0]}_{words}".rstrip("_")
    return words[:_LONGEST].rstrip("_")


def table_of_target(name: str, taken: Iterable[str]) -> str:
    """What a table is called in a plain target: not as SQLite calls its own, nor as we call ours."""
    plain = plain_name(name, "table")
    return fresh_name(f"t_{plain}" if plain.startswith("sqlite_") else plain, {*taken, *SIDE_TABLES})


def fresh_name(name: str, taken: Collection[str]) -> str:
    """The name, or the first `name_2`, `name_3` … that is free."""
    number, made = 2, name
    while made in taken:
        made, number = f"{name}_{number}", number + 1
    return made


def title_of(column: str) -> str:
    """A column's name in its file, from its name in batches."""
    return column[:-1] if column.endswith("_") and raw_name(column[:-1]) == column else column


def quoted(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_key(name: str) -> str:
    """A key as TOML writes it: bare where it may be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)
