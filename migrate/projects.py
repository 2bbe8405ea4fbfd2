"""A new migration project from a pack: settings, table specs, code lists, target schema, linkage."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

from project.batch import write_text
from project.database import open_database
from project.errors import CasebridgeError
from project.settings import FILE

PACK = "carefirst_mosaic"

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

[systems.carefirst]
dump = "{dump}"
encoding = "cp1252"
delimiter = ","
# A two-digit year yy means 20yy up to this one, else 19yy.
century_pivot = 26
{no_link}"""


def init_project(folder: Path, dump: Path, target: str | None = None) -> Path:
    """Make a project in `folder` from the CareFirst→Mosaic pack. Returns the settings file's path."""
    if (folder / FILE).exists():
        raise CasebridgeError(
            f"{folder} is a migration project already", hint="choose another folder; nothing was changed"
        )
    if not dump.is_dir():
        raise CasebridgeError(f"{dump} is no folder", hint="name the folder with the dump's files")
    url = target or "sqlite:///target.db"
    open_database(url).dispose()
    folder.mkdir(parents=True, exist_ok=True)
    pack = resources.files("project") / "packs" / PACK
    with resources.as_file(pack) as source:
        shutil.copytree(source, folder, dirs_exist_ok=True)
    relative = dump.resolve()
    if relative.is_relative_to(folder.resolve().parent):
        relative = Path("..") / relative.relative_to(folder.resolve().parent)
        if dump.resolve().is_relative_to(folder.resolve()):
            relative = dump.resolve().relative_to(folder.resolve())
    protected = dump / "protected" / "NO_LINK.csv"
    text = _SETTINGS.format(
        name=folder.resolve().name,
        target=url,
        dump=relative.as_posix(),
        no_link=f'no_link = "{relative.as_posix()}/protected/NO_LINK.csv"\n' if protected.is_file() else "",
    )
    write_text(folder / FILE, text)
    return folder / FILE
