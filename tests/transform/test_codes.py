"""Code lists: what a code becomes, on which day, and every mistake of every list at once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from casebridge.project.errors import SpecError
from casebridge.transform.codes import CodeList, read_codes

HEADER = "legacy_code,target_code,description,status,owner,signed_off,valid_from,valid_to\n"


def _list(folder: Path, *lines: str, name: str = "sex", encoding: str = "utf-8") -> CodeList:
    (folder / f"{name}.csv").write_text(HEADER + "".join(f"{line}\n" for line in lines), encoding=encoding)
    return read_codes(folder, [name])[name]


def _translated(codes: CodeList, *values: str | None, day: dt.date | None = None) -> list[str | None]:
    frame = pl.DataFrame({"v": values, "day": [day] * len(values)}, schema={"v": pl.String(), "day": pl.Date()})
    return frame.select(codes.translate(pl.col("v"), pl.col("day") if day else None)).to_series().to_list()


def test_codes_are_found_in_any_case_and_others_are_not(tmp_path: Path) -> None:
    codes = _list(tmp_path, "m,M,,mapped,,,,", "1, M ,,mapped,,,,", "X,,,unmapped,,,,", "Z,U,,unmapped,,,,")
    assert _translated(codes, "M", "m", "1", "X", "Z", "other", None) == ["M", "M", "M", None, None, None, None]


def test_a_line_with_an_empty_code_says_what_a_missing_one_becomes(tmp_path: Path) -> None:
    codes = _list(tmp_path, "M,M,,mapped,,,,", ",U,Left blank,default,,,,")
    assert _translated(codes, None, "M", "Q") == ["U", "M", None]


def test_the_rows_own_date_decides_between_two_meanings(tmp_path: Path) -> None:
    """Both ends are included; a line without dates holds on all other days."""
    codes = _list(
        tmp_path, "HV,OLD,,mapped,,,,2004-03-31", "HV,NEW,,mapped,,,2004-04-01,2010-12-31", "HV,REST,,mapped,,,,"
    )
    for day, target in (
        (dt.date(1990, 1, 1), "OLD"), (dt.date(2004, 3, 31), "OLD"), (dt.date(2004, 4, 1), "NEW"),
        (dt.date(2010, 12, 31), "NEW"), (dt.date(2011, 1, 1), "REST"),
    ):  # fmt: skip
        assert _translated(codes, "hv", day=day) == [target]
    undated = pl.DataFrame({"v": ["HV"], "day": [None]}, schema={"v": pl.String(), "day": pl.Date()})
    assert undated.select(codes.translate(pl.col("v"), pl.col("day"))).item() == "REST"


def test_a_spreadsheets_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    assert _translated(_list(tmp_path, "É,E,,mapped,,,,", encoding="utf-8-sig"), "é") == ["E"]


def test_an_unsigned_line_translates(tmp_path: Path) -> None:
    """Who signs it off is the report's business; the status decides here."""
    assert _translated(_list(tmp_path, "M,M,,mapped,Head,,,"), "M") == ["M"]


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    one = _list(tmp_path, "M,M,,mapped,,,,").digest
    assert one == _list(tmp_path, "M,M,,mapped,,,,", name="other").digest
    assert one != _list(tmp_path, "M,M,man,mapped,,,,").digest


def test_every_mistake_of_every_list_is_told_at_once(tmp_path: Path) -> None:
    lines = [
        "A,1,,maped,,,,", "B,,,mapped,,,,", "C,,,default,,,,", "D,1,,mapped,,,1/4/2004,", "E,1,,mapped,,,,",
        "e,2,,mapped,,,,", "F,1,,mapped,,,2004-01-01,2005-01-01", "F,2,,mapped,,,2005-01-01,",
        "G,1,,mapped,,,2005-01-01,2004-01-01", "H",
    ]  # fmt: skip
    (tmp_path / "bad.csv").write_text(HEADER + "\n".join(lines), encoding="utf-8")
    (tmp_path / "short.csv").write_text("legacy_code,target_cod\n", encoding="utf-8")
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    (tmp_path / "latin.csv").write_bytes(HEADER.encode() + b"x,y,,mapped,,,,\n" * 5_000 + b"\xe9,1,,mapped,,,,\n")
    with pytest.raises(SpecError) as caught:
        read_codes(tmp_path, ["bad", "short", "empty", "latin", "missing", "missing"])
    told = [(problem.file, problem.where, problem.what) for problem in caught.value.problems]
    assert {where for file, where, _ in told if file == "codes/bad.csv"} == {
        "line 2", "line 3", "line 4", "line 5", "line 7", "line 11", "code `F`", "code G"
    }  # fmt: skip
    assert sum(file == "codes/short.csv" for file, _, _ in told) == 7
    assert sum(file == "codes/empty.csv" for file, _, _ in told) == 8
    assert [what for file, _, what in told if file == "codes/missing.csv"] == ["not readable: FileNotFoundError"]
    assert [what for file, _, what in told if file == "codes/latin.csv"] == ["not readable: UnicodeDecodeError"]
    assert "did you mean `mapped`?" in str(caught.value)
    assert "did you mean `target_cod`?" in str(caught.value)
