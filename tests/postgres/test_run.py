"""The life of a settlement run: drafted, submitted, decided; what refuses it, and what it books."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, text

from settlement import run as runs
from settlement.verify import verify
from tests.cases.histories import invoice, usual
from tests.postgres import recorder
from tests.postgres.recorder import CHECKER, MAKER, number, record, uscc
from tests.postgres.witness import END, PROGRAMME, SHIPPED, draft, record_document, settle
from voucher import acts, ledger
from voucher.access import User
from voucher.database import run as transact
from voucher.database import transaction
from voucher.errors import Broken, Busy, CvlError, Refused

MAKER2 = User("maker2", "maker", None)
CHECKER2 = User("checker2", "checker", None)
MAY = date(2026, 5, 1), date(2026, 5, 31)
FACTS = replace(usual(), invoices=[invoice(1, 300_000_000, *MAY), invoice(2, 300_000_000, *MAY), invoice(3, 4, *MAY)])


@pytest.fixture
def engine(db_engine: Engine) -> Engine:
    """Give a ledger with an appropriation and three claims: 600,000.00, 400,000.00 of 600,000.00, 0.00."""
    with transaction(db_engine) as db:
        recorder.appropriate(db, 2026, 150_000_000)
        record(db, "usual", FACTS)
    return db_engine


def drafted(engine: Engine, user: User = MAKER, *, backfill: bool = False) -> runs.Run:
    with transaction(engine) as db:
        run = draft(db, user=user, backfill=backfill).run
        assert run is not None
        return run


def submit(engine: Engine, run: runs.Run, user: User = MAKER) -> runs.Run:
    with transaction(engine) as db:
        return runs.submit(db, user, run.run_id)


def submitted(engine: Engine) -> runs.Run:
    return submit(engine, drafted(engine))


def decided(engine: Engine, run: runs.Run, verdict: str, user: User = CHECKER, **more: Any) -> runs.Run:
    with transaction(engine) as db:
        return runs.decide(db, user, run.run_id, verdict, **more)


def refused(code: str, work: Callable[[], object], kind: type[CvlError] = Refused) -> str:
    """Do something that must be refused; return the sentence."""
    with pytest.raises(kind) as caught:
        work()
    assert caught.value.code == code
    return caught.value.message


def count(engine: Engine, table: str) -> int:
    with transaction(engine) as db:
        return int(db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def balances(engine: Engine) -> dict[str, int]:
    """Return what is on the accounts, as summed from the transfers; the kept balances must agree."""
    with transaction(engine) as db:
        summed = {row["account"]: row["balance_fen"] for row in ledger.balances(db, acts.cutoff(db))}
        kept = dict(map(tuple, db.execute(text("SELECT name, balance_fen FROM account"))))
        assert {name: fen for name, fen in kept.items() if fen} == {n: f for n, f in summed.items() if f}
        return summed


def test_drafting_twice_gives_the_same_lines_and_digest(engine: Engine) -> None:
    first, second = drafted(engine), drafted(engine)
    assert (first.digest, first.lines, first.cutoff) == (second.digest, second.lines, second.cutoff)
    assert second.run_id > first.run_id
    refused("no_run", lambda: decided(engine, first, "withdrawn", MAKER))
    assert count(engine, "draft_line") == 3


def test_a_draft_is_no_act(engine: Engine) -> None:
    before = count(engine, "seal")
    drafted(engine)
    assert count(engine, "seal") == before
    assert count(engine, "run") == 0


def test_an_approved_run_posts_vouchers_limits_and_money(engine: Engine) -> None:
    run = decided(engine, submitted(engine), "approved")
    assert (run.state, run.maker, run.checker) == ("approved", "maker1", "checker1")
    company = uscc(1)
    assert balances(engine) == {
        "limit:authority:cq-2025-12-08:2026": -100_000_000,
        f"limit:voucher:cq-2025-12-08:{company}:2026": 0,
        f"limit:redeemed:cq-2025-12-08:{company}:2026": 100_000_000,
        "money:treasury:2026": -150_000_000,
        "money:appropriation:2026": 50_000_000,
        f"money:payable:{company}": 100_000_000,
    }
    with transaction(engine) as db:
        voucher = db.execute(text("SELECT company_id, cap_year, face_fen, by_hand FROM voucher")).one()
        assert tuple(voucher) == (1, 2026, 100_000_000, False)
        lines = db.execute(text("SELECT line_no, amount_fen FROM transfer WHERE run_id IS NOT NULL")).all()
        assert sorted(map(tuple, lines)) == [(1, 60_000_000)] * 2 + [(2, 40_000_000)] * 2
        assert verify(db, run.run_id) == []
        assert runs.totals(db, run) == {"granted": 100_000_000, "withheld": 20_000_000, "recovered": 0}
    assert count(engine, "open_run") == 0


def test_after_the_approval_there_is_nothing_to_draft(engine: Engine) -> None:
    decided(engine, submitted(engine), "approved")
    with transaction(engine) as db:
        assert draft(db).run is None
    with transaction(engine) as db:
        assert draft(db, backfill=True).run is None


def test_submitting_twice_gives_the_first_answer(engine: Engine) -> None:
    run = submitted(engine)
    assert submit(engine, run) == run
    assert count(engine, "proposal") == 2  # the appropriation and the run


def test_a_draft_is_submitted_by_who_made_it(engine: Engine) -> None:
    run = drafted(engine)
    refused("not_yours", lambda: submit(engine, run, MAKER2))
    refused("not_submitted", lambda: decided(engine, run, "approved"))


def test_one_run_is_open_at_a_time(engine: Engine) -> None:
    run = drafted(engine)
    assert "maker1" in refused("run_open", lambda: drafted(engine, MAKER2))
    submit(engine, run)
    for user in (MAKER, MAKER2):
        assert str(run.run_id) in refused("run_open", lambda user=user: drafted(engine, user))
    decided(engine, run, "withdrawn", MAKER)
    drafted(engine, MAKER2)


def test_a_rejected_run_stays_on_record_and_makes_room_for_the_next(engine: Engine) -> None:
    run = submitted(engine)
    refused("why", lambda: decided(engine, run, "rejected"))
    assert decided(engine, run, "rejected", why="发票待核").state == "rejected"
    again = drafted(engine)
    assert again.digest == run.digest
    with transaction(engine) as db:
        assert len(runs.lines(db, runs.find(db, run.run_id))) == 3
        assert verify(db, run.run_id) == []
    refused("decided", lambda: decided(engine, run, "approved"))


def test_nobody_approves_his_own_run(engine: Engine) -> None:
    run = submitted(engine)
    refused("second_person", lambda: decided(engine, run, "approved", MAKER))
    refused("second_person", lambda: decided(engine, run, "approved", MAKER2))
    refused("second_person", lambda: decided(engine, run, "withdrawn", CHECKER))
    assert count(engine, "decision") == 1
    assert decided(engine, run, "approved").state == "approved"


def test_another_digest_than_the_one_shown_is_refused(engine: Engine) -> None:
    run = submitted(engine)
    refused("digest_differs", lambda: decided(engine, run, "approved", digest="0" * 64))
    refused("digest_differs", lambda: decided(engine, run, "approved", digest=run.digest[:7]))
    assert decided(engine, run, "approved", digest=run.digest[:8].upper()).state == "approved"


def test_more_than_the_appropriation_is_refused_with_the_gap(engine: Engine) -> None:
    with transaction(engine) as db:
        more = replace(FACTS, invoices=[*FACTS.invoices, invoice(4, 300_000_000, *MAY, company=2)])
        record(db, "more", more, FACTS)
    run = drafted(engine)
    assert "100,000.00元" in refused("over_budget", lambda: submit(engine, run))
    assert count(engine, "run") == 0
    with transaction(engine) as db:
        recorder.appropriate(db, 2026, 10_000_000, "指标2")
    assert submit(engine, run).state == "submitted"


def test_a_voucher_that_moved_since_makes_the_run_stale(engine: Engine) -> None:
    decided(engine, submitted(engine), "approved")
    more = replace(FACTS, invoices=[*FACTS.invoices, invoice(4, 1_000, *MAY)])
    with transaction(engine) as db:
        record(db, "more", more, FACTS)
    run = submitted(engine)
    with transaction(engine) as db:
        recorder.move_voucher(db, db.execute(text("SELECT voucher_id FROM voucher")).scalar_one(), "frozen")
    assert uscc(1) in refused("stale", lambda: decided(engine, run, "approved"))
    decided(engine, run, "withdrawn", MAKER)
    with transaction(engine) as db:
        last = draft(db)
        assert last.run is None
        assert [row["reasons"][-1]["code"] for row in last.held] == ["frozen"]


def test_another_fiscal_year_makes_the_run_stale(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    run = submitted(engine)
    monkeypatch.setenv("CVL_TODAY", "2027-01-01")
    assert "2026" in refused("stale", lambda: decided(engine, run, "approved"))


def test_an_appropriation_used_up_by_another_programme_makes_the_run_stale(engine: Engine) -> None:
    run = submitted(engine)
    with transaction(engine) as db:
        entry = ledger.Entry("money:appropriation:2026", "money:returned:2026", 50_000_001)
        with acts.act(db, "test", "elsewhere", MAKER.name, {}) as act:
            ledger.post(db, act, [entry])
    refused("stale", lambda: decided(engine, run, "approved"))
    assert count(engine, "voucher") == 0


def test_a_voucher_issued_by_hand_since_the_draft_makes_it_stale(engine: Engine) -> None:
    run = submitted(engine)
    with transaction(engine) as db:
        recorder.issue(db, PROGRAMME, 1, 2026, 50_000_000)
    refused("stale", lambda: decided(engine, run, "approved"))


def test_a_voucher_never_goes_below_zero(engine: Engine) -> None:
    decided(engine, submitted(engine), "approved")
    names = [f"limit:{kind}:{PROGRAMME}:{uscc(1)}:2026" for kind in ("voucher", "redeemed")]

    def overdraw() -> None:
        with transaction(engine) as db, acts.act(db, "test", "overdraw", MAKER.name, {}) as act:
            ledger.post(db, act, [ledger.Entry(*names, 1)])

    refused("insufficient", overdraw)


def test_the_face_of_an_automatic_voucher_follows_the_cap(engine: Engine) -> None:
    with transaction(engine) as db:
        record_document(db, {"annual_cap_fen": 50_000_000}, id="low.1", supersedes=SHIPPED)
        settle(db)
    voucher = f"limit:voucher:{PROGRAMME}:{uscc(1)}:2026"
    assert balances(engine)[voucher] == 0
    more = replace(FACTS, invoices=[*FACTS.invoices, invoice(4, 1_000, *MAY)])
    with transaction(engine) as db:
        record_document(db, {"annual_cap_fen": 120_000_100}, id="high.1", supersedes="low.1")
        record(db, "more", more, FACTS)
        settle(db, backfill=True)
    assert balances(engine)[voucher] == 0
    assert balances(engine)[f"limit:authority:{PROGRAMME}:2026"] == -120_000_100
    assert count(engine, "voucher") == 1


def test_a_line_changed_behind_the_triggers_is_found(engine: Engine) -> None:
    run = drafted(engine)
    with transaction(engine) as db:
        db.execute(text("UPDATE draft_line SET basis_fen = basis_fen + 1"))
    refused("draft_changed", lambda: submit(engine, run), Broken)
    run = submitted(engine)
    with transaction(engine, "cvl_owner") as db:
        db.execute(text("ALTER TABLE run_line DISABLE TRIGGER append_only"))
        db.execute(text("UPDATE run_line SET basis_fen = basis_fen + 1 WHERE line_no = 2"))
    refused("lines_changed", lambda: decided(engine, run, "approved"), Broken)
    with transaction(engine) as db:
        digest, basis = verify(db, run.run_id)
    assert digest.field == "digest"
    assert (basis.invoice_number, basis.field, basis.stored, basis.computed) == (
        number("2"), "basis_fen", "3,000,000.01元", "3,000,000.00元",
    )  # fmt: skip
    assert basis.sentence == (
        f"发票 {number('2')} 2026年度的补贴行，计算基数不一致：记录为3,000,000.01元，重算为3,000,000.00元。"
    )


def test_a_line_missing_or_too_many_is_found(engine: Engine) -> None:
    run = submitted(engine)
    with transaction(engine, "cvl_owner") as db:
        db.execute(text("ALTER TABLE run_line DISABLE TRIGGER append_only"))
        db.execute(text("UPDATE run_line SET cap_year = 2027 WHERE line_no = 3"))
    with transaction(engine) as db:
        found = [(each.cap_year, each.field, each.stored, each.computed) for each in verify(db, run.run_id)]
    assert found[1:] == [(2026, "line", "", "0.00元"), (2027, "line", "0.00元", "")]


def _race(*works: Callable[[], object]) -> list[object]:
    """Do things at the same moment; return their results or what they raised."""
    barrier = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(place: int) -> None:
        barrier.wait()
        try:
            results[place] = works[place]()
        except Exception as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_two_people_who_draft_at_once_one_is_told_so(engine: Engine) -> None:
    def work(user: User) -> Callable[[], object]:
        return lambda: transact(engine, lambda db: runs.draft(db, user, END))

    results = _race(work(MAKER), work(MAKER2))
    refusals = [each for each in results if isinstance(each, CvlError)]
    assert len(refusals) == 1, results
    assert refusals[0].code in ("run_open", "busy")
    assert count(engine, "open_run") == 1


def test_a_draft_that_waits_too_long_is_told_busy(engine: Engine) -> None:
    def impatient() -> None:
        with transaction(engine) as db:
            db.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
            runs.draft(db, MAKER2, END)

    with transaction(engine) as db:
        runs.draft(db, MAKER, END)
        refused("busy", impatient, Busy)
