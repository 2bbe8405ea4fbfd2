"""The control database's schema: kept for years, so it has versions, and an older one is brought up by Alembic.

It holds what people decided, the audit log, and the desk's accounts, sessions, claims and verdicts. Whoever writes
there brings it up first, in the same transaction: half an upgrade never stays. A newer one is refused in words.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from casebridge.project.errors import CasebridgeError

HEAD = "0007"
"""The revision that this code writes: the last file in `versions/`."""
VERSIONS = Path(__file__).parent / "versions"
_LOCK = 7_302_014_885  # of ours alone among the advisory locks of a PostgreSQL
_version = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True))


def bring_up_control(connection: sa.Connection, *, known: bool = False) -> None:
    """Bring the schema to HEAD in the caller's transaction. Nothing is written where it is there already. known:
    it was brought up before, and only whether that still holds is asked.

    CasebridgeError when a newer casebridge wrote it.
    """
    if (_there(connection) if known else _revision(connection)) == HEAD:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    found = _revision(connection)
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        raise CasebridgeError(
            f"the control database was written by a newer casebridge: revision {found}, known is {HEAD}",
            hint="use the release that wrote it, or a newer one. Nothing was changed",
        )
    _upgrade(connection)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_version.name):
        return None
    return _there(connection)


def _there(connection: sa.Connection) -> str | None:
    found = connection.scalar(sa.select(_version.c.version_num))
    return None if found is None else str(found)


def _upgrade(connection: sa.Connection) -> None:
    # Here, not above: most commands find the schema as it should be, and Alembic takes a while to import.
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(VERSIONS.parent), version_locations=[str(VERSIONS)])
    with EnvironmentContext(Config(), script, fn=lambda now, _: script._upgrade_revs(HEAD, now)) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()
