"""Who holds a lock in the target: sessions of others, by what the server says of them."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

PATIENCE = "10s"
"""How long a statement waits for a lock, where the database itself sets nothing else."""
_SHOWN = 3
_HOLDERS = sa.text("""
SELECT a.pid, a.application_name, a.usename, a.state, min(coalesce(a.xact_start, a.query_start, a.backend_start))
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND a.datname = current_database() AND a.application_name <> :ours
AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
AND (:everywhere OR c.relname = ANY(:names) OR starts_with(c.relname, 'casebridge_'))
GROUP BY 1, 2, 3, 4 ORDER BY 5, 1
""")


def session_name() -> str:
    """How the sessions of this process call themselves: others see who holds them up, and we tell ours apart."""
    return f"casebridge {os.getpid()}"


@dataclass(frozen=True)
class Holder:
    """A session of somebody else's that holds locks on tables of the target."""

    pid: int
    application: str
    user: str
    state: str
    since: dt.datetime | None

    def __str__(self) -> str:
        who = ", ".join(filter(None, (self.application, f"user {self.user}" if self.user else "", self.state)))
        since = f", since {self.since:%Y-%m-%d %H:%M:%S}" if self.since else ""
        return f"pid {self.pid} ({who or 'says nothing of itself'}{since})"


def holders(engine: sa.Engine, tables: Collection[str] = ()) -> list[Holder]:
    """The sessions of others that hold locks on these tables (none: on any), the oldest first. Read only; empty
    where the server does not tell."""
    if engine.dialect.name != "postgresql":
        return []
    asked = {"ours": session_name(), "names": list(tables), "everywhere": not tables}
    try:
        with engine.connect() as connection:
            rows = connection.execute(_HOLDERS, asked).all()
    except SQLAlchemyError:
        return []
    return [Holder(int(row[0]), row[1] or "", row[2] or "", row[3] or "", row[4]) for row in rows]


def told_of(engine: sa.Engine, tables: Collection[str] = ()) -> str:
    """Who holds what is waited for, in words."""
    found = holders(engine, tables)
    if engine.dialect.name == "sqlite":
        return f"another program is writing to {engine.url.database} (`fuser` names it)"
    if not found:
        return "somebody holds a lock in it, and the server does not say who"
    names = [str(item) for item in found][:_SHOWN]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"locks on its tables are held by {', '.join(names)}{more}"
