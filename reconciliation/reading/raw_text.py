"""The auditor's own reading of raw source text: money, days, flags, codes.

Written apart from the transform stage on purpose and kept plain: two readers that agree prove more
than one reader asked twice. What this page cannot read it says so (null), it never guesses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import polars as pl

from casebridge.project.spec import ColumnSpec, Step

_MONTHS = {
    name: f"{number:02d}"
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), start=1
    )
}
_DAY_FIRST = r"^([0-9]{1,2})[/-]([0-9]{1,2}|[A-Za-z]{3})[/-]([0-9]{2}|[0-9]{4})(?:[ T][0-9:.]+)?$"
_YEAR_FIRST = r"^([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:[ T][0-9:.]+)?$"
_MONEY = r"^[-+]?£?[-+]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]*)?-?$"


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
    return pl.when(stripped != "").then(stripped)


def bare_text(text: str) -> str:
    """The same of one text."""
    return re.sub(_ENDS, "", text)


def _single_spaced(text: pl.Expr) -> pl.Expr:
    """One blank where there was a run of them; what has no width goes with it."""
    spaced = text.str.replace_all(f"[{_THIN}]*[{_WIDE}][{_WIDE}{_THIN}]*", " ")
    return bare(spaced.str.replace_all(f"[{_THIN}]", ""))


def minor_units(text: pl.Expr, scale: int = 2) -> pl.Expr:
    """An amount as a whole number of its smallest unit (pence), so that sums are exact.

    `£1,234.50` is 123450, `12.50-` is -1250; null for what is no amount or is finer than the unit.
    """
    amount = bare(text)
    digits = amount.str.replace_all(",", "", literal=True)
    whole = digits.str.extract(r"([0-9]+)", 1).cast(pl.Int64, strict=False)
    places = digits.str.extract(r"\.([0-9]*)", 1).fill_null("").str.strip_chars_end("0")
    part = places.str.pad_end(scale, "0") + pl.lit("" if scale else "0")
    units = whole * 10**scale + part.cast(pl.Int64, strict=False)
    signed = pl.when(amount.str.contains("-", literal=True)).then(-units).otherwise(units)
    return pl.when(amount.str.contains(_MONEY) & (places.str.len_chars() <= scale)).then(signed)


def day(text: pl.Expr, pivot: int) -> pl.Expr:
    """A date in any of the dump's formats; null where there is no such day. A two-digit year up to
    `pivot` is of this century."""
    value = bare(text).str.to_uppercase()
    year, month = value.str.extract(_DAY_FIRST, 3), value.str.extract(_DAY_FIRST, 2)
    century = pl.when(year.cast(pl.Int32, strict=False) <= pivot).then(pl.lit("20"))
    long_year = pl.when(year.str.len_chars() == 2).then(century.otherwise(pl.lit("19")) + year).otherwise(year)
    number = month.replace(_MONTHS).str.zfill(2)
    day_first = long_year + "-" + number + "-" + value.str.extract(_DAY_FIRST, 1).str.zfill(2)
    parts = [value.str.extract(_YEAR_FIRST, n) for n in (1, 2, 3)]
    year_first = parts[0] + "-" + parts[1] + "-" + parts[2]
    return pl.coalesce(day_first, year_first).str.to_date("%Y-%m-%d", strict=False)


def restricted(text: pl.Expr) -> pl.Expr:
    """Whether a record is under restriction. Anything but a blank or a plain no counts: an unreadable
    restriction must not become an open record."""
    return ~bare(text).str.to_uppercase().is_in(["N", "NO", "F", "FALSE", "0"]).fill_null(True)


def as_mapped(column: ColumnSpec) -> pl.Expr | None:
    """A column's text by its spec's simple steps; None when a step is not one of those read here."""
    if column.value is not None:
        return pl.lit(column.value)
    if any(step.name not in _STEPS and step.name not in _NEUTRAL for step in column.steps):
        return None
    parts = [bare(pl.col(name)) for name in column.sources]
    if len(parts) == 1 or any(step.name == "first_of" for step in column.steps):
        text = pl.coalesce(parts)
    elif column.references:
        text = pl.concat_str([part.fill_null("") for part in parts], separator="|")
    else:
        text = pl.concat_str(parts, separator=" ", ignore_nulls=True)
    for step in column.steps:
        text = _apply(step, text)
    return text


def _apply(step: Step, text: pl.Expr) -> pl.Expr:
    return _STEPS[step.name](text, step.argument) if step.name in _STEPS else text


_NEUTRAL = frozenset({"first_of", "end_date"})
_STEPS: Mapping[str, Callable[[pl.Expr, str], pl.Expr]] = {
    "upper": lambda text, _: text.str.to_uppercase(),
    "lower": lambda text, _: text.str.to_lowercase(),
    "collapse_spaces": lambda text, _: _single_spaced(text),
    "strip_zeros": lambda text, _: text.str.replace(r"^0+(.)", "$1"),
    "zero_pad": lambda text, width: text.str.zfill(int(width)),
    "prefix": lambda text, front: pl.lit(front) + text,
    "digits": lambda text, _: bare(text.str.replace_all(r"[^0-9]", "")),
}
