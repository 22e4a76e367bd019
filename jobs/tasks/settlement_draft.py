"""Draft the month's settlement, so that the maker finds it ready: any maker may submit it or draft anew."""

from jobs.job import Context, Job, Outcome, fifth_working_day
from settlement import documents
from settlement import run as runs
from voucher import acts
from voucher.access import SYSTEM, User
from voucher.errors import Refused
from voucher.money import format_yuan

_SYSTEM = User(SYSTEM, SYSTEM, None)


def work(context: Context) -> Outcome:
    """Draft every programme through the slot's month; one whose run is open is left to its makers."""
    db, through = context.db, runs.month_end(context.slot)
    known = documents.recorded(db, acts.cutoff(db))
    told, drafted = [], 0
    for programme in sorted({policy.programme for policy in known}):
        try:
            with db.begin_nested():
                draft = runs.draft(db, _SYSTEM, through, programme=programme)
            drafted += 1
            if draft.run is None:
                told.append(f"{programme}：没有可结算的发票，暂缓{len(draft.held)}笔。")
                continue
            sums = runs.totals(db, draft.run)
            told.append(
                f"{programme}：已起草批次 {draft.run.run_id}，{draft.run.lines}行，"
                f"补贴额{format_yuan(sums['granted'], grouped=True)}元，暂缓{len(draft.held)}笔。"
                f"请经办人查看后提交：cvl settle show {draft.run.run_id}"
            )
        except Refused as refusal:
            told.append(f"{programme}：{refusal.message}")
        db.exec_driver_sql("DISCARD TEMP")
    return Outcome("done" if drafted else "skipped", "\n".join(told) or "尚无已登记的政策文件。")


JOB = Job("月度结算起草", "month", fifth_working_day, work)
