"""Bill the six months: ordinary invoices of forty companies, and the traps, each named where it is laid."""

from dataclasses import replace

from story import (
    COMPANIES,
    HARDWARE,
    MONTHS,
    OLD_NAME,
    PROVIDERS,
    SOFTWARE,
    STORAGE,
    STRANGER,
    VALUE_ADDED,
    Line,
    Story,
)

A, B, C = PROVIDERS
YUAN = 100
CAPPED = {1: 500_000_000, 2: 500_000_005, 3: 723_456_785, 4: 499_999_995, 5: 841_200_015}
"""Net fen of five companies by June: at the cap, five fen over it, well over, five fen under, far over."""


def bill_all(story: Story) -> None:
    """Bill everything month by month, so that numbers rise with time in every file."""
    shares = {no: _split(story, total) for no, total in CAPPED.items()}
    for at, month in enumerate(MONTHS):
        for no, parts in shares.items():
            seller = (A, B, A, B, A if at % 2 else B)[no - 1]
            story.bill(
                month,
                seller,
                COMPANIES[no],
                Line(parts[at], spec="80G-512卡", quantity=str(parts[at] // 1179)),
            )
        for no in range(6, 41):
            _ordinary(story, month, no)
        TRAPS[month](story)
    _name_the_standing_traps(story)


def _split(story: Story, total_fen: int) -> list[int]:
    """Cut a total into six monthly parts of whole hundreds of yuan, the rest in the last."""
    mean = total_fen // 6 // 10000
    parts = [story.pick(mean * 7 // 10, mean * 11 // 10) * 10000 for _ in range(5)]
    return [*parts, total_fen - sum(parts)]


def _ordinary(story: Story, month: str, no: int) -> None:
    """Bill a company's month: one or two invoices, now and then of two lines, now and then none."""
    seller = {12: B, 13: A, 14: C, 28: C}.get(no, PROVIDERS[no % 3])
    if seller is C and month == "2026-06" and no != 28:
        seller = A if no % 2 else B
    buyer = OLD_NAME if no == 16 and month < "2026-04" else COMPANIES[no]
    if story.pick(1, 12) == 1:
        return
    size = 1 + no % 5
    lines = [story.usage(600 * size, 2400 * size)]
    if story.pick(1, 5) == 1:
        net = story.pick(2000, 9000) * YUAN
        lines.append(Line(net, SOFTWARE, "*信息技术服务*训练平台软件服务费", "", "项"))
    if seller is C:
        lines = [replace(line, paid_fen=line.gross_fen) for line in lines]
    story.bill(month, seller, buyer, *lines)
    if story.pick(1, 4) == 1:
        line = story.usage(300 * size, 1200 * size)
        line = replace(line, code=VALUE_ADDED, item="*信息技术服务*推理接口服务费")
        story.bill(month, A if seller is B else B, buyer, line)


def _january(story: Story) -> None:
    new_year = story.bill("2026-01", A, COMPANIES[6], Line(310_000 * YUAN), span=("2025-12-15", "2026-01-14"))
    story.trap(
        "2026-01/yunsuan.csv", new_year.number, "服务期 2025-12-15 至 2026-01-14，跨年且跨政策施行日（2025-12-25），31天",
        "12月15日至24日不计；12月25日至31日记2025年度；1月1日至14日记2026年度",
    )  # fmt: skip
    story.bill("2026-01", A, COMPANIES[21], Line(1_000_000 * YUAN), mark="subsidy higher")
    story.bill("2026-01", A, COMPANIES[24], Line(240_000 * YUAN), mark="paid 40 percent")
    tiny = story.bill("2026-01", B, COMPANIES[30], Line(4, spec="试用", quantity="0.01"))
    story.trap("2026-01/zhisuan.csv", tiny.number, "不含税金额只有0.04元", "受理；补贴额舍去后为0.00元，明细照列")


def _february(story: Story) -> None:
    mixed = story.bill(
        "2026-02", A, COMPANIES[7], Line(700_000 * YUAN),
        Line(200_000 * YUAN, HARDWARE, "*电子计算机*加速服务器", "8卡整机", "台", rate_bp=1300),
        Line(100_000 * YUAN, STORAGE, "*信息技术服务*对象存储服务", "100TB", "月"),
    )  # fmt: skip
    story.trap(
        "2026-02/yunsuan.csv", mixed.number, "三行：算力70万元、硬件20万元（税码109…）、存储10万元（税码不在清单）",
        "只有算力行计入，基数700000.00元；另两行各有事由",
    )  # fmt: skip
    story.bill("2026-02", A, COMPANIES[8], Line(160_000 * YUAN), mark="reversed in part")
    story.bill("2026-02", A, COMPANIES[22], Line(300_000 * YUAN), mark="subsidy lower, given up in July")
    story.bill("2026-02", B, COMPANIES[23], Line(250_000 * YUAN), mark="subsidy lower, given up")
    story.bill("2026-02", A, COMPANIES[25], Line(180_000 * YUAN), mark="paid in two parts")
    story.bill("2026-02", B, COMPANIES[29], Line(420_000 * YUAN), mark="subsidy lower, kept")
    legacy = story.bill("2026-02", B, COMPANIES[31], Line(56_000 * YUAN), number="050002600111-00012345")
    story.trap("2026-02/zhisuan.csv", legacy.number, "旧版发票，写作“代码-号码”", "照常受理")
    story.bill("2026-02", B, COMPANIES[32], Line(88_000 * YUAN), mark="sent twice")
    story.bill("2026-02", B, COMPANIES[33], Line(92_000 * YUAN), mark="sent again with other money")


def _march(story: Story) -> None:
    blue = story.marked["reversed in part"]
    red = story.bill(
        "2026-03", A, COMPANIES[8], Line(-60_000 * YUAN, quantity="-5089"), span=("2026-02-01", "2026-02-28"),
        original=blue.number, remark=f"被红冲蓝字数电发票号码：{blue.number}",
    )  # fmt: skip
    story.trap(
        "2026-03/yunsuan.csv",
        red.number,
        f"红字发票，部分冲红2月的 {blue.number}",
        "结算前冲红：基数160000−60000=100000.00元",
    )
    quarter = story.bill("2026-03", B, COMPANIES[9], Line(270_000 * YUAN), span=("2026-01-01", "2026-03-31"))
    story.trap("2026-03/zhisuan.csv", quarter.number, "一张发票开整个季度", "服务期最后一日3月31日，进入第一次结算")
    crossing = story.bill("2026-03", A, COMPANIES[10], Line(310_000 * YUAN), span=("2026-03-16", "2026-04-15"))
    story.trap(
        "2026-03/yunsuan.csv", crossing.number, f"{COMPANIES[10].name}自4月1日起才有资格，服务期3月16日至4月15日",
        "31天中计15天，基数150000.00元，进入第二次结算；其1至3月的其他发票受理但不计",
    )  # fmt: skip
    again = story.marked["sent twice"]
    other = story.marked["sent again with other money"]
    file = story.files["2026-03/zhisuan"]
    file.insert(3, again)
    file.insert(9, replace(other, lines=(Line(95_000 * YUAN),)))
    story.trap("2026-03/zhisuan.csv", again.number, "2月已受理的发票原样再报一次", "重复（duplicate），不重复计算")
    story.trap(
        "2026-03/zhisuan.csv",
        other.number,
        "2月已受理的号码，金额由92000.00改为95000.00",
        "冲突（conflict），2月受理的不变",
    )


def _april(story: Story) -> None:
    half = story.bill("2026-04", A, COMPANIES[26], *_half_paid())
    story.trap(
        "2026-04/yunsuan.csv", half.number, "两行发票，一行付了一半，另一行已付金额为空",
        "付款一经填写，空格按0计：基数按已付占价税合计的比例折减",
    )  # fmt: skip
    ending = story.bill("2026-04", A, COMPANIES[11], Line(300_000 * YUAN), span=("2026-04-16", "2026-05-15"))
    story.trap(
        "2026-04/yunsuan.csv", ending.number, f"{COMPANIES[11].name}的资格止于4月30日（5月登记），服务期4月16日至5月15日",
        "30天中计15天，基数150000.00元；其5、6月发票受理但不计",
    )  # fmt: skip
    _wrong_rows(story)


def _half_paid() -> tuple[Line, Line]:
    first = Line(120_000 * YUAN)
    return replace(first, paid_fen=first.gross_fen // 2), Line(
        30_000 * YUAN, SOFTWARE, "*信息技术服务*训练平台软件服务费", "", "项"
    )


def _wrong_rows(story: Story) -> None:
    """Lay ten wrong invoices into one xlsx file, and the corrected ones into another."""
    month, file = "2026-04", "2026-04/chaosuan.xlsx"
    wrong: list[tuple[int, dict[str, str | float], str]] = [
        (33, {"开票日期": "2026-02-30"}, "开票日期 2026-02-30，没有这一天"),
        (34, {"不含税金额": "1,2345.6"}, "不含税金额 1,2345.6，千分位放错"),
        (35, {"价税合计": 99999.99}, "不含税金额＋税额≠价税合计"),
        (36, {"发票号码": 2.65e19}, "20位号码被表格软件变成数值 2.65E+19"),
        (37, {"服务起始日": "2026-04-30", "服务截止日": "2026-04-01"}, "服务截止日早于起始日"),
        (38, {"用方统一社会信用代码": COMPANIES[38].uscc[:-1] + "I"}, "购买方代码含字母I，校验位不对"),
    ]
    for no, raw, what in wrong:
        line = story.usage(900, 3000)
        right = story.bill(month, C, COMPANIES[no], replace(line, paid_fen=line.gross_fen))
        story.files["2026-04/chaosuan"][-1] = replace(right, raw=raw)
        story.files.setdefault("2026-04/chaosuan-corrected", []).append(right)
        story.trap(file, right.number, what, "该张退回；更正后在 chaosuan-corrected.xlsx 中受理")
    two = story.bill(month, C, COMPANIES[39], story.usage(900, 2000), story.usage(300, 600))
    story.files["2026-04/chaosuan"][-1] = replace(two, raw={"税额": "见附件"})
    story.files["2026-04/chaosuan-corrected"].append(two)
    story.trap(file, two.number, "两行发票的第一行税额写成“见附件”", "整张退回，另一行注明同票其他行有误；更正后受理")
    stranger = story.bill(month, C, STRANGER, story.usage(500, 900))
    story.trap(file, stranger.number, "购买方不在企业名单", "退回（unknown_company）")
    foreign = story.bill(month, C, COMPANIES[40], story.usage(500, 900))
    story.files["2026-04/chaosuan"][-1] = replace(foreign, seller=A)
    story.trap(file, foreign.number, "销售方是另一家服务商", "退回：销售方不是上传者")
    late = story.bill(month, C, COMPANIES[36], story.usage(500, 900), span=("2025-12-26", "2025-12-31"))
    story.trap(file, late.number, "2025年12月的服务，5月才申报，已过次年3月31日", "退回（past_claim_deadline）")


def _may(story: Story) -> None:
    blue = story.bill("2026-05", B, COMPANIES[9], Line(75_000 * YUAN))
    red = story.bill("2026-05", B, COMPANIES[9], Line(-75_000 * YUAN, quantity="-1"), original=blue.number)
    story.trap("2026-05/zhisuan.csv", red.number, f"整张冲红同月的 {blue.number}", "两张都受理，净额为0，不产生补贴")
    remark = story.bill(
        "2026-05",
        B,
        COMPANIES[34],
        Line(64_000 * YUAN),
        no_span=True,
        remark="服务期间：2026-05-01至2026-05-31",
    )
    story.trap("2026-05/zhisuan.csv", remark.number, "服务起止日为空，备注写明服务期间", "服务期取自备注")
    silent = story.bill("2026-05", B, COMPANIES[35], Line(57_000 * YUAN), no_span=True)
    story.trap("2026-05/zhisuan.csv", silent.number, "服务起止日为空，备注也没有", "服务期取上传时填的服务月份")
    off = story.bill("2026-05", C, COMPANIES[28], Line(310_000 * YUAN, paid_fen=328_600 * YUAN))
    story.trap("2026-05/chaosuan.xlsx", off.number, f"{C.name}自5月10日起退出入库名单", "31天中计9天，基数90000.00元")


def _june(story: Story) -> None:
    ahead = story.bill("2026-06", A, COMPANIES[27], Line(366_000 * YUAN), span=("2026-06-01", "2026-11-30"))
    story.trap(
        "2026-06/yunsuan.csv",
        ahead.number,
        "预付半年，服务期到11月30日",
        "受理；到11月才进入结算，6月的结算不取",
    )
    gone = story.bill("2026-06", C, COMPANIES[28], story.usage(900, 1800))
    story.trap("2026-06/chaosuan.xlsx", gone.number, "服务商已退出入库名单", "受理，事由 not_listed，不产生补贴")


TRAPS = {
    "2026-01": _january, "2026-02": _february, "2026-03": _march,
    "2026-04": _april, "2026-05": _may, "2026-06": _june,
}  # fmt: skip


def _name_the_standing_traps(story: Story) -> None:
    """Record the traps that lie in the registry rather than in one invoice."""
    for no, what in (
        (1, "六个月不含税合计恰为5000000.00元；补贴恰为1000000.00元"),
        (2, "合计5000000.05元；上限核减0.01元"),
        (3, "合计7234567.85元；达到上限，其余核减"),
        (4, "合计4999999.95元；补贴999999.99元，差一分到上限"),
        (5, "合计8412000.15元，分别来自两家服务商；达到上限"),
        (12, f"{B.name}自2026-04-01起持股30%；4月起该服务商开给它的发票不计（related_party）"),
        (13, f"{A.name}持股24.99%，低于25%；照常计入"),
        (14, f"与{C.name}为同一实控人；该服务商开给它的发票全部不计"),
        (15, "资格止早于资格起，从未取得资格；发票受理，事由 not_qualified"),
        (16, "1至3月的发票用旧名称；受理并提示 name_differs"),
        (17, "信用代码第17位不符合 GB 11714；只作提示"),
        (18, "名称含生僻字𬭎、㐀，GBK 写不出；照常受理，名称不走样"),
        (19, "先以一类、后以另一类取得资格，两段相接；照常计入"),
        (20, "没有登记银行账号；可以结算，拨付时列为账号缺失"),
    ):
        story.trap("registry/", COMPANIES[no].name, *what.split("；"))
    for mark, file, what, outcome in (
        ("subsidy higher", "registry/subsidies.csv", "已获其他补贴500000.00元，高于本券计算额200000.00元", "补贴0.00元"),
        ("subsidy lower, given up", "registry/subsidies.csv", "已获其他补贴15000.00元，书面放弃", "照常计入"),
        ("subsidy lower, given up in July", "registry/subsidies.csv", "已获其他补贴20000.00元，7月才放弃（subsidies-2026-07.csv）", "第一次结算暂缓，第二次结算补贴60000.00元"),
        ("subsidy lower, kept", "registry/subsidies.csv", "已获其他补贴30000.00元，一直未放弃", "暂缓（held）"),
        ("paid 40 percent", "registry/payments.csv", "价税合计254400.00元，只付了40%", "基数96000.00元"),
        ("paid in two parts", "registry/payments.csv", "分两次付清", "照常计入"),
    ):  # fmt: skip
        story.trap(file, story.marked[mark].number, what, outcome)
