"""Where the money of a payment goes when some of its claim was recovered while it was under way."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Connection, Engine, text

from reconciliation import payments
from tests.postgres import small_ledger as small
from tests.postgres.conftest import Clone
from voucher import acts, approval, ledger
from voucher.acts import canonical
from voucher.database import run, run_file, transaction

TODAY = date(2026, 8, 24)
RECOVER = """
INSERT INTO transfer (company_id, act_id, transfer_no, debit_account_id, credit_account_id, amount_fen, run_id, line_no)
SELECT l.company_id, :act, row_number() OVER (), d.account_id, c.account_id, x.fen, l.run_id, l.line_no
FROM (SELECT * FROM payment_line ORDER BY line_no LIMIT 1) AS l
INNER JOIN party AS p ON p.party_id = l.company_id
CROSS JOIN (VALUES (1, 'in_transit', 'recoverable', CAST(:recovered AS bigint)), (2, 'recoverable', 'appropriation',
    CAST(:repaid AS bigint))) AS x (n, debit, credit, fen)
INNER JOIN account AS d ON d.kind = x.debit AND d.company_id = l.company_id
INNER JOIN account AS c ON c.kind = x.credit AND c.company_id = CASE x.n WHEN 1 THEN l.company_id ELSE 0 END
WHERE x.fen > 0
"""


@pytest.fixture(scope="module")
def sent(clone: Clone) -> Engine:
    """Give a ledger with one payment in transit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVL_TODAY", "2026-08-15")
        engine = clone()
        small.register(engine, 12)
        small.appropriate(engine, 2026, 100_000_000_000)
        small.upload(engine, small.PROVIDERS[0], 0, 24, 12)
        small.settled(engine, date(2026, 7, 31))
        run(engine, lambda db: small.disclosure.disclose(db, small.MAKER, 1, None))
        patch.setenv("CVL_TODAY", TODAY.isoformat())
        batch = run(engine, lambda db: payments.propose(db, small.MAKER, 1)).batch
        assert batch is not None
        run(engine, lambda db: approval.decide(db, batch, "approved", small.CHECKER))
    return engine


@pytest.fixture
def db(sent: Engine) -> Iterator[Connection]:
    with transaction(sent) as db:
        yield db
        db.rollback()


def recover(db: Connection, recovered: int, repaid: int) -> None:
    """Recover a part of the first line's claim that is in transit; a part of that is paid back."""
    with acts.act(db, "note", "recovery", "maker1", 0) as act:
        (uscc,) = db.execute(
            text("SELECT c.uscc FROM payment AS p INNER JOIN party AS c ON c.party_id = p.payee_id")
        ).one()
        db.execute(
            text(
                "INSERT INTO account (name, company_id, act_id) SELECT 'money:recoverable:' || uscc, party_id, :act"
                " FROM party WHERE uscc = :uscc"
            ),
            {"act": act.act_id, "uscc": uscc},
        )
        db.execute(text(RECOVER), {"act": act.act_id, "recovered": recovered, "repaid": repaid})
        ledger.update_balances(db, act)


def shares(db: Connection, state: str) -> list[tuple[int, int, int]]:
    """Take in the bank's word and give through, recovered and repaid of the first line and of the rest."""
    (reference, fen) = db.execute(text("SELECT reference, amount_fen FROM payment")).one()
    row = {
        "row_no": 2, "reference": reference, "state": state, "amount_fen": fen, "day": "2026-08-24",
        "bank_reference": "L", "reason": "x" if state == "returned" else "",
    }  # fmt: skip
    run_file(db, "queries/pay/50_told.sql", rows=canonical([row]), today=TODAY)
    run_file(db, "queries/pay/51_share.sql")
    found = db.execute(text("SELECT through_fen, recovered_fen, repaid_fen FROM share ORDER BY line_no")).all()
    return [tuple(map(int, row)) for row in found]  # type: ignore[misc]


def first_line(db: Connection) -> int:
    return int(db.execute(text("SELECT amount_fen FROM payment_line ORDER BY line_no LIMIT 1")).scalar_one())


@pytest.mark.parametrize(
    ("state", "recovered", "repaid", "expected"),
    [
        ("paid", 0, 0, (0, 0, 0)), ("paid", 300, 0, (-300, 0, 0)), ("paid", 300, 300, (-300, 0, 0)),
        ("returned", 0, 0, (0, 0, 0)), ("returned", 300, 0, (-300, 300, 0)), ("returned", 300, 100, (-300, 200, 100)),
        ("returned", 300, 300, (-300, 0, 300)),
    ],
)  # fmt: skip
def test_what_was_recovered_meanwhile_does_not_come_twice(
    db: Connection, state: str, recovered: int, repaid: int, expected: tuple[int, int, int]
) -> None:
    whole = first_line(db)
    if recovered:
        recover(db, recovered, repaid)
    first, *rest = shares(db, state)
    assert first == (whole + expected[0], *expected[1:])
    assert rest
    assert all(through > 0 and more == [0, 0] for through, *more in rest)


def test_the_news_balance_whatever_was_recovered(db: Connection) -> None:
    recover(db, 300, 100)
    shares(db, "returned")
    before = int(db.execute(text("SELECT balance_fen FROM account WHERE kind = 'payable' AND balance_fen >= 0"
                                 " AND company_id = (SELECT payee_id FROM payment)")).scalar_one())  # fmt: skip
    with acts.act(db, "note", "news", "maker1", 0) as act:
        run_file(db, "queries/pay/52_accounts.sql", act_id=act.act_id)
        run_file(db, "queries/pay/53_transfers.sql", act_id=act.act_id)
        ledger.update_balances(db, act)
    left = dict(
        db.execute(
            text(
                "SELECT kind, CAST(balance_fen AS bigint) FROM account WHERE name LIKE 'money:%'"
                " AND company_id = (SELECT payee_id FROM payment)"
            )
        ).all()  # type: ignore[arg-type]
    )
    sent = int(db.execute(text("SELECT amount_fen FROM payment")).scalar_one())
    assert left == {"payable": before + sent - 300 + 100, "in_transit": 0, "recoverable": 0, "paid": 0}
