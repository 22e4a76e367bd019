"""A real browser: a provider's month by mouse, by keyboard and without JavaScript, at 200 % zoom, and a checker's.

`CVL_WRITE_HANDBOOK=1` writes the handbooks' pictures anew. Where no Chromium is installed these tests are left out.
"""

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from lxml import html
from sqlalchemy import text

from portal.app import make_app
from portal.wall import Settings
from tests.cases.steps import number
from tests.conftest import NO_BROWSER
from tests.postgres.desk import csv_bytes, line, table
from tests.postgres.portal.conftest import Portal
from tests.postgres.portal.rules import faults
from voucher import logins
from voucher.database import run, transaction

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PICTURES = Path(__file__).resolve().parents[3] / "docs"
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=NO_BROWSER)
Page = Any


@dataclass
class Site:
    """The portal behind a real port, and a browser in front of it."""

    portal: Portal
    origin: str
    browser: Any

    def page(self, **how: Any) -> Page:
        """Open a window."""
        page = self.browser.new_context(
            locale="zh-CN", **({"viewport": {"width": 1280, "height": 800}} | how)
        ).new_page()
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        return page

    def enter(self, page: Page, name: str) -> None:
        """Log in with a password of one's own."""
        run(self.portal.engine, lambda db: logins._set(db, name, f"{name} 的口令很长", one_time=False))
        page.goto(f"{self.origin}/login")
        page.fill("#name", name)
        page.fill("#password", f"{name} 的口令很长")
        page.click("main button")


@pytest.fixture(scope="module")
def site(portal: Portal) -> Iterator[Site]:
    from playwright.sync_api import sync_playwright

    with socket.create_server(("127.0.0.1", 0)) as listening, sync_playwright() as playwright:
        origin = f"{'http'}://127.0.0.1:{listening.getsockname()[1]}"
        app = make_app(portal.engine, Settings(origin))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield Site(portal, origin, browser)
        finally:
            browser.close()
            server.should_exit = True
            thread.join(30)


def picture(page: Page, name: str) -> None:
    """Take a picture for a handbook, when asked to."""
    if os.environ.get("CVL_WRITE_HANDBOOK"):
        page.screenshot(path=PICTURES / f"{name}.png")


def month(path: Path, symbol: str) -> Path:
    """Write a month's file with one good row and one bad."""
    path.write_bytes(csv_bytes(table([line(symbol, "1234.00"), line(symbol + "z", "1.00", buyer="X")])))
    return path


@pytest.mark.parametrize("scripts", [True, False])
def test_a_provider_hands_in_a_month(site: Site, tmp_path: Path, scripts: bool) -> None:
    symbol = "e" if scripts else "f"
    page = site.page(java_script_enabled=scripts)
    site.enter(page, "provider1")
    picture(page, "portal-provider-month")
    page.click("text=报送")
    page.set_input_files("#files", month(tmp_path / "八月.csv", symbol))
    page.click("text=上传并检查")
    page.wait_for_url("**/uploads/waiting/*")
    picture(page, "portal-check")
    assert "部分可以受理" in page.inner_text("main")
    with page.expect_download() as waiting:
        page.click("text=下载退回文件")
    assert waiting.value.suggested_filename == "退回-八月.xlsx"
    page.click("text=确认入账")
    page.wait_for_url("**/uploads/*")
    assert "已入账：受理1行" in page.inner_text("[role=status]")
    page.goto(f"{site.origin}/invoices/{number(symbol)}")
    assert "受理" in page.inner_text(".timeline")
    assert not faults(html.fromstring(page.content()))
    page.context.close()


def test_a_checker_needs_no_mouse(site: Site) -> None:
    maker = site.page()
    site.enter(maker, "maker1")
    maker.goto(f"{site.origin}/budget")
    maker.fill("#year", "2026")
    maker.fill("#amount", "2000000")
    maker.fill("#ref", "渝财预〔2026〕1号")
    maker.click("text=提交复核 >> nth=0")
    path = maker.url.removeprefix(site.origin)
    page = site.page()
    site.enter(page, "checker1")
    page.goto(f"{site.origin}{path}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "批准":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(outline.removesuffix("px")) >= 2
    picture(page, "portal-checker")
    page.keyboard.press("Enter")
    page.wait_for_url("**/proposals")
    assert "已批准" in page.inner_text("[role=status]")
    with transaction(site.portal.engine, "cvl_auditor") as db:
        assert db.execute(text("SELECT count(*) FROM decision WHERE verdict = 'approved'")).scalar_one() == 1
    page.context.close()
    maker.context.close()


def test_at_twice_the_size_nothing_is_cut_off_and_faults_take_the_focus(site: Site) -> None:
    page = site.page(viewport={"width": 640, "height": 400}, device_scale_factor=2)
    site.enter(page, "maker1")
    for path in ("/", "/runs", "/invoices", "/registry", "/payments", "/bank", "/reports", "/ledger"):
        page.goto(f"{site.origin}{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.goto(f"{site.origin}/budget")
    page.fill("#year", "2026")
    page.fill("#amount", "许多")
    page.fill("#ref", "x")
    page.click("text=提交复核 >> nth=0")
    assert page.evaluate("document.activeElement.id") == "fault"
    page.click("[role=alert] a")
    assert page.evaluate("document.activeElement.id") == "amount"
    page.context.close()
