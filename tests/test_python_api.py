"""The public API: every name is there, nothing heavy is imported for it, and the page's examples run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import casebridge
from casebridge.synthetic import make_council
from tests.linkage.registers_for_tests import febrl3

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "python-api.md"


@pytest.mark.parametrize("name", casebridge.__all__)
def test_every_public_name_is_there_and_on_the_page(name: str) -> None:
    assert getattr(casebridge, name) is not None
    assert name in dir(casebridge)
    assert re.search(rf"\b{name}\b", PAGE.read_text(encoding="utf-8"))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'linq'"):
        _ = casebridge.linq


def test_to_import_casebridge_imports_no_engine() -> None:
    code = "import casebridge, sys; print(sorted({'polars', 'duckdb', 'sqlalchemy', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_the_examples_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame, _ = febrl3()
    columns = {"rec_id": "id", "given_name": "first", "surname": "last", "date_of_birth": "dob",
               "postcode": "postcode", "person": "truth"}  # fmt: skip
    frame.select(list(columns)).rename(columns).write_csv(tmp_path / "register.csv")
    (tmp_path / "fields.toml").write_text(
        'id = "id"\n[fields]\nforename = "first"\nsurname = "last"\nbirth_date = "dob"\npostcode = "postcode"\n'
    )
    monkeypatch.chdir(tmp_path)
    make_council(tmp_path, people=500, seed=3)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    assert (tmp_path / "out" / "pairs.parquet").is_file()
    assert (tmp_path / "our-migration" / "reports" / "trial-1" / "report.json").is_file()
