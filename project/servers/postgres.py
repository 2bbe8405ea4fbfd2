"""PostgreSQL: rows by COPY, out of one REPEATABLE READ transaction that several connections share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGInspector
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from casebridge.project.errors import SourceError
from casebridge.project.prefetch import prefetch
from casebridge.project.servers.asked import Asked, Field
from casebridge.project.servers.copied import copied, taken_apart
from casebridge.project.servers.server import Server, cursor_of, driver_of

_NO_ENCODING = "SQL_ASCII"
_WHOLE, _NUMERIC, _MONEY, _BYTEA = {20, 21, 23}, 1700, 790, 17
_TEXTS, _PADDED, _DATES = {25, 1043}, 1042, {1082, 1114, 1184}
_LONGEST_SUM = 28
"""Digits of a number whose sum over any table has 38 digits at most."""
_ORDINARY = 3
"""The first transaction number that is one; those below mean something else."""
_NO_LIMITS = (
    "SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN ('statement_timeout', "
    "'transaction_timeout', 'idle_in_transaction_session_timeout')"
)


class PostgreSQL(Server):
    """PostgreSQL. Rows that a policy would hide from this login are an error, not a smaller table."""

    level = "REPEATABLE READ"
    begin = (
        "SET LOCAL DateStyle TO 'ISO, YMD'", "SET LOCAL IntervalStyle TO 'iso_8601'",
        "SET LOCAL TimeZone TO 'UTC'",
        "SET LOCAL extra_float_digits TO 3", "SET LOCAL row_security TO off",
        "SET LOCAL synchronize_seqscans TO off", _NO_LIMITS,
    )  # fmt: skip
    shared = True
    inherits = True
    key_digest = "hashtext"

    @contextmanager
    def apart(self, connection: sa.Connection) -> Iterator[None]:
        """After an error a transaction answers nothing more, unless it goes back to a savepoint."""
        self._say(connection, "SAVEPOINT asked")
        try:
            yield
        except DBAPIError:
            with suppress(SQLAlchemyError):
                self._say(connection, "ROLLBACK TO SAVEPOINT asked")
            raise
        self._say(connection, "RELEASE SAVEPOINT asked")

    def _say(self, connection: sa.Connection, statement: str) -> None:
        with cursor_of(connection) as cursor:
            cursor.execute(statement)

    def more_names(self, inspector: sa.Inspector, schema: str | None) -> tuple[set[str], set[str]]:
        """Foreign tables, and views that are kept."""
        assert isinstance(inspector, PGInspector)
        return set(inspector.get_foreign_table_names(schema)), set(inspector.get_materialized_view_names(schema))

    def fields(self, connection: sa.Connection, described: Sequence[Any]) -> tuple[Field, ...]:
        """By the types' numbers, which are the same on every server."""
        plain = _encoding(connection) in {"UTF8", _NO_ENCODING}
        return tuple(self._field(column, plain=plain) for column in described)

    def _field(self, column: Any, *, plain: bool) -> Field:
        name, code = self.quoted(column.name), column.type_code
        made = (column.name, column.type_display)
        if code in _WHOLE:
            return Field(*made, name, f"sum({name})", "sum")
        if code == _NUMERIC and column.precision and column.precision <= _LONGEST_SUM:
            return Field(
                *made, name, f"sum({name}) FILTER (WHERE {name} <> 'NaN')", "sum", max(column.scale or 0, 0)
            )
        if code == _MONEY:
            return Field(*made, f"{name}::numeric", f"sum({name}::numeric)", "sum", 2)
        if code == _BYTEA:
            return Field(*made, f"encode({name}, 'hex')", f"2 * sum(octet_length({name}))", "bytes")
        if code in _DATES:
            of_years = f"{name} >= '0001-01-01' AND {name} < '10000-01-01'"
            return Field(*made, name, f"sum({name}::date - '1970-01-01'::date) FILTER (WHERE {of_years})", "days")
        if code in _TEXTS:
            size = name if plain else f"convert_to({name}, 'UTF8')"
            return Field(*made, name, f"sum(octet_length({size}))", "bytes")
        if code == _PADDED:
            return Field(*made, name, *((f"sum(octet_length({name}))", "bytes") if plain else ()))
        # Whatever it is: as the server writes it.
        return Field(*made, name, *((f"sum(octet_length(format('%s', {name})))", "bytes") if plain else ()))

    def texts(self, connection: sa.Connection, asked: Asked) -> Iterator[pl.DataFrame]:
        """COPY as CSV, in the order in which rows lie there. The next bytes are fetched while those before them
        are taken apart."""
        # A database without an encoding would refuse bytes that are none: they come as they are.
        encoding = _NO_ENCODING if _encoding(connection) == _NO_ENCODING else "UTF8"
        query = f"COPY ({asked.texts}) TO STDOUT WITH (FORMAT csv, ENCODING '{encoding}')"
        with driver_of(connection) as driver:
            for block, largest in prefetch(copied(driver, query, asked.names)):
                yield taken_apart(block, largest, asked.names)
        self._refuse_rewritten(connection, asked)

    def _refuse_rewritten(self, connection: sa.Connection, asked: Asked) -> None:
        """A table that was emptied by TRUNCATE, rewritten by ALTER TABLE or made anew after the moment began shows
        no rows to it (Documentation of PostgreSQL 17, 13.6). One that VACUUM FULL or CLUSTER rewrote shows them,
        but nothing tells it from the others. From the first question on it is locked against all of these."""
        with cursor_of(connection) as cursor:
            if asked.table is None:
                cursor.execute(_REWRITTEN)
            else:
                cursor.execute(_REWRITTEN_BENEATH, [asked.origin])
            found = sorted(str(name) for (name,) in cursor.fetchall())
        if found:
            what = f"{', '.join(found[:5])}: emptied, rewritten or made anew since the moment that is held began"
            hint = "run the same command again when no TRUNCATE, ALTER TABLE, VACUUM FULL or CLUSTER runs there"
            raise SourceError(asked.table[1] if asked.table else "its query", what, hint=hint)

    def about(self, connection: sa.Connection, asked: Asked) -> int:
        """What the server counted the last time that it looked the table through, where it has: to count reads all
        of it."""
        with cursor_of(connection) as cursor:
            cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [asked.origin])
            (rows,) = cursor.fetchone()
        return int(rows) if rows > 0 else self.count(connection, asked)

    def is_own(self, schema: str) -> bool:
        """What begins with pg_ nobody else may make."""
        return schema.startswith("pg_") or super().is_own(schema)

    def parts(self, connection: sa.Connection) -> Mapping[str, str]:
        """Partitions, and tables that inherit from another: to ask that one gives their rows."""
        with cursor_of(connection) as cursor:
            cursor.execute(_PARTS)
            return dict(cursor.fetchall())

    def of_extensions(self, connection: sa.Connection) -> Mapping[str, str]:
        """What goes when the extension goes."""
        with cursor_of(connection) as cursor:
            cursor.execute(_OF_EXTENSIONS)
            return dict(cursor.fetchall())

    def outside(self, connection: sa.Connection, asked: Asked) -> str:
        """Another server's table is asked for when it is read."""
        with cursor_of(connection) as cursor:
            if asked.table is not None:
                cursor.execute("SELECT 1 FROM pg_class WHERE oid = %s::regclass AND relkind = 'f'", [asked.origin])
                if cursor.fetchone() is not None:
                    return "stands on another server, whose rows are not of this moment"
        return ""

    def export(self, connection: sa.Connection) -> str:
        """The snapshot's name."""
        with cursor_of(connection) as cursor:
            cursor.execute("SELECT pg_export_snapshot()")
            return str(cursor.fetchone()[0])

    def take(self, connection: sa.Connection, exported: str) -> None:
        """Before anything else is said in the transaction."""
        with cursor_of(connection) as cursor:
            cursor.execute(f"SET TRANSACTION SNAPSHOT '{exported}'".encode())

    def mark(self, connection: sa.Connection) -> Mapping[str, str]:
        """The oldest transaction that was not over; and which server it is since it was last restored, which
        database, and where names without a schema are looked for."""
        with cursor_of(connection) as cursor:
            cursor.execute(
                "SELECT txid_snapshot_xmin(txid_current_snapshot())::text, system_identifier::text, "
                "timeline_id::text, (SELECT oid::text FROM pg_database WHERE datname = current_database()), "
                "current_schemas(false)::text FROM pg_control_system(), pg_control_checkpoint()"
            )
            return dict(
                zip(("oldest", "server", "timeline", "database", "schemas"), cursor.fetchone(), strict=True)
            )

    def unchanged(self, connection: sa.Connection, asked: Asked, mark: Mapping[str, str]) -> int | None:
        """A row that was written since has a transaction as old as `oldest` or younger (`xmin`; Documentation of
        PostgreSQL 17, 5.6 and 24.1.5); what was deleted is missing in the count. So it is with the rows in which
        the server keeps what the table is. Only for plain tables, whose rows are all their own."""
        now = self.mark(connection)
        if asked.table is None or {**now, "oldest": ""} != {**mark, "oldest": ""}:
            return None
        if not 0 <= int(now["oldest"]) - int(mark["oldest"]) < 1 << 30:
            return None  # a server that was restored goes back; numbers of transactions come round again
        since = int(mark["oldest"]) % (1 << 32)
        if since < _ORDINARY:
            return None
        with cursor_of(connection) as cursor:
            cursor.execute(_PLAIN, {"table": asked.origin, "since": str(since)})
            if cursor.fetchone() is None:
                return None
            young = f"age(xmin) <= age('{since}'::xid)"
            counts = f"SELECT count(*), count(*) FILTER (WHERE {young}) FROM {asked.origin}"  # noqa: S608
            cursor.execute(counts.encode())
            rows, written = cursor.fetchone()
        return None if written else int(rows)


_REWRITTEN = """
SELECT l.relation::regclass::text FROM pg_locks l LEFT JOIN pg_class c ON c.oid = l.relation
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.relation >= 16384
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND (c.oid IS NULL OR c.relkind <> 'i' AND c.relfilenode <> coalesce(pg_relation_filenode(c.oid), c.relfilenode))
"""
"""Of what this transaction has asked for: tables whose file is no longer the one that its moment knows."""
_BENEATH = """
WITH RECURSIVE beneath (oid) AS (
    SELECT %s::regclass::oid UNION
    SELECT more.oid FROM beneath, LATERAL (
        SELECT inhrelid FROM pg_inherits WHERE inhparent = beneath.oid UNION ALL
        SELECT d.refobjid FROM pg_rewrite r JOIN pg_depend d ON d.objid = r.oid
        WHERE r.ev_class = beneath.oid
        AND d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
    ) AS more (oid)
)
"""
"""A table or view, its partitions, and what it is made of."""
_REWRITTEN_BENEATH = f"{_BENEATH} {_REWRITTEN} AND l.relation IN (SELECT oid FROM beneath)"  # noqa: S608
_PLAIN = (
    "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.oid = %(table)s::regclass AND c.relkind = 'r' AND c.relpersistence = 'p' "
    "AND NOT EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = c.oid) "
    "AND least(age(c.xmin), age(n.xmin)) > age(%(since)s::xid) AND NOT EXISTS ("
    "SELECT 1 FROM (SELECT xmin AS at FROM pg_attribute WHERE attrelid = c.oid "
    "UNION ALL SELECT xmin FROM pg_attrdef WHERE adrelid = c.oid UNION ALL SELECT xmin FROM pg_enum) written "
    "WHERE age(written.at) <= age(%(since)s::xid))"
)
"""A table of rows of its own, with its name, columns and words of enumerations as they were: a column that is
dropped and made again, or a word with another name, writes no row of the table."""


_NAMED = (
    "WITH named AS (SELECT c.oid, c.relkind, CASE WHEN n.nspname = current_schema() THEN c.relname::text ELSE "
    "n.nspname || '.' || c.relname END AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace) "
)
_PARTS = (
    f"{_NAMED}SELECT part.name, whole.name FROM pg_inherits JOIN named part ON part.oid = inhrelid "  # noqa: S608
    "JOIN named whole ON whole.oid = inhparent WHERE whole.relkind IN ('r', 'p') ORDER BY 1, 2"
)
"""Each table that stands in another one, and that one."""
_OF_EXTENSIONS = (
    f"{_NAMED}SELECT name, extname FROM named JOIN pg_depend ON objid = named.oid AND deptype = 'e' "  # noqa: S608
    "AND classid = 'pg_class'::regclass JOIN pg_extension ON refobjid = pg_extension.oid "
    "AND refclassid = 'pg_extension'::regclass"
)
"""Each table or view of an extension (PostGIS has several), and the extension."""


def _encoding(connection: sa.Connection) -> str:
    with cursor_of(connection) as cursor:
        cursor.execute("SELECT current_setting('server_encoding')")
        return str(cursor.fetchone()[0])
