"""What stands in the way of merges in the live register is looked for every night, and the desk shows it."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from casebridge.dedupe.review.merge_rules import Outcome
from tests.councils import casebridge
from tests.desks import World, at_desk, open_desk
from tests.scan.live import PACK, TABLES, LiveRegister, make_live

PLANS, PARTIES = TABLES["dm_registrations"], TABLES["financial_parties"]
PACKAGES, ELEMENTS, ACTUALS = TABLES["care_packages"], TABLES["package_elements"], TABLES["actuals"]


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> LiveRegister:
    """A register with some of the tables that merges ask for, three people made again, after its first scan."""
    live = make_live(tmp_path_factory.mktemp("merges") / "project", people=60)
    for name in ("merge.toml", "target.toml"):
        shutil.copy(PACK / name, live.folder / name)
    with live.engine.begin() as connection:
        for table in (PLANS, PARTIES, PACKAGES, ELEMENTS, ACTUALS):
            columns = (sa.Column(c.name, c.type, primary_key=c.primary_key) for c in table.columns)
            sa.Table(table.name, sa.MetaData(), *columns).create(connection)
        connection.exec_driver_sql("CREATE TABLE dm_placements (placement_id integer, person_id integer)")
    for person, again in ((7, 9001), (8, 9002), (9, 9003)):
        live.create(person, again)
    _add(live, PARTIES, 1, person_id=7)
    _add(live, PACKAGES, 1, person_id=8)
    _add(live, ELEMENTS, 1, care_package_id=1)
    _add(live, ACTUALS, 1, package_element_id=1)
    live.scan()
    return live


def _add(live: LiveRegister, table: sa.Table, number: int, **values: Any) -> None:
    key = next(iter(table.primary_key)).name
    live.do(table.insert().values({key: number, **values}))


def test_what_binds_one_record_says_which_of_the_two_goes_and_what_binds_both_that_neither_does(
    first_night: LiveRegister, tmp_path: Path
) -> None:
    shown = first_night.shown()
    assert {pair: (shown[pair].preflight, shown[pair].blockers) for pair in ((7, 9001), (8, 9002), (9, 9003))} == {
        (7, 9001): (Outcome.AFTER_GO_LIVE, (("payer_or_payee", 1, 0),)),
        (8, 9002): (Outcome.AFTER_GO_LIVE, (("actuals", 1, 0), ("allocated_party", 1, 0))),
        (9, 9003): (Outcome.AFTER_GO_LIVE, ()),
    }
    live = first_night.copied(tmp_path / "project")
    _add(live, PARTIES, 2, person_id=9001)
    for number, person in enumerate((8, 9002)):
        _add(live, PLANS, number, person_id=person, start_date=dt.date(2026, 1, 1))
    live.do(ACTUALS.delete())
    night = live.scan()
    assert night.changed == night.new == 0
    shown = live.shown()
    assert (shown[7, 9001].preflight, shown[7, 9001].blockers) == (Outcome.MARK_ONLY, (("payer_or_payee", 1, 1),))
    assert shown[8, 9002].blockers == (("allocated_party", 1, 0), ("child_protection", 1, 1))
    assert night.preflight[Outcome.MARK_ONLY] == 2
    assert "of what waits: mark as duplicate only" in (live.folder / "reports/scan/digest.txt").read_text()


def test_the_desk_shows_it_in_words_of_the_register_and_filters_by_it(first_night: LiveRegister) -> None:
    with open_desk(World(first_night.folder)) as house:
        sam = at_desk(house, "sam")
        page = sam.get(f"/pair/{first_night.shown()[7, 9001].item}")
        queue = sam.get("/queue?preflight=mark+as+duplicate+only")
        options = sam.get("/queue")
    assert "Merge the two in Mosaic; B goes, A stays: what A has does not move." in page
    assert "A (1) pays for care, or is paid for it." in page
    assert "Nobody looked for this" in page
    assert "has invoices" in page
    assert "survivorship" not in page
    assert "0 pairs for you" in queue
    assert "<option>merge after go-live</option>" in options
    assert "merge before load" not in options


def test_what_cannot_be_looked_for_is_told_and_no_reason_to_fail(first_night: LiveRegister) -> None:
    """Tables that are not there, and one without its days; what comes after it is looked for all the same."""
    (told,) = first_night.scan().warnings[:1]
    assert told.startswith("merge pre-flight did not look for placements, carer_approval, invoices, ")
    assert "actuals" not in told
    assert "payer_or_payee" not in told


def test_rules_that_are_wrong_are_told_by_check_and_stop_the_scan(
    first_night: LiveRegister, tmp_path: Path
) -> None:
    live = first_night.copied(tmp_path / "project")
    rules = live.folder / "merge.toml"
    rules.write_text(rules.read_text().replace('"financial_parties.person_id"', '"financial_partys.person_id"'))
    checked = casebridge("check", "--project", str(live.folder))
    scanned = casebridge("scan", "--project", str(live.folder))
    assert (checked.returncode, scanned.returncode) == (2, 2)
    assert "did you mean `financial_parties`" in checked.stdout
    assert "did you mean `financial_parties`" in scanned.stderr
