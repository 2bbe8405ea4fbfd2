"""The audit log: append-only, each entry chained to the one before it by a keyed digest.

It stands in the control database, beside what people decided. Each entry's `link` is an HMAC-SHA256, under the
project's audit key, of the link before it and of the entry. The key lies in a file of the project and not in
the database, so whoever can write there can neither change an entry nor add one unseen. Entries cut off at the
end leave a chain that is whole; the head is therefore kept in the ledger too, and in each signature.

What an entry says of a pair of records is encrypted with a key of that pair (AES-GCM). To forget the pair, its
key is destroyed: the chain stays whole, and the words are unreadable to all. `tags` are keyed digests that tell
whether two entries say the same, without telling what.
"""

from __future__ import annotations

import getpass
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from casebridge.project.control import bring_up_control
from casebridge.project.database import writing
from casebridge.project.errors import CasebridgeError
from casebridge.project.ledger import now

KEY_FILE = "audit.key"
START = "0" * 64
_NONCE = 12  # bytes, as NIST SP 800-38D recommends for GCM

_meta = sa.MetaData()


def _entries(name: str) -> sa.Table:
    return sa.Table(
        name,
        _meta,
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("link", sa.String(64), nullable=False),
    )


ENTRIES = _entries("audit")
READS = _entries("audit_reads")
"""What was looked at stands in a chain of its own: nobody who decides waits for those who read."""
KEYS = sa.Table(
    "audit_keys",
    _meta,
    sa.Column("subject", sa.String(64), primary_key=True),
    sa.Column("secret", sa.String(64), nullable=False),
)


@dataclass(frozen=True)
class Head:
    """The last entry of the log: its number (0 when there is none) and its link."""

    number: int
    link: str


@dataclass(frozen=True)
class Said:
    """What to write: the body; the subject that it can be forgotten by (empty for none); what `tags` are made of.

    With `keep` False nobody can ever read the body: only that something was said, and its tags.
    """

    body: Mapping[str, Any]
    subject: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    keep: bool = True


@dataclass(frozen=True)
class Entry:
    """One entry. `body` is None where its subject was forgotten."""

    number: int
    at: str
    kind: str
    subject: str
    tags: Mapping[str, str]
    body: Mapping[str, Any] | None


class AuditLog:
    """The log of one project. `key` is the file that holds the audit key; it is made with the first entry.

    reading: no key is made. Where there is none yet, digests are made by one that nobody keeps: equal to no other.
    known: the schema was brought up by whoever opens the log, and is not looked for again.
    """

    def __init__(
        self,
        engine: sa.Engine,
        key: Path,
        *,
        reading: bool = False,
        known: bool = False,
        entries: sa.Table = ENTRIES,
    ) -> None:
        self.engine, self._key, self._reading, self._table = engine, key, reading, entries
        self._known = known

    def append(self, connection: sa.Connection, kind: str, said: Sequence[Said]) -> Head:
        """Add entries of one kind in the caller's transaction. Returns the new head."""
        if not said:
            return self._head(connection)
        bring_up_control(connection, known=self._known)
        self.alone(connection)
        key, head = self._secret(connection, make=True), self._head(connection)
        number, link, rows, at = head.number, head.link, [], now()
        for item in said:
            number += 1
            row = {"number": number, "at": at, "kind": kind, **self._sealed(connection, key, item, number)}
            link = _link(key, link, row)
            rows.append({**row, "link": link})
        connection.execute(self._table.insert(), rows)
        return Head(number, link)

    def _sealed(self, connection: sa.Connection, key: bytes, item: Said, number: int) -> dict[str, str]:
        subject = _keyed(key, "subject", item.subject) if item.subject else ""
        tags = {name: _keyed(key, "tag", name, item.subject, text) for name, text in item.tags.items()}
        text = json.dumps(dict(item.body), ensure_ascii=False, sort_keys=True)
        if subject:
            own = self._subject_key(connection, subject) if item.keep else secrets.token_bytes(32)
            text = _encrypted(text, own, number)
        return {"subject": subject, "tags": json.dumps(tags, sort_keys=True), "body": text}

    def note(self, kind: str, **body: Any) -> Head:
        """Add one entry about no pair, in a transaction of its own. Returns the new head."""
        with writing(self.engine).begin() as connection:
            return self.append(connection, kind, [Said(body)])

    def entries(self, *kinds: str, subject: str | None = None) -> Iterator[Entry]:
        """The entries of some kinds (all when none is named), oldest first. `subject`: those on one, as
        `subject()` names it. Read only."""
        query = sa.select(self._table).where(self._table.c.number > 0).order_by(self._table.c.number)
        of = sa.select(KEYS)
        if subject is not None:
            query, of = query.where(self._table.c.subject == subject), of.where(KEYS.c.subject == subject)
        if not self._there():
            return
        with self.engine.connect() as connection:
            secrets_of = {row.subject: row.secret for row in connection.execute(of)}
            for row in connection.execute(query.where(self._table.c.kind.in_(kinds)) if kinds else query):
                tags = dict(json.loads(row.tags))
                body = _body(row, secrets_of.get(row.subject))
                yield Entry(row.number, row.at, row.kind, row.subject, tags, body)

    def has_key(self) -> bool:
        """Whether the audit key was made already."""
        return self._key.is_file()

    def head(self) -> Head:
        """The last entry. Read only."""
        if not self._there():
            return Head(0, START)
        with self.engine.connect() as connection:
            return self._head(connection)

    def problems(self, kept: Sequence[Head] = (), since: Head | None = None) -> tuple[str, ...]:
        """What is wrong with the chain, in sentences; nothing when it is whole. Read only.

        `kept` are heads that were noted elsewhere: the log must still hold each of them. `since`: only what came
        after an entry that was looked at before, and that entry itself, for a log that is looked at often.
        """
        start = since or Head(0, START)
        if not self._there():
            return ("the audit log is gone",) if any(head.number for head in (*kept, start)) else ()
        with self.engine.connect() as connection:
            found, links, _ = self._walked(connection, start)
        for head in kept:
            if head.number >= start.number and links.get(head.number) != head.link:
                found.append(f"entry {head.number} of the audit log is gone, or is another than was noted")
        return tuple(dict.fromkeys(found))

    def follow(self, connection: sa.Connection, since: Head) -> tuple[tuple[str, ...], Head]:
        """What is wrong after an entry that was looked at before, in sentences, and the last entry, as the
        caller's transaction sees them."""
        found, _, last = self._walked(connection, since)
        return tuple(dict.fromkeys(found)), last

    def _walked(self, connection: sa.Connection, start: Head) -> tuple[list[str], dict[int, str], Head]:
        """What is wrong from an entry on, the links that there are, and the last entry."""
        query = sa.select(self._table).order_by(self._table.c.number)
        query = query.where(self._table.c.number >= start.number) if start.number else query
        found, links, link, last = list[str](), {0: START, start.number: start.link}, start.link, start.number
        key, seen = b"", False
        for row in connection.execute(query):
            if row.number < 1:
                found.append(f"entry {row.number} of the audit log was put in by somebody: the first one is 1")
                continue
            if row.number == start.number:
                seen = row.link == start.link
                continue
            key = key or self._secret(connection, make=False)
            if row.number != last + 1:
                found.append(f"entries {last + 1} to {row.number - 1} of the audit log are gone")
            if not hmac.compare_digest(_link(key, link, row._mapping), row.link):
                found.append(f"entry {row.number} of the audit log is not what was written")
            links[row.number], link, last = row.link, row.link, row.number
        if start.number and not seen:
            found.insert(0, f"entry {start.number} of the audit log is gone, or is another than was noted")
        return found, links, Head(last, link)

    def forget(self, connection: sa.Connection, subjects: Sequence[str]) -> int:
        """Destroy the keys of some subjects: what the log says of them is unreadable from now on. Returns how
        many there were."""
        if not subjects or not self._there():
            return 0
        key = self._secret(connection, make=False)
        names = [_keyed(key, "subject", subject) for subject in subjects]
        return connection.execute(KEYS.delete().where(KEYS.c.subject.in_(names))).rowcount

    def keyed(self, *parts: str) -> str:
        """A digest that nobody without the audit key can make, such as of a list that must not be guessed."""
        return self.keyer()(*parts)

    def keyer(self) -> Callable[..., str]:
        """What makes such digests: for many of them the key is read once."""
        with self.engine.connect() as connection:
            return partial(_keyed, self._secret(connection, make=True))

    def subject(self, name: str) -> str:
        """How entries name a subject."""
        return self.keyed("subject", name)

    def tag(self, name: str, subject: str, text: str) -> str:
        """The tag that an entry on `subject` with this text has."""
        return self.keyed("tag", name, subject, text)

    def _there(self) -> bool:
        return self._known or sa.inspect(self.engine).has_table(self._table.name)

    def alone(self, connection: sa.Connection) -> None:
        """From here on the caller's transaction alone writes to the log: two must not both follow one entry, and
        numbers that are given out then are seen in their order. The lock is a statement of its own, so that what
        is read after it is as it stands then. SQLite's `writing` transactions are alone from the start."""
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text(f"LOCK TABLE {self._table.name} IN EXCLUSIVE MODE"))

    def _head(self, connection: sa.Connection) -> Head:
        row = connection.execute(
            sa.select(self._table.c.number, self._table.c.link).order_by(self._table.c.number.desc()).limit(1)
        ).first()
        return Head(row.number, row.link) if row else Head(0, START)

    def _secret(self, connection: sa.Connection, *, make: bool) -> bytes:
        try:
            return bytes.fromhex(self._key.read_text(encoding="ascii").strip())
        except FileNotFoundError:
            used = any(_holds_any(connection, table) for table in (ENTRIES, READS))
            if used or not make:
                raise CasebridgeError(
                    f"the audit key {self._key} is not there",
                    hint="restore it from a backup: without it nobody can tell whether decisions were changed",
                ) from None
        except OSError as error:
            raise CasebridgeError(
                f"the audit key {self._key} cannot be read",
                hint="whoever checks or adds decisions needs it: its owner may let you read it",
            ) from error
        except ValueError as error:
            raise CasebridgeError(
                f"the audit key {self._key} is damaged", hint="restore it from a backup"
            ) from error
        return secrets.token_bytes(32) if self._reading else _new_key(self._key)

    def _subject_key(self, connection: sa.Connection, name: str) -> bytes:
        found = connection.scalar(sa.select(KEYS.c.secret).where(KEYS.c.subject == name))
        if found is None:
            found = secrets.token_hex(32)
            connection.execute(KEYS.insert().values(subject=name, secret=found))
        return bytes.fromhex(str(found))


def _holds_any(connection: sa.Connection, table: sa.Table) -> bool:
    there = sa.inspect(connection).has_table(table.name)
    return there and connection.scalar(sa.select(table.c.number).limit(1)) is not None


def login() -> str:
    """The login that asks, for the log: as the system knows it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid()) if hasattr(os, "getuid") else ""


def _new_key(path: Path) -> bytes:
    """Make the key file, for its owner only; of two who make it at once, the first one's holds. It is never there
    half: it is written beside its place and linked there."""
    made, beside = secrets.token_bytes(32), path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    place = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        with os.fdopen(place, "w", encoding="ascii") as file:
            file.write(made.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, path)
    except FileExistsError:
        return bytes.fromhex(path.read_text(encoding="ascii").strip())
    finally:
        beside.unlink(missing_ok=True)
    return made


def _keyed(key: bytes, *parts: str) -> str:
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _link(key: bytes, before: str, row: Mapping[Any, Any]) -> str:
    parts = (str(row[name]) for name in ("number", "at", "kind", "subject", "tags", "body"))
    return _keyed(key, "link", before, *parts)


def _encrypted(text: str, key: bytes, number: int) -> str:
    """Hexadecimal nonce and ciphertext, bound to the entry's number."""
    nonce = secrets.token_bytes(_NONCE)
    return (nonce + AESGCM(key).encrypt(nonce, text.encode(), str(number).encode())).hex()


def _body(row: sa.Row[Any], secret: str | None) -> Mapping[str, Any] | None:
    if not row.subject:
        return dict(json.loads(row.body))
    if secret is None:
        return None
    sealed = bytes.fromhex(row.body)
    text = AESGCM(bytes.fromhex(secret)).decrypt(sealed[:_NONCE], sealed[_NONCE:], str(row.number).encode())
    return dict(json.loads(text))
