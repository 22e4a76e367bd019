"""`cvl db`: back the ledger up and restore it."""

from pathlib import Path

from sqlalchemy import Engine

from console.answer import Answer, pairs
from console.chinese import FILE, argument
from console.door import Verb
from reconciliation import backup, invariants
from reconciliation.backup import Saved
from voucher import access
from voucher.database import run
from voucher.files import written


def save(engine: Engine, as_user: str | None, file: Path) -> Answer:
    """Write a backup, then record that as an act of its own."""
    user = run(engine, lambda db: access.require(db, as_user, "db backup"), "cvl_auditor")
    with written(file, 0o600) as target:
        done = backup.save(engine, target)
        run(engine, lambda db: backup.record(db, user.name, done))
    text = [f"备份已写入 {file}：截至第{done.last.no}号，含原件{done.documents}份。其中有银行账号，请妥善保管。"]
    return _answer(file, done, text)


def restore(engine: Engine, file: Path) -> Answer:
    """Restore a backup into an empty place and check the seal of every act."""
    done = backup.restore(engine, file)
    failures = invariants.check_at_once(engine)
    text = [f"已恢复到第{done.last.no}号，含原件{done.documents}份。"]
    text.append(
        "逐号重算封存摘要，全部检查通过。" if not failures else f"检查有{len(failures)}处不符，请运行 cvl reconcile。"
    )
    return _answer(file, done, text, wrong=bool(failures))


def _answer(file: Path, done: Saved, text: list[str], *, wrong: bool = False) -> Answer:
    data = {
        "file": str(file), "act_no": str(done.last.no), "chain_sha256": done.last.sha256,
        "chain_sm3": done.last.sm3, "documents": done.documents, "missing": done.missing,
        "postgresql": done.major, "sha256": done.sha256 or None, "ok": not wrong,
    }  # fmt: skip
    text += pairs([("末号链摘要 SHA-256", done.last.sha256), ("末号链摘要 SM3", done.last.sm3)])
    if done.missing:
        text.append(f"有{len(done.missing)}份上传的原件不在原件目录里，请从别处找回：{'、'.join(done.missing[:3])}……")
    return Answer(data, text, 5 if wrong else 3 if done.missing else 0)


VERBS = (
    Verb(
        "db backup",
        save,
        "备份账本和上传的原件，写成一个文件。\n"
        "备份是某一刻的全貌，期间可照常办理；须有与数据库服务器同版本的 pg_dump。",
        [argument("file", "文件", kind=FILE)],
        acting=True,
    ),
    Verb(
        "db restore",
        restore,
        "把备份恢复到一个空的地方，并逐号核对封存摘要。\n"
        "空的地方是：新的 CVL_HOME，或 CVL_DATABASE_URL 指定的空数据库。已有账本的地方不会被改动。",
        [argument("file", "文件", kind=FILE)],
        creates=True,
    ),
)
