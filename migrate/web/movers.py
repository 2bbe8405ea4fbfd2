"""Movers and leavers, and the staff list, as the council's personnel system gives them out: by CSV.

One bad line, and nothing is taken.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from casebridge.dedupe.review.family import FIELDS, Declared, declare, read_person
from casebridge.migrate.web.accounts import Account, Accounts, check_role
from casebridge.migrate.web.roles import Role
from casebridge.project.database import writing
from casebridge.project.errors import CasebridgeError, Problem, SpecError

COLUMNS = ("login", "name", "role", "clearance", "daily", "teams", "groups", "leaves")
LARGEST = 10_000_000
"""Bytes of a list; a staff list is far smaller."""


@dataclass(frozen=True)
class Move:
    """What a line asks for: another role, or that somebody leaves."""

    login: str
    name: str
    role: Role
    clearance: bool
    daily: int
    teams: tuple[str, ...]
    groups: tuple[str, ...]
    leaves: bool


def read_moves(path: Path, known: Mapping[str, Account]) -> list[Move]:
    """The lines of a list of movers and leavers; an empty cell leaves as it is what is there. SpecError lists
    every bad line."""
    moves, problems = [], []
    for number, row in _rows(path, COLUMNS, needed=("login",)):
        try:
            moves.append(_move(row, known))
        except CasebridgeError as error:
            problems.append(Problem(path.name, f"line {number}", error.message, error.hint or ""))
    if problems:
        raise SpecError(problems)
    return moves


def _move(row: Mapping[str, str], known: Mapping[str, Account]) -> Move:
    account = known.get(row["login"].casefold())
    if account is None:
        raise CasebridgeError("there is no such account", hint="`casebridge account add` makes one")
    role = next((role for role in Role if role == row["role"]), None) if row["role"] else account.role
    if role is None:
        raise CasebridgeError("there is no such role", hint=f"one of: {', '.join(Role)}")
    clearance = _yes(row["clearance"], bool(account.clearance) and role is account.role)
    daily = row["daily"] or str(account.daily)
    if not (daily.isascii() and daily.isdigit() and int(daily) < 10_000):
        raise CasebridgeError("daily is no number of pairs", hint="a whole number; 0 for no limit")
    teams = _names(row["teams"]) or (account.teams if role is Role.PARTNER else ())
    check_role(role, clearance=clearance, teams=teams)
    return Move(account.login, row["name"] or account.name, role, clearance, int(daily), teams,
                _names(row["groups"]) or account.groups, _yes(row["leaves"], False))  # fmt: skip


def _yes(text: str, otherwise: bool) -> bool:
    if text.casefold() not in {"", "yes", "no"}:
        raise CasebridgeError("say yes or no", hint="in the columns clearance and leaves")
    return text.casefold() == "yes" if text else otherwise


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(";") if name.strip())


def take_moves(accounts: Accounts, moves: Sequence[Move]) -> None:
    """Do what the lines ask for. Each holds from the next page on."""
    for move in moves:
        if move.leaves:
            accounts.close(move.login)
        else:
            accounts.change(move.login, name=move.name, role=move.role, clearance=move.clearance,
                            daily=move.daily, teams=move.teams, groups=move.groups)  # fmt: skip


def read_staff(path: Path) -> list[Declared]:
    """The lines of a staff list: login, relation (self for the person), names, birth date, postcode."""
    people, problems = [], []
    for number, row in _rows(path, ("login", *FIELDS), needed=("login", "forename", "surname")):
        try:
            people.append(read_person(row["login"].casefold(), {**row, "relation": row["relation"] or "self"}))
        except CasebridgeError as error:
            problems.append(Problem(path.name, f"line {number}", error.message, error.hint or ""))
    if problems:
        raise SpecError(problems)
    return people


def take_staff(accounts: Accounts, people: Sequence[Declared]) -> None:
    """Keep a staff list: what may be a record of theirs is kept from each from the next page on."""
    with writing(accounts.engine).begin() as connection:
        declare(connection, people)


def _rows(path: Path, columns: Sequence[str], needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        if path.stat().st_size > LARGEST:
            raise CasebridgeError(f"{path.name} is no list of people: it is too large", hint="at most 10 MB")
        reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise CasebridgeError(f"{path.name} cannot be read", hint="a CSV file in UTF-8 with a header") from error
    there = [name.strip().casefold() for name in reader.fieldnames or ()]
    missing = [name for name in needed if name not in there]
    strange = [name for name in there if name not in columns]
    if missing or strange:
        raise CasebridgeError(
            f"{path.name} has other columns", hint=f"needed: {', '.join(needed)}; known: {', '.join(columns)}"
        )
    for number, row in enumerate(rows, 2):
        cells = {(name or "").strip().casefold(): (value or "").strip() for name, value in row.items()
                 if isinstance(value, str) or value is None}  # fmt: skip
        yield number, {name: cells.get(name, "") for name in columns}
