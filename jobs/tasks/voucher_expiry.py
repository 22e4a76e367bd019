"""Let vouchers lapse whose year can no longer be claimed; those whose claims are not all settled wait."""

from collections import defaultdict

from jobs.job import Context, Job, Outcome, first_day
from settlement import lapse
from voucher.access import SYSTEM, User
from voucher.money import format_yuan

_SYSTEM = User(SYSTEM, SYSTEM, None)


def work(context: Context) -> Outcome:
    """Expire what is due on the business day; say by year what lapsed and what waits for which invoices."""
    years: dict[int, list[lapse.Due]] = defaultdict(list)
    for due in lapse.expire(context.db, _SYSTEM, context.today):
        years[due.cap_year].append(due)
    told = []
    for year, found in sorted(years.items()):
        lapsed = [due.left_fen for due in found if not due.waits_for]
        total = format_yuan(sum(lapsed), grouped=True)
        waiting = [due for due in found if due.waits_for]
        if lapsed:
            told.append(f"{year}年度：申报截止日已过，{len(lapsed)}张券的余额合计{total}元已失效。")
        told += [
            f"{year}年度：企业 {due.company} 还有{len(due.waits_for)}张发票未办结，其券暂不失效。"
            f"请先办结这些发票，如 {due.waits_for[0]}。"
            for due in waiting
        ]
    return Outcome("done", "\n".join(told) or "没有过了申报截止日的券。")


JOB = Job("算力券到期失效", "month", first_day, work)
