"""Comparing what an employer gives each of its staff: logins and staff numbers.

Starting beliefs stand in the order of the profiles of `kinds.professional`: one who stayed, one who moved, two of
a family.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.codes import MANY_HOLDERS
from casebridge.dedupe.linkage.comparisons.equality import held_by_more, value_comparison
from casebridge.dedupe.linkage.comparisons.levels import AGREES, UNLIKE, Comparison, Level, Levels
from casebridge.dedupe.linkage.comparisons.registry import ALIKE
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.pair_rows import PairSide
from casebridge.dedupe.linkage.register.similarity import Codes, edits, jaro_winkler

LETTERS = 4
LOGIN_LEVELS = (
    Level("same login", (0.15, 0.15, 0.002), tag=AGREES),
    Level("same login, one that many records hold", (0.02, 0.02, 0.01)),
    Level("logins alike, as those made of one name are", (0.45, 0.45, 0.30)),
    Level("logins differ", (0.38, 0.38, 0.688)),
)
STAFF_NUMBER_LEVELS = (
    Level("same staff number", (0.90, 0.90, 0.0005), tag=AGREES),
    Level("same staff number, one that many records hold", (0.01, 0.01, 0.001)),
    Level("staff number one sign or one swap away", (0.03, 0.03, 0.01), tag=UNLIKE),
    Level("staff numbers differ", (0.06, 0.06, 0.9885), tag=UNLIKE),
)
"""One sign off is another's as often as a slip: numbers are given in a row."""


def login_comparison(register: Register) -> list[Comparison]:
    """Logins. A system gives each record another, so that one who is entered twice has two as a rule."""
    return [_of_employer(register, "login", LOGIN_LEVELS, alike=True)]


def staff_number_comparison(register: Register) -> list[Comparison]:
    """Staff numbers. Who came back may have a second."""
    return [_of_employer(register, "staff_number", STAFF_NUMBER_LEVELS)]


def own_mailboxes(register: Register, found: Sequence[Comparison]) -> list[Comparison]:
    """The comparison of e-mail addresses, in which one that does not bear the last name of both counts as one that
    many records hold: duty@ and adoption.east@ are a team's, however few hold them."""
    if not (found and register.has("surname") and register.has("email")):
        return [*found]
    mark = register.mark("own mailbox", lambda: _bear_the_name(register))
    return [replace(one, quick=_but_of_teams(one, mark)) for one in found]


def _but_of_teams(one: Comparison, mark: str) -> Callable[[PairSide, PairSide], Levels]:
    size = one.groups[0]

    def quick(left: PairSide, right: PairSide) -> Levels:
        levels = one.quick(left, right)
        teams = (levels < one.null) & (levels % size == 0) & ~(left.of(mark) & right.of(mark))
        return levels + teams.astype(np.uint8)

    return quick


def _bear_the_name(register: Register) -> NDArray[np.bool_]:
    """Whether a row's last name stands before the @ of its e-mail address: as a part by itself, or, from LETTERS
    on, anywhere: liaison@ is not Li's."""
    mailboxes, names = register.values["email"].text, register.values["names"].text
    local = "." + mailboxes.str.replace(r"@.*$", "").str.to_uppercase().str.replace_all(r"[^A-Z]+", ".") + "."
    bare = names.str.replace_all(r"[^A-Z]", "")
    told = pl.DataFrame({
        "local": _of_rows(local, register.columns["email"]), "name": _of_rows(bare, register.columns["surname"]),
    })  # fmt: skip
    alone = pl.col("local").str.contains("." + pl.col("name") + ".", literal=True)
    within = pl.col("local").str.replace_all(".", "", literal=True).str.contains(pl.col("name"), literal=True)
    own = (alone | within & (pl.col("name").str.len_chars() >= LETTERS)) & (pl.col("name") != "")
    return told.select(own.fill_null(value=False)).to_series().to_numpy()


def _of_rows(texts: pl.Series, codes: NDArray[np.integer]) -> pl.Series:
    return texts.gather(pl.Series(codes).replace(-1, None).cast(pl.UInt32))


def _of_employer(register: Register, role: str, levels: tuple[Level, ...], alike: bool = False) -> Comparison:
    """alike: values are close that share most of their letters, too, and not only those a slip apart."""
    values = register.values[role]

    def judge(a: Codes, b: Codes) -> Levels:
        close = edits(values, a, b, most=1) <= 1
        if alike:
            close |= jaro_winkler(values, a, b) >= ALIKE
        return np.where(close, np.uint8(2), np.uint8(3))

    return value_comparison(role, levels, held_by_more(register, role, MANY_HOLDERS), judge, 2)
