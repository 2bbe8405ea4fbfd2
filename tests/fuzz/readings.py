"""Numbers, days and steps, read twice: by transform and by the auditor, who share no code."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
from hypothesis import strategies as st

from casebridge.project.spec import ColumnSpec, Step, TableSpec
from casebridge.project.targetfile import read_type
from casebridge.reconciliation.reading import raw_text
from casebridge.transform.checks import CHECKS
from casebridge.transform.convert import convert, make_plan, stripped, text_of
from casebridge.transform.dates import parse_date, parse_timestamp
from casebridge.transform.numbers import decimal
from casebridge.transform.steps import STEPS
from tests.extract.test_extract_whole import HEADERS, MARKS
from tests.extract.test_extract_whole import check as every_byte_has_its_place

PIVOT = 26
_NUMBERS = st.sampled_from([*"0123456789.,-+()£ eE", "\u2212", "000", ",000", ".50", "0,", "1,234"])
_CLOCKS = ["0930", "AM", " PM", "GMT", "+01:00", "[UTC]", "T", " 9:30", "T09:30:00Z", " 23:30-01:00", " 2599"]
_DATES = st.sampled_from([*"0123456789-/. :TZ,", "JAN", "Sept", "th", "2024", "01", "05/01/2024", "1st", *_CLOCKS])
_SIGNS = "aA1 09-./,:£\t\u00a0\u200bß\u0130\u0131\n'\"|\\=>;+()eE"
_ARGUMENTS = {
    "zero_pad": ("1", "8"), "replace": ("a=>b", "-=>", "1=>11"), "substring": ("1", "2;3", "5;0"),
    "prefix": ("x", ""), "years": ("1880;2040",), "one_of": ("A;B",), "age": ("2026-04-01",),
}  # fmt: skip
_KINDS = ("text", "varchar(5)", "char(1)", "bigint", "integer", "numeric(10,2)", "numeric(8,3)", "date",
          "timestamp", "boolean", "uuid")  # fmt: skip


def _texts(parts: st.SearchStrategy[str], most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.lists(parts, min_size=1, max_size=most).map("".join), min_size=1, max_size=60)


def numbers_are_read_alike(data: st.DataObject) -> None:
    """The same amount by both, or none by either."""
    texts, rounding = data.draw(_texts(_NUMBERS, 7)), data.draw(st.sampled_from([None, "half_up", "half_even"]))
    written = pl.Series("t", texts)
    told = decimal(pl.col("t").str.strip_chars(" "), pl.Decimal(18, 2), 2, rounding)
    ours = written.to_frame().select(told).to_series().to_list()
    for text, one, other in zip(texts, ours, raw_text.minor_units(written, 2, rounding).to_list(), strict=True):
        too_large = one is None and other is not None and abs(other) >= 10**18
        assert too_large or (None if one is None else int(one * 100)) == other, (text, rounding, one, other)


def days_are_read_alike(data: st.DataObject) -> None:
    """A day that transform reads is the auditor's day, and the day of the moment that it reads."""
    texts = data.draw(_texts(_DATES, 7))
    written = pl.Series("t", texts)
    text = pl.col("t").str.strip_chars(" ")
    both = written.to_frame().select(day=parse_date(text, PIVOT), moment=parse_timestamp(text, PIVOT))
    for told, day, moment, other in zip(texts, *both.get_columns(), raw_text.days(written, PIVOT), strict=True):
        assert day is None or day == other, (told, day, other)
        assert moment is None or moment.date() == day, (told, day, moment)


def steps_and_checks_end(data: st.DataObject) -> None:
    """Any steps, checks and types on any texts: every row has a verdict, and the auditor reads the same text."""
    kind = read_type(data.draw(st.sampled_from(_KINDS)))[0]
    parts = data.draw(st.sampled_from([("A",), ("A", "B")]))
    fitting = [
        name for name, check in CHECKS.items()
        if check.of_text or name in {"date": ("years", "age")}.get(kind.name, ())
    ]  # fmt: skip
    column = ColumnSpec(
        "x", kind, parts,
        steps=tuple(data.draw(st.lists(_words([*STEPS]), max_size=3))),
        checks=tuple(data.draw(st.lists(_words(fitting), max_size=2))),
        required=data.draw(st.booleans()),
        null=data.draw(st.sampled_from([(), ("1",)])),
        default=data.draw(st.sampled_from([None, None, "A"])),
        part_steps=data.draw(st.sampled_from([(), tuple((Step("upper", ""),) for _ in parts)])),
    )  # fmt: skip
    cells = st.none() | st.text(st.sampled_from(_SIGNS), max_size=14)
    rows = data.draw(st.lists(st.tuples(cells, cells), min_size=1, max_size=8))
    raw = pl.DataFrame(rows, schema={"A": pl.String, "B": pl.String}, orient="row")
    raw = raw.with_columns(_row=pl.int_range(1, len(rows) + 1), K=pl.int_range(1, len(rows) + 1).cast(pl.String))
    spec = TableSpec("t", "old", "t", ("K",), (), (column,))
    assert convert(raw, make_plan(spec, {}, PIVOT)).tally.read == len(rows)
    theirs = raw_text.as_mapped(column)
    if theirs is not None:
        ours = stripped(raw).select(text_of(column).alias("x"))["x"].to_list()
        told = raw.select(theirs.alias("x"))["x"].to_list()
        assert [text or None for text in told] == [text or None for text in ours], (column, rows)


def _words(names: list[str]) -> st.SearchStrategy[Step]:
    known = [Step(name, argument) for name in names for argument in _ARGUMENTS.get(name, ("",))]
    return st.sampled_from(known)


def bytes_are_accounted_for(data: st.DataObject) -> None:
    """Any bytes under any header: each in the header, in a record or in a line kept as unreadable; or refused."""
    with tempfile.TemporaryDirectory(prefix="casebridge-fuzz-") as folder:
        every_byte_has_its_place(Path(folder) / "A.csv", data.draw(HEADERS) + data.draw(MARKS))
