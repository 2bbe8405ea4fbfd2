"""How good a linkage is, where the truth is known: precision, recall, calibration, and for whom it errs.

Every measure counts all true pairs of the register, those that blocking lost included.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.evaluation.charts import page
from casebridge.dedupe.linkage.fields import Fields
from casebridge.dedupe.linkage.register.date_parts import with_joined
from casebridge.dedupe.linkage.register.dates import packed_dates, year_table
from casebridge.dedupe.linkage.result import Linkage
from casebridge.project.batch import write_text

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
AGE_BANDS = (0, 5, 18, 40, 65, 80)


def evaluate(
    linkage: Linkage,
    register: pl.DataFrame | pl.LazyFrame,
    fields: Fields,
    truth: str,
    groups: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Everything evaluation.json holds. `truth` is the column that is equal for records of one person.

    groups: further columns (name = column) to break errors down by; sex, age, source and the commonness of
    the surname are added where the register has them. Raises RegisterError when there is no such column.
    """
    people = _people(register, fields, truth, dict(groups or {}))
    total = true_pairs(people, fields.link_only)
    pairs = _judged(linkage.pairs, people)
    p, hit = pairs["p_same"].to_numpy(), pairs["hit"].to_numpy()
    propose = float(linkage.model["thresholds"]["propose"])
    return {
        "true_pairs": total,
        "kept": {"pairs": len(p), "recall": _share(hit.sum(), total)},
        "proposed": {
            "counts": "pairs put forward: zones same and review at p or above",
            "p": propose,
            **_scores(hit[p >= propose], total),
        },
        "same": {
            "counts": "pairs in the zone same",
            **_scores(pairs.filter(pl.col("zone") == "same")["hit"].to_numpy(), total),
        },
        "best": _best(p, hit, total),
        "without_false_pairs": _without_false(p, hit, total),
        "by_threshold": [{"p": t, **_scores(hit[p >= t], total)} for t in THRESHOLDS],
        "calibration": calibration(p, hit),
        "clusters": _clusters(linkage.clusters, people, fields.link_only, total),
        "by_group": _by_group(pairs.filter(pl.col("p_same") >= propose), people, fields.link_only),
    }


def _people(
    register: pl.DataFrame | pl.LazyFrame, fields: Fields, truth: str, groups: dict[str, str]
) -> pl.DataFrame:
    lazy = with_joined(register, fields.joined)
    held = lazy.collect_schema().names()
    absent = [column for column in (truth, *groups.values()) if column not in held]
    if absent:
        raise RegisterError(f"The register has no column {', '.join(absent)}.", "Name one it has for the truth.")
    wanted = [pl.col(fields.id).alias("id"), pl.col(truth).cast(pl.String).alias("truth")]
    wanted += [pl.col(column).cast(pl.String).alias(f"by {name}") for name, column in groups.items()]
    source = pl.col(fields.source).cast(pl.String) if fields.source else pl.lit("")
    wanted.append(source.alias("source"))
    people = lazy.select(*wanted, *_subgroup_columns(fields)).collect()
    people = people.with_columns(
        pl.coalesce("truth", pl.format("no truth {}", pl.int_range(pl.len()))).alias("truth")
    )
    return _with_subgroups(people, fields)


def _subgroup_columns(fields: Fields) -> list[pl.Expr]:
    roles = {role: fields.roles[role] for role in ("sex", "birth_date", "surname") if role in fields.roles}
    return [pl.col(column).alias(f"role {role}") for role, column in roles.items()]


def _with_subgroups(people: pl.DataFrame, fields: Fields) -> pl.DataFrame:
    found = []
    if "role sex" in people.columns:
        found.append(pl.col("role sex").cast(pl.String).alias("by sex"))
    if "role surname" in people.columns:
        held = pl.len().over("role surname") / pl.len()
        found.append(
            pl.when(held >= 1e-3).then(pl.lit("common")).when(held >= 1e-4).then(pl.lit("uncommon"))
            .otherwise(pl.lit("rare")).alias("by surname")
        )  # fmt: skip
    if fields.source:
        found.append(pl.col("source").alias("by source"))
    people = people.with_columns(found)
    if "role birth_date" in people.columns:
        people = people.with_columns(_age_bands(people["role birth_date"]).alias("by age"))
    return people.select("id", "truth", "source", pl.col("^by .*$"))


def _age_bands(born: pl.Series) -> pl.Series:
    years = year_table()[packed_dates(born) >> np.uint32(16)].astype(np.int64)
    given = years[years > 0]
    newest = int(np.quantile(given, 0.999)) if len(given) else 0  # a slip of the pen makes births to come
    age = np.maximum(newest - years, 0)
    words = [f"{a}-{b - 1}" for a, b in pairwise(AGE_BANDS)] + [f"{AGE_BANDS[-1]}+"]
    place = np.searchsorted(np.array(AGE_BANDS), age, side="right") - 1
    return pl.Series([words[n] if y else None for n, y in zip(place, years, strict=True)], dtype=pl.String)


def true_pairs(people: pl.DataFrame, link_only: bool) -> int:
    """Pairs of records of one person; with link_only those of different sources."""
    sizes = people.group_by("truth").len()["len"].to_numpy().astype(np.int64)
    total = int((sizes * (sizes - 1) // 2).sum())
    if link_only:
        within = people.group_by("truth", "source").len()["len"].to_numpy().astype(np.int64)
        total -= int((within * (within - 1) // 2).sum())
    return total


def _judged(pairs: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """The pairs with `hit`: truly one person; and the subgroups of the left record."""
    left = people.rename({"id": "left_id", "truth": "left_truth"})
    right = people.select(pl.col("id").alias("right_id"), pl.col("truth").alias("right_truth"))
    both = (
        pairs.select("left_id", "right_id", "p_same", "zone").join(left, on="left_id").join(right, on="right_id")
    )
    return both.with_columns(hit=pl.col("left_truth") == pl.col("right_truth")).sort("p_same", descending=True)


def _scores(hit: NDArray[np.bool_], total: int) -> dict[str, float]:
    return _counted(int(hit.sum()), len(hit), total)


def _counted(true: int, proposed: int, total: int) -> dict[str, float]:
    return {
        "precision": _share(true, proposed), "recall": _share(true, total),
        "f1": _share(2 * true, proposed + total), "false": proposed - true, "missed": total - true,
    }  # fmt: skip


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 1.0


def _last_of_ties(p: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.flatnonzero(np.append(p[1:] != p[:-1], True)) if len(p) else np.zeros(0, dtype=np.int64)


def _best(p: NDArray[np.float64], hit: NDArray[np.bool_], total: int) -> dict[str, float]:
    """The threshold the truth would choose: for comparison only, no linkage can know it."""
    ends = _last_of_ties(p)
    if not len(ends):
        return {"p": 1.0, **_scores(hit, total)}
    f1 = 2 * np.cumsum(hit)[ends] / (ends + 1 + total)
    at = int(ends[int(np.argmax(f1))])
    return {"p": float(p[at]), **_scores(hit[: at + 1], total)}


def _without_false(p: NDArray[np.float64], hit: NDArray[np.bool_], total: int) -> dict[str, float]:
    """Recall down to the last p above which no pair is false."""
    ends = _last_of_ties(p)
    clean = ends[np.cumsum(~hit)[ends] == 0] if len(ends) else ends
    at = int(clean[-1]) if len(clean) else -1
    return {"p": float(p[at]) if at >= 0 else 1.0, "recall": _share(hit[: at + 1].sum(), total)}


def calibration(p: NDArray[np.float64], hit: NDArray[np.bool_]) -> list[dict[str, float]]:
    """By tenths of the score: pairs, mean score, share truly one person."""
    tenth = np.minimum((p * 10).astype(np.int64), 9)
    rows = []
    for number in range(10):
        here = tenth == number
        if here.any():
            mean, true = float(p[here].mean()), float(hit[here].mean())
            rows.append({"tenth": number, "pairs": int(here.sum()), "mean_p": mean, "true_share": true})
    return rows


def _clusters(clusters: pl.DataFrame, people: pl.DataFrame, link_only: bool, total: int) -> dict[str, float]:
    joined = clusters.join(people.select("id", "truth", "source"), on="id")
    proposed = true_pairs(joined.with_columns(truth=pl.col("cluster")), link_only)
    together = joined.with_columns(truth=pl.concat_str("cluster", "truth", separator="\x1f"))
    return _counted(true_pairs(together, link_only), proposed, total)


def _by_group(proposed: pl.DataFrame, people: pl.DataFrame, link_only: bool) -> dict[str, list[dict[str, Any]]]:
    """Missed and false pairs of each subgroup; a pair belongs to the groups of the record named first."""
    found: dict[str, list[dict[str, Any]]] = {}
    first = people.with_columns(mates=pl.len().over("truth") - 1)
    if link_only:
        first = first.with_columns(mates=pl.col("mates") - (pl.len().over("truth", "source") - 1))
    for column in (c for c in people.columns if c.startswith("by ")):
        records = first.group_by(column).agg(pl.col("mates").sum() / 2, pl.len().alias("records"))
        made = proposed.group_by(column).agg(
            pl.col("hit").sum().alias("true"), (~pl.col("hit")).sum().alias("false")
        )
        rows = records.join(made, on=column, how="left", nulls_equal=True).fill_null(0).sort(column)
        found[column[3:]] = [
            _group_row(*row) for row in rows.select(column, "records", "mates", "true", "false").iter_rows()
        ]
    return found


def _group_row(group: str | None, records: int, mates: float, true: int, false: int) -> dict[str, Any]:
    recall = min(1.0, _share(true, mates))
    return {
        "group": group,
        "records": records,
        "true_pairs": mates,
        "recall": recall,
        "precision": _share(true, true + false),
    }


def write_evaluation(result: Mapping[str, Any], model: Mapping[str, Any], folder: str | Path) -> None:
    """Write evaluation.json, and evaluation.html with its plots."""
    where = Path(folder)
    write_text(where / "evaluation.json", json.dumps(result, indent=1) + "\n")
    write_text(where / "evaluation.html", page(result, model))
