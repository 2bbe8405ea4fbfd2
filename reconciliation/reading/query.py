"""What a query spec's query gives, asked again: the auditor runs it over the extracted files by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import duckdb
import polars as pl

from casebridge.project.contracts import REST, ROW
from casebridge.project.job import Job
from casebridge.project.queries import from_query, open_duckdb
from casebridge.project.spec import Source, TableSpec
from casebridge.reconciliation.reading.corrected import Corrections, Values
from casebridge.reconciliation.reading.verified_files import RunFiles


def query_columns(job: Job, schemas: Mapping[Source, Mapping[str, pl.DataType]]) -> dict[str, frozenset[str]]:
    """The columns that each query gives of sources with these columns, by spec; none when a source has none."""
    found: dict[str, frozenset[str]] = {}
    specs = [spec for spec in job.specs if spec.query is not None]
    if not specs:
        return found
    with open_duckdb(job.settings.memory_limit, job.work / "spill") as database:
        for spec in specs:
            there = all(schemas[source] for source in spec.sources)
            found[spec.name] = frozenset(_columns(database, spec, schemas) if there else ())
    return found


def _columns(
    database: duckdb.DuckDBPyConnection, spec: TableSpec, schemas: Mapping[Source, Mapping[str, pl.DataType]]
) -> list[str]:
    for source in spec.sources:
        nothing = pl.DataFrame(schema={**schemas[source], "_disputed": pl.Boolean()})
        database.register(source.name, nothing.to_arrow())
    return database.sql(from_query(spec.query or "", rest="LIMIT 0")).columns


def query_rows(job: Job, files: RunFiles, spec: TableSpec, columns: Iterable[str]) -> Iterator[pl.DataFrame]:
    """The query's rows in parts, in no order: `_row`, `_rest` where it has one, and these columns as text."""
    with _asked(job, files, spec) as database:
        if database is None:
            return
        given = database.sql(from_query(spec.query or "", rest="LIMIT 0")).columns
        wanted = [ROW, *([REST] if REST in given else []), *sorted(columns)]
        names = ", ".join(_quoted(name) for name in wanted)
        reader = database.sql(from_query(spec.query or "", names)).to_arrow_reader(job.settings.batch_rows)
        assert reader is not None
        for piece in reader:
            frame = pl.DataFrame(pl.from_arrow(piece))
            texts = [name for name in frame.columns if name not in {ROW, REST}]
            yield frame.with_columns(pl.col(texts).cast(pl.String), pl.col(ROW).cast(pl.Int64))


@contextmanager
def _asked(job: Job, files: RunFiles, spec: TableSpec) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """A database in which the query's tables stand; None when one of them has no sound file."""
    with open_duckdb(job.settings.memory_limit, job.work / "spill") as database:
        yield database if all(_view(database, job, files, source) for source in spec.sources) else None


def _view(database: duckdb.DuckDBPyConnection, job: Job, files: RunFiles, source: Source) -> bool:
    """A source as its query sees it: without rows that go no further, and those in dispute marked."""
    raw = [str(batch.path) for batch in files.of("extract", str(source), "raw")]
    if not raw:
        return False
    name = str(source)
    left = [batch.path for batch in files.of("transform", name, "quarantine")]
    disputed = [batch.path for batch in job.ledger.sealed(job.run, "transform", name, "disputed")]
    for kind, paths in (("left", left), ("disputed", disputed)):
        rows = pl.concat(
            [pl.DataFrame(schema={ROW: pl.Int64}), *(pl.read_parquet(p, columns=[ROW]) for p in paths)]
        )
        database.register("__rows", rows.to_arrow())
        table = _quoted(f"__{kind}_{source.name}")
        database.execute(f"CREATE TABLE {table} AS SELECT DISTINCT _row FROM __rows")  # noqa: S608
        database.unregister("__rows")
    put_right = _put_right(database, source, Corrections(job, files).of(source))
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in raw)
    marked = f"_row IN (SELECT _row FROM {_quoted(f'__disputed_{source.name}')}) AS _disputed"  # noqa: S608
    stays = f"_row NOT IN (SELECT _row FROM {_quoted(f'__left_{source.name}')})"  # noqa: S608
    database.execute(
        f"CREATE VIEW {_quoted(source.name)} AS SELECT *{put_right}, {marked} "  # noqa: S608
        f"FROM read_parquet([{listed}]) AS given WHERE {stays}"
    )
    return True


def _put_right(database: duckdb.DuckDBPyConnection, source: Source, values: Values) -> str:
    """What a view says of the columns in which something was corrected: `*` with their values replaced."""
    replaced = []
    for number, (column, news) in enumerate(values.items()):
        table, name = _quoted(f"__right_{number}_{source.name}"), _quoted(column)
        frame = pl.DataFrame({ROW: [*news], "new": [*news.values()]}, schema={ROW: pl.Int64, "new": pl.String})
        database.register("__news", frame.to_arrow())
        database.execute(f"CREATE TABLE {table} AS SELECT * FROM __news")  # noqa: S608
        database.unregister("__news")
        new = f"(SELECT any_value(n.new) FROM {table} n WHERE n._row = given._row)"  # noqa: S608
        is_new = f"given._row IN (SELECT _row FROM {table})"  # noqa: S608
        replaced.append(f"CASE WHEN {is_new} THEN {new} ELSE {name} END AS {name}")
    return f" REPLACE ({', '.join(replaced)})" if replaced else ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
