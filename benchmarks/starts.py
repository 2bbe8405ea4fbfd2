"""What hangs on the levels' starting chances: `python -m benchmarks.starts --people 4000`.

Each table of levels (`kinds.sources`) starts once as it is, and once FLAT of the way towards knowing nothing: all
its levels alike, in every relation. Prints by how much the own F1 moves, register by register.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, islice
from typing import Any

import polars as pl

from benchmarks.kinds import PLAIN, VARIANTS
from benchmarks.linkage import fields_for
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import Fields, evaluate, link
from casebridge.dedupe.linkage.comparisons.levels import Level
from casebridge.dedupe.linkage.kinds.sources import level_tables

FLAT = 0.3
CASES = ("plain", "dirty", "gaps", "few nhs", "names and date")


def flatter(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    """The levels with starts FLAT of the way to all alike; those of each relation add up to what they did."""
    sums = [sum(one.start[k] for one in levels) / len(levels) for k in range(len(levels[0].start))]
    mixed = [tuple((1 - FLAT) * a + FLAT * b for a, b in zip(one.start, sums, strict=True)) for one in levels]
    return tuple(replace(one, start=start) for one, start in zip(levels, mixed, strict=True))


@contextmanager
def started_flatter(names: list[str]) -> Iterator[None]:
    """Levels of one comparison, wherever a module of comparisons holds their tables, replaced for a while."""
    tables = [level_tables()[name] for name in names]
    flat, before = iter(flatter(tuple(chain(*tables)))), []
    for table in tables:
        new = tuple(islice(flat, len(table)))
        for owner, name, held in _holders(table):
            before.append((owner, name, held))
            setattr(owner, name, (new,) if name == "__defaults__" else new if isinstance(held, tuple) else new[0])
    try:
        yield
    finally:
        for owner, name, held in before:
            setattr(owner, name, held)


def _holders(table: tuple[Level, ...]) -> list[tuple[Any, str, Any]]:
    """Where a table stands: under a name of a module, or as what a function takes where nothing is given."""
    found: list[tuple[Any, str, Any]] = []
    for module in [m for name, m in sys.modules.items() if ".linkage.comparisons." in name]:
        for name, held in vars(module).items():
            if held is table[0] or (isinstance(held, tuple) and len(held) and held[0] is table[0]):
                found.append((module, name, held))
            defaults = getattr(held, "__defaults__", None)
            if defaults and len(defaults) == 1 and defaults[0] is table and held.__module__ == module.__name__:
                found.append((held, "__defaults__", defaults))
    return found


def comparisons() -> dict[str, list[str]]:
    """The tables of each comparison of people: exact agreement and the rest are two."""
    found: dict[str, list[str]] = {}
    for name in level_tables():
        if not name.startswith("organisations.") and name != "codes.code_levels":
            found.setdefault(name.removesuffix("_EXACT").removesuffix("_REST"), []).append(name)
    return found


def registers(people: int) -> dict[str, tuple[pl.DataFrame, Fields]]:
    names = replace(PLAIN, columns=("first", "last", "dob"))
    variants = {name: VARIANTS.get(name, names) for name in CASES}
    return {
        name: (make_register(people, variant, seed=9), fields_for(variant.columns))
        for name, variant in variants.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=4000)
    made = registers(parser.parse_args().people)

    def scores() -> list[float]:
        return [evaluate(link(f, fields), f, fields, "person")["proposed"]["f1"] for f, fields in made.values()]

    as_is = scores()
    _line(["flatter start of", *made], "", "|" + "---|" * (len(made) + 1))
    _line(["(none: own F1)", *(f"{one:.4f}" for one in as_is)])
    for comparison, tables in comparisons().items():
        with started_flatter(tables):
            moved = [now - was for now, was in zip(scores(), as_is, strict=True)]
        if any(moved):
            _line([comparison, *(f"{one:+.4f}" for one in moved)])


def _line(cells: list[str], *more: str) -> None:
    sys.stdout.write("\n".join([f"| {' | '.join(cells)} |", *filter(None, more)]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
