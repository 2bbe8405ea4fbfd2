"""Frozen rules: none may change, be gone, or come, from the freeze on; the command says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kin import Kin, make_kin, person, relation


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Kin:
    """A rehearsal that balanced, and its rules frozen."""
    folder = tmp_path_factory.mktemp("frozen")
    kin = make_kin(folder, [person(1, "Ng", "111"), person(2, "Li")], [relation(1, 1, 2)])
    (folder / "codes" / "kind.csv").write_text("legacy_code,target_code\n", encoding="utf-8")
    kin.run("rehearsal")
    done = kin.cli("freeze", "rehearsal")
    assert done.returncode == 0, done.stderr
    return kin


@pytest.mark.parametrize("rule", ["linkage.toml", "tables/relations.toml", "codes/kind.csv"])
def test_a_rule_that_is_gone_is_no_rule_that_was_rehearsed(frozen: Kin, rule: str) -> None:
    """Without linkage.toml nobody is merged, without a spec its table stays behind: a run would balance all the
    same."""
    path = frozen.folder / rule
    text = path.read_text(encoding="utf-8")
    path.unlink()
    try:
        for words in (("run", "--name", "cut-over"), ("run", "--plan", "--name", "cut-over"), ("load",)):
            done = frozen.cli(*words)
            assert done.returncode == 1, done.stdout
            assert rule in done.stderr
    finally:
        path.write_text(text, encoding="utf-8")
    assert frozen.cli("run", "--plan", "--name", "cut-over").returncode == 0


def test_a_rule_that_is_new_was_not_rehearsed(frozen: Kin) -> None:
    path = frozen.folder / "codes" / "more.csv"
    path.write_text("legacy_code,target_code\n", encoding="utf-8")
    done = frozen.cli("run", "--name", "cut-over")
    path.unlink()
    assert done.returncode == 1
    assert "codes/more.csv" in done.stderr


def test_only_a_run_whose_rules_are_all_still_there_can_be_frozen(tmp_path: Path) -> None:
    kin = make_kin(tmp_path, [person(1, "Ng", "111")])
    kin.run("rehearsal")
    (tmp_path / "linkage.toml").unlink()
    done = kin.cli("freeze", "rehearsal")
    assert done.returncode == 1
    assert "linkage.toml" in done.stderr
