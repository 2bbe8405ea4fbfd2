"""Marks of restriction: what counts as one, which columns carry them, and who lowered one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from casebridge.project.contracts import CELL_FAULT
from casebridge.project.errors import SpecError
from casebridge.project.restriction import (
    LOWERED,
    Lowered,
    check_restriction,
    is_marked,
    lowered_keys,
    mark_columns,
    missing_marks,
    not_restricted,
    rank,
    read_lowered,
)
from casebridge.project.settings import Settings, System
from casebridge.project.spec import ColumnSpec, ReadSpec, Source, TableSpec
from casebridge.project.target import ColumnType, Target, TargetColumn, TargetTable

TEXT, NUMBER = ColumnType("text"), ColumnType("bigint")


def _table(name: str, *columns: TargetColumn) -> TargetTable:
    return TargetTable(name, ("id",), (TargetColumn("id", NUMBER), *columns))


PEOPLE = _table(
    "people", TargetColumn("mark", TEXT, restriction=("S", "R"), not_restricted=("O",)),
    TargetColumn("word", TEXT), TargetColumn("sealed", TEXT, restriction=("Y",)),
)  # fmt: skip
TARGET = Target((PEOPLE, _table("plain", TargetColumn("word", TEXT))))
OLDER = Target((_table("people", TargetColumn("restricted", TEXT), TargetColumn("word", TEXT)),))


def _read(source: str, system: str = "old") -> ReadSpec:
    return ReadSpec(Source(system, source), f"{source}.csv", "csv", "utf-8", ",", ("NO",))


def _spec(
    name: str, target: str, sources: Sequence[str], *columns: tuple[str, str], system: str = "old", **more: Any
) -> TableSpec:
    made = tuple(ColumnSpec(column, TEXT, (origin,)) for column, origin in columns)
    return TableSpec(name, system, target, ("NO",), tuple(_read(s, system) for s in sources), made, **more)


def _settings(folder: Path, **marks: tuple[str, ...] | None) -> Settings:
    systems = {name: System(name, folder, restriction=columns) for name, columns in marks.items()}
    return Settings(folder, "Northam", "sqlite:///target.db", "sqlite:///control.db", systems)


def _told(error: SpecError) -> list[tuple[str, str, str, str]]:
    return [(item.file, item.where, item.what, item.hint) for item in error.problems]


@pytest.mark.parametrize(
    ("column", "values", "ranks"),
    [
        (TargetColumn("m", TEXT), [None, "", "n", "No", "0", "false", "F", "Y", "x", " "], [0] * 7 + [1] * 3),
        (TargetColumn("m", TEXT, not_restricted=("open",)), ["OPEN", "n", None], [0, 1, 0]),
        (TargetColumn("m", ColumnType("boolean")), [True, False, None], [1, 0, 0]),
        (TargetColumn("m", NUMBER), [1, 0, 2, None], [1, 0, 1, 0]),
        (PEOPLE.by_name["mark"], ["S", "R", "O", "o", None, "", "s", "?"], [2, 1, 0, 0, 0, 3, 3, 3]),
        (TargetColumn("m", TEXT, restriction=("n", "Y")), ["n", "Y", "N", "no"], [2, 1, 0, 0]),
    ],
    ids=["undeclared", "open", "boolean", "number", "declared", "a mark that is open in capitals"],
)
def test_what_is_not_plainly_open_is_restricted(column: TargetColumn, values: list[Any], ranks: list[int]) -> None:
    frame = pl.DataFrame({"m": values}, strict=False)
    assert frame.select(rank(column.marks, pl.col("m"))).to_series().to_list() == ranks


def test_a_text_of_a_source_is_a_mark_unless_it_says_that_it_is_none() -> None:
    texts = pl.DataFrame({"t": ["open", " Open\u00a0", "", None, "O P", "Y", CELL_FAULT + "#N/A", "\u200b", "0"]})
    assert texts.select(is_marked(pl.col("t"), ("Open", ""))).to_series().to_list() == [
        False, False, False, False, True, True, True, False, True,
    ]  # fmt: skip
    assert texts.select(is_marked(pl.col("t"), ("open",))).to_series().to_list() == [
        False, False, True, True, True, True, True, True, True,
    ]  # fmt: skip
    assert not_restricted(System("old", None)) == ("", "N", "NO", "F", "FALSE", "0")
    assert not_restricted(System("old", None, not_restricted=("O",))) == ("O",)
    assert not_restricted(System("old", None, not_restricted=())) == ()


SPECS = (
    _spec("people", "people", ["PERSON", "MORE"], ("mark", "MARK"), ("word", "WORD")),
    _spec("again", "people", ["PERSON"], ("sealed", "A.LOCK")),
    _spec("plain", "plain", ["FREE", "PERSONS"], ("word", "WORD")),
    _spec("plain2", "plain", ["BARE"], ("word", "WORD")),
    _spec("new", "people", ["PERSON"], ("word", "WORD"), system="new"),
)


def test_marks_stand_in_declared_columns_and_in_those_that_feed_a_mark(tmp_path: Path) -> None:
    """Of a spec of several sources only the first feeds columns; another source has what its system declares."""
    settings = _settings(tmp_path, old=("PERSON.SEX", "MORE.Z.Y", "FREE._key", "PERSONS.A", "PERSO.B"), new=None)
    assert mark_columns(settings, TARGET, SPECS) == {
        Source("old", "PERSON"): ("A.LOCK", "MARK", "SEX"), Source("old", "MORE"): ("Z.Y",),
        Source("old", "FREE"): ("_key_",), Source("old", "PERSONS"): ("A",),
    }  # fmt: skip


def test_a_declared_column_that_the_dump_lacks_is_told(tmp_path: Path) -> None:
    settings = _settings(tmp_path, old=("PERSON.SEXX", "FREE.Z", "MORE.A", "BARE.A"), new=None)
    columns = {
        Source("old", "PERSON"): ["NO", "SEX"], Source("old", "FREE"): [f"C{n}" for n in range(20)],
        Source("old", "MORE"): (), Source("new", "PERSON"): ["NO"],
    }  # fmt: skip
    problems = list(missing_marks(settings, SPECS, columns))
    said = "names {}, which carries marks, and the dump has no such column"
    assert _told(SpecError(problems)) == [
        (
            "casebridge.toml",
            "systems.old.restriction",
            said.format("FREE.Z"),
            "name the column that carries them now",
        ),
        ("casebridge.toml", "systems.old.restriction", said.format("PERSON.SEXX"), "did you mean `SEX`?"),
    ]
    columns = {Source("old", "PERSON"): ["SEXX"], Source("old", "BARE"): ["A"], Source("old", "FREE"): ["Z"]}
    assert not list(missing_marks(settings, SPECS, columns))


def test_marks_that_nothing_keeps_and_systems_that_say_nothing(tmp_path: Path) -> None:
    settings = _settings(tmp_path, old=("PERSON.SEX", "FREE.Z", "PERSO.A", "MORE.A"), new=None)
    keeps = 'write SOURCE.COLUMN; say `restriction = ["Y"]` at the column in target.toml that keeps them'
    says = 'write `restriction = ["SOURCE.COLUMN"]`, or `restriction = []` when the system has no marks'
    nobody = "nobody says which columns carry marks, and people.mark, people.sealed keeps them for new"
    lost = "`{}` carries marks, and no spec brings its rows to a column that keeps them"
    (tmp_path / LOWERED).write_text("key\n", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        check_restriction(settings, TARGET, SPECS)
    assert _told(caught.value) == [
        ("casebridge.toml", "systems.old.restriction", lost.format("FREE.Z"), keeps),
        ("casebridge.toml", "systems.old.restriction", lost.format("PERSO.A"), keeps),
        ("casebridge.toml", "systems.new.restriction", nobody, says),
        (LOWERED, "", "must have the columns key, who, why, date, and a cell for each", ""),
    ]


@pytest.mark.parametrize(
    ("target", "specs", "marks"),
    [
        (TARGET, SPECS, {"old": ("PERSON.SEX",), "new": ()}),
        (TARGET, SPECS[:4], {"old": None}),
        (TARGET, SPECS[2:4], {"old": None}),
        (OLDER, (_spec("new", "people", ["PERSON"], ("word", "WORD")),), {"old": None}),
        (OLDER, (_spec("new", "people", ["PERSON"], ("word", "WORD")),), {"old": ("PERSON.SEX",)}),
    ],
    ids=["declared or none", "fed", "no marks kept", "no target declared", "kept by its name"],
)
def test_a_project_that_says_where_its_marks_are(
    target: Target, specs: Sequence[TableSpec], marks: dict[str, tuple[str, ...] | None], tmp_path: Path
) -> None:
    check_restriction(_settings(tmp_path, **marks), target, specs)


HEAD = "key,who,why,date\n"


def _lowered(folder: Path, text: str | bytes, systems: Sequence[str] = ("old", "new")) -> tuple[Lowered, ...]:
    (folder / LOWERED).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_lowered(_settings(folder, **dict.fromkeys(systems)))


def test_who_lowered_which_mark(tmp_path: Path) -> None:
    assert read_lowered(_settings(tmp_path, old=None)) == ()
    lines = ["\ufeffwhy, key\u00a0,date,who", "moved away, old:1:2 ,2026-04-01,A. Ng", ",,\u200b,",
             '"a,\r\nb",new:1:2,2026-04-01,B', ""]  # fmt: skip
    for end in ("\n", "\r\n", "\r"):
        found = _lowered(tmp_path, end.join(lines))
        assert found == (Lowered("old", "1:2", "A. Ng", "moved away", "2026-04-01"),
                         Lowered("new", "1:2", "B", "a,\r\nb", "2026-04-01"))  # fmt: skip
    assert lowered_keys(found).to_dicts() == [{"system": "old", "key": "1:2"}, {"system": "new", "key": "1:2"}]
    assert lowered_keys(()).schema == {"system": pl.String, "key": pl.String}
    bare = _lowered(tmp_path, HEAD + "12,A,b,2026-04-01\nx:12,A,b,2026-04-01\nold:13,A,b,2026-04-01\n", ["old"])
    assert [(item.system, item.key) for item in bare] == [("old", "12"), ("old", "x:12"), ("old", "13")]


NAMELESS = "names no record: write the system and the key, as carefirst:12"


def test_every_line_that_lowers_nothing_is_told_and_quoted_nowhere(tmp_path: Path) -> None:
    lines = [
        "old:1,A,b,2026-04-01", "old:1,B,c,2026-04-02", "12,A,b,2026-04-01", "old,A,b,2026-04-01",
        "old:,A,b,2026-04-01", "old:2,1234,b,2026-04-01", "old:3,A,\u200b\t,2026-04-01", "old:4,A,b,2026-02-30",
        "old:5,A,b,2026-04-01", "x:1,A,b,2026-04-01",
    ]  # fmt: skip
    with pytest.raises(SpecError) as caught:
        _lowered(tmp_path, HEAD + "\n".join(lines))
    empty = "`{}` is empty: a person lowers a mark, by name and with a reason"
    assert _told(caught.value) == [
        (LOWERED, "line 3", "names a record that an earlier line names", ""), (LOWERED, "line 4", NAMELESS, ""),
        (LOWERED, "line 5", NAMELESS, ""), (LOWERED, "line 6", NAMELESS, ""),
        (LOWERED, "line 7", empty.format("who"), ""), (LOWERED, "line 8", empty.format("why"), ""),
        (LOWERED, "line 9", "`date` is no date like 2026-04-01", ""), (LOWERED, "line 11", NAMELESS, ""),
    ]  # fmt: skip
    with pytest.raises(SpecError) as caught:
        _lowered(tmp_path, HEAD + ",A,b,2026-04-01", ["old"])
    assert _told(caught.value) == [(LOWERED, "line 2", NAMELESS, "")]


SHAPE = "must have the columns key, who, why, date, and a cell for each"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", SHAPE), (b"key,who,why\n", SHAPE), (b"key,who,why,date,more\n", SHAPE),
        (b"key,who,why,date\n1,2,3\n", SHAPE),
        (b"key,who,why,date\n1,2,3,4,5\n", SHAPE), (b"key,who,why,date\n\xff", "not readable: UnicodeDecodeError"),
        (b'key,who,why,date\n"a"b,,,\n', "not readable: Error"),
        (b"x" * (2 << 20), "not readable: ListTooLargeError"),
    ],
    ids=range(8),
)  # fmt: skip
def test_a_file_that_is_no_list_of_lowered_marks(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        _lowered(tmp_path, content)
    assert _told(caught.value) == [(LOWERED, "", said, "")]


def test_a_list_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    """A link to a file that is not there is a list that somebody means to hand in, and no project without one."""
    (tmp_path / LOWERED).symlink_to(tmp_path / "away.csv")
    with pytest.raises(SpecError) as caught:
        read_lowered(_settings(tmp_path, old=None))
    assert _told(caught.value) == [(LOWERED, "", "not readable: FileNotFoundError", "")]
