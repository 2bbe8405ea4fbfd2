"""`casebridge`: the table of commands, and the one place where an error becomes an exit code."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import click

import casebridge
from casebridge.project.errors import CasebridgeError, printable
from casebridge.project.memory import give_back
from casebridge.project.private import private_files
from casebridge.project.refusals import refused_files

# name → (module, what it does). The modules are imported when their command is used: `--help` must not
# wait for the engines.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("project", "Make a council, migrate it, and show that the books balance."),
    "synth": ("project", "Write a made-up council's CareFirst dump, with the truth beside it."),
    "profile": ("profile", "Show what is in a dump, column by column, without anybody's value."),
    "draft": ("profile", "Make a first project from what is in a dump, each guess marked."),
    "init": ("project", "Make a migration project for a dump."),
    "check": ("project", "Read every spec and reach every database; list all problems at once."),
    "run": ("run", "Do all stages; run it again after a crash and it goes on."),
    "extract": ("run", "Read the dump into immutable batches."),
    "transform": ("run", "Convert the batches by the table specs."),
    "dedupe": ("run", "Find who is who, and fold what people decided."),
    "load": ("run", "Bring the target to what this run says."),
    "reconcile": ("run", "Re-read the target and prove both sides of the books."),
    "codes": ("codes", "Show the code lists: what is unmapped, who signed them, what changed since."),
    "replay": ("run", "Put quarantined rows through the mended rules."),
    "quarantine": ("quarantine", "Write what stayed behind into a workbook for each owner."),
    "status": ("report", "Show where every table stands."),
    "mapping": ("mapping", "Write the mapping of a run as a document, and compare it with another's."),
    "freeze": ("plan", "Hold the rules as a rehearsal had them, until it is lifted."),
    "report": ("report", "Show a run's balance and where its board pack lies."),
    "accept": ("report", "Accept, in a person's name, what is above the limits of a run."),
    "sign": ("report", "Sign a balanced run's report and close the run."),
    "rollback": ("run", "Take the last run's rows out of the target again."),
    "link": ("link", "Link a register in a file (CSV, Parquet, workbook …); no project needed."),
    "pairs": ("review", "List the pairs that wait for a decision, as CSV for `casebridge decide`."),
    "scan": ("scan", "Look through the live register for people who are in it twice."),
    "statutory": ("statutory", "Hold a statutory return of the new system against that of the old, rule by rule."),
    "crosswalk": ("crosswalk", "Say where each legacy key of a target table went, as CSV."),
    "handover": (
        "handover",
        "Hand a run over as files, where the supplier loads them, and compare his read-back.",
    ),
    "audit": ("audit", "Show whether decisions, signatures and their log are what was written."),
    "purge": ("audit", "Delete working files that nothing rests on, and say what must stay."),
    "review": ("desk", "Open the review desk in the browser."),
    "quality": ("quality", "Say how good the register is, by a sample that people judge blind."),
    "account": ("account", "Say who may sign in to the review desk."),
    "decide": ("review", "Take decisions on pairs from a CSV file or a work sheet."),
}


LEAN = frozenset({"scan"})
"""Commands that run beside others on a server every night, and give memory back at once."""


class Commands(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, _: click.Context) -> list[str]:
        """The names, in the order in which a migration uses them."""
        return list(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        """The command itself."""
        if name not in COMMANDS:
            return None
        if name in LEAN:
            give_back()
        command = _imported(f"casebridge.migrate.cli.{COMMANDS[name][0]}").COMMANDS[name]
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """The list for `--help`, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, what) for name, (_, what) in COMMANDS.items()])


def _imported(name: str) -> ModuleType:
    """A command's module. What its imports make stays as long as the process: the collector does not look through
    it again and again, neither meanwhile nor afterwards."""
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        module = importlib.import_module(name)
    finally:
        gc.enable()
    gc.freeze()
    return module


RUNBOOKS = (Path(casebridge.__file__).parent / "runbooks").resolve()
"""What to do in plain words: errors.md explains every message. In a checkout and in a wheel."""

_HELP = """Casebridge moves a council's social-care records from CareFirst to Mosaic.

Exit codes: 0 done, 2 a project file is wrong, 3 the dump or the target refuses, 4 a stage does not
balance, 5 pairs wait for review, 6 reconciliation failed, 7 more stays behind than was agreed.

\b
Every message is explained in:
{errors}
"""


@click.group(
    cls=Commands,
    help=_HELP.format(errors=RUNBOOKS / "errors.md"),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="casebridge")
def cli() -> None:
    """All commands."""


def main() -> None:
    """The entry point: runs a command and turns what goes wrong into one message and one exit code."""
    try:
        with private_files():
            code = cli(standalone_mode=False)
    except CasebridgeError as error:
        click.echo(f"casebridge: {printable(error.message)}", err=True)
        if error.hint:
            click.echo(f"  → {printable(error.hint)}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("casebridge: stopped. What was finished stays done; run it again to go on.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 (the last resort, for a compiled library's panic too: no data in it)
        _broken_off(error)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _broken_off(error: BaseException) -> None:
    """What the system refuses, and in which folder: a file's own name may be somebody's. All else is a bug."""
    told = refused_files(error)
    if told is None and not (isinstance(error, OSError) and error.strerror):
        _unexpected(error)
        return
    hint = "see that this login may read and write there and that the disk has room; then run it again"
    click.echo(f"casebridge: {printable(told.message if told else _of_system(error))}", err=True)
    click.echo(f"  → {told.hint if told else hint}", err=True)
    if os.environ.get("CASEBRIDGE_TRACEBACK"):
        traceback.print_exception(error)


def _of_system(error: BaseException) -> str:
    if not isinstance(error, OSError):
        return ""
    where = "" if error.filename is None else f", in {Path(os.fsdecode(error.filename)).parent}"
    return f"{error.strerror}{where}"


def _unexpected(error: BaseException) -> None:
    """Where an unforeseen error arose. Its own text may hold a value, so it is shown only when asked for."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    click.echo(
        f"casebridge: unexpected {type(error).__name__} in {last.name} ({last.filename}:{last.lineno})", err=True
    )
    click.echo("  → nothing half-done was kept. CASEBRIDGE_TRACEBACK=1 shows all, which may hold values", err=True)
    if os.environ.get("CASEBRIDGE_TRACEBACK"):
        traceback.print_exception(error)


if __name__ == "__main__":
    main()
