"""The no-link list fails closed, and protects from the first minute."""

from pathlib import Path

import pytest

from dedupe.candidates import check_no_link, without_protected
from project.errors import SourceError
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
