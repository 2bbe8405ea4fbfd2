"""What a night tells in the morning, and what it warns of."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import click
import pytest

from casebridge.dedupe.scan.drift import drift
from casebridge.dedupe.scan.history import Record
from casebridge.dedupe.scan.telling import as_measures, as_page, as_text
from casebridge.migrate.cli import main
from casebridge.project.memory import ARROW, POLARS
from tests.scan.live import make_live

USUAL = Record(
    night=2, day="2026-03-02", people=10_000, changed=50, new=4, again=0, settled=3, waiting=30, decided=200,
    oldest=12, ages={"today": 4, "this week": 26}, probability=0.8, largest={"birth_date": 0.002},
    filled={"postcode": 0.9}, rows_there={"visits": 900},
)  # fmt: skip
NIGHTS = [replace(USUAL, night=number) for number in range(1, 40)]


def test_a_usual_night_warns_of_nothing() -> None:
    assert drift(NIGHTS, replace(USUAL, night=40, changed=80, new=9)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"changed": 900}, "900 people changed, where 50 are usual"),
        ({"new": 60}, "60 new pairs, where 4 are usual"),
        ({"people": 9_000}, "the register has 9,000 people, where it had 10,000"),
        ({"probability": 0.5, "new": 10}, "mean probability of 0.50, where 0.80 is usual"),
        ({"largest": {"birth_date": 0.03}}, "birth date: one value is on 3.0% of all people, where 0.2% is usual"),
        ({"filled": {"postcode": 0.7}}, "postcode: 70.0% of all people have any, where 90.0% is usual"),
        ({"rows_there": {"visits": 300}}, "visits has 300 rows, where 900 is usual: was all of it read?"),
        ({"largest": {"postcode": 0.4}}, "postcode: one value is on 40.0% of all people. A placeholder?"),
    ],
)  # fmt: skip
def test_what_is_not_usual_is_told_before_it_is_a_bad_morning(change: dict[str, object], told: str) -> None:
    (warning,) = drift(NIGHTS, replace(USUAL, night=40, **change))  # type: ignore[arg-type]
    assert told in warning


@pytest.mark.parametrize(
    ("last", "change", "told"),
    [
        ({"people": 9_000}, {"people": 9_000}, "the register has 9,000 people, where 10,000 are usual"),
        ({"people": 11_000}, {"people": 10_000}, "the register has 10,000 people, where it had 11,000"),
        ({"largest": {"birth_date": 0.05}}, {"largest": {"birth_date": 0.05}}, "where 0.2% is usual"),
        ({"largest": {"birth_date": 0.001}}, {"largest": {"birth_date": 0.03}}, "where last night had 0.1%"),
    ],
)  # fmt: skip
def test_one_bad_night_hides_no_other_and_a_bad_month_no_bad_night(
    last: dict[str, object], change: dict[str, object], told: str
) -> None:
    nights = [*NIGHTS, replace(USUAL, night=40, **last)]  # type: ignore[arg-type]
    (warning,) = drift(nights, replace(USUAL, night=41, **change))  # type: ignore[arg-type]
    assert told in warning


def test_what_was_so_for_a_month_is_usual() -> None:
    many = [replace(one, largest={"birth_date": 0.03}) for one in NIGHTS]
    assert drift(many, replace(USUAL, night=40, largest={"birth_date": 0.031})) == []


def test_the_digest_has_counts_ages_and_links_and_nobody_in_it(tmp_path: Path) -> None:
    live = make_live(tmp_path / "project", people=60, more='desk = "https://desk.example/?a=1&b=2"\n')
    live.change(5, last_name="Quillfeather")
    live.create(5, 9001)
    night = live.scan()
    folder = tmp_path / "project" / "reports" / "scan"
    texts = {path.name: path.read_text() for path in folder.iterdir()}
    assert set(texts) == {"digest.txt", "digest.html", "scan.prom"}
    assert f"new pairs at the desk {night.new}" in " ".join(texts["digest.txt"].split())
    assert "https://desk.example/?a=1&b=2" in texts["digest.txt"]
    assert 'href="https://desk.example/?a=1&amp;b=2"' in texts["digest.html"]
    assert f"casebridge_scan_pairs_waiting {night.waiting}\n" in texts["scan.prom"]
    whole = "".join(texts.values())
    assert "Quillfeather" not in whole
    assert "mosaic:" not in whole
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def test_warnings_stand_in_every_form_and_cannot_break_it() -> None:
    record = USUAL.warned(["a <b> & c"])
    assert "! a <b> & c" in as_text("x", record)
    assert "a &lt;b&gt; &amp; c" in as_page("<x>", record)
    assert "casebridge_scan_warnings 1\n" in as_measures(record, 1.0)


def test_the_measures_are_what_prometheus_reads() -> None:
    for line in as_measures(USUAL, 1_790_000_000.5).splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) casebridge_scan_\w+ .+|casebridge_scan_\w+ [0-9.e+]+", line), line


def test_a_scan_gives_memory_back_and_other_commands_keep_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says already stays."""
    for said in ({}, {POLARS: "narenas:1"}):
        monkeypatch.setattr(os, "environ", found := dict(said))
        main.cli.get_command(click.Context(main.cli), "link")
        assert found == said
        main.cli.get_command(click.Context(main.cli), "scan")
        assert found == {POLARS: "dirty_decay_ms:0,muzzy_decay_ms:0", ARROW: "system"} | said
