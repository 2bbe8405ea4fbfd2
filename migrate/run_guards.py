"""What must hold before a run does anything: the rules it may go by, the one target it goes to.

A run has one target for good, and by a route if the project has several. After `casebridge freeze` no run
goes by other rules than the rehearsal did: table specs, code lists, linkage, target schema, how the
systems' files are written, and the code of each stage. Data and people's decisions are free to change. Other
code may be accepted, by a named person and with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from casebridge.migrate.decision_guard import check_decisions_followed
from casebridge.project.batch import digest, file_digest
from casebridge.project.corrections import correction_files
from casebridge.project.database import shown
from casebridge.project.errors import CasebridgeError
from casebridge.project.fingerprint import STAGES, rule_of
from casebridge.project.job import Job
from casebridge.project.journal import Freeze, Journal
from casebridge.project.ledger import Ledger
from casebridge.project.limits import Limits
from casebridge.project.restriction import LOWERED
from casebridge.project.settings import Settings

INTO_THE_TARGET = ("load", "reconcile")
"""The stages for which a run is bound to one target."""
_VERSION_ONLY = "casebridge itself"
"""What older freezes hold instead of fingerprints: a version, which says too little."""
_ACCEPT = "; other code may also be accepted: `casebridge freeze --accept-code --by NAME --reason TEXT`"


def rules_of(job: Job) -> dict[str, str]:
    """Everything but the data that decides what becomes of it: file and digest."""
    folder = job.folder
    files = [*(folder / "tables").glob("*.toml"), *(folder / "codes").glob("*.csv"), *correction_files(folder)]
    single = (folder / "linkage.toml", folder / "merge.toml", folder / "target.toml", folder / LOWERED)
    files += [path for path in single if path.is_file()]
    found = {path.relative_to(folder).as_posix(): file_digest(path) for path in sorted(files)}
    for name, system in sorted(job.settings.systems.items()):
        found[f"casebridge.toml systems.{name}"] = digest(system.encoding, system.delimiter, system.century_pivot)
        if system.restriction is not None or system.not_restricted is not None:
            marks = digest(system.restriction, system.not_restricted)
            found[f"casebridge.toml systems.{name}.restriction"] = marks
    if job.settings.limits != Limits():  # agreed before the run, and not changed for it
        found["casebridge.toml limits"] = digest(repr(job.settings.limits))
    return {**found, **{rule_of(stage): job.code(stage) for stage in STAGES}}


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The names whose digests differ, are gone or are new."""
    names = (before.keys() | now.keys()) - {_VERSION_ONLY}
    return sorted(name for name in names if before.get(name) != now.get(name))


def changed_stages(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The stages whose code differs, in their order."""
    return [stage for stage in STAGES if before.get(rule_of(stage)) != now[rule_of(stage)]]


def freeze(job: Job) -> Freeze:
    """Freeze the rules of a rehearsal, which must still be those of the project."""
    journal = Journal(job.ledger)
    used = journal.rules(job.run)
    if used is None:
        raise CasebridgeError(f"run {job.run} has done nothing yet", hint="freeze what a rehearsal has proved")
    verdict = next((item.verdict for item in job.ledger.runs() if item.name == job.run), None)
    if verdict != "balanced":
        raise CasebridgeError(
            f"run {job.run} has no report that balances ({verdict or 'not finished'})",
            hint="do `casebridge run` to its end, and freeze the run that balances: only what is proved is frozen",
        )
    differ = changed(used, rules_of(job))
    if differ:
        raise CasebridgeError(
            f"changed since run {job.run}: {_listed(differ)}",
            hint="rehearse again with them, or put them back; only what was rehearsed can be frozen",
        )
    journal.freeze(job.run, used)
    frozen = journal.frozen()
    assert frozen is not None
    return frozen


def accept_code(job: Job, who: str, reason: str) -> None:
    """Take the code as it is now for the freeze that holds. Other rules than code are not touched."""
    journal, rules = Journal(job.ledger), rules_of(job)
    frozen = journal.frozen()
    if frozen is None:
        raise CasebridgeError("nothing is frozen", hint="code may be changed; `casebridge freeze NAME` holds it")
    stages = changed_stages(frozen.files, rules)
    if not stages:
        hint = "there is nothing to accept: go on"
        raise CasebridgeError(f"the code is what run {frozen.run} was frozen with", hint=hint)
    files = {name: value for name, value in frozen.files.items() if name != _VERSION_ONLY}
    codes = {rule_of(stage): rules[rule_of(stage)] for stage in stages}
    journal.accept_code({**files, **codes}, stages, who, reason)


def may_begin(job: Job, stage: str, *, first: bool = True) -> None:
    """CasebridgeError when this run must not do this stage now. Writes nothing. Unless it is the `first` that is
    asked about, only what is another for each stage is looked at."""
    if first:
        _may_go_on(job, stage)
    bound = Journal(job.ledger).bound(job.run)
    if bound and stage in INTO_THE_TARGET and bound[1] not in {None, _target(job.settings)}:
        raise CasebridgeError(
            f"run {job.run} was begun with target {bound[1]}, and target.url says {_target(job.settings)} now",
            hint="put target.url back; or load into the new one under another name: --name NAME",
        )


def _may_go_on(job: Job, stage: str) -> None:
    if job.ledger.signature(job.run):
        hint = "name the next one: `casebridge run --name NAME`"
        raise CasebridgeError(f"run {job.run} is signed and closed", hint=hint)
    journal = Journal(job.ledger)
    frozen = journal.frozen()
    rules = rules_of(job)
    differ = changed(frozen.files, rules) if frozen else []
    if frozen and differ:
        raise CasebridgeError(
            f"frozen since {frozen.at} as run {frozen.run} had them, and changed since: {_listed(differ)}",
            hint="put them back; or `casebridge freeze --lift`, rehearse again with them, and freeze that"
            + (_ACCEPT if changed_stages(frozen.files, rules) else ""),
        )
    check_decisions_followed(job, stage)
    if not job.route and any(spec.routes for spec in job.specs):
        names = ", ".join(sorted(job.settings.routes))
        raise CasebridgeError(
            "this project goes to several targets",
            hint=f"say which, for a run of its own: --route, one of {names}",
        )


def begin(job: Job, stage: str, stages: Sequence[str]) -> None:
    """Write down where the run goes and by which rules. `stages` are all stages in order."""
    may_begin(job, stage)
    journal = Journal(job.ledger)
    _after(journal, job.run, stages[: stages.index(stage)])
    journal.bind(job.run, job.route, _target(job.settings) if stage in INTO_THE_TARGET else None)
    journal.note_rules(job.run, _rules_so_far(job, stage, journal.rules(job.run) or {}))


def _rules_so_far(job: Job, stage: str, before: Mapping[str, str]) -> dict[str, str]:
    """The rules that a run goes by when it comes to a stage. The code of the other stages is what it was when the
    run came to them."""
    codes = [rule_of(other) for other in STAGES]
    files = {name: value for name, value in rules_of(job).items() if name not in codes}
    return {**files, **{c: before[c] for c in codes if c in before}, rule_of(stage): job.code(stage)}


_NOT_YET = {
    "extract": "nothing was extracted yet",
    "transform": "nothing was transformed yet",
    "dedupe": "nobody has looked for duplicates yet",
    "load": "nothing was loaded yet",
}


def _after(journal: Journal, run: str, before: Sequence[str]) -> None:
    """CasebridgeError when the run never came to the end of one of the stages before."""
    finished = {timing.stage for timing in journal.timings() if timing.run == run}
    for stage in before:
        if stage not in finished:
            raise CasebridgeError(
                f"{_NOT_YET[stage]} for run {run}",
                hint="`casebridge run` does all stages in order, and what is done already only once",
            )


def route_of(ledger: Ledger, run: str, asked: str | None) -> str:
    """The route of a run: the one it was begun with, or the one asked for; empty for none."""
    bound = Journal(ledger).bound(run)
    if bound and asked is not None and asked != bound[0]:
        way = f"by route {bound[0]}" if bound[0] else "without a route"
        raise CasebridgeError(
            f"run {run} was begun {way}", hint=f"give each route runs of its own: --name {run}-{asked}"
        )
    return bound[0] if bound else asked or ""


def _target(settings: Settings) -> str:
    """The target as the ledger names it: no password, and a project may be moved with its SQLite file."""
    return shown(settings.target_url).replace(str(settings.folder), ".")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(names[:10]) + more
