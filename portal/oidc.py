"""Log-in at an identity provider (OpenID Connect): authorization code with PKCE, state and nonce.

What the provider says is believed under its own signature alone, when it is for us, for now, and for the log-in that
this browser began. Only a name is taken from it: who there is and what they may do is decided here.
"""

import base64
import hashlib
import hmac
import os
import secrets
import time
from dataclasses import dataclass
from threading import Lock
from typing import Any, cast
from urllib.parse import quote, unquote, urlencode, urlsplit

import httpx2 as httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from voucher.errors import Misused, Refused, Unreachable

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
"""Signatures by a key that the provider alone has: never none, never one that is made with our own secret."""
LEEWAY_SECONDS, BEGUN_SECONDS, TIMEOUT_SECONDS = 60, 600, 5.0
"""By how much clocks may differ; how long a log-in may take at the provider, and how long one answer of it."""
KEPT_SECONDS, FRESH_SECONDS = 3600.0, 60.0
"""How long the provider's description and keys are kept, and how long when a token fits none of the keys."""
_WRONG = "统一身份认证没有通过，没有登录。请重新登录；仍不成功请联系管理员。"


@dataclass(frozen=True, slots=True)
class Begun:
    """A log-in that was begun, as a cookie remembers it. then: the page to go to."""

    state: str
    nonce: str
    verifier: str
    then: str

    def cookie(self) -> str:
        """Write it as the value of a cookie."""
        return ".".join((self.state, self.nonce, self.verifier, quote(self.then, safe="")))


def begin(then: str) -> Begun:
    """Begin a log-in."""
    return Begun(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), then)


def begun(cookie: str, state: str) -> Begun:
    """Read the log-in that this browser began; the provider must have given back its state. Raises Refused."""
    parts = cookie.split(".")
    if len(parts) != 4 or not parts[0] or not hmac.compare_digest(parts[0].encode(), state.encode()):
        raise Refused("oidc_state", _WRONG)
    return Begun(parts[0], parts[1], parts[2], unquote(parts[3]))


class Oidc:
    """One identity provider. claim: which of its claims is our user name. label: what the button says."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, claim: str, label: str) -> None:
        self.issuer, self.client_id, self.claim, self.label = issuer, client_id, claim, label
        self._secret = client_secret
        self._lock = Lock()
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    def address(self, log_in: Begun, back: str) -> str:
        """Write where the browser goes to log in. back: where it comes back to. Raises Unreachable."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(log_in.verifier.encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": back, "scope": "openid profile email",
            "state": log_in.state, "nonce": log_in.nonce, "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }  # fmt: skip
        place = self._place("authorization_endpoint")
        return f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}"

    def name(self, log_in: Begun, code: str, back: str) -> str:
        """Exchange the code for the name of whoever logged in there. Raises Refused, Unreachable."""
        sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": back,
                "code_verifier": log_in.verifier}  # fmt: skip
        login = (quote(self.client_id, safe=""), quote(self._secret, safe="")) if self._secret else None
        if login is None:
            sent["client_id"] = self.client_id
        answer = self._ask("POST", self._place("token_endpoint"), data=sent, auth=login)
        if answer.status_code != 200:
            raise Refused("oidc_code", _WRONG)
        token = _object(answer).get("id_token")
        claims = self._claims(token if isinstance(token, str) else "", log_in.nonce)
        name = claims.get(self.claim)
        sure = self.claim != "email" or claims.get("email_verified") is True
        if not isinstance(name, str) or not name or not sure:
            raise Refused("oidc_claim", _WRONG)
        return name

    def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """Check an identity token: signed by the provider, for us alone, now, for this log-in. Raises Refused."""
        values = {"iss": self.issuer, "aud": self.client_id, "nonce": nonce}
        held_to: dict[str, Any] = {name: {"essential": True, "value": value} for name, value in values.items()}
        held_to |= {name: {"essential": True} for name in ("sub", "exp", "iat")}
        try:
            claims = self._signed(token)
            jwt.JWTClaimsRegistry(leeway=LEEWAY_SECONDS, **held_to).validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise Refused("oidc_token", _WRONG) from error
        if claims["aud"] not in (self.client_id, [self.client_id]):
            raise Refused("oidc_token", _WRONG)
        return claims

    def _signed(self, token: str) -> dict[str, Any]:
        """Read a token that one of the provider's keys has signed; its keys are fetched anew when none has."""
        place = self._place("jwks_uri")
        try:
            return jwt.decode(token, self._keys(place), algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            return jwt.decode(token, self._keys(place, fresh=True), algorithms=ALGORITHMS).claims

    def _keys(self, place: str, *, fresh: bool = False) -> KeySet:
        return KeySet.import_key_set(cast(KeySetSerialization, self._document(place, fresh=fresh)))

    def _place(self, name: str) -> str:
        """Read an endpoint from the provider's description. Raises Unreachable."""
        described = self._document(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        place = described.get(name)
        if described.get("issuer") != self.issuer or not isinstance(place, str) or not _safe(place):
            raise Unreachable("oidc_unreachable", "统一身份认证的配置不对。请改用口令登录，并告知管理员。")
        return place

    def _document(self, url: str, *, fresh: bool = False) -> dict[str, Any]:
        """Fetch a document of the provider, or give the one that is kept: for a shorter time when asked for afresh."""
        with self._lock:
            at, kept = self._kept.get(url, (0.0, {}))
        if kept and time.monotonic() - at < (FRESH_SECONDS if fresh else KEPT_SECONDS):
            return kept
        found = _object(self._ask("GET", url))
        with self._lock:
            self._kept[url] = (time.monotonic(), found)
        return found

    def _ask(self, method: str, url: str, **sent: Any) -> httpx.Response:
        try:
            with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
                answer = client.request(method, url, headers={"accept": "application/json"}, **sent)
        except httpx.HTTPError as error:
            raise Unreachable("oidc_unreachable", "连接不上统一身份认证。请稍后重试，或改用口令登录。") from error
        if answer.status_code >= 500:
            raise Unreachable("oidc_unreachable", "统一身份认证暂时不能用。请稍后重试，或改用口令登录。")
        return answer


def configured() -> Oidc | None:
    """Read the identity provider from CVL_OIDC_ISSUER and the rest; None without one. Raises Misused."""
    issuer, client_id = os.environ.get("CVL_OIDC_ISSUER", ""), os.environ.get("CVL_OIDC_CLIENT_ID", "")
    if not issuer:
        return None
    if not client_id or not _safe(issuer):
        raise Misused("bad_oidc", "请同时设置 CVL_OIDC_ISSUER（https 网址）和 CVL_OIDC_CLIENT_ID。")
    return Oidc(
        issuer, client_id, os.environ.get("CVL_OIDC_CLIENT_SECRET", ""),
        os.environ.get("CVL_OIDC_CLAIM") or "preferred_username", os.environ.get("CVL_OIDC_NAME") or "统一身份认证",
    )  # fmt: skip


def _safe(url: str) -> bool:
    """Tell whether an address is one over TLS, or on this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"))
    )


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}
