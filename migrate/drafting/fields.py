"""The fields of a register that stands in one file, guessed from the names of its columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from casebridge.dedupe.linkage import Fields
from casebridge.dedupe.linkage.fields import named_apart
from casebridge.migrate.drafting.dates_in_three import dates_in_three
from casebridge.migrate.drafting.guesses import MARK
from casebridge.migrate.drafting.names import quoted, toml_key
from casebridge.migrate.drafting.people import roles_named
from casebridge.migrate.profiling.keys import like_a_key
from casebridge.project.errors import CasebridgeError

_HINT = (
    'say it in a file and name that as --fields: a line id = "COLUMN", then [fields] with lines such as '
    'surname = "COLUMN", birth_date = "COLUMN". docs/linkage.md has the roles'
)


def guess_fields(register: pl.DataFrame | pl.LazyFrame, columns: Sequence[str]) -> Fields:
    """The fields of a register of people, by these of its columns. Raises CasebridgeError where none names the
    rows, or none looks like a surname, a forename or a birth date."""
    lazy = register.lazy()
    three = dates_in_three(lazy, columns)
    parts = {name for several in three.values() for name in several}
    whole = roles_named([name for name in columns if name not in parts], three)
    roles, joined = named_apart({**three, **whole})
    if not roles.keys() & {"surname", "forename", "birth_date"}:
        raise CasebridgeError("no column looks like a surname, a forename or a birth date", hint=_HINT)
    taken = {*roles.values(), *parts}
    return Fields(_key(lazy, [name for name in columns if name not in taken]), roles, joined=joined)


def _key(register: pl.LazyFrame, columns: Iterable[str]) -> str:
    """The first column that names each row; one that is called like a key comes first."""
    for name in sorted(columns, key=like_a_key, reverse=True):
        value = pl.col(name)
        facts = register.select(pl.len(), value.drop_nulls().n_unique().alias("different")).collect()
        if facts["len"].item() == facts["different"].item():
            return name
    raise CasebridgeError("no column names each row: every one has a value twice, or a row without", hint=_HINT)


def _written(fields: Fields, column: str) -> str:
    """A column in TOML; one that is made of others as their list."""
    parts = fields.joined.get(column)
    return f"[{', '.join(map(quoted, parts))}]" if parts else quoted(column)


def fields_text(fields: Fields, columns: Iterable[str]) -> str:
    """The file of these fields, each line marked as a guess; the columns that play no part stand as remarks."""
    lines = [f"id = {quoted(fields.id)}  {MARK}", "", "[fields]"]
    lines += [f"{role} = {_written(fields, column)}  {MARK}" for role, column in fields.roles.items()]
    unread = [name for name in columns if name not in fields.columns()]
    if unread:
        lines += ["", "# not compared; a category that tells people apart may go under [other]:", "# [other]"]
        lines += [f"# {toml_key(name)} = {quoted(name)}" for name in unread]
    return "\n".join(lines) + "\n"
