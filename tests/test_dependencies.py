"""docs/dependencies.md is held against what is declared and against what is imported."""

from __future__ import annotations

import ast
import functools
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("migrate", "extract", "transform", "dedupe", "load", "reconciliation", "project", "synthetic")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")


def _names(requirements: Iterable[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", text, maxsplit=1)[0].lower() for text in requirements}


def _rows(heading: str) -> dict[str, list[str]]:
    """The cells of the table under a heading, by package."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in cells}


def _imported(path: Path) -> set[str]:
    """The packages of others that a file imports, by the first part of their name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"casebridge"}


@functools.cache
def _importers() -> dict[str, set[Path]]:
    """Each distribution, and the files of the rooms that import it."""
    distributions = packages_distributions()
    found: dict[str, set[Path]] = defaultdict(set)
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for name in _imported(path):
            found[distributions.get(name, [name])[0].lower()].add(path)
    return found


def test_every_import_of_the_rooms_is_declared() -> None:
    """Also what another package would bring in: it may stop doing so. What an extra brings is imported by one
    file, which is read only where somebody asked for it."""
    always = _names(PROJECT["project"]["dependencies"])
    asked_for = _names(PROJECT["project"]["optional-dependencies"]["sso"]) - always
    assert set(_importers()) <= always | asked_for
    files = {str(file.relative_to(ROOT)) for name in asked_for for file in _importers().get(name, ())}
    assert files == {"migrate/web/single_sign_on.py"}


def test_every_dependency_has_its_row_and_every_row_its_dependency() -> None:
    optional = PROJECT["project"]["optional-dependencies"].values()
    assert set(_rows("Run time")) == _names(PROJECT["project"]["dependencies"])
    assert set(_rows("On request")) == {name for extra in optional for name in _names(extra)}
    assert set(_rows("Development")) == _names(PROJECT["dependency-groups"]["dev"])


@pytest.mark.parametrize("package", sorted(_rows("Run time")))
def test_a_row_names_the_places_that_import_its_package(package: str) -> None:
    """Each place imports it, and no file outside these places does."""
    places = [ROOT / name for name in re.findall(r"`([^`]+)`", _rows("Run time")[package][1])]
    files = _importers()[package]
    for place in places:
        assert any(file.is_relative_to(place) for file in files), place
    strangers = [file for file in files if not any(file.is_relative_to(place) for place in places)]
    assert [str(file.relative_to(ROOT)) for file in strangers] == []
