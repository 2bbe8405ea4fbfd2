"""What is written of people so that they are not taken for one another: Twin 1 and Twin 2, Snr and Jnr."""

from __future__ import annotations

import numpy as np

from casebridge.dedupe.linkage.comparisons.levels import Comparison, Levels, level
from casebridge.dedupe.linkage.register.encoding import BIRTH_NUMBER, GENERATION, TEMPORARY, Register
from casebridge.dedupe.linkage.register.pair_rows import PairSide

NAME = "told_apart"
ALIKE, BOTH_TEMPORARY, APART = range(3)
LEVELS = (
    level("numbered or styled alike", 0.98999, 0.01, 0.30, 0.20, namesake=0.02),
    level("both known by a newborn's temporary name", 0.01, 0.40, 0.40, 0.30, namesake=0.02),
    level("numbered or styled as two people", 0.00001, 0.59, 0.30, 0.50, namesake=0.96),
)


def telling_apart(register: Register) -> list[Comparison]:
    """Numbers of children of one birth, generations, and newborns' temporary names, where the register has any.

    | left      | right     | level                                    |
    |-----------|-----------|------------------------------------------|
    | Twin 1    | Twin 2    | numbered or styled as two people         |
    | 1Sarah    | 2Sarah    | numbered or styled as two people         |
    | Lee Snr   | Lee Jnr   | numbered or styled as two people         |
    | Lee II    | Lee III   | numbered or styled as two people         |
    | Male      | Baby      | both known by a newborn's temporary name |
    | Twin 1    | Twin 1    | numbered or styled alike                 |
    | Lee Snr   | Lee       |                                          |
    | Twin 1    | Oliver    |                                          |

    The beliefs are held: such names are given to keep people apart, and are rare enough that no register shows how
    often they fail. Of two records with temporary names of one birth most are of two children: one child gets a
    proper name, and with it a second record (Adelman and others, Use of temporary names for newborns and
    associated risks, Pediatrics 136, 2015; NHS England leaves such words out of names before it links).
    """
    all_told = (BIRTH_NUMBER, GENERATION, TEMPORARY)
    register.known.fact(NAME, lambda: tuple(name for name in all_told if name in register.facts))
    nothing = np.zeros(register.size, dtype=np.int8)
    held = {name: register.facts.get(name, nothing) for name in register.known.names(NAME)}
    if not held:
        return []
    marks = {name: register.mark(name, lambda array=array: array) for name, array in held.items()}  # type: ignore[misc]

    def quick(left: PairSide, right: PairSide) -> Levels:
        found = np.full(len(left), len(LEVELS), dtype=np.uint8)
        if TEMPORARY in marks:
            found[(left.of(marks[TEMPORARY]) & right.of(marks[TEMPORARY])) > 0] = BOTH_TEMPORARY
        apart = np.zeros(len(left), dtype=bool)
        for name in (BIRTH_NUMBER, GENERATION):
            if name in marks:
                a, b = left.of(marks[name]), right.of(marks[name])
                both = (a > 0) & (b > 0)
                found[both & (a == b)] = ALIKE
                apart |= both & (a != b)
        found[apart] = APART
        return found

    return [Comparison(NAME, LEVELS, quick, fixed=True)]
