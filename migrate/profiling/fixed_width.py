"""Files of fixed width: where their columns seem to begin. Nobody can be sure, so it is told and not done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from casebridge.project.errors import SourceError

_HEAD, _FEWEST, _MOST_COLUMNS = 1 << 18, 5, 60
_ALWAYS, _OFTEN = 0.95, 0.3
_DELIMITERS = (b",", b";", b"|", b"\t")
_HINT = "a file of fixed width needs its columns' widths, in a spec"


@contextmanager
def told_if_fixed_width(path: Path, name: str) -> Iterator[None]:
    """What has no delimiters, cannot be read, and has lines of one length, is told to be of fixed width."""
    try:
        yield
    except SourceError:
        begins, length = columns_begin(path)
        if begins:
            raise SourceError(name, _said(begins, length), hint=_HINT) from None
        raise


def _said(begins: list[int], length: int) -> str:
    sizes = [after - before for before, after in pairwise([*begins, length])]
    widths = ", ".join(f"C{number} = {size}" for number, size in enumerate(sizes, start=1))
    return (
        f"looks like fixed width: its lines have {length} characters, and columns seem to begin at "
        f"{', '.join(str(begin + 1) for begin in begins)}. Look at them, and write in its spec's [read]: "
        f'format = "fixed", widths = {{ {widths} }}, with their own names'
    )


def columns_begin(path: Path) -> tuple[list[int], int]:
    """The places at which columns seem to begin, from 0, and the length of lines in bytes; none where lines differ
    in length or have delimiters, or nothing shows where a column ends.

    A column begins behind a place that is nearly always blank, where something often stands; and where two
    digits in every line are followed by a letter in every line.
    """
    with path.open("rb") as file:
        lines = [line for line in file.read(_HEAD).replace(b"\r", b"").split(b"\n")[:-1] if line.strip()]
    if len(lines) < _FEWEST:
        return [], 0
    length, those = Counter(map(len, lines)).most_common(1)[0]
    if those < _ALWAYS * len(lines) or length < _FEWEST or _delimited(lines):
        return [], 0
    signs = np.frombuffer(b"".join(line for line in lines if len(line) == length), np.uint8).reshape(-1, length)
    blank, digit, letter = _share(signs == 0x20), _share(_digits(signs)), _share(_letters(signs))
    begins = [0]
    for at in range(1, length):
        after_blank = blank[at - 1] >= _ALWAYS and blank[at - 1] - blank[at] >= _OFTEN
        after_digits = letter[at] >= _ALWAYS and digit[max(0, at - 2) : at].min() >= _ALWAYS and at >= 2
        if after_blank or after_digits:
            begins.append(at)
    return (begins, length) if 1 < len(begins) <= _MOST_COLUMNS else ([], 0)


def _delimited(lines: list[bytes]) -> bool:
    """Whether nearly all lines have a delimiter equally often: then what is wrong is another thing."""
    for sign in _DELIMITERS:
        often, those = Counter(line.count(sign) for line in lines).most_common(1)[0]
        if often and those >= _ALWAYS * len(lines):
            return True
    return False


def _share(of: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    return np.asarray(of.mean(axis=0))


def _digits(signs: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    return np.asarray((signs >= ord("0")) & (signs <= ord("9")))


def _letters(signs: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    small = signs | 0x20
    return np.asarray((small >= ord("a")) & (small <= ord("z")))
