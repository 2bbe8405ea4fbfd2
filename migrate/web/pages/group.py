"""A group of three records or more: who is like whom, the weakest link, who decided what, putting one aside."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from casebridge.dedupe.quality.checks import Checks
from casebridge.dedupe.review.desk_figures import decided_within
from casebridge.dedupe.review.desk_words import Form, Open
from casebridge.dedupe.review.evidence_file import Person
from casebridge.dedupe.review.kind_words import name_of, words_of
from casebridge.dedupe.review.merge_rules import Outcome, strictest
from casebridge.dedupe.review.verdicts import Opinion, Place
from casebridge.dedupe.review.words import compare
from casebridge.migrate.web.visit import Visit

LARGEST = 26
"""Records of a group that are shown, each under a letter."""


@dataclass(frozen=True)
class Link:
    """What is known of two members: the pair and where it stands, how it looks, whether it is the weakest."""

    one: Open
    words: str
    weakest: bool


@dataclass(frozen=True)
class Member:
    """A record of the group under its letter, with its link to each other one (None: not a candidate pair)."""

    letter: str
    person: Person
    links: Mapping[str, Link | None]


def show(visit: Visit) -> Response:
    """The group that a pair is in."""
    one = visit.desk.find(visit.me.viewer, visit.item())
    members = _members(visit, one) if one else []
    if one is None or len(members) < 3:
        return visit.nothing()
    visit.noted("view group", item=one.pair.item)
    said = decided_within(visit.desk, [member.person.id for member in members]) if one.pair.conflict else []
    letters = {member.person.id: member.letter for member in members}
    links = (link.one for member in members for link in member.links.values() if link)
    blind = Checks(visit.desk).blind(visit.me.viewer, links) if said else set()
    told = [(letters[d.left_id], str(d.verdict), letters[d.right_id], d.reviewer) for d in said
            if (d.left_id, d.right_id) not in blind]  # fmt: skip
    return visit.page("group.html", title="Group", one=one, members=members, told=told, size=len(one.pair.group),
                      outcome=_outcome(members), said=words_of(one.pair.kind), name_of=name_of)  # fmt: skip


def _outcome(members: Sequence[Member]) -> str:
    """What can be done about the group: the strictest of its pairs; empty where nobody has looked."""
    links = (link for member in members for link in member.links.values() if link)
    said = [Outcome(text) for link in links if (text := link.one.pair.preflight)]
    return str(strictest(said)) if said else ""


def _members(visit: Visit, one: Open) -> list[Member]:
    ids = one.pair.group[:LARGEST]
    sight = visit.desk.sight(visit.me.viewer)
    people = sight.people(list(ids))
    pairs = {frozenset((p.left_id, p.right_id)): p for p in sight.between(list(ids))}
    found = {both: visit.desk.find(visit.me.viewer, pair.item) for both, pair in pairs.items()}
    weakest = min((pair.weight for pair in pairs.values()), default=0.0)
    letters = {item: chr(65 + place) for place, item in enumerate(item for item in ids if item in people)}
    made = []
    for item, letter in letters.items():
        links: dict[str, Link | None] = {}
        for other, its in letters.items():
            there = found.get(frozenset((item, other)))
            if other != item:
                links[its] = _link(there, people[item], people[other], weakest) if there else None
        made.append(Member(letter, people[item], links))
    return made


def _link(there: Open, one: Person, other: Person, weakest: float) -> Link:
    lines = compare(one, other, there.pair.levels)
    apart = [line.label for line in lines if line.kind == "differs" and not line.role.startswith("field:")]
    words = f"differs: {', '.join(apart)}" if apart else "nothing differs"
    return Link(there, words, there.pair.weight == weakest)


def put_aside(visit: Visit) -> Response:
    """Say *different* of one record and each other one of the group, where that is still open."""
    one = visit.desk.find(visit.me.viewer, visit.item())
    letter = visit.form.get("letter", "")
    member = next((m for m in _members(visit, one) if m.letter == letter), None) if one else None
    if one is None or member is None:
        return visit.nothing()
    done = skipped = 0
    for link in member.links.values():
        if link is None or link.one.standing.place not in {Place.OPEN, Place.SECOND}:
            continue
        if not visit.desk.claim(visit.me.viewer, link.one.pair.item):
            skipped += 1
            continue
        acts = visit.desk.acts(link.one.pair.item)
        reason = " ".join(visit.form.get("reason", "").split())[:900] or "put aside from its group"
        form = Form(link.one.pair.item, Opinion.DIFFERENT, "", reason, link.one.pair.evidence,
                    acts[-1].number if acts else 0, secrets.token_urlsafe(24))  # fmt: skip
        visit.desk.say(visit.me.viewer, form)
        done += 1
    return visit.to(f"/group/{one.pair.item}", done=str(done), skipped=str(skipped))
