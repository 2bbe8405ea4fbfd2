"""A register as it was last linked: all that has to be known of it so that the next run looks at changes only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.affected.folder import AGAIN, own_folder, read_frames, write_frames
from casebridge.dedupe.linkage.affected.frames import frames_of, records_of
from casebridge.dedupe.linkage.affected.part import Applied, Rows, Seen
from casebridge.dedupe.linkage.blocking.candidates import blocked_pairs
from casebridge.dedupe.linkage.clusters import free_name
from casebridge.dedupe.linkage.engine import Progress, compared
from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import Fields, LinkOptions
from casebridge.dedupe.linkage.kind import Kind
from casebridge.dedupe.linkage.kinds.registry import kind_of
from casebridge.dedupe.linkage.model.kept import KeptModel, read_kept
from casebridge.dedupe.linkage.register.reading import by_hash, read_register
from casebridge.dedupe.linkage.register.records import Records
from casebridge.dedupe.linkage.register.runs import Key
from casebridge.dedupe.linkage.scoring.batches import score_all
from casebridge.dedupe.linkage.scoring.cascade import Scorer
from casebridge.project.private import private_files

ENDS = ("left_id", "right_id")
DECISIONS = ("not_pairs", "same_pairs", "different_pairs", "related")


@dataclass(frozen=True)
class LinkedRegister:
    """A register with its pairs and clusters as they stand, under one kept model.

    records: what is known of each, as numbers. keys: of each blocking rule a key a record. seen: pairs judged
    alone. standing: the pairs as they stand, with the numbers of the records for their ids. names: each record's
    cluster. guarded: what the guards of the clusters cut. decisions: what people had decided (decision, left_id,
    right_id).
    """

    kept: KeptModel
    fields: Fields
    kind: Kind
    records: Records
    keys: tuple[Key, ...]
    seen: Seen
    standing: pl.DataFrame
    names: pl.Series
    guarded: pl.DataFrame
    decisions: pl.DataFrame

    @classmethod
    def of(
        cls, register: pl.DataFrame | pl.LazyFrame, fields: Fields, kept: KeptModel,
        options: LinkOptions | None = None, progress: Progress | None = None, kind: Kind | None = None,
    ) -> LinkedRegister:  # fmt: skip
        """Link a register by a kept model, all of it. With `previous_clusters` in the options clusters keep their
        names. Raises RegisterError as `link` does."""
        kind = kind or kind_of(fields)
        fields, options = kind.placed(fields), kept.decided(options or LinkOptions())
        held = read_register(register, fields, kind, options.no_link, kept.known)
        applied = Applied(kept, fields, kind, options, Records.of(held))
        comparisons = compared(held, fields, options, kept)
        candidates = blocked_pairs(held, fields, options, kept.divisions)
        held.build_row_table()
        scored, prune = score_all(Scorer(held, kept.first, comparisons, options.keep), candidates, options)
        held.table = None
        if progress:
            progress("scoring", {**prune.seen})
        part = applied.of(held, np.arange(held.size), comparisons)
        seen = part.seen(scored)
        pairs = part.judge(seen, np.ones(held.size, dtype=bool))
        names, pairs, cut = part.group(pairs, options.previous_clusters)
        keys = tuple(blocks.key for blocks in candidates.blocks)
        return cls(
            kept,
            fields,
            kind,
            applied.records,
            keys,
            seen,
            pairs,
            names,
            cut,
            decisions_of(options, held.ids.dtype),
        )

    @classmethod
    def read(cls, folder: str | Path, kind: Kind | None = None) -> LinkedRegister:
        """What `save` wrote. Raises RegisterError where it cannot be read, is not whole, or was made by another
        engine or model. kind: where it is one that the fields cannot name."""
        where = Path(folder)
        try:
            kept = read_kept(where)
            told, frames = read_frames(where, kept.fingerprint)
            fields, seen = _fields(told["fields"]), frames["seen"]
            left, right = (seen[name].to_numpy().astype(np.int64) for name in ("left", "right"))
            return cls(
                kept, fields, kind or kind_of(fields), records_of(told, frames),
                tuple(key.to_numpy() for key in frames["keys"]),
                Seen(left, right, seen["code"].to_numpy(), seen["p"].to_numpy()),
                frames["pairs"], frames["clusters"]["cluster"], frames["cut"], frames["decisions"],
            )  # fmt: skip
        except RegisterError:
            raise
        except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
            raise RegisterError(f"No linked register can be read ({type(error).__name__}).", AGAIN) from error

    def save(self, folder: str | Path) -> None:
        """Write it into `folder` (0700, files 0600), in place of the linked register that stands there, whole
        or not at all. Other files stay. RegisterError where one would be written over."""
        where, seen = Path(folder), self.seen
        frames, facts = frames_of(self.records)
        ends = {"left": seen.left.astype(np.uint32), "right": seen.right.astype(np.uint32)}
        frames |= {
            "keys": pl.DataFrame({str(n): key for n, key in enumerate(self.keys)}),
            "seen": pl.DataFrame({**ends, "code": seen.codes, "p": seen.p}),
            "pairs": self.standing,
            "clusters": self.names.rename("cluster").to_frame(),
            "cut": self.guarded,
            "decisions": self.decisions,
        }
        with private_files():
            where.mkdir(parents=True, exist_ok=True, mode=0o700)
            own_folder(where)
            self.kept.save(where)
            write_frames(where, frames, self.kept.fingerprint, {**facts, "fields": asdict(self.fields)})

    @property
    def rows(self) -> int:
        """How many records it has."""
        return len(self.records)

    def ids(self) -> pl.Series:
        """The id of each record."""
        return self.records.ids

    def pairs(self) -> pl.DataFrame:
        """Every pair that stands, as `Linkage.pairs`, the surest first."""
        place = pl.Series(places(self.records.ids))
        ordered = self.standing.sort(-pl.col("p_same"), *(pl.lit(place).gather(pl.col(name)) for name in ENDS))
        return self.named(ordered)

    def standing_pairs(self, least: float, also: Collection[tuple[Any, Any]] = ()) -> pl.DataFrame:
        """The pairs that stand with a p of `least` at least, in no order; and those of some ids that stand in a
        pair of `also`."""
        return standing_pairs(self, self.standing, least, also)

    def named(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Pairs of numbers of records as pairs of ids."""
        ids = self.records.ids
        return pairs.with_columns(**{name: ids.gather(pairs[name]).alias(name) for name in ENDS})

    def without_names(self, hidden: Iterable[Any]) -> LinkedRegister:
        """The same with no cluster called after one of these records: a name is the id of somebody who was in it.
        Such a cluster is called after the smallest id in it of the others."""
        names = {str(one) for one in hidden}
        ids = self.records.ids.cast(pl.String)
        held = pl.DataFrame({"id": ids, "cluster": self.names}).filter(pl.col("cluster").is_in(sorted(names)))
        smallest = held.filter(~pl.col("id").is_in(sorted(names))).group_by("cluster").agg(pl.col("id").min())
        renamed, borne = {}, {*self.names} if smallest.height else set()
        for name, other in smallest.sort("cluster").iter_rows():
            renamed[name] = free_name(other, borne - {name})
            borne.add(renamed[name])
        return replace(self, names=self.names.replace(renamed)) if renamed else self

    def clusters(self) -> pl.DataFrame:
        """The cluster of each record, as `Linkage.clusters`."""
        return pl.DataFrame({"id": self.records.ids, "cluster": self.names})

    def cut(self) -> pl.DataFrame:
        """Pairs that a guard of the clusters set aside, as `Linkage.cut`."""
        return self.named(self.guarded)


def standing_pairs(
    linked: LinkedRegister, standing: pl.DataFrame, least: float, also: Collection[tuple[Any, Any]]
) -> pl.DataFrame:
    """Of pairs of numbers of records, as ids, those with a p of `least` at least, and those of some ids that stand
    in a pair of `also`."""
    wanted = pl.col("p_same") >= least
    if also:
        ids = linked.records.ids
        some = rows_of(ids, pl.Series([item for pair in also for item in pair], dtype=ids.dtype, strict=False))
        wanted |= pl.all_horizontal(
            pl.col(name).is_in(pl.Series(some, dtype=pl.UInt32).implode()) for name in ENDS
        )
    return linked.named(standing.filter(wanted))


def _fields(told: Mapping[str, Any]) -> Fields:
    """The fields as JSON has them."""
    joined = {name: tuple(columns) for name, columns in told.get("joined", {}).items()}
    return Fields(**{**told, "joined": joined})


def places(ids: pl.Series) -> NDArray[np.int64]:
    """The place of each id in the order of a register's rows; an id may stand twice."""
    found = np.empty(len(ids), dtype=np.int64)
    found[by_hash(ids).to_numpy()] = np.arange(len(ids))
    return found


def decisions_of(options: LinkOptions, dtype: pl.DataType) -> pl.DataFrame:
    """What people decided, each once: decision, left_id, right_id."""
    frames = []
    for name in DECISIONS:
        pairs = {tuple(sorted(pair)) for pair in getattr(options, name)}
        left, right = (pl.Series([pair[k] for pair in pairs], dtype=dtype, strict=False) for k in (0, 1))
        frames.append(pl.DataFrame({"left_id": left, "right_id": right}).with_columns(decision=pl.lit(name)))
    return pl.concat(frames).select("decision", *ENDS)


def rows_of(ids: pl.Series, wanted: pl.Series) -> Rows:
    """The numbers of those of some ids that are held, in order."""
    asked = wanted.rename("id").unique().to_frame()
    held = pl.DataFrame({"id": ids}).with_row_index("row")
    return held.join(asked, on="id", how="semi", maintain_order="left")["row"].cast(pl.Int64).to_numpy()
