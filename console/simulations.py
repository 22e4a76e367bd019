"""`cvl simulate`: what a draft of a policy would change, for whom, and how long the appropriation would last."""

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, cast, get_args

from sqlalchemy import Engine

from console.answer import Answer, pairs, table, yuan
from console.chinese import FILE, YEAR, argument, as_of, option
from console.door import Verb
from console.files import write
from reconciliation.typeset import Form, typeset
from settlement.policy import load
from settlement.simulate import MONTHS, Side, Simulation
from settlement.simulate import simulate as compute
from voucher.database import run
from voucher.errors import Misused, cause
from voucher.money import Fen, format_yuan

SHOWN = 20
"""Companies in the text; the JSON has them all."""


def simulate(
    engine: Engine, file: Path | None, set_: Sequence[str], year: int, programme: str | None, out: Path | None,
    as_of: str | None = None,
) -> Answer:  # fmt: skip
    """Compute both sides; draw the chart when asked for a file."""
    if file is None and not set_:
        raise Misused("nothing_changed", "请写明草案文件，或用 --set 改动一个参数，例如 --set rate_bp=2500。")
    form = out.suffix.lstrip(".").lower() if out else ""
    if out is not None and form not in get_args(Form):
        raise Misused("bad_form", f"图只能写成 {'、'.join(get_args(Form))}，请改 --out 的后缀。")
    try:
        draft = load(file.read_bytes()) if file else None
    except OSError as error:
        raise Misused("no_file", f"无法读取 {file}（{cause(error)}）。请核对路径。") from error
    # The auditor's role may only read: whatever a simulation does, nothing is written.
    found = run(engine, lambda db: compute(db, year, draft, set_, programme, as_of), "cvl_auditor")
    data, text = {"as_of": as_of, **_data(found)}, _text(found)
    if as_of is not None:
        text.insert(0, f"截至 {as_of}（账本第 {found.cutoff} 号）所知")
    if out is not None:
        write(out, typeset("chart", chart(found), cast(Form, form)))
        data["file"] = str(out)
        text.append(f"图已写入 {out}。")
    return Answer(data, text)


def _side(side: Side, appropriation: Fen) -> dict[str, Any]:
    """Write one side as JSON."""
    return {
        "claims": side.claims, "companies": sum(fen > 0 for fen in side.companies.values()),
        "granted": format_yuan(side.granted_fen), "withheld": format_yuan(side.withheld_fen),
        "held": side.held, "held_amount": format_yuan(side.held_fen),
        "runs_out": side.runs_out(appropriation),
        "months": [format_yuan(side.months.get(month, 0)) for month in MONTHS],
    }  # fmt: skip


def _data(found: Simulation) -> dict[str, Any]:
    """Write a simulation as JSON; months are those of the last service day, 1 to 12."""
    return {
        "changes": [{"name": name, "now": was, "then": is_} for name, was, is_ in found.changes],
        "programme": found.programme, "year": found.year, "cutoff": str(found.cutoff),
        "documents": list(found.documents), "appropriation": format_yuan(found.appropriation_fen),
        "now": _side(found.now, found.appropriation_fen), "then": _side(found.then, found.appropriation_fen),
        "difference": format_yuan(found.then.granted_fen - found.now.granted_fen),
        "gain": sum(each.then_fen > each.now_fen for each in found.companies),
        "lose": sum(each.then_fen < each.now_fen for each in found.companies),
        "companies": [
            {
                "company": each.uscc, "name": each.name, "now": format_yuan(each.now_fen),
                "then": format_yuan(each.then_fen), "difference": format_yuan(each.then_fen - each.now_fen),
            }
            for each in found.companies
        ],
    }  # fmt: skip


def _signed(fen: Fen) -> str:
    return ("+" if fen > 0 else "") + yuan(fen)


def _text(found: Simulation) -> list[str]:
    """Write a simulation for people."""
    now, then = found.now, found.then
    more = sum(each.then_fen > each.now_fen for each in found.companies)
    less = sum(each.then_fen < each.now_fen for each in found.companies)
    change = _signed(then.granted_fen - now.granted_fen)
    head = pairs(
        [
            ("事项 / 年度", f"{found.programme} / {found.year}，两边都从零计算，不写入任何数据"),
            ("草案文件", "、".join(found.documents) or "无"),
            ("改动", "；".join(f"{name} {was} → {is_}" for name, was, is_ in found.changes) or "没有不同的数字"),
            ("补贴额", f"{yuan(now.granted_fen)} → {yuan(then.granted_fen)}元（{change}）"),
            ("上限核减", f"{yuan(now.withheld_fen)} → {yuan(then.withheld_fen)}元"),
            ("待核暂缓", f"{now.held}笔{yuan(now.held_fen)}元 → {then.held}笔{yuan(then.held_fen)}元"),
            ("企业", f"增加{more}家，减少{less}家，不变{len(found.companies) - more - less}家"),
            ("年度指标", f"{yuan(found.appropriation_fen)}元：现行{_lasts(now, found)}，草案{_lasts(then, found)}"),
        ]
    )  # fmt: skip
    months = [
        (f"{month}月", yuan(now.months.get(month, 0)), yuan(one), yuan(then.months.get(month, 0)), yuan(two))
        for month, one, two in zip(MONTHS, _totals(now), _totals(then), strict=True)
    ]
    text = [*head, "", *table(["服务截止月", ">现行", ">累计", ">草案", ">累计"], months)]
    rows = [
        (each.uscc, yuan(each.now_fen), yuan(each.then_fen), _signed(each.then_fen - each.now_fen), each.name)
        for each in found.companies[:SHOWN]
    ]
    if rows:
        text += ["", *table(["企业", ">现行", ">草案", ">增减", "名称"], rows)]
    if len(found.companies) > SHOWN:
        text.append(f"……共{len(found.companies)}家，全部见 --json。")
    return text


def _lasts(side: Side, found: Simulation) -> str:
    month = side.runs_out(found.appropriation_fen)
    return "全年够用" if month is None else f"{month}月用完"


def _totals(side: Side) -> list[Fen]:
    return list(accumulate(side.months.get(month, 0) for month in MONTHS))


def chart(found: Simulation) -> dict[str, Any]:
    """Lay out the chart of a simulation: granted by month, and the sum against the appropriation, in whole yuan."""

    def series(values: Sequence[Sequence[Fen]]) -> list[dict[str, Any]]:
        return [
            {"name": name, "values": [fen // 100 for fen in each]}
            for name, each in zip(("现行", "草案"), values, strict=True)
        ]

    sides = (found.now, found.then)
    limit = {"name": f"年度指标 {yuan(found.appropriation_fen)}元", "value": found.appropriation_fen // 100}
    return {
        "title": f"{found.year}年度政策模拟",
        "unit": "元，按服务截止月",
        "labels": [f"{month}月" for month in MONTHS],
        "panels": [
            {
                "title": "各月补贴额", "kind": "bars", "limit": None,
                "series": series([[side.months.get(month, 0) for month in MONTHS] for side in sides]),
            },
            {
                "title": "累计补贴额", "kind": "lines", "limit": limit if found.appropriation_fen else None,
                "series": series([_totals(side) for side in sides]),
            },
        ],
    }  # fmt: skip


_SET = option("--set", "set_", help="改动一个参数，可写多次，例如 rate_bp=2500（金额以分计）", shown="项目=值")
_SET.multiple, _SET.default = True, ()
VERBS = (
    Verb(
        "simulate",
        simulate,
        "模拟一份政策草案：谁增谁减、合计多少、指标何时用完。不写入任何数据。\n"
        "草案文件代替其事项的全部文件；也可不写文件，用 --set 改动现行文件的参数。两边都从零计算该年度。",
        [
            argument("file", "草案文件", FILE, required=False),
            _SET,
            option("--year", kind=YEAR, help="模拟的年度", required=True),
            option("--programme", help="事项；写了文件或只有一个事项时不用写", shown="事项"),
            option("--out", kind=FILE, help="把图写成文件：.svg、.png 或 .pdf", shown="文件"),
            as_of(),
        ],
    ),
)
