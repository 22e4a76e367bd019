"""Lay an explanation out as a sheet of tables, to be printed on one page and followed by hand."""

from collections.abc import Iterator
from typing import Any

from settlement.explain_text import (
    basis,
    by_usage,
    cap,
    fate,
    heading,
    limits,
    original,
    other,
    overlap,
    percent,
    summed,
    why_of,
)
from settlement.explanation import Explanation, Part, Year
from settlement.run import KINDS, STATES
from voucher.money import Fen, format_yuan

Block = dict[str, Any]


def as_sheet(e: Explanation) -> dict[str, Any]:
    """Return title, subtitle, footer and blocks; a block is a heading, notes, and rows of texts under columns.

    A column's name begins with `<` (left) or `>` (right). Amounts are yuan, grouped; days are inclusive.
    """
    red = f"；所查 {e.asked} 是冲减它的红字发票" if e.asked != e.number else ""
    blocks = [
        _block(
            "一、发票",
            [
                f"受理号 {e.accepted_no}，开票日期 {e.issued_on}，申报日期 {e.received_on}，"
                f"服务期间 {e.first_on}至{e.last_on}，共{(e.last_on - e.first_on).days + 1}日" + original(e),
                f"企业：{e.company.name}（{e.company.uscc}）　服务商：{e.provider.name}（{e.provider.uscc}）",
                f"不含税 {_yuan(e.net_fen)}，税额 {_yuan(e.tax_fen)}，价税合计 {_yuan(e.gross_fen)}",
            ],
        )
    ]
    for part in e.parts:
        blocks += _part(part, f"（事项 {part.programme}）" if len(e.parts) > 1 else "")
    if e.later:
        rows = [[str(x.effective_on), f"第{x.seal}号", x.actor, x.sentence] for x in e.later]
        blocks.append(_block("首次结算之后", [], ["<日期", "<账本号", "<办理", "<事实"], rows))
    return {
        "title": "算力券计算底稿",
        "subtitle": f"发票 {e.number}{red}　截至第 {e.cutoff} 号记录　金额单位：元",
        "footer": f"发票 {e.number}，截至第 {e.cutoff} 号记录",
        "blocks": blocks,
    }


def _block(heading: str, notes: list[str], columns: list[str] | None = None, rows: Any = ()) -> Block:
    return {"heading": heading, "notes": notes, "columns": columns or [], "rows": [list(row) for row in rows]}


def _part(part: Part, title: str) -> Iterator[Block]:
    """Lay out what one programme makes of the invoice."""
    for document in part.documents:
        named = (
            f"{document.number}{document.item}《{document.title}》，文件 {document.id}（摘要 {document.sha256[:16]}…）"
        )
        force = f"{document.first_on}至{document.last_on}有效"
        yield _block(f"二、依据{title}", [f"{named}，{force}"], ["<规则", "<取值", "<依据"], document.rules)
    if not part.documents:
        yield _block(f"二、依据{title}", ["服务期间内没有有效的政策文件。"])
    steps = [summed(part), *limits(part), basis(part), *([other(part)] if part.other_fen else [])]
    items = [[x.invoice_number, str(x.line_no), x.tax_code, _yuan(x.net_fen), x.item, fate(x)] for x in part.items]
    columns = ["<发票", ">行", "<税收分类编码", ">不含税", "<项目", "<计入"]
    yield _block(f"三、计算基数{title}", ["；".join(steps) + "。"], columns, items)
    word, weights = ("用量", "用量金额") if by_usage(part) else ("日", "日数")
    yield _block(
        f"四、按{word}分摊{title}",
        [
            f"总{sum(piece.days for piece in part.pieces)}日。每段＝⌊计算基数×至该段末日的{weights}÷总{weights}⌋－"
            f"⌊计算基数×该段之前的{weights}÷总{weights}⌋（舍去不足一分），"
            f"各段相加等于计算基数 {_yuan(part.basis_fen)}。"
        ],
        ["<起", "<止", ">日数", *([">用量（元）"] if by_usage(part) else []), ">金额", "<年度", "<结果与理由"],
        [
            [
                str(p.first_on), str(p.last_on), str(p.days), *([p.used_yuan or ""] if by_usage(part) else []),
                _yuan(p.amount_fen), str(p.cap_year),
                f"计入（{p.document}）" if p.why is None else f"不计入：{why_of(p.why)}",
            ]
            for p in part.pieces
        ],
    )  # fmt: skip
    for place, year in enumerate(part.years):
        caps = f"{cap(year)}；" if len(part.documents) > 1 else ""
        yield _year(year, heading(place, year) + title, caps)
    if not part.years:
        yield _block(f"五、不予兑付{title}", [why_of(why) for why in part.why])


def _year(year: Year, title: str, caps: str) -> Block:
    """Lay out the claim of one cap year: its cap, how it is computed, and each line it had in a run."""
    product = " ＋ ".join(f"{_yuan(each.amount_fen)}×{percent(each.rate_bp)}" for each in year.slices)
    notes = [
        f"{caps}计算额＝⌊{product or '0'}⌋（不足一分舍去）＝{_yuan(year.computed_fen)}；"
        f"{overlap(year)}；"
        f"{''.join(map(why_of, year.why))}"
        f"应兑付 {_yuan(year.worth_fen)}，已批准 {_yuan(year.granted_fen)}。现状：{year.standing}"
    ]
    rows = [
        [
            f"{b.run}（{STATES[b.state]}）", KINDS[b.kind], _yuan(b.basis_fen), _yuan(b.computed_fen),
            _yuan(b.overlap_cut_fen), _yuan(b.withheld_fen), _yuan(b.budget_cut_fen), _yuan(b.granted_fen),
            _yuan(b.room_before_fen), _yuan(b.room_after_fen),
        ]
        for b in year.bookings
    ]  # fmt: skip
    for b in year.bookings:
        people = [f"经办 {b.maker}", f"复核 {b.checker}" if b.checker else "", str(b.decided_on or ""), b.note]
        room = f"额度：{b.room_note}。" if b.room_note else ""
        notes.append(f"批次 {b.run}：{'，'.join(each for each in people if each)}。{room}{''.join(map(why_of, b.why))}")
    cuts = [">重复享受核减", ">上限核减", ">指标核减"]
    columns = ["<批次", "<种类", ">当时计入", ">计算额", *cuts, ">补贴额", ">此前额度", ">此后额度"]
    return _block(title, notes, columns, rows)


def _yuan(fen: Fen) -> str:
    return format_yuan(fen, grouped=True)
