"""What the ledger keeps of runs beside their batches: times, rules, where they go, freezes, hand-overs.

Freezes, accepted code, followed decisions and hand-overs are append-only: the last line holds, the lines before
say how it came to that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile

import sqlalchemy as sa

from casebridge.project.ledger import Ledger, now

_meta = sa.MetaData()

_timings = sa.Table(
    "timings",
    _meta,
    sa.Column("run", sa.String, primary_key=True),
    sa.Column("stage", sa.String, primary_key=True),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("worked", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("finished", sa.String, nullable=False),
)
_bindings = sa.Table(
    "bindings",
    _meta,
    sa.Column("run", sa.String, primary_key=True),
    sa.Column("route", sa.String, nullable=False),
    sa.Column("target", sa.String),
)
_rules = sa.Table(
    "rules",
    _meta,
    sa.Column("run", sa.String, primary_key=True),
    sa.Column("files", sa.String, nullable=False),
)
_proofs = sa.Table(
    "proofs",
    _meta,
    sa.Column("run", sa.String, primary_key=True),
    sa.Column("proof", sa.String, nullable=False),
)
_freezes = sa.Table(
    "freezes",
    _meta,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("run", sa.String, nullable=False),
    sa.Column("files", sa.String),
    sa.Column("at", sa.String, nullable=False),
)
_accepted_code = sa.Table(
    "accepted_code",
    _meta,
    sa.Column("freeze", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("stages", sa.String, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
)
_followed = sa.Table(
    "followed",
    _meta,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("run", sa.String, nullable=False),
    sa.Column("pairs", sa.Integer, nullable=False),
    sa.Column("at", sa.String, nullable=False),
)
_handovers = sa.Table(
    "handovers",
    _meta,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("run", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("manifest", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
)


@dataclass(frozen=True)
class Timing:
    """How long a run took over a stage: `rows` it stands for, `worked` of them done then and not before."""

    run: str
    stage: str
    rows: int
    worked: int
    seconds: float
    finished: str


@dataclass(frozen=True)
class Proof:
    """What a balanced report was made from: a digest of the run's batches and rules, the target's state, the
    report's files by digest, and the row account it gave."""

    basis: str
    state: str
    files: Mapping[str, str]
    tally: Mapping[str, int]
    at: str


@dataclass(frozen=True)
class Freeze:
    """The rules of a rehearsal, by file and digest, that every later run must have too."""

    run: str
    files: Mapping[str, str]
    at: str


@dataclass(frozen=True)
class AcceptedCode:
    """A named person took other code than the rehearsal's for a freeze: the stages whose code differs, and why."""

    stages: tuple[str, ...]
    who: str
    reason: str
    at: str


@dataclass(frozen=True)
class Followed:
    """How many pairs had a decision when a run last read the decisions."""

    run: str
    pairs: int
    at: str


@dataclass(frozen=True)
class HandoverState:
    """One step of a hand-over: `manifest` is the digest of the manifest it speaks of."""

    run: str
    state: str
    who: str
    manifest: str
    at: str


class Journal:
    """The tables beside the batches, in the same file as the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._engine = ledger.with_tables(_meta)

    # Times

    def timed(self, run: str, stage: str, rows: int, worked: int, seconds: float) -> None:
        """A run has finished a stage. One that found all done before keeps the time of the work itself."""
        where = [_timings.c.run == run, _timings.c.stage == stage]
        values = {"rows": rows, "worked": worked, "seconds": seconds, "finished": now()}
        with self._engine.begin() as connection:
            known = connection.scalar(sa.select(sa.func.count()).where(*where))
            if known and not worked:
                return
            connection.execute(_timings.delete().where(*where))
            connection.execute(_timings.insert().values(run=run, stage=stage, **values))

    def timings(self) -> tuple[Timing, ...]:
        """All times, oldest first. Read only."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_timings).order_by(_timings.c.finished))
            return tuple(Timing(*row) for row in rows)

    def last_timing(self, stage: str) -> Timing | None:
        """The latest time in which a stage really worked. Read only."""
        return next((t for t in reversed(self.timings()) if t.stage == stage and t.worked), None)

    # Where a run goes, and by which rules

    def bind(self, run: str, route: str, target: str | None) -> None:
        """A run goes by this route into this target from now on; None leaves the target open."""
        with self._engine.begin() as connection:
            known = connection.execute(sa.select(_bindings).where(_bindings.c.run == run)).first()
            if known is None:
                connection.execute(_bindings.insert().values(run=run, route=route, target=target))
            elif known.target is None and target is not None:
                connection.execute(_bindings.update().where(_bindings.c.run == run).values(target=target))

    def bound(self, run: str) -> tuple[str, str | None] | None:
        """A run's route (empty for none) and target, None when it has not begun. Read only."""
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(_bindings).where(_bindings.c.run == run)).first()
        return None if found is None else (str(found.route), found.target)

    def note_rules(self, run: str, files: Mapping[str, str]) -> None:
        """The rules that a run goes by, by file and digest."""
        with self._engine.begin() as connection:
            connection.execute(_rules.delete().where(_rules.c.run == run))
            connection.execute(_rules.insert().values(run=run, files=json.dumps(dict(files))))

    def rules(self, run: str) -> Mapping[str, str] | None:
        """The rules that a run went by last. Read only."""
        with self._engine.connect() as connection:
            found = connection.scalar(sa.select(_rules.c.files).where(_rules.c.run == run))
        return None if found is None else dict(json.loads(found))

    def prove(self, run: str, proof: Proof | None) -> None:
        """What a run's report was made from; None when there is nothing to hold it to."""
        with self._engine.begin() as connection:
            connection.execute(_proofs.delete().where(_proofs.c.run == run))
            if proof:
                connection.execute(_proofs.insert().values(run=run, proof=json.dumps(asdict(proof))))

    def proof(self, run: str) -> Proof | None:
        """What a run's last balanced report was made from. Read only."""
        with self._engine.connect() as connection:
            found = connection.scalar(sa.select(_proofs.c.proof).where(_proofs.c.run == run))
        return None if found is None else Proof(**json.loads(found))

    def freeze(self, run: str, files: Mapping[str, str] | None) -> None:
        """From now on only these rules; None lifts the freeze."""
        text = None if files is None else json.dumps(dict(files))
        with self._engine.begin() as connection:
            connection.execute(_freezes.insert().values(run=run, files=text, at=now()))

    def frozen(self) -> Freeze | None:
        """The freeze that holds, if any. Read only."""
        with self._engine.connect() as connection:
            last = connection.execute(sa.select(_freezes).order_by(_freezes.c.number.desc())).first()
        return Freeze(last.run, dict(json.loads(last.files)), last.at) if last and last.files else None

    def accept_code(self, files: Mapping[str, str], stages: Sequence[str], who: str, reason: str) -> None:
        """The freeze that holds is from now on one of these rules, in which the code of `stages` is another."""
        last = sa.select(_freezes.c.number, _freezes.c.run).order_by(_freezes.c.number.desc()).limit(1)
        text, at = json.dumps(dict(files)), now()
        values = {"stages": json.dumps(list(stages)), "who": who, "reason": reason, "at": at}
        with self._engine.begin() as connection:
            number, run = connection.execute(last).one()
            connection.execute(_freezes.insert().values(number=number + 1, run=run, files=text, at=at))
            connection.execute(_accepted_code.insert().values(freeze=number + 1, **values))

    def accepted_code(self) -> tuple[AcceptedCode, ...]:
        """What was accepted since the freeze that holds was made from a rehearsal, oldest first. Read only."""
        query = sa.select(_freezes.c.number).order_by(_freezes.c.number.desc())
        with self._engine.connect() as connection:
            rows = {row.freeze: row for row in connection.execute(sa.select(_accepted_code))}
            freezes = list(connection.scalars(query))
        latest = [rows[number] for number in takewhile(rows.__contains__, freezes)]
        return tuple(AcceptedCode(tuple(json.loads(r.stages)), r.who, r.reason, r.at) for r in reversed(latest))

    # Decisions

    def follow(self, run: str, pairs: int) -> None:
        """A run has followed the decisions on so many pairs."""
        with self._engine.begin() as connection:
            connection.execute(_followed.insert().values(run=run, pairs=pairs, at=now()))

    def followed(self) -> Followed | None:
        """What was followed last, by whichever run. Read only."""
        with self._engine.connect() as connection:
            last = connection.execute(sa.select(_followed).order_by(_followed.c.number.desc())).first()
        return Followed(last.run, last.pairs, last.at) if last else None

    # Hand-overs

    def note_handover(self, run: str, state: str, who: str, manifest: str) -> None:
        """A hand-over has come to a state."""
        values = {"run": run, "state": state, "who": who, "manifest": manifest, "at": now()}
        with self._engine.begin() as connection:
            connection.execute(_handovers.insert().values(**values))

    def handovers(self, run: str) -> tuple[HandoverState, ...]:
        """The states of a run's hand-over, oldest first. Read only."""
        columns = [_handovers.c[name] for name in ("run", "state", "who", "manifest", "at")]
        query = sa.select(*columns).where(_handovers.c.run == run).order_by(_handovers.c.number)
        with self._engine.connect() as connection:
            return tuple(HandoverState(*row) for row in connection.execute(query))
