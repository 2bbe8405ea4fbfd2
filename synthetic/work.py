"""CF_ACTIVITY and CF_WARNING: what was to be done, and what to beware of."""

import numpy as np
import polars as pl

from casebridge.synthetic.books import finish
from casebridge.synthetic.chunk import Chunk, orphan_people, unknown_workers, workers
from casebridge.synthetic.council import NEVER, SNAPSHOT
from casebridge.synthetic.formats import BATCH, ORACLE, SCREEN
from casebridge.synthetic.notes import legacy_bytes
from casebridge.synthetic.prose import OUTCOMES, WARNINGS
from casebridge.synthetic.sheet import Sheet
from casebridge.synthetic.verdicts import UNMAPPED, inherit

ACTIVITIES = 1.0  # per person row, at intensity 1


def write_activities(chunk: Chunk) -> None:
    rng = chunk.rng("activity")
    count = rng.poisson(
        rng.gamma(1.2, 1 / 1.2, len(chunk.records)) * chunk.activity * ACTIVITIES * chunk.intensity
    )
    record = np.repeat(np.arange(len(chunk.records)), count)
    n = len(record)
    began, ended = chunk.records.created[record], chunk.last_day[record]
    due = began + (rng.random(n) * np.maximum(ended - began, 1)).astype(np.int64)
    done = np.minimum(due + rng.integers(-20, 60, n), SNAPSHOT)
    finished = rng.random(n) < 0.82
    codes, dates = chunk.pools.codes, chunk.pools.dates
    state = np.where(finished, codes["activity_status"].at("DONE")[0], codes["activity_status"].draw(rng, n))
    who = workers(chunk, rng, n)
    sheet = Sheet("CF_ACTIVITY", {
        "ACT_NO": chunk.numbers(5, n),
        "PI_NO": chunk.pi.gather(record),
        "ACT_TYPE": codes["activity_type"].text(rng, codes["activity_type"].draw(rng, n)),
        "STATUS": codes["activity_status"].text(rng, state),
        "DUE_DT": dates.text(dates.index(rng, due, SCREEN)),
        "DONE_DT": dates.text(dates.index(rng, np.where(finished, done, NEVER), SCREEN)),
        "WORKER_NO": chunk.staff.worker_numbers().gather(who),
        "OUTCOME": pl.Series(OUTCOMES).gather(rng.integers(0, len(OUTCOMES), n)),
    }, ("ACT_NO",), rng, soft="OUTCOME", least=chunk.least)  # fmt: skip
    orphan_people(sheet, "PI_NO", 4e-4)
    unmapped_codes(chunk, sheet, "ACT_TYPE", "activity_type")
    for column in ("DUE_DT", "DONE_DT"):
        rows = sheet.pick(5e-4)
        sheet.spoil(rows, column, dates.text(dates.impossible(rng, len(rows))))
        sheet.set_aside(rows, column, "date")
    sheet.set_aside(unknown_workers(chunk, who), "WORKER_NO", "orphan")
    finish(
        sheet,
        chunk.writer,
        lambda own: inherit(own, (chunk.standing, record)),
        order=np.argsort(due, kind="stable"),
    )


def unmapped_codes(chunk: Chunk, sheet: Sheet, column: str, name: str, rate: float = 6e-4) -> None:
    """A dead code that is in nobody's map: the row is held until somebody decides."""
    codes = chunk.pools.codes[name]
    rows = sheet.pick(rate)
    sheet.spoil(rows, column, codes.text(sheet.rng, sheet.rng.choice(codes.unmapped, len(rows))))
    sheet.reject(rows, UNMAPPED)


def write_warnings(chunk: Chunk) -> None:
    rng = chunk.rng("warning")
    count = rng.poisson(chunk.activity * 0.06)
    record = np.repeat(np.arange(len(chunk.records)), count)
    n = len(record)
    began, ended = chunk.records.created[record], chunk.last_day[record]
    since = began + (rng.random(n) * np.maximum(ended - began, 1)).astype(np.int64)
    until = np.where(rng.random(n) < 0.4, np.minimum(since + rng.integers(30, 1500, n), SNAPSHOT), NEVER)
    codes, dates = chunk.pools.codes["warning_type"], chunk.pools.dates
    texts = legacy_bytes(pl.Series(WARNINGS)).gather(rng.integers(0, len(WARNINGS), n))
    sheet = Sheet("CF_WARNING", {
        "WARN_NO": chunk.numbers(6, n),
        "PI_NO": chunk.pi.gather(record),
        "WARN_TYPE": codes.text(rng, codes.draw(rng, n)),
        "SEVERITY": pl.Series(["HIGH", "MED", "LOW", ""]).gather(rng.choice(4, n, p=(0.25, 0.4, 0.25, 0.1))),
        "TEXT": texts,
        "FROM_DT": dates.text(dates.index(rng, since, BATCH)),
        "TO_DT": dates.text(dates.open_ended(rng, until, ORACLE)),
    }, ("WARN_NO",), rng, soft="SEVERITY", free=("TEXT",), least=chunk.least)  # fmt: skip
    orphan_people(sheet, "PI_NO", 1e-3)
    unmapped_codes(chunk, sheet, "WARN_TYPE", "warning_type", 3e-3)
    finish(sheet, chunk.writer, lambda own: inherit(own, (chunk.standing, record)))
