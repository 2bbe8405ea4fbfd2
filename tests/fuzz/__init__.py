"""Properties that hold whatever comes in, tried for an hour by `make fuzz` and for a moment by the suite.

Each takes what hypothesis draws for it. A new one is a function here and its place in `PROPERTIES`.
"""

from collections.abc import Callable

from hypothesis import strategies as st

from tests.fuzz.places import every_row_has_the_place_that_the_documents_say
from tests.fuzz.projects import what_is_loaded_is_the_truth
from tests.fuzz.readings import (
    bytes_are_accounted_for,
    days_are_read_alike,
    numbers_are_read_alike,
    steps_and_checks_end,
)
from tests.fuzz.specs import a_changed_project_is_taken_or_refused

Property = Callable[[st.DataObject], None]
PROPERTIES: tuple[Property, ...] = (
    numbers_are_read_alike,
    days_are_read_alike,
    steps_and_checks_end,
    bytes_are_accounted_for,
    a_changed_project_is_taken_or_refused,
    what_is_loaded_is_the_truth,
    every_row_has_the_place_that_the_documents_say,
)
