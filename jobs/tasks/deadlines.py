"""Say which deadlines are near: claims of a year, the end of a policy, a year missing in the calendar."""

from datetime import timedelta

from jobs.job import Context, Job, Outcome, first_day
from settlement import documents
from settlement.policy import governing, in_force
from voucher import acts, workdays

NEAR_DAYS = 60


def work(context: Context) -> Outcome:
    """List what ends within the next days."""
    today, until = context.today, context.today + timedelta(days=NEAR_DAYS)
    force = in_force(documents.recorded(context.db, acts.cutoff(context.db)))
    told = []
    for programme in sorted({policy.programme for policy, _ in force}):
        own = [entry for entry in force if entry[0].programme == programme]
        for year in (today.year - 1, today.year):
            policy = governing(own, year)
            if policy is not None and today <= policy.deadline(year) <= until:
                day = policy.deadline(year)
                told.append(f"{programme}：{year}年度的兑付申请{day}截止，还有{(day - today).days}天。")
        last = max(span.last for _, span in own)
        if today <= last <= until:
            told.append(f"{programme}：政策{last}到期，还有{(last - today).days}天。")
    if until.year not in workdays.years():
        told.append(f"工作日历里没有{until.year}年。请待国务院办公厅公布后升级本程序，否则跨年的公示期和任务无法排定。")
    return Outcome("done", "\n".join(told) or f"今后{NEAR_DAYS}天内没有到期的事项。")


JOB = Job("期限提醒", "month", first_day, work)
