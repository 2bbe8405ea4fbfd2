"""CF_PERSON: one row for each time somebody was keyed in."""

from typing import Final

import numpy as np
import polars as pl

from casebridge.synthetic.books import finish
from casebridge.synthetic.chunk import Chunk, unknown_workers, workers
from casebridge.synthetic.council import ADOPTER, CHILD, FOSTERER, NEVER, SNAPSHOT, TRAINER, YEAR, day
from casebridge.synthetic.formats import SCREEN, Codes, blank_where, choose, digits, iso, overwrite, pad
from casebridge.synthetic.names import CULTURES, Floats, Ints
from casebridge.synthetic.sheet import Sheet
from casebridge.synthetic.slips import UNKNOWN_SEX
from casebridge.synthetic.verdicts import LOADED, REQUIRED, RETENTION, TEST_RECORD, Mask

Frequencies = dict[str, dict[str, float]]

# Which codes people of a culture are keyed in with, and how often.
_ETHNICITY: Final[Frequencies] = {
    "british": {"A1": 82, "Z1": 7, "W": 2, "UK": 0.8, "Y1": 1, "B1": 1.6, "B2": 0.8, "B3": 1, "B4": 0.8, "D1": 1.2,
                "A4": 0.3, "A5": 0.3, "E2": 0.3, "D3": 0.4},
    "irish": {"A2": 60, "A4": 15, "A1": 15, "A3": 5, "Z1": 5},
    "muslim": {"C2": 50, "C3": 14, "C4": 8, "D2": 8, "E2": 10, "B3": 3, "Z1": 7},
    "indian": {"C1": 75, "C4": 10, "B3": 6, "Z1": 9},
    "african": {"D2": 75, "D3": 10, "B2": 8, "Z1": 7},
    "polish": {"A3": 80, "A5": 8, "Z1": 12},
    "chinese": {"E1": 45, "C4": 35, "E2": 12, "Z1": 8},
}  # fmt: skip
_RELIGION: Final[Frequencies] = {
    "british": {"CE": 34, "NO": 30, "NK": 16, "RC": 9, "CH": 8, "ME": 3, "C": 3, "JE": 0.6,
                "JW": 0.5, "BU": 0.3, "OT": 1},
    "irish": {"RC": 80, "NO": 12, "NK": 8},
    "muslim": {"MU": 88, "NK": 8, "NO": 4},
    "indian": {"SI": 42, "HI": 40, "CH": 8, "NK": 10},
    "african": {"CH": 60, "MU": 15, "RC": 12, "NK": 13},
    "polish": {"RC": 65, "CH": 15, "NO": 10, "NK": 10},
    "chinese": {"NO": 40, "BU": 20, "CH": 15, "NK": 25},
}  # fmt: skip
_LANGUAGE: Final[Frequencies] = {
    "british": {"ENG": 97, "EN": 2, "BSL": 0.5, "MAK": 0.3, "OTH": 0.2},
    "irish": {"ENG": 99, "OTH": 1},
    "muslim": {"ENG": 45, "URD": 16, "PUN": 10, "BEN": 9, "ARA": 8, "KUR": 5, "FAR": 4, "SOM": 3},
    "indian": {"ENG": 55, "PUN": 25, "GUJ": 12, "OTH": 8},
    "african": {"ENG": 68, "FRE": 10, "TIG": 8, "YOR": 8, "OTH": 6},
    "polish": {"POL": 50, "ENG": 18, "ROM": 16, "SLO": 9, "CZE": 7},
    "chinese": {"CAN": 25, "MAN": 30, "ENG": 35, "OTH": 10},
}
_UPN_LETTERS: Final = "ABCDEFGHJKLMNPQRTUVWXYZ"
_LONG_SURNAMES: Final = ("Featherstonehaugh-Cholmondeley-Smythe", "Balasubramaniam-Venkatanarayanan",
    "Wolfeschlegelstein-Hausenberger", "Papadimitriou-Konstantopoulos-Lee")  # fmt: skip
_LONG_FORENAMES: Final = ("Maria-Cristina-Alejandra-Guadalupe", "Jean-Christophe-Emmanuel-Baptiste",
    "Oluwaseun-Temitope-Oluwadamilola")  # fmt: skip
_TEST_SURNAMES: Final = ("ZZTEST", "ZZTESTPERSON", "TEST", "DO NOT USE", "ZZTEST TRAINING")


def write_persons(chunk: Chunk) -> None:
    """Also settles `chunk.standing`, on which all that hangs on a person depends."""
    rng = chunk.rng("person")
    creator = workers(chunk, rng, len(chunk.records), lost=1e-3)
    sheet = Sheet("CF_PERSON", _columns(chunk, rng, creator), ("PI_NO",), rng, soft="FORENAMES", least=chunk.least)
    _exclude(chunk, sheet)
    _spoil(chunk, sheet)
    sheet.set_aside(unknown_workers(chunk, creator), "CREATED_BY", "orphan")
    _tell_repaired(chunk, sheet)
    chunk.standing = finish(sheet, chunk.writer, lambda own: own, order=chunk.order)


def _columns(chunk: Chunk, rng: np.random.Generator, creator: Ints) -> dict[str, pl.Series]:
    records, people, dates = chunk.records, chunk.people, chunk.pools.dates
    n, person = len(records), records.person
    created = records.created
    shouting = rng.random(n) < np.where(created < day(2004), 0.7, 0.12)
    age = (SNAPSHOT - people.born[person]) / YEAR
    amended = created + (rng.random(n) ** 2 * (SNAPSHOT - created)).astype(np.int64)
    estimated = np.char.find(np.array(["|".join(e) for e in records.errors], dtype=str), "default_date") >= 0

    def written(days: Ints) -> pl.Series:
        return dates.text(dates.index(rng, days, SCREEN))

    return {
        "PI_NO": chunk.pi,
        "SURNAME": _name(rng, records.surname, shouting),
        "FORENAMES": _name(rng, records.forenames, shouting),
        "TITLE": _titles(chunk, rng, age),
        "DOB": written(records.born),
        "DOB_EST_YN": _yes_no(rng, estimated, 0.4),
        "DOD": written(people.died[person]),
        "EXP_DELIVERY": written(records.expected),
        "SEX": _sexes(chunk, rng),
        "ETHNIC_CODE": _by_culture(chunk, rng, "ethnicity", _ETHNICITY, 0.93),
        "RELIGION_CODE": _by_culture(chunk, rng, "religion", _RELIGION, 0.6),
        "LANG_CODE": _by_culture(chunk, rng, "language", _LANGUAGE, 0.7),
        "MARITAL_CODE": _marital(chunk, rng, age),
        "NHS_NO": _nhs_text(rng, records.nhs),
        "UPN": _upns(chunk, rng, age),
        "PHONE": _phones(chunk, rng),
        "EMAIL": _emails(chunk, rng, age),
        "CONTEXT": pl.Series(["C", "A", "B"]).gather(_context(chunk, age)),
        "CARESECURE_YN": _yes_no(rng, _closed(chunk, _restricted(chunk, rng)), 0.3),
        "CREATED_ON": written(created),
        "CREATED_BY": chunk.staff.worker_numbers().gather(creator),
        "AMENDED_ON": written(amended),
        "MAINFRAME_SEQ": blank_where(digits(chunk.pi_numbers % 9_999_991, 7), created > day(1999)),
    }


def _tell_repaired(chunk: Chunk, sheet: Sheet) -> None:
    records, nhs = chunk.records, digits(np.maximum(chunk.records.nhs, 0), 10)
    sheet.repaired = {
        "SURNAME": sheet.columns["SURNAME"].str.strip_chars(),
        "DOB": iso(records.born),
        "DOD": iso(chunk.people.died[records.person]),
        "NHS_NO": blank_where(nhs, (records.nhs <= 0) | records.mistyped),
        "ETHNIC_CODE": sheet.columns["ETHNIC_CODE"].str.strip_chars().str.to_uppercase(),
    }


def _name(rng: np.random.Generator, texts: list[str], shouting: Mask) -> pl.Series:
    """Some in capitals, some with a typographic apostrophe, most padded to CHAR(30)."""
    plain = pl.Series(texts)
    curly = choose(rng.random(len(plain)) < 0.25, plain.str.replace_all("'", "\x92", literal=True), plain)
    cased = choose(shouting, curly.str.to_uppercase(), curly)
    led = choose(rng.random(len(plain)) < 0.003, " " + cased, cased)
    return pad(rng, led, 30)


def _yes_no(rng: np.random.Generator, yes: Mask, blank: float) -> pl.Series:
    no = np.where(rng.random(len(yes)) < blank, 2, 1)
    return pl.Series(["Y", "N", ""]).gather(np.where(yes, 0, no))


def _titles(chunk: Chunk, rng: np.random.Generator, age: Floats) -> pl.Series:
    people, codes = chunk.people, chunk.pools.codes["title"]
    person = chunk.records.person
    female, partnered = people.female[person] == 1, people.partner[person] >= 0
    mr, mrs, miss, ms, master = codes.at("MR", "MRS", "MISS", "MS", "MASTER")
    lady = np.where(partnered | (age > 70), mrs, np.where(rng.random(len(person)) < 0.5, miss, ms))
    at = np.where(female, lady, mr)
    at = np.where(age < 16, np.where(female, miss, master), at)
    rare = rng.random(len(person)) < 0.006
    at = np.where(rare & (age > 25), codes.at("DR", "REV", "MX")[rng.integers(0, 3, len(person))], at)
    return codes.text(rng, np.where(rng.random(len(person)) < 0.3, -1, at))


def _sexes(chunk: Chunk, rng: np.random.Generator) -> pl.Series:
    codes, sex = chunk.pools.codes["sex"], chunk.records.sex
    at = codes.at("M", "F", "U")[sex]
    old = (chunk.records.created < day(1998)) & (rng.random(len(sex)) < 0.2) & (sex < UNKNOWN_SEX)
    at = np.where(old, codes.at("1", "2", "U")[sex], at)
    return codes.text(rng, np.where((sex == UNKNOWN_SEX) & (rng.random(len(sex)) < 0.4), -1, at))


def _by_culture(chunk: Chunk, rng: np.random.Generator, name: str, table: Frequencies, known: float) -> pl.Series:
    codes, person = chunk.pools.codes[name], chunk.records.person
    culture = chunk.people.culture[person]
    at = np.zeros(len(person), dtype=np.int64)
    luck = rng.random(len(chunk.people))[person]  # a copy mostly says the same as the first record
    luck = np.where(rng.random(len(person)) < 0.12, rng.random(len(person)), luck)
    for number, kind in enumerate(CULTURES):
        rising = np.cumsum(list(table[kind].values()))
        rows = np.flatnonzero(culture == number)
        pick = np.searchsorted(rising, luck[rows] * rising[-1], side="right")
        at[rows] = codes.at(*table[kind])[pick.clip(0, len(rising) - 1)]
    return codes.text(rng, np.where(rng.random(len(person)) < known, at, -1))


def _marital(chunk: Chunk, rng: np.random.Generator, age: Floats) -> pl.Series:
    codes, people, person = chunk.pools.codes["marital_status"], chunk.people, chunk.records.person
    partnered = people.partner[person] >= 0
    drawn = codes.draw(rng, len(person))
    married, widowed, cohabiting = codes.at("M", "W", "C")
    at = np.where(partnered, np.where(people.maiden[person] >= 0, married, cohabiting), drawn)
    at = np.where(~partnered & (age > 76) & (rng.random(len(person)) < 0.6), widowed, at)
    return codes.text(rng, np.where((age < 18) | (rng.random(len(person)) < 0.35), -1, at))


def _nhs_text(rng: np.random.Generator, numbers: Ints) -> pl.Series:
    plain = digits(np.maximum(numbers, 0), 10)
    spaced = plain.str.slice(0, 3) + " " + plain.str.slice(3, 3) + " " + plain.str.slice(6, 4)
    how = rng.random(len(numbers))
    text = choose(how < 0.3, spaced, choose(how > 0.985, spaced.str.replace_all(" ", "-", literal=True), plain))
    return blank_where(text, numbers <= 0)


def _upns(chunk: Chunk, rng: np.random.Generator, age: Floats) -> pl.Series:
    """Check letter, a local authority, and nine digits that are nobody else's."""
    person = chunk.records.person
    la = np.array([390, 391, 392, 393, 394, 840, 841])[person % 7]
    scattered = (person * chunk.of + chunk.number) * 7_368_787 % 10**9  # a factor prime to ten: no two alike
    body = la * 10**9 + scattered
    total = sum((body // 10 ** (12 - place) % 10) * (place + 1) for place in range(1, 13))
    letters = pl.Series(list(_UPN_LETTERS)).gather(np.asarray(total) % 23)
    has = (chunk.people.kind[person] == CHILD) & (age > 5) & (age < 32) & (rng.random(len(person)) < 0.55)
    return blank_where(letters + digits(body, 12), ~has)


def _phones(chunk: Chunk, rng: np.random.Generator) -> pl.Series:
    """The 01632 area is nowhere. A household shares its line; a copy often has another number."""
    person = chunk.records.person
    home = (chunk.people.home[person] * 7919 + chunk.number * 104_729) % 900_000 + 100_000
    own = rng.integers(100_000, 1_000_000, len(person))
    number = digits(np.where((rng.random(len(person)) < 0.55) & ~chunk.records.moved, home, own), 6)
    how = rng.random(len(person))
    text = choose(how < 0.6, "01632 " + number, choose(how < 0.85, "01632" + number, "(01632) " + number))
    return blank_where(text, rng.random(len(person)) < 0.38)


def _emails(chunk: Chunk, rng: np.random.Generator, age: Floats) -> pl.Series:
    names = chunk.pools.names
    person = chunk.records.person
    has = np.flatnonzero((age > 17) & (age < 85) & (rng.random(len(person)) < 0.16))
    forename, surname = chunk.people.forename[person[has]], chunk.people.surname[person[has]]
    pairs = zip(forename, surname, person[has] % 97, strict=True)
    texts = [f"{names.forenames[f]}.{names.surnames[s]}{tail}@mail.example" for f, s, tail in pairs]
    plain = str.maketrans("ëé", "ee", "'")
    out = pl.Series([""]).new_from_index(0, len(person))
    return overwrite(out, has, [text.translate(plain).lower() for text in texts])


def _context(chunk: Chunk, age: Floats) -> Ints:
    kind = chunk.people.kind[chunk.records.person]
    both = ((kind == CHILD) & (age > 17) & (age < 26)) | (kind == FOSTERER)
    return np.where(both, 2, np.where(age < 18, 0, 1))


def _restricted(chunk: Chunk, rng: np.random.Generator) -> Mask:
    """CareSecure: a few files, and each record of a child before the adoption."""
    people, person = chunk.people, chunk.records.person
    closed = rng.random(len(people)) < np.where(people.kind == FOSTERER, 0.08, 0.008)
    closed[people.was[people.was >= 0]] = True
    closed[people.was >= 0] = False
    return np.asarray(closed[person], dtype=np.bool_)


def _closed(chunk: Chunk, closed: Mask) -> Mask:
    """The same, but for a few copies that nobody restricted, or that alone were. No other draw is disturbed."""
    rng, copies = chunk.rng("circumstances"), np.flatnonzero(chunk.records.copy > 0)
    many = min(max(2 * chunk.least, round(0.004 * len(copies))), len(copies))
    chunk.closed = closed.copy()
    chosen = np.sort(rng.choice(copies, many, replace=False))
    chunk.closed[chosen] = ~closed[chunk.records.person[chosen]]
    return chunk.closed


def _exclude(chunk: Chunk, sheet: Sheet) -> None:
    people, person = chunk.people, chunk.records.person
    tests = np.flatnonzero(people.kind[person] == TRAINER)
    sheet.reject(tests, TEST_RECORD)
    sheet.spoil(tests, "SURNAME", sheet.drawn(tests, _TEST_SURNAMES))
    died = people.died[person]
    past = np.flatnonzero((died > NEVER) & (died < day(1995)) & (sheet.verdict == LOADED))
    sheet.reject(past, RETENTION)


def _spoil(chunk: Chunk, sheet: Sheet) -> None:
    records = chunk.records
    plain = ~np.isin(chunk.people.kind[records.person], (ADOPTER,)) & (sheet.verdict == LOADED)
    rows = sheet.pick(7e-4, plain)
    sheet.spoil(rows, "SURNAME", [""] * len(rows))
    sheet.reject(rows, REQUIRED)
    dates = chunk.pools.dates
    for column, known in (("DOB", (records.born > NEVER) & (records.expected == NEVER)), ("DOD", _dead(chunk))):
        rows = sheet.pick(1.2e-3, plain & known)
        sheet.spoil(rows, column, dates.text(dates.impossible(sheet.rng, len(rows))))
        sheet.set_aside(rows, column, "date")
    _spoil_names(sheet, plain, records.surname, records.forenames)
    _spoil_codes(chunk, sheet, plain)
    _spoil_numbers(chunk, sheet, plain)
    sheet.set_aside(np.flatnonzero(records.mistyped), "NHS_NO", "nhs_number")


def _dead(chunk: Chunk) -> Mask:
    return np.asarray(chunk.people.died[chunk.records.person] > NEVER)


def _spoil_names(sheet: Sheet, plain: Mask, surnames: list[str], forenames: list[str]) -> None:
    """Longer than the new system's 30 characters: cut, and the whole kept beside."""
    length = np.array([len(name) for name in surnames])
    sheet.set_aside(np.flatnonzero(length > 30), "SURNAME", "max_length")
    sheet.set_aside(np.flatnonzero([len(name) > 30 for name in forenames]), "FORENAMES", "max_length")
    for column, longs in (("SURNAME", _LONG_SURNAMES), ("FORENAMES", _LONG_FORENAMES)):
        rows = sheet.pick(3e-4, plain & (length < 15) & (length > 0))
        sheet.spoil(rows, column, sheet.drawn(rows, longs))
        sheet.set_aside(rows, column, "max_length")
    rows = sheet.pick(6e-4, plain)
    sheet.spoil(rows, "TITLE", sheet.drawn(rows, ("PROFESSOR ", "ARCHDEACON", "COUNCILLOR", "PROFESSOR")))
    sheet.set_aside(rows, "TITLE", "max_length")


def _spoil_codes(chunk: Chunk, sheet: Sheet, plain: Mask) -> None:
    lists = {"ETHNIC_CODE": "ethnicity", "RELIGION_CODE": "religion", "LANG_CODE": "language",
             "MARITAL_CODE": "marital_status"}  # fmt: skip
    for column, name in lists.items():
        codes: Codes = chunk.pools.codes[name]
        rows = sheet.pick(1e-3, plain)
        sheet.spoil(rows, column, codes.text(sheet.rng, sheet.rng.choice(codes.unmapped, len(rows))))
        sheet.set_aside(rows, column, "unmapped_code")


def _spoil_numbers(chunk: Chunk, sheet: Sheet, plain: Mask) -> None:
    """Numbers that fail their own check, and an e-mail address that is none."""
    good = plain & ~chunk.records.mistyped
    rows = sheet.pick(2e-3, good & (chunk.records.nhs > 0))
    numbers = chunk.records.nhs[rows]
    short = [str(at // 10) for at in numbers]
    wrong = [str(at // 10) + str((at + 1 + at // 10 % 8) % 10) for at in numbers]
    repeated = [str(at % 8 + 1) * 10 for at in numbers]
    long = [f"{at}1" for at in numbers]
    kinds = sheet.rng.choice(4, len(rows), p=(0.25, 0.6, 0.08, 0.07))
    sheet.spoil(rows, "NHS_NO", [(short, wrong, repeated, long)[kind][at] for at, kind in enumerate(kinds)])
    sheet.set_aside(rows, "NHS_NO", "nhs_number")
    rows = sheet.pick(1e-3, plain & (sheet.columns["UPN"] != "").to_numpy())
    upns = sheet.columns["UPN"].gather(rows)
    letter = pl.Series(list(_UPN_LETTERS[1:] + _UPN_LETTERS[0]))
    at = pl.Series([_UPN_LETTERS.index(text[0]) for text in upns], dtype=pl.Int64)
    sheet.spoil(rows, "UPN", letter.gather(at) + upns.str.slice(1))
    sheet.set_aside(rows, "UPN", "upn")
    rows = sheet.pick(1e-3, plain & (sheet.columns["EMAIL"] != "").to_numpy())
    sheet.spoil(rows, "EMAIL", sheet.drawn(rows, ("see mobile", "via daughter", "j.smith at mail.example")))
    sheet.set_aside(rows, "EMAIL", "email")
