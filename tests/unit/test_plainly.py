"""What a page leaves out of a sentence: what speaks of the command line, and nothing that a visitor has to know."""

import pytest

from importers.catalogue import CATALOGUE
from portal.show import plainly

CUT = "发票1已经受理过，但这次的内容不同（供方不同），请核对原件；"


@pytest.mark.parametrize("name", ["月报--final.csv", "a --b.csv", "_--a.csv", "cvl 月报.csv", "x cvl report.csv"])
def test_a_file_that_is_called_like_a_command_keeps_its_reason(name: str) -> None:
    said = f"{name}：{CUT}请上传红字和新发票。"
    assert plainly(said) == said


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("没有编号为 1 的批次。请用 cvl settle list 查看。", "没有编号为 1 的批次。"),
        (f"{CUT}由经办人员核定（cvl invoice show 1 列出可用的命令）。", f"{CUT}由经办人员核定。"),
        (f"{CUT}请用 cvl import map 建立对应关系。", f"{CUT.removesuffix('；')}。"),
        ("请补填后上传，或再上传一次并指明服务月份（--service-month）。", "请补填后上传，或再上传一次并指明服务月份。"),
        ("服务商只能上传本单位的文件。请去掉 --provider 或填写本单位的代码。", "服务商只能上传本单位的文件。"),
    ],
)
def test_a_command_is_left_out_and_what_stands_around_it_stays(said: str, left: str) -> None:
    assert plainly(said) == left


@pytest.mark.parametrize("code", CATALOGUE)
def test_what_is_wrong_with_a_file_is_said_on_a_page_too(code: str) -> None:
    entry = CATALOGUE[code]
    left = plainly(f"{entry.wrong}，{entry.advice}。")
    assert left.startswith(entry.wrong)
    assert "cvl " not in left
    assert "--" not in left
