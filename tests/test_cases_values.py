"""Values, conditions and queries that once went wrong, each with its neighbours and the right answer."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from casebridge.project.blanks import BLANKS, bare, bare_text
from casebridge.reconciliation.reading import raw_text
from tests.cases_run import CASES, case, command

# Blank means blank


def test_blanks_of_any_kind_make_no_second_record_and_fill_no_column(tmp_path: Path) -> None:
    ran = command(case("invisible-characters", tmp_path), "run")
    assert ran.code == 0, ran.said
    assert ran.rows("SELECT legacy, name, nhs FROM t") == [("1", "Ann", "9434765919")]
    assert ran.places() == {"extracted": 5, "loaded": 1, "rejected": 4}


@pytest.mark.parametrize(
    "blank", ["\u00a0", "\u200b", "\ufeff", "\u3000", "\t", "\u2060", "\u200e", "\x1f", "\u00ad"]
)
def test_a_blank_around_a_value_goes_and_inside_it_stays_and_is_counted(tmp_path: Path, blank: str) -> None:
    text = f"ID,NAME,NHS\n{blank}1{blank},{blank}Ann{blank}Lee{blank},{blank}\n"
    folder = case("invisible-characters", tmp_path, {"dump/SRC.csv": text})
    ran = command(folder, "run")
    assert ran.code == 0, ran.said
    assert ran.rows("SELECT legacy, name, nhs FROM t") == [("1", f"Ann{blank}Lee", None)]
    quarantine = [pl.read_parquet(path) for path in folder.glob("work/transform/t/*quarantine*")]
    rules = pl.concat(quarantine).select("verdict", "rule").rows() if quarantine else []
    assert rules == ([] if blank == "\t" else [("warned", "unusual_blank")])


def test_the_auditor_and_the_stages_mean_the_same_by_blank() -> None:
    """Written twice, on purpose; every character of Unicode is tried."""
    signs = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
    frame = pl.DataFrame({"t": [f"{sign}a{sign}" for sign in signs]})
    both = frame.select(bare(pl.col("t")).alias("ours"), raw_text.bare(pl.col("t")).alias("theirs"))
    assert both["ours"].to_list() == both["theirs"].to_list()
    assert {sign for sign in signs if raw_text.bare_text(sign) == ""} == set(BLANKS)
    assert bare_text("\u00a0 a \ufeff") == raw_text.bare_text("\u00a0 a \ufeff") == "a"


# Conditions

PEOPLE = (CASES / "constant-condition/tables/people.toml").read_text(encoding="utf-8")


def _with(when: str) -> str:
    return PEOPLE.replace('"TRUE"', f"'''{when}'''")


@pytest.mark.parametrize("when", ["TRUE", "1 = 1", "NOT FALSE", "'a' = 'a'", "source.ID IS NOT NULL"])
def test_a_condition_holds_for_every_row(tmp_path: Path, when: str) -> None:
    folder = case("constant-condition", tmp_path, {"tables/people.toml": _with(when)})
    assert command(folder, "check").code == 0
    ran = command(folder, "run")
    assert ran.places() == {"extracted": 3, "excluded": 3}, ran.said


def test_so_does_what_is_expected_and_where(tmp_path: Path) -> None:
    expect = PEOPLE.split("[[exclude]]", maxsplit=1)[0] + '[[check]]\nrule = "never"\nexpect = "FALSE"\n'
    ran = command(case("constant-condition", tmp_path / "a", {"tables/people.toml": expect}), "run")
    assert ran.places() == {"extracted": 3, "rejected": 3}
    where = PEOPLE.split("[[exclude]]", maxsplit=1)[0].replace('key = ["ID"]', 'key = ["ID"]\nwhere = "1 = 2"')
    ran = command(case("constant-condition", tmp_path / "b", {"tables/people.toml": where}), "run")
    assert ran.places() == {"extracted": 3, "held": 3}


@pytest.mark.parametrize(
    "when",
    [
        "COUNT(*) > 1", "MAX(ID) = ID", "FIRST(NAME) = NAME", "ROW_NUMBER() OVER (ORDER BY ID) > 1",
        "LAG(ID) OVER (ORDER BY ID) = '1'", "COUNT(DISTINCT NAME) > 1", "UNNEST(NAME) = 'Ann'",
        "QUANTILE_DISC(TRY_CAST(ID AS INTEGER), 0.5) > 1", "ID = '1' OR SUM(TRY_CAST(ID AS INTEGER)) > 3",
    ],
)  # fmt: skip
def test_what_looks_at_other_rows_is_refused_by_check(tmp_path: Path, when: str) -> None:
    said = command(case("constant-condition", tmp_path, {"tables/people.toml": _with(when)}), "check")
    assert said.code == 2
    assert "exclude[0].when: looks at more than its own row" in said.said


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


@pytest.mark.parametrize(
    ("when", "excluded"),
    [("name = 'Ann'", 1), ("source.name = 'Ann'", 1), ("converted.name = 'ANN'", 1), ("name = 'ANN'", 0),
     ("converted.name = 'Ann'", 0)],
)  # fmt: skip
def test_a_name_is_the_sources_and_both_can_be_reached(tmp_path: Path, when: str, excluded: int) -> None:
    files = {"tables/people.toml": HIDING.format(when=when), "dump/v.csv": "ID,name\n1,Ann\n2,Bob\n"}
    ran = command(case("constant-condition", tmp_path, files), "run")
    assert ran.places().get("excluded", 0) == excluded, ran.said
    assert ran.rows("SELECT name FROM people ORDER BY ref")[-1] == ("BOB",)


# Keys


def test_a_key_that_is_longer_than_its_column_is_told_before_load(tmp_path: Path) -> None:
    ran = command(case("legacy-key-longer-than-its-column", tmp_path), "run")
    assert ran.code == 0, ran.said
    assert ran.rows("SELECT ref, name FROM people") == [("b", "Bob")]
    assert ran.places() == {"extracted": 2, "loaded": 1, "rejected": 1}
    (quarantine,) = ran.folder.glob("work/transform/people/*quarantine*")
    assert pl.read_parquet(quarantine).select("column", "rule").rows() == [("ref", "max_length")]
