"""Two councils merge: two CareFirst dumps, one register of people, one Mosaic."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from casebridge.project.database import open_database
from casebridge.project.settings import read_settings
from tests.councils import Migration, casebridge, small_council

SYSTEMS = ("cumber", "furness")


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Migration, str, str]:
    """The project after a first trial, a decision across the systems, and a second trial; and the keys of
    the two records: one who lives on, restricted in the other council, and the one who was folded."""
    folder = tmp_path_factory.mktemp("merged")
    dumps = [f"{name}={small_council(folder / name, seed=seed) / 'dump'}" for seed, name in enumerate(SYSTEMS, 3)]
    done = casebridge("init", str(folder / "project"), "--dump", dumps[0], "--dump", dumps[1])
    assert done.returncode == 0, done.stderr
    migration = Migration(folder / "project", folder / SYSTEMS[0], f"sqlite:///{folder / 'project' / 'target.db'}")
    assert migration.cli("check").returncode == 0
    migration.run(run="trial-1")
    open_one, restricted = _clients(migration, "cumber", "N"), _clients(migration, "furness", "Y")
    left, right = open_one[0], restricted[0]
    decisions = folder / "decisions.csv"
    lines = "".join(f"cumber:{left},furness:{right},same,{who},moved\n" for who in ("J. Reviewer", "B. Second"))
    decisions.write_text(f"left,right,verdict,reviewer,reason\n{lines}")
    assert migration.cli("decide", str(decisions)).returncode == 0
    migration.run(run="trial-2")
    return migration, left, right


def _clients(migration: Migration, system: str, restricted: str) -> list[str]:
    """Keys of persons of a system who have case notes, by the old key without the system's name."""
    rows = _rows(
        migration,
        "SELECT DISTINCT p.person_id_legacy "  # noqa: S608
        "FROM dm_persons p JOIN case_notes n ON n.person_id = p.person_id "
        f"WHERE p.person_id_legacy LIKE '{system.upper()}-%' AND p.restricted = '{restricted}' ORDER BY 1",
    )
    return [str(key).partition("-")[2] for (key,) in rows]


def _rows(migration: Migration, query: str) -> list[tuple[object, ...]]:
    engine = open_database(migration.target)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(sa.text(query))]
    engine.dispose()
    return rows


def test_both_councils_balance_and_apart(merged: tuple[Migration, str, str]) -> None:
    """Every source of each system has its own account."""
    migration, *_ = merged
    for run in ("trial-1", "trial-2"):
        report = json.loads(migration.report_path(run).read_text(encoding="utf-8"))
        assert report["verdict"] == "balanced"
        names = {system: {r["source"] for r in report["sources"] if r["system"] == system} for system in SYSTEMS}
        assert names["cumber"] == names["furness"]
        assert len(names["cumber"]) == 25
        assert {row["unexplained"] for row in report["sources"] + report["targets"]} == {0}


def test_the_same_old_number_is_two_people(merged: tuple[Migration, str, str]) -> None:
    """Both councils counted from one: the old keys overlap, the keys people see and the ids do not."""
    migration, *_ = merged
    rows = _rows(migration, "SELECT person_id, person_id_legacy FROM dm_persons")
    keys = [str(key) for _, key in rows]
    assert len(set(keys)) == len(keys) == len({person for person, _ in rows})
    assert max(len(key) for key in keys) <= 16
    bare = [{key.partition("-")[2] for key in keys if key.startswith(name.upper())} for name in SYSTEMS]
    assert bare[0] & bare[1]


def test_a_decision_across_systems_folds_two_records(merged: tuple[Migration, str, str]) -> None:
    """One record is left, restricted as either was; notes of both stand under it."""
    migration, left, right = merged
    walk = _rows(
        migration,
        "SELECT system, survivor_system, survivor_key, target_id FROM casebridge_crosswalk "  # noqa: S608
        f"WHERE (system, legacy_key) IN (('cumber', '{left}'), ('furness', '{right}')) ORDER BY system",
    )
    assert [row[0] for row in walk] == list(SYSTEMS)
    [(survivor_system, survivor_key, target_id)] = {row[1:] for row in walk}
    query = f"SELECT person_id_legacy, restricted FROM dm_persons WHERE person_id = {target_id}"  # noqa: S608
    [(legacy, restricted)] = _rows(migration, query)
    assert (legacy, restricted) == (f"{str(survivor_system).upper()}-{survivor_key}", "Y")
    away = f"CUMBER-{left}" if survivor_system == "furness" else f"FURNESS-{right}"
    assert _rows(migration, f"SELECT 1 FROM dm_persons WHERE person_id_legacy = '{away}'") == []  # noqa: S608
    places = pl.read_parquet(migration.report_path("trial-2").with_name("dispositions.parquet"))
    persons = places.filter(pl.col("source") == "CF_PERSON")
    merged_rows = persons.filter(pl.col("place") == "merged")
    assert merged_rows.height == 1
    notes = places.filter((pl.col("source") == "CF_OBSERVATION") & (pl.col("place") == "loaded"))
    [(count,)] = _rows(migration, "SELECT count(*) FROM case_notes")
    assert notes.height == count


def test_pairs_are_proposed_across_systems(merged: tuple[Migration, str, str]) -> None:
    """The register is one: candidates name records of both councils."""
    migration, *_ = merged
    files = (migration.folder / "work" / "dedupe" / "candidates").glob("*.pairs.parquet")
    pairs = pl.concat([pl.read_parquet(path, columns=["left_id", "right_id"]) for path in files])
    systems = pairs.select(pl.all().str.split(":").list.first())
    assert set(systems.to_series(0)) | set(systems.to_series(1)) == set(SYSTEMS)
    assert systems.filter(pl.col("left_id") != pl.col("right_id")).height > 0


def test_dumps_need_names_of_their_own(tmp_path: Path) -> None:
    """Two dumps without names, or with one name, or a name too long to stand before a key."""
    (tmp_path / "d").mkdir()
    dump = tmp_path / "d"
    for words in ((f"{dump}", f"{dump}"), (f"a={dump}", f"a={dump}"), (f"westmorland={dump}", f"b={dump}")):
        done = casebridge("init", str(tmp_path / "p"), "--dump", words[0], "--dump", words[1])
        assert done.returncode == 1
        assert "NAME" in done.stderr
        assert not (tmp_path / "p" / "casebridge.toml").exists()
    done = casebridge("init", str(tmp_path / "one"), "--dump", str(dump))
    assert done.returncode == 0
    assert list(read_settings(tmp_path / "one").systems) == ["carefirst"]
