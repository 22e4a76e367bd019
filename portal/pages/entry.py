"""Log in, log out, change one's password, choose how money is shown."""

import secrets
from urllib.parse import quote, urlsplit

from sqlalchemy import Connection
from starlette.responses import Response

from portal.page import UNIT, Misfilled, Page, Visit, post
from portal.show import show
from portal.wall import address
from voucher import access, logins
from voucher.access import User
from voucher.database import run
from voucher.entry import TEXT
from voucher.errors import Misused, Refused

WRONG = "用户名或口令不对。忘记口令请联系管理员重新发放。"
WAIT = "尝试次数过多，请稍后再试。"


def login(visit: Visit) -> Response:
    """Show the form; its token stands in a cookie too, since there is no session yet."""
    if visit.session is not None and not visit.session.pending:
        return visit.go("/")
    token = visit.request.cookies.get("cvl_form") or secrets.token_urlsafe(24)
    answer = show(visit, "login.html", form_token=token, next=local(visit.typed("next")))
    answer.set_cookie("cvl_form", token, max_age=3600, httponly=True, samesite="strict", secure=visit.settings.secure)
    return answer


def log_in(visit: Visit) -> Response:
    """Begin a session, or say no more than that name or password is wrong."""
    typed = visit.fill({"name": TEXT, "password": TEXT})
    name, came_from = typed["name"], address(visit.request.scope)
    known = run(visit.engine, lambda db: access.find(db, name), "cvl_auditor") is not None
    if not run(visit.engine, lambda db: logins.attempt(db, name, came_from)):
        visit.note("login_throttled", code="wait", name=name if known else "")
        raise Refused("wait", WAIT)

    def work(db: Connection) -> tuple[User, str] | None:
        user = logins.prove(db, name, visit.typed("password"), came_from)
        return None if user is None else (user, logins.begin(db, user))

    proved = run(visit.engine, work)
    if proved is None:
        visit.note("login_failed", code="wrong", name=name if known else "")
        raise Refused("wrong_login", WRONG)
    return let_in(visit, *proved)


def let_in(visit: Visit, user: User, cookie: str, then: str | None = None) -> Response:
    """Let a user in whose session has begun; one with a second factor is asked for it first."""
    session = run(visit.engine, lambda db: logins.session(db, cookie))
    path = local(visit.typed("next") if then is None else then)
    if session is not None and session.pending:
        return enter(visit, cookie, f"/login/code?next={quote(path)}")
    visit.note("logged_in", name=user.name)
    return enter(visit, cookie, path)


def enter(visit: Visit, cookie: str, path: str) -> Response:
    """Hand over the cookie of a session and go where the visitor wanted to."""
    answer = visit.go(path)
    answer.set_cookie(
        visit.settings.cookie, cookie, httponly=True, samesite="lax", secure=visit.settings.secure, path="/"
    )
    answer.delete_cookie("cvl_form")
    return answer


def log_out(visit: Visit) -> Response:
    """End the session."""
    cookie = visit.request.cookies[visit.settings.cookie]
    run(visit.engine, lambda db: logins.end(db, cookie))
    visit.note("logged_out")
    answer = visit.go("/login", "已退出登录。")
    answer.delete_cookie(visit.settings.cookie, secure=visit.settings.secure, httponly=True)
    return answer


def password(visit: Visit) -> Response:
    """Show the form for a new password."""
    return show(visit, "password.html", least=logins.MIN_CHARS)


def change(visit: Visit) -> Response:
    """Change the password; all sessions end, so one logs in anew."""
    typed = visit.fill({"old": TEXT, "new": TEXT, "again": TEXT})
    came_from = address(visit.request.scope)
    if not run(visit.engine, lambda db: logins.attempt(db, visit.user.name, came_from)):
        raise Refused("wait", WAIT)

    def work(db: Connection) -> None:
        logins.change_password(db, visit.user.name, *map(visit.typed, typed))
        logins.forget(db, visit.user.name, came_from)

    try:
        run(visit.engine, work)
    except Misused as error:
        place = {"wrong_password": "old", "not_repeated": "again"}.get(error.code, "new")
        raise Misfilled({place: error.message}) from error
    visit.note("password_changed")
    answer = visit.go("/login", "口令已改，请用新口令登录。")
    answer.delete_cookie(visit.settings.cookie, secure=visit.settings.secure, httponly=True)
    return answer


def unit(visit: Visit) -> Response:
    """Switch between 元 and 万元."""
    answer = visit.go(local(visit.typed("next")))
    answer.set_cookie(UNIT, "yuan" if visit.wan else "wan", max_age=31536000, samesite="lax", httponly=True)
    return answer


def local(path: str) -> str:
    """Return a path of ours, the first page for anything else."""
    parts = urlsplit(path)
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc and "\\" not in path
    return path if ours and path.isprintable() and parts.path != "/login" else "/"


PAGES = (
    Page("/login", login, access.ANYONE),
    post("/login", log_in, access.ANYONE, login),
    post("/logout", log_out, "view own account"),
    Page("/password", password, "view own account"),
    post("/password", change, "view own account", password),
    post("/unit", unit, "view own account"),
)
