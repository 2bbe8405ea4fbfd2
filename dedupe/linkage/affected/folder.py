"""Frames in a folder: Parquet files for their owner only, which change all together or not at all.

Each save writes files of its own beside those that stand; one file names them, and takes its place in one step. So
a crash leaves all as it was, and what is no longer named goes with the next save. Files are named before they are
written, so what a crash left is known, and a file that was never named is somebody else's: it stays as it is. A
digest of each file says whether it is whole, a digest of the code whether it was made by this engine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.model.kept import made_with
from casebridge.dedupe.linkage.own_files import own_json
from casebridge.project.batch import file_digest, write_file, write_text

FILE, FORMAT = "linked.json", 2
AGAIN = "Link the whole register again."
BEGUN = "begun"
"""Files that a save was about to write, or to delete, when it was stopped."""
Frames = dict[str, pl.DataFrame]


def write_frames(where: Path, frames: Frames, model: str, facts: Mapping[str, Any]) -> None:
    """Write frames, and facts beside them, in place of those that stand in a folder. model: the fingerprint of
    that by which they were made."""
    before = own_folder(where)
    number = 1 + max((_number(path.name) for path in where.glob("*-*.parquet")), default=0)
    files = {name: f"{name}-{number}.parquet" for name in frames}
    ours = {*before.get("files", ()), *before.get(BEGUN, ())}
    _tell(where, {"files": {}, **before, BEGUN: sorted({*ours, *files.values()})})
    with ThreadPoolExecutor(2) as pool:
        digests = list(pool.map(lambda name: _write(where / files[name], frames[name]), files))
    named = dict(zip(files.values(), digests, strict=True))
    told = {**facts, "format": FORMAT, "code": code(), "model": model, "files": named}
    _tell(where, {**told, BEGUN: sorted(ours)})
    for old in ours:
        (where / old).unlink(missing_ok=True)
    _tell(where, told)


def own_folder(where: Path) -> dict[str, Any]:
    """What the file of a folder says, nothing where it has none. Raises RegisterError where a file of that name is
    not a linked register's."""
    return own_json(where / FILE, "files")


def read_frames(where: Path, model: str) -> tuple[dict[str, Any], Frames]:
    """The facts and the frames of a folder. Raises RegisterError where a file is not what was written, or all was
    made by another engine or model."""
    told = json.loads((where / FILE).read_text(encoding="utf-8"))
    if told["format"] != FORMAT:
        raise RegisterError(f"{FILE} is of another format ({told['format']}).", AGAIN)
    if told["code"] != code():
        raise RegisterError("The linked register was made by another version of the engine.", AGAIN)
    if told["model"] != model:
        raise RegisterError("The kept model is not the one by which the register was linked.", AGAIN)
    with ThreadPoolExecutor(2) as pool:
        whole = pool.map(lambda name: file_digest(where / name) == told["files"][name], told["files"])
        frames = {name.rsplit("-", 1)[0]: pl.read_parquet(where / name) for name in told["files"]}
        if not all(whole):
            raise RegisterError("A file of the linked register is not what was written.", AGAIN)
    return told, frames


@cache
def code() -> str:
    """Changes with the code of the engine and with the libraries on which its numbers rest."""
    found = hashlib.sha256(json.dumps(made_with(), sort_keys=True).encode())
    engine = Path(__file__).parent.parent
    for file in sorted(engine.rglob("*.py")):
        found.update(file.relative_to(engine).as_posix().encode() + file.read_bytes())
    return found.hexdigest()


def _write(path: Path, frame: pl.DataFrame) -> str:
    write_file(path, lambda file: frame.write_parquet(file, compression="uncompressed", statistics=False))
    return file_digest(path)


def _tell(where: Path, told: Mapping[str, Any]) -> None:
    write_text(where / FILE, json.dumps(told) + "\n")


def _number(name: str) -> int:
    number = name.removesuffix(".parquet").rpartition("-")[2]
    return int(number) if number.isascii() and number.isdigit() else 0
