"""What a number looks like in a sheet: number formats, as far as they change what a value is.

A workbook keeps days, times and durations as numbers; only the format tells. Zeros in front and signs between
digits are in the format alone. How many places are shown, thousands' commas, currency, units and percent signs do
not change a value, so they are left out.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from functools import cache

BUILTIN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00",
    14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM",
    20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 49: "@",
    **dict.fromkeys([*range(27, 37), *range(50, 59)], "yyyy-mm-dd"),
}  # fmt: skip
"""The formats that a workbook names by number only."""

_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.')
_DURATION = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_BRACKETS = re.compile(r"\[[^\]]*\]")
_PADDED = re.compile(r'(?:0|[-+ ():]|"[^"]*"|\\.)+')
"""Zeros and signs that stand for themselves. At a point decimals begin, a stroke makes a fraction: a number in
such a format is an amount, whose value counts and not its looks."""
_CONDITION = re.compile(r"\[[<>=]")
_DAY_OF_MS = 86_400_000
IMPOSSIBLE = "#####"
"""What a sheet shows where a day or time cannot be."""


@cache
def kind_of(code: str) -> str:
    """What a format makes of a number: `day`, `time`, `duration`, `padded` or `number`."""
    first = _section(code)
    bare = _LITERAL.sub("", first)
    if _DURATION.search(bare):
        return "duration"
    bare = re.sub(r"am/pm|a/p", "h", _BRACKETS.sub("", bare).lower())
    if "general" not in bare and re.search("[ymdhs]", bare):
        clock = bool(re.search("[hs]", bare))
        day = bool(re.search("[yd]", bare)) or not clock
        return "day" if day else "time"
    shown = _BRACKETS.sub("", first)
    zeros = _LITERAL.sub("", shown).count("0")
    if zeros > 1 and _PADDED.fullmatch(shown) and not _CONDITION.search(code):
        return "padded"
    return "number"


def _section(code: str) -> str:
    """The format of numbers that are not negative: the first part of up to four."""
    quoted, escaped = False, False
    for place, char in enumerate(code):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == ";" and not quoted:
            return code[:place]
    return code


def shown(stored: str, code: str, *, epoch_1904: bool) -> str:
    """The text of a stored number in a format. ValueError when it is no number."""
    kind = kind_of(code)
    if kind in {"day", "time", "duration"}:
        return _moment(Decimal(stored), kind, epoch_1904=epoch_1904)
    number = plain(stored)
    if kind == "padded" and number.isdecimal():
        return _padded(number, _section(code))
    return number


def plain(stored: str) -> str:
    """A number without an exponent, to 15 significant digits: what lies beyond is noise of binary arithmetic.
    A whole number that is written out keeps all its digits."""
    if re.fullmatch(r"-?[0-9]+", stored):
        return str(int(stored))
    value = Decimal(f"{float(stored):.15g}")
    if not value.is_finite():
        raise ValueError("no number")
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _padded(number: str, section: str) -> str:
    """Digits into the zeros of a format, the last digit into the last zero; literals stay where they are."""
    parts = re.findall(r'"[^"]*"|\\.|.', _BRACKETS.sub("", section))
    left = number.rjust(sum(part == "0" for part in parts), "0")
    made = []
    for place in range(len(parts) - 1, -1, -1):
        part = parts[place]
        if part == "0":
            last = not any(other == "0" for other in parts[:place])
            made.append(left if last else left[-1])
            left = "" if last else left[:-1]
        else:
            made.append(part[1:-1] if part[0] == '"' else part[-1])
    return "".join(reversed(made))


def _moment(serial: Decimal, kind: str, *, epoch_1904: bool) -> str:
    """A day, a time or a duration from days and their fraction, to the millisecond. 15 digits count; what is
    left of a day is never rounded to the next one."""
    serial = Decimal(f"{serial:.15g}")
    total = int((serial * _DAY_OF_MS).to_integral_value())
    if kind != "duration" and total // _DAY_OF_MS > serial >= 0:
        total -= 1
    if total < 0 or total >= 2_958_466 * _DAY_OF_MS:
        return IMPOSSIBLE if kind != "duration" else "-" * (total < 0) + _clock(abs(total))
    days, clock = divmod(total, _DAY_OF_MS)
    if kind == "duration" or (kind == "time" and days == 0):
        return _clock(total)
    day = _day(days, epoch_1904=epoch_1904)
    return f"{day} {_clock(clock)}" if clock else day


def _clock(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{ms:03}".rstrip("0") if ms else text


def _day(days: int, *, epoch_1904: bool) -> str:
    """Excel's calendar has a day 0 and a 29 February 1900, which are no days: they are written so that no
    reader of dates takes them for one."""
    if epoch_1904:
        return (dt.date(1904, 1, 1) + dt.timedelta(days)).isoformat()
    if days in {0, 60}:
        return "1900-01-00" if days == 0 else "1900-02-29"
    return (dt.date(1899, 12, 31 if days < 60 else 30) + dt.timedelta(days)).isoformat()
