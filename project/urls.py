"""URLs of databases as settings write them: variables filled in, files of SQLite by their whole path."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote

from casebridge.project.errors import Problem

FILE = "casebridge.toml"
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+_]*://")


def is_url(text: str) -> bool:
    """Whether a dump is the URL of a database, and not a folder."""
    return _SCHEME.match(text) is not None


def _filled(text: str) -> str:
    """A URL with its variables filled in. What stands before the host or behind `?` is a part of the URL, whatever
    signs it has: it is quoted. A variable that stands for more, a host or the whole URL, is taken as it is."""
    before, at, host = text.rpartition("@") if "://" in text else ("", "", text)
    scheme, slashes, login = before.partition("://")
    place, mark, options = host.partition("?")
    whole = _VARIABLE.fullmatch(login)
    if whole:  # a name and a password in one variable
        quoted = ":".join(quote(part, safe="") for part in os.environ.get(whole[1], "").split(":", 1))
    else:
        quoted = _VARIABLE.sub(lambda match: quote(os.environ.get(match[1], ""), safe=""), login)
    plain = _VARIABLE.sub(lambda match: os.environ.get(match[1], ""), place)
    options = _VARIABLE.sub(lambda match: quote(os.environ.get(match[1], ""), safe=""), options)
    return f"{scheme}{slashes}{quoted}{at}{plain}{mark}{options}"


def url_of(folder: Path, text: str, where: str, problems: list[Problem]) -> str:
    """A database URL with `${VARIABLE}` filled from the environment and SQLite paths made absolute."""
    for name in _VARIABLE.findall(str(text)):
        if name not in os.environ:
            problems.append(Problem(FILE, where, f"the environment has no variable {name}"))
    url = _filled(str(text))
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/"):
        url = prefix + str(folder.resolve() / url.removeprefix(prefix))
    return url
