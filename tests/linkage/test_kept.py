"""A model that is kept: the same answer on the same register, drift told on another, refused where unfit."""

from __future__ import annotations

import stat
from dataclasses import replace

import polars as pl
import pytest
from click.testing import CliRunner

from benchmarks.kinds import PLAIN
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import RegisterError, link
from casebridge.dedupe.linkage.model.kept import FILE, read_kept
from casebridge.migrate.cli.link import link_register
from tests.linkage.registers_for_tests import fields_of

FIELDS = fields_of(PLAIN)
TOML = 'id = "id"\n[fields]\n' + "".join(f'{role} = "{column}"\n' for role, column in FIELDS.roles.items())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def trained(folder):
    """A register linked by the command, its model kept."""
    make_register(3000, PLAIN, seed=11).write_parquet(folder / "march.parquet")
    (folder / "fields.toml").write_text(TOML)
    run = linked(folder, "march", "first", "--save-model", str(folder / "model"))
    assert run.exit_code == 0
    return folder / "model"


def linked(folder, register, out, *more):
    asked = [
        str(folder / f"{register}.parquet"),
        "--fields",
        str(folder / "fields.toml"),
        "--out",
        str(folder / out),
    ]
    return CliRunner().invoke(link_register, [*asked, *more])


def test_the_same_register_gives_the_same_bytes(folder, trained):
    run = linked(folder, "march", "second", "--model", str(trained))
    assert run.exit_code == 0
    assert "Drift" not in run.stderr
    for name in ("pairs", "clusters", "cut"):
        one, other = ((folder / out / f"{name}.parquet").read_bytes() for out in ("first", "second"))
        assert one == other


def test_it_reads_back_as_it_was(trained, folder):
    kept = read_kept(trained)
    assert list(kept.known.facts) == sorted(kept.known.facts)
    assert list(kept.known.tables) == sorted(kept.known.tables)
    kept.save(folder / "again")
    assert (folder / "again" / FILE).read_bytes() == (trained / FILE).read_bytes()
    assert stat.S_IMODE((trained / FILE).stat().st_mode) == 0o600


def test_it_holds_no_value_of_a_record(trained, folder):
    told = (trained / FILE).read_text()
    held = pl.read_parquet(folder / "march.parquet").select("id", "last", "dob", "nhs", "postcode")
    values = {v for v in held.head(500).unpivot()["value"].drop_nulls().to_list() if len(v) > 5}
    assert len(values) > 500
    assert not any(f'"{value}"' in told for value in values)


def test_drift_is_told(trained, folder):
    dirty = replace(PLAIN, slip=0.25, swapped_date=0.3, moved=0.9)
    make_register(3000, dirty, seed=12).write_parquet(folder / "april.parquet")
    run = linked(folder, "april", "third", "--model", str(trained))
    assert run.exit_code == 0
    assert "Drift: birth_date" in run.stderr


def test_values_that_the_model_does_not_know_are_told(trained, folder):
    """Names of another people: all count as rare."""
    march = pl.read_parquet(folder / "march.parquet")
    other = march.with_columns(last=pl.col("last").str.reverse() + "owicz")
    found = link(other, FIELDS, kept=read_kept(trained)).model["warnings"]
    assert [w.split(":")[1].strip() for w in found if "none that the model knows" in w] == ["surname"]
    assert not any(
        "none that the model knows" in w for w in link(march, FIELDS, kept=read_kept(trained)).model["warnings"]
    )


def test_next_month_without_a_change_of_kind_has_no_drift(trained, folder):
    came = make_register(400, PLAIN, seed=13).with_columns(id="new " + pl.col("id").cast(pl.String))
    stayed = pl.read_parquet(folder / "march.parquet").slice(300).with_columns(pl.col("id").cast(pl.String))
    pl.concat([stayed, came]).write_parquet(folder / "may.parquet")
    found = link(pl.read_parquet(folder / "may.parquet"), FIELDS, kept=read_kept(trained))
    assert not any("Drift" in warning for warning in found.model["warnings"])
    assert found.pairs.height > 300


def test_other_columns_are_refused(trained):
    fewer = replace(FIELDS, roles={r: c for r, c in FIELDS.roles.items() if r != "sex"})
    with pytest.raises(RegisterError, match="kept model compares"):
        link(make_register(1000, PLAIN, seed=3), fewer, kept=read_kept(trained))


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(RegisterError, match="No kept model"):
        read_kept(tmp_path)
    (tmp_path / FILE).write_text('{"format": 1, "model": {"kind": "os.system", "of": {}}}')
    with pytest.raises(RegisterError, match="No kept model"):
        read_kept(tmp_path)


def test_a_model_of_a_clean_register_finds_who_is_made_again(folder):
    """A register in which nobody stands twice says nothing of how well its columns tell: no warning that they are
    thin, and what comes later is put forward."""
    (folder / "fields.toml").write_text(TOML)
    clean = make_register(1500, PLAIN, seed=5).unique("person", keep="first", maintain_order=True).head(500)
    clean.write_parquet(folder / "clean.parquet")
    again = clean.head(3).with_columns(pl.format("again-{}", "id").alias("id"))
    pl.concat([clean, again]).write_parquet(folder / "again.parquet")
    run = linked(folder, "clean", "clean", "--save-model", str(folder / "clean-model"))
    assert "thin" not in run.output
    assert "0 pairs are put forward" in run.output
    later = linked(folder, "again", "again", "--model", str(folder / "clean-model"))
    assert "3 pairs are put forward" in later.output
