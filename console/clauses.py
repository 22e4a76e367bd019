"""What a reason rests on: the words of the policy document, or the assumption it makes."""

from collections.abc import Mapping, Sequence
from typing import Any

from settlement.policy import Policy
from voucher.money import format_yuan
from voucher.reasons import Reason, sentence

PARAMETERS: Mapping[str, str] = {
    "before_policy": "effective",
    "after_policy": "effective",
    "not_qualified": "categories",
    "related_party": "related_party_share_bp",
    "past_claim_deadline": "claim_deadline",
    "tax_code_not_eligible": "eligible_tax_codes",
    "unpaid": "rate_bp",
    "over_contract": "rate_bp",
    "other_subsidy": "overlap",
    "other_subsidy_undecided": "overlap",
    "overlap_open": "overlap",
    "below_min_spend": "min_spend_fen",
    "over_cap": "annual_cap_fen",
    "over_budget": "over_budget",
}
"""Reason to the parameter it applies; the others rest on a register or a decision, not on the document."""


def clause(policies: Sequence[Policy], code: str) -> str:
    """Return the words a reason rests on, empty where the document has none. policies: those of the line."""
    parameter = PARAMETERS.get(code)
    ground = policies[0].grounds.get(parameter) if policies and parameter else None
    if ground is None:
        return ""
    words = [ground.article] if ground.article else []
    return "；".join([*words, f"假定：{ground.assumed}"] if ground.assumed else words)


def reasons(policies: Sequence[Policy], stored: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Write the reasons of a line as JSON: code, clause, amount, sentence."""
    return [
        {
            "code": each["code"],
            "clause": clause(policies, each["code"]),
            "amount": format_yuan(each["amount_fen"]),
            "sentence": sentence(Reason(each["code"], each["amount_fen"], each.get("other_fen"))),
        }
        for each in stored
    ]
