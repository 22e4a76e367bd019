"""A provider's month: hand in, look at the check, confirm or mend, follow an invoice; and nobody else's anything."""

import io
import os
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import python_calamine
from sqlalchemy import text
from starlette.testclient import TestClient

from importers import handed
from portal.api import BASE, Caller
from portal.page import AWAY, Visit
from tests.cases.steps import PARTIES, number
from tests.postgres.desk import csv_bytes, line, table
from tests.postgres.portal.conftest import ORIGIN, Browser, Portal, as_provider
from tests.walk.desk import full_after
from voucher import tokens
from voucher.database import run, run_file, transaction
from voucher.errors import Refused


def sheet(*rows: dict[str, Any]) -> bytes:
    return csv_bytes(table(rows))


def hand_in(browser: Browser, *files: tuple[str, bytes], status: int = 200, **data: str) -> None:
    browser.get("/uploads")
    sent = [("files", (name, body, "application/octet-stream")) for name, body in files]
    browser.post("/uploads", data, files=sent, status=status)


def figures(browser: Browser) -> list[str]:
    return ["".join(each.text_content().split()) for each in browser.page.xpath("//ul[@class='figures']/li")]


def invoices(portal: Portal) -> int:
    with transaction(portal.engine, "cvl_auditor") as db:
        return int(db.execute(text("SELECT count(*) FROM invoice")).scalar_one())


def test_a_month_from_upload_to_mended_return_file(fresh: Portal) -> None:
    me = fresh.as_user("provider1")
    bad = line("c", "1000.00", buyer="X")
    hand_in(me, ("八月.csv", sheet(line("a", "620000.00"), line("b", "300.00", buyer="D"), bad)))
    assert "部分可以受理" in me.text
    assert figures(me) == ["读到3行", "将受理2张2行", "不含税金额¥620,300.00", "价税合计¥657,518.00", "退回1行"]
    assert "第4行" in me.text
    assert "unknown_company" in me.text
    assert invoices(fresh) == 0
    here = me.answer.url.path  # type: ignore[union-attr]
    back = me.client.get(f"{here}/return.xlsx")
    assert back.headers["content-disposition"].startswith('attachment; filename="download.xlsx"')
    rows = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(back.content)).get_sheet_by_index(0).to_python()
    assert len(rows) == 2
    me.post("/uploads/confirm", {"id": here.rsplit("/", 1)[1]})
    assert "已入账：受理2行，另有1行需要处理" in me.text
    assert invoices(fresh) == 2
    place = rows[0].index("用方统一社会信用代码")
    mended = [list(map(str, rows[0])), [str(cell) for cell in rows[1]]]
    mended[1][place] = PARTIES["C"].uscc
    mended[1][rows[0].index("用方名称")] = PARTIES["C"].name
    hand_in(me, ("退回.csv", csv_bytes(mended)))
    assert "全部可以受理" in me.text
    me.post("/uploads/confirm", {"id": me.answer.url.path.rsplit("/", 1)[1]})  # type: ignore[union-attr]
    assert invoices(fresh) == 3
    me.get("/")
    assert "2026-07 的服务： 已受理3张" in me.text
    me.get(f"/invoices/{number('c')}")
    steps = [each.text_content() for each in me.page.xpath("//ol[@class='timeline']/li/strong")]
    assert steps == ["退回", "受理"]


def test_many_files_are_checked_one_by_one_and_confirmed_together(fresh: Portal) -> None:
    me = fresh.as_user("provider1")
    good = [(f"{symbol}.csv", sheet(line(symbol, "100.00"))) for symbol in "ab"]
    hand_in(me, *good, ("坏.xlsx", b"not a workbook"), ("../../../etc/passwd", sheet(line("d", "100.00"))))
    assert "已检查4份文件" in me.text
    assert "读不了" in me.text
    boxes = me.page.xpath("//input[@name='id']/@value")
    assert len(boxes) == 3
    dropped = boxes[0]
    me.post(f"/uploads/waiting/{dropped}/drop")
    assert "已放弃" in me.text
    me.post("/uploads/confirm", {"id": boxes[1:]})
    assert "受理2行" in me.text
    assert invoices(fresh) == 2
    me.post("/uploads/confirm", {"id": boxes}, status=409)
    assert "没有待确认的文件" in me.text
    assert invoices(fresh) == 2
    me.get(f"/uploads/waiting/{boxes[1]}", status=404)
    assert not list((fresh.desk.home / "handed-in").glob(f"{boxes[1]}*"))


def test_a_file_that_can_no_longer_be_taken_is_not_said_to_be_booked(fresh: Portal) -> None:
    me = fresh.as_user("provider1")
    fresh.desk.take([line("a", "100.00")])
    bills = [f"发票号码,使用日期,不含税金额\n{number('a')},2026-07-01,{yuan}\n".encode() for yuan in ("60", "40")]
    hand_in(me, *((f"{place}.csv", bill) for place, bill in enumerate(bills)))
    boxes = sorted(me.page.xpath("//input[@name='id']/@value"), key=int)
    me.post("/uploads/confirm", {"id": boxes})
    assert "已入账：受理1行。有1份整份没有入账，仍在下面等待：" in me.text
    assert "这些日子已有用量" in me.text
    me.post("/uploads/confirm", {"id": boxes[1:]})
    assert "已入账" not in me.text
    assert "有1份整份没有入账" in me.text


def test_what_is_said_of_a_file_that_was_not_booked_speaks_of_no_command(fresh: Portal) -> None:
    me = fresh.as_user("provider1")
    hand_in(
        me,
        ("表.csv", csv_bytes([["购方税号", "销方税号", "票号", "开票日期", "金额" * 60, "税额", "备注"], ["1"] * 7])),
    )
    assert "unknown_header" in me.text
    me.post("/uploads/confirm", {"id": me.answer.url.path.rsplit("/", 1)[1]})  # type: ignore[union-attr]
    assert "整份没有入账，仍在下面等待：表头不是已知的格式" in me.text
    assert "请由经办人员建立一次对应关系，" in me.text
    assert "cvl" not in me.text


def test_what_waits_is_nobody_elses(fresh: Portal) -> None:
    me, other = fresh.as_user("provider1"), fresh.as_user("provider2")
    hand_in(me, ("a.csv", sheet(line("a", "100.00"))))
    path = me.answer.url.path  # type: ignore[union-attr]
    other.get("/uploads")
    other.get(path, status=404)
    other.get(f"{path}/return.xlsx", status=404)
    other.post("/uploads/confirm", {"id": path.rsplit("/", 1)[1]}, status=409)
    other.post(f"{path}/drop")
    me.get(path)
    assert invoices(fresh) == 0


def test_what_is_dropped_while_it_is_confirmed_is_not_booked(fresh: Portal) -> None:
    me, engine = as_provider("provider1"), fresh.engine
    hand_in(fresh.as_user("provider1"), ("a.csv", sheet(line("a", "100.00"))))
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as pool, engine.connect() as watch:
        with transaction(engine) as db:
            (one,) = handed.waiting(db, me)
            assert run_file(db, "queries/handed/drop.sql", name=me.name, handed_id=one.handed_id)
            late = pool.submit(handed.confirm, engine, me, one.handed_id)
            while not watch.execute(text(waits)).scalar_one():
                assert not late.done(), late.result()
                watch.rollback()
        with pytest.raises(Refused, match="no_waiting"):
            late.result(30)
    assert invoices(fresh) == 0


def test_another_providers_numbers_and_files_are_not_there(portal: Portal) -> None:
    other = portal.as_user("provider2")
    with transaction(portal.engine, "cvl_auditor") as db:
        mine = db.execute(text("SELECT upload_id FROM upload ORDER BY 1 LIMIT 1")).scalar_one()
    for path in (f"/uploads/{mine}", f"/uploads/{mine}/return.xlsx", f"/uploads/{mine}/original",
                 f"/invoices/{number('a')}", f"/invoices/{number('c')}"):  # fmt: skip
        other.get(path, status=404)
    other.get(f"/invoices?provider={PARTIES['P'].uscc}&uploader={PARTIES['P'].uscc}")
    assert not other.page.xpath("//tbody//a")
    other.get("/invoices")
    assert [each.text_content() for each in other.page.xpath("//tbody//a")] == [number("q")]
    assert number("a") not in other.client.get("/invoices.csv").text
    other.get("/statement?period=2026")
    assert number("q") in other.text
    assert number("a") not in other.text


def test_the_first_wall_holds_without_the_second(fresh: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading with the rights of staff, a provider's pages and API still tell of its own alone."""
    monkeypatch.setattr(Visit, "read", lambda visit, work: run(visit.engine, work, "cvl_auditor"))
    monkeypatch.setattr(Caller, "read", lambda caller, work: run(caller.engine, work, "cvl_auditor"))
    mine = [line("q", "5000.00", seller="Q"), line("a", "1.00", seller="Q", buyer="X")]
    fresh.desk.take([line("a", "620000.00"), line("b", "300.00"), line("c", "7.00", buyer="X")],
                    as_provider("provider1"))  # fmt: skip
    fresh.desk.take([line("m", "300.00", buyer="D", since="2026-06-01", until="2026-06-30")], as_provider("provider1"))
    fresh.desk.take(mine, as_provider("provider2"), name="乙.csv")
    other = fresh.as_user("provider2")
    parties = [PARTIES["P"].uscc, PARTIES["D"].uscc]
    theirs = [*map(number, "bcm"), *parties, "2026-06", "620,000.00", "657200.00", "月报.csv"]
    for path in ("/", "/uploads", "/invoices", f"/invoices/{number('a')}", f"/invoices/{number('q')}", "/receipts",
                 "/statement?period=2026", "/statement/2026.xlsx", "/invoices.csv"):  # fmt: skip
        answer = other.client.get(path)
        assert answer.status_code == 200, path
        found = [each for each in theirs if each in readable(answer.content)]
        assert not found, (path, found)
    first = fresh.desk.rows("SELECT min(upload_id) FROM upload")[0][0]
    for path in (f"/uploads/{first}", f"/invoices/{number('b')}", f"/invoices/{number('c')}"):
        other.get(path, status=404)
    user = as_provider("provider2")
    secret = run(fresh.engine, lambda db: tokens.make(db, user, "provider2", "程序", ["uploads", "invoices"], 1))
    program = TestClient(fresh.app, base_url=ORIGIN, headers={"authorization": f"Bearer {secret}"})
    assert [each["number"] for each in program.get(f"{BASE}/invoices").json()["items"]] == [number("q")]
    assert len(program.get(f"{BASE}/uploads").json()["items"]) == 1


def readable(content: bytes) -> str:
    """Give what a file says, the parts of a workbook too."""
    if not content.startswith(b"PK"):
        return content.decode()
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))


def test_an_upload_for_another_provider_is_refused(fresh: Portal) -> None:
    me = fresh.as_user("provider1")
    hand_in(me, ("a.csv", sheet(line("a"))), status=409, provider=PARTIES["Q"].uscc)
    assert "只能上传本单位的文件" in me.text
    hand_in(me, ("a.csv", sheet(line("a"))), status=422, service_month="八月")
    assert me.page.xpath("//a[@href='#service_month']")
    me.get("/uploads")
    me.post("/uploads", {}, files=[("files", ("", b"", "application/octet-stream"))], status=422)
    assert "请先选择文件" in me.text


@pytest.mark.parametrize("format", ["pdf", "xlsx"])
def test_the_statement_is_given_as_a_file_and_that_is_on_record(portal: Portal, format: str) -> None:
    me = portal.as_user("provider1")
    me.get(f"/statement/2026-08.{format}")
    assert me.answer is not None
    assert me.answer.content.startswith(b"%PDF" if format == "pdf" else b"PK")
    me.get("/statement/2026-08.html", status=404)
    with transaction(portal.engine, "cvl_auditor") as db:
        kept = db.execute(text("SELECT subject FROM access_event WHERE event = 'exported' AND name = 'provider1'"))
        assert f"服务商对账单-2026-08.{format}" in kept.scalars().all()


def test_the_original_comes_back_byte_by_byte(portal: Portal) -> None:
    me = portal.as_user("provider1")
    me.get("/uploads")
    upload = me.page.xpath("//tbody//th/a/@href")[-1]
    got = me.client.get(f"{upload}/original")
    assert got.content == sheet(line("a", "620000.00"), line("b", "300.00", buyer="D"), line("c", "1000.00", buyer="X"))
    assert got.headers["content-type"] == "application/octet-stream"


def test_an_original_that_is_not_what_was_handed_in_is_not_given_out(fresh: Portal) -> None:
    fresh.desk.take([line("a", "1.00")], as_provider("provider1"))
    for kept in (fresh.desk.home / "documents").rglob("*"):
        if kept.is_file():
            kept.write_bytes(kept.read_bytes().replace(number("a").encode(), number("b").encode()))
    me = fresh.as_user("provider1")
    me.get("/uploads")
    me.get(f"{me.page.xpath('//tbody//th/a/@href')[-1]}/original", status=500)
    assert "与登记的摘要不符" in me.text


@pytest.mark.parametrize("name", ["八月" * 60 + ".csv", "八月.csv（副本）", "八月.修订版"])
def test_a_file_may_be_called_as_people_call_files(portal: Portal, name: str) -> None:
    me = portal.as_user("provider1")
    row = line("n1", "1.00", buyer="X", remark=name[-6:])
    hand_in(me, (name, sheet(row)))
    me.post("/uploads/confirm", {"id": me.answer.url.path.rsplit("/", 1)[1]})  # type: ignore[union-attr]
    upload = me.answer.url.path  # type: ignore[union-attr]
    for end in ("original", "return.xlsx"):
        assert me.client.get(f"{upload}/{end}").status_code == 200, end
    assert me.client.get(f"{upload}/original").content == sheet(row)


def test_a_full_disk_is_said_and_what_kills_left_is_cleared_away(fresh: Portal) -> None:
    me, folder = fresh.as_user("provider1"), fresh.desk.home / "handed-in"
    for name, day in (("new-old", 0), ("7000", 0), ("new-now", time.time())):
        folder.joinpath(name).mkdir(parents=True)
        os.utime(folder / name, (day, day))
    with full_after(100):
        hand_in(me, ("八月.csv", sheet(line("a"))), status=503)
    assert AWAY in me.text
    assert [path.name for path in folder.iterdir()] == ["new-now"]


def test_what_is_confirmed_is_a_number(portal: Portal) -> None:
    me = portal.as_user("provider1")
    me.get("/uploads")
    me.post("/uploads/confirm", {"id": "²"}, status=409)


def test_formulas_in_a_file_stay_text_in_the_export(fresh: Portal) -> None:
    row = line("a", "100.00") | {"用方统一社会信用代码": "=CMD()"}
    fresh.desk.take([row], as_provider("provider1"))
    staff = fresh.as_user("auditor1")
    staff.get("/invoices.csv")
    assert staff.answer is not None
    assert "=CMD" not in staff.answer.text.replace("'=CMD", "")
