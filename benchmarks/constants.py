"""What hangs on the numbers that are set by hand: `python -m benchmarks.constants --people 2500`.

Each of CONSTANTS is halved and doubled (of a likeness: its distance from 1), and made-up people are linked again:
with all columns, dirty, with few columns, without dates. Printed are the largest fall and the largest rise of F1,
at the own threshold where dates are held, and at the best threshold where they are not (what is put forward there
may be nothing, so that its F1 leaps); and how many false pairs more the zone *same* holds in all.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from benchmarks import thin
from benchmarks.ablation import FEW_NAMES, Given, made_up, wrong
from benchmarks.kinds import PLAIN, VARIANTS
from casebridge.dedupe.linkage import PERSON, Kind, evaluate, link

LINKAGE = "casebridge.dedupe.linkage."
CONSTANTS = {
    "model.mixture": ("PRIOR_PEOPLE", "PRIOR_CHANCE", "PRIOR_MEASURED", "PRIOR_LUCKY"),
    "model.fitting": ("PRIOR_SHARE",),
    "model.beliefs": ("RARE_LEVEL", "SELDOM", "MISTAKEN_NUMBERS", "DEPENDENCE", "NAMED_ALIKE"),
    "model.background": ("ENOUGH",),
    "model.training": ("LEAST_STRANGERS", "DUPLICATES_MET", "MOSTLY", "SELDOM_ONE"),
    "model.calibration": ("STEP", "SIZE", "SURE", "BELIEVED"),
    "model.third_records": ("UNLIKE", "MOST_LINKS", "PRIOR", "WRONGLY_BOUND"),
    "model.namesakes": ("OWN", "TRUSTED", "ERRORS"),
    "model.near_dates": ("OWN", "FEWEST"),
    "model.held_chance": ("BELIEF",),
    "model.identified": (
        *("UNLIKE", "DOUBTED", "FLAT", "LESS", "TOLD", "EACH", "MUCH"),
        *("MANY", "OWN", "TOLERATED", "SPARED", "HARDLY_ANY", "SHOWN"),
    ),
    "model.doubles": ("LEAST", "APART", "ERRORS", "OFF"),
    "scoring.thresholds": ("OPTIMISM", "HOMELESS", "LUCK", "ENOUGH"),
    "kinds.siblings": ("HOLDERS", "SURE", "TWINS", "HOMES"),
    "register.holders": ("FEW_AT_LEAST", "FEW"),
    "comparisons.names": ("COMMON",),
    "comparisons.surnames": ("COMMON_WORD", "MARRIAGE"),
    "comparisons.births": ("COMMON_DATE",),
    "comparisons.addresses": ("CROWD", "STREET_LIKE"),
    "comparisons.registry": ("MANY_HOLDERS", "ALIKE"),
    "register.nametable": ("CLOSE", "ALIKE"),
}
SETTLED: dict[str, dict[str, tuple[str, ...]]] = {
    "a size: more of it costs time and moves no belief": {
        "model.beliefs": ("RANDOM_PAIRS", "PAIRS_IN_BLOCKS", "ROWS_LOOKED_AT"),
        "model.training": ("FIRST_STEP", "SMALL_SAMPLE"), "model.identified": ("MOST_PATTERNS",),
        "model.namesakes": ("ROWS",), "model.near_dates": ("MOST", "DEALT"), "model.held_chance": ("ROUNDS",),
        "kinds.siblings": ("ROWS",), "scoring.cascade": ("SLOTS",),
        "model.fitting": ("MOST_ROUNDS",), "model.calibration": ("ROUNDS",), "model.third_records": ("ROUNDS",),
        "kinds.person": ("START",),
    },
    "near enough to nothing, or to what it stands for": {
        "model.background": ("NONE", "ALL_ANSWER", "MOST"),
        "model.expectation": ("MOST_ODDS", "LEAST"),
        "model.fitting": ("FLOOR", "TOLERANCE"), "model.third_records": ("TOLERANCE",),
        "model.beliefs": ("NEVER",), "model.identified": ("HARDLY",),
        "scoring.cascade": ("SLACK",), "comparisons.addresses": ("UNSEEN",),
    },
    "a promise or a rule, and no belief": {
        "scoring.thresholds": ("LEAST", "HOPELESS", "PROMISED", "FIRM", "ONE_PAIR"), "model.identified": ("LINE",),
        "model.doubles": ("SURE", "DOUBTED", "WHOLE"),
        "model.kept": (
            "FORMAT", "DRIFT_BITS", "SELDOM", "ERRORS", "MANY_UNKNOWN", "GROWTH", "LEAST_ROWS", "MANY",
        ),
    },
    "of calendars and births, with its reason beside it": {
        "model.namesakes": ("LAST", "DAYS", "LEAST", "REAL", "SPAN"),
        "model.near_dates": ("FIRST", "SPANS", "EVER"),
        "kinds.siblings": ("NEXT", "TOO_FAR", "NEARLY_ALL"),
    },
    "a place in a list": {
        "model.third_records": ("BOTH", "DIVIDED", "ONE", "NULL"),
        "kinds.professional": ("STAYED", "MOVED", "RELATIVE", "PLACES"),
    },
    "part of profiles, measured as these": {
        "kinds.person": (
            "ONE_PERSON", "UNTOLD", "NAMESAKES_A_ROW", "TWINS_A_ROW", "OF_ONE_SEX", "NO_TWINS", "ONE_BIRTH",
        ),
        "kinds.address": ("ONE_PLACE", "ONE_BUILDING", "ONE_DOOR"), "kinds.organisation": ("ONE_BODY",),
    },
}  # fmt: skip
"""Why the other numbers of these rooms are not halved and doubled."""
LIKENESSES = {"STREET_LIKE", "ALIKE", "CLOSE"}
HEADINGS = (
    "number", "halved: F1 with dates", "without", "false", "doubled: F1 with dates", "without", "false",
)  # fmt: skip
PROFILES = ("share", "ceilings", "most_a_row", "untold_a_row")


def scaled(value: Any, by: float, likeness: bool = False) -> Any:
    """A number, or each of several, as a multiple of what it is; whole numbers stay whole."""
    if isinstance(value, dict):
        return {name: scaled(one, by) for name, one in value.items()}
    if likeness:
        return 1 - (1 - value) * by
    return max(1, round(value * by)) if isinstance(value, int) else value * by


@contextmanager
def changed(module: str, name: str, by: float) -> Iterator[None]:
    """A constant as a multiple of what it is, also where other modules have brought it in."""
    before = vars(importlib.import_module(LINKAGE + module))[name]
    holders = [m for path, m in sys.modules.items() if path.startswith(LINKAGE) and vars(m).get(name) is before]
    now = scaled(before, by, name in LIKENESSES)
    for one in holders:
        setattr(one, name, now)
    try:
        yield
    finally:
        for one in holders:
            setattr(one, name, before)


def people_with(part: str, by: float) -> Kind:
    """PERSON with a part of its profiles as a multiple of what it is."""

    def changed_part(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: changed_part(one) for name, one in value.items()}
        return None if value is None else min(1.0, value * by)

    profiles = (replace(one, **{part: changed_part(getattr(one, part))}) for one in PERSON.profiles)
    return replace(PERSON, profiles=tuple(profiles))


def registers(people: int) -> dict[str, Given]:
    few = {name: thin.COLUMNS[name] for name in ("names, sex, address, phone", "names, e-mail, phone, town")}
    return {
        "plain": made_up(PLAIN, people),
        "dirty": made_up(VARIANTS["dirty"], people),
        "many copies": made_up(VARIANTS["many copies"], people // 2),
        "names, date, few names": thin.thin_register(thin.COLUMNS["names, date"], people, FEW_NAMES, 7),
        **{name: thin.thin_register(columns, people, PLAIN, 7) for name, columns in few.items()},
    }


def answers(made: dict[str, Given], kind: Kind | None = None) -> list[tuple[str, float, int]]:
    """Of each register what is judged, its F1, and false pairs in the zone *same*."""
    found = []
    for frame, fields in made.values():
        linkage = link(frame, fields, kind=kind)
        judged = "proposed" if "birth_date" in fields.roles else "best"
        f1 = evaluate(linkage, frame, fields, "person")[judged]["f1"]
        found.append((judged, f1, wrong(linkage, frame, fields.id)[1]))
    return found


def moved(now: list[tuple[str, float, int]], was: list[tuple[str, float, int]]) -> str:
    """Part of a row: the largest fall and rise of F1 with dates and without, and false pairs more."""
    cells = []
    for judged in ("proposed", "best"):
        f1 = [a[1] - b[1] for a, b in zip(now, was, strict=True) if a[0] == judged]
        cells.append(f"{min(*f1, 0.0):+.4f}, {max(*f1, 0.0):+.4f}".replace("+0.0000", "0").replace("-0.0000", "0"))
    return " | ".join([*cells, str(sum(a[2] - b[2] for a, b in zip(now, was, strict=True)))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=2500)
    parser.add_argument("--only", action="append", choices=(*CONSTANTS, "profiles"))
    given = parser.parse_args()
    made = registers(given.people)
    was = answers(made)
    as_is = ", ".join(f"{name} {f1:.4f} ({false})" for name, (_, f1, false) in zip(made, was, strict=True))
    sys.stdout.write(f"{as_is}\n\n| {' | '.join(HEADINGS)} |\n{'|---' * len(HEADINGS)}|\n")
    for module, names in CONSTANTS.items():
        for name in names if not given.only or module in given.only else ():
            cells = []
            for by in (0.5, 2.0):
                with changed(module, name, by):
                    cells.append(moved(answers(made), was))
            sys.stdout.write(f"| {module}.{name} | {' | '.join(cells)} |\n")
            sys.stdout.flush()
    for part in PROFILES if not given.only or "profiles" in given.only else ():
        cells = [moved(answers(made, people_with(part, by)), was) for by in (0.5, 2.0)]
        sys.stdout.write(f"| kinds.person.PROFILES, {part} | {' | '.join(cells)} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
