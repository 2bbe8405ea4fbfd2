"""A migration project without a dump: raw batches are laid down as the extract stage would leave them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from casebridge.migrate.pipeline import WORDS
from casebridge.project.batch import digest, write_batch
from casebridge.project.contracts import ORIGIN
from casebridge.project.job import Job, Reporter, Silent
from casebridge.project.ledger import Ledger
from casebridge.project.settings import read_settings
from casebridge.project.spec import Source
from casebridge.project.specfile import read_specs
from casebridge.project.specreader import Vocabulary
from casebridge.project.tally import Tally
from casebridge.project.targetfile import read_target
from casebridge.transform.codes import read_codes
from casebridge.transform.convert import Conversion, make_plan

TARGET = """
[persons]
primary_key = "person_id"
legacy_key = "legacy_id"
[persons.columns]
person_id = { type = "bigint" }
legacy_id = { type = "varchar(40)" }
last_name = { type = "varchar(10)" }
born = { type = "date" }
restricted = { type = "char(1)" }
reference = { type = "varchar(20)", unique = true }
mother_id = { type = "bigint", references = "persons" }

[payments]
primary_key = "payment_id"
[payments.columns]
payment_id = { type = "bigint" }
person_id = { type = "bigint", nullable = false, references = "persons" }
payee_id = { type = "bigint", references = "persons" }
amount = { type = "numeric(10,2)" }
"""

PERSONS = """
[table]
system = "old"
source = "PERSON"
target = "persons"
key = ["NO"]
[columns.last_name]
from = "NAME"
required = true
on_fail = "truncate_and_report"
[columns.born]
from = "DOB"
on_fail = "null_and_report"
[columns.reference]
from = "REF"
"""

PAYMENTS = """
[table]
system = "old"
source = "PAYMENT"
target = "payments"
key = ["PAY_NO"]
[columns.person_id]
from = "NO"
[columns.payee_id]
from = "PAYEE"
[columns.amount]
from = "AMOUNT"
"""

ONE_TABLE = """
[persons]
primary_key = "id"
[persons.columns]
id = { type = "bigint" }
name = { type = "varchar(9)" }
"""

ONE_COLUMN = """
[table]
system = "old"
source = "PERSON"
target = "persons"
key = ["NO"]
[columns.name]
from = "NAME"
"""


def two_people(folder: Path, spec: str = ONE_COLUMN) -> Path:
    """The least project there is, with its dump: two people and their names."""
    lay_out(folder, {"persons": spec}, target=ONE_TABLE)
    (folder / "dump" / "PERSON.csv").write_text("NO,NAME\n1,ann\n2,bob\n", encoding="utf-8")
    return folder


SETTINGS = """
[project]
name = "staged"
batch_rows = {batch_rows}
[target]
url = "{target_url}"
"""

Rows = Sequence[Mapping[str, str | None]]


def lay_out(
    folder: Path,
    specs: Mapping[str, str],
    *,
    target: str = TARGET,
    codes: Mapping[str, str] | None = None,
    target_url: str = "sqlite:///target.db",
    systems: Sequence[str] = ("old",),
    batch_rows: int = 1000,
) -> Path:
    """The files of a project, over whatever stood there before."""
    for part in ("tables", "codes", "dump"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    settings = SETTINGS.format(batch_rows=batch_rows, target_url=target_url)
    settings += "".join(f'[systems.{name}]\ndump = "dump"\ncentury_pivot = 26\n' for name in systems)
    (folder / "casebridge.toml").write_text(settings, encoding="utf-8")
    (folder / "target.toml").write_text(target, encoding="utf-8")
    for old in (folder / "tables").iterdir():
        old.unlink()
    for name, text in specs.items():
        (folder / "tables" / f"{name}.toml").write_text(text, encoding="utf-8")
    for name, text in (codes or {}).items():
        (folder / "codes" / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def read_job(folder: Path, run: str, words: Vocabulary = WORDS, report: Reporter | None = None) -> Job:
    """A job of the project in `folder`, without the checks that a command makes before; its ledger is open."""
    settings = read_settings(folder)
    target = read_target(folder / "target.toml")
    specs = read_specs(folder, settings, target, words)
    return Job(settings, target, specs, Ledger(settings.work), run, report or Silent())


def conversion_of(
    folder: Path, spec: str, *, target: str = TARGET, codes: Mapping[str, str] | None = None
) -> Conversion:
    """How the rows of one spec are converted, as the transform stage does it."""
    lay_out(folder, {"only": spec}, target=target, codes=codes)
    settings = read_settings(folder)
    (read,) = read_specs(folder, settings, read_target(folder / "target.toml"), WORDS)
    pivot = settings.systems[read.system].century_pivot
    return make_plan(read, read_codes(folder / "codes", sorted(codes or ())), pivot)


def raw_rows(rows: Rows, columns: Sequence[str]) -> pl.DataFrame:
    """A batch of source rows by number, each with what it says."""
    return pl.DataFrame(
        {"_row": range(1, len(rows) + 1)} | {name: [row.get(name) for row in rows] for name in columns},
        schema={"_row": pl.Int64(), **dict.fromkeys(columns, pl.String())},
    )


@contextmanager
def job_of(folder: Path, run: str = "trial-1") -> Iterator[Job]:
    """A job whose run is open, closed afterwards."""
    job = read_job(folder, run)
    try:
        job.ledger.open_run(run, "sqlite")
        yield job
    finally:
        job.ledger.close()


def extracted(job: Job, name: str, *batches: Rows, columns: Sequence[str] = (), system: str = "old") -> None:
    """Seal these rows as the raw batches of a source; row numbers follow the file's order."""
    source, sealed, line = Source(system, name), [], 1
    first = job.ledger.first_row(source)
    for number, rows in enumerate(batches):
        names = list(columns) or list(dict.fromkeys(key for row in rows for key in row))
        frame = pl.DataFrame(
            {
                "_row": [first + line + place for place in range(len(rows))],
                "_file": f"{name}.csv",
                "_line": [line + place + 1 for place in range(len(rows))],
                "_lines": 1,
                **{column: [row.get(column) for row in rows] for column in names},
            },
            schema={**ORIGIN, **dict.fromkeys(names, pl.String())},
        )
        line += len(rows)
        inputs = digest([dict(row) for row in rows], first, line)
        job.ledger.attempt("extract", str(source), number, inputs)
        written = write_batch(job.work, "extract", str(source), number, "raw", inputs, frame)
        tally = Tally(read=frame.height, passed=frame.height)
        job.ledger.record("extract", str(source), number, inputs, [written], tally)
        sealed.append((number, inputs))
    job.ledger.seal(job.run, "extract", str(source), sealed)


def read_all(job: Job, stage: str, name: str, kind: str) -> pl.DataFrame:
    """All rows that this run has of one kind, in one frame."""
    return pl.concat([batch.read() for batch in job.ledger.sealed(job.run, stage, name, kind)])
