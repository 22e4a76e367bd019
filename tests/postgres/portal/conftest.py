"""The portal in this process, on the small ledger of a month: five people, two providers, one run under way."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from lxml import html
from sqlalchemy import Engine
from starlette.testclient import TestClient

from portal.app import make_app
from portal.wall import Settings
from tests.cases.steps import PARTIES
from tests.postgres.conftest import TODAY, Clone, Shelves
from tests.postgres.desk import Desk, companies, line, providers
from voucher import access, logins
from voucher.access import User
from voucher.database import run

ORIGIN = "https:" + "//portal.test"
PEOPLE = {"provider": "provider1", "maker": "maker1", "checker": "checker1", "auditor": "auditor1", "admin": "admin1"}
PROVIDERS = {"provider1": "P", "provider2": "Q"}


@dataclass
class Browser:
    """A browser without JavaScript: keeps cookies, fills forms, says where they come from."""

    client: TestClient
    page: Any = None
    answer: httpx.Response | None = None

    def get(self, path: str, status: int = 200) -> Any:
        """Open a page."""
        return self._see(self.client.get(path, headers={"sec-fetch-site": "none"}), status)

    def post(self, path: str, data: dict[str, Any] | None = None, files: Any = None, status: int = 200,
             **headers: str) -> Any:  # fmt: skip
        """Send a form with the token of the page last seen."""
        found = self.page.xpath("//input[@name='token']/@value") if self.page is not None else []
        body = ({"token": found[-1]} if found else {}) | (data or {})
        sent = {"origin": ORIGIN, "sec-fetch-site": "same-origin"} | headers
        return self._see(self.client.post(path, data=body, files=files, headers=sent), status)

    def _see(self, answer: httpx.Response, status: int) -> Any:
        self.answer = answer
        page = html.fromstring(answer.text) if "html" in answer.headers.get("content-type", "") else None
        said = page.text_content() if page is not None else answer.text[:500]
        assert answer.status_code == status, f"{answer.status_code}: {said}"
        self.page = page if page is not None else self.page
        return self.page

    @property
    def text(self) -> str:
        """Give the words of the page."""
        return re.sub(r"\s+", " ", str(self.page.text_content()))


@dataclass
class Portal:
    """The application on a ledger, and a way in for everybody."""

    engine: Engine
    app: Any
    desk: Desk

    def browser(self) -> Browser:
        """Give a browser that nobody has logged in with."""
        return Browser(TestClient(self.app, base_url=ORIGIN, client=("203.0.113.7", 5000)))

    def as_user(self, name: str) -> Browser:
        """Give a browser in which a user is logged in."""
        browser = self.browser()
        user = run(self.engine, lambda db: access.find(db, name))
        assert user is not None
        if run(
            self.engine, lambda db: [row for row in logins.everyone(db) if row["name"] == name and not row["set_at"]]
        ):
            run(self.engine, lambda db: logins._set(db, name, f"{name} 的长口令", one_time=False))
        browser.client.cookies.set("__Host-cvl_session", run(self.engine, lambda db: logins.begin(db, user)))
        return browser


def as_provider(name: str) -> User:
    """Give a provider's user."""
    return User(name, "provider", PARTIES[PROVIDERS[name]].uscc)


@pytest.fixture(autouse=True)
def read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep no page, however slow the machine is: what a test changes is seen at once."""
    monkeypatch.setattr("portal.kept.COSTLY_SECONDS", float("inf"))


@pytest.fixture(scope="session")
def listed(clone: Clone, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the name of a template in which two providers with users and two companies are registered."""
    home = tmp_path_factory.mktemp("listed") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVL_TODAY", TODAY)
        patch.setenv("CVL_HOME", str(home))
        made = Desk(clone(), home)
        for name, symbol in PROVIDERS.items():
            run(made.engine, lambda db, name=name, symbol=symbol: access.add(  # type: ignore[misc]
                db, "admin1", name, "provider", PARTIES[symbol].uscc
            ))  # fmt: skip
        made.register(providers("P", "Q"))
        made.register(companies("C", "D"))
    made.engine.dispose()
    return str(made.engine.url.database)


@pytest.fixture(scope="session")
def stocked(clone: Clone, listed: str, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Give a template and its home, in which both providers have each handed in a month."""
    home = tmp_path_factory.mktemp("stocked") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVL_TODAY", TODAY)
        patch.setenv("CVL_HOME", str(home))
        made = Desk(clone(listed), home)
        bad = line("c", "1000.00", buyer="X")
        made.take([line("a", "620000.00"), line("b", "300.00", buyer="D"), bad], as_provider("provider1"))
        made.take([line("q", "5000.00", seller="Q")], as_provider("provider2"))
    made.engine.dispose()
    return made


@pytest.fixture(scope="module")
def portal(clone: Clone, stocked: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Give one portal per module: two providers have each handed in a month."""
    home = tmp_path_factory.mktemp("portal") / "home"
    shutil.copytree(stocked.home, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVL_TODAY", TODAY)
        patch.setenv("CVL_HOME", str(home))
        engine = clone(str(stocked.engine.url.database))
        yield Portal(engine, make_app(engine, Settings(ORIGIN)), Desk(engine, home))


@pytest.fixture
def fresh(shelves: Shelves, listed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    """Give a portal of its own."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("CVL_HOME", str(home))
    kept = shelves(listed).take()
    yield Portal(kept.engine, make_app(kept.engine, Settings(ORIGIN)), Desk(kept.engine, home))
    shelves(listed).put_back(kept)
