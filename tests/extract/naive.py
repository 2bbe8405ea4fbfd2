"""The rules of delimited text, spelled out byte by byte and without a thought for speed. It shares no code
with what it checks."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """Some physical lines: the record they are, or the reason why they are none."""

    line: int
    lines: int
    reason: str
    values: tuple[str, ...]
    raw: bytes


def spans(data: bytes, columns: int, encoding: str, delimiter: bytes = b",") -> list[Span]:
    """What becomes of each physical line."""
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    found, at = list[Span](), 0
    while at < len(lines):
        count, fields = _record(lines[at:], delimiter)
        raw = b"\n".join(lines[at : at + count]).rstrip(b"\r")
        found.append(_judged(at + 1, count, fields, raw, columns, encoding))
        at += count
    return found


def _record(lines: list[bytes], delimiter: bytes) -> tuple[int, list[bytes] | None]:
    """How many lines the first record takes and its fields; one line and None if its quoting is broken."""
    number, rest, fields = 1, lines[0].rstrip(b"\r"), list[bytes]()
    while True:
        if not rest.startswith(b'"'):
            field, more, rest = rest.partition(delimiter)
            fields.append(field)
            if not more:
                return number, fields
            continue
        value, rest = b"", rest[1:]
        # The line as it stood: inside quotes its carriage return is part of the value.
        rest += b"\r" * (len(lines[number - 1]) - len(lines[number - 1].rstrip(b"\r")))
        while True:
            text, quote, after = rest.partition(b'"')
            value += text
            if not quote:
                if number == len(lines):
                    return 1, None
                value, rest, number = value + b"\n", lines[number], number + 1
            elif after.startswith(b'"'):
                value, rest = value + b'"', after[1:]
            else:
                rest = after.rstrip(b"\r")
                break
        fields.append(value)
        if not rest:
            return number, fields
        if not rest.startswith(delimiter):
            return 1, None
        rest = rest[1:]


def _judged(line: int, lines: int, fields: list[bytes] | None, raw: bytes, columns: int, encoding: str) -> Span:
    reason = ""
    if fields is None:
        reason = "broken_quote"
    elif len(fields) != columns:
        reason = "ragged_line"
    elif b"\0" in raw:
        reason = "nul_byte"
    else:
        try:
            return Span(line, lines, "", tuple(field.decode(encoding) for field in fields), raw)
        except UnicodeDecodeError:
            reason = "undecodable"
    return Span(line, lines, reason, (), raw)
