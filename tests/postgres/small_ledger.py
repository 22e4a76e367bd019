"""The checks and the monthly report on a small ledger, and on the same ledger tampered with in every way."""

import tempfile
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from reconciliation import bank, disclosure, payments, results
from settlement import merger
from settlement import run as settle
from voucher import acts, approval, ledger
from voucher.access import User
from voucher.database import run, transaction
from voucher.money import format_yuan

MAKER, CHECKER = User("maker1", "maker", None), User("checker1", "checker", None)
PROVIDERS = ["91500000PROVIDER01", "91500000PROVIDER02", "91500000PROVIDER03"]
STRANGER = "91500000STRANGER99"

PARTIES = """
WITH named AS (
    INSERT INTO party (uscc, act_id)
    SELECT u.uscc, :act
    FROM (
        SELECT unnest(CAST(:providers AS text[])) AS uscc
        UNION ALL SELECT format('91500000%s', lpad(n::text, 10, '0')) FROM generate_series(1, :companies) AS n
    ) AS u
    RETURNING party_id, uscc
), names AS (
    INSERT INTO party_name (party_id, name, act_id, row_no)
    SELECT party_id, CASE WHEN uscc LIKE '%PROVIDER%' THEN '合成算力服务' || right(uscc, 2) || '有限公司'
        ELSE '合成智能体开发第' || ltrim(substr(uscc, 9), '0') || '有限公司' END, :act, party_id
    FROM named
), listed AS (
    INSERT INTO listing (provider_id, from_on, span, act_id, row_no)
    SELECT party_id, '2025-01-01', daterange('2025-01-01', '2200-01-01'), :act, party_id
    FROM named WHERE uscc LIKE '%PROVIDER%'
)
, related AS (
    INSERT INTO relation (provider_id, company_id, kind, share_bp, from_on, span, act_id, row_no)
    SELECT p.party_id, c.party_id, 'shareholding', 1000, '2026-01-01', daterange('2026-01-01', '2200-01-01'), :act, 1
    FROM named AS p, named AS c WHERE p.uscc LIKE '%R01' AND c.uscc LIKE '%0001'
), paid_to AS (
    INSERT INTO bank_account (company_id, holder, bank, account_no, account_last4, account_salt, account_sha256,
        clearing_no, act_id, row_no)
    SELECT c.party_id, '合成', '合成银行', '6222000000001234', '1234', decode(repeat('ab', 16), 'hex'),
        sha256(decode(repeat('ab', 16), 'hex') || convert_to('6222000000001234', 'UTF8')), '1', :act, 1
    FROM named AS c WHERE c.uscc LIKE '%0001'
), given AS (
    INSERT INTO subsidy (invoice_number, policy_name, amount_fen, waived, act_id, row_no)
    VALUES (lpad('1', 20, '0'), '其他', 100, TRUE, :act, 1)
), checked AS (
    INSERT INTO verification (invoice_number, checked_on, result, checked_by, act_id, row_no)
    VALUES (lpad('1', 20, '0'), '2026-05-01', 'same', '甲', :act, 1)
), paid AS (
    INSERT INTO invoice_payment (invoice_number, paid_on, reference, amount_fen, act_id, row_no)
    VALUES (lpad('99', 20, '0'), '2026-05-01', 'P-1', 100, :act, 1)
)
INSERT INTO qualification (company_id, category, from_on, span, basis, act_id, row_no)
SELECT party_id, 'ai_agent', '2025-12-25', daterange('2025-12-25', '2200-01-01'), '认定', :act, party_id
FROM named WHERE uscc NOT LIKE '%PROVIDER%'
"""
STAGE = """
CREATE TEMPORARY TABLE batch ON COMMIT DROP AS
SELECT
    n, p.party_id AS company_id, s.party_id AS provider_id, nextval('invoice_id_seq') AS invoice_id,
    lpad((:first + n)::text, 20, '0') AS number,
    (:net_fen + (n * 7919) % 100000)::bigint AS net_fen,
    make_date(2026, 1 + ((:first + n) % 6)::integer, 1) AS from_on
FROM generate_series(1, :rows) AS n
INNER JOIN party AS p ON p.uscc = format('91500000%s', lpad((1 + (:first + n) % :companies)::text, 10, '0'))
INNER JOIN party AS s ON s.uscc = :provider
"""
UPLOAD = """
WITH document AS (
    INSERT INTO document (sha256, sm3, size_bytes, act_id)
    SELECT sha256(convert_to(:act::text, 'UTF8')), sha256(convert_to(:act::text, 'UTF8')), 1000, :act
)
INSERT INTO upload (
    upload_id, sha256, file_name, format, provider_uscc, service_month, received_on, header, rows, accepted, duplicate,
    conflict, rejected, held
)
SELECT :act, sha256(convert_to(:act::text, 'UTF8')), :file, 'CQ-COMPUTE-1', :provider, '', :received_on,
    array_to_string(ARRAY['模板版本', '发票号码', '发票类型', '供方统一社会信用代码', '供方名称',
        '用方统一社会信用代码 *', '用方名称'], chr(31)),
    count(*) + :bad * 4, count(*), :bad, :bad, :bad, :bad
FROM batch
"""
NUMBERS = "INSERT INTO invoice_number SELECT number, company_id, invoice_id FROM batch"
INVOICES = """
INSERT INTO invoice (
    company_id, invoice_id, number, kind, provider_id, issued_on, received_on, span, contract_no, net_fen, tax_fen,
    gross_fen, evidence, digest, act_id, place
)
SELECT company_id, invoice_id, number, 'blue', provider_id, from_on + 30, :received_on,
    daterange(from_on, (from_on + interval '1 month')::date), 'HT-1', net_fen, net_fen * 6 / 100,
    net_fen + net_fen * 6 / 100, 'template', md5(number), :act, n
FROM batch
"""
LINES = """
INSERT INTO invoice_line (
    company_id, invoice_id, line_no, tax_code, item, spec, unit, usage_qty, net_fen, rate_bp, tax_fen, gross_fen,
    remark, sheet, row_no, upload_id
)
SELECT company_id, invoice_id, 1, '3040203000000000000', '*信息技术服务*智算算力服务费', '80G-8卡', '卡时', 120.5,
    net_fen, 600, net_fen * 6 / 100, net_fen + net_fen * 6 / 100, '', '', n + 1, :act
FROM batch
"""
BAD_ROWS = """
INSERT INTO upload_row (upload_id, sheet, row_no, outcome, invoice_number, cells)
SELECT :act, '', 1000000 + n * 4 + o.place, o.outcome,
    CASE WHEN o.outcome IN ('duplicate', 'conflict') THEN (SELECT min(number) FROM batch)
        WHEN o.outcome = 'held' THEN lpad((900000000000 + :act * 1000 + n)::text, 20, '0') ELSE '' END,
    array_to_string(ARRAY['CQ-COMPUTE-1', 'x', '蓝字', :provider, '卖方', o.buyer,
        CASE WHEN o.buyer = '无' THEN '' ELSE '合成来历不明公司' END], chr(31))
FROM generate_series(1, :bad) AS n
CROSS JOIN (VALUES (0, 'duplicate', '915000000000000001'), (1, 'conflict', '915000000000000001'),
    (2, 'rejected', CASE WHEN :stranger THEN '91500000STRANGER99' ELSE '无' END),
    (3, 'held', '915000000000000002')) AS o (place, outcome, buyer)
"""
EVIDENCE = """
INSERT INTO evidence (company_id, invoice_id, act_id, kind, upload_id, sha256, net_fen, tax_fen, gross_fen, has_lines,
    digest)
SELECT i.company_id, i.invoice_id, i.act_id, 'xml', i.act_id, u.sha256, i.net_fen, i.tax_fen, i.gross_fen, TRUE, 'x'
FROM invoice AS i
INNER JOIN upload AS u ON u.upload_id = i.act_id
WHERE i.act_id = :act AND i.place = 1
"""
EVIDENCE_LINES = """
INSERT INTO evidence_line (company_id, invoice_id, act_id, kind, line_no, tax_code, item, spec, unit, usage_qty,
    net_fen, rate_bp, tax_fen, gross_fen, remark, sheet, row_no)
SELECT e.company_id, e.invoice_id, e.act_id, e.kind, l.line_no, l.tax_code, l.item, l.spec, l.unit, l.usage_qty,
    l.net_fen, l.rate_bp, l.tax_fen, l.gross_fen, l.remark, l.sheet, l.row_no
FROM evidence AS e
INNER JOIN invoice_line AS l ON l.company_id = e.company_id AND l.invoice_id = e.invoice_id
WHERE e.act_id = :act
"""
RESOLUTION = """
INSERT INTO resolution (act_id, company_id, invoice_id, upload_id, evidence_act_id, kind, net_fen, tax_fen, gross_fen,
    why)
SELECT e.act_id, e.company_id, e.invoice_id, e.upload_id, e.act_id, e.kind, e.net_fen, e.tax_fen, e.gross_fen, '核对'
FROM evidence AS e
WHERE e.act_id = :act
"""
MAPPING = """
INSERT INTO mapping (act_id, provider_uscc, header_sha256, header, profile)
VALUES (:act, CAST(:provider AS text), sha256('x'), '票号', '{"columns":{},"constants":{}}')
"""
REFUSAL = """
INSERT INTO refusal (company_id, invoice_id, programme_id, cap_year, refused, why, act_id)
SELECT i.company_id, i.invoice_id, p.programme_id, 2199, TRUE, '查实', i.act_id
FROM invoice AS i, programme AS p
WHERE i.act_id = :act AND i.place = 1
"""
CONTRACT = """
INSERT INTO contract (contract_no, provider_id, company_id, amount_fen, from_on, span, act_id, row_no)
SELECT 'HT-9', i.provider_id, i.company_id, 1, '2026-01-01', daterange('2026-01-01', '2200-01-01'), i.act_id, 1
FROM invoice AS i
WHERE i.act_id = :act AND i.place = 1
"""
NOTICE = """
INSERT INTO recovery_notice (company_id, invoice_id, told_on, act_id)
SELECT company_id, invoice_id, '2026-08-01', act_id FROM invoice WHERE act_id = :act AND place = 1
"""
HELD = """
INSERT INTO held_row (
    upload_id, sheet, row_no, digest, invoice_number, invoice_kind, waits_for, evidence, received_on, content
)
SELECT r.upload_id, r.sheet, r.row_no, md5(r.invoice_number), r.invoice_number, 'blue',
    CASE r.outcome WHEN 'held' THEN 'span' ELSE 'resolution' END, 'template',
    :received_on, jsonb_build_object('company_uscc', '915000000000000002', 'company_name', '合成智能体开发第2有限公司',
        'provider_uscc', CAST(:provider AS text), 'net_fen', 10000, 'tax_fen', 600, 'gross_fen', 10600)
FROM upload_row AS r WHERE r.upload_id = :act AND r.outcome IN ('held', 'conflict')
"""
PROBLEMS = """
INSERT INTO upload_problem (
    upload_id, problem_no, sheet, row_no, code, severity, column_name, value, message, invoice_number
)
SELECT upload_id, row_number() OVER (ORDER BY row_no), sheet, row_no, outcome, 'error', '', '', '请核对', ''
FROM upload_row WHERE upload_id = :act
"""

STATEMENT = "交易日期,支出金额,收入金额,对方户名,对方账号,交易流水号,摘要"
RESULT = "用途,金额,处理结果,交易日期,交易流水号,失败原因"


USAGE = (
    """
    INSERT INTO document (sha256, sm3, size_bytes, act_id) VALUES (sha256('usage'), sha256('usage'), 1, :act)
    """,
    """
    INSERT INTO upload (upload_id, sha256, file_name, format, holds, received_on, header, rows, accepted, duplicate,
        conflict, rejected, held)
    VALUES (:act, sha256('usage'), 'usage.csv', 'FOCUS', 'usage', '2026-08-03', '', 3, 2, 0, 0, 0, 1)
    """,
    """
    INSERT INTO metering (company_id, invoice_id, upload_id, basis, replaces, lines, metered_yuan, act_id)
    SELECT company_id, invoice_id, :act, 'gross', FALSE, 2, 9000000.5, :act FROM invoice WHERE place = 1 LIMIT 1
    """,
    """
    INSERT INTO usage_day (company_id, invoice_id, upload_id, used_on, unit, quantity, metered_yuan, lines, act_id)
    SELECT m.company_id, m.invoice_id, m.upload_id, d.used_on, '卡时', 1.5, d.yuan, 1, m.act_id
    FROM metering AS m, (VALUES (date '2026-01-01', 9000000), (date '2026-01-02', 0.5)) AS d (used_on, yuan)
    """,
    """
    INSERT INTO held_usage (upload_id, invoice_number, used_on, unit, quantity, metered_yuan, lines, basis, replaces)
    VALUES (:act, lpad('77', 20, '7'), '2026-01-01', '卡时', 1, 1, 1, 'gross', FALSE)
    """,
)


def execute(db: Connection, statement: str, **params: object) -> None:
    """Run a statement of this file; casts are written with two colons."""
    db.execute(text(statement.replace("::", "\\:\\:")), params)


def register(engine: Engine, companies: int) -> None:
    with transaction(engine) as db, acts.act(db, "registry", "companies", MAKER.name, companies) as act:
        execute(db, PARTIES, act=act.act_id, providers=PROVIDERS, companies=companies)


def appropriate(engine: Engine, year: int, fen: int) -> None:
    with transaction(engine) as db:
        proposal = ledger.propose_appropriation(db, MAKER, year, fen, f"渝财预〔{year}〕1号")
        approval.decide(db, proposal, "approved", CHECKER)


def upload(
    engine: Engine, provider: str, first: int, rows: int, companies: int, *, received_on: str = "2026-08-03",
    bad: int = 0, net_fen: int = 20_000_000, stranger: bool = True,
) -> int:  # fmt: skip
    """Hand in one file of accepted rows and `bad` rows of each other outcome. Returns the act's id."""
    params = {
        "provider": provider, "received_on": received_on, "bad": bad, "file": f"{first:07d}.csv", "stranger": stranger,
    }  # fmt: skip
    with transaction(engine) as db, acts.act(db, "upload", f"{provider}/{first}", MAKER.name, first) as act:
        execute(db, STAGE, first=first, rows=rows, companies=companies, net_fen=net_fen, **params)
        for statement in (
            UPLOAD, NUMBERS, INVOICES, LINES, BAD_ROWS, HELD, PROBLEMS, EVIDENCE, EVIDENCE_LINES, RESOLUTION, MAPPING,
            NOTICE, REFUSAL, CONTRACT,
        ):  # fmt: skip
            execute(db, statement, act=act.act_id, **params)
    return act.act_id


def settled(engine: Engine, through: date) -> int:
    """Draft, submit and approve a run. Returns its number."""
    draft = run(engine, lambda db: settle.draft(db, MAKER, through)).run
    assert draft is not None
    run(engine, lambda db: settle.submit(db, MAKER, draft.run_id))
    run(engine, lambda db: settle.decide(db, CHECKER, draft.run_id, "approved"))
    return draft.run_id


def disclosed(engine: Engine) -> None:
    """Disclose the first run, object to one invoice of it, and pay the company that has an account."""
    run(engine, lambda db: disclosure.disclose(db, MAKER, 1, None))
    run(engine, lambda db: disclosure.object_to(db, MAKER, 1, f"{1:020d}", "存疑"))
    pay(engine, 1)


def pay(engine: Engine, run_id: int) -> None:
    """Pay a disclosed run's one company that has an account."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as home:
        patch.setenv("CVL_TODAY", "2026-08-24")
        patch.setenv("CVL_HOME", home)
        batch = run(engine, lambda db: payments.propose(db, MAKER, run_id)).batch
        assert batch is not None
        run(engine, lambda db: approval.decide(db, batch, "approved", CHECKER))
        (paid,) = run(engine, lambda db: payments.payments(db, batch))
        file = Path(home) / "result.csv"
        amount = format_yuan(paid["amount_fen"])
        file.write_text(f"{RESULT}\n{paid['reference']},{amount},成功,2026-08-24,LS-1,\n", "utf-8")
        assert results.take(engine, file, MAKER, None).paid == 1
        flagged(engine)
        _match(engine, Path(home) / "statement.csv", amount, paid["reference"])


def metered(engine: Engine) -> None:
    """Take a file of usage: two lines of an invoice, and one of an invoice that is not there."""
    with transaction(engine) as db, acts.act(db, "upload", "usage", MAKER.name, "") as act:
        for statement in USAGE:
            execute(db, statement, act=act.act_id)


def flagged(engine: Engine) -> None:
    """Decide one red flag: written straight, for a ledger that has none."""
    statement = (
        "INSERT INTO flag_decision (flag, subject, verdict, why, evidence_sha256, act_id)"
        " VALUES ('round_sums', '1', 'cleared', '核实', sha256('x'), :act)"
    )
    with transaction(engine) as db, acts.act(db, "flag", "round_sums/1/0", MAKER.name, 0) as act:
        execute(db, statement, act=act.act_id)


def _match(engine: Engine, file: Path, amount: str, reference: str) -> None:
    """Import a statement with the payment, and match it by hand."""
    file.write_text(f"{STATEMENT}\n2026-08-24,{amount},,合成,1234,LS-1,x\n", "utf-8")
    taken = bank.take(engine, file, MAKER, None)
    proposal = run(engine, lambda db: bank.propose(db, MAKER, f"{taken.statement}:2", [reference], "户名不同"))
    run(engine, lambda db: approval.decide(db, proposal, "approved", CHECKER))


def merge(engine: Engine, absorbed: str, survivor: str) -> None:
    """Merge the last company into the first: once both are settled."""
    with transaction(engine) as db:
        proposal = merger.propose(db, MAKER, absorbed, survivor, date(2026, 8, 1), "文号")
        approval.decide(db, proposal, "approved", CHECKER)


def build(engine: Engine, companies: int = 12, *, usage: bool = False) -> None:
    """Two months' files of three providers, two runs; companies reach their cap. usage: with a file of usage."""
    register(engine, companies)
    appropriate(engine, 2026, 100_000_000_000)
    for index, provider in enumerate(PROVIDERS):
        upload(engine, provider, 1000 * index, 40, companies, received_on="2026-07-06", bad=1)
    settled(engine, date(2026, 3, 31))
    if usage:
        metered(engine)
    for index, provider in enumerate(PROVIDERS):
        upload(engine, provider, 10_000 + 1000 * index, 25, companies, bad=2, net_fen=60_000_000, stranger=False)
    settled(engine, date(2026, 7, 31))
    disclosed(engine)
    merge(engine, f"91500000{companies:010d}", "915000000000000001")
