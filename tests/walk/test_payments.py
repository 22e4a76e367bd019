"""Payments through the command line: proposed, approved, exported, paid or returned, paid again."""

import csv
import io
import json

import pytest
from lxml import etree

from reconciliation import payout
from tests.postgres.desk import real
from tests.walk.desk import Desk
from tests.walk.till import ACCOUNT, PAYDAY, Till, accounts, line
from voucher.capitals import capitals
from voucher.database import one, run

PAYER = '[payer]\nname = "合成主管部门"\naccount = "0000000000000000009"\nclearing_no = "000000000009"\n'


def test_a_run_is_paid_once_whatever_the_bank_sends_twice(till: Till) -> None:
    made = till.batch()
    assert till.batch()["batch"] == made["batch"]
    assert [(p["amount"], p["account"], p["lines"]) for p in made["payments"]] == [
        ("400.00", "2222", 2), ("200.00", "0017", 1),
    ]  # fmt: skip
    assert made["payments"][0]["capitals"] == "肆佰元整"
    assert (made["state"], made["left_out"]) == ("proposed", [])
    refused = till.desk.data("pay", "export", made["batch"], "--format", "bank-csv", "--as", "maker1", status=1)
    assert refused["error"]["code"] == "not_approved"
    assert till.desk.data("approve", made["act"], "--as", "maker2", status=1)["error"]["code"] == "not_allowed"
    till.desk.data("approve", made["act"], "--as", "checker1")
    assert till.balances() == {"treasury": "-10000000.00", "appropriation": "9999400.00", "in_transit": "600.00"}
    assert till.batch()["batch"] is None
    refs = [payment["reference"] for payment in made["payments"]]
    told = [(refs[0], "400.00", "成功", "L1"), (refs[1], "200.00", "成功", "L2")]
    first = till.result(*told)
    assert (first["paid"], first["returned"], first["problems"]) == (2, 0, [])
    assert till.balances()["paid"] == "600.00"
    seals = till.desk.seals()
    again = till.result(*told)
    assert (again["act"], again["paid"], again["known"]) == (None, 0, 2)
    assert till.result(*reversed(told), name="换序.csv")["known"] == 2
    assert till.desk.seals() == seals
    listed = till.desk.data("pay", "list")["batches"]
    assert [(each["state"], each["paid"], each["in_transit"]) for each in listed] == [("approved", "600.00", "0.00")]
    assert till.desk.data("reconcile")["ok"]


def to_pay_anew(till: Till) -> int:
    """Read from the work list how many returned payments no batch has paid anew."""
    work = run(till.desk.engine, lambda db: one(db, "queries/portal/work.sql", today=PAYDAY), "cvl_auditor")
    assert work is not None
    return int(work["returned"])


def test_a_returned_payment_is_paid_again_to_the_corrected_account(till: Till) -> None:
    made = till.sent()
    first = made["payments"][0]["reference"]
    told = till.result((first, "400.00", "退回", "L1"))
    assert told["returned"] == 1
    assert till.balances()["payable"] == "400.00"
    assert to_pay_anew(till) == 1
    new = till.desk.sheet(accounts("C", C="6222000099998888"), "新账户.csv")
    change = till.desk.data("registry", "import", new, "--as", "maker1", status=3)
    waiting = till.batch(status=3)
    assert (waiting["batch"], {each["code"] for each in waiting["left_out"]}) == (None, {"account_pending"})
    assert "8888" in till.desk.cvl("proposals", change["proposal"]).out
    till.desk.data("approve", change["proposal"], "--as", "checker1")
    again = till.sent()
    assert to_pay_anew(till) == 0
    assert [(p["amount"], p["account"]) for p in again["payments"]] == [("400.00", "8888")]
    second = again["payments"][0]["reference"]
    assert second != first
    till.result((second, "400.00", "成功", "L9"))
    shown = [till.desk.data("pay", "show", batch["batch"])["payments"][0] for batch in (made, again)]
    assert [(p["state"], p["bank_reference"], p["reason"]) for p in shown] == [
        ("returned", "L1", "账号户名不符"), ("paid", "L9", None),
    ]  # fmt: skip
    assert till.balances() == {
        "treasury": "-10000000.00", "appropriation": "9999400.00", "in_transit": "200.00", "paid": "400.00",
    }  # fmt: skip
    assert till.result((first, "400.00", "成功", "L7"), status=3)["problems"][0]["code"] == "returned_before"
    assert till.result((second, "400.00", "退票", "L10"))["returned"] == 1
    assert till.balances()["payable"] == "400.00"
    assert till.result((second, "400.00", "成功", "L9"), name="旧.csv")["known"] == 1
    assert till.desk.data("reconcile")["ok"]
    bundle = till.desk.folder / "audit.zip"
    till.desk.data("audit", "export", "--out", bundle, "--as", "auditor1")
    assert till.desk.data("audit", "verify", bundle)["ok"]


def test_what_cannot_be_paid_is_left_out_with_its_reason(till: Till) -> None:
    till.desk.data("object", till.run, real("a"), "--why", "存疑", "--as", "maker1")
    made = till.batch(status=3)
    assert [(each["invoice_number"], each["code"]) for each in made["left_out"]] == [(real("a"), "objection_open")]
    assert made["amount"] == "400.00"
    till.desk.data("object", till.run, real("a"), "--lift", "--why", "核实", "--as", "maker1")
    assert [(each["amount"], each["code"]) for each in till.batch(status=3)["left_out"]] == [("200.00", "next_batch")]
    till.desk.data("approve", made["act"], "--as", "checker1")
    subsidy = [["发票号码", "政策名称", "已获补贴金额", "放弃"], [real("a"), "区级", "500.00", "否"]]
    till.desk.data("registry", "import", till.desk.sheet(subsidy, "补贴.csv"), "--as", "maker1")
    assert [each["code"] for each in till.batch(status=3)["left_out"]] == ["recovery_due"]
    subsidy[1][2] = "100.00"
    till.desk.data("registry", "import", till.desk.sheet(subsidy, "补贴2.csv"), "--as", "maker1")
    assert [each["code"] for each in till.batch(status=3)["left_out"]] == ["overlap_open"]
    subsidy[1][3] = "是"
    till.desk.data("registry", "import", till.desk.sheet(subsidy, "补贴3.csv"), "--as", "maker1")
    assert till.batch()["amount"] == "200.00"


def test_a_company_without_an_account_is_left_out(office: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    office.data("import", office.file([line("a")]), "--as", "maker1")
    run = office.settled()
    office.data("disclose", run, "--as", "maker1")
    monkeypatch.setenv("CVL_TODAY", "2026-08-24")
    made = office.data("pay", "batch", run, "--as", "maker1", status=3)
    assert (made["batch"], [each["code"] for each in made["left_out"]]) == (None, ["account_missing"])


@pytest.mark.parametrize("change", ["objection", "account", "subsidy"])
def test_a_batch_whose_ground_has_changed_is_stale(till: Till, change: str) -> None:
    made = till.batch()
    if change == "objection":
        till.desk.data("object", till.run, real("b"), "--why", "存疑", "--as", "maker1")
    elif change == "account":
        new = till.desk.sheet(accounts("D", D="6222000099998888"), "新账户.csv")
        till.desk.data("registry", "import", new, "--as", "maker1", status=3)
    else:
        subsidy = [["发票号码", "政策名称", "已获补贴金额", "放弃"], [real("b"), "区级", "500.00", "否"]]
        till.desk.data("registry", "import", till.desk.sheet(subsidy, "补贴.csv"), "--as", "maker1")
    assert till.desk.data("approve", made["act"], "--as", "checker1", status=1)["error"]["code"] == "stale"
    till.desk.data("reject", made["act"], "--why", "情况有变", "--as", "checker1")
    again = till.batch(status=3)
    assert again["batch"] != made["batch"]
    till.desk.data("approve", again["act"], "--as", "checker1")
    assert till.desk.data("reconcile")["ok"]


def test_a_result_that_cannot_be_is_named_and_the_rest_is_taken(till: Till) -> None:
    made = till.sent()
    one, two = (payment["reference"] for payment in made["payments"])
    told = till.result(
        (one, "400.01", "成功", "L1"), ("CQV-999-1", "1.00", "成功", "L2"), (two, "200.00", "成功", "L3"),
        ("无编号", "1.00", "成功", "L4"), (one, "", "成功", "L5"), (two, "200.00", "处理中", "L6"), status=3,
    )  # fmt: skip
    assert told["paid"] == 1
    assert {each["code"] for each in told["problems"]} == {
        "amount_differs", "unknown_payment", "no_reference", "no_amount", "bad_state",
    }  # fmt: skip
    twice = till.result((one, "400.00", "成功", "L1"), (one, "400.00", "退回", "L2"), status=3)
    assert {each["code"] for each in twice["problems"]} == {"payment_twice"}
    assert till.balances()["in_transit"] == "400.00"
    other = till.desk.bytes("甲,乙\n1,2\n".encode(), "别的.csv")
    assert till.desk.data("pay", "result", other, "--as", "maker1", status=1)["error"]["code"] == "missing_columns"


def test_the_bank_csv_keeps_accounts_as_text(till: Till) -> None:
    made = till.sent()
    out = till.desk.folder / "out.csv"
    asked = ("pay", "export", made["batch"], "--format", "bank-csv", "--out", out, "--as", "maker1")
    first = till.desk.data(*asked)
    assert till.desk.data(*asked) == first
    assert till.desk.data(*asked[:-1], "auditor1", status=1)["error"]["code"] == "not_allowed"
    rows = list(csv.DictReader(io.StringIO(out.read_bytes().decode("gb18030"), newline="")))
    assert [row["收款方账号"] for row in rows] == ["\t" + ACCOUNT["C"], "\t" + ACCOUNT["D"]]
    assert [row["金额"] for row in rows] == ["400.00", "200.00"]
    assert out.stat().st_mode & 0o777 == 0o600
    shown = till.desk.cvl("pay", "show", made["batch"]).out + json.dumps(till.desk.data("pay", "show", made["batch"]))
    assert ACCOUNT["C"] not in shown
    assert capitals(40_000) in shown


def test_pain_001_is_written_for_the_payer_of_the_profile(till: Till) -> None:
    made = till.sent()
    out = till.desk.folder / "pain.xml"
    asked = ("pay", "export", made["batch"], "--format", "pain001", "--out", out, "--as", "maker1")
    assert till.desk.data(*asked, status=2)["error"]["code"] == "payer_missing"
    till.desk.data(*asked, "--profile", till.desk.bytes(PAYER.encode(), "bank.toml"))
    payout.check_pain001(out.read_bytes())
    amounts = [each.text for each in etree.fromstring(out.read_bytes()).iter("{*}InstdAmt")]
    assert amounts == ["400.00", "200.00"]


def test_a_treasury_voucher_is_written_by_its_template(till: Till) -> None:
    made = till.sent()
    out = till.desk.folder / "5201.xml"
    asked = ("pay", "export", made["batch"], "--format", "treasury", "--out", out, "--as", "maker1")
    till.desk.data(*asked, "--profile", "treasury-5201")
    root = etree.fromstring(out.read_bytes())
    assert root.findtext(".//Voucher/PayAmt") == "600.00"
    assert [each.text for each in root.iterfind(".//PayeeAcctNo")] == list(ACCOUNT.values())
    assert till.desk.data(*asked, status=2)["error"]["code"] == "bad_profile"
    wrong = till.desk.bytes('[treasury]\nhead = "{不认识}"\nrow = ""\nfoot = ""\n'.encode(), "错.toml")
    assert till.desk.data(*asked, "--profile", wrong, status=2)["error"]["code"] == "bad_profile"
