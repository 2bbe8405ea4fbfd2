"""The no-link list fails closed, and protects from the first minute."""

from pathlib import Path

import polars as pl
import pytest

from casebridge.dedupe.candidates import check_no_link, without_protected
from casebridge.migrate.pipeline import open_job
from casebridge.project.errors import SourceError
from tests.councils import Migration, make_migration, small_council
from tests.staged import PERSONS, job_of, lay_out


@pytest.mark.parametrize(
    "text", ["PI_NO;NOTE\n2;x\n", "NO,PI_NO\n1000,2\n", "PI_NO\n2.0\n", "PI_NO\nold:2\n", "PI_NO\n2\tx\n", ""]
)
def test_a_list_written_otherwise_protects_or_stops(tmp_path: Path, text: str) -> None:
    lay_out(tmp_path, {"persons": PERSONS})
    settings = tmp_path / "casebridge.toml"
    settings.write_text(settings.read_text() + 'no_link = "NO_LINK.csv"\n')
    (tmp_path / "NO_LINK.csv").write_text(text)
    with job_of(tmp_path) as job:
        try:
            shown = without_protected(job, {"old:1", "old:2"})
        except SourceError:
            return
    assert "old:2" not in shown


def test_a_misspelt_first_key_stops_a_list_without_a_header(tmp_path: Path) -> None:
    lay_out(tmp_path, {"persons": PERSONS})
    settings = tmp_path / "casebridge.toml"
    settings.write_text(settings.read_text() + 'no_link = "NO_LINK.csv"\n')
    (tmp_path / "NO_LINK.csv").write_text("77\n2\n")
    with job_of(tmp_path) as job, pytest.raises(SourceError, match="1 lines of the no-link list"):
        check_no_link(job, {"old:1", "old:2"})


def test_someone_on_the_list_whose_line_cannot_be_read_stops_nothing(tmp_path: Path) -> None:
    council = small_council(tmp_path / "council", people=500)
    dump = council / "dump"
    lines = (dump / "CF_PERSON.csv").read_bytes().decode("latin-1").split("\r\n")
    columns = lines[0].count(",")
    whole = next(n for n, line in enumerate(lines[1:], 1) if line.count(",") == columns and '"' not in line)
    key = lines[whole].split(",")[0]
    lines[whole] += ",one cell too many"
    (dump / "CF_PERSON.csv").write_text("\r\n".join(lines), encoding="latin-1", newline="")
    (dump / "MANIFEST.csv").unlink()
    listed = dump / "protected" / "NO_LINK.csv"
    listed.write_text(listed.read_text().rstrip() + f"\n{key}\n")
    migration = make_migration(tmp_path / "project", council)
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


def test_pairs_from_before_somebody_came_on_the_list_do_not_stay(tmp_path: Path) -> None:
    """What the run itself no longer has goes; what another run has goes when that one is done again. A file
    that a crash left, in no ledger, goes as well."""
    council = small_council(tmp_path / "council", people=500)
    migration = make_migration(tmp_path / "project", council)
    migration.run(until="dedupe")
    key = min(_told(migration))
    stray = migration.folder / "work" / "dedupe" / "candidates" / "00000-0.pairs.parquet"
    stray.write_bytes(next(stray.parent.glob("*.pairs.parquet")).read_bytes())
    listed = council / "dump" / "protected" / "NO_LINK.csv"
    listed.write_text(listed.read_text().rstrip() + f"\n{key}\n")
    migration.run(until="dedupe", run="trial-2")
    assert key in _told(migration)
    assert not stray.exists()
    with open_job(migration.folder, "trial-1") as job:
        assert all(batch.whole() for batch in job.ledger.sealed("trial-1", "dedupe", "pairs", "pairs"))
    migration.run(until="dedupe", run="trial-1")
    assert _told(migration)
    assert key not in _told(migration)
