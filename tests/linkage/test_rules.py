"""Registers of many gaps get more blocking rules; rules asked for stand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.kinds import PLAIN, VARIANTS
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import LinkOptions
from casebridge.dedupe.linkage.blocking.rules import FURTHER_PAIRS_A_ROW, estimated_pairs, further_rules
from casebridge.dedupe.linkage.engine import blocked_pairs, widened
from casebridge.dedupe.linkage.register.reading import read_register
from tests.linkage.registers_for_tests import fields_of

OWN = LinkOptions()


@pytest.fixture(scope="module")
def gaps():
    variant = VARIANTS["gaps"]
    return read_register(make_register(6000, variant, seed=3), fields_of(variant))


def test_low_recall_brings_more_rules(gaps):
    found = blocked_pairs(gaps, fields_of(PLAIN), OWN)
    wider = widened(gaps, found, OWN, recall=0.9)
    assert wider.blocks[: len(found.blocks)] == found.blocks
    assert len(wider.blocks) > len(found.blocks)
    rules = [blocks.rule for blocks in wider.blocks]
    assert len(set(rules)) == len(rules)


@pytest.mark.parametrize(("options", "recall"), [(OWN, 0.99), (LinkOptions(rules=(("names",),)), 0.5)])
def test_enough_or_asked_for_stands(gaps, options, recall):
    found = blocked_pairs(gaps, fields_of(PLAIN), options)
    assert widened(gaps, found, options, recall) is found


def test_further_rules_keep_to_the_budget(gaps):
    found = further_rules(gaps, [("birth_date",)])
    assert found
    assert sum(estimated_pairs(gaps, rule) for rule in found) <= FURTHER_PAIRS_A_ROW * gaps.size
    assert not any("birth_date" in rule for rule in found)


def test_further_rules_need_their_columns():
    variant = replace(PLAIN, columns=("first", "last", "dob", "postcode"))
    register = read_register(make_register(3000, variant, seed=3), fields_of(variant))
    named = {part for rule in further_rules(register, []) for part in rule}
    assert named.isdisjoint({"sex", "street", "house", "middle_name"})
