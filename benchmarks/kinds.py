"""Kinds of made-up register: `Variant` turns the kinds of trouble up and down; the engine is judged over all of
VARIANTS, never tuned to one."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Variant:
    """What kind of register. Shares are of records unless said otherwise."""

    duplicates: float = 0.13  # people with a second record
    more_copies: float = 0.15  # of these, a third (and of these a fourth …)
    slip: float = 0.03  # of each name, date, number or address value
    blank: float = 0.02  # of each value
    nhs_blank: float = 0.5
    phone_blank: float = 0.3
    middle_blank: float = 0.5
    moved: float = 0.18  # of second records: another address
    renamed: float = 0.05  # of women's second records: another surname
    short_name: float = 0.05
    swapped_names: float = 0.004
    swapped_date: float = 0.01
    wrong_nhs: float = 0.003  # another person's number, or a superseded one
    twins: float = 0.015  # of births
    household: tuple[float, ...] = (0.30, 0.34, 0.16, 0.13, 0.05, 0.02)  # of households, by size from 1
    skew: float = 1.0  # exponent of the names' frequencies
    tail: float = 0.15  # of families have a name from the long tail
    origins: tuple[float, float, float] = (0.80, 0.13, 0.07)
    namesakes: float = 0.02  # of sons, named as the father
    crowded: float = 0.01  # of people live in homes of 40
    default_date: float = 0.003
    columns: tuple[str, ...] = (
        "first", "middle", "last", "dob", "sex", "house", "street", "postcode", "nhs", "phone",
    )  # fmt: skip


PLAIN = Variant()
VARIANTS: dict[str, Variant] = {
    "plain": PLAIN,
    "clean": replace(PLAIN, slip=0.008, blank=0.005, moved=0.08),
    "dirty": replace(PLAIN, slip=0.08, blank=0.06, swapped_date=0.03, short_name=0.1),
    "large households": replace(PLAIN, household=(0.1, 0.15, 0.2, 0.25, 0.18, 0.12), twins=0.02),
    "alone": replace(PLAIN, household=(0.9, 0.08, 0.02, 0, 0, 0)),
    "few nhs": replace(PLAIN, nhs_blank=0.9),
    "no nhs": replace(PLAIN, columns=tuple(c for c in PLAIN.columns if c != "nhs")),
    "all nhs": replace(PLAIN, nhs_blank=0.03),
    "no postcode": replace(PLAIN, columns=tuple(c for c in PLAIN.columns if c != "postcode")),
    "no phone": replace(PLAIN, columns=tuple(c for c in PLAIN.columns if c not in ("phone", "middle"))),
    "postcode only": replace(PLAIN, columns=("first", "last", "dob", "sex", "postcode", "nhs")),
    "same names": replace(PLAIN, skew=1.35, tail=0.02, origins=(0.4, 0.55, 0.05)),
    "long tail": replace(PLAIN, skew=0.7, tail=0.5),
    "few duplicates": replace(PLAIN, duplicates=0.02, more_copies=0.05),
    "many copies": replace(PLAIN, duplicates=0.4, more_copies=0.45),
    "movers": replace(PLAIN, moved=0.6, renamed=0.15),
    "gaps": replace(PLAIN, blank=0.15, nhs_blank=0.7, phone_blank=0.6),
}
ROLES = {
    "first": "forename", "middle": "middle_name", "last": "surname", "dob": "birth_date", "sex": "sex",
    "house": "house", "street": "street", "postcode": "postcode", "nhs": "nhs_number", "phone": "phone",
}  # fmt: skip
