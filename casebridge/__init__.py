"""Casebridge for Python: link a register, or drive a migration project.

    import casebridge
    linkage = casebridge.link(register, casebridge.read_fields("fields.toml"))

What is named here is the public API (docs/python-api.md). Everything else may change between versions. A name
is brought in when it is first asked for: the engines take a second to import.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from casebridge.dedupe.linkage.affected.grouping import Affected as Affected
    from casebridge.dedupe.linkage.affected.linked import LinkedRegister as LinkedRegister
    from casebridge.dedupe.linkage.affected.night import link_affected as link_affected
    from casebridge.dedupe.linkage.engine import link as link
    from casebridge.dedupe.linkage.errors import RegisterError as RegisterError
    from casebridge.dedupe.linkage.evaluation.measures import evaluate as evaluate
    from casebridge.dedupe.linkage.fields import Fields as Fields
    from casebridge.dedupe.linkage.fields import LinkOptions as LinkOptions
    from casebridge.dedupe.linkage.kind import Attribute as Attribute
    from casebridge.dedupe.linkage.kind import Blocking as Blocking
    from casebridge.dedupe.linkage.kind import Chance as Chance
    from casebridge.dedupe.linkage.kind import Guards as Guards
    from casebridge.dedupe.linkage.kind import Kind as Kind
    from casebridge.dedupe.linkage.kind import Part as Part
    from casebridge.dedupe.linkage.kind import Profile as Profile
    from casebridge.dedupe.linkage.kinds.address import ADDRESS as ADDRESS
    from casebridge.dedupe.linkage.kinds.generic import plain_kind as plain_kind
    from casebridge.dedupe.linkage.kinds.generic import text_column as text_column
    from casebridge.dedupe.linkage.kinds.organisation import ORGANISATION as ORGANISATION
    from casebridge.dedupe.linkage.kinds.person import PERSON as PERSON
    from casebridge.dedupe.linkage.kinds.professional import PROFESSIONAL as PROFESSIONAL
    from casebridge.dedupe.linkage.kinds.registry import KINDS as KINDS
    from casebridge.dedupe.linkage.kinds.registry import parse_fields as parse_fields
    from casebridge.dedupe.linkage.kinds.registry import read_fields as read_fields
    from casebridge.dedupe.linkage.model.kept import KeptModel as KeptModel
    from casebridge.dedupe.linkage.model.kept import read_kept as read_kept
    from casebridge.dedupe.linkage.result import Linkage as Linkage
    from casebridge.migrate.pipeline import StageDone as StageDone
    from casebridge.migrate.pipeline import check as check
    from casebridge.migrate.pipeline import open_job as open_job
    from casebridge.migrate.pipeline import run_stage as run_stage
    from casebridge.migrate.pipeline import run_stages as run_stages
    from casebridge.migrate.projects import init_project as init_project
    from casebridge.project.errors import BalanceError as BalanceError
    from casebridge.project.errors import CasebridgeError as CasebridgeError
    from casebridge.project.errors import Problem as Problem
    from casebridge.project.errors import ReconciliationFailed as ReconciliationFailed
    from casebridge.project.errors import ReviewNeeded as ReviewNeeded
    from casebridge.project.errors import SourceError as SourceError
    from casebridge.project.errors import SpecError as SpecError
    from casebridge.project.errors import TargetError as TargetError
    from casebridge.project.job import Job as Job
    from casebridge.project.tally import Tally as Tally

_MODULES = {
    "dedupe.linkage.affected.linked": ("LinkedRegister",),
    "dedupe.linkage.affected.grouping": ("Affected",),
    "dedupe.linkage.affected.night": ("link_affected",),
    "dedupe.linkage.engine": ("link",),
    "dedupe.linkage.errors": ("RegisterError",),
    "dedupe.linkage.evaluation.measures": ("evaluate",),
    "dedupe.linkage.model.kept": ("KeptModel", "read_kept"),
    "dedupe.linkage.fields": ("Fields", "LinkOptions"),
    "dedupe.linkage.kind": ("Attribute", "Blocking", "Chance", "Guards", "Kind", "Part", "Profile"),
    "dedupe.linkage.kinds.generic": ("plain_kind", "text_column"),
    "dedupe.linkage.kinds.address": ("ADDRESS",),
    "dedupe.linkage.kinds.organisation": ("ORGANISATION",),
    "dedupe.linkage.kinds.person": ("PERSON",),
    "dedupe.linkage.kinds.professional": ("PROFESSIONAL",),
    "dedupe.linkage.kinds.registry": ("KINDS", "parse_fields", "read_fields"),
    "dedupe.linkage.result": ("Linkage",),
    "migrate.pipeline": ("StageDone", "check", "open_job", "run_stage", "run_stages"),
    "migrate.projects": ("init_project",),
    "project.errors": (
        "BalanceError", "CasebridgeError", "Problem", "ReconciliationFailed", "ReviewNeeded", "SourceError",
        "SpecError", "TargetError",
    ),
    "project.job": ("Job",),
    "project.tally": ("Tally",),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_MODULE_OF)  # noqa: PLE0605 - one list of names is enough


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_MODULE_OF]
