"""How good the register is: plan a sample, draw it, say what can be said, give out what people found."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from casebridge.dedupe.quality.drawing import draw_sample, plans_of
from casebridge.dedupe.quality.sampling import Plan
from casebridge.dedupe.quality.statement import Statement, labels, state
from casebridge.dedupe.review.desk import Desk
from casebridge.migrate.cli.options import json_option, name_option, project_option
from casebridge.migrate.cli.render import show_json
from casebridge.migrate.decision_guard import take_over_old_decisions
from casebridge.migrate.pipeline import open_job
from casebridge.project.audit import login
from casebridge.project.errors import counted
from casebridge.project.private import private_files
from casebridge.project.settings import read_settings

EVERYTHING = 1
"""The clearance of whoever has the project's folder: he has every record in it."""


@click.group()
def quality() -> None:
    """Say how good the register is, by a sample that people judge blind."""


_margin = click.option(
    "--margin", type=click.FloatRange(0.05, 20), default=1.0, show_default=True,
    help="Percentage points either side that the figures may be off.",
)  # fmt: skip
_confidence = click.option(
    "--confidence", type=click.FloatRange(50, 99.9), default=95.0, show_default=True, help="In per cent."
)
_budget = click.option("--budget", type=click.IntRange(1), help="The most pairs that people can look at.")


@quality.command()
@project_option
@name_option
@json_option
@_margin
@_confidence
@_budget
def plan(
    folder: Path, run: str | None, as_json: bool, margin: float, confidence: float, budget: int | None
) -> None:  # fmt: skip
    """Say how many pairs must be looked at, and which, to state the figures to a margin.

    A budget that cannot give the margin is refused, and the smallest that can is named.
    """
    with open_job(folder, run, alone=False, known=True) as job:
        plans = plans_of(job, margin / 100, confidence / 100, budget)
    if as_json:
        show_json({"margin": margin, "confidence": confidence, "pairs": sum(one.total for one in plans),
                   "strata": _rows(plans)})  # fmt: skip
        return
    total = sum(one.total for one in plans)
    click.echo(f"{counted(total, 'pair')} to look at, for ± {margin:g} points at {confidence:g} %")
    for row in _rows(plans):
        click.echo(f"  {row['draw']:>6,} of {row['pairs']:>9,}  {row['stratum']}")


def _rows(plans: list[Plan]) -> list[dict[str, object]]:
    return [
        {"stratum": share.stratum.name, "pairs": share.stratum.size, "draw": share.draw}
        for one in plans
        for share in one.shares
    ]


@quality.command()
@project_option
@name_option
@json_option
@_margin
@_confidence
@_budget
def draw(
    folder: Path, run: str | None, as_json: bool, margin: float, confidence: float, budget: int | None
) -> None:  # fmt: skip
    """Draw the sample; from the next run on its pairs are on the desk's page Checks.

    Each pair is then judged by somebody who has not judged it before and sees nothing of what was decided.
    """
    with open_job(folder, run, alone=False, known=True) as job:
        plans = plans_of(job, margin / 100, confidence / 100, budget)
        take_over_old_decisions(job)
        sample = draw_sample(job, plans, job.audit_log(writing=True), login())
    drawn = sum(len(one.pairs) for one in sample.strata)
    if as_json:
        show_json({"drawn": drawn, "strata": len(sample.strata)})
    else:
        click.echo(f"{counted(drawn, 'pair')} drawn; `casebridge run` puts them on the desk's page Checks")


@quality.command()
@project_option
@json_option
def show(folder: Path, as_json: bool) -> None:
    """Say what can be said now, from the sample that was drawn last."""
    with private_files():
        said = _stated(folder)
    if as_json:
        show_json({"sentences": list(said.sentences), **asdict(said)})
        return
    for sentence in said.sentences:
        click.echo(sentence)
    if said.calibration:
        click.echo(said.calibration.sentence)
    if said.twice:
        kappa = "" if said.twice.kappa is None else f" (kappa {said.twice.kappa:.2f})"
        share = f"{100 * said.twice.share:.1f} %"
        click.echo(f"{counted(said.twice.pairs, 'pair')} judged by two people: they agree on {share}{kappa}.")


def _stated(folder: Path) -> Statement:
    desk = Desk(read_settings(folder))
    try:
        return state(desk, EVERYTHING)
    finally:
        desk.close()


@quality.command(name="labels")
@project_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def give_labels(folder: Path, file: Path) -> None:
    """Write what people found in the sample to FILE, to calibrate linkage by: keys, p, same, weight.

    The weight is how many pairs of the register each one stands for. Made-up pairs are not among them.
    """
    with private_files():
        desk = Desk(read_settings(folder))
        try:
            rows = labels(desk, EVERYTHING)
            desk.log.note("export", what="labels", rows=len(rows), login=login())
        finally:
            desk.close()
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(("left", "right", "p_same", "same", "weight"))
            writer.writerows((left, right, f"{p:.6f}", int(same), f"{weight:.4f}")
                             for left, right, p, same, weight in rows)  # fmt: skip
    click.echo(f"{counted(len(rows), 'label')} in {file}")


COMMANDS: Mapping[str, click.Command] = {"quality": quality}
