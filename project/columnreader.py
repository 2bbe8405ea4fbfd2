"""The columns of a spec file. What is wrong is reported with its place, and reading goes on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from casebridge.project.contracts import raw_name
from casebridge.project.date_formats import format_pattern
from casebridge.project.errors import did_you_mean
from casebridge.project.spec import ROUNDINGS, ColumnSpec, Lookup, OnFail, Step
from casebridge.project.target import ColumnType, Target, TargetTable
from casebridge.project.targetfile import cannot_refer, read_type
from casebridge.project.toml_values import TomlValues

COLUMN_KEYS = frozenset({
    "from", "value", "expression", "default", "lookup", "steps", "codes", "codes_at", "checks", "required",
    "on_fail", "references", "references_source", "references_by", "type", "format", "round", "null",
})  # fmt: skip
PART_KEYS = frozenset({"column", "steps"})
"""Of one part of a list under `from` that has steps of its own."""
_LIST_NAME = re.compile(r"[A-Za-z0-9_][\w .-]{0,99}")
LOOKUP_KEYS = frozenset({"source", "key", "value"})


@dataclass(frozen=True)
class Vocabulary:
    """The words a spec may use, as the stages' registries know them. `rules` are those over several columns: how
    many each takes, and what its failure does where the spec says nothing."""

    steps: frozenset[str]
    checks: frozenset[str]
    formats: frozenset[str]
    rules: Mapping[str, tuple[int, OnFail]] = field(default_factory=dict)


class ColumnReader(TomlValues):
    """Reads the columns of one file. Wrong parts are replaced by something harmless."""

    raw: dict[str, Any]
    target: Target
    words: Vocabulary
    codes: Path

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
        given = mapped | {target.legacy_key, *(() if target.natural_key else target.primary_key)}
        for column in target.columns:
            if not column.nullable and column.name not in given:
                self._problem("columns", f"`{target.name}.{column.name}` may not be empty and is not mapped")
        return tuple(columns)

    def _column(self, where: str, name: str, body: Any, target: TargetTable, *, evidence: bool) -> ColumnSpec:
        if not isinstance(body, dict):
            self._problem(where, "must be a TOML table")
            body = {}
        self._unknown(COLUMN_KEYS, body, where)
        kind, references, nullable = ColumnType("text"), self._optional(body, where, "references"), True
        if "type" in body and not evidence:
            self._problem(f"{where}.type", "the type of a column stands in target.toml")
        is_key = not evidence and name in target.primary_key
        if is_key and not target.natural_key:
            what = "is the primary key: target ids are given out by casebridge, never mapped"
            self._problem(
                where, what, "say `natural_key = true` in target.toml where the source's own key is kept"
            )
        elif not evidence and target.columns and name not in target.by_name:
            hint = did_you_mean(name, target.by_name)
            self._problem(where, f"`{target.name}` has no such column", hint)
        elif not evidence and name in target.by_name:
            column = target.by_name[name]
            kind, references, nullable = column.type, references or column.references, column.nullable
            known = bool(references) and references in self.target.by_name
            what, hint = cannot_refer(kind, str(references), self.target.by_name) if known else ("", "")
            if what:
                self._problem(where, what, hint)
        elif evidence:
            kind, what, hint = read_type(str(body.get("type", "text")))
            if what:
                self._problem(f"{where}.type", what, hint)
        if references and references not in self.target.by_name:
            hint = did_you_mean(references, self.target.by_name)
            self._problem(f"{where}.references", f"no table `{references}` in target.toml", hint)
        sources, part_steps = self._from(body, where)
        expression = self._optional(body, where, "expression")
        if sum((bool(sources), "value" in body, expression is not None)) != 1:
            self._problem(where, "needs either `from`, `value` or `expression`")
        if expression is not None:
            sources = self._names_in(expression, f"{where}.expression")
        codes = self._optional(body, where, "codes")
        if codes and not _LIST_NAME.fullmatch(codes):
            self._problem(f"{where}.codes", "is no name of a code list: letters, digits, - and _")
            codes = None
        elif codes and not (self.codes / f"{codes}.csv").is_file():
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
            required=self._required(body, where, nullable=nullable, is_key=is_key),
            on_fail=self._on_fail(body, where) if "on_fail" in body else None,
            references=references,
            evidence=evidence,
            format=self._format(body, where, kind),
            round=self._round(body, where, kind),
            null=self._words(body, where, "null"),
            references_source=self._references_source(body, where, references),
            expression=expression,
            default=self._default(body, where),
            part_steps=part_steps,
            lookup=self._lookup(body, where, sources, references),
        )

    def _required(self, body: dict[str, Any], where: str, *, nullable: bool, is_key: bool) -> bool:
        required = self._flag(body, where, "required", default=not nullable)
        if is_key and not required:
            self._problem(f"{where}.required", "is part of the primary key: it may not be empty")
        return required

    def _from(self, body: dict[str, Any], where: str) -> tuple[tuple[str, ...], tuple[tuple[Step, ...], ...]]:
        """The source columns, and the steps of each; no steps where no part has any."""
        given = body.get("from", [])
        parts = [{"column": part} if isinstance(part, str) else part
                 for part in (given if isinstance(given, list) else [given])]  # fmt: skip
        names, steps = [], []
        for number, part in enumerate(parts):
            at = f"{where}.from[{number}]"
            if not isinstance(part, dict):
                self._problem(at, "must be a column's name, or { column = …, steps = […] }")
                continue
            self._unknown(PART_KEYS, part, at)
            names.append(self._raw_name(self._word(part, at, "column")))
            steps.append(self._steps(part, at, "steps", self.words.steps))
        return tuple(names), tuple(steps) if any(steps) else ()

    def _names_in(self, expression: str, where: str) -> tuple[str, ...]:
        """The source columns that an expression is worked out from."""
        try:
            names = pl.sql_expr(expression).meta.root_names()
        except PolarsError:
            return ()  # the transform stage says what is wrong with it
        if not names:
            self._problem(where, "names no column of the source", "a constant is written as `value`")
        return tuple(dict.fromkeys(names))

    def _default(self, body: dict[str, Any], where: str) -> str | None:
        text = self._optional(body, where, "default")
        if text is not None and "value" in body:
            self._problem(f"{where}.default", "stands at a constant, which is never empty")
        return text

    def _lookup(
        self, body: dict[str, Any], where: str, sources: tuple[str, ...], references: str | None
    ) -> Lookup | None:
        """Another table that says what stands for this value; by a natural key, the one that is referred to."""
        found = None
        if "references_by" in body:
            table, dot, column = self._word(body, where, "references_by").partition(".")
            if not (table and dot and column):
                self._problem(f"{where}.references_by", "must be TABLE.COLUMN, such as CF_WORKER.EMAIL")
            elif not references:
                self._problem(f"{where}.references_by", "stands at a column that references nothing")
            else:
                found = Lookup(table, raw_name(column), "")
        elif "lookup" in body:
            said: dict[str, Any] = body["lookup"] if isinstance(body["lookup"], dict) else {}
            self._unknown(LOOKUP_KEYS, said, f"{where}.lookup")
            source, key, value = (self._word(said, f"{where}.lookup", n) for n in ("source", "key", "value"))
            found = Lookup(source, raw_name(key), raw_name(value)) if source and key and value else None
        if "lookup" in body and "references_by" in body:
            self._problem(where, "takes either `lookup` or `references_by`")
        if found and (len(sources) != 1 or "expression" in body):
            self._problem(where, "looks up one column: name one under `from`")
            return None
        return found

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
