"""The target's tables: created where they are missing, checked where they are there, keyed after the rows.

Foreign keys and unique keys halve the speed of a bulk load, so they come off before the first row is
written and are built, which validates them, when all rows are in.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.schema import AddConstraint, CreateIndex, DropConstraint, DropIndex, DropTable

from casebridge.load.writing.foreign_keys import drop_foreign_keys, restore_foreign_keys
from casebridge.project.database import shown
from casebridge.project.errors import TargetError
from casebridge.project.relations import of_any_type
from casebridge.project.target import Target

Key = sa.Index | sa.ForeignKeyConstraint


def columns_present(connection: sa.Connection, target: Target) -> dict[str, set[str]]:
    """The tables of ours that are there, with their columns; TargetError when one of them cannot take our rows.
    Read only."""
    inspector = sa.inspect(connection)
    with of_any_type():
        columns = inspector.get_multi_columns(filter_names=[table.name for table in target.tables])
    present = {name: {found["name"] for found in there} for (_, name), there in columns.items()}
    views = set(inspector.get_view_names())
    wrong = [f"{table.name} is a view" for table in target.tables if table.name in views]
    wrong += [
        f"{table.name}.{column.name} is missing"
        for table in target.tables
        if table.name in present
        for column in table.columns
        if column.name not in present[table.name]
    ]
    if wrong:
        hint = "make target.toml say what the target really has, or load into an empty database"
        what = f"its tables are not those of target.toml: {', '.join(wrong[:10])}"
        raise TargetError(shown(connection.engine.url), what, hint=hint)
    return present


class TargetTables:
    """The tables of one target database. Without keys between `loosen` and `tighten`."""

    def __init__(self, engine: sa.Engine, target: Target) -> None:
        self._engine, self._target = engine, target
        # SQLite cannot add a foreign key later; declared there, unenforced, it costs nothing.
        self._later = engine.dialect.name != "sqlite"
        self.metadata = target.metadata(foreign_keys=not self._later)
        self._keyed = target.metadata(foreign_keys=True)

    def create(self, connection: sa.Connection) -> list[str]:
        """Create missing tables and name them; TargetError when one that is there cannot take our rows."""
        present = columns_present(connection, self._target)
        self.metadata.create_all(connection)
        return [table.name for table in self._target.tables if table.name not in present]

    def table(self, name: str) -> sa.Table:
        """The SQLAlchemy table of a target table."""
        return self.metadata.tables[name]

    @property
    def names_of_keys(self) -> set[str]:
        """The names of the keys that are ours to build."""
        return {str(key.name) for key in self._keys()}

    def keys_present(self, connection: sa.Connection) -> set[str]:
        """The names of all indexes and foreign keys on our tables that are there."""
        inspector, tables = sa.inspect(connection), [table.name for table in self._target.tables]
        links = inspector.get_multi_foreign_keys(filter_names=tables)
        indexes = inspector.get_multi_indexes(filter_names=tables)
        return {str(key["name"]) for there in (links, indexes) for keys in there.values() for key in keys}

    def loosen(self, connection: sa.Connection) -> None:
        """Take unique and foreign keys off, before rows are written: a value may move from one batch to
        another, and stands twice until both are in."""
        self._drop_keys(connection, keep=())
        drop_foreign_keys(connection, self._target.load_order, self.names_of_keys)

    def tighten(self, connection: sa.Connection) -> None:
        """Build and validate what is missing of unique and foreign keys."""
        self._add_keys(connection, self.names_of_keys)
        restore_foreign_keys(connection)

    def restore(self, connection: sa.Connection, drop: Collection[str], keys: Collection[str]) -> None:
        """As it was before a run: without the tables it made, and with the keys that were there."""
        self._drop_keys(connection, keep=keys)
        for name in (name for name in reversed(self._target.load_order) if name in drop):
            connection.execute(DropTable(self.metadata.tables[name], if_exists=True))
        self._add_keys(connection, keys)
        restore_foreign_keys(connection)

    def _drop_keys(self, connection: sa.Connection, keep: Collection[str]) -> None:
        present = self.keys_present(connection)
        for key in reversed(self._keys()):
            if key.name in present and key.name not in keep:
                drop = DropIndex(key) if isinstance(key, sa.Index) else DropConstraint(key)
                connection.execute(drop)

    def _add_keys(self, connection: sa.Connection, names: Collection[str]) -> None:
        present = self.keys_present(connection)
        for key in self._keys():
            if key.name not in present and key.name in names:
                add = (
                    CreateIndex(key) if isinstance(key, sa.Index) else AddConstraint(key, isolate_from_table=False)
                )
                connection.execute(add)

    def _keys(self) -> list[Key]:
        """The keys that are built after the rows: unique ones first, in the order of tables and columns."""
        tables = [self._keyed.tables[name] for name in self._target.load_order]
        unique: list[Key] = [
            sa.Index(f"uq_{table.name}_{column.name}", table.c[column.name], unique=True)
            for table in tables
            for column in self._target.by_name[table.name].columns
            if column.unique
        ]
        if not self._later:
            return unique
        links = [constraint for table in tables for constraint in table.foreign_key_constraints]
        return [*unique, *sorted(links, key=lambda link: str(link.name))]
