"""What the desk says of merging: pre-flight on the pair page and in the queue."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from casebridge.dedupe.review.evidence_file import Held
from casebridge.dedupe.review.merge_rules import Outcome
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


def test_a_project_without_merge_rules_says_nothing_of_merging(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.show([somebody("1"), somebody("2")], [pair_of("1", "2")])
    with open_desk(world) as house:
        jo = at_desk(house, "jo")
        assert "If they are one person" not in jo.get(f"/pair/{pair_of('1', '2').item}")
        assert "Pre-flight" not in jo.get("/queue")
