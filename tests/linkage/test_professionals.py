"""Professionals: one declaration made of what is there; namesakes stay two; the figures."""

from __future__ import annotations

import polars as pl
import pytest

from benchmarks.professionals import ROLES, make_professionals
from casebridge.dedupe.linkage import Fields, evaluate, link

FIELDS = Fields(id="id", roles=ROLES | {"staff_number": "staff"}, kind="professional")
LAST = ("Quillfeather", "Zephyrine", "Umberland", "Violetta", "Xenophon", "Yarrowby", "Vesperton", "Indigola",
    "Onyxford", "Jasperson", "Garnetlow", "Tansyweir", "Cobaltine", "Saffronel", "Topazmere", "Amberdane",
    "Ochreham", "Sorrelby", "Madderley", "Woadburn", "Lupinside")  # fmt: skip
NONE = {"email": None, "phone": None, "registration": None, "login": None, "staff": None}
BO = {"first": "Bo", "last": "Vandersloot", "registration": None, "login": None, "staff": None}
LINE = {"email": None, "registration": None, "login": None, "staff": None}
MAIL = {"phone": None, "registration": None, "login": None, "staff": None}
LIAISON = MAIL | {"last": "Li", "email": "liaison@tarnshire.example"}
LI = LIAISON | {"email": "k.li@tarnshire.example"}
DUTY = MAIL | {"email": "duty{n}@tarnshire.example"}
CASES: dict[str, tuple[dict[str, str | None], ...]] = {
    "again": ({}, {"login": "KQ910", "registration": "sw 909{n}", "first": "KIT", "staff": "000{n}"}),
    "another team": ({}, {"team": "Fostering West", "login": None, "registration": None}),
    "one number at payroll": (NONE | {"staff": "E-77{n}"}, NONE | {"staff": "e77{n}"}),
    "a second account": (MAIL | {"login": "K1"}, MAIL | {"login": "Q2"}),
    "namesake": ({}, NONE | {"team": "Fostering West"}),
    "two registrations": ({}, {"registration": "SW808{n}"}),
    "colleague of one line": ({}, BO | {"email": None}),
    "one mailbox": ({}, BO | {"phone": None}),
    "married": ({}, {"last": "Vandersloot", "login": None}),
    "namesake on one line": (LINE, LINE),
    "all numbers differ on one line": (
        {"registration": None},
        {"registration": None, "email": "kit2@tarnshire.example", "login": "KQ911", "staff": "E9{n}"},
    ),
    "two at payroll, one mailbox": (MAIL | {"staff": "E1{n}"}, MAIL | {"staff": "E2{n}"}),
    "two of a team's mailbox": (DUTY, DUTY),
    "two of a short name, a team's mailbox": (LIAISON, LIAISON),
    "a mailbox in short": (LI, LI | {"first": "KIT"}),
    "no number: ones": (NONE | {"registration": "1111111"}, NONE | {"registration": "1111111", "title": "Nurse"}),
    "no number: a row": (NONE | {"registration": "1234567"}, NONE | {"registration": "1234567", "title": "Nurse"}),
    "no number: at payroll": (NONE | {"staff": "2222222"}, NONE | {"staff": "2222222", "title": "Nurse"}),
    "no number: pending": (NONE | {"registration": "Pending 2024"}, NONE | {"registration": "PENDING 2024"}),
    "two at payroll by a third": (MAIL | {"staff": "E3{n}"}, MAIL | {"staff": "E4{n}"}, MAIL),
}  # fmt: skip
ONE = {"again", "another team", "one number at payroll", "a second account", "a mailbox in short"}


def rows_of(case: str) -> list[dict[str, object]]:
    """The records of a case, of a person whom no other case has."""
    at = [*CASES].index(case)
    last, number = LAST[at], f"{at:02}"
    kit = {
        "first": "Kit", "last": last, "title": "Social Worker", "team": "Adoption East",
        "organisation": "Tarnshire Council", "email": f"kit.{last.lower()}@tarnshire.example",
        "phone": f"01555 9090{number}", "registration": f"SW909{number}", "login": f"K{last[:6].upper()}9",
        "staff": f"000{number}",
    }  # fmt: skip
    told = [{key: value and value.format(n=number) for key, value in side.items()} for side in CASES[case]]
    return [{"id": f"{case}@{side}", "person": -1, **kit, **one} for side, one in zip("abc", told, strict=False)]


@pytest.fixture(scope="module")
def made() -> pl.DataFrame:
    numbers = (pl.lit("E") + (pl.col("person") + 50000).cast(pl.String)).alias("staff")
    return make_professionals(1500, seed=1).with_columns(numbers)


@pytest.fixture(scope="module")
def whose(made: pl.DataFrame) -> dict[str, str]:
    """The cluster of each record of each case, beside a made-up register."""
    rows = [row for case in CASES for row in rows_of(case)]
    return dict(
        link(pl.concat([made.head(400), pl.DataFrame(rows, schema=made.schema)]), FIELDS).clusters.iter_rows()
    )


@pytest.mark.parametrize("case", CASES)
def test_two_of_one_name_are_one_only_by_what_is_their_own(whose: dict[str, str], case: str) -> None:
    assert (whose[f"{case}@a"] == whose[f"{case}@b"]) == (case in ONE)


@pytest.mark.parametrize("line", ["D{n}", "x{n}", "EXT-{n}A", "Front desk"])
def test_lines_that_are_no_numbers_are_compared_as_words(line: str) -> None:
    rows = [(str(n), f"Smith{chr(65 + n % 26)}", line.format(n=100 + n % 40)) for n in range(60)]
    frame = pl.DataFrame(rows, schema=["id", "last", "line"], orient="row")
    fields = Fields(id="id", roles={"surname": "last", "phone": "line"}, kind="professional")
    assert link(frame, fields).clusters["cluster"].n_unique() == 60


def test_doubles_are_found_and_nothing_wrong_is_taken_for_sure(made: pl.DataFrame) -> None:
    fields = Fields(id="id", roles=ROLES, kind="professional")
    judged = evaluate(link(made, fields), made, fields, "person")
    assert judged["proposed"]["f1"] > 0.96
    assert judged["same"]["precision"] > 0.995
