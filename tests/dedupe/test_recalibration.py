"""What people found in the sample puts linkage's probabilities right, in the next run and within bounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from casebridge.dedupe.quality.labels import Label
from casebridge.dedupe.quality.recalibration import ENGINE, FEWEST, MOST, recalibrate
from casebridge.dedupe.quality.strata import WAITING
from casebridge.dedupe.review.desk_tables import VERDICTS
from casebridge.dedupe.review.samples import Drawn, Pair, Sample, keep_sample
from casebridge.migrate.pipeline import open_job
from casebridge.project.control import bring_up_control
from casebridge.project.database import writing
from tests.kin import Kin, make_kin, person


def _pairs(p: np.ndarray) -> pl.DataFrame:
    ids = [str(n) for n in range(len(p))]
    others = [f"o{n}" for n in ids]
    return pl.DataFrame({"left_id": ids, "right_id": others, "p_same": p, "zone": ["review"] * len(p)})


def _odds(p: np.ndarray) -> np.ndarray:
    return p / (1 - p)


def test_weighted_labels_bring_p_to_what_is_true_and_unweighted_ones_would_not() -> None:
    """Linkage is four times too sure of itself where nobody has merged, and there one pair in 40 was looked at; of
    what was merged each one."""
    rng = np.random.default_rng(3)
    p = rng.uniform(0.3, 0.95, 44_000)
    merged = np.arange(len(p)) < 4_000
    true = _odds(p) * np.where(merged, 1.0, 0.25)
    true = true / (1 + true)
    same = rng.random(len(p)) < true
    drawn = merged | (rng.random(len(p)) < 1 / 40)
    off = {}
    for name, weight in (("weighted", np.where(merged, 1.0, 40.0)), ("plain", np.ones(len(p)))):
        labels = [Label(str(n), f"o{n}", bool(same[n]), float(weight[n])) for n in np.flatnonzero(drawn)]
        after, told = recalibrate(_pairs(p), labels, propose=2.0)
        off[name] = abs(float(after.get_column("p_same").mean()) - same.mean())
        assert told.used
    assert abs(p.mean() - same.mean()) > 0.2
    assert off["weighted"] < 0.03 < 0.1 < off["plain"]


@pytest.mark.parametrize("wrong", [5, 4_000])
def test_wrong_answers_move_little_and_within_bounds(wrong: int) -> None:
    """A hundred right answers, and some that say *one person* of pairs that linkage doubts."""
    rng = np.random.default_rng(4)
    p = np.concatenate([np.full(60, 0.02), np.full(60, 0.99), np.full(wrong, 0.5), rng.uniform(0, 1, 1_000)])
    answers = [False] * 60 + [True] * (60 + wrong)
    right = [Label(str(n), f"o{n}", said, 10.0) for n, said in enumerate(answers)]
    base, _ = recalibrate(_pairs(p), right[:120], propose=0.9)
    after, told = recalibrate(_pairs(p), right, propose=0.9)
    now, without = (frame.get_column("p_same").to_numpy() for frame in (after, base))
    moved = np.abs(np.log(_odds(now) / _odds(without)))
    assert moved.max() < (0.35 if wrong == 5 else 2 * MOST + 1e-9)
    assert np.abs(np.log(_odds(now) / _odds(p))).max() < MOST + 1e-9
    assert after.get_column("zone").to_list() == base.get_column("zone").to_list()
    order = np.argsort(p)
    assert (np.diff(now[order]) >= -1e-12).all()
    assert told.forward == int(((now >= 0.9) & (p < 0.9)).sum())


def test_what_was_put_forward_stays_so_whatever_people_say() -> None:
    p = np.linspace(0.05, 0.95, 400)
    labels = [Label(str(n), f"o{n}", n % 50 == 0, 1.0) for n in range(400)]
    after, told = recalibrate(_pairs(p), labels, propose=0.5)
    now = after.get_column("p_same").to_numpy()
    assert told.used
    assert (now[p >= 0.5] >= 0.5).all()
    assert now[p < 0.5].mean() < p[p < 0.5].mean() - 0.1
    assert after.get_column(ENGINE).to_list() == p.tolist()


@pytest.mark.parametrize(("same", "different"), [(60, FEWEST - 61), (FEWEST, 4), (4, FEWEST)])
def test_below_the_floor_nothing_changes(same: int, different: int) -> None:
    p = np.full(same + different, 0.5)
    labels = [Label(str(n), f"o{n}", n < same, 1.0) for n in range(same + different)]
    after, told = recalibrate(_pairs(p), labels, propose=0.9)
    assert after.equals(_pairs(p))
    assert (told.used, told.labels, told.same) == (False, same + different, same)
    assert "100" in told.sentence


def _drawn(kin: Kin, answers: dict[Pair, str]) -> None:
    """A sample of these pairs, each with its blind check, as the desk keeps them."""
    with open_job(kin.folder, "trial-1") as job:
        log = job.audit_log(writing=True)
        with writing(log.engine).begin() as connection:
            bring_up_control(connection)
            stratum = Drawn("waiting: all", WAITING, 0, len(answers), 0.5, tuple(answers))
            keep_sample(connection, Sample("trial-1", 0.01, 0.0, "2026-11-27T00:00:00Z", (stratum,)), "t")
            rows = [
                {"item": f"{n:032x}", "left_id": left, "right_id": right, "login": "kim", "name": "Kim",
                 "act": "check", "verdict": said, "code": "", "reason": "", "evidence": "e", "form": f"f{n}",
                 "basis": "{}", "seconds": 9, "until": 0, "at": "2026-11-27T00:00:00Z"}
                for n, ((left, right), said) in enumerate(answers.items())
            ]  # fmt: skip
            connection.execute(VERDICTS.insert(), rows)


def _found(kin: Kin) -> pl.DataFrame:
    with open_job(kin.folder, "trial-1") as job:
        (batch,) = job.ledger.sealed("trial-1", "dedupe", "pairs", "pairs")
        return batch.read()


def test_the_next_run_takes_the_answers_in_and_merges_nothing_for_them(tmp_path: Path) -> None:
    kin = make_kin(tmp_path, [person(n, f"Name{n // 2:03}", f"0117{n // 2:05}") for n in range(280)])
    kin.run("trial-1", "--until", "dedupe")
    before = _found(kin).sort("left_id", "right_id")
    pairs = list(before.select("left_id", "right_id").iter_rows())
    assert len(pairs) >= FEWEST
    _drawn(kin, {pair: "different" if n < 5 else "same" for n, pair in enumerate(pairs)})
    assert kin.cli("run", "--plan").returncode == 0
    kin.run("trial-1", "--until", "dedupe")
    after = _found(kin).sort("left_id", "right_id")
    assert after.get_column(ENGINE).to_list() == before.get_column("p_same").to_list()
    assert (after.get_column("p_same") > before.get_column("p_same")).all()
    same = [name for name in before.columns if name != "p_same"]
    assert after.select(same).equals(before.select(same)), "the zone, the state and all else are what they were"
    assert kin.folded("trial-1") == set()
    assert "put right by what people found in 140 blind checks" in kin.cli("quality", "show").stdout
    kin.run("trial-1", "--until", "dedupe")
    assert _found(kin).sort("left_id", "right_id").equals(after), "its own probabilities are no answers"
