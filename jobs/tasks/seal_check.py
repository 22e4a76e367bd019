"""Digest every act anew and follow both chains: whether anything sealed was changed."""

from jobs.job import Context, Job, Outcome, same_day
from reconciliation import invariants
from voucher import acts


def work(context: Context) -> Outcome:
    """Check the seal of the whole ledger; it fails with the first act that is wrong."""
    cutoff = acts.cutoff(context.db)
    failures = invariants.check_seal(context.db)
    if failures:
        first = invariants.first_wrong(failures)
        return Outcome("failed", f"封存摘要有{len(failures)}处不符，最早的是第{first}号。请停止办理，保留现场。")
    return Outcome("done", f"第1号至第{cutoff}号逐号相符。")


JOB = Job("封存复核", "day", same_day, work, every=False)
