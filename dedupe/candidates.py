"""The register as linkage sees it, and the pairs that linkage finds in it.

Records on the no-link list (identities from before an adoption above all) are taken out before anything
is compared, and leave no trace: no count, no log line, no file names them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import duckdb
import petl
import polars as pl

from dedupe.config import LinkageConfig
from dedupe.linkage import Fields, LinkOptions, RegisterError, link
from project.batch import Batch, digest, file_digest, write_batch
from project.errors import CasebridgeError, Problem, SourceError, SpecError
from project.job import Job
from project.settings import System
from project.tally import Tally

STAGE = "dedupe"
NAME = "candidates"
ENGINE = 1
SEED = 20


@dataclass(frozen=True)
class Candidates:
    """The pairs of one register: left_id, right_id, p_same, relation, weight, a level per comparison; and
    the probability from which a pair is put forward as the same person."""

    pairs: Batch
    propose: float

    @property
    def digest(self) -> str:
        """Changes with the pairs."""
        return self.pairs.sha256


def find_candidates(job: Job, config: LinkageConfig) -> Candidates:
    """The candidate pairs of this run's register, linked again only when something under them changed."""
    inputs, clean = asked(job, config)
    done = job.ledger.done(STAGE, NAME, 0, inputs)
    if done is None:
        job.ledger.attempt(STAGE, NAME, 0, inputs)
        done = _link(job, config, clean, inputs)
    job.ledger.seal(job.run, STAGE, NAME, [(0, inputs)])
    return of_files(done)


def asked(job: Job, config: LinkageConfig) -> tuple[str, dict[str, tuple[Batch, ...]]]:
    """The digest of everything that linkage sees, and the clean rows of every spec."""
    protected = [
        file_digest(system.no_link) if system.no_link and system.no_link.is_file() else ""
        for system in job.settings.systems.values()
    ]
    clean = {spec.name: job.ledger.standing(job.run, "transform", spec.name, "clean") for spec in job.specs}
    under = {name: [batch.sha256 for batch in batches] for name, batches in clean.items() if reads(config, name)}
    return digest(ENGINE, SEED, under, repr(config), protected), clean


def of_files(done: tuple[Batch, ...]) -> Candidates:
    """The candidates that stand in a finished batch's files."""
    files = {batch.kind: batch for batch in done}
    return Candidates(files["pairs"], float(files["model"].read(["propose"]).item()))


def without_protected(job: Job, ids: set[str]) -> set[str]:
    """Ids that may take part in linkage."""
    hidden = {item for system in job.settings.systems.values() for item in _no_link(system)}
    return {item for item in ids if _bare_id(item) not in hidden}


def reads(config: LinkageConfig, name: str) -> bool:
    """Whether linkage looks at a spec's rows."""
    return name in config.query or name in (config.related or "") or name in config.tables


def _link(job: Job, config: LinkageConfig, clean: dict[str, tuple[Batch, ...]], inputs: str) -> tuple[Batch, ...]:
    register, related = _register(job, config, clean)
    job.report.table(STAGE, "register", register.height)
    try:
        fields = Fields(id="id", roles=dict(config.fields), other=dict(config.other))
        found = link(register, fields, LinkOptions(seed=SEED, related=related))
    except RegisterError as error:
        hint = error.hint or "mend linkage.toml, or take it out of the project to load without linkage"
        raise CasebridgeError(f"linkage.toml: {error.what}", hint=hint) from error
    model = pl.DataFrame(
        {
            "propose": [float(found.model["thresholds"]["propose"])],
            "model": [json.dumps(found.model, sort_keys=True, default=str)],
        },
        schema={"propose": pl.Float64, "model": pl.String},
    )
    files = (
        write_batch(job.work, STAGE, NAME, 0, "pairs", inputs, _in_order(found.pairs)),
        write_batch(job.work, STAGE, NAME, 0, "model", inputs, model),
    )
    job.ledger.record(STAGE, NAME, 0, inputs, files, Tally())
    job.report.advance(register.height)
    return files


def _in_order(pairs: pl.DataFrame) -> pl.DataFrame:
    """The smaller id left, as decisions have it; the levels say the same of a pair in either order."""
    first, second = (
        both(pl.col("left_id"), pl.col("right_id")) for both in (pl.min_horizontal, pl.max_horizontal)
    )
    return pairs.with_columns(first.alias("left_id"), second.alias("right_id"))


def _register(
    job: Job, config: LinkageConfig, clean: dict[str, tuple[Batch, ...]]
) -> tuple[pl.DataFrame, list[tuple[str, str]]]:
    """One row a person who may be linked, `id` as `system:key`, and the pairs on file as two people."""
    hidden = [item for system in job.settings.systems.values() for item in _no_link(system)]
    with duckdb.connect() as database:
        database.execute(f"SET memory_limit = '{job.settings.memory_limit}'")
        for name, batches in clean.items():
            if batches and reads(config, name):
                database.execute(_view(name, batches))
        register = _ask(database, config.query, "register.query")
        pairs = _ask(database, config.related, "related.query") if config.related else None
    register = _with_system(job, register, "id")
    register = register.filter(~_is_hidden("id", hidden))
    related: list[tuple[str, str]] = []
    if pairs is not None:
        both = _with_system(job, _with_system(job, pairs, "left_id"), "right_id")
        shown = both.filter(~_is_hidden("left_id", hidden) & ~_is_hidden("right_id", hidden))
        related = list(shown.select("left_id", "right_id").iter_rows())
    return register.drop("system", strict=False), related


def _is_hidden(column: str, hidden: list[str]) -> pl.Expr:
    bare = pl.col(column).str.replace(r":0+(.)", ":$1")
    return bare.is_in(hidden)


def _bare_id(item: str) -> str:
    system, _, key = item.partition(":")
    return f"{system}:{_bare(key)}"


def _bare(key: str) -> str:
    """A key as a person types it: without blanks around it and zeros before it."""
    stripped = key.strip()
    return stripped.lstrip("0") or stripped


def _with_system(job: Job, frame: pl.DataFrame, column: str) -> pl.DataFrame:
    if "system" not in frame.columns:
        if len(job.settings.systems) > 1:
            problem = "a project of several systems needs a column `system` in the result"
            raise SpecError([Problem("linkage.toml", "register.query", problem)])
        frame = frame.with_columns(system=pl.lit(next(iter(job.settings.systems))))
    return frame.with_columns((pl.col("system") + ":" + pl.col(column)).alias(column))


def _ask(database: duckdb.DuckDBPyConnection, query: str, where: str) -> pl.DataFrame:
    try:
        return pl.DataFrame(pl.from_arrow(database.sql(query).to_arrow_table()))
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise SpecError([Problem("linkage.toml", where, f"the query fails: {reason}")]) from error


def _view(name: str, batches: tuple[Batch, ...]) -> str:
    files = ", ".join("'" + str(batch.path).replace("'", "''") + "'" for batch in batches)
    return f'CREATE VIEW "{name}" AS SELECT * FROM read_parquet([{files}])'  # noqa: S608


def _no_link(system: System) -> list[str]:
    """The ids that never take part. A list that is named but missing stops everything: without it,
    identities that the law keeps apart would be put side by side."""
    if system.no_link is None:
        return []
    try:
        table = petl.fromcsv(system.no_link, encoding="utf-8-sig")
        # A header, if there is one, protects nobody and harms nobody; a first line left out would.
        return [f"{system.name}:{_bare(str(row[0]))}" for row in table if row and str(row[0]).strip()]
    except (OSError, UnicodeDecodeError) as error:
        hint = "put the list back, or take `no_link` out of casebridge.toml if there is nobody to protect"
        raise SourceError(system.no_link.name, "the no-link list cannot be read", hint=hint) from error
