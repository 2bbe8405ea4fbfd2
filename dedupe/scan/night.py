"""One night: what changed, who it may be, what of that is before the reviewers. The order of the steps.

The live register is only read, in one snapshot, and what is kept of it changes in one moment at the end. Whatever
breaks before that leaves the project as it was: the same command does the night again. The review desk has what it
shows from a file of its own, which follows the moment; after a scan that was killed between the two, the next one
puts it in place first.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from casebridge.dedupe.review.decision_log import DecisionLog
from casebridge.dedupe.review.evidence import said_until_now
from casebridge.dedupe.review.reraise import note_bases
from casebridge.dedupe.scan.by_team import TeamCounts, made_tonight, open_alone, team_counts, teams_of
from casebridge.dedupe.scan.chores import chore_warnings, done_chores, unmade
from casebridge.dedupe.scan.config import read_scans
from casebridge.dedupe.scan.counts import Counts
from casebridge.dedupe.scan.drift import drift
from casebridge.dedupe.scan.failpoints import failpoint
from casebridge.dedupe.scan.guards import lacking
from casebridge.dedupe.scan.history import Record, counted_pairs, read_record, waiting
from casebridge.dedupe.scan.keys import has_own_list, hidden_records, read_crosswalk
from casebridge.dedupe.scan.live_preflight import LiveRules, preflighted, read_live_rules
from casebridge.dedupe.scan.nightly_evidence import Beside, NightlyEvidence
from casebridge.dedupe.scan.people import restricted
from casebridge.dedupe.scan.publishing import publish
from casebridge.dedupe.scan.remade import ENDS, stirred
from casebridge.dedupe.scan.state import read_state
from casebridge.dedupe.scan.steps import Found, Model, RegisterNight, Seen, Tell, Told
from casebridge.project.audit import AuditLog
from casebridge.project.batch import remove_left_over
from casebridge.project.errors import SourceError, counted
from casebridge.project.ledger import Ledger
from casebridge.project.settings import Settings
from casebridge.project.snapshot import Snapshot, open_snapshot


def scan(
    settings: Settings, log: AuditLog, day: dt.date, tell: Tell, *, whole: bool = False, model: Model = Model.KEPT,
    replaced: bool = False,
) -> Record:  # fmt: skip
    """Do a night. whole: read every row, whatever change dates say. replaced: the register may be another one than
    it was. The caller holds the project."""
    with _opened(settings, log, day, tell, model, replaced=replaced) as work:
        work.state.tidy()
        publish(work.ledger, settings, work.state)
        then = said_until_now(log.engine)
        seen = _read(settings, work, whole=whole, write=True)
        failpoint("after reading")
        return work.night(seen, then)


def preview(
    settings: Settings, log: AuditLog, day: dt.date, tell: Tell, *, whole: bool = False, model: Model = Model.KEPT,
    replaced: bool = False,
) -> Preview:  # fmt: skip
    """What the same night would change, without changing anything."""
    with _opened(settings, log, day, tell, model, replaced=replaced) as work:
        return work.preview(_read(settings, work, whole=whole, write=False))


@contextmanager
def _opened(
    settings: Settings, log: AuditLog, day: dt.date, tell: Tell, model: Model, *, replaced: bool
) -> Iterator[_Night]:
    configs, state = read_scans(settings.folder), read_state(settings.work)
    rules = read_live_rules(settings, configs[0])
    remove_left_over(state.folder)
    ledger = Ledger(settings.work)
    try:
        further = tuple(
            RegisterNight(settings, log, config, state.part(config.name), ledger, day, tell, model, replaced)
            for config in configs[1:]
        )
        yield _Night(
            settings, log, configs[0], state, ledger, day, tell, model, replaced, further=further, rules=rules
        )
    finally:
        ledger.close()


def _read(settings: Settings, work: _Night, *, whole: bool, write: bool) -> dict[str, Seen | str]:
    """The live register, in one snapshot that is closed when all is read: what is seen of people ("") and of each
    further register, by its name; or, in words, why it could not be read."""
    url = settings.live.url if settings.live else settings.target_url
    nights = work.state.facts.get("nights", [])
    last = str(nights[-1]["day"]) if nights else ""
    with open_snapshot(url) as snapshot:
        work.check_tables(snapshot)
        crosswalk = read_crosswalk(snapshot, settings)
        system = settings.live.system if settings.live else ""
        people = work.config.register
        named = snapshot.read(people.name, [people.key]) if has_own_list(settings) else ()
        own = [f"{system}:{key}" for batch in named for key in batch.get_column(people.key).drop_nulls()]
        hidden = hidden_records(settings, crosswalk, own)
        seen = {"": work.seen(snapshot, crosswalk, frozenset(hidden), last, whole=whole, write=write)}
        further = {one.config.name: _seen_aside(one, snapshot, crosswalk, last, whole=whole, write=write)
                   for one in work.further}  # fmt: skip
    there = crosswalk.filter(~pl.col("live").is_in(sorted(hidden)))
    return {name: one if isinstance(one, str) else replace(one, crosswalk=there)
            for name, one in {**seen, **further}.items()}  # fmt: skip


def _seen_aside(
    one: RegisterNight, snapshot: Snapshot, crosswalk: pl.DataFrame, last: str, *, whole: bool, write: bool
) -> Seen | str:
    if why := "; ".join(
        filter(None, (lacking(snapshot, table.name, table.wanted) for table in one.config.tables))
    ):
        return why
    try:
        return one.seen(snapshot, crosswalk, frozenset(), last, whole=whole, write=write)
    except SourceError as error:
        if why := snapshot.refused(error):
            return why
        raise


@dataclass(frozen=True)
class Preview:
    """What a night would bring to the desk and take from it, as pairs of keys, and how many would wait."""

    come: tuple[tuple[str, str], ...]
    go: tuple[tuple[str, str], ...]
    waiting: int


@dataclass(frozen=True)
class _Night(RegisterNight):
    """A night of people, and of each further register with it."""

    further: tuple[RegisterNight, ...] = ()
    rules: LiveRules = field(default_factory=LiveRules)

    def night(self, seen: Mapping[str, Seen | str], then: Mapping[str, str]) -> Record:
        """Find, write, and have it count: all registers in one moment."""
        people = seen[""]
        assert isinstance(people, Seen)
        DecisionLog(self.log).forget(people.hidden)
        found = self.look(people, write=True)
        failpoint("after linking")
        note_bases(self.log.engine, found.said, found.linked.pairs.lazy())
        looked = preflighted(self.settings, self.config, self.rules, found.pairs)
        told_of = replace(found.linked, warnings=(*found.linked.warnings, *looked.warnings))
        found = replace(found, pairs=looked.pairs, linked=told_of)
        told = {one.config.name: one.beside(seen[one.config.name]) for one in self.further}
        shown = Beside()
        for register in told.values():
            shown = shown.with_more(register.shown)
        evidence = self._evidence(people, found, shown, looked.notes).write(then)
        failpoint("evidence written")
        return self._commit(people, found, evidence, told)

    def preview(self, seen: Mapping[str, Seen | str]) -> Preview:
        """What the night would bring to the desk and take from it. Nothing is written."""
        by, works = ["left_id", "right_id"], {one.config.name: one for one in (self, *self.further)}
        come, go, waits = list[Any](), list[Any](), 0
        for name, register in ((name, one) for name, one in seen.items() if isinstance(one, Seen)):
            now = waiting(works[name].look(register, write=False).pairs)
            before = waiting(works[name].state.frame("candidates"))
            come += now.join(before, on=by, how="anti").select(by).rows()
            go += before.join(now, on=by, how="anti").select(by).rows()
            waits += now.height
        return Preview(tuple(come), tuple(go), waits)

    def _evidence(self, seen: Seen, found: Found, beside: Beside, merges: str) -> NightlyEvidence:
        ruled, before, stir = found.ruled.frame(), self.state.frame("ruled"), None
        if found.asked is not None and before is not None:
            apart = pl.concat([ruled, before]).unique(keep="none")
            ends = {item for side in ENDS for item in apart.get_column(side)}
            stir = (stirred(found.moved, found.asked, self.config) | ends) - seen.hidden
        self.state.put("ruled", ruled)
        return NightlyEvidence(
            self.settings, self.config, self.state, self.log.keyer(), found.queries, found.moved.register,
            seen.rows, seen.crosswalk, found.ruled.related, found.pairs, stir, seen.hidden, self.day,
            beside, merges,
        )  # fmt: skip

    def _commit(self, seen: Seen, found: Found, evidence: Mapping[str, Any], told: Mapping[str, Told]) -> Record:
        state = self.state
        kept = self.keep(seen, found)
        lists = done_chores(found.queries, self.config.chores, seen.chores, seen.hidden)
        counts = self.counts(found)
        record, nights = self._record(seen, found, lists, told, counts)
        merged = {gone: kept for gone, kept in found.keys.merged.items() if not {gone, kept} & seen.hidden}
        failpoint("before commit")
        state.commit({
            "merged": merged, "back": dict(found.returned), **evidence, **kept, "nights": nights,
            "chores": lists, "asked": self.asked, "model_since": self.model_since(),
            "floors": dict(counts.floors), "wrong": dict(counts.wrong),
            "keys": {name: table.keys for name, table in seen.tables.items()},
        })  # fmt: skip
        failpoint("after commit")
        publish(self.ledger, self.settings, state)
        failpoint("published")
        return record

    def _by_team(self, seen: Seen, found: Found) -> tuple[TeamCounts, TeamCounts]:
        """What is counted by team, and the same without restricted records."""
        said, new = list(DecisionLog(self.log).standing()), made_tonight(found.moved)
        name = "made_by" if self.config.made_by.strip() else "teams"
        made = teams_of(found.queries, seen.rows, name, new) if new else {}
        makers = {item: made.get(item, ()) for item in new}
        secret = restricted(found.moved, self.config)
        now, before = open_alone(found.pairs, secret), found.before
        before_open = None if before is None else open_alone(before, secret)
        makers_open = {item: teams for item, teams in makers.items() if item not in secret}
        return team_counts(found.pairs, before, said, makers), team_counts(now, before_open, said, makers_open)

    def _record(
        self,
        seen: Seen,
        found: Found,
        lists: Mapping[str, tuple[str, ...] | None],
        told: Mapping[str, Told],
        counts: Counts,
    ) -> tuple[Record, list[dict[str, Any]]]:
        """Tonight in numbers, and all nights that are kept with it."""
        nights = [read_record(body) for body in self.state.facts.get("nights", [])]
        gap = (self.day - dt.date.fromisoformat(nights[-1].day)).days - 1 if nights else 0
        by_team, by_team_open = self._by_team(seen, found)
        record = Record(
            night=self.state.night + 1, day=self.day.isoformat(), people=counts.people,
            changed=found.moved.count,
            **counted_pairs(found.pairs, found.before, self.day),
            largest=counts.largest_shares(self.config), filled=counts.filled_shares(self.config),
            nhs=counts.nhs_by_cohort(self.config, self.day), valid=counts.valid_shares(self.config),
            teams=by_team, teams_open=by_team_open,
            rows_read={name: table.read for name, table in seen.tables.items()},
            rows_there={name: table.there for name, table in seen.tables.items() if table.there is not None},
            late={name: table.late for name, table in seen.tables.items() if table.late}, missed=max(gap, 0),
            chores={name: None if keys is None else len(keys) for name, keys in lists.items()},
            absent=unmade(self.config, seen.chores),
            registers={name: one.counts for name, one in told.items()},
            warnings=(*found.linked.warnings, *(words for one in told.values() for words in one.warnings)),
            seconds=round(time.monotonic() - self.began, 2),
        )  # fmt: skip
        clock = [f"this night is of {record.day}, the last one was of {last.day}: is the clock right?"
                 for last in nights[-1:] if record.day < last.day]  # fmt: skip
        absent = [f"scan.lookups.{name}: {why}: teams that it would tell are not known"
                  for name, why in seen.absent.items()]  # fmt: skip
        hidden = [f"{name}: {counted(rows, 'row')} changed though `changed` did not move: it cannot be trusted"
                  for name, rows in record.late.items()]  # fmt: skip
        lacking = chore_warnings(self.config, seen.chores)
        record = record.warned([*clock, *absent, *lacking, *hidden, *drift(nights, record)])
        live = self.settings.live
        kept = [*nights, record][-(live.keep_nights if live else 1) :]
        return record, [one.plain() for one in kept]
