"""What waits for a decision, and what decisions may be about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass

import polars as pl

from casebridge.dedupe.config import read_registers, spaces
from casebridge.dedupe.review.crosswalk import groups
from casebridge.dedupe.review.decision_log import DecisionLog
from casebridge.dedupe.review.decisions import SETTLING, Decision
from casebridge.dedupe.review.evidence_file import KIND, NAME, EvidenceFile
from casebridge.dedupe.review.evidence_on_record import current_evidence
from casebridge.dedupe.review.reraise import decided_since
from casebridge.dedupe.scan.publishing import SCOPE
from casebridge.dedupe.scan.state import read_state
from casebridge.project.contracts import KEY
from casebridge.project.job import Job
from casebridge.project.no_link import NoLink

STAGE = "dedupe"
_TEXTS = ("left_id", "right_id", "relation", "zone", "guard", "preflight")
_SCHEMA = pl.Schema({**dict.fromkeys(_TEXTS, pl.String), "p_same": pl.Float64, "decision": pl.Int64})


def scan_stands(job: Job) -> bool:
    """Whether what reviewers see now is of a scan of the live register, not of a run."""
    found = job.ledger.sealed(SCOPE, STAGE, NAME, KIND)
    return any(batch.path == current_evidence(job.work) for batch in found)


def undecided(job: Job, decisions: Sequence[Decision] | None = None, *, of_scan: bool = False) -> pl.DataFrame:
    """The pairs of this run, or of the last scan, that are put forward as one person and wait for a decision, the
    likeliest first: left, right, verdict, reviewer, reason (the last three empty), p_same, relation, zone, the
    guard that cut the pair out of a cluster, and what merge pre-flight says.

    decisions: what stands now. A pair that they settle has left the list, though no run has taken them up yet.
    """
    batches = job.ledger.sealed(job.run, STAGE, "pairs", "pairs")
    rows = [_of_scan(job).lazy()] if of_scan else [batch.scan() for batch in batches]
    found = [_with_columns(some.filter(pl.col("state") == "undecided"), _SCHEMA) for some in rows]
    waiting = pl.concat([pl.DataFrame(schema=_SCHEMA), *found])
    if decisions:
        waiting = _without_settled(waiting, decisions, _raised(job, waiting))
    blank = pl.lit(None, dtype=pl.String)
    return waiting.sort("p_same", "left_id", "right_id", descending=[True, False, False]).select(
        pl.col("left_id").alias("left"),
        pl.col("right_id").alias("right"),
        blank.alias("verdict"),
        blank.alias("reviewer"),
        blank.alias("reason"),
        pl.col("p_same").round(4),
        "relation",
        "zone",
        "guard",
        "preflight",
    )


def _of_scan(job: Job) -> pl.DataFrame:
    """The candidates of the last scan, without those of whom nothing may be shown any more."""
    found = read_state(job.work).frame("candidates")
    there = pl.DataFrame(schema={**_SCHEMA, "state": pl.String()}) if found is None else found
    hidden = sorted(_hidden_now(job))
    return there.filter(~pl.any_horizontal(pl.col(side).is_in(hidden) for side in ("left_id", "right_id")))


def _hidden_now(job: Job) -> frozenset[str]:
    """Those whom reviewers could see after the last scan who are on a no-link list now."""
    path = current_evidence(job.work)
    if path is None:
        return frozenset()
    with closing(EvidenceFile(path, NoLink(job).hidden)) as file:
        return file.hidden


def _raised(job: Job, waiting: pl.DataFrame) -> set[tuple[str, str]]:
    """The pairs that came back although they were decided, and were not decided again since."""
    rows = waiting.drop_nulls("decision").select("left_id", "right_id", "decision").iter_rows()
    raised = {(left, right): number for left, right, number in rows}
    return raised.keys() - decided_since(job.audit_log().engine, raised)


def _without_settled(
    waiting: pl.DataFrame, decisions: Sequence[Decision], raised: Collection[tuple[str, str]]
) -> pl.DataFrame:
    """Decisions that contradict one another settle nothing: such pairs wait, and so do those that came back."""
    ids = {item for decision in decisions for item in (decision.left_id, decision.right_id)}
    grouped = groups(decisions, ids)
    torn = {item: number for number, group in enumerate(grouped.conflicts) for item in group}
    merged = {item: number for number, group in enumerate(grouped.merging) for item in group}
    settled = {(d.left_id, d.right_id) for d in decisions if d.verdict in SETTLING}

    def waits(left: str, right: str) -> bool:
        if (left, right) in raised or (left in torn and torn[left] == torn.get(right)):
            return True
        return (left, right) not in settled and (left not in merged or merged[left] != merged.get(right))

    kept = [waits(left, right) for left, right in waiting.select("left_id", "right_id").iter_rows()]
    return waiting.filter(pl.Series(kept, dtype=pl.Boolean))


def _with_columns(rows: pl.LazyFrame, schema: pl.Schema) -> pl.DataFrame:
    """These columns; those that a run of older code did not write are empty."""
    there = rows.collect_schema()
    columns = [pl.col(name) if name in there else pl.lit(None).alias(name) for name in schema]
    return rows.select(columns).cast(schema).collect()


@dataclass(frozen=True)
class Known:
    """What decisions may be about: the records of a run as `space:key`, those of which nothing may come, and the
    pairs that linkage put forward."""

    records: frozenset[str]
    protected: frozenset[str]
    proposed: frozenset[tuple[str, str]]


def known_records(job: Job) -> Known | None:
    """The records of this run, and of the register as it was scanned last, that decisions may name; None before
    anything is converted or scanned."""
    of_run, of_scan = _known_of_run(job), _known_of_scan(job)
    if of_run is None or of_scan is None:
        return of_run or of_scan
    return Known(
        of_run.records | of_scan.records, of_run.protected | of_scan.protected, of_run.proposed | of_scan.proposed
    )


def _known_of_scan(job: Job) -> Known | None:
    if job.settings.live is None:
        return None
    state = read_state(job.work)
    register, found = state.frame("register"), state.frame("candidates")
    if register is None or found is None:
        return None
    ids = frozenset(register.get_column("id"))
    protected = frozenset(NoLink(job).hidden(ids)) | _hidden_now(job)
    return Known(ids, protected, frozenset(found.select("left_id", "right_id").iter_rows()))


def _known_of_run(job: Job) -> Known | None:
    if not job.settings.systems:
        return None
    before = spaces(read_registers(job.folder, job.specs), job.specs)
    batches = [
        (space, batch)
        for name, space in before.items()
        for batch in job.ledger.sealed(job.run, "transform", name, "clean")
    ]
    if not batches:
        return None
    ids = {f"{space}:{key}" for space, batch in batches for key in batch.read([KEY]).get_column(KEY)}
    put_forward = [
        pair
        for batch in job.ledger.sealed(job.run, STAGE, "pairs", "pairs")
        for pair in batch.scan().filter(_put_forward(batch.scan())).select("left_id", "right_id").collect().rows()
    ]
    return Known(frozenset(ids), frozenset(NoLink(job).hidden(ids)), frozenset(put_forward))


def _put_forward(rows: pl.LazyFrame) -> pl.Expr:
    """What linkage put forward itself: not what somebody asked to have looked at."""
    asked = pl.col("asked_for").fill_null(False) if "asked_for" in rows.collect_schema() else pl.lit(False)
    return (pl.col("state") != "below") & ~asked


def standing_now(job: Job) -> list[Decision]:
    """The decisions that hold at this moment; none where there is no control database. Read only."""
    return DecisionLog(job.audit_log()).standing()
