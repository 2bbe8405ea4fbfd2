"""What evidence keeps of how records are folded, so that the desk can show the merged person before a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from casebridge.dedupe.review.merge_rules import MergeRules
from casebridge.dedupe.review.value_rules import Rule, Survivorship
from casebridge.project.job import Job
from casebridge.project.spec import TableSpec
from casebridge.project.target import Marks

OTHER_NAME = "another name of the person"


@dataclass(frozen=True)
class FoldNotes:
    """The rules; the columns that keep marks of restriction; `once`: by table (a spec's name) the columns in which
    no two rows may agree after a merge; `stays`: by column where a value that is not chosen is kept all the same;
    `names`: by table that keeps the names of folded records, the columns that it has in common with people."""

    rules: Survivorship = field(default_factory=Survivorship)
    marks: tuple[Marks, ...] = ()
    once: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stays: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    related: tuple[str, ...] = ()


def fold_notes(job: Job, rules: MergeRules | None, tables: Sequence[str]) -> str:
    """The notes as a text that evidence keeps."""
    of = (rules or MergeRules()).survivorship
    register = [spec for spec in job.specs if spec.name in tables]
    targets = {spec.target for spec in register}
    people = {spec.name: _people_columns(spec, targets) for spec in job.specs if spec.name not in tables}
    once = {spec.name: [name for name in spec.once if name not in people.get(spec.name, ())]
            for spec in job.specs if spec.once}  # fmt: skip
    marks = [vars(item) for target in sorted(targets) for item in job.target.marks(target)]
    body = {
        "survivor": _texts(of.survivor), "default": _texts(of.default),
        "columns": {name: _texts(found) for name, found in of.columns.items()}, "together": of.together,
        "marks": marks, "once": once, "stays": _stays(job, register, of), "names": _names(job, register),
        "related": sorted(name for name, columns in people.items() if len(columns) > 1),
    }  # fmt: skip
    return json.dumps(body)


def _people_columns(spec: TableSpec, targets: set[str]) -> list[str]:
    return [column.name for column in spec.columns if column.references in targets and not column.evidence]


def _texts(rules: Sequence[Rule]) -> list[str]:
    return [str(rule) for rule in rules]


def _names(job: Job, register: Sequence[TableSpec]) -> dict[str, list[str]]:
    """The specs that keep names of folded records, and what they have in common with people."""
    return {
        spec.name: sorted({c.name for c in spec.loaded if c.sources} & {c.name for c in one.loaded})
        for spec in job.specs if spec.merged_only
        for one in register if one.sources == spec.sources
    }  # fmt: skip


def _stays(job: Job, register: Sequence[TableSpec], rules: Survivorship) -> dict[str, str]:
    """Where a column's value stands besides: as a name, or in a row that another spec makes of the same source."""
    found: dict[str, str] = {}
    for one in register:
        beside = [spec for spec in job.specs if spec.sources == one.sources and spec.name != one.name]
        for column in one.loaded:
            for spec in beside:
                same = any(c.sources and c.sources == column.sources and not c.references for c in spec.loaded)
                if same and spec.target != one.target:
                    found[column.name] = (
                        OTHER_NAME if spec.merged_only else f"a row of {spec.name.replace('_', ' ')}"
                    )
    names = {name for columns in _names(job, register).values() for name in columns}
    whole = {name for group in rules.together if names & set(group) for name in group}
    return found | dict.fromkeys(sorted(names | whole), OTHER_NAME)


def read_fold_notes(text: str) -> FoldNotes:
    """The same back; where there are none, the rules as shipped."""
    if not text:
        return FoldNotes()
    body = json.loads(text)
    rules = Survivorship(
        _rules(body["survivor"]), _rules(body["default"]),
        {name: _rules(found) for name, found in body["columns"].items()},
        tuple(tuple(group) for group in body["together"]),
    )  # fmt: skip
    marks = tuple(
        Marks(**{**item, "values": tuple(item["values"]), "not_restricted": tuple(item["not_restricted"])})
        for item in body["marks"]
    )
    once, names = ({key: tuple(found) for key, found in body[part].items()} for part in ("once", "names"))
    return FoldNotes(rules, marks, once, body["stays"], names, tuple(body["related"]))


def _rules(texts: Sequence[str]) -> tuple[Rule, ...]:
    parts = (text.partition(":") for text in texts)
    return tuple(Rule(name, tuple(rest.split(";")) if rest else ()) for name, _, rest in parts)
