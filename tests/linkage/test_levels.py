"""Levels: their truth tables, and the same answers from recordlinkage and jellyfish."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

import jellyfish
import numpy as np
import pandas as pd
import polars as pl
import pytest
import recordlinkage
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from benchmarks.constants import CONSTANTS, SETTLED
from benchmarks.kinds import PLAIN
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import Fields
from casebridge.dedupe.linkage.comparisons.addresses import LEVELS as ADDRESS
from casebridge.dedupe.linkage.comparisons.addresses import address_comparison, one_character_off
from casebridge.dedupe.linkage.comparisons.births import BIRTH_LEVELS, birth_comparison
from casebridge.dedupe.linkage.comparisons.levels import Comparison
from casebridge.dedupe.linkage.comparisons.names import judge_forenames
from casebridge.dedupe.linkage.comparisons.registry import comparisons_for, nhs_comparison
from casebridge.dedupe.linkage.comparisons.surnames import judge_surnames
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.kinds.sources import SOURCES, level_tables
from casebridge.dedupe.linkage.register.dates import parse_date
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.identifiers import neighbours_swapped, packed_numbers, with_check
from casebridge.dedupe.linkage.register.nametable import ALIKE, CLOSE, NameTable
from casebridge.dedupe.linkage.register.number_fields import read_numbers
from casebridge.dedupe.linkage.register.reading import read_register
from casebridge.dedupe.linkage.register.similarity import edits, jaro_winkler
from casebridge.dedupe.linkage.register.values import Values, clean_text
from tests.linkage.registers_for_tests import fields_of

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("model", "scoring", "kinds")


def test_every_starting_chance_has_its_source():
    """After a change of levels: `make glossary`, and a sentence in kinds/sources.py for a new table."""
    assert level_tables().keys() == SOURCES.keys()
    place = importlib.util.spec_from_file_location("write_levels", ROOT / "docs" / "write_levels.py")
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8") == module.page(), "run `make glossary`"


def _is_number(value: object) -> bool:
    if isinstance(value, (tuple, Mapping)):
        return bool(value) and all(map(_is_number, value.values() if isinstance(value, Mapping) else value))
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def test_every_number_set_by_hand_is_measured_or_settled():
    """A new one: into `benchmarks.constants`, and what hangs on it into docs/linkage-figures.md."""
    known = {
        (home, name) for part in (CONSTANTS, *SETTLED.values()) for home, names in part.items() for name in names
    }
    found = set()
    for file in chain.from_iterable((ROOT / "dedupe/linkage" / room).glob("*.py") for room in ROOMS):
        home = f"{file.parent.name}.{file.stem}"
        module = importlib.import_module(f"casebridge.dedupe.linkage.{home}")
        lines = (one for one in ast.parse(file.read_text()).body if isinstance(one, (ast.Assign, ast.AnnAssign)))
        names = (one for line in lines for one in ast.walk(line) if isinstance(one, ast.Name))
        own = {one.id for one in names if isinstance(one.ctx, ast.Store)} & vars(module).keys()
        found |= {(home, name) for name in own if _is_number(vars(module)[name])}
    assert found == {(home, name) for home, name in known if home.split(".")[0] in ROOMS}


def table(function: object) -> list[list[str]]:
    """The rows of the truth table in a docstring."""
    lines = [line.strip() for line in (function.__doc__ or "").splitlines() if line.strip().startswith("|")]
    return [[cell.strip() for cell in re.split(r"\s*\|\s*", line.strip("|"))] for line in lines[2:]]


def level_of(register: Register, comparison: Comparison, left: int = 0, right: int = 1) -> str | None:
    number = int(comparison.full(*register.sides(np.array([left]), np.array([right])))[0])
    return None if number == comparison.null else comparison.levels[number].label


def pair_of(role: str, left: object, right: object, **more: tuple[object, object]):
    columns = {role: (left, right), **more}
    others = {"birth_date": ["1911-11-11", "1922-02-22"], "sex": ["M", "F"], "postcode": ["YO1 7AA", "EX4 4QJ"]}
    rows = {name: [a, b, *others.get(name, ["ZZZ", "YYY"])] for name, (a, b) in columns.items()}
    frame = pl.DataFrame({"id": ["a", "b", "c", "d"], **rows}, strict=False)
    register = read_register(frame, Fields(id="id", roles={name: name for name in columns}), PERSON)
    rows_of = register.rows_of(["a", "b"])
    return register, int(rows_of[0]), int(rows_of[1])


@pytest.mark.parametrize("row", table(judge_forenames))
def test_forename_truth_table(row):
    left, right, use, place = row
    values = Values(pl.Series(sorted({left, right})))
    a, b = (np.array([values.all().index(name)]) for name in (left, right))
    found = judge_forenames(NameTable(values), a, b, np.array([use == "rare"]), np.array([use == "common"]))
    assert int(found[0]) == int(place), f"{left} {right}"


@pytest.mark.parametrize("row", table(judge_surnames))
def test_surname_truth_table(row):
    left, right, rare, place = row
    values = Values(pl.Series(sorted({left, right})))
    a, b = (np.array([values.all().index(name)]) for name in (left, right))
    found = judge_surnames(NameTable(values), a, b, np.array([rare == "yes"]))
    assert int(found[0]) == int(place), f"{left} {right}"


@pytest.mark.parametrize("row", table(birth_comparison))
def test_birth_date_truth_table(row):
    register, a, b = pair_of("birth_date", row[0], row[1])
    assert level_of(register, birth_comparison(register)[0], a, b) == row[2]


@pytest.mark.parametrize(
    ("left", "right", "label"),
    [
        ("9434765919", "943 476 5919", 0),
        ("9434765919", "9434765910", 2),
        ("9434765919", "9434756919", 2),
        ("9434765919", "4010232137", 3),
        ("9434765919", "", None),
        ("9434765919", "9999999999", None),
    ],
)
def test_nhs_numbers(left, right, label):
    frame = pl.DataFrame({"id": list("abcd"), "nhs": [left, right, "4010232137", "9434765870"]})
    register = read_register(frame, Fields(id="id", roles={"nhs_number": "nhs"}), PERSON)
    a, b = register.rows_of(["a", "b"])
    comparison = nhs_comparison(register)[0]
    assert level_of(register, comparison, int(a), int(b)) == (
        None if label is None else comparison.levels[label].label
    )


@pytest.mark.parametrize(
    ("left", "right", "place"),
    [
        (("12", "HIGH ST", "LS6 3HN"), ("12", "HIGH STREET", "LS63HN"), 0),
        (("12", "HIGH ST", "LS6 3HN"), ("12", "HIGH ST", "BD1 1AA"), 2),
        (("12", "HIGH ST", "LS6 3HN"), ("12", "MILL LANE", "LS6 3HM"), 3),
        (("12", "HIGH ST", "LS6 3HN"), (None, None, "LS6 3HN"), 4),
        (("12", "HIGH ST", "LS6 3HN"), ("14", "HIGH ST", "LS6 3HN"), 5),
        (("12", "HIGH ST", "LS6 3HN"), ("7", "HIGH ST", "BD1 1AA"), 6),
        (("12", "HIGH ST", "LS6 3HN"), ("7", "MILL LANE", "LS6 3HM"), 7),
        (("12", "HIGH ST", "LS6 3HN"), ("7", "MILL LANE", "LS6 3QQ"), 9),
        (("12", "HIGH ST", "LS6 3HN"), ("7", "MILL LANE", "LS6 9QQ"), 10),
        (("12", "HIGH ST", "LS6 3HN"), ("7", "MILL LANE", "BD1 1AA"), 11),
        (("12", "HIGH ST", None), ("12", "HIGH ST", None), 0),
        (("12", None, None), ("12", None, None), None),
    ],
)
def test_address_truth_table(left, right, place):
    more = {name: (left[n], right[n]) for n, name in enumerate(("house", "street", "postcode"))}
    register, a, b = pair_of("sex", "M", "F", **more)
    (comparison,) = address_comparison(register)
    assert comparison is not None
    assert level_of(register, comparison, a, b) == (None if place is None else ADDRESS[place].label)
    assert level_of(register, comparison, b, a) == level_of(register, comparison, a, b)


def test_swapped_and_middle_names():
    register, a, b = pair_of("forename", "ANN", "LEE", surname=("LEE", "ANN"))
    first, last = comparisons_for(register)
    assert level_of(register, first, a, b) == "forename changes places with surname or middle name"
    assert level_of(register, last, a, b) is None
    register, a, b = pair_of("forename", "MARY", "JANE", middle_name=("JANE", None))
    assert (
        level_of(register, comparisons_for(register)[0], a, b) == "forename of one is the middle name of the other"
    )


def test_forename_and_middle_name_change_places():
    """One exchange is one fact: the middle names are not counted against the pair as well."""
    register, a, b = pair_of("forename", "MARY", "JANE", middle_name=("JANE", "MARY"))
    first, middle = comparisons_for(register)
    assert level_of(register, first, a, b) == "forename changes places with surname or middle name"
    assert level_of(register, middle, a, b) is None
    register, a, b = pair_of("forename", "MARY", "JANE", middle_name=("JANE", "ROSE"))
    first, middle = comparisons_for(register)
    assert level_of(register, first, a, b) == "forename of one is the middle name of the other"
    assert level_of(register, middle, a, b) is None


@pytest.mark.parametrize(
    ("sex", "births", "grown"),
    [
        (("F", "F"), ("1970-03-02", "1970-03-02"), True),
        (("F", "F"), (None, "1970-03-02"), True),
        (("F", "F"), ("2015-03-02", "2015-03-02"), False),
        (("F", "M"), ("1970-03-02", "1970-03-02"), False),
        (("F", None), ("1970-03-02", "1970-03-02"), False),
        (("M", "M"), ("1970-03-02", "1970-03-02"), False),
    ],
)
def test_surnames_of_grown_women_have_levels_of_their_own(sex, births, grown):
    register, a, b = pair_of("surname", "WARD", "KHAN", sex=sex, birth_date=births)
    last = next(c for c in comparisons_for(register) if c.name == "surname")
    assert level_of(register, last, a, b) == "surname differs" + (", both grown women" if grown else "")
    assert level_of(register, last, b, a) == level_of(register, last, a, b)


def test_earlier_surname():
    frame = pl.DataFrame(
        {"id": ["a", "b", "c"], "s": ["SMITH", "PATEL", "WOOD"], "p": [None, ["SMITH", "LEE"], None]}
    )
    register = read_register(frame, Fields(id="id", roles={"surname": "s", "previous_surnames": "p"}), PERSON)
    a, b = register.rows_of(["a", "b"])
    assert (
        level_of(register, comparisons_for(register)[0], int(a), int(b))
        == "surname is an earlier surname of the other"
    )


def test_every_level_has_beliefs_for_all_relations():
    register = read_register(make_register(500, PLAIN, seed=2), fields_of(PLAIN), PERSON)
    for comparison in comparisons_for(register):
        starts = np.array([level.start for level in comparison.levels])
        assert starts.shape == (len(comparison.levels), len(PERSON.profiles))
        assert (starts >= 0).all()
        for part in np.split(starts[:, 0], np.cumsum(comparison.groups)[:-1]):
            np.testing.assert_allclose(part.sum(), 1.0, atol=0.02, err_msg=comparison.name)


def _names(count: int) -> Values:
    frame = make_register(count, PLAIN, seed=11)
    return Values(
        clean_text(pl.concat([frame["first"], frame["last"]]).drop_nulls().unique()).drop_nulls().unique().sort()
    )


def test_similarity_is_what_jellyfish_says():
    values = _names(3000)
    random = np.random.default_rng(1)
    a, b = random.integers(0, len(values), (2, 4000))
    ours, theirs = (
        jaro_winkler(values, a, b),
        [jellyfish.jaro_winkler_similarity(*p) for p in zip(values.strings(a), values.strings(b), strict=True)],
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    near = [
        jellyfish.damerau_levenshtein_distance(*p) for p in zip(values.strings(a), values.strings(b), strict=True)
    ]
    assert ((edits(values, a, b) == 1) == (np.array(near) == 1)).all()


def test_levels_are_what_recordlinkage_compares():
    """Exact, Jaro-Winkler and one-edit answers against recordlinkage's Compare on the same pairs."""
    values = _names(2000)
    random = np.random.default_rng(2)
    a, b = random.integers(0, len(values), (2, 3000))
    frame = pd.DataFrame({"name": values.all()})
    compare = recordlinkage.Compare()
    compare.string("name", "name", method="jarowinkler", label="jw")
    compare.exact("name", "name", label="exact")
    wanted = compare.compute(pd.MultiIndex.from_arrays([a, b]), frame)
    ours = jaro_winkler(values, a, b)
    for cut in (CLOSE, ALIKE):
        clear = np.abs(wanted["jw"].to_numpy() - cut) > 1e-6
        assert ((ours >= cut) == (wanted["jw"].to_numpy() >= cut))[clear].all()
    assert ((a == b) == (wanted["exact"].to_numpy() == 1)).all()


def test_surely_unlike_is_sure():
    values = _names(4000)
    names = NameTable(values)
    random = np.random.default_rng(4)
    a, b = random.integers(0, len(values), (2, 60_000))
    a, b = a[a != b], b[a != b]
    unlike = names.surely_unlike(a, b)
    assert unlike.mean() > 0.3
    rare = np.zeros(len(a), dtype=bool)
    assert (judge_forenames(names, a, b, rare, rare)[unlike] >= 11).all()
    assert (judge_surnames(names, a, b, rare)[unlike] == 9).all()


@given(st.text(alphabet="ABCDEM", min_size=1, max_size=9), st.text(alphabet="ABCDEM", min_size=1, max_size=9))
@settings(max_examples=300, deadline=None)
def test_surely_unlike_on_awkward_names(left, right):
    if left == right:
        return
    values = Values(pl.Series(sorted({left, right})))
    names, a, b = NameTable(values), np.array([0]), np.array([1])
    if names.surely_unlike(a, b)[0]:
        none = np.array([False])
        assert judge_forenames(names, a, b, none, none)[0] >= 11


@given(st.integers(10**9, 10**10 - 1), st.integers(0, 8))
@settings(max_examples=200, deadline=None)
def test_neighbours_swapped(number, place):
    digits = list(str(number))
    digits[place], digits[place + 1] = digits[place + 1], digits[place]
    packed = packed_numbers(np.array([number, int("".join(digits))]))
    if packed.all():
        assert neighbours_swapped(packed[:1], packed[1:])[0] == (packed[0] != packed[1])


def test_check_digits():
    packed = with_check(packed_numbers(np.array([9434765919, 9434765910, 4010232137])))
    assert [bool(p >> np.uint64(60)) for p in packed] == [True, False, True]


@pytest.mark.parametrize("text", ["?", "", "00/00/1950", "1950", "31-31", "1900-01-01"])
def test_what_is_no_date(text):
    assert parse_date(text) == 0 or text == "00/00/1950"


def test_numbers_in_any_dress():
    given = ["943 476 5919", "+44 161 496 0000", "0161 496 0000", None, "none", "12", "9" * 20]
    read = read_numbers(pl.Series(given), phone=True)
    assert read is not None
    assert read.values.tolist() == [9434765919, 1614960000, 1614960000, 0, 0, 0, 9999999999]
    assert read.unread.tolist() == [False, False, False, False, False, True, False]


def test_birth_levels_are_all_reachable():
    labels = {row[2] for row in table(birth_comparison)}
    assert {level.label for level in BIRTH_LEVELS} - labels == {
        "same birth date, one entered far more often than others"
    }


@given(st.text(alphabet="AB12", min_size=1, max_size=8), st.text(alphabet="AB12", min_size=1, max_size=8))
@settings(max_examples=400, deadline=None)
def test_one_character_off_is_optimal_string_alignment(left, right):
    packed = [np.array([int.from_bytes(t.encode(), "little")], dtype=np.uint64) for t in (left, right)]
    assert bool(one_character_off(*packed)[0]) == (OSA.distance(left, right) == 1)
