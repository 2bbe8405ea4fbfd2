"""Which columns look like codes, so that their values may be shown; and which of these values."""

from __future__ import annotations

import re
from collections.abc import Mapping

from casebridge.migrate.profiling.columns import FEWEST, MOST_CODES, Column
from casebridge.migrate.profiling.headings import ROLES, role_words
from casebridge.migrate.profiling.keys import like_a_key, words_of

_OF_A_PERSON = frozenset({
    "name", "forename", "surname", "firstname", "lastname", "fname", "lname", "first", "last", "middle", "given",
    "family", "maiden", "alias", "known", "initials", "dob", "birth", "born", "death", "died", "address", "addr",
    "house", "street", "road", "postcode", "post", "zip", "phone", "tel", "telephone", "mobile", "fax", "email",
    "mail", "nhs", "nino", "upn", "uln", "ni", "user", "login", "author", "worker", "notes", "note", "text",
    "comment", "comments", "narrative", "remarks", "description", "details", "line", "line1", "line2", "passport",
    "iban", "account", "sort", "by", "staff", "officer", "supplier", "customer", "client",
})  # fmt: skip
_WHO = frozenset[str]().union(*(words for role, words in ROLES.items() if role != "sex"))
"""The same as one word, in the languages that a draft knows."""
_MEASURED = frozenset({
    "quantity", "qty", "units", "hours", "minutes", "days", "weeks", "amount", "price", "cost", "rate", "age",
    "weight", "height", "length", "width", "depth", "area", "distance", "population", "latitude", "longitude",
    "count", "total", "sum", "percent", "percentage", "pct", "score", "points",
})  # fmt: skip
_LIKE_A_CODE = (
    "status", "state", "type", "code", "kind", "category", "class", "flag", "reason", "group", "rating",
)  # fmt: skip
_LIKE_A_NAME = re.compile(r"[^\W\d_]+(?:[ '\u2019.-]+[^\W\d_]+)*")
_WORDS = 40
_LONGEST, _DIGITS = 24, 4
_COUNTS, _A_CHOICE = 20, 3


def of_a_person(name: str) -> bool:
    """Whether a column is called like one that says who somebody is, or what was written about him."""
    words = words_of(name)
    if _WHO & set(role_words(name)):
        return True
    return bool(_OF_A_PERSON & {*words, "".join(words)}) and words[-1:] != ("code",)


def looks_like_codes(column: Column, *, refers: bool) -> bool:
    """Whether a column holds codes: few short values that come again and again, which are no keys, days, amounts
    or names of people."""
    facts = column.facts
    if column.codes is None or refers or not column.filled or column.unique:
        return False
    if facts["distinct"] > MOST_CODES or facts["distinct"] * 3 > column.filled:
        return False
    if facts["kind"] in {"date", "time", "decimal"} or facts["length"]["greatest"] > _LONGEST:
        return False
    if facts["digits"] > _DIGITS or of_a_person(column.name):
        return False
    if like_a_key(column.name) and words_of(column.name)[-1] != "code":
        return False
    if _declared_number(column) and not column.name.lower().endswith(_LIKE_A_CODE):
        return False
    return not _like_names(column) and not _like_counts(column) and _come_again(column)


def _declared_number(column: Column) -> bool:
    """Whether a database holds the column to numbers: the next one may be any."""
    return str(column.facts.get("declared", "")).startswith(("integer", "bigint", "numeric"))


def _like_names(column: Column) -> bool:
    """Many capitalised words, most of them several letters long: forenames, surnames, places."""
    codes = column.codes or {}
    words = [code for code in codes if _LIKE_A_NAME.fullmatch(code) and len(code) > 2]
    return len(words) > _WORDS and len(words) > 0.8 * len(codes)


def _like_counts(column: Column) -> bool:
    """Whole numbers that are called like a measure, or many that lie close together, such as minutes, ages or
    years: measured, not chosen."""
    words = words_of(column.name)
    if column.facts["kind"] != "integer" or column.facts["leading_zeros"] or "code" in words:
        return False
    if _MEASURED & set(words):
        return True
    if _from_none_up(column.codes or {}) and not column.name.lower().endswith(_LIKE_A_CODE):
        return True
    numbers = [int(code) for code in column.codes or {} if code.lstrip("-").isdecimal()]
    return len(numbers) > _COUNTS and len(numbers) > (max(numbers) - min(numbers) + 1) / 2


def _from_none_up(codes: Mapping[str, int]) -> bool:
    """Whether each common number from 0 on is rarer than the one before: how often something happened."""
    common = sorted(int(code) for code, rows in codes.items() if rows >= FEWEST and code.isdecimal())
    held = [codes.get(str(number), 0) for number in common]
    return len(common) > _A_CHOICE and common == list(range(len(common))) and held == sorted(held, reverse=True)


def _come_again(column: Column) -> bool:
    """Whether nine of ten rows hold a value that ten rows or more hold; in a small table, most."""
    often = sum(rows for rows in (column.codes or {}).values() if rows >= FEWEST)
    return often >= 0.9 * column.filled or (column.facts["distinct"] <= 12 and often >= 0.5 * column.filled)


def shown_codes(column: Column, *, refers: bool) -> list[dict[str, str | int]] | None:
    """The codes that FEWEST rows or more hold, the commonest first; None for a column that does not look like
    codes. The rows of all others stand in the last place, without a code."""
    if not looks_like_codes(column, refers=refers) or column.codes is None:
        return None
    common = sorted(column.codes.items(), key=lambda item: (-item[1], item[0]))
    shown: list[dict[str, str | int]] = [{"code": code, "rows": rows} for code, rows in common if rows >= FEWEST]
    rest = [rows for _, rows in common if rows < FEWEST]
    return [*shown, {"others": len(rest), "rows": sum(rest)}] if rest else shown
