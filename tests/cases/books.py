"""The books as the plain engine needs them: approved lines become served rows, vouchers follow."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from settlement.engine import Line
from settlement.facts import Facts, Served, VoucherState
from settlement.policy import Policy, cap_for_year, in_force


def approve(
    facts: Facts, policies: Iterable[Policy], programme: str, lines: Sequence[Line], *, final: bool = False
) -> Facts:
    """Return the facts after a run with these lines was approved.

    A voucher is issued with the first grant line of its company-year; an automatic face follows the cap, but
    never below what is granted. final: the run was under pro_rata.
    """
    documents = [entry for entry in in_force(policies) if entry[0].programme == programme]
    vouchers = {(voucher.company, voucher.cap_year): voucher for voucher in facts.vouchers}
    for line in lines:
        key = line.company, line.cap_year
        cap = cap_for_year(documents, line.cap_year)
        voucher = vouchers.get(key) or VoucherState(*key, cap, cap, automatic=True, frozen=False, revoked=False)
        used = voucher.face_fen - voucher.balance_fen + line.granted_fen
        face = max(cap, used) if voucher.automatic else voucher.face_fen
        vouchers[key] = replace(voucher, face_fen=face, balance_fen=face - used)
        assert vouchers[key].balance_fen >= 0, "the voucher would go below zero"
    return replace(
        facts,
        served=(*facts.served, *(serve(line, final=final) for line in lines)),
        vouchers=tuple(vouchers.values()),
    )


def serve(line: Line, *, final: bool) -> Served:
    """Make an approved line's served row."""
    return Served(
        line.invoice_id,
        line.cap_year,
        line.kind,
        line.granted_fen,
        line.withheld_fen,
        line.budget_cut_fen,
        final,
    )


def granted(facts: Facts, company: int, year: int) -> int:
    """Return what a company was granted for a cap year, in fen."""
    of = {invoice.invoice_id for invoice in facts.invoices if invoice.company == company}
    return sum(row.granted_fen for row in facts.served if row.invoice_id in of and row.cap_year == year)
