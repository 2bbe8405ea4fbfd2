"""Roles that columns play by what they hold, where no column is called so: postcodes, e-mail addresses, NHS
numbers, birth dates."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

import polars as pl

from casebridge.dedupe.linkage.register.dates import SERIAL, digits_packed
from casebridge.dedupe.linkage.register.identifiers import passes_check
from casebridge.dedupe.linkage.register.places import UK_POSTCODE
from casebridge.migrate.drafting.dates_in_three import like_birth_dates
from casebridge.migrate.profiling.headings import ROLES, bare_word

_ROWS, _MOST, _LEAST = 100_000, 0.8, 20
"""Rows that are looked at, the share of their values that must be so, and of how many at least."""
_SHORTEST = 3
"""Letters of a word that is looked for within a column's name: gp_postcode, MUMDOB."""
_READ = (pl.String, pl.Categorical, pl.Enum, pl.Date, pl.Datetime)
"""Types of such columns, beside numbers."""
_EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s.]+$"


def roles_held(register: pl.LazyFrame, columns: Sequence[str], named: Collection[str]) -> dict[str, str]:
    """Roles beside those named, each with the one column whose values are such: of two no one knows which is the
    person's. A column whose name says what it holds, but no role (gp_postcode, mother_dob), is somebody else's."""
    open_roles = [role for role in _HOLDS if role not in named]
    types = register.select(columns).collect_schema()
    read = [name for name, dtype in types.items() if dtype.is_numeric() or dtype in _READ]
    values = register.select(read).head(_ROWS).collect() if open_roles else pl.DataFrame()
    found = {role: [c for c in read if not _says(c, role) and _is_held(role, values[c])] for role in open_roles}
    return {role: names[0] for role, names in found.items() if len(names) == 1}


def _says(column: str, role: str) -> bool:
    return any(word in bare_word(column) for word in ROLES[role] if len(word) >= _SHORTEST)


def _is_held(role: str, values: pl.Series) -> bool:
    given = values.drop_nulls()
    given = given.filter(given.str.strip_chars() != "") if given.dtype == pl.String else given
    return len(given) >= _LEAST and _HOLDS[role](given)


def _mostly(form: str, values: pl.Series) -> bool:
    plain = values.cast(pl.String).str.replace_all(r"[ \t]", "").str.to_uppercase()
    return bool(plain.str.contains(form).sum() >= _MOST * len(plain))


def _nhs_numbers(values: pl.Series) -> bool:
    """Ten digits with their check digit: one number in eleven has it by chance."""
    digits = values.cast(pl.String).str.replace_all(r"[ -]|\.0$", "")
    digits = digits.filter(digits.str.contains(r"^[0-9]{10}$"))
    right = passes_check(digits_packed(digits.cast(pl.Int64).to_numpy())).sum()
    return bool(right >= _MOST * len(values))


def _birth_dates(values: pl.Series) -> bool:
    """Half of them written as dates: numbers of five digits may be a workbook's days, or any others."""
    written = values.filter(~values.cast(pl.String).str.strip_chars().str.contains(SERIAL.pattern))
    return 2 * len(written) >= len(values) and like_birth_dates(written, a_life=True)


_HOLDS: Mapping[str, Callable[[pl.Series], bool]] = {
    "postcode": partial(_mostly, UK_POSTCODE),
    "email": partial(_mostly, _EMAIL),
    "nhs_number": _nhs_numbers,
    "birth_date": _birth_dates,
}
