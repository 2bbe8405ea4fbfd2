"""The no-link list fails closed, and protects from the first minute."""

import itertools
from pathlib import Path

import polars as pl
import pytest

from casebridge.migrate.pipeline import open_job
from casebridge.project.errors import SourceError
from tests.councils import Migration, make_migration
from tests.dumps import write_dump
from tests.kin import make_kin, person
from tests.shelf import Shelf, copy_of, with_its_dump

UNSEEN = [
    "\ufeff", "\u200b", "\u200c", "\u200e", "\u200f", "\u2060", "\u00a0", "\u00ad", "\u061c", "\u180e",
    "\u2007", "\u202a", "\u202c", "\u202f", "\u2066", "\u2069", "\u3000", "\x00", "\x1a", "\x7f",
    "\x85", "\x0c", "\u2028", "\u2029",
]  # fmt: skip
"""What spreadsheets, web pages and old systems leave in a key, and nobody sees."""


SPELLINGS = ["{0}{1}", "{1}{0}", "{0}{1}{0}", '"{0}{1} "', "2,{0}{1}", "{1}{0};2", "2\t 0{0}0{1}"]


def test_a_character_that_nobody_sees_uncovers_nobody(tmp_path: Path) -> None:
    """All were decided to be 1 before they came on the list. Whatever stands in their lines, the decisions have no
    effect any more, and the run does not stop: the list names records."""
    lines = {n: (how, unseen) for n, (how, unseen) in enumerate(itertools.product(SPELLINGS, UNSEEN), 1000)}
    people = [person(1, "Ng", "111"), person(2, "Li"), *(person(number, "Ng") for number in lines)]
    kin = make_kin(tmp_path, people)
    kin.run()
    kin.decide(*((1, number) for number in lines))
    kin.run("merged", "--until", "dedupe")
    assert kin.folded("merged") == {str(number) for number in lines}
    kin.protect("KEY", *(how.format(unseen, number) for number, (how, unseen) in lines.items()))
    kin.run("protected", "--until", "dedupe")
    assert {lines[int(key)] for key in kin.folded("protected")} == set()


def test_whoever_comes_on_the_list_after_a_decision_is_taken_apart_again(tmp_path: Path) -> None:
    """Though linkage has nothing new to say: in a register as small as this it says nothing at all."""
    kin = make_kin(tmp_path, [person(1, "Ng", "111"), person(2, "Li"), person(3, "Ng")])
    kin.run()
    kin.decide((1, 3))
    kin.run()
    assert [key for key, *_ in kin.people()] == ["1", "2"]
    kin.protect("KEY", "3")
    kin.run()
    assert [key for key, *_ in kin.people()] == ["1", "2", "3"]


def test_whoever_is_listed_by_the_dumps_own_key_is_never_put_beside_another(tmp_path: Path) -> None:
    """Also where a key is all zeros, or holds a colon, or zeros behind one."""
    listed = ["00000000", "000", "A:003", "A:0", "0A1", "00000042", ":7"]
    person = {"SEX": "F", "CARESECURE_YN": "N", "CONTEXT": "A"}
    names = ("Müller", "Smith", "Begum", "O'Neill", "Nowak", "Jones", "Okafor", "Ahmed", "Price", "Singh")
    people = [
        {**person, "PI_NO": f"{n + 100:08d}", "SURNAME": names[n % 10], "FORENAMES": f"Ann{chr(97 + n % 26)}a",
         "DOB": f"{n % 28 + 1:02d}/{n % 12 + 1:02d}/{1940 + n % 71}"}
        for n in range(300)
    ]  # fmt: skip
    alike = [{**people[n * 31 % 300], "PI_NO": key} for n, key in enumerate([*listed, "00000777"], 1)]
    write_dump(tmp_path / "council" / "dump", {"CF_PERSON": people + alike})
    migration = make_migration(tmp_path / "project", tmp_path / "council")
    (tmp_path / "council" / "dump" / "protected").mkdir(exist_ok=True)
    no_link = tmp_path / "council" / "dump" / "protected" / "NO_LINK.csv"
    no_link.write_text("\n".join(["PI_NO", *listed, ""]), encoding="utf-8")
    settings = migration.folder / "casebridge.toml"
    text = settings.read_text(encoding="utf-8")
    if "no_link" not in text:
        settings.write_text(text + f'no_link = "{no_link}"\n', encoding="utf-8")
    done = migration.cli("run", "--until", "dedupe")
    assert done.returncode == 0, done.stderr
    found = pl.concat(
        [pl.read_parquet(f) for f in (migration.folder / "work" / "dedupe" / "pairs").glob("*.parquet")]
    )
    met = {key for column in ("left_id", "right_id") for key in found[column]}
    assert "carefirst:00000777" in met
    assert met.isdisjoint({f"carefirst:{key}" for key in listed})


def test_someone_on_the_list_whose_line_cannot_be_read_stops_nothing(shelf: Shelf, tmp_path: Path) -> None:
    migration = with_its_dump(copy_of(shelf.after("dedupe"), tmp_path))
    dump = migration.council / "dump"
    lines = (dump / "CF_PERSON.csv").read_bytes().decode("latin-1").split("\r\n")
    columns = lines[0].count(",")
    whole = next(n for n, line in enumerate(lines[1:], 1) if line.count(",") == columns and '"' not in line)
    key = lines[whole].split(",")[0]
    lines[whole] += ",one cell too many"
    (dump / "CF_PERSON.csv").write_text("\r\n".join(lines), encoding="latin-1", newline="")
    (dump / "MANIFEST.csv").unlink()
    listed = dump / "protected" / "NO_LINK.csv"
    listed.write_text(listed.read_text().rstrip() + f"\n{key}\n")
    migration.run(until="dedupe")
    listed.write_text(listed.read_text() + f"{key}9\n")
    with pytest.raises(SourceError, match="1 lines of the no-link list"):
        migration.run(until="dedupe")


def _told(migration: Migration) -> set[str]:
    """All keys in all files of linkage, whichever run they are of."""
    found = set()
    for kind, columns in (("pairs", ("left_id", "right_id")), ("crosswalk", ("key", "survivor_key"))):
        for path in (migration.folder / "work" / "dedupe").rglob(f"*.{kind}.parquet"):
            frame = pl.read_parquet(path, columns=list(columns))
            apart = frame.filter(pl.col(columns[0]) != pl.col(columns[1]))
            found |= {str(key).removeprefix("carefirst:") for column in columns for key in apart[column]}
    return found


def test_pairs_from_before_somebody_came_on_the_list_do_not_stay(shelf: Shelf, tmp_path: Path) -> None:
    """What the run itself no longer has goes; what another run has goes when that one is done again. A file
    that a crash left, in no ledger, goes as well."""
    migration = with_its_dump(copy_of(shelf.after("dedupe"), tmp_path))
    key = min(_told(migration))
    stray = migration.folder / "work" / "dedupe" / "candidates" / "00000-0.pairs.parquet"
    stray.write_bytes(next(stray.parent.glob("*.pairs.parquet")).read_bytes())
    listed = migration.council / "dump" / "protected" / "NO_LINK.csv"
    listed.write_text(listed.read_text().rstrip() + f"\n{key}\n")
    migration.run(until="dedupe", run="trial-2")
    assert key in _told(migration)
    assert not stray.exists()
    with open_job(migration.folder, "trial-1") as job:
        assert all(batch.whole() for batch in job.ledger.sealed("trial-1", "dedupe", "pairs", "pairs"))
    migration.run(until="dedupe", run="trial-1")
    assert _told(migration)
    assert key not in _told(migration)
