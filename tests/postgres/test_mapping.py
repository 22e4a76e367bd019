"""A provider's own sheet is mapped once and read by itself from then on."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from console import mappings
from importers import mapping, returns
from importers.guess import NAMES, guess
from importers.limits import LIMITS
from importers.mapping import Profile
from tests.postgres.desk import HEADER, MAKER, Desk, counts, csv_bytes, line, real, said, table
from tests.samples.usage import ALIBABA
from voucher.database import run
from voucher.errors import Misused

OWN = {
    "发票号码": "票 号*", "开票日期": "开具日期", "供方统一社会信用代码": "销方税号", "供方名称": "销方",
    "用方统一社会信用代码": "客户税号", "用方名称": "客户", "服务起始日": "计费开始", "服务截止日": "计费结束",
    "税收分类编码": "税编", "项目名称": "品名", "用量": "卡时数", "不含税金额": "净额", "税率": "税率", "税额": "税金",
    "价税合计": "含税金额",
}  # fmt: skip
PROFILE = Profile(OWN, {"发票类型": "蓝字", "计量单位": "卡时"})
SELLER = line("a")["供方统一社会信用代码"]


def sheet(*rows: dict[str, str]) -> bytes:
    cells = [[row[ours] for ours in OWN] for row in rows]
    return csv_bytes([["某某公司用量明细"], list(OWN.values()), *cells])


def save(desk: Desk, profile: Profile = PROFILE, provider: str = "") -> bool:
    return run(desk.engine, lambda db: mapping.save(db, MAKER, provider, list(OWN.values()), profile))


def test_a_mapped_sheet_is_read_as_a_template_would_be(desk: Desk) -> None:
    save(desk)
    outcome = desk.take(sheet(line("a"), line("b", "12.34")))
    assert (counts(outcome), outcome.format) == ({"accepted": 2}, "MAPPED")
    assert desk.rows("SELECT net_fen, kind, evidence FROM invoice ORDER BY place") == [
        (100_000, "blue", "template"), (1_234, "blue", "template"),
    ]  # fmt: skip
    assert desk.rows("SELECT DISTINCT unit FROM invoice_line") == [("卡时",)]
    same = line("a", unit="卡时", contract="") | {"规格型号": ""}
    assert counts(desk.take([same])) == {"duplicate": 1}


def test_an_unknown_header_names_what_is_missing_and_what_it_would_guess(desk: Desk) -> None:
    (problem,) = desk.take(sheet(line("a"))).problems
    assert (problem.code, problem.severity) == ("unknown_header", "blocking")
    assert "发票类型" in problem.value
    assert "“净额”可能是“不含税金额”" in problem.message
    assert desk.rows("SELECT count(*) FROM upload") == [(0,)]


@pytest.mark.parametrize(
    ("header", "name"), [(HEADER, "CQ-COMPUTE-1"), (HEADER[1:], "CQ-COMPUTE-1"), (ALIBABA, "ALIBABA-BILL")]
)
def test_what_a_format_would_read_in_any_case_is_not_mapped(header: list[str], name: str, tmp_path: Path) -> None:
    path = tmp_path / "模板.csv"
    path.write_bytes(csv_bytes(table([line("a")], header)))
    with pytest.raises(Misused, match=rf"已经认得这张表（{name}）"):
        mapping.header_of(path, "csv")


def test_a_profile_is_the_providers_own_and_the_newest_holds(desk: Desk) -> None:
    save(desk, provider=SELLER)
    assert desk.take(sheet(line("a"))).exit_status == 1
    assert counts(desk.take(sheet(line("a")), provider=SELLER)) == {"accepted": 1}
    changed = Profile({k: v for k, v in OWN.items() if k != "用量"}, PROFILE.constants)
    assert [save(desk, each, SELLER) for each in (changed, changed, PROFILE)] == [True, False, True]
    save(desk, changed, SELLER)
    desk.take(sheet(line("b")), provider=SELLER)
    assert desk.rows("SELECT usage_qty FROM invoice_line ORDER BY 1 NULLS LAST") == [(1,), (None,)]


def test_what_was_wrong_comes_back_in_their_own_columns_and_goes_in_again(desk: Desk, tmp_path: Path) -> None:
    save(desk)
    outcome = desk.take(sheet(line("a"), line("b") | {"税额": "0.01"}))
    assert counts(outcome) == {"accepted": 1, "rejected": 1}
    back = tmp_path / "back.xlsx"
    returns.write(back, outcome.header, outcome.failing, outcome.problems)
    again = desk.take(back)
    assert (again.format, counts(again), said(again)[0][1]) == ("MAPPED", {"rejected": 1}, "sum_differs")


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (Profile({k: v for k, v in OWN.items() if k != "税额"}, PROFILE.constants), "缺少必填的“税额”"),
        (Profile(OWN, {"计量单位": "卡时"}), "缺少必填的“发票类型”"),
        (Profile(OWN, PROFILE.constants | {"发票类型": "绿字"}), "固定内容“绿字”无效"),
        (Profile(OWN | {"备注": "没有的列"}, PROFILE.constants), "表里没有“没有的列”"),
        (Profile(OWN | {"备注": "品名"}, PROFILE.constants), "用了两次"),
        (Profile(OWN | {"单价": "品名"}, PROFILE.constants), "模板没有“单价”"),
        (Profile(OWN, PROFILE.constants | {"税率": "6%"}), "既对应了列又写了固定内容"),
    ],
)
def test_a_profile_that_cannot_read_the_sheet_is_refused(desk: Desk, profile: Profile, words: str) -> None:
    with pytest.raises(Misused, match=words):
        save(desk, profile)


def test_a_profile_survives_its_toml() -> None:
    assert mapping.read_profile(mapping.write_profile(PROFILE)) == PROFILE
    for bad in ("[columns", "[other]\nx = 1", '[columns]\n"备注" = 1', 'columns = "x"'):
        with pytest.raises(Misused):
            mapping.read_profile(bad)


def test_the_questions_are_answered_column_by_column(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "自有.csv"
    path.write_bytes(sheet(line("a")))
    wanted = PROFILE.columns | {name: f"={word}" for name, word in PROFILE.constants.items()}
    replies = [reply for name in NAMES for reply in (["没有这列"] if name == "用量" else []) + [wanted.get(name, "-")]]
    with CliRunner().isolation(input="\n".join(replies) + "\n") as streams:
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        answer = mappings.save(desk.engine, "maker1", path, None, None)
        asked = streams[1].getvalue().decode()
    assert "表里没有“没有这列”这一列" in asked
    assert (answer.status, answer.data["state"]) == (0, "saved")
    assert counts(desk.take(path)) == {"accepted": 1}


def test_guesses_use_each_column_once_and_leave_strangers_alone() -> None:
    found = guess(list(OWN.values()))
    assert {ours: found.get(ours) for ours in OWN if ours not in ("用量", "供方名称")} == {
        ours: theirs for ours, theirs in OWN.items() if ours not in ("用量", "供方名称")
    }
    assert len(set(found.values())) == len(found)
    assert guess(["天气", "心情"]) == {}
    assert guess(HEADER) == {name: name for name in HEADER[1:]}
    assert real("a") in csv_bytes(table([line("a")])).decode()


@pytest.mark.parametrize("near", ["应付金额", "未付金额", "退款金额", "累计已付金额", "不含税金额差"])
def test_a_column_of_money_is_guessed_by_its_names_alone(near: str) -> None:
    assert guess(["发票号码", "开票日期", "价税合计", near]) == {
        "发票号码": "发票号码", "开票日期": "开票日期", "价税合计": "价税合计",
    }  # fmt: skip
    assert guess(["价税合计", "含税金额", "实付金额"]) == {"价税合计": "价税合计", "已付金额": "实付金额"}


def test_columns_that_no_table_may_have_are_not_looked_at() -> None:
    wide = [*(f"第{number}列" for number in range(LIMITS.columns)), "发票号码", "开票日 期"]
    assert guess(wide) == {}
    assert guess(wide[2:]) == {"发票号码": "发票号码", "开票日期": "开票日 期"}
