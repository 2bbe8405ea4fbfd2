"""One night: what changed, who it may be, what of that is before the reviewers. The order of the steps.

The live register is only read, in one snapshot, and what is kept of it changes in one moment at the end. Whatever
breaks before that leaves the project as it was: the same command does the night again. The review desk has what it
shows from a file of its own, which follows the moment; after a scan that was killed between the two, the next one
puts it in place first.
"""

from __future__ import annotations

import datetime as dt
import enum
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from casebridge.dedupe.review.decision_log import DecisionLog
from casebridge.dedupe.review.decisions import Ruling
from casebridge.dedupe.review.evidence import said_until_now
from casebridge.dedupe.review.evidence_file import KIND, NAME, write_evidence_file
from casebridge.dedupe.review.reraise import Basis, bases, note_bases
from casebridge.dedupe.scan.changes import TableRead, read_table
from casebridge.dedupe.scan.config import ScanConfig, read_scan
from casebridge.dedupe.scan.keys import Keys, hidden_records, legacy_of, read_crosswalk
from casebridge.dedupe.scan.linking import Linked, Ruled, link_people, read_linked
from casebridge.dedupe.scan.pairs import candidates, ruled_pairs, waiting
from casebridge.dedupe.scan.people import LiveQueries, with_changes
from casebridge.dedupe.scan.showing import shown_pairs, shown_people
from casebridge.dedupe.scan.state import LINKED, ScanState, read_state
from casebridge.project.audit import AuditLog
from casebridge.project.batch import Batch, digest, keep, new_file, remove_left_over
from casebridge.project.errors import CasebridgeError
from casebridge.project.ledger import Ledger
from casebridge.project.settings import Settings
from casebridge.project.snapshot import open_snapshot
from casebridge.project.tally import Tally

STAGE, SCOPE = "dedupe", "scan"
"""Under what the ledger names the evidence of a scan."""
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Night:
    """What a scan did: its number, its day, and counts. No key and no value of anybody."""

    number: int
    day: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class _Seen:
    """The register as it stands tonight: the rows of its tables, what crosswalk and lists say of its keys."""

    tables: Mapping[str, TableRead]
    crosswalk: pl.DataFrame
    hidden: frozenset[str]

    @property
    def rows(self) -> dict[str, pl.DataFrame]:
        return {name: table.rows for name, table in self.tables.items()}

    @property
    def people(self) -> set[str]:
        """Keys of those with a row that came, went or changed."""
        return {key for table in self.tables.values() for key in table.people}


class Model(enum.StrEnum):
    """By which model a night scores: the one that is kept, or one that is fitted to the register as it is now."""

    KEPT = "kept"
    NEW = "new"


def scan(
    settings: Settings, log: AuditLog, day: dt.date, tell: Tell, *, whole: bool = False, model: Model = Model.KEPT
) -> Night:
    """Do a night. whole: read every row, whatever change dates say. The caller holds the project."""
    config, state = read_scan(settings.folder), read_state(settings.work)
    remove_left_over(state.folder)
    state.tidy()
    ledger = Ledger(settings.work)
    try:
        _catch_up(ledger, settings, state)
        then = said_until_now(log.engine)
        seen = _read(settings, config, state, whole=whole, tell=tell)
        return _Work(settings, log, config, state, ledger, day, tell, model).night(seen, then)
    finally:
        ledger.close()


def _read(settings: Settings, config: ScanConfig, state: ScanState, *, whole: bool, tell: Tell) -> _Seen:
    """The live register, in one snapshot that is closed when all is read."""
    url = settings.live.url if settings.live else settings.target_url
    tables = dict[str, TableRead]()
    with open_snapshot(url) as snapshot:
        crosswalk = read_crosswalk(snapshot, settings)
        system = settings.live.system if settings.live else ""
        people = config.register
        own = [f"{system}:{key}" for batch in snapshot.read(people.name, [people.key])
               for key in batch.get_column(people.key).drop_nulls()]  # fmt: skip
        hidden = hidden_records(settings, crosswalk, own)
        keys = {item.partition(":")[2] for item in hidden}
        for table in config.tables:
            tables[table.name] = read_table(snapshot, table, state.frame(table.name), keys, whole=whole)
            tell(f"{table.name}: {tables[table.name].read:,} rows read")
    return _Seen(tables, crosswalk.filter(~pl.col("live").is_in(sorted(hidden))), frozenset(hidden))


@dataclass(frozen=True)
class _Work:
    """What the steps of one night share."""

    settings: Settings
    log: AuditLog
    config: ScanConfig
    state: ScanState
    ledger: Ledger
    day: dt.date
    tell: Tell
    model: Model

    def night(self, seen: _Seen, then: Mapping[str, str]) -> Night:
        queries, state = LiveQueries(self.settings, self.config, seen.rows), self.state
        register, changed = self._register(queries, seen)
        present = set(register.get_column("id"))
        keys = self._keys(queries, seen, present)
        standing = DecisionLog(self.log).standing()
        decided = keys.decisions(standing, present)
        on_file = {pair for pair in _pairs(queries, "duplicates") if present.issuperset(pair)}
        related = [pair for pair in _pairs(queries, "related") if pair not in on_file and present.issuperset(pair)]
        ruled = Ruled(
            ruled_pairs(decided, Ruling.SAME), ruled_pairs(decided, Ruling.DIFFERENT, Ruling.RELATED), related
        )
        linked = self._linked(register, changed, ruled, seen.hidden)
        here = [said for said in standing if {said.left_id, said.right_id} <= present]
        note_bases(self.log.engine, here, linked.pairs.lazy())
        self.tell(f"register of {register.height:,}, {len(changed):,} changed")
        before = state.frame("candidates")
        found = candidates(linked, on_file, decided, self._bases(keys), before, self.day.isoformat())
        members = {item for side in ("left_id", "right_id") for item in found.get_column(side)}
        people = shown_people(self.config, register, seen.rows, members, related, queries.texts)
        evidence = self._evidence(people, found, then)
        return self._commit(seen, register, changed, keys, linked, found, before, evidence)

    def _register(self, queries: LiveQueries, seen: _Seen) -> tuple[pl.DataFrame, set[str]]:
        before, system = self.state.frame("register"), self.settings.live.system if self.settings.live else ""
        hidden = sorted(seen.hidden)
        if before is None:
            return with_changes(None, queries.register(), ())
        asked = {f"{system}:{key}" for key in seen.people} | seen.hidden
        now = queries.register(seen.people).filter(~pl.col("id").is_in(hidden))
        return with_changes(before, now, asked)

    def _keys(self, queries: LiveQueries, seen: _Seen, present: Collection[str]) -> Keys:
        """The map of keys. A record that is gone, and of which one person only was decided to be the same, became
        that one."""
        said = DecisionLog(self.log).standing()
        named = {item for one in said for item in (one.left_id, one.right_id)}
        keys = Keys(legacy_of(seen.crosswalk, named), dict(self.state.facts.get("merged", {})))
        declared = dict(queries.pairs("merged", "gone", "kept").iter_rows())
        same: dict[str, set[str]] = {}
        for one in (one for one in said if one.verdict is Ruling.SAME):
            for gone, kept in ((one.left_id, one.right_id), (one.right_id, one.left_id)):
                same.setdefault(keys.now(gone), set()).add(keys.now(kept))
        followed = {
            gone: next(iter(there)) for gone, partners in same.items()
            if gone not in present and len(there := partners & set(present)) == 1
        }  # fmt: skip
        merges = {gone: kept for gone, kept in {**followed, **declared}.items() if not {gone, kept} & seen.hidden}
        return keys.with_merges(merges, present)

    def _bases(self, keys: Keys) -> dict[tuple[str, str], Basis]:
        """What decisions rested on, by the records that stand for those they were about. The weight counts only
        where it is of these very records and of this model: another one weighs the same evidence otherwise."""
        found = {}
        since = int(self.state.facts.get("model_since", 0))
        for (left, right), basis in bases(self.log.engine).items():
            first, second = sorted((keys.now(left), keys.now(right)))
            same = (first, second) == (left, right) and basis.number > since
            found[first, second] = basis if same else replace(basis, weight=math.nan)
        return found

    def _linked(
        self, register: pl.DataFrame, changed: Collection[str], ruled: Ruled, hidden: Collection[str]
    ) -> Linked:
        folder = self.state.linked if self.model is Model.KEPT else None
        before = read_linked(folder).without_names(hidden) if folder else None
        return link_people(register, changed, before, self.config, ruled)

    def _model_since(self) -> int:
        """The last decision before the model was fitted: what it rested on was weighed by another one."""
        fresh = self.model is Model.NEW or self.state.linked is None
        return int(
            said_until_now(self.log.engine).get("decisions", 0) if fresh else self.state.facts["model_since"]
        )

    def _evidence(self, people: Mapping[str, Any], found: pl.DataFrame, then: Mapping[str, str]) -> Batch:
        rows = shown_pairs(self.log.keyer(), found, people)
        inputs = digest(SCOPE, self.state.night + 1, self.day.isoformat(), len(rows))
        path = self.settings.work / STAGE / NAME / f"{self.state.night + 1:05d}-{inputs[:16]}.{KIND}.db"
        with new_file(path) as file:
            beside = Path(file.name)
            write_evidence_file(beside, people.values(), rows, {"run": SCOPE, **then})
            return keep(beside, path, stage=STAGE, table=NAME, number=0, kind=KIND, inputs=inputs, rows=len(rows))

    def _commit(
        self, seen: _Seen, register: pl.DataFrame, changed: Collection[str], keys: Keys, linked: Linked,
        found: pl.DataFrame, before: pl.DataFrame | None, evidence: Batch,
    ) -> Night:  # fmt: skip
        state = self.state
        for name, rows in {
            **seen.rows,
            "register": register,
            "candidates": found,
        }.items():
            state.put(name, rows)
        folder = state.new_folder("linked")
        if linked.kept is not None:
            linked.kept.save(folder)
        facts = self._facts(seen, register, changed, linked, found, before)
        merged = {gone: kept for gone, kept in keys.merged.items() if not {gone, kept} & seen.hidden}
        held = {**vars(evidence), "path": evidence.path.relative_to(self.settings.work).as_posix()}
        state.commit({
            "day": self.day.isoformat(), "merged": merged, "evidence": held, "last": facts,
            "model_since": self._model_since(), LINKED: folder.name if linked.kept is not None else "",
        })  # fmt: skip
        _catch_up(self.ledger, self.settings, state)
        return Night(state.night, self.day.isoformat(), facts)

    def _facts(
        self, seen: _Seen, register: pl.DataFrame, changed: Collection[str], linked: Linked, found: pl.DataFrame,
        before: pl.DataFrame | None,
    ) -> dict[str, Any]:  # fmt: skip
        open_now, old = waiting(found), waiting(before)
        return {
            "people": register.height, "changed": len(changed), "waiting": open_now.height,
            "new": open_now.join(old, on=["left_id", "right_id"], how="anti").height,
            "settled": old.join(open_now, on=["left_id", "right_id"], how="anti").height,
            "again": found.get_column("changed").count(),
            "decided": found.height - open_now.height, "warnings": list(linked.warnings),
            "rows_read": {name: table.read for name, table in seen.tables.items()},
        }  # fmt: skip


def _pairs(queries: LiveQueries, name: str) -> set[tuple[str, str]]:
    found = queries.pairs(name).iter_rows()
    return {(min(left, right), max(left, right)) for left, right in found if left != right}


def _catch_up(ledger: Ledger, settings: Settings, state: ScanState) -> None:
    """Have the desk show the evidence of the last night that counts, where a scan was killed before it did."""
    held = state.facts.get("evidence")
    if held is None or ledger.done(STAGE, NAME, 0, str(held["inputs"])) is not None:
        return
    batch = Batch(**{**held, "path": settings.work / str(held["path"])})
    if not batch.path.is_file():
        raise CasebridgeError("the evidence of the last scan is gone", hint="restore work/ from a backup")
    ledger.attempt(STAGE, NAME, 0, batch.inputs)
    ledger.record(STAGE, NAME, 0, batch.inputs, [batch], Tally())
    for run in ledger.runs():
        ledger.seal(str(run.name), STAGE, NAME, [])
    ledger.seal(SCOPE, STAGE, NAME, [(0, batch.inputs)])
    for path in batch.path.parent.glob(f"*.{KIND}.db"):
        if path not in ledger.in_use(STAGE):
            path.unlink()
