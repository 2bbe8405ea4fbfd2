"""Evidence: what a reviewer must see of the people in pairs, their family and household, written with each run.

Nobody who is on the no-link list is in it. Each record has the clearance that a reader needs; a pair needs the
highest of its two, and one in a contradiction the highest of all whom that concerns. A run replaces the evidence
of the one before: what a reviewer sees is always the last that was linked.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from casebridge.dedupe.candidates import ask_evidence, read_register
from casebridge.dedupe.config import LinkageConfig, people_of, spaces
from casebridge.dedupe.foldable import merge_rules, preflight_of
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.review.clearance import OPEN, RESTRICTED, kept_in_target, restricted
from casebridge.dedupe.review.crosswalk import together
from casebridge.dedupe.review.desk_tables import DECISIONS, VERDICTS
from casebridge.dedupe.review.evidence_file import KIND, NAME, Kin, PairEvidence, Person, write_evidence_file
from casebridge.dedupe.review.fold_notes import fold_notes
from casebridge.dedupe.review.gathering import Around, around, households, plain
from casebridge.dedupe.review.known_pairs import known_pairs
from casebridge.dedupe.review.merge_words import merge_notes
from casebridge.dedupe.review.preflight import Preflight
from casebridge.dedupe.review.reraise import level_columns
from casebridge.dedupe.review.samples import answered_known, drawn_pairs
from casebridge.project.batch import digest, file_digest, keep, new_file
from casebridge.project.contracts import EVIDENCE, KEY, REST, ROW
from casebridge.project.job import Job
from casebridge.project.no_link import NoLink
from casebridge.project.restriction import read_lowered
from casebridge.project.spec import TableSpec
from casebridge.project.tally import Tally

STAGE = "dedupe"
_ADULT = 18
NUMBERS = ("decisions", "verdicts")
"""Facts of the evidence that say how far it goes, and nothing of what is in it."""
TWICE = 20
"""One of so many pairs, by chance, is judged by two people though nothing calls for it: so agreement is known."""


def write_evidence(job: Job, registers: Sequence[LinkageConfig], inputs: str, then: Mapping[str, str]) -> None:
    """Write the evidence of this run's pairs that wait or were decided, and take that of other runs away.

    inputs: the digest of all that the pairs rest on; of the tables around them the digest is added here. then:
    what `said_until_now` said when the run began to read decisions, and other facts of this run.
    """
    under = [b.sha256 for spec in job.specs for b in job.ledger.sealed(job.run, "transform", spec.name, "clean")]
    marks = [sorted(kept_in_target(job, spec)) for spec in job.specs if spec.name in spaces(registers, job.specs)]
    lowered = [repr(item) for item in read_lowered(job.settings)]
    drawn = drawn_pairs(job.audit_log().engine)
    asked = [one.evidence for one in registers]
    told = [said for name, said in sorted(then.items()) if name not in NUMBERS]
    whole = digest(inputs, under, marks, lowered, asked, job.run, sorted(drawn), told)
    done = job.ledger.done(STAGE, NAME, 0, whole)
    if done is None or any(file_digest(batch.path) != batch.sha256 for batch in done):
        of_people = people_of(registers)
        rules, tables = merge_rules(job, of_people), of_people.tables if of_people else ()
        job.ledger.attempt(STAGE, NAME, 0, whole)
        batches = job.ledger.sealed(job.run, STAGE, "pairs", "pairs")
        shown = pl.col("state") != "below"
        if drawn:
            shown |= pl.struct("left_id", "right_id").is_in(
                [{"left_id": left, "right_id": right} for left, right in sorted(drawn)]
            )
        pairs = pl.concat([b.scan().filter(shown).collect() for b in batches])
        people, found = _of_all(job, registers, pairs)
        path = job.work / STAGE / NAME / f"00000-{whole[:16]}.{KIND}.db"
        with new_file(path) as file:
            beside = Path(file.name)
            facts = {"run": job.run, "merge": merge_notes(job.specs, rules, tables),
                     "folding": fold_notes(job, rules, tables), **then}  # fmt: skip
            write_evidence_file(beside, people, found, facts)
            batch = keep(beside, path, stage=STAGE, table=NAME, number=0, kind=KIND, inputs=whole, rows=len(found))
        job.ledger.record(STAGE, NAME, 0, whole, [batch], Tally())
    _replace(job, whole)


def said_until_now(engine: sa.Engine) -> dict[str, str]:
    """The numbers of the last decision and of the last act at the desk, as facts of the evidence."""
    found = {}
    for name, table in zip(NUMBERS, (DECISIONS, VERDICTS), strict=True):
        if sa.inspect(engine).has_table(table.name):
            with engine.connect() as connection:
                found[name] = str(connection.scalar(sa.select(sa.func.max(table.c.number))) or 0)
    return found


def _replace(job: Job, inputs: str) -> None:
    """Only the last run has evidence; the files of others are deleted at once."""
    for run in job.ledger.runs():
        if run.name != job.run:
            job.ledger.seal(str(run.name), STAGE, NAME, [])
    job.ledger.seal(job.run, STAGE, NAME, [(0, inputs)])
    in_use = job.ledger.in_use(STAGE)
    for path in (job.work / STAGE / NAME).glob(f"*.{KIND}.db"):
        if path not in in_use:
            path.unlink()


def _of_all(
    job: Job, registers: Sequence[LinkageConfig], pairs: pl.DataFrame
) -> tuple[list[Person], list[PairEvidence]]:
    """The evidence of all registers; each by itself, for what stands around a person is not shown of others."""
    left = pairs.get_column("left_id").to_list()
    people, found = list[Person](), list[PairEvidence]()
    for config in registers:
        mine = pairs.filter(pl.Series([config.owns(item) for item in left], dtype=pl.Boolean))
        records, made = _evidence(job, config, mine)
        people, found = [*people, *records], [*found, *made]
    return people, found


def _evidence(job: Job, config: LinkageConfig, pairs: pl.DataFrame) -> tuple[list[Person], list[PairEvidence]]:
    members = {str(item) for column in ("left_id", "right_id") for item in pairs.get_column(column)}
    no_link = NoLink(job)
    hidden = no_link.hidden(members)
    members -= hidden
    pairs = pairs.filter(pl.col("left_id").is_in(sorted(members)) & pl.col("right_id").is_in(sorted(members)))
    if not members:
        return [], []
    register, _ = read_register(job, config)
    found = around(job, config, members)
    at_home = households(register, dict(config.fields), members) if config.is_people else {}
    beside = {kin.id for kins in found.kin.values() for kin in kins} | {i for ids in at_home.values() for i in ids}
    beside -= no_link.hidden(beside)
    everyone = members | beside
    roles = _roles(register, config, everyone)
    values = _values(job, config, members)
    secret = _restricted(job, config, everyone)
    teams, flags = (ask_evidence(job, config, name, members) for name in ("teams", "flags"))
    people = {
        item: _person(item, item in secret, roles.get(item, {}), values.get(item, _NONE), found, at_home, beside,
                      teams, flags)
        for item in sorted(members)
    }  # fmt: skip
    kin = [Person(item, int(item in secret), roles.get(item, {})) for item in sorted(beside - members)]
    log = job.audit_log()
    made = pairs_evidence(log.keyer(), pairs, people, preflight_of(job), config.kind)
    keys = {*everyone, *register.get_column("id")}
    if not config.is_people:
        return [*people.values()], made
    known_people, known = known_pairs(made, people, log.keyer(), answered_known(log.engine), keys)
    return [*people.values(), *kin, *known_people], [*made, *known]


@dataclass(frozen=True)
class _Values:
    """The columns of a record that are shown, how many hold something in all, and which of those are not shown."""

    fields: Mapping[str, str] = field(default_factory=dict)
    filled: int = 0
    unshown: tuple[str, ...] = ()


_NONE = _Values()


def _person(
    item: str,
    secret: bool,
    roles: Mapping[str, Any],
    values: _Values,
    found: Around,
    at_home: Mapping[str, Sequence[str]],
    beside: Collection[str],
    teams: Mapping[str, Sequence[str]],
    flags: Mapping[str, Sequence[str]],
) -> Person:
    kin = [one for one in found.kin.get(item, []) if one.id in beside]
    known = {one.id for one in kin}
    kin += [
        Kin(other, "same address") for other in at_home.get(item, []) if other not in known and other in beside
    ]
    marks = {*flags.get(item, ()), *(["restricted"] if secret else [])}
    return Person(
        item, RESTRICTED if secret else OPEN, roles, values.fields, tuple(found.held.get(item, ())), tuple(kin),
        tuple(teams.get(item, ())), tuple(sorted(marks)), digest(roles, values.fields),
        values.filled, values.unshown,
    )  # fmt: skip


def _roles(register: pl.DataFrame, config: LinkageConfig, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """What linkage compares, by record: texts, and lists of texts."""
    columns = {**dict(config.fields), **dict(config.other)}
    columns |= {name: name for name in ("previous_surnames", "previous_postcodes") if name in register.columns}
    mine = register.filter(pl.col("id").is_in(sorted(ids)))
    found: dict[str, dict[str, Any]] = {}
    for row in mine.select("id", *dict.fromkeys(columns.values())).iter_rows(named=True):
        values = {role: row[column] for role, column in columns.items()}
        found[row["id"]] = {
            role: [plain(one) for one in value] if isinstance(value, list) else plain(value)
            for role, value in values.items()
            if value is not None and value != []
        }
    return found


def _values(job: Job, config: LinkageConfig, ids: Collection[str]) -> dict[str, _Values]:
    """The target's columns of some records, those that hold something."""
    found: dict[str, _Values] = {}
    for spec, space, keys in _by_table(job, config, ids):
        shown = {column.name for column in spec.loaded if column.type.name != "text" and not column.references}
        for batch in job.ledger.sealed(job.run, "transform", spec.name, "clean"):
            rows = batch.scan().filter(pl.col(KEY).is_in(keys)).drop(ROW, REST).collect()
            for row in rows.iter_rows(named=True):
                key = row.pop(KEY)
                held = {name: plain(value) for name, value in row.items() if value is not None}
                fields = {name: text for name, text in held.items() if name in shown and text}
                unshown = tuple(
                    sorted(name for name in held if name not in shown and not name.startswith(EVIDENCE))
                )
                found[f"{space}:{key}"] = _Values(fields, len(held), unshown)
    return found


def _restricted(job: Job, config: LinkageConfig, ids: Collection[str]) -> set[str]:
    found = set[str]()
    for spec, space, keys in _by_table(job, config, ids):
        found |= {f"{space}:{key}" for key in restricted(job, spec, keys, space)}
    return found


def _by_table(job: Job, config: LinkageConfig, ids: Collection[str]) -> Iterator[tuple[TableSpec, str, list[str]]]:
    """The specs of a register, what stands before their keys, and the keys of these records there."""
    for spec in (spec for spec in job.specs if spec.name in config.tables):
        space = config.space(spec.system)
        yield spec, space, [item.partition(":")[2] for item in ids if item.startswith(f"{space}:")]


def pairs_evidence(
    keyed: Callable[..., str],
    pairs: pl.DataFrame,
    people: Mapping[str, Person],
    blocked: Preflight,
    kind: str = PERSON.name,
) -> list[PairEvidence]:
    """Pairs as the desk shows them. keyed: gives each pair the name that it has to the outside. pairs: left_id,
    right_id, p_same, weight, relation, zone, guard, state, ruling, changed, and a level for each comparison.
    blocked: what a merge of them would meet; kind: of which kind the register is."""
    levels = level_columns(pairs)
    rows = pairs.to_dicts()
    groups, torn = {lane: _groups(rows, people, lane) for lane in (OPEN, RESTRICTED)}, _torn(rows, people)
    return [replace(_pair(keyed, row, people, levels, groups, torn, blocked), kind=kind) for row in rows]


def item_of(keyed: Callable[..., str], left: str, right: str) -> str:
    """The name of a pair to the outside."""
    return keyed("item", left, right)[:32]


def _pair(
    keyed: Callable[..., str],
    row: Mapping[str, Any],
    people: Mapping[str, Person],
    levels: Sequence[str],
    groups: Mapping[int, Mapping[str, tuple[str, ...]]],
    torn: Mapping[str, int],
    blocked: Preflight,
) -> PairEvidence:
    left, right = people[row["left_id"]], people[row["right_id"]]
    conflict = row.get("conflict") is True
    clearance = max(left.clearance, right.clearance, torn.get(left.id, 0) if conflict else 0)
    found = {name: str(row[name]) for name in levels if row[name] is not None}
    flags = tuple(sorted({*left.flags, *right.flags}))
    group = groups[clearance].get(left.id, ())
    blockers = tuple((one.blocker, one.left, one.right) for one in blocked.get((left.id, right.id), ()))
    says, below = str(row.get("preflight") or ""), row["state"] == "below"
    made = PairEvidence(
        item=item_of(keyed, left.id, right.id), left_id=left.id, right_id=right.id, clearance=clearance,
        open=row["state"] == "undecided", value=0.0, p=float(row["p_same"] or 0), weight=float(row["weight"] or 0),
        relation=str(row["relation"] or ""), zone=str(row["zone"] or ""), guard=str(row["guard"] or ""),
        levels=found, teams=tuple(sorted({*left.teams, *right.teams})), flags=flags,
        child=any(_is_child(person) for person in (left, right)),
        group=() if below else group, conflict=conflict, proposed=row.get("asked_for") is not True,
        evidence=digest(left.digest, right.digest, found, conflict, *([says, blockers] if says else [])),
        preflight=says, blockers=blockers, changed=row.get("changed") or "", why=row.get("why") or "",
        drawn=below,
    )  # fmt: skip
    twice = int(made.item, 16) % TWICE == 0
    return replace(made, value=expected_value(made), double=twice)


def expected_value(pair: PairEvidence) -> float:
    """What is gained when a person decides: the harm that hangs on it times the certainty that is gained.

    Harm is 1, and more for a child (2), for care that calls for two people (1), money on file (1) and a warning
    (1). Certainty is p, for a record in two parts mended, and its entropy in bits, for a doubt that ends.
    Rounded, so that a trace of other records in p does not move a pair.
    """
    marks = set(pair.flags)
    harm = 1 + 2 * pair.child + bool(marks & {"looked after", "child protection"}) + ("money on file" in marks)
    harm += "warning" in marks
    p = min(max(pair.p, 1e-9), 1 - 1e-9)
    entropy = -p * math.log2(p) - (1 - p) * math.log2(1 - p)
    return round(harm * (p + entropy) + 3 * pair.conflict, 1)


def _is_child(person: Person) -> bool:
    try:
        born = dt.date.fromisoformat(person.text("birth_date")[:10])
    except ValueError:
        return False
    today = dt.date.today()  # noqa: DTZ011 (the council's day)
    return (today.year - born.year - ((today.month, today.day) < (born.month, born.day))) < _ADULT


def _groups(
    rows: Sequence[Mapping[str, Any]], people: Mapping[str, Person], lane: int
) -> dict[str, tuple[str, ...]]:
    """The groups of three or more that open pairs and those decided the same make, by record. lane: only of
    records with no higher clearance, so that a group is what it would be without the others."""
    joined = [
        (row["left_id"], row["right_id"]) for row in rows
        if row["state"] != "below" and (row["state"] == "undecided" or row.get("ruling") in (None, "same"))
        and max(people[row["left_id"]].clearance, people[row["right_id"]].clearance) <= lane
    ]  # fmt: skip
    return {item: group for group in together(joined) if len(group) > 2 for item in group}


def _torn(rows: Sequence[Mapping[str, Any]], people: Mapping[str, Person]) -> dict[str, int]:
    """The highest clearance of all who are in one contradiction, by record."""
    joined = [(row["left_id"], row["right_id"]) for row in rows if row.get("conflict") is True]
    found = defaultdict[str, int](int)
    for group in together(joined):
        highest = max(people[item].clearance for item in group)
        found.update(dict.fromkeys(group, highest))
    return found
