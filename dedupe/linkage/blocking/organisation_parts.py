"""Parts of blocking rules that organisations' names and e-mail addresses give."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.parts import Make, Rows
from casebridge.dedupe.linkage.register.content import text_keys
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.fillers import only
from casebridge.dedupe.linkage.register.mailboxes import everybodys, mail_domains
from casebridge.dedupe.linkage.register.organisation_words import OrganisationWords


def of_values(role: str, fact: str, make: Callable[[Register], pl.Series]) -> Make:
    """Something that each value of a column tells, by what it says; null where it tells nothing."""

    def keys(register: Register) -> NDArray[np.uint64]:
        told = make(register)
        return np.append(np.where(told.is_null().to_numpy(), np.uint64(0), text_keys(told)), np.uint64(0))

    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        return register.fact(fact, lambda: keys(register))[register.columns[role][rows]]

    return part


def telling_word(place: int) -> Make:
    """The rarest word of a name that another record holds, or the next."""
    return of_values(
        "name", f"telling word {place}", lambda register: OrganisationWords.of(register).telling_at(place)
    )


def of_name(fact: str, make: Callable[[pl.Series], pl.Series]) -> Make:
    """Something that a name tells by itself."""
    return of_values("name", fact, lambda register: make(register.values["name"].text))


def own_domain() -> Make:
    """The domain of an e-mail address, unless it gives addresses to everybody."""

    def domains(register: Register) -> pl.Series:
        return only(mail_domains(register.values["email"].text), pl.Series(~everybodys(register)))

    return of_values("email", "own domain", domains)
