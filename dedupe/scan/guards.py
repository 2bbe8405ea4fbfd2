"""What stops a night before anything is kept of it: the register is not the one that it was."""

from __future__ import annotations

from casebridge.dedupe.linkage.kinds.registry import KINDS
from casebridge.dedupe.scan.config import ScanConfig
from casebridge.dedupe.scan.kept_rows import KeptRows
from casebridge.dedupe.scan.people import Moved
from casebridge.project.errors import SourceError
from casebridge.project.snapshot import Snapshot

FEW, KEPT = 20, 0.5
"""Of so many records at least this share is there the next night, or it is another register."""
_UNCHANGED = "nothing was changed"


def check_tables(snapshot: Snapshot, config: ScanConfig, where: str) -> None:
    """SourceError names the tables that are not there. where: the database, as it may be shown."""
    there = {name.casefold() for name in snapshot.names()}
    names = [table.name for table in config.tables]
    gone = [name for name in names if "." not in name and name.casefold() not in there]
    if gone:
        hint = f"mend {config.at('tables')} in linkage.toml (`casebridge check` lists what does not fit)"
        raise SourceError(where, f"has no table {', '.join(gone)}", hint=f"{hint}; {_UNCHANGED}")


def check_keys(before: KeptRows | None, moved: Moved, kind: str, where: str) -> None:
    """SourceError where most of the records that were there are gone: then everybody else would be new, and what
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
