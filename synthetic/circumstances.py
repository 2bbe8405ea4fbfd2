"""What stands in the way of a merge: plans, placements, approvals, parties to money, invoices, schools, retention,
merges that are not through. Few rows each; where somebody has two records, each case turns up, and its near miss.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from casebridge.synthetic.books import finish
from casebridge.synthetic.chunk import Chunk, orphan_people
from casebridge.synthetic.council import ADULT, CHILD, ELDER, FOSTERER, NEVER, RELATIVE, SNAPSHOT
from casebridge.synthetic.formats import ORACLE, SCREEN, money
from casebridge.synthetic.names import Ints
from casebridge.synthetic.sheet import Sheet
from casebridge.synthetic.verdicts import LOADED, Mask, inherit

CASES: Final = 0.008
"""Of the people with two records, the share that shows each case."""
_BOTH: Final = ("plans", "placements", "schools", "plans_apart")
_ONE: Final = ("approval", "party", "invoice", "retention", "merge", "review", "merged")
_TIES: Final = ("relationship", "household")


@dataclass(slots=True)
class Rows:
    """Rows of one table: whose, from when to when (NEVER: open), and a word of theirs (its number)."""

    record: Ints
    since: Ints
    until: Ints
    word: Ints


@dataclass(frozen=True, slots=True)
class Table:
    """How a table is written: its key and the number that leads in it, the column of words and the words, which
    kinds of people have rows and how many, and how long they last in days (0: they are events)."""

    source: str
    key: str
    leading: int
    column: str
    words: tuple[str, ...]
    rates: Mapping[int, float]
    lasts: int = 0


TABLES: Final = {
    "plans": Table("CF_CP_PLAN", "PLAN_NO", 1, "CATEGORY", ("NEGLECT", "EMOTIONAL", "PHYSICAL", "SEXUAL"),
                   {CHILD: 0.03}, 300),
    "placements": Table("CF_PLACEMENT", "PLACE_NO", 2, "PLACE_TYPE", ("U1", "U6", "K2", "P1"),
                        {CHILD: 0.02}, 400),
    "approval": Table("CF_APPROVAL", "APPR_NO", 3, "APPR_TYPE", ("FOSTER", "CONNECTED"), {FOSTERER: 0.6}, 1500),
    "party": Table("CF_FIN_PARTY", "PARTY_NO", 4, "ROLE", ("PAYER", "PAYEE"), {ELDER: 0.03, RELATIVE: 0.03}, 800),
    "invoice": Table("CF_INVOICE", "INV_NO", 5, "STATUS", ("PAID", "OPEN"), {ELDER: 0.08, ADULT: 0.05}, 28),
    "schools": Table("CF_EDUCATION", "EDU_NO", 6, "SCHOOL", ("Tarn Lane Primary", "Kestrel Academy", "Moor End"),
                     {CHILD: 0.12}, 900),
    "retention": Table("CF_RETENTION", "RET_NO", 7, "STATE", ("REVIEW", "DESTROY"), {ELDER: 0.01}),
    "merge": Table("CF_MERGE_REQ", "REQ_NO", 8, "STATUS", ("DONE", "PENDING"), {ELDER: 0.002, CHILD: 0.002}),
}  # fmt: skip


def write_circumstances(chunk: Chunk) -> None:
    """All eight tables, and the ties that somebody keyed in between two records of one human being."""
    rng = chunk.rng("circumstances")
    cases = _cases(chunk, rng)
    for name, table in TABLES.items():
        rows = _joined(_usual(chunk, rng, table), _of_cases(chunk, name, cases))
        _write(chunk, rng, name, table, rows)
    _write_ties(chunk, rng, cases)


def two_records(chunk: Chunk) -> tuple[Ints, Ints]:
    """The first record of each human being who has more, and the first copy; those that load."""
    start, count = chunk.copies
    first = np.flatnonzero(count > 0)
    loads = (chunk.standing[first] == LOADED) & (chunk.standing[start[first]] == LOADED)
    return first[loads], start[first][loads]


def _cases(chunk: Chunk, rng: np.random.Generator) -> dict[str, tuple[Ints, Ints]]:
    """For each case the people who show it, no two cases on one of them."""
    first, copy = two_records(chunk)
    names = (*_BOTH, *_ONE, *_TIES)
    order = rng.permutation(len(first))
    many = min(max(2 * chunk.least, round(CASES * len(first))), len(first) // len(names))
    parts = {name: order[at * many : (at + 1) * many] for at, name in enumerate(names)}
    return {name: (first[part], copy[part]) for name, part in parts.items()}


def _usual(chunk: Chunk, rng: np.random.Generator, table: Table) -> Rows:
    kind = chunk.people.kind[chunk.records.person]
    rate = np.select([kind == one for one in table.rates], list(table.rates.values()), 0.0)
    record = np.repeat(np.arange(len(kind)), rng.poisson(rate * np.where(chunk.records.copy > 0, 0.5, 1.0)))
    began, ended = chunk.records.created[record], chunk.last_day[record]
    since = began + (rng.random(len(record)) * np.maximum(ended - began, 1)).astype(np.int64)
    stop = since + rng.integers(7, max(table.lasts, 8), len(record))
    until = np.where((rng.random(len(record)) < 0.9) & (stop < SNAPSHOT), stop, NEVER)
    word = rng.integers(0, len(table.words), len(record))
    return Rows(record, since, until, np.where(rng.random(len(record)) < 0.9, 0, word))


def _of_cases(chunk: Chunk, name: str, cases: Mapping[str, tuple[Ints, Ints]]) -> Rows:
    """The rows that make a case: the same days on both records, or a row on the copy alone."""
    parts = [_of_case(chunk, case, *cases[case]) for case in _SHOWS[name]]
    return _joined(*parts)


_SHOWS: Final = {name: (name,) for name in TABLES} | {
    "plans": ("plans", "plans_apart"), "retention": ("retention", "review"), "merge": ("merge", "merged"),
}  # fmt: skip


def _of_case(chunk: Chunk, case: str, first: Ints, copy: Ints) -> Rows:
    day = np.maximum(chunk.records.created[first], chunk.records.created[copy])
    nothing = np.zeros(len(first), dtype=np.int64)
    if case == "plans_apart":  # the one ended on the eve of the other
        before = Rows(first, day - 400, day - 1, nothing)
        return _joined(before, Rows(copy, day, np.full(len(copy), NEVER), nothing))
    word = nothing + (case in {"retention", "merge"})
    one = Rows(copy, day, np.full(len(copy), NEVER), word)
    return _joined(Rows(first, day - 10, np.full(len(first), NEVER), word), one) if case in _BOTH else one


def _joined(*parts: Rows) -> Rows:
    return Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in Rows.__slots__))


def _write(chunk: Chunk, rng: np.random.Generator, name: str, table: Table, rows: Rows) -> None:
    n, dates = len(rows.record), chunk.pools.dates
    columns = {
        table.key: chunk.numbers(table.leading, n),
        "PI_NO": chunk.pi.gather(rows.record),
        table.column: pl.Series(table.words).gather(rows.word),
    }
    if name == "invoice":
        columns["AMOUNT"] = money(rng, rng.integers(2_000, 90_000, n))
    columns["FROM_DT"] = dates.text(dates.index(rng, rows.since, SCREEN))
    if table.lasts:
        columns["TO_DT"] = dates.text(dates.open_ended(rng, rows.until, ORACLE))
    free = ("AMOUNT",) if name == "invoice" else ()
    sheet = Sheet(table.source, columns, (table.key,), rng, soft=table.column, free=free)
    orphan_people(sheet, "PI_NO", 1e-3)
    final = finish(sheet, chunk.writer, lambda own: inherit(own, (chunk.standing, rows.record)))
    there: Mask = final == LOADED
    chunk.held[name] = Rows(*(getattr(rows, part)[there] for part in Rows.__slots__))


def _write_ties(chunk: Chunk, rng: np.random.Generator, cases: Mapping[str, tuple[Ints, Ints]]) -> None:
    """Somebody took two records of one human being for siblings, or for two members of a household."""
    codes = chunk.pools.codes["relationship"]
    code = np.concatenate([np.full(len(cases[name][0]), codes.at(word)[0])
                           for name, word in zip(_TIES, ("SIB", "HHM"), strict=True)])  # fmt: skip
    one, other = (np.concatenate([cases[name][at] for name in _TIES]) for at in (1, 0))
    n, dates = len(one), chunk.pools.dates
    since = np.maximum(chunk.records.created[one], chunk.records.created[other])
    sheet = Sheet("CF_NETWORK", {
        "NET_NO": chunk.numbers(3, chunk.ties + n)[chunk.ties :],
        "PI_NO": chunk.pi.gather(one),
        "NET_TYPE": codes.text(rng, code),
        "OTHER_REF": chunk.pi.gather(other),
        "PR_YN": pl.Series([""]).new_from_index(0, n),
        "FROM_DT": dates.text(dates.index(rng, since, ORACLE)),
        "TO_DT": dates.text(dates.open_ended(rng, np.full(n, NEVER), ORACLE)),
    }, ("NET_NO",), rng, soft="PR_YN")  # fmt: skip
    final = finish(sheet, chunk.writer, lambda own: own)
    many = len(cases["relationship"][0])
    for name, part in (("relationship", slice(None, many)), ("household", slice(many, None))):
        there: Mask = final[part] == LOADED
        chunk.tied[name] = one[part][there], other[part][there]
