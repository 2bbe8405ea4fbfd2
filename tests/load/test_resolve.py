"""One clean batch to target rows: references become ids, and children follow their parents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from casebridge.load.resolution.merge_duplicates import MERGE_DUPLICATES, merge_duplicates
from casebridge.load.resolution.resolve import Resolved, resolve
from casebridge.load.writing.row_bisect import REFUSED_ROWS
from casebridge.project.batch import write_batch
from casebridge.project.contracts import QUARANTINE
from casebridge.project.spec import ColumnSpec, ReadSpec, Source, TableSpec
from casebridge.project.tally import Tally
from casebridge.project.target import ColumnType, TargetColumn, TargetTable

BIGINT, TEXT = ColumnType("bigint"), ColumnType("text")
TABLE = TargetTable(
    "payments",
    ("id",),
    (
        TargetColumn("id", BIGINT),
        TargetColumn("old_key", TEXT),
        TargetColumn("person_id", BIGINT, references="persons"),
        TargetColumn("line_id", BIGINT, references="lines"),
        TargetColumn("clerk_id", BIGINT, references="workers"),
        TargetColumn("name", TEXT),
        TargetColumn("never_mapped", ColumnType("date")),
    ),
    legacy_key="old_key",
)
SPEC = TableSpec(
    "payments", "old", "payments", ("NO",),
    (ReadSpec(Source("old", "PAYMENT"), "PAYMENT.csv", "csv", "utf-8", ",", ("NO",)),),
    (
        ColumnSpec("person_id", TEXT, ("PERSON",), required=True, references="persons"),
        ColumnSpec("line_id", TEXT, ("LINE",), required=True, references="lines"),
        ColumnSpec("clerk_id", TEXT, ("CLERK",), references="workers"),
        ColumnSpec("name", TEXT, ("NAME",)),
        ColumnSpec("hint", TEXT, ("HINT",), evidence=True),
    ),
)  # fmt: skip

STANDING = {"_key": pl.String, "id": pl.Int64, "place": pl.String}
PERSONS = pl.DataFrame(
    [
        ("P1", 101, None),
        ("P2", None, "held"),
        ("P3", None, "rejected"),
        ("P4", None, "excluded"),
        ("P5", 101, None),
    ],
    schema=STANDING,
    orient="row",
)
LINES = pl.DataFrame([("L1", 7, None), ("L2", None, "held")], schema=STANDING, orient="row")
WORKERS = pl.DataFrame([("W1", 9, None), ("W2", None, "held")], schema=STANDING, orient="row")

ROWS = {"_key": pl.String, "_row": pl.Int64, "_rest": pl.List(pl.Int64), "person_id": pl.String,
        "line_id": pl.String, "clerk_id": pl.String, "name": pl.String, "ev_hint": pl.String}  # fmt: skip


def _clean(*rows: tuple[str | None, str | None, str | None]) -> pl.DataFrame:
    """Rows K1, K2 … with these persons, lines and clerks."""
    made = [(f"K{n}", n, None, *row, f"name {n}", "x") for n, row in enumerate(rows, start=1)]
    return pl.DataFrame(made, schema=ROWS, orient="row")


def _resolved(
    clean: pl.DataFrame, *, folded: tuple[str, ...] = (), golden: pl.DataFrame | None = None
) -> Resolved:
    ids = pl.DataFrame({"_key": [f"K{n}" for n in range(9, 0, -1)], "id": list(range(9, 0, -1))})
    made = resolve(
        clean, SPEC, TABLE, ids, {"person_id": PERSONS, "line_id": LINES, "clerk_id": WORKERS},
        pl.Series(folded, dtype=pl.String), clean.clear() if golden is None else golden,
        pl.DataFrame(schema=dict(MERGE_DUPLICATES)), pl.DataFrame(schema=dict(REFUSED_ROWS)),
    )  # fmt: skip
    assert made.tally.read == clean.height
    made.tally.balanced("here")
    assert made.quarantine.schema == QUARANTINE
    return made


def test_references_become_ids_and_unmapped_columns_null() -> None:
    (row,) = _resolved(_clean(("P1", "L1", "W1"))).rows.drop("_row", "_rest").to_dicts()
    assert row == {"_key": "K1", "id": 1, "old_key": "K1", "person_id": 101, "line_id": 7, "clerk_id": 9,
                   "name": "name 1", "never_mapped": None}  # fmt: skip


CASES = [
    (("P1", "L1", None), []),
    (("P5", "L1", "W1"), []),
    (("P9", "L1", None), [("rejected", True, "person_id", "orphan", "P9", "persons:P9")]),
    (("P2", "L1", None), [("held", True, "person_id", "parent", "P2", "persons:P2")]),
    (("P3", "L1", None), [("rejected", True, "person_id", "parent", "P3", "persons:P3")]),
    (("P4", "L1", "W9"), [("excluded", True, "person_id", "parent", "P4", "persons:P4")]),
    (("P1", "L2", None), [("held", True, "line_id", "parent", "L2", "lines:L2")]),
    (("P2", "L9", None), [("held", True, "person_id", "parent", "P2", "persons:P2")]),
    (("P9", "L2", None), [("rejected", True, "person_id", "orphan", "P9", "persons:P9")]),
    (("P1", "L1", "W9"), [("set_aside", False, "clerk_id", "orphan", "W9", "workers:W9")]),
    (("P1", "L1", "W2"), [("set_aside", False, "clerk_id", "parent", "W2", "workers:W2")]),
]


@pytest.mark.parametrize(("row", "entries"), CASES)
def test_where_a_child_goes(
    row: tuple[str, str, str | None], entries: list[tuple[str, bool, str, str, str, str]]
) -> None:
    """Of two parents that are not there the first in the spec counts; an optional one never costs the row."""
    made = _resolved(_clean(row))
    found = made.quarantine.select("verdict", "first", "column", "rule", "value", "parent")
    assert list(found.iter_rows()) == entries
    assert made.rows.height == (0 if entries and entries[0][1] else 1)
    assert made.rows["clerk_id"].to_list() in ([], [9 if row[2] == "W1" else None])


def test_a_folded_keys_children_point_at_the_survivor() -> None:
    """P5 was folded into P1: the register gives both the same id."""
    assert _resolved(_clean(("P1", "L1", None), ("P5", "L1", None))).rows["person_id"].to_list() == [101, 101]


def test_a_folded_row_is_merged_and_not_written() -> None:
    made = _resolved(_clean(("P1", "L1", None), ("P1", "L1", None)), folded=("K2",))
    assert made.rows["_key"].to_list() == ["K1"]
    assert made.tally.merged == 1


def test_a_golden_row_overrides_its_own_and_no_other_batchs() -> None:
    """Its references are resolved like any other's; golden rows of keys that are not here stay away."""
    clean = _clean(("P1", "L1", None), ("P9", "L1", None), ("P1", "L1", None))
    golden = _clean(("P1", "L1", "W1"), ("P5", "L1", "W9"), ("P1", "L1", None), ("P1", "L1", None))[[0, 1, 3]]
    golden = golden.with_columns(name=pl.lit("golden"))
    made = _resolved(clean, golden=golden)
    assert made.rows.select("_key", "name", "clerk_id").rows() == [
        ("K1", "golden", 9), ("K2", "golden", None), ("K3", "name 3", None),
    ]  # fmt: skip
    assert made.quarantine["rule"].to_list() == ["orphan"]


def test_rows_stand_in_the_order_of_their_source_and_then_of_their_keys() -> None:
    clean = _clean(*[("P1", "L1", None)] * 3)
    clean = clean.with_columns(_key=pl.Series(["Z1", "K1", "B1"]), _row=pl.Series([1, 2, 2]))
    assert _resolved(clean, golden=clean[2:3]).rows["_key"].to_list() == ["Z1", "B1", "K1"]


def test_a_reference_to_another_table_is_never_to_the_row_itself() -> None:
    """W1 has the id that row K9 has in its own table."""
    made = _resolved(_clean(*[("P1", "L1", "W1")] * 9))
    assert made.rows["clerk_id"].to_list() == [9] * 9


def test_the_parents_order_and_the_batchs_order_change_nothing() -> None:
    clean = _clean(("P1", "L1", "W1"), ("P2", "L1", None), ("P9", "L1", None), ("P1", "L1", "W9"))
    one, other = _resolved(clean), _resolved(clean.reverse())
    assert one.rows.sort("_row").equals(other.rows.sort("_row"))
    assert one.quarantine.sort("_row").equals(other.quarantine.sort("_row"))
    assert one.tally == other.tally


NAMES = ("id", "reason", "place", "keeper", "touched", "old_person_id")
"""Columns of the target that are called as ours are in one place or another."""
LETTERS = TargetTable(
    "letters", ("letter_id",),
    (TargetColumn("letter_id", BIGINT), TargetColumn("person_id", BIGINT, references="persons"),
     *(TargetColumn(name, TEXT) for name in NAMES)),
)  # fmt: skip
NAMED = TableSpec(
    "letters", "old", "letters", ("NO",), SPEC.reads,
    (ColumnSpec("person_id", TEXT, ("PERSON",), required=True, references="persons"),
     *(ColumnSpec(name, TEXT, (name,)) for name in NAMES)), once=("person_id", "touched", "old_person_id"),
)  # fmt: skip


def _letters(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """Rows K1, K2 … of these persons; `touched` and `old_person_id`; what else is said is the column's name."""
    made = [
        (f"K{n}", n, None, person, *NAMES[:4], touched, old)
        for n, (person, touched, old) in enumerate(rows, start=1)
    ]
    return pl.DataFrame(
        made, schema={**ROWS_ALONE, **dict.fromkeys(("person_id", *NAMES), pl.String)}, orient="row"
    )


ROWS_ALONE = {"_key": pl.String, "_row": pl.Int64, "_rest": pl.List(pl.Int64)}


def test_a_column_of_the_target_may_be_called_as_one_of_ours(tmp_path: Path) -> None:
    """P5 was folded into P1: K2 now says what K1 says, and K3, which the target refused, does not."""
    clean = _letters(("P1", "x", "a"), ("P5", "x", "a"), ("P5", "y", "a"), ("P5", "x", "b"))
    batch = write_batch(tmp_path, "transform", "letters", 0, "clean", "inputs", clean)
    folded = pl.Series(["P5"])
    duplicates = merge_duplicates(NAMED, [batch], {"person_id": PERSONS}, {"person_id": folded})
    assert duplicates.rows() == [("K2", 2, "K1", False)]
    refused = pl.DataFrame([("K3", "the target says no")], schema=dict(REFUSED_ROWS), orient="row")
    ids = pl.DataFrame({"_key": ["K1", "K2", "K3", "K4"], "id": [11, 12, 13, 14]})
    made = resolve(
        clean, NAMED, LETTERS, ids, {"person_id": PERSONS}, folded.clear(), clean.clear(), duplicates, refused
    )
    assert made.rows.drop("_row").rows() == [
        ("K1", [2], 11, 101, *NAMES[:4], "x", "a"), ("K4", None, 14, 101, *NAMES[:4], "x", "b"),
    ]  # fmt: skip
    assert made.quarantine.select("verdict", "first", "column", "parent").rows() == [
        ("rejected", True, None, None)
    ]
    assert made.tally == Tally(read=4, combined=1, rejected=1, passed=2)
    assert made.quarantine.select("_key", "rule", "value").rows() == [
        ("K3", "refused_by_target", "the target says no")
    ]


FAMILY = TargetTable(
    "persons", ("person_id",),
    (TargetColumn("person_id", BIGINT), TargetColumn("mother_id", BIGINT, references="persons")),
)  # fmt: skip
CHILD = TableSpec(
    "persons",
    "old",
    "persons",
    ("NO",),
    SPEC.reads,
    (ColumnSpec("mother_id", TEXT, ("M",), references="persons"),),
)


RELATED = TableSpec(
    "relations", "old", "relations", ("NO",), SPEC.reads,
    (ColumnSpec("third_id", TEXT, ("T",), required=True, references="persons"),
     ColumnSpec("person_id", TEXT, ("P",), required=True, references="persons"),
     ColumnSpec("clerk_id", TEXT, ("C",), required=True, references="workers"),
     ColumnSpec("other_id", TEXT, ("O",), required=True, references="persons"), ColumnSpec("kind", TEXT, ("K",))),
    once=("person_id", "clerk_id", "other_id", "kind"),
)  # fmt: skip
RELATIONS = [
    ("R3", 3, "P5", "P2", "kin"), ("R1", 1, "P1", "P2", "kin"), ("R2", 2, "P1", "P2", "kin"),
    ("R4", 4, "P1", "P5", "kin"), ("R5", 5, "P1", "P1", "kin"), ("R6", 6, "P2", "P1", "kin"),
    ("R7", 7, "P2", "P1", "kin"), ("R8", 8, "P5", "P6", "kin"), ("R9", 9, "P1", "P6", "kin"),
    ("Z1", 10, "P2", "P5", "friend"), ("A1", 11, "P2", "P1", "friend"),
    ("X1#b", 12, "P5", "P2", "part"), ("X1#a", 12, "P5", "P2", "part"),
]  # fmt: skip


def test_which_rows_a_merge_made_superfluous(tmp_path: Path) -> None:
    """P5 became P1. The first row stays; R4 relates one person to himself, which R5 did before; of R6 and R7,
    which no merge touched, both stay; R8 and R9 relate somebody to one who is not there."""
    schema = {"_key": pl.String, "_row": pl.Int64, **dict.fromkeys(RELATED.once, pl.String)}
    rows = pl.DataFrame([(*line[:3], "W1", *line[3:]) for line in RELATIONS], schema=schema, orient="row")
    batches = [
        write_batch(tmp_path, "transform", "relations", n, "clean", "inputs", part)
        for n, part in enumerate((rows[:2], rows[2:]))
    ]
    ids = pl.DataFrame([("P1", 101, None), ("P5", 101, None), ("P2", 102, None), ("P6", None, "held")],
                       schema=STANDING, orient="row")  # fmt: skip
    people = ("person_id", "other_id", "third_id")
    parents = {**dict.fromkeys(people, ids), "clerk_id": WORKERS}
    folded = {**dict.fromkeys(people, pl.Series(["P5"])), "clerk_id": pl.Series([], dtype=pl.String)}
    found = merge_duplicates(RELATED, batches, parents, folded)
    assert found.schema == MERGE_DUPLICATES
    assert found.rows() == [
        ("R4", 4, None, True), ("R2", 2, "R1", False), ("R3", 3, "R1", False), ("A1", 11, "Z1", False),
        ("X1#b", 12, "X1#a", False),
    ]  # fmt: skip
    nobody = dict.fromkeys(parents, pl.Series([], dtype=pl.String))
    for none in (
        merge_duplicates(RELATED, [], parents, folded),
        merge_duplicates(RELATED, batches, parents, nobody),
    ):
        assert (none.height, none.schema) == (0, MERGE_DUPLICATES)


def test_a_reference_that_a_merge_turned_on_its_own_row_is_set_aside() -> None:
    """K2 was folded into K1, and K4 took in its own mother; K3 was its own mother before: nobody mends it here."""
    mothers = {"K1": "K2", "K3": "K3", "K4": "K4", "K5": "K3", "K6": None, "K7": "K9"}
    schema = {**ROWS_ALONE, "mother_id": pl.String}
    clean = pl.DataFrame([(k, int(k[1]), None, m) for k, m in mothers.items()], schema=schema, orient="row")
    golden = clean.filter(pl.col("_key") == "K4").with_columns(_rest=pl.Series([[40]], dtype=pl.List(pl.Int64)))
    ids = pl.DataFrame({"_key": [f"K{n}" for n in range(1, 8)], "id": range(1, 8)})
    known = ids.with_columns(
        id=pl.when(pl.col("_key") == "K2").then(1).otherwise("id"), place=pl.lit(None, pl.String)
    )
    none = clean.select("_key").clear()
    made = resolve(
        clean, CHILD, FAMILY, ids, {"mother_id": known}, none["_key"], golden,
        pl.DataFrame(schema=dict(MERGE_DUPLICATES)), pl.DataFrame(schema=dict(REFUSED_ROWS)),
    )  # fmt: skip
    assert made.rows.select("_key", "person_id", "mother_id").rows() == [
        ("K1", 1, None), ("K3", 3, 3), ("K4", 4, None), ("K5", 5, 3), ("K6", 6, None), ("K7", 7, None),
    ]  # fmt: skip
    assert made.quarantine.select("_key", "verdict", "first", "rule", "value").rows() == [
        ("K1", "set_aside", False, "self_relationship_after_merge", "K2"),
        ("K4", "set_aside", False, "self_relationship_after_merge", "K4"),
        ("K7", "set_aside", False, "orphan", "K9"),
    ]  # fmt: skip
    assert made.tally == Tally(read=6, passed=6, set_aside=3)


def test_what_a_merge_made_superfluous_is_named_by_the_row_that_stays() -> None:
    """And a relationship between two records that became one is left behind on purpose."""
    clean = _clean(*[("P1", "L1", None)] * 6).with_columns(
        _rest=pl.Series([[9], None, None, None, [8], None], dtype=pl.List(pl.Int64))
    )
    lines = [("K4", 4, "K1", False), ("K3", 3, "K1", False), ("K2", 2, None, True)]
    duplicates = pl.DataFrame(lines, schema=dict(MERGE_DUPLICATES), orient="row")
    ids = pl.DataFrame({"_key": [f"K{n}" for n in range(1, 7)], "id": range(1, 7)})
    made = resolve(
        clean, SPEC, TABLE, ids, {"person_id": PERSONS, "line_id": LINES, "clerk_id": WORKERS},
        pl.Series([], dtype=pl.String), clean.clear(), duplicates, pl.DataFrame(schema=dict(REFUSED_ROWS)),
    )  # fmt: skip
    assert made.rows.select("_key", "_rest").rows() == [("K1", [9, 3, 4]), ("K5", [8]), ("K6", None)]
    assert made.quarantine.drop("_row", "_rest", "_key").rows() == [
        ("excluded", True, None, "self_relationship_after_merge", None, None)
    ]
    assert made.quarantine["_key"].to_list() == ["K2"]
    assert made.tally == Tally(read=6, combined=2, excluded=1, passed=3)
    assert made.rows.schema["never_mapped"] == pl.Date


def test_a_spec_of_folded_records_takes_no_others() -> None:
    """The part that sets its rows apart ends their keys."""
    spec = replace(SPEC, part="old", merged_only=True)
    keys = pl.Series("_key", ["K1#old", "K2#old", "K3#old"])
    clean = _clean(*[("P1", "L1", None)] * 3).with_columns(keys)
    made = resolve(
        clean, spec, TABLE, pl.DataFrame({"_key": keys, "id": [1, 2, 3]}),
        {"person_id": PERSONS, "line_id": LINES, "clerk_id": WORKERS}, pl.Series(["K2", "K9"]), clean.clear(),
        pl.DataFrame(schema=dict(MERGE_DUPLICATES)), pl.DataFrame(schema=dict(REFUSED_ROWS)),
    )  # fmt: skip
    assert made.rows.select("_key", "id").rows() == [("K2#old", 2)]
    assert made.tally == Tally(read=1, passed=1)


def test_a_table_whose_key_the_spec_says_keeps_the_old_key_in_its_own_type() -> None:
    table = TargetTable(
        "codes", ("code",), (TargetColumn("code", TEXT), TargetColumn("number", BIGINT)), legacy_key="number",
        natural_key=True,
    )  # fmt: skip
    spec = TableSpec("codes", "old", "codes", ("NO",), SPEC.reads, (ColumnSpec("code", TEXT, ("CODE",)),))
    clean = pl.DataFrame([("12", 1, None, "C12")], schema={**ROWS_ALONE, "code": pl.String}, orient="row")
    made = resolve(
        clean, spec, table, pl.DataFrame(schema={"_key": pl.String, "id": pl.String}), {},
        pl.Series([], dtype=pl.String), clean.clear(), pl.DataFrame(schema=dict(MERGE_DUPLICATES)),
        pl.DataFrame(schema=dict(REFUSED_ROWS)),
    )  # fmt: skip
    assert made.rows.select("code", "number").rows() == [("C12", 12)]


def test_no_rows_give_no_rows_of_the_same_shape() -> None:
    assert _resolved(_clean()).rows.schema == _resolved(_clean(("P1", "L1", None))).rows.schema
