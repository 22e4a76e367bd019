"""Every page that anybody can open: it answers, keeps the rules of accessible pages, and leads nowhere that is not."""

import re
from collections import Counter
from urllib.parse import urljoin, urlsplit

import pytest
from lxml import html
from starlette.testclient import TestClient

from portal.app import make_app
from portal.page import AWAY
from portal.pages import PAGES
from portal.wall import Settings
from reconciliation import reports
from tests.postgres.portal.conftest import ORIGIN, PEOPLE, Portal
from tests.postgres.portal.rules import faults
from voucher import access
from voucher.database import make_engine

TWICE = 2
"""Addresses of one route that are opened."""
ROUTES = [(page.path, re.compile(re.sub(r"\{\w+\}", "[^/]+", page.path))) for page in PAGES if page.method == "GET"]
EVERY_REPORT = "auditor"
"""The role that opens all of them."""


def route(path: str) -> str:
    """Name the route of an address."""
    place = urlsplit(path).path
    return next((name for name, pattern in ROUTES if name == place or pattern.fullmatch(place)), place)


@pytest.mark.parametrize("role", access.ROLES)
def test_a_walk_over_every_link_finds_good_pages_alone(portal: Portal, role: str) -> None:
    browser = portal.as_user(PEOPLE[role])
    seen, left, wrong = set(), ["/", "/password"], []
    opened: Counter[str] = Counter()
    while left:
        path = left.pop(0)
        name = route(path)
        if role == EVERY_REPORT and name == "/reports/{name}":
            name = urlsplit(path).path
        if path in seen or opened[name] >= (TWICE if name == route(path) else 1):
            continue
        seen.add(path)
        opened[name] += 1
        answer = browser.client.get(path)
        if answer.status_code != 200:
            wrong.append((path, answer.status_code))
            continue
        if "html" not in answer.headers["content-type"]:
            assert answer.headers["content-disposition"].startswith("attachment"), path
            continue
        page = html.fromstring(answer.text)
        wrong += [(path, fault) for fault in faults(page)]
        assert "cvl " not in page.text_content(), path
        left += [urljoin(path, link) for link in page.xpath("//a/@href") if not link.startswith("#")]
    assert not wrong, "\n".join(map(str, sorted(set(wrong))))
    menu = {page.path for page in PAGES if page.nav and role in access.RIGHTS[page.right]}
    assert menu <= set(opened)
    if role == EVERY_REPORT:
        assert {f"/reports/{name}" for name in reports.names()} <= set(opened)


def test_pages_of_strangers_and_of_faults_keep_the_rules_too(portal: Portal) -> None:
    browser = portal.browser()
    browser.get("/login")
    assert not faults(browser.page)
    browser.post("/login", {"name": "", "password": ""}, status=422)
    assert not faults(browser.page)
    me = portal.as_user("maker1")
    me.get("/nothing", status=404)
    assert not faults(me.page)
    me.get("/invoices?month=x", status=422)
    assert me.page.xpath("//main//a/@href") == ["/invoices", "/"]


def test_without_a_database_a_page_says_so_and_no_more() -> None:
    nobody = make_engine("postgresql://nobody@127.0.0.1:1/none")
    client = TestClient(make_app(nobody, Settings(ORIGIN)), ORIGIN, cookies={"__Host-cvl_session": "x"})
    for path, headers in (("/", {}), ("/api/v1/runs", {"authorization": "Bearer cvl_x"})):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, AWAY in answer.text, "127.0.0.1" in answer.text) == (503, True, False), path


@pytest.mark.parametrize("query", ["page=999999999999999999", "as_of=9999-12-31"])
def test_no_page_falls_over_what_stands_in_its_address(portal: Portal, query: str) -> None:
    me = portal.as_user("maker1")
    pages = [page.path for page in PAGES if page.method == "GET" and "{" not in page.path and me_may(page.right)]
    client = TestClient(portal.app, ORIGIN, raise_server_exceptions=False, cookies=me.client.cookies)
    assert {path: status for path in pages if (status := client.get(f"{path}?{query}").status_code) >= 500} == {}


def me_may(right: str) -> bool:
    """Tell whether a maker may open it."""
    return "maker" in access.RIGHTS[right]
