"""Two records in words: what differs and how, what agrees, one sentence why, and always a reason to doubt.

Nothing here quotes a value that is masked: a difference is named ("one digit"), not shown.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from casebridge.dedupe.review.evidence_file import PairEvidence, Person
from casebridge.dedupe.review.folded import fold
from casebridge.dedupe.review.masking import MASKED, SENSITIVE

LABELS: Mapping[str, str] = {
    "forename": "First name", "middle_name": "Middle name", "surname": "Last name", "birth_date": "Date of birth",
    "sex": "Sex", "nhs_number": "NHS number", "upn": "UPN", "nino": "National Insurance number",
    "death_date": "Date of death", "house": "House", "street": "Street", "postcode": "Postcode",
    "phone": "Telephone", "email": "E-mail", "previous_surnames": "Earlier last names",
    "previous_postcodes": "Earlier postcodes",
}  # fmt: skip
"""What linkage compares, in the order in which it is shown."""
_DATES, _NUMBERS = frozenset({"birth_date", "death_date"}), frozenset({"nhs_number", "nino", "phone", "upn"})
_TEMPORARY = frozenset(
    {"baby", "boy", "girl", "infant", "male", "female", "unborn", "unknown", "nk", "twin", "twin1", "twin2",
     "triplet", "newborn", "temp"}
)  # fmt: skip
_ALIKE, _LONG = 0.6, 1_000_000
NOTHING_FOUND = "Nothing on file speaks against it. That is no proof: read what differs."


@dataclass(frozen=True)
class Line:
    """One line of the comparison. `kind`: differs, one_side, agrees, or record for what is about the record and
    not the person; `words` name the difference."""

    role: str
    label: str
    left: str
    right: str
    kind: str
    words: str
    masked: bool = False


def compare(left: Person, right: Person, levels: Mapping[str, str]) -> list[Line]:
    """The lines of a pair: what differs first, then what only one record has, then what agrees."""
    return sorted(
        [*compare_roles(left, right, levels), *_other_fields(left, right)], key=lambda line: _ORDER[line.kind]
    )


def compare_roles(left: Person, right: Person, levels: Mapping[str, str]) -> list[Line]:
    """The lines of what linkage compares, in the same order."""
    found = (_line(role, label, left, right, levels) for role, label in _roles(left, right))
    return sorted((line for line in found if line is not None), key=lambda line: _ORDER[line.kind])


_ORDER = {"differs": 0, "one_side": 1, "agrees": 2, "record": 3}


def _roles(left: Person, right: Person) -> list[tuple[str, str]]:
    more = sorted((left.roles.keys() | right.roles.keys()) - LABELS.keys())
    return [*LABELS.items(), *((name, name.replace("_", " ").capitalize()) for name in more)]


def _line(role: str, label: str, left: Person, right: Person, levels: Mapping[str, str]) -> Line | None:
    one, other = left.text(role), right.text(role)
    if not one and not other:
        return None
    if not (one and other):
        kind, words = "one_side", _one_side(role, one or other, right if one else left)
    elif fold(one) == fold(other):
        kind, words = "agrees", "same" if one == other else "same but for capitals, signs or blanks"
    else:
        kind, words = "differs", name_difference(role, left, right) or levels.get(role, "differs")
    return Line(role, label, one, other, kind, words, role in MASKED)


def _one_side(role: str, value: str, other: Person) -> str:
    if role == "previous_surnames" and fold(other.text("surname")) in {fold(v) for v in value.split(", ")}:
        return "the last name of the other record is an earlier one here"
    return "only on one record"


def _other_fields(left: Person, right: Person) -> list[Line]:
    """The target's columns that say more than the roles do."""
    said = [{part for role in person.roles for text in [fold(person.text(role))] for part in (text, *text.split())}
            for person in (left, right)]  # fmt: skip
    found = []
    for name in dict.fromkeys([*left.fields, *right.fields]):
        one, other = left.fields.get(name, ""), right.fields.get(name, "")
        known = all(_is_said(value, words) for value, words in zip((one, other), said, strict=True))
        if known or name in _OWN:
            continue
        kind = "one_side" if not (one and other) else "agrees" if fold(one) == fold(other) else "differs"
        words = {"agrees": "same", "one_side": "only on one record", "differs": "differs"}[kind]
        masked = name.endswith("_id") or bool(SENSITIVE.search(name))
        label = name.removesuffix("_id").removeprefix("full_").removesuffix("_code").replace("_", " ")
        label = label.upper() if len(label) < 4 else label.capitalize()
        kind = "record" if re.search("created|updated|amended", name) else kind
        found.append(Line(f"field:{name}", label, one, other, kind, words, masked))
    return found


def _is_said(value: str, words: set[str]) -> bool:
    """Whether the roles say it already: each word of it, or the number without its zeros."""
    folded = fold(value)
    known = set(folded.split()) <= words or folded in words
    return not value or known or value.lstrip("0") in {word.lstrip("0") for word in words}


_OWN = frozenset({"restricted", "full_name", "person_id_legacy"})
"""Columns of the pack that say nothing beside the others, or that a badge says."""


def name_difference(role: str, left: Person, right: Person) -> str:
    """How two values differ, in words; empty where only the comparison's own finding says it."""
    one, other = left.text(role), right.text(role)
    if role in _DATES:
        return _of_dates(one, other)
    if role == "sex" and "U" in {one, other}:
        return "not known on one record"
    if role == "postcode":
        for this, that in ((one, right), (other, left)):
            if fold(this) in {fold(code) for code in that.text("previous_postcodes").split(", ")}:
                return "an earlier postcode of the other record"
    if role in _NUMBERS or role == "postcode":
        return _of_signs(one, other, "digit" if role in {"nhs_number", "phone"} else "sign") or "differs"
    if role in {"forename", "surname", "middle_name", "street"}:
        return _of_names(role, left, right)
    if role in {"previous_surnames", "previous_postcodes"}:
        common = {fold(v) for v in one.split(", ")} & {fold(v) for v in other.split(", ")}
        return "some in common" if common else "none in common"
    return ""


def _of_dates(one: str, other: str) -> str:
    try:
        a, b = dt.date.fromisoformat(one[:10]), dt.date.fromisoformat(other[:10])
    except ValueError:
        return "differs"
    if (a.year, a.month, a.day) == (b.year, b.day, b.month):
        return "day and month swapped"
    slip = _of_signs(a.isoformat().replace("-", ""), b.isoformat().replace("-", ""), "digit")
    far = _far(abs((a - b).days))
    if slip:
        return f"{slip} ({far})"
    return f"same day and month, {far}" if (a.month, a.day) == (b.month, b.day) else far


def _far(days: int) -> str:
    """How far two days are apart, as people say it."""
    if days <= 60:
        return f"{days} {'day' if days == 1 else 'days'} apart"
    if days < 365:
        return f"{days // 30} months apart"
    years = round(days / 365.25)
    return f"{years} {'year' if years == 1 else 'years'} apart"


def _of_signs(one: str, other: str, unit: str) -> str:
    a, b = (re.sub(r"\W", "", text).casefold() for text in (one, other))
    if len(a) == len(b):
        apart = [place for place, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
        if len(apart) == 1:
            return f"one {unit} differs"
        if (
            len(apart) == 2
            and apart[1] == apart[0] + 1
            and a[apart[0]] == b[apart[1]]
            and a[apart[1]] == b[apart[0]]
        ):
            return f"two neighbouring {unit}s swapped"
    if abs(len(a) - len(b)) == 1 and _one_more(min(a, b, key=len), max(a, b, key=len)):
        return f"one {unit} missing"
    return ""


def _one_more(short: str, long: str) -> bool:
    return any(long[:place] + long[place + 1 :] == short for place in range(len(long)))


def _of_names(role: str, left: Person, right: Person) -> str:
    one, other = left.text(role), right.text(role)
    pairs = {"surname": "previous_surnames"}
    earlier = pairs.get(role, "")
    for this, that in ((left, right), (right, left)):
        if earlier and fold(this.text(role)) in {fold(v) for v in that.text(earlier).split(", ")}:
            return "earlier last name of the other record"
    if (
        role == "surname"
        and fold(one) == fold(right.text("forename"))
        and fold(other) == fold(left.text("forename"))
    ):
        return "first and last name swapped"
    slip = _of_signs(one, other, "letter")
    if slip:
        return slip
    a, b = set(fold(one).split()), set(fold(other).split())
    if a & b:
        return "one part agrees"
    if {len(fold(one)), len(fold(other))} & {1} and fold(one)[:1] == fold(other)[:1]:
        return "an initial agrees"
    return ""


@dataclass(frozen=True)
class Piece:
    """A run of characters of a value, and whether the other value has something else there."""

    text: str
    differs: bool


def pieces(one: str, other: str) -> tuple[list[Piece], list[Piece]]:
    """Two values aligned, letter by letter: what is in both, and what is not. Of values that have little in common
    no letters are matched: that would only distract. Capitals make no difference."""
    found = difflib.SequenceMatcher(None, _small(one), _small(other), autojunk=False)
    if len(one) * len(other) > _LONG or found.ratio() < _ALIKE:
        return [Piece(one, differs=True)] if one else [], [Piece(other, differs=True)] if other else []
    left, right = list[Piece](), list[Piece]()
    for tag, i1, i2, j1, j2 in found.get_opcodes():
        if i2 > i1:
            left.append(Piece(one[i1:i2], tag != "equal"))
        if j2 > j1:
            right.append(Piece(other[j1:j2], tag != "equal"))
    return left, right


def _small(value: str) -> str:
    """In small letters, as many as there were."""
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in value)


def sentence(lines: Sequence[Line]) -> str:
    """One sentence why the two may be one person."""
    main = [line for line in lines if not line.role.startswith("field:")]
    same = [_low(line.label) for line in main if line.kind == "agrees"]
    apart = [told(line, _low(line.label)) for line in main if line.kind == "differs"]
    lonely = [_low(line.label) for line in main if line.kind == "one_side"]
    parts = [f"Same {_listed(same)}" if same else "Nothing agrees word for word"]
    parts += [f"differences: {'; '.join(apart)}"] if apart else ["nothing that both have differs"]
    parts += [f"only on one record: {_listed(lonely)}"] if lonely else []
    return ". ".join(part[0].upper() + part[1:] for part in parts) + "."


def told(line: Line, label: str) -> str:
    """A difference in few words: what differs, and how where there is more to say than that."""
    return label if line.words == "differs" else f"{label}: {line.words}"


def _low(label: str) -> str:
    return label if label[:2].isupper() or label.startswith("National") else label[0].lower() + label[1:]


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def doubts(pair: PairEvidence, left: Person, right: Person) -> list[str]:
    """Reasons to doubt that the two are one person; one sentence at least."""
    found = [*_of_birth(left, right), *_on_file(left, right), *_of_values(left, right), *_of_death(left, right)]
    if pair.conflict:
        found.insert(0, "Earlier decisions contradict one another here: the group page says who decided what.")
    if pair.guard:
        found.append("Linkage itself kept the two apart: something in their group speaks against it.")
    if not pair.proposed:
        found.append(
            "Linkage did not put this pair forward: somebody asked for it, and a second person decides too."
        )
    return found or [NOTHING_FOUND]


def _of_birth(left: Person, right: Person) -> list[str]:
    forenames = [fold(person.text("forename")).split(" ")[0] for person in (left, right)]
    surname = fold(left.text("surname")) and fold(left.text("surname")) == fold(right.text("surname"))
    try:
        born = [dt.date.fromisoformat(person.text("birth_date")[:10]) for person in (left, right)]
    except ValueError:
        return []
    apart = abs((born[0] - born[1]).days)
    found = []
    if surname and apart <= 1 and all(forenames) and forenames[0] != forenames[1]:
        found.append("Twin pattern: same last name and birth date, another first name.")
    sexes = {person.text("sex") for person in (left, right)}
    if apart <= 1 and {"M", "F"} <= sexes:
        found.append("Born on one day, and the sex differs: twins may be meant.")
    if surname and forenames[0] and forenames[0] == forenames[1] and apart > 14 * 365:
        found.append("Same name a generation apart: parent and child may share it.")
    return found


def _on_file(left: Person, right: Person) -> list[str]:
    """What the register itself says of the two: somebody once knew them as two people."""
    told = [
        kin.what for person, other in ((left, right), (right, left)) for kin in person.kin if kin.id == other.id
    ]
    related = [what for what in told if what != "same address"]
    if related:
        return [f"On file as two people: the one is recorded as the other's {related[0].removeprefix('has as ')}."]
    differ = fold(left.text("birth_date")) != fold(right.text("birth_date"))
    return (
        ["Two records at one address with different birth dates: members of one household."]
        if told and differ
        else []
    )


def _of_values(left: Person, right: Person) -> list[str]:
    found = []
    numbers = [person.text("nhs_number") for person in (left, right)]
    if all(numbers) and numbers[0] != numbers[1] and all(valid_nhs_number(number) for number in numbers):
        found.append("Two different NHS numbers, both valid: each is one person's.")
    for person in (left, right):
        names = {*fold(person.text("forename")).split(), *fold(person.text("middle_name")).split()}
        if names & _TEMPORARY:
            found.append("A temporary name, as newborns have: it says nothing about who it is.")
            break
    defaults = [person.text("birth_date")[5:10] == "01-01" for person in (left, right)]
    if any(defaults):
        found.append("1 January as birth date: often entered where the day is not known.")
    return found


def _of_death(left: Person, right: Person) -> list[str]:
    for dead, other in ((left, right), (right, left)):
        day = (dead.text("death_date") or dead.fields.get("date_of_death", ""))[:10]
        if day and other.latest > day and not other.fields.get("date_of_death"):
            return [f"One record says that the person died on {day}; the other was worked on after that."]
    return []


def valid_nhs_number(text: str) -> bool:
    """Whether ten digits are an NHS number: modulus 11 (NHS Data Dictionary)."""
    digits = re.sub(r"\D", "", text)
    if len(digits) != 10:
        return False
    check = 11 - sum(int(digit) * (10 - place) for place, digit in enumerate(digits[:9])) % 11
    return check % 11 == int(digits[9]) and check != 10
