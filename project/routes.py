"""One source, several targets: which rows go where is a rule of the spec, and all else follows from it.

A run loads one target. What its rules send elsewhere is left behind on purpose, under the name of who answers
for it there; children follow their parents. A row that no rule takes, or more than one, waits for a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from casebridge.project.settings import Route
from casebridge.project.spec import Exclusion, OnFail, RouteRule, RowCheck, TableSpec


def routed(specs: Sequence[TableSpec], route: str, routes: Mapping[str, Route]) -> tuple[TableSpec, ...]:
    """The specs as a run of this route has them. Specs without rules load on every side."""
    return tuple(_routed(spec, route, routes) if spec.routes else spec for spec in specs)


def _routed(spec: TableSpec, route: str, routes: Mapping[str, Route]) -> TableSpec:
    taken = {name: _taken(spec.routes, name) for name in sorted({rule.to for rule in spec.routes})}
    count = " + ".join(taken.values())
    elsewhere = tuple(
        Exclusion(f"routed_to_{name}", f"{one} = 1 AND {count} = 1", routes[name].owner, "goes to another target")
        for name, one in taken.items()
        if name != route
    )
    checks = (
        RowCheck("unrouted", f"{count} > 0", OnFail.HOLD),
        RowCheck("routed_twice", f"{count} < 2", OnFail.HOLD),
    )
    return replace(spec, exclusions=spec.exclusions + elsewhere, checks=spec.checks + checks)


def _taken(rules: Sequence[RouteRule], name: str) -> str:
    """1 for a row that goes there by any of its rules, else 0: a rule that cannot say takes nothing."""
    any_of = " OR ".join(f"({rule.when})" for rule in rules if rule.to == name)
    return f"(CASE WHEN {any_of} THEN 1 ELSE 0 END)"
