"""Spot checks: the auditor draws some accesses by chance and says what he found of each; the log has all of it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from casebridge.project.audit import Entry

DRAWN, OUTCOME = "spot check drawn", "spot check"
"""Kinds of entries in the log of reads."""
MANY = 10
OUTCOMES = ("in order", "asked and explained", "to be followed up")
_ACCESSES = frozenset({"view", "view group", "reveal", "list", "export", "desk"})


@dataclass(frozen=True)
class Checked:
    """An access that was drawn: its chain and number as `reads-12`, what it was, and the outcome and who said it
    (empty while nobody has)."""

    name: str
    entry: Entry
    outcome: str = ""
    by: str = ""


def draw(reads: Sequence[Entry], acts: Sequence[Entry], since: str) -> list[str]:
    """The names of MANY accesses since a day, by chance, that no earlier spot check had."""
    before = {name for entry in reads if entry.kind == DRAWN for name in _names(entry)}
    free = [name for name, entry in _named(reads, acts).items()
            if entry.kind in _ACCESSES and entry.at >= since and name not in before]  # fmt: skip
    return sorted(secrets.SystemRandom().sample(free, min(MANY, len(free))))


def drawn(reads: Sequence[Entry], acts: Sequence[Entry]) -> list[Checked]:
    """The accesses of the last spot check, each with its outcome."""
    last = next((entry for entry in reversed(reads) if entry.kind == DRAWN), None)
    named, said = _named(reads, acts), {}
    for entry in reads:
        if entry.kind == OUTCOME and entry.body:
            said[str(entry.body["access"])] = (str(entry.body["outcome"]), str(entry.body["login"]))
    return [Checked(name, named[name], *said.get(name, ("", "")))
            for name in (_names(last) if last else ()) if name in named]  # fmt: skip


def tally(reads: Sequence[Entry]) -> dict[str, int]:
    """How many accesses had which outcome, over all spot checks; the last word on each counts."""
    last = {str(entry.body["access"]): str(entry.body["outcome"])
            for entry in reads if entry.kind == OUTCOME and entry.body}  # fmt: skip
    return {outcome: sum(said == outcome for said in last.values()) for outcome in OUTCOMES}


def _named(reads: Sequence[Entry], acts: Sequence[Entry]) -> dict[str, Entry]:
    both = (("reads", reads), ("acts", acts))
    return {f"{chain}-{entry.number}": entry for chain, some in both for entry in some}


def _names(entry: Entry) -> list[str]:
    return str((entry.body or {}).get("accesses", "")).split()
