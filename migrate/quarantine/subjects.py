"""Whose record a row is, and whether everybody may see it.

A row is hidden when its own source marks it as restricted, when its record is restricted or on a no-link list, or
when it belongs to such a record, at any remove: an answer in a form of a person. People do not inherit from one
another. What is on a no-link list is hidden like a restricted record, so nobody learns which of the two it was. So
is a row of which it cannot be told whose it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import polars as pl

from casebridge.dedupe.config import read_people
from casebridge.dedupe.review.clearance import restricted
from casebridge.project.contracts import CROSSWALK, KEY, ROW
from casebridge.project.job import Job
from casebridge.project.no_link import NoLink
from casebridge.project.spec import TableSpec
from casebridge.transform.convert import key_of, stripped, text_of
from casebridge.transform.sources import joined_before, known

Subject = tuple[str, str]
"""A spec's name and a key of it."""
Named = tuple[str, str, str]
"""A table of the target, a system, and a key there."""


def marked_rows(job: Job) -> pl.Series:
    """The source rows of marked records, of all sources. Read only."""
    found = [pl.Series(ROW, [], dtype=pl.Int64)]
    for source in job.reads():
        for batch in job.ledger.sealed(job.run, "transform", str(source), "marked"):
            found.append(batch.read([ROW]).get_column(ROW))
    return pl.concat(found).unique()


def hidden_subjects(job: Job, subjects: Collection[Subject]) -> set[Subject]:
    """Those of some rows that not everybody may see. Read only."""
    belonging = _Belonging(job)
    people = belonging.of_all(subjects)
    closed = _closed(job, {record for records in people.values() for record in records}, belonging.registers)
    return {subject for subject in subjects if subject not in people or people[subject] & closed}


class _Belonging:
    """Which records of people some rows belong to: found level by level, each row's references read once."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._specs = {spec.name: spec for spec in job.specs}
        linkage = read_people(job.folder, job.specs)
        linked = {self._specs[name].target for name in linkage.tables} if linkage else set()
        self.registers = linked | {spec.target for spec in job.specs if job.target.marks(spec.target)}
        self._rows: dict[Named, set[Named]] = {}

    def of_all(self, subjects: Collection[Subject]) -> dict[Subject, set[Named]]:
        """For each row its records; a row that is nowhere in the dump is left out."""
        named = {subject: self._named(subject) for subject in subjects if subject[0] in self._specs}
        asked, seen = set(named.values()), set[Named]()
        while asked:
            seen |= asked
            self._read(asked)
            asked = {parent for key in asked for parent in self._rows.get(key, ())} - seen
        return {subject: self._records(name) for subject, name in named.items() if self._is_there(name)}

    def _named(self, subject: Subject) -> Named:
        spec = self._specs[subject[0]]
        return spec.target, spec.system, subject[1]

    def _is_there(self, named: Named) -> bool:
        return named[0] in self.registers or named in self._rows

    def _records(self, named: Named) -> set[Named]:
        found, open_, seen = set[Named](), [named], set[Named]()
        while open_:
            one = open_.pop()
            if one in seen:
                continue
            seen.add(one)
            if one[0] in self.registers:
                found.add(one)
            open_ += self._rows.get(one, ())
        return found

    def _read(self, asked: Collection[Named]) -> None:
        for spec in self._job.specs:
            keys = [key for target, system, key in asked if (target, system) == (spec.target, spec.system)]
            if keys and spec.target not in self.registers:
                for row in _references(self._job, spec, keys):
                    parents = self._rows.setdefault((spec.target, spec.system, str(row[KEY])), set())
                    named = ((str(c.references), str(row[c.name])) for c in spec.references if row[c.name])
                    parents.update((target, spec.system, key) for target, key in named)


def _references(job: Job, spec: TableSpec, keys: list[str]) -> Iterator[Mapping[str, object]]:
    """The references of some rows of a spec as its source has them: of rows that stayed behind too."""
    wanted, key = pl.Series(keys, dtype=pl.String).unique(), key_of(spec.key, spec.part)
    texts = {name for column in spec.references for name in column.sources}
    for rows in _rows_of(job, spec):
        near = rows.filter(key.is_in(wanted.implode())).select(ROW, *sorted({*spec.key, *texts})).collect()
        shown = [text_of(column).alias(column.name) for column in spec.references]
        yield from stripped(near).select(key.alias(KEY), *shown).iter_rows(named=True)


def _rows_of(job: Job, spec: TableSpec) -> list[pl.LazyFrame]:
    if spec.query is None:
        # By a correction a row may belong to somebody else: it belongs to both.
        name = str(spec.sources[0])
        raw = job.ledger.sealed(job.run, "extract", name, "raw")
        judged = known(job, job.reads()[spec.sources[0]])[0]
        return [b.scan() for b in dict.fromkeys([*raw, *(judged.raw if judged else ())])]
    prepared = {source: known(job, read)[0] for source, read in job.reads().items() if source in spec.sources}
    there = {source: found for source, found in prepared.items() if found}
    joined = joined_before(job, spec, there) if len(there) == len(prepared) else None
    return [batch.scan() for batch in joined or ()]


def _closed(job: Job, records: Collection[Named], registers: Collection[str]) -> set[Named]:
    """Those of some records of people that are restricted, or on a no-link list, themselves or by a merge."""
    groups = _groups(job, records)
    every = set(records) | {other for group in groups.values() for other in group}
    shut = _marked(job, every, registers) | _unlinked(job, every)
    return {record for record in records if ({record} | groups.get(record, set())) & shut}


def _unlinked(job: Job, records: Collection[Named]) -> set[Named]:
    hidden = NoLink(job).hidden({f"{system}:{key}" for _, system, key in records})
    return {(target, system, key) for target, system, key in records if f"{system}:{key}" in hidden}


def _marked(job: Job, records: Collection[Named], registers: Collection[str]) -> set[Named]:
    rows, found = marked_rows(job), set[Named]()
    for spec in job.specs:
        keys = {key for target, system, key in records if (target, system) == (spec.target, spec.system)}
        if keys and spec.target in registers:
            shut = restricted(job, spec, keys) | (_keys_of_rows(job, spec, rows) & keys)
            found |= {(spec.target, spec.system, key) for key in shut}
    return found


def _keys_of_rows(job: Job, spec: TableSpec, rows: pl.Series) -> set[str]:
    """The keys that some source rows have for a spec, whether they came through or not."""
    key, found = key_of(spec.key, spec.part).alias(KEY), set[str]()
    for frame in _rows_of(job, spec) if rows.len() else ():
        mine = frame.filter(pl.col(ROW).is_in(rows.implode())).select(key).collect()
        found |= set(mine.get_column(KEY).drop_nulls())
    return found


def _groups(job: Job, records: Collection[Named]) -> dict[Named, set[Named]]:
    """The records that people put together with some records."""
    batches = job.ledger.sealed(job.run, "dedupe", "crosswalk", "crosswalk")
    frames = [batch.read([*CROSSWALK][:4]) for batch in batches]
    if not frames:
        return {}
    rows = pl.concat(frames).filter(pl.struct("survivor_system", "survivor_key").is_duplicated())
    members: dict[Subject, set[Subject]] = {}
    for system, key, lead_system, lead in rows.iter_rows():
        members.setdefault((lead_system, lead), set()).add((system, key))
    group_of = {one: group for group in members.values() for one in group}
    found = {}
    for record in records:
        group = group_of.get((record[1], record[2]), set())
        found[record] = {(record[0], *other) for other in group}
    return found
