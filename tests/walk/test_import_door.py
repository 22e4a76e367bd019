"""`cvl import`: every row has an outcome, the same file counts once, what failed goes back in."""

import re
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from console import progress
from tests.postgres.desk import csv_bytes, real
from tests.walk.conftest import Desk, line
from tests.walk.desk import full_after

KEYS = {
    "upload_id", "sha256", "format", "rows", "accepted", "duplicate", "conflict", "rejected", "held", "invoices",
    "problems",
}  # fmt: skip
OUTCOMES = ("accepted", "duplicate", "conflict", "rejected", "held")


def test_a_file_is_told_as_the_design_says(office: Desk) -> None:
    told = office.data(
        "import", office.file([line("a"), line("b", tax="1.00", gross="99.00")]), "--as", "maker1", status=3
    )
    assert set(told) == KEYS
    assert (told["format"], told["rows"], told["accepted"], told["rejected"]) == ("CQ-COMPUTE-1", 2, 1, 1)
    assert told["rows"] == sum(told[name] for name in OUTCOMES)
    assert {"number": real("a"), "status": "accepted", "accepted_no": "1"} in told["invoices"]
    assert {"number": real("b"), "status": "rejected", "accepted_no": None} in told["invoices"]
    wrong = next(each for each in told["problems"] if each["code"] == "sum_differs")
    assert (wrong["row"], wrong["column"], wrong["invoice_number"]) == (3, "价税合计", real("b"))


def test_several_files_are_one_document(office: Desk) -> None:
    files = [office.file([line("a")], "一.csv"), office.file([line("b")], "二.csv")]
    told = office.data("import", *files, "--as", "maker1")
    assert [each["accepted"] for each in told["uploads"]] == [1, 1]
    told = office.data("import", files[0], office.bytes(b"", "空.csv"), "--as", "maker1", status=3)
    assert [each.get("error", {}).get("code") for each in told["uploads"]] == [None, "empty_file"]
    assert len(office.data("import", files[0], office.folder / "没有", "--as", "maker1", status=3)["uploads"]) == 2


def test_only_one_file_at_a_time_replaces_usage(office: Desk) -> None:
    parts = [
        office.bytes(f"发票号码,使用日期,不含税金额\n{real('a')},2026-07-0{day},1\n".encode(), f"{day}.csv")
        for day in (1, 2)
    ]
    refused = office.data("import", *parts, "--usage", "replace", "--as", "maker1", status=2)
    assert refused["error"]["code"] == "one_replaces"
    assert len(office.data("import", *parts, "--usage", "add", "--as", "maker1", status=3)["uploads"]) == 2


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "empty_file"), (b"\x00\x01\x02" * 99, "not_a_spreadsheet"), ("甲,乙\n1,2\n".encode(), "missing_columns")],
)
def test_a_file_that_cannot_be_taken_is_refused(desk: Desk, data: bytes, code: str) -> None:
    told = desk.data("import", desk.bytes(data, "坏.csv"), "--as", "maker1", status=1)
    assert (told["upload_id"], told["rows"], told["error"]["code"]) == (None, 0, told["problems"][0]["code"])
    said = desk.cvl("import", desk.folder / "坏.csv", "--as", "maker1").out
    assert "没有导入" in said
    assert code in said or told["error"]["message"] in said


def test_the_same_file_twice_counts_once(office: Desk) -> None:
    file = office.file([line("a"), line("b", buyer="X")])
    first = office.data("import", file, "--as", "maker1", status=3)
    before = office.seals()
    assert office.data("import", file, "--as", "maker1", status=3) == first
    assert office.seals() == before
    assert "早已导入" in office.cvl("import", file, "--as", "maker1").out


def test_a_dry_run_leaves_no_trace(office: Desk) -> None:
    before = office.seals()
    rehearsed = office.data("import", office.file([line("a")]), "--dry-run", "--as", "maker1")
    assert (rehearsed["upload_id"], rehearsed["accepted"]) == (None, 1)
    assert rehearsed["invoices"] == [{"number": real("a"), "status": "accepted", "accepted_no": None}]
    assert office.seals() == before
    assert office.data("invoice", "list")["invoices"] == []
    kept = Path(office.folder).parent / "home" / "documents"
    assert rehearsed["sha256"] not in {path.name for path in kept.rglob("*")}
    assert "试运行" in office.cvl("import", office.folder / "月报.csv", "--dry-run", "--as", "maker1").out


def test_the_return_file_goes_back_in(office: Desk) -> None:
    back = office.folder / "退回.xlsx"
    wrong = line("b", gross="99.00")
    asked = ("import", office.file([line("a"), wrong]), "--as", "maker1", "--return-file", back)
    assert office.data(*asked, status=3)["rejected"] == 1
    header, *rows = CalamineWorkbook.from_path(str(back)).get_sheet_by_index(0).to_python()
    assert header[-3:] == ["原行号", "错误代码", "错误说明"]
    assert len(rows) == 1
    assert "sum_differs" in rows[0][-2]
    rows[0][header.index("价税合计")] = line("b")["价税合计"]
    corrected = office.bytes(csv_bytes([header, *rows]), "改正.csv")
    assert office.data("import", corrected, "--as", "maker1")["accepted"] == 1
    assert office.data("import", back, "--as", "maker1", status=3)["conflict"] == 0


def test_a_return_file_that_cannot_be_written_takes_nothing_back(office: Desk) -> None:
    asked = ("import", office.file([line("a"), line("b", buyer="X")]), "--as", "maker1", "--json", "--return-file")
    for place in (office.folder / "月报.csv" / "退回.xlsx", office.folder / "退回.xlsx"):
        with full_after(4000):
            told = office.cvl(*asked, place)
        assert (told.status, told.json["accepted"], told.json["rejected"]) == (3, 1, 1)
        assert told.err.startswith("没有写出退回文件：写不到 "), told.err
    assert sorted(path.name for path in office.folder.iterdir()) == ["月报.csv"]


def test_two_imports_of_one_file_at_once_count_once(office: Desk) -> None:
    file = office.file([line(f"a{number}") for number in range(10, 40)])
    running = [office.start("import", file, "--as", "maker1", "--json") for _ in range(2)]
    told = [(process.communicate(timeout=60), process.returncode) for process in running]
    assert {status for _, status in told} <= {0, 4}, told
    numbers = [int(each["accepted_no"]) for each in office.data("invoice", "list")["invoices"]]
    assert sorted(numbers) == list(range(1, 31))
    assert office.data("reconcile")["ok"]


def test_two_different_imports_of_one_invoice_take_it_once(office: Desk) -> None:
    one = [line(f"a{number}") for number in range(10, 30)]
    two = [line(f"a{number}") for number in range(29, 9, -1)] + [line("z")]
    files = [office.file(one, "一.csv"), office.file(two, "二.csv")]
    running = [office.start("import", file, "--as", "maker1", "--json") for file in files]
    told = [(process.communicate(timeout=60), process.returncode) for process in running]
    assert {status for _, status in told} <= {0, 4}, told
    numbers = [int(each["accepted_no"]) for each in office.data("invoice", "list")["invoices"]]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert office.data("reconcile")["ok"]


def _seller(desk: Desk) -> str:
    code: str = line("a")["供方统一社会信用代码"]
    desk.data("user", "add", "seller1", "--role", "provider", "--provider", code, "--as", "admin1")
    return code


def test_a_provider_hands_in_its_own_files_of_today(office: Desk) -> None:
    code = _seller(office)
    file = office.file([line("a"), line("b", seller="Q")])
    told = office.data("import", file, "--as", "seller1", status=3)
    assert [each["code"] for each in told["problems"] if each["severity"] == "error"] == ["not_the_uploader"]
    refused: list[tuple[Any, ...]] = [
        ("--provider", "91500000MA5UPQ0274", "not_your_file"),
        ("--received-on", "2026-08-01", "back_dated"),
    ]
    for option, value, error in refused:
        answer = office.data("import", file, "--as", "seller1", option, value, status=1)
        assert answer["error"]["code"] == error
    assert office.data("import", file, "--as", "maker1", "--provider", code, status=3)["duplicate"] >= 0


def test_a_long_import_tells_rows_and_rate_beside_its_answer(office: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY_SECONDS", 0.0)
    said = office.cvl("import", office.file([line("a"), line("b")]), "--as", "maker1", "--json")
    assert said.json["accepted"] == 2
    assert re.search(r"月报\.csv：已读 2 行，[\d,]+ 行/秒$", said.err, re.MULTILINE)


def test_only_a_maker_back_dates_and_never_ahead(office: Desk) -> None:
    file = office.file([line("a")])
    ahead = office.data("import", file, "--as", "maker1", "--received-on", "2026-08-16", status=2)
    assert ahead["error"]["code"] == "received_ahead"
    office.data("import", file, "--as", "maker1", "--received-on", "2026-08-02")
    assert office.data("invoice", "show", real("a"))["received_on"] == "2026-08-02"


def test_people_read_counts_that_add_up_and_what_to_do(office: Desk) -> None:
    rows = [line("a"), line("b", buyer="X"), line("c", gross="99.00"), line("d", gross="98.00")]
    said = office.cvl("import", office.file(rows), "--as", "maker1")
    assert said.status == 3
    assert "共4行，其中受理1行，退回3行" in said.out
    assert "sum_differs，2处" in said.out
    assert "第4行" in said.out
    assert "--return-file" in said.out
