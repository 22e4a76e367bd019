"""The bureau's month on pages: budget, draft, submit, a second person, disclosure, payment, the bank; in order."""

import csv
import io
import re
from typing import Any

import pytest
from sqlalchemy import text

from reconciliation import payments
from tests.cases.steps import PARTIES, number
from tests.postgres.desk import companies, csv_bytes, line, providers, real
from tests.postgres.portal.conftest import Browser, Portal, as_provider
from voucher.database import run, transaction
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
    """Approve what a page shows, all of it in Chinese; digests and names of files stay what they are."""
    browser.get(path)
    shown = browser.page.xpath("//main//caption/text()|//main//th//text()|//main//td//text()")
    assert not [words for words in shown if re.search(r"(?<![\w.])[a-z_]{2,}(?![\w.-])", words)], shown
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
    first = maker.page.xpath("//main//a/@href")[0].rsplit("/", 1)[1]
    checker.get(f"/proposals/{first}")
    checker.post(f"/proposals/{first}/reject", {"why": "再核对"})
    maker.get("/")
    assert "1个批次公示期满、未拨付" in maker.text.replace(" ", "")
    maker.get("/payments")
    maker.post("/payments", {"run": "1"})
    batch = maker.page.xpath("//main//a/@href")[0].rsplit("/", 1)[1]
    approve(checker, f"/proposals/{batch}")
    pay(fresh, maker, int(batch))
    maker.get("/disclosures/1")
    maker.post("/disclosures/1/release", {"released": real("d"), "release_why": "无误"})
    assert cells(maker, 2) == [[number("d"), "已解除", "查合同", "无误"]]
    for browser in (maker, fresh.as_user("auditor1")):
        browser.get("/")
        # what the objection kept out of the first batch
        assert "1个批次公示期满、未拨付" in browser.text.replace(" ", "")
        assert "待复核" not in browser.page.find(".//main").text_content()
    provider = fresh.as_user("provider1")
    provider.get(f"/invoices/{number('a')}")
    steps = [each.text_content() for each in provider.page.xpath("//ol[@class='timeline']/li/strong")]
    assert steps == ["受理", "补贴", "公示", "拨付在途", "已拨付"]
    take_back(fresh, maker, checker)


def take_back(portal: Portal, maker: Browser, checker: Browser) -> None:
    """Reverse a paid invoice, recover it, tell the company, and enter what came back."""
    portal.desk.take([line("r", "-620000.00", red_of="a")], as_provider("provider1"))
    maker.get("/runs")
    maker.post("/runs", {"through": "2026-07"})
    maker.post("/runs/2/submit")
    approve(checker, "/runs/2")
    maker.get("/")
    assert "1家企业有款项待收回" in maker.text.replace(" ", "")
    maker.get("/recoveries")
    assert cells(maker)[0][3:] == ["¥124,000.00", "¥0.00", "2026-08-24", "尚未告知"]
    maker.post("/recoveries/return", {"number": real("a"), "amount": "124000.01", "on": "2026-08-24", "ref": "LS-9"},
               status=409)  # fmt: skip
    maker.post("/recoveries/return", {"number": real("a"), "amount": "一万", "on": "昨天", "ref": ""}, status=422)
    assert [each.get("href") for each in maker.page.xpath("//div[@role='alert']//a")] == ["#amount", "#on", "#ref"]
    maker.post("/recoveries/tell", {"told_number": real("a"), "told_on": "2026-08-24", "notice": "告知〔2026〕1号"})
    assert cells(maker)[0][6] == "2026-08-24"
    maker.post("/recoveries/return", {"number": real("a"), "amount": "24000", "on": "2026-08-24", "ref": "LS-9"})
    approve(checker, maker.answer.url.path)  # type: ignore[union-attr]
    maker.get("/recoveries")
    assert cells(maker)[0][3:5] == ["¥100,000.00", "¥24,000.00"]
    maker.get("/recoveries?as_of=2026-01-01")
    assert "没有须由企业退回的款项" in maker.text


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
    assert "（已付）" in maker.text
    maker.post("/bank", files=[("file", ("x.csv", "甲,乙\n1,2\n".encode(), "text/csv"))], status=422)
    match_by_hand(portal, maker, paid[0])


def match_by_hand(portal: Portal, maker: Browser, paid: Any) -> None:
    """Let the page propose a payment for a line that is a fen short; match them, find the match, undo it."""
    header = ["交易日期", "支出金额", "收入金额", "对方户名", "对方账号", "交易流水号", "摘要"]
    row = ["2026-08-24", format_yuan(paid["amount_fen"] - 1), "", PARTIES["C"].name, "6222000011112222", "LS-7", "转账"]
    maker.get("/bank")
    maker.post("/bank", files=[("file", ("对账单.csv", csv_bytes([header, row]), "text/csv"))])
    proposed = maker.page.xpath("//main//td/a/@href")
    assert [each.rsplit("references=", 1)[1] for each in proposed] == [f"{paid['reference']}#by-hand"]
    maker.get(proposed[0])
    given = {name: maker.page.xpath(f"//input[@id='{name}']/@value")[0] for name in ("line", "references")}
    maker.post("/bank/match", given | {"why": "少付一分"})
    approve(portal.as_user("checker1"), maker.answer.url.path)  # type: ignore[union-attr]
    maker.get("/bank")
    [made] = cells(maker, 3)
    assert made[1:] == [given["line"], "2026-08-24", row[3], f"¥{format_yuan(paid['amount_fen'] - 1, grouped=True)}",
                        given["references"], "少付一分"]  # fmt: skip
    maker.post("/bank/undo", {"match": made[0], "undo_why": "看错了"})
    assert "人工匹配，已批准" not in maker.text


def test_a_changed_account_is_shown_by_its_end_and_approved(fresh: Portal) -> None:
    maker, checker = fresh.as_user("maker1"), fresh.as_user("checker1")
    for account in ("6222000011112222", "6222000011119999"):
        rows = companies("C")
        rows[1][6:] = [rows[1][1], "合成银行重庆支行", account, "000000000001"]
        maker.get("/registry")
        maker.post("/registry", files=[("files", ("企业名单.csv", csv_bytes(rows), "text/csv"))])
    here = maker.page.xpath("//main//a[starts-with(@href, '/proposals/')]/@href")[0]
    approve(checker, here)
    checker.get(here)
    assert cells(checker)[0][:2] == ["9999", "合成银行重庆支行"]
    checker.get(f"/companies/{PARTIES['C'].uscc}")
    assert facts(checker)["收款账户"] == "合成银行重庆支行 尾号9999"


def test_a_register_that_has_to_wait_does_not_hide_what_became_of_the_others(
    fresh: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voucher.database.LOCK_TIMEOUT", "300ms")
    maker = fresh.as_user("maker1")
    maker.get("/registry")
    with transaction(fresh.desk.engine, "cvl_owner") as db:
        claim = "INSERT INTO party (uscc, act_id) SELECT :uscc, max(a.act_id) FROM act AS a"
        db.execute(text(claim), {"uscc": PARTIES["X"].uscc})
        sheets = {"甲.csv": companies("C", until="2027-12-31"), "乙.csv": providers("X")}
        files = [("files", (name, csv_bytes(sheet), "text/csv")) for name, sheet in sheets.items()]
        maker.post("/registry", files=files, status=422)
        db.rollback()
    shown = [section.text_content().split() for section in maker.page.xpath("//main//section")]
    assert [words[:2] for words in shown] == [["甲.csv", "已登记"], ["乙.csv", "没有登记"]]
    assert "请稍后" in maker.text


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


def buttons(browser: Browser) -> list[str]:
    return [each.text for each in browser.page.xpath("//main//button")]


def test_vouchers_are_issued_frozen_and_looked_at(fresh: Portal) -> None:
    maker, checker = fresh.as_user("maker1"), fresh.as_user("checker1")
    maker.get("/vouchers")
    maker.post("/vouchers", {"for_year": "2026", "for_company": PARTIES["C"].uscc}, status=422)
    assert maker.page.xpath("//div[@role='alert']//a[@href='#face']")
    maker.post("/vouchers/apply", {"applied_year": "2026", "applicant": PARTIES["C"].uscc, "application": "申|1"},
               status=422)  # fmt: skip
    maker.post("/vouchers/apply", {"applied_year": "2026", "applicant": PARTIES["C"].uscc, "application": "申请1号"})
    assert "申请1号" in maker.text
    approve(checker, maker.answer.url.path)  # type: ignore[union-attr]
    maker.get("/vouchers")
    maker.post("/vouchers", {"for_year": "2026"})
    approve(checker, maker.answer.url.path)  # type: ignore[union-attr]
    maker.get("/vouchers?year=2026")
    assert [row[5] for row in cells(maker)] == ["¥1,000,000.00"] * 2
    maker.get("/vouchers/1")
    assert buttons(maker) == ["冻结", "撤销", "企业退回"]
    maker.post("/vouchers/1/freeze", {"why": "核查"})
    approve(checker, maker.answer.url.path)  # type: ignore[union-attr]
    maker.get("/vouchers/1")
    assert [row[2] for row in cells(maker)] == ["发放", "转入面额", "冻结"]
    assert buttons(maker) == ["解冻", "撤销"]
    maker.post("/vouchers/1/unfreeze", {"why": "查清"})
    approve(checker, maker.answer.url.path)  # type: ignore[union-attr]
    maker.get("/vouchers/1")
    maker.post("/vouchers/1/revoke", {"why": "违规"})
    approve(checker, maker.answer.url.path)  # type: ignore[union-attr]
    maker.get("/vouchers/1")
    assert not buttons(maker)
    maker.get("/vouchers")
    maker.post("/vouchers/expire", {"on": "2027-04-01"}, status=422)
    maker.post("/vouchers/expire", {"on": "2026-08-15"})
    assert "0张已过期" in maker.text
    maker.get("/vouchers?year=2026")
    maker.post("/unit", {"next": "/vouchers"})
    assert cells(maker)[0][5] == "100.00万"


def test_a_company_is_frozen_unfrozen_and_merged(fresh: Portal) -> None:
    maker, checker = fresh.as_user("maker1"), fresh.as_user("checker1")
    code, other = PARTIES["C"].uscc, PARTIES["D"].uscc
    here = f"/companies/{code}"
    maker.get("/companies/91500000MA5UXX097X", status=404)
    maker.get("/registry")
    assert here in maker.page.xpath("//tbody//a/@href")
    maker.get(here)
    maker.post(f"{here}/freeze", {"why": ""}, status=422)
    for verb, shown in (("freeze", "冻结"), ("unfreeze", "正常")):
        maker.post(f"{here}/{verb}", {"why": "核查合同"})
        proposal = maker.answer.url.path  # type: ignore[union-attr]
        maker.get(here)
        assert maker.page.xpath("//p[@class='note']/a/@href") == [proposal]
        approve(checker, proposal)
        maker.get(here)
        assert facts(maker)["状态"].startswith(shown)
    maker.post(f"{here}/merge", {"into": other, "on": "2026-09-01", "merge_why": "渝市监1号"}, status=422)
    assert "尚未到来" in maker.text
    maker.post(f"{here}/merge", {"into": other.lower(), "on": "2026-08-01", "merge_why": "渝市监1号"})
    approve(checker, maker.answer.url.path)  # type: ignore[union-attr]
    maker.get(here)
    assert facts(maker)["状态"] == f"已并入 自2026-08-01起并入 {other}"
    assert [row[2] for row in cells(maker, 2)] == ["企业冻结", "企业解冻", "企业并入"]
    assert not buttons(maker)
    checker.get(f"/companies/{other}")
    assert [row[2] for row in cells(checker, 2)] == ["企业合并了"]


def test_what_the_tax_platform_said_is_entered_by_hand_and_by_file(fresh: Portal) -> None:
    fresh.desk.take([line("a", "100.00"), line("b", "200.00")], as_provider("provider1"))
    maker, here = fresh.as_user("maker1"), f"/invoices/{number('a')}"
    maker.get(here)
    assert facts(maker)["查验"] == "尚未查验"
    maker.post(f"{here}/verify", {"result": "nonsense"}, status=422)
    maker.post(f"{here}/verify", {"result": "same", "checked_on": "2026-08-16"}, status=422)
    for _ in range(2):
        maker.post(f"{here}/verify", {"result": "differs", "checked_on": "", "checked_by": "李查验"})
    assert "此前已登记" in maker.text
    assert facts(maker)["查验"] == "不一致 2026-08-15，李查验"
    table = [["发票号码", "查验日期", "查验结果", "查验人"], [number("a"), "2026-08-15", "一致", "李查验"]]
    maker.get("/registry")
    maker.post("/registry", files=[("files", ("查验结果.csv", csv_bytes(table), "text/csv"))])
    assert "查验结果1行" in maker.text
    maker.get(here)
    assert facts(maker)["查验"].startswith("一致")
    provider = fresh.as_user("provider1")
    provider.get(here)
    assert "查验" not in provider.text


def test_another_subsidy_waits_in_the_work_list_until_somebody_says_more_of_it(fresh: Portal) -> None:
    maker, checker = fresh.as_user("maker1"), fresh.as_user("checker1")
    prepare(fresh, maker, checker)
    header = ["发票号码", "政策名称", "已获补贴金额", "放弃"]
    fresh.desk.register([header, [number("d"), "其他政策", "100.00", "否"]])
    maker.get("/runs")
    maker.post("/runs", {"through": "2026-07"})
    maker.get("/")
    (link,) = maker.page.xpath("//ul[@class='figures']//a[contains(@href,'#held')]/@href")
    assert "1张发票另获补贴" in maker.text.replace(" ", "")
    maker.get(link.split("#")[0])
    assert number("d") in maker.page.get_element_by_id("held").text_content()
    fresh.desk.register([header, [number("d"), "其他政策", "100.00", "是"]])
    maker.get("/")
    assert "另获补贴" not in maker.text


def test_documents_that_do_not_agree_are_decided_side_by_side(fresh: Portal) -> None:
    fresh.desk.take([line("a", "100.00")], as_provider("provider1"))
    fresh.desk.take([line("a", "200.00")], as_provider("provider1"), name="另一份.csv")
    maker = fresh.as_user("maker1")
    maker.get("/")
    assert "1张发票单据冲突" in maker.text.replace(" ", "")
    maker.get("/conflicts")
    assert [row[0] for row in cells(maker)] == [number("a")]
    maker.get(f"/invoices/{number('a')}")
    assert maker.page.xpath("//section[h2='下一步']//a/@href")[0] == f"/conflicts/{number('a')}"
    maker.get(f"/conflicts/{number('a')}")
    keep = maker.page.xpath("//input[@name='keep']/@value")
    assert len(keep) == 2
    maker.post(f"/conflicts/{number('a')}", {"keep": keep[1], "why": "以后一份为准"})
    approve(fresh.as_user("checker1"), maker.answer.url.path)  # type: ignore[union-attr]
    maker.get("/conflicts")
    assert "没有待核定的冲突" in maker.text
    maker.get(f"/invoices/{number('a')}")
    assert "下一步" not in maker.text
    fresh.desk.take([line("a", "300.00")], as_provider("provider1"), name="第三份.csv")
    maker.get("/")
    assert "1张发票单据冲突" in maker.text.replace(" ", "")
