"""Who may do what: users, and the one table of role × command."""

import os
from dataclasses import dataclass

from sqlalchemy import Connection

from voucher import acts
from voucher.database import one, query, run_file
from voucher.errors import Misused, Refused

SYSTEM = "system"
ROLES = {"provider": "服务商", "maker": "经办", "checker": "复核", "auditor": "审计", "admin": "管理员"}
"""Role to what it is called on screen."""

_ALL = frozenset(ROLES)
_STAFF = frozenset({"maker", "checker", "auditor", "admin"})
_MAKER = frozenset({"maker"})
COMMANDS: dict[str, frozenset[str]] = {
    "user add": frozenset({"admin"}),
    "user password": frozenset({"admin"}),
    "user second": frozenset({"admin"}),
    "policy record": frozenset({"admin"}),
    "registry import": _MAKER,
    "budget appropriate": _MAKER,
    "budget close": _MAKER,
    "voucher issue": _MAKER,
    "voucher apply": _MAKER,
    "voucher freeze": _MAKER,
    "voucher unfreeze": _MAKER,
    "voucher revoke": _MAKER,
    "voucher return": _MAKER,
    "voucher expire": _MAKER,
    "company freeze": _MAKER,
    "company unfreeze": _MAKER,
    "company merge": _MAKER,
    "import": frozenset({"maker", "provider"}),
    "invoice resolve": _MAKER,
    "invoice verify": _MAKER,
    "import map": frozenset({"maker", "provider"}),
    "settle draft": _MAKER,
    "settle submit": _MAKER,
    "settle withdraw": _MAKER,
    "disclose": _MAKER,
    "object": _MAKER,
    "refuse": _MAKER,
    "recovery tell": _MAKER,
    "recovery return": _MAKER,
    "pay batch": _MAKER,
    "pay export": _MAKER,
    "pay result": _MAKER,
    "bank import": _MAKER,
    "bank match": _MAKER,
    "bank undo": _MAKER,
    "flag decide": frozenset({"maker", "checker", "auditor"}),
    "approve": frozenset({"checker"}),
    "reject": frozenset({"checker"}),
    "withdraw": _MAKER,
    "audit export": _STAFF,
    "jobs run": frozenset({"admin", "maker"}),
    "db backup": frozenset({"admin"}),
}
"""Acting command to the roles that may give it. What only reads is open to whoever reaches the console."""
_PROVIDER = frozenset({"provider"})
_BUREAU = frozenset({"maker", "checker", "auditor"})
ANYONE = "anyone"
VIEWS: dict[str, frozenset[str]] = {
    ANYONE: _ALL,
    "view home": _ALL,
    "view own account": _ALL,
    "second factor": _ALL,
    "view uploads": frozenset({"provider", "maker", "auditor"}),
    "download return file": frozenset({"provider", "maker"}),
    "download original": frozenset({"provider", "maker", "checker", "auditor"}),
    "view invoices": _PROVIDER | _BUREAU,
    "export invoices": _PROVIDER | _BUREAU,
    "view statement": _PROVIDER,
    "export statement": _PROVIDER,
    "view receipts": _PROVIDER,
    "view explanation": _BUREAU,
    "export explanation": _BUREAU,
    "view work": _BUREAU,
    "view runs": _BUREAU,
    "export lines": _BUREAU,
    "view proposals": _BUREAU,
    "view registry": _BUREAU,
    "view vouchers": _BUREAU,
    "view disclosures": _BUREAU,
    "view payments": _BUREAU,
    "view recoveries": _BUREAU,
    "view bank": _BUREAU,
    "view month": _BUREAU,
    "view dashboard": _STAFF,
    "view reports": _BUREAU,
    "export reports": _BUREAU,
    "view ledger": _BUREAU,
    "export ledger": _BUREAU,
    "view flags": _BUREAU,
    "view seals": _STAFF,
    "view policies": _ALL,
    "view users": frozenset({"admin"}),
    "user close": frozenset({"admin"}),
    "token make": frozenset({"admin"}),
    "token revoke": frozenset({"admin"}),
    "view access": frozenset({"admin", "auditor"}),
}
"""What the portal shows or gives out, and its own acts, to the roles that may have it; `anyone` needs no log-in."""
RIGHTS: dict[str, frozenset[str]] = COMMANDS | VIEWS
"""Every right to its roles; each route of the portal names one."""


@dataclass(frozen=True, slots=True)
class User:
    """A named person. provider_uscc: whose uploads a provider's login hands in."""

    name: str
    role: str
    provider_uscc: str | None


def find(db: Connection, name: str) -> User | None:
    """Find a user by name."""
    row = one(db, "queries/user/find.sql", name=name)
    return User(row["name"], row["role"], row["provider_uscc"]) if row else None


def require(db: Connection, name: str | None, command: str) -> User:
    """Return the acting user if the command is open to the role.

    Raises Misused without a user, Refused for an unknown user or another role.
    """
    name = name or os.environ.get("CVL_USER")
    if not name:
        raise Misused("who", "请说明由谁办理：加上 --as 用户名，或设置环境变量 CVL_USER。")
    user = find(db, name)
    if user is None or user.role == SYSTEM:
        raise Refused("unknown_user", f"没有名为“{name}”的用户。请核对用户名，或由管理员用 cvl user add 添加。")
    if user.role not in RIGHTS[command]:
        allowed = "、".join(ROLES[role] for role in ROLES if role in RIGHTS[command])
        raise Refused("not_allowed", f"“{name}”的角色是{ROLES[user.role]}，不能办理此事，请由{allowed}角色的用户办理。")
    return user


def add(db: Connection, actor: str | None, name: str, role: str, provider_uscc: str | None = None) -> User:
    """Add a user; the first one must be an admin and adds itself. Returns the user.

    Raises Misused or Refused; the same user twice is no error, another role for the same name is.
    """
    if role not in ROLES:
        raise Misused("bad_role", f"没有“{role}”这一角色。可选：{'、'.join(ROLES)}。")
    if (role == "provider") != (provider_uscc is not None):
        raise Misused("provider_code", "服务商用户须指明统一社会信用代码（--provider），其他角色不要填。")
    if not name or name.startswith("@") or "|" in name or not name.isprintable() or len(name) > 64:
        raise Misused("bad_name", "用户名须为 1 至 64 个可见字符，不能以 @ 开头，不能含 |。")
    run_file(db, "queries/user/lock.sql")
    if not query(db, "queries/user/list.sql"):
        if role != "admin":
            raise Refused("first_admin", "第一个用户必须是管理员：cvl user add 用户名 --role admin。")
        by = name
    else:
        by = require(db, actor, "user add").name
    request = {"name": name, "role": role, "provider": provider_uscc}
    try:
        with acts.act(db, "user", name, by, request) as act:
            run_file(db, "queries/user/add.sql", name=name, role=role, provider=provider_uscc, act_id=act.act_id)
    except acts.AlreadyDone:
        pass
    return User(name, role, provider_uscc)
