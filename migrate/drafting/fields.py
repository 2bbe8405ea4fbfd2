"""The fields of a register that stands in one file, guessed from what its columns are called and hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from casebridge.dedupe.linkage import KINDS, PERSON, Fields
from casebridge.dedupe.linkage.fields import named_apart
from casebridge.migrate.drafting.dates_in_three import dates_in_three
from casebridge.migrate.drafting.guesses import MARK
from casebridge.migrate.drafting.held import roles_held
from casebridge.migrate.drafting.implied import not_implied
from casebridge.migrate.drafting.names import fresh_name, plain_name, quoted, toml_key
from casebridge.migrate.drafting.people import roles_named
from casebridge.migrate.drafting.registers import roles_of_kind
from casebridge.migrate.profiling.headings import AGES, NUMBERS, PLACES, role_words
from casebridge.migrate.profiling.keys import like_a_key
from casebridge.project.errors import CasebridgeError

_HINT = (
    'say it in a file and name that as --fields: a line id = "COLUMN", then [fields] with lines such as '
    'surname = "COLUMN", birth_date = "COLUMN". docs/linkage.md has the roles'
)
_NAMES = ("forename", "surname")


def guess_fields(register: pl.DataFrame | pl.LazyFrame, columns: Sequence[str], kind: str = PERSON.name) -> Fields:
    """The fields of a register of a kind, by these of its columns. Raises CasebridgeError where none names the
    rows, or none tells such entities apart by what it is called: of people a surname, a forename, a birth date."""
    lazy = register.lazy()
    if kind != PERSON.name:
        return _of_kind(lazy, columns, kind)
    columns = _fuller_first(lazy, columns)
    three = dates_in_three(lazy, columns)
    parts = {name for several in three.values() for name in several}
    whole = roles_named([name for name in columns if name not in parts], three)
    roles, joined = named_apart({**three, **whole})
    if not roles.keys() & {"surname", "forename", "birth_date"}:
        hint = f"{_HINT}; for organisations, addresses or staff say --kind"
        raise CasebridgeError("no column looks like a surname, a forename or a birth date", hint=hint)
    rest = [name for name in columns if name not in {*roles.values(), *parts}]
    key = _key(lazy, rest)
    roles |= roles_held(lazy, [name for name in rest if name != key], roles)
    rest = [name for name in rest if name not in {key, *roles.values()}]
    numbers = _called(rest, NUMBERS if "birth_date" in roles else NUMBERS | AGES)
    postcode, names = ([roles[role] for role in some if role in roles] for some in (("postcode",), _NAMES))
    places = not_implied(lazy, [name for name in _called(rest, PLACES) if name not in numbers], postcode, names)
    return Fields(key, roles, _free([*places, *numbers]), joined=joined)


def _fuller_first(register: pl.LazyFrame, columns: Sequence[str]) -> list[str]:
    """The columns in their order, those that most rows have no value in behind all others: of two that go by one
    role the one that is in use."""
    filled = register.select(pl.col(columns).count() * 2 >= pl.len()).collect().row(0)
    in_use = dict(zip(columns, filled, strict=True))
    return sorted(columns, key=lambda name: not in_use[name])


def _of_kind(register: pl.LazyFrame, columns: Sequence[str], kind: str) -> Fields:
    roles = roles_of_kind(columns, kind)
    if not roles.keys() & {"name", "surname", "address", "line_1", "street"}:
        raise CasebridgeError(f"no column looks like the name or the address of {KINDS[kind].one}", hint=_HINT)
    return Fields(_key(register, [name for name in columns if name not in roles.values()]), roles, kind=kind)


def _called(columns: Sequence[str], words: frozenset[str]) -> list[str]:
    return [name for name in columns if words & set(role_words(name))]


def _free(columns: Sequence[str]) -> dict[str, str]:
    """Columns without a role under names of their own."""
    found: dict[str, str] = {}
    for name in columns:
        found[fresh_name(plain_name(name), found)] = name
    return found


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


def not_compared(fields: Fields, columns: Iterable[str]) -> list[str]:
    """The columns that play no part."""
    read = set(fields.columns())
    return [name for name in columns if name not in read]


def fields_text(fields: Fields, columns: Iterable[str]) -> str:
    """The file of these fields, each line marked as a guess; the columns that play no part stand as remarks."""
    kind = [] if fields.kind == PERSON.name else [f"kind = {quoted(fields.kind)}"]
    lines = [f"id = {quoted(fields.id)}  {MARK}", *kind, "", "[fields]"]
    lines += [f"{role} = {_written(fields, column)}  {MARK}" for role, column in fields.roles.items()]
    unread = not_compared(fields, columns)
    if fields.other or unread:
        lines += ["", "[other]"]
        lines += [f"{name} = {quoted(column)}  {MARK}" for name, column in fields.other.items()]
    if unread:
        lines += ["# not compared; a category that tells people apart may go here:"]
        lines += [f"# {toml_key(name)} = {quoted(name)}" for name in unread]
    return "\n".join(lines) + "\n"
