"""A year of nights on a small made-up council: births, deaths, moves, marriages, people made again, decisions,
merges in the register, and a new model twice. Counts what must not happen, and draws time and size by night.

python -m benchmarks.scan_year [--nights 365] [--people 80] [--plot docs/scan-nights.svg]
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from casebridge.dedupe.review.decisions import Ruling
from casebridge.dedupe.scan.steps import Model
from casebridge.synthetic.nights import StaffAtWork
from tests.scan.live import make_live


def year(folder: Path, nights: int, people: int) -> dict[str, object]:
    """Do the nights. What is counted: settled pairs raised without cause, pairs by which the desk differs from
    a full run with the same model and decisions (every 30 nights), and seconds and megabytes by night."""
    live = make_live(folder, people=people)
    live.scan()
    staff, decided = StaffAtWork(live.engine, seed=9), set[tuple[int, int]]()
    seconds, size, people_now, raised, missed, looked = [], [], [], 0, 0, 0
    for number in range(nights):
        day = staff.day(live.day, changes=2, again=1)
        began = time.perf_counter()
        night = live.scan(model=Model.NEW if number in {nights // 3, 2 * nights // 3} else Model.KEPT)
        seconds.append(time.perf_counter() - began)
        size.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        people_now.append(night.people)
        shown = live.shown()
        raised += sum(1 for pair in decided & shown.keys() if shown[pair].open and not shown[pair].changed)
        for left, right in day.again:
            pair = (min(left, right), max(left, right))
            if pair in shown and shown[pair].open and number % 3:
                live.decide(*pair, Ruling.SAME)
                staff.merge(right, left)
            elif pair in shown and shown[pair].open:
                live.decide(*pair, Ruling.DIFFERENT)
                decided.add(pair)
        if number % 30 == 29:
            missed, looked = missed + len(live.differs_from_a_full_run()), looked + 1
    return {
        "nights": nights, "people": [people_now[0], people_now[-1]], "decided_different": len(decided),
        "raised_without_cause": raised, "full_runs": looked, "pairs_missing_or_more": missed,
        "seconds": [round(one, 3) for one in seconds], "megabytes": [round(one) for one in size],
    }  # fmt: skip


def plot(path: Path, seconds: Sequence[float], size: Sequence[float]) -> None:
    """Seconds (left) and peak megabytes (right) by night, as an SVG without a script."""
    wide, high, left, top = 860, 260, 50, 30
    across = (wide - 2 * left) / max(len(seconds) - 1, 1)

    def line(values: Sequence[float], most: float, colour: str) -> str:
        points = " ".join(f"{left + n * across:.1f},{top + (high - 2 * top) * (1 - v / most):.1f}"
                          for n, v in enumerate(values))  # fmt: skip
        return f'<polyline fill="none" stroke="{colour}" stroke-width="1.2" points="{points}"/>'

    slow, large = max(seconds) * 1.1, max(size) * 1.1
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif"'
    blue, red = "#1d5fa8", "#b3541e"
    text = (
        f'{head} font-size="11"><rect width="{wide}" height="{high}" fill="white"/>'
        f"{line(seconds, slow, blue)}{line(size, large, red)}"
        f'<text x="{left}" y="18" fill="{blue}">seconds a night, up to {max(seconds):.1f}</text>'
        f'<text x="{wide - left}" y="18" text-anchor="end" fill="{red}">peak MB, up to {max(size):.0f}</text>'
        f'<text x="{wide / 2}" y="{high - 8}" text-anchor="middle">night 1 to {len(seconds)}</text></svg>\n'
    )
    path.write_text(text, encoding="utf-8")


def main() -> None:
    """Run, print the figures as JSON, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--people", type=int, default=80)
    parser.add_argument("--plot", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = year(Path(folder) / "project", asked.nights, asked.people)
    seconds, size = found.pop("seconds"), found.pop("megabytes")
    assert isinstance(seconds, list)
    assert isinstance(size, list)
    if asked.plot:
        plot(asked.plot, seconds, size)
    third = max(len(seconds) // 3, 1)
    found["mean_seconds_first_and_last_third"] = [
        round(sum(s[:]) / len(s), 3) for s in (seconds[:third], seconds[-third:])
    ]
    found["megabytes_first_and_last"] = [size[min(third, len(size) - 1)], size[-1]]
    print(json.dumps(found, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
