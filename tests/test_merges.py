"""What a merge does to the target, by the command line: nothing stale stays, nothing else is touched."""

from __future__ import annotations

from pathlib import Path

from tests.kin import make_kin, person, relation


def test_a_change_of_a_folded_record_reaches_the_survivor(tmp_path: Path) -> None:
    """The two stand in batches of their own, and only the folded one changes: a restriction put on it in the next
    export must not be missing from the record that stands for both."""
    people = [person(1, "Ng", "111"), person(2, "Li"), person(3, "Ng")]
    kin = make_kin(tmp_path, people, batch_rows=2)
    kin.run()
    kin.decide((1, 3))
    kin.run()
    assert kin.people() == [("1", "111", "N"), ("2", None, "N")]
    kin.dump([*people[:2], person(3, "Ng", secure="Y")])
    kin.run("trial-2")
    assert kin.people() == [("1", "111", "Y"), ("2", None, "N")]


def test_a_blank_of_the_survivor_is_filled_again(tmp_path: Path) -> None:
    people = [person(1, "Ng"), person(2, "Li"), person(3, "Ng", "333")]
    kin = make_kin(tmp_path, people, batch_rows=2)
    kin.run()
    kin.decide((1, 3))
    kin.run()
    kin.dump([*people[:2], person(3, "Ng", "444")])
    kin.run("trial-2")
    assert [phone for _, phone, _ in kin.people()] == [None, "444"]


def test_only_a_merge_makes_a_relation_one_of_itself(tmp_path: Path) -> None:
    """1 and 3 become one person: what related them goes, either way round. A relation of somebody to themselves
    that the legacy system held is the council's own: it stays, whichever of the two records survives. Two of them,
    one of each record, say the same thing now."""
    people = [person(1, "Ng", "111"), person(2, "Li"), person(3, "Ng"), person(4, "Wu", "4"), person(5, "Wu")]
    pairs = [(1, 3), (3, 1), (2, 2), (1, 1), (3, 3), (2, 3), (5, 5)]
    relations = [relation(number, *pair) for number, pair in enumerate(pairs, 1)]
    kin = make_kin(tmp_path, people, relations)
    kin.run()
    kin.decide((1, 3), (4, 5))
    kin.run()
    assert kin.relations() == [("R3", "2", "2"), ("R4", "1", "1"), ("R6", "2", "1"), ("R7", "4", "4")]
    assert kin.places("RELATION") == ["excluded", "excluded", "loaded", "loaded", "combined", "loaded", "loaded"]


def test_what_the_legacy_system_held_twice_stays_twice(tmp_path: Path) -> None:
    """Two equal relations of people whom no merge touched are none of our business; two that a merge made equal
    are one, and the first of them stays."""
    people = [person(1, "Ng", "111"), person(2, "Li"), person(3, "Ng"), person(4, "Wu")]
    pairs = [(2, 4), (2, 4), (1, 2), (3, 2), (3, 4)]
    kin = make_kin(tmp_path, people, [relation(number, *pair) for number, pair in enumerate(pairs, 1)])
    kin.run()
    kin.decide((1, 3))
    kin.run()
    assert [key for key, *_ in kin.relations()] == ["R1", "R2", "R3", "R5"]
    assert kin.places("RELATION") == ["loaded", "loaded", "loaded", "combined", "loaded"]
