"""Every source row ends where the truth says it ends, for the reason the truth gives, and back."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest

from casebridge.dedupe.config import read_people
from casebridge.dedupe.foldable import merge_rules
from casebridge.dedupe.review.preflight import look
from casebridge.migrate.pipeline import open_job
from tests.councils import Migration, make_migration, small_council
from tests.shelf import Shelf

KEY = ("source", "file", "line")


@pytest.fixture(scope="module")
def migration(tmp_path_factory: pytest.TempPathFactory) -> Migration:
    folder = tmp_path_factory.mktemp("truth")
    made = make_migration(folder / "project", small_council(folder / "council", people=3_000), batch_rows=7_000)
    made.run()
    return made


def _dispositions(migration: Migration) -> pl.DataFrame:
    found = pl.read_parquet(migration.report_path().with_name("dispositions.parquet"))
    return found.select(*KEY, "place", "cause")


def test_every_source_row_has_the_place_and_first_cause_of_the_truth(migration: Migration) -> None:
    """Both ways: no row of the truth is missing, none is there that the truth does not know."""
    truth = _documents_by_digest(migration.truth("dispositions").select(*KEY, "place", "cause"))
    both = truth.join(_dispositions(migration), on=KEY, how="full", coalesce=True, suffix="_found")
    differs = pl.struct("place", "cause") != pl.struct(
        pl.col("place_found").alias("place"), pl.col("cause_found").alias("cause")
    )
    wrong = both.filter(differs | pl.col("place").is_null() | pl.col("place_found").is_null())
    assert wrong.sort(KEY).head(20).to_dicts() == []


def _documents_by_digest(truth: pl.DataFrame) -> pl.DataFrame:
    """As the report has them: people's names stand in documents' names."""
    of_documents = truth.filter(pl.col("source") == "documents").get_column("file").unique()
    digests = {name: hashlib.sha256(name.encode()).hexdigest() for name in of_documents}
    named = pl.when(pl.col("source") == "documents").then(pl.col("file").replace(digests)).otherwise("file")
    return truth.with_columns(named.alias("file"))


def test_the_council_shows_every_place_and_many_causes(migration: Migration) -> None:
    """The test above means something only if the mess is all there."""
    truth = migration.truth("dispositions")
    assert set(truth["place"]) == {"loaded", "combined", "rejected", "excluded", "held"}
    assert truth["cause"].n_unique() >= 15


def test_values_set_aside_are_those_of_the_truth(migration: Migration) -> None:
    """A repairable value arrives repaired, an impossible one is set aside with its row, nothing else is."""
    truth = migration.truth("values").select(*KEY, "rule").unique().sort(*KEY, "rule")
    assert truth.height > 0
    found = _set_aside(migration)
    # A name that is cut may be cut in the joined name as well: one fault, told once.
    wrong = pl.concat(
        [truth.join(found, on=[*KEY, "rule"], how="anti"), found.join(truth, on=[*KEY, "rule"], how="anti")]
    )
    assert wrong.head(20).to_dicts() == []


def _set_aside(migration: Migration) -> pl.DataFrame:
    from casebridge.migrate.pipeline import open_job

    with open_job(migration.folder, alone=False) as job:
        frames, origin = [], []
        for source in job.reads():
            for batch in job.ledger.sealed(job.run, "extract", str(source), "raw"):
                place = batch.scan().select("_row", "_file", "_line").collect()
                origin.append(place.with_columns(pl.lit(source.name).alias("source")))
        for spec in job.specs:
            if spec.part:
                continue
            for stage in ("transform", "load"):
                for batch in job.ledger.sealed(job.run, stage, spec.name, "quarantine"):
                    frames.append(batch.read().select("_row", "verdict", "rule"))
    rows = pl.concat(frames).filter(pl.col("verdict").is_in(["set_aside", "truncated"]))
    rows = rows.join(pl.concat(origin), on="_row").rename({"_file": "file", "_line": "line"})
    loaded = _dispositions(migration).filter(pl.col("place") == "loaded")
    return rows.join(loaded, on=KEY, how="semi").select(*KEY, "rule").unique().sort(*KEY, "rule")


def test_both_sides_of_the_books_balance(migration: Migration) -> None:
    """Unexplained is zero for every source and every target."""
    report = json.loads(migration.report_path().read_text(encoding="utf-8"))
    assert report["verdict"] == "balanced"
    assert {row["unexplained"] for row in report["sources"] + report["targets"]} == {0}
    truth = migration.truth("dispositions").group_by("source").len()
    extracted = {row["source"]: row["extracted"] for row in report["sources"]}
    assert extracted == dict(truth.iter_rows())


def test_the_same_seed_gives_the_same_report(shelf: Shelf, tmp_path: Path) -> None:
    """Byte for byte, in another folder, and whether the stages are done in one go or one by one."""
    other = make_migration(tmp_path / "project", small_council(tmp_path / "council"))
    other.run()
    assert other.report_path().read_bytes() == shelf.after("reconcile").report_path().read_bytes()


def test_every_blocker_of_a_merge_is_found_where_the_truth_has_it_and_nowhere_else(migration: Migration) -> None:
    """Over all pairs of records of one human being that load; each blocker occurs, and is missing somewhere."""
    people = migration.truth("people").filter(pl.col("pi_no").is_in(_loaded(migration).implode()))
    pairs = people.join(people, on="person").filter(pl.col("pi_no") < pl.col("pi_no_right"))
    both = [(f"carefirst:{a}", f"carefirst:{b}") for a, b in pairs.select("pi_no", "pi_no_right").iter_rows()]
    with open_job(migration.folder, alone=False) as job:
        rules = merge_rules(job, read_people(job.folder, job.specs))
        assert rules is not None
        found = look(job, rules, both, ["persons"])
    bare = pl.col("left_id", "right_id").str.strip_prefix("carefirst:")
    told = set(migration.truth("blockers").select("blocker", "pi_a", "pi_b").iter_rows())
    assert set(found.with_columns(bare).select("blocker", "left_id", "right_id").iter_rows()) == told
    counts = {name: sum(1 for blocker, *_ in told if blocker == name) for name in rules.by_name}
    assert all(0 < count < len(both) for count in counts.values()), counts


def _loaded(migration: Migration) -> pl.Series:
    rows = migration.truth("dispositions").filter(pl.col("source") == "CF_PERSON", pl.col("place") == "loaded")
    return rows.get_column("key")
