"""`cvl pay`: propose a batch, export it for those who pay, take in what the bank says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from console import chinese
from console.answer import Answer, table, yuan
from console.chinese import FILE, NUMBER, OneOf, argument, option
from console.door import Verb
from console.problems import problem_data, problem_lines
from reconciliation import payments, payout, results
from voucher import access, acts
from voucher.capitals import capitals
from voucher.database import Row, run
from voucher.files import written
from voucher.money import format_yuan

SHOWN = 20


def batch(engine: Engine, as_user: str | None, run_id: int) -> Answer:
    """Propose to pay what can be paid of a run; list what is left out."""

    def work(db: Connection) -> Answer:
        user = access.require(db, as_user, "pay batch")
        made = payments.propose(db, user, run_id)
        left_out = [_left_out(row) for row in made.left_out]
        if made.batch is None:
            data = {"act": None, "state": None, "batch": None, "run": str(run_id), "payments": [], "left_out": left_out}
            said = [f"结算批次 {run_id} 现在没有可以拨付的金额。", *_left_lines(made.left_out)]
            return Answer(data, said, 3 if made.left_out else 0)
        head = payments.find(db, made.batch)
        data = {
            "act": str(made.batch),
            **_head(head),
            "payments": _payments(payments.payments(db, made.batch)),
            "left_out": left_out,
        }
        text = [
            f"已提出拨付批次 {made.batch}：{head['payments']}笔，{yuan(head['amount_fen'])}元"
            f"（{capitals(head['amount_fen'])}），待复核。",
            *_left_lines(made.left_out),
            f"下一步：由复核人员核对 cvl pay show {made.batch}，再批准 cvl approve {made.batch} --as 复核人员",
        ]
        return Answer(data, text, 3 if made.left_out else 0)

    return run(engine, work)


def _left_out(row: Row) -> dict[str, Any]:
    """Write what is left out as JSON."""
    return {
        "invoice_number": row["invoice_number"], "company": row["company"], "amount": format_yuan(row["fen"]),
        "code": row["code"], "sentence": payments.why(row),
    }  # fmt: skip


def _left_lines(rows: Any) -> list[str]:
    """List what is left out for people."""
    if not rows:
        return []
    shown = [(r["invoice_number"], r["name"] or r["company"], yuan(r["fen"]), payments.why(r)) for r in rows[:SHOWN]]
    text = ["", f"未列入：{len(rows)}笔", *table(["发票号码", "企业", ">金额", "原因"], shown)]
    return [*text, f"……另有{len(rows) - SHOWN}笔，见 --json", ""] if len(rows) > SHOWN else [*text, ""]


def _head(row: Row) -> dict[str, Any]:
    """Write a batch as JSON."""
    return {
        "batch": str(row["batch_id"]), "run": str(row["run_id"]), "state": row["state"], "maker": row["maker"],
        "checker": row["checker"], "count": row["payments"], "amount": format_yuan(row["amount_fen"]),
        "capitals": capitals(row["amount_fen"]), "in_transit": format_yuan(row["in_transit_fen"]),
        "paid": format_yuan(row["paid_fen"]), "returned": format_yuan(row["returned_fen"]),
    }  # fmt: skip


def _payments(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Write a batch's payments as JSON; of an account only its last four digits."""
    return [
        {
            "reference": row["reference"], "payee": row["payee"], "name": row["name"], "holder": row["holder"],
            "bank": row["bank"], "account": row["account_last4"], "clearing_no": row["clearing_no"],
            "succeeds": row["succeeds"].split("、") if row["succeeds"] else [],
            "amount": format_yuan(row["amount_fen"]), "capitals": capitals(row["amount_fen"]), "lines": row["lines"],
            "state": row["state"], "day": row["happened_on"], "bank_reference": row["bank_reference"],
            "reason": row["reason"] or None,
        }
        for row in rows
    ]  # fmt: skip


def _payee(row: Row) -> str:
    """Name the payee, and the merged companies in whose place it is."""
    whose = f"（承继{row['succeeds']}）" if row["succeeds"] else ""
    return f"{row['name'] or row['payee']}{whose}"


def show(engine: Engine, batch: int, as_of: str | None) -> Answer:
    """Show a batch: the payment list with amounts in capitals."""

    def work(db: Connection) -> Answer:
        cutoff = acts.cutoff(db, as_of)
        head, rows = payments.find(db, batch, cutoff), payments.payments(db, batch, cutoff)
        shown = [
            (
                r["reference"], _payee(r), r["bank"], f"尾号{r['account_last4']}", yuan(r["amount_fen"]),
                payments.STATES[r["state"]], capitals(r["amount_fen"]) + (f"（{r['reason']}）" if r["reason"] else ""),
            )
            for r in rows
        ]  # fmt: skip
        text = [
            f"拨付批次 {batch}（{payments.STATES[head['state']]}），结算批次 {head['run_id']}，"
            f"{head['payments']}笔，{yuan(head['amount_fen'])}元，{capitals(head['amount_fen'])}",
            "",
            *table(["付款编号", "收款企业", "开户银行", "账号", ">金额", "状态", "大写金额"], shown),
        ]
        return Answer({**_head(head), "payments": _payments(rows)}, text)

    return run(engine, work, "cvl_auditor")


def export(
    engine: Engine, as_user: str | None, batch: int, format: str, profile: str | None, out: Path | None
) -> Answer:
    """Write an approved batch for the bank; whole account numbers stand only in this file."""
    target = out or Path(f"pay-{batch}.{'csv' if format == 'bank-csv' else 'xml'}")
    user = run(engine, lambda db: access.require(db, as_user, "pay export"), "cvl_auditor")
    head, content = run(engine, lambda db: payments.exported(db, batch, format, profile))
    with written(target, 0o600) as file:
        file.write(content)
        digest = run(engine, lambda db: payments.record_export(db, user, batch, format, content))
    data = {"batch": str(batch), "format": format, "out": str(target), "sha256": digest, "count": head["payments"]}
    text = [
        f"拨付批次 {batch} 已导出到 {target}：{head['payments']}笔，{yuan(head['amount_fen'])}元。",
        "文件里有完整账号，只交给付款人员。付款后登记结果：cvl pay result 文件",
    ]
    return Answer(data, text)


def result(engine: Engine, as_user: str | None, file: Path, profile: str | None) -> Answer:
    """Take in what the bank says of payments."""
    user = run(engine, lambda db: access.require(db, as_user, "pay result"), "cvl_auditor")
    taken = results.take(engine, file, user, profile)
    data: dict[str, Any] = {
        "file": str(file), "sha256": taken.sha256, "act": None if taken.act is None else str(taken.act),
        "paid": taken.paid, "returned": taken.returned, "known": taken.known,
        "problems": [problem_data(each) for each in taken.problems],
    }  # fmt: skip
    if taken.blocked:
        first = taken.problems[0]
        data["error"] = {"code": first.code, "message": first.message}
        return Answer(data, [f"{file}：没有读入。", *problem_lines(taken.problems)], 1)
    said = f"{file}：新登记已付{taken.paid}笔、退回{taken.returned}笔，早已登记{taken.known}笔。"
    text = [said if taken.act is not None or taken.problems else f"{file}：全部早已登记，没有改动。"]
    if taken.returned:
        text.append("退回的金额已转回应付；更正收款账户并经复核后，可重新提出拨付批次。")
    return Answer(data, [*text, *problem_lines(taken.problems)], 3 if taken.problems else 0)


def list_batches(engine: Engine, as_of: str | None) -> Answer:
    """List the batches."""
    rows = run(engine, lambda db: payments.batches(db, acts.cutoff(db, as_of)), "cvl_auditor")
    if not rows:
        return Answer({"batches": []}, ["还没有拨付批次。提出：cvl pay batch 结算批次 --as 经办人员"])
    shown = [
        (
            str(r["batch_id"]), str(r["run_id"]), payments.STATES[r["state"]], str(r["payments"]),
            yuan(r["amount_fen"]), yuan(r["in_transit_fen"]), yuan(r["paid_fen"]), yuan(r["returned_fen"]),
        )
        for r in rows
    ]  # fmt: skip
    headers = ["拨付批次", "结算批次", "状态", ">笔数", ">金额", ">在途", ">已付", ">退回"]
    return Answer({"batches": [_head(row) for row in rows]}, table(headers, shown))


_BATCH = argument("batch", "拨付批次", NUMBER)
_PROFILE = option("--profile", help="银行格式：随附的名称，或自己的格式文件", shown="格式")
VERBS = (
    Verb(
        "pay batch",
        batch,
        "为一个公示期满的结算批次提出拨付：每个收款账户一笔，列出没有列入的及其原因。\n由复核人员批准后，金额转为在途。",
        [argument("run_id", "结算批次", NUMBER)],
        acting=True,
    ),
    Verb(
        "pay show", show, "显示一个拨付批次：资金拨付清单（含大写金额，账号只显示末四位）。", [_BATCH, chinese.as_of()]
    ),
    Verb(
        "pay export",
        export,
        "把批准的拨付批次导出给银行。完整账号只写在这个文件里。",
        [
            _BATCH,
            option("--format", kind=OneOf("格式", tuple(payout.FORMATS)), help="文件格式", required=True),
            _PROFILE,
            option("--out", kind=FILE, help="写到哪个文件；不写则写在当前目录"),
        ],
        acting=True,
    ),
    Verb(
        "pay result",
        result,
        "登记银行的付款结果（已付、退回）。同一份文件再次登记不会改动。",
        [argument("file", "文件", FILE), _PROFILE],
        acting=True,
    ),
    Verb("pay list", list_batches, "列出拨付批次。", [chinese.as_of()]),
)
