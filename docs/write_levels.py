"""Writes docs/level-probabilities.md: every starting chance of every level, and where it comes from.

Run it after changing a level: `make glossary`. A test holds that the page is what this gives.
"""

from __future__ import annotations

from pathlib import Path

from casebridge.dedupe.linkage.kinds.address import ADDRESS
from casebridge.dedupe.linkage.kinds.organisation import ORGANISATION
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.kinds.professional import PROFESSIONAL
from casebridge.dedupe.linkage.kinds.sources import SHARES, SOURCES, level_tables
from casebridge.dedupe.linkage.model.mixture import PRIOR_CHANCE, PRIOR_LUCKY, PRIOR_MEASURED, PRIOR_PEOPLE

PAGE = Path(__file__).parent / "level-probabilities.md"
WEIGHTS = {"people": PRIOR_PEOPLE, "lucky": PRIOR_LUCKY, "measured": PRIOR_MEASURED, "chance": PRIOR_CHANCE}
OPENING = """# What levels start from

Written by `make glossary` from `dedupe/linkage/kinds/sources.py`. A level is one answer a comparison can give; its
row says how often it is expected in pairs of each relation before any data are seen. The fit moves it: a start
weighs as {people:.0f} pairs, where two of a home agree by luck as {lucky:.0f}, what is measured in random pairs
of the register as {measured:.0f}, and where a rule demands the agreement as {chance:.0f}. "Held" is what data
cannot move. "Belief" says that no published figure was found; how much hangs on one stands in
[linkage-figures.md](linkage-figures.md#what-hangs-on-the-starts).
""".format(**WEIGHTS)


OF_OTHERS = {"organisations": ORGANISATION, "uk_addresses": ADDRESS, "uk_doors": ADDRESS, "staff": PROFESSIONAL}
"""The kind of each module of levels, but for people's."""


def page() -> str:
    """The whole page."""
    return f"{OPENING}\n{SHARES}.\n" + "".join(_section(name) for name in SOURCES)


def _section(name: str) -> str:
    levels = level_tables()[name]
    kind = OF_OTHERS.get(name.split(".", maxsplit=1)[0], PERSON)
    profiles = [profile.name for profile in kind.profiles]
    head = f"| level | {' | '.join(profiles)} |\n|{'---|' * (len(profiles) + 1)}\n"
    rows = "".join(f"| {one.label} | {' | '.join(f'{start:.6g}' for start in one.start)} |\n" for one in levels)
    return f"\n## {name}\n\n{SOURCES[name]}.\n\n{head}{rows}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
