"""`casebridge.toml`: where the dumps lie, which target, which run. Read once, frozen."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casebridge.project.bounds import Bounds, read_bounds, whole
from casebridge.project.errors import Problem, SpecError, did_you_mean
from casebridge.project.limits import Limits, read_limits
from casebridge.project.toml_file import TomlError, read_toml
from casebridge.project.urls import FILE, is_url, url_of

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SYSTEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_SIZE = re.compile(r"[0-9]+(\.[0-9]+)? ?([KMGT]i?B|%)")
NOT_RESTRICTED = ("", "N", "NO", "F", "FALSE", "0")
"""What marks say of a record that is not restricted, where a system declares nothing else; "" is a blank."""


@dataclass(frozen=True)
class System:
    """A legacy system: where its records lie, and how its text files are written.

    `database` is the URL of the database that they stand in, empty where `dump`, a folder, holds them as files.
    Both: the specs that name a format of files read from the folder. A two-digit year yy means 20yy when yy <=
    `century_pivot`, else 19yy. `timezone` is where its clocks stood. `restriction` are the columns, as
    SOURCE.COLUMN, that carry marks of restriction, none at all when it is empty and None when nobody has said;
    `not_restricted` the values of theirs that mean *not restricted*."""

    name: str
    dump: Path | None
    encoding: str = "utf-8"
    delimiter: str = ","
    century_pivot: int = 30
    no_link: Path | None = None
    timezone: str = "Europe/London"
    restriction: tuple[str, ...] | None = None
    not_restricted: tuple[str, ...] | None = None
    database: str = field(default="", repr=False)


@dataclass(frozen=True)
class Route:
    """One of several targets, and who answers there for the rows that go to it."""

    name: str
    target_url: str
    owner: str


@dataclass(frozen=True)
class Live:
    """The register that a scan reads: its database, what it is called before a key (`mosaic:12`), its own no-link
    list, for how many nights the scan keeps its counts, and the address of the review desk, for links."""

    url: str
    system: str = "mosaic"
    no_link: Path | None = None
    keep_nights: int = 400
    desk: str = ""


@dataclass(frozen=True)
class Settings:
    """One migration project. All paths are absolute."""

    folder: Path
    name: str
    target_url: str
    control_url: str
    systems: Mapping[str, System]
    batch_rows: int = 250_000
    memory_limit: str = "2GB"
    bounds: Bounds = field(default_factory=Bounds)
    shared_group: bool = False
    routes: Mapping[str, Route] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    hold_days: int = 2
    live: Live | None = None

    @property
    def work(self) -> Path:
        """Where the stages keep their files and the ledger."""
        return self.folder / "work"

    @property
    def reports(self) -> Path:
        """Where the board's reports go, one folder a run."""
        return self.folder / "reports"


_KNOWN: Mapping[str, set[str]] = {
    "": {"project", "target", "control", "systems", "routes", "limits", "reading", "review", "scan"},
    "project": {"name", "batch_rows", "memory_limit", "shared_group"},
    "target": {"url"},
    "control": {"url"},
    "systems": {
        "dump",
        "files",
        "encoding",
        "delimiter",
        "century_pivot",
        "no_link",
        "timezone",
        "restriction",
        "not_restricted",
    },
    "routes": {"target", "owner"},
    "reading": {"longest_record", "workbook_cells", "workbook_size", "workbook_rows", "list_size"},
    "review": {"hold_days"},
    "scan": {"url", "system", "no_link", "keep_nights", "desk"},
}


def read_settings(folder: Path) -> Settings:
    """The settings of the project in `folder`; SpecError lists all that is wrong with them."""
    path = folder / FILE
    problems: list[Problem] = []
    try:
        raw = read_toml(path)
    except FileNotFoundError as error:
        hint = "go to your migration project, or name it with --project DIR, or make one with `casebridge init`"
        raise SpecError([Problem(str(path), "", "no such file", hint)]) from error
    except TomlError as error:
        raise SpecError([Problem(str(path), "", str(error))]) from error
    _unknown("", raw, "", problems)
    for part in ("project", "target", "control", "reading", "review", "scan"):
        _unknown(part, raw.get(part, {}), part, problems)
    limits = read_limits(FILE, raw.get("limits", {}), problems)
    raw = {part: body for part, body in raw.items() if isinstance(body, dict)}
    systems = {name: _system(folder, name, body, problems) for name, body in raw.get("systems", {}).items()}
    if not systems and "scan" not in raw:
        problems.append(Problem(FILE, "systems", "names no legacy system", "add [systems.carefirst] with a dump"))
    project = raw.get("project", {})
    target_url = url_of(folder, raw.get("target", {}).get("url", "sqlite:///target.db"), "target.url", problems)
    settings = Settings(
        folder=folder.resolve(),
        name=str(project.get("name", folder.resolve().name)),
        target_url=target_url,
        control_url=url_of(
            folder, raw.get("control", {}).get("url", "sqlite:///control.db"), "control.url", problems
        ),
        systems=systems,
        batch_rows=whole(project, "project.batch_rows", 250_000, problems),
        memory_limit=str(project.get("memory_limit", "2GB")),
        bounds=read_bounds(raw.get("reading", {}), problems),
        shared_group=_yes_no(project, "project.shared_group", problems),
        routes={name: _route(folder, name, body, problems) for name, body in raw.get("routes", {}).items()},
        limits=limits,
        hold_days=_days(raw.get("review", {}), problems),
        live=_live(folder, raw.get("scan", {}), target_url, systems, problems),
    )
    if not _SIZE.fullmatch(settings.memory_limit):
        problems.append(Problem(FILE, "project.memory_limit", "is no size", "write it like 2GB or 500MB"))
    if problems:
        raise SpecError(problems)
    return settings


def _unknown(part: str, body: Any, where: str, problems: list[Problem]) -> None:
    if not isinstance(body, dict):
        problems.append(Problem(FILE, where, "must be a TOML table"))
        return
    for key in sorted(body.keys() - _KNOWN[part]):
        place = f"{where}.{key}".lstrip(".")
        problems.append(Problem(FILE, place, "unknown key", did_you_mean(key, _KNOWN[part])))


def _system(folder: Path, name: str, body: Any, problems: list[Problem]) -> System:
    where = f"systems.{name}"
    if not _SYSTEM.fullmatch(name):
        hint = "letters, digits, _ and -, at most 40, the first a letter or digit: it is part of file names"
        problems.append(Problem(FILE, "systems", "holds a name that cannot be one", hint))
    _unknown("systems", body, where, problems)
    body = body if isinstance(body, dict) else {}
    encoding, delimiter = str(body.get("encoding", "utf-8")), str(body.get("delimiter", ","))
    if encoding.lower() not in ENCODINGS:
        hint = f"one of {', '.join(sorted(set(ENCODINGS.values())))}"
        problems.append(Problem(FILE, f"{where}.encoding", f"unknown encoding `{encoding}`", hint))
    if not is_delimiter(delimiter, ENCODINGS.get(encoding.lower(), "utf-8")):
        problems.append(Problem(FILE, f"{where}.delimiter", BAD_DELIMITER))
    if "dump" not in body:
        problems.append(Problem(FILE, where, "names no dump: a folder, or the URL of a database"))
    no_link = body.get("no_link")
    pivot = body.get("century_pivot", 30)
    if isinstance(pivot, bool) or not isinstance(pivot, int) or not 0 <= pivot <= 99:
        problems.append(Problem(FILE, f"{where}.century_pivot", f"must be a year from 0 to 99, not {pivot!r}"))
    database, dump = _dump(folder, body, where, problems)
    return System(
        name=name,
        dump=dump,
        encoding=ENCODINGS.get(encoding.lower(), "utf-8"),
        delimiter=delimiter,
        century_pivot=pivot,
        no_link=(folder / str(no_link)).resolve() if no_link else None,
        timezone=_timezone(body, where, problems),
        restriction=texts_of(FILE, where, body, "restriction", problems),
        not_restricted=texts_of(FILE, where, body, "not_restricted", problems),
        database=database,
    )


def _live(
    folder: Path, body: dict[str, Any], target_url: str, systems: Mapping[str, System], problems: list[Problem]
) -> Live:
    """The live register: the target, unless a URL of its own is named."""
    # A legacy system may be called like the register, where nobody has given that a name of its own.
    usual = Live.system if Live.system not in systems else f"{Live.system}-live"
    name, no_link = str(body.get("system", usual)), body.get("no_link")
    if not _SYSTEM.fullmatch(name) or name in systems:
        hint = "letters, digits, _ and -, and the name of no system: it stands before the register's keys"
        problems.append(Problem(FILE, "scan.system", "cannot be the register's name", hint))
    return Live(
        url=url_of(folder, str(body["url"]), "scan.url", problems) if "url" in body else target_url,
        system=name,
        no_link=(folder / str(no_link)).resolve() if no_link else None,
        keep_nights=whole(body, "scan.keep_nights", Live.keep_nights, problems),
        desk=str(body.get("desk", "")),
    )


def _dump(folder: Path, body: Mapping[str, Any], where: str, problems: list[Problem]) -> tuple[str, Path | None]:
    """The URL of a system's database, and the folder with its files; one of them may be wanting."""
    dump = url_of(folder, str(body.get("dump", ".")), f"{where}.dump", problems, later=True)
    files = body.get("files")
    if is_url(dump):
        return dump, (folder / str(files)).resolve() if files else None
    if files is not None:
        hint = "a folder is said by `dump` alone; `files` stands beside the URL of a database"
        problems.append(Problem(FILE, f"{where}.files", "has no database beside it", hint))
    return "", (folder / dump).resolve()


def texts_of(
    file: str, where: str, body: Mapping[str, Any], key: str, problems: list[Problem]
) -> tuple[str, ...] | None:
    """A list of texts; None where the key is not there."""
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        problems.append(Problem(file, f"{where}.{key}", 'must be a list of texts, like ["Y"]'))
        return ()
    return tuple(value)


def _timezone(body: dict[str, Any], where: str, problems: list[Problem]) -> str:
    name = str(body.get("timezone", "Europe/London"))
    known = zoneinfo.available_timezones()
    if name not in known:
        what = f"no time zone `{name}`"
        problems.append(
            Problem(FILE, f"{where}.timezone", what, did_you_mean(name, known) or "like Europe/London")
        )
    return name


def _route(folder: Path, name: str, body: Any, problems: list[Problem]) -> Route:
    where = f"routes.{name}"
    _unknown("routes", body, where, problems)
    body = body if isinstance(body, dict) else {}
    for key in ("target", "owner"):
        if not str(body.get(key, "")).strip():
            problems.append(Problem(FILE, f"{where}.{key}", "is missing"))
    if not _NAME.fullmatch(name):
        problems.append(Problem(FILE, where, "must be a word of small letters, digits and _"))
    url = url_of(folder, str(body.get("target", "")), f"{where}.target", problems)
    return Route(name, url, str(body.get("owner", "")))


BAD_DELIMITER = (
    "must be one to four characters of the file's encoding, without quotes, letters, digits or line ends"
)


def is_delimiter(text: str, encoding: str) -> bool:
    """Whether fields may be separated by this. A letter or digit would be part of values."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return 1 <= len(text) <= 4 and not any(char.isalnum() or char in '"\r\n\0' for char in text)


def working_encoding(encoding: str) -> str:
    """The encoding of the bytes that the readers work on: UTF-16 is turned into UTF-8 on the way."""
    return "utf-8" if encoding.startswith("utf-16") else encoding


# Encodings in which a line end, a quote and a delimiter are always one and the same byte, and UTF-16.
ENCODINGS: Mapping[str, str] = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "cp1252": "cp1252",
    "windows-1252": "cp1252",
    "latin-1": "latin-1",
    "iso-8859-1": "latin-1",
    "iso-8859-15": "iso-8859-15",
    "cp850": "cp850",
    "cp437": "cp437",
    "ascii": "ascii",
    "utf-16": "utf-16",
    "utf16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "utf-16be": "utf-16-be",
}


def _days(body: Any, problems: list[Problem]) -> int:
    """Working days for which a merge that was decided at the desk is held back."""
    value = body.get("hold_days", 2) if isinstance(body, dict) else 2
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 30:
        problems.append(Problem(FILE, "review.hold_days", "must be a whole number from 0 to 30"))
        return 2
    return value


def _yes_no(body: dict[str, Any], where: str, problems: list[Problem]) -> bool:
    value = body.get(where.rpartition(".")[2], False)
    if not isinstance(value, bool):
        problems.append(Problem(FILE, where, "must be true or false"))
    return value is True
