"""CF_OBSERVATION: case notes, cut into chunks of 80 bytes with a sequence number.

A note loads as one row: its first chunk stands for it, the others are combined into it. Where a chunk is
missing or unreadable, the sequence has a gap and every chunk that can be read is held. The last of several
chunks is never the one that is lost, for then nobody could tell.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from casebridge.synthetic.books import finish
from casebridge.synthetic.chunk import Chunk, unknown_pi, unknown_workers, workers
from casebridge.synthetic.council import CHILD, SNAPSHOT
from casebridge.synthetic.formats import BATCH, SCREEN, choose, digits, iso
from casebridge.synthetic.names import Ints
from casebridge.synthetic.prose import CLOSERS, MIDDLES, OPENERS
from casebridge.synthetic.sheet import Sheet
from casebridge.synthetic.verdicts import (
    COMBINED,
    LOADED,
    MISSING_CHUNK,
    ORPHAN,
    UNMAPPED,
    UNREADABLE,
    Mask,
    Verdicts,
    inherit,
)

WIDTH = 80
NOTES = 1.62  # per person row, at intensity 1
_SHARED = 0.04  # of children's notes are copied to a sibling's file


@dataclass(slots=True)
class Notes:
    record: Ints
    day: Ints
    code: Ints
    author: Ints
    text: pl.Series

    def __len__(self) -> int:
        return len(self.record)


def write_notes(chunk: Chunk) -> None:
    rng = chunk.rng("observation")
    notes = _make_notes(chunk, rng)
    own, pi = _spoil(chunk, notes, rng)
    inherited = inherit(own, (chunk.standing, notes.record))
    length = notes.text.str.len_chars().to_numpy().astype(np.int64)
    chunks = (length + WIDTH - 1) // WIDTH
    gone = _missing(chunk, rng, chunks, own)
    note = np.repeat(np.arange(len(notes)), chunks)
    start = np.cumsum(chunks) - chunks
    seq = np.arange(len(note)) - start[note]
    kept = seq != gone[note]
    note, seq = note[kept], seq[kept]
    sheet = Sheet(
        "CF_OBSERVATION", _columns(chunk, notes, pi, note, seq, rng), ("OBS_NO", "SEQ_NO"), rng, soft="TEXT",
        free=("TEXT",), least=chunk.least,
    )  # fmt: skip
    own = np.where(gone >= 0, np.uint8(MISSING_CHUNK), own).astype(np.uint8)
    inherited = np.where(gone >= 0, np.uint8(MISSING_CHUNK), inherited).astype(np.uint8)
    sheet.touched = own[note] != LOADED
    sheet.repaired = {"TEXT": notes.text.gather(note), "OBS_DT": iso(notes.day).gather(note)}
    lead = np.concatenate([[True], note[1:] != note[:-1]]) & (seq == 0)
    sheet.set_aside(np.flatnonzero(lead & np.isin(note, unknown_workers(chunk, notes.author))), "AUTHOR", "orphan")

    def settle(unread: Verdicts) -> Verdicts:
        return _settle(unread, note, lead, inherited, chunks)

    breakable = (seq < chunks[note] - 1) | (chunks[note] == 1)
    finish(sheet, chunk.writer, settle, order=_order(note, rng), breakable=np.asarray(breakable, dtype=np.bool_))


def _settle(unread: Verdicts, note: Ints, lead: Mask, inherited: Verdicts, chunks: Ints) -> Verdicts:
    """A note goes one way with all its chunks."""
    lost = np.isin(unread, UNREADABLE)
    torn = np.zeros(len(inherited), dtype=np.bool_)
    torn[note[lost]] = True
    place = np.where(torn & (chunks > 1), np.uint8(MISSING_CHUNK), inherited)
    out = place[note]
    out = np.where((out == LOADED) & ~lead, np.uint8(COMBINED), out)
    return np.where(lost, unread, out).astype(np.uint8)


def _order(note: Ints, rng: np.random.Generator) -> Ints:
    """As written, but in one note of fifty the chunks come in any order."""
    mixed = rng.random(int(note.max(initial=0)) + 1) < 0.02
    within = np.where(mixed[note], rng.random(len(note)), 0.0)
    return np.lexsort((np.arange(len(note)), within, note))


def _make_notes(chunk: Chunk, rng: np.random.Generator) -> Notes:
    count = rng.poisson(rng.gamma(0.9, 1 / 0.9, len(chunk.records)) * chunk.activity * NOTES * chunk.intensity)
    record = np.repeat(np.arange(len(chunk.records)), count)
    n = len(record)
    began, ended = chunk.records.created[record], chunk.last_day[record]
    when = began + (rng.random(n) * np.maximum(ended - began, 1)).astype(np.int64)
    codes = chunk.pools.codes["observation_type"]
    notes = Notes(record, when, codes.draw(rng, n), workers(chunk, rng, n), _texts(chunk, record, rng))
    notes = _copied_to_siblings(chunk, notes, rng)
    return _in_file_order(notes)


def _texts(chunk: Chunk, record: Ints, rng: np.random.Generator) -> pl.Series:
    """An opener about somebody, two to five sentences, an ending; line breaks where a writer would set them."""
    n, names = len(record), chunk.pools.names
    first = pl.Series([text.partition("{}")[0] for text in OPENERS])
    rest = pl.Series([text.partition("{}")[2] for text in OPENERS])
    opener = rng.integers(0, len(OPENERS), n)
    who = pl.Series(names.forenames).gather(chunk.people.forename[chunk.records.person[record]])
    pairs = pl.Series([f" {a} {b}" for a in MIDDLES for b in MIDDLES] + [f" {a}" for a in MIDDLES] + [""])
    breaks = pl.Series([" ", "\r\n", "\n", "\r\n\r\n"]).gather(rng.choice(4, n, p=(0.86, 0.08, 0.04, 0.02)))
    first_pair, second_pair = rng.integers(0, len(pairs) - 40, n), rng.integers(0, len(pairs), n)
    second_pair = np.where(rng.random(n) < 0.45, len(pairs) - 1, second_pair)
    frame = pl.DataFrame({
        "a": first.gather(opener), "who": who, "b": rest.gather(opener), "c": pairs.gather(first_pair),
        "d": pairs.gather(second_pair), "break": breaks,
        "end": pl.Series(CLOSERS).gather(rng.integers(0, len(CLOSERS), n)),
    })  # fmt: skip
    return legacy_bytes(frame.select(pl.concat_str(pl.all()).alias("text")).to_series())


def legacy_bytes(texts: pl.Series) -> pl.Series:
    """Typographic marks as the characters numbered like their CP1252 bytes."""
    marks = {"\u2019": "\x92", "\u201c": "\x93", "\u201d": "\x94", "\u2026": "\x85"}
    return texts.str.replace_many(list(marks), list(marks.values()))


def _copied_to_siblings(chunk: Chunk, notes: Notes, rng: np.random.Generator) -> Notes:
    """The old system could put one note on every sibling's file: equal texts, and different children."""
    people = chunk.people
    child = (people.kind == CHILD) & (people.sibship >= 0)
    order = np.lexsort((np.arange(len(people)), np.where(child, people.sibship, -1)))
    following = np.full(len(people), -1)
    same = child[order[:-1]] & (people.sibship[order[1:]] == people.sibship[order[:-1]])
    following[order[:-1][same]] = order[1:][same]
    person = chunk.records.person[notes.record]
    to = following[person]
    known = (to >= 0) & (people.entry[to] <= notes.day)
    rows = np.flatnonzero(known & (rng.random(len(notes)) < _SHARED))
    at = np.concatenate([np.arange(len(notes)), rows])
    record = np.concatenate([notes.record, to[rows]])  # first records stand in the order of people
    return Notes(record, notes.day[at], notes.code[at], notes.author[at], notes.text.gather(at))


def _in_file_order(notes: Notes) -> Notes:
    """By day, as they were written; and a reused code means what it meant on that day."""
    order = np.lexsort((np.arange(len(notes)), notes.day))
    return Notes(
        notes.record[order], np.minimum(notes.day, SNAPSHOT)[order], notes.code[order], notes.author[order],
        notes.text.gather(order),
    )  # fmt: skip


def _spoil(chunk: Chunk, notes: Notes, rng: np.random.Generator) -> tuple[Verdicts, pl.Series]:
    """Codes nobody knows any more, and notes of a person who is gone. Returns verdicts and PI numbers."""
    own = np.zeros(len(notes), dtype=np.uint8)
    n = len(notes)
    drawn = rng.permutation(n)
    lost = drawn[: max(chunk.least, rng.poisson(5e-4 * n))]
    notes.code[lost] = rng.choice(chunk.pools.codes["observation_type"].unmapped, len(lost))
    own[lost] = UNMAPPED
    orphans = drawn[len(lost) : len(lost) + max(chunk.least, rng.poisson(6e-4 * n))]
    own[orphans] = ORPHAN
    pi = chunk.pi.gather(notes.record)
    return own, pi.scatter(orphans, unknown_pi(rng, len(orphans)))


def _missing(chunk: Chunk, rng: np.random.Generator, chunks: Ints, own: Verdicts) -> Ints:
    """The chunk that never reached the file, for a few notes; -1 for the others."""
    long = np.flatnonzero((chunks > 1) & (own == LOADED))
    wanted = min(len(long), max(chunk.least, rng.poisson(4e-4 * len(chunks))))
    rows = rng.choice(long, wanted, replace=False) if wanted else long[:0]
    gone = np.full(len(chunks), -1)
    gone[rows] = (rng.random(len(rows)) * (chunks[rows] - 1)).astype(np.int64)
    return gone


def _columns(
    chunk: Chunk, notes: Notes, pi: pl.Series, note: Ints, seq: Ints, rng: np.random.Generator
) -> dict[str, pl.Series]:
    """What belongs to the note is written once and repeated on each chunk."""
    dates, n = chunk.pools.dates, len(notes)
    fashion = choose(rng.random(n) < 0.5, dates.text(dates.index(rng, notes.day, SCREEN)),
                     dates.text(dates.index(rng, notes.day, BATCH)))  # fmt: skip
    texts = pl.DataFrame({"text": notes.text.gather(note), "at": seq * WIDTH})
    return {
        "OBS_NO": chunk.numbers(4, n).gather(note),
        "SEQ_NO": digits(np.arange(1, int(seq.max(initial=0)) + 2), 3).gather(seq),
        "PI_NO": pi.gather(note),
        "OBS_TYPE": chunk.pools.codes["observation_type"].text(rng, notes.code).gather(note),
        "OBS_DT": fashion.gather(note),
        "AUTHOR": chunk.staff.worker_numbers().gather(notes.author).gather(note),
        "TEXT": texts.select(pl.col("text").str.slice(pl.col("at"), WIDTH)).to_series(),
    }
