"""Made-up registers of organisations with the truth known: chains with branches, franchises, bodies that share a
building, numbered teams; records entered again with slips, legal forms, trading names, gaps and moves."""

from __future__ import annotations

import numpy as np
import polars as pl

ROLES = {
    "name": "name", "address": "address", "postcode": "postcode", "phone": "phone", "email": "email",
    "supplier_number": "supplier", "ods_code": "ods",
}  # fmt: skip
TOWNS = (
    "Tarnton",
    "Fellbridge",
    "Kirkby Moss",
    "Ashdale",
    "Millom Cross",
    "Netherby",
    "Holmside",
    "Brackenthwaite",
)
STREETS = ("High Street", "Fell Lane", "Mill Road", "Church Street", "Station Road", "Park Avenue", "Dale View",
    "Moor Lane", "Abbey Road", "Green Lane", "Queen Street", "Back Lane")  # fmt: skip
FIRST = ("Oak", "Holly", "Rose", "Ash", "Fell", "Tarn", "River", "Moor", "Beech", "Elm", "Birch", "Cedar",
    "Willow", "Lark", "Swan", "Robin", "Heron", "Stone", "Well", "Spring", "Glen", "Brook", "Meadow",
    "Thorn")  # fmt: skip
SECOND = ("dene", " Bank", "mount", "grove", "view", " Lodge", "side", " Court", "field", "wood", "bourne",
    "leigh", " Manor", "croft", "hurst", "ford")  # fmt: skip
SORTS = ("Care Home", "Nursing Home", "Home Care", "Day Centre", "Fostering Agency", "Surgery", "Trust", "School",
    "Supported Living", "Residential Home")  # fmt: skip
CHAINS = ("Barchester Vale", "HC Alpha", "Four Seasons North", "Anchor Bright", "Sanctuary Dales", "Comfort Plus",
    "Home Instead North", "Bluebird Fells", "Right at Home Lakes", "Caremark Tarn")  # fmt: skip
PARTIES = ("Patel", "Smith", "Jones", "Khan", "Wilson", "Evans", "Brown", "Taylor")


def make_organisations(count: int, seed: int = 1, dirt: float = 1.0, twice: float = 0.18) -> pl.DataFrame:
    """About `count` bodies and, for a share `twice` of them, one to three further records: columns id, body and
    those of ROLES. dirt: how often each thing goes wrong, as a multiple of what is usual."""
    random = np.random.default_rng(seed)
    rows = []
    for number, body in enumerate(_bodies(random, count)):
        copies = 1 + (random.random() < twice) * int(random.choice([1, 2, 3], p=[0.8, 0.15, 0.05]))
        for copy in range(copies):
            rows.append((number, *(_again(random, body, dirt) if copy else _first(random, body))))
    order = random.permutation(len(rows))
    frame = pl.DataFrame([rows[at] for at in order], orient="row", schema=["body", *ROLES.values()])
    return frame.with_columns(id=pl.int_range(pl.len()).cast(pl.String)).select("id", "body", *ROLES.values())


def _bodies(random: np.random.Generator, count: int) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    while len(found) < count:
        kind = random.random()
        if kind < 0.55:
            found.append(_body(random, _own_name(random)))
        elif kind < 0.72:
            found += _chain(random)
        elif kind < 0.86:
            found += _building(random)
        else:
            found += _teams(random)
    return found[:count]


def _body(random: np.random.Generator, name: str, town: str = "") -> dict[str, str]:
    town = town or _one(random, TOWNS)
    domain = name.lower().replace(" ", "")[:18] + str(random.integers(1000)) + ".example"
    health, number = random.random() < 0.35, random.integers(99)
    return {
        "name": name, "town": town, "house": str(random.integers(1, 160)), "street": _one(random, STREETS),
        "postcode": f"TN{random.integers(1, 30)} {random.integers(1, 9)}{_letters(random)}",
        "phone": f"01{random.integers(100, 999)}{random.integers(100000, 999999)}",
        "email": f"info@{domain}" if random.random() < 0.7 else f"{name[:4].lower()}{number}@mail.example",
        "supplier": f"S{random.integers(100000, 999999)}",
        "ods": f"V{_letters(random)}{random.integers(10, 99)}" if health else "",
        "legal": _one(random, ("Ltd", "Limited", "LLP", "CIC", "", "")), "party": _one(random, PARTIES),
        "chain": "",
    }  # fmt: skip


def _chain(random: np.random.Generator) -> list[dict[str, str]]:
    """Two to six branches of one name or style, with the chain's phone, domain and supplier number in common."""
    chain, sort, head = _one(random, CHAINS), _one(random, SORTS), _body(random, _one(random, CHAINS))
    chain = f"{chain} {_one(random, FIRST)}"
    branches = []
    for town in random.permutation(TOWNS)[: random.integers(2, 7)]:
        franchise = random.random() < 0.5
        body = _body(random, f"{chain} {sort}" if franchise else f"{chain} {_own_name(random)}", str(town))
        body["chain"] = str(town) if franchise else ""
        for shared, often in (("phone", 0.4), ("email", 0.5), ("supplier", 0.6)):
            if random.random() < often:
                body[shared] = head[shared]
        branches.append(body)
    return branches


def _building(random: np.random.Generator) -> list[dict[str, str]]:
    """Two to four bodies of one building; one of them is another sort under one name."""
    first = _body(random, _own_name(random))
    found = [first]
    for at in range(random.integers(1, 4)):
        name = f"{first['name'].rsplit(' ', 2)[0]} {_one(random, SORTS)}" if at == 0 else _own_name(random)
        other = _body(random, name, first["town"])
        found.append(other | {key: first[key] for key in ("house", "street", "postcode")})
        if random.random() < 0.3:
            found[-1]["phone"] = first["phone"]
    return found if len({body["name"] for body in found}) == len(found) else found[:1]


def _teams(random: np.random.Generator) -> list[dict[str, str]]:
    """Numbered teams of one office."""
    first = _body(
        random, f"{_one(random, TOWNS)} {_one(random, ('Safeguarding', 'Older People', 'Leaving Care'))} Team 1"
    )
    first |= {"legal": "", "supplier": "", "ods": ""}
    found = [first | {"name": f"{first['name'][:-1]}{n}"} for n in range(1, int(random.integers(2, 5)))]
    return [one | {"phone": "", "email": ""} if random.random() < 0.3 else one for one in found]


def _own_name(random: np.random.Generator) -> str:
    return f"{_one(random, FIRST)}{_one(random, SECOND)} {_one(random, SORTS)}"


def _first(random: np.random.Generator, body: dict[str, str]) -> tuple[str | None, ...]:
    name = f"{body['name']} ({body['chain']})" if body["chain"] and random.random() < 0.6 else body["name"]
    return _row(body, f"{name} {body['legal']}".strip() if random.random() < 0.6 else name)


def _row(body: dict[str, str], name: str) -> tuple[str | None, ...]:
    address = f"{body['house']} {body['street']}, {body['town']}"
    return tuple(
        value or None
        for value in (name, address, body["postcode"], body["phone"], body["email"], body["supplier"], body["ods"])
    )


def _again(random: np.random.Generator, body: dict[str, str], dirt: float) -> tuple[str | None, ...]:
    """The same body entered once more by somebody who did not find it."""
    body, name = dict(body), body["name"]

    def happens(often: float) -> bool:
        return bool(random.random() < often * dirt)

    if happens(0.08):
        body |= {key: _body(random, name)[key] for key in ("house", "street", "postcode")}
    if happens(0.10):
        name = _slip(random, name)
    if happens(0.10) and len(name.split()) > 2:
        name = name.rsplit(" ", 2)[0]
    if happens(0.08):
        name = f"{body['party']} & Sons Ltd t/a {name}"
    elif happens(0.25):
        name = f"The {name}" if random.random() < 0.3 else f"{name} {body['legal'] or 'Limited'}"
    if happens(0.15):
        name = name.replace("Care Home", "CH").replace("Centre", "Ctr").replace(" and ", " & ").upper()
    if body["chain"] and random.random() < 0.6:
        name = f"{name} - {body['chain']}" if random.random() < 0.4 else f"{name} ({body['chain']})"
    if happens(0.06):
        name = f"{name} - DO NOT USE"
    if happens(0.05):
        body["postcode"] = _slip(random, body["postcode"])
    if happens(0.06):
        body["phone"] = _slip(random, body["phone"])
    if happens(0.35) and "@" in body["email"]:
        body["email"] = f"{_one(random, ('manager', 'accounts', 'office'))}@{body['email'].split('@')[1]}"
    if happens(0.45):
        body["supplier"] = f"S{random.integers(100000, 999999)}" if happens(0.6) else ""
    for key, often in (("phone", 0.2), ("email", 0.3), ("ods", 0.4), ("postcode", 0.05)):
        if happens(often):
            body[key] = ""
    if happens(0.3):
        body["street"] = body["street"].replace("Street", "St").replace("Road", "Rd").replace("Lane", "Ln")
    return _row(body, name)


def _slip(random: np.random.Generator, text: str) -> str:
    if len(text) < 4:
        return text
    at = int(random.integers(1, len(text) - 1))
    kind = random.random()
    if kind < 0.4:
        return text[:at] + text[at + 1 :]
    if kind < 0.7:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + ("7" if text[at].isdigit() else "e") + text[at + 1 :]


def _letters(random: np.random.Generator) -> str:
    return "".join(random.choice(list("ABDEFGHJLNPQRSTUWXYZ"), 2))


def _one(random: np.random.Generator, of: tuple[str, ...]) -> str:
    return str(of[int(random.integers(len(of)))])
