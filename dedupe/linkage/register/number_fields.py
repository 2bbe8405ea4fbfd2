"""Fields of numbers as people and systems fill them: prefixes, extensions, notes, two numbers in one field."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.register.fillers import fillers
from casebridge.dedupe.linkage.register.identifiers import packed_numbers, passes_check
from casebridge.dedupe.linkage.register.known import Known
from casebridge.dedupe.linkage.register.values import by_distinct

LONGEST, LEAST_PHONE, LONGEST_PHONE = 15, 6, 13
STANDING_FOR_NONE = (*range(10), 99, 999)
MOST_WITH_LETTERS = 0.2
ZEROS_CUT = 2  # digits that 7.42438187E+09 may have lost: they were zeros

FLOAT = r"^(\d+)\.0+$"
DRESS = r"\(0\)|[\s().'\u2019-]"
SCIENTIFIC = re.compile(r"^\d(?:[.,]\d+)?E\+?\d{1,2}$")
MIXED = r"(?i)\d[A-Z]|[A-Z]\d"
EXTENSION = re.compile(r"(?:\bEXT?(?:N|ENSION)?|#|\bX)[.: ]*\d{1,6}\b.*$|(?<=\d)(?:X|EXT)\.? ?\d{1,6}\b.*$")
BETWEEN = re.compile(r"[/;,&|\n]|\bOR\b|\bAND\b")
NHS_SHAPE = re.compile(r"(?<!\d)\d{3}[ -]?\d{3}[ -]?\d{4}(?!\d)")
HOME_COUNTRY = 44


@dataclass(frozen=True)
class NumberField:
    """A column of numbers. values: one a row, 0 for missing. unread: rows that hold what is no number; of these
    rounded have lost digits (9.43E9). further: row and value of the other numbers of a field."""

    values: NDArray[np.int64]
    unread: NDArray[np.bool_]
    rounded: NDArray[np.bool_]
    further: tuple[NDArray[np.int64], NDArray[np.int64]]


def read_numbers(
    column: pl.Series, phone: bool = False, known: Known | None = None, role: str = "number"
) -> NumberField | None:
    """Numbers of 4 to LONGEST digits, in any dress ("943 476 5919", "9434765919.0"); what says that nothing is
    known is missing, however often it stands (`fillers`).

    None where letters stand in the numbers themselves of over a fifth of the values that hold a digit: then they
    are codes; or where it is known that they are. phone: numbers of the home country with and without its prefix
    are one, extensions are left out, and of two in a field the mobile is the first.
    """
    text = column.cast(pl.String).str.strip_chars()
    plain = text.cast(pl.Int64, strict=False)
    values = plain.fill_null(0).to_numpy().copy()
    odd = (plain.is_null() & text.is_not_null() & (text != "")).arg_true().to_numpy()
    rounded, more = np.zeros(len(values), dtype=bool), np.zeros((0, 2), dtype=np.int64)
    rows, distinct = by_distinct(text.gather(odd))
    if (known or Known()).fact(f"{role}: codes", lambda: _are_codes(distinct, rows, int(plain.count()))):
        return None
    if len(odd):
        read = _odd_values(distinct, phone)
        values[odd], rounded[odd] = read.first[rows], read.rounded[rows]
        more = _by_row(odd, rows, read.further)
    if phone:
        values = without_prefix(values)
    beyond = np.flatnonzero((values < 1000) | (values >= 10**LONGEST))
    unread = np.zeros(len(values), dtype=bool)
    unread[beyond] = ~np.isin(values[beyond], STANDING_FOR_NONE)
    nothing = odd[values[odd] == 0]
    unread[nothing] = True
    told = np.flatnonzero(unread)
    unread[told] = ~fillers(text.gather(told)).fill_null(True).to_numpy()
    values[beyond] = 0
    return NumberField(values, unread, rounded, (more[:, 0], without_prefix(more[:, 1]) if phone else more[:, 1]))


def _by_row(odd: NDArray[np.int64], rows: NDArray[np.int64], further: dict[int, list[int]]) -> NDArray[np.int64]:
    """Row and number of the further numbers of fields, shape (numbers, 2)."""
    several = np.flatnonzero(np.isin(rows, list(further)))
    pairs = [(odd[at], number) for at in several for number in further[int(rows[at])]]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def without_prefix(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Phone numbers without the home country's 44, and the zero that some write behind it."""
    found = values.copy()
    for digits in (9, 10, 11):  # a zero behind the prefix makes the number one digit longer
        unit = 10**digits
        there = found // unit == HOME_COUNTRY
        rest = found % unit
        there &= (rest < unit // 10) & (rest >= unit // 100) if digits == 11 else rest >= unit // 10
        found[there] = rest[there]
    return found


@dataclass(frozen=True)
class _Odd:
    first: NDArray[np.int64]
    rounded: NDArray[np.bool_]
    further: dict[int, list[int]]


def _odd_values(distinct: pl.Series, phone: bool) -> _Odd:
    """What distinct texts hold that are not plain digits: most are once blanks and signs are taken out."""
    tidy = distinct.str.replace(FLOAT, "$1").str.replace_all(DRESS, "")
    direct = tidy.str.contains(rf"^\+?\d{{1,{LONGEST_PHONE}}}$") & ~distinct.str.contains(r"\n")
    plain = tidy.str.strip_prefix("+").cast(pl.Int64, strict=False)
    first = pl.select(pl.when(direct).then(plain).otherwise(0)).to_series().fill_null(0).to_numpy().copy()
    rounded, further = np.zeros(len(first), dtype=bool), {}
    rows = np.flatnonzero(~direct.to_numpy())
    for row, text in zip(rows, distinct.gather(rows).to_list(), strict=True):
        found = numbers_in(text, phone)
        rounded[row] = found is None
        first[row] = found[0] if found else 0
        if found and len(found) > 1:
            further[int(row)] = found[1:]
    return _Odd(first, rounded, further)


def numbers_in(text: str, phone: bool) -> list[int] | None:
    """The numbers that a field holds; of several NHS numbers those that pass the check. None for one that has lost
    its digits.

    >>> numbers_in("07955 899365 / 0113 255 5777 ext 12", phone=True)
    [7955899365, 1132555777]
    >>> numbers_in("NHS no 943 476 5919 (traced)", phone=False), numbers_in("9.434765919E+09", phone=False)
    ([9434765919], [9434765919])
    >>> numbers_in("9.43E9", phone=False) is None
    True
    """
    text = text.upper().strip()
    if SCIENTIFIC.match(text):
        whole = Decimal(text.replace(",", "."))
        lost = whole.adjusted() + 1 - len(whole.as_tuple().digits)
        return [int(whole)] if whole == whole.to_integral_value() and lost <= ZEROS_CUT else None
    if not phone:
        shaped = list(dict.fromkeys(int(re.sub(r"\D", "", one)) for one in NHS_SHAPE.findall(text)))
        digits = re.sub(r"\D", "", re.sub(r"\.0+$", "", text))
        if len(shaped) > 1:
            right = passes_check(packed_numbers(np.array(shaped, dtype=np.int64)))
            return [number for number, one in zip(shaped, right, strict=True) if one]
        return shaped or ([int(digits)] if 0 < len(digits) <= LONGEST else [])
    found: list[int] = []
    for piece in BETWEEN.split(EXTENSION.sub("", re.sub(r"\(0\)", "", text))):
        digits = re.sub(r"\D", "", re.sub(r"\.0+$", "", piece.strip()))
        several = re.findall(r"0\d{10}|\d{10}", digits) if len(digits) > LONGEST_PHONE else [digits]
        found += [int(one) for one in several if len(one) >= LEAST_PHONE]
    if not found:
        digits = re.sub(r"\D", "", EXTENSION.sub("", text))
        found = [int(digits)] if 0 < len(digits) <= LONGEST_PHONE else []
    home = [int(one) for one in without_prefix(np.array(found, dtype=np.int64))]
    return sorted(dict.fromkeys(home), key=lambda number: number // 10**9 != 7)


def _are_codes(distinct: pl.Series, rows: NDArray[np.int64], plain: int) -> bool:
    """Whether letters stand in the numbers themselves: "AB123456C", not "Trace pending" or "496 0000 ext 2"."""
    words = distinct.str.to_uppercase()
    codes = words.str.contains(MIXED) & ~words.str.contains(SCIENTIFIC.pattern)
    codes &= ~words.str.contains(r"\d ?(?:X|EXT)")
    counts = np.bincount(rows, minlength=len(distinct))
    given = plain + int(counts[words.str.contains(r"\d").to_numpy()].sum())
    return int(counts[codes.to_numpy()].sum()) > MOST_WITH_LETTERS * given
