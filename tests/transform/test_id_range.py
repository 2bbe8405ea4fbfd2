"""The range of ids that a supplier keeps for us."""

from __future__ import annotations

from pathlib import Path

import pytest

from casebridge.migrate.pipeline import check, open_job, run_stages
from casebridge.project.errors import CasebridgeError
from casebridge.project.identity import ids_of
from tests.staged import ONE_COLUMN, ONE_TABLE, lay_out, two_people


def _ranged(folder: Path, lines: str, people: int = 2) -> Path:
    two_people(folder)
    lay_out(folder, {"persons": ONE_COLUMN}, target=ONE_TABLE.replace("[persons]", f"[persons]\n{lines}"))
    rows = "".join(f"{number},p{number}\n" for number in range(1, people + 1))
    (folder / "dump" / "PERSON.csv").write_text(f"NO,NAME\n{rows}", encoding="utf-8")
    return folder


def _ids(folder: Path) -> dict[str, int]:
    with open_job(folder) as job:
        list(run_stages(job, "transform"))
        return dict(ids_of(job, "persons", "old").iter_rows())


def test_ids_begin_where_the_range_does_and_stay_when_it_moves(tmp_path: Path) -> None:
    assert _ids(_ranged(tmp_path, "first_id = 500\nlast_id = 502")) == {"1": 500, "2": 501}
    assert _ids(_ranged(tmp_path, "first_id = 900", 3)) == {"1": 500, "2": 501, "3": 900}


def test_a_range_without_room_stops_before_an_id_is_given_out(tmp_path: Path) -> None:
    _ranged(tmp_path, "first_id = 500\nlast_id = 501", 3)
    with pytest.raises(CasebridgeError, match="has ids from 500 to 501, and 3 more are needed from 500 on"):
        _ids(tmp_path)
    assert _ids(_ranged(tmp_path, "first_id = 500\nlast_id = 502", 3)) == {"1": 500, "2": 501, "3": 502}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("first_id = 0", "first_id: must be a whole number above 0"),
        ('last_id = "9"', "last_id: must be a whole number above 0"),
        ("first_id = 5\nlast_id = 4", "last_id: comes before first_id 5"),
        ("firstid = 5", "did you mean `first_id`?"),
    ],
)
def test_a_range_that_is_none_is_told_by_check(lines: str, told: str, tmp_path: Path) -> None:
    (problem,) = check(_ranged(tmp_path, lines))
    assert told in problem
