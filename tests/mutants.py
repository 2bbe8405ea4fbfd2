"""Mutants of the guards: small faults put into the code one by one, each of which a test must find.

    python -m tests.mutants [part of a module's name …]

The tool (mutmut) works in a copy of the tree under `build/mutants`: nothing of it can stay in the real one. It
needs a Python in which casebridge is *not* installed, else the tests would find the sound code: `make mutants`
makes one. A table of the modules is printed, then every mutant that survived, to be read with `mutmut show`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
WORK = ROOT / "build" / "mutants"
KILLED = {1, 3, 24, 36, -24, 37}
"""Exit codes by which mutmut says that a mutant was found: a test failed, the mutant never ended, or types."""

REVIEW = ("tests/dedupe/test_review.py", "-k", "not postgresql")
GUARDS: Mapping[str, Sequence[str]] = {
    "dedupe/candidates.py": ("tests/dedupe/test_protected.py", "-k", "nobody_sees or misspelt or otherwise"),
    "dedupe/review/survivorship.py": REVIEW,
    "reconciliation/counting/restriction.py": (
        "tests/reconciliation/test_findings.py", "tests/reconciliation/test_controls.py", "-k",
        "not postgresql and (finding or restrict or counts_that_agree)",
    ),
    "dedupe/review/decisions.py": REVIEW,
    "dedupe/review/crosswalk.py": ("tests/test_restriction.py", *REVIEW),
    "dedupe/linkage/clusters.py": (
        "tests/linkage/test_guards.py", "-k", "bridge or connected or definition or name or twins",
    ),
    "dedupe/linkage/scoring/cascade.py": ("tests/linkage/test_twins.py", "tests/linkage/test_thin.py"),
    "project/tally.py": ("tests/project/test_tally_and_errors.py",),
    "project/ledger.py": ("tests/project/test_ledger.py", "tests/staged/test_reading.py", "tests/test_freeze.py"),
    "load/writing/applied.py": ("tests/load/test_load_stage.py", "-k", "sqlite"),
    "load/rollback.py": ("tests/load/test_rollback.py", "-k", "sqlite"),
    "reconciliation/checks.py": ("tests/reconciliation/test_findings.py",),
}  # fmt: skip
"""Each module that keeps harm away, and the few tests that answer for it."""

SETTINGS = """
[tool.mutmut]
process_isolation = "forkserver"
source_paths = ["casebridge"]
also_copy = ["benchmarks", "README.md", "runbooks", "docs"]
only_mutate = ["casebridge/{module}"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-q"]
pytest_add_cli_args_test_selection = {tests}
use_git_change_detection = false
timeout_constant = 30.0
"""


@dataclass(frozen=True)
class Measured:
    """One module's mutants: how many, and the names of those that no test found."""

    module: str
    mutants: int
    survived: tuple[str, ...]


def measure(module: str, tests: Sequence[str], children: int) -> Measured:
    """Mutate one module in a fresh copy of the tree and run its tests on each mutant."""
    folder = WORK / module.replace("/", ".").removesuffix(".py")
    _copy_tree(folder)
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    more = SETTINGS.format(module=module, tests=json.dumps(list(tests)))
    (folder / "pyproject.toml").write_text(settings + more, encoding="utf-8")
    log = (folder / "mutmut.log").open("w", encoding="utf-8")
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(children)]
    with log:
        subprocess.run(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, check=False)
    results = dict(_results(folder / "mutants" / "casebridge" / f"{module}.meta"))
    if not results:
        raise SystemExit(f"{module}: mutmut came to no result; see {folder / 'mutmut.log'}")
    return Measured(module, len(results), tuple(name for name, code in results.items() if code not in KILLED))


def _results(path: Path) -> Iterator[tuple[str, int | None]]:
    """Each mutant and the exit code of its tests; None when they were never run."""
    if path.is_file():
        yield from json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"].items()


def _copy_tree(folder: Path) -> None:
    """The tree with its rooms where Python looks for them: mutmut does not follow links."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("tests", "benchmarks", "runbooks", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "casebridge", folder / "casebridge", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "README.md", folder)


def _written(found: Sequence[Measured]) -> Iterator[str]:
    yield f"{'module':45}{'mutants':>9}{'killed':>9}{'survived':>10}"
    for item in found:
        survived = len(item.survived)
        yield f"{item.module:45}{item.mutants:>9}{item.mutants - survived:>9}{survived:>10}"
    for item in found:
        yield from (f"survived: {name}" for name in item.survived)


def main(asked: Sequence[str]) -> None:
    """Measure the modules asked for, or all, and print the table."""
    chosen = {m: tests for m, tests in GUARDS.items() if not asked or any(part in m for part in asked)}
    children = min(2, os.cpu_count() or 1)
    found = [measure(module, tests, children) for module, tests in chosen.items()]
    sys.stdout.write("\n".join(_written(found)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
