"""A work sheet: the pairs that wait, both records side by side and why, to be filled in and handed back.

It holds what is on file of people, so it is its owner's only. Formulas cannot be in it: what would be read as one
is written as text, in the workbook and in whatever is saved from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from casebridge.dedupe.review.decisions import COLUMNS
from casebridge.dedupe.review.evidence_file import EvidenceFile, PairEvidence, Person
from casebridge.dedupe.review.kind_words import PERSON, reasons_to_doubt, words_of
from casebridge.dedupe.review.merge_words import MergeNotes, advice, read_notes
from casebridge.dedupe.review.words import compare, sentence
from casebridge.project.batch import write_file
from casebridge.project.csv_cells import as_text

_LONGEST = 1000
_FIRST = ("verdict", "reviewer", "reason", "left", "right", "why", "reasons to doubt", "pre-flight", "teams")


def write_worksheet(path: Path, evidence: EvidenceFile, pairs: Sequence[tuple[str, str]], clearance: int) -> int:
    """Write the pairs (left and right id) that a reader with this clearance may see. Returns how many they are."""
    import openpyxl  # here: a tenth of a second that other commands need not wait for

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("pairs")
    sheet.freeze_panes = "F2"
    wanted = list(_wanted(evidence, pairs, clearance))
    kinds = dict.fromkeys([PERSON, *sorted({pair.kind for pair in wanted})])
    labels = {role: label for kind in kinds for role, label in words_of(kind).labels.items()}
    header = [*_FIRST, *(f"{label} {side}" for label in labels.values() for side in ("A", "B"))]
    for place, name in enumerate(header):
        letter = openpyxl.utils.get_column_letter(place + 1)
        sheet.column_dimensions[letter].width = 60 if name in {"why", "reasons to doubt", "pre-flight"} else 18
    sheet.append(_cells(sheet, header))
    count, notes = 0, read_notes(evidence.fact("merge"))
    for pair in wanted:
        people = evidence.people([pair.left_id, pair.right_id], clearance)
        sheet.append(_cells(sheet, _row(notes, pair, people[pair.left_id], people[pair.right_id], [*labels])))
        count += 1
    write_file(path, book.save)
    return count


def _wanted(evidence: EvidenceFile, pairs: Sequence[tuple[str, str]], clearance: int) -> Iterator[PairEvidence]:
    there = {(pair.left_id, pair.right_id): pair for pair in evidence.pairs(clearance)}
    return (there[pair] for pair in pairs if pair in there)


def _row(
    notes: MergeNotes | None, pair: PairEvidence, left: Person, right: Person, roles: Sequence[str]
) -> list[str]:
    lines = compare(left, right, pair.levels)
    why = " ".join(reasons_to_doubt(pair, left, right))
    said = advice(notes, pair, left, right)
    unread = [f"Not looked for: {'; '.join(said.unread)}."] if said and said.unread else []
    preflight = " ".join([said.words, *said.reasons, *unread]) if said else ""
    blank = [""] * (len(COLUMNS) - 2)
    sides = [text for role in roles for text in (left.text(role), right.text(role))]
    return [*blank, pair.left_id, pair.right_id, sentence(lines), why, preflight, ", ".join(pair.teams), *sides]


def _cells(sheet: Any, texts: Sequence[str]) -> list[Any]:
    from openpyxl.cell import WriteOnlyCell

    made = []
    for text in texts:
        cell = WriteOnlyCell(sheet, value=neutral(text))
        cell.data_type = "s"
        made.append(cell)
    return made


def neutral(text: str, longest: int = _LONGEST) -> str:
    """A text that no spreadsheet takes for a formula, without characters that a workbook cannot hold."""
    shown = "".join(c for c in text if c >= " " or c in "\t\n")[:longest]
    return as_text(shown)
