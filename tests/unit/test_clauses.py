"""What a reason rests on."""

from dataclasses import replace

from settlement.clauses import PARAMETERS, clause, grounds
from settlement.policy import RULES, Ground
from settlement.run_data import sentences
from tests.unit.test_policy import POLICY


def test_a_reason_rests_on_the_words_of_its_parameter() -> None:
    assert clause(POLICY, "over_cap") == "（八）每家企业每年最高100万元"
    assert clause(POLICY, "over_contract") == POLICY.grounds["rate_bp"].article
    assert clause(POLICY, "frozen") == ""
    assert clause(None, "over_cap") == ""
    assert set(PARAMETERS.values()) <= {*RULES, "effective"}


def test_an_assumption_is_marked_as_one() -> None:
    both = replace(POLICY, grounds={"rate_bp": Ground("原文", "因为"), "overlap": Ground("", "因为")})
    assert (grounds(both, "rate_bp"), grounds(both, "overlap")) == ("原文；假定：因为", "假定：因为")
    assert grounds(both, "backfill") == ""


def test_a_recovery_that_nothing_was_cut_for_says_from_what_to_what() -> None:
    line = {"kind": "recovery", "computed_fen": 1_259_999, "overlap_cut_fen": 59_999, "granted_fen": -740_001}
    (said,) = sentences(line | {"reasons": []})
    assert "已兑付19,400.01元" in said
    assert "只应兑付12,000.00元" in said
    assert sentences(line | {"kind": "grant", "reasons": []}) == []
    assert "其他补贴" in sentences(line | {"reasons": [{"code": "other_subsidy", "amount_fen": 1, "other_fen": 2}]})[0]
