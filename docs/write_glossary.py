"""Writes the second half of docs/glossary.md: every public class, its first sentence, its file.

Run it after adding or renaming a class: `make glossary`. A test holds that the page is what this gives.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "glossary.md"
MARK = "<!-- Below this line the page is written by `make glossary`. -->\n"
ROOMS = ("project", "extract", "transform", "dedupe", "load", "reconciliation", "migrate")


def classes() -> str:
    """The table of classes: name, first sentence of its docstring, file. ValueError where a class has none."""
    lines = ["| class | is | file |", "|---|---|---|"]
    found = [item for room in ROOMS for path in (ROOT / room).rglob("*.py") for item in _of_file(path)]
    return "\n".join(lines + [f"| `{name}` | {words} | `{file}` |" for name, words, file in sorted(found)]) + "\n"


def _of_file(path: Path) -> list[tuple[str, str, str]]:
    tree, file = ast.parse(path.read_text(encoding="utf-8")), path.relative_to(ROOT).as_posix()
    nodes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    return [(node.name, _first_sentence(node, file), file) for node in nodes]


def _first_sentence(node: ast.ClassDef, file: str) -> str:
    text = re.sub(r"\s+", " ", ast.get_docstring(node) or "").strip()
    if not text:
        raise ValueError(f"{file}: class {node.name} has no docstring")
    return re.split(r"(?<=[.])\s", text, maxsplit=1)[0].replace("|", "\\|")


def page() -> str:
    """The whole page: what people wrote, then the table."""
    written, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    return f"{written}{mark}\n{classes()}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
