"""Marks of restriction on the way into the target: of all marks of a person the strictest wins.

A person's marks are those of every source row behind the target row (doubled and rejected ones, records folded
into it, records that people said are the same person and that were rejected or held), what the spec makes of them,
and what stands in the target already, or stood there when a record was folded (`member_marks`). Only a person
lowers one, by a line of `restrictions_lowered.csv`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import sqlalchemy as sa

from casebridge.load.resolution.key_map import Crosswalk
from casebridge.load.resolution.natural_keys import keys_of
from casebridge.project.batch import Batch, digest, with_rows, write_batch
from casebridge.project.contracts import CROSSWALK, KEY, REST, ROW, empty
from casebridge.project.identity import ids_of
from casebridge.project.job import Job
from casebridge.project.relations import of_any_type
from casebridge.project.restriction import (
    BY_MERGE,
    BY_PERSON,
    BY_SOURCE,
    BY_TARGET,
    RAISED,
    RAISED_ROWS,
    STAGE,
    lowered_keys,
    rank,
    read_lowered,
)
from casebridge.project.spec import TableSpec
from casebridge.project.tally import Tally
from casebridge.project.target import Marks, Target

STANDING: Mapping[str, pl.DataType] = {"id": pl.String(), "mark": pl.String()}
Standing = Mapping[tuple[str, str], pl.DataFrame]
"""For a table and a column of it, the marks that stand in the target, as text: STANDING. Ids are texts here: what
the key of a table is, another need not be."""


def standing_marks(connection: sa.Connection, target: Target) -> Standing:
    """Every mark of restriction in the target, whoever set it. Read only."""
    inspector = sa.inspect(connection)
    found = {}
    for table in target.tables:
        marks = target.marks(table.name)
        with of_any_type():
            real = inspector.get_columns(table.name) if inspector.has_table(table.name) else ()
        there = {column["name"] for column in real}
        for item in (item for item in marks if item.column in there):
            key: sa.ColumnClause[object] = sa.column(table.id_column)
            column: sa.ColumnClause[str] = sa.column(item.column)
            query = sa.select(sa.cast(key, sa.Text), sa.cast(column, sa.Text)).select_from(sa.table(table.name))
            rows = [tuple(row) for row in connection.execute(query.where(column.is_not(None)))]
            read = pl.DataFrame(rows, schema=dict(STANDING), orient="row")
            found[table.name, item.column] = _as_declared(read, item, target, table.name)
    return found


def _as_declared(read: pl.DataFrame, marks: Marks, target: Target, table: str) -> pl.DataFrame:
    mark = pl.col("mark")
    if target.by_name[table].by_name[marks.column].type.name == "boolean":
        mark = mark.str.to_lowercase().replace({"1": "true", "t": "true", "0": "false", "f": "false"})
    read = read.with_columns(mark).filter(rank(marks, pl.col("mark")) > 0)
    if not marks.values:
        return read
    # What nobody declared is kept as the strictest that is.
    known = pl.col("mark").is_in(list(marks.values))
    return read.with_columns(pl.when(known).then(pl.col("mark")).otherwise(pl.lit(marks.strictest)))


def raised_marks(
    job: Job,
    spec: TableSpec,
    crosswalk: Crosswalk,
    standing: Standing,
    golden: Sequence[Batch],
    members: pl.DataFrame,
) -> pl.DataFrame:
    """The marks of one spec's rows that must be other than the spec makes them: RAISED_ROWS. `members`: MEMBERS of
    its survivors. Read only."""
    marks = job.target.marks(spec.target)
    clean = job.ledger.sealed(job.run, "transform", spec.name, "clean")
    if not marks or not clean:
        return empty(RAISED_ROWS)
    return raised_of(job, spec, own_rows(job, spec, clean, golden), crosswalk, standing, members)


def raised_of(
    job: Job, spec: TableSpec, rows: pl.DataFrame, crosswalk: Crosswalk, standing: Standing, members: pl.DataFrame
) -> pl.DataFrame:
    """The same for some rows of the spec, which `own_rows` gave."""
    said, before, found = _said(job, spec, rows, crosswalk), _kept_before(job, spec.name), [empty(RAISED_ROWS)]
    for item in job.target.marks(spec.target):
        stands = standing.get((spec.target, item.column), empty(STANDING))
        kept = before.filter(pl.col("column") == item.column).select("id", pl.col("value").alias("mark"))
        lowered = _lowered_ids(job, crosswalk.space_of(spec), spec, rows)
        there = strictest(item, pl.concat([stands, kept])).join(lowered, on="id", how="anti")
        others = members.filter(pl.col("column") == item.column, pl.col("kept"), pl.col("id") != pl.col("member"))
        there = pl.concat([there.with_columns(merged=False), others.select("id", "mark", merged=True)])
        found.append(_raised(rows.join(said, on=KEY, how="left"), item, strictest(item, there)))
    return pl.concat(found).sort("column", KEY)


def strictest(marks: Marks, found: pl.DataFrame) -> pl.DataFrame:
    """Of some marks (`id`, `mark`) the strictest of each record; of equals the first."""
    ranked = found.sort(rank(marks, pl.col("mark")), descending=True, maintain_order=True)
    return ranked.unique("id", keep="first", maintain_order=True)


def _lowered_ids(job: Job, space: str, spec: TableSpec, rows: pl.DataFrame) -> pl.DataFrame:
    """The records of which a person has lowered the mark: `id`."""
    lowered = lowered_keys(read_lowered(job.settings)).filter(pl.col("system") == space)
    return rows.filter(_person(spec).is_in(lowered.get_column("key").implode())).select("id").drop_nulls()


def _person(spec: TableSpec) -> pl.Expr:
    """A record's key: a second target row of a source row has the key of its first, and its part behind it."""
    return pl.col(KEY).str.strip_suffix(f"#{spec.part}") if spec.part else pl.col(KEY)


def own_mark(column: str) -> str:
    """What a column with marks is called in the rows of `own_rows`: in the target it may be called anything, also
    `mark` or `id`."""
    return f"__own_{column}"


def own_rows(job: Job, spec: TableSpec, clean: Sequence[Batch], golden: Sequence[Batch] = ()) -> pl.DataFrame:
    """The rows as the spec made them, a survivor's as its merge made it: KEY, ROW, REST, `id` and the marks as
    text, each under `own_mark`."""
    rows = _own(clean, golden, job.target.marks(spec.target))
    return rows.join(ids_as_text(job, spec, clean), on=KEY, how="left")


def ids_as_text(job: Job, spec: TableSpec, clean: Sequence[Batch]) -> pl.DataFrame:
    """KEY and `id` of the records of a spec: those given out, or what the specs say in these batches."""
    table = job.target.by_name[spec.target]
    ids = ids_of(job, spec.target, spec.system, spec.sources[0].name)
    if table.natural_key:
        ids = pl.concat([ids, *(keys_of(batch, table) for batch in clean)]).unique(KEY, keep="first")
    return ids.with_columns(pl.col("id").cast(pl.String))


def _own(clean: Sequence[Batch], golden: Sequence[Batch], marks: Sequence[Marks]) -> pl.DataFrame:
    """`own_rows`, without ids."""
    frames = []
    for batch in (*golden, *clean):
        there = set(batch.scan().collect_schema().names())
        columns = [item.column for item in marks if item.column in there]
        frame = batch.read([KEY, ROW, REST, *columns])
        texts = (
            (pl.col(item.column) if item.column in there else pl.lit(None))
            .cast(pl.String)
            .alias(own_mark(item.column))
            for item in marks
        )
        frames.append(frame.select(KEY, ROW, pl.col(REST).cast(pl.List(pl.Int64)), *texts))
    return pl.concat(frames).unique(KEY, keep="first", maintain_order=True)


def _said(job: Job, spec: TableSpec, rows: pl.DataFrame, crosswalk: Crosswalk) -> pl.DataFrame:
    """What the source rows behind each target row say: KEY, `marked`, `differs`, `lowered`."""
    marked = _marked(job)
    theirs = (crosswalk.folded, crosswalk.withheld) if spec.name in crosswalk.register else (empty(CROSSWALK),)
    space = crosswalk.space_of(spec)
    mine = pl.concat(theirs).filter(pl.col("survivor_system") == space)
    lead = rows.select(KEY, pl.lit(space).alias("system"), _person(spec).alias("key"), ROW, REST)
    rest = lead.select(pl.exclude(ROW, REST), pl.col(REST).alias(ROW)).explode(ROW).drop_nulls(ROW)
    others = mine.select(pl.col("survivor_key").alias(KEY), "system", "key", ROW)
    behind = others.select(KEY, "system", "key").join(
        rest.select(pl.col(KEY).alias("key"), "system", ROW), on=["system", "key"], how="inner"
    )
    lines = pl.concat([lead.drop(REST), rest, others, behind.select(others.columns)])
    lines = lines.join(marked, on=ROW, how="left").with_columns(pl.col("differs").is_not_null().alias("marked"))
    low = lowered_keys(read_lowered(job.settings)).with_columns(pl.lit(True).alias("lowered"))
    lines = lines.join(low, on=["system", "key"], how="left").with_columns(pl.col("lowered").fill_null(False))
    counts = pl.col("marked") & ~pl.col("lowered")
    return lines.group_by(KEY).agg(
        counts.any().alias("marked"),
        (counts & pl.col("differs").fill_null(False)).any().alias("differs"),
        pl.col("lowered").any(),
    )


def _marked(job: Job) -> pl.DataFrame:
    found = [pl.DataFrame(schema={ROW: pl.Int64(), "differs": pl.Boolean()})]
    for source in job.reads():
        marked = job.ledger.sealed(job.run, "transform", str(source), "marked")
        found += [batch.read() for batch in with_rows(marked)]
    return pl.concat(found).unique(ROW)


def _raised(rows: pl.DataFrame, marks: Marks, standing: pl.DataFrame) -> pl.DataFrame:
    """KEY, `id`, `value` and `cause` of the rows whose own mark does not stand."""
    said = pl.col(own_mark(marks.column))
    own, there = rank(marks, said), rank(marks, pl.col("mark"))
    marked, lowered = pl.col("marked").fill_null(False), pl.col("lowered").fill_null(False)
    odd = (own == marks.odd) if marks.values else pl.lit(False)
    closed = odd | (marked & ((own == 0) | (pl.col("differs").fill_null(False) & bool(marks.values))))
    by_person = lowered & ~marked
    kept = pl.col("mark").is_not_null() & (there > pl.when(by_person).then(0).otherwise(own))
    cause = (
        pl.when(closed & ~by_person).then(pl.lit(BY_SOURCE))
        .when(kept & pl.col("merged")).then(pl.lit(BY_MERGE))
        .when(kept).then(pl.lit(BY_TARGET))
        .when(by_person & (own > 0)).then(pl.lit(BY_PERSON))
    )  # fmt: skip
    values = {BY_PERSON: marks.lowered, BY_SOURCE: marks.strictest}
    value = pl.col("cause").replace_strict(values, default=pl.col("mark"), return_dtype=pl.String)
    asked = rows.join(standing, on="id", how="left").with_columns(cause.alias("cause"))
    made = asked.filter(pl.col("cause").is_not_null()).with_columns(value.alias("value"))
    made = made.filter(pl.col("value").ne_missing(said))
    return made.select(KEY, ROW, "id", pl.lit(marks.column).alias("column"), "value", "cause")


def _kept_before(job: Job, name: str) -> pl.DataFrame:
    """What an earlier attempt of this run found in the target: it may have been stopped between two tables."""
    sealed = job.ledger.sealed(job.run, STAGE, name, RAISED)
    found = [batch.read().with_columns(pl.col("id").cast(pl.String)) for batch in sealed]
    return pl.concat([empty(RAISED_ROWS), *found]).filter(pl.col("cause") == BY_TARGET)


def note_raised(job: Job, name: str, raised: pl.DataFrame) -> None:
    """Write down which marks were raised or lowered, and why: reconciliation and the report name them."""
    inputs = digest(name, raised.rows())
    if job.ledger.done(STAGE, name, 0, inputs) is None:
        job.ledger.attempt(STAGE, name, 0, inputs)
        batch = write_batch(job.work, STAGE, name, 0, RAISED, inputs, raised)
        job.ledger.record(STAGE, name, 0, inputs, [batch], Tally())
    job.ledger.seal(job.run, STAGE, name, [(0, inputs)])


def with_raised(rows: pl.DataFrame, raised: pl.DataFrame) -> pl.DataFrame:
    """Target rows with their marks as they must be."""
    for (column,), marks in raised.group_by(["column"], maintain_order=True):
        name, kind = str(column), rows.schema[str(column)]
        keys = rows.select(KEY)  # a column of the target may be called `value`
        new = keys.join(marks.select(KEY, "value"), on=KEY, how="left", maintain_order="left").get_column("value")
        value = new == "true" if kind == pl.Boolean else new.cast(kind)
        rows = rows.with_columns(pl.when(new.is_not_null()).then(value).otherwise(pl.col(name)).alias(name))
    return rows


def with_standing(
    rows: pl.DataFrame, key: str, marks: Sequence[Marks], standing: Sequence[pl.DataFrame]
) -> pl.DataFrame:
    """Rows that are about to be put back, with the marks of the target where those are stricter; KEY stays."""
    for item, there in zip(marks, standing, strict=True):
        if item.column not in rows.columns:
            continue
        stricter = rows.select(
            KEY, pl.col(key).cast(pl.String).alias("id"), pl.col(item.column).cast(pl.String).alias("own")
        )
        stricter = stricter.join(there, on="id").filter(rank(item, pl.col("mark")) > rank(item, pl.col("own")))
        raised = stricter.select(KEY, pl.lit(item.column).alias("column"), pl.col("mark").alias("value"))
        rows = with_raised(rows, raised)
    return rows
