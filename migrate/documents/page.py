"""Templates of pages that are opened from a file, and how they show numbers."""

from __future__ import annotations

import functools
from pathlib import Path

import jinja2

from casebridge.migrate.profiling.keys import words_of
from casebridge.project.errors import counted


@functools.cache
def template(name: str) -> jinja2.Template:
    """A page's template, compiled once a process."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(count=count, counted=counted, share=share, words=_spaced)
    return environment.get_template(name)


def _spaced(name: str) -> str:
    """The words of a name apart, to be found by."""
    return " ".join(words_of(name))


def count(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}"


def share(part: int, whole: int) -> str:
    """A share in per cent; never 0 or 100 where it is not."""
    if not whole:
        return "-"
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %" if percent not in {0, 100} else f"{percent:.0f} %"
