"""What a draft says of each table and column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from casebridge.migrate.profiling.profile import TableProfile

ROW_NUMBER = "row_no"
"""The key of a table that has none: the row's place in its file."""

OF_PARENT = "stands in the record that holds the list"
"""Why a list's table leaves a column out: the only reason that is no guess."""


@dataclass(frozen=True)
class DraftColumn:
    """Where a column of the source goes: `source` its name in batches, `type` as target.toml writes it. `why` says
    on what each guess rests, by the key of the spec (`type` stands in target.toml)."""

    source: str
    target: str
    type: str
    why: Mapping[str, str] = field(default_factory=dict)
    references: str = ""
    codes: str = ""
    steps: tuple[str, ...] = ()
    format: str = ""
    on_fail: str = ""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class DraftTable:
    """One table of the source and its spec to be. `key` names columns of the source; none: rows are named by their
    place. `primary_key` and `legacy_key` are columns of the target, `legacy_type` the type of the second.
    `dropped`: columns that go nowhere, each with the reason. `why_target`: on what it rests that the rows go
    there, where that is a guess."""

    profile: TableProfile
    name: str
    target: str
    key: tuple[str, ...]
    columns: tuple[DraftColumn, ...]
    primary_key: str
    legacy_key: str
    legacy_type: str
    dropped: Mapping[str, str] = field(default_factory=dict)
    null_words: tuple[str, ...] = ()
    why_target: str = ""
