"""Who is who: candidate pairs from the linkage engine, decisions from people, a crosswalk from both."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import polars as pl

from casebridge.dedupe.calibrated import calibrated
from casebridge.dedupe.candidates import CandidatePairs, candidate_pairs, no_link_digest
from casebridge.dedupe.config import LinkageConfig, people_of, read_registers, same_space, spaces
from casebridge.dedupe.foldable import NAME as PREFLIGHT
from casebridge.dedupe.foldable import apart_words, judged, merge_rules
from casebridge.dedupe.golden import Folded, fold, marks_of, shaped_like
from casebridge.dedupe.quality.recalibration import CALIBRATION
from casebridge.dedupe.review.contradictions import contradictions
from casebridge.dedupe.review.crosswalk import groups, withheld
from casebridge.dedupe.review.decision_log import DecisionLog, told
from casebridge.dedupe.review.decisions import Decision, Ruling
from casebridge.dedupe.review.evidence import said_until_now, write_evidence
from casebridge.dedupe.review.intake import asked_for
from casebridge.dedupe.review.overrides import standing_overrides
from casebridge.dedupe.review.preflight import preflight_inputs
from casebridge.dedupe.review.reraise import bases, note_bases, raised_again
from casebridge.dedupe.review.survivorship import TABLE
from casebridge.dedupe.states import with_states
from casebridge.dedupe.waiting import undecided
from casebridge.dedupe.withheld import withheld_rows
from casebridge.project.batch import Batch, digest, write_batch
from casebridge.project.contracts import CROSSWALK, KEY, ROW, SPACES
from casebridge.project.errors import ReviewNeeded, counted
from casebridge.project.job import Job
from casebridge.project.no_link import NoLink, keys_in
from casebridge.project.tally import Tally

STAGE = "dedupe"
MOST_TOLD = 5
"""Contradictions that are named while a run is watched."""


def run(job: Job) -> Tally:
    """Link the registers, and fold what people decided. Returns the account of the registers' rows."""
    registers = read_registers(job.folder, job.specs)
    if not registers:
        return Tally()
    people = people_of(registers)
    if people:
        _check_protected(job, people)
    then = said_until_now(job.audit_log().engine)
    decisions = standing_decisions(job, registers)
    candidates = [candidate_pairs(job, config, decisions) for config in registers]
    found, labelled = calibrated(job, candidates, decisions)
    for one in found:
        mine = [said for said in decisions if one.of.owns(said.left_id)]
        note_bases(job.audit_log().engine, mine, one.pairs.scan())
    inputs, clean = folding(job, found, decisions)
    if job.ledger.done(STAGE, "crosswalk", 0, inputs) is None:
        _fold(job, clean, found, decisions, inputs)
    for name in ("pairs", "crosswalk", *clean):
        job.ledger.seal(job.run, STAGE, name, [(0, inputs)])
    job.ledger.seal(job.run, STAGE, PREFLIGHT, [(0, inputs)] if merge_rules(job, people) else [])
    write_evidence(job, registers, inputs, {**then, CALIBRATION: labelled.text()})
    _delete_unused_files(job)
    lonely = DecisionLog(job.audit_log()).waiting()
    if lonely:
        job.report.note(told(lonely))
    _tell_contradictions(job, decisions)
    if labelled.used:
        job.report.note(f"{labelled.sentence} More pairs put forward for that: {labelled.forward:,}")
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


def standing_decisions(job: Job, registers: Sequence[LinkageConfig]) -> list[Decision]:
    """The latest decision on every pair of records of one register."""
    said = DecisionLog(job.audit_log()).standing()
    return [item for item in said if same_space(registers, item.left_id, item.right_id)]


def folding(
    job: Job, found: Sequence[CandidatePairs], decisions: Sequence[Decision]
) -> tuple[str, dict[str, tuple[Batch, ...]]]:
    """What is folded, with the digest of it and of the decisions it is folded by."""
    registers = [one.of for one in found]
    before = spaces(registers, job.specs)
    tables = [name for one in registers for name in one.tables]
    clean = {name: job.ledger.sealed(job.run, "transform", name, "clean") for name in tables}
    rules, overrides = merge_rules(job, people_of(registers)), standing_overrides(job.audit_log())
    inputs = digest(
        job.code(STAGE), [(one.digest, one.propose) for one in found], [repr(item) for item in decisions],
        no_link_digest(job), before,
        *([preflight_inputs(job, rules)] if rules else []), [repr(said) for said in overrides],
        [repr(marks) for marks in marks_of(job, tables)], _asked(job, registers),
        _raised(job, found, decisions).rows(),
        withheld_rows(job, before, _named(decisions, Ruling.SAME)).rows(),
        {name: [batch.sha256 for batch in batches] for name, batches in clean.items()},
    )  # fmt: skip
    return inputs, clean


def _asked(job: Job, registers: Sequence[LinkageConfig]) -> list[tuple[str, str]]:
    """The pairs of one register that somebody asked to have looked at."""
    return [pair for pair in asked_for(job.audit_log()) if same_space(registers, *pair)]


def _raised(job: Job, found: Sequence[CandidatePairs], decisions: Sequence[Decision]) -> pl.DataFrame:
    """The pairs that were decided *different* and come back, with what changed."""
    known = bases(job.audit_log().engine)
    mine = ([said for said in decisions if one.of.owns(said.left_id)] for one in found)
    return pl.concat(
        raised_again(said, known, one.pairs.scan(), one.propose) for said, one in zip(mine, found, strict=True)
    )


def _named(decisions: Iterable[Decision], verdict: Ruling) -> set[str]:
    """The records of which people said this."""
    return {item for said in decisions if said.verdict is verdict for item in (said.left_id, said.right_id)}


def _check_protected(job: Job, config: LinkageConfig) -> None:
    """Whoever is to be kept apart must be somebody: clean or not, each entry of a no-link list is a record,
    or a word of a line of the dump that could not be read as one."""
    no_link = NoLink(job)
    if not no_link:
        return
    before = spaces([config], job.specs)
    known = {
        f"{before[name]}:{key}"
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
    for path in (p for ending in ("parquet", "db", "json", "part") for p in folder.rglob(f"*.{ending}")):
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
    found: Sequence[CandidatePairs],
    decisions: Sequence[Decision],
    inputs: str,
) -> None:
    registers = [one.of for one in found]
    before = spaces(registers, job.specs)
    rows = {name: _rows(before[name], batches) for name, batches in clean.items()}
    everyone = pl.concat([frame.select("id", ROW) for frame in rows.values()])
    present = set(everyone.get_column("id"))
    present -= NoLink(job).hidden(present)
    cut = {pair for one in found for pair in one.cut.select("left_id", "right_id").iter_rows()}
    grouped = groups(decisions, present, cut)
    asked = [pair for pair in _asked(job, registers) if present.issuperset(pair)]
    pairs = with_states(found, decisions, grouped, asked, _raised(job, found, decisions))
    pairs, split = judged(job, people_of(registers), pairs, grouped, inputs)
    _write(job, "pairs", "pairs", inputs, pairs, Tally())
    folded = [_fold_one(job, one, clean, split.folding.merging, inputs) for one in registers]
    chosen = {item: survivor for one in folded for item, survivor in one.survivor_of.items()}
    merged = sum(1 for item, survivor in chosen.items() if item != survivor)
    tally = Tally(read=everyone.height, merged=merged, passed=everyone.height - merged)
    frames = {
        "crosswalk": _crosswalk(everyone, chosen), "withheld": _withheld(job, before, present, decisions, chosen),
        "displaced": pl.concat([one.displaced for one in folded]),
        "spaces": pl.DataFrame([*before.items()], schema=SPACES, orient="row"),
    }  # fmt: skip
    _write_all(job, "crosswalk", inputs, frames, tally)


def _fold_one(
    job: Job,
    config: LinkageConfig,
    clean: Mapping[str, tuple[Batch, ...]],
    merging: Sequence[tuple[str, ...]],
    inputs: str,
) -> Folded:
    """Fold the groups of one register, and write its golden rows."""
    own = {name: clean[name] for name in config.tables}
    folded = fold(job, config, own, [ids for ids in merging if config.owns(ids[0])])
    for name, batches in own.items():
        mine = shaped_like(batches, folded.golden.filter(pl.col(TABLE) == name))
        _write(job, name, "golden", inputs, mine, Tally(read=mine.height, passed=mine.height))
    return folded


def _write(job: Job, name: str, kind: str, inputs: str, frame: pl.DataFrame, tally: Tally) -> None:
    _write_all(job, name, inputs, {kind: frame}, tally)


def _write_all(job: Job, name: str, inputs: str, frames: Mapping[str, pl.DataFrame], tally: Tally) -> None:
    job.ledger.attempt(STAGE, name, 0, inputs)
    batches = [write_batch(job.work, STAGE, name, 0, kind, inputs, frame) for kind, frame in frames.items()]
    job.ledger.record(STAGE, name, 0, inputs, batches, tally)


def _withheld(
    job: Job,
    before: Mapping[str, str],
    present: Collection[str],
    decisions: Sequence[Decision],
    chosen: Mapping[str, str],
) -> pl.DataFrame:
    """CROSSWALK of the rows that did not come through, and of whom people said that they are: a line for each row
    and each survivor. present: the records that came through and may be linked."""
    rows = withheld_rows(job, before, _named(decisions, Ruling.SAME) - set(present))
    absent = {*rows.get_column("id")}
    absent -= NoLink(job).hidden(absent)
    meant = withheld(decisions, present, absent)
    heads = [(item, head) for item, ids in meant.items() for head in sorted({chosen.get(i, i) for i in ids})]
    lines = pl.DataFrame(heads, schema={"id": pl.String, "survivor": pl.String}, orient="row").join(rows, on="id")
    return _as_crosswalk(lines).sort("system", "key", ROW, "survivor_system", "survivor_key")


def _rows(space: str, batches: Sequence[Batch]) -> pl.DataFrame:
    """KEY, ROW and `id` of each record of one register table."""
    own_id = (pl.lit(f"{space}:") + pl.col(KEY)).alias("id")
    schema = {KEY: pl.String(), ROW: pl.Int64(), "id": pl.String()}
    return pl.concat([pl.DataFrame(schema=schema), *(b.read([KEY, ROW]).with_columns(own_id) for b in batches)])


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
