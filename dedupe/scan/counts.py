"""What the register holds, in counts that a night brings up to date from the rows that moved: how often the
commonest values stand, how many people have none, and NHS numbers by birth date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from casebridge.dedupe.scan.config import ScanConfig
from casebridge.dedupe.scan.kept_rows import IN_PARTS
from casebridge.dedupe.scan.validity import VALID, is_valid

CHILD = 18
"""The age in years at which somebody is an adult."""
TOP = 500
"""Of each role so many of the commonest values are counted from night to night."""
FEW = 50
"""A value of so few people is in no large block: which is the commonest of such may be as it was."""
VALUES = pl.Schema({"role": pl.String(), "value": pl.String(), "people": pl.Int64(), "sure": pl.Boolean()})
NHS = pl.Schema({"born": pl.String(), "people": pl.Int64(), "missing": pl.Int64(), "invalid": pl.Int64(),
                 "unverified": pl.Int64()})  # fmt: skip


@dataclass(frozen=True)
class Counts:
    """values (VALUES): people by role and value, those who have none by value null, all by role null; where it is
    not sure, no more than so many. nhs (NHS): people by birth date, with those who have no NHS number or a wrong
    one, and with those of whom nothing says that it was traced. floors: how many people at most have a value of a
    role that is not in `values`. wrong: by role how many people have a value that it cannot have."""

    values: pl.DataFrame
    nhs: pl.DataFrame
    floors: Mapping[str, int]
    wrong: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, register: pl.DataFrame | pl.LazyFrame, config: ScanConfig) -> Counts:
        """All counted: column by column, so that a large register is never in memory as a whole."""
        rows, kept, floors = register.lazy(), list[pl.DataFrame](), dict[str, int]()
        for role, column in (("", ""), *config.fields):
            mine = _values(rows.select(column) if column else rows, config, role)
            known = mine.filter(pl.col("value").is_not_null()).sort("people", descending=True)
            kept += [mine.filter(pl.col("value").is_null()), known.head(TOP)]
            if known.height:
                floors[role] = int(known.get_column("people")[TOP]) if known.height > TOP else 0
        named = {column for role, column in config.fields if role in {*VALID, "birth_date"}}
        some = rows.select(sorted({*named, *filter(None, [config.verified])})).collect()
        return cls(pl.concat(kept), _nhs(some, config), floors, _wrong(some, config))

    def moved(self, then: pl.DataFrame, now: pl.DataFrame, config: ScanConfig) -> Counts | None:
        """The counts after rows were replaced by others; None where all must be counted again, because a value
        that was rare may be the commonest now."""
        by = ["role", "value"]
        came = _all_values(now, config).join(self.values, on=by, how="anti", nulls_equal=True)
        floor = pl.col("role").replace_strict(dict(self.floors), default=0, return_dtype=pl.Int64)
        new = came.with_columns(people=floor, sure=pl.lit(value=False))
        signed = [_all_values(now, config), _all_values(then, config).with_columns(people=-pl.col("people"))]
        moved = pl.concat(signed).group_by(by).agg(pl.col("people").sum().alias("more"))
        values = pl.concat([self.values, new]).join(
            moved, on=by, how="left", nulls_equal=True, maintain_order="left"
        )
        values = values.select("role", "value", pl.col("people") + pl.col("more").fill_null(0), "sure")
        most = values.group_by("role").agg(
            pl.col("people")
            .filter(pl.col("sure") & pl.col("value").is_not_null())
            .max()
            .fill_null(0)
            .alias("sure"),
            pl.col("people").filter(~pl.col("sure")).max().fill_null(0).alias("unsure"),
        )
        if most.filter(pl.col("unsure") > pl.max_horizontal("sure", pl.lit(FEW))).height:
            return None
        signs = [-pl.col(name) for name in NHS.names()[1:]]
        nhs = pl.concat([self.nhs, _nhs(now, config), _nhs(then, config).with_columns(signs)])
        by_day = nhs.group_by("born", maintain_order=True).agg(pl.all().sum())
        more, less = _wrong(now, config), _wrong(then, config)
        wrong = {role: self.wrong.get(role, 0) + count - less[role] for role, count in more.items()}
        return Counts(values, by_day, self.floors, wrong)

    def _most(self, role: str) -> int:
        mine = self.values.filter(pl.col("role") == role, pl.col("value").is_not_null(), pl.col("sure"))
        return int(mine.get_column("people").max() or 0)  # type: ignore[arg-type]

    @property
    def people(self) -> int:
        """How many people there are."""
        return int(self.values.filter(pl.col("role").is_null()).get_column("people").sum())

    def largest_shares(self, config: ScanConfig) -> dict[str, float]:
        """Of each role, the share of all people who have its commonest value: who has none is in no block."""
        roles = [role for role, _ in config.fields if role in self.floors and role != "sex"]
        most = {role: self._most(role) for role in roles}
        return {role: round(many / self.people, 5) for role, many in most.items() if many} if self.people else {}

    def filled_shares(self, config: ScanConfig) -> dict[str, float]:
        """Of each role the share of people for whom something stands there, from 0 to 1."""
        none = self.values.filter(pl.col("value").is_null(), pl.col("role").is_not_null())
        empty = dict(none.select("role", "people").iter_rows())
        return {role: round(1 - empty.get(role, 0) / self.people, 4) for role, _ in config.fields if self.people}

    def valid_shares(self, config: ScanConfig) -> dict[str, float]:
        """Of each role that has a form, the share of people whose value has it, from 0 to 1."""
        filled, roles = self.filled_shares(config), dict(config.fields)
        wrong = {role: count for role, count in self.wrong.items() if role in roles and role in filled}
        return {role: round(filled[role] - count / self.people, 4) for role, count in wrong.items()}

    def nhs_by_cohort(self, config: ScanConfig, day: dt.date) -> dict[str, Mapping[str, int]]:
        """How many children, adults, and people of unknown age there are, and how many of each have no NHS number
        (`missing`), one whose check digit is wrong (`invalid`), or a right one that was not traced (`unverified`;
        left out where the register says nothing of that). Empty where the register has no such column."""
        if "nhs_number" not in dict(config.fields):
            return {}
        adult = dt.date(day.year - CHILD, day.month, min(day.day, 28))
        born = pl.col("born").str.to_date("%Y-%m-%d", strict=False)
        of_age = pl.when(born.is_not_null()).then(pl.lit("adults")).otherwise(pl.lit("age unknown"))
        cohort = pl.when(born > adult).then(pl.lit("children")).otherwise(of_age)
        some = self.nhs.filter(pl.col("people") > 0)
        told = [name for name in NHS.names()[1:] if name != "unverified" or config.verified]
        found = some.group_by(cohort.alias("cohort")).agg(pl.col(name).sum() for name in told)
        return {str(row.pop("cohort")): row for row in found.sort("cohort").to_dicts()}


def _values(register: pl.DataFrame | pl.LazyFrame, config: ScanConfig, role: str) -> pl.DataFrame:
    """VALUES of all rows, of one role, or of all people (no role). A list is no value: it stands or does not."""
    rows = register.lazy()
    if not role:
        people = rows.select(pl.len()).collect(engine=IN_PARTS).item()
        return pl.DataFrame([(None, None, int(people), True)], schema=VALUES, orient="row")
    column = dict(config.fields)[role]
    none = rows.select(pl.col(column).is_null().sum()).collect(engine=IN_PARTS).item()
    parts = [pl.DataFrame([(role, None, int(none), True)], schema=VALUES, orient="row")]
    if rows.collect_schema()[column] != pl.List:
        held = rows.select(pl.col(column).drop_nulls().cast(pl.String).alias("value"))
        counted = held.group_by("value").agg(pl.len().cast(pl.Int64).alias("people")).collect(engine=IN_PARTS)
        parts.append(counted.select(pl.lit(role).alias("role"), "value", "people", sure=pl.lit(value=True)))
    return pl.concat(parts)


def _all_values(register: pl.DataFrame, config: ScanConfig) -> pl.DataFrame:
    """The same of all roles and all people."""
    return pl.concat(_values(register, config, role) for role in ("", *dict(config.fields)))


def _nhs(register: pl.DataFrame, config: ScanConfig) -> pl.DataFrame:
    """NHS of all rows."""
    roles = dict(config.fields)
    if "nhs_number" not in roles:
        return pl.DataFrame(schema=NHS)
    born = (
        pl.col(roles["birth_date"]).cast(pl.String).str.head(10)
        if "birth_date" in roles
        else pl.lit(None, pl.String)
    )
    number, right = pl.col(roles["nhs_number"]), is_valid("nhs_number", roles["nhs_number"])
    traced = is_traced(pl.col(config.verified)) if config.verified else pl.lit(value=False)
    wrong, unsure = number.is_not_null() & ~right, right & ~traced
    sums = [pl.len().alias("people"), number.is_null().sum().alias("missing"), wrong.sum().alias("invalid"),
            unsure.sum().alias("unverified")]  # fmt: skip
    return register.group_by(born.alias("born")).agg(one.cast(pl.Int64) for one in sums)


def is_traced(mark: pl.Expr) -> pl.Expr:
    """Whether a mark says that an NHS number is present and verified (NHS Data Dictionary, NHS NUMBER STATUS
    INDICATOR CODE 01), or says so plainly."""
    said = mark.cast(pl.String).str.strip_chars().str.to_uppercase()
    return said.is_in(["01", "1", "Y", "YES", "T", "TRUE", "VERIFIED"]).fill_null(value=False)


def _wrong(register: pl.DataFrame, config: ScanConfig) -> dict[str, int]:
    """By role that has a form, how many people have a value that has it not."""
    roles = {role: column for role, column in config.fields if role in VALID}
    sums = [(pl.col(column).is_not_null() & ~is_valid(role, column)).sum().alias(role)
            for role, column in roles.items()]  # fmt: skip
    return (
        {str(role): int(count) for role, count in register.select(sums).row(0, named=True).items()} if sums else {}
    )
