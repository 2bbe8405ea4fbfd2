"""What months are called: English, Welsh, and the languages of records that councils take from elsewhere.

Welsh first, for councils of Wales keep their records in both languages. Sources: Unicode CLDR 44 (names and short
forms; Polish and Welsh as they stand beside a day), and HMRC's Welsh messages (date.month.name). All in plain
capitals (`without_accents`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

_BEGINNINGS = """
JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC
ION CHW MAW EBR MAI MEH GOR AWS MED HYD TAC RHA
ION CHW FAW EBR FAI FEH ORF AWS FED HYD DAC RAG
JAN FEV MAR AVR MAI JUIN JUIL AOU SEP OCT NOV DEC
JAE FEB MAE APR MAI JUN JUL AUG SEP OKT NOV DEZ
JAN FEB MRZ APR MAI JUN JUL AUG SEP OKT NOV DEZ
JAN FEB MRT APR MEI JUN JUL AUG SEP OKT NOV DEC
JAN FEB MAA APR MEI JUN JUL AUG SEP OKT NOV DEC
ENE FEB MAR ABR MAY JUN JUL AGO SEP OCT NOV DIC
ENE FEB MAR ABR MAY JUN JUL AGO SET OCT NOV DIC
GEN FEB MAR APR MAG GIU LUG AGO SET OTT NOV DIC
JAN FEV MAR ABR MAI JUN JUL AGO SET OUT NOV DEZ
STY LUT MAR KWI MAJ CZE LIP SIE WRZ PAZ LIS GRU
IAN FEB MAR APR MAI IUN IUL AUG SEP OCT NOI DEC
"""
_IN_FULL = """
JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER
IONAWR CHWEFROR MAWRTH EBRILL MAI MEHEFIN GORFFENNAF AWST MEDI HYDREF TACHWEDD RHAGFYR
IONAWR CHWEFROR FAWRTH EBRILL FAI FEHEFIN ORFFENNAF AWST FEDI HYDREF DACHWEDD RAGFYR
JANVIER FEVRIER MARS AVRIL MAI JUIN JUILLET AOUT SEPTEMBRE OCTOBRE NOVEMBRE DECEMBRE
JANUAR FEBRUAR MARZ APRIL MAI JUNI JULI AUGUST SEPTEMBER OKTOBER NOVEMBER DEZEMBER
JANNER FEBER MAERZ APRIL MAI JUNI JULI AUGUST SEPT OKTOBER NOVEMBER DEZEMBER
JANUARI FEBRUARI MAART APRIL MEI JUNI JULI AUGUSTUS SEPTEMBER OKTOBER NOVEMBER DECEMBER
ENERO FEBRERO MARZO ABRIL MAYO JUNIO JULIO AGOSTO SEPTIEMBRE OCTUBRE NOVIEMBRE DICIEMBRE
ENERO FEBRERO MARZO ABRIL MAYO JUNIO JULIO AGOSTO SETIEMBRE OCTUBRE NOVIEMBRE DICIEMBRE
GENNAIO FEBBRAIO MARZO APRILE MAGGIO GIUGNO LUGLIO AGOSTO SETTEMBRE OTTOBRE NOVEMBRE DICEMBRE
JANEIRO FEVEREIRO MARCO ABRIL MAIO JUNHO JULHO AGOSTO SETEMBRO OUTUBRO NOVEMBRO DEZEMBRO
STYCZNIA LUTEGO MARCA KWIETNIA MAJA CZERWCA LIPCA SIERPNIA WRZESNIA PAZDZIERNIKA LISTOPADA GRUDNIA
STYCZEN LUTY MARZEC KWIECIEN MAJ CZERWIEC LIPIEC SIERPIEN WRZESIEN PAZDZIERNIK LISTOPAD GRUDZIEN
IANUARIE FEBRUARIE MARTIE APRILIE MAI IUNIE IULIE AUGUST SEPTEMBRIE OCTOMBRIE NOIEMBRIE DECEMBRIE
"""


def _numbered(lines: str) -> dict[str, int]:
    return {word: number for line in lines.splitlines() for number, word in enumerate(line.split(), 1)}


MONTHS: Mapping[str, int] = _numbered(_BEGINNINGS)
"""How months begin: English, Welsh (and behind o, as in 3 o Fai), French, German (with and without its dots, and
short), Dutch, Spanish, Italian, Portuguese, Polish, Romanian. No three letters mean two months; French juin and
juillet need four."""
MONTH_NAMES: Mapping[str, int] = {**MONTHS, **_numbered(_IN_FULL), "JANV": 1, "FEVR": 2}
"""Months by their whole names and short forms, in the same languages: what only begins so is none."""
ORDINALS = "ST|ND|RD|TH"
OTHER_ORDINALS = "ER|RE|AF|AIL|IL|YDD|ED|FED|EG|FFED|O|A|E"
"""What stands behind the figures of a day: 1af, 2il, 3ydd, 5ed; 1er; 1º."""


def month_of(word: str) -> int:
    """The month that a word in plain capitals begins like; 0 for none.

    >>> [month_of(word) for word in ("MAWRTH", "JUILLET", "JUIN", "DEC", "WRZESNIA", "MONDAY")]
    [3, 7, 6, 12, 9, 0]
    """
    return MONTHS.get(word[:4], 0) or MONTHS.get(word[:3], 0)


def without_accents(text: str) -> str:
    """Capitals without accents: AOÛT is AOUT, MÄRZ MARZ, PAŹDZIERNIKA PAZDZIERNIKA."""
    if text.isascii():
        return text
    bare = (sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return "".join(bare).upper()
