"""Two notes under one number must not become one sentence that nobody wrote."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from casebridge.project.database import open_database
from tests.councils import make_migration
from tests.dumps import write_dump

PERSON = {"SURNAME": "A", "FORENAMES": "B", "SEX": "F", "CARESECURE_YN": "N"}
PEOPLE = [{"PI_NO": "1", **PERSON}, {"PI_NO": "2", **PERSON}]
NOTE = {"OBS_NO": "7", "OBS_TYPE": "TC", "OBS_DT": "01/04/2019"}


def _notes(tmp_path: Path, chunks: list[dict[str, str]]) -> list[str]:
    """The notes that arrive."""
    rows = [{**NOTE, "PI_NO": "1", **chunk} for chunk in chunks]
    write_dump(tmp_path / "council" / "dump", {"CF_PERSON": PEOPLE, "CF_OBSERVATION": rows})
    migration = make_migration(tmp_path / "project", tmp_path / "council")
    migration.run()
    engine = open_database(migration.target)
    with engine.connect() as connection:
        found = [str(row[0]) for row in connection.execute(sa.text("SELECT note FROM case_notes"))]
    engine.dispose()
    return found


@pytest.mark.parametrize(
    "chunks",
    [
        [
            {"SEQ_NO": "1", "TEXT": "Child says father "},
            {"SEQ_NO": "1", "TEXT": "Mother "},
            {"SEQ_NO": "2", "TEXT": "is well."},
            {"SEQ_NO": "2", "TEXT": "hit her."},
        ],
        [
            {"SEQ_NO": "1", "TEXT": "of one "},
            {"SEQ_NO": "1", "TEXT": "of one ", "PI_NO": "2"},
            {"SEQ_NO": "2", "TEXT": "x"},
        ],
        [{"SEQ_NO": "1", "TEXT": "of one day "}, {"SEQ_NO": "2", "TEXT": "of another", "OBS_DT": "02/04/2019"}],
    ],
)
def test_pieces_of_two_notes_are_held(tmp_path: Path, chunks: list[dict[str, str]]) -> None:
    assert _notes(tmp_path, chunks) == []


@pytest.mark.parametrize("second", ["1.6", "2.4", "2e0"])
def test_a_number_that_is_none_puts_no_piece_in_its_place(tmp_path: Path, second: str) -> None:
    """A fraction is not rounded: where the piece belongs, nobody knows, and the note waits."""
    chunks = [{"SEQ_NO": "1", "TEXT": "not "}, {"SEQ_NO": second, "TEXT": "at risk"}]
    assert _notes(tmp_path, chunks) == []


def test_zeros_and_blanks_around_a_number_do_not_matter(tmp_path: Path) -> None:
    chunks = [{"SEQ_NO": " 02", "TEXT": "note"}, {"SEQ_NO": "001 ", "TEXT": "one "}]
    assert _notes(tmp_path, chunks) == ["one note"]


def test_a_piece_that_stands_twice_word_for_word_costs_nothing(tmp_path: Path) -> None:
    chunks = [{"SEQ_NO": "1", "TEXT": "one "}, {"SEQ_NO": "1", "TEXT": "one "}, {"SEQ_NO": "2", "TEXT": "note"}]
    assert _notes(tmp_path, chunks) == ["one note"]
