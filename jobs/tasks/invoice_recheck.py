"""List the invoices to be looked up again on the tax platform 30, 90 and 180 days after their money was paid."""

from datetime import date

from jobs.job import Context, Job, Outcome, same_day
from voucher.database import query

DAYS = (30, 90, 180)


def work(context: Context) -> Outcome:
    """List what falls due on the slot's day."""
    rows = query(context.db, "queries/job/recheck.sql", day=date.fromisoformat(context.slot), after_days=list(DAYS))
    if not rows:
        return Outcome("done", "没有要再次查验的发票。")
    told = [f"{row['number']}（拨付后{row['days']}日）" for row in rows]
    return Outcome("done", f"请到税务平台再次查验这{len(rows)}张发票，有作废、红冲的及时登记：\n" + "\n".join(told))


JOB = Job("拨付后查验", "day", same_day, work)
