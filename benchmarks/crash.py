"""The plug is pulled at every named moment and at 200 that have no name, on SQLite and on PostgreSQL.

    python -m benchmarks.crash [--random 200]

For each: a load into an empty target, a delta of the next export into it, and a rollback of that, each killed
(SIGKILL) and run again until it comes through. The target must equal that of a run nothing interrupted.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks.server import database, postgres
from casebridge.load.writing.failpoints import FAILPOINTS
from tests.councils import Migration, contents, make_migration, small_council
from tests.plug import killed_after, killed_at

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "load"))
from prepared import FIRST, NEXT, Contents, copy_of, loaded, next_export, plain

WORDS = {
    "load": ["load", "--name", FIRST],
    "delta": ["load", "--name", NEXT],
    "rollback": ["rollback", NEXT],
}


def prepare(work: Path) -> Migration:
    """A council whose two exports are ready for their loads."""
    council = small_council(work / "council", people=500)
    migration = make_migration(work / "project", council, batch_rows=600)
    migration.run(until="dedupe", run=FIRST)
    next_export(council)
    migration.run(until="dedupe", run=NEXT)
    return migration


def uninterrupted(prepared: Migration, work: Path, run: str) -> Contents:
    """What a full load of a run leaves in a target."""
    return plain(contents(loaded(copy_of(prepared, work / f"whole-{run}", None), run).target))


def pulled(migration: Migration, wanted: dict[str, Contents], how: str, seed: int) -> int:
    """Kill each of the three commands as `how` says and run it to its end; how often the plug was pulled."""
    chance, count = random.Random(f"{how} {seed}"), 0
    for command, words in WORDS.items():
        if how == "random":
            while killed_after(words, migration.folder, chance.uniform(0.05, 2.5)):
                count += 1
        else:
            nth = 1 + chance.randrange(12) if how not in {"before tighten", "after loosen"} else 1
            count += killed_at(words, migration.folder, how, nth)
            count += killed_at(words, migration.folder, how, 1)
            done = migration.cli(*words)
            # A rollback that was killed after its last commit has nothing left to take back.
            assert done.returncode == 0 or command == "rollback", done.stderr
        assert plain(contents(migration.target)) == wanted[command], (command, how, seed)
    return count


def cases(random_moments: int) -> Iterator[tuple[str, int]]:
    """Every named moment, then as many random rounds as are asked for."""
    yield from ((moment, 0) for moment in FAILPOINTS)
    yield from (("random", seed) for seed in range(random_moments))


def main() -> None:
    """All of them, on both databases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--random", type=int, default=200, help="random moments on each database")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, postgres() as server:
        work = Path(folder)
        prepared = prepare(work)
        first, following = uninterrupted(prepared, work, FIRST), uninterrupted(prepared, work, NEXT)
        wanted = {"load": first, "delta": following, "rollback": first}
        for kind in ("SQLite", "PostgreSQL"):
            named = pulls = 0
            for number, (how, seed) in enumerate(cases(given.random)):
                if how == "random" and pulls >= given.random:
                    break
                into = work / f"{kind}-{number}"
                with database(server) as url:
                    migration = copy_of(prepared, into, url if kind == "PostgreSQL" else None)
                    count = pulled(migration, wanted, how, seed)
                named, pulls = (named, pulls + count) if how == "random" else (named + count, pulls)
            click.echo(f"{kind}: killed {named} times at {len(FAILPOINTS)} failpoints and {pulls} times at random "
                  "ones; every target equal")  # fmt: skip


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
