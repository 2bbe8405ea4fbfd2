"""Commands around people's decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click
import polars as pl

from casebridge.dedupe.review.contradictions import contradictions, with_new
from casebridge.dedupe.review.decision_log import DecisionLog, told
from casebridge.dedupe.review.decisions import Decision
from casebridge.dedupe.review.evidence_file import EvidenceFile
from casebridge.dedupe.review.evidence_on_record import sealed_evidence
from casebridge.dedupe.review.intake import ask_for as put_forward
from casebridge.dedupe.review.sheets import Sheet, read_sheet
from casebridge.dedupe.review.worksheet import write_worksheet
from casebridge.dedupe.scan.publishing import SCOPE
from casebridge.dedupe.waiting import Known, known_records, scan_stands, standing_now, undecided
from casebridge.migrate.cli.options import json_option, name_option, project_option
from casebridge.migrate.cli.render import show_json
from casebridge.migrate.decision_guard import log_was_lost, note_new_log, take_over_old_decisions
from casebridge.migrate.pipeline import open_job
from casebridge.project.audit import login
from casebridge.project.errors import CasebridgeError, counted, printable
from casebridge.project.job import Job

EVERYTHING = 1
"""The clearance of whoever has the project's folder: he has every record in it."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@project_option
@json_option
@click.option(
    "--dry-run", is_flag=True, help="Say what would be taken and what it would contradict; take nothing."
)
def decide(file: Path, folder: Path, as_json: bool, dry_run: bool) -> None:
    """Take decisions on pairs from a CSV file or a work sheet.

    FILE is CSV or XLSX with the columns left, right, verdict (same, different, related, unsure), reviewer, reason.
    A key is system:key, or the bare key when the project has one system. Lines that nobody has filled in are left.
    One bad line, and nothing is taken. A run that is going on is not disturbed.
    """
    _start_again(folder)
    with open_job(folder, alone=False, scans=True) as job:
        known, live = known_records(job), job.settings.live
        if known is None:
            first = "run" if job.settings.systems else "scan"
            hint = f"`casebridge {first}` first; then `casebridge pairs` lists what waits"
            raise CasebridgeError("nothing is converted yet, so no record is known", hint=hint)
        system = live.system if live else ""
        sheet = read_sheet(file, list(job.settings.systems) or [system], known.records, system)
        later = "the next scan" if scan_stands(job) else "`casebridge run`"
        done = _try(job, sheet) if dry_run else _take(job, sheet, known)
    if as_json:
        taken = {"new": done.new, "waiting_for_second": done.waiting} if done.new is not None else {}
        body = {"read": len(sheet.decisions), "untouched": sheet.untouched, "dry_run": dry_run, **taken}
        show_json({**body, "contradictions": done.contradictions})
        return
    read = f"{len(sheet.decisions):,} decisions read"
    read += f", {sheet.untouched:,} not filled in" if sheet.untouched else ""
    if done.new is None:
        click.echo(f"{read}; nothing was taken")
    else:
        click.echo(f"{read}, {done.new:,} of them new; {later} takes them up")
    if done.waiting:
        click.echo(told(done.waiting))
    for item in done.contradictions:
        click.echo(printable(f"contradiction, nothing of it merges: {item}"))


def _start_again(folder: Path) -> None:
    """A log that was lost starts again, on record in the ledger: for that the project is held."""
    with open_job(folder, alone=False, scans=True) as job:
        lost = log_was_lost(job)
    if lost:
        with open_job(folder, scans=True) as job:
            note_new_log(job)


@dataclass(frozen=True)
class _Done:
    """What came of a sheet; `new` and `waiting` are None when nothing was taken."""

    contradictions: list[str]
    new: int | None = None
    waiting: int | None = None


def _take(job: Job, sheet: Sheet, known: Known) -> _Done:
    take_over_old_decisions(job)
    decisions = DecisionLog(job.audit_log(writing=True))
    new = decisions.decide(sheet.decisions, known.proposed, known.protected)
    return _Done(_told(decisions.standing(), sheet), new, decisions.waiting())


def _try(job: Job, sheet: Sheet) -> _Done:
    return _Done(_told(with_new(standing_now(job), sheet.decisions), sheet))


def _told(standing: list[Decision], sheet: Sheet) -> list[str]:
    """The contradictions that this sheet has to do with."""
    mine = {item for said in sheet.decisions for item in (said.left_id, said.right_id)}
    return [str(item) for item in contradictions(standing) if mine & set(item.ids)]


@click.command()
@project_option
@name_option
@json_option
@click.option("--limit", type=click.IntRange(1), help="Only so many, the likeliest.")
@click.option("--team", help="Only pairs of people with whom this team works.")
@click.option(
    "--xlsx", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write a work sheet with both records side by side and why. It holds people's data.",
)  # fmt: skip
@click.option(
    "--ask-for", nargs=2, metavar="LEFT RIGHT",
    help="Put two records before the reviewers, from the next run on; say --by and --why.",
)  # fmt: skip
@click.option("--by", default="", help="Who asks for it, with --ask-for.")
@click.option("--why", default="", help="Why the two may be one person, with --ask-for.")
def pairs(
    folder: Path, run: str | None, as_json: bool, limit: int | None, team: str | None, xlsx: Path | None,
    ask_for: tuple[str, str] | None, by: str, why: str,
) -> None:  # fmt: skip
    """List the pairs that wait for a decision, as CSV for `casebridge decide`.

    The likeliest first. Keys and probabilities, nothing about the people; --xlsx writes what is on file of them.
    Fill in verdict, reviewer and reason, and hand the file back. A pair that was decided has left the list.
    """
    if ask_for:
        _ask(folder, ask_for, by, why)
        return
    with open_job(folder, run, alone=False, known=True, scans=True) as job:
        of_scan = run is None and scan_stands(job)
        scope = SCOPE if of_scan else job.run
        waiting = undecided(job, standing_now(job), of_scan=of_scan)
        if team is not None:
            waiting = _of_team(job, waiting, team, scope)
        waiting = waiting.head(limit) if limit else waiting
        _note_export(job, waiting.height, "pairs" if xlsx is None else "work sheet")
        written = _sheet(job, waiting, xlsx, scope) if xlsx else 0
    if xlsx:
        click.echo(
            f"{counted(written, 'pair')} in {xlsx}; it holds people's data: delete it when it is handed back"
        )
    elif as_json:
        show_json(waiting.select("left", "right", "p_same", "relation", "zone", "guard", "preflight").to_dicts())
    else:
        click.echo(waiting.write_csv(), nl=False)


def _ask(folder: Path, both: tuple[str, str], by: str, why: str) -> None:
    with open_job(folder, alone=False) as job:
        take_over_old_decisions(job)
        put_forward(job.audit_log(writing=True), list(job.settings.systems), *both, by, why)
    click.echo(
        "taken; the pair is before the reviewers from the next run on, if both are records that may be paired"
    )


def _evidence(job: Job, scope: str) -> EvidenceFile:
    found = sealed_evidence(job.ledger, scope)
    if found is None:
        raise CasebridgeError(
            f"run {job.run} has no evidence: it was closed, or another run has taken its place",
            hint="`casebridge run` writes it again",
        )
    return found


def _of_team(job: Job, waiting: pl.DataFrame, team: str, scope: str) -> pl.DataFrame:
    evidence = _evidence(job, scope)
    theirs = {(pair.left_id, pair.right_id): pair.teams for pair in evidence.pairs(EVERYTHING)}
    evidence.close()
    known = sorted({name for names in theirs.values() for name in names})
    if team not in known:
        raise CasebridgeError("no pair is of that team", hint=f"teams: {', '.join(known[:20])}" if known else "")
    mine = [team in theirs.get(pair, ()) for pair in waiting.select("left", "right").iter_rows()]
    return waiting.filter(pl.Series(mine, dtype=pl.Boolean))


def _sheet(job: Job, waiting: pl.DataFrame, path: Path, scope: str) -> int:
    evidence = _evidence(job, scope)
    try:
        return write_worksheet(path, evidence, list(waiting.select("left", "right").iter_rows()), EVERYTHING)
    finally:
        evidence.close()


def _note_export(job: Job, rows: int, what: str) -> None:
    """Who took pairs out stands in the audit log before they leave."""
    try:
        take_over_old_decisions(job)
        job.audit_log(writing=True).note("export", what=what, run=job.run, rows=rows, login=login())
    except CasebridgeError as error:
        what = f"the pairs are not given out: this could not be written into the audit log. {error.message}"
        raise CasebridgeError(what, hint=error.hint) from error


COMMANDS: Mapping[str, click.Command] = {"decide": decide, "pairs": pairs}
