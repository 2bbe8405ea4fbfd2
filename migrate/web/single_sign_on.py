"""Single sign-on by OpenID Connect: the council's own sign-in says who somebody is, the account here says what he
may do.

Authorization code with PKCE (S256), state and nonce; the ID token's signature, issuer, audience, age and nonce are
checked (OpenID Connect Core 1.0, 3.1.3.7). What a sign-in needs until it comes back is kept here for ten minutes,
under a cookie of its own, and serves once.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from authlib.integrations.httpx_client import OAuth2Client, OAuthError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from casebridge.project.errors import CasebridgeError, Problem, SpecError
from casebridge.project.toml_file import TomlError, read_toml

FILE = "sso.toml"
"""In the project's folder: issuer, client_id, secret_variable, claim."""
_KNOWN = {"issuer", "client_id", "secret_variable", "claim"}
WAITS = 600
"""Seconds for which a sign-in may be under way."""
MOST = 1000
"""Sign-ins under way that are kept; the oldest goes first."""
LEEWAY, TIMEOUT = 60, 10.0


@dataclass(frozen=True)
class Provider:
    """The council's provider, as `sso.toml` names it. `claim`: which claim is the login here."""

    issuer: str
    client_id: str
    secret: str
    claim: str = "preferred_username"


@dataclass(frozen=True)
class _Pending:
    state: str
    nonce: str
    verifier: str
    back: str
    at: float


def read_provider(folder: Path) -> Provider:
    """SpecError lists what is wrong in `sso.toml`; the secret comes from the variable that it names."""
    try:
        raw = read_toml(folder / FILE)
    except TomlError as error:
        raise SpecError([Problem(FILE, "", str(error))]) from error
    problems = [Problem(FILE, name, "unknown key") for name in sorted(raw.keys() - _KNOWN)]
    for name in ("issuer", "client_id", "secret_variable"):
        if not isinstance(raw.get(name), str) or not raw[name]:
            problems.append(Problem(FILE, name, "is missing"))
    issuer = str(raw.get("issuer", ""))
    local = issuer.startswith(("http://localhost", "http://127.0.0.1"))
    if issuer and not issuer.startswith("https://") and not local:
        problems.append(Problem(FILE, "issuer", "must be an https address"))
    variable = str(raw.get("secret_variable", ""))
    if variable and not os.environ.get(variable):
        problems.append(Problem(FILE, "secret_variable", f"the variable {variable} is empty"))
    if problems:
        raise SpecError(problems)
    return Provider(issuer.rstrip("/"), raw["client_id"], os.environ[variable],
                    str(raw.get("claim") or "preferred_username"))  # fmt: skip


class SingleSignOn:
    """Sign-ins by one provider."""

    def __init__(self, provider: Provider, clock: Callable[[], float] = time.time) -> None:
        self._provider, self._clock, self._lock = provider, clock, threading.Lock()
        self._pending: dict[str, _Pending] = {}
        self._metadata: dict[str, Any] | None = None

    def begin(self, back: str) -> tuple[str, str]:
        """Where to send somebody, and the cookie that he must bring back. back: our address that he returns to.
        CasebridgeError when the provider cannot be reached."""
        token, made = secrets.token_urlsafe(32), _Pending(
            secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), back, self._clock()
        )  # fmt: skip
        with self._client(back) as client:
            address, _ = client.create_authorization_url(
                self._about()["authorization_endpoint"], state=made.state, nonce=made.nonce,
                code_verifier=made.verifier,
            )  # fmt: skip
        with self._lock:
            late = [key for key, one in self._pending.items() if one.at < self._clock() - WAITS]
            for key in (*late, *list(self._pending)[: max(0, len(self._pending) - MOST)]):
                self._pending.pop(key, None)
            self._pending[_digest(token)] = made
        return str(address), token

    def finish(self, token: str, state: str, code: str) -> str | None:
        """The login of somebody who came back; None when this is no sign-in of ours, or the provider does not
        stand by it. Each sign-in serves once."""
        with self._lock:
            pending = self._pending.pop(_digest(token), None)
        fits = pending is not None and hmac.compare_digest(pending.state.encode(), state.encode())
        if pending is None or not fits or not code or pending.at < self._clock() - WAITS:
            return None
        try:
            with self._client(pending.back) as client:
                answer = client.fetch_token(
                    self._about()["token_endpoint"], code=code, code_verifier=pending.verifier
                )
            claims = self._claims(str(answer["id_token"]), pending.nonce)
        except (OAuthError, httpx2.HTTPError, JoseError, KeyError, ValueError):
            return None
        login = claims.get(self._provider.claim)
        return login if isinstance(login, str) and login else None

    def _claims(self, text: str, nonce: str) -> dict[str, Any]:
        with httpx2.Client(timeout=TIMEOUT) as client:
            keys = KeySet.import_key_set(client.get(self._about()["jwks_uri"]).raise_for_status().json())
        token = jwt.decode(text, keys, algorithms=["RS256", "RS384", "RS512", "ES256", "ES384", "PS256"])
        registry = jwt.JWTClaimsRegistry(
            now=int(self._clock()), leeway=LEEWAY,
            iss={"essential": True, "value": self._about()["issuer"]},
            aud={"essential": True, "value": self._provider.client_id},
            exp={"essential": True}, iat={"essential": True}, nonce={"essential": True, "value": nonce},
        )  # fmt: skip
        registry.validate(token.claims)
        return dict(token.claims)

    def _client(self, back: str) -> OAuth2Client:
        return OAuth2Client(
            self._provider.client_id, self._provider.secret, scope="openid profile email", redirect_uri=back,
            code_challenge_method="S256", timeout=TIMEOUT, follow_redirects=False,
        )  # fmt: skip

    def _about(self) -> dict[str, Any]:
        """What the provider says of itself; it must be who it was said to be."""
        if self._metadata is None:
            address = f"{self._provider.issuer}/.well-known/openid-configuration"
            try:
                with httpx2.Client(timeout=TIMEOUT) as client:
                    found = client.get(address).raise_for_status().json()
            except (httpx2.HTTPError, ValueError) as error:
                hint = f"is {FILE} right, and the provider up? Local accounts work meanwhile"
                raise CasebridgeError("the council's single sign-on does not answer", hint=hint) from error
            if str(found.get("issuer", "")).rstrip("/") != self._provider.issuer:
                raise CasebridgeError("the single sign-on answers as somebody else", hint=f"issuer in {FILE}")
            self._metadata = found
        assert self._metadata is not None
        return self._metadata


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def open_single_sign_on(folder: Path) -> SingleSignOn:
    """The single sign-on of a project that has an `sso.toml`."""
    return SingleSignOn(read_provider(folder))
