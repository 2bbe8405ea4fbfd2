"""`casebridge draft`: a project from headers and data that runs as it is, with each guess marked."""

from __future__ import annotations

import contextlib
import csv
import gzip
import json
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from casebridge.extract.packed import unpacking
from casebridge.migrate.cli.main import cli
from casebridge.migrate.drafting import draft_project
from casebridge.migrate.drafting.guesses import guesses
from casebridge.migrate.drafting.one_file import read_one_file
from casebridge.migrate.drafting.people import roles_named
from casebridge.migrate.pipeline import check, open_job, run_stages
from casebridge.migrate.profiling.discover import discover, tables_in
from casebridge.project.database import open_database
from casebridge.project.errors import CasebridgeError
from casebridge.project.lines import MOST_COLUMNS
from casebridge.project.toml_file import read_toml


def _write(path: Path, header: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def _shop(dump: Path) -> Path:
    """Clients, orders with lines, a log without a key. Columns are called like keywords, and with blanks."""
    dump.mkdir()
    clients: list[list[object]] = [
        [100 + n, f"Ann{n}", f"Lee{n % 30}", f"{1 + n % 12}/{1 + n % 28}/{1950 + n % 40}", f"LS{n % 9} 1AA", "N",
         "NULL" if n % 5 else "x"] for n in range(60)
    ]  # fmt: skip
    clients[0][5] = "Y"
    orders: list[list[object]] = [
        [f"{n:05}", 100 + n % 60, ["NEW", "new", "DONE"][n % 3], f"2024-0{1 + n % 9}-11 10:0{n % 10}:00"]
        for n in range(200)
    ]
    orders[7][1] = 999
    lines: list[list[object]] = [[f"{n // 2:05}", n % 2, n % 7, f"{n % 7}.{n % 100:02}"] for n in range(400)]
    _write(
        dump / "Client.csv",
        ["ClientID", "FirstName", "LastName", "BirthDate", "Postcode", "Restricted", "ref"],
        clients,
    )
    _write(dump / "Orders.csv", ["OrderNo", "ClientID", "Status", "Order Date"], orders)
    _write(dump / "order lines.csv", ["OrderNo", "LineNo", "group", "select"], lines)
    _write(dump / "Log.csv", ["text", "level"], [["again", "low"] for _ in range(30)])
    return dump


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("shop")
    done = _draft(place / "project", _shop(place / "dump"))
    assert done.exit_code == 0, done.output
    return place / "project"


def _draft(folder: Path, dump: Path | str, *more: str) -> Result:
    return CliRunner().invoke(cli, ["draft", str(folder), "--dump", str(dump), "--system", "shop", *more])


@pytest.fixture(scope="module")
def report(project: Path) -> Iterator[dict[str, Any]]:
    """What a run of the project says, as it was drafted."""
    with open_job(project) as job:
        list(run_stages(job))
        yield json.loads((job.settings.reports / job.run / "report.json").read_text(encoding="utf-8"))


def test_a_drafted_project_balances_without_an_edit(report: dict[str, Any]) -> None:
    assert report["verdict"] == "balanced"
    loaded = {source["source"]: (source["extracted"], source["loaded"]) for source in report["sources"]}
    assert loaded == {"Client": (60, 60), "Log": (30, 30), "Orders": (200, 200), "order_lines": (400, 400)}


def test_what_is_guessed_is_right_and_marked(project: Path) -> None:
    """Keys, references, a month that comes first, codes, marks of restriction, people."""
    specs = {path.stem: read_toml(path) for path in (project / "tables").glob("*.toml")}
    assert {name: spec["table"]["key"] for name, spec in specs.items()} == {
        "client": ["ClientID"], "orders": ["OrderNo"], "order_lines": ["OrderNo", "LineNo"], "log": ["row_no"],
    }  # fmt: skip
    assert specs["client"]["columns"]["birth_date"]["format"] == "mm/dd/yyyy"
    assert specs["client"]["read"]["null"] == ["NULL"]
    target = read_toml(project / "target.toml")
    assert target["orders"]["columns"]["client_id"]["references"] == "client"
    assert target["order_lines"]["columns"]["order_no"]["references"] == "orders"
    assert target["orders"]["columns"]["order_no"]["type"] == "varchar(6)"
    assert target["orders"]["columns"]["order_date"]["type"] == "timestamp"
    assert target["client"]["columns"]["restricted"]["restriction"] == ["Y"]
    assert read_toml(project / "casebridge.toml")["systems"]["shop"]["restriction"] == ["Client.Restricted"]
    assert read_toml(project / "linkage.toml")["register"]["tables"] == ["client"]
    found = {(guess.file, guess.says.split(" = ")[0]) for guess in guesses(project)}
    assert {("tables/client.toml", "key"), ("tables/client.toml", "format"), ("tables/orders.toml", "from"),
            ("tables/orders.toml", "codes"), ("linkage.toml", "tables"),
            ("casebridge.toml", "restriction")} <= found  # fmt: skip


@pytest.mark.parametrize(
    ("header", "days"),
    [
        (["Rhif", "Enw Cyntaf", "Cyfenw", "Dyddiad Geni", "Rhyw", "Cod Post"], "3 Mai {}"),
        (["Nr", "Vorname", "Nachname", "Geburtsdatum", "Geschlecht", "PLZ"], "03.05.{}"),
        (["Id", "Prénom", "Nom", "Date de naissance", "Sexe", "Code postal"], "{}-05-03"),
        (["Nr", "Imię", "Nazwisko", "Data urodzenia", "Płeć", "Kod pocztowy"], "{}-05-03 00:00:00"),
    ],
    ids=["Welsh", "German", "French", "Polish"],
)  # fmt: skip
def test_people_are_known_by_the_headings_of_other_languages(tmp_path: Path, header: list[str], days: str) -> None:
    dump = tmp_path / "dump"
    dump.mkdir()
    rows: list[list[object]] = [
        [100 + n, f"Siân{n}", f"Rhys{n}", days.format(1950 + n), "GB"[n % 2], f"SA{n} 1AA"] for n in range(40)
    ]
    _write(dump / "Cleient.csv", header, rows)
    draft_project(tmp_path / "made", dump)
    linkage = read_toml(tmp_path / "made" / "linkage.toml")
    assert list(linkage["fields"]) == ["forename", "surname", "birth_date", "sex", "postcode"]
    assert [one for one in check(tmp_path / "made") if one.file == "linkage.toml"] == []


@pytest.mark.parametrize(
    ("days", "columns"),
    [
        ("year_of_birth month_of_birth date_of_birth", '"year_of_birth", "month_of_birth", "date_of_birth"'),
        ("BirthDay BirthMonth BirthYear", '"birth_year", "birth_month", "birth_day"'),
        ("DOB MOB YOB", '"yob", "mob", "dob"'),
    ],
)
def test_a_birth_date_in_three_columns_is_one_in_the_draft(tmp_path: Path, days: str, columns: str) -> None:
    """A column called like the whole date may be its day, and the month's like a mobile. People are compared by
    it."""
    parts: list[tuple[object, ...]] = [(1950 + n, f"{n % 12 + 1:02}", n % 28 + 1) for n in range(60)]
    header = ["No", "first_name", "last_name", *days.split(), "postal"]
    rows: list[list[object]] = []
    for n in (*range(60), *range(15)):
        day = parts[n] if days.startswith("year") else parts[n][::-1]
        rows.append([len(rows), f"Forename{n}", f"Surname{n}", *day, f"AB{n} 1CD"])
    rows[70][3:6] = ["", "", ""]
    (tmp_path / "dump").mkdir()
    _write(tmp_path / "dump" / "demographic.csv", header, rows)
    draft_project(tmp_path / "made", tmp_path / "dump")
    linkage = read_toml(tmp_path / "made" / "linkage.toml")
    assert f"TRY_CAST(concat_ws('-', {columns}) AS DATE) AS birth_date" in linkage["register"]["query"]
    assert "phone" not in linkage["fields"]
    assert [one for one in check(tmp_path / "made") if one.file == "linkage.toml"] == []
    with open_job(tmp_path / "made") as job:
        list(run_stages(job, "dedupe"))
    (found,) = (tmp_path / "made" / "work" / "dedupe" / "candidates").glob("*.pairs.parquet")
    pairs = pl.read_parquet(found)
    assert pairs.height == 15
    assert sorted(pairs["birth_date"].value_counts()["count"]) == [1, 14]


@pytest.mark.parametrize(
    ("header", "roles"),
    [
        ("PERS_ID PERS_FORENAME PERS_SURNAME DOB PERS_SEX_CODE MOTHER_SURNAME GP_POSTCODE",
         {"birth_date": "DOB", "forename": "PERS_FORENAME", "surname": "PERS_SURNAME", "sex": "PERS_SEX_CODE"}),
        ("PERSON_ID PREVIOUS_SURNAME PERSON_SURNAME SURNAME FIRST_NAMES",
         {"previous_surnames": "PREVIOUS_SURNAME", "surname": "SURNAME", "forename": "FIRST_NAMES"}),
        ("voter_reg_num last_name first_name res_street_address zip_code gender_code",
         {"surname": "last_name", "forename": "first_name", "street": "res_street_address", "postcode": "zip_code",
          "sex": "gender_code"}),
        ("house_no surname", {"surname": "surname"}),
        ("Ref Client_Name DOB", {"birth_date": "DOB", "forename": "Client_Name"}),
        ("Rhif Enw Dyddiad_Geni", {"birth_date": "Dyddiad_Geni", "forename": "Enw"}),
        ("id name address city", {"street": "address"}),
        ("id name surname dob", {"surname": "surname", "birth_date": "dob"}),
        ("voornaam achternaam geboortedatum huisnummer straat",
         {"forename": "voornaam", "surname": "achternaam", "birth_date": "geboortedatum", "house": "huisnummer",
          "street": "straat"}),
        ("fname_c1 lname_c1 PHONE_1", {"forename": "fname_c1", "surname": "lname_c1", "phone": "PHONE_1"}),
        ("Forename1 Forename2 Surname",
         {"forename": "Forename1", "middle_name": "Forename2", "surname": "Surname"}),
        ("PERNAME1 PERNAME2 SEX", {"forename": "PERNAME1", "surname": "PERNAME2", "sex": "SEX"}),
    ],
)  # fmt: skip
def test_roles_by_what_columns_are_called(header: str, roles: dict[str, str]) -> None:
    """Words that say whose it is, and in which form, are left out; those of a mother or a doctor are not."""
    assert roles_named(header.split()) == roles


def test_codes_come_with_their_rows_and_two_spellings_are_one(project: Path) -> None:
    text = (project / "codes/orders_status.csv").read_text(encoding="utf-8")
    lines = list(csv.DictReader(text.splitlines()))
    assert [(line["legacy_code"], line["target_code"], line["rows"]) for line in lines] == [
        ("NEW", "NEW", "134"), ("DONE", "DONE", "66"),
    ]  # fmt: skip


def test_check_lists_what_is_still_a_guess_until_the_mark_is_gone(project: Path) -> None:
    notes: list[str] = []
    assert check(project, notes) == []
    before = json.loads(CliRunner().invoke(cli, ["check", "--project", str(project), "--json"]).stdout)
    mine = [guess for guess in before["guesses"] if guess["file"] == "tables/log.toml"]
    assert [guess["says"] for guess in mine] == ['key = ["row_no"]', 'codes = "log_level"']
    assert any(note.startswith("tables/log.toml: 2 guesses in line") for note in before["notes"])
    path = project / "tables/log.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text("\n".join(line.partition("  # guess")[0] for line in text.splitlines()), encoding="utf-8")
    after = json.loads(CliRunner().invoke(cli, ["check", "--project", str(project), "--json"]).stdout)
    assert [guess for guess in after["guesses"] if guess["file"] == "tables/log.toml"] == []
    assert len(after["guesses"]) == len(before["guesses"]) - 2


def test_a_project_is_never_drafted_over(project: Path) -> None:
    done = _draft(project, project.parent / "dump")
    assert done.exit_code == 1
    assert "is a migration project already" in str(done.exception)


def test_a_project_inside_the_dump_is_no_part_of_it(tmp_path: Path) -> None:
    """`--dump .` is the first thing that one types. What a run writes is no delivery."""
    _write(tmp_path / "Client.csv", ["ClientID", "LastName"], [[n, f"Lee{n}"] for n in range(30)])
    _write(tmp_path / "spare.csv", ["a", "b"], [[n, n] for n in range(3)])
    assert _draft(tmp_path / "one", tmp_path).exit_code == 0
    (tmp_path / "one" / "tables" / "spare.toml").unlink()
    with open_job(tmp_path / "one") as job:
        list(run_stages(job, "extract"))
        written = json.loads((job.work / "extract" / f"{job.run}-manifest.json").read_text())
    assert written["unread"] == {"shop": ["spare.csv"]}
    assert _draft(tmp_path / "two", tmp_path).exit_code == 0
    specs = {path.name for path in (tmp_path / "two" / "tables").iterdir()}
    assert specs == {"client.toml", "spare.toml"}
    among = _draft(tmp_path, tmp_path)
    assert among.exit_code == 1
    assert "is the dump's own folder" in str(among.exception)


def test_an_old_system_may_be_called_like_the_new_one(tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    dump.mkdir()
    _write(dump / "A.csv", ["ID", "B"], [[n, "x"] for n in range(9)])
    done = CliRunner().invoke(cli, ["draft", str(tmp_path / "p"), "--dump", str(dump), "--system", "mosaic"])
    assert done.exit_code == 0
    assert check(tmp_path / "p") == []


def test_odd_files_are_read_as_they_are(tmp_path: Path) -> None:
    """A first line of a spreadsheet, delimiters at line ends, another one, letters of DOS, no rows."""
    dump = tmp_path / "dump"
    dump.mkdir()
    (dump / "A.csv").write_text("sep=;\nA_ID;NAME\n1;x\n2;y\n", encoding="utf-8")
    (dump / "B.csv").write_text("B_ID,NAME\n" + "".join(f"{n},x,\n" for n in range(20)), encoding="utf-8")
    (dump / "C.csv").write_text("C_ID,NAME\n", encoding="utf-8")
    (dump / "D.csv").write_text("D_ID|NAME\n1|a, b\n", encoding="utf-8")
    (dump / "E.csv").write_bytes(b"E_ID,NAME\n1,Ren\x82\n2,Fran\x87ois\n3,\x90\n")
    (dump / "J.ndjson").write_text('{"J_ID": 1, "NAME": "x"}\n{"J_ID": 2}\n', encoding="utf-8")
    book = openpyxl.Workbook()
    for sheet, cells in ((book.active, ["S_ID", "NAME"]), (book.create_sheet("more of it"), ["S_ID", "NAME"])):
        sheet.append(cells)
        sheet.append([1, "x"])
    book.create_sheet("empty")
    book.save(dump / "S.xlsx")
    assert _draft(tmp_path / "p", dump).exit_code == 0
    assert check(tmp_path / "p") == []
    sheets = {"file": "S.xlsx", "format": "xlsx"}
    reads = {path.stem: read_toml(path).get("read", {}) for path in (tmp_path / "p/tables").glob("*.toml")}
    assert reads == {
        "a": {"header": 2, "delimiter": ";"}, "b": {"trailing_delimiter": True}, "c": {}, "d": {"delimiter": "|"},
        "e": {"encoding": "cp850"}, "j": {"file": "J.ndjson", "format": "json"},
        "s_sheet": {**sheets, "sheet": "Sheet"}, "s_more_of_it": {**sheets, "sheet": "more of it"},
    }  # fmt: skip


def test_references_in_a_circle_become_a_project_that_can_be_loaded(tmp_path: Path) -> None:
    """Teams have leaders and leaders have teams: one of the two references stays a plain column."""
    dump = tmp_path / "dump"
    dump.mkdir()
    _write(dump / "Team.csv", ["TeamCode", "LeaderCode"], [[f"T{n:04}", f"L{n:04}"] for n in range(40)])
    _write(dump / "Leader.csv", ["LeaderCode", "TeamCode"], [[f"L{n:04}", f"T{n:04}"] for n in range(40)])
    assert _draft(tmp_path / "project", dump).exit_code == 0
    assert check(tmp_path / "project") == []
    target = read_toml(tmp_path / "project/target.toml")
    refers = [
        column for table in target.values() for column in table["columns"].values() if "references" in column
    ]
    assert len(refers) == 1


def test_people_who_must_never_be_compared_stay_apart(tmp_path: Path) -> None:
    dump = _shop(tmp_path / "dump")
    (dump / "protected").mkdir()
    (dump / "protected/NO_LINK.csv").write_text("ClientID\n101\n", encoding="utf-8")
    assert _draft(tmp_path / "project", dump).exit_code == 0
    assert read_toml(tmp_path / "project/casebridge.toml")["systems"]["shop"]["no_link"].endswith("NO_LINK.csv")
    assert not (tmp_path / "project/tables/protected_no_link.toml").exists()
    assert check(tmp_path / "project") == []


def test_a_real_target_is_taken_as_it_is(tmp_path: Path) -> None:
    """Tables and columns that are called alike, the old key's column, defaults that the database fills in itself;
    what no table is like waits, and a table without a key is left out."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'real.db'}")
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE dm_clients (client_id INTEGER PRIMARY KEY, client_id_legacy VARCHAR(20), "
            "last_name VARCHAR(40) NOT NULL, first_names VARCHAR(40), made_on TIMESTAMP NOT NULL DEFAULT 0)",
            "CREATE TABLE dm_orders (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES dm_clients, order_no "
            "VARCHAR(9), status VARCHAR(8))",
            "CREATE TABLE marks (a INTEGER, b INTEGER, PRIMARY KEY (a, b))",
            "CREATE TABLE loose (a INTEGER)",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    done = _draft(tmp_path / "project", _shop(tmp_path / "dump"), "--target", f"sqlite:///{tmp_path / 'real.db'}")
    assert "2 tables that no table of the target is called like" in done.output
    target = read_toml(tmp_path / "project/target.toml")
    assert list(target) == ["dm_clients", "dm_orders", "marks"]
    assert target["marks"]["primary_key"] == ["a", "b"]
    assert "# Left out: loose: it has no primary key." in (tmp_path / "project/target.toml").read_text()
    assert target["dm_clients"]["legacy_key"] == "client_id_legacy"
    assert "made_on" not in target["dm_clients"]["columns"]
    assert target["dm_orders"]["columns"]["client_id"] == {"type": "integer", "references": "dm_clients"}
    client = read_toml(tmp_path / "project/tables/client.toml")
    assert client["columns"]["first_names"]["from"] == "FirstName"
    assert set(client["dropped"]) == {"BirthDate", "Postcode", "Restricted", "ref"}
    notes: list[str] = []
    (problem,) = check(tmp_path / "project", notes)
    assert "`Client.Restricted` carries marks, and no spec brings its rows to a column that keeps them" in problem
    assert any(note.startswith("tables/unmatched: 2 tables") for note in notes)


def test_a_real_target_with_keys_of_its_own(tmp_path: Path, postgres_url: str) -> None:
    """uuids are given out; a text key is the old key or a column of the source; a link is named by what it joins;
    what refers to a list that stands there already keeps its value. A table whose own has no key goes to no other
    one, and a type that nobody knows is no matter."""
    files = {
        "Client": (["ClientId", "LastName", "Sex"], [[f"C{n}", f"Name{n}", "MF"[n % 2]] for n in range(30)]),
        "Team": (["TeamCode", "Title"], [[f"T{n}", f"Title {n}"] for n in range(12)]),
        "TeamNote": (["TeamCode", "Note"], [[f"T{n}", f"n{n}"] for n in range(12)]),
        "ClientTeam": (["ClientId", "TeamCode", "Role"], [[f"C{n}", f"T{n % 12}", f"r{n}"] for n in range(30)]),
    }  # fmt: skip
    (tmp_path / "dump").mkdir()
    for name, (header, rows) in files.items():
        _write(tmp_path / "dump" / f"{name}.csv", header, rows)
    engine = open_database(postgres_url)
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE sexes (sex varchar(1) PRIMARY KEY)",
            "INSERT INTO sexes VALUES ('M'), ('F')",
            "CREATE TABLE clients (id uuid PRIMARY KEY, last_name varchar(40), sex varchar(1) REFERENCES sexes)",
            "CREATE TABLE teams (team_code varchar(9) PRIMARY KEY, title varchar(40))",
            "CREATE TABLE client_teams (client_id uuid REFERENCES clients, team_code varchar(9) REFERENCES teams, "
            "role varchar(9), PRIMARY KEY (client_id, team_code))",
            "CREATE TABLE team_notes (team_code varchar(9), note text)",
            "CREATE TABLE teams_notes_old (team_code varchar(9) PRIMARY KEY, note text)",
            "CREATE TABLE sums (whole bigint GENERATED ALWAYS AS (1 + 1) STORED PRIMARY KEY)",
            "CREATE TYPE spot AS (x int)",
            "ALTER TABLE teams ADD place spot",
        ):
            connection.exec_driver_sql(statement)
    project = tmp_path / "project"
    assert _draft(project, tmp_path / "dump", "--target", postgres_url).exit_code == 0
    assert [path.name for path in (project / "tables/unmatched").iterdir()] == ["team_note.toml"]
    target = read_toml(project / "target.toml")
    assert target["client_teams"]["primary_key"] == ["client_id", "team_code"]
    assert "sexes" not in target
    left = "# Left out: sums: its primary key holds whole, which the database works out."
    assert left in (project / "target.toml").read_text(encoding="utf-8")
    assert "references" not in target["clients"]["columns"]["sex"]
    assert check(project) == []
    with open_job(project, "trial-1") as job:
        list(run_stages(job))
        assert job.ledger.runs()[-1].verdict == "balanced"
    with engine.connect() as connection:
        (there,) = connection.exec_driver_sql(
            "SELECT count(*), count(DISTINCT c.id), min(t.title), min(c.sex) FROM client_teams l "
            "JOIN clients c ON c.id = l.client_id JOIN teams t USING (team_code)"
        )
    engine.dispose()
    assert tuple(there) == (30, 30, "Title 0", "F")


def test_packed_files_are_drafted_as_they_lie(tmp_path: Path) -> None:
    """A `.gz`, and the members of a zip, of which two are one table; what is no table is told."""
    dump = tmp_path / "dump"
    dump.mkdir()
    lines = [f"{n},Name {n},{n % 20}" for n in range(60)]
    with gzip.open(dump / "Client.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(["ClientId,LastName,TeamId", *lines]))
    with zipfile.ZipFile(dump / "rest.zip", "w") as packed:
        packed.writestr("Team.csv", "\n".join(["TeamId,Title", *(f"{n},Team {n}" for n in range(20))]))
        for part in (1, 2):
            rows = (f"{part}{n:02},{n % 60},2024-01-0{part}" for n in range(70))
            packed.writestr(f"Visit_{part}.csv", "\n".join(["VisitId,ClientId,Day", *rows]))
        packed.writestr("notes.docx", "x")
    (dump / "broken.zip").write_bytes(b"PK")
    made = draft_project(tmp_path / "p", dump)
    assert set(made.unread) == {
        "1 file: end in .docx, which is not read as a table",
        "broken.zip: cannot be unpacked: it is cut short or damaged",
    }
    assert sorted(path.stem for path in (tmp_path / "p" / "tables").iterdir()) == ["client", "team", "visit"]
    assert read_toml(tmp_path / "p/tables/visit.toml")["read"]["file"] == "rest.zip/Visit*.csv"
    assert check(tmp_path / "p") == []
    with open_job(tmp_path / "p", "trial-1") as job:
        list(run_stages(job))
        assert {str(s): job.ledger.tally("trial-1", "extract", str(s)).passed for s in job.reads()} == {
            "legacy.Client": 60, "legacy.Team": 20, "legacy.Visit": 140,
        }  # fmt: skip
        assert job.ledger.runs()[-1].verdict == "balanced"


def test_xml_is_drafted_by_the_elements_that_repeat(tmp_path: Path) -> None:
    """Records below the root, and below a list that stands once; what repeats within a record is a list."""
    (tmp_path / "dump").mkdir()
    people = "".join(f"<person no='{n}'><name>Name {n}</name><phone/><phone/></person>" for n in range(40))
    visits = "".join(f"<visit><id>V{n}</id><person>{n % 40}</person></visit>" for n in range(90))
    (tmp_path / "dump" / "export.xml").write_text(f"<export>{people}<visits>{visits}</visits></export>")
    (tmp_path / "dump" / "letter.xml").write_text("<letter><text>x</text></letter>")
    made = draft_project(tmp_path / "p", tmp_path / "dump")
    assert made.unread == ("letter.xml: has no elements that repeat below its root",)
    reads = {path.stem: read_toml(path)["read"] for path in (tmp_path / "p" / "tables").iterdir()}
    assert {name: (read["file"], read["format"], read["element"]) for name, read in reads.items()} == {
        "person": ("export.xml", "xml", "person"), "person_phone": ("export.xml", "xml", "person"),
        "visit": ("export.xml", "xml", "visits/visit"),
    }  # fmt: skip
    assert check(tmp_path / "p") == []
    with open_job(tmp_path / "p", "trial-1") as job:
        list(run_stages(job, "transform"))
        assert job.ledger.tally("trial-1", "transform", "visit").passed == 90


def test_two_systems_are_drafted_into_one_project_and_their_keys_stay_apart(tmp_path: Path) -> None:
    """Tables that are called alike fill one table, and the people of both, whatever they are called there;
    what one of them calls by the name of the other's people has a table of its own."""
    for place in ("north", "south"):
        (tmp_path / place).mkdir()
    people = [[n, f"Lee{n}", "Ann", f"19{50 + n}-01-02", "N"] for n in range(1, 41)]
    head = ["PersonNo", "Surname", "Forename", "DOB", "Restricted"]
    _write(tmp_path / "north" / "person.csv", head, [[*row[:4], "Y" if row[0] == 3 else "N"] for row in people])
    clients = [[n, f"Lee{n}" if n < 3 else f"Xu{n}", "Ann", f"19{50 + n}-01-02"] for n in range(1, 41)]
    _write(tmp_path / "south" / "client.csv", ["ClientNo", "Surname", "Forename", "Birth Date"], clients)
    visits = [[n, 1 + n % 40, f"2024-01-{1 + n % 28:02}", 10 + n] for n in range(90)]
    _write(tmp_path / "north" / "visit.csv", ["VisitNo", "PersonNo", "Day", "Cost"], visits)
    spoken = [[n, 1 + n % 40, "soon" if n % 2 else "2024-01-01", f"{n}.50"] for n in range(90)]
    _write(tmp_path / "south" / "visit.csv", ["VisitNo", "ClientNo", "Day", "Cost"], spoken)
    workers = [[n, f"Lee{n}", f"role {n}"] for n in range(1, 31)]
    _write(tmp_path / "south" / "person.csv", ["PersonNo", "Surname", "Role"], workers)
    shifts = [[n, 1 + n % 30, f"2024-01-{1 + n % 28:02}"] for n in range(60)]
    _write(tmp_path / "south" / "shift.csv", ["ShiftNo", "PersonNo", "Day"], shifts)
    for place in ("north", "south"):
        _write(tmp_path / place / "log.csv", ["said", "level"], [["again", "low"] for _ in range(30)])

    folder = tmp_path / "p"
    dumps = [f"{place}={tmp_path / place}" for place in ("north", "south")]
    asked = ["draft", str(folder), "--dump", dumps[0], "--dump", dumps[1]]
    refused = CliRunner().invoke(cli, [*asked, "--target", f"sqlite:///{tmp_path}/t.db"])
    assert refused.exit_code == 1
    assert not folder.exists()
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0, done.output
    assert "people: north_person, south_client" in done.output
    assert check(folder) == []
    with open_job(folder, "trial-1") as job:
        filled = [(spec.system, spec.target) for spec in job.specs]
        assert len(set(filled)) == len(filled) == 8
        list(run_stages(job))
        assert job.ledger.runs()[-1].verdict == "balanced"
    with contextlib.closing(sqlite3.connect(folder / "target.db")) as target:
        ask = (
            "SELECT w.person_no, w.role FROM shift s JOIN person_2 w ON w.row_id = s.person_no "
            "WHERE s.shift_no LIKE '%-6'"
        )
        assert target.execute(ask).fetchall() == [("south-7", "role 7")]
        ask = "SELECT legacy_key, restricted FROM person WHERE legacy_key LIKE '%-3' ORDER BY 1"
        assert target.execute(ask).fetchall() == [("north-3", "Y"), ("south-3", None)]
        # Visit 2 of both systems, each with its own system's person 3 and its own writing of the day.
        ask = (
            "SELECT v.visit_no, p.legacy_key, v.day, v.cost FROM visit v "
            "JOIN person p ON p.row_id = coalesce(v.person_no, v.client_no) WHERE v.visit_no LIKE '%-2' ORDER BY 1"
        )
        assert target.execute(ask).fetchall() == [
            ("north-2", "north-3", "2024-01-03", "12"), ("south-2", "south-3", "2024-01-01", "2.50"),
        ]  # fmt: skip
        assert target.execute("SELECT count(*) FROM log").fetchone() == (60,)
        ask = "SELECT system, count(DISTINCT target_id) FROM casebridge_crosswalk GROUP BY 1 ORDER BY 1"
        assert target.execute(ask).fetchall() == [("north", 40), ("south", 40)]


def test_what_a_database_declares_goes_before_what_is_guessed(tmp_path: Path) -> None:
    """Both would close a circle. And the duration of a rental is no rental, though it is one of their numbers.
    What a unique index names where nothing is null is no guess either. Of tables called like ours only those that
    are ours are left out."""
    with contextlib.closing(sqlite3.connect(tmp_path / "old.db")) as old:
        old.executescript("""
            CREATE TABLE shelf (shelf_id INTEGER PRIMARY KEY, rental_id int, rental_duration int);
            CREATE TABLE rental (rental_id INTEGER PRIMARY KEY, shelf_id int REFERENCES shelf (shelf_id));
            CREATE TABLE post (note text UNIQUE, rental_id int NOT NULL, begun int NOT NULL, once int NOT NULL);
            CREATE UNIQUE INDEX first ON post (once) WHERE note IS NOT NULL;
            CREATE UNIQUE INDEX both ON post (begun, rental_id);
            CREATE TABLE "sqlite runs" (id INTEGER PRIMARY KEY);
            CREATE TABLE "Casebridge runs" (id INTEGER PRIMARY KEY);
            CREATE TABLE odd (id INTEGER PRIMARY KEY, " " text);
            CREATE TABLE casebridge_cases (id INTEGER PRIMARY KEY);
            CREATE TABLE casebridge_runs (id INTEGER PRIMARY KEY);
            INSERT INTO post VALUES ('a', 1, 1, 1), ('b', 1, 2, 2), (NULL, 2, 1, 3);
        """)
        old.executemany("INSERT INTO shelf VALUES (?, ?, ?)", [(n, 1 + n % 50, 3 + n % 5) for n in range(1, 61)])
        old.executemany("INSERT INTO rental VALUES (?, ?)", [(n, 99 if n == 7 else n % 60 + 1) for n in range(90)])
        old.commit()
    made = draft_project(tmp_path / "p", f"sqlite:///{tmp_path}/old.db")
    assert [text.partition(" (")[0] for text in made.unread] == [
        "casebridge_runs: is what Casebridge keeps of its own loads", "odd: has a column whose name is blank"
    ]  # fmt: skip
    target = read_toml(tmp_path / "p" / "target.toml")
    assert 'key = ["begun", "rental_id"]\n' in (tmp_path / "p/tables/post.toml").read_text(encoding="utf-8")
    assert target["rental"]["columns"]["shelf_id"]["references"] == "shelf"
    assert not any("references" in column for column in target["shelf"]["columns"].values())
    assert target.keys() == {
        "shelf", "rental", "post", "casebridge_cases", "casebridge_runs_2", "t_sqlite_runs"
    }  # fmt: skip


def test_rows_that_two_tables_have_are_taken_once(tmp_path: Path, postgres_url: str) -> None:
    """Partitions, and a table that inherits from another: the whole gives their rows."""
    engine = open_database(postgres_url)
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE pay (no int, at date) PARTITION BY RANGE (at)",
            "CREATE TABLE pay_1 PARTITION OF pay FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
            "CREATE TABLE pay_2 PARTITION OF pay FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
            "INSERT INTO pay SELECT n, date '2020-06-01' + n FROM generate_series(1, 400) n",
            "CREATE TABLE worker (no int, name text)",
            "CREATE TABLE leaver (left_on date) INHERITS (worker)",
            "INSERT INTO worker VALUES (1, 'Ann')",
            "INSERT INTO leaver VALUES (2, 'Bob')",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    made = draft_project(tmp_path / "p", postgres_url)
    assert [text.partition(":")[::2] for text in made.unread] == [
        ("leaver", " its rows are those of worker, but for left_on: a spec of its own reads what stands there"),
        ("pay_1", " its rows are those of pay"),
        ("pay_2", " its rows are those of pay"),
    ]  # fmt: skip
    told: list[str] = []
    with open_job(tmp_path / "p", "trial-1") as job:
        job.report.note = told.append  # type: ignore[method-assign]
        (done,) = run_stages(job, "extract")
        assert done.tally.passed == 402
    assert not [line for line in told if "no spec" in line]


def test_what_a_database_declares_is_no_guess_wherever_its_tables_stand(tmp_path: Path, postgres_url: str) -> None:
    """Its login has no tables of its own: those of all schemas are taken, or of the one that is named. Types, keys
    and references are as declared, of empty tables too; a key that is another table's key, too, is a reference."""
    engine = open_database(postgres_url)
    with engine.begin() as connection:
        for statement in (
            "CREATE SCHEMA care", "CREATE SCHEMA pay", "CREATE SCHEMA seen",
            "CREATE TABLE care.person (no int PRIMARY KEY, name varchar(50), born date, token uuid, ok boolean,"
            " size double precision, best int, phone varchar(12), photo bytea)",
            "INSERT INTO care.person VALUES"
            " (1, 'Ann', '1950-03-04', gen_random_uuid(), true, 1.5, NULL, '123', 'jkl')",
            "CREATE TABLE care.worker (no int PRIMARY KEY REFERENCES care.person, pay numeric(8,2), at timestamp)",
            "ALTER TABLE care.person ADD FOREIGN KEY (best) REFERENCES care.worker",
            "CREATE TABLE pay.bill (no int, line int, worker int REFERENCES care.worker, point int, status int,"
            " extra xml, paid boolean,"
            " PRIMARY KEY (no, line))",
            "INSERT INTO pay.bill SELECT 1, n, NULL, mod(n, 3), mod(n, 3), NULL, n > 20"
            " FROM generate_series(1, 60) n",
            "CREATE VIEW seen.person AS SELECT * FROM care.person",
            "CREATE TABLE places (no int)", "ALTER EXTENSION plpgsql ADD TABLE places",
        ):  # fmt: skip
            connection.exec_driver_sql(statement)
    engine.dispose()
    made = draft_project(tmp_path / "p", postgres_url)
    assert (made.tables, made.unread) == (3, ("places: belongs to the extension plpgsql",))
    said = {(guess.says.partition(" =")[0], guess.why) for guess in guesses(tmp_path / "p")}
    assert said == {
        ("size", "up to 1 decimals"), ("extra", "no row has a value"), ("codes", "3 codes"),
        ("from", "a key of care_worker, a plain column here: the tables form a circle"),
        ("tables", "it looks like people"), ("forename", "care_person.name"),
        ("birth_date", "care_person.born"), ("phone", "care_person.phone"),
    }  # fmt: skip
    target = read_toml(tmp_path / "p/target.toml")
    kinds = {name: column["type"] for name, column in target["care_person"]["columns"].items()}
    assert kinds == {
        "row_id": "bigint", "no": "bigint", "name": "varchar(50)", "born": "date", "token": "varchar(36)",
        "ok": "varchar(5)", "size": "numeric(6,1)", "best": "integer", "phone": "varchar(12)",
        "photo": "text",
    }  # fmt: skip
    assert target["care_worker"]["columns"]["care_person_id"]["references"] == "care_person"
    assert target["pay_bill"]["columns"]["legacy_key"]["type"] == "varchar(42)"
    assert target["pay_bill"]["columns"]["paid"]["type"] == "varchar(5)"
    assert read_toml(tmp_path / "p/tables/pay_bill.toml")["read"] == {"table": "pay.bill"}
    with open_job(tmp_path / "p") as job:
        list(run_stages(job))
        report = json.loads((job.settings.reports / job.run / "report.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "balanced"
    one = draft_project(tmp_path / "q", postgres_url, schemas=["PAY"])
    assert [path.name for path in (tmp_path / "q/tables").iterdir()] == ["bill.toml"]
    assert one.unread == ("care: a schema with 2 tables: say --schema care to read it",)
    with pytest.raises(CasebridgeError, match="has no schema carre") as told:
        draft_project(tmp_path / "r", postgres_url, schemas=["carre"])
    assert "`care`" in str(told.value.hint)
    with pytest.raises(CasebridgeError, match="is a folder"):
        draft_project(tmp_path / "r", tmp_path, schemas=["care"])


def test_a_key_keeps_its_name_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "dump").mkdir()
    _write(tmp_path / "dump" / "A.csv", ["No.", "NO"], [["x", n] for n in range(1, 31)])
    draft_project(tmp_path / "p", tmp_path / "dump")
    target = read_toml(tmp_path / "p/target.toml")["a"]
    assert (target["legacy_key"], [*target["columns"]]) == ("no", ["row_id", "no", "no_2"])


def test_what_is_measured_is_no_code_and_text_has_room(tmp_path: Path) -> None:
    """Minutes lie close together, codes do not; and the next extract may bring a longer text."""
    (tmp_path / "dump").mkdir()
    rows: list[list[object]] = [
        [
            n,
            10 + n % 70,
            [1, 7, 90][n % 3],
            "abc"[: n % 4],
            "",
            [1, 7, 90][n % 3],
            f"w{n % 99}",
            [1, 7, 90][n % 3],
            f"LS{n % 9} 1AB",
        ]
        for n in range(1000)
    ]
    _write(
        tmp_path / "dump" / "Visits.csv",
        ["VisitNo", "Minutes", "Kind", "Word", "Nothing", "UnitsTaken", "Ref No", "Reason", "postal_code"],
        rows,
    )
    assert _draft(tmp_path / "p", tmp_path / "dump").exit_code == 0
    columns = read_toml(tmp_path / "p" / "tables" / "visits.toml")["columns"]
    lists = {name: columns[name]["codes"] for name in columns if "codes" in columns[name]}
    # What 1, 7 and 90 mean in one column they need not mean in another.
    assert lists == {"kind": "visits_kind", "word": "visits_word", "reason": "visits_reason"}
    target = (tmp_path / "p" / "target.toml").read_text(encoding="utf-8")
    assert 'word = { type = "varchar(64)"' in target  # its owner may write what each code means
    assert 'ref_no = { type = "varchar(4)"' in target
    assert 'nothing = { type = "varchar(64)"' in target


def test_several_columns_name_rows_together_and_a_name_beside_a_surname_is_the_other_one(tmp_path: Path) -> None:
    """Keys of parts that are called like keys, whatever else happens to be unique; a column with a blank names
    nothing, and its table's key once more is nobody's parent. Every row is loaded."""
    names = ["Ann", "Ben", "Cat"]
    (tmp_path / "dump").mkdir()
    once_more = ["" if n == 7 else f"{'b' if n == 3 else 'p'}{n:03}" for n in range(300)]
    players: list[list[object]] = [
        [f"p{n:03}", once_more[n], names[n % 3], f"S{n}", "1990-01-02"] for n in range(300)
    ]
    _write(tmp_path / "dump/Players.csv", ["playerID", "otherID", "name", "lastName", "birthDate"], players)
    played: list[list[object]] = [
        [f"p{n // 4:03}", 2000 + n // 2 % 2, 1 + n % 2, "" if n == 5 else 1000 + n, n // 8 % 2]
        for n in range(1200)
    ]
    _write(tmp_path / "dump/Played.csv", ["playerID", "yearID", "stint", "InnOuts", "lgID"], played)
    paid: list[list[object]] = [
        [f"p{n % 300:03}", 2000 + n // 300 - (n == 900), f"t{n // 300}", n] for n in range(1200)
    ]
    _write(tmp_path / "dump/Paid.csv", ["playerID", "yearID", "teamID", "amount"], paid)
    assert _draft(tmp_path / "p", tmp_path / "dump").exit_code == 0
    specs = {name: read_toml(tmp_path / f"p/tables/{name}.toml") for name in ("players", "played", "paid")}
    assert [spec["table"]["key"] for spec in specs.values()] == [
        ["playerID"], ["playerID", "yearID", "stint"], ["playerID", "teamID"]
    ]  # fmt: skip
    assert (
        "references" not in (tmp_path / "p/target.toml").read_text(encoding="utf-8").split("otherid", 1)[-1][:60]
    )
    assert read_toml(tmp_path / "p/linkage.toml")["fields"]["forename"] == "forename"


def test_a_database_is_drafted_from_its_url_and_balances(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its keys and references are those that it declares; a table with a blank in its name, one with a dot and
    without a key, one that is called like a word of SQL and has none; a view is left to its tables."""
    path = tmp_path / "old.db"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.executescript(
            "CREATE TABLE worker (no INTEGER PRIMARY KEY, surname TEXT, boss INTEGER REFERENCES worker);"
            "INSERT INTO worker VALUES (1, 'Lee', NULL), (2, '', 1), (3, NULL, 1);"
            "CREATE TABLE [order lines] (worker INTEGER REFERENCES worker, line INTEGER, [group] NUMERIC,"
            " PRIMARY KEY (worker, line));"
            "INSERT INTO [order lines] VALUES (1, 1, 0.25), (3, 2, 2.5);"
            "CREATE TABLE [event.log] (said TEXT);"
            "INSERT INTO [event.log] VALUES ('again'), ('again');"
            "CREATE TABLE [array] (said TEXT); INSERT INTO [array] VALUES ('again'), ('again');"
            "CREATE VIEW names AS SELECT surname FROM worker;"
        )
    monkeypatch.setenv("X_PLACE", str(path))  # the URL as the runbook writes it: filled in when it is needed
    assert _draft(tmp_path / "project", "sqlite:///${X_PLACE}").exit_code == 0
    assert read_toml(tmp_path / "project/casebridge.toml")["systems"]["shop"]["dump"] == "sqlite:///${X_PLACE}"
    assert check(tmp_path / "project") == []
    lines = read_toml(tmp_path / "project/tables/order_lines.toml")
    assert (lines["table"]["key"], lines["read"]) == (["worker", "line"], {"table": "order lines"})
    assert read_toml(tmp_path / "project/target.toml")["worker"]["columns"]["boss"]["references"] == "worker"
    with open_job(tmp_path / "project") as job:
        list(run_stages(job))
        report = json.loads((job.settings.reports / job.run / "report.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "balanced"
    loaded = {source["source"]: source["loaded"] for source in report["sources"]}
    assert loaded == {"array": 2, "event_log": 2, "order_lines": 2, "worker": 3}


def test_names_with_line_ends_are_names_like_others(tmp_path: Path, mariadb_url: str) -> None:
    """In columns, keys and tables of MariaDB, beside names that look like parts of the statement."""
    engine = open_database(mariadb_url)
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE `two\nlines` (`k\ney` int, `a\r\nb` varchar(10), `c``d` int, `PRIMARY KEY (` int, "
            "`n\ndec` decimal(9, 2), PRIMARY KEY (`PRIMARY KEY (`, `k\ney`))",
            "INSERT INTO `two\nlines` VALUES (1, 'x\ny', 2, 3, 1.50), (2, NULL, 2, 3, 0)",
            "CREATE TABLE `like others` (`id` int PRIMARY KEY, `c``d` int COMMENT 'a\nb, `c` int')",
            "INSERT INTO `like others` VALUES (7, 8)",
        ):  # fmt: skip
            connection.exec_driver_sql(statement)
    engine.dispose()
    draft_project(tmp_path / "made", mariadb_url)
    with open_job(tmp_path / "made") as job:
        list(run_stages(job))
    with contextlib.closing(sqlite3.connect(tmp_path / "made" / "target.db")) as target:
        rows = target.execute("SELECT * FROM two_lines ORDER BY 1").fetchall()
        assert [row[1:] for row in rows] == [("3|1", 1, "x\ny", 2, 3, "1.50"), ("3|2", 2, None, 2, 3, "0.00")]
        assert target.execute("SELECT * FROM like_others").fetchall() == [(1, 7, 8)]


def test_days_of_zeros_and_times_with_a_zone_are_days_to_a_draft(tmp_path: Path, mariadb_url: str) -> None:
    """A server that keeps 0000-00-00 means no day; in its times UTC is written behind."""
    engine = open_database(mariadb_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET SESSION sql_mode = ''")
        connection.exec_driver_sql(
            "CREATE TABLE stay (no int PRIMARY KEY, begun date, ended datetime, changed timestamp NULL, "
            "note varchar(20))"
        )
        connection.exec_driver_sql(
            "INSERT INTO stay SELECT seq, IF(MOD(seq, 2), '0000-00-00', '2024-01-05'), '0000-00-00', "
            "'2024-01-05 08:30:00', '0000-00-00' FROM seq_1_to_40"
        )
    engine.dispose()
    assert _draft(tmp_path / "project", mariadb_url).exit_code == 0
    spec = (tmp_path / "project/tables/stay.toml").read_text(encoding="utf-8")
    assert '[read]\nnull = ["0000-00-00", "0000-00-00 00:00:00"]  # guess: whole values that say so\n' in spec
    columns = read_toml(tmp_path / "project/target.toml")["stay"]["columns"]
    assert [columns[name]["type"] for name in ("begun", "ended", "changed")] == ["date", "timestamp", "timestamp"]
    assert check(tmp_path / "project") == []


def test_tables_of_addresses_organisations_and_staff_are_registers_and_a_persons_addresses_are_not(
    tmp_path: Path,
) -> None:
    """What the columns are called says it; the project can be checked as it stands."""
    dump = tmp_path / "dump"
    dump.mkdir()
    people: list[list[object]] = [
        [100 + n, f"Ann{n}", f"Lee{n}", f"1{n % 9}/03/19{50 + n % 40}", "N"] for n in range(40)
    ]
    _write(dump / "Client.csv", ["ClientID", "FirstName", "LastName", "BirthDate", "Restricted"], people)
    doors: list[list[object]] = [
        [n, f"Flat {n}", "Mill Lane", "Tarnton", f"LS{n % 9} 1AA", 7000 + n] for n in range(40)
    ]
    _write(dump / "Property.csv", ["PropertyID", "Flat", "Street", "Town", "Postcode", "UPRN"], doors)
    lived: list[list[object]] = [[n, 100 + n, f"{n} Mill Lane", "Tarnton", "LS1 1AA"] for n in range(40)]
    _write(dump / "Home.csv", ["HomeID", "ClientID", "Line1", "Town", "Postcode"], lived)
    bodies: list[list[object]] = [[n, f"Home {n}", f"0113 {200000 + n}"] for n in range(40)]
    _write(dump / "Supplier.csv", ["SupplierID", "SupplierName", "Telephone"], bodies)
    forms: list[list[object]] = [[n, f"Ann{n} Lee{n}", f"0113 {300000 + n}"] for n in range(40)]
    _write(dump / "Form.csv", ["FormID", "Client_Name", "Telephone_Number"], forms)
    staff: list[list[object]] = [[n, f"Bo{n}", f"Ng{n}", f"BNG{n}"] for n in range(40)]
    _write(dump / "Worker.csv", ["WorkerID", "FirstName", "LastName", "Login"], staff)
    draft_project(tmp_path / "made", dump)
    text = (tmp_path / "made" / "linkage.toml").read_text(encoding="utf-8")
    registers = read_toml(tmp_path / "made" / "linkage.toml")["registers"]
    assert {name: one["kind"] for name, one in registers.items()} == {
        "property": "address", "supplier": "organisation", "worker": "professional",
    }  # fmt: skip
    assert set(registers["property"]["fields"]) == {"flat", "street", "town", "postcode", "uprn"}
    assert 'kind = "address"  # guess: by what its columns are called' in text
    assert [one for one in check(tmp_path / "made") if one.file == "linkage.toml"] == []


def test_lists_in_records_are_tables_that_point_at_their_records(tmp_path: Path) -> None:
    """Their items arrive, lists within lists too, named by record and place; what the record says stands there
    once. A list without an item is no table, and one that cannot be read is told beside the rest."""
    (tmp_path / "dump").mkdir()
    lines = [
        {"no": n, "surname": f"Lee{n}", "none": [], "tags": ["a", "b"][: n % 3], "odd": [[n]],
         "pets": [{"kind": "cat", "visits": [{"cost": f"{n}.5"}]}] * (n % 3)} for n in range(1, 31)
    ]  # fmt: skip
    (tmp_path / "dump/P.ndjson").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    xml = "".join(f"<r><id>{n}</id><v>x{n}</v><v>y</v></r>" for n in range(1, 31))
    (tmp_path / "dump/X.xml").write_text(f"<rows>{xml}</rows>", encoding="utf-8")
    done = _draft(tmp_path / "p", tmp_path / "dump")
    assert "P.ndjson: its list `odd` is not read: has a list within a list" in done.stderr
    pets, visits = (read_toml(tmp_path / f"p/tables/p_{name}.toml") for name in ("pets", "pets_visits"))
    assert pets["table"]["key"] == ["parent.no", "parent[]"]
    assert pets["columns"]["parent_no"] == {"from": "parent.no"}
    assert pets["dropped"]["parent.surname"] == "stands in the record that holds the list"
    assert visits["read"]["P_pets_visits"]["list"] == "pets.visits"
    target = read_toml(tmp_path / "p/target.toml")
    assert target["p_pets"]["columns"]["parent_no"]["references"] == "p"
    assert target["p_pets_visits"]["columns"]["parent_parent_no"]["references"] == "p"
    assert check(tmp_path / "p") == []
    with open_job(tmp_path / "p") as job:
        list(run_stages(job))
        report = json.loads((job.settings.reports / job.run / "report.json").read_text(encoding="utf-8"))
    loaded = {source["source"]: source["loaded"] for source in report["sources"]}
    assert loaded == {"P": 30, "P_pets": 30, "P_pets_visits": 30, "P_tags": 30, "X": 30, "X_v": 60}
    assert report["verdict"] == "balanced"


def test_a_register_in_a_file_is_its_records_and_not_their_lists(tmp_path: Path) -> None:
    (tmp_path / "R.json").write_text('[{"no": 1, "tags": ["a"]}, {"no": 2, "tags": []}]', encoding="utf-8")
    with unpacking(None) as packed:
        tables, unread = tables_in(tmp_path / "R.json", packed)
    assert ([table.read.nested for table in tables], unread) == ([""], [])


def test_what_else_a_workbook_holds_is_said_where_one_sheet_is_a_register(tmp_path: Path) -> None:
    """A sheet that cannot be read, and one that is hidden, may hold the other half of it."""
    good, twice = [["ID", "NAME"], ["1", "a"]], [["ID", "ID"], ["1", "2"]]
    _xlsx(tmp_path, {"One": (good, False), "Twice": (twice, False), "Old": (good, True)})
    how = read_one_file(tmp_path / "B.xlsx").how
    assert "its sheet `Twice` is not read: names a column twice" in how
    assert "hidden sheets are not read: `Old`" in how


def test_a_declared_key_that_does_not_hold_here_and_a_column_of_our_names_are_told(tmp_path: Path) -> None:
    """Blanks tell two keys apart there; a column that begins with two `_` stops no run of the others."""
    path = tmp_path / "old.db"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.executescript(
            "CREATE TABLE ward (code TEXT PRIMARY KEY, name TEXT);"
            "INSERT INTO ward VALUES ('A', 'x'), ('A ', 'y'), ('B', 'z'), ('', 'none');"
            "CREATE TABLE odd (no INTEGER PRIMARY KEY, __row); INSERT INTO odd VALUES (1, 2);"
        )
    drafted = _draft(tmp_path / "p", f"sqlite:///{path}")
    assert "odd: has a column called as Casebridge calls its own: __row" in drafted.output
    said = (tmp_path / "p/tables/ward.toml").read_text(encoding="utf-8")
    assert 'key = ["code"]  # guess: declared there, but 2 rows without one of its own' in said
    assert CliRunner().invoke(cli, ["run", "--project", str(tmp_path / "p")]).exit_code == 0


def test_bytes_whose_digits_look_like_a_number_stay_text(tmp_path: Path, mariadb_url: str) -> None:
    """0x12 is no twelve, and 0x1200 no 1,200."""
    engine = open_database(mariadb_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE seal (no int PRIMARY KEY, mark binary(2), whole blob)")
        connection.exec_driver_sql("INSERT INTO seal VALUES (1, x'1200', x'12'), (2, x'3456', x'99')")
    engine.dispose()
    assert _draft(tmp_path / "p", mariadb_url).exit_code == 0
    columns = read_toml(tmp_path / "p/target.toml")["seal"]["columns"]
    assert {columns[name]["type"] for name in ("mark", "whole")} == {"text"}


def test_a_declared_reference_that_is_spelt_otherwise_is_told(tmp_path: Path) -> None:
    """A database that overlooks capitals holds such a reference for good; here a key is its own text."""
    path = tmp_path / "old.db"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.executescript(
            "CREATE TABLE ward (code TEXT PRIMARY KEY COLLATE NOCASE, name TEXT);"
            "CREATE TABLE bed (no INTEGER PRIMARY KEY, ward TEXT REFERENCES ward);"
            "INSERT INTO ward VALUES ('ab', 'x'), ('CD', 'y');"
            "INSERT INTO bed VALUES (1, 'ab'), (2, 'AB'), (3, 'cd');"
        )
    assert _draft(tmp_path / "p", f"sqlite:///{path}").exit_code == 0
    said = (tmp_path / "p/tables/bed.toml").read_text(encoding="utf-8")
    assert "2 rows with one that is not there, unless for capitals, accents or blanks behind" in said


def test_a_cell_of_a_spreadsheet_that_shows_an_error_is_no_value(tmp_path: Path) -> None:
    """In none of its formats: it is no code, and its row is left behind."""
    names = ("office", "table", "text", "calcext")
    spaces = "".join(f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names)
    error = ' calcext:value-type="error"'
    rows = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"{error if said.startswith("#") else ""}>'
            f"<text:p>{said}</text:p></table:table-cell>" for said in cells
        ) + "</table:table-row>"
        for cells in [("no", "kind"), *((f"{n}", "#DIV/0!" if n == 7 else "ab"[n % 2]) for n in range(1, 31))]
    )  # fmt: skip
    sheet = f'<office:body><office:spreadsheet><table:table table:name="T">{rows}</table:table>'
    text = f"<office:document-content{spaces}>{sheet}</office:spreadsheet></office:body></office:document-content>"
    (tmp_path / "dump").mkdir()
    with zipfile.ZipFile(tmp_path / "dump/T.ods", "w") as packed:
        packed.writestr("content.xml", text)
    book = openpyxl.Workbook()
    for cells in [("no", "kind"), *((n, "#DIV/0!" if n == 7 else "ab"[n % 2]) for n in range(1, 31))]:
        book.active.append(cells)
    book.save(tmp_path / "dump/X.xlsx")
    assert _draft(tmp_path / "p", tmp_path / "dump").exit_code == 0
    assert not [path for path in (tmp_path / "p/codes").iterdir() if "DIV" in path.read_text(encoding="utf-8")]
    with open_job(tmp_path / "p") as job:
        list(run_stages(job))
        report = json.loads((job.settings.reports / job.run / "report.json").read_text(encoding="utf-8"))
    causes = {(one["source"], one["cause"], one["rows"]) for one in report["causes"]}
    assert causes == {("T", "cell_error", 1), ("X", "cell_error", 1)}


def test_a_list_that_cannot_be_read_costs_nothing_beside_it(tmp_path: Path) -> None:
    """The records that hold it are a table, so are the other elements of its file; one register is read of it."""
    names = "".join(f"<n{n}>1</n{n}>" for n in range(MOST_COLUMNS + 1))
    odd = f"<a><id>1</id><v>{names}</v><v>{names}</v></a><a><id>2</id><v><n0>1</n0></v></a>"
    (tmp_path / "X.xml").write_text(f"<rows>{odd}{'<b><id>3</id><w>4</w></b>' * 3}</rows>", encoding="utf-8")
    (tmp_path / "P.ndjson").write_text('{"no": 1, "odd": [[1]]}\n' * 3, encoding="utf-8")
    with unpacking(None) as packed:
        found, unread = discover(tmp_path, packed)
        assert {table.source.name for table in found} == {"a", "b", "P"}
        assert len(tables_in(tmp_path / "P.ndjson", packed)[0]) == 1
    assert sorted(one.file for one in unread) == ["P.ndjson", "X.xml"]
    assert all("is not read" in one.why for one in unread)


def _ods(folder: Path, sheets: dict[str, tuple[list[list[str]], bool]]) -> None:
    kinds = ("office", "table", "text", "style")
    spaces = "".join(f' xmlns:{kind}="urn:oasis:names:tc:opendocument:xmlns:{kind}:1.0"' for kind in kinds)
    style = '<style:style style:name="away"><style:table-properties table:display="false"/></style:style>'
    made = ""
    for name, (rows, hidden) in sheets.items():
        cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
        lines = "".join(f"<table:table-row>{''.join(map(cell.format, row))}</table:table-row>" for row in rows)
        away = ' table:style-name="away"' if hidden else ""
        made += f'<table:table table:name="{name}"{away}>{lines}</table:table>'
    content = f"<office:document-content{spaces}>{style}{made}</office:document-content>"
    with zipfile.ZipFile(folder / "B.ods", "w") as packed:
        packed.writestr("content.xml", content)


def _xlsx(folder: Path, sheets: dict[str, tuple[list[list[str]], bool]]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, (rows, hidden) in sheets.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if hidden else "visible"
        for row in rows:
            sheet.append(row)
    book.save(folder / "B.xlsx")


@pytest.mark.parametrize("write", [_xlsx, _ods])
def test_each_sheet_of_a_workbook_is_a_table_or_told(
    tmp_path: Path, write: Callable[[Path, dict[str, tuple[list[list[str]], bool]]], None]
) -> None:
    """Also that one sheet beside others cannot be read, and that some are hidden; of empty ones nothing is."""
    good, twice = [["ID", "NAME"], ["1", "a"], ["2", "b"]], [["ID", "ID"], ["1", "2"]]
    sheets = {"Blank": ([], False), "One": (good, False), "Two": (good, False), "Twice": (twice, False),
              "Old": (good, True)}  # fmt: skip
    (tmp_path / "dump").mkdir()
    write(tmp_path / "dump", sheets)
    told = _draft(tmp_path / "p", tmp_path / "dump").output
    assert "its sheet `Twice` is not read: names a column twice in its header" in told
    assert "hidden sheets are not read: `Old`" in told
    assert {path.stem for path in (tmp_path / "p/tables").glob("*.toml")} == {"b_one", "b_two"}
    said = CliRunner().invoke(cli, ["run", "--project", str(tmp_path / "p")]).output
    name = next((tmp_path / "dump").iterdir()).name
    assert f"no spec of shop reads 1 file of its dump: {name}: 2 sheets" in said
    report = json.loads((tmp_path / "p/reports/trial-1/report.json").read_text(encoding="utf-8"))
    assert [line["file"] for line in report["unread_files"]] == [f"{name}: 2 sheets"]
