"""A review desk without a run: a project whose ledger names an evidence file that the test writes.

`Desktop` is the desk in a browser without scripts: it signs in, reads forms and sends them as they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from starlette.testclient import TestClient

from casebridge.dedupe.review.desk import Desk
from casebridge.dedupe.review.evidence_file import KIND, NAME, Kin, PairEvidence, Person, write_evidence_file
from casebridge.dedupe.review.evidence_on_record import head_batch
from casebridge.dedupe.review.evidence_store import head_of, text_digest
from casebridge.migrate.web.accounts import Accounts
from casebridge.migrate.web.app import make_app
from casebridge.migrate.web.roles import Role
from casebridge.migrate.web.sessions import Sessions
from casebridge.migrate.web.visit import House
from casebridge.project.batch import Batch, file_digest
from casebridge.project.ledger import Ledger
from casebridge.project.settings import read_settings
from casebridge.project.tally import Tally
from tests.audit_key import lay_key

HOST = "desk.test"
PEOPLE = {"jo": (Role.REVIEWER, False), "kim": (Role.REVIEWER, False), "sam": (Role.SENIOR, True),
          "tess": (Role.SENIOR, True), "ola": (Role.OWNER_CHILDREN, True), "ada": (Role.AUDITOR, False),
          "bo": (Role.BOARD, False), "hal": (Role.HELP_DESK, False)}  # fmt: skip


def password_of(login: str) -> str:
    """The password of an account of the tests."""
    return f"a long sentence, number {sum(map(ord, login))}"


class Clock:
    """A clock that a test winds."""

    def __init__(self, at: float = 1_790_000_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def somebody(
    key: str, forename: str = "Ann", surname: str = "Ng", *, clearance: int = 0, flags: Sequence[str] = (),
    kin: Sequence[Kin] = (), **roles: str,
) -> Person:  # fmt: skip
    """A record `old:KEY`."""
    said = {"forename": forename, "surname": surname, "birth_date": "2001-02-03", **roles}
    return Person(
        f"old:{key}", clearance, said, {"restricted": "N"}, (), tuple(kin), ("North",), tuple(flags), f"d{key}"
    )


def pair_of(left: str, right: str, **more: object) -> PairEvidence:
    """A pair of two such records, open, put forward by linkage."""
    made = PairEvidence(
        item=f"{left}{right}".encode().hex().rjust(32, "0")[-32:], left_id=f"old:{left}", right_id=f"old:{right}",
        clearance=0, open=True, value=2.0, p=0.97, weight=12.0, relation="same", zone="same",
        levels={"surname": "same surname"}, teams=("North",), evidence=f"e{left}{right}",
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


@dataclass
class World:
    """A project with a desk. `show` puts other evidence in place, as the next run would."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    number: int = 0

    def show(
        self, people: Sequence[Person], pairs: Sequence[PairEvidence], run: str = "trial-1", **facts: str
    ) -> None:
        """Write evidence, and have the ledger name it."""
        self.number += 1
        work = self.folder / "work"
        path = work / "dedupe" / NAME / f"{self.number:05d}.{KIND}.db"
        path.parent.mkdir(parents=True, exist_ok=True)
        head = write_evidence_file(path, sorted(people, key=lambda person: person.id), pairs, facts)
        head_of(path).write_text(head, encoding="utf-8")
        ledger = Ledger(work)
        inputs = str(self.number)
        ledger.attempt("dedupe", NAME, 0, inputs)
        batch = Batch("dedupe", NAME, 0, KIND, inputs, path, len(pairs), file_digest(path))
        ledger.record("dedupe", NAME, 0, inputs, [batch, head_batch(batch, text_digest(head))], Tally())
        ledger.seal(run, "dedupe", NAME, [(0, inputs)])
        ledger.close()
        self.clock.at += 2


def make_world(folder: Path, control: str = "sqlite:///control.db", more: str = "") -> World:
    """A project of one system, `old`, with nothing to review yet."""
    folder.mkdir(parents=True, exist_ok=True)
    text = f'[control]\nurl = "{control}"\n[systems.old]\ndump = "."\n{more}'
    (folder / "casebridge.toml").write_text(text, encoding="utf-8")
    lay_key(folder)
    return World(folder)


class Desktop:
    """One person at the desk: pages come as they are, forms are sent as they stand."""

    def __init__(self, client: TestClient) -> None:
        self.client, self.page, self.status, self.path = client, "", 0, ""

    def get(self, path: str) -> str:
        """Go to a page."""
        return self._came(self.client.get(path))

    def _came(self, answer: object) -> str:
        self.answer = answer
        self.page, self.status = answer.text, answer.status_code  # type: ignore[attr-defined]
        self.path = answer.url.path  # type: ignore[attr-defined]
        return self.page

    def send(self, action: str, **fields: str) -> str:
        """Send the form on this page whose action this is, with what it holds and these fields."""
        form = next(f for f in re.findall(r"<form.*?</form>", self.page, re.DOTALL) if f'action="{action}"' in f)
        found = re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]*)"[^>]*value="([^"]*)"', form)
        return self._came(self.client.post(action, data={**dict(found), **fields}))

    def say(self, item: str, verdict: str, **fields: str) -> str:
        """Take a pair, decide it, and go where that leads."""
        self.get(f"/pair/{item}")
        if f'action="/pair/{item}/take"' in self.page:
            self.send(f"/pair/{item}/take")
        return self.send(f"/pair/{item}/verdict", verdict=verdict, **fields)


@contextmanager
def open_desk(world: World, *, demo: bool = False) -> Iterator[House]:
    """The desk of a world, with one account for each role."""
    desk = Desk(read_settings(world.folder), world.clock)
    accounts = Accounts(desk.engine, world.clock, cheap=True)
    for login, (role, cleared) in PEOPLE.items():
        if accounts.find(login) is None:
            accounts.add(login, f"{login.title()} Somebody", role, password_of(login), clearance=cleared)
            accounts.accept_rules(login)
            accounts.note_test(login, passed=True)
    try:
        yield House(desk, accounts, Sessions(desk.engine, world.clock), demo)
    finally:
        desk.close()


def at_desk(house: House, login: str = "", **headers: str) -> Desktop:
    """Somebody who has signed in; nobody when no login is given."""
    client = TestClient(make_app(house, [HOST]), base_url=f"http://{HOST}", headers=headers)
    made = Desktop(client)
    if login:
        made.get("/sign-in")
        made.send("/sign-in", login=login, password=password_of(login))
    return made
