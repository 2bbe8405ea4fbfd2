"""The plug is pulled at every named moment of a load, and at some that have no name. What was killed is run
again, and the target equals that of a load that nothing interrupted, row for row."""

from __future__ import annotations

import random

import pytest
from prepared import FIRST, Contents, loaded, plain

from casebridge.load.writing.failpoints import FAILPOINTS
from tests.councils import Migration, contents
from tests.plug import killed_after, killed_at

LOAD = ["load", "--name", FIRST]
ONCE = ("before the run is noted", "after loosen")
OFTEN = ("before begin", "after copy", "before commit", "after commit", "between tables")
AT_LAST = ("before tighten",)
OF_ANOTHER = {"after delete", "in rollback", "before the run is forgotten"}
"""These are reached by a delta or a rollback, and have their tests there."""


def test_every_moment_is_named_here() -> None:
    assert {*ONCE, *OFTEN, *AT_LAST} == set(FAILPOINTS) - OF_ANOTHER


def test_killed_at_every_moment_and_run_again(ready: Migration, whole: Contents) -> None:
    """Each goes on from where the last one was killed; what comes with every batch, at two of them."""
    moments = random.Random(1)
    often = [(moment, nth) for moment in OFTEN for nth in (moments.randint(2, 4), 2)]
    for moment, nth in [*((m, 1) for m in ONCE), *often, *((m, 1) for m in AT_LAST)]:
        assert killed_at(LOAD, ready.folder, moment, nth), (moment, nth)
    assert plain(contents(loaded(ready).target)) == whole


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment_and_run_again(seed: int, ready: Migration, whole: Contents) -> None:
    """Each time it has a little longer: on a slow machine it would never come to its end."""
    moments, longer = random.Random(seed), 1.0
    while killed_after(LOAD, ready.folder, longer * moments.uniform(0.4, 2.4)):
        longer *= 1.2
    assert plain(contents(ready.target)) == whole
