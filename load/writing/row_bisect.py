"""Which rows of a batch the target does not take: found by halving, in a transaction that is taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl
import sqlalchemy as sa

from casebridge.load.writing.retry import is_row_error
from casebridge.load.writing.writers import Writer
from casebridge.project.contracts import KEY
from casebridge.project.database import DRIVER_ERRORS, refusal

REFUSED = "refused"
REFUSED_ROWS: Mapping[str, pl.DataType] = {KEY: pl.String(), "reason": pl.String()}


def refused_rows(
    connection: sa.Connection, table: sa.Table, rows: pl.DataFrame, keys: pl.Series, writer: Writer
) -> pl.DataFrame:
    """REFUSED_ROWS among `rows` (exactly the table's columns), whose legacy keys are `keys`.

    What goes in stays in for the rest of the caller's transaction, so that of two rows that exclude one
    another the first is taken. About 2 n log2(N/n) statements for n refused rows among N.
    """
    found: list[tuple[str, str]] = []
    parts = [(rows, keys)]
    while parts:
        part, names = parts.pop()
        reason = _attempt(connection, lambda part=part: writer(connection, table, part))  # type: ignore[misc]
        if reason is None:
            continue
        if part.height == 1:
            found.append((str(names[0]), reason))
            continue
        half = part.height // 2
        parts += [(part[half:], names[half:]), (part[:half], names[:half])]
    return pl.DataFrame(found, schema=dict(REFUSED_ROWS), orient="row")


def _attempt(connection: sa.Connection, write: Callable[[], None]) -> str | None:
    """Write inside a savepoint; the target's reason when it refuses."""
    savepoint = connection.begin_nested()
    try:
        write()
    except DRIVER_ERRORS as error:
        savepoint.rollback()
        if not is_row_error(error):
            raise
        return refusal(connection.engine.url, error).reason
    savepoint.commit()
    return None
