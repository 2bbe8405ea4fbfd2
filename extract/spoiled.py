"""What shows that values were spoiled before they came into a text file: counted on the way, and noted.

Such values are read as they stand. Nobody here can tell what was there before; the exporter can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from casebridge.project.errors import counted

_LOST = "\ufffd".encode()
_TWICE = ("\u00c3\u00a0".encode()[:-1], "\u00e2\u20ac".encode())
"""How letters with accents, and quotes and dashes, begin that were put into UTF-8 twice."""
_PROTECTED = re.compile(rb'="{1,2}[^"\r\n]*"')
_SIGNS_OF_DOS = (b"\x82", b"\x84", b"\x86", b"\x87", b"\x88", b"\x89", b"\x8b")
_OF_DOS = re.compile(rb"[A-Za-z][\x82\x84\x86-\x89\x8b]")
"""é, ä, å, ç, ê, ë, ï of code page 850 behind a letter: in Windows-1252 low quotes, daggers, a circumflex and the
like, which stand behind no letter."""
_IN_UTF8 = re.compile(rb"\xc3[\x80-\xbf]|\xe2\x80[\x90-\xbf]")
"""Letters with accents, quotes and dashes of UTF-8. In Windows-1252 these are a letter and a sign behind it."""
_BEYOND = bytes(range(128, 256))


@dataclass
class Spoiled:
    """How many values of a file show that they were spoiled before they came into it."""

    lost: int = 0
    twice: int = 0
    of_dos: int = 0
    in_utf8: int = 0
    cut: int = 0
    marked: int = 0
    protected: int = 0
    behind_blank: int = 0

    def take(self, block: bytes, encoding: str, delimiter: bytes) -> None:
        """Count a block of whole lines. delimiter: empty where lines have none.

        Large files go through here: one byte is looked for before two, and two before a pattern.
        """
        if encoding == "utf-8" and not block.isascii():
            self.lost += block.count(_LOST)
            self.twice += sum(map(block.count, _TWICE))
        if encoding in {"cp1252", "latin-1"} and not block.isascii():
            if any(sign in block for sign in _SIGNS_OF_DOS):
                self.of_dos += len(_OF_DOS.findall(block))
            if b"\xc3" in block or b"\xe2" in block:
                self.in_utf8 += len(_IN_UTF8.findall(block))
        if delimiter and b"'" in block:
            self.marked += len(_marked(delimiter).findall(block))
        if b"+" in block and b"E+" in block:
            self.cut += len(_shortened(delimiter).findall(block))
        if b"=" in block and b'="' in block:
            self.protected += len(_PROTECTED.findall(block))
        if delimiter and b'"' in block and delimiter + b' "' in block:
            self.behind_blank += len(_quoted_behind_blank(delimiter).findall(block))

    def notes(self) -> Iterator[str]:
        """What was found, in words; no value among them."""
        if self.protected:
            yield f'{self.protected:,} of its values are written as ="…" and read without that'
        if self.lost:
            lost = counted(self.lost, "letter")
            yield f"{lost} lost before it was written: U+FFFD stands there; ask the exporter"
        if self.twice:
            yield (
                f"{counted(self.twice, 'letter')} written as if UTF-8 had been taken for Windows-1252 before it "
                "became this file; ask the exporter"
            )
        if self.of_dos:
            yield (
                f"{counted(self.of_dos, 'sign')} behind letters where Windows-1252 has none: probably letters "
                'with accents of DOS; if so, set `encoding = "cp850"`'
            )
        if self.in_utf8:
            yield (
                f"{counted(self.in_utf8, 'letter')} written in UTF-8, though the file is not: lines of two "
                "exports; ask the exporter for one encoding"
            )
        if self.marked:
            yield (
                f"{counted(self.marked, 'value')} of digits behind an apostrophe, as spreadsheets mark texts: it "
                "is read as part of the value; the step `replace:'=>` takes it away"
            )
        if self.cut:
            yield (
                f"{counted(self.cut, 'value')} written like 1.23457E+11, as spreadsheets shorten long numbers: "
                "their last digits are lost; ask the exporter for them as text"
            )
        if self.behind_blank:
            yield (
                f"{counted(self.behind_blank, 'value')} in quotes behind a blank: such quotes are read as part of "
                "the value; ask the exporter to write no blank before a quote"
            )


@cache
def _marked(delimiter: bytes) -> re.Pattern[bytes]:
    """A field of digits behind an apostrophe, with which the pattern begins: there is one in many names."""
    sign = re.escape(delimiter)
    return re.compile(b"'(?:(?<=" + sign + rb"')|(?<=\n'))[0-9]+(?=" + sign + rb"|[\r\n])")


@cache
def _shortened(delimiter: bytes) -> re.Pattern[bytes]:
    """A field as spreadsheets show whole numbers of twelve digits or more, of which they then write six."""
    sign = re.escape(delimiter or b" ")
    number = rb"-?[0-9](?:\.[0-9]+)?E\+(?:1[1-9]|[2-9][0-9])"
    return re.compile(rb'(?m)(?:^|(?<=")|(?<=' + sign + b"))" + number + rb'(?="|[\r\n]|' + sign + rb"|\Z)")


def looks_like_dos(text: bytes) -> bool:
    """Whether most bytes beyond ASCII are letters with accents of code page 850."""
    beyond = len(text) - len(text.translate(None, _BEYOND))
    return 0 < beyond < 2 * len(_OF_DOS.findall(text))


@cache
def _quoted_behind_blank(delimiter: bytes) -> re.Pattern[bytes]:
    """A whole field in quotes with a blank before them; inside a quoted value quotes stand twice."""
    sign = re.escape(delimiter)
    return re.compile(sign + rb' +"[^"\r\n]+" *(?=' + sign + rb"|[\r\n])")
