"""The night by team: who found duplicates, what became of them, and who makes records again. Counts only.

A pair is of each team that works with one of its records; a new record of the team that made it, or, where the
register does not say so, of the teams that work with it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import polars as pl

from casebridge.dedupe.review.decisions import Decision, Ruling
from casebridge.dedupe.scan.history import NO_TEAM, TEAM_COUNTS
from casebridge.dedupe.scan.people import LiveQueries, LiveTables, Moved

Teams = Mapping[str, Sequence[str]]
TeamCounts = dict[str, dict[str, int]]
"""TEAM_COUNTS by team."""
_BETWEEN = "\n"
_PAIR = ["left_id", "right_id"]


def teams_of(queries: LiveQueries, tables: LiveTables, name: str, ids: Collection[str]) -> Teams:
    """What the query `teams` or `made_by` says of some records."""
    keys = [item.partition(":")[2] for item in ids]
    return queries.texts(name, {table: tables[table].of(person, keys) for table, person in queries.asks(name)})


def with_teams(pairs: pl.DataFrame, teams: Teams) -> pl.DataFrame:
    """Pairs with the teams of both records, as one text."""
    if not teams:
        return pairs.with_columns(teams=pl.lit(NO_TEAM))
    kind = pl.List(pl.String())
    told = pl.DataFrame(
        {"id": [*teams], "t": [list(some) for some in teams.values()]}, {"id": pl.String(), "t": kind}
    )
    sides = [pairs.select(pl.col(side).alias("id")).join(told, on="id", how="left", maintain_order="left")["t"]
             for side in ("left_id", "right_id")]  # fmt: skip
    none = pl.lit([], dtype=kind)
    left, right = (pl.lit(side).fill_null(none) for side in sides)
    return pairs.with_columns(teams=left.list.set_union(right).list.sort().list.join(_BETWEEN))


def made_tonight(moved: Moved) -> set[str]:
    """The records that are new; nobody where all begins tonight."""
    return set() if moved.again else {*moved.now.get_column("id")} - {*moved.then.get_column("id")}


def open_alone(pairs: pl.DataFrame, restricted: Collection[str]) -> pl.DataFrame:
    """The pairs in which nobody is restricted."""
    return pairs.filter(~pl.any_horizontal(pl.col(_PAIR).is_in(list(restricted))))


def team_counts(
    now: pl.DataFrame, before: pl.DataFrame | None, said: Iterable[Decision], made: Mapping[str, Sequence[str]]
) -> TeamCounts:
    """TEAM_COUNTS by team, those that are none left out. now, before: candidates of tonight and of the night
    before, with their teams; said: the decisions that stand; made: the teams of each record that is new."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    waits, waited = _waiting(now), _waiting(before)
    new = waits.join(waited, on=_PAIR, how="anti") if before is not None else waits.clear()
    for name, pairs in (("waiting", waits), ("new", new)):
        _add(found, name, pairs)
    verdicts = {(one.left_id, one.right_id): _WORDS.get(one.verdict) for one in said}
    gone = waited.join(waits, on=_PAIR, how="anti")
    words = [verdicts.get((left, right)) for left, right in gone.select(_PAIR).iter_rows()]
    for word in ("confirmed", "refuted"):
        _add(found, word, gone.filter(pl.Series([one == word for one in words], dtype=pl.Boolean)))
    again = {item for side in _PAIR for item in waits.filter(pl.col(side).is_in(list(made))).get_column(side)}
    for item, makers in made.items():
        for team in makers or (NO_TEAM,):
            found[team]["made"] += 1
            found[team]["again"] += item in again
    by_name = sorted(found.items(), key=lambda item: (item[0] == NO_TEAM, item[0]))
    return {team: {name: counts[name] for name in TEAM_COUNTS if counts[name]} for team, counts in by_name}


_WORDS = {Ruling.SAME: "confirmed", Ruling.DIFFERENT: "refuted", Ruling.RELATED: "refuted"}


def _waiting(pairs: pl.DataFrame | None) -> pl.DataFrame:
    if pairs is None:
        return pl.DataFrame(schema=dict.fromkeys([*_PAIR, "teams"], pl.String()))
    told = pairs if "teams" in pairs.columns else with_teams(pairs, {})  # of a release that knew of no teams
    return told.filter(pl.col("state") == "undecided").select(*_PAIR, "teams")


def _add(found: Mapping[str, Counter[str]], name: str, pairs: pl.DataFrame) -> None:
    for team, count in pairs.get_column("teams").str.split(_BETWEEN).explode().value_counts().iter_rows():
        found[team][name] += count
