"""The second factor: set it up, give it at log-in, get new recovery codes, switch it off."""

from typing import Any

import zxingcpp
from markupsafe import Markup
from sqlalchemy import Connection
from starlette.responses import Response

from portal.page import Misfilled, Page, Visit, post
from portal.pages.entry import WAIT, enter, local
from portal.show import show
from portal.wall import address
from voucher import logins, second
from voucher.database import run
from voucher.entry import TEXT
from voucher.errors import Refused

WRONG = "验证码不对，或已经用过。请等应用显示下一个再输入。"


def shown(visit: Visit) -> Response:
    """Show whether there is a second factor, or the secret of one that is being set up."""
    found = run(visit.engine, lambda db: second.find(db, visit.user.name))
    picture = None
    if found is not None and not found["confirmed"]:
        picture = qr(second.address(visit.user.name, found["secret"]))
    return show(visit, "second.html", factor=found, picture=picture, must=visit.must_add_second)


def qr(text: str) -> Markup:
    """Draw a QR code as SVG."""
    drawn = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode).to_svg(scale=4)
    head, body = drawn[drawn.index("<svg") :].split(">", 1)
    named = "<title>二维码：用验证器应用扫描</title>"
    return Markup(f'{head} class="qr" role="img">{named}{body}')


def start(visit: Visit) -> Response:
    """Make a secret, after the password was given again: an open window is not enough."""
    visit.fill({"password": TEXT})
    _count(visit)
    if not run(visit.engine, lambda db: logins.proved(db, visit.user.name, visit.typed("password"))):
        visit.note("second_failed", code="wrong_password")
        raise Misfilled({"password": "口令不对，请重新输入。"})
    run(visit.engine, lambda db: second.start(db, visit.user.name))
    return visit.go("/second")


def confirm(visit: Visit) -> Response:
    """Let the new factor count after one of its codes; the recovery codes are shown once."""
    return _codes(visit, "second_on")


def renew(visit: Visit) -> Response:
    """Make new recovery codes, for a code."""
    return _codes(visit, "recovery_renewed")


def _codes(visit: Visit, event: str) -> Response:
    """Take a code and show new recovery codes."""

    def work(db: Connection) -> list[str]:
        return second.recovery_codes(db, visit.user.name) if second.give(db, visit.user.name, _code(visit)) else []

    codes = _checked(visit, work)
    visit.note(event)
    return show(visit, "second_codes.html", codes=codes)


def stop(visit: Visit) -> Response:
    """Switch the factor off, for a code."""

    def work(db: Connection) -> bool:
        return bool(second.give(db, visit.user.name, _code(visit))) and second.drop(db, visit.user.name)

    _checked(visit, work)
    visit.note("second_off")
    return visit.go("/second", "已停用二次验证。")


def asked(visit: Visit) -> Response:
    """Ask for the second factor at log-in."""
    if visit.session is None or not visit.session.pending:
        return visit.go("/")
    return show(visit, "code.html", next=local(visit.typed("next")))


def given(visit: Visit) -> Response:
    """Go from a pending session to a whole one, under a new cookie."""
    begun = visit.session
    if begun is None or not begun.pending:
        return visit.go("/")
    old = visit.request.cookies[visit.settings.cookie]

    def work(db: Connection) -> tuple[str, str] | None:
        how = second.give(db, visit.user.name, _code(visit))
        if not how:
            return None
        logins.end(db, old)
        return how, logins.begin(db, begun.user, given=True, outside=begun.outside)

    how, cookie = _checked(visit, work)
    if how == "recovery":
        visit.note("recovery_used")
    visit.note("logged_in")
    return enter(visit, cookie, local(visit.typed("next")))


def _code(visit: Visit) -> str:
    return str(visit.fill({"code": TEXT})["code"])


def _checked(visit: Visit, work: Any) -> Any:
    """Do what takes a code, counted before; a wrong one is on record. Raises Refused, Misfilled."""
    _code(visit)
    _count(visit)
    done = run(visit.engine, work)
    if not done:
        visit.note("second_failed", code="wrong")
        raise Misfilled({"code": WRONG})
    run(visit.engine, lambda db: logins.forget(db, visit.user.name, address(visit.request.scope), second.STEP))
    return done


def _count(visit: Visit) -> None:
    """Count an attempt. Raises Refused while there must be a wait."""
    came_from = address(visit.request.scope)
    if not run(visit.engine, lambda db: logins.attempt(db, visit.user.name, came_from, second.STEP)):
        visit.note("login_throttled", code="wait")
        raise Refused("wait", WAIT)


PAGES = (
    Page("/second", shown, "view own account"),
    post("/second", start, "view own account", shown),
    post("/second/confirm", confirm, "view own account", shown),
    post("/second/codes", renew, "view own account", shown),
    post("/second/stop", stop, "view own account", shown),
    Page("/login/code", asked, "second factor"),
    post("/login/code", given, "second factor", asked),
)
