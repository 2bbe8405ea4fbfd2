"""What councils look for in a log of access, by account. Counts of what happened, no record and no value."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from casebridge.dedupe.review.desk_figures import records_of
from casebridge.dedupe.review.family import Declared, declared_by, shares_name_or_home
from casebridge.migrate.web.accounts import Account
from casebridge.migrate.web.visit import House
from casebridge.project.audit import Entry

EARLY, LATE = 7, 20
"""Hours (UTC) outside of which work is unusual."""
UNUSED_DAYS = 182
"""Half a year: an account that nobody has used for so long is closed, or somebody says why not."""
MUCH = 3.0
"""So many times the usual day of all who work makes a day of one account worth a question."""
_REFUSED = frozenset({"refused", "not there", "sign-in refused"})
OF_THE_DESK = frozenset({"view", "view group", "reveal", "desk", "sign-in", "list"}) | _REFUSED
_OPENED = frozenset({"view", "view group"})


@dataclass(frozen=True)
class Use:
    """What one account did: pages of pairs opened, values revealed, verdicts, pairs opened without a verdict, acts
    at unusual hours, the most pages in a day and whether that is much beside everybody's, what was refused (wrong
    passwords, pages of other roles, addresses of pairs that are not his), pairs opened of records that share his
    last name or his address, the last day, and whether nobody has used it for UNUSED_DAYS."""

    login: str
    views: int
    reveals: int
    verdicts: int
    idle: int
    unusual: int
    busiest: int
    much: bool
    refused: int
    own: int
    last: str
    closed: bool
    after_close: bool
    unused: bool


def uses(house: House, entries: Iterable[Entry], today: dt.date) -> list[Use]:
    """Each account with what the log says of it, by login."""
    mine = defaultdict[str, list[Entry]](list)
    for entry in entries:
        login = str((entry.body or {}).get("login", ""))
        if login and entry.kind in OF_THE_DESK:
            mine[login].append(entry)
    people = {account.login: account for account in house.accounts.all()}
    usual = _usual([_by_day(some) for some in mine.values()])
    kin = _kin(house, people.values())
    return [_use(house, login, people.get(login), mine[login], usual, kin.get(login, ()), today)
            for login in sorted({*people, *mine})]  # fmt: skip


def _use(
    house: House, login: str, account: Account | None, mine: Sequence[Entry], usual: float,
    kin: Sequence[Declared], today: dt.date,
) -> Use:  # fmt: skip
    counts = Counter(entry.kind for entry in mine)
    opened, decided = _items(mine, _OPENED), _items(mine, {"desk"})
    busiest = max(_by_day(mine).values(), default=0)
    last = max((entry.at for entry in mine), default="")
    closed = account.closed_at if account else ""
    since = last or (account.made_at if account else "")
    unused = bool(account and not closed and _days(since, today) >= UNUSED_DAYS)
    return Use(
        login, counts["view"] + counts["view group"], counts["reveal"], counts["desk"], len(opened - decided),
        sum(not EARLY <= int(entry.at[11:13]) < LATE for entry in mine), busiest, busiest > MUCH * usual > 0,
        sum(counts[kind] for kind in _REFUSED), _own(house, opened, kin),
        last[:10] or "never", bool(closed), bool(closed and last > closed), unused,
    )  # fmt: skip


def _items(mine: Iterable[Entry], kinds: Iterable[str]) -> set[str]:
    wanted = set(kinds)
    bodies = (entry.body or {} for entry in mine if entry.kind in wanted)
    return {str(body["item"]) for body in bodies if body.get("item")}


def _by_day(mine: Iterable[Entry]) -> Counter[str]:
    """Pages of pairs by day."""
    return Counter(entry.at[:10] for entry in mine if entry.kind in _OPENED)


def _usual(days: Iterable[Counter[str]]) -> float:
    """The middle of all days of all accounts: pages on a day on which somebody worked."""
    counts = sorted(count for one in days for count in one.values())
    return float(counts[len(counts) // 2]) if counts else 0.0


def _days(since: str, today: dt.date) -> int:
    return (today - dt.date.fromisoformat(since[:10])).days if since else 0


def _kin(house: House, accounts: Iterable[Account]) -> Mapping[str, Sequence[Declared]]:
    """Whom each declared; his own name by his account, where he has declared nobody."""
    found = defaultdict[str, list[Declared]](list)
    for one in declared_by(house.desk.engine):
        found[one.login].append(one)
    for account in accounts:
        forename, _, surname = account.name.rpartition(" ")
        found[account.login].append(Declared(account.login, "self", forename, surname))
    return found


def _own(house: House, opened: Iterable[str], kin: Sequence[Declared]) -> int:
    """How many of some pairs have a record of the name or the address of one of these."""
    if not kin:
        return 0
    pairs = records_of(house.desk, opened).values()
    return sum(any(shares_name_or_home(kin, person.roles) for person in both) for both in pairs)
