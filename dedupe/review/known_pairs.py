"""Known pairs: made up, their answer known, among the surest pairs of the queue; never decisions.

Where nearly every pair is one person, people learn to say *same* (misses of what is rare: 14 % at one in fifty
against 2.5 % at one in two). One pair in twenty there is made up. Nobody in it lives: names and days are put
together by chance, numbers are keys that no record has, and of the pair that it stands beside only counts and
codes are taken over, so that it looks like the others.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import replace

import polars as pl

from casebridge.dedupe.review.evidence_file import Held, PairEvidence, Person
from casebridge.dedupe.review.merge_rules import Outcome
from casebridge.project.batch import digest

EVERY = 20
"""One of so many pairs in the surest bands is made up."""
SUREST = 0.95
_FORENAMES = ("Alice", "Callum", "Priya", "Samuel", "Grace", "Imran", "Chloe", "Daniel", "Fatima", "Owen", "Zofia",
              "Ryan", "Leah", "Kofi", "Megan", "Tomasz", "Hannah", "Yusuf", "Ella", "Rhys")  # fmt: skip
_SURNAMES = ("Aldridge", "Bakare", "Cartwright", "Dhillon", "Ellwood", "Farrington", "Gallimore", "Hussain",
             "Ironside", "Jablonski", "Kershaw", "Lockyer", "Mistry", "Nuttall", "Oakden")  # fmt: skip
_STREETS = ("Mill Lane", "Chapel Street", "Orchard Close", "Station Road", "Priory Avenue", "Weavers Court")
Roles = dict[str, str]


def known_pairs(
    hosts: Sequence[PairEvidence],
    people: Mapping[str, Person],
    keyed: Callable[..., str],
    answered: Collection[str],
    keys: Container[str],
) -> tuple[list[Person], list[PairEvidence]]:
    """Made-up people and pairs, one for EVERY of the surest open pairs that everybody may see.

    keyed: the project's keyed digest; answered: items of known pairs that somebody has judged already: others
    come; keys: of all records of the register, which nobody made up may have.
    """
    sure = {pair.item: pair for pair in hosts if _is_sure(pair)}
    surest = [sure[item] for item in chosen(sure)]
    taken = set(people)
    made_people: list[Person] = []
    made: list[PairEvidence] = []
    number = 0
    while len(made) < len(surest):
        item, number = keyed("known", str(number))[:32], number + 1
        if item not in answered:
            both, pair = _made_up(surest[len(made)], people, item, (taken, keys))
            taken |= {one.id for one in both}
            made_people += both
            made.append(pair)
    return made_people, made


def chosen(sure: Iterable[str]) -> list[str]:
    """Of the items of the surest open pairs that everybody may see, those beside which a made-up pair stands."""
    items = sorted(sure)
    return items[::EVERY][: len(items) // EVERY]


class Sorted:
    """Whether a text is among sorted ones: a register of a million keys needs no set."""

    def __init__(self, texts: pl.Series) -> None:
        self._texts = texts

    def __contains__(self, text: object) -> bool:
        place = self._texts.search_sorted(str(text))
        return place < self._texts.len() and self._texts.item(place) == text


def _is_sure(pair: PairEvidence) -> bool:
    return pair.open and pair.clearance == 0 and pair.p >= SUREST and not pair.conflict and pair.proposed


def _made_up(
    host: PairEvidence, people: Mapping[str, Person], item: str, taken: Sequence[Container[str]]
) -> tuple[list[Person], PairEvidence]:
    """Two people and their pair, like `host`, whose keys are not `taken`."""
    chance = random.Random(item)
    known, why, one, other = made_up_pair(chance, chance.randrange(len(_KINDS)))
    made: list[Person] = []
    for roles, beside in ((one, people[host.left_id]), (other, people[host.right_id])):
        key = _free_key(beside.id, [*taken, {person.id for person in made}], chance)
        made.append(_like(beside, key, {name: value for name, value in roles.items() if value}))
    made.sort(key=lambda person: person.id)
    pair = replace(
        host, item=item, left_id=made[0].id, right_id=made[1].id, flags=(), group=(), levels={}, changed="",
        evidence=digest(made[0].digest, made[1].digest, item), known=known, known_why=why, double=False,
        preflight=str(Outcome.BEFORE_LOAD) if host.preflight else "", blockers=(),
    )  # fmt: skip
    return made, pair


def made_up_pair(chance: random.Random, kind: int) -> tuple[str, str, Roles, Roles]:
    """A pair of nobody: its answer, why it is so, and both records. kind: a number, taken round and round."""
    known, why, twist = _KINDS[kind % len(_KINDS)]
    one = _somebody(chance)
    return known, why, one, {**one, **twist(one, chance)}


def _free_key(like: str, taken: Sequence[Container[str]], chance: random.Random) -> str:
    """A key that looks like another and is nobody's."""
    system, _, key = like.partition(":")
    while True:
        made = "".join(str(chance.randrange(1, 10)) if sign.isdigit() else sign for sign in key)
        if not any(f"{system}:{made}" in some for some in taken):
            return f"{system}:{made}"
        key = f"{key}0"


def _like(beside: Person, key: str, roles: Roles) -> Person:
    shown = {name: value for name, value in roles.items() if name in beside.roles or name in _ALWAYS}
    codes = {name: value for name, value in beside.fields.items() if len(value) <= 2}
    held = tuple(Held(one.table, one.count, one.latest) for one in beside.held)
    return Person(key, 0, shown, codes, held, (), beside.teams, (), digest(shown, key))


_ALWAYS = frozenset({"forename", "surname", "birth_date", "previous_surnames"})


def _somebody(chance: random.Random) -> Roles:
    year, month, day = chance.randrange(1950, 2018), chance.randrange(1, 13), chance.randrange(1, 13)
    return {
        "forename": chance.choice(_FORENAMES), "surname": chance.choice(_SURNAMES),
        "birth_date": f"{year}-{month:02d}-{day:02d}", "nhs_number": _number(chance),
        "house": str(chance.randrange(1, 120)), "street": chance.choice(_STREETS), "postcode": "ZZ1 1ZZ",
    }  # fmt: skip


def _number(chance: random.Random) -> str:
    """An NHS number of the range kept for tests (999), with a right check digit."""
    while True:
        body = f"999{chance.randrange(1_000_000):06d}"
        check = -sum(int(digit) * (10 - place) for place, digit in enumerate(body)) % 11
        if check < 10:
            return f"{body}{check}"


def _twins(one: Roles, chance: random.Random) -> Roles:
    return {"forename": _other(_FORENAMES, one["forename"], chance), "nhs_number": _number(chance)}


def _parent(one: Roles, chance: random.Random) -> Roles:
    return {"birth_date": f"{int(one['birth_date'][:4]) - chance.randrange(22, 38)}{one['birth_date'][4:]}",
            "nhs_number": _number(chance)}  # fmt: skip


def _namesake(one: Roles, chance: random.Random) -> Roles:
    year, month, day = one["birth_date"].split("-")
    return {"birth_date": f"{year}-{int(month) % 12 + 1:02d}-{day}", "nhs_number": _number(chance),
            "street": _other(_STREETS, one["street"], chance)}  # fmt: skip


def _married(one: Roles, chance: random.Random) -> Roles:
    return {"surname": _other(_SURNAMES, one["surname"], chance), "previous_surnames": one["surname"],
            "street": _other(_STREETS, one["street"], chance)}  # fmt: skip


def _slip(one: Roles, chance: random.Random) -> Roles:
    place = chance.randrange(1, len(one["surname"]) - 1)
    return {"surname": one["surname"][:place] + one["surname"][place + 1 :], "nhs_number": ""}


def _other(of: Sequence[str], but: str, chance: random.Random) -> str:
    return chance.choice([text for text in of if text != but])


_KINDS: Sequence[tuple[str, str, Callable[[Roles, random.Random], Roles]]] = (
    ("different", "twins: one birthday, one address, two first names, two NHS numbers", _twins),
    ("different", "parent and child of one name, with a generation between the birth dates", _parent),
    ("different", "two people of one name: two birth dates, two addresses, two NHS numbers", _namesake),
    ("same", "one person, who took another last name and moved; the NHS number is the same", _married),
    ("same", "one person; a letter of the last name was left out", _slip),
)
"""The answer, why it is so, and how the second record comes from the first. More *different* than *same*: it is
the rarer answer there, and the one that is missed."""
