"""Families and their lives: the human beings behind the records, before anybody mistyped them.

A chunk of the council is built whole, family by family, so that nobody's mother lives in another chunk.
All days are counted from 1970-01-01, NOBODY and NEVER stand for what is not there.
"""

from dataclasses import dataclass, fields
from datetime import date
from typing import Final

import numpy as np

from casebridge.synthetic.names import CULTURES, Ints, Names

NOBODY: Final = -1
NEVER: Final = -(10**6)
YEAR: Final = 365.25


def day(year: int, month: int = 1, of_month: int = 1) -> int:
    return date(year, month, of_month).toordinal() - date(1970, 1, 1).toordinal()


FIRST_DAY: Final = day(1991)  # the first records were keyed in when the system was bought
SNAPSHOT: Final = day(2026, 3, 31)

ELDER, ADULT, RELATIVE, CHILD, FOSTERER, ADOPTER, TRAINER = range(7)

# Which share of the households is of which kind; children's and adults' services in one system. The rest,
# nearly three in ten, are elders living alone: they make up the number of people asked for.
HOUSEHOLDS: Final = {
    "elder_couples": 0.11,
    "elders_with_daughter": 0.04,
    "lone_adults": 0.12,
    "adults_with_parents": 0.04,
    "families": 0.368,
    "foster_homes": 0.026,
    "adoptive_homes": 0.005,
    "test_records": 0.003,
}
PEOPLE_PER_HOUSEHOLD: Final = 2.21  # what the shares above and the sizes below come to
TWIN_MATERNITIES: Final = 0.015  # ONS: about 15 in 1,000 maternities are multiple


@dataclass(slots=True)
class People:
    """One row a human being. The links are row numbers in this same table."""

    kind: Ints
    home: Ints
    culture: Ints
    female: Ints
    born: Ints
    died: Ints
    entry: Ints
    sibship: Ints
    mother: Ints
    father: Ints
    partner: Ints
    carer: Ints
    fosterer: Ints
    placed: Ints
    moved_out: Ints
    was: Ints  # after an adoption: the row of the same human being before it
    surname: Ints
    second: Ints  # the other half of a double-barrelled surname
    maiden: Ints
    forename: Ints
    middle: Ints

    def __len__(self) -> int:
        return len(self.kind)


LINKS: Final = ("mother", "father", "partner", "carer", "fosterer", "was")
DAYS: Final = ("died", "placed", "moved_out")


def blank(n: int, kind: int) -> People:
    """n people without ties."""
    columns = {f.name: np.full(n, NOBODY, dtype=np.int64) for f in fields(People)}
    columns |= {name: np.full(n, NEVER, dtype=np.int64) for name in DAYS}
    columns["kind"] = np.full(n, kind, dtype=np.int64)
    return People(**columns)


def join(parts: list[People]) -> People:
    """One table of several; links, homes and sibships are moved along."""
    columns: dict[str, list[Ints]] = {f.name: [] for f in fields(People)}
    shift = dict.fromkeys((*LINKS, "home", "sibship"), 0)
    for part in parts:
        for name, gathered in columns.items():
            values = getattr(part, name)
            gathered.append(np.where(values >= 0, values + shift.get(name, 0), values))
        for name in LINKS:
            shift[name] += len(part)
        for name in ("home", "sibship"):
            shift[name] += int(getattr(part, name).max(initial=-1)) + 1
    return People(**{name: np.concatenate(gathered) for name, gathered in columns.items()})


def reorder(people: People, order: Ints) -> People:
    """The same people in another order, links kept."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    columns = {f.name: getattr(people, f.name)[order] for f in fields(People)}
    for name in LINKS:
        columns[name] = np.where(columns[name] >= 0, place[columns[name]], NOBODY)
    return People(**columns)


def first_contacts(rng: np.random.Generator, n: int) -> Ints:
    """When a household became known: more of them lately, since nobody deletes."""
    return np.asarray(SNAPSHOT - (SNAPSHOT - FIRST_DAY) * rng.random(n) ** 1.5, dtype=np.int64)


def cultures(rng: np.random.Generator, n: int) -> Ints:
    share = (0.855, 0.012, 0.05, 0.018, 0.025, 0.03, 0.01)
    return np.asarray(rng.choice(len(CULTURES), n, p=share), dtype=np.int64)


def years(rng: np.random.Generator, n: int, mean: float, spread: float, low: float, high: float) -> Ints:
    """Normal, in days, cut to the range."""
    return np.asarray(rng.normal(mean, spread, n).clip(low, high) * YEAR, dtype=np.int64)


def _singles(rng: np.random.Generator, n: int, kind: int, age: tuple[float, float, float, float]) -> People:
    one = blank(n, kind)
    one.home = np.arange(n)
    one.culture = cultures(rng, n)
    one.entry = first_contacts(rng, n)
    one.born = one.entry - years(rng, n, *age)
    one.female = (rng.random(n) < (0.62 if kind == ELDER else 0.49)).astype(np.int64)
    return one


def _attach(rng: np.random.Generator, to: People, kind: int, gap: tuple[float, float, float, float]) -> People:
    """One more person per row of `to`, older by `gap`, in the same home."""
    n = len(to)
    other = blank(n, kind)
    other.home, other.culture, other.entry = to.home.copy(), to.culture.copy(), to.entry.copy()
    other.born = to.born - years(rng, n, *gap)
    other.female = 1 - to.female
    return other


def elder_couples(rng: np.random.Generator, n: int) -> People:
    one = _singles(rng, n, ELDER, (79, 7, 65, 98))
    other = _attach(rng, one, ELDER, (0.5, 3.5, -9, 9))
    one.partner, other.partner = np.arange(n), np.arange(n)
    both = _side_by_side(one, other, ("partner",))
    cares = rng.random(n) < 0.55
    both.carer[:n] = np.where(cares, np.arange(n) + n, NOBODY)
    both.kind[n:] = np.where(cares, RELATIVE, ELDER)
    return both


def _side_by_side(one: People, other: People, mutual: tuple[str, ...] = ()) -> People:
    """Stack two tables that share homes; `mutual` links point across."""
    n = len(one)
    columns = {f.name: np.concatenate([getattr(one, f.name), getattr(other, f.name)]) for f in fields(People)}
    for name in mutual:
        columns[name] = np.concatenate([getattr(one, name) + n, getattr(other, name)])
    return People(**columns)


def elders_with_daughter(rng: np.random.Generator, n: int) -> People:
    """The daughter (or son) lives elsewhere and is on the system as a carer."""
    elder = _singles(rng, n, ELDER, (83, 7, 66, 101))
    child = _attach(rng, elder, RELATIVE, (-29, 5, -44, -18))
    child.home = elder.home + n
    child.female = (rng.random(n) < 0.75).astype(np.int64)
    both = _side_by_side(elder, child)
    parent = np.where(elder.female == 1, 1, 0)
    both.mother[n:] = np.where(parent == 1, np.arange(n), NOBODY)
    both.father[n:] = np.where(parent == 0, np.arange(n), NOBODY)
    both.carer[:n] = np.arange(n) + n
    return both


def adults_with_parents(rng: np.random.Generator, n: int) -> People:
    """A disabled adult at home; the mother is the carer."""
    adult = _singles(rng, n, ADULT, (27, 8, 17, 55))
    mother = _attach(rng, adult, RELATIVE, (28, 5.5, 16, 45))
    mother.female = np.ones(n, dtype=np.int64)
    both = _side_by_side(adult, mother)
    both.mother[:n] = np.arange(n) + n
    both.carer[:n] = np.arange(n) + n
    both.sibship[:n] = np.arange(n)
    return both


def foster_homes(rng: np.random.Generator, n: int) -> People:
    carers = elder_couples(rng, n)
    carers.kind[:] = FOSTERER
    carers.carer[:] = NOBODY
    carers.born = carers.entry[np.arange(2 * n) % n] - np.tile(years(rng, n, 44, 8, 27, 64), 2)
    carers.born += years(rng, 2 * n, 0, 2, -4, 4)
    return carers


def test_records(rng: np.random.Generator, n: int) -> People:
    return _singles(rng, n, TRAINER, (40, 12, 1, 80))


def lone_elders(rng: np.random.Generator, n: int) -> People:
    return _singles(rng, n, ELDER, (81, 8, 65, 103))


def lone_adults(rng: np.random.Generator, n: int) -> People:
    return _singles(rng, n, ADULT, (42, 13, 18, 64))


def name_everybody(people: People, names: Names, rng: np.random.Generator) -> None:
    """Surnames go from husband to wife and from parents to children, as they do or do not."""
    n = len(people)
    people.surname = names.draw_surnames(rng, people.culture)
    birth_year = (1970 + people.born / YEAR).astype(np.int64)
    people.forename = names.draw_forenames(rng, people.culture, people.female, birth_year)
    middle = names.draw_forenames(rng, people.culture, people.female, birth_year - 25)
    people.middle = np.where((rng.random(n) < 0.42) & (middle != people.forename), middle, NOBODY)
    married = (people.partner >= 0) & (people.female == 1) & (rng.random(n) < 0.7)
    people.maiden = np.where(married & (people.culture != CULTURES.index("muslim")), people.surname, NOBODY)
    taken = people.maiden >= 0
    people.surname[taken] = people.surname[people.partner[taken]]
    _children_inherit(people, rng)
    for _ in range(3):
        _tell_siblings_apart(people, names, rng)


def _children_inherit(people: People, rng: np.random.Generator) -> None:
    n = len(people)
    takes_fathers = (people.father >= 0) & ((rng.random(n) < 0.72) | (people.mother < 0))
    source = np.where(takes_fathers, people.father, people.mother)
    has = source >= 0
    people.surname[has] = people.surname[source[has]]
    both = (people.father >= 0) & (people.mother >= 0) & (people.sibship >= 0)
    differs = both & (people.surname[people.father] != people.surname[people.mother])
    double = differs & ((people.sibship * 7919 % 100) < 9)  # a whole sibship is double-barrelled, or none of it
    people.surname[double] = people.surname[people.mother[double]]
    people.second[double] = people.surname[people.father[double]]


def _tell_siblings_apart(people: People, names: Names, rng: np.random.Generator) -> None:
    """No two children of one sibship bear one forename: twins who did would be one person to any reader."""
    rows = np.flatnonzero(people.sibship >= 0)
    order = rows[np.lexsort((rows, people.forename[rows], people.sibship[rows]))]
    same = people.sibship[order][1:] == people.sibship[order][:-1]
    clash = order[1:][same & (people.forename[order][1:] == people.forename[order][:-1])]
    born = (1970 + people.born[clash] / YEAR).astype(np.int64)
    people.forename[clash] = names.draw_forenames(rng, people.culture[clash], people.female[clash], born)


def end_lives(people: People, rng: np.random.Generator) -> None:
    """Deaths that somebody recorded; about one in seven nobody did."""
    n = len(people)
    age = (people.entry - people.born) / YEAR
    left = rng.exponential(np.maximum(2.0, (97 - age) * 0.42)) * YEAR
    grown = np.isin(people.kind, (ELDER, RELATIVE, ADULT, FOSTERER)) & (age > 20)
    left = np.where(grown & (age < 60), left * 2.2, left)
    early = (people.kind == CHILD) & (rng.random(n) < 0.004) & (people.born < people.entry)
    died = (people.entry + np.where(early, left * 0.1, left)).astype(np.int64)
    known = (died < SNAPSHOT) & (grown | early) & (rng.random(n) < 0.86)
    people.died = np.where(known, died, NEVER)
