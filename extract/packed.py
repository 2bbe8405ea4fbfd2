"""Packed files: `NAME.gz`, and members of a zip, which is named like a folder: `export.zip/PERSON.csv`.

They are unpacked, within bounds, into a folder of the run that goes with it: the readers see files.
"""

from __future__ import annotations

import gzip
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO

from casebridge.project.errors import SourceError

_ZIP = re.compile(r"(?i)(.+?\.zip)/(.+)")
_FREE_OF_DOUBT = 256 << 20
"""Bytes up to which nobody asks how well a file was packed."""
_MOST_PACKED = 200
"""How many times its packed size a larger file may have. Text is packed ten to one; a bomb a thousand to one."""
_CHUNK = 1 << 20
_AGAIN = "ask for the file again, unpacked or packed by another program"
_SUFFIXES = frozenset({".gz"})


class Unpacking:
    """The folder into which the packed files of a dump are unpacked, once each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[Path, str], Path] = {}

    def found(self, dump: Path, file: str) -> list[tuple[str, Path]] | None:
        """Name and place of the members that a path in a zip means; None where the path names no zip."""
        match = _ZIP.fullmatch(file)
        archive = dump / match[1] if match else None
        if match is None or archive is None or not archive.is_file():
            return None
        with _told(match[1]), zipfile.ZipFile(archive) as packed:
            members = [n for n in _listed(packed, match[1]) if fnmatchcase(n, match[2])]
            return [(f"{match[1]}/{n}", self._unpacked(archive, n, packed, f"{match[1]}/{n}")) for n in members]

    def plain(self, path: Path, name: str) -> Path:
        """The file itself, or what is in it when it is packed."""
        if path.suffix.lower() not in _SUFFIXES or not path.is_file():
            return path
        if (path, "") not in self._made:
            with _told(name), gzip.open(path) as stream:
                self._made[path, ""] = self._copied(stream, Path(path.stem).suffix, path.stat().st_size, name)
        return self._made[path, ""]

    def _unpacked(self, archive: Path, member: str, packed: zipfile.ZipFile, name: str) -> Path:
        if (archive, member) not in self._made:
            size = packed.getinfo(member).compress_size
            with packed.open(member) as stream:
                self._made[archive, member] = self._copied(stream, Path(member).suffix, size, name)
        return self._made[archive, member]

    def _copied(self, stream: IO[bytes] | gzip.GzipFile, suffix: str, packed: int, name: str) -> Path:
        """A file of its own; what could not be unpacked leaves none behind."""
        goal = self._folder / f"{len(self._made)}{suffix}"
        try:
            _copy(stream, goal, packed, name)
        except BaseException:
            goal.unlink(missing_ok=True)
            raise
        return goal


def packed_in(file: str) -> str:
    """The path, in the dump, of the file that a spec's `file` takes: the zip itself, where it names a member."""
    match = _ZIP.fullmatch(file)
    return match[1] if match else file


def unread_members(archive: Path, name: str, files: Iterable[str]) -> list[str]:
    """The members of a zip that none of these `file`s takes, as `export.zip/PERSON.csv`. None of one that cannot
    be opened: that is told where it is read."""
    wanted = [match[2] for file in files if (match := _ZIP.fullmatch(file)) and match[1] == name]
    if not wanted or not archive.is_file():
        return []
    try:
        with zipfile.ZipFile(archive) as packed:
            members = _listed(packed, name)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, SourceError):
        return []
    return [f"{name}/{one}" for one in members if not any(fnmatchcase(one, file) for file in wanted)]


def members(archive: Path, name: str) -> list[str]:
    """The members of a zip, as `export.zip/PERSON.csv`. SourceError when it cannot be opened."""
    with _told(name), zipfile.ZipFile(archive) as packed:
        return [f"{name}/{member}" for member in _listed(packed, name)]


def _listed(packed: zipfile.ZipFile, name: str) -> list[str]:
    """The members by name. SourceError where two have one name, for only one of them could be read, or where a
    name leads out of the zip."""
    names = sorted(member for member in packed.namelist() if not member.endswith("/"))
    if len(set(names)) < len(names):
        raise SourceError(name, "has several members of one name: nobody can tell which is meant", hint=_AGAIN)
    if any(member.startswith("/") or ".." in Path(member).parts for member in names):
        raise SourceError(name, "has a member whose name leads out of it", hint=_AGAIN)
    return names


@contextmanager
def unpacking(below: Path | None) -> Iterator[Unpacking]:
    """A folder that is gone afterwards, below this one (None: where the system keeps such)."""
    if below is not None:
        below.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unpacked-", dir=below) as folder:
        yield Unpacking(Path(folder))


def _copy(stream: IO[bytes] | gzip.GzipFile, goal: Path, packed: int, name: str) -> None:
    size, most = 0, max(_FREE_OF_DOUBT, _MOST_PACKED * packed)
    with goal.open("xb") as file:
        while block := stream.read(_CHUNK):
            size += len(block)
            if size > most:
                what = f"is more than {_MOST_PACKED} times its size when it is unpacked"
                raise SourceError(name, what, hint="no export packs so well: ask what it is, or for it unpacked")
            if size > _FREE_OF_DOUBT and shutil.disk_usage(goal.parent).free < _FREE_OF_DOUBT:
                raise SourceError(name, "does not fit on the disk when it is unpacked", hint="make room there")
            file.write(block)


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zipfile.LargeZipFile, gzip.BadGzipFile, zlib.error, EOFError):
        raise SourceError(name, "cannot be unpacked: it is cut short or damaged", hint=_AGAIN) from None
    except (RuntimeError, NotImplementedError):
        what = "cannot be unpacked: it has a password, or is packed in a way that is not known here"
        raise SourceError(name, what, hint=_AGAIN) from None
