"""What a login may not read, or what is gone or written in other capitals: told, and nothing else goes with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from casebridge.migrate.live_check import check_live
from casebridge.project.errors import SourceError
from tests.scan.live import make_live


def test_a_night_goes_on_without_what_it_may_not_read_and_says_so(postgres_url: str, tmp_path: Path) -> None:
    live = make_live(tmp_path / "project", postgres_url, people=60)
    live.says(
        'key = "person_id"\nperson = "person_id"\ncolumns = [\n',
        'key = "PERSON_ID"\nperson = "PERSON_ID"\ncolumns = [\n',
    )
    live.says("[scan.tables.dm_addresses]", "[scan.tables.DM_Addresses]")
    live.do(
        sa.text("CREATE TABLE addresses (id int)"),
        sa.text("DROP ROLE IF EXISTS scan_reader"),
        sa.text("CREATE ROLE scan_reader LOGIN PASSWORD 'x'"),
        sa.text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO scan_reader"),
        sa.text("REVOKE SELECT ON workers FROM scan_reader"),
        sa.text("ALTER TABLE organisations DROP COLUMN finance_reference"),
    )
    url = live.engine.url.set(username="scan_reader", password="x").render_as_string(hide_password=False)
    (live.folder / "casebridge.toml").write_text(f'[scan]\nurl = "{url}"\n')
    try:
        found = " ".join(check_live(live.folder, []))
        night = live.scan()
        live.change(7, last_name="Elsewhere")
        assert live.scan().changed == 1
        live.do(sa.text("REVOKE SELECT ON people_workers FROM scan_reader"))
        with pytest.raises(SourceError, match="permission denied for table people_workers"):
            live.scan()
        live.do(sa.text("ALTER TABLE people_workers DROP COLUMN end_date"))
        with pytest.raises(SourceError, match="people_workers has no column end_date") as caught:
            live.scan()
        assert "mend scan.tables in linkage.toml" in caught.value.hint
    finally:
        live.do(sa.text("DROP OWNED BY scan_reader"), sa.text("DROP ROLE scan_reader"))
        live.engine.dispose()
    told = " ".join(night.warnings)
    assert "scan.chores.staff_as_clients: permission denied for table workers: this list was not made" in told
    assert (
        "scan.lookups.workers: permission denied for table workers: teams that it would tell are not known" in told
    )
    assert "organisations: not read: organisations has no column finance_reference" in told
    assert night.people > 60
    assert night.new > 0
    assert "finance_reference" in found
    assert "PERSON_ID" not in found


def test_a_person_without_a_key_is_refused_on_every_night(tmp_path: Path) -> None:
    """Not on the first night alone: whoever it is would be passed over from then on."""
    live = make_live(tmp_path / "project", people=40)
    live.scan()
    live.do(
        sa.text("ALTER TABLE dm_persons RENAME TO persons_kept"),
        sa.text("CREATE TABLE dm_persons AS SELECT * FROM persons_kept"),
        sa.text("INSERT INTO dm_persons (first_name, last_name) VALUES ('Ann', 'Keyless')"),
    )
    with pytest.raises(SourceError, match="dm_persons: 1 of its rows have no person_id"):
        live.scan()
    live.do(sa.text("DROP TABLE dm_persons"), sa.text("ALTER TABLE persons_kept RENAME TO dm_persons"))
    assert live.scan().changed == 0
    live.engine.dispose()
