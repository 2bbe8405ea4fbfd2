"""Splink on the same register, at its best fair settings. An extra: the project does not depend on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl
import splink.comparison_library as cl
from splink import Linker, SettingsCreator, block_on
from splink.backends.duckdb import DuckDBAPI

KEYS = {
    "nhs_number": "nhs", "phone": "phone", "postcode": "postcode", "birth_date": "dob", "surname": "last",
    "forename": "first", "sex": "sex", "street": "street", "house": "house", "birth_year": "birth_year",
    "middle_name": "middle",
}  # fmt: skip


def run_splink(
    file: Path,
    columns: Sequence[str],
    rules: Sequence[Sequence[str]],
    out: Path,
    threads: int = 2,
    keep: float = 0.01,
) -> None:
    """Train, score and cluster; pairs at p >= keep go to out/pairs.parquet, clusters to out/clusters.parquet.

    Typed birth dates, term frequencies on names and postcode, no retained columns; house and street left out,
    for they make a two-class model learn households.
    """
    connection = duckdb.connect()
    connection.execute(f"set threads = {threads}")
    has = set(columns)
    source = connection.read_parquet(str(file))
    held = ", ".join(f'"{c}"' for c in columns if c not in ("dob", "middle", "house", "street"))
    extra = ', try_cast("dob" as date) as dob, year(try_cast("dob" as date)) as birth_year' if "dob" in has else ""
    connection.execute(f"create table people as select id, {held}{extra} from source")  # noqa: S608
    del source
    api = DuckDBAPI(connection)
    comparisons = [cl.ForenameSurnameComparison("first", "last").configure(term_frequency_adjustments=False)]
    comparisons = [cl.ForenameSurnameComparison("first", "last")]
    if "dob" in has:
        comparisons.append(cl.DateOfBirthComparison("dob", input_is_string=False))
    if "postcode" in has:
        comparisons.append(cl.PostcodeComparison("postcode").configure(term_frequency_adjustments=True))
    comparisons += [cl.ExactMatch(c) for c in ("sex", "nhs", "phone") if c in has]
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="id",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=[splink_rule(r) for r in rules],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
    )
    linker = Linker(api.register("people"), settings, log_level=40)
    certain = [block_on("first", "last", "dob")] + ([block_on("nhs")] if "nhs" in has else [])
    linker.training.estimate_probability_two_random_records_match(certain, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for session in (block_on("first", "last"), block_on("dob")):
        linker.training.estimate_parameters_using_expectation_maximisation(session, max_pairs=1e6)
    pairs = linker.inference.predict(threshold_match_probability=keep)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=0.5)
    out.mkdir(parents=True, exist_ok=True)
    for frame, name in ((pairs, "pairs"), (clusters, "clusters")):
        connection.execute(f"copy {frame.physical_name} to '{out / name}.parquet' (format parquet)")
    found = pl.read_parquet(out / "pairs.parquet")
    found = found.rename({"id_l": "left_id", "id_r": "right_id", "match_probability": "p_same"})
    found.select("left_id", "right_id", "p_same").write_parquet(out / "pairs.parquet")


def splink_rule(rule: Sequence[str]) -> object:
    """One of the engine's blocking rules in Splink's words; "names" is forename and surname as they stand."""
    columns: list[str] = []
    for part in rule:
        columns += ["first", "last"] if part == "names" else [KEYS[part]]
    return block_on(*columns)
