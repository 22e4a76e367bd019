"""`cvl disclose`, `cvl disclosures` and `cvl object`: 公示 of a run, and objections that hold a payment."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine

from console import chinese
from console.answer import Answer, table, yuan
from console.chinese import DAY, NUMBER, argument, flag, option
from console.door import Verb
from reconciliation import disclosure
from voucher import access, acts
from voucher.database import Row, query, run
from voucher.days import business_day
from voucher.errors import Refused
from voucher.money import format_yuan


def disclose(engine: Engine, as_user: str | None, run_id: int, from_on: date | None) -> Answer:
    """Record the disclosure of a run and show its list."""

    def work(db: Connection) -> Answer:
        user = access.require(db, as_user, "disclose")
        made = disclosure.disclose(db, user, run_id, from_on)
        data, text = _shown(db, made, acts.NOW)
        then = f"cvl pay batch {run_id}" if made.over else f"期满无异议后拨付：cvl pay batch {run_id}"
        text.append(f"下一步：{then}；有异议时 cvl object {run_id} 发票号码 --why 事由")
        return Answer({"run": data["run"], "act": str(made.act_id), "over": made.over, **data}, text)

    return run(engine, work)


def _shown(db: Connection, made: disclosure.Disclosure, cutoff: int) -> tuple[dict[str, Any], list[str]]:
    """Write a disclosure as it stood at a seal number, as JSON and for people."""
    run_id = made.run_id
    rows, held = disclosure.listed(db, run_id, cutoff), disclosure.objections(db, run_id, cutoff=cutoff)
    data = {
        "run": str(run_id), "from": made.from_on, "until": made.until_on, "working_days": made.working_days,
        "lines": [
            {
                "company_name": row["company_name"], "cap_year": row["cap_year"], "invoices": row["invoices"],
                "basis": format_yuan(row["basis_fen"]), "granted": format_yuan(row["granted_fen"]),
            }
            for row in rows
        ],
        "objections": [
            {
                "act": str(row["act_id"]), "invoice_number": row["invoice_number"], "state": row["state"],
                "why": row["why"], "release_why": row["release_why"] if row["state"] == "released" else None,
            }
            for row in held
        ],
    }  # fmt: skip
    text = [
        f"结算批次 {run_id} 自{made.from_on}起公示{made.working_days}个工作日，至{made.until_on}（含）止。",
        "",
        *table(
            ["企业名称", "年度", ">发票张数", ">计入基数（不含税）", ">补贴额"],
            [
                (r["company_name"], str(r["cap_year"]), str(r["invoices"]), yuan(r["basis_fen"]),
                 yuan(r["granted_fen"]))
                for r in rows
            ],
        ),
        "",
    ]  # fmt: skip
    if held:
        shown = [(r["invoice_number"], disclosure.OBJECTIONS[r["state"]], r["why"]) for r in held]
        text += [*table(["发票号码", "异议", "事由"], shown), ""]
    return data, text


def show(engine: Engine, run_id: int | None, as_of: str | None) -> Answer:
    """List the approved runs and their disclosure, or show what is disclosed of one."""

    def work(db: Connection) -> Answer:
        cutoff = acts.cutoff(db, as_of)
        if run_id is None:
            return _runs(query(db, "queries/disclosure/runs.sql", today=business_day(), cutoff=cutoff))
        made = disclosure.find(db, run_id, cutoff)
        if made is None:
            raise Refused("not_disclosed", f"结算批次 {run_id} 没有公示过。请用 cvl disclosures 查看。")
        return Answer(*_shown(db, made, cutoff))

    return run(engine, work, "cvl_auditor")


def _runs(rows: Sequence[Row]) -> Answer:
    """Answer with the approved runs."""
    data = [
        {
            "run": str(r["run_id"]), "from": r["from_on"], "until": r["until_on"], "objections": r["objections"],
            "granted": format_yuan(r["granted_fen"]),
        }
        for r in rows
    ]  # fmt: skip
    shown = [
        (str(r["run_id"]), str(r["from_on"] or "（尚未公示）"), str(r["until_on"] or ""), str(r["objections"]),
         yuan(r["granted_fen"]))
        for r in rows
    ]  # fmt: skip
    text = table(["批次", "公示起", "公示止", ">未了结异议", ">补贴额"], shown) if rows else ["还没有批准的结算批次。"]
    return Answer({"runs": data}, text)


def object_to(engine: Engine, as_user: str | None, run_id: int, number: str, why: str, *, lift: bool) -> Answer:
    """Hold the payment of an invoice, or release it."""

    def work(db: Connection) -> Answer:
        user = access.require(db, as_user, "object")
        act = (disclosure.release if lift else disclosure.object_to)(db, user, run_id, number, why)
        state = "released" if lift else "open"
        data = {"act": str(act), "run": str(run_id), "invoice_number": number, "state": state}
        said = (
            f"已解除发票 {number} 的异议，可以拨付。" if lift
            else f"已登记对发票 {number} 的异议，拨付暂停，不影响本批次其他发票。"
            f"核实后解除：cvl object {run_id} {number} --lift --why 理由；异议成立的，由 cvl refuse 提出不予兑付。"
        )  # fmt: skip
        return Answer(data, [said])

    return run(engine, work)


VERBS = (
    Verb(
        "disclose",
        disclose,
        "公示一个已批准的批次：登记起始日，按工作日历算出期满日，列出公示内容（不含账号和证照号码）。",
        [
            argument("run_id", "批次", NUMBER),
            option("--from", "from_on", kind=DAY, help="公示起始日，不写则为今天；当日不计入工作日"),
        ],
        acting=True,
    ),
    Verb(
        "disclosures",
        show,
        "列出已批准的批次及其公示；写批次时，显示公示内容和异议。",
        [argument("run_id", "批次", NUMBER, required=False), chinese.as_of()],
    ),
    Verb(
        "object",
        object_to,
        "登记对某张发票的异议：它的拨付暂停，本批次其他发票不受影响。核实后用 --lift 解除。",
        [
            argument("run_id", "批次", NUMBER),
            argument("number", "发票号码"),
            option("--why", help="异议或解除的理由", required=True, shown="理由"),
            flag("--lift", help="解除未了结的异议"),
        ],
        acting=True,
    ),
)
