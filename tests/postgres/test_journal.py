"""The books for tools that others wrote: each of them comes to our balances, to the fen."""

import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from beancount import loader
from beancount.core import realization
from sqlalchemy import Engine

from reconciliation import journal
from voucher import acts, ledger
from voucher.database import run, transaction


@pytest.fixture(scope="module")
def ours(books: Engine) -> dict[str, Decimal]:
    """Give every account's balance in yuan."""
    with transaction(books, "cvl_auditor") as db:
        found = ledger.balances(db, acts.cutoff(db))
    return {row["account"]: Decimal(row["balance_fen"]) / 100 for row in found}


def write(engine: Engine, path: Path, format: str) -> Path:
    with path.open("w+b") as file:
        run(engine, lambda db: journal.export(db, file, format, acts.cutoff(db)), "cvl_auditor")
    return path


def test_beancount_comes_to_every_balance(books: Engine, ours: dict[str, Decimal], tmp_path: Path) -> None:
    entries, errors, _ = loader.load_file(str(write(books, tmp_path / "books.beancount", "beancount")))
    assert errors == []
    theirs = {}
    for account in realization.iter_children(realization.realize(entries), leaf_only=True):
        [position] = list(account.balance) or [None]
        theirs[account.account] = position.units.number if position else Decimal(0)
        if position:
            assert position.units.currency == ("LIMIT" if ":Limit:" in account.account else "CNY")
    assert theirs == {journal.beancount_name(name): yuan for name, yuan in ours.items()}
    assert len(ours) > 30


def test_beancount_refuses_books_that_are_one_fen_off(books: Engine, tmp_path: Path) -> None:
    path = write(books, tmp_path / "books.beancount", "beancount")
    text = path.read_text("utf-8")
    line = next(each for each in text.splitlines() if " balance Assets:Money:Payable" in each)
    cents = line.rsplit(".", 1)[1][:2]
    wrong = line.replace(f".{cents} ", f".{(int(cents) + 1) % 100:02d} ")
    path.write_text(text.replace(line, wrong), "utf-8")
    assert len(loader.load_file(str(path))[1]) == 1


def test_names_of_accounts_stay_different() -> None:
    assert journal.beancount_name("money:in_transit:91500000ABC") == "Assets:Money:In-transit:91500000ABC"
    assert journal.beancount_name("limit:authority:cq-2025-12-08:2026") == "Equity:Limit:Authority:Cq-2025-12-08:2026"
    with pytest.raises(AssertionError):
        journal.beancount_name("money:payable:a b")


def test_the_text_for_hledger_says_the_same_transfers_and_balances(
    books: Engine, ours: dict[str, Decimal], tmp_path: Path
) -> None:
    """Read with a few lines of our own where there is no hledger."""
    sums: dict[str, Decimal] = {}
    told: dict[str, Decimal] = {}
    for line in write(books, tmp_path / "books.journal", "hledger").read_text("utf-8").splitlines():
        if line.startswith("    "):
            name, _, rest = line.strip().partition("  ")
            amount, _, said = rest.partition(" = ")
            sums[name] = sums.get(name, Decimal(0)) + Decimal(amount.split()[0])
            if said:
                told[name] = Decimal(said.split()[0])
    assert sums == told == ours


@pytest.mark.parametrize("tool", ["hledger", "ledger"])
def test_hledger_and_ledger_come_to_every_balance(
    books: Engine, ours: dict[str, Decimal], tmp_path: Path, tool: str
) -> None:
    program = shutil.which(tool)
    if program is None:
        pytest.skip(f"{tool} is not installed")
    path = write(books, tmp_path / "books.journal", "hledger")
    words = ["balance", "--flat", "--empty", "--no-total"]
    done = subprocess.run(
        [program, "-f", str(path), *words], capture_output=True, text=True, encoding="utf-8", timeout=60, check=True
    )
    theirs = {}
    for line in done.stdout.splitlines():
        amount, *_, name = line.split()
        theirs[name] = Decimal(amount)
    assert {name: yuan for name, yuan in theirs.items() if yuan} == {name: yuan for name, yuan in ours.items() if yuan}
