"""The list for whoever merges in the target after go-live: what people said is one person and the load kept apart.

Keys, ids and counts; no name, no value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import polars as pl

from casebridge.dedupe.candidates import batch_name
from casebridge.dedupe.config import LinkageConfig, people_of, read_registers, same_space, spaces
from casebridge.dedupe.foldable import merge_rules
from casebridge.dedupe.review.crosswalk import groups
from casebridge.dedupe.review.decision_log import DecisionLog
from casebridge.dedupe.review.evidence_file import Person
from casebridge.dedupe.review.evidence_on_record import sealed_evidence
from casebridge.dedupe.review.merge_rules import MergeRules, Outcome
from casebridge.dedupe.review.merge_words import MergeNotes, read_notes, to_type
from casebridge.dedupe.review.preflight import Found, Preflight, by_pair, look, outcome
from casebridge.project.batch import write_text
from casebridge.project.contracts import CROSSWALK, KEY, empty
from casebridge.project.csv_cells import csv_text
from casebridge.project.identity import ids_of
from casebridge.project.job import Job
from casebridge.project.no_link import NoLink

STAGE = "dedupe"
MERGE, MARK, LEAVE = "merge", "mark as duplicate", "leave apart"
HEADER = ("do", "source", "source_id", "target", "target_id", "blockers", "by hand first", "type again")
_EVERYTHING = 1
_NOT_KNOWN = "not known any more: the run's evidence is gone"


@dataclass(frozen=True)
class LaterMerge:
    """One thing to do in the target: `source` goes (a key as system:key), `target` stays, with their ids there."""

    do: str
    source: str
    target: str
    blockers: tuple[str, ...]
    steps: tuple[str, ...]
    to_type: tuple[str, ...]


def later_merges(job: Job) -> list[LaterMerge]:
    """What the decisions that hold now ask for and this run's target does not have, in order."""
    registers = read_registers(job.folder, job.specs)
    people = people_of(registers)
    tables = people.tables if people else ()
    heads = _heads(job)
    rules = merge_rules(job, people) or MergeRules()
    hidden = NoLink(job).hidden(heads)
    present = {item for item, head in heads.items() if hidden.isdisjoint((item, head))}
    said = [
        one for one in DecisionLog(job.audit_log()).standing() if same_space(registers, one.left_id, one.right_id)
    ]
    made = groups(said, present, _cut(job, registers)).merging
    apart = [sorted({heads[item] for item in ids}) for ids in made]
    apart = [ids for ids in apart if len(ids) > 1]
    found = by_pair(look(job, rules, [pair for ids in apart for pair in combinations(ids, 2)], tables))
    records, notes = _evidence(job, {item for ids in apart for item in ids})
    return [one for ids in apart for one in _of_group(ids, rules, found, records, notes)]


def _cut(job: Job, registers: Sequence[LinkageConfig]) -> set[tuple[str, str]]:
    """The pairs that a guard set aside: whoever said *same* of one is asked again."""
    cut = [
        batch.read(["left_id", "right_id"])
        for config in registers
        for batch in job.ledger.sealed(job.run, STAGE, batch_name(config), "cut")
    ]
    return {pair for frame in cut for pair in frame.iter_rows()}


def _heads(job: Job) -> dict[str, str]:
    """Each record of the run to the one that stands for it in the target."""
    rows = [batch.read(list(CROSSWALK)) for batch in job.ledger.sealed(job.run, STAGE, "crosswalk", "crosswalk")]
    one = pl.concat_str("system", "key", separator=":")
    to = pl.concat_str("survivor_system", "survivor_key", separator=":")
    return dict(pl.concat([empty(CROSSWALK), *rows]).select(one.alias("id"), to.alias("head")).iter_rows())


def _evidence(job: Job, ids: set[str]) -> tuple[Mapping[str, Person], MergeNotes | None]:
    file = sealed_evidence(job.ledger, job.run)
    if file is None:
        return {}, None
    try:
        return file.people(sorted(ids), _EVERYTHING), read_notes(file.fact("merge"))
    finally:
        file.close()


def _of_group(
    ids: Sequence[str], rules: MergeRules, found: Preflight, people: Mapping[str, Person], notes: MergeNotes | None
) -> Iterator[LaterMerge]:
    """The fuller record stays, unless the other way round less stands in the way. What was merged into it before
    is in it: that counts for those that follow."""
    target = min(ids, key=lambda item: (_in_the_way(found, ids, item), -_filled(people, item), item))
    inside = [target]
    for source in (item for item in ids if item != target):
        pairs = [(min(source, other), max(source, other)) for other in inside]
        of_source = [(one, _blocks(one, source == pair[0])) for pair in pairs for one in found.get(pair, ())]
        do = _do(rules, [one for one, _ in of_source], [one for one, blocks in of_source if blocks])
        says = [rules.by_name[name] for name in dict.fromkeys(one.blocker for one, _ in of_source)]
        if do == MERGE:
            inside.append(source)
        yield LaterMerge(
            do, source, target, tuple(one.words for one in says),
            tuple(step for one in says for step in one.steps), _typed(people, notes, source, target),
        )  # fmt: skip


def _filled(people: Mapping[str, Person], item: str) -> int:
    return people[item].filled if item in people else 0


def _in_the_way(found: Preflight, ids: Sequence[str], target: str) -> int:
    """How much blocks the merges of a group when this record is to stay."""
    pairs = [(source, (min(source, target), max(source, target))) for source in ids if source != target]
    return sum(_blocks(one, source == pair[0]) for source, pair in pairs for one in found.get(pair, ()))


def _blocks(one: Found, left: bool) -> bool:
    """Whether a blocker is in the way when the left (or the right) record is to go."""
    return bool(one.left if left else one.right)


def _do(rules: MergeRules, found: Sequence[Found], blocking: Sequence[Found]) -> str:
    says = outcome(rules, found)
    lasting = [one for one in blocking if rules.by_name[one.blocker].outcome is Outcome.BEFORE_LOAD]
    if says is Outcome.NEVER:
        return LEAVE
    return MARK if says is Outcome.MARK_ONLY or lasting else MERGE


def _typed(people: Mapping[str, Person], notes: MergeNotes | None, source: str, target: str) -> tuple[str, ...]:
    if notes is None or source not in people or target not in people:
        return (_NOT_KNOWN,)
    return to_type(notes, people[source], people[target])


def write_later_merges(job: Job, merges: Sequence[LaterMerge]) -> Path:
    """Write the list beside the run's hand-over, for its owner only. Gives its path."""
    before = spaces(read_registers(job.folder, job.specs), job.specs)
    ids: dict[str, int] = {}
    for spec in (spec for spec in job.specs if spec.name in before):
        given = ids_of(job, spec.target, spec.system, spec.sources[0].name)
        ids |= {f"{before[spec.name]}:{key}": number for key, number in given.select(KEY, "id").iter_rows()}
    lines = [
        (one.do, one.source, ids.get(one.source, ""), one.target, ids.get(one.target, ""),
         *("; ".join(texts) for texts in (one.blockers, one.steps, one.to_type)))
        for one in merges
    ]  # fmt: skip
    path = job.folder / "handover" / f"{job.run}.merges.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, csv_text(HEADER, lines))
    return path
