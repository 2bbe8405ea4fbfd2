"""The words of organisations' names: which tell one body from another, and which say what sort of body it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jellyfish
import numpy as np
import polars as pl
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from casebridge.dedupe.linkage.register.content import text_keys
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.known import ValueTable
from casebridge.dedupe.linkage.register.organisation_names import SORTS

HELD = "holders of words of names"
LEAST_SLIP = 4  # letters of a word from which one slip is still the same word
COMMON, LEAST_COMMON = 0.02, 20  # share of the records, and records, from which a word tells nothing by itself
NUMBERED = frozenset(["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"])


class OrganisationWords:
    """Words of every distinct name. text: the words of each; holders: records that hold each word; sorts: words
    that say what sort of body it is, by themselves or because many hold them."""

    def __init__(self, names: Sequence[str], holders: Mapping[str, int], line: float) -> None:
        self.text = [tuple(name.split()) for name in names]
        self.holders = holders
        self.sorts = SORTS | {word for word, many in holders.items() if many >= line}

    @classmethod
    def of(cls, register: Register) -> OrganisationWords:
        """The words of a register's names; how many hold them as a kept model has it, where there is one."""
        names, known = register.values["name"].all(), register.known
        if not known.frozen:
            holders = _holders(names, register.columns["name"])
            several = pl.Series([word for word, many in holders.items() if many > 1], dtype=pl.String)
            counts = np.array([holders[word] for word in several.to_list()], dtype=np.float64)
            known.table(HELD, lambda: ValueTable.of(text_keys(several), counts, 1.0))
            known.fact(HELD, lambda: int((register.columns["name"] >= 0).sum()))
        words = pl.Series(sorted({word for name in names for word in name.split()}), dtype=pl.String)
        held = known.tables[HELD].look_up(text_keys(words)).astype(int)
        total = known.fact(HELD, lambda: int((register.columns["name"] >= 0).sum()))
        line = max(LEAST_COMMON, COMMON * total)
        return cls(names, dict(zip(words.to_list(), held.tolist(), strict=True)), line)

    def telling(self, words: tuple[str, ...]) -> list[str]:
        """Words that tell one body from another and that another record holds, the rarest first."""
        left = [word for word in words if word not in self.sorts and self.holders.get(word, 0) > 1]
        return sorted(dict.fromkeys(left), key=lambda word: (self.holders[word], word))

    def telling_at(self, place: int) -> pl.Series:
        """Of each name its telling word at a place; null where it has fewer."""
        found = [self.telling(words)[place : place + 1] for words in self.text]
        return pl.Series([one[0] if one else None for one in found], dtype=pl.String)


def _holders(names: Sequence[str], column: NDArray[np.int32]) -> dict[str, int]:
    often = np.bincount(column[column >= 0], minlength=len(names))
    found: dict[str, int] = {}
    for name, many in zip(names, often.tolist(), strict=True):
        for word in set(name.split()):
            found[word] = found.get(word, 0) + many
    return found


def in_any_order(names: pl.Series) -> pl.Series:
    """The words of each name in the order of the alphabet."""
    return names.str.split(" ").list.sort().list.join(" ")


def first_sounds(names: pl.Series) -> pl.Series:
    """How the first word of each name sounds that says more than a sort; null where there is none."""
    first = [next((word for word in name.split() if word not in SORTS), None) for name in names.to_list()]
    return pl.Series([jellyfish.soundex(w) if w and w.isalpha() else w for w in first], dtype=pl.String)


def numbers_of(words: tuple[str, ...]) -> frozenset[str]:
    """Words that number one of several: figures, Roman numerals, single letters at the end."""
    found = {word for word in words if word.isdigit() or word in NUMBERED}
    return frozenset(found | ({words[-1]} if words and len(words[-1]) == 1 else set()))


def one_word(a: str, b: str) -> bool:
    """Whether two words are one: the same, or a slip apart where both are long and of letters."""
    if a == b:
        return True
    long = min(len(a), len(b)) >= LEAST_SLIP and a.isalpha() and b.isalpha()
    return long and OSA.distance(a, b, score_cutoff=1) <= 1


def without_common(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[list[str], list[str], list[str], int]:
    """Words of `a`, words of `b` without those that are one, the words shared, and how many of these have a
    slip."""
    rest, left, shared, slips = list(b), [], [], 0
    for word in a:
        match = word if word in rest else next((other for other in rest if one_word(word, other)), None)
        if match is None:
            left.append(word)
            continue
        rest.remove(match)
        shared.append(word)
        slips += match != word
    return left, rest, shared, slips
