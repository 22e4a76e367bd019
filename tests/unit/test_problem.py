"""A problem is a value; each refusal says which status it ends with; each reason has its sentence."""

from dataclasses import FrozenInstanceError, replace

import pytest

from voucher import errors
from voucher.problem import Problem
from voucher.reasons import SENTENCES, Reason, sentence

PROBLEM = Problem("bad_day", "error", "“开票日期”不是有效日期。", row=3, column="开票日期", value="2026-02-30")


def test_two_problems_of_the_same_content_are_one() -> None:
    assert replace(PROBLEM) == PROBLEM
    assert len({PROBLEM, replace(PROBLEM), replace(PROBLEM, row=4)}) == 2
    with pytest.raises(FrozenInstanceError):
        PROBLEM.row = 4  # type: ignore[misc]


def test_each_kind_of_refusal_has_its_own_exit_status() -> None:
    kinds = (errors.Refused, errors.Misused, errors.Busy, errors.Broken, errors.Unreachable)
    assert [kind("code", "句子。").exit_status for kind in kinds] == [1, 2, 4, 5, 6]
    refusal = errors.Refused("over_budget", "指标不足。")
    assert (refusal.code, refusal.message, str(refusal)) == ("over_budget", "指标不足。", "over_budget: 指标不足。")


@pytest.mark.parametrize("code", SENTENCES)
def test_each_reason_is_one_chinese_sentence_with_its_figures(code: str) -> None:
    words = sentence(Reason(code, 123_456_789, 98_765_432))
    assert words.endswith("。")
    assert "1,234,567.89元" in words
    assert ("987,654.32元" in words) == ("{other}" in SENTENCES[code])
    assert "{" not in words


def test_a_reason_that_nobody_declared_has_no_sentence() -> None:
    with pytest.raises(KeyError):
        sentence(Reason("unheard_of", 1))
