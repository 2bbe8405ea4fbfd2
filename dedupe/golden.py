"""The groups that fold become one row each: who survives, whose values stay, and which own names gave way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from casebridge.dedupe.config import LinkageConfig, spaces
from casebridge.dedupe.foldable import merge_rules
from casebridge.dedupe.review.merge_rules import MergeRules
from casebridge.dedupe.review.overrides import standing_overrides
from casebridge.dedupe.review.survivorship import ID, TABLE, displaced, golden_rows, records_of, survivors
from casebridge.dedupe.review.value_rules import Overrides
from casebridge.project.batch import Batch
from casebridge.project.contracts import DISPLACED, KEY, REST, ROW, empty
from casebridge.project.job import Job
from casebridge.project.target import Marks

Clean = Mapping[str, tuple[Batch, ...]]


@dataclass(frozen=True)
class Folded:
    """Each id of the groups to its survivor; the survivors' rows (ID, TABLE, the columns of people); and the
    survivors whose own name must be kept as another one (DISPLACED)."""

    survivor_of: Mapping[str, str]
    golden: pl.DataFrame
    displaced: pl.DataFrame


def fold(job: Job, config: LinkageConfig, clean: Clean, merging: Sequence[Sequence[str]]) -> Folded:
    """Fold these groups of ids of one register, by the project's rules and what reviewers said field by field."""
    rules = (merge_rules(job, config) or MergeRules()).survivorship
    overrides = Overrides(standing_overrides(job.audit_log()) if merging else ())
    people = _members(job, config, clean, {item for ids in merging for item in ids})
    if people.is_empty():
        return Folded({}, pl.DataFrame(schema={ID: pl.String, TABLE: pl.String}), empty(DISPLACED))
    chosen = survivors(merging, records_of(people), rules, overrides)
    golden = golden_rows(people, chosen, marks_of(job, clean), rules, overrides, _own_keys(job, people))
    return Folded(chosen, golden, _displaced(job, people, golden))


def _own_keys(job: Job, people: pl.DataFrame) -> list[str]:
    """The columns that name a row in the target and that the specs fill: a survivor keeps its own name."""
    targets = {spec.target for spec in job.specs if spec.name in set(people.get_column(TABLE))}
    keys = {name for table in targets if (t := job.target.by_name[table]).natural_key for name in t.primary_key}
    return sorted(keys & set(people.columns))


def _members(job: Job, config: LinkageConfig, clean: Clean, ids: Collection[str]) -> pl.DataFrame:
    """Some records of a register: ID, TABLE (the spec's name), KEY, ROW, REST and their columns."""
    before = spaces([config], job.specs)
    wanted = pl.LazyFrame({ID: sorted(ids)}, schema={ID: pl.String})
    frames = [
        batch.scan()
        .with_columns((pl.lit(f"{before[name]}:") + pl.col(KEY)).alias(ID), pl.lit(name).alias(TABLE))
        .join(wanted, on=ID, how="semi")
        .collect()
        for name, batches in clean.items()
        for batch in batches
    ]
    return pl.concat(frames, how="diagonal") if frames else pl.DataFrame()


def _displaced(job: Job, people: pl.DataFrame, golden: pl.DataFrame) -> pl.DataFrame:
    """For each spec that keeps the names of folded records, the survivors whose own name gave way."""
    found = [empty(DISPLACED)]
    tables = {spec.name: spec for spec in job.specs if spec.name in set(people.get_column(TABLE))}
    for spec in (spec for spec in job.specs if spec.merged_only):
        for name, register in tables.items():
            if register.sources != spec.sources:
                continue
            columns = sorted({c.name for c in spec.loaded if c.sources} & {c.name for c in register.loaded})
            own = people.filter(pl.col(TABLE) == name)
            keys = displaced(own, golden, columns)
            found.append(pl.DataFrame({"spec": spec.name, KEY: keys}, schema=DISPLACED))
    return pl.concat(found)


def marks_of(job: Job, tables: Iterable[str]) -> list[Marks]:
    """The columns of the register's tables that keep marks of restriction."""
    targets = {spec.target for spec in job.specs if spec.name in set(tables)}
    return [marks for name in sorted(targets) for marks in job.target.marks(name)]


def shaped_like(batches: Sequence[Batch], rows: pl.DataFrame) -> pl.DataFrame:
    """Golden rows in the shape of a table's batches."""
    if not batches or rows.is_empty():
        none = {KEY: pl.String(), ROW: pl.Int64(), REST: pl.List(pl.Int64())}
        return batches[0].read().clear() if batches else pl.DataFrame(schema=none)
    return rows.select(batches[0].scan().collect_schema().names())
