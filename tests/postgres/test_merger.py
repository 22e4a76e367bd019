"""A company is merged into another: what both were granted counts once, against the survivor's cap."""

from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from reconciliation import bundle_check, bundle_rows
from settlement import documents
from settlement.load import facts_at, facts_from
from tests.cases.histories import invoice, red_of
from tests.postgres.recorder import MAKER, number, uscc
from tests.postgres.test_bundle import write
from tests.postgres.test_voucher_life import MAY, Books, refused
from tests.postgres.witness import PROGRAMME, SHIPPED, draft, record_document
from voucher import acts, issuance
from voucher.database import transaction


@pytest.fixture
def books(db_engine: Engine) -> Books:
    return Books(db_engine)


def test_a_merger_makes_the_room_that_both_used_count_once(books: Books) -> None:
    books.invoices(invoice(1, 300_000_000, *MAY, company=2))
    books.settle()
    books.invoices(invoice(2, 1_000, *MAY, company=2))
    assert number("2") in refused("claims_open", lambda: books.merge(2, 1))
    books.settle()
    books.merge(2, 1)
    assert books.limits(2) == (0, 60_000_200, 39_999_800)
    assert books.limits(1) == (39_999_800, 0, 60_000_200)
    books.invoices(invoice(3, 1_000, *MAY, company=2), invoice(4, 300_000_000, *MAY))
    assert books.drafted()[0] == [(number("4"), 39_999_800, 20_000_200), (number("3"), 0, 200)]
    books.settle()
    assert books.limits(1) == (0, 39_999_800, 60_000_200)
    for pair in ((2, 1), (1, 2)):
        refused("merged", lambda pair=pair: books.merge(*pair, why="另一文号"))  # type: ignore[misc]
    refused("same_company", lambda: books.merge(1, 1))
    assert books.faults() == []


def test_what_happens_to_one_of_two_merged_companies_concerns_both(books: Books) -> None:
    first = [invoice(1, 300_000_000, *MAY, company=2), invoice(2, 300_000_000, *MAY)]
    books.invoices(first[0])
    books.settle()
    books.merge(2, 1)
    books.invoices(first[1])
    books.settle()
    asked = text("SELECT p.uscc FROM touched AS t INNER JOIN party AS p ON p.party_id = t.company_id")
    for news in (red_of(first[0], 3, 100_000_000), red_of(first[1], 4, 250_000_000)):
        books.invoices(news)
        with transaction(books.engine) as db:
            draft(db)
            assert set(db.execute(asked).scalars()) == {uscc(1), uscc(2)}
            db.rollback()
        books.settle()


def test_a_merger_leaves_earlier_years_alone_and_what_both_had_stands(books: Books) -> None:
    early = date(2025, 12, 26), date(2025, 12, 31)
    books.invoices(invoice(1, 1_000, *early, company=2))
    books.invoices(invoice(2, 400_000_000, *MAY, company=2), invoice(3, 400_000_000, *MAY))
    books.settle()
    books.merge(2, 1)
    assert books.limits(1) == (0, 80_000_000, 20_000_000)
    books.invoices(invoice(4, 1_000, *early, company=2), invoice(5, 1_000, *MAY))
    assert books.drafted()[0] == [(number("5"), 0, 200), (number("4"), 200, 0)]


def test_limit_that_comes_back_to_a_survivor_first_fills_what_the_pair_had_above_one_cap(books: Books) -> None:
    """800,000 and 600,000 were granted: 400,000 too much for one cap stay, and 400,000 more must come back first."""
    blue = invoice(2, 400_000_000, *MAY)
    books.invoices(invoice(1, 300_000_000, *MAY, company=2), blue)
    books.settle()
    books.merge(2, 1)
    assert books.limits(1) == (0, 80_000_000, 20_000_000)
    books.invoices(red_of(blue, 3, 199_999_500))
    books.settle()
    assert books.limits(1) == (0, 40_000_100, 59_999_900)
    books.invoices(red_of(blue, 4, 1_500), invoice(5, 500, *MAY))
    assert books.drafted()[0] == [(number("2"), -300, 0), (number("5"), 100, 0)]
    books.settle()
    assert books.limits(1) == (100, 39_999_900, 60_000_000)
    books.invoices(invoice(6, 10_000, *MAY))
    assert books.drafted()[0] == [(number("6"), 100, 1_900)]
    assert books.faults() == []


def test_a_cap_lowered_since_takes_its_part_before_what_an_absorbed_company_was_granted(books: Books) -> None:
    blue = invoice(2, 400_000_000, *MAY)
    books.invoices(invoice(1, 300_000_000, *MAY, company=2), blue)
    books.settle()
    books.merge(2, 1)
    with transaction(books.engine) as db:
        record_document(db, {"annual_cap_fen": 70_000_000}, id="low.1", supersedes=SHIPPED)
    books.invoices(red_of(blue, 3, 200_000_000), invoice(4, 10_000, *MAY))
    assert books.drafted()[0] == [(number("2"), -40_000_000, 0), (number("4"), 0, 2_000)]
    books.settle()
    assert books.limits(1) == (0, 40_000_000, 30_000_000)
    assert books.faults() == []


def test_a_bundle_gives_what_an_absorbed_company_was_granted_as_the_database_does(books: Books, tmp_path: Path) -> None:
    blue = invoice(2, 400_000_000, *MAY)
    books.invoices(invoice(1, 300_000_000, *MAY, company=2), blue)
    books.settle()
    books.merge(2, 1)
    books.invoices(red_of(blue, 3, 100_000_000))
    books.settle()
    write(books.engine, tmp_path / "b.zip")
    with ExitStack() as stack, transaction(books.engine, "cvl_auditor") as db:
        found = bundle_check.open_all(stack, [tmp_path / "b.zip"])
        [share] = bundle_rows.read(stack, found, bundle_check.check(found)[0]).each_share()
        over = []
        for cutoff in range(acts.cutoff(db) + 1):
            told = facts_from(share.rows, PROGRAMME, cutoff).vouchers
            assert told == facts_at(db, PROGRAMME, cutoff).vouchers, cutoff
            over.append(sum(each.over_fen for each in told))
    assert [fen for fen, before in zip(over[1:], over, strict=False) if fen != before] == [40_000_000, 20_000_000]


def test_a_raised_cap_first_fills_what_a_merged_pair_had_above_the_old_one(books: Books) -> None:
    books.invoices(invoice(1, 300_000_000, *MAY, company=2), invoice(2, 400_000_000, *MAY))
    books.settle()
    books.merge(2, 1)
    with transaction(books.engine) as db:
        record_document(db, {"annual_cap_fen": 150_000_000}, id="high.1", supersedes=SHIPPED)
    books.invoices(invoice(3, 100_000_000, *MAY))
    assert books.drafted()[0] == [(number("3"), 10_000_000, 10_000_000)]
    books.settle()
    assert books.limits(1) == (0, 90_000_000, 60_000_000)
    assert books.faults() == []


def test_a_face_set_by_hand_also_bears_what_an_absorbed_company_had_been_granted(books: Books) -> None:
    with transaction(books.engine) as db:
        terms = documents.terms(db, PROGRAMME, 2026)
    books.approved(lambda db: issuance.propose_by_hand(db, MAKER, terms, uscc(1), 50_000_000))
    blue = invoice(2, 200_000_000, *MAY)
    books.invoices(invoice(1, 300_000_000, *MAY, company=2), blue)
    books.settle()
    books.merge(2, 1)
    assert books.limits(1) == (0, 40_000_000, 10_000_000)
    books.invoices(red_of(blue, 3, 150_000_000), invoice(4, 300_000_000, *MAY))
    assert books.drafted()[0] == [(number("2"), -30_000_000, 0), (number("4"), 0, 60_000_000)]
    books.settle()
    assert books.limits(1) == (0, 10_000_000, 40_000_000)
    assert books.faults() == []


@pytest.mark.parametrize(("face", "left"), [(50_000_000, 20_000_000), (None, 20_000_000)], ids=["by hand", "due"])
def test_a_survivor_without_a_voucher_bears_what_was_granted_once_it_gets_one(
    books: Books, face: int | None, left: int
) -> None:
    """A cap of 1,000,000, of which 300,000 were granted, is lowered to 500,000 later: 200,000 are left to both."""
    with transaction(books.engine) as db:
        record_document(db, {"issuance": "application"}, id="case.1", supersedes=SHIPPED)
    with transaction(books.engine) as db:
        terms = documents.terms(db, PROGRAMME, 2026)
    books.approved(lambda db: issuance.propose_by_hand(db, MAKER, terms, uscc(2), 40_000_000))
    books.invoices(invoice(1, 150_000_000, *MAY, company=2))
    books.settle()
    books.merge(2, 1)
    if face is None:
        books.approved(lambda db: issuance.propose_due(db, MAKER, terms) or 0)
    else:
        books.approved(lambda db: issuance.propose_by_hand(db, MAKER, terms, uscc(1), face))
    assert books.limits(1) == (face or 70_000_000, 0, 30_000_000)
    with transaction(books.engine) as db:
        changes = {"issuance": "application", "annual_cap_fen": 50_000_000, "from": date(2026, 7, 1)}
        record_document(db, changes, id="lower.1", supersedes="case.1")
    books.invoices(invoice(2, 400_000_000, *MAY))
    assert books.drafted()[0] == [(number("2"), left, 80_000_000 - left)]
    books.settle()
    assert books.faults() == []


def test_a_run_issues_no_whole_cap_to_a_survivor_whose_absorbed_company_has_used_some(books: Books) -> None:
    """Issued by application until now, so that the merger found no voucher of the survivor; then by the runs."""
    with transaction(books.engine) as db:
        record_document(db, {"issuance": "application"}, id="case.1", supersedes=SHIPPED)
    with transaction(books.engine) as db:
        terms = documents.terms(db, PROGRAMME, 2026)
    books.approved(lambda db: issuance.propose_by_hand(db, MAKER, terms, uscc(2), 40_000_000))
    books.invoices(invoice(1, 150_000_000, *MAY, company=2))
    books.settle()
    books.merge(2, 1)
    with transaction(books.engine) as db:
        record_document(db, {"from": date(2026, 7, 1)}, id="automatic.1", supersedes="case.1")
    books.invoices(invoice(2, 500_000_000, *MAY))
    assert uscc(1) in refused("cap_shared", books.settle)
    with transaction(books.engine) as db:
        terms = documents.terms(db, PROGRAMME, 2026)
    books.approved(lambda db: issuance.propose_by_hand(db, MAKER, terms, uscc(1), None))
    assert books.drafted()[0] == [(number("2"), 70_000_000, 30_000_000)]
    books.settle()
    assert books.limits(1) == (0, 70_000_000, 30_000_000)
    assert books.faults() == []


def test_a_company_merged_before_it_had_a_voucher_gets_none_from_that_year_on(books: Books) -> None:
    books.merge(2, 1)
    early = date(2025, 12, 26), date(2025, 12, 31)
    books.invoices(invoice(1, 1_000, *MAY, company=2), invoice(2, 1_000, *early, company=2), invoice(3, 1_000, *MAY))
    assert books.drafted()[0] == [(number("3"), 200, 0), (number("2"), 200, 0), (number("1"), 0, 200)]
