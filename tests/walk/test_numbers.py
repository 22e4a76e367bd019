"""The same quantity in two places is the same number, and the months of a report add up to its year."""

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection

from portal.pages.home import invoices_asked
from tests.postgres.desk import csv_bytes, line, real
from tests.postgres.small_ledger import STATEMENT
from tests.walk.desk import Desk
from tests.walk.till import Till
from voucher.database import query, run
from voucher.money import parse_yuan


def table(desk: Desk, name: str, period: str = "2026") -> Any:
    """Make a report and read it."""
    out = desk.folder / f"{name}-{period}.json"
    desk.data("report", name, "--period", period, "--format", "json", "--out", out)
    return json.loads(out.read_text("utf-8"))


def take(desk: Desk, *rows: dict[str, str], name: str) -> None:
    desk.data("import", desk.file(list(rows), name), "--as", "maker1")


def approved(desk: Desk, *words: object) -> None:
    desk.data("approve", desk.data(*words, "--as", "maker1")["act"], "--as", "checker1")


def paid(till: Till) -> None:
    """Have everything paid: 400.00 to C for a and b, 200.00 to D."""
    sent = till.sent()["payments"]
    till.result(*((each["reference"], each["amount"], "成功", f"L{n}") for n, each in enumerate(sent)))


def test_what_was_returned_and_paid_again_was_granted_once(till: Till) -> None:
    sent = till.sent()["payments"]
    till.result((sent[0]["reference"], "400.00", "退回", "L1"), (sent[1]["reference"], "200.00", "成功", "L2"))
    again = till.sent()["payments"]
    till.result((again[0]["reference"], "400.00", "成功", "L3"))
    seller = line("a")["供方统一社会信用代码"]
    (month,) = run(till.desk.engine, lambda db: query(db, "queries/portal/months.sql", provider=seller, rows=9))
    assert (month["granted_fen"], month["paid_fen"]) == (60_000, 60_000)


def test_what_came_back_stands_in_the_month_of_one_recovery(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(till)
    take(till.desk, line("r", "-500.00", red_of="a"), name="红字.csv")
    till.desk.settled()
    till.desk.data("recovery", "tell", real("a"), "--on", "2026-08-24", "--ref", "函1", "--as", "maker1")
    monkeypatch.setenv("CVL_TODAY", "2026-09-10")
    take(till.desk, line("s", "-300.00", red_of="a"), name="红字2.csv")
    till.desk.settled()
    approved(till.desk, "recovery", "return", real("a"), "--amount", "120.00", "--on", "2026-09-10", "--ref", "回单1")
    columns = ("amount", "owed", "came_back", "told")
    rows = {
        period: [[row[each] for each in columns] for row in table(till.desk, "recoveries", period)["rows"]]
        for period in ("2026-08", "2026-09", "2026")
    }
    assert rows["2026-08"] == [["100.00", "100.00", "100.00", "2026-08-24"]]
    assert rows["2026-09"] == [["60.00", "60.00", "20.00", None]]
    assert rows["2026"] == rows["2026-08"] + rows["2026-09"]


def statement(till: Till, *rows: tuple[str, str, str], name: str = "对账单.csv") -> str:
    """Import a bank statement: day, paid out, paid in."""
    body = [[day, out, back, "某银行", "1", f"F{place}{name}", ""] for place, (day, out, back) in enumerate(rows)]
    file = till.desk.bytes(csv_bytes([STATEMENT.split(","), *body]), name)
    return str(till.desk.data("bank", "import", file, "--as", "maker1")["statement"])


def test_a_line_for_several_payments_is_added_up_once(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    till.desk.data("object", till.run, real("b"), "--why", "存疑", "--as", "maker1")
    made = till.batch(status=3)
    till.desk.data("approve", made["act"], "--as", "checker1")
    till.desk.data("object", till.run, real("b"), "--lift", "--why", "核实", "--as", "maker1")
    monkeypatch.setenv("CVL_TODAY", "2026-09-01")
    sent = [*made["payments"], *till.sent()["payments"]]
    references = [each["reference"] for each in sent]
    told = till.file(*((each["reference"], each["amount"], "退回", f"L{n}") for n, each in enumerate(sent)))
    told.write_bytes(told.read_bytes().replace(b"2026-08-24", b"2026-09-01"))
    till.desk.data("pay", "result", told, "--as", "maker1")
    number = statement(till, ("2026-09-01", "600.00", ""), ("2026-09-01", "", "600.00"))
    for row in (2, 3):
        approved(till.desk, "bank", "match", f"{number}:{row}", *references, "--why", "合并入账")
    months = [table(till.desk, "bank", period)["totals"] for period in ("2026-08", "2026-09", "2026")]
    assert [each["paid"] for each in months] == ["400.00", "200.00", "600.00"]
    assert [each["booked"] for each in months] == ["600.00", "0.00", "600.00"]
    assert [each["back"] for each in months] == ["600.00", "0.00", "600.00"]


def test_what_was_paid_is_paid_though_nothing_of_it_is_granted_any_more(till: Till) -> None:
    paid(till)
    take(till.desk, line("r", "-1000.00", red_of="a"), name="红字.csv")
    till.desk.settled()
    steps = {row["step"]: row for row in table(till.desk, "funnel")["rows"]}
    assert steps["核定（张）"]["granted"] == "400.00"
    assert steps["已付（张）"]["granted"] == table(till.desk, "invoices")["totals"]["paid"] == "600.00"


def test_an_appropriation_made_before_its_year_counts_in_it(office: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_TODAY", "2026-12-21")
    approved(office, "budget", "appropriate", "--year", "2027", "--amount", "5000000.00", "--ref", "指标2号")
    monkeypatch.setenv("CVL_TODAY", "2027-02-01")
    take(office, line("a", issued="2027-01-15"), name="一月.csv")
    office.settled("2027-01")
    report = table(office, "budget", "2027")
    year = next(each for each in office.data("budget", "list")["years"] if each["year"] == 2027)
    assert report["totals"]["appropriated"] == year["appropriated"] == "5000000.00"
    assert [row["left"] for row in report["rows"][:3]] == ["5000000.00", year["left"], None]


def test_money_that_is_owed_again_was_not_granted_again(till: Till) -> None:
    """The payment of 200.00 for a is under way when 100.00 of it is recovered and paid back; then it comes back.

    The 100.00 have come in from the company and from the bank: one is the budget's, the other the company's own.
    """
    desk = till.desk
    desk.data("object", till.run, real("b"), "--why", "存疑", "--as", "maker1")
    made = till.batch(status=3)
    desk.data("approve", made["act"], "--as", "checker1")
    take(desk, line("r", "-500.00", red_of="a"), name="红字.csv")
    desk.settled()
    approved(desk, "recovery", "return", real("a"), "--amount", "100.00", "--on", "2026-08-24", "--ref", "回单1")
    till.result(*((each["reference"], each["amount"], "退回", "L1") for each in made["payments"][:1]))
    budget, year = table(desk, "budget"), desk.data("budget", "list")["years"][0]
    granted = table(desk, "year_end")["totals"]["granted"]
    assert (budget["totals"]["granted"], year["granted"]) == (granted, granted) == ("600.00", "600.00")
    assert (budget["totals"]["recovered"], year["back"]) == ("100.00", "100.00")
    assert year["left"] == [row["left"] for row in budget["rows"] if row["left"]][-1] == "9999500.00"


def test_a_held_invoice_that_was_accepted_later_is_not_among_the_unsupported(office: Desk) -> None:
    red = line("r", "-500.00", red_of="a")
    office.data("import", office.file([red], "红字.csv"), "--as", "maker1", status=3)
    assert [row["stage"] for row in table(office, "cuts")["rows"]] == ["待核"]
    take(office, line("a"), name="蓝字.csv")
    assert office.data("invoice", "show", real("r"))["status"] == "accepted"
    assert table(office, "cuts")["rows"] == []


def test_what_is_withheld_is_not_less_because_another_claim_was_topped_up(till: Till) -> None:
    desk = till.desk
    e = line("e", "4000000.00")
    x = line("x", "500000.00", paid="265000.00")
    take(desk, e, x, line("y", "1000000.00"), name="大额.csv")
    desk.settled()
    caps = {row["company_name"]: row for row in table(desk, "company_caps")["rows"]}
    name = e["用方名称"]
    assert caps[name]["withheld"] == "50400.00"
    take(desk, line("r", "-250000.00", red_of="e"), name="红字.csv")
    desk.settled()
    rows = [["发票号码", "付款日期", "流水号", "金额"], [real("x"), "2026-08-20", "F1", "265000.00"]]
    desk.data("registry", "import", desk.sheet(rows, "付款.csv"), "--as", "maker1")
    number = desk.data("settle", "draft", "--through", "2026-07", "--backfill", "--as", "maker1")["run"]
    desk.data("settle", "submit", number, "--as", "maker1")
    desk.data("settle", "approve", number, "--as", "checker1")
    (topped,) = desk.data("settle", "show", number)["lines"]
    assert (topped["invoice_number"], topped["granted"], topped["withheld"]) == (real("x"), "50000.00", "0.00")
    caps = {row["company_name"]: row for row in table(desk, "company_caps")["rows"]}
    assert caps[name]["withheld"] == "50400.00"


def test_a_basis_is_added_up_once(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    take(till.desk, line("r", "-300.00", red_of="a"), name="红字.csv")
    number = till.desk.settled()
    monkeypatch.setenv("CVL_TODAY", "2026-08-31")
    till.desk.data("disclose", number, "--as", "maker1")
    lines, month = table(till.desk, "settlement_lines"), table(till.desk, "reconciliation")
    for name in ("basis", "computed", "withheld", "granted"):
        if name in lines["totals"] and lines["totals"][name] is not None:
            more = parse_yuan(month["totals"]["adjusted"]) if name == "granted" else 0
            assert parse_yuan(lines["totals"][name]) == parse_yuan(month["totals"][name]) + more, name
    assert table(till.desk, "disclosure")["totals"]["basis"] == month["totals"]["basis"]


def test_a_red_letter_stands_in_the_month_that_lists_it_and_waits_for_no_settlement(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CVL_TODAY", "2026-09-10")
    take(till.desk, line("r", "-500.00", red_of="a", since="", until=""), name="红字.csv")
    seller = line("a")["供方统一社会信用代码"]

    def work(db: Connection) -> tuple[list[Any], list[str]]:
        months = query(db, "queries/portal/months.sql", provider=seller, rows=9)
        asked = invoices_asked(uploader=seller, month=date(2026, 9, 1))
        told = [(row["month"].isoformat(), row["invoices"], row["net_fen"], row["unsettled"]) for row in months]
        return told, [row["number"] for row in query(db, "queries/console/invoices.sql", **asked)]

    months, listed = run(till.desk.engine, work)
    assert listed == [real("r")]
    assert months == [("2026-09-01", 1, -50_000, 0), ("2026-07-01", 3, 300_000, 0)]


def test_a_run_with_nothing_to_pay_is_not_on_the_work_list(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(till)
    take(till.desk, line("r", "-500.00", red_of="a"), name="红字.csv")
    till.desk.data("disclose", till.desk.settled(), "--as", "maker1")
    today = "2026-09-10"
    monkeypatch.setenv("CVL_TODAY", today)
    (work,) = run(till.desk.engine, lambda db: query(db, "queries/portal/work.sql", today=today), "cvl_auditor")
    assert work["unpaid"] == 0
