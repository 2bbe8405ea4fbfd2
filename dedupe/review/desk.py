"""The review desk without its pages: the queue, claims, verdicts, release. Every act is one transaction.

Nothing here draws anything, and nothing that draws decides anything. A reader's clearance is asked for first: what
he may not see is answered as if it were not there.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import sqlalchemy as sa

from casebridge.dedupe.review.claims import Claims
from casebridge.dedupe.review.clearance import OPEN, RESTRICTED
from casebridge.dedupe.review.decision_log import DecisionLog
from casebridge.dedupe.review.decisions import Ruling, decision
from casebridge.dedupe.review.desk_acts import acts_of, check_unchanged, is_taken, last_word
from casebridge.dedupe.review.desk_queue import View, is_for
from casebridge.dedupe.review.desk_state import DeskState
from casebridge.dedupe.review.desk_tables import VERDICTS, said_today
from casebridge.dedupe.review.desk_words import ALL, Filters, Form, Open, Refused, Viewer
from casebridge.dedupe.review.evidence_file import NO_LINK, EvidenceFile, PairEvidence
from casebridge.dedupe.review.evidence_on_record import OnRecord, standing_evidence
from casebridge.dedupe.review.reraise import Basis, keep_basis
from casebridge.dedupe.review.sight import Sight, Sights
from casebridge.dedupe.review.supervision import Supervision
from casebridge.dedupe.review.verdicts import Act, Opinion, Place, Said, Standing, standing, working_days_on
from casebridge.project.audit import KEY_FILE, READS, AuditLog
from casebridge.project.audit import Said as Entry
from casebridge.project.control import bring_up_control
from casebridge.project.database import open_own, shown, writing
from casebridge.project.errors import CasebridgeError
from casebridge.project.ledger import now
from casebridge.project.no_link import NoLink
from casebridge.project.settings import Settings

LOOK_EVERY = 1.0
"""Seconds after which the desk looks again for newer evidence."""


class Desk:
    """The desk of one project."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self.settings, self.clock = settings, clock
        name = f"the control database {shown(settings.control_url)}"
        self.engine = open_own(settings.control_url, name, "restore it from a backup: decisions stand in it")
        with writing(self.engine).begin() as connection:
            bring_up_control(connection)
        key = settings.folder / KEY_FILE
        self.log = AuditLog(self.engine, key, known=True)
        self.reads = AuditLog(self.engine, key, known=True, entries=READS)
        self.decisions = DecisionLog(self.log)
        self.claims, self._supervision = Claims(self.engine, clock), Supervision(clock)
        self._lock = threading.RLock()
        self._looked = 0.0
        self._evidence: EvidenceFile | None = None
        self._standing: OnRecord | None = None
        self.decisions.adopt()
        self.decisions.check()
        self._verified = self.log.head()
        self._state, self._sights = DeskState(self.engine), Sights(self.engine, settings)

    def close(self) -> None:
        """Let go of the databases."""
        self.engine.dispose()

    # What there is

    def evidence(self) -> EvidenceFile:
        """The evidence of the last run. CasebridgeError where there is none yet."""
        with self._lock:
            if self.clock() - self._looked >= LOOK_EVERY or self._evidence is None:
                self._looked = self.clock()
                self._look()
            if self._evidence is None:
                raise CasebridgeError(
                    "there is nothing to review yet",
                    hint="`casebridge run`, or `casebridge scan`, links the register and writes evidence",
                )
            return self._evidence

    def _look(self) -> None:
        self._standing = standing_evidence(self.settings.work)
        if self._standing is None:
            self._evidence = None
            return
        no_link = NoLink(self)
        key = (self._standing.path, self._standing.head, no_link.text() if no_link else "")
        if self._evidence is None or self._state.of != key:
            self._evidence = None
            found = EvidenceFile(self._standing.path, head=self._standing.head)
            if no_link and found.fact(NO_LINK) != self.log.keyed("no-link", no_link.text()):
                found.hide(no_link.hidden)
            self._state.take(found, key)
            self._evidence = found

    def read_ahead(self) -> None:
        """Read the evidence and what was said of it, so that nobody who comes waits for that. CasebridgeError
        where there is nothing to review, or it is not what was written."""
        self.catch_up()
        for clearance in (OPEN, RESTRICTED):
            self._state.ranking(clearance)

    @property
    def hold_days(self) -> int:
        """Working days for which a merge is held back; none in trials."""
        self.evidence()
        trial = self._standing is not None and self._standing.run.casefold().startswith("trial")
        return 0 if trial else self.settings.hold_days

    def view(self, viewer: Viewer) -> View:
        """The pairs as this viewer sees them now."""
        self.catch_up()
        return View(self._state, self.sight(viewer), viewer)

    def everything(self, viewer: Viewer) -> Iterator[Open]:
        """The pairs that this viewer may see, waiting and decided, the most valuable first."""
        return self.view(viewer).in_order(tuple(Place))

    def sight(self, viewer: Viewer) -> Sight:
        """What somebody may see of the last run's evidence, by what was declared at the last `catch_up`."""
        evidence = self.evidence()
        if self._state.declared is None:
            self._state.catch_up()
        return self._sights.of(viewer, evidence, self._state.declared or 0)

    def pairs(self, viewer: Viewer) -> Iterator[Open]:
        """Those of them that wait for somebody."""
        return (one for one in self.everything(viewer) if one.standing.place is not Place.DONE)

    def find(self, viewer: Viewer, item: str) -> Open | None:
        """One pair, settled or not; None when there is none that this viewer may see."""
        pair = self.seen(viewer, item)
        return None if pair is None else Open(pair, self._state.stands(pair), self.claims.holders().get(item, ""))

    def seen(self, viewer: Viewer, item: str) -> PairEvidence | None:
        """One pair as this viewer sees it; None when he does not."""
        self.catch_up()
        there = self._state.by_item.get(item)
        return self.sight(viewer).of(there) if there else None

    def acts(self, item: str) -> Sequence[Said]:
        """What was said of a pair at the desk, oldest first."""
        return self._state.acts.get(item, ())

    def catch_up(self) -> None:
        """Read what was said and decided since."""
        self.evidence()
        self._state.catch_up()

    def of_pair(self, left: str, right: str) -> Open | None:
        """A pair by its records, whoever may see it, as of the last `catch_up`; None when there is no evidence."""
        pair = self._state.of_pair(left, right)
        return None if pair is None else Open(pair, self._state.stands(pair))

    def of_pairs(self, viewer: Viewer, pairs: Sequence[tuple[str, str]]) -> list[Open]:
        """Those of some pairs, by their records, that a viewer may see."""
        self.catch_up()
        sight, holders = self.sight(viewer), self.claims.holders()
        there = (self._state.of_pair(*pair) for pair in pairs)
        seen = [pair for one in there if one is not None and (pair := sight.of(one)) is not None]
        return [Open(pair, self._state.stands(pair), holders.get(pair.item, "")) for pair in seen]

    def checks(self, item: str) -> Sequence[Said]:
        """What blind checks said of a pair, oldest first."""
        return self._state.checks.get(item, ())

    def said(self, clearance: int) -> Iterator[tuple[PairEvidence, Sequence[Said]]]:
        """What was said of each pair that a reader may see, blind checks last."""
        self.catch_up()
        for item in self._state.acts.keys() | self._state.checks.keys():
            pair = self._state.by_item.get(item)
            if pair is not None and pair.clearance <= clearance:
                yield pair, (*self.acts(item), *self.checks(item))

    # What is done

    def take_next(self, viewer: Viewer, wanted: Filters = ALL) -> str | None:
        """Claim the most valuable pair that is free; None when there is none."""
        if self.day_is_done(viewer):
            return None
        workable = {Place.OPEN, Place.SECOND, *([Place.ESCALATED] if viewer.senior else [])}
        holders = self.claims.holders()
        if wanted.place is not None:
            workable &= {wanted.place}
        for one in self.view(viewer).in_order(workable, wanted):
            free = holders.get(one.pair.item, viewer.login) == viewer.login
            if free and is_for(viewer, one) and self.claims.take(one.pair.item, viewer.login):
                return one.pair.item
        return None

    def day_is_done(self, viewer: Viewer) -> bool:
        """Whether the pairs that are this viewer's for a day are judged."""
        return viewer.daily > 0 and said_today(self.engine, viewer.login) >= viewer.daily

    def claim(self, viewer: Viewer, item: str) -> bool:
        """Claim one pair; False when somebody else holds it, or it is none of this viewer's."""
        one = self.find(viewer, item)
        if one is None or (self.day_is_done(viewer) and all(act.login != viewer.login for act in self.acts(item))):
            return False
        return is_for(viewer, one) and self.claims.take(item, viewer.login)

    def say(self, viewer: Viewer, form: Form) -> Standing:
        """Take a verdict. Refused when the pair, or what was said of it, is not what the page showed, or when
        somebody else holds it. A form that was sent twice counts once."""
        pair = self._shown(viewer, form)
        until = working_days_on(self.clock(), self.hold_days) if form.verdict is Opinion.SAME else 0
        with writing(self.engine).begin() as connection:
            self.log.alone(connection)
            self._verify(connection)
            if not is_taken(connection, form):
                if not self.claims.holds(connection, form.item, viewer.login):
                    raise Refused("somebody else has this pair now", hint="take the next one")
                acts = acts_of(connection, pair)
                check_unchanged(acts, form)
                self.write(connection, viewer, pair, Act.VERDICT, form, until, acts)
                self.claims.drop(connection, form.item)
        self._state.catch_up()
        return self._state.stands(pair)

    def _shown(self, viewer: Viewer, form: Form) -> PairEvidence:
        pair = self.seen(viewer, form.item)
        if pair is None:
            raise Refused("there is no such pair", hint="it may have been decided, or changed by a run")
        if pair.evidence != form.evidence:
            raise Refused("the records changed since this page was made", hint="read the page again")
        if self._state.stands(pair).place in {Place.DONE, Place.HELD}:
            raise Refused("this pair was decided meanwhile", hint="take the next one")
        return pair

    def take_back(self, viewer: Viewer, item: str) -> None:
        """Withdraw one's own verdict: a row of its own. If a run has followed it, the next one takes the merge
        apart. Refused when there is none that can be taken back."""
        one = self.find(viewer, item)
        said = None if one is None else last_word(self._state.acts.get(item, ()), viewer.login)
        if one is None or said is None:
            raise Refused("there is nothing of yours to take back here", hint="read the page again")
        if any(act.number > said.number and act.login != viewer.login for act in self._state.acts[item]):
            raise Refused("somebody has gone on from your verdict", hint="say so to a senior reviewer")
        self._act(viewer, one.pair, Act.WITHDRAWN, said.reason)

    def object_to(self, viewer: Viewer, item: str, why: str) -> None:
        """Stop a merge that is held, or undo what was decided: it goes to a senior reviewer with the reason, and
        the next run takes apart what was merged."""
        one = self.find(viewer, item)
        if one is None or one.standing.place not in {Place.HELD, Place.DONE}:
            raise Refused("nothing is decided here that could be stopped", hint="read the page again")
        self._act(viewer, one.pair, Act.OBJECTION, why)

    def reopen(self, viewer: Viewer, item: str, why: str) -> None:
        """What a pair waited for has come: it goes back to the queue."""
        one = self.find(viewer, item)
        if one is None or one.standing.place is not Place.PARKED:
            raise Refused("this pair does not wait for information", hint="read the page again")
        self._act(viewer, one.pair, Act.REOPENED, why)

    def _act(self, viewer: Viewer, pair: PairEvidence, act: Act, why: str) -> None:
        form = Form(pair.item, Opinion.SAME, "", why, pair.evidence, 0, secrets.token_hex(16))
        with writing(self.engine).begin() as connection:
            self.log.alone(connection)
            self._verify(connection)
            self.write(connection, viewer, pair, act, form, 0)
        self._state.catch_up()

    def write(
        self,
        connection: sa.Connection,
        viewer: Viewer,
        pair: PairEvidence,
        act: Act,
        form: Form,
        until: int,
        acts: Sequence[Said] | None = None,
    ) -> None:
        """One row, its entry in the log, and the decision where this makes one. acts: what was said of the pair,
        where the caller has read that."""
        there = acts_of(connection, pair) if acts is None else acts
        before = standing(there, needs_two=pair.needs_two)
        said = self.record(connection, viewer, pair, act, form, until)
        after = standing([*there, said], needs_two=pair.needs_two)
        if pair.known:
            return  # made up: what is said of it says something of the reviewer, and decides nothing
        if after.place is Place.DONE:
            self._decide(connection, pair, after)
        elif before.place is Place.DONE or (act is Act.OBJECTION and self._state.is_settled(pair)):
            why = f"taken back: {form.reason}"[:1000]
            undone = decision(pair.left_id, pair.right_id, Ruling.UNSURE, viewer.name, why)
            self.decisions.append(connection, undone, proposed=True)

    def record(
        self, connection: sa.Connection, viewer: Viewer, pair: PairEvidence, act: Act, form: Form, until: int = 0
    ) -> Said:
        """One row of the desk's log and its entry in the audit log, in the caller's transaction."""
        supervised = act is Act.VERDICT and self._supervision.of(connection, viewer.login)
        row = {
            "item": pair.item, "left_id": pair.left_id, "right_id": pair.right_id, "login": viewer.login,
            "name": viewer.name, "act": str(act), "verdict": str(form.verdict) if act in {Act.VERDICT, Act.CHECK}
            else "",
            "code": form.code, "reason": form.reason, "evidence": pair.evidence, "form": form.key,
            "basis": Basis(pair.levels, pair.weight, known=pair.known, supervised=supervised).text(),
            "seconds": form.seconds,
            "until": until, "at": now(),
        }  # fmt: skip
        key = connection.execute(VERDICTS.insert().values(row)).inserted_primary_key
        if pair.known:
            self._supervision.forget(viewer.login)
        shown_to = {name: row[name] for name in ("item", "login", "act", "verdict", "code", "reason", "evidence")}
        shown_to |= {"supervised": True} if supervised else {}
        self.log.append(connection, "desk", [Entry(shown_to, f"{pair.left_id}\n{pair.right_id}")])
        return DeskState.said({**row, "number": key[0] if key else 0})

    def _decide(self, connection: sa.Connection, pair: PairEvidence, stands: Standing) -> None:
        """Each of those who agree decides in his own name: what needs two people has two."""
        for said in stands.agreed:
            reason = f"{said.code}: {said.reason}".strip(": ")[:1000] or said.verdict
            made = decision(pair.left_id, pair.right_id, Ruling(said.verdict), said.name, reason)
            number = self.decisions.append(connection, made, proposed=pair.proposed)
            keep_basis(connection, number, (pair.left_id, pair.right_id), Basis(pair.levels, pair.weight))

    def release_due(self) -> int:
        """Make decisions of the merges whose hold is over. Returns how many."""
        self.evidence()
        self._state.catch_up()
        due = [pair for pair in self._state.pairs
               if (s := self._state.stands(pair)).place is Place.HELD and s.until <= self.clock()]  # fmt: skip
        system = Viewer("", "the hold is over", max((pair.clearance for pair in due), default=0))
        for pair in due:
            self._act(system, pair, Act.RELEASED, "")
        return len(due)

    def _verify(self, connection: sa.Connection) -> None:
        """What came into the log since it was last looked at is whole. CasebridgeError when it is not."""
        wrong, last = self.log.follow(connection, self._verified)
        if wrong:
            raise CasebridgeError(
                f"the decisions are not what was recorded: {'; '.join(wrong[:3])}",
                hint="`casebridge audit verify` lists all; nothing is decided until then",
            )
        self._verified = last
