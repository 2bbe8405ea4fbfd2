"""One legacy table on its way to disk: its columns as text, and what will become of each row.

A row carries at most one defect that decides its place, so that the first cause is never in doubt.
"""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from casebridge.synthetic.formats import overwrite
from casebridge.synthetic.names import Ints
from casebridge.synthetic.verdicts import Mask, Verdicts


@dataclass(slots=True)
class Sheet:
    source: str
    columns: dict[str, pl.Series]
    key: tuple[str, ...]
    rng: np.random.Generator
    soft: str  # the column that a torn line, a NUL or a stray byte lands in
    free: tuple[str, ...] = ()  # columns that may hold commas, quotes and newlines
    least: int = 0  # defects of each kind a chunk must show, however small the council
    verdict: Verdicts = field(init=False)
    touched: Mask = field(init=False)
    values: list[tuple[str, str, Ints]] = field(default_factory=list)
    repaired: dict[str, pl.Series] = field(default_factory=dict)  # how these columns must arrive

    def __post_init__(self) -> None:
        self.verdict = np.zeros(len(self), dtype=np.uint8)
        self.touched = np.zeros(len(self), dtype=np.bool_)

    def __len__(self) -> int:
        return len(self.columns[self.key[0]])

    def pick(self, rate: float, among: Mask | None = None) -> Ints:
        """Rows for one more defect: about `rate` of the table, never a row that has one already."""
        free = np.flatnonzero(~self.touched if among is None else among & ~self.touched)
        wanted = min(len(free), max(self.least, self.rng.poisson(rate * len(self))))
        rows = np.sort(self.rng.choice(free, wanted, replace=False)) if wanted else free[:0]
        self.touched[rows] = True
        return rows

    def spoil(self, rows: Ints, column: str, texts: list[str] | pl.Series) -> None:
        self.columns[column] = overwrite(self.columns[column], rows, texts)

    def reject(self, rows: Ints, verdict: int) -> None:
        self.verdict[rows] = verdict
        self.touched[rows] = True

    def set_aside(self, rows: Ints, column: str, rule: str) -> None:
        """The value is put beside, the row travels on."""
        self.values.append((column, rule, rows))

    def drawn(self, rows: Ints, texts: tuple[str, ...]) -> list[str]:
        return [texts[at] for at in self.rng.integers(0, len(texts), len(rows))]


@dataclass(slots=True)
class Page:
    """The rows of one chunk in file order: `row` says which row of the sheet a line came from."""

    frame: pl.DataFrame
    row: Ints
    again: Mask  # a second row with a key that already stands above
    unread: Verdicts
    torn: Mask  # cut in two by a stray line end: two unreadable lines
