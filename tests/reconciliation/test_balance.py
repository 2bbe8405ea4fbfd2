"""Every source row has its place, on both databases."""

from __future__ import annotations

from hand_made import World

import reconciliation
from project.tally import Tally


def test_a_migration_in_balance(world: World) -> None:
    tally = reconciliation.run(world.job)
    assert world.failed() == set()
    assert tally == Tally(
        read=25, passed=11, combined=2, merged=1, rejected=7, excluded=1, held=3, set_aside=1, warned=0
    )
