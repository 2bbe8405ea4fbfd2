"""The fingerprint of a stage's code: what counts, what does not, and what hangs on it."""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import casebridge
from casebridge.project.fingerprint import (
    LINKAGE,
    STAGES,
    Fingerprint,
    fingerprints,
    fingerprints_in,
    library_version,
    read_source,
)  # fmt: skip
from tests.councils import casebridge as command
from tests.councils import contents
from tests.staged import ONE_COLUMN, two_people

ROOMS = ("extract", "transform", "dedupe", "load", "reconciliation", "project")
PACKAGE = Path(str(casebridge.__file__)).parent

CODE = '''
"""What it is for."""
from casebridge.project import batch
LIMIT = 3
"""How many."""
def cut(text: str) -> str:
    """The first of it."""
    return text[:LIMIT]  # not more
'''


def _code(text: str) -> str:
    return read_source(text.encode(), "casebridge.load").code


def test_comments_docstrings_and_layout_do_not_count() -> None:
    plain = """
from casebridge.project import batch


LIMIT = 3

def cut(text: str) -> str:
    return (
        text[
            :LIMIT]
    )
"""
    assert _code(plain) == _code(CODE)


@pytest.mark.parametrize(
    ("was", "now"),
    [("LIMIT = 3", "LIMIT = 4"), ("LIMIT = 3", "LIMIT = '3'"), ("text[:", "text[1:"), ("-> str", "-> object"),
     ("LIMIT = 3", "LIMIT = 3.0"), ("def cut", "async def cut"), ("import batch", "import batch as other")],
)  # fmt: skip
def test_what_code_says_counts(was: str, now: str) -> None:
    assert _code(CODE.replace(was, now, 1)) != _code(CODE)


def test_imports_are_found_wherever_they_stand() -> None:
    text = b"""
import numpy as np, scipy.sparse
from typing import TYPE_CHECKING
from casebridge.project import batch, spec
from . import tables
from ..resolution.resolve import resolve
if TYPE_CHECKING:
    import pandera
else:
    import json
def later():
    try:
        from casebridge.dedupe.linkage.engine import link
    except ImportError:
        import petl
"""
    assert set(read_source(text, "casebridge.load.writing").imports) == {
        "numpy", "scipy.sparse", "typing.TYPE_CHECKING", "casebridge.project.batch", "casebridge.project.spec",
        "casebridge.load.writing.tables", "casebridge.load.resolution.resolve.resolve", "json",
        "casebridge.dedupe.linkage.engine.link", "petl",
    }  # fmt: skip


def test_each_stage_counts_its_own_code_and_what_it_stands_on() -> None:
    made = fingerprints()
    assert set(made) == {*STAGES, LINKAGE}
    assert len({item.digest for item in made.values()}) == len(made)
    for item in made.values():
        assert {"casebridge.project.batch", "casebridge.project.spec"} <= set(item.modules)
        assert not {"casebridge", "casebridge.project.errors"} & set(item.modules)
        assert not any(name.startswith("casebridge.migrate") for name in item.modules)
    assert "casebridge.extract.sheet" in made["extract"].modules
    assert "casebridge.transform.steps" in made["transform"].modules
    assert "casebridge.reconciliation.reporting.wording" in made["reconcile"].modules
    assert "reconciliation/reporting/templates/report.html" in made["reconcile"].modules
    # Imported inside a function, for most runs link nothing new.
    assert "casebridge.dedupe.linkage.engine" in made[LINKAGE].modules
    assert "casebridge.dedupe.review.survivorship" in made["dedupe"].modules
    # What people decided is told to the engine; who survives is none of its business.
    review = {name for name in made[LINKAGE].modules if name.startswith("casebridge.dedupe.review.")}
    assert review == {"casebridge.dedupe.review.decisions"}


@pytest.mark.parametrize(
    ("stage", "libraries"),
    [
        ("extract", {"python", "polars", "numpy", "pyarrow"}),
        ("transform", {"python", "polars", "pandera", "duckdb"}),
        ("dedupe", {"python", "polars", "duckdb", "numpy", "scipy", "jellyfish", "rapidfuzz"}),
        (LINKAGE, {"python", "polars", "duckdb", "numpy", "scipy", "jellyfish", "rapidfuzz"}),
        ("load", {"python", "polars", "sqlalchemy", "psycopg"}),
        ("reconcile", {"python", "polars", "sqlalchemy"}),
    ],
)
def test_libraries_that_decide_values_count(stage: str, libraries: set[str]) -> None:
    found = fingerprints()[stage].libraries
    assert libraries <= set(found)
    assert all(found.values()), found


def test_a_library_has_the_version_that_is_installed() -> None:
    import polars

    assert library_version("polars") == polars.__version__
    assert library_version("no_such_library_of_ours") == ""


def test_no_stage_imports_what_nobody_can_see() -> None:
    """An import by a name that is made up while it runs would be left out of the fingerprint."""
    counted = {name for item in fingerprints().values() for name in item.modules if name.startswith("casebridge.")}
    for room in ROOMS:
        for path in (PACKAGE / room).rglob("*.py"):
            parts = path.relative_to(PACKAGE).with_suffix("").parts
            name = ".".join(("casebridge", *parts)).removesuffix(".__init__")
            words = {node.id for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Name)}
            assert name not in counted or not words & {"import_module", "__import__", "exec", "eval"}, name


def test_every_file_that_code_reads_counts() -> None:
    """Packs are copied into a project, where they are rules."""
    counted = {name for item in fingerprints().values() for name in item.modules}
    files = [path for room in ROOMS for path in (PACKAGE / room).rglob("*") if path.is_file()]
    others = {
        path.relative_to(PACKAGE).as_posix()
        for path in files
        if path.suffix != ".py" and path.parent.name != "__pycache__"
    }
    assert {name for name in others if not name.startswith("project/packs/")} <= counted


# Other code is a copy of the package, laid down as an installed one is: without links.


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is known of the sources, so that only changed ones are parsed."""
    path = tmp_path_factory.mktemp("kept") / "code.json"
    fingerprints_in(PACKAGE, path, keep=True)
    return path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package, to change."""
    shutil.copytree(PACKAGE, tmp_path / "casebridge", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "casebridge"


def _edit(path: Path, change: Callable[[str], str]) -> None:
    text = path.read_text(encoding="utf-8")
    assert change(text) != text
    path.write_text(change(text), encoding="utf-8")


def _other(folder: Path, kept: Path) -> set[str]:
    """The stages whose fingerprint is another there."""
    here, there = fingerprints(), fingerprints_in(folder, kept)
    return {stage for stage in here if here[stage].digest != there[stage].digest}


def test_the_same_code_is_the_same_wherever_it_stands(package: Path, kept: Path) -> None:
    """A checkout with its links, or an installed package; remarks and the words of errors say nothing."""
    _edit(package / "transform" / "steps.py", lambda text: text.replace('"""', '"""Well: ', 1) + "\n# a remark\n")
    _edit(package / "project" / "errors.py", lambda text: text + "\nWORDS = 'kinder ones'\n")
    _edit(package / "migrate" / "pipeline.py", lambda text: text + "\nMOST = 7\n")
    assert _other(package, kept) == set()


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("extract/quoting.py", {"extract"}),
        ("transform/steps.py", {"transform"}),
        ("dedupe/review/survivorship.py", {"dedupe"}),
        ("dedupe/linkage/register/nicknames.py", {"dedupe", LINKAGE}),
        ("load/resolution/resolve.py", {"load"}),
        ("reconciliation/reporting/wording.py", {"reconcile"}),
        ("reconciliation/reporting/templates/report.css", {"reconcile"}),
        ("project/contracts.py", {*STAGES, LINKAGE}),
    ],
)
def test_other_code_is_told_of_the_stages_that_use_it(
    package: Path, kept: Path, file: str, stages: set[str]
) -> None:
    """The report's words are nothing to the stages that make the rows."""
    _edit(package / file, lambda text: text + "\nMOST = 7\n")
    assert _other(package, kept) == stages


def test_a_module_that_comes_between_counts(package: Path, kept: Path) -> None:
    """A package in the place of a module, and one more import: both are other code."""
    (package / "transform" / "steps_more.py").write_text("MOST = 7\n")
    assert _other(package, kept) == set()
    _edit(package / "transform" / "steps.py", lambda text: text + "\nimport casebridge.transform.steps_more\n")
    assert _other(package, kept) == {"transform"}
    before = fingerprints_in(package, kept)["transform"].digest
    (package / "transform" / "steps_more.py").write_text("MOST = 8\n")
    assert fingerprints_in(package, kept)["transform"].digest != before


def test_what_is_kept_of_the_sources_may_be_lost_or_spoilt(tmp_path: Path, kept: Path) -> None:
    text, spoilt = kept.read_text(encoding="utf-8"), tmp_path / "code.json"
    for words in ('{"made_by": 1, "files": {}}', text[: len(text) // 2]):
        spoilt.write_text(words, encoding="utf-8")
        assert fingerprints_in(PACKAGE, spoilt, keep=True) == fingerprints()
        assert spoilt.read_text(encoding="utf-8") == text


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose two rows were migrated by the code as it stands."""
    folder = two_people(tmp_path / "project", f'{ONE_COLUMN}steps = ["upper"]\n')
    _did("run", "--project", str(folder))
    return folder


def _did(*words: str) -> str:
    done = command(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _with_other_code(monkeypatch: pytest.MonkeyPatch, *stages: str) -> None:
    """From now on the code of these stages is another."""
    made = dict(fingerprints())
    for stage in stages:
        made[stage] = Fingerprint({**made[stage].modules, "casebridge.new": "1"}, made[stage].libraries)
    monkeypatch.setattr("casebridge.project.job.fingerprints", lambda *_, **__: made)


@pytest.mark.parametrize("stage", ["extract", "transform", "load"])
def test_what_other_code_made_is_pending(project: Path, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    """From the stage whose code it is; and the target stays row for row what it was."""
    url = f"sqlite:///{project / 'target.db'}"
    before = contents(url)
    _with_other_code(monkeypatch, stage)
    plan = json.loads(_did("run", "--plan", "--json", "--project", str(project)))["stages"]
    assert next(part["stage"] for part in plan if part["state"] == "pending") == stage
    _did("run", "--project", str(project))
    plan = json.loads(_did("run", "--plan", "--json", "--project", str(project)))["stages"]
    assert {part["stage"] for part in plan if part["state"] != "done"} == {"reconcile"}
    assert contents(url) == before


def test_a_freeze_names_the_stage_whose_code_differs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("--project", str(project))
    _did("freeze", *words)
    _with_other_code(monkeypatch, "transform", "load")
    for stopped in (("run",), ("run", "--plan"), ("run", "--name", "cut-over"), ("load",)):
        done = command(*stopped, *words)
        assert done.returncode == 1
        assert "changed since: the code of load, the code of transform" in done.stderr
        assert "--accept-code" in done.stderr


def test_other_code_is_accepted_by_name_and_in_writing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For that code alone; it stands in the journal, in run.json and on the page."""
    words = ("--project", str(project))
    said = ("--accept-code", "--by", "Dr A. Owner", "--reason", "mends <the> dates of 1900")
    assert "nothing is frozen" in command("freeze", *said, *words).stderr
    _did("freeze", *words)
    assert "nothing to accept" in command("freeze", *said, *words).stderr
    _with_other_code(monkeypatch, "transform")
    for blank in (("--accept-code",), ("--accept-code", "--by", " ", "--reason", "x"), ("--by", "x"),
                  ("--accept-code", "--by", "x"), (*said, "--lift"), ("trial-1", *said)):  # fmt: skip
        assert command("freeze", *blank, *words).returncode == 2
    assert command("run", *words).returncode == 1
    assert "Dr A. Owner" in _did("freeze", *said, *words)
    _did("run", *words)
    assert "other code of transform (mends <the> dates of 1900)" in _did("status", *words)
    folder = project / "reports" / "trial-1"
    (accepted,) = json.loads((folder / "run.json").read_text())["program"]["accepted"]
    assert (accepted["stages"], accepted["who"]) == (["transform"], "Dr A. Owner")
    assert "mends &lt;the&gt; dates of 1900" in (folder / "report.html").read_text(encoding="utf-8")

    _with_other_code(monkeypatch, "transform", "load")
    done = command("run", *words)
    assert "changed since: the code of load\n" in done.stderr
    again = json.loads(_did("freeze", "--accept-code", "--by", "B", "--reason", "and load", "--json", *words))
    assert [(item["who"], item["stages"]) for item in again["frozen"]["accepted"]] == [
        ("Dr A. Owner", ["transform"]),
        ("B", ["load"]),
    ]
    _did("run", *words)
    _did("freeze", "--lift", *words)
    assert json.loads(_did("freeze", "--json", *words))["frozen"]["accepted"] == []


def test_accepted_code_lets_no_other_rule_through(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("--project", str(project))
    _did("freeze", *words)
    _with_other_code(monkeypatch, "transform")
    spec = project / "tables" / "persons.toml"
    spec.write_text(spec.read_text() + "# a remark\n")
    _did("freeze", "--accept-code", "--by", "x", "--reason", "y", *words)
    assert "changed since: tables/persons.toml\n" in command("run", *words).stderr


def test_a_stage_done_by_older_code_is_not_frozen_as_new(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages called one by one: what the last one was done with is not what all were done with."""
    words = ("--project", str(project))
    _with_other_code(monkeypatch, "extract")
    _did("transform", *words)
    _did("reconcile", *words)
    assert "changed since run trial-1: the code of extract\n" in command("freeze", *words).stderr
    _did("run", *words)
    _did("freeze", *words)


def test_run_json_and_the_page_say_which_program_it_was(project: Path) -> None:
    folder = project / "reports" / "trial-1"
    program = json.loads((folder / "run.json").read_text())["program"]
    assert program["version"] == "0.1.0"
    assert program["stages"] == {stage: fingerprints()[stage].digest for stage in STAGES}
    assert program["libraries"]["polars"] == library_version("polars")
    assert program["accepted"] == []
    page = (folder / "report.html").read_text(encoding="utf-8")
    for text in (program["fingerprint"][:16], *(code[:16] for code in program["stages"].values())):
        assert text in page
        assert text not in (folder / "report.json").read_text(encoding="utf-8")
    if (PACKAGE.parent / ".git").exists():
        assert program["commit"][:12] in page
