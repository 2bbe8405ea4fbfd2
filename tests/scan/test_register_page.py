"""The desk's page of nights: figures of everybody, for cleared readers alone; and how complete the register is."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl

from casebridge.dedupe.review.decisions import Ruling
from casebridge.dedupe.scan.by_team import team_counts
from casebridge.dedupe.scan.config import read_scan
from casebridge.dedupe.scan.counts import Counts
from tests.desks import World, at_desk, open_desk
from tests.scan.live import PACK, TABLES, LiveRegister, make_live


def test_the_page_has_months_teams_and_shares_for_the_cleared_and_is_not_there_for_others(tmp_path: Path) -> None:
    """North makes two records, one of them of somebody of East; East's other duplicate is decided meanwhile."""
    live = make_live(tmp_path / "project", people=60)
    _staff(live)
    live.create(8, 9009)
    live.scan()
    live.decide(8, 9009, Ruling.SAME)
    live.create(7, 9001, created_by=1)
    live.create(7, 9002, created_by=1, first_name="Quentin", last_name="Oddfellow", nhs_id=None, gender="U",
                date_of_birth=dt.datetime.fromisoformat("1931-01-01"))  # fmt: skip
    live.day = dt.date(2026, 4, 1)
    night = live.scan()
    assert night.teams["North"] == {"made": 2, "again": 1}
    assert night.teams["East"] == {"new": 1, "waiting": 1, "confirmed": 1}
    with open_desk(World(live.folder)) as house:
        page, march = (at_desk(house, "sam").get(f"/nights{asked}") for asked in ("", "?month=2026-03"))
        jo = at_desk(house, "bo")
        jo.get("/nights")
    assert f"{night.people:,} people in the register, {night.new} new pairs" in page
    assert '<th scope="row">2026-03</th>' in page
    assert '<th scope="row">2026-04</th><td class="num">1</td><td class="num">1</td>' in page
    east = '<th scope="row">East</th><td class="num">1</td><td class="num">1</td><td class="num">0</td>'
    assert east in page
    assert '<td class="num">1 (50.0 %)</td></tr>' in page
    assert east not in march
    assert "Nothing in the register says which numbers were traced" in page
    assert "mosaic:" not in page
    assert jo.status == 404
    head = "By team, without restricted records new waiting made again"
    assert f"{head} East 1 1 0 North 0 0 1" in _digest(live)
    live.change(7, restricted="Y")
    live.create(7, 9003, created_by=1, restricted="Y")
    night = live.scan()
    assert night.teams["East"]["waiting"] >= 2
    assert night.teams["North"] == {"made": 1, "again": 1}
    assert head not in _digest(live)


def _digest(live: LiveRegister) -> str:
    return " ".join((live.folder / "reports" / "scan" / "digest.txt").read_text().split())


def test_pairs_of_a_release_that_knew_of_no_teams_are_not_new() -> None:
    now = pl.DataFrame({"left_id": ["a", "a"], "right_id": ["b", "c"], "state": "undecided", "teams": "East"})
    found = team_counts(now, now.head(1).drop("teams"), (), {})
    assert found == {"East": {"new": 1, "waiting": 2}}


def _staff(live: LiveRegister) -> None:
    """Worker 1 is of North, worker 2 of East, which works with 7 and 8."""
    links = TABLES["people_workers"]
    live.do(
        TABLES["organisations"].insert().values([{"id": 1, "name": "North"}, {"id": 2, "name": "East"}]),
        TABLES["workers"].insert().values([{"id": n, "organisation_id": n} for n in (1, 2)]),
        links.insert().values([{"id": n, "person_id": n, "worker_id": 2, "type": "ALLOC"} for n in (7, 8)]),
    )


def test_missing_and_invalid_nhs_numbers_are_counted_by_cohort() -> None:
    day = dt.date(2026, 3, 2)
    born = [dt.date(2020, 1, 1), dt.date(2008, 3, 3), dt.date(2008, 3, 1), dt.date(1950, 1, 1), None]
    config = read_scan(PACK)
    rows = pl.DataFrame({"birth_date": born, "nhs_number": [None, "9993892823", "9993892824", "999389282", None]})
    rows = rows.with_columns(
        pl.lit(None, dtype=pl.String).alias(c) for _, c in config.fields if c not in rows.columns
    )
    assert Counts.of(rows, config).nhs_by_cohort(config, day) == {
        "adults": {"people": 2, "missing": 0, "invalid": 2},
        "age unknown": {"people": 1, "missing": 1, "invalid": 0},
        "children": {"people": 2, "missing": 1, "invalid": 0},
    }
    as_text = rows.with_columns(pl.col("birth_date").cast(pl.String))
    assert Counts.of(as_text, config).nhs_by_cohort(config, day) == Counts.of(rows, config).nhs_by_cohort(
        config, day
    )
    assert Counts.of(rows, config).filled_shares(config)["nhs_number"] == 0.6


def test_counts_that_follow_a_night_are_those_of_counting_again() -> None:
    """Of more values than are kept, and of values that nobody of this form can have."""
    config = read_scan(PACK)
    bare = {column: pl.Series([None] * 700, dtype=pl.String) for _, column in config.fields}
    some = {"surname": [f"N{n % 650}" for n in range(700)], "postcode": ["TK1 9AA"] * 700}
    before = pl.DataFrame({**bare, **some, "nhs_number": ["9993892823"] * 700})
    then, rest = before.head(40), before.slice(40)
    now = then.with_columns(surname=pl.lit("N1"), postcode=pl.lit("none"), nhs_number=pl.lit("9993892824"))
    followed, again = Counts.of(before, config).moved(then, now, config), Counts.of(pl.concat([now, rest]), config)
    assert followed is not None
    for shares in (Counts.largest_shares, Counts.filled_shares, Counts.valid_shares):
        assert shares(followed, config) == shares(again, config)
    assert again.valid_shares(config)["postcode"] == round(660 / 700, 4)
    assert followed.nhs_by_cohort(config, dt.date(2026, 3, 2)) == again.nhs_by_cohort(config, dt.date(2026, 3, 2))
