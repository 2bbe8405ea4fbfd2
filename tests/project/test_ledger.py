"""The ledger and the batch files: a done row means the file is there, and running again is always safe."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casebridge.project.batch import Batch, digest, file_digest, write_batch, write_text
from casebridge.project.contracts import SOURCE_SHIFT
from casebridge.project.errors import BalanceError, CasebridgeError
from casebridge.project.ledger import Ledger, now
from casebridge.project.spec import Source
from casebridge.project.tally import Tally

FRAME = pl.DataFrame({"a": [1, 2, 3], "b": ["x", None, "ž"]})


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path)
    yield made
    made.close()


def _batch(work: Path, number: int = 0, inputs: str = "in", frame: pl.DataFrame = FRAME) -> Batch:
    return write_batch(work, "stage", "table", number, "clean", inputs, frame)


def _do(ledger: Ledger, work: Path, number: int = 0, inputs: str = "in") -> Batch:
    ledger.attempt("stage", "table", number, inputs)
    batch = _batch(work, number, inputs)
    ledger.record("stage", "table", number, inputs, [batch], Tally(read=3, passed=3))
    return batch


def test_a_done_batch_has_its_file_with_its_digest(ledger: Ledger, tmp_path: Path) -> None:
    made = _do(ledger, tmp_path)
    (found,) = ledger.done("stage", "table", 0, "in") or ()
    assert found == made
    assert file_digest(found.path) == found.sha256
    assert found.read().equals(FRAME)
    assert found.rows == 3


def test_a_batch_of_texts_is_the_same_file_however_its_rows_came(tmp_path: Path) -> None:
    columns = {"_row": range(30_000), "empty": [""] * 30_000, "often": ["x", None, "é"] * 10_000}
    frame = pl.DataFrame({**columns, "once": [f"text {n}" * (n % 50) for n in range(30_000)]})
    parts = pl.concat([frame[:7], frame[7:20_011], frame[20_011:]], rechunk=False)
    made = [
        write_batch(tmp_path, "stage", "table", n, "raw", "in", rows, texts=True)
        for n, rows in enumerate([frame.rechunk(), parts, frame.clear()])
    ]
    assert made[0].sha256 == made[1].sha256
    assert made[1].read().equals(frame)
    assert (made[2].rows, made[2].read().schema) == (0, frame.schema)


def test_a_batch_whose_file_has_gone_is_pending_again(ledger: Ledger, tmp_path: Path) -> None:
    _do(ledger, tmp_path).path.unlink()
    assert ledger.done("stage", "table", 0, "in") is None


def test_a_batch_with_other_inputs_is_pending(ledger: Ledger, tmp_path: Path) -> None:
    _do(ledger, tmp_path)
    for stage, name, number, inputs in (
        ("other", "table", 0, "in"), ("stage", "other", 0, "in"),
        ("stage", "table", 1, "in"), ("stage", "table", 0, "other"),
    ):  # fmt: skip
        assert ledger.done(stage, name, number, inputs) is None


def test_an_attempt_alone_leaves_a_batch_pending(ledger: Ledger, tmp_path: Path) -> None:
    ledger.attempt("stage", "table", 0, "in")
    assert ledger.done("stage", "table", 0, "in") is None
    _do(ledger, tmp_path)
    ledger.attempt("stage", "table", 0, "in")
    assert ledger.done("stage", "table", 0, "in") is None


def test_a_batch_that_does_not_balance_is_never_done(ledger: Ledger, tmp_path: Path) -> None:
    ledger.attempt("stage", "table", 0, "in")
    with pytest.raises(BalanceError, match="stage table batch 0"):
        ledger.record("stage", "table", 0, "in", [_batch(tmp_path)], Tally(read=3, passed=2))
    assert ledger.done("stage", "table", 0, "in") is None


def test_rerun_after_failure_does_each_batch_once(ledger: Ledger, tmp_path: Path) -> None:
    done: list[int] = []

    def stage(fails_at: int | None) -> None:
        for number in range(5):
            if ledger.done("stage", "table", number, "in") is not None:
                continue
            ledger.attempt("stage", "table", number, "in")
            if number == fails_at:
                raise RuntimeError
            batch = _batch(tmp_path, number)
            ledger.record("stage", "table", number, "in", [batch], Tally(read=3, passed=3))
            done.append(number)
        ledger.seal("run", "stage", "table", [(number, "in") for number in range(5)])

    with pytest.raises(RuntimeError):
        stage(fails_at=3)
    assert ledger.sealed("run", "stage", "table", "clean") == ()
    stage(fails_at=None)
    stage(fails_at=None)
    assert done == [0, 1, 2, 3, 4]
    assert [batch.number for batch in ledger.sealed("run", "stage", "table", "clean")] == done


def test_each_run_has_the_batches_it_sealed(ledger: Ledger, tmp_path: Path) -> None:
    """Files are shared between runs; what stands is a matter of the run."""
    for number, inputs in ((0, "old"), (0, "new"), (1, "old")):
        _do(ledger, tmp_path, number, inputs)
    ledger.seal("first", "stage", "table", [(0, "old"), (1, "old")])
    ledger.seal("second", "stage", "table", [(0, "new"), (1, "old")])
    assert [b.inputs for b in ledger.sealed("first", "stage", "table", "clean")] == ["old", "old"]
    assert [b.inputs for b in ledger.sealed("second", "stage", "table", "clean")] == ["new", "old"]
    assert ledger.tally("second", "stage", "table") == Tally(read=6, passed=6)
    ledger.seal("second", "stage", "table", [])
    assert ledger.sealed("second", "stage", "table", "clean") == ()
    assert ledger.tally("second", "stage", "table") == Tally()
    assert ledger.names("first", "stage") == ("table",)
    assert ledger.names("second", "stage") == ()


def test_the_ledger_outlives_its_process(tmp_path: Path) -> None:
    first = Ledger(tmp_path)
    made = _do(first, tmp_path)
    number = first.source_number(Source("old", "A"))
    first.close()
    second = Ledger(tmp_path)
    assert second.done("stage", "table", 0, "in") == (made,)
    assert second.source_number(Source("old", "A")) == number
    second.close()


def test_a_project_that_moved_finds_its_files(tmp_path: Path) -> None:
    """Paths are kept relative to the work folder."""
    first = Ledger(tmp_path / "here")
    _do(first, tmp_path / "here")
    first.close()
    (tmp_path / "here").rename(tmp_path / "there")
    second = Ledger(tmp_path / "there")
    (found,) = second.done("stage", "table", 0, "in") or ()
    assert found.read().equals(FRAME)
    second.close()


SOURCES = st.lists(
    st.builds(Source, st.sampled_from(["old", "older"]), st.sampled_from(["A", "B", "C"])), max_size=12
)


@given(asked=SOURCES)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_source_number_is_given_once_and_is_nobody_elses(
    asked: list[Source], tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = Ledger(tmp_path_factory.mktemp("ledger"))
    numbers: dict[Source, int] = {}
    for source in asked:
        assert numbers.setdefault(source, made.source_number(source)) == made.source_number(source)
    assert len(set(numbers.values())) == len(numbers)
    assert made.sources() == {number: source for source, number in numbers.items()}
    made.close()


def test_rows_of_two_sources_have_numbers_far_apart(ledger: Ledger) -> None:
    """The first source is number 1, and each has room for a trillion rows before the next."""
    persons, notes = Source("old", "PERSON"), Source("old", "NOTE")
    assert (ledger.first_row(persons), ledger.first_row(notes)) == (1 << SOURCE_SHIFT, 2 << SOURCE_SHIFT)
    assert ledger.first_row(persons) == 1 << SOURCE_SHIFT
    assert ledger.sources() == {1: persons, 2: notes}


def test_a_batch_done_again_has_its_new_files_only(ledger: Ledger, tmp_path: Path) -> None:
    """Its neighbours, alike in all but one respect, keep theirs."""
    for number, inputs in ((0, "in"), (1, "in"), (0, "other")):
        _do(ledger, tmp_path, number, inputs)
    ledger.attempt("stage", "table", 0, "in")
    again = write_batch(tmp_path, "stage", "table", 0, "quarantine", "in", FRAME)
    ledger.record("stage", "table", 0, "in", [again], Tally(read=3, rejected=3))
    assert ledger.done("stage", "table", 0, "in") == (again,)
    for number, inputs in ((1, "in"), (0, "other")):
        assert [batch.kind for batch in ledger.done("stage", "table", number, inputs) or ()] == ["clean"]
    assert ledger.worked == {("stage", "table"): 12}


def test_damaged_files_are_named_and_lost_ones_are_not(ledger: Ledger, tmp_path: Path) -> None:
    whole, spoilt, gone = (_do(ledger, tmp_path, number) for number in range(3))
    spoilt.path.write_bytes(spoilt.path.read_bytes()[:-1] + b"?")
    gone.path.unlink()
    assert ledger.damaged() == [spoilt]
    assert whole.whole()


def _two_runs(ledger: Ledger, work: Path) -> None:
    """`b` was begun first; both have a table at one stage, `a` another one at another stage."""
    for run in ("b", "a"):
        ledger.open_run(run, "sqlite")
    _do(ledger, work)
    for run in ("b", "a"):
        ledger.seal(run, "stage", "table", [(0, "in")])
    ledger.attempt("later", "other", 0, "in")
    batch = write_batch(work, "later", "other", 0, "clean", "in", FRAME)
    ledger.record("later", "other", 0, "in", [batch], Tally(read=3, passed=3))
    ledger.seal("a", "later", "other", [(0, "in")])


def test_runs_stand_in_the_order_in_which_they_were_begun(ledger: Ledger, tmp_path: Path) -> None:
    _two_runs(ledger, tmp_path)
    ledger.open_run("b", "sqlite")
    assert [run.name for run in ledger.runs()] == ["b", "a"]


def test_a_verdict_is_one_runs_and_goes_when_it_is_opened_again(ledger: Ledger, tmp_path: Path) -> None:
    _two_runs(ledger, tmp_path)
    ledger.close_run("a", "balanced")
    assert (ledger.verdict("a"), ledger.verdict("b"), ledger.verdict("none")) == ("balanced", None, None)
    ledger.open_run("b", "sqlite")
    assert ledger.verdict("a") == "balanced"
    assert [run.finished is None for run in ledger.runs()] == [True, False]
    ledger.open_run("a", "sqlite")
    assert ledger.verdict("a") is None
    assert [run.finished for run in ledger.runs()] == [None, None]
    ledger.close_run("a", "balanced")
    ledger.sign_run("a", "{}")
    ledger.open_run("a", "sqlite")
    assert (ledger.verdict("a"), ledger.signature("a"), ledger.signature("b")) == ("balanced", "{}", None)


def test_what_a_run_has_is_its_own(ledger: Ledger, tmp_path: Path) -> None:
    _two_runs(ledger, tmp_path)
    assert ledger.names("a", "stage") == ("table",)
    assert ledger.names("a", "later") == ("other",)
    assert ledger.names("b", "later") == ()
    assert ledger.standing("b") == {("stage", "table", "0", "in")}
    assert ledger.in_use("later") == set((tmp_path / "later").rglob("*.parquet"))
    ledger.forget("a")
    assert (ledger.names("a", "stage"), ledger.in_use("later")) == ((), set())
    assert ledger.names("b", "stage") == ("table",)


def test_what_was_ever_finished_is_told_oldest_first(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what no run has any more; neither what was only begun nor files of another kind."""
    for number, when in enumerate(("2026-03-02", "2026-03-01", "2026-03-03")):
        monkeypatch.setattr("casebridge.project.ledger.now", lambda when=when: f"{when}T00:00:00Z")
        _do(ledger, tmp_path, number)
    ledger.attempt("stage", "table", 2, "in")
    other = write_batch(tmp_path, "stage", "table", 3, "quarantine", "in", FRAME)
    ledger.attempt("stage", "table", 3, "in")
    ledger.record("stage", "table", 3, "in", [other], Tally(read=3, passed=3))
    found = ledger.ever("clean")
    assert [(batch.number, batch.kind, when) for batch, when in found] == [
        (1, "clean", "2026-03-01T00:00:00Z"), (0, "clean", "2026-03-02T00:00:00Z"),
    ]  # fmt: skip
    assert found[0][0] == (ledger.done("stage", "table", 1, "in") or ())[0]


@pytest.mark.parametrize("way", ["read", "copied"])
def test_a_ledger_that_is_read_or_copied_is_the_same_and_changes_nothing(
    ledger: Ledger, tmp_path: Path, way: str
) -> None:
    _two_runs(ledger, tmp_path)
    other = Ledger.reading(tmp_path) if way == "read" else ledger.copy()
    assert [tuple(run) for run in other.runs()] == [tuple(run) for run in ledger.runs()]
    assert other.standing("a") == ledger.standing("a")
    assert other.done("stage", "table", 0, "in") == ledger.done("stage", "table", 0, "in")
    other.forget("a")
    other.close_run("b", "balanced")
    assert (ledger.verdict("b"), len(ledger.standing("a"))) == (None, 2)
    other.close()


def test_where_no_ledger_is_none_is_made_to_be_read(tmp_path: Path) -> None:
    work = tmp_path / "work"
    assert Ledger.reading(work).runs() == []
    assert not work.exists()


def _spoil(work: Path) -> None:
    (work / "ledger.db").write_bytes(b"no database, and long enough to look like one " * 200)


@pytest.mark.parametrize("open_it", [Ledger, Ledger.reading], ids=["written", "read"])
def test_a_damaged_ledger_is_named_with_what_to_do(tmp_path: Path, open_it: Callable[[Path], Ledger]) -> None:
    _spoil(tmp_path)
    with pytest.raises(CasebridgeError) as refused:
        open_it(tmp_path)
    assert str(refused.value).startswith(f"the ledger {tmp_path / 'ledger.db'}: file is not a database")
    assert "restore the whole work folder from a backup" in refused.value.hint


def test_a_ledger_that_is_damaged_while_it_is_open_is_named_too(ledger: Ledger, tmp_path: Path) -> None:
    ledger.close()
    _spoil(tmp_path)
    with pytest.raises(CasebridgeError, match="file is not a database"):
        ledger.copy()


def test_a_newer_ledger_is_named(ledger: Ledger, tmp_path: Path) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(sa.text("UPDATE schema SET version = 99"))
    with pytest.raises(CasebridgeError, match=f"the ledger {tmp_path / 'ledger.db'} was written by a newer"):
        Ledger(tmp_path)


def test_the_folder_of_a_ledger_is_made(tmp_path: Path) -> None:
    Ledger(tmp_path / "a" / "work").close()
    assert (tmp_path / "a" / "work" / "ledger.db").is_file()


def test_times_are_in_utc_to_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the machine stands, and in a form that sorts as text."""
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        said = now()
    finally:
        monkeypatch.undo()
        time.tzset()
    there = dt.datetime.strptime(said, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    assert abs(dt.datetime.now(dt.UTC) - there) < dt.timedelta(minutes=5)


def test_a_signature_closes_one_run_only(ledger: Ledger) -> None:
    for run in ("one", "two"):
        ledger.open_run(run, "sqlite")
        ledger.open_run(run, "sqlite")
    ledger.sign_run("one", "{}")
    assert ledger.signature("one") == "{}"
    assert ledger.signature("two") is None
    assert ledger.signature("nobody") is None
    assert [run.name for run in ledger.runs()] == ["one", "two"]


# Batch files


def test_a_crash_before_the_rename_leaves_nothing_under_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pulled(_: Path, __: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("casebridge.project.batch.put_in_place", pulled)
        with pytest.raises(KeyboardInterrupt):
            _batch(tmp_path)
    assert list(tmp_path.rglob("*.parquet")) == []
    assert _batch(tmp_path).path.is_file()


def test_same_content_has_the_same_digest_and_other_content_another(tmp_path: Path) -> None:
    one, two = _batch(tmp_path / "a"), _batch(tmp_path / "b")
    assert one.sha256 == two.sha256
    changed = FRAME.with_columns(pl.Series("b", ["x", "", "ž"]))
    assert _batch(tmp_path / "c", frame=changed).sha256 != one.sha256


def test_a_text_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "report.html"
    write_text(path, "old ž")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert path.read_text(encoding="utf-8") == "old ž"


def test_a_fingerprint_depends_on_values_and_their_order_but_not_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    others = [digest("a", "b"), digest("b", "a"), digest(["a", "b"]), digest("ab"), digest("a", None), digest(1)]
    assert len({*others, digest("1"), digest(True)}) == 8
