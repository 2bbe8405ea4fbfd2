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
OF_A_LOAD = [m for m in FAILPOINTS if m not in {"after delete", "in rollback", "before the run is forgotten"}]
"""The others are reached by a delta or a rollback, and have their tests there."""


@pytest.mark.parametrize("moment", OF_A_LOAD)
def test_killed_at_a_moment_and_run_again(moment: str, ready: Migration, whole: Contents) -> None:
    often = moment in {"before begin", "after copy", "before commit", "after commit", "between tables"}
    first = 1 + random.Random(moment).randrange(15) if often else 1
    assert killed_at(LOAD, ready.folder, moment, first)
    if often:
        assert killed_at(LOAD, ready.folder, moment, 2)
    assert plain(contents(loaded(ready).target)) == whole


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment_and_run_again(seed: int, ready: Migration, whole: Contents) -> None:
    moments = random.Random(seed)
    while killed_after(LOAD, ready.folder, moments.uniform(0.4, 2.4)):
        pass
    assert plain(contents(ready.target)) == whole
