"""One person, one record: linkage proposes, people decide, the crosswalk remembers."""

from dedupe.stage import run, undecided_pairs

__all__ = ["run", "undecided_pairs"]
