"""List the vouchers whose year can no longer be claimed and that still have room: what is to lapse."""

from collections import defaultdict

from jobs.job import Context, Job, Outcome, first_day
from settlement import documents
from settlement.policy import governing, in_force
from voucher import acts
from voucher.database import query
from voucher.money import format_yuan


def work(context: Context) -> Outcome:
    """Sum what is left by programme and year once the claim deadline of the year is past."""
    db = context.db
    force = in_force(documents.recorded(db, acts.cutoff(db)))
    left: dict[tuple[str, int], list[int]] = defaultdict(list)
    for row in query(db, "queries/voucher/list.sql", year=None, company=None, voucher_id=None):
        own = [entry for entry in force if entry[0].programme == row["programme_id"]]
        policy = governing(own, row["cap_year"])
        over = policy is not None and policy.deadline(row["cap_year"]) < context.today
        if over and row["left_fen"] and row["state"] in ("issued", "frozen"):
            left[row["programme_id"], row["cap_year"]].append(row["left_fen"])
    told = [
        f"{programme} {year}年度：申请期限已过，{len(fens)}张券还有额度，合计"
        f"{format_yuan(sum(fens), grouped=True)}元。待该年度的发票全部办结后办理失效。"
        for (programme, year), fens in sorted(left.items())
    ]
    return Outcome("done", "\n".join(told) or "没有过了申请期限仍有额度的券。")


JOB = Job("算力券到期清单", "month", first_day, work)
