"""The name columns of a register: one dictionary for all of them, and what they say beside the names."""

from __future__ import annotations

from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.fields import Fields
from casebridge.dedupe.linkage.register.column_reader import ColumnReader, as_lists, exploded_items, tell_unread
from casebridge.dedupe.linkage.register.content import text_keys
from casebridge.dedupe.linkage.register.encoding import (
    BIRTH_NUMBER,
    GENERATION,
    NAME_ROLES,
    TEMPORARY,
    Register,
)
from casebridge.dedupe.linkage.register.fillers import fillers, says_what_is_none
from casebridge.dedupe.linkage.register.folding import other_script
from casebridge.dedupe.linkage.register.holders import rows_of_many
from casebridge.dedupe.linkage.register.known import Keys, Known
from casebridge.dedupe.linkage.register.personal_names import AFTER_NAMES, GENERATIONS, TITLES, Names, read_names
from casebridge.dedupe.linkage.register.values import (
    MISSING,
    Values,
    by_distinct,
    encode_cleaned,
    flagged_rows,
)

ONE_COMMA = r"^\s*([^,]*\p{L}[^,]*?)\s*,\s*([^,]*\p{L}[^,]*?)\s*$"
NO_FORENAME = rf"(?i),\s*(?:{'|'.join(sorted({*AFTER_NAMES, *GENERATIONS, *TITLES}))})\.?\s*$"
FILLED_IN, TIMES_NEXT, OTHERS, LEAST_FILLED = 0.25, 20, 20, 100
"""A name that a quarter of the records hold, and twenty times as many as the next, is what a system or clerk fills
in: no name is so common. In Vietnam, Nguyen is held by three or four times as many as the next. Where records or
other names are few nothing is said."""
ONE_FIELD = 0.5  # share of a column's values with a comma from which it holds whole names


def read_name_columns(register: Register, reader: ColumnReader, fields: Fields) -> None:
    """Read forenames, middle names and surnames, earlier surnames among them."""
    given = {role: reader.column(fields.roles[role]) for role in NAME_ROLES if role in fields.roles}
    columns = apart_at_commas({role: column.cast(pl.String) for role, column in given.items()}, register.known)
    marks = {name: np.zeros(register.size, dtype=np.int8) for name in (BIRTH_NUMBER, GENERATION, TEMPORARY)}
    read: list[tuple[NDArray[np.int64], pl.Series]] = []
    for role, column in columns.items():
        rows, distinct = by_distinct(column)
        names = read_names(distinct, role)
        _tell(register, role, column, rows, distinct, names)
        for name, told in zip(marks, (names.number, names.generation, names.temporary), strict=True):
            np.maximum(marks[name], np.append(told.astype(np.int8), np.int8(0)).take(rows), out=marks[name])
        read.append((rows, names.text))
    listed = "previous_surnames" in fields.roles
    if listed:
        items, exploded = exploded_items(reader.column(fields.roles["previous_surnames"]))
        rows, distinct = by_distinct(exploded)
        read.append((rows, read_names(distinct, "surname").text))
    codes, values = encode_cleaned(read)
    register.values["names"] = values
    for role, code in zip(columns, codes, strict=False):
        default = _filled_in(register, role, code, values)
        register.columns[role] = reader.arranged(np.where(default, np.int32(MISSING), code))
    if listed:
        register.lists["previous_surnames"] = as_lists(items, codes[-1], reader.order, "names")
    register.facts |= {name: reader.arranged(mark) for name, mark in marks.items() if mark.any()}


def _filled_in(register: Register, role: str, code: NDArray[np.int32], values: Values) -> NDArray[np.bool_]:
    """Rows whose name is what is filled in where none is known; told in a note."""

    def keys(rows: NDArray[np.integer] | slice) -> Keys:
        return np.append(text_keys(values.text), np.uint64(0)).take(code[rows], mode="wrap")

    def find() -> tuple[NDArray[np.bool_], NDArray[np.integer]]:
        held = np.bincount(code[code >= 0], minlength=2)
        most, given = int(held.argmax()), int(held.sum())
        least = max(FILLED_IN * given, TIMES_NEXT * float(np.partition(held, -2)[-2]))
        many = held[most] >= least > 0 and given >= LEAST_FILLED and (held > 0).sum() > OTHERS
        rows = (code == most) & bool(many)
        return rows, np.flatnonzero(rows)

    found = rows_of_many(register, f"{role}: filled in", keys, find)
    if found.any():
        register.notes.append(
            f"{role}: {int(found.sum()):,} values are one name that far more records hold than any other: taken "
            "for what is filled in where none is known, and for missing."
        )
    return found


def apart_at_commas(columns: dict[str, pl.Series], known: Known) -> dict[str, pl.Series]:
    """Columns in which "Smith, John" stands as surname and forename. What stands in the other column already must
    say the same; where there is no other column, one is made of a column that mostly holds such names."""
    columns = dict(columns)
    for role, other in (("forename", "surname"), ("surname", "forename")):
        column = columns.get(role)
        if column is None:
            continue
        whole = column.str.contains(",", literal=True).fill_null(False)
        if whole.any():
            whole &= (column.str.contains(ONE_COMMA) & ~column.str.contains(NO_FORENAME)).fill_null(False)
        mostly = bool(whole.any() and whole.sum() >= ONE_FIELD * column.count())
        alone = other not in columns and known.fact(f"{role}: whole names", partial(bool, mostly))
        if not alone and (other not in columns or not whole.any()):
            continue
        names = {"surname": column.str.extract(ONE_COMMA, 1), "forename": column.str.extract(ONE_COMMA, 2)}
        frame = pl.DataFrame(
            {
                "whole": whole, "old": column, "mine": names[role], "theirs": names[other],
                "held": columns.get(other, pl.Series([None] * len(column), dtype=pl.String)),
            }
        )  # fmt: skip
        empty = fillers(frame["held"]).fill_null(True)
        alike = pl.col("held").str.strip_chars().str.to_uppercase() == pl.col("theirs").str.to_uppercase()
        split = pl.col("whole") & (pl.col("empty") | alike.fill_null(False))
        frame = frame.with_columns(empty=empty).select(
            pl.when(split).then("mine").otherwise("old").alias(role),
            pl.when(split).then("theirs").otherwise("held").alias(other),
        )
        columns |= {role: frame[role], other: frame[other]}
    return {role: columns[role] for role in NAME_ROLES if role in columns}


def _tell(
    register: Register, role: str, column: pl.Series, rows: NDArray[np.int64], distinct: pl.Series, names: Names
) -> None:
    """Notes of the values that hold no name, and of those that are in another script."""
    unread = says_what_is_none(names.text, distinct) & ~names.temporary & (names.number == 0)
    tell_unread(register, role, "name", column, flagged_rows(unread, rows))
    spelled = int(flagged_rows(other_script(distinct).fill_null(False).to_numpy(), rows).sum())
    if spelled:
        register.notes.append(
            f"{role}: {spelled:,} values are in another script than Latin and were spelled out: they may not "
            "agree with the spelling that other records have."
        )
