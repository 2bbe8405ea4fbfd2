"""Numbers as systems write them: one grammar for every numeric type.

    1234.50  1,234.50  .5  12.  +12.50  -12.50  12.50-  (12.50)  £ 12.50  -£12.50  £-12.50  5.0E2

A comma stands between groups of three digits, a point before the decimals, as in English. A minus stands in
front or behind, and brackets are a minus, as in accounts. What might be the continental way of writing
(`12,50`, `1.234,50`) is not guessed.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext

import polars as pl

from casebridge.transform.distinct import among_failed, of_distinct

_ROUNDINGS = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN}

_BODY = r"(?:(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?"
_NUMBER = rf"^(?:(?:[-+\u2212]? ?£? ?|£ ?[-+\u2212] ?){_BODY}|£? ?{_BODY} ?[-\u2212]|\( ?£? ?{_BODY} ?\))$"
_MINUS = r"^(?:£ ?)?[-\u2212(]|[-\u2212]$"
_CONTINENTAL = (
    r"^[-+\u2212(]? ?£? ?(?:[0-9]{1,3}(?:\.[0-9]{3})*,[0-9]{1,2}|[0-9]+,[0-9]{1,2}|"
    r"0[0-9]*,[0-9]+|[0-9]{1,3}(?:\.[0-9]{3}){2,})[-\u2212)]?$"
)


def decimal(text: pl.Expr, kind: pl.DataType, scale: int, rounding: str | None = None) -> pl.Expr:
    """Text to a decimal or whole number of type `kind`; null for what is no number, does not fit it, or has more
    than `scale` decimals and no `rounding` (one of spec.ROUNDINGS)."""

    def make(texts: pl.Series) -> pl.Series:
        plain = plain_numbers(texts)
        long = plain.str.contains(rf"\.[0-9]{{{scale}}}[0-9]*[1-9]").fill_null(value=False)
        if long.any():
            at = long.arg_true()
            plain = plain.clone().scatter(at, [_rounded(number, scale, rounding) for number in plain.gather(at)])
        # No digits but zeros are left behind the last place.
        short = plain.str.replace(rf"(\.[0-9]{{{scale}}})0*$", "$1").str.strip_suffix(".")
        return short.cast(kind, strict=False)

    return of_distinct(text, make, kind)


def plain_numbers(texts: pl.Series) -> pl.Series:
    """Each number as a sign, digits, and decimals behind a point; null for what is none."""
    if texts.len() and texts.str.contains(r"^-?[0-9]+(\.[0-9]+)?$").all():
        return texts
    frame = pl.DataFrame({"t": texts})
    text = pl.col("t")
    body = text.str.extract(f"({_BODY})", 1).str.replace_all(",", "", literal=True)
    whole = pl.when(body.str.starts_with(".")).then("0" + body).otherwise(body)
    signed = pl.when(text.str.contains(_MINUS)).then("-" + whole).otherwise(whole)
    plain = frame.select(pl.when(text.str.contains(_NUMBER)).then(signed)).to_series()
    powers = plain.str.contains("[eE]").fill_null(value=False).arg_true()
    if powers.len():
        plain = plain.scatter(powers, [f"{Decimal(number):f}" for number in plain.gather(powers)])
    return plain


def is_not_ambiguous(value: pl.Expr, text: pl.Expr) -> pl.Expr:
    """False where a text was not read because a comma or points in it can be read in two ways."""
    return among_failed(value, text, lambda texts: ~texts.str.contains(_CONTINENTAL))


def has_no_more_decimals(value: pl.Expr, text: pl.Expr, scale: int) -> pl.Expr:
    """False where a number was not taken because it has more decimals than its column."""
    long = rf"\.[0-9]{{{scale}}}[0-9]*[1-9]"
    return among_failed(value, text, lambda texts: ~plain_numbers(texts).str.contains(long).fill_null(value=False))


def _rounded(number: str, scale: int, rounding: str | None) -> str | None:
    if rounding is None:
        return None
    with localcontext() as exact:
        exact.prec = len(number) + scale + 1
        return f"{Decimal(number).quantize(Decimal(1).scaleb(-scale), _ROUNDINGS[rounding]):f}"
