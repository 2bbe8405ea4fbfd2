"""Taking a run back, on a few people: what is told, what stands then, and what is refused."""

from __future__ import annotations

import importlib
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from casebridge import load, transform
from casebridge.load.rollback import TakenBack, rollback
from casebridge.load.writing import retry
from casebridge.load.writing.delivery import Delivery
from casebridge.project.batch import digest, write_batch
from casebridge.project.contracts import CROSSWALK, SPACES
from casebridge.project.database import open_database
from casebridge.project.errors import CasebridgeError, TargetError
from casebridge.project.job import Job
from casebridge.project.tally import Tally
from tests.councils import contents
from tests.staged import PAYMENTS, PERSONS, TARGET, extracted, job_of, lay_out

MODULE = importlib.import_module("casebridge.load.rollback")
SPECS = {"persons": PERSONS + '[columns.restricted]\nfrom = "MARK"\n', "payments": PAYMENTS}
Run = tuple[list[dict[str, str]], list[dict[str, str]], str]


def _person(number: int, name: str = "Ng", mark: str = "N") -> dict[str, str]:
    return {"NO": str(number), "NAME": name, "MARK": mark}


def _payment(number: int, person: int) -> dict[str, str]:
    return {"PAY_NO": f"9{number}", "NO": str(person), "AMOUNT": "1.00"}


FIRST: Run = ([_person(1), _person(2), _person(3)], [_payment(1, 1), _payment(2, 2)], "")
NEXT: Run = ([_person(1, "Li"), _person(2), _person(4), _person(5)], [_payment(2, 2)], "")


def _extract(job: Job, run: Run) -> None:
    """Persons two a batch; `run` ends with whoever is folded into 1."""
    people, paid, folded = run
    batches = [people[place : place + 2] for place in range(0, len(people), 2)]
    extracted(job, "PERSON", *batches, columns=("NO", "NAME", "DOB", "REF", "MARK"))
    extracted(job, "PAYMENT", paid, columns=("PAY_NO", "NO", "PAYEE", "AMOUNT"))
    transform.run(job)
    if folded:
        sealed = job.ledger.sealed(job.run, "transform", "persons", "clean")
        clean = pl.concat([batch.read(["_key", "_row"]) for batch in sealed])
        lines = [("old", key, "old", "1" if key == folded else key, row) for key, row in clean.iter_rows()]
        crosswalk = pl.DataFrame(lines, schema=dict(CROSSWALK), orient="row")
        spaces = pl.DataFrame([("persons", "old")], schema=dict(SPACES), orient="row")
        _dedupe(job, "crosswalk", crosswalk=crosswalk, spaces=spaces)


def _dedupe(job: Job, name: str, **frames: pl.DataFrame) -> None:
    inputs = digest(name, *(frame.hash_rows().sum() for frame in frames.values()))
    job.ledger.attempt("dedupe", name, 0, inputs)
    files = [write_batch(job.work, "dedupe", name, 0, kind, inputs, frame) for kind, frame in frames.items()]
    job.ledger.record("dedupe", name, 0, inputs, files, Tally())
    job.ledger.seal(job.run, "dedupe", name, [(0, inputs)])


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'target.db'}"


def _ask(folder: Path, *statements: str) -> list[tuple[Any, ...]]:
    engine = open_database(_url(folder))
    with engine.begin() as connection:
        results = [connection.execute(sa.text(statement)) for statement in statements]
        rows = [tuple(row) for row in results[-1]] if results[-1].returns_rows else []
    engine.dispose()
    return rows


def _state(folder: Path) -> Mapping[str, list[tuple[object, ...]]]:
    """Everything in the target, but the moments at which it was written."""
    found = dict(contents(_url(folder)))
    for name in ("casebridge_applied", "casebridge_runs"):
        found[name] = [row[:-2] for row in found.get(name, [])]
    return found


Loaded = Callable[..., AbstractContextManager[Job]]


def _load(folder: Path, run: str, what: Run) -> None:
    with job_of(folder, run) as job:
        _extract(job, what)
        load.run(job)


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Callable[[tuple[tuple[str, str], ...]], Path]:
    """Projects of which some runs were loaded, each made once, to be copied."""

    @cache
    def made(runs: tuple[tuple[str, str], ...]) -> Path:
        folder = tmp_path_factory.mktemp("base")
        *first, (name, what) = runs
        if first:
            shutil.copytree(made(tuple(first)), folder, dirs_exist_ok=True)
        else:
            lay_out(folder, SPECS)
        _load(folder, name, json.loads(what))
        return folder

    return made


@pytest.fixture
def loaded(bases: Callable[[tuple[tuple[str, str], ...]], Path], tmp_path: Path) -> Loaded:
    """A project in `tmp_path` of which these runs were loaded, one after the other; the job of the last."""

    @contextmanager
    def made(**runs: Run) -> Iterator[Job]:
        base = bases(tuple((name, json.dumps(what)) for name, what in runs.items()))
        shutil.copytree(base, tmp_path, dirs_exist_ok=True)
        with job_of(tmp_path, list(runs)[-1]) as job:
            yield job

    return made


def _said(error: CasebridgeError) -> tuple[str, str | None]:
    return str(error), error.hint


def _verdict(job: Job) -> str:
    return str(next(run.verdict for run in job.ledger.runs() if run.name == job.run))


def test_the_last_run_goes_and_what_was_before_it_stands(loaded: Loaded, tmp_path: Path) -> None:
    with loaded(one=FIRST):
        was = _state(tmp_path)
    with loaded(one=FIRST, two=NEXT) as job:
        now = _state(tmp_path)
        told = [
            TakenBack("persons", "persons", deleted=3, restored=2), TakenBack("payments", "payments", 0, 1),
        ]  # fmt: skip
        assert rollback(job, dry_run=True) == told
        assert (_state(tmp_path), _verdict(job)) == (now, "None")
        assert rollback(job) == told
        assert _verdict(job) == "rolled back"
    assert _state(tmp_path) == was
    assert _ask(tmp_path, "SELECT run FROM casebridge_applied") == [("one",)] * 4
    with job_of(tmp_path, "one") as job:
        assert rollback(job) == [TakenBack("persons", "persons", 3, 0), TakenBack("payments", "payments", 2, 0)]
    assert set(contents(_url(tmp_path))) == set()


def test_rows_that_moved_from_batch_to_batch_are_no_change(loaded: Loaded, tmp_path: Path) -> None:
    moved: Run = ([*FIRST[0][1:], FIRST[0][0]], FIRST[1], "")
    with loaded(one=FIRST, two=moved) as job:
        assert rollback(job) == []
    assert _ask(tmp_path, "SELECT run FROM casebridge_runs") == [("one",)]


def test_specs_that_came_and_one_that_went(loaded: Loaded, tmp_path: Path) -> None:
    """Specs of one table are told in one order; of the first run's spec this one has no row, and no payments."""
    with loaded(one=FIRST):
        was = _state(tmp_path)
    others = {f"{name}_others": PERSONS.replace('"PERSON"', f'"{name.upper()}"') for name in "bac"}
    lay_out(tmp_path, {**others, "persons": SPECS["persons"]})
    with job_of(tmp_path, "two") as job:
        for number, name in enumerate("ABC", 7):
            extracted(job, name, [_person(number)], columns=("NO", "NAME", "DOB", "REF"))
        transform.run(job)
        load.run(job)
        assert rollback(job) == [
            TakenBack("persons", "persons", 0, 3), TakenBack("c_others", "persons", 1, 0),
            TakenBack("b_others", "persons", 1, 0), TakenBack("a_others", "persons", 1, 0),
            TakenBack("payments", "payments", 0, 2),
        ]  # fmt: skip
    assert _state(tmp_path) == was


def test_a_table_that_the_run_made_goes_with_its_record(tmp_path: Path) -> None:
    """And what it changed in a table that was there before goes back."""
    lay_out(tmp_path, {"persons": SPECS["persons"]}, target=TARGET[: TARGET.index("[payments]")])
    _load(tmp_path, "one", FIRST)
    was = _state(tmp_path)
    lay_out(tmp_path, SPECS)
    _load(tmp_path, "two", NEXT)
    assert "payments" in contents(_url(tmp_path))
    with job_of(tmp_path, "two") as job:
        rollback(job)
    assert _state(tmp_path) == was


def test_the_crosswalk_goes_back(loaded: Loaded, tmp_path: Path) -> None:
    first: Run = ([_person(1, mark="Y"), *FIRST[0][1:]], [], "2")
    with loaded(one=first):
        was = _state(tmp_path)
    assert len(was["casebridge_crosswalk"]) == 3
    with loaded(one=first, two=(NEXT[0], [], "2")) as job:
        rollback(job)
    assert _state(tmp_path) == was
    assert set(_ask(tmp_path, "SELECT name, run FROM casebridge_applied")) == {
        ("persons", "one"), ("payments", "one"), ("casebridge_crosswalk", "one"),
    }  # fmt: skip


def test_a_target_that_is_busy_is_waited_for(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = ["before the run is forgotten"]

    def busy(moment: str) -> None:
        if moment in left:
            left.remove(moment)
            raise sa.exc.OperationalError("", {}, sqlite3.OperationalError("database is locked"))

    with loaded(one=FIRST):
        was = _state(tmp_path)
    monkeypatch.setattr(MODULE, "failpoint", busy)
    monkeypatch.setattr(retry, "WAITS", (0.0,))
    with loaded(one=FIRST, two=NEXT) as job:
        rollback(job)
    assert _state(tmp_path) == was
    assert left == []


def test_a_mark_that_somebody_set_since_stays(loaded: Loaded, tmp_path: Path) -> None:
    """On a row that is put back, in a batch that is; not on one that goes, and not where it was there before."""
    first: Run = ([_person(1, mark="Y"), _person(2), _person(3), _person(6)], [], "")
    second: Run = ([_person(1, "Li", mark="Y"), _person(2), _person(3, "Li"), _person(4)], [], "")
    with loaded(one=first, two=second) as job:
        _ask(tmp_path, "UPDATE persons SET restricted = 'Y' WHERE legacy_id IN ('2', '3', '4')")
        told = [TakenBack("persons", "persons", 3, 3, restricted=2)]
        assert rollback(job, dry_run=True) == told
        assert rollback(job) == told
    marks = "SELECT legacy_id, last_name, restricted FROM persons ORDER BY legacy_id"
    assert _ask(tmp_path, marks) == [("1", "Ng", "Y"), ("2", "Ng", "Y"), ("3", "Ng", "Y"), ("6", "Ng", "N")]
    _load(tmp_path, "one", first)
    assert _ask(tmp_path, marks) == [("1", "Ng", "Y"), ("2", "Ng", "Y"), ("3", "Ng", "Y"), ("6", "Ng", "N")]


def test_a_mark_that_somebody_set_between_two_attempts_stays(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first attempt ends when it has written the files that it would put back."""

    def ends_after_persons(_: Delivery, name: str, *__: Any) -> None:
        if name == "persons":
            raise KeyboardInterrupt

    with loaded(one=FIRST, two=NEXT) as job:
        _ask(tmp_path, "UPDATE persons SET restricted = 'Y' WHERE legacy_id = '2'")
        with monkeypatch.context() as patch:
            patch.setattr(Delivery, "bring", ends_after_persons)
            with pytest.raises(KeyboardInterrupt):
                rollback(job)
        _ask(tmp_path, "UPDATE persons SET restricted = 'Y' WHERE legacy_id = '1'")
        rollback(job)
    marks = "SELECT legacy_id, last_name, restricted FROM persons ORDER BY legacy_id"
    assert _ask(tmp_path, marks) == [("1", "Ng", "Y"), ("2", "Ng", "Y"), ("3", "Ng", "N")]


def test_whose_mark_a_survivor_has_is_kept(loaded: Loaded, tmp_path: Path) -> None:
    """2 is folded into 1 and gives it its mark; somebody restricts 3; the next run is taken back. When the two are
    taken apart, each has its own mark back."""
    first: Run = ([_person(1), _person(3), _person(2, mark="Y")], [], "2")
    second: Run = ([_person(1, "Li"), _person(3, "Li"), _person(2, mark="Y")], [], "2")
    marks = "SELECT legacy_id, restricted FROM persons ORDER BY legacy_id"
    with loaded(one=first, two=second) as job:
        assert _ask(tmp_path, marks) == [("1", "Y"), ("3", "N")]
        _ask(tmp_path, "UPDATE persons SET restricted = 'Y' WHERE legacy_id = '3'")
        rollback(job)
        assert _ask(tmp_path, marks) == [("1", "Y"), ("3", "Y")]
    apart: Run = (first[0], [], "9")
    _load(tmp_path, "three", apart)
    assert _ask(tmp_path, marks) == [("1", "N"), ("2", "Y"), ("3", "Y")]


def test_only_the_last_run_can_be_taken_back(loaded: Loaded, tmp_path: Path) -> None:
    lay_out(tmp_path, SPECS)
    with job_of(tmp_path, "none") as job, pytest.raises(CasebridgeError) as caught:
        rollback(job)
    assert _said(caught.value) == ("run none never loaded this target", "there is nothing to take back")
    with loaded(one=FIRST, two=NEXT):
        pass
    _load(tmp_path, "three", FIRST)
    was = _state(tmp_path)
    with job_of(tmp_path, "one") as job, pytest.raises(CasebridgeError) as caught:
        rollback(job)
    assert _said(caught.value) == (
        "run one is not the last that loaded this target; the last one is three",
        "runs are taken back one by one, the last one first",
    )
    assert _state(tmp_path) == was
    _ask(tmp_path, "DELETE FROM casebridge_runs")
    with job_of(tmp_path, "two") as job, pytest.raises(CasebridgeError, match=r"this target; none is left$"):
        rollback(job)


def test_what_a_board_has_signed_is_not_taken_back(loaded: Loaded, tmp_path: Path) -> None:
    with loaded(one=FIRST) as job:
        job.ledger.sign_run("one", "{}")
        was = _state(tmp_path)
        with pytest.raises(CasebridgeError) as caught:
            rollback(job)
        assert _said(caught.value) == ("run one is signed and closed", "what a board has signed is not taken back")
        assert _state(tmp_path) == was


def test_what_others_built_on_is_named_ten_at_most(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def dependents(connection: sa.Connection, tables: Any, ours: Any) -> list[str]:
        asked.append((connection.dialect.name, sorted(tables), sorted(ours)))
        return [f"view v{number}" for number in range(12)]

    monkeypatch.setattr(MODULE, "dependents", dependents)
    with loaded(one=FIRST) as job:
        was = _state(tmp_path)
        with pytest.raises(CasebridgeError) as caught:
            rollback(job)
    named = ", ".join(f"view v{number}" for number in range(10))
    assert _said(caught.value) == (
        f"run one made tables that others have built on since: {named}",
        "taking it back drops those tables: have the owner remove these first. Nothing was changed",
    )
    assert asked == [("sqlite", ["payments", "persons"], ["uq_persons_reference"])]
    assert _state(tmp_path) == was


def test_after_a_lost_connection_it_is_known_whether_the_run_is_gone(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the last run of all too, whose tables of ours go with it. The moments are those that tests stop at."""
    asked: list[bool] = []
    moments: list[str] = []

    def watched(engine: Any, work: Callable[..., None], done: Callable[[], bool], *more: Any) -> None:
        asked.append(done())
        assert more == (job.report, job.target.load_order)
        in_transaction(engine, work, done, *more)
        asked.append(done())

    in_transaction = MODULE.in_transaction
    monkeypatch.setattr(MODULE, "in_transaction", watched)
    monkeypatch.setattr(MODULE, "failpoint", moments.append)
    with loaded(one=FIRST, two=NEXT) as job:
        rollback(job)
    with job_of(tmp_path, "one") as job:
        rollback(job)
    assert asked == [False, True, False, True]
    assert moments == ["in rollback", "in rollback", "before the run is forgotten", "before the run is forgotten"]


def test_a_target_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    lay_out(tmp_path, SPECS, target_url="postgresql://me:s3cret@127.0.0.1:1/none")
    with job_of(tmp_path) as job, pytest.raises(TargetError) as caught:
        rollback(job)
    assert "127.0.0.1" in str(caught.value)
    assert "s3cret" not in str(caught.value)
