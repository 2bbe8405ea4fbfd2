"""The page: whole, self-contained, readable without a script."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hand_made import World

from casebridge import reconciliation
from casebridge.project.errors import ReconciliationFailed
from casebridge.reconciliation.checks import CHECKS
from casebridge.reconciliation.reporting.report import PLACES, bar
from casebridge.reconciliation.reporting.wording import CHECK_WORDS, PLACE_WORDS

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


def test_the_headline_says_how_many_rows_did_not_go_in(small_world: World) -> None:
    """All accounted for is not all there: what stays behind is said beside it."""
    reconciliation.run(small_world.job)
    totals = small_world.report()["totals"]
    page = (small_world.folder / "report.html").read_text(encoding="utf-8")
    lead = re.sub(r"<[^>]+>", "", page.partition('<p class="lead">')[2].partition("</p>")[0])
    went_in = totals["extracted"] - totals["rejected"] - totals["held"] - totals["excluded"]
    assert min(totals[place] for place in ("rejected", "held", "excluded")) > 0
    assert f"All {totals['extracted']} rows" in lead
    assert f"{went_in} went into the new system" in lead
    assert f"{totals['rejected']} broke a rule and stay behind" in lead
    assert f"{totals['held']} wait for a person" in lead
    assert f"{totals['excluded']} were left out on purpose" in lead


def test_unexplained_stands_where_a_narrow_screen_has_it(small_world: World) -> None:
    """The third column of both sides of the account, and each number under its own heading."""
    reconciliation.run(small_world.job)
    report = small_world.report()
    page = (small_world.folder / "report.html").read_text(encoding="utf-8")
    for label, side, name in (("source", "sources", "source"), ("target", "targets", "target")):
        table = page.partition(f'aria-label="Rows by {label} table"')[2].partition("</table>")[0]
        rows = [re.findall(r"<t[hd][ >].*?</t[hd]>", row, re.DOTALL) for row in table.split("<tr>")[1:]]
        cells = [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in rows]
        assert cells[0][2] == "Unexplained"
        for line in report[side]:
            (mine,) = [row for row in cells if row[0] == line[name]]
            for heading, cell in zip(cells[0], mine, strict=True):
                if heading.lower() in line and heading.lower() != name:
                    assert cell == f"{line[heading.lower()]:,}", heading
