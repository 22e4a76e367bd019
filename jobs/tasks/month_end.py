"""Reconcile at the end of the month and write its reports to a folder."""

from jobs.job import Context, Job, Outcome, month_over
from reconciliation import invariants, reports
from voucher import acts
from voucher.embedded import home_dir
from voucher.files import written


def work(context: Context) -> Outcome:
    """Run every check, then write every report of the month; it fails when the books do not agree."""
    db = context.db
    cutoff, failures = acts.cutoff(db), invariants.check_all(db)
    folder = home_dir() / "reports" / context.slot
    told = []
    # two reports run the checks: what is wrong is told once
    wrong = {(each.title, each.act_no, each.subject, each.detail) for each in failures}
    for name in reports.names():
        report = reports.run(db, name, context.slot, cutoff, "system", failures)
        target = folder / f"{name}-{context.slot}-{cutoff}.xlsx"
        wrong |= {(each.title, each.act_no, each.subject, each.detail) for each in report.differences}
        if not context.dry_run:
            with written(target, 0o600) as file:
                reports.FORMATS["xlsx"](report, file)
        told.append(f"{report.layout.title}：{report.rows}行，{target}")
    if wrong:
        first = invariants.first_wrong(failures)
        where = f"最早出错的是第{first}号。" if first else ""
        return Outcome("failed", "\n".join([f"核对不一致，有{len(wrong)}处差异。{where}", *told]))
    return Outcome("done", "\n".join([f"核对一致，截至第{cutoff}号。", *told]))


JOB = Job("月末对账与报表", "month", month_over, work)
