"""Registers of few columns: is the engine right, or does it say that it is not? `python -m benchmarks.thin`.

Each register of COLUMNS is made in several sizes and with each kind of TROUBLE; e-mail addresses and towns are
added to what `registers` makes. A register is *silently wrong* where no warning is given and the own threshold
lies more than 0.01 of F1 below the best, or where one is given and fewer than 95 in 100 of what is put forward are
right.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isnan, nan
from typing import Any

import numpy as np
import polars as pl

from benchmarks.kinds import PLAIN, ROLES, Variant
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import Fields, LinkOptions, evaluate, link

COLUMNS: dict[str, tuple[str, ...]] = {
    "names, town": ("first", "last", "town"),
    "names, sex, town": ("first", "last", "sex", "town"),
    "names, phone": ("first", "last", "phone"),
    "names, e-mail": ("first", "last", "email"),
    "names, postcode": ("first", "last", "postcode"),
    "names, sex, postcode": ("first", "last", "sex", "postcode"),
    "names, postcode, phone": ("first", "last", "postcode", "phone"),
    "names, middle name, address": ("first", "middle", "last", "house", "street", "postcode"),
    "names, sex, address, phone": ("first", "last", "sex", "house", "street", "postcode", "phone"),
    "names, NHS number, postcode": ("first", "last", "nhs", "postcode"),
    "names, e-mail, phone, town": ("first", "last", "email", "phone", "town"),
    "initial, surname, year": ("initial", "last", "year"),
    "initial, surname, year, postcode": ("initial", "last", "year", "postcode"),
    "names, sex, year, town": ("first", "last", "sex", "year", "town"),
    "names, date": ("first", "last", "dob"),
    "names, date, town": ("first", "last", "dob", "town"),
    "surname, date, postcode": ("last", "dob", "postcode"),
    "forename, date, sex": ("first", "dob", "sex"),
    "date, sex, postcode": ("dob", "sex", "postcode"),
}  # fmt: skip
TROUBLE: dict[str, Variant] = {
    "plain": PLAIN,
    "dirty copies": replace(PLAIN, duplicates=0.4, more_copies=0.5, slip=0.08, blank=0.06, short_name=0.1),
    "namesakes": replace(PLAIN, namesakes=0.1, household=(0.1, 0.15, 0.2, 0.25, 0.18, 0.12)),
    "few names": replace(PLAIN, skew=1.35, tail=0.02, origins=(0.4, 0.55, 0.05)),
    "long tail": replace(PLAIN, skew=0.7, tail=0.5),
    "few duplicates": replace(PLAIN, duplicates=0.02, more_copies=0.05),
    "gaps": replace(PLAIN, blank=0.15, phone_blank=0.6, duplicates=0.3),
}
SIZES = (300, 1_000, 3_000, 10_000)
EVERYTHING = ("first", "middle", "last", "dob", "sex", "house", "street", "postcode", "nhs", "phone")
TOWNS, PROVIDERS = 40, ("gmail.com", "gmail.com", "hotmail.co.uk", "yahoo.co.uk", "btinternet.com", "icloud.com")
FREE = ("town", "initial", "year")
PROMISED, NEAR = 0.95, 0.01


@dataclass(frozen=True)
class Found:
    """What came of one register. propose: the threshold; own, best: F1; put, same: precision of what is put
    forward and of the zone *same* (nan where there is nothing); pairs: how many are put forward."""

    propose: float
    own: float
    best: float
    put: float
    same: float
    pairs: int
    warned: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Empty where the register is served as promised."""
        if not self.warned:
            return "silently wrong" if self.own < self.best - NEAR else ""
        return "below 95" if not isnan(self.put) and self.put < PROMISED else ""


def thin_register(
    columns: tuple[str, ...], people: int, variant: Variant, seed: int
) -> tuple[pl.DataFrame, Fields]:
    """A register of these columns, and its fields: what is no role is a free column."""
    frame = make_register(people, replace(variant, columns=EVERYTHING), seed=seed)
    frame = _with_town(_with_email(frame, variant, seed), variant, seed)
    frame = frame.with_columns(
        pl.col("first").str.slice(0, 1).alias("initial"), pl.col("dob").str.slice(0, 4).alias("year")
    )
    roles = {**ROLES, "email": "email"}
    held = [c for c in columns if c not in FREE]
    fields = Fields("id", {roles[c]: c for c in held}, {c: c for c in columns if c in FREE})
    return frame.select("id", *columns, "person"), fields


def _with_email(frame: pl.DataFrame, variant: Variant, seed: int) -> pl.DataFrame:
    """One address a person, made of the names mostly; a family shares some; a tenth of the copies has another."""
    random = np.random.default_rng(seed + 1)
    person = frame["person"].to_numpy()
    first = frame.unique("person", keep="first", maintain_order=True).sort("person")
    own = np.random.default_rng(seed + 2).random(len(first))
    names = zip(first["person"], first["first"].fill_null("x"), first["last"].fill_null("y"), own, strict=True)
    text = {who: _address(a, b, luck) for who, a, b, luck in names}
    lost = random.random(len(frame)) < variant.phone_blank
    other = random.random(len(frame)) < variant.moved / 2
    slipped = random.random(len(frame)) < variant.slip / 2
    found = []
    for who, is_lost, is_other, is_slipped in zip(person, lost, other, slipped, strict=True):
        mail = text[who]
        mail = f"{random.integers(10**7)}@{mail.split('@')[1]}" if is_other else mail
        found.append(None if is_lost else mail[1:] if is_slipped else mail)
    return frame.with_columns(email=pl.Series(found, dtype=pl.String))


def _address(first: str, last: str, luck: float) -> str:
    number = int(luck * 1000)
    mailbox = (
        f"{first}.{last}{number % 100}" if luck < 0.7 else f"{first[:1]}{last}" if luck < 0.9 else f"{last}family"
    )
    return f"{mailbox}@{PROVIDERS[number % len(PROVIDERS)]}".lower().replace(" ", "")


def _with_town(frame: pl.DataFrame, variant: Variant, seed: int) -> pl.DataFrame:
    """The town of a home: a few large, many small. Of each value of the address a slip moves it elsewhere."""
    home = (frame["house"].fill_null("") + frame["street"].fill_null("")).hash(7).to_numpy()
    size = 1.0 / (np.arange(TOWNS) + 1.0)
    place = np.searchsorted(np.cumsum(size / size.sum()), (home % np.uint64(10**6)).astype(float) / 10**6)
    names = [
        f"{a}{b}"
        for a in ("LEED", "BRAD", "HALI", "WAKE", "OSSE", "KEIG", "SHIP", "BING")
        for b in ("TON", "FORD", "LEY", "BY", "WICK")
    ]
    towns = pl.Series(names).gather(np.minimum(place, TOWNS - 1))
    blank = np.random.default_rng(seed + 3).random(len(frame)) < variant.blank
    return frame.with_columns(town=pl.select(pl.when(~pl.Series(blank)).then(towns)).to_series())


def measured(frame: pl.DataFrame, fields: Fields, truth: str = "person") -> Found:
    linkage = link(frame, fields, LinkOptions())
    told: dict[str, Any] = evaluate(linkage, frame, fields, truth)
    own, same = told["proposed"], told["same"]
    many, together = (int(told["true_pairs"] - one["missed"] + one["false"]) for one in (own, same))
    marks = (
        "No birth_date",
        "No forename",
        "do not tell",
        "are thin",
        "do not separate",
        "Fewer than 30",
        "blocking rule brings",
        "had not settled",
    )
    warned = tuple(m for m in marks if any(m in w for w in linkage.model["warnings"]))
    put = own["precision"] if many else nan
    joined = same["precision"] if together else nan
    return Found(own["p"], own["f1"], told["best"]["f1"], put, joined, many, warned)


def cases(given: argparse.Namespace) -> Iterator[tuple[str, str, int, int]]:
    for columns in given.columns or COLUMNS:
        for trouble in given.trouble or TROUBLE:
            for people in given.people or SIZES:
                for seed in given.seed or (1,):
                    yield columns, trouble, people, seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", action="append", choices=COLUMNS)
    parser.add_argument("--trouble", action="append", choices=TROUBLE)
    parser.add_argument("--people", action="append", type=int)
    parser.add_argument("--seed", action="append", type=int)
    given = parser.parse_args()
    sys.stdout.write(
        "| columns | trouble | people | p | own F1 | best F1 | right of those put forward | right of *same* | "
        "pairs | warned | |\n"
    )
    sys.stdout.write("|---|---|---|---|---|---|---|---|---|---|---|\n")
    for columns, trouble, people, seed in cases(given):
        frame, fields = thin_register(COLUMNS[columns], people, TROUBLE[trouble], seed)
        one = measured(frame, fields)
        sys.stdout.write(
            f"| {columns} | {trouble} | {people:,} | {one.propose:.3f} | {one.own:.3f} | {one.best:.3f} | "
            f"{one.put:.3f} | {one.same:.3f} | {one.pairs:,} | {', '.join(one.warned)} | {one.verdict} |\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
