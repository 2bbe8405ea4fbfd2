"""The loop of a merge: preview, a reviewer's own choices, the run that does what the preview showed, and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from casebridge.dedupe.review.desk_tables import OVERRIDES
from casebridge.dedupe.review.gathering import plain
from casebridge.dedupe.review.merge_preview import MergePreview
from casebridge.dedupe.review.merging import MergePage, merge_page
from casebridge.migrate.web.visit import House
from casebridge.project.database import open_database
from tests.councils import Migration, contents, make_migration
from tests.desks import World, at_desk, open_desk
from tests.dumps import write_dump

PEOPLE = [
    {"PI_NO": "100", "SURNAME": "Ng", "FORENAMES": "Ann", "TITLE": "MISS", "DOB": "03/02/2001", "SEX": "F",
     "NHS_NO": "9990000018", "EMAIL": "ann@a.example", "CARESECURE_YN": "N", "CREATED_ON": "01/02/2019",
     "PHONE": "01632 960001", "AMENDED_ON": "01/02/2020"},
    {"PI_NO": "200", "SURNAME": "Ngo", "FORENAMES": "Anne Marie", "DOB": "03/02/2001", "SEX": "F",
     "NHS_NO": "9990000034", "EMAIL": "anne@b.example", "CARESECURE_YN": "N",
     "PHONE": "01632 960001"},
    {"PI_NO": "300", "SURNAME": "Li", "FORENAMES": "Mei", "SEX": "F", "CARESECURE_YN": "N"},
]  # fmt: skip
ROWS = {
    "CF_PERSON": PEOPLE,
    "CF_ADDRESS": [{"ADDR_NO": str(n), "PI_NO": pi, "ADDR_TYPE": "MAIN", "LINE1": f"{n} Tarn Lane"}
                   for n, pi in enumerate(("100", "200", "200"), 1)],
    "CF_EDUCATION": [{"EDU_NO": str(n), "PI_NO": pi, "SCHOOL": "Moor End", "FROM_DT": "01/09/2012"}
                     for n, pi in enumerate(("100", "200"), 1)],
    "CF_NETWORK": [
        {"NET_NO": "1", "PI_NO": "100", "NET_TYPE": "MOT", "OTHER_REF": "300", "FROM_DT": "01/01/2002"},
        {"NET_NO": "2", "PI_NO": "200", "NET_TYPE": "MOT", "OTHER_REF": "300", "FROM_DT": "01/01/2002"},
        {"NET_NO": "3", "PI_NO": "200", "NET_TYPE": "SIB", "OTHER_REF": "100", "FROM_DT": "01/01/2002"},
    ],
}  # fmt: skip


LOAD = ("--until", "load")


@dataclass
class Loop:
    """A migration of three people with one pair before two reviewers who may see it, and the target before."""

    migration: Migration
    world: World
    house: House
    item: str
    before: dict[str, list[tuple[object, ...]]]

    def run(self, *words: str) -> None:
        """The next run; the desk then looks again."""
        done = self.migration.cli("run", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        self.world.clock.at += 2

    def page(self) -> MergePage:
        """The merged person as the desk has it now."""
        account = self.house.accounts.find("sam")
        assert account is not None
        page = merge_page(self.house.desk, account.viewer, self.item)
        assert page is not None
        return page

    def rows(self, table: str) -> list[dict[str, object]]:
        """What stands in the target."""
        engine = open_database(self.migration.target)
        with engine.connect() as connection:
            made = sa.Table(table, sa.MetaData(), autoload_with=engine)
            rows = [dict(row._mapping) for row in connection.execute(sa.select(made))]
        engine.dispose()
        return rows


def tables(url: str) -> dict[str, list[tuple[object, ...]]]:
    """The target without our own side tables, but with its crosswalk."""
    return {
        name: rows
        for name, rows in contents(url).items()
        if name == "casebridge_crosswalk" or "casebridge" not in name
    }


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    folder = tmp_path_factory.mktemp("loop")
    write_dump(folder / "council" / "dump", ROWS)
    made = make_migration(folder / "project", folder / "council")
    words = ("--by", "Help desk", "--why", "two numbers")
    assert made.cli("pairs", "--ask-for", "100", "200", *words).returncode == 0
    assert made.cli("run", *LOAD).returncode == 0
    world = World(made.folder)
    with open_desk(world) as house:
        account = house.accounts.find("sam")
        assert account is not None
        (one,) = house.desk.pairs(account.viewer)
        yield Loop(made, world, house, one.pair.item, tables(made.target))


def person_of(loop: Loop, key: str) -> dict[str, str]:
    """A person of the target, column by column, as texts."""
    (row,) = (row for row in loop.rows("dm_persons") if row["person_id_legacy"] == key)
    return {name: plain(value) for name, value in row.items() if value is not None}


def holds(loop: Loop, shown: MergePreview, key: str) -> None:
    """The target has the person of the preview, and each kind of row as often as it said."""
    found = person_of(loop, key)
    assert {name: found.get(name) for name in shown.values} == shown.values
    named = {"addresses": "dm_addresses", "education": "dm_education", "telephones": "dm_telephone_numbers"}
    moved = {one.table: one.after for one in shown.moved}
    assert {name: len(loop.rows(table)) for name, table in named.items()} == {name: moved[name] for name in named}
    assert len(loop.rows("dm_person_references")) == (moved["person_nhs"] or 0) + (moved.get("person_upn") or 0)
    assert len(loop.rows("dm_person_names")) == sum(shown.names.values())


def test_the_preview_is_what_the_run_makes_and_the_way_back_is_exact(loop: Loop) -> None:
    """Decide, run, look, object, run: with a reviewer's own choices in between."""
    by_rules = loop.page().preview
    assert (by_rules.survivor, by_rules.values["last_name"], by_rules.values["restricted"]) == (
        "carefirst:100", "Ng", "N",
    )  # fmt: skip
    sam = at_desk(loop.house, "sam")
    sam.get(f"/pair/{loop.item}")
    assert "See the person that they become" in sam.page
    sam.get(f"/pair/{loop.item}/survivorship")
    assert "ann@a.example" not in sam.page  # sensitive values are masked
    chosen = {"keep-last_name": "B", "keep-email_address": "B", "keep-*": "", "reason": "as she signs"}
    sam.send(f"/pair/{loop.item}/survivorship", **chosen)
    assert (sam.status, "Saved. The next run does what this page shows." in sam.page) == (200, True)
    assert "chosen by Sam Somebody" in sam.page
    shown = loop.page().preview
    assert [shown.values[name] for name in ("last_name", "first_name", "full_name", "title", "email_address")] == [
        "Ngo", "Anne Marie", "Anne Marie Ngo", by_rules.values["title"], "anne@b.example",
    ]  # fmt: skip
    assert shown.names == {"merged_names": 2}
    for login in ("sam", "tess"):
        at_desk(loop.house, login).say(loop.item, "same")
    loop.run()
    holds(loop, shown, "100")
    assert {(row["first_name"], row["last_name"]) for row in loop.rows("dm_person_names")} == {
        ("Ann", "Ng"), ("Anne Marie", "Ngo"),
    }  # fmt: skip
    assert {row["reference"] for row in loop.rows("dm_person_references")} == {"9990000018", "9990000034"}
    report = json.loads(loop.migration.report_path().read_text())
    assert (report["verdict"], report["totals"]["merged"]) == ("balanced", 1)
    # The other record stays, by another word; names come back to the rules.
    sam.get(f"/pair/{loop.item}/survivorship")
    sam.send(f"/pair/{loop.item}/survivorship", **{"keep-*": "B", "keep-last_name": "", "keep-email_address": ""})
    other = loop.page().preview
    assert (other.survivor, other.values["last_name"], other.names) == (
        "carefirst:200",
        "Ngo",
        {"merged_names": 1},
    )
    loop.run(*LOAD)
    holds(loop, other, "200")
    # And back.
    sam.get(f"/pair/{loop.item}")
    sam.send(f"/releases/{loop.item}", reason="they are two")
    loop.run(*LOAD)
    assert tables(loop.migration.target) == loop.before
    assert loop.migration.cli("audit", "verify").returncode == 0


def test_a_page_that_is_out_of_date_or_forged_changes_nothing(loop: Loop) -> None:
    """Two tabs; a field that nobody may choose; one who is to be blind."""
    one, two = at_desk(loop.house, "sam"), at_desk(loop.house, "tess")
    path = f"/pair/{loop.item}/survivorship"
    count = len(loop.house.desk.log.engine.connect().execute(sa.select(OVERRIDES)).all())
    one.get(path)
    two.get(path)
    one.send(path, **{"keep-title": "A", "keep-restricted": "A", "keep-last_name": "Z", "keep-email_address": "A"})
    two.send(path, **{"keep-email_address": "B"})
    assert (two.status, "somebody has chosen something since" in two.page) == (409, True)
    rows = loop.house.desk.log.engine.connect().execute(sa.select(OVERRIDES).order_by("number")).all()
    assert {row.field for row in rows[count:]} == {"email_address"}
    two.get(f"/pair/{loop.item}")
    one.say(loop.item, "same")
    two.get(path)
    assert "when you have said what you think" in two.page


def test_a_choice_that_was_tampered_with_stops_the_run(loop: Loop) -> None:
    """By name; nothing is folded until the database is restored."""
    engine = loop.house.desk.log.engine
    with engine.begin() as connection:
        row = connection.execute(sa.select(OVERRIDES).order_by("number")).first()
        assert row is not None
        with pytest.raises(sa.exc.DatabaseError, match="append-only"), engine.begin() as inner:
            inner.execute(OVERRIDES.update().values(from_id="carefirst:300"))
    with engine.begin() as connection:
        connection.execute(OVERRIDES.delete().where(OVERRIDES.c.number == row.number))
    done = loop.migration.cli("run")
    assert (done.returncode, f"override {row.number} was changed" in done.stderr) == (1, True)
    assert loop.migration.cli("audit", "verify").returncode != 0
