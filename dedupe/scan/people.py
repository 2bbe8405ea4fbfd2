"""The register as linkage sees it, from the tables of the live register: one row a person who may be linked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from casebridge.dedupe.candidates import ask
from casebridge.dedupe.scan.changes import HASH
from casebridge.dedupe.scan.config import FILE, RESTRICTED, LiveTable, ScanConfig, columns_of
from casebridge.project.errors import Problem, SpecError
from casebridge.project.queries import open_duckdb, shut
from casebridge.project.settings import Settings

TONIGHT = "tonight"
"""A table of one row that queries may ask for the `day` of the scan."""
Tables = Mapping[str, pl.DataFrame]
"""The rows of each table, by its name."""


class LiveQueries:
    """The queries of `[scan]`, asked of the tables as they were read."""

    def __init__(self, settings: Settings, config: ScanConfig, tables: Tables, day: dt.date) -> None:
        self._settings, self._config, self._day = settings, config, day
        self._tables = tables
        live = settings.live
        self._system = live.system if live else ""

    def register(self, keys: Collection[str] | None = None) -> pl.DataFrame:
        """`id` as system:key, the mark of restriction, and the columns that linkage compares; of some people, or
        of all. SpecError when the query gives something else."""
        rows = self._asked(self._config.query, "scan.query", keys)
        missing = [name for name in columns_of(self._config) if name not in rows.columns]
        if missing:
            raise SpecError([Problem(FILE, "scan.query", f"gives no column {name}") for name in missing])
        if keys is not None:
            rows = rows.filter(pl.col("id").cast(pl.String).is_in(sorted(keys)))
        if rows.get_column("id").null_count() or rows.get_column("id").is_duplicated().any():
            raise SpecError([Problem(FILE, "scan.query", "must give one row a person, each with an id")])
        return self._named(rows.with_columns(pl.col(RESTRICTED).cast(pl.String)), "id").sort("id")

    def pairs(self, name: str, left: str = "left_id", right: str = "right_id") -> pl.DataFrame:
        """The pairs of a query, each once; none where it is left out."""
        query = str(getattr(self._config, name))
        if not query.strip():
            return pl.DataFrame(schema={left: pl.String(), right: pl.String()})
        rows = self._asked(query, f"scan.{name}", None).select(left, right).drop_nulls().unique()
        return self._named(self._named(rows, left), right).sort(left, right)

    def texts(self, name: str, tables: Tables) -> dict[str, tuple[str, ...]]:
        """What a query says of each person: texts, in order. tables: rows of those whom it is asked of."""
        query = str(getattr(self._config, name))
        if not query.strip():
            return {}
        with self._database(tables) as database:
            rows = self._named(ask(database, query, f"scan.{name}", [TONIGHT, *map(plain_name, tables)]), "id")
        text = next(column for column in rows.columns if column != "id")
        found = rows.select("id", pl.col(text).cast(pl.String)).drop_nulls().unique().sort("id", text)
        return {
            str(item): tuple(texts) for item, texts in found.group_by("id", maintain_order=True).agg(text).rows()
        }

    def keys(self, query: str, where: str, tables: Tables) -> list[str]:
        """The `id`s of a query over these tables and those of the scan, as system:key, each once."""
        both = {**self._tables, **tables}
        with self._database(both) as database:
            rows = (
                ask(database, query, where, [TONIGHT, *map(plain_name, both)]).select("id").drop_nulls().unique()
            )
        return [str(item) for item in self._named(rows, "id").get_column("id").sort()]

    def _asked(self, query: str, where: str, keys: Collection[str] | None) -> pl.DataFrame:
        tables = self._tables
        if keys is not None:
            tables = {t.name: rows_of(tables[t.name], t, keys) for t in self._config.tables if t.name in tables}
        with self._database(tables) as database:
            rows = ask(database, query, where, [TONIGHT, *map(plain_name, tables)])
        # A column without a value has no type: another night it may have one.
        untyped = [name for name, kind in rows.schema.items() if kind == pl.Null]
        return rows.with_columns(pl.col(untyped).cast(pl.String))

    @contextmanager
    def _database(self, tables: Tables) -> Iterator[duckdb.DuckDBPyConnection]:
        spill = Path(self._settings.work) / "spill"
        with open_duckdb(self._settings.memory_limit, spill) as database:
            for name, rows in tables.items():
                database.register(plain_name(name), rows.drop(HASH, strict=False).to_arrow())
            database.register(TONIGHT, pl.DataFrame({"day": [self._day]}).to_arrow())
            shut(database)
            yield database

    def _named(self, rows: pl.DataFrame, column: str) -> pl.DataFrame:
        return rows.with_columns((pl.lit(f"{self._system}:") + pl.col(column).cast(pl.String)).alias(column))


def plain_name(name: str) -> str:
    """What a table is called in a query: its name without its schema."""
    return name.rpartition(".")[2]


def rows_of(rows: pl.DataFrame, table: LiveTable, keys: Collection[str]) -> pl.DataFrame:
    """The rows of a table that are some people's."""
    wanted = pl.DataFrame({table.person: sorted(keys)}, schema={table.person: pl.String()})
    return rows.join(wanted, on=table.person, how="semi")


def with_changes(
    before: pl.DataFrame | None, now: pl.DataFrame, asked: Collection[str]
) -> tuple[pl.DataFrame, set[str]]:
    """The register with the rows of those whom the query was asked of again, and who of them came, went, or is
    another one to linkage. now: their rows."""
    if before is None:
        return now, set(now.get_column("id"))
    of = pl.DataFrame({"id": sorted(asked)}, schema={"id": pl.String()})
    then = before.join(of, on="id", how="semi").sort("id")
    columns = [name for name in now.columns if name != RESTRICTED]
    both = [frame.select("id", with_text(columns)) for frame in (then, now)]
    came, went = (one.join(other, on=["id", "all"], how="anti") for one, other in (both[::-1], both))
    kept = before.join(of, on="id", how="anti")
    whole = pl.concat([kept, now.select(kept.columns)], how="vertical_relaxed").sort("id")
    return whole, {*came.get_column("id"), *went.get_column("id")}


def with_all_changes(before: pl.DataFrame, now: pl.DataFrame) -> tuple[pl.DataFrame, set[str]]:
    """The same where the query was asked of everybody, and may have other columns than it had before."""
    everybody = {*before.get_column("id"), *now.get_column("id")}
    if before.columns != now.columns:
        return now, everybody
    return with_changes(before, now, everybody)


def with_text(columns: Collection[str]) -> pl.Expr:
    """All that stands in these columns of a row, as one text."""
    return pl.struct(columns).struct.json_encode().alias("all")
