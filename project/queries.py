"""DuckDB, for the queries that specs and linkage.toml ask of batch files."""

from __future__ import annotations

from pathlib import Path

import duckdb

from casebridge.project.blanks import duckdb_macro


def open_duckdb(memory_limit: str, spill: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory; what it cannot hold goes to `spill`. It draws no bars of its own: what is being
    done is for the reporter to say."""
    database = duckdb.connect()
    database.execute("SET enable_progress_bar = false")
    database.execute(f"SET memory_limit = '{memory_limit}'")
    folder = str(spill).replace("'", "''")
    database.execute(f"SET temp_directory = '{folder}'")
    database.execute(duckdb_macro())
    return database
