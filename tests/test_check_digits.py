"""Check digits as somebody else counts them: python-stdnum, which shares no code with ours."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from stdnum.gb import nhs
from stdnum.gb import upn as gb_upn

from casebridge.dedupe.linkage.register.identifiers import VALID, packed_numbers, with_check
from casebridge.synthetic.duplicates import nhs_numbers
from casebridge.transform.identifiers import UPN_LETTERS, nhs_number, upn


@given(nine=st.from_regex(r"[0-9]{9}", fullmatch=True))
def test_nhs_numbers_of_the_checks(nine: str) -> None:
    """python-stdnum takes ten equal digits; we do not."""
    texts = [nine + str(last) for last in range(10)]
    ours = pl.DataFrame({"v": texts}).select(nhs_number(pl.col("v"))).to_series().to_list()
    assert ours == [nhs.is_valid(text) and len(set(text)) > 1 for text in texts]


@given(rest=st.from_regex(r"[0-9]{9}", fullmatch=True))
def test_upns_of_the_checks(rest: str) -> None:
    """Numbers of one authority: python-stdnum holds the authority against a list as well, we do not."""
    texts = [f"{letter}801{rest}" for letter in UPN_LETTERS]
    ours = pl.DataFrame({"v": texts}).select(upn(pl.col("v"))).to_series().to_list()
    assert ours == [gb_upn.is_valid(text) for text in texts]


def test_nhs_numbers_of_the_linkage() -> None:
    """Mostly valid numbers, so that the column counts as NHS numbers; and some with the last digit moved."""
    made = np.random.default_rng(5).integers(1_000_000_000, 9_999_999_999, 40_000)
    valid = [number for number in made.tolist() if nhs.is_valid(str(number))]
    moved = [number - number % 10 + (number + 1) % 10 for number in valid[: len(valid) // 2]]
    ours = (with_check(packed_numbers(np.array(valid + moved))) & VALID) > 0
    assert len(valid) > 3000
    assert ours.tolist() == [True] * len(valid) + [False] * len(moved)


def test_nhs_numbers_of_the_made_up_council() -> None:
    ours = nhs_numbers(np.random.default_rng(5))[:5000]
    assert [number for number in ours.tolist() if not nhs.is_valid(f"{number:010}")] == []
