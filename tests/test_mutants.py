"""The count of mutants: what no sound check covered counts for nothing, and what hangs is told apart."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import mutants
from tests.mutant_results import KILLED, OUT_OF_TIME, SURVIVED, UNREACHED, keep, read_results
from tests.mutants import Measured, run_all

TESTS = Path(__file__).parent
PROCESS = """
import json, os, pathlib, sys, time
from tests.mutant_results import one_by_one
spoilt = set()

def result(name):
    with open("seen.txt", "a") as seen:
        seen.write(name + "\\n")
    if "spoils" in name:
        spoilt.add(name)
    if "ends" in name or (spoilt and "fragile" in name):
        os._exit(1)
    if "hangs" in name:
        time.sleep(60)
    return "killed" if spoilt - {name} else "survived"

one_by_one(json.load(open("work.json"))["names"], result, lambda: not spoilt, lambda name: 0.01)
"""
"""Stands for the run of the tests: a mutant that spoils the process makes all after it seem killed."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").touch()
    shutil.copy(TESTS / "mutant_results.py", tmp_path / "tests")
    (tmp_path / "tests" / "mutant_runs.py").write_text(PROCESS)
    keep(tmp_path, {})
    return tmp_path


def test_only_what_a_sound_check_covers_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mutant gets its own result, whichever spoils, ends or hangs the process that it shares."""
    monkeypatch.setattr(mutants, "STALLED", 4.0)
    names = ["a", "b", "spoils", "c", "fragile", "d", "e", "ends", "f", "hangs", "g"]
    found = run_all(folder, names, [], 15.0)
    assert {name for name, result in found.items() if result == OUT_OF_TIME} == {"ends", "hangs"}
    assert {name for name, result in found.items() if result == SURVIVED} == {*names} - {"ends", "hangs"}


def test_a_process_that_is_killed_leaves_nothing_that_counts(folder: Path) -> None:
    keep(folder, {"a": KILLED})
    with (folder / "found.jsonl").open("a") as file:
        file.write('["b", "killed"]\n')
    assert read_results(folder).kept == {"a": KILLED}
    assert run_all(folder, ["a", "b"], [], 15.0) == {"a": KILLED, "b": SURVIVED}
    assert (folder / "seen.txt").read_text().split() == ["b"]


def test_what_ran_out_of_time_is_counted_apart_and_a_default_is_shown() -> None:
    text = "def f__mutmut_orig(x=3):\n    return x\ndef f__mutmut_1(x=4):\n    return x\n"
    text += "".join(f"def g__mutmut_{of}():\n    return {n}\n" for n, of in enumerate(("orig", 1, 2, 3)))
    of_g = {f"g__mutmut_{n}": result for n, result in enumerate((OUT_OF_TIME, KILLED, UNREACHED), 1)}
    results = {"f__mutmut_1": SURVIVED, **of_g}
    title, row, *lines = mutants._written([Measured("m.py", results, text)])
    assert title.split() == ["module", "mutants", "killed", "out", "of", "time", "survived"]
    assert row.split() == ["m.py", "4", "1", "1", "2"]
    assert lines == [
        "\nsurvived: f__mutmut_1", "    -def f(x=3):", "    +def f(x=4):",
        "\nout of time: g__mutmut_1", "    -    return 0", "    +    return 1",
        "\nno test: g__mutmut_3", "    -    return 0", "    +    return 3",
    ]  # fmt: skip
