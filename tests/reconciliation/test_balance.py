"""Every source row has its one place, and every target row its source rows, on both databases."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hand_made import MARKER, World

from casebridge import reconciliation
from casebridge.project.errors import ReconciliationFailed
from casebridge.project.tally import Tally


def test_a_migration_in_balance(world: World) -> None:
    tally = reconciliation.run(world.job)
    assert world.failed() == set()
    assert tally == Tally(
        read=25, passed=11, combined=2, merged=1, rejected=7, excluded=1, held=3, set_aside=1, warned=0
    )
    report = world.report()
    assert report["verdict"] == "balanced"
    assert report["undecided_pairs"] == 1
    person = next(line for line in report["sources"] if line["source"] == "PERSON")
    assert person == {
        "system": "old", "source": "PERSON", "extracted": 9, "loaded": 3, "merged": 1, "combined": 0,
        "rejected": 3, "excluded": 1, "held": 1, "unexplained": 0,
    }  # fmt: skip
    phones = next(line for line in report["targets"] if line["target"] == "phones")
    assert (phones["rows"], phones["explained"], phones["unexplained"]) == (2, 2, 0)


def test_places_and_first_causes(small_world: World) -> None:
    reconciliation.run(small_world.job)
    assert small_world.places("PERSON") == {
        1: ("loaded", None),
        2: ("loaded", None),
        3: ("loaded", None),
        4: ("merged", None),
        5: ("rejected", "required"),
        6: ("excluded", "test_record"),
        7: ("held", "one_of"),
        8: ("rejected", "duplicate_key"),
        9: ("rejected", "ragged_line"),
    }
    assert small_world.places("NOTE") == {
        1: ("loaded", None), 2: ("combined", None), 3: ("combined", None), 4: ("loaded", None),
        5: ("rejected", "parent"), 6: ("rejected", "parent"),
        7: ("held", "missing_chunk"), 8: ("held", "missing_chunk"),
    }  # fmt: skip
    lines = pl.read_parquet(small_world.folder / "dispositions.parquet")
    child = lines.filter((pl.col("source") == "PAYMENT") & (pl.col("key") == "4")).row(0, named=True)
    assert child == {
        "system": "old", "source": "PAYMENT", "file": "PAYMENT.csv", "line": 5,
        "row": small_world.row("PAYMENT", 4), "key": "4", "place": "rejected", "cause": "parent",
        "column": "person_id", "parent": "persons:P5",
    }  # fmt: skip
    assert lines.filter(pl.col("cause") == "ragged_line")["key"].to_list() == [None]
    places = lines.select("system", "source", "row").rows()
    assert places == sorted(places)


def test_what_an_orphan_points_at_is_not_told(small_world: World) -> None:
    """Nobody read it as a key. It may be a sentence about somebody that was typed into the wrong field."""
    typed = "persons:ask for John Smith"
    orphan = {"verdict": "rejected", "rule": "orphan", "column": "person_id", "parent": typed, "value": typed}
    for name, source in (("notes", "NOTE"), ("payments", "PAYMENT")):
        rows = small_world.job.ledger.sealed("trial-1", "load", name, "rows")[0].read()
        left = small_world.quarantine(source, {"place": 5, "rest": [6], **orphan} if name == "notes" else
                                      {"place": 4, **orphan})  # fmt: skip
        small_world.seal("load", name, small_world.batch("load", name, {"rows": rows, "quarantine": left}))
    reconciliation.run(small_world.job)
    lines = pl.read_parquet(small_world.folder / "dispositions.parquet")
    orphans = lines.filter(pl.col("cause") == "orphan")
    assert orphans.select("place", "column", "parent").unique().rows() == [("rejected", "person_id", None)]
    assert orphans.height == 3
    for path in small_world.folder.glob("*.*"):
        text = str(lines.rows()) if path.suffix == ".parquet" else path.read_text(encoding="utf-8")
        assert "Smith" not in text, path.name


def test_the_excluded_have_an_owner(small_world: World) -> None:
    reconciliation.run(small_world.job)
    causes = {line["cause"]: line for line in small_world.report()["causes"]}
    assert causes["test_record"]["owner"] == "Head of Performance"


def test_a_part_of_a_row_does_not_place_it(world: World) -> None:
    """P3's person row is lost everywhere; that a telephone of P3 arrived must not hide it."""
    lost = world.row("PERSON", 3)
    batch = world.job.ledger.sealed("trial-1", "load", "persons", "rows")[0]
    without = batch.read().filter(pl.col("_row") != lost)
    world.seal("load", "persons", world.batch("load", "persons", {"rows": without}))
    phone = world.load("phones", "PERSON", [{"_key": "P3#phone", "_row": 3, "phone_id": 23, "number": "1"}])
    world.seal("load", "phones", _again(world, "phones", phone))
    world.fill("phones", phone)
    world.execute("DELETE FROM payments WHERE person_id = 13")
    world.execute("DELETE FROM persons WHERE person_id = 13")
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(world.job)
    assert world.places("PERSON")[3] == ("unexplained", None)
    assert "rows_balance old.PERSON" in world.failed()


def _again(world: World, spec: str, more: pl.DataFrame) -> dict[str, object]:
    old = world.job.ledger.sealed("trial-1", "load", spec, "rows")[0].read()
    return world.batch("load", spec, {"rows": pl.concat([old, more])})


def test_a_row_lost_on_the_way(world: World) -> None:
    world.execute("DELETE FROM notes WHERE note_id = 31")
    with pytest.raises(ReconciliationFailed) as failure:
        reconciliation.run(world.job)
    assert failure.value.report == world.folder / "report.html"
    assert world.failed() == {"rows_balance old.NOTE", "specs_balance notes", "all_written notes"}
    notes = next(line for line in world.report()["sources"] if line["source"] == "NOTE")
    assert (notes["unexplained"], notes["loaded"], notes["combined"]) == (3, 1, 0)
    assert [world.places("NOTE")[place][0] for place in (1, 2, 3, 4)] == ["unexplained"] * 3 + ["loaded"]


def test_a_row_nobody_explains(world: World) -> None:
    world.execute("INSERT INTO phones (phone_id, person_id, number) VALUES (99, 11, '1')")
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(world.job)
    assert world.failed() == {"target_explained phones"}
    assert "99" in (world.folder / "evidence" / "phones.csv").read_text(encoding="utf-8")


def test_a_row_doubled_in_the_target(world: World) -> None:
    """Vendors' tables do not always have the key constraint that ours have."""
    if world.job.open_target().dialect.name == "postgresql":
        world.execute("ALTER TABLE phones DROP CONSTRAINT phones_pkey")
    else:
        world.execute("ALTER TABLE phones RENAME TO old_phones")
        world.execute("CREATE TABLE phones AS SELECT * FROM old_phones")
    world.execute("INSERT INTO phones SELECT * FROM phones WHERE phone_id = 21")
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(world.job)
    assert world.failed() == {"target_explained phones", "keys_unique phones"}
    phones = next(line for line in world.report()["targets"] if line["target"] == "phones")
    assert (phones["rows"], phones["explained"], phones["unexplained"]) == (3, 2, 1)


def test_a_reference_that_does_not_resolve(world: World) -> None:
    world.execute("UPDATE phones SET person_id = 77 WHERE phone_id = 24")
    world.execute("UPDATE orgs SET parent_id = 5 WHERE id = 2")
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(world.job)
    failed = world.failed()
    assert {"references_resolve phones.person_id", "references_resolve orgs.parent_id"} <= failed
    assert {"contents_equal phones", "contents_equal orgs"} <= failed


def test_a_table_that_is_gone(world: World) -> None:
    world.execute("DROP TABLE phones")
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(world.job)
    assert "all_written phones" in world.failed()


def test_a_merged_record_that_stands_apart(world: World) -> None:
    four = {"_key": "P4", "_row": 4, "person_id": 14, "last_name": MARKER, "gender": "F", "restricted": "Y"}
    more = world.load("persons", "PERSON", [four])
    world.seal("load", "persons", _again(world, "persons", more))
    world.fill("persons", more)
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(world.job)
    assert "merges_done crosswalk" in world.failed()
    assert world.places("PERSON")[4] == ("loaded", None)


def test_a_merged_record_without_its_survivor(world: World) -> None:
    world.execute("DELETE FROM persons WHERE person_id = 11")
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(world.job)
    assert world.places("PERSON")[4][0] == "unexplained"


def test_a_file_that_was_changed_is_not_believed(small_world: World) -> None:
    batch = small_world.job.ledger.sealed("trial-1", "load", "notes", "rows")[0]
    batch.read().with_columns(note=pl.lit("other")).write_parquet(batch.path)
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(small_world.job)
    assert "files_unchanged load" in small_world.failed()
    assert "rows_balance old.NOTE" in small_world.failed()


def test_a_row_extracted_twice(small_world: World) -> None:
    batch = small_world.job.ledger.sealed("trial-1", "extract", "old.ORG", "raw")[0]
    first = {"raw": batch}
    second = small_world.batch("extract", "old.ORG", {"raw": batch.read().head(1)}, number=1)
    small_world.seal("extract", "old.ORG", first, second)
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(small_world.job)
    assert small_world.failed() == {"extracted_once all sources"}


def test_lineage_to_a_row_that_was_never_extracted(small_world: World) -> None:
    stranger = small_world.quarantine("NOTE", {"place": 99, "verdict": "held", "rule": "missing_chunk"})
    small_world.seal("transform", "old.NOTE", small_world.batch("transform", "old.NOTE", {"quarantine": stranger}))
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(small_world.job)
    assert small_world.failed() == {"lineage_known all sources"}


def test_the_same_data_gives_the_same_bytes(small_world: World) -> None:
    names = ("report.json", "report.html", "dispositions.parquet", "control_totals.csv")
    reconciliation.run(small_world.job)
    first = [(small_world.folder / name).read_bytes() for name in names]
    reconciliation.run(small_world.job)
    assert [(small_world.folder / name).read_bytes() for name in names] == first


def test_the_first_keys_of_the_report_are_a_promise(small_world: World) -> None:
    reconciliation.run(small_world.job)
    text = (small_world.folder / "report.json").read_text(encoding="utf-8")
    promised = ["run", "target", "verdict", "undecided_pairs", "sources", "targets"]
    assert list(json.loads(text))[:6] == promised
    assert str(small_world.job.folder) not in text


@pytest.mark.parametrize("spoil", [False, True])
def test_no_value_of_a_record_leaves_the_data(world: World, spoil: bool) -> None:
    """Not even when the very values are what is wrong."""
    if spoil:
        world.execute("UPDATE persons SET last_name = 'Marker II', gender = 'Z', restricted = 'N'")
        world.execute("UPDATE payments SET period = 'Marker', supplier_id = 7")
        world.execute("UPDATE notes SET note_type = 'Marker'")
        with pytest.raises(ReconciliationFailed) as failure:
            reconciliation.run(world.job)
        assert "Marker" not in f"{failure.value} {failure.value.hint}"
    else:
        reconciliation.run(world.job)
    for path in world.folder.rglob("*"):
        if path.is_file():
            assert b"Marker" not in path.read_bytes(), path.name
