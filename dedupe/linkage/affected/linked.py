"""A register as it was last linked: what has to be known of it so that the next run looks at changes only."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from casebridge.dedupe.linkage.engine import Progress, link
from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import Fields, LinkOptions
from casebridge.dedupe.linkage.model.kept import KeptModel, read_kept
from casebridge.project.batch import write_file, write_text
from casebridge.project.private import private_files

FILE, FORMAT = "linked.json", 1
FRAMES = ("register", "pairs", "clusters", "cut")


@dataclass(frozen=True)
class LinkedRegister:
    """A register with its pairs and clusters as they stand, under one kept model."""

    kept: KeptModel
    fields: Fields
    frames: Mapping[str, pl.DataFrame]

    @classmethod
    def of(
        cls, register: pl.DataFrame | pl.LazyFrame, fields: Fields, kept: KeptModel,
        options: LinkOptions | None = None, progress: Progress | None = None,
        names: Mapping[Any, str] | None = None,
    ) -> LinkedRegister:  # fmt: skip
        """Link a register by a kept model, all of it. names: cluster of each id as it was, for stable names.
        Raises RegisterError as `link` does."""
        options = replace(options or LinkOptions(), previous_clusters=names, previous_model=None)
        held = _without(register.lazy().select(fields.columns()).collect(), fields.id, options.no_link)
        found = link(held, fields, options, progress, kept)
        frames = {"register": held, "pairs": found.pairs, "clusters": found.clusters, "cut": found.cut}
        return cls(kept, fields, frames)

    @classmethod
    def read(cls, folder: str | Path) -> LinkedRegister:
        """What `save` wrote. Raises RegisterError where nothing can be read."""
        where = Path(folder)
        try:
            told = json.loads((where / FILE).read_text(encoding="utf-8"))
            if told["format"] != FORMAT:
                raise RegisterError(f"{FILE} is of another format ({told['format']}).", "Link the register anew.")
            frames = {name: pl.read_parquet(where / f"{name}.parquet") for name in FRAMES}
            fields = Fields(**told["fields"])
        except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
            raise RegisterError(f"No linked register can be read ({type(error).__name__}).") from error
        return cls(read_kept(where), fields, frames)

    def save(self, folder: str | Path) -> None:
        """Write it into `folder` (0700, files 0600), in place of what stands there, whole or not at all."""
        with private_files():
            self._write(Path(folder))

    def _write(self, where: Path) -> None:
        beside = where.with_name(where.name + ".new")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True, mode=0o700)
        self.kept.save(beside)
        for name in FRAMES:
            write_file(beside / f"{name}.parquet", self.frames[name].write_parquet)
        write_text(beside / FILE, json.dumps({"format": FORMAT, "fields": asdict(self.fields)}) + "\n")
        shutil.rmtree(where, ignore_errors=True)
        beside.rename(where)

    @property
    def rows(self) -> int:
        """How many records it has."""
        return self.frames["register"].height

    def ids(self) -> pl.Series:
        """The id of each record."""
        return self.frames["register"][self.fields.id]

    def pairs(self) -> pl.DataFrame:
        """Every pair that stands, as `Linkage.pairs`."""
        return self.frames["pairs"]

    def clusters(self) -> pl.DataFrame:
        """The cluster of each record, as `Linkage.clusters`."""
        return self.frames["clusters"]

    def cut(self) -> pl.DataFrame:
        """Pairs that a guard of the clusters set aside."""
        return self.frames["cut"]


def _without(frame: pl.DataFrame, column: str, ids: Iterable[Any]) -> pl.DataFrame:
    left_out = pl.Series(list(ids), dtype=frame.schema[column])
    return frame.filter(~pl.col(column).is_in(left_out.implode())) if len(left_out) else frame
