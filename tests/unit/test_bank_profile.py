"""Bank profiles: what is wrong with one is said before a file is read by it; how one amount column is told apart."""

from pathlib import Path

import pytest

from reconciliation import bank, bank_files, bank_profile
from voucher.errors import Misused

SIGNED = '[statement]\ncolumns = { day = "日期", amount = "金额" }\n'
WORDED = '[statement]\nout = ["借"]\nin = ["贷"]\ncolumns = { day = "日期", amount = "金额", direction = "标志" }\n'
PAYOUT = '[payout]\ncolumns = [["账号", "account"], ["金额", "amount"]]\n'
RESULT = '[result]\ncolumns = { reference = "用途", amount = "金额", state = "结果" }\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "不是 TOML"), ("[other]", "“other”"), ('[statement]\ncolumns = { amount = "金额" }', "缺少"),
        ('[statement]\ncolumns = { day = "日期" }', "取一"), (SIGNED.replace(" }", ', paid_out = "支出" }'), "取一"),
        (WORDED.replace('in = ["贷"]\n', ""), "“in”"), (SIGNED.replace("day", "colour"), "不认识"),
        ('[result]\ncolumns = { reference = "用途", amount = "金额", state = "结果" }\npaid = ["成功"]', "“returned”"),
        ('payout = "x"', "写成 \\[payout\\]"), ("[payer]\nname = 1", "name 应写在引号里"),
        ("[treasury]\nhead = 1", "head 应写在引号里"), ('[treasury]\nencoding = "x-y"', "编码“x-y”"),
        ("[payout]\naccount_prefix = 1", "account_prefix 应写在引号里"),
        (PAYOUT.replace('[["账', '[[], ["账'), "应写成"), ('[payout]\nencoding = "gb18030"', "没有写明 columns"),
        ('[payout]\ncolumns = { "金额" = "amount" }', "没有写明 columns"),
        (PAYOUT.replace("amount", "fen"), "“金额”内容"),
        (PAYOUT.replace("amount", "no"), "“amount”缺少"), (PAYOUT.replace('"account"', '""'), "“account”缺少"),
        (PAYOUT + 'encoding = "gb"', "编码“gb”"), ('[result]\ncolumns = ["用途"]', "columns 应写成"),
        (RESULT.replace('"用途"', "1"), "columns 应写成"), (RESULT + 'paid = "成功"', "哪些说法是“paid”"),
        (RESULT + 'paid = ["成功", "完成"]\nreturned = ["完成"]', "“完成”不能既是“paid”又是“returned”"),
        (WORDED.replace('"贷"', '"贷", "借"'), "“借”不能既是“out”又是“in”"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_profile_is_said(text: str, said: str) -> None:
    with pytest.raises(Misused, match=said):
        bank_profile.parse("银行.toml", text)


@pytest.mark.parametrize(
    ("profile", "header", "rows", "amounts", "codes"),
    [
        (SIGNED, "日期,金额", ("20260825,-1.50", "20260825,2.00"), [150, -200], []),
        (WORDED, "日期,金额,标志", ("20260825,1.5,借", "20260825,2,贷", "20260825,3,D"), [150, -200], ["bad_choice"]),
    ],
)
def test_one_column_of_amounts_is_told_apart_by_its_sign_or_by_a_word(
    tmp_path: Path, profile: str, header: str, rows: tuple[str, ...], amounts: list[int], codes: list[str]
) -> None:
    ours, file = tmp_path / "bank.toml", tmp_path / "明细.csv"
    ours.write_text(profile, "utf-8")
    file.write_text("\n".join(["某行明细", header, *rows]), "utf-8")
    lines, problems = bank.told(bank_files.read(file, "statement", str(ours)))
    assert ([line["amount_fen"] for line in lines], [each.code for each in problems]) == (amounts, codes)


def test_a_profile_is_asked_for_no_file_that_it_does_not_know(tmp_path: Path) -> None:
    ours = tmp_path / "bank.toml"
    ours.write_text(SIGNED, "utf-8")
    with pytest.raises(Misused, match="result"):
        bank_profile.candidates(str(ours), "result")


def test_a_statement_may_repeat_its_header_and_end_in_words(tmp_path: Path) -> None:
    header = ["交易日期", "支出金额", "收入金额", "对方户名", "对方账号", "交易流水号", "摘要"]
    line = ["2026-08-24", "400.00", "——", "甲公司", "6222", "S1", "兑付"]
    table = [["某银行"], header, line, header, [*line[:1], "--", "1.00", *line[3:]], ["支出笔数：1", *[""] * 6]]
    path = tmp_path / "对账单"
    path.write_text("\n".join(map(",".join, table)), "utf-8")
    found = bank_files.read(path, "statement", None)
    assert found.problems == []
    assert [(row["row_no"], row["paid_out"], row["paid_in"]) for row in found.rows] == [
        (3, 40000, None),
        (5, None, 100),
    ]
    path.write_text("\n".join(map(",".join, [*table, ["八月", "5.00", *line[2:]]])), "utf-8")
    assert [(each.row, each.code) for each in bank_files.read(path, "statement", None).problems] == [(7, "bad_day")]
