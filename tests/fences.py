"""Somebody who owns the database can take its triggers down: they are a fence, and the chain is the proof."""

from __future__ import annotations

import sqlalchemy as sa

_KEPT = {"audit": ("update", "delete", "truncate"), "audit_reads": ("update", "delete"), "decisions": ("update",),
         "merge_overrides": ("update",)}  # fmt: skip


def take_fences_down(connection: sa.Connection) -> None:
    """Drop the triggers of the control database, where it has them."""
    on_server = connection.dialect.name == "postgresql"
    for table, acts in _KEPT.items():
        for act in acts:
            name = f"{table}_no_{act}"
            if not on_server or sa.inspect(connection).has_table(table):
                where = f" ON {table}" if on_server else ""
                connection.execute(sa.text(f"DROP TRIGGER IF EXISTS {name}{where}"))
