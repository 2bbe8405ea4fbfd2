"""Values, conditions and queries that once went wrong, each with its neighbours and the right answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from casebridge.project.blanks import BLANKS, bare, bare_text
from casebridge.project.contracts import CELL_FAULT
from casebridge.project.database import open_database
from casebridge.project.queries import open_duckdb, shut
from casebridge.reconciliation.reading import raw_text
from casebridge.transform.dates import parse_date
from casebridge.transform.numbers import decimal
from tests.cases_run import CASES, Ran, case, command

# Blank means blank


def test_blanks_of_any_kind_make_no_second_record_and_fill_no_column(tmp_path: Path) -> None:
    ran = command(case("invisible-characters", tmp_path), "run")
    assert ran.code == 0, ran.said
    assert ran.rows("SELECT legacy, name, nhs FROM t") == [("1", "Ann", "9434765919")]
    assert ran.places() == {"extracted": 5, "loaded": 1, "rejected": 4}


ODD = ["\u00a0", "\u200b", "\ufeff", "\u3000", "\t", "\u2060", "\u200e", "\x1f", "\u00ad"]


def test_a_blank_around_a_value_goes_and_inside_it_stays_and_is_counted(tmp_path: Path) -> None:
    lines = [f"{blank}{n}{blank},{blank}Ann{blank}Lee{blank},{blank}\n" for n, blank in enumerate(ODD)]
    folder = case("invisible-characters", tmp_path, {"dump/SRC.csv": "ID,NAME,NHS\n" + "".join(lines)})
    ran = command(folder, "run")
    assert ran.code == 0, ran.said
    stored = ran.rows("SELECT legacy, name, nhs FROM t ORDER BY legacy")
    assert stored == [(f"{n}", f"Ann{blank}Lee", None) for n, blank in enumerate(ODD)]
    quarantine = pl.concat([pl.read_parquet(path) for path in folder.glob("work/transform/t/*quarantine*")])
    counted = sorted(quarantine.select("_key", "verdict", "rule").rows())
    assert counted == [(f"{n}", "warned", "unusual_blank") for n, blank in enumerate(ODD) if blank != "\t"]


def test_the_auditor_and_the_stages_mean_the_same_by_blank() -> None:
    """Written twice, on purpose; every character of Unicode is tried."""
    signs = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
    signs.remove(CELL_FAULT)  # marks what is no value at all
    frame = pl.DataFrame({"t": [f"{sign}a{sign}" for sign in signs]})
    both = frame.select(bare(pl.col("t")).alias("ours"), raw_text.bare(pl.col("t")).alias("theirs"))
    assert both["ours"].to_list() == both["theirs"].to_list()
    assert {sign for sign in signs if raw_text.bare_text(sign) == ""} == set(BLANKS)
    assert bare_text("\u00a0 a \ufeff") == raw_text.bare_text("\u00a0 a \ufeff") == "a"


# Conditions

PEOPLE = (CASES / "constant-condition/tables/people.toml").read_text(encoding="utf-8")


def _with(when: str) -> str:
    return PEOPLE.replace('"TRUE"', f"'''{when}'''")


def _by_spec(folder: Path, specs: Sequence[str], files: Mapping[str, str] | None = None) -> list[dict[str, int]]:
    """Each of these specs for a table of its own, in one run: what became of the rows that each asked for."""
    made = case("constant-condition", folder, files)
    target = (made / "target.toml").read_text(encoding="utf-8")
    (made / "target.toml").write_text("".join(target.replace("[people", f"[people{n}") for n in range(len(specs))))
    (made / "tables/people.toml").unlink()
    for n, text in enumerate(specs):
        spec = text.replace('target = "people"', f'target = "people{n}"')
        (made / f"tables/people{n}.toml").write_text(spec, encoding="utf-8")
    assert command(made, "check").code == 0
    ran = command(made, "run")
    told = {line["spec"]: line for line in ran.report["specs"]}
    counts = [told[f"people{n}"] for n in range(len(specs))]
    return [{k: v for k, v in line.items() if isinstance(v, int) and v} for line in counts]


def test_a_condition_holds_for_every_row(tmp_path: Path) -> None:
    whens = ["TRUE", "1 = 1", "NOT FALSE", "'a' = 'a'", "source.ID IS NOT NULL"]
    expect = PEOPLE.split("[[exclude]]", maxsplit=1)[0] + '[[check]]\nrule = "never"\nexpect = "FALSE"\n'
    found = _by_spec(tmp_path, [*(_with(when) for when in whens), expect])
    assert found == [*[{"asked": 3, "excluded": 3}] * len(whens), {"asked": 3, "rejected": 3}]


def test_so_does_where(tmp_path: Path) -> None:
    where = PEOPLE.split("[[exclude]]", maxsplit=1)[0].replace('key = ["ID"]', 'key = ["ID"]\nwhere = "1 = 2"')
    ran = command(case("constant-condition", tmp_path / "b", {"tables/people.toml": where}), "run")
    assert ran.places() == {"extracted": 3, "held": 3}


BEYOND = [
    "COUNT(*) > 1", "MAX(ID) = ID", "FIRST(NAME) = NAME", "ROW_NUMBER() OVER (ORDER BY ID) > 1",
    "LAG(ID) OVER (ORDER BY ID) = '1'", "COUNT(DISTINCT NAME) > 1", "UNNEST(NAME) = 'Ann'",
    "QUANTILE_DISC(TRY_CAST(ID AS INTEGER), 0.5) > 1", "ID = '1' OR SUM(TRY_CAST(ID AS INTEGER)) > 3",
]  # fmt: skip


def test_what_looks_at_other_rows_is_refused_by_check(tmp_path: Path) -> None:
    head, rule = PEOPLE.split("[[exclude]]", maxsplit=1)
    rules = [f"[[exclude]]{rule}".replace('"TRUE"', f"'''{when}'''") for when in BEYOND]
    said = command(case("constant-condition", tmp_path, {"tables/people.toml": head + "".join(rules)}), "check")
    assert said.code == 2
    for number in range(len(BEYOND)):
        assert f"exclude[{number}].when: looks at more than its own row" in said.said


OF_ITS_DAY = [
    ("CURRENT_DATE > DATE '2024-01-01'", "it asks the clock: current_date"),
    ("ID = '1' AND now() > TIMESTAMP '2024-01-01 00:00:00'", "it asks the clock: now"),
]


def _told_of(folder: Path, whens: Sequence[str]) -> list[str]:
    """What `check` says of each of these conditions of which it says anything."""
    head, rule = PEOPLE.split("[[exclude]]", maxsplit=1)
    rules = [f"[[exclude]]{rule}".replace('"TRUE"', f"'''{when}'''") for when in whens]
    said = command(case("constant-condition", folder, {"tables/people.toml": head + "".join(rules)}), "check")
    assert said.code == 2
    return [line for line in said.said.splitlines() if ".when: " in line]


def test_what_changes_with_the_day_is_refused_by_check(tmp_path: Path) -> None:
    """The auditor asks it again, tomorrow. A word in a text is no clock."""
    lines = _told_of(tmp_path, [*(when for when, _ in OF_ITS_DAY), "NAME = 'now' OR NAME = 'current_date'"])
    assert [why in line for line, (_, why) in zip(lines, OF_ITS_DAY, strict=True)] == [True] * len(OF_ITS_DAY)


def test_a_condition_that_says_nothing_of_any_row_is_refused_by_check(tmp_path: Path) -> None:
    (line,) = _told_of(tmp_path, ["NULL", "NULL = ID"])
    assert "exclude[0].when: is not a thing that is true or false" in line


def test_words_of_aggregates_are_no_aggregates(tmp_path: Path) -> None:
    when = "NAME IN ('Len', 'Agg', 'Over') OR name IN ('Max', 'Bob')"
    ran = command(case("constant-condition", tmp_path, {"tables/people.toml": _with(when)}), "run")
    assert ran.places() == {"extracted": 3, "loaded": 2, "excluded": 1}, ran.said


HIDING = """
[table]
system = "old"
source = "v"
target = "people"
key = ["ID"]
[columns.name]
from = "name"
steps = ["upper"]
[[exclude]]
rule = "gone"
when = "{when}"
owner = "o"
"""


def test_a_name_is_the_sources_and_both_can_be_reached(tmp_path: Path) -> None:
    excluding = ["name = 'Ann'", "source.name = 'Ann'", "converted.name = 'ANN'"]
    others = ["name = 'ANN'", "converted.name = 'Ann'"]
    specs = [HIDING.format(when=when) for when in [*excluding, *others]]
    found = _by_spec(tmp_path, specs, {"dump/v.csv": "ID,name\n1,Ann\n2,Bob\n"})
    assert found == [*[{"asked": 2, "loaded": 1, "excluded": 1}] * 3, *[{"asked": 2, "loaded": 2}] * 2]


# Keys


def test_a_key_that_is_longer_than_its_column_is_told_before_load(tmp_path: Path) -> None:
    ran = command(case("legacy-key-longer-than-its-column", tmp_path), "run")
    assert ran.code == 0, ran.said
    assert ran.rows("SELECT ref, name FROM people") == [("b", "Bob")]
    assert ran.places() == {"extracted": 2, "loaded": 1, "rejected": 1}
    (quarantine,) = ran.folder.glob("work/transform/people/*quarantine*")
    assert pl.read_parquet(quarantine).select("column", "rule").rows() == [("ref", "max_length")]
    assert "people: the longest legacy key has 11 characters, and people.ref takes 5" in ran.said


# Numbers and dates as systems write them


def test_amounts_as_oracle_and_accounts_write_them(tmp_path: Path) -> None:
    ran = command(case("oracle-no-leading-zero", tmp_path), "run")
    assert ran.code == 0, ran.said
    amounts = ran.rows("SELECT amt FROM t ORDER BY legacy")
    assert amounts == [("0.50",), ("-0.50",), ("0.50",), ("0.50",), ("12.50",), ("12.00",), ("12.50",)]


def test_times_of_day_cost_no_day(tmp_path: Path) -> None:
    ran = command(case("timestamps", tmp_path), "run")
    assert ran.code == 0, ran.said
    assert ran.rows("SELECT DISTINCT day FROM t") == [("2024-01-05",)]
    times = [text[11:19] for (text,) in ran.rows("SELECT at FROM t ORDER BY legacy")]
    assert times == ["09:30:00", "09:30:00", "09:30:00", "14:30:00", "09:30:00", "00:00:00", "00:00:00"]
    assert ran.rows("SELECT at FROM t WHERE legacy = '2'")[0][0].startswith("2024-01-05 09:30:00.123")


def test_a_time_finer_than_a_microsecond_is_rounded_and_counted(tmp_path: Path) -> None:
    """And its whole text kept. SQL Server and Oracle keep seven and nine decimals."""
    texts = ["2024-01-05 09:30:00.1234567", "2024-01-05 09:30:00.123456000", "05-JAN-24 09.30.00.000000001"]
    dump = "ID,A\n" + "".join(f"{n},{text}\n" for n, text in enumerate(texts, 1))
    folder = case("timestamps", tmp_path, {"dump/SRC.csv": dump})
    ran = command(folder, "run")
    assert ran.code == 0, ran.said
    kept = pl.concat([pl.read_parquet(path) for path in folder.glob("work/transform/t/*quarantine*")])
    told = kept.filter(pl.col("rule") == "finer_time").select("_key", "verdict", "value").rows()
    assert set(told) == {("1", "warned", texts[0]), ("3", "warned", texts[2])}


def test_no_fraction_and_no_offset_takes_a_value_to_another_day(tmp_path: Path) -> None:
    """Half a microsecond before midnight is still that day; an offset that no clock has says nothing."""
    texts = {
        "2024-01-05T23:59:59.9999999": ("2024-01-05", "2024-01-05 23:59:59.999999"),
        "9999-12-31 23:59:59.9999999": ("9999-12-31", "9999-12-31 23:59:59.999999"),
        "2024-01-05T09:30:00+25:00": ("2024-01-05", None),
        "2024-01-05T09:30:00-03:99": ("2024-01-05", None),
        "2024-01-05T25:30:00Z": ("2024-01-05", None),
        "0001-01-01T00:00:00+01:00": ("0001-01-01", None),
        "2024-01-05T13:30:00+14:00": ("2024-01-04", "2024-01-04 23:30:00.000000"),
    }
    dump = "ID,A\n" + "".join(f"{n},{text}\n" for n, text in enumerate(texts, 1))
    ran = command(case("timestamps", tmp_path, {"dump/SRC.csv": dump}), "run")
    assert ran.code == 0, ran.said
    assert ran.rows("SELECT day, at FROM t ORDER BY id") == list(texts.values())
    days = raw_text.days(pl.Series(list(texts)), 26)
    assert days.cast(pl.String).to_list() == [day for day, _ in texts.values()]


def test_iso_and_oracle_values_are_read(tmp_path: Path) -> None:
    ran = command(case("iso-and-oracle-values-rejected", tmp_path), "run")
    assert ran.code == 0, ran.said
    rows = ran.rows("SELECT at, rate FROM v ORDER BY ref")
    assert [rate for _, rate in rows] == ["0.50", "1.00", "1.00", "1.00", "0.50", None]
    assert [at[:16] for at, _ in rows] == [
        "2022-07-20 08:13", "2022-07-20 07:13", "2022-07-20 07:13", *["2022-07-20 00:00"] * 3,
    ]  # fmt: skip


V = (CASES / "iso-and-oracle-values-rejected/tables/v.toml").read_text(encoding="utf-8")
SETTINGS = (CASES / "iso-and-oracle-values-rejected/casebridge.toml").read_text(encoding="utf-8")


def test_a_column_names_its_format_rounds_and_says_what_is_nothing(tmp_path: Path) -> None:
    spec = V.replace('from = "AT"', 'from = "AT"\nformat = "mm/dd/yyyy"\nrequired = false')
    spec = spec.replace('from = "RATE"', 'from = "RATE"\nround = "half_up"\nnull = ["-1", "n/a"]')
    target = (CASES / "iso-and-oracle-values-rejected/target.toml").read_text(encoding="utf-8")
    files = {
        "tables/v.toml": spec,
        "target.toml": target.replace("nullable = false", "nullable = true"),
        "dump/v.csv": "ID,AT,RATE\n1,01/13/2024 2:30 PM,12.505\n2,1/2/2024,-1\n3,12/31/2024,n/a\n4,,-0.005\n",
    }
    ran = command(case("iso-and-oracle-values-rejected", tmp_path, files), "run")
    assert ran.code == 0, ran.said
    rows = [(at and at[:16], rate) for at, rate in ran.rows("SELECT at, rate FROM v ORDER BY ref")]
    assert rows == [
        ("2024-01-13 14:30", "12.51"), ("2024-01-02 00:00", None), ("2024-12-31 00:00", None), (None, "-0.01"),
    ]  # fmt: skip


def test_an_offset_is_the_time_of_the_systems_own_zone(tmp_path: Path) -> None:
    files = {
        "casebridge.toml": SETTINGS + 'timezone = "Europe/Dublin"\n',
        "dump/v.csv": "ID,AT,RATE\n1,2022-07-20T23:13:55Z,1\n2,2022-12-20T23:13:55-01:00,1\n",
    }
    ran = command(case("iso-and-oracle-values-rejected", tmp_path / "a", files), "run")
    assert [at[:16] for (at,) in ran.rows("SELECT at FROM v ORDER BY ref")] == [
        "2022-07-21 00:13",
        "2022-12-21 00:13",
    ]
    wrong = {"casebridge.toml": SETTINGS + 'timezone = "Europe/Leeds"\n'}
    said = command(case("iso-and-oracle-values-rejected", tmp_path / "b", wrong), "check")
    assert said.code == 2
    assert "systems.old.timezone: no time zone" in said.said


NOT_READ = [
    ("05-01-24", "1", "ambiguous_date"), ("05/01/2024 25:00", "1", "time"), ("31/02/2024", "1", "date"),
    ("05/01/2024", "12,50", "ambiguous_number"), ("05/01/2024", "0,123", "ambiguous_number"),
    ("05/01/2024", "-00,500", "ambiguous_number"),
    ("05/01/2024", "1.505", "decimals"), ("05/01/2024", "x", "money"),
]  # fmt: skip


def test_what_is_not_read_says_why(tmp_path: Path) -> None:
    lines = [f'{n},{at},"{rate}"\n' for n, (at, rate, _) in enumerate(NOT_READ)]
    folder = case("iso-and-oracle-values-rejected", tmp_path, {"dump/v.csv": "ID,AT,RATE\n" + "".join(lines)})
    command(folder, "transform")
    command(folder, "run")
    (path,) = folder.glob("work/transform/v/*quarantine*")
    told = pl.read_parquet(path).sort("_key").select("_key", "rule").rows()
    assert told == [(f"{n}", rule) for n, (_, _, rule) in enumerate(NOT_READ)]


@pytest.mark.parametrize("text", ["dd/mm", "%d/%m", "dd/mm/yyyy/yyyy", "%Q/%d/%m/%Y", "day/mm/yyyy"])
def test_a_format_that_is_none_is_told_by_check(tmp_path: Path, text: str) -> None:
    spec = V.replace('from = "AT"', f'from = "AT"\nformat = "{text}"')
    said = command(case("iso-and-oracle-values-rejected", tmp_path, {"tables/v.toml": spec}), "check")
    assert said.code == 2
    assert "columns.at.format" in said.said


def test_a_bare_numeric_is_decided(tmp_path: Path) -> None:
    target = (CASES / "iso-and-oracle-values-rejected/target.toml").read_text(encoding="utf-8")
    files = {"target.toml": target.replace("numeric(5,2)", "numeric")}
    said = command(case("iso-and-oracle-values-rejected", tmp_path, files), "check")
    assert said.code == 2
    assert "a numeric needs its size" in said.said


_AMOUNTS = st.from_regex(
    r"[-+(]?[£ ]?[-+]?[0-9]{0,4}(,[0-9]{3})?\.?[0-9]{0,3}([eE][-+]?[0-9])?[-)]?", fullmatch=True
)


@given(texts=st.lists(_AMOUNTS, min_size=1, max_size=40), rounding=st.sampled_from([None, "half_up", "half_even"]))
@settings(max_examples=60)
def test_the_auditor_reads_the_same_amounts(texts: list[str], rounding: str | None) -> None:
    read = pl.Series("t", [bare_text(text) or None for text in texts], dtype=pl.String)
    ours = read.to_frame().select(decimal(pl.col("t"), pl.Decimal(18, 2), 2, rounding)).to_series()
    theirs = raw_text.minor_units(read, 2, rounding).to_list()
    assert [None if amount is None else int(amount * 100) for amount in ours] == theirs


_DAYS = st.one_of(
    st.from_regex(r"[0-3]?[0-9][-/.][0-1]?[0-9][-/.](19|20)?[0-9]{2}( [0-2]?[0-9]:[0-5][0-9])?", fullmatch=True),
    st.from_regex(r"(19|20)[0-9]{2}([-/.])[0-1][0-9][-/.][0-3][0-9]", fullmatch=True),
    st.from_regex(r"20[0-9]{2}-0[1-9]-[0-2][0-9][T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?"
                  r"(Z|[-+]0[0-9](:?[03]0)?)?", fullmatch=True),
    st.from_regex(r"[0-3]?[0-9](th)?[- ](Jan|FEB|march|Sept|DECEMBER)[- ]((19|20)[0-9]{2}|[0-9]{2})",
                  fullmatch=True),
    st.from_regex(r"(Jan|FEB|march)  ?[0-3]?[0-9](st|,)? 20[0-9]{2}(  9:30AM)?", fullmatch=True),
    st.from_regex(r"[0-3][0-9](JAN|Feb)20[0-9]{2}|20[0-9]{2}-0[1-9]-[0-2][0-9]-0[0-9]\.30\.00\.1", fullmatch=True),
    st.from_regex(r"([0-3][0-9]/0[1-9]/20[0-9]{2} |20[0-9]{2}-0[1-9]-[0-3][0-9]T)[0-2][0-9][0-5][0-9](00)?Z?",
                  fullmatch=True),
    st.from_regex(r"20[0-9]{2}-0[1-9]-[0-2][0-9]T23:30:00(Z|[-+]0[0-9]:00)\[[A-Z]{3}\]", fullmatch=True),
)  # fmt: skip


@given(texts=st.lists(_DAYS, min_size=1, max_size=40))
@settings(max_examples=40)
def test_the_auditor_reads_the_same_days(texts: list[str]) -> None:
    read = pl.Series("t", texts)
    ours = read.to_frame().select(parse_date(pl.col("t"), 26)).to_series().to_list()
    assert raw_text.days(read, 26).to_list() == ours


# Queries


def test_a_query_that_reads_a_file_is_refused_by_check(tmp_path: Path) -> None:
    said = command(case("query-reads-untracked-file", tmp_path), "check")
    assert said.code == 2
    assert "table.source: reads `read_csv()`" in said.said


ONE = (CASES / "plain-and-query-on-one-source/tables/persons.toml").read_text(encoding="utf-8")


def _asking(folder: Path, query: str, dump: str = "ID,NAME,TOWN\n1,Ann,Leeds\n2,Bob,York\n") -> Ran:
    spec = ONE.replace('"SELECT ID, NAME, _row FROM people"', f'"""{query}"""')
    files = {"tables/persons.toml": spec, "dump/people.csv": dump}
    return command(case("plain-and-query-on-one-source", folder, files), "check")


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("COPY (SELECT 1) TO 'out.csv'", "must be one SELECT"),
        ("ATTACH 'other.db'", "must be one SELECT"),
        ("SELECT *, _row FROM people; SELECT 1", "holds 2 statements"),
        ("SELECT ID, NAME, _row FROM people, read_text('casebridge.toml')", "reads `read_text()`"),
        ("SELECT p.* FROM people p, 'dump/people.csv' q", "reads `dump/people.csv`"),
        ("SELECT p.* FROM people p, (SELECT * FROM glob('*')) q", "reads `glob()`"),
        ("SELECT p.* FROM people p, duckdb_settings() q", "reads `duckdb_settings()`"),
        ("SELECT p.* FROM people p WHERE ID IN (SELECT x FROM information_schema.tables)", "information_schema"),
        ("SELECT p.* FROM people p, spec q", "reads `spec`"),
        ("SELECT FROM WHERE", "the query fails"),
    ],
)
def test_a_query_is_one_select_over_its_tables(tmp_path: Path, query: str, why: str) -> None:
    said = _asking(tmp_path, query)
    assert said.code == 2
    assert "tables/persons.toml: table.source" in said.said
    assert why in said.said
    assert not (tmp_path / "out.csv").exists()


def test_duckdb_itself_is_shut(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n", encoding="utf-8")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "view.parquet")
    with open_duckdb("1GB", tmp_path / "spill") as database:
        database.execute(f"CREATE VIEW v AS SELECT * FROM '{tmp_path}/view.parquet'")  # noqa: S608
        shut(database, [tmp_path / "view.parquet"])
        assert database.sql("SELECT a FROM v").fetchall() == [(1,)]
        secret = f"'{tmp_path}/secret.csv'"
        for query in (
            "SELECT * FROM read_csv(%s)", "SELECT * FROM %s", "ATTACH %s", "COPY (SELECT 1) TO %s",
            "INSTALL httpfs",
            "SET enable_external_access = true", "SET allowed_paths = ['/']", "SELECT * FROM tmp_path",
        ):  # fmt: skip
            with pytest.raises(duckdb.Error):
                database.execute(query.replace("%s", secret))
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["secret.csv", "view.parquet"]


def test_words_in_comments_account_for_no_column(tmp_path: Path) -> None:
    folder = case("word-in-query-comment-accounts-for-column", tmp_path)
    said = command(folder, "check")
    assert said.code != 0
    assert "ALLERGIES" in said.said
    assert "CODE" in said.said


@pytest.mark.parametrize(
    ("query", "unaccounted"),
    [
        ("SELECT ID, NAME, _row FROM people", []),
        ("SELECT * FROM people", ["DATE", "TEXT"]),
        ("SELECT ID, CAST(NAME AS DATE)::TEXT AS NAME, _row FROM people", ["DATE", "TEXT"]),
        ("SELECT ID, NAME, _row, 'DATE TEXT' AS X FROM people -- DATE, TEXT", ["DATE", "TEXT"]),
        ("SELECT ID, NAME || DATE AS NAME, _row FROM people", ["TEXT"]),
        ("SELECT ID, NAME, _row FROM people WHERE DATE > '1' ORDER BY TEXT", ["DATE", "TEXT"]),
        ("WITH a AS (SELECT *, coalesce(DATE, TEXT) AS B FROM people) SELECT ID, B AS NAME, _row FROM a",
         ["NAME"]),
        ("SELECT a.ID, a.NAME, a._row FROM people a JOIN people b ON a.DATE = b.TEXT", ["DATE", "TEXT"]),
        ("SELECT ID, (SELECT max(b.TEXT) FROM people b WHERE b.DATE = a.DATE) AS NAME, _row FROM people a",
         ["DATE", "NAME"]),
    ],
)  # fmt: skip
def test_a_column_is_accounted_for_when_it_reaches_a_mapped_output(
    tmp_path: Path, query: str, unaccounted: list[str]
) -> None:
    dump = "ID,NAME,DATE,TEXT,TOWN\n1,Ann,1,2,Leeds\n" if unaccounted else "ID,NAME,TOWN\n1,Ann,Leeds\n"
    said = _asking(tmp_path, query, dump)
    assert (said.code == 0) == (not unaccounted), said.said
    if unaccounted:
        listed = said.said.split("neither mapped nor dropped ", 1)[1].split(";")[0].split(". ")[0].split("\n")[0]
        assert sorted(re.findall(r"\b[A-Z]{4}\b", listed)) == unaccounted


def test_a_plain_spec_and_a_query_share_a_source(tmp_path: Path) -> None:
    folder = case("plain-and-query-on-one-source", tmp_path)
    assert command(folder, "check").code == 0
    ran = command(folder, "run")
    assert ran.code == 0, ran.said
    assert ran.rows("SELECT name FROM persons ORDER BY 1") == [("Ann",), ("Bob",)]
    assert ran.rows("SELECT town FROM towns ORDER BY 1") == [("Leeds",), ("York",)]


# PostgreSQL


def test_a_postgresql_that_is_not_utf8_gets_the_right_letters(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_database(postgres_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("CREATE DATABASE narrow ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'"))
    narrow = sa.make_url(postgres_url).set(database="narrow").render_as_string(hide_password=False)
    try:
        monkeypatch.setenv("CASES_TARGET_URL", narrow)
        ran = command(case("postgres-latin1-database", tmp_path), "run")
        assert ran.code == 0, ran.said
        target = open_database(narrow)
        with target.connect() as connection:
            names = connection.execute(sa.text("SELECT name, length(name) FROM t ORDER BY legacy")).all()
        target.dispose()
        assert [tuple(row) for row in names] == [("Renée", 5), ("Ann", 3)]
    finally:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("DROP DATABASE narrow WITH (FORCE)"))
        engine.dispose()


def test_a_column_with_a_time_zone_is_told_before_the_first_row(tmp_path: Path, postgres_url: str) -> None:
    engine = open_database(postgres_url)
    with engine.begin() as connection:
        columns = "id bigint PRIMARY KEY, ref varchar(3), at timestamptz NOT NULL, rate numeric(5,2)"
        connection.execute(sa.text(f"CREATE TABLE v ({columns})"))
    files = {"casebridge.toml": SETTINGS.replace("sqlite:///target.db", postgres_url)}
    ran = command(case("iso-and-oracle-values-rejected", tmp_path, files), "run")
    assert ran.code == 3
    assert "v.at: 6 values without a time zone, for a column that has one" in ran.said
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM v")) == 0
    engine.dispose()


def test_what_a_postgresql_shows_in_its_own_way_is_no_difference(tmp_path: Path, postgres_url: str) -> None:
    """CHAR is filled up with blanks, a date is kept with a time; and its numbering knows nothing of our ids."""
    engine = open_database(postgres_url)
    with engine.begin() as connection:
        columns = "id bigserial PRIMARY KEY, legacy char(9), day timestamp, at varchar(30)"
        connection.execute(sa.text(f"CREATE TABLE t ({columns})"))
    toml = (CASES / "timestamps/casebridge.toml").read_text(encoding="utf-8")
    target = (CASES / "timestamps/target.toml").read_text(encoding="utf-8")
    files = {
        "casebridge.toml": f'[target]\nurl = "{postgres_url}"\n{toml}',
        "target.toml": target.replace('type = "timestamp"', 'type = "text"').replace(
            'type = "text"', 'type = "char(9)"', 1
        ),
        "dump/SRC.csv": "ID,A\n1,05/01/2024\n2,06/01/2024\n",
    }
    folder = case("timestamps", tmp_path, files)
    ran = command(folder, "run")
    assert ran.code == 0, ran.said
    assert ran.places() == {"extracted": 2, "loaded": 2}
    assert "t.id: the target numbers new rows itself, and its next number is not above 2" in ran.said
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE t SET day = day + interval '1 hour' WHERE id = 1"))
    engine.dispose()
    assert "contents_equal" in command(folder, "reconcile").said


# Places without a street


POSTCODES = [
    ("GIR 0AA", "GIR 0AA"), ("gir0aa", "GIR 0AA"), ("ASCN1ZZ", "ASCN 1ZZ"), ("tdcu 1zz", "TDCU 1ZZ"),
    ("BFPO 57", "BFPO 57"), ("bfpo1234", "BFPO 1234"), ("BF1 3AA", "BF1 3AA"), ("zz993vz", "ZZ99 3VZ"),
    ("ASCN 2ZZ", None), ("BFPO", None), ("BFPO 12345", None), ("GIR 0AB", None), ("LS1 4AC", None),
]  # fmt: skip


def test_a_postcode_without_a_street_is_one(tmp_path: Path) -> None:
    dump = "ID,PC\n" + "".join(f"{n:02},{written}\n" for n, (written, _) in enumerate(POSTCODES))
    ran = command(case("postcodes-without-a-street", tmp_path, {"dump/SRC.csv": dump}), "run")
    assert ran.code == 0, ran.said
    assert [pc for (pc,) in ran.rows("SELECT pc FROM t ORDER BY id")] == [right for _, right in POSTCODES]


def test_the_columns_that_a_query_cannot_tell_apart_are_named(tmp_path: Path) -> None:
    checked = command(case("columns-that-differ-by-case", tmp_path), "check")
    assert checked.code == 2
    assert "a query cannot tell apart, for they differ in capitals only: Name and NAME" in checked.said
