"""The no-link list fails closed, and protects from the first minute."""

from pathlib import Path

import pytest

from dedupe.candidates import check_no_link, without_protected
from project.errors import SourceError
from tests.councils import make_migration, small_council
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
