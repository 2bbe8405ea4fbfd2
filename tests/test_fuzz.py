"""The properties that `make fuzz` tries for an hour, on a few examples each."""

import pytest

from tests.fuzz import PROPERTIES, Property
from tests.fuzz.__main__ import tried

FEW = {
    "a_changed_project_is_taken_or_refused": 4, "what_is_loaded_is_the_truth": 3,
    "every_row_has_the_place_that_the_documents_say": 2,
}  # fmt: skip


@pytest.mark.parametrize("holds", PROPERTIES, ids=lambda holds: holds.__name__)
def test_it_holds(holds: Property) -> None:
    tried(holds, 20261128, FEW.get(holds.__name__, 20))
