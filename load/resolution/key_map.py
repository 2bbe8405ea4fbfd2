"""Where each legacy key stands when its children are loaded: in the target under an id, or nowhere, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl

from casebridge.load.resolution.natural_keys import keys_of
from casebridge.project.batch import Batch, digest, with_rows
from casebridge.project.contracts import CROSSWALK, DISPLACED, KEY, ROW, ROW_VERDICTS, SPACES, empty
from casebridge.project.identity import ANY, ids_of, segments
from casebridge.project.job import Job
from casebridge.project.references import source_meant
from casebridge.project.spec import ColumnSpec, TableSpec

STAGE = "load"


@dataclass(frozen=True)
class Crosswalk:
    """Which rows of the registers were folded into which. Empty when nothing was linked. `register`: the specs
    whose rows it speaks of; `spaces`: of those, and of the specs that keep the names of folded records, what
    `system` is in its rows."""

    batches: tuple[Batch, ...]
    register: frozenset[str]
    spaces: Mapping[str, str]
    withheld_in: tuple[Batch, ...] = ()
    displaced_in: tuple[Batch, ...] = ()

    def space_of(self, spec: TableSpec) -> str:
        """What `system` is in the rows of a spec: its system, where no register has the spec."""
        return self.spaces.get(spec.name, spec.system)

    @property
    def digest(self) -> str:
        """Changes when a row is folded or unfolded."""
        return digest([batch.sha256 for batch in self.batches], dict(self.spaces))

    @cached_property
    def folded(self) -> pl.DataFrame:
        """The rows that are folded into another: CROSSWALK."""
        frames = [batch.read(list(CROSSWALK)) for batch in self.batches]
        apart = pl.struct("system", "key") != pl.struct(
            pl.col("survivor_system").alias("system"), pl.col("survivor_key").alias("key")
        )
        return pl.concat(frames or [empty(CROSSWALK)]).filter(apart)

    @cached_property
    def _by_space(self) -> dict[tuple[object, ...], pl.DataFrame]:
        return self.folded.partition_by("system", as_dict=True)

    @cached_property
    def withheld(self) -> pl.DataFrame:
        """The rows that did not come through, and who people said they are: CROSSWALK."""
        return pl.concat([empty(CROSSWALK), *(batch.read(list(CROSSWALK)) for batch in self.withheld_in)])

    def gone_from(self, spec: TableSpec) -> pl.Series:
        """The keys whose own rows do not stand in the target as they are: folded into another; for a spec that
        keeps the names of those, survivors too whose own name gave way."""
        keys = self.folded_of(self.space_of(spec)).get_column(KEY)
        if not spec.merged_only:
            return keys
        displaced = pl.concat([empty(DISPLACED), *(batch.read() for batch in self.displaced_in)])
        return pl.concat([keys, displaced.filter(pl.col("spec") == spec.name).get_column(KEY)])

    def folded_of(self, space: str) -> pl.DataFrame:
        """The folded keys of one space: KEY, survivor_system, survivor_key."""
        mine = self._by_space.get((space,), self.folded.clear())
        return mine.select(pl.col("key").alias(KEY), "survivor_system", "survivor_key")


def read_crosswalk(job: Job) -> Crosswalk:
    """The crosswalk of this run, and the specs whose rows it speaks of."""
    batches = job.ledger.sealed(job.run, "dedupe", "crosswalk", "crosswalk")
    rows = [batch.read() for batch in job.ledger.sealed(job.run, "dedupe", "crosswalk", "spaces")]
    named = dict(pl.concat([empty(SPACES), *rows]).iter_rows())
    spaces = {spec.name: named[spec.name] for spec in job.specs if spec.name in named}
    sources = {spec.sources: spaces[spec.name] for spec in job.specs if spec.name in spaces}
    beside = {spec.name: sources[spec.sources] for spec in job.specs
              if spec.merged_only and spec.sources in sources}  # fmt: skip
    more = (job.ledger.sealed(job.run, "dedupe", "crosswalk", kind) for kind in ("withheld", "displaced"))
    return Crosswalk(batches, frozenset(spaces), {**beside, **spaces}, *more)


@dataclass(frozen=True)
class KeyMap:
    """The keys of one system in one target table. `digest` changes when any of them may have changed.

    `early` asks about a table before it is loaded; `source` only about rows of one source table.
    """

    job: Job
    target: str
    system: str
    crosswalk: Crosswalk
    early: bool = False
    source: str = ANY

    @property
    def specs(self) -> tuple[TableSpec, ...]:
        """The specs that fill the table from this system."""
        mine = (s for s in self.job.specs if s.target == self.target and s.system == self.system)
        return tuple(s for s in mine if self.source in {ANY, s.sources[0].name})

    @cached_property
    def digest(self) -> str:
        """Of every file that says where a key stands."""
        sides = [self, *self._survivors_elsewhere()] if self._is_register else [self]
        files = [batch.sha256 for side in sides for kinds in side._files().values() for batch in kinds]
        ids = [batch.sha256 for batch in segments(self.job, self.target)]
        return digest(files, ids, self.crosswalk.digest if self._is_register else "")

    @cached_property
    def keys(self) -> pl.DataFrame:
        """KEY, `id` (null when the row is not in the target), `place` (null when it is)."""
        own = self._own_keys()
        if not self._is_register:
            return own
        folded = self.crosswalk.folded_of(self.space)
        if folded.is_empty():
            return own
        survivors = pl.concat(
            [
                self._of_space(space).with_columns(survivor_system=pl.lit(space))
                for space in sorted(set(folded.get_column("survivor_system")))
            ]
        ).rename({KEY: "survivor_key"})
        moved = folded.join(survivors, on=["survivor_system", "survivor_key"], how="left")
        rest = own.filter(~pl.col(KEY).is_in(folded.get_column(KEY).implode()))
        return pl.concat([rest, moved.select(KEY, "id", "place")])

    @property
    def _is_register(self) -> bool:
        return any(spec.name in self.crosswalk.register for spec in self.specs)

    @property
    def folded(self) -> pl.Series:
        """Those of the keys whose records were folded into another; none where the table is of no register."""
        keys = self.crosswalk.folded_of(self.space).get_column(KEY)
        return keys if self._is_register else keys.clear()

    @property
    def space(self) -> str:
        """What `system` is in the crosswalk's rows of these keys."""
        own = (self.crosswalk.space_of(spec) for spec in self.specs if spec.name in self.crosswalk.register)
        return next(own, self.system)

    def _of_space(self, space: str) -> pl.DataFrame:
        return self._own_keys() if space == self.space else self._side(space)._own_keys()

    def _survivors_elsewhere(self) -> list[KeyMap]:
        """The other systems whose records took in some of this one's: where those stand counts here too."""
        spaces = set(self.crosswalk.folded_of(self.space).get_column("survivor_system"))
        return [self._side(space) for space in sorted(spaces - {self.space})]

    def _side(self, space: str) -> KeyMap:
        system = space.partition("/")[0]
        return KeyMap(self.job, self.target, system, self.crosswalk, self.early)

    def _own_keys(self) -> pl.DataFrame:
        """The keys source by source: two of them may have the same."""
        sources = sorted({spec.sources[0].name for spec in self.specs})
        kind = self.job.target.by_name[self.target].id_type
        none = pl.DataFrame(schema={KEY: pl.String(), "id": kind, "place": pl.String()})
        return pl.concat([none, *(replace(self, source=source)._keys_of_source() for source in sources)])

    def _keys_of_source(self) -> pl.DataFrame:
        files = self._files()
        alive = self._alive(files["present"])
        verdicts = pl.col("verdict").is_in([str(verdict) for verdict in ROW_VERDICTS])
        place = pl.col("verdict").alias("place")
        absent = [
            batch.scan().filter(pl.col("first") & verdicts).select(KEY, ROW, place).collect()
            for batch in with_rows(files["absent"])
        ]
        none = pl.DataFrame(schema={KEY: pl.String(), ROW: pl.Int64(), "place": pl.String()})
        # Of a doubled key the first row is meant, at whatever stage it stayed behind.
        dead = (
            pl.concat([none, *absent])
            .sort(ROW, maintain_order=True)
            .unique(KEY, keep="first", maintain_order=True)
        )
        dead = dead.filter(~pl.col(KEY).is_in(alive.get_column(KEY).implode()))
        return pl.concat(
            [
                alive.select(KEY, "id", pl.lit(None, dtype=pl.String).alias("place")),
                dead.select(KEY, pl.lit(None, dtype=alive.schema["id"]).alias("id"), "place"),
            ]
        )

    def _alive(self, present: Sequence[Batch]) -> pl.DataFrame:
        """KEY and `id` of the rows that come through."""
        table = self.job.target.by_name[self.target]
        if table.natural_key:
            none = pl.DataFrame(schema={KEY: pl.String(), "id": table.id_type})
            return pl.concat([none, *(keys_of(batch, table) for batch in present)]).unique(
                KEY, keep="first", maintain_order=True
            )
        keys = [pl.DataFrame(schema={KEY: pl.String()}), *(batch.read([KEY]) for batch in present)]
        numbered = ids_of(self.job, self.target, self.system, self.source)
        return pl.concat(keys).unique(maintain_order=True).join(numbered, on=KEY, how="left")

    def _files(self) -> dict[str, list[Batch]]:
        """A table that is loaded later, or is being loaded, is judged by what transform said of it."""
        ledger, run = self.job.ledger, self.job.run
        present: list[Batch] = []
        absent: list[Batch] = []
        for spec in self.specs:
            absent += ledger.sealed(run, "transform", spec.name, "quarantine")
            for source in spec.sources:
                absent += ledger.sealed(run, "transform", str(source), "quarantine")
            if self.early:
                present += ledger.sealed(run, "transform", spec.name, "clean")
            else:
                present += ledger.sealed(run, STAGE, spec.name, "rows")
                absent += ledger.sealed(run, STAGE, spec.name, "quarantine")
        return {"present": present, "absent": absent}


class Parents:
    """What one pass over the tables, parents before children, has found out of the tables that others refer
    to: each asked once. A table is asked only when its own rows are resolved, or as it is before that."""

    def __init__(self, job: Job, crosswalk: Crosswalk) -> None:
        self._job, self._crosswalk = job, crosswalk
        self._known: dict[tuple[str, str, str, bool], KeyMap] = {}

    def of(self, spec: TableSpec, column: ColumnSpec) -> KeyMap:
        """Where the keys stand that a spec's rows refer to in one column."""
        order, target = self._job.target.load_order, str(column.references)
        early = order.index(target) >= order.index(spec.target)
        source = source_meant(self._job.specs, spec, column)
        asked = (target, spec.system, source, early)
        if asked not in self._known:
            self._known[asked] = KeyMap(self._job, target, spec.system, self._crosswalk, early, source)
        return self._known[asked]
