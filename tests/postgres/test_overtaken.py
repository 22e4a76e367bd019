"""What the facts overtake between two steps: the approval or the submission says so, and nothing is half done."""

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import Connection, Engine

from settlement import documents, refusal
from settlement import run as runs
from settlement.facts import Facts, Qualification
from tests.cases.histories import invoice
from tests.postgres.recorder import CHECKER, MAKER, number, record, uscc
from tests.postgres.test_voucher_life import MAY, Books, refused
from tests.postgres.witness import PROGRAMME
from voucher import approval, issuance, ledger, life
from voucher.database import transaction
from voucher.days import Span

NEVER = Span(date(2025, 1, 1), date(2025, 1, 1))


@pytest.fixture
def books(db_engine: Engine) -> Books:
    return Books(db_engine)


def done(books: Books, work: Callable[[Connection], object]) -> object:
    with transaction(books.engine) as db:
        return work(db)


def proposed(books: Books, propose: Callable[[Connection], int | None]) -> int:
    act = done(books, propose)
    assert isinstance(act, int)
    return act


def approve(books: Books, act: int) -> object:
    return done(books, lambda db: approval.decide(db, act, "approved", CHECKER))


@pytest.mark.parametrize("by_hand", [True, False], ids=["by hand", "all that are due"])
@pytest.mark.parametrize("merged", [True, False], ids=["merged", "not qualified any more"])
def test_no_voucher_is_issued_to_a_company_that_was_merged_or_lost_its_qualification(
    books: Books, by_hand: bool, merged: bool
) -> None:
    with transaction(books.engine) as db:
        terms = documents.terms(db, PROGRAMME, 2026)
    act = proposed(
        books,
        lambda db: (
            issuance.propose_by_hand(db, MAKER, terms, uscc(2), 50_000)
            if by_hand
            else issuance.propose_due(db, MAKER, terms)
        ),
    )
    if merged:
        books.merge(2, 1)
    else:
        gone = Facts(qualifications=[Qualification(2, "ai_agent", NEVER, (0, 0))])
        done(books, lambda db: record(db, "取消", gone))
    assert uscc(2) in refused("stale", lambda: approve(books, act))
    assert books.limits(1) == books.limits(2) == (0, 0, 0)
    done(books, lambda db: approval.decide(db, act, "rejected", CHECKER, why="已合并"))


def test_a_draft_of_the_year_before_is_not_submitted(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    books.invoices(invoice(1, 1_000, *MAY))
    monkeypatch.setenv("CVL_TODAY", "2026-12-31")
    drafts = [done(books, lambda db: runs.draft(db, MAKER, date(2026, 12, 31))) for _ in range(2)]
    (run,) = [each.run for each in drafts[1:] if isinstance(each, runs.Draft)]
    assert run is not None
    monkeypatch.setenv("CVL_TODAY", "2027-01-01")
    assert "重新起草" in refused("stale", lambda: done(books, lambda db: runs.submit(db, MAKER, run.run_id)))
    books.approved(lambda db: ledger.propose_appropriation(db, MAKER, 2027, 200, "指标2"))
    books.settle()
    assert books.limits() == (99_999_800, 200, 0)


def test_what_a_closed_voucher_loses_is_said_as_of_the_proposal(books: Books) -> None:
    books.invoices(invoice(1, 1_000, *MAY))
    books.settle()
    act = proposed(books, lambda db: life.propose_voucher(db, MAKER, books.voucher(), "revoked", "线索"))
    books.invoices(invoice(2, 2_000, *MAY))
    books.settle()
    with transaction(books.engine) as db:
        assert approval.find(db, act).subject.endswith("，批准时剩余的额度失效（提交时999,998.00元）")
    approve(books, act)
    assert books.limits() == (0, 600, 99_999_400)


def test_a_reason_stays_on_its_line_and_may_have_wide_blanks(books: Books) -> None:
    books.invoices(invoice(1, 1_000, *MAY))
    books.settle()
    voucher = books.voucher()

    def asked(why: str) -> list[Callable[[], object]]:
        return [
            lambda: done(books, lambda db: life.propose_voucher(db, MAKER, voucher, "frozen", why)),
            lambda: done(
                books, lambda db: refusal.propose(db, MAKER, PROGRAMME, number("1"), None, why=why, lift=False)
            ),
        ]

    for why in ("", "\u3000", "一\n二", "一\t二", "一\x00二", "一\u2028二", "一\u200b二", "\udcff"):
        for ask in asked(why):
            assert "不能换行" in refused("why", ask)
    for ask in asked("线索\u3000待查"):
        ask()
    books.approved(lambda db: ledger.propose_appropriation(db, MAKER, 2026, 1, "渝财\u3000〔2026〕1号"))
