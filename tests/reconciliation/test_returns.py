"""`casebridge statutory`: others' validators under a Python of their own, numbers by rule only.

The validator here is a small one of the same shape; the real ones need libraries that we cannot share.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casebridge.migrate.cli.main import cli
from casebridge.migrate.returns import validated
from casebridge.project.errors import SourceError

_VALIDATOR = """
import sys
class Table(dict):
    columns = property(lambda self: list(self))
class Marks(list):
    __eq__ = lambda self, other: self
    sum = lambda self: sum(self[:])
class LacValidator:
    def __init__(self, metadata, files, registry):
        assert metadata == {"collectionYear": "2026", "localAuthority": "E09000027"}
        text = b"".join(file["file_content"] for file in files)
        if b"BROKEN" in text:
            raise ValueError("child 4711 cannot be read")
        if b"ENDED" in text:
            sys.exit("Child 4711 of the council")
        print("noise")
        self.ds_results = {"metadata": {}, "Header": Table(CHILD=[], ERR_103=Marks([text.count(b"XX")]))}
        self.dones = ["103", "101"] if b"SEX" in text else ["103"]
        if not text:
            self.ds_results, self.dones = {}, []
"""
_RULES = """
class Rule:
    def __init__(self, code): self.code, self.message = code, f"rule {code}"
registry = {code: Rule(code) for code in ("101", "103")}
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the validator, and nothing of ours."""
    place = tmp_path_factory.mktemp("validator")
    (place / "lac_validator" / "rules").mkdir(parents=True)
    (place / "lac_validator" / "lac_validator.py").write_text(_VALIDATOR, encoding="utf-8")
    (place / "lac_validator" / "rules" / "lac2025_26.py").write_text(_RULES, encoding="utf-8")
    begin = f"import sys; sys.path.insert(0, {str(place)!r}); exec(sys.argv.pop(1))"
    path = place / "python"
    path.write_text(f'#!/bin/sh\nshift 2\nexec {sys.executable} -S -c "{begin}" "$@"\n', encoding="utf-8")
    path.chmod(0o700)
    return path


def _return(folder: Path, *lines: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "header.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder


def _statutory(before: Path, after: Path, python: Path, *more: str) -> Result:
    words = ["--python", str(python), "--year", "2026", "--authority", "E09000027", *more]
    return CliRunner().invoke(cli, ["statutory", str(before), str(after), *words])


def test_rules_that_find_more_or_cannot_run_any_more_are_told(python: Path, tmp_path: Path) -> None:
    before = _return(tmp_path / "before", "CHILD,SEX,ETHNIC", "4711,1,XX")
    after = _return(tmp_path / "after", "CHILD,ETHNIC", "4711,XX", "4712,XX")
    done = _statutory(before, after, python, "--json")
    assert json.loads(done.stdout)["differences"] == [
        {"rule": "101", "before": 0, "after": None, "what": "rule 101"},
        {"rule": "103", "before": 1, "after": 2, "what": "rule 103"},
    ]
    assert "2 rules of the return find more than before, or cannot run any more: 101, 103" in str(done.exception)
    assert _statutory(before, before, python).exit_code == 0


def test_what_a_validator_says_of_a_child_is_not_told(python: Path, tmp_path: Path) -> None:
    broken = _return(tmp_path / "before", "BROKEN")
    with pytest.raises(SourceError, match=r"before: cannot be validated: ValueError$"):
        validated(broken, python, "ssda903", 2026, "E09000027")
    with pytest.raises(SourceError, match="No module named 'lac_validator'") as missing:
        validated(broken, Path(sys.executable), "ssda903", 2026, "E09000027")
    assert "pip install csc-validator-be-903" in missing.value.hint
    with pytest.raises(SourceError, match="cannot be started"):
        validated(broken, tmp_path / "nowhere", "ssda903", 2026, "E09000027")
    ended = _return(tmp_path / "ended", "ENDED")
    with pytest.raises(
        SourceError, match=r"ended: cannot be validated: it ended without saying which error it was$"
    ):
        validated(ended, python, "ssda903", 2026, "E09000027")


def test_a_return_on_which_no_rule_can_run_is_not_in_order(python: Path, tmp_path: Path) -> None:
    """Two empty folders do not differ."""
    empty = _return(tmp_path / "empty", "")
    done = _statutory(empty, empty, python)
    assert done.exit_code != 0
    assert "not one rule could run on it" in str(done.exception)
