"""Controls: money to the penny, codes by code, restricted records by id, contents by value."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hand_made import World

from casebridge import reconciliation
from casebridge.project.errors import ReconciliationFailed
from casebridge.reconciliation.counting.money import pounds, pounds_of


def account(world: World, key: str, **where: str) -> dict[str, Any]:
    found = [line for line in world.report()[key] if all(line[k] == v for k, v in where.items())]
    assert len(found) == 1
    line: dict[str, Any] = found[0]
    return line


def test_control_total_of_a_balanced_run(world: World) -> None:
    reconciliation.run(world.job)
    total = account(world, "control_totals", target="payments", column="amount")
    assert total["by"] == ["supplier_id", "period"]
    assert (total["loaded"], total["in_target"], total["difference"]) == ("1327.00", "1327.00", "0.00")
    assert total["source"] == {"loaded": "1327.00", "rejected": "7.25"}
    assert total["unreadable_amounts"] == 1
    lines = pl.read_csv(world.folder / "control_totals.csv", infer_schema=False)
    assert lines.select("party", "period", "source_loaded", "in_target").rows() == [
        ("O1", "202401", "1222.00", "1222.00"),
        ("O1", "202403", "5.00", "5.00"),
        ("O2", "202402", "100.00", "100.00"),
    ]


def test_a_penny_too_much(world: World) -> None:
    world.execute("UPDATE payments SET amount = 100.01 WHERE payment_id = 43")
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(world.job)
    assert world.failed() == {"contents_equal payments", "control_totals payments.amount by supplier_id, period"}
    assert account(world, "control_totals", column="amount")["difference"] == "0.01"
    check = next(
        c for c in world.report()["checks"] if c["check"] == "contents_equal" and c["verdict"] == "failed"
    )
    assert check["actual"] == "1 row differs in amount (1)"
    evidence = (world.folder / "evidence" / "payments.csv").read_text(encoding="utf-8")
    assert evidence == "finding,primary_key,detail\ncontents differ,43,3: amount\n"


def test_two_wrongs_that_make_a_right_total(world: World) -> None:
    """The sum over all agrees; by supplier it does not."""
    world.execute("UPDATE payments SET supplier_id = 2 WHERE payment_id = 46")
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(world.job)
    total = account(world, "control_totals", column="amount")
    assert total["difference"] == "0.00"
    assert total["groups_differing"] == 2


def test_an_amount_that_is_no_number(small_world: World) -> None:
    small_world.execute("UPDATE payments SET amount = 'abc' WHERE payment_id = 43")
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(small_world.job)
    assert "contents_equal payments" in small_world.failed()


@pytest.mark.parametrize(
    ("text", "same"), [("100", True), ("100.000", True), ("100.004", False), ("1e2", False), (" ", False)]
)
def test_how_sqlite_may_spell_an_amount(small_world: World, text: str, same: bool) -> None:
    small_world.execute(f"UPDATE payments SET amount = '{text}' WHERE payment_id = 43")  # noqa: S608
    if same:
        reconciliation.run(small_world.job)
        return
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(small_world.job)
    assert "contents_equal payments" in small_world.failed()


def test_an_empty_text_is_not_an_empty_value(world: World) -> None:
    world.execute("UPDATE orgs SET name = NULL WHERE id = 1")
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(world.job)
    assert world.failed() == {"contents_equal orgs"}


def test_text_with_every_awkward_character(world: World) -> None:
    """Quotes, commas, line ends and backslashes come back as they went in."""
    awkward = 'a "quoted", text\r\nwith \\N and \\. in it\n'
    old = world.job.ledger.sealed("trial-1", "load", "orgs", "rows")[0].read()
    more = world.load("orgs", "ORG", [{"_key": "O3", "_row": 1, "id": 3, "name": awkward}])
    empty = world.load("orgs", "ORG", [{"_key": "O4", "_row": 1, "id": 4, "name": ""}])
    world.seal("load", "orgs", world.batch("load", "orgs", {"rows": pl.concat([old, more, empty])}))
    world.fill("orgs", pl.concat([more, empty]))
    reconciliation.run(world.job)


def test_restricted_records_of_a_balanced_run(world: World) -> None:
    reconciliation.run(world.job)
    line = account(world, "restricted", target="persons")
    assert (line["expected"], line["actual"], line["opened"], line["closed"]) == (2, 2, 0, 0)
    assert line["source_rows"] == {"loaded": 1, "merged": 1, "held": 1}


def test_a_restriction_lost_in_a_merge(world: World) -> None:
    """P1 was open, but P4, folded into it, was not: most restrictive wins."""
    world.execute("UPDATE persons SET restricted = 'N' WHERE person_id = 11")
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(world.job)
    assert {"restricted_by_id persons", "contents_equal persons"} == world.failed()


def test_counts_that_agree_are_not_enough(world: World) -> None:
    """One restriction lost and one made up: the number is right, the people are wrong."""
    world.execute("UPDATE persons SET restricted = 'N' WHERE person_id = 12")
    world.execute("UPDATE persons SET restricted = 'Y' WHERE person_id = 13")
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(world.job)
    line = account(world, "restricted", target="persons")
    assert (line["expected"], line["actual"], line["opened"], line["closed"]) == (2, 2, 1, 1)


def test_codes_follow_the_day(world: World) -> None:
    """HV meant a health visitor until March 2004 and a home visit from April."""
    reconciliation.run(world.job)
    line = account(world, "codes", target="notes", column="note_type")
    assert (line["codes"], line["source"], line["in_target"], line["differing"]) == (2, 2, 2, [])


def test_a_code_translated_wrongly(world: World) -> None:
    """Load and target agree with one another; only the raw text says that both are wrong."""
    batch = world.job.ledger.sealed("trial-1", "load", "notes", "rows")[0]
    files = {"rows": batch.read().with_columns(note_type=pl.lit("HOMEVISIT"))}
    quarantine = world.job.ledger.sealed("trial-1", "load", "notes", "quarantine")[0].read()
    batch.path.unlink()
    world.seal("load", "notes", world.batch("load", "notes", {**files, "quarantine": quarantine}))
    world.execute("UPDATE notes SET note_type = 'HOMEVISIT'")
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(world.job)
    assert world.failed() == {"counts_by_code notes.note_type"}
    line = account(world, "codes", target="notes", column="note_type")
    assert line["differing"] == [["HEALTHVISITOR", 1, 0], ["HOMEVISIT", 1, 2]]


def test_amounts_are_written_exactly_one_by_one_and_all_at_once() -> None:
    pence = [0, 5, -5, 99, -100, 12_345, 2**63 - 1, 1 - 2**63]
    exact = [
        "0.00",
        "0.05",
        "-0.05",
        "0.99",
        "-1.00",
        "123.45",
        f"{2**63 - 1}"[:-2] + ".07",
        f"-{2**63 - 1}"[:-2] + ".07",
    ]
    assert [pounds(amount) for amount in pence] == exact
    assert pl.DataFrame({"a": pence}).select(pounds_of(pl.col("a"))).get_column("a").to_list() == exact
