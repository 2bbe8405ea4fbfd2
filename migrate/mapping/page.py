"""The mapping as one HTML page, with the counts and causes of its run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casebridge.migrate.documents.page import template
from casebridge.project.contracts import Place
from casebridge.reconciliation.reporting import wording

Facts = Mapping[str, Any]
_OPEN_TABLES = 12


def mapping_page(
    facts: Facts, report: Facts | None, against: str = "", changed: Sequence[Mapping[str, str]] | None = None
) -> str:
    """The page of a mapping. `report` is that of its run, where it has one; `changed` what is different from the
    mapping of the run `against`."""
    columns = [column for source in facts["sources"] for column in source["columns"]]
    return template("mapping.html").render(
        facts=facts,
        report=report,
        sources=[_with_counts(source, report) for source in facts["sources"]],
        specs={spec["spec"]: spec for spec in report["specs"]} if report else {},
        aside=_aside(report),
        mapped=sum(bool(column["to"] or column["key"]) for column in columns),
        dropped=sum(bool(column["dropped"]) and not (column["to"] or column["key"]) for column in columns),
        open_ones=sum(not (column["to"] or column["key"] or column["dropped"]) for column in columns),
        against=against,
        changed=changed,
        opened=len(facts["sources"]) <= _OPEN_TABLES,
        places=[str(place) for place in Place],
        rule=wording.rule_words,
    )


def _with_counts(source: Facts, report: Facts | None) -> dict[str, Any]:
    name = (source["system"], source["source"])
    found = [line for line in report["sources"] if (line["system"], line["source"]) == name] if report else []
    return {**source, "counts": found[0] if found else None}


def _aside(report: Facts | None) -> dict[tuple[str, str], list[tuple[str, int]]]:
    """Values that a run set aside, and rows that a column stopped: by spec and column, rule and number."""
    found: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for line in report["set_aside"] if report else ():
        found.setdefault((line["table"], line["column"]), []).append((line["rule"], line["values"]))
    for spec in report["specs"] if report else ():
        for cause in spec["causes"]:
            if cause["column"]:
                what = f"{cause['cause']}, {cause['place']}"
                found.setdefault((spec["spec"], cause["column"]), []).append((what, cause["rows"]))
    return found
