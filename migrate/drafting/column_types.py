"""A column's type in the target, by what the database declares and by what its values look like."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from casebridge.migrate.profiling.columns import Column
from casebridge.project.declared import BYTES

_SHORT_INTEGER, _LONG_INTEGER, _DIGITS = 9, 18, 38
_ROOM = 4
"""Digits more than those of the largest number seen."""
_ROOMS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1000, 4000)
_NUMBER = 20
"""Characters of a key that is a number."""
_AS_TEXT = {"boolean": "varchar(5)", "uuid": "varchar(36)"}
"""Types whose values a draft takes as the texts that they are."""
_CLOCK = 32
"""Room for a time of day with fractions and an offset."""
_EMPTY = 64
"""Room for the text of a column of which no value was seen."""
_OPEN_ENDS = frozenset({"31/12/4712", "31/12/9999", "9999-12-31", "4712-12-31", "06/06/2079", "01/01/2300"})


def type_of(facts: Mapping[str, Any]) -> tuple[str, str]:
    """A column's type as target.toml writes it, and on what that rests; nothing where it is text, or where the
    database declares it and no value speaks against it."""
    if facts["declared"] == BYTES:
        return "text", ""
    seen, why = _type_seen(facts)
    declared = _AS_TEXT.get(facts["declared"], facts["declared"])
    fits = facts["kind"] == "empty" or _sort(declared) == _sort(seen)
    # Whole numbers where somebody made room for texts have zeros in front sooner or later. Of a column that takes
    # any text, its values say more.
    keeps = declared.startswith("varchar") and facts["kind"] == "integer"
    return (declared, "") if declared and (fits or keeps) else (seen, why)


def _sort(kind: str) -> str:
    """Text, number or day."""
    name = kind.partition("(")[0]
    return {"varchar": "text", "integer": "number", "bigint": "number", "numeric": "number", "timestamp": "day",
            "date": "day"}.get(name, name)  # fmt: skip


def _type_seen(facts: Mapping[str, Any]) -> tuple[str, str]:
    kind, digits, decimals = facts["kind"], facts["digits"], facts["decimals"]
    longest = facts["length"]["greatest"]
    pure = sum(facts["kinds"].values()) - facts["kinds"].get(kind, 0)
    mixed = f", {pure:,} rows with something else" if pure and kind != "decimal" else ""
    if kind == "date":
        dates = facts["dates"]
        name = "timestamp" if dates["clocks"] else "date"
        first = {
            "mdy": "the month first",
            "dmy": "the day first",
            "d?y": "no date tells which comes first, day or month",
        }
        return name, first.get(dates["order"], "days") + mixed
    if kind == "integer" and not facts["leading_zeros"] and digits <= _LONG_INTEGER:
        return "integer" if digits <= _SHORT_INTEGER else "bigint", f"whole numbers{mixed}"
    if kind == "decimal" and digits + decimals <= _DIGITS:
        return f"numeric({min(digits + decimals + _ROOM, _DIGITS)},{decimals})", f"up to {decimals} decimals"
    if kind == "empty":
        return text_type(_EMPTY), "no row has a value"
    return text_type(max(longest, _CLOCK if kind == "time" else 0)), ""


def text_type(longest: int) -> str:
    """A text column with room for what the next extract may bring: the longest value seen, rounded up."""
    room = next((size for size in _ROOMS if size >= longest), 0)
    return f"varchar({room})" if room else "text"


def of_dates(facts: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if facts["dates"]["order"] == "mdy" and facts["patterns"]:
        made["format"] = month_first(facts["patterns"][0]["pattern"])
    if _OPEN_ENDS & facts["placeholders"].keys():
        made["steps"] = ("end_date",)
    return made


def month_first(pattern: str) -> str:
    """The format of a date whose month comes first, from its pattern; empty where it is another."""
    day, _, clock = pattern.partition(" ")
    sign = next((char for char in day if char in "/-."), "")
    parts = day.split(sign) if sign else []
    if len(parts) != 3:
        return ""
    made = sign.join(("mm", "dd", "yyyy" if len(parts[2]) == 4 else "yy"))
    times = {0: "", 1: " hh24:mi", 2: " hh24:mi:ss"}.get(clock.count(":"), "")
    return made + (times.replace("hh24", "hh") + " am" if clock.upper().endswith("AA") else times)


def key_type(key: Sequence[Column]) -> str:
    """Of the column that keeps the old key: with several parts, they and what stands between them."""
    if len(key) == 1 and key[0].facts["declared"] in {"integer", "bigint"}:
        return "bigint"
    if len(key) == 1 and _fits_bigint(key[0].facts):
        return "bigint"
    return f"varchar({sum(longest_value(column.facts) + 1 for column in key) or _NUMBER})"


def _fits_bigint(facts: Mapping[str, Any]) -> bool:
    """Whether whole numbers are whole numbers there, too, and small enough."""
    if facts["kind"] != "integer" or facts["leading_zeros"] or facts["digits"] > _LONG_INTEGER:
        return False
    size = re.fullmatch(r"numeric\((\d+),0\)", facts["declared"])
    return facts["declared"] in {"", "text"} or bool(size and int(size.group(1)) <= _LONG_INTEGER)


def longest_value(facts: Mapping[str, Any]) -> int:
    """Characters of a value, by what the database declares, else as seen."""
    declared = facts["declared"]
    if not declared or declared == "text":
        return int(facts["length"]["greatest"])
    size = re.fullmatch(r"varchar\((\d+)\)", declared)
    return max(int(size.group(1)) if size else _NUMBER, int(facts["length"]["greatest"]))
