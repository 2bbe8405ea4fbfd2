"""Whose a file is that stands where one is about to be written: nobody else's is written over."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from casebridge.dedupe.linkage.errors import RegisterError

OTHER_FOLDER = "Name another folder, or move that file out of it."


def own_json(path: Path, *keys: str) -> dict[str, Any]:
    """What a JSON file of ours says, nothing where there is none. keys: by which it is known as ours. Raises
    RegisterError where a file of that name is not."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        told = None
    if not isinstance(told, dict) or not told.keys() >= {*keys}:
        raise RegisterError(f"{path.name} in that folder was not written by casebridge.", OTHER_FOLDER)
    return told


def refuse_others(folder: Path, names: Iterable[str], mark: str, *keys: str) -> None:
    """Raises RegisterError where files of these names stand in a folder, and `mark`, which is written before them,
    does not say by its keys that they are ours."""
    there = sorted(name for name in names if (folder / name).exists())
    if not own_json(folder / mark, *keys) and there:
        raise RegisterError(f"{there[0]} in that folder was not written by casebridge.", OTHER_FOLDER)
