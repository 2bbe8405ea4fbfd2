"""A database at one moment: exact text, null and empty apart, and nobody waits for it."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from casebridge.project.database import open_database
from casebridge.project.declared import declared_type
from casebridge.project.errors import SourceError
from casebridge.project.servers.asked import MEASURES
from casebridge.project.snapshot import open_snapshot

ODD = [
    (1, "plain", "1999-12-31"), (2, "", None), (3, None, "2000-02-29"), (4, 'quo"te, comma\nline\r\n', None),
    (5, " '%%' :x \\N NULL ☃ ", None),
]  # fmt: skip


META = sa.MetaData()
TABLE = sa.Table(
    "odd", META, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("na%me", sa.Text),
    sa.Column("born", sa.Date),
)  # fmt: skip


def _fill(url: str) -> sa.Engine:
    engine = open_database(url)
    with engine.begin() as connection:
        META.create_all(connection)
        rows = [{"id": i, "na%me": n, "born": dt.date.fromisoformat(b) if b else None} for i, n, b in ODD]
        connection.execute(TABLE.insert(), rows)
        connection.exec_driver_sql("CREATE VIEW seen AS SELECT id FROM odd")
    return engine


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind with the odd rows."""
    made = f"sqlite:///{tmp_path}/live.db"
    if request.param == "postgresql":
        made = request.getfixturevalue("postgres_url")
    _fill(made).dispose()
    return made


def test_rows_are_exact_text_and_an_empty_text_is_not_null(url: str) -> None:
    with open_snapshot(url) as snapshot:
        rows = pl.concat(snapshot.read("odd", ["id", "na%me", "born"])).sort("id").rows()
        some = pl.concat(snapshot.read("odd", ["id"], sa.column("id", sa.BigInteger).in_([2, 5]))).rows()
        text = pl.concat(snapshot.read("odd", ["id"], sa.column("na%me", sa.Text) == ODD[4][1])).rows()
    assert rows == [(str(number), name, born) for number, name, born in ODD]
    assert sorted(some) == [("2",), ("5",)]
    assert text == [("5",)]


def test_tables_and_views_are_listed_with_their_keys(url: str) -> None:
    with open_snapshot(url) as snapshot:
        table, view = snapshot.relations()
        assert snapshot.count("odd") == len(ODD)
    assert (table.name, table.primary_key, table.view) == ("odd", ("id",), False)
    assert [name for name, _ in table.columns] == ["id", "na%me", "born"]
    assert (view.name, view.view) == ("seen", True)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (mysql.BIGINT(unsigned=True), "numeric(20,0)"), (mysql.INTEGER(unsigned=True), "bigint"),
        (mysql.TINYINT(), "integer"), (sa.Numeric(12, 2), "numeric(12,2)"), (mysql.ENUM("a", "bcd"), "varchar(3)"),
    ],
)  # fmt: skip
def test_a_declared_type_takes_all_its_values(kind: sa.types.TypeEngine[object], wanted: str) -> None:
    assert declared_type(kind) == (wanted, "")


def test_one_moment_is_seen_while_others_write_and_they_do_not_wait(url: str) -> None:
    others = open_database(url)
    before = len(ODD)
    with open_snapshot(url) as snapshot:
        with others.begin() as connection:
            connection.exec_driver_sql("DELETE FROM odd WHERE id < 4")
        assert snapshot.count("odd") == before
        assert sum(batch.height for batch in snapshot.read("odd", ["id"])) == before
    with open_snapshot(url) as snapshot:
        assert snapshot.count("odd") == 2
    others.dispose()


def test_a_snapshot_leaves_nothing_beside_a_file_and_writes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/live.db"
    _fill(url).dispose()
    before = (tmp_path / "live.db").read_bytes()
    with open_snapshot(url) as snapshot:
        assert snapshot.count("odd") == len(ODD)
    assert (tmp_path / "live.db").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["live.db"]


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/live.db", "postgresql://nobody:Sm1thers@127.0.0.1:1/none", "mysql+none://x"]
)
def test_what_cannot_be_reached_is_told_without_a_password(url: str) -> None:
    with pytest.raises(Exception) as caught, open_snapshot(url):  # noqa: PT011
        pass
    assert "Sm1thers" not in str(caught.value)
    assert caught.value.exit_code == 3  # type: ignore[attr-defined]


def test_a_value_is_not_told_when_a_text_cannot_be_read(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "live.db") as connection:
        connection.execute("CREATE TABLE odd (name text)")
        connection.execute("INSERT INTO odd VALUES (CAST(x'536d31ff' AS text))")
    connection.close()
    with open_snapshot(f"sqlite:///{tmp_path}/live.db") as snapshot, pytest.raises(SourceError) as caught:
        list(snapshot.read("odd", ["name"]))
    assert "Sm1" not in str(caught.value)


@pytest.mark.parametrize("kind", [pl.String, pl.Binary])
@pytest.mark.parametrize(
    "odd",
    [
        None, "infinity", "-infinity", "0044-03-15 BC", "0044-03-15 10:00:00 BC", "10000-01-01",
        "294276-12-31 23:59:59", "5874897-12-31", "2023-02-29", "0000-00-00", "", "20240105",
        "2024-01-05 08:30:00.25+00",
    ],
)  # fmt: skip
def test_days_are_added_up_whatever_stands_beside_them(odd: str | None, kind: type[pl.DataType]) -> None:
    days = ["0001-01-01", "1969-12-31", "2024-02-29", "9999-12-31"]
    for texts in (days, [f"{day} 23:59:59.5" for day in days]):
        column = pl.Series("at", [*texts, odd], dtype=pl.String).cast(kind)
        total = column.to_frame().select(MEASURES["days"](pl.col("at"), 0)).item()
        is_a_day = odd is not None and odd.startswith("2024-01-05")
        known = [*days, "2024-01-05"] if is_a_day else days
        assert total == sum((dt.date.fromisoformat(day) - dt.date(1970, 1, 1)).days for day in known)
