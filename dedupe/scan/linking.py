"""The changed people against the whole register, by the model that is kept with the project."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from casebridge.dedupe.linkage.affected.linked import LinkedRegister
from casebridge.dedupe.linkage.affected.night import link_affected
from casebridge.dedupe.linkage.engine import link
from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import Fields, LinkOptions
from casebridge.dedupe.review.reraise import level_columns
from casebridge.dedupe.scan.config import ScanConfig
from casebridge.project.errors import CasebridgeError

FEW = 2
_NEW = "`casebridge scan --model new` fits a new one"
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


@dataclass(frozen=True)
class Linked:
    """The register as linkage sees it now: PAIRS, clusters (`id`, `cluster`), the probability from which a pair is
    put forward, and warnings of drift. `kept`: what the next night begins with."""

    pairs: pl.DataFrame
    clusters: pl.DataFrame
    propose: float
    warnings: tuple[str, ...] = ()
    kept: LinkedRegister | None = None


def fields_of(config: ScanConfig) -> Fields:
    """The roles of the register's columns."""
    return Fields(id="id", roles=dict(config.fields), other=dict(config.other))


def link_people(
    register: pl.DataFrame,
    changed: Collection[str],
    before: LinkedRegister | None,
    config: ScanConfig,
    ruled: Ruled,
) -> Linked:
    """Link a register: all of it by a model that is fitted to it, or what changed since `before` by the model of
    that. changed: ids that came, went, or say something else now. CasebridgeError where that cannot be done."""
    if register.height < FEW:
        none = pl.DataFrame(schema={"id": pl.String(), "cluster": pl.String()})
        return Linked(pl.DataFrame(schema=dict(PAIRS)), none, 1.0)
    if before is not None and before.fields != before.kind.placed(fields_of(config)):
        raise CasebridgeError("linkage.toml names other fields than those of the model", hint=_NEW)
    options = LinkOptions(related=ruled.related, same_pairs=ruled.same, different_pairs=ruled.different)
    try:
        if before is None:
            return _as_linked(fitted(register, config, options), ())
        fresh = register.filter(pl.col("id").is_in(sorted(changed)))
        gone = set(changed) - set(fresh.get_column("id"))
        night = link_affected(before, fresh, sorted(gone), options)
        return _as_linked(night.linked, night.warnings)
    except RegisterError as error:
        hint = error.hint if before is None else _NEW
        raise CasebridgeError(f"the register cannot be linked: {error.what}", hint=hint) from error


def fitted(register: pl.DataFrame, config: ScanConfig, options: LinkOptions) -> LinkedRegister:
    """A register linked by a model that is fitted to it."""
    found = link(register, fields_of(config), options)
    assert found.kept is not None
    return LinkedRegister.of(register, fields_of(config), found.kept, options)


def _as_linked(linked: LinkedRegister, warnings: Sequence[str]) -> Linked:
    clusters = linked.clusters().select(pl.all().cast(pl.String))
    return Linked(in_order(linked.pairs()), clusters, linked.kept.propose, tuple(warnings), linked)


def in_order(pairs: pl.DataFrame) -> pl.DataFrame:
    """PAIRS and levels as texts, with the smaller id left, as decisions have it."""
    first, second = (
        both(pl.col("left_id").cast(pl.String), pl.col("right_id").cast(pl.String))
        for both in (pl.min_horizontal, pl.max_horizontal)
    )
    levels = [pl.col(name).cast(pl.String) for name in level_columns(pairs)]
    there = pairs.with_columns(first.alias("left_id"), second.alias("right_id"))
    return there.select(*(pl.col(name).cast(kind) for name, kind in PAIRS.items()), *levels)


def read_linked(folder: Path) -> LinkedRegister:
    """The linked register in a folder. CasebridgeError where there is none that this release can read."""
    try:
        return LinkedRegister.read(folder)
    except RegisterError as error:
        hint = "`casebridge scan --model new` reads and links the whole register anew"
        raise CasebridgeError(f"what the last scan linked: {error.what}", hint=hint) from error
