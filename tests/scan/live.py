"""A live register of made-up people, and a project that scans it: staff change it, nights go by."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa

from benchmarks.registers import make_register
from casebridge.dedupe.linkage import LinkedRegister, LinkOptions
from casebridge.dedupe.linkage.affected.linked import ENDS
from casebridge.dedupe.review.decision_log import DecisionLog
from casebridge.dedupe.review.decisions import Ruling, decision
from casebridge.dedupe.review.evidence_file import EvidenceFile, PairEvidence
from casebridge.dedupe.review.evidence_on_record import current_evidence
from casebridge.dedupe.scan.history import Record
from casebridge.dedupe.scan.linking import in_order
from casebridge.dedupe.scan.state import read_state
from casebridge.migrate.scanning import scan_project
from casebridge.project.audit import KEY_FILE, AuditLog
from casebridge.project.database import open_database
from casebridge.project.targetfile import read_target
from casebridge.synthetic.places import Places
from casebridge.synthetic.properties import make_properties
from tests.audit_key import lay_key

PACK = Path(str(resources.files("casebridge.project"))) / "packs" / "carefirst_mosaic"
FIRST = dt.date(2026, 3, 2)
TABLES = read_target(PACK / "target.toml").metadata().tables
PEOPLE = TABLES["dm_persons"]
OF_A_PERSON = (
    "dm_addresses", "dm_telephone_numbers", "dm_person_names", "dm_person_references", "people_workers"
)  # fmt: skip
OF_STAFF = ("workers", "organisations")
RULINGS = ("same_pairs", "different_pairs", "related")
Rows = dict[str, list[Mapping[str, Any]]]


@dataclass
class LiveRegister:
    """A project in `folder` and the register it scans."""

    folder: Path
    url: str
    day: dt.date = FIRST
    engine: sa.Engine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = open_database(self.url)

    def scan(self, **how: Any) -> Record:
        """The next night."""
        night = scan_project(self.folder, day=self.day, tell=lambda _: None, **how)
        self.day += dt.timedelta(days=1)
        return night

    def copied(self, folder: Path) -> LiveRegister:
        """The same project and register once more, in another folder."""
        self.engine.dispose()
        shutil.copytree(self.folder, folder)
        return self.moved(folder)

    def moved(self, folder: Path) -> LiveRegister:
        """The same project and register, copied to another folder."""
        settings = folder / "casebridge.toml"
        settings.write_text(settings.read_text(encoding="utf-8").replace(str(self.folder), str(folder)))
        return LiveRegister(folder, self.url.replace(str(self.folder), str(folder)), self.day)

    def says(self, was: str, now: str) -> None:
        """Somebody edits what linkage.toml says from `[scan]` on."""
        file = self.folder / "linkage.toml"
        before, _, scan = file.read_text(encoding="utf-8").partition("[scan]")
        assert was in scan
        file.write_text(f"{before}[scan]{scan.replace(was, now, 1)}", encoding="utf-8")

    def do(self, *statements: sa.Executable) -> None:
        """What staff do, in one transaction."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(statement)

    def row(self, person: int) -> dict[str, Any]:
        """A person's record."""
        with self.engine.connect() as connection:
            return dict(connection.execute(sa.select(PEOPLE).where(PEOPLE.c.person_id == person)).mappings().one())

    def change(self, person: int, **values: Any) -> None:
        """Staff change a person's record; the change date moves with it."""
        values.setdefault("last_updated_on", dt.datetime.combine(self.day, dt.time(12)))
        self.do(PEOPLE.update().where(PEOPLE.c.person_id == person).values(values))

    def create(self, like: int, person: int, **values: Any) -> None:
        """Staff make a new record of somebody who is there: with his address, and what is different."""
        made = dt.datetime.combine(self.day, dt.time(12))
        new = {"person_id": person, "person_id_legacy": f"M{person}", "last_updated_on": made, "created_on": made}
        homes = TABLES["dm_addresses"]
        key = {"ref_addresses_people_id": 10**6 + person, "person_id": person}
        with self.engine.connect() as connection:
            lived = connection.execute(sa.select(homes).where(homes.c.person_id == like)).mappings().all()
        self.do(PEOPLE.insert().values(self.row(like) | new | values),
                *(homes.insert().values(dict(home) | key) for home in lived))  # fmt: skip

    def remove(self, person: int) -> None:
        """A record is gone from the register, with its rows."""
        names = (*OF_A_PERSON, "dm_persons")
        self.do(*(TABLES[name].delete().where(TABLES[name].c.person_id == person) for name in names))

    def relate(self, left: int, right: int, code: str) -> None:
        """A relationship between two records, from one side."""
        table = TABLES["dm_personal_relationships"]
        row = {"personal_relationship_id": left * 10**5 + right, "person_id": left, "other_person_id": right}
        self.do(table.insert().values(row | {"relationship_code": code}))

    def decide(self, left: str | int, right: str | int, verdict: Ruling = Ruling.DIFFERENT) -> None:
        """A reviewer decides a pair that linkage put forward."""
        ids = [item if isinstance(item, str) else f"mosaic:{item}" for item in (left, right)]
        made = decision(ids[0], ids[1], verdict, "Jo Reviewer", "seen")
        engine = open_database(f"sqlite:///{self.folder}/control.db")
        log = DecisionLog(AuditLog(engine, self.folder / KEY_FILE))
        log.decide([made], {(made.left_id, made.right_id)})
        engine.dispose()

    def shown(self, clearance: int = 1) -> dict[tuple[int, int], PairEvidence]:
        """What is at the desk for a reader: pairs by the numbers of their records."""
        path = current_evidence(self.folder / "work")
        assert path is not None
        evidence = EvidenceFile(path)
        try:
            return {_numbers(pair): pair for pair in evidence.pairs(clearance)}
        finally:
            evidence.close()

    def waiting(self, clearance: int = 1) -> set[tuple[int, int]]:
        """The pairs that wait for somebody."""
        return {pair for pair, shown in self.shown(clearance).items() if shown.open}

    def differs_from_a_full_run(self) -> set[tuple[str, str]]:
        """The pairs that only one of two puts forward: the last scan, and a full run on the register as it is with
        the same model and the same decisions."""
        state = read_state(self.folder / "work")
        register, found, said = (state.frame(name) for name in ("register", "candidates", "ruled"))
        assert state.linked is not None
        assert register is not None
        assert found is not None
        assert said is not None
        linked = LinkedRegister.read(state.linked)
        ruled = {name: said.filter(pl.col("ruling") == name).select(ENDS).rows() for name in RULINGS}
        whole = LinkedRegister.of(register, linked.fields, linked.kept, LinkOptions(**ruled))
        forward = pl.col("p_same") >= linked.kept.propose
        one, other = (set(f.filter(forward).select(ENDS).rows()) for f in (in_order(whole.pairs()), found))
        return one ^ other

    def holds(self, mark: str) -> list[str]:
        """The files of the project's work folder in which a text stands, wherever it stands in them."""
        files = [path for path in (self.folder / "work").rglob("*") if path.is_file()]
        return [path.name for path in files if mark in _all_text(path)]


def _all_text(path: Path) -> str:
    if path.suffix == ".parquet":
        return pl.read_parquet(path).write_json()
    return path.read_bytes().decode("utf-8", errors="replace")


def _numbers(pair: PairEvidence) -> tuple[int, int]:
    left, right = sorted(int(item.partition(":")[2]) for item in (pair.left_id, pair.right_id))
    return left, right


def make_live(folder: Path, url: str | None = None, people: int = 200, more: str = "") -> LiveRegister:
    """A register of some people, a few of them twice, and a project for it without any migration."""
    folder.mkdir(parents=True, exist_ok=True)
    url = url or f"sqlite:///{folder / 'live.db'}"
    (folder / "casebridge.toml").write_text(f'[scan]\nurl = "{url}"\n{more}', encoding="utf-8")
    (folder / "linkage.toml").write_bytes((PACK / "linkage.toml").read_bytes())
    lay_key(folder)
    made = LiveRegister(folder, url)
    fill(made.engine, people_rows(people))
    return made


def people_rows(people: int) -> Rows:
    """Rows of the register's tables, numbered from 1."""
    when = dt.datetime.combine(FIRST - dt.timedelta(days=30), dt.time(9))
    rows: Rows = {"dm_persons": [], "dm_addresses": [], "dm_telephone_numbers": []}
    for number, row in enumerate(make_register(people, seed=5).iter_rows(named=True), 1):
        changed = when - dt.timedelta(days=number % 300)
        names = f"{row['first'] or ''} {row['middle'] or ''}".strip()
        rows["dm_persons"].append({
            "person_id": number, "person_id_legacy": f"P{number}", "nhs_id": row["nhs"],
            "first_name": names or None, "last_name": row["last"], "full_name": f"{names} {row['last']}",
            "gender": row["sex"] or "U",
            "restricted": "N", "date_of_birth": _day(row["dob"]),
            "created_on": changed, "last_updated_on": changed,
        })  # fmt: skip
        address = f"{row['house'] or ''} {row['street'] or ''}".strip()
        if address:
            rows["dm_addresses"].append({"ref_addresses_people_id": number, "person_id": number,
                "address": address, "address_type": "MAIN", "post_code": row["postcode"]})  # fmt: skip
        if row["phone"]:
            rows["dm_telephone_numbers"].append({"telephone_number_id": number, "person_id": number,
                "telephone_number": row["phone"], "telephone_number_type": "Home"})  # fmt: skip
    return rows


def _day(text: str | None) -> dt.datetime | None:
    """A birth date, none where what somebody typed is no day."""
    try:
        return dt.datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def fill(engine: sa.Engine, rows: Rows) -> None:
    """Make the register's tables and put rows in."""
    with engine.begin() as connection:
        for name in ("dm_persons", *OF_A_PERSON, "dm_personal_relationships", *OF_STAFF):
            columns = [sa.Column(c.name, c.type, primary_key=c.primary_key) for c in TABLES[name].columns]
            sa.Table(name, sa.MetaData(), *columns).create(connection)
            if rows.get(name):
                connection.execute(TABLES[name].insert(), rows[name])


def same_person(people: int) -> set[tuple[int, int]]:
    """The pairs of records that are one person."""
    of: dict[int, list[int]] = {}
    for number, person in enumerate(make_register(people, seed=5).get_column("person"), 1):
        of.setdefault(person, []).append(number)
    return {(a, b) for some in of.values() for a in some for b in some if a < b}


HOMES = ("Tarn Lodge", "Beck House", "Moorside", "Ashgrove", "Riverside", "Holly Bank", "Fellview", "Oakdene")
SORTS = {"Care Home": "CH", "Nursing Home": "NH", "Day Centre": "DAYC", "Home Care Ltd": "HCA",
         "Fostering Agency": "IFA"}  # fmt: skip
TOWNS = ("Rushford", "Winlow", "Tarnwick", "Beck Hill", "Whinfell", "Stonecombe")


def suppliers(live: LiveRegister) -> None:
    """The register has suppliers too, 41 of them, of which 1 and 2 are one body that was entered twice."""
    made = [(HOMES[at * 3 % 8], [*SORTS][at % 5], TOWNS[at * 5 % 6]) for at in range(40)]
    rows = [supplier(at, f"{home} {sort}, {town}", f"S{1000 + 37 * at}", SORTS[sort])
            for at, (home, sort, town) in enumerate(made, 2)]  # fmt: skip
    with live.engine.begin() as connection:
        connection.execute(
            TABLES["organisations"].insert(), [supplier(1, "Tarn Lodge Care Home Limited (Rushford)"), *rows]
        )


def doors(live: LiveRegister) -> set[tuple[int, int]]:
    """The register has addresses too, flats of one house among them; which of them are one door."""
    made = make_properties(np.random.default_rng(5), Places(), 3000)
    columns = TABLES["addresses"].columns
    table = sa.Table("addresses", sa.MetaData(), *(sa.Column(c.name, c.type) for c in columns))
    with live.engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), [door(at, row) for at, row in enumerate(made.rows)])
    return {(first, at) for at, first in enumerate(made.first.tolist()) if first != at}


def door(number: int, row: Mapping[str, str]) -> Mapping[str, Any]:
    """A row of the live register's table of addresses, from one of the made-up council's list."""
    named = {"flat_number": "SUB_NO", "building": "BUILDING", "street_number": "NUMBER", "street": "STREET",
             "town": "TOWN", "post_code": "POSTCODE"}  # fmt: skip
    uprn = int(row["UPRN"]) if row["UPRN"] else None
    return {"id": number, "unique_id": uprn, **{name: row[column] or None for name, column in named.items()}}


def supplier(number: int, name: str, reference: str | None = None, sort: str = "CH") -> Mapping[str, Any]:
    """A row of the live register's table of organisations."""
    return {"id": number, "name": name, "finance_reference": reference, "type": sort, "responsible_authority": "N"}
