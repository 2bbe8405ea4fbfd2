"""A council one would recognise: shares, families, mess; and the same seed gives the same bytes."""

from __future__ import annotations

import hashlib
import stat
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from legacy_judge import KEYS, nhs_is_wrong
from legacy_reader import Record, read_dump

from casebridge.dedupe.linkage import Fields, evaluate, link
from casebridge.synthetic import Summary, make_council
from casebridge.synthetic.codelists import CODE_LISTS
from casebridge.synthetic.dump import CHUNK
from casebridge.synthetic.writer import Writer

PEOPLE = 6_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    return make_council(tmp_path_factory.mktemp("council"), people=PEOPLE, seed=5)


@pytest.fixture(scope="module")
def people(made: Summary) -> pl.DataFrame:
    return pl.read_parquet(made.folder / "truth" / "people.parquet")


@pytest.fixture(scope="module")
def relations(made: Summary) -> pl.DataFrame:
    return pl.read_parquet(made.folder / "truth" / "relations.parquet")


@pytest.fixture(scope="module")
def tables(made: Summary) -> dict[str, list[Record]]:
    return read_dump(made.folder / "dump")


def digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(f"{path.relative_to(folder)} {path.stat().st_mode}".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def test_same_seed_same_bytes_other_seed_others(tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("one", "again", "other")}
    make_council(folders["one"], people=800, seed=3)
    make_council(folders["again"], people=800, seed=3)
    make_council(folders["other"], people=800, seed=4)
    assert digest(folders["one"]) == digest(folders["again"])
    assert digest(folders["one"]) != digest(folders["other"])


def test_an_existing_dump_is_never_written_over(tmp_path: Path) -> None:
    make_council(tmp_path, people=500)
    with pytest.raises(FileExistsError):
        make_council(tmp_path, people=500)


def test_people_are_person_rows_and_rows_follow(made: Summary, tables: dict[str, list[Record]]) -> None:
    assert abs(made.rows["CF_PERSON"] - PEOPLE) <= PEOPLE / 100
    assert 14.5 <= made.total / PEOPLE <= 17
    assert {name: len(records) for name, records in tables.items()} == made.rows


@pytest.mark.parametrize(("people", "records"), [(3_000, 30_000), (2_000, 60_000), (1_000, 200_000)])
def test_a_total_of_records_can_be_asked_for(tmp_path: Path, people: int, records: int) -> None:
    made = make_council(tmp_path, people=people, records=records)
    assert abs(made.total / records - 1) < 0.05


def test_several_chunks_share_no_key_and_no_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casebridge.synthetic.dump.CHUNK", 1_000)
    told: list[tuple[str, int]] = []
    make_council(tmp_path, people=3_000, progress=lambda step, done: told.append((step, done)))
    assert told == [("people", 1_000), ("people", 2_000), ("people", 3_000), ("truth", 3_000)]
    dispositions = pl.read_parquet(tmp_path / "truth" / "dispositions.parquet")
    once = dispositions.filter(pl.col("key").is_not_null(), pl.col("cause").ne_missing("duplicate_key"))
    assert once.select("source", "key").is_unique().all()
    people = pl.read_parquet(tmp_path / "truth" / "people.parquet")
    assert people.select("person", "copy").is_unique().all()
    assert CHUNK > 1_000


def test_duplicates_are_a_tenth_of_the_rows(people: pl.DataFrame) -> None:
    copies = people.filter(pl.col("copy") > 0)
    assert 0.08 <= len(copies) / len(people) <= 0.13
    assert people["pi_no"].is_unique().all()
    assert people["copy"].max() >= 2  # type: ignore[operator]  # three rows for one human being
    assert {error for errors in copies["errors"] for error in errors} >= {
        "surname_typo", "forename_typo", "surname_phonetic", "nickname", "maiden_name", "initial",
        "middle_dropped", "day_month_swapped", "dob_digit", "wrong_century", "default_date", "nhs_missing",
        "nhs_mistyped", "moved_house", "unborn_record",
    }  # fmt: skip


def test_one_birth_in_seventy_is_twins(tmp_path: Path) -> None:
    made = make_council(tmp_path, people=30_000, records=220_000)
    relations = pl.read_parquet(made.folder / "truth" / "relations.parquet")
    twins = relations.filter(pl.col("kind") == "twin")
    born = relations.filter(pl.col("kind").is_in(["sibling", "twin"])).select("person_a", "person_b")
    children = set(born["person_a"]) | set(born["person_b"])
    only = relations.filter(pl.col("kind") == "parent")["person_b"].n_unique()
    maternities = max(len(children), only) - len(twins)
    assert 0.01 <= len(twins) / maternities <= 0.02


def test_twins_have_names_of_their_own(
    tables: dict[str, list[Record]], people: pl.DataFrame, relations: pl.DataFrame
) -> None:
    rows = {record.fields["PI_NO"]: record.fields for record in tables["CF_PERSON"] if record.fields}
    first = dict(people.filter(pl.col("copy") == 0).select("person", "pi_no").iter_rows())
    twins = relations.filter(pl.col("kind") == "twin").select("person_a", "person_b").iter_rows()
    pairs = [(rows.get(first[a]), rows.get(first[b])) for a, b in twins]
    named = [(one, other) for one, other in pairs if one and other and one["DOB"].strip() and other["DOB"].strip()]
    assert named
    assert all(one["FORENAMES"].upper().split() != other["FORENAMES"].upper().split() for one, other in named)


def test_relations_are_of_every_kind(relations: pl.DataFrame) -> None:
    kinds = {"twin", "sibling", "parent", "partner", "foster_carer", "carer", "household"}
    assert set(relations["kind"]) == kinds
    assert (relations["person_a"] != relations["person_b"]).all()


def test_nothing_links_the_two_records_of_an_adopted_child(
    made: Summary, people: pl.DataFrame, relations: pl.DataFrame, tables: dict[str, list[Record]]
) -> None:
    path = made.folder / "truth" / "adopted.parquet"
    protected = made.folder / "dump" / "protected" / "NO_LINK.csv"
    adopted = pl.read_parquet(path)
    assert len(adopted) >= 2
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(protected.stat().st_mode) == 0o600
    assert protected.read_text().split() == ["PI_NO", *adopted["old_pi_no"]]
    person = dict(people.select("pi_no", "person").iter_rows())
    rows = {record.fields["PI_NO"]: record.fields for record in tables["CF_PERSON"] if record.fields}
    ties = {frozenset(pair) for pair in relations.select("person_a", "person_b").iter_rows()}
    tied = {(row.fields["PI_NO"], row.fields["OTHER_REF"]) for row in tables["CF_NETWORK"] if row.fields}
    for old, new in adopted.iter_rows():
        assert person[old] != person[new]
        assert frozenset((person[old], person[new])) not in ties
        assert (old, new) not in tied
        assert (new, old) not in tied
        if old in rows and new in rows:
            assert rows[old]["CARESECURE_YN"] == "Y" != rows[new]["CARESECURE_YN"]
            assert not rows[old]["NHS_NO"] or rows[old]["NHS_NO"] != rows[new]["NHS_NO"]


def test_the_mess_is_there(made: Summary) -> None:
    dump = made.folder / "dump"
    notes, persons = (dump / "CF_OBSERVATION.csv").read_bytes(), (dump / "CF_PERSON.csv").read_bytes()
    payments = (dump / "CF_PAYMENT.csv").read_bytes()
    assert b"\x92" in notes, "a typographic apostrophe of CP1252"
    assert b"\xa3" in payments, "a pound sign"
    assert b'"1,' in payments
    assert b"\x00" in persons
    for mark in (b"/4712", b"/9999", b"06/06/2079", b"-JAN-", b" 00:00:00"):
        assert any(mark in path.read_bytes() for path in dump.glob("CF_*.csv")), mark
    assert b"   ," in persons, "CHAR padding"
    assert b'""' in notes
    assert b'4" gap' in notes.replace(b'""', b"'"), "a quote inside a field that nobody quoted"


def test_nhs_numbers_are_test_numbers_of_one_person_each(
    tables: dict[str, list[Record]], people: pl.DataFrame
) -> None:
    person = dict(people.select("pi_no", "person").iter_rows())
    owners: dict[str, set[int]] = {}
    rows = {record.fields["PI_NO"]: record.fields for record in reversed(tables["CF_PERSON"]) if record.fields}
    for pi_no, row in rows.items():
        number = row["NHS_NO"].replace(" ", "").replace("-", "")
        if number and not nhs_is_wrong(number):
            assert number.startswith("999")
            owners.setdefault(number, set()).add(person[pi_no])
    assert all(len(owner) == 1 for owner in owners.values())
    assert 0.4 < len(owners) / people["person"].n_unique() < 0.6


def test_codes_are_those_of_the_lists(tables: dict[str, list[Record]]) -> None:
    listed = {(name.upper(), code.code) for name, codes in CODE_LISTS.items() for code in codes}
    told = {(record.fields["DOMAIN"], record.fields["CODE"]) for record in tables["CF_CODE"]}
    assert told == listed
    reused = Counter((row.fields["DOMAIN"], row.fields["CODE"]) for row in tables["CF_CODE"])
    assert [key for key, count in reused.items() if count > 1] == [
        ("OBSERVATION_TYPE", "HV"),
        ("OBSERVATION_TYPE", "CR"),
    ]


def test_keys_have_no_bar_and_a_fixed_width(tables: dict[str, list[Record]]) -> None:
    for source, records in tables.items():
        if source in ("documents", "CF_CODE"):
            continue
        for name in KEYS[source]:
            keys = {record.fields[name].strip() for record in records if record.fields}
            assert len({len(key) for key in keys}) == 1
            assert all(key.isdigit() for key in keys)


def test_workers_who_are_clients_bear_the_clients_name(tables: dict[str, list[Record]]) -> None:
    rows = {record.fields["PI_NO"]: record.fields for record in tables["CF_PERSON"] if record.fields}
    both = [record.fields for record in tables["CF_WORKER"] if record.fields and record.fields["PI_NO"].strip()]
    known = [(row, rows[row["PI_NO"]]) for row in both if row["PI_NO"] in rows]
    assert len(known) >= 3
    for worker, client in known:
        assert worker["SURNAME"].strip().upper() == client["SURNAME"].strip().upper().replace("\u2019", "'")


def test_suppliers_entered_again_are_found(made: Summary, tables: dict[str, list[Record]]) -> None:
    """One in eight suppliers stands in the finance sheet twice; the truth says which, and linkage finds them.
    Without an address none is joined by itself."""
    truth = pl.read_parquet(made.folder / "truth" / "organisations.parquet")
    again = truth.filter(pl.col("ORG_NO") != pl.col("organisation"))
    assert 3 <= again.height <= truth.height / 6
    assert again["errors"].list.len().sum() > again.height / 2
    sheet = pl.DataFrame([record.fields for record in tables["CF_ORG"]]).unique("ORG_NO", keep="first")
    register = sheet.join(truth.with_columns(ORG_NO=pl.col("ORG_NO").cast(pl.String)), on="ORG_NO")
    assert register.height == truth.height
    fields = Fields(
        "ORG_NO", {"name": "NAME", "supplier_number": "FINANCE_REF"}, {"sort": "ORG_TYPE"}, kind="organisation"
    )
    found = link(register, fields)
    judged = evaluate(found, register, fields, "organisation")
    assert max(line["recall"] for line in judged["by_threshold"] if line["precision"] >= 0.9) >= 0.9
    assert "same" not in found.pairs["zone"].to_list()
    assert any("No address" in warning for warning in found.model["warnings"])


def test_doors_entered_again_are_found_and_no_two_are_one(made: Summary, tables: dict[str, list[Record]]) -> None:
    """One door in seven stands in the list of properties twice; flats, rooms and 12a beside 12 are doors of their
    own."""
    truth = pl.read_parquet(made.folder / "truth" / "properties.parquet")
    rows = pl.DataFrame([record.fields for record in tables["CF_PROPERTY"]])
    register = rows.join(truth.with_columns(PROP_NO=pl.col("PROP_NO").cast(pl.String)), on="PROP_NO")
    assert register.height == truth.height
    assert (truth["PROP_NO"] != truth["property"]).sum() > truth.height / 10
    roles = {"flat": "SUB_NO", "building": "BUILDING", "house": "NUMBER", "street": "STREET", "town": "TOWN",
             "postcode": "POSTCODE", "uprn": "UPRN"}  # fmt: skip
    fields = Fields("PROP_NO", roles, kind="address")
    judged = evaluate(link(register, fields), register, fields, "property")
    assert judged["same"]["precision"] == 1
    assert judged["proposed"]["f1"] > 0.9


def test_a_record_torn_in_a_free_text_has_one_line_more(tmp_path: Path) -> None:
    """The manifest counts lines; a record of several lines that is torn has one more than it had."""
    writer = Writer(tmp_path)
    frame = pl.DataFrame(
        {"NO": ["1", "2", "3"], "TEXT": ["8\r\n7.99", '"a\r\nb"', "c"], "END": ["x", "y\r\nz", "w"]}
    )
    torn = np.array([True, True, False])
    assert writer.append("CF_INVOICE", frame, torn, ("TEXT",)).tolist() == [2, 4, 7]
    writer.files["CF_INVOICE"].close()
    assert (tmp_path / "dump" / "CF_INVOICE.csv").read_bytes().count(b"\n") == writer.files["CF_INVOICE"].lines
