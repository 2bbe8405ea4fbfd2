"""Comparing organisations: names with trading names and branches, addresses, phones, e-mail, numbers.

Starting beliefs stand in the order of the profiles of `kinds.organisation`: a body that stayed, one that moved,
two branches of one chain, two bodies of one building.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from casebridge.dedupe.linkage.comparisons.addresses import LEVELS as ADDRESS
from casebridge.dedupe.linkage.comparisons.addresses import address_comparison
from casebridge.dedupe.linkage.comparisons.codes import code_comparison, code_levels
from casebridge.dedupe.linkage.comparisons.equality import held_by_more, quick_equal, value_comparison
from casebridge.dedupe.linkage.comparisons.levels import (
    AGREES,
    SLIP,
    UNLIKE,
    Comparison,
    Level,
    Levels,
    believed,
    split_by_rareness,
)
from casebridge.dedupe.linkage.comparisons.namepairs import either_listed, rare_spelling
from casebridge.dedupe.linkage.comparisons.registry import PHONE_LEVELS, phone_comparison
from casebridge.dedupe.linkage.register.encoding import Register, ranked
from casebridge.dedupe.linkage.register.holders import holders
from casebridge.dedupe.linkage.register.mailboxes import everybodys, mail_domains
from casebridge.dedupe.linkage.register.organisation_names import BRANCH
from casebridge.dedupe.linkage.register.organisation_words import OrganisationWords, numbers_of, without_common
from casebridge.dedupe.linkage.register.pair_rows import PairSide
from casebridge.dedupe.linkage.register.similarity import Codes, edits, jaro_winkler, per_distinct_pair

CLOSE, ALIKE = 0.92, 0.8
ALSO, LONGER, NUMBERED_AS_TWO, ELSEWHERE = "also", "longer", "numbered", "elsewhere"
"""Tags of levels: two names may well be one body's, though they are not the same; one says more of what sort of
body it is; team 1 and team 2; a place that is not the other's."""


def level(
    label: str, stayed: float, branch: float, building: float, moved: float | None = None,
    unit: float | None = None, tag: str | None = None,
) -> Level:  # fmt: skip
    """A Level of organisations from its starting beliefs; moved and unit default to stayed."""
    moved, unit = (stayed if one is None else one for one in (moved, unit))
    return Level(label, (stayed, moved, branch, unit, building), tag=tag)


NAME_EXACT = level("same name", 0.66, 0.62, 0.01, unit=0.01)
(
    SAME_WORDS, OTHER_NAME, MORE, ONE_SLIP, SLIP_IN_USE, CLOSELY, SORT, NUMBERED, CHAIN, SOMEWHAT, DIFFERS,
) = range(11)  # fmt: skip
NAME_REST = (
    level(
        "the same words of a name in another order, joined, or as initials",
        0.04, 0.01, 0.001, unit=0.002, tag=ALSO,
    ),
    level("a trading or former name of one is a name of the other", 0.05, 0.01, 0.003, unit=0.002, tag=ALSO),
    level(
        "one name has all words of the other, and says what sort of body it is",
        0.10, 0.10, 0.004, unit=0.02, tag=LONGER,
    ),
    level("a word of the name one slip away, one spelling rare", 0.08, 0.01, 0.001, unit=0.002, tag=SLIP),
    level("a word of the name one slip away, both in use", 0.01, 0.01, 0.004, unit=0.004),
    level("name spelled closely", 0.02, 0.02, 0.005, unit=0.02),
    level("names of two sorts of body", 0.01, 0.06, 0.01, unit=0.20, tag=UNLIKE),
    level("names numbered as two", 0.001, 0.02, 0.01, unit=0.68, tag=NUMBERED_AS_TWO),
    level("some telling words of the name agree, others do not", 0.016, 0.12, 0.05, unit=0.05),
    level("name somewhat alike", 0.005, 0.01, 0.08, unit=0.005),
    level("name differs", 0.008, 0.01, 0.823, unit=0.005, tag=UNLIKE),
)  # fmt: skip
BRANCH_LEVELS = (
    level("same branch", 0.93, 0.02, 0.60),
    level("branch spelled closely", 0.05, 0.01, 0.02),
    level("another branch", 0.02, 0.97, 0.38, tag=UNLIKE),
)


def _as(
    levels: tuple[Level, ...], starts: Sequence[tuple[float, float, float, float]], **tags: Sequence[int]
) -> tuple[Level, ...]:
    """Levels about people as organisations have them; starts: stayed, moved, branch, building; tags: their
    places."""
    at = {place: tag for tag, places in tags.items() for place in places}
    return believed(levels, [(a, b, c, a, d) for a, b, c, d in starts], at)


PLACES = _as(
    ADDRESS,
    (
        (0.60, 0.01, 0.002, 0.55), (0.05, 0.01, 0.002, 0.10), (0.06, 0.002, 0.001, 0.05),
        (0.05, 0.002, 0.001, 0.02), (0.10, 0.01, 0.002, 0.08), (0.06, 0.03, 0.01, 0.10), (0.03, 0.03, 0.01, 0.03),
        (0.02, 0.005, 0.005, 0.01), (0.005, 0.08, 0.001, 0.005), (0.01, 0.08, 0.05, 0.01),
        (0.01, 0.20, 0.12, 0.01),
        (0.005, 0.541, 0.796, 0.035),
    ),
    agrees=(0, 1, 2, 3, 4), elsewhere=(9, 10, 11),
)  # fmt: skip
PHONES = _as(
    PHONE_LEVELS,
    ((0.72, 0.45, 0.20, 0.06), (0.03, 0.03, 0.20, 0.04), (0.03, 0.02, 0.01, 0.01), (0.22, 0.50, 0.59, 0.89)),
    agrees=(0,),
)  # fmt: skip
EMAIL_LEVELS = (
    level("same e-mail address", 0.62, 0.15, 0.04, moved=0.55, tag=AGREES),
    level("same e-mail address, one that many records hold", 0.02, 0.15, 0.02),
    level("another address of one domain that is not everybody's", 0.16, 0.35, 0.10),
    level("e-mail address spelled closely", 0.06, 0.005, 0.005),
    level("e-mail addresses differ", 0.14, 0.345, 0.835, moved=0.21),
)
SUPPLIER_LEVELS = (
    level("same supplier number", 0.55, 0.10, 0.005, tag=AGREES),
    level("same supplier number, one that many records hold", 0.03, 0.30, 0.02),
    level("supplier number one sign or one swap away", 0.03, 0.004, 0.003),
    level("supplier numbers differ", 0.39, 0.596, 0.972),
)
ODS = _as(
    code_levels("ODS code"),
    (
        (0.93, 0.93, 0.0005, 0.0005), (0.01, 0.01, 0.0005, 0.0005), (0.03, 0.03, 0.02, 0.01),
        (0.015, 0.015, 0.96, 0.97), (0.015, 0.015, 0.019, 0.019),
    ),
    agrees=(0,), slip=(2,), two=(3, 4),
)  # fmt: skip
MANY_HOLDERS = 3


def name_comparison(register: Register) -> list[Comparison]:
    """Names of organisations, and their branches where the register has any."""
    values, held = register.values["name"], holders(register, "name", "name")
    levels = (*split_by_rareness(NAME_EXACT, held.share, held.steps), *NAME_REST)
    base, null = len(levels) - len(NAME_REST), len(levels)
    words, rare = OrganisationWords.of(register), rare_spelling(held)
    others = register.lists.get("name")

    def judge(a: Codes, b: Codes) -> Levels:
        likely, seldom = jaro_winkler(values, a, b), rare(a, b)
        found = [
            judge_names(words, words.text[i], words.text[j], float(like), bool(few))
            for i, j, like, few in zip(a.tolist(), b.tolist(), likely.tolist(), seldom.tolist(), strict=True)
        ]
        return np.array(found, dtype=np.uint8) + np.uint8(base)

    def settle(left: PairSide, right: PairSide) -> Levels:
        found = per_distinct_pair(left.of("name"), right.of("name"), judge)
        if others is not None:
            also = either_listed(others, "name", left, right)
            found[also & (found != base + NUMBERED)] = base + OTHER_NAME
        return found

    opens = (tuple(range(base, null)),)
    names = Comparison("name", levels, quick_equal("name", held.steps, null), settle, opens)
    return [names, *_branches(register)]


def judge_names(
    words: OrganisationWords, a: tuple[str, ...], b: tuple[str, ...], likely: float = 0.0, rare: bool = True
) -> int:
    """Place in NAME_REST of two different names; likely: their Jaro-Winkler similarity; rare: one is hardly in
    use.

    | left                   | right                  | place      |
    |------------------------|------------------------|------------|
    | HOLLY BANK CARE HOME   | CARE HOME HOLLY BANK   | SAME_WORDS |
    | HOLLYBANK              | HOLLY BANK             | SAME_WORDS |
    | ROYAL NATIONAL BLIND   | RNB                    | SAME_WORDS |
    | HOLLY BANK             | HOLLY BANK CARE HOME   | MORE       |
    | HOLLY BANK CARE HOME   | HOLY BANK CARE HOME    | ONE_SLIP   |
    | HOLLY BANK CARE HOME   | HOLLY BANK DAY CENTRE  | SORT       |
    | HOLLY BANK             | HOLLY BANK 2           | CLOSELY    |
    | WARD 1                 | WARD 2                 | DIFFERS    |
    | TARNTON TEAM 1         | TARNTON TEAM 2         | NUMBERED   |
    | HC ONE HOLLY BANK      | HC ONE ROSEMOUNT       | CHAIN      |
    | HOLLY BANK CARE HOME   | OAKDENE CARE HOME      | DIFFERS    |
    """
    numbers = numbers_of(a), numbers_of(b)
    left, right, shared, slips = without_common(a, b)
    telling = [word for word in shared if word not in words.sorts]
    if all(numbers) and numbers[0] != numbers[1] and (telling or len(shared) > 1):
        return NUMBERED
    if "".join(a) == "".join(b) or (not left and not right and not slips) or _initials(a, b):
        return SAME_WORDS
    if not left and not right:
        return ONE_SLIP if rare else SLIP_IN_USE
    sorts = [not set(rest) - words.sorts - own for rest, own in zip((left, right), numbers, strict=True)]
    if telling and all(sorts):
        if numbers[0] != numbers[1]:
            return CLOSELY
        return SORT if left and right else (MORE if not slips else CLOSELY)
    if telling:
        return CLOSELY if left and right and likely >= CLOSE else CHAIN
    if likely >= CLOSE and not all(sorts):
        return CLOSELY
    return SOMEWHAT if likely >= ALIKE and not shared else DIFFERS


def _initials(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Whether one name is the first letters of the other's words, three at least."""
    for short, long in ((a, b), (b, a)):
        if len(short) == 1 and len(long) >= 3 and short[0] == "".join(word[0] for word in long):
            return True
    return False


def _branches(register: Register) -> list[Comparison]:
    """The branches that names tell: in brackets, or behind a dash or comma."""
    if not register.has(BRANCH):
        return []
    values = register.values[BRANCH]
    words = [tuple(branch.split()) for branch in values.all()]

    def judge(a: Codes, b: Codes) -> Levels:
        close = [same_branch(words[i], words[j]) for i, j in zip(a.tolist(), b.tolist(), strict=True)]
        return np.where(np.array(close, dtype=bool), np.uint8(1), np.uint8(2))

    return [value_comparison(BRANCH, BRANCH_LEVELS, np.zeros(len(values), np.uint8), judge, 1)]


def same_branch(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Whether two branches are one, spelled otherwise: each word is one of the other's, or a slip away; short
    words and numbers are as they are.

    >>> same_branch(("TARNTON", "ROAD"), ("TARTON", "ROAD")), same_branch(("HOLLY", "BANK"), ("HOLLYBANK",))
    (True, True)
    >>> same_branch(("FLOOR", "1"), ("FLOOR", "2")), same_branch(("EAST", "WING"), ("WEST", "WING"))
    (False, False)
    """
    left, right, _, _ = without_common(a, b)
    return "".join(a) == "".join(b) or not (left or right)


def place_comparison(register: Register) -> list[Comparison]:
    """Addresses, as people's are compared."""
    return address_comparison(register, PLACES)


def line_comparison(register: Register) -> list[Comparison]:
    """Phone numbers: branches share the number of the chain."""
    return phone_comparison(register, PHONES)


def mailbox_comparison(register: Register) -> list[Comparison]:
    """E-mail addresses, and domains that are one body's own."""
    values = register.values["email"]
    domain = np.where(everybodys(register), 0, ranked(mail_domains(values.text)))

    def judge(a: Codes, b: Codes) -> Levels:
        found = np.full(len(a), 4, dtype=np.uint8)
        found[edits(values, a, b, most=2) <= 2] = 3
        found[(domain[a] == domain[b]) & (domain[a] > 0)] = 2
        return found

    many = held_by_more(register, "email", MANY_HOLDERS)
    return [value_comparison("email", EMAIL_LEVELS, many, judge, 2, moves=True)]


def supplier_comparison(register: Register) -> list[Comparison]:
    """Supplier numbers: a chain has one for all its branches, and a body that was entered twice has two."""
    values = register.values["supplier_number"]

    def judge(a: Codes, b: Codes) -> Levels:
        return np.where(edits(values, a, b, most=1) <= 1, np.uint8(2), np.uint8(3))

    many = held_by_more(register, "supplier_number", MANY_HOLDERS)
    return [value_comparison("supplier_number", SUPPLIER_LEVELS, many, judge, 2, moves=True)]


def ods_comparison(register: Register) -> list[Comparison]:
    """Codes of the NHS Organisation Data Service, by their form: they have no check digit."""
    return code_comparison(register, "ods_code", ODS)
