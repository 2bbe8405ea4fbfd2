"""One night: what changed, who it may be, what of that is before the reviewers. The order of the steps.

The live register is only read, in one snapshot, and what is kept of it changes in one moment at the end. Whatever
breaks before that leaves the project as it was: the same command does the night again. The review desk has what it
shows from a file of its own, which follows the moment; after a scan that was killed between the two, the next one
puts it in place first.
"""

from __future__ import annotations

import datetime as dt
import enum
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from casebridge.dedupe.review.decision_log import DecisionLog
from casebridge.dedupe.review.decisions import Decision, Ruling
from casebridge.dedupe.review.evidence import said_until_now
from casebridge.dedupe.review.reraise import note_bases
from casebridge.dedupe.scan.anew import ENDS, stirred
from casebridge.dedupe.scan.changes import TableRead, read_table
from casebridge.dedupe.scan.chores import done_chores, read_chores
from casebridge.dedupe.scan.config import ScanConfig, read_scan
from casebridge.dedupe.scan.counts import Counts
from casebridge.dedupe.scan.drift import drift
from casebridge.dedupe.scan.failpoints import failpoint
from casebridge.dedupe.scan.history import Record, counted_pairs, read_record
from casebridge.dedupe.scan.kept_rows import KeptRows
from casebridge.dedupe.scan.keys import Keys, has_own_list, hidden_records, read_crosswalk
from casebridge.dedupe.scan.linking import Before, Linked, Ruled, link_people, read_linked
from casebridge.dedupe.scan.nightly_evidence import NightlyEvidence
from casebridge.dedupe.scan.pairs import candidates, ruled_pairs, waiting
from casebridge.dedupe.scan.people import LiveQueries, Moved, with_all_changes, with_changes
from casebridge.dedupe.scan.publishing import publish
from casebridge.dedupe.scan.standing import Standing, pairs_of
from casebridge.dedupe.scan.state import LINKED, ScanState, read_state
from casebridge.project.audit import AuditLog
from casebridge.project.batch import remove_left_over
from casebridge.project.errors import counted
from casebridge.project.ledger import Ledger
from casebridge.project.settings import Settings
from casebridge.project.snapshot import open_snapshot

Tell = Callable[[str], None]
SHARE_SINCE, MOST_SINCE, NIGHTS_SINCE = 0.02, 4000, 30
"""The share of people, or how many of them, or the nights, after which the register is written whole again."""


@dataclass(frozen=True)
class _Seen:
    """The register as it stands tonight: the rows of its tables, what crosswalk and lists say of its keys."""

    tables: Mapping[str, TableRead]
    crosswalk: pl.DataFrame
    hidden: frozenset[str]
    chores: Mapping[str, Mapping[str, pl.DataFrame] | None]

    @property
    def rows(self) -> dict[str, KeptRows]:
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
) -> Record:
    """Do a night. whole: read every row, whatever change dates say. The caller holds the project."""
    with _opened(settings, log, day, tell, model) as work:
        work.state.tidy()
        publish(work.ledger, settings, work.state)
        then = said_until_now(log.engine)
        seen = _read(settings, work.config, work.state, whole=whole, tell=tell)
        failpoint("after reading")
        return work.night(seen, then)


def preview(
    settings: Settings, log: AuditLog, day: dt.date, tell: Tell, *, whole: bool = False, model: Model = Model.KEPT
) -> Preview:
    """What the same night would change, without changing anything."""
    with _opened(settings, log, day, tell, model) as work:
        return work.preview(_read(settings, work.config, work.state, whole=whole, tell=tell))


@contextmanager
def _opened(settings: Settings, log: AuditLog, day: dt.date, tell: Tell, model: Model) -> Iterator[_Work]:
    config, state = read_scan(settings.folder), read_state(settings.work)
    remove_left_over(state.folder)
    ledger = Ledger(settings.work)
    try:
        yield _Work(settings, log, config, state, ledger, day, tell, model)
    finally:
        ledger.close()


def _read(settings: Settings, config: ScanConfig, state: ScanState, *, whole: bool, tell: Tell) -> _Seen:
    """The live register, in one snapshot that is closed when all is read."""
    url = settings.live.url if settings.live else settings.target_url
    tables = dict[str, TableRead]()
    nights = state.facts.get("nights", [])
    last = str(nights[-1]["day"]) if nights else ""
    with open_snapshot(url) as snapshot:
        crosswalk = read_crosswalk(snapshot, settings)
        system = settings.live.system if settings.live else ""
        people = config.register
        named = snapshot.read(people.name, [people.key]) if has_own_list(settings) else ()
        own = [f"{system}:{key}" for batch in named for key in batch.get_column(people.key).drop_nulls()]
        hidden = hidden_records(settings, crosswalk, own)
        keys = {item.partition(":")[2] for item in hidden}
        for table in config.tables:
            sums = tuple(state.facts.get("keys", {}).get(table.name) or ()) or None
            kept = state.rows(table.name)
            tables[table.name] = read_table(snapshot, table, kept, keys, last, sums, whole=whole)
            tell(f"{table.name}: {tables[table.name].read:,} rows read")
        chores = read_chores(snapshot, config.chores)
    return _Seen(tables, crosswalk.filter(~pl.col("live").is_in(sorted(hidden))), frozenset(hidden), chores)


@dataclass(frozen=True)
class Preview:
    """What a night would bring to the desk and take from it, as pairs of keys, and how many would wait."""

    come: tuple[tuple[str, str], ...]
    go: tuple[tuple[str, str], ...]
    waiting: int


@dataclass(frozen=True)
class _Found:
    """What the steps of one night found, for those that write it down."""

    queries: LiveQueries
    moved: Moved
    asked: Collection[str] | None
    keys: Keys
    returned: Mapping[str, tuple[str, int]]
    ruled: Ruled
    linked: Linked
    due: bool
    said: list[Decision]
    pairs: pl.DataFrame
    before: pl.DataFrame | None


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
    began: float = field(default_factory=time.monotonic)

    def night(self, seen: _Seen, then: Mapping[str, str]) -> Record:
        """Find, write, and have it count."""
        DecisionLog(self.log).forget(seen.hidden)
        found = self._look(seen)
        failpoint("after linking")
        note_bases(self.log.engine, found.said, found.linked.pairs.lazy())
        evidence = self._evidence(seen, found).write(then)
        failpoint("evidence written")
        return self._commit(seen, found, evidence)

    def preview(self, seen: _Seen) -> Preview:
        """What the night would bring to the desk and take from it. Nothing is written."""
        now, before = waiting(self._look(seen).pairs), waiting(self.state.frame("candidates"))
        by = ["left_id", "right_id"]
        come, go = (one.join(other, on=by, how="anti").select(by) for one, other in ((now, before), (before, now)))
        return Preview(tuple(come.rows()), tuple(go.rows()), now.height)

    def _look(self, seen: _Seen) -> _Found:
        queries = LiveQueries(self.settings, self.config, seen.rows, self.day)
        moved, asked = self._moved(queries, seen)
        register = moved.register
        self.tell(f"register of {register.height:,}, {len(moved.changed):,} changed")
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
        linked = link_people(register, self._before(moved, seen.hidden), self.config, ruled, also)
        before = self.state.frame("candidates")
        due = self._due(seen, moved, linked)
        if not due:
            linked = replace(linked, made=None)  # it is as large as the register
        pairs = candidates(linked, besides, decided, told.bases(keys), before, self.day.isoformat())
        return _Found(queries, moved, asked, keys, returned, ruled, linked, due, said, pairs, before)

    def _moved(self, queries: LiveQueries, seen: _Seen) -> tuple[Moved, set[str] | None]:
        """The register with what moved in it, and whom the query was asked of; None for everybody."""
        before, system = self.state.rows("register"), self.settings.live.system if self.settings.live else ""
        out = ~pl.col("id").is_in(sorted(seen.hidden))
        if before is None or self._asked != self.state.facts.get("asked"):
            return with_all_changes(before, queries.register().filter(out)), None
        asked = {f"{system}:{key}" for key in seen.people} | seen.hidden
        return with_changes(before, queries.register(seen.people).filter(out), asked), asked

    def _before(self, moved: Moved, hidden: Collection[str]) -> Before | None:
        """What the night begins with; None where a model is fitted."""
        folder = self.state.linked if self.model is Model.KEPT else None
        if folder is None:
            return None
        linked, named = read_linked(folder), self.state.frame("clusters")
        clusters = dict(named.iter_rows()) if named is not None else {}
        if hidden:
            linked, clusters = linked.without_names(hidden), {
                item: name for item, name in clusters.items() if name not in hidden and item not in hidden
            }  # fmt: skip
        touched = {*moved.register.touched.get_column("id")}
        return Before(linked, {*moved.changed, *linked.ids()} if moved.anew else touched, clusters)

    @property
    def _asked(self) -> str:
        """What makes a row of the register tonight: where it is not what it was, everybody is asked for again."""
        return self.config.asked(self.settings.live.system if self.settings.live else "")

    def _evidence(self, seen: _Seen, found: _Found) -> NightlyEvidence:
        ruled, before, stir = found.ruled.frame(), self.state.frame("ruled"), None
        if found.asked is not None and before is not None:
            apart = pl.concat([ruled, before]).unique(keep="none")
            ends = {item for side in ENDS for item in apart.get_column(side)}
            stir = (stirred(found.moved, found.asked, self.config) | ends) - seen.hidden
        self.state.put("ruled", ruled)
        return NightlyEvidence(
            self.settings, self.config, self.state, self.log.keyer(), found.queries, found.moved.register,
            seen.rows, seen.crosswalk, found.ruled.related, found.pairs, stir, seen.hidden, self.day,
        )  # fmt: skip

    def _model_since(self) -> int:
        """The last decision before the model was fitted: what it rested on was weighed by another one."""
        fresh = self.model is Model.NEW or self.state.linked is None
        return int(
            said_until_now(self.log.engine).get("decisions", 0) if fresh else self.state.facts["model_since"]
        )

    def _commit(self, seen: _Seen, found: _Found, evidence: Mapping[str, Any]) -> Record:
        state = self.state
        kept = self._keep(seen, found)
        lists = done_chores(found.queries, self.config.chores, seen.chores, seen.hidden)
        counts = self._counts(found, anew=found.due)
        record, nights = self._record(seen, found, lists, counts)
        merged = {gone: kept for gone, kept in found.keys.merged.items() if not {gone, kept} & seen.hidden}
        failpoint("before commit")
        state.commit({
            "merged": merged, "back": dict(found.returned), **evidence, **kept, "nights": nights,
            "chores": lists, "asked": self._asked, "model_since": self._model_since(),
            "floors": dict(counts.floors),
            "keys": {name: table.keys for name, table in seen.tables.items()},
        })  # fmt: skip
        failpoint("after commit")
        publish(self.ledger, self.settings, state)
        failpoint("published")
        return record

    def _keep(self, seen: _Seen, found: _Found) -> dict[str, Any]:
        """Have the register kept as it is from the next commit on: what changed in it, or all of it anew."""
        state, linked, tables = self.state, found.linked, {**seen.rows, "register": found.moved.register}
        state.put("candidates", found.pairs)
        named, schema = linked.clusters, {"id": pl.String(), "cluster": pl.String()}
        facts = {name: state.facts.get(name) for name in ("whole_since", LINKED)}
        if found.due:
            tables = {name: rows.written_whole() for name, rows in tables.items()}
            folder, named = state.new_folder(LINKED), {}
            facts = {"whole_since": state.night + 1, LINKED: folder.name if linked.made else ""}
            if linked.made:
                linked.made().save(folder)
        for name, rows in tables.items():
            state.put_rows(name, rows)
        state.put("clusters", pl.DataFrame([*named.items()], schema=schema, orient="row"))
        return facts

    def _due(self, seen: _Seen, moved: Moved, linked: Linked) -> bool:
        """Whether all is written anew: as long as it is not, each night links again what changed since."""
        state, register = self.state, moved.register
        if self.model is Model.NEW or state.linked is None or moved.anew or not linked.made:
            return True
        many = state.files["register.touched"].rows > min(MOST_SINCE, SHARE_SINCE * register.height)
        keys = {item.partition(":")[2] for item in seen.hidden}
        hidden = register.names_in_base(["id"], seen.hidden) or any(
            seen.rows[table.name].names_in_base([table.person, *table.others], keys)
            for table in self.config.tables
        )
        return many or hidden or state.night + 1 - int(state.facts["whole_since"]) >= NIGHTS_SINCE

    def _counts(self, found: _Found, *, anew: bool) -> Counts:
        """What the register holds now: brought up to date, or counted anew."""
        state, moved, counts = self.state, found.moved, None
        values, nhs = state.frame("counts"), state.frame("nhs")
        if values is not None and nhs is not None and found.asked is not None and not anew:
            counts = Counts(values, nhs, state.facts["floors"]).moved(moved.then, moved.now, self.config)
        if counts is None:
            columns = dict.fromkeys(["id", *(column for _, column in self.config.fields)])
            counts = Counts.of(moved.register.select(*columns), self.config)
        state.put("counts", counts.values)
        state.put("nhs", counts.nhs)
        return counts

    def _record(
        self, seen: _Seen, found: _Found, lists: Mapping[str, tuple[str, ...] | None], counts: Counts
    ) -> tuple[Record, list[dict[str, Any]]]:
        """Tonight in numbers, and all nights that are kept with it."""
        nights = [read_record(body) for body in self.state.facts.get("nights", [])]
        gap = (self.day - dt.date.fromisoformat(nights[-1].day)).days - 1 if nights else 0
        record = Record(
            night=self.state.night + 1, day=self.day.isoformat(), people=counts.people,
            changed=len(found.moved.changed),
            **counted_pairs(found.pairs, found.before, self.day),
            largest=counts.largest_shares(self.config), filled=counts.filled_shares(self.config),
            nhs=counts.nhs_by_cohort(self.config, self.day),
            rows_read={name: table.read for name, table in seen.tables.items()},
            late={name: table.late for name, table in seen.tables.items() if table.late}, missed=max(gap, 0),
            chores={name: None if keys is None else len(keys) for name, keys in lists.items()},
            warnings=found.linked.warnings, seconds=round(time.monotonic() - self.began, 2),
        )  # fmt: skip
        hidden = [f"{name}: {counted(rows, 'row')} changed though `changed` did not move: it cannot be trusted"
                  for name, rows in record.late.items()]  # fmt: skip
        record = record.warned([*hidden, *drift(nights, record)])
        live = self.settings.live
        kept = [*nights, record][-(live.keep_nights if live else 1) :]
        return record, [one.plain() for one in kept]
