"""The options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from casebridge.project.errors import CasebridgeError
from casebridge.project.urls import FILE, keeps_password

F = TypeVar("F", bound=Callable[..., Any])


def project_option(command: F) -> F:
    """`--project DIR`: the migration project, by default the folder one stands in."""
    return click.option(
        "--project", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path(),
        help="The migration project (default: this folder).",
    )(command)  # fmt: skip


def json_option(command: F) -> F:
    """`--json`: the result as JSON on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(command)


def name_option(command: F) -> F:
    """`--name NAME`: the run."""
    return click.option("--name", "run", help="The run, such as trial-1 (default: the latest).")(command)


def route_option(command: F) -> F:
    """`--route NAME`: which of several targets a new run goes to."""
    return click.option(
        "--route", metavar="ROUTE", help="Where a new run goes, if casebridge.toml has several targets."
    )(command)


def by_system(dumps: Sequence[str]) -> str | dict[str, str]:
    """What `--dump` names: one dump, or several by their systems' names."""
    if len(dumps) == 1:
        return dumps[0]
    named = [dump.partition("=") for dump in dumps]
    if len({name for name, _, _ in named}) < len(dumps) or not all(equals for _, equals, _ in named):
        hint = "--dump NAME=FOLDER for each, NAME up to 7 small letters and digits"
        raise CasebridgeError("several dumps need their systems' names", hint=hint)
    return {name: path for name, _, path in named}


def note_passwords(urls: Sequence[str]) -> None:
    """Say so where a password stands in a URL that a project keeps."""
    if any(map(keeps_password, urls)):
        click.echo(
            f"a password stands in {FILE}: write ${{NAME}} in its place, and set NAME where commands are given",
            err=True,
        )
