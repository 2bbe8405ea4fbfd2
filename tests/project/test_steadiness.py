"""A query that gives other rows each time is refused; one that does not is let be."""

from __future__ import annotations

from pathlib import Path

import pytest

from casebridge.migrate.pipeline import check
from casebridge.project.steadiness import unsteady
from tests.staged import ONE_COLUMN, two_people

STEADY = [
    "SELECT * FROM t WHERE d < DATE '2026-04-01'",
    "SELECT * FROM t ORDER BY a, b LIMIT 10",
    "SELECT max(a), any_value(b), list(c) FROM t GROUP BY d",
    "SELECT string_agg(a, ',' ORDER BY b) FROM t",
    "SELECT row_number() OVER (PARTITION BY a ORDER BY b), sum(c) OVER (PARTITION BY a) FROM t",
    "SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, b",
    "SELECT age(DATE '2026-04-01', d), year(d), date_trunc('year', d) FROM t",
    "SELECT a AS now, t.random, 'now()' FROM t -- now()",
    "SELECT rank() OVER (ORDER BY a) FROM t QUALIFY row_number() OVER (ORDER BY a) = 1",
]
LIMIT = "has a LIMIT without an ORDER BY beside it"
UNSTEADY = [
    ("SELECT now() FROM t", "asks the clock: now"),
    ("SELECT current_date FROM t", "asks the clock: current_date"),
    ("SELECT * FROM t WHERE d < CURRENT_TIMESTAMP", "asks the clock: current_timestamp"),
    ("SELECT age(d) FROM t", "asks the clock: age"),
    ("SELECT * FROM (SELECT today() AS d) x, t", "asks the clock: today"),
    ("SELECT RANDOM() FROM t", "asks chance: random"),
    ("SELECT a FROM t ORDER BY uuid()", "asks chance: uuid"),
    ("SELECT current_setting('threads') FROM t", "asks the session: current_setting"),
    ("SELECT * FROM t LIMIT 5", LIMIT),
    ("SELECT * FROM t OFFSET 5", LIMIT),
    ("SELECT * FROM t WHERE a IN (SELECT a FROM u LIMIT 10 PERCENT)", LIMIT),
    (
        "WITH x AS (SELECT * FROM t LIMIT 5) SELECT * FROM x ORDER BY a",
        "has a LIMIT without an ORDER BY beside it",
    ),
    ("SELECT * FROM (SELECT * FROM t ORDER BY a) LIMIT 5", LIMIT),
    ("SELECT a FROM t UNION ALL SELECT a FROM u LIMIT 5", LIMIT),
    ("SELECT * FROM t USING SAMPLE 10%", "takes a sample of rows"),
    ("SELECT * FROM t TABLESAMPLE 5", "takes a sample of rows"),
    ("SELECT row_number() OVER () FROM t", "calls row_number without an order"),
    ("SELECT lag(a) OVER (PARTITION BY b) FROM t", "calls lag without an order"),
    ("SELECT first(a) FROM t GROUP BY b", "calls first without an order"),
    ("SELECT string_agg(a, ',') FROM t GROUP BY b", "calls string_agg without an order"),
    ("SELECT DISTINCT ON (a) a, b FROM t", "has a DISTINCT ON without an ORDER BY beside it"),
]


@pytest.mark.parametrize("sql", STEADY)
def test_a_query_that_gives_the_same_each_time_is_let_be(sql: str) -> None:
    assert unsteady(sql) == []


@pytest.mark.parametrize(("sql", "why"), UNSTEADY)
def test_a_query_that_gives_other_rows_each_time_is_named(sql: str, why: str) -> None:
    assert [what for what, _ in unsteady(sql)] == [why]


def test_check_refuses_it_in_specs_and_in_linkage(tmp_path: Path) -> None:
    """What pairs are made of, too; what reviewers are only shown may depend on the day."""
    spec = ONE_COLUMN.replace(
        'source = "PERSON"', 'source = "SELECT *, now() AS AT FROM PERSON LIMIT 1"\nconsumes = ["PERSON"]'
    )
    folder = two_people(tmp_path, spec)
    clock, some = sorted(line for line in check(folder) if "gives other rows each time" in line)
    assert "tables/persons.toml: table.source" in clock
    assert "it asks the clock: now (write the day as a constant, such as DATE '2026-04-01')" in clock
    assert f"it {LIMIT} (say which rows come first" in some
    two_people(tmp_path)
    (tmp_path / "linkage.toml").write_text(
        '[register]\ntables = ["persons"]\nquery = "SELECT _key AS id, name FROM persons USING SAMPLE 5"\n'
        '[fields]\nsurname = "name"\n'
        '[evidence]\nflags = "SELECT _key AS id, now()::VARCHAR AS flag FROM persons"\n'
    )
    (told,) = check(folder)
    assert told.startswith("linkage.toml: register.query: gives other rows each time: it takes a sample")
