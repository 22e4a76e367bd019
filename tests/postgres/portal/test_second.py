"""The second factor: set up, asked for, taken once, waited for, taken away; everything else waits until it is given."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from console import portals
from portal.app import make_app
from portal.wall import Settings
from tests.postgres.portal.conftest import ORIGIN, Browser, Portal
from voucher import logins, second
from voucher.database import run, transaction
from voucher.errors import Misused, Refused

PASSWORD = "一句容易记住的话，够长才行"


class Clock:
    """The time that codes are held against: it only moves when a test wants the next code."""

    def __init__(self) -> None:
        self.now = time.time()

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("voucher.second.time", clock)
    return clock


def log_in(portal: Portal, name: str) -> Browser:
    """Give name and password; the second factor, where there is one, is still to come."""
    browser = portal.browser()
    known = {row["name"] for row in run(portal.engine, logins.everyone) if row["set_at"]}
    if name not in known:
        run(portal.engine, lambda db: logins._set(db, name, PASSWORD, one_time=False))
    browser.get("/login")
    browser.post("/login", {"name": name, "password": PASSWORD, "next": "/policies"})
    return browser


def code(portal: Portal, name: str, clock: Clock) -> str:
    """Read the next code off the phone."""
    clock.now += second.STEP_SECONDS
    found = run(portal.engine, lambda db: second.find(db, name))
    assert found is not None
    return pyotp.TOTP(found["secret"]).at(int(clock.now))


def enrol(portal: Portal, name: str, clock: Clock) -> list[str]:
    """Set the factor up on the page; returns the recovery codes."""
    browser = log_in(portal, name)
    browser.get("/second")
    browser.post("/second", {"password": PASSWORD})
    browser.post("/second/confirm", {"code": code(portal, name, clock)})
    return [str(each) for each in browser.page.xpath("//code[@class='secret']/text()")]


def events(portal: Portal, name: str) -> list[str]:
    with transaction(portal.engine, "cvl_auditor") as db:
        found = db.execute(text("SELECT event FROM access_event WHERE name = :n ORDER BY event_id"), {"n": name})
        return [row[0] for row in found]


def later(portal: Portal, seconds: int) -> None:
    with transaction(portal.engine) as db:
        db.execute(text("UPDATE login_failure SET last_at = last_at - make_interval(secs => :s)"), {"s": seconds})


def test_from_the_page_to_a_log_in_with_a_code_that_is_good_once(portal: Portal, clock: Clock) -> None:
    browser = log_in(portal, "maker1")
    assert browser.answer is not None
    assert browser.answer.url.path == "/policies"  # without a factor nothing more is asked
    browser.get("/second")
    browser.post("/second", {"password": "不是这一个口令"}, status=422)
    browser.post("/second", {"password": PASSWORD})
    (secret,) = browser.page.xpath("//code[@class='secret']/text()")
    assert re.fullmatch("[A-Z2-7]{32}", secret)
    assert browser.page.xpath("//*[local-name()='svg'][@role='img']")
    browser.post("/second/confirm", {"code": "000000"}, status=422)
    assert log_in(portal, "maker1").answer.url.path == "/policies"  # type: ignore[union-attr]  # not confirmed yet
    browser = log_in(portal, "maker1")
    browser.get("/second")
    first = code(portal, "maker1", clock)
    browser.post("/second/confirm", {"code": f" {first[:3]} {first[3:]} "})
    assert len(browser.page.xpath("//code[@class='secret']")) == second.RECOVERY_CODES
    browser.get("/second")
    browser.post("/second", {"password": PASSWORD}, status=422)  # there is one already

    browser = log_in(portal, "maker1")
    assert browser.answer is not None
    assert browser.answer.url.path == "/login/code"
    pending = browser.client.cookies["__Host-cvl_session"]
    for path in ("/", "/invoices", "/second", "/password"):
        browser.get(path)
        assert browser.answer.url.path == "/login/code", path
        assert not browser.page.xpath("//nav")
    browser.post("/uploads/confirm", {"id": "1"})
    assert browser.answer.url.path == "/login/code"
    browser.post("/login/code", {"code": first}, status=422)  # it was taken when it was set up
    now = code(portal, "maker1", clock)
    browser.post("/login/code", {"code": now, "next": "/policies"})
    assert browser.answer.url.path == "/policies"
    assert browser.client.cookies["__Host-cvl_session"] != pending
    browser.get("/login/code")
    assert browser.answer.url.path == "/"
    stolen = portal.browser()
    stolen.client.cookies.set("__Host-cvl_session", pending)
    stolen.get("/invoices")
    assert "请先登录" in stolen.text

    other = log_in(portal, "maker1")
    other.post("/login/code", {"code": now}, status=422)
    assert "已经用过" in other.text
    found = events(portal, "maker1")
    assert found.count("second_failed") == 4
    assert found.count("second_on") == 1
    assert found[-1] == "second_failed"


def test_one_code_at_once_lets_one_in(portal: Portal, clock: Clock) -> None:
    enrol(portal, "maker2", clock)
    now = code(portal, "maker2", clock)
    with ThreadPoolExecutor(6) as pool:
        given = list(pool.map(lambda _: run(portal.engine, lambda db: second.give(db, "maker2", now)), range(6)))
    assert sorted(given) == ["", "", "", "", "", "code"]


def test_wrong_codes_have_to_wait_and_the_right_password_does_not_forget_them(portal: Portal, clock: Clock) -> None:
    enrol(portal, "checker1", clock)
    for _ in range(5):
        browser = log_in(portal, "checker1")
        browser.post("/login/code", {"code": "000000"}, status=422)
    right = code(portal, "checker1", clock)
    browser = log_in(portal, "checker1")
    browser.post("/login/code", {"code": right}, status=409)
    assert "尝试次数过多" in browser.text
    restarted = Portal(portal.engine, make_app(portal.engine, Settings(ORIGIN)), portal.desk)
    log_in(restarted, "checker1").post("/login/code", {"code": right}, status=409)
    later(portal, 31)
    browser = log_in(portal, "checker1")
    browser.post("/login/code", {"code": right, "next": "/policies"})
    assert browser.answer is not None
    assert browser.answer.url.path == "/policies"
    browser = log_in(portal, "checker1")
    browser.post("/login/code", {"code": "000000"}, status=422)  # and now the count begins anew
    assert events(portal, "checker1").count("login_throttled") == 2


def test_a_recovery_code_is_good_once_and_none_is_kept(portal: Portal, clock: Clock) -> None:
    codes = enrol(portal, "auditor1", clock)
    with transaction(portal.engine) as db:
        kept = {bytes(row[0]) for row in db.execute(text("SELECT code_sha256 FROM recovery_code"))}
    assert {logins.digest(each.replace("-", "")) for each in codes} <= kept
    browser = log_in(portal, "auditor1")
    browser.post("/login/code", {"code": codes[0].upper()})
    assert "recovery_used" in events(portal, "auditor1")
    log_in(portal, "auditor1").post("/login/code", {"code": codes[0]}, status=422)
    browser.get("/second")
    assert "还剩9个" in browser.text
    browser.post("/second/codes", {"code": code(portal, "auditor1", clock)})
    renewed = browser.page.xpath("//code[@class='secret']/text()")
    log_in(portal, "auditor1").post("/login/code", {"code": codes[1]}, status=422)
    browser.get("/second")
    browser.post("/second/stop", {"code": "nonsense"}, status=422)
    browser.post("/second/stop", {"code": renewed[3]})
    assert log_in(portal, "auditor1").answer.url.path == "/policies"  # type: ignore[union-attr]
    assert events(portal, "auditor1")[-2:] == ["second_off", "logged_in"]


def test_a_session_that_waits_for_its_code_does_not_wait_long(portal: Portal, clock: Clock) -> None:
    enrol(portal, "provider1", clock)
    browser = log_in(portal, "provider1")
    with transaction(portal.engine) as db:
        moved = "UPDATE session SET began_at = began_at - make_interval(secs => :s) WHERE name = 'provider1'"
        db.execute(text(moved), {"s": logins.PENDING_SECONDS})
    browser.post("/login/code", {"code": code(portal, "provider1", clock)})
    assert "请先登录" in browser.text


def test_an_admin_takes_it_away_but_not_its_own(portal: Portal, clock: Clock) -> None:
    enrol(portal, "provider2", clock)
    there = portal.as_user("provider2")
    admin = portal.as_user("admin1")
    admin.get("/users")
    assert "取消provider2的二次验证" in admin.text
    admin.post("/users/provider2/second")
    assert "已取消“provider2”的二次验证" in admin.text
    there.get("/login/code")
    assert "请先登录" in there.text
    assert log_in(portal, "provider2").answer.url.path == "/policies"  # type: ignore[union-attr]
    admin.post("/users/admin1/second", status=409)
    assert events(portal, "admin1")[-2:] == ["second_reset", "refused"]


def test_the_command_line_takes_it_away_too(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    portal.as_user("admin1")
    run(portal.engine, lambda db: second.start(db, "admin1"))
    with pytest.raises(Refused, match="not_allowed"):
        portals.second_factor(portal.engine, "maker1", "admin1")
    dropped = [portals.second_factor(portal.engine, "admin1", "admin1").data["dropped"] for _ in range(2)]
    assert dropped == [True, False]
    monkeypatch.setenv("CVL_SECOND_FACTOR", "maker, admin")
    assert portals.required() == {"maker", "admin"}
    monkeypatch.setenv("CVL_SECOND_FACTOR", "boss")
    with pytest.raises(Misused, match="bad_role"):
        portals.required()


def test_roles_that_must_have_it_get_nowhere_without(portal: Portal, clock: Clock) -> None:
    strict = Portal(portal.engine, make_app(portal.engine, Settings(ORIGIN, frozenset({"checker"}))), portal.desk)
    browser = strict.as_user("checker2")
    for path in ("/", "/proposals", "/invoices.csv"):
        browser.get(path)
        assert browser.answer is not None
        assert browser.answer.url.path == "/second", path
    assert "须设置二次验证" in browser.text
    run(portal.engine, lambda db: logins._set(db, "checker2", PASSWORD, one_time=False))
    browser = strict.as_user("checker2")
    browser.get("/second")
    browser.post("/second", {"password": PASSWORD})
    browser.post("/second/confirm", {"code": code(portal, "checker2", clock)})
    browser.get("/proposals")
    assert browser.answer is not None
    assert browser.answer.url.path == "/proposals"
    strict.as_user("admin1").get("/users")


@pytest.mark.parametrize("role", ["cvl_auditor", "cvl_provider"])
def test_nobody_but_the_program_reads_a_secret(portal: Portal, role: str) -> None:
    for table in ("second_factor", "recovery_code"):
        with transaction(portal.engine, role) as db, pytest.raises(DBAPIError, match="permission denied"):  # type: ignore[arg-type]
            db.execute(text(f"SELECT * FROM {table}"))
