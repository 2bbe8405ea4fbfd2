"""The row account adds up or raises, and every error has its exit code and its hint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebridge.project import errors
from casebridge.project.errors import (
    BalanceError,
    CasebridgeError,
    Excess,
    LimitExceeded,
    Problem,
    ReconciliationFailed,
    ReviewNeeded,
    SourceError,
    SpecError,
    TargetError,
    did_you_mean,
)
from casebridge.project.tally import Tally

COUNTS = st.integers(0, 10**12)
PLACES = st.fixed_dictionaries(
    dict.fromkeys(("passed", "combined", "merged", "rejected", "excluded", "held"), COUNTS)
)


@given(places=PLACES, asides=COUNTS)
def test_a_tally_balances_when_every_row_has_one_place(places: dict[str, int], asides: int) -> None:
    """Values set aside are no rows and do not count."""
    tally = Tally(read=sum(places.values()), set_aside=asides, warned=asides, **places)
    assert tally.balanced("here") is tally


@given(places=PLACES, lost=st.integers(-1000, 1000).filter(bool))
def test_a_row_too_few_or_too_many_raises(places: dict[str, int], lost: int) -> None:
    tally = Tally(read=sum(places.values()) + lost, **places)
    with pytest.raises(BalanceError, match="here") as caught:
        tally.balanced("here")
    assert caught.value.read - caught.value.accounted == lost


@given(one=PLACES, other=PLACES)
def test_accounts_add_up_field_by_field(one: dict[str, int], other: dict[str, int]) -> None:
    both = Tally(**one) + Tally(**other)
    assert both == Tally(**{name: one[name] + other[name] for name in one})
    assert Tally(**both.as_dict()) == both
    assert replace(both, read=both.accounted()).balanced("sum")


RAISED = [
    (CasebridgeError("x"), 1),
    (SpecError([Problem("a.toml", "b", "c")]), 2),
    (SourceError("a.csv", "x", hint="y"), 3),
    (TargetError("sqlite://", "x", hint="y"), 3),
    (BalanceError("extract A", 2, 1), 4),
    (ReviewNeeded(3, 0), 5),
    (ReconciliationFailed(["rows"], Path("report.html")), 6),
    (LimitExceeded("trial-1", [Excess("people", "held", 3, 4, 0.5)]), 7),
]


@pytest.mark.parametrize(("error", "code"), RAISED, ids=lambda value: type(value).__name__)
def test_each_error_has_the_exit_code_of_the_design(error: CasebridgeError, code: int) -> None:
    assert error.exit_code == code
    assert isinstance(error, CasebridgeError)
    assert error.hint or type(error) is CasebridgeError


def test_no_error_class_is_without_an_exit_code_of_the_list() -> None:
    """A new error class joins the list above."""
    made = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CasebridgeError)}
    assert made == {type(error) for error, _ in RAISED}


def test_a_spec_error_lists_all_its_problems() -> None:
    problems = [Problem("a.toml", f"columns.c{n}", "is wrong", "mend it") for n in range(5)]
    error = SpecError(problems)
    assert error.message.startswith("5 problems")
    assert all(str(problem) in error.message for problem in problems)
    assert str(problems[0]) == "a.toml: columns.c0: is wrong (mend it)"


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("colapse_spaces", ["collapse_spaces", "upper"], "did you mean `collapse_spaces`?"),
        ("surname", ["SURNAME", "DOB"], "did you mean `SURNAME`?"),
        ("zzz", ["b", "a"], "known: a, b"),
        ("zzz", [f"name{n}" for n in range(20)], ""),
        ("zzz", [], ""),
    ],
)
def test_a_mistyped_name_gets_a_suggestion(word: str, known: list[str], hint: str) -> None:
    assert did_you_mean(word, known) == hint
