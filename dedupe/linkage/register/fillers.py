"""What stands in a field for "nothing known": words and codes that people and systems write into empty fields.

Sources: field values in published extracts and code lists (SSDA903 and CIN guidance, NHS Data Dictionary "not
known" and "not stated", pandas' and PostgreSQL's text for a null, Excel's error values), and NHS England's list
of words left out of names before records are linked (NHSE_probabilistic_linkage).
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.register.languages import UNKNOWN, UNKNOWN_PHRASES

_ALONE = """
UNKNOWN UNKNOW UNKNWN UNK NK N/K N.K NKN NOTKNOWN NONE NULL NIL NA N/A N.A TEST TESTING DUMMY TBC TBA XX XXX
XXXX XXXXX X ANON ANONYMOUS MISSING REFUSED DECLINED NFA DUPLICATE BLANK EMPTY PENDING AWAITED AWAITING WITHHELD
UNDEFINED UNSPECIFIED UNRECORDED UNDISCLOSED UNAVAILABLE UNALLOCATED UNASSIGNED UNVERIFIED UNTRACED UNSTATED
NOTRECORDED NOTGIVEN NOTSTATED NOTPROVIDED NOTAVAILABLE NOTAPPLICABLE NOTSUPPLIED NOTENTERED NOTSET NONEGIVEN
NONERECORDED NODATA NOVALUE NONAME INVALID VOID FNU LNU NFN NLN
"""
ALONE = frozenset(_ALONE.split()) | UNKNOWN
"""Words that mean it when nothing else stands beside them; FNU and LNU: first, last name unknown."""

_DENYING = """
NOT NO NONE NIL UNKNOWN UNK NK N/K NA N/A TBC TBA MISSING BLANK EMPTY NULL PENDING AWAITED AWAITING REFUSED
REFUSES DECLINED WITHHELD UNABLE UNVERIFIED UNAVAILABLE UNTRACED CONFIRMED DUMMY
"""
DENYING = frozenset(_DENYING.split())
_BESIDE = """
KNOWN RECORDED GIVEN STATED PROVIDED AVAILABLE APPLICABLE DISCLOSED SUPPLIED ENTERED SPECIFIED REQUIRED OBTAINED
HELD FOUND SET YET TO BE ADVISED ALLOCATED ASSIGNED TRACE TRACED TRACING CHECK CHECKED VERIFIED VERIFICATION
DATA INFORMATION INFO DETAILS DETAIL VALUE NUMBER NAME NAMES SURNAME FORENAME FIRST LAST MIDDLE DATE DOB BIRTH
SEX GENDER ADDRESS POSTCODE POST CODE HOUSE STREET PHONE TELEPHONE TEL MOBILE EMAIL MAIL NHS ID CURRENT
CURRENTLY AT PRESENT THIS TIME CLIENT PATIENT PERSON IS WAS HAS OF BY THE ON SYSTEM FIXED ABODE DO USE RECORD
MALE FEMALE CHILD BABY ADULT MAN WOMAN MOTHER FATHER PARENT E OR AND AS A
"""
BESIDE = frozenset(_BESIDE.split())
"""Words that mean it beside one of DENYING, with no word of neither list: "Date of birth not known"."""

PHRASES = ("SEE NOTES", "SEE FILE", "SEE ABOVE", "SEE BELOW", "AS ABOVE", "SAME AS ABOVE", "EX DIRECTORY",
           *UNKNOWN_PHRASES)  # fmt: skip
RAW = r"^(?:\\N|\\\\N|-\d{1,4}(?:\.0+)?|nan|NaN|NaT|<NA>|#(?:N/A|REF!|VALUE!|NAME\?|NULL!|DIV/0!|NUM!))$"
"""Spellings that only mean it as they stand: a person may be called Nan, and N may be an initial."""
NOTHING = r"^[^\p{L}\p{N}]*$"


def fillers(text: pl.Series) -> pl.Series:
    """Which texts say that nothing is known; true for those without a letter or digit, null for null.

    >>> fillers(pl.Series(["Trace pending", "(blank)", "-9", "nan", "Nan", "Not Known Lane", "No", "?"])).to_list()
    [True, True, True, True, False, False, False, True]
    """
    raw = pl.col("t").str.strip_chars()
    words = raw.str.to_uppercase().str.replace_all(r"[^\p{L}\p{N}/.]+", " ").str.strip_chars(" ./")
    every, some = sorted(DENYING | BESIDE), sorted(DENYING)
    alone = raw.str.contains(RAW) | raw.str.contains(NOTHING) | pl.col("w").is_in([*sorted(ALONE), *PHRASES])
    first = pl.col("w").str.extract(r"^(\S+) ").is_in(every).fill_null(False)  # few texts begin so
    frame = text.cast(pl.String).to_frame("t").with_columns(w=words).select("w", alone=alone, first=first)
    found, rows = frame["alone"].rename(text.name), frame["first"].arg_true()
    said = pl.col("w").str.split(" ").list
    several = said.set_difference(every).list.len().eq(0) & said.set_intersection(some).list.len().gt(0)
    among = frame[rows].select(several | pl.col("alone")).to_series()
    return found.scatter(rows, among) if len(rows) else found


def says_what_is_none(cleaned: pl.Series, text: pl.Series) -> NDArray[np.bool_]:
    """Which texts say something, of which nothing is left once they are cleaned."""
    lost = cleaned.is_null().to_numpy(writable=True)
    rows = np.flatnonzero(lost)
    lost[rows] = (~fillers(text.gather(rows))).fill_null(False).to_numpy()
    return lost


def only(text: pl.Series, told: pl.Series) -> pl.Series:
    """The texts of which something is told; null for the others."""
    return pl.select(pl.when(told).then(text)).to_series()
