"""What one legacy table becomes. Frozen: a spec is read once and its digest is part of every batch."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field

from casebridge.project.target import ColumnType


class OnFail(enum.StrEnum):
    """What a failing check does to its row."""

    REJECT = "reject"
    NULL = "null_and_report"
    TRUNCATE = "truncate_and_report"
    HOLD = "hold"
    WARN = "warn"


ROUNDINGS = ("half_up", "half_even")
"""Ways to round: halves away from zero, as at school; halves to the even neighbour, as in accounts."""


@dataclass(frozen=True)
class Source:
    """One table of a legacy system: the unit whose rows are accounted for."""

    system: str
    name: str

    def __str__(self) -> str:
        return f"{self.system}.{self.name}"


@dataclass(frozen=True)
class ReadSpec:
    """How one source table's files are read.

    `widths` is for fixed-width files, in what `widths_in` says: characters, bytes; where it says nothing, in
    characters, and a file that looks otherwise is refused. `header` is the
    row that names the columns; `sheet` and `cells` (as B3:F200) choose a part of a workbook; `null` are the
    texts that stand for nothing, None when nobody has said. `element` is the path of the XML elements that are
    records, `nested` that of a list whose items are the rows. Of a table in a database `file` is the name; `query`
    is SQL in its stead. The last four are bounds: bytes of one record, cells of a workbook, bytes of a workbook
    unpacked, rows of a sheet."""

    source: Source
    file: str
    format: str
    encoding: str
    delimiter: str
    key: tuple[str, ...]
    widths: tuple[tuple[str, int], ...] = ()
    widths_in: str = ""
    header: int = 1
    comment: str = ""
    trailing_delimiter: bool = False
    null: tuple[str, ...] | None = None
    sheet: str = ""
    cells: str = ""
    query: str = ""
    element: str = ""
    nested: str = ""
    longest: int = 16 << 20
    most_cells: int = 3_000_000
    most_unpacked: int = 256 << 20
    most_rows: int = 1_048_576


@dataclass(frozen=True)
class Step:
    """One cleaning step of a column, with its argument when it takes one (`zero_pad:8`)."""

    name: str
    argument: str = ""


@dataclass(frozen=True)
class Lookup:
    """Another table of the same system in which a value is looked up: the row whose `key` it is gives `value`, or
    where that is empty the key by which the table's rows are known."""

    source: str
    key: str
    value: str


@dataclass(frozen=True)
class ColumnSpec:
    """One converted column: where it comes from, how it is cleaned, what must hold for it.

    `format` is that of its dates (see date_formats), `round` how decimals that its type has no room for are
    rounded, `null` the values that stand for nothing. `expression` is worked out from `sources`, row by row.
    `part_steps` are the steps of each of several sources, `default` is what an empty text becomes after all steps.
    Where a value was looked up, `sources` names what was found, and `looked_up` the column in which it stood.
    """

    name: str
    type: ColumnType
    sources: tuple[str, ...] = ()
    value: str | None = None
    steps: tuple[Step, ...] = ()
    codes: str | None = None
    codes_at: str | None = None
    checks: tuple[Step, ...] = ()
    required: bool = False
    on_fail: OnFail | None = None
    references: str | None = None
    evidence: bool = False
    format: str | None = None
    round: str | None = None
    null: tuple[str, ...] = ()
    references_source: str = ""
    expression: str | None = None
    default: str | None = None
    part_steps: tuple[tuple[Step, ...], ...] = ()
    lookup: Lookup | None = None
    looked_up: str = ""

    @property
    def written(self) -> tuple[str, ...]:
        """The columns in which the source itself has what this one is made of."""
        return (self.looked_up,) if self.looked_up else self.sources

    def consequence(self, rule: str) -> OnFail:
        """What a failure of `rule` does to the row, with the defaults filled in."""
        if rule == "required":
            return OnFail.HOLD if self.on_fail is OnFail.HOLD else OnFail.REJECT
        if rule == "unmapped_code":
            return OnFail.NULL if self.on_fail in {OnFail.NULL, OnFail.TRUNCATE} else OnFail.HOLD
        if self.on_fail is OnFail.TRUNCATE and rule != "max_length":
            return OnFail.NULL
        if self.on_fail is OnFail.WARN and rule == "max_length":
            return OnFail.REJECT  # the target would refuse the whole batch
        return self.on_fail or OnFail.REJECT


@dataclass(frozen=True)
class RowCheck:
    """A rule over the whole row: an SQL expression that is true (or null) for a good row; or, with `columns`, a
    rule that the program knows by this name, over these converted columns."""

    rule: str
    expect: str
    on_fail: OnFail = OnFail.REJECT
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Single:
    """A rule over several rows: where `when` is true, only one may have the same values in `one_of`."""

    rule: str
    one_of: tuple[str, ...]
    when: str


@dataclass(frozen=True)
class Exclusion:
    """Rows left behind on purpose: the rule, and who answers for it."""

    rule: str
    when: str
    owner: str
    reason: str = ""


@dataclass(frozen=True)
class RouteRule:
    """Which rows go to one of several targets: an SQL expression that is true for them."""

    to: str
    when: str


@dataclass(frozen=True)
class TableSpec:
    """What one legacy table becomes in one target table.

    `query` is None for a plain source; otherwise it is SQL over the tables in `reads` and gives `_row`
    (the lead source row) and `_rest` (the others behind the same target row).

    `part` sets a second target row of the same source row apart; such a spec never decides the source row's
    place. `once` names columns in which no two rows may agree after a merge: the first stays, the others are
    combined with it. `merged_only` loads a row only when its person was folded into another. `holds_all` says
    that all its rows wait for a person: that it loads none of them is no fault. `lookups` are those of its
    sources that only explain codes: one of their rows may stand behind many target rows, or behind none.
    `key_column` is the target's column that gets the legacy key, empty when it has none or a spec maps it, and
    `key_type` its type. `owner` answers for what stays behind; it is no rule, and changes nothing that is made.
    `joins` says that the query was made of its columns' lookups: it gives each row of its first source once.
    """

    name: str
    system: str
    target: str
    key: tuple[str, ...]
    reads: tuple[ReadSpec, ...]
    columns: tuple[ColumnSpec, ...]
    query: str | None = None
    part: str = ""
    where: str | None = None
    once: tuple[str, ...] = ()
    merged_only: bool = False
    holds_all: bool = False
    lookups: tuple[str, ...] = ()
    checks: tuple[RowCheck, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    routes: tuple[RouteRule, ...] = ()
    dropped: tuple[tuple[str, str], ...] = field(default=())
    key_column: str = ""
    key_type: ColumnType | None = None
    owner: str = field(default="", repr=False)
    joins: bool = False
    singles: tuple[Single, ...] = ()

    @property
    def sources(self) -> tuple[Source, ...]:
        """The source tables whose rows this spec takes."""
        return tuple(read.source for read in self.reads)

    @property
    def said(self) -> tuple[ColumnSpec, ...]:
        """The columns that say something of a `part`: where all are empty, there is no such part and nothing is
        asked. Not the row's key, nor whose the part is. None where `where` or `merged_only` chooses the rows.
        """
        if not self.part or self.where is not None or self.merged_only:
            return ()
        own = [column for column in self.loaded if column.written and not set(column.written) & set(self.key)]
        return tuple([column for column in own if not column.references] or own)

    @property
    def loaded(self) -> tuple[ColumnSpec, ...]:
        """The columns that go to the target."""
        return tuple(column for column in self.columns if not column.evidence)

    @property
    def references(self) -> tuple[ColumnSpec, ...]:
        """The columns that hold another row's legacy key."""
        return tuple(column for column in self.columns if column.references)

    @property
    def digest(self) -> str:
        """A fingerprint of every rule in this spec; comments and layout do not count."""
        return hashlib.sha256(repr(self).encode()).hexdigest()
