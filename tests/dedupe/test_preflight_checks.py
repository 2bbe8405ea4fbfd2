"""The five ways to look for a merge blocker, each held against a table of rows and what they mean."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest

from casebridge.dedupe.review.merge_rules import Blocker, Check, Feed, Outcome
from casebridge.dedupe.review.preflight_checks import CHECKS, ID, PAIR, SYSTEM

PAIRS = pl.DataFrame(
    [("old:1", "old:2"), ("old:1", "old:3"), ("old:2", "old:3"), ("old:4", "old:5")], schema=PAIR, orient="row"
)
DAYS = ("since", "until")
Found = list[tuple[str, str, int, int]]


def _found(check: Check, *feeds: Sequence[tuple[object, ...]], columns: Sequence[str] = ()) -> Found:
    """The pairs for which a check is there, and how many rows each side has, of feeds of rows (ID, columns)."""
    names = [ID, *columns]
    facts = [
        pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row").with_columns(
            pl.lit("old").alias(SYSTEM), *(pl.col(name).str.to_date() for name in names if name in DAYS)
        )
        for rows in feeds
    ]
    named = (Feed("kin", ("one",)), Feed("kin", ("other",)))
    of = {name: name for name in (*DAYS, "column") if name in columns}
    blocker = Blocker("b", "words", check, named, Outcome.BEFORE_LOAD, "", **of)
    rows = CHECKS[check](PAIRS, facts, blocker).select(*PAIR, "left", "right").sort(PAIR)
    assert rows.schema["left"] == rows.schema["right"] == pl.Int64
    return rows.rows()


def test_on_source_is_there_where_either_has_a_row() -> None:
    rows = [("old:1",), ("old:1",)], [("old:1",), ("old:4",), ("new:2",)]
    assert _found(Check.ON_SOURCE, *rows) == [
        ("old:1", "old:2", 3, 0), ("old:1", "old:3", 3, 0), ("old:4", "old:5", 1, 0),
    ]  # fmt: skip
    assert _found(Check.ON_SOURCE, [("old:5",)]) == [("old:4", "old:5", 0, 1)]


def test_on_both_asks_each_of_the_two() -> None:
    rows = [("old:2",), ("old:2",)], [("old:1",), ("old:3",), ("old:4",)]
    assert _found(Check.ON_BOTH, *rows) == [
        ("old:1", "old:2", 1, 2), ("old:1", "old:3", 1, 1), ("old:2", "old:3", 2, 1),
    ]  # fmt: skip
    assert _found(Check.ON_BOTH, [("old:2",)]) == []


@pytest.mark.parametrize(
    ("one", "other", "there"),
    [
        (("2020-01-01", "2020-06-30"), ("2020-06-30", "2020-12-31"), True),  # one day
        (("2020-01-01", "2020-06-29"), ("2020-06-30", "2020-12-31"), False),
        (("2020-06-30", "2020-12-31"), ("2020-01-01", "2020-06-30"), True),  # the same the other way round
        (("2020-06-30", "2020-12-31"), ("2020-01-01", "2020-06-29"), False),
        (("2020-01-01", None), ("2031-01-01", "2031-01-02"), True),  # goes on
        ((None, "2020-01-01"), ("1931-01-01", "1931-01-02"), True),  # began before all
        ((None, "1930-01-01"), ("1931-01-01", "1931-01-02"), False),
        ((None, None), ("1931-01-01", "1931-01-02"), True),
        (("2020-06-30", "2020-06-30"), ("2020-06-30", "2020-06-30"), True),  # of one day
        (("2020-06-30", "2020-06-30"), ("2020-07-01", None), False),
        (("2020-06-30", "2020-06-29"), ("1931-01-01", "1931-01-02"), True),  # ends before it begins: not known
        (("2020-06-30", "2020-06-29"), ("2031-01-01", "2031-01-02"), True),
    ],
)
def test_overlap_counts_days_that_both_have(
    one: tuple[str | None, str | None], other: tuple[str | None, str | None], *, there: bool
) -> None:
    rows = [("old:1", *one), ("old:2", *other), ("old:4", *one), ("old:4", *other)]
    found = _found(Check.OVERLAP, rows, columns=("since", "until"))
    assert found == ([("old:1", "old:2", 1, 1)] if there else [])  # of two rows of one person nothing is said


def test_overlap_without_a_column_of_ends_goes_on_and_counts_all_rows() -> None:
    rows = [("old:1", "2031-01-01"), ("old:1", "2020-01-01")], [("old:2", "2020-01-01")]
    assert _found(Check.OVERLAP, *rows, columns=("since",)) == [("old:1", "old:2", 2, 1)]


def test_between_finds_a_row_that_names_both_whoever_stands_first() -> None:
    rows = [("old:2", "1"), ("old:1", "2"), ("old:1", "3"), ("old:4", "4"), ("old:9", "1"), ("old:3", None)]
    assert _found(Check.BETWEEN, rows, columns=("other",)) == [
        ("old:1", "old:2", 2, 2), ("old:1", "old:3", 1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "there"),
    [
        (("A",), ("B",), True),
        (("A",), ("A",), False),
        (("A", "B"), ("B", "A", "A"), False),  # the same ones, however often and in whatever order
        (("A", "B"), ("A",), True),
        (("A",), (), False),  # nothing that could differ
        (("A", None), ("A",), False),
        (("A",), (None,), True),
        (("A\nB",), ("A", "B"), True),
    ],
)
def test_differ_compares_the_values_of_each(
    one: Sequence[str | None], other: Sequence[str | None], *, there: bool
) -> None:
    rows = [("old:1", value) for value in one], [("old:2", value) for value in other]
    found = _found(Check.DIFFER, *rows, columns=("column",))
    assert found == ([("old:1", "old:2", len(one), len(other))] if there else [])


def test_tables_whose_columns_are_of_other_types_are_looked_at_together() -> None:
    """A day in the one, a moment in the other; a number in the one, the same as text in the other."""
    days = pl.DataFrame({ID: ["old:1"], SYSTEM: ["old"], "since": ["2031-01-01"], "column": [7]})
    moments = pl.DataFrame({ID: ["old:2"], SYSTEM: ["old"], "since": ["2031-01-01"], "column": ["8"]})
    facts = [
        days.with_columns(pl.col("since").str.to_date()),
        moments.with_columns(pl.col("since").str.to_datetime()),
    ]
    feeds = (Feed("a", ("one",)), Feed("b", ("one",)))
    overlap = Blocker("b", "words", Check.OVERLAP, feeds, Outcome.BEFORE_LOAD, since="since")
    differ = Blocker("b", "words", Check.DIFFER, feeds, Outcome.BEFORE_LOAD, column="column")
    for blocker in (overlap, differ):
        assert CHECKS[blocker.check](PAIRS, facts, blocker).height == 1
