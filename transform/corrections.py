"""Corrections into the batches of a source, before anything else looks at them.

A batch with a row that is corrected is written again beside the extracted one; all others are used as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from casebridge.project.batch import Batch, digest, write_batch
from casebridge.project.blanks import bare
from casebridge.project.contracts import CELL_FAULT, KEY, ORIGIN, ROW
from casebridge.project.corrections import Correction, OfProject, facts_of, of_source, read_corrections, strangers
from casebridge.project.errors import SpecError, counted
from casebridge.project.job import Job
from casebridge.project.spec import ReadSpec
from casebridge.project.tally import Tally
from casebridge.transform.convert import key_of

STAGE = "transform"
_PATCHES = (ROW, "number", "column", "new")


def corrections_of(job: Job, read: ReadSpec) -> tuple[Correction, ...]:
    """The corrections of one source."""
    return of_source(read_corrections(OfProject(job.settings, job.target, job.specs)), read.source)


def corrected(job: Job, read: ReadSpec, raw: tuple[Batch, ...]) -> tuple[Batch, ...]:
    """The raw batches with this source's corrections in them. SpecError for those of no row or column."""
    items = corrections_of(job, read)
    if not items or not raw:
        return raw
    name, inputs = _asked(job, read, raw, items)
    batches = job.ledger.done(STAGE, name, 0, inputs)
    if batches is None:
        patches = _patches(read, raw, items)
        job.ledger.attempt(STAGE, name, 0, inputs)
        batches = tuple(_written(job, name, inputs, raw, patches))
        job.ledger.record(STAGE, name, 0, inputs, batches, Tally())
    job.ledger.seal(job.run, STAGE, name, [(0, inputs)])
    _tell(job, items, batches)
    return _instead(raw, batches)


def corrected_before(job: Job, read: ReadSpec, raw: tuple[Batch, ...]) -> tuple[Batch, ...] | None:
    """The same as far as it was made before; None when that is pending. Writes nothing."""
    items = corrections_of(job, read)
    if not items or not raw:
        return raw
    name, inputs = _asked(job, read, raw, items)
    batches = job.ledger.done(STAGE, name, 0, inputs)
    return None if batches is None else _instead(raw, batches)


def _asked(job: Job, read: ReadSpec, raw: Sequence[Batch], items: Sequence[Correction]) -> tuple[str, str]:
    """The name and the digest of a source's corrected batches."""
    inputs = digest(job.code(STAGE), read.key, [batch.sha256 for batch in raw], facts_of(items))
    return f"{read.source}.corrected", inputs


def _patches(read: ReadSpec, raw: Sequence[Batch], items: Sequence[Correction]) -> pl.DataFrame:
    """Which values become what: ROW, the correction's number, column, the new text (null for none)."""
    known = pl.DataFrame(
        {KEY: [item.key for item in items], "number": range(len(items)), "column": [item.column for item in items],
         "old": [item.old for item in items], "new": [item.new or None for item in items]},
        schema_overrides={"number": pl.Int64, "new": pl.String},
    )  # fmt: skip
    columns = [name for name in raw[0].scan().collect_schema() if name not in ORIGIN]
    named = sorted({item.column for item in items} & set(columns))
    keys = known.get_column(KEY).unique()
    of_row = key_of(read.key).alias(KEY)
    rows = pl.concat(
        [
            batch.scan().with_columns(of_row).filter(pl.col(KEY).is_in(keys.implode()))
            .select(ROW, KEY, *(_as_shown(name) for name in named)).collect()
            for batch in raw
        ]
    )  # fmt: skip
    problems = strangers(items, columns, rows.get_column(KEY))
    if problems:
        raise SpecError(problems)
    values = rows.unpivot(named, index=[ROW, KEY], variable_name="column", value_name="stands")
    both = values.join(known, on=[KEY, "column"], how="inner")
    return both.filter(pl.col("stands").fill_null("") == pl.col("old")).select([*_PATCHES])


def _as_shown(name: str) -> pl.Expr:
    """A value without blanks at both ends; of a broken cell what it shows."""
    return bare(pl.col(name).str.strip_prefix(CELL_FAULT)).alias(name)


def _written(job: Job, name: str, inputs: str, raw: Sequence[Batch], patches: pl.DataFrame) -> Iterator[Batch]:
    """A file for each batch that changes, and how many values each correction changed."""
    for batch in raw:
        frame = batch.read()
        mine = patches.filter(pl.col(ROW).is_in(frame.get_column(ROW).implode()))
        if mine.height:
            yield write_batch(
                job.work, STAGE, name, 0, f"corrected-{batch.number:05d}", inputs, _patched(frame, mine)
            )
    counts = patches.group_by("number").len("rows").sort("number")
    yield write_batch(job.work, STAGE, name, 0, "applied", inputs, counts)


def _patched(frame: pl.DataFrame, patches: pl.DataFrame) -> pl.DataFrame:
    for (column,), news in patches.group_by("column"):
        there = frame.get_column(ROW).is_in(news.get_column(ROW).implode())
        new = frame.select(ROW).join(news.select(ROW, "new"), on=ROW, how="left", maintain_order="left")["new"]
        value = pl.when(there).then(new).otherwise(pl.col(str(column)))
        frame = frame.with_columns(value.alias(str(column)))
    return frame


def _instead(raw: tuple[Batch, ...], batches: Sequence[Batch]) -> tuple[Batch, ...]:
    """The raw batches, with those that were written again in their places."""
    again = {batch.kind: batch for batch in batches}
    return tuple(again.get(f"corrected-{batch.number:05d}", batch) for batch in raw)


def _tell(job: Job, items: Sequence[Correction], batches: Sequence[Batch]) -> None:
    """Corrections whose old value no longer stands."""
    applied = {number for batch in batches if batch.kind == "applied" for number in batch.read()["number"]}
    for file in sorted({item.file for item in items}):
        idle = [item.line for number, item in enumerate(items) if item.file == file and number not in applied]
        if idle:
            lines = ", ".join(map(str, idle[:10])) + (" …" if len(idle) > 10 else "")
            job.report.note(
                f"{file}: {counted(len(idle), 'correction')} not applied, for another value stands there now "
                f"(line {lines})"
            )
