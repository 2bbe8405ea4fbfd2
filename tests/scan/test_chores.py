"""Lists that the register's tables give every night."""

from __future__ import annotations

import json
from pathlib import Path

import sqlalchemy as sa

from casebridge.migrate.live_check import check_live
from casebridge.migrate.scanning import chores_of
from casebridge.project.database import open_database
from tests.councils import casebridge
from tests.scan.live import TABLES, make_live

ADDRESSES = ", ".join(column.name for column in TABLES["addresses"].columns)


def test_staff_who_are_clients_are_listed_and_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    live = make_live(tmp_path / "project", people=60)
    with open_database(live.url).begin() as connection:
        connection.execute(TABLES["workers"].insert(), [{"id": 1, "person_id": 12}, {"id": 2, "person_id": None}])
    night = live.scan()
    assert night.chores == {"staff_as_clients": 1, "services_after_death": None, "unused_accounts": None}
    listed = casebridge("scan", "--chores", "--json", "--project", str(live.folder))
    assert json.loads(listed.stdout) == {
        "staff_as_clients": ["mosaic:12"], "services_after_death": None, "unused_accounts": None,
    }  # fmt: skip
    words = "not known: the register does not say when an account was last used"
    assert f"unused_accounts,{words}" in casebridge("scan", "--chores", "--project", str(live.folder)).stdout
    digest = (live.folder / "reports" / "scan" / "digest.txt").read_text()
    assert "mosaic:12" not in digest
    assert f"{words} (workers has no column last_sign_in)" in digest
    assert "staff as clients" in digest
    (live.folder / "no_link.csv").write_text("12\n")
    with (live.folder / "casebridge.toml").open("a") as file:
        file.write('no_link = "no_link.csv"\n')
    live.says("[scan.lookups]\n", '[scan.lookups]\nmeetings = ["id"]\n')
    night = live.scan()
    assert night.chores["staff_as_clients"] == 0
    assert (
        "scan.chores.services_after_death: there is no table care_packages; there is no table package_elements"
        in (" ".join(night.warnings))
    )
    assert not any("unused_accounts" in words for words in night.warnings)
    assert "scan.lookups.meetings: there is no table meetings" in " ".join(night.warnings)
    assert "addresses: not read" in " ".join(night.warnings)


def test_accounts_unused_for_six_months_are_listed_where_the_register_knows_of_them(tmp_path: Path) -> None:
    """The register of this council calls it otherwise, and in other capitals; keys of workers are told apart from
    those of people. The account of somebody on a no-link list is on no list, and where nobody can know whose
    one is there is no list at all."""
    live = make_live(tmp_path / "project", people=60)
    live.says("left(last_sign_in, 10)", "left(last_seen, 10)")
    live.says('"end_date", "last_sign_in"', '"end_date", "Last_Seen"')
    rows = [(1, "a", "2025-08-31", 12), (2, "b", "2025-09-03", 12), (3, None, "2020-01-01", None),
            (4, "d", None, None), (5, "e", "2025-01-01", None)]  # fmt: skip
    words = "INSERT INTO workers (id, system_user_id, last_seen, person_id) VALUES (?, ?, ?, ?)"
    with live.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE workers ADD COLUMN last_seen text")
        for row in rows:
            connection.exec_driver_sql(words, row)
        connection.exec_driver_sql("ALTER TABLE workers RENAME TO workers_of_all")
        connection.exec_driver_sql("CREATE VIEW Workers AS SELECT * FROM workers_of_all")
    night = live.scan()
    assert night.chores["unused_accounts"] == 2
    assert not any("workers" in words for words in night.warnings)
    listed = casebridge("scan", "--chores", "--json", "--project", str(live.folder))
    assert json.loads(listed.stdout)["unused_accounts"] == ["mosaic/workers:1", "mosaic/workers:5"]
    (live.folder / "no_link.csv").write_text("12\n")
    with (live.folder / "casebridge.toml").open("a") as file:
        file.write('no_link = "no_link.csv"\n')
    live.scan()
    assert chores_of(live.folder)["unused_accounts"] == ["mosaic/workers:5"]
    live.says(', people = ["person_id"] }', " }")
    night = live.scan()
    assert night.chores["unused_accounts"] is None
    told = "scan.chores.unused_accounts: nothing says whose rows are in workers, and there is a no-link list"
    assert any(words.startswith(told) for words in night.warnings)
    assert any(told in problem for problem in check_live(live.folder, []))


def test_check_tells_what_a_list_lacks_and_what_its_query_cannot_be_asked(tmp_path: Path) -> None:
    """Two lists are there by other capitals and as a draft would have it; a typo in a third is no reason to go
    without it in silence."""
    live = make_live(tmp_path / "project", people=1)
    live.says('workers = ["person_id", "end_date"]', 'WORKERS = ["persn_id", "END_DATE"]')
    found = " ".join(check_live(live.folder, []))
    assert "scan.chores.staff_as_clients.tables.WORKERS: has no column persn_id there (did you mean" in found
    assert "scan.chores.services_after_death.tables.care_packages: is no table there" in found
    assert "unused_accounts" not in found
    text = (live.folder / "linkage.toml").read_text().replace("persn_id", "person_id")
    begin, end = (text.index(f"[scan.chores.{name}]") for name in ("services_after_death", "unused_accounts"))
    (live.folder / "linkage.toml").write_text(text[:begin] + text[end:].replace("left(last", "left(lost"))
    live.do(*(sa.text(f"CREATE TABLE addresses ({columns})") for columns in [ADDRESSES]))
    (found,) = check_live(live.folder, [])
    assert found.startswith("linkage.toml: scan.chores.unused_accounts: the query fails")
