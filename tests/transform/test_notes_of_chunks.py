"""Two notes under one number must not become one sentence that nobody wrote."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from casebridge.project.database import open_database
from casebridge.project.errors import ReconciliationFailed
from tests.councils import Migration, make_migration
from tests.dumps import write_dump

PERSON = {"SURNAME": "A", "FORENAMES": "B", "SEX": "F", "CARESECURE_YN": "N"}
PEOPLE = [{"PI_NO": "1", **PERSON}, {"PI_NO": "2", **PERSON}]
NOTE = {"OBS_TYPE": "TC", "OBS_DT": "01/04/2019", "PI_NO": "1"}

Chunks = Sequence[Mapping[str, str]]

HELD: dict[str, Chunks] = {
    "two pieces at one place, twice": [
        {"SEQ_NO": "1", "TEXT": "Child says father "},
        {"SEQ_NO": "1", "TEXT": "Mother "},
        {"SEQ_NO": "2", "TEXT": "is well."},
        {"SEQ_NO": "2", "TEXT": "hit her."},
    ],
    "of two people": [
        {"SEQ_NO": "1", "TEXT": "of one "},
        {"SEQ_NO": "1", "TEXT": "of one ", "PI_NO": "2"},
        {"SEQ_NO": "2", "TEXT": "x"},
    ],
    "of two days": [
        {"SEQ_NO": "1", "TEXT": "of one day "},
        {"SEQ_NO": "2", "TEXT": "of another", "OBS_DT": "02/04/2019"},
    ],
    # A fraction is not rounded: where the piece belongs, nobody knows, and the note waits.
    "a fraction above": [{"SEQ_NO": "1", "TEXT": "not "}, {"SEQ_NO": "1.6", "TEXT": "at risk"}],
    "a fraction below": [{"SEQ_NO": "1", "TEXT": "not "}, {"SEQ_NO": "2.4", "TEXT": "at risk"}],
    "an exponent": [{"SEQ_NO": "1", "TEXT": "not "}, {"SEQ_NO": "2e0", "TEXT": "at risk"}],
}
"""Notes whose pieces nobody can put in order."""

WHOLE: dict[str, Chunks] = {
    "zeros and blanks around a number": [
        {"SEQ_NO": " 02", "TEXT": "note"},
        {"SEQ_NO": "001 ", "TEXT": "one "},
    ],
    "a piece that stands twice word for word": [
        {"SEQ_NO": "1", "TEXT": "one "},
        {"SEQ_NO": "1", "TEXT": "one "},
        {"SEQ_NO": "2", "TEXT": "note"},
    ],
}
NUMBERS = {name: str(number) for number, name in enumerate([*HELD, *WHOLE], start=1)}


def _migration(folder: Path, notes: Mapping[str, Chunks]) -> Migration:
    rows = [
        {**NOTE, "OBS_NO": NUMBERS[name], "AUTHOR": NUMBERS[name], **chunk}
        for name, chunks in notes.items()
        for chunk in chunks
    ]
    write_dump(folder / "council" / "dump", {"CF_PERSON": PEOPLE, "CF_OBSERVATION": rows})
    return make_migration(folder / "project", folder / "council")


def _arrived(migration: Migration) -> dict[str, str]:
    """The notes in the target, by their authors, who wrote one each."""
    engine = open_database(migration.target)
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT created_by, note FROM case_notes")).all()
    engine.dispose()
    return {str(author): str(note) for author, note in found}


@pytest.fixture(scope="module")
def arrived(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    migration = _migration(tmp_path_factory.mktemp("notes"), {**HELD, **WHOLE})
    migration.run()
    return _arrived(migration)


@pytest.mark.parametrize("name", HELD)
def test_pieces_of_two_notes_are_held(arrived: dict[str, str], name: str) -> None:
    assert NUMBERS[name] not in arrived


@pytest.mark.parametrize("name", WHOLE)
def test_pieces_of_one_note_are_one_note(arrived: dict[str, str], name: str) -> None:
    assert arrived[NUMBERS[name]] == "one note"


def test_where_every_note_waits_the_run_says_so(tmp_path: Path) -> None:
    """A spec of which nothing arrives does not balance, though each of its rows has a place."""
    migration = _migration(tmp_path, HELD)
    with pytest.raises(ReconciliationFailed) as caught:
        migration.run()
    assert caught.value.failed == ("specs_arrive",)
    assert _arrived(migration) == {}
