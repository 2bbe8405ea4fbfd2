"""What is written reads back equal, whatever the values are, on each kind of database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casebridge.load.writing.writers import WRITERS, copy_text, delete_rows, inserted_rows, writer_for
from casebridge.project.database import open_database
from casebridge.project.target import Target, TargetColumn, TargetTable
from casebridge.project.targetfile import read_type

KINDS = {
    "id": "bigint", "some text": "text", "select": "varchar(200)", "flag": "char(1)", "whole": "integer",
    "amount": "numeric(12,3)", "day": "date", "moment": "timestamp", "yes": "boolean",
}  # fmt: skip
TARGET = Target(
    (TargetTable("order", ("id",), tuple(TargetColumn(name, read_type(kind)[0]) for name, kind in KINDS.items())),)
)
SCHEMA = {column.name: column.type.dtype for column in TARGET.tables[0].columns}

NASTY = [
    "", " ", "\\N", "\\", "\\\\N", "\\.", "\\t", "\t", "a\tb", "\n", "\r", "\r\n", "a\rb\nc", '"', '""', "'",
    '"a,b"', ",", ";", "NULL", "null", "\b\f\v\x01\x1f\x7f", "é", "Ω", "\U0001f600", "\U0010ffff", "א", "e\u0301",
    "\u2028", "\ufeff",
    "%s", ":x", "?", "$1", "x" * 100_000,
]  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    on_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'target.db'}" if on_sqlite else request.getfixturevalue("postgres_url")
    made = open_database(url)
    TARGET.metadata().create_all(made)
    yield made
    made.dispose()


FIRST = dt.datetime.fromisoformat("0001-01-01")


def _row(number: int, **values: object) -> dict[str, object]:
    return {**dict.fromkeys(KINDS), "id": number, **values}


def _rows() -> list[dict[str, object]]:
    values: list[dict[str, object]] = [{}]
    values += [{"some text": text} for text in NASTY]
    values += [{"select": text, "flag": text[:1]} for text in NASTY if len(text) <= 200]
    values += [{"whole": number} for number in (0, -1, 2**31 - 1, -(2**31))]
    values += [{"amount": Decimal(text)} for text in
               ("0.000", "-0.001", "12.500", "100.000", "999999999.999", "-999999999.999")]  # fmt: skip
    values += [{"day": day} for day in (dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(2000, 2, 29))]
    values += [
        {"moment": moment}
        for moment in (
            FIRST,
            dt.datetime.fromisoformat("9999-12-31 23:59:59.999999"),
            dt.datetime.fromisoformat("1950-02-01 00:00:00.000001"),
            dt.datetime.fromisoformat("1950-02-01 10:30"),
        )
    ]
    values += [{"yes": True}, {"yes": False}]
    return [_row(number, **value) for number, value in enumerate(values)] + [_row(2**63 - 1), _row(-(2**63))]


def _read(engine: sa.Engine) -> list[dict[str, object]]:
    """As any other program would read it, through SQLAlchemy's types."""
    table = TARGET.metadata().tables["order"]
    with engine.connect() as connection:
        found = [dict(row) for row in connection.execute(sa.select(table)).mappings()]
    for row in found:
        row["amount"] = None if row["amount"] is None else Decimal(str(row["amount"]))
    return sorted(found, key=lambda row: int(str(row["id"])))


def _sorted(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return sorted(rows, key=lambda row: int(str(row["id"])))


def test_nasty_values_read_back_equal(engine: sa.Engine) -> None:
    """Empty text and null are two things; a decimal keeps its trailing zeros."""
    rows = _rows()
    with engine.begin() as connection:
        writer_for(engine.dialect.name)(connection, TARGET.metadata().tables["order"], _frame(rows))
    found = _read(engine)
    assert found == _sorted(rows)
    assert [str(row["amount"]) for row in found] == [str(row["amount"]) for row in _sorted(rows)]


def test_the_general_writer_writes_the_same(postgres_url: str) -> None:
    """On SQLite exact decimals are the business of its own writer; elsewhere the driver knows them."""
    engine = open_database(postgres_url)
    TARGET.metadata().create_all(engine)
    table = TARGET.metadata().tables["order"]
    with engine.begin() as connection:
        inserted_rows(connection, table, _frame(_rows()))
    assert _read(engine) == _sorted(_rows())
    engine.dispose()


TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "some text": st.none() | TEXTS | st.sampled_from(NASTY[:-1]),
            "amount": st.none() | st.decimals(-999_999_999, 999_999_999, places=3),
            "day": st.none() | st.dates(dt.date(1, 1, 1)),
            "moment": st.none() | st.datetimes(FIRST),
            "yes": st.none() | st.booleans(),
        }
    ),
    max_size=6,
)


@given(records=RECORDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_values_read_back_equal(engine: sa.Engine, records: list[dict[str, object]]) -> None:
    rows = [_row(number, **record) for number, record in enumerate(records)]
    table = TARGET.metadata().tables["order"]
    with engine.begin() as connection:
        connection.execute(table.delete())
        writer_for(engine.dialect.name)(connection, table, _frame(rows))
    assert _read(engine) == rows


def test_a_transaction_that_fails_leaves_no_row(engine: sa.Engine) -> None:
    table = TARGET.metadata().tables["order"]
    with engine.connect() as connection, connection.begin() as transaction:
        writer_for(engine.dialect.name)(connection, table, _frame(_rows()))
        transaction.rollback()
    assert _read(engine) == []


def test_no_rows_are_no_trouble_and_many_go_by_key(engine: sa.Engine) -> None:
    table, write = TARGET.metadata().tables["order"], writer_for(engine.dialect.name)
    with engine.begin() as connection:
        write(connection, table, _frame([]))
        write(connection, table, _frame([_row(number) for number in range(60_001)]))
        delete_rows(connection, table, pl.DataFrame({"id": range(1, 60_001)}))
    assert [row["id"] for row in _read(engine)] == [0]


def test_copy_text_of_each_kind() -> None:
    """The format of PostgreSQL's manual, byte by byte."""
    moment = dt.datetime.fromisoformat("0001-02-03 04:05:06.000007")
    frame = _frame([_row(1, **{"some text": "a\tb\\N\n", "select": "", "amount": Decimal("1.500"), "yes": True,
                               "day": dt.date(1, 2, 3), "moment": moment})])  # fmt: skip
    line = b"1\ta\\tb\\\\N\\n\t\t\\N\t\\N\t1.500\t0001-02-03\t0001-02-03 04:05:06.000007\ttrue\n"
    assert copy_text(frame) == line
    assert WRITERS.keys() == {"postgresql", "sqlite"}


def _frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame({name: [row[name] for row in rows] for name in SCHEMA}, schema=SCHEMA)
