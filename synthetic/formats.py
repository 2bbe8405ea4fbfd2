"""How the old system writes things down: dates in six fashions, blank-padded codes, money with pound signs.

Frames hold each CP1252 byte as the character of the same number (0x92, not U+2019), so that writing is a
plain Latin-1 encode. Text comes out of pools by index, which is what keeps millions of rows cheap.
"""

from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl

from casebridge.synthetic.codelists import CODE_LISTS, Code
from casebridge.synthetic.council import NEVER, day
from casebridge.synthetic.names import Ints
from casebridge.synthetic.verdicts import Mask

DMY, D_MON_YYYY, D_MON_YY, YMD, DMY_SHORT, DMY_MIDNIGHT = range(6)
OPEN_ENDS: Final = ("", "31/12/4712", "31/12/9999", "06/06/2079")
NEVER_WAS: Final = ("00/00/1950", "31/02/1960", "30/02/1999", "31/11/1987", "00/05/1972", "31/04/2003")
_FIRST: Final = day(1880)
_DAYS: Final = day(2031) - _FIRST
# A two-digit year up to 26 means 20yy: outside this century of years only four digits say what is meant.
_SHORT_FROM: Final = day(1927)
_SHORT_TO: Final = day(2026, 12, 31)
_BLANK: Final = 6 * _DAYS
_OPEN: Final = _BLANK
_NEVER_WAS: Final = _BLANK + len(OPEN_ENDS)
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

# Which fashion a table's dates follow, mostly; exports were glued together over the years.
ORACLE: Final = (0.02, 0.12, 0.83, 0.01, 0.01, 0.01)
SCREEN: Final = (0.80, 0.05, 0.05, 0.03, 0.04, 0.03)
BATCH: Final = (0.10, 0.02, 0.03, 0.80, 0.02, 0.03)


def _date_pool() -> pl.Series:
    every = [date(1970, 1, 1) + timedelta(days=_FIRST + n) for n in range(_DAYS)]
    stems = [(f"{d.day:02}", f"{d.month:02}", f"{d.year}", _MONTHS[d.month - 1]) for d in every]
    texts = [f"{d}/{m}/{y}" for d, m, y, _ in stems]
    texts += [f"{d}-{name}-{y}" for d, _, y, name in stems]
    texts += [f"{d}-{name}-{y[2:]}" for d, _, y, name in stems]
    texts += [f"{y}{m}{d}" for d, m, y, _ in stems]
    texts += [f"{d}/{m}/{y[2:]}" for d, m, y, _ in stems]
    texts += [f"{d}/{m}/{y} 00:00:00" for d, m, y, _ in stems]
    return pl.Series(texts + list(OPEN_ENDS) + list(NEVER_WAS))


class Dates:
    """Turns day numbers into text. NEVER is an empty field."""

    def __init__(self) -> None:
        self.pool = _date_pool()

    def index(self, rng: np.random.Generator, days: Ints, fashion: tuple[float, ...]) -> Ints:
        style = np.searchsorted(np.cumsum(fashion), rng.random(len(days)), side="right").clip(0, 5)
        short = (style == D_MON_YY) | (style == DMY_SHORT)
        style = np.where(short & ((days < _SHORT_FROM) | (days > _SHORT_TO)), DMY, style)
        at = style * _DAYS + (days - _FIRST)
        return np.where(days == NEVER, _BLANK, at).astype(np.int64)

    def open_ended(self, rng: np.random.Generator, days: Ints, fashion: tuple[float, ...]) -> Ints:
        """NEVER is an open end, written in one of four ways."""
        how = rng.choice(4, len(days), p=(0.45, 0.35, 0.14, 0.06))
        return np.where(days == NEVER, _OPEN + how, self.index(rng, days, fashion)).astype(np.int64)

    def impossible(self, rng: np.random.Generator, n: int) -> Ints:
        return np.asarray(_NEVER_WAS + rng.integers(0, len(NEVER_WAS), n), dtype=np.int64)

    def text(self, index: Ints) -> pl.Series:
        return self.pool.gather(index)


class Codes:
    """One code list as a pool: as is, blank-padded to its CHAR width, and in lower case."""

    def __init__(self, name: str, width: int) -> None:
        self.codes: tuple[Code, ...] = CODE_LISTS[name]
        plain = [code.code for code in self.codes]
        padded = [code.ljust(width) for code in plain]
        self.pool = pl.Series(plain + padded + [code.lower() for code in padded])
        mapped = [code.weight if code.mapped else 0.0 for code in self.codes]
        self.rising = np.cumsum(mapped) / sum(mapped)
        self.unmapped = np.flatnonzero([not code.mapped for code in self.codes])

    def at(self, *wanted: str) -> Ints:
        """Positions of codes by their text."""
        texts = [code.code for code in self.codes]
        return np.array([texts.index(code) for code in wanted], dtype=np.int64)

    def draw(self, rng: np.random.Generator, n: int) -> Ints:
        """Mapped codes by weight. Of a reused code either line may be drawn: the row's date says what it means."""
        return np.asarray(np.searchsorted(self.rising, rng.random(n), side="right"), dtype=np.int64)

    def text(self, rng: np.random.Generator, at: Ints, padded: float = 0.8) -> pl.Series:
        """-1 is an empty field."""
        how = rng.random(len(at))
        variant = np.where(how < padded, 1, np.where(how < padded + 0.015, 2, 0))
        texts = self.pool.gather(variant * len(self.codes) + np.maximum(at, 0))
        return blank_where(texts, at < 0)


def blank_where(texts: pl.Series, empty: np.ndarray) -> pl.Series:
    return choose(empty, pl.Series([""]).new_from_index(0, len(texts)), texts)


def choose(mask: np.ndarray, yes: pl.Series, no: pl.Series) -> pl.Series:
    return yes.zip_with(pl.Series(mask), no)


def overwrite(texts: pl.Series, rows: Ints, new: list[str] | pl.Series) -> pl.Series:
    """The same column with some rows replaced."""
    return texts.clone().scatter(rows, new) if len(rows) else texts


def digits(numbers: Ints, width: int) -> pl.Series:
    return pl.Series(numbers).cast(pl.String).str.zfill(width)


def pad(rng: np.random.Generator, texts: pl.Series, width: int, share: float = 0.8) -> pl.Series:
    return choose(rng.random(len(texts)) < share, texts.str.pad_end(width), texts)


def money(rng: np.random.Generator, pence: Ints) -> pl.Series:
    """1234.50, "1,234.50", a pound sign now and then, and the minus behind the figure."""
    pounds, rest = np.abs(pence) // 100, np.abs(pence) % 100
    how = rng.random(len(pence))
    frame = pl.DataFrame({"pounds": pounds, "rest": rest, "minus": pence < 0})
    frame = frame.with_columns(commas=(how < 0.25) & (pounds >= 1000), sign=how > 0.97)
    whole = pl.col("pounds").cast(pl.String)
    thousands, hundreds = pl.col("pounds") // 1000, pl.col("pounds") % 1000
    grouped = thousands.cast(pl.String) + "," + hundreds.cast(pl.String).str.zfill(3)
    text = pl.concat_str(
        pl.when("sign").then(pl.lit("\xa3")).otherwise(pl.lit("")),
        pl.when("commas").then(grouped).otherwise(whole),
        pl.lit("."),
        pl.col("rest").cast(pl.String).str.zfill(2),
        pl.when("minus").then(pl.lit("-")).otherwise(pl.lit("")),
    )
    return frame.select(text.alias("money")).to_series()


def iso(days: Ints) -> pl.Series:
    """ISO dates, empty for NEVER: how a date must arrive."""
    dates = pl.Series(np.where(days == NEVER, 0, days)).cast(pl.Int32).cast(pl.Date).dt.to_string("%Y-%m-%d")
    return blank_where(dates, days == NEVER)


def plain_money(pence: Ints) -> pl.Series:
    """1234.5 pounds as 1234.50, the minus in front: how an amount must arrive."""
    sign = pl.Series(["", "-"]).gather((pence < 0).astype(np.int64))
    return sign + pl.Series(np.abs(pence) // 100).cast(pl.String) + "." + digits(np.abs(pence) % 100, 2)


def months(at: Ints) -> pl.Series:
    """Months counted from January 1990 as YYYYMM."""
    pool = pl.Series([f"{1990 + n // 12}{n % 12 + 1:02}" for n in range(12 * 41)])
    return pool.gather(at)


def quoted(column: str, bare: Mask) -> pl.Expr:
    """RFC 4180, only where needed; a `bare` field with a quote in its midst (5" pipe) is left as it is."""
    text = pl.col(column)
    wrapped = '"' + text.str.replace_all('"', '""', literal=True) + '"'
    harmless = pl.lit(pl.Series(bare)) & ~text.str.contains(r'^"|[,\r\n]')
    needed = text.str.contains(r'[,"\r\n]') & ~harmless
    return pl.when(needed).then(wrapped).otherwise(text).alias(column)
