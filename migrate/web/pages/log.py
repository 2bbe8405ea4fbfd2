"""The auditor's page: is the log whole, who did how much, and what councils look for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.responses import Response

from casebridge.migrate.web.visit import Visit
from casebridge.project.audit import Entry

LAST = 100
EARLY, LATE = 7, 20
"""Hours (UTC) outside of which work is unusual."""
UNUSED_DAYS = 182


@dataclass(frozen=True)
class Use:
    """What one account did: pages of pairs opened, values revealed, verdicts, pages opened without a verdict, acts
    at unusual hours, refusals, and the last day."""

    login: str
    views: int
    reveals: int
    verdicts: int
    idle: int
    unusual: int
    refused: int
    last: str
    closed: bool


def show(visit: Visit) -> Response:
    """The checks, by account, and the last entries. Items are names that tell nothing; no record is named."""
    reads, acts = list(visit.desk.reads.entries()), list(visit.desk.log.entries())
    visit.noted("log read")
    problems = [*visit.desk.log.problems(), *visit.desk.reads.problems()]
    last = sorted((*reads[-LAST:], *acts[-LAST:]), key=lambda entry: (entry.at, entry.number))[-LAST:]
    return visit.page("log.html", title="Log", problems=problems, uses=_uses(visit, reads, acts),
                      entries=[_told(entry) for entry in reversed(last)], heads=_heads(visit))  # fmt: skip


def _heads(visit: Visit) -> list[tuple[str, int, str]]:
    both = (("decisions", visit.desk.log.head()), ("reads", visit.desk.reads.head()))
    return [(name, head.number, head.link[:16]) for name, head in both]


def _uses(visit: Visit, reads: Iterable[Entry], acts: Iterable[Entry]) -> list[Use]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    viewed, decided = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    last: dict[str, str] = {}
    for entry in (*reads, *acts):
        body = entry.body or {}
        login = str(body.get("login", ""))
        if not login or entry.kind not in _OF_THE_DESK:
            continue
        counts[login][entry.kind] += 1
        counts[login]["unusual"] += not EARLY <= int(entry.at[11:13]) < LATE
        last[login] = max(last.get(login, ""), entry.at[:10])
        item = str(body.get("item", ""))
        (viewed if entry.kind == "view" else decided)[login].add(item)
    people = {account.login: account for account in visit.house.accounts.all()}
    return [
        Use(login, counts[login]["view"], counts[login]["reveal"], counts[login]["desk"],
            len(viewed[login] - decided[login]), counts[login]["unusual"],
            counts[login]["refused"] + counts[login]["sign-in refused"], last.get(login, "never"),
            login in people and bool(people[login].closed_at))
        for login in sorted({*people, *counts})
    ]  # fmt: skip


_OF_THE_DESK = frozenset({"view", "view group", "reveal", "desk", "refused", "sign-in", "sign-in refused", "list"})


def _told(entry: Entry) -> tuple[str, str, str, str]:
    body = dict(entry.body or {})
    login = str(body.pop("login", ""))
    shown = ("act", "verdict", "code", "role", "side", "what", "rows", "shown", "path")
    words = ", ".join(f"{name} {body[name]}" for name in shown if body.get(name))
    item = str(body.get("item", ""))[:8]
    return entry.at.replace("T", " ").rstrip("Z"), login, entry.kind, f"{item} {words}".strip()
