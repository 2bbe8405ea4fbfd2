"""What people decided: decisions, the groups they make, who survives and with which values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casebridge.dedupe.review.crosswalk import groups, withheld
from casebridge.dedupe.review.decision_log import DecisionLog
from casebridge.dedupe.review.decisions import Decision, Ruling, decision
from casebridge.dedupe.review.desk_tables import DECISIONS
from casebridge.dedupe.review.overrides import append_override, last_number, override_problems, standing_overrides
from casebridge.dedupe.review.survivorship import ID, TABLE, displaced, golden_rows, records_of, survivors
from casebridge.dedupe.review.value_rules import Override, Record, Rule, Survivorship
from casebridge.project.audit import KEY_FILE, AuditLog
from casebridge.project.database import open_database, writing
from casebridge.project.errors import CasebridgeError
from casebridge.project.no_link import NoLink
from casebridge.project.target import ColumnType, TargetColumn
from tests.fences import take_fences_down
from tests.staged import PERSONS, job_of, lay_out

SAME, DIFFERENT, UNSURE = Ruling.SAME, Ruling.DIFFERENT, Ruling.UNSURE


@pytest.fixture(params=["sqlite", "postgresql"])
def control(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    on_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'control.db'}" if on_sqlite else request.getfixturevalue("postgres_url")
    engine = open_database(url)
    yield engine
    engine.dispose()


@pytest.fixture
def decisions(control: sa.Engine, tmp_path: Path) -> DecisionLog:
    return DecisionLog(AuditLog(control, tmp_path / KEY_FILE))


class Everything:
    """As if linkage had put every pair forward."""

    def __contains__(self, _: object) -> bool:
        return True

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(())

    def __len__(self) -> int:
        return 0


ALL = Everything()


def _says(left: str, right: str, verdict: Ruling, reason: str = "seen") -> Decision:
    return decision(left, right, verdict, "J. Reviewer", reason)


# Decisions


def test_the_latest_decision_on_a_pair_wins_and_none_is_lost(decisions: DecisionLog, control: sa.Engine) -> None:
    """The order of the pair does not matter."""
    for verdict in (SAME, DIFFERENT, UNSURE):
        assert decisions.decide([_says("old:2", "old:1", verdict)], ALL) == 1
    assert decisions.standing() == [_says("old:1", "old:2", UNSURE)]
    with control.connect() as connection:
        kept = connection.execute(sa.select(DECISIONS.c.verdict).order_by(DECISIONS.c.number))
        assert [row.verdict for row in kept] == ["same", "different", "unsure"]


def test_the_same_file_taken_in_again_adds_nothing(decisions: DecisionLog) -> None:
    """Even one in which somebody changed their mind."""
    said = [_says("a:1", "a:2", SAME), _says("a:3", "a:4", SAME), _says("a:2", "a:1", DIFFERENT)]
    assert decisions.decide(said, ALL) == 3
    assert decisions.decide(said, ALL) == 0
    assert [(d.left_id, d.verdict) for d in decisions.standing()] == [("a:1", DIFFERENT), ("a:3", SAME)]


def test_the_last_word_in_a_file_is_the_last_word(decisions: DecisionLog) -> None:
    decisions.decide([_says("a:1", "a:2", SAME)], ALL)
    decisions.decide([_says("a:1", "a:2", DIFFERENT), _says("a:1", "a:2", SAME)], ALL)
    assert [d.verdict for d in decisions.standing()] == [SAME]
    decisions.decide([_says("a:1", "a:2", SAME, "looked again")], ALL)
    assert [d.reason for d in decisions.standing()] == ["looked again"]


RULINGS = st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.sampled_from(list(Ruling)))


@given(rounds=st.lists(st.lists(RULINGS, max_size=4), max_size=4))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_stands_is_the_last_that_was_said_of_each_pair(
    rounds: list[list[tuple[str, str, Ruling]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("control")
    engine = open_database(f"sqlite:///{folder / 'control.db'}")
    decisions = DecisionLog(AuditLog(engine, folder / KEY_FILE))
    last: dict[tuple[str, str], Ruling] = {}
    for said in rounds:
        decisions.decide([_says(left, right, verdict) for left, right, verdict in said], ALL)
        last |= {(left, right): verdict for left, right, verdict in said}
    assert {(d.left_id, d.right_id): d.verdict for d in decisions.standing()} == last
    engine.dispose()


def test_same_on_a_pair_that_linkage_did_not_put_forward_waits_for_a_second_person(decisions: DecisionLog) -> None:
    """Said again by the same person, in other capitals, it still waits. What keeps records apart never waits."""
    decisions.decide([_says("a:1", "a:2", SAME), _says("a:3", "a:4", DIFFERENT)])
    assert [d.left_id for d in decisions.standing()] == ["a:3"]
    assert decisions.waiting() == 1
    decisions.decide([decision("a:1", "a:2", SAME, "j.  REVIEWER", "looked again")])
    assert decisions.waiting() == 1
    decisions.decide([decision("a:1", "a:2", SAME, "B. Second", "I too")])
    assert [(d.left_id, d.reviewer) for d in decisions.standing()] == [
        ("a:1", "B. Second"),
        ("a:3", "J. Reviewer"),
    ]
    assert decisions.waiting() == 0


@pytest.mark.parametrize(
    "name", ["J. Re\u200bviewer", "\uff2a. Reviewer", "J.\xa0\tREVIEWER", "J. Reviewer\u202e"]
)
def test_one_person_is_not_two_by_what_nobody_sees(decisions: DecisionLog, name: str) -> None:
    decisions.decide([_says("a:1", "a:2", SAME)])
    decisions.decide([decision("a:1", "a:2", SAME, name, "looked again")])
    assert decisions.waiting() == 1


def test_two_people_who_do_not_agree_are_no_two_people_who_do(decisions: DecisionLog) -> None:
    decisions.decide([_says("a:1", "a:2", SAME)])
    decisions.decide([decision("a:1", "a:2", DIFFERENT, "B. Second", "no")])
    decisions.decide([_says("a:1", "a:2", SAME, "yes it is")])
    assert decisions.standing() == []
    assert decisions.waiting() == 1


def test_a_decision_on_a_protected_record_is_answered_like_any_other(decisions: DecisionLog) -> None:
    said = {"ordinary": [_says("a:1", "a:2", SAME)], "protected": [_says("a:1", "a:9", SAME)]}
    for item in said.values():
        answers = [decisions.decide(item, (), {"a:9"}), decisions.waiting(), decisions.decide(item, (), {"a:9"})]
        assert answers[0] == 1
        assert answers[2] == 0
    assert decisions.waiting() == 2
    decisions.decide([decision("a:1", "a:9", SAME, "B. Second", "I too")], (), {"a:9"})
    assert decisions.standing() == []


def test_nothing_of_a_protected_record_is_left_to_be_read(
    decisions: DecisionLog, control: sa.Engine, tmp_path: Path
) -> None:
    """Neither of one that was on the list, nor of one that came on it later."""
    reason = "the same child before and after adoption"
    decisions.decide([_says("a:111111", "a:999999", SAME, reason)], (), {"a:999999"})
    decisions.decide([_says("a:111111", "a:888888", SAME, reason), _says("a:1", "a:2", SAME)], ALL)
    decisions.forget({"a:888888"})
    assert [d.left_id for d in decisions.standing()] == ["a:1"]
    assert decisions.pairs() == 3
    if control.dialect.name == "sqlite":
        control.dispose()
        held = b"".join(path.read_bytes() for path in tmp_path.glob("control.db*"))
        assert not any(word.encode() in held for word in (reason, "888888", "999999"))
    decisions.decide([_says("a:111111", "a:888888", SAME, reason)], ALL, {"a:888888"})
    assert [d.left_id for d in decisions.standing()] == ["a:1"]


def test_a_value_chosen_from_a_record_that_is_protected_now_is_forgotten_with_it(
    decisions: DecisionLog, control: sa.Engine, tmp_path: Path
) -> None:
    """It was chosen for a pair of two others of the group: what people said of those two stays."""
    log = AuditLog(control, tmp_path / KEY_FILE)
    decisions.decide([_says("a:1", "a:2", SAME), _says("a:2", "a:777777", SAME)], ALL)
    words = [Override("a:1", "a:2", "phone", "a:777777", "J", "why 777777"),
             Override("a:1", "a:2", "email", "a:2", "J", "x"),
             Override("a:2", "a:777777", "phone", "a:2", "J", "x")]  # fmt: skip
    with writing(control).begin() as connection:
        for word in words:
            append_override(connection, log, word, "jo")
    decisions.forget({"a:777777"})
    assert standing_overrides(log) == [words[1]]
    assert [(d.left_id, d.right_id) for d in decisions.standing()] == [("a:1", "a:2")]
    assert log.problems() == ()
    if control.dialect.name == "sqlite":
        control.dispose()
        held = b"".join(path.read_bytes() for path in tmp_path.glob("control.db*"))
        assert b"777777" not in held


OVERRIDE = "left_id, right_id, field, from_id, login, name, reason, at FROM merge_overrides"


def test_chosen_values_that_were_changed_stop_everything(tmp_path: Path) -> None:
    """Each word has its number, and the last on a pair is found; one changed, gone or added is told by its own."""
    engine = open_database(f"sqlite:///{tmp_path / 'control.db'}")
    log = AuditLog(engine, tmp_path / KEY_FILE)
    DecisionLog(log).decide([_says("a:1", "a:2", SAME)], ALL)
    words = [Override("a:1", f"a:{2 + n // 12}", f"field {n}", "a:1", "J", "x") for n in range(13)]
    with writing(engine).begin() as connection:
        for word in words:
            append_override(connection, log, word, "jo")
        pairs = (("a:1", "a:2"), ("a:1", "a:3"), ("a:2", "a:3"), ("a:9", "a:2"))
        assert [last_number(connection, *pair) for pair in pairs] == [12, 13, 0, 0]
    assert standing_overrides(log) == words
    changed = "UPDATE merge_overrides SET from_id = 'a:2' WHERE number < 11"
    for statement in (
        changed,
        "DELETE FROM merge_overrides WHERE number = 12",
        f"INSERT INTO merge_overrides SELECT 14, {OVERRIDE} WHERE number = 13",
    ):
        with writing(engine).begin() as connection:
            take_fences_down(connection)
            connection.execute(sa.text(statement))
    told = [f"override {number} was changed, added or taken away" for number in (*range(1, 11), 12, 14)]
    assert override_problems(log) == told
    with pytest.raises(CasebridgeError) as caught:
        standing_overrides(log)
    assert str(caught.value).splitlines()[0] == (
        f"what reviewers chose for merged people is not what was recorded: {'; '.join(told[:10])}"
    )
    assert caught.value.hint == "restore the control database from a backup; nothing is folded until then"
    engine.dispose()


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE decisions SET reviewer = 'Somebody Else'", "decision 1 was changed"),
        ("UPDATE decisions SET verdict = 'same' WHERE verdict = 'different'", "decision 2 was changed"),
        ("DELETE FROM decisions WHERE number = 2", "decision 2 is gone"),
        (
            "INSERT INTO decisions SELECT 3, 'a:5', 'a:6', 'same', reviewer, reason, decided_at FROM decisions"
            " WHERE number = 1",
            "decision 3 was added",
        ),
    ],
)
def test_decisions_that_were_changed_stop_everything(
    decisions: DecisionLog, control: sa.Engine, statement: str, what: str
) -> None:
    decisions.decide([_says("a:1", "a:2", SAME), _says("a:3", "a:4", DIFFERENT)], ALL)
    with control.begin() as connection:
        take_fences_down(connection)
        connection.execute(sa.text(statement))
    assert what in decisions.problems()
    for act in (decisions.standing, lambda: decisions.decide([_says("a:7", "a:8", SAME)], ALL)):
        with pytest.raises(CasebridgeError, match=what):
            act()


def test_decisions_older_than_the_audit_log_are_taken_over_once(
    decisions: DecisionLog, control: sa.Engine
) -> None:
    with control.begin() as connection:
        DECISIONS.create(connection)
        row = {"number": 1, "left_id": "a:1", "right_id": "a:2", "verdict": "same", "reviewer": "J", "reason": "x",
               "decided_at": "2026-01-01T00:00:00Z"}  # fmt: skip
        connection.execute(DECISIONS.insert().values(row))
    assert [d.left_id for d in decisions.standing()] == ["a:1"]
    assert decisions.pairs() == 1
    decisions.decide([_says("a:3", "a:4", SAME)], ALL)
    assert [d.left_id for d in decisions.standing()] == ["a:1", "a:3"]
    with control.begin() as connection:
        connection.execute(DECISIONS.insert().values({**row, "number": 9, "left_id": "a:5", "right_id": "a:6"}))
    assert decisions.problems() == ("decision 9 was added",)


# Groups

IDS = [f"old:{n}" for n in range(7)]
SAID = st.lists(
    st.tuples(st.sampled_from(IDS), st.sampled_from(IDS), st.sampled_from([SAME, SAME, DIFFERENT, UNSURE])),
    max_size=9,
).map(lambda pairs: list({tuple(sorted(p[:2])): _says(*p) for p in pairs if p[0] != p[1]}.values()))


def _reachable(said: list[Decision], present: set[str]) -> set[frozenset[str]]:
    """The groups, found by walking from every id as long as anything new is met."""
    found = set()
    for start in present:
        group, size = {start}, 0
        while size < len(group):
            size = len(group)
            for item in said:
                ends = {item.left_id, item.right_id}
                if item.verdict is SAME and ends <= present and ends & group:
                    group |= ends
        if size > 1:
            found.add(frozenset(group))
    return found


def _torn(said: list[Decision], present: set[str]) -> set[frozenset[str]]:
    """The groups in which somebody said that two are not the same, or is not sure."""
    return {
        group
        for group in _reachable(said, present)
        if any(d.verdict is not SAME and {d.left_id, d.right_id} <= group for d in said)
    }


SOME = st.sets(st.sampled_from(IDS))


@given(said=SAID, present=SOME, cut=st.sets(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS))))
def test_groups_are_what_can_be_reached_and_a_conflict_freezes_all_of_one(
    said: list[Decision], present: set[str], cut: set[tuple[str, str]]
) -> None:
    """Different or unsure within a group is a conflict, and so is a pair in it that a guard cut; decisions on
    absent records wait."""
    made = groups(said, present, cut)
    needed = [{d.left_id, d.right_id} for d in said if d.verdict is SAME and (d.left_id, d.right_id) in cut]
    reached = _reachable(said, present)
    torn = _torn(said, present) | {group for group in reached if any(pair <= group for pair in needed)}
    assert {frozenset(ids) for ids in made.conflicts} == torn
    assert {frozenset(ids) for ids in made.merging} == reached - torn


@given(said=SAID, present=SOME, absent=SOME)
def test_a_record_that_did_not_come_through_is_those_that_people_said(
    said: list[Decision], present: set[str], absent: set[str]
) -> None:
    """Also where another that did not come through stands between them; nobody's, where decisions contradict."""
    agreed = _reachable(said, present | absent) - _torn(said, present | absent)
    assert withheld(said, present, absent) == {
        item: tuple(sorted(group & present)) for group in agreed for item in group & absent - present
    }


@given(said=SAID, data=st.data())
def test_the_order_of_decisions_changes_nothing(said: list[Decision], data: st.DataObject) -> None:
    assert groups(data.draw(st.permutations(said)), IDS) == groups(said, set(IDS))


def test_protected_records_are_in_no_group(tmp_path: Path) -> None:
    """Even when somebody has decided on them: they are not among those who may take part."""
    lay_out(tmp_path, {"persons": PERSONS})
    settings_file = tmp_path / "casebridge.toml"
    settings_file.write_text(
        settings_file.read_text(encoding="utf-8") + 'no_link = "NO_LINK.csv"\n', encoding="utf-8"
    )
    (tmp_path / "NO_LINK.csv").write_text("PI_NO\n2\n", encoding="utf-8-sig")
    said = [_says("old:1", "old:2", SAME), _says("old:2", "old:3", SAME), _says("old:1", "old:4", SAME)]
    with job_of(tmp_path) as job:
        present = {f"old:{n}" for n in range(1, 5)}
        present -= NoLink(job).hidden(present)
    made = groups(said, present)
    assert made.merging == (("old:1", "old:4"),)
    assert made.conflicts == ()


# Survivors


@given(filled=st.dictionaries(st.sampled_from(IDS), st.integers(0, 3)), data=st.data())
def test_the_fullest_record_survives_and_then_the_oldest(filled: dict[str, int], data: st.DataObject) -> None:
    order = data.draw(st.permutations(IDS))
    records = {item: Record(item, {}, count) for item, count in filled.items()}
    chosen = survivors([order], records)
    assert chosen == survivors([IDS], records)
    (best,) = set(chosen.values())
    assert chosen.keys() == set(IDS)
    assert (-filled.get(best, 0), best) == min((-filled.get(item, 0), item) for item in IDS)


def test_an_older_key_is_a_shorter_one() -> None:
    assert set(survivors([["old:10", "old:9"]], {}).values()) == {"old:9"}
    assert survivors([], {}) == {}


def test_how_full_a_record_is_say_the_columns_of_the_target_and_evidence() -> None:
    """Not its place in a file, nor columns that hold nothing."""
    people = _people(("Ng", None, None), ("Ng", None, "2")).with_columns(
        _row=pl.Series([1, None]), _rest=pl.Series([[2, 3], None])
    )
    records = records_of(people)
    assert [(item.filled, item.values) for item in records.values()] == [
        (1, {"last_name": "Ng"}), (2, {"last_name": "Ng", "ev_phone": "2"}),
    ]  # fmt: skip
    assert survivors([["old:1", "old:2"]], records) == dict.fromkeys(["old:1", "old:2"], "old:2")
    latest = Survivorship(survivor=(Rule("most_recent", ("last_name",)), Rule("oldest_key")))
    assert survivors([["old:1", "old:2"]], {"old:2": records["old:2"]}, latest)["old:1"] == "old:2"


# Golden rows

BY_NAME = TargetColumn("restricted", ColumnType("char", length=1)).marks

PEOPLE = {ID: pl.String, TABLE: pl.String, "_key": pl.String, "_row": pl.Int64, "_rest": pl.List(pl.Int64),
          "last_name": pl.String, "born": pl.Date, "restricted": pl.String, "ev_phone": pl.String}  # fmt: skip


def _people(*rows: tuple[str | None, str | None, str | None]) -> pl.DataFrame:
    """Records 1, 2 … with these names, marks of restriction and telephone numbers."""
    return pl.DataFrame(
        [(f"old:{n}", "persons", str(n), n, None, name, None, mark, phone)
         for n, (name, mark, phone) in enumerate(rows, start=1)],
        schema=PEOPLE, orient="row",
    )  # fmt: skip


def _golden(people: pl.DataFrame, survivor: int) -> dict[str, object]:
    merging = dict.fromkeys(people[ID], f"old:{survivor}")
    (row,) = golden_rows(people, merging, [BY_NAME]).to_dicts()
    assert (row[ID], row["_key"], row["_row"], row["_rest"]) == (
        f"old:{survivor}",
        str(survivor),
        survivor,
        None,
    )
    return row


def test_a_survivors_own_values_come_first_and_its_blanks_are_filled() -> None:
    """By the oldest record that has the value."""
    people = _people(("Ng", "N", "111"), ("Ngo", "N", None), ("Li", "N", "333"))
    row = _golden(people, survivor=2)
    assert (row["last_name"], row["ev_phone"], row["born"]) == ("Ngo", "111", None)


@pytest.mark.parametrize("turned", [False, True])
def test_a_blank_is_filled_by_the_oldest_whatever_the_order(turned: bool) -> None:
    """An older key is a shorter one, then the first of those as long; the rows may come in any order."""
    people = _people(("Ng", "N", None), *(("Li", "N", str(n)) for n in range(2, 13)))
    for left_out, oldest in ((0, "2"), (1, "3"), (8, "10"), (9, "11")):
        some = pl.concat([people[:1], people[1 + left_out :]])
        assert _golden(some.reverse() if turned else some, survivor=1)["ev_phone"] == oldest


MARKS = ("Y", "N", None)


@pytest.mark.parametrize("marks", list(itertools.product(MARKS, MARKS)))
@pytest.mark.parametrize("survivor", [1, 2])
def test_a_restriction_is_never_lowered(marks: tuple[str | None, str | None], survivor: int) -> None:
    row = _golden(_people(*(("Ng", mark, None) for mark in marks)), survivor)
    assert row["restricted"] == ("Y" if "Y" in marks else "N" if "N" in marks else None)


def test_groups_are_kept_apart_and_records_outside_stay_as_they_are() -> None:
    people = _people(("A", "N", None), ("B", "Y", "2"), ("C", "N", None), ("D", "N", "4"), ("E", "Y", "5"))
    merging = {"old:1": "old:1", "old:2": "old:1", "old:3": "old:4", "old:4": "old:4"}
    made = golden_rows(people, merging, [BY_NAME])
    assert made.select(ID, "last_name", "restricted", "ev_phone").rows() == [
        ("old:1", "A", "Y", "2"), ("old:4", "D", "N", "4"),
    ]  # fmt: skip
    assert made.columns == people.columns
    assert golden_rows(people.reverse(), dict(reversed(merging.items())), [BY_NAME]).equals(made)
    assert made.schema == people.schema
    assert golden_rows(people, {}, [BY_NAME]).equals(people.clear())


@pytest.mark.parametrize("turned", [False, True])
def test_of_marks_as_strict_the_oldest_records_stays(turned: bool) -> None:
    """Where nobody declared which marks there are: a target may have several words for one."""
    people = _people(("Ng", "N", None), ("Ng", None, None), *(("Ng", f"S{n}", None) for n in range(3, 101)))
    assert _golden(people.reverse() if turned else people, survivor=100)["restricted"] == "S3"
    some = pl.concat([people[:2], people[8:]])  # 9 is older than 10, and 10 than 11
    assert _golden(some.reverse() if turned else some, survivor=100)["restricted"] == "S9"
    some = pl.concat([people[:2], people[9:]])
    assert _golden(some.reverse() if turned else some, survivor=100)["restricted"] == "S10"


def test_a_column_of_the_target_may_be_called_as_one_of_ours() -> None:
    people = _people(("Ng", "N", None), ("Ngo", "Y", "2")).rename({"last_name": "id", "ev_phone": "table"})
    (row,) = golden_rows(people, {"old:1": "old:1", "old:2": "old:1"}, [BY_NAME]).to_dicts()
    assert (row["id"], row["table"], row["restricted"], row[ID], row[TABLE]) == (
        "Ng",
        "2",
        "Y",
        "old:1",
        "persons",
    )


def test_whose_own_value_gave_way() -> None:
    """A blank that was filled gave way to nothing, and a column that nobody asks for counts for nothing."""
    people = _people(("A", "N", "1"), ("B", "N", None), ("C", "N", "3"), ("D", "N", "4"), ("E", "N", "5"))
    golden = people[:4].with_columns(
        last_name=pl.Series(["A", "X", "C", "X"]), ev_phone=pl.Series(["7", "2", "3", None]),
        restricted=pl.lit("Y"),
    )  # fmt: skip
    assert displaced(people.reverse(), golden, ["last_name", "ev_phone"]) == ["1", "2", "4"]
    assert displaced(people, golden, ["ev_phone"]) == ["1", "4"]
    assert displaced(people, golden, []) == []
