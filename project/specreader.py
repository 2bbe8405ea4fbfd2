"""One spec file into a TableSpec. What is wrong is reported with its place, and reading goes on."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casebridge.project.contracts import raw_name
from casebridge.project.date_formats import format_pattern
from casebridge.project.errors import Problem, counted, did_you_mean
from casebridge.project.lineage import refusals
from casebridge.project.readspec import READ_KEYS, ReadReader
from casebridge.project.settings import Settings
from casebridge.project.spec import (
    ROUNDINGS,
    ColumnSpec,
    Exclusion,
    OnFail,
    ReadSpec,
    RouteRule,
    RowCheck,
    Source,
    Step,
    TableSpec,
)
from casebridge.project.steadiness import unsteady
from casebridge.project.target import ColumnType, Target, TargetTable, read_type
from casebridge.project.toml_values import TomlValues

WHOLE = frozenset({"bigint", "integer"})
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Vocabulary:
    """The words a spec may use, as the stages' registries know them. `rules` are those over several columns: how
    many each takes, and what its failure does where the spec says nothing."""

    steps: frozenset[str]
    checks: frozenset[str]
    formats: frozenset[str]
    rules: Mapping[str, tuple[int, OnFail]] = field(default_factory=dict)


KEYS: Mapping[str, Collection[str]] = {
    "": {"table", "read", "columns", "evidence", "check", "exclude", "route", "dropped"},
    "table": {
        "system", "source", "consumes", "lookups", "target", "key", "part", "where", "once", "merged_only",
        "holds_all", "owner",
    },
    "read": READ_KEYS,
    "column": {
        "from", "value", "steps", "codes", "codes_at", "checks", "required", "on_fail", "references",
        "references_source", "type", "format", "round", "null",
    },
    "check": {"rule", "expect", "on_fail", "columns"},
    "exclude": {"rule", "when", "owner", "reason"},
    "route": {"to", "when"},
}  # fmt: skip


class Reader(TomlValues):
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
            once=self._once(table, columns),
            merged_only=self._merged_only(table),
            holds_all=self._flag(table, "table", "holds_all", default=False),
            lookups=self._lookups(table),
            owner=self._optional(table, "table", "owner") or "",
            checks=tuple(self._check(n, body, columns) for n, body in enumerate(self._list(raw, "check"))),
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
        found = self.target.by_name.get(name)
        key = found.by_name.get(found.primary_key) if found else None
        if key and key.type.name not in WHOLE:
            what = f"the primary key `{name}.{key.name}` is {key.type.name}: the ids given out are whole numbers"
            hint = "make it bigint or integer, and keep the old key in a legacy_key column"
            self._problem("table.target", what, hint)
        return self.target.by_name.get(name) or TargetTable(name, "", ())

    def _once(self, table: dict[str, Any], columns: tuple[ColumnSpec, ...]) -> tuple[str, ...]:
        names = [column.name for column in columns if not column.evidence]
        once = self._words(table, "table", "once")
        for name in once:
            if name not in names:
                self._problem("table.once", f"no column `{name}`", did_you_mean(name, names))
        return once

    def _sources(self, table: dict[str, Any], system: str) -> tuple[str | None, tuple[ReadSpec, ...]]:
        source = self._word(table, "table", "source")
        consumes = self._words(table, "table", "consumes")
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
        return None, (files.read("read", Source(system, source), read, key),)

    def _raw_name(self, name: str) -> str:
        """A source column's name in batches. A query gives its columns the names that it wants."""
        table = self.raw.get("table")
        return name if isinstance(table, dict) and table.get("consumes") else raw_name(name)

    def _columns(self, raw: dict[str, Any], target: TargetTable) -> tuple[ColumnSpec, ...]:
        columns = [
            self._column(f"columns.{name}", name, body, target, evidence=False)
            for name, body in self._part(raw, "columns").items()
        ]
        columns += [
            self._column(f"evidence.{name}", name, body, target, evidence=True)
            for name, body in self._part(raw, "evidence", optional=True).items()
        ]
        mapped = {column.name for column in columns if not column.evidence}
        for name in sorted(mapped & {column.name for column in columns if column.evidence}):
            self._problem(f"evidence.{name}", "is also the name of a column", "give the evidence another name")
        given = mapped | {target.primary_key, target.legacy_key}
        for column in target.columns:
            if not column.nullable and column.name not in given:
                self._problem("columns", f"`{target.name}.{column.name}` may not be empty and is not mapped")
        return tuple(columns)

    def _column(self, where: str, name: str, body: Any, target: TargetTable, *, evidence: bool) -> ColumnSpec:
        if not isinstance(body, dict):
            self._problem(where, "must be a TOML table")
            body = {}
        self._unknown(KEYS["column"], body, where)
        kind, references, nullable = ColumnType("text"), self._optional(body, where, "references"), True
        if "type" in body and not evidence:
            self._problem(f"{where}.type", "the type of a column stands in target.toml")
        if not evidence and name == target.primary_key:
            self._problem(where, "is the primary key: target ids are given out by casebridge, never mapped")
        elif not evidence and target.columns and name not in target.by_name:
            hint = did_you_mean(name, target.by_name)
            self._problem(where, f"`{target.name}` has no such column", hint)
        elif not evidence and name in target.by_name:
            column = target.by_name[name]
            kind, references, nullable = column.type, references or column.references, column.nullable
            if references and kind.name not in WHOLE:
                what = (
                    f"holds the id of a row of `{references}`, a whole number, and is {kind.name} in target.toml"
                )
                self._problem(where, what, "make it bigint or integer")
        elif evidence:
            kind, what, hint = read_type(str(body.get("type", "text")))
            if what:
                self._problem(f"{where}.type", what, hint)
        if references and references not in self.target.by_name:
            hint = did_you_mean(references, self.target.by_name)
            self._problem(f"{where}.references", f"no table `{references}` in target.toml", hint)
        sources = body.get("from", [])
        sources = (sources,) if isinstance(sources, str) else tuple(str(item) for item in sources)
        sources = tuple(self._raw_name(name) for name in sources)
        if bool(sources) == ("value" in body):
            self._problem(where, "needs either `from` or `value`")
        codes = self._optional(body, where, "codes")
        if codes and not (self.codes / f"{codes}.csv").is_file():
            lists = [path.stem for path in self.codes.glob("*.csv")]
            self._problem(f"{where}.codes", f"no file codes/{codes}.csv", did_you_mean(codes, lists))
        return ColumnSpec(
            name=name,
            type=ColumnType("text") if references else kind,
            sources=sources,
            value=str(body["value"]) if "value" in body else None,
            steps=self._steps(body, where, "steps", self.words.steps),
            codes=codes,
            codes_at=self._raw_name(self._optional(body, where, "codes_at") or "") or None,
            checks=self._steps(body, where, "checks", self.words.checks),
            required=self._flag(body, where, "required", default=not nullable),
            on_fail=self._on_fail(body, where) if "on_fail" in body else None,
            references=references,
            evidence=evidence,
            format=self._format(body, where, kind),
            round=self._round(body, where, kind),
            null=self._words(body, where, "null"),
            references_source=self._references_source(body, where, references),
        )

    def _format(self, body: dict[str, Any], where: str, kind: ColumnType) -> str | None:
        text = self._optional(body, where, "format")
        if text and kind.name not in {"date", "timestamp"}:
            self._problem(f"{where}.format", "is for columns of dates and times")
        elif text and format_pattern(text) is None:
            hint = "name day, month and year once each, like dd/mm/yyyy, mm/dd/yy hh:mi or %d-%b-%Y"
            self._problem(f"{where}.format", f"`{text}` is no format of dates", hint)
        return text

    def _round(self, body: dict[str, Any], where: str, kind: ColumnType) -> str | None:
        text = self._optional(body, where, "round")
        if text and kind.name not in {"numeric", "bigint", "integer"}:
            self._problem(f"{where}.round", "is for columns of numbers")
        elif text and text not in ROUNDINGS:
            self._problem(f"{where}.round", f"unknown way to round `{text}`", did_you_mean(text, ROUNDINGS))
        return text

    def _references_source(self, body: dict[str, Any], where: str, references: str | None) -> str:
        source = self._optional(body, where, "references_source") or ""
        if source and not references:
            self._problem(f"{where}.references_source", "stands at a column that references nothing")
        return source

    def _steps(self, body: dict[str, Any], where: str, key: str, known: frozenset[str]) -> tuple[Step, ...]:
        steps = []
        for text in self._words(body, where, key):
            name, _, argument = text.partition(":")
            if name not in known:
                what = f"unknown {key.removesuffix('s')} `{name}`"
                self._problem(f"{where}.{key}", what, did_you_mean(name, known))
            steps.append(Step(name, argument))
        return tuple(steps)

    def _on_fail(self, body: dict[str, Any], where: str) -> OnFail:
        text = str(body.get("on_fail", OnFail.REJECT))
        if text not in set(OnFail):
            self._problem(f"{where}.on_fail", f"unknown choice `{text}`", did_you_mean(text, set(OnFail)))
            return OnFail.REJECT
        return OnFail(text)

    def _check(self, number: int, body: dict[str, Any], columns: tuple[ColumnSpec, ...]) -> RowCheck:
        where = f"check[{number}]"
        self._unknown(KEYS["check"], body, where)
        if "columns" in body:
            return self._known_rule(where, body, columns)
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
