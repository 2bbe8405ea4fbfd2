"""What a night tells people and machines: the morning digest as text and as HTML, and measures for Prometheus.

Counts, ages and links only. Nobody's key or value is in any of them: they go by mail.
"""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Mapping, Sequence
from pathlib import Path

from casebridge.dedupe.scan.history import AGES, Record
from casebridge.project.batch import write_text
from casebridge.project.errors import CasebridgeError

TEXT, PAGE, MEASURES = "digest.txt", "digest.html", "scan.prom"
Line = tuple[str, str]


def write_told(folder: Path, name: str, record: Record, done: float, desk: str = "") -> None:
    """Write all three into a folder. name: the project's. done: when the night ended (seconds since 1970). desk:
    the review desk's address, for links."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / TEXT, as_text(name, record, desk))
    write_text(folder / PAGE, as_page(name, record, desk))
    write_text(folder / MEASURES, as_measures(record, done))


def write_failed(folder: Path, name: str, day: dt.date, error: CasebridgeError) -> None:
    """Write the digest of a night that did not end, so that nobody takes that of an earlier one for it."""
    folder.mkdir(parents=True, exist_ok=True)
    title = f"{name}: the nightly scan of {day.isoformat()} did not end"
    said = (
        error.message,
        error.hint,
        "The desk shows what the last scan found. Scan again: runbooks/nightly-scan.md",
    )
    write_text(folder / TEXT, "\n\n".join((title, *filter(None, said))) + "\n")
    body = "".join(f"<p>{html.escape(words)}</p>" for words in filter(None, said))
    write_text(folder / PAGE, _page(html.escape(title), body))


def _lines(record: Record) -> list[Line]:
    ages = ", ".join(f"{record.ages[age]:,} {age}" for _, age in AGES if record.ages.get(age))
    lines = [
        ("new pairs at the desk", f"{record.new:,}"),
        ("waiting in all", f"{record.waiting:,}" + (f" (since: {ages})" if ages else "")),
        ("the oldest waits", f"{record.oldest:,} days"),
        ("settled since the last scan", f"{record.settled:,}"),
        ("of what waits, here again", f"{record.again:,}"),
        *((f"of what waits: {says}", f"{count:,}") for says, count in record.preflight.items()),
        ("people in the register", f"{record.people:,}"),
        ("of them new or changed", f"{record.changed:,}"),
    ]
    lines += [(name.replace("_", " "), _of_chore(record, name)) for name in record.chores]
    for name, counts in record.registers.items():
        if counts is None:
            lines.append((name.replace("_", " "), "not read"))
        else:
            lines += [(f"{name.replace('_', ' ')}: {words}", f"{counts[key]:,}") for key, words in _OF_REGISTER]
    return lines + ([("nights missed before, caught up", f"{record.missed:,}")] if record.missed else [])


def _of_chore(record: Record, name: str) -> str:
    count = record.chores[name]
    return f"{count:,}" if count is not None else record.absent.get(name) or "not read"


_OF_TEAMS = "By team, without restricted records"
_BY_TEAM = (("new", "new"), ("waiting", "waiting"), ("again", "made again"))


def _team_lines(record: Record) -> list[tuple[str, ...]]:
    """A line for each team that has anything, with counts as in _BY_TEAM. Without restricted records: few are a
    team's own, and who reads this need not be cleared."""
    counted = [(team, *(counts.get(key, 0) for key, _ in _BY_TEAM)) for team, counts in record.teams_open.items()]
    return [(" ".join(str(team).split()) or "no team", *(f"{count:,}" for count in counts))
            for team, *counts in counted if any(counts)]  # fmt: skip


_OF_REGISTER = (
    ("new", "new pairs at the desk"), ("waiting", "waiting in all"), ("records", "records"),
    ("changed", "of them new or changed"),
)  # fmt: skip


def as_text(name: str, record: Record, desk: str = "") -> str:
    """The digest as plain text, for mail."""
    lines = _lines(record)
    width = max(len(label) for label, _ in lines)
    warnings = "".join(f"\n! {warning}" for warning in record.warnings)
    link = f"\nThe review desk: {desk}\n" if desk else ""
    body = "\n".join(f"  {label:<{width}}  {value}" for label, value in lines)
    more = f"\n\nTo look at:{warnings}\nWhat to do about each: runbooks/nightly-scan.md" if warnings else ""
    return f"{name}: nightly scan {record.night}, {record.day}\n\n{body}{_by_team(record)}{more}\n{link}"


def _by_team(record: Record) -> str:
    rows = _team_lines(record)
    if not rows or (rows[0][0] == "no team" and len(rows) == 1):
        return ""
    lines = [(_OF_TEAMS, *(words for _, words in _BY_TEAM)), *rows]
    wide = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    told = ("  ".join([line[0].ljust(wide[0]), *(one.rjust(w) for one, w in zip(line[1:], wide[1:], strict=True))])
            for line in lines)  # fmt: skip
    return "\n\n" + "\n".join(f"  {line}" for line in told)


def as_page(name: str, record: Record, desk: str = "") -> str:
    """The digest as a page, for mail: no script, no image, nothing from elsewhere."""
    rows = "".join(
        f'<tr><td style="padding:2px 16px 2px 0">{html.escape(label)}</td><td>{html.escape(value)}</td></tr>'
        for label, value in _lines(record)
    )
    told = _team_lines(record)
    head = "".join(f"<th>{words}</th>" for words in (_OF_TEAMS, *(words for _, words in _BY_TEAM)))
    cells = ("".join(f"<td>{html.escape(one)}</td>" for one in line) for line in told)
    teams = f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in cells)}</table>"
    title = html.escape(f"{name}: nightly scan {record.night}, {record.day}")
    warnings = "".join(f"<li>{html.escape(warning)}</li>" for warning in record.warnings)
    look = f"<h2>To look at</h2><ul>{warnings}</ul>" if warnings else ""
    link = f'<p><a href="{html.escape(desk, quote=True)}">The review desk</a></p>' if desk else ""
    return _page(title, f"<table>{rows}</table>{teams if _by_team(record) else ''}{look}{link}")


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f'<body style="font-family:sans-serif"><h1 style="font-size:1.2em">{title}</h1>{body}</body></html>\n'
    )


_GAUGES: Sequence[tuple[str, str, str]] = (
    ("people", "people", "People in the live register."),
    ("changed", "people_changed", "People who were new or changed in the last scan."),
    ("new", "pairs_new", "Pairs that the last scan put before the reviewers."),
    ("waiting", "pairs_waiting", "Pairs that wait for a decision."),
    ("again", "pairs_again", "Waiting pairs that were decided before and came back."),
    ("oldest", "oldest_pair_days", "Days for which the oldest pair has waited."),
    ("missed", "nights_missed", "Nights that were missed before the last scan."),
    ("seconds", "seconds", "How long the last scan took."),
)


def as_measures(record: Record, done: float) -> str:
    """The night in the text format that Prometheus reads."""
    gauges = [(name, said, float(getattr(record, field))) for field, name, said in _GAUGES]
    gauges.append(("warnings", "Warnings of the last scan.", float(len(record.warnings))))
    gauges.append(("last_success_timestamp_seconds", "When the last scan that ended well ended.", done))
    whole = "".join(_gauge(f"casebridge_scan_{name}", said, value) for name, said, value in gauges)
    there = {name: counts for name, counts in record.registers.items() if counts is not None}
    return whole + "".join(_by_register(key, said, there) for key, said in _REGISTER_GAUGES if there)


_REGISTER_GAUGES = (
    ("records", "Records of a further register."), ("new", "Pairs of it that the last scan put forward."),
    ("waiting", "Pairs of it that wait for a decision."),
)  # fmt: skip


def _by_register(key: str, said: str, registers: Mapping[str, Mapping[str, int]]) -> str:
    name = f"casebridge_scan_register_{key}"
    lines = "".join(f'{name}{{register="{one}"}} {counts[key]:g}\n' for one, counts in registers.items())
    return f"# HELP {name} {said}\n# TYPE {name} gauge\n{lines}"


def _gauge(name: str, said: str, value: float) -> str:
    return f"# HELP {name} {said}\n# TYPE {name} gauge\n{name} {value:.12g}\n"
