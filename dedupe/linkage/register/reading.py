"""From a table to a register: each column read alone, cleaned once per distinct value, and turned into numbers."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import Fields
from casebridge.dedupe.linkage.register.dates import packed_dates
from casebridge.dedupe.linkage.register.encoding import DATES, NAME_ROLES, SEXES, Lists, Register
from casebridge.dedupe.linkage.register.identifiers import VALID, numbers, packed_numbers, passes_check, with_check
from casebridge.dedupe.linkage.register.places import postcodes, streets
from casebridge.dedupe.linkage.register.values import MISSING, by_distinct, clean_text, encode, flagged_rows

LISTED = ("previous_surnames", "previous_postcodes")
NO_SEX = frozenset({"0", "3", "9", "U", "I", "O", "X", "OTHER", "INDETERMINATE", "NON-BINARY", "NOT SPECIFIED"})
MOST_UNREAD = 0.01


def read_register(frame: pl.DataFrame | pl.LazyFrame, fields: Fields, no_link: Iterable[Any] = ()) -> Register:
    """Encode a register column by column. Rows whose id is in `no_link` are not read at all.

    Raises RegisterError for absent columns, empty registers, missing ids and ids that stand twice.
    """
    lazy = frame.lazy()
    _check_columns(lazy.collect_schema(), fields)
    lazy = _without(lazy, fields.id, list(no_link))
    ids = lazy.select(fields.id).collect().to_series().rename("id")
    order = canonical_order(ids)
    reader = _Reader(lazy, order)
    register = Register(len(ids), ids, {}, {})
    with ThreadPoolExecutor(2) as pool:
        arranged = pool.submit(ids.gather, pl.Series(order))
        list(pool.map(lambda read: read(register, reader, fields), READERS))
    register.ids = arranged.result()
    register.notes.sort()
    _drop_empty(register)
    return register


def _check_columns(schema: pl.Schema, fields: Fields) -> None:
    """Raises RegisterError for columns that are absent, or of a type their part cannot be read from."""
    absent = [name for name in fields.columns() if name not in schema]
    if absent:
        raise RegisterError(f"The register has no column {', '.join(absent)}.", f"It has: {', '.join(schema)}.")
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


@dataclass(frozen=True)
class _Reader:
    """Reads one column at a time, so that a large file's text is never all in memory."""

    lazy: pl.LazyFrame
    order: NDArray[np.uint32]

    def column(self, name: str) -> pl.Series:
        return self.lazy.select(name).collect().to_series()

    def arranged(self, codes: NDArray[Any]) -> NDArray[Any]:
        return codes.take(self.order)


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


def _read_source(register: Register, reader: _Reader, fields: Fields) -> None:
    if not fields.source:
        return
    rows, names = by_distinct(reader.column(fields.source).cast(pl.String).fill_null(""))
    if len(names) > 1000:
        raise RegisterError(f"source has {len(names)} different values.", "It should name the system of a row.")
    codes = (names.rank("dense") - 1).cast(pl.Int16).to_numpy().take(rows)
    register.source, register.source_names = reader.arranged(codes), names.sort().to_list()
    if fields.link_only and len(names) < 2:
        raise RegisterError("link_only needs rows of at least two sources; the register has one.")


def _read_names(register: Register, reader: _Reader, fields: Fields) -> None:
    roles = [role for role in NAME_ROLES if role in fields.roles]
    columns = [reader.column(fields.roles[role]) for role in roles]
    listed = "previous_surnames" in fields.roles
    if listed:
        rows, exploded = _exploded(reader.column(fields.roles["previous_surnames"]))
        columns.append(exploded)
    codes, names = encode(columns)
    register.values["names"] = names
    for role, code in zip(roles, codes, strict=False):
        register.columns[role] = reader.arranged(code)
    if listed:
        register.lists["previous_surnames"] = _as_lists(rows, codes[-1], reader.order)


def _exploded(column: pl.Series) -> tuple[NDArray[np.int64], pl.Series]:
    """Row number and text of each item of a list column; plain text may separate items by ; or |."""
    if not isinstance(column.dtype, pl.List):
        column = column.cast(pl.String).str.replace_all(r"\|", ";").str.split(";")
    flat = column.rename("v").to_frame().with_row_index("row").explode("v").drop_nulls("v")
    return flat["row"].cast(pl.Int64).to_numpy(), flat["v"].cast(pl.String)


def _as_lists(rows: NDArray[np.int64], codes: NDArray[np.int32], order: NDArray[np.uint32]) -> Lists:
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    rows, codes = place[rows[codes >= 0]], codes[codes >= 0]
    by_row = np.lexsort((codes, rows))
    counts = np.bincount(rows, minlength=len(order))
    return Lists(np.concatenate([[0], np.cumsum(counts)]), codes[by_row])


def _read_numbers(register: Register, reader: _Reader, fields: Fields) -> None:
    for role in DATES:
        if role in fields.roles:
            column = reader.column(fields.roles[role])
            dates, unread = packed_dates(column)
            register.columns[role] = reader.arranged(dates)
            _tell_unread(register, role, "date", column, unread)
    if "sex" in fields.roles:
        column = reader.column(fields.roles["sex"])
        rows, distinct = by_distinct(column)
        words = distinct.str.strip_chars().str.to_uppercase()
        sexes = np.array([*(SEXES.get(text, MISSING) for text in words.to_list()), MISSING], dtype=np.int8)
        register.columns["sex"] = reader.arranged(sexes.take(rows, mode="wrap"))
        known = words.is_in([*SEXES, *NO_SEX]) | clean_text(words).is_null()
        _tell_unread(register, "sex", "sex", column, flagged_rows(~known.to_numpy(), rows))
    for role in ("nhs_number", "phone"):
        if role in fields.roles:
            _read_number(register, reader, role, reader.column(fields.roles[role]))


def _read_number(register: Register, reader: _Reader, role: str, column: pl.Series) -> None:
    read = numbers(column, cut=role == "phone")
    if read is None:
        codes, values = encode([column])
        register.columns[role], register.values[role] = reader.arranged(codes[0]), values
        register.notes.append(f"{role} holds letters: compared as text.")
        return
    found, unread = read
    _tell_unread(register, role, "number", column, unread)
    packed = packed_numbers(found)
    if role == "nhs_number":
        packed = with_check(packed)
        _tell_unchecked(register, packed)
    register.columns[role] = reader.arranged(packed)


def _tell_unchecked(register: Register, packed: NDArray[np.uint64]) -> None:
    if packed.any() and not (packed & VALID).any():
        given, wrong = np.count_nonzero(packed), np.count_nonzero(~passes_check(packed) & (packed > 0))
        register.notes.append(
            f"nhs_number: {wrong:,} of {given:,} values fail the check digit of an NHS number: compared as some "
            "other number of a person, without it."
        )


def _tell_unread(register: Register, role: str, kind: str, column: pl.Series, unread: NDArray[np.bool_]) -> None:
    """A note of how many values of a column cannot be read, where more than MOST_UNREAD of those given."""
    many = int(unread.sum())
    if not many:
        return
    register.unread.add(role)
    given = int((column.cast(pl.String).str.strip_chars() != "").sum())
    if many > MOST_UNREAD * given:
        register.notes.append(f"{role}: {many:,} of {given:,} values are no {kind} that can be read.")


def _read_place(register: Register, reader: _Reader, fields: Fields) -> None:
    for role in ("house", "street"):
        if role in fields.roles:
            codes, values = encode([reader.column(fields.roles[role])], streets)
            register.columns[role], register.values[role] = reader.arranged(codes[0]), values
    if "postcode" not in fields.roles:
        return
    columns = [reader.column(fields.roles["postcode"])]
    listed = "previous_postcodes" in fields.roles
    if listed:
        rows, exploded = _exploded(reader.column(fields.roles["previous_postcodes"]))
        columns.append(exploded)
    codes, values = encode(columns, postcodes)
    register.columns["postcode"], register.values["postcode"] = reader.arranged(codes[0]), values
    if listed:
        register.lists["previous_postcodes"] = _as_lists(rows, codes[1], reader.order)


def _read_other(register: Register, reader: _Reader, fields: Fields) -> None:
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


READERS = (_read_numbers, _read_place, _read_names, _read_other, _read_source)
