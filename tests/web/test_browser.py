"""The desk in a real browser: by keyboard, with scripts and without, and what axe-core says of every page."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, sync_playwright

from casebridge.dedupe.quality.recalibration import LabelBand, Recalibration
from casebridge.dedupe.quality.strata import APART, MERGED
from casebridge.dedupe.review.evidence_file import Held, Kin
from casebridge.dedupe.review.samples import Drawn, Sample, keep_sample
from casebridge.migrate.cli.main import cli
from casebridge.migrate.web.app import make_app
from casebridge.migrate.web.visit import House
from casebridge.project.database import writing
from tests.desks import Clock, make_world, open_desk, pair_of, password_of, somebody

NOTES = {"blockers": {"pending": ["is in a merge that is not through", True, ["Wait for the other merge"]]},
         "not_carried": {"persons": ["email_address"], "case_notes": []}, "register": ["persons"]}  # fmt: skip
GROUP = ("old:20", "old:21", "old:22")
PAIRS = [
    *(pair_of(f"{n}", f"{n + 100}", value=50.0 - n) for n in range(1, 13)),
    pair_of(
        "20",
        "21",
        value=1.0,
        group=GROUP,
        conflict=True,
        flags=("looked after",),
        preflight="merge after go-live",
        blockers=(("pending", 2, 0),),
    ),
    pair_of("21", "22", value=1.0, group=GROUP, conflict=True, weight=1.0),
    pair_of("1", "9", value=99.0, clearance=1),
]
_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    world = make_world(tmp_path_factory.mktemp("desk"))
    world.clock = Clock(time.time())
    held = (
        Held("names", 1, "2020-01-01", ({"name_type": "ALIAS", "last_name": "Ing"},)),
        Held("addresses", 1, "2020-01-01", ({"address": "1 High Street"},)),
        Held("case_notes", 40, "2021-02-03"),
    )
    people = [
        replace(somebody(str(n), f"Name{n}", nhs_number="4857773456", kin=[Kin("old:5", "mother")]), held=held)
        for n in (*range(1, 23), *range(101, 113))
    ]
    fields = {
        "old:20": {"email_address": "a@b.example", "title": "Miss"},
        "old:21": {"email_address": "c@d.example"},
    }
    people = [replace(one, fields={**one.fields, **fields.get(one.id, {})}) for one in people]
    bands = (LabelBand("0.5 to 0.9", 71, 0.74, 0.41, 0.45), LabelBand("0.9 to 0.99", 60, 0.96, 0.93, 0.94))
    learned = Recalibration(131, 85, True, 12, bands)
    world.show(people, PAIRS, merge=json.dumps(NOTES), calibration=learned.text())
    strata = (Drawn("merged: no NHS number", MERGED, 0, 300, 0.9, (("old:1", "old:101"),)),
              Drawn("apart: no NHS number", APART, 0, 5_000, 0.1, ()))  # fmt: skip
    sample = Sample("trial-1", 0.01, 2.0, "2026-11-27T00:00:00Z", strata)
    with open_desk(world) as made:
        _keep(made, sample)
        yield made


def _keep(house: House, sample: Sample) -> None:
    with writing(house.desk.engine).begin() as connection:
        keep_sample(connection, sample, "t")


@pytest.fixture(scope="module")
def address(house: House) -> Iterator[str]:
    """The desk, served as `casebridge review` serves it."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    host = f"127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(make_app(house, [host]), log_level="error", lifespan="off"))
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    serving.start()
    yield f"http://{host}"
    server.should_exit = True
    serving.join()
    listening.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "no Chromium here: `apt-get install chromium` (`make test` tries to), or put one on PATH"
    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=path, args=_OPTIONS, timeout=120_000)
        yield made
        made.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A window. Anything that the browser complains of fails the test."""
    context = browser.new_context(
        viewport={"width": 1366, "height": 768}, java_script_enabled=getattr(request, "param", True)
    )
    made, complaints = context.new_page(), list[str]()
    made.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.set_default_timeout(120_000)
    yield made
    context.close()
    assert complaints == []


def enter(page: Page, address: str, login: str) -> None:
    page.goto(f"{address}/sign-in")
    page.fill("#login", login)
    page.fill("#password", password_of(login))
    page.click("button:has-text('Sign in')")
    page.wait_for_selector("text=Sign out")


def sound(page: Page) -> None:
    """Nothing for axe-core (WCAG 2.2 A and AA and its good practice), all that is folded unfolded."""
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_ten_pairs_by_keyboard_then_undo(page: Page, address: str, house: House) -> None:
    enter(page, address, "jo")
    page.click("text=Take the next pair")
    page.click("text=Single keys: off")
    page.wait_for_selector("text=Single keys: on")
    for _ in range(10):
        page.keyboard.press("d")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        page.wait_for_selector("text=Saved: different.")
    assert len(house.desk.decisions.standing()) == 10
    page.keyboard.press("u")
    page.wait_for_selector("text=Taken back.")
    assert sorted(str(d.verdict) for d in house.desk.decisions.standing()) == ["different"] * 9 + ["unsure"]
    page.keyboard.press("c")
    assert page.locator("select[name=code]").evaluate("e => e.required")
    assert page.locator("optgroup[label=same]").evaluate("e => e.disabled")
    page.fill("input[name=reason]", "sdrce")  # keys are letters while one types
    assert page.input_value("input[name=reason]") == "sdrce"
    assert page.locator("input[name=verdict]:checked").input_value() == "cannot tell"


def test_a_value_is_shown_in_its_place_when_it_is_asked_for(page: Page, address: str) -> None:
    enter(page, address, "kim")
    page.goto(f"{address}/pair/{PAIRS[11].item}")
    page.locator("summary:has-text('that agree')").click()
    cell = page.locator("td.a .cell", has=page.locator("button:has-text('show nhs number')"))
    assert "•" in cell.inner_text()
    before = page.url
    cell.locator("button").click()
    page.wait_for_selector("td.a .shown:has-text('4857773456')")
    assert page.url == before
    assert page.evaluate("document.activeElement.className") == "shown"
    assert page.evaluate("Object.keys(sessionStorage).length + Object.keys(localStorage).length") == 0


@pytest.mark.parametrize("page", [False], indirect=True, ids=["no scripts"])
def test_the_whole_way_without_scripts(page: Page, address: str, house: House) -> None:
    """Two people, one after the other, on a pair that needs both; a value uncovered, a verdict taken back."""
    item = PAIRS[12].item
    for login in ("kim", "jo"):
        enter(page, address, login)
        page.goto(f"{address}/pair/{item}")
        page.click("text=Take this pair")
        page.locator("summary:has-text('that agree')").click()
        page.locator("button:has-text('show nhs number')").first.click()
        page.wait_for_selector("text=4857773456")
        page.check("input[value=different]")
        page.click("text=Save and go on")
        page.wait_for_selector("text=Saved: different.")
        if login == "kim":
            page.click("text=Undo")
            page.wait_for_selector("text=Taken back.")
            page.check("input[value=different]")
            page.click("text=Save and go on")
            page.wait_for_selector("text=Saved: different.")
        page.click("text=Sign out")
        page.wait_for_selector("#login")
    decided = [d for d in house.desk.decisions.standing() if d.left_id == "old:20"]
    assert [(str(d.verdict), d.reviewer) for d in decided] == [("different", "Jo Somebody")]


def test_nothing_for_axe_on_any_page(page: Page, address: str) -> None:
    page.goto(f"{address}/sign-in")
    sound(page)
    enter(page, address, "tess")
    merged = f"/pair/{PAIRS[12].item}"
    for path in ("/queue", "/releases", "/progress", "/report", "/rules", "/checks", "/mine", "/quality",
                 "/family", "/test", f"/pair/{PAIRS[13].item}",
                 f"/group/{PAIRS[13].item}", merged, f"{merged}/survivorship"):  # fmt: skip
        page.goto(address + path)
        sound(page)
    page.goto(f"{address}/pair/{PAIRS[14].item}")
    page.click("text=Take this pair")
    sound(page)
    page.click("text=Sign out")
    enter(page, address, "ada")
    sound(page)
    assert "Both chains are whole" in page.inner_text("main")
    page.click("text=Draw ten more")
    page.wait_for_selector("text=say what you found")
    sound(page)


_OUT = """
() => [...document.body.querySelectorAll("*")].filter(one => {
  const box = one.getBoundingClientRect();
  if (!box.width || box.right <= innerWidth + 1 || getComputedStyle(one).position === "absolute") return false;
  for (let above = one.parentElement; above !== document.body; above = above.parentElement)
    if (["auto", "scroll", "hidden"].includes(getComputedStyle(above).overflowX)) return false;
  return true;
}).map(one => one.outerHTML.slice(0, 200))
"""
"""What stands beyond the right edge of the window, and in no box that scrolls by itself."""


def fits(page: Page, *widths: int) -> None:
    """Nothing of the page stands beyond its edge, all that is folded unfolded."""
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    for width in widths:
        page.set_viewport_size({"width": width, "height": 768})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (page.url, width)
        assert page.evaluate(_OUT) == [], (page.url, width)


def test_nothing_runs_out_of_a_page_of_the_desk(page: Page, address: str) -> None:
    """A window of 1280 points at 400 % is 320 wide (WCAG 1.4.10). On paper there is no bar over the text."""
    page.goto(f"{address}/sign-in")
    fits(page, 320, 400, 1366)
    enter(page, address, "sam")
    merged = f"/pair/{PAIRS[12].item}/survivorship"
    for path in ("/queue", f"/pair/{PAIRS[13].item}", f"/group/{PAIRS[13].item}", "/progress", "/report", merged,
                 "/quality", "/checks", "/mine", "/family", "/releases", "/rules", "/test",
                 "/nights"):  # fmt: skip
        page.goto(address + path)
        fits(page, 320, 400, 1366)
    page.goto(f"{address}/pair/{PAIRS[13].item}")
    page.emulate_media(media="print")
    assert page.locator(".verdictbar").evaluate("e => getComputedStyle(e).display") == "none"
    assert page.locator(".compare").first.is_visible()
    page.emulate_media(media="screen")
    page.click("text=Sign out")
    enter(page, address, "ada")
    fits(page, 320, 400, 1366)


def test_the_queue_on_a_telephone_scrolls_to_no_side(page: Page, address: str) -> None:
    """Nor is a pair that calls for nothing higher than four lines."""
    enter(page, address, "sam")
    page.goto(f"{address}/queue")
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.locator(".queue").evaluate("e => e.scrollWidth - e.clientWidth") == 0
    assert page.locator(".queue tbody tr").first.evaluate("e => e.offsetHeight") < 100
    page.set_viewport_size({"width": 1366, "height": 800})
    assert page.locator(".queue thead").is_visible()


def test_nothing_runs_out_of_a_page_that_is_opened_from_a_file(page: Page, tmp_path: Path) -> None:
    """Report, mapping and profile of tables, columns, codes and values with names that nothing can break."""
    long, code = "REFERENCEOFTHEPERSONWHOISRESPONSIBLEFORIT", "CODE" + "9" * 36
    rows = [f"{n},{code}{n % 3},2024-01-{n % 28 + 1:02},{n % 7}" for n in range(200)]
    rows += [f"{n},{code}0,soon,{n}" for n in (7, 201)]
    (tmp_path / "dump").mkdir()
    for name in (long, "KIN"):
        header = f"NO,{long}_KIND,{long}_SEEN,{long}_OF"
        (tmp_path / f"dump/{name}.csv").write_text("\n".join([header, *rows, ""]))
    project = ["--project", str(tmp_path / "ours")]
    for words in (["profile", str(tmp_path / "dump"), "--out", str(tmp_path)],
                  ["draft", str(tmp_path / "ours"), "--dump", str(tmp_path / "dump")],
                  ["run", *project], ["mapping", *project]):  # fmt: skip
        done = CliRunner().invoke(cli, words)
        assert done.exit_code == 0, done.output
    reports = tmp_path / "ours/reports/trial-1"
    for file in (tmp_path / "profile.html", reports / "report.html", reports / "mapping.html"):
        page.goto(file.as_uri())
        fits(page, 400, 1366)
        page.emulate_media(media="print")
        fits(page, 687)  # A4 without its margins: what is wider makes all of it smaller
        page.emulate_media(media="screen")


def test_the_vendored_script_is_the_one_that_was_pinned() -> None:
    path = Path(__file__).parents[2] / "migrate/web/static/htmx-2.0.11.min.js"
    pinned = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == pinned
