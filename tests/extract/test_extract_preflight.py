"""A dump that is not as the specs say: one clear sentence a file, all files at once, nothing left behind."""

from __future__ import annotations

import gzip
import hashlib
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from small_projects import files_below, job_of, make

from casebridge.extract import run
from casebridge.project.errors import SourceError
from tests.councils import as_nobody

GOOD = b"K,SURNAME,DOB\r\n1,Se\xe9ret,01/02/1950\r\n2,Secret,\r\n"
COLUMNS = ["K", "SURNAME", "DOB"]


def refusal(folder: Path) -> SourceError:
    """The error that a run of this project ends with, having written nothing."""
    job = job_of(folder)
    with pytest.raises(SourceError) as caught:
        run(job)
    job.ledger.close()
    assert files_below(folder / "work") == {}
    engine = sa.create_engine(f"sqlite:///{folder / 'work' / 'ledger.db'}")
    with engine.connect() as connection:
        for table in ("sources", "attempts", "files", "standing"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0  # noqa: S608
    engine.dispose()
    assert caught.value.hint
    assert "ecret" not in str(caught.value) + caught.value.hint
    return caught.value


def one(tmp_path: Path, data: bytes, encoding: str = "cp1252") -> str:
    """What is said about a file of these bytes."""
    (make(tmp_path, {"A": COLUMNS}, encoding=encoding) / "A.csv").write_bytes(data)
    error = refusal(tmp_path)
    assert error.file == "A.csv"
    return error.message


def test_a_good_file_is_taken(tmp_path: Path) -> None:
    (make(tmp_path, {"A": COLUMNS}) / "A.csv").write_bytes(GOOD)
    assert run(job_of(tmp_path)).passed == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"1,Secret,01/02/1950\r\n2,Secret,\r\n", "has no header: its first line has none of the columns"),
        (b'"Secret\r\n', "has no header that can be read in its first line"),
        (GOOD.replace(b",", b";"), "its fields are separated by `;`"),
        (GOOD.replace(b",", b"\t"), r"its fields are separated by `\t`"),
        (GOOD.replace(b"DOB", b"D_O_B"), "missing DOB; neither mapped nor dropped D_O_B (did you mean `DOB`?)"),
        (GOOD.replace(b"K,SURNAME,DOB", b"k,surname,dob"), "nor dropped k (did you mean `K`?), surname"),
        (GOOD.replace(b"DOB", b"SURNAME"), "missing DOB; twice SURNAME"),
        (GOOD.replace(b"DOB", b"DOB,NEW,Secret Name"), "neither mapped nor dropped NEW, column 5"),
        (b"1,Secret,DOB\r\n", "missing K, SURNAME; neither mapped nor dropped column 1, column 2"),
        (GOOD.replace(b",DOB", b""), "missing DOB"),
        (GOOD + b"3,Secret,01/0", None),
        (GOOD + b"3,Secr", "breaks off in the middle of line 4, after"),
        (GOOD + b'3,Secret,"01/0', "breaks off in the middle of line 4, after"),
        (GOOD + b'3,"Secret\r\nSecret",1\r\n4,"Secret\r\nSecr', "breaks off in the middle of line 7, after"),
        (GOOD + b'3,Secret,"Secret\r\nSecret"', None),
        (gzip.compress(GOOD, mtime=0), "is a gzip archive, no text"),
        (b"PK\x03\x04" + GOOD, "is a zip archive or a spreadsheet, no text"),
        (b"%PDF-1.4\n" + GOOD, "is a PDF, no text"),
        (GOOD + bytes(range(256)) * 9 + bytes(900) + b"\n", "looks like a binary file: 909 of"),
        (GOOD + b"3,a,b\n" * 20_000 + bytes(90_000) + b"\n", "looks like a binary file: 90,000 of"),
        (b"\xef\xbb\xbf" + GOOD, "begins as UTF-8, but is declared cp1252"),
        ("\ufeffK,SURNAME,DOB\n1,Secret,\n".encode("utf-16-le"), "begins as UTF-16, but is declared cp1252"),
        ("K,SURNAME,DOB\n1,Secret,\n".encode("utf-16-le"), "looks like UTF-16, but is declared cp1252"),
        ("K,SURNAME,DOB\n1,Sécret,£5\n".encode(), "all its accented letters and signs are written in UTF-8"),
        (GOOD + b"3,\x81,\n" * 21, "is not cp1252: 21 of 24 lines have bytes that mean nothing"),
        (GOOD + b"3,\x81,\n" * 20, None),
    ],
)  # fmt: skip
def test_what_is_said_of_a_file(tmp_path: Path, data: bytes, said: str | None) -> None:
    if said is None:
        (make(tmp_path, {"A": COLUMNS}) / "A.csv").write_bytes(data)
        run(job_of(tmp_path))
    else:
        assert said in one(tmp_path, data)


def test_utf8_that_is_none(tmp_path: Path) -> None:
    data = b"K,SURNAME,DOB\n" + b"1,Secret,\n" * 5 + b"2,Secr\xe9t,\n" * 21
    assert "is not utf-8: 21 of 27 lines have bytes that mean nothing in it, first line 7" in one(
        tmp_path, data, "utf-8"
    )
    assert 'encoding = "cp1252"' in refusal(tmp_path).hint


def test_a_few_bad_lines_among_many_are_unreadable_lines_not_a_bad_file(tmp_path: Path) -> None:
    dump = make(tmp_path, {"A": COLUMNS}, encoding="utf-8")
    (dump / "A.csv").write_bytes(b"\xef\xbb\xbf" + GOOD + "3,é,\n".encode() * 9)
    tally = run(job_of(tmp_path))
    assert (tally.passed, tally.rejected) == (10, 1)


def test_ascii_that_is_utf8(tmp_path: Path) -> None:
    assert "is not ascii" in one(tmp_path, b"K,SURNAME,DOB\n" + "1,é,\n".encode() * 30, "ascii")
    assert 'encoding = "utf-8"' in refusal(tmp_path).hint


def test_a_missing_file(tmp_path: Path) -> None:
    dump = make(tmp_path, {"CF_PERSON": ["K"]})
    (dump / "cf_persons.CSV").write_bytes(b"K\n")
    (dump / "Other.txt").write_bytes(b"K\n")
    error = refusal(tmp_path)
    assert error.message == "CF_PERSON.csv: is not in the dump folder"
    assert "the folder has cf_persons.CSV:" in error.hint
    assert "Other" not in error.hint


def test_a_missing_folder_of_documents(tmp_path: Path) -> None:
    make(tmp_path, {"documents": ["PATH", "BYTES", "SHA256"]}, read={"documents": 'format = "files"'})
    assert refusal(tmp_path).message == "documents: is not in the dump folder"


def test_a_missing_dump(tmp_path: Path) -> None:
    make(tmp_path, {"A": ["K"]}).rmdir()
    assert refusal(tmp_path).message == "dump: is no folder"


@pytest.mark.parametrize("file", ["../A.csv", "/A.csv", "x/../../A.csv"])
def test_a_file_outside_the_dump(tmp_path: Path, file: str) -> None:
    make(tmp_path, {"A": ["K"]}, read={"A": f'file = "{file}"'})
    (tmp_path / "A.csv").write_bytes(b"K\n1\n")
    assert "lies outside the dump folder" in refusal(tmp_path).message


def test_a_folder_where_a_file_should_be(tmp_path: Path) -> None:
    (make(tmp_path, {"A": ["K"]}) / "A.csv").mkdir()
    assert refusal(tmp_path).message == "A.csv: is no file"


def test_a_spreadsheet_that_is_none(tmp_path: Path) -> None:
    dump = make(tmp_path, {"O": ["K"]}, read={"O": 'file = "O.xlsx"\nformat = "xlsx"'})
    (dump / "O.xlsx").write_bytes(b"K\nSecret\n")
    error = refusal(tmp_path)
    assert error.message == "O.xlsx: is no .xlsx spreadsheet that can be read"
    assert error.__cause__ is None


def test_a_file_that_may_not_be_read() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = make(folder, {"A": ["K"]}) / "A.csv"
        path.write_bytes(b"K\n")
        for place in (folder, *folder.rglob("*")):
            place.chmod(0o777)
        path.chmod(0)
        with as_nobody():
            message = refusal(folder).message
    assert "cannot be opened: Permission denied" in message


def test_files_of_a_table_with_other_columns(tmp_path: Path) -> None:
    dump = make(tmp_path, {"A": ["K", "V"]}, read={"A": 'file = "A*.csv"'})
    (dump / "A1.csv").write_bytes(b"K,V\n")
    (dump / "A2.csv").write_bytes(b"K,W\n")
    assert refusal(tmp_path).message == "A2.csv: its columns have changed: missing V; neither mapped nor dropped W"


def declare(dump: Path, edit: Callable[[str], str] = str) -> None:
    """Write the exporter's manifest of the files that are there, and then something else into it."""
    rows = ["file,bytes,lines,sha256"]
    for path in sorted(dump.glob("*.csv")):
        data = path.read_bytes()
        lines, sha256 = data.count(b"\n"), hashlib.sha256(data).hexdigest()
        rows.append(f"{path.name},{len(data)},{lines},{sha256}")
    (dump / "MANIFEST.csv").write_text(edit("\r\n".join(rows) + "\r\n"), encoding="utf-8", newline="")


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda text: text.replace(f",{len(GOOD)},", ",1234567,"), "bytes, but MANIFEST.csv says 1,234,567"),
        (lambda text: text.replace(",3,", ",4,"), "has 3 lines, but MANIFEST.csv says 4"),
        (lambda text: re.sub(r"[0-9a-f]{64}", "0" * 64, text), f"but MANIFEST.csv says {'0' * 64}"),
        (lambda text: text.replace("sha256", "md5"), "MANIFEST.csv: is no list of file, bytes, lines, sha256"),
        (lambda _: "", "MANIFEST.csv: is no list of file, bytes, lines, sha256"),
    ],
)  # fmt: skip
def test_the_exporters_manifest_disagrees(tmp_path: Path, edit: Callable[[str], str], said: str) -> None:
    dump = make(tmp_path, {"A": COLUMNS})
    (dump / "A.csv").write_bytes(GOOD)
    declare(dump, edit)
    assert said in refusal(tmp_path).message


def test_the_exporters_manifest_agrees(tmp_path: Path) -> None:
    dump = make(tmp_path, {"A": COLUMNS}, read={"A": 'file = "*.csv"'})
    (dump / "A.csv").write_bytes(GOOD)
    declare(dump, lambda text: text.replace("file,bytes", "File, Bytes"))
    assert run(job_of(tmp_path)).passed == 2


@pytest.mark.parametrize("counted", [3, 4])
def test_a_last_line_without_an_end_may_be_counted_or_not(tmp_path: Path, counted: int) -> None:
    dump = make(tmp_path, {"A": COLUMNS})
    (dump / "A.csv").write_bytes(GOOD + b"3,Secret,")
    declare(dump, lambda text: text.replace(",3,", f",{counted},"))
    assert run(job_of(tmp_path)).passed == 3


def test_a_declared_file_of_many_is_missing(tmp_path: Path) -> None:
    dump = make(tmp_path, {"A": COLUMNS}, read={"A": 'file = "A_*.csv"'})
    for name in ("A_1.csv", "A_2.csv", "A_3.csv"):
        (dump / name).write_bytes(GOOD)
    declare(dump)
    (dump / "A_2.csv").unlink()
    assert refusal(tmp_path).message == "A_2.csv: is not in the dump folder"


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    dump = make(tmp_path, dict.fromkeys("ABCD", COLUMNS))
    (dump / "A.csv").write_bytes(b"")
    (dump / "B.csv").write_bytes(GOOD)
    (dump / "D.csv").write_bytes(b"Secret,1,2\n")
    error = refusal(tmp_path)
    heads = [line.split(": ")[0] for line in error.message.splitlines()]
    assert heads == ["3 files of the dump", "  A.csv", "  C.csv", "  D.csv"]


def test_a_dropped_column_that_is_gone_is_a_changed_header(tmp_path: Path) -> None:
    (make(tmp_path, {"A": ["K"]}) / "A.csv").write_bytes(b"K\n1\n")
    with (tmp_path / "tables" / "a.toml").open("a") as spec:
        spec.write('[dropped]\nOLD = "of no use"\n')
    assert refusal(tmp_path).message == "A.csv: its columns have changed: missing OLD"
    (tmp_path / "dump" / "A.csv").write_bytes(b"K,OLD\n1,x\n")
    assert run(job_of(tmp_path)).passed == 1


def test_a_query_accounts_for_the_columns_it_names(tmp_path: Path) -> None:
    (make(tmp_path, {"A": ["K"]}) / "A.csv").write_bytes(b"K,EXTRA,OTHER\n1,x,y\n")
    path = tmp_path / "tables" / "a.toml"
    query = 'source = "SELECT _row, NULL AS _rest, K, EXTRA AS k2 FROM A"\nconsumes = ["A"]'
    path.write_text(path.read_text().replace('source = "A"', query) + '[read.A]\nkey = ["K", "GONE"]\n')
    message = refusal(tmp_path).message
    assert message == "A.csv: its columns have changed: missing GONE; neither mapped nor dropped EXTRA, OTHER"


def test_a_reserved_column_name(tmp_path: Path) -> None:
    (make(tmp_path, {"A": ["K", "__x"]}) / "A.csv").write_bytes(b"K,__x\n1,x\n")
    assert "reserved by casebridge __x" in refusal(tmp_path).message
