"""Both sides of the books, counted again: the source from the extracted files, the target from itself.

One pass over each target table, parents first, gives every loaded and combined row its place; then the
merged ones and the first cause of all others; then one pass over the raw text for the controls.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
import sqlalchemy as sa

from casebridge.project.acceptances import Acceptance, Acceptances
from casebridge.project.batch import Batch, with_rows
from casebridge.project.contracts import (
    CROSSWALK,
    REST,
    ROW,
    ROW_VERDICTS,
    SOURCE_SHIFT,
    SPACES,
    Place,
    Verdict,
    empty,
)
from casebridge.project.errors import Excess
from casebridge.project.job import Job
from casebridge.project.limits import Measure, over
from casebridge.project.spec import Source, TableSpec
from casebridge.reconciliation.counting.account_book import Book, Rows, open_book
from casebridge.reconciliation.counting.codes import Codes
from casebridge.reconciliation.counting.compare import (
    SPEC,
    Claims,
    TableComparison,
    compare,
    name_columns,
    read_claims,
)
from casebridge.reconciliation.counting.controls import Control, Setting
from casebridge.reconciliation.counting.crosswalk import Ways, compare_crosswalk
from casebridge.reconciliation.counting.money import Money
from casebridge.reconciliation.counting.restriction import Restriction
from casebridge.reconciliation.counting.spec_books import SpecAccount
from casebridge.reconciliation.counting.unchanged import state_of
from casebridge.reconciliation.counting.walk import STAGE, by_spec
from casebridge.reconciliation.reading.query import query_columns
from casebridge.reconciliation.reading.target import look, snapshot
from casebridge.reconciliation.reading.verified_files import RunFiles, verified_files

UNDECIDED = "undecided"


@dataclass
class Books:
    """Everything that was counted. The checks judge it; nothing here is a verdict."""

    job: Job
    files: RunFiles
    setting: Setting
    book: Book
    sides: dict[str, TableComparison] = field(default_factory=dict)
    differences: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    state: str | None = None
    ways: Ways | None = None
    merged_apart: int = 0
    undecided: int = 0
    kept_apart: dict[str, int] = field(default_factory=dict)
    values: list[tuple[str, str, str, str, int]] = field(default_factory=list)
    accounts: tuple[SpecAccount, ...] = ()
    over_limits: tuple[tuple[Excess, Acceptance | None], ...] = ()
    money: Money = field(init=False)
    codes: Codes = field(init=False)
    restriction: Restriction = field(init=False)

    def __post_init__(self) -> None:
        self.money, self.codes = Money(self.setting), Codes(self.setting)
        self.restriction = Restriction(self.setting)

    @property
    def controls(self) -> tuple[Control, ...]:
        """All controls."""
        return self.money, self.codes, self.restriction


def recount(job: Job) -> Books:
    """Count everything again."""
    files = verified_files(job)
    book = open_book(job, files)
    books = Books(job, files, _setting(job, files), book)
    engine = job.open_target()
    try:
        # Before anything is counted: what is written from here on makes the proof fail, seen by us or not.
        with engine.connect() as connection:
            books.state = state_of(connection, look(connection, job.target.tables).values())
        with snapshot(engine) as connection:
            led = _targets(books, connection)
            books.ways = compare_crosswalk(connection, job, files, books.setting)
    finally:
        engine.dispose()
    merged = _merged(books, led)
    _causes(books)
    books.accounts = by_spec(job, files, book, books.setting, books.controls, merged)
    books.over_limits = _over_limits(books)
    books.undecided = _undecided(books)
    books.kept_apart = _kept_apart(books)
    return books


def _over_limits(books: Books) -> tuple[tuple[Excess, Acceptance | None], ...]:
    """Which shares are above what was agreed, with the word of whoever accepted them."""
    accepted, job = Acceptances(books.job.ledger), books.job
    sources = [
        Measure(page.source.name, page.height, {"rejected": len(page.unreadable)})
        for page in books.book.pages.values()
    ]
    specs = [
        Measure(
            account.spec.name,
            account.asked,
            {
                "rejected": account.places["rejected"],
                "held": 0 if account.spec.holds_all else account.places["held"],
                "set_aside": account.aside,
            },
        )
        for account in books.accounts
    ]
    found = over(job.settings.limits, [*sources, *specs])
    return tuple((excess, accepted.covering(job.run, excess)) for excess in found)


def _setting(job: Job, files: RunFiles) -> Setting:
    frames = [batch.read(list(CROSSWALK)) for batch in files.of("dedupe", "crosswalk", "crosswalk")]
    lines = pl.concat([empty(CROSSWALK), *frames])
    survivors = lines.select(
        pl.col("system").alias("survivor_system"),
        pl.col("key").alias("survivor_key"),
        pl.col(ROW).alias("survivor_row"),
    ).unique(["survivor_system", "survivor_key"], keep="first", maintain_order=True)
    itself = (pl.col("system") == pl.col("survivor_system")) & (pl.col("key") == pl.col("survivor_key"))
    folded = lines.filter(~itself).join(survivors, on=["survivor_system", "survivor_key"], how="left")
    raws = {source: next(files.of("extract", str(source), "raw"), None) for source in job.reads()}
    schemas = {source: dict(raw.scan().collect_schema()) if raw else {} for source, raw in raws.items()}
    columns = {source: frozenset(schema) for source, schema in schemas.items()}
    gone = folded.get_column("survivor_row").drop_nulls().unique()
    queries = query_columns(job, schemas)
    found = [batch.read(list(CROSSWALK)) for batch in files.of("dedupe", "crosswalk", "withheld")]
    withheld = pl.concat([empty(CROSSWALK), *found])
    rows = [batch.read() for batch in files.of("dedupe", "crosswalk", "spaces")]
    spaces = dict(pl.concat([empty(SPACES), *rows]).iter_rows())
    register = _register(job, files, lines)
    return Setting(job, files, folded, gone, register, columns, queries, withheld, spaces)


def _register(job: Job, files: RunFiles, lines: pl.DataFrame) -> frozenset[str]:
    """The specs whose rows the crosswalk speaks of: those with golden records, or else the records' own
    table, which loads before all others that take the same source."""
    named = {batch.table for batch in files.batches if (batch.stage, batch.kind) == ("dedupe", "golden")}
    if named or lines.is_empty():
        return frozenset(named)
    numbers = set(lines.get_column(ROW) // (1 << SOURCE_SHIFT))
    sources = [source for number, source in job.ledger.sources().items() if number in numbers]
    order = {name: place for place, name in enumerate(job.target.load_order)}
    found: set[str] = set()
    for source in sources:
        specs = sorted(job.specs_of(source), key=lambda spec: (order[spec.target], spec.name))
        found.update(spec.name for spec in specs[:1])
    return frozenset(found)


def _loads(books: Books, table: str) -> list[tuple[int, Batch]]:
    """Load's sound files for one target table, with the number of the spec they are of."""
    specs = [(number, spec) for number, spec in enumerate(books.job.specs) if spec.target == table]
    return [(n, batch) for n, spec in specs for batch in books.files.of("load", spec.name, "rows")]


def _targets(books: Books, connection: sa.Connection) -> Rows:
    """Every target table, re-read. Gives the source rows that lead a person's own row."""
    job = books.job
    held = look(connection, job.target.tables)
    needed = {str(column.references) for table in job.target.tables for column in table.references}
    parents: dict[str, Rows] = {}
    led = [np.empty(0, np.int64)]
    for name in job.target.load_order:
        batches = _loads(books, name)
        job.report.table(STAGE, name, sum(batch.rows for _, batch in batches))
        claims = read_claims(held[name], batches)
        watching = [control for control in books.controls if control.wants(name)]

        def watch(chunk: pl.DataFrame, name: str = name, watching: list[Control] = watching) -> None:
            job.report.advance(chunk.height)
            for control in watching:
                control.from_target(name, chunk)

        side, present = compare(connection, held[name], claims, parents, watch)
        books.sides[name] = side
        books.differences[name] = name_columns(connection, side, batches)
        if name in needed:
            parents[name] = present
        led.append(_place(books, claims))
    return np.concatenate(led)


def _place(books: Books, claims: Claims) -> Rows:
    """Loaded and combined rows of one table; gives the leads of the register's own rows."""
    there = claims.there
    led = [np.empty(0, np.int64)]
    for number in np.unique(claims.specs):
        rows = claims.leads[there & (claims.specs == number)]
        spec = books.job.specs[number]
        decides = spec in deciding(books.job)
        books.book.loaded(rows, int(number), decides=decides)
        behind = claims.rest.filter((pl.col(SPEC) == number) & ~pl.col("id").is_in(claims.ids[~there]))
        books.book.combined(behind.get_column(ROW).to_numpy(), int(number), decides=decides)
        if spec.name in books.setting.register:
            led.append(rows)
    return np.concatenate(led)


def deciding(job: Job) -> tuple[TableSpec, ...]:
    """The specs that decide the places of source rows, in the order in which they judge.

    A spec with a `part` adds to rows that another spec places. Where a source has no other, it decides.
    """
    order = {name: place for place, name in enumerate(job.target.load_order)}
    whole = {source for spec in job.specs if not spec.part for source in spec.sources}
    specs = (spec for spec in job.specs if not spec.part or not whole.intersection(spec.sources))
    return tuple(sorted(specs, key=lambda spec: (order[spec.target], spec.name)))


def _merged(books: Books, led: Rows) -> Rows:
    """Folded persons whose survivor is there, and who do not stand apart themselves."""
    folded = books.setting.folded
    files = folded.filter(pl.col("survivor_row").is_in(led))
    apart = files.filter(pl.col(ROW).is_in(led))
    books.merged_apart = apart.height
    rows = files.join(apart, on=ROW, how="anti").get_column(ROW).to_numpy()
    books.book.merged(rows)
    return rows


def _causes(books: Books) -> None:
    """The first cause of every row without a place, in the order in which the stages judge."""
    for source in books.job.reads():
        for batch in with_rows(books.files.of("extract", str(source), "unreadable")):
            _unreadable(books, source, batch)
        _stopped(books, "transform", str(source))
    specs = deciding(books.job)
    for stage in ("transform", "load"):
        for spec in (*specs, *(spec for spec in books.job.specs if spec not in specs)):
            _stopped(books, stage, spec.name, decides=spec in specs)
    _lookups(books)


def _lookups(books: Books) -> None:
    """Rows of tables that only explain codes, for every spec that reads them, are no records."""
    for page in books.book.pages.values():
        specs = books.job.specs_of(page.source)
        if not all(page.source.name in spec.lookups for spec in specs):
            continue
        rows = np.arange(page.first, page.first + page.height) if page.rows is None else page.rows
        free = pl.DataFrame({ROW: rows[page.place == 0]}, schema={ROW: pl.Int64}).with_columns(
            pl.lit(str(Place.EXCLUDED)).alias("verdict"),
            pl.lit("lookup").alias("rule"),
            pl.lit(None, pl.String).alias("column"),
            pl.lit(None, pl.String).alias("parent"),
        )
        books.book.stopped(free, "transform", str(page.source))


def _unreadable(books: Books, source: Source, batch: Batch) -> None:
    rows = batch.read([ROW, "reason"]).select(
        ROW,
        pl.lit(str(Place.REJECTED)).alias("verdict"),
        pl.col("reason").alias("rule"),
        pl.lit(None, pl.String).alias("column"),
        pl.lit(None, pl.String).alias("parent"),
    )
    books.book.stopped(rows, "extract", str(source))


def _stopped(books: Books, stage: str, name: str, *, decides: bool = True) -> None:
    columns = [ROW, REST, "verdict", "first", "rule", "column", "parent"]
    places = [str(verdict) for verdict in ROW_VERDICTS]
    values = [str(verdict) for verdict in (Verdict.SET_ASIDE, Verdict.TRUNCATED, Verdict.WARNED)]
    for batch in with_rows(books.files.of(stage, name, "quarantine")):
        rows = batch.read(columns)
        if decides:
            first = rows.filter(pl.col("first") & pl.col("verdict").is_in(places))
            books.book.stopped(_with_rest(first), stage, name)
        faults = rows.filter(pl.col("verdict").is_in(values)).group_by("verdict", "column", "rule").len()
        for verdict, column, rule, count in faults.iter_rows():
            books.values.append((name, column or "", rule or "", verdict, count))


def _with_rest(rows: pl.DataFrame) -> pl.DataFrame:
    """One line for each source row: those behind the lead row share its place and cause."""
    behind = rows.filter(pl.col(REST).list.len() > 0).with_columns(pl.col(REST).alias(ROW)).explode(ROW)
    return pl.concat([rows, behind]).drop(REST, "first")


def _undecided(books: Books) -> int:
    pairs = books.files.of("dedupe", "pairs", "pairs")
    return sum(int((batch.read(["state"]).get_column("state") == UNDECIDED).sum()) for batch in pairs)


def _kept_apart(books: Books) -> dict[str, int]:
    """Groups that people said are one person and that merge pre-flight kept apart, by what can be done."""
    rows = [batch.read(["group", "outcome"]) for batch in books.files.of("dedupe", "preflight", "apart")]
    groups = pl.concat(rows).unique() if rows else pl.DataFrame(schema={"outcome": pl.String})
    return dict(groups.group_by("outcome").len().sort("outcome").iter_rows())
