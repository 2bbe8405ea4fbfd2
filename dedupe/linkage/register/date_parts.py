"""A date that stands in three columns, as one text a row that is read as any other date (`dates`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import polars as pl

from casebridge.dedupe.linkage.register.dates import SHORT
from casebridge.dedupe.linkage.register.fillers import fillers
from casebridge.dedupe.linkage.register.values import MISSING, by_distinct
from casebridge.project.months import without_accents

NONE, ZERO, BAD = "", "00", "BAD"
NO_YEAR, NO_DAY = r"0|0{3,}|9{4}", "99"


def join_parts(year: pl.Series, month: pl.Series, day: pl.Series) -> pl.Series:
    """Years, months and days as text, year first: 1983-12-03. A year of two digits has an apostrophe before it, so
    that nobody takes it for a day; a month may be a word.

    Missing parts are empty text, zeros, 99 (9999 as a year) and words for nothing known (`fillers`). Where all
    three are missing the date is; where one or two are, or one can be no part of a date, the text is no date that
    can be read, and is counted as such. A day or month out of range stays: it is a slip of the date, as is a zero
    where the other two are known.

    >>> years, months = pl.Series(["1983.0", "83", "1983", "0", "n/k"]), pl.Series(["12.0", "Mai", "13", "0", "5"])
    >>> join_parts(years, months, pl.Series(["3", "03", "40", "99", "6"])).to_list()
    ['1983-12-03', "'83-MAI-03", '1983-13-40', None, '-05-06']
    >>> join_parts(pl.Series(["1983", "1983"]), pl.Series(["0", "0"]), pl.Series(["3", "0"])).to_list()
    ['1983-00-03', '1983--']
    """
    frame = pl.DataFrame({"y": _read(year, _year), "m": _read(month, _month), "d": _read(day, _day)})
    year_alone = pl.all_horizontal(pl.col("m", "d").is_in([NONE, ZERO]))
    frame = frame.with_columns(pl.when(year_alone).then(pl.lit(NONE)).otherwise(pl.col("m", "d")).name.keep())
    some = pl.any_horizontal(pl.all() != NONE)
    return frame.select(pl.when(some).then(pl.concat_str("y", "m", "d", separator="-"))).to_series()


def with_joined(frame: pl.DataFrame | pl.LazyFrame, joined: Mapping[str, tuple[str, ...]]) -> pl.LazyFrame:
    """A table with the columns that are made of three of its own (`Fields.joined`)."""
    lazy = frame.lazy()
    made = {name: join_parts(*lazy.select(parts).collect().iter_columns()) for name, parts in joined.items()}
    return lazy.with_columns(**made)


def _read(column: pl.Series, part: Callable[[str], str]) -> pl.Series:
    """A part of each row's date; each distinct value is read once."""
    rows, distinct = by_distinct(column)
    said = fillers(distinct).to_list()
    found = [NONE if none else part(_bare(text)) for text, none in zip(distinct.to_list(), said, strict=True)]
    places = pl.Series(rows).replace(MISSING, len(found))
    return pl.Series([*found, NONE], dtype=pl.String).gather(places)


def _bare(text: str) -> str:
    """Capitals without what stands around them: ` mai.` is MAI, 12.0 is 12."""
    return re.sub(r"(?<=\d)\.0+$", "", without_accents(text.strip().upper())).strip(" .")


def _year(text: str) -> str:
    if re.fullmatch(NO_YEAR, text):
        return NONE
    if re.fullmatch(r"\d{2}|\d{4}", text):
        return text if len(text) == 4 else SHORT + text
    return BAD


def _month(text: str) -> str:
    return text if re.fullmatch(r"[A-Z]{3,}", text) else _day(text)


def _day(text: str) -> str:
    if re.fullmatch(NO_DAY, text):
        return NONE
    if re.fullmatch("0+", text):
        return ZERO
    return text.zfill(2) if re.fullmatch(r"\d{1,2}", text) else BAD
