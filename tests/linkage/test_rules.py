"""Registers of many gaps get more blocking rules; rules asked for stand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from benchmarks.kinds import PLAIN, VARIANTS
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import Fields, LinkOptions, link
from casebridge.dedupe.linkage.blocking.candidates import blocked_pairs, widened
from casebridge.dedupe.linkage.blocking.keys import rule_key
from casebridge.dedupe.linkage.blocking.net import lost_pairs, met_in
from casebridge.dedupe.linkage.blocking.recapture import expected_missed
from casebridge.dedupe.linkage.blocking.rules import further_rules, net_rules
from casebridge.dedupe.linkage.blocking.yields import worthwhile_rules
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.register.reading import read_register
from casebridge.dedupe.linkage.register.runs import held_by_many
from tests.linkage.registers_for_tests import fields_of

OWN = LinkOptions()


@pytest.fixture(scope="module")
def gaps():
    variant = VARIANTS["gaps"]
    return read_register(make_register(6000, variant, seed=3), fields_of(variant), PERSON)


def nothing(pairs):
    """A judge to whom no two records are one person."""
    return pairs, np.zeros(len(pairs[0]))


@pytest.fixture(scope="module")
def judged(gaps):
    """Candidates by few rules, and a judge who goes by name and birth date."""
    found = blocked_pairs(gaps, fields_of(PLAIN), LinkOptions(rules=(("nhs_number",), ("postcode", "forename"))))

    def judge(pairs):
        left, right = pairs
        alike = sum((gaps.columns[c][left] == gaps.columns[c][right]) & (gaps.columns[c][left] > 0)
                    for c in ("surname", "birth_date", "forename"))  # fmt: skip
        return pairs, (alike >= 2).astype(np.float64)

    return found, judge


def test_low_recall_brings_rules_that_bring_pairs(gaps, judged):
    found, judge = judged
    wider = widened(gaps, found, OWN, judge, 500.0, 0.9)
    assert wider.blocks[: len(found.blocks)] == found.blocks
    rules = [blocks.rule for blocks in wider.blocks]
    assert len(set(rules)) == len(rules) > len(found.blocks)
    assert widened(gaps, found, OWN, nothing, 500.0, 0.9) is found
    assert len(rules) - len(found.blocks) < len(further_rules(gaps, rules[: len(found.blocks)]))


def test_the_best_rule_comes_first_and_nothing_beyond_the_budget(gaps, judged):
    found, judge = judged
    rules = further_rules(gaps, [blocks.rule for blocks in found.blocks])
    chosen = worthwhile_rules(gaps, found, rules, judge, (500.0, 0.1), 400, 1)
    assert sum(blocks.raw_pairs for blocks in chosen) <= 20 * gaps.size

    def brings(rule):
        one = worthwhile_rules(gaps, found, [rule], judge, (500.0, 0.1), 400, 1)
        made = replace(found, blocks=(*found.blocks, *one)).pairs((len(found.blocks), 0, len(one[0].order)))
        return judge(made)[1].sum() / (one[0].raw_pairs + gaps.size)

    assert brings(chosen[0].rule) >= 0.9 * max(brings(blocks.rule) for blocks in chosen)


@pytest.mark.parametrize(("options", "recall"), [(OWN, 0.99), (LinkOptions(rules=(("names",),)), 0.5)])
def test_enough_or_asked_for_stands(gaps, options, recall):
    found = blocked_pairs(gaps, fields_of(PLAIN), options)
    assert widened(gaps, found, options, nothing, 500.0, recall) is found


def test_what_is_lost_is_counted(gaps, judged):
    """Of all pairs that the judge calls one person, those that no rule makes."""
    found, judge = judged
    lost = lost_pairs(gaps, found, met_in(gaps, net_rules(gaps)), judge)
    assert lost.records == 1000
    everything = blocked_pairs(gaps, fields_of(PLAIN), LinkOptions(rules=((),)))
    left, right = everything.pairs((0, 0, 1000))
    met = judge((left, right))[1] > 0
    truly = (found.captures(left[met], right[met]) > 0).mean()
    assert lost.recall == pytest.approx(truly, abs=0.08)
    assert lost.recall < 0.7


@pytest.mark.parametrize(
    "rules", [(("birth_date",), ("names",)), (("postcode",), ("nhs_number",)), (("nhs_number",), ("phone", "sex"))]
)
def test_recapture_says_what_no_rule_makes(gaps, rules):
    """One rule that makes nearly all, and rules that lose a third and four fifths of the pairs of one person."""
    found = blocked_pairs(gaps, fields_of(PLAIN), LinkOptions(rules=rules))
    person = gaps.ids.to_frame("id").join(make_register(6000, VARIANTS["gaps"], seed=3), on="id", how="left",
                                          maintain_order="left")["person"].to_numpy()  # fmt: skip
    rows = pl.DataFrame({"p": person, "r": np.arange(gaps.size, dtype=np.int32)})
    both = rows.join(rows, on="p").filter(pl.col("r") < pl.col("r_right"))
    left, right = both["r"].to_numpy(), both["r_right"].to_numpy()
    made = found.captures(left, right) > 0
    told = expected_missed(gaps, found, (left[made], right[made]), np.ones(int(made.sum())))
    assert told["recall_if_uneven"] - 0.02 <= made.mean() <= told["recall"] + 0.02
    assert told["recall"] - told["recall_if_uneven"] < 0.2
    assert told["found"] / (told["found"] + told["missed"]) == pytest.approx(told["recall"])


def test_much_lost_is_warned_of():
    frame = make_register(2500, PLAIN, seed=3)
    few = link(frame, fields_of(PLAIN), LinkOptions(rules=(("nhs_number",), ("phone",))))
    assert few.model["blocking"]["net"]["recall"] < 0.8
    assert any("No blocking rule brings together" in warning for warning in few.model["warnings"])


def test_a_free_column_may_stand_in_a_rule():
    frame = make_register(3000, PLAIN, seed=3).with_columns(town=pl.col("postcode").str.slice(0, 3))
    register = read_register(frame, replace(fields_of(PLAIN), other={"town": "town"}), PERSON)
    assert any("town" in rule for rule in further_rules(register, []))


def test_further_rules_need_their_columns():
    variant = replace(PLAIN, columns=("first", "last", "dob", "postcode"))
    register = read_register(make_register(3000, variant, seed=3), fields_of(variant), PERSON)
    named = {part for rule in further_rules(register, []) for part in rule}
    assert named.isdisjoint({"sex", "street", "house", "middle_name"})


def test_what_many_hold_is_exact_whatever_the_hash():
    """Of 300,000 numbers some share a hash: they are not taken for one value."""
    single = np.arange(1, 300_001, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    values = np.concatenate([single, single[:5], np.zeros(4, dtype=np.uint64)])
    many, one_each = held_by_many(values, 1)
    assert np.flatnonzero(many).tolist() == [*range(5), *range(300_000, 300_005)]
    assert sorted(values[one_each]) == sorted(single[:5])


def test_first_letters_bring_names_together_that_sound_otherwise():
    """Slips that change the sound of both names, and another year: the day and first letters still stand."""
    frame = make_register(3000, PLAIN, seed=3)
    register = read_register(frame, fields_of(PLAIN), PERSON)
    rules = further_rules(register, [])
    rule = ("forename_initial", "surname_start", "birthday")
    assert rule in rules
    assert PERSON.implied(("forename", "surname")) >= {"forename_initial", "surname_start", "surname_initial"}
    two = pl.DataFrame(
        {"id": ["a", "b", "c"], "first": ["Katherine", "Kaberne", "Kim"], "last": ["Wadsworth", "Wadzgortp", "Wu"],
         "dob": ["1980-02-03", "1981-02-03", "1981-02-03"]}
    )  # fmt: skip
    roles = {"forename": "first", "surname": "last", "birth_date": "dob"}
    key = rule_key(read_register(two, Fields("id", roles), PERSON), rule)
    assert sorted(np.unique(key, return_counts=True)[1]) == [1, 2]


def test_a_middle_name_may_make_pairs_by_itself_where_few_hold_it():
    """Of people whose other names are lacking it may be all that two records have in common."""
    variant = VARIANTS["plain"]
    frame = make_register(3000, variant, seed=3)
    rare = frame.with_columns(middle=pl.lit("Q") + (pl.col("person").cast(pl.Int64) % 900).cast(pl.String))
    rare = rare.with_columns(middle=pl.col("middle").map_elements(_letters, return_dtype=pl.String))
    assert ("middle_name",) in further_rules(read_register(rare, fields_of(variant), PERSON), [])
    common = frame.with_columns(middle=pl.lit("Ann"))
    assert ("middle_name",) not in further_rules(read_register(common, fields_of(variant), PERSON), [])


def _letters(text: str) -> str:
    return "".join(chr(ord("a") + int(sign)) if sign.isdigit() else sign for sign in text)
