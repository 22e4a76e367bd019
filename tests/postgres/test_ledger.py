"""The books: what is unbalanced or below its floor cannot be written, and any moment can be asked about."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from tests.postgres.conftest import Clone
from tests.postgres.desk import CHECKER, MAKER
from voucher import acts, approval, ledger
from voucher.access import User
from voucher.database import run, transaction
from voucher.errors import Misused, Refused
from voucher.ledger import Entry

TREASURY, APPROPRIATION = "money:treasury:2026", "money:appropriation:2026"
PAYABLE = "money:payable:91500000MA5UCC01XB"


def post(db: Connection, reference: str, *entries: tuple[str, str, int]) -> int:
    """Post a journal as an act of its own; return its seal number."""
    with acts.act(db, "note", reference, "maker1", reference) as act:
        ledger.post(db, act, [Entry(*entry) for entry in entries])
    return act.no


def kept(db: Connection) -> dict[str, int]:
    """Read the balances that are kept on the accounts."""
    return {row.name: row.balance_fen for row in db.execute(text("SELECT name, balance_fen FROM account"))}


def summed(db: Connection, cutoff: int | None = None, name: str = "") -> dict[str, int]:
    """Read the balances as summed from the transfers."""
    cutoff = acts.cutoff(db) if cutoff is None else cutoff
    return {row["account"]: row["balance_fen"] for row in ledger.balances(db, cutoff, name)}


def test_money_moves_from_debit_to_credit(db_engine: Engine) -> None:
    with transaction(db_engine) as db:
        post(db, "1", (TREASURY, APPROPRIATION, 100), (APPROPRIATION, PAYABLE, 30))
        assert kept(db) == {TREASURY: -100, APPROPRIATION: 70, PAYABLE: 30} == summed(db)
        assert ledger.available(db, 2026) == 70
        assert ledger.available(db, 2027) == 0


@pytest.mark.parametrize(("amount", "fits"), [(99, True), (100, True), (101, False)])
def test_an_account_stops_at_its_floor(db_engine: Engine, amount: int, fits: bool) -> None:
    with transaction(db_engine) as db:
        post(db, "1", (TREASURY, APPROPRIATION, 100))
    if fits:
        with transaction(db_engine) as db:
            post(db, "2", (APPROPRIATION, PAYABLE, amount))
        return
    with pytest.raises(Refused, match="insufficient"), transaction(db_engine) as db:
        post(db, "2", (APPROPRIATION, PAYABLE, amount))
    with transaction(db_engine) as db:
        assert kept(db) == {TREASURY: -100, APPROPRIATION: 100}
        assert db.execute(text("SELECT count(*) FROM transfer")).scalar() == 1


def test_a_floor_counts_once_per_journal_and_not_per_transfer(db_engine: Engine) -> None:
    with transaction(db_engine) as db:
        post(db, "1", (APPROPRIATION, PAYABLE, 50), (TREASURY, APPROPRIATION, 50))
        assert kept(db)[APPROPRIATION] == 0


@pytest.mark.parametrize("root", [TREASURY, "limit:authority:cq-2025-12-08:2026"])
def test_a_root_may_go_below_zero_and_nothing_else(db_engine: Engine, root: str) -> None:
    with transaction(db_engine) as db:
        post(db, "1", (root, PAYABLE, 10**12))
        assert kept(db)[root] == -(10**12)
    for name in (APPROPRIATION, "money:paid:x", "money:recoverable:x", "limit:voucher:p:c:2026", "limit:treasurys:x"):
        with pytest.raises(Refused, match="insufficient"), transaction(db_engine) as db:
            post(db, name, (name, PAYABLE, 1))


@pytest.mark.parametrize(
    "entry",
    [(TREASURY, APPROPRIATION, 0), (TREASURY, APPROPRIATION, -1), (TREASURY, TREASURY, 1)],
    ids=["nothing", "less than nothing", "to itself"],
)
def test_what_is_no_transfer_cannot_be_written(db_engine: Engine, entry: tuple[str, str, int]) -> None:
    with pytest.raises(psycopg.Error, match="transfer_"), transaction(db_engine) as db:
        post(db, "1", entry)


@pytest.mark.parametrize(
    "name", ["cash:treasury:2026", "money:treasury", "money::2026", "money:a|b:c", "money:A:1", ""]
)
def test_an_account_has_a_name_of_its_book(db_engine: Engine, name: str) -> None:
    with pytest.raises(psycopg.Error, match="account_name_check"), transaction(db_engine) as db:
        post(db, "1", (TREASURY, name, 1))


def test_balances_can_be_asked_about_at_any_seal(db_engine: Engine) -> None:
    with transaction(db_engine) as db:
        first = post(db, "1", (TREASURY, APPROPRIATION, 100))
        second = post(db, "2", (APPROPRIATION, PAYABLE, 30))
        assert summed(db, first - 1) == {}
        assert summed(db, first) == {TREASURY: -100, APPROPRIATION: 100}
        assert summed(db, second, "money:p") == {PAYABLE: 30}
        assert summed(db, second, "money_") == {}


def test_a_year_ends_the_name_of_its_account(db_engine: Engine) -> None:
    with transaction(db_engine) as db:
        post(db, "1", (TREASURY, PAYABLE, 1))
        rows = db.execute(text("SELECT name, kind, year FROM account ORDER BY name DESC")).all()
    assert [tuple(row) for row in rows] == [(TREASURY, "treasury", 2026), (PAYABLE, "payable", None)]


NAMES = [TREASURY, APPROPRIATION, PAYABLE, "money:paid:x"]
entries = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(1, 500)).filter(lambda e: e[0] != e[1])


@settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(entries, min_size=1, max_size=4), max_size=8))
def test_kept_balances_are_the_sums_of_the_transfers_and_of_all_nothing(
    books: Engine, journals: list[list[tuple[str, str, int]]]
) -> None:
    expected: dict[str, int] = {}
    with transaction(books) as db:
        for place, journal in enumerate(journals):
            after = dict(expected)
            for debit, credit, amount in journal:
                after[debit] = after.get(debit, 0) - amount
                after[credit] = after.get(credit, 0) + amount
            fits = all(balance >= 0 for name, balance in after.items() if name != TREASURY)
            step = db.begin_nested()
            try:
                post(db, str(place), *journal)
                step.commit()
                expected, went = after, True
            except psycopg.Error:
                step.rollback()
                went = False
            assert went == fits
        assert {name: fen for name, fen in kept(db).items() if name in expected} == expected == summed(db)
        assert sum(kept(db).values()) == 0
        db.rollback()


@pytest.fixture(scope="module")
def books(clone: Clone) -> Engine:
    """Give a ledger that the test above rolls back to empty books each time."""
    return clone()


def test_journals_of_many_threads_on_the_same_accounts_lose_nothing(
    db_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voucher.database.LOCK_TIMEOUT", "60s")
    run(db_engine, lambda db: post(db, "start", (TREASURY, APPROPRIATION, 100)))
    barrier = Barrier(8)

    def work(thread: int) -> int:
        barrier.wait()
        taken = 0
        for place in range(5):
            pair = (APPROPRIATION, PAYABLE) if thread % 2 else (TREASURY, APPROPRIATION)
            try:
                run(db_engine, lambda db, e=(*pair, 7), r=f"{thread}.{place}": post(db, r, e))
                taken += 7 if thread % 2 else 0
            except Refused:
                continue
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(work, range(8)))
    with transaction(db_engine) as db:
        assert kept(db) == summed(db)
        assert kept(db)[PAYABLE] == taken <= 100 + 4 * 5 * 7
        assert kept(db)[APPROPRIATION] == 100 + 4 * 5 * 7 - taken


# the appropriation


def propose(engine: Engine, year: int = 2026, fen: int = 100, reference: str = "渝财〔2026〕1号") -> int:
    return run(engine, lambda db: ledger.propose_appropriation(db, MAKER, year, fen, reference))


def test_an_appropriation_is_there_once_a_second_person_agrees(db_engine: Engine) -> None:
    proposal = propose(db_engine, fen=123_456)
    with transaction(db_engine) as db:
        assert ledger.available(db, 2026) == 0
    answer = run(db_engine, lambda db: approval.decide(db, proposal, "approved", CHECKER))
    assert (answer["amount"], answer["available"]) == ("1234.56", "1234.56")
    assert run(db_engine, lambda db: approval.decide(db, proposal, "approved", CHECKER)) == answer
    with transaction(db_engine) as db:
        assert ledger.available(db, 2026) == 123_456


def test_the_same_document_is_the_same_proposal(db_engine: Engine) -> None:
    assert propose(db_engine) == propose(db_engine)
    with pytest.raises(Refused, match="reference_conflict"):
        propose(db_engine, fen=101)
    with pytest.raises(Refused, match="reference_conflict"):
        propose(db_engine, year=2027)


@pytest.mark.parametrize("verdict", ["rejected", "withdrawn"])
def test_a_document_that_was_sent_back_can_be_proposed_anew(db_engine: Engine, verdict: str) -> None:
    first = propose(db_engine)
    who = CHECKER if verdict == "rejected" else MAKER
    run(db_engine, lambda db: approval.decide(db, first, verdict, who, why="金额有误"))
    second = propose(db_engine, fen=200)
    assert second != first
    assert propose(db_engine, fen=200) == second
    run(db_engine, lambda db: approval.decide(db, second, "approved", CHECKER))
    with transaction(db_engine) as db:
        assert ledger.available(db, 2026) == 200


@pytest.mark.parametrize(
    ("year", "fen", "reference", "code"),
    [
        (2026, 0, "1", "bad_amount"),
        (2026, -1, "1", "bad_amount"),
        (2026, 10**13, "1", "bad_amount"),
        (26, 1, "1", "bad_year"),
        (2026, 1, " ", "bad_reference"),
        (2026, 1, "a|b", "bad_reference"),
        (2026, 1, "a\nb", "bad_reference"),
    ],
)
def test_an_appropriation_that_cannot_be_is_misuse(
    db_engine: Engine, year: int, fen: int, reference: str, code: str
) -> None:
    with pytest.raises(Misused, match=code):
        propose(db_engine, year, fen, reference)


def test_a_year_that_is_over_gets_nothing_more(db_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    proposal = propose(db_engine)
    monkeypatch.setenv("CVL_TODAY", "2027-01-01")
    with pytest.raises(Refused, match="year_over"):
        run(db_engine, lambda db: approval.decide(db, proposal, "approved", CHECKER))
    with pytest.raises(Refused, match="year_over"):
        propose(db_engine, reference="渝财预〔2026〕2号")
    assert propose(db_engine) == proposal
    with transaction(db_engine) as db:
        assert approval.find(db, proposal).state == "proposed"
        assert ledger.available(db, 2026) == 0


def test_an_appropriation_needs_a_checker(db_engine: Engine) -> None:
    proposal = propose(db_engine)
    for user in (MAKER, User("maker2", "maker", None), User("admin1", "admin", None)):
        with pytest.raises(Refused, match="second_person"):
            run(db_engine, lambda db, user=user: approval.decide(db, proposal, "approved", user))
