"""The checks on a small ledger, and on the same ledger tampered with in every way."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

import sql
from reconciliation import invariants, payments
from voucher.database import transaction
from voucher.errors import Broken
from voucher.sealed import SEALED

Tamper = tuple[str, ...]
UNGUARD = "ALTER TABLE {table} DISABLE TRIGGER append_only"


@pytest.fixture
def auditor(books: Engine) -> Iterator[Connection]:
    with transaction(books, "cvl_auditor") as db:
        yield db


@contextmanager
def tampered(engine: Engine, *statements: str) -> Iterator[Connection]:
    """Change facts behind the triggers, as the owner could; give the auditor's view; roll back."""
    with engine.connect() as db:
        db.exec_driver_sql("SELECT set_config('role', 'cvl_owner', true), set_config('search_path', 'cvl', true)")
        for sealed in SEALED:
            db.exec_driver_sql(UNGUARD.format(table=sealed.table))
        db.exec_driver_sql(UNGUARD.format(table="invoice_number"))
        db.exec_driver_sql(UNGUARD.format(table="seal"))
        for statement in statements:
            changed = db.execute(text(statement)).rowcount
            assert changed != 0, f"changes nothing: {statement}"
        db.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
        db.exec_driver_sql("SELECT set_config('role', 'cvl_auditor', true)")
        yield db
        db.rollback()


def value(db: Connection, statement: str) -> Any:
    return db.execute(text(statement)).scalar_one()


def test_a_ledger_in_order_fails_no_check(auditor: Connection) -> None:
    assert invariants.check_all(auditor) == []
    assert value(auditor, "SELECT count(*) FROM run_line WHERE withheld_fen > 0") > 0


def test_every_check_has_a_chinese_title() -> None:
    titles = invariants.titles()
    assert len(titles) == len(sql.names("checks")) + 1
    assert len(set(titles.values())) == len(titles)
    assert all(any("一" <= letter <= "鿿" for letter in title) for title in titles.values())


ONE_LINE = "(SELECT min(line_no) FROM run_line WHERE run_id = 2 AND withheld_fen > 0)"
ONE_NUMBER = "(SELECT min(number) FROM invoice)"
LAST_SEAL = "(SELECT max(no) FROM seal)"
LAST_RUN = "(SELECT max(act_id) FROM run)"
PAYABLE = "(SELECT min(account_id) FROM account WHERE kind = 'payable')"
TAMPERS: dict[str, list[Tamper]] = {
    "accounts": [
        (f"UPDATE account SET company_id = company_id + 1 WHERE account_id = {PAYABLE}",),
        ("UPDATE account SET year = 2027 WHERE kind = 'appropriation'",),
    ],
    "acts": [
        ("UPDATE seal SET recorded_at = recorded_at - interval '1 day' WHERE no = 5",),
        (f"UPDATE seal SET accepted_before = accepted_before + 1 WHERE no = {LAST_SEAL}",),
        ("UPDATE seal SET accepted = accepted + 1 WHERE accepted > 0",),
        (
            "ALTER TABLE seal DROP CONSTRAINT seal_previous_no_fkey",
            "UPDATE seal SET no = no + 1 WHERE no = (SELECT max(no) FROM seal)",
        ),
    ],
    "balances": [(f"UPDATE account SET balance_fen = balance_fen + 1 WHERE account_id = {PAYABLE}",)],
    "bank": [
        (
            "DELETE FROM bank_match",
            "UPDATE bank_line SET name = 'x', booked_on = booked_on + 20",
            "INSERT INTO bank_line SELECT statement_id, 3, booked_on + 20, 1, '', '', '', '', NULL, 'x' FROM bank_line",
        ),
        (
            "INSERT INTO bank_line SELECT statement_id, 3, booked_on, amount_fen + 1, '', '', '', '',"
            " (SELECT reference FROM payment), 'x' FROM bank_line",
        ),
    ],
    "bank_accounts": [
        (
            "ALTER TABLE bank_account DROP CONSTRAINT bank_account_check",
            "UPDATE bank_account SET account_no = '6222000000991234'",
        ),
    ],
    "cap": [
        ("UPDATE policy SET parameters = jsonb_set(parameters, '{annual_cap_fen}', '99999999')",),
        ("UPDATE voucher SET by_hand = TRUE, face_fen = face_fen + 1",),
        ("UPDATE absorbed_use SET act_id = (SELECT min(act_id) FROM seal)",),
    ],
    "decisions": [
        ("UPDATE decision SET decided_by = 'checker2'",),
        ("UPDATE proposal SET drafted_by = 'checker1'",),
        ("UPDATE app_user SET role = 'maker' WHERE name = 'checker1'",),
    ],
    "evidence": [
        (
            "INSERT INTO evidence (company_id, invoice_id, act_id, kind, upload_id, sha256, net_fen, tax_fen,"
            " gross_fen, has_lines, digest) SELECT i.company_id, i.invoice_id, i.act_id, 'ofd', u.upload_id, u.sha256,"
            " i.net_fen + 1, i.tax_fen, i.gross_fen + 1, FALSE, '' FROM invoice AS i, upload AS u LIMIT 1",
        ),
    ],
    "floors": [
        (
            "ALTER TABLE account DROP CONSTRAINT floor",
            f"UPDATE account SET balance_fen = -1 WHERE account_id = {PAYABLE}",
        ),
    ],
    "granted_once": [
        (
            "INSERT INTO run_line SELECT company_id, run_id, 100000, cap_year, kind, invoice_id, accepted_no,"
            " basis_fen, computed_fen, overlap_cut_fen, 0, computed_fen, 0, policy_ids, reasons"
            f" FROM run_line WHERE run_id = 2 AND line_no = {ONE_LINE}",
        ),
        (
            "INSERT INTO run_line SELECT company_id, run_id, 100000, cap_year, 'backfill', invoice_id, accepted_no,"
            " basis_fen, computed_fen, overlap_cut_fen, withheld_fen + 1, 0, 0, policy_ids, reasons"
            f" FROM run_line WHERE run_id = 2 AND line_no = {ONE_LINE}",
        ),
    ],
    "held_rows": [
        ("DELETE FROM held_row WHERE upload_id = (SELECT min(upload_id) FROM held_row)",),
        ("UPDATE upload_row SET invoice_number = '1' WHERE outcome = 'held'",),
        ("UPDATE upload_row SET outcome = 'rejected' WHERE outcome = 'held'",),
    ],
    "invoice_sums": [
        (
            f"UPDATE invoice SET net_fen = net_fen + 1, gross_fen = gross_fen + 1 WHERE number = {ONE_NUMBER}",
        ),
        (
            "UPDATE invoice_line SET net_fen = net_fen + 1, tax_fen = tax_fen - 1"
            " WHERE invoice_id = (SELECT min(invoice_id) FROM invoice)",
        ),
    ],
    "line_money": [
        (f"UPDATE account SET balance_fen = balance_fen + 1 WHERE account_id = {PAYABLE}",),
        (
            "UPDATE transfer AS t SET debit_account_id = t.credit_account_id, credit_account_id = t.debit_account_id"
            " FROM account AS a WHERE a.account_id = t.credit_account_id AND a.kind = 'payable' AND t.line_no = 1",
        ),
    ],
    "lines_posted": [
        (
            "UPDATE transfer SET amount_fen = amount_fen + 1 WHERE (act_id, transfer_no) ="
            " (SELECT act_id, min(transfer_no) FROM transfer WHERE run_id = 1 GROUP BY act_id ORDER BY act_id LIMIT 1)",
        ),
        (
            "DELETE FROM transfer WHERE run_id = 2 AND transfer_no ="
            " (SELECT max(transfer_no) FROM transfer WHERE run_id = 2)",
        ),
        (
            "UPDATE transfer AS t SET credit_account_id ="
            " (SELECT max(account_id) FROM account WHERE kind = 'payable') FROM account AS a"
            f" WHERE a.account_id = t.credit_account_id AND a.account_id = {PAYABLE}",
        ),
    ],
    "money_acts": [
        (
            "INSERT INTO transfer SELECT company_id, act_id, 999999, debit_account_id, credit_account_id, 1"
            " FROM transfer WHERE run_id IS NULL"
            " AND debit_account_id = (SELECT account_id FROM account WHERE kind = 'treasury')",
        ),
        (
            "UPDATE transfer AS t SET credit_account_id = c.account_id FROM account AS d, account AS c"
            " WHERE d.account_id = t.debit_account_id AND d.kind = 'in_transit' AND c.kind = 'payable'"
            " AND c.company_id = d.company_id",
        ),
        (
            "DELETE FROM transfer AS t USING account AS d WHERE d.account_id = t.debit_account_id"
            " AND d.kind = 'in_transit'",
        ),
        ("DELETE FROM payment_result",),
    ],
    "numbers": [
        (f"DELETE FROM invoice_number WHERE number = {ONE_NUMBER}",),
        (f"UPDATE invoice_number SET number = '9' WHERE number = {ONE_NUMBER}",),
        ("INSERT INTO invoice_number VALUES ('8', 1, 999999)",),
    ],
    "payments": [
        ("UPDATE payment SET payee_id = payee_id + 1",),
        ("UPDATE bank_account SET company_id = company_id + 1",),
        ("UPDATE payment SET amount_fen = amount_fen + 1",),
        ("UPDATE payment_batch SET amount_fen = amount_fen + 1",),
        (
            "UPDATE transfer AS t SET amount_fen = amount_fen + 1 FROM account AS a"
            " WHERE a.account_id = t.credit_account_id AND a.kind = 'in_transit'",
        ),
        (
            "UPDATE payment_line SET amount_fen = amount_fen + 1",
            "UPDATE payment SET amount_fen = (SELECT sum(amount_fen) FROM payment_line)",
            "UPDATE payment_batch SET amount_fen = (SELECT sum(amount_fen) FROM payment_line)",
        ),
        ("DELETE FROM decision WHERE proposal_act_id = (SELECT batch_id FROM payment_batch)",),
    ],
    "pending_accounts": [
        (
            "INSERT INTO pending_account SELECT (SELECT min(act_id) FROM proposal), 1, company_id, holder, bank,"
            " account_no, account_salt, clearing_no FROM bank_account LIMIT 1",
        ),
        (
            "ALTER TABLE proposal DROP CONSTRAINT proposal_check",
            "UPDATE proposal SET kind = 'bank_account', payload ="
            " '[{\"company\":\"x\",\"holder\":\"\",\"bank\":\"\",\"clearing_no\":\"\"}]'"
            " WHERE act_id = (SELECT min(act_id) FROM proposal)",
        ),
    ],
    "policies": [
        (
            "UPDATE policy SET body = body || ' ', sha256 = sha256(convert_to(body || ' ', 'UTF8'))",
        ),
        ("ALTER TABLE policy DROP CONSTRAINT policy_check", "UPDATE policy SET body = body || ' '"),
    ],
    "redeemed": [
        (
            "UPDATE run_line SET granted_fen = granted_fen + 1, withheld_fen = withheld_fen - 1"
            f" WHERE run_id = 2 AND line_no = {ONE_LINE}",
        ),
    ],
    "reds": [
        (
            "UPDATE invoice SET kind = 'red', original_number = '00000000000000000042', gross_fen = -gross_fen,"
            f" net_fen = -net_fen, tax_fen = -tax_fen WHERE number = {ONE_NUMBER}",
        ),
    ],
    "sealed_rows": [
        (
            "ALTER TABLE transfer DROP CONSTRAINT transfer_act_id_fkey",
            "UPDATE transfer SET act_id = 999999 WHERE act_id = (SELECT min(act_id) FROM transfer)",
        ),
        (
            "ALTER TABLE app_user DROP CONSTRAINT app_user_check2",
            "UPDATE app_user SET role = 'checker' WHERE name = 'system'",
        ),
    ],
    "transfers_approved": [
        (f"DELETE FROM decision WHERE proposal_act_id = {LAST_RUN}",),
        (f"UPDATE decision SET verdict = 'rejected', why = '-' WHERE proposal_act_id = {LAST_RUN}",),
        ("UPDATE run SET lines = lines + 1",),
    ],
    "upload_counts": [
        ("UPDATE upload SET accepted = accepted - 1, held = held + 1",),
        ("UPDATE upload_row SET outcome = 'conflict' WHERE outcome = 'duplicate'",),
    ],
    "upload_rows": [
        (
            "ALTER TABLE invoice_line DROP CONSTRAINT invoice_line_company_id_invoice_id_fkey",
            "ALTER TABLE run_line DROP CONSTRAINT run_line_company_id_invoice_id_fkey",
            "DELETE FROM invoice WHERE act_id = (SELECT max(act_id) FROM invoice) AND place = 25",
        ),
        (
            "UPDATE invoice SET act_id = (SELECT max(upload_id) FROM upload), place = 999"
            f" WHERE number = {ONE_NUMBER}",
        ),
        (
            "UPDATE invoice_line SET row_no = 2 WHERE row_no = 3",
        ),
        (
            "UPDATE upload_row SET row_no = 2 WHERE outcome = 'rejected'"
            " AND row_no = (SELECT min(row_no) FROM upload_row WHERE outcome = 'rejected')",
        ),
    ],
    "usage_sums": [
        ("UPDATE usage_day SET metered_yuan = metered_yuan + 0.01 WHERE used_on = '2026-01-01'",),
        ("UPDATE usage_day SET lines = lines + 1 WHERE used_on = '2026-01-01'",),
        ("UPDATE metering SET act_id = (SELECT max(act_id) FROM invoice)",),
    ],
    "voucher_face": [
        (
            "UPDATE account SET balance_fen = balance_fen + CASE kind WHEN 'voucher' THEN 1 ELSE -1 END"
            " WHERE kind IN ('voucher', 'redeemed') AND (company_id, year) IN (SELECT v.company_id, v.cap_year"
            " FROM voucher AS v INNER JOIN move AS m ON m.noun = 'voucher' AND m.subject_id = v.voucher_id"
            " WHERE m.to_state = 'revoked')",
        ),
        ("UPDATE voucher SET face_fen = face_fen - 1",),
        (
            "UPDATE transfer AS t SET amount_fen = amount_fen + 1 FROM account AS a"
            " WHERE a.account_id = t.debit_account_id AND a.kind = 'authority'",
        ),
        (
            "DELETE FROM move WHERE noun = 'voucher'",
            "DELETE FROM voucher WHERE voucher_id = (SELECT max(voucher_id) FROM voucher)",
        ),
        (
            "INSERT INTO account (name, programme_id, company_id, year, balance_fen, act_id)"
            " SELECT regexp_replace(name, '[0-9]{4}$', '2031'), programme_id, company_id, 2031, 1, act_id"
            " FROM account WHERE kind = 'redeemed' AND balance_fen > 0 LIMIT 1",
        ),
    ],
}  # fmt: skip


def test_every_check_is_shown_to_bite() -> None:
    assert set(TAMPERS) | {invariants.SEAL} == set(invariants.titles())


@pytest.mark.parametrize(("check", "statements"), [(check, case) for check, cases in TAMPERS.items() for case in cases])
def test_a_check_names_what_it_is_about(books: Engine, check: str, statements: Tamper) -> None:
    with tampered(books, *statements) as db:
        failures = invariants.check_one(db, f"checks/{check}.sql")
    assert failures
    assert all(failure.subject and failure.detail.endswith("。") for failure in failures)


@pytest.mark.parametrize(
    ("check", "statement"),
    [
        ("policies", "UPDATE run SET policies = policies || '}'"),
        ("held_rows", "UPDATE held_row SET content = jsonb_set(content, '{gross_fen}', '\"1.0\"')"),
        ("cap", "UPDATE policy SET parameters = jsonb_set(parameters, '{annual_cap_fen}', '\"much\"')"),
    ],
)
def test_a_check_that_cannot_read_what_was_changed_says_so_and_the_others_go_on(
    books: Engine, check: str, statement: str
) -> None:
    with tampered(books, statement) as db:
        failures = invariants.check_all(db)
    assert check in {failure.check for failure in failures}
    assert invariants.SEAL in {failure.check for failure in failures}
    assert invariants.first_wrong(failures) is not None


def test_a_check_with_very_many_failures_lists_the_first(books: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invariants, "_KEPT", 3)
    with tampered(books, "UPDATE invoice SET net_fen = net_fen + 1, gross_fen = gross_fen + 1") as db:
        failures = invariants.check_one(db, "checks/invoice_sums.sql")
    assert len(failures) == 4
    assert failures[-1].detail == "共195处，以上仅列前3处。"


OF_A_RUN = (
    "UPDATE transfer SET amount_fen = amount_fen + 1 WHERE run_id = 2 AND transfer_no ="
    " (SELECT max(transfer_no) FROM transfer WHERE run_id = 2)"
)
CHANGES = {
    "act": "UPDATE act SET effective_on = effective_on + 1 WHERE kind = 'registry'",
    "app_user": "UPDATE app_user SET role = 'admin' WHERE name = 'auditor1'",
    "programme": "INSERT INTO programme SELECT 'other', act_id FROM programme",
    "policy": "UPDATE policy SET span = daterange(lower(span), upper(span) - 1)",
    "party": "UPDATE party SET uscc = '91500000PROVIDER0X' WHERE uscc LIKE '%R03'",
    "party_name": "UPDATE party_name SET name = name || '子' WHERE name LIKE '%01有限公司'",
    "qualification": "UPDATE qualification SET basis = '' WHERE row_no = (SELECT max(row_no) FROM qualification)",
    "bank_account": "UPDATE bank_account SET clearing_no = '2'",
    "listing": "DELETE FROM listing WHERE provider_id = (SELECT max(provider_id) FROM listing)",
    "relation": "UPDATE relation SET share_bp = 1001",
    "subsidy": "UPDATE subsidy SET waived = FALSE",
    "invoice_payment": "UPDATE invoice_payment SET amount_fen = 101",
    "verification": "UPDATE verification SET result = 'void'",
    "document": "UPDATE document SET size_bytes = size_bytes + 1 WHERE act_id = (SELECT max(act_id) FROM document)",
    "upload": "UPDATE upload SET file_name = 'x' WHERE upload_id = (SELECT max(upload_id) FROM upload)",
    "upload_row": "UPDATE upload_row SET cells = cells || ' ' WHERE upload_id = (SELECT max(upload_id) FROM upload)",
    "upload_problem": "UPDATE upload_problem SET value = 'x' WHERE upload_id = (SELECT max(upload_id) FROM upload)",
    "held_row": "UPDATE held_row SET digest = '' WHERE upload_id = (SELECT max(upload_id) FROM upload)",
    "invoice": "UPDATE invoice SET contract_no = 'HT-2' WHERE act_id = (SELECT max(act_id) FROM invoice) AND place = 7",
    "invoice_line": "UPDATE invoice_line SET usage_qty = 120.50 WHERE upload_id = (SELECT max(upload_id) FROM upload)",
    "mapping": "UPDATE mapping SET profile = '{}' WHERE act_id = (SELECT max(act_id) FROM mapping)",
    "evidence": "UPDATE evidence SET digest = 'y' WHERE act_id = (SELECT max(act_id) FROM evidence)",
    "evidence_line": "UPDATE evidence_line SET item = 'x' WHERE act_id = (SELECT max(act_id) FROM evidence_line)",
    "metering": "UPDATE metering SET replaces = NOT replaces",
    "usage_day": "UPDATE usage_day SET unit = 'x'",
    "held_usage": "UPDATE held_usage SET quantity = quantity + 1",
    "resolution": "UPDATE resolution SET why = 'x' WHERE act_id = (SELECT max(act_id) FROM resolution)",
    "proposal": "UPDATE proposal SET subject = subject || ' ' WHERE act_id = (SELECT max(act_id) FROM proposal)",
    "decision": "UPDATE decision SET why = 'x' WHERE act_id = (SELECT max(act_id) FROM decision)",
    "run": "UPDATE run SET through_on = through_on - 1 WHERE run_id = 2",
    "run_line": "UPDATE run_line SET reasons = '[1]' WHERE run_id = 2 AND line_no = 1",
    "account": "UPDATE account SET name = name || 'x' WHERE act_id = (SELECT max(act_id) FROM account)",
    "voucher": "UPDATE voucher SET by_hand = TRUE WHERE voucher_id = (SELECT max(voucher_id) FROM voucher)",
    "merger": "UPDATE merger SET merged_on = merged_on + 1",
    "absorbed_use": "UPDATE absorbed_use SET used_fen = used_fen + 1",
    "move": "UPDATE move SET why = 'x' WHERE act_id = (SELECT max(act_id) FROM move)",
    "disclosure": "UPDATE disclosure SET until_on = until_on - 1",
    "objection": "UPDATE objection SET why = 'x'",
    "refusal": "UPDATE refusal SET refused = FALSE WHERE act_id = (SELECT max(act_id) FROM refusal)",
    "contract": "UPDATE contract SET amount_fen = 2 WHERE act_id = (SELECT max(act_id) FROM contract)",
    "recovery_notice": "UPDATE recovery_notice SET told_on = told_on + 1 WHERE act_id ="
    " (SELECT max(act_id) FROM recovery_notice)",
    "payment_batch": "UPDATE payment_batch SET amount_fen = amount_fen + 1",
    "payment": "UPDATE payment SET amount_fen = amount_fen + 1",
    "payment_line": "UPDATE payment_line SET amount_fen = amount_fen + 1 WHERE line_no = (SELECT max(line_no)"
    " FROM payment_line)",
    "payment_result": "UPDATE payment_result SET bank_reference = 'x'",
    "bank_statement": "UPDATE bank_statement SET file_name = 'x'",
    "bank_line": "UPDATE bank_line SET remark = 'y'",
    "bank_match": "UPDATE bank_match SET why = 'x'",
    "flag_decision": "UPDATE flag_decision SET why = 'x'",
    "transfer": "UPDATE transfer SET amount_fen = amount_fen + 1 WHERE act_id = (SELECT max(act_id) FROM transfer)",
}
"""One change behind the triggers per sealed table; the last act that wrote to the table is the one changed."""


def test_every_sealed_table_is_tampered_with_and_counted() -> None:
    tables = {sealed.table for sealed in SEALED}
    assert set(CHANGES) == tables
    body = sql.read("checks/sealed_rows.sql")
    assert all(f"FROM {table} AS" in body for table in tables - {"act", "invoice_line"})


@pytest.mark.parametrize("table", list(CHANGES))
def test_the_seal_names_the_first_act_that_was_changed(books: Engine, table: str) -> None:
    sealed = next(sealed for sealed in SEALED if sealed.table == table)
    kinds = {"act": "'registry'", "app_user": "'user'"}
    where = f"WHERE a.kind = {kinds[table]}" if table in kinds else ""
    with tampered(books, CHANGES[table]) as db:
        source = sealed.source or f"{table} AS t"
        changed = value(
            db,
            f"SELECT max(s.no) FROM {source} INNER JOIN seal AS s ON s.act_id = {sealed.act}"
            f" INNER JOIN act AS a ON a.act_id = s.act_id {where}",
        )
        failures = invariants.check_seal(db)
        assert failures[0].act_no == changed, failures
        assert invariants.first_wrong(invariants.check_all(db)) == changed


@pytest.mark.parametrize(
    "statements",
    [
        (
            "ALTER TABLE bank_account DROP CONSTRAINT bank_account_check",
            "UPDATE bank_account SET account_no = '6222000000991234'",
        ),
        ("UPDATE bank_account SET holder = holder || 'x'",),
        ("UPDATE payment SET amount_fen = amount_fen + 1",),
    ],
)
def test_no_payment_leaves_that_is_not_what_was_sealed(books: Engine, statements: Tamper) -> None:
    with transaction(books, "cvl_auditor") as db:
        batch = value(db, "SELECT batch_id FROM payment_batch")
        assert payments.exported(db, batch, "bank-csv", None)[1]
    with tampered(books, *statements) as db, pytest.raises(Broken, match="payment_changed"):
        payments.exported(db, batch, "bank-csv", None)
