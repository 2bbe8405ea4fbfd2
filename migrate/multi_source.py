"""A pack laid out for several legacy systems in one project: councils that merge.

Every spec is written once for each system, the keys that people see get the system's name in front, and the
register that linkage reads is that of all systems together, each record under its own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from casebridge.project.batch import write_text
from casebridge.project.errors import CasebridgeError

PACK_SYSTEM = "carefirst"
_NAME = re.compile(r"[a-z][a-z0-9]{0,6}")

_PREFIXED_KEY = """

# What people type to find a record of the old system; the name says of which one.
[columns.{column}]
from  = "{source}"
steps = ["prefix:{prefix}-"]
"""


def check_names(systems: Sequence[str]) -> None:
    """CasebridgeError when these cannot be the names of a project's systems."""
    wrong = [name for name in systems if not _NAME.fullmatch(name)]
    if wrong or len(set(systems)) < len(systems):
        raise CasebridgeError(
            "each dump needs a system's name of its own",
            hint="--dump NAME=FOLDER, NAME up to 7 small letters and digits: it stands in front of the old keys",
        )


def spread(folder: Path, systems: Sequence[str]) -> None:
    """Write the pack's specs and linkage in `folder` for these systems."""
    keys = _legacy_keys(folder)
    tables = folder / "tables"
    names = []
    for path in sorted(tables.glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        names.append(path.stem)
        for system in systems:
            write_text(tables / f"{system}_{path.name}", _of_system(text, system, keys))
        path.unlink()
    linkage = folder / "linkage.toml"
    write_text(linkage, _linkage(linkage.read_text(encoding="utf-8"), names, systems))


def _legacy_keys(folder: Path) -> dict[str, str]:
    """The target tables that have a column for the old key, and that column."""
    target = tomllib.loads((folder / "target.toml").read_text(encoding="utf-8"))
    return {name: table["legacy_key"] for name, table in target.items() if "legacy_key" in table}


def _of_system(text: str, system: str, keys: dict[str, str]) -> str:
    spec = tomllib.loads(text)
    text = re.sub(rf'^(system *= *)"{PACK_SYSTEM}"', rf'\1"{system}"', text, flags=re.MULTILINE)
    column = keys.get(spec["table"]["target"])
    if column:
        own = _PREFIXED_KEY.format(column=column, source=spec["table"]["key"][0], prefix=system.upper())
        text = text.rstrip("\n") + own
    return text


def _linkage(text: str, names: Sequence[str], systems: Sequence[str]) -> str:
    """The pack's queries over all systems' tables; in them, every key carries its system."""
    linkage = tomllib.loads(text)
    for register in (linkage["register"], *linkage.get("registers", {}).values()):
        text = _register(text, register["query"], register["tables"], names, systems)
    for asked in linkage.get("evidence", {}).values():
        text = text.replace(asked, _in_each(asked, names, systems))
    return text


def _register(text: str, query: str, register: Sequence[str], names: Sequence[str], systems: Sequence[str]) -> str:
    """The file with one register's query and tables as all systems have them."""
    used = [name for name in names if re.search(rf"\b(FROM|JOIN) {name}\b", query)]
    views = ",\n".join(_together(name, name in register, systems) for name in used)
    whole = (
        f"WITH {views}\nSELECT * REPLACE (split_part(id, ':', 2) AS id), split_part(id, ':', 1) AS system\n"
        f"FROM ({query.strip()})\nORDER BY system, id\n"
    )
    listed = ", ".join(f'"{system}_{name}"' for name in register for system in systems)
    text = text.replace(query, whole)
    was = " *, *".join(f'"{name}"' for name in register)
    return re.sub(rf"^(tables *=) *\[ *{was} *\]", rf"\1 [{listed}]", text, flags=re.MULTILINE)


def _in_each(query: str, names: Sequence[str], systems: Sequence[str]) -> str:
    """A query asked of each system's tables by itself, with the system beside each row."""

    def of(system: str) -> str:
        own = re.sub(rf"\b(FROM|JOIN) ({'|'.join(names)})\b", rf"\1 {system}_\2", query.strip())
        return f"SELECT '{system}' AS system, * FROM (\n{own}\n)"  # noqa: S608

    return "\n" + "\nUNION ALL\n".join(of(system) for system in systems) + "\n"


def _together(name: str, is_register: bool, systems: Sequence[str]) -> str:
    key = "_key" if is_register else "person_id"
    parts = (
        f"    SELECT * REPLACE ('{system}:' || {key} AS {key}) FROM {system}_{name}"  # noqa: S608
        for system in systems
    )
    return f"{name} AS (\n" + "\n    UNION ALL BY NAME\n".join(parts) + "\n)"
