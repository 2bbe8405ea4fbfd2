"""What stands in the way of merges in the live register is looked for every night, and the desk shows it."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from casebridge.dedupe.review.merge_rules import Blocker, Check, MergeRules, Outcome
from casebridge.dedupe.review.preflight import Found
from casebridge.dedupe.scan.live_preflight import live_outcome
from casebridge.migrate.live_check import check_live
from tests.councils import casebridge
from tests.desks import World, at_desk, open_desk
from tests.scan.live import PACK, TABLES, LiveRegister, make_live

PLANS, PARTIES = TABLES["dm_registrations"], TABLES["financial_parties"]
PACKAGES, ELEMENTS, ACTUALS = TABLES["care_packages"], TABLES["package_elements"], TABLES["actuals"]
REQUESTS = TABLES["merge_requests"]
MORE = ("dm_placements", "carer_approvals", "invoices", "charge_periods", "dm_education", "retention_reviews")


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> LiveRegister:
    """A register with the tables that merges ask for, three people made again, after its first scan."""
    live = make_live(tmp_path_factory.mktemp("merges") / "project", people=60)
    for name in ("merge.toml", "target.toml"):
        shutil.copy(PACK / name, live.folder / name)
    with live.engine.begin() as connection:
        for table in (PLANS, PARTIES, PACKAGES, ELEMENTS, ACTUALS, REQUESTS, *(TABLES[name] for name in MORE)):
            columns = (sa.Column(c.name, c.type, primary_key=c.primary_key) for c in table.columns)
            sa.Table(table.name, sa.MetaData(), *columns).create(connection)
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
    assert "Nobody looked for this" not in page
    assert "survivorship" not in page
    assert "0 pairs for you" in queue
    assert "<option>merge after go-live</option>" in options
    assert "merge before load" not in options


def test_what_cannot_be_looked_for_is_told_and_what_it_may_bar_is_not_known(
    first_night: LiveRegister, tmp_path: Path
) -> None:
    """Tables that are not there, one without its days, and a value at which a condition fails: what comes after
    them is looked for all the same, and nobody is told that a pair may be merged, or which of the two goes."""
    live = first_night.copied(tmp_path / "project")
    _add(live, PARTIES, 2, person_id=9001)
    _add(live, REQUESTS, 1, person_id=8, status="PENDING")
    rules = live.folder / "merge.toml"
    rules.write_text(rules.read_text().replace("status = 'PENDING'", "CAST(status AS INT) = 1"))
    live.do(*(sa.text(f"DROP TABLE {name}") for name in ("retention_reviews", "invoices", "dm_placements")))
    live.do(sa.text("CREATE TABLE dm_placements (placement_id integer, person_id integer)"))
    (told,) = (words for words in live.scan().warnings if words.startswith("merge pre-flight did not look for"))
    assert "retention (there is no table retention_reviews)" in told
    assert "placements (no such column: t0.start_date" in told
    assert "merge_pending (blockers.merge_pending.where fails on a value" in told
    assert "PENDING'" not in told
    assert "payer_or_payee" not in told
    says = {pair: (shown.preflight, shown.blockers) for pair, shown in live.shown().items()}
    assert says[9, 9003] == (Outcome.NOT_KNOWN, ())
    assert says[8, 9002][0] == Outcome.NOT_KNOWN
    assert says[7, 9001] == (Outcome.NOT_KNOWN, (("payer_or_payee", 1, 1),))
    with open_desk(World(live.folder)) as house:
        page = at_desk(house, "sam").get(f"/pair/{live.shown()[9, 9003].item}")
    assert "merge neither before somebody has" in page
    assert "Merge the two in Mosaic" not in page
    assert "Nobody looked for this" in page
    assert "has invoices" in page
    notes = list[str]()
    assert not any("merge" in problem for problem in check_live(live.folder, notes))
    assert "merge.toml: blockers.retention: cannot be looked for in the register: there is no" in notes[-1]


@pytest.mark.parametrize(
    ("unread", "found", "says"),
    [
        (["never"], [("mark", 1, 1)], Outcome.NOT_KNOWN),
        (["lasts"], [("mark", 1, 1)], Outcome.MARK_ONLY),
        (["lasts"], [("lasts_too", 1, 1)], Outcome.MARK_ONLY),
        (["lasts"], [("lasts_too", 1, 0)], Outcome.NOT_KNOWN),
        (["lasts", "never"], [("never_too", 0, 1)], Outcome.NEVER),
        (["pending"], [], Outcome.AFTER_GO_LIVE),
        (["mark"], [], Outcome.NOT_KNOWN),
    ],
)
def test_what_was_not_looked_for_counts_where_it_could_be_stricter(
    unread: list[str], found: list[tuple[str, int, int]], says: Outcome
) -> None:
    outcomes = {
        "never": Outcome.NEVER, "never_too": Outcome.NEVER, "mark": Outcome.MARK_ONLY,
        "lasts": Outcome.BEFORE_LOAD, "lasts_too": Outcome.BEFORE_LOAD, "pending": Outcome.AFTER_GO_LIVE,
    }  # fmt: skip
    rules = MergeRules(tuple(Blocker(name, name, Check.ON_SOURCE, (), one) for name, one in outcomes.items()))
    assert live_outcome(rules, [Found(*one) for one in found], unread) is says


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("colour = 'red'", 'fails on financial_parties: unable to find column "colour"'),
        ("person_id", "fails on financial_parties: filter predicate must be of type `Boolean`"),
        ("person_id = 'x' AND (", "fails on financial_parties: "),
    ],
)
def test_a_condition_that_cannot_hold_is_told_before_the_night(
    first_night: LiveRegister, tmp_path: Path, where: str, told: str
) -> None:
    for name in ("casebridge.toml", "linkage.toml", "target.toml", "merge.toml"):
        shutil.copy(first_night.folder / name, tmp_path / name)
    rules = tmp_path / "merge.toml"
    head = "[blockers.payer_or_payee]\n"
    rules.write_text(rules.read_text().replace(head, f'{head}where = "{where}"\n'))
    (found,) = check_live(tmp_path, [])
    assert found.startswith(f"merge.toml: blockers.payer_or_payee.where: {told}")


def test_check_says_why_there_is_no_preflight(first_night: LiveRegister, tmp_path: Path) -> None:
    for name in ("casebridge.toml", "linkage.toml", "merge.toml"):
        shutil.copy(first_night.folder / name, tmp_path / name)
    assert "merge pre-flight: merge.toml needs target.toml" in check_live(tmp_path, [])[0]


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
