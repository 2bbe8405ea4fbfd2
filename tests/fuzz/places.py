"""Tables that refer to one another, with keys that are doubled, missing or padded, rows that break rules, and rows
whose parents stayed behind: each row's place is worked out here a second time, from what the documents say.

The dump then changes, and a second run of the same project must come to what a new one would.
"""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from hypothesis import strategies as st

from tests.cases_run import Ran, command

Row = tuple[str, ...]
TABLES = ("PARENT", "CHILD", "LEAF")
NAMES = {"PARENT": ("KEY", "NAME", "CODE"), "CHILD": ("KEY", "REF", "SUM"), "LEAF": ("KEY", "REF", "SUM")}
SETTINGS = """
[project]
batch_rows = {batch}
[systems.old]
dump = "dump"
[limits]
rejected = 1.0
held = 1.0
set_aside = 1.0
"""
CODES = (
    "legacy_code,target_code,description,status,owner,signed_off,valid_from,valid_to\n"
    "A,1,,mapped,,,,\nB,,,retire,,,,\n,0,,default,,,,\n"
)
COLUMNS = 'id = { type = "bigint" }\nref = { type = "varchar(4)" }\n'
CHILD_OF = 'up_id = { type = "bigint", references = "%s" }\nsum = { type = "numeric(6,2)" }\n'
TARGET = (
    f'[parent]\nprimary_key = "id"\nlegacy_key = "ref"\n[parent.columns]\n{COLUMNS}'
    'name = { type = "varchar(5)" }\ncode = { type = "varchar(3)" }\n'
    f'[child]\nprimary_key = "id"\nlegacy_key = "ref"\n[child.columns]\n{COLUMNS}{CHILD_OF % "parent"}'
    f'[leaf]\nprimary_key = "id"\nlegacy_key = "ref"\n[leaf.columns]\n{COLUMNS}{CHILD_OF % "child"}'
)


@dataclass(frozen=True)
class Rules:
    """What the specs say that a draw may change."""

    check: str
    child: bool
    leaf: bool


def _specs(rules: Rules) -> Mapping[str, str]:
    head = '[table]\nsystem = "old"\nsource = "{0}"\ntarget = "{1}"\nkey = ["KEY"]\n'
    below = (
        '[columns.up_id]\nfrom = "REF"\nrequired = {0}\n[columns.sum]\nfrom = "SUM"\non_fail = "null_and_report"\n'
    )
    return {
        "parent": head.format("PARENT", "parent") + '[columns.name]\nfrom = "NAME"\nrequired = true\n'
        '[columns.code]\nfrom = "CODE"\ncodes = "c"\n'
        '[[exclude]]\nrule = "test"\nwhen = "NAME = \'ZZ\'"\nowner = "o"\nreason = "r"\n'
        f'[[check]]\nrule = "bad"\nexpect = "NAME <> \'BAD\'"\non_fail = "{rules.check}"\n',
        "child": head.format("CHILD", "child") + below.format(str(rules.child).lower()),
        "leaf": head.format("LEAF", "leaf") + below.format(str(rules.leaf).lower()),
    }


_NOTHING: tuple[object, ...] = ()
Loaded = dict[str, tuple[object, ...]]
"""The target rows of a table, by their legacy keys."""


def _judged(
    tables: Mapping[str, Sequence[Row]], rules: Rules
) -> tuple[dict[str, Counter[str]], dict[str, Loaded]]:
    """Each table's places and what of it is loaded."""
    places, loaded, stayed = dict[str, Counter[str]](), dict[str, Loaded](), dict[str, dict[str, str]]()
    needed = {"CHILD": ("PARENT", rules.child), "LEAF": ("CHILD", rules.leaf)}
    for name in TABLES:
        places[name], loaded[name], stayed[name] = Counter(), {}, {}
        seen = set[str]()
        for row in tables[name]:
            key, *values = (text.strip() for text in row)
            place, made = "rejected", _NOTHING
            if key and key in seen:
                pass
            elif name == "PARENT" and values[0] == "ZZ":
                place = "excluded"
            elif not key or len(key) > 4:
                pass
            elif name == "PARENT":
                place, made = _parent(values, rules)
            else:
                above, required = needed[name]
                place, made = _below(values, required, loaded[above], stayed[above])
            if place == "loaded":
                loaded[name][key] = made
            elif key and key not in seen:
                stayed[name][key] = place
            seen |= {key}
            places[name][place] += 1
    return places, loaded


def _parent(values: Sequence[str], rules: Rules) -> tuple[str, tuple[object, ...]]:
    name, code = values
    if not name or len(name) > 5 or (name == "BAD" and rules.check == "reject"):
        return "rejected", ()
    if code.upper() not in {"A", ""} or (name == "BAD" and rules.check == "hold"):
        return "held", ()
    return "loaded", (name, "1" if code else "0")


def _below(
    values: Sequence[str], required: bool, above: Loaded, stayed: Mapping[str, str]
) -> tuple[str, tuple[object, ...]]:
    ref, amount = values
    told = Decimal(amount) if amount.replace(".", "", 1).isdecimal() else None
    if ref in above:
        return "loaded", (ref, told)
    if not required:
        return "loaded", (None, told)
    return stayed.get(ref, "rejected") if ref else "rejected", ()


KEYS = st.sampled_from(["1", "2", "3", "4", "5", " 2", "3 ", "", "01", "LONGER"])
PARENTS = st.tuples(
    KEYS, st.sampled_from(["Ann", "Bob", "", "ZZ", "BAD", "Longer"]), st.sampled_from(["A", "a", "B", "", "X"])
)
CHILDREN = st.tuples(
    KEYS, st.sampled_from(["1", "2", "3", " 4", "5 ", "", "9", "01"]), st.sampled_from(["5", "x", ""])
)


@st.composite
def _dumps(draw: st.DrawFn) -> dict[str, list[Row]]:
    return {
        name: draw(st.lists(PARENTS if name == "PARENT" else CHILDREN, min_size=1, max_size=8)) for name in TABLES
    }


def every_row_has_the_place_that_the_documents_say(data: st.DataObject) -> None:
    """Twice: on a dump, and on another one that comes after it."""
    rules = Rules(
        data.draw(st.sampled_from(["reject", "hold", "warn"])), data.draw(st.booleans()), data.draw(st.booleans())
    )
    batch = data.draw(st.sampled_from([1, 2, 1000]))
    places_are_right(rules, batch, (data.draw(_dumps()) for _ in range(2)))


def places_are_right(rules: Rules, batch: int, dumps: Iterable[Mapping[str, Sequence[Row]]]) -> None:
    """One project, run on one dump after the other."""
    folder = Path(tempfile.mkdtemp(prefix="casebridge-fuzz-"))
    try:
        for part in ("dump", "tables", "codes"):
            (folder / part).mkdir()
        (folder / "casebridge.toml").write_text(SETTINGS.format(batch=batch))
        (folder / "target.toml").write_text(TARGET)
        (folder / "codes/c.csv").write_text(CODES)
        for name, text in _specs(rules).items():
            (folder / f"tables/{name}.toml").write_text(text)
        for number, tables in enumerate(dumps, 1):
            for name in TABLES:
                with (folder / f"dump/{name}.csv").open("w", newline="") as file:
                    csv.writer(file).writerows([NAMES[name], *tables[name]])
            run = f"trial-{number}"
            _compare(command(folder, "run", "--name", run), run, *_judged(tables, rules))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _compare(ran: Ran, run: str, places: Mapping[str, Counter[str]], loaded: Mapping[str, Loaded]) -> None:
    # A spec that loads nothing of what it asked for never balances.
    nothing = any(sum(places[name].values()) and not loaded[name] for name in TABLES)
    assert ran.code == (6 if nothing else 0), ran.said
    report = json.loads((ran.folder / "reports" / run / "report.json").read_text(encoding="utf-8"))
    for counts in report["sources"]:
        told = {place: counts[place] for place in ("loaded", "rejected", "excluded", "held") if counts[place]}
        assert told == dict(places[counts["source"]]), (counts, places)
    with closing(sqlite3.connect(ran.folder / "target.db")) as connection:
        parents = connection.execute("SELECT ref, name, code FROM parent").fetchall()
        assert {ref: values for ref, *values in parents} == {k: [*v] for k, v in loaded["PARENT"].items()}
        for name, above in (("child", "parent"), ("leaf", "child")):
            sql = f"SELECT t.ref, u.ref, t.sum FROM {name} t LEFT JOIN {above} u ON u.id = t.up_id"  # noqa: S608
            stored = {k: (up, None if n is None else Decimal(str(n))) for k, up, n in connection.execute(sql)}
            assert stored == loaded[name.upper()], (name, stored, loaded[name.upper()])
