"""Which record of the live register a key means: legacy keys through the crosswalk, and keys that are gone through
merges that were done in the register itself. The register is only read; this map is the project's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from casebridge.dedupe.review.decisions import Decision, Ruling, decision
from casebridge.project.no_link import NoLink
from casebridge.project.settings import Settings
from casebridge.project.snapshot import Snapshot

CROSSWALK = "casebridge_crosswalk"
"""The table that a migration leaves in the target."""


@dataclass(frozen=True)
class Keys:
    """legacy: what a legacy key became (`carefirst:12` → `mosaic:7`). merged: what a record became that was merged
    in the register (`mosaic:9` → `mosaic:7`)."""

    legacy: Mapping[str, str] = field(default_factory=dict)
    merged: Mapping[str, str] = field(default_factory=dict)

    def now(self, item: str) -> str:
        """The record that stands for this one now."""
        found, seen = self.legacy.get(item, item), set[str]()
        while found in self.merged and found not in seen:
            seen.add(found)
            found = self.merged[found]
        return found

    def decisions(self, said: Iterable[Decision], present: Collection[str]) -> dict[tuple[str, str], Decision]:
        """What stands between the records of the register now. What was said of these very records goes before
        what was said of those they were made from; of those, what keeps apart."""
        order = {Ruling.SAME: 0, Ruling.UNSURE: 1}
        found: dict[tuple[str, str], tuple[bool, int, Decision]] = {}
        for item in said:
            left, right = self.now(item.left_id), self.now(item.right_id)
            if left == right or left not in present or right not in present:
                continue
            made = decision(left, right, item.verdict, item.reviewer, item.reason)
            pair = (made.left_id, made.right_id)
            rank = (pair == (item.left_id, item.right_id), order.get(item.verdict, 2))
            if pair not in found or rank > found[pair][:2]:
                found[pair] = (*rank, made)
        return {pair: made for pair, (*_, made) in found.items()}

    def with_merges(self, merges: Mapping[str, str], present: Collection[str]) -> Keys:
        """The map with further merges; whoever is there again stands for himself."""
        both = {**self.merged, **merges}
        return replace(self, merged={gone: kept for gone, kept in both.items() if gone not in present})


def read_crosswalk(snapshot: Snapshot, settings: Settings) -> pl.DataFrame:
    """Legacy keys (`item`) and the records they became (`live`); none in a register that was never migrated to
    with casebridge. What is not of people has the table behind the system on both sides: its ids are others."""
    system = settings.live.system if settings.live else ""
    schema = {"item": pl.String(), "live": pl.String()}
    if not settings.systems or not snapshot.has(CROSSWALK):
        return pl.DataFrame(schema=schema)
    columns = ["system", "legacy_key", "target_id"]
    rows = pl.concat(
        [pl.DataFrame(schema=dict.fromkeys(columns, pl.String())), *snapshot.read(CROSSWALK, columns)]
    )
    register = pl.col("system").str.extract("(/.*)$").fill_null("")
    return rows.select(
        (pl.col("system") + ":" + pl.col("legacy_key")).alias("item"),
        (pl.lit(system) + register + ":" + pl.col("target_id")).alias("live"),
    )


def legacy_of(crosswalk: pl.DataFrame, items: Collection[str]) -> dict[str, str]:
    """What some legacy keys became."""
    return dict(crosswalk.filter(pl.col("item").is_in(sorted(items))).iter_rows())


def made_from(crosswalk: pl.DataFrame, records: Collection[str]) -> dict[str, list[str]]:
    """The legacy keys of which some records were made."""
    mine = crosswalk.filter(pl.col("live").is_in(sorted(records)))
    return dict(mine.group_by("live").agg(pl.col("item").sort()).iter_rows())


@dataclass(frozen=True)
class _OfRegister:
    """The register as something that has a no-link list."""

    settings: Settings


def hidden_records(settings: Settings, crosswalk: pl.DataFrame, known: Collection[str]) -> set[str]:
    """The records of the register of which nothing may be kept: on the register's own list, or made from one that
    is on a legacy system's list. SourceError where a list cannot be used. known: keys of the register."""
    no_link = NoLink(_OfRegister(settings))
    if not no_link:
        return set()
    listed = no_link.hidden(crosswalk.get_column("item"))
    live = crosswalk.filter(pl.col("item").is_in(sorted(listed))).get_column("live")
    return no_link.hidden(known) | set(live.drop_nulls())


def has_a_list(settings: Settings) -> bool:
    """Whether the register or a legacy system has a no-link list."""
    return bool(NoLink(_OfRegister(settings)))


def has_own_list(settings: Settings) -> bool:
    """Whether the register has a no-link list of its own."""
    return settings.live is not None and settings.live.no_link is not None
