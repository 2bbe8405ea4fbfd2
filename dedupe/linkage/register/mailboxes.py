"""E-mail addresses of bodies: whose domain it is."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.register.content import text_keys
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.known import ValueTable

_FREE = """
gmail.com googlemail.com hotmail.com hotmail.co.uk outlook.com live.co.uk live.com msn.com yahoo.com yahoo.co.uk
icloud.com me.com aol.com btinternet.com btconnect.com sky.com talktalk.net virginmedia.com virgin.net ntlworld.com
tiscali.co.uk protonmail.com nhs.net
"""
FREE = frozenset(_FREE.split())
"""Domains that give addresses to everybody: to share one says nothing of a body. nhs.net is one of them."""
MANY_HOLD, LEAST_HOLDERS = 0.02, 20
"""Share of the records, and records, above which the domain they share is taken for everybody's."""
HELD = "domains of everybody"


def mail_domains(addresses: pl.Series) -> pl.Series:
    """What stands behind the @.

    >>> mail_domains(pl.Series(["info@oakdene.example", "a@gmail.com"])).to_list()
    ['oakdene.example', 'gmail.com']
    """
    return addresses.str.replace(r"^.*@", "")


def everybodys(register: Register) -> NDArray[np.bool_]:
    """Of each e-mail address of a register whether its domain gives addresses to everybody."""
    domain = mail_domains(register.values["email"].text)
    if not register.known.frozen:
        column = register.columns["email"]
        counts = np.bincount(column[column >= 0], minlength=len(domain))
        held = pl.DataFrame({"d": domain, "n": counts}).group_by("d").agg(pl.col("n").sum())
        many = held.filter(pl.col("n") > max(LEAST_HOLDERS, MANY_HOLD * counts.sum()))["d"].sort()
        register.known.table(HELD, lambda: ValueTable.of(text_keys(many), np.ones(len(many)), 0.0))
    widely = register.known.tables[HELD].look_up(text_keys(domain)) > 0
    return np.asarray(widely | domain.is_in(sorted(FREE)).to_numpy())
