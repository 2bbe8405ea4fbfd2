"""The queries of linkage.toml: one SELECT over the tables it is given, which gives the columns that are needed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import duckdb
import polars as pl

from casebridge.dedupe.config import FILE
from casebridge.project.errors import Problem, SpecError, did_you_mean
from casebridge.project.lineage import refusals
from casebridge.project.steadiness import unsteady


def ask(
    database: duckdb.DuckDBPyConnection, query: str, where: str, tables: Collection[str], needs: Sequence[str] = ()
) -> pl.DataFrame:
    """The rows of a query of linkage.toml over tables of a database. SpecError, at `where`, when it fails, reads
    anything else or does not give the columns that are needed; no value is quoted."""
    refused = [Problem(FILE, where, what) for what in refusals(query, tables)]
    # What pairs are made of; what reviewers are shown may depend on the day.
    if where.endswith("query") and "scan." not in where:
        refused += [Problem(FILE, where, f"gives other rows each time: it {what}", hint)
                    for what, hint in unsteady(query)]  # fmt: skip
    if refused:
        raise SpecError(refused)
    try:
        rows = pl.DataFrame(pl.from_arrow(database.sql(query).to_arrow_table()))
    except duckdb.Error as error:
        # Only what is wrong with the query itself may be quoted: other errors quote values.
        of_the_query = isinstance(error, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException)
        reason = (
            str(error).splitlines()[0] if of_the_query else f"{type(error).__name__} while it ran over the rows"
        )
        raise SpecError([Problem(FILE, where, f"the query fails: {reason}")]) from error
    missing = {name: did_you_mean(name, rows.columns) for name in needs if name not in rows.columns}
    if missing:
        what = "gives no column `{}`"
        raise SpecError([Problem(FILE, where, what.format(name), hint) for name, hint in missing.items()])
    return rows


def words_column(rows: pl.DataFrame, where: str) -> str:
    """The column of a query that gives `id` and words beside it. SpecError when there is none."""
    beside = [name for name in rows.columns if name not in {"id", "system"}]
    if not beside:
        raise SpecError([Problem(FILE, where, "gives nothing but `id`: the words about each belong beside it")])
    return beside[0]
