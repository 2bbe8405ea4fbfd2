"""What must never happen: suppressed people found, forbidden pairs met, two people in one cluster."""

from __future__ import annotations

import json

import polars as pl
import pytest

from benchmarks.kinds import PLAIN
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import LinkOptions, RegisterError, link
from tests.linkage.registers_for_tests import as_set, fields_of, proposed

FIELDS = fields_of(PLAIN)


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return make_register(2000, PLAIN, seed=21)


@pytest.fixture(scope="module")
def plain(frame):
    return link(frame, FIELDS)


def test_no_link_leaves_no_trace(frame, plain, tmp_path):
    """With people suppressed, everything is as if their rows had never been in the file."""
    hidden = sorted({person for pair in sorted(proposed(plain))[:40] for person in pair})
    suppressed = link(frame, FIELDS, LinkOptions(no_link=hidden))
    without = link(frame.filter(~pl.col("id").is_in(hidden)), FIELDS)
    assert suppressed.pairs.equals(without.pairs)
    assert suppressed.clusters.equals(without.clusters)
    assert suppressed.model == without.model
    assert {k: v for k, v in suppressed.diagnostics.items() if k != "steps"} == {
        k: v for k, v in without.diagnostics.items() if k != "steps"
    }
    suppressed.write(tmp_path)
    told = "".join(path.read_text() for path in tmp_path.glob("*.json"))
    assert not any(f'"{person}"' in told for person in hidden)


def test_no_link_of_another_type_is_an_error(frame):
    with pytest.raises(RegisterError, match="another type"):
        link(frame, FIELDS, LinkOptions(no_link=[7]))
    numbered = frame.with_columns(id=pl.col("id").cast(pl.Int64))
    with pytest.raises(RegisterError, match="another type"):
        link(numbered, FIELDS, LinkOptions(no_link=["7"]))
    gone = link(numbered, FIELDS, LinkOptions(no_link=[7]))
    assert 7 not in gone.clusters["id"]


def test_pairs_that_may_not_meet(frame, plain):
    forbidden = sorted(proposed(plain))[:50]
    found = link(frame, FIELDS, LinkOptions(not_pairs=[(b, a) for a, b in forbidden]))
    met = {(a, b) for a, b, _ in as_set(found)}
    assert met.isdisjoint(forbidden)
    assert found.diagnostics["cascade"]["candidates"] == plain.diagnostics["cascade"]["candidates"] - len(
        forbidden
    )


def test_recorded_relationship_speaks_for_two_people(frame, plain):
    two = plain.clusters.filter(pl.len().over("cluster") == 2)["id"].to_list()  # a third record would speak too
    chosen = [pair for pair in sorted(proposed(plain)) if {*pair} <= {*two}][:30]
    assert len(chosen) == 30
    found = link(frame, FIELDS, LinkOptions(related=chosen))
    weight = [
        {frozenset((a, b)): w for a, b, w in k.pairs.select("left_id", "right_id", "weight").iter_rows()}
        for k in (plain, found)
    ]
    lighter = [weight[0][frozenset(pair)] - weight[1].get(frozenset(pair), -10.0) for pair in chosen]
    assert min(lighter) > 5


def test_decided_different_never_share_a_cluster(frame, plain):
    decided = sorted(proposed(plain))[:40]
    found = link(frame, FIELDS, LinkOptions(different_pairs=decided))
    cluster = dict(found.clusters.iter_rows())
    assert all(cluster[a] != cluster[b] for a, b in decided)


def test_decided_same_always_share_a_cluster(frame):
    decided = [("00000001", "00000002"), ("00000002", "00000003")]
    cluster = dict(link(frame, FIELDS, LinkOptions(same_pairs=decided)).clusters.iter_rows())
    assert cluster["00000001"] == cluster["00000002"] == cluster["00000003"]


def test_two_valid_nhs_numbers_never_share_a_cluster(frame, plain):
    numbers = frame.select("id", "nhs").join(plain.clusters, on="id")
    valid = numbers.filter(pl.col("nhs").map_elements(_valid, return_dtype=pl.Boolean))
    assert valid.group_by("cluster").agg(pl.col("nhs").n_unique())["nhs"].max() == 1


def _valid(number: str) -> bool:
    digits = [int(d) for d in number]
    check = (11 - sum(d * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11) % 11
    return len(digits) == 10 and check == digits[9]


def test_cluster_names_outlive_a_run(frame, plain):
    names = dict(plain.clusters.iter_rows())
    renamed = {person: f"entity {name}" for person, name in names.items()}
    again = link(frame.filter(pl.int_range(pl.len()) % 50 > 0), FIELDS, LinkOptions(previous_clusters=renamed))
    kept = again.clusters.join(pl.DataFrame({"id": list(renamed), "was": list(renamed.values())}), on="id")
    assert (kept["cluster"] == kept["was"]).mean() > 0.99


def test_written_files(plain, tmp_path):
    plain.write(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {
        "pairs.parquet",
        "clusters.parquet",
        "cut.parquet",
        "model.json",
        "diagnostics.json",
    }
    model = json.loads((tmp_path / "model.json").read_text())
    assert 0 < model["thresholds"]["propose"] < 1
    pairs = pl.read_parquet(tmp_path / "pairs.parquet")
    assert pairs.columns[:5] == ["left_id", "right_id", "p_same", "relation", "weight"]
    assert set(pairs["relation"].cast(pl.String).unique()) <= {
        "same",
        "twin_or_sibling",
        "household",
        "chance",
    }
