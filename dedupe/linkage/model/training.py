"""What the model learns from: a sample of candidate pairs, and where its profiles start."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.keys import BlockedPairs, Blocks
from casebridge.dedupe.linkage.blocking.recapture import expected_missed
from casebridge.dedupe.linkage.comparisons.levels import AGREES, INITIALS, MET, Comparison, per_group
from casebridge.dedupe.linkage.fields import BACKGROUND, NAMESAKES
from casebridge.dedupe.linkage.kind import Kind, Profile
from casebridge.dedupe.linkage.model.background import ALL_ANSWER, Background
from casebridge.dedupe.linkage.model.beliefs import RandomAgreement, as_chances, starting_components
from casebridge.dedupe.linkage.model.doubles import Sampled, doubtful
from casebridge.dedupe.linkage.model.fitting import fit, refit
from casebridge.dedupe.linkage.model.held_chance import HeldChance
from casebridge.dedupe.linkage.model.identified import (
    DOUBTED,
    MOST_PATTERNS,
    MUCH,
    apart,
    cautious,
    hangs_on,
    left_out,
    nobody_among,
    shared,
    told,
    unseen,
)
from casebridge.dedupe.linkage.model.mixture import Component, Model
from casebridge.dedupe.linkage.model.namesakes import count_coincidences
from casebridge.dedupe.linkage.model.patterns import Patterns, Radix, count_patterns, distinct
from casebridge.dedupe.linkage.register.encoding import Register

FIRST_STEP, SMALL_SAMPLE = 10, 50_000
LEAST_STRANGERS = 0.02  # of the pairs at a level, whatever the fit takes for one person; nothing hangs on it
MOSTLY = 0.5  # share of one entity among doubtful pairs, from which they are judged as such
SELDOM_ONE = 1e-3  # of the surest: pairs that less likely are one person say nothing of what is lost
DUPLICATES_MET = 1e-5  # share of all pairs that are one person, from which random pairs show some


def training_patterns(
    register: Register, candidates: BlockedPairs, comparisons: Sequence[Comparison], radix: Radix, wanted: int
) -> tuple[list[Patterns], Sampled]:
    """Patterns of a sample of candidate pairs before anything is pruned, and the sample: first those of every
    FIRST_STEP-th pair, then those of all.

    Whole blocks are drawn by their key, so the sample does not depend on the order of rows; every rule
    gets its share of `wanted`, and its pairs are weighted back to how many the rule makes.
    """
    codes, weights, rows = [], [], []
    for number, rate in enumerate(sampling_rates([b.raw_pairs for b in candidates.blocks], wanted)):
        left, right = candidates.sample(number, rate)
        rows.append((left, right))
        sides = register.sides(left, right)
        codes.append(radix.encode([c.full(*sides) for c in comparisons]))
        weights.append(np.full(len(left), 1.0 / rate))
    steps = [FIRST_STEP, 1] if sum(map(len, codes)) > SMALL_SAMPLE else [1]
    samples = []
    for step in steps:
        every = (np.concatenate([one[::step] for one in held]) for held in (codes, weights))
        samples.append(replace(count_patterns(radix, *every), share=1 / step))
    left, right = (np.concatenate(side) for side in zip(*rows, strict=True))
    return samples, Sampled(left, right, np.concatenate(codes), np.concatenate(weights))


def expected_found(
    register: Register, candidates: BlockedPairs, model: Model, radix: Radix, sample: Sampled
) -> tuple[float, float]:
    """Pairs of one person that blocking finds, and which share of all these at least may be, as the sample has
    it."""
    found, place = distinct(sample.codes)
    weight = sample.weights * model.relations(radix.decode(found))[:, 0][place]
    some = np.flatnonzero(weight > SELDOM_ONE * weight.max(initial=0.0))
    pairs = sample.left.take(some), sample.right.take(some)
    missed = expected_missed(register, candidates, pairs, weight.take(some))
    return missed["found"], missed["recall_if_uneven"]


def sampling_rates(raw: Sequence[int], wanted: int) -> list[float]:
    """Share of each rule's pairs to sample: small rules whole, large ones an equal number each."""
    rates, left, rules = [1.0] * len(raw), float(wanted), len(raw)
    for number in sorted(range(len(raw)), key=lambda n: raw[n]):
        share = left / rules
        rates[number] = min(1.0, share / raw[number]) if raw[number] else 1.0
        left -= min(share, raw[number])
        rules -= 1
    return rates


class Strangers:
    """What pairs of strangers look like in a register, and how many there are.

    The agreement counted over a column includes that of duplicates. `refit` takes off what a first fit
    holds to be one person: of little weight in a large register, of much in a small one full of duplicates.
    """

    def __init__(
        self, chance_of: RandomAgreement, link_only: bool, blocks: Sequence[Blocks],
        without: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        register, comparisons = chance_of.register, chance_of.comparisons
        self.comparisons = comparisons
        uncounted = link_only or NAMESAKES in without
        rules = [one.rule for one in blocks]
        with ThreadPoolExecutor(1) as beside:
            counted = None if uncounted else beside.submit(count_coincidences, register, comparisons, rules)
            found = [chance_of.at_random(comparison) for comparison in comparisons]
        self.namesakes = counted.result() if counted else None
        blind = register.kind.blind([comparison.name for comparison in comparisons])
        self.whole = brought_whole(register.kind, comparisons, blocks) if blind else ()
        self.groups = [comparison.groups for comparison in comparisons]
        self.chances = [chances for chances, _ in found]
        self.held = np.array([share for _, share in found])
        weak = register.kind.blocking.weak
        telling = sum(1 << n for n, c in enumerate(comparisons) if c.name not in weak and not c.fixed)
        self.telling = ALL_ANSWER if BACKGROUND in without else telling
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
        chances = self.without(patterns, same)
        held = HeldChance.of(self.namesakes, self.comparisons, patterns) if self.namesakes else None
        found = refit(model, patterns, self._background(chances, patterns), held)
        if held is None:
            return found
        return replace(found, held=held.beyond(found.log_joint, found.same, found.chance, patterns))

    def without(self, patterns: Patterns, same: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Chance of each level by comparison, without the pairs of one person; `same`: how many of each
        pattern."""
        chances = []
        for place, counted in enumerate(self.chances):
            size = len(counted)
            ours = np.bincount(patterns.levels[:, place], weights=same, minlength=size + 1)[:size]
            pairs = counted * self.pairs * self.held[place] + 1e-9
            chances.append(as_chances(np.maximum(pairs - ours, LEAST_STRANGERS * pairs)))
        return chances

    def _background(self, chances: list[NDArray[np.float64]], patterns: Patterns) -> Background:
        grouped = [per_group(c, groups) for c, groups in zip(chances, self.groups, strict=True)]
        a_candidate = max(self.pairs, 1.0) / max(float(patterns.weight.sum()), 1.0)
        return replace(Background.of(grouped, a_candidate, self.telling), whole=self.whole)


def brought_whole(
    kind: Kind, comparisons: Sequence[Comparison], blocks: Sequence[Blocks]
) -> tuple[dict[int, NDArray[np.bool_]], ...]:
    """Of each rule that brings in every pair that agrees on what it demands: which numbers of a comparison say so,
    by its place."""
    tables = {c.name: (n, c.tagged(AGREES, INITIALS, MET)) for n, c in enumerate(comparisons)}
    agreeing = {name for name, (_, table) in tables.items() if table.any()}
    found = []
    for one in blocks:
        shown = {name for part in one.rule for name in kind.shows(part)}
        agreed = kind.implied(tuple(shown))
        agreed |= {name for name, part in kind.parts.items() if part.both and set(part.both) <= agreed}
        if one.rule and not (one.divided or one.windowed) and set(one.rule) <= agreed and shown <= agreeing:
            found.append({tables[name][0]: tables[name][1] for name in sorted(shown)})
    return tuple(found)


class Learner:
    """Fits the mixture to samples of candidate pairs, from beliefs that suit the register."""

    def __init__(self, chance_of: RandomAgreement, candidates: BlockedPairs, strangers: Strangers) -> None:
        self.chance_of, self.strangers = chance_of, strangers
        self.part = np.zeros(chance_of.register.size, dtype=np.int64)
        if candidates.source is not None:
            self.part = candidates.source.astype(np.int64)
        self.components = starting_components(chance_of, candidates)
        self.comparisons, self.kind = chance_of.comparisons, chance_of.register.kind
        self.untold: dict[str, float] = {}
        self.beside: tuple[Model, ...] = ()

    def fit(self, components: Sequence[Component], samples: Sequence[Patterns]) -> Model:
        """One fit: on the first sample, with no more of a profile than `Profile.first_a_row`; then free, beside
        strangers without its duplicates, on the last."""
        names, labels = [c.name for c in self.comparisons], [c.labels() for c in self.comparisons]
        groups = [c.groups for c in self.comparisons]
        few = [replace(one, most=min(one.most, max(one.first, one.least))) for one in components]
        model = fit(samples[:1], few, names, labels, groups, self.strangers.counted(samples[0]))
        named = replace(model, components=tuple(components), relation_names=self.kind.relations)
        return self.strangers.refit(named, samples[-1])

    def learn(self, samples: Sequence[Patterns], candidates: BlockedPairs, sampled: Sampled) -> Model:
        """The model. In a small register full of duplicates random pairs are some of them one person: then what
        they show is put right by what a first fit finds, and the mixture is fitted again."""
        model = self.fit(self.components, samples)
        same = samples[-1].weight * model.relations(samples[-1].levels)[:, 0]
        if same.sum() > DUPLICATES_MET * self.strangers.pairs:
            self.chance_of.put_right(self.strangers.without(samples[-1], same))
            self.components = starting_components(self.chance_of, candidates)
            model = self.fit(self.components, samples)
        for profile in self.kind.profiles:
            if profile.among and nobody_among(model, self.comparisons, profile, samples[-1]):
                self.components = left_out(self.components, self.comparisons, profile)
                model = self.fit(self.components, samples)
        for profile in self.kind.profiles:
            if profile.told_only_by and not self.kind.blind(model.comparisons):
                model = self._with_unseen(model, profile, samples)
                model = self._weighed(model, profile, samples, sampled)
        return model

    def _with_unseen(self, model: Model, profile: Profile, samples: Sequence[Patterns]) -> Model:
        """The model, or where many pairs lack what alone tells `profile`, one with as many of it among these as
        among the others, where these are more than one entity's own differences; with a warning where few others
        tell."""
        patterns, place = samples[-1], [one.name for one in self.components].index(profile.name)
        expected = profile.a_row * self.chance_of.register.size
        found = unseen(model, self.comparisons, profile, patterns, expected)
        if not found.much:
            return model
        if not found.known:
            self.untold[profile.lacking] = found.lacking
        least = found.apart * found.pairs / max(float(patterns.weight.sum()), 1.0)
        if found.apart <= MUCH or least <= model.shares[place]:
            return model
        parts = list(self.components)
        parts[place] = replace(parts[place], least=max(least, parts[place].least))
        self.components = parts
        return self.fit(parts, samples)

    def _weighed(self, model: Model, profile: Profile, samples: Sequence[Patterns], sampled: Sampled) -> Model:
        """The model, or the one that takes no more pairs that `profile` may show for one entity than is believed,
        where the register does not tell. Where doubles tell (`doubles`) that most such pairs are of one entity,
        the one that takes no more for the profile than these allow."""
        careful, patterns = cautious(self.components, self.comparisons, profile), samples[-1]
        if careful is None or len(patterns.weight) > MOST_PATTERNS:
            return model
        held = self.fit(careful, samples)
        asked = doubtful(held, profile.name, sampled, Radix.of(self.comparisons), self.part)
        if asked and asked.least > MOSTLY:
            self.components = self._at_most(profile, (1 - asked.least) * asked.pairs / patterns.weight.sum())
            return self.fit(self.components, samples)
        shown = any(one.name == profile.name and one.least > 0 for one in self.components)
        shown |= shared(model, self.comparisons, profile) > MUCH
        shown |= unseen(model, self.comparisons, profile, patterns, 0.0).much
        if not shown:
            return model
        share = apart(model, held, patterns)
        if share <= DOUBTED or told(model, held, patterns):
            return model
        self.untold[profile.doubted] = share
        return held

    def _at_most(self, profile: Profile, share: float) -> list[Component]:
        """Beliefs by which a profile has at most a share of the pairs."""
        return [
            replace(one, most=min(one.most, max(share, one.least)), share=min(one.share, share))
            if one.name == profile.name
            else one
            for one in self.components
        ]

    def hangs_on(self, samples: Sequence[Patterns]) -> dict[str, float]:
        """The beliefs on which decisions hang (`identified`). Fits by others stand `beside` then, where facts of a
        kind tell one entity plainly; elsewhere the threshold makes up for such errors (`safe_threshold`)."""
        first = samples[:1]

        def again(other: Sequence[Component]) -> Model:
            return self.fit(other, first)

        found = hangs_on(again(self.components), self.components, self.kind.profiles, first[0], again)
        if self.kind.told_by and not self.kind.blind([one.name for one in self.comparisons]):
            self.beside = tuple(fitted for _, fitted in found.values())
        return self.untold | {name: share for name, (share, _) in found.items()}
