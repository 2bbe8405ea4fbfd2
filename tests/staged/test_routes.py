"""One council becomes two: every person goes to one side, and each side balances."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from casebridge.project.database import open_database
from tests.councils import Migration
from tests.shelf import NOTHING, SMALL, Shelf, copy_of, forget_targets

ROUTES = """
[routes.north]
target = "sqlite:///north.db"
owner = "Director of Adults, North"
[routes.south]
target = "sqlite:///south.db"
owner = "Director of Adults, South"
"""
# By the last digit of the key: 9 belongs to nobody, 8 to both.
RULES = """
[[route]]
to = "north"
when = "PI_NO LIKE '%0' OR PI_NO LIKE '%1' OR PI_NO LIKE '%2' OR PI_NO LIKE '%3' OR PI_NO LIKE '%8'"
[[route]]
to = "south"
when = "PI_NO LIKE '%4' OR PI_NO LIKE '%5' OR PI_NO LIKE '%6' OR PI_NO LIKE '%7'"
[[route]]
to = "south"
when = "last_name IS NOT NULL AND PI_NO LIKE '%8'"
"""
LIMITS = """
[limits]
held = 0.5
"""
"""A relationship of two people who go apart waits: more of them than a council would agree to unseen."""
SIDES = ("north", "south")


def _split(shelf: Shelf, folder: Path, after: str = "extract") -> Migration:
    migration = copy_of(shelf.after(after, batch_rows=SMALL), folder)
    settings, persons = (migration.folder / name for name in ("casebridge.toml", "tables/persons.toml"))
    settings.write_text(settings.read_text() + ROUTES + LIMITS)
    persons.write_text(persons.read_text().replace("\n[dropped]\n", f"{RULES}\n[dropped]\n"))
    return migration


@pytest.fixture(scope="module")
def split(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Migration:
    migration = _split(shelf, tmp_path_factory.mktemp("split"))
    for side in SIDES:
        done = migration.cli("run", "--route", side, "--name", f"trial-1-{side}")
        assert done.returncode == 0, done.stderr
    return migration


def test_two_postgres_targets_hold_what_two_files_hold(
    split: Migration, tmp_path: Path, postgres_url: str, another_postgres_url: str
) -> None:
    """And taking one side back leaves the other as it is."""
    there = copy_of(split, tmp_path)
    forget_targets(there)
    settings = there.folder / "casebridge.toml"
    urls = {"north": postgres_url, "south": another_postgres_url}
    text = settings.read_text()
    for side, url in urls.items():
        text = text.replace(f"sqlite:///{side}.db", url)
    settings.write_text(text)
    query = "SELECT person_id, last_name, first_name, full_name FROM dm_persons ORDER BY person_id"
    for side in SIDES:
        done = there.cli("load", "--name", f"trial-1-{side}")
        assert done.returncode == 0, done.stderr
        rows = [tuple(str(value) for value in row) for row in _ask(urls[side], query)]
        assert rows == [tuple(str(value) for value in row) for row in _rows(split, side, query)]
        assert rows
    south = _ask(urls["south"], query)
    assert there.cli("rollback", "trial-1-north").returncode == 0
    left = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    assert _ask(urls["north"], left) == []
    assert _ask(urls["south"], query) == south


def _report(migration: Migration, side: str) -> dict[str, list[dict[str, object]]]:
    report: dict[str, list[dict[str, object]]] = json.loads(migration.report_path(f"trial-1-{side}").read_text())
    return report


def _persons(migration: Migration, side: str) -> pl.DataFrame:
    path = migration.report_path(f"trial-1-{side}").with_name("dispositions.parquet")
    return pl.read_parquet(path).filter(pl.col("source") == "CF_PERSON").select("line", "key", "place", "cause")


def _rows(migration: Migration, side: str, query: str) -> list[tuple[object, ...]]:
    return _ask(f"sqlite:///{migration.folder / side}.db", query)


def _ask(url: str, query: str) -> list[tuple[object, ...]]:
    engine = open_database(url)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(sa.text(query))]
    engine.dispose()
    return rows


def test_each_side_balances(split: Migration) -> None:
    """The other side's persons are excluded, under the name of who answers for them there."""
    for side, other in (SIDES, SIDES[::-1]):
        report = _report(split, side)
        assert report["verdict"] == "balanced"
        assert {row["unexplained"] for row in report["sources"] + report["targets"]} == {0}
        [away] = [c for c in report["causes"] if c["cause"] == f"routed_to_{other}"]
        assert away["place"] == "excluded"
        assert away["owner"] == f"Director of Adults, {other.capitalize()}"


def test_every_person_is_on_one_side(split: Migration) -> None:
    """Loaded on one side and routed away on the other; or left behind, and for the same cause on both."""
    both = _persons(split, "north").join(_persons(split, "south"), on="line", suffix="_south")
    assert both.height == _persons(split, "north").height
    loaded = {"loaded", "merged"}
    for _, key, north, why_north, _, south, why_south in both.iter_rows():
        routed = (why_north == "routed_to_south") + (why_south == "routed_to_north")
        assert routed <= 1, key
        assert (north in loaded) + (south in loaded) <= 1, key
        if not routed:
            assert (north, why_north) == (south, why_south), key
    places = [set(both.get_column(name).unique()) for name in ("place", "place_south")]
    assert all("loaded" in found for found in places)


def test_what_no_rule_takes_or_two_take_waits(split: Migration) -> None:
    """Held on both sides: a person has to say where it goes."""
    for side in SIDES:
        persons = _persons(split, side)
        for digit, rule in (("9", "unrouted"), ("8", "routed_twice")):
            these = persons.filter(pl.col("key").str.ends_with(digit))
            held = these.filter(pl.col("cause") == rule)
            assert held.height > 0.8 * these.height
            assert set(held.get_column("place")) == {"held"}
            assert these.filter(pl.col("place") == "loaded").is_empty()


def test_children_follow_and_registers_are_on_both_sides(split: Migration) -> None:
    """Notes of the north stand in the north; codes, organisations and workers stand in both."""
    found: list[set[object]] = []
    for side in SIDES:
        notes = _rows(split, side, "SELECT n.id, p.person_id FROM case_notes n "
                      "LEFT JOIN dm_persons p ON p.person_id = n.person_id")  # fmt: skip
        assert notes
        assert all(person is not None for _, person in notes)
        found.append({note for note, _ in notes})
    assert not found[0] & found[1]
    for table in ("organisations", "workers", "reference_data"):
        north, south = (_rows(split, side, f"SELECT * FROM {table} ORDER BY 1") for side in SIDES)  # noqa: S608
        assert len(north) == len(south) > 0


def test_a_record_has_one_id_for_good(split: Migration) -> None:
    """Ids are the project's: no two persons of the two sides share one."""
    north, south = ({row[0] for row in _rows(split, side, "SELECT person_id FROM dm_persons")} for side in SIDES)
    assert north
    assert south
    assert not north & south


def test_a_run_keeps_its_side(split: Migration) -> None:
    """Later commands need no route; another one is refused, and so is a run without any."""
    done = split.cli("run", "--name", "trial-1-north")
    assert done.returncode == 0, done.stderr
    done = split.cli("run", "--name", "trial-1-north", "--route", "south")
    assert done.returncode == 1
    assert "begun by route north" in done.stderr
    done = split.cli("run", "--name", "trial-2")
    assert done.returncode == 1
    assert "--route" in done.stderr
    done = split.cli("run", "--name", "trial-2", "--route", "nort")
    assert done.returncode == 2
    assert "did you mean `north`" in done.stderr
    assert not (split.folder / "target.db").exists()


def test_a_run_has_one_target(split: Migration) -> None:
    """Whose URL was changed is told to use another name; back again, it goes on."""
    settings = split.folder / "casebridge.toml"
    text = settings.read_text()
    settings.write_text(text.replace("sqlite:///north.db", "sqlite:///elsewhere.db"))
    done = split.cli("load", "--name", "trial-1-north")
    assert done.returncode == 1
    assert "was begun with target sqlite:///./north.db" in done.stderr
    assert "--name" in done.stderr
    assert not (split.folder / "elsewhere.db").exists()
    settings.write_text(text)
    assert split.cli("reconcile", "--name", "trial-1-north").returncode == 0


def test_wrong_routes_are_told_at_once(shelf: Shelf, tmp_path: Path) -> None:
    """An unknown target, a mistyped column, a route without an owner: all in one list."""
    migration = _split(shelf, tmp_path, NOTHING)
    settings, persons = (migration.folder / name for name in ("casebridge.toml", "tables/persons.toml"))
    persons.write_text(persons.read_text().replace('to = "south"', 'to = "suoth"', 1))
    done = migration.cli("check")
    assert "did you mean `south`" in done.stdout
    text = persons.read_text().replace('to = "suoth"', 'to = "south"')
    persons.write_text(text.replace("last_name IS", "lost IS"))
    done = migration.cli("run", "--route", "north")
    assert done.returncode == 3
    assert "CF_PERSON.csv: its columns have changed: missing lost (persons.toml: exclude[3].when)" in done.stderr
    settings.write_text(settings.read_text().replace('owner = "Director of Adults, North"\n', ""))
    assert "routes.north.owner: is missing" in migration.cli("check").stdout
