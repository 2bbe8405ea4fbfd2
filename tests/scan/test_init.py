"""A register that never migrated with Casebridge: reflected, drafted, scanned."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks.registers import make_register
from casebridge.project.database import open_database
from tests.councils import casebridge
from tests.scan.live import fill, make_live, people_rows


def test_a_register_like_mosaic_s_is_scanned_as_it_is(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/live.db"
    fill(open_database(url), people_rows(60))
    made = casebridge("init", str(tmp_path / "project"), "--scan", url)
    assert made.returncode == 0, made.stderr
    assert "dm_persons" in made.stdout
    folder = ("--project", str(tmp_path / "project"))
    assert casebridge("check", *folder).returncode == 0
    told = casebridge("scan", *folder).stdout
    assert told.startswith("night 1 ")
    assert "organisations: 0 records" in told
    assert {"merge.toml", "target.toml"} <= {path.name for path in (tmp_path / "project").iterdir()}


@pytest.mark.parametrize("mark", ["Restricted", "Remarks"], ids=["marked", "unmarked"])
def test_another_register_gets_a_draft_from_the_names_of_its_columns(tmp_path: Path, mark: str) -> None:
    """One that keeps no marks of restriction is scanned too."""
    url = f"sqlite:///{tmp_path}/live.db"
    names = [
        "ClientRef",
        "FirstName",
        "LastName",
        "DateOfBirth",
        "Gender",
        "PostCode",
        mark,
        "LastUpdated",
    ]
    table = sa.Table(
        "Clients", sa.MetaData(), *(sa.Column(name, sa.Text, primary_key=name == "ClientRef") for name in names)
    )
    engine = open_database(url)
    with engine.begin() as connection:
        table.create(connection)
        connection.exec_driver_sql("CREATE TABLE other (id integer)")
        connection.exec_driver_sql('CREATE TABLE "Suppliers" ("No" integer PRIMARY KEY, "SupplierName" text)')
        rows = make_register(60, seed=2).select("id", "first", "last", "dob", "sex", "postcode").iter_rows()
        connection.execute(
            table.insert(), [dict(zip(names, [*row, "N", "2026-01-01"], strict=True)) for row in rows]
        )
    made = casebridge("init", str(tmp_path / "project"), "--scan", url)
    assert made.stdout.strip().endswith("people in Clients, 5 roles")
    folder = ("--project", str(tmp_path / "project"))
    assert casebridge("check", *folder).stdout == ""
    linkage = tmp_path / "project" / "linkage.toml"
    linkage.write_text(
        linkage.read_text()
        .replace("[fields]", '[fields]\nnhs_number = "NHS"')
        .replace('"PostCode"\nFROM', '"PostCode",\n    NULL AS "NHS"\nFROM')
    )
    done = casebridge("scan", *folder)
    assert done.returncode == 0, done.stderr
    assert "organisations: 0 records" in done.stdout


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (("[scan.tables.dm_addresses]", "[scan.tables.dm_adresses]"), "did you mean `dm_addresses`"),
        (('"post_code", "start_date"', '"post_kode", "start_date"'), "has no column post_kode there"),
        (("telephone.phone,", "telephone.fone,"), "scan.query: the query fails"),
        (("FROM dm_persons AS person", "FROM read_csv('/etc/passwd') AS person"), "may read the tables that"),
        (('person = "person_id"', 'person_ = "person_id"'), "unknown key"),
    ],
)  # fmt: skip
def test_check_lists_what_does_not_fit_the_register(tmp_path: Path, spoil: tuple[str, str], told: str) -> None:
    url = f"sqlite:///{tmp_path}/live.db"
    fill(open_database(url), {})
    assert casebridge("init", str(tmp_path / "project"), "--scan", url).returncode == 0
    file = tmp_path / "project" / "linkage.toml"
    file.write_text(file.read_text().replace(*spoil))
    done = casebridge("check", "--project", str(tmp_path / "project"))
    assert done.returncode == 2
    assert told in done.stdout


def test_a_register_without_people_and_one_that_is_not_there_make_no_project(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/live.db"
    with open_database(url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE other (id integer)")
    assert casebridge("init", str(tmp_path / "project"), "--scan", url).returncode == 1
    assert casebridge("init", str(tmp_path / "project"), "--scan", f"{url}.not").returncode == 3
    assert casebridge("init", str(tmp_path / "project")).returncode == 1
    assert not (tmp_path / "project").exists()


def test_a_project_that_only_scans_is_told_what_it_has_instead_of_runs(tmp_path: Path) -> None:
    live = make_live(tmp_path / "project", people=60)
    live.scan()
    for command in (("status",), ("run",)):
        done = casebridge(*command, "--project", str(live.folder))
        assert done.returncode == 1
        assert "it only scans a live register" in done.stderr
        assert "`casebridge review` opens the desk" in done.stderr


def test_pairs_of_a_scan_are_listed_and_decided_in_a_sheet(tmp_path: Path) -> None:
    live = make_live(tmp_path / "project", people=60)
    folder = ("--project", str(live.folder))
    assert "`casebridge scan` first" in casebridge("decide", str(tmp_path / "none.csv"), *folder).stderr
    live.scan()
    header, first, *rest = casebridge("pairs", *folder).stdout.splitlines()
    assert len(rest) + 1 == len(live.waiting())
    left, right, *_ = first.split(",")
    sheet = tmp_path / "sheet.csv"
    bare = right.partition(":")[2]
    sheet.write_text(f"{header.split(',p_same')[0]}\n{left},{bare},different,Jo Reviewer,not the same\n")
    taken = casebridge("decide", str(sheet), *folder)
    assert taken.stdout == "1 decisions read, 1 of them new; the next scan takes them up\n"
    assert first not in casebridge("pairs", *folder).stdout
    assert casebridge("pairs", "--xlsx", str(tmp_path / "sheet.xlsx"), *folder).returncode == 0
    assert live.scan().decided == 1
    sheet.write_text("left,right,verdict,reviewer,reason\nmosaic:1,mosaic:999,same,Jo Reviewer,seen\n")
    assert "of which no pair can be made" in casebridge("decide", str(sheet), *folder).stderr


def test_the_audit_log_of_a_project_that_only_scans_can_be_verified(tmp_path: Path) -> None:
    live = make_live(tmp_path / "project", people=60)
    live.scan()
    live.decide(*min(live.waiting()))
    verify = ("audit", "verify", "--project", str(live.folder))
    assert casebridge(*verify).stdout.startswith("the audit log is whole: 1 entries")
    with open_database(f"sqlite:///{live.folder}/control.db").begin() as connection:
        for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("UPDATE decisions SET verdict = 'same'")
    assert casebridge(*verify).returncode == 6
