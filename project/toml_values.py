"""Values of a TOML file, each of its type. What is wrong is reported with its place and replaced by something
harmless, so reading goes on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from casebridge.project.errors import Problem, did_you_mean


@dataclass
class TomlValues:
    """Reads the values of one file, `file` as problems name it, and puts what is wrong to `problems`."""

    file: str
    problems: list[Problem]

    def _part(self, body: dict[str, Any], key: str, *, optional: bool = False) -> dict[str, Any]:
        value = body.get(key)
        if value is None and not optional:
            self._problem(key, "is missing")
        if value is not None and not isinstance(value, dict):
            self._problem(key, "must be a TOML table")
        return value if isinstance(value, dict) else {}

    def _list(self, body: dict[str, Any], key: str) -> list[dict[str, Any]]:
        value = body.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._problem(key, f"must be a list: write [[{key}]]")
            return []
        return value

    def _word(self, body: dict[str, Any], where: str, key: str) -> str:
        value = body.get(key)
        if not isinstance(value, str) or not value.strip():
            self._problem(f"{where}.{key}", "is missing" if value is None else "must be text")
            return ""
        return value

    def _optional(self, body: dict[str, Any], where: str, key: str) -> str | None:
        return self._word(body, where, key) if key in body else None

    def _flag(self, body: dict[str, Any], where: str, key: str, *, default: bool) -> bool:
        value = body.get(key, default)
        if not isinstance(value, bool):
            self._problem(f"{where}.{key}", "must be true or false, without quotes")
            return default
        return value

    def _words(self, body: dict[str, Any], where: str, key: str, *, needed: bool = False) -> tuple[str, ...]:
        value = body.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._problem(f"{where}.{key}", "must be a list of texts")
            return ()
        if needed and not value:
            self._problem(f"{where}.{key}", "is missing")
        return tuple(value)

    def _unknown(self, known: Collection[str], body: dict[str, Any], where: str) -> None:
        for key in sorted(body.keys() - set(known)):
            self._problem(f"{where}.{key}".lstrip("."), "unknown key", did_you_mean(key, known))

    def _problem(self, where: str, what: str, hint: str = "") -> None:
        self.problems.append(Problem(self.file, where, what, hint))

    def _one_of(self, body: dict[str, Any], where: str, key: str, choices: tuple[str, ...]) -> str:
        text = str(body.get(key, choices[0]))
        if text not in choices:
            self._problem(f"{where}.{key}", f"unknown choice `{text}`", did_you_mean(text, choices))
            return choices[0]
        return text

    def _whole(self, body: dict[str, Any], where: str, key: str) -> int:
        value = body.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_048_576:
            self._problem(f"{where}.{key}", "must be the number of a row, the first is 1")
            return 1
        return value
