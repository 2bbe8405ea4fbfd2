"""The `[read]` of a spec: how the files of a source are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from casebridge.project.contracts import raw_name
from casebridge.project.errors import did_you_mean
from casebridge.project.settings import BAD_DELIMITER, ENCODINGS, Settings, System, is_delimiter
from casebridge.project.spec import ReadSpec, Source
from casebridge.project.toml_values import TomlValues

READ_KEYS = frozenset({
    "file", "format", "encoding", "delimiter", "key", "widths", "widths_in", "header", "comment",
    "trailing_delimiter", "null", "sheet", "range", "table", "query",
    "element", "list",
})  # fmt: skip
OF_TABLES = frozenset({"format", "key", "null", "table", "query"})
TABLE = "table"
"""The format of a source that stands in a database."""
CELLS = re.compile(r"[A-Z]{1,3}[0-9]{1,7}:[A-Z]{1,3}(?:[0-9]{1,7})?")


@dataclass
class ReadReader(TomlValues):
    """Reads the `[read]` parts of one spec. `formats` are the formats that the extract stage knows."""

    settings: Settings
    formats: frozenset[str]

    def read(self, where: str, source: Source, body: Any, key: tuple[str, ...]) -> ReadSpec:
        """How the files of `source` are read. `body` is what stands at `where`, `key` the key if it names none."""
        if not isinstance(body, dict):
            self._problem(where, "must be a TOML table")
            body = {}
        self._unknown(READ_KEYS, body, where)
        system = self.settings.systems.get(source.system)
        form = str(body.get("format", TABLE if system and system.database else "csv"))
        self._place(where, body, form, system)
        if form not in {*self.formats, TABLE}:
            self._problem(f"{where}.format", f"unknown format `{form}`", did_you_mean(form, self.formats))
        encoding = str(body.get("encoding", system.encoding if system else "utf-8")).lower()
        if encoding not in ENCODINGS:
            self._problem(f"{where}.encoding", f"unknown encoding `{encoding}`", did_you_mean(encoding, ENCODINGS))
        widths = body.get("widths", {})
        if not isinstance(widths, dict) or not all(type(width) is int and width > 0 for width in widths.values()):
            self._problem(f"{where}.widths", "must give each column a whole number of characters")
            widths = {}
        elif form == "fixed" and not widths:
            self._problem(f"{where}.widths", "a fixed-width file needs its columns' widths")
        delimiter = str(body.get("delimiter", system.delimiter if system else ","))
        if not is_delimiter(delimiter, ENCODINGS.get(encoding, "utf-8")):
            self._problem(f"{where}.delimiter", BAD_DELIMITER)
            delimiter = ","
        bounds = self.settings.bounds
        return ReadSpec(
            source=source,
            file=self._file(body, source, form),
            format=form,
            encoding=ENCODINGS.get(encoding, "utf-8"),
            delimiter=delimiter,
            key=tuple(raw_name(name) for name in self._words(body, where, "key")) or key,
            widths=tuple((raw_name(str(name)), width) for name, width in widths.items()),
            widths_in=self._one_of(body, where, "widths_in", ("", "characters", "bytes")),
            header=self._whole(body, where, "header"),
            comment=self._optional(body, where, "comment") or "",
            trailing_delimiter=self._flag(body, where, "trailing_delimiter", default=False),
            null=self._words(body, where, "null") if "null" in body else None,
            sheet=self._optional(body, where, "sheet") or "",
            cells=self._cells(body, where),
            query=self._optional(body, where, "query") or "",
            element=self._element(body, where, form),
            nested=self._optional(body, where, "list") or "",
            longest=bounds.longest_record,
            most_cells=bounds.workbook_cells,
            most_unpacked=bounds.workbook_size,
            most_rows=bounds.workbook_rows,
        )

    def _place(self, where: str, body: dict[str, Any], form: str, system: System | None) -> None:
        """Problems where a source cannot lie where its format asks for: in a database, or in a folder."""
        if system is None:
            return
        if form == TABLE and not system.database:
            hint = f"set `dump` of {system.name} in casebridge.toml to its URL"
            self._problem(f"{where}.format", "a table needs a database", hint)
        if form != TABLE and system.dump is None:
            hint = f"name the folder with its files: `files` of {system.name}, beside `dump`, in casebridge.toml"
            self._problem(
                f"{where}.format", f"`{form}` is read from files, and {system.name} has a database", hint
            )
        others = (READ_KEYS - OF_TABLES) if form == TABLE else {"table", "query"}
        for key in sorted(others & body.keys()):
            told = "is nothing that a table of a database has" if form == TABLE else "needs a database"
            self._problem(f"{where}.{key}", told)
        if {"table", "query"} <= body.keys():
            self._problem(where, "names both a table and a query", "leave one of them out")

    def _element(self, body: dict[str, Any], where: str, form: str) -> str:
        path = (self._optional(body, where, "element") or "").strip("/")
        if form == "xml" and not path:
            hint = 'the path below the root, as `element = "people/person"`'
            self._problem(f"{where}.element", "XML needs the element that is a record", hint)
        return path

    def _file(self, body: dict[str, Any], source: Source, form: str) -> str:
        """What is read: a path in the folder, or the name of a table."""
        if form == TABLE:
            return str(body.get("table", source.name))
        return str(body.get("file", f"{source.name}.csv" if form == "csv" else source.name))

    def _cells(self, body: dict[str, Any], where: str) -> str:
        text = (self._optional(body, where, "range") or "").upper().replace("$", "")
        if text and not CELLS.fullmatch(text):
            self._problem(
                f"{where}.range", "is no range of cells", "write it like B3:F200, or B3:F without an end"
            )
            return ""
        return text
