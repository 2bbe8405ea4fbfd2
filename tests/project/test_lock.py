"""One process at a time works on a project; a second one is told at once, and a dead one holds nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from casebridge.project.errors import CasebridgeError
from casebridge.project.job import sole_run

HOLDER = """
import sys
from pathlib import Path
from casebridge.project.job import sole_run
with sole_run(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def _refused(work: Path) -> str:
    with pytest.raises(CasebridgeError) as caught, sole_run(work):
        pass
    return caught.value.message


def test_a_second_one_is_told_at_once_and_the_third_gets_in(tmp_path: Path) -> None:
    """Within one process too: two stages of a notebook."""
    work = tmp_path / "trial" / "work"
    with sole_run(work):
        assert _refused(work) == f"another casebridge command is working on {tmp_path / 'trial'}"
        assert "another casebridge command" in _refused(work)
    with sole_run(work):
        pass


def test_what_goes_wrong_inside_gives_the_project_free(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="inside"), sole_run(tmp_path):
        raise RuntimeError("inside")
    with sole_run(tmp_path):
        pass


def test_a_file_left_behind_holds_nothing(tmp_path: Path) -> None:
    """There is no lock file to remove: whatever stands in it, only a living process holds it."""
    (tmp_path / "lock").write_text("12345\n", encoding="utf-8")
    with sole_run(tmp_path):
        pass


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    """SIGKILL leaves no time to tidy up; the system gives the lock back."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert "another casebridge command" in _refused(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with sole_run(tmp_path):
        pass
