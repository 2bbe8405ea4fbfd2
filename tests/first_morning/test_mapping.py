"""`casebridge mapping`: every column and where it went, kept with each run, compared between two."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from casebridge.migrate.cli.main import cli
from casebridge.migrate.pipeline import open_job, run_stages
from casebridge.project.errors import CasebridgeError


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rehearsal, run to its end; then other rules, and a second run up to transform."""
    place = tmp_path_factory.mktemp("mapped")
    (place / "dump").mkdir()
    with (place / "dump/VISIT.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [[n, ["HOME", "TEL"][n % 2], f"2024-01-{n % 28 + 1:02}", "x" * (n % 9)] for n in range(200)]
        rows[5][2] = "soon"
        csv.writer(file).writerows([["VISIT_NO", "KIND", "SEEN_ON", "NOTE"], *rows])
    assert _casebridge("draft", str(place / "project"), "--dump", str(place / "dump")).exit_code == 0
    with open_job(place / "project", "rehearsal") as job:
        list(run_stages(job))
    _edit(place / "project/codes/visit_kind.csv", "TEL,TEL,", "TEL,PHONE,")
    _edit(
        place / "project/tables/visit.toml", '[columns.note]\nfrom = "NOTE"\n', '[dropped]\nNOTE = "screen text"\n'
    )
    with open_job(place / "project", "cut-over") as job:
        list(run_stages(job, "transform"))
    return place / "project"


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def _casebridge(*words: str) -> Result:
    done = CliRunner().invoke(cli, list(words))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def _mapping(project: Path, *words: str) -> dict[str, Any]:
    done = _casebridge("mapping", *words, "--project", str(project), "--json")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _page(project: Path, run: str) -> str:
    text = (project / "reports" / run / "mapping.html").read_text(encoding="utf-8")
    return re.sub(r"<style>.*?</style>|<script>.*?</script>|<[^>]+>", " ", text, flags=re.DOTALL)


def test_every_column_of_a_source_has_its_place(project: Path) -> None:
    (source,) = _mapping(project, "rehearsal")["sources"]
    ways = {column["name"]: column for column in source["columns"]}
    assert list(ways) == ["VISIT_NO", "KIND", "SEEN_ON", "NOTE"]
    assert ways["VISIT_NO"]["key"] == [{"spec": "visit"}]
    assert ways["KIND"]["to"] == [
        {"spec": "visit", "target": "visit", "column": "kind", "how": "codes visit_kind"}
    ]
    assert ways["NOTE"]["to"][0]["column"] == "note"
    dropped = _mapping(project, "cut-over")["sources"][0]["columns"][3]
    assert (dropped["to"], dropped["dropped"]) == ([], [{"spec": "visit", "reason": "screen text"}])


def test_the_page_shows_counts_and_causes_of_its_run(project: Path) -> None:
    _mapping(project, "rehearsal")
    page = " ".join(_page(project, "rehearsal").split())
    assert "200 of 200 rows loaded" in page
    assert "date 1" in page
    assert "balanced" in page
    _mapping(project, "cut-over")
    assert "no report yet" in _page(project, "cut-over")


def test_what_changed_between_a_rehearsal_and_the_cut_over(project: Path) -> None:
    """A code and a dropped column, and nothing else. A run keeps what its rows went through."""
    told = _mapping(project, "cut-over", "--against", "rehearsal")["changes"]
    assert told == [
        {"rule": "codes visit_kind: TEL", "then": "TEL", "now": "PHONE"},
        {"rule": "visit: columns.note", "then": "from NOTE", "now": ""},
        {"rule": "visit: dropped.NOTE", "then": "", "now": "screen text"},
    ]
    assert "screen text" in _page(project, "cut-over")
    versions = [_mapping(project, run)["digest"] for run in ("rehearsal", "cut-over")]
    assert versions[0] != versions[1]
    assert _mapping(project, "rehearsal", "--against", "rehearsal")["changes"] == []


def test_a_run_without_a_mapping_is_named(project: Path) -> None:
    with pytest.raises(CasebridgeError, match="run trial-9 has kept no mapping"):
        _mapping(project, "cut-over", "--against", "trial-9")
