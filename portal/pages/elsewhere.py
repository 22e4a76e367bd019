"""Log in at the identity provider: go there, come back, be let in as the user that its claim names."""

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from portal import oidc
from portal.page import Page, Visit
from portal.pages.entry import let_in, local
from voucher import access, logins
from voucher.access import User
from voucher.database import run
from voucher.errors import CvlError, Refused

BACK = "/login/oidc/back"


def leave(visit: Visit) -> Response:
    """Go to the identity provider."""
    found = _provider(visit)
    begun = oidc.begin(local(visit.typed("next")))
    answer = RedirectResponse(found.address(begun, visit.settings.origin + BACK), 303)
    answer.set_cookie(
        _cookie(visit), begun.cookie(), max_age=oidc.BEGUN_SECONDS, httponly=True, samesite="lax",
        secure=visit.settings.secure, path="/",
    )  # fmt: skip
    return answer


def come_back(visit: Visit) -> Response:
    """Let in whom the provider names, if it is a user who may log in; whatever is wrong is on record."""
    name = ""
    try:
        begun = oidc.begun(visit.request.cookies.get(_cookie(visit), ""), visit.typed("state"))
        if not visit.typed("code"):
            raise Refused("oidc_denied", "没有在统一身份认证完成登录。请重新登录，或改用口令登录。")
        name = _provider(visit).name(begun, visit.typed("code"), visit.settings.origin + BACK)
        user, cookie = run(visit.engine, lambda db: _begin(db, name))
    except CvlError as error:
        visit.note("login_failed", name, error.code, name="")
        raise
    answer = let_in(visit, user, cookie, begun.then)
    answer.delete_cookie(_cookie(visit), secure=visit.settings.secure, httponly=True)
    return answer


def _begin(db: Connection, name: str) -> tuple[User, str]:
    """Begin the session of a user who may log in. Raises Refused; no user is ever made."""
    user = access.find(db, name)
    if user is None or not logins.may_enter(db, name):
        raise Refused("oidc_user", "统一身份认证里的账号在本系统没有对应的用户，或已停用。请联系管理员。")
    return user, logins.begin(db, user, outside=True)


def _provider(visit: Visit) -> oidc.Oidc:
    if visit.settings.oidc is None:
        raise Refused("no_oidc", "没有启用统一身份认证。请用口令登录。")
    return visit.settings.oidc


def _cookie(visit: Visit) -> str:
    return "__Host-cvl_oidc" if visit.settings.secure else "cvl_oidc"


PAGES = (
    Page("/login/oidc", leave, access.ANYONE),
    Page(BACK, come_back, access.ANYONE),
)
