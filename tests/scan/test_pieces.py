"""What a night writes in small pieces beside what stands is what it would be if all were written whole."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casebridge.dedupe.review.decisions import Ruling
from casebridge.dedupe.review.evidence_file import EvidenceFile
from casebridge.dedupe.review.evidence_on_record import current_evidence
from casebridge.dedupe.scan.state import read_state
from casebridge.synthetic.nights import StaffAtWork
from tests.councils import casebridge
from tests.scan.live import LiveRegister, make_live

NIGHTS = 6


def test_nights_in_pieces_are_nights_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = make_live(tmp_path / "project", f"sqlite:///{tmp_path}/live.db", people=240)
    live.scan()
    shutil.copytree(live.folder, tmp_path / "other")
    other = LiveRegister(tmp_path / "other", live.url, live.day)
    staff, pieces = StaffAtWork(live.engine, seed=3), 0
    for number in range(NIGHTS):
        day = staff.day(live.day, changes=2, again=1)
        night = live.scan()
        with monkeypatch.context() as patched:
            patched.setattr("casebridge.dedupe.scan.steps.SHARE_SINCE", -1)
            patched.setattr("casebridge.dedupe.scan.nightly_evidence.MOST", -1)
            whole = other.scan()
        pieces += _in_pieces(live)
        assert _all(live) == _all(other)
        assert replace(night, seconds=0) == replace(whole, seconds=0)
        for left, right in day.again:
            pair = (min(left, right), max(left, right))
            for one in (live, other) if pair in live.waiting() else ():
                one.decide(*pair, Ruling.SAME if number % 2 else Ruling.DIFFERENT)
    assert pieces > NIGHTS // 2, pieces
    _is_held_against_what_was_written(live)


def _is_held_against_what_was_written(live: LiveRegister) -> None:
    """Also the larger file, on which the small one of the last night stands."""
    verify = ("audit", "verify", "--project", str(live.folder))
    live.scan()
    assert _in_pieces(live)
    assert casebridge(*verify).returncode == 0
    base = live.folder / "work" / read_state(live.folder / "work").facts["evidence_base"]["path"]
    base.chmod(0o600)
    with closing(sqlite3.connect(base)) as connection, connection:
        connection.execute("UPDATE pairs SET data = data || char(32)")
    wrong = casebridge(*verify)
    assert wrong.returncode != 0
    assert f"the evidence {base.name} is not what the run wrote" in wrong.stdout + wrong.stderr


def _in_pieces(live: LiveRegister) -> bool:
    facts = read_state(live.folder / "work").facts
    return bool(facts["evidence"] != facts["evidence_base"])


def _all(live: LiveRegister) -> dict[str, Any]:
    """What the desk shows, and what the next night begins with."""
    path, state = current_evidence(live.folder / "work"), read_state(live.folder / "work")
    assert path is not None
    with closing(EvidenceFile(path)) as file:
        pairs = {(pair.left_id, pair.right_id): (pair, pair.item) for pair in file.pairs(1)}
        people = file.people(sorted({item for pair in pairs for item in pair}), 1)
        kin = file.people(sorted({one.id for person in people.values() for one in person.kin}), 1)
    frames = {
        name: state.frame(name) for name in ("register", "dm_persons", "dm_addresses", "candidates", "ruled")
    }
    rows = {name: frame.sort(frame.columns).rows() for name, frame in frames.items() if frame is not None}
    return {"pairs": [one for one, _ in pairs.values()], "people": people, "kin": kin, "rows": rows}
