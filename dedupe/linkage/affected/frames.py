"""Records of a linked register as frames, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from casebridge.dedupe.linkage.affected.folder import Frames
from casebridge.dedupe.linkage.register.encoding import Lists
from casebridge.dedupe.linkage.register.records import Records

COLUMN, TOLD, MANY = "column ", "told ", "many "


def frames_of(records: Records) -> tuple[Frames, dict[str, Any]]:
    """The frames of records (records, values, listed), and what they cannot say themselves."""
    columns: dict[str, Any] = {"id": records.ids}
    columns |= {COLUMN + name: column for name, column in records.columns.items()}
    columns |= {TOLD + name: column for name, column in records.told.items()}
    columns |= {MANY + name: np.diff(lists.starts) for name, lists in records.lists.items()}
    columns |= {} if records.source is None else {"source": records.source}
    values = [
        text.rename("text").to_frame().select(pl.lit(n, pl.Int32).alias("dictionary"), "text")
        for n, text in enumerate(records.values.values())
    ]
    listed = [pl.DataFrame({"code": lists.codes.astype(np.int64)}) for lists in records.lists.values()]
    frames = {
        "records": pl.DataFrame(columns),
        "values": pl.concat([pl.DataFrame(schema={"dictionary": pl.Int32, "text": pl.String}), *values]),
        "listed": pl.concat([pl.DataFrame(schema={"code": pl.Int64}), *listed]),
    }
    lists = {name: [lists.codes.dtype.str, lists.dictionary] for name, lists in records.lists.items()}
    return frames, {"coded": records.coded, "dictionaries": list(records.values), "lists": lists}


def records_of(told: Mapping[str, Any], frames: Frames) -> Records:
    """The records that `frames_of` made frames of."""
    held, values = frames["records"], frames["values"]
    texts = {name: values.filter(pl.col("dictionary") == n)["text"] for n, name in enumerate(told["dictionaries"])}
    columns, marks = _starting(held, COLUMN), _starting(held, TOLD)
    source = held["source"] if "source" in held.columns else None
    return Records(held["id"], columns, marks, source, _lists(told, frames), texts, dict(told["coded"]))


def _starting(held: pl.DataFrame, what: str) -> dict[str, Any]:
    return {name.removeprefix(what): held[name].to_numpy() for name in held.columns if name.startswith(what)}


def _lists(told: Mapping[str, Any], frames: Frames) -> dict[str, Lists]:
    codes, found = frames["listed"]["code"].to_numpy(), {}
    for name, (dtype, dictionary) in told["lists"].items():
        starts = np.concatenate([[0], np.cumsum(frames["records"][MANY + name].to_numpy().astype(np.int64))])
        found[name] = Lists(starts, codes[: starts[-1]].astype(dtype), dictionary)
        codes = codes[starts[-1] :]
    return found
