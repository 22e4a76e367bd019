"""Scheduled jobs: each slot once, in order, on record, whoever runs them and whoever dies."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from jobs import runner
from jobs.job import Context, Job, Outcome, State, fifth_working_day, month_over, registry, same_day, slots
from reconciliation import invariants
from settlement import run as settle
from tests.postgres import small_ledger as small
from tests.postgres.small_ledger import CHECKER, MAKER
from voucher import acts
from voucher.database import query, run, transaction
from voucher.errors import Misused, Refused, Unreachable

ROOT = Path(__file__).resolve().parents[2]


def job(name: str = "probe", *, state: State = "done", every: bool = True, error: Exception | None = None) -> Job:
    """Make a job that writes an act of its own, so that running it twice would show."""

    def work(context: Context) -> Outcome:
        if error is not None:
            raise error
        with acts.act(context.db, "probe", f"{name} {context.slot}", "system", {}):
            pass
        return Outcome(state, f"做了 {context.slot}")

    return Job("试探", "day", same_day, work, every, name)


def recorded(engine: Engine, name: str = "probe") -> list[tuple[str, str, int]]:
    with transaction(engine, "cvl_auditor") as db:
        return [(row["slot"], row["state"], row["attempts"]) for row in query(db, "queries/job/slots.sql", job=name)]


def value(engine: Engine, statement: str) -> object:
    with transaction(engine, "cvl_auditor") as db:
        return db.execute(text(statement)).scalar_one()


def today(monkeypatch: pytest.MonkeyPatch, day: str) -> None:
    monkeypatch.setenv("CVL_TODAY", day)


def test_missed_slots_are_caught_up_in_order_and_each_runs_once(
    db_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    today(monkeypatch, "2026-08-18")
    ran = list(runner.tick(db_engine, [job()]))
    assert [each.slot for each in ran] == ["2026-08-15", "2026-08-16", "2026-08-17", "2026-08-18"]
    assert list(runner.tick(db_engine, [job()])) == []
    again = runner.run_slot(db_engine, job(), "2026-08-16", asked_by="admin1")
    assert (again.fresh, again.outcome) == (False, Outcome("done", "做了 2026-08-16"))
    assert recorded(db_engine) == [(f"2026-08-{day}", "done", 1) for day in (15, 16, 17, 18)]
    assert value(db_engine, "SELECT count(*) FROM job_attempt WHERE started_at <= ended_at") == 4


def test_of_missed_slots_of_some_jobs_only_the_last_runs_and_the_others_say_so(
    db_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest = job(every=False)
    list(runner.tick(db_engine, [latest]))
    today(monkeypatch, "2026-08-18")
    assert [(each.slot, each.outcome and each.outcome.state) for each in runner.tick(db_engine, [latest])] == [
        ("2026-08-16", "skipped"), ("2026-08-17", "skipped"), ("2026-08-18", "done"),
    ]  # fmt: skip
    assert value(db_engine, "SELECT output FROM job_slot WHERE slot = '2026-08-17'") == (
        "已错过，由 2026-08-18 的一次代替。"
    )


def test_a_failure_leaves_its_record_and_nothing_else_and_ends_the_turn_of_its_job(
    db_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    today(monkeypatch, "2026-08-16")
    before = value(db_engine, "SELECT count(*) FROM act")

    def work(context: Context) -> Outcome:
        with acts.act(context.db, "probe", context.slot, "system", {}):
            context.db.exec_driver_sql("SELECT 1 / 0")
        raise AssertionError("unreachable")

    bad = Job("坏", "day", same_day, work, True, "bad")
    ran = [(each.job, each.slot, each.outcome and each.outcome.state) for each in runner.tick(db_engine, [bad, job()])]
    assert ran == [("bad", "2026-08-15", "failed"), ("probe", "2026-08-15", "done"), ("probe", "2026-08-16", "done")]
    assert value(db_engine, "SELECT count(*) FROM act") == int(str(before)) + 2
    # the scheduler waits a while before it tries again, and what comes after waits with it; a person need not
    assert [(each.slot, each.fresh) for each in runner.tick(db_engine, [bad])] == [("2026-08-15", False)]
    monkeypatch.setattr(runner, "PAUSE_MINUTES", 0)
    list(runner.tick(db_engine, [bad]))
    list(runner.tick(db_engine, [bad]))
    assert recorded(db_engine, "bad") == [("2026-08-15", "failed", runner.ATTEMPTS)]
    assert [each.slot for each in runner.tick(db_engine, [bad])] == ["2026-08-16"]
    mended = replace(job("mended"), name="bad")
    assert runner.run_slot(db_engine, mended, "2026-08-15", asked_by="admin1").outcome == Outcome(
        "done", "做了 2026-08-15"
    )
    assert recorded(db_engine, "bad")[0] == ("2026-08-15", "done", runner.ATTEMPTS + 1)
    assert value(db_engine, "SELECT string_agg(state, ' ' ORDER BY attempt) FROM job_attempt WHERE slot = '2026-08-15'"
                 " AND job = 'bad'") == "failed failed failed done"  # fmt: skip


def test_a_refusal_is_said_and_an_unexpected_error_gives_no_values_away(db_engine: Engine) -> None:
    refused = runner.run_slot(db_engine, job(error=Refused("x", "一句话。")), "2026-08-15")
    assert refused.outcome == Outcome("failed", "一句话。")
    broken = runner.run_slot(db_engine, job("other", error=ValueError("6222000011112222")), "2026-08-15")
    assert broken.outcome is not None
    assert "6222" not in broken.outcome.output
    assert "ValueError" in broken.outcome.output


def test_a_connection_that_is_lost_is_said_as_such_and_the_slot_runs_again(db_engine: Engine) -> None:
    def work(context: Context) -> Outcome:
        [[own]] = context.db.execute(text("SELECT pg_backend_pid()"))
        with context.engine.begin() as other:
            other.execute(text("SELECT pg_terminate_backend(:own)"), {"own": own})
        query(context.db, "queries/job/first_day.sql")
        raise AssertionError("it was cut off")

    with pytest.raises(Unreachable, match="数据库"):
        runner.run_slot(db_engine, Job("试探", "day", same_day, work, name="probe"), "2026-08-15")
    assert recorded(db_engine) == []
    assert runner.run_slot(db_engine, job(), "2026-08-15").fresh


def test_a_dry_run_leaves_nothing(db_engine: Engine) -> None:
    before = value(db_engine, "SELECT count(*) FROM act")
    ran = runner.run_slot(db_engine, job(), "2026-08-15", dry_run=True)
    assert ran.outcome == Outcome("done", "做了 2026-08-15")
    assert (recorded(db_engine), value(db_engine, "SELECT count(*) FROM act")) == ([], before)


PROGRAM = """
import signal, sys
from jobs import runner
from jobs.job import Context, Job, Outcome, same_day
from voucher import acts
from voucher.database import make_engine

def work(context):
    with acts.act(context.db, "probe", context.slot, "system", {}):
        if len(sys.argv) > 2 and context.slot == sys.argv[2]:
            print("in the middle", flush=True)
            signal.pause()
    return Outcome("done", context.slot)

engine = make_engine(sys.argv[1])
for ran in runner.tick(engine, [Job("probe", "day", same_day, work, True, "probe")]):
    print(ran.slot, ran.fresh, flush=True)
"""


def scheduler(engine: Engine, *words: str) -> "subprocess.Popen[str]":
    url = engine.url.render_as_string(hide_password=False)
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_of_three_schedulers_one_is_killed_and_each_slot_runs_exactly_once(
    db_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    today(monkeypatch, "2026-08-19")
    first = scheduler(db_engine, "2026-08-17")
    assert first.stdout is not None
    assert [first.stdout.readline() for _ in range(3)] == ["2026-08-15 True\n", "2026-08-16 True\n", "in the middle\n"]
    # while it lives nobody else takes its slot, nor what comes after
    assert [(each.slot, each.outcome) for each in runner.tick(db_engine, [job()])] == [("2026-08-17", None)]
    first.send_signal(signal.SIGKILL)
    first.wait(timeout=30)
    first.stdout.close()
    others = [scheduler(db_engine), scheduler(db_engine)]
    told = [other.communicate(timeout=60)[0] for other in others]
    assert [other.returncode for other in others] == [0, 0]
    list(runner.tick(db_engine, [job()]))  # what one of them left to the other when it turned away
    fresh = [line for said in told for line in said.splitlines() if line.endswith("True")]
    assert len(fresh) == len(set(fresh))
    assert recorded(db_engine) == [(f"2026-08-{day}", "done", 1) for day in (15, 16, 17, 18, 19)]
    assert value(db_engine, "SELECT count(*) FROM act WHERE kind = 'probe'") == 5


def test_slots_are_due_when_their_period_says() -> None:
    monthly = Job("月", "month", fifth_working_day, job().work, True, "m")
    start = date(2026, 6, 20)
    assert list(slots(monthly, start, date(2026, 8, 6))) == ["2026-06"]
    assert list(slots(monthly, start, date(2026, 8, 7))) == ["2026-06", "2026-07"]
    assert list(slots(replace(monthly, due=month_over), start, date(2026, 8, 1))) == ["2026-06", "2026-07"]
    with pytest.raises(Refused, match="calendar_missing"):
        list(slots(monthly, date(2026, 11, 1), date(2027, 1, 20)))
    assert runner.slot_of(monthly, None, date(2026, 8, 7)) == "2026-07"
    for wrong in ("2026-8", "x", "2026-13", "2026-07-01"):
        with pytest.raises(Misused, match="bad_slot"):
            runner.slot_of(monthly, wrong, date(2026, 8, 7))
    with pytest.raises(Refused, match="not_due"):
        runner.slot_of(monthly, "2026-08", date(2026, 8, 7))
    with pytest.raises(Misused, match="no_job"):
        runner.find("nothing")


# the jobs themselves


@pytest.fixture
def books(db_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Give a ledger with an unsettled month and a home."""
    monkeypatch.setenv("CVL_HOME", str(tmp_path / "home"))
    small.register(db_engine, 4)
    small.appropriate(db_engine, 2026, 1_000_000_000)
    small.upload(db_engine, small.PROVIDERS[0], 0, 12, 4)
    return db_engine


def done(engine: Engine, name: str, slot: str) -> str:
    ran = runner.run_slot(engine, registry()[name], slot)
    assert ran.outcome is not None
    assert ran.outcome.state == "done", ran.outcome
    return ran.outcome.output


def test_every_job_has_a_title_and_is_on_record(books: Engine) -> None:
    assert set(registry()) == {
        "backup", "budget_watch", "deadlines", "invoice_recheck", "month_end", "seal_check", "settlement_draft",
        "voucher_expiry",
    }  # fmt: skip
    list(runner.tick(books))
    states = {name: {state for _, state, _ in recorded(books, name)} for name in registry()}
    assert {name for name, found in states.items() if found - {"done", "skipped"}} <= {
        "backup"
    }  # documents are made up


def test_the_draft_of_the_month_waits_for_any_maker(books: Engine) -> None:
    assert "已起草批次 1，12行" in done(books, "settlement_draft", "2026-07")
    run(books, lambda db: settle.submit(db, MAKER, 1))
    assert run(books, lambda db: settle.decide(db, CHECKER, 1, "approved")).state == "approved"


def test_a_maker_may_draft_anew_over_the_scheduler_but_not_the_other_way(books: Engine) -> None:
    done(books, "settlement_draft", "2026-06")
    drafted = run(books, lambda db: settle.draft(db, MAKER, date(2026, 7, 31))).run
    assert drafted is not None
    assert drafted.drafted_by == MAKER.name
    ran = runner.run_slot(books, registry()["settlement_draft"], "2026-07")
    assert ran.outcome is not None
    assert ran.outcome.state == "skipped"
    assert "未提交的结算草稿" in ran.outcome.output


def test_the_month_end_writes_its_reports(books: Engine, tmp_path: Path) -> None:
    small.settled(books, date(2026, 7, 31))
    assert "核对一致" in done(books, "month_end", "2026-07")
    [file] = (tmp_path / "home/reports/2026-07").glob("reconciliation-2026-07-*.xlsx")
    assert file.read_bytes()[:2] == b"PK"


def test_a_broken_seal_fails_the_check_with_its_place(books: Engine) -> None:
    assert "逐号相符" in done(books, "seal_check", "2026-08-15")
    with books.begin() as db:
        db.exec_driver_sql("SET ROLE cvl_owner")
        db.exec_driver_sql("ALTER TABLE cvl.listing DISABLE TRIGGER append_only")
        db.exec_driver_sql("UPDATE cvl.listing SET span = 'empty'")
        db.exec_driver_sql("RESET ROLE")
    wrong = len(run(books, invariants.check_all, "cvl_auditor"))
    for name, slot in (("seal_check", "2026-08-14"), ("month_end", "2026-07")):
        outcome = runner.run_slot(books, registry()[name], slot).outcome
        assert outcome is not None
        assert outcome.state == "failed"
        assert "最早" in outcome.output
    assert f"有{wrong}处差异" in outcome.output


def test_paid_invoices_are_looked_up_again_after_so_many_days(books: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    small.settled(books, date(2026, 7, 31))
    with transaction(books) as db, acts.act(db, "payment_result", "P1", "maker1", {}) as act:
        db.execute(
            text(
                "INSERT INTO account (name, company_id, act_id) SELECT 'money:paid:' || uscc, party_id, :act FROM party"
                " WHERE party_id = (SELECT min(company_id) FROM run_line)"
            ),
            {"act": act.act_id},
        )
        db.execute(
            text(
                "INSERT INTO transfer (company_id, act_id, transfer_no, debit_account_id, credit_account_id,"
                " amount_fen, run_id, line_no) SELECT l.company_id, :act, l.line_no, p.account_id, c.account_id,"
                " l.granted_fen, l.run_id, l.line_no FROM run_line AS l"
                " INNER JOIN account AS c ON c.kind = 'paid' AND c.company_id = l.company_id"
                " INNER JOIN account AS p ON p.kind = 'payable' AND p.company_id = l.company_id"
            ),
            {"act": act.act_id},
        )
    paid = str(value(books, "SELECT count(*) FROM transfer AS t INNER JOIN account AS a ON a.account_id ="
                            " t.credit_account_id WHERE a.kind = 'paid'"))  # fmt: skip
    for day, words in (("2026-09-14", f"这{paid}张"), ("2026-11-13", "90日"), ("2026-09-15", "没有要再次查验")):
        today(monkeypatch, day)
        assert words in done(books, "invoice_recheck", day), day


def test_budgets_and_deadlines_are_said_in_time(books: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert done(books, "budget_watch", "2026-08-14") == "各年度指标余额充足。"
    small.upload(books, small.PROVIDERS[1], 100, 40, 4)
    small.settled(books, date(2026, 7, 31))
    left = value(books, "SELECT balance_fen FROM account WHERE kind = 'appropriation'")
    monkeypatch.setattr("jobs.tasks.budget_watch.NEAR_BP", 10_000 * int(str(left)) // 1_000_000_000 + 1)
    assert "只剩" in done(books, "budget_watch", "2026-08-15")
    today(monkeypatch, "2027-02-01")
    said = done(books, "deadlines", "2027-02")
    assert "2026年度的兑付申请2027-03-31截止，还有58天" in said
    assert "没有2027年" in said
    assert "还没有下达指标" in done(books, "budget_watch", "2027-02-01")
    today(monkeypatch, "2027-04-01")
    said = done(books, "voucher_expiry", "2027-04")
    assert "2026年度：申报截止日已过" in said
    assert value(books, "SELECT sum(balance_fen) > 0 FROM account WHERE kind = 'lapsed'") is True
    assert done(books, "voucher_expiry", "2027-05") == "没有过了申报截止日的券。"


def test_the_backup_is_kept_and_the_oldest_make_room(
    db_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("CVL_HOME", str(home))
    (home / "backups").mkdir(parents=True)
    for day in range(1, 31):
        (home / f"backups/cvl-2026-06-{day:02d}.tar").touch()
    assert "将写入" in str(runner.run_slot(db_engine, registry()["backup"], "2026-08-15", dry_run=True).outcome)
    assert "清理旧备份1份" in done(db_engine, "backup", "2026-08-15")
    kept = sorted(path.name for path in (home / "backups").iterdir())
    assert (len(kept), kept[0], kept[-1]) == (30, "cvl-2026-06-02.tar", "cvl-2026-08-15.tar")
    assert value(db_engine, "SELECT count(*) FROM act WHERE kind = 'backup' AND actor = 'system'") == 1
