"""What `linkage.toml` says is changed between two nights: it holds for everybody from the next on."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from casebridge.dedupe.scan.changes import read_table
from casebridge.dedupe.scan.config import LiveTable
from casebridge.dedupe.scan.state import read_state
from casebridge.migrate.scanning import scan_project
from casebridge.project.database import open_database
from casebridge.project.errors import CasebridgeError, SourceError
from casebridge.project.snapshot import open_snapshot
from tests.scan.live import PEOPLE, LiveRegister, make_live


def test_a_mark_of_restriction_that_is_read_elsewhere_hides_who_did_not_change(live: LiveRegister) -> None:
    assert live.shown(0)
    live.says("person.restricted,", "'Y' AS restricted,")
    night = live.scan()
    assert night.changed == 0
    assert live.shown(0) == {}
    assert live.shown(1)


def test_another_query_is_asked_of_everybody(live: LiveRegister) -> None:
    live.says("telephone.phone,", "NULL AS phone,")
    assert live.scan().changed > 60
    assert live.scan().changed == 0
    assert live.differs_from_a_full_run() == set()


def test_a_table_of_which_more_is_read_is_read_whole_once(live: LiveRegister) -> None:
    live.says('"created_on",', '"created_on", "title",')
    night = live.scan()
    assert night.changed == 0
    assert night.rows_read["dm_persons"] == night.people
    assert live.scan().rows_read["dm_persons"] < night.people


def test_other_fields_than_those_of_the_model_want_a_new_one(live: LiveRegister) -> None:
    file = live.folder / "linkage.toml"
    file.write_text(file.read_text().replace('phone       = "phone"\n', ""))
    with pytest.raises(CasebridgeError) as caught:
        live.scan()
    assert "--model new" in caught.value.hint
    assert live.scan(model="new").night == 2


def test_a_register_that_shrank_and_a_clock_that_went_back_are_told(live: LiveRegister) -> None:
    live.do(PEOPLE.delete().where(PEOPLE.c.person_id < 30))
    live.day -= dt.timedelta(days=40)
    told = live.scan()
    assert told.oldest == 0
    clock, shrank = (words for words in told.warnings if words.endswith("?") and "one value" not in words)
    assert clock == "this night is of 2026-01-22, the last one was of 2026-03-02: is the clock right?"
    assert "where it had 146: was all of it read?" in shrank


def test_a_table_that_was_renamed_is_named(live: LiveRegister) -> None:
    live.do(sa.text("ALTER TABLE dm_addresses RENAME TO addresses"))
    with pytest.raises(SourceError) as caught:
        live.scan()
    assert "has no table dm_addresses" in caught.value.message
    assert "`casebridge check`" in caught.value.hint


def test_a_change_date_in_the_future_hides_nobody(live: LiveRegister) -> None:
    live.change(11, last_updated_on=dt.datetime(2999, 1, 1))  # noqa: DTZ001 (as a register has it)
    live.scan()
    live.change(12, last_name="Otherwise")
    assert live.scan().changed == 1


def test_a_date_that_is_gone_or_to_come_hides_no_change(live: LiveRegister) -> None:
    """Of one whose date was taken away, and of one whose date is in the future, what else changed is found."""
    for person, date in ((11, None), (12, dt.datetime(2999, 1, 1))):  # noqa: DTZ001 (as a register has it)
        live.change(person, last_updated_on=date)
    assert live.scan().changed == 0
    for person, date in ((11, None), (12, dt.datetime(2999, 1, 1))):  # noqa: DTZ001
        live.change(person, last_name="Otherwise", last_updated_on=date)
    assert live.scan().changed == 2


def test_what_another_release_linked_is_linked_again_by_the_same_model(
    live: LiveRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, _ = min(live.waiting())
    live.create(person, 9001)
    before = read_state(live.folder / "work")
    told = list[str]()
    with monkeypatch.context() as patched:
        patched.setattr("casebridge.dedupe.linkage.affected.folder.code", lambda: "of another release")
        night = scan_project(live.folder, day=live.day, tell=told.append)
        assert live.differs_from_a_full_run() == set()
    assert any("another release" in line for line in told)
    assert night.changed == 1
    assert (person, 9001) in live.waiting()
    after = read_state(live.folder / "work")
    assert after.facts["whole_since"] == after.night
    assert after.facts["model_since"] == before.facts["model_since"]


def test_a_model_of_another_project_is_refused_and_nothing_of_the_night_counts(
    live: LiveRegister, tmp_path: Path
) -> None:
    """Put in its place with all that hangs on it, or alone."""
    other = make_live(tmp_path / "other", people=90)
    other.scan()
    mine, its = (read_state(one.folder / "work").linked for one in (live, other))
    assert mine is not None
    assert its is not None
    waiting = live.waiting()
    live.create(7, 9001)
    for names in (["kept-model.json"], [path.name for path in its.iterdir()]):
        for name in names:
            shutil.copy(its / name, mine / name)
        with pytest.raises(CasebridgeError) as caught:
            live.scan()
        assert "is not the one by which the last scan went" in caught.value.message
        assert "--model new" in caught.value.hint
    assert live.waiting() == waiting
    assert read_state(live.folder / "work").night == 1


def test_a_key_that_names_two_rows_loses_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/live.db"
    table = LiveTable("homes", "person", "person", ("street",), "changed")
    with open_database(url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE homes (person text, street text, changed text)")
        connection.exec_driver_sql("INSERT INTO homes VALUES ('1', 'Old Road', '2026-01-01')")
    with open_snapshot(url) as snapshot:
        before = read_table(snapshot, table, None, (), whole=False).rows
    with open_database(url).begin() as connection:
        connection.exec_driver_sql("INSERT INTO homes VALUES ('1', 'New Road', '2026-03-01')")
    with open_snapshot(url) as snapshot:
        now = read_table(snapshot, table, before, (), "2026-03-01", whole=False)
    assert set(now.rows.select("street")["street"]) == {"Old Road", "New Road"}
    assert now.people == {"1"}
