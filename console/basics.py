"""`cvl init` and `cvl doctor`: create or upgrade the ledger, and say what is there and what is missing."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine

import sql
from console.answer import Answer, pairs
from console.door import Verb, ledger
from importers import receive
from importers.limits import (
    BUNDLE_DEPTH,
    BUNDLE_LIMITS,
    LIMITS,
    MIB,
    OFD_LIMITS,
    PAPER_LIMITS,
    PARSER_LIMITS,
    WORKBOOK_LIMITS,
)
from settlement import documents
from settlement.policy import load, shipped_files
from voucher import acts, migrate, workdays
from voucher.access import ROLES, SYSTEM
from voucher.database import one, query, run
from voucher.days import ZONE, business_day
from voucher.embedded import bin_dir, home_dir
from voucher.errors import CvlError, Unreachable

FREE_BYTES = 2 << 30
"""Less room than this for the data folder is reported."""
BACKUP_DAYS = 7
"""An older last backup is reported."""


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


Found = tuple[str, str]
"""What was found, and how to mend it: empty when it is all right."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `cvl doctor`. mend: how to put it right, empty when it is all right."""

    name: str
    found: str
    mend: str = ""


def doctor() -> Answer:
    """Say what is there and what is missing, one line each; exit 1 when something is."""
    findings = [Finding("Python", *_python()), Finding("数据目录", *_home())]
    try:
        with ledger() as engine:
            for name, look in _LOOKS:
                findings.append(_looked(engine, name, look))
    except CvlError as error:
        findings.append(Finding("数据库", error.message, "按上面这句话处理后，再运行 cvl doctor"))
    findings.append(Finding("上传限制", *_limits()))
    good = all(not finding.mend for finding in findings)
    listed = [{"name": f.name, "ok": not f.mend, "found": f.found, "mend": f.mend} for f in findings]
    text = pairs(line for finding in findings for line in _lines(finding))
    last = "一切就绪。" if good else "标“缺”的各项，请按箭头后的办法处理。"
    return Answer({"ok": good, "findings": listed}, [*text, "", last], 0 if good else 1)


def _lines(finding: Finding) -> Iterator[tuple[str, str]]:
    """Write a finding, what is found part by part below each other."""
    first, *rest = (finding.found + (f" → {finding.mend}" if finding.mend else "")).split("；")
    yield f"{'缺' if finding.mend else 'ok'}  {finding.name}", first
    yield from (("", part) for part in rest)


def _looked(engine: Engine, name: str, look: Callable[[Connection], Found]) -> Finding:
    """Look at one thing in a transaction of its own, so that one failure hides no other.

    Raises Unreachable: without the database there is nothing else to look at.
    """
    try:
        return Finding(name, *run(engine, look, "cvl_auditor"))
    except Unreachable:
        raise
    except CvlError as error:
        return Finding(name, error.message, "按这句话处理后，再运行 cvl doctor")


def _python() -> Found:
    good = sys.version_info >= (3, 11)
    return platform.python_version(), "" if good else "请安装 Python 3.11 或更新的版本"


def _home() -> Found:
    """Look at the data folder and that of the originals: the room they have, and whether they can be written to."""
    home, there = home_dir(), []
    for folder in (home, receive.documents()):
        there.append(next(each for each in (folder, *folder.parents) if each.exists()))
    free = min(shutil.disk_usage(folder).free for folder in there)
    mend = "" if free >= FREE_BYTES else "请清理磁盘，或用 CVL_HOME 换一个空间充足的目录"
    shut = [str(folder) for folder in there if not os.access(folder, os.W_OK | os.X_OK)]
    if shut:
        mend = f"{shut[0]} 不能写入，请改正它的权限或挂载方式，否则收不了上传的文件"
    return f"{home}，剩余空间 {free / (1 << 30):.1f} GB", mend


def _limits() -> Found:
    """Say what an upload may cost at most: a table, a document of one invoice, a bundle, the parser's child."""
    child, book = PARSER_LIMITS, WORKBOOK_LIMITS
    return (
        f"表格每个至多 {LIMITS.file_bytes // MIB} MB、{LIMITS.rows:,} 行、{LIMITS.columns} 列、{LIMITS.sheets} 张表，"
        f"解开至多 {LIMITS.inflated_bytes // MIB} MB、压缩比至多 {LIMITS.ratio}；"
        f"XML 或 PDF 每份至多 {PAPER_LIMITS.file_bytes // MIB} MB，XML 正文至多 {child.xml_bytes // MIB} MB，"
        f"OFD 至多 {OFD_LIMITS.file_bytes // MIB} MB、{OFD_LIMITS.zip_entries} 个成员，PDF 至多 {child.pdf_pages} 页；"
        f"压缩包或文件夹至多 {BUNDLE_LIMITS.zip_entries:,} 个文件、套 {BUNDLE_DEPTH} 层；"
        f"每份单据在单独的进程里解析，至多 {child.wall_seconds} 秒、{child.address_space // MIB} MB 内存；"
        f"工作簿也在单独的进程里打开，至多 {book.cpu_seconds} 秒、{book.address_space // MIB} MB 内存；"
        f"csv 每行至多 {LIMITS.record_chars // MIB} MB"
    ), ""


def _server(db: Connection) -> Found:
    """Look at the server behind the transaction."""
    row = one(db, "queries/console/server.sql")
    assert row is not None
    named = os.environ.get("CVL_DATABASE_URL")
    where = "CVL_DATABASE_URL 指定的服务器" if named else f"内置（{bin_dir()}）"
    return f"PostgreSQL {row['version']}，{where}", ""


def _migrations(db: Connection) -> Found:
    """Compare what was applied with what the program has."""
    applied = {row["name"] for row in query(db, "queries/console/migrations.sql")}
    missing = [path for path in sql.names("migrations") if path.rsplit("/", 1)[1] not in applied]
    if missing:
        return f"还有 {len(missing)} 个迁移未执行", "请运行 cvl init"
    return f"{len(applied)} 个迁移全部执行", ""


def _last_seal(db: Connection) -> Found:
    """Read the last seal."""
    row = acts.last(db)
    when = row["recorded_at"].astimezone(ZONE)
    return f"第 {row['no']} 号，{when:%Y-%m-%d %H:%M:%S}，{row['chain_sha256'][:16]}…", ""


def _policies(db: Connection) -> Found:
    """Count the recorded documents."""
    known = documents.recorded(db, acts.cutoff(db))
    if not known:
        return "尚未登记", "请运行 cvl init"
    return f"已登记 {len(known)} 份：{'、'.join(policy.id for policy in known)}", ""


def _users(db: Connection) -> Found:
    """Count the users by role; a settlement needs a maker and a checker."""
    rows = query(db, "queries/user/list.sql")
    number = {role: sum(row["role"] == role for row in rows) for role in ROLES}
    lacking = "、".join(ROLES[role] for role in ("admin", "maker", "checker") if not number[role])
    found = "，".join(f"{ROLES[role]} {number[role]} 人" for role in ROLES)
    return found, f"缺少{lacking}，请用 cvl user add 添加" if lacking else ""


def _calendar(_db: Connection) -> Found:
    """Look whether the working-day calendar reaches two months ahead."""
    today = business_day()
    ahead = today + timedelta(days=60)
    known = f"已有{'、'.join(map(str, workdays.years()))}年"
    missing = [year for year in {today.year, ahead.year} if year not in workdays.years()]
    return known, f"缺少{min(missing)}年，请升级本程序" if missing else ""


def _jobs(db: Connection) -> Found:
    """Look at the last slot of each job."""
    rows = query(db, "queries/job/last.sql")
    if not rows:
        return "尚未运行过（cvl jobs start 启动调度）", ""
    failed = [f"{row['job']} {slot}" for row in rows for slot in row["failed"] or ()]
    last = max(row["ended_at"] for row in rows).astimezone(ZONE)
    found = f"{len(rows)} 项运行过，最近一次 {last:%Y-%m-%d %H:%M}，失败 {len(failed)} 期"
    return found, f"{'、'.join(failed)} 失败，请看 cvl jobs list，改正后用 cvl jobs run 重办" if failed else ""


def _backup(db: Connection) -> Found:
    """Look at the last backup."""
    row = one(db, "queries/console/last_act.sql", kind="backup", days=BACKUP_DAYS)
    if row is None:
        return "还没有备份（cvl db backup，或由 cvl jobs start 每日备份）", ""
    when = f"最近一次 {row['effective_on']}（第 {row['no']} 号）"
    return when, f"已超过 {BACKUP_DAYS} 天，请运行 cvl db backup" if row["old"] else ""


def _bundle(db: Connection) -> Found:
    """Look at the last export for auditors."""
    row = one(db, "queries/console/last_act.sql", kind="audit_export", days=0)
    if row is None:
        return "还没有导出过（cvl audit export）", ""
    return f"最近一次导出 {row['effective_on']}（第 {row['no']} 号，{row['reference'].split(':')[1]}）", ""


_LOOKS: tuple[tuple[str, Callable[[Connection], Found]], ...] = (
    ("数据库服务", _server),
    ("数据库结构", _migrations),
    ("封存链", _last_seal),
    ("政策文件", _policies),
    ("用户", _users),
    ("工作日历", _calendar),
    ("定时任务", _jobs),
    ("备份", _backup),
    ("审计包", _bundle),
)
"""What the doctor looks at in the database, in order."""


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
