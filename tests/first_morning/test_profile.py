"""`casebridge profile`: what it says of a dump, and that it shows nobody's value."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import os
import resource
import sqlite3
import stat
import warnings
import zipfile
from collections import Counter as Tally
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from casebridge.extract.packed import unpacking
from casebridge.extract.records import WINDOW
from casebridge.migrate.cli.main import cli
from casebridge.migrate.profiling import profile_dump
from casebridge.migrate.profiling.columns import ColumnTally
from casebridge.migrate.profiling.compare import compare
from casebridge.migrate.profiling.counting import Counter, room_of_each
from casebridge.migrate.profiling.discover import discover
from casebridge.migrate.profiling.page import profile_page
from casebridge.project.database import open_database
from casebridge.project.errors import CasebridgeError, SourceError

CANARY = "Zebedee"
PEOPLE = 300


def _write(path: Path, header: list[str], rows: list[list[object]], encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows([header, *rows])


def _town(dump: Path) -> Path:
    """People, their visits, and what the visits were; one person's values are nobody else's."""
    people: list[list[object]] = [
        [
            f"P{n:06}",
            f"Name{n % 7}",
            f"{1 + n % 28:02}/{1 + n % 12:02}/{1950 + n % 40}",
            "F" if n % 2 else "M",
            "X",
        ]
        for n in range(PEOPLE)
    ]
    people[5] = ["P000005", CANARY, "31/12/1899", CANARY[:1], f" {CANARY}@example.org"]
    visits: list[list[object]] = [
        [n, f"P{n % 100:06}", f"V{n % 3}", f"{n % 50}.50", "31/12/9999" if n % 4 else "2024-05-06", 200000 + n % 9]
        for n in range(1000)
    ]
    visits[3][1] = "P999999"
    visits[4][2] = CANARY
    _write(dump / "PERSON.csv", ["PERSON_ID", "SURNAME", "DOB", "SEX", "MAIL"], people, "cp1252")
    _write(dump / "VISIT.csv", ["VISIT_NO", "PERSON_ID", "KIND", "COST", "ENDED", "SEEN_BY"], visits)
    return dump


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return profile_dump(_town(tmp_path_factory.mktemp("town"))).facts()


def _column(facts: dict[str, Any], table: str, name: str) -> dict[str, Any]:
    tables = {item["name"]: item for item in facts["tables"]}
    return next(column for column in tables[table]["columns"] if column["name"] == name)  # type: ignore[no-any-return]


def test_the_keys_of_tables_and_the_columns_that_hold_them_are_found_with_orphans(facts: dict[str, Any]) -> None:
    assert [table["key"] for table in facts["tables"]] == [["PERSON_ID"], ["VISIT_NO"]]
    assert facts["references"] == [
        {"table": "VISIT", "column": "PERSON_ID", "to_table": "PERSON", "to_column": "PERSON_ID",
         "distinct": 101, "orphans": 1, "orphan_rows": 1, "alike": True, "declared": False}
    ]  # fmt: skip


def test_a_column_is_counted_by_hand(facts: dict[str, Any]) -> None:
    """Rows, empty ones, different ones, lengths, kinds, years, placeholders."""
    ended = _column(facts, "VISIT", "ENDED")
    assert (ended["rows"], ended["nulls"], ended["distinct"], ended["kind"]) == (1000, 0, 2, "date")
    assert ended["placeholders"] == {"31/12/9999": 750}
    assert ended["years"] == {"least": 2024, "greatest": 9999, "rows": {"2024": 250, "9999": 750}}
    assert _column(facts, "PERSON", "DOB")["years"]["least"] == 1899
    assert "1899" not in _column(facts, "PERSON", "DOB")["years"]["rows"]
    assert _column(facts, "PERSON", "DOB")["dates"]["order"] == "dmy"
    assert _column(facts, "VISIT", "COST")["kind"] == "decimal"
    assert _column(facts, "PERSON", "MAIL")["padded"] == 1
    assert _column(facts, "PERSON", "PERSON_ID")["patterns"] == [{"pattern": "A999999", "rows": PEOPLE}]
    surname = _column(facts, "PERSON", "SURNAME")
    assert surname["length"] == {"least": 5, "greatest": 7, "rows": [0, 0, 0, 0, 0, 299, 0, 1]}


@pytest.mark.parametrize(
    ("days", "kind", "years"),
    [
        (["3 September 1983", "12 May 2001"], "date", (1983, 2001)),
        (["3 o Fai 1983", "1af Ionawr 1984"], "date", (1983, 1984)),
        (["5. März 1983", "12-AOÛT-1999"], "date", (1983, 1999)),
        (["July 4, 1976", "Dezember 24, 1980"], "date", (1976, 1980)),
        (["03-Jan-84 10:30", "04-Feb-85 00:00"], "date", (1984, 1985)),
        (["12 Elm 1983", "14 Oak 1990"], "text", None),
        (["21Abc30", "22Jan31"], "text", None),
        (["001,002,003", "004,005"], "text", None),
        (["30.0.00", "29.13.14"], "text", None),
        (["1,002,003", "4,005"], "decimal", None),
    ],
)  # fmt: skip
def test_a_month_is_known_by_its_name_and_a_list_of_figures_is_no_number(
    tmp_path: Path, days: list[str], kind: str, years: tuple[int, int] | None
) -> None:
    """As specs read them: what the draft calls a date, a run takes."""
    _write(tmp_path / "dump" / "A.csv", ["NO", "IT"], [[n, days[n % 2]] for n in range(40)])
    facts = profile_dump(tmp_path / "dump").facts()
    it = _column(facts, "A", "IT")
    assert (it["kind"], it["kinds"]) == (kind, {kind: 40})
    assert it["years"] == (
        years and {"least": years[0], "greatest": years[1], "rows": dict.fromkeys(map(str, years), 20)}
    )
    if years:
        assert it["dates"] == {
            "order": "dmony",
            "short_years": 40 * ("-84" in days[0]),
            "clocks": 20 * ("-84" in days[0]),
        }


def test_days_of_zeros_with_short_years_are_days_to_be_asked_about(tmp_path: Path) -> None:
    days = ["00/00/50", "31/12/49", "12/31/48", "1.1.47 10:30"]
    _write(tmp_path / "dump" / "A.csv", ["NO", "IT"], [[n, days[n % 4]] for n in range(40)])
    assert _column(profile_dump(tmp_path / "dump").facts(), "A", "IT")["kinds"] == {"date": 40}


def test_values_are_counted_in_little_memory_as_in_much(tmp_path: Path) -> None:
    """What there is no room for lies in files until all is counted, in runs."""
    drawn = np.random.default_rng(16)
    numbers = drawn.integers(0, 1 << 64, 5_000, np.uint64, endpoint=False)
    seen = drawn.choice(numbers, 60_000)
    little, much = Counter(tmp_path, "little", 100), Counter(tmp_path, "much")
    for first in range(0, seen.size, 999):
        piece, times = np.unique(seen[first : first + 999], return_counts=True)
        for counter in (little, much):
            counter.take(pl.Series(piece), pl.Series(times))
    values, counts = np.unique(seen, return_counts=True)
    for found, times in (little.result(), much.result()):
        assert np.array_equal(found, values)
        assert np.array_equal(times, counts)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "little-all-hash", "little-all-n", "much-all-hash", "much-all-n",
    ]  # fmt: skip
    assert room_of_each(2) == 64 * room_of_each(1_024)


def test_codes_are_shown_where_ten_rows_share_them_and_nowhere_else(facts: dict[str, Any]) -> None:
    kinds = _column(facts, "VISIT", "KIND")["codes"]
    assert kinds == [{"code": "V0", "rows": 334}, {"code": "V2", "rows": 333}, {"code": "V1", "rows": 332},
                     {"others": 1, "rows": 1}]  # fmt: skip
    # Names of people, keys, numbers of staff and addresses are no codes, however few there are.
    for table, column in (("PERSON", "SURNAME"), ("VISIT", "PERSON_ID"), ("VISIT", "SEEN_BY"), ("PERSON", "MAIL")):
        assert _column(facts, table, column)["codes"] is None, column


def test_nobodys_value_stands_on_the_page_or_in_the_json(tmp_path: Path) -> None:
    """A canary in a name, a code, an address; and no surname, though dozens share it."""
    dump, out = _town(tmp_path / "dump"), tmp_path / "out"
    done = CliRunner().invoke(cli, ["profile", str(dump), "--out", str(out)])
    assert done.exit_code == 0, done.output
    for path in (out / "profile.json", out / "profile.html"):
        text = path.read_text(encoding="utf-8")
        assert CANARY not in text
        assert "Name3" not in text
        assert "P000005" not in text
        assert "200003" not in text
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "http" not in (out / "profile.html").read_text(encoding="utf-8")


def test_two_profiles_say_what_changed(tmp_path: Path) -> None:
    dump, out = _town(tmp_path / "dump"), tmp_path / "out"
    run = CliRunner()
    _write(dump / "ODD.csv", ["O[id]", "A"], [[n, "x"] for n in range(5)])
    first = run.invoke(cli, ["profile", str(dump), "--out", str(out)])
    assert (first.exit_code, "O[id]" in first.stdout) == (0, True), first.output
    visits = (dump / "VISIT.csv").read_text(encoding="utf-8").replace("V1", "V7")
    (dump / "VISIT.csv").write_text(visits + "1000,P000001,V7,1.50,2031-01-01,200001\n", encoding="utf-8")
    (dump / "PERSON.csv").unlink()
    _write(dump / "NEW.csv", ["ID", "A"], [[n, "x"] for n in range(20)])
    old = (out / "profile.json").rename(tmp_path / "old.json")
    done = run.invoke(cli, ["profile", str(dump), "--out", str(out), "--against", str(old), "--json"])
    told = [(line["table"], line["column"], line["what"]) for line in json.loads(done.stdout)["changes"]]
    assert ("PERSON", "", "the table is gone") in told
    assert ("NEW", "", "a new table") in told
    assert ("VISIT", "", "rows") in told
    assert ("VISIT", "KIND", "a code that was not shown before: V7") in told
    assert ("VISIT", "KIND", "a code that is not shown any more: V1") in told
    assert not any(column == "COST" for _, column, _ in told)
    for day, values in (("one", "MF"), ("two", "ABCDEFGHIJ")):
        _write(tmp_path / day / "P.csv", ["NO", "SEX"], [[n, values[n % len(values)]] for n in range(30)])
    then, now = (profile_dump(tmp_path / day).facts() for day in ("one", "two"))
    assert compare(then, now) == [
        {"table": "P", "column": "SEX", "what": "no codes any more: different values", "then": "2", "now": "10"}
    ]


_FIXED = b"".join(f"{n:06}{'Name' * (1 + n % 3):14}19{50 + n}-01-10LSA{n}A   \r\n".encode() for n in range(10))


def _zip_with(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            packed.writestr(name, "ID,A\n1,x\n")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("A.csv", b"", "is empty"),
        ("A.csv", b"1,Smith,04/05/1950\n2,Jones,05/06/1951\n", "has no header"),
        ("A.csv", b"Ann,Lee\nAnn,Smith\nBob,Lee\n", "looks like a record"),
        ("A.csv", b"Ann,Lee,Leeds\nBob,May,York\n", "it holds names"),
        ("A.csv", b"ID,ID\n1,2\n", "names a column twice"),
        ("A.csv", b"PK\x03\x04aaaa", "zip archive"),
        ("A.txt", b"She said that he was not at home.\nI rang again.\n", "has no columns"),
        ("A.txt", _FIXED, "38 characters, and columns seem to begin at 1, 7, 21, 31"),
        (
            "A.csv",
            b"NOM,NAM,NAM\n" + b"".join(b"%02dA,ann,b%02d\n" % (n, n) for n in range(40)),
            "names a column twice",
        ),
        ("A.dat", b"".join(b"%06d%04d\n" % (n, n) for n in range(9)), "has no header"),
        ("A.zip", _zip_with("P.csv", "P.csv"), "has several members of one name"),
        ("A.zip", _zip_with("../P.csv"), "has a member whose name leads out of it"),
        ("A.mdb", b"x", "is not read as a table"),
    ],
)
def test_a_file_that_is_no_table_is_named_with_its_reason(
    tmp_path: Path, name: str, data: bytes, why: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=why):
        profile_dump(tmp_path)
    _write(tmp_path / "GOOD.csv", ["ID", "A"], [[1, "x"]])
    good = profile_dump(tmp_path).facts()
    assert [table["name"] for table in good["tables"]] == ["GOOD"]
    assert why in good["unread"][0]["why"]


def test_odd_tables_are_profiled(tmp_path: Path) -> None:
    """No rows, no key, names with blanks, semicolons, numbered files of one table, a key of two columns."""
    (tmp_path / "none.csv").write_bytes(b"ID,A\n")
    (tmp_path / "order details.csv").write_bytes(b"select;unit price;group\n1;2.50;x\n1;2.50;x\n")
    _write(tmp_path / "unit.csv", ["UNIT_ID", "NAME"], [[number or "", "x"] for number in range(30)])
    for number in (1, 2):
        rows: list[list[object]] = [[n, number, "x"] for n in range(30)]
        _write(tmp_path / f"LINES_{number}.csv", ["ORDER_ID", "LINE", "TEXT"], rows)
    facts = profile_dump(tmp_path).facts()
    tables = {table["name"]: table for table in facts["tables"]}
    assert list(tables) == ["LINES", "none", "order_details", "unit"]
    look, *rest = profile_page(facts).partition('<h2 id="tables">')[0].split('<h2 id="empty">Tables without rows')
    assert "1 row without a UNIT_ID, which is its key" in look
    assert ('href="#none"' in look, 'href="#none"' in rest[0]) == (False, True)
    assert (tables["LINES"]["rows"], len(tables["LINES"]["files"])) == (60, 2)
    assert tables["none"]["columns"][0]["kind"] == "empty"
    assert tables["order_details"]["delimiter"] == ";"
    assert tables["order_details"]["key"] == []
    assert [column["name"] for column in tables["order_details"]["columns"]] == ["select", "unit price", "group"]


def test_a_database_is_profiled_with_the_keys_that_it_declares(tmp_path: Path) -> None:
    """By its URL: a declared key and reference hold, whatever they are called; NULL is none, a view is read.
    A view that fails, or a row that is no text, costs nothing else."""
    path = tmp_path / "old.db"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.executescript(
            "CREATE TABLE boss (a INTEGER PRIMARY KEY, b TEXT, c INTEGER REFERENCES boss);"
            "INSERT INTO boss VALUES (1, 'x', NULL), (2, '', 1), (3, NULL, 9);"
            "CREATE TABLE [order lines] (boss INTEGER, line INTEGER, [group] REAL, PRIMARY KEY (boss, line));"
            "INSERT INTO [order lines] VALUES (1, 1, 0.1), (1, 2, 2.5);"
            "CREATE VIEW bosses AS SELECT b FROM boss;"
            "CREATE VIEW broken AS SELECT gone FROM boss;"
            "CREATE VIRTUAL TABLE sought USING fts5(word);"
            "INSERT INTO sought VALUES ('x');"
            "CREATE TABLE spoilt (no INTEGER PRIMARY KEY, said TEXT);"
            "INSERT INTO spoilt VALUES (1, 'ok'), (2, CAST(x'52656ee9' AS TEXT));"
        )
    facts = profile_dump(f"sqlite:///{path}").facts()
    assert [(t["name"], t["rows"], t["key"]) for t in facts["tables"]] == [
        ("boss", 3, ["a"]), ("bosses", 3, []), ("order_lines", 2, ["boss", "line"]), ("sought", 1, ["word"]),
        ("spoilt", 1, ["no"]),
    ]  # fmt: skip
    assert facts["tables"][-1]["unreadable"] == 1
    assert facts["unread"][0] == {"file": "broken", "why": "no such column: gone"}
    assert {item["why"] for item in facts["unread"][1:]} == {"its rows are those of sought"}
    (found,) = facts["references"]
    assert (found["table"], found["column"], found["to_table"], found["orphan_rows"]) == ("boss", "c", "boss", 1)
    assert _column(facts, "boss", "b")["nulls"] == 2
    done = CliRunner().invoke(cli, ["profile", f"sqlite:///{path}", "--out", str(tmp_path / "look")])
    assert "spoilt: 1 line that cannot be read as a record" in done.stderr
    assert _column(facts, "order_lines", "group")["decimals"] == 1


def test_a_table_that_cannot_be_read_costs_no_other(postgres_url: str) -> None:
    """PostgreSQL answers nothing more after an error, unless it is asked to forget it."""
    engine = open_database(postgres_url)
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE a (no int PRIMARY KEY)", "INSERT INTO a VALUES (0), (1)",
            "CREATE VIEW b AS SELECT 1 / no AS x FROM a", "CREATE MATERIALIZED VIEW c AS TABLE a WITH NO DATA",
            "CREATE TABLE d (no int PRIMARY KEY)",
        ):  # fmt: skip
            connection.exec_driver_sql(statement)
    engine.dispose()
    facts = profile_dump(postgres_url).facts()
    assert [table["name"] for table in facts["tables"]] == ["a", "d"]
    assert facts["unread"] == [
        {"file": "b", "why": "division by zero (SQLSTATE 22012)"},
        {"file": "c", "why": 'materialized view "c" has not been populated'},
    ]


def test_a_view_is_read_though_the_login_may_not_see_how_it_is_made(mariadb_url: str) -> None:
    """Nor does a limit on the time of the login's statements end a long table."""
    engine = open_database(mariadb_url)
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE care (id int PRIMARY KEY, name varchar(9))",
            "INSERT INTO care VALUES (1, 'a'), (2, 'b')",
            "CREATE VIEW cared AS SELECT id, name, SLEEP(0.03) AS nap FROM care",
            "CREATE VIEW gone AS SELECT id FROM care",
            "CREATE OR REPLACE USER looker@localhost WITH MAX_STATEMENT_TIME 0.01",
            f"GRANT SELECT ON {engine.url.database}.* TO looker@localhost",
            "CREATE TABLE other (id int)",
            "CREATE OR REPLACE VIEW gone AS SELECT * FROM other",
            "DROP TABLE other",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    profile = profile_dump(mariadb_url.replace("root@", "looker@"))
    assert [(table.name, table.rows, table.view) for table in profile.tables] == [
        ("care", 2, False), ("cared", 2, True)
    ]  # fmt: skip
    assert [item.file for item in profile.unread] == ["gone"]
    assert "SHOW VIEW" not in profile.unread[0].why


def test_a_full_disk_is_told_as_one(tmp_path: Path) -> None:
    """What numpy writes by itself says nothing of why it could not."""
    _write(tmp_path / "dump/MANY.csv", ["NO"], [[n] for n in range(5000)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
            profile_dump(tmp_path / "dump")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sqlite:///nowhere.db", "no such file"),
        ("sqlite:///empty.db", "has no tables"),
        ("oracel://x/y", "no driver"),
    ],
)
def test_a_database_that_cannot_be_read_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    sqlite3.connect("empty.db").close()
    with pytest.raises(CasebridgeError, match=why):
        profile_dump(url)


def test_pieces_with_few_rows_are_counted_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each count of a column takes time, however few its rows: a file of 1,500 columns took four minutes."""
    rows, columns = 6000, 250
    header = ["LINE_NO", *(f"C{place}" for place in range(columns))]
    values = [[n, *(f"{n % 100:02}/{place}{'x' * (n % 9)}" for place in range(columns))] for n in range(rows)]
    _write(tmp_path / "dump" / "WIDE.csv", header, list(map(list, values)))
    assert (tmp_path / "dump" / "WIDE.csv").stat().st_size > 2 * WINDOW
    taken: Tally[str] = Tally()
    take = ColumnTally.take

    def counted(tally: ColumnTally, raw: pl.Series) -> None:
        taken[tally.name] += 1
        take(tally, raw)

    monkeypatch.setattr(ColumnTally, "take", counted)
    facts = profile_dump(tmp_path / "dump").facts()
    assert taken == dict.fromkeys(header, 1)
    found = _column(facts, "WIDE", "C7")
    assert (found["rows"], found["distinct"], found["length"]["greatest"]) == (rows, 900, 12)
    assert found["patterns"][0] == {"pattern": "99/9", "rows": 667}
    assert _column(facts, "WIDE", "LINE_NO")["distinct"] == rows


def test_a_member_of_a_zip_that_is_no_table_costs_no_other(tmp_path: Path) -> None:
    """Neither one that cannot be unpacked, nor one that is none (a Macintosh puts such beside each file)."""
    table = "no,word\n1,x\n2,y\n"
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("__MACOSX/._a.csv", b"\0\5\x16\7")
        packed.writestr("a.csv", table)
        packed.writestr("b.csv", table)
        place = packed.getinfo("a.csv").header_offset
    data = bytearray((tmp_path / "all.zip").read_bytes())
    data[place + 30 + len("a.csv")] ^= 0xFF
    (tmp_path / "all.zip").write_bytes(data)
    with unpacking(None) as packed_files:
        tables, unread = discover(tmp_path, packed_files)
    assert [table.read.file for table in tables] == ["all.zip/b.csv"]
    assert sum("in folders" in item.file for item in unread) == 2
