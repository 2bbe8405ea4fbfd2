"""The shape of the house, held by tests where no linter can."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("migrate", "extract", "transform", "dedupe", "load", "reconciliation", "project", "synthetic")


@pytest.mark.parametrize("name", ROOMS)
def test_every_room_is_a_part_of_the_package(name: str) -> None:
    """A relative link a room: the checkout may be moved, and no tool needs a setting."""
    link = ROOT / "casebridge" / name
    assert link.readlink() == Path("..") / name
    module = importlib.import_module(f"casebridge.{name}")
    assert module.__file__ is not None
    assert Path(module.__file__).resolve().parent == ROOT / name


def test_every_folder_of_the_package_is_a_room() -> None:
    """Nothing is installed that nobody placed. The runbooks travel with the rooms: messages name them."""
    links = {path.name for path in (ROOT / "casebridge").iterdir() if path.is_symlink()}
    assert links == {*ROOMS, "runbooks"}
    assert (ROOT / "casebridge" / "runbooks").readlink() == Path("../runbooks")


def test_help_does_not_load_the_engines() -> None:
    """`casebridge --help` answers at once, because nothing heavy is imported for it."""
    code = """
import sys
from click.testing import CliRunner
from casebridge.migrate.cli.main import cli
assert CliRunner().invoke(cli, ["--help"]).exit_code == 0
heavy = {"polars", "duckdb", "pandera", "numpy", "pandas", "sqlalchemy", "rich", "petl", "recordlinkage"}
print(",".join(sorted(heavy & set(sys.modules))))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == ""


def _sources() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


@pytest.mark.parametrize("word", ["utils", "util", "helpers", "helper", "common", "misc", "manager"])
def test_no_room_for_odds_and_ends(word: str) -> None:
    """Every module is named after the thing in it."""
    assert [path for path in _sources() if path.stem == word] == []


def test_no_module_outgrows_a_screenful_of_screens() -> None:
    """A module of more than 400 lines wants a wall."""
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in _sources()}
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}


def test_importing_does_nothing() -> None:
    """Importing any module writes nothing, connects to nothing, prints nothing."""
    names = ["casebridge." + ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in _sources()]
    names = [name.removesuffix(".__init__") for name in names]
    code = "import importlib\n" + "\n".join(f"importlib.import_module({name!r})" for name in names)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == ""
    assert done.stderr == ""
