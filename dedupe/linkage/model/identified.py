"""Does the answer come from the register, or from what was believed beforehand?

The mixture is fitted again from other beliefs: strangers whose agreement is bounded by nothing that was measured;
one person's dates that differ as they will, and hardly a parent and child of one name; records written worse than
expected, with beliefs of little weight.
Whether a pair of records of one birth, home and surname and of two forenames is two twins, or one person whose
forename was changed, is asked first (`weighed`): the answer decides which model is taken.
Where columns tell people apart, all roads lead to the same decisions. Where they do not, the decisions hang on the
beliefs, and that must be said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import AGREES, INITIALS, SLIP, Comparison
from casebridge.dedupe.linkage.comparisons.levels import UNLIKE as FAR
from casebridge.dedupe.linkage.kind import CHANCE, SAME, Profile
from casebridge.dedupe.linkage.model.mixture import Component, Model
from casebridge.dedupe.linkage.model.patterns import Patterns
from casebridge.dedupe.linkage.register.encoding import Register

STRANGERS, WORSE = "how strangers agree", "how well records are written"
UNLIKE, DOUBTED = {STRANGERS: 0.03, WORSE: 0.05}, 0.0125
"""Share of the pairs called one person, beyond which two sets of decisions are not one answer. Tried on public and
made-up registers: below these the threshold lies within 0.01 F1 of the best."""
MOST_PATTERNS = 6_000  # more are shown only where columns are many, and there the fits agree
FLAT, LESS = 0.3, 0.3  # share of a flat profile in what is believed of worse records, and the weight it keeps
HARDLY = 1e-6
LINE = 0.5
TOLD, EACH = 50.0, 0.2
"""Natural log of the likelihood by which the freer of two fits must be better to be taken: in all, and by how much
for each pair that they decide otherwise. Both fits are wrong in something, so that what they are apart grows with
the register, whichever is right: what it is a pair says which is nearer (Vuong, Econometrica 1989), and evidence
for an inexact model is to count no further than that (Miller and Dunson, JASA 2019). TOLD allows for luck, of
pairs that share records (Varin, Reid and Firth, Statistica Sinica 2011). Tried on 430 made-up registers of 700 to
200,000 people, of twins, of changed forenames and of both. Where decisions hang on it and half of the pairs in
question are two people, or more, the freer fit is better by up to 927 (200,000 people, sons named as their
fathers), and where that is over TOLD by 0.14 at most a pair that is decided otherwise; where 6 to 10 in 10 are one
person by 0.09 to 0.53, most by more than EACH. Choices, not measurements."""
MUCH = 0.25
"""Share of one person's pairs of forenames that differ, or are two names in use, twice what was published (12 in
100: Lam and others, 2024): so many are not believed."""
MANY, OWN = 0.1, 10.0
TOLERATED, SPARED = 0.1, 1.8
"""Share of one person's pairs that lack a forename, from which decisions on these hang on how many twins there
are; pairs' worth of belief behind that; the share that may be twins without a word; standard errors spared."""

HARDLY_ANY = 0.01
"""Pairs of other people of one home for each pair of one person, below which nobody lives with anybody in a
register. Of the made-up registers with families these are 0.1 and more, of FEBRL 1 to 4 at most 0.005."""
SHOWN = 50
"""Pairs of one person at one home whose kin is known: fewer do not show that nobody lives with anybody, for one in
ten of them is five."""

Fit = Callable[[Sequence[Component]], Model]


def alternatives(components: Sequence[Component], profiles: Sequence[Profile]) -> dict[str, list[Component]]:
    """Other beliefs to start from, by name."""
    free = {one.name for one in components if not one.steady}
    doubted = {
        profile.doubted: profile.name
        for profile in profiles
        if profile.doubted and not profile.told_only_by and profile.name in free
    }
    return {
        STRANGERS: [replace(one, ceilings=()) if one.relation == CHANCE else one for one in components],
        **{doubt: [_hardly(one, name) for one in components] for doubt, name in doubted.items()},
        WORSE: [_worse(one) if one.relation == SAME else one for one in components],
    }


def _hardly(one: Component, doubted: str) -> Component:
    """One name and home, dates years apart: a wrong date, or a parent and child? Here hardly ever the latter."""
    if one.name == doubted:
        return replace(one, share=HARDLY, most=HARDLY)
    return replace(one, ceilings=()) if one.relation == SAME else one


def _worse(one: Component) -> Component:
    flat = tuple(np.full(len(start), start.sum() / len(start)) for start in one.start)
    start = tuple((1 - FLAT) * a + FLAT * b for a, b in zip(one.start, flat, strict=True))
    return replace(one, start=start, prior=tuple(p if np.isinf(p) else p * LESS for p in one.prior))


def nobody_among(model: Model, comparisons: Sequence[Comparison], profile: Profile, patterns: Patterns) -> bool:
    """Whether a register shows nobody of those `among` whom the pairs of a profile are found. A parent and child
    of one name and home are one of ten or more pairs of a home: where the others are not there, neither are they.
    Pairs of one home that the model takes for strangers count as these where they share what `kin` do."""
    components, place = [one.name for one in model.components], {c.name: n for n, c in enumerate(comparisons)}
    if (
        profile.name not in components
        or not {profile.told_by, *profile.kin, *profile.by_definition} <= place.keys()
    ):
        return False
    home, kin = np.ones(len(patterns.weight), dtype=bool), np.ones(len(patterns.weight), dtype=bool)
    for at in (place[name] for name in profile.by_definition):
        chances = model.log_chances[at][components.index(profile.name)][:-1]
        home &= _at_the_likeliest(patterns.levels[:, at], chances)
    for at in (place[name] for name in profile.kin):
        home &= patterns.levels[:, at] != comparisons[at].null
        kin &= comparisons[at].tagged(AGREES)[patterns.levels[:, at]]
    levels, weight = patterns.levels[home], patterns.weight[home]
    relations = model.relations(levels)
    others = np.sum([model.profile(name, levels) for name in profile.among], axis=0)
    others = others + np.where(kin[home], relations[:, -1], 0.0)
    here = float(relations[:, 0] @ weight)
    return here >= SHOWN and float(others @ weight) < HARDLY_ANY * here


def _at_the_likeliest(levels: NDArray[np.uint8], log_chances: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Patterns at that level, of those that are seen, of which the chance is best: of addresses the same home, or
    the same postcode where no house is held."""
    seen = np.unique(levels[levels < len(log_chances)])
    if not len(seen):
        return np.zeros(len(levels), dtype=bool)
    return levels == seen[np.argmax(log_chances[seen])]


def left_out(
    components: Sequence[Component], comparisons: Sequence[Comparison], profile: Profile
) -> list[Component]:
    """Beliefs by which there are no pairs of `profile`: what tells it from one entity is bounded no more."""
    sizes = [comparison.null for comparison in comparisons]
    place = [comparison.name for comparison in comparisons].index(profile.told_by)
    first = sum(sizes[:place])

    def freed(one: Component) -> Component:
        most = np.array(one.ceilings or (1.0,) * sum(sizes))
        most[first : first + sizes[place]] = 1.0
        return replace(one, ceilings=tuple(most)) if one.relation == SAME else one

    return [freed(one) for one in components if one.name != profile.name]


def hangs_on(
    model: Model, components: Sequence[Component], profiles: Sequence[Profile], patterns: Patterns, fit: Fit
) -> dict[str, tuple[float, Model]]:
    """The beliefs on which decisions hang: pairs that only one of two fits calls one person, as a share of those
    that either does, and the other fit, by the name of the belief. Empty where the register tells, or shows too
    many patterns to ask."""
    if len(patterns.weight) > MOST_PATTERNS:
        return {}
    found = {}
    for name, other in alternatives(components, profiles).items():
        fitted = fit(other)
        share = apart(model, fitted, patterns)
        if share > UNLIKE.get(name, DOUBTED):
            found[name] = share, fitted
    return found


def apart(one: Model, other: Model, patterns: Patterns) -> float:
    """Pairs that only one of two models calls one person, as a share of those that either does."""
    mine, theirs = (model.relations(patterns.levels)[:, 0] >= LINE for model in (one, other))
    either = patterns.weight[mine].sum() + patterns.weight[theirs].sum()
    return float(patterns.weight[mine != theirs].sum() / max(either, 1.0))


def cautious(
    components: Sequence[Component], comparisons: Sequence[Comparison], profile: Profile
) -> list[Component] | None:
    """Beliefs by which of one entity no more pairs than is believed show what a pair of `profile` may; None where
    the comparisons that tell are lacking."""
    sizes = [comparison.null for comparison in comparisons]
    starts = np.cumsum([0, *sizes])
    found, names = list(components), [comparison.name for comparison in comparisons]
    if not profile.told_only_by.keys() <= {*names}:
        return None
    for name, tags in profile.told_only_by.items():
        place = names.index(name)
        both = np.flatnonzero(comparisons[place].tagged(*tags)[: sizes[place]])
        found = [_bound(one, place, both, int(starts[place]), sum(sizes)) for one in found]
    return found


def _bound(one: Component, place: int, levels: NDArray[np.int64], first: int, size: int) -> Component:
    if one.relation != SAME:
        return one
    most = np.array(one.ceilings or (1.0,) * size)
    most[first + levels] = np.minimum(most[first + levels], one.start[place][levels])
    return replace(one, ceilings=tuple(most))


def shared(model: Model, comparisons: Sequence[Comparison], profile: Profile) -> float:
    """The largest share of one entity's pairs that a model puts at levels which `profile` may show as well."""
    found = []
    for name, tags in profile.told_only_by.items():
        place = model.comparisons.index(name)
        both = comparisons[place].tagged(*tags)[: comparisons[place].null]
        chances = np.exp(model.log_chances[place][model.same, :-1])
        found.append(float(np.average(chances[:, both].sum(axis=1), weights=model.shares[model.same])))
    return max(found, default=0.0)


@dataclass(frozen=True)
class Unseen:
    """Pairs of one entity, or of a profile that one comparison alone tells from it. pairs: how many; lacking: the
    share of them that lack the comparison, or have no more than initials; told: how many do not; apart: the share
    of the profile among these, as is believed of OWN of them and seen in the rest; luck: its standard error."""

    pairs: float
    lacking: float
    told: float
    apart: float

    @property
    def luck(self) -> float:
        return float(np.sqrt(self.apart * (1 - self.apart) / (self.told + OWN)))

    @property
    def much(self) -> bool:
        return self.lacking > MANY

    @property
    def known(self) -> bool:
        """Whether luck moves no more pairs than may be wrong, and no more are of the profile than an entity's own
        may be: of more nothing says which of those that do not tell are."""
        spared = SPARED * self.luck
        return (spared <= TOLERATED / 2 and self.apart <= MUCH) or self.apart + spared <= TOLERATED


def unseen(
    model: Model, comparisons: Sequence[Comparison], profile: Profile, patterns: Patterns, expected: float
) -> Unseen:
    """How many pairs of `profile` stand among those that do not show it, as those tell that would. expected: pairs
    of it in all, as is believed. Of one entity as many more are taken to differ than is believed as have a slip:
    who writes badly shortens and mistakes names as well."""
    chances = model.relations(patterns.levels)[:, 0] + model.profile(profile.name, patterns.levels)
    one = patterns.weight * chances
    lacking, apart = np.zeros(len(one), dtype=bool), np.zeros(len(one), dtype=bool)
    slipped, own, slips = np.zeros(len(one), dtype=bool), 0.0, 0.0
    for name, tags in profile.told_only_by.items():
        place = model.comparisons.index(name)
        levels, compared = patterns.levels[:, place], comparisons[place]
        shown = compared.tagged(*tags)
        lacking |= (levels == compared.null) | compared.tagged(INITIALS)[levels]
        apart |= shown[levels]
        slipped |= compared.tagged(SLIP)[levels]
        own += sum(level.start[0] for level in compared.levels if level.tag in tags)
        slips += sum(level.start[0] for level in compared.levels if level.tag == SLIP)
    pairs, told = float(one.sum()), float(one[~lacking].sum())
    own *= max(1.0, float(one[slipped & ~lacking].sum()) / max(slips * told, 1e-9))
    for name in profile.kin:
        if name in model.comparisons:
            place = model.comparisons.index(name)
            own = max(own, _differ(comparisons[place], patterns.levels[:, place], one, profile))
    beyond = max(float(one[apart & ~lacking].sum()) - own * told, 0.0)
    believed = min(expected / max(pairs, 1.0), 0.5)
    return Unseen(pairs, 1 - told / max(pairs, 1e-9), told, (beyond + OWN * believed) / (told + OWN))


def _differ(
    comparison: Comparison, levels: NDArray[np.uint8], weight: NDArray[np.float64], profile: Profile
) -> float:
    """Share of pairs that differ in what a profile shares as it does in what tells it, of those that have both."""
    differs = comparison.tagged(*{tag for tags in profile.told_only_by.values() for tag in tags})
    held = weight[levels != comparison.null].sum()
    return float(weight[differs[levels]].sum() / max(held, 1.0))


def hidden(
    model: Model, comparisons: Sequence[Comparison], profile: Profile, patterns: Patterns, register: Register
) -> float:
    """Pairs of `profile` for each pair of one entity among which they hide, since what alone tells them is
    lacking: for each that `shown_by` shows so many as are believed. It shows those that would be one entity but
    for it, of one birth and kin, beyond those of one entity that are believed to differ there, and beyond as many
    others as the model finds among pairs that agree there, for whom it is luck. Where `kin` is not held it shows
    strangers as well. Where nothing shows any, as many as `unseen` says."""
    place = {comparison.name: n for n, comparison in enumerate(comparisons)}
    if profile.told_only_by.keys() & place.keys():
        return 0.0
    if profile.shown_by not in place:
        return profile.unseen(register) if profile.unseen else 0.0
    if not {*profile.kin, *profile.as_one} <= place.keys():
        return 0.0
    at, levels, weight = place[profile.shown_by], patterns.levels.copy(), patterns.weight
    apart = comparisons[at].tagged(FAR)
    agrees = int(np.flatnonzero(~apart[: comparisons[at].null])[0])
    alike, differs = levels[:, at] == agrees, apart[levels[:, at]]
    for name in (*profile.kin, *profile.as_one):
        weight = weight * comparisons[place[name]].tagged(AGREES)[levels[:, place[name]]]
    levels[differs, at] = agrees
    one, known = model.relations(levels)[:, 0], model.profile(profile.name, levels)
    wrong = sum(level.start[0] for level in comparisons[at].levels if level.tag == FAR)
    chances = np.exp(model.background.log_chances[at])
    luck = float(chances[np.flatnonzero(apart)].sum() / chances[agrees])
    expected = wrong * one + luck * (1 - one - known)
    weight = weight * one
    shown = float(weight[differs].sum() - expected[alike] @ weight[alike])
    return profile.unshown * max(shown, 0.0) / max(float(weight[alike].sum()), 1.0)


def told(free: Model, held: Model, patterns: Patterns) -> bool:
    """Whether the pairs speak for the freer of two fits beyond doubt: in all, and those that the two decide
    otherwise by so much each, for what others gain (strangers, most of them) says nothing of these."""
    freely, carefully = (model.relations(patterns.levels)[:, 0] >= LINE for model in (free, held))
    better = patterns.weight * (free.log_evidence(patterns.levels) - held.log_evidence(patterns.levels))
    otherwise = freely != carefully
    pairs = float(patterns.weight[otherwise].sum())
    return float(better.sum()) > TOLD and float(better[otherwise].sum()) > EACH * pairs
