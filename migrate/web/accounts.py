"""Local accounts: who may sign in, with which role. Passwords are kept as argon2id; a leaver is out at once."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from casebridge.dedupe.review.desk_words import Viewer
from casebridge.migrate.web.roles import CLEARABLE, MAY_OPEN, Page, Role
from casebridge.project.control import bring_up_control
from casebridge.project.database import writing
from casebridge.project.errors import CasebridgeError, did_you_mean
from casebridge.project.ledger import now

_meta = sa.MetaData()
ACCOUNTS = sa.Table(
    "desk_accounts",
    _meta,
    sa.Column("login", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("role", sa.String(30), nullable=False),
    sa.Column("clearance", sa.Integer, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("demo", sa.Integer, nullable=False),
    sa.Column("keyboard", sa.Integer, nullable=False),
    sa.Column("rules_at", sa.String(20), nullable=False),
    sa.Column("made_at", sa.String(20), nullable=False),
    sa.Column("closed_at", sa.String(20), nullable=False),
    sa.Column("tested_at", sa.String(20), nullable=False, server_default=""),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("daily", sa.Integer, nullable=False, server_default="0"),
    sa.Column("teams", sa.Text, nullable=False, server_default=""),
    sa.Column("restriction_groups", sa.Text, nullable=False, server_default=""),
    sa.Column("second", sa.String(64), nullable=False, server_default=""),
    sa.Column("second_used", sa.Integer, nullable=False, server_default="0"),
)
ATTEMPTS = sa.Table(
    "desk_attempts",
    _meta,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("who", sa.String(64), nullable=False),
    sa.Column("at", sa.Integer, nullable=False),
)

SHORTEST, LONGEST = 10, 200
AT_ONCE = 2
"""Passwords that are tried at one moment: each takes 64 MiB, and anybody may ask."""
MOST_ATTEMPTS, WITHIN = 5, 15 * 60
"""Failed attempts at one name, within so many seconds, after which nobody signs in by it for a while."""
RULES_HOLD = 365
"""Days for which the rules of use stay accepted."""
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$YgamagixoOYo/4xTrs/X3Q$j8s6PyYoKKJPP9fcKDgqFKwsUu1CLMPk8xnLOKwlNHY"
"""What the password of a name that is not there is held against, so that it takes as long: nobody's, at the cost
of those that are made."""
_COMMON = frozenset({"password", "passwort", "1234567890", "qwertyuiop", "letmein123", "casebridge", "carefirst"})


@dataclass(frozen=True)
class Account:
    """Somebody who may sign in. `daily`: how many pairs are his for a day (0: as many as he likes); `teams`: those
    that a partner's agreement covers; `groups`: those of restriction that he belongs to; `tested_at`: when he
    passed the test, `tries` how often he sat it; `second`: what his second factor is made from (empty: none)."""

    login: str
    name: str
    role: Role
    clearance: int
    demo: bool
    keyboard: bool
    rules_at: str
    closed_at: str
    tested_at: str = ""
    tries: int = 0
    daily: int = 0
    teams: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    made_at: str = ""
    second: str = ""

    @property
    def viewer(self) -> Viewer:
        """The same person for the desk."""
        teams = frozenset(self.teams) if self.role is Role.PARTNER else None
        return Viewer(self.login, self.name, self.clearance, self.role is Role.SENIOR, teams,
                      frozenset(self.groups), self.daily)  # fmt: skip

    @property
    def needs_test(self) -> bool:
        """Whether the test stands between him and real pairs. The made-up council has none."""
        return self.may(Page.REVIEW) and not self.tested_at and not self.demo

    def may(self, page: Page) -> bool:
        """Whether his role opens a page."""
        return page in MAY_OPEN[self.role]

    def accepted_rules(self, today: dt.date) -> bool:
        """Whether he has accepted the rules of use within the last year."""
        if not self.rules_at:
            return False
        return (today - dt.date.fromisoformat(self.rules_at[:10])).days < RULES_HOLD


class Accounts:
    """The accounts of one project. cheap: passwords cost little to try, for tests that sign in often."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float], *, cheap: bool = False) -> None:
        self.engine, self._clock = engine, clock
        self._hasher = PasswordHasher(1, 8, 1) if cheap else PasswordHasher()
        self._nobody = self._hasher.hash("nobody has this") if cheap else _NOBODY

    def add(self, login: str, name: str, role: Role, password: str, *, clearance: bool = False) -> None:
        """Make an account. CasebridgeError when the name is taken, or the password is not fit."""
        key = _key(login)
        if not key or len(key) > 64 or not name.strip() or len(name) > 100:
            raise CasebridgeError("an account needs a login and a name", hint="at most 64 and 100 characters")
        check_role(role, clearance=clearance)
        _fit(password, key)
        self._insert(key, name.strip(), role, self._hasher.hash(password), clearance=clearance, demo=False)

    def add_for_sso(self, login: str, name: str, role: Role, *, clearance: bool = False) -> None:
        """Make an account without a password: only the council's single sign-on opens it."""
        check_role(role, clearance=clearance)
        self._insert(_key(login), name.strip(), role, "", clearance=clearance, demo=False)

    def add_demo(self, login: str, name: str, role: Role, *, clearance: bool = False) -> None:
        """Make an account without a password, for the made-up council only, unless it is there."""
        if self.find(login) is None:
            self._insert(_key(login), name, role, "", clearance=clearance, demo=True)

    def _insert(self, login: str, name: str, role: Role, secret: str, *, clearance: bool, demo: bool) -> None:
        row = {
            "login": login, "name": name, "role": str(role), "clearance": int(clearance), "secret": secret,
            "demo": int(demo), "keyboard": 0, "rules_at": "", "made_at": now(), "closed_at": "",
        }  # fmt: skip
        with writing(self.engine).begin() as connection:
            bring_up_control(connection)
            if connection.scalar(sa.select(ACCOUNTS.c.login).where(ACCOUNTS.c.login == login)) is not None:
                raise CasebridgeError(f"there is an account {login} already", hint="choose another login")
            connection.execute(ACCOUNTS.insert().values(row))

    def find(self, login: str) -> Account | None:
        """An account that is open."""
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(ACCOUNTS).where(ACCOUNTS.c.login == _key(login))).first()
        return _account(row) if row is not None and not row.closed_at else None

    def all(self) -> Sequence[Account]:
        """Every account, closed ones too, by login."""
        with self.engine.connect() as connection:
            return [_account(row) for row in connection.execute(sa.select(ACCOUNTS).order_by(ACCOUNTS.c.login))]

    def check(self, login: str, password: str, *, demo: bool) -> Account | None:
        """Who signs in; None when nobody does, whatever the reason: it takes as long either way."""
        key = _key(login)
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(ACCOUNTS).where(ACCOUNTS.c.login == key)).first()
        blocked = self._attempts(key) >= MOST_ATTEMPTS
        fits = self._verify(row.secret if row is not None and row.secret else self._nobody, password)
        if row is None or row.closed_at or not row.secret or not fits or blocked or (row.demo and not demo):
            self._failed(key)
            return None
        return _account(row)

    def _verify(self, secret: str, password: str) -> bool:
        try:
            return self._hasher.verify(secret, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False

    def _attempts(self, key: str) -> int:
        since = int(self._clock()) - WITHIN
        query = sa.select(sa.func.count()).where(ATTEMPTS.c.who == key, ATTEMPTS.c.at > since)
        with self.engine.connect() as connection:
            return int(connection.scalar(query) or 0)

    def _failed(self, key: str) -> None:
        now_ = int(self._clock())
        with writing(self.engine).begin() as connection:
            connection.execute(ATTEMPTS.delete().where(ATTEMPTS.c.at < now_ - WITHIN))
            connection.execute(ATTEMPTS.insert().values(who=key[:64], at=now_))

    def set_password(self, login: str, password: str) -> None:
        """Give an account another password."""
        _fit(password, _key(login))
        self._change(login, secret=self._hasher.hash(password))

    def ask_for_codes(self, login: str, *, on: bool) -> Account:
        """From now on a code stands beside the password, of a secret that is new each time; or none any more."""
        self._change(login, second=secrets.token_hex(16) if on else "", second_used=0)
        account = self.find(login)
        if account is None:
            raise CasebridgeError("this account is closed", hint="make another one")
        return account

    def use_code(self, login: str, step: int) -> bool:
        """Take the code of a step of time; False when it, or a later one, was taken before."""
        fresh = ACCOUNTS.update().where(ACCOUNTS.c.login == _key(login), ACCOUNTS.c.second_used < step)
        with writing(self.engine).begin() as connection:
            return connection.execute(fresh.values(second_used=step)).rowcount == 1

    def refuse(self, login: str) -> None:
        """An attempt failed after its password was right: it counts like any other."""
        self._failed(_key(login))

    def close(self, login: str) -> None:
        """A leaver: nobody signs in by this account any more, and his sessions end at the next page."""
        self._change(login, closed_at=now())

    def accept_rules(self, login: str) -> None:
        """Somebody has accepted the rules of use, now."""
        self._change(login, rules_at=now())

    def note_test(self, login: str, *, passed: bool) -> None:
        """Somebody has sat the test."""
        self._change(login, tries=ACCOUNTS.c.tries + 1, **({"tested_at": now()} if passed else {}))

    def change(
        self, login: str, *, name: str, role: Role, clearance: bool, daily: int, teams: Sequence[str],
        groups: Sequence[str],
    ) -> None:  # fmt: skip
        """A mover: another role with what goes with it; it holds from the next page on."""
        check_role(role, clearance=clearance, teams=teams)
        self._change(login, name=name, role=str(role), clearance=int(clearance), daily=daily,
                     teams="\n".join(teams), restriction_groups="\n".join(groups))  # fmt: skip

    def use_keyboard(self, login: str, *, on: bool) -> None:
        """Switch single keys on or off for somebody."""
        self._change(login, keyboard=int(on))

    def _change(self, login: str, **values: object) -> None:
        with writing(self.engine).begin() as connection:
            changed = connection.execute(
                ACCOUNTS.update().where(ACCOUNTS.c.login == _key(login)).values(**values)
            ).rowcount
        if changed != 1:
            known = [account.login for account in self.all()]
            raise CasebridgeError("there is no such account", hint=did_you_mean(login, known))


def check_role(role: Role, *, clearance: bool, teams: Sequence[str] = ()) -> None:
    """CasebridgeError when a role cannot have what is said of it."""
    if clearance and role not in CLEARABLE:
        names = ", ".join(sorted(CLEARABLE))
        raise CasebridgeError(f"a {role} has no clearance", hint=f"roles that may have it: {names}")
    if teams and role is not Role.PARTNER:
        raise CasebridgeError(f"a {role} has no agreement", hint="teams are what a partner's agreement covers")


def _key(login: str) -> str:
    return "".join(login.casefold().split())


def _account(row: sa.Row[tuple[object, ...]]) -> Account:
    return Account(
        row.login, row.name, Role(row.role), row.clearance, bool(row.demo), bool(row.keyboard), row.rules_at,
        row.closed_at, row.tested_at, row.tries, row.daily, _names(row.teams), _names(row.restriction_groups),
        row.made_at, row.second,
    )  # fmt: skip


def _names(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split("\n") if part)


def _fit(password: str, login: str) -> None:
    """CasebridgeError unless a password may be used: long enough, not one of those that everybody tries (NIST SP
    800-63B: length, no rules of composition)."""
    plain = password.casefold().strip()
    named = len(login) > 3 and login in plain
    if not SHORTEST <= len(password) <= LONGEST or plain in _COMMON or named or len(set(plain)) < 5:
        raise CasebridgeError(
            "this password is too easy to guess",
            hint=f"{SHORTEST} characters or more, not your login, none that everybody tries; a sentence is good",
        )
