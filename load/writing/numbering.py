"""Whether the target's own numbering stands behind the ids that were loaded.

A column that numbers its rows by itself (`serial`, `GENERATED … AS IDENTITY`) goes on where its sequence stands,
and knows nothing of the ids that came with rows: after a go-live the first new record would get one that is taken.
Sequences are the target's, and are not changed here. MariaDB and SQL Server move theirs on by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from casebridge.project.target import Target

_SEQUENCE = sa.text(
    "SELECT s.last_value, quote_ident(s.schemaname) || '.' || quote_ident(s.sequencename) FROM pg_sequences s "
    "WHERE pg_get_serial_sequence(quote_ident(:name), :key)::regclass = "
    "(quote_ident(s.schemaname) || '.' || quote_ident(s.sequencename))::regclass"
)


def behind(engine: sa.Engine, target: Target) -> Iterator[str]:
    """A sentence for each table whose own next ids lie below one that is there. PostgreSQL only."""
    if engine.dialect.name != "postgresql":
        return
    with engine.connect() as connection:
        for table in target.tables:
            if len(table.primary_key) > 1:
                continue
            (name,) = table.primary_key
            found = connection.execute(_SEQUENCE, {"name": table.name, "key": name}).one_or_none()
            key: sa.ColumnClause[int] = sa.column(name)
            rows = sa.select(sa.func.max(key)).select_from(sa.table(table.name))
            highest = connection.scalar(rows) if found else None
            if found and highest is not None and (found[0] or 0) < highest:
                yield (
                    f"{table.name}.{name}: the target numbers new rows itself, and its next number is not above "
                    f"{highest:,}, the highest id there: before people work in it, set {found[1]} on, or keep a "
                    "range for us (first_id, last_id)"
                )
