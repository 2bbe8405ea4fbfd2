"""The merged person on a page: whose record stays, which values, what moves; and a reviewer's own choice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from casebridge.dedupe.quality.checks import Checks
from casebridge.dedupe.review.kind_words import words_of
from casebridge.dedupe.review.masking import SENSITIVE, mask
from casebridge.dedupe.review.merge_preview import FieldPreview, MergePreview
from casebridge.dedupe.review.merge_words import advice, read_notes
from casebridge.dedupe.review.merging import MergePage, choose, merge_page
from casebridge.dedupe.review.value_rules import SURVIVOR
from casebridge.migrate.web.pages.pair import to_check
from casebridge.migrate.web.visit import Visit

_OF_THE_RECORD = re.compile("created|updated|amended")


@dataclass(frozen=True)
class Line:
    """A field as it is shown: its name, each record's value by letter, whose is kept, why, where the others stay,
    and what it is chosen by (empty: nobody may)."""

    label: str
    field: str
    values: Sequence[tuple[str, str]]
    kept: str
    value: str
    why: str
    others: str
    chosen: str


def show(visit: Visit) -> Response:
    """The page. Looking claims nothing."""
    page = merge_page(visit.desk, visit.me.viewer, visit.item())
    if page is None:
        return visit.nothing()
    if Checks(visit.desk).blind(visit.me.viewer, [page.one]):
        return to_check(visit, page.one)
    visit.noted("view", item=page.one.pair.item, page="merge")
    if page.blind:
        return visit.page("message.html", title="Your own verdict first", error=False, text=_BLIND)
    letters = _letters(page)
    lines = [_line(one, letters) for one in page.preview.fields]
    told = advice(read_notes(visit.desk.evidence().fact("merge")), page.one.pair, *page.people[:2])
    return visit.page(
        "survivorship.html", title="Survivorship", page=page, pair=page.one.pair, preview=page.preview,
        letters=letters, survivor=letters[page.preview.survivor], advice=told, mine=SURVIVOR,
        chosen_survivor=page.preview.survivor_why.startswith("chosen"),
        differ=_one_a_choice([line for line in lines if _differs(line)]),
        same=[line for line in lines if not _differs(line)],
        saved=visit.query.get("saved") == "yes", said=words_of(page.one.pair.kind),
    )  # fmt: skip


_BLIND = "Somebody has said something of this pair. You see the merged person when you have said what you think."


def _letters(page: MergePage) -> dict[str, str]:
    """A to Z, then A2 to Z2, and so on."""
    return {
        item: chr(65 + place % 26) + (str(place // 26 + 1) if place > 25 else "")
        for place, item in enumerate(page.preview.ids)
    }


def _line(one: FieldPreview, letters: Mapping[str, str]) -> Line:
    label = one.column.removesuffix("_id").removesuffix("_code").replace("_", " ").capitalize()
    values = [(letter, _shown(one.column, one.values.get(item, ""))) for item, letter in letters.items()]
    kept = letters[one.kept_id]
    chosen = kept if one.chosen_by else ""
    return Line(label, one.field, values, kept, _shown(one.column, one.value), one.why, one.others, chosen)


def _shown(column: str, value: str) -> str:
    return mask(value) if SENSITIVE.search(column) else value


def _differs(line: Line) -> bool:
    """Whether a reviewer is asked: when a record was keyed in is about the record, not the person."""
    return bool(line.others) and not _OF_THE_RECORD.search(line.label.casefold())


def _one_a_choice(lines: Sequence[Line]) -> list[tuple[Line, bool]]:
    """Each line, and whether the choice of its field stands beside it: with the first of those chosen together."""
    seen = set[str]()
    found = []
    for line in lines:
        found.append((line, bool(line.field) and line.field not in seen))
        seen.add(line.field)
    return found


def save(visit: Visit) -> Response:
    """Take the choices of the form."""
    page = merge_page(visit.desk, visit.me.viewer, visit.item())
    if page is None:
        return visit.nothing()
    if Checks(visit.desk).blind(visit.me.viewer, [page.one]):
        return to_check(visit, page.one)
    wanted = _wanted(visit.form, page)
    seen = visit.form.get("seen", "")
    number = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 12 else -1
    reason = " ".join(visit.form.get("reason", "").split())[:900]
    choose(visit.desk, visit.me.viewer, visit.item(), wanted, reason, visit.form.get("evidence", ""), number)
    return visit.to(f"/pair/{visit.item()}/survivorship", saved="yes")


def _wanted(form: Mapping[str, str], page: MergePage) -> dict[str, str]:
    """Field to id, from the form's letters; what is no field of this page is left out."""
    by_letter = {letter: item for item, letter in _letters(page).items()}
    fields = {SURVIVOR, *_fields(page.preview)}
    found = {name.removeprefix("keep-"): value for name, value in form.items() if name.startswith("keep-")}
    return {name: by_letter.get(value, "") for name, value in found.items() if name in fields}


def _fields(preview: MergePreview) -> list[str]:
    return [one.field for one in preview.fields if one.field]
