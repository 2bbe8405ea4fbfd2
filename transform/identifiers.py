"""Identifiers with rules of their own, as Polars expressions: true where the value is well formed.

Sources: NHS Data Dictionary (NHS number, modulus 11); DfE "A guide to unique pupil numbers" 1.2 and
GovTalk UniquePupilNumber 2.0 (UPN, modulus 23); Royal Mail PAF guide (postcode).
"""

from __future__ import annotations

import functools
import operator

import polars as pl

UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
"""The 23 letters of a UPN's check letter, in the order of their values; no I, O or S."""

OVERSEAS = "ASCN|BBND|BIQQ|FIQQ|PCRN|SIQQ|STHL|TDCU|TKCA"
"""What stands before ` 1ZZ` in the one postcode that a territory overseas has."""
POSTCODE = (
    rf"^(GIR 0AA|(?:{OVERSEAS}) 1ZZ|BFPO [0-9]{{1,4}}|ZZ99 3[A-Z]Z|"
    r"[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][ABD-HJLNP-UW-Z]{2})$"
)


def nhs_number(value: pl.Expr) -> pl.Expr:
    """Ten digits, weights 10 to 2, 11 minus the sum modulo 11 (11 stands for 0, 10 never occurs).

    Every number of ten equal digits passes that sum; 0000000000 and 9999999999 are the tracing
    service's "no match" and "many matches", and the others are typed by hand: all are refused.
    """
    total = _weighted(value, range(10, 1, -1))
    expected = (11 - total % 11) % 11
    well_formed = value.str.contains(r"^[0-9]{10}$")
    repeated = value.is_in([str(figure) * 10 for figure in range(10)])
    return well_formed & (expected == _digit(value, 9)) & ~repeated


def upn(value: pl.Expr) -> pl.Expr:
    """A check letter and twelve characters: digits, the last one a letter in a temporary UPN.

    The characters 2 to 13 weigh 2 to 13; their sum modulo 23 gives the check letter. A last letter
    counts by its place among the check letters.
    """
    well_formed = value.str.contains(rf"^[{UPN_LETTERS}][0-9]{{11}}[0-9{UPN_LETTERS}]$")
    last = value.str.slice(12, 1)
    last_value = pl.coalesce(last.cast(pl.Int64, strict=False), _letter_value(last))
    total = functools.reduce(
        operator.add, (_digit(value, place) * (place + 1) for place in range(1, 12)), last_value * 13
    )
    return well_formed & (total % 23 == _letter_value(value.str.slice(0, 1)))


def postcode(value: pl.Expr) -> pl.Expr:
    """Outward part, one blank, inward part; the inward letters are never C I K M O V, but for those that
    stand for no place: ZZ99 3VZ is no fixed abode, ZZ99 3WZ not known. Also what is written like one: GIR 0AA,
    the territories overseas (ASCN 1ZZ) and the forces (BFPO 57)."""
    return value.str.contains(POSTCODE)


def _digit(value: pl.Expr, place: int) -> pl.Expr:
    return value.str.slice(place, 1).cast(pl.Int64, strict=False)


def _letter_value(letter: pl.Expr) -> pl.Expr:
    numbers = {character: number for number, character in enumerate(UPN_LETTERS)}
    return letter.replace_strict(numbers, default=None, return_dtype=pl.Int64)


def _weighted(value: pl.Expr, weights: range) -> pl.Expr:
    return functools.reduce(operator.add, (_digit(value, place) * weight for place, weight in enumerate(weights)))
