"""Say when a year's appropriation is nearly spent."""

from jobs.job import Context, Job, Outcome, same_day
from voucher import acts, ledger
from voucher.money import format_yuan

NEAR_BP = 1000
"""Left of what was appropriated, in hundredths of a percent."""


def work(context: Context) -> Outcome:
    """Compare what is left of each fiscal year with what was appropriated."""
    cutoff = acts.cutoff(context.db)
    given = {_year(row): -row["balance_fen"] for row in ledger.balances(context.db, cutoff, "money:treasury:")}
    left = {_year(row): row["balance_fen"] for row in ledger.balances(context.db, cutoff, "money:appropriation:")}
    told = []
    for year in sorted(given):
        if int(year) >= context.today.year and left[year] * 10_000 < given[year] * NEAR_BP:
            told.append(
                f"{year}年度指标{format_yuan(given[year], grouped=True)}元，只剩"
                f"{format_yuan(left[year], grouped=True)}元。请及早申请追加。"
            )
    if str(context.today.year) not in given:
        told.append(f"{context.today.year}年度还没有下达指标。")
    return Outcome("done", "\n".join(told) or "各年度指标余额充足。")


def _year(row: dict[str, object]) -> str:
    return str(row["account"]).rsplit(":", 1)[1]


JOB = Job("指标余额提醒", "day", same_day, work, every=False)
