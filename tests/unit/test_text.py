"""Encodings by a fixed cascade over the whole file, and cells without what cannot be seen."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importers import text

CHINESE = "发票号码,名称\n26502000000099900001,䶮𬭎㐀€合成公司\n"


def _file(folder: Path, data: bytes) -> Path:
    path = folder / "sample"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("codec", "expected"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("utf-16", "utf-16")],
)
def test_each_encoding_of_the_cascade_is_read_without_loss(tmp_path: Path, codec: str, expected: text.Encoding) -> None:
    path = _file(tmp_path, CHINESE.encode(codec))
    decision = text.decide(path)
    assert decision.encoding == expected
    with text.open_wire(path, expected) as file:
        assert text.plain(file.read(), "latin-1") == CHINESE


def test_big_endian_utf_16_is_told_by_its_mark(tmp_path: Path) -> None:
    path = _file(tmp_path, b"\xfe\xff" + CHINESE.encode("utf-16-be"))
    assert text.decide(path).encoding == "utf-16"
    with text.open_wire(path, "utf-16") as file:
        assert text.plain(file.read(), "latin-1") == CHINESE


def test_mostly_ascii_gbk_is_gb18030_and_nothing_korean(tmp_path: Path) -> None:
    data = ("a,b,c\n" * 5000 + "合成,1,2\n").encode("gbk")
    assert text.decide(_file(tmp_path, data)).encoding == "gb18030"


def test_one_wrong_byte_behind_megabytes_decides(tmp_path: Path) -> None:
    data = "合成,1\n".encode() * 300_000
    assert text.decide(_file(tmp_path, data + b"\xff\xff\n")).encoding is None


def test_a_character_cut_at_the_end_is_undecodable(tmp_path: Path) -> None:
    assert text.decide(_file(tmp_path, "名称\n合".encode("gb18030")[:-1])) == text.Decision(None, "undecodable")


def test_a_nul_and_an_endless_line_are_no_table(tmp_path: Path) -> None:
    assert text.decide(_file(tmp_path, b"a,b\n\0")).fault == "nul"
    assert text.decide(_file(tmp_path, b"," * (3 << 20))).fault == "long_line"


def test_gb18030_in_small_pieces_keeps_every_character(tmp_path: Path) -> None:
    content = "合成𬭎，" * 400_000 + "\n"
    lines = content.replace("，", "，\n", 50_000)
    path = _file(tmp_path, lines.encode("gb18030"))
    with text.open_wire(path, "gb18030") as file:
        assert text.plain("".join(file), "latin-1") == lines


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("  合成 公司\u3000", "合成 公司"), ("\u200b\ufeff甲\u00a0", "甲"), ("甲\n乙", "甲 乙"), ("（有限）", "（有限）"),
     ("\0", ""), ("", "")],
)  # fmt: skip
def test_a_text_loses_only_what_cannot_be_seen(cell: str, expected: str) -> None:
    assert text.clean(cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("２６５０\t", "2650"), ("－１２３．４５", "-123.45"), ("ＨＴ－１", "HT-1"), ("'0012", "0012"), ("`0012", "0012"),
     ("\u200b91５", "915"), ("−5", "-5"), ("６％", "6%")],
)  # fmt: skip
def test_an_identifier_becomes_half_width(cell: str, expected: str) -> None:
    assert text.clean_id(cell) == expected


@given(st.text())
def test_plain_undoes_wire(content: str) -> None:
    assert text.plain(text.wire(content, "latin-1"), "latin-1") == content


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
@settings(print_blob=True, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_utf8_comes_back_as_it_was(tmp_path: Path, content: str) -> None:
    path = _file(tmp_path, content.encode())
    decision = text.decide(path)
    if decision.encoding is not None:
        with text.open_wire(path, decision.encoding) as file:
            assert text.plain(file.read(), "latin-1") == content.removeprefix("\ufeff")
