"""Registers of few columns: guards against twins hold, chance is counted once, nothing unlikely is proposed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from benchmarks.kinds import PLAIN, ROLES
from benchmarks.registers import make_register
from benchmarks.thin import COLUMNS as COLUMNS_OF_FEW
from benchmarks.thin import TROUBLE, measured, thin_register
from casebridge.dedupe.linkage import Fields, evaluate, link
from casebridge.dedupe.linkage.comparisons.levels import DOUBT_CAP
from casebridge.dedupe.linkage.comparisons.registry import comparisons_for
from casebridge.dedupe.linkage.comparisons.said import for_a_person
from casebridge.dedupe.linkage.evaluation.diagnosis import thin_evidence
from casebridge.dedupe.linkage.kinds.guards import could_be_twins
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.model.beliefs import RandomAgreement
from casebridge.dedupe.linkage.model.training import Strangers
from casebridge.dedupe.linkage.register.reading import read_register
from casebridge.dedupe.linkage.scoring.thresholds import LEAST, best_expected_f1, safe_threshold

COLUMNS = {
    "forename": "first", "surname": "last", "birth_date": "dob", "sex": "sex", "nhs_number": "nhs",
    "postcode": "postcode", "middle_name": "middle", "house": "house", "street": "street",
}  # fmt: skip


def fields(*roles: str) -> Fields:
    return Fields(id="id", roles={role: COLUMNS[role] for role in roles})


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return make_register(4000, PLAIN, seed=8)


def test_without_forename_a_shared_birth_date_is_never_sure(frame):
    found = link(frame, fields("surname", "birth_date", "sex", "postcode"))
    date = pl.col("birth_date").cast(pl.String)
    near = found.pairs.filter(date.str.contains("^same birth date").fill_null(True))
    assert near.height > 100
    assert near["p_same"].max() <= DOUBT_CAP
    assert sum("No forename column" in warning for warning in found.model["warnings"]) == 1


def test_without_birth_date_unlike_forenames_are_never_sure(frame):
    found = link(frame, fields("forename", "surname", "sex", "nhs_number", "postcode"))
    forename = pl.col("forename").cast(pl.String)
    unlike = found.pairs.filter(forename.str.contains("forename differs").fill_null(True))
    assert unlike.height > 10
    assert unlike["p_same"].max() <= DOUBT_CAP
    held = found.pairs.filter(pl.col("p_same").is_between(0.94, DOUBT_CAP)).sort("p_same")
    assert held["weight"].is_sorted()  # held back, and still in their order
    assert held["p_same"].n_unique() > 10
    assert sum("No birth_date column" in warning for warning in found.model["warnings"]) == 1


def test_what_is_doubtful(frame):
    """Everything the same but for the columns named."""
    roles = ("forename", "birth_date", "sex", "nhs_number", "middle_name")
    comparisons = {c.name: c for c in comparisons_for(read_register(frame, fields(*roles), PERSON))}

    def is_doubtful(**levels: str | None) -> bool:
        pattern = [
            c.null if levels.get(name, "") is None else c.labels().index(levels[name]) if name in levels else 0
            for name, c in comparisons.items()
        ]
        return bool(
            for_a_person(could_be_twins, list(comparisons.values()), np.array([pattern], dtype=np.uint8))[0]
        )

    slip = "forename one slip away, one spelling rare"
    assert not is_doubtful()
    assert not is_doubtful(forename=slip)
    assert is_doubtful(forename="forename differs")
    assert is_doubtful(forename=None, birth_date="day and month change places")
    assert is_doubtful(forename=None, birth_date="birth dates up to 3 years apart")
    assert is_doubtful(forename=slip, sex="sex differs")
    assert is_doubtful(forename=slip, middle_name="middle name differs, forenames alike")
    assert not is_doubtful(middle_name="middle name differs, forenames alike")
    assert is_doubtful(nhs_number="two different valid NHS numbers")
    assert not is_doubtful(nhs_number="NHS number one digit or one swap away")


def test_chance_agreement_is_counted_once(frame):
    """The chance that two rows agree is that of the column, however common its values."""
    register = read_register(frame, fields("forename", "surname", "sex"), PERSON)
    comparisons = comparisons_for(register)
    strangers = Strangers(RandomAgreement(register, comparisons, 1), False, ())
    for comparison, chances in zip(comparisons, strangers.chances, strict=True):
        codes = register.columns[comparison.name]
        held = np.bincount(codes[codes >= 0]).astype(np.float64)
        agree = (held * (held - 1)).sum() / (held.sum() * (held.sum() - 1))
        same = [n for n, label in enumerate(comparison.labels()) if label.startswith(f"same {comparison.name}")]
        assert chances[same].sum() == pytest.approx(agree, rel=0.02)
        assert chances.sum() == pytest.approx(1)


def test_names_alone_put_nothing_forward(frame):
    """Nobody can tell namesakes by their names: it is said, and no pair is put forward. More are no worse."""
    found = {}
    for roles in (("forename", "surname"), ("forename", "surname", "sex")):
        linkage = link(frame, fields(*roles))
        assert linkage.pairs.filter(pl.col("p_same") >= linkage.model["thresholds"]["propose"]).height == 0
        assert any("Nothing but what shares a number" in warning for warning in linkage.model["warnings"])
        found[roles] = evaluate(linkage, frame, fields(*roles), "person")["best"]["f1"]
    two, three = found.values()
    assert three > two - 0.02


def test_nothing_unlikely_is_proposed():
    p, pairs = np.array([0.9, 0.3, 0.2]), np.array([5.0, 1000.0, 1000.0])
    assert best_expected_f1(p, pairs, 0.0)[0] == 0.9
    assert best_expected_f1(p[1:], pairs[1:], 0.0) == (LEAST, 0.0)


def test_where_no_home_is_held_the_model_errs_less():
    """People of one home look alike in more than their names."""
    p = np.linspace(0.999, 0.5, 1000)
    homes, none = (safe_threshold(p, p, np.full(1000, 10.0), 0.85, True, True, held) for held in (True, False))
    assert 0.9 <= none < homes < 1
    assert PERSON.holds_homes(["forename", "address"])
    assert not PERSON.holds_homes(["forename", "surname", "email", "town"])


def test_where_decisions_hang_on_a_belief_errors_are_allowed_for_however_good_the_columns():
    """20,000 organisations, an F1 of 0.93 expected: believed as it stood, 0.864 were right. Of twins the careful
    side is taken already."""
    p, pairs = np.linspace(0.999, 0.5, 1000), np.full(1000, 10.0)
    few, told, hanging = (
        safe_threshold(p, p, pairs, expected, True, False, hangs=hangs)
        for expected, hangs in ((0.85, False), (0.95, False), (0.95, True))
    )
    assert told < few == hanging
    assert PERSON.careful == {"how one person's forenames differ"}


def test_what_thin_columns_put_forward_is_mostly_right():
    """Or nothing is put forward; that parents and children cannot be told apart is said in any case. 95 in 100 are
    promised; 300 pairs of small registers show 90."""
    cases = (
        ("names, sex, address, phone", "plain"), ("names, postcode", "few duplicates"), ("names, phone", "plain"),
        ("names, middle name, address", "few names"), ("names, sex, year, town", "namesakes"),
    )  # fmt: skip
    made = (thin_register(COLUMNS_OF_FEW[columns], 1000, TROUBLE[trouble], 1) for columns, trouble in cases)
    found = [measured(*register) for register in made]
    assert all(one.warned for one in found)
    assert sum(one.pairs for one in found) > 100
    assert sum(one.pairs * one.put for one in found if one.pairs) >= 0.9 * sum(one.pairs for one in found)


def test_a_bound_keeps_families_from_being_taken_for_one_person():
    """Surname and town alike, forename and sex not: a family, where nothing but these is held."""
    frame, few = thin_register(COLUMNS_OF_FEW["names, sex, town"], 1000, TROUBLE["namesakes"], 1)
    pairs = link(frame, few).pairs.with_columns(pl.col("forename", "sex").cast(pl.String))
    apart = pairs.filter((pl.col("forename") == "forename differs") & (pl.col("sex") == "sex differs"))
    assert not (apart["p_same"] >= 0.5).any()


def test_who_lacks_what_a_rule_demands_is_brought_in_by_no_such_rule():
    """Beside pairs without a forename stand no strangers of one forename, so most of a date are one person."""
    frame, fields_ = thin_register(COLUMNS_OF_FEW["forename, date, sex"], 1500, TROUBLE["gaps"], 2)
    who = frame.select("id", "person")
    pairs = link(frame, fields_).pairs.with_columns(pl.col("birth_date", "sex").cast(pl.String))
    pairs = pairs.join(who.rename({"id": "left_id", "person": "a"}), on="left_id")
    pairs = pairs.join(who.rename({"id": "right_id", "person": "b"}), on="right_id")
    unnamed = pl.col("forename").is_null() & (pl.col("sex") == "same sex")
    found = pairs.filter(unnamed & pl.col("birth_date").str.contains("^same birth date"))
    assert found.height > 30
    assert found["p_same"].mean() == pytest.approx((found["a"] == found["b"]).mean(), abs=0.15)


def test_a_family_with_one_phone_is_no_one_person_where_no_date_is_held():
    frame, fields_ = thin_register(COLUMNS_OF_FEW["names, postcode, phone"], 1000, TROUBLE["dirty copies"], 3)
    found = link(frame, fields_)
    family = (pl.col("forename").cast(pl.String) == "forename differs") & (
        pl.col("phone").cast(pl.String) == "same phone number"
    )
    told = found.pairs.filter(family)
    assert told.height > 50
    assert told.filter(pl.col("p_same") >= found.model["thresholds"]["propose"]).height <= 5


def test_strangers_of_common_names_are_counted_where_names_go_together():
    """Two origins in one town, with few names each: of 5,600 pairs of one name 440 are one person. 2,798 were put
    forward, for an e-mail address that differs is a third answer, and names go together by origin."""
    found = measured(*thin_register(COLUMNS_OF_FEW["names, e-mail"], 3000, TROUBLE["few names"], 31))
    assert found.warned
    assert found.pairs == 0
    assert found.best > 0.4


def test_initials_are_not_taken_for_families():
    """One system holds initials, and no birth date tells: two of a home begin alike no oftener than strangers do.
    Before, families took all of these pairs, and none was kept."""
    initial = pl.when(pl.col("system") == "B").then(pl.col("first").str.slice(0, 1)).otherwise("first")
    frame = make_register(1500, replace(PLAIN, duplicates=0.4), seed=3).with_columns(first=initial)
    named = fields("forename", "surname", "house", "street", "postcode")
    told = evaluate(link(frame, named), frame, named, "person")
    assert told["best"]["f1"] > 0.75
    assert told["kept"]["recall"] > 0.9


def test_people_of_many_records_and_addresses_are_found():
    """Care leavers: six records a person, nearly each at another address. One name and another address was taken
    for strangers (p 0.03), more than there can be of names so rare, and one with a slip for one person (0.997)."""
    often = replace(PLAIN, duplicates=1.0, more_copies=0.8, moved=0.95)
    frame = make_register(300, often, seed=3)
    named = fields("forename", "surname", "house", "street", "postcode")
    told = evaluate(link(frame, named), frame, named, "person")
    assert told["best"]["f1"] > 0.85
    assert told["kept"]["recall"] > 0.85
    assert told["proposed"]["precision"] > 0.95


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_copies_whose_dates_differ_or_lack_are_no_siblings_of_one_name(seed: int) -> None:
    """Records of six copies a person, written badly: relations of a home do not take those of one name, so that
    what is found stays within 0.01 of what any threshold finds, and right as is promised under a warning, but for
    the chance of one register (0.945 to 0.968 in ten of them)."""
    columns = ("first", "last", "dob", "postcode")
    badly = replace(PLAIN, duplicates=0.9, more_copies=0.8, blank=0.25, slip=0.3, short_name=0.3)
    register = make_register(300, replace(badly, columns=columns), seed=seed)
    told_by = fields("forename", "surname", "birth_date", "postcode")
    found = link(register, told_by)
    told = evaluate(found, register, told_by, "person")
    assert told["proposed"]["f1"] >= max(told["best"]["f1"] - 0.01, 0.82)
    assert told["proposed"]["precision"] >= 0.94
    forename = found.fitted.comparisons.index("forename")
    same = [label.startswith("same forename") for label in found.fitted.labels[forename]]
    alike = np.exp(found.fitted.log_chances[forename][:, :-1])[:, same].sum(axis=1)
    by_name = dict(zip((one.name for one in found.fitted.components), alike, strict=True))
    assert max(by_name["sibling"], by_name["household"]) < by_name["settled"] / 5


def test_of_people_with_initials_alone_pairs_are_found() -> None:
    """Whose forename is an initial agrees in no more: that says little, and is no reason for two people."""
    columns = ("first", "last", "dob", "sex", "house", "street", "postcode")
    register = make_register(600, replace(PLAIN, columns=columns), seed=6)
    register = register.with_columns(pl.col("first").str.slice(0, 1))
    told_by = Fields("id", {ROLES[column]: column for column in columns})
    found = link(register, told_by)
    told = evaluate(found, register, told_by, "person")
    assert told["best"]["f1"] > 0.9
    assert (found.pairs["zone"] == "same").sum() == 0
    assert found.model["warnings"]
    assert not any("weighs less" in one for one in found.model["warnings"])


def test_where_nothing_tells_a_family_apart_nothing_is_put_forward_but_by_a_number():
    """Surname, postcode and two columns of no known meaning: of 96 pairs put forward 59 were of two people, with
    one of them expected. A number that names a person still tells."""
    columns = ("initial", "last", "year", "postcode")
    frame, held = thin_register(columns, 300, TROUBLE["plain"], seed=1)
    assert measured(frame, held).pairs == 0
    frame, held = thin_register((*columns, "nhs"), 300, TROUBLE["plain"], seed=1)
    numbered = measured(frame, held)
    assert numbered.pairs > 5
    assert numbered.put >= 0.95


def test_that_nothing_tells_a_family_apart_is_said():
    """Where high p leave no doubt of columns that are thin, too."""
    [said] = thin_evidence({}, 0.95, believed=False)
    assert said.startswith("Nothing tells those of one home apart. Nothing but what shares a number")
    assert thin_evidence({}, 0.95, believed=True) == []


def test_a_surname_and_a_number_are_enough_to_put_forward_who_shares_the_number():
    """Of random pairs some share a number: they are one person, not strangers. Counted as strangers they took the
    register: no pair was kept (p 0.00001), and at best nothing was put forward."""
    frame, held = thin_register(("last", "nhs"), 3_000, TROUBLE["plain"], seed=1)
    found = measured(frame, held)
    assert found.pairs > 100
    assert found.put >= 0.95
    assert found.own > found.best - 0.02


def test_each_rule_may_bring_in_strangers():
    """No level of a sex says that two agree: of a rule that demands one no strangers were thought possible, and
    the fit took the log of nothing."""
    with np.errstate(divide="raise", invalid="raise"):
        found = link(make_register(8_000, PLAIN, seed=8), fields("surname", "birth_date", "sex", "postcode"))
    assert all(component["share"] > 0 for component in found.model["components"])


def test_children_without_forename_are_put_forward_by_a_number_alone():
    """Twins may be among them, and nothing tells but a number."""
    born = pl.col("dob").str.slice(0, 4) > "2009"
    frame, held = thin_register(("last", "dob", "nhs"), 3_000, TROUBLE["plain"], seed=1)
    numbered = measured(frame.filter(born), held)
    assert numbered.pairs > 10
    assert numbered.put >= 0.95
    frame, held = thin_register(("last", "dob"), 3_000, TROUBLE["plain"], seed=1)
    assert measured(frame.filter(born), held).pairs == 0


def test_luck_is_spared_where_nothing_shows_twins():
    """Surname, date and postcode: of 130 pairs put forward 0.938 were right, the rest twins and neighbours."""
    twin = next(one for one in PERSON.profiles if one.name == "twin")
    assert twin.hides(("surname", "birth_date", "address"))
    assert not twin.hides(("surname", "birth_date", "address", "sex"))
    assert not twin.hides(("forename", "surname", "birth_date"))
    found = measured(*thin_register(COLUMNS_OF_FEW["surname, date, postcode"], 1_000, TROUBLE["plain"], seed=2))
    assert not found.pairs or found.put >= 0.95
    assert "No forename" in found.warned
