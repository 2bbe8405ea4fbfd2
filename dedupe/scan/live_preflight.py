"""Merge pre-flight of the scan's candidates: what stands in the way of a merge in the live register itself.

The rows that tell are read when it is known who is in a pair, in a snapshot of its own. Of them nothing is kept
but, for each pair, how many rows of each record are behind a blocker.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import polars as pl

from casebridge.dedupe.review.decisions import Ruling
from casebridge.dedupe.review.merge_rules import (
    FILE,
    ORDER,
    Blocker,
    MergeRules,
    Outcome,
    read_merge_rules,
    strictest,
)
from casebridge.dedupe.review.merge_words import live_notes
from casebridge.dedupe.review.preflight import FOUND, Found, Preflight, by_pair, looked, members_of, outcome
from casebridge.dedupe.review.preflight_checks import PAIR
from casebridge.dedupe.scan.config import ScanConfig
from casebridge.dedupe.scan.live_facts import LiveFacts
from casebridge.project.errors import SourceError, SpecError
from casebridge.project.settings import Settings
from casebridge.project.snapshot import open_snapshot
from casebridge.project.target import Target
from casebridge.project.targetfile import read_target

TARGET = "target.toml"
COLUMNS = {"preflight": pl.String(), "blockers": pl.String()}
"""What pre-flight says of a candidate: what can be done, and what was found (JSON); null where nobody looked."""


@dataclass(frozen=True)
class LiveRules:
    """What is known of merges in the register: the rules, and the tables by which they lead to people. `why`: in a
    sentence, why there are none though the project has a file of them."""

    rules: MergeRules | None = None
    target: Target = field(default_factory=lambda: Target(()))
    why: str = ""


@dataclass(frozen=True)
class Preflighted:
    """Candidates with COLUMNS, what the desk is told of the rules, and warnings."""

    pairs: pl.DataFrame
    notes: str = ""
    warnings: tuple[str, ...] = ()


def read_live_rules(settings: Settings, config: ScanConfig) -> LiveRules:
    """The rules of `merge.toml` as they hold in the live register. SpecError lists what is wrong with them."""
    if not (settings.folder / FILE).is_file():
        return LiveRules()
    if not (settings.folder / TARGET).is_file():
        return LiveRules(why=f"merge pre-flight: {FILE} needs {TARGET}, which says what its tables refer to")
    target, register = read_target(settings.folder / TARGET), config.register.name.rpartition(".")[2]
    if register not in target.by_name:
        return LiveRules(why=f"merge pre-flight: {TARGET} has no table {register}: nothing was looked for")
    return LiveRules(read_merge_rules(settings.folder, target, [register]), target)


def unread_blockers(settings: Settings, config: ScanConfig, known: LiveRules) -> dict[str, str]:
    """The blockers that cannot be looked for, each with the reason: all are asked of nobody. SourceError where the
    register is gone."""
    nobody = pl.DataFrame(schema=dict.fromkeys(PAIR, pl.String()))
    return _look(settings, config, known.rules, known.target, nobody)[1] if known.rules else {}


def preflighted(settings: Settings, config: ScanConfig, known: LiveRules, pairs: pl.DataFrame) -> Preflighted:
    """Look at the pairs that wait, or were said to be one person. SourceError where the register is gone."""
    rules = known.rules
    if rules is None:
        bare = pairs.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in COLUMNS.items())
        return Preflighted(bare, warnings=(known.why,) if known.why else ())
    asked = pairs.filter((pl.col("state") == "undecided") | (pl.col("ruling") == str(Ruling.SAME)))
    asked = asked.select(PAIR)
    found, unread = _look(settings, config, rules, known.target, asked)
    told = by_pair(found)
    marks = [_marks(rules, told.get(pair, ()), unread) for pair in asked.iter_rows()]
    says = pl.DataFrame(marks, schema=COLUMNS, orient="row")
    with_says = pairs.join(asked.hstack(says), on=["left_id", "right_id"], how="left", maintain_order="left")
    words = tuple(rules.by_name[name].words for name in unread)
    reasons = "; ".join(f"{name} ({why})" for name, why in unread.items())
    warnings = (f"merge pre-flight did not look for {reasons}: what these may bar is not known",) if unread else ()
    tables = [(table.name, table.name.rpartition(".")[2]) for table in config.tables]
    return Preflighted(with_says, live_notes(rules, tables, config.register.name, words), warnings)


def blocked(pairs: pl.DataFrame) -> Preflight:
    """What stands in the way of some candidates, by pair."""
    rows = pairs.select("left_id", "right_id", "blockers").drop_nulls().iter_rows()
    return {(left, right): tuple(Found(*one) for one in json.loads(text)) for left, right, text in rows}


def _marks(rules: MergeRules, found: Sequence[Found], unread: Collection[str]) -> tuple[str, str]:
    text = json.dumps([[one.blocker, one.left, one.right] for one in found])
    return str(live_outcome(rules, found, unread)), text


def live_outcome(rules: MergeRules, found: Sequence[Found], unread: Collection[str] = ()) -> Outcome:
    """What can be done about a pair in the target itself, where a blocker binds whichever record goes: one of the
    two goes when nothing that lasts is in its way. unread: blockers that were not looked for; where one of them
    could be stricter than what was found, or bind the record that is to go, it is not known."""
    lasting = [one for one in found if _lasts(rules.by_name[one.blocker])]
    stuck = any(one.left for one in lasting) and any(one.right for one in lasting)
    says = strictest([outcome(rules, found), Outcome.MARK_ONLY if stuck else Outcome.AFTER_GO_LIVE])
    worst = strictest([_at_worst(rules.by_name[name]) for name in unread])
    return Outcome.NOT_KNOWN if ORDER.index(worst) > ORDER.index(says) else says


def _lasts(blocker: Blocker) -> bool:
    """Whether no steps take it away in the target: before the load nothing was bound by it."""
    return blocker.outcome is Outcome.BEFORE_LOAD


def _at_worst(blocker: Blocker) -> Outcome:
    """What it makes of a pair of the target where both records have it."""
    return Outcome.MARK_ONLY if _lasts(blocker) else blocker.outcome


def _look(
    settings: Settings, config: ScanConfig, rules: MergeRules, target: Target, asked: pl.DataFrame
) -> tuple[pl.DataFrame, dict[str, str]]:
    """FOUND of these pairs, and the blockers that could not be looked for, each with the reason."""
    system, members = settings.live.system if settings.live else "", members_of(asked)
    found, unread = [pl.DataFrame(schema=dict(FOUND))], dict[str, str]()
    with open_snapshot(settings.live.url if settings.live else settings.target_url) as snapshot:
        facts = LiveFacts(snapshot, target, config.register, system)
        for blocker in rules.blockers:
            if lacking := facts.lacks(blocker):
                unread[blocker.name] = f"there is no table {', '.join(lacking)}"
                continue
            try:
                found.append(looked(asked, blocker, facts.of(blocker, members)))
            except SpecError as error:
                unread[blocker.name] = "; ".join(f"{one.where} {one.what}" for one in error.problems)
            except SourceError as error:
                if not (why := snapshot.refused(error)):
                    raise
                unread[blocker.name] = why
    return pl.concat(found).sort("left_id", "right_id", "blocker"), unread
