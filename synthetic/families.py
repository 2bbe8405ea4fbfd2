"""Children: born to families, twins now and then, some fostered, a few adopted, some not yet born."""

import numpy as np

from casebridge.synthetic.council import (
    ADOPTER,
    CHILD,
    FOSTERER,
    HOUSEHOLDS,
    NEVER,
    NOBODY,
    PEOPLE_PER_HOUSEHOLD,
    RELATIVE,
    SNAPSHOT,
    TWIN_MATERNITIES,
    YEAR,
    People,
    adults_with_parents,
    blank,
    cultures,
    elder_couples,
    elders_with_daughter,
    end_lives,
    first_contacts,
    foster_homes,
    join,
    lone_adults,
    lone_elders,
    name_everybody,
    reorder,
    test_records,
    years,
)
from casebridge.synthetic.names import Ints, Names
from casebridge.synthetic.verdicts import Mask


def families(rng: np.random.Generator, n: int) -> People:
    """Mother, perhaps a father (at home or elsewhere), one to six maternities; the family is one sibship."""
    entry = first_contacts(rng, n)
    culture = cultures(rng, n)
    family, born = _births(rng, entry)
    eldest = np.full(n, SNAPSHOT)
    np.minimum.at(eldest, family, born)
    has_father = rng.random(n) < 0.62
    has_mother = ~has_father | (rng.random(n) < 0.95)
    mothers = _parents(rng, np.flatnonzero(has_mother), entry, culture, eldest, female=1)
    fathers = _parents(rng, np.flatnonzero(has_father), entry, culture, eldest, female=0)
    children = _children(rng, family, born, entry, culture)
    mother_at = np.cumsum(has_mother) - 1
    father_at = np.cumsum(has_father) - 1 + len(mothers)
    parts = [mothers, fathers, children]
    everybody = _stack(parts)
    kids = slice(len(mothers) + len(fathers), None)
    everybody.mother[kids] = np.where(has_mother, mother_at, NOBODY)[family]
    by_him = has_father[family] & (rng.random(len(family)) > 0.08)
    everybody.father[kids] = np.where(by_him, father_at[family], NOBODY)
    _marry(everybody, has_mother & has_father, mother_at, father_at, rng)
    return everybody


def _births(rng: np.random.Generator, entry: Ints) -> tuple[Ints, Ints]:
    """Family and day of each birth. The eldest is 0-17 at first contact, or on the way."""
    n = len(entry)
    maternities = rng.choice(6, n, p=(0.37, 0.32, 0.18, 0.08, 0.035, 0.015)) + 1
    age = np.where(rng.random(n) < 0.12, rng.uniform(-0.6, 0, n), 17 * rng.beta(1.0, 1.5, n))
    family = np.repeat(np.arange(n), maternities)
    nth = np.arange(len(family)) - np.repeat(np.cumsum(maternities) - maternities, maternities)
    gap = np.where(nth == 0, 0, 400 + rng.gamma(2.0, 330.0, len(family)))
    running = np.cumsum(gap)
    since_eldest = running - running[np.repeat(np.cumsum(maternities) - maternities, maternities)]
    born = ((entry - age * YEAR)[family] + since_eldest).astype(np.int64)
    wanted = born <= SNAPSHOT + 260
    family, born = family[wanted], born[wanted]
    babies = 1 + (rng.random(len(family)) < TWIN_MATERNITIES)
    return np.repeat(family, babies), np.repeat(born, babies)


def _parents(
    rng: np.random.Generator, families_: Ints, entry: Ints, culture: Ints, eldest: Ints, *, female: int
) -> People:
    n = len(families_)
    parent = blank(n, RELATIVE)
    parent.home = families_.copy()
    parent.culture, parent.entry = culture[families_], entry[families_]
    parent.female = np.full(n, female)
    mean = 25.0 if female else 28.0
    parent.born = eldest[families_] - years(rng, n, mean, 5.5, 15.2, 47)
    if not female:
        away = rng.random(n) < 0.28
        parent.home = np.where(away, families_ + int(entry.size), families_)
    return parent


def _children(rng: np.random.Generator, family: Ints, born: Ints, entry: Ints, culture: Ints) -> People:
    n = len(family)
    child = blank(n, CHILD)
    child.home, child.sibship = family.copy(), family.copy()
    child.culture, child.born = culture[family], born
    child.female = (rng.random(n) < 0.488).astype(np.int64)
    expected = born - rng.integers(20, 150, n)
    child.entry = np.maximum(entry[family], np.where(rng.random(n) < 0.5, expected, born + rng.integers(1, 90, n)))
    child.entry = np.minimum(child.entry, SNAPSHOT)
    return child


def _stack(parts: list[People]) -> People:
    """Parts that already share their numbering of homes."""
    homes = [part.home for part in parts]
    sibships = [part.sibship for part in parts]
    together = join(parts)
    together.home, together.sibship = np.concatenate(homes), np.concatenate(sibships)
    return together


def _marry(everybody: People, pair: Mask, mother: Ints, father: Ints, rng: np.random.Generator) -> None:
    couples = pair & (rng.random(len(pair)) < 0.85)
    everybody.partner[mother[couples]] = father[couples]
    everybody.partner[father[couples]] = mother[couples]


def adoptive_homes(rng: np.random.Generator, n: int) -> People:
    """Two parents and one child whose birth is filled in once somebody is chosen for adoption."""
    parents = elder_couples(rng, n)
    parents.kind[:], parents.carer[:] = ADOPTER, NOBODY
    child = blank(n, CHILD)
    child.home, child.culture = parents.home[:n].copy(), parents.culture[:n].copy()
    child.sibship = np.arange(n)
    child.entry, child.born = parents.entry[:n].copy(), parents.entry[:n].copy()
    home = _stack([parents, child])
    first, second = np.arange(n), np.arange(n, 2 * n)
    man = home.female[:n] == 0
    home.father[2 * n :], home.mother[2 * n :] = np.where(man, first, second), np.where(man, second, first)
    return home


def _adopt(people: People, rng: np.random.Generator) -> None:
    """Give every adoptive child the birth of a child of some family; the old row is its restricted past."""
    new = np.flatnonzero((people.kind == CHILD) & _is(people, people.mother, ADOPTER))
    age_known = SNAPSHOT - people.born
    may = (people.kind == CHILD) & (people.fosterer >= 0) & (age_known > 900) & (people.born > people.entry - 1500)
    may[new] = False
    old = np.flatnonzero(may)
    old = old[rng.permutation(len(old))[: len(new)]]
    new, spare = new[: len(old)], new[len(old) :]
    people.was[new], people.died[old] = old, NEVER
    people.born[new], people.female[new] = people.born[old], people.female[old]
    adopted_on = people.born[old] + rng.integers(500, 880, len(old))
    people.entry[old] = np.minimum(people.entry[old], people.born[old] + 60)
    people.entry[new] = adopted_on
    people.moved_out[old] = np.minimum(people.moved_out[old], adopted_on)
    people.placed[old] = np.minimum(people.placed[old], adopted_on - 60)
    for side in (people.mother, people.father):
        parent = side[new]
        people.born[parent] = adopted_on - years(rng, len(new), 37, 5, 27, 50)
        people.entry[parent] = adopted_on - rng.integers(200, 500, len(new))
    people.born[spare] = people.entry[spare] - rng.integers(200, 3000, len(spare))


def _is(people: People, link: Ints, kind: int) -> Mask:
    return np.asarray((link >= 0) & (people.kind[link] == kind), dtype=np.bool_)


def _foster(people: People, homes: Ints, rng: np.random.Generator) -> None:
    """About one child in twenty spends time in a foster home; siblings mostly go together."""
    child = (people.kind == CHILD) & (people.mother >= 0) & ~_is(people, people.mother, ADOPTER)
    chosen = child & ((people.sibship * 2654435761 % 1000) < 60) & (people.born < SNAPSHOT - 400)
    rows = np.flatnonzero(chosen)
    if not len(homes) or not len(rows):
        return
    pick = homes[(people.sibship[rows] * 40503 + (rng.random(len(rows)) < 0.2)) % len(homes)]
    start = np.maximum(people.entry[rows], people.born[rows]) + rng.integers(5, 380, len(rows))
    stay = (rng.exponential(2.4, len(rows)) * YEAR).astype(np.int64) + 20
    people.fosterer[rows] = pick
    people.placed[rows] = np.minimum(start, SNAPSHOT - 5)
    people.moved_out[rows] = np.minimum(people.placed[rows] + stay, people.born[rows] + int(18 * YEAR))
    people.moved_out[rows] = np.maximum(people.moved_out[rows], people.placed[rows] + 1)
    people.entry[pick] = np.minimum(people.entry[pick], people.placed[rows] - 30)


MAKERS = {
    "elder_couples": elder_couples,
    "elders_with_daughter": elders_with_daughter,
    "lone_adults": lone_adults,
    "adults_with_parents": adults_with_parents,
    "families": families,
    "foster_homes": foster_homes,
    "adoptive_homes": adoptive_homes,
    "test_records": test_records,
}


def make_people(rng: np.random.Generator, names: Names, n: int) -> People:
    """n human beings, in the order in which the council came to know them; lone elders make up the number."""
    households = n / PEOPLE_PER_HOUSEHOLD
    parts = [maker(rng, max(2, round(households * HOUSEHOLDS[name]))) for name, maker in MAKERS.items()]
    parts.append(lone_elders(rng, max(0, n - sum(map(len, parts)))))
    people = join(parts)
    fosterers = np.flatnonzero((people.kind == FOSTERER) & (np.arange(len(people)) % 2 == 0))
    _foster(people, fosterers, rng)
    _adopt(people, rng)
    name_everybody(people, names, rng)
    _keep_forename(people, rng)
    end_lives(people, rng)
    people.entry = np.minimum(people.entry, SNAPSHOT)
    return reorder(people, np.lexsort((np.arange(len(people)), people.entry)))


def _keep_forename(people: People, rng: np.random.Generator) -> None:
    """An adopted child mostly keeps the forename and never the surname."""
    new = np.flatnonzero(people.was >= 0)
    kept = new[rng.random(len(new)) < 0.65]
    people.forename[kept] = people.forename[people.was[kept]]
