"""One record's journey, from a line of the dump to the report, as DESIGN tells it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from casebridge.project.database import open_database
from tests.councils import Migration, make_migration
from tests.dumps import write_dump

PEOPLE = [
    {"PI_NO": "00010427", "SURNAME": " o'brien   ", "FORENAMES": "Aoife Mary", "DOB": "00/00/1950", "SEX": "F",
     "NHS_NO": "999 000 0018", "CARESECURE_YN": "N", "CREATED_ON": "03/02/1999", "CONTEXT": "A"},
    {"PI_NO": "00010428", "SURNAME": "", "FORENAMES": "Nameless", "SEX": "M", "CARESECURE_YN": "N"},
    {"PI_NO": "00010429", "SURNAME": "Neighbour", "FORENAMES": "Next", "SEX": "2", "NHS_NO": "9990000011",
     "DOB": "29-FEB-1960", "CARESECURE_YN": ""},
    {"PI_NO": "00088213", "SURNAME": "Murphy", "FORENAMES": "Aoife", "DOB": "12-MAR-1950", "SEX": "F",
     "CARESECURE_YN": "Y"},
    {"PI_NO": "00099999", "SURNAME": "ZZTEST", "FORENAMES": "Trainer", "SEX": "U", "CARESECURE_YN": "N"},
]  # fmt: skip
NOTE = {"OBS_TYPE": "TC", "OBS_DT": "01/04/2019"}
NOTES = [
    {"OBS_NO": "1", "SEQ_NO": "2", "PI_NO": "00088213", **NOTE, "TEXT": "second"},
    {"OBS_NO": "1", "SEQ_NO": "1", "PI_NO": "00088213", **NOTE, "TEXT": "first, "},
    {"OBS_NO": "2", "SEQ_NO": "1", "PI_NO": "00010428", **NOTE, "TEXT": "child"},
    {"OBS_NO": "3", "SEQ_NO": "1", "PI_NO": "00012345", **NOTE, "TEXT": "orphan"},
]
NETWORK = [
    {"NET_NO": "1", "PI_NO": "00010427", "NET_TYPE": "MOT", "OTHER_REF": "00088213", "FROM_DT": "01/01/2000"},
    {"NET_NO": "2", "PI_NO": "00010429", "NET_TYPE": "MOT", "OTHER_REF": "00088213", "FROM_DT": "01/01/2000"},
    {"NET_NO": "3", "PI_NO": "00010429", "NET_TYPE": "MOT", "OTHER_REF": "00010427", "FROM_DT": "01/01/2000"},
]


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Migration:
    folder = tmp_path_factory.mktemp("journey")
    tables = {"CF_PERSON": PEOPLE, "CF_OBSERVATION": NOTES, "CF_NETWORK": NETWORK}
    write_dump(folder / "council" / "dump", tables)
    migration = make_migration(folder / "project", folder / "council")
    migration.run()
    decisions = folder / "decisions.csv"
    decisions.write_text(
        "left,right,verdict,reviewer,reason\n00010427,00088213,same,J. Reviewer,same mother and same number\n"
        "00010427,00088213,same,B. Second,I see the same\n"
    )
    assert migration.cli("decide", str(decisions)).returncode == 0
    done = migration.cli("run")
    assert done.returncode == 0, done.stderr
    return migration


def _rows(migration: Migration, query: str) -> list[dict[str, object]]:
    engine = open_database(migration.target)
    with engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(sa.text(query))]
    engine.dispose()
    return rows


def _dispositions(migration: Migration, source: str) -> dict[int, tuple[str, str | None]]:
    found = pl.read_parquet(migration.report_path().with_name("dispositions.parquet"))
    found = found.filter(pl.col("source") == source)
    return {line: (place, cause) for line, place, cause in found.select("line", "place", "cause").iter_rows()}


def test_each_person_row_has_its_place(journey: Migration) -> None:
    """The survivor loads, the other is merged, the nameless one is rejected, the test record left out."""
    assert _dispositions(journey, "CF_PERSON") == {
        2: ("loaded", None),
        3: ("rejected", "required"),
        4: ("loaded", None),
        5: ("merged", None),
        6: ("excluded", "test_record"),
    }


def test_the_survivor_is_repaired_completed_and_restricted(journey: Migration) -> None:
    """Blanks go, the bad date is set aside and filled from the other record, the restriction is kept."""
    [person] = _rows(journey, "SELECT * FROM dm_persons WHERE person_id_legacy = '00010427'")
    assert person["last_name"] == "o'brien"
    assert str(person["date_of_birth"])[:10] == "1950-03-12"
    assert person["restricted"] == "Y"
    assert int(str(person["nhs_id"])) == 9990000018


def test_the_folded_record_is_still_found(journey: Migration) -> None:
    """Its name is an alias of the survivor, and the crosswalk leads from its number to the survivor's id."""
    [survivor] = _rows(journey, "SELECT person_id FROM dm_persons WHERE person_id_legacy = '00010427'")
    [alias] = _rows(journey, "SELECT * FROM dm_person_names WHERE name_type = 'MERGED'")
    assert (alias["person_id"], alias["last_name"]) == (survivor["person_id"], "Murphy")
    [walk] = _rows(journey, "SELECT * FROM casebridge_crosswalk WHERE legacy_key = '00088213'")
    assert (walk["survivor_key"], walk["target_id"]) == ("00010427", survivor["person_id"])


def test_a_note_in_chunks_follows_its_person(journey: Migration) -> None:
    """Two chunks become one note of the survivor; the others take their parent's place or are orphans."""
    [note] = _rows(journey, "SELECT * FROM case_notes")
    [survivor] = _rows(journey, "SELECT person_id FROM dm_persons WHERE person_id_legacy = '00010427'")
    assert note["note"] == "first, second"
    assert note["person_id"] == survivor["person_id"]
    assert _dispositions(journey, "CF_OBSERVATION") == {
        2: ("combined", None),
        3: ("loaded", None),
        4: ("rejected", "parent"),
        5: ("rejected", "orphan"),
    }


def test_relationships_are_mirrored_once_and_never_to_oneself(journey: Migration) -> None:
    """The neighbour's two rows about one mother become one; the row between the two records is left out."""
    rows = _rows(journey, "SELECT person_id, other_person_id, relationship_code FROM dm_personal_relationships")
    assert len(rows) == 2
    assert all(row["person_id"] != row["other_person_id"] for row in rows)
    assert _dispositions(journey, "CF_NETWORK") == {
        2: ("excluded", "self_relationship_after_merge"),
        3: ("loaded", None),
        4: ("combined", None),
    }


def test_the_neighbours_mistyped_nhs_number_is_set_aside(journey: Migration) -> None:
    """The record loads without it, and the report counts it."""
    [person] = _rows(journey, "SELECT * FROM dm_persons WHERE person_id_legacy = '00010429'")
    assert person["nhs_id"] is None
    assert person["gender"] == "F"
    assert str(person["date_of_birth"])[:10] == "1960-02-29"


def test_the_books_balance(journey: Migration) -> None:
    """Unexplained is zero everywhere, and nobody's name is in the board's pack."""
    text = journey.report_path().read_text(encoding="utf-8")
    report = json.loads(text)
    assert report["verdict"] == "balanced"
    assert {row["unexplained"] for row in report["sources"] + report["targets"]} == {0}
    page = journey.report_path().with_name("report.html").read_text(encoding="utf-8")
    for name in ("brien", "Murphy", "Aoife", "9990000018"):
        assert name not in text
        assert name not in page


def test_decisions_survive_a_new_start(journey: Migration, tmp_path: Path) -> None:
    """With the work folder gone, the control database and its key alone make the same merge again."""
    project = tmp_path / "project"
    made = make_migration(project, journey.council)
    for name in ("control.db", "audit.key"):
        (project / name).write_bytes((journey.folder / name).read_bytes())
    made.run()
    assert _dispositions(made, "CF_PERSON") == _dispositions(journey, "CF_PERSON")


def test_the_control_database_is_one_file_between_commands(journey: Migration) -> None:
    """Who copies control.db copies every decision: nothing waits in a journal beside it."""
    for words in (("pairs",), ("status",), ("reconcile",)):
        assert journey.cli(*words).returncode == 0
        assert [path.name for path in journey.folder.glob("control.db*")] == ["control.db"]
