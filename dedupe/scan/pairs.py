"""Which pairs of the register are before the reviewers: put forward by linkage or on file as duplicates, less what
people settled. What they settled comes back only when its evidence changed materially (`review/reraise.py`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from casebridge.dedupe.review.decisions import SETTLING, Decision, Ruling
from casebridge.dedupe.review.reraise import Basis, raised_again
from casebridge.dedupe.scan.linking import PAIRS, Linked

Pair = tuple[str, str]
BESIDE = ("since", "decision")
"""The columns of a candidate that are for the scan itself: the day on which it was put forward first, and the
number of the decision that it comes back in spite of."""
CANDIDATES: Mapping[str, type[pl.DataType]] = {
    **PAIRS, "state": pl.String, "ruling": pl.String, "changed": pl.String, "since": pl.String, "why": pl.String,
    "decision": pl.Int64,
}  # fmt: skip
"""PAIRS and their levels; `state` undecided or decided, the ruling that stands, what changed since."""
ON_FILE = "the register itself calls them duplicates"
UNBORN = "an unborn record beside a born child"
BACK = "a record that was merged is in the register again"


def candidates(
    linked: Linked,
    besides: Mapping[Pair, str],
    decided: Mapping[Pair, Decision],
    bases: Mapping[Pair, Basis],
    before: pl.DataFrame | None,
    day: str,
) -> pl.DataFrame:
    """CANDIDATES of tonight. besides: pairs that are put forward whatever linkage finds, and why; BACK also in
    spite of what was decided. decided, bases: what stands and what it rested on. before: of the night before, for
    `since`."""
    by = ["left_id", "right_id"]
    again = raised_again(list(decided.values()), bases, linked.pairs.lazy(), linked.propose)
    forward = pl.col("p_same") >= linked.propose
    pairs = linked.pairs.filter(forward | _in(decided) | _in(besides))
    beside = pl.DataFrame(sorted(besides), schema=dict.fromkeys(by, pl.String()), orient="row")
    pairs = pl.concat([pairs, beside.join(pairs, on=by, how="anti", maintain_order="left")], how="diagonal")
    found = pairs.join(_rulings(decided), on=by, how="left").join(again, on=by, how="left")
    back = [pair for pair, why in besides.items() if why == BACK]
    settled = pl.col("ruling").is_in([str(item) for item in SETTLING]).fill_null(False) & ~_in(back)
    reasons = {"\n".join(pair): why for pair, why in besides.items()}
    found = found.with_columns(
        pl.when(settled & pl.col("changed").is_null()).then(pl.lit("decided")).otherwise(pl.lit("undecided"))
        .alias("state"),
        (pl.col("left_id") + "\n" + pl.col("right_id"))
        .replace_strict(reasons, default="", return_dtype=pl.String)
        .alias("why"),
    )  # fmt: skip
    then = _none() if before is None else before
    found = found.join(then.select(*by, "since"), on=by, how="left")
    return found.with_columns(pl.col("since").fill_null(pl.lit(day))).sort(by)


def ruled_pairs(decided: Mapping[Pair, Decision], *verdicts: Ruling) -> list[Pair]:
    """The pairs with one of these verdicts."""
    return sorted(pair for pair, said in decided.items() if said.verdict in verdicts)


def _rulings(decided: Mapping[Pair, Decision]) -> pl.DataFrame:
    rows = [(*pair, str(said.verdict)) for pair, said in sorted(decided.items(), key=lambda item: item[0])]
    schema = {"left_id": pl.String, "right_id": pl.String, "ruling": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _none() -> pl.DataFrame:
    return pl.DataFrame(schema=dict(CANDIDATES))


def _in(pairs: Collection[Pair]) -> pl.Expr:
    """Whether a row's pair is one of these."""
    if not pairs:
        return pl.lit(value=False)
    names = [f"{left}\n{right}" for left, right in pairs]
    return (pl.col("left_id") + "\n" + pl.col("right_id")).is_in(names)
