"""Servers take so many values in one list, and no more."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import oracle

from casebridge.project.in_lists import among


@pytest.mark.parametrize(("many", "lists"), [(0, 0), (1, 1), (1000, 1), (1001, 2), (5000, 5)])
def test_a_condition_over_many_values_is_right_and_has_no_list_that_oracle_refuses(many: int, lists: int) -> None:
    condition = among(sa.column("id", sa.Integer), range(1, many + 1))
    text = str(condition.compile(dialect=oracle.dialect(), compile_kwargs={"literal_binds": True}))
    found = [len(one.split(",")) for one in re.findall(r"IN \(([\d, ]+)\)", text)]
    assert (len(found), sum(found), max(found, default=0) <= 1000) == (lists, many, True)
    rows = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 6000) SELECT id FROM n"
    numbers = sa.text(rows).columns(sa.column("id")).subquery()
    with sa.create_engine("sqlite://").connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(numbers).where(condition)) == many
