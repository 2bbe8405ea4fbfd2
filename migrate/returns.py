"""Statutory returns of the old and the new system, held against each other by validators that others wrote.

Data to Insight's validators know the Department for Education's rules by collection year: `csc-validator-be-903`
(SSDA903, children looked after) and `csc-validator-be-cin` (children in need). They need libraries of an age that
we cannot share, so each runs under a Python of its own, as another program. What comes back are numbers of
findings by rule, never a child's.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from casebridge.project.errors import SourceError

_SSDA903 = """
from pathlib import Path
from lac_validator.lac_validator import LacValidator
registry = importlib.import_module(f"lac_validator.rules.lac{rules}").registry
files = [dict(name=path.name, file_content=path.read_bytes(), description="This year")
         for path in sorted(Path(place).iterdir()) if path.suffix.lower() in (".csv", ".xml")]
found = LacValidator({"collectionYear": year, "localAuthority": authority}, files, registry)
for name, table in found.ds_results.items():
    for column in () if name == "metadata" else table.columns:
        if column.startswith("ERR_"):
            counts[column[4:]] = counts.get(column[4:], 0) + int((table[column] == True).sum())
ran = [str(code) for code in found.dones]
words = {str(rule.code): rule.message for _, rule in registry.items()}
"""
_CIN = """
import xml.etree.ElementTree as tree
from cin_validator import cin_validator
registry = importlib.import_module(f"cin_validator.rules.cin{rules}").registry
data = cin_validator.process_data(cin_validator.convert_data(tree.parse(place).getroot()))
found = cin_validator.CinValidator(data, registry)
lines = found.full_issue_df.drop_duplicates(["child_id", "row_id", "rule_code"])
for code in [*lines["rule_code"], *found.multichild_issues["rule_code"]]:
    counts[str(code)] = counts.get(str(code), 0) + 1
ran = [str(code) for code in [*found.rules_passed, *found.rules_broken]]
words = {str(rule.code): rule.message for _, rule in registry.items()}
"""
_BEFORE = "import importlib, json, logging, sys\nlogging.disable(logging.CRITICAL)\ncounts = {}\n"
_BEFORE += "place, rules, year, authority = sys.argv[1:5]\n"
_AFTER = 'print("\\n" + json.dumps({"counts": counts, "ran": ran, "words": words}))\n'
_PACKAGES = {"ssda903": "csc-validator-be-903", "cin": "csc-validator-be-cin 'numpy<2'"}
_SCRIPTS = {kind: _BEFORE + script + _AFTER for kind, script in (("ssda903", _SSDA903), ("cin", _CIN))}
KINDS = tuple(_SCRIPTS)
_ERROR = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Interrupt|Exit|Warning)")


@dataclass(frozen=True)
class Validation:
    """What a validator found in one return: findings by rule, the rules that could run on it, and their words."""

    counts: Mapping[str, int]
    ran: frozenset[str]
    words: Mapping[str, str]


@dataclass(frozen=True)
class RuleDifference:
    """One rule of a return: its findings before and after, None where it could not run."""

    rule: str
    what: str
    before: int | None
    after: int | None

    @property
    def worse(self) -> bool:
        """More findings than before, or a rule that ran before and cannot run any more."""
        return self.before is not None and (self.after is None or self.after > self.before)


def validated(place: Path, python: Path, kind: str, year: int, authority: str) -> Validation:
    """Run a kind of validator under `python` on a return: a folder of SSDA903's CSV files, or the XML file of a
    CIN census. `year` is that in which the collection ends, `authority` the council's ONS code (E09000027).

    SourceError where the validator is not there, or cannot read the return; its own words may name children, and
    are not told.
    """
    if not place.exists():
        raise SourceError(place.name, "is not there", hint="name the folder or file of the return")
    rules = f"{year - 1}_{year % 100:02d}"
    words = [str(python), "-I", "-c", _SCRIPTS[kind], str(place), rules, str(year), authority]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as error:
        raise SourceError(python.name, "cannot be started", hint="name the Python of its environment") from error
    if done.returncode or not done.stdout.strip():
        raise SourceError(place.name, f"cannot be validated: {_reason(done.stderr)}", hint=_hint(kind))
    told = json.loads(done.stdout.strip().splitlines()[-1])
    ran = frozenset([*told["ran"], *told["counts"]])
    if not ran:
        hint = "name the folder or file of the return: its files are not those that the validator knows"
        raise SourceError(place.name, "cannot be validated: not one rule could run on it", hint=hint)
    return Validation(told["counts"], ran, told["words"])


def _reason(stderr: str) -> str:
    """The kind of error that ended it, where the last line begins with one: else that may be anybody's data. A
    missing module is named."""
    last = stderr.strip().splitlines()[-1:] or [""]
    kind, _, text = last[0].partition(":")
    if not _ERROR.fullmatch(kind):
        return "it ended without saying which error it was"
    return f"{kind}:{text}" if kind == "ModuleNotFoundError" else kind


def _hint(kind: str) -> str:
    package = _PACKAGES[kind]
    return f"`python -m venv VALIDATOR; VALIDATOR/bin/pip install {package}`, and --python VALIDATOR/bin/python"


def differences(before: Validation, after: Validation) -> list[RuleDifference]:
    """The rules whose findings differ, or that ran on one return only, in the order of their codes."""
    found = []
    for rule in sorted(before.ran | after.ran, key=lambda code: (len(code), code)):
        then, now = (one.counts.get(rule, 0) if rule in one.ran else None for one in (before, after))
        if then != now:
            what = after.words.get(rule, before.words.get(rule, ""))
            found.append(RuleDifference(rule, what, then, now))
    return found
