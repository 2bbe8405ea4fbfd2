"""The queue: what waits, what of it one wants to see, and how the work goes."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from casebridge.dedupe.review.desk_figures import said_by_day, seconds_of
from casebridge.dedupe.review.desk_words import Open, Refused
from casebridge.dedupe.review.evidence_file import PairEvidence, Person
from casebridge.dedupe.review.kind_words import words_of
from casebridge.dedupe.review.merge_rules import SAID, Outcome
from casebridge.dedupe.review.merge_words import read_notes
from casebridge.dedupe.review.verdicts import SETTLING, Act, Opinion, Place
from casebridge.dedupe.review.words import compare_roles, told
from casebridge.migrate.web.visit import Visit, as_query, today, wanted

SHOWN = 40
RELATIONS: Mapping[str, str] = {
    "same": "one and the same", "twin_or_sibling": "twins or siblings", "household": "one household",
    "relative": "relatives", "branch": "branches of one body", "unit": "units of one body",
    "building": "one building", "street": "one street", "chance": "chance",
}  # fmt: skip
"""What linkage takes two records for, of any kind of register."""
ONLY = ("conflict", "group", "two people")
PLACES = (Place.OPEN, Place.SECOND, Place.PARKED, Place.ESCALATED, Place.HELD, Place.DONE)


@dataclass(frozen=True)
class Row:
    """A line of the queue: where the pair is, and in words what speaks for it and against it."""

    one: Open
    agrees: str
    differs: str
    mine: bool


def show(visit: Visit) -> Response:
    """The queue, most valuable first."""
    me, filters = visit.me.viewer, wanted(visit.query)
    queue = visit.desk.view(me).queue(filters, SHOWN, visit.desk.claims.holders())
    ids = {record for one in queue.first for record in (one.pair.left_id, one.pair.right_id)}
    people = visit.desk.sight(me).people(sorted(ids))
    rows = [_row(visit, one, people) for one in queue.first]
    visit.noted("list", shown=len(rows))
    looks = {name: says for name, says in RELATIONS.items() if name in queue.relations}
    return visit.page(
        "queue.html", title="Queue", rows=rows, found=queue.found, counts=[(p, queue.counts[p]) for p in PLACES],
        filters=filters, query=as_query(filters), teams=queue.teams, relations=looks,
        outcomes=[str(says) for says in _outcomes(visit)] if queue.preflight else [],
        only=(*ONLY, *(["restricted"] if me.clearance else [])), after=after(visit), pace=pace(visit, queue.found),
        daily=me.daily,
    )  # fmt: skip


def _outcomes(visit: Visit) -> Sequence[Outcome]:
    """What pre-flight can say of these pairs."""
    notes = read_notes(visit.desk.evidence().fact("merge"))
    return notes.outcomes if notes else SAID


def _row(visit: Visit, one: Open, people: Mapping[str, Person]) -> Row:
    pair = one.pair
    lines = compare_roles(people[pair.left_id], people[pair.right_id], pair.levels)
    same = ", ".join(line.label for line in lines if line.kind == "agrees")
    apart = "; ".join(told(line, line.label) for line in lines if line.kind == "differs")
    return Row(
        one, same or "nothing word for word", apart or "nothing that both have", one.holder == visit.me.login
    )


def take(visit: Visit) -> Response:
    """Claim the next free pair and go there."""
    filters = wanted(visit.form)
    if visit.desk.day_is_done(visit.me.viewer):
        raise Refused(f"your {visit.me.daily} pairs for today are done", hint="more are yours tomorrow")
    item = visit.desk.take_next(visit.me.viewer, filters)
    if item is None:
        return visit.to("/queue", **as_query(filters), empty="yes")
    return visit.to(f"/pair/{item}", **as_query(filters))


@dataclass(frozen=True)
class After:
    """What to say when a verdict was taken: the pair, what was said, where it stands, what linkage thinks; and of
    a pair that was made up, its answer."""

    item: str
    said: str
    place: str
    p: str
    taken_back: bool = False
    known: str = ""


def after(visit: Visit) -> After | None:
    """The last verdict of this person on the pair that the address names, with the score that was hidden till
    then."""
    one = visit.desk.find(visit.me.viewer, visit.query.get("after", "")[:32])
    if one is None:
        return None
    mine = [act for act in visit.desk.acts(one.pair.item) if act.login == visit.me.login]
    if not mine or mine[-1].act not in {Act.VERDICT, Act.WITHDRAWN}:
        return None
    last = mine[-1]
    withdrawn = last.act is Act.WITHDRAWN
    told = "" if withdrawn else answer(one.pair, last.verdict)
    return After(one.pair.item, last.verdict, str(one.standing.place), score(one.pair), withdrawn, told)


def answer(pair: PairEvidence, said: str) -> str:
    """Of a pair that was made up: that it was, what it was, and whether he saw it. Empty for all others."""
    if not pair.known:
        return ""
    right = (said == Opinion.SAME) == (pair.known == "same")
    sure = said in SETTLING
    judged = ("You saw it." if right else "You said otherwise: look at such pairs twice.") if sure else ""
    return f"This pair was made up, to keep eyes open, and decides nothing: {pair.known_why}. {judged}".strip()


def score(pair: PairEvidence) -> str:
    """What linkage thinks, in words."""
    if not pair.proposed:
        return "Linkage had not put this pair forward."
    share = "99 or more" if pair.p >= 0.99 else str(round(100 * pair.p))
    one = words_of(pair.kind).one
    return f"Linkage gives {share} in 100 that they are one {one} (weight {pair.weight:+.0f} bits)."


@dataclass(frozen=True)
class Pace:
    """How the work goes today: verdicts of mine, seconds each (median; None while there are few), and the hours
    left at that pace."""

    today: int
    seconds: int | None
    hours: float | None


def pace(visit: Visit, left: int) -> Pace:
    """Mine, today. For the reviewer, not against him: nobody else is shown it."""
    day = today().isoformat()
    mine = seconds_of(visit.desk, visit.me.login, day)
    used = [seconds for seconds in mine if 0 < seconds <= 300]  # five minutes away from a page are no work on it
    typical = round(statistics.median(used)) if len(used) >= 3 else None
    return Pace(len(mine), typical, round(left * typical / 3600, 1) if typical else None)


def progress(visit: Visit) -> Response:
    """How far the review has come, as far as this role may see."""
    counts = visit.desk.view(visit.me.viewer).counts(known=False)
    said = said_by_day(visit.desk, visit.me.clearance)
    return visit.page("progress.html", title="Progress", counts=[(place, counts[place]) for place in PLACES],
                      open=counts.total() - counts[Place.DONE], days=said)  # fmt: skip
