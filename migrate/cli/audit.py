"""Commands around what is on record: is the log what it was, and what may be deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from casebridge.migrate.audit import audit_problems
from casebridge.migrate.cli.options import json_option, project_option
from casebridge.migrate.cli.render import show_json
from casebridge.migrate.pipeline import open_job
from casebridge.migrate.purge import purge as purge_work
from casebridge.project.errors import ReconciliationFailed


@click.group()
def audit() -> None:
    """Show whether decisions, signatures and their log are what was written."""


@audit.command()
@project_option
@json_option
def verify(folder: Path, as_json: bool) -> None:
    """Check the whole log: every link of the chain, every decision, every signature."""
    with open_job(folder, alone=False, scans=True) as job:
        head = job.audit_log().head()
        found = audit_problems(job)
    if as_json:
        show_json({"entries": head.number, "head": head.link, "problems": found})
    else:
        for what in found:
            click.echo(what, err=True)
        if not found:
            click.echo(f"the audit log is whole: {head.number:,} entries, head {head.link[:16]}")
    if found:
        raise click.exceptions.Exit(ReconciliationFailed.exit_code)


@click.command()
@project_option
@json_option
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def purge(folder: Path, as_json: bool, dry_run: bool) -> None:
    """Delete working files that nothing rests on, and say what must stay.

    Reports, hand-overs, decisions and the ledger stay: they are the books. Of the working files those go that no
    run has, that the target was not loaded from, and that no rollback needs.
    """
    with open_job(folder) as job:
        done = purge_work(job, dry_run=dry_run)
        gone = sum(item.gone for item in done)
        if gone and not dry_run:
            job.audit_log().note("purge", files=gone, bytes=sum(item.gone_bytes for item in done))
    if as_json:
        show_json({"dry_run": dry_run, "folders": [asdict(item) for item in done]})
        return
    word = "would go" if dry_run else "gone"
    for item in done:
        stays = f"; {item.kept:,} stay ({item.kept_bytes / 1e6:,.1f} MB): {item.why}" if item.kept else ""
        click.echo(f"work/{item.stage}: {item.gone:,} files {word} ({item.gone_bytes / 1e6:,.1f} MB){stays}")


COMMANDS: Mapping[str, click.Command] = {"audit": audit, "purge": purge}
