"""Scoring what changed records affect gives what a full run with the same model gives."""

from __future__ import annotations

import stat
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from benchmarks.kinds import PLAIN
from benchmarks.organisations import ROLES, make_organisations
from benchmarks.registers import make_register
from casebridge import Fields, LinkedRegister, LinkOptions, RegisterError, link, link_affected, read_kept
from casebridge.dedupe.linkage.affected import folder, meeting
from casebridge.dedupe.linkage.blocking import keys
from tests.linkage.registers_for_tests import fields_of

KIND = replace(PLAIN, duplicates=0.5, more_copies=0.5, twins=0.05)
FIELDS = fields_of(KIND)
ORGANISATIONS = Fields(id="id", roles=ROLES, kind="organisation")
CHANGING = ("first", "middle", "last", "dob", "sex", "house", "street", "postcode", "nhs", "phone")
ENDS = ("left_id", "right_id")
NIGHTS = 2
PHASES = (Phase.explicit, Phase.generate)  # no shrinking: an example takes a second


@pytest.fixture(scope="module", autouse=True)
def _few_neighbours():
    """Blocks paired by neighbours of two: small registers have none with more than twenty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "WINDOW", 2)
        patch.setattr(meeting, "WINDOW", 2)
        yield


@pytest.fixture(scope="module")
def pool():
    """A register, with a dozen records that say the same."""
    made = make_register(500, KIND, seed=21)
    alike = pl.concat([made.slice(0, 1).with_columns(id=pl.lit(f"alike {n}")) for n in range(12)])
    return pl.concat([made.head(30), alike, made.slice(30)])


@pytest.fixture(scope="module")
def related(pool):
    return [(pool["id"][n], pool["id"][n + 3]) for n in range(0, 60, 7)]


@pytest.fixture(scope="module")
def kept(pool, related):
    """A model that divides large blocks, and pairs what it cannot divide by neighbours."""
    found = link(pool, FIELDS, LinkOptions(max_block=3, related=related)).kept
    assert found is not None
    assert any(one.steps for one in found.divisions)
    assert any(len(one.neighbours) for one in found.divisions)
    return found


def assert_as_a_full_run(linked: LinkedRegister, rows: pl.DataFrame, kept, options: LinkOptions) -> None:
    full = link(rows, FIELDS, options, kept=kept)
    assert linked.pairs().equals(full.pairs)
    assert linked.clusters().sort("id").equals(full.clusters.sort("id"))
    assert linked.cut().sort(*ENDS, "guard").equals(full.cut.sort(*ENDS, "guard"))


@st.composite
def a_night(draw, size: int):
    """Numbers of records that come, that change (with whose values, and which columns), that go; and decisions."""
    row = st.integers(0, size - 1)
    pairs = st.lists(st.tuples(row, row).filter(lambda pair: pair[0] != pair[1]), max_size=2)
    return {
        "come": draw(st.lists(row, max_size=12)),
        "change": draw(st.lists(st.tuples(row, row, st.sampled_from(CHANGING)), max_size=4)),
        "go": draw(st.lists(row, max_size=4)),
        "decisions": {name: draw(pairs) for name in ("same_pairs", "different_pairs", "not_pairs")},
        "related": draw(st.integers(0, 4)),
    }


@given(data=st.data(), start=st.integers(5, 250))
@settings(max_examples=12, deadline=None, phases=PHASES)
def test_nights_are_full_runs(data, start, pool, related, kept):
    """Whatever comes, changes and goes, and whatever people decide: the same pairs, to the last digit, the same
    cuts, and clusters of the same names."""
    ids = pool["id"].to_list()
    rows = {row["id"]: row for row in pool.head(start).iter_rows(named=True)}
    everything = {row["id"]: row for row in pool.iter_rows(named=True)}
    linked = LinkedRegister.of(pool.head(start), FIELDS, kept)
    for _ in range(NIGHTS):
        night = data.draw(a_night(len(ids)))
        fresh = {ids[n]: everything[ids[n]] for n in night["come"] if ids[n] not in rows}
        for n, other, column in night["change"]:
            if ids[n] in rows:
                fresh[ids[n]] = {**rows[ids[n]], column: everything[ids[other]][column]}
        gone = [ids[n] for n in night["go"] if ids[n] in rows and ids[n] not in fresh]
        decided = {name: [(ids[a], ids[b]) for a, b in pairs] for name, pairs in night["decisions"].items()}
        options = LinkOptions(**decided, related=related[: night["related"]])
        before = linked
        changed = pl.DataFrame(list(fresh.values()), schema=pool.schema)
        found = link_affected(before, changed, gone, options)
        linked, rows = found.linked, {i: row for i, row in (rows | fresh).items() if i not in gone}
        names = dict(before.clusters().iter_rows())
        now = pl.DataFrame(list(rows.values()), schema=pool.schema)
        assert_as_a_full_run(linked, now, kept, replace(options, previous_clusters=names))
        assert_it_says_what_changed(before, found)


def assert_it_says_what_changed(before: LinkedRegister, found) -> None:
    was, now = before.pairs(), found.linked.pairs()
    changed = now.join(was, on=now.columns, how="anti", nulls_equal=True)
    assert found.pairs.select(now.columns).sort(ENDS).equals(changed.sort(ENDS))
    gone = was.join(now, on=ENDS, how="anti").select(ENDS)
    assert found.gone.select(ENDS).sort(ENDS).equals(gone.sort(ENDS))
    named = before.clusters().rename({"cluster": "before"})
    moved = found.linked.clusters().join(named, on="id", how="left")
    moved = moved.filter(pl.col("cluster").ne_missing(pl.col("before"))).sort("id")
    assert found.clusters.sort("id").equals(moved)


@pytest.fixture(scope="module")
def saved(pool, kept, tmp_path_factory):
    where = tmp_path_factory.mktemp("night") / "linked"
    LinkedRegister.of(pool.head(300), FIELDS, kept).save(where)
    return where


def test_it_outlives_the_process(saved, pool):
    assert stat.S_IMODE(saved.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in saved.iterdir())
    linked = LinkedRegister.read(saved)
    night = link_affected(linked, pool.slice(300, 60), pool["id"].slice(40, 5))
    night.linked.save(saved)
    assert len([*saved.glob("pairs-*.parquet")]) == 1
    again = LinkedRegister.read(saved)
    rows = pl.concat([pool.head(40), pool.slice(45, 315)])
    names = dict(linked.clusters().iter_rows())
    assert_as_a_full_run(again, rows, read_kept(saved), LinkOptions(previous_clusters=names))
    assert set(night.left) == set(pool["id"].slice(40, 5))
    assert night.counts["rows"] == again.rows == 355


def test_what_others_put_into_the_folder_stays(pool, kept, tmp_path, monkeypatch):
    """Whatever it is called; and what a save that was stopped had begun goes with the next."""
    where = tmp_path / "linked"
    where.mkdir()
    others = {
        name: name.encode() for name in ("pairs-1.parquet", "last-year.parquet", "notes-2.txt", "pairs.parquet")
    }
    for name, held in others.items():
        (where / name).write_bytes(held)
    linked = LinkedRegister.of(pool.head(60), FIELDS, kept)
    linked.save(where)
    whole = {path.name for path in where.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(folder, "code", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            linked.save(where)
    assert LinkedRegister.read(where).pairs().equals(linked.pairs())
    linked.save(where)
    assert {name: (where / name).read_bytes() for name in others} == others
    assert len({path.name for path in where.iterdir()}) == len(whole)
    assert LinkedRegister.read(where).pairs().equals(linked.pairs())


@pytest.mark.parametrize("name", ["linked.json", "kept-model.json"])
def test_a_file_of_somebody_else_is_not_written_over(pool, kept, tmp_path, name):
    (tmp_path / name).write_text('{"mine": 1}')
    with pytest.raises(RegisterError, match=f"{name} in that folder was not written by casebridge"):
        LinkedRegister.of(pool.head(20), FIELDS, kept).save(tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, '{"mine": 1}')]


def test_a_name_is_borne_by_one_cluster(pool, kept):
    """A cluster keeps the name of a record that left; who comes under that id again is another cluster."""
    linked = LinkedRegister.of(pool.head(200), FIELDS, kept)
    sizes = linked.clusters().group_by("cluster").len().filter(pl.col("len") == 2)
    name = sorted(sizes["cluster"])[0]
    linked = link_affected(linked, pool.head(0), [name]).linked
    stranger = pool.filter(pl.col("id") == name).with_columns(
        **{column: pl.lit(pool[column][700]) for column in CHANGING}
    )
    found = link_affected(linked, stranger)
    named = dict(found.linked.clusters().iter_rows())
    assert named[name] == f"{name}~"
    assert [*named.values()].count(name) == 1
    assert found.clusters.rows() == [(name, f"{name}~", None)]
    hidden = found.linked.without_names([name])
    assert name not in set(hidden.clusters()["cluster"])
    assert len(set(hidden.clusters()["cluster"])) == len(set(named.values()))


def test_organisations_too():
    """One record comes, which says less than a register does as a whole."""
    made = make_organisations(800, seed=1)
    kept = link(made, ORGANISATIONS).kept
    assert kept is not None
    night = link_affected(LinkedRegister.of(made.head(300), ORGANISATIONS, kept), made.slice(300, 1))
    full = link(made.head(301), ORGANISATIONS, kept=kept)
    assert night.linked.pairs().equals(full.pairs)
    assert night.linked.clusters().sort("id").equals(full.clusters.sort("id"))


def test_nothing_changed(pool, kept):
    night = link_affected(LinkedRegister.of(pool.head(120), FIELDS, kept), pool.head(5))
    assert night.pairs.is_empty()
    assert night.gone.is_empty()
    assert night.clusters.is_empty()
    assert night.left.is_empty()


def test_who_may_not_be_linked_leaves_no_trace(pool, kept, tmp_path):
    """Nor do values that only the hidden record held."""
    hidden = pool.slice(7, 1).with_columns(last=pl.lit("Featherstonehaugh"))
    rows = pl.concat([pool.head(7), pool.slice(8, 60), hidden])
    before = LinkedRegister.of(rows, FIELDS, kept)
    linked = link_affected(before, pool.head(0), options=LinkOptions(no_link=[hidden["id"][0]])).linked
    linked.save(tmp_path / "linked")
    written = b"".join(file.read_bytes() for file in (tmp_path / "linked").iterdir())
    assert linked.rows == 67
    assert pool["id"][8].encode() in written
    assert hidden["id"][0].encode() not in written
    assert b"FEATHERSTONEHAUGH" not in written


def test_what_cannot_be_read_is_refused(pool, kept, tmp_path, monkeypatch):
    with pytest.raises(RegisterError, match="can be read"):
        LinkedRegister.read(tmp_path)
    linked = LinkedRegister.of(pool.head(60), FIELDS, kept)
    with pytest.raises(RegisterError, match="ids of the changed rows"):
        link_affected(linked, pool.head(5).with_row_index("n").drop("id").rename({"n": "id"}))
    with pytest.raises(RegisterError, match="no column postcode"):
        link_affected(linked, pool.head(5).drop("postcode"))
    with pytest.raises(RegisterError, match="stand more than once"):
        link_affected(linked, pl.concat([pool.head(5), pool.head(1)]))
    with pytest.raises(RegisterError, match="gone holds ids of another type"):
        link_affected(linked, pool.head(0), [7])
    linked.save(tmp_path / "linked")
    with monkeypatch.context() as patch:
        patch.setattr(folder, "code", lambda: "of another time")
        with pytest.raises(RegisterError, match="another version"):
            LinkedRegister.read(tmp_path / "linked")
    file = next((tmp_path / "linked").glob("seen-*.parquet"))
    file.write_bytes(file.read_bytes()[:-20] + b"x" * 20)
    with pytest.raises(RegisterError, match=r"not what was written|No linked register"):
        LinkedRegister.read(tmp_path / "linked")
