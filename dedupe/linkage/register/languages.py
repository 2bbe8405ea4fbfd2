"""Words that stand in columns of other languages than English: sexes, what is called unknown (months:
`project/months.py`).

Welsh first, for councils of Wales keep their records in both languages. Sources: forms of the Office for National
Statistics and of GOV.UK in Welsh, and official forms of the other countries in theirs. All in plain capitals
(`folding`).
"""

from __future__ import annotations

from collections.abc import Mapping

MALE, FEMALE = 0, 1

_MEN = """
M MALE 1 MAN BOY MASC GWRYW GWRYWAIDD DYN BACHGEN HOMME MASCULIN GARCON MANN MANNLICH MAENNLICH JUNGE MANNELIJK
JONGEN
HOMBRE VARON MASCULINO NINO UOMO MASCHIO MASCHILE HOMEM MENINO MEZCZYZNA CHLOPIEC BARBAT
"""
_WOMEN = """
F FEMALE 2 WOMAN GIRL FEM BENYW BENYWAIDD MENYW MERCH FEMME FEMININ FILLE FRAU WEIBLICH MADCHEN MAEDCHEN VROUW
VROUWELIJK MEISJE MUJER FEMENINO HEMBRA NINA DONNA FEMMINA FEMMINILE MULHER FEMININO MENINA KOBIETA DZIEWCZYNKA
FEMEIE
"""
SEXES: Mapping[str, int] = dict.fromkeys(_MEN.split(), MALE) | dict.fromkeys(_WOMEN.split(), FEMALE)
LETTERS: Mapping[str, int] = dict.fromkeys("HG", MALE) | dict.fromkeys("WVKB", FEMALE)
"""Homme or hombre, gwryw; weiblich, vrouw, kobieta, benyw: read where a column is written so."""
NO_SEX = frozenset(
    ("0", "3", "9", "U", "I", "O", "X", "OTHER", "INDETERMINATE", "NON-BINARY", "NOT SPECIFIED", "DIVERS")
)
MAN_OR_WOMAN, MAN_BESIDE = "M", "H"
"""M is a woman (mujer) where men are H and no other letter is a woman's."""
OFTEN = 0.1
"""Share of the values given from which a letter is one that the column writes, and no slip."""

_UNKNOWN = """
ANHYSBYS AMHERTHNASOL GWRTHODWYD INCONNU INCONNUE UNBEKANNT ONBEKEND DESCONOCIDO DESCONOCIDA SCONOSCIUTO
SCONOSCIUTA DESCONHECIDO DESCONHECIDA NIEZNANY NIEZNANA NIEZNANE NECUNOSCUT NECUNOSCUTA
"""
UNKNOWN = frozenset(_UNKNOWN.split())
UNKNOWN_PHRASES = (
    "DDIM YN HYSBYS", "DIM YN HYSBYS", "NID YW N HYSBYS", "HEB EI GOFNODI", "HEB EI DDATGAN", "HEB EI NODI",
    "HEB EI RHOI", "HEB ENW", "DIM ENW", "DIM GWYBODAETH", "DIM DATA", "I W GADARNHAU", "NON RENSEIGNE",
    "NON RENSEIGNÉ", "NON CONNU", "KEINE ANGABE", "KEINE ANGABEN", "NICHT BEKANNT", "NIET BEKEND", "NO CONSTA",
    "SIN DATOS", "BRAK DANYCH",
)  # fmt: skip
NEWBORN = frozenset(["BABI", "BABAN", "EFAILL", "GEFELL", "BACHGEN", "MERCH"])
"""What a Welsh record calls a child that has no name yet: baby, twin, boy, girl. Babi and Baban are names of other
countries too, so they say it only where no name stands beside them."""


def letters_of(counts: Mapping[str, int]) -> dict[str, int]:
    """Which letters a column of sexes is written in besides M and F, and what they mean; counts: how many rows
    hold each distinct value, in capitals.

    >>> letters_of({"M": 50, "F": 49, "W": 1}), letters_of({"M": 50, "W": 50}), letters_of({"H": 50, "M": 50})
    ({}, {'W': 1}, {'H': 0, 'M': 1})
    """
    least = OFTEN * sum(counts.values())
    found = {letter: sex for letter, sex in LETTERS.items() if counts.get(letter, 0) >= max(1.0, least)}
    women = counts.get("F", 0) >= least or FEMALE in found.values()
    if found.get(MAN_BESIDE) == MALE and not women and counts.get(MAN_OR_WOMAN, 0) >= least:
        found[MAN_OR_WOMAN] = FEMALE
    return found
