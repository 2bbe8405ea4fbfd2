"""Addresses: as they are written; two doors are two; registers with their truth; what is no address."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.addresses import ROLES, make_addresses
from casebridge.dedupe.linkage import Fields, Linkage, RegisterError, evaluate, link
from casebridge.dedupe.linkage.register.uk_address import read_uk_address
from casebridge.dedupe.linkage.register.uk_address_columns import door_of

FIELDS = Fields(id="id", roles=ROLES, kind="address")
TEXT = Fields(id="id", roles={"address": "address"}, kind="address")


@pytest.fixture(scope="module")
def made() -> pl.DataFrame:
    return make_addresses(1500, seed=1)


@pytest.fixture(scope="module")
def linked(made) -> Linkage:
    """The records of each case beside a made-up register."""
    rows = [
        row for number, case in enumerate(CASES | CHAINS) for row in rows_of(case, STREETS[number], number + 1)
    ]
    return link(pl.concat([made, pl.DataFrame(rows, schema=made.schema)]), FIELDS)


def rows_of(case: str, street: str, number: int) -> list[dict[str, object]]:
    """The records of a case: lines between strokes, then ZZ for its postcode, - for none, U for a UPRN."""
    rows = []
    for side, told in zip("abc", (CASES | CHAINS)[case], strict=False):
        lines = [part.strip() for part in told.split(" / ")]
        uprn = lines.pop().removeprefix("U") if re.match(r"U\d", lines[-1]) else None
        code = lines.pop() if lines[-1] == "-" or lines[-1].startswith("ZZ") else "ZZ 4AB"
        lines = [re.sub("quay", street, line, flags=re.IGNORECASE) for line in lines]
        shown = dict(zip(list(ROLES.values())[:4], [*lines, *[None] * (4 - len(lines))], strict=True))
        postcode = None if code == "-" else code.replace("ZZ", f"ZE{number}")
        rows.append({"id": f"{case}@{side}", "door": -1, **shown, "postcode": postcode, "uprn": uprn})
    return rows


@pytest.fixture(scope="module")
def zones(linked) -> dict[str, str]:
    """The zone of the two records of each case; "apart" for a pair that is not kept."""
    ends = [pl.col(end).str.split("@") for end in ("left_id", "right_id")]
    own = linked.pairs.filter(ends[0].list.first() == ends[1].list.first(), pl.col("left_id").str.contains("@"))
    found = {left.split("@")[0]: zone for left, zone in own.select("left_id", "zone").iter_rows()}
    return dict.fromkeys(CASES, "apart") | found


STREETS = [a + b for a in ("Quill", "Zeph", "Umbr", "Viol", "Xen", "Yarr", "Vesp", "Indig", "Onyx", "Jasp", "Garn")
    for b in ("ford", "mere", "stow", "hurst", "combe", "thwaite", "leigh", "wick", "dale")]  # fmt: skip
CASES = {
    "again": ("12 Quay Street / Tarnton", "12 QUAY ST. / TARNTON"),
    "flat again": ("Flat 2, Moor House / 12 Quay Street / Tarnton", "Apt 2 / Moor Hse, 12 Quay St / Tarnton"),
    "flat in words": ("Flat Two / 12 Quay Street / Tarnton", "FLAT 02, 12 Quay St / Tarnton"),
    "lines turned": ("12 Quay Street / Flat 2 / Tarnton", "Flat 2 / 12 Quay Street / Tarnton"),
    "bare flat again": ("3 / 12 Quay Street / Tarnton", "Flat 3, 12 Quay Street / Tarnton"),
    "flat behind": ("12 Quay Street, Studio 2 / Tarnton", "Studio 2 / 12 Quay Street / Tarnton"),
    "tenement": ("2/1 / 12 Quay Street / Tarnton", "Flat 2/1, 12 Quay St / Tarnton"),
    "tenement by number": ("12/3F2 Quay Street / Tarnton", "Flat 3F2 / 12 Quay Street / Tarnton"),
    "cottage": ("Rose Cottage / Quay Street / Tarnton", "ROSE COTT / Quay St / Tarnton"),
    "joined": ("Rose Cottage / Quay Street / Tarnton", "Rosecottage / Quay Street / Tarnton"),
    "court of saints": ("12 St. Mary's Court / Quay Rd / Tarnton", "12 SAINT MARYS CT / Quay Road / Tarnton"),
    "flat of a court": ("Flat 3, Moor Court / 12 Quay Street / Tarnton", "Flat 3 / 12 Quay Street / Tarnton"),
    "caravan": ("Caravan 4, Sunny Park / Quay Road / Tarnton", "CARAVAN NO 4 / Sunny Park / Quay Rd / Tarnton"),
    "room in a home": ("Room 4, Rowan House / 12 Quay Road / Tarnton", "Rowan House Room 4, 12 Quay Rd / Tarnton"),
    "welsh": ("5 Heol Quay / Tarnton", "5, HEOL QUAY / Tarnton"),
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
    "range": ("12-14 Quay Street / Tarnton / U70010", "12 Quay Street / Tarnton / U70010"),
    "ranges": ("12-14A Quay Street / Tarnton", "12-14B Quay Street / Tarnton"),
    "ranges with letters": ("12A-14B Quay Street / Tarnton", "12A-14C Quay Street / Tarnton"),
    "blocks": ("Block A, Moor House / Quay Street / Tarnton", "Block B, Moor House / Quay Street / Tarnton"),
    "bare flats": ("3 / 12 Quay Street / Tarnton", "3 / 14 Quay Street / Tarnton"),
    "flats of points": ("Flat 1.11 / 12 Quay Street / Tarnton", "Flat 11.1 / 12 Quay Street / Tarnton"),
    "bedsits": ("Bedsit 1, Flat 2 / 12 Quay Street / Tarnton", "Bedsit 2, Flat 1 / 12 Quay Street / Tarnton"),
    "flat in care": ("c/o Flat 1 / 12 Quay Street / Tarnton", "c/o Flat 2 / 12 Quay Street / Tarnton"),
    "no postcode": ("Flat A1 2nd Floor / 12 Quay Street / Tarnton", "Flat A2 2nd Floor, 12 Quay Street / Tarnton"),
    "shop and flat": ("Unit 3 / 12 Quay Street / Tarnton / U70011", "Flat 3 / 12 Quay Street / Tarnton / U70011"),
    "bed and room": ("Room 3, Rowan House / Quay Road / Tarnton", "Bed 3, Rowan House / Quay Road / Tarnton"),
    "rooms behind": ("12 Quay Street Room 2 / Tarnton", "12 Quay Street Room 3 / Tarnton"),
    "floors behind": ("12 Quay Street First Floor / Tarnton", "12 Quay Street Second Floor / Tarnton"),
    "flats behind": ("12 Quay Street Top Flat / Tarnton", "12 Quay Street Basement Flat / Tarnton"),
    "annexe behind": ("12 Quay Street Annexe / Tarnton", "12 Quay Street / Tarnton"),
    "number of two letters": ("12 a/b Quay Street / Tarnton", "12 a/c Quay Street / Tarnton"),
    "flats of two": ("Flats 1 and 3 / 12 Quay Street / Tarnton", "Flat 1 & 2, 12 Quay Street / Tarnton"),
    "compass": ("12 Quay Street North / Tarnton", "12 Quay Street South / Tarnton"),
    "welsh houses": ("2 Ty Gwyn / Heol Quay / Tarnton", "3 Ty Gwyn / Heol Quay / Tarnton"),
    "boats": ("Daisy Rose / Quay Wharf / Tarnton", "Daisy Rosie / Quay Wharf / Tarnton"),
    "old and new": ("12 Old Quay Street / Tarnton", "12 New Quay Street / Tarnton"),
    "maisonettes": ("Upper Maisonette / 12 Quay Street / Tarnton", "Lower Maisonette / 12 Quay Street / Tarnton"),
    "avenues": ("12 4th Avenue Quay / Tarnton", "12 5th Avenue Quay / Tarnton"),
    "suburbs": ("12 Quay Street / Acton / London / -", "12 Quay Street / Barnet / London / -"),
    "village or town": ("12 Quay Street / Kirkby / Tarnton / -", "12 Quay Street / Tarnton / -"),
    "doorless": ("Quay Street / Tarnton / U70012", "Flat 1 / 12 Quay Street / Tarnton / U70012"),
    "two houses of one sound": ("Hill House / Quay Street / Tarnton", "Hall House / Quay Street / Tarnton"),
    "house and mill": ("Hill House / Quay Street / Tarnton", "Mill House / Quay Street / Tarnton"),
    "rectory and its cottage": ("Old Rectory / Quay Lane / Tarnton", "Old Rectory Cottage / Quay Lane / Tarnton"),
    "doors on a landing": ("3rd Floor Left, 12 Quay Street / Tarnton", "3rd Floor Right, 12 Quay St / Tarnton"),
    "terrace": ("House A / Quay Terrace / Tarnton", "House B / Quay Terrace / Tarnton"),
    "plots": ("Plot 12 / Quay Rise / Tarnton", "Plot 112 / Quay Rise / Tarnton"),
    "plot and number": ("Plot 12 (14 Quay Rise) / Tarnton", "14 Quay Rise / Tarnton"),
    "towers": ("Flat 4, Tower One / Quay Street / Tarnton", "Flat 4, Tower Two / Quay Street / Tarnton"),
    "boxes": ("PO Box 12 / Tarnton", "PO Box 123 / Tarnton"),
    "wards": ("Bed 3, Ward 7 / Quay Hospital / Tarnton", "Bed 3, Ward 8 / Quay Hospital / Tarnton"),
    "wings": ("East Wing, Rowan House / 12 Quay Road / Tarnton", "Rowan House / 12 Quay Road / Tarnton"),
    "campus": ("Rowan House / 12 Quay Road / Tarnton / U70013", "12 Quay Road / Tarnton / U70013"),
    "rear of": ("The Bungalow, rear of 12 Quay Street / Tarnton", "12 Quay Street / Tarnton"),
    "half": ("12 1/2 Quay Street / Tarnton", "12 Quay Street / Tarnton"),
    "places": ("12 Quay Street / Tarnton / ZZ 4AB / U70014", "12 Quay Street / Kirkby / ZX9 9XX / U70014"),
}  # fmt: skip
ONE = {
    "again", "flat again", "flat in words", "lines turned", "bare flat again", "flat behind", "tenement",
    "tenement by number", "cottage", "joined", "court of saints", "flat of a court", "caravan", "room in a home",
    "welsh", "postcode slip",
}  # fmt: skip
CHAINS = {
    "basement, attic, house": (
        "Basement / 12 Quay Street / Tarnton", "Attic / 12 Quay Street / Tarnton", "12 Quay Street / Tarnton",
    ),
    "coach house, stables, house": (
        "Coach House, 12 Quay Street / Tarnton", "Stables / 12 Quay Street / Tarnton", "12 Quay Street / Tarnton",
    ),
    "two cottages and a number": (
        "Rose Cottage / 12 Quay Street / Tarnton", "Ivy Cottage / 12 Quay Street / Tarnton",
        "12 Quay Street / Tarnton",
    ),
    "two houses of a home": (
        "Rowan House / 12 Quay Road / Tarnton / U70020", "Larch House / 12 Quay Road / Tarnton / U70020",
        "12 Quay Road / Tarnton / U70020",
    ),
    "range and its ends": (
        "12-14 Quay Street / Tarnton", "12 Quay Street / Tarnton", "14 Quay Street / Tarnton",
    ),
    "one UPRN": (
        "Quay Street / Tarnton / U70021", "Flat 1 / 12 Quay Street / Tarnton / U70021",
        "Flat 2 / 12 Quay Street / Tarnton / U70021",
    ),
    "two villages": (
        "12 Quay Street / Kirkby / Tarnton / -", "12 Quay Street / Moss / Tarnton / -",
        "12 Quay Street / Tarnton / -",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CHAINS)
def test_no_third_record_joins_two_doors(linked, case: str) -> None:
    whose = dict(linked.clusters.select("id", "cluster").iter_rows())
    assert len({whose[f"{case}@{side}"] for side in "abc"}) == 3


@pytest.mark.parametrize("case", CASES)
def test_one_door_is_one_and_two_doors_are_never_one_by_themselves(zones, case: str) -> None:
    assert (zones[case] == "same") == (case in ONE)


def test_doubles_are_found_and_nothing_wrong_is_taken_for_sure(made) -> None:
    found = link(made, FIELDS)
    judged = evaluate(found, made, FIELDS, "door")
    assert judged["proposed"]["f1"] > 0.95
    assert judged["same"]["precision"] > 0.995
    assert judged["same"]["recall"] > 0.85


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


UNITS = ("", "1", "2", "11", "1A", "A", "B", "2/1", "1/2", "3F2", "1.11", "11.1", "GROUND", "FIRST")
NUMBERS = ("1", "12", "112", "12A", "12B", "12-14", "12-14A", "12A-14B", "4")
Door = tuple[str, str, str]
"""A room, a flat and a house number."""
DOORS_TOLD = st.tuples(st.sampled_from(("", "1", "2")), st.sampled_from(UNITS), st.sampled_from(NUMBERS))


def written(door: Door, how: int) -> dict[str, str]:
    """A door in one of many ways to write it."""
    room, unit, number = door
    words = ("Flat", "APARTMENT", "apt", "Flat No.")[how % 4]
    flat = f"{unit.title()} Floor Flat" if unit in ("GROUND", "FIRST") else unit and f"{words} {unit}"
    inside = ", ".join(filter(None, [room and f"Room {room}", flat]))
    street = ("High Street", "HIGH ST.", "High St")[how % 3]
    if how % 5 == 0:
        return {"flat": inside, "house": number, "street": street, "town": "Tarnton"}
    if how % 5 == 1:
        return {"line_1": inside, "line_2": f"{number} {street}", "line_3": "Tarnton"}
    if how % 5 == 2:
        return {"line_1": inside, "line_2": f"{number},", "line_3": street, "line_4": "Tarnton"}
    behind = [f"{number} {street}", inside] if how % 5 == 3 else [inside, f"{number} {street}"]
    return {"address": ", ".join(filter(None, [*behind, "Tarnton"]))}


@given(DOORS_TOLD, DOORS_TOLD, st.integers(0, 59), st.integers(0, 59))
@settings(max_examples=300, deadline=None)
def test_doors_are_one_where_no_figure_and_no_letter_differs(one: Door, other: Door, how: int, again: int) -> None:
    first, second = (read_uk_address(written(door, way)) for door, way in ((one, how), (other, again)))
    assert (door_of(first) == door_of(second)) == (one == other), (written(one, how), written(other, again))
    assert {first.street, second.street, first.town, second.town} == {"HIGH STREET", "TARNTON"}


WORDS = ("Flat", "Room", "Floor", "High", "Street", "Moor", "House", "Court", "Tarnton", "c/o", "No", "Unit",
    "Rear", "Basement", "The", "&", "-", "/", ",", "St", "2nd", "3F2", "1/2", "1.1", "12A", "12-14", "7", "15",
    "206", "3", "First", "PO Box", "Wing", "Plot", "A1")  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), min_size=2, max_size=9), st.sampled_from(["address", "house", "building",
    "street", "flat", "town"]), st.lists(st.sampled_from(WORDS), max_size=4))  # fmt: skip
@settings(max_examples=400, deadline=None)
def test_no_figure_of_an_address_is_left_out(words: list[str], role: str, behind: list[str]) -> None:
    told = {role: " ".join(words), "line_1": " ".join(behind)}
    found = read_uk_address(told)
    kept = " ".join((found.flat, found.house, found.building, found.street, found.town, found.postcode))
    figures = {int(one) for text in told.values() for one in re.findall(r"\d+", text)}
    assert figures <= {int(one) for one in re.findall(r"\d+", kept)}, (told, found)


def test_no_two_doors_of_a_street_are_the_same_by_themselves(made: pl.DataFrame) -> None:
    """One street, one postcode, no UPRN: every flat of every house, each written twice."""
    doors = [(room, unit, number) for room in ("", "2") for unit in UNITS for number in NUMBERS]
    rows = [
        {**dict.fromkeys(made.columns), **{f"line{n}": part for n, part in enumerate(lines, 1)},
         "id": f"{at}@{way}", "door": -1, "postcode": "ZE1 4AB"}
        for at, door in enumerate(doors) for way in (1, 2)
        if (lines := [part for part in written(door, way).values() if part])
    ]  # fmt: skip
    found = link(pl.concat([made, pl.DataFrame(rows, schema=made.schema)]), FIELDS)
    ends = [pl.col(end).str.split("@").list.first() for end in ("left_id", "right_id")]
    same = found.pairs.filter(pl.col("left_id").str.contains("@"), pl.col("zone") == "same")
    assert same.filter(ends[0] != ends[1]).is_empty()
    assert same.height > 0.9 * len(doors)


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
