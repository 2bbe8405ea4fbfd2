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
    assert night.chores == {"staff_as_clients": 1, "services_after_death": None}
    listed = casebridge("scan", "--chores", "--json", "--project", str(live.folder))
    assert json.loads(listed.stdout) == {"staff_as_clients": ["mosaic:12"], "services_after_death": None}
    digest = (live.folder / "reports" / "scan" / "digest.txt").read_text()
    assert "mosaic:12" not in digest
    assert "staff as clients" in digest
    (live.folder / "no_link.csv").write_text("12\n")
    with (live.folder / "casebridge.toml").open("a") as file:
        file.write('no_link = "no_link.csv"\n')
    assert live.scan().chores["staff_as_clients"] == 0
