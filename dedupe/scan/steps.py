"""The steps of a night that each register takes by itself: what changed, who it may be, what is kept of it."""

from __future__ import annotations

import datetime as dt
import enum
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from casebridge.dedupe.linkage.kinds.registry import KINDS
from casebridge.dedupe.review.decision_log import DecisionLog
from casebridge.dedupe.review.decisions import Decision, Ruling
from casebridge.dedupe.review.evidence import said_until_now
from casebridge.dedupe.review.evidence_pairs import pairs_evidence
from casebridge.dedupe.review.reraise import note_bases
from casebridge.dedupe.scan.by_team import Teams, teams_of, with_teams
from casebridge.dedupe.scan.changes import TableRead, read_table
from casebridge.dedupe.scan.chores import ChoreRows, read_chores, read_whole
from casebridge.dedupe.scan.config import RESTRICTED, ScanConfig
from casebridge.dedupe.scan.counts import NHS, Counts
from casebridge.dedupe.scan.drift import NIGHTS, drift
from casebridge.dedupe.scan.guards import check_keys, check_tables
from casebridge.dedupe.scan.history import COUNTED, Record, counted_pairs, read_record, waiting
from casebridge.dedupe.scan.kept_rows import KeptRows
from casebridge.dedupe.scan.keys import Keys
from casebridge.dedupe.scan.linking import (
    Before,
    Linked,
    Ruled,
    link_people,
    linked_again,
    read_linked,
    same_model,
)
from casebridge.dedupe.scan.nightly_evidence import Beside
from casebridge.dedupe.scan.pairs import BESIDE, candidates, ruled_pairs
from casebridge.dedupe.scan.people import LiveQueries, Moved, with_all_changes, with_changes
from casebridge.dedupe.scan.remade import ENDS
from casebridge.dedupe.scan.showing import shown_people
from casebridge.dedupe.scan.standing import Standing, pairs_of
from casebridge.dedupe.scan.state import LINKED, ScanState
from casebridge.project.audit import AuditLog
from casebridge.project.database import shown
from casebridge.project.ledger import Ledger
from casebridge.project.settings import Settings
from casebridge.project.snapshot import Snapshot

Tell = Callable[[str], None]
SHARE_SINCE, MOST_SINCE, NIGHTS_SINCE = 0.02, 4000, 30
"""The share of people, or how many of them, or the nights, after which the register is written whole again."""


@dataclass(frozen=True)
class Seen:
    """The register as it stands tonight: the rows of its tables, what crosswalk and lists say of its keys,
    and the tables of chores and lookups."""

    tables: Mapping[str, TableRead]
    crosswalk: pl.DataFrame
    hidden: frozenset[str]
    chores: Mapping[str, ChoreRows]
    lookups: Mapping[str, pl.DataFrame | str] = field(default_factory=dict)

    @property
    def absent(self) -> dict[str, str]:
        """The lookups that could not be read, each with the reason."""
        return {name: rows for name, rows in self.lookups.items() if isinstance(rows, str)}

    @property
    def rows(self) -> dict[str, KeptRows]:
        """The rows of each table, by its name."""
        return {name: table.rows for name, table in self.tables.items()}

    @property
    def people(self) -> set[str]:
        """Keys of those with a row that came, went or changed."""
        return {key for table in self.tables.values() for key in table.people}


class Model(enum.StrEnum):
    """By which model a night scores: the one that is kept, or one that is fitted to the register as it is now."""

    KEPT = "kept"
    NEW = "new"


@dataclass(frozen=True)
class Found:
    """What the steps of one night found, for those that write it down. due: all is written again. few: there are
    too few records to link. model: the fingerprint of that by which the scan went."""

    queries: LiveQueries
    moved: Moved
    asked: Collection[str] | None
    keys: Keys
    returned: Mapping[str, tuple[str, int]]
    ruled: Ruled
    linked: Linked
    due: bool
    few: bool
    said: list[Decision]
    pairs: pl.DataFrame
    before: pl.DataFrame | None
    model: str


@dataclass(frozen=True)
class Told:
    """What a night says of a further register: COUNTED (None where it could not be read), what the desk shows,
    warnings."""

    counts: Mapping[str, int] | None
    shown: Beside = field(default_factory=Beside)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class RegisterNight:
    """A night of one register: what changed in it, and who that may be. replaced: it may be another one than it
    was."""

    settings: Settings
    log: AuditLog
    config: ScanConfig
    state: ScanState
    ledger: Ledger
    day: dt.date
    tell: Tell
    model: Model
    replaced: bool = False
    began: float = field(default_factory=time.monotonic)

    @property
    def _space(self) -> str:
        """What stands before the colon of ids."""
        return self.config.space(self.settings.live.system if self.settings.live else "")

    @property
    def _where(self) -> str:
        """The register's database, as it may be shown."""
        return shown(self.settings.live.url if self.settings.live else self.settings.target_url)

    def check_tables(self, snapshot: Snapshot) -> None:
        """SourceError names the tables and columns that are not there."""
        check_tables(snapshot, self.config, self._where)

    def seen(
        self, snapshot: Snapshot, crosswalk: pl.DataFrame, hidden: frozenset[str], last: str, *, whole: bool,
        write: bool,
    ) -> Seen:  # fmt: skip
        """The register's tables as they stand tonight, read from a snapshot. write: what was read whole is kept in
        files at once; else nothing is written."""
        tables, keys = dict[str, TableRead](), {item.partition(":")[2] for item in hidden}
        for table in self.config.tables:
            sums = tuple(self.state.facts.get("keys", {}).get(table.name) or ()) or None
            before = self.state.rows(table.name)
            found = read_table(snapshot, table, before, keys, last, sums, whole=whole)
            if write and (before is None or found.rows.base is not before.base):
                found = replace(found, rows=self.state.written(table.name, found.rows))
            tables[table.name] = found
            self.tell(f"{table.name}: {tables[table.name].read:,} rows read")
        chores = read_chores(snapshot, self.config, keys)
        lookups = {table.name: read_whole(snapshot, table, keys) for table in self.config.lookups}
        return Seen(tables, crosswalk, hidden, chores, lookups)

    def look(self, seen: Seen, *, write: bool) -> Found:
        """Who changed, who that may be, and which pairs of that are for reviewers. write: what is due to be linked
        whole is put beside what stands at once, for it is larger than all else; else nothing is written."""
        queries = LiveQueries(self.settings, self.config, seen.rows, self.day, self._looked_up(seen))
        moved, asked = self._moved(queries, seen)
        if not self.replaced:
            check_keys(self.state.rows("register"), moved, self.config.kind, self._where)
        register = moved.register
        many = KINDS[self.config.kind].many
        self.tell(f"register of {register.height:,} {many}, {moved.count:,} changed")
        standing = DecisionLog(self.log).standing()
        told = Standing(self.log, self.state.facts, standing)
        present = told.present(queries, seen.crosswalk, register)
        keys = told.keys(queries, seen.crosswalk, seen.hidden, present)
        decided = keys.decisions(standing, present)
        besides, returned = told.besides(queries, keys, present)
        related = [
            pair for pair in pairs_of(queries, "related") if pair not in besides and present.issuperset(pair)
        ]
        ruled = Ruled(
            ruled_pairs(decided, Ruling.SAME), ruled_pairs(decided, Ruling.DIFFERENT, Ruling.RELATED), related
        )
        said = [one for one in standing if {one.left_id, one.right_id} <= present]
        also = {*decided, *besides, *((one.left_id, one.right_id) for one in said)}
        begun = self._before(moved, seen.hidden)
        if write and moved.again:
            moved = replace(moved, register=self.state.written("register", register), changed=frozenset())
            register = moved.register
        linked = link_people(register, begun, self.config, ruled, also)
        before = self.state.frame("candidates")
        due, few = (begun is not None and begun.again) or self._due(seen, moved, linked), linked.made is None
        model = self._model
        if due and write and linked.made:
            made = linked.made()
            made.save(self.state.new_folder(LINKED))
            model = made.kept.fingerprint
            del made
        linked = replace(linked, made=None)
        pairs = candidates(linked, besides, decided, told.bases(keys), before, self.day.isoformat())
        pairs = with_teams(pairs, self._teams(queries, seen, pairs))
        return Found(queries, moved, asked, keys, returned, ruled, linked, due, few, said, pairs, before, model)

    def _teams(self, queries: LiveQueries, seen: Seen, pairs: pl.DataFrame) -> Teams:
        """The teams of those who wait in a pair."""
        if not self.config.teams.strip():
            return {}
        waits = waiting(pairs)
        return teams_of(queries, seen.rows, "teams", {item for side in ENDS for item in waits.get_column(side)})

    def _looked_up(self, seen: Seen) -> dict[str, pl.DataFrame]:
        """The lookups, those that could not be read without rows."""
        none = {one.name: pl.DataFrame(schema=dict.fromkeys(one.wanted, pl.String()))
                for one in self.config.lookups}  # fmt: skip
        return none | {name: rows for name, rows in seen.lookups.items() if isinstance(rows, pl.DataFrame)}

    def _moved(self, queries: LiveQueries, seen: Seen) -> tuple[Moved, set[str] | None]:
        """The register with what moved in it, and whom the query was asked of; None for everybody."""
        before = self.state.rows("register")
        out, beside = ~pl.col("id").is_in(sorted(seen.hidden)), {RESTRICTED, self.config.verified}
        if before is None or self.asked != self.state.facts.get("asked"):
            return with_all_changes(before, queries.register().filter(out), beside), None
        asked = {f"{self._space}:{key}" for key in seen.people} | seen.hidden
        return with_changes(before, queries.register(seen.people).filter(out), asked, beside), asked

    def _before(self, moved: Moved, hidden: Collection[str]) -> Before | None:
        """What the night begins with; None where a model is fitted."""
        folder = self.state.linked if self.model is Model.KEPT else None
        if folder is None:
            return None
        linked, named = read_linked(folder), self.state.frame("clusters")
        again = linked is None
        if linked is None:
            then = self.state.frame("register")
            self.tell("what stands is of another release, or damaged: all is linked again, by the same model")
            rows, model = moved.register.select() if then is None else then, self._model
            linked = linked_again(folder, rows, self.config, model)
        same_model(linked.kept, self._model)
        clusters = dict(named.iter_rows()) if named is not None else {}
        if hidden:
            linked, clusters = linked.without_names(hidden), {
                item: name for item, name in clusters.items() if name not in hidden and item not in hidden
            }  # fmt: skip
        touched = {*moved.register.touched.get_column("id")}
        changed = {*moved.changed, *linked.ids()} if moved.again else {*moved.changed, *touched}
        return Before(linked, changed, clusters, again)

    @property
    def _model(self) -> str:
        """The fingerprint of the model by which the last scan went."""
        return str(self.state.facts.get("model") or "")

    @property
    def asked(self) -> str:
        """What makes a row of the register tonight: where it is not what it was, everybody is asked for again."""
        return self.config.asked(self._space)

    def beside(self, seen: Seen | str) -> Told:
        """Of a register that is not of people: find, and have it count when the night of people does. Where it
        could not be read it is as it was, and the reason is told."""
        if isinstance(seen, str):
            return Told(None, warnings=(f"{self.config.name}: not read: {seen}",))
        found = self.look(seen, write=True)
        note_bases(self.log.engine, found.said, found.linked.pairs.lazy())
        members = frozenset(item for side in ENDS for item in found.pairs.get_column(side))
        register, asked = found.moved.register, found.queries.texts
        people = shown_people(self.config, register, seen.rows, members, found.ruled.related, asked)
        pairs = pairs_evidence(self.log.keyer(), found.pairs.drop(BESIDE), people, {}, self.day, self.config.kind)
        counts = self.counts(found)
        nights = [read_record(body) for body in self.state.facts.get("nights", [])]
        tonight = Record(
            night=self.state.night + 1, day=self.day.isoformat(), people=register.height,
            changed=found.moved.count, **counted_pairs(found.pairs, found.before, self.day),
            largest=counts.largest_shares(self.config), filled=counts.filled_shares(self.config),
        )  # fmt: skip
        self.state.settle({
            **self.keep(seen, found), "merged": dict(found.keys.merged), "back": dict(found.returned),
            "asked": self.asked, "model_since": self.model_since(),
            "keys": {name: table.keys for name, table in seen.tables.items()},
            "floors": dict(counts.floors), "wrong": dict(counts.wrong),
            "nights": [one.plain() for one in [*nights, tonight][-NIGHTS:]],
        })  # fmt: skip
        shown = Beside(tuple(people.values()), tuple(pairs))
        words = [*found.linked.warnings, *drift(nights, tonight, KINDS[self.config.kind].many)]
        told = {**tonight.plain(), "records": register.height}
        warned = tuple(f"{self.config.name}: {one}" for one in words)
        return Told({key: int(told[key]) for key in COUNTED}, shown, warned)

    def counts(self, found: Found) -> Counts:
        """What the register holds now: brought up to date, or counted again."""
        state, moved, counts = self.state, found.moved, None
        values, nhs = state.frame("counts"), state.frame("nhs")
        as_now = nhs is not None and nhs.columns == NHS.names() and found.asked is not None and not found.due
        if values is not None and nhs is not None and as_now:
            before = Counts(values, nhs, state.facts["floors"], state.facts["wrong"])
            counts = before.moved(moved.then, moved.now, self.config)
        if counts is None:
            columns = dict.fromkeys(["id", *(column for _, column in self.config.fields), self.config.verified])
            counts = Counts.of(moved.register.lazy(*filter(None, columns)), self.config)
        state.put("counts", counts.values)
        state.put("nhs", counts.nhs)
        return counts

    def model_since(self) -> int:
        """The last decision before the model was fitted: what it rested on was weighed by another one."""
        fresh = self.model is Model.NEW or self.state.linked is None
        return int(
            said_until_now(self.log.engine).get("decisions", 0) if fresh else self.state.facts["model_since"]
        )

    def keep(self, seen: Seen, found: Found) -> dict[str, Any]:
        """Have the register kept as it is from the next commit on: what changed in it, or all of it again."""
        state, linked, tables = self.state, found.linked, {**seen.rows, "register": found.moved.register}
        state.put("candidates", found.pairs)
        named, schema = linked.clusters, {"id": pl.String(), "cluster": pl.String()}
        facts = {name: state.facts.get(name) for name in ("whole_since", LINKED, "model")}
        if found.due:
            tables = {name: rows.written_whole() for name, rows in tables.items()}
            folder, named = "" if found.few else state.new_folder(LINKED).name, {}
            facts = {"whole_since": state.night + 1, LINKED: folder, "model": found.model}
        for name, rows in tables.items():
            state.put_rows(name, rows)
        state.put("clusters", pl.DataFrame([*named.items()], schema=schema, orient="row"))
        return facts

    def _due(self, seen: Seen, moved: Moved, linked: Linked) -> bool:
        """Whether all is written again: as long as it is not, each night links again what changed since."""
        state, register = self.state, moved.register
        if self.model is Model.NEW or state.linked is None or moved.again or not linked.made:
            return True
        many = state.files["register.touched"].rows > min(MOST_SINCE, SHARE_SINCE * register.height)
        keys = {item.partition(":")[2] for item in seen.hidden}
        hidden = register.names_in_base(["id"], seen.hidden) or any(
            seen.rows[table.name].names_in_base(table.people, keys) for table in self.config.tables
        )
        return many or hidden or state.night + 1 - int(state.facts["whole_since"]) >= NIGHTS_SINCE
