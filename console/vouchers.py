"""`cvl voucher`: issue, list and show vouchers."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine

from console import chinese
from console.answer import Answer, table, yuan
from console.chinese import DAY, NUMBER, YEAR, YUAN, argument, option
from console.door import Verb
from console.proposed import proposed
from console.voucher_life import shown_data, shown_lines
from settlement import documents, lapse
from voucher import access, acts, approval, issuance, life, uscc
from voucher.database import query, run
from voucher.errors import Misused, Refused
from voucher.money import format_yuan


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
        terms = documents.terms(db, programme, year)
        if company is not None and face is not None:
            act = issuance.propose_by_hand(db, user, terms, uscc.normal(company), face)
            return proposed(approval.find(db, act))
        due = issuance.propose_due(db, user, terms)
        if due is None:
            data = {"act": None, "state": None, "year": year, "vouchers": 0}
            return Answer(data, [f"{year}年度有资格的企业都已有券，没有需要发放的。"])
        return proposed(approval.find(db, due))

    return run(engine, work)


def apply(
    engine: Engine, as_user: str | None, year: int, company: str, face: int | None, ref: str, programme: str | None
) -> Answer:
    """Propose the voucher that a company applied for; the approval is its review."""

    def work(db: Connection) -> Answer:
        user = access.require(db, as_user, "voucher apply")
        if not ref.strip():
            raise Misused("bad_reference", "请用 --ref 写明申请书编号，不能含 | 或换行。")
        terms = documents.terms(db, programme, year)
        act = issuance.propose_by_hand(db, user, terms, uscc.normal(company), face, ref)
        return proposed(approval.find(db, act))

    return run(engine, work)


def _move(engine: Engine, as_user: str | None, voucher_id: int, why: str, verb: str, state: str) -> Answer:
    """Propose another state of a voucher."""

    def work(db: Connection) -> Answer:
        user = access.require(db, as_user, f"voucher {verb}")
        return proposed(approval.find(db, life.propose_voucher(db, user, voucher_id, state, why)))

    return run(engine, work)


def freeze(engine: Engine, as_user: str | None, voucher_id: int, why: str) -> Answer:
    """Propose to freeze a voucher."""
    return _move(engine, as_user, voucher_id, why, "freeze", "frozen")


def unfreeze(engine: Engine, as_user: str | None, voucher_id: int, why: str) -> Answer:
    """Propose to unfreeze a voucher."""
    return _move(engine, as_user, voucher_id, why, "unfreeze", "issued")


def revoke(engine: Engine, as_user: str | None, voucher_id: int, why: str) -> Answer:
    """Propose to revoke a voucher."""
    return _move(engine, as_user, voucher_id, why, "revoke", "revoked")


def give_back(engine: Engine, as_user: str | None, voucher_id: int, why: str) -> Answer:
    """Propose that a company gives back what is left of its voucher."""
    return _move(engine, as_user, voucher_id, why, "return", "returned")


def expire(engine: Engine, as_user: str | None, on: date, programme: str | None) -> Answer:
    """Let limits lapse whose deadline is past; what waits for a settlement stays open."""

    def work(db: Connection) -> Answer:
        user = access.require(db, as_user, "voucher expire")
        found = lapse.expire(db, user, on, programme)
        waiting = [each for each in found if each.waits_for]
        data = {
            "on": on,
            "expired": [_due(each) for each in found if not each.waits_for],
            "waiting": [_due(each) | {"invoices": list(each.waits_for)} for each in waiting],
        }
        total = sum(each.left_fen for each in found if not each.waits_for)
        text = [f"申报截止日在{on}之前的券，{len(found) - len(waiting)}张已过期，剩余额度{yuan(total)}元失效。"]
        if waiting:
            rows = [(str(each.voucher_id), each.company, str(each.cap_year), "、".join(each.waits_for[:3]))
                    for each in waiting]  # fmt: skip
            text += [f"{len(waiting)}张还有未结算或待核的发票，暂不过期。请先结算：", *table(_WAITING, rows)]
        return Answer(data, text, 3 if waiting else 0)

    return run(engine, work)


_WAITING = ["券号", "企业", "年度", "发票（至多列3张）"]


def _due(due: lapse.Due) -> dict[str, Any]:
    return {"voucher": str(due.voucher_id), "company": due.company, "cap_year": due.cap_year,
            "left": format_yuan(due.left_fen)}  # fmt: skip


def _voucher(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write a voucher as JSON; its face is what was granted, what is left and what has lapsed."""
    face = row["left_fen"] + row["granted_fen"] + row["lapsed_fen"]
    return {
        "voucher": str(row["voucher_id"]), "programme": row["programme_id"], "company": row["company"],
        "name": row["name"], "cap_year": row["cap_year"], "state": row["state"], "use": life.use(row),
        "company_frozen": row["company_frozen"], "by_hand": row["by_hand"],
        "face": format_yuan(face), "granted": format_yuan(row["granted_fen"]), "left": format_yuan(row["left_fen"]),
        "lapsed": format_yuan(row["lapsed_fen"]),
    }  # fmt: skip


def _find(db: Connection, as_of: str | None, **which: Any) -> list[Mapping[str, Any]]:
    """List vouchers as they stood at a moment, now when None."""
    cutoff = acts.cutoff_then(db, as_of)
    none = dict.fromkeys(("year", "company", "voucher_id", "rows", "skip"))
    return query(db, "queries/voucher/list.sql", **(none | which | {"cutoff": cutoff}))


def show_all(engine: Engine, year: int | None, company: str | None, as_of: str | None) -> Answer:
    """List the vouchers."""
    wanted = uscc.normal(company) if company else None
    rows = run(engine, lambda db: _find(db, as_of, year=year, company=wanted), "cvl_auditor")
    data = {"vouchers": [_voucher(row) for row in rows]}
    if not rows:
        return Answer(data, ["没有符合条件的券。券在首次批准结算时自动发放，也可用 cvl voucher issue 提前发放。"])
    shown = [
        (
            str(row["voucher_id"]), row["company"], str(row["cap_year"]), life.shown(row),
            yuan(row["left_fen"] + row["granted_fen"] + row["lapsed_fen"]), yuan(row["granted_fen"]),
            yuan(row["left_fen"]), yuan(row["lapsed_fen"]), row["name"] or "",
        )
        for row in rows
    ]  # fmt: skip
    return Answer(data, table(["券号", "企业", "年度", "状态", ">面额", ">已兑", ">剩余", ">失效", "名称"], shown))


def show(engine: Engine, voucher_id: int, as_of: str | None) -> Answer:
    """Show a voucher's whole life and what it was used for."""

    def work(db: Connection) -> Answer:
        found = _find(db, as_of, voucher_id=voucher_id)
        if not found:
            then = "在该时刻" if as_of else ""
            raise Refused("no_voucher", f"{then}没有编号为 {voucher_id} 的券。请用 cvl voucher list 查看。")
        ask = {"voucher_id": voucher_id, "cutoff": acts.cutoff(db, as_of)}
        rows = [query(db, f"queries/voucher/{name}.sql", **ask) for name in ("life", "uses", "pending")]
        data = shown_data(found[0], *rows, of=_voucher(found[0]))
        return Answer(data, shown_lines(found[0], *rows, state=life.shown(found[0])))

    return run(engine, work, "cvl_auditor")


_VOUCHER = argument("voucher_id", "券号", NUMBER)
_WHY = option("--why", help="理由", required=True, shown="理由")
_AS_OF = chinese.as_of()
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
        "voucher apply",
        apply,
        "登记一家企业的领券申请，由复核人员审核，批准即发放。不写 --face 则按年度上限。",
        [
            option("--year", kind=YEAR, help="券的年度", required=True),
            option("--company", help="企业的统一社会信用代码", required=True, shown="信用代码"),
            option("--face", kind=YUAN, help="申请的面额（元），不能超过年度上限"),
            option("--ref", help="申请书编号", required=True, shown="编号"),
            option("--programme", help="事项；只有一个事项时不用写", shown="事项"),
        ],
        acting=True,
    ),
    *(
        Verb(f"voucher {verb}", work, f"{says}由复核人员批准后生效。", [_VOUCHER, _WHY], acting=True)
        for verb, work, says in (
            ("freeze", freeze, "冻结一张券：其发票暂缓结算，追回照常。"),
            ("unfreeze", unfreeze, "解冻一张券。"),
            ("revoke", revoke, "撤销一张券：剩余额度失效，不再兑付；已兑付的不受影响。"),
            ("return", give_back, "企业退回一张券：剩余额度失效，不再兑付；已兑付的不受影响。"),
        )
    ),
    Verb(
        "voucher expire",
        expire,
        "使申报截止日已过、且没有未结算发票的券过期，剩余额度失效。\n"
        "还有未结算或待核发票的券列出而不过期（退出码 3）。重复运行不会改动已过期的券。",
        [
            option("--on", kind=DAY, help="截止日在这一天之前的券", required=True),
            option("--programme", help="事项；不写则全部事项", shown="事项"),
        ],
        acting=True,
    ),
    Verb(
        "voucher list",
        show_all,
        "列出算力券及其余额。",
        [
            option("--year", kind=YEAR, help="只看某一年度"),
            option("--company", help="只看某一企业", shown="信用代码"),
            _AS_OF,
        ],
    ),
    Verb(
        "voucher show",
        show,
        "显示一张券的全部经过：申请、审核、发放、兑付、冻结、失效，以及用于哪些发票。",
        [_VOUCHER, _AS_OF],
    ),
)
