"""The no-link list: however it is written it protects, and one that protects nobody stops everything."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from casebridge.project.errors import SourceError
from casebridge.project.lists import LARGEST
from casebridge.project.no_link import NoLink
from casebridge.project.settings import Live, Settings, System

SEPARATORS = [",", ";", "|", "\t", "\v", "\f", "\r", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\u2028", "\u2029",
              "\n", "\r\n"]  # fmt: skip
SPELLINGS = ["2", "002", " 2 ", "2.0", "2.00", "old:2", "P:0002", "'2", '"2"', "\u200b2", "2\xa0", "\ufeff2",
             "\uff12", "2\u2060", "\u20662\u2069", "\u00ad2", "' 2.0 '", "P:'2'", "P: 2", "\ue0002",
             "\u03782", "\x002", "2\x1a", "\x7f2"]  # fmt: skip
HINT = "put the list back or right, or take `no_link` out of casebridge.toml if there is nobody to protect"


@dataclass(frozen=True)
class Project:
    """Whatever knows its settings."""

    settings: Settings


def _project(folder: Path, *systems: System, live: Live | None = None) -> NoLink:
    names = {system.name: system for system in systems}
    return NoLink(Project(Settings(folder, "Northam", "sqlite://", "sqlite://", names, live=live)))


def _list(folder: Path, text: str | bytes, name: str = "NO_LINK.csv", system: str = "old") -> System:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return System(system, folder, no_link=path)


def test_a_list_written_otherwise_protects(tmp_path: Path) -> None:
    for separator, spelling in itertools.product(SEPARATORS, SPELLINGS):
        listed = _project(tmp_path, _list(tmp_path, f"PI_NO{separator}1000{separator}{spelling}\n"))
        assert listed.hidden(["old:1", "old:2", "old:22", "new:2"]) == {"old:2"}, (separator, spelling)


@pytest.mark.parametrize(
    ("line", "item"),
    [("000", "old:0"), ("000", "old:00"), ("A:B:7", "old:7"), ("A:B:7", "old:A:B:7"), ("ab 12", "old:AB12"),
     ("STRASSE", "old:straße"), ("7,8", "old:8"), ("7.0.0", "old:7.0"), ("1.10", "old:1.10"), ("x-0", "old:X-0"),
     ("٣", "old:٣"), ("7:", "old:7:"), ("0", "old:0"), ("00a", "old:A"), ("X9X", "old:X9X"), ("'P:7'", "old:p:7")],
)  # fmt: skip
def test_a_key_is_known_in_each_of_its_spellings(line: str, item: str, tmp_path: Path) -> None:
    listed = _project(tmp_path, _list(tmp_path, f"KEY\n{line}\nx1\n"))
    assert listed.hides(item)
    assert not listed.hides("old:10")
    assert not listed.hides("old:")


def test_nobody_is_hidden_by_another_systems_list(tmp_path: Path) -> None:
    """And each list hides its own; that of the live register too."""
    old, new = _list(tmp_path, "1\n2\n", "old.csv"), _list(tmp_path, "3\n", "new.csv", "new")
    live = Live("sqlite://", "mosaic", no_link=_list(tmp_path, "4\n", "live.csv").no_link)
    plain = System("plain", tmp_path)
    everybody = [f"{system}:{key}" for system in ("old", "new", "mosaic", "plain") for key in "12345"]
    assert _project(tmp_path, old, new, plain, live=live).hidden(everybody) == {
        "old:1", "old:2", "new:3", "mosaic:4",
    }  # fmt: skip
    assert _project(tmp_path, plain, live=live).hidden(everybody) == {"mosaic:4"}
    assert _project(tmp_path, old, live=Live("sqlite://")).hidden(everybody) == {"old:1", "old:2"}


def test_without_a_list_nobody_is_hidden(tmp_path: Path) -> None:
    listed = _project(tmp_path, System("old", tmp_path))
    assert not listed
    assert (listed.hidden(["old:1"]), listed.text()) == (set(), "")
    listed.check([])
    assert _project(tmp_path, _list(tmp_path, "1\n"))


def test_what_stands_in_all_lists_is_one_text(tmp_path: Path) -> None:
    old, new = _list(tmp_path, "NO\n10\n2\n", "old.csv"), _list(tmp_path, "K3", "new.csv", "new")
    assert _project(tmp_path, old, new).text() == "new:k3\nold:10\nold:2\nold:no"
    assert _project(tmp_path, _list(tmp_path, "000\n")).text() == "old:0"


@pytest.mark.parametrize("text", ["", "PI_NO\n", "\n\n", "PI_NO\n \u200b\n", "\ufeff", ",;\n", "' \"\n", ".0\n"])
def test_a_list_without_a_key_stops(tmp_path: Path, text: str) -> None:
    with pytest.raises(SourceError, match=r"NO_LINK\.csv: the no-link list is empty") as caught:
        _project(tmp_path, _list(tmp_path, text)).hidden(["old:1"])
    assert caught.value.hint == HINT


def test_one_key_is_a_list(tmp_path: Path) -> None:
    assert _project(tmp_path, _list(tmp_path, "7")).hides("old:7")
    assert _project(tmp_path, _list(tmp_path, "A\nB")).hides("old:b")


def _gone(path: Path) -> None:
    path.unlink()


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _too_large(path: Path) -> None:
    os.truncate(path, LARGEST + 1)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(_gone, "the no-link list is not there"), (_a_folder, "the no-link list cannot be read"),
     (_too_large, "the no-link list is larger than any list of keys")],
)  # fmt: skip
def test_a_list_that_is_not_there_stops(spoil, said: str, tmp_path: Path) -> None:
    system = _list(tmp_path, "1\n")
    spoil(system.no_link)
    with pytest.raises(SourceError) as caught:
        _project(tmp_path, system).text()
    assert str(caught.value).startswith(f"NO_LINK.csv: {said}")
    assert caught.value.hint == HINT


@pytest.mark.parametrize("data", [b"PI_NO\n2\xff\n", "PI_NO\n2\n".encode("utf-16")])
def test_a_list_that_cannot_be_read_stops(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SourceError, match=r"NO_LINK\.csv: the no-link list is no text in UTF-8") as caught:
        _project(tmp_path, _list(tmp_path, data)).hidden(["old:1"])
    assert caught.value.hint == HINT


KNOWN = {"old:1", "old:002", "old:AB3", "new:9"}


@pytest.mark.parametrize("text", ["1\n2\n", "PI_NO\n1\n", "PI_NO,WHY\n 2,adopted\n\nab3\n", "1", "P:2"])
def test_a_list_that_names_records_passes(text: str, tmp_path: Path) -> None:
    _project(tmp_path, _list(tmp_path, text)).check(KNOWN)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("77\n2\n", "1 lines of the no-link list name no record of the dump (line 1)"),
        ("PI_NO\n2\nPI_NO\n\n1\n9\n", "2 lines of the no-link list name no record of the dump (line 3, 6)"),
        ("".join(f"{n}\n" for n in (*range(71, 83), 1)), "12 lines of the no-link list name no record of the dump "
         "(line 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)"),
        ("PI_NO\nPI-NO\n", "the no-link list names no record of the dump"),
        ("9\n", "the no-link list names no record of the dump"),
        ("PI_NO\n", "the no-link list names no record of the dump"),
        ("\n", "the no-link list names no record of the dump"),
    ],
)  # fmt: skip
def test_a_line_that_names_no_record_stops(text: str, said: str, tmp_path: Path) -> None:
    """A misspelt key would protect nobody; a first line without a figure is a header."""
    with pytest.raises(SourceError) as caught:
        _project(tmp_path, _list(tmp_path, text)).check(KNOWN)
    assert str(caught.value).split("\n")[0] == f"NO_LINK.csv: {said}"
    one_a_line = "write one key a line, as the dump has it; a misspelt key would protect nobody"
    assert caught.value.hint == (one_a_line if "lines" in said else HINT)


def test_the_live_registers_list_is_not_held_against_the_dump(tmp_path: Path) -> None:
    live = Live("sqlite://", no_link=_list(tmp_path, "77\n", "live.csv").no_link)
    _project(tmp_path, _list(tmp_path, "1\n"), live=live).check(KNOWN)
