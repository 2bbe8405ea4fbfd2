"""Who is who: candidate pairs from the linkage engine, decisions from people, a crosswalk from both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from casebridge.dedupe.candidates import CandidatePairs, candidate_pairs, no_link_digest
from casebridge.dedupe.config import LinkageConfig, read_linkage
from casebridge.dedupe.foldable import NAME as PREFLIGHT
from casebridge.dedupe.foldable import apart_words, judged, merge_rules
from casebridge.dedupe.golden import fold, marks_of, shaped_like
from casebridge.dedupe.review.contradictions import contradictions
from casebridge.dedupe.review.crosswalk import Groups, groups, withheld
from casebridge.dedupe.review.decision_log import DecisionLog, told
from casebridge.dedupe.review.decisions import SETTLING, Decision, Ruling
from casebridge.dedupe.review.evidence import said_until_now, write_evidence
from casebridge.dedupe.review.intake import asked_for
from casebridge.dedupe.review.overrides import standing_overrides
from casebridge.dedupe.review.preflight import preflight_inputs
from casebridge.dedupe.review.reraise import bases, note_bases, raised_again
from casebridge.dedupe.waiting import undecided
from casebridge.dedupe.withheld import withheld_rows
from casebridge.project.batch import Batch, digest, write_batch
from casebridge.project.contracts import CROSSWALK, KEY, ROW
from casebridge.project.errors import ReviewNeeded, counted
from casebridge.project.job import Job
from casebridge.project.no_link import NoLink, keys_in
from casebridge.project.tally import Tally

STAGE = "dedupe"
MOST_TOLD = 5
"""Contradictions that are named while a run is watched."""


def run(job: Job) -> Tally:
    """Link the register, and fold what people decided. Returns the account of the register's rows."""
    config = read_linkage(job.folder, job.specs)
    if config is None:
        return Tally()
    _check_protected(job, config)
    then = said_until_now(job.audit_log().engine)
    decisions = standing_decisions(job)
    found = candidate_pairs(job, config, decisions)
    note_bases(job.audit_log().engine, decisions, found.pairs.scan())
    inputs, clean = folding(job, config, found, decisions)
    if job.ledger.done(STAGE, "crosswalk", 0, inputs) is None:
        _fold(job, clean, found, decisions, inputs)
    for name in ("pairs", "crosswalk", *config.tables):
        job.ledger.seal(job.run, STAGE, name, [(0, inputs)])
    job.ledger.seal(job.run, STAGE, PREFLIGHT, [(0, inputs)] if merge_rules(job, config.tables) else [])
    write_evidence(job, config, inputs, then)
    _delete_unused_files(job)
    lonely = DecisionLog(job.audit_log()).waiting()
    if lonely:
        job.report.note(told(lonely))
    _tell_contradictions(job, decisions)
    for words in filter(None, [apart_words(job)]):
        job.report.note(words)
    waiting = undecided(job).height
    if job.leave_undecided is not None and waiting > job.leave_undecided:
        raise ReviewNeeded(waiting, job.leave_undecided)
    return job.ledger.tally(job.run, STAGE, "crosswalk")


def _tell_contradictions(job: Job, decisions: Sequence[Decision]) -> None:
    """Name the groups in which decisions contradict one another: nothing of them merges until a person says what
    is so."""
    found = contradictions(decisions)
    shown = "; ".join(str(item) for item in found[:MOST_TOLD])
    more = f"; and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
    if found:
        said = f"{counted(len(found), 'contradiction')} among the decisions, nothing of which merges"
        job.report.note(f"{said}: {shown}{more}")


def standing_decisions(job: Job) -> list[Decision]:
    """The latest decision on every pair."""
    return DecisionLog(job.audit_log()).standing()


def folding(
    job: Job, config: LinkageConfig, found: CandidatePairs, decisions: Sequence[Decision]
) -> tuple[str, dict[str, tuple[Batch, ...]]]:
    """What is folded, with the digest of it and of the decisions it is folded by."""
    clean = {name: job.ledger.sealed(job.run, "transform", name, "clean") for name in config.tables}
    rules, overrides = merge_rules(job, config.tables), standing_overrides(job.audit_log())
    inputs = digest(
        job.code(STAGE), found.digest, found.propose, [repr(item) for item in decisions], no_link_digest(job),
        *([preflight_inputs(job, rules)] if rules else []), [repr(said) for said in overrides],
        [repr(marks) for marks in marks_of(job, config.tables)], asked_for(job.audit_log()),
        _raised(job, found, decisions).rows(),
        withheld_rows(job, config.tables, _named(decisions, Ruling.SAME)).rows(),
        {name: [batch.sha256 for batch in batches] for name, batches in clean.items()},
    )  # fmt: skip
    return inputs, clean


def _raised(job: Job, found: CandidatePairs, decisions: Sequence[Decision]) -> pl.DataFrame:
    """The pairs that were decided *different* and come back, with what changed."""
    return raised_again(decisions, bases(job.audit_log().engine), found.pairs.scan(), found.propose)


def _named(decisions: Iterable[Decision], verdict: Ruling) -> set[str]:
    """The records of which people said this."""
    return {item for said in decisions if said.verdict is verdict for item in (said.left_id, said.right_id)}


def _check_protected(job: Job, config: LinkageConfig) -> None:
    """Whoever is to be kept apart must be somebody: clean or not, each entry of a no-link list is a record,
    or a word of a line of the dump that could not be read as one."""
    no_link = NoLink(job)
    if not no_link:
        return
    known = {
        f"{_system(job, name)}:{key}"
        for name in config.tables
        for kind in ("clean", "quarantine")
        for batch in job.ledger.sealed(job.run, "transform", name, kind)
        for key in batch.read([KEY]).get_column(KEY).drop_nulls()
    }
    no_link.check(known | _unreadable(job, config))
    DecisionLog(job.audit_log()).forget(no_link.hidden(known))


def _delete_unused_files(job: Job) -> None:
    """Where there is a no-link list, files that no run has any more are not kept: they may put somebody beside
    others who came on the list later. It is looked after each time, so that none stays after a crash."""
    if not NoLink(job):
        return
    kept, folder = job.ledger.in_use(STAGE), job.work / STAGE
    for path in (*folder.rglob("*.parquet"), *folder.rglob("*.db"), *folder.rglob("*.part")):
        if path not in kept:
            path.unlink()


def _unreadable(job: Job, config: LinkageConfig) -> set[str]:
    """What could be a key in the lines of the registers that could not be read."""
    sources = {source for spec in job.specs if spec.name in config.tables for source in spec.sources}
    return {
        entry
        for source in sources
        for batch in job.ledger.sealed(job.run, "extract", str(source), "unreadable")
        for raw in batch.read(["raw"]).get_column("raw").drop_nulls()
        for entry in keys_in(job.settings.systems[source.system], ",".join(_words(raw)))
    }


def _words(raw: bytes) -> list[str]:
    """A line's cells, and each word of them: a file of fixed widths has nothing between its cells but blanks."""
    line = raw.decode("utf-8", errors="replace")
    return [line, *line.split()]


def _fold(
    job: Job,
    clean: dict[str, tuple[Batch, ...]],
    found: CandidatePairs,
    decisions: Sequence[Decision],
    inputs: str,
) -> None:
    people = {name: _people(job, name, batches) for name, batches in clean.items()}
    everyone = pl.concat([frame.select("id", ROW) for frame in people.values()])
    present = set(everyone.get_column("id"))
    present -= NoLink(job).hidden(present)
    grouped = groups(decisions, present, set(found.cut.select("left_id", "right_id").iter_rows()))
    asked = [pair for pair in asked_for(job.audit_log()) if present.issuperset(pair)]
    pairs = _with_state(found, decisions, grouped, asked, _raised(job, found, decisions))
    pairs, split = judged(job, [*clean], pairs, grouped, inputs)
    _write(job, "pairs", "pairs", inputs, pairs, Tally())
    folded = fold(job, clean, split.folding.merging)
    chosen = folded.survivor_of
    for name in people:
        mine = shaped_like(clean[name], folded.golden.filter(pl.col("table") == name))
        _write(job, name, "golden", inputs, mine, Tally(read=mine.height, passed=mine.height))
    merged = sum(1 for item, survivor in chosen.items() if item != survivor)
    tally = Tally(read=everyone.height, merged=merged, passed=everyone.height - merged)
    withheld = _withheld(job, people, decisions, chosen)
    frames = {"crosswalk": _crosswalk(everyone, chosen), "withheld": withheld, "displaced": folded.displaced}
    _write_all(job, "crosswalk", inputs, frames, tally)


def _write(job: Job, name: str, kind: str, inputs: str, frame: pl.DataFrame, tally: Tally) -> None:
    _write_all(job, name, inputs, {kind: frame}, tally)


def _write_all(job: Job, name: str, inputs: str, frames: Mapping[str, pl.DataFrame], tally: Tally) -> None:
    job.ledger.attempt(STAGE, name, 0, inputs)
    batches = [write_batch(job.work, STAGE, name, 0, kind, inputs, frame) for kind, frame in frames.items()]
    job.ledger.record(STAGE, name, 0, inputs, batches, tally)


def _withheld(
    job: Job, people: Mapping[str, pl.DataFrame], decisions: Sequence[Decision], chosen: Mapping[str, str]
) -> pl.DataFrame:
    """CROSSWALK of the rows that did not come through, and of whom people said that they are: a line for each row
    and each survivor."""
    present = {item for frame in people.values() for item in frame.get_column("id")}
    rows = withheld_rows(job, people, _named(decisions, Ruling.SAME) - present)
    everyone = present | {*rows.get_column("id")}
    everyone -= NoLink(job).hidden(everyone)
    meant = withheld(decisions, present & everyone, everyone - present)
    heads = [(item, head) for item, ids in meant.items() for head in sorted({chosen.get(i, i) for i in ids})]
    lines = pl.DataFrame(heads, schema={"id": pl.String, "survivor": pl.String}, orient="row").join(rows, on="id")
    return _as_crosswalk(lines).sort("system", "key", ROW, "survivor_system", "survivor_key")


def _people(job: Job, name: str, batches: Sequence[Batch]) -> pl.DataFrame:
    """KEY, ROW and `id` of each record of one register table."""
    own_id = (pl.lit(f"{_system(job, name)}:") + pl.col(KEY)).alias("id")
    schema = {KEY: pl.String(), ROW: pl.Int64(), "id": pl.String()}
    return pl.concat([pl.DataFrame(schema=schema), *(b.read([KEY, ROW]).with_columns(own_id) for b in batches)])


def _with_state(
    found: CandidatePairs, decisions: Sequence[Decision], grouped: Groups, asked: Sequence[tuple[str, str]],
    raised: pl.DataFrame,
) -> pl.DataFrame:  # fmt: skip
    """The candidate pairs, each undecided, decided, or below what is put forward. `conflict`: decisions
    contradict; `asked_for`: somebody asked for it, and linkage did not put it forward; `changed`: why a pair that
    was decided *different* comes back."""
    ruled = pl.DataFrame(
        {
            "left_id": [item.left_id for item in decisions],
            "right_id": [item.right_id for item in decisions],
            "ruling": [str(item.verdict) for item in decisions],
        },
        schema={"left_id": pl.String, "right_id": pl.String, "ruling": pl.String},
    )
    torn = sorted({item for ids in grouped.conflicts for item in ids})
    together = {item: number for number, ids in enumerate(grouped.merging) for item in ids}
    group = {side: pl.col(side).replace_strict(together, default=None, return_dtype=pl.Int64)
             for side in ("left_id", "right_id")}  # fmt: skip
    decided = pl.col("ruling").is_in([str(item) for item in SETTLING])
    conflict = pl.col("left_id").is_in(torn) & pl.col("right_id").is_in(torn)
    state = (
        pl.when(conflict | pl.col("changed").is_not_null()).then(pl.lit("undecided"))
        .when(decided | (group["left_id"] == group["right_id"]).fill_null(False)).then(pl.lit("decided"))
        .when((pl.col("p_same") >= found.propose) | pl.col("asked_for")).then(pl.lit("undecided"))
        .otherwise(pl.lit("below"))
    )  # fmt: skip
    wanted = pl.DataFrame(asked, schema={"left_id": pl.String, "right_id": pl.String}, orient="row")
    more = pl.concat([_contradicted(found, ruled, torn), _not_found(found, wanted)]).unique(maintain_order=True)
    pairs = pl.concat([found.pairs.read(), more], how="diagonal_relaxed")
    pairs = pairs.join(ruled, on=["left_id", "right_id"], how="left", maintain_order="left")
    wanted = wanted.with_columns(asked_for=pl.lit(True))
    pairs = pairs.join(wanted, on=["left_id", "right_id"], how="left", maintain_order="left")
    pairs = pairs.join(raised, on=["left_id", "right_id"], how="left", maintain_order="left")
    put_forward = (pl.col("p_same") >= found.propose).fill_null(False)
    return pairs.with_columns(asked_for=pl.col("asked_for").fill_null(False) & ~put_forward).with_columns(
        state.alias("state"), conflict.alias("conflict")
    )


def _contradicted(found: CandidatePairs, ruled: pl.DataFrame, torn: list[str]) -> pl.DataFrame:
    """Pairs of conflicting decisions that linkage did not propose: they too go back to review."""
    in_conflict = pl.col("left_id").is_in(torn) & pl.col("right_id").is_in(torn)
    return _not_found(found, ruled.filter(in_conflict).select("left_id", "right_id"))


def _not_found(found: CandidatePairs, wanted: pl.DataFrame) -> pl.DataFrame:
    """Those of some pairs that linkage did not find."""
    return wanted.join(found.pairs.read(["left_id", "right_id"]), on=["left_id", "right_id"], how="anti")


def _system(job: Job, name: str) -> str:
    return next(spec.system for spec in job.specs if spec.name == name)


def _crosswalk(everyone: pl.DataFrame, chosen: Mapping[str, str]) -> pl.DataFrame:
    survivor = pl.col("id").replace(dict(chosen)) if chosen else pl.col("id")
    return _as_crosswalk(everyone.with_columns(survivor.alias("survivor"))).sort("system", "key")


def _as_crosswalk(lines: pl.DataFrame) -> pl.DataFrame:
    """CROSSWALK from `id`, `survivor` and ROW."""
    parts = lines.with_columns(
        pl.col("id").str.splitn(":", 2).struct.rename_fields(["system", "key"]).alias("own"),
        pl.col("survivor")
        .str.splitn(":", 2)
        .struct.rename_fields(["survivor_system", "survivor_key"])
        .alias("to"),
    )
    return parts.unnest("own").unnest("to").select(*CROSSWALK)
