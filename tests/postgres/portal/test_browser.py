"""A real browser: a provider's month by mouse; the bureau's without JavaScript, by keyboard and at 200 % zoom.

`CVL_WRITE_HANDBOOK=1` writes the handbooks' pictures anew. Where no Chromium is installed these tests are left out.
"""

import io
import shutil
import socket
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from lxml import html
from PIL import Image

from portal.app import make_app
from portal.wall import Settings
from tests import pictures
from tests.cases.steps import PARTIES, number
from tests.conftest import NO_BROWSER
from tests.postgres.desk import companies, csv_bytes, line, table
from tests.postgres.portal.conftest import Portal
from tests.postgres.portal.rules import faults
from voucher import logins
from voucher.database import run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SEEN = Path(__file__).with_name("seen.js").read_text("utf-8")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=NO_BROWSER)
Page = Any


@dataclass
class Window:
    """A window of somebody who is logged in."""

    origin: str
    page: Page

    def look(self, picture: str = "") -> str:
        """Hold the page against the rules, and give its words; take a picture for a handbook, when asked to."""
        wrong = [*faults(html.fromstring(self.page.content())), *self.page.evaluate(SEEN)]
        assert not wrong, (self.page.url, wrong)
        if picture and pictures.wanted():
            end = min(int(self.page.evaluate("document.querySelector('footer').getBoundingClientRect().top")), 800)
            clip = {"x": 0, "y": 0, "width": 1280, "height": end}
            pictures.save(Image.open(io.BytesIO(self.page.screenshot(clip=clip))), picture)
        return str(self.page.inner_text("main"))

    def go(self, path: str, picture: str = "") -> str:
        """Open a page."""
        self.page.goto(f"{self.origin}{path}")
        return self.look(picture)

    def press(self, words: str, times: int = 1) -> None:
        """Go to a button or a link with the Tab key alone, see where one is, and press Enter."""
        for _ in range(60):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("document.activeElement.textContent.trim()") == words and (times := times - 1) == 0:
                break
        outline = self.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert float(outline.removesuffix("px")) >= 2, words
        self.page.keyboard.press("Enter")

    def take(self, words: str) -> bytes:
        """Download what a link or a button gives."""
        with self.page.expect_download() as waiting:
            self.page.click(f"text={words}")
        return Path(waiting.value.path()).read_bytes()


@dataclass
class Site:
    """The portal behind a real port, and a browser in front of it."""

    portal: Portal
    origin: str
    browser: Any

    def enter(self, name: str, *, keyboard: bool = False, **how: Any) -> Window:
        """Open a window and log in with a password of one's own."""
        run(self.portal.engine, lambda db: logins._set(db, name, f"{name} 的口令很长", one_time=False))
        how = {"viewport": {"width": 1280, "height": 800}} | how
        page = self.browser.new_context(locale="zh-CN", **how).new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        page.goto(f"{self.origin}/login")
        if keyboard:
            for key in ("Tab", "Tab", "Tab", name, "Tab", f"{name} 的口令很长", "Enter"):
                page.keyboard.press(key) if key in ("Tab", "Enter") else page.keyboard.insert_text(key)
        else:
            page.fill("#name", name)
            page.fill("#password", f"{name} 的口令很长")
            page.click("main button")
        page.wait_for_selector("nav", state="attached")
        return Window(self.origin, page)


@pytest.fixture(scope="module")
def site(portal: Portal) -> Iterator[Site]:
    from playwright.sync_api import sync_playwright

    with socket.create_server(("127.0.0.1", 0)) as listening, sync_playwright() as playwright:
        origin = f"{'http'}://127.0.0.1:{listening.getsockname()[1]}"
        app = make_app(portal.engine, Settings(origin))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--lang=zh-CN"])
        try:
            yield Site(portal, origin, browser)
        finally:
            browser.close()
            server.should_exit = True
            thread.join(30)


def test_a_provider_hands_in_a_month(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "八月.csv"
    path.write_bytes(csv_bytes(table([line("e", "1234.00"), line("ez", "1.00", buyer="X")])))
    me = site.enter("provider1")
    assert "2026-07 的服务" in me.look("portal-provider-month")
    me.page.click("text=报送")
    me.page.set_input_files("#files", path)
    me.page.click("text=上传并检查")
    me.page.wait_for_url("**/uploads/waiting/*")
    assert "部分可以受理" in me.look("portal-check")
    assert me.take("下载退回文件").startswith(b"PK")
    me.page.click("text=确认入账")
    me.page.wait_for_selector("[role=status]")
    assert "已入账：受理1行" in me.page.inner_text("[role=status]")
    assert "受理" in me.go(f"/invoices/{number('e')}")
    me.go("/statement?period=2026-08", "portal-statement")
    assert me.take("下载 xlsx").startswith(b"PK")


def test_the_bureaus_month_from_log_in_to_export(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The maker's browser runs no script, the checker's has no mouse, the auditor's shows everything twice as large."""
    maker = site.enter("maker1", java_script_enabled=False)
    checker = site.enter("checker1", keyboard=True)
    prepare(maker, tmp_path / "企业名单.csv")
    decide(checker, "2026年度指标", "portal-checker")
    settle(maker)
    checker.go("/runs")
    run_id = maker.page.url.rsplit("/", 1)[1]
    checker.press(run_id)
    checker.page.wait_for_selector("text=批准的是摘要为")
    assert "¥" in checker.look()
    checker.press("批准")
    checker.page.wait_for_selector("text=已批准，补贴额已记入应付")
    maker.go(f"/disclosures/{run_id}")
    maker.page.click("text=开始公示")
    assert "公示中" in maker.look("portal-disclosure")
    monkeypatch.setenv("CVL_TODAY", "2026-08-24")
    maker.go("/payments")
    maker.page.click("main li >> text=提出拨付")
    maker.look()
    decide(checker, "拨付结算批次", "")
    maker.go("/payments")
    maker.page.click("tbody th a")
    maker.look("portal-batch")
    assert b"6222000011112222" in maker.take("导出付款文件")
    assert "指标执行率" in maker.go("/dashboard?year=2026", "portal-dashboard")
    assert "项检查全部通过" in maker.go("/month?period=2026-08", "portal-month")
    assert maker.take("下载 xlsx").startswith(b"PK")
    telephone(maker)
    audit(site)
    administer(site)


def telephone(maker: Window) -> None:
    """In a small window the menu waits behind a button, which works without script and with the keyboard alone."""
    maker.page.set_viewport_size({"width": 390, "height": 800})
    maker.go("/")
    menu = maker.page.locator("nav")
    assert not menu.is_visible()
    maker.press("菜单")
    assert menu.is_visible()
    maker.look()
    maker.press("首页")
    maker.page.wait_for_url("**/")
    maker.page.click("text=菜单")
    maker.page.keyboard.press("Escape")
    assert not menu.is_visible()
    maker.page.click("text=菜单")
    maker.page.click("nav >> text=拨付")
    maker.page.wait_for_url("**/payments")
    assert maker.page.locator("header").bounding_box()["height"] < 80


def prepare(maker: Window, path: Path) -> None:
    """Enter the companies' accounts and the budget."""
    rows = companies("C", "D")
    for row, account in zip(rows[1:], ("6222000011112222", "6222000033334444"), strict=True):
        row[6:] = [row[1], "合成银行重庆支行", account, "000000000001"]
    path.write_bytes(csv_bytes(rows))
    maker.look("portal-work")
    maker.go("/registry")
    maker.page.set_input_files("#files", path)
    maker.page.click("form[enctype] button")
    assert "已登记" in maker.look()
    maker.go("/budget")
    for name, value in (("year", "2026"), ("amount", "2000000"), ("ref", "渝财预〔2026〕1号")):
        maker.page.fill(f"#{name}", value)
    maker.page.click("text=提交复核 >> nth=0")
    assert "待复核" in maker.look()


def decide(checker: Window, subject: str, picture: str) -> None:
    """Find a proposal in the list and approve it."""
    assert subject in checker.go("/proposals")
    checker.press(checker.page.inner_text(f"tr:has-text('{subject}') th"))
    checker.page.wait_for_selector("text=批准的是摘要为")
    checker.look(picture)
    checker.press("批准")
    checker.page.wait_for_selector("[role=status]")
    assert "已批准" in checker.page.inner_text("[role=status]")


def settle(maker: Window) -> None:
    """Draft, look at the lines and one's way of computing it, take the lines out, submit."""
    maker.go("/runs")
    maker.page.fill("#through", "2026-07")
    maker.page.click("form[data-busy] button")
    here = maker.page.url
    assert "草稿已生成" in maker.look("portal-run")
    maker.page.click("tbody th a >> nth=0")
    assert "计算基数" in maker.look("portal-explanation")
    maker.page.goto(here)
    assert PARTIES["C"].uscc.encode() in maker.take("导出所筛选的全部")
    maker.page.click("text=提交复核")
    assert "已提交" in maker.look()


def audit(site: Site) -> None:
    """From an account to the original document, then the bundle; everything at 200 %."""
    auditor = site.enter("auditor1", viewport={"width": 640, "height": 400}, device_scale_factor=2)
    auditor.go("/ledger?name=money:in_transit")
    auditor.page.click("tbody th a >> nth=0")
    auditor.look()
    auditor.page.click("tbody td a[href^='/invoices'] >> nth=0")
    auditor.look()
    assert b"CQ-COMPUTE-1" in auditor.take("原件")
    for path in ("/flags?period=2026", "/reports/company_caps?period=2026", "/policies"):
        auditor.go(path)
    auditor.go("/seals")
    with zipfile.ZipFile(io.BytesIO(auditor.take("导出审计包"))) as bundle:
        assert "SHA256SUMS" in bundle.namelist()


def administer(site: Site) -> None:
    """A wrong code takes the focus to its field; a right one makes a user; and the record shows who took what."""
    admin = site.enter("admin1")
    admin.go("/users")
    admin.page.fill("#name", "新服务商")
    admin.page.fill("#provider", "123")
    admin.page.click("text=添加并生成一次性口令")
    admin.page.wait_for_selector("[role=alert]")
    assert admin.page.evaluate("document.activeElement.id") == "fault"
    admin.page.click("[role=alert] a")
    assert admin.page.evaluate("document.activeElement.id") == "provider"
    admin.page.fill("#provider", PARTIES["P"].uscc)
    admin.page.click("text=添加并生成一次性口令")
    assert "只显示这一次" in admin.look()
    said = admin.go("/access?event=exported", "portal-access")
    assert all(name in said for name in ("maker1", "auditor1", "审计包", "月度对账表-2026-08.xlsx"))
    admin.go("/second")
    admin.page.fill("#password", "admin1 的口令很长")
    admin.page.click("main form button")
    admin.page.wait_for_selector("svg.qr")
    assert "六位数" in admin.look("portal-second")
    admin.go("/seals")
    assert admin.take("导出审计包").startswith(b"PK")
