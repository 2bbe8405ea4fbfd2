"""What changed records do to pairs and clusters: only what they affect is scored again.

A pair changes where one of its records changed; or where what a third record says of it may have changed, that is,
where one of its records hangs together, by sure pairs, with a record whose sure pairs changed. A cluster changes
where a pair within it, or next to it, did. All else stands as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

from casebridge.dedupe.linkage.affected.change import Change
from casebridge.dedupe.linkage.affected.grouping import Affected, grouped_again, touching
from casebridge.dedupe.linkage.affected.linked import LinkedRegister, places
from casebridge.dedupe.linkage.affected.meeting import Meeting
from casebridge.dedupe.linkage.affected.part import Flags, Rows, Seen
from casebridge.dedupe.linkage.clusters import connected
from casebridge.dedupe.linkage.engine import Progress
from casebridge.dedupe.linkage.fields import LinkOptions
from casebridge.dedupe.linkage.register.encoding import ends


def link_affected(
    linked: LinkedRegister,
    changed: pl.DataFrame | pl.LazyFrame,
    gone: Iterable[Any] = (),
    options: LinkOptions | None = None,
    progress: Progress | None = None,
) -> Affected:
    """Bring a linked register up to date: `changed` are rows that are new or say something else now, `gone` ids of
    records that are no more.

    The pairs, cuts and clusters are those of a full run with the same model on the register as it is now. options:
    all decisions as they stand; what the model says of how to score is taken from the model. With
    `previous_clusters` some records are in clusters of these names, whatever `linked` says: who does not save
    what each night makes of it says so what the nights since made. Raises RegisterError for rows that cannot be
    read as the model's register was.
    """
    change = Change.of(linked, changed, [*gone], options or LinkOptions())
    tell = progress or _silent
    touched, fresh = _scored(change)
    tell("scoring", {"records": len(touched), "kept": len(fresh.left)})
    seen, started = _with(change, fresh, touched)
    region = _hanging_together(change, linked.seen, seen, started)
    pairs = _judged(change, seen, region)
    tell("third records", {"pairs": pairs.height})
    outside = ~(touching(linked.standing, region | change.left))
    standing = pl.concat([linked.standing.filter(pl.Series(outside)), pairs])
    return grouped_again(change, seen, standing, region, len(fresh.left))


def _silent(_step: str, _facts: dict[str, Any]) -> None:
    """Progress that nobody asked for."""


def _scored(change: Change) -> tuple[Rows, Seen]:
    """The records whose pairs are made again, and these pairs."""
    kept, ids = change.applied.kept, change.applied.records.ids
    blocking = Meeting(kept.rules, kept.divisions, kept.max_block)

    def order(rows: Rows) -> Rows:
        return np.argsort(places(ids.gather(rows)))

    moved = blocking.moved(change.keys, np.flatnonzero(change.left), change.came, order)
    keys = tuple(np.where(change.left, np.uint32(0), key) for key in change.keys)
    touched = np.unique(np.concatenate([change.came, moved, change.decided]))
    touched = touched[~change.left[touched]]
    met = blocking.pairs(keys, touched, order)
    rows = np.unique(np.concatenate(ends(met)))
    return touched, change.applied.part(rows).score(met) if len(met) else Seen.together([])


def _with(change: Change, fresh: Seen, touched: Rows) -> tuple[Seen, Rows]:
    """All kept pairs as they are now; and the records at which anything changed that a third record can say."""
    again = np.zeros(change.size, dtype=bool)
    again[touched] = True
    old = change.linked.seen
    dropped = old.touching(again | change.left)
    seen = Seen.together([old.at(~dropped), fresh])
    sure = [part.at(part.sure) for part in (old.at(dropped), fresh)]
    started = np.concatenate([touched, *(end for part in sure for end in (part.left, part.right))])
    return seen, np.unique(started[~change.left[started]])


def _hanging_together(change: Change, before: Seen, now: Seen, started: Rows) -> Flags:
    """Records that hang together, by pairs that are or were sure, with those at which something changed."""
    links = Seen.together([part.at(part.sure) for part in (before, now)])
    component = connected(change.size, links.left, links.right)
    found = np.zeros(change.size, dtype=bool)
    found[component[started]] = True
    return np.asarray(found[component] & ~change.left)


def _judged(change: Change, seen: Seen, region: Flags) -> pl.DataFrame:
    """The pairs of the region, with what third records say of them."""
    mine = seen.touching(region)
    near = region.copy()
    near[seen.left[mine]] = near[seen.right[mine]] = True
    needed = seen.at(mine | (seen.sure & seen.touching(near)))
    rows = np.unique(np.concatenate([needed.left, needed.right, np.flatnonzero(region)]))
    return change.applied.part(rows).judge(needed, region)
