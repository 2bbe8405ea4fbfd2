"""The properties that `make fuzz` tries for an hour, on a few examples each."""

import pytest

from tests.fuzz import PROPERTIES, Property
from tests.fuzz.__main__ import tried
from tests.fuzz.places import Rules, places_are_right

FEW = {
    "a_changed_project_is_taken_or_refused": 4, "what_is_loaded_is_the_truth": 3,
    "every_row_has_the_place_that_the_documents_say": 2,
}  # fmt: skip


@pytest.mark.parametrize("holds", PROPERTIES, ids=lambda holds: holds.__name__)
def test_it_holds(holds: Property) -> None:
    tried(holds, 20261128, FEW.get(holds.__name__, 20))


def test_the_first_row_of_a_doubled_key_says_where_its_children_stay() -> None:
    """It is held in the load, for its parent is; the second was rejected before that, and is nobody's parent."""
    dump = {
        "PARENT": [("3", "Ann", "A"), ("1", "Bob", "B")],
        "CHILD": [("3", "1", ""), ("3", "3", ""), ("4", "3", "")],
        "LEAF": [("5", "3", "5"), ("6", "4", "")],
    }
    places_are_right(Rules("reject", child=True, leaf=True), 1000, [dump])
