"""Books, controls, ids and limits that once went wrong, each with its neighbours and the right answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cases_run import CASES, Ran, case, command


def _text(name: str) -> str:
    return (CASES / name).read_text(encoding="utf-8")


def _spec(ran: Ran, name: str) -> dict[str, Any]:
    (found,) = [line for line in ran.report["specs"] if line["spec"] == name]
    return {key: value for key, value in found.items() if isinstance(value, int) and value}


def _failed(ran: Ran) -> set[str]:
    return {check["check"] for check in ran.report["checks"] if check["verdict"] == "failed"}


def _signed(folder: Path) -> Ran:
    return command(folder, "sign", "trial-1", "--by", "A. Owner", "--role", "data owner")


def _run(folder: Path, code: int = 0) -> Ran:
    ran = command(folder, "run")
    assert ran.code == code, ran.said
    return ran


# Each spec has an account of its own

PART = "part-rejections-not-in-report"


@pytest.mark.parametrize("part", ['part = "home"', ""])
@pytest.mark.parametrize(
    ("value", "rule"), [("51.12345", "decimals"), ("north", "number"), ("151123.4", "number")]
)
def test_a_part_that_is_rejected_has_its_place_and_cause(tmp_path: Path, part: str, value: str, rule: str) -> None:
    spec = _text(f"{PART}/tables/addresses.toml").replace('part = "home"', part)
    dump = _text(f"{PART}/dump/people.csv").replace("51.12345", value)
    ran = _run(case(PART, tmp_path, {"tables/addresses.toml": spec, "dump/people.csv": dump}))
    assert _spec(ran, "persons") == {"asked": 2, "loaded": 2}
    assert _spec(ran, "addresses") == {"asked": 2, "loaded": 1, "rejected": 1}
    (cause,) = next(line["causes"] for line in ran.report["specs"] if line["spec"] == "addresses")
    assert (cause["place"], cause["cause"], cause["column"], cause["rows"]) == ("rejected", rule, "lat", 1)
    page = (ran.folder / "reports/trial-1/report.html").read_text(encoding="utf-8")
    causes = page.partition('id="spec-causes"')[2].partition("</details>")[0]
    assert '<th scope="row">addresses</th>' in causes
    assert "<td>lat</td>" in causes
    assert f"{rule} (lat)" in ran.said
    assert ran.places() == {"extracted": 2, "loaded": 2}


@pytest.mark.parametrize("where", ["", 'where = "STREET IS NOT NULL"\n'])
def test_an_empty_part_is_not_asked_and_counted(tmp_path: Path, where: str) -> None:
    """Without a `where` too: the key and whose the part is say nothing of it, nor do blanks."""
    spec = _text(f"{PART}/tables/addresses.toml").replace('part = "home"\n', f'part = "home"\n{where}')
    spec = spec.replace('"STREET"', '"STREET"\nrequired = true')
    dump = "ID,NAME,STREET,LAT\n1,Ann,1 High St,51.1\n2,Bob, ,\n3,Cy,\u00a0,\n1,Ann,1 High St,51.1\n"
    ran = _run(case(PART, tmp_path, {"tables/addresses.toml": spec, "dump/people.csv": dump}))
    assert _spec(ran, "addresses") == {"asked": 2, "loaded": 1, "rejected": 1, "not_asked": 2}
    assert _spec(ran, "persons") == {"asked": 4, "loaded": 3, "rejected": 1}


def test_a_part_that_says_something_is_asked(tmp_path: Path) -> None:
    """Half a part that breaks a rule is rejected, and a word that stands for nothing says nothing."""
    spec = _text(f"{PART}/tables/addresses.toml").replace('"STREET"', '"STREET"\nrequired = true\nnull = ["-"]')
    dump = "ID,NAME,STREET,LAT\n1,Ann,1 High St,51.1\n2,Bob,,51.1\n3,Cy,-,\n"
    ran = _run(case(PART, tmp_path, {"tables/addresses.toml": spec, "dump/people.csv": dump}))
    assert _spec(ran, "addresses") == {"asked": 2, "loaded": 1, "rejected": 1, "not_asked": 1}
    assert ran.rows("SELECT street FROM addresses") == [("1 High St",)]


def test_a_part_that_is_all_there_is_of_a_source_leaves_nothing_unsaid(tmp_path: Path) -> None:
    """No other spec takes its empty rows: they are held."""
    folder = case(PART, tmp_path, {
        "dump/people.csv": "ID,NAME,STREET,LAT\n1,Ann,1 High St,51.1\n2,Bob,,\n",
        "tables/persons.toml": _text(f"{PART}/tables/persons.toml").replace('"people"', '"names"'),
        "dump/names.csv": "ID,NAME\n1,Ann\n2,Bob\n",
    })  # fmt: skip
    spec = _text(f"{PART}/tables/addresses.toml") + '[dropped]\nNAME = "in names"\n'
    (folder / "tables/addresses.toml").write_text(spec, encoding="utf-8")
    ran = _run(folder)
    assert _spec(ran, "addresses") == {"asked": 1, "loaded": 1, "not_asked": 1}
    places = {
        line["source"]: (line["loaded"], line["held"], line["unexplained"]) for line in ran.report["sources"]
    }
    assert places["people"] == (1, 1, 0)


def test_a_spec_that_loads_nothing_of_what_it_asked_is_never_balanced(tmp_path: Path) -> None:
    dump = "ID,NAME,STREET,LAT\n1,Ann,1 High St,north\n2,Bob,2 Low Rd,south\n"
    folder = case(PART, tmp_path, {"dump/people.csv": dump})
    ran = _run(folder, 6)
    assert _failed(ran) == {"specs_arrive"}
    assert ran.report["verdict"] == "not balanced"
    assert "by hand" not in ran.said
    assert "specs and code lists" in ran.said
    assert _signed(folder).code == 6


def test_a_spec_that_holds_all_says_so(tmp_path: Path) -> None:
    """And its held rows pass no limit."""
    held = '[[check]]\nrule = "whose"\nexpect = "ID IS NULL"\non_fail = "hold"\n'
    spec = _text(f"{PART}/tables/addresses.toml")
    dump = "ID,NAME,STREET,LAT\n" + "".join(f"{n},Ann,1 High St,51.1\n" for n in range(120))
    folder = case(PART, tmp_path, {"tables/addresses.toml": spec + held, "dump/people.csv": dump})
    assert "addresses: 120 of 120 rows are held (100.0 %, agreed 25.0 %)" in _run(folder, 7).said
    said = spec.replace('part = "home"', 'part = "home"\nholds_all = true')
    (folder / "tables/addresses.toml").write_text(said + held, encoding="utf-8")
    assert _spec(_run(folder), "addresses") == {"asked": 120, "held": 120}


# Limits


def test_over_a_limit_a_named_person_has_to_accept(tmp_path: Path) -> None:
    folder = case(PART, tmp_path)
    settings = folder / "casebridge.toml"
    settings.write_text(_text(f"{PART}/casebridge.toml") + "[limits]\nrejected = 0.4\n", encoding="utf-8")
    ran = _run(folder, 7)
    assert "addresses: 1 of 2 rows are rejected (50.0 %, agreed 40.0 %)" in ran.said
    assert not (folder / "target.db").exists()
    assert command(folder, "accept", "trial-1", "--by", " ", "--reason", "x").code == 1
    told = command(folder, "accept", "trial-1", "--by", "A. Owner", "--reason", "known since May")
    assert told.code == 0, told.said
    ran = _run(folder)
    (line,) = ran.report["limits"]
    assert (line["name"], line["kind"], line["rows"], line["accepted_by"]) == (
        "addresses",
        "rejected",
        1,
        "A. Owner",
    )
    page = (folder / "reports/trial-1/report.html").read_text(encoding="utf-8")
    assert "known since May" in page
    assert _signed(folder).code == 0
    signed = json.loads((folder / "reports/trial-1/signoff.json").read_text(encoding="utf-8"))
    assert signed["limits_accepted"] == [line]
    assert command(folder, "accept", "trial-1", "--by", "B", "--reason", "x").code == 1


def test_a_word_covers_no_larger_share(tmp_path: Path) -> None:
    folder = case(PART, tmp_path)
    settings = folder / "casebridge.toml"
    settings.write_text(_text(f"{PART}/casebridge.toml") + "[limits.addresses]\nrejected = 0\n", encoding="utf-8")
    _run(folder, 7)
    assert command(folder, "accept", "--by", "A. Owner", "--reason", "one").code == 0
    (folder / "dump/people.csv").write_text(
        "ID,NAME,STREET,LAT\n1,A,x,north\n2,B,y,north\n3,C,z,51.1\n", encoding="utf-8"
    )
    assert "2 of 3 rows" in _run(folder, 7).said


def test_what_load_leaves_behind_is_judged_too(tmp_path: Path) -> None:
    """Children of a parent that is not there: transform has nothing against them."""
    spec = _text(f"{PART}/tables/addresses.toml").replace('from = "ID"', 'from = "NAME"')
    folder = case(PART, tmp_path, {
        "tables/addresses.toml": spec,
        "dump/people.csv": "ID,NAME,STREET,LAT\n1,1,x,51.1\n2,9,y,51.1\n",
        "casebridge.toml": _text(f"{PART}/casebridge.toml") + "[limits.addresses]\nrejected = 0.1\n",
    })  # fmt: skip
    ran = _run(folder, 7)
    assert ran.report["verdict"] == "over the limits"
    assert _signed(folder).code == 7
    assert command(folder, "accept", "--by", "A. Owner", "--reason", "gone in May").code == 0
    assert _run(folder).report["verdict"] == "balanced"
    assert _signed(folder).code == 0


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ("[limits]\nrejectd = 0.1", "limits.rejectd: unknown key"),
        ("[limits]\nheld = 5", "limits.held: must be a share from 0 to 1"),
        ("[limits.adresses]\nheld = 0.5", "limits.adresses: no such spec or source (did you mean `addresses`?)"),
    ],
)
def test_a_wrong_limit_is_named(tmp_path: Path, limits: str, said: str) -> None:
    settings = _text(f"{PART}/casebridge.toml") + limits + "\n"
    checked = command(case(PART, tmp_path, {"casebridge.toml": settings}), "check")
    assert checked.code == 2
    assert said in checked.said


# Controls


def test_a_control_is_of_the_rows_that_pass_the_where(tmp_path: Path) -> None:
    folder = case("control-total-ignores-where", tmp_path)
    ran = _run(folder)
    totals = {line["target"]: (line["loaded"], line["in_target"]) for line in ran.report["control_totals"]}
    assert totals == {"payments": ("10.00", "10.00"), "refunds": ("3.00", "3.00")}
    assert _spec(ran, "refunds") == {"asked": 1, "loaded": 1, "not_asked": 1}
    assert _signed(folder).code == 0


def test_a_control_compares_what_a_query_computes(tmp_path: Path) -> None:
    folder = case("calculated-amount-same-name", tmp_path)
    ran = _run(folder)
    assert ran.rows("SELECT amount, status FROM totals ORDER BY 1") == [("13.00", "OPEN"), ("5.00", "SHUT")]
    (total,), (code,) = ran.report["control_totals"], ran.report["codes"]
    assert (total["loaded"], total["in_target"], total["note"]) == (
        "18.00",
        "18.00",
        "as the query of totals gives it",
    )
    assert (code["source"], code["in_target"], code["differing"]) == (2, 2, [])
    assert _spec(ran, "totals") == {"asked": 3, "loaded": 2, "combined": 1}
    assert _signed(folder).code == 0


def test_a_text_primary_key_is_refused_by_check_or_works_to_the_end(tmp_path: Path) -> None:
    checked = command(case("text-primary-key", tmp_path / "a"), "check")
    assert checked.code == 2
    assert "`people.ref` may not be empty and is not mapped" in checked.said
    spec = (CASES / "text-primary-key/tables/people.toml").read_text(encoding="utf-8")
    files = {"tables/people.toml": f'{spec}\n[columns.ref]\nfrom = "ID"\n'}
    ran = command(case("text-primary-key", tmp_path / "b", files), "run")
    assert ran.code == 0, ran.said
    assert len(ran.rows("SELECT ref, name FROM people")) == ran.places()["loaded"] == ran.places()["extracted"]


# Two sources, one target

TWO = "two-sources-one-target-same-keys"
BOTH = (
    _text(f"{TWO}/tables/deals.toml")
    .replace('from = "CUST"', 'from = "CUST"\nreferences_source = "customers"')
    .replace('from = "SUPP"', 'from = "SUPP"\nreferences_source = "suppliers"')
)


def test_check_asks_which_source_a_reference_means(tmp_path: Path) -> None:
    checked = command(case(TWO, tmp_path), "check")
    assert checked.code == 2
    assert (
        "columns.supplier_id.references_source: is missing: orgs is filled from customers and suppliers"
        in checked.said
    )


def test_equal_keys_of_two_sources_are_two_rows(tmp_path: Path) -> None:
    folder = case(TWO, tmp_path, {"tables/deals.toml": BOTH})
    ran = _run(folder)
    joined = "FROM deals d JOIN orgs c ON c.id = d.customer_id JOIN orgs s ON s.id = d.supplier_id ORDER BY d.id"
    assert ran.rows(f"SELECT c.name, s.name {joined}") == [("Acme", "Zed Ltd"), ("Bolt", "Yo plc")]
    assert ran.rows("SELECT count(*), count(DISTINCT id) FROM orgs") == [(4, 4)]
    assert {name: _spec(ran, name).get("loaded") for name in ("customers", "suppliers", "deals")} == {
        "customers": 2, "suppliers": 2, "deals": 2,
    }  # fmt: skip
    assert _signed(folder).code == 0


def test_a_source_that_fills_nothing_is_named(tmp_path: Path) -> None:
    checked = command(
        case(TWO, tmp_path, {"tables/deals.toml": BOTH.replace('"suppliers"', '"supplier"')}), "check"
    )
    assert checked.code == 2
    assert "no spec fills orgs from `supplier` (did you mean `suppliers`?)" in checked.said


# Messages


def test_a_rejected_parent_is_not_said_to_be_missing(tmp_path: Path) -> None:
    """The reference is optional: the child loads without it, and the cause is the parent's."""
    deals = BOTH.replace("[columns.customer_id]", "[columns.customer_id]\nrequired = false")
    customers = _text(f"{TWO}/tables/customers.toml") + "required = true\n"
    changed = {
        "tables/deals.toml": deals,
        "tables/customers.toml": customers,
        "dump/customers.csv": "ID,NAME\n1,\n2,B\n",
    }
    ran = _run(case(TWO, tmp_path, changed))
    aside = [(line["column"], line["rule"]) for line in ran.report["set_aside"]]
    assert aside == [("customer_id", "parent")]


# Lookups

LOOKUP = """[table]
system = "old"
target = "persons"
key = ["ID"]
consumes = ["people", "teams"]
lookups = ["teams"]
source = "SELECT p._row, p.ID, t.TEAM FROM people p LEFT JOIN teams t ON t.CODE = p.TOWN"
[read.people]
key = ["ID"]
[read.teams]
key = ["CODE"]
[columns.name]
from = "TEAM"
[dropped]
TOWN = "the code of TEAM"
NAME = "not wanted"
"""


def _joined(folder: Path, spec: str) -> Path:
    made = case("plain-and-query-on-one-source", folder, {
        "tables/persons.toml": spec,
        "dump/people.csv": "ID,NAME,TOWN\n1,Ann,L\n2,Bob,L\n3,Cy,Y\n",
        "dump/teams.csv": "CODE,TEAM\nL,Leeds\nY,York\nZ,Nobody's\n",
    })  # fmt: skip
    (made / "tables/towns.toml").unlink()
    return made


@pytest.mark.parametrize(("rest", "combined"), [("p._row,", 0), ("p._row, [t._row] AS _rest,", 2)])
def test_many_rows_join_one_of_a_lookup(tmp_path: Path, rest: str, combined: int) -> None:
    folder = _joined(tmp_path, LOOKUP.replace("p._row,", rest))
    ran = _run(folder)
    assert ran.rows("SELECT name FROM persons ORDER BY id") == [("Leeds",), ("Leeds",), ("York",)]
    teams = next(line for line in ran.report["sources"] if line["source"] == "teams")
    assert (teams["combined"], teams["excluded"], teams["unexplained"]) == (combined, 3 - combined, 0)
    assert _signed(folder).code == 0


def test_what_is_joined_and_no_lookup_needs_a_place(tmp_path: Path) -> None:
    ran = _run(_joined(tmp_path, LOOKUP.replace('lookups = ["teams"]\n', "")), 6)
    assert "rows_balance" in _failed(ran)


def test_the_table_that_leads_is_no_lookup(tmp_path: Path) -> None:
    checked = command(_joined(tmp_path, LOOKUP.replace('["teams"]', '["people"]')), "check")
    assert checked.code == 2
    assert "table.lookups: `people` is no table that the query joins" in checked.said
