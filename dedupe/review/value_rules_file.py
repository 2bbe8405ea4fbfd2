"""The parts `[survivor]` and `[values]` of `merge.toml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casebridge.dedupe.review.value_rules import RULES, Rule, Survivorship
from casebridge.project.errors import Problem, did_you_mean

FILE = "merge.toml"
_ALONE = frozenset({"most_complete", "oldest_key", "survivor"})


def read_survivorship(raw: Mapping[str, Any], columns: Sequence[str], problems: list[Problem]) -> Survivorship:
    """What the two parts say; what they leave out is as the program has it. `columns` are those of people."""
    whole = Survivorship()
    reader = _Reader(columns, problems)
    survivor, values = reader.part(raw, "survivor"), reader.part(raw, "values")
    for key in sorted(survivor.keys() - {"by"}):
        reader.wrong(f"survivor.{key}", "unknown key", did_you_mean(key, ["by"]))
    by = reader.rules("survivor.by", survivor["by"]) if "by" in survivor else whole.survivor
    found = {name: reader.rules(f"values.{name}", body) for name, body in values.items() if name != "together"}
    for name in found.keys() - {"default"}:
        reader.is_column(f"values.{name}", name)
    default = found.pop("default", whole.default)
    return Survivorship(by, default, found, reader.together(values.get("together", [])))


class _Reader:
    def __init__(self, columns: Sequence[str], problems: list[Problem]) -> None:
        self.columns, self.problems = columns, problems

    def wrong(self, where: str, what: str, hint: str = "") -> None:
        self.problems.append(Problem(FILE, where, what, hint))

    def part(self, raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        body = raw.get(name, {})
        if not isinstance(body, dict):
            self.wrong(name, "must be a TOML table")
            return {}
        return body

    def rules(self, where: str, body: Any) -> tuple[Rule, ...]:
        if not isinstance(body, list) or not body or not all(isinstance(text, str) for text in body):
            self.wrong(where, 'must be a list of rules, like ["most_recent:last_updated_on", "most_complete"]')
            return ()
        return tuple(rule for text in body if (rule := self._rule(where, text)))

    def _rule(self, where: str, text: str) -> Rule | None:
        name, _, rest = text.partition(":")
        arguments = tuple(part.strip() for part in rest.split(";") if part.strip())
        if name not in RULES:
            self.wrong(where, f"no rule `{name}`", did_you_mean(name, RULES) or f"one of: {', '.join(RULES)}")
        elif name == "survivor" and where == "survivor.by":
            self.wrong(where, "the survivor cannot be chosen by who survives")
        elif (name in _ALONE) == bool(arguments):
            hint = "most_recent:COLUMN, source_priority:SYSTEM;SYSTEM; the others stand alone"
            self.wrong(where, f"`{text}` has {'too much' if arguments else 'nothing'} behind its name", hint)
        elif name == "most_recent" and (len(arguments) > 1 or not self.is_column(where, arguments[0])):
            pass
        else:
            return Rule(name, arguments)
        return None

    def together(self, body: Any) -> tuple[tuple[str, ...], ...]:
        lists: list[Any] = body if isinstance(body, list) else [None]
        good = all(isinstance(one, list) and one and all(isinstance(name, str) for name in one) for one in lists)
        if not good:
            self.wrong("values.together", 'must be lists of columns, like [["first_name", "last_name"]]')
            return ()
        for name in (name for one in lists for name in one):
            self.is_column("values.together", name)
        return tuple(tuple(one) for one in lists)

    def is_column(self, where: str, name: str) -> bool:
        if name not in self.columns:
            self.wrong(where, f"people have no column `{name}`", did_you_mean(name, self.columns))
        return name in self.columns
