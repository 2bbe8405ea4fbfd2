"""The load stage against real databases: each batch exactly once, whatever happens in between."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from casebridge import load, transform
from casebridge.load.writing import retry
from casebridge.project.database import open_database
from casebridge.project.errors import CasebridgeError, TargetError
from casebridge.project.job import Job
from casebridge.project.tally import Tally
from tests.staged import PAYMENTS, PERSONS, TARGET, Rows, extracted, job_of, lay_out, read_all

SPECS = {"persons": PERSONS, "payments": PAYMENTS}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    on_sqlite = request.param == "sqlite"
    return f"sqlite:///{tmp_path / 'target.db'}" if on_sqlite else str(request.getfixturevalue("postgres_url"))


def _person(number: int, name: str = "Ng", **values: str | None) -> dict[str, str | None]:
    return {"NO": str(number), "NAME": name, "DOB": None, "REF": None, **values}


def _payment(number: int, person: int, payee: int | None = None, amount: str = "1.00") -> dict[str, str | None]:
    payees = None if payee is None else str(payee)
    return {"PAY_NO": f"9{number}", "NO": str(person), "PAYEE": payees, "AMOUNT": amount}


PEOPLE: tuple[Rows, ...] = ([_person(1), _person(2)], [_person(3), _person(4, name="")])
PAID: tuple[Rows, ...] = (
    [_payment(1, 1), _payment(2, 2, payee=3)],
    [_payment(3, 4), _payment(4, 5), _payment(5, 3, 5)],
)


def _load(job: Job, people: tuple[Rows, ...] = PEOPLE, paid: tuple[Rows, ...] = PAID) -> Tally:
    extracted(job, "PERSON", *people, columns=("NO", "NAME", "DOB", "REF"))
    extracted(job, "PAYMENT", *paid, columns=("PAY_NO", "NO", "PAYEE", "AMOUNT"))
    transform.run(job)
    return load.run(job)


def _project(folder: Path, url: str, specs: Mapping[str, str] = SPECS, target: str = TARGET) -> Path:
    return lay_out(folder / "project", specs, target=target, target_url=url)


def _ask(url: str, sql: str) -> list[tuple[object, ...]]:
    engine = open_database(url)
    with engine.begin() as connection:
        result = connection.execute(sa.text(sql))
        found = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return found


NAMES = "SELECT legacy_id, last_name FROM persons ORDER BY legacy_id"
PAYMENTS_THERE = "SELECT payment_id, person_id, payee_id FROM payments ORDER BY payment_id"
APPLIED = "SELECT name, number, sha256 FROM casebridge_applied ORDER BY name, number"


def test_rows_children_and_records_arrive_and_the_account_balances(tmp_path: Path, url: str) -> None:
    with job_of(_project(tmp_path, url)) as job:
        total = _load(job)
        assert total.balanced("load") == Tally(read=8, passed=6, rejected=2, set_aside=1)
        left = read_all(job, "load", "payments", "quarantine")
        assert sorted(left.select("rule", "parent").iter_rows()) == [
            ("orphan", "persons:5"), ("orphan", "persons:5"), ("parent", "persons:4"),
        ]  # fmt: skip
    assert _ask(url, NAMES) == [("1", "Ng"), ("2", "Ng"), ("3", "Ng")]
    assert _ask(url, PAYMENTS_THERE) == [(1, 1, None), (2, 2, 3), (5, 3, None)]


def test_the_same_batch_twice_is_written_once(tmp_path: Path, url: str) -> None:
    """Nothing in the target is even touched: the records keep their time and their run."""
    project = _project(tmp_path, url)
    with job_of(project) as job:
        first = _load(job)
    before = _ask(url, "SELECT * FROM casebridge_applied ORDER BY name, number")
    for run in ("trial-1", "trial-2"):
        with job_of(project, run) as job:
            assert _load(job) == first
    assert _ask(url, "SELECT * FROM casebridge_applied ORDER BY name, number") == before


def test_changed_content_replaces_the_batch(tmp_path: Path, url: str) -> None:
    project = _project(tmp_path, url)
    with job_of(project) as job:
        _load(job)
    records = _ask(url, APPLIED)
    with job_of(project, "trial-2") as job:
        _load(job, people=([_person(1, name="Li"), _person(2)], PEOPLE[1]))
    assert _ask(url, NAMES) == [("1", "Li"), ("2", "Ng"), ("3", "Ng")]
    changed = {(name, number) for name, number, _ in set(_ask(url, APPLIED)) - set(records)}
    assert changed == {("persons", 0), ("casebridge_crosswalk", 0)} - {("casebridge_crosswalk", 0)}


def test_rows_may_move_between_batches_with_their_unique_values(tmp_path: Path, url: str) -> None:
    """Swapped, shifted, and a unique value handed from one row to another."""
    one, two, three = _person(1, REF="a"), _person(2, REF="b"), _person(3)
    project = _project(tmp_path, url)
    layouts: list[tuple[Rows, ...]] = [
        ([one], [two], [three]), ([two], [three], [one]), ([one, two, three],), ([three], [one, two]),
        ([_person(1, REF="b")], [_person(2, REF="a")], [three]),
        ([_person(1)], [_person(2)], [_person(3, REF="a")]),
    ]  # fmt: skip
    for number, people in enumerate(layouts):
        with job_of(project, f"trial-{number}") as job:
            _load(job, people=people, paid=([_payment(1, 3)],))
        assert [row[0] for row in _ask(url, NAMES)] == ["1", "2", "3"]
    assert _ask(url, "SELECT legacy_id, reference FROM persons ORDER BY 1") == [
        ("1", None),
        ("2", None),
        ("3", "a"),
    ]


def test_a_unique_value_may_move_to_a_table_of_another_spec(tmp_path: Path, url: str) -> None:
    """Two specs fill one target table, one after the other."""
    other = PERSONS.replace('"PERSON"', '"OTHER"')
    project = _project(tmp_path, url, {"a_persons": PERSONS, "b_others": other})
    columns = ("NO", "NAME", "DOB", "REF")
    for run, (mine, theirs) in enumerate([("x", "y"), ("y", "x")]):
        with job_of(project, f"trial-{run}") as job:
            extracted(job, "PERSON", [_person(1, REF=mine)], columns=columns)
            extracted(job, "OTHER", [_person(2, REF=theirs)], columns=columns)
            transform.run(job)
            load.run(job)
    assert _ask(url, "SELECT legacy_id, reference FROM persons ORDER BY 1") == [("1", "y"), ("2", "x")]


def test_withdrawn_batches_and_specs_leave(tmp_path: Path, url: str) -> None:
    project = _project(tmp_path, url)
    with job_of(project) as job:
        _load(job)
    with job_of(project) as job:
        _load(job, people=PEOPLE[:1], paid=PAID[:1])
    assert _ask(url, NAMES) == [("1", "Ng"), ("2", "Ng")]
    assert _ask(url, PAYMENTS_THERE) == [(1, 1, None), (2, 2, None)]
    lay_out(project, {"persons": PERSONS}, target_url=url)
    with job_of(project) as job:
        transform.run(job)
        load.run(job)
    assert _ask(url, PAYMENTS_THERE) == []
    assert [name for name, *_ in _ask(url, APPLIED)] == ["casebridge_crosswalk", "persons"]


def test_a_row_that_the_target_refuses_is_kept_with_its_reason(tmp_path: Path, url: str) -> None:
    """The rest of its batch goes in, its children take its place, and it is offered again when asked."""
    project = _project(tmp_path, url)
    with job_of(project) as job:
        _load(job, people=PEOPLE[:1], paid=())
    # A row of somebody else's stands where a person of the second batch wants to go.
    _ask(url, "INSERT INTO persons (person_id, legacy_id, last_name) VALUES (3, 'theirs', 'Smithers')")
    with job_of(project) as job:
        _load(job)
        refused = pl.concat(
            [b.read() for b in job.ledger.sealed(job.run, "load", "persons", "quarantine")]
        ).filter(pl.col("first"))
        children = pl.concat(
            [b.read() for b in job.ledger.sealed(job.run, "load", "payments", "quarantine")]
        ).filter(pl.col("rule") == "parent")
    assert refused.get_column("rule").to_list() == ["refused_by_target"]
    assert "Smithers" not in str(refused.to_dicts())
    # A payment without its person does not load; one without its payee does, and says so.
    assert set(children.get_column("verdict")) <= {"rejected", "set_aside"}
    assert "rejected" in set(children.get_column("verdict"))
    assert ("theirs", "Smithers") in _ask(url, NAMES)
    assert len(_ask(url, PAYMENTS_THERE)) == 2
    _ask(url, "DELETE FROM persons WHERE legacy_id = 'theirs'")
    with job_of(project) as job:
        load.ask_again(job)
        _load(job)
    assert len(_ask(url, PAYMENTS_THERE)) == 3
    assert "theirs" not in [key for key, _ in _ask(url, NAMES)]


def test_keys_are_there_after_the_load(tmp_path: Path, url: str) -> None:
    with job_of(_project(tmp_path, url)) as job:
        _load(job)
    engine = open_database(url)
    inspector = sa.inspect(engine)
    links = {(k["constrained_columns"][0], k["referred_table"]) for k in inspector.get_foreign_keys("payments")}
    assert links == {("person_id", "persons"), ("payee_id", "persons")}
    assert [i["column_names"] for i in inspector.get_indexes("persons") if i["unique"]] == [["reference"]]
    assert inspector.get_pk_constraint("payments")["constrained_columns"] == ["payment_id"]
    engine.dispose()


def test_of_two_rows_with_one_unique_value_the_first_goes_in(tmp_path: Path, url: str) -> None:
    people = ([_person(1, REF="Smithers"), _person(2, REF="Smithers"), _person(3)],)
    with job_of(_project(tmp_path, url)) as job:
        tally = _load(job, people=people, paid=())
        refused = job.ledger.sealed(job.run, "load", "persons", "quarantine")[0].read().filter(pl.col("first"))
    assert refused.select("_key", "rule").rows() == [("2", "refused_by_target")]
    assert "Smithers" not in str(refused.to_dicts())
    assert [key for key, _ in _ask(url, NAMES)] == ["1", "3"]
    assert tally.rejected == 1


def test_a_value_that_somebody_elses_row_has_keeps_ours_out(tmp_path: Path, url: str) -> None:
    """With its children; and it is offered again when that row has gone."""
    project = _project(tmp_path, url)
    with job_of(project) as job:
        _load(job, people=PEOPLE[:1], paid=())
    _ask(
        url, "INSERT INTO persons (person_id, legacy_id, last_name, reference) VALUES (99, 'theirs', 'X', 'taken')"
    )
    people = ([_person(1, REF="taken"), _person(2)],)
    with job_of(project, "trial-2") as job:
        _load(job, people=people, paid=PAID[:1])
        refused = job.ledger.sealed(job.run, "load", "persons", "quarantine")[0].read().filter(pl.col("first"))
    assert refused.select("_key", "rule").rows() == [("1", "refused_by_target")]
    assert "reference must be unique" in str(refused.get_column("value").to_list() + refused.rows())
    assert [key for key, _ in _ask(url, NAMES)] == ["2", "theirs"]
    _ask(url, "DELETE FROM persons WHERE legacy_id = 'theirs'")
    with job_of(project, "trial-2") as job:
        load.ask_again(job)
        _load(job, people=people, paid=PAID[:1])
    assert [key for key, _ in _ask(url, NAMES)] == ["1", "2"]


def test_a_target_table_without_a_column_is_refused_before_any_row(tmp_path: Path, url: str) -> None:
    _ask(url, "CREATE TABLE persons (person_id BIGINT PRIMARY KEY, last_name VARCHAR(10))")
    with job_of(_project(tmp_path, url)) as job, pytest.raises(TargetError) as caught:
        _load(job)
    assert "persons.born is missing" in str(caught.value)
    assert "target.toml" in caught.value.hint
    assert _ask(url, "SELECT count(*) FROM persons") == [(0,)]
    engine = open_database(url)
    assert sa.inspect(engine).get_table_names() == ["persons"]
    engine.dispose()


def test_a_target_that_has_more_than_ours_keeps_it(tmp_path: Path, url: str) -> None:
    """A vendor's own tables, their rows, and their own columns in tables that we fill."""
    _ask(url, "CREATE TABLE vendor_settings (id BIGINT PRIMARY KEY, word TEXT)")
    _ask(url, "INSERT INTO vendor_settings VALUES (1, 'theirs')")
    _ask(url, "CREATE TABLE payments (payment_id BIGINT PRIMARY KEY, person_id BIGINT, payee_id BIGINT, "
              "amount NUMERIC(10,2), theirs TEXT DEFAULT 'kept')")  # fmt: skip
    _ask(url, "INSERT INTO payments (payment_id) VALUES (-1)")
    project = _project(tmp_path, url)
    with job_of(project) as job:
        _load(job)
    with job_of(project) as job:
        _load(job, people=PEOPLE[:1], paid=())
    assert _ask(url, "SELECT * FROM vendor_settings") == [(1, "theirs")]
    assert _ask(url, "SELECT payment_id, theirs FROM payments") == [(-1, "kept")]


def test_a_signed_run_refuses_and_another_goes_on(tmp_path: Path, url: str) -> None:
    project = _project(tmp_path, url)
    with job_of(project) as job:
        _load(job)
        job.ledger.sign_run(job.run, "{}")
        with pytest.raises(CasebridgeError, match="signed and closed"):
            load.run(job)
    with job_of(project, "trial-2") as job:
        _load(job)


def test_a_lost_work_folder_is_told_before_rows_are_guessed(tmp_path: Path, url: str) -> None:
    """Which rows stand in the target is known from the files alone."""
    project = _project(tmp_path, url)
    with job_of(project) as job:
        _load(job)
        for batch in job.ledger.sealed(job.run, "load", "persons", "rows"):
            batch.path.unlink()
    with job_of(project) as job, pytest.raises(TargetError, match="work/load"):
        _load(job, people=([_person(1, name="Li")], PEOPLE[1]))
    assert _ask(url, NAMES) == [("1", "Ng"), ("2", "Ng"), ("3", "Ng")]


def test_the_target_wins_over_the_ledger(tmp_path: Path, url: str) -> None:
    """An emptied target is filled again, though the ledger has every batch done."""
    project = _project(tmp_path, url)
    with job_of(project) as job:
        _load(job)
    for table in ("payments", "persons", "casebridge_applied", "casebridge_crosswalk"):
        _ask(url, f"DROP TABLE {table}")
    with job_of(project) as job:
        _load(job)
    assert len(_ask(url, NAMES)) == 3


def test_an_unreachable_target_is_a_target_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "WAITS", (0.01,))
    with (
        job_of(_project(tmp_path, "postgresql://me:s3cret@127.0.0.1:1/none")) as job,
        pytest.raises(TargetError) as caught,
    ):
        _load(job)
    assert "s3cret" not in str(caught.value)


def test_a_vendors_foreign_keys_let_a_delta_through_and_come_back(tmp_path: Path, postgres_url: str) -> None:
    """Under the vendor's names, from tables of ours and of theirs, as they were defined."""
    theirs = (
        'ALTER TABLE payments ADD CONSTRAINT "Fk of Theirs" FOREIGN KEY (person_id) REFERENCES persons '
        "ON UPDATE CASCADE",
        "CREATE TABLE audit (id BIGINT PRIMARY KEY, about BIGINT REFERENCES persons)",
        "INSERT INTO audit VALUES (1, 1)",
    )
    keys = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' ORDER BY 1"
    project = _project(tmp_path, postgres_url)
    with job_of(project) as job:
        _load(job)
    for statement in theirs:
        _ask(postgres_url, statement)
    before, rows = _ask(postgres_url, keys), [_ask(postgres_url, sql) for sql in (NAMES, PAYMENTS_THERE)]
    assert {"Fk of Theirs", "audit_about_fkey"} <= {name for name, _ in before}
    with job_of(project, "trial-2") as job:
        _load(job, people=([_person(1, name="Li")], PEOPLE[1]), paid=PAID[:1])
        assert _ask(postgres_url, NAMES) == [("1", "Li"), ("3", "Ng")]
        assert _ask(postgres_url, keys) == before
        load.rollback(job)
    assert [_ask(postgres_url, sql) for sql in (NAMES, PAYMENTS_THERE)] == rows
    assert _ask(postgres_url, keys) == before


def test_a_key_of_a_table_that_is_not_ours_to_change_stays_on(tmp_path: Path, postgres_url: str) -> None:
    """A login without a right to it loads all the same, as long as it takes no row from under it."""
    clerk = f"clerk_{uuid.uuid4().hex[:12]}"
    for statement in (f"CREATE ROLE {clerk} LOGIN", f"GRANT ALL ON SCHEMA public TO {clerk}"):
        _ask(postgres_url, statement)
    project = _project(tmp_path, postgres_url.replace("postgres:@", f"{clerk}:@"))
    with job_of(project) as job:
        _load(job, people=PEOPLE[:1], paid=())
    _ask(postgres_url, "CREATE TABLE audit (id BIGINT PRIMARY KEY, about BIGINT REFERENCES persons)")
    with job_of(project, "trial-2") as job:
        _load(job, paid=())
    assert [key for key, _ in _ask(postgres_url, NAMES)] == ["1", "2", "3"]
    assert _ask(postgres_url, "SELECT conname FROM pg_constraint WHERE conname = 'audit_about_fkey'")
    _ask(postgres_url, f"DROP OWNED BY {clerk} CASCADE")
    _ask(postgres_url, f"DROP ROLE {clerk}")
