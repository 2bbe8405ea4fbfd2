"""Kinds of entity beside people, over made-up registers: F1 of what is put forward and of zone *same*, the best F1
of any threshold, and seconds of `link`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import click
import polars as pl

from benchmarks import addresses, organisations, professionals
from casebridge.dedupe.linkage import Fields, evaluate, link

Made = Callable[[int, int, float], pl.DataFrame]
KINDS: dict[str, tuple[Made, dict[str, str], str]] = {
    "organisation": (organisations.make_organisations, organisations.ROLES, "body"),
    "address": (addresses.make_addresses, addresses.ROLES, "door"),
    "professional": (professionals.make_professionals, professionals.ROLES, "person"),
}
"""Of each kind what makes a register of a size, seed and dirt; its roles; the column of the truth."""
SIZES = ("1500,1,1", "5000,2,1", "3000,5,1.5", "20000,4,1")


def line(kind: str, told: str) -> tuple[str, list[str]]:
    """A line of the table for a register given as entities,seed,dirt; and what `link` warns of."""
    make, roles, truth = KINDS[kind]
    size, seed, dirt = told.split(",")
    register = make(int(size), int(seed), float(dirt))
    fields = Fields(id="id", roles=roles, kind=kind)
    started = time.perf_counter()
    found = link(register, fields)
    seconds = time.perf_counter() - started
    judged = evaluate(found, register, fields, truth)
    figures = [
        f"{judged[part][what]:.3f}" for part in ("proposed", "same") for what in ("precision", "recall", "f1")
    ]
    cells = [
        kind,
        f"{int(size):,}",
        dirt,
        f"{register.height:,}",
        *figures,
        f"{judged['best']['f1']:.3f}",
        f"{seconds:.1f}",
    ]
    return f"| {' | '.join(cells)} |", found.model["warnings"]


def main() -> None:
    """Figures of one kind, or of all, of registers given as entities,seed,dirt."""
    kinds = [one for one in sys.argv[1:] if one in KINDS] or list(KINDS)
    for kind in kinds:
        for told in [one for one in sys.argv[1:] if one not in KINDS] or SIZES:
            row, warnings = line(kind, told)
            click.echo(row)
            click.echo("\n".join(warnings), err=True)


if __name__ == "__main__":
    main()
