"""Small projects whose files are written as real exports are: what arrives, or what is said instead."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from casebridge.migrate.pipeline import check, open_job, run_stages
from casebridge.project.errors import CasebridgeError, ReconciliationFailed
from tests.cases_run import case, command

SETTINGS = '[project]\nname = "p"\n[systems.old]\ndump = "dump"\nencoding = "{encoding}"\n'
TARGET = '[t]\nprimary_key = "id"\nlegacy_key = "legacy"\n[t.columns.id]\ntype = "bigint"\n'


def project(
    folder: Path,
    data: bytes,
    columns: Mapping[str, str],
    *,
    read: str = "",
    encoding: str = "utf-8",
    file: str = "SRC.csv",
    key: Sequence[str] = ("ID",),
    more: str = "",
) -> Path:
    """A project of one file and one spec: `columns` gives each source column's target type."""
    (folder / "dump").mkdir(parents=True)
    (folder / "tables").mkdir()
    (folder / "dump" / file).write_bytes(data)
    (folder / "casebridge.toml").write_text(SETTINGS.format(encoding=encoding))
    target = TARGET + '[t.columns.legacy]\ntype = "text"\n'
    keys = ", ".join(f'"{name}"' for name in key)
    spec = f'[table]\nsystem = "old"\nsource = "SRC"\ntarget = "t"\nkey = [{keys}]\n{more}'
    spec += f'[read]\nfile = "{file}"\n{read}\n'
    for name, kind in columns.items():
        to = "c_" + name.strip("_").lower()
        target += f'[t.columns.{to}]\ntype = "{kind}"\n'
        spec += f'[columns.{to}]\nfrom = "{name}"\non_fail = "null_and_report"\n'
    (folder / "target.toml").write_text(target)
    (folder / "tables" / "t.toml").write_text(spec)
    return folder


def migrated(folder: Path) -> tuple[list[tuple[object, ...]], list[tuple[str, str]]]:
    """The target's rows without their ids, and (place or verdict, rule) of all that did not pass."""
    with open_job(folder) as job:
        for _ in run_stages(job, "load"):
            pass
        left: list[tuple[str, str]] = []
        for batch in job.ledger.sealed(job.run, "extract", "old.SRC", "unreadable"):
            left += [("rejected", reason) for reason in batch.read()["reason"]]
        for name in ("old.SRC", "t"):
            for batch in job.ledger.sealed(job.run, "transform", name, "quarantine"):
                left += batch.read().select("verdict", "rule").rows()
    with sqlite3.connect(folder / "target.db") as target:
        rows = target.execute("SELECT * FROM t ORDER BY length(legacy), legacy").fetchall()
    target.close()
    return [row[1:] for row in rows], sorted(left)


def several(folder: Path, sources: Sequence[tuple[bytes, str]]) -> Path:
    """A project of many files with ID and NAME, each with its spec and what stands in its [read]: the sources S0,
    S1, … become the tables t0, t1, …"""
    (folder / "dump").mkdir(parents=True)
    (folder / "tables").mkdir()
    (folder / "casebridge.toml").write_text(SETTINGS.format(encoding="utf-8"))
    target = ""
    for n, (data, read) in enumerate(sources):
        (folder / "dump" / f"S{n}.csv").write_bytes(data)
        table = TARGET.replace("[t", f"[t{n}")
        target += f'{table}[t{n}.columns.legacy]\ntype = "text"\n[t{n}.columns.name]\ntype = "varchar(60)"\n'
        spec = f'[table]\nsystem = "old"\nsource = "S{n}"\ntarget = "t{n}"\nkey = ["ID"]\n[read]\n{read}\n'
        spec += '[columns.name]\nfrom = "NAME"\non_fail = "null_and_report"\n'
        (folder / "tables" / f"t{n}.toml").write_text(spec)
    (folder / "target.toml").write_text(target)
    return folder


Came = tuple[list[tuple[object, ...]], list[tuple[str, str]]]


def arrived(folder: Path, count: int) -> list[Came]:
    """For each source of such a project what `migrated` gives for one."""
    with open_job(folder) as job:
        for _ in run_stages(job, "load"):
            pass
        left: list[list[tuple[str, str]]] = []
        for n in range(count):
            unreadable = job.ledger.sealed(job.run, "extract", f"old.S{n}", "unreadable")
            found = [("rejected", reason) for batch in unreadable for reason in batch.read()["reason"]]
            for name in (f"old.S{n}", f"t{n}"):
                for batch in job.ledger.sealed(job.run, "transform", name, "quarantine"):
                    found += batch.read().select("verdict", "rule").rows()
            left.append(found)
    with sqlite3.connect(folder / "target.db") as target:
        rows = [target.execute(f"SELECT legacy, name FROM t{n} ORDER BY legacy").fetchall() for n in range(count)]  # noqa: S608
    target.close()
    return list(zip(rows, left, strict=True))


def refused(folder: Path) -> str:
    """What `check` says and `run` stops with."""
    said = "\n".join(check(folder))
    assert said
    with open_job(folder) as job, pytest.raises(CasebridgeError):
        list(run_stages(job))
    return said


PEOPLE = [("1", "Ann"), ("2", "Bob"), ("3", "Cy")]
TEXT = {"NAME": "varchar(60)"}


THREE = [
    (b"ID,NAME\r1,Ann\r2,Bob\r3,Cy\r", "", "utf-8"),
    (b"ID,NAME\r1,Ann\r2,Bob\r3,Cy", "", "utf-8"),
    (b"ID,NAME\r\r\n1,Ann\r\r\n2,Bob\r\r\n3,Cy\r\r\n", "", "utf-8"),
    (b'"ID","NAME"\r\r\n"1","Ann"\r\r\n"2","Bob"\r\r\n"3","Cy"\r\r\n', "", "utf-8"),
    (b"ID,NAME\r\n1,Ann\r\n2,Bob\r\n3,Cy\r\n\x1a", "", "utf-8"),
    (b"ID,NAME\r\n1,Ann\r\n2,Bob\r\n3,Cy\x1a", "", "cp1252"),
    ("\ufeffID,NAME\r\n1,Ann\r\n2,Bob\r\n3,Cy\r\n".encode("utf-16-le"), "", "utf-16"),
    ("\ufeffID,NAME\n1,Ann\n2,Bob\n3,Cy\n".encode("utf-16-be"), "", "utf-16"),
    ("ID,NAME\n1,Ann\n2,Bob\n3,Cy\n".encode("utf-16-be"), "", "utf-16-be"),
    ("\ufeffID,NAME\r1,Ann\r2,Bob\r3,Cy\r".encode("utf-16-le"), "", "utf-16"),
    (b"\xef\xbb\xbfID,NAME\n1,Ann\n2,Bob\n3,Cy\n", "", "utf-8"),
    ("ID¬NAME\n1¬Ann\n2¬Bob\n3¬Cy\n".encode(), 'delimiter = "¬"', "utf-8"),
    ("ID¬NAME\n1¬Ann\n2¬Bob\n3¬Cy\n".encode("cp1252"), 'delimiter = "¬"', "cp1252"),
    (b"ID||NAME\n1||Ann\n2||Bob\n3||Cy\n", 'delimiter = "||"', "utf-8"),
    (b"ID,NAME,\n1,Ann,\n2,Bob,\n3,Cy,\n", "trailing_delimiter = true", "utf-8"),
    (b"ID,NAME\n1,Ann,\n2,Bob,\n3,Cy,\n", "trailing_delimiter = true", "utf-8"),
    (b"People of the town\n\nID,NAME\n1,Ann\n2,Bob\n3,Cy\n", "header = 3", "utf-8"),
    (b"# made by a tool\nID,NAME\n1,Ann\n2,Bob\n3,Cy\n", 'comment = "#"', "utf-8"),
    (b'ID,NAME\n="1",Ann\n"=""2""",Bob\n3,="Cy"\n', "", "utf-8"),
    ("\u00a0ID,\ufeffNAME\u200b\n1,Ann\n2,Bob\n3,Cy\n".encode(), "", "utf-8"),
]  # fmt: skip
"""Files in which three people stand: bytes, [read], encoding."""


@pytest.fixture(scope="module")
def threes(tmp_path_factory: pytest.TempPathFactory) -> list[Came]:
    sources = [(data, f'encoding = "{encoding}"\n{read}') for data, read, encoding in THREE]
    return arrived(several(tmp_path_factory.mktemp("threes") / "p", sources), len(sources))


@pytest.mark.parametrize("number", range(len(THREE)), ids=[repr(data)[:40] for data, _, _ in THREE])
def test_three_people_arrive(threes: list[Came], number: int) -> None:
    assert threes[number] == (PEOPLE, [])


NOBODY = [
    (b"ID,NAME", "repeated_header"),
    (b"id,Name", "repeated_header"),
    (b'"ID","NAME"', "repeated_header"),
    (b"\xef\xbb\xbfID,NAME", "repeated_header"),
    (b"--,----", "ruler_line"),
    (b"---------", "ruler_line"),
    (b"-- -------", "ruler_line"),
    (b"-,-", "ruler_line"),
    ("\u2500\u2500,\u2500\u2500\u2500".encode(), "ruler_line"),
    (b"(3 rows affected)", "footer_line"),
    (b"(3 rows affected),", "footer_line"),
    (b'"3 rows selected.",', "footer_line"),
    (b"Total,", "footer_line"),
    (b"Total,11", "footer_line"),
    (b'" Grand total: ","1,234.50"', "footer_line"),
    (b"Page 1 of 2,", "footer_line"),
    (b"Report printed on 05/01/2024 09:30,", "footer_line"),
    (b" ID , NAME ", "repeated_header"),
    ("\u00a0id,Name\t".encode(), "repeated_header"),
    (b"# 3 people", "comment_line"),
    (b"#,3 people", "comment_line"),
    (b"", "ragged_line"),
    (b"x,y,z", "ragged_line"),
]  # fmt: skip
"""Lines between people that are no person, and the rule under which each is kept."""


@pytest.fixture(scope="module")
def nobodies(tmp_path_factory: pytest.TempPathFactory) -> list[Came]:
    sources = [(b"ID,NAME\n1,Ann\n2,Bob\n" + line + b"\n3,Cy\n", 'comment = "#"') for line, _ in NOBODY]
    return arrived(several(tmp_path_factory.mktemp("nobodies") / "p", sources), len(sources))


@pytest.mark.parametrize("number", range(len(NOBODY)), ids=[repr(line) for line, _ in NOBODY])
def test_a_line_that_is_no_person_is_kept_under_its_rule(nobodies: list[Came], number: int) -> None:
    assert nobodies[number] == (PEOPLE, [("rejected", NOBODY[number][1])])


PEOPLE_WITH_ODD_NAMES = [
    (b"Totally,11", ("Totally", "11")),
    (b"Total,Ltd", ("Total", "Ltd")),
    (b"Page 1,Ann", ("Page 1", "Ann")),
    (b"Run 12,", ("Run 12", None)),
    (b"#1,Nan", ("#1", "Nan")),
    (b"ID,", ("ID", None)),
]  # fmt: skip
"""Lines that only look so, and what they are."""


def test_a_line_that_only_looks_like_none_is_a_record(tmp_path: Path) -> None:
    sources = [(b"ID,NAME\n1,Ann\n" + line + b"\n", "") for line, _ in PEOPLE_WITH_ODD_NAMES]
    came = arrived(several(tmp_path / "p", sources), len(sources))
    assert came == [(sorted([("1", "Ann"), row]), []) for _, row in PEOPLE_WITH_ODD_NAMES]


REFUSED = [
    ("ID,NAME\n1,O\u2019Neill \u2013 5 \u20ac\n".encode("cp1252"), "latin-1", "probably `encoding"),
    (b"ID,NAME\n1,Ann,\n2,Bob,\n", "utf-8", "each line has one empty field more than the header"),
    (b"ID,NAME,\n1,Ann,\n2,Bob,\n", "utf-8", "its header ends with a delimiter"),
    (b"ID,NAME\n1,Ann\r2,Bob\r3,Cy\r", "utf-8", "most of its lines with CR"),
    (b"ID,NAME\r1,Ann\n2,Bob\n3,Cy\n", "utf-8", "most of its lines with LF"),
    (b"ID,NAME\r1,Ann\r\n2,Bob\r\n", "utf-8", "also 2 ends with CR LF"),
    ("\ufeffID,NAME\n1,Ann\n".encode("utf-16-le"), "utf-8", 'set `encoding = "utf-16"`'),
    ("\ufeffID,NAME\n1,Ann\n".encode("utf-16-le") + b"x", "utf-16", "in the middle of a character"),
    (b"ID,NAME\n1,Ann\n", "utf-16", "declared UTF-16"),
    (b"ID,NAME\n1,Ann,,\n2,Bob,,\n", "utf-8", "its lines have 4 fields, but its header has 2"),
    (b"ID,NAME\n1,Ann, \n2,Bob,x\n", "utf-8", "its lines have 3 fields, but its header has 2"),
    (b'ID,NAME\n"1\n,"\n2\n', "utf-8", "its lines have 1 field, but its header has 2"),
    (b"ID,NAME,AGE,TOWN,KIND\n1,Ann,5,x,y\n", "utf-8", "nor dropped AGE, TOWN, KIND"),
]  # fmt: skip
"""Files that cannot be read surely: bytes, encoding, what is said."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What `check` says of each of them; `run` stops at once."""
    sources = [(data, f'encoding = "{encoding}"') for data, encoding, _ in REFUSED]
    lines = refused(several(tmp_path_factory.mktemp("refused") / "p", sources)).splitlines()
    return {line.strip().partition(".csv")[0]: line for line in lines}


@pytest.mark.parametrize("number", range(len(REFUSED)), ids=[said for _, _, said in REFUSED])
def test_what_cannot_be_read_surely_is_refused(told: dict[str, str], number: int) -> None:
    assert REFUSED[number][2] in told[f"S{number}"]


WORDS = ["NULL", "\\N", "(null)", "  NULL ", "\u00a0null", "NaN", "#N/A", "#DIV/0!"]


@pytest.mark.parametrize("word", WORDS)
def test_words_for_nothing_are_asked_about(tmp_path: Path, word: str) -> None:
    data = f"ID,NAME\n1,Ann\n2,{word}\n".encode()
    with pytest.raises(CasebridgeError, match=r"has the text .* in column NAME, line 3"):
        migrated(project(tmp_path / "a", data, TEXT))


def test_words_for_nothing_are_nothing_or_values_as_the_spec_says(tmp_path: Path) -> None:
    files = [f"ID,NAME\n1,Ann\n2,{word}\n".encode() for word in WORDS]
    shown = [word.strip().replace("\\", "\\\\") for word in WORDS]
    sources = [(data, f'null = ["{word}"]') for data, word in zip(files, shown, strict=True)]
    came = arrived(several(tmp_path / "p", [*sources, *((data, "null = []") for data in files)]), 2 * len(WORDS))
    assert [rows[1] for rows, _ in came] == [*[("2", None)] * len(WORDS), *[("2", word.strip()) for word in WORDS]]


FIXED = 'format = "fixed"\nwidths = { ID = 4, NAME = 8, HOURS = 3 }\n'
HOURS = {"NAME": "varchar(20)", "HOURS": "integer"}


def test_fixed_width_padded_to_bytes(tmp_path: Path) -> None:
    data = "0001Ann      12\n0002Zoë    120\n".encode()
    assert "counted in bytes" in refused(project(tmp_path / "a", data, HOURS, read=FIXED))
    rows, _ = migrated(project(tmp_path / "b", data, HOURS, read=FIXED + 'widths_in = "bytes"'))
    assert rows == [("0001", "Ann", 12), ("0002", "Zoë", 120)]
    short = "0001Ann     12\n0002Zoë    12\n0003Bob     1\n".encode()
    assert "cannot be seen: line 2 has an accented letter" in refused(
        project(tmp_path / "s", short, HOURS, read=FIXED)
    )
    rows, _ = migrated(project(tmp_path / "t", short, HOURS, read=FIXED + 'widths_in = "bytes"'))
    assert rows == [("0001", "Ann", 12), ("0002", "Zoë", 12), ("0003", "Bob", 1)]
    other = "0001Ann      12\n0002Zoë     120\n".encode()
    rows, _ = migrated(project(tmp_path / "c", other, HOURS, read=FIXED))
    assert rows == [("0001", "Ann", 12), ("0002", "Zoë", 120)]


def test_columns_that_are_called_like_ours(tmp_path: Path) -> None:
    data = b"ID,_key,_NOTE,_row_\n1,R-77,  padded  ,x\n2,R-78,,y\n"
    kinds = {"_key": "text", "_NOTE": "text", "_row_": "text"}
    rows, _ = migrated(project(tmp_path / "p", data, kinds))
    assert rows == [("1", "R-77", "padded", "x"), ("2", "R-78", None, "y")]


def test_parts_of_a_key_that_hold_the_joiner(tmp_path: Path) -> None:
    data = b"A,B,NAME\nx|y,z,Ann\nx,y|z,Bob\n|,|,Cy\nx,y,Di\nb\\,c,Ed\n,,Flo\nx,y\\|z,Gus\n"
    rows, left = migrated(project(tmp_path / "p", data, TEXT, key=("A", "B")))
    assert sorted(name for _, name in rows) == ["Ann", "Bob", "Cy", "Di", "Ed", "Gus"]
    keys = {name: key for key, name in rows}
    assert (keys["Di"], keys["Ed"]) == ("x|y", "b\\|c")
    assert left == [("rejected", "missing_key")]


def test_a_column_that_only_a_condition_names(tmp_path: Path) -> None:
    data = b"ID,NAME,KIND\n1,Ann,P\n2,Bob,O\n"
    folder = project(tmp_path / "a", data, TEXT, more="where = \"KIND = 'P'\"\n")
    assert "neither mapped nor dropped KIND" in refused(folder)
    with (folder / "tables" / "t.toml").open("a") as spec:
        spec.write('[dropped]\nKIND = "tells people from organisations"\n')
    assert migrated(folder)[0] == [("1", "Ann")]
    wrong = project(tmp_path / "b", b"ID,NAME\n1,Ann\n", TEXT, more="where = \"KIND = 'P'\"\n")
    assert "missing KIND" in refused(wrong)


def test_a_file_that_no_spec_reads_is_named(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", b"ID,NAME\n1,Ann\n", TEXT)
    (folder / "dump" / "more").mkdir()
    (folder / "dump" / "more" / "OTHER.csv").write_bytes(b"x\n")
    notes: list[str] = []
    assert check(folder, notes) == []
    assert notes == ["no spec of old reads 1 file of its dump: more/OTHER.csv"]


# Workbooks

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_STRICT_LINKS = "http://purl.oclc.org/ooxml/officeDocument/relationships"


def workbook(
    sheets: Mapping[str, str],
    *,
    strict: bool = False,
    formats: Sequence[str] = (),
    book: str = "",
    after: str = "",
) -> bytes:
    """A workbook of sheets given as XML rows; a name that begins with `-` is a hidden sheet. `formats` are the
    number formats of the styles 1, 2, …"""
    import io

    main, links = (_STRICT, _STRICT_LINKS) if strict else (_MAIN, _LINKS)
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        rel = f'<Relationship Id="r1" Type="{links}/officeDocument" Target="xl/workbook.xml"/>'
        made.writestr("_rels/.rels", f'<Relationships xmlns="{package}">{rel}</Relationships>')
        listed, rels = "", f'<Relationship Id="s" Type="{links}/styles" Target="styles.xml"/>'
        for number, (name, rows) in enumerate(sheets.items(), 1):
            state = ' state="hidden"' if name.startswith("-") else ""
            listed += f'<sheet name="{name.lstrip("-")}" sheetId="{number}" r:id="r{number}"{state}/>'
            rels += f'<Relationship Id="r{number}" Type="{links}/worksheet" Target="worksheets/s{number}.xml"/>'
            body = f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData>{after}</worksheet>'
            made.writestr(f"xl/worksheets/s{number}.xml", body)
        head = f'<workbook xmlns="{main}" xmlns:r="{links}">{book}'
        made.writestr("xl/workbook.xml", f"{head}<sheets>{listed}</sheets></workbook>")
        made.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}">{rels}</Relationships>')
        codes = "".join(f'<numFmt numFmtId="{200 + n}" formatCode="{code}"/>' for n, code in enumerate(formats))
        styles = '<xf numFmtId="0"/>' + "".join(f'<xf numFmtId="{200 + n}"/>' for n in range(len(formats)))
        made.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{main}"><numFmts>{codes}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>',
        )
    return out.getvalue()


def text(value: str) -> str:
    return f'<c t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'


def row(*cells: str, number: int | None = None) -> str:
    place = f' r="{number}"' if number else ""
    return f"<row{place}>{''.join(cell if cell.startswith('<c') else text(cell) for cell in cells)}</row>"


MERGED = '<mergeCells><mergeCell ref="B2:B3"/></mergeCells>'
XLSX = 'format = "xlsx"\n'
HEAD = row("ID", "V")


def of_book(folder: Path, data: bytes, kind: str = "text", read: str = "") -> Path:
    return project(folder, data, {"V": kind}, read=XLSX + read, file="s.xlsx")


CELLS = [
    ("<c><v>0.30000000000000004</v></c>", "", "0.3"),
    ("<c><v>434.99999999999994</v></c>", "", "435"),
    ("<c><v>19.989999999999998</v></c>", "", "19.99"),
    ("<c><v>1E+21</v></c>", "", "1000000000000000000000"),
    ("<c><v>9007199254740993</v></c>", "", "9007199254740993"),
    ("<c s='1'><v>123</v></c>", "00000", "00123"),
    ("<c s='1'><v>1234567</v></c>", "000\\-000\\-0000", "000-123-4567"),
    ("<c s='1'><v>12</v></c>", "&quot;CF&quot;0000", "CF0012"),
    ("<c s='1'><v>1234.5</v></c>", "#,##0.00", "1234.5"),
    ("<c s='1'><v>45</v></c>", "0.00", "45"),
    ("<c s='1'><v>45</v></c>", "0.0&quot; km&quot;", "45"),
    ("<c s='1'><v>45</v></c>", "[$£-809]0.00;[Red]-0.00", "45"),
    ("<c s='1'><v>45</v></c>", "00.00", "45"),
    ("<c s='1'><v>45</v></c>", "0/00", "45"),
    ("<c s='1'><v>7</v></c>", "0&quot; yrs&quot;", "7"),
    ("<c s='1'><v>0.5</v></c>", "0.0%", "0.5"),
    ("<c s='1'><v>930</v></c>", "00:00", "09:30"),
    ("<c s='1'><v>2125551234</v></c>", "[&lt;=9999999]000-0000;(000) 000-0000", "2125551234"),
    ("<c s='1'><v>45296</v></c>", "dd/mm/yyyy", "2024-01-05"),
    ("<c s='1'><v>45296.354166666664</v></c>", "dd/mm/yyyy hh:mm", "2024-01-05 08:30:00"),
    ("<c s='1'><v>45296.999999999</v></c>", "dd/mm/yyyy hh:mm", "2024-01-05 23:59:59.999"),
    ("<c s='1'><v>45296.99999999999</v></c>", "dd/mm/yyyy", "2024-01-06"),
    ("<c s='1'><v>0.354172453703704</v></c>", "hh:mm:ss.000", "08:30:00.5"),
    ("<c s='1'><v>1.5208333333333333</v></c>", "[h]:mm", "36:30:00"),
    ("<c s='1'><v>60</v></c>", "yyyy-mm-dd", "1900-02-29"),
    ("<c s='1'><v>59</v></c>", "yyyy-mm-dd", "1900-02-28"),
    ("<c t='d'><v>2024-01-05T00:00:00</v></c>", "", "2024-01-05"),
    ("<c t='d'><v>2024-01-05T08:30:00</v></c>", "", "2024-01-05 08:30:00"),
    ("<c t='b'><v>1</v></c>", "", "TRUE"),
    ("<c t='str'><f>A1</f><v>a_x000D__x005F_b</v></c>", "", "a\r_b"),
    ("<c t='str'><f>A1</f><v></v></c>", "", None),
    ("<c><f>1+1</f><v>2</v></c>", "", "2"),
    ("<c t='inlineStr'><is><r><t>An</t></r><r><t>n</t></r><rPh><t>x</t></rPh></is></c>", "", "Ann"),
]  # fmt: skip
"""Cells of a workbook, the number format of their style 1, and what is read."""


@pytest.fixture(scope="module", params=[False, True], ids=["transitional", "strict"])
def sheet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[object, object]:
    """All the cells in one sheet: what arrives, by their numbers."""
    rows, formats = HEAD, list[str]()
    for number, (cell, code, _) in enumerate(CELLS):
        formats += [code] if code else []
        rows += row(f"{number}", cell.replace("s='1'", f"s='{len(formats)}'"))
    data = workbook({"S": rows}, strict=request.param, formats=formats)
    found, left = migrated(of_book(tmp_path_factory.mktemp("cells") / "p", data))
    assert left == [("warned", "unusual_blank")] * sum("\r" in (shown or "") for *_, shown in CELLS)
    return dict(found)


@pytest.mark.parametrize("number", range(len(CELLS)), ids=[f"{cell} {code}" for cell, code, _ in CELLS])
def test_a_cell_is_read_as_it_is_shown(sheet: dict[object, object], number: int) -> None:
    assert sheet[f"{number}"] == CELLS[number][2]


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("<c t='e'><v>#N/A</v></c>", "cell_error"),
        ("<c t='e'><f>1/0</f><v>#DIV/0!</v></c>", "cell_error"),
        ("<c><f>1+1</f></c>", "formula_without_result"),
        ("<c><f>1+1</f><v/></c>", "formula_without_result"),
    ],
)  # fmt: skip
def test_a_cell_that_is_no_value_is_set_aside_or_names_nobody(tmp_path: Path, cell: str, rule: str) -> None:
    rows = row("1", cell) + row(cell, "x") + row(cell, "y")
    found, left = migrated(of_book(tmp_path / "p", workbook({"S": HEAD + rows})))
    assert found == [("1", None)]
    assert left == [("rejected", "missing_key"), ("rejected", "missing_key"), ("set_aside", rule)]


def test_a_formula_that_nobody_has_worked_out_is_no_nought(tmp_path: Path) -> None:
    rows = HEAD + row("1", "<c><f>A2*2</f><v>0</v></c>") + row("2", "<c><v>0</v></c>")
    found, left = migrated(of_book(tmp_path / "p", workbook({"S": rows}, book='<calcPr fullCalcOnLoad="1"/>')))
    assert found == [("1", None), ("2", "0")]
    assert left == [("set_aside", "formula_without_result")]


def test_the_sheet_the_header_and_the_range_can_be_chosen(tmp_path: Path) -> None:
    old, new = HEAD + row("1", "stale"), HEAD + row("1", "Ann")
    assert migrated(of_book(tmp_path / "a", workbook({"-old": old, "new": new})))[0] == [("1", "Ann")]
    data = workbook({"new": new, "-old": old})
    assert migrated(of_book(tmp_path / "b", data, read='sheet = "old"'))[0] == [("1", "stale")]
    titled = row("People of the town") + row() + HEAD + row("1", "Ann")
    assert migrated(of_book(tmp_path / "c", workbook({"S": titled}), read="header = 3"))[0] == [("1", "Ann")]
    wide = row("t") + row("x", "ID", "V", "y") + row("p", "1", "Ann", "q") + row("p", "2", "Bob", "q") + row("sum")
    assert migrated(of_book(tmp_path / "d", workbook({"S": wide}), read='range = "B2:C3"'))[0] == [("1", "Ann")]
    assert "has no sheet `odl`" in refused(of_book(tmp_path / "e", data, read='sheet = "odl"'))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (workbook({"S": HEAD + row("1", "a")}, after=MERGED), "merged cells"),
        (workbook({"-S": HEAD}), "has no sheet that can be seen"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "with a password"),
        (b"PK\x03\x04 no zip", "no .xlsx spreadsheet"),
        (workbook({"S": HEAD.replace("<row>", "<!DOCTYPE x><row>")}), "no .xlsx spreadsheet"),
    ],
)  # fmt: skip
def test_a_workbook_that_cannot_be_read_surely_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    assert said in refused(of_book(tmp_path / "p", data))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (workbook({"S": HEAD + row("<c r='B2'><v>1</v></c>", "<c r='A2'><v>1</v></c>")}), "cells in no order"),
        (workbook({"S": HEAD + row("<c r='A2'><v>1</v></c>", "<c r='A2'><v>2</v></c>")}), "cells in no order"),
        (workbook({"S": HEAD + row("1", "<c r='ZZZZ2'><v>2</v></c>")}), "behind the last column"),
        (workbook({"S": HEAD + row("1", number=3) + row("2", number=2)}), "row 2 behind row 3"),
        (workbook({"S": HEAD + row("1", number=2) + row("2", number=2)}), "row 2 behind row 2"),
    ],
)  # fmt: skip
def test_a_sheet_in_no_order_is_refused_when_it_is_read(tmp_path: Path, data: bytes, said: str) -> None:
    with open_job(of_book(tmp_path / "p", data)) as job, pytest.raises(CasebridgeError, match=said):
        list(run_stages(job))


def test_hidden_rows_are_read_and_said(tmp_path: Path) -> None:
    rows = HEAD + row("1", "a").replace("<row>", '<row hidden="1">') + row("2", "b")
    folder = of_book(tmp_path / "p", workbook({"S": rows}))
    notes: list[str] = []
    assert check(folder, notes) == []
    assert notes == ["s.xlsx: 1 row of `S`, hidden by a filter or by hand: read like the others"]
    assert migrated(folder)[0] == [("1", "a"), ("2", "b")]


def test_lines_of_which_none_can_be_read_never_balance(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", b"ID,NAME\n1,\xff\n2,\xfe\n", TEXT)
    with open_job(folder) as job, pytest.raises(ReconciliationFailed) as caught:
        list(run_stages(job))
    assert caught.value.failed == ("specs_arrive",)


def test_a_cell_in_the_last_corner_is_a_sentence(tmp_path: Path) -> None:
    corner = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    with pytest.raises(CasebridgeError, match="1,048,573 empty rows between the rows 2 and 1,048,576"):
        migrated(of_book(tmp_path / "p", workbook({"S": HEAD + row("1", "a") + corner})))


def test_a_bomb_is_a_sentence(tmp_path: Path) -> None:
    folder = of_book(tmp_path / "p", workbook({"S": HEAD + row("1", "a" * 3_000_000)}))
    with (folder / "casebridge.toml").open("a") as settings:
        settings.write('[reading]\nworkbook_size = "1MB"\n')
    assert "more than 1,048,576 bytes when it is unpacked" in refused(folder)


def test_a_no_link_list_is_read_wherever_it_lies(tmp_path: Path) -> None:
    """Its full path counts: a file of the same name elsewhere is no list."""
    folder = project(tmp_path / "p", b"ID,NAME\n1,Ann\n", TEXT)
    settings = folder / "casebridge.toml"
    said = settings.read_text(encoding="utf-8").replace(
        "[systems.old]", "[systems.old]\nno_link = 'dump/safe/HIDE.csv'"
    )
    settings.write_text(said, encoding="utf-8")
    for place in ("safe", "more"):
        (folder / "dump" / place).mkdir()
        (folder / "dump" / place / "HIDE.csv").write_bytes(b"ID\n1\n")
    notes: list[str] = []
    assert check(folder, notes) == []
    assert notes == ["no spec of old reads 1 file of its dump: more/HIDE.csv"]


def test_a_chart_that_stands_first_is_no_sheet(tmp_path: Path) -> None:
    """A workbook as Excel writes it: the chart's sheet comes first."""
    ran = command(case("xlsx-chart-sheet-first", tmp_path), "run")
    assert ran.code == 0, ran.said
    assert [row[1:] for row in ran.rows("SELECT * FROM t")] == [("1", "Ann")]
    assert "no spec" not in ran.said
