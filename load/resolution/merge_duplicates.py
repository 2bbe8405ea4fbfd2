"""Rows that a merge made equal: the first stays, the others are combined with it.

Two records of one person may each hold the same relationship, reference or telephone number. Folded into
one record, those rows say one thing twice; and a relationship between the two records says nothing any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from casebridge.project.batch import Batch
from casebridge.project.contracts import KEY, ROW
from casebridge.project.spec import TableSpec

KEEPER, OF_ITSELF = "keeper", "of_itself"

MERGE_DUPLICATES: Mapping[str, pl.DataType] = {
    KEY: pl.String(),
    ROW: pl.Int64(),
    KEEPER: pl.String(),
    OF_ITSELF: pl.Boolean(),
}
"""A row that a merge made superfluous: `keeper` is the key of the row that stays, or `of_itself` says that
the row now relates a person to themselves."""


def merge_duplicates(
    spec: TableSpec,
    batches: Sequence[Batch],
    parents: Mapping[str, pl.DataFrame],
    folded: Mapping[str, pl.Series],
) -> pl.DataFrame:
    """MERGE_DUPLICATES of one table. folded: for each column that refers to a table, the keys there that a merge
    took away. Only rows that a merge touched make others superfluous: what the legacy system held twice on its own
    stays as it was."""
    none = pl.DataFrame(schema=dict(MERGE_DUPLICATES))
    links = [column for column in spec.references if column.name in spec.once]
    if not batches or all(folded[column.name].is_empty() for column in links):
        return none
    rows = pl.concat([batch.read([KEY, ROW, *spec.once]) for batch in batches])
    touched = pl.any_horizontal(pl.lit(False), *(pl.col(c.name).is_in(folded[c.name].implode()) for c in links))
    rows = rows.with_columns(touched.fill_null(False).alias("__touched"))
    for column in links:
        ids = parents[column.name].select(pl.col(KEY).alias(_old(column.name)), pl.col("id").alias(column.name))
        rows = rows.rename({column.name: _old(column.name)}).join(ids, on=_old(column.name), how="left")
    there = [pl.col(column.name).is_not_null() for column in links]
    rows = rows.filter(pl.all_horizontal(pl.lit(True), *there)).sort(ROW, KEY)
    of_itself = _of_itself(rows, spec)
    # A row that is left behind itself cannot stay in another's stead.
    others = rows.join(of_itself, on=KEY, how="anti", maintain_order="left")
    return pl.concat([none, of_itself, _repeated(others, spec)])


def _old(column: str) -> str:
    """The column of legacy keys beside the column of ids."""
    return f"__old_{column}"


def _of_itself(rows: pl.DataFrame, spec: TableSpec) -> pl.DataFrame:
    """Rows whose two references to one table, different in the legacy system, are now the same person. Whoever was
    related to themselves before a merge still is."""
    targets: dict[str, list[str]] = {}
    for column in spec.references:
        if column.name in spec.once and column.required:
            targets.setdefault(str(column.references), []).append(column.name)
    pairs = [names for names in targets.values() if len(names) > 1]
    same = [(pl.col(a) == pl.col(b)) & (pl.col(_old(a)) != pl.col(_old(b))) for a, b, *_ in pairs]
    found = rows.filter(pl.any_horizontal(pl.lit(False), *same))
    return found.select(KEY, ROW, pl.lit(None, dtype=pl.String).alias(KEEPER), pl.lit(True).alias(OF_ITSELF))


def _repeated(rows: pl.DataFrame, spec: TableSpec) -> pl.DataFrame:
    group = list(spec.once)
    marked = rows.with_columns(
        pl.col("__touched").any().over(group).alias("__any_touched"),
        pl.col(KEY).first().over(group).alias(KEEPER),
    )
    later = marked.filter(pl.col("__any_touched") & (pl.col(KEY) != pl.col(KEEPER)))
    return later.select(KEY, ROW, KEEPER, pl.lit(False).alias(OF_ITSELF))
