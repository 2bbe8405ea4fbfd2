"""Tonight against the last thirty nights: what a data team should look at before it turns into a bad morning."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter

from casebridge.dedupe.scan.history import Record

NIGHTS = 30
FEW = 5
"""Nights before which nothing can be said of what is usual."""
TIMES, MANY_CHANGED, MANY_NEW = 5, 0.01, 20
LARGE, GROWN, FAR_TOO_LARGE, SOME = 0.02, 2.0, 0.25, 50
SHRUNK, OFF = 0.98, 0.15
HALF, EMPTIED = 0.5, 0.1
_FIRST = itemgetter(0)


def drift(before: Sequence[Record], tonight: Record, many: str = "people") -> list[str]:
    """Warnings, a sentence each. before: the nights that are kept, the oldest first; of the last NIGHTS the median
    is what is usual. many: what the records are called. Counts and shares only.

    Volume: TIMES as many changes or new pairs as usual. Scores: the mean probability of new pairs moved by OFF.
    Blocks: the commonest value of a role is on a share of LARGE and GROWN times what is usual, or what it was last
    night, or on a share of FAR_TOO_LARGE, and on SOME at least: it is likely a placeholder. The register: it is
    smaller than last night, or than is usual, a table of it is HALF of that, or a role is filled in for EMPTIED
    fewer of all people: one bad night hides no other, and a bad month no bad night.
    """
    usual = [record for record in before if record.night > 1][-NIGHTS:]
    volume = _volume(usual, tonight, many) if len(usual) >= FEW else ()
    known = (usual, list(before[-1:]), tonight, many)
    return [*_shrunk(*known), *_emptied(*known), *_blocks(*known), *volume]


def _shrunk(usual: Sequence[Record], last: Sequence[Record], tonight: Record, many: str) -> Iterator[str]:
    there, typical = f"the register has {tonight.people:,} {many}, where", _median(usual, lambda one: one.people)
    if any(tonight.people < SHRUNK * one.people for one in last):
        yield f"{there} it had {last[0].people:,}: was all of it read?"
    elif tonight.people < SHRUNK * typical:
        yield f"{there} {typical:,.0f} are usual: was all of it read?"


def _emptied(usual: Sequence[Record], last: Sequence[Record], tonight: Record, many: str) -> Iterator[str]:
    """Of tables and columns: they were not read whole, or something no longer fills them in."""
    for name, rows in sorted(tonight.rows_there.items()):
        most, words = max(_known(usual, last, lambda one: one.rows_there, name), key=_FIRST, default=(0.0, ""))
        if rows < HALF * most and most >= SOME:
            yield f"{name} has {rows:,} rows, where {words.format(f'{most:,.0f}')}: was all of it read?"
    for role, share in sorted(tonight.filled.items()):
        most, words = max(_known(usual, last, lambda one: one.filled, role), key=_FIRST, default=(0.0, ""))
        if share < most - EMPTIED and (most - share) * tonight.people >= SOME:
            before = words.format(f"{most:.1%}")
            yield f"{role.replace('_', ' ')}: {share:.1%} of all {many} have any, where {before}"


def _volume(usual: Sequence[Record], tonight: Record, many: str) -> Iterator[str]:
    changed, new = _median(usual, lambda one: one.changed), _median(usual, lambda one: one.new)
    if tonight.changed > max(TIMES * changed, MANY_CHANGED * tonight.people):
        yield f"{tonight.changed:,} {many} changed, where {changed:,.0f} are usual: was there a mass update?"
    if tonight.new > max(TIMES * new, MANY_NEW):
        yield f"{tonight.new:,} new pairs, where {new:,.0f} are usual: look at some before all are reviewed"
    scored = [record for record in usual if record.probability is not None]
    if len(scored) >= FEW and tonight.probability is not None and tonight.new >= FEW:
        mean = _median(scored, lambda one: one.probability or 0.0)
        if abs(tonight.probability - mean) > OFF:
            yield (
                f"new pairs have a mean probability of {tonight.probability:.2f}, where {mean:.2f} is usual: the "
                "model may no longer fit (`casebridge scan --model new --dry-run` shows what another would change)"
            )


def _blocks(usual: Sequence[Record], last: Sequence[Record], tonight: Record, many: str) -> Iterator[str]:
    for role, share in sorted(tonight.largest.items()):
        known = _known(usual, last, lambda one: one.largest, role)
        low, words = min(known, key=_FIRST, default=(0.0, ""))
        if share * tonight.people < SOME:
            continue
        if share >= FAR_TOO_LARGE or (known and share >= LARGE and share >= GROWN * low):
            than = f", where {words.format(f'{low:.1%}')}" if known else ""
            yield (
                f"{role.replace('_', ' ')}: one value is on {share:.1%} of all {many}{than}. A placeholder? "
                "Once half the register shares it, everybody is compared with everybody"
            )


def _known(
    usual: Sequence[Record], last: Sequence[Record], of: Callable[[Record], Mapping[str, float]], name: str
) -> list[tuple[float, str]]:
    """What is usual and what it was last night, each with words for it; neither where no night tells it."""
    before, then = ([float(of(one)[name]) for one in nights if name in of(one)] for nights in (usual, last))
    typical = [(statistics.median(before), "{} is usual")] if before else []
    return [*typical, *((value, "last night had {}") for value in then)]


def _median(records: Sequence[Record], of: Callable[[Record], float]) -> float:
    return statistics.median([of(record) for record in records]) if records else 0.0
