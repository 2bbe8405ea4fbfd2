"""The words of names that have several: "Mohammed Imran", "van der Berg", "Pérez Ruiz"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rapidfuzz.distance import OSA, JaroWinkler

from casebridge.dedupe.linkage.register.nicknames import families
from casebridge.dedupe.linkage.register.similarity import Codes

WORDS_KEPT = 4
LEAST_SLIP = 4  # letters of a word from which one slip is still the same word

_PARTICLES = """
BIN BINTI BINTE BTE BT IBN BINT UM UMM ABU AL EL UL UR AD AS AN AR VAN VON DER DEN DE DEL DELLA DELA DI DA
DAS DO DOS DU LA LE LAS LOS LES TER TEN TE ZU ZUR ZUM AF AV AP AB FERCH VERCH MAC MC O NI NIC Y E SAN SANTA ST
SAINT
"""
PARTICLES = frozenset(_PARTICLES.split())
"""Words that say whose child one is, or from where, and stand in the names of people who are no kin: "child of" in
Malay and Arabic (A Guide to Names and Naming Practices, UK government, 2006), "of" and "from" in Dutch, German,
French, Portuguese and Spanish, the Arabic article, Welsh ap and ferch, Irish and Scottish Mac, O and Ni."""


@dataclass(frozen=True)
class NameWords:
    """Words of every distinct name without particles, as numbers (names, WORDS_KEPT), -1 where there are no more;
    how many; whether a name is of several words; hash of its letters; the words of those names; and each word by
    its number."""

    numbers: NDArray[np.int32]
    count: NDArray[np.int8]
    several: NDArray[np.bool_]
    letters: NDArray[np.uint64]
    text: dict[int, tuple[str, ...]]
    words: list[str]

    @classmethod
    def of(cls, text: pl.Series) -> NameWords:
        several = text.str.contains("[ -]").fill_null(False).to_numpy()
        rows = np.flatnonzero(several)
        split = {
            int(row): telling_words(name) for row, name in zip(rows, text.gather(rows).to_list(), strict=True)
        }
        known = {
            name: number for number, name in enumerate(dict.fromkeys(w for words in split.values() for w in words))
        }
        numbers = np.full((len(text), WORDS_KEPT), -1, dtype=np.int32)
        if known:
            single = text.replace_strict(known, default=None, return_dtype=pl.Int32).fill_null(-1).to_numpy()
            numbers[:, 0] = single
        for row, words in split.items():
            numbers[row] = -1
            numbers[row, : len(words)] = [known[word] for word in words]
        count = np.where(several, (numbers >= 0).sum(axis=1), 1).astype(np.int8)
        letters = text.str.replace_all("[ '-]", "").hash(3).to_numpy()
        return cls(numbers, count, several, letters, split, list(known))

    def shared(self, a: Codes, b: Codes) -> NDArray[np.int32]:
        """Words of `a` that are words of `b`, by their numbers; -1 for others; shape (pairs, WORDS_KEPT)."""
        mine, other = self.numbers[a], self.numbers[b]
        held = (mine[:, :, None] == other[:, None, :]).any(axis=2) & (mine >= 0)
        return np.where(held, mine, np.int32(-1))

    def use(self, column: NDArray[np.int32]) -> NDArray[np.int64]:
        """How many rows of a column hold each word."""
        rows = self.numbers[column[column >= 0]]
        return np.bincount(rows[rows >= 0], minlength=max(1, len(self.words)))


def telling_words(name: str) -> tuple[str, ...]:
    """The words of a name of two letters and more, without particles; all of them where there are no others.

    >>> telling_words("VAN DER BERG"), telling_words("MARY J"), telling_words("DE LA")
    (('BERG',), ('MARY',), ('DE', 'LA'))
    """
    words = name.replace("-", " ").split()
    left = [word for word in words if len(word) > 1 and word not in PARTICLES]
    return tuple((left or words)[:WORDS_KEPT])


def without_common(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, str]:
    """What is left of two names once the words are taken out that are one: the same, a short form, or a slip away;
    nothing of names that are one but for where the words are parted (Abd Elrahman, Abdul Rahman).

    >>> without_common(("MOHAMMED", "IMRAN"), ("MOHAMED", "BILAL"))
    ('IMRAN', 'BILAL')
    >>> without_common(("ANNE", "MARIE"), ("ANNE",))
    ('MARIE', '')
    """
    rest = list(b)
    left = []
    for word in a:
        match = next((other for other in rest if one_word(word, other)), None)
        if match is None:
            left.append(word)
        else:
            rest.remove(match)
    if left and rest and OSA.distance("".join(a), "".join(b), score_cutoff=1) <= 1:
        return "", ""
    return " ".join(left), " ".join(rest)


def one_word(a: str, b: str) -> bool:
    """Whether two words are one name: the same, forms of one name, or a slip away where both are long."""
    if a == b or set(FAMILIES.get(a, ())) & set(FAMILIES.get(b, ())):
        return True
    return min(len(a), len(b)) >= LEAST_SLIP and OSA.distance(a, b, score_cutoff=1) <= 1


def likeness(a: str, b: str) -> tuple[float, int]:
    """Jaro-Winkler similarity and optimal string alignment distance of two texts."""
    return JaroWinkler.similarity(a, b), OSA.distance(a, b)


FAMILIES = families()
