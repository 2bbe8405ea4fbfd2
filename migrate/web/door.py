"""The door: what comes from another site, under another name or too large stays out; what goes out carries its
headers. Pure ASGI, so that nothing is buffered and no context is lost."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 64 * 1024
"""Bytes of a request's body: a form of ours is smaller."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Door:
    """Middleware around the whole desk."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...], *, secure: bool = False) -> None:
        self._app, self._hosts, self._secure = app, {host.casefold() for host in hosts}, secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fixed = scope["path"].startswith("/static/")

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers["cache-control"] = "public, max-age=3600" if fixed else "no-store"
                if self._secure:
                    headers["strict-transport-security"] = "max-age=31536000"
            await send(message)

        why = self._refusal(scope)
        if why:
            await PlainTextResponse(why, 400)(scope, receive, dressed)
            return
        await self._app(scope, _bounded(receive), dressed)

    def _refusal(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        host = headers.get("host", "").casefold()
        if host not in self._hosts:
            return "This desk does not answer to that name."
        if scope["method"] in {"GET", "HEAD"}:
            return ""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site not in {None, "same-origin", "none"} or (origin and urlsplit(origin).netloc.casefold() != host):
            return "A form of another site."
        size = headers.get("content-length", "0")
        if not size.isdigit() or int(size) > LARGEST:
            return "Too much."
        return ""


def _bounded(receive: Receive) -> Receive:
    """What comes in, as long as it is not too much; the rest is as if the sender had hung up."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        return message if seen <= LARGEST else {"type": "http.disconnect"}

    return counted
