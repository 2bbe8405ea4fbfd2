"""The merged person at the desk: its preview, and a reviewer's word on whose record and whose values stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from casebridge.dedupe.review.crosswalk import together
from casebridge.dedupe.review.decisions import Ruling
from casebridge.dedupe.review.desk import Desk
from casebridge.dedupe.review.desk_words import Open, Refused, Viewer
from casebridge.dedupe.review.evidence_file import PairEvidence, Person
from casebridge.dedupe.review.fold_notes import read_fold_notes
from casebridge.dedupe.review.kind_words import PERSON
from casebridge.dedupe.review.merge_preview import MergePreview, preview
from casebridge.dedupe.review.overrides import append_override, last_number, standing_overrides
from casebridge.dedupe.review.value_rules import SURVIVOR, Override
from casebridge.dedupe.review.verdicts import Place
from casebridge.project.database import writing


@dataclass(frozen=True)
class MergePage:
    """A pair with the records that it would join, the person that they become, and the number of the last word on
    it. `blind`: somebody waits for this viewer's own verdict first."""

    one: Open
    people: tuple[Person, ...]
    preview: MergePreview
    seen: int
    blind: bool = False


def merge_page(desk: Desk, viewer: Viewer, item: str) -> MergePage | None:
    """What a viewer may see of a merge; None when there is no such pair for him."""
    one = desk.find(viewer, item)
    if one is None:
        return None
    people = _people(desk, viewer, one.pair)
    if not {one.pair.left_id, one.pair.right_id} <= {person.id for person in people}:
        return None
    # What reviewers see is what a run does: the rules of merge.toml are of people.
    notes = read_fold_notes(desk.evidence().fact("folding") if one.pair.kind == PERSON else "")
    shown = preview(people, notes, standing_overrides(desk.log))
    with desk.engine.connect() as connection:
        seen = last_number(connection, one.pair.left_id, one.pair.right_id)
    blind = one.standing.place is Place.SECOND and one.standing.said_by(viewer.login) is None
    return MergePage(one, people, shown, seen, blind)


def _people(desk: Desk, viewer: Viewer, pair: PairEvidence) -> tuple[Person, ...]:
    """The two, and whoever people said is one with either of them, as far as this viewer may see: in order."""
    same = [(d.left_id, d.right_id) for d in desk.decisions.standing() if d.verdict is Ruling.SAME]
    joined = together([(pair.left_id, pair.right_id), *same])
    group = next(ids for ids in joined if pair.left_id in ids)
    found = desk.sight(viewer).people(list(group))
    rest = sorted(found.keys() - {pair.left_id, pair.right_id})
    return tuple(found[item] for item in (pair.left_id, pair.right_id, *rest) if item in found)


def choose(
    desk: Desk, viewer: Viewer, item: str, wanted: Mapping[str, str], reason: str, evidence: str, seen: int
) -> int:
    """Take a reviewer's word: field (SURVIVOR for whose record stays) to the id whose value is kept, empty for the
    rules again. Refused when the page that it was chosen on is out of date. Returns how many words were new."""
    page = merge_page(desk, viewer, item)
    if page is None or page.blind:
        raise Refused("there is no such pair", hint="say first what you think of it")
    pair, ids = page.one.pair, page.preview.ids
    if pair.evidence != evidence:
        raise Refused("the records changed since this page was made", hint="read the page again")
    fields = {SURVIVOR, *(one.field for one in page.preview.fields if one.field)}
    if not wanted.keys() <= fields or not set(wanted.values()) <= {"", *ids}:
        raise Refused("there is no such field, or no such record", hint="read the page again")
    now = {said.field: said.from_id for said in standing_overrides(desk.log)
           if (said.left_id, said.right_id) == (pair.left_id, pair.right_id)}  # fmt: skip
    fresh = {name: item for name, item in wanted.items() if now.get(name, "") != item}
    with writing(desk.engine).begin() as connection:
        desk.log.alone(connection)
        if last_number(connection, pair.left_id, pair.right_id) != seen:
            raise Refused("somebody has chosen something since this page was made", hint="read the page again")
        for name, from_id in fresh.items():
            said = Override(pair.left_id, pair.right_id, name, from_id, viewer.name, reason)
            append_override(connection, desk.log, said, viewer.login)
    return len(fresh)
