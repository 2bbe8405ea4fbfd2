"""Staff at work in a made-up council's live register, day by day: births, deaths, moves, marriages, and records
made again of people who are there already.

It writes to the tables of a Mosaic-style target, as staff would, and knows who is who.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import sqlalchemy as sa

PEOPLE: Final = "dm_persons"
ADDRESSES: Final = "dm_addresses"
_NAMES: Final = ("ALEX", "AMINA", "BEN", "CHLOE", "DANIEL", "EVA", "FINN", "GRACE", "HASSAN", "IVY", "JACK", "KAI")
_SURNAMES: Final = ("ASHDOWN", "BRACKEN", "COLDWELL", "DUNMORE", "ELLERBY", "FENWICK", "GARSIDE", "HOLLOWAY")
_STREETS: Final = ("ALDER WAY", "BECK LANE", "CHURCH VIEW", "DALE ROAD", "EAST TERRACE", "FORGE HILL", "GARTH END")


@dataclass(frozen=True)
class Day:
    """What happened on one day: each record that was made again, as (whose, the new one), and how many people were
    born, died, moved and married."""

    again: tuple[tuple[int, int], ...] = ()
    born: int = 0
    died: int = 0
    moved: int = 0
    married: int = 0


@dataclass
class StaffAtWork:
    """The staff of a made-up council. Same seed and same register, same days."""

    engine: sa.Engine
    seed: int = 1
    same: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)
        meta = sa.MetaData()
        meta.reflect(self.engine, only=[PEOPLE, ADDRESSES])
        self._people, self._homes = meta.tables[PEOPLE], meta.tables[ADDRESSES]

    def day(self, day: dt.date, changes: int = 4, again: int = 1) -> Day:
        """One day. changes: events of other kinds, about; again: records that are made again."""
        at = dt.datetime.combine(day, dt.time(14))
        with self.engine.begin() as connection:
            ids = [int(item) for item in connection.scalars(sa.select(self._people.c.person_id))]
            made = tuple(self._make_again(connection, self._one_of(ids), at) for _ in range(again))
            kinds = self._random.choice(
                ["born", "died", "moved", "married"], size=changes, p=[0.25, 0.1, 0.4, 0.25]
            )
            for kind in kinds:
                getattr(self, f"_{kind}")(connection, self._one_of(ids), at)
        return Day(made, *(int((kinds == kind).sum()) for kind in ("born", "died", "moved", "married")))

    def _one_of(self, items: list[int]) -> int:
        return int(items[int(self._random.integers(len(items)))])

    def _word(self, words: tuple[str, ...]) -> str:
        return words[int(self._random.integers(len(words)))]

    def _row(self, connection: sa.Connection, person: int) -> dict[str, Any]:
        found = connection.execute(sa.select(self._people).where(self._people.c.person_id == person))
        return dict(found.mappings().one())

    def _insert(self, connection: sa.Connection, row: Mapping[str, Any], at: dt.datetime) -> int:
        number = int(connection.scalar(sa.select(sa.func.max(self._people.c.person_id))) or 0) + 1
        made = {"person_id": number, "person_id_legacy": f"M{number}", "created_on": at, "last_updated_on": at}
        connection.execute(self._people.insert().values({**row, **made}))
        return number

    def _make_again(self, connection: sa.Connection, person: int, at: dt.datetime) -> tuple[int, int]:
        """Somebody is typed in again: without his NHS number, perhaps spelt otherwise, at the same address."""
        row = self._row(connection, person)
        slip = int(self._random.integers(3))
        name = str(row["first_name"] or "")
        if slip == 0 and len(name) > 3:
            row["first_name"] = name[:-1]
        elif slip == 1 and row["last_name"]:
            row["last_name"] = str(row["last_name"]).replace("E", "EE", 1)
        number = self._insert(connection, {**row, "nhs_id": None}, at)
        where = self._homes.c.person_id == person
        for home in connection.execute(sa.select(self._homes).where(where)).mappings().all():
            self._move_in(connection, number, dict(home))
        self.same[number] = self.same.get(person, person)
        return person, number

    def _born(self, connection: sa.Connection, near: int, at: dt.datetime) -> None:
        family = self._row(connection, near)
        child = {**family, "first_name": self._word(_NAMES), "date_of_birth": at.replace(hour=0), "nhs_id": None,
                 "date_of_death": None, "title": None, "restricted": "N"}  # fmt: skip
        number = self._insert(
            connection, {**child, "full_name": f"{child['first_name']} {family['last_name']}"}, at
        )
        for home in (
            connection.execute(sa.select(self._homes).where(self._homes.c.person_id == near)).mappings().all()
        ):
            self._move_in(connection, number, dict(home))

    def _died(self, connection: sa.Connection, person: int, at: dt.datetime) -> None:
        self._change(connection, person, at, date_of_death=at.replace(hour=0))

    def _married(self, connection: sa.Connection, person: int, at: dt.datetime) -> None:
        self._change(connection, person, at, last_name=self._word(_SURNAMES))

    def _moved(self, connection: sa.Connection, person: int, at: dt.datetime) -> None:
        connection.execute(self._homes.delete().where(self._homes.c.person_id == person))
        address = f"{int(self._random.integers(1, 200))} {self._word(_STREETS)}"
        code = f"TK{int(self._random.integers(1, 30))} {int(self._random.integers(1, 10))}AA"
        self._move_in(connection, person, {"address": address, "post_code": code, "address_type": "MAIN"})
        self._change(connection, person, at)

    def _change(self, connection: sa.Connection, person: int, at: dt.datetime, **values: Any) -> None:
        where = self._people.c.person_id == person
        connection.execute(self._people.update().where(where).values({**values, "last_updated_on": at}))

    def _move_in(self, connection: sa.Connection, person: int, home: Mapping[str, Any]) -> None:
        key = self._homes.c.ref_addresses_people_id
        number = int(connection.scalar(sa.select(sa.func.max(key))) or 0) + 1
        row = {**home, "ref_addresses_people_id": number, "person_id": person}
        connection.execute(self._homes.insert().values(row))

    def merge(self, gone: int, kept: int) -> None:
        """Staff merge one record into another: the first is no more."""
        with self.engine.begin() as connection:
            for table in (self._homes, self._people):
                connection.execute(table.delete().where(table.c.person_id == gone))
        self.same[gone] = self.same.get(kept, kept)
