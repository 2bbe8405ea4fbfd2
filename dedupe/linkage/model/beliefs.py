"""What is believed before the fit: where each profile of the mixture starts, how far data may move it, and chance
agreement as it is measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.keys import BlockedPairs, Rule, implied, rule_key, runs
from casebridge.dedupe.linkage.blocking.rules import available
from casebridge.dedupe.linkage.comparisons.levels import (
    AGREES,
    GENERATION,
    HOUSEHOLD,
    MOVED,
    NAMESAKE,
    PEOPLE,
    RELATION,
    SETTLED,
    SIBLING,
    TWIN,
    UNLIKE,
    Comparison,
    Level,
    per_group,
)
from casebridge.dedupe.linkage.model.mixture import (
    PRIOR_CHANCE,
    PRIOR_LUCKY,
    PRIOR_MEASURED,
    PRIOR_PEOPLE,
    Component,
)
from casebridge.dedupe.linkage.register.encoding import Register

RANDOM_PAIRS, RARE_LEVEL = 60_000, 1e-3
PAIRS_IN_BLOCKS = 20_000
ROWS_LOOKED_AT = 100_000
STARTING_SHARES = {SETTLED: 0.10, MOVED: 0.04, TWIN: 0.01, SIBLING: 0.03, HOUSEHOLD: 0.06, NAMESAKE: 0.005}
CHANCE_SHARE = 0.755
MISTAKEN_NUMBERS = 0.004
TWIN_PAIRS_A_ROW = 0.025  # three times what births give: 1.5 % of people have a twin
SAME_BIRTH_DATE = 0.01  # of siblings and households: else they are twins
OTHER_BIRTH_DATE = 0.03  # of one person, each UNLIKE level: no slip makes 1951 of 1983
A_GENERATION = 0.0005  # of one person, over 15 years apart: parent and child of one name
PARTS_OF = {"names": ("forename", "surname")}
NEVER = 1e-7
DEPENDENCE, COHORTS = 2.0, 1.5
"""By how much strangers may agree more often than random pairs do: names go together in families and origins, and
with birth dates by the fashion of the time only. Looser, and chance takes the slips of duplicates where names are
few."""
OF_A_HOME = ("address", "phone")
OF_A_PLACE = ("address",)  # people of one name live near one another, and random pairs do not show it
LIVES_BY = {SIBLING: OF_A_HOME, HOUSEHOLD: OF_A_HOME, NAMESAKE: OF_A_HOME}
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


def starting_components(chance_of: RandomAgreement, candidates: BlockedPairs) -> list[Component]:
    """Where the mixture starts: what is believed of each relation, and chance agreement as it is measured
    in random pairs and, for what a blocking rule demands, in pairs that agree on just that."""
    register, comparisons = chance_of.register, chance_of.comparisons
    pairs = max(1, sum(blocks.raw_pairs for blocks in candidates.blocks))
    most_twins = TWIN_PAIRS_A_ROW * register.size / pairs
    people = [
        _person(name, comparisons, chance_of, most_twins if name == TWIN else 1.0)
        for name in PEOPLE
        if carried(name, comparisons)
    ]
    raw = np.array([blocks.raw_pairs for blocks in candidates.blocks], dtype=np.float64) + 1.0
    numbers = {comparison.name for comparison in comparisons if comparison.identifier}
    whole = [() if blocks.divided or blocks.windowed else blocks.rule for blocks in candidates.blocks]
    return people + [
        _by_chance(blocks.rule, whole[:place], float(part), comparisons, chance_of, numbers)
        for place, (blocks, part) in enumerate(zip(candidates.blocks, raw / raw.sum(), strict=True))
    ]


def carried(name: str, comparisons: Sequence[Comparison]) -> bool:
    """Whether the comparisons can tell pairs of one of PEOPLE from the others.

    What makes two people siblings, a household, or father and son of one name and home is that they live
    together: where nothing that a home shares is held, that profile is "a name shared, the rest more or less", and
    would take duplicates.
    """
    return not LIVES_BY.get(name) or any(c.name in LIVES_BY[name] for c in comparisons)


def _by_chance(
    rule: Rule,
    before: Sequence[Rule],
    part: float,
    comparisons: Sequence[Comparison],
    chance_of: RandomAgreement,
    numbers: set[str],
) -> Component:
    """Chance agreement as one rule brings it in. What a shared identifier brings in is taken for one person
    but for a small share of mistaken numbers, which no data may enlarge."""
    mistaken = len(rule) == 1 and rule[0] in numbers
    profiles = tuple(chance_of.profile(comparison, rule) for comparison in comparisons)
    met = met_before(rule, before)
    most = [_most_by_chance(c, rule, profile, met) for c, profile in zip(comparisons, profiles, strict=True)]
    return Component(
        "chance: " + (" + ".join(rule) or "any pair"),
        "chance",
        part * (MISTAKEN_NUMBERS if mistaken else CHANCE_SHARE),
        profiles,
        tuple(_chance_prior(c, rule) for c in comparisons),
        steady=mistaken,
        ceilings=tuple(np.concatenate(most)),
    )


def _most_by_chance(
    comparison: Comparison, rule: Rule, profile: NDArray[np.float64], met: set[str]
) -> NDArray[np.float64]:
    """The most that each level may stand for among strangers whom a rule brings together: what random pairs show,
    and so much more as names, times and places go together. met: comparisons whose agreement an earlier rule has
    brought in."""
    most = np.ones(len(profile))
    if not demanded(comparison, rule) and comparison.name not in OF_A_PLACE:
        most = np.minimum(1.0, (COHORTS if comparison.name == "birth_date" else DEPENDENCE) * profile + 1e-6)
    if comparison.name in met:
        most[agreements(comparison)] = NEVER
    return most


def agreements(comparison: Comparison) -> NDArray[np.bool_]:
    """Levels that say two values are the same."""
    return comparison.tagged(AGREES)[: comparison.null]


def met_before(rule: Rule, before: Sequence[Rule]) -> set[str]:
    """Comparisons on which strangers whom a rule brings together cannot agree: else an earlier rule had brought
    them in. Without this the same strangers would be expected once from every rule they meet."""
    held = implied(rule)
    found = set()
    for earlier in before:
        lacks = {one for part in earlier for one in PARTS_OF.get(part, (part,))} - held
        owners = {owner for part in lacks for owner in OWNERS.get(part, (part,))}
        if len(owners) == 1 and owners <= {"forename", "surname", "birth_date"} and not lacks & {"rare_names"}:
            found |= owners
    return found


def demanded(comparison: Comparison, rule: Rule) -> bool:
    """Whether a rule picks out pairs by what this comparison compares."""
    return any(comparison.name in OWNERS.get(part, (part,)) for part in rule)


def _chance_prior(comparison: Comparison, rule: Rule) -> float:
    """What random pairs show of a comparison is measured, and stands firm; what pairs show that a rule has
    picked out by this very comparison is looser."""
    if comparison.identifier or comparison.fixed:
        return np.inf
    return PRIOR_CHANCE if demanded(comparison, rule) else PRIOR_MEASURED


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
    ceilings = tuple(_ceiling(name, c.name, level) for c in comparisons for level in c.levels)
    return Component(name, RELATION[name], share, tuple(start), tuple(prior), pooled, False, most, ceilings)


def _ceiling(name: str, comparison: str, level: Level) -> float:
    """The most that a level may stand for among pairs of one of PEOPLE. Without ceilings relations take one
    another's pairs where columns are few: parents and children of one name and home for one person."""
    if comparison != "birth_date":
        return 1.0
    if RELATION[name] == "same":
        return {GENERATION: A_GENERATION, UNLIKE: OTHER_BIRTH_DATE}.get(level.tag or "", 1.0)
    return SAME_BIRTH_DATE if name in (SIBLING, HOUSEHOLD) and level.tag == AGREES else 1.0


def as_chances(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return counts / counts.sum()


class RandomAgreement:
    """Chance agreement, measured. The first rows of a register are a random sample of it."""

    def __init__(self, register: Register, comparisons: Sequence[Comparison], seed: int) -> None:
        self.register, self.comparisons, self.seed = register, comparisons, seed
        self.rows = min(register.size, ROWS_LOOKED_AT)
        self.found: dict[tuple[str, Rule], NDArray[np.float64]] = {}
        self.levels: dict[tuple[str, Rule], NDArray[np.uint8]] = {}

    def put_right(self, chances: Sequence[NDArray[np.float64]]) -> None:
        """From here on random pairs show these chances, one array a comparison."""
        for comparison, known in zip(self.comparisons, chances, strict=True):
            if not comparison.given and not comparison.fixed:
                believed = per_group(np.array([lv.start[4] for lv in comparison.levels]), comparison.groups)
                self.found[comparison.name, ()] = per_group(
                    RANDOM_PAIRS * known + 0.5 * believed + 0.02, comparison.groups
                )

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
        return agree * as_chances(self._counted(comparison, (part,))) + (1 - agree) * chances, share

    def _smoothed(self, comparison: Comparison, found: NDArray[np.uint8]) -> NDArray[np.float64]:
        counts = np.bincount(found, minlength=comparison.null + 1)[: comparison.null].astype(np.float64)
        return as_chances(counts + RARE_LEVEL / comparison.null)

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
