"""The same command again, while it waits and after its approval: the first answer, and nothing is done twice.

Once something else has happened to the thing, the same words ask for something new.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.postgres.desk import csv_bytes, line, real
from tests.walk.till import ONE, TWO, Till, accounts


@dataclass
class Asker:
    """One who asks for everything twice, has it approved and asks again."""

    till: Till

    def approved(self, *words: object) -> str:
        """Propose, again, approve, again: one proposal; return its act id."""
        desk = self.till.desk
        first = desk.data(*words, "--as", "maker1")
        assert first["state"] == "proposed", words
        assert desk.data(*words, "--as", "maker1") == first, words
        desk.data("approve", first["act"], "--as", "checker1")
        assert desk.data(*words, "--as", "maker1") == first | {"state": "approved"}, words
        return str(first["act"])

    def code(self, *words: object) -> Any:
        """Ask for what is refused; return the code."""
        return self.till.desk.data(*words, "--as", "maker1", status=1)["error"]["code"]


@pytest.fixture
def asker(till: Till) -> Asker:
    return Asker(till)


def test_what_was_approved_is_answered_and_not_done_again(asker: Asker) -> None:
    money = ("budget", "appropriate", "--year", "2026", "--amount", "100", "--ref", "指标2号")
    asker.approved(*money)
    assert "早已批准，没有改动" in asker.till.desk.cvl(*money, "--as", "maker1").out
    asked = ("voucher", "apply", "--year", "2027", "--company")
    asker.approved(*asked, ONE, "--ref", "申请1号", "--face", "1000")
    asker.approved(*asked, TWO, "--ref", "申请2号")
    assert asker.code(*asked, ONE, "--ref", "申请3号") == "voucher_exists"
    assert asker.code(*asked, ONE, "--ref", "申请1号", "--face", "999") == "voucher_exists"
    asker.approved("voucher", "issue", "--year", "2025", "--company", ONE, "--face", "500")
    voucher = next(v["voucher"] for v in asker.till.desk.data("voucher", "list", "--year", "2027")["vouchers"])
    frozen = ("voucher", "freeze", voucher, "--why", "核查")
    first = asker.approved(*frozen)
    assert asker.code("voucher", "freeze", voucher, "--why", "别的理由") == "move_not_allowed"
    asker.approved("voucher", "unfreeze", voucher, "--why", "核查完毕")
    second = asker.till.desk.data(*frozen, "--as", "maker1")["act"]
    assert second != first
    asker.till.desk.data("withdraw", second, "--as", "maker1")
    asker.approved("voucher", "return", voucher, "--why", "不再使用")
    asker.approved("company", "freeze", TWO, "--why", "核查")
    refused = ("refuse", real("a"), "--why", "异议成立")
    first = asker.approved(*refused)
    assert asker.code("refuse", real("a"), "--why", "又一个理由") == "already_refused"
    asker.approved("refuse", real("a"), "--lift", "--why", "复核后解除")
    assert asker.till.desk.data(*refused, "--as", "maker1")["act"] != first


def test_money_that_moved_once_does_not_move_again(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = asker.till.desk
    new = desk.sheet(accounts("C", C="6222000099998888"), "新账户.csv")
    change = ("registry", "import", new, "--as", "maker1")
    first = desk.data(*change, status=3)
    assert desk.data(*change, status=3)["proposal"] == first["proposal"]
    desk.data("approve", first["proposal"], "--as", "checker1")
    assert desk.data(*change)["proposal"] is None
    made = asker.till.sent()
    refs = [payment["reference"] for payment in made["payments"]]
    asker.till.result((refs[0], "400.00", "成功", "L1"), (refs[1], "200.00", "成功", "L2"))
    assert asker.till.batch()["batch"] is None
    body = [["交易日期", "支出金额", "收入金额", "对方户名", "对方账号", "交易流水号", "摘要"],
            ["2026-08-24", "5.00", "", "某银行", "", "S1", "手续费"]]  # fmt: skip
    bank = desk.data("bank", "import", desk.bytes(csv_bytes(body, "gb18030"), "对账单.csv"), "--as", "maker1")
    fee = ("bank", "match", f"{bank['statement']}:2", "--why", "手续费")
    match = asker.approved(*fee)
    assert asker.code("bank", "match", f"{bank['statement']}:2", "--why", "别的") == "matched"
    desk.data("bank", "undo", desk.data("approve", match, "--as", "checker1")["match"], "--why", "误", "--as", "maker1")
    assert asker.approved(*fee) != match
    red = line("r", red_of="a", net="-1000.00", tax="-60.00", gross="-1060.00", quantity="-1")
    desk.data("import", desk.file([red], "红字.csv"), "--as", "maker1")
    run = desk.data("settle", "draft", "--through", "2026-07", "--as", "maker1")["run"]
    submitted = desk.data("settle", "submit", run, "--as", "maker1")
    assert desk.data("settle", "submit", run, "--as", "maker1") == submitted
    done = desk.data("settle", "approve", run, "--as", "checker1")
    assert desk.data("settle", "approve", run, "--as", "checker1") == done
    again = desk.data("settle", "submit", run, "--as", "maker1")
    assert again == submitted | {"state": "approved", "checker": "checker1"}
    back = ("recovery", "return", real("a"), "--amount", "200.00", "--on", "2026-08-24", "--ref", "回单1")
    asker.approved(*back)
    assert asker.code(*back[:-1], "回单2") == "above_recoverable"
    monkeypatch.setenv("CVL_TODAY", "2027-01-04")
    merged = ("company", "merge", TWO, "--into", ONE, "--on", "2027-01-01", "--why")
    asker.approved(*merged, "登记机关1号")
    assert asker.code(*merged, "登记机关2号") == "merged"
    asker.approved("budget", "close", "--year", "2026")
    assert desk.data("reconcile")["ok"]
