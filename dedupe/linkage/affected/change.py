"""The records of a linked register as they were and, behind them, those that are new or changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from casebridge.dedupe.linkage.affected.linked import ENDS, LinkedRegister, decisions_of, rows_of
from casebridge.dedupe.linkage.affected.part import Applied, Flags, Rows
from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import LinkOptions
from casebridge.dedupe.linkage.register.reading import check_schema, of_type, read_register
from casebridge.dedupe.linkage.register.records import Records
from casebridge.dedupe.linkage.register.runs import Key


@dataclass(frozen=True)
class Change:
    """Records as they were and, behind them, those that are new or changed, as they are now.

    left: flags of what is no more, as it was before it changed too; came: numbers of what is new; decided: numbers
    of records about which people decided something else. keys: of each blocking rule a key a record. applied: the
    model, and the decisions that now count."""

    linked: LinkedRegister
    applied: Applied
    keys: tuple[Key, ...]
    left: Flags
    came: Rows
    decided: Rows

    @property
    def size(self) -> int:
        """Records, those that are no more among them."""
        return len(self.applied.records)

    @classmethod
    def of(
        cls,
        linked: LinkedRegister,
        changed: pl.DataFrame | pl.LazyFrame,
        gone: Iterable[Any],
        options: LinkOptions,
    ) -> Change:
        """Raises RegisterError for rows that cannot be read as the model's register was."""
        options, kept, old = linked.kept.decided(options), linked.kept, linked.records
        came = _rows(linked, changed)
        given = came[linked.fields.id]
        hidden = of_type("no_link", [*options.no_link], given.dtype)
        left_ids = pl.concat([given.rename("id"), of_type("gone", [*gone], given.dtype), hidden])
        came = came.filter(~given.is_in(hidden.implode()))
        left = np.zeros(len(old) + came.height, dtype=bool)
        left[rows_of(old.ids, left_ids)] = True
        records, keys = old, linked.keys
        if came.height:
            read = read_register(came, linked.fields, linked.kind, (), kept.known)
            records = old.and_also(Records.of(read))
            rules = zip(kept.divisions, kept.rules, linked.keys, strict=True)
            keys = tuple(np.concatenate([key, division.key(read, rule)]) for division, rule, key in rules)
        applied = Applied(kept, linked.fields, linked.kind, options, records)
        now = decisions_of(options, old.ids.dtype)
        differ = pl.concat([now, linked.decisions]).unique(keep="none")
        ends = pl.concat([differ[name] for name in ENDS])
        decided = rows_of(records.ids, ends)
        return cls(linked, applied, keys, left, np.arange(len(old), len(records)), decided[~left[decided]])

    def rows_of_pairs(self, pairs: Iterable[tuple[Any, Any]]) -> tuple[Rows, Rows]:
        """The numbers of pairs of ids that are both held."""
        ids, wanted = self.applied.records.ids, [*pairs]
        if not wanted:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        held = pl.DataFrame({"id": ids, "row": np.arange(len(ids))}).filter(~pl.Series(self.left))
        found = [
            pl.Series("id", [pair[k] for pair in wanted], dtype=ids.dtype, strict=False)
            .to_frame().join(held, on="id", how="left", maintain_order="left")["row"].fill_null(-1).to_numpy()
            for k in (0, 1)
        ]  # fmt: skip
        both = (found[0] >= 0) & (found[1] >= 0) & (found[0] != found[1])
        return found[0][both], found[1][both]


def _rows(linked: LinkedRegister, changed: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """The columns of the changed rows that are read."""
    lazy, dtype = changed.lazy(), linked.records.ids.dtype
    schema = lazy.collect_schema()
    check_schema(schema, linked.fields, linked.kind)
    if schema[linked.fields.id] != dtype:
        raise RegisterError(f"The ids of the changed rows are {schema[linked.fields.id]}, not {dtype}.")
    return lazy.select(linked.fields.columns()).collect()
