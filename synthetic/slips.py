"""How one copy of a record goes wrong: each slip changes one field the way clerks and telephones do.

The rates are those that linkage studies of English records report (see docs/synthetic.md). A field slips at
most once, or the second slip would hide the first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from casebridge.synthetic.council import NEVER, SNAPSHOT, day
from casebridge.synthetic.names import NICKNAMES

UNKNOWN_SEX: Final = 2


@dataclass(slots=True)
class Draft:
    """One copy while it goes wrong."""

    surname: str
    forenames: str
    born: int
    sex: int
    nhs: int
    maiden: str
    choice: float
    mistyped: bool = False
    moved: bool = False


Slip = Callable[[Draft], bool]


def _at(text: str, choice: float) -> int:
    return min(int(choice * 9973) % max(len(text) - 1, 1) + 1, len(text) - 1)


def typo(text: str, choice: float) -> str:
    """A neighbouring key, a lost letter, a doubled letter or two letters swapped; never the first letter."""
    if len(text) < 4:
        return text + text[-1]
    at, how = _at(text, choice), int(choice * 4)
    if how == 0:
        return text[:at] + text[at + 1 :]
    if how == 1:
        return text[:at] + text[at] + text[at:]
    if how == 2 and at + 1 < len(text) and text[at] != text[at + 1]:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    keys = "qwertyuiopasdfghjklzxcvbnm"
    here = keys.find(text[at].lower())
    return text[:at] + keys[(here + 1) % 26] + text[at + 1 :]


_SOUNDS: Final = (
    ("ph", "f"), ("ck", "k"), ("ie", "y"), ("ey", "y"), ("y", "ie"), ("ll", "l"), ("tt", "t"), ("nn", "n"),
    ("ss", "s"), ("Mc", "Mac"), ("sh", "ch"), ("ea", "ee"), ("ow", "ou"), ("ai", "ay"), ("z", "s"), ("c", "k"),
    ("k", "ck"), ("th", "t"), ("gh", "h"), ("e", "a"), ("i", "y"), ("o", "u"),
)  # fmt: skip


def by_ear(text: str, choice: float) -> str:
    """Written down as it was heard over the telephone."""
    turn = int(choice * len(_SOUNDS))
    for sound, heard in _SOUNDS[turn:] + _SOUNDS[:turn]:
        at = text.find(sound, 1) if sound != "Mc" else text.find(sound)
        if at >= 0:
            return text[:at] + heard + text[at + len(sound) :]
    return text + "e"


def _surname(change: Callable[[str, float], str]) -> Slip:
    def slip(one: Draft) -> bool:
        before, one.surname = one.surname, change(one.surname, one.choice)
        return before != one.surname

    return slip


def _forename(change: Callable[[str, float], str]) -> Slip:
    def slip(one: Draft) -> bool:
        name, _, rest = one.forenames.partition(" ")
        before, one.forenames = one.forenames, f"{change(name, one.choice)} {rest}".strip()
        return before != one.forenames

    return slip


def _drop_middle(one: Draft) -> bool:
    before, one.forenames = one.forenames, one.forenames.partition(" ")[0]
    return before != one.forenames


def _maiden(one: Draft) -> bool:
    one.surname, had = one.maiden or one.surname, bool(one.maiden)
    return had


def _half(one: Draft) -> bool:
    before, parts = one.surname, one.surname.split("-")
    one.surname = parts[int(one.choice * len(parts))]
    return before != one.surname


def _swap_names(one: Draft) -> bool:
    one.surname, one.forenames = one.forenames.partition(" ")[0], one.surname
    return True


def _born(one: Draft, year: int, month: int, of_month: int) -> bool:
    """A wrong date is still a date that has been; one in the future a screen would have refused."""
    before, wrong = one.born, day(year, month, of_month)
    one.born = wrong if wrong <= SNAPSHOT else before
    return before != one.born


def _date(one: Draft) -> date:
    return date(1970, 1, 1) + timedelta(days=one.born)


def _swap_day_month(one: Draft) -> bool:
    d = _date(one)
    return d.day <= 12 and _born(one, d.year, d.day, d.month)


def _wrong_digit(one: Draft) -> bool:
    d, which = _date(one), int(one.choice * 3)
    if which == 0:
        return _born(one, d.year, d.month, d.day + 1 if d.day < 28 else d.day - 1)
    if which == 1:
        return _born(one, d.year, d.month % 12 + 1, min(d.day, 28))
    return _born(one, d.year - (1 if one.choice < 0.85 else 10), d.month, min(d.day, 28))


def _wrong_century(one: Draft) -> bool:
    d = _date(one)
    return _born(one, d.year - 100 if d.year >= 2000 else d.year + 100, d.month, min(d.day, 28))


def _default_date(one: Draft) -> bool:
    return _born(one, (1900, 1901, 1970, _date(one).year)[int(one.choice * 4)], 1, 1)


def _no_date(one: Draft) -> bool:
    one.born = NEVER
    return True


def _sex(one: Draft, value: int) -> bool:
    before, one.sex = one.sex, value
    return before != value


def _no_nhs(one: Draft) -> bool:
    had, one.nhs = one.nhs > 0, 0
    return had


def _mistype_nhs(one: Draft) -> bool:
    """Two neighbours swapped, or one digit up: the check digit shows either."""
    if not one.nhs:
        return False
    text, at = str(one.nhs), 3 + int(one.choice * 6)
    swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    higher = text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]
    one.nhs, one.mistyped = int(swapped if swapped != text else higher), True
    return True


def _move(one: Draft) -> bool:
    one.moved = True
    return True


# name: (field, share of the copies to which it can happen, slip), in the order in which they befall a copy.
SLIPS: Final[dict[str, tuple[str, float, Slip]]] = {
    "nickname": ("forename", 0.22, _forename(lambda name, _: NICKNAMES.get(name, name))),
    "forename_typo": ("forename", 0.07, _forename(typo)),
    "forename_phonetic": ("forename", 0.05, _forename(by_ear)),
    "forename_unknown": ("forename", 0.012, _forename(lambda _, choice: "Unknown" if choice < 0.5 else "N/K")),
    "initial": ("forename", 0.04, _forename(lambda name, _: name[:1])),
    "middle_dropped": ("middle", 0.40, _drop_middle),
    "maiden_name": ("surname", 0.40, _maiden),
    "half_surname": ("surname", 0.45, _half),
    "surname_typo": ("surname", 0.08, _surname(typo)),
    "surname_phonetic": ("surname", 0.06, _surname(by_ear)),
    "names_swapped": ("surname", 0.008, _swap_names),
    "day_month_swapped": ("born", 0.06, _swap_day_month),
    "dob_digit": ("born", 0.06, _wrong_digit),
    "wrong_century": ("born", 0.012, _wrong_century),
    "default_date": ("born", 0.025, _default_date),
    "dob_missing": ("born", 0.05, _no_date),
    "sex_missing": ("sex", 0.03, lambda one: _sex(one, UNKNOWN_SEX)),
    "sex_wrong": ("sex", 0.007, lambda one: _sex(one, 1 - one.sex if one.sex < UNKNOWN_SEX else one.sex)),
    "nhs_missing": ("nhs", 0.42, _no_nhs),
    "nhs_mistyped": ("nhs", 0.06, _mistype_nhs),
    "moved_house": ("home", 0.38, _move),
}


def go_wrong(one: Draft, chance: npt.NDArray[np.float64]) -> list[str]:
    """Let the slips befall the draft; returns their names."""
    done: list[str] = []
    slipped: set[str] = set()
    for (name, (field, rate, slip)), roll in zip(SLIPS.items(), chance.tolist(), strict=True):
        if roll < rate and field not in slipped and slip(one):
            slipped.add(field)
            done.append(name)
    return done
