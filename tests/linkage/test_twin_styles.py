"""Twins, however they are named, are never merged: registers of several thousand people, several seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from benchmarks.kinds import PLAIN, VARIANTS, Variant
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import Fields, Linkage, link
from casebridge.dedupe.linkage.clusters import Edges, build_clusters
from tests.linkage.registers_for_tests import fields_of

SURE = 0.95
EACH = 40  # pairs of twins of each style
STYLES = {
    "of the mother": ("Infant of Rosalind", "Infant of Rosalind"),
    "baby of": ("Baby of Imogen", "BO Imogen"),
    "by sex": ("Male", "Male"),
    "by sex, both": ("Girl", "Female"),
    "letters": ("Baby A", "Baby B"),
    "words": ("Twin One", "Twin Two"),
    "figures first": ("1Rosalind", "2Rosalind"),
    "figures last": ("Rosalind 1", "Rosalind 2"),
    "initials": ("T", "B"),
    "an initial and a name": ("T", "Tabitha"),
    "no name yet": (None, "Tabitha"),
    "one shared word": ("Ana Sofia", "Ana Lucia"),
    "one shared word, hyphen": ("Jean-Luc", "Jean-Marc"),
    "a letter apart": ("Aidan", "Aiden"),
    "a letter more": ("Jon", "John"),
    "two letters apart": ("Jaspreet", "Harpreet"),
    "alike": ("Kaylee", "Kayla"),
    "short forms": ("Alexander", "Sasha"),
    "plain": ("Tabitha", "Fenella"),
}


@dataclass(frozen=True)
class Twins:
    """A register with twins of every style, and their ids."""

    frame: pl.DataFrame
    fields: Fields
    pairs: list[tuple[str, str, str]]


def with_twins(people: int, variant: Variant, seed: int) -> Twins:
    """A made-up register and EACH pairs of each style: one home, date, surname and phone; one in three pairs has a
    third record without a forename."""
    base = make_register(people, variant, seed=seed).select("id", *variant.columns).cast(pl.String)
    random, rows, pairs = np.random.default_rng(seed), [], []
    lasts = base["last"].drop_nulls().to_list()
    homes = base.select(pl.col("^(house|street|postcode)$")).drop_nulls().to_dicts()
    for style, names in STYLES.items():
        for number in range(EACH):
            day = f"{random.integers(1950, 2024)}-{random.integers(1, 13):02}-{random.integers(1, 29):02}"
            family = {
                "last": lasts[int(random.integers(len(lasts)))], "dob": day, "sex": "FM"[number % 2],
                "phone": f"07{random.integers(10**8, 10**9)}", **homes[int(random.integers(len(homes)))],
            }  # fmt: skip
            twins = (f"{style}/{number}/0", f"{style}/{number}/1")
            rows += [{"id": twin, "first": name, **family} for twin, name in zip(twins, names, strict=True)]
            pairs.append((style, *twins))
            if number % 3 == 0:
                rows.append({"id": f"{style}/{number}/2", **family})
    added = pl.DataFrame(
        [{name: row.get(name) for name in base.columns} for row in rows], schema=base.schema, strict=False
    )
    return Twins(pl.concat([base, added]), fields_of(variant), pairs)


def merged(found: Linkage, twins: Twins) -> tuple[list[str], list[str]]:
    """Styles of the pairs that stand in one cluster, and of those that are at SURE or above."""
    of = dict(found.clusters.select("id", "cluster").iter_rows())
    rows = found.pairs.filter(pl.col("p_same") >= SURE).select("left_id", "right_id").iter_rows()
    sure = {frozenset(row) for row in rows}
    joined = [style for style, a, b in twins.pairs if of[a] == of[b]]
    return joined, [style for style, a, b in twins.pairs if frozenset((a, b)) in sure]


@pytest.mark.parametrize(
    ("people", "kind", "seed"),
    [(2_000, "plain", 101), (5_000, "same names", 102), (3_000, "no nhs", 103), (3_000, "postcode only", 104)],
)
def test_twins_of_no_style_are_merged(people: int, kind: str, seed: int) -> None:
    twins = with_twins(people, VARIANTS[kind], seed)
    assert merged(link(twins.frame, twins.fields), twins) == ([], [])


def test_twins_of_one_name_whose_numbers_differ_are_not_merged() -> None:
    """One name, date and home: only what is known beside them can tell. The families are nobody's neighbours or
    namesakes: sixty of one street and all but one name would be sixty records of a few people to anybody."""
    base = make_register(2_500, PLAIN, seed=105).select("id", *PLAIN.columns).cast(pl.String)
    lasts = base["last"].drop_nulls().unique(maintain_order=True).to_list()
    numbers = base["nhs"].drop_nulls().unique(maintain_order=True).to_list()
    rows, pairs = [], []
    for number in range(60):
        family = {
            "first": "Tabitha", "last": lasts[number], "sex": "F",
            "dob": f"{1990 + number % 31}-0{1 + number % 9}-{10 + number % 18}",
            "house": str(number), "street": f"{lasts[-number - 1]} Rise", "postcode": f"YO{1 + number % 30} 7QQ",
        }  # fmt: skip
        kind = ("numbers", "middle names", "sexes")[number % 3]
        told: dict[str, tuple[dict[str, str], dict[str, str]]] = {
            "numbers": ({"nhs": numbers[2 * number]}, {"nhs": numbers[2 * number + 1]}),
            "middle names": ({"middle": "Rosalind"}, {"middle": "Gwen"}),
            "sexes": ({}, {"sex": "M"}),
        }
        ends = (f"{kind}/{number}/0", f"{kind}/{number}/1")
        rows += [{"id": end, **family, **own} for end, own in zip(ends, told[kind], strict=True)]
        pairs.append((kind, *ends))
    used = [row["nhs"] for row in rows if "nhs" in row]
    base = base.with_columns(nhs=pl.when(pl.col("nhs").is_in(used)).then(None).otherwise("nhs"))
    added = pl.DataFrame(
        [{name: row.get(name) for name in base.columns} for row in rows], schema=base.schema, strict=False
    )
    twins = Twins(pl.concat([base, added]), fields_of(PLAIN), pairs)
    assert merged(link(twins.frame, twins.fields), twins) == ([], [])


def test_two_told_apart_are_not_joined_through_a_third() -> None:
    """1 = 2 = 3, where 1 is the elder and 3 the younger: the weaker of the two pairs is cut."""
    edges = Edges(np.array([0, 1]), np.array([1, 2]), np.array([0.99, 0.98]))
    generation = {"styled as two generations": np.array([1, 0, 2], dtype=np.int8)}
    found = build_clusters(3, edges, {}, generation)
    assert found.of.tolist() == [0, 0, 2]
    assert found.cut == [(1, 2, "styled as two generations")]
    alike = {"styled as two generations": np.array([1, 0, 1], dtype=np.int8)}
    assert build_clusters(3, edges, {}, alike).of.tolist() == [0, 0, 0]
