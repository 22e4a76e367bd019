"""Pages and charts: the same data gives the same bytes, Chinese is Chinese, and no page is a page of boxes."""

import io

import pypdf
import pytest
import typst

from reconciliation import typeset
from voucher.errors import Refused

LONG = "政策施行前的服务日不计入，对应金额100,000.00元。"


def sheet(rows: int) -> dict[str, object]:
    block = {
        "heading": "四、按日分摊", "notes": ["各段相加等于计算基数。"], "columns": ["<起", ">金额", "<理由"],
        "rows": [[f"2026-01-{n % 28 + 1:02d}", f"{n}.00", LONG] for n in range(rows)],
    }  # fmt: skip
    return {"title": "计算底稿", "subtitle": "发票 1", "footer": "截至第 1 号", "blocks": [block]}


def pages(data: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]


def test_the_same_data_gives_the_same_bytes() -> None:
    assert typeset.typeset("sheet", sheet(3)) == typeset.typeset("sheet", sheet(3))
    assert typeset.typeset("sheet", sheet(3)) != typeset.typeset("sheet", sheet(4))


def test_a_page_is_read_back_as_it_was_written() -> None:
    (page,) = pages(typeset.typeset("sheet", sheet(2)))
    for words in ("计算底稿", "四、按日分摊", LONG, "2026-01-02", "1.00"):
        assert words in "".join(page.split())


def test_a_long_sheet_is_set_smaller_to_stay_on_one_page_and_goes_on_when_it_cannot() -> None:
    assert len(pages(typeset.typeset("sheet", sheet(60)))) == 1
    many = pages(typeset.typeset("sheet", sheet(150)))
    assert len(many) > 1
    assert sum(page.count("2026-01-") for page in many) == 150


def test_what_a_user_wrote_is_text_and_never_markup() -> None:
    data = sheet(1) | {"title": "#panic() *粗* $x$ <a>"}
    assert "#panic() *粗* $x$ <a>" in pages(typeset.typeset("sheet", data))[0]


def test_without_a_chinese_font_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    none = typst.Fonts(include_system_fonts=False)
    monkeypatch.setattr(typeset, "_places", lambda: iter([none]))
    typeset.chinese_font.cache_clear()
    try:
        with pytest.raises(Refused, match="fonts-noto-cjk"):
            typeset.typeset("sheet", sheet(1))
    finally:
        typeset.chinese_font.cache_clear()
