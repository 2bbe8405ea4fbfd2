"""Files of a project with parts of them changed: each is taken or refused in words, and nothing breaks."""

from __future__ import annotations

import copy
import json
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from casebridge.project.specreader import KEYS
from tests.cases_run import command

SETTINGS = """
project = { name = "fuzz", batch_rows = 3 }
limits = { rejected = 1.0, held = 1.0, set_aside = 1.0 }
systems = { old = { dump = "dump", encoding = "utf-8", no_link = "no_link.csv" } }
"""
TARGET = """
[workers]
primary_key = "id"
legacy_key = "ref"
[workers.columns]
id = { type = "bigint" }
ref = { type = "varchar(20)" }
name = { type = "varchar(40)", nullable = false }
email = { type = "varchar(40)" }
born = { type = "date" }
restricted = { type = "char(1)", restriction = ["Y"] }
[notes]
primary_key = "id"
legacy_key = "ref"
first_id = 100
[notes.columns]
id = { type = "bigint" }
ref = { type = "varchar(20)" }
author_id = { type = "bigint", references = "workers" }
kind = { type = "varchar(20)" }
hours = { type = "numeric(8,2)" }
began = { type = "timestamp" }
ended = { type = "date" }
"""
WORKERS = """
[table]
system = "old"
source = "WORKER"
target = "workers"
key = ["W_NO"]
owner = "Registry"
[read]
comment = "#"
null = ["NULL"]
[columns.name]
from = ["FIRST", { column = "LAST", steps = ["upper"] }]
steps = ["collapse_spaces", "replace:St=>Street"]
on_fail = "truncate_and_report"
[columns.email]
from = "EMAIL"
checks = ["email"]
on_fail = "null_and_report"
[columns.born]
from = "BORN"
checks = ["years:1880;2040"]
[columns.restricted]
from = "SECRET"
steps = ["yes_no"]
[evidence.nhs]
from = "NHS"
steps = ["nhs_number_text"]
checks = ["nhs_number"]
[[exclude]]
rule = "test_record"
when = "LAST = 'ZZTEST'"
owner = "Registry"
reason = "made by trainers"
[dropped]
SCREEN = "where it stood on the screen"
"""
NOTES = """
[table]
system = "old"
source = "NOTE"
target = "notes"
key = ["N_NO"]
where = "N_NO <> '9'"
[columns.author_id]
from = "WHO"
references_by = "WORKER.EMAIL"
[columns.kind]
from = "KIND"
codes = "kind"
[columns.hours]
expression = "HOURS"
round = "half_up"
[columns.began]
from = "BEGAN"
format = "dd/mm/yyyy hh24:mi"
on_fail = "warn"
[columns.ended]
from = "ENDED"
steps = ["end_date"]
[[check]]
rule = "end_before_start"
columns = ["began", "ended"]
[[check]]
rule = "long"
expect = "LENGTH(HOURS) < 9"
on_fail = "hold"
[[check]]
rule = "one_open"
one_of = ["author_id"]
when = "ended IS NULL"
"""
LINKAGE = """
[register]
tables = ["workers"]
query = "SELECT _key AS id, name, email, born FROM workers"
[fields]
surname = "name"
email = "email"
birth_date = "born"
"""
FILES = {
    "casebridge.toml": SETTINGS, "target.toml": TARGET, "tables/workers.toml": WORKERS, "tables/notes.toml": NOTES,
    "linkage.toml": LINKAGE,
}  # fmt: skip
PLAIN = {
    "dump/WORKER.csv": "W_NO,FIRST,LAST,EMAIL,BORN,SECRET,NHS,SCREEN\n1,Ann,Lee,a@b.uk,1/2/1970,N,9434765919,1\n"
    "2,Bob,Ng,c@d.uk,,Y,,2\n3,Cy,ZZTEST,,31/02/1980,,,\n#\n",
    "dump/NOTE.csv": "N_NO,WHO,KIND,HOURS,BEGAN,ENDED\n1,a@b.uk,V,1.255,05/01/2024 9:30,06/01/2024\n"
    "2,c@d.uk,X,2,05/01/2024 09:30,\n3,,,,,\n9,x,y,z,,\n",
    "codes/kind.csv": "legacy_code,target_code,description,status,owner,signed_off,valid_from,valid_to\n"
    "V,VISIT,,mapped,,,,\nX,,,retire,,,,\n,NONE,,default,,,,\n",
    "no_link.csv": "key\n2\n",
    "corrections/one.csv": "key,column,old_value,new_value,who,why\n1,NOTE.HOURS,1.255,1.25,A. Manager,paper\n",
}
ODD: tuple[Any, ...] = (
    0, 1, -1, 10**20, 1.5, True, "", " ", "x", "a.b", "'", '"', "\\", "[", "%", "../up", "/", "x" * 300,
    "\u00e9\u6f22", "SELECT 1", "SELECT * FROM WORKER", "COUNT(*)", "W_NO +", "CURRENT_DATE", "1 = 1; DROP",
    "(SELECT 1)", "TRUE", "NULL", [], {}, [[]], [{}], ["", " "], ["W_NO", "W_NO"], {"a": 1}, "W_NO", "WHO",
    "NOTE", "WORKER", "workers", "notes", "ref", "id", "varchar(0)", "varchar(99999999999)", "numeric(50,2)",
    "numeric(4,9)", "char(1)", "integer", "boolean", "uuid", "text", ["zero_pad:-1"], ["zero_pad:9999999999"],
    ["substring:0"], ["substring:9;9"], ["replace:=>"], ["years:;"], ["one_of:"], ["age:2026-02-30"],
    ["upper:x"], ["nhs_number"], ["digits", "digits"], "cp1252", "utf-16", "fixed", "xlsx", "hold",
)  # fmt: skip
"""What is put in the place of something that was right."""
_KEYS = tuple(sorted({key for known in KEYS.values() for key in known}))


def _places(node: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value below."""
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, below in inside:
        yield (*way, key)
        yield from _places(below, (*way, key))


def _changed(raw: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """One to three values replaced, removed or added."""
    raw = copy.deepcopy(raw)
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from([*_places(raw)] or [("x",)]))
        node: Any = raw
        for step in way:
            node = node[step]
        kind = data.draw(st.sampled_from(["put", "put", "remove", "add", "copy"]))
        odd = copy.deepcopy(data.draw(st.sampled_from(ODD)))
        if kind == "put" or isinstance(node, list):
            node[last] = odd
        elif kind == "add":
            node[data.draw(st.sampled_from(_KEYS))] = odd
        elif kind == "copy":
            node[data.draw(st.sampled_from(["x", "id", "ref", "W_NO", "restricted"]))] = copy.deepcopy(node[last])
        else:
            node.pop(last, None)
    return raw


def as_toml(raw: dict[str, Any]) -> str:
    """A table of TOML, one line a key."""
    return "".join(f"{json.dumps(key)} = {_value(value)}\n" for key, value in raw.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_value(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value)


def a_changed_project_is_taken_or_refused(data: st.DataObject) -> None:
    """`check`, and where it finds nothing `run`: an exit code that the runbook knows, and no bug."""
    folder = Path(tempfile.mkdtemp(prefix="casebridge-fuzz-"))
    try:
        changed = data.draw(st.sampled_from([*FILES]))
        raw = _changed(tomllib.loads(FILES[changed]), data)
        for name, text in {**FILES, **PLAIN, changed: as_toml(raw)}.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        checked = command(folder, "check")
        assert checked.code in {0, 2}, (checked.code, checked.said, raw)
        assert "casebridge: unexpected" not in checked.said, (checked.said, raw)
        if checked.code:
            return
        ran = command(folder, "run")
        assert ran.code in {0, 2, 3, 6, 7}, (ran.code, ran.said, raw)
        assert "casebridge: unexpected" not in ran.said, (ran.said, raw)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
