"""What counts as blank: every character that leaves nothing to be seen.

Around a value, a key, a reference or a code such characters go, and what holds nothing else is empty.
Inside a value they stay: only a step of a spec may take them away. Source: the White_Space property and
the default-ignorable characters of Unicode 16, but for variation selectors, which change how a sign looks.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl


def _characters(*spans: tuple[int, int]) -> str:
    return "".join(chr(code) for first, last in spans for code in range(first, last + 1))


SPACES = _characters(
    (0x09, 0x0D), (0x1C, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
    (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
)  # fmt: skip
"""Blanks that have a width: spaces of any kind, tabs, line ends."""

INVISIBLE = _characters(
    (0x00, 0x08), (0x0E, 0x1B), (0x7F, 0x7F), (0xAD, 0xAD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160),
    (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800),
    (0x3164, 0x3164), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB),
)  # fmt: skip
"""Characters without a width or a shape: zero-width blanks, marks of byte order and direction, controls."""

BLANKS = SPACES + INVISIBLE


def _escaped(characters: Iterable[str]) -> str:
    return "".join(f"\\x{{{ord(character):X}}}" for character in characters)


SPACE_CLASS, INVISIBLE_CLASS, BLANK_CLASS = (_escaped(kind) for kind in (SPACES, INVISIBLE, BLANKS))
"""The same as the inside of a character class of a regular expression."""

_LAYOUT = "\t\n\r "
_UNUSUAL = rf"[{_escaped(sorted(set(BLANKS) - set(_LAYOUT)))}]|\r(?:[^\n]|$)"


def bare(text: pl.Expr) -> pl.Expr:
    """The text without blanks at both ends; null when nothing is left."""
    return text.map_batches(bare_texts, return_dtype=pl.String, is_elementwise=True)


def bare_columns(frame: pl.DataFrame, names: Iterable[str]) -> Iterator[pl.Expr]:
    """`bare` of columns of text of a frame. Which blanks there are is seen first: Polars does the rest."""
    for name in names:
        blanks = " " if of_printed_ascii(frame.get_column(name)) else BLANKS
        yield pl.col(name).str.strip_chars(blanks).replace("", None)


def bare_text(text: str) -> str:
    """One text without blanks at both ends."""
    return text.strip(BLANKS)


def unusual_inside(text: pl.Expr) -> pl.Expr:
    """Whether a stripped text holds blanks that nobody sees or typed: not a space, a tab or a line end."""
    return text.map_batches(_unusual, return_dtype=pl.Boolean, is_elementwise=True)


def without_any(text: pl.Expr, others: str = "") -> pl.Expr:
    """The text without blanks anywhere, nor any of these other characters."""
    return text.map_batches(lambda texts: _without(texts, others), return_dtype=pl.String, is_elementwise=True)


def one_space(text: pl.Expr) -> pl.Expr:
    """Each run of blanks is one space; a run of characters without a width is nothing. Null when empty."""
    return text.map_batches(_one_space, return_dtype=pl.String, is_elementwise=True)


def of_printed_ascii(texts: pl.Series) -> bool:
    """Whether all is plain ASCII without controls: its only blank is the space. One look at the bytes."""
    return all(
        chunk.size == 0 or (int(chunk.min()) >= 0x20 and int(chunk.max()) <= 0x7E) for chunk in _bytes_of(texts)
    )


def _bytes_of(texts: pl.Series) -> Iterator[np.ndarray]:
    for chunk in texts.get_chunks():
        data = chunk.to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()[2]
        if data is not None:
            yield np.frombuffer(data, np.uint8)


def bare_texts(texts: pl.Series) -> pl.Series:
    """`bare` of texts that are there."""
    texts = texts.cast(pl.String)
    stripped = texts.str.strip_chars(" " if of_printed_ascii(texts) else BLANKS)
    return stripped.set(stripped == "", None)


def _unusual(texts: pl.Series) -> pl.Series:
    if of_printed_ascii(texts):
        return pl.Series(texts.name, [False], dtype=pl.Boolean).new_from_index(0, texts.len())
    return texts.str.contains(_UNUSUAL).fill_null(value=False)


def _without(texts: pl.Series, others: str) -> pl.Series:
    blanks = _escaped(" ") if of_printed_ascii(texts) else BLANK_CLASS
    return texts.str.replace_all(f"[{blanks}{_escaped(others)}]", "")


def _one_space(texts: pl.Series) -> pl.Series:
    if of_printed_ascii(texts):
        single = texts.str.replace_all("  +", " ").str.strip_chars(" ")
    else:
        pattern = f"[{INVISIBLE_CLASS}]*[{SPACE_CLASS}][{BLANK_CLASS}]*"
        single = texts.str.replace_all(pattern, " ").str.replace_all(f"[{INVISIBLE_CLASS}]", "")
        single = single.str.strip_chars(" ")
    return single.set(single == "", None)


@functools.cache
def duckdb_macro() -> str:
    """`bare(text)` for queries: the same stripping in DuckDB's words. Most texts begin and end with a sign of
    plain ASCII, and need no look through all that is blank."""
    blanks = BLANKS.replace("\0", "")  # none of them is a quote; DuckDB has no text with a zero in it
    text = "given::VARCHAR"
    plain = f"ascii({text}) BETWEEN 33 AND 126 AND ascii(right({text}, 1)) BETWEEN 33 AND 126"
    return (
        f"CREATE MACRO bare(given) AS CASE WHEN {plain} THEN {text} ELSE nullif(trim({text}, '{blanks}'), '') END"
    )
