"""The auditor's own reading of raw source text: money, days, flags, codes.

Written apart from the transform stage on purpose and kept plain: two readers that agree prove more
than one reader asked twice. What this page cannot read it says so (null), it never guesses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, InvalidOperation

import polars as pl

from casebridge.project.contracts import CELL_FAULT
from casebridge.project.keys import joined_reference
from casebridge.project.spec import ColumnSpec, Step

_MONTHS = {
    name: f"{number:02d}"
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), start=1
    )
}
_DAY_FIRST = (
    r"^([0-9]{1,2})(?:ST|ND|RD|TH)?([-/. ])([0-9]{1,2}|[A-Z]{3,9})([-/. ])([0-9]{4}|[0-9]{2})"
    r"(?: +[0-9].*|T[0-9].*)?$"
)
_MONTH_FIRST = r"^([A-Z]{3,9}) +([0-9]{1,2})(?:ST|ND|RD|TH)?,? +([0-9]{4})"
_RUN_TOGETHER = r"^([0-9]{2})([A-Z]{3,9})([0-9]{4})"
_YEAR_FIRST = r"^([0-9]{4})([-/.]?)([0-9]{1,2})([-/.]?)([0-9]{1,2})(?:[ T]+[0-9].*|[0-9]{4}.*|-[0-9]{2}[.].*)?$"
_AMOUNT = r"^(?:[-+\u2212]? ?£? ?|£ ?[-+\u2212] ?)N$|^£? ?N ?[-\u2212]$|^[(] ?£? ?N ?[)]$".replace(
    "N", r"(?:(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9]+)(?:[.][0-9]*)?|[.][0-9]+)(?:[Ee][-+]?[0-9]{1,2})?"
)
_EXACT, _BEYOND = Context(prec=60), 10**38
"""Python's own context rounds to 28 digits. Units of a kind are added up as whole numbers of 128 bits."""
_SOURCE = "source"
_WIDE = "\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_THIN = (
    "\x00-\x08\x0e-\x1b\x7f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb"
)
_ENDS = f"^[{_WIDE}{_THIN}]+|[{_WIDE}{_THIN}]+$"


def bare(text: pl.Expr) -> pl.Expr:
    """Without what nobody sees at either end: spaces of any width, tabs, marks; nothing left is null."""
    written = text.cast(pl.String)
    plain = ~written.str.contains(r"^[^!-~]|[^!-~]$")
    stripped = pl.when(plain).then(written).otherwise(written.str.replace_all(_ENDS, ""))
    # A cell of a workbook that shows an error is no value.
    return pl.when((stripped != "") & ~stripped.str.starts_with(CELL_FAULT)).then(stripped)


def bare_text(text: str) -> str:
    """The same of one text."""
    return re.sub(_ENDS, "", text)


def _single_spaced(text: pl.Expr) -> pl.Expr:
    """One blank where there was a run of them; what has no width goes with it."""
    spaced = text.str.replace_all(f"[{_THIN}]*[{_WIDE}][{_WIDE}{_THIN}]*", " ")
    return bare(spaced.str.replace_all(f"[{_THIN}]", ""))


def condition_columns(where: str, given: Iterable[str]) -> set[str]:
    """The columns, among those given, that a condition is about. `source.X` may be any of them."""
    columns, named = set(given), set(pl.sql_expr(where).meta.root_names())
    return columns if _SOURCE in named - columns else named & columns


def passes(frame: pl.DataFrame, where: str) -> pl.Series:
    """For each row whether a spec's condition holds; one that cannot say does not."""
    columns = [name for name in frame.columns if not name.startswith("_") or name in where]
    bared = frame.with_columns(bare(pl.col(name)).alias(name) for name in condition_columns(where, columns))
    if _SOURCE not in bared.columns:
        bared = bared.with_columns(pl.struct(pl.all()).alias(_SOURCE))
    asked = bared.with_columns(pl.sql_expr(where).cast(pl.Boolean).fill_null(False).alias("_asked"))
    return asked.get_column("_asked")


def says(columns: Iterable[ColumnSpec]) -> pl.Expr:
    """Whether any of these columns' source texts says something, be it an error that a cell shows."""
    asked = []
    for column in columns:
        for name in column.written:
            text = bare(pl.col(name))
            asked.append((text.is_not_null() & ~text.is_in(column.null)) if column.null else text.is_not_null())
            asked.append(pl.col(name).cast(pl.String).str.starts_with(CELL_FAULT))
    return pl.any_horizontal([one.fill_null(value=False) for one in asked])


def legacy_key(columns: Sequence[str], part: str = "") -> pl.Expr:
    """The key that a row has in the old system; null when all its parts are empty."""
    key = joined_reference([bare(pl.col(name)) for name in columns])
    return key + f"#{part}" if part else key


def minor_units(texts: pl.Series, scale: int = 2, rounding: str | None = None) -> pl.Series:
    """Amounts as whole numbers of their smallest unit (pence), so that sums are exact.

    `£1,234.50` is 123450, `12.50-` and `(12.50)` are -1250; null for what is no amount, has more than 38 digits,
    or is finer than the unit where the spec does not round.
    """
    return _each_once(texts, lambda distinct: _amounts(distinct, scale, rounding))


def _each_once(texts: pl.Series, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """What `read` makes of each text. Texts that are the same are read once: a column repeats itself."""
    distinct = texts.unique()
    found = pl.DataFrame({"text": distinct, "read": read(distinct)})
    rows = texts.alias("text").to_frame()
    return rows.join(found, on="text", how="left", nulls_equal=True, maintain_order="left").get_column("read")


def _amounts(texts: pl.Series, scale: int, rounding: str | None) -> pl.Series:
    """Step by step: one expression of all of it takes longer to plan than to do."""
    amount, digits, places = pl.col("amount"), pl.col("digits"), pl.col("places")
    steps = texts.to_frame("text").select(bare(pl.col("text")).alias("amount"))
    steps = steps.with_columns(amount.str.replace_all("[,£ ()\u2212-]", "").alias("digits"))
    steps = steps.with_columns(
        digits.str.extract(r"^[+]?([0-9]+)", 1).fill_null("0").cast(pl.Int128, strict=False).alias("whole"),
        digits.str.extract(r"[.]([0-9]*)", 1).fill_null("").str.strip_chars_end("0").alias("places"),
        amount.str.contains("^£? ?[-\u2212(]|[-\u2212]$").alias("minus"),
    )
    part = (places.str.pad_end(scale, "0") + pl.lit("" if scale else "0")).cast(pl.Int128, strict=False)
    steps = steps.with_columns(
        pl.when(pl.col("whole") < _BEYOND // 10**scale).then(pl.col("whole") * 10**scale + part).alias("units"),
        (amount.str.contains("[eE]") | (places.str.len_chars() > scale)).alias("odd"),
    )
    odd = steps.select(pl.when(pl.col("odd") & amount.str.contains(_AMOUNT)).then(amount)).to_series()
    by_hand = _by_hand(odd, scale, rounding)
    signed = pl.when("minus").then(0 - pl.col("units")).otherwise("units")
    read = pl.when(amount.str.contains(_AMOUNT)).then(pl.when("odd").then(by_hand).otherwise(signed))
    return steps.select(read).to_series()


def _by_hand(amounts: pl.Series, scale: int, rounding: str | None) -> pl.Series:
    """The few amounts with an exponent or too many decimals, one by one."""
    known = {amount: _units(amount, scale, rounding) for amount in amounts.drop_nulls().unique()}
    return pl.Series(amounts.name, [known.get(amount) for amount in amounts], dtype=pl.Int128)


def _units(amount: str, scale: int, rounding: str | None) -> int | None:
    minus = re.search("^£? ?[-\u2212(]|[-\u2212]$", amount) is not None
    try:
        units = Decimal(re.sub("^[^0-9.]+|[^0-9]+$|,", "", amount)).scaleb(scale, _EXACT)
    except InvalidOperation:
        return None
    ways = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, None: ROUND_HALF_UP}
    rounded = units.to_integral_value(ways[rounding])
    if rounding is None and rounded != units:
        return None
    if abs(rounded) >= _BEYOND:
        return None
    return -int(rounded) if minus else int(rounded)


def days(texts: pl.Series, pivot: int, zone: str = "Europe/London") -> pl.Series:
    """Dates in any of the dump's formats; null where there is no such day. A two-digit year up to
    `pivot` is of this century. With an offset from UTC it is the day on a clock in `zone`."""
    return _each_once(texts, lambda distinct: _days(distinct, pivot, zone))


def _days(texts: pl.Series, pivot: int, zone: str) -> pl.Series:
    value = pl.col("value")
    steps = texts.to_frame("text").select(bare(pl.col("text")).str.to_uppercase().alias("value"))
    steps = steps.with_columns(value.str.replace(_MONTH_FIRST, "$2 $1 $3").str.replace(_RUN_TOGETHER, "$1 $2 $3"))
    steps = steps.with_columns(
        *(value.str.extract(_DAY_FIRST, n).alias(name) for n, name in enumerate(_DAY_FIRST_PARTS, 1)),
        *(value.str.extract(_YEAR_FIRST, n).alias(name) for n, name in enumerate(_YEAR_FIRST_PARTS, 1)),
        value.str.extract(_DAY_FIRST, 5).cast(pl.Int32, strict=False).alias("year_number"),
        value.str.contains(_AWAY).alias("away"),
    )
    steps = steps.with_columns(pl.coalesce(_day_first(pivot), _year_first()).alias("text"))
    steps = steps.with_columns(pl.col("text").str.to_date("%Y-%m-%d", strict=False).alias("written"))
    at_home = _at_home(value, pl.col("written"), zone)
    return steps.select(pl.when("away").then(at_home).otherwise("written")).to_series()


_DAY_FIRST_PARTS = ("day", "one", "month", "two", "year")
_YEAR_FIRST_PARTS = ("long_year", "first", "month_after", "second", "day_after")


def _day_first(pivot: int) -> pl.Expr:
    """The text of a date that begins with its day, as yyyy-mm-dd."""
    year, month, number = pl.col("year"), pl.col("month"), pl.col("year_number")
    century = pl.when(number <= pivot).then(pl.lit("20")).otherwise(pl.lit("19"))
    is_short = year.str.len_chars() == 2
    long_year = pl.when(is_short).then(century + year).otherwise(year)
    named = month.str.slice(0, 3).replace_strict(_MONTHS, default=None)
    # Between dashes a short year may as well stand first: 05-01-24.
    either = is_short & (pl.col("one") == "-") & month.str.contains("^[0-9]") & number.is_between(1, 31)
    text = pl.concat_str(
        long_year, pl.coalesce(named, month).str.zfill(2), pl.col("day").str.zfill(2), separator="-"
    )
    return pl.when((pl.col("one") == pl.col("two")) & ~either).then(text)


def _year_first() -> pl.Expr:
    """The text of a date that begins with its year, as yyyy-mm-dd."""
    parts = (pl.col("long_year"), pl.col("month_after").str.zfill(2), pl.col("day_after").str.zfill(2))
    return pl.when(pl.col("first") == pl.col("second")).then(pl.concat_str(parts, separator="-"))


_OFFSET = r"(Z|UTC|GMT|BST|[-+][0-9]{2}(?::?[0-9]{2})?)(?:\[[A-Z_/+-]+\])?$"
_AWAY = r"[0-9] ?" + _OFFSET
_TIME = r"[0-9][ T]+([0-9]{1,2})[:.]?([0-9]{2}).*? ?" + _OFFSET


def _at_home(value: pl.Expr, written: pl.Expr, zone: str) -> pl.Expr:
    hours, minutes, away = (value.str.extract(_TIME, n) for n in (1, 2, 3))
    ahead = away.replace({"Z": "+00", "UTC": "+00", "GMT": "+00", "BST": "+01"}).str.replace(":", "", literal=True)
    ahead = ahead.str.pad_end(5, "0").str.replace(r"^(.)(..)(..)$", "$1$2:$3")
    moment = written.cast(pl.String) + "T" + hours.str.zfill(2) + ":" + minutes + ":00" + ahead
    known = moment.str.to_datetime("%Y-%m-%dT%H:%M:%S%:z", strict=False, time_unit="us")
    # Clocks differ by 14 hours at most; a day written beside a time that cannot be is still a day.
    far = ahead.str.slice(1, 2).cast(pl.Int32) * 60 + ahead.str.slice(4, 2).cast(pl.Int32)
    here = known.dt.convert_time_zone(zone).dt.date()
    sure = (far <= 14 * 60) & (ahead.str.slice(4, 2).cast(pl.Int32) < 60) & here.dt.year().is_between(1, 9999)
    return pl.when(sure).then(here).otherwise(written)


_PLAIN_NO = ("", "N", "NO", "F", "FALSE", "0")


def restricted(text: pl.Expr, is_open: Sequence[str] = _PLAIN_NO) -> pl.Expr:
    """Whether a record is under restriction. Anything but the values that mean it is not counts: an unreadable
    restriction must not become an open record. A cell that holds an error is unreadable."""
    said = bare(text).fill_null("").str.to_uppercase()
    return text.str.starts_with(CELL_FAULT).fill_null(False) | ~said.is_in([value.upper() for value in is_open])


def as_mapped(column: ColumnSpec) -> pl.Expr | None:
    """A column's text by its spec's simple steps; None when a step is not one of those read here."""
    if column.value is not None:
        return pl.lit(column.value)
    steps = [*column.steps, *(step for part in column.part_steps for step in part)]
    if column.expression is not None or any(s.name not in _STEPS and s.name not in _NEUTRAL for s in steps):
        return None
    parts = [bare(pl.col(name)) for name in column.sources]
    if column.null:
        parts = [pl.when(~part.is_in(column.null)).then(part) for part in parts]
    for number, own in enumerate(column.part_steps):
        for step in own:
            parts[number] = _apply(step, parts[number])
    if len(parts) == 1 or any(step.name == "first_of" for step in column.steps):
        text = pl.coalesce(parts)
    elif column.references:
        text = joined_reference(parts)
    else:
        text = _filled(pl.concat_str(parts, separator=" ", ignore_nulls=True))
    for step in column.steps:
        text = _apply(step, text)
    return text if column.default is None else text.fill_null(column.default)


def _replaced(text: pl.Expr, both: str) -> pl.Expr:
    old, _, new = both.partition("=>")
    return _filled(text.str.replace_all(old, new, literal=True))


def _cut_out(text: pl.Expr, part: str) -> pl.Expr:
    first, _, length = part.partition(";")
    return _filled(text.str.slice(int(first) - 1, int(length) if length else None))


def _filled(text: pl.Expr) -> pl.Expr:
    """Null where nothing is left; blanks that a step leaves stay."""
    return pl.when(text != "").then(text)


def _apply(step: Step, text: pl.Expr) -> pl.Expr:
    return _STEPS[step.name](text, step.argument) if step.name in _STEPS else text


_NEUTRAL = frozenset({"first_of", "end_date"})
_STEPS: Mapping[str, Callable[[pl.Expr, str], pl.Expr]] = {
    "upper": lambda text, _: text.str.to_uppercase(),
    "lower": lambda text, _: text.str.to_lowercase(),
    "collapse_spaces": lambda text, _: _single_spaced(text),
    "strip_zeros": lambda text, _: text.str.replace(r"^0+(.)", "$1"),
    "zero_pad": lambda text, width: text.str.pad_start(int(width), "0"),
    "prefix": lambda text, front: pl.lit(front) + text,
    "replace": _replaced,
    "substring": _cut_out,
    "digits": lambda text, _: bare(text.str.replace_all(r"[^0-9]", "")),
}
