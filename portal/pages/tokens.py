"""Tokens of programs: made for a user, shown once, ended at any time."""

from sqlalchemy import Connection
from starlette.responses import Response

from portal.page import Page, Visit, post
from portal.show import show
from voucher import tokens
from voucher.access import User
from voucher.database import run
from voucher.entry import NUMBER, TEXT


def listed(visit: Visit) -> Response:
    """List the tokens."""
    rows = run(visit.engine, tokens.everyone)
    return show(visit, "tokens.html", rows=rows, scopes=tokens.SCOPES, most=tokens.MOST_DAYS)


def make(visit: Visit) -> Response:
    """Make a token; its secret is shown once."""
    typed = visit.fill({"name": TEXT, "label": TEXT, "days": NUMBER})
    scopes = [each for each in visit.form.getlist("scope") if isinstance(each, str)]

    def work(db: Connection, user: User) -> str:
        return tokens.make(db, user, typed["name"], typed["label"], scopes, typed["days"])

    secret = visit.act("token make", work)
    visit.note("token_made", f"{typed['name']} {typed['label']}")
    return show(visit, "given.html", name=typed["name"], secret=secret, what="API 令牌")


def revoke(visit: Visit) -> Response:
    """End a token at once."""
    token_id = visit.path("id", NUMBER)
    ended = visit.act("token revoke", lambda db, _: tokens.revoke(db, token_id))
    visit.note("token_revoked", str(token_id))
    return visit.go("/tokens", f"已停用令牌 {token_id}。" if ended else f"令牌 {token_id} 早已停用。")


PAGES = (
    Page("/tokens", listed, "view users", nav="令牌"),
    post("/tokens", make, "token make", listed),
    post("/tokens/{id}/revoke", revoke, "token revoke", listed),
)
