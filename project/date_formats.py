"""How a spec may name the format of a column's dates: `%d/%m/%Y`, or `dd/mm/yyyy`."""

from __future__ import annotations

import re

_DAY, _MONTH, _NAME, _YEAR = "(?<d>[0-9]{1,2})", "(?<m>[0-9]{1,2})", "(?<m>[A-Za-z]{3,12})", "(?<y>[0-9]{4})"
_SHORT_YEAR = "(?<y>[0-9]{2})"
_HOUR, _MINUTE, _SECOND = "(?<h>[0-9]{1,2})", "(?<min>[0-9]{2})", "(?<s>[0-9]{2})"
_FRACTION, _HALF = "(?<f>[0-9]{1,9})", r"(?<p>[AaPp]\.?[Mm]\.?)"
_OFFSET = "(?<z>[Zz]|[-+][0-9]{2}:?[0-9]{2})"

_SIGNS = {
    "%d": _DAY, "%e": " ?" + _DAY, "%m": _MONTH, "%b": _NAME, "%B": _NAME, "%Y": _YEAR, "%y": _SHORT_YEAR,
    "%H": _HOUR, "%I": _HOUR, "%M": _MINUTE, "%S": _SECOND, "%f": _FRACTION, "%p": _HALF, "%z": _OFFSET,
}  # fmt: skip
_WORDS = {
    "yyyy": _YEAR, "yy": _SHORT_YEAR, "month": _NAME, "mon": _NAME, "mmm": _NAME, "mm": _MONTH, "m": _MONTH,
    "dd": _DAY, "d": _DAY, "hh24": _HOUR, "hh12": _HOUR, "hh": _HOUR, "mi": _MINUTE, "ss": _SECOND,
    "ff": _FRACTION, "am": _HALF, "pm": _HALF,
}  # fmt: skip
_TOKEN = re.compile("|".join([*_SIGNS, *sorted(_WORDS, key=len, reverse=True)]), re.IGNORECASE)


def format_pattern(text: str) -> str | None:
    """A format as a regular expression with the groups d, m, y, h, min, s, f, p, z; None when it is no format:
    it must name a day, a month and a year once each, and nothing that is not known here."""
    signs = "%" in text
    pattern, at, seen, packed = "", 0, list[str](), False
    for match in _TOKEN.finditer(text):
        word = match[0] if signs else match[0].lower()
        if signs != word.startswith("%"):
            continue
        between = text[at : match.start()]
        if re.search("[A-SU-Za-su-z%]", between):
            return None
        part = _SIGNS.get(word) if signs else _WORDS[word]
        if part is None:
            return None
        if word == "mm" and "h" in seen and "m" in seen:
            part = _MINUTE
        (group,) = re.findall(r"\(\?<(\w+)>", part)
        seen.append(group)
        packed |= bool(pattern) and not between
        pattern += re.escape(between.upper()) + part
        at = match.end()
    rest = text[at:]
    if re.search("[A-Za-z%]", rest) or len(set(seen)) < len(seen) or not {"d", "m", "y"} <= set(seen):
        return None
    # Without a sign between them, a day of one digit could be the end of its month.
    pattern = pattern.replace("{1,2}", "{2}") if packed else pattern
    return f"^{pattern}{re.escape(rest)}$"
