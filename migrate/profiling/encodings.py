"""What encoding a text file looks like."""

from __future__ import annotations

from collections.abc import Sequence

from casebridge.extract.spoiled import looks_like_dos


def encoding_of(head: bytes) -> str:
    """The encoding that the first bytes of a text file look like."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    lines = [line for line in head.splitlines()[:-1] or [head] if not line.isascii()]
    good = sum(_is_utf8(line) for line in lines)
    if 2 * good >= len(lines):
        return "utf-8"
    return "cp850" if looks_like_dos(head) else "cp1252"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def common_encoding(encodings: Sequence[str]) -> str:
    """One encoding for all files of a table: plain ASCII looks like UTF-8 and is the same in the others."""
    return next((name for name in ("latin-1", "cp1252", "cp850") if name in encodings), encodings[0])
