"""What stands between the records of the register tonight: the map of keys, decisions and what they rested on, and
the pairs that are put forward whatever linkage finds."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from casebridge.dedupe.review.decisions import Decision, Ruling
from casebridge.dedupe.review.evidence import said_until_now
from casebridge.dedupe.review.reraise import Basis, bases, decided_since
from casebridge.dedupe.scan.kept_rows import IN_PARTS, KeptRows
from casebridge.dedupe.scan.keys import Keys, legacy_of
from casebridge.dedupe.scan.pairs import BACK, ON_FILE, UNBORN
from casebridge.dedupe.scan.people import LiveQueries
from casebridge.project.audit import AuditLog


@dataclass(frozen=True)
class Standing:
    """What people said, and what the last night left (`facts`)."""

    log: AuditLog
    facts: Mapping[str, Any]
    said: Sequence[Decision]

    def present(self, queries: LiveQueries, crosswalk: pl.DataFrame, register: KeptRows) -> set[str]:
        """Those of the register of whom anything may be said: whom people, the register itself or a merge name."""
        named = {item for one in self.said for item in (one.left_id, one.right_id)}
        named |= {
            *legacy_of(crosswalk, named).values(),
            *self.facts.get("merged", {}),
            *self.facts.get("back", {}),
        }
        named |= {
            *self.facts.get("merged", {}).values(),
            *(kept for kept, _ in self.facts.get("back", {}).values()),
        }
        asked = [queries.pairs(name) for name in ("related", "duplicates", "unborn")]
        asked.append(queries.pairs("merged", "gone", "kept"))
        sides = [frame.get_column(name) for frame in asked for name in frame.columns]
        ids = pl.concat([pl.Series("id", sorted(named), dtype=pl.String), *(side.rename("id") for side in sides)])
        there = register.lazy("id").join(ids.unique().to_frame().lazy(), on="id", how="semi")
        return set(there.collect(engine=IN_PARTS).get_column("id"))

    def keys(
        self, queries: LiveQueries, crosswalk: pl.DataFrame, hidden: Collection[str], present: Collection[str]
    ) -> Keys:
        """The map of keys. A record that is gone, and of which one person only was decided to be the same, became
        that one."""
        said = self.said
        named = {item for one in said for item in (one.left_id, one.right_id)}
        keys = Keys(legacy_of(crosswalk, named), dict(self.facts.get("merged", {})))
        declared = dict(queries.pairs("merged", "gone", "kept").iter_rows())
        same: dict[str, set[str]] = {}
        for one in (one for one in said if one.verdict is Ruling.SAME):
            for gone, kept in ((one.left_id, one.right_id), (one.right_id, one.left_id)):
                same.setdefault(keys.now(gone), set()).add(keys.now(kept))
        followed = {
            gone: next(iter(there)) for gone, partners in same.items()
            if gone not in present and len(there := partners & set(present)) == 1
        }  # fmt: skip
        merges = {gone: kept for gone, kept in {**followed, **declared}.items() if not {gone, kept} & set(hidden)}
        return keys.with_merges(merges, present)

    def besides(
        self, queries: LiveQueries, keys: Keys, present: Collection[str]
    ) -> tuple[dict[tuple[str, str], str], dict[str, tuple[str, int]]]:
        """The pairs that are put forward whatever linkage finds, with why; and the records that came back after a
        merge, each with whom it had become and the last decision there was then."""
        last = int(said_until_now(self.log.engine).get("decisions", 0))
        before = {gone: (str(kept), int(number)) for gone, (kept, number) in self.facts.get("back", {}).items()}
        now = {
            gone: (keys.now(kept), last) for gone, kept in self.facts.get("merged", {}).items() if gone in present
        }
        returned = {**now, **before}
        pairs = {(min(gone, kept), max(gone, kept)): (gone, number) for gone, (kept, number) in returned.items()
                 if gone != kept and {gone, kept} <= set(present)}  # fmt: skip
        done = decided_since(self.log.engine, {pair: number for pair, (_, number) in pairs.items()})
        found = {pair: why for name, why in (("unborn", UNBORN), ("duplicates", ON_FILE))
                 for pair in pairs_of(queries, name) if set(pair) <= set(present)}  # fmt: skip
        open_again = {pair: gone for pair, (gone, _) in pairs.items() if pair not in done}
        return found | dict.fromkeys(open_again, BACK), {gone: returned[gone] for gone in open_again.values()}

    def bases(self, keys: Keys) -> dict[tuple[str, str], Basis]:
        """What decisions rested on, by the records that stand for those they were about. The weight counts only
        where it is of these very records and of this model: another one weighs the same evidence otherwise."""
        found = {}
        since = int(self.facts.get("model_since", 0))
        for (left, right), basis in bases(self.log.engine).items():
            first, second = sorted((keys.now(left), keys.now(right)))
            same = (first, second) == (left, right) and basis.number > since
            found[first, second] = basis if same else replace(basis, weight=math.nan)
        return found


def pairs_of(queries: LiveQueries, name: str) -> set[tuple[str, str]]:
    """The pairs of a query, each once, the smaller key left."""
    found = queries.pairs(name).iter_rows()
    return {(min(left, right), max(left, right)) for left, right in found if left != right}
