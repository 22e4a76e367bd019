"""`cvl jobs`: what is scheduled, how it went, run one by hand, start the scheduler."""

from typing import Any

from sqlalchemy import Engine

from console import logs
from console.answer import Answer, table
from console.chinese import argument, flag, option
from console.door import Verb
from jobs import runner
from jobs.job import registry
from voucher import access
from voucher.database import query, run
from voucher.days import ZONE, business_day
from voucher.errors import Busy, Refused

STATES = {"done": "完成", "skipped": "跳过", "failed": "失败"}


def show(engine: Engine) -> Answer:
    """List the jobs, how the last slot of each ended, and what is due."""
    last = {row["job"]: row for row in run(engine, lambda db: query(db, "queries/job/last.sql"), "cvl_auditor")}
    listed: list[dict[str, Any]] = []
    for name, job in registry().items():
        row = last.get(name)
        try:
            waiting = [slot for slot, skip in runner.due(engine, job, business_day()) if not skip]
            note = ""
        except Refused as refusal:
            waiting, note = [], refusal.message
        listed.append(
            {
                "name": name, "title": job.title, "period": job.period, "slot": row and row["slot"],
                "state": row and row["state"],
                "ended_at": row["ended_at"].astimezone(ZONE) if row and row["ended_at"] else None, "due": waiting,
                "output": row["output"] if row else "", "last_done": row and row["last_done"],
                "failed": (row and row["failed"]) or [],
                "problem": note,
            }
        )  # fmt: skip
    shown = [
        (
            each["name"], each["title"], each["slot"] or "", STATES.get(each["state"], "") if each["state"] else "",
            f"{each['ended_at'].astimezone(ZONE):%Y-%m-%d %H:%M}" if each["ended_at"] else "",
            each["problem"] or "、".join(each["due"][:3]) + ("……" if len(each["due"]) > 3 else ""),
            "、".join(each["failed"][:3]) + ("……" if len(each["failed"]) > 3 else ""),
        )
        for each in listed
    ]  # fmt: skip
    heads = ["名称", "任务", "最近一期", "结果", "时间", "待办的各期", "失败的各期"]
    return Answer({"jobs": listed}, table(heads, shown))


def run_one(engine: Engine, as_user: str | None, name: str, slot: str | None, *, dry_run: bool) -> Answer:
    """Run one slot of a job now, or say how it went when it ran before."""
    user = run(engine, lambda db: access.require(db, as_user, "jobs run"), "cvl_auditor")
    job = runner.find(name)
    chosen = runner.slot_of(job, slot, business_day())
    ran = runner.run_slot(engine, job, chosen, asked_by=user.name, dry_run=dry_run)
    if ran.outcome is None:
        raise Busy("busy", f"“{job.title}”{chosen} 这一期正由另一个进程办理。请稍后查看 cvl jobs list。")
    data = {"job": name, "slot": chosen, "state": ran.outcome.state, "fresh": ran.fresh, "output": ran.outcome.output}
    before = "" if ran.fresh else "（此前已办，这是当时的结果）"
    trial = "（试运行，什么都没有保留）" if dry_run and ran.fresh else ""
    text = [f"{job.title} {chosen}：{STATES[ran.outcome.state]}{before}{trial}", *ran.outcome.output.split("\n")]
    return Answer(data, text, 3 if ran.outcome.state == "failed" else 0)


def start(engine: Engine, *, once: bool) -> Answer:
    """Run the scheduler until it is told to stop; with --once only what is due now."""
    logs.start(always=True)
    if not once:
        from jobs import clock  # APScheduler is slow to load

        return Answer({"ran": clock.start(engine)}, ["调度已停止。"])
    ran = [each for each in runner.tick(engine) if each.fresh and each.outcome]
    rows = [(each.job, each.slot, STATES[each.outcome.state]) for each in ran if each.outcome]
    data = {"ran": [{"job": job, "slot": slot, "state": state} for job, slot, state in rows]}
    failed = any(each.outcome and each.outcome.state == "failed" for each in ran)
    return Answer(data, table(["名称", "期", "结果"], rows) if rows else ["没有到期的任务。"], 3 if failed else 0)


VERBS = (
    Verb("jobs list", show, "列出定时任务：最近一期办得怎样，还有哪些待办。"),
    Verb(
        "jobs run",
        run_one,
        "立即办理一项任务的一期。\n每一期只办一次；失败的可以重办。不写 --slot 时办最近到期的一期。",
        [
            argument("name", "任务"),
            option("--slot", help="哪一期，例如 2026-08 或 2026-08-15", shown="期"),
            flag("--dry-run", help="试运行：做完后全部退回，不写文件"),
        ],
        acting=True,
    ),
    Verb(
        "jobs start",
        start,
        "启动调度：先补办错过的各期，此后每分钟看一次有无到期的任务，直到收到停止信号。\n"
        "可同时启动几个，每一期仍只办一次。",
        [flag("--once", help="只补办眼下到期的，办完即退出")],
    ),
)
