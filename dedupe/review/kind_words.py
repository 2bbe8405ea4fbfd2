"""What the desk and work sheets say of the kinds of records: what is asked, what the answers are called, why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from casebridge.dedupe.review.evidence_file import PairEvidence, Person
from casebridge.dedupe.review.verdicts import REASONS, Opinion
from casebridge.dedupe.review.words import LABELS, doubts, fold

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
WORDS: Mapping[str, KindWords] = {
    PERSON: KindWords("person", "people", LABELS, REASONS),
    "organisation": KindWords(
        "organisation", "organisations",
        {"name": "Name", "address": "Address", "house": "House", "street": "Street", "postcode": "Postcode",
         "phone": "Telephone", "email": "E-mail", "supplier_number": "Supplier number", "ods_code": "ODS code"},
        _OF_BODIES,
    ),
}  # fmt: skip


def words_of(kind: str) -> KindWords:
    """The words for a kind; those of a kind that nobody has worded are its name."""
    return WORDS.get(kind) or KindWords(kind, f"{kind} records", {}, _OF_BODIES)


def name_of(person: Person) -> str:
    """What a record is called."""
    names = f"{person.text('forename')} {person.text('surname')}".strip() or person.text("name")
    return names or "no name on file"


def reasons_to_doubt(pair: PairEvidence, left: Person, right: Person) -> list[str]:
    """Reasons to doubt that the two are one, in words of their kind; one sentence at least."""
    found = doubts(pair, left, right)
    more = _of_bodies(pair, left, right) if pair.kind == "organisation" else []
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
