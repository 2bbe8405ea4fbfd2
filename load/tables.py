"""The target's tables: created where they are missing, checked where they are there, keyed after the rows.

Foreign keys and unique keys halve the speed of a bulk load, so they come off before the first row is
written and are built, which validates them, when all rows are in.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.schema import AddConstraint, CreateIndex, DropConstraint, DropIndex, DropTable

from project.database import shown
from project.errors import TargetError
from project.target import Target


class TargetTables:
    """The tables of one target database. Without keys between `loosen` and `tighten`."""

    def __init__(self, engine: sa.Engine, target: Target) -> None:
        self._engine, self._target = engine, target
        # SQLite cannot add a foreign key later; declared there, unenforced, it costs nothing.
        self._later = engine.dialect.name != "sqlite"
        self.metadata = target.metadata(foreign_keys=not self._later)
        self._keyed = target.metadata(foreign_keys=True)

    def create(self) -> list[str]:
        """Create missing tables and name them; TargetError when one that is there cannot take our rows."""
        inspector = sa.inspect(self._engine)
        present = set(inspector.get_table_names())
        wrong = [
            f"{table.name}.{column.name} is missing"
            for table in self._target.tables
            if table.name in present
            for column in table.columns
            if column.name not in {found["name"] for found in inspector.get_columns(table.name)}
        ]
        if wrong:
            hint = "make target.toml say what the target really has, or load into an empty database"
            what = f"its tables are not those of target.toml: {', '.join(wrong[:10])}"
            raise TargetError(shown(self._engine.url), what, hint=hint)
        with self._engine.begin() as connection:
            self.metadata.create_all(connection)
        return [table.name for table in self._target.tables if table.name not in present]

    def drop(self, names: Sequence[str]) -> None:
        """Drop tables that a run had made, children first."""
        with self._engine.begin() as connection:
            for name in (name for name in reversed(self._target.load_order) if name in names):
                connection.execute(DropTable(self.metadata.tables[name], if_exists=True))

    def table(self, name: str) -> sa.Table:
        """The SQLAlchemy table of a target table."""
        return self.metadata.tables[name]

    def loosen(self) -> None:
        """Take unique and foreign keys off, before rows are written: a value may move from one batch to
        another, and stands twice until both are in."""
        indexes, present = self._indexes_present(), self._foreign_keys_present()
        with self._engine.begin() as connection:
            for index in self._unique_indexes():
                if index.name in indexes:
                    connection.execute(DropIndex(index))
            for constraint in self._foreign_keys() if self._later else ():
                if constraint.name in present:
                    connection.execute(DropConstraint(constraint))

    def tighten(self) -> None:
        """Build and validate what is missing of unique and foreign keys."""
        present = self._indexes_present()
        missing = [CreateIndex(index) for index in self._unique_indexes() if index.name not in present]
        keys: list[sa.schema.ExecutableDDLElement] = [*missing]
        if self._later:
            there = self._foreign_keys_present()
            links = [link for link in self._foreign_keys() if link.name not in there]
            keys += [AddConstraint(link, isolate_from_table=False) for link in links]
        if keys:
            with self._engine.begin() as connection:
                for key in keys:
                    connection.execute(key)

    def _foreign_keys(self) -> list[sa.ForeignKeyConstraint]:
        tables = [self._keyed.tables[name] for name in self._target.load_order]
        return sorted(
            (constraint for table in tables for constraint in table.foreign_key_constraints),
            key=lambda constraint: str(constraint.name),
        )

    def _foreign_keys_present(self) -> set[str]:
        inspector = sa.inspect(self._engine)
        return {
            str(found["name"]) for table in self._target.tables for found in inspector.get_foreign_keys(table.name)
        }

    def _indexes_present(self) -> set[str]:
        inspector = sa.inspect(self._engine)
        return {str(found["name"]) for table in self._target.tables for found in inspector.get_indexes(table.name)}

    def _unique_indexes(self) -> list[sa.Index]:
        return [
            sa.Index(f"uq_{table.name}_{column.name}", self._keyed.tables[table.name].c[column.name], unique=True)
            for table in self._target.tables
            for column in table.columns
            if column.unique
        ]
