"""What exports add to the rows of a table: a second header, rulers, footers, comments, Excel's ="…".

Lines that are no records are told apart under a rule of their own and kept as unreadable. Nothing here
depends on where a window of the file ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from casebridge.extract.quoting import QUOTE
from casebridge.extract.records import Reason, Records
from casebridge.project.blanks import bare_text
from casebridge.project.errors import SourceError
from casebridge.project.spec import ReadSpec

_COUNT = r"(?:[0-9][0-9,. ]*|no)\s+(?:rows?|records?|lines?|row\(s\)|record\(s\))"
_DONE = r"(?:\s+(?:affected|selected|returned|exported|fetched|processed|written|in\s+set)\b.*)?"
_FOOTERS = (
    rf"[(\[]?\s*{_COUNT}{_DONE}\s*[)\]]?\.?",
    r"(?:completion|elapsed)\s+time\s*:.*",
    r"(?:total|number\s+of)?\s*(?:rows?|records?|lines?)(?:\s+count)?\s*[:=]\s*[0-9][0-9,. ]*",
    r"\*{2,}.*|-{2,}\s*end\b.*|end\s+of\s+(?:file|report|data|export)\W*",
)
FOOTER = re.compile(f"(?is)\\s*(?:{'|'.join(_FOOTERS)})\\s*")
RULER = re.compile(r"[\s|+,;]*[-=_]{2,}[-=_\s|+,;]*")

NOTHING_WORDS = (r"\N", "NULL", "(null)", "<null>", "[NULL]", "(NULL)", "<NULL>", "null")
"""How database tools write a missing value into text."""


def ragged_reason(line: str, read: ReadSpec) -> Reason:
    """What a line with too many or too few fields is."""
    if read.comment and line.startswith(read.comment):
        return Reason.COMMENT_LINE
    if RULER.fullmatch(line):
        return Reason.RULER_LINE
    if FOOTER.fullmatch(line.strip('",;|\t ')):
        return Reason.FOOTER_LINE
    return Reason.RAGGED_LINE


def row_reason(values: Sequence[str], titles: Sequence[str], read: ReadSpec) -> Reason:
    """What a row is that has as many values as there are columns."""
    if read.comment and values[0].startswith(read.comment):
        return Reason.COMMENT_LINE
    if _is_header(values, titles):
        return Reason.REPEATED_HEADER
    filled = [value for value in values if value.strip()]
    if RULER.fullmatch(filled[0] if filled else "") and _is_ruler(filled, titles):
        return Reason.RULER_LINE
    if len(filled) == 1 and values[0].strip() and _is_footer(values, titles):
        return Reason.FOOTER_LINE
    return Reason.READABLE


def named_lines(records: Records, read: ReadSpec, encoding: str) -> npt.NDArray[np.int8]:
    """The reasons of a window's spans, the ragged ones looked at again and comments told apart."""
    reasons = records.reasons
    ragged = np.flatnonzero(reasons == Reason.RAGGED_LINE)
    comments = _comments(records, read, encoding) if read.comment else ragged[:0]
    if not ragged.size and not comments.size:
        return reasons
    reasons, starts = reasons.copy(), records.starts
    for span in ragged.tolist():
        raw = records.data[starts[span] : min(records.ends[span], starts[span] + 4096)]
        reasons[span] = ragged_reason(raw.decode(encoding, "replace").strip("\r"), read)
    reasons[comments] = Reason.COMMENT_LINE
    return reasons


def _comments(records: Records, read: ReadSpec, encoding: str) -> npt.NDArray[np.int64]:
    """The spans that begin with the sign of a comment."""
    sign, data, starts = read.comment.encode(encoding), records.data, records.starts
    likely = np.flatnonzero(np.frombuffer(data, np.uint8)[np.minimum(starts, len(data) - 1)] == sign[0])
    return np.array([n for n in likely.tolist() if data.startswith(sign, starts[n])], np.int64)


def odd_rows(records: Records, texts: Mapping[str, pl.Series], titles: Sequence[str]) -> dict[Reason, pl.Series]:
    """The readable rows, by their place, that are no records: the header again, a ruler, a footer. `texts`
    has the columns in the order of the header, whose names are `titles`."""
    names = list(texts)[: len(titles)]
    first, likely = texts[names[0]], _begins_oddly(records, titles[0])
    begins = first.gather(likely)
    looks = (
        (Reason.REPEATED_HEADER, likely.filter(_alike(begins, titles[0])), _is_header),
        (Reason.RULER_LINE, likely.filter(begins.str.contains(_RULES)), _is_ruler),
        (Reason.FOOTER_LINE, _like_footer(texts, names), _is_footer),
    )
    found = {}
    for reason, places, holds in looks:
        chosen = [n for n in places.to_list() if holds([texts[name][n] for name in names], titles)]
        if chosen:
            found[reason] = pl.Series(chosen, dtype=pl.Int64)
    return found


_RULES = "^[ |+]*[-=_]{2,}[-=_ |+]*$"
_SPEAKS = "(?i)row|record|line|time|end|[*]{2}"


def _begins_oddly(records: Records, title: str) -> pl.Series:
    """The readable rows whose first byte is that of the header's first name, of a ruler or of a blank."""
    table = np.zeros(256, bool)
    # 0xC2 to 0xEF lead the blanks beyond ASCII, 0xA0 is one of them in one byte.
    table[[*b" -=_+|", *range(0xC2, 0xF0), 0xA0, *(title[:1].lower() + title[:1].upper()).encode()]] = True
    data = np.frombuffer(records.data, np.uint8)
    starts = records.starts[records.reasons == Reason.READABLE]
    begins = data[starts]
    begins = np.where(begins == QUOTE, data[np.minimum(starts + 1, data.size - 1)], begins)
    return pl.Series(np.flatnonzero(table[begins]))


def _alike(column: pl.Series, name: str) -> pl.Series:
    """Cheap and not too narrow: the header's first name as it stands, in other capitals, with a mark before it."""
    likely = column == name
    for form in sorted({name.upper(), name.lower(), f"\ufeff{name}", f" {name}", f"{name} "} - {name}):
        likely |= column == form
    return likely


def _like_footer(texts: Mapping[str, pl.Series], names: Sequence[str]) -> pl.Series:
    """Rows of which only the first value is filled, and speaks of rows."""
    alone = texts[names[0]].str.len_bytes() > 5
    for name in names[1:]:
        alone &= texts[name].str.len_bytes() == 0
        if not alone.any():
            return pl.Series([], dtype=pl.Int64)
    places = alone.arg_true()
    return places.filter(texts[names[0]].gather(places).str.contains(_SPEAKS))


def _is_header(values: Sequence[str], names: Sequence[str]) -> bool:
    return [bare_text(value).casefold() for value in values] == [name.casefold() for name in names]


def _is_ruler(values: Sequence[str], names: Sequence[str]) -> bool:  # noqa: ARG001
    return all(RULER.fullmatch(value) or set(value.strip()) <= set("-=_") for value in values)


def _is_footer(values: Sequence[str], names: Sequence[str]) -> bool:  # noqa: ARG001
    return bool(FOOTER.fullmatch(bare_text(values[0])))


def unprotected(column: pl.Series) -> pl.Series:
    """Values without the ="…" that keeps Excel from making numbers of them."""
    return column.str.replace(r'(?s)^="(.*)"$', "$1")


def without_nothing(frame: pl.DataFrame, columns: Sequence[str], read: ReadSpec, name: str) -> pl.DataFrame:
    """The texts that stand for nothing, as the spec says, are null. SourceError when such a text is there and
    the spec does not say what it means: a record's value must not be the word NULL by mistake."""
    if read.null is not None:
        words = list(read.null)
        hits = [column for column in columns if words and frame[column].is_in(words).any()]
        return frame.with_columns(pl.when(~pl.col(hit).is_in(words)).then(pl.col(hit)).alias(hit) for hit in hits)
    for column in columns:
        for word in NOTHING_WORDS:
            rows = frame[column] == word
            if rows.any():
                line = frame["_line"][int(rows.arg_max() or 0)]
                shown = word.replace("\\", "\\\\")
                hint = (
                    f'say in its spec\'s [read] what stands for nothing: `null = ["{shown}"]`; or `null = []` if '
                    "it is a value like others"
                )
                raise SourceError(name, f"has the text `{word}` in column {column}, line {line:,}", hint=hint)
    return frame
