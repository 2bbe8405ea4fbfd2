"""Rows that came or went without a change date are found by the keys; these are read only where they are not what
they were."""

from __future__ import annotations

import pytest

from casebridge.dedupe.scan.changes import HASH, TableRead, read_table
from casebridge.dedupe.scan.config import LiveTable
from casebridge.project.database import open_database
from casebridge.project.snapshot import open_snapshot

TABLE = LiveTable("staffed", "id", "id", ("name",), "changed")
NIGHTS = [
    ("UPDATE staffed SET name = 'Bo', changed = '2026-03-01' WHERE id = 2", {"2"}, False),
    ("INSERT INTO staffed VALUES (10, 'Cy', '2026-03-01')", {"10"}, False),
    ("INSERT INTO staffed VALUES (11, 'Di', '2020-01-01')", {"11"}, True),
    ("DELETE FROM staffed WHERE id = 3", {"3"}, True),
    ("DELETE FROM staffed WHERE id = 4; INSERT INTO staffed VALUES (14, 'Ed', '2020-01-01')", {"4", "14"}, True),
]


def test_the_keys_are_read_where_they_are_not_what_they_were(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, asked = open_database(postgres_url), list[str]()
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE staffed (id int PRIMARY KEY, name text, changed timestamp)")
        connection.exec_driver_sql(
            "INSERT INTO staffed SELECT n, 'A' || n, timestamp '2020-01-01' FROM generate_series(1, 9) n"
        )
    last = _read(postgres_url, None)
    read = read_table.__globals__["_by_all_keys"]
    monkeypatch.setattr("casebridge.dedupe.scan.changes._by_all_keys", lambda *p: (asked.append(""), read(*p))[1])
    for statement, people, all_keys in NIGHTS:
        with engine.begin() as connection:
            for one in statement.split("; "):
                connection.exec_driver_sql(one)
        before = len(asked)
        last = _read(postgres_url, last)
        assert (last.people, len(asked) > before, last.by_date) == (people, all_keys, True)
        assert _rows(last) == _rows(_read(postgres_url, None))
    engine.dispose()


def _read(url: str, before: TableRead | None) -> TableRead:
    with open_snapshot(url) as snapshot:
        if before is None:
            return read_table(snapshot, TABLE, None, (), whole=False)
        return read_table(snapshot, TABLE, before.rows, (), "2026-03-02", before.keys, whole=False)


def _rows(read: TableRead) -> list[tuple[object, ...]]:
    return sorted(read.rows.select("id", "name", "changed", HASH).rows())
