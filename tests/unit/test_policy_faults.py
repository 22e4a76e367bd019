"""What a person is told of a faulty policy file: document, parameter and sentence, word for word."""

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from settlement import policy
from settlement.policy import BadPolicy, Fault, Ground, check, load
from tests.unit.test_policy import FILE, POLICY, TEXT, amended
from voucher.days import Span

ID = POLICY.id
WHOLE = "应为0至10000的整数，单位万分之一。"
CATEGORIES = "应为“代码 = 中文名称”的表，至少一项，名称不重复。"
NAME = "应为小写字母、数字、点和连字符组成的标识。"
Said = tuple[str, str, str, str]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("value = 2000", "value = 2000.0", [("bad_value", ID, "rate_bp", WHOLE)]),
        ('"exclusive"', '"both"', [("bad_value", ID, "overlap", "应为 exclusive、top_up、joint_limit 之一。")]),
        ('"exclusive"', '"joint_limit"', [("missing", ID, "joint_limit_bp", f"缺少该项，{WHOLE}")]),
        ("[rate_bp]", "[rate]", [("unknown_key", ID, "rate", "不认识的项，请检查拼写。"),
                                 ("missing", ID, "rate_bp", f"缺少该项，{WHOLE}")]),
        ("[rate_bp]", "[rate_bp]\nunit = 1", [("unknown_key", ID, "rate_bp.unit", "不认识的项，请检查拼写。")]),
        ('id = "cq', 'extra = 1\nid = "cq', [("unknown_key", ID, "extra", "不认识的项，请检查拼写。")]),
        ('article = "（八）按实际', 'assumed = "" # ',
         [("no_ground", ID, "rate_bp", "缺少依据：请写 article（原文）或 assumed（为何如此假定）。")]),
        ("until = 2027-12-31", "until = 2025-12-24", [("bad_value", ID, "effective", "until 早于 from。")]),
        ("from = 2025-12-25", 'from = "2025-12-25"',
         [("bad_value", ID, "effective", "from、until 应为日期（不加引号），如 2025-12-25。")]),
        ('id = "cq', 'id = "CQ', [("bad_value", "CQ-2025-12-08.1", "id", NAME)]),
        ('title = "', 'supersedes = "X"\ntitle = "', [("bad_value", ID, "supersedes", NAME)]),
        ('item = "（八）"', 'item = " "', [("bad_value", ID, "item", "缺少文字。")]),
        ("[min_spend_fen]", '[joint_limit_bp]\nvalue = 1\nassumed = "x"\n[min_spend_fen]',
         [("bad_value", ID, "joint_limit_bp", "只有 overlap 为 joint_limit 时才能填写。")]),
        ('ai_agent = "智能体"', 'AI = "智能体"', [("bad_value", ID, "categories", CATEGORIES)]),
        ('ai_agent = "智能体"', 'ai_agent = " "', [("bad_value", ID, "categories", CATEGORIES)]),
        ("disclosure]\nvalue = true", "disclosure]\nvalue = false",
         [("bad_value", ID, "approve_before_disclosure", "应为 true。")]),
    ],
)  # fmt: skip
def test_a_faulty_file_says_what_to_mend(old: str, new: str, said: list[Said]) -> None:
    assert old in TEXT
    assert told(check([TEXT.replace(old, new, 1).encode()])) == said


def test_a_file_that_cannot_be_read_is_named_by_itself(tmp_path: Path) -> None:
    file = tmp_path / "草案.toml"
    for body, (code, said) in {
        b"\xff": ("not_toml", "不是 UTF-8 编码的文件"),
        b"a = 1\n\na = 2\nb = 1": ("not_toml", "第3行第6列附近不合 TOML 的写法"),
        b"a = [": ("not_toml", "文件末尾不合 TOML 的写法"),
        TEXT.replace(f'id = "{ID}"\n', "", 1).encode(): ("bad_value", NAME),
    }.items():
        file.write_bytes(body)
        for source, name in ((file, file.name), (body, "（文件）")):
            (fault, *_) = check([source])
            assert (fault.code, fault.document) == (code, name if code == "not_toml" else "None")
            assert said in fault.message


def test_a_file_is_read_word_for_word_whether_named_or_given() -> None:
    for read in (load(FILE), load(FILE.read_bytes())):
        assert (read.id, read.sha256) == (ID, hashlib.sha256(FILE.read_bytes()).hexdigest())
        assert read.grounds["rate_bp"] == Ground("（八）按实际算力服务金额的20%给予算力券支持", "")
        assert read.grounds["rounding"] == Ground("", "不足一分的部分舍去，确保不超过20%")
    without = TEXT.replace("[effective]", "[no_effect]", 1).encode()
    assert {(fault.code, fault.parameter) for fault in check([without])} >= {
        ("unknown_key", "no_effect"), ("bad_value", "effective"),
    }  # fmt: skip


def told(faults: list[Fault]) -> list[Said]:
    return [(fault.code, fault.document, fault.parameter, fault.message) for fault in faults]


def test_documents_that_do_not_fit_together_say_which_and_how() -> None:
    twice = ("same_id", ID, "id", "标识已被另一份文件使用；改动须另立新文件。")
    assert told(check([POLICY, POLICY])).count(twice) == 1
    nobody = ("unknown_superseded", "v2", "supersedes", "所替代的文件不在同一事项内。")
    assert nobody in told(check([POLICY, amended(supersedes="nobody")]))
    assert nobody in told(check([POLICY, amended(supersedes="v2")]))
    later = amended(supersedes=None, span=Span(date(2028, 1, 2), date(2029, 1, 1)))
    gap = ("gap", "v2", "effective", f"与 {ID} 之间有空档：2028-01-01至2028-01-02前一日。")
    assert told(check([POLICY, later])) == [gap]
    both = replace(later, span=Span(date(2027, 12, 31), date(2029, 1, 1)))
    over = ("overlap", "v2", "effective", f"与 {ID} 的有效期重叠，且未声明替代（supersedes）。")
    assert told(check([POLICY, both])) == [over]
    before = replace(POLICY, id="a.1", programme="a", eligible_tax_codes=("9",))
    assert told(check([before, POLICY, later])) == [gap]


def test_two_programmes_with_one_prefix_or_one_word_say_so() -> None:
    other = replace(POLICY, id="z", programme="z", eligible_tax_codes=("3040203",))
    same = ("equal_tax_prefix", "z", "eligible_tax_codes",
            f"前缀 3040203 与 {POLICY.programme} 的 {ID} 相同，同一发票行会归入两个事项。")  # fmt: skip
    assert told(check([POLICY, other])) == [same]
    earlier = replace(POLICY, id=f"{ID}0", supersedes=ID, eligible_tax_codes=("3",))
    assert told(check([POLICY, earlier, other])) == []
    assert told(check([POLICY, amended(), other])) == [same, (*same[:3], same[3].replace(ID, "v2"))]
    words = replace(other, eligible_tax_codes=("1",), categories={"agent": "智能体"})
    assert told(check([POLICY, words])) == [
        ("category_words", "z", "categories", "类别“智能体”在另一份文件中的代码为 ai_agent。")
    ]


def test_all_faults_make_one_sentence() -> None:
    bad = BadPolicy([Fault("x", "甲", "一", "错一。"), Fault("y", "乙", "二", "错二。")])
    assert (bad.code, bad.message) == ("bad_policy", "甲 一：错一。；乙 二：错二。")
    assert [fault.code for fault in bad.faults] == ["x", "y"]


def test_what_a_value_may_be_ends_at_its_limits() -> None:
    """The rules are made while the module is read, so they are made once more here."""
    whole, said = policy._whole(5, "分")
    assert [whole(value) for value in (-1, 0, 5, 6, True, 1.0, "1", None)] == [False, True, True, *[False] * 5]
    assert said == "应为0至5的整数，单位分"
    one_of, said = policy._one_of("a", "b")
    assert [one_of(value) for value in ("a", "b", "c", 1, None)] == [True, True, False, False, False]
    assert said == "应为 a、b 之一"
