"""The changed people against the whole register, by the model that is kept with the project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from casebridge.dedupe.linkage.engine import link
from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import Fields, LinkOptions
from casebridge.dedupe.linkage.model.kept import KeptModel, read_kept
from casebridge.dedupe.review.reraise import level_columns
from casebridge.dedupe.scan.config import ScanConfig
from casebridge.project.errors import CasebridgeError

FEW = 2
MODEL = "model"
"""The folder of the kept model in the scan's folder."""
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
    put forward, and warnings of drift. `model`: what is kept of how it was scored."""

    pairs: pl.DataFrame
    clusters: pl.DataFrame
    propose: float
    warnings: tuple[str, ...] = ()
    model: KeptModel | None = None


def fields_of(config: ScanConfig) -> Fields:
    """The roles of the register's columns."""
    return Fields(id="id", roles=dict(config.fields), other=dict(config.other))


def link_people(
    register: pl.DataFrame, config: ScanConfig, ruled: Ruled, kept: KeptModel | None, clusters: Mapping[str, str]
) -> Linked:
    """Link a register. Without a kept model one is fitted. clusters: of the night
    before, so that names stay."""
    none = pl.DataFrame(schema={"id": pl.String(), "cluster": pl.String()})
    if register.height < FEW:
        return Linked(pl.DataFrame(schema=dict(PAIRS)), none, 1.0)
    options = LinkOptions(
        related=ruled.related, same_pairs=ruled.same, different_pairs=ruled.different, previous_clusters=clusters
    )
    try:
        found = link(register, fields_of(config), options, kept=kept)
    except RegisterError as error:
        hint = (
            error.hint
            if kept is None
            else "`casebridge scan --model new` fits a new one; --dry-run shows what for"
        )
        raise CasebridgeError(f"the register cannot be linked: {error.what}", hint=hint) from error
    propose, warnings = (
        float(found.model["thresholds"]["propose"]),
        tuple(map(str, found.model.get("warnings", ()))),
    )
    names = found.clusters.select(pl.all().cast(pl.String))
    return Linked(in_order(found.pairs), names, propose, warnings, found.kept)


def in_order(pairs: pl.DataFrame) -> pl.DataFrame:
    """PAIRS and levels as texts, with the smaller id left, as decisions have it."""
    first, second = (
        both(pl.col("left_id").cast(pl.String), pl.col("right_id").cast(pl.String))
        for both in (pl.min_horizontal, pl.max_horizontal)
    )
    levels = [pl.col(name).cast(pl.String) for name in level_columns(pairs)]
    there = pairs.with_columns(first.alias("left_id"), second.alias("right_id"))
    return there.select(*(pl.col(name).cast(kind) for name, kind in PAIRS.items()), *levels)


def read_model(folder: Path) -> KeptModel | None:
    """The model that a folder keeps, None where there is none."""
    try:
        return read_kept(folder) if folder.is_dir() else None
    except RegisterError as error:
        hint = "`casebridge scan --model new` fits a new one"
        raise CasebridgeError(f"the kept model: {error.what}", hint=hint) from error
