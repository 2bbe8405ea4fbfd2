"""The board's report, as data (report.json) and as one self-contained page (report.html)."""

from __future__ import annotations

import functools
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from casebridge.project.batch import write_text
from casebridge.project.contracts import Place
from casebridge.reconciliation.counting.account_book import UNEXPLAINED
from casebridge.reconciliation.reporting import wording
from casebridge.reconciliation.reporting.facts import BALANCED, OVER_LIMITS, Facts

JSON, HTML = "report.json", "report.html"
PLACES = (*(str(place) for place in Place), UNEXPLAINED)
TARGET_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
BAR_WIDTH, THINNEST = 1000.0, 4.0


def write_report(facts: Facts, program: Facts, folder: Path) -> Path:
    """Write both; gives the path of the page. `program` says what made it, and stands on the page only: the same
    data gives the same report.json."""
    write_text(folder / JSON, json.dumps(facts, ensure_ascii=False, indent=2) + "\n")
    write_text(folder / HTML, render(facts, program))
    return folder / HTML


def render(facts: Facts, program: Facts) -> str:
    """The page. Nothing in it comes from outside it, and it needs no script."""
    return _template().render(
        facts=facts,
        program=program,
        balanced=facts["verdict"] == BALANCED,
        over_limits=facts["verdict"] == OVER_LIMITS,
        words=wording,
        places=PLACES,
        bar=bar,
        checks=checks_by_name(facts["checks"]),
        failed=[check for check in facts["checks"] if check["verdict"] == "failed"],
        spec_causes=[(spec["spec"], cause) for spec in facts["specs"] for cause in spec["causes"]],
        corrections=corrections_by_person(facts["corrections"]),
        rejected=by_cause(facts["causes"], "rejected"),
        excluded=by_cause(facts["causes"], "excluded"),
        held=by_cause(facts["causes"], "held"),
        target=TARGET_NAMES.get(facts["target"], facts["target"]),
    )


@functools.cache
def _template() -> jinja2.Template:
    """The page's template, compiled once a process."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(count=_count, share=_share, amount=_amount, rule=wording.rule_words)
    return environment.get_template("report.html")


def bar(counts: Facts) -> list[tuple[str, float, float]]:
    """A stacked bar: place, start and width. A place with few rows stays visible as a thin line."""
    total = sum(counts[place] for place in PLACES)
    if not total:
        return []
    widths = {p: max(THINNEST, BAR_WIDTH * counts[p] / total) for p in PLACES if counts[p]}
    scale = BAR_WIDTH / sum(widths.values())
    segments, at = [], 0.0
    for place, width in widths.items():
        segments.append((place, round(at, 2), round(width * scale, 2)))
        at += width * scale
    return segments


def checks_by_name(checks: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
    """The findings, check by check; those that failed first within each."""
    groups: dict[str, list[dict[str, str]]] = defaultdict(list)
    for check in checks:
        groups[check["check"]].append(check)
    return [
        {
            "check": name,
            "words": wording.CHECK_WORDS.get(name, name),
            "findings": sorted(found, key=lambda check: check["verdict"] != "failed"),
            "failed": sum(check["verdict"] == "failed" for check in found),
            "notes": sum(check["verdict"] == "note" for check in found),
        }
        for name, found in groups.items()
    ]


def corrections_by_person(corrections: Sequence[Facts]) -> list[Facts]:
    """The corrections by column and by who made them: how many, how many values they changed, and how many of
    them changed none."""
    groups: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for item in corrections:
        groups[item["source"], item["column"], item["who"]].append(item["values"])
    return [
        {"source": source, "column": column, "who": who, "lines": len(counts), "changed": sum(counts),
         "idle": counts.count(0)}
        for (source, column, who), counts in sorted(groups.items())
    ]  # fmt: skip


def by_cause(causes: Sequence[Facts], place: str) -> list[Facts]:
    """The causes of one place over all sources, the most frequent first; `sources` says where."""
    groups: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for cause in causes:
        if cause["place"] == place:
            groups[cause["cause"], cause["owner"], cause["reason"]][cause["source"]] += cause["rows"]
    found = [
        {
            "cause": cause,
            "owner": owner,
            "words": reason or wording.rule_words(cause),
            "rows": sources.total(),
            "sources": sorted(sources.items(), key=lambda item: (-item[1], item[0])),
        }
        for (cause, owner, reason), sources in groups.items()
    ]
    return sorted(found, key=lambda line: (-line["rows"], line["cause"]))


def _count(number: int) -> str:
    return f"{number:,}"


def _amount(text: str) -> str:
    whole, _, pence = text.partition(".")
    return f"{int(whole):,}.{pence}" if whole not in {"-0"} else f"-0.{pence}"


def _share(part: int, whole: int) -> str:
    if not whole:
        return "none"
    share = 100 * part / whole
    if 0 < share < 0.1:
        return "< 0.1 %"
    if 99.9 < share < 100:
        return "> 99.9 %"
    return f"{share:.1f} %"
