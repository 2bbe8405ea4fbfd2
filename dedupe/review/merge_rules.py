"""`merge.toml`: what the target's own merge refuses and leaves behind, and so when two records can become one."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
from polars.exceptions import PolarsError

from casebridge.dedupe.review.value_rules import Survivorship
from casebridge.dedupe.review.value_rules_file import read_survivorship
from casebridge.project.errors import Problem, SpecError, did_you_mean
from casebridge.project.row_wise import looks_beyond_its_row
from casebridge.project.settings import texts_of
from casebridge.project.target import Target
from casebridge.project.toml_file import TomlError, read_toml

FILE = "merge.toml"
_KNOWN = {"blockers", "not_carried", "survivor", "values"}
_BLOCKER = {"words", "check", "tables", "outcome", "where", "from", "to", "column", "steps"}


class Outcome(enum.StrEnum):
    """When two records of one person can become one, from the easiest to the strictest. NOT_KNOWN: something was
    not looked for that would be stricter than what was found; no blocker says that."""

    BEFORE_LOAD = "merge before load"
    AFTER_GO_LIVE = "merge after go-live"
    MARK_ONLY = "mark as duplicate only"
    NOT_KNOWN = "not known, for not all was looked for"
    NEVER = "never"


ORDER = tuple(Outcome)
SAID = tuple(one for one in Outcome if one is not Outcome.NOT_KNOWN)
"""What a blocker may say."""


def strictest(outcomes: Sequence[Outcome]) -> Outcome:
    """The one that holds when several do."""
    return max(outcomes, key=ORDER.index, default=Outcome.BEFORE_LOAD)


class Check(enum.StrEnum):
    """How a blocker is looked for: rows of the record that is to go; rows of both; rows of both on the same days;
    a row that names both; two values of a column that differ."""

    ON_SOURCE = "on_source"
    ON_BOTH = "on_both"
    OVERLAP = "overlap"
    BETWEEN = "between"
    DIFFER = "differ"


@dataclass(frozen=True)
class Feed:
    """A table of the target whose rows a check looks at, and the columns that lead from a row to the person:
    `actuals.package_element_id.care_package_id.person_id` goes through two tables."""

    table: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join((self.table, *self.path))


@dataclass(frozen=True)
class Blocker:
    """One thing for which the target refuses a merge. `outcome` is what can be done about such a pair, `steps`
    what people do by hand. `where` says which rows count (SQL over the table's columns), `since` and `until` are
    the columns of their days, `column` the one whose values must agree."""

    name: str
    words: str
    check: Check
    feeds: tuple[Feed, ...]
    outcome: Outcome
    where: str = ""
    since: str = ""
    until: str = ""
    column: str = ""
    steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class MergeRules:
    """What a project knows of its target's merge. `not_carried`: by table of the target the columns that a merge
    there leaves behind; no columns where it leaves whole rows."""

    blockers: tuple[Blocker, ...] = ()
    not_carried: tuple[tuple[str, tuple[str, ...]], ...] = ()
    survivorship: Survivorship = field(default_factory=Survivorship)

    @property
    def by_name(self) -> Mapping[str, Blocker]:
        """The blockers by name."""
        return {blocker.name: blocker for blocker in self.blockers}


def read_merge_rules(folder: Path, target: Target, register: Sequence[str]) -> MergeRules | None:
    """The rules of a project whose people stand in these tables of the target; None where it has none.

    SpecError lists all that is wrong with them.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        raw = read_toml(path)
    except TomlError as error:
        raise SpecError([Problem(FILE, "", str(error))]) from error
    reader = _Reader(target, frozenset(register))
    reader.unknown("", raw, _KNOWN)
    blockers = tuple(reader.blocker(name, body) for name, body in reader.part("blockers", raw).items())
    carried = tuple(reader.left_behind(name, body) for name, body in reader.part("not_carried", raw).items())
    survivorship = read_survivorship(raw, _columns(target, register), reader.problems)
    if reader.problems:
        raise SpecError(reader.problems)
    rules = MergeRules(tuple(one for one in blockers if one), carried, survivorship)
    _try_conditions(target, rules)
    return rules


def _try_conditions(target: Target, rules: MergeRules) -> None:
    """SpecError names the conditions (`where`) that do not fit the columns of their tables."""
    problems = []
    for blocker in rules.blockers:
        for table in sorted({feed.table for feed in blocker.feeds}) if blocker.where else ():
            kinds = {one.name: pl.String() if one.references else one.type.dtype
                     for one in target.by_name[table].columns}  # fmt: skip
            if wrong := _wrong(pl.DataFrame(schema=kinds), table, blocker.where):
                problems.append(Problem(FILE, f"blockers.{blocker.name}.where", *wrong))
    if problems:
        raise SpecError(problems)


def _wrong(rows: pl.DataFrame, table: str, where: str) -> tuple[str, str] | None:
    """What is wrong with a condition on a table of which these are no rows, and a hint."""
    try:
        condition = pl.sql_expr(where)
        _ = rows.filter(condition)
    except PolarsError as error:
        what = f"fails on {table}: {str(error).partition(';')[0].splitlines()[0]}"
        return what, "it is SQL over the columns that target.toml gives that table"
    if looks_beyond_its_row(condition):
        return "looks at more than its own row: an aggregate or a window", "it is asked of each row by itself"
    return None


def _columns(target: Target, register: Sequence[str]) -> list[str]:
    """The columns of the tables that hold people."""
    names = (column.name for table in register for column in target.by_name[table].columns)
    return list(dict.fromkeys(names))


def _two_of_one_table(feeds: Sequence[Feed]) -> bool:
    return (
        len(feeds) == 2 and len({feed.table for feed in feeds}) == 1 and all(len(feed.path) == 1 for feed in feeds)
    )


_Word = TypeVar("_Word", bound=enum.StrEnum)


class _Reader:
    """Reads the parts of the file, and gathers what is wrong with them."""

    def __init__(self, target: Target, register: frozenset[str]) -> None:
        self.target, self.register = target, register
        self.problems: list[Problem] = []

    def wrong(self, where: str, what: str, hint: str = "") -> None:
        self.problems.append(Problem(FILE, where, what, hint))

    def unknown(self, where: str, body: Mapping[str, Any], known: set[str]) -> None:
        for key in sorted(body.keys() - known):
            self.wrong(f"{where}.{key}".lstrip("."), "unknown key", did_you_mean(key, known))

    def part(self, name: str, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        body = raw.get(name, {})
        if not isinstance(body, dict):
            self.wrong(name, "must be a TOML table")
            return {}
        return body

    def blocker(self, name: str, body: Any) -> Blocker | None:
        where = f"blockers.{name}"
        if not isinstance(body, dict):
            self.wrong(where, "must be a TOML table with words, check, tables and outcome")
            return None
        self.unknown(where, body, _BLOCKER)
        check = self._one_of(where, body, "check", Check)
        outcome = self._one_of(where, body, "outcome", SAID)
        texts = {key: self._text(where, body, key) for key in ("words", "where", "from", "to", "column")}
        feeds = self._feeds(where, body, check)
        for feed in feeds:
            for key in ("from", "to"):
                self._is_day(f"{where}.{key}", feed.table, texts[key])
            self._is_column(f"{where}.column", feed.table, texts["column"])
        if not texts["words"]:
            self.wrong(f"{where}.words", "is missing: what a reviewer reads")
        for key, asked in (("from", Check.OVERLAP), ("column", Check.DIFFER)):
            if check is asked and not texts[key]:
                self.wrong(f"{where}.{key}", f"is missing: `{asked}` needs it")
        if check is Check.BETWEEN and feeds and not _two_of_one_table(feeds):
            hint = "name two columns of one table, each of which refers to a person"
            self.wrong(f"{where}.tables", f"`{check}` looks at rows that name two people", hint)
        steps = texts_of(FILE, where, body, "steps", self.problems) or ()
        if check is None or outcome is None:
            return None
        return Blocker(
            name, texts["words"], check, feeds, outcome, texts["where"], texts["from"], texts["to"],
            texts["column"], steps,
        )  # fmt: skip

    def left_behind(self, name: str, body: Any) -> tuple[str, tuple[str, ...]]:
        where = f"not_carried.{name}"
        columns = texts_of(FILE, "not_carried", {name: body}, name, self.problems) or ()
        if self._is_table(where, name):
            for column in columns:
                self._is_column(where, name, column)
        return name, columns

    def _feeds(self, where: str, body: Mapping[str, Any], check: Check | None) -> tuple[Feed, ...]:
        texts = texts_of(FILE, where, body, "tables", self.problems)
        if not texts:
            self.wrong(f"{where}.tables", 'is missing: like ["care_packages.person_id"]')
        found = (Feed(text.split(".")[0], tuple(text.split(".")[1:])) for text in texts or ())
        return tuple(feed for feed in found if self._leads(f"{where}.tables", feed, check))

    def _leads(self, where: str, feed: Feed, check: Check | None) -> bool:
        """Whether the columns lead from the table to the register."""
        if not self._is_table(where, feed.table):
            return False
        if check is Check.DIFFER and feed.table in self.register and not feed.path:
            return True
        at: str | None = feed.table
        for column in feed.path:
            if at is None or not self._is_column(where, at, column):
                return False
            at = self.target.by_name[at].by_name[column].references
        if not feed.path or at not in self.register:
            hint = f"its last column must refer to {' or '.join(sorted(self.register))}"
            self.wrong(where, f"`{feed}` does not lead to a person", hint)
            return False
        return True

    def _is_table(self, where: str, name: str) -> bool:
        if name in self.target.by_name:
            return True
        self.wrong(where, f"target.toml has no table `{name}`", did_you_mean(name, self.target.by_name))
        return False

    def _is_column(self, where: str, table: str, name: str) -> bool:
        columns = self.target.by_name[table].by_name
        if not name or name in columns:
            return bool(name)
        self.wrong(where, f"{table} has no column `{name}`", did_you_mean(name, columns))
        return False

    def _is_day(self, where: str, table: str, name: str) -> None:
        if self._is_column(where, table, name):
            kind = self.target.by_name[table].by_name[name].type
            if not isinstance(kind.dtype, pl.Date | pl.Datetime):
                self.wrong(
                    where, f"{table}.{name} is {kind.name}: days are compared", "name a date or a timestamp"
                )

    def _one_of(self, where: str, body: Mapping[str, Any], key: str, kind: Iterable[_Word]) -> _Word | None:
        value = body.get(key)
        found = next((one for one in kind if one == value), None)
        if found is None:
            hint = did_you_mean(str(value), kind) or f"one of: {', '.join(kind)}"
            self.wrong(f"{where}.{key}", "is missing" if value is None else f"`{value}` is none", hint)
        return found

    def _text(self, where: str, body: Mapping[str, Any], key: str) -> str:
        value = body.get(key, "")
        if not isinstance(value, str):
            self.wrong(f"{where}.{key}", "must be text")
            return ""
        return value
