"""What was taken from databases, table by table, in the same file as the ledger: of which moment, and its totals.

A row says that the whole table was read at that moment and that the database's own totals were those of what
arrived. Its `token` stands for what the table held then: a table that is proved unchanged keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from casebridge.project.ledger import Ledger
from casebridge.project.spec import Source

_meta = sa.MetaData()
_taken = sa.Table(
    "taken",
    _meta,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("run", sa.String, nullable=False),
    sa.Column("system", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("token", sa.String, nullable=False),
    sa.Column("reading", sa.String, nullable=False),
    sa.Column("moment", sa.String, nullable=False),
    sa.Column("mark", sa.String, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("columns", sa.String, nullable=False),
    sa.Column("fields", sa.String, nullable=False),
    sa.Column("totals", sa.String, nullable=False),
)


@dataclass(frozen=True)
class Taken:
    """One table as a run has it: `reading` is a digest of what was asked, `moment` when the snapshot was taken
    (UTC), `mark` what tells that moment from later ones, `columns` their names in the batches, `fields` their
    names and types on the server."""

    token: str
    reading: str
    moment: str
    mark: Mapping[str, str]
    rows: int
    columns: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
    totals: tuple[tuple[str, int, str | None], ...]


class TakenTables:
    """All that was taken in a project."""

    def __init__(self, ledger: Ledger) -> None:
        self._engine = ledger.with_tables(_meta)

    def note(self, run: str, source: Source, taken: Taken) -> None:
        """A run has a table; what it had of it before is no longer its own."""
        row = {
            "run": run, "system": source.system, "source": source.name, "token": taken.token,
            "reading": taken.reading, "moment": taken.moment, "mark": json.dumps(dict(taken.mark)),
            "rows": taken.rows, "columns": json.dumps(taken.columns), "fields": json.dumps(taken.fields),
            "totals": json.dumps(taken.totals),
        }  # fmt: skip
        with self._engine.begin() as connection:
            connection.execute(_taken.delete().where(_taken.c.run == run, *_of(source)))
            connection.execute(_taken.insert().values(row))

    def of(self, run: str, source: Source) -> Taken | None:
        """What a run has of a table. Read only."""
        return next(iter(self._found(_taken.c.run == run, *_of(source))), None)

    def newest(self, source: Source) -> Taken | None:
        """What was taken of a table last, by whatever run. Read only."""
        return next(iter(self._found(*_of(source))), None)

    def _found(self, *wanted: sa.ColumnElement[bool]) -> Sequence[Taken]:
        query = sa.select(_taken).where(*wanted).order_by(_taken.c.number.desc()).limit(1)
        with self._engine.connect() as connection:
            return [_read(row) for row in connection.execute(query)]


def _of(source: Source) -> list[sa.ColumnElement[bool]]:
    return [_taken.c.system == source.system, _taken.c.source == source.name]


def _read(row: sa.Row[tuple[str, ...]]) -> Taken:
    fields = tuple((name, kind) for name, kind in json.loads(row.fields))
    totals = tuple((name, filled, total) for name, filled, total in json.loads(row.totals))
    columns = tuple(json.loads(row.columns))
    return Taken(row.token, row.reading, row.moment, json.loads(row.mark), int(row.rows), columns, fields, totals)
