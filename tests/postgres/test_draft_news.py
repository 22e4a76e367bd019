"""Which facts and which companies a draft looks at: up to its cutoff, and what is new or was left open."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from settlement import run as runs
from settlement.facts import (
    Contract,
    Facts,
    Listing,
    Metering,
    Payment,
    Qualification,
    Refusal,
    Relation,
    Subsidy,
    Verification,
)
from tests.cases.histories import invoice, red_of
from tests.postgres.recorder import MAKER, number, uscc
from tests.postgres.test_draft import MAY, REGISTERED, Ledger
from tests.postgres.witness import END, SHIPPED, draft
from voucher.database import transaction
from voucher.days import OPEN_END, Span
from voucher.errors import Refused


@pytest.fixture
def ledger(db_engine: Engine) -> Ledger:
    return Ledger(db_engine)


def test_facts_after_the_cutoff_wait_for_the_next_run(ledger: Ledger) -> None:
    ledger.invoices(invoice(1, 500_000, *MAY))
    with transaction(ledger.engine) as db:
        first = draft(db).run
        assert first is not None
    ledger.invoices(invoice(2, 500_000, *MAY))
    with transaction(ledger.engine) as db:
        submitted = runs.submit(db, MAKER, first.run_id)
        with pytest.raises(Refused, match="run_open"):
            runs.draft(db, MAKER, END)
        assert [line["invoice_number"] for line in runs.lines(db, submitted)] == [number("1")]


def test_a_run_looks_only_at_companies_with_news_or_something_open(ledger: Ledger) -> None:
    """Companies 1 and 2 are settled; whatever is recorded of company 1 brings it up again, and it alone."""
    one, two = uscc(1), uscc(2)
    ledger.invoices(invoice(1, 500_000, *MAY, contract_no="合同1"), invoice(2, 500_000, *MAY, company=2))
    assert ledger.looked_at() >= {one, two}
    at = (0, 0)
    related = Relation(11, 1, "shareholding", 1, Span(REGISTERED, OPEN_END), at)
    ledger.settle()
    assert ledger.looked_at() == set()
    for news in (
        Facts(invoices=[invoice(3, 100, *MAY)]),
        Facts(invoices=[red_of(invoice(1, 500_000, *MAY), 4, 100)]),
        Facts(subsidies=[Subsidy("1", "市级", 1, True, at)]),
        Facts(payments=[Payment("1", MAY[1], "流水1", 10**9, at)]),
        Facts(verifications=[Verification("1", date(2026, 5, 1), True, at)]),
        Facts(qualifications=[Qualification(1, "digital_twin", Span(REGISTERED, OPEN_END), at)]),
        Facts(relations=[related]),
        Facts(contracts=[Contract("合同1", 11, 1, 10**9, Span(REGISTERED, OPEN_END), at)]),
        Facts(refusals=[Refusal("1", 2026, False, at)]),
        Facts(meterings=[Metering("1", gross=False, replaces=True, metered_yuan=Decimal(10**6), days=(), at=at)]),
    ):
        assert ledger.looked_at(news) == {one}, news
    ledger.voucher("frozen")
    assert ledger.looked_at() == {one}


def test_a_provider_or_a_document_that_changes_concerns_all_whom_it_may(ledger: Ledger) -> None:
    one, two = uscc(1), uscc(2)
    ledger.invoices(invoice(1, 500_000, *MAY), invoice(2, 500_000, *MAY, company=2, provider=12))
    ledger.settle()
    assert ledger.looked_at() == set()
    ledger.add(Facts(listings=[Listing(11, Span(date(2020, 1, 1), OPEN_END), (0, 0))]))
    assert ledger.looked_at() == {one}
    ledger.document({}, id="again.1", supersedes=SHIPPED)
    assert ledger.looked_at() >= {one, two}


def test_what_a_run_leaves_open_comes_up_again_without_news(ledger: Ledger) -> None:
    """Held, listed as backfill, or of a later month: each is open until a run is through with it."""
    ledger.invoices(
        invoice(1, 500_000, *MAY), invoice(2, 500_000, *MAY, company=2), invoice(3, 500_000, *MAY, company=2)
    )
    ledger.subsidy(1, 50_000)
    ledger.add(Facts(payments=[Payment("2", MAY[1], "流水1", 100_000, (0, 0))]))
    ledger.settle()
    assert ledger.looked_at() == {uscc(1)}  # held
    ledger.add(Facts(payments=[Payment("2", MAY[1], "流水2", 10**9, (0, 0))]))
    ledger.invoices(red_of(invoice(3, 500_000, *MAY, company=2), 4, 100))
    ledger.settle()
    assert ledger.looked_at() == {uscc(1), uscc(2)}  # the recovery is done, the backfill is not
    assert ledger.listed() != []
    ledger.settle(backfill=True)
    later = date(2026, 6, 1), date(2026, 6, 30)
    ledger.invoices(invoice(6, 100, *MAY, company=2), invoice(7, 100, *later, company=2))
    ledger.settle(MAY[1])
    assert ledger.looked_at() == {uscc(1), uscc(2)}
    ledger.settle()
    assert ledger.looked_at() == {uscc(1)}
    ledger.invoices(invoice(8, 100, date(2025, 12, 1), later[1], company=2))  # counts in part
    ledger.settle(MAY[1])
    assert ledger.looked_at() == {uscc(1), uscc(2)}
    ledger.settle()
    assert ledger.looked_at() == {uscc(1)}
