"""Back the ledger up every day into CVL_HOME/backups; the oldest ones make room."""

from jobs.job import Context, Job, Outcome, same_day
from reconciliation import backup
from voucher.access import SYSTEM
from voucher.embedded import home_dir
from voucher.files import written

KEPT = 30


def work(context: Context) -> Outcome:
    """Write the day's backup and record it as an act; fail when uploaded files are missing."""
    folder = home_dir() / "backups"
    target = folder / f"cvl-{context.slot}.tar"
    if context.dry_run:
        return Outcome("done", f"将写入 {target}。")
    with written(target, 0o600) as file:
        done = backup.save(context.engine, file)
    backup.record(context.db, SYSTEM, done)
    old = sorted(folder.glob("cvl-[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].tar"))[:-KEPT]
    for path in old:
        path.unlink()
    told = (
        f"{target}：截至第{done.last.no}号，链摘要 {done.last.sha256}，原件{done.documents}份，清理旧备份{len(old)}份。"
    )
    if done.missing:
        return Outcome("failed", f"{told}\n有{len(done.missing)}份上传的原件找不到，请从别处找回。")
    return Outcome("done", told)


JOB = Job("每日备份", "day", same_day, work, every=False)
