"""What the model learns from: a sample of candidate pairs, and where its profiles start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.keys import BlockedPairs, Rule, expected_missed, rule_key, runs
from casebridge.dedupe.linkage.blocking.rules import available
from casebridge.dedupe.linkage.comparisons.levels import (
    HOUSEHOLD,
    MOVED,
    NAMESAKE,
    PEOPLE,
    RELATION,
    SETTLED,
    SIBLING,
    TWIN,
    Comparison,
    per_group,
)
from casebridge.dedupe.linkage.model.background import Background, background
from casebridge.dedupe.linkage.model.mixture import (
    PRIOR_CHANCE,
    PRIOR_LUCKY,
    PRIOR_MEASURED,
    PRIOR_PEOPLE,
    Component,
    Model,
    refit,
)
from casebridge.dedupe.linkage.model.namesakes import HeldChance, count_coincidences
from casebridge.dedupe.linkage.model.patterns import Patterns, Radix, count_patterns, distinct
from casebridge.dedupe.linkage.register.encoding import Register

FIRST_STEP, SMALL_SAMPLE = 10, 50_000
RANDOM_PAIRS, RARE_LEVEL, LEAST_STRANGERS = 60_000, 1e-3, 0.02
PAIRS_IN_BLOCKS = 20_000
ROWS_LOOKED_AT = 100_000
STARTING_SHARES = {SETTLED: 0.10, MOVED: 0.04, TWIN: 0.01, SIBLING: 0.03, HOUSEHOLD: 0.06, NAMESAKE: 0.005}
CHANCE_SHARE = 0.755
MISTAKEN_NUMBERS = 0.004
TWIN_PAIRS_A_ROW = 0.025  # three times what births give: 1.5 % of people have a twin
SAME_BIRTH_DATE = 0.01  # of siblings and households: else they are twins
OTHER_BIRTH_DATE, PLAINLY = 0.03, 10  # of one person, each level from this on: no slip makes 1951 of 1983
A_GENERATION, APART = 0.0005, 13  # of one person, over 15 years apart: parent and child of one name
BY_DEFINITION = {("address", NAMESAKE), ("birth_date", TWIN)}
MAIN_PARTS = {"address": "postcode", "death_date": "", "middle_name": "middle_name"}
OWNERS = {
    "forename": ("forename",), "surname": ("surname",), "names": ("forename", "surname"),
    "rare_names": ("forename", "surname"),
    "middle_name": ("middle_name",),
    "forename_sound": ("forename",), "surname_sound": ("surname",), "birth_date": ("birth_date",),
    "birth_year": ("birth_date",), "birthday": ("birth_date",), "sex": ("sex",), "house": ("address",),
    "street": ("address",), "postcode": ("address",), "sector": ("address",), "nhs_number": ("nhs_number",),
    "phone": ("phone",),
}  # fmt: skip


@dataclass(frozen=True)
class Sampled:
    """Sampled candidate pairs: code of the pattern, how many pairs each stands for, how many rules make it."""

    codes: NDArray[np.int64]
    weights: NDArray[np.float64]
    captures: NDArray[np.uint8]


def training_patterns(
    register: Register, candidates: BlockedPairs, comparisons: Sequence[Comparison], radix: Radix, wanted: int
) -> tuple[list[Patterns], Sampled]:
    """Patterns of a sample of candidate pairs before anything is pruned, and the sample: first those of every
    FIRST_STEP-th pair, then those of all.

    Whole blocks are drawn by their key, so the sample does not depend on the order of rows; every rule
    gets its share of `wanted`, and its pairs are weighted back to how many the rule makes.
    """
    codes, weights, captures = [], [], []
    for number, rate in enumerate(sampling_rates([b.raw_pairs for b in candidates.blocks], wanted)):
        left, right = candidates.sample(number, rate)
        sides = register.sides(left, right)
        codes.append(radix.encode([c.full(*sides) for c in comparisons]))
        weights.append(np.full(len(left), 1.0 / rate))
        captures.append(candidates.captures(left, right))
    sparse = [slice(None, None, FIRST_STEP), slice(None)] if sum(map(len, codes)) > SMALL_SAMPLE else [slice(None)]
    samples = [
        count_patterns(radix, np.concatenate([c[s] for c in codes]), np.concatenate([w[s] for w in weights]))
        for s in sparse
    ]
    return samples, Sampled(np.concatenate(codes), np.concatenate(weights), np.concatenate(captures))


def estimated_recall(model: Model, radix: Radix, sample: Sampled) -> float:
    """Share of the true pairs that blocking finds, by capture and recapture in the sample."""
    found, place = distinct(sample.codes)
    p = model.relations(radix.decode(found))[:, 0]
    return expected_missed(sample.captures, sample.weights * p[place])["recall"]


def sampling_rates(raw: Sequence[int], wanted: int) -> list[float]:
    """Share of each rule's pairs to sample: small rules whole, large ones an equal number each."""
    rates, left, rules = [1.0] * len(raw), float(wanted), len(raw)
    for number in sorted(range(len(raw)), key=lambda n: raw[n]):
        share = left / rules
        rates[number] = min(1.0, share / raw[number]) if raw[number] else 1.0
        left -= min(share, raw[number])
        rules -= 1
    return rates


def starting_components(chance_of: RandomAgreement, candidates: BlockedPairs) -> list[Component]:
    """Where the mixture starts: what is believed of each relation, and chance agreement as it is measured
    in random pairs and, for what a blocking rule demands, in pairs that agree on just that."""
    register, comparisons = chance_of.register, chance_of.comparisons
    pairs = max(1, sum(blocks.raw_pairs for blocks in candidates.blocks))
    most_twins = TWIN_PAIRS_A_ROW * register.size / pairs
    people = [_person(name, comparisons, chance_of, most_twins if name == TWIN else 1.0) for name in PEOPLE]
    raw = np.array([blocks.raw_pairs for blocks in candidates.blocks], dtype=np.float64) + 1.0
    numbers = {comparison.name for comparison in comparisons if comparison.identifier}
    return people + [
        _by_chance(blocks.rule, float(part), comparisons, chance_of, numbers)
        for blocks, part in zip(candidates.blocks, raw / raw.sum(), strict=True)
    ]


def _by_chance(
    rule: Rule, part: float, comparisons: Sequence[Comparison], chance_of: RandomAgreement, numbers: set[str]
) -> Component:
    """Chance agreement as one rule brings it in. What a shared identifier brings in is taken for one person
    but for a small share of mistaken numbers, which no data may enlarge."""
    mistaken = len(rule) == 1 and rule[0] in numbers
    return Component(
        "chance: " + (" + ".join(rule) or "any pair"),
        "chance",
        part * (MISTAKEN_NUMBERS if mistaken else CHANCE_SHARE),
        tuple(chance_of.profile(comparison, rule) for comparison in comparisons),
        tuple(_chance_prior(c, rule) for c in comparisons),
        steady=mistaken,
    )


def _chance_prior(comparison: Comparison, rule: Rule) -> float:
    """What random pairs show of a comparison is measured, and stands firm; what pairs show that a rule has
    picked out by this very comparison is looser."""
    if comparison.identifier or comparison.fixed:
        return np.inf
    demanded = any(comparison.name in OWNERS.get(part, (part,)) for part in rule)
    return PRIOR_CHANCE if demanded else PRIOR_MEASURED


def _person(name: str, comparisons: Sequence[Comparison], chance_of: RandomAgreement, most: float) -> Component:
    """The starting profile of one of PEOPLE."""
    place, start, prior = PEOPLE.index(name), [], []
    two_people = RELATION[name] != "same"
    for comparison in comparisons:
        believed = per_group(np.array([level.start[place] for level in comparison.levels]), comparison.groups)
        by_luck = comparison.lucky and name in (TWIN, SIBLING, HOUSEHOLD)
        start.append(0.99 * chance_of.profile(comparison, ()) + 0.01 * believed if by_luck else believed)
        held = (
            comparison.fixed or (comparison.identifier and two_people) or (comparison.name, name) in BY_DEFINITION
        )
        prior.append(np.inf if held else PRIOR_LUCKY if by_luck else PRIOR_PEOPLE)
    pooled = tuple(name in (SETTLED, MOVED) and not comparison.moves for comparison in comparisons)
    share = min(STARTING_SHARES[name], most)
    ceilings = tuple(_ceiling(name, c.name, place) for c in comparisons for place in range(c.null))
    return Component(name, RELATION[name], share, tuple(start), tuple(prior), pooled, False, most, ceilings)


def _ceiling(name: str, comparison: str, place: int) -> float:
    """The most that a level may stand for among pairs of one of PEOPLE. Without ceilings relations take one
    another's pairs where columns are few: parents and children of one name and home for one person."""
    if comparison != "birth_date":
        return 1.0
    if RELATION[name] == "same":
        return A_GENERATION if place >= APART else OTHER_BIRTH_DATE if place >= PLAINLY else 1.0
    return SAME_BIRTH_DATE if name in (SIBLING, HOUSEHOLD) and place < 2 else 1.0


def _chances(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return counts / counts.sum()


class Strangers:
    """What pairs of strangers look like in a register, and how many there are.

    The agreement counted over a column includes that of duplicates. `refit` takes off what a first fit
    holds to be one person: of little weight in a large register, of much in a small one full of duplicates.
    """

    def __init__(self, chance_of: RandomAgreement, link_only: bool, rules: Sequence[Rule]) -> None:
        register, comparisons = chance_of.register, chance_of.comparisons
        self.comparisons = comparisons
        self.namesakes = None if link_only else count_coincidences(register, comparisons, rules)
        found = [chance_of.at_random(comparison) for comparison in comparisons]
        self.groups = [comparison.groups for comparison in comparisons]
        self.chances = [chances for chances, _ in found]
        self.held = np.array([share for _, share in found])
        self.telling = sum(1 << n for n, c in enumerate(comparisons) if c.name != "sex" and not c.fixed)
        self.pairs = register.size * (register.size - 1) / 2
        if link_only and register.source is not None:
            within = np.bincount(register.source).astype(np.float64)
            self.pairs -= float((within * (within - 1) / 2).sum())

    def counted(self, patterns: Patterns) -> Background:
        """The background with duplicates counted in: a floor that is too high rather than too low."""
        return self._background(self.chances, patterns)

    def refit(self, model: Model, patterns: Patterns) -> Model:
        """The model fitted to more patterns, beside strangers without the pairs it now holds to be one person."""
        same = patterns.weight * model.relations(patterns.levels)[:, 0]
        chances = []
        for place, counted in enumerate(self.chances):
            size = len(counted)
            ours = np.bincount(patterns.levels[:, place], weights=same, minlength=size + 1)[:size]
            pairs = counted * self.pairs * self.held[place] + 1e-9
            chances.append(_chances(np.maximum(pairs - ours, LEAST_STRANGERS * pairs)))
        held = HeldChance.of(self.namesakes, self.comparisons, patterns, same) if self.namesakes else None
        return refit(model, patterns, self._background(chances, patterns), held)

    def _background(self, chances: list[NDArray[np.float64]], patterns: Patterns) -> Background:
        grouped = [per_group(c, groups) for c, groups in zip(chances, self.groups, strict=True)]
        return background(grouped, self.held, patterns.levels, patterns.weight, self.pairs, self.telling)


class RandomAgreement:
    """Chance agreement, measured. The first rows of a register are a random sample of it."""

    def __init__(self, register: Register, comparisons: Sequence[Comparison], seed: int) -> None:
        self.register, self.comparisons, self.seed = register, comparisons, seed
        self.rows = min(register.size, ROWS_LOOKED_AT)
        self.found: dict[tuple[str, Rule], NDArray[np.float64]] = {}
        self.levels: dict[tuple[str, Rule], NDArray[np.uint8]] = {}

    def profile(self, comparison: Comparison, rule: Rule) -> NDArray[np.float64]:
        demanded = tuple(part for part in rule if comparison.name in OWNERS.get(part, (part,)))
        where = (comparison.name, demanded)
        if comparison.fixed:
            start = np.array([level.start[PEOPLE.index(HOUSEHOLD)] for level in comparison.levels])
            return per_group(start, comparison.groups)
        if where not in self.found:
            counts = self._counted(comparison, demanded)
            if comparison.given:
                half = comparison.groups[0]
                given = self._counted(comparison, tuple(dict.fromkeys((*comparison.given, *demanded))))
                counts = np.concatenate([counts[:half], given[half:]])
            self.found[where] = per_group(counts, comparison.groups)
        return self.found[where]

    def _counted(self, comparison: Comparison, demanded: Rule) -> NDArray[np.float64]:
        """How often each level stands among pairs that agree on `demanded`, and a little of what is believed."""
        counts = np.bincount(self._drawn(comparison, demanded), minlength=comparison.null + 1)[: comparison.null]
        believed = per_group(np.array([lv.start[4] for lv in comparison.levels]), comparison.groups)
        return counts + 0.5 * believed + 0.02

    def at_random(self, comparison: Comparison) -> tuple[NDArray[np.float64], float]:
        """Chance of each level in two rows drawn at random, given that both hold a value; and the chance that
        both do. Agreement is too rare to be met in a sample: it is counted over the whole column, and the pairs
        of the sample say what those look like that do not agree."""
        left, right = self._random()
        found = self._drawn(comparison, ())
        share = float(np.mean(found != comparison.null)) if len(found) else 0.0
        part = MAIN_PARTS.get(comparison.name, comparison.name)
        if comparison.fixed or comparison.identifier or not available(self.register, part):
            return self._smoothed(comparison, found), share
        key = rule_key(self.register, (part,), self.rows)
        chances = self._smoothed(comparison, found[key[left] != key[right]])
        lengths = runs(key)[1].astype(np.float64)
        given = float(np.count_nonzero(key))
        agree = float((lengths * (lengths - 1)).sum()) / max(1.0, given * (given - 1))
        return agree * _chances(self._counted(comparison, (part,))) + (1 - agree) * chances, share

    def _smoothed(self, comparison: Comparison, found: NDArray[np.uint8]) -> NDArray[np.float64]:
        counts = np.bincount(found, minlength=comparison.null + 1)[: comparison.null].astype(np.float64)
        return _chances(counts + RARE_LEVEL / comparison.null)

    def _drawn(self, comparison: Comparison, demanded: Rule) -> NDArray[np.uint8]:
        """Levels of a comparison in random pairs, or in pairs that agree on `demanded`; worked out once."""
        where = (comparison.name, demanded)
        if where not in self.levels:
            rows = self._agreeing(demanded) if demanded else self._random()
            self.levels[where] = comparison.full(*self.register.sides(*rows))
        return self.levels[where]

    def _random(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        steps = max(1, min(self.rows - 1, RANDOM_PAIRS // self.rows + 1))
        count = min(self.rows, RANDOM_PAIRS)
        left = np.tile(np.arange(count, dtype=np.int32), steps)
        right = (left + np.repeat(np.arange(1, steps + 1, dtype=np.int32), count)) % np.int32(self.rows)
        unlike = left != right
        return left[unlike], right[unlike]

    def _agreeing(self, parts: Rule) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Random pairs of rows that agree on parts of a rule, every such pair equally likely."""
        key = rule_key(self.register, parts, self.rows)
        order, lengths = runs(key)
        if len(order) == 0:
            return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32)
        random = np.random.default_rng(self.seed)
        pairs = np.cumsum(lengths * (lengths - 1) // 2)
        block = np.searchsorted(pairs, random.integers(0, pairs[-1], PAIRS_IN_BLOCKS), side="right")
        size, start = lengths[block], (np.cumsum(lengths) - lengths)[block]
        first = random.integers(0, size)
        second = (first + random.integers(1, size)) % size
        return order[start + first], order[start + second]
