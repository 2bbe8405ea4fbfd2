"""URLs of databases as settings write them: variables filled in, files of SQLite by their whole path."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import parse_qsl, quote

from casebridge.project.errors import Problem

FILE = "casebridge.toml"
WORDS_OF_SECRETS = ("password", "passwd", "pwd", "passfile", "sslpassword", "token", "secret")
"""Options of a URL that nobody may read."""
_IN_THE_OPEN = frozenset(WORDS_OF_SECRETS) - {"passfile"}
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_SQLITE = "sqlite:///"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+_]*://")


def is_url(text: str) -> bool:
    """Whether a dump is the URL of a database, and not a folder."""
    return _SCHEME.match(text) is not None


def missing_variables(text: str) -> list[str]:
    """The variables of a URL that the environment does not have."""
    return [name for name in _VARIABLE.findall(text) if name not in os.environ]


def filled(text: str) -> str:
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


def keeps_password(text: str) -> bool:
    """Whether a password stands in a URL as it is written, and not in the environment."""
    login, options = text.partition("://")[2].rpartition("@")[0], text.partition("?")[2]
    written = [value for name, value in parse_qsl(options) if name in _IN_THE_OPEN]
    written += [login.partition(":")[2]] if "/" not in login else []
    return any(_VARIABLE.sub("", one) for one in written)


def url_of(folder: Path, text: str, where: str, problems: list[Problem], *, later: bool = False) -> str:
    """A database URL with `${VARIABLE}` filled from the environment and SQLite paths made absolute.

    later: not every command opens it. One whose variables are missing stays as it is written, and whoever opens it
    is told which.
    """
    missing = missing_variables(str(text))
    if missing and later and is_url(str(text)):
        return str(text)
    problems += [Problem(FILE, where, f"the environment has no variable {name}") for name in missing]
    return absolute(folder, filled(str(text)))


def absolute(folder: Path, url: str) -> str:
    """A file of SQLite by its whole path, as seen from a folder; any other URL, and a path that begins with a
    variable, as it is."""
    path = url.removeprefix(_SQLITE)
    return url if path == url or path.startswith(("/", "${")) else f"{_SQLITE}{folder.resolve() / path}"
