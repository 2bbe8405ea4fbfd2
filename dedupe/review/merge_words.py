"""What pre-flight says of a pair, as a reviewer and Mosaic's administrators read it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from casebridge.dedupe.review.evidence_file import PairEvidence, Person
from casebridge.dedupe.review.merge_rules import SAID, Check, MergeRules, Outcome
from casebridge.project.spec import TableSpec

WORDS: Mapping[str, str] = {
    Outcome.BEFORE_LOAD: "Merge before load.",
    Outcome.AFTER_GO_LIVE: "Merge after go-live, in Mosaic: the load keeps the two apart.",
    Outcome.MARK_ONLY: "Mark as duplicate only: neither the load nor Mosaic can merge the two as they are.",
    Outcome.NOT_KNOWN: "Not all that could stand in the way was looked for: merge neither before somebody has.",
    Outcome.NEVER: "Never merge the two.",
}  # fmt: skip
LIVE_WORDS: Mapping[str, str] = {
    Outcome.MARK_ONLY: "Mosaic merges neither into the other as they are: mark the two as duplicates, or have "
    "mended first what stands in the way.",
    Outcome.NOT_KNOWN: WORDS[Outcome.NOT_KNOWN],
    Outcome.NEVER: WORDS[Outcome.NEVER],
}
"""Of two records of the live register, where each merge is one in Mosaic."""
_FREE = "Nothing on file would stop this merge after go-live either."
_NOW = "After go-live Mosaic refuses it: if the two are one person, now is the time to say so."


@dataclass(frozen=True)
class Note:
    """A blocker as it is told: its words, whether they are about one record, and what people do by hand."""

    words: str
    on_one: bool
    steps: tuple[str, ...]


@dataclass(frozen=True)
class MergeNotes:
    """What evidence keeps of the merge rules: the blockers, and by table of the evidence (a spec's name) the
    columns that a merge in the target leaves behind; none where it leaves whole rows. `register`: their specs.
    live: of a live register; `lasting`: the blockers that no steps take away there; `unread`: the words of those
    that could not be looked for."""

    blockers: Mapping[str, Note]
    not_carried: Mapping[str, tuple[str, ...]]
    register: tuple[str, ...] = ()
    live: bool = False
    lasting: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What can come out of it."""
        return tuple(one for one in Outcome if one is not Outcome.BEFORE_LOAD) if self.live else SAID


@dataclass(frozen=True)
class Advice:
    """What pre-flight says of a pair: what can be done and why; `reasons` what stands in the way; `steps` what
    has to be done by hand; `to_type` what a merge in the target leaves behind of each record, by its letter;
    `live` whether both stand in the target; `unread` what could not be looked for."""

    outcome: str
    words: str
    reasons: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    to_type: Mapping[str, tuple[str, ...]] | None = None
    live: bool = False
    unread: tuple[str, ...] = ()


def merge_notes(specs: Sequence[TableSpec], rules: MergeRules | None, register: Sequence[str] = ()) -> str:
    """The rules as a text that evidence keeps; empty where there are none."""
    if rules is None:
        return ""
    of = dict(rules.not_carried)
    carried = {spec.name: of[spec.target] for spec in specs if spec.target in of and not spec.merged_only}
    return json.dumps({"blockers": _noted(rules), "not_carried": carried, "register": list(register)})


def live_notes(
    rules: MergeRules, tables: Sequence[tuple[str, str]], register: str, unread: Sequence[str] = ()
) -> str:
    """The same of a live register. tables: what the scan calls each, and what the rules call it."""
    of = dict(rules.not_carried)
    lasting = [one.name for one in rules.blockers if one.outcome is Outcome.BEFORE_LOAD]
    body = {"blockers": _noted(rules), "not_carried": {name: of[plain] for name, plain in tables if plain in of}}
    return json.dumps({**body, "register": [register], "live": True, "lasting": lasting, "unread": list(unread)})


def _noted(rules: MergeRules) -> dict[str, list[object]]:
    of_one = {Check.ON_SOURCE, Check.ON_BOTH}
    return {one.name: [one.words, one.check in of_one, one.steps] for one in rules.blockers}


def read_notes(text: str) -> MergeNotes | None:
    """The same back; None where there are none."""
    if not text:
        return None
    body = json.loads(text)
    blockers = {
        name: Note(words, on_one, tuple(steps)) for name, (words, on_one, steps) in body["blockers"].items()
    }
    carried = {name: tuple(columns) for name, columns in body["not_carried"].items()}
    more = (bool(body.get("live")), tuple(body.get("lasting", ())), tuple(body.get("unread", ())))
    return MergeNotes(blockers, carried, tuple(body["register"]), *more)


def advice(notes: MergeNotes | None, pair: PairEvidence, left: Person, right: Person) -> Advice | None:
    """What pre-flight says of a pair; None where the project has no merge rules."""
    if notes is None or not pair.preflight:
        return None
    known = [(notes.blockers[name], one, two) for name, one, two in pair.blockers if name in notes.blockers]
    words = _live_words(notes, pair) if notes.live else WORDS.get(pair.preflight, pair.preflight)
    if pair.preflight == Outcome.BEFORE_LOAD:
        words = f"{words} {_NOW if known else _FREE}"
    steps = () if pair.preflight == Outcome.BEFORE_LOAD else tuple(s for note, _, _ in known for s in note.steps)
    typed = {letter: to_type(notes, one, two) for letter, one, two in (("A", left, right), ("B", right, left))}
    reasons = tuple(_reason(*one) for one in known)
    return Advice(pair.preflight, words, reasons, steps, typed, notes.live, notes.unread)


def _live_words(notes: MergeNotes, pair: PairEvidence) -> str:
    """What can be done in the register itself, and which of the two may go there."""
    if pair.preflight in LIVE_WORDS:
        return LIVE_WORDS[pair.preflight]
    lasting = [one for one in pair.blockers if one[0] in notes.lasting]
    stays = "A" if any(left for _, left, _ in lasting) else "B" if lasting else ""
    goes = {"A": "B", "B": "A"}.get(stays, "")
    how = f"{goes} goes, {stays} stays: what {stays} has does not move" if stays else "either may stay"
    return f"Merge the two in Mosaic; {how}."


def _reason(note: Note, left: int, right: int) -> str:
    if not note.on_one:
        return f"{note.words}."
    sides = [f"{letter} ({count:,})" for letter, count in (("A", left), ("B", right)) if count]
    return f"{'Each of ' if len(sides) > 1 else ''}{' and '.join(sides)} {note.words}."


def to_type(notes: MergeNotes, source: Person, target: Person) -> tuple[str, ...]:
    """What a merge in the target would leave behind when `source` goes: fields that the other record has not, and
    rows of tables that do not move. Names of fields and counts, no values."""
    columns = [name for table in notes.register for name in notes.not_carried.get(table, ())]
    fields = [
        name
        for name in dict.fromkeys(columns)
        if source.fields.get(name, "") not in {"", target.fields.get(name, "")}
    ]
    found = [name.removesuffix("_id").removesuffix("_code").replace("_", " ") for name in fields]
    whole = {table for table, names in notes.not_carried.items() if not names}
    found += [f"{held.table.replace('_', ' ')}: {held.count:,}" for held in source.held if held.table in whole]
    return tuple(found)
