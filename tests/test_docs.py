"""The pages say what is so: commands, words of the specs, errors, rules, links, and every console block."""

from __future__ import annotations

import datetime as dt
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import polars as pl
import pytest

from casebridge.dedupe import config as linkage_file
from casebridge.extract.dump import SourceTable
from casebridge.extract.readers import FORMATS
from casebridge.extract.records import Reason
from casebridge.migrate.cli.main import COMMANDS, Commands
from casebridge.migrate.pipeline import WORDS, open_job
from casebridge.migrate.projects import init_project
from casebridge.project import settings as settings_file
from casebridge.project import specreader, target, targetfile
from casebridge.project.database import open_database
from casebridge.project.errors import CasebridgeError, SourceError
from casebridge.project.spec import ColumnSpec, OnFail, ReadSpec, Source, TableSpec
from casebridge.reconciliation.checks import CHECKS as RECONCILIATION
from casebridge.reconciliation.reporting import wording
from casebridge.transform.checks import CHECKS
from casebridge.transform.codes import COLUMNS as CODE_COLUMNS
from casebridge.transform.codes import STATUSES
from casebridge.transform.convert import convert, make_plan
from casebridge.transform.schema import rules
from casebridge.transform.steps import STEPS
from tests.councils import casebridge
from tests.scan.live import fill, people_rows

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "runbooks").rglob("*.md")])
README, SPECS, ERRORS = (ROOT / name for name in ("README.md", "docs/specs.md", "runbooks/errors.md"))
PEOPLE = "600"


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _section(page: Path, heading: str) -> str:
    """What stands under a heading, up to the next one of its depth or above."""
    depth = len(heading) - len(heading.lstrip("#"))
    after = _text(page).split(f"\n{heading}\n", 1)[1]
    return re.split(rf"\n#{{1,{depth}}} ", after, maxsplit=1)[0]


def _table(text: str) -> list[list[str]]:
    """The cells of a page's table rows."""
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


# Commands


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme_with_its_own_words(name: str) -> None:
    """The list of the README, the list of --help and the command's own help say the same."""
    command = Commands().get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    own = str(command.help).strip().splitlines()[0]
    assert own == COMMANDS[name][1]
    assert f"| `casebridge {name}` | {own} |" in _text(README)


def test_the_pages_name_no_command_that_is_not_there() -> None:
    """`casebridge something` in any page is a command."""
    named = {word for page in PAGES for word in re.findall(r"\bcasebridge ([a-z]+)\b", _code(_text(page)))}
    assert named - {"command"} == named & set(COMMANDS)


def _code(text: str) -> str:
    """The code in a page: fenced blocks and what stands between backticks."""
    blocks = re.findall(r"```.*?\n(.*?)```", text, re.DOTALL)
    rest = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", rest)])


# The words of the specs


def _spec_words() -> Iterator[tuple[str, str]]:
    for part, keys in specreader.KEYS.items():
        yield from ((f"specs {part}", key) for key in sorted(keys))
    for part, known in settings_file._KNOWN.items():
        yield from ((f"settings {part}", key) for key in sorted(known))
    for part, keys in linkage_file._KNOWN.items():
        yield from ((f"linkage {part}", key) for key in sorted(keys))
    yield from (("target table", key) for key in sorted(targetfile._TABLE_KEYS))
    yield from (("target column", key) for key in sorted(targetfile._COLUMN_KEYS))
    yield from (("type", name) for name in target.SQL_TYPES)
    yield from (("on_fail", str(name)) for name in OnFail)
    yield from (("encoding", name) for name in sorted(set(settings_file.ENCODINGS.values())))
    yield from (("code list", name) for name in (*CODE_COLUMNS, *STATUSES))


@pytest.mark.parametrize(("part", "word"), list(_spec_words()))
def test_every_word_of_the_project_files_is_in_the_reference(part: str, word: str) -> None:
    """Keys, types, choices: what the readers know, the reference has."""
    assert re.search(rf"[`\[\.]{word}[`\]\(\.\"]|^{word} +=", _text(SPECS), re.MULTILINE), part


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_in_the_reference(name: str) -> None:
    """A format is a row of the table of formats."""
    assert any(row[0] == f"`{name}`" for row in _table(_section(SPECS, "### `[read]`")))


def _example(cell: str) -> str | None:
    return None if cell == "∅" else cell.strip("`")


def _words(heading: str) -> list[tuple[str, str, str | None, str | None]]:
    """name, argument and two example cells of each row of a table of words."""
    rows = _table(_section(SPECS, heading))[1:]
    named = [(row[0].strip("`").partition(":"), row) for row in rows]
    return [(word[0], word[2], _example(row[1]), _example(row[2])) for word, row in named]


def test_every_step_is_in_the_reference_and_does_what_its_example_shows() -> None:
    """The examples are executed."""
    shown = _words("### Steps")
    assert {name for name, *_ in shown} == set(STEPS)
    for name, argument, given, wanted in shown:
        made = pl.DataFrame({"x": [given]}, schema={"x": pl.String}).select(STEPS[name](pl.col("x"), argument))
        assert made.item() == wanted, name


FILES = [row for row in _table(_section(SPECS, "#### What is read how")) if len(row) == 3 and "\\" in row[1]]


@pytest.mark.parametrize(("how", "file", "shown"), FILES)
def test_every_file_of_the_reference_is_read_as_it_shows(tmp_path: Path, how: str, file: str, shown: str) -> None:
    raw = tomllib.loads(how.replace("`, `", "\n").strip("`"))
    data = file.strip("`").encode("latin-1").decode("unicode-escape").encode("latin-1")
    (tmp_path / "A").write_bytes(data)
    widths = tuple(raw.pop("widths", {}).items())
    encoding = raw.pop("encoding", "utf-8")
    null = tuple(raw.pop("null")) if "null" in raw else None
    read = ReadSpec(
        Source("old", "A"), "A", raw.pop("format", "csv"), encoding, raw.pop("delimiter", ","), ("ID",),
        widths=widths, null=null, **raw,
    )  # fmt: skip
    wanted = shown.removeprefix("refused: ")
    came = _as_shown(tmp_path / "A", read)
    assert wanted in came if wanted != shown else wanted == came


def _as_shown(path: Path, read: ReadSpec) -> str:
    """What a file gives, as the reference shows it; or why it is refused."""
    form, found = FORMATS[read.format], list[tuple[int, str]]()
    try:
        columns = form.columns(path, "A", read)
        part = form.examine(path, "A", read)
        for piece in form.records(SourceTable(read.source, read, columns, (part,)), part, 0, 0):
            for row, *values in piece.raw.select("_row", *columns).iter_rows():
                found.append((row, " ".join(value or "∅" for value in values).rstrip()))
            found += piece.unreadable.select("_row", "reason").rows()
    except SourceError as error:
        return str(error)
    return ", ".join(f"`{text}`" for _, text in sorted(found)).replace("\n", "\\n")


def test_every_check_is_in_the_reference_and_judges_as_its_example_shows() -> None:
    """The examples are executed."""
    shown = _words("### Checks")
    assert {name for name, *_ in shown} == set(CHECKS)
    for name, argument, *cells in shown:
        values = pl.Series("x", cells)
        if name in {"years", "age"}:
            values = pl.Series("x", [dt.date.fromisoformat(str(cell)) for cell in cells])
        if name == "positive":
            values = values.cast(pl.Int64)
        judged = pl.DataFrame({"x": values}).select(CHECKS[name].holds(pl.col("x"), argument)).to_series()
        assert judged.to_list() == [True, False], name


def _read_as(kind: str, text: str) -> tuple[str | None, str]:
    """A text through a column of this type: the value, and the first rule that it breaks."""
    column = ColumnSpec("x", targetfile.read_type(kind)[0], ("X",))
    spec = TableSpec("t", "old", "t", ("X",), (), (column,))
    made = convert(pl.DataFrame({"_row": [1], "X": [text]}), make_plan(spec, {}, 26))
    value = made.clean["x"].item() if made.clean.height else None
    return (None if value is None else str(value)), "".join(made.quarantine["rule"].to_list())


def test_every_text_of_the_reference_is_read_as_it_shows() -> None:
    """The examples of types are executed."""
    rows = [row for row in _table(_text(SPECS)) if len(row) == 4 and row[0].split("(")[0] in READ_TYPES]
    rows = [row for row in rows if row[1].count("`") == 2 and row[2].count("`") != 1]
    assert len(rows) > 30
    for kind, text, value, rule in rows:
        assert _read_as(kind, text.strip("`")) == (_example(value), rule.strip("`")), text


def _made_of(lines: str, given: Mapping[str, str | None]) -> str | None:
    """What a column that says these lines makes of one row."""
    body = tomllib.loads(re.sub(r"`, `", "\n", lines.strip("`")).replace("\\|", "|"))
    path = Path("x.toml")
    raw = {"table": {"source": "T"}, "columns": {"x": body}, "dropped": {}}
    reader = specreader.Reader(path, raw, None, None, WORDS, path, [])  # type: ignore[arg-type]
    table = target.TargetTable("t", (), (target.TargetColumn("x", target.ColumnType("text")),))
    (column,) = reader._columns(raw, table)
    assert reader.problems == [], lines
    spec = TableSpec("t", "old", "t", ("K",), (), (column,))
    frame = pl.DataFrame({"_row": [1], "K": ["1"], **{name: [text] for name, text in given.items()}},
                         schema_overrides=dict.fromkeys(given, pl.String))  # fmt: skip
    made = convert(frame, make_plan(spec, {}, 26)).clean["x"].item()
    return None if made is None else str(made)


def test_every_column_of_the_reference_makes_of_a_row_what_it_shows() -> None:
    """The examples of default, expression and parts with steps are executed."""
    rows = _table(_section(SPECS, "### `[columns.NAME]` and `[evidence.NAME]`"))
    shown = [row for row in rows if len(row) == 4 and re.match("`(from|expression) =", row[0])]
    assert len(shown) > 8
    for lines, a, b, wanted in shown:
        given = {name: _example(cell) or None for name, cell in (("A", a), ("B", b))}
        assert _made_of(lines, given) == _example(wanted), lines


READ_TYPES = {"date", "timestamp", "numeric", "integer", "bigint"}

# Errors and rules


def _errors(kind: type[CasebridgeError] = CasebridgeError) -> Iterator[type[CasebridgeError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _errors(below)


@pytest.mark.parametrize("kind", list(_errors()), ids=lambda kind: kind.__name__)
def test_every_error_is_explained_with_its_exit_code(kind: type[CasebridgeError]) -> None:
    """A row of the table of exit codes."""
    rows = _table(_section(ERRORS, "## Exit codes"))
    assert any(row[:2] == [f"`{kind.__name__}`", str(kind.exit_code)] for row in rows)


def test_every_rule_that_can_stop_a_row_is_explained(tmp_path: Path) -> None:
    """Rules of the readers, of the stages, of all checks, of the pack's specs, of the report's wording."""
    (tmp_path / "dump").mkdir()
    init_project(tmp_path / "pack", tmp_path / "dump")
    with open_job(tmp_path / "pack", alone=False) as job:
        known = {rule.name for spec in job.specs for rule in rules(spec)}
    known |= {reason.name.lower() for reason in Reason if reason is not Reason.READABLE}
    known |= {*CHECKS, *wording.RULE_WORDS, "number", "money", "date", "time"}
    # Rules that stages give by name, where their quarantine is made.
    for path in (*(ROOT / "load").rglob("*.py"), *(ROOT / "transform").rglob("*.py")):
        for line in _text(path).splitlines():
            if "rule" in line or "_left(" in line:
                known |= set(re.findall(r'(?:lit\(|Verdict\.\w+, )"([a-z_]+)"', line))
    explained = {row[0] for row in _table(_section(ERRORS, "## Rules in the report"))}
    missing = sorted(rule for rule in known if not any(f"`{rule}`" in cell for cell in explained))
    assert missing == []


@pytest.mark.parametrize("name", RECONCILIATION)
def test_every_reconciliation_check_is_explained(name: str) -> None:
    """The table under ReconciliationFailed."""
    assert f"`{name}`" in _section(ERRORS, "### `ReconciliationFailed`, exit 6")


# Links


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """Files that pages name are there, and so are the headings."""
    prose = re.sub(r"```.*?```", "", _text(page), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", _text(goal), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}, link


@pytest.mark.parametrize("name", ["desk", "security", "first-morning", "scan"])
def test_every_test_that_a_promise_rests_on_is_there(name: str) -> None:
    tests = (_text(path) for path in (ROOT / "tests").rglob("*.py"))
    there = {found for text in tests for found in re.findall(r"def (test_\w+)", text)}
    named = re.findall(r"`(test_\w+)`", _text(ROOT / "docs" / f"{name}.md"))
    assert named
    assert set(named) - there == set()


# The console blocks


@dataclass
class Shown:
    """A command of a console block and the lines that must come out of it."""

    command: str
    lines: list[str] = field(default_factory=list)


def _console(page: Path) -> list[Shown]:
    shown: list[Shown] = []
    for block in re.findall(r"```console\n(.*?)```", _text(page), re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                shown.append(Shown(line.removeprefix("$ ")))
            elif line.strip():
                shown[-1].lines.append(line)
    return shown


def _loosely(text: str) -> str:
    """One blank for many, and one sign for any number of two or more digits: councils differ in size."""
    return re.sub(r"\s+", " ", re.sub(r"\d[\d,.:TZ-]*\d", "#", text)).strip()


def _in_process(words: list[str]) -> tuple[int, str, str]:
    """The real entry point, without starting Python again for each command: its exit code, and what it says on
    stdout, and on both."""
    done = casebridge(*words)
    return done.returncode, done.stdout, done.stdout + done.stderr


def _run(command: str) -> tuple[int, str]:
    words = shlex.split(command)
    if words[0] == "casebridge" and "|" not in words:
        into = words[-1] if words[-2] == ">" else ""
        code, out, said = _in_process(words[1:-2] if into else words[1:])
        if into:
            Path(into).write_text(out, encoding="utf-8")
        return code, said
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def _play(page: Path, instead: Mapping[str, str]) -> None:
    """Execute a page's console blocks in order. `instead` gives other commands for some, or none."""
    for shown in _console(page):
        command = instead.get(shown.command, shown.command)
        if not command:
            continue
        if command.startswith("cd "):
            os.chdir(command.removeprefix("cd "))
            continue
        code, out = _run(command)
        assert code == 0, f"{shown.command}\n{out}"
        came = [_loosely(line) for line in out.splitlines()]
        for line in shown.lines:
            wanted = re.escape(_loosely(line)).replace("…", ".*")
            assert any(re.search(wanted, found) for found in came), f"{shown.command}\nmissing: {line}\n{out}"


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder beside the runbooks, as one finds it in a checkout."""
    (tmp_path / "runbooks").symlink_to(ROOT / "runbooks")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("CASEBRIDGE_TRACEBACK", raising=False)
    return tmp_path


def test_the_readme_can_be_followed(workplace: Path) -> None:
    """The tour and the way to one's own dump, on a smaller council."""
    demo = f"casebridge demo demo --people {PEOPLE}"
    instead = {
        "make demo": "" if (workplace / "demo").exists() else demo,
        "make test": "",
        ". .venv/bin/activate": "",
        # A dump of one's own: the demo's.
        "casebridge init our-migration --dump dump": "casebridge init our-migration --dump ../dump",
    }
    _play(README, instead)
    assert (workplace / "demo/project/reports/trial-1/signoff.json").is_file()
    assert (workplace / "demo/project/our-migration/casebridge.toml").is_file()


def test_the_first_migration_can_be_followed(workplace: Path) -> None:
    """From a dump to a signed trial, word by word."""
    _play(ROOT / "runbooks/first-migration.md", {})
    reports = workplace / "trial/reports"
    assert (reports / "trial-1/signoff.json").is_file()
    assert (reports / "trial-2/report.html").is_file()


def test_the_first_morning_can_be_followed(workplace: Path) -> None:
    """From files that nobody knows to a balanced run, and what changed after it."""
    _play(ROOT / "runbooks/first-morning.md", {})
    assert (workplace / "look-again/profile.html").is_file()
    assert (workplace / "ours/reports/trial-2/mapping.html").is_file()


def test_the_nightly_scan_can_be_followed(workplace: Path) -> None:
    """A register that never migrated: reflected, scanned, a new model."""
    fill(open_database(f"sqlite:///{workplace}/live.db"), people_rows(60))
    _play(ROOT / "runbooks/nightly-scan.md", {"casebridge init watch --scan sqlite:///live.db":
          f"casebridge init watch --scan sqlite:///{workplace}/live.db"})  # fmt: skip
    assert (workplace / "watch/reports/scan/digest.html").is_file()
