"""A spec's rules, in the order in which they are judged.

Casting is done before any of them is asked, so a failed cast or an unmapped code is judged by comparing the
value with the text it was made from.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from casebridge.project.blanks import unusual_inside
from casebridge.project.contracts import KEY, NO_RESULT, Verdict
from casebridge.project.errors import Problem
from casebridge.project.spec import ColumnSpec, OnFail, RowCheck, TableSpec
from casebridge.transform import dates, numbers
from casebridge.transform.checks import CHECKS
from casebridge.transform.conditions import VALUE
from casebridge.transform.quarantine import VERDICT_OF
from casebridge.transform.statutory import ROW_RULES, Side

TEXT = "__text_"
"""Prefix of the column that holds a converted column's cleaned text."""
FAULT = "__fault_"
"""Prefix of the column that says why a source column's cell in a workbook is no value."""
TRANSLATED = "__code_"
"""Prefix of the column that holds a coded column's translation before the cast."""


KEY_NUMBERS: Mapping[str, tuple[int, pl.DataType]] = {"integer": (10, pl.Int32()), "bigint": (19, pl.Int64())}
"""A target's columns of whole numbers, by their types: the most digits that one writes a number with, and what
holds it. A key that is no such number breaks the rule `number`."""
OF_CELLS = frozenset({"xlsx", "ods"})
"""Formats whose values stand in cells."""
UNUSUAL_BLANK = "unusual_blank"
"""The rule that counts texts with blanks inside that nobody sees. It warns: such a text is loaded as it is."""
FINER_TIME = "finer_time"
"""The rule that counts times of less than a microsecond. It warns: they are loaded to the microsecond, and the
whole text is kept."""
UNKNOWN_LOOKUP = "unknown_lookup"
ASIDE = frozenset({"ambiguous_date", "ambiguous_number", UNKNOWN_LOOKUP})
"""Rules of values that say something, but not enough: set aside, where the spec does not say otherwise. So is an
amount of money finer than a penny (`decimals`); any other number that does not fit its column breaks a rule."""
TEXTS = frozenset({"text", "varchar", "char"})


@dataclass(frozen=True)
class Rule:
    """One check of one column or of the row: an expression that is true (or null) for a good row."""

    column: str | None
    name: str
    holds: pl.Expr
    on_fail: OnFail
    rank: int
    verdict: Verdict | None = None

    @property
    def label(self) -> str:
        """The rule's name inside the contract, unique there."""
        return f"{self.rank}"

    @property
    def effect(self) -> Verdict:
        """What a failure does."""
        return self.verdict or VERDICT_OF[self.on_fail]


@functools.lru_cache(maxsize=256)
def rules(spec: TableSpec) -> tuple[Rule, ...]:
    """All rules of a spec in the order in which they are judged."""
    made: list[Rule] = []

    def add(column: str | None, name: str, holds: pl.Expr, on_fail: OnFail, verdict: Verdict | None = None):  # type: ignore[no-untyped-def]
        made.append(Rule(column, name, holds, on_fail, len(made), verdict))

    for exclusion in spec.exclusions:
        add(None, exclusion.rule, ~pl.sql_expr(exclusion.when), OnFail.REJECT, Verdict.EXCLUDED)
    add(None, "missing_key", pl.col(KEY).is_not_null(), OnFail.REJECT)
    for name, holds in _key_rules(spec):
        add(spec.key_column, name, holds, OnFail.REJECT)
    for column in spec.columns:
        cells = _cell_rules(column) if column.sources and of_workbook(spec) else ()
        for name, holds in (*cells, *_column_rules(column)):
            add(column.name, name, holds, _consequence(column, name))
    for check in spec.checks:
        add(None, check.rule, _row_rule(check), check.on_fail)
    return tuple(made)


def _row_rule(check: RowCheck) -> pl.Expr:
    if not check.columns:
        return pl.sql_expr(check.expect)
    return ROW_RULES[check.rule].of([Side(pl.col(TEXT + name), pl.col(VALUE + name)) for name in check.columns])


def _key_rules(spec: TableSpec) -> Iterator[tuple[str, pl.Expr]]:
    """What the target's column for the legacy key can take, the same on every database."""
    kind = spec.key_type
    if kind and kind.length is not None:
        yield "max_length", pl.col(KEY).str.len_chars() <= kind.length
    if kind and kind.name in KEY_NUMBERS:
        yield "number", key_number(kind.name, pl.col(KEY)).is_not_null()
    if kind and kind.name == "uuid":
        yield "uuid", pl.col(KEY).str.contains("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def key_number(kind: str, key: pl.Expr) -> pl.Expr:
    """A key as the number that a column of this type keeps; null for what it cannot take.

    >>> keys = pl.DataFrame({"key": ["007", "2147483647", "2147483648", "1e3"]})
    >>> keys.select(key_number("integer", pl.col("key"))).to_series().to_list()
    [7, 2147483647, None, None]
    """
    digits, held_as = KEY_NUMBERS[kind]
    written = key.str.contains(f"^-?[0-9]{{1,{digits}}}$")
    return pl.when(written).then(key).cast(held_as, strict=False)


def of_workbook(spec: TableSpec) -> bool:
    """Whether the spec's rows come from cells, which may hold errors instead of values."""
    return any(read.format in OF_CELLS for read in spec.reads)


def _cell_rules(column: ColumnSpec) -> Iterator[tuple[str, pl.Expr]]:
    """A cell that shows an error, or holds a formula whose result nobody has stored."""
    faults = [pl.col(FAULT + name).fill_null("") for name in column.written]
    yield "formula_without_result", pl.all_horizontal([fault != NO_RESULT[1:] for fault in faults])
    yield "cell_error", pl.all_horizontal([(fault == "") | (fault == NO_RESULT[1:]) for fault in faults])


def fails_on_rows(spec: str, where: str) -> Problem:
    """An expression that fits its columns but not every value in them. The value is not told: it is somebody's."""
    hint = "where it casts, TRY_CAST makes nothing of what cannot be cast"
    return Problem(f"tables/{spec}.toml", where, "fails on a value that it cannot work with", hint)


def _consequence(column: ColumnSpec, rule: str) -> OnFail:
    if rule in {UNUSUAL_BLANK, FINER_TIME}:
        return OnFail.WARN
    given = {check.name: CHECKS[check.name].severity for check in column.checks}
    severity = given.get(rule) if column.on_fail is None else None
    on_fail = severity or column.consequence(rule)
    finer = rule == "decimals" and cast_rule(column) == "money"
    if (rule in ASIDE or finer) and column.on_fail is None:
        on_fail = OnFail.NULL
    if on_fail is OnFail.WARN and rule in {cast_rule(column), *ASIDE, "decimals", "time"}:
        on_fail = OnFail.NULL  # there is no value to go on with
    # A required value that is set aside leaves the row without it.
    return OnFail.REJECT if column.required and on_fail is OnFail.NULL else on_fail


def _column_rules(column: ColumnSpec) -> Iterator[tuple[str, pl.Expr]]:
    text, value = pl.col(TEXT + column.name), pl.col(VALUE + column.name)
    source = text
    if column.looked_up:
        yield UNKNOWN_LOOKUP, _is_found(column)
    if column.codes:
        source = pl.col(TRANSLATED + column.name)
        yield "unmapped_code", source.is_not_null() | text.is_null()
    for check in column.checks:
        if CHECKS[check.name].of_text:
            yield check.name, CHECKS[check.name].holds(source, check.argument)
    if column.type.name not in TEXTS:
        yield from _readings(column, source, value)
        yield cast_rule(column), value.is_not_null() | source.is_null()
    for check in column.checks:
        if not CHECKS[check.name].of_text:
            yield check.name, CHECKS[check.name].holds(value, check.argument)
    if column.type.length is not None:
        yield "max_length", value.str.len_chars() <= column.type.length
    if column.type.name in TEXTS:
        yield UNUSUAL_BLANK, ~unusual_inside(value)
    if column.type.name == "timestamp":
        yield FINER_TIME, dates.is_no_finer(source) | value.is_null()
    if column.required:
        yield "required", text.is_not_null() | source.is_not_null()


def _is_found(column: ColumnSpec) -> pl.Expr:
    """Whether there is something for a value that was looked up."""
    asked = pl.col(column.looked_up)
    return pl.col(column.sources[0]).is_not_null() | asked.is_null() | asked.is_in(column.null)


def _readings(column: ColumnSpec, source: pl.Expr, value: pl.Expr) -> Iterator[tuple[str, pl.Expr]]:
    """Why a text that says something was not read all the same."""
    kind = column.type
    if kind.name in {"date", "timestamp"} and not column.format:
        yield "ambiguous_date", dates.is_not_ambiguous(value, source)
    if kind.name == "timestamp":
        yield "time", dates.has_a_time_of_day(value, source, column.format)
    if kind.name in {"numeric", "bigint", "integer"}:
        yield "ambiguous_number", numbers.is_not_ambiguous(value, source)
        yield "decimals", numbers.has_no_more_decimals(value, source, kind.scale or 0)


def cast_rule(column: ColumnSpec) -> str:
    """The name of the rule that a value breaks when it cannot be cast to its column's type."""
    kind = column.type
    if kind.name in {"date", "timestamp"}:
        return "date"
    if kind.name == "uuid":
        return "uuid"
    return "money" if kind.name == "numeric" and kind.scale == 2 else "number"
