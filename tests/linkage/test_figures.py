"""The figures the engine promises, on registers that differ in kind; at a size a test can afford."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from benchmarks.kinds import PLAIN, VARIANTS
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import evaluate, link, write_evaluation
from casebridge.dedupe.linkage.evaluation.second_opinion import second_opinion
from casebridge.dedupe.linkage.scoring.thresholds import best_expected_f1
from tests.linkage.registers_for_tests import fields_of

PEOPLE = 8_000
LEAST_F1 = {"dirty": 0.955, "gaps": 0.89, "movers": 0.955, "few duplicates": 0.95, "postcode only": 0.965}


@pytest.fixture(scope="module", params=sorted(VARIANTS))
def judged(request):
    variant = VARIANTS[request.param]
    frame = make_register(PEOPLE, variant, seed=31)
    linkage = link(frame, fields_of(variant))
    return request.param, frame, linkage, evaluate(linkage, frame, fields_of(variant), "person")


def test_own_threshold_is_nearly_the_best(judged):
    name, _, _, found = judged
    assert found["proposed"]["f1"] >= LEAST_F1.get(name, 0.975)
    assert found["proposed"]["f1"] >= found["best"]["f1"] - 0.01


def test_blocking_keeps_true_pairs(judged):
    name, _, _, found = judged
    assert found["kept"]["recall"] >= (0.93 if name == "gaps" else 0.975)


def test_calibration(judged):
    """Within 3 points in tenths that hold 500 pairs, and two standard errors of so small a tenth."""
    _, _, _, found = judged
    for row in found["calibration"]:
        if row["pairs"] >= 500:
            noise = 2 * np.sqrt(row["true_share"] * (1 - row["true_share"]) / row["pairs"])
            assert abs(row["mean_p"] - row["true_share"]) <= 0.03 + noise, row


def test_no_twin_is_sure(judged):
    _, frame, linkage, _ = judged
    twin = frame.select("person", "twin").filter(pl.col("twin") >= 0).unique()
    pairs = {(min(a, b), max(a, b)) for a, b in twin.iter_rows()}
    person = dict(frame.select("id", "person").iter_rows())
    sure = linkage.pairs.filter(pl.col("p_same") >= 0.95).select("left_id", "right_id").iter_rows()
    found = [(person[a], person[b]) for a, b in sure]
    assert sum((min(p), max(p)) in pairs for p in found) <= max(1, len(pairs) // 1000)


def test_model_is_sound(judged):
    _, _, linkage, _ = judged
    assert linkage.model["converged"]
    assert linkage.diagnostics["unsure"] < 0.25
    for comparison, groups in zip(linkage.model["comparisons"], linkage.fitted.groups, strict=True):
        chances = np.array([level["by_component"] for level in comparison["levels"]])
        assert len(chances) == sum(groups)
        for part in np.split(chances, np.cumsum(groups)[:-1]):
            np.testing.assert_allclose(part.sum(axis=0), 1.0, atol=1e-6)


def test_twins_sharing_an_nhs_number_are_in_doubt():
    frame = make_register(3000, replace(PLAIN, twins=0.05), seed=5)
    twin = frame.filter(pl.col("twin") >= 0).unique("person").select("id", "twin")
    shared = twin.join(
        frame.select("person", pl.col("nhs").alias("other")), left_on="twin", right_on="person"
    ).unique("id")
    frame = frame.join(shared.select("id", "other"), on="id", how="left").with_columns(
        nhs=pl.coalesce("other", "nhs")
    )
    linkage = link(frame, fields_of(PLAIN))
    person = {i: (p, t) for i, p, t in frame.select("id", "person", "twin").iter_rows()}
    twins = [
        p
        for a, b, p in linkage.pairs.select("left_id", "right_id", "p_same").iter_rows()
        if person[a][1] == person[b][0] or person[b][1] == person[a][0]
    ]
    assert len(twins) > 30
    assert max(twins) < 0.95


@pytest.fixture(scope="module")
def frame():
    return make_register(3000, PLAIN, seed=8)


@pytest.fixture(scope="module")
def linkage(frame):
    return link(frame, fields_of(PLAIN, source="system"))


def test_evaluation_is_written(frame, linkage, tmp_path):
    found = evaluate(linkage, frame, fields_of(PLAIN, source="system"), "person", {"origin": "origin"})
    assert set(found["by_group"]) == {"origin", "sex", "surname", "source", "age"}
    write_evaluation(found, linkage.model, tmp_path)
    assert "<svg" in (tmp_path / "evaluation.html").read_text()
    row = linkage.pairs.row(0, named=True)
    assert row["weight"] == pytest.approx(as_fitted(linkage, row), abs=1e-6)


def as_fitted(linkage, row):
    """A pair's weight in bits by the fitted model and third records."""
    model = linkage.fitted
    named = zip(model.comparisons, model.labels, strict=True)
    levels = [labels.index(row[name]) if row[name] is not None else len(labels) for name, labels in named]
    third = {level["label"]: level["bits"] for level in linkage.model["third_record"]["levels"]}
    bits = model.log_odds(np.array([levels], dtype=np.uint8))[0] / np.log(2)
    return float(bits) + third.get(row["third_record"], 0.0)


def test_second_opinion_agrees(linkage):
    found = second_opinion(linkage.fitted, linkage.patterns, seed=1)
    assert found["ran"]
    assert found["agree"] > 0.9


def test_threshold_by_expected_f1():
    p = np.array([0.99, 0.9, 0.6, 0.3, 0.05])
    threshold, f1 = best_expected_f1(p, np.ones(5), 0.0)
    tried = [2 * p[:k].sum() / (k + p.sum()) for k in range(1, 6)]
    assert f1 == pytest.approx(max(tried))
    assert threshold == p[int(np.argmax(tried))]
