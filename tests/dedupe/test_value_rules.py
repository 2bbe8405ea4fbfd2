"""Survivor and values by rules: each rule, a reviewer's word over them, and the preview against the run."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebridge.dedupe.review.evidence_file import Held, Person
from casebridge.dedupe.review.fold_notes import FoldNotes
from casebridge.dedupe.review.merge_preview import preview
from casebridge.dedupe.review.survivorship import ID, TABLE, golden_rows, records_of, survivors
from casebridge.dedupe.review.value_rules import (
    SURVIVOR,
    Override,
    Overrides,
    Record,
    Rule,
    Survivorship,
    kept,
    survivor_of,
)
from casebridge.dedupe.review.value_rules_file import read_survivorship
from casebridge.project.errors import Problem
from casebridge.project.target import ColumnType, TargetColumn

A = Record("old:1", {"name": "Ng", "mail": "a@b.example", "day": "2020-01-01"}, 3)
B = Record("new:22", {"name": "Ngo Li", "day": "2021-05-05", "title": "Dr"}, 5)
COLUMNS = ("name", "mail", "day", "title")


@pytest.mark.parametrize(
    ("by", "survivor"),
    [("most_complete", B), ("oldest_key", A), ("source_priority:new;old", B), ("source_priority:old", A),
     ("most_recent:day", B), ("most_recent:mail", A)],
)  # fmt: skip
def test_each_rule_for_the_survivor(by: str, survivor: Record) -> None:
    problems: list[Problem] = []
    rules = read_survivorship({"survivor": {"by": [by]}}, COLUMNS, problems)
    assert problems == []
    assert survivor_of([A, B], rules, {}) == survivor_of([B, A], rules, {}) == survivor.id


@pytest.mark.parametrize(
    ("rule", "whose"),
    [("survivor", A), ("most_complete", B), ("most_recent:day", B), ("source_priority:new", B), ("oldest_key", A)],
)
def test_each_rule_for_a_value(rule: str, whose: Record) -> None:
    """What only one record holds is never lost, whatever the rule."""
    rules = read_survivorship({"values": {"default": [rule]}}, COLUMNS, [])
    found = kept([A, B], A.id, rules, {})
    assert (found["name"], found["mail"], found["title"]) == (whose.id, A.id, B.id)


C = Record("old:333:new", {"name": "Ngo Li Mei", "mail": "c@d.example"}, 2)


def test_rules_of_one_column_and_what_decides_between_equals() -> None:
    """The longest value is not the fullest record's; what no rule decides is the survivor's."""
    own = Survivorship(default=(Rule("survivor"), Rule("oldest_key")), columns={"name": (Rule("most_complete"),)})
    assert kept([A, B, C], B.id, own, {}) == {"name": C.id, "mail": A.id, "day": B.id, "title": B.id}
    assert kept([A, B], B.id, Survivorship(default=()), {})["name"] == B.id
    assert (
        kept([A, C], A.id, Survivorship(default=(Rule("source_priority", ("new", "old:333")),)), {})["name"]
        == A.id
    )
    assert kept([A, B], A.id, Survivorship(), {"name": Override(A.id, B.id, "name", B.id)})["name"] == B.id
    assert [str(rule) for rule in (Rule("source_priority", ("old", "new")), Rule("survivor"))] == [
        "source_priority:old;new", "survivor",
    ]  # fmt: skip


def test_a_record_without_a_day_is_not_the_latest() -> None:
    latest = Survivorship(survivor=(Rule("most_recent", ("day",)),), default=(Rule("most_recent", ("day",)),))
    assert survivor_of([A, C], latest, {}) == A.id
    assert kept([A, C], C.id, latest, {})["name"] == A.id


def test_a_reviewers_word_goes_before_the_rules_and_columns_go_together() -> None:
    rules = Survivorship(together=(("name", "title"),))
    word = Override(A.id, B.id, "name", B.id)
    found = kept([A, B], A.id, rules, {"name": word})
    assert (found["name"], found["title"], found["mail"], found["day"]) == (B.id, B.id, A.id, A.id)
    assert survivor_of([A, B], rules, {SURVIVOR: Override(A.id, B.id, SURVIVOR, A.id)}) == A.id


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"survivor": {"by": ["most_compleat"]}}, "no rule `most_compleat`"),
        ({"survivor": {"by": ["survivor"]}}, "cannot be chosen by who survives"),
        ({"survivor": {"by": "oldest_key"}}, "must be a list of rules"),
        ({"survivor": {"bye": ["oldest_key"]}}, "unknown key"),
        ({"values": {"nmae": ["survivor"]}}, "people have no column `nmae`"),
        ({"values": {"name": ["most_recent"]}}, "has nothing behind its name"),
        ({"values": {"name": ["most_recent:dya"]}}, "people have no column `dya`"),
        ({"values": {"name": ["survivor:x"]}}, "has too much behind its name"),
        ({"values": {"together": ["name"]}}, "must be lists of columns"),
        ({"values": 3}, "must be a TOML table"),
    ],
)
def test_what_is_wrong_with_the_rules_is_named(raw: Mapping[str, object], told: str) -> None:
    problems: list[Problem] = []
    read_survivorship(raw, COLUMNS, problems)
    assert [told in str(problem) for problem in problems] == [True]


IDS = ("old:1", "old:2", "old:10")
MARK = TargetColumn("restricted", ColumnType("char", length=1)).marks
TEXTS = st.none() | st.sampled_from(["", "x", "yy"])
ROWS = st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(["Y", "N", None])), min_size=2, max_size=3)
RULES = st.lists(
    st.sampled_from([Rule("survivor"), Rule("most_complete"), Rule("most_recent", ("born",)), Rule("oldest_key")]),
    max_size=2,
)  # fmt: skip
WORDS = st.lists(st.tuples(st.sampled_from(["name", SURVIVOR]), st.sampled_from(["", *IDS])), max_size=3)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, survivor=RULES, default=RULES, words=WORDS)
def test_the_preview_says_what_the_run_does(
    rows: Sequence[tuple[str | None, str | None, str | None]], survivor: list[Rule], default: list[Rule],
    words: list[tuple[str, str]],
) -> None:  # fmt: skip
    """Any records, any rules, any words of reviewers: the same survivor, the same values, the strictest mark."""
    kind = {ID: pl.String, TABLE: pl.String, "_key": pl.String, "_row": pl.Int64, "_rest": pl.List(pl.Int64),
            "name": pl.String, "born": pl.String, "restricted": pl.String}  # fmt: skip
    ids = IDS[: len(rows)]
    lines = [(item, "p", item[4:], at, None, *row) for at, (item, row) in enumerate(zip(ids, rows, strict=True))]
    people = pl.DataFrame(lines, schema=kind, orient="row")
    by = [rule for rule in survivor if rule.name != "survivor"]
    rules = Survivorship(tuple(by), tuple(default))
    overrides = [Override(ids[0], ids[1], name, item) for name, item in words]
    records = records_of(people)
    chosen = survivors([ids], records, rules, Overrides(overrides))
    (made,) = golden_rows(people, chosen, [MARK], rules, Overrides(overrides)).to_dicts()
    shown = preview(
        [Person(one.id, 0, {}, one.values, filled=one.filled) for one in records.values()],
        FoldNotes(rules, (MARK,)), overrides,
    )  # fmt: skip
    assert shown.survivor == made[ID] == chosen[ids[0]]
    assert shown.values == {name: made[name] for name in ("name", "born", "restricted") if made[name]}


def test_rows_that_say_the_same_are_counted_once_or_not_at_all() -> None:
    """Doubled rows of the survivor alone stay; where evidence has only some rows nothing is guessed."""
    one = Held("phones", 3, "", ({"n": "1"}, {"n": "1"}, {"n": "2"}))
    other = Held("phones", 2, "", ({"n": "2"}, {"n": "3"}))
    people = [Person("old:1", 0, {}, {}, (one,), filled=9), Person("old:2", 0, {}, {}, (other, Held("notes", 4)))]
    notes = FoldNotes(once={"phones": ("n",)})
    counts = {moved.table: moved.after for moved in preview(people, notes, []).moved}
    assert counts == {"phones": 4, "notes": 4}
    many = [Person("old:1", 0, {}, {}, (Held("phones", 20, "", ({"n": "1"},)),)), people[1]]
    assert {moved.table: moved.after for moved in preview(many, notes, []).moved}["phones"] is None


def test_each_group_is_told_its_own_words_alone() -> None:
    """The last word on a field, whichever pair it was said of; ten thousand groups with a word each take no longer
    than a glance at each."""
    words = [Override(f"a:{n}", f"b:{n}", "name", f"a:{n}") for n in range(10_000)]
    words += [Override("a:1", "c:1", "name", "c:1"), Override("b:1", "c:1", "name", "b:1")]
    said, began = Overrides(words), time.process_time()
    found = [said.inside([f"a:{n}", f"b:{n}", f"c:{n}"]) for n in range(10_000)]
    assert time.process_time() - began < 5
    assert {item["name"].from_id for item in found} == {f"a:{n}" for n in range(10_000) if n != 1} | {"b:1"}
