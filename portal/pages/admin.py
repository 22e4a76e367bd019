"""For the admin: who may log in and as what, the policy documents and their assumptions, what was tried."""

from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from portal.page import Misfilled, Page, Visit, post
from portal.show import show
from settlement import documents
from settlement.policy import in_force
from settlement.policy_words import PARAMETERS, basis, marked, parameter
from voucher import access, acts, logins, second, uscc
from voucher.access import User
from voucher.database import query, run
from voucher.entry import NUMBER, TEXT
from voucher.errors import Refused

ROWS = 100


def users(visit: Visit) -> Response:
    """List the users and since when they can log in."""
    rows = run(visit.engine, lambda db: logins.everyone(db))
    return show(visit, "users.html", rows=rows)


def add(visit: Visit) -> Response:
    """Add a user with a one-time password, which is shown once."""
    typed = visit.fill({"name": TEXT, "role": TEXT}, {"provider": TEXT})
    provider = uscc.normal(typed["provider"]) if typed["provider"] else None
    if provider is not None and uscc.check(provider) == "bad":
        raise Misfilled({"provider": "这不是有效的统一社会信用代码，请照营业执照核对18位代码。"})

    def work(db: Connection, user: User) -> str:
        access.add(db, user.name, typed["name"], typed["role"], provider)
        return logins.one_time_password(db, typed["name"])

    password = visit.act("user add", work)
    visit.note("password_given", typed["name"])
    return show(visit, "given.html", name=typed["name"], secret=password, what="一次性口令")


def give(visit: Visit) -> Response:
    """Give a user a new one-time password; earlier sessions end."""
    name = visit.path("name", TEXT)
    password = visit.act("user password", lambda db, _: logins.one_time_password(db, name))
    visit.note("password_given", name)
    return show(visit, "given.html", name=name, secret=password, what="一次性口令")


def close(visit: Visit) -> Response:
    """Let a user log in no more."""
    name = visit.path("name", TEXT)
    if name == visit.user.name:
        raise Refused("own_login", "不能停用自己的登录，请由另一名管理员办理。")
    visit.act("user close", lambda db, _: logins.close(db, name))
    visit.note("login_closed", name)
    return visit.go("/users", f"已停用“{name}”的登录和令牌；其办理过的事项仍在账上。")


def reset(visit: Visit) -> Response:
    """Take a user's second factor away, whose phone and recovery codes are lost; its sessions end."""
    name = visit.path("name", TEXT)
    if name == visit.user.name:
        raise Refused("own_login", "不能取消自己的二次验证，请由另一名管理员办理；或在“二次验证”页用恢复码停用。")

    def work(db: Connection, _: User) -> bool:
        logins.end_all(db, name)
        return second.drop(db, name)

    dropped = visit.act("user second", work)
    visit.note("second_reset", name)
    return visit.go("/users", f"已取消“{name}”的二次验证。" if dropped else f"“{name}”没有启用二次验证。")


def policies(visit: Visit) -> Response:
    """Show every policy document in force with each number, and which of them are assumptions to be confirmed."""

    def work(db: Connection) -> list[dict[str, Any]]:
        cutoff = acts.cutoff(db)
        return [
            {
                "policy": policy, "span": span,
                "rows": [parameter(policy, name) for name in PARAMETERS if getattr(policy, name) is not None],
            }
            for policy, span in in_force(documents.recorded(db, cutoff))
        ]  # fmt: skip

    return show(visit, "policies.html", documents=visit.read(work), basis=basis, marked=marked)


def events(visit: Visit) -> Response:
    """List who logged in, what was refused, what was taken out."""
    asked = {"event": visit.asked("event", TEXT), "name": visit.asked("name", TEXT),
             "before": visit.asked("before", NUMBER), "rows": ROWS}  # fmt: skip
    rows = visit.read(lambda db: query(db, "queries/login/events.sql", **asked))
    return show(visit, "events.html", rows=rows, size=ROWS, words=EVENTS)


EVENTS = {
    "logged_in": "登录", "login_failed": "登录失败", "login_throttled": "尝试过多", "logged_out": "退出",
    "password_changed": "改口令", "password_given": "发放口令", "login_closed": "停用登录", "refused": "不予办理",
    "not_allowed": "无权限", "bad_form": "表单无效", "downloaded": "下载", "exported": "导出",
    "second_on": "启用二次验证", "second_off": "停用二次验证", "second_failed": "验证码错误",
    "second_reset": "取消二次验证", "recovery_used": "用恢复码登录", "recovery_renewed": "新的恢复码",
    "token_made": "发放令牌", "token_revoked": "停用令牌",
}  # fmt: skip
"""Event of access to what it is called on screen."""

PAGES = (
    Page("/policies", policies, "view policies", nav="政策"),
    Page("/users", users, "view users", nav="用户"),
    post("/users", add, "user add", users),
    post("/users/{name}/password", give, "user password", users),
    post("/users/{name}/close", close, "user close", users),
    post("/users/{name}/second", reset, "user second", users),
    Page("/access", events, "view access", nav="访问记录"),
)
