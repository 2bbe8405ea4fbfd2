"""Facts about every distinct name that names are compared by, worked out once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.namewords import NameWords
from casebridge.dedupe.linkage.register.nicknames import families
from casebridge.dedupe.linkage.register.pair_rows import PairSide
from casebridge.dedupe.linkage.register.similarity import Codes, jaro_winkler
from casebridge.dedupe.linkage.register.values import Values

FAMILIES_KEPT = 5
CLOSE, ALIKE = 0.88, 0.76  # Jaro-Winkler similarity from which names are spelled closely, somewhat alike
TAG_FAMILY = np.uint32(16)
EVERY_BIT = np.uint64(2**64 - 1)


class NameTable:
    """Facts about every distinct name that names are compared by; arrays of shape (names, …)."""

    def __init__(self, values: Values) -> None:
        self.values = values
        text = values.text
        self.length = text.str.len_chars().to_numpy().astype(np.int32)
        self.first = text.str.slice(0, 1).rank("dense").fill_null(0).to_numpy().astype(np.int32)
        self.words = NameWords.of(text)
        self.several = self.words.several
        self.families = _families(text)
        self.letters = letter_counts(text)
        self.family_bits = _family_bits(self.families)
        self.special = self.several | (self.length == 1)

    def surely_unlike(self, a: Codes, b: Codes) -> NDArray[np.bool_]:
        """True where whole numbers prove that two names are not even somewhat alike, share no word, initial
        or family of short forms: no need to look at their letters.

        With m letters in common, Jaro's similarity is at most (m/|a| + m/|b| + 1) / 3, and Winkler's rise for
        a shared beginning at most 0.4 of what is then lacking.
        """
        common = np.bitwise_count(self.letters.take(a) & self.letters.take(b))
        long_a, long_b = self.length.take(a), self.length.take(b)
        jaro = (common * (1 / long_a + 1 / long_b) + 1) / 3
        jaro += np.where(self.first.take(a) == self.first.take(b), 0.4, 0.0) * (1 - jaro)
        slips = np.maximum(long_a, long_b) - common > 2
        apart = (jaro < ALIKE) & slips & (self.family_bits.take(a) & self.family_bits.take(b) == 0)
        return apart & ~(self.special.take(a) | self.special.take(b))

    def same_family(self, a: Codes, b: Codes) -> NDArray[np.bool_]:
        return _share_an_item(self.families[a], self.families[b])

    def same_words(self, a: Codes, b: Codes) -> NDArray[np.bool_]:
        """Names of the same words: in another order, joined, or with particles that the other leaves out."""
        found = np.asarray(self.words.letters[a] == self.words.letters[b])
        at = np.flatnonzero(self.several[a] | self.several[b])
        shared = (self.words.shared(a[at], b[at]) >= 0).sum(axis=1)
        count = self.words.count
        found[at] |= (shared > 0) & (shared == count[a[at]]) & (shared == count[b[at]])
        return found

    def same_part(self, a: Codes, b: Codes) -> NDArray[np.bool_]:
        """Names of which one has all words of the other, particles aside, and the other has more.

        One shared word of several is no agreement: in Mohammed Imran and Mohammed Bilal, or Anne Marie and Anne
        Louise, it is the other name that tells the children of a family apart (A Guide to Names and Naming
        Practices, UK government, 2006: the religious name stands first and is not the one people go by).
        """
        found = np.zeros(len(a), dtype=bool)
        at = np.flatnonzero(self.several[a] | self.several[b])
        shared = (self.words.shared(a[at], b[at]) >= 0).sum(axis=1)
        count = self.words.count
        found[at] = (shared > 0) & (shared == np.minimum(count[a[at]], count[b[at]]))
        return found

    def unlike_rests(self, a: Codes, b: Codes) -> NDArray[np.int64]:
        """Places of pairs of names of several words that may share some, to be judged by the others."""
        both = np.flatnonzero(self.several[a] & self.several[b])
        some = (self.words.shared(a[both], b[both]) >= 0).any(axis=1)
        some |= jaro_winkler(self.values, a[both], b[both]) >= ALIKE
        return both[some]

    def same_initial(self, a: Codes, b: Codes) -> NDArray[np.bool_]:
        return ((self.length[a] == 1) | (self.length[b] == 1)) & (self.first[a] == self.first[b])


def _share_an_item(a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.bool_]:
    found = np.zeros(len(a), dtype=bool)
    for i in range(a.shape[1]):
        for j in range(b.shape[1]):
            found |= (a[:, i] == b[:, j]) & (a[:, i] >= 0)
    return found


def letter_counts(text: pl.Series) -> NDArray[np.uint64]:
    """Letters of each name as bits, so that the bits two names share are at least the letters they share:
    the first and the second of each letter. Names with three of a letter, or other signs, get every bit."""
    found = np.zeros(len(text), dtype=np.uint64)
    for number, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        count = text.str.count_matches(letter, literal=True).to_numpy()
        for times in (1, 2):
            found |= np.where(count >= times, np.uint64(1) << np.uint64(2 * number + times - 1), np.uint64(0))
        found |= np.where(count >= 3, EVERY_BIT, np.uint64(0))
    return found | np.where(text.str.contains("[^A-Z]").to_numpy(), EVERY_BIT, np.uint64(0))


def _family_bits(table: NDArray[np.int16]) -> NDArray[np.uint64]:
    found = np.zeros(len(table), dtype=np.uint64)
    for column in table.T:
        found |= np.where(column >= 0, np.uint64(1) << (column % 64).astype(np.uint64), np.uint64(0))
    return found


def name_tags(text: pl.Series) -> NDArray[np.uint32]:
    """A number a name: its first two letters above TAG_FAMILY bits for its chief family of short forms."""
    head = text.str.slice(0, 2).rank("dense").fill_null(0).to_numpy().astype(np.uint32)
    return head << TAG_FAMILY | (_families(text)[:, 0] + 1).astype(np.uint32)


def alike_forenames(register: Register) -> Callable[[PairSide, PairSide], NDArray[np.bool_]] | None:
    """Says of pairs whether the forenames begin alike or may be forms of one name, from one number a row;
    None where the register holds no forenames."""
    if not register.has("forename"):
        return None
    mark = _tagged_forenames(register)

    def alike(left: PairSide, right: PairSide) -> NDArray[np.bool_]:
        a, b = left.of(mark), right.of(mark)
        family = a << TAG_FAMILY
        found = ((a ^ b) >> TAG_FAMILY == 0) | ((family == b << TAG_FAMILY) & (family != 0))
        return np.asarray(found & (a != 0))

    return alike


def same_forenames(register: Register) -> Callable[[PairSide, PairSide], NDArray[np.bool_]] | None:
    """Says of pairs whether the forenames are one name, or short forms of one; None where there are none."""
    if not register.has("forename"):
        return None
    mark = _tagged_forenames(register)

    def same(left: PairSide, right: PairSide) -> NDArray[np.bool_]:
        a, b = left.of(mark) << TAG_FAMILY, right.of(mark) << TAG_FAMILY
        one, other = left.of("forename"), right.of("forename")
        return np.asarray(((one == other) & (one >= 0)) | ((a == b) & (a != 0)))

    return same


def _tagged_forenames(register: Register) -> str:
    names, column = register.values["names"], register.columns["forename"]
    return register.mark("forename", lambda: np.append(name_tags(names.text), np.uint32(0)).take(column))


def _families(text: pl.Series) -> NDArray[np.int16]:
    known = families()
    table = np.full((len(text), FAMILIES_KEPT), -1, dtype=np.int16)
    found = text.is_in(sorted(known)).arg_true()
    for row, name in zip(found.to_list(), text.gather(found).to_list(), strict=True):
        numbers = known[name][:FAMILIES_KEPT]
        table[row, : len(numbers)] = numbers
    return table
