"""What is in the evidence is what it would be without those whom a reader may not see; and what a sample brings
in."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from casebridge.dedupe.review.evidence_file import PairEvidence
from casebridge.dedupe.review.evidence_pairs import pairs_evidence
from casebridge.dedupe.review.family import Declared, NameIndex
from casebridge.dedupe.review.ranking import Ranking
from casebridge.dedupe.review.verdicts import Place
from tests.desks import pair_of, somebody


def keyed(*words: str) -> str:
    """A name that tells nothing, in the tests' way."""
    return "".join(words).encode().hex().ljust(32, "0")[-32:]


def made(
    rows: list[tuple[str, str, str]], restricted: str = "", day: dt.date = dt.date(2026, 1, 1)
) -> list[PairEvidence]:
    """The pairs of records 1 to 6, as `left, right, state`; all put forward."""
    people = {f"old:{n}": somebody(str(n), clearance=int(str(n) in restricted)) for n in range(1, 7)}
    frame = pl.DataFrame(
        [{"left_id": f"old:{a}", "right_id": f"old:{b}", "p_same": 0.9, "weight": 9.0, "relation": "same",
          "zone": "same", "guard": None, "state": state, "ruling": None} for a, b, state in rows],
        schema_overrides={"guard": pl.String, "ruling": pl.String},
    )  # fmt: skip
    return pairs_evidence(keyed, frame, people, {}, day)


def test_who_is_a_child_is_told_by_the_day_that_is_given() -> None:
    """Born on 3 February 2001: a child until the day before his eighteenth birthday, whatever the clock says."""
    eve, birthday = (made([("1", "2", "undecided")], day=dt.date(2019, 2, day))[0].value for day in (2, 3))
    assert eve > birthday


CHAIN = [("1", "2", "undecided"), ("2", "3", "undecided"), ("3", "4", "undecided")]


@pytest.mark.parametrize(
    "rows", [CHAIN, [("1", "2", "undecided"), ("2", "3", "undecided"), ("1", "4", "undecided")]]
)
def test_a_group_is_what_it_is_without_a_restricted_member(rows: list[tuple[str, str, str]]) -> None:
    """Four records, the fourth restricted: the open pairs are byte for byte those of a project without the
    fourth."""
    with_it = [pair for pair in made(rows, restricted="4") if pair.clearance == 0]
    without = made(rows[:2])
    assert with_it == without
    assert with_it[0].group == ("old:1", "old:2", "old:3")
    (closed,) = [pair for pair in made(rows, restricted="4") if pair.clearance == 1]
    assert closed.group == ("old:1", "old:2", "old:3", "old:4")


def test_a_pair_that_only_a_sample_holds_joins_no_group_and_is_in_no_list() -> None:
    pairs = made([*CHAIN[:2], ("3", "5", "below")])
    drawn = next(pair for pair in pairs if pair.drawn)
    assert [len(pair.group) for pair in pairs] == [3, 3, 0]
    where = {pair.item: Place.OPEN if pair.open else Place.DONE for pair in pairs}
    ranking = Ranking(pairs, 0, lambda pair: where[pair.item])
    assert (ranking.counts()[Place.OPEN], ranking.counts()[Place.DONE]) == (2, 0)
    ranking.move(drawn.item, Place.ESCALATED)
    assert [pair.item for _, pair in ranking.in_order([Place.ESCALATED])] == [drawn.item]
    ranking.move(drawn.item, Place.DONE)
    assert ranking.counts().total() == 2


def test_a_ranking_that_moves_is_the_one_that_is_made_again() -> None:
    pairs = [pair_of(str(n), str(n + 50), value=float(-n)) for n in range(10, 40)]
    where = {pair.item: Place.OPEN for pair in pairs}
    moved = Ranking(pairs, 0, lambda pair: where[pair.item])
    for number, pair in enumerate(pairs * 3):
        where[pair.item] = tuple(Place)[number * 7 % len(Place)]
        moved.move(pair.item, where[pair.item])
    fresh = Ranking(pairs, 0, lambda pair: where[pair.item])
    assert moved.counts() == fresh.counts()
    for place in Place:
        assert list(moved.in_order([place])) == list(fresh.in_order([place]))
    assert [number for number, _ in moved.in_order(tuple(Place))] == list(range(30))


def test_family_that_is_looked_up_is_family_that_is_searched_for() -> None:
    records: list[tuple[str, dict[str, object]]] = [
        (f"old:{n}", {"forename": forename, "surname": surname, "previous_surnames": before, "birth_date": born})
        for n, (forename, surname, before, born) in enumerate([
            ("Ann", "Ng", [], "2001-02-03"), ("Anne", "Ngg", [], ""), ("Ann", "Smith", ["Ng"], "2001-03-02"),
            ("Bob", "Ng", [], "2001-02-03"), ("", "", [], ""), ("Ann", "Ng", [], "1950-01-01"),
        ])
    ]  # fmt: skip
    for one in (Declared("x", "self", "Ann", "Ng", "2001-02-03"), Declared("x", "child", "Bob", "Ng")):
        assert NameIndex(records).may_be(one) == {item for item, roles in records if one.may_be(roles)}
