"""The linkage engine: which records of a register stand for the same person.

from casebridge.dedupe.linkage import link, read_fields
linkage = link(register, read_fields("FIELDS.toml"))
linkage.write("out")

What is named here is brought in when it is first asked for: the engine takes most of a second to import, and
a command that links nothing does not need it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from casebridge.dedupe.linkage.affected.grouping import Affected
    from casebridge.dedupe.linkage.affected.linked import LinkedRegister
    from casebridge.dedupe.linkage.affected.night import link_affected
    from casebridge.dedupe.linkage.engine import link
    from casebridge.dedupe.linkage.errors import RegisterError
    from casebridge.dedupe.linkage.evaluation.measures import evaluate, write_evaluation
    from casebridge.dedupe.linkage.fields import Fields, LinkOptions
    from casebridge.dedupe.linkage.kind import Kind
    from casebridge.dedupe.linkage.kinds.person import PERSON
    from casebridge.dedupe.linkage.kinds.registry import KINDS, kind_of, parse_fields, read_fields
    from casebridge.dedupe.linkage.model.kept import KeptModel, read_kept
    from casebridge.dedupe.linkage.result import Linkage

_HOME = {
    "Linkage": "result", "link": "engine", "RegisterError": "errors", "evaluate": "evaluation.measures",
    "write_evaluation": "evaluation.measures", "Fields": "fields", "LinkOptions": "fields",
    "KINDS": "kinds.registry", "PERSON": "kinds.person", "Kind": "kind", "kind_of": "kinds.registry",
    "parse_fields": "kinds.registry", "read_fields": "kinds.registry", "KeptModel": "model.kept",
    "read_kept": "model.kept", "LinkedRegister": "affected.linked", "Affected": "affected.grouping",
    "link_affected": "affected.night",
}  # fmt: skip

__all__ = [
    "KINDS",
    "PERSON",
    "Affected",
    "Fields",
    "KeptModel",
    "Kind",
    "LinkOptions",
    "Linkage",
    "LinkedRegister",
    "RegisterError",
    "evaluate",
    "kind_of",
    "link",
    "link_affected",
    "parse_fields",
    "read_fields",
    "read_kept",
    "write_evaluation",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
