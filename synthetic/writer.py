"""Writes bytes, and beside them what will become of every line. Appends chunk by chunk, so memory stays flat."""

import hashlib
import io
import shutil
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import polars as pl

from casebridge.synthetic.names import Ints
from casebridge.synthetic.verdicts import CAUSES, PLACES, UNREADABLE, Mask, Verdicts

# In the order in which the truth lists them.
FILES: Final = {
    "CF_PERSON": "CF_PERSON.csv",
    "CF_ALIAS": "CF_ALIAS.csv",
    "CF_ADDRESS": "CF_ADDRESS.csv",
    "CF_NETWORK": "CF_NETWORK.csv",
    "CF_WORKER": "CF_WORKER.txt",
    "CF_ORG": "CF_ORG.xlsx",
    "CF_OBSERVATION": "CF_OBSERVATION.csv",
    "CF_ACTIVITY": "CF_ACTIVITY.csv",
    "CF_AGREEMENT": "CF_AGREEMENT.csv",
    "CF_AGREEMENT_LINE": "CF_AGREEMENT_LINE.csv",
    "CF_PAYMENT": "CF_PAYMENT.csv",
    "CF_WARNING": "CF_WARNING.csv",
    "CF_DOCUMENT": "CF_DOCUMENT.csv",
    "documents": "documents",
    **{
        name: f"{name}.csv"
        for name in (
            "CF_CP_PLAN",
            "CF_PLACEMENT",
            "CF_APPROVAL",
            "CF_FIN_PARTY",
            "CF_INVOICE",
            "CF_EDUCATION",
            "CF_RETENTION",
            "CF_MERGE_REQ",
        )
    },
    "CF_PROPERTY": "CF_PROPERTY.csv",
    "CF_RESIDENT": "CF_RESIDENT.csv",
    "CF_CODE": "CF_CODE.csv",
}


class DataFile:
    """One growing file of the dump, with what the manifest says about it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self.bytes = 0
        self.digest = hashlib.sha256()
        self._out: BinaryIO = path.open("wb")

    def write(self, data: bytes, lines: int) -> None:
        self._out.write(data)
        self.digest.update(data)
        self.bytes += len(data)
        self.lines += lines

    def close(self) -> None:
        self._out.close()


class Writer:
    def __init__(self, folder: Path) -> None:
        self.dump, self.truth = folder / "dump", folder / "truth"
        self.parts = self.truth / "parts"
        for made in (self.dump / "documents", self.dump / "protected", self.parts):
            made.mkdir(parents=True, exist_ok=True)
        self.files: dict[str, DataFile] = {}
        self.rows = dict.fromkeys(FILES, 0)
        self._part = dict.fromkeys(FILES, 0)
        self._values: list[pl.DataFrame] = []
        self._repaired: list[pl.DataFrame] = []

    def open(self, source: str) -> DataFile:
        if source not in self.files:
            self.files[source] = DataFile(self.dump / FILES[source])
        return self.files[source]

    def append(self, source: str, frame: pl.DataFrame, torn: Mask, free: tuple[str, ...]) -> Ints:
        """Write the rows as they stand; returns the physical line each begins at."""
        file = self.open(source)
        if not file.lines:
            file.write((",".join(frame.columns) + "\r\n").encode("latin-1"), 1)
        extra = np.zeros(frame.height, dtype=np.int64)
        for name in free:
            extra += frame[name].str.count_matches("\n", literal=True).to_numpy()
        ends = pl.sum_horizontal(pl.all().cast(pl.String).str.count_matches("\n", literal=True))
        extra[torn] = frame.filter(pl.Series(torn)).select(ends).to_series()  # it may be torn in a free text
        after = np.cumsum(extra + 1)
        first = file.lines + 1 + after - (extra + 1)
        file.write(to_bytes(frame), int(after[-1]) if len(after) else 0)
        return first

    def account(self, source: str, lines: Ints, keys: pl.Series, verdicts: Verdicts, torn: Mask) -> None:
        """The place of every record; a torn one counts as the two unreadable lines it has become."""
        if torn.any():
            lines = np.concatenate([lines, lines[torn] + 1])
            order = np.argsort(lines, kind="stable")
            keys = pl.concat([keys, keys.filter(pl.Series(torn))]).gather(order)
            verdicts, lines = np.concatenate([verdicts, verdicts[torn]])[order], lines[order]
        readable = pl.Series(~np.isin(verdicts, UNREADABLE))
        part = pl.DataFrame({"line": lines, "key": keys, "place": PLACES.gather(verdicts)}).with_columns(
            key=pl.when(readable).then(pl.col("key")), cause=CAUSES.gather(verdicts)
        )
        self.rows[source] += len(part)
        part = part.select(pl.lit(source).alias("source"), pl.lit(FILES[source]).alias("file"), pl.all())
        part.write_parquet(self.parts / f"{source}-{self._part[source]:05}.parquet", compression="lz4")
        self._part[source] += 1

    def set_aside(self, source: str, lines: Ints, column: str, rule: str) -> None:
        if len(lines):
            names = pl.lit(source).alias("source"), pl.lit(FILES[source]).alias("file")
            beside = pl.lit(column).alias("column"), pl.lit(rule).alias("rule")
            self._values.append(pl.DataFrame({"line": lines}).select(*names, "line", *beside))

    def repaired(self, source: str, lines: Ints, column: str, texts: pl.Series) -> None:
        """What a value must read like once padding, code page, date and money formats are dealt with."""
        clean = [text.encode("latin-1").decode("cp1252") if text else None for text in texts]
        sample = pl.DataFrame({"line": lines, "value": pl.Series(clean, dtype=pl.String)})
        names = pl.lit(source).alias("source"), pl.lit(FILES[source]).alias("file")
        self._repaired.append(sample.select(*names, "line", pl.lit(column).alias("column"), "value"))

    def close(self) -> None:
        """Close the data files, list them in the manifest, join the parts of the truth."""
        for file in self.files.values():
            file.close()
        self._manifest()
        parts = [self.parts / f"{name}-{n:05}.parquet" for name in FILES for n in range(self._part[name])]
        whole = pl.scan_parquet(parts)
        whole.sink_parquet(self.truth / "dispositions.parquet", compression="zstd", row_group_size=250_000)
        shutil.rmtree(self.parts)
        self.save("values", pl.concat(self._values).sort("source", "line", "column"))
        self.save("repaired", pl.concat(self._repaired).sort("source", "line", "column"))

    def save(self, name: str, frame: pl.DataFrame, mode: int | None = None) -> None:
        path = self.truth / f"{name}.parquet"
        frame.write_parquet(path, compression="zstd", row_group_size=250_000)
        if mode is not None:
            path.chmod(mode)

    def _manifest(self) -> None:
        rows = ["file,bytes,lines,sha256"]
        for source in sorted(self.files):
            file = self.files[source]
            rows.append(f"{FILES[source]},{file.bytes},{file.lines},{file.digest.hexdigest()}")
        (self.dump / "MANIFEST.csv").write_bytes("".join(f"{row}\r\n" for row in rows).encode("latin-1"))


def to_bytes(frame: pl.DataFrame) -> bytes:
    """Fields are quoted already; each character below 256 is one byte of the legacy encoding."""
    buffer = io.BytesIO()
    frame.write_csv(buffer, include_header=False, line_terminator="\r\n", quote_style="never")
    return buffer.getvalue().decode("utf-8").encode("latin-1")
