"""Marks of restriction on the way into the target: each way in which one is raised, kept or lowered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from casebridge.dedupe.review.clearance import restricted
from casebridge.load.resolution.key_map import Crosswalk
from casebridge.load.resolution.member_marks import MEMBERS, WRITTEN, members_of, own_marks, written_beside
from casebridge.load.resolution.restriction import (
    note_raised,
    raised_marks,
    standing_marks,
    strictest,
    with_raised,
    with_standing,
)
from casebridge.project.batch import Batch, digest, write_batch
from casebridge.project.contracts import CROSSWALK, ROWS, empty
from casebridge.project.identity import give_out
from casebridge.project.job import Job, Silent
from casebridge.project.ledger import Ledger
from casebridge.project.restriction import LOWERED, RAISED_ROWS
from casebridge.project.settings import Settings, System
from casebridge.project.spec import ColumnSpec, ReadSpec, Source, TableSpec
from casebridge.project.tally import Tally
from casebridge.project.target import ColumnType, Target, TargetColumn, TargetTable

BIGINT, TEXT = ColumnType("bigint"), ColumnType("text")
MARK = TargetColumn("mark", TEXT, restriction=("S", "R"), not_restricted=("O",))
SEALED = TargetColumn("sealed", ColumnType("boolean"), restriction=("true",))
TARGET = Target((
    TargetTable("people", ("id",), (TargetColumn("id", BIGINT), MARK, SEALED)),
    TargetTable("teams", ("code",), (TargetColumn("code", TEXT), MARK), natural_key=True),
    TargetTable("plain", ("id",), (TargetColumn("id", BIGINT),)),
    TargetTable("later", ("id",), (TargetColumn("id", BIGINT), MARK, SEALED)),
))  # fmt: skip


def _spec(name: str, target: str, source: str, part: str = "") -> TableSpec:
    read = ReadSpec(Source("old", source), f"{source}.csv", "csv", "utf-8", ",", ("NO",))
    where = "NO IS NOT NULL" if part else None
    return TableSpec(
        name, "old", target, ("NO",), (read,), (ColumnSpec("mark", TEXT, ("MARK",)),), part=part, where=where
    )


PEOPLE, MORE = _spec("people", "people", "PERSON"), _spec("more", "people", "PERSON", "x")
TEAMS, PLAIN = _spec("teams", "teams", "TEAM"), _spec("plain", "plain", "FREE")
LATER, OTHERS = _spec("later", "later", "LATE"), _spec("others", "people", "OTHER")

OWN = {
    1: "O", 2: "O", 3: "R", 4: "R", 5: "O", 6: "?", 7: None, 8: "S", 9: "R", 10: "O", 11: "S", 12: "O", 13: "O",
    14: "O", 15: None, 16: "O", 17: "O", 19: "O", 20: "O", 21: "O", 22: "O", 23: "O", 24: "R", 25: "O", 26: "S",
    27: "O", 28: "?", 29: "R", 30: "R",
}  # fmt: skip
"""What the spec made of each person's mark, by number. 18 did not come through."""
REST = {5: [105], 16: [116], 27: [127, 128]}
"""Rows behind a person's own."""
MARKED = {2: False, 3: False, 4: True, 105: False, 8: True, 10: False, 11: False, 14: False, 116: True, 18: False,
          19: False, 20: False, 26: True, 128: False, 29: True}  # fmt: skip
"""Source rows with a mark; whether the rows of their key are marked in more than one way."""
FOLDED = ((14, 13, 14), (16, 15, 16), (20, 19, 20), (24, 23, 24), ("10#", 13, 130))
WITHHELD = ((18, 17),)
LOW = (10, 11, 12, 19, 26, 28)
IN_TARGET = {22: "R", 7: "R", 8: "R", 9: "S", 12: "S", 24: "R", 25: "R", 26: "R", 3: "R", 29: "S"}
RAISED: dict[object, str] = {
    2: "S source", 4: "S source", 5: "S source", 6: "S source", 7: "R target", 9: "S target", 11: "O lowered",
    13: "S source", 14: "S source", 15: "S source", 16: "S source", 17: "S source", 19: "S source", 20: "S source",
    21: "R merged", 23: "S target", 25: "S merged", 26: "O lowered", 27: "S source", 28: "O lowered",
    29: "S source", 30: "O lowered", 12: "R merged", "10#": "S source",
}  # fmt: skip
"""The value that is written instead of the spec's, and why. 22 got its own by the merge; 3 and 24 are marked
enough; 10 was lowered, and 12, in the target too, but not who is folded into 12; of 19 and of who is folded into
it only 19 was. `10#` is a key of its own, which has no id yet."""
SEALED_TOO = dict.fromkeys((2, 3, 4, 5, 8, 13, 14, 15, 16, 17, 19, 20, 27, 29), "true source") | {7: "true target"}


def _id(number: int) -> str:
    """Their ids are one higher: there is a person 0."""
    return str(number + 1)


def _batch(job: Job, stage: str, name: str, kind: str, *frames: pl.DataFrame, **more: pl.DataFrame) -> list[Batch]:
    """Batches of one kind on record; with the first of them files of other kinds."""
    made = []
    for number, frame in enumerate(frames):
        inputs = digest(stage, name, kind, number)
        job.ledger.attempt(stage, name, number, inputs)
        beside = {} if number else more
        files = [write_batch(job.work, stage, name, number, what, inputs, rows)
                 for what, rows in ({kind: frame} | beside).items()]  # fmt: skip
        made.append(files[0])
        job.ledger.record(stage, name, number, inputs, files, Tally())
    job.ledger.seal(job.run, stage, name, [(batch.number, batch.inputs) for batch in made])
    return made


def _rows(*lines: tuple[object, ...], **more: pl.DataType) -> pl.DataFrame:
    return pl.DataFrame(lines, schema={**ROWS, **more}, orient="row")


def _marked(lines: dict[int, bool]) -> pl.DataFrame:
    return pl.DataFrame([*lines.items()], schema={"_row": pl.Int64, "differs": pl.Boolean}, orient="row")


def _leads(space: str, *pairs: tuple[object, object, int]) -> pl.DataFrame:
    lines = [(space, str(key), space, str(survivor), row) for key, survivor, row in pairs]
    return pl.DataFrame(lines, schema=dict(CROSSWALK), orient="row")


def _standing(marks: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame([*marks.items()], schema={"id": pl.String, "mark": pl.String}, orient="row")


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    folder = tmp_path_factory.mktemp("marks")
    low = ["old:T1", "30", *map(str, LOW)]
    lines = ["key,who,why,date", *(f"{key},A. Owner,agreed,2026-04-01" for key in low), ""]
    (folder / LOWERED).write_text("\n".join(lines), encoding="utf-8")
    settings = Settings(
        folder, "Northam", f"sqlite:///{folder / 't.db'}", "sqlite:///c.db", {"old": System("old", folder)}
    )
    job = Job(
        settings, TARGET, (LATER, MORE, OTHERS, PEOPLE, PLAIN, TEAMS), Ledger(settings.work), "trial-1", Silent()
    )
    job.ledger.open_run(job.run, "test")
    give_out(job, "people", "old", pl.Series(map(str, range(31))), "PERSON")
    give_out(job, "people", "old", pl.Series(["13#x", "30#x", "31#x"]), "PERSON")
    give_out(job, "people", "old", pl.Series(["7", "13", "18"]), "OTHER")
    people = [*((str(n), n, REST.get(n), mark) for n, mark in OWN.items()), ("10#", 130, None, "?")]
    _batch(job, "transform", "people", "clean", _rows(*people[:9], mark=pl.String()),
           _rows(*people[9:], mark=pl.String()), quarantine=_rows(("18", 18, None)))  # fmt: skip
    _batch(job, "transform", "others", "clean", _rows(("13", 213, None, "S"), mark=pl.String()))
    parts = [("13#x", 113, None, "O"), ("30#x", 30, None, "S"), ("31#x", 31, None, "O")]
    _batch(job, "transform", "more", "clean", _rows(*parts, mark=pl.String()))
    _batch(job, "transform", "old.PERSON", "marked", _marked({**MARKED, 31: False}))
    teams = [("T1", 501, None, "C1", "S"), ("T3", 503, None, "C3", None), ("T4", 504, None, "C4", "O")]
    _batch(job, "transform", "teams", "clean", _rows(*teams, code=pl.String(), mark=pl.String()))
    _batch(job, "transform", "old.TEAM", "marked", _marked({502: False}))
    _batch(job, "transform", "plain", "clean", _rows(("1", 601, None)))
    earlier = [("23", 23, _id(23), "mark", "S", "target"), ("1", 1, _id(1), "mark", "S", "source"),
               ("9", 9, _id(9), "sealed", "true", "merged"), ("12", 12, _id(12), "mark", "S", "target"),
               (None, None, "999", "mark", "S", "target")]  # fmt: skip
    before = pl.DataFrame(earlier, schema=dict(RAISED_ROWS), orient="row")
    _batch(job, "restriction", "people", "raised", before[:3], before[3:])
    yield job
    job.ledger.close()


@pytest.fixture(scope="module")
def crosswalk(job: Job) -> Crosswalk:
    folded = [
        _leads("old", *((n, n, n) for n in OWN if n not in {n for n, *_ in FOLDED}), *FOLDED),
        _leads("old/teams", ("T2", "T3", 502), ("T3", "T3", 503), ("T1", "T1", 501)),
    ]
    withheld = _leads("old", *((gone, there, gone) for gone, there in WITHHELD))
    made = _batch(job, "dedupe", "crosswalk", "crosswalk", *folded)
    gone = _batch(job, "dedupe", "withheld", "withheld", withheld)
    spaces = {"people": "old", "teams": "old/teams"}
    return Crosswalk(tuple(made), frozenset(spaces), spaces, tuple(gone))


def _golden(job: Job) -> list[Batch]:
    return _batch(job, "dedupe", "people", "golden", _rows(("22", 22, None, "S"), mark=pl.String()))


MEMBER_LINES = pl.DataFrame(
    [("21", _id(21), "mark", _id(98), "R", True), ("25", _id(25), "mark", _id(99), "S", True),
     ("12", _id(12), "mark", _id(96), "R", True), ("1", _id(1), "mark", _id(97), "S", False),
     ("1", _id(1), "mark", _id(1), "S", True)],
    schema=dict(MEMBERS), orient="row",
)  # fmt: skip
STANDING = {
    ("people", "mark"): _standing({_id(n): mark for n, mark in IN_TARGET.items()}),
    ("people", "sealed"): _standing({_id(7): "true", _id(12): "true"}),
    ("teams", "mark"): _standing({"C4": "R", "T3": "S"}),
}


def _by_column(raised: pl.DataFrame, column: str) -> dict[str, str]:
    lines = raised.filter(pl.col("column") == column)
    return {key: f"{value} {cause}" for key, value, cause in lines.select("_key", "value", "cause").iter_rows()}


def test_each_way_in_which_a_mark_is_raised_kept_or_lowered(job: Job, crosswalk: Crosswalk) -> None:
    raised = raised_marks(job, PEOPLE, crosswalk, STANDING, _golden(job), MEMBER_LINES)
    assert raised.schema == RAISED_ROWS
    assert _by_column(raised, "mark") == {str(n): what for n, what in RAISED.items()}
    assert _by_column(raised, "sealed") == {str(n): what for n, what in SEALED_TOO.items()}
    assert raised.get_column("_key").to_list() == sorted(map(str, RAISED)) + sorted(map(str, SEALED_TOO))
    place = {str(n): (n, _id(n)) for n in OWN} | {"10#": (130, None)}
    assert all(place[key] == (row, item) for key, row, item in raised.select("_key", "_row", "id").iter_rows())


def test_without_a_merge_a_record_has_its_own_mark_alone(job: Job, crosswalk: Crosswalk) -> None:
    alone = replace(crosswalk, register=frozenset(), spaces={})
    raised = raised_marks(job, PEOPLE, alone, {}, (), empty(MEMBERS))
    gone = {7, 9, 12, 13, 15, 17, 19, 21, 25}
    assert _by_column(raised, "mark") == {str(n): what for n, what in RAISED.items() if n not in gone}


def test_a_source_without_a_mark_raises_what_nobody_declared_and_no_more(job: Job, crosswalk: Crosswalk) -> None:
    spec = _spec("people", "people", "ELSE")
    raised = raised_marks(replace(job, specs=(spec,)), spec, crosswalk, {}, (), empty(MEMBERS))
    expected = {"6": "S source", "10#": "S source", **dict.fromkeys(("11", "26", "28", "30"), "O lowered")}
    assert _by_column(raised, "mark") == expected
    assert _by_column(raised, "sealed") == {}


NAMED = TargetColumn("restricted", TEXT)
OLDER = Target((TargetTable("people", ("id",), (TargetColumn("id", BIGINT), NAMED)),))


def test_where_nobody_declared_marks_each_stays_as_it_is(job: Job, crosswalk: Crosswalk) -> None:
    spec = _spec("older", "people", "PERSON")
    marks = {1: "x", 2: None, 4: "y", 9: "x", 11: "Y"}
    rows = [(str(n), n, None, mark) for n, mark in marks.items()]
    _batch(job, "transform", "older", "clean", _rows(*rows, restricted=pl.String()))
    standing = {("people", "restricted"): _standing({_id(1): "Y", _id(9): "Y"})}
    raised = raised_marks(replace(job, target=OLDER, specs=(spec,)), spec, crosswalk, standing, (), empty(MEMBERS))
    assert _by_column(raised, "restricted") == {"2": "Y source", "11": "N lowered"}
    put_back = pl.DataFrame({"_key": ["1", "2"], "id": [2, 3], "restricted": ["x", None]})
    there = [_standing({_id(1): "Y", _id(2): "Y"})]
    assert with_standing(put_back, "id", [NAMED.marks], there).get_column("restricted").to_list() == ["x", "Y"]


def test_a_second_row_of_a_record_goes_by_the_records_own_key(job: Job, crosswalk: Crosswalk) -> None:
    raised = raised_marks(job, MORE, crosswalk, {}, (), empty(MEMBERS))
    assert _by_column(raised, "mark") == {"30#x": "O lowered", "31#x": "S source"}


def test_a_register_that_is_not_of_people_has_keys_of_its_own(job: Job, crosswalk: Crosswalk) -> None:
    """A line about person T1 lowers no team's mark; a team's id is what its spec says."""
    raised = raised_marks(job, TEAMS, crosswalk, STANDING, (), empty(MEMBERS))
    assert raised.select("_key", "id", "value", "cause").rows() == [
        ("T3", "C3", "S", "source"), ("T4", "C4", "R", "target"),
    ]  # fmt: skip


def test_who_is_restricted_on_the_desk(job: Job) -> None:
    """By the record's own mark, by any row behind it, by what stood in the target, and 17 by who people said it
    is; where a person lowered a mark that the last load found in the target, from the next load on."""
    others = _leads("old/teams", (18, 1, 18))
    _batch(job, "dedupe", "crosswalk", "withheld", _leads("old", (18, 17, 18), (6, 1, 6)), others)
    everybody = [str(n) for n in range(30)]
    closed = (2, 3, 4, 5, 6, 8, 9, 12, 14, 16, 17, 20, 23, 24, 27, 29)
    assert restricted(job, PEOPLE, everybody) == {str(n) for n in closed}
    assert restricted(job, PEOPLE, ["1", "2", "17"], "old") == {"2", "17"}
    assert restricted(job, TEAMS, ["T1", "T3", "T4"], "old/teams") == {"T1"}
    assert restricted(job, TEAMS, ["T1", "T3", "T4"]) == set()
    assert restricted(job, PLAIN, ["1"]) == set()


def test_a_table_without_marks_or_rows_raises_none(job: Job, crosswalk: Crosswalk) -> None:
    for spec in (PLAIN, LATER):
        raised = raised_marks(job, spec, crosswalk, STANDING, (), empty(MEMBERS))
        assert (raised.height, raised.schema) == (0, RAISED_ROWS)


def _members(*lines: tuple[object, ...], **more: pl.DataType) -> pl.DataFrame:
    return pl.DataFrame(lines, schema={**MEMBERS, **more}, orient="row")


def test_each_record_of_a_group_has_its_own_mark(job: Job, crosswalk: Crosswalk) -> None:
    """As if none were folded: 13 had one in the target; 18 did not come through; 19 was lowered."""
    standing = {("people", "mark"): _standing({_id(13): "R", _id(20): "S", _id(3): "S"})}
    groups = ((13, 14), (15, 16), (17, 18), (19, 20))
    others = (("23", _id(23), "mark", _id(24), "R", False), ("23", _id(23), "mark", _id(23), "S", True))
    lines = [
        (str(head), _id(head), column, _id(of), mark, False)
        for head, of in groups for column, mark in (("mark", "S"), ("sealed", "true"))
    ]  # fmt: skip
    expected = _members(*lines, *others, ("13", _id(13), "mark", _id(13), "R", True)).sort(list(MEMBERS))
    assert members_of(job, PEOPLE, crosswalk, standing).equals(expected)
    standing = {("teams", "mark"): _standing({"C3": "R", "C4": "S"})}
    assert members_of(job, TEAMS, crosswalk, standing).rows() == [("T3", "C3", "mark", "C3", "R", True)]


def test_a_table_without_groups_has_no_members(job: Job, crosswalk: Crosswalk) -> None:
    nobody = replace(crosswalk, batches=(), withheld_in=())
    for spec, known in ((MORE, crosswalk), (PLAIN, crosswalk), (PEOPLE, nobody)):
        found = members_of(job, spec, known, {})
        assert (found.height, found.schema) == (0, MEMBERS)


def test_what_is_written_for_a_survivor_stands_beside_whose_marks_it_has() -> None:
    members = _members(("a", "1", "mark", "1", "R", True), ("a", "1", "sealed", "5", "true", False),
                       ("z", "9", "mark", "8", "S", False))  # fmt: skip
    found = written_beside(members, ROW_LINES)
    assert found.schema == WRITTEN
    assert found.rows() == [
        ("a", "1", "mark", "1", "R", True, "R"),
        ("a", "1", "sealed", "5", "true", False, None),
    ]
    assert written_beside(empty(MEMBERS), ROW_LINES).schema == WRITTEN


@dataclass(frozen=True)
class Stands:
    """A batch that stands in the target."""

    name: str
    target_table: str
    number: int = 0
    inputs: str = "made"


def test_taken_apart_each_record_has_what_was_its_own(job: Job, tmp_path: Path) -> None:
    """13 has what was written, so its own mark and 14's are told apart; somebody changed 15's since; of the group
    of 17 one record is delivered no more, and leaves its mark behind; 1 is in no group."""
    lines = [("13", _id(13), "mark", _id(13), "R", True, "S"), ("13", _id(13), "mark", _id(14), "S", False, "S"),
             ("15", _id(15), "mark", _id(15), "S", True, "S"), ("15", _id(15), "mark", _id(16), "R", False, "S"),
             ("17", _id(17), "mark", "998", "R", False, "S"),
             ("17", _id(17), "mark", "999", "S", False, "S"),
             ("17", _id(17), "mark", _id(18), "R", False, "S")]  # fmt: skip
    team = ("T3", "C3", "mark", "C4", "R", False, "R")
    for name, said in (("people", lines), ("teams", [team])):
        job.ledger.attempt("load", name, 0, "made")
        frames = {"rows": ROW_LINES, "member_marks": _members(*said, written=pl.String())}
        files = [write_batch(job.work, "load", name, 0, kind, "made", frame) for kind, frame in frames.items()]
        job.ledger.record("load", name, 0, "made", files, Tally())
    engine = sa.create_engine(f"sqlite:///{tmp_path / 't.db'}")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE people (id INTEGER, mark TEXT, sealed INTEGER)"))
        for number, mark in ((13, "S"), (15, "R"), (17, "S"), (1, "R"), (2, "O")):
            row = {"id": int(_id(number)), "mark": mark}
            connection.execute(sa.text("INSERT INTO people VALUES (:id, :mark, 1)"), row)
        connection.execute(sa.text("CREATE TABLE teams (code TEXT, mark TEXT)"))
        connection.execute(sa.text("INSERT INTO teams VALUES ('C3', 'R')"))
        there = [Stands("people", "people"), Stands("teams", "teams"), Stands("people", "people", number=7)]
        found = own_marks(job, connection, there)
        alone = own_marks(job, connection, [Stands("people", "plain")])
    engine.dispose()
    assert dict(found["people", "mark"].iter_rows()) == {
        _id(13): "R", _id(14): "S", _id(15): "R", _id(16): "R", _id(17): "S", _id(18): "R", _id(1): "R",
    }  # fmt: skip
    assert dict(found["teams", "mark"].iter_rows()) == {"C4": "R"}
    assert dict(found["people", "sealed"].iter_rows()) == {_id(n): "true" for n in (13, 15, 17, 1, 2)}
    assert dict(alone["people", "mark"].iter_rows()) == {_id(13): "S", _id(15): "R", _id(17): "S", _id(1): "R"}


def test_what_stands_in_the_target_is_read_as_declared(tmp_path: Path) -> None:
    """What nobody declared is the strictest mark; what is open is none."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 't.db'}")
    people = [
        (1, "S", 1),
        (2, "R", 0),
        (3, "O", None),
        (4, None, "t"),
        (5, "?", "f"),
        (6, "s", "TRUE"),
        (7, "o", "x"),
    ]
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE people (id INTEGER, mark TEXT, sealed)"))
        connection.execute(sa.text("CREATE TABLE plain (id INTEGER)"))
        connection.execute(sa.text("CREATE TABLE later (id INTEGER, sealed)"))
        for row in people:
            connection.execute(
                sa.text("INSERT INTO people VALUES (:a, :b, :c)"), dict(zip("abc", row, strict=True))
            )
        found = standing_marks(connection, TARGET)
    engine.dispose()
    assert {at: dict(frame.iter_rows()) for at, frame in found.items()} == {
        ("people", "mark"): {"1": "S", "2": "R", "5": "S", "6": "S"},
        ("people", "sealed"): {"1": "true", "4": "true", "6": "true", "7": "true"},
        ("later", "sealed"): {},
    }  # fmt: skip
    assert all(frame.schema == {"id": pl.String, "mark": pl.String} for frame in found.values())


def test_a_mark_that_nobody_declared_is_read_as_it_stands(tmp_path: Path) -> None:
    true = TargetColumn("restricted", ColumnType("boolean"))
    hidden = TargetColumn("visible", ColumnType("boolean"), restriction=("false",))
    tables = (
        TargetTable("people", ("id",), (TargetColumn("id", BIGINT), column)) for column in (NAMED, true, hidden)
    )
    text, truth, visible = (Target((table,)) for table in tables)
    engine = sa.create_engine(f"sqlite:///{tmp_path / 't.db'}")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE people (id INTEGER, restricted TEXT)"))
        connection.execute(sa.text("INSERT INTO people VALUES (1, 'Y'), (2, 'x'), (3, 'No'), (4, NULL)"))
        found = standing_marks(connection, text)
        connection.execute(sa.text("CREATE TABLE t AS SELECT 1 AS id, 1 AS restricted, 0 AS visible"))
        connection.execute(sa.text("INSERT INTO t VALUES (2, 't', 'f'), (3, 0, 1), (4, 'F', 'T')"))
        connection.execute(sa.text("DROP TABLE people"))
        connection.execute(sa.text("ALTER TABLE t RENAME TO people"))
        trues, falses = standing_marks(connection, truth), standing_marks(connection, visible)
    engine.dispose()
    assert {at: frame.rows() for at, frame in found.items()} == {
        ("people", "restricted"): [("1", "Y"), ("2", "x")]
    }
    assert trues["people", "restricted"].rows() == [("1", "true"), ("2", "true")]
    assert falses["people", "visible"].rows()[:2] == [("1", "false"), ("2", "false")]


def test_the_strictest_of_several_and_the_first_of_equals() -> None:
    lines = [
        ("1", "R", 1),
        ("2", "O", 2),
        ("1", "S", 3),
        ("3", "?", 4),
        ("3", "!", 5),
        ("1", "S", 6),
        ("2", "R", 7),
    ]
    found = strictest(MARK.marks, pl.DataFrame(lines, schema=["id", "mark", "place"], orient="row"))
    assert sorted(found.iter_rows()) == [("1", "S", 3), ("2", "R", 7), ("3", "?", 4)]
    many = pl.DataFrame({"id": ["1"] * 99, "mark": ["?"] * 99, "place": range(99)})
    assert strictest(MARK.marks, many).rows() == [("1", "?", 0)]


ROW_LINES = pl.DataFrame(
    {"_key": ["c", "a", "b", "d"], "id": [3, 1, 2, 4], "mark": ["O", "R", None, "S"],
     "sealed": [False, None, True, False], "value": ["S", "S", "S", "O"]},
)  # fmt: skip


def _raise(*lines: tuple[str, str, str]) -> pl.DataFrame:
    full = [(key, 0, "0", column, value, "source") for key, column, value in lines]
    return pl.DataFrame(full, schema=dict(RAISED_ROWS), orient="row")


def test_rows_are_written_with_their_marks_as_they_must_be() -> None:
    raised = _raise(
        ("a", "mark", "S"),
        ("b", "sealed", "false"),
        ("b", "mark", "R"),
        ("c", "sealed", "true"),
        ("z", "mark", "S"),
    )
    made = with_raised(ROW_LINES, raised)
    assert made.drop("value").rows() == [
        ("c", 3, "O", True),
        ("a", 1, "S", None),
        ("b", 2, "R", False),
        ("d", 4, "S", False),
    ]
    assert made.schema == ROW_LINES.schema
    assert made.get_column("value").equals(ROW_LINES.get_column("value"))
    assert with_raised(ROW_LINES, empty(RAISED_ROWS)).equals(ROW_LINES)
    numbers = pl.DataFrame({"_key": ["a", "b"], "mark": [0, 1]})
    assert with_raised(numbers, _raise(("a", "mark", "1"))).rows() == [("a", 1), ("b", 1)]


def test_a_row_that_is_put_back_keeps_the_stricter_mark_of_the_target() -> None:
    marks = [SEALED.marks, MARK.marks]
    there = [_standing({"3": "true", "2": "true"}), _standing({"1": "S", "4": "R", "2": "R", "9": "S"})]
    made = with_standing(ROW_LINES, "id", marks, there)
    assert made.drop("value").rows() == [
        ("c", 3, "O", True),
        ("a", 1, "S", None),
        ("b", 2, "R", True),
        ("d", 4, "S", False),
    ]
    bare = ROW_LINES.drop("sealed", "value")
    assert with_standing(bare, "id", marks, there).rows() == [
        ("c", 3, "O"),
        ("a", 1, "S"),
        ("b", 2, "R"),
        ("d", 4, "S"),
    ]


def test_what_was_raised_is_on_record_once(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []
    attempt = Ledger.attempt
    monkeypatch.setattr(Ledger, "attempt", lambda *words: (begun.append(words[1:4]), attempt(*words)))
    raised = _raise(("a", "mark", "S"))
    for _ in range(2):
        note_raised(job, "teams", raised)
        (batch,) = job.ledger.sealed(job.run, "restriction", "teams", "raised")
        assert batch.read().equals(raised)
        assert batch.path.name.startswith("00000-")
    assert begun == [("restriction", "teams", 0)]
    note_raised(job, "teams", _raise(("a", "mark", "R")))
    (batch,) = job.ledger.sealed(job.run, "restriction", "teams", "raised")
    assert batch.read().get_column("value").to_list() == ["R"]
