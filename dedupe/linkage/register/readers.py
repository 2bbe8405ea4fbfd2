"""Readers of columns: what a kind's attributes are made of. Each fills a register from the columns of its roles.

Those that end in `_as` say how text would be read as such a column, so that copies of it are found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.fields import Fields
from casebridge.dedupe.linkage.kind import Read, Reread
from casebridge.dedupe.linkage.register.codes import Code
from casebridge.dedupe.linkage.register.column_reader import ColumnReader, as_lists, tell_unread
from casebridge.dedupe.linkage.register.dates import filled_in, packed_dates, read_dates
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.fillers import fillers, says_what_is_none
from casebridge.dedupe.linkage.register.folding import folded
from casebridge.dedupe.linkage.register.holders import rows_of_many
from casebridge.dedupe.linkage.register.identifiers import (
    VALID,
    most_pass,
    packed_numbers,
    passes_check,
    with_check,
)
from casebridge.dedupe.linkage.register.languages import NO_SEX, SEXES, letters_of
from casebridge.dedupe.linkage.register.number_fields import read_numbers
from casebridge.dedupe.linkage.register.personal_names import read_names
from casebridge.dedupe.linkage.register.places import houses, postcodes, streets
from casebridge.dedupe.linkage.register.values import MISSING, by_distinct, encode, encode_cleaned, flagged_rows

YEAR_ALONE = r"^\s*\d{4}(?:\.0+)?\s*$"
PLACES = {"house": houses, "street": streets, "postcode": postcodes}
Clean = Callable[[pl.Series], pl.Series]


def date_reader(role: str) -> Read:
    """Dates in any writing; those that a system filled in are missing."""

    def read(register: Register, reader: ColumnReader, fields: Fields) -> None:
        column = reader.column(fields.roles[role])
        found = read_dates(column, register.known, role)
        default = _filled_in(register, role, found.packed)
        register.columns[role] = reader.arranged(np.where(default, np.uint32(0), found.packed))
        tell_unread(register, role, "date", column, found.unread)
        _tell_years(register, role, column, found.unread)
        if default.any():
            register.notes.append(
                f"{role}: {int(default.sum()):,} values are a date that far more records hold than others: taken "
                "for what a system fills in, and for missing."
            )
        unsure = int(found.unsure.sum())
        if unsure:
            register.notes.append(
                f"{role}: {unsure:,} dates could be read day first or month first, and the column does not say "
                "which: read as most of it is written, or day first."
            )

    return read


def _tell_years(register: Register, role: str, column: pl.Series, unread: NDArray[np.bool_]) -> None:
    rows = np.flatnonzero(unread)
    years = int(column.gather(rows).cast(pl.String).str.contains(YEAR_ALONE).sum()) if len(rows) else 0
    if 2 * years > column.count():
        register.notes.append(
            f"{role} holds years: they are compared if the column is named under [other], as birth_year say."
        )


def _filled_in(register: Register, role: str, packed: NDArray[np.uint32]) -> NDArray[np.bool_]:
    def value(rows: NDArray[np.integer] | slice) -> NDArray[np.uint64]:
        return packed[rows].astype(np.uint64)

    def find() -> tuple[NDArray[np.bool_], NDArray[np.integer]]:
        found = filled_in(packed)
        return found, np.flatnonzero(found)

    return rows_of_many(register, f"{role}: filled in", value, find)


def dates_as(_register: Register, _role: str, text: pl.Series) -> pl.Series:
    return pl.Series(packed_dates(text).astype(np.uint64))


def read_sex(register: Register, reader: ColumnReader, fields: Fields) -> None:
    column = reader.column(fields.roles["sex"])
    rows, distinct = by_distinct(column)
    words = folded(distinct).str.strip_chars(" .").str.to_uppercase().str.replace(r"\.0+$", "")
    letters = register.known.fact("sex: letters", lambda: _letters(words, rows))
    meant = {**SEXES, **{word[0]: int(word[1:]) for word in letters}}
    sexes = np.array([*(meant.get(text, MISSING) for text in words.to_list()), MISSING], dtype=np.int8)
    register.columns["sex"] = reader.arranged(sexes.take(rows, mode="wrap"))
    known = words.is_in([*meant, *NO_SEX]) | fillers(distinct)
    tell_unread(register, "sex", "sex", column, flagged_rows(~known.to_numpy(), rows))


def _letters(words: pl.Series, rows: NDArray[np.int64]) -> tuple[str, ...]:
    """The letters that a column writes besides M and F, each with the sex it means: W1."""
    many = np.bincount(rows[rows >= 0], minlength=len(words))
    counts: dict[str, int] = {}
    for word, held in zip(words.to_list(), many.tolist(), strict=True):
        counts[word] = counts.get(word, 0) + held
    return tuple(f"{letter}{sex}" for letter, sex in sorted(letters_of(counts).items()))


def sexes_as(_register: Register, _role: str, text: pl.Series) -> pl.Series:
    return text.replace_strict(SEXES, default=None, return_dtype=pl.Int8)


def names_as(_register: Register, role: str, text: pl.Series) -> pl.Series:
    return read_names(text, role).text


def number_reader(role: str, phone: bool = False) -> Read:
    """Numbers of a phone, or those that name a person and have the check digit of an NHS number."""

    def read(register: Register, reader: ColumnReader, fields: Fields) -> None:
        column = reader.column(fields.roles[role])
        found = read_numbers(column, phone, register.known, role)
        if found is None:
            codes, values = encode([column])
            register.columns[role], register.values[role] = reader.arranged(codes[0]), values
            register.notes.append(f"{role} holds letters: compared as text.")
            return
        tell_unread(register, role, "number", column, found.unread)
        rounded = int(found.rounded.sum())
        if rounded:
            register.notes.append(
                f"{role}: {rounded:,} values were rounded by a spreadsheet (1.23E9), and their last digits are "
                "lost."
            )
        packed = packed_numbers(found.values)
        if not phone:
            checked = register.known.fact(f"{role}: has check digits", lambda: most_pass(packed))
            packed = with_check(packed, checked)
            _tell_unchecked(register, role, packed)
        register.columns[role] = reader.arranged(packed)
        rows, numbers = found.further
        if len(rows):
            further = packed_numbers(numbers)
            further = further if phone else with_check(further, True)
            register.lists[role] = as_lists(rows, further, reader.order)
        if len(rows) and not phone:
            register.notes.append(
                f"{role}: {len(np.unique(rows)):,} fields hold two numbers that pass the check: either may agree."
            )

    return read


def _tell_unchecked(register: Register, role: str, packed: NDArray[np.uint64]) -> None:
    if packed.any() and not (packed & VALID).any():
        given, wrong = np.count_nonzero(packed), np.count_nonzero(~passes_check(packed) & (packed > 0))
        register.notes.append(
            f"{role}: {wrong:,} of {given:,} values fail the check digit of an NHS number: compared as some "
            "other number of a person, without it."
        )


def numbers_as(phone: bool = False) -> Reread:
    def reread(register: Register, role: str, text: pl.Series) -> pl.Series:
        if register.columns[role].dtype.kind != "u":
            return text
        read = read_numbers(text, phone=phone)
        return pl.Series(packed_numbers(read.values)) if read else pl.Series([None] * len(text), dtype=pl.UInt64)

    return reread


def code_reader(role: str, code: Code) -> Read:
    """Codes of letters and figures."""

    def read(register: Register, reader: ColumnReader, fields: Fields) -> None:
        read_text(register, reader, role, [reader.column(fields.roles[role])], code.clean, code.kind)

    return read


def cleaned_as(clean: Clean) -> Reread:
    return lambda _register, _role, text: clean(text)


def address_as(_register: Register, role: str, text: pl.Series) -> pl.Series:
    return PLACES[role](text)


def read_text(
    register: Register, reader: ColumnReader, role: str, columns: Sequence[pl.Series], clean: Clean, kind: str,
    further: Sequence[tuple[NDArray[np.int64], pl.Series]] = (),
) -> list[NDArray[np.int32]]:  # fmt: skip
    """Read a column of text, with further ones of one dictionary, and tell what says something that is not of
    its kind. further: columns that are cleaned already, by their distinct values. Returns the codes of each."""
    cleaned = []
    for column in columns:
        rows, distinct = by_distinct(column)
        tidy = clean(distinct)
        cleaned.append((rows, tidy))
        tell_unread(register, role, kind, column, flagged_rows(says_what_is_none(tidy, distinct), rows))
    codes, values = encode_cleaned([*cleaned, *further])
    register.columns[role], register.values[role] = reader.arranged(codes[0]), values
    return codes
