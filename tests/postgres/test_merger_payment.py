"""What is owed to a company that was merged is paid to its successor; lines and accounts still name the company."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from console import payments as door
from console import recoveries
from reconciliation import bundle_verify, disclosure, payments, reports, results
from tests.cases.histories import invoice, red_of
from tests.postgres.machine_asks import ACCOUNT
from tests.postgres.recorder import CHECKER, MAKER, uscc
from tests.postgres.small_ledger import RESULT
from tests.postgres.test_bundle import write
from tests.postgres.test_voucher_life import MAY, Books, refused
from voucher import acts, approval, ledger
from voucher.database import transaction
from voucher.money import format_yuan

OWN, ABSORBED = 40_000, 20_000
"""Fen granted to company 1, and to company 2, which is merged into it."""


def account(books: Books, company: int) -> None:
    with transaction(books.engine) as db, acts.act(db, "accounts", str(company), MAKER.name, company) as act:
        db.execute(text(ACCOUNT), {"act": act.act_id, "companies": [company]})


def money(books: Books, kind: str) -> tuple[int, ...]:
    """Give the balances of an account of both companies, in fen."""
    with transaction(books.engine) as db:
        found = {row["account"]: row["balance_fen"] for row in ledger.balances(db, acts.cutoff(db), f"money:{kind}:")}
    return tuple(found.get(f"money:{kind}:{uscc(company)}", 0) for company in (1, 2))


def propose(books: Books) -> payments.Made:
    with transaction(books.engine) as db:
        return payments.propose(db, MAKER, 1)


def decide(books: Books, batch: int | None, verdict: str) -> None:
    assert batch is not None
    with transaction(books.engine) as db:
        approval.decide(db, batch, verdict, CHECKER, why="情况有变")


def heard(books: Books, batch: int | None, word: str, folder: Path) -> str:
    """Take in what the bank says of a batch's one payment; give its reference."""
    with transaction(books.engine) as db:
        (paid,) = payments.payments(db, batch or 0)
    assert (paid["payee"], paid["succeeds"], paid["lines"]) == (uscc(1), uscc(2), 2)
    file = folder / f"{batch}.csv"
    row = f"{paid['reference']},{format_yuan(paid['amount_fen'])},{word},2026-08-24,LS-{batch},"
    file.write_text(f"{RESULT}\n{row}{'户名不符' if word == '退回' else ''}\n", "utf-8")
    assert results.take(books.engine, file, MAKER, None).problems == []
    return str(paid["reference"])


def test_what_is_owed_to_a_merged_company_is_paid_to_its_successor(
    db_engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    books = Books(db_engine)
    monkeypatch.setenv("CVL_HOME", str(tmp_path))
    blue = invoice(2, 100_000, *MAY, company=2)
    books.invoices(invoice(1, 200_000, *MAY), blue)
    books.settle()
    with transaction(books.engine) as db:
        disclosure.disclose(db, MAKER, 1, None)
    monkeypatch.setenv("CVL_TODAY", "2026-08-24")
    account(books, 2)
    before = propose(books)
    assert [(row["company"], row["successor"], row["code"]) for row in before.left_out] == [
        (uscc(1), None, "account_missing")
    ]
    books.merge(2, 1)
    # the batch would have paid an account whose company is no more
    refused("stale", lambda: decide(books, before.batch, "approved"))
    decide(books, before.batch, "rejected")
    assert {(row["company"], row["successor"], row["code"]) for row in propose(books).left_out} == {
        (uscc(1), None, "account_missing"), (uscc(2), uscc(1), "account_missing"),
    }  # fmt: skip
    assert uscc(1) in door.batch(books.engine, "maker1", 1).data["left_out"][1]["sentence"]
    account(books, 1)
    books.freeze("frozen", 1)
    assert {row["code"] for row in propose(books).left_out} == {"frozen"}
    books.freeze("active", 1)

    sent = propose(books).batch
    decide(books, sent, "approved")
    assert (money(books, "payable"), money(books, "in_transit")) == ((0, 0), (OWN, ABSORBED))
    heard(books, sent, "退回", tmp_path)
    assert (money(books, "payable"), money(books, "in_transit")) == ((OWN, ABSORBED), (0, 0))
    again = propose(books).batch
    decide(books, again, "approved")
    reference = heard(books, again, "成功", tmp_path)
    assert money(books, "paid") == (OWN, ABSORBED)
    (shown,) = door.show(books.engine, again or 0, None).data["payments"]
    assert (shown["payee"], shown["succeeds"], shown["reference"]) == (uscc(1), [uscc(2)], reference)
    with transaction(books.engine, "cvl_auditor") as db:
        listed = reports.run(db, "payments", "2026-08", acts.cutoff(db), "maker1").sections[0].rows
    assert {"（承继" in str(row[1]) for row in listed} == {True}

    books.invoices(red_of(blue, 3, 50_000))
    books.settle()
    (owed,) = recoveries.show(books.engine, None).data["recoverables"]
    assert (owed["company"], owed["debtor"], owed["recoverable"]) == (uscc(2), uscc(1), "100.00")
    assert books.faults() == []
    write(books.engine, tmp_path / "audit.zip")
    assert bundle_verify.verify([tmp_path / "audit.zip"]).faults == []
