"""`cvl settle`: draft, submit, approve; what a run holds and why."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine

from console import chinese
from console.answer import Answer, pairs, table, yuan
from console.chinese import MONTH, NUMBER, argument, flag, option
from console.door import Verb
from settlement import documents, run_data, verify
from settlement import run as runs
from settlement.policy import Policy
from settlement.run import KINDS
from voucher import access, acts
from voucher.database import query, run
from voucher.money import format_yuan
from voucher.reasons import Reason, sentence, sentences

FIRST_LINES = 20
Row = Mapping[str, Any]


def draft(
    engine: Engine, as_user: str | None, through: str, *, backfill: bool, programme: str | None, as_json: bool
) -> Answer:
    """Draft a run up to a month."""

    def work(db: Connection) -> Answer:
        user = access.require(db, as_user, "settle draft")
        made = runs.draft(db, user, runs.month_end(through), backfill=backfill, programme=programme)
        policies = documents.recorded(db, made.cutoff)
        if made.run is None:
            return _nothing(through, made, policies)
        if as_json:
            return Answer(run_data.whole(db, made.run, policies, made.held, made.backfill))
        then = f"下一步：核对后提交 cvl settle submit {made.run.run_id} --as {user.name}"
        return Answer({}, [*_lines(db, made.run, made.held, made.backfill), then])

    return run(engine, work)


def _nothing(through: str, made: runs.Draft, policies: Sequence[Policy]) -> Answer:
    """Answer a draft without one line."""
    listed = {"backfill": made.backfill, "held": made.held}
    data = {
        "run": None, "state": None, "through": through, "programme": None, "policies": [], "maker": None,
        "checker": None, "digest": None,
        "totals": dict.fromkeys(("granted", "withheld", "recovered"), "0.00"),
        "lines": [], **{name: run_data.rows(rows, policies, runs.month_end(through)) for name, rows in listed.items()},
    }  # fmt: skip
    return Answer(data, [f"截至{through}没有可结算的发票，未生成草稿。", *_listed_lines(made.held, made.backfill)])


def show(engine: Engine, run_id: int, as_of: str | None, *, as_json: bool) -> Answer:
    """Show a run with its lines and their reasons."""

    def work(db: Connection) -> Answer:
        found = runs.find(db, run_id, acts.cutoff_then(db, as_of))
        held, backfill = runs.listed(db, found, "held"), runs.listed(db, found, "backfill")
        if as_json:
            return Answer(run_data.whole(db, found, documents.recorded(db, found.cutoff), held, backfill))
        return Answer({}, [*_lines(db, found, held, backfill), *_next(found)])

    return run(engine, work, "cvl_auditor")


def _next(found: runs.Run) -> list[str]:
    """Say what a run waits for."""
    if found.state == "draft":
        return [f"下一步：由{found.drafted_by}提交 cvl settle submit {found.run_id} --as {found.drafted_by}"]
    if found.state == "submitted":
        return [
            f"下一步：由复核人员批准 cvl settle approve {found.run_id} --digest {found.digest[:16]} --as 复核人员",
            f"        或退回 cvl settle reject {found.run_id} --why 理由 --as 复核人员",
        ]
    return []


def _lines(db: Connection, found: runs.Run, held: Sequence[Row], backfill: Sequence[Row]) -> list[str]:
    """Write a run for people: totals, kinds, the first lines."""
    sums = runs.totals(db, found)
    head = [
        ("结算批次", f"{found.run_id}（{runs.STATES[found.state]}）"),
        ("结算至", f"{found.through:%Y-%m}，事项 {found.programme}，账本截至第 {found.cutoff} 号"),
        ("经办 / 复核", f"{found.maker} / {found.checker or '（尚无）'}"),
        ("补贴额", f"{yuan(sums['granted'])}元"),
        ("上限核减", f"{yuan(sums['withheld'])}元"),
        ("追回", f"{yuan(sums['recovered'])}元"),
        ("结算行摘要", found.digest),
    ]
    kinds = [
        (
            KINDS[k["kind"]],
            str(k["lines"]),
            yuan(k["computed_fen"]),
            yuan(k["granted_fen"]),
            yuan(k["withheld_fen"]),
        )
        for k in query(db, "queries/console/run_kinds.sql", run_id=found.run_id)
    ]
    why = [
        (str(r["lines"]), sentence(Reason(r["code"], r["amount_fen"], r["other_fen"])))
        for r in query(db, "queries/console/run_reasons.sql", run_id=found.run_id)
    ]
    first = query(db, "queries/console/run_first.sql", run_id=found.run_id, rows=FIRST_LINES)
    text = [*pairs(head), "", *table(["种类", ">行数", ">计算额", ">补贴额", ">上限核减"], kinds), ""]
    if why:
        text += [*table([">行数", "核减与不计入的事由（合计）"], why), ""]
    text += table(["发票号码", "企业", "年度", "种类", ">计算额", ">补贴额", ">上限核减", "事由"], map(_shown, first))
    if found.lines > len(first):
        text.append(f"……共{found.lines}行，全部内容见 cvl settle show {found.run_id} --json")
    return [*text, *_listed_lines(held, backfill), ""]


def _shown(row: Row) -> tuple[str, ...]:
    """Write one line for the table."""
    why = sentences(row["reasons"])
    figures = (yuan(row["computed_fen"]), yuan(row["granted_fen"]), yuan(row["withheld_fen"]))
    return (row["invoice_number"], row["company"], str(row["cap_year"]), KINDS[row["kind"]], *figures, why)


def _listed_lines(held: Sequence[Row], backfill: Sequence[Row]) -> list[str]:
    """Write what a draft lists beside its lines."""
    text: list[str] = []
    for title, rows in (("暂缓", held), ("可补付（须用 --backfill 起草才补付）", backfill)):
        if rows:
            shown = [
                (
                    r["invoice_number"],
                    r["company"],
                    str(r["cap_year"]),
                    yuan(r["computed_fen"]),
                    sentences(r["reasons"]),
                )
                for r in rows[:FIRST_LINES]
            ]
            text += [
                "",
                f"{title}：{len(rows)}笔",
                *table(["发票号码", "企业", "年度", ">计算额", "事由"], shown),
            ]
    return text


def submit(engine: Engine, as_user: str | None, run_id: int) -> Answer:
    """Propose a draft for approval."""

    def work(db: Connection) -> Answer:
        done = runs.submit(db, access.require(db, as_user, "settle submit"), run_id)
        data = {
            "act": str(done.proposal),
            **run_data.head(db, done),
            "state": "proposed" if done.state == "submitted" else done.state,
        }
        sums = runs.totals(db, done)
        waits = "待复核" if done.state == "submitted" else "早已批准，没有改动"
        text = [
            f"已提交结算批次 {run_id}：{done.lines}行，补贴额{yuan(sums['granted'])}元，{waits}。",
            f"结算行摘要 {done.digest}",
            *_next(done),
        ]
        return Answer(data, text)

    return run(engine, work)


def approve(engine: Engine, as_user: str | None, run_id: int, digest: str | None) -> Answer:
    """Approve a submitted run: vouchers, limits and money are posted."""
    return _decide(engine, as_user, run_id, "approved", digest=digest)


def reject(engine: Engine, as_user: str | None, run_id: int, why: str) -> Answer:
    """Send a submitted run back."""
    return _decide(engine, as_user, run_id, "rejected", why=why)


def withdraw(engine: Engine, as_user: str | None, run_id: int) -> Answer:
    """Take back one's own run or draft."""
    return _decide(engine, as_user, run_id, "withdrawn")


_DONE = {
    "approved": (
        "approve", "已批准结算批次 {run}：补贴额{granted}元已记入应付。",
        "下一步：由经办人员公示 cvl disclose {run} --as 经办人员。",
    ),
    "rejected": ("reject", "已退回结算批次 {run}。", "经办人员可以改正后重新起草。"),
    "withdrawn": (
        "settle withdraw", "已撤回结算批次 {run}。", "可以重新起草：cvl settle draft --through 月份。"
    ),
}  # fmt: skip


def _decide(
    engine: Engine,
    as_user: str | None,
    run_id: int,
    verdict: str,
    *,
    why: str = "",
    digest: str | None = None,
) -> Answer:
    """Approve, reject or withdraw a run."""
    right, said, then = _DONE[verdict]

    def work(db: Connection) -> Answer:
        user = access.require(db, as_user, right)
        done = runs.decide(db, user, run_id, verdict, why=why, digest=digest)
        if done.state == "draft":
            data = {"run": str(run_id), "state": "withdrawn", "act": None}
            return Answer(data, [said.format(run=run_id), then])
        granted = yuan(runs.totals(db, done)["granted"])
        data = {"act": str(done.proposal), **run_data.head(db, done)}
        return Answer(data, [said.format(run=run_id, granted=granted), then.format(run=run_id)])

    return run(engine, work)


def check(engine: Engine, run_id: int) -> Answer:
    """Recompute a run from its facts with the plain engine and compare every line."""
    found = run(engine, lambda db: verify.verify(db, run_id), "cvl_auditor")
    differences = [
        {
            "invoice_number": d.invoice_number, "cap_year": d.cap_year, "kind": d.kind, "field": d.field,
            "stored": d.stored, "computed": d.computed, "sentence": d.sentence,
        }
        for d in found
    ]  # fmt: skip
    data = {"run": str(run_id), "ok": not found, "differences": differences}
    if not found:
        return Answer(data, [f"结算批次 {run_id}：用另一套算法按当时的账重新计算，逐行逐分一致。"])
    text = [f"结算批次 {run_id}：重算有{len(found)}处不一致，请停止拨付并联系系统管理员。"]
    return Answer(data, [*text, *(f"  {d.sentence}" for d in found[:FIRST_LINES])], 5)


def list_runs(engine: Engine, as_of: str | None) -> Answer:
    """List the runs."""
    rows = run(
        engine, lambda db: query(db, "queries/settle/list.sql", cutoff=acts.cutoff_then(db, as_of)), "cvl_auditor"
    )
    data = {
        "runs": [
            {
                "run": str(r["run_id"]), "state": r["state"], "through": f"{r['through_on']:%Y-%m}",
                "programme": r["programme_id"], "maker": r["maker"], "checker": r["checker"],
                "lines": r["lines"],
                "granted": format_yuan(int(r["granted_fen"])),
            }
            for r in rows
        ]
    }  # fmt: skip
    if not rows:
        return Answer(data, ["还没有结算批次。起草：cvl settle draft --through 月份 --as 经办人员"])
    shown = [
        (
            str(r["run_id"]), runs.STATES[r["state"]], f"{r['through_on']:%Y-%m}", r["maker"],
            r["checker"] or "", str(r["lines"]), yuan(int(r["granted_fen"])),
        )
        for r in rows
    ]  # fmt: skip
    return Answer(data, table(["批次", "状态", "结算至", "经办", "复核", ">行数", ">补贴额"], shown))


_RUN = "批次"
VERBS = (
    Verb(
        "settle draft",
        draft,
        "起草一次结算，截至某月。\n草稿不入账，可以反复起草；满意后用 cvl settle submit 提交。",
        [
            option("--through", kind=MONTH, help="结算至哪个月（含）", required=True),
            flag("--backfill", help="同时补付已列示的可补付金额"),
            option("--programme", help="事项；只有一个事项时不用写", shown="事项"),
        ],
        acting=True,
        tells_json=True,
    ),
    Verb(
        "settle submit",
        submit,
        "提交自己起草的结算，交由另一人复核。",
        [argument("run_id", _RUN, NUMBER)],
        acting=True,
    ),
    Verb(
        "settle approve",
        approve,
        "批准一份已提交的结算：发券、用额度、记应付。\n不能批准自己起草或提交的结算。",
        [
            argument("run_id", _RUN, NUMBER),
            option("--digest", help="看到的结算行摘要（至少前8位），与批次不符则不批准", shown="摘要"),
        ],
        acting=True,
    ),
    Verb(
        "settle reject",
        reject,
        "退回一份已提交的结算。",
        [argument("run_id", _RUN, NUMBER), option("--why", help="退回的理由", required=True, shown="理由")],
        acting=True,
    ),
    Verb(
        "settle withdraw",
        withdraw,
        "撤回自己提交的结算，或删除自己的草稿。",
        [argument("run_id", _RUN, NUMBER)],
        acting=True,
    ),
    Verb(
        "settle show",
        show,
        "显示一个批次：合计、结算行和每一处核减的事由。",
        [argument("run_id", _RUN, NUMBER), chinese.as_of()],
        tells_json=True,
    ),
    Verb(
        "settle verify",
        check,
        "用另一套算法，按批次当时的账重新计算并逐行比对。\n完全一致时退出码为 0，有差异时为 5。",
        [argument("run_id", _RUN, NUMBER)],
    ),
    Verb("settle list", list_runs, "列出结算批次。", [chinese.as_of()]),
)
