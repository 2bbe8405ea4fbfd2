"""A second factor for local accounts: the codes of an authenticator app (TOTP, RFC 6238: SHA-1, 30 s, six digits).

An account's secret is worked out from the audit key and a text of its own, so that whoever reads the control
database has none.
"""

from __future__ import annotations

import base64
import hmac
from urllib.parse import quote, urlencode

from casebridge.migrate.web.accounts import Account
from casebridge.project.audit import AuditLog

STEP, DIGITS, EITHER_SIDE = 30, 6, 1
"""Seconds for which a code holds, its digits, and how many steps a telephone's clock may be off."""
_BYTES = 20  # RFC 4226: 160 bits


def secret_of(log: AuditLog, account: Account) -> bytes:
    """The secret of an account that has a second factor."""
    return bytes.fromhex(log.keyed("second factor", f"{account.login}\n{account.second}"))[:_BYTES]


def code_at(secret: bytes, step: int) -> str:
    """The code of a step of time (HOTP, RFC 4226)."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    place = mac[-1] & 15
    number = int.from_bytes(mac[place : place + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(secret: bytes, code: str, at: float) -> int | None:
    """The step of time that a code is of, now or one beside it; None when it is of none."""
    typed = "".join(code.split())
    now = int(at) // STEP
    return next((step for step in range(now - EITHER_SIDE, now + EITHER_SIDE + 1)
                 if hmac.compare_digest(code_at(secret, step).encode(), typed.encode())), None)  # fmt: skip


def address_of(secret: bytes, login: str) -> str:
    """What an app reads, as `otpauth://`."""
    query = urlencode({"secret": base64.b32encode(secret).decode(), "issuer": "Casebridge"})
    return f"otpauth://totp/{quote(f'Casebridge:{login}')}?{query}"
