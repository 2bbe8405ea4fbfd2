"""Values whose truth is known, written the ways that systems write them.

A column is a type of the target and a strategy of `(text, truth)`: what stands in the file, and what must stand in
the target. A truth of None is an empty value. Whatever is loaded is the truth or nothing; what is not the truth is
never loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from hypothesis import strategies as st

from casebridge.project.blanks import bare_text

Written = tuple[str, object]
"""A text of the file and the value that it means."""


@dataclass(frozen=True)
class Column:
    """A column of the target: its type in `target.toml`, and how its values come."""

    kind: str
    values: st.SearchStrategy[Written]


BLANK = st.sampled_from(["", "", "", " ", "  ", "\t", "\u00a0", "\ufeff", "\u200b"])
NASTY = "aZé\u0141ß漢\U0001f600'\"\\,;|\t -=_/#%&<>{}[]()0127.+:@\u00a0\u200b\u0301"


def _padded(texts: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    return st.builds(lambda before, pair, behind: (f"{before}{pair[0]}{behind}", pair[1]), BLANK, texts, BLANK)


def _or_empty(texts: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    return st.one_of(_padded(texts), _padded(texts), _padded(texts), BLANK.map(lambda blank: (blank, None)))


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONG = ("January", "February", "March", "April", "May", "June", "July",
         "August", "September", "October", "November", "December")  # fmt: skip


def _suffix(day: int) -> str:
    return "th" if 10 < day % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


DAY_FORMS: tuple[Callable[[date], str], ...] = (
    lambda d: f"{d:%d/%m/%Y}",
    lambda d: f"{d.day}/{d.month}/{d:%Y}",
    lambda d: f"{d:%d-%m-%Y}",
    lambda d: f"{d:%d.%m.%Y}",
    lambda d: f"{d:%Y-%m-%d}",
    lambda d: f"{d:%Y/%m/%d}",
    lambda d: f"{d:%Y%m%d}",
    lambda d: f"{d.day:02}-{_MONTHS[d.month - 1].upper()}-{d:%Y}",
    lambda d: f"{d.day} {_LONG[d.month - 1]} {d:%Y}",
    lambda d: f"{d.day}{_suffix(d.day)} {_LONG[d.month - 1]} {d:%Y}",
    lambda d: f"{d.day:02}{_MONTHS[d.month - 1].upper()}{d:%Y}",
    lambda d: f"{_MONTHS[d.month - 1]} {d.day:>2} {d:%Y}",
)
CLOCK_FORMS: tuple[Callable[[datetime], str], ...] = (
    lambda t: f"{t:%H:%M:%S}",
    lambda t: f"{t:%H:%M:%S}.000",
    lambda t: f"{t.hour % 12 or 12}:{t:%M:%S} {'PM' if t.hour > 11 else 'AM'}",
    lambda t: f"{t.hour % 12 or 12:02}:{t:%M:%S}{'pm' if t.hour > 11 else 'am'}",
)
DAYS = st.dates(date(1901, 1, 1), date(2098, 12, 31))
MOMENTS = st.builds(datetime.combine, DAYS, st.times().map(lambda clock: clock.replace(microsecond=0)))


def _dates() -> st.SearchStrategy[Written]:
    plain = st.builds(lambda d, form: (form(d), d), DAYS, st.sampled_from(DAY_FORMS))
    timed = st.builds(
        lambda t, form, clock: (f"{form(t)} {clock(t)}", t.date()),
        MOMENTS, st.sampled_from(DAY_FORMS[:7]), st.sampled_from(CLOCK_FORMS),
    )  # fmt: skip
    return st.one_of(plain, timed)


def _moments() -> st.SearchStrategy[Written]:
    two = st.builds(
        lambda t, form, clock: (f"{form(t)} {clock(t)}", t),
        MOMENTS, st.sampled_from(DAY_FORMS[:9]), st.sampled_from(CLOCK_FORMS),
    )  # fmt: skip
    iso = st.builds(lambda t: (f"{t:%Y-%m-%dT%H:%M:%S}", t), MOMENTS)
    run = st.builds(lambda t: (f"{t:%Y%m%d%H%M%S}", t), MOMENTS)
    return st.one_of(two, iso, run)


AMOUNTS = st.decimals(Decimal("-99999999.99"), Decimal("99999999.99"), places=2)
AMOUNT_FORMS: tuple[Callable[[Decimal], str], ...] = (
    lambda n: f"{n}",
    lambda n: f"{n:,}",
    lambda n: f"£{n:,}" if n >= 0 else f"-£{-n:,}",
    lambda n: f"{abs(n)}-" if n < 0 else f"+{n}",
    lambda n: f"({-n:,})" if n < 0 else f"£ {n}",
    lambda n: f"{n}00",
    lambda n: f"{n:.2f}".replace("0.", ".", 1) if abs(n) < 1 else f"{n}",
    lambda n: f"{n.normalize():E}",
)


def _amounts() -> st.SearchStrategy[Written]:
    return st.builds(lambda n, form: (form(n), n), AMOUNTS, st.sampled_from(AMOUNT_FORMS))


def _integers(least: int, most: int) -> st.SearchStrategy[Written]:
    forms: tuple[Callable[[int], str], ...] = (
        str,
        lambda n: f"{n:,}",
        lambda n: f"{n}.0",
        lambda n: f"+{n}" if n >= 0 else f"{-n}-",
        lambda n: f"00{n}" if n >= 0 else f"{n}",
    )
    return st.builds(lambda n, form: (form(n), n), st.integers(least, most), st.sampled_from(forms))


def _junk(signs: str, longest: int) -> st.SearchStrategy[Written]:
    return st.text(st.sampled_from(signs), max_size=longest).map(lambda text: (text, ...))


def _texts(longest: int) -> st.SearchStrategy[Written]:
    return st.text(st.sampled_from(NASTY), max_size=longest).map(lambda t: (t, bare_text(t) or None))


COLUMNS: dict[str, Column] = {
    "words": Column("text", _texts(20)),
    "short": Column("varchar(12)", _texts(12)),
    "born": Column("date", _or_empty(_dates())),
    "seen": Column("timestamp", _or_empty(_moments())),
    "paid": Column("numeric(12,2)", _or_empty(_amounts())),
    "times": Column("integer", _or_empty(_integers(-(2**31), 2**31 - 1))),
    "number": Column("bigint", _or_empty(_integers(-(10**17), 10**17))),
    "junk_day": Column("date", _junk("0123456789/-. :TZ+JANabc", 12)),
    "junk_sum": Column("numeric(12,2)", _junk("0123456789.,-+()£ eE%", 9)),
}
"""What a fuzzed table has beside its key. A truth of `...` is not known: it must only be counted."""
