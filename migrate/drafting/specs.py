"""The draft as text: table specs, the target, linkage. A line that rests on a guess ends in `# guess` and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from casebridge.migrate.drafting.drafted import OF_PARENT, ROW_NUMBER, DraftColumn, DraftTable
from casebridge.migrate.drafting.guesses import MARK
from casebridge.migrate.drafting.names import quoted, title_of, toml_key
from casebridge.migrate.drafting.people import Roles, value_of
from casebridge.migrate.drafting.registers import DraftRegister
from casebridge.migrate.drafting.together import linkage_of_all
from casebridge.migrate.profiling.profile import TableProfile
from casebridge.migrate.profiling.supplies import TABLE
from casebridge.project.errors import counted
from casebridge.project.spec import ReadSpec

_BY_PLACE = "'SELECT *, CAST(_row AS VARCHAR) AS {} FROM \"{}\"'"
"""A table whose rows are named by their place in the file, as TOML writes it. Its name may be a word of SQL."""


def guess(line: str, why: str) -> str:
    """A line with its mark."""
    return f"{line}  {MARK}{': ' + why if why else ''}"


def listed(words: Sequence[str]) -> str:
    """A list of texts as TOML writes it."""
    return f"[{', '.join(map(quoted, words))}]"


def spec_text(table: DraftTable, system: str, defaults: Mapping[str, str]) -> str:
    """The file of one table. `defaults` are the encoding and the delimiter of casebridge.toml."""
    lines = [
        f"# Drafted from {table.profile.rows:,} rows with {len(table.profile.columns)} columns. A line that",
        f"# ends in `{MARK}` is the machine's: take the mark away where it is right, and the line is yours.",
        "",
        *_head(table, system),
        *_read(table, defaults),
    ]
    for column in table.columns:
        lines += ["", *_column(column)]
    lines += [] if table.columns else ["", "[columns]"]
    if table.dropped:
        lines += ["", "[dropped]"]
        said = ((f"{toml_key(title_of(name))} = {quoted(why)}", why) for name, why in table.dropped.items())
        lines += [line if why == OF_PARENT else guess(line, "") for line, why in said]
    return "\n".join(lines) + "\n"


def _head(table: DraftTable, system: str) -> Iterator[str]:
    source = table.profile.name
    yield "[table]"
    yield f"system = {quoted(system)}"
    if table.key:
        yield f"source = {quoted(source)}"
    else:
        yield f"consumes = {listed([source])}"
        yield f"source = {_BY_PLACE.format(ROW_NUMBER, source)}"
    line = f"target = {quoted(table.target)}"
    yield guess(line, table.why_target) if table.why_target else line
    if table.key:
        line, why = f"key = {listed([title_of(name) for name in table.key])}", _why_key(table.profile)
        yield guess(line, why) if why else line
    else:
        why = "nothing names its rows: their place in the file does, so a new extract must keep the order"
        yield guess(f"key = {listed([ROW_NUMBER])}", why)


def _why_key(table: TableProfile) -> str:
    """On what a key rests; nothing where the database declares it and it holds."""
    if table.declared_key and not table.unnamed:
        return ""
    if table.declared_key:
        over = counted(table.unnamed, "row")
        return (
            f"declared there, but {over} without one of its own (blanks around it do not count): the first counts"
        )
    if len(table.key) > 1:
        few = f", and {counted(table.unnamed, 'row')} not: the first of each key counts" if table.unnamed else ""
        return f"together they name {table.rows - table.unnamed:,} rows{few}"
    column = next(column for column in table.columns if column.name == table.key[0])
    doubled = column.facts["doubled"]
    if doubled["values"]:
        stands = "stands" if doubled["values"] == 1 else "stand"
        return (
            f"{counted(doubled['values'], 'value')} {stands} on {doubled['rows']:,} rows: the first of each counts"
        )
    return f"names each of {table.rows:,} rows"


def _read(table: DraftTable, defaults: Mapping[str, str]) -> Iterator[str]:
    read = table.profile.source.read
    null = [guess(f"null = {listed(table.null_words)}", "whole values that say so")] if table.null_words else []
    if read.format == TABLE:
        said = [f"table = {quoted(read.file)}"] if read.file != table.profile.name else []
    else:
        said = [*_of_file(table.profile.name, read, defaults)]
    if said or null:
        yield ""
        yield "[read]" if table.key else f"[read.{table.profile.name}]"
        yield from [*said, *null]


def _of_file(name: str, read: ReadSpec, defaults: Mapping[str, str]) -> Iterator[str]:
    said = {"file": read.file} if read.file != f"{name}.csv" else {}
    said |= {"format": read.format} if read.format != "csv" else {}
    said |= {"sheet": read.sheet} if read.sheet else {}
    said |= {"element": read.element} if read.element else {}
    said |= {"list": read.nested} if read.nested else {}
    if read.format == "csv":
        said |= {
            key: getattr(read, key) for key in ("encoding", "delimiter") if getattr(read, key) != defaults[key]
        }
    yield from (f"{key} = {quoted(value)}" for key, value in said.items())
    if read.header != 1:
        yield guess(f"header = {read.header}", "the names stand there")
    if read.trailing_delimiter:
        yield guess("trailing_delimiter = true", "each line ends with one")


def _column(column: DraftColumn) -> Iterator[str]:
    yield f"[columns.{toml_key(column.target)}]"
    line, why = f"from = {quoted(title_of(column.source))}", column.why.get("from", "")
    if column.references and "references" in column.why:
        why = f"{why}; " * bool(why) + f"a key of {column.references}: {column.why['references']}"
    yield guess(line, why) if why else line
    if column.steps:
        yield guess(f"steps = {listed(column.steps)}", column.why.get("steps", "days that mean no end"))
    if column.format:
        yield guess(f"format = {quoted(column.format)}", column.why.get("format", ""))
    if column.codes:
        yield guess(f"codes = {quoted(column.codes)}", column.why["codes"])
    if column.on_fail:
        yield f"on_fail = {quoted(column.on_fail)}"


def target_text(tables: Sequence[DraftTable]) -> str:
    """target.toml of a plain target: the source's tables, each with an id of its own and the source's key."""
    lines = ["# Drafted: the tables of the source. `row_id` is given out by casebridge.", ""]
    for table in tables:
        lines += [f"[{toml_key(table.target)}]", f"primary_key = {quoted(table.primary_key)}"]
        lines += [f"legacy_key = {quoted(table.legacy_key)}", ""]
        lines += [f"[{toml_key(table.target)}.columns]"]
        lines.append(f'{toml_key(table.primary_key)} = {{ type = "bigint", nullable = false }}')
        lines.append(f"{toml_key(table.legacy_key)} = {{ type = {quoted(table.legacy_type)} }}")
        lines += [_target_column(column) for column in table.columns]
        lines.append("")
    return "\n".join(lines)


def _target_column(column: DraftColumn) -> str:
    parts = [f"type = {quoted(column.type)}"]
    parts += [f"references = {quoted(column.references)}"] if column.references else []
    parts += [f"restriction = {listed(column.marks)}"] if column.marks else []
    line = f"{toml_key(column.target)} = {{ {', '.join(parts)} }}"
    return guess(line, column.why["type"]) if "type" in column.why else line


def register_text(one: DraftRegister) -> str:
    """The part of linkage.toml for a further register."""
    name, table = toml_key(one.table.name), one.table
    columns = ",\n".join(f'    "{column}" AS {role}' for role, column in one.roles.items())
    fields = "\n".join(guess(f'{role} = "{role}"', f"{table.name}.{column}") for role, column in one.roles.items())
    return (
        "\n# A register of its own: what in it stands twice is put to people, in words of its kind.\n"
        f"[registers.{name}]\n{guess(f'kind = {quoted(one.kind)}', 'by what its columns are called')}\n"
        f"tables = {listed([table.name])}\n"
        f'query = """\nSELECT\n    _key AS id,\n{columns}\nFROM "{table.name}"\nORDER BY id\n"""\n\n'
        f"[registers.{name}.fields]\n{fields}\n"
    )


def linkage_text(people: Sequence[tuple[str, str, Roles]]) -> str:
    """linkage.toml for the tables of people: each one's system (empty where there is one), spec, and columns by
    role."""
    if len(people) == 1:
        ((_, name, columns),) = people
        names, roles = [name], list(columns)
        values = ",\n".join(f"    {value_of(those)} AS {role}" for role, those in columns.items())
        query = f'SELECT\n    _key AS id,\n{values}\nFROM "{name}"\nORDER BY id'
    else:
        names, query, roles = linkage_of_all(people)
    fields = "\n".join(guess(f'{role} = "{role}"', _where(role, people)) for role in roles)
    return (
        "# Drafted: who is compared with whom, and by what. Nothing is merged by itself.\n\n"
        f"[register]\n{guess(f'tables = {listed(names)}', _looks_like(names))}\n"
        f'query = """\n{query}\n"""\n\n'
        f"# role = column of the query\n[fields]\n{fields}\n"
    )


def _looks_like(names: Sequence[str]) -> str:
    return "it looks like people" if len(names) == 1 else "they look like people"


def _where(role: str, people: Sequence[tuple[str, str, Roles]]) -> str:
    return ", ".join(f"{name}.{one}" for _, name, columns in people for one in columns.get(role, ()))
