"""What is known of a column, from its values as they pass: counts, lengths, kinds, patterns, years, codes."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from casebridge.extract.oddities import NOTHING_WORDS
from casebridge.migrate.profiling.counting import COUNT, Counter, Counts, Numbers, hashed, numbers_of
from casebridge.migrate.profiling.shapes import (
    A_SHORT_DAY,
    EIGHT,
    KIND,
    LIKE_A_DAY,
    LIST,
    NAMED,
    SHORT_DATE,
    TEXT,
    Days,
    patterns,
)
from casebridge.project.blanks import bare_texts
from casebridge.transform.placeholders import PLACEHOLDERS

FEWEST = 10
"""Rows that must share a code, a pattern or a year before a profile shows it."""
MOST_CODES = 250
NEARLY = 0.98
"""The share of rows with a value of their own from which a column is taken for a key with faults."""
_KEPT_PATTERNS, _SHOWN_PATTERNS, _LENGTHS = 400, 8, 64
_PIVOT = 30
_NUMBERS = frozenset({"integer", "decimal"})
_DATES_FOR_NOTHING = (
    "01/01/1900", "1900-01-01", "01-JAN-1900", "01/01/1800", "01/01/0001", "0001-01-01", "00/00/0000",
    "0000-00-00", "31/12/9999", "9999-12-31", "31-DEC-9999", "31/12/4712", "4712-12-31", "31-DEC-4712",
    "06/06/2079", "01/01/2300", "11/11/1111", "1753-01-01", "01/01/1753", "01/01/1901", "1901-01-01",
)  # fmt: skip
_NUMBERS_FOR_NOTHING = ("0000000000", "9999999999", "999999", "99999999", "-1", "ZZ99 3VZ", "ZZ99 9ZZ")


def _fillers() -> dict[str, list[str]]:
    words = {word: sorted({word, word.lower(), word.title(), word.capitalize()}) for word in PLACEHOLDERS}
    days = {day + clock: [day + clock] for day in _DATES_FOR_NOTHING for clock in ("", " 00:00:00", " 00:00")}
    return {
        **words,
        **days,
        **{word: [word] for word in (*_NUMBERS_FOR_NOTHING, *NOTHING_WORDS) if word not in words},
    }


_FILLERS = _fillers()


@dataclass
class ColumnTally:
    """Counts the values of one column, piece by piece. `numbers` counts each of them by its number."""

    name: str
    numbers: Counter
    rows: int = 0
    nulls: int = 0
    padded: int = 0
    lengths: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(_LENGTHS, np.int64))
    shortest: int = 0
    longest: int = 0
    kinds: Tally[str] = field(default_factory=Tally)
    patterns: Tally[str] = field(default_factory=Tally)
    days: Days = field(default_factory=Days)
    leading_zeros: int = 0
    digits: int = 0
    decimals: int = 0
    like_days: int = 0
    codes: Tally[str] | None = field(default_factory=Tally)

    def take(self, raw: pl.Series) -> None:
        """Count the values of a piece."""
        values = bare_texts(raw).alias("v")
        self.rows += raw.len()
        self.nulls += values.null_count()
        self.padded += int((raw.str.len_bytes() != values.str.len_bytes()).sum())
        counted = values.drop_nulls().value_counts(name=COUNT)
        if counted.height:
            self._take(counted["v"], counted[COUNT])

    def _take(self, values: pl.Series, counts: pl.Series) -> None:
        self.numbers.take(hashed(values), counts)
        self._take_lengths(values, counts)
        self._take_codes(values, counts)
        found = pl.DataFrame({"v": values, "p": patterns(values), COUNT: counts})
        groups = found.group_by("p").agg(pl.col(COUNT).sum()).with_columns(KIND)
        here = dict(groups.group_by("kind").agg(pl.col(COUNT).sum()).iter_rows())
        self.kinds.update(here)
        self._take_back(found, groups, here.keys())
        common = groups.top_k(_KEPT_PATTERNS, by=COUNT) if groups.height > _KEPT_PATTERNS else groups
        self.patterns.update(dict(zip(common["p"].to_list(), common[COUNT].to_list(), strict=True)))
        if len(self.patterns) > 4 * _KEPT_PATTERNS:
            self.patterns = Tally(dict(self.patterns.most_common(_KEPT_PATTERNS)))
        if here.keys() & _NUMBERS:
            self._take_numbers(found, groups)
        if "date" in here:
            days = _those(found, groups, pl.col("kind") == "date")
            self.days.take(days["v"], days[COUNT], _PIVOT)

    def _take_back(self, found: pl.DataFrame, groups: pl.DataFrame, here: Set[str]) -> None:
        """What its pattern alone does not tell: days with a month's name; lists of figures, and figures with
        points that are no day, which are text."""
        if "decimal" in here:
            lists = _those(
                found, groups, (pl.col("kind") == "decimal") & pl.col("p").str.contains(",", literal=True)
            )
            self._move("decimal", TEXT, int(lists.filter(pl.col("v").str.contains(LIST))[COUNT].sum()))
        if "date" in here:
            short = _those(found, groups, (pl.col("kind") == "date") & pl.col("p").str.contains(SHORT_DATE))
            self._move("date", TEXT, int(short.filter(~pl.col("v").str.contains(A_SHORT_DAY))[COUNT].sum()))
        if NAMED in here:
            named = _those(found, groups, pl.col("kind") == NAMED)
            self._move(NAMED, "date", self.days.take_named(named["v"], named[COUNT], _PIVOT))
            self._move(NAMED, TEXT, self.kinds[NAMED])

    def _move(self, kind: str, to: str, rows: int) -> None:
        self.kinds[kind] -= rows
        self.kinds[to] += rows
        self.kinds += Tally()  # without those that have no rows

    def _take_lengths(self, values: pl.Series, counts: pl.Series) -> None:
        sizes = values.str.len_chars().to_numpy()
        least, most = int(sizes.min()), int(sizes.max())
        self.shortest = min(self.shortest, least) if self.longest else least
        self.longest = max(self.longest, most)
        weights = counts.to_numpy().astype(np.float64)
        held = np.bincount(np.minimum(sizes, _LENGTHS - 1), weights, _LENGTHS)
        self.lengths += held.astype(np.int64)

    def _take_codes(self, values: pl.Series, counts: pl.Series) -> None:
        if self.codes is None:
            return
        if values.len() > MOST_CODES:
            self.codes = None
            return
        self.codes.update(dict(zip(values.to_list(), counts.to_list(), strict=True)))
        if len(self.codes) > MOST_CODES:
            self.codes = None

    def _take_numbers(self, found: pl.DataFrame, groups: pl.DataFrame) -> None:
        numbers = groups.filter(pl.col("kind").is_in(_NUMBERS))
        whole = numbers["p"].str.extract(r"^([^.]*)").str.count_matches("9").max()
        behind = numbers["p"].str.extract(r"\.(9+)").str.len_bytes().max()
        self.digits = max(self.digits, int(whole or 0))  # type: ignore[arg-type]
        self.decimals = max(self.decimals, int(behind or 0))  # type: ignore[arg-type]
        here = _those(found, groups, pl.col("kind").is_in(_NUMBERS))
        zero = here.filter(pl.col("v").str.contains(r"^[-+]?0[0-9]"))
        self.leading_zeros += int(zero[COUNT].sum())
        eight = here.filter((pl.col("p") == EIGHT) & pl.col("v").str.contains(LIKE_A_DAY))
        if eight.height:
            self.like_days += int(eight[COUNT].sum())
            written = eight["v"].str.replace(r"^(....)(..)(..)$", "$1-$2-$3")
            self.days.take(written, eight[COUNT], _PIVOT)


def _those(found: pl.DataFrame, groups: pl.DataFrame, which: pl.Expr) -> pl.DataFrame:
    """The values whose pattern is one of these."""
    some = groups.filter(which)
    return found if some.height == groups.height else found.join(some, on="p", how="semi")


@dataclass(frozen=True)
class Column:
    """What a column holds. `facts` may be shown; `codes` are all its values with their rows, where they are few,
    None where not: only a project's own files may hold those. `values` are the numbers of its different values."""

    name: str
    facts: dict[str, Any]
    codes: dict[str, int] | None
    values: Numbers
    counts: Counts

    @property
    def filled(self) -> int:
        """Rows with a value."""
        return int(self.facts["rows"]) - int(self.facts["nulls"])

    @property
    def unique(self) -> bool:
        """Whether every row has a value and no two the same."""
        return bool(self.filled == self.facts["rows"] == self.facts["distinct"] > 0)

    @property
    def nearly_unique(self) -> bool:
        """Whether it would name all rows but one in fifty; in a small table, but three and one in ten."""
        rows, distinct = self.facts["rows"], self.facts["distinct"]
        return bool(rows and rows - distinct <= max(3, (1 - NEARLY) * rows) and distinct >= 0.9 * rows)


def finished(tally: ColumnTally) -> Column:
    """The column, when all its values have passed."""
    values, counts = tally.numbers.result()
    codes = dict(tally.codes) if tally.codes is not None else None
    return Column(tally.name, _facts(tally, values, counts), codes, values, counts)


def _facts(tally: ColumnTally, values: Numbers, counts: Counts) -> dict[str, Any]:
    doubled = counts > 1
    years = {year: rows for year, rows in tally.days.years.items() if rows >= FEWEST}
    return {
        "name": tally.name,
        "rows": tally.rows,
        "nulls": tally.nulls,
        "distinct": int(values.size),
        "doubled": {"values": int(doubled.sum()), "rows": int(counts[doubled].sum())},
        "padded": tally.padded,
        "kind": _kind(tally),
        "kinds": dict(sorted(tally.kinds.items())),
        "length": {"least": tally.shortest, "greatest": tally.longest, "rows": _trimmed(tally.lengths)},
        "digits": tally.digits,
        "decimals": tally.decimals,
        "leading_zeros": tally.leading_zeros,
        "patterns": _patterns(tally),
        "years": _years(tally, years),
        "dates": _dates(tally),
        "placeholders": _placeholders(values, counts),
        "null_words": _found(values, counts, {word: [word] for word in NOTHING_WORDS}),
    }


def _kind(tally: ColumnTally) -> str:
    """What most values are: the column's kind if nineteen of twenty are of it, else text; empty without values."""
    total = tally.kinds.total()
    if not total:
        return "empty"
    if tally.kinds["date"] + tally.like_days >= 0.95 * total:
        return "date"
    numbers = tally.kinds["integer"] + tally.kinds["decimal"]
    if tally.kinds["decimal"] and numbers >= 0.95 * total:
        return "decimal"
    kind, rows = tally.kinds.most_common(1)[0]
    return kind if rows >= 0.95 * total else TEXT


def _trimmed(lengths: npt.NDArray[np.int64]) -> list[int]:
    """Rows by length in characters, from 0; the last place counts all that are longer."""
    ends = np.flatnonzero(lengths)
    return [int(rows) for rows in lengths[: ends[-1] + 1]] if ends.size else []


def _patterns(tally: ColumnTally) -> list[dict[str, Any]]:
    common = sorted(tally.patterns.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN_PATTERNS]
    return [{"pattern": pattern, "rows": rows} for pattern, rows in common if rows >= FEWEST]


def _years(tally: ColumnTally, shown: dict[int, int]) -> dict[str, Any] | None:
    years = tally.days.years
    if _kind(tally) != "date" or not years:
        return None
    return {
        "least": min(years),
        "greatest": max(years),
        "rows": {str(year): shown[year] for year in sorted(shown)},
    }


def _dates(tally: ColumnTally) -> dict[str, Any] | None:
    if _kind(tally) != "date":
        return None
    return {"order": tally.days.order, "short_years": tally.days.short_years, "clocks": tally.days.clocks}


def _placeholders(values: Numbers, counts: Counts) -> dict[str, int]:
    """How many rows hold a word, a day or a number that stands for nothing known."""
    return _found(values, counts, _FILLERS)


def _found(values: Numbers, counts: Counts, words: Mapping[str, list[str]]) -> dict[str, int]:
    """How many rows hold each of these words, in one of its spellings."""
    texts = [text for spellings in words.values() for text in spellings]
    names = [word for word, spellings in words.items() for _ in spellings]
    found: Tally[str] = Tally()
    if values.size:
        numbers = numbers_of(texts)
        places = np.minimum(np.searchsorted(values, numbers), values.size - 1)
        for word, place, number in zip(names, places.tolist(), numbers.tolist(), strict=True):
            if int(values[place]) == number:
                found[word] += int(counts[place])
    return dict(found.most_common())
