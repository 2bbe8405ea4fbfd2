"""One code changed in codes/*.csv: what depends on it is done again, nothing more."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.councils import Migration, contents
from tests.shelf import SMALL, Shelf, copy_of

LIST = "observation_type"


def _map_the_dead_code(migration: Migration) -> None:
    """Give the first unmapped observation type a target, as its owner would."""
    path = migration.folder / "codes" / f"{LIST}.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    place = next(n for n, line in enumerate(lines) if ",unmapped," in line)
    code = lines[place].split(",")[0]
    lines[place] = f"{code},CASENOTE,Converted event,mapped,Principal Social Worker,2025-04-01,,"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _attempts(migration: Migration) -> dict[tuple[str, str, int, str], str]:
    with sqlite3.connect(migration.folder / "work" / "ledger.db") as ledger:
        rows = ledger.execute("SELECT stage, name, number, inputs, done FROM attempts").fetchall()
    return {(stage, name, number, inputs): done for stage, name, number, inputs, done in rows}


def test_a_changed_code_redoes_its_table_and_what_hangs_on_it(shelf: Shelf, tmp_path: Path) -> None:
    """Only case notes are converted and loaded again; the target equals that of a project that had converted
    nothing before."""
    changed = copy_of(shelf.after("reconcile", batch_rows=SMALL), tmp_path / "changed")
    before, held = _attempts(changed), len(contents(changed.target)["case_notes"])
    _map_the_dead_code(changed)
    changed.run(until="load")
    fresh = {key: done for key, done in _attempts(changed).items() if key not in before}
    assert {(stage, name) for stage, name, _, _ in fresh if stage in {"extract", "transform", "load", "ids"}} == {
        ("transform", "case_notes"),
        ("load", "case_notes"),
    }
    assert all(done == _attempts(changed)[key] for key, done in before.items())
    assert len(contents(changed.target)["case_notes"]) > held

    scratch = copy_of(shelf.after("extract", batch_rows=SMALL), tmp_path / "scratch")
    _map_the_dead_code(scratch)
    scratch.run(until="load")
    assert contents(changed.target) == contents(scratch.target)
