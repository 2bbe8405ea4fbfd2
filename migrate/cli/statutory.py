"""The command that holds the statutory returns of the old and the new system against each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click
from rich.table import Table

from casebridge.migrate.cli.options import json_option
from casebridge.migrate.cli.render import show_json, show_table
from casebridge.migrate.returns import KINDS, differences, validated
from casebridge.project.errors import CasebridgeError, counted

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("before", type=_PATH)
@click.argument("after", type=_PATH)
@click.option("--python", type=_PATH, required=True, help="The Python of the environment with the validator.")
@click.option("--kind", type=click.Choice(KINDS), default="ssda903", show_default=True, help="Which return it is.")
@click.option("--year", type=click.IntRange(2023, 2099), required=True, help="The year in which it ends.")
@click.option("--authority", default="", help="The council's ONS code, as E09000027.")
@json_option
def statutory(
    before: Path, after: Path, python: Path, kind: str, year: int, authority: str, as_json: bool
) -> None:
    """Hold a statutory return of the new system against that of the old, rule by rule.

    BEFORE and AFTER are folders with the CSV files of an SSDA903 return, or XML files of a CIN census. Numbers by
    rule only. Exit code 1 where a rule finds more than before, or cannot run any more.
    """
    then, now = (validated(place, python, kind, year, authority) for place in (before, after))
    found = differences(then, now)
    if as_json:
        facts = [{"rule": d.rule, "before": d.before, "after": d.after, "what": d.what} for d in found]
        show_json({"ran": {"before": len(then.ran), "after": len(now.ran)}, "differences": facts})
    else:
        table = Table(title=f"{len(then.ran)} rules ran before, {len(now.ran)} after")
        for heading in ("rule", "before", "after", "what"):
            table.add_column(
                heading, overflow="fold", justify="right" if heading in {"before", "after"} else "left"
            )
        for one in found:
            numbers = ("cannot run" if number is None else f"{number:,}" for number in (one.before, one.after))
            table.add_row(one.rule, *numbers, one.what)
        show_table(table)
    worse = [one.rule for one in found if one.worse]
    if worse:
        finds = "finds" if len(worse) == 1 else "find"
        what = f"{counted(len(worse), 'rule')} of the return {finds} more than before, or cannot run any more"
        raise CasebridgeError(f"{what}: {', '.join(worse[:20])}", hint="look at its records")


COMMANDS: Mapping[str, click.Command] = {"statutory": statutory}
