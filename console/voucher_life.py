"""Write the life of a voucher on one screen: who asked, who agreed, what its limit did."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.answer import pairs, table, yuan
from voucher import life
from voucher.days import ZONE
from voucher.money import format_yuan

Row = Mapping[str, Any]
Rows = Sequence[Row]


def shown_data(voucher: Row, events: Rows, uses: Rows, pending: Rows, *, of: Row) -> dict[str, Any]:
    """Write a voucher with its life as JSON. of: the voucher as lists have it."""
    return dict(of) | {
        "issued_at": voucher["recorded_at"].astimezone(ZONE),
        "events": [
            {
                "act_no": str(e["act_no"]), "recorded_at": e["recorded_at"].astimezone(ZONE), "what": e["what"],
                "words": life.called(e["what"]), "why": e["why"], "by": e["actor"], "proposed_by": e["proposed_by"],
                "application": e["application"], "run": None if e["run_id"] is None else str(e["run_id"]),
                "amount": None if e["amount_fen"] is None else format_yuan(e["amount_fen"]),
            }
            for e in events
        ],
        "moves": [
            {
                "from": e["what"].split(":")[1], "to": e["what"].split(":")[2], "why": e["why"], "by": e["actor"],
                "act_no": str(e["act_no"]), "recorded_at": e["recorded_at"].astimezone(ZONE),
            }
            for e in events
            if e["what"].startswith("voucher:")
        ],
        "uses": [
            {
                "invoice_number": u["invoice_number"], "run": str(u["run_id"]), "kind": u["kind"],
                "granted": format_yuan(u["granted_fen"]), "act_no": str(u["act_no"]),
            }
            for u in uses
        ],
        "pending": [{"act": str(p["act_id"]), "subject": p["subject"], "maker": p["maker"]} for p in pending],
    }  # fmt: skip


def shown_lines(voucher: Row, events: Rows, uses: Rows, pending: Rows, *, state: str) -> list[str]:
    """Write a voucher with its life for people. state: in words."""
    face = voucher["left_fen"] + voucher["granted_fen"] + voucher["lapsed_fen"]
    text = pairs(
        [
            ("券号", str(voucher["voucher_id"])),
            ("企业", f"{voucher['company']} {voucher['name'] or ''}"),
            ("年度 / 事项", f"{voucher['cap_year']} / {voucher['programme_name']}"),
            ("状态", state + ("，手工发放" if voucher["by_hand"] else "，自动发放")),
            ("面额", f"{yuan(face)}元"),
            (
                "已兑 / 剩余 / 失效",
                " / ".join(f"{yuan(voucher[name])}元" for name in ("granted_fen", "left_fen", "lapsed_fen")),
            ),
        ]
    )
    rows = [
        (
            f"{e['recorded_at'].astimezone(ZONE):%Y-%m-%d %H:%M}", f"第{e['act_no']}号", life.called(e["what"]),
            "" if e["amount_fen"] is None else yuan(e["amount_fen"]), _people(e), _words(e),
        )
        for e in events
    ]  # fmt: skip
    text += ["", "经过：", *table(["记录时间", "账本号", "事项", ">金额", "办理", "说明"], rows, indent="  ")]
    text += [f"  待复核：事项 {p['act_id']}，{p['subject']}（提交人 {p['maker']}）" for p in pending]
    if uses:
        shown = [(u["invoice_number"], str(u["run_id"]), yuan(u["granted_fen"])) for u in uses]
        text += ["", *table(["发票号码", "批次", ">兑付"], shown)]
    return text


def _people(event: Row) -> str:
    """Name who asked and who agreed, or who did it alone."""
    if event["proposed_by"] is None:
        return str(event["actor"])
    return f"{event['proposed_by']} 提交，{event['actor']} 复核"


def _words(event: Row) -> str:
    """Say why, from which application or by which run."""
    said = [event["why"]]
    if event["what"] == "voucher:none:issued" and event["application"]:
        said.append(f"申请 {event['application']}")
    if event["run_id"] is not None:
        said.append(f"结算批次 {event['run_id']}")
    return "，".join(word for word in said if word)
