"""Which source a reference means: two sources that fill one target table may hold the same keys."""

from __future__ import annotations

from collections.abc import Sequence

from casebridge.project.errors import Problem, did_you_mean
from casebridge.project.spec import ColumnSpec, TableSpec


def sources_that_fill(specs: Sequence[TableSpec], target: str, system: str) -> tuple[str, ...]:
    """The source tables of a system whose keys name rows of a target table. A `part` has keys of its own, which
    no other table knows."""
    whole = [spec for spec in specs if (spec.target, spec.system) == (target, system) and not spec.part]
    return tuple(sorted({spec.sources[0].name for spec in whole}))


def source_meant(specs: Sequence[TableSpec], spec: TableSpec, column: ColumnSpec) -> str:
    """The source whose keys a reference holds; empty when no spec fills the table that it names."""
    if column.references_source:
        return column.references_source
    return next(iter(sources_that_fill(specs, str(column.references), spec.system)), "")


def unclear_references(specs: Sequence[TableSpec]) -> list[Problem]:
    """References that do not say which of several sources they mean, or name one that is none of them."""
    problems = []
    for spec in specs:
        for column in spec.columns:
            if not column.references:
                continue
            able = sources_that_fill(specs, column.references, spec.system)
            part = "evidence" if column.evidence else "columns"
            file, where = f"tables/{spec.name}.toml", f"{part}.{column.name}.references_source"
            if not column.references_source and len(able) > 1:
                what = f"is missing: {column.references} is filled from {' and '.join(able)}"
                named = " or ".join(f'"{name}"' for name in able)
                hint = f"their keys may be equal: say whose this is, references_source = {named}"
                problems.append(Problem(file, where, what, hint))
            elif column.references_source and column.references_source not in able:
                what = f"no spec fills {column.references} from `{column.references_source}`"
                problems.append(Problem(file, where, what, did_you_mean(column.references_source, able)))
    return problems
