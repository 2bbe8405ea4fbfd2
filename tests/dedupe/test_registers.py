"""A register of organisations beside the one of people, with the same numbers: nothing of one is the other's."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pytest

from casebridge.dedupe.review.evidence_file import Held
from tests.dedupe.test_evidence import evidence_of
from tests.kin import LINKAGE, PERSONS, TARGET, Kin, person
from tests.staged import lay_out

SUPPLIERS = """
[suppliers]
primary_key = "supplier_id"
[suppliers.columns]
supplier_id = { type = "bigint" }
name = { type = "varchar(60)" }
number = { type = "varchar(20)" }
postcode = { type = "varchar(10)" }
owner_id = { type = "bigint", references = "suppliers" }

[orders]
primary_key = "order_id"
legacy_key = "legacy_id"
[orders.columns]
order_id = { type = "bigint" }
legacy_id = { type = "varchar(40)" }
person_id = { type = "bigint", nullable = false, references = "persons" }
supplier_id = { type = "bigint", nullable = false, references = "suppliers" }
what = { type = "varchar(10)" }
"""
SUPPLIER = """
[table]
system = "old"
source = "SUPPLIER"
target = "suppliers"
key = ["NO"]
[columns.name]
from = "NAME"
required = true
[columns.number]
from = "FINANCE"
[columns.postcode]
from = "POSTCODE"
[columns.owner_id]
from = "OWNER"
"""
ORDERS = """
[table]
system = "old"
source = "ORDER"
target = "orders"
key = ["ORDER_NO"]
once = ["person_id", "supplier_id", "what"]
[columns.person_id]
from = "NO"
required = true
[columns.supplier_id]
from = "SUPPLIER"
required = true
[columns.what]
from = "WHAT"
"""
REGISTER = """
[registers.suppliers]
kind = "organisation"
tables = ["suppliers"]
query = "SELECT _key AS id, name, number, postcode FROM suppliers"
[registers.suppliers.fields]
name = "name"
supplier_number = "number"
postcode = "postcode"
"""
RELATED = """
[registers.suppliers.related]
query = "SELECT {} FROM suppliers"
[registers.suppliers.fields]"""
WORDS = """
[registers.suppliers.evidence]
flags = "SELECT {} FROM suppliers"
[registers.suppliers.fields]"""
ROWS: Mapping[str, list[tuple[str, ...]]] = {
    "PERSON": [("NO", "NAME", "PHONE", "SECURE"), *(tuple(person(n, "Ng").values()) for n in range(1, 5))],
    "SUPPLIER": [
        ("NO", "NAME", "FINANCE", "POSTCODE", "OWNER"),
        ("1", "Tarn Lodge Care Home", "S100", "", ""), ("2", "The Tarn Lodge CH Ltd", "S200", "ZE1 1AA", "1"),
        ("3", "Beck Hill Day Centre", "S300", "ZE2 2BB", "1"), ("4", "Beck Hill Home Care", "", "", ""),
        ("5", "Moor Transport", "", "ZE3 3CC", ""),
    ],
    "ORDER": [
        ("ORDER_NO", "NO", "SUPPLIER", "WHAT"),
        ("O1", "1", "1", "meals"), ("O2", "1", "2", "meals"),  # one order, entered for both records
        ("O3", "2", "3", "meals"), ("O4", "2", "3", "meals"),  # twice, of person 2: no merge touches it
        ("O5", "3", "2", "bed"),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def kin(tmp_path_factory: pytest.TempPathFactory) -> Kin:
    """Suppliers 1 and 2 are one by the word of two reviewers, 3 and 4 wait; person 3 is protected."""
    folder = tmp_path_factory.mktemp("registers")
    persons, suppliers = TARGET.split("[relations]")[0], SUPPLIERS
    specs = {"persons": PERSONS, "suppliers": SUPPLIER, "orders": ORDERS}
    lay_out(folder, specs, target=persons + suppliers, target_url="sqlite:///target.db", batch_rows=1000)
    (folder / "linkage.toml").write_text(LINKAGE + REGISTER, encoding="utf-8")
    for name, rows in ROWS.items():
        with (folder / "dump" / f"{name}.csv").open("w", encoding="cp1252", newline="") as file:
            csv.writer(file).writerows(rows)
    made = Kin(folder, f"sqlite:///{folder / 'target.db'}")
    made.protect("3")
    words = ("--by", "Finance", "--why", "two numbers")
    for one, other in (("1", "2"), ("3", "4")):
        done = made.cli("pairs", "--ask-for", f"old/suppliers:{one}", f"old/suppliers:{other}", *words)
        assert done.returncode == 0, done.stderr
    made.run()
    return made


def _sheet(kin: Kin, *lines: str) -> Path:
    path = kin.folder / "decisions.csv"
    path.write_text("\n".join(["left,right,verdict,reviewer,reason", *lines, ""]), encoding="utf-8")
    return path


def test_nothing_of_suppliers_merges_before_people_said_so(kin: Kin) -> None:
    """And the pairs are in the list by keys that are no person's."""
    assert kin.ask("SELECT count(*) FROM suppliers") == [(5,)]
    listed = {tuple(line.split(",")[:2]) for line in kin.cli("pairs").stdout.splitlines()[1:]}
    assert {("old/suppliers:1", "old/suppliers:2"), ("old/suppliers:3", "old/suppliers:4")} <= listed
    assert all(("/" in left) == ("/" in right) for left, right in listed)


def test_what_hangs_on_a_supplier_is_counted_and_whose_it_is_is_not_told(kin: Kin) -> None:
    """An order says whose it is. A protected person's number protects no supplier."""
    people = evidence_of(kin.folder).people(["old/suppliers:1", "old/suppliers:3"], 1)
    assert [people[item].held for item in sorted(people)] == [(Held("orders", 1),), (Held("orders", 2),)]
    assert all(not one.kin and not one.clearance for one in people.values())
    pair = next(one for one in evidence_of(kin.folder).pairs(0) if one.left_id == "old/suppliers:1")
    assert (pair.kind, pair.child, pair.preflight) == ("organisation", False, "")


def test_the_work_sheet_has_words_that_fit(kin: Kin) -> None:
    path = kin.folder / "sheet.xlsx"
    assert kin.cli("pairs", "--xlsx", str(path)).returncode == 0
    header, *rows = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
    found = next(row for row in (dict(zip(header, row, strict=True)) for row in rows)
                 if row["left"] == "old/suppliers:1")  # fmt: skip
    assert (found["Name A"], found["Supplier number B"]) == ("Tarn Lodge Care Home", "S200")
    told = f"{found['why']} {found['reasons to doubt']}"
    assert "branches of one chain" in told
    assert "Two supplier numbers" in told
    assert not {"birth", "twin", "child", "person"} & set(told.casefold().replace(".", " ").split())


@pytest.mark.parametrize("other", ["2", "old:2"])
def test_no_pair_is_made_of_a_person_and_a_supplier(kin: Kin, other: str) -> None:
    done = kin.cli("decide", str(_sheet(kin, f"old/suppliers:1,{other},same,J. Reviewer,seen")))
    assert done.returncode == 2
    assert "names records of two registers" in done.stderr
    asked = kin.cli("pairs", "--ask-for", "old/suppliers:1", other, "--by", "F", "--why", "w")
    assert asked.returncode == 1
    assert "two registers" in asked.stderr


def test_suppliers_that_people_joined_become_one_and_people_with_their_numbers_stay(kin: Kin) -> None:
    """The row is merged, its orders go to the survivor, an order that a merge made double is combined, and one
    that was double before is not."""
    said = [f"old/suppliers:1,old/suppliers:2,same,{who},seen" for who in ("J. Reviewer", "B. Second")]
    assert kin.cli("decide", str(_sheet(kin, *said))).returncode == 0
    kin.run()
    assert kin.ask("SELECT name, number, postcode FROM suppliers ORDER BY name") == [
        ("Beck Hill Day Centre", "S300", "ZE2 2BB"), ("Beck Hill Home Care", None, None),
        ("Moor Transport", None, "ZE3 3CC"), ("The Tarn Lodge CH Ltd", "S200", "ZE1 1AA"),
    ]  # fmt: skip
    assert kin.places("SUPPLIER") == ["merged", "loaded", "loaded", "loaded", "loaded"]
    assert kin.places("PERSON") == ["loaded"] * 4
    assert kin.places("ORDER") == ["loaded", "combined", "loaded", "loaded", "loaded"]
    # 2 was owned by 1, and is not owned by itself now; 3 was owned by 1, and is by what 1 became.
    owned = "SELECT a.number, b.number FROM suppliers a JOIN suppliers b ON b.supplier_id = a.owner_id"
    assert kin.ask(owned) == [("S300", "S200")]
    orders = "SELECT o.legacy_id, s.number FROM orders o JOIN suppliers s USING (supplier_id) ORDER BY 1"
    assert kin.ask(orders) == [("O1", "S200"), ("O3", "S300"), ("O4", "S300"), ("O5", "S200")]
    ways = "SELECT system, legacy_key, survivor_key FROM casebridge_crosswalk WHERE legacy_key IN ('1', '2')"
    assert sorted(kin.ask(ways)) == [
        ("old", "1", "1"), ("old", "2", "2"), ("old/suppliers", "1", "2"), ("old/suppliers", "2", "2"),
    ]  # fmt: skip
    keys = kin.folder / "keys.csv"
    assert kin.cli("crosswalk", "suppliers", "--out", str(keys)).returncode == 0
    lines = [line.split(",")[:5] for line in keys.read_text(encoding="utf-8").splitlines()[1:3]]
    assert lines == [["old", "SUPPLIER", key, "old", "2"] for key in "12"]
    report = json.loads((kin.folder / "reports" / "trial-1" / "report.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "balanced"
    assert {row["source"]: row["merged"] for row in report["sources"]} == {"PERSON": 0, "SUPPLIER": 1, "ORDER": 0}


def test_suppliers_are_taken_apart_again_as_they_were(kin: Kin) -> None:
    """By a later decision: the row, its orders and what it was owned by come back, and nothing of people moves."""
    people = kin.people()
    assert (
        kin.cli("decide", str(_sheet(kin, "old/suppliers:1,old/suppliers:2,different,B. Second,two"))).returncode
        == 0
    )
    kin.run()
    assert kin.places("SUPPLIER") == ["loaded"] * 5
    owned = "SELECT a.number, b.number FROM suppliers a JOIN suppliers b ON b.supplier_id = a.owner_id ORDER BY 1"
    assert kin.ask(owned) == [("S200", "S100"), ("S300", "S100")]
    orders = "SELECT o.legacy_id, s.number FROM orders o JOIN suppliers s USING (supplier_id) ORDER BY 1"
    assert [number for _, number in kin.ask(orders)] == ["S100", "S200", "S300", "S300", "S200"]
    ways = "SELECT count(*) FROM casebridge_crosswalk WHERE legacy_key <> survivor_key"
    assert (kin.ask(ways), kin.people()) == ([(0,)], people)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'kind = "organisation"',
            'kind = "organization"',
            "no kind `organization` (did you mean `organisation`?)",
        ),
        ('name = "name"', 'nam = "name"', "fields.nam: an organisation has no such role (did you mean `name`?)"),
        ('name = "name"', 'birth_date = "name"', "fields.birth_date: an organisation has no such role"),
        ('name = "name"', 'name = ["name", "number"]', "suppliers.fields.name: must name one column of the query"),
        ('kind = "organisation"\n', "", "is a second register of people"),
        ('tables = ["suppliers"]', 'tables = ["persons"]', "`persons` is of another register too"),
        ('tables = ["suppliers"]', 'tables = ["supplier"]', "no spec `supplier` (did you mean `suppliers`?)"),
        ("[registers.suppliers.fields]", "[registers.suppliers.field]", "registers.suppliers.field: unknown key"),
        ("[registers.suppliers]", '[registers."../x"]', "registers: holds a name that cannot be one"),
        ("postcode FROM", "postcode_ FROM", "registers.suppliers.query: the query fails"),
        ("_key AS id", "_key AS key", "registers.suppliers.query: gives no column `id`"),
        (", postcode FROM", " FROM", "registers.suppliers.query: gives no column `postcode`"),
        ("[registers.suppliers.fields]", RELATED.format("_key AS left_id"), "gives no column `right_id`"),
        ("[registers.suppliers.fields]", WORDS.format("_key AS id"), "evidence.flags: gives nothing but `id`"),
    ],
)
def test_check_says_what_is_wrong_with_a_register(kin: Kin, old: str, new: str, told: str) -> None:
    path = kin.folder / "linkage.toml"
    assert old in REGISTER
    path.write_text(LINKAGE + REGISTER.replace(old, new), encoding="utf-8")
    done = kin.cli("check")
    path.write_text(LINKAGE + REGISTER, encoding="utf-8")
    assert done.returncode == 2
    assert told in " ".join(done.stdout.split())
