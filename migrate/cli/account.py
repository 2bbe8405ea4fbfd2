"""Who may sign in to the review desk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click

from casebridge.dedupe.staff import staff_records
from casebridge.migrate.cli.options import json_option, project_option
from casebridge.migrate.pipeline import open_job
from casebridge.migrate.web.accounts import Accounts
from casebridge.migrate.web.movers import read_moves, read_staff, take_moves, take_staff
from casebridge.migrate.web.roles import Role
from casebridge.migrate.web.second_factor import address_of, secret_of
from casebridge.migrate.web.serve import open_house
from casebridge.migrate.web.visit import House
from casebridge.project.audit import login as system_login
from casebridge.project.csv_cells import csv_text
from casebridge.project.errors import counted
from casebridge.project.private import private_files
from casebridge.project.settings import read_settings


@click.group()
def account() -> None:
    """Say who may sign in to the review desk."""


@account.command()
@click.argument("login")
@project_option
@click.option("--name", required=True, help="As it stands under decisions.")
@click.option("--role", required=True, type=click.Choice([str(role) for role in Role]), help="What they may open.")
@click.option("--clearance", is_flag=True, help="May see restricted records.")
@click.option("--sso", is_flag=True, help="No password: only the council's single sign-on opens it.")
def add(login: str, folder: Path, name: str, role: str, clearance: bool, sso: bool) -> None:
    """Make an account; its password is asked for, unless single sign-on opens it."""
    password = "" if sso else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with private_files():
        accounts, house = _accounts(folder)
        if sso:
            accounts.add_for_sso(login, name, Role(role), clearance=clearance)
        else:
            accounts.add(login, name, Role(role), password, clearance=clearance)
        house.desk.log.note(
            "account", act="added", account=login, role=role, clearance=clearance, login=system_login()
        )
    click.echo(f"{login} may sign in as {role}{', cleared for restricted records' if clearance else ''}")


@account.command()
@click.argument("login")
@project_option
def password(login: str, folder: Path) -> None:
    """Give an account another password."""
    chosen = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with private_files():
        accounts, house = _accounts(folder)
        accounts.set_password(login, chosen)
        house.desk.log.note("account", act="password", account=login, login=system_login())
    click.echo(f"{login} has another password")


@account.command(name="second-factor")
@click.argument("login")
@project_option
@click.option("--off", is_flag=True, help="The password alone opens it again.")
def second_factor(login: str, folder: Path, off: bool) -> None:
    """Ask for a code of an authenticator app beside the password.

    The address that the app reads is printed once: show it to its owner, and to nobody else.
    """
    with private_files():
        accounts, house = _accounts(folder)
        made = accounts.ask_for_codes(login, on=not off)
        act = "second factor off" if off else "second factor on"
        house.desk.log.note("account", act=act, account=made.login, login=system_login())
        click.echo(f"{login} needs no code" if off else address_of(secret_of(house.desk.log, made), made.login))


@account.command()
@click.argument("login")
@project_option
def close(login: str, folder: Path) -> None:
    """Close a leaver's account; it signs in no more, from the next page on."""
    with private_files():
        accounts, house = _accounts(folder)
        accounts.close(login)
        house.desk.log.note("account", act="closed", account=login, login=system_login())
    click.echo(f"{login} is closed")


@account.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@project_option
@click.option("--dry-run", is_flag=True, help="Say what would change; change nothing.")
def take(file: Path, folder: Path, dry_run: bool) -> None:
    """Take movers and leavers from a CSV file.

    Columns: login, name, role, clearance (yes, no), daily (pairs a day), teams (of a partner's agreement), groups
    (of restriction; `;` between them), leaves (yes). An empty cell leaves what is there. One bad line, and nothing
    is taken.
    """
    with private_files():
        accounts, house = _accounts(folder)
        moves = read_moves(file, {one.login: one for one in accounts.all()})
        if not dry_run:
            take_moves(accounts, moves)
            for move in moves:
                act = "closed" if move.leaves else "moved"
                house.desk.log.note("account", act=act, account=move.login, role=str(move.role),
                                    clearance=move.clearance, login=system_login())  # fmt: skip
    leaving = sum(move.leaves for move in moves)
    click.echo(f"{counted(len(moves) - leaving, 'mover')}, {counted(leaving, 'leaver')}"
               f"{'; nothing was taken' if dry_run else ''}")  # fmt: skip


@account.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@project_option
def staff(file: Path, folder: Path) -> None:
    """Take the staff list: what may be a record of theirs, or of a relative, is kept from each of them.

    A CSV file: login, relation (self, partner, child, …), forename, surname, birth_date, postcode. Nothing that
    was taken before is forgotten.
    """
    with private_files():
        accounts, house = _accounts(folder)
        people = read_staff(file)
        take_staff(accounts, people)
        house.desk.log.note("account", act="staff list", account="", rows=len(people), login=system_login())
    click.echo(f"{counted(len(people), 'line')} taken; it holds from the next page on")


@account.command(name="own-records")
@project_option
def own_records(folder: Path) -> None:
    """List records of the register that may be those of staff, to be put up for restriction, as CSV.

    For a data owner: restrict what is theirs in the legacy system, or in `restriction_access.csv`.
    """
    with open_job(folder, alone=False, known=True) as job:
        house = open_house(folder)
        found = staff_records(job, house.desk.engine)
        house.desk.log.note("export", what="staff records", rows=len(found), login=system_login())
    click.echo(csv_text(("login", "relation", "record"), found), nl=False)


@account.command(name="list")
@project_option
@json_option
def list_all(folder: Path, as_json: bool) -> None:
    """List the accounts."""
    with private_files():
        accounts, _ = _accounts(folder)
        found = accounts.all()
    rows = [{"login": a.login, "name": a.name, "role": str(a.role), "clearance": a.clearance, "demo": a.demo,
             "daily": a.daily, "teams": list(a.teams), "groups": list(a.groups), "tested": a.tested_at,
             "second_factor": bool(a.second), "closed": a.closed_at} for a in found]  # fmt: skip
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        marks = (("cleared", row["clearance"]), ("with a second factor", row["second_factor"]),
                 ("demo", row["demo"]), ("closed", row["closed"]))  # fmt: skip
        more = [word for word, on in marks if on]
        click.echo(f"{row['login']}: {row['name']}, {row['role']}{', ' + ', '.join(more) if more else ''}")


def _accounts(folder: Path) -> tuple[Accounts, House]:
    read_settings(folder)
    house = open_house(folder)
    return house.accounts, house


COMMANDS: Mapping[str, click.Command] = {"account": account}
"""Commands around accounts."""
