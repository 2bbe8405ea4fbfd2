"""TOML files, within bounds: one that somebody else wrote must cost neither the memory nor the evening."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

MOST_BYTES = 4 << 20
MOST_DOTS = 1_000
"""In one line: each dot of a key is a table in a table."""


class TomlError(Exception):
    """A file cannot be read as TOML: `str` of it is a sentence that quotes nothing of the file."""


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file says. TomlError with the reason; FileNotFoundError when there is none."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise TomlError(f"cannot be read: {error.strerror}") from error
    return parse_toml(data)


def parse_toml(data: bytes) -> dict[str, Any]:
    """What the bytes of a TOML file say. TomlError with the reason."""
    if len(data) > MOST_BYTES:
        raise TomlError(f"is larger than {MOST_BYTES:,} bytes, which no such file is")
    try:
        text = data.decode("utf-8")
        if any(line.count(".") > MOST_DOTS for line in text.splitlines()):
            raise TomlError("is nested too deeply")
        said = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise TomlError("is no text in UTF-8") from error
    except RecursionError as error:
        raise TomlError("is nested too deeply") from error
    except tomllib.TOMLDecodeError as error:
        raise TomlError(f"not readable as TOML: {error}") from error
    except ValueError as error:
        raise TomlError("has a number of more digits than can be read") from error
    if _holds_zero(said):
        raise TomlError("holds a zero character, which no name and no text has")
    return said


def _holds_zero(value: object) -> bool:
    if isinstance(value, dict):
        return any("\0" in name or _holds_zero(inside) for name, inside in value.items())
    if isinstance(value, list):
        return any(map(_holds_zero, value))
    return isinstance(value, str) and "\0" in value
