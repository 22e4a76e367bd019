"""Payments two at once, killed in the middle, and met by a recovery while they are under way."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import Connection, text

from importers import registry
from reconciliation import payments, results
from settlement import run as runs
from tests.postgres.desk import companies, line, real
from tests.walk.till import PAYDAY, Till, accounts
from voucher import approval
from voucher.access import User
from voucher.database import run, transaction
from voucher.errors import Refused

MAKER, CHECKER, OTHER = (
    User(name, role, None) for name, role in (("maker1", "maker"), ("checker1", "checker"), ("checker2", "checker"))
)
ONE, TWO = (row[0] for row in companies("C", "D")[1:])
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle in transaction'"
)
PAYEE = ("payable", "in_transit", "paid", "recoverable")
Work = Callable[[Connection], Any]


def meet(till: Till, first: Work, second: Work) -> tuple[Any, Any]:
    """Do the first, and before it is committed let the second run into it; give both answers."""
    with ThreadPoolExecutor(1) as pool:
        with transaction(till.desk.engine) as db:
            one = first(db)
            two = run_into(pool, till, second)
        return one, two.result(30)


def run_into(pool: ThreadPoolExecutor, till: Till, second: Work) -> "Future[Any]":
    """Start something that has to wait, and come back when it does; a refusal is given as its code."""

    def late() -> Any:
        try:
            return run(till.desk.engine, second)
        except Refused as refusal:
            return refusal.code

    two = pool.submit(late)
    with till.desk.engine.connect() as db:
        while not db.execute(text(WAITING)).scalar_one():
            assert not two.done(), two.result()
            db.rollback()
    return two


def proposing(till: Till) -> Work:
    return lambda db: payments.propose(db, MAKER, int(till.run)).batch


def approving(act: str | int, user: User = CHECKER) -> Work:
    return lambda db: approval.decide(db, int(act), "approved", user)["state"]


def sound(till: Till) -> None:
    """Let all checks run, and the bundle be derived anew."""
    assert till.desk.data("reconcile")["ok"]
    bundle = till.desk.folder / "audit.zip"
    till.desk.data("audit", "export", "--out", bundle, "--as", "auditor1")
    assert till.desk.data("audit", "verify", bundle)["ok"]


def test_two_at_once_pay_nothing_twice(till: Till) -> None:
    one, two = meet(till, proposing(till), proposing(till))
    assert one == two
    assert meet(till, approving(one), approving(one, OTHER)) == ("approved", "decided")
    assert till.batch()["batch"] is None
    first, second = (each["reference"] for each in till.desk.data("pay", "show", one)["payments"])
    file = till.file((first, "400.00", "成功", "L1"), (second, "200.00", "成功", "L2"))
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda _: results.take(till.desk.engine, file, MAKER, None), range(2)))
    assert sorted((each.paid, each.known) for each in told) == [(0, 2), (2, 0)]
    other = till.result((first, "400.00", "成功", "L8"), status=3)
    assert [each["code"] for each in other["problems"]] == ["told_otherwise"]
    assert till.balances()["paid"] == "600.00"
    sound(till)


def test_whoever_freezes_or_changes_an_account_first_is_heard(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = till.batch()["act"]
    frozen = till.desk.data("company", "freeze", TWO, "--why", "核查", "--as", "maker1")["act"]
    assert meet(till, approving(frozen), approving(batch)) == ("approved", "stale")
    till.desk.data("reject", batch, "--why", "企业已冻结", "--as", "checker1")
    made = till.batch(status=3)
    assert [(each["company"], each["code"]) for each in made["left_out"]] == [(TWO, "frozen")]

    real_keep, pool, met = registry.keep, ThreadPoolExecutor(1), list["Future[Any]"]()

    def keep(received: Any) -> None:
        met.append(run_into(pool, till, approving(made["act"])))
        real_keep(received)

    monkeypatch.setattr(registry, "keep", keep)
    changed = till.desk.sheet(accounts("C", C="6222000099998888"), "新账户.csv")
    change = till.desk.data("registry", "import", changed, "--as", "maker1", status=3)["proposal"]
    assert met[0].result(30) == "stale"
    pool.shutdown()
    till.desk.data("reject", change, "--why", "待核", "--as", "checker1")
    frozen = till.desk.data("company", "freeze", ONE, "--why", "核查", "--as", "maker1")["act"]
    assert meet(till, approving(made["act"]), approving(frozen)) == ("approved", "approved")
    assert till.balances()["in_transit"] == "400.00"
    sound(till)


KILLED = {
    "pay batch": ("reconciliation.payments.run_file:queries/pay/31_payments.sql", "voucher.seal.close"),
    "approve": (
        "reconciliation.payments.run_file:queries/pay/41_transfers.sql", "voucher.ledger.update_balances",
        "voucher.seal.close",
    ),
    "pay result": (
        "reconciliation.results.run_file:queries/pay/51_share.sql",
        "reconciliation.results.run_file:queries/pay/55_results.sql", "reconciliation.results.keep",
        "voucher.seal.close",
    ),
}  # fmt: skip
"""Command to the places, after a function or after its call with a file, at which its connection is cut."""


def test_what_is_cut_off_at_any_step_leaves_nothing_and_is_done_whole_later(till: Till) -> None:
    def cut_at(place: str, do: Callable[[], Any]) -> None:
        path, _, file = place.partition(":")
        module, _, name = path.rpartition(".")
        owner = import_module(module)
        real_call = getattr(owner, name)

        def fatal(*args: Any, **kwargs: Any) -> Any:
            answer = real_call(*args, **kwargs)
            if not file or file in args:
                with till.desk.engine.connect() as root:
                    root.execute(text(CUT))
                    root.commit()
            return answer

        before = till.desk.seals(), till.balances(), till.desk.data("pay", "list")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, name, fatal)
            do()
        assert (till.desk.seals(), till.balances(), till.desk.data("pay", "list")) == before, place

    def each(command: str, do: Callable[[int], Any]) -> Any:
        for place in KILLED[command]:
            cut_at(place, lambda: do(6))
        return do(0)

    made = each("pay batch", lambda status: till.batch(status))
    each("approve", lambda status: till.desk.data("approve", made["act"], "--as", "checker1", status=status))
    first, second = (each["reference"] for each in made["payments"])
    rows = (first, "400.00", "成功", "L1"), (second, "200.00", "退回", "L2")
    told = each("pay result", lambda status: till.result(*rows, status=status))
    assert (told["paid"], told["returned"]) == (1, 1)
    assert {kind: fen for kind, fen in till.balances().items() if kind in PAYEE} == {
        "paid": "400.00",
        "payable": "200.00",
    }
    sound(till)


def test_a_recovery_meets_a_payment_at_every_stage(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """Payable, in transit, paid and returned: of 10,000,000.00, what is with payees and what is left add up."""
    desk = till.desk

    def reversed_(symbol: str, blue: str, net: str, **other: str) -> str:
        """Take net of an invoice back and settle; give the run."""
        desk.data("import", desk.file([line(symbol, net, red_of=blue, **other)], f"{symbol}.csv"), "--as", "maker1")
        return desk.settled("2026-08")

    def stand(**expected: str) -> None:
        found = till.balances()
        left = found.pop("treasury"), found.pop("appropriation")
        assert left == ("-10000000.00", f"{10_000_000 - sum(map(float, expected.values())):.2f}")
        assert found == expected

    made = till.sent()
    one, two = (each["reference"] for each in made["payments"])
    stand(in_transit="600.00")
    # 100.00 of a's 200.00 is recovered while the bank has it, and the same moment it comes back
    desk.data("import", desk.file([line("r1", "-500.00", red_of="a")], "r1.csv"), "--as", "maker1")
    drafted = int(desk.data("settle", "draft", "--through", "2026-08", "--as", "maker1")["run"])
    desk.data("settle", "submit", drafted, "--as", "maker1")
    file = till.file((one, "400.00", "退回", "L1"))
    _, told = meet(
        till,
        lambda db: runs.decide(db, CHECKER, drafted, "approved"),
        lambda _: results.take(desk.engine, file, MAKER, None).returned,
    )
    assert told == 1
    stand(in_transit="200.00", payable="300.00")
    assert [each["recoverable"] for each in desk.data("recovery", "list")["recoverables"]] == ["0.00"]
    till.result((two, "200.00", "成功", "L2"))
    again = till.sent()
    assert again["amount"] == "300.00"
    till.result((again["payments"][0]["reference"], "300.00", "成功", "L3"))
    stand(paid="500.00")
    assert [p["bank_reference"] for b in (made, again) for p in desk.data("pay", "show", b["batch"])["payments"]] == [
        "L1", "L2", "L3",
    ]  # fmt: skip
    # what is paid is owed back, and not set off against what is owed to the same company
    desk.data("import", desk.file([line("e", "3000.00")], "e.csv"), "--as", "maker1")
    till.run = reversed_("r2", "a", "-500.00")
    stand(paid="400.00", recoverable="100.00", payable="600.00")
    back = ("recovery", "return", real("a"), "--amount", "100.00", "--on", PAYDAY, "--ref", "回1", "--as", "maker1")
    desk.data("approve", desk.data(*back)["act"], "--as", "checker1")
    stand(paid="400.00", payable="600.00")
    # what comes back after it was paid is payable, and of that a recovery takes first
    till.result((two, "200.00", "退回", "L4"))
    stand(paid="200.00", payable="800.00")
    reversed_("r3", "d", "-1000.00", buyer="D")
    stand(paid="200.00", payable="600.00")
    desk.data("disclose", till.run, "--as", "maker1")
    monkeypatch.setenv("CVL_TODAY", "2026-09-01")
    assert till.sent()["amount"] == "600.00"
    stand(paid="200.00", in_transit="600.00")
    used = {each["account"]: each["balance"] for each in desk.data("balance", "limit:redeemed")["accounts"]}
    assert sorted(used.values()) == ["0.00", "800.00"]
    sound(till)
