"""`cvl voucher`: issue, list and show vouchers."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine

from console.answer import Answer, pairs, table, yuan
from console.chinese import NUMBER, YEAR, YUAN, argument, option
from console.door import Verb
from settlement import documents
from settlement.policy import cap_for_year, in_force
from voucher import access, acts, approval, issuance, uscc
from voucher.database import query, run
from voucher.days import ZONE
from voucher.errors import Misused, Refused
from voucher.money import format_yuan

STATES = {"issued": "有效", "frozen": "冻结", "revoked": "撤销", "expired": "过期"}
"""State of a voucher to what it is called on screen."""


def issue(
    engine: Engine, as_user: str | None, year: int, company: str | None, face: int | None, programme: str | None
) -> Answer:
    """Propose the vouchers of a year: all that are due, or one by hand."""
    if (company is None) != (face is None):
        raise Misused(
            "company_and_face", "--company 和 --face 要么都写（手工发一张），要么都不写（发放全部应发的券）。"
        )

    def work(db: Connection) -> Answer:
        user = access.require(db, as_user, "voucher issue")
        terms = _terms(db, programme, year)
        if company is not None and face is not None:
            act = issuance.propose_by_hand(db, user, terms, uscc.normal(company), face)
            return _proposed(approval.find(db, act))
        due = issuance.propose_due(db, user, terms)
        if due is None:
            data = {"act": None, "state": None, "year": year, "vouchers": 0}
            return Answer(data, [f"{year}年度有资格的企业都已有券，没有需要发放的。"])
        return _proposed(approval.find(db, due))

    return run(engine, work)


def _terms(db: Connection, programme: str | None, year: int) -> issuance.Terms:
    """Read from the documents in force what the year's vouchers rest on."""
    policies = documents.recorded(db, acts.cutoff(db))
    chosen = documents.only_programme(policies, programme)
    own = [(policy, span) for policy, span in in_force(policies) if policy.programme == chosen]
    rows = [
        {"from_on": span.start.isoformat(), "until_on": span.end.isoformat(), "categories": sorted(policy.categories)}
        for policy, span in own
    ]
    return issuance.Terms(chosen, year, cap_for_year(own, year), rows)


def _proposed(proposal: approval.Proposal) -> Answer:
    """Say that vouchers wait for approval."""
    data = {
        "act": str(proposal.act_id),
        "state": proposal.state,
        "subject": proposal.subject,
        "digest": proposal.digest,
    }
    then = f"下一步：由复核人员批准 cvl approve {proposal.act_id} --as 复核人员"
    return Answer(data, [f"已提交：{proposal.subject}，事项号 {proposal.act_id}，待复核。", then])


def _voucher(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write a voucher as JSON; its face is what was granted, what is left and what has lapsed."""
    face = row["left_fen"] + row["granted_fen"] + row["lapsed_fen"]
    return {
        "voucher": str(row["voucher_id"]), "programme": row["programme_id"], "company": row["company"],
        "name": row["name"], "cap_year": row["cap_year"], "state": row["state"], "by_hand": row["by_hand"],
        "face": format_yuan(face), "granted": format_yuan(row["granted_fen"]), "left": format_yuan(row["left_fen"]),
    }  # fmt: skip


def _find(db: Connection, **which: Any) -> list[Mapping[str, Any]]:
    """List vouchers."""
    return query(db, "queries/voucher/list.sql", **({"year": None, "company": None, "voucher_id": None} | which))


def show_all(engine: Engine, year: int | None, company: str | None) -> Answer:
    """List the vouchers."""
    wanted = uscc.normal(company) if company else None
    rows = run(engine, lambda db: _find(db, year=year, company=wanted), "cvl_auditor")
    data = {"vouchers": [_voucher(row) for row in rows]}
    if not rows:
        return Answer(data, ["没有符合条件的券。券在首次批准结算时自动发放，也可用 cvl voucher issue 提前发放。"])
    shown = [
        (
            str(row["voucher_id"]), row["company"], str(row["cap_year"]), STATES[row["state"]],
            yuan(row["left_fen"] + row["granted_fen"] + row["lapsed_fen"]), yuan(row["granted_fen"]),
            yuan(row["left_fen"]), row["name"] or "",
        )
        for row in rows
    ]  # fmt: skip
    return Answer(data, table(["券号", "企业", "年度", "状态", ">面额", ">已兑", ">剩余", "名称"], shown))


def show(engine: Engine, voucher_id: int) -> Answer:
    """Show a voucher, its moves and what it was used for."""

    def work(db: Connection) -> Answer:
        found = _find(db, voucher_id=voucher_id)
        if not found:
            raise Refused("no_voucher", f"没有编号为 {voucher_id} 的券。请用 cvl voucher list 查看。")
        moves = query(db, "queries/voucher/moves.sql", voucher_id=voucher_id)
        uses = query(db, "queries/voucher/uses.sql", voucher_id=voucher_id)
        return Answer(_shown_data(found[0], moves, uses), _shown_lines(found[0], moves, uses))

    return run(engine, work, "cvl_auditor")


Rows = list[Mapping[str, Any]]


def _shown_data(row: Mapping[str, Any], moves: Rows, uses: Rows) -> dict[str, Any]:
    """Write a voucher with its history as JSON."""
    return _voucher(row) | {
        "moves": [
            {
                "from": m["from_state"], "to": m["to_state"], "why": m["why"], "by": m["actor"],
                "act_no": str(m["act_no"]), "recorded_at": m["recorded_at"].astimezone(ZONE),
            }
            for m in moves
        ],
        "uses": [
            {
                "invoice_number": u["invoice_number"], "run": str(u["run_id"]), "kind": u["kind"],
                "granted": format_yuan(u["granted_fen"]), "act_no": str(u["act_no"]),
            }
            for u in uses
        ],
    }  # fmt: skip


def _shown_lines(row: Mapping[str, Any], moves: Rows, uses: Rows) -> list[str]:
    """Write a voucher with its history for people."""
    face = row["left_fen"] + row["granted_fen"] + row["lapsed_fen"]
    text = pairs(
        [
            ("券号", str(row["voucher_id"])),
            ("企业", f"{row['company']} {row['name'] or ''}"),
            ("年度 / 事项", f"{row['cap_year']} / {row['programme_id']}"),
            ("状态", STATES[row["state"]] + ("，手工发放" if row["by_hand"] else "，自动发放")),
            ("面额", f"{yuan(face)}元"),
            ("已兑 / 剩余", f"{yuan(row['granted_fen'])}元 / {yuan(row['left_fen'])}元"),
        ]
    )
    when = [
        f"{m['recorded_at'].astimezone(ZONE):%Y-%m-%d %H:%M} 第 {m['act_no']} 号，{m['actor']}：{STATES[m['to_state']]}"
        for m in moves
    ]
    text += ["", "经过：", *(f"  {each}" for each in when)]
    if uses:
        shown = [(u["invoice_number"], str(u["run_id"]), yuan(u["granted_fen"])) for u in uses]
        text += ["", *table(["发票号码", "批次", ">兑付"], shown)]
    return text


VERBS = (
    Verb(
        "voucher issue",
        issue,
        "提前发放算力券（不发也可以：首次批准结算时会自动发放）。\n"
        "不写 --company：为该年度有资格而没有券的企业各发一张，面额等于年度上限。\n"
        "写明 --company 和 --face：手工发一张，面额不能超过上限。都须由复核人员批准后生效。",
        [
            option("--year", kind=YEAR, help="券的年度", required=True),
            option("--company", help="企业的统一社会信用代码", shown="信用代码"),
            option("--face", kind=YUAN, help="面额（元）"),
            option("--programme", help="事项；只有一个事项时不用写", shown="事项"),
        ],
        acting=True,
    ),
    Verb(
        "voucher list",
        show_all,
        "列出算力券及其余额。",
        [option("--year", kind=YEAR, help="只看某一年度"), option("--company", help="只看某一企业", shown="信用代码")],
    ),
    Verb("voucher show", show, "显示一张券：面额、已兑、剩余、经过。", [argument("voucher_id", "券号", NUMBER)]),
)
