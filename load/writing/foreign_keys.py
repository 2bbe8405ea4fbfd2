"""Foreign keys that are not ours but point at our tables: off while rows are written, then back as they were.

A delta replaces a parent's row by deleting it and writing it again, which such a key forbids while a child is
there. What a key said is kept in the target, written in the transaction that takes the key off, so a load that
was killed in between puts it back when it is run again. Building it again validates every row.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from casebridge.load.writing.applied import PARKED

_FOUND = sa.text(
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(k.oid) FROM pg_constraint k"
    " JOIN pg_class c ON c.oid = conrelid AND pg_has_role(c.relowner, 'USAGE')"
    " WHERE contype = 'f' AND conname <> ALL (CAST(:ours AS text[]))"
    " AND confrelid = ANY (SELECT to_regclass(name) FROM unnest(CAST(:names AS text[])) AS t (name)) ORDER BY 1, 2"
)

_DEPENDENTS = sa.text(
    "WITH ours AS (SELECT to_regclass(name)::oid AS id FROM unnest(CAST(:names AS text[])) AS t (name))"
    " SELECT 'key ' || conname || ' of ' || conrelid::regclass FROM pg_constraint"
    " WHERE contype = 'f' AND confrelid IN (SELECT id FROM ours) AND conrelid NOT IN (SELECT id FROM ours)"
    " AND conname <> ALL (CAST(:ours AS text[]))"
    " UNION SELECT 'view ' || ev_class::regclass FROM pg_rewrite JOIN pg_depend ON objid = pg_rewrite.oid"
    " WHERE pg_depend.classid = 'pg_rewrite'::regclass AND refobjid IN (SELECT id FROM ours)"
    " AND ev_class NOT IN (SELECT id FROM ours) ORDER BY 1"
)


def drop_foreign_keys(connection: sa.Connection, tables: Collection[str], ours: Collection[str]) -> None:
    """Take off every foreign key that points at one of `tables`, but for those named in `ours` and those of tables
    that this login does not own: they stay on, and only hinder a delta that replaces what they point at. Only
    PostgreSQL enforces such keys on us: SQLite's are off on our connections."""
    if connection.dialect.name != "postgresql":
        return
    for table, name, definition in connection.execute(_FOUND, {"names": list(tables), "ours": list(ours)}).all():
        connection.execute(PARKED.insert().values(target_table=table, name=name, definition=definition))
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {_quoted(connection, name)}")


def restore_foreign_keys(connection: sa.Connection) -> None:
    """Build every key that was taken off, as it was, on the tables that are still there."""
    if connection.dialect.name != "postgresql" or not sa.inspect(connection).has_table(PARKED.name):
        return
    for table, name, definition in connection.execute(sa.select(PARKED)).all():
        if connection.scalar(sa.select(sa.func.to_regclass(table))) is not None:
            added = f"ALTER TABLE {table} ADD CONSTRAINT {_quoted(connection, name)} {definition}"
            connection.exec_driver_sql(added.replace("%", "%%"))
    connection.execute(PARKED.delete())


def dependents(connection: sa.Connection, tables: Collection[str], ours: Collection[str]) -> list[str]:
    """What others made that keeps these tables from being dropped: foreign keys (but for those named in `ours`)
    and views, by name."""
    if connection.dialect.name != "postgresql" or not tables:
        return []
    return [str(name) for (name,) in connection.execute(_DEPENDENTS, {"names": list(tables), "ours": list(ours)})]


def _quoted(connection: sa.Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
