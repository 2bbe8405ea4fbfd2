"""Target ids: given out once for each system, table and key, whatever the order and the batches."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casebridge.project.errors import CasebridgeError
from casebridge.project.identity import give_out, ids_of, segments
from casebridge.project.job import Job
from tests.staged import PERSONS, job_of, lay_out

KEYS = st.lists(st.text("019AZ|é", min_size=1, max_size=4), max_size=12)
NO_RESET = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@contextmanager
def _jobs(factory: pytest.TempPathFactory, count: int) -> Iterator[list[Job]]:
    with ExitStack() as stack:
        folders = [lay_out(factory.mktemp("ids"), {"persons": PERSONS}) for _ in range(count)]
        yield [stack.enter_context(job_of(folder)) for folder in folders]


def _given(job: Job, system: str = "old") -> dict[str, int]:
    return dict(ids_of(job, "persons", system).iter_rows())


def _keys(keys: list[str] | list[str | None]) -> pl.Series:
    return pl.Series("_key", keys, dtype=pl.String)


@given(keys=KEYS, seed=st.integers())
@NO_RESET
def test_ids_do_not_depend_on_order_or_repetition(
    keys: list[str], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shuffled = keys * 2
    random.Random(seed).shuffle(shuffled)
    with _jobs(tmp_path_factory, 2) as (one, other):
        give_out(one, "persons", "old", _keys(keys))
        give_out(other, "persons", "old", _keys([*shuffled, None]))
        assert _given(one) == _given(other)
        assert sorted(_given(one).values()) == list(range(1, len(set(keys)) + 1))


@given(rounds=st.lists(st.tuples(st.sampled_from(["old", "older"]), KEYS), max_size=5))
@NO_RESET
def test_later_keys_never_renumber_earlier_ones_and_no_id_is_given_twice(
    rounds: list[tuple[str, list[str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Two systems share the numbers of one target table."""
    with _jobs(tmp_path_factory, 1) as (job,):
        seen: dict[tuple[str, str], int] = {}
        for system, keys in rounds:
            give_out(job, "persons", system, _keys(keys))
            now = {(s, key): number for s in ("old", "older") for key, number in _given(job, s).items()}
            assert seen.items() <= now.items()
            assert {(system, key) for key in keys} <= now.keys()
            seen = now
        assert len(set(seen.values())) == len(seen)


def test_a_crash_before_the_seal_gives_nothing_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run numbers again, other keys among them or not."""
    lay_out(tmp_path, {"persons": PERSONS})
    with job_of(tmp_path) as job:
        give_out(job, "persons", "old", _keys(["1"]))

        def pulled(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(job.ledger, "seal", pulled)
            with pytest.raises(KeyboardInterrupt):
                give_out(job, "persons", "old", _keys(["2", "3"]))
        assert _given(job) == {"1": 1}
        give_out(job, "persons", "old", _keys(["3"]))
        give_out(job, "persons", "old", _keys(["2", "3"]))
        assert _given(job) == {"1": 1, "3": 2, "2": 3}
        assert len(segments(job, "persons")) == 3


def test_a_lost_segment_stops_all_numbering(tmp_path: Path) -> None:
    """Cut short, other bytes of the same length, gone: nobody gets a number, and no number is read."""
    lay_out(tmp_path, {"persons": PERSONS})
    with job_of(tmp_path) as job:
        give_out(job, "persons", "old", _keys(["1", "2"]))
        (segment,) = segments(job, "persons")
        whole = segment.path.read_bytes()
        for bytes_now in (whole[:50], whole[:-1] + b"?", None):
            segment.path.unlink()
            if bytes_now is not None:
                segment.path.write_bytes(bytes_now)
            with pytest.raises(CasebridgeError) as stopped:
                give_out(job, "persons", "old", _keys(["3"]))
            assert f"work/ids/persons/{segment.path.name}" in stopped.value.message
            assert "restore work/ids from a backup" in stopped.value.hint
            segment.path.write_bytes(whole)
        give_out(job, "persons", "old", _keys(["3"]))
        assert _given(job) == {"1": 1, "2": 2, "3": 3}


def test_ids_are_of_the_project_not_of_the_run(tmp_path: Path) -> None:
    lay_out(tmp_path, {"persons": PERSONS})
    with job_of(tmp_path, "trial-1") as job:
        give_out(job, "persons", "old", _keys(["1", "2"]))
    with job_of(tmp_path, "cut-over") as job:
        give_out(job, "persons", "old", _keys(["0", "2"]))
        assert _given(job) == {"1": 1, "2": 2, "0": 3}
        assert ids_of(job, "payments", "old").is_empty()
