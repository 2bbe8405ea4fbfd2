"""DuckDB, for the queries that specs and linkage.toml ask of batch files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from casebridge.project.blanks import duckdb_macro


def open_duckdb(memory_limit: str, spill: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory; what it cannot hold goes to `spill`. It draws no bars of its own: what is being
    done is for the reporter to say. Nothing of ours in memory is a table by its name in Python."""
    database = duckdb.connect(config={"python_enable_replacements": "false"})
    database.execute("SET enable_progress_bar = false")
    database.execute(f"SET memory_limit = {_text(memory_limit)}")
    database.execute(f"SET temp_directory = {_text(str(spill))}")
    database.execute(duckdb_macro())
    return database


def shut(database: duckdb.DuckDBPyConnection, files: Iterable[Path] = ()) -> None:
    """From here on the database reads `files` (those behind its views) and nothing else, writes nothing,
    attaches and installs nothing, and none of it can be undone. Call it before a query of a project is asked."""
    database.execute(f"SET allowed_paths = [{', '.join(_text(str(path)) for path in files)}]")
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")


def from_query(query: str, columns: str = "*", rest: str = "") -> str:
    """A SELECT of what a query gives. The query's last line may be a comment."""
    return f"SELECT {columns} FROM (\n{query}\n) {rest}"  # noqa: S608 - the project's own query


def bare_query(sql: str) -> str:
    """A statement without the semicolon that ends it, and without comments behind it.

    >>> bare_query("SELECT ';' AS a FROM t; -- all of them")
    "SELECT ';' AS a FROM t"
    """
    written, end = sql.encode(), len(sql.encode())
    for start, kind in reversed(duckdb.tokenize(sql)):
        if kind != duckdb.token_type.comment and not written.startswith(b";", start):
            break
        end = start
    return written[:end].decode().rstrip()


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
