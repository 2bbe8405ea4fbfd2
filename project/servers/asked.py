"""What is asked of a database, and totals taken on both sides: in the database and of what arrived."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal

import polars as pl
import pyarrow as pa
import pyarrow.compute

from casebridge.project.errors import counted

_DAY_LONG = len("2024-01-05")
_EXACT = Context(prec=200)
"""Sums keep every digit: Python's own context rounds to 28."""


@dataclass(frozen=True)
class Field:
    """One column of what is asked: `type` as the server names it, `text` the SQL that gives it as exact text.

    `total` is an SQL aggregate over it, and `measure` what gives the same number of the texts (a key of MEASURES);
    empty where there is none beside the count of its values. `scale`: decimals of a sum.
    """

    name: str
    type: str
    text: str
    total: str = ""
    measure: str = ""
    scale: int = 0


@dataclass(frozen=True)
class Asked:
    """A table, a view or a query: `origin` is what stands behind FROM. `table` is (schema, name), None for a
    query."""

    origin: str
    fields: tuple[Field, ...]
    table: tuple[str, str] | None = None
    view: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(each.name for each in self.fields)

    @property
    def texts(self) -> str:
        """SQL that gives every row as texts."""
        return f"SELECT {', '.join(each.text for each in self.fields)} FROM {self.origin}"  # noqa: S608

    def some_columns(self, many: int) -> Iterator[Asked]:
        """The same with so many of its columns at a time."""
        for first in range(0, len(self.fields), many):
            yield replace(self, fields=self.fields[first : first + many])

    def totals(self, quote: Callable[[str], str]) -> str:
        """SQL that gives one row: how many rows, then for each column how many values and its total."""
        parts = [part for each in self.fields for part in (f"count({quote(each.name)})", each.total or "NULL")]
        return f"SELECT {', '.join(['count(*)', *parts])} FROM {self.origin}"  # noqa: S608


@dataclass(frozen=True)
class Rows:
    """Some rows of what was asked, in order: those that are text, and those that hold bytes that are none, by
    their place among all `height` rows, with the rule that says why: `undecodable` or `nul_byte`."""

    height: int
    good: pl.DataFrame
    places: pl.Series
    bad: tuple[tuple[int, str, bytes], ...] = ()


@dataclass(frozen=True)
class Totals:
    """Rows, and for each column its values that are not null and its total (None without one)."""

    rows: int
    columns: tuple[tuple[str, int, str | None], ...]

    def differences(self, arrived: Totals) -> list[str]:
        """What of the database's totals is not so of what arrived, in words without any value."""
        if self.rows != arrived.rows:
            return [f"{counted(self.rows, 'row')} in the database, {arrived.rows:,} arrived"]
        found = []
        for (name, filled, total), (_, there, seen) in zip(self.columns, arrived.columns, strict=True):
            if filled != there:
                found.append(f"column {name}: {filled:,} values in the database, {there:,} arrived")
            elif total is not None and seen is not None and Decimal(total) != Decimal(seen):
                found.append(f"column {name}: its control total differs")
        return found


@dataclass
class Arrived:
    """The totals of what arrived, summed up batch by batch."""

    asked: Asked
    rows: int = 0
    _filled: list[int] = field(default_factory=list)
    _sums: list[Decimal] = field(default_factory=list)

    def take(self, frame: pl.DataFrame) -> None:
        """So much more arrived: the columns in order, as bytes or texts."""
        self._filled = self._filled or [0] * frame.width
        self._sums = self._sums or [Decimal(0)] * frame.width
        self.rows += frame.height
        filled = frame.select(pl.all().count()).row(0)
        self._filled = [before + more for before, more in zip(self._filled, filled, strict=True)]
        asked = self.asked.fields
        places = [place for place in range(len(asked)) if asked[place].measure]
        sums = frame.select_seq(
            MEASURES[asked[place].measure](pl.nth(place), asked[place].scale).alias(str(place)) for place in places
        )
        for place, more in zip(places, sums.row(0) if places else (), strict=True):
            self._sums[place] = _EXACT.add(self._sums[place], Decimal(more or 0))

    @property
    def totals(self) -> Totals:
        """What it all comes to."""
        filled = self._filled or [0] * len(self.asked.fields)
        sums = self._sums or [Decimal(0)] * len(self.asked.fields)
        columns = zip(self.asked.fields, filled, sums, strict=True)
        return Totals(self.rows, tuple((f.name, n, str(total) if f.measure else None) for f, n, total in columns))


def _bytes(column: pl.Expr, _: int) -> pl.Expr:
    return column.cast(pl.Binary).bin.size().cast(pl.Int64).sum()


def _bytes_of_utf16(column: pl.Expr, _: int) -> pl.Expr:
    """What texts take as UTF-16: two bytes a character, four beyond U+FFFF."""
    return column.map_batches(_sum_of_utf16, return_dtype=pl.Int64, returns_scalar=True)


def _sum_of_utf16(values: pl.Series) -> int:
    """Half of a pair is no text, but has its two bytes."""
    try:
        texts = values.cast(pl.String)
        wide = texts.str.count_matches(r"[\x{10000}-\x{10FFFF}]")
        return 2 * (int(texts.str.len_chars().sum()) + int(wide.sum()))
    except pl.exceptions.ComputeError:
        halves = (str(value, "utf-8", "surrogatepass") for value in values if value is not None)
        return sum(len(text.encode("utf-16-le", "surrogatepass")) for text in halves)


def _characters(column: pl.Expr, _: int) -> pl.Expr:
    return column.cast(pl.String).str.len_chars().cast(pl.Int64).sum()


def _sum(column: pl.Expr, scale: int) -> pl.Expr:
    """Of exact numbers; NaN is none."""
    texts = column.cast(pl.String).replace("NaN", None)
    return texts.cast(pl.Decimal(38, scale) if scale else pl.Int128).sum()


def _days(column: pl.Expr, _: int) -> pl.Expr:
    """Days since 1970-01-01 of dates and times in the years 1 to 9999."""
    return column.cast(pl.String).map_batches(_sum_of_days, return_dtype=pl.Int64, returns_scalar=True)


def _sum_of_days(texts: pl.Series) -> int:
    """Where all are such days pyarrow reads them, in less than half of the time."""
    if texts.str.len_bytes().max() != _DAY_LONG:
        before_christ = texts.str.ends_with("BC")
        texts = (texts.filter(~before_christ) if before_christ.any() else texts).str.head(_DAY_LONG)
    try:
        days = pa.compute.cast(texts.to_arrow(compat_level=pl.CompatLevel.oldest()), pa.date32())
        return pa.compute.sum(days.cast(pa.int32())).as_py() or 0
    except pa.ArrowInvalid:
        return int(texts.str.to_date("%Y-%m-%d", strict=False, cache=False).cast(pl.Int32).cast(pl.Int64).sum())


def _digits(column: pl.Expr, scale: int) -> pl.Expr:
    """Of dates and times without their signs: 2024-01-05 is 20240105."""
    return _sum(column.cast(pl.String).str.replace_all("[- :]", ""), scale)


MEASURES: Mapping[str, Callable[[pl.Expr, int], pl.Expr]] = {
    "bytes": _bytes,
    "bytes_of_utf16": _bytes_of_utf16,
    "characters": _characters,
    "sum": _sum,
    "days": _days,
    "digits": _digits,
}


def decoded(frame: pl.DataFrame) -> Rows:
    """Bytes as text. Rows with bytes that are no UTF-8, or with NUL, stand apart, their values joined by tabs. Of
    texts it is known that there are none."""
    places = pl.int_range(frame.height, dtype=pl.Int64, eager=True)
    if all(kind == pl.String for kind in frame.dtypes):
        return Rows(frame.height, frame, places)
    broken: dict[int, str] = {}
    try:
        texts = frame.cast(pl.String)
        hit = pl.any_horizontal(pl.all().str.contains("\0", literal=True))
        broken = dict.fromkeys(texts.select(hit).to_series().arg_true(), "nul_byte")
        if not broken:
            return Rows(frame.height, texts, places)
    except pl.exceptions.ComputeError:
        for series in frame:
            for place, value in enumerate(series):
                if value is not None and not _is_text(value):
                    broken[place] = "undecodable"
    sound = pl.Series([n not in broken for n in range(frame.height)], dtype=pl.Boolean)
    bad = tuple((n, broken[n], b"\t".join(value or b"" for value in frame.row(n))) for n in sorted(broken))
    rest = decoded(frame.filter(sound))
    kept = places.filter(sound)
    more = tuple((int(kept[n]), rule, raw) for n, rule, raw in rest.bad)
    return Rows(frame.height, rest.good, kept.gather(rest.places), tuple(sorted(bad + more)))


def _is_text(value: bytes) -> bool:
    try:
        str(value, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def framed(
    fetch: Callable[[], Sequence[Sequence[bytes | None]]], names: tuple[str, ...]
) -> Iterator[pl.DataFrame]:
    """A driver's rows of bytes, some at a time until there are none, as frames."""
    while some := fetch():
        values = zip(*some, strict=True)
        yield pl.DataFrame([pl.Series(n, list(v), dtype=pl.Binary) for n, v in zip(names, values, strict=True)])
