"""From the registers to an approved run and its report, through the command line alone."""

import json
import re
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from tests.postgres.desk import companies, real
from tests.walk.conftest import Desk, line

LINE_KEYS = {
    "invoice_number", "company", "provider", "cap_year", "kind", "basis", "computed", "overlap_cut", "granted",
    "withheld", "budget_cut", "reasons",
}  # fmt: skip
RUN_KEYS = {
    "run", "state", "through", "programme", "policies", "maker", "checker", "digest", "totals", "lines", "backfill",
    "held",
}  # fmt: skip
YUAN = re.compile(r"-?\d+\.\d\d\Z")


def test_the_walk_from_registers_to_report(office: Desk) -> None:
    taken = office.data("import", office.file([line("a", "1000.00"), line("b", "6000000.00")]), "--as", "maker1")
    assert (taken["rows"], taken["accepted"]) == (2, 2)
    drafted = office.data("settle", "draft", "--through", "2026-07", "--as", "maker1")
    assert drafted["totals"] == {"granted": "1000000.00", "withheld": "200200.00", "recovered": "0.00"}
    submitted = office.data("settle", "submit", drafted["run"], "--as", "maker1")
    assert submitted["state"] == "proposed"
    assert submitted["digest"] == drafted["digest"]
    approved = office.data("settle", "approve", drafted["run"], "--digest", drafted["digest"], "--as", "checker1")
    assert (approved["state"], approved["checker"]) == ("approved", "checker1")
    assert office.data("settle", "verify", drafted["run"])["ok"]
    assert office.data("balance", "money:appropriation:2026")["accounts"] == [
        {"account": "money:appropriation:2026", "balance": "9000000.00"}
    ]
    assert office.data("reconcile", "--period", "2026-07")["differences"] == []
    assert office.data("settle", "draft", "--through", "2026-07", "--as", "maker1")["run"] is None


def test_a_run_is_told_as_the_design_says(office: Desk) -> None:
    office.data("import", office.file([line("a", "6000000.00", since="2025-12-20")]), "--as", "maker1")
    drafted = office.data("settle", "draft", "--through", "2026-07", "--as", "maker1")
    shown = office.data("settle", "show", drafted["run"])
    assert shown == drafted
    assert set(drafted) == RUN_KEYS
    assert (drafted["through"], drafted["state"], drafted["maker"], drafted["checker"]) == (
        "2026-07", "draft", "maker1", None,
    )  # fmt: skip
    assert isinstance(drafted["run"], str)
    for told in drafted["lines"]:
        assert set(told) == LINE_KEYS
        money = LINE_KEYS - {"invoice_number", "company", "provider", "cap_year", "kind", "reasons"}
        assert all(YUAN.match(told[name]) for name in money)
        assert all(set(each) == {"code", "clause", "amount", "sentence"} for each in told["reasons"])
    late = [each for told in drafted["lines"] for each in told["reasons"] if each["code"] == "over_cap"]
    assert late
    assert "100万元" in late[0]["clause"]


def test_a_draft_without_lines_has_no_run(desk: Desk) -> None:
    nothing = desk.data("settle", "draft", "--through", "2026-07", "--as", "maker1")
    assert set(nothing) == RUN_KEYS
    assert (nothing["run"], nothing["lines"], nothing["held"], nothing["backfill"]) == (None, [], [], [])


def test_the_report_is_a_workbook_that_agrees(office: Desk) -> None:
    office.data("import", office.file([line("a"), line("b", buyer="D")]), "--as", "maker1")
    office.settled()
    out = office.folder / "对账.xlsx"
    made = office.data("report", "reconciliation", "--period", "2026-08", "--out", out)
    assert (made["out"], made["differences"]) == (str(out), [])
    names = CalamineWorkbook.from_path(str(out)).sheet_names
    assert "差异" in names
    again = office.data("report", "reconciliation", "--period", "2026-08", "--out", office.folder / "再.xlsx")
    assert again["sha256"] == made["sha256"]
    for form in ("csv", "json"):
        office.data("report", "reconciliation", "--period", "2026-08", "--format", form, "--out", office.folder / form)
    assert office.bytes_of("csv").startswith(b"\xef\xbb\xbf")
    assert json.loads(office.bytes_of("json"))
    assert [each["name"] for each in office.data("report", "--list")["reports"]].count("reconciliation") == 1


def test_an_invoice_is_shown_listed_and_explained(office: Desk) -> None:
    rows = [line("a", "1000.00"), line("b", buyer="X")]
    office.data("import", office.file(rows), "--as", "maker1", status=3)
    office.settled()
    listed = {each["number"]: each["status"] for each in office.data("invoice", "list")["invoices"]}
    assert listed == {real("a"): "accepted", real("b"): "rejected"}
    shown = office.data("invoice", "show", real("a"))
    assert (shown["net"], shown["accepted_no"]) == ("1000.00", "1")
    assert shown["settlement"][0]["granted"] == "200.00"
    assert office.data("invoice", "show", real("b"))["status"] == "rejected"
    assert office.data("explain", real("a"))["parts"]
    assert "计算底稿" in office.cvl("explain", real("a")).out


def test_vouchers_are_issued_by_hand_and_all_at_once(office: Desk) -> None:
    company = line("a")["用方统一社会信用代码"]
    by_hand = ("voucher", "issue", "--year", "2026", "--company", company, "--as", "maker1", "--face")
    assert office.data(*by_hand, "1000000.01", status=1)["error"]["code"] == "above_cap"
    assert office.data(*by_hand, "0", status=2)["error"]["code"] == "bad_face"
    asked = office.data(*by_hand, "50.00")
    assert asked["state"] == "proposed"
    assert office.data(*by_hand, "50.00")["act"] == asked["act"]
    assert office.data(*by_hand, "60.00", status=1)["error"]["code"] == "proposal_pending"
    office.data("approve", asked["act"], "--as", "checker1")
    assert office.data(*by_hand, "50.00")["state"] == "approved"
    assert office.data(*by_hand, "60.00", status=1)["error"]["code"] == "voucher_exists"
    rest = office.data("voucher", "issue", "--year", "2026", "--as", "maker1")
    assert office.data("approve", rest["act"], "--as", "checker1")["issued"] == 1
    assert office.data("voucher", "issue", "--year", "2026", "--as", "maker1")["act"] is None
    found = {each["company"]: each for each in office.data("voucher", "list", "--year", "2026")["vouchers"]}
    assert (found[company]["face"], found[company]["by_hand"]) == ("50.00", True)
    office.data("import", office.file([line("a", "1000.00")]), "--as", "maker1")
    office.settled()
    used = office.data("voucher", "show", found[company]["voucher"])
    assert (used["granted"], used["left"], len(used["uses"])) == ("50.00", "0.00", 1)
    assert office.data("reconcile")["ok"]


def test_an_appropriation_that_was_sent_back_can_be_corrected(desk: Desk) -> None:
    asked = ("budget", "appropriate", "--year", "2026", "--ref", "指标1号", "--as", "maker1", "--amount")
    first = desk.data(*asked, "10.00")
    assert desk.data(*asked, "10.00")["act"] == first["act"]
    assert desk.data(*asked, "20.00", status=1)["error"]["code"] == "reference_conflict"
    desk.data("reject", first["act"], "--why", "金额有误", "--as", "checker1")
    second = desk.data(*asked, "20.00")
    assert second["state"] == "proposed"
    assert desk.data("approve", second["act"], "--as", "checker1")["available"] == "20.00"
    assert desk.data(*asked, "20.00")["state"] == "approved"
    assert desk.data(*asked, "30.00", status=1)["error"]["code"] == "reference_conflict"


def test_a_voucher_needs_a_qualified_company_and_a_covered_year(office: Desk) -> None:
    asked = ("voucher", "issue", "--company", "91500000MA5UXX097X", "--face", "10", "--as", "maker1", "--year")
    assert office.data(*asked, "2026", status=1)["error"]["code"] == "not_qualified"
    assert office.data(*asked, "2031", status=1)["error"]["code"] == "year_not_covered"


def test_a_voucher_that_was_sent_back_can_be_proposed_again(office: Desk) -> None:
    first = office.data("voucher", "issue", "--year", "2026", "--as", "maker1")["act"]
    office.data("reject", first, "--why", "先不发", "--as", "checker1")
    second = office.data("voucher", "issue", "--year", "2026", "--as", "maker1")["act"]
    assert second != first
    office.data("withdraw", second, "--as", "maker1")
    assert office.data("proposals")["proposals"] == []


def test_balances_are_told_as_of_a_moment(office: Desk) -> None:
    assert office.data("balance", "--as-of", "2020-01-01")["accounts"] == []
    assert len(office.data("balance", "money:")["accounts"]) == 2


def test_registers_say_what_they_took(office: Desk, tmp_path: Path) -> None:
    same = office.sheet(companies("C", "D"), "企业.csv")
    again = office.data("registry", "import", same, "--as", "maker1")
    assert (again["kind"], again["state"], again["rows"]) == ("companies", "unchanged", 2)
    wrong = tmp_path / "x.csv"
    wrong.write_text("甲,乙\n1,2\n", encoding="utf-8")
    refused: Any = office.data("registry", "import", wrong, "--as", "maker1", status=1)
    assert (refused["state"], refused["error"]["code"]) == ("refused", "missing_columns")


def test_a_changed_bank_account_waits_for_a_second_person(desk: Desk) -> None:
    head = [
        "统一社会信用代码",
        "企业名称",
        "类别",
        "资格起",
        "资格止",
        "认定依据",
        "开户名",
        "开户银行",
        "银行账号",
        "联行号",
    ]
    row = ["91500000MA5UCC01XB", "重庆丙智能科技有限公司", "智能体", "2025-01-01", "", "认定", "", "重庆银行"]
    desk.data("registry", "import", desk.sheet([head, [*row, "62220001", ""]], "一.csv"), "--as", "maker1")
    changed = desk.sheet([head, [*row, "62220002", ""]], "二.csv")
    waits = desk.data("registry", "import", changed, "--as", "maker1", status=3)
    listed = desk.data("proposals")["proposals"]
    assert [(each["act"], each["kind"]) for each in listed] == [(waits["proposal"], "bank_account")]
    assert "62220002" not in str(listed)
    desk.data("approve", waits["proposal"], "--digest", listed[0]["digest"][:8], "--as", "checker1")


def test_a_shell_that_loaded_nothing_else_approves_and_rejects(desk: Desk) -> None:
    """In this process every module is loaded, in a user's it is not."""
    asked = ("budget", "appropriate", "--year", "2026", "--amount", "5000000.00", "--as", "maker1", "--ref")
    kept, sent_back = (desk.data(*asked, ref)["act"] for ref in ("指标1号", "指标2号"))
    deciding = [
        desk.start("approve", kept, "--as", "checker1"),
        desk.start("reject", sent_back, "--why", "重复", "--as", "checker1"),
    ]
    assert [(process.communicate(timeout=60)[1], process.returncode) for process in deciding] == [("", 0), ("", 0)]
    assert desk.data("balance", "money:appropriation:2026")["accounts"][0]["balance"] == "5000000.00"
