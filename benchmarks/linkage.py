"""The linkage engine beside Splink: `python -m benchmarks.linkage --people 1000000 --runs 3`.

Both arms read the same Parquet file, use the same blocking rules, train, score and cluster, each in a process
of its own (so that memory is its own), one after the other, turn and turn about. A supervised ceiling
(gradient boosting on the truth, on the engine's candidate pairs) needs scikit-learn. Splink and scikit-learn
are extras: an arm whose package is absent is left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl

from benchmarks.kinds import ROLES, VARIANTS
from benchmarks.registers import make_register
from benchmarks.server import own_peak
from casebridge.dedupe.linkage import Fields, LinkOptions, link
from casebridge.dedupe.linkage.evaluation.measures import calibration

EIGHT_RULES = (
    ("nhs_number",),
    ("phone",),
    ("names", "birth_year"),
    ("surname", "birth_date"),
    ("forename", "birth_date"),
    ("postcode", "forename"),
    ("postcode", "birth_date"),
    ("postcode", "surname", "sex"),
)


def rules_for(columns: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The eight rules, those that need a column the register lacks left out."""
    held = {ROLES[c] for c in columns} | {"names", "birth_year"}
    return tuple(rule for rule in EIGHT_RULES if set(rule) <= held)


def fields_for(columns: tuple[str, ...]) -> Fields:
    return Fields(id="id", roles={ROLES[c]: c for c in columns})


def run_arm(arm: str, file: Path, variant: str, out: Path) -> None:
    """One arm in this process; writes out/pairs.parquet, out/clusters.parquet and out/run.json."""
    columns = VARIANTS[variant].columns
    out.mkdir(parents=True, exist_ok=True)
    if arm == "splink":
        from benchmarks.splink_arm import run_splink

        start = perf_counter()
        run_splink(file, columns, rules_for(columns), out)
        facts: dict[str, Any] = {}
    else:
        options = LinkOptions(rules=rules_for(columns)) if arm == "engine" else LinkOptions()
        start = perf_counter()
        found = link(pl.scan_parquet(file), fields_for(columns), options)
        found.write(out)
        facts = {"propose": found.model["thresholds"]["propose"], "steps": found.diagnostics["steps"]}
        facts["cascade"] = found.diagnostics["cascade"]
    seconds = perf_counter() - start
    memory = own_peak()
    (out / "run.json").write_text(json.dumps({"seconds": seconds, "gib": memory, **facts}))


def judged(out: Path, truth: pl.DataFrame, total: int) -> dict[str, float]:
    """F1 at the arm's own threshold and at its best, recall, calibration, twins put forward as sure."""
    pairs = pl.read_parquet(out / "pairs.parquet", columns=["left_id", "right_id", "p_same"])
    left = truth.rename({"id": "left_id", "person": "a", "twin": "a_twin"})
    right = truth.rename({"id": "right_id", "person": "b", "twin": "b_twin"})
    pairs = pairs.join(left, on="left_id").join(right, on="right_id").sort("p_same", descending=True)
    hit = (pairs["a"] == pairs["b"]).to_numpy()
    twin = ((pairs["a_twin"] == pairs["b"]) | (pairs["b_twin"] == pairs["a"])).to_numpy()
    p = pairs["p_same"].to_numpy()
    last = np.append(p[1:] != p[:-1], True)
    f1 = np.where(last, 2 * np.cumsum(hit) / (np.arange(len(p)) + 1 + total), 0.0)
    run = json.loads((out / "run.json").read_text())
    own = p >= run.get("propose", p[int(f1.argmax())])
    worst = max(
        (abs(r["mean_p"] - r["true_share"]) for r in calibration(p, hit) if r["pairs"] >= 500), default=0.0
    )
    return {
        "seconds": run["seconds"],
        "gib": run["gib"],
        "own_f1": float(2 * hit[own].sum() / (own.sum() + total)) if "propose" in run else float("nan"),
        "best_f1": float(f1.max()),
        "kept_recall": float(hit.sum() / total),
        "worst_tenth": float(worst),
        "sure_twins": int(twin[p >= 0.95].sum()),
    }


def ceiling(file: Path, variant: str, total: int) -> float | None:
    """Best F1 of gradient boosting trained on half the truth and judged on the other half, on the engine's
    candidate pairs and levels; recall counted over all true pairs."""
    if importlib.util.find_spec("sklearn") is None:
        return None
    from benchmarks.ceiling import supervised_f1

    columns = VARIANTS[variant].columns
    return supervised_f1(pl.read_parquet(file), fields_for(columns), rules_for(columns), total)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--variant", default="plain", choices=sorted(VARIANTS))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--arms", default="engine,splink,engine-own-rules")
    parser.add_argument("--ceiling", action="store_true")
    parser.add_argument("--arm", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.arm:
        run_arm(given.arm, given.file, given.variant, given.out)
        return
    arms = given.arms.split(",")
    if importlib.util.find_spec("splink") is None:
        arms = [arm for arm in arms if arm != "splink"]
    with tempfile.TemporaryDirectory() as folder:
        compare(given, arms, Path(folder))


def compare(given: argparse.Namespace, arms: list[str], folder: Path) -> None:
    file = folder / "register.parquet"
    register = make_register(given.people, VARIANTS[given.variant], seed=given.seed)
    register.write_parquet(file)
    truth = register.select("id", "person", "twin")
    sizes = truth.group_by("person").len()["len"].to_numpy().astype(np.int64)
    total = int((sizes * (sizes - 1) // 2).sum())
    twins = truth.filter(pl.col("twin") >= 0).join(truth, left_on="twin", right_on="person").height
    rows = register.height
    del register
    show(f"{given.variant}: {rows:,} rows, {total:,} true pairs, {twins:,} twin pairs")
    found: dict[str, list[dict[str, float]]] = {arm: [] for arm in arms}
    for _ in range(given.runs):
        for arm in arms:
            out = folder / arm
            command = [sys.executable, "-m", "benchmarks.linkage", "--variant", given.variant]
            subprocess.run(
                [*command, "--arm", arm, "--file", str(file), "--out", str(out)],
                check=True,
                stderr=subprocess.DEVNULL,
            )
            found[arm].append(judged(out, truth, total))
            show(arm, found[arm][-1])
    report(found)
    if given.ceiling:
        show("supervised ceiling, best F1", {"best_f1": ceiling(file, given.variant, total) or float("nan")})


def report(found: dict[str, list[dict[str, float]]]) -> None:
    middle = {arm: statistics.median(run["seconds"] for run in runs) for arm, runs in found.items()}
    for arm, runs in found.items():
        spread = [round(run["seconds"], 1) for run in runs]
        ratio = f", Splink takes {middle['splink'] / middle[arm]:.2f} times as long" if "splink" in middle else ""
        show(f"{arm}: median {middle[arm]:.1f} s of {spread}{ratio}")


def show(text: str, figures: dict[str, float] | None = None) -> None:
    told = "" if figures is None else "  " + "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
    sys.stdout.write(text + told + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
