"""The books on pages: month-end green or by name, the ledger from account to invoice, exports on record, users."""

import csv
import io
import zipfile
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from sqlalchemy import text

from portal.chart import _said, charts
from portal.show import money
from reconciliation import bundle_verify, reports
from reconciliation.document import Column
from tests.cases.steps import PARTIES, number
from tests.postgres.portal.conftest import Portal
from tests.postgres.portal.test_finance import approve, cells, prepare, settle
from voucher import acts, logins
from voucher.database import run, transaction


def test_an_auditor_goes_from_a_balance_to_the_invoice_and_takes_the_bundle(
    fresh: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker, checker = fresh.as_user("maker1"), fresh.as_user("checker1")
    prepare(fresh, maker, checker)
    settle(maker, checker)
    auditor = fresh.as_user("auditor1")
    auditor.get("/ledger?name=money:payable")
    assert [row[1:] for row in cells(auditor)] == [["应付未付", "¥1,000,000.00"], ["应付未付", "¥20,000.00"]]
    with monkeypatch.context() as short:  # no page grows with the books
        short.setattr("portal.pages.books.ROWS", 1)
        auditor.get("/ledger?name=money:payable")
        assert [row[2] for row in cells(auditor)] == ["¥1,000,000.00"]
        auditor.get("/ledger" + auditor.page.xpath("//a[@rel='next']/@href")[0])
        assert [row[2] for row in cells(auditor)] == ["¥20,000.00"]
        assert not auditor.page.xpath("//a[@rel='next']")
    auditor.get("/ledger?name=money:payable")
    auditor.get(auditor.page.xpath("//tbody//a/@href")[0])
    assert [row[5] for row in cells(auditor)] == ["¥124,000.00", "¥876,000.00"]
    act = auditor.page.xpath("//tbody//th/a/@href")[0]
    assert number("a") in auditor.text
    auditor.get(act)
    assert "链摘要" in auditor.text
    auditor.get("/ledger/account?name=money:payabel", status=404)
    assert "账上没有账户“money:payabel”" in auditor.text
    auditor.get("/ledger?as_of=2026-01-01")
    assert "没有发生过金额的账户" in auditor.text
    auditor.get(f"/invoices?company={PARTIES['C'].uscc.lower()}&provider=%20{PARTIES['P'].uscc.lower()}")
    assert number("a") in auditor.text
    for path, gone in (("/invoices", "没有符合条件的发票"), ("/runs", "还没有结算批次")):
        assert number("a") in auditor.client.get("/invoices").text
        auditor.get(f"{path}?as_of=2026-01-01")
        assert gone in auditor.text
    auditor.get(f"/invoices/{number('a')}?as_of=2026-01-01", status=404)
    (taken,) = fresh.desk.rows("SELECT s.recorded_at FROM upload AS u INNER JOIN seal AS s ON s.act_id = u.upload_id")
    auditor.get(f"/invoices/{number('a')}?as_of={quote(taken[0].isoformat())}")
    assert [each.text_content() for each in auditor.page.xpath("//ol[@class='timeline']/li/strong")] == ["受理"]
    auditor.get("/month?period=2026-08")
    assert "核对一致" in auditor.text
    auditor.get("/reports/company_caps?period=2026")
    assert auditor.page.xpath("//*[local-name()='svg']//*[local-name()='title']")
    token = auditor.page.xpath("//input[@name='token']/@value")[0]
    given = auditor.client.post("/seals/bundle", data={"token": token}, headers={"origin": "https:" + "//portal.test"})
    assert zipfile.ZipFile(io.BytesIO(given.content)).namelist()
    path = fresh.desk.home / "bundle.zip"
    path.write_bytes(given.content)
    assert not bundle_verify.verify((path,), None, lambda _: None).faults
    assert fresh.desk.rows("SELECT actor FROM act WHERE kind = 'audit_export'") == [("auditor1",)]
    assert "export" in "".join(row[0] for row in fresh.desk.rows("SELECT event FROM access_event"))


def test_an_account_as_of_a_moment_is_that_of_then_on_every_page_and_in_its_file(fresh: Portal) -> None:
    maker, checker = fresh.as_user("maker1"), fresh.as_user("checker1")
    prepare(fresh, maker, checker)
    ((then,),) = fresh.desk.rows("SELECT max(recorded_at) FROM seal")
    settle(maker, checker)
    auditor = fresh.as_user("auditor1")
    auditor.get(f"/ledger?name=money:appropriation&as_of={quote(then.isoformat())}")
    auditor.get(auditor.page.xpath("//tbody//a/@href")[0])
    assert [row[5] for row in cells(auditor)] == ["¥2,000,000.00"]
    assert f"截至 {then.isoformat()}" in auditor.text
    path = auditor.page.xpath("//a[contains(@href, 'account.csv')]/@href")[0]
    rows = list(csv.DictReader(io.StringIO(auditor.client.get(path).text.lstrip("\ufeff"))))
    assert [row["金额"] for row in rows] == ["2000000.00"]
    assert rows[0]["记录时间"].endswith("+08:00")


def test_the_month_end_names_what_is_wrong(fresh: Portal) -> None:
    maker, checker = fresh.as_user("maker1"), fresh.as_user("checker1")
    prepare(fresh, maker, checker)
    with transaction(fresh.engine, "cvl_owner") as db:
        db.execute(text("UPDATE account SET balance_fen = balance_fen + 1 WHERE name = 'money:appropriation:2026'"))
    auditor = fresh.as_user("auditor1")
    auditor.get("/month?period=2026-08")
    assert "核对不一致" in auditor.text
    assert "money:appropriation:2026" in auditor.text


def test_a_report_of_an_earlier_moment_is_that_of_then(fresh: Portal) -> None:
    auditor = fresh.as_user("auditor1")
    first = run(fresh.engine, acts.last, "cvl_auditor")
    auditor.get(f"/reports/vouchers?period=2026&as_of={first['recorded_at'].isoformat().replace('+', '%2B')}")
    assert f"第{first['no']}号" in auditor.text
    auditor.get("/reports/vouchers?period=2026&as_of=gestern", status=422)
    auditor.get("/reports/nothing?period=2026", status=422)
    for format, start in (("xlsx", b"PK"), ("csv", b"\xef\xbb\xbf"), ("json", b"{")):
        got = auditor.client.get(f"/reports/funnel/2026.{format}")
        assert got.content.startswith(start), format
        assert got.headers["x-content-type-options"] == "nosniff"


def test_the_admin_adds_users_and_takes_their_log_in_away(fresh: Portal) -> None:
    admin = fresh.as_user("admin1")
    admin.get("/users")
    admin.post("/users", {"name": "新经办", "role": "maker", "provider": ""})
    password = admin.page.xpath("//code[@class='secret']")[0].text
    fresh_user = fresh.browser()
    fresh_user.get("/login")
    fresh_user.post("/login", {"name": "新经办", "password": password})
    assert "这是一次性口令" in fresh_user.text
    admin.get("/users")
    assert password not in admin.text
    admin.post("/users/新经办/close")
    fresh_user.get("/")
    assert "登录" in fresh_user.text
    admin.get("/users")
    admin.post("/users/admin1/close", status=409)
    admin.post("/users", {"name": "x", "role": "provider", "provider": "123"}, status=422)
    admin.get("/policies")
    assert "假定" in admin.text
    admin.get("/access?event=password_given")
    assert [row[3] for row in cells(admin)] == ["新经办"]


def test_a_flag_is_decided_with_its_reason(fresh: Portal) -> None:
    maker = fresh.as_user("maker1")
    maker.get("/flags?period=2026-08")
    maker.post(
        "/flags", {"flag": "round_sums", "subject": "none", "verdict": "cleared", "period": "2026-08", "why": "x"},
        status=409,
    )  # fmt: skip
    maker.post("/flags", {"flag": "a", "subject": "b", "verdict": "gone", "period": "2026-08", "why": "x"}, status=422)


def test_names_in_charts_are_text_and_nothing_else(fresh: Portal) -> None:
    hostile = "<script>alert(1)</script>&“”"
    with transaction(fresh.engine) as db, acts.act(db, "init", "again", "system", {}) as act:
        party = db.execute(text("SELECT party_id FROM party WHERE uscc = :u"), {"u": PARTIES["C"].uscc}).scalar_one()
        db.execute(
            text("INSERT INTO party_name (party_id, name, act_id, row_no) VALUES (:p, :n, :a, 1)"),
            {"p": party, "n": hostile, "a": act.act_id},
        )
    maker, checker = fresh.as_user("maker1"), fresh.as_user("checker1")
    maker.get("/vouchers")
    maker.post("/vouchers", {"for_year": "2026"})
    approve(checker, maker.answer.url.path)  # type: ignore[union-attr]
    made = run(fresh.engine, lambda db: reports.run(db, "company_caps", "2026", acts.cutoff(db), ""), "cvl_auditor")
    (picture,) = charts(made)
    assert "<script" not in picture
    assert "&lt;script" in picture
    maker.get("/reports/company_caps?period=2026")
    assert not maker.page.xpath("//script[not(@src)]")


@pytest.mark.parametrize("fen", [0, 4_999, 5_000, 1_234_567_890, 123_995_000, -4_999, -5_000, -1_234_567_890])
def test_a_chart_rounds_money_as_the_figures_beside_it(fen: int) -> None:
    column = Column("a_fen", "金额", "money", 9)
    written = money({"visit": SimpleNamespace(wan=True)}, fen)  # type: ignore[arg-type]
    assert _said(column, fen).removeprefix("-") == written.removeprefix("-")
    assert _said(column, fen).startswith("-") == (written.startswith("-") and any(c in "123456789" for c in written))


def test_the_dashboard_draws_what_the_reports_say(portal: Portal) -> None:
    admin = portal.as_user("admin1")
    admin.get("/dashboard?year=2026")
    titles = [each.text for each in admin.page.xpath("//*[local-name()='svg']/*[local-name()='title']")]
    assert any("上传到拨付" in title for title in titles)
    figures = {each.text: each for each in admin.page.xpath("//ul[@class='figures']/li")}
    assert not admin.page.xpath("//ul[@class='figures']//a[starts-with(@href, '/reports')]"), (
        "the admin reads no report"
    )
    assert figures["受理（张）"].find("b").text == "3"
    assert figures["份额最大的服务商"].find("b").text == "99.20%"
    maker = portal.as_user("maker1")
    maker.get("/dashboard?year=2026")
    found = {each.text: each.get("href") for each in maker.page.xpath("//ul[@class='figures']/li/a")}
    assert found["累计净核定"] == "/reports/budget?period=2026"
    for path in found.values():
        maker.get("/dashboard" if path.startswith("#") else path)
    assert run(portal.engine, logins.everyone)
