"""One batch through one spec: a pure function `frame -> (clean, quarantine)`.

No file, no ledger, no state between batches: the same function can run on any worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl
from polars.exceptions import PolarsError

from casebridge.project.blanks import bare, bare_columns, bare_texts
from casebridge.project.contracts import (
    CELL_FAULT,
    EVIDENCE,
    KEY,
    OURS,
    REST,
    ROW,
    ROW_VERDICTS,
    ROWS,
    Place,
    Verdict,
)
from casebridge.project.errors import SpecError
from casebridge.project.keys import joined_key, joined_reference
from casebridge.project.spec import ColumnSpec, Step, TableSpec
from casebridge.project.tally import Tally
from casebridge.transform.codes import CodeList
from casebridge.transform.conditions import SOURCE, VALUE, asked_of_each, with_names
from casebridge.transform.dates import HOME, close_open_end, parse_date, parse_timestamp
from casebridge.transform.numbers import decimal
from casebridge.transform.quarantine import quarantine_rows, with_first_cause
from casebridge.transform.schema import FAULT, TEXT, TRANSLATED, Rule, fails_on_rows, of_workbook, rules
from casebridge.transform.steps import STEPS

INDEX = "__index"
UUID = r"^(?i)\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?$"
"""How a uuid is written: with or without hyphens, capitals and braces."""
CLOSED = "__closed_"
"""Prefix of the column in which a date that means "not ended" has become null."""


@dataclass(frozen=True)
class Conversion:
    """A spec made ready to run: its code lists and its rules in order."""

    spec: TableSpec
    codes: Mapping[str, CodeList]
    century_pivot: int
    rules: tuple[Rule, ...]
    zone: str = HOME


def make_plan(spec: TableSpec, codes: Mapping[str, CodeList], century_pivot: int, zone: str = HOME) -> Conversion:
    """The plan of a spec. `zone` is where the system's clocks stood."""
    return Conversion(spec, codes, century_pivot, rules(spec), zone)


@dataclass(frozen=True)
class Converted:
    """Clean rows, the quarantine of the others, and the account of both."""

    clean: pl.DataFrame
    quarantine: pl.DataFrame
    tally: Tally


def convert(raw: pl.DataFrame, plan: Conversion) -> Converted:
    """Source rows (ROW, optionally REST, source columns as text) to clean rows and quarantine."""
    from casebridge.transform.contract import check_rows

    spec = plan.spec
    rows = source_rows(raw, spec)
    batch = with_values(rows, plan)
    failures = with_first_cause(check_rows(batch, plan.rules, spec.name))
    shown = {column.name: _shown(column, spec) for column in spec.columns}
    shown.update({spec.key_column: pl.col(KEY)} if spec.key_column else {})
    quarantine = quarantine_rows(rows, failures, shown)
    clean = _clean(batch, failures, spec)
    return Converted(clean, quarantine, _tally(batch.height, clean.height, quarantine))


def source_rows(raw: pl.DataFrame, spec: TableSpec) -> pl.DataFrame:
    """The rows that a spec takes, stripped and with their keys, every value as the source has it."""
    rows = stripped(with_faults(raw, spec))
    if chooses(spec):
        rows = rows.filter(_taken(rows, spec))
    return rows.with_columns(_key(spec).alias(KEY))


def chooses(spec: TableSpec) -> bool:
    """Whether a spec may leave rows of its source to others."""
    return spec.where is not None or bool(spec.said)


def with_values(rows: pl.DataFrame, plan: Conversion) -> pl.DataFrame:
    """Source rows, and beside them each converted column's text, translation and value."""
    spec = plan.spec
    batch = _with_texts(rows, spec)
    batch = batch.with_columns(
        _translation(column, plan).alias(TRANSLATED + column.name) for column in spec.columns if column.codes
    )
    batch = batch.with_columns(_value(column, plan).alias(VALUE + column.name) for column in spec.columns)
    batch = batch.with_columns(
        close_open_end(pl.col(VALUE + column.name)).alias(CLOSED + column.name)
        for column in spec.columns
        if _may_be_open(column)
    )
    return with_names(batch, spec, (name for name in rows.columns if name not in (KEY, REST)))


def _with_texts(rows: pl.DataFrame, spec: TableSpec) -> pl.DataFrame:
    texts = {column: text_of(column).alias(TEXT + column.name) for column in spec.columns}
    try:
        return rows.with_columns(texts.values())
    except PolarsError:
        failing = [column for column, text in texts.items() if column.expression and not _works(rows, text)]
        if not failing:
            raise
        places = (f"{'evidence' if c.evidence else 'columns'}.{c.name}.expression" for c in failing)
        raise SpecError([fails_on_rows(spec.name, place) for place in places]) from None


def _works(rows: pl.DataFrame, text: pl.Expr) -> bool:
    try:
        rows.with_columns(text)
    except PolarsError:
        return False
    return True


def with_faults(raw: pl.DataFrame, spec: TableSpec) -> pl.DataFrame:
    """Rows of a workbook with their cells' faults apart: what is no value is null, and beside it stands why."""
    if not of_workbook(spec):
        return raw
    named = {name for column in spec.columns for name in column.written}
    texts = {name for name, kind in raw.schema.items() if kind == pl.String and name not in OURS}
    faulty = {name: pl.col(name).str.starts_with(CELL_FAULT) for name in sorted(texts)}
    why = {name: pl.when(fault).then(pl.col(name).str.slice(1)) for name, fault in faulty.items()}
    none = dict.fromkeys(sorted(named - texts), pl.lit(None, dtype=pl.String))
    apart = raw.with_columns(fault.alias(FAULT + name) for name, fault in {**none, **why}.items())
    return apart.with_columns(pl.when(~fault).then(pl.col(name)).alias(name) for name, fault in faulty.items())


def taken(raw: pl.DataFrame, specs: tuple[TableSpec, ...]) -> pl.Series:
    """For each source row, whether any of these specs takes it."""
    rows = stripped(with_faults(raw, specs[0]))
    return pl.select(pl.any_horizontal([_taken(rows, spec) for spec in specs])).to_series()


def _taken(rows: pl.DataFrame, spec: TableSpec) -> pl.Series:
    if spec.said:
        # A cell that shows an error is not empty.
        there = [
            _shown_one(name, column.null, spec).is_not_null() for column in spec.said for name in column.written
        ]
        return rows.select(pl.any_horizontal(there)).to_series()
    if spec.where is None:
        return pl.Series([True]).new_from_index(0, rows.height)
    condition = pl.sql_expr(spec.where)
    if SOURCE in condition.meta.root_names() and SOURCE not in rows.columns:
        rows = rows.with_columns(pl.struct(pl.all()).alias(SOURCE))
    try:
        return asked_of_each(rows, condition.fill_null(False))
    except PolarsError as error:
        raise SpecError([fails_on_rows(spec.name, "table.where")]) from error


def key_of(columns: tuple[str, ...], part: str = "") -> pl.Expr:
    """The legacy key as one text, its parts stripped; null when every part is empty.

    `part` sets apart a second target row of the same source row.
    """
    held = [pl.col(n).map_batches(_part_of_key, return_dtype=pl.String, is_elementwise=True) for n in columns]
    key = joined_key([text.fill_null("") for text in held])
    return key + f"#{part}" if part else key


def _part_of_key(texts: pl.Series) -> pl.Series:
    """Stripped texts. A cell that holds an error names nothing."""
    texts = bare_texts(texts)
    return texts.set(texts.str.starts_with(CELL_FAULT), None)


def _key(spec: TableSpec) -> pl.Expr:
    return key_of(spec.key, spec.part)


def stripped(raw: pl.DataFrame) -> pl.DataFrame:
    """Blanks at both ends gone, empty texts null, `_rest` there."""
    texts = [name for name, kind in raw.schema.items() if kind == pl.String and name not in OURS]
    rows = raw.with_columns(bare_columns(raw, texts))
    rest = pl.col(REST) if REST in rows.columns else pl.lit(None)
    return rows.with_columns(pl.col(ROW).cast(ROWS[ROW]), rest.cast(ROWS[REST]).alias(REST))


def _source_text(column: ColumnSpec, *, stepped: bool = True) -> pl.Expr:
    if column.value is not None:
        return pl.lit(column.value)
    if column.expression is not None:
        return bare(pl.sql_expr(column.expression).cast(pl.String))
    parts = [_filled(pl.col(name).cast(pl.String), column.null) for name in column.sources]
    if stepped and column.part_steps:
        parts = [_after(part, steps) for part, steps in zip(parts, column.part_steps, strict=True)]
    if len(parts) == 1:
        return parts[0]
    if any(step.name == "first_of" for step in column.steps):
        return pl.coalesce(parts)
    if column.references:
        return joined_reference(parts)
    return _or_null(pl.concat_str(parts, separator=" ", ignore_nulls=True))


def _filled(text: pl.Expr, nothing: tuple[str, ...]) -> pl.Expr:
    """Null where the value is one of those that stand for nothing."""
    return pl.when(~text.is_in(nothing)).then(text) if nothing else text


def _shown(column: ColumnSpec, spec: TableSpec) -> pl.Expr:
    """A column's text as the source has it, the error that its cell shows among it."""
    faults = [pl.col(FAULT + name) for name in column.written] if of_workbook(spec) else []
    written = [pl.col(column.looked_up)] if column.looked_up else []
    return pl.coalesce(*faults, _source_text(column, stepped=False), *written)


def _shown_one(name: str, nothing: tuple[str, ...], spec: TableSpec) -> pl.Expr:
    """The same of one source column."""
    faults = [pl.col(FAULT + name)] if of_workbook(spec) else []
    return pl.coalesce(*faults, _filled(pl.col(name).cast(pl.String), nothing))


def text_of(column: ColumnSpec) -> pl.Expr:
    """A column's text after its steps."""
    text = _after(_source_text(column), column.steps)
    return text if column.default is None else text.fill_null(column.default)


def _after(text: pl.Expr, steps: Iterable[Step]) -> pl.Expr:
    for step in steps:
        text = STEPS[step.name](text, step.argument)
    return text


def _translation(column: ColumnSpec, plan: Conversion) -> pl.Expr:
    day = _day(column.codes_at, plan) if column.codes_at else None
    return plan.codes[column.codes or ""].translate(pl.col(TEXT + column.name), day)


def _day(name: str, plan: Conversion) -> pl.Expr:
    return parse_date(pl.col(name).cast(pl.String), plan.century_pivot, plan.zone)


def _value(column: ColumnSpec, plan: Conversion) -> pl.Expr:
    text = pl.col((TRANSLATED if column.codes else TEXT) + column.name)
    kind = column.type
    if kind.name == "date":
        return parse_date(text, plan.century_pivot, plan.zone, column.format)
    if kind.name == "timestamp":
        return parse_timestamp(text, plan.century_pivot, plan.zone, column.format)
    if kind.name == "numeric":
        return decimal(text, kind.dtype, kind.scale or 0, column.round)
    if kind.name in {"bigint", "integer"}:
        whole = decimal(text, pl.Int64(), 0, column.round)
        return whole if kind.name == "bigint" else pl.when(whole.is_between(-(2**31), 2**31 - 1)).then(whole)
    if kind.name == "boolean":
        return text.replace_strict({"Y": True, "N": False}, default=None, return_dtype=pl.Boolean)
    if kind.name == "uuid":
        bare_form = text.str.to_lowercase().str.strip_chars("{}").str.replace_all("-", "", literal=True)
        parts = [bare_form.str.slice(at, long) for at, long in ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))]
        return pl.when(text.str.contains(UUID)).then(pl.concat_str(parts, separator="-"))
    return text


def _may_be_open(column: ColumnSpec) -> bool:
    return column.type.name in {"date", "timestamp"} and any(step.name == "end_date" for step in column.steps)


def _clean(batch: pl.DataFrame, failures: pl.DataFrame, spec: TableSpec) -> pl.DataFrame:
    stays = failures.filter(pl.col("first")).get_column("index")
    faulty = failures.partition_by("column", "verdict", as_dict=True)
    indexed = batch.with_row_index(INDEX)
    columns = []
    for column in spec.columns:
        value = pl.col((CLOSED if _may_be_open(column) else VALUE) + column.name)
        aside = faulty.get((column.name, Verdict.SET_ASIDE))
        if aside is not None:
            value = pl.when(pl.col(INDEX).is_in(aside.get_column("index").implode())).then(None).otherwise(value)
        cut = faulty.get((column.name, Verdict.TRUNCATED))
        if cut is not None:
            short = value.str.slice(0, column.type.length)
            value = pl.when(pl.col(INDEX).is_in(cut.get_column("index").implode())).then(short).otherwise(value)
        columns.append(value.alias((EVIDENCE if column.evidence else "") + column.name))
    kept = indexed.filter(~pl.col(INDEX).is_in(stays.implode())) if stays.len() else indexed
    return kept.select(KEY, ROW, REST, *columns)


def _tally(read: int, clean: int, quarantine: pl.DataFrame) -> Tally:
    if quarantine.is_empty():
        return Tally(read=read, passed=clean)
    places = dict(quarantine.filter("first").get_column("verdict").value_counts().iter_rows())
    others = ~pl.col("verdict").is_in([str(v) for v in ROW_VERDICTS])
    values = dict(quarantine.filter(others).get_column("verdict").value_counts().iter_rows())
    return Tally(
        read=read,
        passed=clean,
        rejected=places.get(Place.REJECTED, 0),
        excluded=places.get(Place.EXCLUDED, 0),
        held=places.get(Place.HELD, 0),
        set_aside=values.get(Verdict.SET_ASIDE, 0) + values.get(Verdict.TRUNCATED, 0),
        warned=values.get(Verdict.WARNED, 0),
    )


def _or_null(text: pl.Expr) -> pl.Expr:
    return pl.when(text != "").then(text)
