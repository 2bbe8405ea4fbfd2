"""A new migration project from a pack: settings, table specs, code lists, target schema, linkage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from casebridge.migrate.multi_source import PACK_SYSTEM, check_names, spread
from casebridge.project.batch import write_bytes, write_text
from casebridge.project.database import open_database
from casebridge.project.errors import CasebridgeError
from casebridge.project.urls import FILE, absolute, is_url

PACK = "carefirst_mosaic"
DOORS = ("properties", "residents")
"""The pack's specs of addresses that people share."""
DOORS_STAND = ("# Addresses that people share", "# After cut-over")
"""Between which lines of its linkage.toml their register stands."""

_SETTINGS = """\
# One migration project. Paths are relative to this file; ${{NAME}} takes a value from the environment.

[project]
name = "{name}"
batch_rows = 250_000
memory_limit = "2GB"

[target]
url = "{target}"

[control]
# What people decided. Name a PostgreSQL here when many review at once.
url = "sqlite:///control.db"
"""

_SYSTEM = """
[systems.{name}]
dump = "{dump}"
encoding = "cp1252"
delimiter = ","
# A two-digit year yy means 20yy up to this one, else 19yy.
century_pivot = 26
# The columns that carry marks of restriction, and what there means not restricted ("" is a blank). All else is.
restriction = ["CF_PERSON.CARESECURE_YN"]
not_restricted = ["", "N", "NO", "F", "FALSE", "0"]
{no_link}"""


def refuse_folder(folder: Path, dumps: Sequence[Path | str]) -> None:
    """CasebridgeError where no project can be made: there is one, or its dump lies in that very folder."""
    if (folder / FILE).exists():
        raise CasebridgeError(
            f"{folder} is a migration project already", hint="choose another folder; nothing was changed"
        )
    if folder.resolve() in {Path(dump).resolve() for dump in dumps if not is_url(str(dump))}:
        hint = "choose another folder: what a run writes would lie among the files that it reads"
        raise CasebridgeError(f"{folder} is the dump's own folder", hint=hint)


def init_project(folder: Path, dump: Path | str | Mapping[str, Path | str], target: str | None = None) -> Path:
    """Make a project in `folder` from the CareFirst→Mosaic pack. Returns the settings file's path.

    A dump is a folder, or the URL of a database. Several, by their systems' names, are migrated into one target.
    """
    dumps = {PACK_SYSTEM: dump} if isinstance(dump, Path | str) else dict(dump)
    refuse_folder(folder, list(dumps.values()))
    if list(dumps) != [PACK_SYSTEM]:
        check_names(list(dumps))
    for path in dumps.values():
        if not is_url(str(path)) and not Path(path).is_dir():
            hint = "name the folder with the dump's files, or the URL of a database"
            raise CasebridgeError(f"{path} is no folder", hint=hint)
    url = target or "sqlite:///target.db"
    open_database(url).dispose()
    folder.mkdir(parents=True, exist_ok=True)
    pack = resources.files("casebridge.project") / "packs" / PACK
    with resources.as_file(pack) as source:
        for path in sorted(source.rglob("*")):
            if path.is_file():  # its bytes alone: the rights of a program's files are not a project's
                write_bytes(folder / path.relative_to(source), path.read_bytes())
    if not any(_keeps_doors(path) for path in dumps.values()):
        _without_doors(folder)
    if list(dumps) != [PACK_SYSTEM]:
        spread(folder, list(dumps))
    text = _SETTINGS.format(name=folder.resolve().name, target=url)
    text += "".join(_system(folder, name, path) for name, path in dumps.items())
    write_text(folder / FILE, text)
    return folder / FILE


def _keeps_doors(dump: Path | str) -> bool:
    """Whether a dump may have the list of addresses that people share; not every council kept one."""
    return is_url(str(dump)) or any(Path(dump).glob("[Cc][Ff]_[Pp][Rr][Oo][Pp][Ee][Rr][Tt][Yy].*"))


def _without_doors(folder: Path) -> None:
    """The project without the specs and the register of that list."""
    for name in DOORS:
        (folder / "tables" / f"{name}.toml").unlink()
    linkage = folder / "linkage.toml"
    text = linkage.read_text(encoding="utf-8")
    begin, end = (text.index(mark) for mark in DOORS_STAND)
    write_text(linkage, text[:begin] + text[end:])


def dump_below(folder: Path, dump: Path) -> str:
    """A dump's folder as a project's settings name it: as seen from there, where it lies near."""
    relative = dump.resolve()
    if relative.is_relative_to(folder.resolve().parent):
        relative = Path("..") / relative.relative_to(folder.resolve().parent)
        if dump.resolve().is_relative_to(folder.resolve()):
            relative = dump.resolve().relative_to(folder.resolve())
    return relative.as_posix()


def _system(folder: Path, name: str, dump: Path | str) -> str:
    if not is_url(str(dump)):
        path = Path(dump)
        return _SYSTEM.format(name=name, dump=dump_below(folder, path), no_link=no_link_line(folder, path))
    return _SYSTEM.format(name=name, dump=absolute(Path(), str(dump)), no_link=_FILES_BESIDE)


_FILES_BESIDE = """\
# The folder with the files of those specs that name a format: spreadsheets, documents.
# files = "../dump"
"""


NO_LINK = Path("protected/NO_LINK.csv")
"""Where a dump may hold the keys of people who never take part in linkage."""


def no_link_line(folder: Path, dump: Path) -> str:
    """The line of the settings that names this list; empty where the dump has none."""
    there = (dump / NO_LINK).is_file()
    return f'no_link = "{dump_below(folder, dump)}/{NO_LINK.as_posix()}"\n' if there else ""
