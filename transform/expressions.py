"""Every expression of a spec is tried on no rows at all before the first row is read.

So a mistyped column or a comparison that cannot be is told with its file and its place in it, together
with all others, and never met in the middle of a run.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import polars as pl
from polars.exceptions import ColumnNotFoundError, PolarsError

from casebridge.project.contracts import REST, ROW, ROWS
from casebridge.project.errors import Problem, did_you_mean
from casebridge.project.row_wise import looks_beyond_its_row
from casebridge.project.spec import ColumnSpec, TableSpec
from casebridge.project.steadiness import unsteady_expression
from casebridge.transform.checks import CHECKS
from casebridge.transform.codes import CodeList
from casebridge.transform.conditions import SOURCE
from casebridge.transform.convert import Conversion, source_rows, stripped, text_of, with_values
from casebridge.transform.schema import cast_rule

_REST = ROWS[REST]
_NO_TEXT = (pl.Duration, pl.Binary, pl.Object)
"""What a query may give and no step can read."""
_MAKE_TEXT = "make it text in the query: CAST(… AS VARCHAR)"
_MISSING = re.compile(r'unable to find column "([^"]*)"')


def unreadable(spec: TableSpec) -> list[Problem]:
    """The SQL expressions of a spec that are no expressions."""
    several = ((f"check of `{one.rule}`: when", one.when) for one in spec.singles)
    worked_out = ((f"{_place(c)}.expression", c.expression) for c in spec.columns if c.expression is not None)
    found = (_tried(spec, where, partial(pl.sql_expr, sql)) or _of_many(spec, where, sql) or
             _of_its_day(spec, where, sql) for where, sql in (*_stated(spec), *several, *worked_out))  # fmt: skip
    return [*(problem for problem in found if problem), *_wrong_arguments(spec)]


def _wrong_arguments(spec: TableSpec) -> Iterator[Problem]:
    for column in spec.columns:
        for check in column.checks:
            if check.name in CHECKS and (what := CHECKS[check.name].wrong(check.argument)):
                yield Problem(_file(spec), f"{_place(column)}.checks", f"`{check.name}` {what}")


def _of_many(spec: TableSpec, where: str, sql: str) -> Problem | None:
    if not looks_beyond_its_row(pl.sql_expr(sql)):
        return None
    hint = "count, sum and rank the rows in a query as source, and compare with its column here"
    return Problem(_file(spec), where, "looks at more than its own row: an aggregate or a window", hint)


def _of_its_day(spec: TableSpec, where: str, sql: str) -> Problem | None:
    """An expression that gives something else tomorrow: the auditor asks it again."""
    for what, hint in unsteady_expression(sql):
        return Problem(_file(spec), where, f"gives something else each time: it {what}", hint)
    return None


def undated(spec: TableSpec, codes: Mapping[str, CodeList]) -> list[Problem]:
    """Columns whose code list means different things on different days, but that name no date."""
    return [
        Problem(
            _file(spec),
            f"{_place(column)}.codes",
            f"codes/{column.codes}.csv gives a code two meanings by date",
            "say which column has the date: codes_at",
        )
        for column in spec.columns
        if column.codes and not column.codes_at and _ambiguous(codes[column.codes])
    ]


@dataclass(frozen=True)
class _Trial:
    """A plan and the columns that it is tried on. The same ones give the same answer."""

    spec: TableSpec
    codes: tuple[tuple[str, str], ...]
    clocks: tuple[int, str]
    columns: frozenset[tuple[str, pl.DataType]]
    plan: Conversion = field(compare=False)


def misfits(plan: Conversion, columns: Mapping[str, pl.DataType]) -> list[Problem]:
    """What of a spec does not fit the columns of its source or of its query's result."""
    codes = tuple((name, codes.digest) for name, codes in plan.codes.items())
    trial = _Trial(plan.spec, codes, (plan.century_pivot, plan.zone), frozenset(columns.items()), plan)
    return [*_misfits(trial)]


@functools.lru_cache(maxsize=128)
def _misfits(trial: _Trial) -> list[Problem]:
    """A run asks it twice of most specs: by the columns that they name, and by those that were extracted."""
    plan, columns = trial.plan, dict(sorted(trial.columns))
    spec, schema = plan.spec, {ROW: pl.Int64(), **columns}
    names = [name for name in columns if not name.startswith("_")]
    problems = [
        Problem(_file(spec), where, f"no column `{name}`", did_you_mean(name, names))
        for where, name in dict.fromkeys(_named(spec))
        if name not in columns
    ]
    problems += [
        Problem(_file(spec), where, f"`{name}` holds lists, records, bytes or lengths of time", _MAKE_TEXT)
        for where, name in dict.fromkeys(_named(spec))
        if name in columns and (columns[name].is_nested() or isinstance(columns[name], _NO_TEXT))
    ]
    if not schema[ROW].is_integer() or schema.get(REST, _REST) not in (_REST, pl.Null()):
        hint = "cast them: _row::BIGINT, _rest::BIGINT[]"
        problems.append(Problem(_file(spec), "table.source", "gives _row or _rest in a wrong type", hint))
    if problems:
        return problems
    raw = stripped(pl.DataFrame(schema=schema))
    tries = []
    if _tried(spec, "", partial(_text_columns, raw, spec.columns)):
        tries = [_tried(spec, f"{_place(c)}.steps", partial(_text_column, raw, c)) for c in spec.columns]
    if spec.where is not None:
        wide = raw if SOURCE in raw.columns else raw.with_columns(pl.struct(pl.all()).alias(SOURCE))
        tries.append(_tried(spec, "table.where", partial(wide.select, pl.sql_expr(spec.where)), names))
    problems = [problem for problem in tries if problem]
    return problems or _rules(plan, with_values(source_rows(raw, spec), plan))


def _rules(plan: Conversion, rows: pl.DataFrame) -> list[Problem]:
    spec = plan.spec
    known = [name for name in rows.columns if not name.startswith("_")]
    tries = [
        _tried(spec, where, partial(rows.select, pl.sql_expr(sql)), known)
        for where, sql in _stated(spec)
        if where != "table.where"
    ]
    columns = {column.name: column for column in spec.columns}
    clean = pl.DataFrame(schema={column.name: column.type.dtype for column in spec.columns})
    tries += [
        _tried(spec, f"check of `{one.rule}`: when", partial(clean.select, pl.sql_expr(one.when)), list(columns))
        for one in spec.singles
    ]
    judged = [
        (columns[rule.column], rule.holds)
        for rule in plan.rules
        if rule.column in columns and rule.name != cast_rule(columns[rule.column])
    ]
    together = [holds.alias(f"{number}") for number, (_, holds) in enumerate(judged)]
    if _tried(spec, "", partial(rows.select, together)):  # which of them it is, each says by itself
        tries += [
            _tried(spec, f"{_place(column)}.checks", partial(rows.select, holds)) for column, holds in judged
        ]
    return [problem for problem in tries if problem]


def _text_column(raw: pl.DataFrame, column: ColumnSpec) -> pl.DataFrame:
    return _text_columns(raw, [column])


def _text_columns(raw: pl.DataFrame, columns: Sequence[ColumnSpec]) -> pl.DataFrame:
    return raw.select(text_of(column).alias(column.name) for column in columns)


def _tried(
    spec: TableSpec, where: str, make: Callable[[], pl.DataFrame | pl.Expr], known: list[str] | None = None
) -> Problem | None:
    """What went wrong when an expression was made, or made into a column, or nothing."""
    try:
        made = make()
    except ColumnNotFoundError as error:
        match = _MISSING.search(str(error))
        name = match[1] if match else ""
        return Problem(_file(spec), where, f"no column `{name}`", did_you_mean(name, known or ()))
    except (PolarsError, ValueError, TypeError) as error:
        return Problem(_file(spec), where, str(error).splitlines()[0])
    if known is not None and isinstance(made, pl.DataFrame) and made.dtypes[0] != pl.Boolean:
        return Problem(_file(spec), where, "is not a thing that is true or false", "compare it with a value")
    return None


def _stated(spec: TableSpec) -> Iterator[tuple[str, str]]:
    """Each SQL expression of a spec and where it stands."""
    if spec.where is not None:
        yield "table.where", spec.where
    for number, exclusion in enumerate(spec.exclusions):
        yield f"exclude[{number}].when", exclusion.when
    for number, rule in enumerate(spec.routes):
        yield f"route[{number}].when", rule.when
    for number, check in enumerate(spec.checks):
        if not check.columns:
            yield f"check[{number}].expect", check.expect


def _named(spec: TableSpec) -> Iterator[tuple[str, str]]:
    """Each source column that a spec names and where."""
    for name in spec.key:
        yield "table.key", name
    for column in spec.columns:
        for name in (*column.written, *column.sources):
            yield f"{_place(column)}.{'from' if column.expression is None else 'expression'}", name
        if column.codes_at:
            yield f"{_place(column)}.codes_at", column.codes_at
    if spec.query is not None:
        yield "table.source", ROW


def _ambiguous(codes: CodeList) -> bool:
    meanings = Counter(code for window in codes.windows for code in window.targets)
    return any(count > 1 for count in meanings.values())


def _place(column: ColumnSpec) -> str:
    return f"{'evidence' if column.evidence else 'columns'}.{column.name}"


def _file(spec: TableSpec) -> str:
    return f"tables/{spec.name}.toml"
