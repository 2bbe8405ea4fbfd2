"""CF_ADDRESS and CF_ALIAS: where people have lived and what else they have been called.

The old system has no shared address: every member of a household carries a copy of it, on four free lines.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from casebridge.synthetic.books import finish
from casebridge.synthetic.chunk import Chunk, orphan_people
from casebridge.synthetic.council import ELDER, NEVER, SNAPSHOT, TRAINER, YEAR
from casebridge.synthetic.formats import ORACLE, SCREEN, blank_where, choose, iso, pad
from casebridge.synthetic.names import NICKNAMES, Ints
from casebridge.synthetic.places import COUNTY
from casebridge.synthetic.sheet import Sheet
from casebridge.synthetic.verdicts import REQUIRED, inherit


@dataclass(slots=True)
class Homes:
    """Where each household lived, one after the other: `start[h]` is the row of its first address."""

    start: Ints
    count: Ints
    street: Ints
    number: Ints
    flat: Ints
    since: Ints
    until: Ints


@dataclass(slots=True)
class Stays:
    """Who lived where, when: a row of CF_ADDRESS each. `home` is a row of Homes."""

    record: Ints
    home: Ints
    kind: Ints  # position in the address_type list
    since: Ints
    until: Ints


def make_homes(chunk: Chunk, rng: np.random.Generator) -> Homes:
    people = chunk.people
    homes = int(people.home.max()) + 1
    known = np.full(homes, SNAPSHOT)
    np.minimum.at(known, people.home, people.entry)
    # A stretch of dummy homes behind the real ones: where copies of a record say somebody lives.
    known = np.concatenate([known, np.full(2000, SNAPSHOT - 4000)])
    count = rng.choice((1, 2, 3, 4), len(known), p=(0.58, 0.27, 0.1, 0.05))
    start = np.cumsum(count) - count
    n = int(count.sum())
    whose = np.repeat(np.arange(len(known)), count)
    nth = np.arange(n) - start[whose]
    began = known - rng.integers(0, 3000, len(known))
    span = (SNAPSHOT - began) // count
    since = (began[whose] + nth * span[whose] + rng.integers(0, 200, n) * (nth > 0)).astype(np.int64)
    since = np.minimum(since, SNAPSHOT - 1)
    last = nth == count[whose] - 1
    until = np.where(last, NEVER, np.append(since[1:], 0) - 1)
    flat = np.where(rng.random(n) < 0.11, rng.integers(1, 40, n), 0)
    number = (rng.gamma(1.3, 32, n)).astype(np.int64) + 1
    return Homes(start, count, chunk.pools.places.draw_streets(rng, n), number, flat, since, until)


def _stays(chunk: Chunk, homes: Homes, rng: np.random.Generator) -> Stays:
    """First records know all addresses of the household; a copy knows one, and often an old one."""
    records, people = chunk.records, chunk.people
    home = people.home[records.person]
    first = np.flatnonzero(records.copy == 0)
    rows = np.repeat(first, homes.count[home[first]])
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(homes.count[home[first]]) - homes.count[home[first]],
                                           homes.count[home[first]])  # fmt: skip
    at = homes.start[home[rows]] + nth
    kept = ~((homes.until[at] > NEVER) & (homes.until[at] < people.born[records.person[rows]]))
    again = np.flatnonzero(records.copy > 0)
    own = homes.start[home[again]] + homes.count[home[again]] - 1
    earlier = np.where(
        homes.count[home[again]] > 1, own - 1, len(homes.street) - 1 - rng.integers(0, 1500, len(again))
    )
    seen = np.where(records.moved[again], earlier, own)
    record = np.concatenate([rows[kept], again])
    where = np.concatenate([at[kept], seen])
    kind = chunk.pools.codes["address_type"].at("MAIN", "PERM", "TEMP")[
        rng.choice(3, len(record), p=(0.93, 0.05, 0.02))
    ]
    stays = Stays(record, where, kind, homes.since[where], homes.until[where])
    stays.since = np.maximum(stays.since, np.minimum(people.born[records.person[record]], SNAPSHOT - 1))
    return _more(stays, _placements(chunk, homes), _care_homes(chunk, homes, rng))


def _placements(chunk: Chunk, homes: Homes) -> Stays:
    """Children in a foster home: the same address for children who are nothing to one another."""
    people = chunk.people
    child = np.flatnonzero(people.fosterer >= 0)  # first records stand in the order of people
    home = people.home[people.fosterer[child]]
    at = homes.start[home] + homes.count[home] - 1
    until = np.where(people.moved_out[child] < SNAPSHOT, people.moved_out[child], NEVER)
    kind = chunk.pools.codes["address_type"].at("PLACE")[np.zeros(len(child), dtype=np.int64)]
    return Stays(child, at, kind, people.placed[child], until)


def _care_homes(chunk: Chunk, homes: Homes, rng: np.random.Generator) -> Stays:
    """A few dozen buildings in which hundreds of elders live."""
    people = chunk.people
    elder = np.flatnonzero((people.kind == ELDER) & (rng.random(len(people)) < 0.16))
    at = len(homes.street) - 1 - rng.integers(0, 60, len(elder)) * 7
    kind = chunk.pools.codes["address_type"].at("CARE")[np.zeros(len(elder), dtype=np.int64)]
    since = np.minimum(people.entry[elder] + rng.integers(30, 1500, len(elder)), SNAPSHOT - 2)
    until = people.died[elder]
    return Stays(elder, at, kind, np.where(until > NEVER, np.minimum(since, until), since), until)


def _more(*parts: Stays) -> Stays:
    return Stays(*(np.concatenate([getattr(part, name) for part in parts]) for name in Stays.__slots__))


def write_addresses(chunk: Chunk) -> None:
    rng = chunk.rng("address")
    homes = make_homes(chunk, rng)
    stays = _stays(chunk, homes, rng)
    order = np.argsort(chunk.pi_numbers[stays.record], kind="stable")
    stays = Stays(*(getattr(stays, name)[order] for name in Stays.__slots__))
    sheet = Sheet(
        "CF_ADDRESS", _columns(chunk, homes, stays, rng), ("ADDR_NO",), rng, soft="LINE2", free=("LINE1",),
        least=chunk.least,
    )  # fmt: skip
    postcodes = sheet.columns["POSTCODE"].str.to_uppercase().str.replace_all(" ", "", literal=True)
    sheet.repaired = {
        "FROM_DT": iso(stays.since),
        "TO_DT": iso(stays.until),
        "POSTCODE": postcodes.str.replace(r"(...)$", " ${1}"),
    }
    _spoil(chunk, sheet)
    finish(sheet, chunk.writer, lambda own: inherit(own, (chunk.standing, stays.record)))


def _columns(chunk: Chunk, homes: Homes, stays: Stays, rng: np.random.Generator) -> dict[str, pl.Series]:
    dates, codes = chunk.pools.dates, chunk.pools.codes["address_type"]
    lines = _lines(chunk, homes, stays, rng)
    street, number = homes.street[stays.home], homes.number[stays.home]
    uprn = 100_000_000_000 + street * 10_000 + number * 10 + homes.flat[stays.home] % 10
    no_uprn = rng.random(len(stays.record)) < 0.3
    return {
        "ADDR_NO": chunk.numbers(1, len(stays.record)),
        "PI_NO": chunk.pi.gather(stays.record),
        "ADDR_TYPE": codes.text(rng, stays.kind),
        **{f"LINE{at + 1}": line for at, line in enumerate(lines)},
        "POSTCODE": _postcode(chunk.pools.places.postcodes(street, number), rng),
        "UPRN": blank_where(pl.Series(uprn).cast(pl.String), no_uprn),
        "FROM_DT": dates.text(dates.index(rng, stays.since, SCREEN)),
        "TO_DT": dates.text(dates.open_ended(rng, stays.until, SCREEN)),
    }


def _lines(chunk: Chunk, homes: Homes, stays: Stays, rng: np.random.Generator) -> list[pl.Series]:
    """The same door on two lines or three, with the flat before, behind a comma or on a line of its own."""
    places = chunk.pools.places
    street, flat = homes.street[stays.home], homes.flat[stays.home]
    n = len(street)
    door = pl.Series(homes.number[stays.home]).cast(pl.String) + " " + places.streets.gather(street)
    town = places.town_names.gather(places.town[street])
    how, county = rng.random(n), choose(rng.random(n) < 0.35, pl.Series([COUNTY]).new_from_index(0, n), blank(n))
    flats = "Flat " + pl.Series(flat).cast(pl.String)
    apart = (flat > 0) & (how < 0.45)
    joined = choose(flat > 0, flats + ", " + door, door)
    broken = ~apart & (rng.random(n) < 0.0015)
    one = choose(apart, flats, choose(broken, joined + "\n" + town, joined))
    two = choose(apart, door, choose(broken, county, town))
    three = choose(apart, town, choose(broken, blank(n), county))
    four = choose(apart, county, blank(n))
    loud = rng.random(n) < 0.2
    return [pad(rng, choose(loud, line.str.to_uppercase(), line), 35, 0.02) for line in (one, two, three, four)]


def blank(n: int) -> pl.Series:
    return pl.Series([""]).new_from_index(0, n)


def _postcode(texts: pl.Series, rng: np.random.Generator) -> pl.Series:
    how = rng.random(len(texts))
    tight = texts.str.replace(" ", "", literal=True)
    text = choose(how < 0.08, tight, choose(how > 0.97, texts.str.to_lowercase(), texts))
    return blank_where(text, (how > 0.08) & (how < 0.12))


def _spoil(chunk: Chunk, sheet: Sheet) -> None:
    rows = sheet.pick(4e-4)
    for column in ("LINE1", "LINE2", "LINE3", "LINE4"):
        sheet.spoil(rows, column, [""] * len(rows))
    sheet.reject(rows, REQUIRED)
    orphan_people(sheet, "PI_NO", 4e-4)
    rows = sheet.pick(2e-3, (sheet.columns["POSTCODE"] != "").to_numpy())
    whole = sheet.columns["POSTCODE"].gather(rows)
    sheet.spoil(rows, "POSTCODE", [text[:-1] if at % 2 else f"{text}9" for at, text in enumerate(whole)])
    sheet.set_aside(rows, "POSTCODE", "postcode")
    dates = chunk.pools.dates
    for column in ("FROM_DT", "TO_DT"):
        rows = sheet.pick(5e-4)
        sheet.spoil(rows, column, dates.text(dates.impossible(sheet.rng, len(rows))))
        sheet.set_aside(rows, column, "date")


def write_aliases(chunk: Chunk) -> None:
    """Maiden names, nicknames and other names; a child's names before an adoption are nobody's alias."""
    rng, names = chunk.rng("alias"), chunk.pools.names
    people, records, codes = chunk.people, chunk.records, chunk.pools.codes["alias_type"]
    n = records.first
    luck = rng.random(n)
    short = pl.Series([NICKNAMES.get(name, "") for name in names.forenames])
    nick = short.gather(people.forename)
    maiden = np.flatnonzero((people.maiden >= 0) & (luck < 0.7))
    nicked = np.flatnonzero((nick != "").to_numpy() & (luck > 0.6))
    grown = SNAPSHOT - people.born > 20 * YEAR
    other = np.flatnonzero(grown & (luck > 0.35) & (luck < 0.43) & (people.was < 0) & (people.kind != TRAINER))
    row = np.concatenate([maiden, nicked, other])
    surnames = pl.Series(names.surnames)
    former = names.draw_surnames(rng, people.culture[other])
    called = surnames.gather(np.concatenate([people.maiden[maiden], people.surname[nicked], former]))
    sheet = Sheet("CF_ALIAS", {
        "ALIAS_NO": chunk.numbers(2, len(row)),
        "PI_NO": chunk.pi.gather(row),
        "ALIAS_TYPE": codes.text(rng, np.concatenate([
            codes.at("MAID")[np.zeros(len(maiden), dtype=np.int64)],
            codes.at("NICK", "AKA")[rng.choice(2, len(nicked), p=(0.8, 0.2))],
            codes.at("PREV", "AKA", "ALT")[rng.choice(3, len(other), p=(0.6, 0.3, 0.1))],
        ])),
        "SURNAME": pad(rng, called, 30),
        "FORENAMES": pl.concat([
            pl.Series(names.forenames).gather(people.forename[maiden]), nick.gather(nicked),
            pl.Series(names.forenames).gather(people.forename[other]),
        ]),
        "FROM_DT": _dates(chunk, rng, chunk.records.created[row]),
        "TO_DT": chunk.pools.dates.text(chunk.pools.dates.open_ended(rng, np.full(len(row), NEVER), ORACLE)),
    }, ("ALIAS_NO",), rng, soft="FORENAMES", least=chunk.least)  # fmt: skip
    orphan_people(sheet, "PI_NO", 4e-4)
    rows = sheet.pick(1e-3)
    sheet.spoil(rows, "FROM_DT", chunk.pools.dates.text(chunk.pools.dates.impossible(rng, len(rows))))
    sheet.set_aside(rows, "FROM_DT", "date")
    order = np.argsort(chunk.pi_numbers[row], kind="stable")
    finish(sheet, chunk.writer, lambda own: inherit(own, (chunk.standing, row)), order=order)


def _dates(chunk: Chunk, rng: np.random.Generator, days: Ints) -> pl.Series:
    return chunk.pools.dates.text(chunk.pools.dates.index(rng, days, ORACLE))
