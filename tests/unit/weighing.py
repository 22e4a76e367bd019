"""Weigh one invoice of synthetic facts."""

from datetime import date

from settlement.facts import Facts, Invoice
from settlement.policy import Policy, in_force
from settlement.worth import Bill, Registers, weigh
from tests.cases.player import policy

POLICY = policy({})
MAY = date(2026, 5, 1), date(2026, 5, 31)


def bill(facts: Facts, blue: Invoice, documents: list[Policy] | None = None) -> Bill:
    return weigh(Registers(facts), in_force(documents or [POLICY]), POLICY.programme, blue)


def why(facts: Facts, blue: Invoice, documents: list[Policy] | None = None) -> dict[str, int]:
    weighed = bill(facts, blue, documents)
    return {reason.code: reason.amount_fen for reason in weighed.reasons(weighed.span)}
