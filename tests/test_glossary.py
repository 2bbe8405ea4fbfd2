"""The glossary has every public class and every word's file; nobody has to remember it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_glossary_is_what_the_code_says() -> None:
    """After a new class: `make glossary`."""
    place = importlib.util.spec_from_file_location("write_glossary", ROOT / "docs" / "write_glossary.py")
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8") == module.page(), "run `make glossary`"


def test_the_files_of_the_words_are_there() -> None:
    """A file that was renamed is renamed here too."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    named = re.findall(r"\| `([a-z_/]+\.py)` \|$", text, re.MULTILINE)
    assert [name for name in named if not (ROOT / name).is_file()] == []
