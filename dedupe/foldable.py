"""Which groups fold: pre-flight of this run's pairs, on record, and what it keeps apart, in words."""

from __future__ import annotations

from itertools import combinations

import polars as pl

from casebridge.dedupe.config import LinkageConfig
from casebridge.dedupe.review.crosswalk import Groups
from casebridge.dedupe.review.merge_rules import MergeRules, Outcome, read_merge_rules
from casebridge.dedupe.review.preflight import (
    FOUND,
    Preflight,
    Split,
    by_pair,
    look,
    outcome,
    split,
)
from casebridge.project.batch import write_batch
from casebridge.project.contracts import empty
from casebridge.project.errors import counted
from casebridge.project.job import Job
from casebridge.project.tally import Tally

STAGE, NAME = "dedupe", "preflight"
APART = {"group": pl.Int64(), "id": pl.String(), "outcome": pl.String()}
"""A record of a group that people said is one person and that pre-flight keeps apart, and why."""


def merge_rules(job: Job, config: LinkageConfig | None) -> MergeRules | None:
    """The rules of `merge.toml`, which are of people: None for another register, and where the project has none.
    SpecError lists what is wrong with them."""
    if config is None or not config.is_people:
        return None
    register = {spec.target for spec in job.specs if spec.name in config.tables}
    return read_merge_rules(job.folder, job.target, sorted(register))


def check_merge_rules(job: Job, config: LinkageConfig) -> None:
    """SpecError lists all that is wrong with the project's `merge.toml`."""
    merge_rules(job, config)


def judged(
    job: Job, people: LinkageConfig | None, pairs: pl.DataFrame, grouped: Groups, inputs: str
) -> tuple[pl.DataFrame, Split]:
    """The pairs with what can be done about each (`preflight`), and the groups by whether they fold: nothing is
    looked for between records that are no people. What was found is on record under `inputs`."""
    rules = merge_rules(job, people)
    if rules is None or people is None:
        return pairs.with_columns(pl.lit(None, dtype=pl.String).alias(NAME)), Split(grouped)
    shown = pairs.filter(pl.col("state") != "below").select("left_id", "right_id")
    shown = shown.filter(pl.Series([people.owns(item) for item in shown["left_id"]], dtype=pl.Boolean))
    inside = [pair for ids in grouped.merging for pair in combinations(sorted(ids), 2)]
    found = look(job, rules, [*shown.iter_rows(), *inside], people.tables)
    known = by_pair(found)
    done = split(grouped, rules, known)
    job.ledger.attempt(STAGE, NAME, 0, inputs)
    rows = [(number, item, str(says)) for number, (ids, says) in enumerate(done.apart) for item in ids]
    frames = {NAME: found, "apart": pl.DataFrame(rows, schema=APART, orient="row")}
    batches = [write_batch(job.work, STAGE, NAME, 0, kind, inputs, frame) for kind, frame in frames.items()]
    job.ledger.record(STAGE, NAME, 0, inputs, batches, Tally())
    return _with_outcomes(pairs, shown, rules, known), done


def _with_outcomes(pairs: pl.DataFrame, shown: pl.DataFrame, rules: MergeRules, known: Preflight) -> pl.DataFrame:
    says = [str(outcome(rules, known.get((left, right), ()))) for left, right in shown.iter_rows()]
    column = shown.with_columns(pl.Series(NAME, says, dtype=pl.String))
    return pairs.join(column, on=["left_id", "right_id"], how="left", maintain_order="left")


def preflight_of(job: Job) -> Preflight:
    """What this run found, by pair."""
    batches = job.ledger.sealed(job.run, STAGE, NAME, NAME)
    return by_pair(pl.concat([empty(FOUND), *(batch.read() for batch in batches)]))


def kept_apart(job: Job) -> list[tuple[Outcome, tuple[str, ...]]]:
    """The groups that people said are one person and that this run did not fold, each with what can be done."""
    batches = job.ledger.sealed(job.run, STAGE, NAME, "apart")
    rows = pl.concat([empty(APART), *(batch.read() for batch in batches)])
    grouped = rows.group_by("group", maintain_order=True).agg("id", pl.col("outcome").first())
    return [(Outcome(says), tuple(ids)) for _, ids, says in grouped.iter_rows()]


def apart_words(job: Job) -> str:
    """The sentence about groups that were not folded; empty when there are none."""
    says = [outcome for outcome, _ in kept_apart(job)]
    parts = [f"{says.count(one)} {one}" for one in Outcome if one in says]
    if not says:
        return ""
    verb = "was" if len(says) == 1 else "were"
    return f"{counted(len(says), 'group')} decided *same* {verb} not folded: {', '.join(parts)}"
