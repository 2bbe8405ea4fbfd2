"""One person, one record: linkage proposes, people decide, the crosswalk remembers."""

from dedupe.stage import known_records, run, undecided

__all__ = ["known_records", "run", "undecided"]
