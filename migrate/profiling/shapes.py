"""What values look like: each letter is A or a, each digit 9, all else is itself. A pattern is nobody's value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from casebridge.transform.dates import HOME, read

LONGEST_PATTERN = 32
"""Characters of a value that its pattern shows; what is longer ends with MORE."""
MORE = "…"
_INSIDE = "\x01"


def _translation() -> bytes:
    table = bytearray(range(256))
    for code in range(256):
        if chr(code).isascii() and chr(code).isalpha():
            table[code] = ord("A") if chr(code).isupper() else ord("a")
        elif chr(code).isascii() and chr(code).isdigit():
            table[code] = ord("9")
        elif code < 0x20 or code == 0x7F:
            table[code] = ord(" ")
        elif code >= 0x80:  # a letter beyond ASCII is one `a`, whatever bytes it has
            table[code] = ord("a") if code >= 0xC0 else ord(_INSIDE)
    return bytes(table)


_TABLE = _translation()


def patterns(values: pl.Series) -> pl.Series:
    """The pattern of each text."""
    long = values.str.len_bytes() > LONGEST_PATTERN
    short = values.str.head(LONGEST_PATTERN) if long.any() else values
    array = short.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    array = array.cast(pa.large_string())
    _, places, data = array.buffers()
    if data is None:
        return values
    text = data.to_pybytes()
    made = pa.LargeStringArray.from_buffers(len(array), places, pa.py_buffer(text.translate(_TABLE)))
    found = pl.Series(values.name, made)
    if not text.isascii():
        found = found.str.replace_all(_INSIDE, "", literal=True)
    return found.scatter(long.arg_true(), found.filter(long) + MORE) if long.any() else found


_DATE = r"(?:9{1,2}[-/. ]9{1,2}[-/. ](?:99|9999)|9999[-/.]99?[-/.]99?)"
_NAMED = (
    r"(?:9{1,2}[Aa]{0,4}[-/. ]{0,2}(?:[Aa]{1,2} )?[Aa]{3,12}[-/. ]?(?:[Aa]{2} )?(?:99|9999)"
    r"|[Aa]{3,12} +9{1,2}[Aa]{0,4},? +9999)"
)
_CLOCK = r"(?:[T :]9{1,2}[:.]99(?:[:.]99(?:[.,:]9+)?)?(?: ?[Aa]{2}|[Aa])?(?:[+-]99(?::?99)?)?)?"
NAMED = "named"
"""A day, if the word in it is a month: only its values tell (`Days.take_named`)."""
KINDS: Mapping[str, str] = {
    "integer": r"^[-+]?9{1,18}$",
    "decimal": r"^[-+(]?£? ?(?:9{1,3}(?:,999)+|9*)(?:\.9+)\)?-?$|^[-+(]?£? ?9{1,3}(?:,999)+\)?-?$",
    "date": rf"^{_DATE}{_CLOCK}$",
    NAMED: rf"^{_NAMED}{_CLOCK}$",
    "time": r"^99?:99(?::99(?:\.9+)?)?$",
}
"""What a pattern can be the pattern of, first come first taken; all else is text."""
TEXT = "text"


def _kind() -> pl.Expr:
    made = pl.lit(TEXT)
    for name, regex in reversed([*KINDS.items()]):
        made = pl.when(pl.col("p").str.contains(regex)).then(pl.lit(name)).otherwise(made)
    return made.alias("kind")


KIND = _kind()
"""The kind of each pattern in a column `p`."""


@dataclass
class Days:
    """What is known of a column's dates: years, whether day or month comes first, clocks that are not midnight."""

    years: Counter[int] = field(default_factory=Counter)
    first: int = 0
    second: int = 0
    year_first: int = 0
    named_months: int = 0
    short_years: int = 0
    clocks: int = 0

    def take(self, values: pl.Series, counts: pl.Series, pivot: int) -> None:
        """Count dates, each value with how often it came. A short year up to `pivot` is 20yy."""
        groups = values.str.extract_groups(_PARTS).struct.unnest()
        frame = groups.with_columns(counts.alias("n"), values.alias("v"))
        frame = frame.with_columns(
            y=pl.coalesce("y1", "y2").cast(pl.Int32, strict=False),
            short=pl.coalesce("y1", "y2").str.len_bytes() == 2,
        )
        year = pl.when("short").then(pl.col("y") + pl.when(pl.col("y") <= pivot).then(2000).otherwise(1900))
        frame = frame.with_columns(y=year.otherwise(pl.col("y")))
        for at, rows in frame.drop_nulls("y").group_by("y").agg(pl.col("n").sum()).iter_rows():
            self.years[int(at)] += int(rows)
        numbers = frame.select(pl.col("a", "b").cast(pl.Int32, strict=False).max().fill_null(0)).row(0)
        self.first, self.second = max(self.first, numbers[0]), max(self.second, numbers[1])
        said = frame.select(
            pl.col("n").filter(pl.col("y1").is_not_null()).sum().alias("first"),
            pl.col("n").filter(pl.col("short")).sum().alias("short"),
            pl.col("n").filter(pl.col("v").str.contains(_CLOCK_RUNS)).sum().alias("clock"),
        ).row(0)
        self.year_first += int(said[0] or 0)
        self.short_years += int(said[1] or 0)
        self.clocks += int(said[2] or 0)

    def take_named(self, values: pl.Series, counts: pl.Series, pivot: int) -> int:
        """Count what is a day with its month by name, as specs read it. How many rows hold one."""
        made = read(values, pivot, HOME, None).with_columns(counts.alias("n"), values.alias("v"))
        made = made.filter(pl.col("day").is_not_null())
        for at, rows in made.group_by(pl.col("day").dt.year()).agg(pl.col("n").sum()).iter_rows():
            self.years[int(at)] += int(rows)
        rows = int(made["n"].sum())
        self.named_months += rows
        self.short_years += int(made.filter(~pl.col("v").str.contains("[0-9]{4}"))["n"].sum())
        midnight = pl.col("moment").is_null() | (pl.col("moment") == pl.col("day").cast(pl.Datetime("us")))
        self.clocks += int(made.filter(~midnight)["n"].sum())
        return rows

    @property
    def order(self) -> str:
        """`ymd`, `dmy`, `mdy`, `dmony`; `d?y` where no date tells whether the day or the month comes first."""
        total = self.years.total()
        if self.year_first * 2 > total:
            return "ymd"
        if self.named_months * 2 > total:
            return "dmony"
        if self.first > 12:
            return "dmy"
        return "mdy" if self.second > 12 else "d?y"


_PARTS = (
    r"^(?:(?<y1>[0-9]{4})[-/.][0-9]{1,2}[-/.][0-9]{1,2}"
    r"|(?<a>[0-9]{1,2})[-/. ](?<b>[0-9]{1,2})[-/. ](?<y2>[0-9]{4}|[0-9]{2}))"
)
_CLOCK_RUNS = r"[0-9][T :].*[1-9].*:|:.*[1-9]"
"""A time of day that is not midnight."""
SHORT_DATE = r"^9{1,2}[-/. ]9{1,2}[-/. ]99(?:[^9]|$)"
"""The pattern of a day with a short year, and of other figures with points between them."""
_DAY, _MONTH = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])"
A_SHORT_DAY = rf"^(?:{_DAY}[-/. ]{_MONTH}|{_MONTH}[-/. ]{_DAY}|00[-/. ]00)[-/. ]"
"""One that there may be, or that stands for none: 30.0.00 is a program's version."""
LIST = r"^[-+(]?£? ?0[0-9]{0,2},"
"""Figures with commas that are no thousands, for nobody writes 001,002: a list."""
EIGHT = "99999999"
LIKE_A_DAY = r"^(?:18|19|20|21)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])$"
"""A day written as yyyymmdd."""
