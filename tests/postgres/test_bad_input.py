"""Bad input: each ends in a clear sentence with row and column, nothing half written, the rest of the file taken."""

import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from importers.outcome import Outcome
from tests.postgres.conftest import TODAY, Clone
from tests.postgres.desk import (
    HEADER,
    Cells,
    Desk,
    counts,
    csv_bytes,
    line,
    said,
    table,
    xlsx_bytes,
)
from voucher.problem import Problem

MIB = 1 << 20
GOOD = line("z")


@pytest.fixture(scope="module")
def desk(clone: Clone, registered: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Give one desk for all these files: none of them may leave anything, in the books or on the disk."""
    home = tmp_path_factory.mktemp("desk") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVL_HOME", str(home))
        patch.setenv("CVL_TODAY", TODAY)
        made = Desk(clone(registered), home)
        made.take([line("known")])
        before, kept = made.everything(), made.documents()
        yield made
        assert (made.everything(), made.documents()) == (before, kept)


def clear(problem: Problem) -> bool:
    """Tell whether a problem's sentence is one that helps: Chinese, ended, without gaps, not a stack trace."""
    words = problem.message.replace(problem.value, "") if problem.value else problem.message
    chinese = sum("\u4e00" <= char <= "\u9fff" for char in words)
    return chinese >= 8 and words.endswith("。") and "{" not in words and "None" not in words and "，，" not in words


def left(desk: Desk) -> tuple[object, ...]:
    """Tell in short what files have left; the whole is looked at when the desk is cleared."""
    return desk.rows("SELECT (SELECT count(*) FROM act), (SELECT count(*) FROM document)"), desk.documents()


def refused(desk: Desk, data: bytes, name: str = "月报.xlsx") -> Problem:
    """Import a file that is blocked as a whole; nothing may be left of it. Return its only blocking problem."""
    before = left(desk)
    outcome = desk.take(data, name=name)
    assert (outcome.exit_status, outcome.upload_id, outcome.rows, counts(outcome)) == (1, None, 0, {})
    assert left(desk) == before
    (problem,) = [problem for problem in outcome.problems if problem.severity == "blocking"]
    assert clear(problem), problem.message
    return problem


def one_wrong(desk: Desk, wrong: Cells) -> Problem:
    """Import a wrong row between two good ones, as a dry run; the good ones are taken. Return its only problem."""
    outcome = desk.take([line("y"), wrong, GOOD], dry_run=True)
    assert counts(outcome) == {"accepted": 2, "rejected": 1}
    (problem,) = outcome.problems
    assert (problem.row, problem.severity) == (3, "error")
    assert clear(problem), problem.message
    return problem


# one wrong cell


@pytest.mark.parametrize(
    ("changes", "code", "column", "shown"),
    [
        ({"number": "2.65E+19"}, "number_lost", "发票号码", "2.65E+19"),
        ({"number": "2650200000000001"}, "bad_invoice_number", "发票号码", "2650200000000001"),
        ({"net": "1,2345.6"}, "bad_amount", "不含税金额", "1,2345.6"),
        ({"gross": "1060.001"}, "bad_amount", "价税合计", "1060.001"),
        ({"gross": "1e3"}, "bad_amount", "价税合计", "1e3"),
        ({"gross": "999999999999.00"}, "amount_too_large", "价税合计", "999999999999.00"),
        ({"issued": "2026-02-30"}, "bad_day", "开票日期", "2026-02-30"),
        ({"issued": "2026-08-16"}, "issued_in_future", "开票日期", "2026-08-16"),
        ({"gross": "1060.01"}, "sum_differs", "价税合计", "1060.01"),
        ({"seller_code": "91500000MA5UPP016X"}, "bad_uscc", "供方统一社会信用代码", "91500000MA5UPP016X"),
        ({"buyer_code": ""}, "required", "用方统一社会信用代码", ""),
        ({"since": "2026-07-31", "until": "2026-07-01"}, "span_reversed", "服务截止日", "2026-07-01"),
        ({"until": ""}, "span_half_given", "服务截止日", ""),
        ({"since": "2016-07-31"}, "span_too_long", "服务截止日", "2026-07-31"),
        ({"kind": "紫字"}, "bad_choice", "发票类型", "紫字"),
        ({"version": "CQ-COMPUTE-2"}, "unknown_template_version", "模板版本", "CQ-COMPUTE-2"),
        ({"tax_code": "304"}, "bad_tax_code", "税收分类编码", "304"),
        ({"contract": "HT|1"}, "bad_character", "合同编号", "HT|1"),
        ({"contract": "H" * 201}, "text_too_long", "合同编号", "H" * 200),
        ({"quantity": "很多"}, "bad_number", "用量", "很多"),
        ({"kind": "红字"}, "red_needs_original", "原发票号码", ""),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isascii() and "_" in value else "",
)  # fmt: skip
def test_a_wrong_cell_is_named_by_row_and_column(
    desk: Desk, changes: Cells, code: str, column: str, shown: str
) -> None:
    wrong = line("x", **{name: value for name, value in changes.items() if name != "net"})
    if "net" in changes:
        wrong["不含税金额"] = changes["net"]
    if code == "red_needs_original":
        wrong |= {name: "-" + wrong[name] for name in ("不含税金额", "税额", "价税合计")}
    problem = one_wrong(desk, wrong)
    assert (problem.code, problem.column, problem.value) == (code, column, shown)
    assert column in problem.message or problem.code in ("sum_differs", "span_reversed", "span_too_long",
                                                         "issued_in_future", "red_needs_original")  # fmt: skip


def test_a_seller_who_is_not_the_uploader_and_an_unknown_buyer_are_named(desk: Desk) -> None:
    p = GOOD["供方统一社会信用代码"]
    outcome = desk.take([line("x", seller="Q"), line("y", buyer="X"), GOOD], provider=p, dry_run=True)
    assert counts(outcome) == {"accepted": 1, "rejected": 2}
    assert said(outcome) == [(2, "not_the_uploader"), (3, "unknown_company")]
    columns = [problem.column for problem in outcome.problems]
    assert columns == ["供方统一社会信用代码", "用方统一社会信用代码"]
    assert all(clear(problem) for problem in outcome.problems)


def test_a_number_that_excel_has_lost_is_never_made_up_again(desk: Desk) -> None:
    row = line("x") | {"发票号码": 26502000000099900001.0}
    outcome = desk.take(xlsx_bytes(table([row, GOOD])), dry_run=True, name="月报.xlsx")
    assert counts(outcome) == {"accepted": 1, "rejected": 1}
    (problem,) = outcome.problems
    assert (problem.row, problem.code, problem.column) == (2, "number_lost", "发票号码")
    assert problem.value == "2.65020000000999E+19"


def test_every_fault_of_a_row_is_said_at_once(desk: Desk) -> None:
    wrong = line("x", issued="昨天", gross="一千", kind="?", tax_code="")
    outcome = desk.take([wrong], dry_run=True)
    assert {problem.code for problem in outcome.problems} == {"bad_day", "bad_amount", "bad_choice", "required"}
    assert {problem.row for problem in outcome.problems} == {2}


def test_a_row_of_another_width_is_a_fault_of_that_row(desk: Desk) -> None:
    rows = table([GOOD, line("y"), line("x")])
    rows[2], rows[3] = rows[2][:-5], [*rows[3], "多", "余"]
    outcome = desk.take(csv_bytes(rows), dry_run=True)
    assert said(outcome) == [(3, "too_few_cells"), (4, "too_many_cells")]
    assert counts(outcome) == {"accepted": 1, "rejected": 2}


# files that are not what they say


def test_a_file_is_told_by_its_content_and_never_by_its_name(desk: Desk) -> None:
    outcome = desk.take(csv_bytes(table([GOOD])), dry_run=True, name="月报.xlsx")
    assert counts(outcome) == {"accepted": 1}
    outcome = desk.take(xlsx_bytes(table([GOOD])), dry_run=True, name="月报.txt")
    assert counts(outcome) == {"accepted": 1}


PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256))
OLD = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600)


def zipped(entries: dict[str, bytes]) -> bytes:
    """Pack entries."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in entries.items():
            packed.writestr(name, data)
    return file.getvalue()


def changed(book: bytes, name: str, change: bytes) -> bytes:
    """Put another text before the root of one part of a workbook."""
    with zipfile.ZipFile(io.BytesIO(book)) as packed:
        parts = {entry: packed.read(entry) for entry in packed.namelist()}
    end = parts[name].index(b"?>") + 2
    parts[name] = parts[name][:end] + change + parts[name][end:]
    return zipped(parts)


BOOK = xlsx_bytes(table([GOOD]))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        (b"\n\n  \n", "empty_file"),
        (PDF, "document_broken"),
        (PNG, "not_a_spreadsheet"),
        (b"<html><table><tr><td>x</td></tr></table></html>", "not_a_spreadsheet"),
        (OLD, "old_excel"),
        (b"PK\x03\x04" + bytes(100), "zip_broken"),
        (BOOK[: len(BOOK) // 2], "zip_broken"),
        (zipped({"a.txt": b"x"}), "not_a_spreadsheet"),
        (zipped({"xl/workbook.xml": b"<workbook/>"}), "not_a_spreadsheet"),
        (zipped({"../xl/workbook.xml": b"<a/>", "xl/workbook.xml": b"<a/>"}), "zip_path"),
        (changed(BOOK, "xl/workbook.xml", b'<!DOCTYPE x [<!ENTITY a "b">]>'), "doctype_refused"),
        (changed(BOOK, "xl/worksheets/sheet1.xml", b'<!doctype x SYSTEM "file:///etc/passwd">'), "doctype_refused"),
        (csv_bytes(table([GOOD], HEADER[1:])), "missing_columns"),
        (csv_bytes(table([GOOD], HEADER[:5] + HEADER[6:])), "missing_columns"),
        (csv_bytes([["你好", "世界"], ["1", "2"]]), "header_not_found"),
        (csv_bytes(table([GOOD], [*HEADER, "发票号码"])), "duplicate_columns"),
        (csv_bytes([HEADER]), "no_rows"),
        (xlsx_bytes([HEADER]), "no_rows"),
        (csv_bytes(table([GOOD])) + b'"x,' + b"y\n" * 9, "unterminated_quote"),
        (csv_bytes(table([GOOD])) + b"\xff\xff\xff", "undecodable_text"),
        (b"\0" * 5_000, "not_a_spreadsheet"),
        (csv_bytes(table([GOOD])) + b"a" * (5 * MIB), "record_too_long"),
        (csv_bytes([[*HEADER, *map(str, range(300))], ["x"]]), "too_many_columns"),
    ],
    ids=[
        "empty", "only a mark", "only blanks", "pdf", "png", "web page", "old excel", "broken zip", "half a workbook",
        "another zip", "a workbook without sheets", "unsafe path", "doctype", "external doctype",
        "first column missing", "a column missing", "another table", "a column twice", "no rows", "no rows in xlsx",
        "open quote", "no encoding", "zeros", "a line without end", "too wide",
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(desk: Desk, data: bytes, code: str) -> None:
    problem = refused(desk, data)
    assert problem.code == code


def test_the_missing_column_is_named(desk: Desk) -> None:
    problem = refused(desk, csv_bytes(table([GOOD], [name for name in HEADER if name != "税额"])))
    assert (problem.row, problem.value) == (1, "税额")
    assert "税额" in problem.message


def test_a_workbook_with_a_password_is_told_from_a_broken_one(desk: Desk) -> None:
    book = bytearray(BOOK)
    at = -1
    while (at := book.find(b"PK\x03\x04", at + 1)) >= 0:
        book[at + 6] |= 1
    while (at := book.find(b"PK\x01\x02", at + 1)) >= 0:
        book[at + 8] |= 1
    assert refused(desk, bytes(book)).code == "zip_encrypted"


# files that would cost too much

_LIMITED = """
import sys
from pathlib import Path
from importers import accept
from importers.accept import Asked
from voucher import database
from voucher.access import User
from datetime import date
engine = database.make_engine(sys.argv[1])
def peak():  # getrusage would tell the peak of the process that started this one
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
before = peak()
asked = Asked("", "", date(2026, 8, 15))
for path in sys.argv[2:]:
    outcome = accept.import_file(engine, Path(path), User("maker1", "maker", None), asked)
    print(outcome.problems[0].code, outcome.exit_status, outcome.problems[0].message)
    print((peak() - before) // 1024)
"""


def zeros(path: Path, mib: int) -> None:
    """Make a file of zeros that takes no room."""
    with path.open("wb") as file:
        file.truncate(mib * MIB)


def bomb(size: int, name: str = "xl/worksheets/sheet1.xml", start: bytes = b"<worksheet><sheetData>") -> bytes:
    """Make a workbook one part of which inflates hugely."""
    with zipfile.ZipFile(io.BytesIO(BOOK)) as packed:
        parts = {entry: packed.read(entry) for entry in packed.namelist() if entry != name}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for entry, data in parts.items():
            made.writestr(entry, data)
        with made.open(name, "w", force_zip64=True) as part:
            part.write(start)
            for _ in range(size // MIB):
                part.write(b" " * MIB)
    return file.getvalue()


def huge_sheet() -> bytes:
    """Make a workbook that claims a huge sheet."""
    cells = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    with zipfile.ZipFile(io.BytesIO(BOOK)) as packed:
        parts = {entry: packed.read(entry) for entry in packed.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    end = sheet.index(b"<sheetData>") + len(b"<sheetData>")
    parts["xl/worksheets/sheet1.xml"] = sheet[:end] + cells + sheet[sheet.index(b"</sheetData>") :]
    return zipped(parts)


def test_files_that_would_cost_much_are_given_up_early_in_little_memory(desk: Desk, tmp_path: Path) -> None:
    """One process of its own for all of them: none may take more than 40 MiB beyond what its imports took."""
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    files = {
        "四千兆.csv": (4097, "file_too_large 1 文件有4097.0MB，超过上限4096.0MB"),
        "零.csv": (48, "not_a_spreadsheet 1 "),
        "炸.xlsx": (bomb(64 * MIB), "zip_bomb 1 "),
        "图.xlsx": (bomb(64 * MIB, "xl/media/image1.png"), "zip_bomb 1 "),
        "大.xlsx": (huge_sheet(), "too_many_cells_in_sheet 1 "),
        "炸.ofd": (bomb(64 * MIB, "OFD.xml", b"<OFD>").replace(b"xl/workbook", b"xl/workbooK"), "zip_bomb 1 "),
        "笑.xml": (b'<!DOCTYPE x [<!ENTITY l0 "x">' + laughs + b"]><EInvoice>&l9;</EInvoice>", "doctype_refused 1 "),
        "深.xml": (b"<a>" * 400_000, "xml_broken 1 "),
        "长.xml": (b"<EInvoice>" + b"x" * (6 * MIB) + b"</EInvoice>", "paper_too_large 1 "),
    }
    for name, (data, _) in files.items():
        if isinstance(data, int):
            zeros(tmp_path / name, data)
        else:
            (tmp_path / name).write_bytes(data)
    before = left(desk)
    url = desk.engine.url.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, url, *(str(tmp_path / name) for name in files)],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    said = done.stdout.splitlines()
    for (name, (_, expected)), words, mib in zip(files.items(), said[::2], said[1::2], strict=True):
        assert words.startswith(expected), name
        assert int(mib) < 40, name
    assert left(desk) == before


# whatever comes


def harmless(desk: Desk, data: bytes, name: str) -> Outcome:
    """Import bytes as a dry run: no exception, a result that adds up, clear sentences."""
    outcome = desk.take(data, dry_run=True, name=name)
    assert sum(outcome.counts.values()) == outcome.rows
    assert outcome.exit_status in (0, 1, 3)
    assert all(clear(problem) for problem in outcome.problems)
    return outcome


quick = settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@quick
@given(st.binary(max_size=400))
@example(b"PK\x05\x06" + bytes(18))
@example(b"\xff\xfe\x00\xd8")
@example(csv_bytes([HEADER])[:-1] + b"\r")
@example(csv_bytes([HEADER]) + b'"')
def test_no_bytes_are_an_accident(desk: Desk, data: bytes) -> None:
    harmless(desk, data, "任意.csv")


text_cells = st.one_of(
    st.sampled_from([*GOOD.values(), "-1", "0", "'5", "１２", "2026-02-29", "\x00", "\ud7ff", "\\N", "\\", "\t"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)


@quick
@given(st.lists(st.dictionaries(st.sampled_from(HEADER), text_cells, max_size=3), max_size=5))
def test_no_cells_are_an_accident(desk: Desk, changes: list[dict[str, str]]) -> None:
    data = csv_bytes(table([GOOD | change for change in changes]))
    harmless(desk, data, "任意.csv")


@quick
@given(st.integers(0, len(BOOK) - 1), st.binary(min_size=1, max_size=8))
def test_no_damage_to_a_workbook_is_an_accident(desk: Desk, at: int, damage: bytes) -> None:
    harmless(desk, BOOK[:at] + damage + BOOK[at + len(damage) :], "任意.xlsx")
