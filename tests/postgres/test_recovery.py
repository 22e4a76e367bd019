"""Recoveries: whose money goes where, what refuses a run that recovers, who was told, what came back."""

import threading
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Engine, text

from reconciliation import reports
from reconciliation.invariants import check_all
from settlement import recovery
from settlement import run as runs
from settlement.facts import Facts
from tests.cases.histories import invoice, red_of, usual
from tests.postgres import recorder
from tests.postgres.recorder import CHECKER, MAKER, number, record, uscc
from tests.postgres.test_run import balances, decided, drafted, refused, submit, submitted
from tests.postgres.witness import PROGRAMME, SHIPPED, draft, record_document
from voucher import acts, approval, ledger
from voucher.access import User
from voucher.database import run as transact
from voucher.database import transaction
from voucher.errors import Misused, Refused

MAY = date(2026, 5, 1), date(2026, 5, 31)
FACTS = replace(usual(), invoices=[invoice(1, 50_000_000, *MAY), invoice(2, 5_000_000, *MAY)])
PAYEE = uscc(1)
LIMIT = f"{PROGRAMME}:{PAYEE}:2026"


class Ledger:
    """A ledger on which 100,000.00 and 10,000.00 of one company were granted."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.facts = engine, FACTS
        with transaction(engine) as db:
            recorder.appropriate(db, 2026, 20_000_000)
            record(db, "usual", FACTS)
        decided(engine, submitted(engine), "approved")

    def add(self, news: Facts) -> None:
        with transaction(self.engine) as db:
            record(db, f"more {len(news.invoices)}", news, self.facts)
        self.facts = news

    def reverse(self, net: int, place: int = 0) -> None:
        """Take net of the first invoice back."""
        red = red_of(self.facts.invoices[place], len(self.facts.invoices) + 1, net)
        self.add(replace(self.facts, invoices=[*self.facts.invoices, red]))

    def pay(self, fen: int, *kinds: str) -> None:
        with transaction(self.engine) as db:
            recorder.move_money(db, "1", fen, *kinds)

    def settle(self) -> runs.Run:
        return decided(self.engine, submitted(self.engine), "approved")

    def money(self) -> dict[str, int]:
        """Return what is on the money accounts and not zero, by kind; no check fails but those of payments.

        Here money is moved to and from the bank without any batch.
        """
        with transaction(self.engine) as db:
            assert [each for each in check_all(db) if each.check not in ("payments", "money_acts")] == []
        found = balances(self.engine)
        return {name.split(":")[1]: fen for name, fen in found.items() if name.startswith("money:") and fen}

    def owed(self) -> list[tuple[object, ...]]:
        with transaction(self.engine, "cvl_auditor") as db:
            rows = recovery.recoverables(db, acts.cutoff(db))
            return [
                (int(r["invoice_number"][-3:]), r["recoverable_fen"], r["returned_fen"], r["told_on"]) for r in rows
            ]

    def back(self, fen: int, reference: str = "LS-1") -> None:
        """Propose and approve that money came back."""
        with transaction(self.engine) as db:
            act = recovery.propose_return(db, MAKER, number("1"), fen, date(2026, 8, 10), reference)
        with transaction(self.engine) as db:
            approval.decide(db, act, "approved", CHECKER)


@pytest.fixture
def books(db_engine: Engine) -> Ledger:
    return Ledger(db_engine)


def test_what_is_unpaid_goes_back_to_the_appropriation_and_the_limit_to_the_voucher(books: Ledger) -> None:
    books.reverse(20_000_000)
    run = books.settle()
    with transaction(books.engine) as db:
        assert runs.totals(db, run) == {"granted": 0, "withheld": 0, "recovered": 4_000_000}
    assert books.money() == {"treasury": -20_000_000, "appropriation": 13_000_000, "payable": 7_000_000}
    limits = balances(books.engine)
    assert limits[f"limit:voucher:{LIMIT}"] == 93_000_000
    assert limits[f"limit:redeemed:{LIMIT}"] == 7_000_000
    assert books.owed() == []


def test_of_one_claim_the_unpaid_goes_first_then_what_is_in_transit_then_what_is_paid(books: Ledger) -> None:
    books.pay(3_000_000, "payable", "in_transit", "paid")
    books.pay(2_000_000, "payable", "in_transit")
    books.reverse(20_000_000)  # 4,000,000 of 5,000,000 unpaid
    books.settle()
    assert books.money() == {
        "treasury": -20_000_000, "appropriation": 13_000_000, "payable": 2_000_000, "in_transit": 2_000_000,
        "paid": 3_000_000,
    }  # fmt: skip
    books.reverse(10_000_000)  # 2,000,000: the last 1,000,000 unpaid, half of what is in transit
    books.settle()
    assert books.money() == {
        "treasury": -20_000_000, "appropriation": 14_000_000, "payable": 1_000_000, "in_transit": 1_000_000,
        "paid": 3_000_000, "recoverable": 1_000_000,
    }  # fmt: skip
    books.reverse(20_000_000)  # the rest, 4,000,000: in transit and paid
    books.settle()
    assert books.money() == {
        "treasury": -20_000_000, "appropriation": 14_000_000, "payable": 1_000_000, "recoverable": 5_000_000,
    }  # fmt: skip
    assert books.owed() == [(1, 5_000_000, 0, None)]


def test_a_claim_that_is_owed_in_full_is_not_set_off_against_another(books: Ledger) -> None:
    books.pay(10_000_000, "payable", "in_transit", "paid")
    books.reverse(50_000_000)
    books.settle()
    assert books.money()["payable"] == 1_000_000
    assert books.owed() == [(1, 10_000_000, 0, None)]


def test_a_closed_fiscal_year_gets_its_money_as_returned(books: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    books.pay(6_000_000, "payable", "in_transit", "paid")
    monkeypatch.setenv("CVL_TODAY", "2027-01-05")
    with transaction(books.engine) as db:
        recorder.close_year(db, 2026)
    books.reverse(25_000_000)
    books.settle()
    assert books.money()["returned"] == 4_000_000
    books.back(1_000_000)
    assert books.money()["returned"] == 5_000_000
    assert books.owed() == [(1, 0, 1_000_000, None)]


def test_what_returns_to_the_appropriation_may_be_granted_in_the_same_run(books: Ledger) -> None:
    """Needed is at most the appropriation and the run's own unpaid recoveries, to the fen."""
    red = red_of(FACTS.invoices[0], 3, 20_000_000)
    books.add(replace(FACTS, invoices=[*FACTS.invoices, red, invoice(4, 65_000_000, *MAY)]))
    books.settle()
    assert books.money() == {"treasury": -20_000_000, "payable": 20_000_000}


def test_a_fen_more_than_what_returns_is_refused_with_the_gap(books: Ledger) -> None:
    red = red_of(FACTS.invoices[0], 3, 20_000_000)
    books.add(replace(FACTS, invoices=[*FACTS.invoices, red, invoice(4, 65_000_005, *MAY)]))
    run = drafted(books.engine)
    assert "差0.01元" in refused("over_budget", lambda: submit(books.engine, run))


def test_money_paid_since_makes_a_run_stale_that_counted_on_its_return(books: Ledger) -> None:
    red = red_of(FACTS.invoices[0], 3, 20_000_000)
    books.add(replace(FACTS, invoices=[*FACTS.invoices, red, invoice(4, 65_000_000, *MAY)]))
    run = submitted(books.engine)
    books.pay(10_000_000, "payable", "in_transit")
    refused("stale", lambda: decided(books.engine, run, "approved"))


def test_a_revoked_voucher_gets_nothing_back(books: Ledger) -> None:
    with transaction(books.engine) as db:
        recorder.move_voucher(db, db.execute(text("SELECT voucher_id FROM voucher")).scalar_one(), "revoked")
    books.reverse(20_000_000)
    books.settle()
    found = balances(books.engine)
    assert found[f"limit:lapsed:{LIMIT}"] == 89_000_000 + 4_000_000
    assert found[f"limit:voucher:{LIMIT}"] == 0
    books.money()


def test_a_recovery_first_fills_what_an_amended_cap_is_below_what_was_granted(books: Ledger) -> None:
    """110,000.00 were granted, the cap falls to 80,000.00: 40,000.00 come back, 10,000.00 of room are left."""
    with transaction(books.engine) as db:
        record_document(db, {"annual_cap_fen": 8_000_000}, id="low.1", supersedes=SHIPPED)
    red = red_of(FACTS.invoices[0], 3, 20_000_000)
    books.add(replace(FACTS, invoices=[*FACTS.invoices, red, invoice(4, 25_000_000, *MAY)]))
    run = books.settle()
    with transaction(books.engine) as db:
        assert runs.totals(db, run) == {"granted": 1_000_000, "withheld": 4_000_000, "recovered": 4_000_000}
    found = balances(books.engine)
    assert found[f"limit:authority:{PROGRAMME}:2026"] == -8_000_000
    assert found[f"limit:voucher:{LIMIT}"] == 0
    books.money()


def test_a_backfill_is_granted_when_it_is_asked_for(books: Ledger) -> None:
    full = replace(FACTS, invoices=[*FACTS.invoices, invoice(3, 450_000_000, *MAY)])
    with transaction(books.engine) as db:
        recorder.appropriate(db, 2026, 200_000_000, "指标2")
    books.add(full)
    books.settle()  # 89,000,000 of 90,000,000
    books.reverse(2_500_000, place=1)
    run = drafted(books.engine, backfill=True)
    run = decided(books.engine, submit(books.engine, run), "approved")
    with transaction(books.engine) as db:
        assert runs.totals(db, run) == {"granted": 500_000, "withheld": 0, "recovered": 500_000}
        assert draft(db, backfill=True).run is None
    books.money()


def test_of_two_who_approve_the_same_recovery_at_once_one_does(books: Ledger) -> None:
    books.reverse(20_000_000)
    run = submitted(books.engine)
    barrier, results = threading.Barrier(2), list[object]()

    def approve(user: User) -> None:
        barrier.wait()
        try:
            results.append(transact(books.engine, lambda db: runs.decide(db, user, run.run_id, "approved")).state)
        except Refused as refusal:
            results.append(refusal.code)

    threads = [threading.Thread(target=approve, args=(user,)) for user in (CHECKER, User("checker2", "checker", None))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == ["approved", "decided"]
    assert books.money()["payable"] == 7_000_000
    with transaction(books.engine) as db:
        assert draft(db).run is None


def test_the_day_a_company_was_told_is_on_record(books: Ledger) -> None:
    with transaction(books.engine) as db:
        refused("nothing_recoverable", lambda: recovery.tell(db, MAKER, number("1"), date(2026, 8, 15), "函1"))
    books.pay(10_000_000, "payable", "in_transit", "paid")
    books.reverse(10_000_000)
    books.settle()
    with transaction(books.engine) as db:
        refused("day_ahead", lambda: recovery.tell(db, MAKER, number("1"), date(2026, 8, 16), "函1"), Misused)
        refused("too_early", lambda: recovery.tell(db, MAKER, number("1"), date(2026, 8, 14), "函1"), Misused)
        refused("bad_reference", lambda: recovery.tell(db, MAKER, number("1"), date(2026, 8, 15), " "), Misused)
    assert books.owed() == [(1, 2_000_000, 0, None)]
    for _ in range(2):
        with transaction(books.engine) as db:
            recovery.tell(db, MAKER, number("1"), date(2026, 8, 15), "函1")
    assert books.owed() == [(1, 2_000_000, 0, date(2026, 8, 15))]


def test_a_letter_does_not_speak_of_a_later_recovery(books: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    books.pay(10_000_000, "payable", "in_transit", "paid")

    def recovered(day: date) -> None:
        monkeypatch.setenv("CVL_TODAY", day.isoformat())
        books.reverse(10_000_000)
        books.settle()

    def tell(day: date, letter: str) -> None:
        with transaction(books.engine) as db:
            recovery.tell(db, MAKER, number("1"), day, letter)

    def told() -> list[object]:
        with transaction(books.engine, "cvl_auditor") as db:
            made = reports.run(db, "recoveries", "2026", acts.cutoff(db), "auditor1", checked=())
            place = [column.name for column in made.layout.columns].index("told_on")
            return [row[place] for row in made.sections[0].rows]

    recovered(date(2026, 8, 17))
    tell(date(2026, 8, 17), "函1")
    recovered(date(2026, 8, 19))
    assert books.owed() == [(1, 4_000_000, 0, None)]
    assert told() == [date(2026, 8, 17), None]
    with transaction(books.engine) as db:
        refused("too_early", lambda: recovery.tell(db, MAKER, number("1"), date(2026, 8, 18), "函2"), Misused)
    tell(date(2026, 8, 19), "函2")
    assert books.owed() == [(1, 4_000_000, 0, date(2026, 8, 19))]
    assert told() == [date(2026, 8, 17), date(2026, 8, 19)]


def test_one_letter_may_speak_of_several_invoices(books: Ledger) -> None:
    for symbol, place, fen in (("1", 0, 10_000_000), ("2", 1, 1_000_000)):
        with transaction(books.engine) as db:
            recorder.move_money(db, symbol, fen, "payable", "in_transit", "paid")
        books.reverse(fen // 2, place)
    books.settle()
    days = date(2026, 8, 15), date(2026, 8, 15)
    acts_ = []
    for symbol, day in zip("12", days, strict=True):
        with transaction(books.engine) as db:
            acts_.append(recovery.tell(db, MAKER, number(symbol), day, "函1"))
            assert recovery.tell(db, MAKER, number(symbol), day, "函1") == acts_[-1]
    assert len(set(acts_)) == 2
    assert [told for *_, told in books.owed()] == list(days)


def test_what_came_back_is_booked_once_and_never_more_than_is_owed(books: Ledger) -> None:
    books.pay(10_000_000, "payable", "in_transit", "paid")
    books.reverse(10_000_000)
    books.settle()
    with transaction(books.engine) as db:
        for fen, code in ((0, "bad_amount"), (2_000_001, "above_recoverable")):
            kind = Misused if code == "bad_amount" else Refused
            refused(
                code,
                lambda fen=fen: recovery.propose_return(db, MAKER, number("1"), fen, date(2026, 8, 1), "LS"),
                kind,
            )
        one = recovery.propose_return(db, MAKER, number("1"), 1_500_000, date(2026, 8, 10), "LS-1")
        assert recovery.propose_return(db, MAKER, number("1"), 1_500_000, date(2026, 8, 10), "LS-1") == one
        other = recovery.propose_return(db, MAKER, number("1"), 1_500_000, date(2026, 8, 10), "LS-2")
        refused("second_person", lambda: approval.decide(db, one, "approved", MAKER))
    with transaction(books.engine) as db:
        approval.decide(db, one, "approved", CHECKER)

    def more_than_owed() -> None:
        with transaction(books.engine) as db:
            approval.decide(db, other, "approved", CHECKER)

    refused("above_recoverable", more_than_owed)
    assert books.owed() == [(1, 500_000, 1_500_000, None)]
    assert books.money()["appropriation"] == 9_000_000 + 1_500_000
    with transaction(books.engine) as db:
        assert ledger.available(db, 2026) == 10_500_000
        assert draft(db).run is None
