"""The candidate pairs of a register: the rules chosen for it, and more where these lose much."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from casebridge.dedupe.linkage.blocking.divisions import Division
from casebridge.dedupe.linkage.blocking.keys import BlockedPairs, Blocks, build_blocks
from casebridge.dedupe.linkage.blocking.rules import choose_rules, further_rules
from casebridge.dedupe.linkage.blocking.yields import Judge, worthwhile_rules
from casebridge.dedupe.linkage.fields import Fields, LinkOptions
from casebridge.dedupe.linkage.kind import Rule
from casebridge.dedupe.linkage.register.encoding import Register

LOST = 0.02


def blocked_pairs(
    register: Register, fields: Fields, options: LinkOptions, divisions: Sequence[Division] | None = None
) -> BlockedPairs:
    """The candidates that the rules of the options make, or those that the register's columns allow. divisions:
    how a kept model divides the large blocks of each rule."""
    rules = choose_rules(register, options.rules)
    with ThreadPoolExecutor(options.threads) as pool:
        blocks = tuple(
            pool.map(partial(_blocks, register, options.max_block), rules, divisions or (None,) * len(rules))
        )
    source = register.source if fields.link_only else None
    return BlockedPairs(blocks, source, register.pair_keys(options.not_pairs))


def widened(
    register: Register, candidates: BlockedPairs, options: LinkOptions, judge: Judge, found: float, recall: float
) -> BlockedPairs:
    """The candidates, with more rules where those chosen are estimated to lose more than LOST of the true
    pairs: a register of many gaps and slips. Rules that were asked for stand as they are. found: pairs of one
    person that are expected among the candidates."""
    held = tuple(blocks.rule for blocks in candidates.blocks)
    if options.rules is not None or 1 - recall <= LOST:
        return candidates
    rules = further_rules(register, held)
    more = worthwhile_rules(
        register, candidates, rules, judge, (found, 1 - recall), options.max_block, options.threads
    )
    return replace(candidates, blocks=candidates.blocks + more) if more else candidates


def _blocks(register: Register, max_block: int, rule: Rule, division: Division | None) -> Blocks:
    return (
        build_blocks(register, rule, max_block) if division is None else division.blocks(register, rule, max_block)
    )
