"""Scoring what changed records affect gives what a full run with the same model gives."""

from __future__ import annotations

import stat

import polars as pl
import pytest

from benchmarks.kinds import PLAIN
from benchmarks.registers import make_register
from casebridge import LinkedRegister, LinkOptions, RegisterError, link, link_affected
from tests.linkage.registers_for_tests import fields_of

FIELDS = fields_of(PLAIN)


@pytest.fixture(scope="module")
def register():
    return make_register(1200, PLAIN, seed=21)


@pytest.fixture(scope="module")
def kept(register):
    return link(register, FIELDS).kept


def sorted_pairs(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort("left_id", "right_id")


def test_a_night_is_a_full_run(register, kept, tmp_path):
    before, arrived = register.head(1000), register.slice(1000)
    moved = register.slice(10, 20).with_columns(postcode=pl.lit("LS6 3HN"))
    LinkedRegister.of(before, FIELDS, kept).save(tmp_path / "linked")
    assert stat.S_IMODE((tmp_path / "linked").stat().st_mode) == 0o700
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in (tmp_path / "linked").iterdir())
    gone = register["id"].slice(40, 5).to_list()
    night = link_affected(LinkedRegister.read(tmp_path / "linked"), pl.concat([arrived, moved]), gone)
    now = pl.concat([before.filter(~pl.col("id").is_in([*gone, *moved["id"]])), arrived, moved])
    full = link(now, FIELDS, kept=kept)
    assert night.linked.rows == now.height
    assert sorted_pairs(night.linked.pairs()).equals(sorted_pairs(full.pairs))
    assert night.pairs.filter(pl.col("p_before").is_null()).height > 50
    assert set(night.left) == set(gone)
    assert not set(gone) & {*night.linked.pairs()["left_id"], *night.linked.pairs()["right_id"]}


def test_nothing_changed(register, kept):
    linked = LinkedRegister.of(register.head(300), FIELDS, kept)
    night = link_affected(linked, register.head(5))
    assert night.pairs.is_empty()
    assert night.gone.is_empty()
    assert night.clusters.is_empty()


def test_what_cannot_be_read_is_refused(register, kept, tmp_path):
    with pytest.raises(RegisterError, match="No linked register"):
        LinkedRegister.read(tmp_path)
    linked = LinkedRegister.of(register.head(300), FIELDS, kept)
    with pytest.raises(RegisterError, match="ids of the changed rows"):
        link_affected(linked, register.head(5).with_row_index("n").drop("id").rename({"n": "id"}))


def test_who_may_not_be_linked_leaves_no_trace(register, kept, tmp_path):
    hidden = register["id"][7]
    before = LinkedRegister.of(register.head(300), FIELDS, kept)
    linked = link_affected(before, register.head(0), options=LinkOptions(no_link=[hidden])).linked
    linked.save(tmp_path / "linked")
    assert hidden not in set(linked.ids())
    assert not any(str(hidden).encode() in file.read_bytes() for file in (tmp_path / "linked").iterdir())
