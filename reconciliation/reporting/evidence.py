"""Where the evidence lies: the keys behind every difference, for the people who have to look."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from casebridge.project.batch import write_file, write_text
from casebridge.project.csv_cells import as_text, as_texts, csv_text
from casebridge.reconciliation.counting.money import Account, pounds_of
from casebridge.reconciliation.counting.recount import Books


def write_evidence(books: Books, folder: Path) -> None:
    """A file of keys for each target table with a difference; files of an earlier attempt go."""
    for old in (folder / "evidence").glob("*.csv"):
        old.unlink()
    restriction = books.restriction.accounts
    for name, side in books.sides.items():
        accounts = [account for account in restriction if account.table == name]
        lines: list[tuple[str, object, str]] = [
            *(("nobody's row", side.key(key), "") for key in side.nobodys_ids),
            *(("written but not there", side.key(key), "") for key in side.missing_ids),
            *(
                ("contents differ", key, f"{legacy}: {columns}")
                for key, legacy, columns in books.differences[name]
            ),
            *(("orphan", side.key(key), column) for column, keys in side.orphan_ids.items() for key in keys),
            *(("restriction lost", key, a.column) for a in accounts for key in a.opened_ids),
            *(("restriction without cause", key, a.column) for a in accounts for key in a.closed_ids),
            *(("restriction kept", key, a.column) for a in accounts for key in a.kept_ids),
        ]
        if lines:
            write_text(folder / "evidence" / f"{name}.csv", csv_text(("finding", "primary_key", "detail"), lines))


def write_control_totals(books: Books, path: Path) -> None:
    """All groups of all control totals. Parties by their keys, amounts exact."""
    header = ("target", "column", "party", "period", "source_loaded", "in_target", "difference")
    title, accounts = csv_text(header, ()).encode(), books.money.accounts
    write_file(path, lambda file: file.writelines([title, *map(_groups, accounts)]))


def _groups(account: Account) -> bytes:
    """The groups of one control total, a line each."""
    groups = account.groups.with_columns(difference=pl.col("target") - pl.col("source"))
    lines = groups.select(
        pl.lit(as_text(account.table)).alias("table"),
        pl.lit(as_text(account.column)).alias("column"),
        *(as_texts(groups.get_column(name)) for name in ("party", "period")),
        *(pounds_of(pl.col(name)) for name in ("source", "target", "difference")),
    )
    return lines.write_csv(include_header=False).encode()
