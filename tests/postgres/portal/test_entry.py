"""Getting in: passwords, waiting after wrong ones, sessions that end, forms of ours alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from tests.postgres.portal.conftest import ORIGIN, Portal
from voucher import logins
from voucher.database import run, transaction
from voucher.errors import Misused, Refused

NEW = "一句容易记住的话，够长才行"


def enter(portal: Portal, name: str, password: str, status: int = 200) -> str:
    browser = portal.browser()
    browser.get("/login")
    browser.post("/login", {"name": name, "password": password, "next": "/"}, status=status)
    return browser.text


def one_time(portal: Portal, name: str) -> str:
    return run(portal.engine, lambda db: logins.one_time_password(db, name))


def test_a_one_time_password_is_good_for_nothing_but_a_new_one(portal: Portal) -> None:
    browser = portal.browser()
    browser.get("/login")
    browser.post("/login", {"name": "maker1", "password": one_time(portal, "maker1"), "next": "/invoices"})
    assert "这是一次性口令" in browser.text
    browser.get("/uploads")
    assert browser.answer is not None
    assert browser.answer.url.path == "/password"
    old = one_time(portal, "maker1")  # a newer one ends the session
    browser.get("/uploads")
    assert "请先登录" in browser.text
    browser.post("/login", {"name": "maker1", "password": old, "next": "/"})
    assert "两次输入的新口令不一致" in str(
        browser.post("/password", {"old": old, "new": NEW, "again": "x"}, status=422).text_content()
    )
    assert browser.page.xpath("//a[@href='#again']")
    assert browser.page.xpath("//input[@id='again'][@aria-invalid='true']")
    browser.post("/password", {"old": old, "new": NEW, "again": NEW})
    assert "口令已改" in browser.text
    browser.post("/login", {"name": "maker1", "password": NEW, "next": "//evil.test/"})
    assert browser.answer.url.path == "/"
    assert "maker1（经办）" in browser.text


@pytest.mark.parametrize("weak", ["短口令", "maker2 maker2 maker2", "aaaaaaaaaaaaaaaa"])
def test_a_weak_password_is_refused(portal: Portal, weak: str) -> None:
    old = one_time(portal, "maker2")
    with pytest.raises(Misused, match="weak_password"):
        run(portal.engine, lambda db: logins.change_password(db, "maker2", old, weak, weak))
    with pytest.raises(Misused, match="weak_password"):
        run(portal.engine, lambda db: logins.change_password(db, "maker2", old, old, old))


def test_wrong_passwords_have_to_wait_even_after_a_restart_and_all_at_once(portal: Portal) -> None:
    right = one_time(portal, "checker1")
    wrong = "用户名或口令不对"
    assert wrong in enter(portal, "checker1", "wrong", 409)
    assert wrong in enter(portal, "nobody", "wrong", 409)
    with ThreadPoolExecutor(8) as pool:
        allowed = list(pool.map(lambda _: run(portal.engine, lambda db: logins.attempt(db, "checker1", "203.0.113.7")),
                                range(8)))  # fmt: skip
    assert sum(allowed) == 4  # the first attempt above was the fifth
    assert "尝试次数过多" in enter(portal, "checker1", right, 409)
    with transaction(portal.engine) as db:
        db.execute(text("UPDATE login_failure SET last_at = last_at - interval '31 seconds'"))
    assert "这是一次性口令" in enter(portal, "checker1", right)
    with transaction(portal.engine, "cvl_auditor") as db:
        kept = db.execute(text("SELECT name, code FROM access_event WHERE event LIKE 'login_%' ORDER BY event_id"))
        assert [tuple(row) for row in kept] == [("checker1", "wrong"), ("", "wrong"), ("checker1", "wait")]


def test_the_wait_grows_and_a_quiet_day_forgets(portal: Portal) -> None:
    def attempt() -> bool:
        return run(portal.engine, lambda db: logins.attempt(db, "auditor1", "198.51.100.1"))

    def later(seconds: int) -> None:
        with transaction(portal.engine) as db:
            db.execute(text("UPDATE login_failure SET last_at = last_at - make_interval(secs => :s)"), {"s": seconds})

    assert [attempt() for _ in range(6)] == [True] * 5 + [False]
    later(29)
    assert not attempt()
    later(2)
    assert [attempt(), attempt()] == [True, False]
    later(58)
    assert not attempt()
    later(3)
    assert attempt()
    later(86_401)
    assert [attempt() for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.parametrize(
    ("column", "seconds"), [("seen_at", logins.IDLE_SECONDS), ("began_at", logins.LONGEST_SECONDS)]
)
def test_a_session_ends_when_idle_and_in_any_case(portal: Portal, column: str, seconds: int) -> None:
    browser = portal.as_user("auditor1")
    for late, ended in ((seconds - 5, False), (seconds + 5, True)):
        with transaction(portal.engine) as db:
            moved = f"UPDATE session SET {column} = clock_timestamp() - make_interval(secs => :s)"
            db.execute(text(f"{moved} WHERE name = 'auditor1'"), {"s": late})
        browser.get("/invoices")
        assert ("请先登录" in browser.text) is ended


def test_attempts_under_any_name_are_not_kept_for_ever(portal: Portal) -> None:
    for number in range(3):
        assert run(portal.engine, lambda db, number=number: logins.attempt(db, f"无此人{number}", "203.0.113.9"))
    with transaction(portal.engine) as db:
        db.execute(text("UPDATE login_failure SET last_at = last_at - interval '25 hours'"))
    assert run(portal.engine, lambda db: logins.attempt(db, "无此人", "203.0.113.10"))
    portal.as_user("maker1")
    with transaction(portal.engine) as db:
        assert db.execute(text("SELECT count(*) FROM login_failure")).scalar_one() == 3


def test_logging_out_ends_the_session_itself(portal: Portal) -> None:
    browser = portal.as_user("maker1")
    cookie = browser.client.cookies["__Host-cvl_session"]
    browser.get("/invoices")
    browser.post("/logout")
    browser.client.cookies.set("__Host-cvl_session", cookie)
    browser.get("/invoices")
    assert "请先登录" in browser.text


def test_cookies_are_kept_from_scripts_and_other_sites(portal: Portal) -> None:
    password = one_time(portal, "maker2")
    browser = portal.browser()
    browser.get("/login")
    browser.client.follow_redirects = False
    browser.post("/login", {"name": "maker2", "password": password, "next": "/"}, status=303)
    assert browser.answer is not None
    (cookie,) = (c for c in browser.answer.headers.get_list("set-cookie") if c.startswith("__Host-cvl_session="))
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie
    assert password not in str(browser.answer.headers)


@pytest.mark.parametrize(
    "sent",
    [
        {"origin": "https:" + "//evil.test"},
        {"origin": "null"},
        {"origin": "", "referer": ""},
        {"sec-fetch-site": "cross-site"},
        {"origin": "", "referer": "https:" + "//portal.test.evil.test/x"},
    ],
)
def test_a_post_from_elsewhere_is_refused(portal: Portal, sent: dict[str, str]) -> None:
    browser = portal.as_user("maker1")
    browser.get("/uploads")
    browser.post("/unit", {"next": "/"}, status=403, **sent)


def test_a_form_without_its_token_is_refused(portal: Portal) -> None:
    browser = portal.as_user("maker1")
    other = portal.as_user("maker2")
    browser.get("/uploads")
    other.get("/uploads")
    foreign = other.page.xpath("//input[@name='token']/@value")[0]
    for token in ("", "x", foreign):
        browser.post("/uploads/confirm", {"token": token, "id": "1"}, status=403)
    stranger = portal.browser()
    stranger.get("/login")
    stranger.client.cookies.delete("cvl_form")
    stranger.post("/login", {"name": "maker1", "password": NEW}, status=403)


def test_every_answer_carries_the_headers_of_the_wall(portal: Portal) -> None:
    browser = portal.as_user("maker1")
    for path, status in (("/", 200), ("/nothing", 404), ("/users", 403), ("/healthz", 200)):
        browser.get(path, status=status)
        assert browser.answer is not None
        headers = browser.answer.headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "max-age" in headers["strict-transport-security"]
        assert len(headers["x-request-id"]) >= 8


def test_other_hosts_and_bodies_without_end_are_refused(portal: Portal) -> None:
    browser = portal.as_user("maker1")
    browser.get("/")
    browser.client.headers["host"] = "evil.test"
    browser.get("/", status=421)
    del browser.client.headers["host"]
    browser.post("/unit", {"next": "x" * 300_000}, status=413)
    sent = {"origin": ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    answer = browser.client.post("/unit", content=(b"x" * 65_536 for _ in range(10)), headers=sent)
    assert answer.status_code == 413  # no length was given, so it was counted


def test_the_first_start_gives_one_admin_one_password(fresh: Portal) -> None:
    made = run(fresh.engine, logins.first)
    assert made is not None
    assert made[0] == "admin1"
    assert run(fresh.engine, logins.first) is None
    with pytest.raises(Refused, match="unknown_user"):
        one_time(fresh, "system")
    with transaction(fresh.engine) as db:
        kept = db.execute(text("SELECT password_hash FROM login")).scalar_one()
    assert made[1] not in kept


@pytest.mark.parametrize(
    "charset", ["unicode_escape", '"raw_unicode_escape"', "utf-8-x; charset=utf_7", "x; CharSet=unicode_escape"]
)
def test_a_form_in_an_encoding_that_gives_no_text_is_refused(portal: Portal, charset: str) -> None:
    browser = portal.browser()
    browser.get("/login")
    (token,) = browser.page.xpath("//input[@name='token']/@value")
    fields = {"token": token, "name": "\\ud800", "password": "x"}
    parts = [f'--x\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    body = "".join([*parts, "--x--\r\n"])
    for said, status in ((charset, 415), ("UTF-8", 409), ('"utf-8"', 409)):
        sent = {"origin": ORIGIN, "content-type": f"multipart/form-data; boundary=x; charset={said}"}
        assert browser.client.post("/login", content=body, headers=sent).status_code == status


def test_those_who_know_their_password_do_not_wait(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(logins._LIMITS, "address", (6, 5, 300))  # a whole office comes from one address
    with transaction(portal.engine) as db:
        db.execute(text("DELETE FROM login_failure"))
    password = one_time(portal, "auditor1")
    for _ in range(4):
        assert "这是一次性口令" in enter(portal, "auditor1", password)
        browser = portal.browser()
        browser.get("/login")
        browser.post("/login", {"name": "auditor1", "password": password, "next": "/"})
        new = f"{password}，再长一些"
        browser.post("/password", {"old": password, "new": new, "again": new})
        assert "口令已改" in browser.text
        password = one_time(portal, "auditor1")
    wrong = [enter(portal, f"无此人{number}", "wrong", 409) for number in range(6)]
    assert ["尝试次数过多" in said for said in wrong] == [False] * 5 + [True]  # one free attempt is always counted
