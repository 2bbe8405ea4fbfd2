"""The page: whole, self-contained, readable without a script."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hand_made import World

import reconciliation
from project.errors import ReconciliationFailed
from reconciliation.checks import CHECKS
from reconciliation.report import PLACES, bar
from reconciliation.wording import CHECK_WORDS, PLACE_WORDS

VOID = {"meta", "br", "link", "img", "hr", "input", "rect"}


class Outline(HTMLParser):
    """Notes what the page loads, links to and leaves open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.unlabelled = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.ids += [str(found["id"])] if "id" in found else []
        self.links += [str(found["href"])[1:]] if str(found.get("href", "")).startswith("#") else []
        self.outside += [str(v) for k, v in attrs if k in {"src", "href"} and not str(v).startswith("#")]
        self.unlabelled += tag == "th" and "scope" not in found
        self.unlabelled += tag == "svg" and not found.get("aria-label")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(world: World) -> Outline:
    page = Outline()
    page.feed((world.folder / "report.html").read_text(encoding="utf-8"))
    assert page.open == []
    return page


def test_the_page_is_whole_and_needs_nothing_from_outside(small_world: World) -> None:
    reconciliation.run(small_world.job)
    page = outline(small_world)
    assert page.outside == []
    assert "script" not in page.tags
    assert page.unlabelled == 0
    assert len(page.ids) == len(set(page.ids))
    assert set(page.links) <= set(page.ids)
    assert page.tags.count("h1") == 1


def test_the_verdict_is_at_the_top_in_plain_words(small_world: World) -> None:
    reconciliation.run(small_world.job)
    text = (small_world.folder / "report.html").read_text(encoding="utf-8")
    assert "The books balance" in text
    small_world.execute("DELETE FROM phones")
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(small_world.job)
    text = (small_world.folder / "report.html").read_text(encoding="utf-8")
    assert "The books do not balance" in text
    assert "must not be signed" in text
    outline(small_world)


def test_every_check_and_place_has_its_words(small_world: World) -> None:
    reconciliation.run(small_world.job)
    assert {check["check"] for check in small_world.report()["checks"]} | CHECKS.keys() == CHECK_WORDS.keys()
    assert set(PLACES) == PLACE_WORDS.keys()


def test_a_place_with_one_row_of_a_million_is_still_seen() -> None:
    counts = {**dict.fromkeys(PLACES, 0), "loaded": 999_999, "held": 1}
    segments = bar(counts)
    assert [place for place, *_ in segments] == ["loaded", "held"]
    assert sum(width for *_, width in segments) == pytest.approx(1000, abs=0.1)
    assert segments[1][2] > 3


def test_no_rows_no_bar() -> None:
    assert bar(dict.fromkeys(PLACES, 0)) == []
