"""`casebridge quarantine`: which lines go into whose workbook, and that it is on record before they leave."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from casebridge.migrate.quarantine.history import history_of
from casebridge.migrate.quarantine.lines import NOBODY, lines_of, owner_of
from casebridge.migrate.quarantine.subjects import hidden_subjects, marked_rows
from casebridge.migrate.quarantine.workbooks import Owned, file_names, write_workbook
from casebridge.project.audit import login
from casebridge.project.contracts import KEY, ROW
from casebridge.project.errors import CasebridgeError, did_you_mean
from casebridge.project.job import Job
from casebridge.project.spec import TableSpec

RESTRICTED = "restricted records"
"""Whose workbook it is that only the cleared may see."""


@dataclass(frozen=True)
class Wanted:
    """Which lines: of a spec or source, of a rule, of an owner; empty for all. `restricted`: those that not
    everybody may see, instead of the others."""

    table: str = ""
    rule: str = ""
    owner: str = ""
    restricted: bool = False


@dataclass(frozen=True)
class Workbook:
    """A workbook that was written: whose, where, and how many lines it has."""

    owner: str
    path: Path
    lines: int


@dataclass(frozen=True)
class GivenOut:
    """What was written, and how many lines were left out because not everybody may see them."""

    workbooks: tuple[Workbook, ...]
    hidden: int


def give_out(job: Job, folder: Path, wanted: Wanted) -> GivenOut:
    """Write the workbooks into `folder`. CasebridgeError when nothing is called what was asked for."""
    lines, history = _both(job)
    lines, history = _chosen(job, lines, history, wanted)
    hidden = lines.filter("shut").height
    lines, history = (frame.filter(pl.col("shut") == wanted.restricted) for frame in (lines, history))
    if wanted.restricted:
        whose = pl.lit(RESTRICTED).alias("owner")
        lines, history = lines.with_columns(whose), history.with_columns(whose)
    _on_record(job, lines.height, wanted)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owners = lines.get_column("owner").unique(maintain_order=True).to_list()
    names, written = file_names(sorted(owners)), []
    for owner in sorted(owners):
        mine = Owned(owner, *(frame.filter(pl.col("owner") == owner) for frame in (lines, history)))
        path = write_workbook(folder, names[owner], job.run, mine)
        written.append(Workbook(owner, path, mine.lines.height))
    return GivenOut(tuple(written), 0 if wanted.restricted else hidden)


def _both(job: Job) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All lines, with since when they are said; and all that was ever said, with whether it still is. `shut` are
    those that not everybody may see."""
    lines, history = lines_of(job), history_of(job)
    same = {"judged": "name", "fault": "column", "rule": "rule", KEY: KEY}
    told = history.group_by("name", "column", "rule", KEY).agg(pl.col("first_seen").min())
    lines = lines.join(told, left_on=[*same], right_on=[*same.values()], how="left", nulls_equal=True,
                       maintain_order="left")  # fmt: skip
    now = lines.select(pl.col(ours).alias(theirs) for ours, theirs in same.items()).unique()
    history = history.join(now.with_columns(now=True), on=[*same.values()], how="left", nulls_equal=True)
    history = history.with_columns(pl.col("now").fill_null(False)).sort("name", KEY, "first_seen")
    hidden = _hidden(job, lines, history)
    marked = pl.col(ROW).is_in(marked_rows(job).implode())
    return (
        lines.with_columns((_among(hidden, "judged") | marked).alias("shut")),
        history.with_columns(_among(hidden, "name").alias("shut")),
    )


def _among(hidden: pl.DataFrame, name: str) -> pl.Expr:
    pairs = hidden.select(pl.struct("name", "key")).to_series()
    return pl.struct(pl.col(name).alias("name"), pl.col(KEY).alias("key")).is_in(pairs.implode())


def _hidden(job: Job, lines: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """The `name` and `key` of what not everybody may see: rows of a whole source by the spec that takes them as
    they are, for that one has their keys."""
    every = pl.concat([lines.select(pl.col("judged").alias("name"), KEY), history.select("name", KEY)])
    whole = {str(s.sources[0]): s.name for s in job.specs if not s.part and (s.query is None or s.joins)}
    stands = {str(source): whole.get(str(source), str(source)) for source in job.reads()}
    pairs = {(n, k): (stands.get(n, n), k) for n, k in every.drop_nulls().unique().iter_rows()}
    hidden = hidden_subjects(job, set(pairs.values()))
    shut = [pair for pair, subject in pairs.items() if subject in hidden]
    return pl.DataFrame(shut, schema={"name": pl.String, "key": pl.String}, orient="row")


def _chosen(
    job: Job, lines: pl.DataFrame, history: pl.DataFrame, wanted: Wanted
) -> tuple[pl.DataFrame, pl.DataFrame]:
    history = history.with_columns(_owners(job, history).alias("owner"))
    tables = {str(source): source.name for source in job.reads()} | {s.name: s.sources[0].name for s in job.specs}
    history = history.with_columns(pl.col("name").replace_strict(tables, default=pl.col("name")).alias("table"))
    if wanted.table:
        _known("table", wanted.table, {*tables, *tables.values()})
        of = {name for name, table in tables.items() if wanted.table in {name, table}}
        lines, history = lines.filter(pl.col("judged").is_in(of)), history.filter(pl.col("name").is_in(of))
    for column, asked in (("rule", wanted.rule), ("owner", wanted.owner)):
        if asked:
            _known(column, asked, set(lines.get_column(column)))
            lines, history = (frame.filter(pl.col(column) == asked) for frame in (lines, history))
    return lines, history


def _known(what: str, asked: str, there: set[str]) -> None:
    if asked not in there:
        hint = did_you_mean(asked, there) or f"there are: {', '.join(sorted(there)[:20]) or 'none'}"
        raise CasebridgeError(f"nothing stayed behind of a {what} of that name", hint=hint)


def _owners(job: Job, history: pl.DataFrame) -> pl.Series:
    specs: dict[str, TableSpec | None] = {spec.name: spec for spec in job.specs}
    sources = {str(source): source for source in job.reads()}
    found = []
    for name, rule in history.select("name", "rule").iter_rows():
        spec = specs.get(name)
        source = spec.sources[0] if spec else sources.get(name)
        found.append(owner_of(job, source, spec, rule) if source else NOBODY)
    return pl.Series("owner", found, dtype=pl.String)


def _on_record(job: Job, rows: int, wanted: Wanted) -> None:
    """Who took rows out stands in the audit log before they leave."""
    what = "quarantine, restricted" if wanted.restricted else "quarantine"
    try:
        job.audit_log(writing=True).note("export", what=what, run=job.run, rows=rows, login=login())
    except CasebridgeError as error:
        told = f"nothing is given out: this could not be written into the audit log. {error.message}"
        raise CasebridgeError(told, hint=error.hint) from error
