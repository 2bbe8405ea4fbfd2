"""What the files between the stages hold. A stage knows this page, never another stage's code.

Row numbers. `_row` is unique in a whole project: the source's number (given out once by the ledger) in
the high bits, the record's place among the records of its source in the low 40. So a list of row
numbers is lineage enough: it names source rows of any number of tables.

extract    raw          one row a readable record: ORIGIN, then every source column as text
           unreadable   one row a physical line that is no record, kept whole with the reason
transform  clean        ROWS, the target's columns in its types (references still as legacy keys, no
                        primary key), evidence columns with the prefix `ev_`
           quarantine   QUARANTINE: a row for each failed check
           ids          (key, id): target ids given out, once, per system and target table
dedupe     pairs        candidate pairs with their probability
           crosswalk    CROSSWALK: one row for each row of a register that takes part
           spaces       SPACES: the specs of the registers, with what stands before their keys
           withheld     CROSSWALK: rows that were rejected, held or excluded, of a person who is somebody's
                        survivor or itself in the crosswalk, as people decided: only their marks count
           displaced    DISPLACED: survivors whose own name gave way to that of a record folded into them
           preflight    what stands in the way of merges, by pair; `apart`: groups that were not folded for it
           evidence     what reviewers see of the people in pairs: one SQLite file, of the last run only
           golden       survivors whose values changed, in the shape of `clean`
load       rows         ROWS, then every column of the target, keys resolved: what the target holds
           quarantine   QUARANTINE: orphans, children of parents that are not loaded, misfits
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping

import polars as pl

ROW, REST, KEY = "_row", "_rest", "_key"
FILE, LINE, LINES = "_file", "_line", "_lines"
SOURCE_SHIFT = 40

ORIGIN: Mapping[str, pl.DataType] = {
    ROW: pl.Int64(),
    FILE: pl.String(),
    LINE: pl.Int64(),
    LINES: pl.Int32(),
}
"""`_line` is the first physical line of the record, from 1; `_lines` how many it spans."""

DISPUTED = "_disputed"
OURS = frozenset({ROW, REST, KEY, FILE, LINE, LINES, DISPUTED})
"""The columns beside a source's own, in batches and in queries."""

_LIKE_OURS = re.compile(f"(?:{'|'.join(sorted(OURS))})_*", re.IGNORECASE)


def raw_name(column: str) -> str:
    """The name that a source's column has in batches and queries: its own, or with one `_` more behind it where
    it would hide a column of ours (`_key` is `_key_`, `_key_` is `_key__`)."""
    return f"{column}_" if _LIKE_OURS.fullmatch(column) else column


CELL_FAULT = "\ufdd0"
"""A value that begins with this character, which no text has, is none: its cell in a workbook holds an error
(which one follows), or a formula whose result the file does not hold."""
NO_RESULT = CELL_FAULT + "="

UNREADABLE: Mapping[str, pl.DataType] = {**ORIGIN, "reason": pl.String(), "raw": pl.Binary()}

ROWS: Mapping[str, pl.DataType] = {KEY: pl.String(), ROW: pl.Int64(), REST: pl.List(pl.Int64())}
"""`_row` is the lead source row behind a target row, `_rest` the others (null when there are none)."""

EVIDENCE = "ev_"


class Place(enum.StrEnum):
    """Where a source row can end. There is no seventh place."""

    LOADED = "loaded"
    MERGED = "merged"
    COMBINED = "combined"
    REJECTED = "rejected"
    EXCLUDED = "excluded"
    HELD = "held"


class Verdict(enum.StrEnum):
    """What a failed check did: to the row (the first three) or to one value."""

    REJECTED = "rejected"
    EXCLUDED = "excluded"
    HELD = "held"
    SET_ASIDE = "set_aside"
    TRUNCATED = "truncated"
    WARNED = "warned"


ROW_VERDICTS = (Verdict.REJECTED, Verdict.EXCLUDED, Verdict.HELD)

QUARANTINE: Mapping[str, pl.DataType] = {
    **ROWS,
    "verdict": pl.String(),
    "first": pl.Boolean(),
    "column": pl.String(),
    "rule": pl.String(),
    "value": pl.String(),
    "parent": pl.String(),
}
"""`first` marks the one cause that gives a row its place; `value` is the value as the source had it;
`parent` the legacy key (`target:key`) of the row whose place was taken."""

CROSSWALK: Mapping[str, pl.DataType] = {
    "system": pl.String(),
    "key": pl.String(),
    "survivor_system": pl.String(),
    "survivor_key": pl.String(),
    ROW: pl.Int64(),
}
"""`system` is the space of the key: the legacy system, and for a register that is not of people the table of the
target behind a stroke (`carefirst/organisations`), for a person's number and an organisation's may be the same."""

SPACES: Mapping[str, pl.DataType] = {"spec": pl.String(), "space": pl.String()}
"""A spec of a register, and what `system` is in the crosswalk's rows of it."""

DISPLACED: Mapping[str, pl.DataType] = {"spec": pl.String(), KEY: pl.String()}
"""A person who survives, and whose row of this spec (`merged_only`) loads all the same."""


def empty(schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """A frame of this shape with no rows."""
    return pl.DataFrame(schema=dict(schema))
