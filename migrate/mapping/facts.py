"""What a project's specs and code lists say, as data. The same files give the same data to the byte."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from casebridge.extract.preflight import known_columns
from casebridge.migrate.code_lists.lines import UsedList, used_lists
from casebridge.project.batch import digest, write_text
from casebridge.project.errors import CasebridgeError
from casebridge.project.job import Job
from casebridge.project.lineage import Lineage
from casebridge.project.lists import LARGEST, ListTooLargeError, read_list
from casebridge.project.spec import ColumnSpec, Source, Step, TableSpec

VERSION = 1
FILE = "mapping.json"
Facts = Mapping[str, Any]
_SAID_APART = frozenset({"name", "type", "sources"})


def mapping_facts(job: Job) -> dict[str, Any]:
    """The mapping of a run as its files say it now. Reads the headers of the dump, where it is there."""
    columns = known_columns(job)
    lists = used_lists(job)
    rules = dict(sorted(_rules(job, lists)))
    return {
        "mapping": VERSION,
        "run": job.run,
        "project": job.settings.name,
        "digest": digest(sorted(rules.items())),
        "sources": [_source(job, source, columns) for source in job.reads()],
        "code_lists": {name: used.meanings for name, used in lists.items()},
        "rules": rules,
    }


def keep_mapping(job: Job) -> None:
    """Write the mapping of a run beside its report, as its rows went through it."""
    text = json.dumps(mapping_facts(job), ensure_ascii=False, indent=1) + "\n"
    path = job.settings.reports / job.run / FILE
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


def read_mapping(folder: Path, run: str) -> Facts:
    """The mapping that a run had. CasebridgeError when none was kept."""
    path = folder / run / FILE
    try:
        facts = json.loads(read_list(path, LARGEST))
    except FileNotFoundError as error:
        hint = "`casebridge run` keeps it from now on; runs of older releases have none"
        raise CasebridgeError(f"run {run} has kept no mapping", hint=hint) from error
    except (OSError, ValueError, RecursionError, ListTooLargeError) as error:
        raise CasebridgeError(f"{run}/{FILE} cannot be read", hint="restore it from a backup") from error
    if not isinstance(facts, dict) or facts.get("mapping") != VERSION:
        raise CasebridgeError(f"{run}/{FILE} is no mapping of this version", hint="use the release that wrote it")
    return facts


def _source(job: Job, source: Source, known: Mapping[Source, Sequence[str]]) -> dict[str, Any]:
    specs = job.specs_of(source)
    ways: dict[str, dict[str, list[dict[str, str]]]] = {}
    for name in known.get(source, ()):
        ways[name] = {"to": [], "key": [], "dropped": []}
    for spec in specs:
        for kind, name, fact in _uses(spec, source, known):
            ways.setdefault(name, {"to": [], "key": [], "dropped": []})[kind].append(fact)
    return {
        "system": source.system,
        "source": source.name,
        "specs": [_spec(spec) for spec in specs],
        "columns": [{"name": name, **ways[name]} for name in ways],
    }


def _spec(spec: TableSpec) -> dict[str, Any]:
    return {
        "spec": spec.name,
        "target": spec.target,
        "query": spec.query is not None,
        "rules": [text for _, text in _of_table(spec)],
        "constants": [{"column": c.name, "value": c.value} for c in spec.columns if c.value is not None],
    }


def _uses(
    spec: TableSpec, source: Source, known: Mapping[Source, Sequence[str]]
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """What a spec does with the columns of a source: how, the column, and the words for it."""
    origins = _origins(spec, source, known)
    keys = [name for read in spec.reads if read.source == source for name in read.key]
    keys += [column for name in spec.key for column in origins(name)]
    yield from (("key", name, {"spec": spec.name}) for name in dict.fromkeys(keys))
    for column in spec.columns:
        fact = {"spec": spec.name, "target": spec.target, "column": column.name, "how": _how(column)}
        fact |= {"evidence": "yes"} if column.evidence else {}
        taken = dict.fromkeys(one for given in column.sources for one in origins(given))
        yield from (("to", name, fact) for name in taken)
    for name, reason in spec.dropped:
        yield from (("dropped", column, {"spec": spec.name, "reason": reason}) for column in origins(name))


def _origins(spec: TableSpec, source: Source, known: Mapping[Source, Sequence[str]]) -> Any:
    """A function from a name in the spec to the source's columns that it stands for."""
    if spec.query is None:
        return lambda name: [name]
    lineage = Lineage(spec.query, {one.name: known.get(one) for one in spec.sources})
    return lambda name: sorted(column for table, column in lineage.of(name) if table == source.name)


def _how(column: ColumnSpec) -> str:
    """What happens to a value on its way, in the words of the spec."""
    parts = []
    for field in fields(column):
        value = getattr(column, field.name)
        if field.name in _SAID_APART or field.name == "evidence":
            continue
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if value != default and value not in (None, ""):
            parts.append(f"{field.name} {_words(value)}" if value is not True else field.name)
    return "; ".join(parts)


def _words(value: object) -> str:
    if isinstance(value, Step):
        return f"{value.name}:{value.argument}" if value.argument else value.name
    if isinstance(value, (tuple, list)):
        return ", ".join(map(_words, value))
    return str(value)


def _rules(job: Job, lists: Mapping[str, UsedList]) -> Iterator[tuple[str, str]]:
    """Every rule of the mapping by its place, as one text each: what two mappings are compared by."""
    for spec in job.specs:
        yield from ((f"{spec.name}: {place}", text) for place, text in _of_table(spec))
        for column in spec.columns:
            part = "evidence" if column.evidence else "columns"
            source = " + ".join(column.sources) or f"the constant {column.value}"
            how = _how(column)
            yield f"{spec.name}: {part}.{column.name}", f"from {source}" + (f"; {how}" if how else "")
        yield from ((f"{spec.name}: dropped.{name}", reason) for name, reason in spec.dropped)
    for name, used in lists.items():
        yield from ((f"codes {name}: {code}", meaning) for code, meaning in used.meanings.items())
    for table in job.target.tables:
        for target in table.columns:
            kind = _words([target.type.name, *(n for n in (target.type.length, target.type.precision) if n)])
            refers = f", a row of {target.references}" if target.references else ""
            yield (
                f"target {table.name}: {target.name}",
                kind + refers + ("" if target.nullable else ", never empty"),
            )


def _of_table(spec: TableSpec) -> Iterator[tuple[str, str]]:
    """The rules of a spec that are not about one column."""
    yield "key", f"key {', '.join(spec.key)}"
    yield "target", f"to {spec.target}" + (f", part {spec.part}" if spec.part else "")
    if spec.query is not None:
        yield "source", f"query {' '.join(spec.query.split())}"
    if spec.where:
        yield "where", f"only rows with {spec.where}"
    for item in spec.exclusions:
        yield f"exclude.{item.rule}", f"left behind ({item.rule}, {item.owner}): {item.when}"
    for check in spec.checks:
        yield f"check.{check.rule}", f"check {check.rule}: {check.expect}; else {check.on_fail}"
    for number, route in enumerate(spec.routes, 1):
        yield f"route.{number}", f"to {route.to} when {route.when}"
