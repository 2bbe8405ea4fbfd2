"""Control totals: every amount of money, summed from the raw text and summed from the target.

A control total stands for each target column with pence, fed from one source column. It is split by the
party the money belongs to (a supplier, or else whatever the row hangs on) and by period, so that a
right total made of two wrong ones does not pass. All sums are whole pence, of 128 bits: amounts of up to 36
digits before the point are added exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Context, Decimal
from functools import cached_property

import polars as pl

from casebridge.project.contracts import KEY, ROW
from casebridge.project.references import source_meant
from casebridge.project.spec import ColumnSpec, TableSpec
from casebridge.project.target import TargetColumn, TargetTable
from casebridge.reconciliation.counting.account_book import PLACES
from casebridge.reconciliation.counting.compare import SPEC
from casebridge.reconciliation.counting.controls import LOADED, PLACE, Setting, computed, masked, numbered
from casebridge.reconciliation.reading.raw_text import as_mapped, minor_units

PENCE = 2
_EXACT = Context(prec=60)
"""Python's own context rounds to 28 digits."""
PARTY_WORDS = ("supplier", "provider", "payee", "creditor", "organisation")
UNKNOWN_PARTY, UNKNOWN_PERIOD = "(unknown)", "(unreadable)"


@dataclass(frozen=True)
class Total:
    """One control total: a money column of a target table, and what it is split by."""

    table: TargetTable
    column: str
    party: TargetColumn | None
    period: TargetColumn | None
    specs: tuple[TableSpec, ...]

    def column_of(self, spec: TableSpec, name: str) -> ColumnSpec:
        """The column of a spec that feeds a target column."""
        return next(column for column in spec.loaded if column.name == name)


@dataclass(frozen=True)
class Account:
    """A control total worked out. Amounts are pence; `groups` has party, period, source, target."""

    table: str
    column: str
    by: tuple[str, ...]
    places: dict[str, int]
    unreadable: int
    source: int
    target: int
    set_aside: int
    groups: pl.DataFrame
    note: str = ""

    @property
    def differing(self) -> pl.DataFrame:
        """The groups in which the two sides are not the same."""
        return self.groups.filter(pl.col("source") != pl.col("target"))


def pounds(pence: int) -> str:
    """Pence as an exact amount: `-1234.50`."""
    return str(Decimal(pence).scaleb(-PENCE, _EXACT))


def pounds_of(pence: pl.Expr) -> pl.Expr:
    """`pounds` of a column."""
    figures = pence.abs().cast(pl.String).str.zfill(PENCE + 1)
    sign, whole = pl.when(pence < 0).then(pl.lit("-")).otherwise(pl.lit("")), figures.str.head(-PENCE)
    return pl.concat_str(sign, whole, pl.lit("."), figures.str.tail(PENCE)).alias(pence.meta.output_name())


def totals_of(setting: Setting) -> tuple[Total, ...]:
    """The control totals that the specs ask for, by themselves."""
    found = []
    for table in setting.job.target.tables:
        for column in table.columns:
            if column.type.name == "numeric" and column.type.scale == PENCE:
                mine = (spec for spec in setting.job.specs if spec.target == table.name)
                specs = tuple(spec for spec in mine if _feeds(setting, spec, column.name))
                if specs:
                    party, period = _party(setting, table, specs), _period(setting, table, specs)
                    found.append(Total(table, column.name, party, period, specs))
    return tuple(found)


def _feeds(setting: Setting, spec: TableSpec, name: str) -> bool:
    return any(column.name == name and setting.reads(spec, column) for column in spec.loaded)


def _party(setting: Setting, table: TargetTable, specs: tuple[TableSpec, ...]) -> TargetColumn | None:
    able = [c for c in table.references if all(_feeds(setting, spec, c.name) for spec in specs)]
    named = [c for c in able if any(word in c.name for word in PARTY_WORDS)]
    return next(iter(named or able), None)


def _period(setting: Setting, table: TargetTable, specs: tuple[TableSpec, ...]) -> TargetColumn | None:
    named = (column for column in table.columns if "period" in column.name)
    return next((c for c in named if all(_feeds(setting, spec, c.name) for spec in specs)), None)


@dataclass
class Money:
    """The control over money."""

    setting: Setting
    totals: tuple[Total, ...] = field(init=False)
    _sources: dict[Total, list[pl.DataFrame]] = field(init=False)
    _targets: dict[Total, list[pl.DataFrame]] = field(init=False)

    def __post_init__(self) -> None:
        self.totals = totals_of(self.setting)
        self._sources = {total: [] for total in self.totals}
        self._targets = {total: [] for total in self.totals}

    def needs(self, spec: TableSpec) -> set[str]:
        """The amount, the party and the period, as the source wrote them."""
        wanted: set[str] = set()
        for total in self._of(spec):
            for name in _names(total):
                wanted.update(total.column_of(spec, name).sources)
        return wanted

    def reads_raw(self, _: TableSpec) -> bool:
        """What a query computes is what has to arrive."""
        return False

    def from_source(self, spec: TableSpec, frame: pl.DataFrame) -> None:
        """Sum what was written, by place, party and period."""
        for total in self._of(spec):
            amount = total.column_of(spec, total.column)
            aside = pl.col(ROW).is_in(self.setting.rows_set_aside(spec, amount).implode())
            text = as_mapped(amount)
            assert text is not None
            texts = frame.select(PLACE, text.alias("text")).get_column("text")
            pence = minor_units(texts, PENCE, amount.round)
            lines = frame.select(
                pence.alias("pence"),
                (texts.is_not_null() & pence.is_null()).alias("unreadable"),
                self._party_key(total, spec).alias("party"),
                self._mapped(total.period, spec).alias("period"),
                pl.col(PLACE).alias("place"),
                (pl.col(LOADED) & aside).alias("aside"),
            )
            self._sources[total].append(_source_sums([lines.with_columns(rows=pl.lit(1, pl.Int64))]))

    def wants(self, table: str) -> bool:
        """Tables with money in them."""
        return any(total.table.name == table for total in self.totals)

    def from_target(self, table: str, chunk: pl.DataFrame) -> None:
        """Sum what is there, by the target's own keys."""
        numbers = numbered(self.setting.job)
        for total in (total for total in self.totals if total.table.name == table):
            others = [n for s, n in numbers.items() if s not in {spec.name for spec in total.specs}]
            mine = chunk.filter(~pl.col(SPEC).is_in(others))
            party = pl.col(total.party.name) if total.party else pl.lit(None, pl.Int64)
            period = pl.col(total.period.name).cast(pl.String) if total.period else pl.lit(None, pl.String)
            pence = pl.col(total.column).cast(pl.Decimal(38, PENCE)).to_physical().sum()
            grouped = mine.group_by(party.alias("party"), period.alias("period"))
            self._targets[total].append(grouped.agg(pence.alias("target")).select("party", "period", "target"))

    @cached_property
    def accounts(self) -> tuple[Account, ...]:
        """Both sides of every control total."""
        return tuple(self._accounts())

    def _accounts(self) -> Iterator[Account]:
        for total in self.totals:
            lines = _source_sums(self._sources[total])
            good = lines.filter(pl.col("pence").is_not_null())
            sums = dict(good.group_by("place").agg(pl.col("pence").sum()).iter_rows())
            aside = int(good.filter("aside").get_column("pence").sum())
            groups = self._groups(total, good.filter((pl.col("place") == 1) & ~pl.col("aside")))
            yield Account(
                total.table.name,
                total.column,
                tuple(c.name for c in (total.party, total.period) if c),
                {PLACES[code]: int(pence) for code, pence in sorted(sums.items())},
                int(lines.filter("unreadable").get_column("rows").sum()),
                int(groups.get_column("source").sum()),
                int(groups.get_column("target").sum()),
                aside,
                groups,
                computed(total.specs),
            )

    def _of(self, spec: TableSpec) -> Iterator[Total]:
        return (total for total in self.totals if spec in total.specs)

    def _mapped(self, column: TargetColumn | None, spec: TableSpec) -> pl.Expr:
        if column is None:
            return pl.lit(None, pl.String)
        given = next(c for c in spec.loaded if c.name == column.name)
        text = as_mapped(given)
        assert text is not None
        aside = self.setting.rows_set_aside(spec, given)
        return pl.when(~pl.col(ROW).is_in(aside.implode())).then(text)

    def _party_key(self, total: Total, spec: TableSpec) -> pl.Expr:
        """Whom the money belongs to in the target: what belonged to a folded record belongs to the survivor."""
        written = self._mapped(total.party, spec)
        named = self._register_named(total.column_of(spec, total.party.name), spec) if total.party else None
        if named is None:
            return written
        moved = self.setting.folded_of(named)
        return written.replace(moved.get_column("key"), moved.get_column("survivor_key"))

    def _register_named(self, column: ColumnSpec, spec: TableSpec) -> TableSpec | None:
        """The spec of a register whose rows a reference names; None where the crosswalk does not speak of them."""
        specs = self.setting.job.specs
        meant = (spec.system, column.references, source_meant(specs, spec, column))
        registers = (other for other in specs if other.name in self.setting.register)
        return next((o for o in registers if meant == (o.system, o.target, o.sources[0].name)), None)

    def _groups(self, total: Total, loaded: pl.DataFrame) -> pl.DataFrame:
        """Party by party and period by period: what the loaded source rows say, what the target has."""
        keys = self._keys(total)
        none = pl.DataFrame(schema={"party": keys.schema["id"], "period": pl.String, "target": pl.Int128})
        target = pl.concat([none, *self._targets[total]]).join(keys, left_on="party", right_on="id", how="left")
        key = pl.when(pl.col("party").is_not_null()).then(pl.col(KEY).fill_null(UNKNOWN_PARTY))
        target = target.group_by(key.alias("party"), "period").agg(pl.col("target").sum())
        source = loaded.group_by("party", "period").agg(pl.col("pence").sum().alias("source"))
        both = source.join(target, on=["party", "period"], how="full", coalesce=True, nulls_equal=True)
        period = pl.col("period")
        plain = period.is_null() | period.str.contains(r"^[0-9]{4}-?[0-9]{2}$")
        return both.select(
            masked(pl.col("party"), keys.get_column(KEY), UNKNOWN_PARTY),
            pl.when(plain).then(period).otherwise(pl.lit(UNKNOWN_PERIOD)).alias("period"),
            pl.col("source").fill_null(0),
            pl.col("target").fill_null(0),
        ).sort("party", "period", "source", nulls_last=True)

    def _keys(self, total: Total) -> pl.DataFrame:
        """The legacy key of each row the money may belong to: `id`, KEY."""
        if total.party is None:
            return pl.DataFrame(schema={"id": pl.Int64, KEY: pl.String})
        parent = self.setting.job.target.by_name[str(total.party.references)]
        found = [pl.DataFrame(schema={"id": parent.id_type, KEY: pl.String})]
        for spec in (spec for spec in self.setting.job.specs if spec.target == parent.name):
            for batch in self.setting.files.of("load", spec.name, "rows"):
                found.append(
                    batch.read([parent.id_column, KEY]).rename({parent.id_column: "id"}).select("id", KEY)
                )
        return pl.concat(found).unique("id", keep="first", maintain_order=True)


def _names(total: Total) -> list[str]:
    return [total.column, *(column.name for column in (total.party, total.period) if column)]


_GROUP = {"place": pl.UInt8, "party": pl.String, "period": pl.String, "unreadable": pl.Boolean,
          "aside": pl.Boolean}  # fmt: skip


def _source_sums(frames: list[pl.DataFrame]) -> pl.DataFrame:
    none = pl.DataFrame(schema={**_GROUP, "pence": pl.Int128, "rows": pl.Int64})
    sums = pl.concat([none, *(frame.select(none.columns) for frame in frames)])
    amount = pl.when(pl.col("pence").is_not_null().any()).then(pl.col("pence").sum())
    return sums.group_by(*_GROUP).agg(amount, pl.col("rows").sum())
