"""The whole council on disk: dump/ as the old system exported it, truth/ as it will be found to be.

Works in chunks of people, families whole, and appends; memory holds one chunk and the truth about people.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from casebridge.synthetic.addresses import write_addresses, write_aliases
from casebridge.synthetic.chunk import Chunk, Pools, stream
from casebridge.synthetic.circumstances import write_circumstances
from casebridge.synthetic.codelists import CODE_LISTS
from casebridge.synthetic.council import ADULT, NEVER, RELATIVE, SNAPSHOT, YEAR
from casebridge.synthetic.documents import Shelf, make_shelf, write_documents, write_shelf
from casebridge.synthetic.duplicates import SHARE, make_records, nhs_numbers
from casebridge.synthetic.families import make_people
from casebridge.synthetic.money import write_money
from casebridge.synthetic.names import Ints, build_names
from casebridge.synthetic.network import find_relations, write_network
from casebridge.synthetic.notes import write_notes
from casebridge.synthetic.obstacles import obstacles
from casebridge.synthetic.persons import write_persons
from casebridge.synthetic.properties import make_properties, write_properties, write_residents
from casebridge.synthetic.staff import Staff, make_staff, write_orgs, write_workers
from casebridge.synthetic.verdicts import LOADED
from casebridge.synthetic.work import write_activities, write_warnings
from casebridge.synthetic.writer import Writer

CHUNK: Final = 50_000  # person rows
STEADY_ROWS: Final = 4.6  # per person row, whatever the intensity: itself, aliases, addresses, network, warnings …
WORK_ROWS: Final = 11.0  # per person row, at intensity 1: notes, activities, money, documents
LEAST_INTENSITY: Final = 0.25
MOST_INTENSITY: Final = 4.0
FEWEST: Final = 500

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What was made. `rows` counts source rows as the truth accounts for them, files on disk included."""

    people: int
    persons: int
    rows: dict[str, int]
    seconds: float
    folder: Path

    @property
    def total(self) -> int:
        return sum(self.rows.values())


@dataclass(frozen=True, slots=True)
class _Plan:
    persons: int
    intensity: float


def make_council(
    folder: Path, *, people: int, records: int | None = None, seed: int = 1, progress: Progress | None = None
) -> Summary:
    """Write `folder`/dump and `folder`/truth: `people` rows of CF_PERSON and some 15 source rows for each.

    `records` asks for a total of source rows instead: first more or less is written about each person
    (a quarter to four times as much), then, if that does not do, the number of people gives way.
    The same arguments give the same bytes. Raises FileExistsError rather than writing over a dump.
    """
    began = time.perf_counter()
    plan = _plan(people, records)
    if (folder / "dump").exists() or (folder / "truth").exists():
        raise FileExistsError(f"{folder} already holds a dump")
    council = _Council(folder, plan, seed, progress or _silent)
    council.write()
    rows = council.writer.rows
    return Summary(council.humans, plan.persons, rows, time.perf_counter() - began, folder)


def _silent(step: str, done: int) -> None:
    del step, done


def _plan(people: int, records: int | None) -> _Plan:
    if people < FEWEST:
        raise ValueError(f"a council has at least {FEWEST} people, not {people}")
    if records is None:
        return _Plan(people, 1.0)
    intensity = (records / people - STEADY_ROWS) / WORK_ROWS
    bounded = min(max(intensity, LEAST_INTENSITY), MOST_INTENSITY)
    if bounded != intensity:
        people = max(FEWEST, round(records / (STEADY_ROWS + WORK_ROWS * bounded)))
    return _Plan(people, bounded)


class _Council:
    def __init__(self, folder: Path, plan: _Plan, seed: int, progress: Progress) -> None:
        self.plan, self.seed, self.progress = plan, seed, progress
        self.writer = Writer(folder)
        self.pools = Pools(build_names())
        self.staff: Staff = make_staff(stream(seed, 0, "staff"), self.pools.names, plan.persons)
        self.properties = make_properties(stream(seed, 0, "properties"), self.pools.places, plan.persons)
        self.shelf: Shelf = make_shelf(self.writer, stream(seed, 0, "files"), round(plan.persons * plan.intensity))
        self.nhs = nhs_numbers(stream(seed, 0, "nhs"))
        self.nhs_used = 0
        self.humans = 0
        self.clients_left = self.staff.client.tolist()
        self.people: list[pl.DataFrame] = []
        self.relations: list[pl.DataFrame] = []
        self.adopted: list[pl.DataFrame] = []
        self.obstacles: list[pl.DataFrame] = []

    def write(self) -> None:
        write_orgs(self.staff, self.writer)
        write_properties(self.properties, self.writer)
        sizes = _sizes(self.plan.persons)
        for number, size in enumerate(sizes):
            self._write_chunk(number, len(sizes), size)
            self.progress("people", sum(sizes[: number + 1]))
        write_workers(self.staff, self.writer, self.pools.dates, stream(self.seed, 0, "staff"))
        _write_codes(self.writer)
        write_shelf(self.shelf, self.writer)
        self._write_truth()
        self.progress("truth", self.plan.persons)

    def _write_chunk(self, number: int, of: int, size: int) -> None:
        copies = round(size * SHARE)
        rng = stream(self.seed, number, "people")
        people = make_people(rng, self.pools.names, size - copies)
        nhs = self._draw_nhs(rng, len(people))
        records = make_records(people, self.pools.names, nhs, stream(self.seed, number, "records"), copies)
        chunk = Chunk(
            number, of, self.seed, self.plan.intensity, people, records, self.pools, self.staff, self.writer
        )
        write_persons(chunk)
        self._employ_clients(chunk)
        relations = find_relations(people)
        self._remember(chunk, relations.frame())
        write_aliases(chunk)
        write_addresses(chunk)
        write_network(chunk, relations)
        write_notes(chunk)
        write_activities(chunk)
        write_money(chunk)
        write_warnings(chunk)
        write_documents(chunk, self.shelf)
        write_circumstances(chunk)
        write_residents(chunk, self.properties)
        self.obstacles.append(obstacles(chunk))
        self.humans += len(people)

    def _draw_nhs(self, rng: np.random.Generator, n: int) -> Ints:
        """About half of the people; nobody gets one when the reserved range is used up."""
        has = np.flatnonzero(rng.random(n) < 0.52)[: len(self.nhs) - self.nhs_used]
        numbers = np.zeros(n, dtype=np.int64)
        numbers[has] = self.nhs[self.nhs_used : self.nhs_used + len(has)]
        self.nhs_used += len(has)
        return numbers

    def _employ_clients(self, chunk: Chunk) -> None:
        """A few workers of this chunk's working age turn out to be clients too, under the same name."""
        people, names = chunk.people, self.pools.names
        share = -(-len(self.staff.client) // chunk.of)
        age = (SNAPSHOT - people.born) / YEAR
        fit = np.isin(people.kind, (ADULT, RELATIVE)) & (age > 22) & (age < 66) & (people.died == NEVER)
        rows = np.flatnonzero(fit & (chunk.standing[: len(people)] == LOADED))
        for row in rows[:: max(1, len(rows) // share)][:share]:
            if self.clients_left:
                worker = self.clients_left.pop()
                name = names.surnames[int(people.surname[row])], names.forenames[int(people.forename[row])]
                self.staff.worker_names[worker] = name
                self.staff.pi_no[worker] = str(chunk.pi[int(row)])

    def _remember(self, chunk: Chunk, relations: pl.DataFrame) -> None:
        """The truth about people; human beings are numbered through all chunks."""
        records, base = chunk.records, self.humans
        self.people.append(pl.DataFrame({
            "pi_no": chunk.pi, "person": records.person + base, "copy": records.copy,
            "errors": pl.Series(records.errors, dtype=pl.List(pl.String)),
        }))  # fmt: skip
        self.relations.append(relations.with_columns(pl.col("person_a", "person_b") + base))
        new = np.flatnonzero(chunk.people.was >= 0)
        old = chunk.people.was[new]
        self.adopted.append(pl.DataFrame({"old_pi_no": chunk.pi.gather(old), "new_pi_no": chunk.pi.gather(new)}))

    def _write_truth(self) -> None:
        writer = self.writer
        writer.close()
        writer.save("people", pl.concat(self.people).sort("pi_no"))
        writer.save("relations", pl.concat(self.relations).sort("kind", "person_a", "person_b"))
        writer.save("blockers", pl.concat(self.obstacles).sort("blocker", "pi_a", "pi_b"))
        adopted = pl.concat(self.adopted).sort("old_pi_no")
        writer.save("adopted", adopted, mode=0o600)
        if adopted.is_empty():
            return
        listed = "".join(f"{number}\r\n" for number in ["PI_NO", *adopted["old_pi_no"]])
        protected = writer.dump / "protected" / "NO_LINK.csv"
        protected.write_bytes(listed.encode("latin-1"))
        protected.chmod(0o600)


def _sizes(persons: int) -> list[int]:
    """Chunks of nearly equal size."""
    chunks = max(1, round(persons / CHUNK))
    return [persons * (at + 1) // chunks - persons * at // chunks for at in range(chunks)]


def _write_codes(writer: Writer) -> None:
    """The old system's own list of its codes, dead ones and reused ones included."""
    rows = []
    for name, codes in CODE_LISTS.items():
        for code in codes:
            since = f"{code.since:%d/%m/%Y}" if code.since else "01/01/1991"
            until = f"{code.until:%d/%m/%Y}" if code.until else ""
            live = "Y" if code.live and not code.until else "N"
            rows.append((name.upper(), code.code, code.description, live, since, until))
    columns = ["DOMAIN", "CODE", "DESCRIPTION", "LIVE_YN", "FROM_DT", "TO_DT"]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    nothing = np.zeros(len(frame), dtype=np.bool_)
    lines = writer.append("CF_CODE", frame, nothing, ())
    keys = frame.select(pl.concat_str("DOMAIN", "CODE", "FROM_DT", separator="|").alias("key")).to_series()
    writer.account("CF_CODE", lines, keys, nothing.astype(np.uint8), nothing)
