"""The truth about merges: which obstacle each two records of one human being have, by the rows that load."""

from typing import Final

import numpy as np
import polars as pl

from casebridge.synthetic.chunk import Chunk
from casebridge.synthetic.circumstances import Rows
from casebridge.synthetic.council import NEVER
from casebridge.synthetic.names import Ints
from casebridge.synthetic.verdicts import LOADED, Mask

# Obstacle → the table and the word that count (None: any), and whether both records must have such a row.
_ROWS: Final = {
    "carer_approval": ("approval", None, False),
    "payer_or_payee": ("party", None, False),
    "invoices": ("invoice", None, False),
    "charge_periods": ("invoice", None, False),
    "education": ("schools", None, True),
    "retention": ("retention", 1, False),
    "merge_pending": ("merge", 1, False),
    "allocated_party": ("agreement", None, False),
    "actuals": ("payment", None, False),
}
_DAYS: Final = {"child_protection": "plans", "placements": "placements"}
_TIES: Final = ("relationship", "household")
Pairs = tuple[Ints, Ints]


def obstacles(chunk: Chunk) -> pl.DataFrame:
    """blocker, pi_a, pi_b (the smaller one first): every obstacle between two loaded records of one person."""
    pairs = _pairs(chunk)
    found = {name: _with_rows(chunk, pairs, *how) for name, how in _ROWS.items()}
    found |= {name: _same_days(pairs, chunk.held[table]) for name, table in _DAYS.items()}
    found |= {name: _tied(pairs, chunk.tied[name]) for name in _TIES}
    found["restrictions"] = chunk.closed[pairs[0]] != chunk.closed[pairs[1]]
    return pl.concat([_frame(chunk, name, pairs, there) for name, there in found.items()])


def _pairs(chunk: Chunk) -> Pairs:
    """All pairs of records of one human being that both load."""
    start, count = chunk.copies
    one, other = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for at in range(int(count.max(initial=0))):
        person = np.flatnonzero(count > at)
        one.append(person)
        other.append(start[person] + at)
        for before in range(at):
            one.append(start[person] + before)
            other.append(start[person] + at)
    a, b = np.concatenate(one), np.concatenate(other)
    loads = (chunk.standing[a] == LOADED) & (chunk.standing[b] == LOADED)
    return a[loads], b[loads]


def _with_rows(chunk: Chunk, pairs: Pairs, table: str, word: int | None, both: bool) -> Mask:
    rows: Rows = chunk.held[table]
    record = rows.record if word is None else rows.record[rows.word == word]
    has = np.bincount(record, minlength=len(chunk.records)) > 0
    sides = has[pairs[0]], has[pairs[1]]
    return sides[0] & sides[1] if both else sides[0] | sides[1]


def _same_days(pairs: Pairs, rows: Rows) -> Mask:
    spans: dict[int, list[tuple[int, int]]] = {}
    for record, since, until in zip(rows.record.tolist(), rows.since.tolist(), rows.until.tolist(), strict=True):
        spans.setdefault(record, []).append((since, until if until != NEVER else 10**9))
    return np.array([
        any(a <= d and c <= b for a, b in spans.get(one, ()) for c, d in spans.get(other, ()))
        for one, other in zip(pairs[0].tolist(), pairs[1].tolist(), strict=True)
    ], dtype=np.bool_)  # fmt: skip


def _tied(pairs: Pairs, ties: Pairs) -> Mask:
    known = {frozenset(tie) for tie in zip(ties[0].tolist(), ties[1].tolist(), strict=True)}
    both = zip(pairs[0].tolist(), pairs[1].tolist(), strict=True)
    return np.array([frozenset(pair) in known for pair in both], dtype=np.bool_)


def _frame(chunk: Chunk, name: str, pairs: Pairs, there: Mask) -> pl.DataFrame:
    one, other = chunk.pi.gather(pairs[0][there]), chunk.pi.gather(pairs[1][there])
    both = pl.DataFrame({"one": one, "other": other})
    return both.select(
        pl.lit(name).alias("blocker"),
        pl.min_horizontal("one", "other").alias("pi_a"),
        pl.max_horizontal("one", "other").alias("pi_b"),
    )
