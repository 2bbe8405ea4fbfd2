"""What exports add to the rows of a table: a second header, rulers, footers, comments, Excel's ="…".

Lines that are no records are told apart under a rule of their own and kept as unreadable. Nothing here
depends on where a window of the file ends.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from casebridge.extract.quoting import QUOTE
from casebridge.extract.records import Reason, Records
from casebridge.project.blanks import BLANKS, bare_text
from casebridge.project.errors import SourceError
from casebridge.project.spec import ReadSpec

_COUNT = r"(?:[0-9][0-9,. ]*|no)\s+(?:rows?|records?|lines?|row\(s\)|record\(s\))"
_DONE = r"(?:\s+(?:affected|selected|returned|exported|fetched|processed|written|in\s+set)\b.*)?"
_FOOTERS = (
    rf"[(\[]?\s*{_COUNT}{_DONE}\s*[)\]]?\.?",
    r"(?:completion|elapsed)\s+time\s*:.*",
    r"(?:total|number\s+of)?\s*(?:rows?|records?|lines?)(?:\s+count)?\s*[:=]\s*[0-9][0-9,. ]*",
    r"\*{2,}.*|-{2,}\s*end\b.*|end\s+of\s+(?:file|report|data|export)\W*|page\s+[0-9]+(?:\s*(?:of|/)\s*[0-9]+)?",
    r"(?:report\s+)?(?:run|printed|generated|produced|extracted|created|exported)\b.*"
    r"(?:[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}).*",
)
_TOTAL = r"(?:grand\s+|sub-?\s*|report\s+)?totals?\s*:?"
TOTAL = re.compile(f"(?i)\\s*{_TOTAL}\\s*")
FOOTER = re.compile(f"(?is)\\s*(?:{'|'.join([*_FOOTERS, _TOTAL])})\\s*")
_SUM = re.compile(r"[-+(]?[£$€]?\s*[0-9][0-9,. ]*[-)]?")
"""What stands in the other columns of a line of totals."""
_LINES = "-=_\u2013\u2014\u2500\u2501\u2550"
"""What rulers are drawn with: hyphens and their like, dashes, lines of boxes."""
RULER = re.compile(rf"[\s|+,;]*[{_LINES}]{{2,}}[{_LINES}\s|+,;]*")

_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!")
NOTHING_WORDS = (
    *(r"\N", "NULL", "(null)", "<null>", "[NULL]", "(NULL)", "<NULL>", "null", "NaN", "nan", "NaT", "<NA>"),
    *_ERRORS,
)  # fmt: skip
"""How database tools and data frames write a missing value into text, and spreadsheets one they cannot tell."""
_SIGNS_OF_NOTHING = (b"\\N", b"NULL", b"null", b"NaN", b"NaT", b"<NA>", *(word.encode() for word in _ERRORS))
"""One of these bytes is in each of the words, but for one that many words hold."""
_NAN = re.compile(rb"nan(?![A-Za-z])")
_LETTERS = string.ascii_letters.encode()
_HASH = ord("#")


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
    if filled and _is_ruler(values, titles):
        return Reason.RULER_LINE
    if len(filled) == 1 and values[0].strip() and _is_footer(values, titles):
        return Reason.FOOTER_LINE
    return Reason.FOOTER_LINE if _is_total(values, titles) else Reason.READABLE


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
        (Reason.FOOTER_LINE, _like_total(records, first), _is_total),
    )
    found: dict[Reason, list[int]] = {}
    for reason, places, holds in looks:
        chosen = [n for n in places.to_list() if holds([texts[name][n] for name in names], titles)]
        if chosen:
            found.setdefault(reason, []).extend(chosen)
    return {reason: pl.Series(places, dtype=pl.Int64) for reason, places in found.items()}


_RULES = f"^[ |+]*[{_LINES}][{_LINES} |+]*$"
_SPEAKS = "(?i)row|record|line|time|end|total|[*]{2}|page|run|report|print|generat|produc|extract|creat|export"


def _begins_oddly(records: Records, title: str) -> pl.Series:
    """The readable rows whose first byte is that of the header's first name, of a ruler or of a blank."""
    # 0xC2 to 0xEF lead the blanks and lines beyond ASCII; the others are some of them in one byte.
    letters = (title[:1].lower() + title[:1].upper()).encode()
    return _beginning(records, [*b" \t-=_+|", *range(0xC2, 0xF0), 0xA0, 0x96, 0x97, 0xFF, *letters])


def _beginning(records: Records, signs: Sequence[int]) -> pl.Series:
    """The readable rows whose first byte, behind a quote, is one of these."""
    table = np.zeros(256, bool)
    table[[*signs]] = True
    data = np.frombuffer(records.data, np.uint8)
    starts = records.starts[records.reasons == Reason.READABLE]
    begins = data[starts]
    begins = np.where(begins == QUOTE, data[np.minimum(starts + 1, data.size - 1)], begins)
    return pl.Series(np.flatnonzero(table[begins]))


def _alike(column: pl.Series, name: str) -> pl.Series:
    """Cheap and not too narrow: the header's first name as it stands, in other capitals, with blanks around it."""
    likely = column == name
    for form in sorted({name.upper(), name.lower()} - {name}):
        likely |= column == form
    padded = column.str.contains(r"^[^!-~]|[^!-~]$").fill_null(value=False).arg_true()
    bared = column.gather(padded).str.strip_chars(BLANKS).str.to_lowercase() == name.lower()
    return likely.scatter(padded.filter(bared), values=True)


def _like_footer(texts: Mapping[str, pl.Series], names: Sequence[str]) -> pl.Series:
    """Rows of which only the first value is filled, and speaks of rows."""
    alone = texts[names[0]].str.len_bytes() >= 5
    for name in names[1:]:
        alone &= texts[name].str.len_bytes() == 0
        if not alone.any():
            return pl.Series([], dtype=pl.Int64)
    places = alone.arg_true()
    return places.filter(texts[names[0]].gather(places).str.contains(_SPEAKS))


def _like_total(records: Records, first: pl.Series) -> pl.Series:
    """Rows that begin with a word for totals, whatever else is in them."""
    likely = _beginning(records, b"TtGgSsRr \t")
    return likely.filter(first.gather(likely).str.contains(f"(?i)^\\s*{_TOTAL}\\s*$").fill_null(value=False))


def _is_header(values: Sequence[str], names: Sequence[str]) -> bool:
    return [bare_text(value).casefold() for value in values] == [name.casefold() for name in names]


def _is_ruler(values: Sequence[str], names: Sequence[str]) -> bool:  # noqa: ARG001
    """Nothing but lines, the first of them long or one in each of several columns: a lone `-` may be a value."""
    drawn = [value for value in values if value.strip()]
    long = RULER.fullmatch(values[0]) is not None
    in_each = len(drawn) == len(values) > 1
    lines = (RULER.fullmatch(value) or set(value.strip()) <= set(_LINES) for value in drawn)
    return (long or in_each) and all(lines)


def _is_footer(values: Sequence[str], names: Sequence[str]) -> bool:  # noqa: ARG001
    return bool(FOOTER.fullmatch(bare_text(values[0])))


def _is_total(values: Sequence[str], names: Sequence[str]) -> bool:  # noqa: ARG001
    """Totals, and nothing but numbers beside them: a record has a key."""
    others = [bare_text(value) for value in values[1:]]
    return bool(TOTAL.fullmatch(values[0])) and all(not text or _SUM.fullmatch(text) for text in others)


def unprotected(column: pl.Series) -> pl.Series:
    """Values without the ="…" that keeps Excel from making numbers of them."""
    return column.str.replace(r'(?s)^="(.*)"$', "$1")


def may_hold_nothing(data: bytes, read: ReadSpec, encoding: str) -> bool:
    """Whether bytes may hold a value that stands for nothing. Cheap; most files have none."""
    if read.null is None:
        hashes = b"#" in data
        likely = any(sign in data for sign in _SIGNS_OF_NOTHING if sign[0] != _HASH or hashes)
        return likely or any(data[at.start() - 1] not in _LETTERS for at in _NAN.finditer(data))
    # A quote inside a value stands twice in the bytes.
    return any('"' in word or bare_text(word).encode(encoding, "ignore") in data for word in read.null)


def without_nothing(frame: pl.DataFrame, columns: Sequence[str], read: ReadSpec, name: str) -> pl.DataFrame:
    """The texts that stand for nothing, as the spec says, are null; blanks around them do not matter.
    SourceError when such a text is there and the spec does not say what it means: a record's value must not be
    the word NULL by mistake."""
    words = NOTHING_WORDS if read.null is None else tuple({bare_text(word) for word in read.null} - {""})
    if not words or frame.is_empty():
        return frame
    hits = {column: _is_one(frame[column], words) for column in columns}
    hits = {column: rows for column, rows in hits.items() if rows.any()}
    if read.null is not None:
        return frame.with_columns(frame[column].set(rows, None) for column, rows in hits.items())
    for column, rows in hits.items():
        at = int(rows.arg_max() or 0)
        word, line = bare_text(str(frame[column][at])), frame["_line"][at]
        shown = word.replace("\\", "\\\\")
        hint = (
            f'say in its spec\'s [read] what stands for nothing: `null = ["{shown}"]`; or `null = []` if '
            "it is a value like others"
        )
        raise SourceError(name, f"has the text `{word}` in column {column}, line {line:,}", hint=hint)
    return frame


def _is_one(texts: pl.Series, words: Sequence[str]) -> pl.Series:
    """Whether each text, without blanks around it, is one of these words."""
    at = texts.str.contains_any(list(words)).fill_null(value=False).arg_true()
    found = at.filter(texts.gather(at).str.strip_chars(BLANKS).is_in(list(words)))
    return pl.Series(texts.name, [False]).new_from_index(0, texts.len()).scatter(found, values=True)
