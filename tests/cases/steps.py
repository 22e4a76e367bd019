"""The steps of a worked example, as values: what any player plays. Amounts are fen, days inclusive."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from voucher.days import Span, inclusive


@dataclass(frozen=True, slots=True)
class Party:
    """A company or a provider under its real code."""

    uscc: str
    name: str


PARTIES: Mapping[str, Party] = {
    "C": Party("91500000MA5UCC01XB", "重庆丙智能科技有限公司"),
    "D": Party("91500000MA5UCD020R", "重庆丁智能科技有限公司"),
    "E": Party("91500000MA5UCE0315", "重庆戊智能科技有限公司"),
    "P": Party("91500000MA5UPP016Q", "重庆甲算力服务有限公司"),
    "Q": Party("91500000MA5UPQ0274", "重庆乙算力服务有限公司"),
    "X": Party("91500000MA5UXX097X", "重庆未登记科技有限公司"),
}


def number(symbol: str) -> str:
    """Return the 20-digit number of an invoice's letter."""
    return f"26502{int(symbol, 36):015d}"


@dataclass(frozen=True, slots=True)
class CompanyRow:
    company: str
    category: str
    first: date
    last: date | None


@dataclass(frozen=True, slots=True)
class ProviderRow:
    provider: str
    first: date
    last: date | None


@dataclass(frozen=True, slots=True)
class RelationRow:
    provider: str
    company: str
    kind: str
    share_bp: int
    first: date
    last: date | None


@dataclass(frozen=True, slots=True)
class SubsidyRow:
    invoice: str
    policy: str
    amount_fen: int
    waived: bool


@dataclass(frozen=True, slots=True)
class PaymentRow:
    invoice: str
    on: date
    reference: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class LineRow:
    """One template row of an invoice; negative for a red-letter."""

    tax_code: str
    net_fen: int
    tax_fen: int
    paid_fen: int | None

    @property
    def gross_fen(self) -> int:
        return self.net_fen + self.tax_fen


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An invoice as handed in. outcome and code: what its import must say."""

    symbol: str
    company: str
    provider: str
    first: date
    last: date
    received_on: date
    red_of: str | None
    reissue_of: str | None
    lines: tuple[LineRow, ...]
    outcome: str
    code: str
    buyer_name: str

    @property
    def span(self) -> Span:
        return inclusive(self.first, self.last)


@dataclass(frozen=True, slots=True)
class VoucherRow:
    company: str
    year: int
    face_fen: int


@dataclass(frozen=True, slots=True)
class RefusalRow:
    invoice: str
    year: int | None
    lift: bool


@dataclass(frozen=True, slots=True)
class ContractRow:
    """A row of the contracts register; all invoices of the cases name the one contract number."""

    provider: str
    company: str
    amount_fen: int
    first: date
    last: date | None


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What a file of usage says of an invoice, in yuan by day; gross: with tax."""

    invoice: str
    gross: bool
    replaces: bool
    days: tuple[tuple[date, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """A step that brings facts, to be played in the order of the fields. today: its business day."""

    today: date
    companies: tuple[CompanyRow, ...] = ()
    providers: tuple[ProviderRow, ...] = ()
    relations: tuple[RelationRow, ...] = ()
    invoices: tuple[InvoiceRow, ...] = ()
    subsidies: tuple[SubsidyRow, ...] = ()
    payments: tuple[PaymentRow, ...] = ()
    appropriate_fen: int | None = None
    vouchers: tuple[VoucherRow, ...] = ()
    refusals: tuple[RefusalRow, ...] = ()
    contracts: tuple[ContractRow, ...] = ()
    usage: tuple[UsageRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """An expected line; None is not compared. reasons: all of them, code to amount and second figure."""

    invoice: str
    year: int
    kind: str
    granted_fen: int
    withheld_fen: int
    overlap_cut_fen: int
    budget_cut_fen: int
    basis_fen: int | None
    computed_fen: int | None
    reasons: Mapping[str, tuple[int, int | None]] | None


@dataclass(frozen=True, slots=True)
class YearAmount:
    company: str
    year: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Settle:
    """A step that settles. policy: only for a simulation. gap_fen: submit is refused by so much."""

    today: date
    through: str
    backfill: bool
    approve: bool
    simulate: bool
    policy: Mapping[str, Any]
    lines: tuple[Expected, ...]
    backfill_listed: tuple[tuple[str, int, int], ...]
    held: tuple[tuple[str, int, str], ...]
    left_out: tuple[tuple[str, Mapping[str, int]], ...]
    gap_fen: int | None
    room: YearAmount | None
    total: YearAmount | None
    by: str
    freeze: bool
    refused: str
    at_once: bool


@dataclass(frozen=True, slots=True)
class Do:
    """A step at a door that brings no facts a settlement computes on: money, or a hand on the books."""

    today: date
    what: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A worked example. policy: what differs from the shipped one. bounded: names its appropriation."""

    id: str
    variant: str
    policy: Mapping[str, Any]
    steps: tuple[Facts | Settle | Do, ...]
    bounded: bool

    def __str__(self) -> str:
        return f"{self.id} {self.variant}".strip()
