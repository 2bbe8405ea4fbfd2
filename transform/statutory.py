"""Identifiers and codes of statutory returns, and dates that cannot be. Each rule has its source, and examples
that are its test.

A check takes the cleaned text (or, where it says so, the value) and its argument, and is true for a good value. A
rule over several columns takes, for each, its text in the source and its value, and is true for a good row.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from casebridge.project.spec import OnFail
from casebridge.transform.identifiers import UPN_LETTERS, upn

Codes = Mapping[int, str]
"""The first collection year (that of its 31 March) for which a list of codes holds, and the codes."""

LEGAL_STATUS: Codes = {0: "C1 C2 D1 E1 V2 V3 V4 J1 J2 J3 L1 L2 L3"}
NEED: Codes = {0: "N1 N2 N3 N4 N5 N6 N7 N8"}
NEW_EPISODE: Codes = {0: "S P L T U B"}
END_REASON: Codes = {0: "E11 E12 E13 E14 E15 E16 E17 E2 E3 E41 E45 E46 E47 E48 E4A E4B E5 E6 E7 E8 E9 X1"}
SEX: Codes = {0: "1 2", 2025: "M F U"}
ETHNICITY: Codes = {
    0: "WBRI WIRI WOTH WIRT WROM MWBC MWBA MWAS MOTH AIND APKN ABAN AOTH BCRB BAFR BOTH CHNE OOTH REFU NOBT"
}
_PLACES = "A3 A4 A5 A6 K1 K2 P1 P3 R1 R2 R3 R5 S1 T0 T1 T2 T3 T4 U1 U2 U3 U4 U5 U6"
PLACEMENT: Codes = {
    0: f"{_PLACES} H5 P2 Z1", 2025: f"{_PLACES} K3 H5 P2 Z1", 2026: f"{_PLACES} K3 Z11 Z12 Z13 Z14",
}  # fmt: skip


def temporary_upn(value: pl.Expr, _: str) -> pl.Expr:
    """A UPN that a school gave for a while: its last character is a letter, and its check letter is right.

    | good | bad |
    |---|---|
    | `U80120000100A` | `H801200001001` |
    | `V80120000100T` | `A80120000100A` |

    Source: DfE, A guide to unique pupil numbers 1.2.
    """
    return upn(value) & value.str.contains(f"[{UPN_LETTERS}]$")


def uln(value: pl.Expr, _: str) -> pl.Expr:
    """A unique learner number: ten digits, the first not 0; weights 10 to 2; the last is 10 less the sum modulo
    11, and a sum without a remainder belongs to none.

    | good | bad |
    |---|---|
    | `9276308686` | `9276308687` |
    | `1000000043` | `0276308686` |
    | `1000000019` | `927630868` |

    Source: Learning Records Service, ULN validation; HESA field ULN.
    """
    digit = [value.str.slice(place, 1).cast(pl.Int64, strict=False) for place in range(10)]
    total = functools.reduce(operator.add, (digit[place] * (10 - place) for place in range(9)))
    return value.str.contains(r"^[1-9][0-9]{9}$") & (10 - total % 11 == digit[9])


def nino(value: pl.Expr, _: str) -> pl.Expr:
    """A National Insurance number by its form: two letters, six digits, a suffix from A to D. Temporary and
    administrative prefixes (TN, OO, CR, FY, MW, NC, PP) are none.

    | good | bad |
    |---|---|
    | `AB123456C` | `AB123456E` |
    | `ZY987654A` | `DA123456C` |
    | `JN000001D` | `AO123456C` |
    | `CE123456B` | `GB123456C` |
    | `PA123456A` | `PP123456A` |
    | `MA123456B` | `TN010158M` |

    Source: HMRC, National Insurance Manual NIM39110.
    """
    prefix = value.str.slice(0, 2)
    barred = ["BG", "GB", "KN", "NK", "NT", "TN", "ZZ", "OO", "CR", "FY", "MW", "NC", "PP"]
    form = value.str.contains(r"^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]$")
    return form & ~prefix.is_in(barred)


def uprn(value: pl.Expr, _: str) -> pl.Expr:
    """A unique property reference number: 1 to 12 digits, not only zeros. It has no check digit.

    | good | bad |
    |---|---|
    | `100023336956` | `1000233369561` |
    | `1` | `000000000000` |
    | `000010090455` | `10 009` |

    Source: GeoPlace, UPRN; BS 7666-1:2006.
    """
    return value.str.contains(r"^[0-9]{1,12}$") & value.str.contains("[1-9]")


def ods_practice(value: pl.Expr, _: str) -> pl.Expr:
    """The ODS code of a general practice in England: a letter and five digits. Whether it is open is not asked.

    | good | bad |
    |---|---|
    | `A12345` | `A1234` |
    | `Y00001` | `12345A` |
    | `V81997` | `V81998` |

    V81998 and V81999 stand for "not known" and "not applicable". Source: NHS Data Dictionary, general medical
    practice code.
    """
    return value.str.contains(r"^[A-Z][0-9]{5}$") & ~value.is_in(["V81998", "V81999"])


def ssda903_id(value: pl.Expr, _: str) -> pl.Expr:
    """A looked after child's id of the return: up to ten signs without a blank. That it stays the same from year
    to year is not asked.

    | good | bad |
    |---|---|
    | `0000012345` | `00000123456` |
    | `LAC/77-1` | `LAC 77` |

    Source: DfE, Children looked after (SSDA903) guide: child identifier.
    """
    return value.str.contains(r"^[A-Za-z0-9/_.\-]{1,10}$")


def ssda903_legal_status(value: pl.Expr, year: str) -> pl.Expr:
    """A legal status.

    | good | bad |
    |---|---|
    | `C2` | `V1` |
    | `V4` | `c2` |

    Source: SSDA903 rule 144.
    """
    return _in_list(value, LEGAL_STATUS, year)


def ssda903_placement(value: pl.Expr, year: str) -> pl.Expr:
    """A placement type, of the collection year that the argument names (`ssda903_placement:2025`), or of the
    latest.

    | good | bad |
    |---|---|
    | `U1` | `U7` |
    | `K3` | `P2` |
    | `Z11` | `Z1` |
    | `:2024 Z1` | `:2024 K3` |
    | `:2025 K3` | `:2025 Z11` |

    Source: SSDA903 rule 146 of the collections 2023, 2025 and 2026.
    """
    return _in_list(value, PLACEMENT, year)


def ssda903_need(value: pl.Expr, year: str) -> pl.Expr:
    """A category of need.

    | good | bad |
    |---|---|
    | `N1` | `N9` |

    Source: SSDA903 rule 145.
    """
    return _in_list(value, NEED, year)


def ssda903_new_episode(value: pl.Expr, year: str) -> pl.Expr:
    """A reason for a new episode.

    | good | bad |
    |---|---|
    | `S` | `X` |

    Source: SSDA903 rule 143.
    """
    return _in_list(value, NEW_EPISODE, year)


def ssda903_end_reason(value: pl.Expr, year: str) -> pl.Expr:
    """A reason for which an episode ceased.

    | good | bad |
    |---|---|
    | `E4A` | `E4` |
    | `X1` | `E1` |

    Source: SSDA903 rule 149.
    """
    return _in_list(value, END_REASON, year)


def ssda903_ethnicity(value: pl.Expr, year: str) -> pl.Expr:
    """An ethnic code.

    | good | bad |
    |---|---|
    | `WBRI` | `WHITE` |
    | `NOBT` | `XXXX` |

    Source: SSDA903 rule 103.
    """
    return _in_list(value, ETHNICITY, year)


def ssda903_sex(value: pl.Expr, year: str) -> pl.Expr:
    """A sex, of the collection year that the argument names, or of the latest.

    | good | bad |
    |---|---|
    | `U` | `I` |
    | `:2024 1` | `:2024 M` |
    | `:2025 M` | `:2025 1` |

    Source: SSDA903 rule 101 of the collections 2023 and 2025.
    """
    return _in_list(value, SEX, year)


def age(value: pl.Expr, day: str) -> pl.Expr:
    """A day of birth, judged on the day that the argument names (`age:2026-04-01`): at most 115 years before it,
    and not more than 280 days after it, for a child that is expected.

    | good | bad |
    |---|---|
    | `:2026-04-01 1911-04-01` | `:2026-04-01 1911-03-31` |
    | `:2026-04-01 2026-12-01` | `:2026-04-01 2027-02-01` |

    Source: DfE CIN census rules 8520, 8530 (expected dates of birth). Ages over 115 are slips of the keyboard:
    see the placeholders of the council's own cleansing lists.
    """
    on = pl.lit(day).str.to_date(strict=False)
    born = value.cast(pl.Date)
    return (born >= on.dt.offset_by("-115y")) & (born <= on.dt.offset_by("280d"))


def _in_list(value: pl.Expr, lists: Codes, year: str) -> pl.Expr:
    latest = int(year) if year and not is_year(year) else max(lists)
    first = max(since for since in lists if since <= latest)
    return value.is_in(lists[first].split())


def is_year(text: str) -> str:
    """What is wrong with the argument of a check that takes a collection year, or nothing."""
    fits = text == "" or (text.isascii() and text.isdigit() and 2023 <= int(text) <= 2100)
    return "" if fits else "takes a collection year, such as 2026 for the one that ends on 31 March 2026"


def is_day(text: str) -> str:
    """What is wrong with the argument of a check that takes a day, or nothing."""
    made = pl.select(pl.lit(text, dtype=pl.String).str.to_date("%Y-%m-%d", strict=False)).item()
    return "" if made and len(text) == 10 else "takes a day, such as 2026-04-01"


@dataclass(frozen=True)
class Side:
    """A column in a rule over several: its text in the source, after its steps, and its value."""

    text: pl.Expr
    value: pl.Expr


def death_before_birth(born: Side, died: Side) -> pl.Expr:
    """Nobody dies before the day of birth.

    | good | bad |
    |---|---|
    | `1950-05-04, 1950-05-04` | `1950-05-04, 1950-05-03` |
    | `1950-05-04, ∅` | `2050-05-04, 2020-01-01` |

    Source: NHS Data Dictionary, person death date.
    """
    return died.value.cast(pl.Date) >= born.value.cast(pl.Date)


def age_over_115(born: Side, until: Side) -> pl.Expr:
    """From birth to the second day (death, or the last time somebody was seen) lie at most 115 years.

    | good | bad |
    |---|---|
    | `1900-01-01, 2015-01-01` | `1900-01-01, 2016-01-02` |
    | `1900-01-01, ∅` | `1799-12-31, 1915-01-01` |

    Source: see `age`.
    """
    return until.value.cast(pl.Date) <= born.value.cast(pl.Date).dt.offset_by("115y")


def end_before_start(start: Side, end: Side) -> pl.Expr:
    """What has ended did not end before it began; a day without a clock is compared as a day.

    | good | bad |
    |---|---|
    | `2024-01-05, 2024-01-05` | `2024-01-05, 2024-01-04` |
    | `2024-01-05, ∅` | `2024-01-05, 2019-12-31` |

    Source: SSDA903 rule 151; DfE CIN census rule 8840.
    """
    return end.value.cast(pl.Date) >= start.value.cast(pl.Date)


def closed_stays_closed(end: Side) -> pl.Expr:
    """Work that the old system had ended is not open in the new one because its end could not be read.

    | good | bad |
    |---|---|
    | `2024-01-05` | `?` |
    | `∅` | `?` |

    A text without a value is a closed piece of work that would open again. Source: the Child Support Agency's
    migration, in which closed cases came back to life.
    """
    return end.value.is_not_null() | end.text.is_null()


@dataclass(frozen=True)
class RowRule:
    """A rule over several columns that a spec names: how many it takes, and what a failure does where the spec
    says nothing."""

    holds: Callable[..., pl.Expr]
    columns: int
    severity: OnFail

    def of(self, sides: Sequence[Side]) -> pl.Expr:
        """True (or null) for a good row."""
        return self.holds(*sides)


ROW_RULES: Mapping[str, RowRule] = {
    "death_before_birth": RowRule(death_before_birth, 2, OnFail.HOLD),
    "age_over_115": RowRule(age_over_115, 2, OnFail.WARN),
    "end_before_start": RowRule(end_before_start, 2, OnFail.WARN),
    "closed_stays_closed": RowRule(closed_stays_closed, 1, OnFail.HOLD),
}
