"""One table says who may do what: every route and every acting command is held against it, for every role."""

import itertools
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from console.verbs import verbs
from portal.api import BASE
from portal.pages import PAGES
from tests.postgres.portal.conftest import ORIGIN, PEOPLE, Portal
from voucher import access
from voucher.access import User
from voucher.database import run
from voucher.errors import Misused, Refused

COMMAND_OF = {"settle approve": "approve", "settle reject": "reject"}
"""Commands that are another one's right."""
PROBES = {"/healthz", "/readyz", "/metrics", "/static/{name}"}


def routes(app: Any) -> set[tuple[str, str]]:
    """List every route, of included routers too."""
    found, left = set(), list(app.routes)
    while left:
        route = left.pop()
        left += getattr(getattr(route, "original_router", None), "routes", [])
        found |= {(method, route.path) for method in getattr(route, "methods", None) or () if method != "HEAD"}
    return found


def test_every_route_is_in_the_table(portal: Portal) -> None:
    told = {(page.method, page.path) for page in PAGES} | {("GET", path) for path in PROBES}
    described = TestClient(portal.app, base_url=ORIGIN).get(f"{BASE}/openapi.json").json()["paths"]
    told |= {(method.upper(), path) for path, each in described.items() for method in each}
    assert len(told) > 90
    assert routes(portal.app._app) == told | {("GET", f"{BASE}/openapi.json")}
    assert {page.right for page in PAGES} <= set(access.RIGHTS)
    unused = set(access.VIEWS) - {page.right for page in PAGES}
    assert not unused, "rights that no route names"
    for page in PAGES:
        if page.method != "GET" and page.right != access.ANYONE:
            assert page.right not in access.VIEWS or page.right.split(" ")[0] != "view" or "account" in page.right, page


def test_no_two_routes_are_one() -> None:
    """A fixed path must not be swallowed by one with a parameter before it."""
    for early, late in itertools.combinations(PAGES, 2):
        if early.method == late.method and "{" in early.path:
            pattern = re.sub(r"\{\w+\}", "[^/]+", early.path)
            assert not re.fullmatch(pattern, re.sub(r"[{}]", "", late.path)), (early.path, late.path)


@pytest.mark.parametrize("role", access.ROLES)
def test_every_route_lets_in_whom_the_table_names_and_nobody_else(portal: Portal, role: str) -> None:
    browser = portal.as_user(PEOPLE[role])
    browser.get("/")
    token = browser.page.xpath("//input[@name='token']/@value")[0]
    wrong = []
    for page in PAGES:
        if page.right == access.ANYONE or page.path in ("/logout", "/password"):
            continue
        path = re.sub(r"\{\w+\}", "999999", page.path)
        headers = {"origin": ORIGIN} if page.method == "POST" else {}
        answer = browser.client.request(
            page.method, path, headers=headers, data={"token": token} if headers else None, follow_redirects=False
        )
        if (answer.status_code == 403) is (role in access.RIGHTS[page.right]) or answer.status_code >= 500:
            wrong.append((page.method, page.path, answer.status_code))
    assert not wrong


def test_nobody_gets_anywhere_without_a_session(portal: Portal) -> None:
    client = portal.browser().client
    for page in PAGES:
        if page.right == access.ANYONE:
            continue
        path = re.sub(r"\{\w+\}", "1", page.path)
        answer = client.request(page.method, path, headers={"origin": ORIGIN}, follow_redirects=False)
        assert answer.status_code == 303, page
        assert answer.headers["location"].startswith("/login"), page


@pytest.mark.parametrize("role", access.ROLES)
def test_every_command_lets_in_whom_the_table_names_and_nobody_else(portal: Portal, role: str) -> None:
    for command, roles in access.COMMANDS.items():

        def ask(name: str, command: str = command) -> User:
            return run(portal.engine, lambda db: access.require(db, name, command))

        if role in roles:
            assert ask(PEOPLE[role]).role == role
        else:
            with pytest.raises(Refused, match="not_allowed"):
                ask(PEOPLE[role])
        with pytest.raises(Misused):
            ask("")


def test_every_acting_command_is_in_the_table() -> None:
    acting = {COMMAND_OF.get(verb.path, verb.path) for verb in verbs() if verb.acting}
    assert acting == set(access.COMMANDS)
