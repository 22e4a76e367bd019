"""`cvl init` and `cvl doctor`: create or upgrade the ledger, and say what is there and what is missing."""

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from console.answer import Answer, pairs
from console.door import Verb, ledger
from importers.limits import LIMITS, MIB
from settlement import documents
from settlement.policy import load, shipped_files
from voucher import acts, migrate
from voucher.access import ROLES, SYSTEM
from voucher.database import one, query, run
from voucher.days import ZONE
from voucher.embedded import bin_dir, home_dir
from voucher.errors import CvlError

FREE_BYTES = 2 << 30
"""Less room than this for the data folder is reported."""


def init(engine: Engine) -> Answer:
    """Create or upgrade the database and record the policy files that are part of the program."""
    applied = migrate.migrate(engine)
    first = run(engine, _open_ledger)
    recorded = []
    for body in shipped_files():
        policy = load(body)
        if run(engine, lambda db, policy=policy, body=body: documents.record(db, policy, body, SYSTEM)):  # type: ignore[misc]
            recorded.append(policy.id)
    users = len(run(engine, lambda db: query(db, "queries/user/list.sql"), "cvl_auditor"))
    text = [f"已执行数据库迁移：{'、'.join(applied)}"] if applied else []
    text += ["账本已建立。"] if first else []
    text += [f"已登记政策文件：{'、'.join(recorded)}（cvl policy show 可查看每个数字的依据）"] if recorded else []
    text = text or ["账本早已建立，没有需要升级的内容，本次未作任何改动。"]
    if not users:
        text.append("下一步：添加第一个用户（管理员），例如 cvl user add 用户名 --role admin")
    return Answer({"created": first, "migrations": applied, "policies": recorded, "users": users}, text)


def _open_ledger(db: Connection) -> bool:
    """Write the first act of all. Returns False when it is there."""
    try:
        with acts.act(db, "init", "ledger", SYSTEM, {}):
            return True
    except acts.AlreadyDone:
        return False


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `cvl doctor`. mend: how to put it right, empty when it is all right."""

    name: str
    found: str
    mend: str = ""


def doctor() -> Answer:
    """Say what is there and what is missing, one line each; exit 1 when something is."""
    findings = [_python(), _home()]
    try:
        with ledger() as engine:
            for look in (_server, _migrations, _last_seal, _policies, _users):
                findings.append(_looked(engine, look))
    except CvlError as error:
        findings.append(Finding("数据库", error.message, "按上面这句话处理后，再运行 cvl doctor"))
    findings.append(
        Finding(
            "上传限制",
            f"每个文件至多 {LIMITS.file_bytes // MIB} MB、{LIMITS.rows:,} 行、{LIMITS.columns} 列，"
            f"压缩包解开至多 {LIMITS.inflated_bytes // MIB} MB",
        )
    )
    good = all(not finding.mend for finding in findings)
    data = {
        "ok": good,
        "findings": [{"name": f.name, "ok": not f.mend, "found": f.found, "mend": f.mend} for f in findings],
    }
    text = pairs(
        (f"{'缺' if f.mend else 'ok'}  {f.name}", f.found + (f" → {f.mend}" if f.mend else "")) for f in findings
    )
    return Answer(data, [*text, "", "一切就绪。" if good else "标“缺”的各项请按箭头后的办法处理。"], 0 if good else 1)


def _looked(engine: Engine, look: Callable[[Connection], Finding]) -> Finding:
    """Look at one thing in a transaction of its own, so that one failure hides no other."""
    try:
        return run(engine, look, "cvl_auditor")
    except CvlError as error:
        return Finding((look.__doc__ or "").split("：")[0], error.message, "按这句话处理后重试")


def _python() -> Finding:
    version = platform.python_version()
    return Finding("Python", version, "" if sys.version_info >= (3, 11) else "请安装 Python 3.11 或更新的版本")


def _home() -> Finding:
    """Look at the data folder and the room it has."""
    home = home_dir()
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    mend = "" if free >= FREE_BYTES else "请清理磁盘，或用 CVL_HOME 换一个空间充足的目录"
    return Finding("数据目录", f"{home}，剩余空间 {free / (1 << 30):.1f} GB", mend)


def _server(db: Connection) -> Finding:
    """数据库服务：look at the server behind a transaction."""
    row = one(db, "queries/console/server.sql")
    assert row is not None
    import os

    where = "CVL_DATABASE_URL 指定的服务器" if os.environ.get("CVL_DATABASE_URL") else f"内置（{bin_dir()}）"
    return Finding("数据库服务", f"PostgreSQL {row['version']}，{where}")


def _migrations(db: Connection) -> Finding:
    """数据库结构：compare what was applied with what the program has."""
    import sql

    applied = {row["name"] for row in query(db, "queries/console/migrations.sql")}
    missing = [name for path in sql.names("migrations") if (name := path.rsplit("/", 1)[1]) not in applied]
    if missing:
        return Finding("数据库结构", f"还有 {len(missing)} 个迁移未执行", "请运行 cvl init")
    return Finding("数据库结构", f"{len(applied)} 个迁移全部执行")


def _last_seal(db: Connection) -> Finding:
    """封存链：read the last seal."""
    row = acts.last(db)
    when = row["recorded_at"].astimezone(ZONE)
    return Finding("封存链", f"第 {row['no']} 号，{when:%Y-%m-%d %H:%M:%S}，{row['chain_sha256'][:16]}…")


def _policies(db: Connection) -> Finding:
    """政策文件：count the recorded documents."""
    known = documents.recorded(db, acts.cutoff(db))
    mend = "" if known else "请运行 cvl init"
    return Finding("政策文件", f"已登记 {len(known)} 份：{'、'.join(policy.id for policy in known)}", mend)


def _users(db: Connection) -> Finding:
    """用户：count the users by role; a settlement needs a maker and a checker."""
    rows = query(db, "queries/user/list.sql")
    count = {role: sum(row["role"] == role for row in rows) for role in ROLES}
    lacking = [role for role in ("admin", "maker", "checker") if not count[role]]
    found = "，".join(f"{ROLES[role]} {number} 人" for role, number in count.items())
    mend = f"缺少{'、'.join(ROLES[role] for role in lacking)}，请用 cvl user add 添加" if lacking else ""
    return Finding("用户", found, mend)


VERBS = (
    Verb(
        "init",
        init,
        "建立或升级数据库。\n首次使用时运行一次；升级程序之后再运行一次。重复运行不会改动任何数据。",
        creates=True,
    ),
    Verb(
        "doctor",
        doctor,
        "检查运行环境：有什么、缺什么、怎样补。\n一切就绪时退出码为 0，否则为 1。",
        database=False,
    ),
)
