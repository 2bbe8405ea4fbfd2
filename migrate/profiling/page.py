"""The profile as one HTML page: it needs no other file, no network and no script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from casebridge.migrate.documents.page import count, template
from casebridge.project.errors import counted

Facts = Mapping[str, Any]
_WIDE, _HIGH = 160, 28
_MOST_BARS = 40
_OPEN_TABLES = 30


def profile_page(facts: Facts, changes: Sequence[Facts] | None = None) -> str:
    """The page of a profile; with `changes` of `compare`, what is different from another one stands first."""
    tables = [_with_references(table, facts["references"]) for table in facts["tables"]]
    return template("profile.html").render(
        facts=facts,
        tables=tables,
        totals=_totals(facts),
        findings=list(_findings(facts)),
        without_rows=[table["name"] for table in tables if not table["rows"] and not table["view"]],
        changes=changes,
        opened=len(tables) <= _OPEN_TABLES,
        bars=bars,
        years=year_bars,
    )


def bars(rows: Sequence[int]) -> list[tuple[float, float, float, float]]:
    """Columns of a small chart: x, y, width, height; of many places, several make one column."""
    if not rows or not any(rows):
        return []
    together = -(-len(rows) // _MOST_BARS)
    sums = [sum(rows[at : at + together]) for at in range(0, len(rows), together)]
    step, most = _WIDE / max(len(sums), 8), max(sums)
    made = []
    for place, number in enumerate(sums):
        if number:
            height = max(1.5, _HIGH * number / most)
            made.append(
                (round(place * step, 2), round(_HIGH - height, 2), round(step * 0.84, 2), round(height, 2))
            )
    return made


def year_bars(rows: Mapping[str, int]) -> list[tuple[float, float, float, float]]:
    """The same for rows by year. Years far from the others have no place in it."""
    years = sorted(int(year) for year in rows)
    usual = [year for year in years if 1850 <= year <= 2100]
    if not usual:
        return []
    return bars([rows.get(str(year), 0) for year in range(usual[0], usual[-1] + 1)])


def _totals(facts: Facts) -> dict[str, int]:
    tables = facts["tables"]
    columns = [column for table in tables for column in table["columns"]]
    return {
        "tables": len(tables),
        "rows": sum(table["rows"] for table in tables),
        "columns": len(columns),
        "empty": sum(column["rows"] > 0 and column["nulls"] == column["rows"] for column in columns),
        "unreadable": sum(table["unreadable"] for table in tables),
        "references": len(facts["references"]),
        "orphans": sum(ref["orphan_rows"] for ref in facts["references"]),
        "keyless": sum(not table["key"] and not table["view"] for table in tables),
    }


def _with_references(table: Facts, references: Sequence[Facts]) -> dict[str, Any]:
    to = {ref["column"]: ref for ref in references if ref["table"] == table["name"]}
    return {**table, "to": to, "by": [ref for ref in references if ref["to_table"] == table["name"]]}


def _findings(facts: Facts) -> Iterator[tuple[str, list[str]]]:
    """What somebody has to look at: a table, its sentences."""
    for table in facts["tables"]:
        said = [*_of_keys(table), *_of_orphans(table, facts["references"]), *_of_rows(table)]
        if said:
            yield table["name"], said


def _of_keys(table: Facts) -> Iterator[str]:
    for column in table["columns"]:
        if column["name"] in table["nearly_keys"]:
            values, rows = (column["doubled"][part] for part in ("values", "rows"))
            stand = f"{counted(values, 'value')} {'stands' if values == 1 else 'stand'} on {count(rows)} rows"
            yield f"{column['name']} looks like a key, but {stand}"
        if table["rows"] and column["name"] in table["key"] and column["nulls"]:
            yield f"{counted(column['nulls'], 'row')} without a {column['name']}, which is its key"
    if len(table["key"]) > 1 and table["unnamed"]:
        together = " and ".join(table["key"])
        yield f"{together} name its rows together, but for {counted(table['unnamed'], 'row')}"
    if not table["key"] and table["rows"] and not table["view"]:
        yield "no column names its rows, and no few of them together"


def _of_orphans(table: Facts, references: Sequence[Facts]) -> Iterator[str]:
    for ref in references:
        if ref["table"] == table["name"] and ref["orphan_rows"]:
            rows = f"{counted(ref['orphan_rows'], 'row')} {'has' if ref['orphan_rows'] == 1 else 'have'}"
            yield f"{rows} a {ref['column']} that is not in {ref['to_table']}"


def _of_rows(table: Facts) -> Iterator[str]:
    if table["unreadable"]:
        yield f"{counted(table['unreadable'], 'line')} that cannot be read as a record"
