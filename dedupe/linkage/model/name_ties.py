"""How forenames go with surnames: Mohammed Khan and David Evans, hardly Mohammed Evans.

Two strangers who share a surname are often of one origin, and then share a forename oftener than two at random.
Where dates tell namesakes that is counted (`model.namesakes`). Where there are none, names are taken to be of
ORIGINS origins, within each of which the two go together at random: a latent class model of the table of forenames
by surnames (Goodman 1974), fitted by expectation-maximisation. It stands only where it foretells combinations of
names that it was not fitted to better than independence does. A combination is left out whole, so that records of
one person foretell nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import UNLIKE, Comparison
from casebridge.dedupe.linkage.register.encoding import Register

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ORIGINS, ROUNDS, PARTS = 2, 40, 3
BELIEF = 10.0
"""Records' worth of belief that an origin's names are those of all. With 10, strangers of one name were 0.8 to 1.0
of those in made-up registers of 1,000 to 10,000 people (`benchmarks.thin`), 0.6 where most names are rare."""
ROWS, MOST = 30_000, 3.0  # rows looked at; natural log: of rare names more is noise


@dataclass(frozen=True)
class NameTies:
    """places: of the two comparisons among all. log_more: natural log of how many times more strangers show a
    level of the one and one of the other than if they were independent; shape (levels of the first, of the
    second), the missing one last in each."""

    places: tuple[int, int]
    log_more: Floats

    def of(self, levels: NDArray[np.uint8]) -> Floats:
        """log_more of each pattern."""
        first, second = self.places
        return self.log_more[levels[:, first], levels[:, second]]


@dataclass(frozen=True)
class _Origins:
    """share: of the records by origin. of_names: chance of each name by origin, two tables."""

    share: Floats
    of_names: tuple[Floats, Floats]

    def chances(self, names: tuple[Ints, Ints]) -> Floats:
        """Chance of each combination, by origin."""
        first, second = (table[name] for table, name in zip(self.of_names, names, strict=True))
        return np.asarray(self.share * first * second)


def name_ties(register: Register, comparisons: Sequence[Comparison]) -> NameTies | None:
    """How the two names of `Chance.tied` go together; None where they do not, or a column is lacking."""
    place = {comparison.name: number for number, comparison in enumerate(comparisons)}
    tied = register.kind.chance.tied
    if not tied or not set(tied) <= place.keys():
        return None
    codes = [register.columns[name][:ROWS].astype(np.int64) for name in tied]
    rows = np.flatnonzero((codes[0] >= 0) & (codes[1] >= 0))
    if len(rows) < PARTS:
        return None
    found = [np.unique(code[rows], return_index=True, return_inverse=True) for code in codes]
    names = (found[0][2].reshape(-1), found[1][2].reshape(-1))
    if not _foretold(names):
        return None
    origins = _fitted(names, (len(found[0][0]), len(found[1][0])))
    compared = [comparisons[place[name]] for name in tied]
    alike = []
    for comparison, (_, at, _), table in zip(compared, found, origins.of_names, strict=True):
        seen = rows[at].astype(np.int32)
        alike.append(_alike(comparison, comparison.full(*register.sides(seen, seen)), table))
    return NameTies((place[tied[0]], place[tied[1]]), _log_more(origins.share, alike[0], alike[1]))


def _alike(comparison: Comparison, level: NDArray[np.uint8], table: Floats) -> Floats:
    """Chance that two records, one of each of two origins, show each level; shape (levels, origins, origins).
    Names that are nearly the same go with others as the same do; of those that are unlike nothing is said."""
    found = np.zeros((comparison.null + 1, ORIGINS, ORIGINS))
    for number in range(comparison.null):
        held = table[level == number]
        found[number] = held.T @ held
    every = found.sum(axis=0)
    near = ~comparison.tagged(UNLIKE)[: comparison.null] & (found[:-1].sum(axis=(1, 2)) == 0)
    found[:-1][near] = every
    return found


def _log_more(share: Floats, first: Floats, second: Floats) -> Floats:
    both = np.outer(share, share)
    together = np.einsum("kl,akl,bkl->ab", both, first, second)
    apart = np.outer(np.einsum("kl,akl->a", both, first), np.einsum("kl,bkl->b", both, second))
    told = apart > 0
    more = np.where(told, together, 1.0) / np.where(told, apart, 1.0)
    return np.clip(np.log(more), -MOST, MOST)


def _foretold(names: tuple[Ints, Ints]) -> bool:
    """Whether origins foretell combinations that were left out better than independence does."""
    sizes = (int(names[0].max()) + 1, int(names[1].max()) + 1)
    combination = np.unique(names[0] * sizes[1] + names[1], return_inverse=True)[1].reshape(-1)
    part = np.random.default_rng(1).integers(0, PARTS, int(combination.max()) + 1)[combination]
    better = 0.0
    for number in range(PARTS):
        out = part == number
        if out.all() or not out.any():
            return False
        held, left = (tuple(name[rows] for name in names) for rows in (~out, out))
        origins = _fitted((held[0], held[1]), sizes)
        first, second = (_shares(name, size) for name, size in zip(held, sizes, strict=True))
        alone = first[left[0]] * second[left[1]]
        better += float(np.log(origins.chances((left[0], left[1])).sum(axis=1) / alone).sum())
    return better > 0


def _fitted(names: tuple[Ints, Ints], sizes: tuple[int, int]) -> _Origins:
    overall = [_shares(name, size) for name, size in zip(names, sizes, strict=True)]
    member = np.random.default_rng(2).dirichlet(np.full(ORIGINS, 0.5), size=sizes[1])[names[1]]
    for _ in range(ROUNDS):
        tables = [_by_origin(name, member, shares) for name, shares in zip(names, overall, strict=True)]
        share = (member.sum(axis=0) + 1.0) / (len(member) + ORIGINS)
        origins = _Origins(share, (tables[0], tables[1]))
        member = origins.chances(names)
        member /= member.sum(axis=1, keepdims=True)
    return origins


def _by_origin(name: Ints, member: Floats, shares: Floats) -> Floats:
    counts = np.stack([np.bincount(name, weights=one, minlength=len(shares)) for one in member.T], axis=1)
    return (counts + BELIEF * shares[:, None]) / (counts.sum(axis=0) + BELIEF)


def _shares(name: Ints, size: int) -> Floats:
    counts = np.bincount(name, minlength=size) + 0.5
    return counts / counts.sum()
