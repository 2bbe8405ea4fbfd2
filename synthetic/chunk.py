"""What the makers of tables share: one chunk of the council, its people, and the pools text is drawn from."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl

from casebridge.synthetic.council import NEVER, SNAPSHOT, People
from casebridge.synthetic.duplicates import Records
from casebridge.synthetic.formats import Codes, Dates, digits
from casebridge.synthetic.names import Floats, Ints, Names
from casebridge.synthetic.places import Places
from casebridge.synthetic.sheet import Sheet
from casebridge.synthetic.staff import Staff
from casebridge.synthetic.verdicts import LOADED, ORPHAN, Mask, Verdicts, resolvable
from casebridge.synthetic.writer import Writer

# Each table draws from a stream of its own: a change in one does not shuffle all the others.
STREAMS: Final = ("people", "records", "person", "alias", "address", "network", "observation", "activity",
    "agreement", "line", "payment", "warning", "document", "staff", "files", "nhs", "circumstances",
    "properties", "residents")  # fmt: skip
_WIDTHS: Final = {
    "sex": 1, "ethnicity": 4, "religion": 4, "language": 4, "marital_status": 2, "alias_type": 6,
    "address_type": 6, "relationship": 6, "involvement": 6, "observation_type": 4, "activity_type": 6,
    "activity_status": 6,
    "agreement_type": 6, "agreement_status": 2, "service": 6, "element": 6, "unit": 2, "warning_type": 6,
    "document_type": 6, "org_type": 6, "title": 10,
}  # fmt: skip


def stream(seed: int, chunk: int, name: str) -> np.random.Generator:
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=(chunk, STREAMS.index(name)))
    return np.random.Generator(np.random.PCG64(sequence))


@dataclass(slots=True)
class Pools:
    """Made once for the whole council."""

    names: Names
    places: Places = field(default_factory=Places)
    dates: Dates = field(default_factory=Dates)
    codes: dict[str, Codes] = field(default_factory=lambda: {n: Codes(n, w) for n, w in _WIDTHS.items()})


@dataclass
class Chunk:
    number: int
    of: int
    seed: int
    intensity: float  # how much work is recorded per person; 1 gives some 15 source rows a person
    people: People
    records: Records
    pools: Pools
    staff: Staff
    writer: Writer
    standing: Verdicts = field(default_factory=lambda: np.zeros(0, dtype=np.uint8))  # of the person rows
    closed: Mask = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))  # person rows that are restricted
    held: dict[str, Any] = field(default_factory=dict)  # by table, the rows that load (circumstances.Rows)
    ties: int = 0  # rows of CF_NETWORK so far
    tied: dict[str, tuple[Ints, Ints]] = field(default_factory=dict)  # records of one human being, keyed as two

    def rng(self, name: str) -> np.random.Generator:
        return stream(self.seed, self.number, name)

    @property
    def least(self) -> int:
        """Every kind of defect turns up in the first chunk, so even a small council has them all."""
        return 1 if self.number == 0 else 0

    @cached_property
    def order(self) -> Ints:
        """Person rows as they lie in the file: by day of creation."""
        return np.asarray(np.argsort(self.records.created, kind="stable"), dtype=np.int64)

    @cached_property
    def pi_numbers(self) -> Ints:
        """PI numbers rise with the day of creation; the chunks' numbers interlock."""
        rank = np.empty(len(self.records), dtype=np.int64)
        rank[self.order] = np.arange(len(self.records))
        return 10_000 + rank * self.of + self.number

    @cached_property
    def pi(self) -> pl.Series:
        return digits(self.pi_numbers, 8)

    @cached_property
    def copies(self) -> tuple[Ints, Ints]:
        """Per human being: the first row that is a copy (or -1), and how many there are."""
        count = np.bincount(self.records.person[self.records.first :], minlength=self.records.first)
        start = self.records.first + np.cumsum(count) - count
        return np.where(count > 0, start, -1), count

    @cached_property
    def last_day(self) -> Ints:
        """Per record, the last day on which anything was written down."""
        died = self.people.died[self.records.person]
        return np.where(died > NEVER, np.minimum(died, SNAPSHOT), SNAPSHOT)

    @cached_property
    def activity(self) -> Floats:
        """Per record, how much happens: clients a lot, relatives little, a copy less than the first record."""
        weight = np.array([1.0, 1.3, 0.35, 1.7, 0.6, 0.3, 0.3])[self.people.kind[self.records.person]]
        return np.asarray(weight * np.where(self.records.copy > 0, 0.35, 1.0))

    def numbers(self, leading: int, n: int) -> pl.Series:
        """Ten-digit keys: a leading digit for each table, a range of its own for each chunk.

        The last tenth of the table's numbers is never given out: rows that point at nothing point there.
        """
        base = leading * 1_000_000_000 + self.number * 900_000_000 // self.of
        return pl.Series(base + np.arange(n)).cast(pl.String)


def unknown_pi(rng: np.random.Generator, n: int) -> list[str]:
    """PI numbers that nobody bears."""
    return [str(90_000_000 + int(at)) for at in rng.integers(0, 9_999_999, n)]


def orphan_people(sheet: Sheet, column: str, rate: float) -> None:
    """Rows of a person who is in no person row: deleted in the nineties without the children's rows."""
    rows = sheet.pick(rate)
    sheet.spoil(rows, column, unknown_pi(sheet.rng, len(rows)))
    sheet.verdict[rows] = ORPHAN


def workers(chunk: Chunk, rng: np.random.Generator, n: int, lost: float = 4e-4) -> Ints:
    """A worker for each row; a few name one whom the worker file does not know, fewer one it cannot show."""
    known = len(chunk.staff.worker_names)
    who = (known * rng.random(n) ** 1.3).astype(np.int64)
    unreadable = (chunk.staff.verdict[who] > LOADED) & (rng.random(n) < 0.97)
    who = np.where(unreadable, (who + 1) % known, who)
    return np.where(rng.random(n) < lost, known, who)


def unknown_workers(chunk: Chunk, who: Ints) -> Ints:
    """Rows whose optional worker cannot be resolved."""
    return np.flatnonzero(
        ~resolvable(chunk.staff.verdict, np.where(who < len(chunk.staff.verdict), who, -1)) & (who >= 0)
    )
