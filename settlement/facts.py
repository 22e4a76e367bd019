"""The facts the engine computes on: registry rows, invoices and what was granted so far.

Registry rows are raw, as written by acts: of the rows of one key the newest by `at` holds, and an empty
span voids it. The engine decides that, not the one who reads the rows. Amounts are fen, spans half-open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from voucher.days import Span

At = tuple[int, int]
"""When a row was written: its act and its place within the act; a later row is greater."""
InvoiceKind = Literal["blue", "red"]
RelationKind = Literal["shareholding", "common_control"]
LineKind = Literal["grant", "backfill", "recovery"]


@dataclass(frozen=True, slots=True)
class Qualification:
    """One row of the companies register. Key: company, category, first day."""

    company: int
    category: str
    span: Span
    at: At


@dataclass(frozen=True, slots=True)
class Listing:
    """One row of the providers register. Key: provider, first day."""

    provider: int
    span: Span
    at: At


@dataclass(frozen=True, slots=True)
class Relation:
    """One row of the relations register. Key: provider, company, kind, first day. share_bp: 30 % is 3000."""

    provider: int
    company: int
    kind: RelationKind
    share_bp: int
    span: Span
    at: At


@dataclass(frozen=True, slots=True)
class Subsidy:
    """Another subsidy an invoice got. Key: invoice number, policy name. waived: given up (放弃 = 是)."""

    invoice_number: str
    policy_name: str
    amount_fen: int
    waived: bool
    at: At


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment of an invoice. Key: invoice number, day, reference. amount_fen is gross."""

    invoice_number: str
    paid_on: date
    reference: str
    amount_fen: int
    at: At


@dataclass(frozen=True, slots=True)
class Verification:
    """What the tax platform said of an invoice when it was asked. Key: invoice number. passed: the same as ours."""

    invoice_number: str
    checked_on: date
    passed: bool
    at: At


@dataclass(frozen=True, slots=True)
class Metering:
    """What one file of usage says of an invoice. gross: its amounts hold tax. days: yuan by day, units added up.

    replaces: what was written before of the invoice counts no more; else both count. at: act and file.
    """

    invoice_number: str
    gross: bool
    replaces: bool
    metered_yuan: Decimal
    days: Sequence[tuple[date, Decimal]]
    at: At


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of an invoice; the lines of a red-letter are negative."""

    line_no: int
    tax_code: str
    net_fen: int


@dataclass(frozen=True, slots=True)
class Invoice:
    """An accepted invoice. Its amounts are the sums of its rows; those of a red-letter are negative.

    span: the service days. paid_fen: sum of the 已付金额 that were given, None when none was.
    original_number: the blue a red-letter reverses. received_on: the day it was handed in.
    contract_no: empty when it names none. corrected_fen: what documents that were settled on added to its net.
    """

    invoice_id: int
    number: str
    kind: InvoiceKind
    original_number: str | None
    company: int
    provider: int
    accepted_no: int
    received_on: date
    span: Span | None
    net_fen: int
    tax_fen: int
    gross_fen: int
    paid_fen: int | None
    lines: Sequence[InvoiceLine]
    contract_no: str = ""
    corrected_fen: int = 0


@dataclass(frozen=True, slots=True)
class Contract:
    """One row of the contracts register. Key: number, provider, company, first day. amount_fen is gross.

    An invoice counts against the row of its number and parties in whose span its service begins.
    """

    contract_no: str
    provider: int
    company: int
    amount_fen: int
    span: Span
    at: At


@dataclass(frozen=True, slots=True)
class Refusal:
    """An approved refusal, or (refused False) an approved lifting; cap_year None speaks of every year.

    Of the rows that speak of a year the newest holds.
    """

    invoice_number: str
    cap_year: int | None
    refused: bool
    at: At


@dataclass(frozen=True, slots=True)
class Served:
    """A line of an approved run. granted_fen is negative on recovery.

    final: the run was pro rata, and the company-year had a voucher or was to get one by the run.
    ASSUMPTION: where vouchers are applied for, a claim settled before is paid in full from the voucher that comes.
    """

    invoice_id: int
    cap_year: int
    kind: LineKind
    granted_fen: int
    withheld_fen: int
    budget_cut_fen: int
    final: bool


@dataclass(frozen=True, slots=True)
class VoucherState:
    """The voucher of a company and year as the books have it. automatic: its face follows the cap.

    over_fen: what absorbed companies had been granted and has not lapsed yet, as the voucher had less left.
    """

    company: int
    cap_year: int
    face_fen: int
    balance_fen: int
    automatic: bool
    frozen: bool
    revoked: bool
    over_fen: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """A company that is frozen, or absorbed by another: closed_from is the first cap year it gets nothing of."""

    company: int
    frozen: bool
    closed_from: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All a draft of one programme depends on; refusals, served and vouchers are that programme's."""

    qualifications: Sequence[Qualification] = ()
    listings: Sequence[Listing] = ()
    relations: Sequence[Relation] = ()
    subsidies: Sequence[Subsidy] = ()
    payments: Sequence[Payment] = ()
    verifications: Sequence[Verification] = ()
    contracts: Sequence[Contract] = ()
    meterings: Sequence[Metering] = ()
    invoices: Sequence[Invoice] = ()
    refusals: Sequence[Refusal] = ()
    served: Sequence[Served] = ()
    vouchers: Sequence[VoucherState] = ()
    standings: Sequence[Standing] = ()
