"""How many pairs of twins a register holds, told by how many brothers and sisters it holds.

Where little but names and a birth date is held, nothing tells a twin from one person with a wrong forename, and no
fit can say how many of each there are. But brothers and sisters show: records of one surname and two forenames,
born NEXT days apart, are more than strangers would be, whose number is told by those born TOO_FAR apart. And for
so many brothers and sisters there are so many twins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.register.dates import day_numbers
from casebridge.dedupe.linkage.register.encoding import Register

NEXT, TOO_FAR = (300, 1400), (4400, 6600)
"""Days: ten months to almost four years; twelve to eighteen years, where few siblings stand, and no parents."""
ROWS, HOLDERS = 200_000, 20  # rows looked at; of surnames that more of these hold strangers drown siblings
NEARLY_ALL = (0.01, 0.99)  # quantiles of the birth dates, slips aside
SURE = 2.0  # standard errors, from which siblings are there at all
TWINS = 0.05
"""Pairs of twins for each pair of siblings born NEXT apart: 14 to 16 of 1,000 maternities are of twins or more
(ONS, Birth characteristics in England and Wales); half of all maternities follow another of the same mother,
and some six in ten of these within NEXT (0.015 / 0.3). Doubled it costs 0.0033 of F1 where names are few. Over
16 made-up registers of names, dates and little else, twins of 2 to 25 in 100 people among them, the mean F1 at
the own threshold is 0.976 with this, 0.975 with half of it and with twice as much, and 0.964 with none."""


HOMES = 0.01
"""Pairs of two people of one home a record, the least where no birth date is held: a third of all people live with
one other at least. A fit that loses sight of them takes them for one person, and does not find back."""


def homes_expected(register: Register) -> float:
    """The least pairs of records of one home where no birth date tells of them; otherwise the fit does."""
    return 0.0 if register.has("birth_date") else HOMES * register.size


def twins_expected(register: Register) -> float:
    """Pairs of records of two twins; 0 where names or birth dates are not held, or no siblings show."""
    if not all(register.has(role) for role in ("forename", "surname", "birth_date")):
        return 0.0
    rows = min(register.size, ROWS)
    surname, forename = (register.columns[role][:rows].astype(np.int64) for role in ("surname", "forename"))
    day = day_numbers(register.columns["birth_date"][:rows])
    held = (surname >= 0) & (forename >= 0) & (day >= 0)
    few = held & (np.bincount(surname[held], minlength=int(surname.max(initial=0)) + 1)[surname] <= HOLDERS)
    if not few.any():
        return 0.0
    of_a_name = [_unlike(surname[few], forename[few], day[few], window) for window in (NEXT, TOO_FAR)]
    of_all = [_within(np.zeros_like(day[held]), day[held], window) for window in (NEXT, TOO_FAR)]
    nearer = of_all[0] / max(of_all[1], 1)
    siblings = of_a_name[0] - nearer * of_a_name[1]
    if siblings < SURE * np.sqrt(of_a_name[0] + nearer**2 * (of_a_name[1] + 1)):
        return 0.0
    return float(TWINS * siblings * held.sum() / few.sum() * (register.size / rows) ** 2)


def twins_unseen(register: Register) -> float:
    """Pairs of twins that may be there unseen, for each pair of one person, where neither forename nor sex is
    held: as many where all are born within TOO_FAR, newborns or children, 3 in 100 of whom have a twin; elsewhere
    the others outweigh them."""
    if not register.has("birth_date"):
        return 0.0
    day = day_numbers(register.columns["birth_date"][:ROWS])
    span = np.ptp(np.quantile(day[day >= 0], NEARLY_ALL)) if (day >= 0).any() else 0.0
    return 1.0 if span < TOO_FAR[1] else 0.0


def _unlike(
    surname: NDArray[np.int64], forename: NDArray[np.int64], day: NDArray[np.int64], window: tuple[int, int]
) -> int:
    """Pairs of one surname and two forenames whose days are `window` apart."""
    both = surname * (forename.max() + 1) + forename
    return _within(surname, day, window) - _within(both, day, window)


def _within(key: NDArray[np.int64], day: NDArray[np.int64], window: tuple[int, int]) -> int:
    """Pairs of one key whose days are `window` apart, both ends counted."""
    apart = int(day.max(initial=0)) + window[1] + 2
    at = np.sort(key * apart + day)
    pairs = np.searchsorted(at, at + window[1], "right") - np.searchsorted(at, at + window[0], "left")
    return int(pairs.sum())
