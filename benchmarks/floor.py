"""The least that a migration of these files into this target could take: the files read once with Polars, and the
target's rows copied into bare tables, one bare COPY each, without keys, checks or a record of anything."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import perf_counter

import polars as pl
import psycopg
from psycopg import sql

from benchmarks.server import database

CHUNK = 1 << 20


def reading(dump: Path) -> float:
    """Seconds to read every CSV file of a dump as text, values thrown away.

    Quotes are not looked at: a legacy dump has some that never close, which stops Polars.
    """
    started = perf_counter()
    for path in sorted(dump.glob("*.csv")):
        pl.read_csv(path, infer_schema=False, encoding="utf8-lossy", truncate_ragged_lines=True, quote_char=None)
    return perf_counter() - started


def copying(server: str, target: str) -> float:
    """Seconds to COPY all rows of the target's tables into bare ones of another database."""
    seconds = 0.0
    with (
        tempfile.TemporaryDirectory(prefix="casebridge-floor-") as folder,
        database(server) as bare,
        psycopg.connect(target) as there,
        psycopg.connect(bare) as here,
    ):
        names = [
            str(row[0]) for row in there.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]
        for name in sorted(names):
            columns = there.execute(
                "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a "
                "WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
                [name],
            ).fetchall()
            table = sql.Identifier(name)
            kinds = [sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(kind)) for c, kind in columns]  # type: ignore[arg-type]
            here.execute(sql.SQL("CREATE TABLE {} ({})").format(table, sql.SQL(", ").join(kinds)))
            here.commit()
            path = Path(folder) / "rows"
            with path.open("wb") as file, there.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(table)) as out:
                for piece in out:
                    file.write(piece)
            started = perf_counter()
            with path.open("rb") as file, here.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(table)) as into:
                while piece := file.read(CHUNK):
                    into.write(piece)
            here.commit()
            seconds += perf_counter() - started
    return seconds
