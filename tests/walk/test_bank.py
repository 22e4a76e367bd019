"""Bank statements through the command line: imported, matched in every way, leftovers, matches by hand."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.postgres.desk import companies, csv_bytes, line, real, xlsx_bytes
from tests.walk.conftest import Desk
from tests.walk.till import PAYDAY, Till

HEADER = ["交易日期", "支出金额", "收入金额", "对方户名", "对方账号", "交易流水号", "摘要"]
ONE, TWO = (row[1] for row in companies("C", "D")[1:])


def statement(desk: Desk, *rows: tuple[str, str, str, str], name: str = "对账单.csv") -> Path:
    """Lay a statement on the desk: day, amount (below zero came in), payee, remark."""
    body = [
        [day, "" if amount.startswith("-") else amount, amount.lstrip("-") if amount.startswith("-") else "", payee,
         "\t6222000011112222", f"S{place}", remark]
        for place, (day, amount, payee, remark) in enumerate(rows)
    ]  # fmt: skip
    return desk.bytes(csv_bytes([["重庆银行明细"], HEADER, *body], "gb18030"), name)


def imported(desk: Desk, *rows: tuple[str, str, str, str], status: int = 0, name: str = "对账单.csv") -> Any:
    return desk.data("bank", "import", statement(desk, *rows, name=name), "--as", "maker1", status=status)


def ways(desk: Desk, *options: str) -> dict[str, int]:
    return {each["way"]: each["payments"] for each in desk.data("bank", "list", *options)["matched"]}


def left(desk: Desk, *options: str) -> list[tuple[str, str, str]]:
    found = desk.data("bank", "list", *options)["leftovers"]
    return [(each["side"], each["amount"], each["bucket"]) for each in found]


def test_lines_are_matched_by_reference_amount_and_whole_sums(till: Till) -> None:
    made = till.sent()
    one = made["payments"][0]["reference"]
    assert left(till.desk) == [("payment", "400.00", "7天以内"), ("payment", "200.00", "7天以内")]
    first = imported(
        till.desk, ("2026-08-25", "400.00", "别名公司", f"拨付{one}"), ("2026-08-26", "200.00", TWO, "兑付"),
        ("2026-08-26", "5.00", "某银行", "手续费"),
    )  # fmt: skip
    assert (first["rows"], first["known"]) == (3, 0)
    assert ways(till.desk) == {"reference": 1, "amount": 1}
    assert left(till.desk) == [("out", "5.00", "7天以内")]
    assert imported(
        till.desk, ("2026-08-25", "400.00", "别名公司", f"拨付{one}"), ("2026-08-26", "200.00", TWO, "兑付"),
        ("2026-08-26", "5.00", "某银行", "手续费"), name="同一份.csv",
    )["statement"] == first["statement"]  # fmt: skip
    longer = imported(
        till.desk, ("2026-08-25", "400.00", "别名公司", f"拨付{one}"), ("2026-08-26", "200.00", TWO, "兑付"),
        ("2026-08-26", "5.00", "某银行", "手续费"), ("2026-10-08", "-1.00", "某银行", "利息"), name="更长.csv",
    )  # fmt: skip
    assert (longer["rows"], longer["known"]) == (4, 3)
    assert left(till.desk) == [("out", "5.00", "31至90天"), ("in", "1.00", "7天以内")]
    told = till.desk.data("reconcile", status=5)["differences"]
    assert [each["title"] for each in told] == ["拨付与银行对账单一致"]
    assert "手续费" not in told[0]["detail"]
    fee = f"{first['statement']}:5"
    assert till.desk.data("bank", "match", "5", "--why", "x", "--as", "maker1", status=2)["error"]["code"] == "bad_line"
    asked = till.desk.data("bank", "match", fee, "--why", "银行手续费", "--as", "maker1")
    match = till.desk.data("approve", asked["act"], "--as", "checker1")["match"]
    assert till.desk.data("reconcile")["ok"]
    again = till.desk.data("bank", "match", fee, "--why", "再来", "--as", "maker1", status=1)
    assert again["error"]["code"] == "matched"
    till.desk.data("bank", "undo", match, "--why", "误判", "--as", "maker1")
    till.desk.data("bank", "undo", match, "--why", "误判", "--as", "maker1")
    assert (
        till.desk.data("bank", "undo", match, "--why", "别的", "--as", "maker1", status=1)["error"]["code"] == "undone"
    )
    assert not till.desk.data("reconcile", status=5)["ok"]
    assert till.desk.data("reconcile", "--days", "44")["ok"]  # from 2026-08-26 to 2026-10-08
    assert not till.desk.data("reconcile", "--days", "43", status=5)["ok"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [("2026-08-25", "600.01", "代付清算户", "批量")],
            {(): {}, ("--tolerance", "0.01"): {"batch": 2}},
        ),
        (
            [("2026-08-23", "400.00", ONE, ""), ("2026-09-03", "400.00", ONE, ""), ("2026-08-25", "200.02", TWO, "")],
            {(): {"amount": 1}, ("--days", "9"): {}, ("--tolerance", "0.02"): {"amount": 2}},
        ),
    ],
)
def test_a_line_is_matched_at_the_limit_and_not_beyond(
    till: Till, tmp_path: Path, rows: list[tuple[str, str, str, str]], expected: dict[tuple[str, ...], dict[str, int]]
) -> None:
    till.sent()
    imported(till.desk, *rows)
    assert {options: ways(till.desk, *options) for options in expected} == expected
    assert {options: reported(till.desk, tmp_path, *options) for options in expected} == expected


def reported(desk: Desk, folder: Path, *options: str) -> dict[str, int]:
    """Count the matches of each way as the report of the year tells them, given the same options."""
    file = folder / "bank.json"
    desk.data("report", "bank", "--period", "2026", "--format", "json", "--out", str(file), *options)
    told = json.loads(file.read_text("utf-8"))
    days = options[1] if options[:1] == ("--days",) else "10"
    assert any(f"{days}天以内" in note for note in told["notes"])
    called = {"付款编号": "reference", "金额与户名": "amount", "整批合计": "batch", "收款方合计": "payee"}
    return dict(Counter(called[row["way"]] for row in told["rows"] if row["way"] in called))


def test_one_payment_left_of_a_batch_is_not_taken_for_what_went_to_somebody_else(till: Till) -> None:
    one, two = (payment["reference"] for payment in till.sent()["payments"])
    till.result((one, "400.00", "成功", "L1"), (two, "200.00", "成功", "L2"))
    imported(
        till.desk, ("2026-08-25", "400.00", ONE, one), ("2026-08-25", "200.00", "旁人公司", "往来款"),
        ("2026-10-08", "-1.00", "某银行", "利息"),
    )  # fmt: skip
    assert ways(till.desk) == {"reference": 1}
    assert {each["subject"] for each in till.desk.data("reconcile", status=5)["differences"]} > {two}


def test_what_came_back_by_hand_must_be_told_as_returned(till: Till) -> None:
    one, two = (payment["reference"] for payment in till.sent()["payments"])
    till.result((one, "400.00", "成功", "L1"), (two, "200.00", "成功", "L2"))
    made = imported(
        till.desk, ("2026-08-25", "400.00", ONE, one), ("2026-08-25", "200.00", TWO, two),
        ("2026-08-26", "-400.00", "过渡户", "退汇"), ("2026-10-08", "-1.00", "某银行", "利息"),
    )  # fmt: skip
    asked = till.desk.data("bank", "match", f"{made['statement']}:5", one, "--why", "过渡户退", "--as", "maker1")
    till.desk.data("approve", asked["act"], "--as", "checker1")
    (wrong,) = till.desk.data("reconcile", status=5)["differences"]
    assert (wrong["subject"], "尚未登记退回" in wrong["detail"]) == (one, True)
    till.result((one, "400.00", "退回", "L3"), name="退.csv")
    assert till.desk.data("reconcile")["ok"]


def test_what_happened_twice_a_day_is_two_lines_and_one_line_in_two_statements_is_one(till: Till) -> None:
    icbc = ["凭证号", "交易时间", "对方单位", "对方账号", "转入金额", "转出金额", "附言"]

    def file(*times: str) -> Path:
        rows = [["", f"2026-08-25 {time}", "某银行", "", "", "5.00", "手续费"] for time in times]
        return till.desk.bytes(csv_bytes([icbc, *rows]), f"{len(times)}{times[0][:2]}.csv")

    def known(*times: str) -> int:
        return int(till.desk.data("bank", "import", file(*times), "--as", "maker1")["known"])

    assert known("09:00:00") == 0
    assert known("15:00:00") == 0
    assert known("09:00:00", "09:00:00", "15:00:00") == 2
    assert left(till.desk).count(("out", "5.00", "7天以内")) == 3


def test_all_of_one_payee_is_matched_as_a_sum(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    till.sent()
    till.desk.data("import", till.desk.file([line("e", "3000.00")], "九月.csv"), "--as", "maker1")
    till.run = till.desk.settled()
    till.desk.data("disclose", till.run, "--as", "maker1")
    monkeypatch.setenv("CVL_TODAY", "2026-09-02")
    assert till.sent()["amount"] == "600.00"
    imported(till.desk, ("2026-09-02", "1000.00", ONE, "合并"))
    assert ways(till.desk) == {"payee": 2}


def test_a_payment_that_never_left_is_not_taken_for_the_one_made_anew(till: Till) -> None:
    till.result((till.sent()["payments"][0]["reference"], "400.00", "退回", "L1"))
    till.sent()
    imported(till.desk, ("2026-08-26", "400.00", ONE, "兑付"))
    assert (ways(till.desk), left(till.desk)) == ({"amount": 1}, [("payment", "200.00", "7天以内")])
    imported(till.desk, ("2026-08-26", "400.00", ONE, "再"), ("2026-08-26", "-400.00", ONE, "退"), name="出入.csv")
    assert (ways(till.desk), left(till.desk)) == ({"amount": 2}, [("payment", "200.00", "7天以内")])
    imported(till.desk, ("2026-08-26", "-400.00", ONE, "多退"), name="多.csv")
    assert ("in", "400.00", "7天以内") in left(till.desk)


def test_what_left_and_is_said_to_be_returned_must_come_back(till: Till) -> None:
    one = till.sent()["payments"][0]["reference"]
    till.result((one, "400.00", "退回", "L1"))
    wide = f"{TWO[:2]}　{TWO[2:]}"
    imported(
        till.desk, ("2026-08-25", "400.00", "过渡户", one), ("2026-08-25", "200.00", wide, ""),
        ("2026-10-08", "-1.00", "某银行", "利息"),
    )  # fmt: skip
    assert ways(till.desk) == {"reference": 1, "amount": 1}
    assert left(till.desk) == [("back", "400.00", "31至90天"), ("in", "1.00", "7天以内")]
    (wrong,) = till.desk.data("reconcile", status=5)["differences"]
    assert (wrong["subject"], "没有退回的收入" in wrong["detail"]) == (one, True)
    back = imported(till.desk, ("2026-09-01", "-400.00", "过渡户", "退汇"), name="退.csv")
    asked = till.desk.data("bank", "match", f"{back['statement']}:3", one, "--why", "过渡户退", "--as", "maker1")
    till.desk.data("approve", asked["act"], "--as", "checker1")
    assert till.desk.data("reconcile")["ok"]
    assert left(till.desk) == [("in", "1.00", "7天以内")]


def test_what_came_in_once_is_not_a_return_and_a_repayment(till: Till, tmp_path: Path) -> None:
    one, two = (payment["reference"] for payment in till.sent()["payments"])
    till.result((one, "400.00", "成功", "L1"), (two, "200.00", "退回", "L2"))
    red = line("r", red_of="a", net="-1000.00", tax="-60.00", gross="-1060.00", quantity="-1")
    till.desk.data("import", till.desk.file([red], "红字.csv"), "--as", "maker1")
    till.desk.settled()
    imported(
        till.desk, ("2026-08-24", "400.00", ONE, one), ("2026-08-24", "200.00", TWO, two),
        ("2026-08-25", "-200.00", TWO, f"退汇{two}"), ("2026-10-08", "-1.00", "某银行", "利息"),
    )  # fmt: skip
    back = ("recovery", "return", real("a"), "--amount", "200.00", "--on", PAYDAY, "--ref", "S2", "--as", "maker1")
    till.desk.data("approve", till.desk.data(*back)["act"], "--as", "checker1")
    (wrong,) = till.desk.data("reconcile", status=5)["differences"]
    assert (wrong["subject"], two in wrong["detail"]) == ("S2", True)
    file = tmp_path / "bank.json"
    till.desk.data("report", "bank", "--period", "2026", "--format", "json", "--out", str(file))
    rows = json.loads(file.read_text("utf-8"))["rows"]
    assert sorted((row["way"], row["back"]) for row in rows if row["back"]) == [
        ("付款编号", "200.00"), ("未匹配", "1.00"),
    ]  # fmt: skip


def test_one_transfer_pays_back_several_invoices_and_no_more_than_came_in(till: Till) -> None:
    till.result(*((p["reference"], p["amount"], "成功", "L") for p in till.sent()["payments"]))
    reds = [line(f"r{of}", red_of=of, net="-1000.00", tax="-60.00", gross="-1060.00", quantity="-1") for of in "ab"]
    till.desk.data("import", till.desk.file(reds, "红字.csv"), "--as", "maker1")
    till.desk.settled()
    paid = [("2026-08-24", "400.00", ONE, ""), ("2026-08-24", "200.00", TWO, "")]
    imported(till.desk, *paid, ("2026-08-25", "-400.00", ONE, "退款"), ("2026-10-08", "-1.00", "某银行", "利息"))

    def back(of: str) -> Any:
        asked = ("recovery", "return", real(of), "--amount", "200.00", "--on", PAYDAY, "--ref", "S2", "--as", "maker1")
        return till.desk.data(*asked)["act"]

    one, other = back("a"), back("b")
    assert "同一笔来款另登记了200.00元" in till.desk.cvl("proposals", other).out
    till.desk.data("reject", one, "--why", "再核对", "--as", "checker1")
    assert back("b") == other
    till.desk.data("approve", other, "--as", "checker1")
    assert len(left(till.desk)) == 2, "known once the whole of it is entered"
    till.desk.data("approve", back("a"), "--as", "checker1")
    assert left(till.desk) == [("in", "1.00", "7天以内")]
    assert till.desk.data("reconcile")["ok"]
    red = line("rd", red_of="d", net="-1000.00", tax="-60.00", gross="-1060.00", quantity="-1", buyer="D")
    till.desk.data("import", till.desk.file([red], "红字2.csv"), "--as", "maker1")
    till.desk.settled()
    till.desk.data("approve", back("d"), "--as", "checker1")
    (wrong,) = till.desk.data("reconcile", status=5)["differences"]
    assert (wrong["subject"], "只有400.00元" in wrong["detail"]) == ("S2", True)


def test_a_statement_stands_or_falls_whole(till: Till) -> None:
    wrong = imported(till.desk, ("2026-08-25", "4.001", ONE, ""), ("2026-08-25", "4.00", ONE, ""), status=1)
    assert wrong["problems"][0]["row"] == 3
    both = [["2026-08-25", "4.00", "4.00", ONE, "", "S1", ""]]
    file = till.desk.bytes(csv_bytes([HEADER, *both]), "两边.csv")
    assert till.desk.data("bank", "import", file, "--as", "maker1", status=1)["problems"][0]["row"] == 2
    icbc = [
        "[HISTORYDETAIL]",
        "凭证号",
        "交易时间",
        "对方单位",
        "对方账号",
        "转入金额",
        "转出金额",
        "余额",
        "摘要",
        "附言",
    ]
    book = xlsx_bytes([icbc, ["", "9", "2026-08-25 10:00:01", ONE, "6222", "-", "1.00", "3", "", "x"]])
    taken = till.desk.data("bank", "import", till.desk.bytes(book, "明细.xlsx"), "--as", "maker1")
    assert taken["rows"] == 1


def test_a_row_that_moves_no_money_does_not_hold_a_statement_up(till: Till) -> None:
    rows = [
        ["2026-08-24", "", "", "", "", "", "承前页"], ["2026-08-25", "0.00", "0.00", "某银行", "", "S2", "利息税"],
        ["2026-08-25", "4.00", "0.00", ONE, "", "S1", ""],
    ]  # fmt: skip
    file = till.desk.bytes(csv_bytes([HEADER, *rows]), "对账单.csv")
    told = till.desk.data("bank", "import", file, "--as", "maker1")
    assert (told["rows"], told["known"]) == (1, 0)
    assert [(each["severity"], each["row"]) for each in told["problems"]] == [("warning", 2), ("warning", 3)]
    assert left(till.desk).count(("out", "4.00", "7天以内")) == 1


def test_a_bank_may_write_a_sheet_a_month(till: Till) -> None:
    made = till.sent()
    one, two = (each["reference"] for each in made["payments"])
    header = ["用途", "金额", "处理结果", "交易日期", "交易流水号", "失败原因"]
    good = [f"兑付 {one}", "400.00", "成功", "2026-08-24", "L1", ""]
    bad = [f"兑付 {two}", "200.00", "成功", "昨天", "L2", ""]
    file = till.desk.bytes(xlsx_bytes([header, good], [header, bad]), "回单.xlsx")
    told = till.desk.data("pay", "result", file, "--as", "maker1", status=3)
    assert told["paid"] == 1
    assert [(each["sheet"], each["row"]) for each in told["problems"]] == [("Sheet2", 2)]
    august = ["2026-08-25", "400.00", "", "别名公司", "", "S1", f"拨付{one}"]
    september = ["2026-09-01", "5.00", "", "某银行", "", "S2", "手续费"]
    file = till.desk.bytes(xlsx_bytes([HEADER, august], [HEADER, september]), "对账单.xlsx")
    assert till.desk.data("bank", "import", file, "--as", "maker1")["rows"] == 2
    assert ways(till.desk) == {"reference": 1}
    assert ("out", "5.00", "7天以内") in left(till.desk)
