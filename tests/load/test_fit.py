"""The target's real columns against the values, before the first row: what does not fit is counted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from casebridge import load, transform
from casebridge.project.database import open_database
from casebridge.project.errors import SpecError, TargetError
from tests.staged import PAYMENTS, PERSONS, TARGET, extracted, job_of, lay_out

WIDER = TARGET.replace('born = { type = "date" }', 'born = { type = "timestamp" }')


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    on_sqlite = request.param == "sqlite"
    return f"sqlite:///{tmp_path / 'target.db'}" if on_sqlite else str(request.getfixturevalue("postgres_url"))


def _ask(url: str, *statements: str) -> None:
    engine = open_database(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def _rows_in(url: str, table: str) -> int:
    engine = open_database(url)
    with engine.connect() as connection:
        rows = connection.scalar(sa.text(f"SELECT count(*) FROM {table}"))  # noqa: S608
    engine.dispose()
    return int(rows or 0)


def _told(folder: Path, url: str, target: str = TARGET, born: str = "01/02/1990", amount: str = "12345.50") -> str:
    """What the load says of three people and two payments; empty when it took them."""
    project = lay_out(
        folder / "project", {"persons": PERSONS, "payments": PAYMENTS}, target=target, target_url=url
    )
    people = [
        {"NO": "1", "NAME": "Ng", "DOB": born, "REF": "a"},
        {"NO": "2", "NAME": "Okonkwo", "DOB": "01/02/1990", "REF": "b"},
        {"NO": "3", "NAME": "Żółć", "DOB": None, "REF": None},
    ]
    paid = [
        {"PAY_NO": "91", "NO": "1", "PAYEE": None, "AMOUNT": amount},
        {"PAY_NO": "92", "NO": "2", "PAYEE": None, "AMOUNT": "1.05"},
    ]
    with job_of(project) as job:
        extracted(job, "PERSON", people)
        extracted(job, "PAYMENT", paid)
        transform.run(job)
        try:
            load.run(job)
        except TargetError as error:
            told = str(error)
        else:
            told = ""
    assert "Okonkwo" not in told
    return told


def _persons(**types: str) -> str:
    kinds = {"last_name": "VARCHAR(10)", "born": "DATE", "reference": "VARCHAR(20)", "more": "TEXT", **types}
    return (
        "CREATE TABLE persons (person_id BIGINT PRIMARY KEY, legacy_id VARCHAR(40), restricted CHAR(1), "
        "mother_id BIGINT, " + ", ".join(f"{name} {kind}" for name, kind in kinds.items()) + ")"
    )


def _payments(amount: str) -> str:
    return (
        "CREATE TABLE payments (payment_id BIGINT PRIMARY KEY, person_id BIGINT NOT NULL, payee_id BIGINT, "
        f"amount {amount})"
    )


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (_persons(last_name="VARCHAR(5)"), "persons.last_name: 1 values longer than 5 (longest 7)"),
        (_persons(born="DATE NOT NULL"), "persons.born: 1 values missing where none may be"),
        (_persons(last_name="INTEGER"), "persons.last_name: 3 values for a column that is INTEGER"),
        (_persons(more="TEXT NOT NULL"), "persons.more: 3 values missing: target.toml does not know this column"),
        (_payments("NUMERIC(6, 2)"), "payments.amount: 1 values of more than 4 digits (longest 5)"),
        (_payments("NUMERIC(10, 1)"), "payments.amount: 1 values with more than 1 decimals (longest 2)"),
    ],
)
def test_what_does_not_fit_is_counted_and_nothing_is_written(
    table: str, said: str, tmp_path: Path, url: str
) -> None:
    _ask(url, table)
    assert said in _told(tmp_path, url)
    assert _rows_in(url, "persons") == _rows_in(url, "payments") == 0


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (
            (_payments("REAL"),),
            "payments.amount: 1 values of more than 6 digits, for a column that is REAL (longest 9)",
        ),
        (
            (_payments("MONEY"),),
            "payments.amount: 2 values for a column that is MONEY and keeps no value as it is wri",
        ),
        ((_persons(last_name="JSONB"),), "persons.last_name: 3 values for a column that is JSONB"),
        (
            (_persons(last_name="VARCHAR GENERATED ALWAYS AS (legacy_id) STORED"),),
            "the database works out by itself",
        ),
        ((_persons(born="TIMESTAMP(0)"),), "persons.born: 1 values with finer fractions of a second"),
        (
            (_persons().replace("persons", "theirs"), "CREATE VIEW persons AS SELECT * FROM theirs"),
            "persons is a view",
        ),
    ],
    ids=["real", "money", "json", "generated", "fraction", "view"],
)
def test_a_column_that_would_change_values_is_told_before_the_first_row(
    tables: tuple[str, ...], said: str, tmp_path: Path, postgres_url: str
) -> None:
    _ask(postgres_url, *tables)
    target, born = (WIDER, "01/02/1990 09:30:00.5") if "TIMESTAMP(0)" in tables[0] else (TARGET, "01/02/1990")
    assert said in _told(tmp_path, postgres_url, target, born, amount="1234567.25")


def test_binary_numbers_that_keep_all_digits_take_them(tmp_path: Path, postgres_url: str) -> None:
    _ask(postgres_url, _payments("DOUBLE PRECISION"))
    assert _told(tmp_path, postgres_url) == ""


def test_a_column_that_the_database_fills_by_itself_is_not_missed(tmp_path: Path, postgres_url: str) -> None:
    """A number of its own, or a value that it works out."""
    twice = "twice BIGINT NOT NULL GENERATED ALWAYS AS (1 + 1) STORED"
    _ask(postgres_url, _persons(more=f"INT GENERATED ALWAYS AS IDENTITY, {twice}"))
    assert _told(tmp_path, postgres_url) == ""
    assert _rows_in(postgres_url, "persons") == 3


def test_all_columns_that_do_not_fit_are_told_at_once(tmp_path: Path, url: str) -> None:
    _ask(url, _persons(last_name="VARCHAR(5)"), _payments("NUMERIC(5, 1)"))
    assert "3 columns cannot take" in _told(tmp_path, url)


def test_a_narrower_column_that_no_value_outgrows_takes_them(tmp_path: Path, url: str) -> None:
    _ask(url, _persons(last_name="VARCHAR(7)"), _payments("NUMERIC(7, 2)"))
    assert _told(tmp_path, url) == ""
    assert _rows_in(url, "persons") == 3


def test_a_column_with_a_default_of_its_own_may_be_unknown_to_us(tmp_path: Path, url: str) -> None:
    _ask(url, _persons(more="TEXT DEFAULT 'theirs' NOT NULL"))
    assert _told(tmp_path, url) == ""


def test_codes_that_must_exist_in_the_targets_own_list(tmp_path: Path, url: str) -> None:
    _ask(url, "CREATE TABLE their_list (code VARCHAR(20) PRIMARY KEY)", "INSERT INTO their_list VALUES ('a')")
    _ask(url, _persons(reference="VARCHAR(20) REFERENCES their_list (code)"))
    assert "persons.reference: 1 values that their_list does not have" in _told(tmp_path, url)
    _ask(url, "INSERT INTO their_list VALUES ('b')")
    assert _told(tmp_path, url) == ""


def test_a_date_column_takes_timestamps_only_at_midnight(tmp_path: Path, url: str) -> None:
    _ask(url, _persons(born="DATE"))
    assert _told(tmp_path, url, WIDER) == ""


def test_letters_that_the_targets_encoding_cannot_spell(tmp_path: Path, postgres_url: str) -> None:
    server = open_database(postgres_url)
    url = re.sub(r"/test_\w+\?", "/latin_one?", postgres_url)
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CREATE DATABASE latin_one ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        assert "persons.last_name: 1 values that latin1 cannot spell" in _told(tmp_path, url)
        connection.exec_driver_sql("DROP DATABASE latin_one WITH (FORCE)")
    server.dispose()


def test_names_that_differ_only_in_capitals_are_refused_where_they_are_one(tmp_path: Path, url: str) -> None:
    """PostgreSQL has two columns then, SQLite would fail when the table is made."""
    target = TARGET.replace("last_name = {", 'Last_Name = { type = "varchar(10)" }\nlast_name = {')
    lay_out(tmp_path, {"persons": PERSONS, "payments": PAYMENTS}, target=target, target_url=url)
    with job_of(tmp_path) as job:
        if url.startswith("postgresql"):
            load.check_target(job)
            return
        with pytest.raises(SpecError, match=r"`Last_Name` and `last_name` differ only in capitals"):
            load.check_target(job)
