"""Write the engine's facts into a database as acts would, so that both engines see the same.

Invoices keep their ids and 受理号 as long as a history counts them from one; their numbers get 20 digits.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, text

from settlement.facts import Facts, Invoice, Metering, Refusal
from voucher import acts, approval, ledger, life
from voucher.access import User
from voucher.days import Span

PROGRAMME = "cq-2025-12-08"
MAKER = User("maker1", "maker", None)
CHECKER = User("checker1", "checker", None)


def number(symbol: str) -> str:
    """Return the real number of an invoice that a history calls by a small number."""
    return symbol if len(symbol) == 20 else f"26502{int(symbol):015d}"


def uscc(party: int) -> str:
    """Return the code of a party by its id."""
    return f"91500000T{party:09d}"


def renumbered(facts: Facts) -> Facts:
    """Return the facts with real invoice numbers."""
    return replace(
        facts,
        subsidies=[replace(row, invoice_number=number(row.invoice_number)) for row in facts.subsidies],
        payments=[replace(row, invoice_number=number(row.invoice_number)) for row in facts.payments],
        verifications=[replace(row, invoice_number=number(row.invoice_number)) for row in facts.verifications],
        contracts=facts.contracts,
        meterings=[replace(row, invoice_number=number(row.invoice_number)) for row in facts.meterings],
        refusals=[replace(row, invoice_number=number(row.invoice_number)) for row in facts.refusals],
        invoices=[
            replace(
                row,
                number=number(row.number),
                original_number=None if row.original_number is None else number(row.original_number),
            )
            for row in facts.invoices
        ],
    )


def record(db: Connection, reference: str, news: Facts, before: Facts | None = None) -> int:
    """Write facts as one act of maker1; before: what the ledger has already, news then begins with it.

    Returns the seal number.
    """
    known = before or Facts()
    fresh = renumbered(
        Facts(
            qualifications=news.qualifications[len(known.qualifications) :],
            listings=news.listings[len(known.listings) :],
            relations=news.relations[len(known.relations) :],
            subsidies=news.subsidies[len(known.subsidies) :],
            payments=news.payments[len(known.payments) :],
            verifications=news.verifications[len(known.verifications) :],
            contracts=news.contracts[len(known.contracts) :],
            meterings=news.meterings[len(known.meterings) :],
            refusals=news.refusals[len(known.refusals) :],
            invoices=news.invoices[len(known.invoices) :],
        )
    )
    with acts.act(db, "facts", reference, MAKER.name, {"reference": reference}) as act:
        _parties(db, act.act_id, fresh)
        _registers(db, act.act_id, fresh)
        if fresh.invoices or fresh.meterings:
            _upload(db, act.act_id, sum(len(invoice.lines) for invoice in fresh.invoices), reference)
        for place, invoice in enumerate(fresh.invoices, 1):
            _invoice(db, act.act_id, place, invoice)
        for refusal in fresh.refusals:
            _refusal(db, act.act_id, refusal)
        for metering in fresh.meterings:
            _metering(db, act.act_id, metering)
    return act.no


def _insert(db: Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; `from_on` and `until_on` make the span as well."""
    if not rows:
        return
    columns = [name for name in rows[0] if name != "until_on"]
    values = [f":{name}" for name in columns]
    if "until_on" in rows[0]:
        columns.append("span")
        values.append("daterange(CAST(:from_on AS date), CAST(:until_on AS date))")
    if table == "invoice":
        place = columns.index("from_on")
        del columns[place], values[place]
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(values)})"
    db.execute(text(statement), list(rows))


def _days(span: Span) -> dict[str, Any]:
    return {"from_on": span.start, "until_on": max(span.start, span.end)}


def _parties(db: Connection, act_id: int, facts: Facts) -> None:
    """Write the parties that are not known yet."""
    ids = {row.company for row in (*facts.qualifications, *facts.relations, *facts.contracts, *facts.invoices)}
    ids |= {row.provider for row in (*facts.listings, *facts.relations, *facts.contracts, *facts.invoices)}
    known = set(db.execute(text("SELECT party_id FROM party")).scalars())
    fresh = sorted(ids - known)
    _insert(db, "party", [{"party_id": each, "uscc": uscc(each), "act_id": act_id} for each in fresh])
    names = [{"party_id": each, "name": f"第{each}号公司", "act_id": act_id, "row_no": 1} for each in fresh]
    _insert(db, "party_name", names)


def _registers(db: Connection, act_id: int, facts: Facts) -> None:
    """Write the registry rows, numbered in the order given."""
    own = [{"act_id": act_id, "row_no": place} for place in range(100)]
    _insert(
        db,
        "qualification",
        [
            {"company_id": r.company, "category": r.category, "basis": "", **_days(r.span), **own[i]}
            for i, r in enumerate(facts.qualifications)
        ],
    )
    _insert(
        db,
        "listing",
        [{"provider_id": r.provider, **_days(r.span), **own[i]} for i, r in enumerate(facts.listings)],
    )
    _insert(
        db,
        "relation",
        [
            {
                "provider_id": r.provider,
                "company_id": r.company,
                "kind": r.kind,
                "share_bp": r.share_bp,
                **_days(r.span),
                **own[i],
            }
            for i, r in enumerate(facts.relations)
        ],
    )
    _insert(
        db,
        "subsidy",
        [
            {
                "invoice_number": r.invoice_number,
                "policy_name": r.policy_name,
                "amount_fen": r.amount_fen,
                "waived": r.waived,
                **own[i],
            }
            for i, r in enumerate(facts.subsidies)
        ],
    )
    _insert(
        db,
        "invoice_payment",
        [
            {
                "invoice_number": r.invoice_number,
                "paid_on": r.paid_on,
                "reference": r.reference,
                "amount_fen": r.amount_fen,
                **own[i],
            }
            for i, r in enumerate(facts.payments)
        ],
    )
    _insert(
        db,
        "contract",
        [
            {"contract_no": r.contract_no, "provider_id": r.provider, "company_id": r.company}
            | {"amount_fen": r.amount_fen, **_days(r.span), **own[i]}
            for i, r in enumerate(facts.contracts)
        ],
    )
    said = {True: "same", False: "differs"}
    _insert(
        db,
        "verification",
        [
            {"invoice_number": r.invoice_number, "checked_on": r.checked_on.isoformat(), "checked_by": "甲"}
            | {"result": said[r.passed], **own[i]}
            for i, r in enumerate(facts.verifications)
        ],
    )


def _refusal(db: Connection, act_id: int, refusal: Refusal) -> None:
    """Write a refusal or a lifting."""
    statement = (
        "INSERT INTO refusal (company_id, invoice_id, programme_id, cap_year, refused, why, act_id)"
        " SELECT company_id, invoice_id, :programme, :year, :refused, '查实', :act FROM invoice_number"
        " WHERE number = :number"
    )
    params = {"number": refusal.invoice_number, "year": refusal.cap_year, "refused": refusal.refused, "act": act_id}
    db.execute(text(statement), params | {"programme": PROGRAMME})


def _metering(db: Connection, act_id: int, metering: Metering) -> None:
    """Write what an upload's usage says of an invoice."""
    statement = text("SELECT company_id, invoice_id FROM invoice_number WHERE number = :number")
    found = db.execute(statement, {"number": metering.invoice_number}).one()
    own = {"company_id": found.company_id, "invoice_id": found.invoice_id, "upload_id": act_id, "act_id": act_id}
    row = own | {"basis": "gross" if metering.gross else "net", "replaces": metering.replaces, "lines": 1}
    _insert(db, "metering", [row | {"metered_yuan": metering.metered_yuan}])
    days = [{"used_on": day, "unit": "卡时", "quantity": 1, "lines": 1} for day, _ in metering.days]
    amounts = [{"metered_yuan": yuan} for _, yuan in metering.days]
    _insert(db, "usage_day", [own | day | amount for day, amount in zip(days, amounts, strict=True)])


def _upload(db: Connection, act_id: int, rows: int, reference: str) -> None:
    """Write the upload that the act's invoices came in."""
    digest = hashlib.sha256(reference.encode()).digest()
    _insert(db, "document", [{"sha256": digest, "sm3": digest, "size_bytes": 1, "act_id": act_id}])
    upload = {"upload_id": act_id, "sha256": digest, "file_name": "facts.csv", "format": "cq_compute_1"}
    upload |= {"received_on": "2026-01-01", "header": "", "rows": rows, "accepted": rows}
    _insert(db, "upload", [upload | dict.fromkeys(("duplicate", "conflict", "rejected", "held"), 0)])


def _invoice(db: Connection, act_id: int, place: int, invoice: Invoice) -> None:
    """Write one invoice with its number and its lines; its tax and what is paid lie on the first line."""
    owner = {"company_id": invoice.company, "invoice_id": invoice.invoice_id}
    assert invoice.span is not None
    row = owner | {"number": invoice.number, "kind": invoice.kind, "original_number": invoice.original_number}
    row |= {"provider_id": invoice.provider, "issued_on": invoice.received_on}
    row |= {"received_on": invoice.received_on, "contract_no": invoice.contract_no, "net_fen": invoice.net_fen}
    row |= {"tax_fen": invoice.tax_fen, "gross_fen": invoice.gross_fen, "paid_fen": invoice.paid_fen}
    row |= {"evidence": "template", "digest": invoice.number, "act_id": act_id, "place": place}
    _insert(db, "invoice", [row | _days(invoice.span)])
    _insert(db, "invoice_number", [owner | {"number": invoice.number}])
    plain = dict.fromkeys(("item", "spec", "unit", "remark", "sheet"), "")
    lines = []
    for line in invoice.lines:
        tax, paid = (invoice.tax_fen, invoice.paid_fen) if line is invoice.lines[0] else (0, None)
        money = {"net_fen": line.net_fen, "tax_fen": tax, "gross_fen": line.net_fen + tax, "paid_fen": paid}
        lines.append(
            owner
            | plain
            | money
            | {"line_no": line.line_no, "tax_code": line.tax_code, "row_no": 100 * place + line.line_no}
        )
    _insert(db, "invoice_line", [line | {"upload_id": act_id} for line in lines])


def appropriate(db: Connection, year: int, fen: int, reference: str = "指标1") -> None:
    """Give a fiscal year its appropriation: maker1 proposes, checker1 approves."""
    proposal = ledger.propose_appropriation(db, MAKER, year, fen, reference)
    approval.decide(db, proposal, "approved", CHECKER)


def leave(db: Connection, year: int, fen: int, reference: str) -> None:
    """Leave so much in the appropriation of a fiscal year, by an act that no one approved."""
    more = fen - ledger.available(db, year)
    accounts = f"money:treasury:{year}", f"money:appropriation:{year}"
    with acts.act(db, "leave", reference, MAKER.name, fen) as act:
        if more:
            ledger.post(db, act, [ledger.Entry(*(accounts if more > 0 else accounts[::-1]), abs(more))])


def move_voucher(db: Connection, voucher: int, state: str) -> None:
    """Move a voucher to another state by an act of maker1; closing it takes what is left of it."""
    steps = text("SELECT count(*) FROM move WHERE noun = 'voucher' AND subject_id = :id")
    step = db.execute(steps, {"id": voucher}).scalar_one()
    with acts.act(db, "voucher_state", f"{voucher}.{step + 1}", MAKER.name, state) as act:
        if state in life.CLOSED:
            life.close(db, act, [voucher], state, "核查")
        else:
            life.move(db, act, "voucher", [voucher], state, "核查")


def move_money(db: Connection, symbol: str, fen: int, *kinds: str) -> None:
    """Move money of an invoice's one paid line from state to state by an act: payable, in_transit, paid…"""
    statement = text(
        "SELECT l.company_id, l.run_id, l.line_no FROM run_line AS l INNER JOIN invoice AS i USING"
        " (company_id, invoice_id) WHERE i.number = :number AND l.granted_fen > 0 ORDER BY l.run_id LIMIT 1"
    )
    move_line(db, db.execute(statement, {"number": number(symbol)}).one(), fen, *kinds)


def move_line(db: Connection, line: Any, fen: int, *kinds: str) -> None:
    """Move money of a line (company_id, run_id, line_no) from state to state by an act."""
    names = [f"money:{kind}:{uscc(line.company_id)}" for kind in kinds]
    count = db.execute(text("SELECT count(*) FROM act")).scalar_one()
    with acts.act(db, "payment", f"{count}", MAKER.name, fen) as act:
        for name in names:
            db.execute(
                text(
                    "INSERT INTO account (name, company_id, act_id) VALUES (:name, :company, :act)"
                    " ON CONFLICT (name) DO NOTHING"
                ),
                {"name": name, "company": line.company_id, "act": act.act_id},
            )
        accounts = dict(map(tuple, db.execute(text("SELECT name, account_id FROM account"))))
        for place, (debit, credit) in enumerate(pairwise(names), 1):
            row = {"company_id": line.company_id, "run_id": line.run_id, "line_no": line.line_no}
            row |= {"act_id": act.act_id, "transfer_no": place, "amount_fen": fen}
            _insert(
                db, "transfer", [row | {"debit_account_id": accounts[debit], "credit_account_id": accounts[credit]}]
            )
        ledger.update_balances(db, act)


def positions(db: Connection) -> list[Any]:
    """List where the money of each line is: company_id, run_id, line_no, kind, fen above zero; in order."""
    statement = (
        "SELECT t.company_id, t.run_id, t.line_no, a.kind,"
        " CAST(sum(CASE WHEN t.credit_account_id = a.account_id THEN t.amount_fen ELSE -t.amount_fen END) AS bigint)"
        " AS fen FROM transfer AS t"
        " INNER JOIN account AS a ON a.account_id IN (t.debit_account_id, t.credit_account_id)"
        " WHERE t.run_id IS NOT NULL AND a.kind IN ('payable', 'in_transit') GROUP BY t.company_id, t.run_id,"
        " t.line_no, a.kind HAVING sum(CASE WHEN t.credit_account_id = a.account_id THEN t.amount_fen ELSE"
        " -t.amount_fen END) > 0 ORDER BY t.company_id, t.run_id, t.line_no, a.kind"
    )
    return list(db.execute(text(statement)).all())


def notice(db: Connection, act_id: int) -> None:
    """Write into an act that the company of the first invoice was told to pay back."""
    statement = (
        "INSERT INTO recovery_notice (company_id, invoice_id, told_on, act_id)"
        " SELECT company_id, invoice_id, '2026-08-01', :act FROM invoice ORDER BY invoice_id LIMIT 1"
    )
    db.execute(text(statement), {"act": act_id})


def close_year(db: Connection, year: int) -> None:
    """Close a fiscal year by an act, without any transfer."""
    with acts.act(db, "close", str(year), MAKER.name, year) as act:
        row = {"noun": "fiscal_year", "subject_id": year, "step": 1, "from_state": "none", "to_state": "closed"}
        _insert(db, "move", [row | {"act_id": act.act_id}])


def issue(db: Connection, programme: str, company: int, year: int, face_fen: int) -> int:
    """Issue a voucher by hand with a face of its own; return its id."""
    with acts.act(db, "voucher", f"{company}.{year}", MAKER.name, face_fen) as act:
        row = {"programme_id": programme, "company_id": company, "cap_year": year, "face_fen": face_fen}
        _insert(db, "voucher", [row | {"by_hand": True, "act_id": act.act_id}])
        own = {"company": company, "year": year}
        found = db.execute(text("SELECT voucher_id FROM voucher WHERE company_id = :company AND cap_year = :year"), own)
        voucher = int(found.scalar_one())
        first = {"noun": "voucher", "subject_id": voucher, "step": 1, "from_state": "none"}
        _insert(db, "move", [first | {"to_state": "issued", "act_id": act.act_id}])
        names = limit_accounts(db, act, programme, company, year)
        ledger.post(db, act, [ledger.Entry(names["authority"], names["voucher"], face_fen)])
    return voucher


def limit_accounts(db: Connection, act: acts.Act, programme: str, company: int, year: int) -> dict[str, str]:
    """Open the limit accounts of a company-year; return their names by kind."""
    names = {"authority": f"limit:authority:{programme}:{year}"}
    for kind in ("voucher", "redeemed", "lapsed"):
        names[kind] = f"limit:{kind}:{programme}:{uscc(company)}:{year}"
    statement = text(
        "INSERT INTO account (name, programme_id, company_id, year, act_id)"
        " VALUES (:name, :programme, :company, :year, :act) ON CONFLICT (name) DO NOTHING"
    )
    for kind, name in names.items():
        owner = 0 if kind == "authority" else company
        db.execute(statement, {"name": name, "programme": programme, "company": owner, "year": year, "act": act.act_id})
    return names


def turn_away(db: Connection, act_id: int, invoice_number: str, outcome: str, message: str) -> None:
    """Write an upload x.csv with one row, number 7, that was not accepted, and why."""
    digest = hashlib.sha256(invoice_number.encode()).digest()
    _insert(db, "document", [{"sha256": digest, "sm3": digest, "size_bytes": 1, "act_id": act_id}])
    upload = {"upload_id": act_id, "sha256": digest, "file_name": "x.csv", "format": "cq_compute_1"}
    upload |= {"received_on": "2026-01-01", "header": "", "rows": 1}
    counts = dict.fromkeys(("accepted", "duplicate", "conflict", "rejected", "held"), 0) | {outcome: 1}
    _insert(db, "upload", [upload | counts])
    row = {"upload_id": act_id, "sheet": "", "row_no": 7, "invoice_number": invoice_number}
    _insert(db, "upload_row", [row | {"outcome": outcome, "cells": ""}])
    problem = {"problem_no": 1, "code": "test", "severity": "error", "column_name": "", "value": ""}
    _insert(db, "upload_problem", [row | problem | {"message": message}])
