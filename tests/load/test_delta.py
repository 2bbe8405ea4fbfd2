"""A second load of a changed source touches what changed and what hangs on it, and ends like a full load."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa
from prepared import NEXT, Contents, keys, loaded, plain, written

from casebridge.project.database import open_database
from tests.councils import Migration, contents
from tests.plug import killed_at


def _watch(url: str) -> None:
    """Triggers that count every row written."""
    engine = open_database(url)
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE written (name TEXT, what TEXT)"))
        if engine.dialect.name == "postgresql":
            connection.execute(
                sa.text(
                    "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                    "INSERT INTO written VALUES (TG_TABLE_NAME, TG_OP); RETURN NULL; END $$"
                )
            )
        for name in (name for name in metadata.tables if not name.startswith("casebridge_")):
            for what in ("INSERT", "UPDATE", "DELETE"):
                does = (
                    "EXECUTE FUNCTION note()"
                    if engine.dialect.name == "postgresql"
                    else f"BEGIN INSERT INTO written VALUES ('{name}', '{what}'); END"  # noqa: S608
                )
                connection.execute(
                    sa.text(f"CREATE TRIGGER w_{name}_{what} AFTER {what} ON {name} FOR EACH ROW {does}")
                )
    engine.dispose()


def _counted(found: Contents) -> dict[str, tuple[int, int]]:
    counts = Counter(found["written"])
    assert "UPDATE" not in {what for _, what in counts}
    return {name: (counts[name, "DELETE"], counts[name, "INSERT"]) for name, _ in counts}


def test_a_delta_touches_what_changed_and_equals_a_full_load(
    first_loaded: Migration, whole_next: Contents
) -> None:
    first, tight = contents(first_loaded.target), keys(first_loaded.target)
    _watch(first_loaded.target)
    loaded(first_loaded, NEXT)
    second = contents(first_loaded.target)
    counted, must = _counted(second), written(first, second)
    assert counted == must
    assert {"dm_persons", "dm_addresses", "activities", "actuals"} <= set(must)
    assert sum(gone for gone, _ in must.values()) < 0.06 * sum(len(rows) for rows in first.values())
    assert keys(first_loaded.target) == tight
    del second["written"]
    assert plain(second) == whole_next


def test_nothing_changed_nothing_written(first_loaded: Migration) -> None:
    _watch(first_loaded.target)
    loaded(first_loaded)
    assert contents(first_loaded.target)["written"] == []


def test_a_delta_killed_and_run_again(first_loaded: Migration, whole_next: Contents) -> None:
    """At one moment after the other: each goes on from where the last one was killed."""
    for moment in ("after loosen", "after delete", "before commit", "after commit"):
        assert killed_at(["load", "--name", NEXT], first_loaded.folder, moment), moment
    assert plain(contents(loaded(first_loaded, NEXT).target)) == whole_next
