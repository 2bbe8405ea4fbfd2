"""From a table to a register: each column read alone, cleaned once per distinct value, and turned into
numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import PARTS, Fields
from casebridge.dedupe.linkage.kind import Kind
from casebridge.dedupe.linkage.register.column_reader import ColumnReader
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.known import Known
from casebridge.dedupe.linkage.register.values import by_distinct, encode
from casebridge.project.headers import nameable


def read_register(
    frame: pl.DataFrame | pl.LazyFrame, fields: Fields, kind: Kind, no_link: Iterable[Any] = (),
    known: Known | None = None,
) -> Register:  # fmt: skip
    """Encode a register column by column. Rows whose id is in `no_link` are not read at all. known: how a kept
    model read the columns of its register; these are read alike, and no others.

    Raises RegisterError for absent columns, empty registers, missing ids and ids that stand twice, and for
    roles that the kind does not have.
    """
    lazy, fields = frame.lazy(), kind.placed(fields)
    check_schema(lazy.collect_schema(), fields, kind)
    lazy = _without(lazy, fields.id, list(no_link))
    ids = lazy.select(fields.id).collect().to_series().rename("id")
    order = canonical_order(ids)
    reader = ColumnReader(lazy, order, fields.joined)
    register = Register(len(ids), ids, kind, {}, {}, known=known or Known())
    reads = [entry.read for entry in kind.attributes if entry.read and fields.roles.keys() & set(entry.roles)]
    with ThreadPoolExecutor(2) as pool:
        arranged = pool.submit(ids.gather, pl.Series(order))
        list(pool.map(lambda read: read(register, reader, fields), [*reads, _read_other, _read_source]))
    register.ids = arranged.result()
    named = [name for name in (*kind.columns, *fields.other) if name in register.columns]
    register.columns = {name: register.columns[name] for name in named}
    register.notes.sort()
    register.told = tuple(register.facts)
    if register.known.frozen:
        _keep_known(register)
    else:
        _drop_empty(register)
    return register


def _keep_known(register: Register) -> None:
    """Keep the columns that the model's register had, even where they hold nothing here."""
    names = register.known.names("columns")
    absent = [name for name in names if name not in register.columns]
    if absent:
        raise RegisterError(f"The kept model compares {', '.join(absent)}, which the register lacks.")
    register.columns = {name: register.columns[name] for name in names}
    register.shared = set(register.known.names("shared"))


def check_schema(schema: pl.Schema, fields: Fields, kind: Kind) -> None:
    """Raises RegisterError for columns that are absent, or of a type their part cannot be read from."""
    absent = [name for name in fields.columns() if name not in schema]
    if absent:
        names = nameable(list(schema), fields.columns())
        hint = f"It has: {', '.join(names)}." if names else "Its first line is no header that fits the fields."
        raise RegisterError(f"The register has no column {', '.join(absent)}.", hint)
    lists = {fields.roles[role] for one in kind.attributes for role in one.listed if role in fields.roles}
    dates = {fields.roles[role] for one in kind.attributes for role in one.dates if role in fields.roles}
    parts = {part for columns in fields.joined.values() for part in columns}
    for name in fields.columns():
        dtype = schema[name]
        within = dtype.inner if isinstance(dtype, pl.List) and name in lists else dtype
        if within.is_nested() or isinstance(within, pl.Object):
            raise RegisterError(
                f"Column {name} holds {dtype}.", "It should hold one value a row, of text or number."
            )
        if name in dates and isinstance(dtype, (pl.Time, pl.Duration)):
            raise RegisterError(f"Column {name} holds {dtype}.", "It should hold dates.")
        if name in parts and dtype.is_temporal():
            raise RegisterError(f"Column {name} holds {dtype}.", f"It should hold one of {PARTS} of a date.")


def _without(lazy: pl.LazyFrame, column: str, no_link: list[Any]) -> pl.LazyFrame:
    """The register without the people who take no part. An id of another type than the column's would
    suppress nobody without a word: that is an error, which does not say which id."""
    if not no_link:
        return lazy
    ids = of_type("no_link", no_link, lazy.collect_schema()[column])
    return lazy.filter(~pl.col(column).is_in(ids.implode()))


def of_type(name: str, ids: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    """Ids as the register has them. RegisterError, which does not say which, where one is of another type."""
    known = str if dtype == pl.String else int if dtype.is_integer() else None
    if known is not None and not all(isinstance(one, known) for one in ids):
        raise RegisterError(f"{name} holds ids of another type than the register's.", f"Ids here are {dtype}.")
    return pl.Series("id", ids, dtype=dtype)


def canonical_order(ids: pl.Series) -> NDArray[np.uint32]:
    """Rows by the hash of their id. Raises RegisterError on an empty, null or repeated id."""
    if len(ids) == 0:
        raise RegisterError("The register has no rows.")
    none = ids.null_count() + _blank(ids)
    if none:
        raise RegisterError(f"{none} rows have no id.", "Every row needs one.")
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
        return by_hash(ids).to_numpy().astype(np.uint32)
    return order


def _blank(ids: pl.Series) -> int:
    """How many ids are there and say nothing: an empty text, or no number (NaN)."""
    if ids.dtype == pl.String:
        return int((ids.str.len_bytes() == 0).sum())
    return int(ids.is_nan().sum()) if ids.dtype.is_float() else 0


def by_hash(ids: pl.Series) -> pl.Series:
    """Rows by the hash of their id, and by the id where two share one."""
    return pl.DataFrame({"hash": ids.hash(20), "id": ids}).select(pl.arg_sort_by("hash", "id")).to_series()


def _read_source(register: Register, reader: ColumnReader, fields: Fields) -> None:
    if not fields.source:
        return
    rows, names = by_distinct(reader.column(fields.source).cast(pl.String).fill_null(""))
    if len(names) > 1000:
        raise RegisterError(f"source has {len(names)} different values.", "It should name the system of a row.")
    codes = (names.rank("dense") - 1).cast(pl.Int16).to_numpy().take(rows)
    register.source, register.source_names = reader.arranged(codes), names.sort().to_list()
    if fields.link_only and len(names) < 2 and not register.known.frozen:
        raise RegisterError("link_only needs rows of at least two sources; the register has one.")


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
