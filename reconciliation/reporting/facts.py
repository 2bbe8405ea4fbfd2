"""The report as data: every number of it, ready for JSON. Counts, names and rules; no value of a record.

The same data gives the same facts to the byte: no time, no path, nothing about the machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import sqlalchemy as sa

from casebridge.project.acceptances import Acceptance
from casebridge.project.contracts import Place
from casebridge.project.errors import Excess
from casebridge.project.job import Job
from casebridge.reconciliation.counting.account_book import UNEXPLAINED, Cause
from casebridge.reconciliation.counting.money import pounds
from casebridge.reconciliation.counting.recount import Books
from casebridge.reconciliation.counting.spec_books import SpecAccount
from casebridge.reconciliation.findings import Finding, Outcome
from casebridge.reconciliation.reading.corrected import Corrections
from casebridge.reconciliation.reading.unread import unread_files

BALANCED, NOT_BALANCED, OVER_LIMITS = "balanced", "not balanced", "over the limits"
LIMITS = "limits_kept"
Facts = dict[str, Any]


def facts_of(books: Books, findings: Sequence[Finding]) -> Facts:
    """Everything the report says. The first six keys are a promise to users' scripts."""
    failed = [finding for finding in findings if finding.verdict is Outcome.FAILED]
    wrong = [finding for finding in failed if finding.check != LIMITS]
    totals = books.book.totals()
    return {
        "run": books.job.run,
        "target": sa.make_url(books.job.settings.target_url).get_backend_name(),
        "verdict": NOT_BALANCED if wrong else OVER_LIMITS if failed else BALANCED,
        "undecided_pairs": books.undecided,
        "sources": sources(books),
        "targets": targets(books),
        "specs": specs(books),
        "decided_but_not_folded": books.kept_apart,
        "limits": [_limit(excess, word) for excess, word in books.over_limits],
        "unread_files": unread_files(books.job),
        "project": books.job.settings.name,
        "totals": {"extracted": sum(totals.values()), **_in_order(totals)},
        "restricted": [_restricted(account) for account in books.restriction.accounts],
        "restrictions_lowered": [asdict(item) for item in books.restriction.lowered],
        "corrections": corrections(books),
        "causes": causes(books),
        "set_aside": set_aside(books),
        "control_totals": control_totals(books),
        "codes": codes(books),
        "failed_checks": sorted({finding.check for finding in failed}),
        "checks": [finding.as_dict() for finding in findings],
    }


def _limit(excess: Excess, word: Acceptance | None) -> Facts:
    accepted = {"accepted_by": word.who, "reason": word.reason, "accepted_at": word.at} if word else {}
    none = {"accepted_by": "", "reason": "", "accepted_at": ""}
    return {**asdict(excess), "share": round(excess.share, 6), **none, **accepted}


def _in_order(counts: dict[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in (*(str(place) for place in Place), UNEXPLAINED)}


def sources(books: Books) -> list[Facts]:
    """Where the rows of each source went."""
    pages = sorted(books.book.pages.values(), key=lambda page: str(page.source))
    return [
        {
            "system": page.source.system,
            "source": page.source.name,
            "extracted": page.height,
            **_in_order(page.count()),
        }
        for page in pages
    ]


def targets(books: Books) -> list[Facts]:
    """What stands in each target table and who explains it."""
    return [
        {
            "target": name,
            "rows": side.rows,
            "explained": side.explained,
            "unexplained": side.unexplained,
            "written": side.claimed,
            "missing": side.missing,
            "differing": side.differing,
        }
        for name, side in books.sides.items()
    ]


def specs(books: Books) -> list[Facts]:
    """The second level: where the rows went that each spec asked for, and why some did not arrive."""
    return [
        {
            "spec": account.spec.name,
            "system": account.spec.system,
            "target": account.spec.target,
            "part": account.spec.part,
            "sources": [source.name for source in account.spec.sources],
            "asked": account.asked,
            **_in_order(account.places),
            "not_asked": account.not_asked,
            "with_values_set_aside": account.aside,
            "causes": _spec_causes(books.job, account),
        }
        for account in books.accounts
    ]


def _spec_causes(job: Job, account: SpecAccount) -> list[Facts]:
    found = [_cause(job, cause, rows) for cause, rows in account.causes]
    return sorted(found, key=_by_weight)


def _cause(job: Job, cause: Cause, rows: int) -> Facts:
    return {
        "place": cause.place,
        "cause": cause.rule,
        "column": cause.column,
        "stage": cause.stage,
        "rows": rows,
        **_owner(job, cause),
    }


def _by_weight(cause: Facts) -> tuple[int | str, ...]:
    place = [str(place) for place in Place].index(cause["place"])
    return place, -cause["rows"], cause.get("source", ""), cause["cause"], cause["column"], cause["stage"]


def causes(books: Books) -> list[Facts]:
    """Why rows were left out: source by source, cause by cause, with who answers for it."""
    found = []
    for page in sorted(books.book.pages.values(), key=lambda page: str(page.source)):
        counts = np.bincount(page.cause, minlength=len(books.book.causes))
        for number, cause in enumerate(books.book.causes):
            if number and counts[number]:
                whose = {"system": page.source.system, "source": page.source.name}
                found.append({**whose, **_cause(books.job, cause, int(counts[number]))})
    return sorted(found, key=_by_weight)


def _owner(job: Job, cause: Cause) -> dict[str, str]:
    for spec in job.specs:
        for exclusion in spec.exclusions:
            if (spec.name, exclusion.rule) == (cause.table, cause.rule):
                return {"owner": exclusion.owner, "reason": exclusion.reason}
    return {"owner": "", "reason": ""}


def set_aside(books: Books) -> list[Facts]:
    """Values, not rows: set aside, cut or only warned about, by column and rule."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for table, column, rule, verdict, count in books.values:
        counts[table, column, rule, verdict] += count
    return [
        {"table": table, "column": column, "rule": rule, "verdict": verdict, "values": count}
        for (table, column, rule, verdict), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def corrections(books: Books) -> list[Facts]:
    """What named persons put right in the dump's values, where it stood; no value, neither the old nor the new."""
    return [
        {
            "system": item.source.system,
            "source": item.source.name,
            "column": item.column,
            "key": item.key,
            "who": item.who,
            "why": item.why,
            "values": changed,
        }
        for item, changed in Corrections(books.job, books.files).account
    ]


def _restricted(account: Any) -> Facts:
    return {
        "target": account.name,
        "column": account.column,
        "source_rows": account.places,
        "expected": account.expected,
        "actual": account.actual,
        "opened": account.opened,
        "closed": account.closed,
        "kept": account.kept,
        "lowered": account.lowered,
    }


def control_totals(books: Books) -> list[Facts]:
    """Money on both sides, exact, as text."""
    return [
        {
            "target": account.table,
            "column": account.column,
            "by": list(account.by),
            "source": {place: pounds(pence) for place, pence in account.places.items()},
            "set_aside": pounds(account.set_aside),
            "unreadable_amounts": account.unreadable,
            "loaded": pounds(account.source),
            "in_target": pounds(account.target),
            "difference": pounds(account.target - account.source),
            "groups": account.groups.height,
            "groups_differing": account.differing.height,
            "note": account.note,
        }
        for account in books.money.accounts
    ]


def codes(books: Books) -> list[Facts]:
    """Counts by type."""
    return [
        {
            "target": account.table,
            "column": account.column,
            "lists": list(account.lists),
            "codes": account.codes,
            "source": account.source,
            "in_target": account.target,
            "differing": [list(line) for line in account.differing],
            "note": account.note,
        }
        for account in books.codes.accounts
    ]
