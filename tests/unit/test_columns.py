"""Headers are found by name, in any order and dress."""

import pytest

from importers.columns import RETURN_COLUMNS, STAGED, Column, ColumnReader, ColumnType, find_header, match_header
from importers.formats import cq_compute_1

COLUMNS = (
    Column("发票号码", "number", "id", True),
    Column("税额", "tax", "money", True),
    Column("备注", "remark", "text"),
)


@pytest.mark.parametrize(
    "row",
    [
        ["发票号码", "税额", "备注"], ["备注", "x", "税额*", " 发票号码 "], ["发 票\n号码＊", "税额", "备注", "", ""],
        ["\ufeff发票号码", "税额", "\u3000备注"],
    ],
)  # fmt: skip
def test_order_stars_blanks_and_line_ends_do_not_matter(row: list[str]) -> None:
    header = match_header(COLUMNS, "", 1, row)
    assert not header.missing
    assert [COLUMNS[i].name for i, place in enumerate(header.positions) if place is not None] == [
        c.name for c in COLUMNS
    ]


def test_missing_and_doubled_columns_are_named() -> None:
    header = match_header(COLUMNS, "", 1, ["发票号码", "发票号码", "无关", "无关", "", ""])
    assert (header.missing, header.duplicated) == (("税额", "备注"), ("发票号码",))
    assert header.cells == ("发票号码", "发票号码", "无关", "无关")


def test_the_row_that_names_most_columns_is_the_header() -> None:
    rows = [
        ("s", 1, ["发票号码说明"]),
        ("s", 2, ["发票号码"]),
        ("s", 4, ["发票号码", "税额", "备注"]),
        ("s", 5, ["1", "2", "3"]),
    ]
    found = find_header(COLUMNS, rows)
    assert found is not None
    assert found.row_no == 4


def test_a_row_that_names_hardly_any_column_is_no_header() -> None:
    assert find_header(cq_compute_1.COLUMNS, [("", 1, ["发票号码", "开票日期", "价税合计"])]) is None
    assert find_header(COLUMNS, []) is None


def test_the_template_declares_every_staged_field_in_order() -> None:
    assert [c.field for c in cq_compute_1.COLUMNS if c.field] == [staged.name for staged in STAGED]
    assert [c.name for c in cq_compute_1.COLUMNS if c.field] == [staged.column for staged in STAGED]


def test_the_template_is_known_with_a_column_missing_and_others_are_not() -> None:
    names = [column.name for column in cq_compute_1.COLUMNS]
    assert cq_compute_1.matches([*names, *RETURN_COLUMNS])
    assert cq_compute_1.matches(names[1:])
    assert cq_compute_1.matches(["模板版本"])
    export = (
        "序号|发票代码|发票号码|数电发票号码|销方识别号|销方名称|购方识别号|购买方名称|开票日期|税收分类编码|特定业务类型|"
        "货物或应税劳务名称|规格型号|单位|数量|单价|金额|税率|税额|价税合计|发票来源|发票票种|发票状态|是否正数发票|"
        "发票风险等级|开票人|备注"
    )
    assert not cq_compute_1.matches(export.split("|"))


@pytest.mark.parametrize(
    ("type_", "cell", "value", "code"),
    [
        ("money", "#N/A", None, "formula_error"), ("text", "#公式无结果：=A1", None, "formula_error"),
        ("text", "#1 机房", "#1 机房", None), ("money", "#合并单元格：5", 500, "merged_cells"),
        ("number", "#合并单元格：5", "5", "merged_cells"), ("text", "#合并单元格：甲", "甲", None),
        ("id", "#合并单元格：26502000000000000001", "26502000000000000001", None),
    ],
)  # fmt: skip
def test_no_column_takes_a_formula_in_error_or_a_sum_of_merged_rows(
    type_: ColumnType, cell: str, value: str | int | None, code: str | None
) -> None:
    reader = ColumnReader(Column("甲", "a", type_))
    read = reader.read([cell])[0]
    assert (read if code != "formula_error" else None, reader.notes.get(cell)) == (value, code)


def test_a_column_forgets_between_chunks_but_never_within_one() -> None:
    reader = ColumnReader(COLUMNS[1])
    reader.LIMIT = 3
    for chunk in (["", "x", "1", "y", "2"], ["", "x", "1", "y", "2"]):
        assert reader.read(chunk) == [None, None, 100, None, 200]
        assert reader.notes == {"": "required", "x": "bad_amount", "y": "bad_amount"}


def test_required_choice_and_optional_cells_are_noted_as_such() -> None:
    reader = ColumnReader(Column("类型", "kind", "choice", True, (("蓝字", "blue"),)))
    assert reader.read(["蓝字", " 蓝字 ", "", "蓝"]) == ["blue", "blue", None, None]
    assert reader.notes == {"": "required", "蓝": "bad_choice"}
    assert ColumnReader(COLUMNS[2]).read(["", " "]) == [None, None]
