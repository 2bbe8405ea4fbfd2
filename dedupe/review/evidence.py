"""Evidence: what a reviewer must see of the people in pairs, their family and household, written with each run.

Nobody who is on the no-link list is in it. Each record has the clearance that a reader needs; a pair needs the
highest of its two, and one in a contradiction the highest of all whom that concerns. A run replaces the evidence
of the one before: what a reviewer sees is always the last that was linked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from casebridge.dedupe.candidates import no_link_digest, read_register
from casebridge.dedupe.config import LinkageConfig, people_of, spaces
from casebridge.dedupe.foldable import merge_rules, preflight_of
from casebridge.dedupe.review.clearance import kept_in_target
from casebridge.dedupe.review.desk_tables import DECISIONS, VERDICTS
from casebridge.dedupe.review.evidence_file import KIND, NAME, NO_LINK, PairEvidence, Person, write_evidence_file
from casebridge.dedupe.review.evidence_on_record import delete_unused, keep_evidence
from casebridge.dedupe.review.evidence_pairs import is_sure, item_of, pairs_evidence
from casebridge.dedupe.review.evidence_people import People, people_around
from casebridge.dedupe.review.fold_notes import fold_notes
from casebridge.dedupe.review.known_pairs import Sorted, chosen, known_pairs
from casebridge.dedupe.review.merge_words import merge_notes
from casebridge.dedupe.review.samples import answered_known, drawn_pairs
from casebridge.project.batch import digest, new_file
from casebridge.project.job import Job
from casebridge.project.no_link import NoLink
from casebridge.project.restriction import read_lowered
from casebridge.project.tally import Tally

STAGE = "dedupe"
NUMBERS = ("decisions", "verdicts")
"""Facts of the evidence that say how far it goes, and nothing of what is in it."""


def write_evidence(job: Job, registers: Sequence[LinkageConfig], inputs: str, then: Mapping[str, str]) -> None:
    """Write the evidence of this run's pairs that wait or were decided, and take that of other runs away.

    inputs: the digest of all that the pairs rest on; of the tables around them the digest is added here. then:
    what `said_until_now` said when the run began to read decisions, and other facts of this run.
    """
    of_people = people_of(registers)
    rules, tables = merge_rules(job, of_people), of_people.tables if of_people else ()
    notes = {"merge": merge_notes(job.specs, rules, tables), "folding": fold_notes(job, rules, tables)}
    drawn = drawn_pairs(job.audit_log().engine)
    whole = digest(inputs, _stands_on(job, registers), sorted(drawn), notes, _told(then))
    done = job.ledger.done(STAGE, NAME, 0, whole)
    if done is None or not all(batch.whole() for batch in done):
        job.ledger.attempt(STAGE, NAME, 0, whole)
        batches = job.ledger.sealed(job.run, STAGE, "pairs", "pairs")
        shown = pl.col("state") != "below"
        if drawn:
            shown |= pl.struct("left_id", "right_id").is_in(
                [{"left_id": left, "right_id": right} for left, right in sorted(drawn)]
            )
        pairs = pl.concat([b.scan().filter(shown).collect() for b in batches])
        found = _of_all(job, registers, pairs)
        del pairs
        path = job.work / STAGE / NAME / f"00000-{whole[:16]}.{KIND}.db"
        with new_file(path) as file:
            beside = Path(file.name)
            facts = {**notes, NO_LINK: no_link_digest(job), **then}
            people = chain.from_iterable(one.people() for one in found)
            shown_pairs = (pair for one in found for pair in one.made)
            head = write_evidence_file(beside, people, shown_pairs, facts)
            rows = sum(len(one.made) for one in found)
            files = keep_evidence(beside, path, head, inputs=whole, rows=rows)
        job.ledger.record(STAGE, NAME, 0, whole, files, Tally())
    _replace(job, whole)


def _stands_on(job: Job, registers: Sequence[LinkageConfig]) -> tuple[object, ...]:
    """What a reviewer sees rests on, beside the pairs: the rows, and how each column is shown; every mark of
    restriction, of rows that stayed behind too; and the day, for ages and what has ended are told by it."""
    under = [b.sha256 for spec in job.specs for b in job.ledger.sealed(job.run, "transform", spec.name, "clean")]
    marked = [
        batch.sha256 for source in job.reads()
        for batch in job.ledger.sealed(job.run, "transform", str(source), "marked")
    ]  # fmt: skip
    kept = [sorted(kept_in_target(job, spec)) for spec in job.specs if spec.name in spaces(registers, job.specs)]
    lowered = [repr(item) for item in read_lowered(job.settings)]
    asked = [one.evidence for one in registers]
    return (under, marked, kept, lowered, asked, repr(job.specs), repr(job.target), job.day.isoformat())


def _told(then: Mapping[str, str]) -> list[str]:
    return [said for name, said in sorted(then.items()) if name not in NUMBERS]


def said_until_now(engine: sa.Engine) -> dict[str, str]:
    """The numbers of the last decision and of the last act at the desk, as facts of the evidence."""
    found = {}
    for name, table in zip(NUMBERS, (DECISIONS, VERDICTS), strict=True):
        if sa.inspect(engine).has_table(table.name):
            with engine.connect() as connection:
                found[name] = str(connection.scalar(sa.select(sa.func.max(table.c.number))) or 0)
    return found


def _replace(job: Job, inputs: str) -> None:
    """Only the last run has evidence; the files of others are deleted at once. The new is there before the old
    goes: a desk that looks meanwhile finds one of them."""
    job.ledger.seal(job.run, STAGE, NAME, [(0, inputs)])
    for run in job.ledger.runs():
        if run.name != job.run:
            job.ledger.seal(str(run.name), STAGE, NAME, [])
    delete_unused(job.work, job.ledger.in_use(STAGE))


@dataclass
class _Register:
    """The evidence of one register: its records as they are written, and its pairs when those are written. Each
    register is by itself, for what stands around a person is not shown of others."""

    job: Job
    config: LinkageConfig
    pairs: pl.DataFrame
    made: list[PairEvidence] = field(default_factory=list)

    def people(self) -> Iterator[Person]:
        """The records that may be shown, sorted by id; then those of made-up pairs, in their order."""
        members = {str(item) for column in ("left_id", "right_id") for item in self.pairs.get_column(column)}
        no_link = NoLink(self.job)
        members -= no_link.hidden(members)
        named = pl.Series(sorted(members), dtype=pl.String).implode()
        left, right = (pl.col(name).is_in(named) for name in ("left_id", "right_id"))
        self.pairs = self.pairs.filter(left & right)
        if not members:
            return
        register, _ = read_register(self.job, self.config)
        keys = register.get_column("id").sort()
        found = people_around(self.job, self.config, register, members, no_link.hidden)
        del register
        yield from self._noted(found, keys)

    def _noted(self, found: People, keys: pl.Series) -> Iterator[Person]:
        log = self.job.audit_log()
        keyed = cache(log.keyer())
        hosts = self._hosts(keyed, found.secret) if self.config.is_people else set[str]()
        short, whole, born = dict[str, Person](), dict[str, Person](), dict[str, dict[str, str]]()
        for person in found:
            yield person
            if person.id in found.members:
                day = str(person.roles.get("birth_date", ""))
                roles = born.setdefault(day, {"birth_date": day})
                short[person.id] = replace(person, roles=roles, fields={}, held=(), kin=(), unshown=())
            if person.id in hosts:
                whole[person.id] = person
        blocked = preflight_of(self.job)
        self.made = pairs_evidence(keyed, self.pairs, short, blocked, self.job.day, self.config.kind)
        if self.config.is_people:
            known_people, known = known_pairs(self.made, whole, keyed, answered_known(log.engine), Sorted(keys))
            self.made += known
            yield from sorted(known_people, key=lambda person: person.id)

    def _hosts(self, keyed: Callable[..., str], secret: frozenset[str]) -> set[str]:
        """The records beside whose pairs made-up ones will stand."""
        sure = self.pairs.filter(is_sure(self.pairs)).select("left_id", "right_id").iter_rows()
        pairs = {item_of(keyed, *both): both for both in sure if secret.isdisjoint(both)}
        return {record for item in chosen(pairs) for record in pairs[item]}


def _of_all(job: Job, registers: Sequence[LinkageConfig], pairs: pl.DataFrame) -> list[_Register]:
    left = pairs.get_column("left_id").to_list()
    mine = (pl.Series([one.owns(item) for item in left], dtype=pl.Boolean) for one in registers)
    return [_Register(job, one, pairs.filter(own)) for one, own in zip(registers, mine, strict=True)]
