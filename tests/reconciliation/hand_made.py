"""A small migration, written by hand: files, ledger and target as the stages before would leave them.

Nothing of the other stages runs here, so what these tests prove does not rest on them.

    PERSON   1 P1 loaded, survivor of 4      PAYMENT  1 £1,234.50  loaded    NOTE  1-3 N1 three chunks
             2 P2 loaded, restricted                  2 12.50-     loaded          4   N2 loaded
             3 P3 loaded                              3 100        loaded          5-6 N3 child of P5
             4 P4 merged into P1, restricted          4 7.25       child of P5     7-8 N4 a chunk is missing
             5 P5 no surname, rejected                5 abc        rejected
             6 P6 test record, excluded               6 5.00       loaded (of P4, now P1)
             7 P7 unclear restriction, held
             8 P1 again, rejected             ORG      1 O1, 2 O2 loaded
             9 a ragged line, rejected
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from casebridge.project.batch import Batch, digest, write_batch
from casebridge.project.contracts import CROSSWALK, QUARANTINE, ROWS, UNREADABLE
from casebridge.project.job import Job, Silent
from casebridge.project.ledger import Ledger
from casebridge.project.settings import Settings, System
from casebridge.project.spec import ColumnSpec, Exclusion, OnFail, ReadSpec, Source, Step, TableSpec
from casebridge.project.tally import Tally
from casebridge.project.target import ColumnType, Target, TargetColumn, TargetTable

SYSTEM = "old"
MARKER = "Marker-Abernathy"
"""A surname in the data. No report, message or evidence file may have it."""

BIGINT, TEXT, FLAG = ColumnType("bigint"), ColumnType("text"), ColumnType("char", length=1)


def _column(name: str, kind: ColumnType = TEXT, references: str | None = None) -> TargetColumn:
    return TargetColumn(name, kind, references=references)


TARGET = Target(
    (
        TargetTable(
            "orgs", ("id",), (_column("id", BIGINT), _column("name"), _column("parent_id", BIGINT, "orgs"))
        ),
        TargetTable(
            "persons",
            ("person_id",),
            (
                _column("person_id", BIGINT),
                _column("last_name", ColumnType("varchar", length=30)),
                _column("gender", FLAG),
                _column("restricted", FLAG),
                _column("born", ColumnType("date")),
            ),
        ),
        TargetTable(
            "phones",
            ("phone_id",),
            (_column("phone_id", BIGINT), _column("person_id", BIGINT, "persons"), _column("number")),
        ),
        TargetTable(
            "notes",
            ("note_id",),
            (
                _column("note_id", BIGINT),
                _column("person_id", BIGINT, "persons"),
                _column("note_type", ColumnType("varchar", length=16)),
                _column("written", ColumnType("timestamp")),
                _column("note"),
            ),
        ),
        TargetTable(
            "payments",
            ("payment_id",),
            (
                _column("payment_id", BIGINT),
                _column("person_id", BIGINT, "persons"),
                _column("supplier_id", BIGINT, "orgs"),
                _column("period", ColumnType("varchar", length=6)),
                _column("amount", ColumnType("numeric", precision=14, scale=2)),
            ),
        ),
    )
)


def _read(name: str, *key: str) -> ReadSpec:
    return ReadSpec(Source(SYSTEM, name), f"{name}.csv", "csv", "utf-8", ",", key)


def _from(name: str, source: str, **more: Any) -> ColumnSpec:
    return ColumnSpec(name, more.pop("type", TEXT), (source,), **more)


PENCE = ColumnType("numeric", precision=14, scale=2)
YES_NO = (Step("yes_no"),)
SPECS = (
    TableSpec(
        "notes", SYSTEM, "notes", ("OBS_NO",), (_read("NOTE", "OBS_NO", "SEQ_NO"),),
        (
            _from("person_id", "PI_NO", references="persons", required=True),
            _from("note_type", "OBS_TYPE", codes="note_type", codes_at="OBS_DT", type=ColumnType("varchar", 16)),
            _from("written", "OBS_DT", type=ColumnType("timestamp")),
            _from("note", "TEXT"),
        ),
        query="SELECT arg_min(_row, _row) AS _row, list_sort(list(_row))[2:] AS _rest, OBS_NO, "
        "arg_min(PI_NO, _row) AS PI_NO, arg_min(OBS_TYPE, _row) AS OBS_TYPE, arg_min(OBS_DT, _row) AS OBS_DT, "
        "string_agg(TEXT, '' ORDER BY _row) AS TEXT FROM NOTE GROUP BY OBS_NO",
    ),
    TableSpec("orgs", SYSTEM, "orgs", ("ORG_NO",), (_read("ORG", "ORG_NO"),), (_from("name", "NAME"),)),
    TableSpec(
        "payments", SYSTEM, "payments", ("PAY_NO",), (_read("PAYMENT", "PAY_NO"),),
        (
            _from("person_id", "PI_NO", references="persons", required=True),
            _from("supplier_id", "SUPPLIER", references="orgs", required=True),
            _from("period", "PERIOD"),
            _from("amount", "AMOUNT", type=PENCE, required=True),
        ),
    ),
    TableSpec(
        "persons", SYSTEM, "persons", ("PI_NO",), (_read("PERSON", "PI_NO"),),
        (
            _from("last_name", "SURNAME", required=True),
            _from("gender", "SEX", codes="sex", type=FLAG),
            _from("restricted", "SECURE_YN", steps=YES_NO, required=True, on_fail=OnFail.HOLD, type=FLAG),
            _from("born", "DOB", type=ColumnType("date"), on_fail=OnFail.NULL),
        ),
        exclusions=(Exclusion("test_record", "SURNAME LIKE 'ZZ%'", "Head of Performance", "made by trainers"),),
    ),
    TableSpec(
        "phones", SYSTEM, "phones", ("PI_NO",), (_read("PERSON", "PI_NO"),),
        (_from("person_id", "PI_NO", references="persons", required=True), _from("number", "PHONE")),
        part="phone", where="PHONE IS NOT NULL",
    ),
)  # fmt: skip

CODES = {
    "sex": "M,M,Male,mapped,Owner,2025-01-01,,\nF,F,Female,mapped,Owner,2025-01-01,,\n"
    "1,M,Old male,mapped,Owner,2025-01-01,,\n,U,Blank,default,Owner,2025-01-01,,\n",
    "note_type": "HV,HEALTHVISITOR,First meaning,mapped,Owner,2025-01-01,,2004-03-31\n"
    "HV,HOMEVISIT,Second meaning,mapped,Owner,2025-01-01,2004-04-01,\n",
}
HEADER = "legacy_code,target_code,description,status,owner,signed_off,valid_from,valid_to\n"

PERSON = ("PI_NO", "SURNAME", "SEX", "SECURE_YN", "DOB", "PHONE")
PERSONS = [
    ("P1 ", MARKER, "F", "N", "01/02/1990", "020 7946 0001"),
    ("P2", "Brown", "m", "Y", "1-MAR-85", None),
    ("P3", "Clark", "1", " ", "31/02/1960", None),
    ("P4", MARKER, "", "Y", "01/02/1990", "020 7946 0004"),
    ("P5", None, "F", "N", None, None),
    ("P6", "ZZTEST", "F", "N", None, None),
    ("P7", "Green", "F", "?", None, None),
    ("P1", "Again", "M", "N", None, None),
]
NOTE = ("OBS_NO", "SEQ_NO", "PI_NO", "OBS_TYPE", "OBS_DT", "TEXT")
NOTES = [
    ("N1", "1", "P1", "HV", "05/06/2003", "Seen at ho"),
    ("N1", "2", "P1", "HV", "05/06/2003", "me with gr"),
    ("N1", "3", "P1", "HV", "05/06/2003", "andmother."),
    ("N2", "1", "P2", "hv ", "20100102", "No reply."),
    ("N3", "1", "P5", "HV", "20100102", "a"),
    ("N3", "2", "P5", "HV", "20100102", "b"),
    ("N4", "1", "P2", "HV", "20100102", "a"),
    ("N4", "3", "P2", "HV", "20100102", "c"),
]
ORG = ("ORG_NO", "NAME")
ORGS = [("O1", "Rowan Care"), ("O2", "Birch House")]
PAYMENT = ("PAY_NO", "PI_NO", "SUPPLIER", "PERIOD", "AMOUNT")
PAYMENTS = [
    ("1", "P1", "O1", "202401", "£1,234.50"),
    ("2", "P2", "O1", "202401", "12.50-"),
    ("3", "P3", "O2", "202402", "100"),
    ("4", "P5", "O2", "202402", "7.25"),
    ("5", "P1", "O1", "202403", "abc"),
    ("6", "P4", "O1", "202403", " 5.00 "),
]


@dataclass
class World:
    """One migration on disk. `rows` are load's rows by spec, with `_row` as the plain place in the source."""

    job: Job
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def row(self, source: str, place: int) -> int:
        """The row number of the record at a place of a source."""
        return self.job.ledger.first_row(Source(SYSTEM, source)) + place

    def batch(self, stage: str, name: str, files: Mapping[str, pl.DataFrame], number: int = 0) -> dict[str, Batch]:
        """Write a batch's files and record them; they stand when `seal` is called."""
        inputs = digest(stage, name, number, [frame.height for frame in files.values()])
        made = {
            kind: write_batch(self.job.work, stage, name, number, kind, inputs, frame)
            for kind, frame in files.items()
        }
        self.job.ledger.attempt(stage, name, number, inputs)
        self.job.ledger.record(stage, name, number, inputs, made.values(), Tally())
        return made

    def seal(self, stage: str, name: str, *made: Mapping[str, Batch]) -> None:
        """Let the run stand on these batches."""
        batches = [next(iter(files.values())) for files in made]
        self.job.ledger.seal(self.job.run, stage, name, [(batch.number, batch.inputs) for batch in batches])

    def raw(
        self, name: str, columns: Sequence[str], records: Sequence[Sequence[str | None]], at: int = 1
    ) -> pl.DataFrame:
        """Raw rows from a place of the source on."""
        origin = [
            {"_row": self.row(name, place), "_file": f"{name}.csv", "_line": place + 1, "_lines": 1}
            for place in range(at, at + len(records))
        ]
        values = [dict(zip(columns, record, strict=True)) for record in records]
        schema = {"_row": pl.Int64, "_file": pl.String, "_line": pl.Int64, "_lines": pl.Int32}
        lines = [{**where, **what} for where, what in zip(origin, values, strict=True)]
        return pl.DataFrame(lines, schema={**schema, **dict.fromkeys(columns, pl.String)})

    def quarantine(self, source: str, *lines: dict[str, Any]) -> pl.DataFrame:
        """Quarantine rows: place, verdict, rule and what else differs from nothing."""
        full = []
        for line in lines:
            rest = [self.row(source, place) for place in line.pop("rest", [])] or None
            row = {"_row": self.row(source, line.pop("place")), "_rest": rest, "first": True}
            full.append({**dict.fromkeys(QUARANTINE), **row, **line})
        return pl.DataFrame(full, schema=dict(QUARANTINE))

    def load(self, spec: str, source: str, lines: Sequence[dict[str, Any]]) -> pl.DataFrame:
        """Load's rows file for a spec, and the same rows into the target."""
        table = TARGET.by_name[next(s.target for s in SPECS if s.name == spec)]
        schema = {**ROWS, **{column.name: column.type.dtype for column in table.columns}}
        full = [
            {
                **dict.fromkeys(schema),
                **line,
                "_row": self.row(source, line["_row"]),
                "_rest": [self.row(source, place) for place in line.get("_rest", [])] or None,
            }
            for line in lines
        ]
        return pl.DataFrame(full, schema=schema)

    def execute(self, statement: str) -> None:
        """Change the target behind everybody's back."""
        engine = self.job.open_target()
        with engine.begin() as connection:
            connection.execute(sa.text(statement))
        engine.dispose()

    def fill(self, spec: str, frame: pl.DataFrame) -> None:
        """Put load's rows into the target."""
        table = TARGET.by_name[next(s.target for s in SPECS if s.name == spec)]
        engine = self.job.open_target()
        metadata = TARGET.metadata()
        exact = engine.dialect.name == "sqlite"
        lines = frame.select(column.name for column in table.columns).to_dicts()
        for line in lines:
            line.update({k: str(v) for k, v in line.items() if exact and isinstance(v, Decimal)})
        with engine.begin() as connection:
            connection.execute(metadata.tables[table.name].insert(), lines)
        engine.dispose()

    @property
    def folder(self) -> Path:
        """The run's reports."""
        return self.job.settings.reports / self.job.run

    def report(self) -> dict[str, Any]:
        """The run's report.json."""
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        return found

    def places(self, source: str) -> dict[int, tuple[str, str | None]]:
        """Place and cause of a source's rows, by their place in the file."""
        lines = pl.read_parquet(self.folder / "dispositions.parquet").filter(pl.col("source") == source)
        first = self.row(source, 0)
        return {line["row"] - first: (line["place"], line["cause"]) for line in lines.iter_rows(named=True)}

    def failed(self) -> set[str]:
        """The checks that failed, by name and table."""
        return {f"{c['check']} {c['table']}" for c in self.report()["checks"] if c["verdict"] == "failed"}


LOADED: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "orgs": ("ORG", [
        {"_key": "O1", "_row": 1, "id": 1, "name": "Rowan Care"},
        {"_key": "O2", "_row": 2, "id": 2, "name": "Birch House", "parent_id": 1},
    ]),
    "persons": ("PERSON", [
        {"_key": "P1", "_row": 1, "person_id": 11, "last_name": MARKER, "gender": "F", "restricted": "Y",
         "born": date(1990, 2, 1)},
        {"_key": "P2", "_row": 2, "person_id": 12, "last_name": "Brown", "gender": "M", "restricted": "Y",
         "born": date(1985, 3, 1)},
        {"_key": "P3", "_row": 3, "person_id": 13, "last_name": "Clark", "gender": "M", "restricted": "N"},
    ]),
    "phones": ("PERSON", [
        {"_key": "P1#phone", "_row": 1, "phone_id": 21, "person_id": 11, "number": "02079460001"},
        {"_key": "P4#phone", "_row": 4, "phone_id": 24, "person_id": 11, "number": "02079460004"},
    ]),
    "notes": ("NOTE", [
        {"_key": "N1", "_row": 1, "_rest": [2, 3], "note_id": 31, "person_id": 11, "note_type": "HEALTHVISITOR",
         "written": datetime.fromisoformat("2003-06-05"), "note": "Seen at home with grandmother."},
        {"_key": "N2", "_row": 4, "note_id": 32, "person_id": 12, "note_type": "HOMEVISIT",
         "written": datetime.fromisoformat("2010-01-02"), "note": "No reply."},
    ]),
    "payments": ("PAYMENT", [
        {"_key": "1", "_row": 1, "payment_id": 41, "person_id": 11, "supplier_id": 1, "period": "202401",
         "amount": Decimal("1234.50")},
        {"_key": "2", "_row": 2, "payment_id": 42, "person_id": 12, "supplier_id": 1, "period": "202401",
         "amount": Decimal("-12.50")},
        {"_key": "3", "_row": 3, "payment_id": 43, "person_id": 13, "supplier_id": 2, "period": "202402",
         "amount": Decimal("100.00")},
        {"_key": "6", "_row": 6, "payment_id": 46, "person_id": 11, "supplier_id": 1, "period": "202403",
         "amount": Decimal("5.00")},
    ]),
}  # fmt: skip


def open_world(folder: Path, target_url: str) -> World:
    """An empty project with its tables created in the target."""
    for name, lines in CODES.items():
        (folder / "codes").mkdir(parents=True, exist_ok=True)
        (folder / "codes" / f"{name}.csv").write_text(HEADER + lines, encoding="utf-8")
    systems = {SYSTEM: System(SYSTEM, folder)}
    settings = Settings(folder, "Northam", target_url, f"sqlite:///{folder / 'control.db'}", systems)
    job = Job(settings, TARGET, SPECS, Ledger(settings.work), "trial-1", Silent())
    job.ledger.open_run(job.run, "test")
    engine = job.open_target()
    TARGET.metadata().create_all(engine)
    engine.dispose()
    return World(job)


def make_world(folder: Path, target_url: str) -> World:
    """The migration of the module's docstring, in balance."""
    world = open_world(folder, target_url)
    _extract(world)
    _transform(world)
    _dedupe(world)
    _load(world)
    return world


def _extract(world: World) -> None:
    ragged = {"_row": world.row("PERSON", 9), "_file": "PERSON.csv", "_line": 10, "_lines": 1}
    ragged |= {"reason": "ragged_line", "raw": b"P9,Doe"}
    first = world.batch("extract", "old.PERSON", {"raw": world.raw("PERSON", PERSON, PERSONS[:5])}, 0)
    second = world.batch(
        "extract",
        "old.PERSON",
        {
            "raw": world.raw("PERSON", PERSON, PERSONS[5:], at=6),
            "unreadable": pl.DataFrame([ragged], schema=dict(UNREADABLE)),
        },
        1,
    )
    world.seal("extract", "old.PERSON", first, second)
    for name, columns, records in (("NOTE", NOTE, NOTES), ("ORG", ORG, ORGS), ("PAYMENT", PAYMENT, PAYMENTS)):
        made = world.batch("extract", f"old.{name}", {"raw": world.raw(name, columns, records)})
        world.seal("extract", f"old.{name}", made)


def _transform(world: World) -> None:
    doubled = {"place": 8, "verdict": "rejected", "rule": "duplicate_key", "_key": "P1"}
    persons = (
        {
            "place": 3,
            "verdict": "set_aside",
            "first": False,
            "column": "born",
            "rule": "date",
        },
        {"place": 5, "verdict": "rejected", "column": "last_name", "rule": "required", "_key": "P5"},
        {"place": 6, "verdict": "excluded", "rule": "test_record", "_key": "P6"},
        {"place": 7, "verdict": "held", "column": "restricted", "rule": "one_of", "value": "?", "_key": "P7"},
    )
    missing = {"place": 7, "rest": [8], "verdict": "held", "rule": "missing_chunk", "_key": "N4"}
    money = {"place": 5, "verdict": "rejected", "column": "amount", "rule": "money", "value": "abc", "_key": "5"}
    for name, source, lines in (
        ("old.PERSON", "PERSON", (doubled,)),
        ("persons", "PERSON", persons),
        ("notes", "NOTE", (missing,)),
        ("payments", "PAYMENT", (money,)),
    ):
        made = world.batch("transform", name, {"quarantine": world.quarantine(source, *(dict(x) for x in lines))})
        world.seal("transform", name, made)


def _dedupe(world: World) -> None:
    survivor = {"P1": "P1", "P2": "P2", "P3": "P3", "P4": "P1"}
    lines = [(SYSTEM, k, SYSTEM, s, world.row("PERSON", int(k[1]))) for k, s in survivor.items()]
    crosswalk = pl.DataFrame(lines, schema=dict(CROSSWALK), orient="row")
    world.seal("dedupe", "crosswalk", world.batch("dedupe", "crosswalk", {"crosswalk": crosswalk}))
    pairs = pl.DataFrame({"left": ["P1", "P2"], "right": ["P4", "P3"], "state": ["decided", "undecided"]})
    world.seal("dedupe", "pairs", world.batch("dedupe", "pairs", {"pairs": pairs}))


def _load(world: World) -> None:
    parent = {"verdict": "rejected", "rule": "parent", "column": "person_id", "parent": "persons:P5"}
    left = {
        "notes": world.quarantine("NOTE", {"place": 5, "rest": [6], **parent}),
        "payments": world.quarantine("PAYMENT", {"place": 4, **parent}),
    }
    for spec, (source, lines) in LOADED.items():
        frame = world.load(spec, source, lines)
        files = {"rows": frame} | ({"quarantine": left[spec]} if spec in left else {})
        world.seal("load", spec, world.batch("load", spec, files))
        world.fill(spec, frame)
