"""Every word of every finding: what had to be, what is, the query to repeat it, and where the evidence lies.

The words stand in `findings/`. Whoever changes one reads it there first, then writes the file again:
`WRITE_FINDINGS=1 python -m pytest tests/reconciliation/test_findings.py`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from hand_made import MARKER, TARGET, World, make_world

from casebridge.project.acceptances import Acceptances
from casebridge.project.batch import Batch
from casebridge.project.errors import Excess
from casebridge.project.ledger import now
from casebridge.project.limits import Limits
from casebridge.project.target import Target, TargetTable
from casebridge.reconciliation.checks import (
    control_totals,
    counts_by_code,
    files_unchanged,
    keys_unique,
    run_checks,
)
from casebridge.reconciliation.counting.recount import Books, recount
from casebridge.reconciliation.findings import Outcome
from casebridge.reconciliation.reading.verified_files import RunFiles
from casebridge.reconciliation.reporting.facts import facts_of

KEPT = Path(__file__).parent / "findings"


def _balanced(_: World) -> None:
    """Nothing is wrong."""


def _spoiled_rows(world: World) -> None:
    """Rows lost, doubled, changed, and put where they do not belong."""
    world.execute("ALTER TABLE phones RENAME TO old_phones")
    world.execute("CREATE TABLE phones AS SELECT * FROM old_phones")
    world.execute("INSERT INTO phones SELECT * FROM phones WHERE phone_id = 21")
    world.execute("INSERT INTO phones (phone_id, person_id, number) VALUES (99, 77, '1')")
    world.execute("DELETE FROM notes WHERE note_id = 32")
    world.execute("UPDATE notes SET note_type = 'HOMEVISIT' WHERE note_id = 31")
    world.execute("UPDATE orgs SET parent_id = 5 WHERE id = 2")
    world.execute("UPDATE payments SET amount = 100.01, period = '202409' WHERE payment_id = 43")
    world.execute("UPDATE persons SET restricted = 'N' WHERE person_id = 12")
    world.execute("UPDATE persons SET restricted = 'Y', gender = 'F' WHERE person_id = 13")


def _spoiled_books(world: World) -> None:
    """Rows taken twice, rows of nobody, a merge that was not done, a file that was changed."""
    ledger = world.job.ledger
    raw = ledger.sealed("trial-1", "extract", "old.ORG", "raw")[0]
    again = world.batch("extract", "old.ORG", {"raw": raw.read().head(1)}, number=1)
    world.seal("extract", "old.ORG", {"raw": raw}, again)
    stranger = world.quarantine("NOTE", {"place": 99, "verdict": "held", "rule": "missing_chunk"})
    world.seal("transform", "old.NOTE", world.batch("transform", "old.NOTE", {"quarantine": stranger}))
    four = {"_key": "P4", "_row": 4, "person_id": 14, "last_name": MARKER, "gender": "F", "restricted": "Y"}
    more = world.load("persons", "PERSON", [four])
    whole = pl.concat([ledger.sealed("trial-1", "load", "persons", "rows")[0].read(), more])
    world.seal("load", "persons", world.batch("load", "persons", {"rows": whole}))
    world.fill("persons", more)
    phone = world.load("phones", "PERSON", [{"_key": "P3#phone", "_row": 3, "phone_id": 23, "number": "1"}])
    phones = pl.concat([ledger.sealed("trial-1", "load", "phones", "rows")[0].read(), phone])
    world.seal("load", "phones", world.batch("load", "phones", {"rows": phones}))
    world.fill("phones", phone)
    for batch in ledger.sealed("trial-1", "load", "notes", "rows"):
        batch.read().with_columns(note=pl.lit("other")).write_parquet(batch.path)


def _nothing_arrives(world: World) -> None:
    """A spec that loads nothing, a source of which no line can be read, a column that is gone, a limit."""
    limits = Limits({"rejected": 0.1}, {"notes": {"held": 0.5}})
    world.job = replace(world.job, settings=replace(world.job.settings, limits=limits))
    world.execute("DELETE FROM phones")
    world.seal("load", "phones", world.batch("load", "phones", {"rows": world.load("phones", "PERSON", [])}))
    unreadable = [
        {"_row": world.row("ORG", place), "_file": "ORG.csv", "_line": place + 1, "_lines": 1,
         "reason": "ragged_line", "raw": b"x"}
        for place in (1, 2)
    ]  # fmt: skip
    raw = world.job.ledger.sealed("trial-1", "extract", "old.ORG", "raw")[0].read().head(0)
    files = {"raw": raw, "unreadable": pl.DataFrame(unreadable, schema_overrides={"_lines": pl.Int32})}
    world.seal("extract", "old.ORG", world.batch("extract", "old.ORG", files))
    world.execute("ALTER TABLE notes DROP COLUMN written")


def _agreed(world: World) -> None:
    """What stays behind, and somebody has agreed to it: a spec that holds all, rows of another target, a limit."""
    limits = Limits({}, {"persons": {"rejected": 0.1}})
    specs = tuple(replace(spec, holds_all=spec.name == "phones") for spec in world.job.specs)
    world.job = replace(world.job, specs=specs, settings=replace(world.job.settings, limits=limits))
    excess = Excess("persons", "rejected", 2, 8, 0.1)
    Acceptances(world.job.ledger).accept("trial-1", [excess], "A. Owner", "known, and mended later")
    gone = [
        {"place": place, "verdict": "excluded", "rule": "routed_to_south", "_key": f"P{place}"} for place in (1, 4)
    ]
    made = world.batch("transform", "phones", {"quarantine": world.quarantine("PERSON", *gone)})
    world.seal("transform", "phones", made)
    world.execute("DELETE FROM phones")
    world.seal("load", "phones", world.batch("load", "phones", {"rows": world.load("phones", "PERSON", [])}))


def _twice_on_both_sides(world: World) -> None:
    """A key that stands twice in load's own file and in the target; two columns gone; the last row of a spec."""
    ledger = world.job.ledger
    phones = ledger.sealed("trial-1", "load", "phones", "rows")[0].read()
    twice = pl.concat([phones, phones.head(1)])
    world.seal("load", "phones", world.batch("load", "phones", {"rows": twice}))
    world.execute("ALTER TABLE phones RENAME TO old_phones")
    world.execute("CREATE TABLE phones AS SELECT * FROM old_phones")
    world.execute("INSERT INTO phones SELECT * FROM phones WHERE phone_id = 21")
    world.execute("ALTER TABLE notes DROP COLUMN written")
    world.execute("ALTER TABLE notes DROP COLUMN note")
    limits = Limits({}, {"persons": {"set_aside": 0.0}})
    world.job = replace(world.job, settings=replace(world.job.settings, limits=limits))
    world.execute("DELETE FROM orgs WHERE id = 2")
    raw = ledger.sealed("trial-1", "extract", "old.ORG", "raw")[0].read().head(1)
    world.seal("extract", "old.ORG", world.batch("extract", "old.ORG", {"raw": raw}))
    world.seal("load", "orgs", world.batch("load", "orgs", {"rows": world.load("orgs", "ORG", [])}))


def _nobody_says(world: World) -> None:
    """Marks that no source column feeds; a part that is asked for where any of two columns is filled; a source of
    one line that cannot be read; a spec all of whose rows go to another target."""
    org, persons, *others = TARGET.tables
    marked = [
        replace(table, columns=tuple(
            replace(column, restriction=("Y",)) if column.name in ("parent_id", "restricted") else column
            for column in table.columns
        ))
        for table in (org, persons)
    ]  # fmt: skip
    phones = next(spec for spec in world.job.specs if spec.name == "phones")
    also = replace(phones.columns[-1], name="also", sources=("DOB",))
    part = replace(phones, where=None, columns=(*phones.columns, also))
    specs = tuple(part if spec.name == "phones" else spec for spec in world.job.specs)
    world.job = replace(world.job, target=Target((*marked, *others)), specs=specs)
    line = {
        "_row": world.row("ORG", 1),
        "_file": "ORG.csv",
        "_line": 2,
        "_lines": 1,
        "reason": "ragged_line",
        "raw": b"",
    }
    files = {"raw": world.job.ledger.sealed("trial-1", "extract", "old.ORG", "raw")[0].read().head(0)}
    files["unreadable"] = pl.DataFrame([line], schema_overrides={"_lines": pl.Int32})
    world.seal("extract", "old.ORG", world.batch("extract", "old.ORG", files))
    gone = [
        {"place": place, "verdict": "excluded", "rule": "routed_to_south", "_key": str(place)}
        for place in range(1, 7)
    ]
    made = world.batch("transform", "payments", {"quarantine": world.quarantine("PAYMENT", *gone)})
    world.seal("transform", "payments", made)
    world.execute("DELETE FROM payments")
    world.seal(
        "load", "payments", world.batch("load", "payments", {"rows": world.load("payments", "PAYMENT", [])})
    )


def _led_astray(world: World) -> None:
    """The crosswalk in the target: one line right, one to the wrong id, one lost, one of nobody."""
    golden = world.job.ledger.sealed("trial-1", "load", "persons", "rows")[0].read().head(0)
    world.seal("dedupe", "persons", world.batch("dedupe", "persons", {"golden": golden}))
    world.execute(
        "CREATE TABLE casebridge_crosswalk (system TEXT, legacy_key TEXT, survivor_system TEXT, "
        "survivor_key TEXT, target_id BIGINT)"
    )
    for key, survivor, person in (("P1", "P1", 11), ("P4", "P1", 12), ("P3", "P3", 13), ("P8", "P8", 18)):
        world.execute(f"INSERT INTO casebridge_crosswalk VALUES ('old', '{key}', 'old', '{survivor}', {person})")  # noqa: S608


SPOILED: dict[str, Callable[[World], None]] = {
    "balanced": _balanced,
    "spoiled_rows": _spoiled_rows,
    "spoiled_books": _spoiled_books,
    "nothing_arrives": _nothing_arrives,
    "agreed": _agreed,
    "twice_on_both_sides": _twice_on_both_sides,
    "nobody_says": _nobody_says,
    "led_astray": _led_astray,
}


@pytest.fixture(scope="session")
def books_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Books]:
    """The books of each of these migrations, counted once."""

    @cache
    def counted(name: str) -> Books:
        folder = tmp_path_factory.mktemp(name)
        world = make_world(folder, f"sqlite:///{folder / 'target.db'}")
        SPOILED[name](world)
        books = recount(world.job)
        world.job.ledger.close()
        return books

    return counted


@pytest.mark.parametrize("name", SPOILED)
def test_every_word_of_every_finding(books_of: Callable[[str], Books], name: str) -> None:
    books = books_of(name)
    facts = facts_of(books, run_checks(books))
    found = {"verdict": facts["verdict"], "checks": facts["checks"]}
    found = json.loads(json.dumps(found).replace(now()[:10], "TODAY"))
    path = KEPT / f"{name}.json"
    if "WRITE_FINDINGS" in os.environ:
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert found == json.loads(path.read_text(encoding="utf-8"))


def _books(**counted: Any) -> Any:
    """Books of which one check reads no more than this."""
    return SimpleNamespace(**counted)


def test_a_key_of_two_columns_is_counted_by_both() -> None:
    table = TargetTable("t", ("a", "b"), ())
    side = SimpleNamespace(held=SimpleNamespace(table=table), doubled=0, claimed_twice=0)
    (found,) = keys_unique(_books(sides={"t": side}))
    assert found.query == "SELECT a, b FROM t GROUP BY a, b HAVING count(*) > 1"


def test_a_sum_over_all_rows_names_no_groups() -> None:
    what = {"by": (), "table": "t", "column": "amount", "source": 500, "target": 501}
    account = SimpleNamespace(note="as the query gives it", differing=pl.DataFrame({"group": [1]}), **what)
    (found,) = control_totals(_books(money=SimpleNamespace(accounts=[account])))
    assert (found.table, found.query) == ("t.amount", "SELECT sum(amount) FROM t")
    assert found.evidence == "control_totals.csv; as the query gives it"
    assert (found.expected, found.actual, found.verdict) == ("5.00", "5.01, 1 group differs", Outcome.FAILED)


def test_eight_codes_that_differ_are_named_and_all_lists() -> None:
    differing = [(f"C{number}", number, 0) for number in range(9)]
    account = SimpleNamespace(
        table="t", column="c", source=9, target=0, differing=differing, lists=("a", "b"), note=""
    )
    (found,) = counts_by_code(_books(codes=SimpleNamespace(accounts=[account])))
    codes = ", ".join(f"C{number}: {number} → 0" for number in range(8))
    assert (found.actual, found.evidence) == (f"0 (9 codes differ: {codes})", "lists: a, b")


def test_five_files_that_were_changed_are_named() -> None:
    batches = tuple(Batch("load", "t", n, "rows", "", Path(f"work/load/t/{n}.parquet"), 1, "") for n in range(7))
    broken = frozenset(batch.path for batch in batches[:6])
    (found,) = files_unchanged(_books(files=RunFiles(batches, broken)))
    assert found.evidence == "work/load: 0.parquet, 1.parquet, 2.parquet, 3.parquet, 4.parquet"
    assert (found.expected, found.actual, found.query) == ("7", "1", "sha256sum work/load/*/*.parquet")
