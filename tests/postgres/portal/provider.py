"""A small identity provider on this machine, over real HTTP, with a key of its own; what it says can be spoiled."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "cvl-portal", "一个 secret/含特殊字符"


class Identity:
    """The provider. who: the name it vouches for; spoil: claims that are put in place of the right ones."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.who, self.spoil, self.sign = "maker1", {}, "RS256"  # type: ignore[var-annotated]
        self.described: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []

    def description(self) -> dict[str, Any]:
        places = {f"{name}_endpoint": f"{self.issuer}/{name}" for name in ("authorization", "token")}
        return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **places} | self.described

    def authorize(self, asked: dict[str, str]) -> str:
        """Give a code for a log-in that has happened; returns where the browser goes back to."""
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, sent: dict[str, str], authorization: str) -> dict[str, str] | None:
        """Exchange a code, once, for an identity token; None where anything is wrong."""
        asked = self.codes.pop(sent["code"], None)
        basic = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        ours = urlencode({CLIENT_ID: CLIENT_SECRET}).replace("=", ":").replace("+", "%20")
        if asked is None or basic != ours or sent["redirect_uri"] != asked["redirect_uri"]:
            return None
        if _url(hashlib.sha256(sent["code_verifier"].encode()).digest()) != asked["code_challenge"]:
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "sub": "7", "iat": now, "exp": now + 300,
                  "nonce": asked["nonce"], "preferred_username": self.who} | self.spoil  # fmt: skip
        return {"token_type": "Bearer", "id_token": self.signed({k: v for k, v in claims.items() if v is not None})}

    def signed(self, claims: dict[str, Any]) -> str:
        """Sign claims, or do not, or with what is no secret of the provider's."""
        if self.sign in ("none", "HS256"):
            parts = ({"alg": self.sign, "kid": self.key.kid}, claims)
            text = ".".join(_url(json.dumps(part).encode()) for part in parts)
            public = self.key.as_pem(private=False)
            return f"{text}.{_url(hmac.digest(public, text.encode(), 'sha256')) if self.sign == 'HS256' else ''}"
        key = RSAKey.generate_key(2048) if self.sign == "another" else self.key
        return jwt.encode({"alg": "RS256", "kid": self.key.kid or "one"}, claims, key)


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@contextmanager
def identity() -> Iterator[Identity]:
    """Run a provider on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            made.asked.append(parts.path)
            if parts.path == "/authorization":
                self.send_response(302)
                self.send_header("location", made.authorize({k: v[0] for k, v in parse_qs(parts.query).items()}))
                self.end_headers()
            elif parts.path == "/keys":
                self._say({"keys": [made.key.as_dict(private=False)]})
            else:
                self._say(made.description() if parts.path == "/.well-known/openid-configuration" else None)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            sent = {k: v[0] for k, v in parse_qs(body).items()}
            self._say(made.token(sent, self.headers.get("authorization", "")))

        def _say(self, what: Any) -> None:
            body = json.dumps(what if what is not None else {"error": "invalid_grant"}).encode()
            self.send_response(200 if what is not None else 400)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Identity(f"{'http'}://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
