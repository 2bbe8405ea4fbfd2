"""The register as linkage sees it, and the pairs that linkage finds in it.

Records on the no-link list (identities from before an adoption above all) are taken out before anything
is compared, and leave no trace: no count, no log line, no file names them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import polars as pl

from casebridge.dedupe.config import FILE, LinkageConfig
from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import Fields, LinkOptions
from casebridge.dedupe.linkage.kinds.registry import KINDS
from casebridge.dedupe.register_queries import ask, words_column
from casebridge.dedupe.review.decisions import Decision, Ruling
from casebridge.project.batch import Batch, digest, write_batch
from casebridge.project.contracts import EVIDENCE, ROWS, empty
from casebridge.project.errors import CasebridgeError, Problem, SpecError
from casebridge.project.fingerprint import LINKAGE
from casebridge.project.job import Job
from casebridge.project.no_link import NoLink
from casebridge.project.queries import open_duckdb, shut
from casebridge.project.spec import TableSpec
from casebridge.project.tally import Tally

STAGE = "dedupe"
NAME = "candidates"
SEED = 20
FEW = 100
"""A register of fewer records may have nothing to compare; in a larger one that is a mistake."""
_NO_PAIRS = pl.DataFrame(
    schema={"left_id": pl.String, "right_id": pl.String, "p_same": pl.Float64, "relation": pl.String,
            "weight": pl.Float64, "zone": pl.String, "guard": pl.String}
)  # fmt: skip
_NO_CUT = pl.DataFrame(schema={"left_id": pl.String, "right_id": pl.String, "guard": pl.String})


@dataclass(frozen=True)
class CandidatePairs:
    """The pairs of one register (`of`): left_id, right_id, p_same, relation, weight, a level per comparison, zone
    and guard; the probability from which a pair is put forward as the same; and the pairs that a guard of the
    clusters cut, those decided the same among them (left_id, right_id, guard)."""

    of: LinkageConfig
    pairs: Batch
    propose: float
    cut: pl.DataFrame

    @property
    def digest(self) -> str:
        """Changes with the pairs."""
        return self.pairs.sha256


def candidate_pairs(job: Job, config: LinkageConfig, decisions: Sequence[Decision]) -> CandidatePairs:
    """The candidate pairs of one register of this run, linked again only when something under them changed: rows,
    or what people decided of them."""
    inputs, _ = linkage_inputs(job, config, decisions)
    name = batch_name(config)
    done = job.ledger.done(STAGE, name, 0, inputs)
    if done is None:
        job.ledger.attempt(STAGE, name, 0, inputs)
        done = _link(job, config, [said for said in decisions if config.owns(said.left_id)], inputs)
    job.ledger.seal(job.run, STAGE, name, [(0, inputs)])
    return of_files(config, done)


def batch_name(config: LinkageConfig) -> str:
    """Under which name a register's candidates stand in the ledger."""
    return NAME if config.is_people else f"{NAME}-{config.target}"


def linkage_inputs(
    job: Job, config: LinkageConfig, decisions: Sequence[Decision]
) -> tuple[str, dict[str, tuple[Batch, ...]]]:
    """The digest of everything that linkage sees, and the clean rows of every spec."""
    clean = _clean(job)
    under = {name: [batch.sha256 for batch in batches] for name, batches in clean.items() if reads(config, name)}
    mine = [said for said in decisions if config.owns(said.left_id)]
    ruled = [(verdict, decided(mine, verdict)) for verdict in (Ruling.SAME, Ruling.DIFFERENT)]
    return digest(
        job.code(LINKAGE), SEED, under, repr(replace(config, evidence=(), where="")), no_link_digest(job),
        repr(ruled),
    ), clean  # fmt: skip


def no_link_digest(job: Job) -> str:
    """Of the no-link lists, under the project's audit key: nobody can guess a list from it. It counts wherever
    people are put together, by a model or by a decision."""
    no_link = NoLink(job)
    return job.audit_log().keyed("no-link", no_link.text()) if no_link else ""


def decided(decisions: Sequence[Decision], verdict: Ruling) -> list[tuple[str, str]]:
    """The pairs of one verdict, in order. Who is related to somebody is not that person."""
    also = {Ruling.RELATED} if verdict is Ruling.DIFFERENT else set[Ruling]()
    return sorted((item.left_id, item.right_id) for item in decisions if item.verdict in {verdict, *also})


def of_files(config: LinkageConfig, done: tuple[Batch, ...]) -> CandidatePairs:
    """The candidates of a register that stand in a finished batch's files."""
    files = {batch.kind: batch for batch in done}
    return CandidatePairs(
        config, files["pairs"], float(files["model"].read(["propose"]).item()), files["cut"].read()
    )


def reads(config: LinkageConfig, name: str) -> bool:
    """Whether linkage looks at a spec's rows."""
    return _names(config.query, name) or _names(config.related or "", name) or name in config.tables


def _names(query: str, table: str) -> bool:
    """Whether a query may read a table. DuckDB knows no capitals in names."""
    return table.lower() in query.lower()


def _link(job: Job, config: LinkageConfig, decisions: Sequence[Decision], inputs: str) -> tuple[Batch, ...]:
    from casebridge.dedupe.linkage.engine import link  # most of a second to import, and most runs link nothing new

    register, related = read_register(job, config)
    many = KINDS[config.kind].many
    job.report.table(STAGE, f"register of {register.height:,} {many}", None)
    if register.height < 2:
        return _kept(
            job,
            config,
            inputs,
            _NO_PAIRS,
            _NO_CUT,
            1.0,
            {"warnings": ["Fewer than two records: nothing to link."]},
        )
    try:
        fields = Fields(id="id", roles=dict(config.fields), other=dict(config.other), kind=config.kind)
        options = LinkOptions(
            seed=SEED,
            related=related,
            same_pairs=decided(decisions, Ruling.SAME),
            different_pairs=decided(decisions, Ruling.DIFFERENT),
        )
        found = link(register, fields, options, progress=lambda step, _: _next_step(job, step))
    except RegisterError as error:
        if register.height < FEW:
            job.report.note(f"nothing was linked among the {many}: {error.what}")
            return _kept(job, config, inputs, _NO_PAIRS, _NO_CUT, 1.0, {"warnings": [error.what]})
        hint = error.hint or "mend linkage.toml, or take it out of the project to load without linkage"
        raise CasebridgeError(f"linkage.toml: {error.what}", hint=hint) from error
    propose = float(found.model["thresholds"]["propose"])
    return _kept(job, config, inputs, _in_order(found.pairs), _in_order(found.cut), propose, found.model)


_STEPS = {
    "register": "pairs to compare", "blocking": "a sample of pairs", "sample": "the model", "model": "scoring",
    "scoring": "the model once more", "refit": "third records", "third records": "threshold",
    "threshold": "clusters",
}  # fmt: skip
"""What linkage does after each of its steps."""


def _next_step(job: Job, done: str) -> None:
    """Say what linkage is at: a large register takes minutes, and none of its steps counts rows."""
    if done in _STEPS:
        job.report.table(STAGE, f"register: {_STEPS[done]}", None)


def _kept(
    job: Job,
    config: LinkageConfig,
    inputs: str,
    pairs: pl.DataFrame,
    cut: pl.DataFrame,
    propose: float,
    model: Mapping[str, Any],
) -> tuple[Batch, ...]:
    """The pairs, what a guard cut, and the model they rest on, as batch files on record."""
    name = batch_name(config)
    text = json.dumps(model, sort_keys=True, default=str)
    one = pl.DataFrame({"propose": [propose], "model": [text]}, schema={"propose": pl.Float64, "model": pl.String})
    files = (
        write_batch(job.work, STAGE, name, 0, "pairs", inputs, pairs),
        write_batch(job.work, STAGE, name, 0, "cut", inputs, cut),
        write_batch(job.work, STAGE, name, 0, "model", inputs, one),
    )
    job.ledger.record(STAGE, name, 0, inputs, files, Tally())
    return files


def _in_order(pairs: pl.DataFrame) -> pl.DataFrame:
    """The smaller id left, as decisions have it; the levels say the same of a pair in either order."""
    first, second = (
        both(pl.col("left_id"), pl.col("right_id")) for both in (pl.min_horizontal, pl.max_horizontal)
    )
    return pairs.with_columns(first.alias("left_id"), second.alias("right_id"))


@contextmanager
def _tables(job: Job, wanted: Callable[[str], bool]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that sees the transformed tables of this run that are wanted, and nothing else."""
    clean = _clean(job)
    with open_duckdb(job.settings.memory_limit, job.work / "spill") as database:
        for spec in job.specs:
            batches = clean[spec.name]
            if batches and wanted(spec.name):
                database.execute(_view(spec.name, batches))
            elif wanted(spec.name):
                database.register(spec.name, _nothing_of(spec).to_arrow())
        shut(database, (batch.path for batches in clean.values() for batch in batches))
        yield database


def _clean(job: Job) -> dict[str, tuple[Batch, ...]]:
    return {spec.name: job.ledger.sealed(job.run, "transform", spec.name, "clean") for spec in job.specs}


def ask_evidence(job: Job, config: LinkageConfig, name: str, ids: Collection[str]) -> dict[str, list[str]]:
    """What a query of `[evidence]` in linkage.toml says of some records: the texts of its rows, by record."""
    query = dict(config.evidence).get(name)
    if query is None:
        return {}
    names = [spec.name for spec in job.specs]
    with _tables(job, lambda table: _names(query, table)) as database:
        rows = ask(database, query, config.at(f"evidence.{name}"), names, _needed(config, f"evidence.{name}"))
    text = words_column(rows, config.at(f"evidence.{name}"))
    rows = _with_space(job, config, rows, "id").filter(pl.col("id").is_in(sorted(ids)))
    mine = rows.select("id", pl.col(text).cast(pl.String)).drop_nulls().unique().sort("id", text)
    return {
        str(item): list(texts) for item, texts in mine.group_by("id", maintain_order=True).agg(text).iter_rows()
    }


def read_register(job: Job, config: LinkageConfig) -> tuple[pl.DataFrame, list[tuple[str, str]]]:
    """One row a record that may be linked, `id` as `space:key`, and the pairs on file as two."""
    clean = _clean(job)
    with _tables(job, lambda name: reads(config, name)) as database:
        register = ask(database, config.query, config.at("query"), clean, _needed(config, "query"))
        where = "related.query"
        pairs = (
            ask(database, config.related, config.at(where), clean, _needed(config, where))
            if config.related
            else None
        )
    register = _with_space(job, config, register, "id")
    hidden = NoLink(job).hidden({*register.get_column("id")})
    register = register.filter(~pl.col("id").is_in(sorted(hidden)))
    related: list[tuple[str, str]] = []
    if pairs is not None:
        both = _with_space(job, config, _with_space(job, config, pairs, "left_id"), "right_id")
        shown = both.select("left_id", "right_id").iter_rows()
        related = [pair for pair in shown if not hidden & set(pair)]
    return register.drop("system"), related


def try_queries(job: Job, config: LinkageConfig) -> None:
    """SpecError lists the queries that do not fit the tables as the specs make them, tried on no rows."""
    problems: list[Problem] = []
    evidence = [(query, f"evidence.{name}") for name, query in config.evidence]
    asked = [(config.query, "query"), (config.related, "related.query"), *evidence]
    with open_duckdb(job.settings.memory_limit, job.work / "spill") as database:
        for spec in job.specs:
            if any(_names(query or "", spec.name) for query, _ in asked):
                database.register(spec.name, _nothing_of(spec).to_arrow())
        shut(database)
        for query, where in asked:
            try:
                _try(job, config, database, query, where)
            except SpecError as error:
                problems += error.problems
    if problems:
        raise SpecError(problems)


def _try(
    job: Job, config: LinkageConfig, database: duckdb.DuckDBPyConnection, query: str | None, where: str
) -> None:
    """SpecError when a query that is there does not give what is needed of it."""
    if not query:
        return
    names = [spec.name for spec in job.specs]
    given = ask(database, query, config.at(where), names, _needed(config, where))
    if where.startswith("evidence."):
        words_column(given, config.at(where))
    if len(job.settings.systems) > 1 and "system" not in given.columns:
        problem = "a project of several systems needs a column `system` in the result"
        raise SpecError([Problem(FILE, config.at(where), problem)])


def _needed(config: LinkageConfig, where: str) -> list[str]:
    """The columns that a query must give."""
    if where == "related.query":
        return ["left_id", "right_id"]
    return ["id", *(column for _, column in (*config.fields, *config.other) if where == "query")]


def _nothing_of(spec: TableSpec) -> pl.DataFrame:
    """A spec's clean rows, without any."""
    columns = {(EVIDENCE if column.evidence else "") + column.name: column.type.dtype for column in spec.columns}
    return empty({**ROWS, **columns})


def _with_space(job: Job, config: LinkageConfig, frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """A column of keys as ids of a register, and the column `system` beside it."""
    if "system" not in frame.columns:
        if len(job.settings.systems) > 1:
            problem = "a project of several systems needs a column `system` in the result"
            raise SpecError([Problem(FILE, config.at("query"), problem)])
        frame = frame.with_columns(system=pl.lit(next(iter(job.settings.systems))))
    key = pl.col(column).cast(pl.String)
    return frame.with_columns((pl.col("system") + f"{config.space('')}:" + key).alias(column))


def _view(name: str, batches: tuple[Batch, ...]) -> str:
    files = ", ".join("'" + str(batch.path).replace("'", "''") + "'" for batch in batches)
    return f'CREATE VIEW "{name}" AS SELECT * FROM read_parquet([{files}])'  # noqa: S608
