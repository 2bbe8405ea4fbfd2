"""The changed people against the whole register, by the model that is kept with the project."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from casebridge.dedupe.linkage.affected.linked import LinkedRegister
from casebridge.dedupe.linkage.affected.night import link_affected
from casebridge.dedupe.linkage.engine import link
from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import Fields, LinkOptions
from casebridge.dedupe.linkage.model.kept import KeptModel, read_kept
from casebridge.dedupe.review.reraise import level_columns
from casebridge.dedupe.scan.config import ScanConfig
from casebridge.dedupe.scan.kept_rows import KeptRows
from casebridge.project.errors import CasebridgeError

FEW, SMALL = 2, 100
"""A register of fewer than FEW records has no pairs; of fewer than SMALL may have none."""
_NEW = "`casebridge scan --model new` fits a new one"
GONE = f"restore work/ from a backup, or {_NEW}"
PAIRS: Mapping[str, type[pl.DataType]] = {
    "left_id": pl.String, "right_id": pl.String, "p_same": pl.Float64, "relation": pl.String,
    "weight": pl.Float64, "zone": pl.String, "guard": pl.String,
}  # fmt: skip
"""Of the pairs that linkage found, beside the level of each comparison (text)."""


@dataclass(frozen=True)
class Ruled:
    """What is said of pairs of the register, smaller id left: the same, different, and on file as two people."""

    same: Sequence[tuple[str, str]] = ()
    different: Sequence[tuple[str, str]] = ()
    related: Sequence[tuple[str, str]] = ()

    def frame(self) -> pl.DataFrame:
        """A row a pair: left_id, right_id, and which of the options of linkage it is of (`ruling`)."""
        of = {"same_pairs": self.same, "different_pairs": self.different, "related": self.related}
        schema = {"left_id": pl.String(), "right_id": pl.String()}
        frames = [pl.DataFrame(list(pairs), schema=schema, orient="row").with_columns(ruling=pl.lit(name))
                  for name, pairs in of.items()]  # fmt: skip
        return pl.concat(frames)


@dataclass(frozen=True)
class Before:
    """What a night begins with: the register as it was linked whole, ids of who changed since, the clusters that
    records got since, and whether it was linked `again` tonight."""

    linked: LinkedRegister
    changed: Collection[str] = ()
    clusters: Mapping[str, str] = field(default_factory=dict)
    again: bool = False


@dataclass(frozen=True)
class Linked:
    """The register as linkage sees it now: PAIRS that are put forward or of which something was said, the
    probability from which a pair is put forward, warnings of drift, and the clusters that records got since it was
    linked whole. `made`: it as a whole, None where there are too few people."""

    pairs: pl.DataFrame
    propose: float
    warnings: tuple[str, ...] = ()
    clusters: Mapping[str, str] = field(default_factory=dict)
    made: Callable[[], LinkedRegister] | None = None


def fields_of(config: ScanConfig) -> Fields:
    """The roles of the register's columns."""
    return Fields(id="id", roles=dict(config.fields), other=dict(config.other), kind=config.kind)


def link_people(
    register: KeptRows, before: Before | None, config: ScanConfig, ruled: Ruled, also: Collection[tuple[str, str]]
) -> Linked:
    """Link a register: all of it by a model that is fitted to it, or what changed since `before` by the model of
    that. also: pairs that are told of wherever they stand. CasebridgeError where that cannot be done."""
    size = register.height
    if size < FEW:
        return Linked(pl.DataFrame(schema=dict(PAIRS)), 1.0)
    if before is not None and before.linked.fields != before.linked.kind.placed(fields_of(config)):
        raise CasebridgeError("linkage.toml names other fields than those of the model", hint=_NEW)
    options = LinkOptions(related=ruled.related, same_pairs=ruled.same, different_pairs=ruled.different)
    try:
        if before is None:
            return _fitted(register.lazy(*register.columns), config, options, also)
        return _since(before, register, options, also)
    except RegisterError as error:
        if before is None and not config.is_people and size < SMALL:
            return Linked(pl.DataFrame(schema=dict(PAIRS)), 1.0, (error.what,))
        hint = error.hint if before is None else _NEW
        raise CasebridgeError(f"the register cannot be linked: {error.what}", hint=hint) from error


def _fitted(
    register: pl.LazyFrame, config: ScanConfig, options: LinkOptions, also: Collection[tuple[str, str]]
) -> Linked:
    """By a model that is fitted to all of it."""
    found = link(register, fields_of(config), options)
    assert found.kept is not None
    linked = LinkedRegister.of(register, fields_of(config), found.kept, options)
    pairs = in_order(linked.standing_pairs(linked.kept.propose, also))
    return Linked(pairs, linked.kept.propose, made=lambda: linked)


def _since(before: Before, register: KeptRows, options: LinkOptions, also: Collection[tuple[str, str]]) -> Linked:
    """By the model that is kept: only what changed since it was linked whole."""
    fresh = register.of("id", before.changed)
    gone = set(before.changed) - set(fresh.get_column("id"))
    options = replace(options, previous_clusters=before.clusters)
    night = link_affected(before.linked, fresh, sorted(gone), options)
    propose = before.linked.kept.propose
    moved = dict(night.clusters.select("id", "cluster").iter_rows())
    clusters = {item: name for item, name in {**before.clusters, **moved}.items() if item not in gone}
    pairs = in_order(night.standing(propose, also))
    return Linked(pairs, propose, tuple(night.warnings), clusters, lambda: night.linked)


def in_order(pairs: pl.DataFrame) -> pl.DataFrame:
    """PAIRS and levels as texts, with the smaller id left, as decisions have it."""
    first, second = (
        both(pl.col("left_id").cast(pl.String), pl.col("right_id").cast(pl.String))
        for both in (pl.min_horizontal, pl.max_horizontal)
    )
    levels = [pl.col(name).cast(pl.String) for name in level_columns(pairs)]
    there = pairs.with_columns(first.alias("left_id"), second.alias("right_id"))
    return there.select(*(pl.col(name).cast(kind) for name, kind in PAIRS.items()), *levels)


def read_linked(folder: Path) -> LinkedRegister | None:
    """The linked register in a folder; None where this release cannot go on from it."""
    try:
        return LinkedRegister.read(folder)
    except RegisterError:
        return None


def linked_again(folder: Path, register: pl.DataFrame, config: ScanConfig, model: str) -> LinkedRegister:
    """A register linked by the model in a folder, all of it, without what was decided. model: its fingerprint.
    CasebridgeError where that cannot be done."""
    try:
        kept = read_kept(folder)
        same_model(kept, model)
        return LinkedRegister.of(register, fields_of(config), kept)
    except RegisterError as error:
        raise CasebridgeError(f"what the last scan linked: {error.what}", hint=GONE) from error


def same_model(kept: KeptModel, model: str) -> None:
    """CasebridgeError where a model is not the one by which the last scan went (its fingerprint, empty where an
    older release kept none): it is of another project, and would raise what was settled."""
    if model and kept.fingerprint != model:
        raise CasebridgeError("the model in work/scan is not the one by which the last scan went", hint=GONE)
