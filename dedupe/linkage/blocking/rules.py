"""Which blocking rules a register gets: the loosest that its size can afford."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from casebridge.dedupe.linkage.blocking.keys import rule_key
from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.kind import Ladder, Rule
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.runs import runs
from casebridge.dedupe.linkage.register.values import usual_holders

SMALL_REGISTER = 700
MOST_HOLDERS = 12.0
ROWS_LOOKED_AT = 50_000
MOST_PAIRS_A_ROW = 20.0
PAIRS_A_ROW, PAIRS_AT_LEAST, PAIRS_A_ROW_AT_MOST = 1.5, 250_000, 50.0


def further_rules(register: Register, held: Sequence[Rule]) -> tuple[Rule, ...]:
    """Rules that might be added to those held: of two or three facts that may still stand where others are missing
    or wrong, free columns among them; those that would not make more than MOST_PAIRS_A_ROW."""
    blocking = register.kind.blocking
    own = [name for name in register.columns if name not in register.kind.parts and (name,) not in held]
    pool = [
        _reduced(register, rule) for rule in (*blocking.further, *((a, b) for a in own for b in blocking.beside))
    ]
    found: list[Rule] = []
    for rule in dict.fromkeys(pool):
        new = rule and not any(set(other) <= set(rule) for other in (*held, *found))
        if new and estimated_pairs(register, rule) <= MOST_PAIRS_A_ROW * register.size:
            found.append(rule)
    return tuple(found)


def net_rules(register: Register) -> tuple[Rule, ...]:
    """Loose keys that together meet nearly all that two records of one person may still have in common."""
    blocking = register.kind.blocking
    own = [(name,) for name in register.columns if name not in register.kind.parts]
    wide = (_reduced(register, rule) for rule in (*blocking.loose, *blocking.further, *own))
    return tuple(dict.fromkeys(rule for rule in wide if rule))


def choose_rules(register: Register, wanted: Sequence[Rule] | None = None) -> tuple[Rule, ...]:
    """The blocking rules for a register: those asked for, or from each ladder the first step whose
    pairs it can afford. A small register is compared in full: the one rule () is a single block.

    Raises RegisterError for a rule that names an unknown key or an absent column.
    """
    if wanted is not None:
        for name in sorted({name for rule in wanted for name in rule}):
            if not available(register, name):
                raise RegisterError(f"No blocking key {name!r}: unknown, or its column is absent or empty.")
        return tuple(tuple(rule) for rule in wanted)
    if register.size <= SMALL_REGISTER:
        return ((),)
    blocking = register.kind.blocking
    lacking = [ladder for role, more in blocking.lacking.items() if not register.has(role) for ladder in more]
    ladders = (*blocking.ladders, *lacking)
    found: list[Rule] = [(name,) for name in _identifying(register)]
    with ThreadPoolExecutor(2) as pool:
        for step in pool.map(partial(_step, register), ladders):
            found += step
    found = list(dict.fromkeys(found))
    return tuple(found) if found else _any_rules(register)


def _step(register: Register, ladder: Ladder) -> list[Rule]:
    """The first step that a register can afford; else the last for which it has the columns, but never the first
    of several."""
    budget = min(max(PAIRS_A_ROW * register.size, PAIRS_AT_LEAST), PAIRS_A_ROW_AT_MOST * register.size)
    found: list[Rule] = []
    for number, step in enumerate(ladder):
        rules = [rule for rule in (_reduced(register, rule) for rule in step) if rule]
        if rules and sum(estimated_pairs(register, rule) for rule in rules) <= budget:
            return rules
        if rules and (number or len(ladder) == 1):
            found = rules
        elif not step:
            found = []
    return found


def estimated_pairs(register: Register, rule: Rule) -> float:
    """About how many pairs a rule makes, from the first rows (a random sample of the register)."""
    rows = min(register.size, ROWS_LOOKED_AT)
    lengths = runs(rule_key(register, rule, rows))[1].astype(np.float64)
    return float((lengths * (lengths - 1) / 2).sum()) * (register.size / rows) ** 2


def available(register: Register, name: str) -> bool:
    part = register.kind.parts.get(name)
    return all(register.has(role) for role in part.needs) if part else register.has(name)


def _reduced(register: Register, rule: Rule) -> Rule:
    """The rule without weak columns that are not held; empty when anything else is lacking."""
    weak = register.kind.blocking.weak
    kept = tuple(name for name in rule if name not in weak or available(register, name))
    return kept if all(available(register, name) for name in kept) else ()


def _identifying(register: Register) -> list[str]:
    """Free columns of which one value names few records."""
    return [
        name
        for name in register.columns
        if name not in register.kind.parts
        and name in register.values
        and usual_holders(register.columns[name], len(register.values[name])) <= MOST_HOLDERS
    ]


def _any_rules(register: Register) -> tuple[Rule, ...]:
    weak = register.kind.blocking.weak
    names = [name for name in register.columns if name not in weak] or list(register.columns)
    if len(names) < 3:
        return tuple((name,) for name in names)
    return tuple((a, b) for i, a in enumerate(names) for b in names[i + 1 :])
