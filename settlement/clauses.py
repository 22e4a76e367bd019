"""What a reason rests on: the words of the policy document, or the assumption it makes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from settlement.policy import Policy, governing, in_force

PARAMETERS: Mapping[str, str] = {
    "before_policy": "effective",
    "after_policy": "effective",
    "not_qualified": "categories",
    "related_party": "related_party_share_bp",
    "past_claim_deadline": "claim_deadline",
    "tax_code_not_eligible": "eligible_tax_codes",
    "red_letter": "rate_bp",
    "corrected": "rate_bp",
    "unpaid": "rate_bp",
    "over_contract": "rate_bp",
    "over_metered": "rate_bp",
    "other_subsidy": "overlap",
    "other_subsidy_undecided": "overlap",
    "overlap_open": "overlap",
    "below_min_spend": "min_spend_fen",
    "not_verified": "tax_verification",
    "usage_sum_differs": "usage_sum",
    "over_cap": "annual_cap_fen",
    "over_budget": "over_budget",
}
"""Reason to the parameter it applies; the others rest on a register or a decision, not on the document."""
YEARLY = {code: PARAMETERS[code] for code in ("past_claim_deadline", "below_min_spend", "over_cap")}
"""Those that hold for a whole cap year, so that the document in force on its last covered day gives them."""


def clause(policy: Policy | None, code: str) -> str:
    """Return the words of a document that a reason rests on, empty where it has none."""
    parameter = PARAMETERS.get(code)
    return grounds(policy, parameter) if policy is not None and parameter is not None else ""


def ruling(policies: Sequence[Policy], first: str, year: int, through: date, code: str) -> Policy | None:
    """Return the document that a reason of a line rests on, of those recorded by then; None when it is not among them.

    first: id of the line's first document, whose programme it is. year: the line's cap year. through: of its run.
    """
    policy = next((each for each in policies if each.id == first), None)
    if policy is None or code not in {*YEARLY, "over_budget"}:
        return policy
    if code == "over_budget":
        return of_the_run(policies, policy.programme, through)
    own = in_force(each for each in policies if each.programme == policy.programme)
    return governing(own, year) or policy


def of_the_run(policies: Iterable[Policy], programme: str, through: date) -> Policy:
    """Return the document that says what a run does when the appropriation does not reach.

    ASSUMPTION: the one in force on the last day asked for decides, after all of them the last one.
    """
    own = in_force(each for each in policies if each.programme == programme)
    return ([policy for policy, span in own if span.start <= through] or [own[0][0]])[-1]


def grounds(policy: Policy, parameter: str) -> str:
    """Return the words a parameter rests on, the assumption marked as one."""
    ground = policy.grounds.get(parameter)
    if ground is None:
        return ""
    words = [ground.article] if ground.article else []
    return "；".join([*words, f"假定：{ground.assumed}"] if ground.assumed else words)
