"""Write an explanation in Chinese so that it can be followed by hand, with a pocket calculator."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from settlement.explanation import Booking, Explanation, Item, Part, Piece, Why, Year
from settlement.run import KINDS, STATES
from voucher import life
from voucher.money import Fen, format_yuan

LIMITS = {"unpaid": "已付款部分", "over_contract": "合同剩余金额", "over_metered": "计量账单金额"}
"""What scales the basis, by the code of the reason."""
_NUMERALS = "五六七八九十"


def as_text(explanation: Explanation) -> str:
    """Write the 计算底稿 as plain lines, amounts grouped and in yuan, days inclusive."""
    return "\n".join(_lines(explanation)) + "\n"


def _lines(e: Explanation) -> Iterator[str]:
    yield f"计算底稿：发票 {e.number}（截至第{e.cutoff}号记录）"
    if e.asked != e.number:
        yield f"  所查 {e.asked} 是红字发票，冲减上述发票，一并说明如下。"
    yield ""
    yield "一、发票"
    yield f"  受理号 {e.accepted_no}，开票日期 {e.issued_on}，申报日期 {e.received_on}" + original(e)
    yield f"  企业 {e.company.name}（{e.company.uscc}）"
    yield f"  服务商 {e.provider.name}（{e.provider.uscc}）"
    yield f"  服务期间 {e.first_on}至{e.last_on}，共{_days(e.first_on, e.last_on)}日"
    yield f"  不含税 {_yuan(e.net_fen)}，税额 {_yuan(e.tax_fen)}，价税合计 {_yuan(e.gross_fen)}"
    for part in e.parts:
        yield from _part(part, title=len(e.parts) > 1)
    if e.later:
        yield ""
        yield "首次结算之后"
        for later in e.later:
            yield f"  {later.effective_on} 第{later.seal}号（{later.actor}）{later.sentence}"


def _part(part: Part, *, title: bool) -> Iterator[str]:
    """Write what one programme makes of the invoice."""
    if title:
        yield ""
        yield f"事项 {part.programme}"
    yield ""
    yield "二、依据"
    for document in part.documents:
        yield f"  {document.number}{document.item} {document.id}，{document.first_on}至{document.last_on}有效"
        for word, value, ground in document.rules:
            yield f"    {word} {value}" + (f"；依据：{ground}" if ground else "")
    if not part.documents:
        yield "  服务期间内没有有效的政策文件。"
    yield ""
    yield "三、计算基数"
    yield from _basis(part)
    yield ""
    word, weights = ("用量", "用量金额") if by_usage(part) else ("日", "日数")
    yield f"四、按{word}分摊（各段相加等于计算基数 {_yuan(part.basis_fen)}）"
    yield (
        f"  每段＝计算基数×至该段末日的{weights}÷总{weights}，减去计算基数×该段之前的{weights}÷总{weights}，"
        "两者均舍去不足一分的部分。"
    )
    for piece in part.pieces:
        yield _piece(piece)
    for place, year in enumerate(part.years):
        yield ""
        yield heading(place, year)
        if len(part.documents) > 1:
            yield f"  {cap(year)}"
        yield from _year(year)
    if not part.years:
        yield ""
        yield "五、不予兑付"
        for why in part.why:
            yield f"  {why_of(why)}"


def _basis(part: Part) -> Iterator[str]:
    """Write which lines count and what scales them."""
    for item in part.items:
        line = f"{item.invoice_number} 第{item.line_no}行 {item.tax_code} {item.item}".rstrip()
        yield f"  {line} {_yuan(item.net_fen)} {fate(item)}"
    yield f"  {summed(part)}"
    yield from (f"  {limit}" for limit in limits(part))
    yield f"  {basis(part)}"
    if part.other_fen:
        yield f"  {other(part)}"


def limits(part: Part) -> Iterator[str]:
    """Write what may limit the basis: what is paid, what is left of the contract, what the usage adds up to."""
    if part.paid_fen is not None:
        yield f"已付 {_yuan(part.paid_fen)}"
    if part.contract_fen is not None:
        used = part.contract_used_fen or 0
        yield (
            f"合同 {part.contract_no} 金额 {_yuan(part.contract_fen)}，受理在前的发票已占用 {_yuan(used)}，"
            f"剩余 {_yuan(max(0, part.contract_fen - used))}"
        )
    if part.metered_fen is not None:
        yield f"用量明细合计（{'含税' if part.metered_gross else '不含税'}）{_yuan(part.metered_fen)}"
    if part.paid_fen is not None or part.contract_fen is not None or part.metered_gross:
        yield f"价税合计（减红字后）{_yuan(part.gross_fen)}"


def basis(part: Part) -> str:
    """Write how the basis comes of the lines that count and of what limits them."""
    if part.limited_by == "over_metered" and not part.metered_gross:
        return f"计量账单较低，计算基数以其为限 {_yuan(part.basis_fen)}"
    if not part.limited_by:
        return f"计算基数 {_yuan(part.basis_fen)}"
    left = (part.contract_fen or 0) - (part.contract_used_fen or 0)
    limit = {"unpaid": part.paid_fen, "over_contract": left, "over_metered": part.metered_fen}[part.limited_by]
    return (
        f"按{LIMITS[part.limited_by]}折算：{_yuan(part.eligible_net_fen)} × {_yuan(max(0, limit or 0))} ÷ "
        f"{_yuan(part.gross_fen)}，不足一分舍去，计算基数 {_yuan(part.basis_fen)}"
    )


def other(part: Part) -> str:
    """Say what the invoice got elsewhere."""
    return f"其他补贴（未放弃的）合计 {_yuan(part.other_fen)}，按下述办法分摊到计入的服务日"


def summed(part: Part) -> str:
    """Add up the lines that count; what is left out never adds to them."""
    total = sum(item.net_fen for item in part.items if item.counts)
    if total <= part.eligible_net_fen:
        return f"计入各行合计 {_yuan(part.eligible_net_fen)}"
    return f"计入各行合计 {_yuan(total)}，不计入的各行合计为负，按发票不含税合计 {_yuan(part.eligible_net_fen)} 计"


def original(e: Explanation) -> str:
    """Name the invoice that this one was issued anew for; reversed, it lends its day."""
    return f"，重开自 {e.original}" if e.original else ""


def by_usage(part: Part) -> bool:
    """Tell whether usage shares the basis over the days."""
    return any(piece.used_yuan is not None for piece in part.pieces)


def _piece(piece: Piece) -> str:
    used = f"用量{piece.used_yuan}元 " if piece.used_yuan is not None else ""
    days = f"  {piece.first_on}至{piece.last_on} {piece.days}日 {used}{_yuan(piece.amount_fen)} "
    if piece.why is None:
        return f"{days}计入{piece.cap_year}年度（{piece.document}）"
    return f"{days}不计入：{why_of(piece.why)}"


def fate(item: Item) -> str:
    """Say whether a line counts."""
    return "计入" if item.counts else "不计入（税收分类编码不在本事项支持范围内）"


def heading(place: int, year: Year) -> str:
    """Write the heading of the claim of a cap year; place: from 0."""
    return f"{_NUMERALS[min(place, len(_NUMERALS) - 1)]}、{year.cap_year}年度"


def cap(year: Year) -> str:
    """Say which document gives the year's cap: the one in force on its last covered day."""
    return f"年度上限 {_yuan(year.cap_fen)}" + (f"（{year.cap_by}）" if year.cap_by else "（年内没有有效的政策文件）")


def overlap(year: Year) -> str:
    """Say what other subsidies take from the claim, and where both are limited together, by how much."""
    joint = f"，两者合计上限 {_yuan(year.joint_limit_fen)}" if year.joint_limit_fen is not None else ""
    return f"其他补贴按计入日分摊 {_yuan(year.other_fen)}{joint}，重复享受核减 {_yuan(year.overlap_cut_fen)}"


def why_of(why: Why) -> str:
    """Write a reason with its clause."""
    return why.sentence + (f"［{why.clause}］" if why.clause else "")


def _year(year: Year) -> Iterator[str]:
    """Write the claim of one cap year and its lines in runs."""
    for each in year.slices:
        yield f"  {_yuan(each.amount_fen)} × {percent(each.rate_bp)}（{each.document}）"
    yield f"  计入 {_yuan(year.basis_fen)}，计算额 {_yuan(year.computed_fen)}（不足一分舍去）"
    if year.other_fen:
        yield f"  {overlap(year)}"
    yield from (f"  {why_of(why)}" for why in year.why)
    yield f"  应兑付 {_yuan(year.worth_fen)}，已批准 {_yuan(year.granted_fen)}"
    for booking in year.bookings:
        yield from _booking(booking)
    yield f"  现状：{year.standing}"


def _booking(b: Booking) -> Iterator[str]:
    """Write a line of a run: the people, the room before and after, what was granted and why not all."""
    checker = f"，复核 {b.checker}" if b.checker else ""
    decided = f"，{b.decided_on}" if b.decided_on else ""
    note = f"，理由：{b.note}" if b.note else ""
    yield (
        f"  结算批次 {b.run}（截至{b.through_on:%Y-%m}，{STATES[b.state]}{decided}，经办 {b.maker}{checker}{note}）"
        f"：{KINDS[b.kind]} {_yuan(b.granted_fen)}"
    )
    others = any(why.code in ("refused", "below_min_spend") for why in b.why)
    cut = "重复享受及下列事由核减" if others else "重复享受核减"
    yield (
        f"    当时计入 {_yuan(b.basis_fen)}，计算额 {_yuan(b.computed_fen)}，{cut} {_yuan(b.overlap_cut_fen)}，"
        f"上限核减 {_yuan(b.withheld_fen)}，指标核减 {_yuan(b.budget_cut_fen)}"
    )
    note = f"（{b.room_note}）" if b.room_note else ""
    yield f"    企业当年额度：此前 {_yuan(b.room_before_fen)}，此后 {_yuan(b.room_after_fen)}{note}"
    for why in b.why:
        yield f"    {why_of(why)}"


def _yuan(fen: Fen) -> str:
    return f"{format_yuan(fen, grouped=True)}元"


def percent(basis_points: int) -> str:
    """Write a share: 2000 is 20%, 3333 is 33.33%."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}%".replace(".00%", "%")


def _days(first: date, last: date) -> int:
    return (last - first).days + 1


def told(row: Mapping[str, Any], *, several: bool) -> str:
    """Say a fact that came after the first settlement; row: of queries/facts/later.sql.

    several: there are several programmes, and a fact about one of them names it.
    """
    amount = format_yuan(row["fen"], grouped=True)
    what, name = row["what"], row["name"]
    programme = f"（事项 {row['programme_id']}）" if several and row["programme_id"] else ""
    if what.startswith("move:"):
        noun, state = what.split(":")[1:]
        return f"{'企业' if noun == 'company' else f'{name}年度的券{programme}'}的状态变为“{life.STATES[state]}”。"
    if what.startswith(("refused:", "lifted:")):
        verdict, year = what.split(":")
        years = f"{year}年度" if year else "各年度"
        return f"{'批准' if verdict == 'refused' else '解除'}{years}不予兑付{programme}：{name}。"
    if what in _NAMED:
        return _NAMED[what].format(name=name, amount=amount)
    if what == "contract":
        days = "作废" if row["void"] else f"{amount}元，{row['first_on']}至{row['last_on']}"
        return f"合同 {name} 登记：{days}。"
    if what == "verification":
        return f"登记查验结果：{_VERIFIED[name]}。"
    if what == "evidence":
        return f"收到{_EVIDENCE[name]}，价税合计{amount}元。"
    if what in _REGISTERED:
        days = "作废" if row["void"] else f"{row['first_on']}至{row['last_on']}"
        return f"{_REGISTERED[what]}登记变更：{days}。"
    if what == "usage":
        return f"登记用量明细，合计{amount}元（{'含税' if name == 'gross' else '不含税'}）。"
    if what == "red":
        return f"受理红字发票 {name}，价税合计{amount}元。"
    if what == "payment":
        return f"付款登记，流水号 {name}，{amount}元。"
    return f"登记其他补贴“{name}”{amount}元，{'已放弃' if row['waived'] else '未放弃'}。"


_NAMED = {
    "absorbed": "企业 {name} 并入本企业，两家合用一份上限。", "merged": "企业并入 {name}，以后的额度归其使用。",
    "policy": "登记政策文件 {name}。", "resolution": "批准单据核定，价税合计{amount}元：{name}。",
}  # fmt: skip
"""What happened to how it is told, by the name of what it speaks of."""
_VERIFIED = {"same": "一致", "differs": "不一致", "not_found": "查无此票", "void": "已作废"}
_EVIDENCE = {"xml": "数电票 XML", "ofd": "OFD", "export": "税务局导出", "pdf": "PDF", "template": "模板行"}
_REGISTERED = {"qualification": "企业支持资格", "listing": "服务商入库", "relation": "双方关联关系"}
"""Register to what it is called on screen."""
