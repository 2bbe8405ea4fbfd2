"""What is believed before the fit: where each profile of the mixture starts, how far data may move it, and
chance agreement as it is measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.keys import BlockedPairs, rule_key
from casebridge.dedupe.linkage.blocking.rules import available
from casebridge.dedupe.linkage.comparisons.levels import AGREES, INITIALS, UNLIKE, Comparison, per_group
from casebridge.dedupe.linkage.kind import CHANCE, SAME, Kind, Profile, Rule
from casebridge.dedupe.linkage.model.mixture import (
    PRIOR_CHANCE,
    PRIOR_LUCKY,
    PRIOR_MEASURED,
    PRIOR_PEOPLE,
    Component,
)
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.runs import runs

RANDOM_PAIRS, RARE_LEVEL = 60_000, 1e-3
SELDOM = 0.5
"""Added to each level's count in RANDOM_PAIRS (Jeffreys' prior): of strangers 1 pair in 100,000 has day and month
changed about, and what a sample does not show would count for far less."""
PAIRS_IN_BLOCKS = 20_000
ROWS_LOOKED_AT = 100_000
MISTAKEN_NUMBERS = 0.004  # of pairs that share a number that names a person; a belief
NEVER = 1e-7
DEPENDENCE = 2.0
"""By how much strangers may agree more often than random pairs do, where the kind says nothing else: names go
together in families and origins. Looser, and chance takes the slips of duplicates where names are few. Doubled it
costs up to 0.0025 of F1, halved 0.0053 (docs/linkage-figures.md)."""
NAMED_ALIKE = 2.0
"""By how much people of one home may be called the same oftener than strangers, where dates tell them apart: a
family may name all sons Mohammed. A belief. Where half of the families of a made-up register do so, 1 warns
without need, and 2 and 4 change nothing; best F1 on historical_figures_50k: 0.847 with any of them, 0.837 without
a bound, but p was far too low there."""


def starting_components(chance_of: RandomAgreement, candidates: BlockedPairs) -> list[Component]:
    """Where the mixture starts: what is believed of each relation, and chance agreement as it is measured
    in random pairs and, for what a blocking rule demands, in pairs that agree on just that."""
    register, comparisons = chance_of.register, chance_of.comparisons
    pairs = max(1, sum(blocks.raw_pairs for blocks in candidates.blocks))
    kind = register.kind
    profiles = [
        _component(place, profile, comparisons, chance_of, pairs)
        for place, profile in enumerate(kind.profiles)
        if carried(kind, profile, comparisons)
    ]
    raw = np.array([blocks.raw_pairs for blocks in candidates.blocks], dtype=np.float64) + 1.0
    numbers = {comparison.name for comparison in comparisons if comparison.identifier}
    whole = [() if blocks.divided or blocks.windowed else blocks.rule for blocks in candidates.blocks]
    return profiles + [
        _by_chance(blocks.rule, whole[:place], float(part), comparisons, chance_of, numbers, pairs)
        for place, (blocks, part) in enumerate(zip(candidates.blocks, raw / raw.sum(), strict=True))
    ]


def carried(kind: Kind, profile: Profile, comparisons: Sequence[Comparison]) -> bool:
    """Whether the comparisons can tell pairs of a profile from the others.

    What makes two people siblings, a household, or father and son of one name and home is that they live
    together: where nothing that a home shares is held, that profile is "a name shared, the rest more or less",
    and would take duplicates. Not so one that is held, since nothing tells it from one entity.
    """
    names = [c.name for c in comparisons]
    carriers = (*profile.carried_by, *(profile.carried_where_blind if kind.blind(names) else ()))
    return not carriers or profile.untold(names) or any(name in carriers for name in names)


def _by_chance(
    rule: Rule,
    before: Sequence[Rule],
    part: float,
    comparisons: Sequence[Comparison],
    chance_of: RandomAgreement,
    numbers: set[str],
    pairs: int,
) -> Component:
    """Chance agreement as one rule brings it in. What a shared identifier brings in is taken for one person
    but for a small share of mistaken numbers, which no data may enlarge."""
    kind, mistaken = chance_of.register.kind, len(rule) == 1 and rule[0] in numbers
    profiles = tuple(chance_of.profile(comparison, rule) for comparison in comparisons)
    met = set() if kind.blind([c.name for c in comparisons]) else met_before(kind, rule, before)
    most = [_most_by_chance(kind, c, rule, at, met) for c, at in zip(comparisons, profiles, strict=True)]
    return Component(
        "chance: " + (" + ".join(rule) or "any pair"),
        CHANCE,
        part * (MISTAKEN_NUMBERS if mistaken else kind.chance.share),
        profiles,
        tuple(_chance_prior(kind, c, rule) for c in comparisons),
        steady=mistaken,
        most=min(1.0, _most_who_meet(kind, rule, comparisons, chance_of) / pairs),
        ceilings=tuple(np.concatenate(most)),
    )


def _most_who_meet(kind: Kind, rule: Rule, comparisons: Sequence[Comparison], chance_of: RandomAgreement) -> float:
    """The most pairs of strangers that a rule brings together. Where the register is blind, one that demands
    several agreements would else take people who have many records, of one name and ever new addresses."""
    if not kind.blind([c.name for c in comparisons]):
        return np.inf
    held = kind.implied(rule)
    shown = {name for part in rule for name in kind.shows(part)}
    agree = {
        c.name: chance_of.profile(c, ())[agreements(c)].sum()
        for c in comparisons
        if c.name in shown & held and agreements(c).any()
    }
    parts = [part for part in rule if not agree.keys() >= {*kind.shows(part)}]
    if len(shown) < 2 or len(agree) + len(parts) > len(shown) or not shown - held <= {*kind.chance.whole}:
        return np.inf
    rows = chance_of.register.size
    met = np.array([*agree.values(), *map(chance_of.met, parts)])
    return float(rows * (rows - 1) / 2 * np.prod(np.minimum(DEPENDENCE * met, 1.0)))


def _most_by_chance(
    kind: Kind, comparison: Comparison, rule: Rule, profile: NDArray[np.float64], met: set[str]
) -> NDArray[np.float64]:
    """The most that each level may stand for among strangers whom a rule brings together: what random pairs
    show, and so much more as names, times and places go together. met: comparisons whose agreement an earlier
    rule has brought in."""
    most = np.ones(len(profile))
    if not demanded(kind, comparison, rule) and comparison.name not in kind.chance.gathered:
        most = np.minimum(1.0, kind.chance.cohorts.get(comparison.name, DEPENDENCE) * profile + 1e-6)
    if comparison.name in met:
        most[agreements(comparison)] = NEVER
    return most


def agreements(comparison: Comparison) -> NDArray[np.bool_]:
    """Levels that say two values are the same."""
    return comparison.tagged(AGREES, INITIALS)[: comparison.null]


def met_before(kind: Kind, rule: Rule, before: Sequence[Rule]) -> set[str]:
    """Comparisons on which strangers whom a rule brings together cannot agree: else an earlier rule had brought
    them in. Without this the same strangers would be expected once from every rule they meet."""
    held = kind.implied(rule)
    found = set()
    for earlier in before:
        lacks = {one for part in earlier for one in _made_of(kind, part)} - held
        owners = {owner for part in lacks for owner in kind.shows(part)}
        if len(owners) == 1 and owners <= set(kind.chance.whole):
            found |= owners
    return found


def _made_of(kind: Kind, part: str) -> tuple[str, ...]:
    return (kind.parts[part].both if part in kind.parts else ()) or (part,)


def demanded(kind: Kind, comparison: Comparison, rule: Rule) -> bool:
    """Whether a rule picks out pairs by what this comparison compares."""
    return any(comparison.name in kind.shows(part) for part in rule)


def _chance_prior(kind: Kind, comparison: Comparison, rule: Rule) -> float:
    """What random pairs show of a comparison is measured, and stands firm; what pairs show that a rule has
    picked out by this very comparison is looser."""
    if comparison.identifier or comparison.fixed:
        return np.inf
    return PRIOR_CHANCE if demanded(kind, comparison, rule) else PRIOR_MEASURED


def _component(
    place: int, profile: Profile, comparisons: Sequence[Comparison], chance_of: RandomAgreement, pairs: int
) -> Component:
    """Where a profile starts; place: where its chances stand in `Level.start`; pairs: candidate pairs, at
    least 1."""
    start, prior, same = [], [], profile.relation == SAME
    names = [comparison.name for comparison in comparisons]
    untold = profile.untold(names)
    a_row = chance_of.register.size / pairs
    most = 1.0 if profile.most_a_row is None else profile.most_a_row * a_row
    for comparison in comparisons:
        believed = per_group(np.array([level.start[place] for level in comparison.levels]), comparison.groups)
        by_luck = comparison.lucky and profile.by_luck and comparison.name not in profile.told_only_by
        start.append(0.99 * chance_of.profile(comparison, ()) + 0.01 * believed if by_luck else believed)
        held = comparison.fixed or (comparison.identifier and not same)
        held |= untold or comparison.name in profile.by_definition
        weight = 0.0 if comparison.name in profile.as_one else PRIOR_LUCKY if by_luck else PRIOR_PEOPLE
        prior.append(np.inf if held else weight)
    pooled = tuple((same and not c.moves) or c.name in profile.as_one for c in comparisons)
    blind = chance_of.register.kind.blind(names)
    ceilings = np.concatenate([_most_of(profile, comparison, chance_of, blind) for comparison in comparisons])
    share = profile.untold_a_row * a_row if untold else min(profile.share, most)
    least = min(profile.expected(chance_of.register) / pairs, most) if profile.expected else 0.0
    return Component(
        profile.name, profile.relation, share, tuple(start), tuple(prior), pooled, untold, most, least,
        ceilings=tuple(ceilings), first=1.0 if profile.first_a_row is None else profile.first_a_row * a_row,
    )  # fmt: skip


def _most_of(
    profile: Profile, comparison: Comparison, chance_of: RandomAgreement, blind: bool
) -> NDArray[np.float64]:
    """The most that each level may stand for in pairs of a profile. Two people of one home are no oftener
    called the same, or nearly so (J for Joan), than strangers where the register is `blind`, for then nothing
    but the name tells them from one person; elsewhere, where a profile is `named_apart`, at most NAMED_ALIKE
    times as often: unbound it takes one person's copies whose dates differ, or are lacking. Where a profile is
    `told_only_by` a comparison, levels that it is not told by are no oftener met than chance, or belief, has
    it."""
    given = profile.where_blind.get(comparison.name, {}) if blind else {}
    given = {**profile.ceilings.get(comparison.name, {}), **given}
    most = np.array([given.get(one.tag or "", 1.0) for one in comparison.levels])
    if blind and comparison.lucky and profile.by_luck:
        near = ~comparison.tagged(UNLIKE)[: comparison.null]
        most[near] = np.minimum(most, chance_of.profile(comparison, ()) + 1e-6)[near]
    elif comparison.name in profile.named_apart:
        same = ~comparison.tagged(UNLIKE)[: comparison.null]
        most[same] = np.minimum(most, NAMED_ALIKE * chance_of.profile(comparison, ()) + 1e-6)[same]
    if comparison.name in profile.told_only_by:
        place = chance_of.register.kind.place(profile.name)
        believed = np.array([level.start[place] for level in comparison.levels])
        free = comparison.tagged(*profile.told_only_by[comparison.name])[: comparison.null]
        most = np.where(free, most, np.maximum(believed, chance_of.profile(comparison, ())))
    return most


def as_chances(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return counts / counts.sum()


class RandomAgreement:
    """Chance agreement, measured. The first rows of a register are a random sample of it."""

    def __init__(self, register: Register, comparisons: Sequence[Comparison], seed: int) -> None:
        self.register, self.comparisons, self.seed = register, comparisons, seed
        self.like = register.kind.place(register.kind.chance.like)
        self.rows = min(register.size, ROWS_LOOKED_AT)
        self.found: dict[tuple[str, Rule], NDArray[np.float64]] = {}
        self.levels: dict[tuple[str, Rule], NDArray[np.uint8]] = {}

    def put_right(self, chances: Sequence[NDArray[np.float64]]) -> None:
        """From here on random pairs show these chances, one array a comparison."""
        for comparison, known in zip(self.comparisons, chances, strict=True):
            if not comparison.given and not comparison.fixed:
                believed = per_group(
                    np.array([lv.start[self.like] for lv in comparison.levels]), comparison.groups
                )
                self.found[comparison.name, ()] = per_group(
                    RANDOM_PAIRS * known + 0.5 * believed + SELDOM, comparison.groups
                )

    def profile(self, comparison: Comparison, rule: Rule) -> NDArray[np.float64]:
        demanded = tuple(part for part in rule if comparison.name in self.register.kind.shows(part))
        where = (comparison.name, demanded)
        if comparison.fixed:
            return per_group(np.array([level.start[self.like] for level in comparison.levels]), comparison.groups)
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
        believed = per_group(np.array([lv.start[self.like] for lv in comparison.levels]), comparison.groups)
        return counts + 0.5 * believed + SELDOM

    def met(self, part: str) -> float:
        """Chance that two rows drawn at random agree on a part of a rule, duplicates counted in."""
        lengths = runs(rule_key(self.register, (part,), self.rows))[1].astype(np.float64)
        return float((lengths * (lengths - 1)).sum()) / max(1.0, self.rows * (self.rows - 1.0))

    def at_random(self, comparison: Comparison) -> tuple[NDArray[np.float64], float]:
        """Chance of each level in two rows drawn at random, given that both hold a value; and the chance that
        both do. Agreement is too rare to be met in a sample: it is counted over the whole column, and the pairs
        of the sample say what those look like that do not agree. Of pairs that share a number that names one
        entity MISTAKEN_NUMBERS are strangers."""
        left, right = self._random()
        found = self._drawn(comparison, ())
        share = float(np.mean(found != comparison.null)) if len(found) else 0.0
        part = self.register.kind.chance.main_parts.get(comparison.name, comparison.name)
        if comparison.fixed or not available(self.register, part):
            return self._smoothed(comparison, found), share
        key = rule_key(self.register, (part,), self.rows)
        chances = self._smoothed(comparison, found[key[left] != key[right]])
        lengths = runs(key)[1].astype(np.float64)
        given = float(np.count_nonzero(key))
        agree = float((lengths * (lengths - 1)).sum()) / max(1.0, given * (given - 1))
        agree *= MISTAKEN_NUMBERS if comparison.identifier else 1.0
        return agree * as_chances(self._counted(comparison, (part,))) + (1 - agree) * chances, share

    def _smoothed(self, comparison: Comparison, found: NDArray[np.uint8]) -> NDArray[np.float64]:
        counts = np.bincount(found, minlength=comparison.null + 1)[: comparison.null].astype(np.float64)
        mistaken = comparison.identifier or comparison.fixed
        return as_chances(
            counts + (RARE_LEVEL / comparison.null if mistaken else SELDOM * max(1, len(found)) / RANDOM_PAIRS)
        )

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
