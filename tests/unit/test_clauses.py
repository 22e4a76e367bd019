"""What a reason rests on."""

from dataclasses import replace

from settlement.clauses import PARAMETERS, clause, grounds
from settlement.policy import RULES, Ground
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
