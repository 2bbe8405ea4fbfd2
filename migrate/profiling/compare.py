"""Two profiles of the same old system: what changed between two extracts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from casebridge.migrate.profiling.profile import VERSION
from casebridge.project.errors import CasebridgeError
from casebridge.project.lists import LARGEST, ListTooLargeError, read_list

Facts = Mapping[str, Any]
_MOST_CODES = 20


def read_profile(path: Path) -> Facts:
    """The facts that a profile.json holds. CasebridgeError when it is none."""
    hint = "name the profile.json of an earlier `casebridge profile`"
    try:
        facts = json.loads(read_list(path, LARGEST))
    except (OSError, ValueError, RecursionError, ListTooLargeError) as error:
        raise CasebridgeError(f"{path.name} cannot be read as a profile", hint=hint) from error
    if not isinstance(facts, dict) or facts.get("profile") != VERSION:
        raise CasebridgeError(f"{path.name} is no profile of this version", hint=hint)
    return facts


def compare(then: Facts, now: Facts) -> list[dict[str, str]]:
    """What is different: table, column (empty for the table itself), what, then, now; by tables."""
    before = {table["name"]: table for table in then["tables"]}
    after = {table["name"]: table for table in now["tables"]}
    found = [_line(name, "", "the table is gone", "there", "-") for name in before if name not in after]
    for name, table in after.items():
        if name not in before:
            found.append(_line(name, "", "a new table", "-", f"{table['rows']:,} rows"))
        else:
            found += _of_table(before[name], table)
    return found + list(_of_references(then, now))


def _line(table: str, column: str, what: str, then: object, now: object) -> dict[str, str]:
    shown = (f"{value:,}" if isinstance(value, int) else str(value) for value in (then, now))
    return dict(zip(("table", "column", "what", "then", "now"), (table, column, what, *shown), strict=True))


def _of_table(then: Facts, now: Facts) -> Iterator[dict[str, str]]:
    name = now["name"]
    for what, key in (("rows", "rows"), ("lines that are no records", "unreadable")):
        if then[key] != now[key]:
            yield _line(name, "", what, then[key], now[key])
    if then["key"] != now["key"]:
        yield _line(name, "", "the key", ", ".join(then["key"]) or "none", ", ".join(now["key"]) or "none")
    before = {column["name"]: column for column in then["columns"]}
    after = {column["name"]: column for column in now["columns"]}
    yield from (
        _line(name, column, "the column is gone", "there", "-") for column in before if column not in after
    )
    for column, facts in after.items():
        if column not in before:
            yield _line(name, column, "a new column", "-", facts["kind"])
        else:
            yield from _of_column(name, before[column], facts, then["rows"], now["rows"])


def _of_column(table: str, then: Facts, now: Facts, rows: int, rows_now: int) -> Iterator[dict[str, str]]:
    name = now["name"]
    if then["kind"] != now["kind"]:
        yield _line(table, name, "what its values are", then["kind"], now["kind"])
    declared = [facts.get("declared", "") for facts in (then, now)]
    if declared[0] != declared[1] and "declared" in then:
        yield _line(table, name, "declared as", *(kind or "-" for kind in declared))
    shares = [facts["nulls"] / (of or 1) for facts, of in ((then, rows), (now, rows_now))]
    if abs(shares[0] - shares[1]) >= 0.01:
        yield _line(table, name, "empty", *(f"{100 * share:.1f} %" for share in shares))
    for what, key in (("shortest", "least"), ("longest", "greatest")):
        if then["length"][key] != now["length"][key]:
            yield _line(table, name, f"{what} value, characters", then["length"][key], now["length"][key])
    years = [facts["years"] or {"least": "-", "greatest": "-"} for facts in (then, now)]
    for what, key in (("first year", "least"), ("last year", "greatest")):
        if years[0][key] != years[1][key]:
            yield _line(table, name, what, str(years[0][key]), str(years[1][key]))
    doubled = [facts["doubled"]["values"] for facts in (then, now)]
    if not all(doubled) and any(doubled):
        yield _line(table, name, "values on several rows", *doubled)
    yield from _of_codes(table, then, now)


def _of_codes(table: str, then: Facts, now: Facts) -> Iterator[dict[str, str]]:
    codes = [
        {item["code"]: item["rows"] for item in facts["codes"] or () if "code" in item} for facts in (then, now)
    ]
    if then["codes"] is None or now["codes"] is None:
        if then["codes"] is not now["codes"]:
            what = "no codes any more: different values" if now["codes"] is None else "codes now: different values"
            yield _line(table, now["name"], what, then["distinct"], now["distinct"])
        return
    fresh = sorted(codes[1].keys() - codes[0].keys())
    gone = sorted(codes[0].keys() - codes[1].keys())
    for code in fresh[:_MOST_CODES]:
        yield _line(table, now["name"], f"a code that was not shown before: {code}", "-", codes[1][code])
    for code in gone[:_MOST_CODES]:
        yield _line(table, now["name"], f"a code that is not shown any more: {code}", codes[0][code], "-")


def _of_references(then: Facts, now: Facts) -> Iterator[dict[str, str]]:
    before = {(ref["table"], ref["column"], ref["to_table"]): ref for ref in then["references"]}
    after = {(ref["table"], ref["column"], ref["to_table"]): ref for ref in now["references"]}
    for place, ref in after.items():
        orphans = before[place]["orphan_rows"] if place in before else "-"
        if orphans != ref["orphan_rows"]:
            yield _line(place[0], place[1], f"orphans of {place[2]}", orphans, ref["orphan_rows"])
    for place in before:
        if place not in after:
            yield _line(place[0], place[1], f"held keys of {place[2]}", "yes", "no longer")
