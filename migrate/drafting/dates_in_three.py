"""Three columns that hold one date: its year, month and day, by what they are called and what they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from casebridge.dedupe.linkage.fields import PART_NAMES
from casebridge.dedupe.linkage.register.date_parts import join_parts
from casebridge.dedupe.linkage.register.dates import day_numbers, read_dates, year_table
from casebridge.migrate.profiling.headings import role_words

_UNITS = {
    "year": "year yr yyyy yy y blwyddyn jahr annee jaar ano anno rok an",
    "month": "month mon mth mo mm m mis monat mois maand mes mese miesiac luna",
    "day": "day dy dd d date diwrnod dydd tag jour dag dia giorno dzien zi ziua",
}
"""English, Welsh, German, French, Dutch, Spanish, Portuguese, Italian, Polish, Romanian."""
_OF = {
    "birth_date": """
        birth ofbirth dob birthdate dateofbirth born b ob brth bth
        geni genedigaeth geburts geb geburtsdatum naissance denaissance datenaissance geboorte
        nacimiento denacimiento fechanacimiento nascimento denascimento nascita dinascita nasc urodzenia nasterii
    """,
    "death_date": """
        death ofdeath dod deathdate dateofdeath died od
        marw marwolaeth todes sterbe deces dedeces overlijdens defuncion dedefuncion obito zgonu
    """,
}
"""What stands before or behind the word for the year, the month or the day: whose it is. Of any other date (of an
admission, a visit) nothing is said here."""
_BIRTH, _BARE = "birth_date", ""
_YEARS, _MOST, _ROWS = range(1850, 2031), 0.6, 100_000
_A_LIFE = 40
"""Years between which nine in ten dates lie, from which columns that are called year, month and day and no more
hold birth dates: what is done in a service spans fewer."""


def dates_in_three(register: pl.LazyFrame, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Roles of dates, and the three columns of each: year, month, day. Most of what they hold must be days that
    there are."""
    found: dict[str, tuple[str, ...]] = {}
    for role, stem, parts in called_so(columns):
        if role not in found and _hold_dates(register.select(parts).head(_ROWS).collect(), bare=stem == _BARE):
            found[role] = parts
    return found


def called_so(columns: Sequence[str]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Three columns by their names, with their date's role and what it is called by: each has a word for its part
    beside one word for what the date is of."""
    words = {word: name for name in reversed(columns) for word in role_words(name)}
    for role, stem in [*((role, stem) for role, stems in _OF.items() for stem in stems.split()), (_BIRTH, _BARE)]:
        parts = tuple(name for part in PART_NAMES if (name := _first(words, part, stem)))
        if len(set(parts)) == len(PART_NAMES):
            yield role, stem, parts


def _first(words: Mapping[str, str], part: str, stem: str) -> str | None:
    called = (word for unit in _UNITS[part].split() for word in (stem + unit, unit + stem))
    return next((words[word] for word in called if word in words), None)


def _hold_dates(frame: pl.DataFrame, bare: bool) -> bool:
    numbers_or_text = all(dtype.is_numeric() or dtype == pl.String for dtype in frame.dtypes)
    return numbers_or_text and like_birth_dates(join_parts(*frame.iter_columns()), a_life=bare)


def like_birth_dates(column: pl.Series, a_life: bool) -> bool:
    """Whether most values of a column are days on which living people can be born; a_life: which lie _A_LIFE years
    apart besides."""
    packed = read_dates(column).packed
    years = year_table().take(packed >> np.uint32(16))[day_numbers(packed) >= 0]
    likely = years[(years >= _YEARS.start) & (years < _YEARS.stop)]
    if len(likely) == 0 or len(likely) < _MOST * column.count():
        return False
    first, last = np.quantile(likely, (0.05, 0.95))
    return bool(not a_life or last - first >= _A_LIFE)
