"""Lists that the register's tables give every night."""

from __future__ import annotations

import json
from pathlib import Path

from casebridge.project.database import open_database
from tests.councils import casebridge
from tests.scan.live import TABLES, make_live


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
    assert words in digest
    assert "staff as clients" in digest
    (live.folder / "no_link.csv").write_text("12\n")
    with (live.folder / "casebridge.toml").open("a") as file:
        file.write('no_link = "no_link.csv"\n')
    assert live.scan().chores["staff_as_clients"] == 0


def test_accounts_unused_for_six_months_are_listed_where_the_register_knows_of_them(tmp_path: Path) -> None:
    """The register of this council calls it otherwise; keys of workers are told apart from those of people."""
    live = make_live(tmp_path / "project", people=60)
    live.says("left(last_sign_in, 10)", "left(last_seen, 10)")
    live.says('"end_date", "last_sign_in"', '"end_date", "last_seen"')
    rows = [(1, "a", "2025-08-31"), (2, "b", "2025-09-03"), (3, None, "2020-01-01"), (4, "d", None)]
    with live.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE workers ADD COLUMN last_seen text")
        for row in rows:
            connection.exec_driver_sql("INSERT INTO workers (id, system_user_id, last_seen) VALUES (?, ?, ?)", row)
    assert live.scan().chores["unused_accounts"] == 1
    listed = casebridge("scan", "--chores", "--json", "--project", str(live.folder))
    assert json.loads(listed.stdout)["unused_accounts"] == ["mosaic/workers:1"]
