"""Log-in at an identity provider: who it names gets in when all of it fits, and nobody else."""

import time
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pyotp
import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import text

from portal.app import make_app
from portal.oidc import Oidc, configured
from portal.wall import Settings
from tests.postgres.portal.conftest import ORIGIN, Browser, Portal
from tests.postgres.portal.provider import CLIENT_ID, CLIENT_SECRET, Identity, identity
from voucher import logins, second
from voucher.database import run, transaction
from voucher.errors import Misused


@pytest.fixture(scope="module")
def there() -> Iterator[Identity]:
    with identity() as made:
        yield made


@pytest.fixture
def joined(portal: Portal, there: Identity, monkeypatch: pytest.MonkeyPatch) -> Portal:
    """Give the portal with the provider, which is as it should be at first."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    there.who, there.spoil, there.sign, there.described = "maker1", {}, "RS256", {}
    for name in ("maker1", "checker1"):
        portal.as_user(name)
    return with_provider(portal, there)


def with_provider(portal: Portal, there: Identity, claim: str = "preferred_username") -> Portal:
    provider = Oidc(there.issuer, CLIENT_ID, CLIENT_SECRET, claim, "市统一认证")
    return Portal(portal.engine, make_app(portal.engine, Settings(ORIGIN, oidc=provider)), portal.desk)


def leave(portal: Portal, then: str = "/policies") -> tuple[Browser, str]:
    """Go to the provider and log in there; returns the browser and the address it is sent back to."""
    browser = portal.browser()
    browser.client.follow_redirects = False
    browser.get(f"/login/oidc?next={then}", status=303)
    assert browser.answer is not None
    back = httpx.get(browser.answer.headers["location"]).headers["location"]
    browser.client.follow_redirects = True
    return browser, back.removeprefix(ORIGIN)


def events(portal: Portal) -> list[tuple[str, str, str]]:
    with transaction(portal.engine, "cvl_auditor") as db:
        rows = db.execute(text("SELECT event, code, name FROM access_event ORDER BY event_id DESC LIMIT 3"))
        return [tuple(row) for row in rows]


def refused(portal: Portal, code: str, browser: Browser, back: str, status: int = 409) -> None:
    browser.get(back, status=status)
    assert "__Host-cvl_session" not in browser.client.cookies
    assert events(portal)[0] == ("login_failed", code, "")


def test_whom_the_provider_names_gets_in(joined: Portal) -> None:
    browser = joined.browser()
    browser.get("/login?next=/invoices")
    (link,) = browser.page.xpath("//a[contains(., '用市统一认证登录')]/@href")
    browser, back = leave(joined, link.partition("next=")[2])
    browser.get(back)
    assert browser.answer is not None
    assert browser.answer.url.path == "/invoices"
    assert "maker1（经办）" in browser.text
    assert events(joined)[0] == ("logged_in", "", "maker1")
    assert "__Host-cvl_oidc" not in browser.client.cookies
    again = joined.browser()
    again.client.cookies.set("__Host-cvl_oidc", "x")
    refused(joined, "oidc_state", again, back)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ({"nonce": "another"}, "oidc_token"),
        ({"nonce": None}, "oidc_token"),
        ({"aud": "another"}, "oidc_token"),
        ({"aud": [CLIENT_ID, "another"]}, "oidc_token"),
        ({"aud": None}, "oidc_token"),
        ({"iss": "another"}, "oidc_token"),
        ({"exp": 1_700_000_000}, "oidc_token"),
        ({"exp": None}, "oidc_token"),
        ({"nbf": 4_000_000_000}, "oidc_token"),
        ({"sub": None}, "oidc_token"),
        ({"preferred_username": None}, "oidc_claim"),
        ({"preferred_username": ["maker1"]}, "oidc_claim"),
        ({"preferred_username": "nobody"}, "oidc_user"),
        ({"preferred_username": "system"}, "oidc_user"),
        ({"preferred_username": "MAKER1"}, "oidc_user"),
        ({"preferred_username": "auditor1"}, "oidc_user"),
    ],
)
def test_what_does_not_fit_is_refused_and_on_record(
    joined: Portal, there: Identity, spoil: dict[str, Any], code: str
) -> None:
    """The auditor has no log-in here yet, or no more."""
    browser, back = leave(joined)
    there.spoil = spoil
    before = run(joined.engine, lambda db: len(logins.everyone(db)))
    refused(joined, code, browser, back)
    assert run(joined.engine, lambda db: len(logins.everyone(db))) == before


@pytest.mark.parametrize("sign", ["none", "HS256", "another"])
def test_only_the_providers_own_signature_counts(joined: Portal, there: Identity, sign: str) -> None:
    browser, back = leave(joined)
    there.sign = sign
    refused(joined, "oidc_token", browser, back)


def test_a_new_key_of_the_provider_is_fetched(joined: Portal, there: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, back = leave(joined)
    browser.get(back)
    monkeypatch.setattr(there, "key", RSAKey.generate_key(2048, {"kid": "two"}))
    browser, back = leave(joined)
    refused(joined, "oidc_token", browser, back)  # not more often than once a minute
    monkeypatch.setattr("portal.oidc.FRESH_SECONDS", 0.0)
    browser, back = leave(joined)
    browser.get(back)
    assert "maker1（经办）" in browser.text


def test_only_the_browser_that_began_ends_and_only_once(joined: Portal) -> None:
    browser, back = leave(joined)
    other, _ = leave(joined)
    refused(joined, "oidc_state", other, back)
    refused(joined, "oidc_state", joined.browser(), back)
    refused(joined, "oidc_state", browser, back.replace("state=", "state=x"))
    code = back.partition("code=")[2].partition("&")[0]
    refused(joined, "oidc_code", *leave_with(joined, code))  # a code that was meant for another's challenge
    refused(joined, "oidc_code", browser, back)  # and is gone now
    denied, back = leave(joined)
    refused(joined, "oidc_denied", denied, back.replace("code=", "error=access_denied&x="))


def leave_with(portal: Portal, code: str) -> tuple[Browser, str]:
    """Go there and come back with a code of somebody else."""
    browser, back = leave(portal)
    state = back.partition("state=")[2]
    return browser, f"/login/oidc/back?code={code}&state={state}"


def test_a_local_second_factor_is_asked_for_and_a_one_time_password_is_not(joined: Portal, there: Identity) -> None:
    there.who = "checker1"
    run(joined.engine, lambda db: logins.one_time_password(db, "checker1"))
    browser, back = leave(joined)
    browser.get(back)
    assert browser.answer is not None
    assert browser.answer.url.path == "/policies"
    run(joined.engine, lambda db: second.start(db, "checker1"))
    found = run(joined.engine, lambda db: second.find(db, "checker1"))
    assert found is not None
    now = pyotp.TOTP(found["secret"]).at(int(time.time()))
    assert run(joined.engine, lambda db: second.give(db, "checker1", now)) == "code"
    browser, back = leave(joined, "/invoices")
    browser.get(back)
    assert (browser.answer.url.path, browser.answer.url.params["next"]) == ("/login/code", "/invoices")  # type: ignore[union-attr]
    later = pyotp.TOTP(found["secret"]).at(int(time.time()) + second.STEP_SECONDS)
    browser.post("/login/code", {"code": later, "next": "/invoices"})
    assert browser.answer.url.path == "/invoices"  # type: ignore[union-attr]


def test_another_claim_and_an_address_that_was_checked(joined: Portal, there: Identity) -> None:
    by_mail = with_provider(joined, there, "email")
    for verified, status in ((None, 409), (False, 409), ("true", 409), (True, 200)):
        browser, back = leave(by_mail)
        there.spoil = {"email": "maker1", "email_verified": verified}
        browser.get(back, status=status)


def test_a_provider_that_is_not_what_it_says_or_not_there(joined: Portal, there: Identity) -> None:
    for described in (
        {"issuer": "another"},
        {"authorization_endpoint": "http:" + "//elsewhere.test/"},
        {"authorization_endpoint": None},
    ):
        there.described = described
        with_provider(joined, there).browser().get("/login/oidc", status=503)
    gone = Oidc("http:" + "//127.0.0.1:9", CLIENT_ID, "", "sub", "x")
    app = make_app(joined.engine, Settings(ORIGIN, oidc=gone))
    Portal(joined.engine, app, joined.desk).browser().get("/login/oidc", status=503)


def test_without_a_provider_there_is_no_such_door(portal: Portal) -> None:
    browser = portal.browser()
    browser.get("/login")
    assert "统一" not in browser.text
    browser.get("/login/oidc", status=404)
    browser.get("/login/oidc/back?code=x&state=y", status=409)


def test_the_provider_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert configured() is None
    for issuer in ("http:" + "//elsewhere.test", "elsewhere.test"):
        monkeypatch.setenv("CVL_OIDC_ISSUER", issuer)
        monkeypatch.setenv("CVL_OIDC_CLIENT_ID", "cvl")
        with pytest.raises(Misused, match="bad_oidc"):
            configured()
    monkeypatch.setenv("CVL_OIDC_ISSUER", "https:" + "//elsewhere.test")
    made = configured()
    assert made is not None
    assert (made.claim, made.label) == ("preferred_username", "统一身份认证")
    monkeypatch.delenv("CVL_OIDC_CLIENT_ID")
    with pytest.raises(Misused, match="bad_oidc"):
        configured()
