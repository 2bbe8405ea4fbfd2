"""Organisations: names as they are written; branches, buildings and teams are not one body; the figures."""

from __future__ import annotations

import json

import polars as pl
import pytest
from click.testing import CliRunner

from benchmarks.organisations import ROLES, make_organisations
from casebridge.dedupe.linkage import Fields, RegisterError, evaluate, link, parse_fields, read_kept
from casebridge.dedupe.linkage.comparisons import organisations
from casebridge.dedupe.linkage.comparisons.organisations import judge_names
from casebridge.dedupe.linkage.kinds.organisation import BRANCHES, TWO_CODES
from casebridge.dedupe.linkage.register.address_text import read_address_line
from casebridge.dedupe.linkage.register.organisation_names import read_organisation
from casebridge.dedupe.linkage.register.organisation_words import OrganisationWords
from casebridge.migrate.cli.link import link_register
from casebridge.project.errors import CasebridgeError

FIELDS = Fields(id="id", roles=ROLES, kind="organisation")
SUN = {
    "name": "Sunny Bank Care Home", "address": "12 Quay Street, Tarnton", "postcode": "TQ1 4AB",
    "phone": "01555 200300", "email": "info@sunnybank.example", "supplier": "S777777", "ods": "VQX01",
}  # fmt: skip
NAMES = (
    "Quill",
    "Zephyr",
    "Umber",
    "Violet",
    "Xenon",
    "Yarrow",
    "Vesper",
    "Indigo",
    "Onyx",
    "Jasper",
    "Garnet",
    "Tansy",
)
MOVED = {"address": "90 Dock Road, Netherby", "postcode": "TQ9 9ZZ"}


@pytest.fixture(scope="module")
def made() -> pl.DataFrame:
    return make_organisations(1500, seed=1)


def together(
    made: pl.DataFrame, cases: dict[str, tuple[dict[str, str | None], dict[str, str | None]]]
) -> pl.DataFrame:
    """The made register with two records of each case, under ids of its name; the pairs of the cases."""
    rows = []
    for number, (case, sides) in enumerate(cases.items()):
        for side, told in zip("ab", sides, strict=True):
            own = {k: f"{v[:-1]}{number}" if k in ("phone", "supplier") else v for k, v in SUN.items()}
            own["name"] = f"{NAMES[number]} Care Home"
            own["ods"] = None
            rows.append({"id": f"{case}/{side}", "body": -1, **own, **told})
    extra = pl.DataFrame(rows, schema=made.schema)
    found = link(pl.concat([made, extra]), FIELDS).pairs
    ends = [pl.col(end).str.split("/") for end in ("left_id", "right_id")]
    both = found.filter(ends[0].list.first() == ends[1].list.first(), pl.col("left_id").str.contains("/"))
    return both.with_columns(case=pl.col("left_id").str.split("/").list.first())


@pytest.fixture(scope="module")
def cases(made) -> dict[str, dict]:
    pairs = together(
        made,
        {
            "again": ({}, {"name": "THE QUILL CARE HOME LTD", "supplier": "S111"}),
            "branches": ({}, MOVED),
            "named branches": ({"name": "Umber Care Home (Netherby)"}, {"name": "Umber Care Home - Tarnton"}),
            "two codes": ({"ods": "VZZ11"}, {"ods": "VYY22"}),
            "one code": ({"ods": "VWW33"}, {**MOVED, "ods": "VWW33"}),
            "sorts": ({"name": "Yarrow Nursing Home"}, {"name": "Yarrow Day Centre"}),
            "numbered": ({"name": "Vesper Team 1"}, {"name": "Vesper Team 2"}),
            "floors": ({"name": "Onyx Lodge (Floor 1)"}, {"name": "Onyx Lodge (Floor 2)"}),
            "wings": ({"name": "Jasper Lodge - East Wing"}, {"name": "Jasper Lodge - West Wing"}),
            "one numbered": ({"name": "Garnet Surgery"}, {"name": "Garnet Surgery 2"}),
            "teams of one code": (
                {"name": "Tansy Team East", "ods": "VTT55"},
                {"name": "Tansy Team West", "ods": "VTT55"},
            ),
            "building": ({}, {"name": "Saffron Surgery", "phone": None, "email": None, "supplier": None}),
        },
    )
    return {row["case"]: row for row in pairs.iter_rows(named=True)}


@pytest.mark.parametrize("case", ["again", "one code"])
def test_one_body_is_put_forward(cases, case):
    assert cases[case]["zone"] == "same"


@pytest.mark.parametrize(
    "case",
    [
        "branches", "named branches", "two codes", "sorts", "numbered", "building", "floors", "wings",
        "one numbered", "teams of one code",
    ],
)  # fmt: skip
def test_what_may_be_two_bodies_is_never_joined(cases, case):
    """Where the pair is kept at all it is for a person to decide."""
    assert case not in cases or (cases[case]["zone"], cases[case]["p_same"] < 0.95) == ("review", True)


def test_figures_on_a_small_register(made):
    """Chains, shared buildings and numbered teams in it; the threshold is the engine's own."""
    found = link(made, FIELDS)
    result = evaluate(found, made, FIELDS, "body")
    assert result["proposed"]["precision"] >= 0.97
    assert result["proposed"]["recall"] >= 0.88
    assert result["same"]["precision"] >= 0.985
    assert result["same"]["recall"] >= 0.79
    assert found.model["warnings"] == []
    assert {c["relation"] for c in found.model["components"]} == {"same", "branch", "unit", "building", "chance"}


def test_a_kept_model_judges_the_same_organisations_alike(tmp_path):
    small = make_organisations(800, seed=3)
    found = link(small, FIELDS)
    assert found.kept is not None
    found.kept.save(tmp_path)
    again = link(small, FIELDS, kept=read_kept(tmp_path))
    assert again.pairs.equals(found.pairs)
    few = link(small.head(400), FIELDS, kept=read_kept(tmp_path))
    ends = ["left_id", "right_id"]
    both = few.pairs.filter(pl.col("third_record").is_null()).join(found.pairs, on=ends)
    alike = both.filter(pl.col("third_record_right").is_null())
    assert alike.height > 20
    assert alike["p_same"].to_list() == pytest.approx(alike["p_same_right"].to_list())


def test_the_command_takes_a_kind(made, tmp_path):
    made.head(300).write_csv(tmp_path / "reg.csv")
    roles = "\n".join(f'{role} = "{column}"' for role, column in ROLES.items())
    (tmp_path / "fields.toml").write_text(f'id = "id"\n[fields]\n{roles}\n')
    files = [tmp_path / name for name in ("reg.csv", "fields.toml", "out")]
    asked = [str(files[0]), "--fields", str(files[1]), "--out", str(files[2])]
    plain = CliRunner().invoke(link_register, asked)
    assert isinstance(plain.exception, CasebridgeError)
    assert "Unknown role 'name'" in str(plain.exception)
    told = CliRunner().invoke(link_register, [*asked, "--kind", "organisation", "--json"])
    assert told.exit_code == 0
    assert json.loads(told.stdout)["pairs"] > 0
    model = json.loads((tmp_path / "out" / "model.json").read_text())
    assert [c["name"] for c in model["comparisons"]][:1] == ["name"]


def test_a_kind_that_is_not_known():
    with pytest.raises(RegisterError, match="Unknown kind 'organization' \\(did you mean 'organisation'"):
        parse_fields({"id": "id", "kind": "organization", "fields": {"name": "n"}})


@pytest.mark.parametrize(
    ("left", "right", "place"),
    [
        ("HOLLY BANK CARE HOME", "CARE HOME HOLLY BANK", "SAME_WORDS"), ("HOLLYBANK", "HOLLY BANK", "SAME_WORDS"),
        ("ROYAL NATIONAL BLIND", "RNB", "SAME_WORDS"), ("HOLLY BANK", "HOLLY BANK CARE HOME", "MORE"),
        ("HOLLY BANK CARE HOME", "HOLY BANK CARE HOME", "ONE_SLIP"),
        ("HOLLY BANK CARE HOME", "HOLLY BANK DAY CENTRE", "SORT"),
        ("TARNTON TEAM 1", "TARNTON TEAM 2", "NUMBERED"), ("WARD 1", "WARD 2", "DIFFERS"),
        ("HOLLY BANK", "HOLLY BANK 2", "CLOSELY"), ("HOLLY BANK HOME 2", "HOLLY BANK TEAM", "CLOSELY"),
        ("TARNTON WARD A", "TARNTON WARD B", "NUMBERED"), ("HC ONE HOLLY BANK", "HC ONE ROSEMOUNT", "CHAIN"),
        ("HOLLY BANK CARE HOME", "OAKDENE CARE HOME", "DIFFERS"),
    ],
)  # fmt: skip
def test_names_truth_table(left, right, place):
    words = OrganisationWords([left, right], {}, 100)
    for a, b in ((left, right), (right, left)):
        assert judge_names(words, tuple(a.split()), tuple(b.split())) == getattr(organisations, place)


@pytest.mark.parametrize(
    ("text", "name", "others", "branch"),
    [
        ("Age UK", "AGE UK", (), ""), ("A & B Taxis", "A B TAXIS", (), ""),
        ("The Co-operative Group plc", "COOPERATIVE GROUP", (), ""),
        ("HC-One Ltd - Oakdene Nursing Home", "HC ONE OAKDENE NURSING HOME", (), ""),
        ("Oakdene (Nursing Home) (Leeds)", "OAKDENE NURSING HOME", (), "LEEDS"),
        ("Home Instead (formerly Oakdene Care)", "HOME INSTEAD", ("OAKDENE CARE",), ""),
        ("Smith (t/a Holly Bank)", "HOLLY BANK", ("SMITH",), ""), ("Was Care", "WAS CARE", (), ""),
        ("zzz Closed 01/02/2019 Rosemount", "ROSEMOUNT", (), ""), ("Limited", "LIMITED", (), ""),
        ("((((", "", (), ""), ("St. Cuthbert's C.I.C.", "SAINT CUTHBERTS", (), ""),
    ],
)  # fmt: skip
def test_names_as_they_are_written(text, name, others, branch):
    read = read_organisation(text)
    assert (read.name, read.others, read.branch) == (name, others, branch)


@pytest.mark.parametrize(
    ("text", "house", "street", "postcode"),
    [
        ("12 High Street, Flat 3", "3 12", "HIGH STREET", ""),
        ("Moor House 5 Park View Tarnton LS14AB", "5", "PARK VIEW", "LS1 4AB"),
        ("Town Hall, Fell Lane, Tarnton", "TOWN HALL", "FELL LANE", ""), ("Riverside", "RIVERSIDE", "", ""),
        ("12, High Street, Leeds", "12", "HIGH STREET", ""), (",", "", "", ""),
        ("12 High St. Leeds", "12", "HIGH ST", ""), ("12 St. Johns Rd., Leeds", "12", "ST JOHNS RD", ""),
        ("595 Fell Ln.  Rio Shopping Mall", "595", "FELL LN", ""),
        ("42 E. 20th St. between Park Ave. S and Broadway, New York", "42", "E 20TH ST", ""),
        ("12 High St (opp. church)", "12", "HIGH ST", ""),
        ("3125 Mill Rd, Atlanta, GA 30305", "3125", "MILL RD", "30305"),
        ("Heol y Bont, Llanelli", "", "HEOL Y BONT", ""),
        ("Ty Gwyn, Stryd Fawr, Bala", "TY GWYN", "STRYD FAWR", ""),
        ("Hauptstrasse 12, 10115 Berlin", "12", "HAUPTSTRASSE", "10115"),
        ("Kerkstraat 12-1, 1011 AB Amsterdam", "12", "KERKSTRAAT", "1011 AB"),
        ("12 rue de la Paix, 75002 Paris", "12", "RUE DE LA PAIX", "75002"),
        ("Via Roma, 10, Milano", "10", "VIA ROMA", ""),
        ("Calle Mayor 5, 3B, 28013 Madrid", "5", "CALLE MAYOR", "28013"),
        ("ul. Dluga 5/7, 00-950 Warszawa", "5", "UL DLUGA", "00-950"),
        ("Unit 5, 1200 Century Way", "5 1200", "CENTURY WAY", ""),
    ],
)  # fmt: skip
def test_addresses_of_one_line(text, house, street, postcode):
    line = read_address_line(text)
    assert (line.house, line.street, line.postcode) == (house, street, postcode)


def test_two_valid_codes_share_no_cluster_through_a_third_record():
    rows = [{**SUN, "id": str(n), "ods": code} for n, code in enumerate(("VQX01", None, "VZZ22"))]
    filler = make_organisations(400, seed=9).drop("body")
    register = pl.concat([pl.DataFrame(rows, schema=filler.schema), filler.with_columns(id="f" + pl.col("id"))])
    found = link(register, FIELDS)
    cluster = dict(found.clusters.iter_rows())
    assert cluster["0"] != cluster["2"]
    assert {TWO_CODES, BRANCHES} & set(found.cut["guard"].to_list()) or cluster["1"] not in (
        cluster["0"],
        cluster["2"],
    )
