"""What becomes of a source row: the places and causes the truth speaks of, as small numbers.

A row's cause is the first that applies, in the order of the pipeline: unreadable, doubled key, excluded,
column and row rules, references. A child asks its parents last, so a number that is not LOADED stands.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

Verdicts = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_TABLE: Final = (
    ("loaded", None),
    ("combined", None),
    ("rejected", "ragged_line"),
    ("rejected", "broken_quote"),
    ("rejected", "nul_byte"),
    ("rejected", "undecodable"),
    ("rejected", "duplicate_key"),
    ("excluded", "test_record"),
    ("excluded", "retention_passed"),
    ("rejected", "required"),
    ("rejected", "money"),
    ("rejected", "date"),
    ("rejected", "self_relationship"),
    ("rejected", "period"),
    ("held", "unmapped_code"),
    ("held", "missing_chunk"),
    ("held", "file_missing"),
    ("held", "file_changed"),
    ("held", "unreferenced_file"),
    ("rejected", "orphan"),
    ("rejected", "parent"),
    ("excluded", "parent"),
    ("held", "parent"),
)
(
    LOADED,
    COMBINED,
    RAGGED,
    BROKEN_QUOTE,
    NUL,
    UNDECODABLE,
    DUPLICATE_KEY,
    TEST_RECORD,
    RETENTION,
    REQUIRED,
    MONEY,
    DATE,
    SELF,
    PERIOD,
    UNMAPPED,
    MISSING_CHUNK,
    FILE_MISSING,
    FILE_CHANGED,
    UNREFERENCED,
    ORPHAN,
    PARENT_REJECTED,
    PARENT_EXCLUDED,
    PARENT_HELD,
) = range(len(_TABLE))

UNREADABLE: Final = (RAGGED, BROKEN_QUOTE, NUL, UNDECODABLE)
PLACES: Final = pl.Series([place for place, _ in _TABLE])
CAUSES: Final = pl.Series([cause for _, cause in _TABLE], dtype=pl.String)


def _what_a_child_takes() -> Verdicts:
    by_place = {"rejected": PARENT_REJECTED, "excluded": PARENT_EXCLUDED, "held": PARENT_HELD}
    taken = [by_place.get(place, LOADED) for place, _ in _TABLE]
    for unreadable in UNREADABLE:
        taken[unreadable] = ORPHAN  # nobody can read the parent's key, so there is no such parent
    return np.array([*taken, ORPHAN], dtype=np.uint8)


_TAKEN: Final = _what_a_child_takes()


def inherit(own: Verdicts, *references: tuple[Verdicts, npt.NDArray[np.int64]]) -> Verdicts:
    """A row's own verdict, or else what its parents pass on, asked in order; row -1 is a parent nobody has."""
    out = own.copy()
    for parents, row in references:
        padded = np.append(parents, np.uint8(len(_TABLE)))
        out = np.where(out == LOADED, _TAKEN[padded[row]], out).astype(np.uint8)
    return out


def resolvable(parents: Verdicts, row: npt.NDArray[np.int64]) -> Mask:
    """Whether an optional reference finds a loaded row."""
    padded = np.append(parents, np.uint8(ORPHAN))
    return np.asarray(padded[row] == LOADED, dtype=np.bool_)
