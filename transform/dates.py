"""Dates as a 1990s system wrote them, in every format it knew."""

from __future__ import annotations

import datetime as dt

import polars as pl

OPEN_ENDS = (
    dt.date(2079, 6, 6),
    dt.date(2300, 1, 1),
    dt.date(4712, 12, 31),
    dt.date(9999, 12, 31),
)
"""Days that mean "not ended": the highest dates of SQL Server smalldatetime, of Oracle and of others."""

_SLASHED = r"^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}$"
_NAMED = r"^[0-9]{1,2}-[A-Za-z]{3}-[0-9]{4}$"
_PLAIN = r"^[0-9]{8}$"
_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_SHORT = r"^([0-9]{1,2}[/-](?:[0-9]{1,2}|[A-Za-z]{3})[/-])([0-9]{2})$"
_CLOCK = r"[ T]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(\.0+)?$"


def parse_date(value: pl.Expr, century_pivot: int) -> pl.Expr:
    """Text to a date; null where no such day exists. A time of day at the end is left out.

    Formats: dd/mm/yyyy, dd-MON-yyyy, yyyymmdd, yyyy-mm-dd, and the first two with two-digit years:
    yy means 20yy when yy <= `century_pivot`, else 19yy.
    """
    day = _four_digit_year(value.str.replace(_CLOCK, ""), century_pivot)
    return pl.coalesce(
        _where(day, _SLASHED, "%d/%m/%Y"),
        _where(day, _NAMED, "%d-%b-%Y"),
        _where(day, _PLAIN, "%Y%m%d"),
        _where(day, _ISO, "%Y-%m-%d"),
    )


def parse_timestamp(value: pl.Expr, century_pivot: int) -> pl.Expr:
    """Text to a timestamp (microseconds, no zone): the date as in `parse_date`, and its time if any."""
    clock = value.str.extract(_CLOCK, 1)
    seconds = value.str.extract(_CLOCK, 2).fill_null(":00")
    time = (clock + seconds).str.to_time("%H:%M:%S", strict=False)
    day = parse_date(value, century_pivot)
    bad_time = clock.is_not_null() & time.is_null()
    moment = day.cast(pl.Datetime("us")) + pl.coalesce(time, pl.lit(dt.time(0))).cast(pl.Duration("us"))
    return pl.when(bad_time).then(None).otherwise(moment)


def close_open_end(value: pl.Expr) -> pl.Expr:
    """A date that only means "not ended" becomes null."""
    return pl.when(value.cast(pl.Date).is_in(OPEN_ENDS)).then(None).otherwise(value)


def _four_digit_year(day: pl.Expr, pivot: int) -> pl.Expr:
    year = day.str.extract(_SHORT, 2).cast(pl.Int64, strict=False)
    century = pl.when(year <= pivot).then(pl.lit("20")).otherwise(pl.lit("19"))
    long = day.str.extract(_SHORT, 1) + century + day.str.extract(_SHORT, 2)
    return pl.coalesce(long, day)


def _where(day: pl.Expr, pattern: str, form: str) -> pl.Expr:
    matching = pl.when(day.str.contains(pattern)).then(day)
    found = matching.str.to_date(form, strict=False)
    # There was no year 0, and no database takes it.
    return pl.when(found.dt.year() > 0).then(found)
