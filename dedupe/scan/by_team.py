"""The night by team: who found duplicates, what became of them, and who makes records again. Counts only.

A pair is of each team that works with one of its records; a new record of the team that made it, or, where the
register does not say so, of the teams that work with it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import polars as pl

from casebridge.dedupe.review.decisions import Decision, Ruling
from casebridge.dedupe.scan.people import LiveQueries, LiveTables, Moved

NO_TEAM = ""
COUNTS = ("new", "waiting", "confirmed", "refuted", "made", "again")
"""Pairs that are new, that wait, that left the queue as one person and as two; records that were made, and those
of them that wait in a pair."""
Teams = Mapping[str, Sequence[str]]
_BETWEEN = "\n"


def teams_of(queries: LiveQueries, tables: LiveTables, name: str, ids: Collection[str]) -> Teams:
    """What the query `teams` or `made_by` says of some records."""
    keys = [item.partition(":")[2] for item in ids]
    return queries.texts(name, {table: tables[table].of(person, keys) for table, person in queries.asks(name)})


def with_teams(pairs: pl.DataFrame, teams: Teams) -> pl.DataFrame:
    """Pairs with the teams of both records, as one text."""
    both = pairs.select("left_id", "right_id").iter_rows()
    texts = [_BETWEEN.join(sorted({*teams.get(left, ()), *teams.get(right, ())})) for left, right in both]
    return pairs.with_columns(pl.Series("teams", texts, dtype=pl.String))


def made_tonight(moved: Moved) -> set[str]:
    """The records that are new; nobody where all begins tonight."""
    return set() if moved.again else {*moved.now.get_column("id")} - {*moved.then.get_column("id")}


def team_counts(
    now: pl.DataFrame, before: pl.DataFrame | None, said: Iterable[Decision], made: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, int]]:
    """COUNTS by team, those that are none left out. now, before: candidates of tonight and of the night before,
    with their teams; said: the decisions that stand; made: the teams of each record that is new."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    waits, waited = _waiting(now), _waiting(before)
    for pair, teams in waits.items():
        for team in teams:
            found[team]["waiting"] += 1
            found[team]["new"] += before is not None and pair not in waited
    verdicts = {(one.left_id, one.right_id): one.verdict for one in said}
    for pair in waited.keys() - waits.keys():
        word = _WORDS.get(verdicts.get(pair, Ruling.UNSURE))
        for team in waited[pair] if word else ():
            found[team][str(word)] += 1
    again = {item for pair in waits for item in pair}
    for item, makers in made.items():
        for team in makers or (NO_TEAM,):
            found[team]["made"] += 1
            found[team]["again"] += item in again
    by_name = sorted(found.items(), key=lambda item: (item[0] == NO_TEAM, item[0]))
    return {team: {name: counts[name] for name in COUNTS if counts[name]} for team, counts in by_name}


_WORDS = {Ruling.SAME: "confirmed", Ruling.DIFFERENT: "refuted", Ruling.RELATED: "refuted"}


def _waiting(pairs: pl.DataFrame | None) -> dict[tuple[str, str], list[str]]:
    if pairs is None or "teams" not in pairs.columns:
        return {}
    rows = pairs.filter(pl.col("state") == "undecided").select("left_id", "right_id", "teams").iter_rows()
    return {(left, right): teams.split(_BETWEEN) for left, right, teams in rows}
