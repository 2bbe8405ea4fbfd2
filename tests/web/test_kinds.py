"""A pair of organisations at the desk: the page asks, answers and reasons in words that fit."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from casebridge.dedupe.linkage.kinds.registry import KINDS
from casebridge.dedupe.review.evidence_file import Held, PairEvidence, Person
from casebridge.dedupe.review.kind_words import name_of, reasons_to_doubt, words_of
from casebridge.migrate.web.pages.queue import RELATIONS, score
from tests.desks import at_desk, make_world, open_desk, pair_of


def _supplier(key: str, name: str, **roles: str) -> Person:
    held = (Held("payments", 12),)
    return Person(f"old/suppliers:{key}", 0, {"name": name, **roles}, {}, held, (), (), (), f"d{key}")


def _pair(*keys: str) -> list[PairEvidence]:
    pairs = [(left, right) for at, left in enumerate(keys) for right in keys[at + 1 :]]
    return [
        pair_of(left, right, left_id=f"old/suppliers:{left}", right_id=f"old/suppliers:{right}",
                kind="organisation", levels={"name": "same name", "branch": "another branch"}, teams=(),
                group=tuple(f"old/suppliers:{key}" for key in keys) if len(keys) > 2 else ())
        for left, right in pairs
    ]  # fmt: skip


def test_a_pair_of_organisations_is_asked_about_and_decided_as_such(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    (pair,) = _pair("1", "2")
    world.show([_supplier("1", "Tarn Lodge", supplier_number="S1"), _supplier("2", "Tarn Lodge Ltd")], [pair])
    with open_desk(world) as house:
        jo = at_desk(house, "jo")
        jo.send("/next")
        text = re.sub(r"<[^>]+>", " ", jo.page)
        for words in (
            "Is this one organisation?", "Same organisation", "Different organisations", "two branches",
            "each is a body of its own", "payments: 12", "See the organisation that they become",
        ):  # fmt: skip
            assert words in text, words
        assert not re.search(r"\b(person|child|birth|family|household|twins?)\b", text, re.IGNORECASE)
        jo.get(f"/pair/{pair.item}/survivorship")
        assert "The organisation that they become" in jo.page
        assert "one of its names" not in jo.page
        jo.say(pair.item, "different", code="two branches")
        said = house.desk.decisions.standing()
        assert [(d.left_id, str(d.verdict), d.reason) for d in said] == [
            ("old/suppliers:1", "different", "two branches")
        ]


def test_every_relation_of_every_kind_has_its_words() -> None:
    """`same` and `chance`, which is no profile, and what each kind tells apart."""
    told = {str(one.relation) for kind in KINDS.values() for one in kind.profiles}
    assert told | {"chance"} == set(RELATIONS)


def test_a_group_of_organisations_goes_by_their_names(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    pairs = _pair("1", "2", "3")
    pairs[0] = replace(pairs[0], relation="branch")
    world.show([_supplier(key, f"Tarn Lodge {key}", postcode="ZE1 1AA") for key in "123"], pairs)
    with open_desk(world) as house:
        sam = at_desk(house, "sam")
        sam.get("/queue?relation=branch")
        assert "1 pair for you" in sam.page
        looks = re.findall(r'<option value="(\w*)"', sam.page.split("Looks like")[1].split("</select>")[0])
        assert looks == ["", "same", "branch"]
        sam.get(f"/group/{pairs[0].item}")
        assert "Tarn Lodge 3" in sam.page
        assert "ZE1 1AA" in sam.page
        assert "birth date" not in sam.page


def test_a_reason_of_people_is_none_for_organisations(tmp_path: Path) -> None:
    """A form that says so is taken without it."""
    world = make_world(tmp_path)
    (pair,) = _pair("1", "2")
    world.show([_supplier("1", "Tarn Lodge"), _supplier("2", "Tarn Lodge")], [replace(pair, double=False)])
    with open_desk(world) as house:
        at_desk(house, "jo").say(pair.item, "different", code="twins or siblings", reason="seen")
        assert [d.reason for d in house.desk.decisions.standing()] == ["seen"]


def test_doors_and_staff_are_doubted_in_words_of_their_own() -> None:
    """Two flats, two UPRNs; two of one name of whose own nothing agrees."""
    flats = [_supplier(key, "", flat=f"Flat {key}", street="Mill Lane", uprn=f"700{key}") for key in "12"]
    (pair,) = _pair("1", "2")
    told = reasons_to_doubt(replace(pair, kind="address", levels={"flat": "two different flats"}), *flats)
    assert [line.split(":")[0] for line in told[:3]] == [
        "Two flats of one building", "No postcode on both", "Two UPRNs",
    ]  # fmt: skip
    assert score(replace(pair, kind="address", proposed=True)).startswith("Linkage gives ")
    assert " one address " in score(replace(pair, kind="address", proposed=True))
    assert name_of(flats[0]) == "Flat 1, •••• ••••"
    staff = [_supplier(key, "", forename="Kit", surname="Ng", login=f"KNG{key}") for key in "12"]
    told = reasons_to_doubt(replace(pair, kind="professional", levels={}), *staff)
    assert any("several of one name" in line for line in told)
    assert (words_of("address").question, words_of("professional").several) == (
        "Is this one address?", "professionals",
    )  # fmt: skip
