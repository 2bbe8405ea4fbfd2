"""One person, one record: linkage proposes, people decide, the crosswalk remembers.

What is named here is brought in when it is first asked for: to link a file needs no database.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from casebridge.dedupe.stage import run
    from casebridge.dedupe.waiting import known_records, undecided

__all__ = ["known_records", "run", "undecided"]
_IN = {"run": "stage", "known_records": "waiting", "undecided": "waiting"}


def __getattr__(name: str) -> Any:
    if name not in _IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_IN[name]}"), name)
