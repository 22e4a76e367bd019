"""Tokens of programs: whose they are, what they are good for, and the answers that are kept for repeated requests."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from voucher import access
from voucher.access import User
from voucher.database import Row, one, query, run_file
from voucher.errors import Misused, Refused
from voucher.logins import digest

SCOPES = {
    "uploads": "上传发票、查看上传结果", "invoices": "查看发票", "runs": "查看结算批次", "explanations": "查看计算底稿",
    "reports": "查看报表",
}  # fmt: skip
"""What a token may be good for; never more than the role of its user."""
MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is good now."""

    token_id: int
    user: User
    scopes: frozenset[str]


def make(db: Connection, by: User, name: str, label: str, scopes: Collection[str], days: int) -> str:
    """Make a token for a user; the secret is returned once and kept nowhere. Raises Misused, Refused."""
    if not scopes or not set(scopes) <= set(SCOPES):
        raise Misused("bad_scope", f"请选择用途：{'、'.join(SCOPES.values())}。")
    if not 1 <= days <= MOST_DAYS:
        raise Misused("bad_days", f"有效期须为1至{MOST_DAYS}天。")
    user = access.find(db, name)
    if user is None or user.role == access.SYSTEM:
        raise Refused("unknown_user", f"没有名为“{name}”的用户。请核对用户名。")
    secret = f"cvl_{secrets.token_urlsafe(32)}"
    run_file(
        db, "queries/token/make.sql", token_sha256=digest(secret), name=name, label=label, scopes=sorted(scopes),
        made_by=by.name, days=days,
    )  # fmt: skip
    return secret


def find(db: Connection, secret: str) -> Token | None:
    """Find the token that a secret belongs to, if it is good now."""
    row = one(db, "queries/token/find.sql", token_sha256=digest(secret))
    if row is None:
        return None
    return Token(row["token_id"], User(row["name"], row["role"], row["provider_uscc"]), frozenset(row["scopes"]))


def everyone(db: Connection) -> list[Row]:
    """List all tokens, newest first; never a secret."""
    return query(db, "queries/token/list.sql")


def revoke(db: Connection, token_id: int) -> bool:
    """End a token at once; False when it was ended before."""
    return bool(run_file(db, "queries/token/revoke.sql", token_id=token_id))


def asked(db: Connection, user: User, key: str, request_sha256: bytes) -> tuple[int, str] | None:
    """Return the first answer to a request under a key, None when it has to be given yet.

    Raises Refused (`key_reused`) when the key was used for another request.
    """
    if one(db, "queries/token/ask.sql", name=user.name, key=key, request_sha256=request_sha256) is not None:
        return None
    row = one(db, "queries/token/answered.sql", name=user.name, key=key)
    assert row is not None
    if bytes(row["request_sha256"]) != request_sha256:
        raise Refused("key_reused", "这个 Idempotency-Key 已用于另一个内容不同的请求。请为新的请求换一个键。")
    return None if row["status"] is None else (row["status"], row["body"])


def answered(db: Connection, user: User, key: str, status: int, body: str) -> None:
    """Keep the first answer under a key, for ever."""
    run_file(db, "queries/token/answer.sql", name=user.name, key=key, status=status, body=body)
