"""What changed between two runs' mappings, rule by rule: what a change-control group reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, str]]:
    """Each rule that is new, gone or different: its place, what it was and what it is (empty for none)."""
    before, after = then["rules"], now["rules"]
    return [
        {"rule": place, "then": before.get(place, ""), "now": after.get(place, "")}
        for place in sorted(before.keys() | after.keys())
        if before.get(place) != after.get(place)
    ]
