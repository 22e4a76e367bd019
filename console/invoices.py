"""`cvl invoice`: what was handed in, what became of it, and what it was granted."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine

from console import chinese
from console.answer import Answer, pairs, table, yuan
from console.chinese import OneOf, argument, option
from console.door import Verb
from console.resolutions import documents_data, documents_lines, steps_lines
from console.verifications import shown as verification_shown
from importers import resolve, waiting
from importers.outcome import INVOICE_KINDS, WORDS, as_id
from settlement.run import KINDS, STATES
from voucher import acts, uscc
from voucher.database import one, query, run
from voucher.errors import Refused
from voucher.money import format_yuan

STATUSES = ("accepted", "held", "conflict", "rejected")
Row = Mapping[str, Any]


def _money(fen: int | None) -> str | None:
    return None if fen is None else format_yuan(fen)


def _shown(fen: int | None) -> str:
    return "" if fen is None else yuan(fen)


def show_all(
    engine: Engine, company: str | None, provider: str | None, status: str | None, as_of: str | None
) -> Answer:
    """List the invoices that were handed in."""
    which = {
        "company": uscc.normal(company) if company else None,
        "provider": uscc.normal(provider) if provider else None,
        "status": status,
        **dict.fromkeys(("uploader", "number", "month", "rows", "skip")),
    }
    every = company is None and status in (None, "conflict")

    def work(db: Connection) -> tuple[Sequence[Row], list[str]]:
        cutoff = acts.cutoff_then(db, as_of)
        rows = query(db, "queries/console/invoices.sql", **which, cutoff=cutoff)
        open_ = query(db, "queries/portal/conflicts.sql", rows=None, skip=0, cutoff=cutoff) if every else ()
        found = [r["invoice_number"] for r in open_ if which["provider"] in (None, r["provider"])]
        return rows, sorted(set(found) - {r["number"] for r in rows if r["status"] != "accepted"})

    rows, disputed = run(engine, work, "cvl_auditor")
    data = {
        "invoices": [
            {
                "number": r["number"], "status": r["status"], "accepted_no": as_id(r["accepted_no"]), "kind": r["kind"],
                "company": r["company"], "provider": r["provider"], "service_from": r["from_on"],
                "service_until": r["until_on"], "net": _money(r["net_fen"]), "gross": _money(r["gross_fen"]),
                "received_on": r["received_on"], "granted": _money(r["granted_fen"]),
            }
            for r in rows
        ],
        "disputed": disputed,
    }  # fmt: skip
    then = _then({r["status"] for r in rows}, disputed)
    if not rows:
        return Answer(data, ["没有符合条件的发票。", *then])
    shown = [
        (
            str(r["accepted_no"] or ""), r["number"], WORDS[r["status"]], r["company"] or "", r["provider"] or "",
            str(r["from_on"] or ""), str(r["until_on"] or ""), _shown(r["net_fen"]), _shown(r["granted_fen"]),
        )
        for r in rows
    ]  # fmt: skip
    heads = [">受理号", "发票号码", "结果", "企业", "服务商", "服务起", "服务止", ">不含税金额", ">已核定补贴"]
    return Answer(data, [*table(heads, shown), *then])


def _then(statuses: set[str], disputed: Sequence[str]) -> list[str]:
    """Say how to go on with what is not accepted, and with accepted numbers whose documents do not agree."""
    open_ = [WORDS[status] for status in STATUSES[1:] if status in statuses]
    text = [f"{'、'.join(open_)}的发票缺什么、下一步用哪条命令：cvl invoice show 发票号码"] if open_ else []
    if disputed:
        text.append(f"另有{len(disputed)}张已受理的发票收到过内容不同的单据，待核定以哪一份为准：")
        text += [f"  cvl invoice show {number}" for number in disputed]
    return ["", *text] if text else []


def show(engine: Engine, number: str, as_of: str | None = None) -> Answer:
    """Show one invoice: its content, its lines with their places in the files, its settlement lines."""

    def work(db: Connection) -> Answer:
        cutoff = acts.cutoff(db, as_of)
        found = one(db, "queries/console/invoice.sql", number=number, cutoff=cutoff)
        uploads = query(db, "queries/console/invoice_uploads.sql", number=number, cutoff=cutoff)
        papers = resolve.documents(db, number, cutoff)
        checked = one(db, "queries/verification/last.sql", number=number, cutoff=cutoff)
        steps = waiting.next_steps(db, number, papers, uploads[-1]["outcome"] if uploads else "", cutoff)
        more = {
            "documents": documents_data(papers), "verification": checked and dict(checked),
            "next": [{"what": step.what, "command": step.command} for step in steps],
        }  # fmt: skip
        if found is None:
            if not uploads:
                raise _unknown(db, number, cutoff)
            data = {"number": number, "status": uploads[-1]["outcome"], "accepted_no": None}
            text = [f"发票 {number} 没有受理（{WORDS[uploads[-1]['outcome']]}）。"]
            text += [*documents_lines(papers), *_upload_lines(uploads), *steps_lines(steps)]
            return Answer(data | {"not_accepted": _upload_data(uploads)} | more, text)
        key = {"company_id": found["company_id"], "invoice_id": found["invoice_id"], "cutoff": cutoff}
        lines = query(db, "queries/console/invoice_lines.sql", **key)
        grants = query(db, "queries/console/invoice_grants.sql", **key)
        text = [
            *_lines(found, lines, grants, verification_shown(checked)),
            *documents_lines(papers),
            *_upload_lines(uploads),
            *steps_lines(steps),
        ]
        then = f"每个数字的来历：cvl explain {number}"
        return Answer(_data(found, lines, grants, uploads) | more, [*text, "", then])

    return run(engine, work, "cvl_auditor")


def _unknown(db: Connection, number: str, cutoff: int) -> Refused:
    """Say that an invoice was never handed in; its usage may have been, and waits for it."""
    usage = one(db, "queries/usage/lines_waiting.sql", number=number, cutoff=cutoff)
    if usage is not None and usage["lines"]:
        said = f"还没有收到发票 {number}，只有它的{usage['lines']}行用量暂存着。"
        return Refused("no_invoice", f"{said}请导入这张发票（cvl import 文件 --as 经办人员），受理后用量自动计入。")
    return Refused("no_invoice", f"没有收到过发票 {number}。请核对号码，或用 cvl invoice list 查看。")


def _data(found: Row, lines: Sequence[Row], grants: Sequence[Row], uploads: Sequence[Row]) -> dict[str, Any]:
    """Write an accepted invoice as JSON."""
    plain = ("number", "kind", "original_number", "company", "company_name", "provider")
    return {
        "status": "accepted", "accepted_no": as_id(found["accepted_no"]),
        **{name: found[name] for name in (*plain, "provider_name", "issued_on", "received_on", "contract_no")},
        "service_from": found["from_on"], "service_until": found["until_on"],
        **{name: _money(found[f"{name}_fen"]) for name in ("net", "tax", "gross", "paid")},
        "evidence": found["evidence"], "act_no": str(found["act_no"]),
        "lines": [
            {name: r[name] for name in ("line_no", "tax_code", "item", "spec", "unit")}
            | {"usage": None if r["usage_qty"] is None else str(r["usage_qty"]), "remark": r["remark"]}
            | {name: _money(r[f"{name}_fen"]) for name in ("net", "tax", "gross", "paid")}
            | {"file": r["file_name"], "sheet": r["sheet"], "row": r["row_no"], "upload_id": str(r["upload_id"])}
            for r in lines
        ],
        "settlement": [
            {"run": str(r["run_id"]), "state": r["state"], "cap_year": r["cap_year"], "kind": r["kind"]}
            | {name: _money(r[f"{name}_fen"]) for name in ("basis", "computed", "granted", "withheld")}
            for r in grants
        ],
        "not_accepted": _upload_data(uploads),
    }  # fmt: skip


def _upload_data(uploads: Sequence[Row]) -> list[dict[str, Any]]:
    """Write rows of files that named the number and were not accepted as JSON."""
    return [
        {
            "upload_id": str(r["upload_id"]), "file": r["file_name"], "sheet": r["sheet"], "row": r["row_no"],
            "outcome": r["outcome"], "received_on": r["received_on"], "messages": r["messages"].splitlines(),
        }
        for r in uploads
    ]  # fmt: skip


def _upload_lines(uploads: Sequence[Row]) -> list[str]:
    """Write the same for people."""
    if not uploads:
        return []
    shown = [
        (
            f"{r['file_name']} 第{r['row_no']}行",
            str(r["received_on"]),
            WORDS[r["outcome"]],
            r["messages"].replace("\n", ""),
        )
        for r in uploads
    ]
    return ["", "报送记录（未受理的行）：", *table(["文件", "申报日", "结果", "原因"], shown)]


def _lines(found: Row, lines: Sequence[Row], grants: Sequence[Row], checked: str) -> list[str]:
    """Write an accepted invoice for people."""
    span = f"{found['from_on']}至{found['until_on']}" if found["from_on"] else "（同原发票）"
    original = f"，冲红原发票 {found['original_number']}" if found["original_number"] else ""
    text = pairs(
        [
            ("发票号码", f"{found['number']}（{INVOICE_KINDS[found['kind']]}{original}）"),
            ("受理号", f"{found['accepted_no']}，申报日 {found['received_on']}，账本第 {found['act_no']} 号"),
            ("企业", f"{found['company']} {found['company_name'] or ''}"),
            ("服务商", f"{found['provider']} {found['provider_name'] or ''}"),
            ("开票日期 / 合同", f"{found['issued_on']} / {found['contract_no'] or '（无）'}"),
            ("服务期间", span),
            ("不含税 + 税额", f"{yuan(found['net_fen'])} + {yuan(found['tax_fen'])} = {yuan(found['gross_fen'])}元"),
            ("税务平台查验", checked),
            ("已付", "未填写" if found["paid_fen"] is None else f"{yuan(found['paid_fen'])}元"),
        ]
    )
    shown = [
        (str(r["line_no"]), r["tax_code"], r["item"], yuan(r["net_fen"]), yuan(r["tax_fen"]),
         f"{r['file_name']} 第{r['row_no']}行")
        for r in lines
    ]  # fmt: skip
    text += ["", *table([">行", "税收分类编码", "项目", ">不含税金额", ">税额", "出处"], shown)]
    if grants:
        rows = [
            (str(r["run_id"]), STATES[r["state"]], str(r["cap_year"]), KINDS[r["kind"]], yuan(r["basis_fen"]),
             yuan(r["computed_fen"]), yuan(r["granted_fen"]), yuan(r["withheld_fen"]))
            for r in grants
        ]  # fmt: skip
        heads = ["批次", "状态", "年度", "种类", ">计入基数", ">计算额", ">补贴额", ">上限核减"]
        text += ["", *table(heads, rows)]
    return text


VERBS = (
    Verb(
        "invoice show",
        show,
        "显示一张发票：内容、明细及其出处、结算情况、各份单据和采用哪一份，以及未受理的报送记录。",
        [argument("number", "发票号码"), chinese.as_of()],
    ),
    Verb(
        "invoice list",
        show_all,
        "列出报送过的发票。\n结果：accepted 受理、held 待核、conflict 冲突、rejected 退回。",
        [
            option("--company", help="只看某一企业（统一社会信用代码）", shown="信用代码"),
            option("--provider", help="只看某一服务商（统一社会信用代码）", shown="信用代码"),
            option("--status", kind=OneOf("结果", STATUSES), help="只看某一种结果"),
            chinese.as_of(),
        ],
    ),
)
