"""The no-link list: records that must never be put beside others, identities from before an adoption above all.

One reader for the check and for the engine. It takes every word of the list that could be a key, in every spelling
that people use: to protect a word too many harms nobody. A list that is named but missing, unreadable or without a
key stops everything.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from typing import Protocol

from casebridge.project.errors import SourceError
from casebridge.project.lists import ListTooLargeError, read_list
from casebridge.project.settings import Settings, System

_HINT = "put the list back or right, or take `no_link` out of casebridge.toml if there is nobody to protect"
_APART = re.compile("[,;|\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]")
"""What parts two cells: delimiters, and everything that ends a line somewhere."""


class OfProject(Protocol):
    """Whatever knows the settings of a project: a job, the desk."""

    @property
    def settings(self) -> Settings:
        """The settings."""


class NoLink:
    """The no-link lists of a project's systems, and of its live register. SourceError where one cannot be used."""

    def __init__(self, project: OfProject) -> None:
        settings = project.settings
        self._legacy = tuple(system for system in settings.systems.values() if system.no_link)
        self._systems = self._legacy
        if settings.live is not None and settings.live.no_link is not None:
            own = System(settings.live.system, None, no_link=settings.live.no_link)
            self._systems = (*self._legacy, own)

    def __bool__(self) -> bool:
        """Whether any system names a list."""
        return bool(self._systems)

    @cached_property
    def entries(self) -> frozenset[str]:
        """Every key that a list may mean, as `system:key` in its plain spelling."""
        return frozenset(entry for system in self._systems for entry in _entries(system))

    def hides(self, item: str) -> bool:
        """Whether a record (`system:key`) is on a list."""
        return plain_id(item) in self.entries

    def hidden(self, ids: Iterable[str]) -> set[str]:
        """Those of some records that are on a list."""
        return {item for item in ids if self.hides(item)} if self else set()

    def text(self) -> str:
        """What stands in all lists, for a keyed digest: it changes when a list does."""
        return "\n".join(sorted(self.entries))

    def check(self, known: Collection[str]) -> None:
        """SourceError when a line of a legacy system's list names no record: a misspelt key would protect nobody.
        A first line without a figure is a header.

        known: all records of the dump as `system:key`, and what stands in lines that could not be read.
        """
        spelt = {plain_id(item) for item in known}
        for system in self._legacy:
            lines = list(_lines(system))
            bodies = lines[1:] if lines and _is_header(lines[0][1]) else lines
            strangers = [number for number, line in bodies if not spelt & set(keys_in(system, line))]
            if len(strangers) == len(bodies):
                raise SourceError(_name(system), "the no-link list names no record of the dump", hint=_HINT)
            if strangers:
                shown = ", ".join(str(number) for number in strangers[:10])
                raise SourceError(
                    _name(system),
                    f"{len(strangers)} lines of the no-link list name no record of the dump (line {shown})",
                    hint="write one key a line, as the dump has it; a misspelt key would protect nobody",
                )


def keys_in(system: System, line: str) -> list[str]:
    """Every cell of a line that could be a key: `system:key` or any other word before a colon, blanks and quotes
    around it, zeros before it, a spreadsheet's `.0` behind it."""
    found = []
    for cell in _APART.split(line):
        text = _seen(cell)
        for key in {text, text.rpartition(":")[2]}:
            bare = re.sub(r"\.0+$", "", key.strip(" '\""))
            if bare:
                found.append(f"{system.name}:{_plain(bare)}")
    return found


def plain_id(item: str) -> str:
    """`system:key` with the key in its plain spelling."""
    system, _, key = item.partition(":")
    return f"{system}:{_plain(key)}"


def _plain(key: str) -> str:
    """A key as a person might type it: no blanks, nothing invisible, no zeros before it, capitals or not."""
    text = key.lower() if key.isascii() and key.isalnum() else re.sub(r"\s+", "", _seen(key)).casefold()
    return text.lstrip("0") or "0" * bool(text)


def _seen(text: str) -> str:
    """A text in its compatibility form, without what nobody sees: format and control characters."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(c for c in folded if unicodedata.category(c) not in {"Cf", "Cc", "Co", "Cn"})


def _lines(system: System) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, by number: parted wherever a line might end."""
    assert system.no_link is not None
    try:
        data = read_list(system.no_link)
    except ListTooLargeError as error:
        raise SourceError(_name(system), "the no-link list is larger than any list of keys", hint=_HINT) from error
    except FileNotFoundError as error:
        raise SourceError(_name(system), "the no-link list is not there", hint=_HINT) from error
    except OSError as error:
        raise SourceError(_name(system), "the no-link list cannot be read", hint=_HINT) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(_name(system), "the no-link list is no text in UTF-8", hint=_HINT) from error
    for number, line in enumerate(text.splitlines(), 1):
        if keys_in(system, line):
            yield number, line


def _entries(system: System) -> list[str]:
    found = [entry for _, line in _lines(system) for entry in keys_in(system, line)]
    lines = [line for _, line in _lines(system)]
    if not found or (len(lines) == 1 and _is_header(lines[0])):
        raise SourceError(_name(system), "the no-link list is empty", hint=_HINT)
    return found


def _is_header(line: str) -> bool:
    """A line without a figure: a list may begin with its first key, and that may be misspelt."""
    return not any(character.isdigit() for character in line)


def _name(system: System) -> str:
    assert system.no_link is not None
    return system.no_link.name
