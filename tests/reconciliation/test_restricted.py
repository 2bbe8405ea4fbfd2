"""Restricted records, person by person: each way in which a mark reaches a row of the target, or does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from hand_made import BIGINT, FLAG, TEXT, World, make_world

from casebridge.project.contracts import CROSSWALK, ROWS, SPACES
from casebridge.project.job import Job, Silent
from casebridge.project.ledger import Ledger
from casebridge.project.restriction import RAISED_ROWS
from casebridge.project.settings import Settings, System
from casebridge.project.spec import ColumnSpec, ReadSpec, Source, TableSpec
from casebridge.project.target import Target, TargetColumn, TargetTable
from casebridge.reconciliation.checks import restricted_by_id
from casebridge.reconciliation.counting.recount import recount
from casebridge.reconciliation.counting.restriction import RestrictionAccount

Lines = Sequence[Mapping[str, Any]]

PEOPLE = TargetTable(
    "people", ("person_id",),
    (TargetColumn("person_id", BIGINT), TargetColumn("mark", FLAG, restriction=("S", "R"), not_restricted=("O",)),
     TargetColumn("sealed", TEXT, restriction=("Yes, it's",))),
)  # fmt: skip
ORGS = TargetTable("orgs", ("id",), (TargetColumn("id", BIGINT), TargetColumn("secret", FLAG, restriction=("Y",))))
PLAIN = TargetTable("plain", ("id",), (TargetColumn("id", BIGINT), TargetColumn("word", TEXT)))
TARGET = Target((PEOPLE, ORGS, PLAIN))


def _read(name: str) -> ReadSpec:
    return ReadSpec(Source("old", name), f"{name}.csv", "csv", "utf-8", ",", ("NO",))


def _spec(name: str, target: str, source: str, *columns: tuple[str, str], **more: Any) -> TableSpec:
    made = tuple(ColumnSpec(column, TEXT, (origin,)) for column, origin in columns)
    return TableSpec(name, "old", target, ("NO",), (_read(source),), made, **more)


SPECS = (
    _spec("more", "people", "PERSON", ("mark", "MARK"), part="y", where="NO = 'P04' OR NO = 'P19'"),
    _spec("orgs", "orgs", "ORG", ("secret", "SECRET")),
    _spec("others", "people", "OTHER", part="x", where="NO IS NOT NULL"),
    _spec("people", "people", "PERSON", ("mark", "MARK")),
    _spec("plain", "plain", "FREE", ("word", "WORD")),
)
PERSONS = {
    1: ("P01", "O"), 2: ("P02", "S"), 3: ("P03", "o"), 4: ("P04", "R"), 5: ("P05", "O"), 6: ("P06", None),
    7: ("P06", "S"), 8: ("P08", "S"), 9: ("P09", "S"), 10: ("P10", "O"), 11: ("P11", "O"), 12: ("P12", "O"),
    13: ("P13", "S"), 14: ("P14", "O"), 15: (None, "S"), 16: (None, "O"), 17: ("P17", "S"), 18: ("P18", "?"),
    19: ("P19", "S"), 20: ("P20", "O"), 21: ("P21", "N"), 22: ("P22", "S"), 23: ("P23#", "S"),
}  # fmt: skip
"""By place in the file: key and mark. O and a blank are open, in capitals or not; N is a mark like any other."""

IN_TARGET = {
    1: "S", 3: "R", 4: "O", 5: "R", 6: "S", 9: "O", 10: "S", 11: "R", 12: "O", 14: "S", 18: None, 19: "S",
    20: "O", 21: "S", 23: "O", 30: "O", 31: "S", 40: "R",
}  # fmt: skip
"""By id: the mark. 4, 18: lost. 5: made up. 17 is not there."""


def _job(folder: Path, target: Target, specs: tuple[TableSpec, ...], **system: Any) -> World:
    systems = {"old": System("old", folder, **system)}
    url = f"sqlite:///{folder / 'target.db'}"
    settings = Settings(folder, "Northam", url, f"sqlite:///{folder / 'control.db'}", systems)
    job = Job(settings, target, specs, Ledger(settings.work), "trial-1", Silent())
    job.ledger.open_run(job.run, "test")
    engine = job.open_target()
    target.metadata().create_all(engine)
    engine.dispose()
    return World(job)


def _put(world: World, stage: str, name: str, **files: pl.DataFrame) -> None:
    world.seal(stage, name, world.batch(stage, name, files))


def _raw(world: World, source: str, columns: Sequence[str], records: Sequence[Sequence[str | None]]) -> None:
    _put(world, "extract", f"old.{source}", raw=world.raw(source, columns, records))


def _loaded(world: World, spec: str, source: str, lines: Lines) -> None:
    """Load's rows: `_key`, `_row` and `_rest` as places in the source, and the target's key."""
    full = [
        {**line, "_row": world.row(source, line["_row"]), "_rest": [world.row(source, r) for r in line["_rest"]]}
        for line in ({"_rest": [], **line} for line in lines)
    ]
    table = world.job.target.by_name[next(s.target for s in world.job.specs if s.name == spec)]
    rest = {column.name: column.type.dtype for column in table.columns}
    frame = pl.DataFrame(full, schema={**ROWS, **rest})
    _put(world, "load", spec, rows=frame)


def _insert(world: World, table: str, lines: Lines) -> None:
    engine = world.job.open_target()
    with engine.begin() as connection:
        connection.execute(sa.insert(world.job.target.metadata().tables[table]), [dict(line) for line in lines])
    engine.dispose()


def _leads(world: World, source: str, *lines: tuple[str, str, str, int]) -> pl.DataFrame:
    """Lines of the crosswalk: space, key, survivor's key, place in the source."""
    rows = [(space, key, space, survivor, world.row(source, place)) for space, key, survivor, place in lines]
    return pl.DataFrame(rows, schema=dict(CROSSWALK), orient="row")


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Twenty-three lines of people, three of another source, five of organisations, and what became of them."""
    folder = tmp_path_factory.mktemp("marked")
    world = _job(folder, TARGET, SPECS, restriction=("PERSON.MARK", "OTHER.MARK"), not_restricted=("O", ""))
    _raw(world, "PERSON", ("NO", "MARK"), list(PERSONS.values()))
    _raw(world, "OTHER", ("NO", "MARK"), [("P30", "S"), ("P31", "S"), ("P32", "O")])
    organisations = [("O1", "Y"), ("O2", "O"), ("O4", "Y"), ("O5", "Y"), ("O6", "O")]
    _raw(world, "ORG", ("NO", "SECRET"), organisations)
    _raw(world, "FREE", ("NO", "WORD"), [("F1", "S")])
    why = {"verdict": "rejected", "rule": "required"}
    gone = [{"place": place, "_key": PERSONS[place][0], **why} for place in (7, 13, 15)]
    _put(world, "transform", "people", quarantine=world.quarantine("PERSON", *gone))
    _put(world, "transform", "more", quarantine=world.quarantine("PERSON", {"place": 19, "_key": "P19#y", **why}))
    stay = {1: [2], 3: [], 4: [], 5: [], 6: [], 9: [], 10: [], 11: [], 12: [], 14: [], 17: [], 18: [], 19: [],
            20: [16], 21: [22], 23: []}  # fmt: skip
    lines = [{"_key": PERSONS[n][0], "_row": n, "_rest": rest, "person_id": n} for n, rest in stay.items()]
    _loaded(world, "people", "PERSON", lines)
    _loaded(world, "more", "PERSON", [{"_key": "P04#y", "_row": 4, "person_id": 40}])
    others = [{"_key": f"P{n}#x", "_row": n - 29, "person_id": n} for n in (30, 31)]
    _loaded(world, "others", "OTHER", others)
    _loaded(world, "orgs", "ORG", [{"_key": "O1", "_row": 1, "id": 1}, {"_key": "O2", "_row": 2, "id": 2},
                                   {"_key": "O6", "_row": 5, "id": 6}])  # fmt: skip
    _loaded(world, "plain", "FREE", [{"_key": "F1", "_row": 1, "id": 1}])
    _insert(world, "people", [{"person_id": n, "mark": mark, "sealed": None} for n, mark in IN_TARGET.items()])
    _insert(world, "orgs", [{"id": n, "secret": secret} for n, secret in ((1, "Y"), (2, "Y"), (6, "Y"))])
    _insert(world, "plain", [{"id": 1, "word": "S"}])
    same = [("old", str(PERSONS[n][0]), str(PERSONS[n][0]), n) for n in stay]
    folded = _leads(world, "PERSON", *same, ("old", "P08", "P03", 8))
    orgs = _leads(world, "ORG", *(("old/orgs", f"O{n}", f"O{n}", p) for n, p in ((1, 1), (2, 2), (6, 5))),
                  ("old/orgs", "O4", "O2", 3))  # fmt: skip
    withheld = pl.concat([_leads(world, "PERSON", ("old", "P13", "P14", 13)),
                          _leads(world, "ORG", ("old/orgs", "O5", "O6", 4))])  # fmt: skip
    spaces = pl.DataFrame([("orgs", "old/orgs")], schema=dict(SPACES), orient="row")
    _put(world, "dedupe", "crosswalk", crosswalk=pl.concat([folded, orgs]), withheld=withheld, spaces=spaces)
    for name in ("people", "orgs"):
        _put(world, "dedupe", name, golden=pl.DataFrame(schema=dict(ROWS)))
    raised = [(10, "mark", "target"), (11, "mark", "merged"), (12, "mark", "source"), (5, "mark", "lowered"),
              (19, "mark", "target"), (20, "sealed", "target"), (77, "mark", "target")]  # fmt: skip
    rows = [(None, None, str(n), column, "S", cause) for n, column, cause in raised]
    _put(world, "restriction", "people", raised=pl.DataFrame(rows, schema=dict(RAISED_ROWS), orient="row"))
    low = [f"{key},A. Owner,agreed,2026-04-01" for key in ("old:P09", "P30", "O1", "P23#")]
    (folder / "restrictions_lowered.csv").write_text("\n".join(["key,who,why,date", *low, ""]), encoding="utf-8")
    books = recount(world.job)
    yield books
    world.job.ledger.close()


def _account(books: Any, table: str, column: str) -> RestrictionAccount:
    (found,) = (a for a in books.restriction.accounts if (a.table, a.column) == (table, column))
    return found


def test_each_way_in_which_a_mark_reaches_a_person(marked: Any) -> None:
    """Marked and there: 1 by a row behind it, 3 by who was folded into it, 4, 6 by another line of its key, 14 by
    who was withheld, 18 by a mark nobody knows, 19, 21, 31, 40; 9, 23 and 30 are lowered; 10 and 11 kept."""
    account = asdict(_account(marked, "people", "mark"))
    places = account.pop("places")
    counts = [("unexplained", 1), ("loaded", 8), ("merged", 1), ("combined", 2), ("rejected", 3)]
    assert list(places.items()) == counts
    assert account == {
        "table": "people", "column": "mark", "name": "people.mark",
        "query": "SELECT count(*) FROM people WHERE mark IN ('S', 'R')",
        "expected": 12, "actual": 11, "opened": 2, "closed": 1, "kept": 2, "lowered": 3,
        "opened_ids": (4, 18), "closed_ids": (5,), "kept_ids": (10, 11),
    }  # fmt: skip


def test_each_column_that_keeps_marks_is_held_to_account(marked: Any) -> None:
    account = asdict(_account(marked, "people", "sealed"))
    del account["places"]
    assert account == {
        "table": "people", "column": "sealed", "name": "people.sealed",
        "query": "SELECT count(*) FROM people WHERE sealed IN ('Yes, it''s')",
        "expected": 11, "actual": 0, "opened": 11, "closed": 0, "kept": 1, "lowered": 3,
        "opened_ids": (1, 3, 4, 6, 14, 18, 19, 20, 21, 31, 40), "closed_ids": (), "kept_ids": (20,),
    }  # fmt: skip


def test_an_organisations_number_is_no_persons(marked: Any) -> None:
    """`O1` of people was lowered, no organisation. 2 by who was folded into it, 6 by who was withheld."""
    account = _account(marked, "orgs", "secret")
    counts = (account.expected, account.actual, account.opened, account.closed, account.kept, account.lowered)
    assert (account.name, *counts) == ("orgs", 3, 3, 0, 0, 0, 0)
    assert account.places == {"loaded": 1, "merged": 1, "unexplained": 1}
    assert [item.key for item in marked.restriction.lowered] == ["P09", "P30", "O1", "P23#"]
    assert [account.table for account in marked.restriction.accounts] == ["people", "people", "orgs"]
    assert marked.restriction.unread() == []


TWO = "SELECT p._row, list_value(o._row) AS _rest, p.NO FROM PERSON p JOIN OTHER o USING (NO)"
QUERY = "SELECT _row, NO, upper(NO) AS GIVEN, 'O' AS MARK FROM PERSON"


@pytest.mark.parametrize(
    ("system", "columns", "query", "target", "found"),
    [
        # The file's own marks, whatever the query or the spec makes of them.
        ({"restriction": ("PERSON.MARK",)}, [("mark", "MARK")], QUERY, "declared", (1, 1, [])),
        ({"restriction": ("PERSON.MARK",)}, [("mark", "LATER")], None, "declared", (1, 1, [])),
        # What a query gives, where no file has a mark: here every key counts as one.
        ({}, [("mark", "GIVEN")], QUERY, "declared", (2, 1, [])),
        ({}, [("mark", "GIVEN"), ("word", "LATER")], QUERY, "declared", (2, 1, [])),
        ({}, [("mark", "LATER")], QUERY, "declared", (0, 0, ["people"])),
        ({}, [("mark", "GIVEN"), ("sealed", "LATER")], QUERY, "declared", (0, 0, ["people"])),
        ({}, [], QUERY, "declared", (0, 0, ["people"])),
        ({"restriction": ()}, [], QUERY, "declared", (0, 0, [])),
        ({"restriction": ("PERSON.GONE",)}, [], QUERY, "declared", (0, 0, [])),
        ({}, [], None, "declared", (0, 0, ["people"])),
        ({}, [("mark", "MARK")], None, "declared", (1, 1, [])),
        ({}, [("mark", "LATER")], None, "declared", (0, 0, ["people"])),
        # Nobody has declared anything: a column of that name keeps marks, and only where a source feeds it.
        ({}, [], None, "by name", (None, 0, [])),
        ({}, [("restricted", "MARK")], None, "by name", (1, 1, [])),
        ({}, [("restricted", "GIVEN")], QUERY, "by name", (2, 1, [])),
        # The marks of the second source, whose rows stand behind.
        ({"restriction": ("OTHER.MARK",)}, [], TWO, "by name", (0, 1, [])),
        ({}, [("word", "MARK")], None, "none", (None, 0, [])),
        ({}, [("word", "MARK")], None, "another", (None, 0, [])),
        # Without a key of its own a row is marked by itself alone.
        ({"restriction": ("PERSON.MARK",)}, [], None, "keyless", (1, 1, [])),
    ],
)
def test_which_columns_say_whose_rows_are_restricted(
    system: dict[str, Any],
    columns: list[tuple[str, str]],
    query: str | None,
    target: str,
    found: tuple[int | None, int, list[str]],
    tmp_path: Path,
) -> None:
    """Of two people one is marked in the file, and loaded. How many source rows are found, how many must be
    restricted, and of which specs nobody can say."""
    key, word = PEOPLE.columns[0], TargetColumn("word", TEXT)
    keeping = {"by name": (key, TargetColumn("restricted", FLAG)), "none": (key, word), "another": (key, word)}
    people = replace(PEOPLE, columns=keeping.get(target, PEOPLE.columns))
    tables = (people, ORGS) if target == "another" else (people,)
    spec = _spec("people", "people", "PERSON", *columns, query=query)
    if query == TWO:
        spec = replace(spec, reads=(*spec.reads, _read("OTHER")))
    if target == "keyless":
        spec = replace(spec, reads=(replace(spec.reads[0], key=()),))
    world = _job(tmp_path, Target(tables), (spec,), **system)
    _raw(world, "PERSON", ("NO", "MARK"), [("P1", "Y"), ("P2", "N")])
    _raw(world, "OTHER", ("NO", "MARK"), [("P1", "Y")])
    rest = [2] if query == TWO else []
    lines = [{"_key": "P1", "_row": 1, "person_id": 1}]
    _loaded(world, "people", "PERSON", lines)
    if rest:
        behind = [world.row("OTHER", 1)]
        batch = world.job.ledger.sealed("trial-1", "load", "people", "rows")[0].read()
        _put(world, "load", "people", rows=batch.with_columns(_rest=pl.Series([behind])))
    _insert(world, "people", [{"person_id": 1}])
    books = recount(world.job)
    world.job.ledger.close()
    accounts = books.restriction.accounts
    rows = sum(accounts[0].places.values()) if accounts else None
    expected = accounts[0].expected if accounts else 0
    assert (rows, expected, books.restriction.unread()) == found
    said = [finding for finding in restricted_by_id(books) if finding.expected == "by id"]
    assert [finding.table for finding in said] == found[2]


def test_where_nothing_is_there_nobody_is_restricted(tmp_path: Path) -> None:
    """Nothing was loaded; and the target has lost the column: that the contents differ is another check's."""
    world = _job(tmp_path, TARGET, (SPECS[3],), restriction=("PERSON.MARK",))
    _raw(world, "PERSON", ("NO", "MARK"), [("P1", "Y")])
    (account, _) = recount(world.job).restriction.accounts
    assert (account.places, account.expected, account.actual) == ({"unexplained": 1}, 0, 0)
    _loaded(world, "people", "PERSON", [{"_key": "P1", "_row": 1, "person_id": 1}])
    _insert(world, "people", [{"person_id": 1}])
    world.execute("ALTER TABLE people DROP COLUMN mark")
    (account, sealed) = recount(world.job).restriction.accounts
    world.job.ledger.close()
    assert (account.expected, account.actual, sealed.expected) == (0, 0, 1)


def test_where_nobody_declared_a_value_all_is_restricted_that_is_not_plainly_open(tmp_path: Path) -> None:
    world = make_world(tmp_path, f"sqlite:///{tmp_path / 'target.db'}")
    world.execute("UPDATE persons SET restricted = '?' WHERE person_id = 13")
    (account,) = recount(world.job).restriction.accounts
    world.job.ledger.close()
    assert (account.name, account.expected, account.actual, account.closed_ids) == ("persons", 2, 3, (13,))
    assert account.query == "SELECT count(*) FROM persons WHERE restricted IN ('Y')"
    assert list(account.places.items()) == [("loaded", 1), ("merged", 1), ("held", 1)]
