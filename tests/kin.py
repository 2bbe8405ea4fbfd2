"""A migration of a few people and how they are related, by the command line alone.

The dump is two CSV files. What a test decides of the people is a file of decisions, as a reviewer would give it.
"""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from casebridge.migrate.pipeline import open_job
from casebridge.project.database import open_database
from tests.audit_key import lay_key
from tests.councils import casebridge
from tests.staged import lay_out

TARGET = """
[persons]
primary_key = "person_id"
legacy_key = "legacy_id"
[persons.columns]
person_id = { type = "bigint" }
legacy_id = { type = "varchar(40)" }
last_name = { type = "varchar(30)" }
phone = { type = "varchar(20)" }
restricted = { type = "char(1)" }

[relations]
primary_key = "relation_id"
legacy_key = "legacy_id"
[relations.columns]
relation_id = { type = "bigint" }
legacy_id = { type = "varchar(40)" }
person_id = { type = "bigint", nullable = false, references = "persons" }
other_id = { type = "bigint", nullable = false, references = "persons" }
kind = { type = "varchar(10)" }
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
[columns.phone]
from = "PHONE"
[columns.restricted]
from = "SECURE"
steps = ["yes_no"]
required = true
"""

RELATIONS = """
[table]
system = "old"
source = "RELATION"
target = "relations"
key = ["REL_NO"]
once = ["person_id", "other_id", "kind"]
[columns.person_id]
from = "NO"
required = true
[columns.other_id]
from = "OTHER"
required = true
[columns.kind]
from = "KIND"
"""

LINKAGE = """
[register]
tables = ["persons"]
query = "SELECT _key AS id, last_name, phone FROM persons"
[fields]
surname = "last_name"
phone = "phone"
"""

FILES = {"PERSON": ("NO", "NAME", "PHONE", "SECURE"), "RELATION": ("REL_NO", "NO", "OTHER", "KIND")}

Row = Mapping[str, str]


def person(number: int | str, name: str = "Ng", phone: str = "", secure: str = "N") -> Row:
    """One line of PERSON.csv."""
    return {"NO": str(number), "NAME": name, "PHONE": phone, "SECURE": secure}


def relation(number: int, one: int, other: int, kind: str = "kin") -> Row:
    """One line of RELATION.csv: a person, and who the other is to them."""
    return {"REL_NO": f"R{number}", "NO": str(one), "OTHER": str(other), "KIND": kind}


@dataclass(frozen=True)
class Kin:
    """The project, and its target."""

    folder: Path
    target: str

    def dump(self, people: Sequence[Row], relations: Sequence[Row] = ()) -> None:
        """The next export: these people and relations, in this order."""
        for name, rows in (("PERSON", people), ("RELATION", relations)):
            with (self.folder / "dump" / f"{name}.csv").open("w", encoding="cp1252", newline="") as file:
                writer = csv.DictWriter(file, FILES[name])
                writer.writeheader()
                writer.writerows(rows)

    def cli(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command on this project."""
        return casebridge(*words, "--project", str(self.folder))

    def run(self, name: str = "trial-1", *words: str) -> None:
        """All stages; the books must balance."""
        done = self.cli("run", "--name", name, *words)
        assert done.returncode == 0, done.stdout + done.stderr

    def decide(self, *pairs: tuple[int, int], ruling: str = "same") -> None:
        """The word of two reviewers on each of these pairs: linkage put none of them forward."""
        both = ("J. Reviewer", "B. Second")
        lines = [f"{left},{right},{ruling},{who},seen" for left, right in pairs for who in both]
        path = self.folder / "decisions.csv"
        path.write_text("\n".join(["left,right,verdict,reviewer,reason", *lines, ""]), encoding="utf-8")
        done = self.cli("decide", str(path))
        assert done.returncode == 0, done.stderr

    def ask(self, query: str) -> list[tuple[object, ...]]:
        """Rows of the target."""
        engine = open_database(self.target)
        with engine.connect() as connection:
            rows = [tuple(row) for row in connection.execute(sa.text(query))]
        engine.dispose()
        return rows

    def change(self, *statements: str) -> None:
        """What somebody else does to the target."""
        engine = open_database(self.target)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))
        engine.dispose()

    def people(self) -> list[tuple[object, ...]]:
        """The people in the target: old key, telephone, restriction."""
        return self.ask("SELECT legacy_id, phone, restricted FROM persons ORDER BY length(legacy_id), legacy_id")

    def relations(self) -> list[tuple[object, ...]]:
        """The relations in the target, with the old keys of the two people they stand under."""
        return self.ask(
            "SELECT r.legacy_id, a.legacy_id, b.legacy_id FROM relations r "
            "JOIN persons a ON a.person_id = r.person_id JOIN persons b ON b.person_id = r.other_id ORDER BY 1"
        )

    def protect(self, *lines: str) -> None:
        """Name a no-link list with these lines."""
        settings = self.folder / "casebridge.toml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.rstrip() + '\nno_link = "NO_LINK.csv"\n', encoding="utf-8")
        (self.folder / "NO_LINK.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")

    def folded(self, run: str) -> set[str]:
        """The keys that a run folded into another record."""
        with open_job(self.folder, run) as job:
            (batch,) = job.ledger.sealed(run, "dedupe", "crosswalk", "crosswalk")
        rows = batch.read(["key", "survivor_key"])
        return set(rows.filter(pl.col("key") != pl.col("survivor_key")).get_column("key"))

    def places(self, source: str, run: str = "trial-1") -> list[str]:
        """Where each line of a file ended, in order, as the report has it."""
        rows = pl.read_parquet(self.folder / "reports" / run / "dispositions.parquet")
        return rows.filter(pl.col("source") == source).sort("line").get_column("place").to_list()


def make_kin(
    folder: Path, people: Sequence[Row], relations: Sequence[Row] = (), *, target: str = "", batch_rows: int = 1000
) -> Kin:
    """A project with its first dump; small batches make many of them."""
    url = target or "sqlite:///target.db"
    specs = {"persons": PERSONS, "relations": RELATIONS}
    lay_out(folder, specs, target=TARGET, target_url=url, batch_rows=batch_rows)
    (folder / "linkage.toml").write_text(LINKAGE, encoding="utf-8")
    made = Kin(folder, target or f"sqlite:///{folder / 'target.db'}")
    lay_key(folder)
    made.dump(people, relations)
    return made
