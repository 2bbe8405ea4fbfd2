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

from tests.mutant_runs import BEGUN, FOUND, KILLED, OUT_OF_TIME, WORK

ROOT = Path(__file__).parent.parent
COPIES = ROOT / "build" / "mutants"
TREE = ("tests", "benchmarks", "runbooks", "docs", "casebridge")
STALLED = 300.0  # seconds, beside what the tests take: then the process hangs where no signal reaches it

REVIEW = ("tests/dedupe/test_review.py", "-k", "not postgresql")
GUARDS: Mapping[str, Sequence[str]] = {
    "project/no_link.py": ("tests/project/test_no_link.py",),
    "dedupe/candidates.py": ("tests/dedupe/test_candidates.py",),
    "dedupe/register_queries.py": ("tests/dedupe/test_candidates.py", "-k", "query"),
    "dedupe/review/survivorship.py": REVIEW,
    "reconciliation/counting/restriction.py": ("tests/reconciliation/test_restricted.py",),
    "dedupe/review/decisions.py": REVIEW,
    "dedupe/review/crosswalk.py": ("tests/test_restriction.py", *REVIEW),
    "dedupe/linkage/clusters.py": ("tests/linkage/test_clusters.py",),
    "dedupe/linkage/scoring/cascade.py": ("tests/linkage/test_cascade.py",),
    "dedupe/linkage/kinds/guards.py": ("tests/linkage/test_twin_guard.py",),
    "project/tally.py": ("tests/project/test_tally_and_errors.py",),
    "project/ledger.py": ("tests/project/test_ledger.py", "tests/staged/test_reading.py", "tests/test_freeze.py"),
    "load/writing/applied.py": ("tests/load/test_applied.py",),
    "load/rollback.py": ("tests/load/test_taking_back.py",),
    "reconciliation/checks.py": ("tests/reconciliation/test_findings.py",),
}  # fmt: skip
"""Each module that keeps harm away, and the few tests that answer for it."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks for. patience: a mutant counts as found when its tests need so many times the
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
    before = _results(folder) if asked.again else {}
    was = _functions((folder / "casebridge" / module).read_text(encoding="utf-8")) if before else {}
    names, text = _mutants(module, (ROOT / "casebridge" / module).read_text(encoding="utf-8"))
    now = _functions(text)
    _copy_tree(folder)
    (folder / "casebridge" / module).write_text(text, encoding="utf-8")
    killed = (name for name in names if before.get(name) == KILLED)
    _note(folder, {name: KILLED for name in killed if was.get(_sound(name)) == now[_sound(name)]})
    while left := [name for name in names if name not in _results(folder)]:
        _run(folder, left, tests, asked.patience)
    return Measured(module, {name: _results(folder)[name] for name in names}, text)


def _mutants(module: str, sound: str) -> tuple[list[str], str]:
    """The names of a module's mutants, and its text with all of them beside the sound functions."""
    from mutmut.mutation.file_mutation import mutate_file_contents  # only where mutants are made

    made = mutate_file_contents(module, sound)
    front = "casebridge." + module.removesuffix(".py").replace("/", ".")
    return [f"{front}.{name}" for name in made.mutant_names], made.code


def _run(folder: Path, names: Sequence[str], tests: Sequence[str], patience: float) -> None:
    """Run the tests on these mutants in one process; whichever hangs it, or ends it, was found."""
    work = {"names": list(names), "tests": list(tests), "patience": patience}
    (folder / WORK).write_text(json.dumps(work), encoding="utf-8")
    command = [sys.executable, "-m", "tests.mutant_runs"]
    before = _results(folder)
    (folder / BEGUN).unlink(missing_ok=True)
    with (folder / "tests.log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        _watch(process, folder)
    begun = (folder / BEGUN).read_text(encoding="utf-8") if (folder / BEGUN).exists() else ""
    if begun and begun not in _results(folder):
        _note(folder, {**_results(folder), begun: OUT_OF_TIME})
    elif _results(folder) == before:
        raise SystemExit(f"{folder.name}: its tests do not pass on the sound code; see {folder / 'tests.log'}")


def _watch(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait for the process, and end it when it has told nothing for a long time."""
    told, size = time.monotonic(), -1
    while process.poll() is None:
        time.sleep(0.5)
        now = (folder / FOUND).stat().st_size
        told, size = (time.monotonic(), now) if now != size else (told, size)
        if time.monotonic() - told > STALLED:
            process.kill()


def _results(folder: Path) -> dict[str, str]:
    """What became of each mutant so far."""
    path = folder / FOUND
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    found = dict(json.loads(line) for line in lines)  # the last word on each: none, where it was forgotten again
    return {name: result for name, result in found.items() if result}


def _note(folder: Path, results: Mapping[str, str]) -> None:
    lines = "".join(json.dumps(item) + "\n" for item in results.items())
    (folder / FOUND).write_text(lines, encoding="utf-8")


def _copy_tree(folder: Path) -> None:
    """The tree with its rooms where Python looks for them: a link would lead back to the real one."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in TREE:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)


def _written(found: Sequence[Measured]) -> Iterator[str]:
    yield f"{'module':45}{'mutants':>9}{'killed':>9}{'survived':>10}"
    for item in found:
        killed = len(item.having(KILLED, OUT_OF_TIME))
        yield f"{item.module:45}{len(item.found):>9}{killed:>9}{len(item.found) - killed:>10}"
    for item in found:
        functions = _functions(item.text)
        for name, result in item.found.items():
            if result != KILLED:
                yield f"\n{result}: {name}"
                yield from _differing(functions, name)


def _functions(text: str) -> dict[str, str]:
    """The bodies of all functions of a mutated module, by their names there."""
    lines = text.splitlines()
    nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
    return {node.name: "\n".join(lines[node.lineno : node.end_lineno]) for node in nodes}


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
