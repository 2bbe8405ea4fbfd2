"""A project of which rows of every kind stay behind: people, their forms, the answers in these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import openpyxl
from click.testing import CliRunner, Result

from casebridge.migrate.cli.main import cli
from tests.staged import lay_out

TARGET = """
[persons]
primary_key = "person_id"
legacy_key = "legacy_id"
[persons.columns]
person_id = { type = "bigint" }
legacy_id = { type = "varchar(40)" }
last_name = { type = "varchar(30)", nullable = false }
born = { type = "date" }
restricted = { type = "char(1)" }

[forms]
primary_key = "form_id"
[forms.columns]
form_id = { type = "bigint" }
person_id = { type = "bigint", nullable = false, references = "persons" }
title = { type = "varchar(30)" }

[answers]
primary_key = "answer_id"
[answers.columns]
answer_id = { type = "bigint" }
form_id = { type = "bigint", nullable = false, references = "forms" }
score = { type = "integer", nullable = false }
"""

PERSONS = """
[table]
system = "old"
source = "PERSON"
target = "persons"
key = ["NO"]
owner = "Records team"
[columns.last_name]
from = "NAME"
[columns.born]
from = "DOB"
on_fail = "null_and_report"
[columns.restricted]
from = "SECURE"
steps = ["yes_no"]
required = true
"""

FORMS = """
[table]
system = "old"
source = "FORM"
target = "forms"
key = ["FORM_NO"]
[columns.person_id]
from = "NO"
[columns.title]
from = "TITLE"
"""

ANSWERS = """
[table]
system = "old"
source = "ANSWER"
target = "answers"
key = ["FORM_NO", "Q"]
owner = "Head of Practice"
[columns.form_id]
from = "FORM_NO"
[columns.score]
from = "SCORE"
[dropped]
Q = "the question"
"""

SPECS = {"persons": PERSONS, "forms": FORMS, "answers": ANSWERS}

DUMP = {
    "PERSON": [
        "NO,NAME,DOB,SECURE", "1,Ng,=cmd|calc,N", "2,Li,99/99/1950,Y", "3,,01/02/1950,N", "4,Abe,x,N", "5,Oz,,N",
    ],
    "FORM": ["FORM_NO,NO,TITLE", "10,1,open", "11,2,secret", "12,4,unlinked", "13,77,orphan"],
    "ANSWER": ["FORM_NO,Q,SCORE", "10,a,many", "11,a,few", "12,a,none", "10,b,3"],
}  # fmt: skip
"""Person 2 is restricted, 4 on the no-link list; each has a form, and an answer in it that is no number."""


def lay_down(folder: Path, dump: Mapping[str, Sequence[str]] = DUMP, specs: Mapping[str, str] = SPECS) -> Path:
    """The project, not yet run."""
    lay_out(folder, specs, target=TARGET)
    for name, lines in dump.items():
        (folder / "dump" / f"{name}.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    (folder / "no_link.csv").write_text("key\n4\n", encoding="utf-8")
    settings = folder / "casebridge.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + 'no_link = "no_link.csv"\n', encoding="utf-8")
    return folder


def cb(folder: Path, *words: str) -> Result:
    """A command on the project, in this process."""
    return CliRunner().invoke(cli, [*words, "--project", str(folder)])


Cells = list[tuple[str, ...]]


def sheet(path: Path, title: str = "rows") -> Cells:
    """The cells of a sheet, as text."""
    book = openpyxl.load_workbook(path, read_only=True)
    rows = [
        tuple("" if cell is None else str(cell) for cell in row) for row in book[title].iter_rows(values_only=True)
    ]
    book.close()
    return rows


def lines(path: Path, *columns: str) -> list[tuple[str, ...]]:
    """Some columns of the rows of a workbook."""
    header, *rows = sheet(path)
    return [tuple(dict(zip(header, row, strict=True))[name] for name in columns) for row in rows]
