"""Everything that can go wrong, worded in one place.

    CasebridgeError                 exit 1   what happened, where; hint: what to do next
    ├─ SpecError                    exit 2   a file of the project is wrong; all its problems at once
    ├─ SourceError                  exit 3   the dump cannot be read as the specs say
    ├─ TargetError                  exit 3   the target database refuses; retryable or not
    ├─ BalanceError                 exit 4   rows read and rows accounted for differ
    ├─ ReviewNeeded                 exit 5   undecided pairs hold this load
    ├─ ReconciliationFailed         exit 6   the books do not balance; path of the report
    └─ LimitExceeded                exit 7   more stays behind than was agreed; a named person must accept it

Messages name files, tables, columns and row keys, never a person's data.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_SHOWN = 200
"""Problems that one message lists; more would bury the first ones."""
_CONTROLS = {"Cc", "Cf", "Cs", "Zl", "Zp"}


class CasebridgeError(Exception):
    """Anything of ours that a caller may want to catch."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Problem:
    """One mistake in one file: where it stands (`columns.nhs_id.steps`) and what is wrong with it."""

    file: str
    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}: {self.where}" if self.where else self.file
        return f"{place}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class SpecError(CasebridgeError):
    """A project file is wrong. `problems` lists every mistake found, not the first one."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = counted(len(self.problems), "problem")
        lines = "\n".join(f"  {problem}" for problem in self.problems[:MOST_SHOWN])
        if len(self.problems) > MOST_SHOWN:
            lines += f"\n  … and {len(self.problems) - MOST_SHOWN:,} more"
        super().__init__(
            f"{count} in the project's files:\n{lines}",
            hint="mend these and run the same command again; what was finished before stays done",
        )


class SourceError(CasebridgeError):
    """The dump cannot be read as the specs describe it; nothing of it was taken in. `lost`: nor can anything else,
    for its database is no longer there to ask."""

    exit_code = 3

    def __init__(self, file: str | Path, what: str, *, hint: str, lost: bool = False) -> None:
        self.file, self.lost = str(file), lost
        super().__init__(f"{self.file}: {what}", hint=hint)


class TargetError(CasebridgeError):
    """The target database refuses or cannot be reached."""

    exit_code = 3

    def __init__(self, target: str, what: str, *, hint: str, statement: str = "", retryable: bool = False):
        self.target, self.statement, self.retryable = target, statement, retryable
        self.reason = what
        shown = f"\n  statement: {statement}" if statement else ""
        super().__init__(f"target {target}: {what}{shown}", hint=hint)


class BalanceError(CasebridgeError):
    """A stage read more or fewer rows than it can account for: a bug, or a file changed under us."""

    exit_code = 4

    def __init__(self, where: str, read: int, accounted: int) -> None:
        self.where, self.read, self.accounted = where, read, accounted
        super().__init__(
            f"{where}: read {read:,} rows, accounted for {accounted:,}",
            hint="nothing of this batch was kept; run the stage again, and report it if it comes back",
        )


class ReviewNeeded(CasebridgeError):
    """Undecided pairs hold a cut-over load."""

    exit_code = 5

    def __init__(self, undecided: int, allowed: int) -> None:
        self.undecided, self.allowed = undecided, allowed
        super().__init__(
            f"{counted(undecided, 'pair')} of records undecided; this run may leave {allowed:,}",
            hint="decide them (`casebridge decide FILE.csv`), or say how many may stay apart "
            "with `--leave-undecided N`",
        )


class ReconciliationFailed(CasebridgeError):
    """The books do not balance. The report says which checks failed and where the evidence lies."""

    exit_code = 6

    def __init__(self, failed: Sequence[str], report: Path) -> None:
        self.failed, self.report = tuple(failed), report
        super().__init__(
            f"{counted(len(self.failed), 'reconciliation check')} failed: {', '.join(self.failed[:5])}",
            hint=f"open {report} and look at what is marked in red; do not sign this run. {self._way_out()}",
        )

    def _way_out(self) -> str:
        """Who has to mend it: a target that others wrote to, files that were changed, or a spec."""
        if _CHANGED_FILES.intersection(self.failed):
            return "Files in work/ are not what was written: restore them, or run again into an empty database"
        if _CHANGED_TARGET.intersection(self.failed):
            return (
                "The target does not hold what was written: a trigger or a rule of its own changed it, or "
                "somebody by hand. Mend that, and run again into an empty database"
            )
        return "The target holds what was loaded: look at the specs and code lists named there, and run again"


_CHANGED_FILES = frozenset({"files_unchanged", "extracted_once", "lineage_known"})
_CHANGED_TARGET = frozenset(
    {"target_explained", "all_written", "keys_unique", "references_resolve", "contents_equal", "merges_done",
     "crosswalk_leads"}
)  # fmt: skip


@dataclass(frozen=True)
class Excess:
    """A share of a spec's rows that is above its limit. `kind`: rejected, held or set_aside."""

    name: str
    kind: str
    rows: int
    asked: int
    limit: float

    @property
    def share(self) -> float:
        """The share itself, from 0 to 1."""
        return self.rows / self.asked

    def __str__(self) -> str:
        what = {"set_aside": "have values set aside"}.get(self.kind, f"are {self.kind}")
        shares = f"{_percent(self.share)}, agreed {_percent(self.limit)}"
        return f"{self.name}: {self.rows:,} of {self.asked:,} rows {what} ({shares})"


class LimitExceeded(CasebridgeError):
    """More rows stay behind, or lose values, than was agreed before the run."""

    exit_code = 7

    def __init__(self, run: str, excesses: Sequence[Excess], report: Path | None = None) -> None:
        self.excesses = tuple(excesses)
        lines = "".join(f"\n  {excess}" for excess in self.excesses)
        where = f"open {report}" if report else "`casebridge status` shows each table; nothing was loaded"
        super().__init__(
            f"{counted(len(self.excesses), 'limit')} passed in run {run}:{lines}",
            hint=f"{where}. Mend the specs or the data and run again; or a named person accepts it: "
            f'`casebridge accept {run} --by NAME --reason "…"`, and the same command goes on',
        )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def printable(text: str) -> str:
    """A text as it may come to a terminal: control and escape characters, and marks that turn the direction of
    writing, are spelt out."""
    return "".join(c if c == "\n" or unicodedata.category(c) not in _CONTROLS else repr(c)[1:-1] for c in text)


def counted(number: int, noun: str) -> str:
    """A number with its noun, in the plural when it must be."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion for a mistyped name, or the known names when they are few, or nothing."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if not close:
        folded = {name.casefold(): name for name in names}
        match = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
        close = [folded[match[0]]] if match else []
    if close:
        return f"did you mean `{close[0]}`?"
    return f"known: {', '.join(names)}" if 0 < len(names) <= 12 else ""
