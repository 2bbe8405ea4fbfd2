"""One human being, several records: who is keyed in twice, and what went wrong on the way.

Between 8 and 13 % of person rows are such copies. Each copy carries the names of its
errors (slips.py) into the truth.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from casebridge.synthetic.council import ADOPTER, CHILD, NEVER, NOBODY, SNAPSHOT, TRAINER, People
from casebridge.synthetic.names import Ints, Names
from casebridge.synthetic.slips import SLIPS, UNKNOWN_SEX, Draft, go_wrong
from casebridge.synthetic.verdicts import Mask

SHARE: Final = 0.105  # of person rows


@dataclass(slots=True)
class Records:
    """The rows of CF_PERSON, still clean: `person` says whose row it is. Copies stand behind the first records."""

    person: Ints
    copy: Ints
    surname: list[str]
    forenames: list[str]
    born: Ints
    expected: Ints
    sex: Ints
    nhs: Ints
    mistyped: Mask
    moved: Mask
    created: Ints
    errors: list[list[str]]
    first: int  # how many of the rows are first records: row i of those is human being i

    def __len__(self) -> int:
        return len(self.person)


def make_records(people: People, names: Names, nhs: Ints, rng: np.random.Generator, copies: int) -> Records:
    """A first record for everybody, then `copies` more rows, some people having three or four."""
    n = len(people)
    records = _first_records(people, names, nhs, rng)
    whose = _who_is_keyed_twice(people, rng, copies)
    number = _numbered(whose)
    unborn = (people.entry < people.born - 14)[whose] & ~_twin(people)[whose] & (number == 1)
    unborn &= rng.random(len(whose)) < 0.6
    chance = rng.random((len(whose), len(SLIPS)))
    choices = rng.random(len(whose))
    drafts = [
        _draft(people, names, records, person, choice) for person, choice in zip(whose, choices, strict=True)
    ]
    errors = [go_wrong(one, row) for one, row in zip(drafts, chance, strict=True)]
    entry = _keyed_in_again(people, whose, rng)
    for at in np.flatnonzero(unborn):
        drafts[at] = _unborn_draft(people, names, int(whose[at]), drafts[at].choice)
        errors[at] = ["unborn_record"]
    entry[unborn] = people.entry[whose[unborn]]
    records.expected[whose[unborn]] = NEVER
    records.created[whose[unborn]] = np.minimum(people.born[whose[unborn]] + 5, SNAPSHOT)
    expected = np.where(unborn, people.born[whose] + rng.integers(-12, 13, len(whose)), NEVER)
    return _extended(records, drafts, errors, whose, number, expected, entry, n)


def _first_records(people: People, names: Names, nhs: Ints, rng: np.random.Generator) -> Records:
    n = len(people)
    second = [f"-{names.surnames[at]}" if at >= 0 else "" for at in people.second]
    middle = [f" {names.forenames[at]}" if at >= 0 else "" for at in people.middle]
    unborn = people.born > SNAPSHOT
    before_birth = (people.entry < people.born) & (rng.random(n) < 0.7)
    expected = np.where(before_birth, people.born + rng.integers(-14, 15, n), NEVER)
    return Records(
        person=np.arange(n),
        copy=np.zeros(n, dtype=np.int64),
        surname=[names.surnames[at] + tail for at, tail in zip(people.surname, second, strict=True)],
        forenames=_forenames(people, names, middle, unborn, rng),
        born=np.where(unborn, NEVER, people.born),
        expected=np.where(unborn, people.born, expected),
        sex=np.where(unborn, UNKNOWN_SEX, people.female),
        nhs=np.where(unborn, 0, nhs),
        mistyped=np.zeros(n, dtype=np.bool_),
        moved=np.zeros(n, dtype=np.bool_),
        created=people.entry.copy(),
        errors=[[] for _ in range(n)],
        first=n,
    )


def _forenames(
    people: People, names: Names, middle: list[str], unborn: Mask, rng: np.random.Generator
) -> list[str]:
    known = [names.forenames[at] + tail for at, tail in zip(people.forename, middle, strict=True)]
    waiting = ("Unborn", "UNBORN BABY", "Unborn", "Baby")
    for at in np.flatnonzero(unborn):
        known[at] = waiting[int(rng.integers(0, 4))]
    return known


def _who_is_keyed_twice(people: People, rng: np.random.Generator, copies: int) -> Ints:
    """Children of moving families and people with names the clerk cannot spell come in twice more often."""
    never = np.isin(people.kind, (TRAINER, ADOPTER)) | (people.was >= 0) | (people.born > SNAPSHOT)
    never[people.was[people.was >= 0]] = True
    weight = np.where(never, 0.0, 1.0 + 0.6 * (people.kind == CHILD) + 0.7 * (people.culture > 0))
    awaited = (people.entry < people.born - 14) & ~never
    weight = np.where(awaited, 3.0, weight)
    rising = np.cumsum(weight)
    whose = np.searchsorted(rising, rng.random(copies) * rising[-1], side="right")
    thrice = rng.random(copies) < 0.12
    thrice[0] = False
    last_new = np.maximum.accumulate(np.where(thrice, 0, np.arange(copies)))
    return np.sort(whose[last_new])


def _numbered(whose: Ints) -> Ints:
    """1, 2, 3 within each run of equal numbers."""
    start = np.concatenate([[True], whose[1:] != whose[:-1]])
    run = np.maximum.accumulate(np.where(start, np.arange(len(whose)), 0))
    return np.arange(len(whose)) - run + 1


def _twin(people: People) -> Mask:
    key = np.where(
        people.sibship >= 0, people.sibship * 200_000 + people.born + 100_000, -1 - np.arange(len(people))
    )
    _, where, count = np.unique(key, return_inverse=True, return_counts=True)
    return np.asarray(count[where] > 1, dtype=np.bool_)


def _draft(people: People, names: Names, records: Records, person: int, choice: float) -> Draft:
    maiden = int(people.maiden[person])
    return Draft(
        surname=records.surname[person],
        forenames=records.forenames[person],
        born=int(records.born[person]),
        sex=int(records.sex[person]),
        nhs=int(records.nhs[person]),
        maiden=names.surnames[maiden] if maiden != NOBODY else "",
        choice=float(choice),
    )


def _unborn_draft(people: People, names: Names, person: int, choice: float) -> Draft:
    mother = int(people.mother[person])
    surname = names.surnames[int(people.surname[mother if mother >= 0 else person])]
    return Draft(surname, "Unborn" if choice < 0.6 else "Baby", NEVER, UNKNOWN_SEX, 0, "", choice)


def _keyed_in_again(people: People, whose: Ints, rng: np.random.Generator) -> Ints:
    until = np.where(people.died[whose] > NEVER, people.died[whose], SNAPSHOT)
    from_ = np.maximum(people.entry[whose], people.born[whose]) + 3
    later = from_ + rng.random(len(whose)) ** 1.6 * np.maximum(until - from_, 0)
    return np.asarray(np.minimum(later, SNAPSHOT), dtype=np.int64)


def _extended(
    records: Records, drafts: list[Draft], errors: list[list[str]], whose: Ints, number: Ints,
    expected: Ints, entry: Ints, n: int,
) -> Records:  # fmt: skip
    def more(old: Ints, new: list[int]) -> Ints:
        return np.concatenate([old, np.array(new, dtype=np.int64)])

    return Records(
        person=np.concatenate([records.person, whose]),
        copy=np.concatenate([records.copy, number]),
        surname=records.surname + [one.surname for one in drafts],
        forenames=records.forenames + [one.forenames for one in drafts],
        born=more(records.born, [one.born for one in drafts]),
        expected=np.concatenate([records.expected, expected]),
        sex=more(records.sex, [one.sex for one in drafts]),
        nhs=more(records.nhs, [one.nhs for one in drafts]),
        mistyped=np.concatenate([records.mistyped, [one.mistyped for one in drafts]]),
        moved=np.concatenate([records.moved, [one.moved for one in drafts]]),
        created=np.concatenate([records.created, entry]),
        errors=records.errors + errors,
        first=n,
    )


def nhs_numbers(rng: np.random.Generator) -> Ints:
    """Every valid number of the range that is reserved for tests, 999 000 0000 up, in a shuffled order."""
    stems = 999_000_000 + rng.permutation(1_000_000)
    return with_check_digit(stems)


def with_check_digit(stems: Ints) -> Ints:
    """Modulus 11 over the nine digits; stems whose check digit would be ten are left out."""
    total = np.zeros(len(stems), dtype=np.int64)
    for place in range(9):
        total += (stems // 10**place % 10) * (place + 2)
    check = (11 - total % 11) % 11
    numbers = stems * 10 + check
    good = (check != 10) & (numbers != 9_999_999_999)
    return np.asarray(numbers[good], dtype=np.int64)
