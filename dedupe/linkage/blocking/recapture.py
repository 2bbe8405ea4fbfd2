"""How many pairs of one person no blocking rule makes, told by what those agree on that a rule makes.

Rules are made of facts: parts on which two records agree. A pair whose names are both wrong is made where its
birth date and postcode are right; how often all is wrong at once follows from how often each is, and from how far
the same pairs have several wrong. So what the pairs agree on is fitted by two classes of pairs, within which
columns are independent (latent classes, Goodman 1974), the pairs that no rule makes among them: in turn it is
worked out how many these are and what they agree on, and the classes are fitted to all (EM for truncated data,
Dempster, Laird and Rubin 1977). A count of how many rules make each pair (Chao 1987) was far too dark where one
rule makes nearly all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.keys import BlockedPairs, Pairs, part_key
from casebridge.dedupe.linkage.kind import Kind
from casebridge.dedupe.linkage.register.content import SEED, mix
from casebridge.dedupe.linkage.register.encoding import Register, pair_key

MOST_PAIRS = 10_000
CLASSES, ROUNDS, DRAWN = 2, 30, 2_000
PRIOR = 0.5  # pairs, like all, in each class
Array = NDArray[np.float64]


def expected_missed(register: Register, candidates: BlockedPairs, pairs: Pairs, weight: Array) -> dict[str, float]:
    """Share of the true pairs that blocking makes. pairs: candidates; weight: how many pairs of one person each
    stands for. `recall_if_uneven`: where twice as many are missed, for two classes may show less than there is.
    docs/linkage-figures.md has both beside the truth."""
    found, recall = float(weight.sum()), 1.0
    if found > 0 and all(blocks.rule for blocks in candidates.blocks):
        some, weight = _some(pairs, weight)
        recall = 1 - _Agreement.of(register, candidates, some, weight).unseen()
    missed = found * (1 - recall) / max(recall, 1e-9)
    uneven = found / (found + 2 * missed) if found > 0 else 1.0
    return {"found": found, "missed": missed, "recall": recall, "recall_if_uneven": uneven}


def _some(pairs: Pairs, weight: Array) -> tuple[Pairs, Array]:
    """At most MOST_PAIRS of the pairs, those of the lowest hashes, whatever their order."""
    left, right = pairs
    keys = pair_key(left, right)
    hashed = mix(keys, np.full(len(keys), SEED))
    order = np.arange(len(keys)) if len(keys) <= MOST_PAIRS else np.argpartition(hashed, MOST_PAIRS)[:MOST_PAIRS]
    order = order[np.argsort(hashed[order])]
    return (left[order], right[order]), weight[order]


def _base(kind: Kind, part: str) -> tuple[str, ...]:
    """A part of one column itself; of one of several columns those of which it is made."""
    if part not in kind.parts or len(kind.shows(part)) == 1:
        return (part,)
    known = kind.parts[part].both or kind.parts[part].implies
    single = [one for one in known if len(kind.shows(one)) == 1]
    told = {less for one in single for less in kind.implied((one,)) - {one}}
    return tuple(one for one in single if one not in told) or (part,)


@dataclass(frozen=True)
class _Agreement:
    """What pairs agree on. levels: of each pattern and column a place in `facts`; weight: pairs of each pattern;
    facts: by column, which of its facts each level has; rules: facts, as column and place there, and the share of
    the pairs with these that the rule makes."""

    levels: NDArray[np.int64]
    weight: Array
    facts: tuple[NDArray[np.bool_], ...]
    rules: tuple[tuple[tuple[tuple[int, int], ...], float], ...]

    @classmethod
    def of(cls, register: Register, candidates: BlockedPairs, pairs: Pairs, weight: Array) -> _Agreement:
        kind, (left, right) = register.kind, pairs
        based = [tuple(dict.fromkeys(b for p in one.rule for b in _base(kind, p))) for one in candidates.blocks]
        whole = {name for name in register.columns if len(kind.shows(name)) == 1}
        wanted = sorted(whole | {p for b in based for p in b})
        agree = {part: _agree(register, part, left, right) for part in wanted}
        columns: dict[str, list[str]] = {}
        for part in agree:
            columns.setdefault(kind.shows(part)[0], []).append(part)
        levels, facts = _levels([[agree[part] for part in parts] for parts in columns.values()])
        places = {part: (n, k) for n, parts in enumerate(columns.values()) for k, part in enumerate(parts)}
        rules = []
        for parts, blocks in zip(based, candidates.blocks, strict=True):
            there = np.logical_and.reduce([agree[part] for part in parts])
            made = there & blocks.meets(left, right)
            share = float(weight[made].sum()) / max(float(weight[there].sum()), 1e-9)
            rules.append((tuple(places[part] for part in parts), share))
        distinct, place = np.unique(levels, axis=0, return_inverse=True)
        return cls(distinct, np.bincount(place.ravel(), weights=weight).astype(np.float64), facts, tuple(rules))

    def unseen(self) -> float:
        """The share of all pairs that no rule makes."""
        size = [len(one) for one in self.facts]
        drawn = _even(len(size))
        total = float(self.weight.sum())
        margins = [self._counted(self.weight, n) / total + 1e-6 for n in range(len(size))]
        of_class, share = self._apart(), 0.0
        unmade = [[np.zeros(many) for many in size] for _ in range(CLASSES)]
        for _ in range(ROUNDS):
            chances, shares = [], np.zeros(CLASSES)
            for k in range(CLASSES):
                counts = [self._counted(self.weight * of_class[k], n) + unmade[k][n] for n in range(len(size))]
                shares[k] = counts[0].sum()
                chances.append(
                    [(c + PRIOR * m) / (c + PRIOR * m).sum() for c, m in zip(counts, margins, strict=True)]
                )
            shares /= shares.sum()
            missed = [self._missed(one, drawn) for one in chances]
            lost = shares * [share for share, _ in missed]
            share = min(float(lost.sum()), 0.99)
            unmade = [[total / (1 - share) * lost[k] * seen for seen in missed[k][1]] for k in range(CLASSES)]
            joint = np.log(shares + 1e-300)[:, None] + np.array(
                [sum(np.log(c[n])[self.levels[:, n]] for n in range(len(size))) for c in chances]
            )
            of_class = np.exp(joint - np.logaddexp.reduce(joint, axis=0))
        return share

    def _counted(self, weight: Array, column: int) -> Array:
        return np.bincount(self.levels[:, column], weights=weight, minlength=len(self.facts[column])).astype(float)

    def _apart(self) -> Array:
        """A first division: pairs that agree on little, and on much."""
        some: list[NDArray[np.bool_]] = [np.asarray(facts.any(axis=1)) for facts in self.facts]
        agreed = sum((one.take(self.levels[:, n]).astype(float) for n, one in enumerate(some)), np.zeros(1))
        rank = np.argsort(np.argsort(agreed, kind="stable"), kind="stable") / len(agreed)
        centre = (np.arange(CLASSES) + 0.5) / CLASSES
        near = np.exp(-20 * (rank[None, :] - centre[:, None]) ** 2) + 0.05
        return np.asarray(near / near.sum(axis=0))

    def _missed(self, chances: Sequence[Array], drawn: Array) -> tuple[float, list[Array]]:
        """Which share of the pairs with these chances no rule makes, and what those are: chances by column."""
        level = [np.searchsorted(np.cumsum(c)[:-1], one) for c, one in zip(chances, drawn, strict=True)]
        agree: list[NDArray[np.bool_]] = [facts[at].T for facts, at in zip(self.facts, level, strict=True)]
        missed = np.ones(DRAWN)
        for parts, share in self.rules:
            there: NDArray[np.bool_] = np.logical_and.reduce([agree[column][fact] for column, fact in parts])
            missed *= 1 - share * there
        total = float(missed.sum())
        seen = [np.bincount(at, weights=missed, minlength=len(c)) for at, c in zip(level, chances, strict=True)]
        return total / DRAWN, [one / max(total, 1e-12) for one in seen]


def _agree(register: Register, part: str, left: NDArray[np.int32], right: NDArray[np.int32]) -> NDArray[np.bool_]:
    mine = part_key(register, part, left)
    return (mine == part_key(register, part, right)) & (mine != 0)


def _levels(
    columns: Sequence[Sequence[NDArray[np.bool_]]],
) -> tuple[NDArray[np.int64], tuple[NDArray[np.bool_], ...]]:
    """Of each pair and column which combination of facts it has, and these combinations; that without a fact
    always stands among them."""
    levels, facts = [], []
    for parts in columns:
        bits = sum((part.astype(np.int64) << n for n, part in enumerate(parts)), np.zeros(1, dtype=np.int64))
        found, place = np.unique(np.append(bits, 0), return_inverse=True)
        levels.append(place[:-1])
        facts.append((found[:, None] >> np.arange(len(parts)) & 1).astype(bool))
    return np.stack(levels, axis=1), tuple(facts)


def _even(columns: int) -> Array:
    """Numbers spread evenly over 0 to 1, for each column in an order of its own."""
    random = np.random.default_rng(0)
    return np.stack([(random.permutation(DRAWN) + 0.5) / DRAWN for _ in range(columns)])
