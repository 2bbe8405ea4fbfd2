"""Columns as people and systems fill them: read, or counted in a warning."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.kinds import PLAIN, ROLES
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import Fields, Linkage, RegisterError, evaluate, link
from casebridge.dedupe.linkage.comparisons.registry import nhs_comparison, phone_comparison
from casebridge.dedupe.linkage.kind import Attribute
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.register.address_text import AddressLine, read_address_line
from casebridge.dedupe.linkage.register.codes import emails, ninos, valid_nino, valid_upn
from casebridge.dedupe.linkage.register.dates import read_dates
from casebridge.dedupe.linkage.register.fillers import fillers
from casebridge.dedupe.linkage.register.folding import folded
from casebridge.dedupe.linkage.register.languages import FEMALE, MALE, NO_SEX
from casebridge.dedupe.linkage.register.number_fields import read_numbers
from casebridge.dedupe.linkage.register.personal_names import read_names
from casebridge.dedupe.linkage.register.places import postcode_parts, postcodes
from casebridge.dedupe.linkage.register.reading import read_register
from casebridge.dedupe.linkage.register.values import Values
from tests.linkage.registers_for_tests import fields_of
from tests.linkage.test_levels import level_of

FILLERS = [
    "Trace pending", "Not Recorded", "(blank)", "nan", "-9", "-99.0", "\\N", "UNKNOWN", "n/k", "N/A", "refused",
    "#N/A",
    "not yet known", "To be confirmed", "None given", "NULL", "<NA>", "?", "-", "Declined",
    "Date of birth not known",
]  # fmt: skip


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return make_register(1500, PLAIN, seed=5).select("id", "person", *ROLES).cast(pl.String)


def f1(frame: pl.DataFrame) -> tuple[float, Linkage]:
    found = link(frame, fields_of(PLAIN))
    return evaluate(found, frame, fields_of(PLAIN), "person")["proposed"]["f1"], found


def at_every(column: str, step: int, made: pl.Expr) -> pl.Expr:
    return pl.when(pl.int_range(pl.len()) % step == 0).then(made).otherwise(column).alias(column)


@pytest.mark.parametrize("text", FILLERS)
def test_fillers(text):
    assert fillers(pl.Series([text])).to_list() == [True]


@pytest.mark.parametrize(
    "text", ["Anhysbys", "Heb ei gofnodi", "I'w gadarnhau", "unbekannt", "Inconnue", "Non renseigné", "no consta"]
)
def test_fillers_of_other_languages(text):
    assert fillers(pl.Series([text])).to_list() == [True]


@pytest.mark.parametrize("text", ["Nan", "N", "9", "Male", "Known", "Noel", "No 9", "Not Known Lane", "Given"])
def test_no_fillers(text):
    assert fillers(pl.Series([text])).to_list() == [False]


MONTHS_OF_WALES = [
    "Ionawr",
    "Chwefror",
    "Mawrth",
    "Ebrill",
    "Mai",
    "Mehefin",
    "Gorffennaf",
    "Awst",
    "Medi",
    "Hydref",
    "Tachwedd",
    "Rhagfyr",
]


def in_welsh(frame: pl.DataFrame) -> pl.DataFrame:
    """The register with its dates and sexes in Welsh: 12 Mai 1983, Gwryw, Benyw."""
    day = pl.col("dob").str.to_date(strict=False).dt
    month = day.month().replace_strict(dict(enumerate(MONTHS_OF_WALES, 1)), default=None, return_dtype=pl.String)
    written = pl.format("{} {} {}", day.day(), month, day.year())
    sexes = pl.col("sex").replace({"M": "Gwryw", "F": "Benyw"})
    return frame.with_columns(dob=pl.coalesce(written, "dob"), sex=sexes)


def test_a_register_in_welsh_is_linked_as_in_english(frame):
    some = frame.head(700)
    found = link(in_welsh(some), fields_of(PLAIN))
    assert found.pairs.equals(link(some, fields_of(PLAIN)).pairs)
    assert not [note for note in found.model["warnings"] if "can be read" in note]


@pytest.mark.parametrize(
    ("male", "female"),
    [("Gwryw", "Benyw"), ("G", "B"), ("m", "w"), ("M", "V"), ("H", "F"), ("H", "M"), ("K", "M"),
     ("Männlich", "Weiblich"),
     ("mężczyzna", "Kobieta"), ("Garçon", "fille"), ("1.0", "2.0")],
)  # fmt: skip
def test_sexes_as_a_column_writes_them(male, female):
    frame = pl.DataFrame({"id": list("abcdef"), "s": [male, female] * 3})
    register = read_register(frame, Fields(id="id", roles={"sex": "s"}), PERSON)
    row = register.rows_of(frame["id"])
    men, women = (MALE, FEMALE) if (male, female) != ("K", "M") else (FEMALE, MALE)
    assert register.columns["sex"][row].tolist() == [men, women] * 3
    assert register.notes == []


def test_a_letter_that_a_column_seldom_writes_is_a_slip():
    frame = pl.DataFrame({"id": [str(n) for n in range(40)], "s": ["M", "F"] * 19 + ["W", "H"]})
    register = read_register(frame, Fields(id="id", roles={"sex": "s"}), PERSON)
    assert register.notes == ["sex: 2 of 40 values are no sex that can be read."]


def test_words_among_numbers_leave_the_check_digits_on(frame):
    words = pl.lit("Trace pending")
    filled = frame.with_columns(nhs=pl.when(pl.col("nhs").is_null()).then(words).otherwise("nhs"))
    plain, one = f1(frame)
    changed, two = f1(filled)
    assert changed == plain
    assert not [note for note in two.model["warnings"] if note.startswith("nhs_number")]
    assert one.pairs.equals(two.pairs)


def test_numbers_from_a_spreadsheet_are_the_same_numbers(frame):
    floats = frame.with_columns(
        at_every("nhs", 2, pl.col("nhs") + ".0"), at_every("phone", 3, pl.col("phone") + ".0")
    )
    assert link(floats, fields_of(PLAIN)).pairs.equals(link(frame, fields_of(PLAIN)).pairs)


@pytest.mark.parametrize(
    "text",
    ["+447700900123", "00447700900123", "447700900123", "+44 (0)7700 900123", "+44(0)7700900123", "07700 900 123",
     "07700900123.0", "7700900123", "07700900123 ext 12", "07700900123 x12", "'07700900123", "Mob: 07700900123",
     "07700900123 (mum)", "7.700900123E+09", "07700900123 / 01132 555777", "01132 555777 / 07700900123",
     "01132555777 07700900123", "(07700) 900-123", "07700900123, 0113 255 5777", "4407700900123"],
)  # fmt: skip
def test_one_phone_number_in_every_dress(text):
    read = read_numbers(pl.Series([text]), phone=True)
    assert read is not None
    assert read.values.tolist() == [7700900123]
    assert read.further[1].tolist() in ([], [1132555777])


@pytest.mark.parametrize(
    ("text", "number", "unread", "rounded"),
    [
        ("9434765919.0", 9434765919, False, False), ("943-476-5919", 9434765919, False, False),
        ("NHS: 943 476 5919 (traced)", 9434765919, False, False), ("9.43E9", 0, True, True),
        ("9.434765919E+09", 9434765919, False, False), ("9434765919/4010232137", 9434765919, False, False),
        ("9434765918 / 4010232137", 4010232137, False, False), ("9434765918/4010232138", 0, True, False),
        ("ask mother", 0, True, False), ("Trace pending", 0, False, False), ("-9", 0, False, False),
    ],
)  # fmt: skip
def test_nhs_numbers_in_every_dress(text, number, unread, rounded):
    read = read_numbers(pl.Series([text, "4010232137"]))
    assert read is not None
    assert (read.values[0], read.unread[0], read.rounded[0]) == (number, unread, rounded)


def test_of_two_phone_numbers_either_may_agree():
    rows = [f"0770090{n:04}" for n in range(40)]
    frame = pl.DataFrame({"id": [str(n) for n in range(42)], "s": [f"N{n}" for n in range(42)],
                          "p": [*rows, "0113 255 5777 / 07700900001", "07999 123456 / 0113 2555777"]})  # fmt: skip
    register = read_register(frame, Fields(id="id", roles={"surname": "s", "phone": "p"}), PERSON)
    (comparison,) = phone_comparison(register)
    row = dict(zip(frame["id"], register.rows_of(frame["id"]).tolist(), strict=True))
    for one, other in (("1", "40"), ("40", "41"), ("41", "40")):
        assert level_of(register, comparison, row[one], row[other]) == "same phone number"
    assert level_of(register, comparison, row["2"], row["41"]) == "phone numbers differ"


def test_of_two_nhs_numbers_in_a_field_either_may_agree():
    numbers = ["9434765919", "4010232137", "9434765919 / 4010232137", "9434765870"]
    frame = pl.DataFrame({"id": list("abcd"), "nhs": numbers})
    register = read_register(frame, Fields(id="id", roles={"nhs_number": "nhs"}), PERSON)
    (comparison,) = nhs_comparison(register)
    row = dict(zip(frame["id"], register.rows_of(frame["id"]).tolist(), strict=True))
    assert level_of(register, comparison, row["a"], row["c"]) == "same NHS number"
    assert level_of(register, comparison, row["c"], row["b"]) == "same NHS number"
    assert level_of(register, comparison, row["c"], row["d"]) == "two different valid NHS numbers"
    assert any(note.startswith("nhs_number: 1 fields hold two numbers") for note in register.notes)


def test_rounded_numbers_are_told(frame):
    rounded = link(frame.with_columns(at_every("phone", 4, pl.lit("7.7E9"))), fields_of(PLAIN))
    count = -(-frame.height // 4)
    assert any(note.startswith(f"phone: {count:,} values were rounded") for note in rounded.model["warnings"])


@pytest.mark.parametrize("form", ["%d%m%Y", "%m%d%Y", "%Y%m%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%m-%d-%Y"])
def test_the_column_says_in_which_order_it_writes_dates(frame, form):
    written = frame.with_columns(pl.col("dob").str.to_date(strict=False).dt.strftime(form))
    plain = frame.with_columns(pl.col("dob").str.to_date(strict=False).cast(pl.String))
    read, iso = read_dates(written["dob"]), read_dates(plain["dob"])
    assert ((read.packed == iso.packed) | read.unread).all()
    assert read.unread.sum() <= 1  # a year of three digits
    assert not read.unsure.any()


def test_a_column_that_does_not_say_is_told(frame):
    early = [f"{1 + n % 12:02}{1 + n // 12 % 12:02}{1950 + n % 50}" for n in range(frame.height)]
    notes = link(frame.with_columns(dob=pl.Series(early)), fields_of(PLAIN)).model["warnings"]
    same = sum(text[:2] == text[2:4] for text in early)
    assert any(
        note.startswith(f"birth_date: {frame.height - same:,} dates could be read day first") for note in notes
    )


def test_a_column_written_in_both_orders():
    dates = ["17041961"] * 1 + [f"{13 + n}041961" for n in range(15)] + [f"04{13 + n}1961" for n in range(15)]
    read = read_dates(pl.Series([*dates, "05041961"]))
    assert not (read.packed[:-1] & 0xFFFF > 0x1231).any()
    assert read.unsure.tolist() == [False] * len(dates) + [True]


@pytest.mark.parametrize("code", ["0", "-9", "N", "\\N", "9", "?", "", "Unknown", "ZZ99 3VZ", "00000"])
def test_what_is_no_postcode(code):
    assert postcodes(pl.Series([code])).to_list() == [None]


def test_postcodes_shorter_than_a_sector():
    assert [len(part) for part in postcode_parts(Values(pl.Series(["1", "12", "LS63HN"])))] == [3, 3]


@pytest.mark.parametrize(("text", "read"), [
    ("Łuczak", "Luczak"), ("Øyvind", "Oyvind"), ("Đặng", "Dang"), ("I\u015f\u0131k", "Isik"), ("Ægir", "Aegir"),
    ("Straße", "Strasse"), ("José", "Jose"), ("محمد", "mhmd"), ("ZoÃ«", "Zoe"), ("O&#39;Neil", "O'Neil"),
    ("Ann\u200b", "Ann"),
])  # fmt: skip
def test_letters_of_every_kind(text, read):
    assert folded(pl.Series([text])).to_list() == [read]


def test_codes_of_people():
    assert [valid_upn(n) for n in ("A950000178301", "H243278544154", "R247962919251", "X428558133462")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert ninos(pl.Series(["AB 12 34 56 C", "TN010183M", "not known"])).to_list() == ["AB123456", None, None]
    assert [valid_nino(n) for n in ("AB123456", "OA123456", "AO123456", "ZZ123456")] == [True, True, False, False]
    assert emails(pl.Series(["ANN@Mail.example", "no-email@x.example", "none"])).to_list() == [
        "ann@mail.example",
        None,
        None,
    ]


def upn(number: int) -> str:
    digits = f"{number:012}"
    check = sum(int(digit) * weight for weight, digit in enumerate(digits, 2)) % 23
    return "ABCDEFGHJKLMNPQRTUVWXYZ"[check] + digits


@pytest.mark.parametrize("role", ["email", "upn", "nino"])
def test_new_roles_bring_pairs_together(frame, role):
    """Of one person's two records only the new role agrees in full: it alone finds them."""
    people = frame["person"].rank("dense").cast(pl.Int64).to_list()
    make = {"email": lambda n: f"person{n}@mail.example", "upn": lambda n: upn(950_000_000_000 + n * 37),
            "nino": lambda n: f"AB{n:06}C"}  # fmt: skip
    said = pl.Series([make[role](n) for n in people])
    wide = frame.with_columns(said.alias(role))
    fields = Fields(id="id", roles={"forename": "first", "birth_date": "dob", role: role})
    without = Fields(id="id", roles={"forename": "first", "birth_date": "dob"})
    best = evaluate(link(wide, fields), wide, fields, "person")["proposed"]["recall"]
    assert best > evaluate(link(wide, without), wide, without, "person")["proposed"]["recall"] + 0.02
    assert best > 0.98


def test_a_role_that_nothing_reads_or_compares_is_an_error():
    names = next(entry for entry in PERSON.attributes if entry.name == "names")
    with pytest.raises(RegisterError, match="Nothing reads the role shoe_size"):
        replace(PERSON, attributes=(*PERSON.attributes, Attribute("shoes", ("shoe_size",), None, names.compare)))
    with pytest.raises(RegisterError, match="Nothing compares the role shoe_size"):
        replace(PERSON, attributes=(*PERSON.attributes, Attribute("shoes", ("shoe_size",), names.read, None)))
    with pytest.raises(RegisterError, match="The role surname is read twice"):
        replace(PERSON, attributes=(*PERSON.attributes, names))
    with pytest.raises(RegisterError, match="No attribute has the blocking part shoe_size"):
        replace(PERSON, blocking=replace(PERSON.blocking, further=(("shoe_size", "surname"),)))


@pytest.mark.parametrize(
    ("role", "needed"),
    [("house", "street or postcode"), ("previous_surnames", "surname"), ("previous_postcodes", "postcode")],
)
def test_a_role_that_is_compared_only_with_another(role, needed):
    with pytest.raises(RegisterError, match=f"{role} is compared only with {needed}"):
        PERSON.placed(Fields(id="id", roles={"forename": "first", role: "other"}))


JUNK = st.one_of(
    st.sampled_from(
        [*FILLERS, "0", "N", "9.43E9", "1E400", "Infinity", "inf", "+44", "99999999", "00000000", "31/31/3131"]
    ),
    st.sampled_from(
        ["a@b", "@", "Smith, John", ",", "Twin 1", "Mr", "O'", "-", "van der", "II", "1 2 3", "😀", "محمد", "Ø"]
    ),
    st.sampled_from(
        [
            "\x00",
            "ZoÃ«",
            "&#0;",
            "&#x110000;",
            "\ud7ff",
            "²",
            "½",
            "١٢٣",
            "\uff11\uff12\uff13",
            "0" * 40,
            "7" * 40,
            "A" * 200,
        ]
    ),
    st.text(max_size=12),
)


ONE_FIGURE = re.compile(r"[-+]?0*(\d?)\1*(?:\.0+)?")


def says_something(text: str, role: str) -> bool:
    """No word for "not known", no newborn's name, no figure that only fills a field."""
    known = fillers(pl.Series([text])).item() or read_names(pl.Series([text]), role).temporary[0]
    return not (known or ONE_FIGURE.fullmatch(text.strip()) or text.strip().upper() in NO_SEX)


SOUND = {role: column for column, role in ROLES.items() if column in ("first", "last", "dob", "postcode")}


@pytest.mark.parametrize(
    "roles", [sorted(PERSON.roles)[::2], sorted(PERSON.roles)[1::2]], ids=["one half", "the other"]
)
@given(data=st.data())
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_junk_in_any_column_is_no_crash_and_no_unsaid_loss(frame, roles, data):
    """A value that is no word for "not known" is read, or counted in a warning of the linkage."""
    junk = {role: data.draw(st.lists(JUNK, min_size=1, max_size=12), label=role) for role in roles}
    columns = {f"junk {role}": [many[n % len(many)] for n in range(60)] for role, many in junk.items()}
    small = frame.head(60).with_columns(**{name: pl.Series(many) for name, many in columns.items()})
    fields = Fields(id="id", roles={**SOUND, **{role: f"junk {role}" for role in roles}})
    found = link(small, fields)
    assert found.clusters.height == 60
    register = read_register(small, fields, PERSON)
    for role in roles:
        told = any(note.startswith(role) for note in found.model["warnings"])
        if role == "address":  # goes into other columns
            lost = pl.Series([read_address_line(text) == AddressLine() for text in folded(small["junk address"])])
        elif not register.has(role):
            assert role in register.lists or told
            continue
        else:
            held = register.columns[role][register.rows_of(small["id"])]
            lost = pl.Series(held == 0 if held.dtype.kind == "u" else held < 0)
        known = pl.Series([says_something(text, role) for text in small[f"junk {role}"].to_list()])
        assert not (lost & known).any() or told


def _days(texts):
    return [str((date.fromisoformat(text) - date(1899, 12, 30)).days) for text in texts]


DAYS = ["1983-12-03", "1961-04-17", "2014-02-28", "1931-07-30"]


@pytest.mark.parametrize("more", [[], ["1999-05-01", "2001-09-11"]])
def test_numbers_of_five_digits_are_a_workbooks_days(more):
    """Also beside dates as text, and with a time of day behind."""
    numbers = _days(DAYS)
    written = read_dates(pl.Series([*numbers[:2], numbers[2] + ".0", numbers[3] + ".25", *more]))
    assert written.packed.tolist() == read_dates(pl.Series([*DAYS, *more])).packed.tolist()
    assert not written.unread.any()


@pytest.mark.parametrize("others", [["120383", "31061"], ["71234", "98001", "88888", "60001"]])
def test_other_numbers_of_five_digits_are_no_dates(others):
    """Day, month and year of two digits whose first nought is lost; numbers that lie after today."""
    assert read_dates(pl.Series([*_days(DAYS), *others])).unread[: len(DAYS)].all()
