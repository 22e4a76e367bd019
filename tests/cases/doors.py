"""The steps of a case at doors that bring no facts: payments and the bank, guards, and a hand on the books."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from reconciliation import bundle, bundle_export, bundle_verify, disclosure, payments, results
from reconciliation.invariants import check_all, first_wrong
from tests.cases import sheets, steps
from tests.cases.player import REGISTERED_FROM
from tests.postgres.desk import CHECKER, MAKER
from tests.postgres.small_ledger import RESULT
from voucher import acts, approval
from voucher.database import run, transaction
from voucher.errors import Broken
from voucher.money import format_yuan, parse_yuan

if TYPE_CHECKING:
    from tests.cases.database import Player

ROW = {"transfer": "SELECT act_id FROM transfer WHERE transfer_no = 1 ORDER BY act_id DESC LIMIT 1",
       "invoice": "SELECT act_id FROM invoice ORDER BY invoice_id DESC LIMIT 1"}  # fmt: skip
"""The act whose rows a case tampers with: the newest of the table."""


def play(player: Player, step: steps.Do) -> None:
    """Play a step by the name of its door."""
    if step.what == "pay":
        pay(player, step.today, **step.values)
        return
    player.go_to(step.today)
    {"account": account, "money": money, "forbid": forbid, "tamper": tamper}[step.what](player, **step.values)


def pay(
    player: Player,
    day: date,
    bank: str,
    sent: dict[str, str],
    twice: bool = False,
    left_out: dict[str, str] | None = None,
) -> None:
    """Send what can be paid of the last run to the bank, and take in what it says."""
    engine, run_id = player.desk.engine, player.last_run
    player.files += 1
    run(engine, lambda db: disclosure.disclose(db, MAKER, run_id, None))
    player.go_to(day)
    made = run(engine, lambda db: payments.propose(db, MAKER, run_id))
    assert {player.symbols[row["invoice_number"]]: row["code"] for row in made.left_out} == (left_out or {})
    assert (made.batch is None) == (not sent)
    if made.batch is None:
        return
    batch = made.batch
    run(engine, lambda db: approval.decide(db, batch, "approved", CHECKER))
    rows = run(engine, lambda db: payments.payments(db, batch))
    codes = {party.uscc: symbol for symbol, party in steps.PARTIES.items()}
    assert {codes[row["payee"]]: format_yuan(row["amount_fen"]) for row in rows} == sent
    why = "户名不符" if bank == "退回" else ""
    told = [f"{r['reference']},{format_yuan(r['amount_fen'])},{bank},{day},LS-{player.files},{why}" for r in rows]
    file = player.desk.file("\n".join([RESULT, *told, ""]).encode(), f"回盘{player.files}.csv")
    taken = results.take(engine, file, MAKER, None)
    assert (taken.paid + taken.returned, list(taken.problems)) == (len(rows), [])
    if twice:
        before = player.desk.everything()
        again = results.take(engine, file, MAKER, None)
        assert (again.known, again.act) == (len(rows), None)
        assert player.desk.everything() == before


def account(player: Player, company: str, number: str) -> None:
    """Hand in a corrected account of a company and have it approved."""
    row = steps.CompanyRow(company, "智能体", REGISTERED_FROM, None)
    sheet = sheets.companies([row])
    sheet[1][8] = number
    player.desk.register(sheet)
    (proposal,) = player.desk.rows(
        "SELECT p.act_id FROM proposal AS p LEFT JOIN decision AS d ON d.proposal_act_id = p.act_id"
        " WHERE p.kind = 'bank_account' AND d.act_id IS NULL"
    )
    run(player.desk.engine, lambda db: approval.decide(db, proposal[0], "approved", CHECKER))


def money(player: Player, references: list[str] | None = None, **kinds: str) -> None:
    """Compare the balances of the money accounts, and the bank's references, with what the case says."""
    found: Counter[str] = Counter()
    for kind, fen in player.desk.rows("SELECT kind, balance_fen FROM account WHERE name LIKE 'money:%'"):
        found[kind] += fen
    assert {kind: found[kind] for kind in kinds} == {kind: parse_yuan(yuan) for kind, yuan in kinds.items()}
    if references is not None:
        statement = "SELECT bank_reference FROM payment_result ORDER BY act_id"
        assert [row[0] for row in player.desk.rows(statement)] == references


def forbid(player: Player, tables: list[str]) -> None:
    """Try to change, delete and empty tables under both roles; all of it is refused."""
    for table in tables:
        for role in ("cvl_app", "cvl_owner"):
            for statement in (
                f"UPDATE {table} SET act_id = act_id",
                f"DELETE FROM {table}",
                f"TRUNCATE {table} CASCADE",
            ):
                with pytest.raises((Broken, DBAPIError)), transaction(player.desk.engine, role) as db:  # type: ignore[arg-type]
                    db.execute(text(statement))


def tamper(player: Player, table: str, change: str) -> None:
    """Change the newest row of a table behind the triggers: reconcile and the bundle's verifier name its act."""
    engine = player.desk.engine
    with transaction(engine, "cvl_owner") as db:
        ((act_id, no),) = db.execute(text(f"SELECT act_id, no FROM seal WHERE act_id = ({ROW[table]})")).all()
        db.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        db.execute(text(f"UPDATE {table} SET {change} WHERE act_id = {act_id}"))
    with transaction(engine, "cvl_auditor") as db:
        assert first_wrong(check_all(db)) == no
    assert bundle_verify.verify([bundled(player)], None).faults[0].place == bundle.act_name(no)
    player.sound = False


def bundled(player: Player) -> Path:
    """Export the bundle of all acts."""
    file = player.desk.home.parent / "bundle.zip"
    with file.open("w+b") as target:
        run(
            player.desk.engine,
            lambda db: bundle_export.export(db, target, bundle_export.START, acts.cutoff(db)),
            "cvl_auditor",
        )
    return file
