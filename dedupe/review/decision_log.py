"""What people decided, kept for years: the audit log has each decision, `decisions` is where it is looked up.

Append-only, and the latest decision on a pair holds. The table `decisions` can be read by anyone with the
database; what counts is that it says what the audit log says. When it does not, nothing that rests on decisions
goes on.

*Same* on a pair that linkage did not put forward waits until a second person says so too; whatever keeps records
apart holds at once. Of a record on the no-link list nothing is kept but that something was said: its decisions are
answered like any other, and nothing comes of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from casebridge.dedupe.review.decisions import Decision, Ruling, who
from casebridge.dedupe.review.desk_tables import BASES, DECISIONS, INTAKE, OVERRIDES, SAMPLES, VERDICTS
from casebridge.dedupe.review.overrides import override_problems, subject_of
from casebridge.project.audit import AuditLog, Entry, Head, Said
from casebridge.project.control import bring_up_control
from casebridge.project.database import writing
from casebridge.project.errors import CasebridgeError, counted
from casebridge.project.ledger import now

PROPOSED, UNPROPOSED = "decision", "decision-to-confirm"
Pair = tuple[str, str]
_COLUMNS = ("left_id", "right_id", "verdict", "reviewer", "reason")


class DecisionLog:
    """The decisions of one project."""

    def __init__(self, log: AuditLog) -> None:
        self._log, self._engine = log, log.engine

    def standing(self) -> list[Decision]:
        """The latest decision on every pair that holds, by pair. Read only.

        CasebridgeError when the decisions are not what was recorded.
        """
        self.check()
        subjects, alone = self._by_subject(), set[Pair]()
        for entries in subjects.values():
            last = entries[-1]
            if last.body is not None and not _holds(entries):
                alone.add((last.body["left_id"], last.body["right_id"]))
        return [item for item in self._latest() if (item.left_id, item.right_id) not in alone]

    def waiting(self) -> int:
        """How many pairs have a decision that waits for a second person. Read only."""
        return sum(1 for entries in self._by_subject().values() if not _holds(entries) and not _withdrawn(entries))

    def decide(
        self, taken: Iterable[Decision], proposed: Collection[Pair] = (), protected: Collection[str] = ()
    ) -> int:
        """Append decisions in one transaction. Where the last one on a pair already says the same word for word,
        nothing is appended for that pair, so the same file may be taken in again. Returns how many were new.

        proposed: the pairs that linkage put forward. protected: ids of which nothing is kept.
        """
        said = list(taken)
        self.adopt()
        self.check()
        known = {subject: entries[-1].tags.get("said") for subject, entries in self._by_subject().items()}
        last = {(item.left_id, item.right_id): item for item in said}
        old = {
            pair for pair, item in last.items()
            if self._log.tag("said", _name(pair), _text(item)) == known.get(self._log.subject(_name(pair)))
        }  # fmt: skip
        fresh = [item for item in said if (item.left_id, item.right_id) not in old]
        with writing(self._engine).begin() as connection:
            bring_up_control(connection)
            self._log.alone(connection)
            for item in fresh:
                pair = (item.left_id, item.right_id)
                keep = not set(pair) & set(protected)
                self.append(connection, item, proposed=pair in proposed, keep=keep)
        return len(fresh)

    def append(self, connection: sa.Connection, item: Decision, *, proposed: bool, keep: bool = True) -> int:
        """Append one decision in the caller's transaction; returns its number. `proposed`: linkage put the pair
        forward; else *same* waits for a second person. Without `keep` nothing is kept but that something was said:
        its number is 0."""
        body: dict[str, Any] = {}
        if keep:
            number = int(connection.scalar(sa.select(sa.func.max(DECISIONS.c.number))) or 0) + 1
            body = {**asdict(item), "number": number, "decided_at": now()}
        one = Said(body, _name((item.left_id, item.right_id)), _tags(item), keep)
        alone = item.verdict is Ruling.SAME and not proposed
        self._log.append(connection, UNPROPOSED if alone else PROPOSED, [one])
        if keep:
            connection.execute(DECISIONS.insert().values(**body))
        return int(body.get("number", 0))

    def forget(self, protected: Collection[str]) -> None:
        """Make what was decided of these records unreadable, for good."""
        hidden = set(protected)
        kept = [
            (table, row)
            for table in (DECISIONS, VERDICTS, INTAKE, BASES, SAMPLES, OVERRIDES)
            for row in self._rows(table)
        ]
        gone = [(table, row) for table, row in kept if hidden & {*subject_of(row).split("\n")}]
        if not gone:
            return
        names = sorted({subject_of(row) for _, row in gone})
        with writing(self._engine).begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            for table, row in gone:
                connection.execute(table.delete().where(table.c.number == row["number"]))
            self._log.forget(connection, names)
            self._log.append(connection, "forgotten", [Said({}, name, keep=False) for name in names])
        _clear_free_pages(self._engine)

    def pairs(self) -> int:
        """How many pairs something was ever decided of. Read only."""
        old = {(row["left_id"], row["right_id"]) for row in self._rows()} if not self._log.head().number else ()
        return len(self._by_subject()) or len(old)

    def check(self, kept: Sequence[Head] = ()) -> None:
        """CasebridgeError when a decision was changed, added or taken away by other means than ours. `kept`:
        heads of the audit log that were noted elsewhere."""
        wrong = self.problems(kept)
        if wrong:
            raise CasebridgeError(
                "the decisions are not what was recorded: " + "; ".join(wrong[:10]),
                hint="restore the control database from a backup, and find out who changed it; nothing that rests "
                "on decisions is done until then (`casebridge audit verify` lists all)",
            )

    def problems(self, kept: Sequence[Head] = ()) -> tuple[str, ...]:
        """All that is wrong with the log and the decisions, in sentences."""
        return (*self._log.problems(kept), *self._differences(), *override_problems(self._log))

    def adopt(self) -> None:
        """Take over the decisions of a control database that is older than the audit log, once."""
        rows = self._rows()
        if not rows or self._log.head().number or self._log.has_key():
            return
        with writing(self._engine).begin() as connection:
            for row in rows:
                item = _decision(row)
                pair = (item.left_id, item.right_id)
                self._log.append(connection, PROPOSED, [Said(row, _name(pair), _tags(item))])

    def _differences(self) -> list[str]:
        """Where the table says something else than the log."""
        rows = {row["number"]: row for row in self._rows()}
        if rows and not self._log.head().number and not self._log.has_key():
            return []  # older than the log: `adopt` takes them over
        told = {entry.body["number"]: entry.body for entry in self._entries() if entry.body}
        found = [f"decision {number} was changed" for number in sorted(rows.keys() & told.keys())
                 if rows[number] != told[number]]  # fmt: skip
        found += [f"decision {number} is gone" for number in sorted(told.keys() - rows.keys())]
        return found + [f"decision {number} was added" for number in sorted(rows.keys() - told.keys())]

    def _entries(self) -> list[Entry]:
        return list(self._log.entries(PROPOSED, UNPROPOSED))

    def _by_subject(self) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {}
        for entry in self._log.entries(PROPOSED, UNPROPOSED, "forgotten"):
            found.setdefault(entry.subject, []).append(entry)
        return found

    def _rows(self, table: sa.Table = DECISIONS) -> list[dict[str, Any]]:
        if not sa.inspect(self._engine).has_table(table.name):
            return []
        with self._engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(sa.select(table).order_by("number"))]

    def _latest(self) -> list[Decision]:
        last = {(row["left_id"], row["right_id"]): _decision(row) for row in self._rows()}
        return [last[pair] for pair in sorted(last)]


def told(waiting: int) -> str:
    """The sentence about decisions that wait for a second person; empty when there are none."""
    if not waiting:
        return ""
    verb = "waits" if waiting == 1 else "wait"
    return f"{counted(waiting, 'decision')} on pairs that linkage did not put forward {verb} for a second person"


def _holds(entries: Sequence[Entry]) -> bool:
    """Whether the last decision on a pair counts: linkage put the pair forward, or a second person agreed."""
    last = entries[-1]
    if last.kind != UNPROPOSED:
        return last.kind == PROPOSED
    agreeing = set[str | None]()
    for entry in reversed(entries):
        if entry.tags.get("ruling") != last.tags.get("ruling"):
            break
        if entry.kind == PROPOSED:
            return True
        agreeing.add(entry.tags.get("by"))
    return len(agreeing) > 1


def _withdrawn(entries: Sequence[Entry]) -> bool:
    return entries[-1].kind == "forgotten"


def _decision(row: Mapping[str, Any]) -> Decision:
    return Decision(row["left_id"], row["right_id"], Ruling(row["verdict"]), row["reviewer"], row["reason"])


def _name(pair: Pair) -> str:
    return "\n".join(pair)


def _text(item: Decision) -> str:
    return "\n".join(str(value) for value in asdict(item).values())


def _tags(item: Decision) -> dict[str, str]:
    """Whether it is the same decision, the same person, the same ruling: told apart without being told."""
    person = who(item.reviewer)
    return {"said": _text(item), "by": person, "ruling": str(item.verdict)}


def _clear_free_pages(engine: sa.Engine) -> None:
    """SQLite keeps what was deleted in free pages and in its write-ahead log, until they are written again."""
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        driver.execute("VACUUM")
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
