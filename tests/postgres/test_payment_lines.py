"""Which line a payment takes its money from, when a claim has several: each line its own, whatever became of others."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from reconciliation import bundle_verify, disclosure, payments, results
from settlement import recovery
from settlement.facts import Facts, Subsidy
from tests.cases.histories import invoice, joined, red_of
from tests.postgres.recorder import CHECKER, MAKER, number, record, uscc
from tests.postgres.small_ledger import RESULT
from tests.postgres.test_bundle import write
from tests.postgres.test_merger_payment import account
from tests.postgres.test_voucher_life import MAY, Books
from tests.postgres.witness import SHIPPED, record_document, settle
from voucher import acts, approval, budget, ledger
from voucher.database import one, transaction
from voucher.days import business_day
from voucher.money import format_yuan

BLUE = invoice(1, 100_000, *MAY)
WORTH, PART = 20_000, 8_000
"""Fen: of its claim, and of what is taken back of it and granted anew."""
LINES = """
SELECT l.run_id, a.kind, CAST(sum(CASE WHEN t.credit_account_id = a.account_id THEN t.amount_fen ELSE -t.amount_fen END)
    AS bigint) AS fen
FROM run_line AS l
INNER JOIN transfer AS t USING (company_id, run_id, line_no)
INNER JOIN account AS a ON a.account_id IN (t.debit_account_id, t.credit_account_id)
WHERE a.kind IN ('payable', 'in_transit', 'paid', 'recoverable')
GROUP BY l.run_id, a.kind
"""


class Till:
    """A ledger on which a claim of company 1 was granted by run 1, and what is done with its money."""

    def __init__(self, engine: Engine, patch: pytest.MonkeyPatch, folder: Path) -> None:
        with transaction(engine) as db:
            record_document(db, {"overlap": "top_up", "annual_cap_fen": 10**10}, id="t.1", supersedes=SHIPPED)
        self.books, self.patch, self.folder = Books(engine), patch, folder
        patch.setenv("CVL_HOME", str(folder / "home"))
        account(self.books, 1)
        self.books.invoices(BLUE)
        self.run()

    def run(self, *, backfill: bool = False) -> None:
        with transaction(self.books.engine) as db:
            settle(db, backfill=backfill)

    def subsidy(self, fen: int, *, waived: bool = False) -> None:
        """Register what another policy gave for the invoice, or that it was given up."""
        before = self.books.facts
        place = len(before.subsidies) + 1
        self.books.facts = joined(before, Facts(subsidies=[Subsidy(BLUE.number, "甲", fen, waived, (place, 1))]))
        with transaction(self.books.engine) as db:
            record(db, f"subsidy {place}", self.books.facts, before)

    def again(self) -> None:
        """Take a part of the claim back by run 2, and grant it anew by run 3."""
        self.subsidy(PART)
        self.run()
        self.subsidy(PART, waived=True)
        self.run(backfill=True)

    def disclose(self, *runs: int) -> None:
        for run in runs:
            with transaction(self.books.engine) as db:
                disclosure.disclose(db, MAKER, run, None)
        self.patch.setenv("CVL_TODAY", "2026-08-24")

    def pay(self, run: int) -> str:
        """Send what can be paid of a run to the bank; give the payment's reference."""
        with transaction(self.books.engine) as db:
            batch = payments.propose(db, MAKER, run).batch
        assert batch is not None
        with transaction(self.books.engine) as db:
            approval.decide(db, batch, "approved", CHECKER)
            (sent,) = payments.payments(db, batch)
        return str(sent["reference"])

    def heard(self, *told: tuple[str, str]) -> None:
        """Take in one file of what the bank says: reference and word."""
        with transaction(self.books.engine) as db:
            fen = dict(map(tuple, db.execute(text("SELECT reference, amount_fen FROM payment"))))
        lines = [
            f"{reference},{format_yuan(fen[reference])},{word},{business_day()},LS-{reference},"
            + ("户名不符" if word == "退回" else "")
            for reference, word in told
        ]
        file = self.folder / "result.csv"
        file.write_text("\n".join([RESULT, *lines, ""]), "utf-8")
        assert results.take(self.books.engine, file, MAKER, None).problems == []

    def back(self, fen: int) -> None:
        """Enter that the company paid money back."""
        day = business_day()
        self.books.approved(lambda db: recovery.propose_return(db, MAKER, number("1"), fen, day, f"BK-{fen}"))

    def lines(self) -> dict[tuple[int, str], int]:
        """Say where the money of each run's line is, by run and account; no check fails."""
        assert self.books.faults() == []
        with transaction(self.books.engine) as db:
            found = db.execute(text(LINES)).all()
        return {(row.run_id, row.kind): row.fen for row in found if row.fen}

    def unpaid(self) -> int:
        """Read from the work list how many disclosed runs have money that no batch has taken up."""
        return self.work("unpaid")

    def work(self, item: str) -> int:
        """Read an item of the work list."""
        with transaction(self.books.engine, "cvl_auditor") as db:
            work = one(db, "queries/portal/work.sql", today=business_day())
        assert work is not None
        return int(work[item])

    def money(self) -> dict[str, int]:
        """Say what the company's accounts hold."""
        with transaction(self.books.engine) as db:
            rows = ledger.balances(db, acts.cutoff(db), "money:")
        own = [row for row in rows if row["account"].endswith(uscc(1))]
        return {row["account"].split(":")[1]: row["balance_fen"] for row in own if row["balance_fen"]}


@pytest.fixture
def till(db_engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Till:
    return Till(db_engine, monkeypatch, tmp_path)


def test_a_batch_pays_no_money_of_another_run(till: Till) -> None:
    """Run 3, which grants anew what run 2 took back, is not disclosed yet: run 1 pays only what is left of its own."""
    till.again()
    till.disclose(1)
    till.pay(1)
    assert till.lines() == {(1, "in_transit"): WORTH - PART, (3, "payable"): PART}
    till.disclose(3)
    till.patch.setenv("CVL_TODAY", "2026-09-07")
    till.heard((till.pay(3), "成功"))
    assert till.lines() == {(1, "in_transit"): WORTH - PART, (3, "paid"): PART}


@pytest.mark.parametrize("first", ["成功", "退回", ""])
@pytest.mark.parametrize("second", ["成功", "退回"])
def test_each_payment_meets_the_recovery_of_its_own_line(till: Till, first: str, second: str) -> None:
    """Two payments of one claim are under way when all of the older and some of the newer is recovered."""
    till.again()
    till.disclose(1, 3)
    sent = till.pay(1), till.pay(3)
    till.books.invoices(red_of(BLUE, 2, 70_000))
    till.run()
    owed = 14_000
    assert till.lines() == {
        (1, "recoverable"): WORTH - PART, (3, "in_transit"): WORTH - owed, (3, "recoverable"): owed - WORTH + PART,
    }  # fmt: skip
    till.heard(*((reference, word) for reference, word in zip(sent, (first, second), strict=True) if word))
    found = till.lines()
    assert found.get((1, "recoverable"), 0) == (0 if first == "退回" else WORTH - PART)
    assert found.get((3, "recoverable"), 0) == (0 if second == "退回" else owed - WORTH + PART)
    assert found[3, "payable" if second == "退回" else "paid"] == WORTH - owed
    assert sum(fen for (_, kind), fen in found.items() if kind == "in_transit") == 0


def test_what_a_company_paid_back_for_a_line_that_then_comes_back_is_owed_to_it_again(till: Till) -> None:
    till.again()
    till.disclose(1, 3)
    sent = till.pay(1), till.pay(3)
    till.books.invoices(red_of(BLUE, 2, 100_000))
    till.run()
    till.back(5_000)
    till.heard((sent[0], "退回"), (sent[1], "成功"))
    assert till.lines() == {(1, "payable"): 5_000, (3, "recoverable"): PART}
    till.heard((till.pay(1), "成功"))
    assert till.lines() == {(1, "paid"): 5_000, (3, "recoverable"): PART}
    till.back(PART)
    assert till.money() == {"paid": 5_000}


def test_what_a_company_paid_back_and_the_bank_sends_back_too_takes_nothing_from_the_budget(till: Till) -> None:
    """Others have used the year up meanwhile: the company's own money is there for it all the same."""
    till.disclose(1)
    sent = till.pay(1)
    till.books.invoices(red_of(BLUE, 2, 40_000))
    till.run()
    till.back(PART)
    with transaction(till.books.engine) as db:
        (before,) = budget.years(db, acts.cutoff(db))
    till.books.invoices(invoice(9, 5 * before["left_fen"], *MAY, company=2))
    till.run()
    with transaction(till.books.engine) as db:
        (used,) = budget.years(db, acts.cutoff(db))
    assert (before["left_fen"], used["left_fen"]) == (before["appropriated_fen"] - WORTH + PART, 0)
    till.heard((sent, "退回"))
    others = {(3, "payable"): before["left_fen"]}
    assert till.lines() == {(1, "payable"): WORTH} | others
    with transaction(till.books.engine) as db:
        assert budget.years(db, acts.cutoff(db)) == [used]
    till.heard((till.pay(1), "成功"))
    assert till.lines() == {(1, "paid"): WORTH} | others
    write(till.books.engine, till.folder / "audit.zip")
    assert bundle_verify.verify([till.folder / "audit.zip"]).faults == []


def test_the_work_list_names_no_run_that_has_nothing_left_to_pay(till: Till) -> None:
    till.again()
    till.disclose(1, 2, 3)
    assert till.unpaid() == 2  # run 2 only took back
    till.pay(1)
    assert till.unpaid() == 1
    till.pay(3)
    assert till.unpaid() == 0


def test_the_work_list_names_a_run_until_what_was_left_out_of_its_batches_is_paid(till: Till) -> None:
    till.books.invoices(invoice(5, 50_000, *MAY, company=2), invoice(6, 10_000, *MAY))
    till.run()
    till.disclose(1, 2)
    till.pay(1)
    till.pay(2)
    assert till.unpaid() == 1
    account(till.books, 2)
    till.pay(2)
    assert till.unpaid() == 0


def test_the_work_list_names_a_payment_sent_back_until_all_of_it_is_paid_anew(till: Till) -> None:
    till.books.invoices(invoice(5, 50_000, *MAY), invoice(6, 10_000, *MAY))
    till.run()
    till.disclose(1, 2)
    till.heard((till.pay(2), "退回"))
    assert till.work("returned") == 1
    with transaction(till.books.engine) as db:
        disclosure.object_to(db, MAKER, 2, number("5"), "存疑")
    till.heard((till.pay(2), "成功"))
    assert (till.work("returned"), till.unpaid()) == (1, 1)  # the invoice objected to, and run 1
    with transaction(till.books.engine) as db:
        disclosure.release(db, MAKER, 2, number("5"), "查清")
    till.pay(2)
    assert till.work("returned") == 0


def test_the_work_list_names_a_payment_sent_back_that_is_for_a_merged_company(till: Till) -> None:
    till.disclose(1)
    account(till.books, 2)
    till.books.merge(1, 2)
    till.heard((till.pay(1), "退回"))
    assert till.work("returned") == 1
    till.pay(1)
    assert till.work("returned") == 0


def test_the_work_list_names_no_payment_sent_back_of_which_all_was_recovered(till: Till) -> None:
    till.disclose(1)
    till.heard((till.pay(1), "退回"))
    till.books.invoices(red_of(BLUE, 2, 100_000), invoice(5, 50_000, *MAY))
    till.run()
    assert till.lines() == {(2, "payable"): 10_000}
    assert till.work("returned") == 0
