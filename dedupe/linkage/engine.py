"""From a register to pairs, clusters and a model: the order of the steps, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.candidates import blocked_pairs, widened
from casebridge.dedupe.linkage.blocking.divisions import Division, divisions_of
from casebridge.dedupe.linkage.blocking.keys import BlockedPairs
from casebridge.dedupe.linkage.blocking.net import Lost, lost_pairs, met_in
from casebridge.dedupe.linkage.blocking.recapture import expected_missed
from casebridge.dedupe.linkage.blocking.rules import net_rules
from casebridge.dedupe.linkage.clusters import DECIDED, edges_of, grouped
from casebridge.dedupe.linkage.comparisons.levels import AGREES, Comparison
from casebridge.dedupe.linkage.comparisons.registry import comparisons_for
from casebridge.dedupe.linkage.comparisons.said import Said
from casebridge.dedupe.linkage.evaluation.diagnosis import (
    blocking_loses,
    describe,
    diagnose,
    neighbours_only,
    thin_evidence,
)
from casebridge.dedupe.linkage.fields import EXPECTED, Fields, LinkOptions
from casebridge.dedupe.linkage.kind import Kind
from casebridge.dedupe.linkage.kinds.registry import kind_of
from casebridge.dedupe.linkage.model.beliefs import RandomAgreement
from casebridge.dedupe.linkage.model.identified import hidden
from casebridge.dedupe.linkage.model.kept import KeptModel, levels_seen, made_with, unknown_values
from casebridge.dedupe.linkage.model.mixture import Model
from casebridge.dedupe.linkage.model.patterns import Patterns, Radix, count_patterns
from casebridge.dedupe.linkage.model.third_records import ThirdRecords
from casebridge.dedupe.linkage.model.training import (
    Learner,
    Strangers,
    expected_found,
    training_patterns,
)
from casebridge.dedupe.linkage.register.columns import check_columns
from casebridge.dedupe.linkage.register.encoding import Register, pair_key
from casebridge.dedupe.linkage.register.reading import read_register
from casebridge.dedupe.linkage.result import Linkage
from casebridge.dedupe.linkage.scoring.batches import among_all, complete, score_all
from casebridge.dedupe.linkage.scoring.cascade import Prune, Scored, Scorer
from casebridge.dedupe.linkage.scoring.probabilities import (
    PatternScores,
    pairs_frame,
    score_together,
    surest_first,
)
from casebridge.dedupe.linkage.scoring.thresholds import (
    HOPELESS,
    ONE_PAIR,
    best_expected_f1,
    expected_false_merges,
    safe_threshold,
)
from casebridge.dedupe.linkage.scoring.witnesses import hear_witnesses
from casebridge.dedupe.linkage.scoring.zones import with_zones, zones

LIKELY, MAY_BE_ONE = 0.05, 0.002  # p of pairs that count as lost, and as what a rule brings
Progress = Callable[[str, dict[str, Any]], None]


class _Clock:
    """Tells the caller what is going on, and keeps the seconds of each step."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress, self.seconds = progress, {}  # type: ignore[var-annotated]
        self.last = perf_counter()

    def done(self, step: str, **facts: Any) -> None:
        now = perf_counter()
        self.seconds[step], self.last = round(now - self.last, 3), now
        if self.progress:
            self.progress(step, {**facts, "seconds": self.seconds[step]})


@dataclass(frozen=True)
class _Trained:
    """What scoring stands on. first: the mixture that decides which pairs are kept; final: that which says p;
    patterns: what the final one was fitted to; hangs: beliefs that decisions hang on; lost: what blocking loses of
    what a sample of records meets, counted beside; kept: the model this is, where it was trained before."""

    first: Model
    final: Model
    patterns: Patterns
    hangs: dict[str, float]
    lost: Future[Lost] | None
    kept: KeptModel | None


def link(
    register: pl.DataFrame | pl.LazyFrame,
    fields: Fields,
    options: LinkOptions | None = None,
    progress: Progress | None = None,
    kept: KeptModel | None = None,
    kind: Kind | None = None,
) -> Linkage:
    """Find the records of a register that stand for one person, or one entity of another kind.

    `kind` is one declared elsewhere; without it, that which `fields` names (`kinds`).

    Unsupervised and deterministic: the same rows in any order, in batches of any size, on any number of
    threads give the same answer. With a `kept` model nothing is trained: its rules, mixtures, threshold and what
    it knows of the values stand, and warnings say how far the register has drifted from that which it was made
    from. Raises RegisterError when the register cannot be linked as given, or is not one for the kept model.
    """
    options = options or LinkOptions()
    clock, kind = _Clock(progress), kind or kind_of(fields)
    fields = kind.placed(fields)
    if EXPECTED in options.without:
        kind = kind.expecting_none()
    if kept is not None:
        options = kept.decided(options)
    held = read_register(register, fields, kind, options.no_link, kept.known if kept else None)
    check_columns(held, fields)
    comparisons = compared(held, fields, options, kept)
    clock.done("register", rows=held.size, comparisons=len(comparisons))
    with ThreadPoolExecutor(1) as pool:
        table_built = pool.submit(held.keep_columns_in_table)
        candidates = blocked_pairs(held, fields, options, kept.divisions if kept else None)
        table_built.result()
    clock.done("blocking", rules=len(candidates.blocks), raw_pairs=sum(b.raw_pairs for b in candidates.blocks))
    with ThreadPoolExecutor(1) as beside:
        if kept is not None:
            scored, prune = score_all(Scorer(held, kept.first, comparisons, options.keep), candidates, options)
            clock.done("scoring", **prune.seen)
            patterns = count_patterns(Radix.of(comparisons), scored.codes, np.ones(len(scored.codes)))
            trained = _Trained(kept.first, kept.final, patterns, {}, None, kept)
        else:
            trained, candidates, scored, prune = _trained(
                held, comparisons, candidates, fields, options, clock, beside
            )
        judged = _judged(held, comparisons, candidates, trained, scored, options)
    del candidates, scored  # half of the memory that is held
    clock.done("third records", pairs=judged.thirds.pairs)
    return _conclude(held, comparisons, trained, judged, prune, options, clock)


def _trained(
    held: Register, comparisons: Sequence[Comparison], candidates: BlockedPairs, fields: Fields,
    options: LinkOptions, clock: _Clock, beside: ThreadPoolExecutor,
) -> tuple[_Trained, BlockedPairs, Scored, Prune]:  # fmt: skip
    """The model fitted to a register, the candidates with the rules that it asked for, and the pairs it keeps.
    What blocking loses is counted `beside` the steps that leave a core idle."""
    chance_of, radix = RandomAgreement(held, comparisons, options.seed), Radix.of(comparisons)
    with ThreadPoolExecutor(1) as pool:
        believed = pool.submit(
            lambda: Learner(
                chance_of, candidates, Strangers(chance_of, fields.link_only, candidates.blocks, options.without)
            )
        )
        samples, sampled = training_patterns(held, candidates, comparisons, radix, options.training_pairs)
        learner = believed.result()
    clock.done("sample", pairs=len(sampled.codes), patterns=len(samples[-1].weight))
    in_full = not all(blocks.rule for blocks in candidates.blocks)  # all pairs: none is lost
    met = None if in_full else beside.submit(lambda: met_in(held, net_rules(held)))
    model = learner.learn(samples, candidates, sampled)
    judge = among_all(Scorer(held, model, comparisons, MAY_BE_ONE))
    wider = widened(held, candidates, options, judge, *expected_found(held, candidates, model, radix, sampled))
    if wider is not candidates:
        candidates = wider
        clock.done(
            "more rules", rules=len(candidates.blocks), raw_pairs=sum(b.raw_pairs for b in candidates.blocks)
        )
        samples, sampled = training_patterns(held, candidates, comparisons, radix, options.training_pairs)
        learner = Learner(chance_of, candidates, learner.strangers)
        model = learner.learn(samples, candidates, sampled)
    hangs = learner.hangs_on(samples)
    clock.done("model", rounds=model.rounds, converged=model.converged)
    scorer = Scorer(held, model, comparisons, options.keep)
    scored, prune = score_all(scorer, candidates, options)
    clock.done("scoring", **prune.seen)
    likely = among_all(Scorer(held, model, comparisons, LIKELY))
    lost = beside.submit(lost_pairs, held, candidates, met.result(), likely) if met else None
    patterns = complete(model, comparisons, samples[-1], scored.codes, options.keep)

    def refitted(one: Model) -> Model:
        again = learner.strangers.refit(one, patterns)
        return hear_witnesses(again, scorer, candidates, scored, options.without)

    final = replace(refitted(model), beside=tuple(map(refitted, learner.beside)))
    clock.done("refit", patterns=len(patterns.weight), converged=final.converged)
    return _Trained(model, final, patterns, hangs, lost, None), candidates, scored, prune


def compared(register: Register, fields: Fields, options: LinkOptions, kept: KeptModel | None) -> list[Comparison]:
    """The comparisons of a register: those that its columns allow, or those of the kept model. Raises
    RegisterError where these are not the same."""
    related = register.pair_keys(options.related)
    found = comparisons_for(register, tuple(fields.other), related)
    if kept is None:
        return found
    return kept.fitting(found, register, related)


@dataclass(frozen=True)
class _Judged:
    """The kept pairs, and what is still to be told of the candidates when these are no longer held. capture: how
    many pairs of one person rules make (`expected_missed`); lost: what a sample of records loses; rules: facts of
    each; divisions: how each divides large blocks."""

    pairs: Scored
    scores: PatternScores
    thirds: ThirdRecords
    capture: dict[str, float]
    lost: Lost | None
    rules: list[dict[str, Any]]
    divisions: tuple[Division, ...]

    @property
    def p(self) -> NDArray[np.float64]:
        """p_same of each pair."""
        return self.scores.p[self.scores.place]


def _judged(
    register: Register, comparisons: Sequence[Comparison], candidates: BlockedPairs, trained: _Trained,
    scored: Scored, options: LinkOptions,
) -> _Judged:  # fmt: skip
    frozen = trained.kept.thirds if trained.kept else None
    pairs, scores, thirds = score_together(
        register, trained.final, comparisons, candidates, scored, options, frozen
    )
    capture = expected_missed(register, candidates, (pairs.left, pairs.right), scores.p[scores.place])
    rules = [_rule_facts(blocks) for blocks in candidates.blocks]
    divisions = divisions_of(register.as_kept(), candidates.blocks)
    lost = trained.lost.result() if trained.lost else None
    return _Judged(pairs, scores, thirds, capture, lost, rules, divisions)


def _conclude(
    register: Register, comparisons: Sequence[Comparison], trained: _Trained, found: _Judged, prune: Prune,
    options: LinkOptions, clock: _Clock,
) -> Linkage:  # fmt: skip
    model, patterns, hangs = trained.final, trained.patterns, trained.hangs
    scored, judged, capture, p = found.pairs, found.scores, found.capture, found.p
    order = surest_first(scored, p)
    with ThreadPoolExecutor(1) as pool:
        framed = pool.submit(pairs_frame, register, comparisons, scored, judged, order)
        missed = max(capture["missed"], found.lost.of(capture["found"]) if found.lost else 0.0)
        expected = model.relations(patterns.levels)[:, 0]
        below = float((expected * patterns.weight)[expected < options.keep].sum())  # of candidates not kept
        beyond = missed + below
        per_pattern = np.bincount(judged.place, minlength=len(judged.p)).astype(np.float64)
        threshold, f1 = best_expected_f1(judged.p, per_pattern, beyond)
        clean = f1 == 0 and float(p.sum()) + beyond < ONE_PAIR
        by_columns = best_expected_f1(judged.p, per_pattern, below)[1]
        believed = by_columns >= HOPELESS and not register.kind.tells_no_families(model.comparisons)
        thin = [] if clean else thin_evidence(hangs, f1, believed)
        blind = register.kind.blind(model.comparisons) and not clean
        if options.propose is not None:
            threshold = options.propose
        elif thin or blind:
            numbered = Said(comparisons, judged.levels).any_tagged(AGREES, identifiers=True)
            chance = np.where(numbered | believed, judged.chances[:, 0], 0.0)
            held, profiles = model.comparisons, register.kind.profiles
            spare = bool(thin) or any(one.untold(held) or one.hides(held) for one in profiles)
            homes = register.kind.holds_homes(model.comparisons)
            doubtful = not hangs.keys() <= register.kind.careful
            rate = sum(hidden(model, comparisons, one, patterns, register) for one in profiles)
            hides = np.where(numbered, 0.0, rate)
            safe = safe_threshold(judged.p, chance, per_pattern, by_columns, spare, blind, homes, doubtful, hides)
            threshold = max(threshold, safe)
        clock.done("threshold", propose=threshold)
        same, different = (register.pair_keys(pairs) for pairs in (options.same_pairs, options.different_pairs))
        keys = pair_key(scored.left, scored.right)
        zone = zones(p, judged.doubt[judged.place], threshold, np.isin(keys, same), np.isin(keys, different))
        doubted = np.sort(keys[(zone == 1) & (p < threshold)])
        cannot = {DECIDED: different, register.kind.guards.cut: doubted}
        edges = edges_of(scored.left, scored.right, p, zone == 0, same)
        clusters, cut = grouped(register, edges, cannot, options.previous_clusters)
        pairs = with_zones(framed.result(), zone[order], cut)
    clock.done("clusters", clusters=clusters["cluster"].n_unique() if len(clusters) < 10**6 else None)
    diagnosis = diagnose(model, comparisons, patterns, expected, register)
    seen = levels_seen(judged.levels, judged.p * per_pattern, comparisons)
    drift = [*trained.kept.drift(seen), *unknown_values(register)] if trained.kept else []
    loses = blocking_loses(capture["found"], missed, capture["recall_if_uneven"]) + neighbours_only(
        found.rules, options.max_block
    )
    diagnosis = {**diagnosis, "hangs_on": hangs, "warnings": diagnosis["warnings"] + thin + loses + drift}
    facts = {
        "thresholds": {"propose": threshold},
        "expected": {
            "f1": f1,
            "same_pairs": float(p.sum()) + beyond,
            "by_threshold": expected_false_merges(judged.p, per_pattern),
        },
        "blocking": {
            "recall": capture,
            "net": found.lost and {**asdict(found.lost), "recall": found.lost.recall},
            "rules": found.rules,
        },
    }
    diagnostics = {"rows": register.size, "steps": clock.seconds, "cascade": prune.seen, **diagnosis, **facts}
    described = {**describe(model, found.thirds, options), **facts, "warnings": diagnosis["warnings"]}
    kept = trained.kept or KeptModel(
        trained.first, model, found.thirds, tuple(tuple(one["rule"]) for one in found.rules), found.divisions,
        register.as_kept().known, options.max_block, options.keep, threshold, register.size, seen, made_with(),
    )  # fmt: skip
    return Linkage(pairs, clusters, described, diagnostics, cut, model, patterns, kept)


def _rule_facts(blocks: Any) -> dict[str, Any]:
    return {
        "rule": list(blocks.rule), "pairs": blocks.raw_pairs, "largest_block": blocks.largest,
        "blocks_divided": blocks.divided, "blocks_windowed": blocks.windowed,
    }  # fmt: skip
