"""Made-up registers of staff with the truth known: people of a council's teams, several of one name, who were
entered again when they came back, changed team, married, or nobody found them."""

from __future__ import annotations

import numpy as np
import polars as pl

from casebridge.synthetic.names import build_names

ROLES = {
    "forename": "first", "surname": "last", "job_title": "title", "team": "team", "organisation": "organisation",
    "email": "email", "phone": "phone", "registration_number": "registration", "login": "login",
}  # fmt: skip
TITLES = ("Social Worker", "Senior Social Worker", "Team Manager", "Support Worker", "Occupational Therapist",
    "Administrator", "Reviewing Officer", "Nurse")  # fmt: skip
SHORT = {
    "Social Worker": "SW",
    "Senior Social Worker": "Snr SW",
    "Occupational Therapist": "OT",
    "Administrator": "Admin",
}
TEAMS = ("Assessment", "Safeguarding", "Older People", "Leaving Care", "Fostering", "Hospital Discharge",
    "Learning Disability", "Emergency Duty", "Adoption", "Mental Health")  # fmt: skip
PLACES = ("North", "South", "East", "West")


def make_professionals(count: int, seed: int = 1, dirt: float = 1.0, twice: float = 0.15) -> pl.DataFrame:
    """`count` people and, for a share `twice` of them, one or two further records: columns id, person and those of
    ROLES. dirt: how often each thing goes wrong, as a multiple of what is usual."""
    random, names = np.random.default_rng(seed), build_names()
    culture = random.choice(7, count, p=(0.80, 0.04, 0.06, 0.04, 0.03, 0.02, 0.01))
    female = (random.random(count) < 0.75).astype(np.int64)
    forenames = names.draw_forenames(random, culture, female, random.integers(1950, 2000, count))
    surnames = names.draw_surnames(random, culture)
    rows, taken = [], dict[str, int]()
    for number in range(count):
        first, last = names.forenames[forenames[number]], names.surnames[surnames[number]]
        held = taken[f"{first} {last}"] = taken.get(f"{first} {last}", 0) + 1
        one = _worker(random, number, str(first), str(last), held)
        rows.append((number, *_row(one)))
        for _ in range(int(random.random() < twice) * int(random.choice([1, 2], p=[0.85, 0.15]))):
            other = str(names.surnames[names.draw_surnames(random, culture[number : number + 1])[0]])
            rows.append((number, *_row(_again(random, one, other, dirt))))
    order = random.permutation(len(rows))
    frame = pl.DataFrame([rows[at] for at in order], orient="row", schema=["person", *ROLES.values()])
    return frame.with_columns(id=pl.int_range(pl.len()).cast(pl.String)).select("id", "person", *ROLES.values())


def _worker(random: np.random.Generator, number: int, first: str, last: str, held: int) -> dict[str, str]:
    title = str(random.choice(TITLES))
    registered = title.endswith("Social Worker") or title == "Team Manager"
    return {
        "first": first, "last": last, "title": title, "team": f"{random.choice(TEAMS)} {random.choice(PLACES)}",
        "organisation": "Tarnshire Council" if random.random() < 0.85 else "Tarn NHS Trust",
        "email": _email(first, last, held) if random.random() < 0.9 else "",
        "phone": f"01555 {random.integers(100000, 999999)}" if random.random() < 0.5 else "01555 200300",
        "registration": f"SW{10000 + number}" if registered and random.random() < 0.8 else "",
        "login": f"{first[:1]}{last}".upper()[:8] + f"{number % 1000:03}",
    }  # fmt: skip


def _email(first: str, last: str, held: int) -> str:
    """An address that nobody else has: the second of a name gets a 2."""
    plain = f"{first}.{last}".lower().replace("'", "").replace(" ", "")
    return f"{plain}{held if held > 1 else ''}@tarnshire.example"


def _again(random: np.random.Generator, one: dict[str, str], other: str, dirt: float) -> dict[str, str]:
    told = dict(one)

    def happens(often: float) -> bool:
        return bool(random.random() < often * dirt)

    told["login"] = f"{told['login'][:-3]}{random.integers(1000):03}" if random.random() < 0.7 else ""
    if happens(0.35):
        told["team"] = f"{random.choice(TEAMS)} {random.choice(PLACES)}"
    if happens(0.2):
        told["title"] = str(random.choice(TITLES))
    told["title"] = SHORT.get(told["title"], told["title"]) if happens(0.3) else told["title"]
    if happens(0.06):
        told["last"] = other
    for key, often in (("first", 0.05), ("last", 0.05), ("email", 0.04)):
        if happens(often) and len(told[key]) > 4:
            at = int(random.integers(1, len(told[key]) - 2))
            told[key] = told[key][:at] + told[key][at + 1] + told[key][at] + told[key][at + 2 :]
    for key, often in (("email", 0.25), ("phone", 0.3), ("registration", 0.3), ("title", 0.1)):
        told[key] = "" if happens(often) else told[key]
    if happens(0.2):
        told |= {"first": told["first"].upper(), "last": told["last"].upper()}
    return told


def _row(one: dict[str, str]) -> tuple[str | None, ...]:
    return tuple(one[key] or None for key in ROLES.values())
