"""CF_NETWORK: who belongs to whom, and which worker looks after them, in one table; a type code decides.

A row says what OTHER_REF is to PI_NO. The truth about families goes to truth/relations.parquet; the table
knows only what somebody keyed in.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from casebridge.synthetic.books import finish
from casebridge.synthetic.chunk import Chunk, unknown_pi, workers
from casebridge.synthetic.council import NEVER, SNAPSHOT, People
from casebridge.synthetic.formats import ORACLE
from casebridge.synthetic.names import Ints
from casebridge.synthetic.sheet import Sheet
from casebridge.synthetic.verdicts import LOADED, ORPHAN, SELF, UNMAPPED, Mask, Verdicts, inherit

Pairs = tuple[Ints, Ints]


@dataclass(slots=True)
class Relations:
    """Pairs of human beings. In `parent`, `carer` and `foster_carer` the first is it to the second."""

    twin: Pairs
    sibling: Pairs
    parent: Pairs
    partner: Pairs
    foster_carer: Pairs
    carer: Pairs
    household: Pairs

    def frame(self) -> pl.DataFrame:
        kinds = [(name, *getattr(self, name)) for name in Relations.__slots__]
        parts = [
            pl.DataFrame({"person_a": a, "person_b": b}).with_columns(pl.lit(kind).alias("kind"))
            for kind, a, b in kinds
        ]
        return pl.concat(parts)


def find_relations(people: People) -> Relations:
    both = _within(people.sibship, reach=9)
    twins = people.born[both[0]] == people.born[both[1]]
    parents = [_linked(people.mother), _linked(people.father)]
    partner = _linked(people.partner)
    once = partner[0] < partner[1]
    found = Relations(
        twin=(both[0][twins], both[1][twins]),
        sibling=(both[0][~twins], both[1][~twins]),
        parent=(np.concatenate([p[1] for p in parents]), np.concatenate([p[0] for p in parents])),
        partner=(partner[0][once], partner[1][once]),
        foster_carer=_linked(people.fosterer)[::-1],
        carer=_linked(people.carer)[::-1],
        household=(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)),
    )
    found.household = _others_at_home(people, found)
    return found


def _linked(link: Ints) -> Pairs:
    rows = np.flatnonzero(link >= 0)
    return rows, link[rows]


def _within(group: Ints, reach: int) -> Pairs:
    """All pairs of rows of one group; groups are no larger than `reach` + 1."""
    rows = np.flatnonzero(group >= 0)
    order = rows[np.lexsort((rows, group[rows]))]
    pairs = []
    for step in range(1, reach + 1):
        same = group[order[step:]] == group[order[:-step]]
        pairs.append((order[:-step][same], order[step:][same]))
    return np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs])


def _others_at_home(people: People, found: Relations) -> Pairs:
    """Under one roof and nothing else to one another: step-parents, in-laws, lodgers."""
    a, b = _within(people.home, reach=11)
    size = len(people)
    known = [getattr(found, name) for name in Relations.__slots__]
    codes = np.concatenate([np.minimum(x, y) * size + np.maximum(x, y) for x, y in known])
    new = ~np.isin(np.minimum(a, b) * size + np.maximum(a, b), codes)
    return a[new], b[new]


@dataclass(slots=True)
class _Ties:
    """Rows of the table: a person row, a code, and another person row or a worker (-1 where it is not)."""

    record: Ints
    code: Ints
    other: Ints
    worker: Ints
    since: Ints


def write_network(chunk: Chunk, relations: Relations) -> None:
    rng = chunk.rng("network")
    ties = _joined(_family_ties(chunk, relations, rng), _involvements(chunk, rng))
    ties = _without_doubt(chunk, ties)
    order = np.argsort(chunk.pi_numbers[ties.record], kind="stable")
    ties = _Ties(*(getattr(ties, name)[order] for name in _Ties.__slots__))
    sheet = Sheet("CF_NETWORK", _columns(chunk, ties, rng), ("NET_NO",), rng, soft="PR_YN", least=chunk.least)
    _spoil(chunk, sheet, ties)

    first, second = _sides(chunk, ties)

    def settle(own: Verdicts) -> Verdicts:
        own = np.where(own == LOADED, first, own)
        return np.where(own == LOADED, second, own).astype(np.uint8)

    finish(sheet, chunk.writer, settle)
    chunk.ties = len(sheet)


def _family_ties(chunk: Chunk, relations: Relations, rng: np.random.Generator) -> _Ties:
    """Most relations are keyed in once, from the side of the child, the elder sibling or the client."""
    people, codes = chunk.people, chunk.pools.codes["relationship"]
    parent, child = relations.parent
    kinds = [
        (child, parent, np.where(people.female[parent] == 1, *codes.at("MOT", "FAT")), 0.9),
        (*relations.sibling, codes.at("SIB")[0], 0.62),
        (*relations.twin, codes.at("TWN")[0], 0.8),
        (*relations.partner, codes.at("SPO")[0], 0.85),
        (relations.foster_carer[1], relations.foster_carer[0], codes.at("FCR")[0], 0.95),
        (relations.carer[1], relations.carer[0], codes.at("CAR")[0], 0.85),
        (relations.carer[1], relations.carer[0], codes.at("NOK")[0], 0.12),
        (*relations.household, codes.at("HHM")[0], 0.25),
    ]
    parts = []
    for one, other, code, share in kinds:
        kept = rng.random(len(one)) < share
        code_of = np.broadcast_to(np.asarray(code, dtype=np.int64), one.shape)
        parts.append((one[kept], other[kept], code_of[kept]))
    one, other, code = (np.concatenate([part[at] for part in parts]) for at in range(3))
    return _seen_from_copies(chunk, one, other, code, rng)


def _seen_from_copies(chunk: Chunk, one: Ints, other: Ints, code: Ints, rng: np.random.Generator) -> _Ties:
    """Where somebody has two records, some of the family hangs on the second one."""
    start, count = chunk.copies

    def some_record(person: Ints) -> Ints:
        astray = (count[person] > 0) & (rng.random(len(person)) < 0.18)
        return np.where(astray, start[person], person)

    also = np.flatnonzero((count[one] > 0) & (rng.random(len(one)) < 0.35))
    record = np.concatenate([some_record(one), start[one[also]]])
    target = np.concatenate([some_record(other), other[also]])
    since = np.maximum(chunk.records.created[record], chunk.records.created[target])
    nothing = np.full(len(record), -1)
    return _Ties(record, np.concatenate([code, code[also]]), target, nothing, since)


def _involvements(chunk: Chunk, rng: np.random.Generator) -> _Ties:
    count = rng.poisson(chunk.activity * 0.72)
    record = np.repeat(np.arange(len(chunk.records)), count)
    code = chunk.pools.codes["involvement"].draw(rng, len(record))
    who = workers(chunk, rng, len(record), lost=0.0)
    nothing = np.full(len(record), -1)
    since = chunk.records.created[record] + (rng.exponential(500, len(record))).astype(np.int64)
    return _Ties(record, code, nothing, who, np.minimum(since, chunk.last_day[record]))


def _joined(*parts: _Ties) -> _Ties:
    return _Ties(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Ties.__slots__))


def _sides(chunk: Chunk, ties: _Ties) -> tuple[Verdicts, Verdicts]:
    """What the person of a row passes on to it, and what the other person or the worker does."""
    clean = np.zeros(len(ties.record), dtype=np.uint8)
    other = inherit(clean, (chunk.standing, np.maximum(ties.other, 0)))
    worker = inherit(clean, (chunk.staff.verdict, np.maximum(ties.worker, 0)))
    second = np.where(ties.other >= 0, other, worker).astype(np.uint8)
    return inherit(clean, (chunk.standing, ties.record)), second


def _without_doubt(chunk: Chunk, ties: _Ties) -> _Ties:
    """Drop the few rows whose two sides fail in different ways: their first cause would be a matter of taste."""
    first, second = _sides(chunk, ties)
    kept = (first == LOADED) | (second == LOADED) | (first == second)
    return _Ties(*(getattr(ties, name)[kept] for name in _Ties.__slots__))


def _columns(chunk: Chunk, ties: _Ties, rng: np.random.Generator) -> dict[str, pl.Series]:
    n = len(ties.record)
    related = pl.Series(ties.other >= 0)
    kin = chunk.pools.codes["relationship"].text(rng, np.where(ties.other >= 0, ties.code, 0))
    work = chunk.pools.codes["involvement"].text(rng, np.where(ties.worker >= 0, ties.code, 0))
    who = chunk.pi.gather(np.maximum(ties.other, 0))
    worker = chunk.staff.worker_numbers().gather(np.maximum(ties.worker, 0))
    mother, father = chunk.pools.codes["relationship"].at("MOT", "FAT")
    parent = (ties.other >= 0) & ((ties.code == mother) | (ties.code == father))
    rights = np.where(parent, rng.choice(3, n, p=(0.75, 0.1, 0.15)), 2)
    until = ties.since + (rng.exponential(600, n)).astype(np.int64)
    ended = (rng.random(n) < np.where(ties.worker >= 0, 0.85, 0.05)) & (until < SNAPSHOT)
    dates = chunk.pools.dates
    return {
        "NET_NO": chunk.numbers(3, n),
        "PI_NO": chunk.pi.gather(ties.record),
        "NET_TYPE": kin.zip_with(related, work),
        "OTHER_REF": who.zip_with(related, worker),
        "PR_YN": pl.Series(["Y", "N", ""]).gather(rights),
        "FROM_DT": dates.text(dates.index(rng, ties.since, ORACLE)),
        "TO_DT": dates.text(dates.open_ended(rng, np.where(ended, until, NEVER), ORACLE)),
    }


def _spoil(chunk: Chunk, sheet: Sheet, ties: _Ties) -> None:
    rng, related = sheet.rng, np.asarray(ties.other >= 0, dtype=np.bool_)
    rows = sheet.pick(1.5e-4, related)
    sheet.spoil(rows, "OTHER_REF", chunk.pi.gather(ties.record[rows]))
    sheet.reject(rows, SELF)
    for name, among in (("relationship", related), ("involvement", ~related)):
        codes = chunk.pools.codes[name]
        rows = sheet.pick(4e-4, among)
        sheet.spoil(rows, "NET_TYPE", codes.text(rng, rng.choice(codes.unmapped, len(rows))))
        sheet.reject(rows, UNMAPPED)
    first, second = _sides(chunk, ties)
    whole: Mask = (first == LOADED) & (second == LOADED)
    for column, among in (("PI_NO", whole), ("OTHER_REF", whole & related)):
        rows = sheet.pick(2.5e-4, among)
        sheet.spoil(rows, column, unknown_pi(rng, len(rows)))
        sheet.reject(rows, ORPHAN)
    rows = sheet.pick(1.5e-4, whole & ~related)
    sheet.spoil(rows, "OTHER_REF", chunk.staff.worker_numbers()[-1:].new_from_index(0, len(rows)))
    sheet.reject(rows, ORPHAN)
