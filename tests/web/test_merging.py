"""What the desk says of merging: pre-flight on the pair page and in the queue."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from casebridge.dedupe.review.decisions import Ruling, decision
from casebridge.dedupe.review.evidence_file import Held
from casebridge.dedupe.review.merge_rules import Outcome
from casebridge.dedupe.review.merge_words import advice, read_notes
from casebridge.dedupe.review.merging import merge_page
from tests.desks import at_desk, make_world, open_desk, pair_of, somebody

NOTES = {
    "blockers": {
        "pending": ["is in a merge that is not through", True, ["Wait for the other merge"]],
        "restrictions": ["The restrictions differ", False, []],
    },
    "not_carried": {"persons": ["email_address", "restricted"], "person_nhs": []},
    "register": ["persons"],
}  # fmt: skip


def test_the_pair_page_says_what_can_be_done_and_what_must_be_typed(tmp_path: Path) -> None:
    """A has an e-mail address and two references that Mosaic leaves behind, B has nothing of its own."""
    world = make_world(tmp_path)
    held = (Held("person_nhs", 2), Held("case_notes", 9))
    rich = replace(somebody("1"), fields={"email_address": "a@b.example", "restricted": "N"}, held=held)
    waits = pair_of("1", "2", preflight=str(Outcome.AFTER_GO_LIVE), blockers=(("pending", 3, 0),), value=3.0)
    free = pair_of("3", "4", preflight=str(Outcome.BEFORE_LOAD), value=2.0)
    refused = pair_of("5", "6", preflight=str(Outcome.BEFORE_LOAD), blockers=(("restrictions", 1, 1),))
    people = [rich, *(somebody(str(n)) for n in range(2, 7))]
    world.show(people, [waits, free, refused], merge=json.dumps(NOTES))
    with open_desk(world) as house:
        jo = at_desk(house, "jo")
        page = jo.get(f"/pair/{waits.item}")
        assert "A (3) is in a merge that is not through." in page
        assert "By hand: Wait for the other merge." in page
        assert "If A goes, Mosaic does not carry across, and somebody types: email address, person nhs: 2." in page
        assert "If B goes" not in page
        assert "Nothing on file would stop this merge" in jo.get(f"/pair/{free.item}")
        assert "The restrictions differ." in jo.get(f"/pair/{refused.item}")
        jo.get("/queue?preflight=merge+after+go-live")
        assert ("1 pair for you" in jo.page, f"/pair/{waits.item}" in jo.page) == (True, True)
        jo.send("/next")
        assert jo.path == f"/pair/{waits.item}"


@pytest.mark.parametrize(
    ("left", "right", "told"),
    [
        (3, 0, "A (3) is in a merge that is not through."),
        (3, 1_200, "Each of A (3) and B (1,200) is in a merge that is not through."),
    ],
)
def test_a_blocker_of_both_records_is_told_of_each(left: int, right: int, told: str) -> None:
    """Its words stand behind one record or two."""
    pair = pair_of("1", "2", preflight=str(Outcome.AFTER_GO_LIVE), blockers=(("pending", left, right),))
    said = advice(read_notes(json.dumps(NOTES)), pair, somebody("1"), somebody("2"))
    assert said is not None
    assert said.reasons == (told,)


def test_a_project_without_merge_rules_says_nothing_of_merging(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.show([somebody("1"), somebody("2")], [pair_of("1", "2")])
    with open_desk(world) as house:
        jo = at_desk(house, "jo")
        assert "If they are one person" not in jo.get(f"/pair/{pair_of('1', '2').item}")
        assert "Pre-flight" not in jo.get("/queue")


def test_a_group_is_told_by_its_strictest_pair_and_shows_no_record_that_is_kept(tmp_path: Path) -> None:
    """Three records are shown as one person. Whoever may not see the third one sees the merge of two."""
    world = make_world(tmp_path)
    group = ("old:1", "old:2", "old:3")
    pairs = [
        pair_of("1", "2", group=group, preflight=str(Outcome.BEFORE_LOAD)),
        pair_of("2", "3", group=group, preflight=str(Outcome.MARK_ONLY)),
        pair_of("3", "4", clearance=1, preflight=str(Outcome.BEFORE_LOAD)),
    ]
    secret = somebody("4", "Secret", clearance=1)
    world.show([*(somebody(str(n), f"Name{n}") for n in (1, 2, 3)), secret], pairs, merge=json.dumps(NOTES))
    with open_desk(world) as house:
        house.desk.decisions.decide(
            [
                decision("old:1", "old:2", Ruling.SAME, "J", "seen"),
                decision("old:3", "old:4", Ruling.SAME, "J", "seen"),
            ],
            proposed=[("old:1", "old:2"), ("old:3", "old:4")],
        )
        jo, sam = at_desk(house, "jo"), at_desk(house, "sam")
        assert "<b>If they are one person:</b> mark as duplicate only" in jo.get(f"/group/{pairs[0].item}")
        assert jo.get(f"/pair/{pairs[1].item}/survivorship").count('name="keep-*" value="') == 4
        assert sam.get(f"/pair/{pairs[1].item}/survivorship").count('name="keep-*" value="') == 5
        assert jo.get(f"/pair/{pairs[2].item}/survivorship") == jo.get("/pair/nothing/survivorship")


def test_a_reviewers_own_family_is_not_in_a_merge_either(tmp_path: Path) -> None:
    """What was declared by him is kept from the page as from all others."""
    world = make_world(tmp_path)
    world.show([somebody("1", "Ann"), somebody("2", "Ann")], [pair_of("1", "2")])
    with open_desk(world) as house:
        item = pair_of("1", "2").item
        jo = at_desk(house, "jo")
        jo.get(f"/pair/{item}/survivorship")
        assert jo.status == 200
        viewer = house.accounts.find("jo").viewer  # type: ignore[union-attr]
        partner = replace(viewer, teams=frozenset({"South"}))
        assert (merge_page(house.desk, viewer, item) is None, merge_page(house.desk, partner, item)) == (
            False,
            None,
        )
