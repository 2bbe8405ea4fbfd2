"""What the desk and work sheets say of the kinds of records: what is asked, what the answers are called, why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from casebridge.dedupe.review.evidence_file import PairEvidence, Person
from casebridge.dedupe.review.folded import fold
from casebridge.dedupe.review.masking import MASKED, mask
from casebridge.dedupe.review.verdicts import REASONS, Opinion
from casebridge.dedupe.review.words import LABELS, doubts

PERSON = "person"


@dataclass(frozen=True)
class KindWords:
    """The words for one kind. one, several: what records are of; `labels`: what linkage compares, in the order in
    which it is shown; `reasons` a reviewer may choose from."""

    one: str
    several: str
    labels: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[Opinion, tuple[str, ...]] = field(default_factory=dict)

    @property
    def question(self) -> str:
        """What a reviewer is asked."""
        return f"Is this one {self.one}?"

    @property
    def answers(self) -> Mapping[Opinion, str]:
        """What each opinion is called."""
        return {
            Opinion.SAME: f"Same {self.one}", Opinion.DIFFERENT: f"Different {self.several}",
            Opinion.RELATED: "Related, not the same", Opinion.CANNOT_TELL: "Cannot tell",
            Opinion.ESCALATE: "Escalate",
        }  # fmt: skip


_OF_BODIES: Mapping[Opinion, tuple[str, ...]] = {
    Opinion.SAME: ("numbers agree", "name and address agree", "known to the team", "documents seen"),
    Opinion.DIFFERENT: ("two branches", "two bodies of one building", "another of that name", "documents seen"),
    Opinion.RELATED: ("branch of one chain", "part of the other", "successor of the other", "one owner"),
    Opinion.CANNOT_TELL: ("needs finance", "needs the register of providers", "needs the address",
                          "needs another team"),
    Opinion.ESCALATE: ("a contract hangs on it", "too complex", "conflict of interest"),
}  # fmt: skip
_OF_DOORS: Mapping[Opinion, tuple[str, ...]] = {
    Opinion.SAME: ("numbers agree", "one door, written in two ways", "known to the team", "seen on the map"),
    Opinion.DIFFERENT: ("two flats", "two houses", "same street in another town", "two UPRNs", "seen on the map"),
    Opinion.RELATED: ("flat and its building", "renamed or renumbered", "building that was divided"),
    Opinion.CANNOT_TELL: ("needs the gazetteer", "needs the team that lives with it", "needs the flat's number"),
    Opinion.ESCALATE: ("a protected address", "too complex", "conflict of interest"),
}  # fmt: skip
_ADDRESS_LABELS = {
    "address": "Address", **{f"line_{n}": f"Line {n}" for n in range(1, 6)},
    "flat": "Flat", "building": "Building", "house": "House", "street": "Street", "town": "Town",
    "postcode": "Postcode", "uprn": "UPRN",
}  # fmt: skip
_OF_STAFF: Mapping[Opinion, tuple[str, ...]] = {
    Opinion.SAME: ("numbers agree", "same mailbox or login", "known to the team", "staff list seen"),
    Opinion.DIFFERENT: ("two of one name", "two registration numbers", "one mailbox of a team", "staff list seen"),
    Opinion.RELATED: ("of one family", "successor in one post"),
    Opinion.CANNOT_TELL: ("needs the staff list", "needs the professional register", "needs another team"),
    Opinion.ESCALATE: ("accounts and rights hang on it", "too complex", "conflict of interest"),
}  # fmt: skip
WORDS: Mapping[str, KindWords] = {
    PERSON: KindWords("person", "people", LABELS, REASONS),
    "organisation": KindWords(
        "organisation", "organisations",
        {"name": "Name", "address": "Address", "house": "House", "street": "Street", "postcode": "Postcode",
         "phone": "Telephone", "email": "E-mail", "supplier_number": "Supplier number", "ods_code": "ODS code"},
        _OF_BODIES,
    ),
    "professional": KindWords(
        "professional", "professionals",
        {"forename": "First name", "middle_name": "Middle name", "surname": "Last name", "job_title": "Job title",
         "team": "Team", "organisation": "Organisation", "email": "E-mail", "phone": "Telephone", "login": "Login",
         "staff_number": "Staff number", "registration_number": "Registration number"},
        _OF_STAFF,
    ),
    "address": KindWords("address", "addresses", _ADDRESS_LABELS, _OF_DOORS),
}  # fmt: skip


def words_of(kind: str) -> KindWords:
    """The words for a kind; those of a kind that nobody has worded are its name."""
    return WORDS.get(kind) or KindWords(kind, f"{kind} records", {}, _OF_BODIES)


def name_of(person: Person) -> str:
    """What a record is called: its names, or its place, of which what is masked elsewhere is masked here too."""
    names = f"{person.text('forename')} {person.text('surname')}".strip() or person.text("name")
    told = ((role, person.text(role)) for role in _ADDRESS_LABELS if role != "uprn")
    where = ", ".join(mask(text) if role in MASKED else text for role, text in told if text)
    return names or where or "no name on file"


def reasons_to_doubt(pair: PairEvidence, left: Person, right: Person) -> list[str]:
    """Reasons to doubt that the two are one, in words of their kind; one sentence at least."""
    found = doubts(pair, left, right)
    own = _DOUBTS.get(pair.kind)
    more = own(pair, left, right) if own else []
    return [*more, *(words for words in found if not more or len(found) > 1)]


def _of_bodies(pair: PairEvidence, left: Person, right: Person) -> list[str]:
    """What speaks for two organisations: branches of a chain share all but their address, and are two bodies."""
    found = []
    if pair.levels.get("branch") == "another branch":
        found.append("The names are of two branches: each is a body of its own.")
    if "numbered" in pair.levels.get("name", ""):
        found.append("The names are numbered: team 1 and team 2 are two.")
    if "sorts" in pair.levels.get("name", ""):
        found.append("The names are of two sorts of body: a home and a day centre may share all else.")
    if not all(person.text("address") or person.text("postcode") for person in (left, right)):
        found.append("No address on both: branches of one chain cannot be told apart.")
    numbers = [fold(person.text("supplier_number")) for person in (left, right)]
    if all(numbers) and numbers[0] != numbers[1]:
        found.append("Two supplier numbers: finance knows them as two, and may pay both.")
    return found


def _of_doors(pair: PairEvidence, left: Person, right: Person) -> list[str]:
    """What speaks for two addresses: doors of one building or street share all but a figure."""
    flat, house = pair.levels.get("flat", ""), pair.levels.get("house", "")
    found = []
    if flat == "two different flats":
        found.append("Two flats of one building: each is an address of its own.")
    if flat.startswith("one names a flat"):
        found.append("One names a flat and the other does not: the building is not its flat.")
    if "two words" in flat:
        found.append("Unit 3 and Flat 3 are two words for one flat, or the shop and the flat above it.")
    if house.startswith("same number, "):
        found.append(
            "The number has not the same name on both: a coach house or a block may bear the house's number."
        )
    if "stands in the number" in flat or "letter" in house:
        found.append(
            "A letter or a flat's number is written in two ways: 1A may be Flat A of 1, or the house beside it."
        )
    if "differ" in house or "away" in house:
        found.append("The house numbers or names are not the same: neighbours share all else.")
    if "sorts of street" in pair.levels.get("street", ""):
        found.append("Streets of one name and two sorts (Mill Road, Mill Lane) are two streets.")
    if not all(person.text("postcode") for person in (left, right)):
        found.append("No postcode on both: many towns have a street of that name.")
    numbers = [fold(person.text("uprn")).lstrip("0") for person in (left, right)]
    if all(numbers) and numbers[0] != numbers[1]:
        found.append("Two UPRNs: the gazetteer knows them as two properties.")
    return found


def _of_staff(_pair: PairEvidence, left: Person, right: Person) -> list[str]:
    """What speaks for two professionals: large councils have several of one name."""
    found = []
    for role, words in (
        (
            "registration_number",
            "Two registration numbers: the regulator knows them as two, or knows two professions.",
        ),
        ("staff_number", "Two staff numbers: payroll knows them as two, or as one who came back."),
    ):
        numbers = [fold(person.text(role)) for person in (left, right)]
        if all(numbers) and numbers[0] != numbers[1]:
            found.append(words)
    own = ("registration_number", "staff_number", "login", "email")
    if not any(fold(left.text(role)) and fold(left.text(role)) == fold(right.text(role)) for role in own):
        found.append("No number, login or mailbox of their own agrees: a large council has several of one name.")
    return found


_DOUBTS: Mapping[str, Callable[[PairEvidence, Person, Person], list[str]]] = {
    "organisation": _of_bodies, "address": _of_doors, "professional": _of_staff,
}  # fmt: skip
