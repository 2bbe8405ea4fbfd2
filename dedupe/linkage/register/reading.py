"""From a table to a register: each column read alone, cleaned once per distinct value, and turned into numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import Fields
from casebridge.dedupe.linkage.register.codes import CODES
from casebridge.dedupe.linkage.register.column_reader import ColumnReader, as_lists, exploded_items, tell_unread
from casebridge.dedupe.linkage.register.dates import filled_in, read_dates
from casebridge.dedupe.linkage.register.encoding import DATES, NAME_ROLES, SEXES, Register
from casebridge.dedupe.linkage.register.fillers import fillers
from casebridge.dedupe.linkage.register.identifiers import VALID, packed_numbers, passes_check, with_check
from casebridge.dedupe.linkage.register.name_columns import read_name_columns
from casebridge.dedupe.linkage.register.number_fields import read_numbers
from casebridge.dedupe.linkage.register.places import houses, postcodes, streets
from casebridge.dedupe.linkage.register.values import MISSING, by_distinct, encode, encode_cleaned, flagged_rows
from casebridge.project.headers import nameable

LISTED = ("previous_surnames", "previous_postcodes")
NO_SEX = frozenset({"0", "3", "9", "U", "I", "O", "X", "OTHER", "INDETERMINATE", "NON-BINARY", "NOT SPECIFIED"})


def read_register(frame: pl.DataFrame | pl.LazyFrame, fields: Fields, no_link: Iterable[Any] = ()) -> Register:
    """Encode a register column by column. Rows whose id is in `no_link` are not read at all.

    Raises RegisterError for absent columns, empty registers, missing ids and ids that stand twice.
    """
    lazy = frame.lazy()
    _check_roles(fields)
    _check_columns(lazy.collect_schema(), fields)
    lazy = _without(lazy, fields.id, list(no_link))
    ids = lazy.select(fields.id).collect().to_series().rename("id")
    order = canonical_order(ids)
    reader = ColumnReader(lazy, order)
    register = Register(len(ids), ids, {}, {})
    with ThreadPoolExecutor(2) as pool:
        arranged = pool.submit(ids.gather, pl.Series(order))
        list(pool.map(lambda read: read(register, reader, fields), READERS))
    register.ids = arranged.result()
    register.notes.sort()
    _drop_empty(register)
    return register


def _check_roles(fields: Fields) -> None:
    read = {role for roles in READERS.values() for role in roles}
    unread = [role for role in fields.roles if role not in read]
    if unread:
        raise RegisterError(f"Nothing reads the role {', '.join(unread)}.", "See docs/linkage.md for the roles.")


def _check_columns(schema: pl.Schema, fields: Fields) -> None:
    """Raises RegisterError for columns that are absent, or of a type their part cannot be read from."""
    absent = [name for name in fields.columns() if name not in schema]
    if absent:
        names = nameable(list(schema), fields.columns())
        hint = f"It has: {', '.join(names)}." if names else "Its first line is no header that fits the fields."
        raise RegisterError(f"The register has no column {', '.join(absent)}.", hint)
    lists = {fields.roles[role] for role in LISTED if role in fields.roles}
    dates = {fields.roles[role] for role in DATES if role in fields.roles}
    for name in fields.columns():
        dtype = schema[name]
        within = dtype.inner if isinstance(dtype, pl.List) and name in lists else dtype
        if within.is_nested() or isinstance(within, pl.Object):
            raise RegisterError(
                f"Column {name} holds {dtype}.", "It should hold one value a row, of text or number."
            )
        if name in dates and isinstance(dtype, (pl.Time, pl.Duration)):
            raise RegisterError(f"Column {name} holds {dtype}.", "It should hold dates.")


def _without(lazy: pl.LazyFrame, column: str, no_link: list[Any]) -> pl.LazyFrame:
    """The register without the people who take no part. An id of another type than the column's would
    suppress nobody without a word: that is an error, which does not say which id."""
    if not no_link:
        return lazy
    dtype = lazy.collect_schema()[column]
    known = str if dtype == pl.String else int if dtype.is_integer() else None
    if known is not None and not all(isinstance(one, known) for one in no_link):
        raise RegisterError("no_link holds ids of another type than the register's.", f"Ids here are {dtype}.")
    return lazy.filter(~pl.col(column).is_in(pl.Series(no_link, dtype=dtype).implode()))


def canonical_order(ids: pl.Series) -> NDArray[np.uint32]:
    """Rows by the hash of their id. Raises RegisterError on an empty, null or repeated id."""
    if len(ids) == 0:
        raise RegisterError("The register has no rows.")
    if ids.null_count():
        raise RegisterError(f"{ids.null_count()} rows have no id.", "Every row needs one.")
    hashed = ids.hash(20)
    order: NDArray[np.uint32] = hashed.arg_sort().to_numpy().astype(np.uint32)
    ordered = hashed.to_numpy().take(order)
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(same):
        suspects = np.unique(np.concatenate([same, same + 1]))
        repeated = len(suspects) - ids.gather(order[suspects]).n_unique()
        if repeated:
            raise RegisterError(f"{repeated} ids stand more than once.", "Each row needs an id of its own.")
        # Ids that share a hash: their order among themselves must not be that of the file.
        by_both = pl.DataFrame({"hash": hashed, "id": ids}).select(pl.arg_sort_by("hash", "id")).to_series()
        return by_both.to_numpy().astype(np.uint32)
    return order


def _read_source(register: Register, reader: ColumnReader, fields: Fields) -> None:
    if not fields.source:
        return
    rows, names = by_distinct(reader.column(fields.source).cast(pl.String).fill_null(""))
    if len(names) > 1000:
        raise RegisterError(f"source has {len(names)} different values.", "It should name the system of a row.")
    codes = (names.rank("dense") - 1).cast(pl.Int16).to_numpy().take(rows)
    register.source, register.source_names = reader.arranged(codes), names.sort().to_list()
    if fields.link_only and len(names) < 2:
        raise RegisterError("link_only needs rows of at least two sources; the register has one.")


def _read_dates(register: Register, reader: ColumnReader, fields: Fields) -> None:
    for role in DATES:
        if role not in fields.roles:
            continue
        column = reader.column(fields.roles[role])
        read = read_dates(column)
        default = filled_in(read.packed)
        register.columns[role] = reader.arranged(np.where(default, np.uint32(0), read.packed))
        tell_unread(register, role, "date", column, read.unread)
        if default.any():
            register.notes.append(
                f"{role}: {int(default.sum()):,} values are a date that far more records hold than others: taken "
                "for what a system fills in, and for missing."
            )
        unsure = int(read.unsure.sum())
        if unsure:
            register.notes.append(
                f"{role}: {unsure:,} dates could be read day first or month first, and the column does not say "
                "which: read as most of it is written, or day first."
            )


def _read_sex(register: Register, reader: ColumnReader, fields: Fields) -> None:
    if "sex" not in fields.roles:
        return
    column = reader.column(fields.roles["sex"])
    rows, distinct = by_distinct(column)
    words = distinct.str.strip_chars(" .").str.to_uppercase().str.replace(r"\.0+$", "")
    sexes = np.array([*(SEXES.get(text, MISSING) for text in words.to_list()), MISSING], dtype=np.int8)
    register.columns["sex"] = reader.arranged(sexes.take(rows, mode="wrap"))
    known = words.is_in([*SEXES, *NO_SEX]) | fillers(distinct)
    tell_unread(register, "sex", "sex", column, flagged_rows(~known.to_numpy(), rows))


def _read_numbers(register: Register, reader: ColumnReader, fields: Fields) -> None:
    for role in ("nhs_number", "phone"):
        if role in fields.roles:
            _read_number(register, reader, role, reader.column(fields.roles[role]))


def _read_number(register: Register, reader: ColumnReader, role: str, column: pl.Series) -> None:
    read = read_numbers(column, phone=role == "phone")
    if read is None:
        codes, values = encode([column])
        register.columns[role], register.values[role] = reader.arranged(codes[0]), values
        register.notes.append(f"{role} holds letters: compared as text.")
        return
    tell_unread(register, role, "number", column, read.unread)
    rounded = int(read.rounded.sum())
    if rounded:
        register.notes.append(
            f"{role}: {rounded:,} values were rounded by a spreadsheet (1.23E9), and their last digits are lost."
        )
    packed = packed_numbers(read.values)
    if role == "nhs_number":
        packed = with_check(packed)
        _tell_unchecked(register, packed)
    register.columns[role] = reader.arranged(packed)
    rows, numbers = read.further
    if len(rows):
        further = packed_numbers(numbers)
        register.lists[role] = as_lists(
            rows, with_check(further) if role == "nhs_number" else further, reader.order
        )
    if len(rows) and role == "nhs_number":
        register.notes.append(
            f"nhs_number: {len(np.unique(rows)):,} fields hold two numbers that pass the check: either may agree."
        )


def _read_codes(register: Register, reader: ColumnReader, fields: Fields) -> None:
    for role, code in CODES.items():
        if role in fields.roles:
            _read_text(register, reader, role, [reader.column(fields.roles[role])], code.clean, code.kind)


def _read_text(
    register: Register, reader: ColumnReader, role: str, columns: Sequence[pl.Series],
    clean: Callable[[pl.Series], pl.Series], kind: str,
) -> list[NDArray[np.int32]]:  # fmt: skip
    """Read a column of text, with further ones of one dictionary, and tell what says something that is not of its
    kind. Returns the codes of each."""
    cleaned = []
    for column in columns:
        rows, distinct = by_distinct(column)
        tidy = clean(distinct)
        cleaned.append((rows, tidy))
        nothing = (tidy.is_null() & ~fillers(distinct)).to_numpy()
        tell_unread(register, role, kind, column, flagged_rows(nothing, rows))
    codes, values = encode_cleaned(cleaned)
    register.columns[role], register.values[role] = reader.arranged(codes[0]), values
    return codes


def _tell_unchecked(register: Register, packed: NDArray[np.uint64]) -> None:
    if packed.any() and not (packed & VALID).any():
        given, wrong = np.count_nonzero(packed), np.count_nonzero(~passes_check(packed) & (packed > 0))
        register.notes.append(
            f"nhs_number: {wrong:,} of {given:,} values fail the check digit of an NHS number: compared as some "
            "other number of a person, without it."
        )


def _read_place(register: Register, reader: ColumnReader, fields: Fields) -> None:
    for role, clean in (("house", houses), ("street", streets)):
        if role in fields.roles:
            _read_text(register, reader, role, [reader.column(fields.roles[role])], clean, role)
    if "postcode" not in fields.roles:
        return
    columns = [reader.column(fields.roles["postcode"])]
    listed = "previous_postcodes" in fields.roles
    if listed:
        rows, exploded = exploded_items(reader.column(fields.roles["previous_postcodes"]))
        columns.append(exploded)
    codes = _read_text(register, reader, "postcode", columns, postcodes, "postcode")
    if listed:
        register.lists["previous_postcodes"] = as_lists(rows, codes[1], reader.order)


def _read_other(register: Register, reader: ColumnReader, fields: Fields) -> None:
    for name, column in fields.other.items():
        codes, values = encode([reader.column(column)])
        register.columns[name], register.values[name] = reader.arranged(codes[0]), values


def _drop_empty(register: Register) -> None:
    """Leave out columns that hold nothing, or one value only: they tell nobody apart. Say so."""
    empty = single = 0
    for role, column in list(register.columns.items()):
        present = column[column > 0] if column.dtype.kind == "u" else column[column >= 0]
        if len(present) == 0:
            del register.columns[role]
            empty += 1
            what = "holds nothing that can be read" if role in register.unread else "is empty"
            register.notes.append(f"{role} {what}: not compared.")
        elif (present == present[0]).all() and len(present) > 1:
            del register.columns[role]
            single += 1
            register.notes.append(f"{role} holds one value only: not compared.")
    if not register.columns:
        raise RegisterError(
            f"No compared column holds more than one value: {single} hold the same in every row, {empty} nothing "
            "that can be read.",
            "So nothing tells one person from another, and there is nothing to link on.",
        )


Read = Callable[[Register, ColumnReader, Fields], None]
READERS: dict[Read, tuple[str, ...]] = {
    _read_numbers: ("nhs_number", "phone"),
    _read_dates: DATES,
    _read_place: ("house", "street", "postcode", "previous_postcodes"),
    read_name_columns: (*NAME_ROLES, "previous_surnames"),
    _read_codes: tuple(CODES),
    _read_sex: ("sex",),
    _read_other: (),
    _read_source: (),
}
"""Who reads what: a role that nobody reads is an error, not a column that is left out without a word."""
