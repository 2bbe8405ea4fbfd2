"""One person, one record: linkage proposes, people decide, the crosswalk remembers."""

from casebridge.dedupe.stage import known_records, run, undecided

__all__ = ["known_records", "run", "undecided"]
