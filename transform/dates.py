"""Days and times as systems write them.

The day first, as in English (`05/01/2024`, `5-1-2024`, `05.01.2024`), or the year first (`2024-01-05`,
`20240105`), or the month by its name, in English, Welsh and the other languages of `project/months.py`
(`3 o Fai 2024`, `5. März 2024`). Behind it a time of day, a half of the day, fractions of a second, an
offset from UTC. A value with an offset is the day and the time that a clock of the system's own zone showed.
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from casebridge.project.date_formats import format_pattern
from casebridge.project.months import MONTH_NAMES, ORDINALS, OTHER_ORDINALS
from casebridge.transform.distinct import among_failed, of_distinct

OPEN_ENDS = (
    dt.date(2079, 6, 6),
    dt.date(2300, 1, 1),
    dt.date(4712, 12, 31),
    dt.date(9999, 12, 31),
)
"""Days that mean "not ended": the highest dates of SQL Server smalldatetime, of Oracle and of others."""

HOME = "Europe/London"

_MONTH = f"[A-Z]{{3,{max(map(len, MONTH_NAMES))}}}"
_BEHIND = f"(?:{ORDINALS}|{OTHER_ORDINALS}|[ºª])?"
"""Behind the figures of a day."""
_DAYS = (
    r"^(?<d>[0-9]{1,2})(?<one>[-/.])(?<m>[0-9]{1,2})(?<two>[-/.])(?<y>[0-9]{4}|[0-9]{2})$",
    rf"^(?<d>[0-9]{{1,2}}){_BEHIND}(?<one>[-/. ])(?<m>{_MONTH})(?<two>[-/. ])(?<y>[0-9]{{4}}|[0-9]{{2}})$",
    rf"^(?<d>[0-9]{{1,2}})(?:{_BEHIND}|\.) (?:(?:O|DE|DI) )?(?<m>{_MONTH}) (?:DE )?(?<y>[0-9]{{4}})$",
    r"^(?<y>[0-9]{4})(?<one>[-/.])(?<m>[0-9]{1,2})(?<two>[-/.])(?<d>[0-9]{1,2})$",
    r"^(?<y>[0-9]{4})(?<m>[0-9]{2})(?<d>[0-9]{2})$",
    rf"^(?<m>{_MONTH}) +(?<d>[0-9]{{1,2}}){_BEHIND},? +(?<y>[0-9]{{4}})$",
    rf"^(?<d>[0-9]{{2}})(?<m>{_MONTH})(?<y>[0-9]{{4}})$",
)
_ZONE = r"(?: ?(?<z>Z|UTC|GMT|BST|[-+][0-9]{2}(?::?[0-9]{2})?)(?:\[[A-Z_/+-]+\])?)?"
"""An offset; behind it the name of a zone may stand, as Java writes it: it says no more than the offset does."""
_CLOCK = (
    r"^(?<h>[0-9]{1,2})[:.](?<min>[0-9]{2})(?:[:.](?<s>[0-9]{2})(?:[.,:](?<f>[0-9]{1,9}))?)?"
    rf"(?: ?(?<p>[AP]\.?M\.?))?{_ZONE}$"
)
_PACKED = rf"^(?<h>[0-9]{{2}})(?<min>[0-9]{{2}})(?:(?<s>[0-9]{{2}})(?:\.(?<f>[0-9]{{1,9}}))?)?{_ZONE}$"
_PARTS = (
    r"^(.*[0-9])(?:T| +)([0-9]{1,2}[:.][0-9]{2}(?:[^0-9].*)?)$",
    r"^([0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4})(?:T| +)([0-9]{4}(?:[0-9]{2})?(?:[^0-9].*)?)$",
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})-([0-9]{2}\.[0-9]{2}\.[0-9]{2}(?:[^0-9].*)?)$",
    r"^([0-9]{8})T?([0-9]{4}(?:[0-9]{2}.*|[^0-9].*)?)$",
)
_OFFSETS = {"Z": "+0000", "UTC": "+0000", "GMT": "+0000", "BST": "+0100"}
_FARTHEST = 14 * 60
"""No clock is farther from UTC than this, in minutes. Source: the IANA time zone database (Line Islands)."""
_YEAR_OR_DAY_FIRST = r"^(?:0?[1-9]|[12][0-9]|3[01])-(?:0?[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?:[T ].*)?$"


def parse_date(value: pl.Expr, century_pivot: int, zone: str = HOME, form: str | None = None) -> pl.Expr:
    """Text to a date; null where no such day exists. A time of day behind it never costs the day.

    zone: an IANA name; a value with an offset is the day it was there. form: the one format of the column, as
    `format_pattern` knows it. A two-digit year yy means 20yy when yy <= `century_pivot`, else 19yy.
    """
    return of_distinct(value, lambda t: read(t, century_pivot, zone, form).get_column("day"), pl.Date())


def parse_timestamp(value: pl.Expr, century_pivot: int, zone: str = HOME, form: str | None = None) -> pl.Expr:
    """Text to a timestamp (microseconds, no zone): the date as in `parse_date`, and its time if any, rounded where
    it is finer. Null where there is no such time."""
    return of_distinct(value, lambda t: read(t, century_pivot, zone, form).get_column("moment"), pl.Datetime("us"))


def close_open_end(value: pl.Expr) -> pl.Expr:
    """A date that only means "not ended" becomes null."""
    return pl.when(value.cast(pl.Date).is_in(OPEN_ENDS)).then(None).otherwise(value)


def is_not_ambiguous(value: pl.Expr, text: pl.Expr) -> pl.Expr:
    """False where a text was not read because it may begin with its year or with its day (`05-01-24`)."""
    return among_failed(value, text, lambda texts: ~texts.str.contains(_YEAR_OR_DAY_FIRST))


def has_a_time_of_day(value: pl.Expr, text: pl.Expr, form: str | None) -> pl.Expr:
    """False where a text was not read only because there is no such time of day."""
    return among_failed(value, text, lambda texts: read(texts, 0, HOME, form).get_column("day").is_null())


def is_no_finer(text: pl.Expr) -> pl.Expr:
    """False where a time of day has more than six decimals of a second that are not all zeros: it is rounded."""
    return ~text.str.contains(r"[.,:][0-9]{6}[0-9]*[1-9]")


def read(texts: pl.Series, pivot: int, zone: str, form: str | None) -> pl.DataFrame:
    """`day` and `moment` of each text."""
    pattern = format_pattern(form) if form else None
    frame = pl.DataFrame({"t": _plain(texts.str.to_uppercase())})
    if pattern and "(?<h>" in pattern:
        groups = frame.select(pl.col("t").str.extract_groups(pattern).struct.unnest())
        return _made(groups, pl.lit(value=False), pivot, zone)
    text = pl.col("t")
    for column, number in (("day", 1), ("clock", 2)):
        parts = [text.str.extract(pattern, number) for pattern in _PARTS]
        frame = frame.with_columns(pl.coalesce(*parts, *([text] if column == "day" else [])).alias(column))
    groups = _days(frame.get_column("day"), pattern)
    if frame.get_column("clock").null_count() == frame.height:
        return _made(groups, pl.lit(value=False), pivot, zone)
    groups = groups.with_columns(clock=frame.get_column("clock"))
    clock = pl.col("clock")
    times = [clock.str.extract_groups(pattern).struct.unnest() for pattern in (_CLOCK, _PACKED)]
    one, two = (groups.select(time) for time in times)
    for name in one.columns:
        other = two.get_column(name) if name in two.columns else pl.Series(name, [None], dtype=pl.String)
        groups = groups.with_columns(pl.coalesce(one.get_column(name), other).alias(name))
    return _made(groups, clock.is_not_null() & pl.col("h").is_null(), pivot, zone)


def _plain(texts: pl.Series) -> pl.Series:
    """Without accents: AOÛT is AOUT."""
    if texts.str.contains(r"^[\x00-\x7F]*$").all():
        return texts
    return texts.str.normalize("NFD").str.replace_all(r"\p{Mn}", "")


def _days(texts: pl.Series, pattern: str | None) -> pl.DataFrame:
    """y, m, d as texts; null where it is no date."""
    frame = pl.DataFrame({"t": texts})
    if pattern:
        return frame.select(pl.col("t").str.extract_groups(pattern).struct.unnest()).select(*"ymd")
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, texts.len())
    found = pl.DataFrame(dict.fromkeys("ymd", nothing))
    for one in _DAYS:
        if found.get_column("y").null_count() == texts.null_count():
            break
        groups = frame.select(pl.col("t").str.extract_groups(one).struct.unnest())
        same = pl.col("one") == pl.col("two") if "one" in groups.columns else pl.lit(value=True)
        known = [(name, found.get_column(name)) for name in "ymd"]
        found = groups.select(
            pl.coalesce(before, pl.when(same).then(pl.col(name))).alias(name) for name, before in known
        )
    doubtful = texts.str.contains(_YEAR_OR_DAY_FIRST)
    return found.select(pl.when(~doubtful).then(pl.col(name)).alias(name) for name in "ymd")


def _made(groups: pl.DataFrame, unreadable: pl.Expr, pivot: int, zone: str) -> pl.DataFrame:
    short = pl.col("y").cast(pl.Int32, strict=False)
    century = pl.when(short <= pivot).then(2000).otherwise(1900)
    year = pl.when(pl.col("y").str.len_chars() == 2).then(short + century).otherwise(short)
    named = pl.col("m").replace_strict(MONTH_NAMES, default=None, return_dtype=pl.Int32)
    month = pl.coalesce(pl.col("m").cast(pl.Int32, strict=False), named)
    written = pl.concat_str(
        year.cast(pl.String).str.zfill(4),
        month.cast(pl.String).str.zfill(2),
        pl.col("d").str.zfill(2),
        separator="-",
    )
    # There was no year 0, and no database takes it.
    day = pl.when(~unreadable & (year > 0)).then(written.str.to_date("%Y-%m-%d", strict=False))
    midnight = pl.col("day").cast(pl.Datetime("us"))
    if "h" not in groups.columns:
        return groups.select(day=day).with_columns(moment=midnight)
    missing = [name for name in ("min", "s", "f", "p", "z") if name not in groups.columns]
    frame = groups.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in missing)
    frame = frame.with_columns(day=day)
    frame = frame.with_columns(moment=midnight + _time())
    offset = pl.col("z").replace(_OFFSETS).str.replace(":", "", literal=True).str.pad_end(5, "0")
    minutes = offset.str.slice(1, 2).cast(pl.Int64) * 60 + offset.str.slice(3, 2).cast(pl.Int64)
    real = (minutes <= _FARTHEST) & (offset.str.slice(3, 2).cast(pl.Int64) < 60)
    east = pl.when(offset.str.starts_with("-")).then(-minutes).otherwise(minutes)
    there = (pl.col("moment") - pl.duration(minutes=east)).dt.replace_time_zone("UTC")
    shown = there.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    home = pl.when(real & shown.dt.year().is_between(1, 9999)).then(shown)
    away = pl.col("z").is_not_null()
    # Where there is no such time or offset, the day that was written stands.
    return frame.select(
        pl.when(away).then(pl.coalesce(home.dt.date(), "day")).otherwise(pl.col("day")).alias("day"),
        pl.when(away).then(home).otherwise(pl.col("moment")).alias("moment"),
    )


def _time() -> pl.Expr:
    """The time of day as a duration: none is midnight, one that cannot be is null."""
    hour, minute, second = (pl.col(name).cast(pl.Int64, strict=False) for name in ("h", "min", "s"))
    half = pl.col("p").str.slice(0, 1)
    twelve = pl.when((hour >= 1) & (hour <= 12)).then(hour % 12 + pl.when(half == "P").then(12).otherwise(0))
    hour = pl.when(half.is_not_null()).then(twelve).otherwise(hour)
    nanoseconds = pl.col("f").str.pad_end(9, "0").cast(pl.Int64, strict=False).fill_null(0)
    # Half a microsecond is one, as databases round; but no fraction makes it the next second, or the next day.
    micros = ((nanoseconds + 500) // 1000).clip(upper_bound=999_999)
    parts = pl.duration(hours=hour, minutes=minute, seconds=second.fill_null(0), microseconds=micros)
    right = (hour < 24) & (minute < 60) & (second.fill_null(0) < 60)
    return pl.when(pl.col("h").is_null()).then(pl.duration(hours=0)).when(right).then(parts)
