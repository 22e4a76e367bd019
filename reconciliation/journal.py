"""Write the books as a journal for accounting tools that others wrote: hledger (ledger reads it too) and beancount.

One transaction per transfer. Money moves to the account that is credited, so there it is written as plus: balances
read as they do here. Limits are no money and have a commodity of their own. Every balance is asserted at the end, so
that the tool itself refuses books that do not come out to the fen.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, BinaryIO

from sqlalchemy import Connection

from voucher import ledger
from voucher.database import stream
from voucher.money import format_yuan

Row = Mapping[str, Any]
_NAME = re.compile(r"(?:limit|money):[a-z_]+(?::[0-9A-Za-z-]+)+")
_COMMODITIES = {"limit": "LIMIT", "money": "CNY"}
_TITLE = "算力券台账，截至第{cutoff}号。LIMIT 为额度，CNY 为资金；转入为正，余额与本账一致。"


def _checked(name: str) -> str:
    """Return an account's name if every tool can read it; ours always are such."""
    assert _NAME.fullmatch(name), name
    return name


def _amount(name: str, fen: int) -> str:
    return f"{format_yuan(fen)} {_COMMODITIES[name.partition(':')[0]]}"


def _words(row: Row) -> str:
    """Say what a transfer is: its act, its place there, and its settlement line if it has one."""
    line = f" 结算{row['run_id']}第{row['line_no']}行" if row["run_id"] else ""
    return f"第{row['no']}号 {row['kind']} 第{row['transfer_no']}笔{line}"


def _hledger(rows: Iterable[Row], balances: Iterable[Row], cutoff: int) -> Iterator[str]:
    yield f"; {_TITLE.format(cutoff=cutoff)}\n\ncommodity 1000.00 CNY\ncommodity 1000.00 LIMIT\n"
    last = date.min
    for row in rows:
        debit, credit, fen = _checked(row["debit"]), _checked(row["credit"]), row["amount_fen"]
        last = max(last, row["effective_on"])
        yield (
            f"\n{row['effective_on']} * {_words(row)}\n    {debit}  {_amount(debit, -fen)}\n"
            f"    {credit}  {_amount(credit, fen)}\n"
        )
    for place, row in enumerate(balances):
        name = _checked(row["account"])
        start = "" if place else f"\n{last} * 余额\n"
        yield f"{start}    {name}  {_amount(name, 0)} = {_amount(name, row['balance_fen'])}\n"


def beancount_name(name: str) -> str:
    """Write an account's name as beancount wants it: roots under Equity, all others under Assets."""
    book, kind, *rest = _checked(name).split(":")
    root = "Equity" if kind in ("authority", "treasury") else "Assets"
    parts = [book, kind.replace("_", "-"), *rest]
    return ":".join([root, *(part[0].upper() + part[1:] for part in parts)])


def _beancount(rows: Iterable[Row], balances: Iterable[Row], cutoff: int) -> Iterator[str]:
    yield f"; {_TITLE.format(cutoff=cutoff)}\n\n"
    opened: set[str] = set()
    last = date.min
    for row in rows:
        day, fen = row["effective_on"], row["amount_fen"]
        last = max(last, day)
        for name in (row["debit"], row["credit"]):
            if name not in opened:
                opened.add(name)
                yield f"1970-01-01 open {beancount_name(name)} {_COMMODITIES[name.partition(':')[0]]}\n"
        yield (
            f'\n{day} * "{_words(row)}"\n  {beancount_name(row["debit"])}  {_amount(row["debit"], -fen)}\n'
            f"  {beancount_name(row['credit'])}  {_amount(row['credit'], fen)}\n\n"
        )
    for row in balances:
        name = row["account"]
        fen, _, commodity = _amount(name, row["balance_fen"]).partition(" ")
        yield f"{last + timedelta(days=1)} balance {beancount_name(name)}  {fen} ~ 0 {commodity}\n"


FORMATS: Mapping[str, Callable[[Iterable[Row], Iterable[Row], int], Iterator[str]]] = {
    "hledger": _hledger,
    "beancount": _beancount,
}
"""Tool to the function that writes a journal for it."""


def export(db: Connection, file: BinaryIO, format: str, cutoff: int) -> None:
    """Write all transfers up to a cutoff, and every balance. Only reads; memory is bounded but for the accounts."""
    rows = stream(db, "queries/reconcile/transfers.sql", cutoff=cutoff)
    for piece in FORMATS[format](rows, ledger.balances(db, cutoff), cutoff):
        file.write(piece.encode())
