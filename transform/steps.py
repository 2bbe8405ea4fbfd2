"""The cleaning steps a spec may name. To add one: a function, and its name in STEPS.

A step takes the value as text and the step's argument (the part after the colon, or "") and gives text.
It runs after blanks at both ends are gone and empty texts are null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from casebridge.project.blanks import one_space, without_any
from casebridge.transform.identifiers import OVERSEAS
from casebridge.transform.placeholders import null_placeholders

StepFunction = Callable[[pl.Expr, str], pl.Expr]


def upper(value: pl.Expr, _: str) -> pl.Expr:
    """Capital letters."""
    return value.str.to_uppercase()


def lower(value: pl.Expr, _: str) -> pl.Expr:
    """Small letters."""
    return value.str.to_lowercase()


def collapse_spaces(value: pl.Expr, _: str) -> pl.Expr:
    """Each run of blanks of any kind, tabs and line ends becomes one blank; what has no width goes."""
    return one_space(value)


def digits(value: pl.Expr, _: str) -> pl.Expr:
    """Only the digits; null when there is none."""
    return _or_null(value.str.replace_all(r"[^0-9]", ""))


def nhs_number_text(value: pl.Expr, _: str) -> pl.Expr:
    """Blanks of any kind and dashes between the digits go: `943 476 5919` is `9434765919`."""
    return _or_null(without_any(value, "-"))


def strip_zeros(value: pl.Expr, _: str) -> pl.Expr:
    """No zeros in front; a value of zeros only is `0`."""
    return value.str.replace(r"^0+(.)", "$1")


def zero_pad(value: pl.Expr, width: str) -> pl.Expr:
    """Zeros in front up to a width: `zero_pad:8`."""
    return value.str.pad_start(int(width), "0")


def prefix(value: pl.Expr, text: str) -> pl.Expr:
    """A text in front: `prefix:CF-`."""
    return pl.lit(text) + value


def replace(value: pl.Expr, both: str) -> pl.Expr:
    """Each place of one text becomes another: `replace:St.=>Street`; with nothing behind `=>` it goes."""
    old, arrow, new = both.partition("=>")
    if not (old and arrow):
        raise ValueError("`replace` takes OLD=>NEW, such as replace:St.=>Street")
    return _or_null(value.str.replace_all(old, new, literal=True))


def substring(value: pl.Expr, part: str) -> pl.Expr:
    """Some characters, the first is 1: `substring:3;4` gives four, `substring:3` all from the third on."""
    first, _, length = part.partition(";")
    if not first.isdecimal() or int(first) < 1 or (length and not length.isdecimal()):
        raise ValueError("`substring` takes the first character and how many, such as substring:3;4")
    return _or_null(value.str.slice(int(first) - 1, int(length) if length else None))


def yes_no(value: pl.Expr, _: str) -> pl.Expr:
    """Y or N; blank is N. Anything else stays as it is, for a check to judge."""
    folded = value.str.to_uppercase()
    known = {"Y": "Y", "YES": "Y", "T": "Y", "TRUE": "Y", "1": "Y", "N": "N", "NO": "N", "F": "N",
             "FALSE": "N", "0": "N"}  # fmt: skip
    return folded.replace(known).fill_null("N")


def postcode(value: pl.Expr, _: str) -> pl.Expr:
    """Capital letters and exactly one blank before the inward part; other text only in capitals."""
    packed = _or_null(without_any(value.str.to_uppercase()))
    outward = rf"[A-Z]{{1,2}}[0-9][0-9A-Z]?|GIR|{OVERSEAS}"
    return packed.str.replace(rf"^(?:({outward})([0-9][A-Z]{{2}})|(BFPO)([0-9]{{1,4}}))$", "$1$3 $2$4")


def phone(value: pl.Expr, _: str) -> pl.Expr:
    """Digits and a leading +; brackets, blanks, dots and dashes go. `+44` becomes `0`."""
    packed = without_any(value, "().-")
    return _or_null(packed.str.replace(r"^(\+44|0044)0?", "0"))


def house(value: pl.Expr, _: str) -> pl.Expr:
    """The house number (with its letter or flat) an address line begins with; null when it has none."""
    return value.str.to_uppercase().str.extract(r"^((?:FLAT |UNIT |APT )?[0-9]+[A-Z]?)\b", 1)


def street(value: pl.Expr, _: str) -> pl.Expr:
    """An address line without the house number it begins with, in capitals."""
    bare = value.str.to_uppercase().str.replace(r"^(?:(?:FLAT|UNIT|APT) [0-9A-Z]+,? )?[0-9]+[A-Z]?,? +", "")
    return one_space(bare)


def end_date(value: pl.Expr, _: str) -> pl.Expr:
    """Marks a date column whose open ends (31/12/4712, 31/12/9999 …) mean "not ended"; see `dates`."""
    return value


def first_of(value: pl.Expr, _: str) -> pl.Expr:
    """Marks a column of several sources as the first one that is filled, instead of all joined."""
    return value


def _or_null(value: pl.Expr) -> pl.Expr:
    return pl.when(value != "").then(value)


STEPS: Mapping[str, StepFunction] = {
    "upper": upper,
    "lower": lower,
    "collapse_spaces": collapse_spaces,
    "digits": digits,
    "nhs_number_text": nhs_number_text,
    "null_placeholders": lambda value, _: null_placeholders(value),
    "strip_zeros": strip_zeros,
    "zero_pad": zero_pad,
    "prefix": prefix,
    "replace": replace,
    "substring": substring,
    "yes_no": yes_no,
    "postcode": postcode,
    "phone": phone,
    "house": house,
    "street": street,
    "end_date": end_date,
    "first_of": first_of,
}
