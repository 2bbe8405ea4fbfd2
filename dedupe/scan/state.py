"""What the scan knows of the live register from one night to the next: files in `work/scan`, named by one other.

`state.json` says which files hold, with their digests; to replace it is the moment at which a night counts. All
files are written beside and synced before, so whatever a killed scan left behind is nobody's and goes with the
next one. What is large is written whole now and then only; a night writes beside it what changed since.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from casebridge.dedupe.scan.kept_rows import KeptRows
from casebridge.project.batch import file_digest, new_file, put_in_place, write_text
from casebridge.project.errors import CasebridgeError

FILE, FORMAT = "state.json", 2
LINKED = "linked"
"""The fact that names the folder of the linked register."""
PARTS = "registers"
"""The fact that holds the parts."""
FOLDER = "scan"
"""Of the work folder."""
_OWN = re.compile(r"\d{5,}-\d+-.+|\..+\.part")
"""How files and folders of a night are called, and such as are half written."""
TOUCHED, FRESH = ".touched", ".fresh"
"""Of rows of which a night writes what changed: the keys that were touched since, and their rows."""
LOST = "delete work/scan: the next scan reads the whole register and builds it again; no decision is lost"


@dataclass(frozen=True)
class Kept:
    """One file of the state: its name in the folder, its digest and how many rows it has."""

    path: str
    sha256: str
    rows: int


@dataclass
class ScanState:
    """The state of one project's scan. `night` counts the scans that ended well; `facts` is whatever else they
    left, JSON as it is. `front`: what stands before the names of its files; empty but for a part."""

    folder: Path
    night: int = 0
    files: dict[str, Kept] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    front: str = ""
    _parts: dict[str, ScanState] = field(default_factory=dict)
    _bases: dict[str, pl.LazyFrame] = field(default_factory=dict)

    def part(self, name: str) -> ScanState:
        """The state of a further register, which holds from the moment in which this one does."""
        if name not in self._parts:
            body = self.facts.get(PARTS, {}).get(name, {"night": 0, "files": {}, "facts": {}})
            files = {key: Kept(**kept) for key, kept in body["files"].items()}
            self._parts[name] = ScanState(self.folder, body["night"], files, dict(body["facts"]), f"{name}.")
        return self._parts[name]

    def settle(self, facts: Mapping[str, Any]) -> None:
        """Of a part: have this hold from the next `commit` of the whole on."""
        self.night, self.facts = self.night + 1, dict(facts)

    def _body(self) -> dict[str, Any]:
        files = {name: vars(kept) for name, kept in sorted(self.files.items())}
        return {"night": self.night, "files": files, "facts": self.facts}

    def frame(self, name: str) -> pl.DataFrame | None:
        """The rows kept under a name as they are now, None where there are none yet. CasebridgeError when they
        were changed."""
        if name + TOUCHED in self.files:
            rows = self.rows(name)
            return rows.select() if rows else None
        return self._scan(name).collect() if name in self.files else None

    def rows(self, name: str) -> KeptRows | None:
        """The same, of rows of which a night writes what changed."""
        if name not in self.files:
            return None
        base = self._bases.setdefault(name, self._scan(name))
        touched, fresh = (self._scan(name + part).collect() for part in (TOUCHED, FRESH))
        return KeptRows(touched.columns[0], base, touched, fresh)

    def _scan(self, name: str) -> pl.LazyFrame:
        kept = self.files[name]
        path = self.folder / kept.path
        if not path.is_file() or file_digest(path) != kept.sha256:
            raise CasebridgeError(f"work/{FOLDER}/{kept.path} is not what was written", hint=LOST)
        return pl.scan_parquet(path)

    def put_rows(self, name: str, rows: KeptRows) -> None:
        """Have rows kept from the next `commit` on: all of them where their base is another one, else those that
        changed since."""
        if name not in self._bases or self._bases[name] is not rows.base:
            self.put(name, rows.base)
        self.put(name + TOUCHED, rows.touched)
        self.put(name + FRESH, rows.fresh)

    def written(self, name: str, rows: KeptRows) -> KeptRows:
        """The same rows, whose base is in a file from here on, not in memory; they count from the next `commit`
        on, if they are put then."""
        self.put(name, rows.base)
        self._bases[name] = pl.scan_parquet(self.folder / self.files[name].path)
        return replace(rows, base=self._bases[name])

    def put(self, name: str, frame: pl.DataFrame | pl.LazyFrame) -> None:
        """Have rows kept under a name from the next `commit` on."""
        path = self.folder / f"{self.night + 1:05d}-{os.getpid()}-{self.front}{name}.parquet"
        with new_file(path) as file:
            frame.lazy().sink_parquet(file, compression="lz4", statistics=False)
            file.flush()
            beside = Path(file.name)
            rows = (
                frame.height
                if isinstance(frame, pl.DataFrame)
                else int(pl.scan_parquet(beside).select(pl.len()).collect().item())
            )
            self.files[name] = Kept(path.name, file_digest(beside), rows)
            put_in_place(beside, path)

    def new_folder(self, name: str) -> Path:
        """Where a folder may be written that counts from the next `commit` on, if its name stands in the facts."""
        return self.folder / f"{self.night + 1:05d}-{os.getpid()}-{self.front}{name}"

    def commit(self, facts: Mapping[str, Any]) -> None:
        """From here on this is what holds, whatever happens; files of before are deleted."""
        parts = {name: part._body() for name, part in sorted(self._parts.items())}
        self.settle({**facts, **({PARTS: parts} if parts else {})})
        write_text(self.folder / FILE, json.dumps({"format": FORMAT, **self._body()}, indent=1) + "\n")
        self.tidy()

    def tidy(self) -> None:
        """Delete the files that do not hold: what a scan left that was killed, and what the last one replaced.
        They are known by their names; any other file is somebody's own, and stays."""
        bodies = [{"files": {}, "facts": self.facts}, *self.facts.get(PARTS, {}).values()]
        named = {str(kept["path"]) for body in bodies for kept in body["files"].values()}
        named |= {FILE, *(kept.path for kept in self.files.values())}
        named |= {str(body["facts"].get(LINKED, "")) for body in bodies}
        for path in self.folder.iterdir():
            if path.name not in named and _OWN.fullmatch(path.name):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    @property
    def linked(self) -> Path | None:
        """The folder of the linked register, None before the first night."""
        name = self.facts.get(LINKED)
        return self.folder / str(name) if name else None


def read_state(work: Path) -> ScanState:
    """The state as the last scan left it, an empty one before the first. CasebridgeError when it is unreadable."""
    folder = work / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    try:
        body = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if body["format"] > FORMAT:
            raise CasebridgeError(
                f"work/{FOLDER} was written by a newer casebridge",
                hint="use the release that wrote it, or a newer one",
            )
        files = {str(name): Kept(**kept) for name, kept in body["files"].items()}
        if body["format"] < FORMAT:  # the next scan reads and links the whole register again
            files = {name: kept for name, kept in files.items() if name == "candidates"}
            body["facts"].pop(LINKED, None)
        return ScanState(folder, int(body["night"]), files, dict(body["facts"]))
    except FileNotFoundError:
        return ScanState(folder)
    except (ValueError, KeyError, TypeError) as error:
        raise CasebridgeError(f"work/{FOLDER}/{FILE} cannot be read", hint=LOST) from error
