"""The register as linkage sees it, from the tables of the live register: one row a person who may be linked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from casebridge.dedupe.register_queries import ask, words_column
from casebridge.dedupe.scan.changes import HASH
from casebridge.dedupe.scan.config import FILE, RESTRICTED, ScanConfig, columns_of
from casebridge.dedupe.scan.kept_rows import IN_PARTS, KeptRows
from casebridge.project.errors import Problem, SpecError
from casebridge.project.queries import open_duckdb, shut
from casebridge.project.restriction import is_marked
from casebridge.project.settings import Settings

TONIGHT = "tonight"
"""A table of one row that queries may ask for the `day` of the scan."""
Tables = Mapping[str, pl.DataFrame]
"""The rows of each table, by its name."""
LiveTables = Mapping[str, KeptRows]
"""The tables of the live register as they stand."""


class LiveQueries:
    """The queries of `[scan]`, asked of the tables as they were read."""

    def __init__(
        self,
        settings: Settings,
        config: ScanConfig,
        tables: LiveTables,
        day: dt.date,
        lookups: Tables | None = None,
    ) -> None:
        self._settings, self._config, self._day = settings, config, day
        self._tables, self._lookups = tables, lookups or {}
        self._pairs = dict[str, pl.DataFrame]()
        live = settings.live
        self._space = config.space(live.system if live else "")

    def register(self, keys: Collection[str] | None = None) -> pl.DataFrame:
        """`id` as space:key, the mark of restriction, and the columns that linkage compares; of some people, or
        of all. SpecError when the query gives something else."""
        rows = self._asked(self._config.query, self._config.at("query"), keys, columns_of(self._config))
        if keys is not None:
            rows = rows.filter(pl.col("id").cast(pl.String).is_in(sorted(keys)))
        if rows.get_column("id").null_count() or rows.get_column("id").is_duplicated().any():
            what = "must give one row a person, each with an id"
            raise SpecError([Problem(FILE, self._config.at("query"), what)])
        mark = pl.col(RESTRICTED) if self._config.is_people else pl.lit(None).alias(RESTRICTED)
        return self._named(rows.with_columns(mark.cast(pl.String)), "id").sort("id")

    def pairs(self, name: str, left: str = "left_id", right: str = "right_id") -> pl.DataFrame:
        """The pairs of a query, each once; none where it is left out."""
        query = str(getattr(self._config, name))
        if not query.strip():
            return pl.DataFrame(schema={left: pl.String(), right: pl.String()})
        if name not in self._pairs:
            given = self._asked(query, self._config.at(name), None, (left, right))
            rows = given.select(left, right).drop_nulls().unique()
            self._pairs[name] = self._named(self._named(rows, left), right).sort(left, right)
        return self._pairs[name]

    def texts(self, name: str, tables: Tables) -> dict[str, tuple[str, ...]]:
        """What a query says of each person: texts, in order. tables: rows of those whom it is asked of."""
        query = str(getattr(self._config, name))
        if not query.strip():
            return {}
        rows = self._named(self._rows(query, self._config.at(name), tables, ["id"]), "id")
        text = words_column(rows, self._config.at(name))
        found = rows.select("id", pl.col(text).cast(pl.String)).drop_nulls().unique().sort("id", text)
        return {
            str(item): tuple(texts) for item, texts in found.group_by("id", maintain_order=True).agg(text).rows()
        }

    def asks(self, name: str) -> list[tuple[str, str]]:
        """The tables that a query reads, and the column of each that says whose row it is."""
        text = str(getattr(self._config, name)).casefold()
        tables = self._config.tables
        return [(one.name, one.person) for one in tables if plain_name(one.name).casefold() in text]

    def keys(self, query: str, where: str, tables: Tables, of: str = "") -> list[str]:
        """The `id`s of a query over these tables and those of the scan, as system:key, each once. of: the table
        whose keys they are, where they are not people's."""
        given = self._rows(query, where, {**self._named_in(query), **tables}, ["id"])
        rows = given.select("id").drop_nulls().unique()
        space = f"{self._space}/{of}" if of else self._space
        return [str(item) for item in self._named(rows, "id", space).get_column("id").sort()]

    def _asked(self, query: str, where: str, keys: Collection[str] | None, needs: Sequence[str]) -> pl.DataFrame:
        if keys is None:
            rows = self._rows(query, where, self._named_in(query), needs)
        else:
            tables = {t.name: self._tables[t.name].of(t.person, keys) for t in self._config.tables}
            rows = self._rows(query, where, tables, needs)
        # A column without a value has no type: another night it may have one.
        untyped = [name for name, kind in rows.schema.items() if kind == pl.Null]
        return rows.with_columns(pl.col(untyped).cast(pl.String))

    def _rows(self, query: str, where: str, tables: Tables, needs: Sequence[str]) -> pl.DataFrame:
        text = query.casefold()
        beside = {name: rows for name, rows in self._lookups.items() if plain_name(name).casefold() in text}
        tables = {**beside, **tables}
        with self._database(tables) as database:
            return ask(database, query, where, [TONIGHT, *map(plain_name, {**self._tables, **tables})], needs)

    def _named_in(self, query: str) -> dict[str, pl.DataFrame]:
        """All rows of the tables of which the name stands in a query."""
        text = query.casefold()
        return {name: rows.select() for name, rows in self._tables.items() if plain_name(name).casefold() in text}

    @contextmanager
    def _database(self, tables: Tables) -> Iterator[duckdb.DuckDBPyConnection]:
        spill = Path(self._settings.work) / "spill"
        with open_duckdb(self._settings.memory_limit, spill) as database:
            for name, rows in tables.items():
                database.register(plain_name(name), rows.drop(HASH, strict=False).to_arrow())
            database.register(TONIGHT, pl.DataFrame({"day": [self._day]}).to_arrow())
            shut(database)
            yield database

    def _named(self, rows: pl.DataFrame, column: str, space: str = "") -> pl.DataFrame:
        front = pl.lit(f"{space or self._space}:")
        return rows.with_columns((front + pl.col(column).cast(pl.String)).alias(column))


def plain_name(name: str) -> str:
    """What a table is called in a query: its name without its schema."""
    return name.rpartition(".")[2]


@dataclass(frozen=True)
class Moved:
    """The register with what moved in it: its rows as they are now; ids of who came, went, or is another one to
    linkage, and how many (`count`); the rows of those who were asked for again, as they were and as they are; and
    whether nothing of what was kept counts any more (`again`): then everybody changed, and of nobody these rows
    are at hand."""

    register: KeptRows
    changed: frozenset[str]
    then: pl.DataFrame
    now: pl.DataFrame
    count: int
    again: bool = False


def with_changes(
    before: KeptRows, now: pl.DataFrame, asked: Collection[str], beside: Collection[str] = (RESTRICTED,)
) -> Moved:
    """The register with the rows of those whom the query was asked of again. now: their rows; beside: columns that
    are nothing to linkage."""
    return _moved(before, before.of("id", asked), now, beside)


def with_all_changes(before: KeptRows | None, now: pl.DataFrame, beside: Collection[str] = (RESTRICTED,)) -> Moved:
    """The same where the query was asked of everybody, and may have other columns than it had before."""
    if before is None or before.columns != now.columns:
        known = before.select("id").get_column("id").to_list() if before else []
        everybody = frozenset([*known, *now.get_column("id")])
        return Moved(KeptRows.whole("id", now), everybody, now.clear(), now.clear(), len(everybody), again=True)
    return _moved(before, before.select(), now, beside)


def _moved(before: KeptRows, then: pl.DataFrame, now: pl.DataFrame, beside: Collection[str]) -> Moved:
    linked = [name for name in now.columns if name not in beside]
    changed, touched = (_differing(then, now, columns) for columns in (linked, now.columns))
    rows = now.join(touched, on="id", how="semi")
    return Moved(before.changed(touched, rows), frozenset(changed.get_column("id")), then, now, changed.height)


def _differing(then: pl.DataFrame, now: pl.DataFrame, columns: Collection[str]) -> pl.DataFrame:
    """The ids of rows that are on one side only."""
    both = [frame.select("id", with_text(columns)) for frame in (then, now)]
    apart = [one.join(other, on=["id", "all"], how="anti").select("id") for one, other in (both[::-1], both)]
    return pl.concat(apart).unique()


def with_text(columns: Collection[str]) -> pl.Expr:
    """All that stands in these columns of a row, as one text."""
    return pl.struct(columns).struct.json_encode().alias("all")


def restricted(moved: Moved, config: ScanConfig) -> frozenset[str]:
    """The ids of the records that are restricted tonight."""
    marked = moved.register.lazy("id", RESTRICTED).filter(is_marked(pl.col(RESTRICTED), config.not_restricted))
    return frozenset(marked.select("id").collect(engine=IN_PARTS).get_column("id"))
