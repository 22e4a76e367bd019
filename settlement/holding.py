"""Which programme an invoice's line belongs to, where the tax codes of several match it.

Source: DESIGN 6.2: the programme in force with the longest matching prefix, so that a line is never paid twice.
ASSUMPTION: where that changes during a service span, the line stays with the programme that had it first as long as a
document of that one is in force; each decides by its own first eligible day, and days paid by both would be paid twice.
"""

from collections.abc import Sequence
from datetime import date

from settlement.policy import Policy
from voucher.days import Span

Documents = Sequence[tuple[Policy, Span]]
"""Policy documents with the days they are in force, as `policy.in_force` gives them."""


def belongs(tax_code: str, document: Policy | None, documents: Documents, first: date, day: date) -> bool:
    """Tell whether a line counts under a programme's document on the day that decides for it.

    document: None when none is in force, then every line counts. first: the service's first day.
    """
    if document is None:
        return True
    return _length(document, tax_code) > 0 and _holder(documents, tax_code, first, day) == document.programme


def _holder(documents: Documents, tax_code: str, first: date, day: date) -> str | None:
    """Return the programme that has a line on a day, of a service that begins on `first`; None when none has it."""
    matching = [(policy, force) for policy, force in documents if _length(policy, tax_code)]
    since = first
    while since <= day and (left := [(policy, force) for policy, force in matching if force.end > since]):
        begin, _, programme = min(
            (max(since, force.start), -_length(policy, tax_code), policy.programme) for policy, force in left
        )
        since = max(force.end for policy, force in documents if policy.programme == programme)
        if begin <= day < since:
            return programme
    return None


def _length(policy: Policy, tax_code: str) -> int:
    """Return the length of the document's longest prefix of a tax code, 0 without one."""
    return max((len(prefix) for prefix in policy.eligible_tax_codes if tax_code.startswith(prefix)), default=0)
