"""Addresses: as they are written; two doors are two; registers with their truth; what is no address."""

from __future__ import annotations

import re

import polars as pl
import pytest

from benchmarks.addresses import ROLES, make_addresses
from casebridge.dedupe.linkage import Fields, RegisterError, evaluate, link
from casebridge.dedupe.linkage.register.uk_address import read_uk_address

FIELDS = Fields(id="id", roles=ROLES, kind="address")
TEXT = Fields(id="id", roles={"address": "address"}, kind="address")


@pytest.fixture(scope="module")
def made() -> pl.DataFrame:
    return make_addresses(1500, seed=1)


@pytest.fixture(scope="module")
def zones(made) -> dict[str, str]:
    """The zone of two records of each case beside a made-up register; "apart" for a pair that is not kept."""
    rows = []
    for number, (case, sides) in enumerate(CASES.items()):
        for side, told in zip("ab", sides, strict=True):
            lines = [part.strip() for part in told.split(" / ") if part.strip()]
            uprn = lines.pop().removeprefix("U") if lines[-1].startswith("U") else None
            code = lines.pop() if lines[-1].startswith("ZZ") else f"ZE{number + 1} 4AB"
            lines = [re.sub("quay", STREETS[number], line, flags=re.IGNORECASE) for line in lines]
            shown = [*lines, *[None] * (4 - len(lines))]
            rows.append(
                {
                    "id": f"{case}@{side}",
                    "door": -1,
                    **dict(zip(list(ROLES.values())[:4], shown, strict=True)),
                    "postcode": code.replace("ZZ", f"ZE{number + 1}").strip() or None,
                    "uprn": uprn,
                }
            )
    pairs = link(pl.concat([made, pl.DataFrame(rows, schema=made.schema)]), FIELDS).pairs
    ends = [pl.col(end).str.split("@") for end in ("left_id", "right_id")]
    own = pairs.filter(ends[0].list.first() == ends[1].list.first(), pl.col("left_id").str.contains("@"))
    found = {left.split("@")[0]: zone for left, zone in own.select("left_id", "zone").iter_rows()}
    return dict.fromkeys(CASES, "apart") | found


STREETS = ("Quill", "Zephyr", "Umber", "Violet", "Xenon", "Yarrow", "Vesper", "Indigo", "Onyx", "Jasper", "Garnet",
    "Tansy", "Cobalt", "Saffron", "Topaz", "Amber", "Ochre", "Sorrel", "Madder", "Woad")  # fmt: skip
CASES = {
    "again": ("12 Quay Street / Tarnton", "12 QUAY ST. / TARNTON"),
    "flat again": ("Flat 2, Moor House / 12 Quay Street / Tarnton", "Apt 2 / Moor Hse, 12 Quay St / Tarnton"),
    "lines turned": ("12 Quay Street / Flat 2 / Tarnton", "Flat 2 / 12 Quay Street / Tarnton"),
    "tenement": ("2/1 / 12 Quay Street / Tarnton", "Flat 2/1, 12 Quay St / Tarnton"),
    "cottage": ("Rose Cottage / Quay Street / Tarnton", "ROSE COTT / Quay St / Tarnton"),
    "postcode slip": ("12 Quay Street / Tarnton / ZZ 4AB", "12 Quay Street / Tarnton / ZZ 4BA"),
    "flats": ("Flat 1 / 12 Quay Street / Tarnton", "Flat 2 / 12 Quay Street / Tarnton"),
    "flats, one UPRN": (
        "Flat 1 / 12 Quay Street / Tarnton / U70005",
        "Flat 2 / 12 Quay Street / Tarnton / U70005",
    ),
    "flat and house": ("Flat 1 / 12 Quay Street / Tarnton / U70006", "12 Quay Street / Tarnton / U70006"),
    "flat above": ("Flat above shop / 12 Quay Street / Tarnton", "12 Quay Street / Tarnton"),
    "letter": ("1a Quay Street / Tarnton", "1 Quay Street / Tarnton"),
    "letter or flat": ("1a Quay Street / Tarnton", "Flat A / 1 Quay Street / Tarnton"),
    "floors": ("2/1 / 12 Quay Street / Tarnton", "1/2 / 12 Quay Street / Tarnton"),
    "number or name": ("Rose Cottage / Quay Street / Tarnton", "12 Quay Street / Tarnton"),
    "neighbours": ("12 Quay Street / Tarnton", "14 Quay Street / Tarnton"),
    "two UPRNs": ("12 Quay Street / Tarnton / U70007", "12 Quay Street / Tarnton / U90008"),
    "next UPRN": ("12 Quay Street / Tarnton / U70008", "12 Quay Street / Tarnton / U70009"),
    "lane and street": ("12 Quay Street / Tarnton", "12 Quay Lane / Tarnton"),
    "range": ("12-14 Quay Street / Tarnton", "12 Quay Street / Tarnton"),
    "blocks": ("Block A, Moor House / Quay Street / Tarnton", "Block B, Moor House / Quay Street / Tarnton"),
}  # fmt: skip
ONE = {"again", "flat again", "lines turned", "tenement", "cottage", "postcode slip"}


@pytest.mark.parametrize("case", CASES)
def test_one_door_is_one_and_two_doors_are_never_one_by_themselves(zones, case: str) -> None:
    assert (zones[case] == "same") == (case in ONE)


def test_doubles_are_found_and_nothing_wrong_is_taken_for_sure(made) -> None:
    found = link(made, FIELDS)
    judged = evaluate(found, made, FIELDS, "door")
    assert judged["proposed"]["f1"] > 0.95
    assert judged["same"]["precision"] > 0.995
    assert judged["same"]["recall"] > 0.88


@pytest.mark.parametrize(
    ("text", "flat", "house", "building", "street", "town"),
    [
        ("Flat 2, Moor House, 14a High St., Tarnton, LS1 4AB", "2", "14A", "MOOR HOUSE", "HIGH STREET", "TARNTON"),
        ("14 High Street Tarnton TN1 2AB", "", "14", "", "HIGH STREET", "TARNTON"),
        ("FLAT 2 14 HIGH STREET TARNTON", "2", "14", "", "HIGH STREET", "TARNTON"),
        ("Apartment 02, 014 High Street", "2", "14", "", "HIGH STREET", ""),
        ("12 Moor House, High Street, Tarnton", "12", "", "MOOR HOUSE", "HIGH STREET", "TARNTON"),
        ("12 Moor Court, Tarnton", "", "12", "", "MOOR COURT", "TARNTON"),
        ("High Street 14, Leeds", "", "14", "", "HIGH STREET", "LEEDS"),
        ("14, High Street, Leeds", "", "14", "", "HIGH STREET", "LEEDS"),
        ("12-14 Fell Ln", "", "12-14", "", "FELL LANE", ""),
        ("1 A St. John's Rd", "", "1A", "", "SAINT JOHNS ROAD", ""),
        ("2/1, 14 Byres Rd, Glasgow", "2/1", "14", "", "BYRES ROAD", "GLASGOW"),
        ("14/3 Leith Walk, Edinburgh", "3", "14", "", "LEITH WALK", "EDINBURGH"),
        ("3F2, 9 Leith Walk", "3F2", "9", "", "LEITH WALK", ""),
        ("Ground Floor Flat, 9 The Green", "GROUND", "9", "", "THE GREEN", ""),
        ("GFF 9 The Green", "GROUND", "9", "", "THE GREEN", ""),
        ("Room 4, Flat 2, 9 Fell Lane", "2 ROOM 4", "9", "", "FELL LANE", ""),
        ("5 Heol y Bont, Aberystwyth SY23 1AB", "", "5", "", "HEOL Y BONT", "ABERYSTWYTH"),
        ("12 Y Ffordd, Bangor", "", "12", "", "Y FFORDD", "BANGOR"),
        ("Les Arbres, La Grande Route de St Martin, Jersey", "", "", "LES ARBRES", "LA GRANDE ROUTE DE ST MARTIN",
         "JERSEY"),
        ("16 Drumbeg Rd, Co. Antrim, BT28 1AA", "", "16", "", "DRUMBEG ROAD", ""),
        ("P.O. Box 12, Tarnton", "", "BOX 12", "", "", "TARNTON"),
        ("c/o Mrs Lee, 14 High Street", "", "14", "", "HIGH STREET", ""),
        ("Rose Cottage, Kirkby Moss", "", "", "ROSE COTTAGE", "", "KIRKBY MOSS"),
        ("No fixed abode, Tarnton", "", "", "", "", ""),
        ("NFA", "", "", "", "", ""),
    ],
)  # fmt: skip
def test_an_address_is_taken_apart(
    text: str, flat: str, house: str, building: str, street: str, town: str
) -> None:
    found = read_uk_address({"address": text})
    assert (found.flat, found.house, found.building, found.street, found.town) == (
        flat,
        house,
        building,
        street,
        town,
    )


@pytest.mark.parametrize(
    ("told", "door"),
    [
        ({"flat": "2.0", "house": "14", "street": "High St"}, ("2", "14", "", "HIGH STREET")),
        ({"house": "Flat 2, 14", "street": "High St"}, ("2", "14", "", "HIGH STREET")),
        ({"house": "Rose Cottage", "street": "The Broadway"}, ("", "", "ROSE COTTAGE", "THE BROADWAY")),
        ({"building": "12 Moor House", "street": "High St"}, ("12", "", "MOOR HOUSE", "HIGH STREET")),
        ({"house": "12A", "street": "12A High St"}, ("", "12A", "", "HIGH STREET")),
        ({"line_1": "Flat 2", "line_2": "14 High St", "line_3": "Leeds"}, ("2", "14", "", "HIGH STREET")),
    ],
)
def test_columns_of_parts_are_read_as_such(told: dict[str, str], door: tuple[str, ...]) -> None:
    found = read_uk_address(told)
    assert (found.flat, found.house, found.building, found.street) == door


def test_thirty_flats_of_one_house_stay_thirty() -> None:
    """Whatever way they are written, and with one UPRN on all."""
    rows = [
        (f"{word} {n}{house} High Street, Leeds, LS1 4AB", "100023336956")
        for n in range(1, 31) for word, house in (("Flat", ", Moor House, 14"), ("APT", ", 14"))
    ] + [(f"{n} Fell Lane, Tarnton, TN1 {n % 9}AB", str(7000 + n)) for n in range(200)]  # fmt: skip
    frame = pl.DataFrame(rows, schema=["address", "uprn"], orient="row")
    frame = frame.with_columns(id=pl.int_range(pl.len()).cast(pl.String))
    found = link(frame, Fields(id="id", roles={"address": "address", "uprn": "uprn"}, kind="address"))
    flats = found.clusters.filter(pl.col("id").cast(pl.Int64) < 60).with_columns(
        flat=pl.col("id").cast(pl.Int64) // 2
    )
    assert flats.group_by("cluster").agg(pl.col("flat").n_unique())["flat"].max() == 1


def test_what_says_no_address_is_told_and_never_joined() -> None:
    texts = ["No fixed abode", "NFA, Tarnton", "homeless", "of no fixed address"] * 3 + ["Fell Lane, Tarnton"]
    texts += [f"{n} Fell Lane, Tarnton, TN1 {n % 9}AB" for n in range(60)]
    frame = pl.DataFrame({"id": [str(n) for n in range(len(texts))], "address": texts})
    found = link(frame, TEXT)
    assert found.clusters["cluster"].n_unique() == len(texts)
    notes = " ".join(found.model["warnings"])
    assert "address: 12 of 73 addresses say that there is none" in notes
    assert "address: 1 of 73 addresses name no flat, number or building" in notes


@pytest.mark.parametrize("texts", [[None] * 40, ["14 High Street, Leeds"] * 40, ["|/-" * n for n in range(1, 40)]])
def test_a_register_that_tells_nothing_apart_ends_in_an_error_that_says_so(texts: list[str | None]) -> None:
    frame = pl.DataFrame({"id": range(len(texts)), "address": texts}, schema_overrides={"address": pl.String})
    with pytest.raises(RegisterError, match="No compared column holds more than one value"):
        link(frame, TEXT)
