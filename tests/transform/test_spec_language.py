"""What a spec can say without SQL: lookups, natural keys, defaults, expressions, as a whole run takes them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from casebridge.migrate.cli.main import cli
from casebridge.migrate.pipeline import check
from casebridge.project.spec import ColumnSpec, Step
from casebridge.project.target import ColumnType
from casebridge.reconciliation.reading.raw_text import as_mapped
from casebridge.transform.convert import stripped, text_of
from tests.staged import lay_out

TARGET = """
[workers]
primary_key = "id"
legacy_key = "old"
[workers.columns]
id = { type = "bigint" }
old = { type = "varchar(20)" }
email = { type = "varchar(40)" }

[notes]
primary_key = "id"
legacy_key = "old"
[notes.columns]
id = { type = "bigint" }
old = { type = "varchar(20)" }
author_id = { type = "bigint", references = "workers" }
kind = { type = "varchar(20)" }
state = { type = "varchar(10)", nullable = false }
hours = { type = "numeric(8,2)" }
"""
WORKERS = """
[table]
system = "old"
source = "WORKER"
target = "workers"
key = ["W_NO"]
[columns.email]
from = "EMAIL"
"""
NOTES = """
[table]
system = "old"
source = "NOTE"
target = "notes"
key = ["N_NO"]
[columns.author_id]
from = "WHO"
references_by = "WORKER.EMAIL"
[columns.kind]
from = "KIND"
lookup = { source = "TYPES", key = "CODE", value = "NAME" }
steps = ["upper"]
[columns.state]
from = "STATE"
default = "open"
[columns.hours]
expression = "CAST(HALVES AS DECIMAL(10,2)) / 2"
[dropped]
REMARK = "about the code, not the note"
"""
DUMP = {
    "WORKER": ["W_NO,EMAIL", "7,a@x.uk", "8,b@x.uk", "9,c@x.uk", "10,c@x.uk"],
    "TYPES": ["CODE,NAME,REMARK", "v,visit,old", "c,call,"],
    "NOTE": [
        "N_NO,WHO,KIND,STATE,HALVES", "1,A@X.UK ,V,done,3", "2,b@x.uk,c,,5", "3,c@x.uk,v,done,", "4,d@x.uk,z,,1",
        "5,,,,2",
    ],
}  # fmt: skip


def _lay(folder: Path, specs: Mapping[str, str], dump: Mapping[str, list[str]] = DUMP) -> Path:
    lay_out(folder, specs, target=TARGET)
    for name, lines in dump.items():
        (folder / "dump" / f"{name}.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    settings = folder / "casebridge.toml"
    settings.write_text(settings.read_text() + "\n[limits]\nset_aside = 1.0\n")
    return folder


def _cb(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, [*words, "--project", str(folder)])


def _rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "target.db") as database:
        return database.execute(sql).fetchall()


NOTES_SQL = """SELECT n.old, w.old, kind, state, CAST(hours AS TEXT) FROM notes n
LEFT JOIN workers w ON w.id = n.author_id ORDER BY n.old"""


def test_lookups_defaults_and_expressions_of_a_whole_run(tmp_path: Path) -> None:
    """Found in any case of letters; what is not there, or there as two, is set aside; the books balance."""
    folder = _lay(tmp_path, {"workers": WORKERS, "notes": NOTES})
    assert check(folder) == []
    done = _cb(folder, "run")
    assert done.exit_code == 0, done.output
    assert [row[:4] for row in _rows(folder, NOTES_SQL)] == [
        ("1", "7", "VISIT", "done"), ("2", "8", "CALL", "open"), ("3", None, "VISIT", "done"),
        ("4", None, None, "open"), ("5", None, None, "open"),
    ]  # fmt: skip
    assert [float(str(row[4])) if row[4] else None for row in _rows(folder, NOTES_SQL)] == [
        1.5,
        2.5,
        None,
        0.5,
        1.0,
    ]
    report = json.loads((folder / "reports/trial-1/report.json").read_text())
    assert report["verdict"] == "balanced"
    assert {(line["column"], line["rule"], line["values"]) for line in report["set_aside"]} == {
        ("author_id", "unknown_lookup", 2), ("kind", "unknown_lookup", 1),
    }  # fmt: skip
    places = {line["source"]: (line["loaded"], line["excluded"]) for line in report["sources"]}
    assert places == {"WORKER": (4, 0), "TYPES": (0, 2), "NOTE": (5, 0)}
    aside = pl.concat([pl.read_parquet(path) for path in (folder / "work/transform/notes").glob("*.quarantine.*")])
    assert set(aside["value"]) == {"c@x.uk", "d@x.uk", "z"}


def test_a_changed_lookup_makes_what_looks_it_up_pending(tmp_path: Path) -> None:
    """And `required` rejects what is not found."""
    specs = {"workers": WORKERS, "notes": NOTES.replace('value = "NAME" }', 'value = "NAME" }\nrequired = true')}
    folder = _lay(tmp_path, specs)
    assert _cb(folder, "run").exit_code == 0
    kinds = "SELECT old, kind FROM notes ORDER BY old"
    assert _rows(folder, kinds) == [("1", "VISIT"), ("2", "CALL"), ("3", "VISIT")]
    _lay(folder, specs, {**DUMP, "TYPES": ["CODE,NAME,REMARK", "v,visit,", "c,phone,", "z,zoom,"]})
    assert _cb(folder, "run").exit_code == 0
    assert _rows(folder, kinds) == [("1", "VISIT"), ("2", "PHONE"), ("3", "VISIT"), ("4", "ZOOM")]


def test_rows_that_no_spec_with_a_lookup_takes_are_held(tmp_path: Path) -> None:
    """`where` and `part` are as in any plain spec."""
    first = NOTES.replace('key = ["N_NO"]', 'key = ["N_NO"]\nwhere = "STATE = \'done\'"')
    folder = _lay(tmp_path, {"workers": WORKERS, "notes": first})
    _cb(folder, "run")
    report = json.loads((folder / "reports/trial-1/report.json").read_text())
    (note,) = (line for line in report["sources"] if line["source"] == "NOTE")
    assert (note["loaded"], note["held"], note["unexplained"]) == (2, 3, 0)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("WORKER.EMAIL", "WORKER.EMIAL", "EMIAL"),
        ("WORKER.EMAIL", "EMAIL", "must be TABLE.COLUMN"),
        ("lookup = {", "look_up = {", "did you mean `lookup`?"),
        ('value = "NAME"', 'valu = "NAME"', "did you mean `value`?"),
        ('from = "KIND"', 'from = ["KIND", "STATE"]', "looks up one column"),
        ('from = "STATE"', 'from = { colum = "STATE" }', "did you mean `column`?"),
        ('from = "STATE"', 'from = { column = "STATE", steps = ["uper"] }', "did you mean `upper`?"),
        ("CAST(HALVES AS", "CAST(HALFS AS", "no column `HALFS`"),
        ("CAST(HALVES AS DECIMAL(10,2)) / 2", "SUM(CAST(HALVES AS INTEGER))", "more than its own row"),
        ("CAST(HALVES AS DECIMAL(10,2)) / 2", "1 + 1", "names no column of the source"),
        ('default = "open"', 'value = "open"', "needs either `from`, `value` or `expression`"),
        ('steps = ["upper"]', 'steps = ["replace:a"]', "takes OLD=>NEW"),
        ('steps = ["upper"]', 'steps = ["substring:0;2"]', "takes the first character"),
        ("[dropped]", "[read.TYPE]\nfile = 'x.csv'\n[dropped]", "did you mean `TYPES`?"),
        ("[dropped]", "[droppd]", "did you mean `dropped`?"),
        ('default = "open"', 'codes = "../secret"', "is no name of a code list"),
        ('default = "open"', f'codes = "{"x" * 5000}"', "is no name of a code list"),
    ],
)
def test_what_a_spec_says_wrongly_is_told_by_check(old: str, new: str, told: str, tmp_path: Path) -> None:
    assert old in NOTES
    folder = _lay(tmp_path, {"workers": WORKERS, "notes": NOTES.replace(old, new)})
    assert told in "\n".join(check(folder))


def test_a_zero_character_in_a_spec_is_told(tmp_path: Path) -> None:
    """As an escape: no column can be called so, and the engine would break on it."""
    folder = _lay(
        tmp_path, {"workers": WORKERS.replace('from = "EMAIL"', 'from = "EM\\u0000AIL"'), "notes": NOTES}
    )
    assert check(folder) == ["tables/workers.toml: holds a zero character, which no name and no text has"]


def test_an_expression_that_fails_on_a_value_is_named(tmp_path: Path) -> None:
    """By its place, and without the value."""
    folder = _lay(tmp_path, {"workers": WORKERS, "notes": NOTES}, {**DUMP, "NOTE": [*DUMP["NOTE"], "6,,,,many"]})
    done = _cb(folder, "run")
    assert "columns.hours.expression" in str(done.exception)
    assert "many" not in str(done.exception)


TEXTS = st.none() | st.text(st.sampled_from("aA1-. \tß\u200b"), max_size=6)
STEP = st.sampled_from(
    ["upper", "lower", "replace:a=>bb", "replace:-=>", "substring:2;2", "substring:3", "digits"]
)


@given(
    rows=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5),
    steps=st.lists(st.lists(STEP, max_size=2), min_size=2, max_size=2),
    default=st.none() | st.just("-"),
)
def test_the_auditor_reads_parts_steps_and_defaults_as_transform_does(
    rows: list[tuple[str | None, str | None]], steps: list[list[str]], default: str | None
) -> None:
    """Two readers that share no code."""
    of_parts = tuple(tuple(Step(*word.partition(":")[::2]) for word in part) for part in steps)
    column = ColumnSpec("x", ColumnType("text"), ("A", "B"), part_steps=of_parts, default=default)
    raw = pl.DataFrame(rows, schema={"A": pl.String, "B": pl.String}, orient="row").with_row_index("_row")
    theirs = as_mapped(column)
    assert theirs is not None
    ours = stripped(raw).select(text_of(column).alias("x"))["x"].to_list()
    assert raw.select(theirs.alias("x"))["x"].to_list() == ours
