"""A pair on one page: what differs first, what speaks against it, who belongs to whom, and the verdict."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from casebridge.dedupe.quality.checks import Checks
from casebridge.dedupe.review.desk_words import Form, Open
from casebridge.dedupe.review.evidence_file import Held, Person
from casebridge.dedupe.review.kind_words import name_of, reasons_to_doubt, words_of
from casebridge.dedupe.review.masking import SENSITIVE, mask
from casebridge.dedupe.review.merge_words import advice, read_notes
from casebridge.dedupe.review.verdicts import OPEN, Opinion, Place
from casebridge.dedupe.review.words import Line, Piece, compare, pieces, sentence
from casebridge.migrate.web.pages.queue import after, score
from casebridge.migrate.web.visit import Visit, as_query, wanted

KEYS: Mapping[Opinion, str] = {
    Opinion.SAME: "s", Opinion.DIFFERENT: "d", Opinion.RELATED: "r", Opinion.CANNOT_TELL: "c",
    Opinion.ESCALATE: "e",
}  # fmt: skip
SIDES = ("A", "B")
_NOTHING_TYPED = {"verdict": "", "code": "", "reason": ""}
_FIRST = ("names", "addresses", "involvements", "telephones")


@dataclass(frozen=True)
class Cell:
    """One value of one record: its letters, those that differ marked. `hidden`: masked, and may be asked for."""

    role: str
    side: str
    letters: Sequence[Piece]
    hidden: bool


@dataclass(frozen=True)
class Relative:
    """Somebody who belongs to a record, as far as the viewer may know."""

    name: str
    born: str
    what: str
    other_side: bool


@dataclass(frozen=True)
class Side:
    """All that is shown of one record beside the comparison; with each table, whether values of it are hidden."""

    letter: str
    person: Person
    name: str
    key: str
    family: Sequence[Relative]
    held: Sequence[tuple[Held, bool]]


def show(visit: Visit, revealed: str = "") -> Response:
    """The page of a pair. Looking claims nothing and leaves nothing behind but that somebody looked."""
    one = visit.desk.find(visit.me.viewer, visit.item())
    if one is None:
        return visit.nothing()
    if Checks(visit.desk).blind(visit.me.viewer, [one]):
        return to_check(visit, one)
    visit.noted("view", item=one.pair.item)
    acts = visit.desk.acts(one.pair.item)
    fresh: dict[str, Any] = {
        "seen": acts[-1].number if acts else 0,
        "key": secrets.token_urlsafe(24),
        "opened": int(time.time()),
    }
    words: dict[str, Any] = {
        "query": as_query(wanted(visit.query)),
        "after": after(visit),
        "typed": _NOTHING_TYPED,
        "error": "",
    }
    return _page(visit, one, revealed, **fresh, **words)


CHECK = "check"
"""The lane of blind checks, as forms name it."""


def show_blind(visit: Visit, one: Open, *, key: str, opened: int, wrong: str = "", revealed: str = "") -> Response:
    """The page of a pair for somebody who checks it: nothing of what was said or decided of it is shown."""
    pair = replace(one.pair, changed="", conflict=False, group=())
    blind = Open(pair, OPEN, visit.me.login)
    typed = {name: visit.form.get(name, "") for name in _NOTHING_TYPED}
    return _page(visit, blind, revealed, status=422 if wrong else 200, seen=0, key=key, opened=opened, after=None,
                 query={"lane": CHECK}, typed=typed, error=wrong)  # fmt: skip


def _page(visit: Visit, one: Open, revealed: str, *, status: int = 200, **values: Any) -> Response:
    left, right = _people(visit, one)
    lines = compare(left, right, one.pair.levels)
    mine = one.standing.said_by(visit.me.login)
    decidable = one.standing.place not in {Place.HELD, Place.DONE}
    notes, said = read_notes(visit.desk.evidence().fact("merge")), words_of(one.pair.kind)
    return visit.page(
        "pair.html", status=status, title="Error: Pair" if status >= 400 else "Pair", one=one, pair=one.pair,
        sentence=sentence(lines), doubts=reasons_to_doubt(one.pair, left, right), rows=_rows(lines, revealed),
        sides=_sides(visit, left, right, revealed), holding=one.holder == visit.me.login,
        advice=advice(notes, one.pair, left, right),
        busy=one.holder not in {"", visit.me.login}, mine=mine, decidable=decidable,
        opinions=[(o, KEYS[o], said.reasons[o]) for o in Opinion], places=Place, said=said,
        revealed_table=revealed.removeprefix("held-"),
        revealed_role=revealed.partition(":")[0],
        score=score(one.pair) if mine or not decidable else "",
        action=f"/checks/{one.pair.item}" if values["query"].get("lane") else f"/pair/{one.pair.item}/verdict",
        **values,
    )  # fmt: skip


def _people(visit: Visit, one: Open) -> tuple[Person, Person]:
    people = visit.desk.sight(visit.me.viewer).people([one.pair.left_id, one.pair.right_id])
    return people[one.pair.left_id], people[one.pair.right_id]


def _rows(lines: Sequence[Line], revealed: str) -> list[tuple[Line, Cell, Cell]]:
    return [(line, *_cells(line, revealed)) for line in lines]


def _cells(line: Line, revealed: str) -> tuple[Cell, Cell]:
    """Both values of a line. Of masked values only the shape is shown, unless this one was asked for."""
    letters = pieces(line.left, line.right) if line.kind == "differs" else _whole(line)
    made = []
    for side, own in zip(SIDES, letters, strict=True):
        hidden = line.masked and revealed != f"{line.role}:{side}" and bool(own)
        shown = [Piece(mask(piece.text), piece.differs) for piece in own] if hidden else own
        made.append(Cell(line.role, side, shown, hidden))
    return made[0], made[1]


def _whole(line: Line) -> tuple[list[Piece], list[Piece]]:
    left, right = ([Piece(text, differs=False)] if text else [] for text in (line.left, line.right))
    return left, right


def _sides(visit: Visit, left: Person, right: Person, revealed: str) -> list[Side]:
    ids = [kin.id for person in (left, right) for kin in person.kin]
    known = visit.desk.sight(visit.me.viewer).people(ids) if ids else {}
    found = []
    for letter, person, other in zip(SIDES, (left, right), (right, left), strict=True):
        family = [
            Relative(name_of(known[kin.id]), known[kin.id].text("birth_date"), kin.what, kin.id == other.id)
            for kin in person.kin if kin.id in known
        ]  # fmt: skip
        held = sorted(person.held, key=lambda item: (item.table not in _FIRST, item.table))
        open_now = {item.table for item in held if revealed == f"held-{item.table}:{letter}"}
        shown = [(item if item.table in open_now else _masked(item), _hides(item) and item.table not in open_now)
                 for item in held]  # fmt: skip
        found.append(Side(letter, person, name_of(person), person.id, family, shown))
    return found


def _hides(held: Held) -> bool:
    return any(SENSITIVE.search(name) for row in held.rows for name in row)


def _masked(held: Held) -> Held:
    rows = [{name: mask(text) if SENSITIVE.search(name) else text for name, text in row.items()}
            for row in held.rows]  # fmt: skip
    return Held(held.table, held.count, held.latest, tuple(rows))


def to_check(visit: Visit, one: Open) -> Response:
    """To the check of a pair of which somebody must not see what was decided: his own, or where he takes one."""
    return visit.to(f"/checks/{one.pair.item}" if one.holder == visit.me.login else "/checks")


def reveal(visit: Visit) -> Response:
    """Show one masked value, once; that it was asked for is on record before it is shown."""
    one = visit.desk.find(visit.me.viewer, visit.item())
    role, side = visit.form.get("role", ""), visit.form.get("side", "")
    if one is None or side not in SIDES:
        return visit.nothing()
    left, right = _people(visit, one)
    lines = {line.role: line for line in compare(left, right, one.pair.levels)}
    tables = {f"held-{held.table}" for person in (left, right) for held in person.held}
    if role not in lines and role not in tables:
        return visit.nothing()
    purpose = "check" if visit.form.get("lane") == CHECK else "verdict"
    visit.noted("reveal", item=one.pair.item, role=role, side=side, purpose=purpose)
    if visit.fragment and role in lines:
        cell = _cells(lines[role], f"{role}:{side}")[SIDES.index(side)]
        return visit.page("cell.html", cell=cell, item=one.pair.item, query=as_query(wanted(visit.form)))
    if visit.form.get("lane") == CHECK:
        return show_blind(visit, one, key=secrets.token_urlsafe(24), opened=int(time.time()),
                          revealed=f"{role}:{side}")  # fmt: skip
    return show(visit, f"{role}:{side}")


def take(visit: Visit) -> Response:
    """Claim this pair."""
    filters = as_query(wanted(visit.form))
    if visit.desk.find(visit.me.viewer, visit.item()) is None:
        return visit.nothing()
    visit.desk.claim(visit.me.viewer, visit.item())
    return visit.to(f"/pair/{visit.item()}", **filters)


def give_back(visit: Visit) -> Response:
    """Put this pair back, undecided."""
    visit.desk.claims.give_back(visit.item(), visit.me.login)
    return visit.to("/queue", **as_query(wanted(visit.form)))


def say(visit: Visit) -> Response:
    """Take a verdict, and on to the next pair."""
    pair = visit.desk.seen(visit.me.viewer, visit.item())
    if pair is None:
        return visit.nothing()
    form, wrong = read_form(visit, pair.kind)
    if form is None:
        one = visit.desk.find(visit.me.viewer, visit.item())
        return _again(visit, one, wrong) if one is not None else visit.nothing()
    filters = wanted(visit.form)
    visit.desk.say(visit.me.viewer, form)
    following = visit.desk.take_next(visit.me.viewer, filters)
    where = f"/pair/{following}" if following else "/queue"
    return visit.to(where, **as_query(filters), after=form.item)


def read_form(visit: Visit, kind: str) -> tuple[Form | None, str]:
    """The verdict that a form holds on a pair of a kind, or what is missing in it."""
    fields = visit.form
    verdict = next((opinion for opinion in Opinion if opinion == fields.get("verdict", "")), None)
    if verdict is None:
        return None, "Choose a verdict."
    code = fields.get("code", "")
    if code not in {"", *words_of(kind).reasons[verdict]}:
        code = ""
    needs = verdict not in {Opinion.SAME, Opinion.DIFFERENT}
    if needs and not code:
        return None, f"Choose a reason for “{verdict}”."
    seen, opened = (_number(fields.get(name, "")) for name in ("seen", "opened"))
    seconds = min(max(int(time.time()) - opened, 0), 24 * 3600) if opened else 0
    reason = " ".join(fields.get("reason", "").split())[:900]
    return Form(visit.item(), verdict, code, reason, fields.get("evidence", ""), seen, fields.get("key", "")[:64],
                seconds), ""  # fmt: skip


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0


def _again(visit: Visit, one: Open, wrong: str) -> Response:
    """The same page with what is wrong, and with what was typed."""
    fields = visit.form
    return _page(visit, one, "", status=422, query=as_query(wanted(fields)), after=None, error=wrong,
                 typed={name: fields.get(name, "") for name in ("verdict", "code", "reason")},
                 seen=_number(fields.get("seen", "")), key=fields.get("key", "")[:64],
                 opened=_number(fields.get("opened", "")))  # fmt: skip


def take_back(visit: Visit) -> Response:
    """Withdraw one's own verdict, and look at the pair again."""
    if visit.desk.find(visit.me.viewer, visit.item()) is None:
        return visit.nothing()
    visit.desk.take_back(visit.me.viewer, visit.item())
    visit.desk.claim(visit.me.viewer, visit.item())
    return visit.to(f"/pair/{visit.item()}", **as_query(wanted(visit.form)), after=visit.item())


def reopen(visit: Visit) -> Response:
    """What the pair waited for has come."""
    if visit.desk.find(visit.me.viewer, visit.item()) is None:
        return visit.nothing()
    visit.desk.reopen(visit.me.viewer, visit.item(), " ".join(visit.form.get("reason", "").split())[:900])
    return visit.to(f"/pair/{visit.item()}")
