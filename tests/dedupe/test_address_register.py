"""Registers of addresses in a migration: found, decided, folded, and who lives there follows."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from benchmarks.addresses import make_addresses
from casebridge.migrate.projects import init_project
from casebridge.project.toml_file import read_toml
from tests.kin import LINKAGE, PERSONS, TARGET, Kin, person
from tests.staged import lay_out

TABLES = """
[addresses]
primary_key = "id"
[addresses.columns]
id = { type = "bigint" }
line_1 = { type = "varchar(80)" }
line_2 = { type = "varchar(80)" }
line_3 = { type = "varchar(80)" }
line_4 = { type = "varchar(80)" }
post_code = { type = "varchar(16)" }
unique_id = { type = "numeric(15)" }

[addresses_people]
primary_key = "id"
legacy_key = "legacy_id"
[addresses_people.columns]
id = { type = "bigint" }
legacy_id = { type = "varchar(40)" }
person_id = { type = "bigint", nullable = false, references = "persons" }
address_id = { type = "bigint", nullable = false, references = "addresses" }
"""
HOMES = """
[table]
system = "old"
source = "HOME"
target = "addresses"
key = ["id"]
[columns.line_1]
from = "line1"
[columns.line_2]
from = "line2"
[columns.line_3]
from = "line3"
[columns.line_4]
from = "line4"
[columns.post_code]
from = "postcode"
[columns.unique_id]
from = "uprn"
[dropped]
door = "the truth"
"""
LIVES = """
[table]
system = "old"
source = "LIVES"
target = "addresses_people"
key = ["NO"]
once = ["person_id", "address_id"]
[columns.person_id]
from = "PERSON"
required = true
[columns.address_id]
from = "HOME"
required = true
"""
REGISTER = """
[registers.addresses]
kind = "address"
tables = ["homes"]
query = '''
SELECT _key AS id, line_1, line_2, line_3, line_4, post_code AS postcode, CAST(unique_id AS VARCHAR) AS uprn
FROM homes
'''
[registers.addresses.fields]
line_1 = "line_1"
line_2 = "line_2"
line_3 = "line_3"
line_4 = "line_4"
postcode = "postcode"
uprn = "uprn"
"""


@pytest.fixture(scope="module")
def kin(tmp_path_factory: pytest.TempPathFactory) -> tuple[Kin, pl.DataFrame, tuple[str, str]]:
    """A project that has run; its addresses; and two records of one address, at each of which somebody lives."""
    folder, homes = tmp_path_factory.mktemp("addresses"), make_addresses(260, seed=3)
    twice = homes.group_by("door", maintain_order=True).agg("id").filter(pl.col("id").list.len() == 2)
    one, other = twice["id"][0]
    specs = {"persons": PERSONS, "homes": HOMES, "lives": LIVES}
    target = TARGET.split("[relations]", maxsplit=1)[0] + TABLES
    lay_out(folder, specs, target=target, target_url="sqlite:///target.db", batch_rows=1000)
    (folder / "linkage.toml").write_text(LINKAGE + REGISTER, encoding="utf-8")
    homes.write_csv(folder / "dump" / "HOME.csv")
    rows = {
        "PERSON": [("NO", "NAME", "PHONE", "SECURE"), *(tuple(person(n, "Ng").values()) for n in range(1, 4))],
        "LIVES": [
            ("NO", "PERSON", "HOME"),
            ("L1", "1", one),
            ("L2", "1", other),
            ("L3", "2", other),
            ("L4", "3", "0"),
        ],
    }
    for name, lines in rows.items():
        with (folder / "dump" / f"{name}.csv").open("w", encoding="cp1252", newline="") as file:
            csv.writer(file).writerows(lines)
    made = Kin(folder, f"sqlite:///{folder / 'target.db'}")
    made.run()
    return made, homes, (one, other)


def test_doubles_wait_for_a_person_and_hardly_anything_else_does(kin) -> None:
    made, homes, _ = kin
    door = dict(homes.select("id", "door").iter_rows())
    listed = csv.DictReader(made.cli("pairs").stdout.splitlines())
    pairs = [(row["left"], row["right"]) for row in listed if row["left"].startswith("old/addresses:")]
    found = Counter(door[a.partition(":")[2]] == door[b.partition(":")[2]] for a, b in pairs)
    true = sum(n * (n - 1) // 2 for n in Counter(door.values()).values())
    assert found[True] > 0.9 * true
    assert found[False] < 0.2 * true
    assert made.ask("SELECT count(*) FROM addresses") == [(homes.height,)]


def test_who_lives_there_follows_the_address_that_is_left(kin) -> None:
    """What a merge made double is combined; the crosswalk and the books know where the record went."""
    made, homes, (one, other) = kin
    said = [f"old/addresses:{one},old/addresses:{other},same,{who},seen" for who in ("J. Reviewer", "B. Second")]
    path = made.folder / "decisions.csv"
    path.write_text("\n".join(["left,right,verdict,reviewer,reason", *said, ""]), encoding="utf-8")
    assert made.cli("decide", str(path)).returncode == 0
    made.run()
    assert made.ask("SELECT count(*) FROM addresses") == [(homes.height - 1,)]
    lived = made.ask("SELECT legacy_id, address_id FROM addresses_people ORDER BY 1")
    assert [key for key, _ in lived] == ["L1", "L3", "L4"]
    assert lived[0][1] == lived[1][1] != lived[2][1]
    assert made.places("LIVES") == ["loaded", "combined", "loaded", "loaded"]
    ways = "SELECT count(*), count(DISTINCT survivor_key) FROM casebridge_crosswalk "
    assert made.ask(f"{ways} WHERE system = 'old/addresses' AND legacy_key IN ('{one}', '{other}')") == [(2, 1)]
    report = json.loads((made.folder / "reports" / "trial-1" / "report.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "balanced"
    assert {row["source"]: row["merged"] for row in report["sources"]}["HOME"] == 1


@pytest.mark.parametrize("kept", [True, False])
def test_a_dump_without_a_list_of_doors_makes_a_project_without_their_register(tmp_path: Path, kept: bool) -> None:
    (tmp_path / "dump").mkdir()
    if kept:
        (tmp_path / "dump" / "CF_PROPERTY.csv").touch()
    init_project(tmp_path / "made", tmp_path / "dump")
    linkage = read_toml(tmp_path / "made" / "linkage.toml")
    assert set(linkage["registers"]) == ({"organisations", "addresses"} if kept else {"organisations"})
    assert linkage["scan"]["query"]
    specs = {path.stem for path in (tmp_path / "made" / "tables").iterdir()}
    assert (specs >= {"properties", "residents"}) == kept
