"""What a comparison is: ordered levels, each one sentence, with the starting belief about every relation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.register.pair_rows import PairSide
from casebridge.dedupe.linkage.register.values import RARENESS

Levels = NDArray[np.uint8]

SURE = 0.95  # p_same from which a pair is taken for one person without more
DOUBT_CAP = SURE - 0.001  # the highest p_same of a pair that is for a person to decide
DOUBT_BEND = 0.94  # from where such pairs are drawn together below it

AGREES, INITIALS, SWAP, CROSSED, SLIP, NEAR, CLOSE, DEFAULT, UNLIKE, GENERATION, TWO, MET = (
    "agrees", "initials", "swap", "crossed", "slip", "near", "close", "default", "unlike", "generation", "two",
    "met",
)  # fmt: skip
"""Tags of levels, where more hangs on a level than its chances. AGREES: the two values are one. INITIALS: so
are they, but of each no more than an initial is known. SWAP: two values change places. CROSSED: a value of one
stands in another column of the other. SLIP: a slip of the pen. NEAR: most of a date is as it
was. CLOSE: alike, as two values in use may be.
DEFAULT: one of the two is what a system fills in. UNLIKE: nothing explains that one person is written so.
GENERATION: parent and child. TWO: two different numbers that name a person. MET: a home, a phone or an e-mail
address that is shared; whoever has it in common is no chance namesake."""


@dataclass(frozen=True)
class Level:
    """One answer a comparison can give. `start` is how often it is expected in pairs of each profile of the kind
    (`kind.Profile`), before any data are seen; `bin` numbers the rareness step of levels that split one
    agreement by value; `tag` says what else hangs on the level."""

    label: str
    start: tuple[float, ...]
    bin: int | None = None
    tag: str | None = None


@dataclass(frozen=True)
class Comparison:
    """How two records are compared on one subject.

    quick(left, right) gives each pair a level number, NULL (missing: no evidence), or len(levels) + 1 + k:
    "one of opens[k], not yet worked out". settle(left, right) works those out. Both are symmetric in
    left and right, and depend on nothing but the two rows.

    identifier: two people share a value only by mistake, and the model holds to that. lucky: two people,
    related or not, agree as often as chance has it (parents choose another forename for each child).
    moves: changes when a person moves or marries; all else is written down as well or badly for those who
    moved as for those who stayed.
    fixed: the starting beliefs stand, whatever the data.
    groups: how many levels, in their order, make up each distribution. One as a rule. Two where the answer
    hangs on whether the pair is alike in the parts `given`: the first levels are for pairs that are not, the
    others, as many, for those that are. Two strangers called Mary are mostly women: once the forename
    agrees, that the sex does tells nothing new.
    witness: of a number that names a person, the levels that say "one person" and "two" (see `witnesses`).
    """

    name: str
    levels: tuple[Level, ...]
    quick: Callable[[PairSide, PairSide], Levels]
    settle: Callable[[PairSide, PairSide], Levels] | None = None
    opens: tuple[tuple[int, ...], ...] = ()
    identifier: bool = False
    lucky: bool = False
    moves: bool = False
    fixed: bool = False
    given: tuple[str, ...] = ()
    witness: tuple[int, int] | None = None

    @property
    def groups(self) -> tuple[int, ...]:
        return (len(self.levels) // 2,) * 2 if self.given else (len(self.levels),)

    @property
    def null(self) -> int:
        """The number that stands for "no evidence"."""
        return len(self.levels)

    def open(self, which: int = 0) -> int:
        return len(self.levels) + 1 + which

    @property
    def radix(self) -> int:
        """How many numbers `quick` can give."""
        return len(self.levels) + 1 + len(self.opens)

    def full(self, left: PairSide, right: PairSide) -> Levels:
        """Every pair's level, worked out to the end."""
        found = self.quick(left, right)
        if self.settle is not None:
            unsettled = np.flatnonzero(found > self.null)
            found[unsettled] = self.settle(left.take(unsettled), right.take(unsettled))
        return found

    def tagged(self, *tags: str) -> NDArray[np.bool_]:
        """Of each number that `quick` can give: whether it is a level with one of the tags."""
        found = np.zeros(self.radix, dtype=bool)
        found[: self.null] = [level.tag in tags for level in self.levels]
        return found

    def labels(self) -> list[str]:
        return [level.label for level in self.levels]


def level(
    label: str, settled: float, twin: float, sibling: float, household: float,
    moved: float | None = None, namesake: float | None = None, tag: str | None = None,
) -> Level:  # fmt: skip
    """A Level of people (`kinds.person`) from its starting beliefs; moved defaults to settled, namesake to
    household."""
    moved = settled if moved is None else moved
    namesake = household if namesake is None else namesake
    return Level(label, (settled, moved, twin, sibling, household, namesake), tag=tag)


def believed(
    levels: tuple[Level, ...], starts: Sequence[tuple[float, ...]], tags: Mapping[int, str]
) -> tuple[Level, ...]:
    """The levels with what another kind believes of them; tags by their place."""
    pairs = zip(levels, starts, strict=True)
    return tuple(replace(one, start=start, tag=tags.get(n)) for n, (one, start) in enumerate(pairs))


def with_given(levels: tuple[Level, ...], words: str) -> tuple[Level, ...]:
    """The levels, and once more for pairs that agree on what is given."""
    return (*levels, *(replace(one, label=f"{one.label}, {words}") for one in levels))


def per_group(counts: NDArray[np.float64], groups: tuple[int, ...]) -> NDArray[np.float64]:
    """Counts of levels as chances, those of each group adding to 1."""
    parts = np.split(counts, np.cumsum(groups)[:-1])
    return np.concatenate([part / part.sum() for part in parts])


def split_by_rareness(
    one: Level, share: NDArray[np.float64], bins: NDArray[np.uint8], names: list[str] | None = None
) -> tuple[Level, ...]:
    """One agreement as several levels, by how many hold the value agreed on. People agree on a value as
    often as it is held, so each step starts with its share of the records."""
    steps = len(RARENESS) + 1 if names is None else len(names)
    weight = np.bincount(bins, weights=share, minlength=steps) + 1e-4
    weight /= weight.sum()
    words = names or [f"{one.label}, {word}" for word in rareness_words()]
    return tuple(
        Level(words[step], tuple(float(s * weight[step]) for s in one.start), step, AGREES)
        for step in range(steps)
    )


def rareness_words() -> list[str]:
    words = [f"held by 1 in {_round(1 / RARENESS[0])} or more"]
    words += [f"held by about 1 in {_round(1 / (a * b) ** 0.5)}" for a, b in pairwise(RARENESS)]
    return [*words, f"held by fewer than 1 in {_round(1 / RARENESS[-1])}"]


def _round(number: float) -> str:
    size = 10 ** (len(str(int(number))) - 1)
    return f"{round(number / size) * size:,}"
