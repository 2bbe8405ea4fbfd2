"""Engines by URL, with the settings that make each of them safe for a transactional load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from project.errors import TargetError


def open_database(url: str) -> sa.Engine:
    """An engine for a database URL. `postgresql://` means psycopg 3. Nothing is connected yet."""
    try:
        parsed = sa.make_url(url)
    except ArgumentError as error:
        hint = "write it like sqlite:///target.db or postgresql://user@host/database"
        raise TargetError("(unreadable URL)", "is no database URL", hint=hint) from error
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        return _sqlite(parsed)
    try:
        return sa.create_engine(parsed, pool_pre_ping=True)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        hint = "install its driver (an extra of casebridge), or use sqlite:/// or postgresql://"
        raise TargetError(shown(parsed), f"no driver for it: {error}", hint=hint) from error


def shown(url: str | sa.URL) -> str:
    """A URL as it may be shown: without its password."""
    return sa.make_url(url).render_as_string(hide_password=True)


def refusal(url: str | sa.URL, error: SQLAlchemyError) -> TargetError:
    """A driver's error as ours: the reason without the statement's parameters, which are people's data."""
    original = getattr(error, "orig", None) or error
    reason = str(original).strip().splitlines()[0] if str(original).strip() else type(original).__name__
    retryable = bool(getattr(error, "connection_invalidated", False))
    hint = (
        "the connection was lost: run the same command again, it goes on where it stopped"
        if retryable
        else "check target.url in casebridge.toml, that the server runs, and that this login may write"
    )
    return TargetError(shown(url), reason, hint=hint, retryable=retryable)


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": 60})

    # The driver would begin transactions on its own, and not around DDL; we begin them ourselves.
    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = OFF"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine
