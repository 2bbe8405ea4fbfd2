"""Made-up registers of addresses with the truth known: houses in a row, blocks of flats, tenements, cottages
without a number, care homes; the same street in another town; entered again with slips, short forms, lines in
another order, parts left out."""

from __future__ import annotations

import numpy as np
import polars as pl

from benchmarks.organisations import STREETS, TOWNS

ROLES = {f"line_{n}": f"line{n}" for n in range(1, 5)} | {"postcode": "postcode", "uprn": "uprn"}
MORE = ("Mill Lane", "Church Lane", "Mill Close", "Victoria Road", "Victoria Street", "St John's Road",
    "Albert Terrace", "Rectory Gardens", "The Green", "Oak Drive", "Oak Close", "Great North Road", "Heol y Bont",
    "Low Moor Lane", "King Street", "Castle View", "Beech Grove", "Elm Crescent", "Ash Walk",
    "Saint Mary's Place")  # fmt: skip
NAMES = ("Rose", "Ivy", "Fell", "Moor", "Holly", "Orchard", "Mill", "Church", "Brook", "Hill Top", "Low", "High",
    "Tarn", "Beck", "Quarry", "Lark", "Heron", "Yew Tree", "Old School", "Smithy")  # fmt: skip
SORTS = ("Cottage", "House", "Farm", "Lodge", "Barn", "Court")
SHORT = {"Street": "St", "Road": "Rd", "Lane": "Ln", "Avenue": "Ave", "Close": "Cl", "Drive": "Dr",
    "Saint ": "St ", "Terrace": "Terr", "Gardens": "Gdns", "Crescent": "Cres", "Court": "Ct",
    "House": "Hse"}  # fmt: skip
Parts = dict[str, str]


def make_addresses(
    count: int, seed: int = 1, dirt: float = 1.0, twice: float = 0.18, uprn: float = 0.6
) -> pl.DataFrame:
    """About `count` addresses and, for a share `twice` of them, one to three further records: columns id, door and
    those of ROLES. dirt: how often each thing goes wrong, as a multiple of what is usual; uprn: how many records
    hold one."""
    random = np.random.default_rng(seed)
    rows = []
    for number, parts in enumerate(_doors(random, count)):
        copies = 1 + (random.random() < twice) * int(random.choice([1, 2, 3], p=[0.8, 0.15, 0.05]))
        for copy in range(copies):
            told = _again(random, parts, dirt) if copy else dict(parts)
            if random.random() >= uprn:
                told["uprn"] = ""
            rows.append((number, *_lines(random, told), told["postcode"] or None, told["uprn"] or None))
    order = random.permutation(len(rows))
    frame = pl.DataFrame([rows[at] for at in order], orient="row", schema=["door", *ROLES.values()])
    return frame.with_columns(id=pl.int_range(pl.len()).cast(pl.String)).select("id", "door", *ROLES.values())


def _doors(random: np.random.Generator, count: int) -> list[Parts]:
    """Street by street: a run of numbers, some with letters, flats or a name."""
    found: list[Parts] = []
    streets = [*STREETS, *MORE]
    for at in range(count):
        if len(found) >= count:
            break
        round_, place = divmod(at, len(streets) * len(TOWNS))
        name, town = streets[place % len(streets)], TOWNS[place // len(streets)]
        name = f"{('', 'Old ', 'Upper ', 'Lower ', 'New ')[round_ % 5]}{name}"  # a town has a street once
        outward = f"TN{TOWNS.index(town) + 1}"
        first, more = int(random.integers(1, 60)), int(random.integers(4, 14))
        for number in range(first, first + more):
            # a postcode is fifteen doors or so of one street
            code = f"{outward} {at // 9 % 9 + 1}{_letters(at * 11 + number // 16)}"
            found += _house(random, {"number": str(number), "street": name, "town": town, "postcode": code})
    for number, parts in enumerate(found):
        parts["uprn"] = str(10_000_000_000 + number * 7 + seed_of(parts["town"]))
    return found[:count]


def seed_of(town: str) -> int:
    return TOWNS.index(town) * 1_000_000


def _house(random: np.random.Generator, parts: Parts) -> list[Parts]:
    """One building: a house, a house and its other half, a block of flats, a tenement, a cottage, a care home."""
    base = {"flat": "", "building": "", "uprn": "", **parts}
    kind = random.random()
    name = f"{_one(random, NAMES)} {_one(random, SORTS)}"
    if kind < 0.72:
        return [base]
    if kind < 0.77:
        return [base, base | {"number": f"{parts['number']}A"}]
    if kind < 0.86:
        named = base | {"building": name.rsplit(" ", 1)[0] + " Court"} if random.random() < 0.6 else base
        return [named | {"flat": f"Flat {n}"} for n in range(1, int(random.integers(3, 13)))]
    if kind < 0.89:
        return [base | {"flat": f"{floor}/{side}"} for floor in range(3) for side in (1, 2)]
    if kind < 0.91:
        return [base | {"flat": floor} for floor in ("Ground Floor Flat", "First Floor Flat", "Top Floor Flat")]
    if kind < 0.98:
        return [base | {"number": "", "building": name}]
    return [base | {"building": f"{name.rsplit(' ', 1)[0]} Bank Care Home"}]


def _lines(random: np.random.Generator, parts: Parts) -> tuple[str | None, ...]:
    """The address on four lines, as forms have them."""
    door = f"{parts['number']} {parts['street']}".strip()
    how = random.random()
    if parts["flat"] and how < 0.5:
        lines = [parts["flat"], parts["building"], door, parts["town"]]
    elif parts["flat"] and how < 0.9:
        lines = [f"{parts['flat']}, {parts['building']}".strip(" ,"), door, parts["town"]]
    elif parts["flat"] and parts["number"]:
        lines = [f"{parts['flat']} {door}", parts["building"], parts["town"]]
    else:
        lines = [parts["flat"], parts["building"], door, parts["town"]]
    lines = [line for line in lines if line]
    if how > 0.95 and parts["building"]:
        lines = [lines[-1], *lines[:-1]] if not parts["flat"] and parts["number"] else lines
    return (*lines[:4], *(None for _ in range(4 - len(lines))))


def _again(random: np.random.Generator, parts: Parts, dirt: float) -> Parts:
    """The same address entered once more by somebody who did not find it."""
    told = dict(parts)

    def happens(often: float) -> bool:
        return bool(random.random() < often * dirt)

    for key in ("street", "building", "town"):
        if told[key] and happens(0.08):
            told[key] = _slip(random, told[key])
    if happens(0.4):
        for long, short in SHORT.items():
            told["street"], told["building"] = (told[key].replace(long, short) for key in ("street", "building"))
    if happens(0.10):
        told["postcode"] = _slip(random, told["postcode"].replace(" ", "")) if random.random() < 0.6 else ""
    if happens(0.10):
        told["town"] = ""
    if told["building"] and told["number"] and happens(0.3):
        told["building"] = ""
    if told["flat"].startswith("Flat") and happens(0.3):
        told["flat"] = told["flat"].replace("Flat", str(random.choice(["Apartment", "Apt", "FLAT NO.", "Unit"])))
    if told["flat"] and happens(0.04):
        told["flat"] = ""
    if happens(0.25):
        told |= {key: value.upper() for key, value in told.items()}
    if happens(0.03):
        told["uprn"] = _slip(random, told["uprn"])
    return told


def _slip(random: np.random.Generator, text: str) -> str:
    if len(text) < 4:
        return text
    at, kind = int(random.integers(1, len(text) - 1)), random.random()
    if kind < 0.4:
        return text[:at] + text[at + 1 :]
    if kind < 0.7:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + ("7" if text[at].isdigit() else "e") + text[at + 1 :]


def _letters(number: int) -> str:
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    return letters[number // 20 % 20] + letters[number % 20]


def _one(random: np.random.Generator, of: tuple[str, ...]) -> str:
    return str(of[int(random.integers(len(of)))])
