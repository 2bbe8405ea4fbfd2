"""The engine on registers that differ in kind: `python -m benchmarks.variants --people 100000`."""

from __future__ import annotations

import argparse
import sys

import polars as pl

from benchmarks.kinds import VARIANTS
from benchmarks.linkage import fields_for
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import evaluate, link


def row(name: str, people: int, seed: int) -> str:
    """One line of the table in docs/linkage-figures.md."""
    variant = VARIANTS[name]
    register = make_register(people, variant, seed=seed)
    fields = fields_for(variant.columns)
    linkage = link(register, fields)
    found = evaluate(linkage, register, fields, "person")
    tenths = [r for r in found["calibration"] if r["pairs"] >= 500]
    worst = max((abs(r["mean_p"] - r["true_share"]) for r in tenths), default=0.0)
    people_of = register.select("id", "person", "twin")
    twins = people_of.filter(pl.col("twin") >= 0).join(people_of, left_on="twin", right_on="person").height
    sure = linkage.pairs.filter(pl.col("p_same") >= 0.95)
    left, right = (
        people_of.rename({"id": f"{side}_id", "person": side, "twin": f"{side}_twin"})
        for side in ("left", "right")
    )
    sure = sure.join(left, on="left_id").join(right, on="right_id")
    wrong = sure.filter((pl.col("left_twin") == pl.col("right")) | (pl.col("right_twin") == pl.col("left"))).height
    own, best = found["proposed"], found["best"]
    told = linkage.model["blocking"]
    believed = min(told["recall"]["recall"], (told["net"] or told["recall"])["recall"])
    return (
        f"| {name} | {found['true_pairs']:,} | {own['f1']:.4f} | {best['f1']:.4f} | {own['precision']:.4f} | "
        f"{own['recall']:.4f} | {found['kept']['recall']:.4f} | {told['recall']['recall']:.4f} | "
        f"{believed:.4f} | {wrong} of {twins:,} | {100 * worst:.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--variant", action="append", choices=sorted(VARIANTS))
    given = parser.parse_args()
    sys.stdout.write(
        "| variant | true pairs | own F1 | best F1 | precision | recall | kept | kept, by recapture | "
        "kept, as believed | sure twins | gap, points |\n"
    )
    sys.stdout.write("|---|---|---|---|---|---|---|---|---|---|---|\n")
    for name in given.variant or VARIANTS:
        sys.stdout.write(row(name, given.people, given.seed) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
