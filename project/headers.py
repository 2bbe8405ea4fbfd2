"""Which columns of somebody's file a message may name: what stands in a first line may be a record."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

_LIKE_A_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ .#/-]{0,40}")


def nameable(found: Sequence[str], wanted: Collection[str]) -> list[str]:
    """The columns that are surely names: none unless half of those wanted are among them."""
    folded = {name.casefold() for name in wanted}
    known = sum(1 for name in found if name.casefold() in folded)
    if not wanted or 2 * known < len(folded):
        return []
    return [name for name in found if _LIKE_A_NAME.fullmatch(name)]
