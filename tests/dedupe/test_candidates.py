"""What linkage is given of a run, when it links again, and what it leaves on record."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import polars as pl
import pytest

from casebridge import transform
from casebridge.dedupe.candidates import (
    ask_evidence,
    batch_name,
    candidate_pairs,
    decided,
    linkage_inputs,
    read_register,
    reads,
    try_queries,
)
from casebridge.dedupe.config import LinkageConfig
from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import Fields
from casebridge.dedupe.register_queries import ask, words_column
from casebridge.dedupe.review.decisions import Ruling, decision
from casebridge.project.errors import CasebridgeError, SpecError
from casebridge.project.job import Job, Silent
from tests.staged import PERSONS, extracted, job_of, lay_out

VISITS = PERSONS.replace('"PERSON"', '"VISIT"') + '[evidence.seen]\nfrom = "REF"\n'
SPECS = {"persons": PERSONS, "visits": VISITS, "others": PERSONS.replace('"PERSON"', '"OTHER"')}
COLUMNS = ("NO", "NAME", "DOB", "REF")
RELATED = "SELECT a._key AS left_id, b._key AS right_id FROM persons a JOIN persons b ON b.reference = a._key"
TEAMS = (
    "SELECT _key AS id, 7 AS team, last_name AS more FROM others UNION ALL SELECT _key, NULL, NULL FROM persons"
)
CONFIG = LinkageConfig(
    query="SELECT _key AS id, last_name, born FROM persons", tables=("persons",),
    fields=(("surname", "last_name"), ("birth_date", "born")), related=RELATED,
    evidence=(("teams", TEAMS), ("flags", "SELECT _key AS id, '!' AS flag FROM visits")),
    target="persons",
)  # fmt: skip
ORGANISATIONS = replace(CONFIG, kind="organisation", target="teams", fields=(("name", "last_name"),), related=None)
PEOPLE = [
    {"NO": number, "NAME": f"N{number}", "DOB": "01/02/1990", "REF": related}
    for number, related in (("1", "2"), ("2", "3"), ("3", None))
]


@dataclass
class Told(Silent):
    """What was told of the work."""

    said: list[Any] = field(default_factory=list)

    def table(self, stage: str, name: str, rows: int | None) -> None:
        self.said.append((stage, name, rows))

    def note(self, text: str) -> None:
        self.said.append(text)


def _made(folder: Path, people: list[dict[str, Any]], protected: str = "") -> Path:
    lay_out(folder, SPECS)
    if protected:
        (folder / "no_link.csv").write_text(protected, encoding="utf-8")
        settings = folder / "casebridge.toml"
        settings.write_text(settings.read_text(encoding="utf-8") + 'no_link = "no_link.csv"\n', encoding="utf-8")
    with job_of(folder) as job:
        extracted(job, "PERSON", people[:2], people[2:], columns=COLUMNS)
        extracted(job, "VISIT", columns=COLUMNS)
        extracted(job, "OTHER", [{"NO": "2", "NAME": "x"}, {"NO": "1", "NAME": "y"}, {"NO": "2"}], columns=COLUMNS)
        transform.run(job)
    return folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _made(tmp_path_factory.mktemp("three people's"), PEOPLE)


@pytest.fixture
def job(folder: Path, tmp_path: Path) -> Iterator[Job]:
    with job_of(shutil.copytree(folder, tmp_path / "few's")) as opened:
        yield replace(opened, report=Told())


def _said(job: Job) -> list[Any]:
    assert isinstance(job.report, Told)
    return job.report.said


def test_the_register_is_who_may_be_linked_and_who_is_on_file_as_two(tmp_path: Path, job: Job) -> None:
    register, related = read_register(job, CONFIG)
    assert register.columns == ["id", "last_name", "born"]
    assert sorted(register["id"]) == ["old:1", "old:2", "old:3"]
    assert sorted(related) == [("old:2", "old:1"), ("old:3", "old:2")]
    assert read_register(job, replace(CONFIG, related=None))[1] == []
    with job_of(_made(tmp_path, PEOPLE, "NO\n3\n")) as protected:
        register, related = read_register(protected, CONFIG)
    assert (sorted(register["id"]), related) == (["old:1", "old:2"], [("old:2", "old:1")])


def test_a_table_without_a_row_can_be_asked(job: Job) -> None:
    """As one that this export has nothing of."""
    query = "SELECT p._key AS id, p.last_name, v.born FROM persons p LEFT JOIN visits v USING (_key)"
    register, _ = read_register(job, replace(CONFIG, query=query))
    assert register["born"].to_list() == [None, None, None]
    seen = query.replace("v.born", "v.ev_seen AS born")
    assert read_register(job, replace(CONFIG, query=seen))[0]["born"].to_list() == [None, None, None]


def test_an_id_names_system_and_register(job: Job) -> None:
    numbers = "SELECT 7 AS id, 'x' AS last_name, NULL AS born FROM others WHERE _key = '1'"
    assert read_register(job, replace(CONFIG, query=numbers, related=None))[0]["id"].to_list() == ["old:7"]
    named = "SELECT _key AS id, 'new' AS system, last_name, born FROM persons WHERE _key = '1'"
    register, _ = read_register(job, replace(ORGANISATIONS, query=named))
    assert register.to_dicts() == [{"id": "new/teams:1", "last_name": "N1", "born": date(1990, 2, 1)}]
    systems = {**job.settings.systems, "new": job.settings.systems["old"]}
    two = replace(job, settings=replace(job.settings, systems=systems))
    with pytest.raises(SpecError) as caught:
        read_register(two, replace(CONFIG, where="registers.x"))
    told = "a project of several systems needs a column `system` in the result"
    assert [(p.file, p.where, p.what) for p in caught.value.problems] == [
        ("linkage.toml", "registers.x.query", told)
    ]
    assert read_register(two, replace(CONFIG, query=named, related=None))[0]["id"].to_list() == ["new:1"]


def test_what_reviewers_are_shown_beside_a_record(job: Job) -> None:
    assert ask_evidence(job, CONFIG, "teams", ["old:1", "old:2", "old:9"]) == {"old:1": ["7"], "old:2": ["7"]}
    assert ask_evidence(job, CONFIG, "teams", ["old:2"]) == {"old:2": ["7"]}
    assert ask_evidence(job, CONFIG, "flags", ["old:1"]) == {}
    assert ask_evidence(job, CONFIG, "notes", ["old:1"]) == {}
    many = "SELECT _key AS id, 'old' AS system, last_name FROM others UNION SELECT '2', 'old', 'a' FROM others"
    found = ask_evidence(job, replace(CONFIG, evidence=(("teams", many),)), "teams", {"old:2", "old:1"})
    assert found == {"old:1": ["y"], "old:2": ["a", "x"]}
    words = "SELECT _key AS id, (n * 7) % 40 AS t FROM persons, range(40) AS r(n)"
    found = ask_evidence(job, replace(CONFIG, evidence=(("teams", words),)), "teams", {"old:2", "old:1"})
    assert found == dict.fromkeys(["old:1", "old:2"], sorted(map(str, range(40))))
    today = replace(CONFIG, evidence=(("teams", "SELECT _key AS id, 'since ' || now() AS t FROM others"),))
    assert set(ask_evidence(job, today, "teams", ["old:1"])) == {"old:1"}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, []),
        ({"related": None, "evidence": ()}, []),
        ({"query": "SELECT _key AS id, nme FROM persons"}, ["register.query"]),
        ({"query": "SELECT _key AS id, last_name FROM persons"}, ["register.query"]),
        ({"query": "SELECT _key AS id, born, NULL AS last_name FROM persons", "other": (("team", "team"),)},
         ["register.query"]),
        ({"related": "SELECT nobody FROM persons"}, ["related.query"]),
        ({"query": "SELECT 1 AS id FROM person", "related": "SELECT 1; SELECT 2",
          "evidence": (("teams", "SELEC"), ("flags", "SELECT 1 AS id, 2 AS flag FROM visits"))},
         ["register.query", "related.query", "evidence.teams"]),
    ],
)  # fmt: skip
def test_all_queries_that_do_not_fit_are_told_at_once(job: Job, change: dict[str, Any], wrong: list[str]) -> None:
    if not wrong:
        try_queries(job, replace(CONFIG, **change))
        return
    with pytest.raises(SpecError) as caught:
        try_queries(job, replace(CONFIG, **change))
    assert [(problem.file, problem.where) for problem in caught.value.problems] == [
        ("linkage.toml", w) for w in wrong
    ]


@pytest.mark.parametrize(
    ("change", "where", "lacks"),
    [
        ({"query": "SELECT _key AS id, last_name FROM persons"}, "registers.x.query", ["born"]),
        ({"query": "SELECT last_name, born FROM persons", "other": (("team", "t"),)}, "registers.x.query",
         ["id", "t"]),
        ({"related": "SELECT _key AS left_id FROM persons"}, "registers.x.related.query", ["right_id"]),
        ({"evidence": (("teams", "SELECT last_name FROM persons"),)}, "registers.x.evidence.teams", ["id"]),
    ],
)  # fmt: skip
def test_a_query_that_gives_less_than_is_needed_is_told_by_the_run_too(
    job: Job, change: dict[str, Any], where: str, lacks: list[str]
) -> None:
    config = replace(CONFIG, where="registers.x", **change)
    with pytest.raises(SpecError) as caught:
        _ = ask_evidence(job, config, "teams", ["old:1"]) if "evidence" in change else read_register(job, config)
    assert [(p.where, p.what) for p in caught.value.problems] == [(where, f"gives no column `{n}`") for n in lacks]


STRANGER = "reads `b`: a query may read the tables that it is given, and no file"


@pytest.mark.parametrize(
    ("query", "where", "said"),
    [
        ("SELECT id FROM b", "register.query", [STRANGER]),
        ("SELECT now() AS id FROM a", "register.query", ["gives other rows each time: it asks the clock: now"]),
        ("SELECT now() AS id FROM b", "related.query",
         [STRANGER,
          "gives other rows each time: it asks the clock: now"]),
        ("SELECT now() AS id FROM a", "evidence.teams", []),
        ("SELECT now() AS id FROM a", "scan.query", []),
        ("SELECT now() AS id FROM a", "registers.x.scan.query", []),
        ("SELECT idd FROM a", "evidence.teams", ['the query fails: Binder Error: Referenced column "idd"']),
        ("SELECT CAST(id AS INTEGER) FROM a", "q", ["the query fails: ConversionException while it ran"]),
    ],
)  # fmt: skip
def test_a_query_reads_its_tables_only_and_is_quoted_without_a_value(
    query: str, where: str, said: list[str]
) -> None:
    with duckdb.connect() as database:
        database.execute("CREATE TABLE a AS SELECT 'Abernathy' AS id")
        if not said:
            assert ask(database, query, where, ["a"]).height == 1
            return
        with pytest.raises(SpecError) as caught:
            ask(database, query, where, ["a"])
    found = caught.value.problems
    assert [(p.file, p.where) for p in found] == [("linkage.toml", where)] * len(said)
    assert all(problem.what.startswith(start) for problem, start in zip(found, said, strict=True)), found
    assert "Abernathy" not in str(caught.value)
    clock = [problem.hint for problem in found if "clock" in problem.what]
    assert clock == ["write the day as a constant, such as DATE '2026-04-01'"] * len(clock)


def test_a_query_gives_what_is_needed_of_it() -> None:
    with duckdb.connect() as database:
        database.execute("CREATE TABLE a AS SELECT 1 AS id, 2 AS surname")
        assert ask(database, "SELECT * FROM a", "register.query", ["a"], ["surname", "id"]).columns == [
            "id",
            "surname",
        ]
        with pytest.raises(SpecError) as caught:
            ask(database, "SELECT * FROM a", "register.query", ["a"], ["id", "surnam", "born", "surnam"])
    assert [(p.file, p.where, p.what, bool(p.hint)) for p in caught.value.problems] == [
        ("linkage.toml", "register.query", "gives no column `surnam`", True),
        ("linkage.toml", "register.query", "gives no column `born`", True),
    ]
    assert "surname" in str(caught.value.problems[0].hint)


def test_a_query_of_evidence_gives_words_beside_each_id(job: Job) -> None:
    rows = pl.DataFrame({"system": ["x"], "id": [1], "team": [2], "more": [3]})
    assert words_column(rows, "evidence.teams") == "team"
    for query in ("SELECT _key AS id FROM persons", "SELECT _key AS id, 'old' AS system FROM persons"):
        alone = replace(CONFIG, evidence=(("teams", query),))
        for asked in (
            lambda one=alone: try_queries(job, one),
            lambda one=alone: ask_evidence(job, one, "teams", ["1"]),
        ):
            with pytest.raises(SpecError) as caught:
                asked()
            (problem,) = caught.value.problems
            assert (problem.file, problem.where) == ("linkage.toml", "evidence.teams")
            assert problem.what == "gives nothing but `id`: the words about each belong beside it"


def test_a_project_of_several_systems_says_of_which_each_row_is(job: Job) -> None:
    systems = {**job.settings.systems, "new": job.settings.systems["old"]}
    two = replace(job, settings=replace(job.settings, systems=systems))
    with pytest.raises(SpecError) as caught:
        try_queries(two, replace(CONFIG, where="registers.x", evidence=()))
    what = "a project of several systems needs a column `system` in the result"
    assert [(problem.file, problem.where, problem.what) for problem in caught.value.problems] == [
        ("linkage.toml", "registers.x.query", what), ("linkage.toml", "registers.x.related.query", what),
    ]  # fmt: skip
    named = "SELECT _key AS id, 'old' AS system, last_name, born FROM persons"
    try_queries(two, replace(CONFIG, query=named, related=None, evidence=()))


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ({"related": None}, {"persons"}),
        ({"related": "SELECT _key AS left_id, _key AS right_id FROM others"}, {"persons", "others"}),
        ({"tables": ("persons", "visits")}, {"persons", "visits"}),
        ({"query": "SELECT _key AS id FROM visits", "tables": (), "related": None}, {"visits"}),
    ],
)
def test_a_register_reads_what_its_queries_and_its_tables_name(change: dict[str, Any], read: set[str]) -> None:
    assert {name for name in SPECS if reads(replace(CONFIG, **change), name)} == read


SAID = [
    decision("old:1", "old:2", Ruling.SAME, "a", "r"), decision("old:2", "old:3", Ruling.RELATED, "a", "r"),
    decision("old:1", "old:3", Ruling.DIFFERENT, "a", "r"), decision("old:0", "old:2", Ruling.SAME, "a", "r"),
    decision("old:0", "old:9", Ruling.UNSURE, "a", "r"),
]  # fmt: skip


def test_who_is_related_to_somebody_is_not_that_person() -> None:
    assert decided(SAID, Ruling.SAME) == [("old:0", "old:2"), ("old:1", "old:2")]
    assert decided(SAID, Ruling.DIFFERENT) == [("old:1", "old:3"), ("old:2", "old:3")]


def test_what_linkage_links_again_for(tmp_path: Path, folder: Path) -> None:
    """What it sees, and nothing else: not what reviewers are shown, nor another register's decisions."""

    def inputs(job: Job, config: LinkageConfig = CONFIG, said: tuple[Any, ...] = ()) -> str:
        return linkage_inputs(job, config, said)[0]

    with job_of(folder) as job:
        first, clean = linkage_inputs(job, CONFIG, ())
        assert {name: sum(batch.rows for batch in batches) for name, batches in clean.items()} == {
            "persons": 3, "visits": 0, "others": 2,
        }  # fmt: skip
        same = [inputs(job, replace(CONFIG, evidence=(), where="registers.people")),
                inputs(job, CONFIG, (decision("old/teams:1", "old/teams:2", Ruling.SAME, "a", "r"),)),
                inputs(job, CONFIG, (decision("old:1", "old:2", Ruling.UNSURE, "a", "r"),))]  # fmt: skip
        other = [
            inputs(job, replace(CONFIG, query=CONFIG.query + " WHERE true")),
            inputs(job, replace(CONFIG, query=CONFIG.query + " SEMI JOIN others USING (_key)")),
            inputs(job, replace(CONFIG, related=RELATED + " SEMI JOIN others o ON o._key = a._key")),
            *(inputs(job, CONFIG, (said,)) for said in SAID[:4]),
        ]
        assert inputs(job, ORGANISATIONS) == inputs(job, ORGANISATIONS, tuple(SAID))
        mine = (decision("old/teams:1", "old/teams:2", Ruling.SAME, "a", "r"),)
        assert inputs(job, ORGANISATIONS) != inputs(job, ORGANISATIONS, mine)
    with job_of(_made(tmp_path / "p", PEOPLE, "NO\n3\n")) as job:
        other.append(inputs(job))
        (tmp_path / "p" / "no_link.csv").write_text("NO\n2\n")
        other.append(inputs(job))
    with job_of(_made(tmp_path / "q", [*PEOPLE[:2], {**PEOPLE[2], "NAME": "Li"}])) as job:
        other.append(inputs(job))
    assert set(same) == {first}
    assert len({first, *other}) == 1 + len(other)


NOBODY = replace(
    CONFIG, query="SELECT _key AS id, NULL AS last_name, NULL AS born FROM persons", related=None
)  # fmt: skip


def test_what_linkage_is_made_of_counts_too(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    before = linkage_inputs(job, CONFIG, ())[0]
    monkeypatch.setattr(Job, "code", lambda _, which: f"another {which}")
    other = linkage_inputs(job, CONFIG, ())[0]
    monkeypatch.setattr(Job, "code", lambda _, which: f"a third {which}")
    assert len({before, other, linkage_inputs(job, CONFIG, ())[0]}) == 3


def test_a_register_of_few_says_that_it_has_nothing_to_link(job: Job) -> None:
    one = replace(CONFIG, query=CONFIG.query + " WHERE _key = '1'", related=None)
    found = candidate_pairs(job, one, [])
    assert (found.of, found.propose, found.cut.height) == (one, 1.0, 0)
    assert found.cut.schema == {"left_id": pl.String, "right_id": pl.String, "guard": pl.String}
    assert found.pairs.read().schema == {
        "left_id": pl.String, "right_id": pl.String, "p_same": pl.Float64, "relation": pl.String,
        "weight": pl.Float64, "zone": pl.String, "guard": pl.String,
    }  # fmt: skip
    assert found.digest == found.pairs.sha256
    (model,) = job.ledger.sealed(job.run, "dedupe", "candidates", "model")
    assert json.loads(model.read(["model"]).item()) == {"warnings": ["Fewer than two records: nothing to link."]}
    assert _said(job) == [("dedupe", "register of 1 people", None)]
    candidate_pairs(job, NOBODY, [])
    (model,) = job.ledger.sealed(job.run, "dedupe", "candidates", "model")
    (warning,) = json.loads(model.read(["model"]).item())["warnings"]
    assert _said(job)[1] == ("dedupe", "register of 3 people", None)
    assert _said(job)[-1] == f"nothing was linked among the people: {warning}"
    assert model.read(["propose"]).item() == 1.0


def test_two_records_are_enough_to_be_linked(job: Job) -> None:
    candidate_pairs(job, replace(NOBODY, query=NOBODY.query + " WHERE _key < '3'"), [])
    (model,) = job.ledger.sealed(job.run, "dedupe", "candidates", "model")
    assert "Fewer than two records" not in model.read(["model"]).item()


@dataclass
class Engine:
    """Stands for linkage: keeps what it is given, and gives no pairs, or refuses the register."""

    refusal: RegisterError | None = None
    given: list[Any] = field(default_factory=list)

    def __call__(self, *given: Any, **_: Any) -> SimpleNamespace:
        self.given = [*given]
        if self.refusal:
            raise self.refusal
        none = pl.DataFrame(schema={"left_id": pl.String, "right_id": pl.String})
        model = {"thresholds": {"propose": 0.25}, "at": date(2026, 4, 1), "a": {"b": 1}}
        return SimpleNamespace(pairs=none, cut=none, model=model)


def test_what_linkage_is_given(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """The roles and the kind, who is on file as two, what was decided of this register, and the one seed."""
    engine = Engine()
    monkeypatch.setattr("casebridge.dedupe.linkage.engine.link", engine)
    config = replace(ORGANISATIONS, related=RELATED, other=(("Born", "born"),), query=CONFIG.query)
    said = [decision(f"old/teams:{a}", f"old/teams:{b}", r, "a", "r") for a, b, r in
            (("1", "2", Ruling.SAME), ("1", "3", Ruling.DIFFERENT))]  # fmt: skip
    found = candidate_pairs(job, config, [*said, *SAID])
    register, fields, options = engine.given
    assert sorted(register["id"]) == ["old/teams:1", "old/teams:2", "old/teams:3"]
    assert fields == Fields(id="id", roles={"name": "last_name"}, other={"Born": "born"}, kind="organisation")
    assert sorted(options.related) == [("old/teams:2", "old/teams:1"), ("old/teams:3", "old/teams:2")]
    assert (options.seed, options.same_pairs, options.different_pairs) == (
        20, [("old/teams:1", "old/teams:2")], [("old/teams:1", "old/teams:3")],
    )  # fmt: skip
    files = [
        job.ledger.sealed(job.run, "dedupe", "candidates-teams", kind)[0] for kind in ("pairs", "cut", "model")
    ]
    assert [file.path.name[:6] for file in files] == ["00000-"] * 3
    told = '{"a": {"b": 1}, "at": "2026-04-01", "thresholds": {"propose": 0.25}}'
    assert (found.propose, files[2].read(["model"]).item()) == (0.25, told)


@pytest.mark.parametrize(
    ("hint", "told"), [("say more", "say more"), ("", "mend linkage.toml, or take it out of the")]
)
def test_a_register_that_linkage_refuses(job: Job, monkeypatch: pytest.MonkeyPatch, hint: str, told: str) -> None:
    """With the hint that linkage gives; of a few records it is a note."""
    monkeypatch.setattr("casebridge.dedupe.linkage.engine.link", Engine(RegisterError("no names", hint=hint)))
    monkeypatch.setattr("casebridge.dedupe.candidates.FEW", 3)
    with pytest.raises(CasebridgeError, match=r"^linkage\.toml: no names") as caught:
        candidate_pairs(job, CONFIG, [])
    assert caught.value.hint.startswith(told)
    monkeypatch.setattr("casebridge.dedupe.candidates.FEW", 4)
    assert candidate_pairs(job, CONFIG, []).pairs.rows == 0
    assert _said(job)[-1] == "nothing was linked among the people: no names"


def test_each_register_stands_under_its_own_name(job: Job) -> None:
    assert (batch_name(CONFIG), batch_name(ORGANISATIONS)) == ("candidates", "candidates-teams")
    two = replace(ORGANISATIONS, query="SELECT _key AS id, last_name FROM persons WHERE _key = '1'")
    assert candidate_pairs(job, two, []).pairs.table == "candidates-teams"
    assert _said(job) == [("dedupe", "register of 1 organisations", None)]


MANY = [
    {"NO": str(n), "NAME": f"{chr(65 + n % 26)}{chr(97 + n * 7 % 26)}{chr(97 + n * 11 % 26)}son",
     "DOB": f"{n % 28 + 1:02d}/{n % 12 + 1:02d}/{1940 + n % 71}", "REF": f"R{n}"}
    for n in range(1000, 1120)
]  # fmt: skip
TWICE = [{**row, "NO": str(9999 - n), "REF": f"T{n}"} for n, row in enumerate(MANY[:20])]
LINKED = replace(CONFIG, query="SELECT _key AS id, last_name, born FROM persons", related=None)


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _made(tmp_path_factory.mktemp("many"), MANY + TWICE)


def test_a_register_is_linked_once_and_stays_on_record(many: Path, tmp_path: Path) -> None:
    pairs = {(str(1000 + n), str(9999 - n)) for n in range(20)}
    apart, same = decision("old:1000", "old:9999", Ruling.DIFFERENT, "a", "r"), [
        decision("old:9998", "old:1001", Ruling.SAME, "a", "r"),
        decision("old/teams:1002", "old/teams:1003", Ruling.SAME, "a", "r"),
    ]  # fmt: skip
    with job_of(shutil.copytree(many, tmp_path / "many")) as opened:
        job = replace(opened, report=Told())
        found = candidate_pairs(job, LINKED, [apart, *same])
        frame = found.pairs.read()
        said = list(_said(job))
        steps = [name for _, name, _ in said]
        assert {stage for stage, *_ in said} == {"dedupe"}
        assert steps[:3] == ["register of 140 people", "register: pairs to compare", "register: a sample of pairs"]
        assert {"register: the model", "register: scoring", "register: clusters"} <= {*steps}
        files = [job.ledger.sealed(job.run, "dedupe", "candidates", kind)[0] for kind in ("pairs", "cut", "model")]
        again = candidate_pairs(job, LINKED, [*same, apart])
        assert (again.digest, len(_said(job))) == (found.digest, len(said))
        with closing(sqlite3.connect(job.work / "ledger.db")) as ledger:
            begun = set(ledger.execute("SELECT name, number FROM attempts WHERE stage = 'dedupe'"))
        assert begun == {("candidates", 0)}
        other = candidate_pairs(job, LINKED, [])
        assert other.digest != found.digest
    keys = {(a.removeprefix("old:"), b.removeprefix("old:")): zone for a, b, zone in
            frame.select("left_id", "right_id", pl.col("zone").cast(pl.String)).iter_rows()}  # fmt: skip
    assert all(a < b for a, b in keys)
    assert pairs <= keys.keys()
    assert (keys["1000", "9999"], keys["1001", "9998"]) == ("apart", "same")
    assert ("1002", "1003") not in keys
    assert [file.kind for file in files] == ["pairs", "cut", "model"]
    model = json.loads(files[2].read(["model"]).item())
    assert found.propose == model["thresholds"]["propose"] == files[2].read(["propose"]).item()


def test_a_large_register_that_cannot_be_linked_is_a_mistake(many: Path) -> None:
    with job_of(many) as job, pytest.raises(CasebridgeError, match=r"^linkage\.toml: ") as caught:
        candidate_pairs(job, NOBODY, [])
    assert caught.value.hint
