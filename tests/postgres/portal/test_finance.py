"""The bureau's month on pages: budget, draft, submit, a second person, disclosure, payment, the bank; in order."""

import csv
import io
from typing import Any

import pytest

from reconciliation import payments
from tests.cases.steps import PARTIES, number
from tests.postgres.desk import companies, csv_bytes, line, real
from tests.postgres.portal.conftest import Browser, Portal, as_provider
from voucher.database import run
from voucher.money import format_yuan


def facts(browser: Browser) -> dict[str, str]:
    names = [each.text_content() for each in browser.page.xpath("//dl[@class='facts']/dt")]
    values = [" ".join(each.text_content().split()) for each in browser.page.xpath("//dl[@class='facts']/dd")]
    return dict(zip(names, values, strict=True))


def cells(browser: Browser, place: int = 1) -> list[list[str]]:
    rows = browser.page.xpath(f"(//table)[{place}]/tbody/tr")
    return [[" ".join(cell.text_content().split()) for cell in row.xpath("./td|./th")] for row in rows]


def hidden(browser: Browser, name: str) -> str:
    return str(browser.page.xpath(f"//input[@name='{name}']/@value")[0])


def approve(browser: Browser, path: str) -> None:
    browser.get(path)
    browser.post(f"{path}/approve", {"digest": hidden(browser, "digest")})


def prepare(portal: Portal, maker: Browser, checker: Browser) -> None:
    """Enter accounts and the budget on the pages, and take three invoices."""
    rows = companies("C", "D")
    for row, account in zip(rows[1:], ("6222000011112222", "6222000033334444"), strict=True):
        row[6:] = [row[1], "合成银行重庆支行", account, "000000000001"]
    maker.get("/registry")
    maker.post("/registry", files=[("files", ("企业名单.csv", csv_bytes(rows), "text/csv"))])
    assert "已登记" in maker.text
    maker.get("/budget")
    maker.post("/budget/appropriate", {"year": "2026", "amount": "二百万", "ref": ""}, status=422)
    assert [each.get("href") for each in maker.page.xpath("//div[@role='alert']//a")] == ["#amount", "#ref"]
    assert maker.page.get_element_by_id("amount").value == "二百万"
    maker.post("/budget/appropriate", {"year": "2026", "amount": "2000000.00", "ref": "渝财预〔2026〕1号"})
    here = maker.answer.url.path  # type: ignore[union-attr]
    checker.get("/proposals")
    assert "2026年度指标" in checker.text
    approve(checker, here)
    good = [line("a", "620000.00"), line("b", "4800000.00"), line("d", "100000.00", buyer="D")]
    portal.desk.take(good, as_provider("provider1"))


def test_a_month_from_budget_to_bank(fresh: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    maker, checker = fresh.as_user("maker1"), fresh.as_user("checker1")
    prepare(fresh, maker, checker)
    settle(maker, checker)
    maker.get("/disclosures/1")
    maker.post("/disclosures/1", {"from_on": ""})
    assert "至2026-08-21（含）止" in maker.text
    maker.post("/disclosures/1/object", {"number": real("d"), "why": "查合同"})
    maker.get("/payments")
    maker.post("/payments", {"run": "1"}, status=409)
    assert "公示至2026-08-21" in maker.text
    monkeypatch.setenv("CVL_TODAY", "2026-08-24")
    maker.post("/payments", {"run": "1"})
    assert cells(maker)[0][0] == number("d")
    batch = maker.page.xpath("//main//a/@href")[0].rsplit("/", 1)[1]
    approve(checker, f"/proposals/{batch}")
    pay(fresh, maker, int(batch))
    maker.get("/disclosures/1")
    maker.post("/disclosures/1/release", {"released": real("d"), "release_why": "无误"})
    assert cells(maker, 2) == [[number("d"), "已解除", "查合同", "无误"]]
    for browser in (maker, fresh.as_user("auditor1")):
        browser.get("/")
        assert "0 项待复核" in browser.text.replace("0项", "0 项")
    provider = fresh.as_user("provider1")
    provider.get(f"/invoices/{number('a')}")
    steps = [each.text_content() for each in provider.page.xpath("//ol[@class='timeline']/li/strong")]
    assert steps == ["受理", "补贴", "公示", "拨付在途", "已拨付"]


def settle(maker: Browser, checker: Browser) -> None:
    """Draft, look, submit; the checker looks and approves by digest."""
    maker.get("/runs")
    maker.post("/runs", {"through": "2026-13"}, status=422)
    maker.post("/runs", {"through": "2026-07"})
    assert "草稿已生成" in maker.text
    assert [row[7] for row in cells(maker, 2)] == ["¥124,000.00", "¥876,000.00", "¥20,000.00"]
    maker.get("/runs/1?tab=withheld")
    assert [row[0] for row in cells(maker, 2)] == [number("b")]
    exported = csv.DictReader(io.StringIO(maker.client.get("/runs/1/lines.csv?tab=withheld").text.lstrip("\ufeff")))
    assert [(row["发票号码"], row["补贴额"], row["上限核减"]) for row in exported] == [
        (number("b"), "876000.00", "84000.00")
    ]
    maker.get(f"/runs/1?sort=-granted&find={PARTIES['C'].uscc}")
    assert [row[7] for row in cells(maker, 2)] == ["¥876,000.00", "¥124,000.00"]
    maker.get("/runs/1?tab=sample")
    assert len(cells(maker, 2)) == 3
    maker.get(f"/explanations/{number('b')}")
    assert "960,000.00" in maker.text
    maker.get("/runs/1")
    maker.post("/runs/1/approve", {"digest": facts(maker)["结算行摘要"].replace(" ", "")}, status=403)
    maker.get("/runs/1")
    maker.post("/runs/1/submit")
    checker.get("/runs/1")
    assert "摘要为" in checker.text
    checker.post("/runs/1/approve", {"digest": "0" * 64}, status=409)
    checker.post("/runs/1/reject", {"why": ""}, status=422)
    checker.get("/runs/1")
    checker.post("/runs/1/approve", {"digest": hidden(checker, "digest")})
    assert "已批准" in checker.text
    checker.get("/runs/1/verify")
    assert "逐行逐分一致" in checker.text


def pay(portal: Portal, maker: Browser, batch: int) -> None:
    """Give the bank its file, take in what it answers, and its statement."""
    maker.get(f"/payments/{batch}")
    assert "6222000011112222" not in maker.text
    assert "尾号2222" in maker.text
    token = hidden(maker, "token")
    given = maker.client.post(
        f"/payments/{batch}/export", data={"token": token, "format": "bank-csv"},
        headers={"origin": "https:" + "//portal.test"},
    )  # fmt: skip
    assert "6222000011112222" in given.content.decode("gb18030")
    assert given.headers["content-disposition"].startswith("attachment")
    paid: Any = run(portal.engine, lambda db: payments.payments(db, batch))
    header = ["用途", "金额", "处理结果", "交易日期", "交易流水号", "失败原因"]
    rows = [[f"兑付 {p['reference']}", format_yuan(p["amount_fen"]), "成功", "2026-08-24", "LS-1", ""] for p in paid]
    maker.get("/payments")
    maker.post("/payments/results", files=[("file", ("回单.csv", csv_bytes([header, *rows], "gb18030"), "text/csv"))])
    assert "新登记已付1笔" in maker.text
    maker.post("/payments/results", files=[("file", ("回单.csv", b"\x00\x01", "text/csv"))], status=409)
    maker.get("/bank")
    assert paid[0]["reference"] in maker.text
    maker.post("/bank", files=[("file", ("x.csv", "甲,乙\n1,2\n".encode(), "text/csv"))], status=422)


def test_nobody_decides_on_his_own(fresh: Portal) -> None:
    maker, checker = fresh.as_user("maker1"), fresh.as_user("checker1")
    maker.get("/budget")
    maker.post("/budget/appropriate", {"year": "2026", "amount": "1.00", "ref": "一号"})
    path = maker.answer.url.path  # type: ignore[union-attr]
    assert "撤回" in maker.text
    assert not maker.page.xpath("//form[contains(@action,'approve')]")
    maker.post(f"{path}/approve", {"digest": "0" * 64}, status=403)
    checker.get(path)
    checker.post(f"{path}/reject", {"why": "金额不对"})
    checker.get(path)
    assert "已退回" in checker.text
    checker.post(f"{path}/approve", {"digest": facts(checker)["内容摘要"].replace(" ", "")}, status=409)


def test_a_refusal_is_on_record_and_speaks_of_no_command(fresh: Portal) -> None:
    maker = fresh.as_user("maker1")
    maker.get("/runs/77", status=404)
    assert "没有编号为 77 的结算批次" in maker.text
    assert "cvl" not in maker.text
    kept = fresh.desk.rows("SELECT event, name, subject, code FROM access_event ORDER BY event_id")
    assert kept == [("refused", "maker1", "/runs/{id}", "no_run")]


def test_vouchers_are_issued_frozen_and_looked_at(fresh: Portal) -> None:
    maker, checker = fresh.as_user("maker1"), fresh.as_user("checker1")
    maker.get("/vouchers")
    maker.post("/vouchers", {"year": "2026", "company": PARTIES["C"].uscc}, status=422)
    maker.post("/vouchers", {"year": "2026"})
    approve(checker, maker.answer.url.path)  # type: ignore[union-attr]
    maker.get("/vouchers?year=2026")
    assert [row[5] for row in cells(maker)] == ["¥1,000,000.00"] * 2
    maker.get("/vouchers/1")
    maker.post("/vouchers/1/freeze", {"why": "核查"})
    approve(checker, maker.answer.url.path)  # type: ignore[union-attr]
    maker.get("/vouchers/1")
    assert [row[2] for row in cells(maker)] == ["发放", "转入面额", "冻结"]
    maker.post("/unit", {"next": "/vouchers"})
    assert cells(maker)[0][5] == "100.00万"


def test_documents_that_do_not_agree_are_decided_side_by_side(fresh: Portal) -> None:
    fresh.desk.take([line("a", "100.00")], as_provider("provider1"))
    fresh.desk.take([line("a", "200.00")], as_provider("provider1"), name="另一份.csv")
    maker = fresh.as_user("maker1")
    maker.get("/")
    assert "1张发票单据冲突" in maker.text.replace(" ", "")
    maker.get("/conflicts")
    assert [row[0] for row in cells(maker)] == [number("a")]
    maker.get(f"/conflicts/{number('a')}")
    keep = maker.page.xpath("//input[@name='keep']/@value")
    assert len(keep) == 2
    maker.post(f"/conflicts/{number('a')}", {"keep": keep[1], "why": "以后一份为准"})
    approve(fresh.as_user("checker1"), maker.answer.url.path)  # type: ignore[union-attr]
    maker.get("/conflicts")
    assert "没有待核定的冲突" in maker.text
