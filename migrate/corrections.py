"""Corrections around a run: looked at before it, and put into the audit log when they are first used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import polars as pl

from casebridge.extract.databases import open_databases
from casebridge.extract.preflight import preflight
from casebridge.extract.stage import records_of
from casebridge.project.audit import Said
from casebridge.project.contracts import ORIGIN
from casebridge.project.corrections import Correction, OfProject, of_source, read_corrections, strangers
from casebridge.project.database import writing
from casebridge.project.errors import Problem, SourceError, SpecError
from casebridge.project.job import Job, Silent
from casebridge.transform.convert import key_of

KIND = "correction"


def check_corrections(job: Job) -> tuple[Correction, ...]:
    """The corrections of the project; SpecError lists what is wrong with their lines."""
    return read_corrections(OfProject(job.settings, job.target, job.specs))


def look_for_corrected(job: Job) -> None:
    """SpecError when a correction speaks of no column or no row of the dump, which is read for it."""
    try:
        corrections = check_corrections(job)
    except SpecError:
        return  # among the problems of the files
    problems: list[Problem] = []
    if corrections:
        with suppress(SourceError):  # told by the preflight itself
            problems = list(_strangers(job, corrections))
    if problems:
        raise SpecError(problems)


def _strangers(job: Job, corrections: Sequence[Correction]) -> Iterator[Problem]:
    with open_databases(job, proves=False) as databases:
        for table in preflight(replace(job, report=Silent()), databases):
            mine = of_source(corrections, table.source)
            if mine:
                wanted, key, found = pl.Series([item.key for item in mine]), key_of(table.read.key), set[str]()
                for piece in records_of(job, table):
                    keys = piece.raw.select(key.alias("key")).get_column("key")
                    found |= set(keys.filter(keys.is_in(wanted.implode())))
                yield from strangers(mine, [name for name in table.columns if name not in ORIGIN], found)


def note_corrections(job: Job) -> None:
    """Who corrected what, where and why is in the audit log before it is used; of the values, a keyed digest."""
    corrections = check_corrections(job)
    if not corrections:
        return
    log = job.audit_log()
    tag = log.keyer()
    known = {entry.tags.get(KIND) for entry in log.entries(KIND)}
    texts = {item: repr((str(item.source), item.key, item.column, item.old, item.new, item.who, item.why))
             for item in corrections}  # fmt: skip
    new = [item for item, text in texts.items() if tag("tag", KIND, "", text) not in known]
    if new:
        said = [Said(_body(job, item), tags={KIND: texts[item]}) for item in new]
        with writing(log.engine).begin() as connection:
            log.append(connection, KIND, said)


def _body(job: Job, item: Correction) -> dict[str, object]:
    where = {"system": item.source.system, "table": item.source.name, "column": item.column, "key": item.key}
    return {"run": job.run, **where, "who": item.who, "why": item.why, "file": item.file, "line": item.line}
