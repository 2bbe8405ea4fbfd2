"""What a kind may take for its own that has nothing special to say: free columns, pairs on record as two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import Comparison, Level
from casebridge.dedupe.linkage.comparisons.registry import (
    NUMBER_EXACT,
    NUMBER_REST,
    OTHER_EXACT,
    OTHER_REST,
    RELATED_LEVELS,
    FreeLevels,
    categorical_comparison,
    related_comparison,
)
from casebridge.dedupe.linkage.kind import SAME, Profile
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.pair_rows import Rows


def spread(one: Level, profiles: Sequence[Profile]) -> Level:
    """A level about people with its beliefs as another kind's: those of one person for one entity, of a household
    for
    all else."""
    household = one.start[4]
    return replace(one, start=tuple(one.start[0] if p.relation == SAME else household for p in profiles))


def free_columns(profiles: Sequence[Profile]) -> Callable[[Register, str], list[Comparison]]:
    """Comparisons of free columns for a kind with these profiles."""
    believed = FreeLevels(
        spread(OTHER_EXACT, profiles),
        tuple(spread(one, profiles) for one in OTHER_REST),
        spread(NUMBER_EXACT, profiles),
        tuple(spread(one, profiles) for one in NUMBER_REST),
    )
    return partial(categorical_comparison, believed=believed)


def recorded_as_two(profiles: Sequence[Profile]) -> Callable[[Register, NDArray[np.uint64]], Comparison]:
    """The comparison of pairs on record as two, for a kind with these profiles."""
    return partial(related_comparison, levels=tuple(spread(one, profiles) for one in RELATED_LEVELS))


def no_evidence(_register: Any, left: Rows, _right: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Nothing tells of two rows by themselves that they are plainly one."""
    nothing = np.zeros(len(left), dtype=bool)
    return nothing, nothing
