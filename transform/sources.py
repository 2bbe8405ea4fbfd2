"""What must be known of a whole source before its batches are converted.

Doubled keys: the first row in file order stands, later ones are rejected; the marks of restriction of all of them
count. Keys that a column of numbers cannot tell apart are held, all of them. Rows that no spec takes are held.
Queries run over what is left, and give joined rows in batches of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import polars as pl

from casebridge.project.batch import Batch, digest, with_rows, write_batch
from casebridge.project.blanks import bare
from casebridge.project.contracts import KEY, ORIGIN, QUARANTINE, ROW, Verdict, empty
from casebridge.project.errors import Problem, SpecError, counted
from casebridge.project.job import Job
from casebridge.project.queries import from_query, open_duckdb, shut
from casebridge.project.restriction import is_marked, mark_columns, not_restricted
from casebridge.project.spec import ReadSpec, Source, TableSpec
from casebridge.project.tally import Tally
from casebridge.transform.convert import chooses, key_of, source_rows, taken
from casebridge.transform.corrections import corrected, corrected_before
from casebridge.transform.same_keys import (
    among,
    as_kept,
    disputed,
    doubled_keys,
    left_behind,
    number_of,
    one_number,
    sharing,
)

STAGE = "transform"

_OF_THE_QUERY = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException, duckdb.SyntaxException)


@dataclass(frozen=True)
class Prepared:
    """A source's raw batches, the rows of it that go no further, and the rows whose key another, different
    row has as well: which of the two is true, no program can know."""

    raw: tuple[Batch, ...]
    left: pl.Series
    disputed: pl.Series

    def left_in(self, batch: Batch) -> pl.Series:
        """The rows of one batch that go no further."""
        if self.left.is_empty() or not batch.rows:
            return self.left.clear()
        rows = batch.read([ROW]).get_column(ROW)
        low, high = rows.min(), rows.max()
        return self.left.filter((self.left >= low) & (self.left <= high))


def prepare(job: Job, read: ReadSpec) -> Prepared:
    """Judge a source as a whole; its quarantine is the transform stage's batch named after the source."""
    raw = corrected(job, read, _extracted(job, read))
    inputs = _asked(job, read, raw)
    specs = _taking(job, read.source)
    name = str(read.source)
    batches = job.ledger.done(STAGE, name, 0, inputs)
    if batches is None:
        job.ledger.attempt(STAGE, name, 0, inputs)
        suspect = sharing(raw, key_of(read.key)) if raw and read.key else pl.Series(ROW, [], dtype=pl.Int64)
        doubled = doubled_keys(raw, read, suspect)
        alike = one_number(raw, read, specs, doubled.get_column(ROW))
        judged = pl.concat([doubled, alike])
        left = pl.concat([judged, _unclaimed(raw, specs, judged.get_column(ROW))])
        written = write_batch(job.work, STAGE, name, 0, "quarantine", inputs, left)
        unsure = write_batch(job.work, STAGE, name, 0, "disputed", inputs, disputed(raw, read, left, suspect))
        marked = write_batch(job.work, STAGE, name, 0, "marked", inputs, _marked(job, raw, read))
        tally = Tally(
            read=left.height,
            rejected=left.filter(pl.col("verdict") == Verdict.REJECTED).height,
            held=left.filter(pl.col("verdict") == Verdict.HELD).height,
        )
        batches = (written, unsure, marked)
        job.ledger.record(STAGE, name, 0, inputs, batches, tally)
    job.ledger.seal(job.run, STAGE, name, [(0, inputs)])
    return _prepared(raw, batches)


def known(job: Job, read: ReadSpec) -> tuple[Prepared | None, str]:
    """A source as it was judged before, None when that is pending, and the digest of what is judged."""
    raw = corrected_before(job, read, _extracted(job, read))
    if raw is None:
        return None, ""
    inputs = _asked(job, read, raw)
    batches = job.ledger.done(STAGE, str(read.source), 0, inputs)
    return None if batches is None else _prepared(raw, batches), inputs


def _taking(job: Job, source: Source) -> tuple[TableSpec, ...]:
    """The specs whose rows a source's are, and not those that only look something up in it."""
    return tuple(spec for spec in job.specs_of(source) if not (spec.joins and source.name in spec.lookups))


def _extracted(job: Job, read: ReadSpec) -> tuple[Batch, ...]:
    return job.ledger.sealed(job.run, "extract", str(read.source), "raw")


def _asked(job: Job, read: ReadSpec, raw: tuple[Batch, ...]) -> str:
    """The digest of all that decides how a source is judged."""
    specs = _taking(job, read.source)
    wheres = [(spec.where, repr(spec.said)) for spec in specs if spec.query is None or spec.joins]
    marks = mark_columns(job.settings, job.target, specs).get(read.source, ())
    is_open = not_restricted(job.settings.systems[read.source.system])
    facts = (read.key, wheres, len(specs), marks, is_open, [number_of(spec) for spec in specs])
    return digest(job.code(STAGE), [batch.sha256 for batch in raw], *facts)


def _prepared(raw: tuple[Batch, ...], batches: tuple[Batch, ...]) -> Prepared:
    kinds = ("quarantine", "disputed")
    none = pl.Series(ROW, [], dtype=pl.Int64)
    there = {b.kind: b.read([ROW]).get_column(ROW).unique().sort() for b in with_rows(batches) if b.kind in kinds}
    return Prepared(raw, *(there.get(kind, none) for kind in kinds))


def joined(job: Job, spec: TableSpec, prepared: dict[Source, Prepared]) -> tuple[Batch, ...]:
    """The result of a query spec as batches of source rows, run only when something under it changed."""
    name, inputs = _joining(job, spec, prepared)
    batches = job.ledger.done(STAGE, name, 0, inputs)
    if batches is None:
        job.ledger.attempt(STAGE, name, 0, inputs)
        batches = tuple(
            write_batch(job.work, STAGE, name, number, f"joined-{number:05d}", inputs, frame)
            for number, frame in enumerate(_query(job, spec, prepared))
        )
        _leads_are_rows(spec, batches, prepared[spec.sources[0]])
        _each_key_once(spec, batches)
        rows = sum(batch.rows for batch in batches)
        job.ledger.record(STAGE, name, 0, inputs, batches, Tally(read=rows, passed=rows))
    return batches


def joined_before(job: Job, spec: TableSpec, prepared: dict[Source, Prepared]) -> tuple[Batch, ...] | None:
    """The result of a query spec as far as it was made before; None when that is pending."""
    name, inputs = _joining(job, spec, prepared)
    return job.ledger.done(STAGE, name, 0, inputs)


def _joining(job: Job, spec: TableSpec, prepared: dict[Source, Prepared]) -> tuple[str, str]:
    """The name and the digest of a query's joined rows."""
    parts = [
        [[batch.sha256 for batch in prepared[source].raw], digest(prepared[source].left.to_list())]
        for source in spec.sources
    ]
    return f"{spec.name}.joined", digest(job.code(STAGE), parts, spec.query, job.settings.batch_rows)


def _leads_are_rows(spec: TableSpec, batches: tuple[Batch, ...], lead: Prepared) -> None:
    """SpecError when the `_row` of some rows is none, or no row of the table that leads."""
    there = pl.concat([pl.Series(ROW, [], pl.Int64), *(batch.read([ROW]).get_column(ROW) for batch in lead.raw)])
    given = pl.concat([batch.read([ROW]).get_column(ROW).cast(pl.Int64) for batch in batches])
    strange = given.null_count() + int((~given.drop_nulls().is_in(there.implode())).sum())
    if strange:
        what = f"the query gives {counted(strange, 'row')} whose _row is no row of {spec.sources[0].name}"
        hint = (
            f"name the _row of {spec.sources[0].name}, the first in table.consumes, or put the other table first"
        )
        raise SpecError([Problem(f"tables/{spec.name}.toml", "table.source", what, hint)])


def _each_key_once(spec: TableSpec, batches: tuple[Batch, ...]) -> None:
    """SpecError when a query gives several rows for one key: only one of them could be loaded."""
    suspect = sharing(batches, as_kept(spec, key_of(spec.key)))
    if suspect.is_empty():
        return
    rows = [source_rows(batch.read().filter(among(suspect)), spec) for batch in batches]
    doubled = (
        pl.concat([part.select(as_kept(spec, pl.col(KEY))) for part in rows])
        .to_series()
        .drop_nulls()
        .value_counts(name="rows")
    )
    doubled = doubled.filter(pl.col("rows") > 1)
    if doubled.height:
        what = f"the query gives {counted(doubled.height, 'key')} twice or more, in {doubled['rows'].sum():,} rows"
        hint = "group its rows, join to one row only, or name what tells them apart in table.key"
        raise SpecError([Problem(f"tables/{spec.name}.toml", "table.key", what, hint)])


def _marked(job: Job, raw: tuple[Batch, ...], read: ReadSpec) -> pl.DataFrame:
    """The rows of every record that any row marks as restricted, rejected and excluded ones too: ROW, and whether
    its rows are marked in more than one way."""
    there = set(raw[0].scan().collect_schema().names()) if raw else set()
    marks = mark_columns(job.settings, job.target, job.specs_of(read.source)).get(read.source, ())
    columns = [name for name in marks if name in there]
    none = pl.DataFrame(schema={ROW: pl.Int64(), "differs": pl.Boolean()})
    if not columns:
        return none
    is_open = not_restricted(job.settings.systems[read.source.system])
    key = key_of(read.key) if read.key else pl.lit(None, dtype=pl.String)
    said = [pl.when(is_marked(pl.col(name), is_open)).then(pl.col(name).fill_null("")) for name in columns]
    found = [
        batch.scan().select(ROW, key.alias(KEY), bare(pl.concat_str(said, ignore_nulls=True)).alias("said"),
                            pl.any_horizontal(text.is_not_null() for text in said).alias("marked"))
        for batch in raw
    ]  # fmt: skip
    rows = pl.concat(found)
    marked = rows.filter("marked").select(ROW, KEY, pl.col("said").str.to_uppercase()).collect()
    ways = marked.drop_nulls(KEY).group_by(KEY).agg((pl.col("said").n_unique() > 1).alias("differs"))
    beside = rows.filter(~pl.col("marked")).select(ROW, KEY).join(ways.lazy(), on=KEY, how="semi").collect()
    every = pl.concat([marked.select(ROW, KEY), beside]).join(ways, on=KEY, how="left")
    return pl.concat([none, every.select(ROW, pl.col("differs").fill_null(False))]).sort(ROW)


def _unclaimed(raw: tuple[Batch, ...], specs: tuple[TableSpec, ...], doubled: pl.Series) -> pl.DataFrame:
    """Rows that no spec takes, but for those that are rejected already."""
    plain = tuple(spec for spec in specs if spec.query is None or spec.joins)
    if len(plain) < len(specs) or not plain or not all(chooses(spec) for spec in plain):
        return empty(QUARANTINE)
    found = [empty(QUARANTINE)]
    for batch in raw:
        frame = batch.read().filter(~pl.col(ROW).is_in(doubled.implode()))
        nobodys = frame.filter(~taken(frame, plain))
        keyed = nobodys.select(ROW, key_of(plain[0].key).alias(KEY))
        found.append(left_behind(keyed, Verdict.HELD, "unclaimed", pl.lit(None, dtype=pl.String)))
    return pl.concat(found)


def _query(job: Job, spec: TableSpec, prepared: dict[Source, Prepared]) -> Iterator[pl.DataFrame]:
    with open_duckdb(job.settings.memory_limit, job.work / "spill") as database:
        try:
            for source in spec.sources:
                _view(database, source, prepared[source])
            shut(database, (batch.path for source in spec.sources for batch in prepared[source].raw))
            # The one order that every run agrees on is that of the source rows.
            result = database.sql(from_query(spec.query or "", rest="ORDER BY _row"))
            yield from _frames(result, job.settings.batch_rows)
        except duckdb.Error as error:
            raise SpecError([_fault(spec, error)]) from error


def query_schemas(
    job: Job, specs: Sequence[TableSpec], columns: Mapping[Source, Iterable[str]]
) -> tuple[dict[str, dict[str, pl.DataType]], list[Problem]]:
    """The columns that each query spec's query gives of sources with these `columns`, tried on no rows, by the
    spec's name; and what is wrong with the others."""
    found: dict[str, dict[str, pl.DataType]] = {}
    problems: list[Problem] = []
    if not specs:
        return found, problems
    with open_duckdb(job.settings.memory_limit, job.work / "spill") as database:
        shut(database)
        for spec in specs:
            try:
                found[spec.name] = _query_schema(database, spec, columns)
            except duckdb.Error as error:
                problems.append(_fault(spec, error))
            except SpecError as error:
                problems += error.problems
    return found, problems


def _query_schema(
    database: duckdb.DuckDBPyConnection, spec: TableSpec, columns: Mapping[Source, Iterable[str]]
) -> dict[str, pl.DataType]:
    for source in spec.sources:
        raw = empty({**ORIGIN, **dict.fromkeys(columns[source], pl.String()), "_disputed": pl.Boolean()})
        database.register(source.name, raw.to_arrow())
    try:
        result = database.sql(from_query(spec.query or "", rest="LIMIT 0"))
        _refuse_lengths(spec, result)
        return dict(pl.DataFrame(pl.from_arrow(result.to_arrow_table())).schema)
    finally:
        for source in spec.sources:  # a query finds its own sources alone, as it does in the run
            database.unregister(source.name)


def _refuse_lengths(spec: TableSpec, result: duckdb.DuckDBPyRelation) -> None:
    """SpecError for a column that is a length of time, or of several types: a batch file has no such."""
    kinds = dict(zip(result.columns, map(str, result.types), strict=True))
    found = [name for name, kind in kinds.items() if "INTERVAL" in kind or "UNION" in kind]
    if found:
        what = f"the query gives a length of time, or several types at once: {', '.join(found)}"
        raise SpecError([Problem(f"tables/{spec.name}.toml", "table.source", what, "CAST(… AS VARCHAR)")])


def _fault(spec: TableSpec, error: duckdb.Error) -> Problem:
    """DuckDB's reason. Only what is wrong with the query itself may be quoted: other errors quote values."""
    reason = str(error).splitlines()[0]
    if not isinstance(error, _OF_THE_QUERY):
        reason = f"{type(error).__name__} while it ran over the rows"
    return Problem(f"tables/{spec.name}.toml", "table.source", f"the query fails: {reason}")


def _view(database: duckdb.DuckDBPyConnection, source: Source, prepared: Prepared) -> None:
    paths = [str(batch.path) for batch in prepared.raw]
    for kind, rows in (("left", prepared.left), ("disputed", prepared.disputed)):
        database.register("__rows", rows.to_frame().to_arrow())
        database.execute(f'CREATE TABLE "__{kind}_{source.name}" AS SELECT * FROM __rows')  # noqa: S608
        database.unregister("__rows")
    files = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    database.execute(
        f'CREATE VIEW "{source.name}" AS SELECT *, '  # noqa: S608
        f'_row IN (SELECT _row FROM "__disputed_{source.name}") AS _disputed FROM read_parquet([{files}]) '
        f'WHERE _row NOT IN (SELECT _row FROM "__left_{source.name}")'
    )


def _frames(result: duckdb.DuckDBPyRelation, rows: int) -> Iterator[pl.DataFrame]:
    reader = result.to_arrow_reader(rows)
    assert reader is not None
    made = False
    for piece in reader:
        made = True
        yield pl.DataFrame(pl.from_arrow(piece))
    if not made:
        yield pl.DataFrame(pl.from_arrow(reader.schema.empty_table()))
