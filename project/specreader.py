"""One spec file into a TableSpec. What is wrong is reported with its place, and reading goes on."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from casebridge.project.columnreader import COLUMN_KEYS, LOOKUP_KEYS, PART_KEYS, ColumnReader, Vocabulary
from casebridge.project.contracts import raw_name
from casebridge.project.errors import Problem, counted, did_you_mean
from casebridge.project.lineage import refusals
from casebridge.project.queries import bare_query
from casebridge.project.readspec import READ_KEYS, ReadReader
from casebridge.project.settings import Settings
from casebridge.project.spec import (
    ColumnSpec,
    Exclusion,
    OnFail,
    ReadSpec,
    RouteRule,
    RowCheck,
    Single,
    Source,
    TableSpec,
)
from casebridge.project.steadiness import unsteady
from casebridge.project.target import Target, TargetTable

__all__ = ["KEYS", "NAME", "Reader", "Vocabulary"]

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


KEYS: Mapping[str, Collection[str]] = {
    "": {"table", "read", "columns", "evidence", "check", "exclude", "route", "dropped"},
    "table": {
        "system", "source", "consumes", "lookups", "target", "key", "part", "where", "once", "merged_only",
        "holds_all", "owner",
    },
    "read": READ_KEYS,
    "column": COLUMN_KEYS,
    "from": PART_KEYS,
    "lookup": LOOKUP_KEYS,
    "check": {"rule", "expect", "on_fail", "columns", "one_of", "when"},
    "exclude": {"rule", "when", "owner", "reason"},
    "route": {"to", "when"},
}  # fmt: skip


class Reader(ColumnReader):
    """Reads one file. Wrong parts are reported and replaced by something harmless, so reading goes on."""

    def __init__(
        self,
        path: Path,
        raw: dict[str, Any],
        settings: Settings,
        target: Target,
        words: Vocabulary,
        codes: Path,
        problems: list[Problem],
    ) -> None:
        super().__init__(f"tables/{path.name}", problems)
        self.path, self.raw, self.settings, self.target = path, raw, settings, target
        self.words, self.codes = words, codes

    def spec(self) -> TableSpec:
        raw = self.raw
        self._unknown(KEYS[""], raw, "")
        table = self._part(raw, "table")
        self._unknown(KEYS["table"], table, "table")
        system = self._word(table, "table", "system")
        if system and system not in self.settings.systems:
            hint = did_you_mean(system, self.settings.systems)
            self._problem("table.system", f"no system `{system}` in casebridge.toml", hint)
        target = self._target(table)
        query, reads = self._sources(table, system)
        columns = self._columns(raw, target)
        key = target.by_name.get(target.legacy_key or "")
        key = None if key is None or key.name in {c.name for c in columns if not c.evidence} else key
        checks = [*enumerate(self._list(raw, "check"))]
        return TableSpec(
            key_column=key.name if key else "",
            key_type=key.type if key else None,
            name=self.path.stem,
            system=system,
            target=target.name,
            key=tuple(self._raw_name(name) for name in self._words(table, "table", "key", needed=True)),
            reads=reads,
            columns=columns,
            query=query,
            part=self._optional(table, "table", "part") or "",
            where=self._optional(table, "table", "where"),
            once=self._once(table, columns, target),
            merged_only=self._merged_only(table),
            holds_all=self._flag(table, "table", "holds_all", default=False),
            lookups=self._lookups(table),
            owner=self._optional(table, "table", "owner") or "",
            checks=tuple(self._check(n, body, columns) for n, body in checks if "one_of" not in body),
            singles=tuple(self._single(n, body, columns) for n, body in checks if "one_of" in body),
            exclusions=tuple(self._exclusion(n, body) for n, body in enumerate(self._list(raw, "exclude"))),
            routes=tuple(self._route(n, body) for n, body in enumerate(self._list(raw, "route"))),
            dropped=self._dropped(self._part(raw, "dropped", optional=True)),
        )

    def _dropped(self, body: dict[str, Any]) -> tuple[tuple[str, str], ...]:
        for name in body:
            self._word(body, "dropped", name)
        return tuple(sorted((raw_name(name), str(reason)) for name, reason in body.items()))

    def _merged_only(self, table: dict[str, Any]) -> bool:
        only = self._flag(table, "table", "merged_only", default=False)
        if only and not table.get("part"):
            self._problem("table.merged_only", "needs a `part`, which sets these rows apart")
        return only

    def _lookups(self, table: dict[str, Any]) -> tuple[str, ...]:
        lookups, joined = self._words(table, "table", "lookups"), self._words(table, "table", "consumes")[1:]
        for name in lookups:
            if name not in joined:
                hint = did_you_mean(name, joined) or "the first of table.consumes leads and is no lookup"
                self._problem("table.lookups", f"`{name}` is no table that the query joins", hint)
        return lookups

    def _target(self, table: dict[str, Any]) -> TargetTable:
        name = self._word(table, "table", "target")
        if name and name not in self.target.by_name:
            hint = did_you_mean(name, self.target.by_name)
            self._problem("table.target", f"no table `{name}` in target.toml", hint)
        return self.target.by_name.get(name) or TargetTable(name, (), ())

    def _once(
        self, table: dict[str, Any], columns: tuple[ColumnSpec, ...], target: TargetTable
    ) -> tuple[str, ...]:
        """The columns of which no two rows may be equal after a merge. Rows that are named by whose they are must
        not stand twice: those that a merge made equal in everything are one."""
        names = [column.name for column in columns if not column.evidence]
        once = self._words(table, "table", "once")
        for name in once:
            if name not in names:
                self._problem("table.once", f"no column `{name}`", did_you_mean(name, names))
        of_others = any(column.references and column.name in target.primary_key for column in columns)
        return tuple(names) if of_others and not once else once

    def _sources(self, table: dict[str, Any], system: str) -> tuple[str | None, tuple[ReadSpec, ...]]:
        consumes = self._words(table, "table", "consumes")
        source = self._word(table, "table", "source")
        source = bare_query(source) if consumes else source
        read = self._part(self.raw, "read", optional=True)
        files = ReadReader(self.file, self.problems, self.settings, self.words.formats)
        if consumes:
            for name in read.keys() - set(consumes):
                self._problem(f"read.{name}", "not among table.consumes", did_you_mean(name, consumes))
            for name in consumes:
                if not NAME.fullmatch(name):
                    self._problem("table.consumes", "holds a name that is no word of letters, digits and _")
            bodies = [(name, read.get(name, {})) for name in consumes]
            for what in refusals(source, consumes) if source else ():
                self._problem("table.source", what)
            for what, hint in unsteady(source) if source else ():
                self._problem("table.source", f"gives other rows each time: it {what}", hint)
            return source, tuple(files.read(f"read.{n}", Source(system, n), body, ()) for n, body in bodies)
        if source and not NAME.fullmatch(source):
            hint = "a query names the tables it reads in `consumes`"
            self._problem("table.source", "is a query without `consumes`", hint)
        key = tuple(raw_name(name) for name in self._words(table, "table", "key"))
        # Tables that columns look up in have their own parts: [read.CF_TYPE].
        inner = {name: body for name, body in read.items() if isinstance(body, dict) and name not in READ_KEYS}
        own = files.read("read", Source(system, source), {n: b for n, b in read.items() if n not in inner}, key)
        others = (files.read(f"read.{name}", Source(system, name), body, ()) for name, body in inner.items())
        return None, (own, *others)

    def _check(self, number: int, body: dict[str, Any], columns: tuple[ColumnSpec, ...]) -> RowCheck:
        where = f"check[{number}]"
        self._unknown(KEYS["check"], body, where)
        if "columns" in body:
            return self._known_rule(where, body, columns)
        if "when" in body:
            self._problem(f"{where}.when", "belongs to a rule over several rows, with `one_of`")
        rule, expect = self._word(body, where, "rule"), self._word(body, where, "expect")
        return RowCheck(rule, expect, self._on_row_fail(body, where, OnFail.REJECT))

    def _known_rule(self, where: str, body: dict[str, Any], columns: tuple[ColumnSpec, ...]) -> RowCheck:
        """A rule that the program knows, over some of the spec's columns."""
        rule, names = self._word(body, where, "rule"), self._words(body, where, "columns", needed=True)
        many, severity = self.words.rules.get(rule, (len(names), OnFail.REJECT))
        if rule and rule not in self.words.rules:
            hint = did_you_mean(rule, self.words.rules) or "a rule of your own says what it expects, with `expect`"
            self._problem(f"{where}.rule", f"no rule `{rule}` over columns", hint)
        if "expect" in body:
            self._problem(where, "takes either `expect` or `columns`")
        if len(names) != many:
            self._problem(
                f"{where}.columns", f"`{rule}` takes {counted(many, 'column')}, and {len(names)} are named"
            )
        mine = {column.name: column for column in columns}
        for name in names:
            if name not in mine:
                self._problem(f"{where}.columns", f"no column `{name}` in this spec", did_you_mean(name, mine))
            elif mine[name].type.name not in {"date", "timestamp"}:
                self._problem(f"{where}.columns", f"`{name}` is {mine[name].type.name}, and no date")
        return RowCheck(rule, "", self._on_row_fail(body, where, severity), names)

    def _single(self, number: int, body: dict[str, Any], columns: tuple[ColumnSpec, ...]) -> Single:
        """A rule over several rows."""
        where, mine = f"check[{number}]", [column.name for column in columns]
        self._unknown(KEYS["check"], body, where)
        names = self._words(body, where, "one_of", needed=True)
        for name in names:
            if name not in mine:
                self._problem(f"{where}.one_of", f"no column `{name}` in this spec", did_you_mean(name, mine))
        for key in ("expect", "columns"):
            if key in body:
                self._problem(f"{where}.{key}", "does not go with `one_of`")
        if body.get("on_fail", OnFail.WARN) != OnFail.WARN:
            self._problem(f"{where}.on_fail", "a rule over several rows can only warn: which of them is wrong?")
        return Single(self._word(body, where, "rule"), names, self._word(body, where, "when"))

    def _on_row_fail(self, body: dict[str, Any], where: str, default: OnFail) -> OnFail:
        on_fail = self._on_fail(body, where) if "on_fail" in body else default
        if on_fail in {OnFail.NULL, OnFail.TRUNCATE}:
            self._problem(f"{where}.on_fail", "a rule over the row has no one value to set aside")
        return on_fail

    def _exclusion(self, number: int, body: dict[str, Any]) -> Exclusion:
        where = f"exclude[{number}]"
        self._unknown(KEYS["exclude"], body, where)
        rule, when, owner = (self._word(body, where, key) for key in ("rule", "when", "owner"))
        return Exclusion(rule, when, owner, str(body.get("reason", "")))

    def _route(self, number: int, body: dict[str, Any]) -> RouteRule:
        where = f"route[{number}]"
        self._unknown(KEYS["route"], body, where)
        to, when = (self._word(body, where, key) for key in ("to", "when"))
        if to and to not in self.settings.routes:
            hint = did_you_mean(to, self.settings.routes)
            self._problem(f"{where}.to", f"no route `{to}` in casebridge.toml", hint)
        return RouteRule(to, when)
