"""Registry files that say again, or otherwise, what was said before: the newest row holds, whoever wrote it and how."""

import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import Engine

from importers import verification
from tests.postgres.desk import CHECKER, MAKER, Desk, line, real, said
from tests.postgres.test_registry import NOW, C, D, P, account, accounts, decide, file
from voucher import approval
from voucher.database import query, run
from voucher.errors import Refused


@pytest.fixture
def desk(db_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("CVL_HOME", str(tmp_path / "home"))
    return Desk(db_engine, tmp_path / "home")


def named(*rows: tuple[str, str]) -> list[list[Any]]:
    """Write a companies file: name and first day of each row, all of one company."""
    return file("companies", *[[C, name, "智能体", since, "", "", "", "", "", ""] for name, since in rows])


def merged_bytes(sheet: list[list[Any]], columns: list[int]) -> bytes:
    """Write a workbook in which these columns of the second and third row are one cell each."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page = book.add_worksheet()
        for place, row in enumerate(sheet):
            for column, cell in enumerate(row):
                page.write_string(place, column, cell)
        for column in columns:
            page.merge_range(1, column, 2, column, sheet[1][column], book.add_format())
    return out.getvalue()


def test_the_last_name_of_a_file_holds_also_when_it_is_the_one_on_record(desk: Desk) -> None:
    desk.register(named(("甲", "2025-01-01")))
    desk.register(named(("乙", "2025-01-01"), ("甲", "2026-01-01")))
    assert desk.rows("SELECT name FROM party_name_at(:now)", now=NOW) == [("甲",)]


def test_a_merged_cell_says_the_same_of_every_row_it_covers(desk: Desk) -> None:
    first, second = account(C), account(C)
    second[3] = "2026-01-01"
    taken = desk.register(merged_bytes(file("companies", first, second), [0, 1, 2, 6, 7, 8, 9]), "名单.xlsx")
    assert (taken.exit_status, said(taken), taken.rows) == (0, [], 2)
    assert accounts(desk) == [(C, "6222000011112222")]
    assert desk.rows("SELECT category, from_on FROM qualification_at(:now) ORDER BY 2", now=NOW) == [
        ("ai_agent", date(2025, 1, 1)), ("ai_agent", date(2026, 1, 1)),
    ]  # fmt: skip
    held = [[P, C, "持股", "30%", f"2026-0{month}-01", ""] for month in (1, 2)]
    assert said(desk.register(merged_bytes(file("relations", *held), [0, 1, 2, 3]), "关联.xlsx")) == []
    assert desk.rows("SELECT share_bp FROM relation") == [(3000,), (3000,)]


def test_a_merged_cell_is_quoted_as_it_stands_in_the_sheet(desk: Desk) -> None:
    rows = [[P, C, "持股", "三成", f"2026-0{month}-01", ""] for month in (1, 2)]
    taken = desk.register(merged_bytes(file("relations", *rows), [3]), "关联.xlsx")
    assert [(problem.row, problem.value) for problem in taken.problems] == [(2, "三成"), (3, "三成")]


@pytest.mark.parametrize("verdict", ["rejected", "withdrawn"])
def test_a_file_whose_accounts_were_not_approved_proposes_them_again(desk: Desk, verdict: str) -> None:
    desk.register(file("companies", account(C, "1111")))
    first = desk.register(file("companies", account(C, "3333")))
    assert first.proposal is not None
    proposal, user = first.proposal, CHECKER if verdict == "rejected" else MAKER
    run(desk.engine, lambda db: approval.decide(db, proposal, verdict, user, why="户名不符"))
    again = desk.register(file("companies", account(C, "3333")))
    assert (again.fresh, again.exit_status) == (True, 3)
    assert again.proposal != proposal
    decide(desk, again)
    assert accounts(desk) == [(C, "3333")]
    assert not desk.register(file("companies", account(C, "3333"))).fresh


def test_an_older_change_is_not_approved_over_a_newer_one(desk: Desk) -> None:
    desk.register(file("companies", account(C, "1111"), account(D, "1111")))
    older = desk.register(file("companies", account(C, "2222"), account(D, "2222")))
    newer = desk.register(file("companies", account(C, "3333")))
    decide(desk, newer)
    with pytest.raises(Refused, match=C) as refused:
        decide(desk, older)
    assert refused.value.code == "stale"
    assert accounts(desk) == sorted([(C, "3333"), (D, "1111")])
    decide(desk, older, "rejected", why="已另行变更")


def test_changes_approved_in_the_order_of_their_files_follow_each_other(desk: Desk) -> None:
    desk.register(file("companies", account(C, "1111")))
    older = desk.register(file("companies", account(C, "2222")))
    newer = desk.register(file("companies", account(C, "3333")))
    for taken, number in ((older, "2222"), (newer, "3333")):
        decide(desk, taken)
        assert accounts(desk) == [(C, number)]


def test_a_file_of_results_holds_again_after_one_was_recorded_by_hand(desk: Desk) -> None:
    sheet = [["发票号码", "查验日期", "查验结果", "查验人"], [real("a"), "2026-08-01", "不一致", "张三"]]
    desk.register(named(("丙", "2025-01-01")))
    desk.take([line("a")])
    assert desk.register(sheet).fresh
    day = date(2026, 8, 1)
    assert run(desk.engine, lambda db: verification.record(db, MAKER, real("a"), "same", day, "李四"))
    assert desk.register(sheet).fresh
    assert desk.rows("SELECT result FROM verification_at(:now)", now=NOW) == [("differs",)]
    assert not desk.register(sheet).fresh


def test_a_voided_category_is_not_listed(desk: Desk) -> None:
    wrong = [C, "丙", "数字孪生体", "2025-01-01", "2024-12-31", "", "", "", "", ""]
    desk.register([*named(("丙", "2025-01-01")), wrong])
    (row,) = run(desk.engine, lambda db: query(db, "queries/portal/companies.sql", find=None, rows=5, skip=0))
    assert row["categories"] == "智能体"
