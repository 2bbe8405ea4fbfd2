"""How rows get into each kind of database. To add one: a function, and its dialect's name in WRITERS.

A writer takes a connection inside a transaction, a table and rows with exactly the table's columns, and
appends them. Whether they stay is the caller's transaction to decide.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import polars as pl
import sqlalchemy as sa

from casebridge.project.in_lists import MOST

Writer = Callable[[sa.Connection, sa.Table, pl.DataFrame], None]

_PIECE = 50_000
_SPECIAL = r"[\\\t\n\r]"


def copy_rows(connection: sa.Connection, table: sa.Table, rows: pl.DataFrame) -> None:
    """PostgreSQL: COPY in text format over SQLAlchemy's own connection, so rows and record are one."""
    names = ", ".join(_quoted(connection, name) for name in rows.columns)
    statement = f"COPY {_quoted(connection, table.name)} ({names}) FROM STDIN"
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for piece in rows.iter_slices(_PIECE):
            copy.write(copy_text(piece))


def copy_text(rows: pl.DataFrame) -> bytes:
    """Rows in PostgreSQL's COPY text format: tabs between, `\\N` for null, backslash escapes."""
    texts = [name for name, kind in rows.schema.items() if kind == pl.String]
    # Most columns of a piece need no escape at all: to look is quicker than to rewrite.
    found = rows.select(pl.col(name).str.contains(_SPECIAL).any() for name in texts)
    special = [name for name in texts if found.get_column(name).item()]
    escaped = rows.with_columns(_escaped(pl.col(name)).alias(name) for name in special)
    text = io.BytesIO()
    escaped.write_csv(
        text, include_header=False, separator="\t", quote_style="never", null_value="\\N",
        datetime_format="%Y-%m-%d %H:%M:%S%.6f", date_format="%Y-%m-%d",
    )  # fmt: skip
    return text.getvalue()


def _escaped(text: pl.Expr) -> pl.Expr:
    """Backslash, tab and line ends as COPY wants them; the usual text, without any, is not rewritten."""
    whole = text
    for character, written in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        whole = whole.str.replace_all(character, written, literal=True)
    return pl.when(text.str.contains(_SPECIAL)).then(whole).otherwise(text)


def sqlite_rows(connection: sa.Connection, table: sa.Table, rows: pl.DataFrame) -> None:
    """SQLite: executemany on the driver. Dates as ISO text, decimals as exact text."""
    names = ", ".join(_quoted(connection, name) for name in rows.columns)
    marks = ", ".join("?" for _ in rows.columns)
    statement = f"INSERT INTO {_quoted(connection, table.name)} ({names}) VALUES ({marks})"  # noqa: S608
    driver = connection.connection.driver_connection
    assert driver is not None
    cursor = driver.cursor()
    for piece in rows.iter_slices(_PIECE):
        cursor.executemany(statement, piece.with_columns(_sqlite_values(piece)).rows())


def _sqlite_values(rows: pl.DataFrame) -> list[pl.Expr]:
    values = []
    for name, kind in rows.schema.items():
        if isinstance(kind, pl.Datetime):
            values.append(pl.col(name).dt.strftime("%Y-%m-%d %H:%M:%S%.6f"))
        elif isinstance(kind, pl.Decimal | pl.Date):
            values.append(pl.col(name).cast(pl.String))
    return values


def inserted_rows(connection: sa.Connection, table: sa.Table, rows: pl.DataFrame) -> None:
    """Any other database: SQLAlchemy's batched inserts."""
    for piece in rows.iter_slices(_PIECE):
        connection.execute(table.insert(), piece.to_dicts())


def delete_rows(connection: sa.Connection, table: sa.Table, keys: pl.DataFrame) -> None:
    """Delete rows by primary key, a frame of its columns; many at once through a temporary table where COPY can
    fill one, else one by one on the driver (SQLite) or MOST at a time."""
    columns = [table.c[name] for name in keys.columns]
    if connection.dialect.name == "postgresql" and keys.height > _PIECE:
        made = [sa.Column(f"key_{number}", column.type) for number, column in enumerate(columns)]
        gone = sa.Table("casebridge_gone", sa.MetaData(), *made, prefixes=["TEMPORARY"])
        gone.create(connection)
        copy_rows(
            connection,
            gone,
            keys.rename({column.name: new.name for column, new in zip(columns, made, strict=True)}),
        )
        same = [column == new for column, new in zip(columns, gone.c, strict=True)]
        connection.execute(table.delete().where(sa.exists().where(*same)))
        gone.drop(connection)
    elif connection.dialect.name == "sqlite":
        same_texts = " AND ".join(f"{_quoted(connection, name)} = ?" for name in keys.columns)
        statement = f"DELETE FROM {_quoted(connection, table.name)} WHERE {same_texts}"  # noqa: S608
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.cursor().executemany(statement, keys.with_columns(_sqlite_values(keys)).rows())
    else:
        for piece in keys.iter_slices(MOST):
            named = columns[0].in_(piece.to_series().to_list())
            several = sa.tuple_(*columns).in_(piece.rows()) if len(columns) > 1 else named
            connection.execute(table.delete().where(several))


def _quoted(connection: sa.Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


WRITERS: Mapping[str, Writer] = {
    "postgresql": copy_rows,
    "sqlite": sqlite_rows,
}


def writer_for(dialect: str) -> Writer:
    """The writer of a dialect, or the general one."""
    return WRITERS.get(dialect, inserted_rows)
