"""Rules over several rows of a spec: at most one of them may be so, such as one current main address a person.

They are asked of the whole table when all its rows are converted, and only warn: every row of a group with more
than one is named, and all are loaded. Which of them is the right one, no program can know.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from polars.exceptions import PolarsError

from casebridge.project.batch import Batch, digest, write_batch
from casebridge.project.contracts import EVIDENCE, KEY, QUARANTINE, REST, ROW, Verdict
from casebridge.project.errors import SpecError
from casebridge.project.job import Job
from casebridge.project.spec import Single, TableSpec
from casebridge.project.tally import Tally
from casebridge.transform.schema import fails_on_rows

STAGE = "transform"


def inputs_of_singles(job: Job, spec: TableSpec, sealed: Sequence[tuple[int, str]]) -> str:
    """The digest of all that these rules are asked of."""
    return digest("singles", job.code(STAGE), repr(spec.singles), list(sealed))


def ask_singles(job: Job, spec: TableSpec, sealed: Sequence[tuple[int, str]]) -> tuple[int, str]:
    """The number and inputs of the batch that holds what these rules found. It comes after the spec's own batches,
    which are sealed."""
    number, inputs = len(sealed), inputs_of_singles(job, spec, sealed)
    if job.ledger.done(STAGE, spec.name, number, inputs) is None:
        clean = job.ledger.sealed(job.run, STAGE, spec.name, "clean")
        job.ledger.attempt(STAGE, spec.name, number, inputs)
        found = pl.concat(
            [pl.DataFrame(schema=dict(QUARANTINE)), *(_found(spec, one, clean) for one in spec.singles)]
        )
        file = write_batch(job.work, STAGE, spec.name, number, "quarantine", inputs, found)
        job.ledger.record(STAGE, spec.name, number, inputs, [file], Tally(warned=found.height))
    return number, inputs


def named_by(single: Single) -> set[str]:
    """The converted columns that a rule is about."""
    return {*single.one_of, *pl.sql_expr(single.when).meta.root_names()}


def in_clean(spec: TableSpec, names: set[str]) -> list[pl.Expr]:
    """Converted columns by their names, as clean batches have them."""
    evidence = {column.name for column in spec.columns if column.evidence}
    return [pl.col((EVIDENCE if name in evidence else "") + name).alias(name) for name in sorted(names)]


def _found(spec: TableSpec, single: Single, clean: Sequence[Batch]) -> pl.DataFrame:
    """The rows of every group with more than one."""
    if not clean:
        return pl.DataFrame(schema=dict(QUARANTINE))
    columns = in_clean(spec, named_by(single))
    try:
        frames = [
            batch.scan().select(KEY, ROW, REST, *columns).filter(pl.sql_expr(single.when)).collect()
            for batch in clean
        ]
    except PolarsError as error:
        raise SpecError([fails_on_rows(spec.name, f"rule `{single.rule}`")]) from error
    rows = pl.concat(frames).filter(pl.all_horizontal(pl.col(name).is_not_null() for name in single.one_of))
    several = rows.filter(pl.struct(single.one_of).is_duplicated()).sort(ROW)
    nothing = pl.lit(None, dtype=pl.String)
    return several.with_columns(
        pl.lit(str(Verdict.WARNED)).alias("verdict"), pl.lit(False).alias("first"), nothing.alias("column"),
        pl.lit(single.rule).alias("rule"), nothing.alias("value"), nothing.alias("parent"),
    ).select(pl.col(name).cast(kind) for name, kind in QUARANTINE.items())  # fmt: skip
