"""The truth about a dump is exact: a reader and a judge of their own come to the same end, row by row."""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl
import pytest
from legacy_judge import Judge, parsed, pence
from legacy_reader import read_csv

from casebridge.synthetic import make_council

PEOPLE = 5_000
CAUSES = {
    "rejected": {"ragged_line", "broken_quote", "nul_byte", "undecodable", "duplicate_key", "required", "money",
                 "date", "self_relationship", "period", "orphan", "parent"},
    "excluded": {"test_record", "retention_passed", "parent"},
    "held": {"unmapped_code", "missing_chunk", "file_missing", "file_changed", "unreferenced_file", "parent"},
    "loaded": {None},
    "combined": {None},
}  # fmt: skip
RULES = {"date", "nhs_number", "upn", "postcode", "unmapped_code", "orphan", "max_length", "email"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("council")
    make_council(folder, people=PEOPLE, seed=11)
    return folder


@pytest.fixture(scope="module")
def judge(folder: Path) -> Judge:
    return Judge(folder / "dump")


@pytest.fixture(scope="module")
def dispositions(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "truth" / "dispositions.parquet")


def test_every_record_is_judged_as_the_truth_says(judge: Judge, dispositions: pl.DataFrame) -> None:
    rows = dispositions.select("source", "line", "key", "place", "cause").iter_rows()
    told = {(source, line): (key, place, cause) for source, line, key, place, cause in rows}
    found = judge.dispositions()
    assert {
        at: (told.get(at), found.get(at)) for at in told.keys() | found.keys() if told.get(at) != found.get(at)
    } == {}
    assert len(told) == len(dispositions), "no record stands in the truth twice"


def test_every_value_set_aside_is_in_the_truth(folder: Path, judge: Judge) -> None:
    values = pl.read_parquet(folder / "truth" / "values.parquet")
    assert set(values.select("source", "line", "column", "rule").iter_rows()) == judge.values()
    assert set(values["rule"]) == RULES


def test_no_row_has_two_parents_that_fail_in_different_ways(judge: Judge) -> None:
    assert judge.doubtful == []


def test_each_physical_line_belongs_to_one_record(folder: Path, judge: Judge, dispositions: pl.DataFrame) -> None:
    for path in sorted((folder / "dump").glob("CF_*.csv")):
        records = judge.tables[path.stem]
        covered = [line for record in records for line in range(record.line, record.line + record.lines)]
        assert covered == list(range(2, path.read_bytes().count(b"\n") + 1))
        told = dispositions.filter(pl.col("source") == path.stem)
        assert told["line"].to_list() == [record.line for record in records]


def test_every_place_and_every_cause_occurs(dispositions: pl.DataFrame) -> None:
    found = dispositions.group_by("place").agg(pl.col("cause").unique()).iter_rows()
    assert {place: set(causes) for place, causes in found} == CAUSES


def test_the_manifest_lists_what_is_there(folder: Path, judge: Judge) -> None:
    lines = (folder / "dump" / "MANIFEST.csv").read_text("cp1252").splitlines()[1:]
    listed = {name: rest for name, *rest in (line.split(",") for line in lines)}
    files = {path.name: path.read_bytes() for path in (folder / "dump").glob("CF_*")}
    assert listed.keys() == files.keys()
    for name, (size, count, digest) in listed.items():
        assert (int(size), digest) == (len(files[name]), hashlib.sha256(files[name]).hexdigest())
        text_lines = files[name].count(b"\n") if not name.endswith("xlsx") else len(judge.tables["CF_ORG"]) + 1
        assert int(count) == text_lines


def test_repairable_values_are_what_the_bytes_say(folder: Path, judge: Judge) -> None:
    """Padding, code page, date and money formats: read back from the dump they give what the truth expects."""
    repaired = pl.read_parquet(folder / "truth" / "repaired.parquet")
    rows = {(source, record.line): record for source, records in judge.tables.items() for record in records}
    for source, line, column, value in repaired.select("source", "line", "column", "value").iter_rows():
        record = rows[source, line]
        assert judge.verdicts[source, line] == ("loaded", None)
        if column == "TEXT":
            continue  # chunks are stripped here; the raw bytes are tried below
        assert _read(column, record.fields[column]) == value, (source, line, column)


def _read(column: str, text: str) -> str | None:
    if column.endswith("_DT") or column in ("DOB", "DOD"):
        day = parsed(text) if text else None
        return day.isoformat() if day and day.year < 2079 else None
    if column == "AMOUNT":
        figure = pence(text)
        assert figure is not None
        return f"{'-' if text.endswith('-') else ''}{figure // 100}.{figure % 100:02}"
    if column == "NHS_NO":
        return text.replace(" ", "").replace("-", "") or None
    if column == "POSTCODE":
        tight = text.upper().replace(" ", "")
        return f"{tight[:-3]} {tight[-3:]}" if tight else None
    return (text.upper() if column == "ETHNIC_CODE" else text) or None


def test_notes_are_whole_when_their_chunks_are_joined(folder: Path) -> None:
    """Joined in order and without a separator; a blank at the end of a chunk belongs to the text."""
    repaired = pl.read_parquet(folder / "truth" / "repaired.parquet").filter(pl.col("column") == "TEXT")
    told = pl.read_parquet(folder / "truth" / "dispositions.parquet").filter(pl.col("source") == "CF_OBSERVATION")
    chunks = _raw_chunks(folder / "dump" / "CF_OBSERVATION.csv")
    keys = dict(told.filter(pl.col("place") == "loaded").select("line", "key").iter_rows())
    assert len(repaired) > 500
    for line, value in repaired.select("line", "value").iter_rows():
        note = keys[line].split("|")[0]
        assert "".join(text for _, text in sorted(chunks[note].items())) == value


def _raw_chunks(path: Path) -> dict[str, dict[str, str]]:
    chunks: dict[str, dict[str, str]] = {}
    for record in read_csv(path):
        if record.fields:
            chunks.setdefault(record.fields["OBS_NO"], {})[record.fields["SEQ_NO"]] = record.fields["TEXT"]
    return chunks
