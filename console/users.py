"""`cvl user`: who may act."""

from sqlalchemy import Engine

from console.answer import Answer, table
from console.chinese import OneOf, argument, option
from console.door import Verb
from voucher import access, uscc
from voucher.database import query, run
from voucher.errors import Misused


def add(engine: Engine, as_user: str | None, name: str, role: str, provider: str | None) -> Answer:
    """Add a user; the first one must be an admin."""
    if provider is not None:
        provider = uscc.normal(provider)
        if uscc.check(provider) == "bad":
            raise Misused("bad_uscc", f"“{provider}”不是有效的统一社会信用代码，请照营业执照核对18位代码。")
    user = run(engine, lambda db: access.add(db, as_user, name, role, provider))
    data = {"name": user.name, "role": user.role, "provider": user.provider_uscc}
    text = [f"已添加用户“{name}”（{access.ROLES[role]}）。"]
    everyone = {row["role"] for row in run(engine, lambda db: query(db, "queries/user/list.sql"), "cvl_auditor")}
    lacking = [each for each in ("maker", "checker") if each not in everyone]
    if lacking:
        words = "、".join(f"{access.ROLES[each]}（--role {each}）" for each in lacking)
        text.append(f"下一步：还要添加{words}，结算须由两个人办理。")
    return Answer(data, text)


def show(engine: Engine) -> Answer:
    """List the users."""
    rows = run(engine, lambda db: query(db, "queries/user/list.sql"), "cvl_auditor")
    data = {"users": [{"name": r["name"], "role": r["role"], "provider": r["provider_uscc"]} for r in rows]}
    if not rows:
        return Answer(data, ["还没有用户。请先添加管理员：cvl user add 用户名 --role admin"])
    shown = [(r["name"], access.ROLES[r["role"]], r["provider_uscc"] or "") for r in rows]
    return Answer(data, table(["用户名", "角色", "所属服务商"], shown))


VERBS = (
    Verb(
        "user add",
        add,
        "添加用户。\n第一个用户必须是管理员，不用写 --as；以后由管理员添加。\n"
        "角色：provider 服务商、maker 经办、checker 复核、auditor 审计、admin 管理员。",
        [
            argument("name", "用户名"),
            option("--role", kind=OneOf("角色", list(access.ROLES)), help="角色", required=True),
            option("--provider", help="服务商用户所属单位的统一社会信用代码", shown="信用代码"),
        ],
        acting=True,
    ),
    Verb("user list", show, "列出用户。"),
)
