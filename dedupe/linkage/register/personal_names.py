"""What a name field says beside the name: titles, generations (Snr, Jnr), a newborn's temporary name and number.

Each is read apart, once per distinct value, so that a name is compared as a name and the rest as what it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.register.languages import NEWBORN
from casebridge.dedupe.linkage.register.values import clean_text

NO_NAMES = frozenset({"MR", "MRS", "MS", "MISS", "MX", "DR", "REVD", "CLLR", "MSTR"})
TITLES = NO_NAMES | {"PROF", "PROFESSOR", "REV", "SIR", "DAME", "LADY", "LORD"}
AFTER_NAMES = frozenset({"ESQ", "MBE", "OBE", "CBE", "PHD"})
GENERATIONS = {"SNR": 1, "SR": 1, "SENIOR": 1, "JNR": 2, "JR": 2, "JUNIOR": 2, "II": 2, "III": 3, "IV": 4}
_BABY = """
BABY BABE BABYBOY BABYGIRL INFANT UNBORN NEWBORN NEONATE TWIN TWINS TRIPLET TRIPLETS QUAD QUADRUPLET FOETUS FETUS
B/O G/O I/O F/O
"""
BABY = frozenset(_BABY.split())
OF_A_SEX = frozenset({"BOY", "GIRL", "MALE", "FEMALE", "SON", "DAUGHTER", "CHILD"}) | NEWBORN
NUMBERS = {
    word: number
    for number, words in enumerate(
        ("1 A I ONE FIRST 1ST", "2 B II TWO SECOND 2ND", "3 C III THREE THIRD 3RD", "4 D IV FOUR FOURTH 4TH",
         "5 E V FIVE FIFTH 5TH", "6 F VI SIX SIXTH 6TH"),
        1,
    )
    for word in words.split()
}  # fmt: skip
IN_FRONT = re.compile(r"^([1-9]) ?(?=[A-Z])")
JOINED = re.compile(
    r"\b(TWIN|BABY|BABYBOY|BABYGIRL|BOY|GIRL|INFANT|MALE|FEMALE|TRIPLET|UNBORN|BABI|EFAILL|GEFELL)(\d|ONE|TWO|THREE)\b"
)
_WORDS = "|".join(sorted({*TITLES, *AFTER_NAMES, *GENERATIONS, *BABY, *OF_A_SEX}, key=len, reverse=True))
SPECIAL = rf"\b(?:{_WORDS})\b|[0-9]|TWIN|BABY"
PREFIXES = r"(^| )(O|MC|MAC|FITZ) (\p{L})"
NAMES = ("forename", "middle_name")


@dataclass(frozen=True)
class Names:
    """A column of names. text: each distinct value as a name, null for none. Of each distinct value: number, the
    place among children of one birth, 0 for none; generation, 1 for Snr; temporary, a newborn's name."""

    text: pl.Series
    number: NDArray[np.int8]
    generation: NDArray[np.int8]
    temporary: NDArray[np.bool_]


def read_names(distinct: pl.Series, role: str) -> Names:
    """The names among distinct values of a column.

    Hyphens and apostrophes are left out, as people leave them out: HAO-QI is HAO QI, O'BRIEN and O BRIEN OBRIEN.
    """
    cleaned = clean_text(distinct).rename("t").to_frame()
    t = pl.col("t").str.replace_all("'", "").str.replace_all("-", " ").str.replace_all(" +", " ")
    if role not in NAMES:
        t = t.str.replace_all(PREFIXES, "$1$2$3")
    text = cleaned.select(t.str.strip_chars(" ")).to_series()
    size = len(text)
    found = Names(text, np.zeros(size, np.int8), np.zeros(size, np.int8), np.zeros(size, bool))
    rows = text.str.contains(SPECIAL).fill_null(False).arg_true()
    if not len(rows):
        return found
    read = [read_name(name, role) for name in text.gather(rows).to_list()]
    names = pl.Series([one[0] or None for one in read], dtype=pl.String)
    at = rows.to_numpy()
    for array, place in ((found.number, 1), (found.generation, 2), (found.temporary, 3)):
        array[at] = [one[place] for one in read]
    return Names(text.scatter(rows, names), found.number, found.generation, found.temporary)


def read_name(text: str, role: str = "forename") -> tuple[str, int, int, bool]:
    """A cleaned name as (name, number, generation, temporary).

    | field                  | name        | number | generation | temporary |
    |------------------------|-------------|--------|------------|-----------|
    | MR JOHN                | JOHN        | 0      | 0          | no        |
    | JOHN SMITH ESQ         | JOHN SMITH  | 0      | 0          | no        |
    | SMITH JNR              | SMITH       | 0      | 2          | no        |
    | JUNIOR                 | JUNIOR      | 0      | 0          | no        |
    | TWIN 2                 |             | 2      | 0          | yes       |
    | BABY BOY II            |             | 2      | 0          | yes       |
    | INFANT OF SARAH        |             | 0      | 0          | yes       |
    | MALE                   |             | 0      | 0          | yes       |
    | 1SARAH                 |             | 1      | 0          | yes       |
    | BOY A                  |             | 1      | 0          | yes       |
    | SARAH 2                | SARAH       | 2      | 0          | no        |

    The multiplier before the mother's name, and Twin A, are how maternity systems name children of one birth until
    they are registered (The Joint Commission, NPSG.01.01.01, distinct names for newborns, 2019).
    """
    words = JOINED.sub(r"\1 \2", text).split()
    while len(words) > 1 and words[0] in TITLES:
        words = words[1:]
    while len(words) > 1 and words[-1] in AFTER_NAMES | NO_NAMES:
        words = words[:-1]
    if role in NAMES and words[0] in NO_NAMES:
        return "", 0, 0, False
    if role in NAMES and (lead := IN_FRONT.match(text)) and not any(c.isdigit() for c in text[1:]):
        return "", int(lead[1]), 0, True
    if _temporary(words, role):
        return _without_child(words, role), _number(words), 0, True
    generation = GENERATIONS.get(words[-1], 0) if len(words) > 1 else 0
    words = words[:-1] if generation else words
    if role in NAMES and len(words) > 1 and re.fullmatch("[1-9]", words[-1]):
        return " ".join(words[:-1]), int(words[-1]), generation, False
    return " ".join(words), 0, generation, False


def _temporary(words: list[str], role: str) -> bool:
    """Whether a name is what a child is called that has none yet. A surname may be Child or Male."""
    if any(word in BABY for word in words):
        return True
    if role not in NAMES or words[0] not in OF_A_SEX:
        return False
    rest = words[1:]
    return all(word in OF_A_SEX or word in NUMBERS for word in rest) or rest[0] == "OF"


def _without_child(words: list[str], role: str) -> str:
    """Of a surname what is left without the words for a child (TWIN 1 SMITH). A forename beside them is the
    mother's as often as the child's."""
    if role in NAMES:
        return ""
    left = [word for word in words if word not in BABY | OF_A_SEX | {"OF"}]
    return " ".join(word for word in left if word not in NUMBERS)


def _number(words: list[str]) -> int:
    """The first number that stands behind a word for a child; that before one (1ST TWIN) where none does."""
    after = False
    for word in words:
        if after and word in NUMBERS:
            return NUMBERS[word]
        after |= word in BABY or word in OF_A_SEX
    return next((NUMBERS[word] for word in words if word in NUMBERS and len(word) > 1), 0)
