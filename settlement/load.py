"""Read the facts of a settlement as they were known at a cutoff, for the plain engine.

From the database: few set-wise queries per range of companies. From anything else that gives the same rows by the
same names, as an audit bundle does: nothing is decided here but which row becomes which fact.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection

from settlement.facts import (
    Contract,
    Facts,
    Invoice,
    InvoiceLine,
    Listing,
    Metering,
    Payment,
    Qualification,
    Refusal,
    Relation,
    Served,
    Standing,
    Subsidy,
    Verification,
    VoucherState,
)
from voucher.database import query
from voucher.days import Span

Rows = Callable[..., Sequence[Mapping[str, Any]]]
"""Give the rows of one kind of fact: called with the name of a query of queries/facts and its parameters."""
Companies = tuple[int, int]
"""A range of companies by id, both ends inclusive."""
ALL: Companies = (0, 2**63 - 1)
CHUNK = 20_000
"""Invoices of one range of companies; a company with more of them is one range by itself."""


def facts_at(
    db: Connection, programme: str, cutoff: int, companies: Companies = ALL, only: Collection[str] | None = None
) -> Facts:
    """Read what a draft of a programme depends on from the database; see `facts_from`.

    only: names of the kinds of fact that are wanted, None for all; of the others there is none.
    """

    def rows(name: str, **params: object) -> Sequence[Mapping[str, Any]]:
        return query(db, f"queries/facts/{name}.sql", **params) if only is None or name in only else ()

    return facts_from(rows, programme, cutoff, companies)


def facts_from(rows: Rows, programme: str, cutoff: int, companies: Companies = ALL) -> Facts:
    """Read what a draft of a programme depends on, as recorded by a seal number.

    companies: whose claims are asked about; the engine's lines over all are those of the ranges put together.
    A red-letter comes with its blue. Listings are all read: they hang on providers.
    """
    first, last = companies
    some = {"cutoff": cutoff, "first_id": first, "last_id": last}
    return Facts(
        qualifications=[
            Qualification(row["company_id"], row["category"], _span(row), _at(row))
            for row in rows("qualifications", **some)
        ],
        listings=[Listing(row["provider_id"], _span(row), _at(row)) for row in rows("listings", cutoff=cutoff)],
        relations=[
            Relation(row["provider_id"], row["company_id"], row["kind"], row["share_bp"], _span(row), _at(row))
            for row in rows("relations", **some)
        ],
        subsidies=[
            Subsidy(row["invoice_number"], row["policy_name"], row["amount_fen"], row["waived"], _at(row))
            for row in rows("subsidies", **some)
        ],
        payments=[
            Payment(row["invoice_number"], row["paid_on"], row["reference"], row["amount_fen"], _at(row))
            for row in rows("payments", **some)
        ],
        verifications=[
            Verification(row["invoice_number"], row["checked_on"], row["passed"], _at(row))
            for row in rows("verifications", **some)
        ],
        contracts=[
            Contract(row["contract_no"], row["provider_id"], row["company_id"], row["amount_fen"], _span(row), _at(row))
            for row in rows("contracts", **some)
        ],
        meterings=[_metering(row) for row in rows("meterings", **some)],
        invoices=[_invoice(row) for row in rows("invoices", **some)],
        refusals=[
            Refusal(row["invoice_number"], row["cap_year"], row["refused"], (row["no"], 1))
            for row in rows("refusals", programme=programme, **some)
        ],
        served=[Served(**row) for row in rows("served", programme=programme, **some)],
        vouchers=[_voucher(row) for row in rows("vouchers", programme=programme, **some)],
        standings=[Standing(row["company"], row["frozen"], row["closed_from"]) for row in rows("standings", **some)],
    )


def facts_by_company(
    db: Connection, programme: str, cutoff: int, size: int = CHUNK
) -> Iterator[tuple[Companies, Facts]]:
    """Read the facts range by range, in order of the companies; memory is bounded by a range.

    size: invoices per range, about. Between them the ranges cover every company there could be.
    """
    chunks = query(db, "queries/facts/chunks.sql", cutoff=cutoff, size=size)
    starts = [ALL[0], *(row["first_id"] for row in chunks[1:]), ALL[1] + 1]
    for start, following in pairwise(starts):
        companies = start, following - 1
        yield companies, facts_at(db, programme, cutoff, companies)


def _at(row: Mapping[str, Any]) -> tuple[int, int]:
    return row["no"], row["row_no"]


def _span(row: Mapping[str, Any]) -> Span:
    """Return the days of a registry row; one that voids its key keeps its first day and has none."""
    return Span(row["from_on"], row["until_on"])


def _invoice(row: Mapping[str, Any]) -> Invoice:
    return Invoice(
        invoice_id=row["invoice_id"],
        number=row["number"],
        kind=row["kind"],
        original_number=row["original_number"],
        company=row["company_id"],
        provider=row["provider_id"],
        accepted_no=row["accepted_no"],
        received_on=row["received_on"],
        span=None if row["from_on"] is None else Span(row["from_on"], row["until_on"]),
        net_fen=row["net_fen"],
        tax_fen=row["tax_fen"],
        gross_fen=row["gross_fen"],
        paid_fen=row["paid_fen"],
        contract_no=row["contract_no"],
        corrected_fen=row["corrected_fen"],
        lines=[InvoiceLine(*line) for line in zip(row["line_nos"], row["tax_codes"], row["nets_fen"], strict=True)],
    )


def _metering(row: Mapping[str, Any]) -> Metering:
    return Metering(
        invoice_number=row["invoice_number"],
        gross=row["basis"] == "gross",
        replaces=row["replaces"],
        metered_yuan=Decimal(row["metered_yuan"]),
        days=list(zip(row["used_on"], map(Decimal, row["used_yuan"]), strict=True)),
        at=(row["no"], row["upload_id"]),
    )


def _voucher(row: Mapping[str, Any]) -> VoucherState:
    """Read a voucher's state; an expired or returned one is as closed to grants as a revoked one."""
    return VoucherState(
        company=row["company_id"],
        cap_year=row["cap_year"],
        face_fen=row["face_fen"],
        balance_fen=row["balance_fen"],
        over_fen=row["over_fen"],
        automatic=row["automatic"],
        frozen=row["state"] == "frozen",
        revoked=row["state"] in ("revoked", "expired", "returned"),
    )
