"""What a file is by its content, and which files are never opened."""

import dataclasses
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importers import guard
from importers.limits import LIMITS, MIB, Limits

SMALL = dataclasses.replace(LIMITS, file_bytes=4 * MIB, inflated_bytes=8 * MIB, ratio_from=MIB, zip_entries=20)
SHEET = b'<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row>%s</sheetData></worksheet>'


def _packed(folder: Path, parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "sample"
    with zipfile.ZipFile(path, "w", method) as packed:
        for name, data in parts.items():
            packed.writestr(name, data)
    return path


def _book(folder: Path, **parts: bytes) -> Path:
    return _packed(
        folder, {"xl/workbook.xml": b"<workbook/>"} | {k.replace("__", "/") + ".xml": v for k, v in parts.items()}
    )


def _codes(path: Path, limits: Limits = SMALL) -> list[str]:
    return [problem.code for problem in guard.check_file(path, limits)]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n", "empty"),
        (b"a,b\n1,2\n", "csv"),
        ("发票".encode("gbk"), "csv"),
        ("\ufeffa".encode("utf-16-le"), "csv"),
        (b"a\0b", "unknown"),
        (bytes(1000), "unknown"),
        (b"%PDF-1.7\n", "pdf"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "xls"),
        (b"\x09\x08\x10\x00\x00\x06", "xls"),
        (b"<?xml version='1.0'?><EInvoice/>", "xml"),
        (b"\xef\xbb\xbf\n<EInvoice/>", "xml"),
        ("\ufeff<EInvoice/>".encode("utf-16-le"), "xml"),
        (b"<html><table>", "unknown"),
        (b"<!DOCTYPE html><p>", "unknown"),
        (b"PK\x03\x04 broken", "zip"),
        (b"PK\x05\x06" + bytes(18), "zip"),
    ],
)
def test_the_kind_is_told_by_content(tmp_path: Path, data: bytes, kind: str) -> None:
    path = tmp_path / "always.xlsx"
    path.write_bytes(data)
    assert guard.kind_by_content(path) == kind


def test_packed_files_are_told_by_the_names_within(tmp_path: Path) -> None:
    assert guard.kind_by_content(_book(tmp_path)) == "xlsx"
    assert guard.kind_by_content(_packed(tmp_path, {"OFD.xml": b"<x/>"})) == "ofd"
    assert guard.kind_by_content(_packed(tmp_path, {"a.csv": b"1"})) == "zip"
    assert guard.kind_by_content(_packed(tmp_path, {"xl/workbook.bin": b"1"})) == "zip"


def test_sound_files_pass(tmp_path: Path) -> None:
    path = tmp_path / "book"
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet().write_string(0, 0, "x")
    book.close()
    assert _codes(path) == []
    (tmp_path / "csv").write_bytes(b"a,b\n")
    assert _codes(tmp_path / "csv") == []
    assert _codes(tmp_path / "none") == []


def test_old_workbooks_empty_binary_and_large_files_say_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "sample"
    for data, code in (
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_excel"),
        (b"", "empty_file"),
        (bytes(100), "not_a_spreadsheet"),
        (b"a" * (4 * MIB + 1), "file_too_large"),
    ):
        path.write_bytes(data)
        (problem,) = guard.check_file(path, SMALL)
        assert (problem.code, problem.severity) == (code, "blocking")
        assert "请" in problem.message


def test_five_gigabytes_of_zeros_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "zeros.csv"
    with path.open("wb") as file:
        file.truncate(5 << 30)
    assert _codes(path, LIMITS) == ["file_too_large"]
    os.truncate(path, 900 << 20)
    assert _codes(path, LIMITS) == ["not_a_spreadsheet"]


def test_other_archives_and_office_files_are_called_by_their_name(tmp_path: Path) -> None:
    path = tmp_path / "sample"
    for data in (b"Rar!\x1a\x07\x01\0", b"7z\xbc\xaf\x27\x1c\0", b"\x1f\x8b\x08\0"):
        path.write_bytes(data)
        assert "重新打包成 zip" in guard.check_file(path)[0].message
    for name in ("[Content_Types].xml", "META-INF/manifest.xml"):
        office = _packed(tmp_path, {name: b"<x/>", "content.xml": b"<x/>"})
        assert guard.kind_by_content(office) == "unknown"
        assert "其他办公文件" in guard.check_file(office)[0].message


def test_a_bomb_is_given_up_by_what_really_comes_out(tmp_path: Path) -> None:
    assert _codes(_book(tmp_path, xl__a=b" " * (2 * MIB))) == ["zip_bomb"]
    halves = {f"p{n}": os.urandom(MIB // 2) * 3 for n in range(6)}
    assert _codes(_packed(tmp_path, halves), dataclasses.replace(SMALL, file_bytes=64 * MIB)) == ["zip_bomb"]


def test_a_bomb_below_the_smallest_size_that_counts_passes(tmp_path: Path) -> None:
    assert _codes(_book(tmp_path, xl__a=b" " * (MIB - 1))) == []


def test_a_false_size_is_no_way_in(tmp_path: Path) -> None:
    path = _book(tmp_path, xl__a=b" " * (2 * MIB))
    data = bytearray(path.read_bytes())
    size = struct.pack("<I", 2 * MIB)
    while (at := data.find(size)) >= 0:
        data[at : at + 4] = struct.pack("<I", 100)
    path.write_bytes(data)
    assert _codes(path) == ["zip_broken"]


def test_many_entries_and_a_long_directory_are_refused(tmp_path: Path) -> None:
    assert _codes(_packed(tmp_path, {f"p{n}": b"" for n in range(21)})) == ["zip_bomb"]
    path = _book(tmp_path)
    data = bytearray(path.read_bytes())
    end = data.rfind(b"PK\x05\x06")
    data[end + 12 : end + 16] = struct.pack("<I", 1 << 30)
    path.write_bytes(data)
    assert _codes(path) == ["zip_bomb"]


@pytest.mark.parametrize("name", ["../x.xml", "/etc/x.xml", "a/../../x", "..\\x", "C:\\x", "a\\..\\b"])
def test_unsafe_names_are_refused(tmp_path: Path, name: str) -> None:
    assert _codes(_packed(tmp_path, {"xl/workbook.xml": b"<x/>", name: b"x"})) == ["zip_path"]


def test_an_encrypted_or_twice_named_entry_is_refused(tmp_path: Path) -> None:
    path = _book(tmp_path, xl__a=b"<x/>")
    data = bytearray(path.read_bytes())
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert _codes(path) == ["zip_encrypted"]
    with zipfile.ZipFile(tmp_path / "two", "w") as packed:
        packed.writestr("xl/workbook.xml", b"<x/>")
        with pytest.warns(UserWarning, match="Duplicate"):
            packed.writestr("xl/workbook.xml", b"<y/>")
    assert _codes(tmp_path / "two") == ["zip_broken"]


@pytest.mark.parametrize(
    "part",
    [
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><worksheet/>",
        b"<?xml version='1.0'?>\n<! DOCTYPE x><worksheet/>",
        b"<worksheet/>" + b" " * ((1 << 18) - 15) + b"<!ENTITY a 'b'>",
        "\ufeff<!DOCTYPE x><w/>".encode("utf-16-le"),
    ],
)
@pytest.mark.parametrize("name", ["xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.bin", "_rels/.rels"])
def test_a_declaration_in_any_part_is_refused(tmp_path: Path, part: bytes, name: str) -> None:
    path = _packed(tmp_path, {"xl/workbook.xml": b"<workbook/>", name: part})
    expected = ["doctype_refused"] if not name.endswith(".bin") or part.lstrip(b"\xff\xfe").startswith(b"<") else []
    assert _codes(path) == expected


def test_a_declaration_in_a_plain_xml_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sample"
    path.write_bytes(b"<?xml version='1.0'?><!DOCTYPE x SYSTEM 'file:///x'><EInvoice/>")
    assert _codes(path) == ["doctype_refused"]
    path.write_bytes(b"<EInvoice/>")
    assert _codes(path) == []


@pytest.mark.parametrize(
    "rows",
    [
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        b"<row r='2'><c r = 'xfd900000' ><v>1</v></c></row>",
        b'<x:row r="2"><x:c\tr="AAAA1"/><x:c r="ZZ1048576"/></x:row>',
        b"<row/>" * 60_000 + b"<row>" + b"<c/>" * 300 + b"</row>",
        b"<row/>" * 60_000 + b"<x:row>" + b"<x:c/>" * 300 + b"</x:row>",
        b'<row r="9999999992"><c/></row>',
        b'<row r="2"><c r="B0000099999999"/></row>',
        b'<row r="2"><c r="ZZZZZZ2"/></row>',
        b'<row r="2"><c r="' + b"Z" * 60 + b'2"/></row>',
        b'<!--sst--><row r="2"><c r="B99999999"/></row>',
        b" " * ((1 << 18) - 340) + b'<row r="2"><c r="B9999' + b"9" * 60 + b'"/></row>',
    ],
)
def test_a_sheet_whose_rectangle_is_huge_is_refused(tmp_path: Path, rows: bytes) -> None:
    path = _book(tmp_path, xl__worksheets__sheet1=SHEET % rows)
    assert _codes(path, LIMITS) == ["too_many_cells_in_sheet"]


def test_a_sheet_of_half_a_million_honest_rows_passes(tmp_path: Path) -> None:
    rows = b"".join(b'<row r="%d"><c r="W%d"><v>1</v></c></row>' % (n, n) for n in range(2, 500_000, 25))
    assert _codes(_book(tmp_path, xl__worksheets__sheet1=SHEET % rows), LIMITS) == []


def test_a_long_text_that_a_million_cells_repeat_is_refused(tmp_path: Path) -> None:
    strings = b" " * 5_000 + b'<si a="b"><t>' + os.urandom(20_000).hex().encode() + b"</t></si>"
    rows = b"".join(b'<row r="%d"><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>' % n for n in range(2, 60_000))
    path = _book(tmp_path, xl__sharedStrings=strings, xl__worksheets__sheet1=SHEET % rows)
    assert _codes(path, LIMITS) == ["repeated_text"]


@pytest.mark.parametrize("count", [b"999999999", b"0" * 60 + b"9", b"&#57;", b"-1"])
def test_a_part_that_says_it_has_a_billion_texts_is_refused(tmp_path: Path, count: bytes) -> None:
    for lead in (0, (1 << 18) - 18, (1 << 18) - 8):
        strings = b" " * lead + b"<sst uniqueCount = '" + count + b"'><si><t>x</t></si></sst>"
        assert _codes(_book(tmp_path, xl__sharedStrings=strings), LIMITS) == ["zip_bomb"]
    assert _codes(_book(tmp_path, xl__sharedStrings=strings.replace(count, b"12345678")), LIMITS) == []


def test_an_ofd_has_tighter_limits(tmp_path: Path) -> None:
    path = _packed(tmp_path, {"OFD.xml": b"<x/>", "a": os.urandom(11 * MIB)}, zipfile.ZIP_STORED)
    assert _codes(path, LIMITS) == ["file_too_large"]


def test_a_bomb_costs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "sample"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"<workbook/>")
        with packed.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(64):
                part.write(b"<a>" * (MIB // 3))
    code = (
        "import sys, pathlib; from importers import guard;"
        "p = guard.check_file(pathlib.Path(sys.argv[1]));"
        # VmHWM starts anew at exec; ru_maxrss would count the pages of the test process that forked this one.
        "peak = pathlib.Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0];"
        "print(p[0].code, int(peak) // 1024)"
    )
    run = [sys.executable, "-c", code, str(path)]
    root = Path(__file__).resolve().parents[2]
    found, megabytes = subprocess.run(run, cwd=root, capture_output=True, text=True, check=True).stdout.split()
    assert found == "zip_bomb"
    assert int(megabytes) < 100


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"<", b"\xff\xfe<"]))
@settings(print_blob=True, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_bytes_make_the_guard_raise(tmp_path: Path, data: bytes, start: bytes) -> None:
    path = tmp_path / "sample"
    path.write_bytes(start + data)
    guard.check_file(path)


@given(st.data())
@settings(print_blob=True, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_no_broken_workbook_makes_the_guard_raise(tmp_path: Path, data: st.DataObject) -> None:
    packed = bytearray(_book(tmp_path, xl__worksheets__sheet1=SHEET % b"").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "broken"
    path.write_bytes(packed[: data.draw(st.integers(1, len(packed)))])
    guard.check_file(path)
