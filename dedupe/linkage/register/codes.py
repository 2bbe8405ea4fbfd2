"""Codes of letters and figures: e-mail address, unique pupil number, National Insurance number."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.register.fillers import ALONE, fillers, only

UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
UPN = re.compile(r"[A-Z]\d{11}[0-9A-Z]")
NINO = re.compile(r"([ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z])(\d{6})[A-D]?")
NO_NINO = frozenset(["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"])
ODS = re.compile(r"^(?:[A-Z]{3}|[A-Z0-9]*(?:[A-Z][0-9]|[0-9][A-Z])[A-Z0-9]*|\d{3})$")
"""Three to nine letters and figures, in several coding frames (NHS Data Dictionary, organisation code): RAE,
A12345, RH802, VLX9P, EE100000; 231 for a local authority. Without both a letter and a figure only those of
three."""
REGISTERED = re.compile(r"SW\d{1,6}|[A-Z]{2,3}\d{5,6}|\d{2}[A-Z]\d{4}[A-Z]|\d{7}")
"""Social Work England (SW and up to six figures), HCPC (letters of the profession, five or six figures), NMC
(98A1234E), GMC (seven figures): forms as the registers' own searches take them; none has a published check
digit."""
ONE_FIGURE = r"^[A-Z]*(?:0+|1{4,}|2{4,}|3{4,}|4{4,}|5{4,}|6{4,}|7{4,}|8{4,}|9{4,}|0?1234567?|1234567|7?654321)$"
"""What people and systems fill in for a number: one figure over and over, and figures in a row from 1."""
ADDRESS = r"([^\s<>:;,()]+@[^\s<>:;,()@]+)"
NOBODY = r"^(?:no-?e?mail|none|no-?reply|do-?not-?reply|not-?known|not-?provided|unknown|test|n/?a|nobody|x+)$"


@dataclass(frozen=True)
class Code:
    """A kind of code: what it is called, how distinct texts are cleaned (null for what is none), and which are
    right by their own rule; no rule, no check."""

    kind: str
    clean: Callable[[pl.Series], pl.Series]
    valid: Callable[[str], bool] | None = None


def letters_and_figures(text: pl.Series) -> pl.Series:
    """Capitals and figures of the first forty signs."""
    return text.str.slice(0, 40).str.to_uppercase().str.replace_all(r"[^A-Z0-9]", "")


def emails(text: pl.Series) -> pl.Series:
    """The first e-mail address of each text in small letters; null for none, and for those of nobody (none@…).

    >>> emails(pl.Series(["Ann Lee <Ann.Lee@Mail.Example>", "mailto:a@b.example", "none@b.example"])).to_list()
    ['ann.lee@mail.example', 'a@b.example', None]
    """
    found = text.str.to_lowercase().str.extract(ADDRESS).str.strip_chars(".'\"")
    local = found.str.replace(r"@.*$", "").str.replace_all("[._]", "-")
    nobody = local.str.contains(NOBODY) | local.str.to_uppercase().is_in(sorted(ALONE))
    return only(found, ~nobody)


def plain_codes(text: pl.Series) -> pl.Series:
    """Capitals and figures only; null for fillers and for fewer than six signs or four figures.

    >>> plain_codes(pl.Series(["A950 0001-78301", "not known", "X1"])).to_list()
    ['A950000178301', None, None]
    """
    bare = letters_and_figures(text)
    long = (bare.str.len_chars() >= 6) & (bare.str.count_matches(r"\d") >= 4) & ~fillers(text)
    one_figure = bare.str.contains(r"^[A-Z]*(?:0+|9+)[A-Z]*$")
    return only(bare, long & ~one_figure)


def ninos(text: pl.Series) -> pl.Series:
    """National Insurance numbers without their last letter, which many leave out. Temporary ones (TN and the birth
    date) name nobody and are null.

    >>> ninos(pl.Series(["AB 12 34 56 C", "ab123456", "TN010183M"])).to_list()
    ['AB123456', 'AB123456', None]
    """
    cut = plain_codes(text).str.replace(r"^([A-Z]{2}\d{6})[A-Z]$", "$1")
    return only(cut, ~cut.str.starts_with("TN"))


def valid_upn(text: str) -> bool:
    """Whether a pupil number's check letter is right: weights 2 to 13, modulus 23 (DfE, UPN guide 1.2). The last
    place of a temporary number is a letter, which counts by its place in the alphabet of check letters.

    >>> [valid_upn(n) for n in ("A950000178301", "H801200001001", "R247962919251", "A95000017830A")]
    [True, True, False, False]
    """
    if not UPN.fullmatch(text):
        return False
    last = text[12]
    if last.isalpha() and last not in UPN_LETTERS:
        return False
    places = [int(figure) for figure in text[1:12]] + [int(last) if last.isdigit() else UPN_LETTERS.index(last)]
    return UPN_LETTERS[sum(place * weight for weight, place in enumerate(places, 2)) % 23] == text[0]


def valid_nino(text: str) -> bool:
    """Whether letters and figures stand as in a National Insurance number (HMRC, NIM39110): it has no check digit.

    >>> [valid_nino(n) for n in ("AB123456", "QQ123456", "GB123456", "A1234567")]
    [True, False, False, False]
    """
    match = NINO.fullmatch(text)
    return match is not None and match[1] not in NO_NINO


def supplier_numbers(text: pl.Series) -> pl.Series:
    """Capitals and figures of a supplier's or a worker's number, zeros in front of a plain number left out; null
    for fillers, for fewer than three signs and for one figure only.

    >>> supplier_numbers(pl.Series(["S-100 234", "0004567.0", "n/k", "0000", "12"])).to_list()
    ['S100234', '4567', None, None, None]
    """
    bare = text.str.slice(0, 40).str.to_uppercase().str.replace(r"\.0+$", "").str.replace_all(r"[^A-Z0-9]", "")
    short = bare.str.replace(r"^0+(\d)", "$1")
    real = (short.str.len_chars() >= 3) & (short.str.count_matches(r"\d") >= 2) & ~fillers(text)
    real &= ~bare.str.contains(ONE_FIGURE)
    return only(short, real)


def ods_codes(text: pl.Series) -> pl.Series:
    """Codes of the Organisation Data Service in capitals; null for what has another form, words among it.

    >>> ods_codes(pl.Series(["a12345", "RAE 01", "VL-X9P", "n/a", "care", "not known"])).to_list()
    ['A12345', 'RAE01', 'VLX9P', None, None, None]
    """
    bare = letters_and_figures(text)
    return only(bare, bare.str.contains(ODS.pattern) & bare.str.len_chars().is_between(3, 9) & ~fillers(text))


def uprns(text: pl.Series) -> pl.Series:
    """Unique property reference numbers: figures, zeros in front left out; null for fillers, one figure over and
    over, numbers that a spreadsheet rounded (1.0E+11), and for what has other signs.

    >>> uprns(pl.Series(["0100023336956", "10-0023 33695.0", "1.0E+11", "n/k", "999999", "house 5"])).to_list()
    ['100023336956', '10002333695', None, None, None, None]
    """
    bare = text.str.slice(0, 40).str.to_uppercase().str.replace(r"^\s*UPRN\s*:?", "").str.replace(r"\.0+$", "")
    bare = bare.str.replace_all(r"[\s-]", "").str.replace(r"^0+", "")
    real = bare.str.contains(r"^\d+$") & ~bare.str.contains(r"^(?:1+|2+|3+|4+|5+|6+|7+|8+|9+)$") & ~fillers(text)
    return only(bare, real)


def registrations(text: pl.Series) -> pl.Series:
    """Capitals and figures of a professional's registration number; null for fillers and for what has no four
    figures.

    >>> registrations(pl.Series(["SW 51234", "sw051234", "98A1234E", "n/a", "0000", "1111111"])).to_list()
    ['SW51234', 'SW51234', '98A1234E', None, None, None]
    """
    bare = letters_and_figures(text).str.replace(r"^(SW|[A-Z]{2,3})0+(\d{4,})$", "$1$2")
    real = (bare.str.count_matches(r"\d") >= 4) & ~fillers(text) & ~bare.str.contains(ONE_FIGURE)
    return only(bare, real)


def which_valid(code: Code, values: pl.Series) -> NDArray[np.bool_]:
    """Of distinct values, which are right; none for a code without a rule."""
    if code.valid is None:
        return np.zeros(len(values), dtype=bool)
    return np.array([code.valid(one) for one in values.to_list()], dtype=bool)


CODES = {
    "email": Code("e-mail address", emails),
    "upn": Code("pupil number", plain_codes, valid_upn),
    "nino": Code("National Insurance number", ninos, valid_nino),
    "supplier_number": Code("supplier number", supplier_numbers),
    "staff_number": Code("staff number", supplier_numbers),
    "ods_code": Code("ODS code", ods_codes, lambda text: bool(ODS.fullmatch(text))),
    "registration_number": Code(
        "registration number", registrations, lambda text: bool(REGISTERED.fullmatch(text))
    ),
    # 1 to 12 digits and no check digit (GeoPlace, Unique Property Reference Number)
    "uprn": Code("UPRN", uprns, lambda text: 0 < len(text) <= 12),
}
