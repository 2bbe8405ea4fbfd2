"""What the fitted model says of every kept pair, worked out once per distinct pattern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.keys import BlockedPairs
from casebridge.dedupe.linkage.comparisons.levels import DOUBT_BEND, DOUBT_CAP, SURE, Comparison, Levels
from casebridge.dedupe.linkage.comparisons.said import for_a_person
from casebridge.dedupe.linkage.fields import THIRD_RECORDS, LinkOptions
from casebridge.dedupe.linkage.kind import Kind
from casebridge.dedupe.linkage.model import third_records
from casebridge.dedupe.linkage.model.mixture import Model
from casebridge.dedupe.linkage.model.patterns import Radix, distinct
from casebridge.dedupe.linkage.model.third_records import Links, PairLookup, ThirdRecords
from casebridge.dedupe.linkage.register.encoding import Register, pair_key
from casebridge.dedupe.linkage.scoring.cascade import Scored


@dataclass(frozen=True)
class PatternScores:
    """Kept pairs by distinct pattern. place: each pair's pattern. Of each pattern: levels (patterns,
    comparisons); third, what third records say; chances of `Kind.relations`, (patterns, relations); log_odds
    (natural) of one person; doubt, whether it is for a person to decide."""

    place: NDArray[np.int64]
    levels: NDArray[np.uint8]
    third: Levels
    chances: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    doubt: NDArray[np.bool_]

    @property
    def p(self) -> NDArray[np.float64]:
        """p_same of each pattern. Doubtful ones do not pass DOUBT_CAP, and keep their order: from DOUBT_BEND on
        what is left of the way to 1 is drawn together."""
        same = self.chances[:, 0]
        drawn = DOUBT_BEND + (same - DOUBT_BEND) * (DOUBT_CAP - DOUBT_BEND) / (1 - DOUBT_BEND)
        return np.where(self.doubt, np.minimum(same, drawn), same)

    def and_also(self, other: PatternScores) -> PatternScores:
        """These pairs, then those of `other`."""
        names = ("levels", "third", "chances", "log_odds", "doubt")
        both = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in names}
        return PatternScores(np.concatenate([self.place, other.place + len(self.third)]), **both)

    def with_thirds(self, level: Levels, fitted: ThirdRecords) -> PatternScores:
        """The same pairs, each with what third records say of it."""
        found, place = distinct(self.place * (third_records.NULL + 1) + level)
        which, third = np.divmod(found, third_records.NULL + 1)
        shift = fitted.shift(third.astype(np.uint8))
        chances = self.chances[which]
        chances[:, 0] *= np.exp(shift)
        chances /= chances.sum(axis=1, keepdims=True)
        return PatternScores(
            place,
            self.levels[which],
            third.astype(np.uint8),
            chances,
            self.log_odds[which] + shift,
            self.doubt[which],
        )


def score_patterns(
    kind: Kind,
    model: Model,
    comparisons: Sequence[Comparison],
    codes: NDArray[np.int64],
    without: frozenset[str] = frozenset(),
) -> PatternScores:
    """Each pair judged alone."""
    found, place = distinct(codes)
    levels = Radix.of(comparisons).decode(found)
    none = np.full(len(found), third_records.NULL, dtype=np.uint8)
    doubt = for_a_person(kind.guards.doubt, comparisons, levels, without)
    return PatternScores(place, levels, none, *model.judged(levels), doubt)


def score_together(
    register: Register, model: Model, comparisons: Sequence[Comparison], candidates: BlockedPairs, scored:
    Scored, options: LinkOptions, frozen: ThirdRecords | None = None,
) -> tuple[Scored, PatternScores, ThirdRecords]:  # fmt: skip
    """Each pair judged alone, then with what third records say of it (`third_records`); with the pairs that a
    third record binds, without those that now fall below `options.keep`. Pairs decided different bind nothing.
    frozen: third records as a kept model has them."""
    alone = score_patterns(register.kind, model, comparisons, scored.codes, options.without)
    p = alone.p[alone.place]
    different = np.isin(pair_key(scored.left, scored.right), register.pair_keys(options.different_pairs))
    p[different] = 0.0
    seen = PairLookup.of(scored.left, scored.right, p)
    asked = THIRD_RECORDS not in options.without
    sure = np.flatnonzero((p >= SURE) & asked)
    links = Links.of(register.size, scored.left[sure], scored.right[sure])
    left, right = third_records.bound_pairs(links, seen, candidates.allowed)
    sides = register.sides(left, right)
    codes = Radix.of(comparisons).encode([c.full(*sides) for c in comparisons])
    first = len(p)
    scored = replace(
        scored,
        left=np.concatenate([scored.left, left]),
        right=np.concatenate([scored.right, right]),
        codes=np.concatenate([scored.codes, codes]),
    )
    alone = alone.and_also(score_patterns(register.kind, model, comparisons, codes, options.without))
    unsure = np.flatnonzero(alone.p[alone.place] < SURE)
    level = np.full(len(scored.codes), third_records.NULL, dtype=np.uint8)
    level[unsure] = third_records.third_levels(
        links, seen, candidates.allowed, scored.left[unsure], scored.right[unsure]
    )
    met = unsure[unsure < first]
    fitted = frozen or third_records.fit_thirds(alone.chances[alone.place[met], 0], level[met])
    together = alone.with_thirds(level, fitted)
    kept = together.p[together.place] >= options.keep
    return (
        replace(scored, left=scored.left[kept], right=scored.right[kept], codes=scored.codes[kept]),
        replace(together, place=together.place[kept]),
        fitted,
    )


def surest_first(scored: Scored, p: NDArray[np.float64]) -> NDArray[np.int64]:
    """The order in which pairs are written: by p; ties in the order of the rows."""
    return np.lexsort((scored.right, scored.left, -p))


def pairs_frame(
    register: Register,
    comparisons: Sequence[Comparison],
    scored: Scored,
    judged: PatternScores,
    order: NDArray[np.int64],
) -> pl.DataFrame:
    """The kept pairs in `order`."""
    p = judged.p[judged.place]
    place = judged.place[order]
    columns: dict[str, pl.Series] = {
        "left_id": register.ids.gather(pl.Series(scored.left[order].astype(np.uint32))),
        "right_id": register.ids.gather(pl.Series(scored.right[order].astype(np.uint32))),
        "p_same": pl.Series(p[order]),
        "relation": _labelled(judged.chances.argmax(axis=1)[place], register.kind.relations),
        "weight": pl.Series(judged.log_odds[place] / np.log(2)),
    }
    for number, comparison in enumerate(comparisons):
        columns[comparison.name] = _labelled(judged.levels[place, number].astype(np.int64), comparison.labels())
    columns[third_records.NAME] = _labelled(judged.third[place].astype(np.int64), third_records.LABELS)
    return pl.DataFrame(columns)


def _labelled(codes: NDArray[np.int64], labels: Sequence[str]) -> pl.Series:
    given = pl.Series(np.where(codes < len(labels), codes, len(labels)).astype(np.uint32))
    table = pl.Series([*labels, None], dtype=pl.Enum(list(labels)))
    return table.gather(given)
