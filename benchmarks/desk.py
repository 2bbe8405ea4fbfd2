"""Many reviewers at one desk over HTTP: how long pages take, and whether a decision is lost or made twice.

    python -m benchmarks.desk [--pairs 100000] [--reviewers 50] [--minutes 10] [--think 5 20] [--kill]

The desk runs as in life (`casebridge review`, PostgreSQL for its control database) on loopback; each reviewer
signs in, takes the next pair, thinks, decides, looks at the queue now and then. --kill: the server is killed
(SIGKILL) after a third of the time and PostgreSQL after two thirds; both are started again, and everybody goes on.
At the end every verdict that was answered with a page must stand in the database once, and none more. --short: a
minute with 1 to 3 s. `missed` names each of GOALS that was not met; the exit code is then 1.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg

from benchmarks.server import database, postgres
from casebridge.dedupe.review.desk import Desk
from casebridge.dedupe.review.evidence_file import Held, Kin, PairEvidence, Person
from casebridge.migrate.web.accounts import Accounts
from casebridge.migrate.web.roles import Role
from casebridge.project.settings import read_settings
from tests.desks import make_world, pair_of, somebody

PASSWORD = "a sentence of the load test"
GOALS = {"queue p95_ms": 100, "pair p95_ms": 100, "next pair p95_ms": 100, "verdict p95_ms": 50, "peak_gib": 1}
"""What a page, a verdict and the server may take; and no decision is lost or made twice."""
VERDICTS = ("same",) * 7 + ("different",) * 2 + ("cannot tell",)
_HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*name="([^"]*)"[^>]*value="([^"]*)"')
_FORM = re.compile(r'<form method="post" action="(/pair/[0-9a-f]+/verdict)".*?</form>', re.DOTALL)


def records(count: int) -> Iterator[Person]:
    """Two records for each pair, alike but for a letter, with family and tables around them."""
    chance = random.Random(1)
    for number in range(count):
        key = f"{number:07d}"
        roles = {"surname": f"Name{chance.randrange(9000)}", "birth_date": f"19{chance.randrange(40, 99)}-03-04",
                 "nhs_number": f"999{number:07d}"[:10], "street": "Mill Lane", "house": key[-2:],
                 "postcode": "ZZ1 1ZZ"}  # fmt: skip
        for side in "ab":
            made = somebody(f"{side}{key}", f"Ann{side}", kin=[Kin(f"old:{'b' if side == 'a' else 'a'}{key}",
            "x")],
                            **roles)  # fmt: skip
            held = tuple(Held(name, 3, "2026-01-02", ({"name": "x", "from": "2020-01-01"},) * 3)
                         for name in ("names", "addresses", "involvements", "agreements"))  # fmt: skip
            yield Person(made.id, 0, made.roles, made.fields, held, made.kin, (f"Team {number % 40}",), (), key)


def pairs(count: int) -> Iterator[PairEvidence]:
    """Open pairs, a hundredth of which need two people."""
    for number in range(count):
        key = f"{number:07d}"
        made = pair_of(
            f"a{key}", f"b{key}", value=round(6 - 6 * number / count, 1), teams=(f"Team {number % 40}",)
        )
        flags = ("looked after",) if number % 100 == 0 else ()
        yield PairEvidence(**{**vars(made), "item": f"{number * 2_654_435_761 % 2**128:032x}", "flags": flags})


@dataclass
class Seen:
    """What the reviewers measured: seconds by kind of page, verdicts that were answered, refusals, lost
    connections."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    answered: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)


class Reviewer(threading.Thread):
    """One person with a browser that keeps its connection."""

    def __init__(self, number: int, port: int, until: float, think: tuple[float, float], seen: Seen) -> None:
        super().__init__(daemon=True)
        self._login, self._port, self._until, self._think, self._seen = f"r{number}", port, until, think, seen
        self._chance, self._cookie = random.Random(number), ""
        self._connection: http.client.HTTPConnection | None = None
        self._last = 0.0

    def run(self) -> None:
        """Work until the time is over; whatever breaks, sign in again and go on."""
        time.sleep(self._chance.uniform(0, self._think[1]))
        while time.monotonic() < self._until:
            try:
                self._sit()
            except (OSError, http.client.HTTPException):
                self._seen.words["connection lost"] += 1
                self._connection = None
                time.sleep(0.5)

    def _sit(self) -> None:
        page = self._get("/queue", "queue") if self._cookie else ""
        if "pairs for you" not in page:
            self._sign_in()
            page = self._get("/queue", "queue")
        if "pairs for you" not in page:
            time.sleep(0.5)
            return
        while time.monotonic() < self._until:
            form = _FORM.search(page)
            if form is None:
                if "Sign in" in page and 'action="/sign-in"' in page:
                    return
                page = self._get("/queue", "queue")
                token = dict(_HIDDEN.findall(page)).get("csrf", "")
                page = self._post("/next", {"csrf": token}, "next pair")
                continue
            time.sleep(self._chance.uniform(*self._think))
            fields = dict(_HIDDEN.findall(form.group()))
            verdict = self._chance.choice(VERDICTS)
            fields |= {"verdict": verdict, "code": "needs the file" if verdict == "cannot tell" else ""}
            self._seen.unsure.append(fields["key"])
            page = self._post(form.group(1), fields, "verdict")
            self._seen.unsure.remove(fields["key"])
            if "Saved:" in page:
                self._seen.answered.append(fields["key"])
            else:
                self._seen.words["not saved"] += 1
            if self._chance.random() < 0.1:
                self._get("/queue", "queue")

    def _sign_in(self) -> None:
        self._cookie = ""
        self._post("/sign-in", {"login": self._login, "password": PASSWORD}, "sign in")

    def _get(self, path: str, kind: str) -> str:
        return self._ask("GET", path, None, kind)

    def _post(self, path: str, fields: dict[str, str], kind: str) -> str:
        return self._ask("POST", path, urlencode(fields), kind)

    def _ask(self, method: str, path: str, body: str | None, kind: str) -> str:
        for _ in range(6):
            if time.monotonic() - self._last > 4:
                self._connection = None  # the server lets go of it after five seconds, and a browser makes another
            self._last = time.monotonic()
            if self._connection is None:
                self._connection = http.client.HTTPConnection("localhost", self._port, timeout=30)
                self._connection.connect()
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            headers = {"Cookie": self._cookie} if self._cookie else {}
            if body is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            began = time.perf_counter()
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            text = answer.read().decode()
            away = answer.status == 503
            self._seen.seconds["not now" if away else kind].append(time.perf_counter() - began)
            if away:
                time.sleep(
                    1
                )  # somebody who reads that the desk cannot work just now does not try fifty times a second
            if answer.headers.get("Set-Cookie"):
                self._cookie = answer.headers["Set-Cookie"].split(";")[0]
            self._seen.words[f"status {answer.status}"] += 1
            if answer.status >= 400:
                said = re.findall(r"<p[^>]*>([^<]{10,200})", text)
                self._seen.words[f"{answer.status} {said[0] if said else ''}"[:160]] += 1
            if answer.status != 303:
                return text
            kind = "pair" if "/pair/" in answer.headers["Location"] else "queue"
            method, path, body = "GET", answer.headers["Location"], None
        return ""


class Server:
    """`casebridge review` in a process of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self.port = folder, port
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        words = [
            sys.executable,
            "-m",
            "casebridge",
            "review",
            "--project",
            str(self._folder),
            "--port",
            str(self.port),
        ]
        made = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert made.stdout is not None
        made.stdout.readline()
        return made

    def kill(self) -> None:
        """As when the power goes; then it is started again."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = self._start()

    def peak(self) -> float:
        """The most memory that it had, in GiB."""
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.findall(r"VmHWM:\s+(\d+)", text)[0]) / 1024**2


def kill_postgres(url: str) -> None:
    """Kill a backend of PostgreSQL: it ends every session, recovers from its log, and comes up by itself."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
        ).fetchone()
    assert row is not None
    subprocess.run(["kill", "-9", str(row[0])], check=True)


def counted(url: str, seen: Seen) -> dict[str, int]:
    """Forms that were answered and are not there, that are there twice, and pairs with two settling decisions."""
    with psycopg.connect(url) as connection:
        forms = Counter(
            row[0] for row in connection.execute("SELECT form FROM desk_verdicts WHERE act = 'verdict'")
        )
        twice = connection.execute(
            "SELECT count(*) FROM (SELECT left_id FROM decisions WHERE verdict <> 'unsure' "
            "GROUP BY left_id, right_id, reviewer HAVING count(*) > 1) AS t"
        ).fetchone()
    assert twice is not None
    return {
        "answered": len(seen.answered), "kept": sum(forms.values()),
        "lost": sum(key not in forms for key in seen.answered), "form twice": sum(n > 1 for n in forms.values()),
        "unanswered but kept": sum(key in forms for key in seen.unsure), "decided twice": int(twice[0]),
    }  # fmt: skip


def measure(options: argparse.Namespace, folder: Path, url: str) -> dict[str, Any]:
    """Lay the project out, let the reviewers work, and count."""
    world = make_world(folder, url)
    world.show(list(records(options.pairs)), list(pairs(options.pairs)))
    desk = Desk(read_settings(folder))
    accounts = Accounts(desk.engine, time.time, cheap=True)  # passwords are dear on purpose, and not measured here
    for number in range(options.reviewers):
        accounts.add(f"r{number}", f"Reviewer {number}", Role.REVIEWER, PASSWORD)
        accounts.accept_rules(f"r{number}")
        accounts.note_test(f"r{number}", passed=True)
    desk.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server, seen = Server(folder, port), Seen()
    seconds = 60 * options.minutes
    began = time.monotonic()
    people = [Reviewer(n, port, began + seconds, tuple(options.think), seen) for n in range(options.reviewers)]
    for person in people:
        person.start()
    peak = 0.0
    for part, act in ((1, server.kill), (2, lambda: kill_postgres(url))):
        time.sleep(max(0.0, began + part * seconds / 3 - time.monotonic()))
        peak = max(peak, server.peak())
        if options.kill:
            act()
    for person in people:
        person.join(max(0.0, began + seconds + 60 - time.monotonic()))
    peak = max(peak, server.peak())
    with suppress(ProcessLookupError):
        server.process.send_signal(signal.SIGINT)
        server.process.wait(10)
    pages = {kind: _figures(times) for kind, times in sorted(seen.seconds.items())}
    return {"pairs": options.pairs, "reviewers": options.reviewers, "minutes": options.minutes, "pages": pages,
            "peak_gib": round(peak, 2), "words": dict(seen.words), **counted(url, seen)}  # fmt: skip


def missed(found: dict[str, Any]) -> list[str]:
    """The goals that these figures do not meet, in words."""
    measured = {f"{kind} p95_ms": figures["p95_ms"] for kind, figures in found["pages"].items()}
    measured["peak_gib"] = found["peak_gib"]
    over = [f"{name}: {measured[name]} (at most {most})" for name, most in GOALS.items() if measured[name] > most]
    return over + [f"{name}: {found[name]}" for name in ("lost", "form twice", "decided twice") if found[name]]


def _figures(times: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=20) if len(times) > 1 else times * 19
    return {"count": len(times), "median_ms": round(1000 * statistics.median(times), 1),
            "p95_ms": round(1000 * cuts[18], 1), "worst_ms": round(1000 * max(times), 1)}  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--reviewers", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--think", type=float, nargs=2, default=(5.0, 20.0))
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    if options.short:
        options.minutes, options.think = 1, (1.0, 3.0)
    with (
        tempfile.TemporaryDirectory(prefix="casebridge-desk-") as work,
        postgres() as server,
        database(server) as url,
    ):
        found = measure(options, Path(work) / "project", url)
        found["missed"] = missed(found)
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
    sys.exit(bool(found["missed"]))


if __name__ == "__main__":
    main()
