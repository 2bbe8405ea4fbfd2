"""What stops a night before anything is kept of it: the register is not the one that it was."""

from __future__ import annotations

from collections.abc import Sequence

from casebridge.dedupe.linkage.kinds.registry import KINDS
from casebridge.dedupe.scan.config import ScanConfig
from casebridge.dedupe.scan.kept_rows import KeptRows
from casebridge.dedupe.scan.people import Moved
from casebridge.project.errors import SourceError
from casebridge.project.snapshot import Snapshot

FEW, KEPT = 20, 0.8
"""Of so many records at least this share is there the next night, or it is another register."""
_UNCHANGED = "nothing was changed"


def check_tables(snapshot: Snapshot, config: ScanConfig, where: str) -> None:
    """SourceError names the tables and columns that are not there. where: the database, as it may be shown."""
    gone = [table.name for table in config.tables if not snapshot.has(table.name)]
    there = (table for table in config.tables if table.name not in gone)
    told = [f"has no table {', '.join(gone)}"] if gone else []
    told += [why for table in there if (why := lacking(snapshot, table.name, table.wanted))]
    if told:
        hint = f"mend {config.at('tables')} in linkage.toml (`casebridge check` lists what does not fit)"
        raise SourceError(where, "; ".join(told), hint=f"{hint}; {_UNCHANGED}")


def lacking(snapshot: Snapshot, name: str, wanted: Sequence[str]) -> str:
    """What the register lacks of a table, in words; empty where all is there. Capitals count for nothing."""
    if not snapshot.has(name):
        return f"there is no table {name}"
    there = {column.casefold() for column in snapshot.columns(name)}
    gone = [column for column in wanted if column.casefold() not in there]
    return f"{name} has no column {', '.join(gone)}" if gone else ""


def check_keys(before: KeptRows | None, moved: Moved, kind: str, where: str) -> None:
    """SourceError where many of the records that were there are gone: then everybody else would be new, and what
    was decided would be of nobody. before: as they stood; None where nothing is known of them."""
    if before is None:
        return
    whole = (before.select("id"), moved.register.select("id"))
    then, now = whole if moved.again else (moved.then.select("id"), moved.now.select("id"))
    gone = then.join(now, on="id", how="anti").height
    if gone > FEW * (1 - KEPT) and gone > (known := before.height) * (1 - KEPT) and known >= FEW:
        many, stay = KINDS[kind].many, known - gone
        what = f"of {known:,} {many} that the last scan knew {stay:,} are there still: is it all, and are its keys"
        hint = "where it was replaced, `casebridge scan --replaced` takes it as it is now"
        raise SourceError(where, f"{what} what they were?", hint=f"{hint}; {_UNCHANGED}")
