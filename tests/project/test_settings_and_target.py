"""casebridge.toml and target.toml: read once, every mistake told at once."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.mysql import BIGINT, ENUM, SET
from sqlalchemy.dialects.postgresql import DOMAIN

from casebridge.project.database import open_database, shown
from casebridge.project.declared import declared_type
from casebridge.project.errors import SpecError, TargetError
from casebridge.project.settings import read_settings
from casebridge.project.target import ColumnType
from casebridge.project.targetfile import read_target, read_type
from casebridge.project.urls import keeps_password


def _settings(folder: Path, text: str) -> Path:
    (folder / "casebridge.toml").write_text(text, encoding="utf-8")
    return folder


def _problems(error: SpecError) -> dict[str, str]:
    return {problem.where: f"{problem.what} {problem.hint}" for problem in error.problems}


SOUND = '[systems.old]\ndump = "dump"\n'


def test_settings_have_defaults_and_absolute_paths(tmp_path: Path) -> None:
    settings = read_settings(_settings(tmp_path, SOUND))
    assert settings.systems["old"].dump == (tmp_path / "dump").resolve()
    assert settings.target_url == f"sqlite:///{tmp_path.resolve() / 'target.db'}"
    assert settings.work == tmp_path.resolve() / "work"
    assert (settings.batch_rows, settings.systems["old"].encoding) == (250_000, "utf-8")


@pytest.mark.parametrize(
    ("value", "url", "filled"),
    [
        ("me:secret", "postgresql://${X_LOGIN}@host/db", "postgresql://me:secret@host/db"),
        ("me:p@ss:w/rd", "postgresql://${X_LOGIN}@host/db", "postgresql://me:p%40ss%3Aw%2Frd@host/db"),
        ("p:a@s/s", "postgresql://me:${X_LOGIN}@host/db", "postgresql://me:p%3Aa%40s%2Fs@host/db"),
        ("postgresql://me@host/db", "${X_LOGIN}", "postgresql://me@host/db"),
    ],
)
def test_an_url_takes_its_secrets_from_the_environment(
    value: str, url: str, filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password is any text; a name and a password may stand in one variable."""
    monkeypatch.setenv("X_LOGIN", value)
    assert read_settings(_settings(tmp_path, f'[target]\nurl = "{url}"\n{SOUND}')).target_url == filled


def test_a_missing_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CASEBRIDGE_TEST_LOGIN", raising=False)
    with pytest.raises(SpecError) as caught:
        read_settings(
            _settings(tmp_path, f'[target]\nurl = "postgresql://${{CASEBRIDGE_TEST_LOGIN}}@h/d"\n{SOUND}')
        )
    assert "CASEBRIDGE_TEST_LOGIN" in _problems(caught.value)["target.url"]


def test_all_mistakes_of_the_settings_are_told_at_once(tmp_path: Path) -> None:
    text = """
    sistems = {}
    control = "sqlite:///control.db"
    [project]
    batch_rows = 0
    batch_row = 5
    memory_limit = "a lot"
    [target]
    ur = "sqlite:///x.db"
    [systems.old]
    encoding = "ebcdic"
    delimiter = ""
    century_pivot = 1926
    """
    with pytest.raises(SpecError) as caught:
        read_settings(_settings(tmp_path, text))
    problems = _problems(caught.value)
    assert problems.keys() == {
        "sistems", "control", "project.batch_rows", "project.batch_row", "project.memory_limit", "target.ur",
        "systems.old.encoding", "systems.old.delimiter", "systems.old.century_pivot", "systems.old",
    }  # fmt: skip
    assert "did you mean `systems`?" in problems["sistems"]
    assert "did you mean `batch_rows`?" in problems["project.batch_row"]
    assert "cp1252" in problems["systems.old.encoding"]


@pytest.mark.parametrize("value", ["-1", "0", "true", '"many"', "1.5"])
def test_batch_rows_is_a_whole_number_of_one_or_more(tmp_path: Path, value: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_settings(_settings(tmp_path, f"[project]\nbatch_rows = {value}\n{SOUND}"))
    assert _problems(caught.value).keys() == {"project.batch_rows"}


@pytest.mark.parametrize("value", ["0", "26", "99"])
def test_a_century_pivot_may_be_any_two_digits(tmp_path: Path, value: str) -> None:
    settings = read_settings(_settings(tmp_path, f"{SOUND}century_pivot = {value}\n"))
    assert settings.systems["old"].century_pivot == int(value)


@pytest.mark.parametrize("text", ["systems = 5", "systems = {old = 5}", "project = []\n" + SOUND, "= broken"])
def test_settings_of_a_wrong_shape_are_a_spec_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(SpecError):
        read_settings(_settings(tmp_path, text))


def test_no_settings_at_all_say_how_to_make_some(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="casebridge init"):
        read_settings(tmp_path)


# target.toml


def _target(folder: Path, text: str) -> Path:
    path = folder / "target.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _table(name: str, *columns: str) -> str:
    return "\n".join([f'[{name}]\nprimary_key = "id"\n[{name}.columns]\nid = {{ type = "bigint" }}', *columns, ""])


def test_tables_load_parents_first_and_in_the_files_order(tmp_path: Path) -> None:
    text = (
        _table("child", 'a = { type = "bigint", references = "parent" }')
        + _table("other", 'own = { type = "bigint", references = "other" }')
        + _table("parent")
    )
    assert read_target(_target(tmp_path, text)).load_order == ("other", "parent", "child")


def test_tables_that_refer_in_a_circle_are_named(tmp_path: Path) -> None:
    links = {"a": "b", "b": "c", "c": "a"}
    text = "".join(_table(t, f'r = {{ type = "bigint", references = "{to}" }}') for t, to in links.items())
    with pytest.raises(SpecError, match="circle") as caught:
        read_target(_target(tmp_path, text))
    assert all(f"'{name}'" in str(caught.value) for name in links)


def test_all_mistakes_of_the_target_are_told_at_once(tmp_path: Path) -> None:
    text = """
    flat = 5
    [persons]
    primary_key = "persn_id"
    legacy_key = 7
    colums = {}
    [persons.columns]
    person_id = { type = "bigin" }
    name = { type = "varchar" }
    sum = { type = "numeric(2,10)" }
    text = { type = "text(9)" }
    none = { type = "char(0)" }
    mother = { type = "bigint", references = "person" }
    flag = { type = "char(1)", nullable = "false", uniqe = true }
    bare = 3
    [empty]
    primary_key = "id"
    """
    with pytest.raises(SpecError) as caught:
        read_target(_target(tmp_path, text))
    problems = _problems(caught.value)
    columns = "persons.columns."
    assert problems.keys() >= {
        "flat", "flat.columns", "persons.primary_key", "persons.legacy_key", "persons.colums", "empty.columns",
        columns + "person_id.type", columns + "name.type", columns + "sum.type", columns + "text.type",
        columns + "none.type", columns + "mother.references", columns + "flag.nullable", columns + "flag.uniqe",
        columns + "bare",
    }  # fmt: skip
    assert "did you mean `person_id`?" in problems["persons.primary_key"]
    assert "did you mean `bigint`?" in problems[columns + "person_id.type"]
    assert "did you mean `persons`?" in problems[columns + "mother.references"]


@pytest.mark.parametrize(
    ("text", "kind", "dtype"),
    [
        ("varchar(30)", ColumnType("varchar", length=30), pl.String()),
        ("VARCHAR( 30)", None, None),
        ("Char", ColumnType("char", length=1), pl.String()),
        ("char(2)", ColumnType("char", length=2), pl.String()),
        ("text", ColumnType("text"), pl.String()),
        ("bigint", ColumnType("bigint"), pl.Int64()),
        ("integer", ColumnType("integer"), pl.Int64()),
        ("numeric(10, 2)", ColumnType("numeric", precision=10, scale=2), pl.Decimal(10, 2)),
        ("numeric", None, None),
        ("date", ColumnType("date"), pl.Date()),
        ("timestamp", ColumnType("timestamp"), pl.Datetime("us")),
        ("boolean", ColumnType("boolean"), pl.Boolean()),
    ],
)
def test_types_as_a_file_writes_them(text: str, kind: ColumnType | None, dtype: pl.DataType | None) -> None:
    found, what, _ = read_type(text)
    assert (found if not what else None) == kind
    if kind:
        assert kind.dtype == dtype
        assert isinstance(kind.sql, sa.types.TypeEngine)


def test_sqlite_keeps_decimals_as_exact_text() -> None:
    kind = ColumnType("numeric", precision=10, scale=2).sql
    dialect = sa.create_engine("sqlite://").dialect
    assert isinstance(kind.dialect_impl(dialect), sa.String)


@pytest.mark.parametrize(
    ("there", "here", "doubt"),
    [
        (sa.Numeric(10, 2), "numeric(10,2)", ""),
        (sa.Numeric(5, -2), "numeric(7,0)", ""),
        (sa.Numeric(3, 5), "numeric(5,5)", ""),
        (sa.Numeric(38, -2), "numeric(38,10)", "it is NUMERIC(38, -2) there"),
        (sa.Numeric(), "numeric(38,10)", "it is NUMERIC there"),
        (sa.Double(), "text", "it is Double there"),
        (DOMAIN("pay", sa.Numeric(6, 2)), "numeric(6,2)", ""),
        (DOMAIN("code", DOMAIN("short", sa.String(5))), "varchar(5)", ""),
        (SET("a", "b", "x y"), "varchar(7)", ""),
        (ENUM("a", "bcd"), "varchar(3)", ""),
        (ENUM(""), "text", ""),
        (BIGINT(unsigned=True), "numeric(20,0)", ""),
        (sa.Time(), "text", "it is Time there"),
    ],
)
def test_a_declared_type_is_written_so_that_all_its_values_fit(
    there: sa.types.TypeEngine[object], here: str, doubt: str
) -> None:
    assert declared_type(there) == (here, doubt)
    assert read_type(here)[1] == ""


def test_a_dump_whose_variable_is_missing_stops_only_who_opens_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The desk, a report, a signature need no login of the old system."""
    monkeypatch.delenv("X_PLACE", raising=False)
    written = "postgresql://reader:${X_PLACE}@host/db"
    settings = read_settings(_settings(tmp_path, f'[systems.old]\ndump = "{written}"\n'))
    assert settings.systems["old"].database == written
    with pytest.raises(TargetError, match="the environment has no variable X_PLACE"):
        open_database(written)
    monkeypatch.setenv("X_PLACE", "p@ss")
    assert open_database(written).url.password == "p@ss"
    assert shown(written) == "postgresql://reader:***@host/db"


@pytest.mark.parametrize(
    ("url", "keeps"),
    [
        ("postgresql://me:secret@host/db", True),
        ("postgresql://me:${X}@host/db", False),
        ("postgresql://me:pre${X}@host/db", True),
        ("postgresql://${X}@host/db", False),
        ("postgresql://me@host:5432/db", False),
        ("postgresql://host/db?user=me&password=secret", True),
        ("postgresql://host/db?user=me&password=${X}", False),
        ("sqlite:///a:b@c.db", False),
        ("folder", False),
    ],
)
def test_a_password_in_a_url_is_seen(url: str, keeps: bool) -> None:
    assert keeps_password(url) is keeps
