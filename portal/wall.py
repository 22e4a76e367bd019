"""The wall around the portal: what every request must fulfil, and what every answer carries.

Pure ASGI, so that a body is refused while it arrives, before anything parses it.
"""

import logging
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal.metrics import Metrics
from portal.oidc import Oidc

SAFE = ("GET", "HEAD", "OPTIONS")
TOO_LARGE = "上传的内容超过限制，请分批上传。"
FORM_BYTES = 256 * 1024
"""Largest body of a form without files."""
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_CHARSET = re.compile(r'charset=(?!"?utf-?8\b)|charset\*', re.IGNORECASE)
"""A form in another encoding than pages are written in: of some that Python knows comes what is no text at all."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")
_log = logging.getLogger("cvl.portal")


@dataclass(frozen=True, slots=True)
class Settings:
    """How the portal is reached. origin: scheme, host and port as a browser writes them.

    second_factor: roles that must have one. oidc: the identity provider, where there is one.
    """

    origin: str
    second_factor: frozenset[str] = frozenset()
    oidc: Oidc | None = None

    @property
    def secure(self) -> bool:
        """Tell whether cookies go over TLS only."""
        return self.origin.startswith("https:")

    @property
    def cookie(self) -> str:
        """Name the cookie of the session; over TLS no other host and no other path can set it."""
        return "__Host-cvl_session" if self.secure else "cvl_session"

    @property
    def host(self) -> str:
        """Name host and port."""
        return urlsplit(self.origin).netloc


class Wall:
    """Refuse strangers' hosts, cross-site posts and bodies that are too large; log, count and mark every answer."""

    def __init__(self, app: ASGIApp, settings: Settings, upload_bytes: Mapping[str, int], metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._upload_bytes = upload_bytes
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, began = Headers(scope=scope), time.monotonic()
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.match(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        seen = {"status": 500}

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
                self._mark(MutableHeaders(scope=message), request_id)
            await send(message)

        self._metrics.began()
        try:
            refused = self._refusal(scope, headers)
            if refused is not None:
                await refused(scope, receive, answer)
                return
            await self._app(scope, self._bounded(scope, receive), answer)
        finally:
            seconds = time.monotonic() - began
            route = getattr(scope.get("route"), "path", "-")
            self._metrics.ended(scope["method"], route, seen["status"], seconds)
            self._note(scope, route, seen["status"], seconds, request_id)

    def _refusal(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        """Return why a request goes no further."""
        probe = scope["path"] in ("/healthz", "/readyz", "/metrics")
        if headers.get("host", "") != self._settings.host and not probe:
            return _say(421, "不认识的主机名。请使用本系统公布的网址。")
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or len(length) > 15:
            return _say(400, "请求不完整。")
        if int(length) > self._limit(scope):
            return _say(413, TOO_LARGE)
        if _CHARSET.search(headers.get("content-type", "")):
            return _say(415, "只接受 UTF-8 编码的内容。请从页面上重新操作；程序请改用 UTF-8。")
        if scope["method"] not in SAFE and not scope["path"].startswith("/api/"):
            origin = headers.get("origin") or _origin(headers.get("referer", ""))
            if origin != self._settings.origin or headers.get("sec-fetch-site", "same-origin") != "same-origin":
                return _say(403, "这个请求不是从本系统的页面发出的，没有办理。请从页面上重新操作。")
        return None

    def _limit(self, scope: Scope) -> int:
        return self._upload_bytes.get(scope["path"], FORM_BYTES)

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """Count the body as it comes, whatever its length was said to be."""
        limit, total = self._limit(scope), 0

        async def counted() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > limit:
                raise HTTPException(413)
            return message

        return counted

    def _mark(self, headers: MutableHeaders, request_id: str) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("cache-control", "no-store")
        headers["x-request-id"] = request_id
        if self._settings.secure:
            headers["strict-transport-security"] = "max-age=31536000"

    def _note(self, scope: Scope, route: str, status: int, seconds: float, request_id: str) -> None:
        """Log one line; the route, never the path's or the query's values."""
        user = scope["state"].get("user", "")
        entry = {
            "method": scope["method"], "route": route, "status": status, "seconds": f"{seconds:.3f}", "user": user,
            "address": address(scope), "request": request_id,
        }  # fmt: skip
        _log.info("answered", extra=entry)


def address(scope: Scope) -> str:
    """Name where a request came from; behind a proxy that uvicorn trusts, what the proxy says."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _say(status: int, sentence: str) -> PlainTextResponse:
    return PlainTextResponse(sentence + "\n", status)
