"""Mutants of the guards: small faults put into the code one by one, each of which a test must find.

    python -m tests.mutants [--again] [--patience 15] [part of a module's name …]

mutmut writes the faults, into a copy of the tree under `build/mutants`: nothing of it can stay in the real one.
`tests/mutant_runs.py` runs the tests, once for each mutant, all in one process. It needs a Python in which
casebridge is *not* installed, else the tests would find the sound code: `make mutants` makes one. A table of the
modules is printed, then every mutant that survived, or ran out of time, with the lines in which it differs.

With `--again` the mutants that were killed before are taken for killed where their function is as it was, and only
the others meet the tests as they are now.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutant_results import (
    BEGUN,
    FOUND,
    KILLED,
    OUT_OF_TIME,
    SURVIVED,
    UNREACHED,
    WORK,
    begun,
    keep,
    read_results,
)

ROOT = Path(__file__).parent.parent
COPIES = ROOT / "build" / "mutants"
TREE = ("tests", "benchmarks", "runbooks", "docs", "casebridge")
STALLED, CLOCK = 300.0, 4.0
"""Seconds by the clock without a word, and so many more for each of a processor that a mutant may take: then the
process hangs where no signal reaches it."""

REVIEW = ("tests/dedupe/test_review.py", "-k", "not postgresql")
GUARDS: Mapping[str, Sequence[str]] = {
    "project/no_link.py": ("tests/project/test_no_link.py",),
    "project/restriction.py": ("tests/project/test_marks.py",),
    "dedupe/candidates.py": ("tests/dedupe/test_candidates.py",),
    "dedupe/register_queries.py": ("tests/dedupe/test_candidates.py", "-k", "query"),
    "dedupe/review/survivorship.py": REVIEW,
    "reconciliation/counting/restriction.py": ("tests/reconciliation/test_restricted.py",),
    "dedupe/review/decisions.py": ("tests/dedupe/test_sheets.py", *REVIEW),
    "dedupe/review/crosswalk.py": REVIEW,
    "dedupe/review/clearance.py": ("tests/load/test_raised_marks.py", "-k", "desk"),
    "dedupe/review/preflight_checks.py": ("tests/dedupe/test_preflight_checks.py",),
    "dedupe/review/value_rules.py": ("tests/dedupe/test_value_rules.py",),
    "dedupe/review/overrides.py": REVIEW,
    "dedupe/linkage/clusters.py": ("tests/linkage/test_clusters.py",),
    "dedupe/linkage/scoring/cascade.py": ("tests/linkage/test_cascade.py",),
    "dedupe/linkage/kinds/guards.py": ("tests/linkage/test_twin_guard.py",),
    "dedupe/linkage/kinds/organisation.py": ("tests/linkage/test_kind_guards.py",),
    "dedupe/linkage/kinds/professional.py": ("tests/linkage/test_kind_guards.py",),
    "dedupe/linkage/kinds/address.py": ("tests/linkage/test_kind_guards.py",),
    "project/tally.py": ("tests/project/test_tally_and_errors.py",),
    "project/ledger.py": ("tests/project/test_ledger.py", "tests/staged/test_reading.py", "tests/test_freeze.py"),
    "migrate/decision_guard.py": ("tests/dedupe/test_decision_guard.py",),
    "load/writing/applied.py": ("tests/load/test_applied.py",),
    "load/resolution/resolve.py": ("tests/load/test_resolve.py",),
    "load/resolution/merge_duplicates.py": ("tests/load/test_resolve.py",),
    "load/resolution/restriction.py": ("tests/load/test_raised_marks.py",),
    "load/resolution/member_marks.py": ("tests/load/test_raised_marks.py",),
    "load/rollback.py": ("tests/load/test_taking_back.py",),
    "reconciliation/signoff.py": ("tests/reconciliation/test_signoff.py",),
    "reconciliation/checks.py": ("tests/reconciliation/test_findings.py",),
}  # fmt: skip
"""Each module that keeps harm away, and the few tests that answer for it."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks for. patience: a mutant is out of time when its tests need so many times the
    seconds of a processor that they need on the sound code; a machine that does other things does not count."""

    parts: tuple[str, ...]
    patience: float
    again: bool


@dataclass(frozen=True)
class Measured:
    """One module's mutants: what became of each, and the module with all of them in it."""

    module: str
    found: Mapping[str, str]
    text: str

    def having(self, *results: str) -> list[str]:
        """The mutants of which one of these is true."""
        return [name for name, result in self.found.items() if result in results]


def measure(module: str, tests: Sequence[str], asked: Asked) -> Measured:
    """Mutate one module in a copy of the tree and run its tests on each mutant."""
    folder = COPIES / module.replace("/", ".").removesuffix(".py")
    before = read_results(folder).kept if asked.again else {}
    was = _functions((folder / "casebridge" / module).read_text(encoding="utf-8")) if before else {}
    names, text = _mutants(module, (ROOT / "casebridge" / module).read_text(encoding="utf-8"))
    now = _functions(text)
    _copy_tree(folder)
    (folder / "casebridge" / module).write_text(text, encoding="utf-8")
    killed = (name for name in names if before.get(name) == KILLED)
    keep(folder, {name: KILLED for name in killed if was.get(_sound(name)) == now[_sound(name)]})
    found = run_all(folder, names, tests, asked.patience)
    return Measured(module, {name: found[name] for name in names}, text)


def run_all(folder: Path, names: Sequence[str], tests: Sequence[str], patience: float) -> Mapping[str, str]:
    """Run the tests on each mutant whose result is not kept yet, in as many processes as it takes. Whichever hangs
    its process, or ends it, as the first after a sound check, is out of time; another runs again, as the first."""
    suspect = ""
    while left := [name for name in names if name not in read_results(folder).kept]:
        left.sort(key=lambda name: name != suspect)
        suspect = _run(folder, left, tests, patience)
    return read_results(folder).kept


def _mutants(module: str, sound: str) -> tuple[list[str], str]:
    """The names of a module's mutants, and its text with all of them beside the sound functions."""
    from mutmut.mutation.file_mutation import mutate_file_contents  # only where mutants are made

    made = mutate_file_contents(module, sound)
    front = "casebridge." + module.removesuffix(".py").replace("/", ".")
    return [f"{front}.{name}" for name in made.mutant_names], made.code


def _run(folder: Path, names: Sequence[str], tests: Sequence[str], patience: float) -> str:
    """Run the tests on these mutants in one process; the mutant at which it ended, if it ended too soon."""
    work = {"names": list(names), "tests": list(tests), "patience": patience}
    (folder / WORK).write_text(json.dumps(work), encoding="utf-8")
    command = [sys.executable, "-m", "tests.mutant_runs"]
    before = read_results(folder).kept
    keep(folder, before)
    (folder / BEGUN).unlink(missing_ok=True)
    with (folder / "tests.log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        _watch(process, folder)
    found, last = read_results(folder), (begun(folder) or ("", 0.0))[0]
    suspect = "" if last in found.kept or last in found.loose else last
    if suspect and not found.loose:
        keep(folder, {**found.kept, suspect: OUT_OF_TIME})
    elif not suspect and found.kept == before:
        raise SystemExit(f"{folder.name}: its tests do not pass on the sound code; see {folder / 'tests.log'}")
    return suspect


def _watch(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait for the process, and end it when it has told nothing for a long time. Before the first mutant it cannot
    hang for one."""
    since, told = time.monotonic(), (-1, begun(folder))
    while process.poll() is None:
        time.sleep(0.1)
        now = ((folder / FOUND).stat().st_size, begun(folder))
        since, told = (time.monotonic(), now) if now != told else (since, told)
        if now[1] and time.monotonic() - since > STALLED + CLOCK * now[1][1]:
            process.kill()


def _copy_tree(folder: Path) -> None:
    """The tree with its rooms where Python looks for them: a link would lead back to the real one."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in TREE:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)


def _written(found: Sequence[Measured]) -> Iterator[str]:
    columns = ("mutants", KILLED, OUT_OF_TIME, SURVIVED)
    yield f"{'module':45}" + "".join(f"{title:>13}" for title in columns)
    for item in found:
        lists = (item.found, item.having(KILLED), item.having(OUT_OF_TIME), item.having(SURVIVED, UNREACHED))
        yield f"{item.module:45}" + "".join(f"{len(names):>13}" for names in lists)
    for item in found:
        functions = _functions(item.text)
        for name, result in item.found.items():
            if result != KILLED:
                yield f"\n{result}: {name}"
                yield from _differing(functions, name)


def _functions(text: str) -> dict[str, str]:
    """All functions of a mutated module by their names there, each as it stands, under the name it had."""
    lines = text.splitlines()
    nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
    return {
        node.name: "\n".join(lines[node.lineno - 1 : node.end_lineno]).replace(node.name, _plain(node.name), 1)
        for node in nodes
    }


def _plain(name: str) -> str:
    """The name of a function of a mutated module, without what tells its mutants apart."""
    return re.sub(r"__mutmut_(orig|\d+)$", "", name)


def _sound(name: str) -> str:
    """What the sound function of a mutant is called in the mutated module."""
    return re.sub(r"__mutmut_\d+$", "__mutmut_orig", name.rpartition(".")[2])


def _differing(functions: Mapping[str, str], name: str) -> Iterator[str]:
    """The lines in which a mutant differs from the sound function."""
    both = [functions[one].splitlines() for one in (_sound(name), name.rpartition(".")[2])]
    for line in difflib.unified_diff(*both, lineterm="", n=0):
        if line[:3] not in {"---", "+++"} and line[:2] != "@@":
            yield f"    {line}"


def _asked(words: Sequence[str]) -> Asked:
    reader = argparse.ArgumentParser(prog="python -m tests.mutants")
    reader.add_argument("parts", nargs="*")
    reader.add_argument("--again", action="store_true")
    reader.add_argument("--patience", type=float, default=15.0)
    found = reader.parse_args(words)
    return Asked(tuple(found.parts), found.patience, found.again)


def main(words: Sequence[str]) -> None:
    """Measure the modules asked for, or all, and print the table."""
    asked = _asked(words)
    chosen = {m: tests for m, tests in GUARDS.items() if not asked.parts or any(p in m for p in asked.parts)}
    found = [measure(module, tests, asked) for module, tests in chosen.items()]
    sys.stdout.write("\n".join(_written(found)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
