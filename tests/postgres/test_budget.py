"""Closing a fiscal year, and runs that are cut to what is available."""

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from reconciliation import bundle_check, bundle_rows
from settlement import documents
from settlement import run as runs
from settlement.load import facts_at, facts_from
from settlement.verify import verify
from tests.cases.histories import invoice, red_of, usual
from tests.postgres import recorder
from tests.postgres.recorder import CHECKER, MAKER, number, record, uscc
from tests.postgres.test_bundle import write
from tests.postgres.test_run import balances, decided, drafted, refused, submit, submitted
from tests.postgres.witness import PROGRAMME, SHIPPED, draft, record_document
from voucher import acts, approval, budget, issuance, ledger
from voucher.database import transaction

MAY = date(2026, 5, 1), date(2026, 5, 31)
FACTS = replace(usual(), invoices=[invoice(1, 300_000, *MAY), invoice(2, 300_000, *MAY, company=2)])


@pytest.fixture
def engine(db_engine: Engine) -> Engine:
    """Give a ledger with 1,000.00 and two claims of 600.00."""
    with transaction(db_engine) as db:
        recorder.appropriate(db, 2026, 100_000)
        record(db, "usual", FACTS)
    return db_engine


def closing(engine: Engine) -> int:
    with transaction(engine) as db:
        return budget.propose_close(db, MAKER, 2026)


def closed(engine: Engine, act: int) -> None:
    with transaction(engine) as db:
        approval.decide(db, act, "approved", CHECKER)


def test_a_closed_year_returns_what_is_unspent_and_takes_nothing_more(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused("year_not_over", lambda: closing(engine))
    monkeypatch.setenv("CVL_TODAY", "2027-01-01")
    act = closing(engine)
    assert closing(engine) == act
    refused("second_person", lambda: decide_own(engine, act))
    closed(engine, act)
    found = balances(engine)
    assert (found["money:appropriation:2026"], found["money:returned:2026"]) == (0, 100_000)
    assert closing(engine) == act


def decide_own(engine: Engine, act: int) -> None:
    with transaction(engine) as db:
        approval.decide(db, act, "approved", MAKER)


def test_a_year_is_not_closed_while_a_run_of_it_is_open_nor_after_its_money_moved(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = drafted(engine)
    monkeypatch.setenv("CVL_TODAY", "2027-01-01")
    assert str(run.run_id) in refused("run_open", lambda: closing(engine))
    decided(engine, run, "withdrawn", MAKER)
    act = closing(engine)
    with transaction(engine) as db:
        recorder.leave(db, 2026, 5, "less")
    refused("stale", lambda: closed(engine, act))


def test_a_year_is_not_closed_beside_a_recovery_that_gives_money_back_to_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is first, nothing stays in a closed year: the close waits and is stale, or the recovery is returned."""
    with transaction(engine) as db:
        recorder.appropriate(db, 2026, 20_000, "指标2")
    decided(engine, submitted(engine), "approved")
    monkeypatch.setenv("CVL_TODAY", "2027-01-01")
    with transaction(engine) as db:
        record(db, "red", replace(FACTS, invoices=[*FACTS.invoices, red_of(FACTS.invoices[0], 3, 100_000)]), FACTS)
    run, act = submitted(engine), closing(engine)
    with ThreadPoolExecutor(1) as pool:
        with transaction(engine) as db:
            runs.decide(db, CHECKER, run.run_id, "approved")
            later = pool.submit(closed, engine, act)
            assert wait([later], timeout=1).not_done
        refused("stale", later.result)
        with transaction(engine) as db:
            approval.decide(db, act, "rejected", CHECKER, why="余额有变动")
        again = closing(engine)
        with transaction(engine) as db:
            record(db, "red2", replace(FACTS, invoices=[*FACTS.invoices, red_of(FACTS.invoices[1], 4, 100_000)]), FACTS)
        second = submitted(engine)
        with transaction(engine) as db:
            approval.decide(db, again, "approved", CHECKER)
            late = pool.submit(decided, engine, second, "approved")
            assert wait([late], timeout=1).not_done
        late.result()
    found = balances(engine)
    assert found["money:appropriation:2026"] == 0
    assert found["money:returned:2026"] == 40_000


def test_a_year_that_was_never_given_money_is_not_closed(db_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_TODAY", "2027-01-01")
    refused("no_appropriation", lambda: closing(db_engine))


def pro_rata(engine: Engine) -> None:
    with transaction(engine) as db:
        record_document(db, {"over_budget": "pro_rata"}, id="share.1", supersedes=SHIPPED)


def test_a_run_is_cut_to_the_last_fen_and_the_cut_is_final(engine: Engine) -> None:
    pro_rata(engine)
    with transaction(engine) as db:
        recorder.leave(db, 2026, 100_001, "odd")
    run = submitted(engine)
    assert run.pro_rata
    decided(engine, run, "approved")
    with transaction(engine) as db:
        lines = db.execute(text("SELECT granted_fen, budget_cut_fen FROM run_line ORDER BY line_no")).all()
        assert list(map(tuple, lines)) == [(50_001, 9_999), (50_000, 10_000)]
        assert ledger.available(db, 2026) == 0
        assert verify(db, run.run_id) == []
        recorder.leave(db, 2026, 10**9, "more")
        assert draft(db).backfill == []


def test_a_cut_to_nothing_is_final_though_it_issues_no_voucher(db_engine: Engine, tmp_path: Path) -> None:
    pro_rata(db_engine)
    with transaction(db_engine) as db:
        recorder.appropriate(db, 2026, 50_000)
        record(db, "fen", replace(FACTS, invoices=[FACTS.invoices[0], invoice(2, 5, *MAY, company=2)]))
    decided(db_engine, submitted(db_engine), "approved")
    with transaction(db_engine) as db:
        lines = db.execute(text("SELECT granted_fen, budget_cut_fen FROM run_line ORDER BY line_no")).all()
        assert list(map(tuple, lines)) == [(50_000, 10_000), (0, 1)]
        assert db.execute(text("SELECT count(*) FROM voucher")).scalar_one() == 1
        recorder.leave(db, 2026, 10**9, "more")
        assert draft(db).backfill == []
    same_in_a_bundle(db_engine, tmp_path)


def test_a_run_for_which_there_is_enough_is_not_cut(engine: Engine) -> None:
    pro_rata(engine)
    with transaction(engine) as db:
        recorder.leave(db, 2026, 120_000, "enough")
    assert not drafted(engine).pro_rata


def test_a_run_for_which_there_is_nothing_is_refused(engine: Engine) -> None:
    pro_rata(engine)
    with transaction(engine) as db:
        recorder.leave(db, 2026, 0, "nothing")
    run = drafted(engine)
    assert not run.pro_rata
    assert "1,200.00元" in refused("over_budget", lambda: submit(engine, run))


def test_a_share_that_is_not_what_was_available_is_found(engine: Engine) -> None:
    """The money was there at the cutoff: a run that grants less of it was tampered with."""
    pro_rata(engine)
    run = submitted(engine)
    with transaction(engine, "cvl_owner") as db:
        db.execute(text("ALTER TABLE transfer DISABLE TRIGGER append_only"))
        db.execute(text("UPDATE transfer SET amount_fen = amount_fen + 1"))
        db.execute(text("UPDATE account SET balance_fen = balance_fen + 1 WHERE kind = 'appropriation'"))
    with transaction(engine, "cvl_auditor") as db:
        assert [each.field for each in verify(db, run.run_id)] == ["available"]
        assert runs.find(db, run.run_id).pro_rata


def test_a_pro_rata_run_settles_nothing_for_good_of_a_company_whose_voucher_is_still_applied_for(
    engine: Engine, tmp_path: Path
) -> None:
    """The first company has no voucher, so that the cap gave it nothing; the second is cut to 500.00 of 600.00."""
    with transaction(engine) as db:
        changes = {"issuance": "application", "over_budget": "pro_rata"}
        record_document(db, changes, id="case.1", supersedes=SHIPPED)
    issued(engine, 2)
    with transaction(engine) as db:
        recorder.leave(db, 2026, 50_000, "less")
    decided(engine, submitted(engine), "approved")
    issued(engine, 1)
    with transaction(engine) as db:
        found = draft(db)
        assert found.run is None
        assert [(row["invoice_number"], row["granted_fen"]) for row in found.backfill] == [(number("1"), 60_000)]
    same_in_a_bundle(engine, tmp_path)


def same_in_a_bundle(engine: Engine, folder: Path) -> None:
    """See that a bundle tells of the lines of runs what the database does, as of every seal."""
    write(engine, folder / "b.zip")
    with ExitStack() as stack, transaction(engine, "cvl_auditor") as db:
        opened = bundle_check.open_all(stack, [folder / "b.zip"])
        shares = list(bundle_rows.read(stack, opened, bundle_check.check(opened)[0]).each_share())
        for cutoff in range(acts.cutoff(db) + 1):
            told = [row for share in shares for row in facts_from(share.rows, PROGRAMME, cutoff).served]
            assert sorted(told, key=repr) == sorted(facts_at(db, PROGRAMME, cutoff).served, key=repr), cutoff


def issued(engine: Engine, company: int) -> None:
    """Issue the voucher that a company has applied for."""
    with transaction(engine) as db:
        terms = documents.terms(db, PROGRAMME, 2026)
        act = issuance.propose_by_hand(db, MAKER, terms, uscc(company), None)
    closed(engine, act)
