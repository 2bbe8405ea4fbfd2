"""CF_PROPERTY and CF_RESIDENT: places where several clients live, kept as addresses of their own, and who lives
there.

Care homes, sheltered schemes and shared houses have one entry a door, whoever moves in. Whoever did not find the
door in the list entered it again, as help-desk forms do."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from casebridge.synthetic.books import finish
from casebridge.synthetic.chunk import Chunk, orphan_people
from casebridge.synthetic.council import ADULT, ELDER, NEVER, SNAPSHOT
from casebridge.synthetic.formats import ORACLE, SCREEN
from casebridge.synthetic.names import Ints
from casebridge.synthetic.places import Places
from casebridge.synthetic.sheet import Sheet
from casebridge.synthetic.slips import typo
from casebridge.synthetic.verdicts import LOADED, inherit
from casebridge.synthetic.writer import Writer

FIRST: Final = 30001
SHARE: Final = 0.15  # of the doors
RATES: Final = {ELDER: 0.10, ADULT: 0.12}
"""Of the people of a kind, how many live at such a place."""
COLUMNS: Final = ("PROP_NO", "SUB_NO", "BUILDING", "NUMBER", "STREET", "TOWN", "POSTCODE", "UPRN")
SHORT: Final = {"Street": "St", "Road": "Rd", "Avenue": "Ave", "Close": "Cl", "Terrace": "Terr", "Gardens": "Gdns",
    "Drive": "Dr", "Crescent": "Cres", "Lane": "La", "Court": "Ct", "House": "Hse"}  # fmt: skip
_NAMES: Final = (
    "Tarn",
    "Beech",
    "Fell",
    "Moor",
    "Holly",
    "Quarry",
    "Heron",
    "Willow",
    "Abbey",
    "Priory",
    "Larch",
    "Beck",
)
Door = dict[str, str]


@dataclass(frozen=True, slots=True)
class Properties:
    """The list of doors. rows: a door each, those entered again last; first: of each the place of its first entry;
    errors: what is different there."""

    rows: list[Door]
    first: Ints
    errors: list[list[str]]


def make_properties(rng: np.random.Generator, places: Places, people: int) -> Properties:
    """Doors of a council of so many people, three of them at least entered again."""
    buildings = int(np.clip(people // 60, 40, 4000))
    street, number = places.draw_streets(rng, buildings), rng.integers(1, 120, buildings)
    town = places.town_names.gather(places.town[street])
    code = places.postcodes(street, number)
    rows: list[Door] = []
    for at in range(buildings):
        base = {"SUB_NO": "", "BUILDING": "", "NUMBER": str(number[at]), "STREET": places.streets[int(street[at])],
                "TOWN": town[at], "POSTCODE": code[at]}  # fmt: skip
        rows += _doors(rng, at, base)
    rows = [{**row, "UPRN": str(200_000_000_000 + 10 * at)} for at, row in enumerate(_once(rows))]
    chosen = np.sort(rng.choice(len(rows), max(3, round(SHARE * len(rows))), replace=False))
    again = [_again(rng, rows[at]) for at in chosen.tolist()]
    found = [*rows, *(door for door, _ in again)]
    numbered = [{"PROP_NO": str(FIRST + at), **row} for at, row in enumerate(found)]
    errors = [*([] for _ in rows), *(changed for _, changed in again)]
    return Properties(numbered, np.concatenate([np.arange(len(rows)), chosen]), errors)


def _doors(rng: np.random.Generator, at: int, base: Door) -> list[Door]:
    """A care home, a sheltered scheme, a shared house, a house and its other half."""
    name = f"{_NAMES[at % len(_NAMES)]} {('Lodge', 'House', 'Court')[at // len(_NAMES) % 3]}"
    if at % 4 == 0:
        return [base | {"BUILDING": f"{name} Care Home", "NUMBER": "" if at % 8 == 0 else base["NUMBER"]}]
    if at % 4 == 1:
        return [base | {"SUB_NO": f"Flat {n}", "BUILDING": name} for n in range(1, int(rng.integers(5, 13)))]
    if at % 4 == 2:
        return [base | {"SUB_NO": f"Room {n}"} for n in range(1, int(rng.integers(3, 6)))]
    return [base, base | {"NUMBER": f"{base['NUMBER']}A"}]


def _once(rows: list[Door]) -> list[Door]:
    """Each door once: two buildings may have been given one number."""
    return list({tuple(row.values()): row for row in rows}.values())


def _again(rng: np.random.Generator, row: Door) -> tuple[Door, list[str]]:
    """The door as somebody else enters it, and what is different."""
    told, errors = dict(row), list[str]()
    for error, chance in (
        ("short_form", 0.5),
        ("typo", 0.2),
        ("upper_case", 0.2),
        ("no_town", 0.15),
        ("flat", 0.3),
    ):
        changed = _written(told, error, rng) if rng.random() < chance else told
        if changed != told:
            told, errors = changed, [*errors, error]
    for column, error, chance in (("POSTCODE", "no_postcode", 0.12), ("UPRN", "no_uprn", 0.55)):
        if rng.random() < chance:
            told, errors = told | {column: ""}, [*errors, error]
    return told, errors


def _written(told: Door, error: str, rng: np.random.Generator) -> Door:
    if error == "short_form":
        for long, short in SHORT.items():
            told = told | {column: told[column].replace(long, short) for column in ("STREET", "BUILDING")}
        return told
    if error == "typo":
        return told | {"STREET": typo(told["STREET"], float(rng.random()))}
    if error == "upper_case":
        return told | {column: told[column].upper() for column in ("BUILDING", "STREET", "TOWN")}
    if error == "no_town":
        return told | {"TOWN": ""}
    return told | {"SUB_NO": told["SUB_NO"].replace("Flat", "Apt")}


def write_properties(properties: Properties, writer: Writer) -> None:
    """Every door loads."""
    frame = pl.DataFrame(properties.rows, schema=dict.fromkeys(COLUMNS, pl.String))
    nothing = np.zeros(len(frame), dtype=np.bool_)
    lines = writer.append("CF_PROPERTY", frame, nothing, ())
    verdicts = np.full(len(frame), LOADED, dtype=np.uint8)
    writer.account("CF_PROPERTY", lines, frame["PROP_NO"], verdicts, nothing)
    number = frame["PROP_NO"].cast(pl.Int64)
    truth = {"PROP_NO": number, "property": number.gather(properties.first), "errors": properties.errors}
    writer.save("properties", pl.DataFrame(truth, schema_overrides={"errors": pl.List(pl.String)}))


def write_residents(chunk: Chunk, properties: Properties) -> None:
    """Who lives, or lived, at one of the doors: of a door that stands in the list twice, under either entry."""
    rng = chunk.rng("residents")
    kind = chunk.people.kind[chunk.records.person]
    rate = np.select([kind == one for one in RATES], list(RATES.values()), 0.0)
    record = np.flatnonzero(rng.random(len(kind)) < rate)
    record = record[np.argsort(chunk.pi_numbers[record], kind="stable")]
    n, dates = len(record), chunk.pools.dates
    began = np.minimum(chunk.records.created[record] + rng.integers(0, 900, n), SNAPSHOT - 30)
    until = np.where(rng.random(n) < 0.4, np.minimum(began + rng.integers(30, 2000, n), SNAPSHOT - 1), NEVER)
    number = pl.Series([row["PROP_NO"] for row in properties.rows])
    sheet = Sheet("CF_RESIDENT", {
        "RES_NO": chunk.numbers(1, n),
        "PROP_NO": number.gather(rng.integers(0, len(number), n)),
        "PI_NO": chunk.pi.gather(record),
        "FROM_DT": dates.text(dates.index(rng, began, SCREEN)),
        "TO_DT": dates.text(dates.open_ended(rng, until, ORACLE)),
    }, ("RES_NO",), rng, soft="FROM_DT")  # fmt: skip
    orphan_people(sheet, "PI_NO", 1e-3)
    finish(sheet, chunk.writer, lambda own: inherit(own, (chunk.standing, record)))
