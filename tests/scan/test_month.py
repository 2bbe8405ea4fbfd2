"""A month of nights: what was settled stays settled, and nothing is missed that a full run finds."""

from __future__ import annotations

from pathlib import Path

from casebridge.dedupe.linkage import LinkedRegister
from casebridge.dedupe.review.decisions import Ruling
from casebridge.dedupe.scan.state import read_state
from casebridge.synthetic.nights import StaffAtWork
from tests.scan.live import make_live

NIGHTS = 30


def test_a_month_of_nights(tmp_path: Path) -> None:
    """What staff make again is at the desk next morning, as far as the model sees it; what was decided is raised
    only with a change that it names; cluster names stay; the end is that of a full run."""
    live = make_live(tmp_path / "project", people=80)
    live.scan()
    staff, decided, changed, clusters = StaffAtWork(live.engine, seed=4), set(), 0, {}
    for _ in range(NIGHTS):
        day = staff.day(live.day, changes=2, again=1)
        night = live.scan()
        shown = live.shown()
        again = {pair for pair in decided & shown.keys() if shown[pair].open and not shown[pair].changed}
        assert again == set()
        changed += night.changed
        for left, right in day.again[:1]:
            pair = (min(left, right), max(left, right))
            if pair in shown and night.night % 3 == 0:
                live.decide(*pair, Ruling.SAME)
                staff.merge(right, left)
            elif pair in shown:
                live.decide(*pair, Ruling.DIFFERENT)
                decided.add(pair)
        clusters = _same_names(live.folder, clusters)
    assert night.missed == 0
    assert NIGHTS < changed < 8 * NIGHTS
    assert live.differs_from_a_full_run() == set()
    assert live.day.month == 4


def _same_names(folder: Path, before: dict[str, str]) -> dict[str, str]:
    """Clusters by record; nobody's whose companions stayed the same was renamed."""
    state = read_state(folder / "work")
    register, since = state.frame("register"), state.frame("clusters")
    assert state.linked is not None
    assert register is not None
    assert since is not None
    named = {**dict(LinkedRegister.read(state.linked).clusters().iter_rows()), **dict(since.iter_rows())}
    now = {item: named[item] for item in register.get_column("id")}
    members: dict[str, set[str]] = {}
    for item, name in now.items():
        members.setdefault(name, set()).add(item)
    old: dict[str, set[str]] = {}
    for item, name in before.items():
        old.setdefault(name, set()).add(item)
    moved = [
        item
        for item, name in before.items()
        if item in now and now[item] != name and members[now[item]] == old[name]
    ]
    assert moved == []
    return now
