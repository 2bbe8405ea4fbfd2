"""Comparing codes that name a person: e-mail address, pupil number, National Insurance number."""

from __future__ import annotations

import numpy as np
import polars as pl

from casebridge.dedupe.linkage.comparisons.equality import held_by_more, quick_equal, value_comparison
from casebridge.dedupe.linkage.comparisons.levels import (
    AGREES,
    MET,
    SLIP,
    TWO,
    Comparison,
    Level,
    Levels,
    level,
    with_given,
)
from casebridge.dedupe.linkage.comparisons.namepairs import second_set
from casebridge.dedupe.linkage.comparisons.names import ALIKE_FORENAME
from casebridge.dedupe.linkage.register.codes import CODES, which_valid
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.nametable import alike_forenames
from casebridge.dedupe.linkage.register.pair_rows import PairSide
from casebridge.dedupe.linkage.register.similarity import Codes, edits, per_distinct_pair
from casebridge.dedupe.linkage.register.values import Values

MANY_HOLDERS = 4
EMAIL_LEVELS = (
    level("same e-mail address", 0.60, 0.30, 0.20, 0.20, moved=0.50, tag=MET),
    level("same e-mail address, one that many records hold", 0.02, 0.08, 0.08, 0.08),
    level("same name before the @", 0.05, 0.004, 0.004, 0.004),
    level("e-mail address spelled closely", 0.05, 0.006, 0.006, 0.006),
    level("e-mail addresses differ", 0.28, 0.61, 0.71, 0.71, moved=0.38),
)


def code_levels(kind: str) -> tuple[Level, ...]:
    """Levels of a number with a rule by which it can be told right or wrong, as NHS numbers have them."""
    return (
        level(f"same {kind}", 0.94, 0.004, 0.0003, 0.0003, tag=AGREES),
        level(f"same {kind}, one that cannot be right", 0.01, 0.0005, 0.0001, 0.0001),
        level(f"{kind} one sign or one swap away", 0.02, 0.001, 0.0005, 0.0005, tag=SLIP),
        level(f"two different valid {kind}s", 0.017, 0.967, 0.98, 0.98, tag=TWO),
        level(f"{kind}s differ, one cannot be right", 0.013, 0.0275, 0.0191, 0.0191, tag=TWO),
    )


def email_comparison(register: Register) -> list[Comparison]:
    """E-mail addresses. Families share them, so they are no number that names a person; a provider changes more
    often than the name before the @. Close is what five slips explain, one of them at most in a figure. Addresses
    are made of names and providers: john.smith12@ and john.smythe12@ of one provider may well be two people. So
    pairs whose forenames are alike have levels of their own."""
    values = register.values["email"]
    figures = Values(values.text.str.replace_all(r"\D", ""))
    local = values.text.str.replace(r"@.*$", "").rank("dense").cast(pl.Int32).to_numpy()
    alike, size = alike_forenames(register), len(EMAIL_LEVELS)
    levels = with_given(EMAIL_LEVELS, ALIKE_FORENAME) if alike else EMAIL_LEVELS
    null, rest = len(levels), tuple(range(2, size))
    opens = (rest, tuple(size + k for k in rest)) if alike else (rest,)

    equal = quick_equal("email", held_by_more(register, "email", MANY_HOLDERS), null)

    def quick(left: PairSide, right: PairSide) -> Levels:
        found = equal(left, right)
        return second_set(found, alike(left, right), size, null) if alike else found

    def judge(a: Codes, b: Codes) -> Levels:
        found = np.full(len(a), size - 1, dtype=np.uint8)
        found[(edits(values, a, b, most=5) <= 5) & (edits(figures, a, b, most=1) <= 1)] = 3
        found[local[a] == local[b]] = 2
        return found

    def settle(left: PairSide, right: PairSide) -> Levels:
        found = per_distinct_pair(left.of("email"), right.of("email"), judge)
        return found + alike(left, right) * np.uint8(size) if alike else found

    given = ("forename",) if alike else ()
    return [Comparison("email", levels, quick, settle, opens, moves=True, given=given)]


def code_comparison(register: Register, role: str, levels: tuple[Level, ...] | None = None) -> list[Comparison]:
    """Codes of which each names one entity, by the rule that tells right ones from wrong. levels: those of
    `code_levels`, with what another kind believes of them."""
    values = register.values[role]
    valid = which_valid(CODES[role], values.text)
    checked = register.known.fact(f"{role}: checked", lambda: bool(valid.sum() >= max(1, 0.5 * len(valid))))
    valid &= checked
    same = (~valid & checked).astype(np.uint8)

    def judge(a: Codes, b: Codes) -> Levels:
        found = np.where(valid[a] & valid[b], np.uint8(3), np.uint8(4))
        found[edits(values, a, b, most=1) <= 1] = 2
        return found

    levels = levels or code_levels(CODES[role].kind)
    return [value_comparison(role, levels, same, judge, 2, identifier=True)]


def upn_comparison(register: Register) -> list[Comparison]:
    """Unique pupil numbers, by their check letter."""
    return code_comparison(register, "upn")


def nino_comparison(register: Register) -> list[Comparison]:
    """National Insurance numbers, by their form: they have no check digit."""
    return code_comparison(register, "nino")
