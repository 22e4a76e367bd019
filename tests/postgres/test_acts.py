"""Facts and their seal: what must hold even if the program is wrong, or the owner changes what was written."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, date
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from importers import mapping, resolve
from importers.guess import NAMES
from reconciliation import disclosure
from settlement import merger, refusal
from settlement import run as runs
from tests.cases import sheets
from tests.cases.steps import ContractRow
from tests.postgres import recorder, small_ledger
from tests.postgres.conftest import TODAY, Clone
from tests.postgres.desk import CHECKER, MAKER, Desk, bill_of, companies, line, providers
from tests.postgres.witness import END, PROGRAMME
from tests.samples.xml import xml
from voucher import acts, approval, seal
from voucher.database import run, transaction
from voucher.errors import Broken
from voucher.sealed import SEALED

NEVER_SEALED = {"seal", "invoice_number"}
"""Append-only tables that are not in any body: the chain itself, and the register that the invoices repeat."""
NO_FACTS = {"access_event", "decision_answer"}
"""Append-only tables that say nothing of the ledger: who came to its doors, and what a decider was told."""
NOT_IN_THE_BODY = {
    ("account", "balance_fen"), ("bank_account", "account_no"), ("document", "pack"), ("invoice_line", "company_id"),
}  # fmt: skip
"""Columns that are not sealed: a sum of transfers, a secret, where bytes lie, and what the join pins that finds a
line's act."""


@pytest.fixture(scope="module")
def full(clone: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Give a ledger with at least one row in every sealed table; its tests only look, or are refused."""
    engine = clone()
    home = tmp_path_factory.mktemp("full") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVL_HOME", str(home))
        patch.setenv("CVL_TODAY", TODAY)
        fill(Desk(engine, home))
        yield engine


def fill(desk: Desk) -> None:
    """Walk once from the registers to an approved run."""
    one = companies("C", "D", "E")
    one[1][6:] = ["户名", "重庆银行", "6222000011112222", "313653000013"]
    desk.register(one)
    desk.register(providers("P"))
    c, p = line("a")["用方统一社会信用代码"], line("a")["供方统一社会信用代码"]
    desk.register(
        [
            ["供方统一社会信用代码", "用方统一社会信用代码", "关系", "比例", "起", "止"],
            [p, c, "持股", "1", "2026-01-01", ""],
        ]
    )
    desk.register([["发票号码", "政策名称", "已获补贴金额", "放弃"], [line("b")["发票号码"], "市级", "1.00", "是"]])
    desk.register([["发票号码", "付款日期", "流水号", "金额"], [line("b")["发票号码"], "2026-08-01", "LS", "1.00"]])
    desk.register([["发票号码", "查验日期", "查验结果", "查验人"], [line("b")["发票号码"], "2026-08-01", "一致", "甲"]])
    desk.take([line("a"), line("a", "5.00"), line("b"), line("c", buyer="X"), line("r", "-1.00", red_of="z")])
    desk.take([line("e", buyer="E")])
    with transaction(desk.engine) as db:
        recorder.appropriate(db, 2026, 10**9)
    desk.take(xml(bill_of(line("b"))), name="b.xml")
    own = mapping.Profile({name: name for name in NAMES}, {})
    run(desk.engine, lambda db: mapping.save(db, MAKER, "", NAMES, own))
    (digest,) = desk.rows("SELECT encode(sha256, 'hex') FROM evidence")[0]
    kept = run(desk.engine, lambda db: resolve.propose(db, MAKER, line("b")["发票号码"], digest, "核对原件"))
    run(desk.engine, lambda db: approval.decide(db, kept, "approved", CHECKER))
    small_ledger.metered(desk.engine)
    draft = run(desk.engine, lambda db: runs.draft(db, MAKER, END)).run
    assert draft is not None
    run(desk.engine, lambda db: runs.submit(db, MAKER, draft.run_id))
    run(desk.engine, lambda db: runs.decide(db, CHECKER, draft.run_id, "approved"))
    run(desk.engine, lambda db: disclosure.disclose(db, MAKER, draft.run_id, None))
    run(desk.engine, lambda db: disclosure.object_to(db, MAKER, draft.run_id, line("a")["发票号码"], "存疑"))
    with transaction(desk.engine) as db, acts.act(db, "recovery_notice", "告知1", "maker1", "") as act:
        recorder.notice(db, act.act_id)
    small_ledger.pay(desk.engine, draft.run_id)
    merged = run(desk.engine, lambda db: merger.propose(db, MAKER, of("E"), of("D"), date(2026, 8, 1), "文号"))
    run(desk.engine, lambda db: approval.decide(db, merged, "approved", CHECKER))
    desk.register(sheets.contracts([ContractRow("P", "C", 1, date(2027, 1, 1), None)]))
    act_id = run(
        desk.engine,
        lambda db: refusal.propose(db, MAKER, PROGRAMME, line("b")["发票号码"], 2026, why="查实", lift=False),
    )
    run(desk.engine, lambda db: approval.decide(db, act_id, "approved", CHECKER))


def of(symbol: str) -> str:
    """Return a company's code."""
    return str(line("a", buyer=symbol)["用方统一社会信用代码"])


# append-only


def statements(table: str, column: str) -> dict[str, str]:
    return {
        "UPDATE": f"UPDATE {table} SET {column} = {column}",
        "UPDATE no row": f"UPDATE {table} SET {column} = {column} WHERE FALSE",
        "DELETE": f"DELETE FROM {table}",
        "TRUNCATE": f"TRUNCATE {table} CASCADE",
    }


@pytest.mark.parametrize("role", ["cvl_app", "cvl_owner"])
@pytest.mark.parametrize("table", [*(sealed.table for sealed in SEALED), *sorted(NEVER_SEALED)])
def test_no_fact_is_ever_changed_or_deleted(full: Engine, table: str, role: Any) -> None:
    with transaction(full, role) as db:
        assert db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() > 0
    columns = next((sealed.columns.split() for sealed in SEALED if sealed.table == table), None)
    column = columns[-1] if columns else {"seal": "accepted", "invoice_number": "number"}[table]
    for what, statement in statements(table, column).items():
        with pytest.raises((Broken, DBAPIError)) as caught, transaction(full, role) as db:
            db.execute(text(statement))
        words = str(caught.value)
        owner = f"{table} is append-only: {what.split()[0]} refused"
        cascade = "TRUNCATE" in what and "append-only: TRUNCATE refused" in words
        assert owner in words or cascade or (role == "cvl_app" and "permission denied" in words), (what, words)


@pytest.mark.parametrize("role", ["cvl_auditor"])
def test_an_auditor_writes_nothing(full: Engine, role: Any) -> None:
    tables = [sealed.table for sealed in SEALED] + ["account", "open_run", "draft_line", "seal"]
    for table in tables:
        with pytest.raises(DBAPIError, match="permission denied"), transaction(full, role) as db:
            db.execute(text(f"INSERT INTO {table} DEFAULT VALUES"))


def test_the_app_may_not_touch_the_triggers(full: Engine) -> None:
    for statement in (
        "ALTER TABLE transfer DISABLE TRIGGER ALL",
        "DROP TRIGGER append_only ON transfer",
        "ALTER TABLE account DROP CONSTRAINT floor",
        "UPDATE account SET name = name",
        "DELETE FROM account",
        "SET session_replication_role = replica",
        "INSERT INTO allowed_move VALUES ('voucher', 'revoked', 'issued')",
    ):
        with pytest.raises(DBAPIError, match=r"must be owner|permission denied"), transaction(full) as db:
            db.execute(text(statement))


# the list of sealed tables against the catalog


def catalog(engine: Engine, statement: str) -> set[tuple[Any, ...]]:
    with transaction(engine, "cvl_auditor") as db:
        return {tuple(row) for row in db.execute(text(statement))}


def test_every_append_only_table_is_sealed(full: Engine) -> None:
    found = catalog(
        full,
        "SELECT CAST(t.tgrelid AS regclass)\\:\\:text FROM pg_trigger AS t WHERE t.tgname = 'append_only'"
        " AND NOT t.tgisinternal AND t.tgenabled = 'O'",
    )
    assert {row[0] for row in found} == {sealed.table for sealed in SEALED} | NEVER_SEALED | NO_FACTS


def test_every_column_of_a_sealed_table_is_in_the_body(full: Engine) -> None:
    found = catalog(
        full,
        "SELECT c.table_name, c.column_name FROM information_schema.columns AS c"
        " WHERE c.table_schema = 'cvl' AND c.is_generated = 'NEVER'",
    )
    tables = {sealed.table for sealed in SEALED}
    told = {(sealed.table, column) for sealed in SEALED for column in sealed.columns.split()}
    assert {row for row in found if row[0] in tables} - told == NOT_IN_THE_BODY
    assert told <= found


def test_the_rows_of_a_body_are_sorted_by_a_key(full: Engine) -> None:
    """Rows sorted by less than a key could come in any order, and the digest with them."""
    indexes = catalog(
        full,
        "SELECT CAST(i.indrelid AS regclass)\\:\\:text, array_agg(a.attname\\:\\:text ORDER BY a.attname)\\:\\:text"
        " FROM pg_index AS i INNER JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)"
        " WHERE i.indisunique AND i.indpred IS NULL GROUP BY i.indexrelid, i.indrelid",
    )
    unique: dict[str, list[set[str]]] = {}
    for table, columns in indexes:
        unique.setdefault(table, []).append(set(columns.strip("{}").split(",")))
    own = {
        "run_line": {"run_id"},
        "upload_row": {"upload_id"},
        "upload_problem": {"upload_id"},
        "held_row": {"upload_id"},
        "held_usage": {"upload_id"},
        "bank_line": {"statement_id"},
    }
    for sealed in SEALED:
        sorted_by = set(sealed.key.split()) | own.get(sealed.table, {"act_id"})
        if sealed.table == "run_line":
            sorted_by.add("company_id")  # one act is one run, whose line numbers are unique
        assert any(key <= sorted_by for key in unique[sealed.table]), sealed.table


def test_a_line_that_changes_its_company_is_missed_by_the_seal(full: Engine) -> None:
    found = catalog(full, "SELECT DISTINCT act_id FROM invoice")
    with transaction(full, "cvl_owner") as db:
        (act,) = next(iter(found))
        before = seal.digest_body(db, act)
        db.execute(text("ALTER TABLE invoice_line DISABLE TRIGGER append_only"))
        db.execute(text("ALTER TABLE invoice_line DROP CONSTRAINT invoice_line_company_id_invoice_id_fkey"))
        db.execute(text("UPDATE invoice_line SET company_id = company_id + 1000"))
        assert seal.digest_body(db, act) != before
        db.rollback()


# the bytes

SETTINGS = (
    "SET LOCAL datestyle = 'German'",
    "SET LOCAL timezone = 'America/New_York'",
    "SET LOCAL bytea_output = 'escape'",
    "SET LOCAL extra_float_digits = -15",
    "SET LOCAL intervalstyle = 'sql_standard'",
    "SET LOCAL client_encoding = 'LATIN1'",
    "SET LOCAL lc_monetary = 'C'",
    "SET LOCAL array_nulls = off",
    "SET LOCAL enable_sort = off",
    "SET LOCAL enable_indexscan = off",
    "SET LOCAL work_mem = '64kB'",
)


def test_the_bytes_of_a_body_depend_on_no_setting(full: Engine) -> None:
    ids = sorted(row[0] for row in catalog(full, "SELECT act_id FROM act"))
    with transaction(full, "cvl_auditor") as db:
        plain = {act: b"".join(seal.body(db, act)) for act in ids}
    with transaction(full, "cvl_auditor") as db:
        for setting in SETTINGS:
            db.exec_driver_sql(setting)
        odd = {act: b"".join(seal.body(db, act)) for act in ids}
    assert odd == plain
    whole = b"".join(plain.values())
    assert all(f"@{sealed.table}\n".encode() in whole for sealed in SEALED)


@pytest.mark.parametrize("size", [1, 64, 1_000])
def test_the_bytes_of_a_body_do_not_depend_on_its_pieces(
    full: Engine, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    ids = sorted(row[0] for row in catalog(full, "SELECT act_id FROM act"))
    with transaction(full, "cvl_auditor") as db:
        whole = {act: list(seal.body(db, act)) for act in ids}
        monkeypatch.setattr(seal, "_CHUNK", size)
        pieces = {act: list(seal.body(db, act)) for act in ids}
    assert {act: b"".join(each) for act, each in pieces.items()} == {act: b"".join(each) for act, each in whole.items()}
    assert sum(map(len, pieces.values())) >= sum(map(len, whole.values()))
    assert all(each.endswith(b"\n") for act in ids for each in pieces[act])
    monkeypatch.setattr(seal, "_CHUNK", 20)
    short = [memoryview(b"a|1\n"), memoryview(b"b|2\n"), memoryview(b"c|3\n")]
    for many in range(4):
        told = b"".join(seal._joined(iter(short[:many]), b"@longer_than_a_line\n"))
        assert told == (b"@longer_than_a_line\n" + b"".join(short[:many]) if many else b"")


def test_the_bodies_of_many_acts_are_those_of_each(full: Engine) -> None:
    ids = sorted(row[0] for row in catalog(full, "SELECT act_id FROM act"))
    with transaction(full, "cvl_auditor") as db:
        each = {act: seal.digest_body(db, act) for act in ids}
        assert seal.digest_range(db, ids[0], ids[-1]) == each


def test_the_stored_digests_are_those_that_anyone_can_compute(full: Engine) -> None:
    """As with `sha256sum` and `openssl dgst -sm3` over the bytes that an audit bundle holds."""
    sm3 = "0" * 64
    sha256 = "0" * 64
    with transaction(full, "cvl_auditor") as db:
        rows = db.execute(
            text(
                "SELECT s.no, a.act_id, a.kind, a.reference, a.actor, a.effective_on, s.recorded_at, s.accepted_before,"
                " s.accepted, encode(s.body_sha256, 'hex') AS body_sha256, encode(s.body_sm3, 'hex') AS body_sm3,"
                " encode(s.chain_sha256, 'hex') AS chain_sha256, encode(s.chain_sm3, 'hex') AS chain_sm3"
                " FROM seal AS s INNER JOIN act AS a ON a.act_id = s.act_id ORDER BY s.no"
            )
        ).all()
        bodies = {row.act_id: b"".join(seal.body(db, row.act_id)) for row in rows}
    assert [row.no for row in rows] == list(range(1, len(rows) + 1))
    for row in rows:
        data = bodies[row.act_id]
        assert data.startswith(f"@act\n{row.act_id}|{row.kind}|".encode())
        assert row.body_sha256 == hashlib.sha256(data).hexdigest()
        assert row.body_sm3 == hashlib.new("sm3", data).hexdigest()
        moment = row.recorded_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        header = (
            f"{row.no}|{row.kind}|{row.reference}|{row.actor}|{row.effective_on}|{moment}|{row.accepted_before}"
            f"|{row.accepted}|{row.body_sha256}|{row.body_sm3}"
        )
        sha256 = hashlib.sha256(f"{sha256}\n{header}\n".encode()).hexdigest()
        sm3 = hashlib.new("sm3", f"{sm3}\n{header}\n".encode()).hexdigest()
        assert (row.chain_sha256, row.chain_sm3) == (sha256, sm3)


def test_sm3_is_the_one_of_the_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    first = seal.new_sm3()
    first.update(b"abc")

    def hidden(_name: str) -> None:
        raise ValueError

    monkeypatch.setattr(seal.hashlib, "new", hidden)
    second = seal.new_sm3()
    second.update(b"a")
    second.update(b"bc")
    assert first.hexdigest() == second.hexdigest() == expected


def test_large_bodies_are_digested_in_pieces_like_small_ones() -> None:
    digester, data = seal.Digester(), b"0123456789abcdef" * 200_000
    for at in range(0, len(data), 700_001):
        digester.update(data[at : at + 700_001])
    assert digester.digests() == seal.Digests(hashlib.sha256(data).hexdigest(), hashlib.new("sm3", data).hexdigest())


# what the owner does behind the triggers is found


def tampered(engine: Engine, statement: str) -> set[int]:
    """Change something as the owner, triggers off; return the seal numbers whose body no longer fits."""
    with transaction(engine, "cvl_owner") as db:
        table = re.split(r"\W+", statement)[2 if statement.startswith("DELETE") else 1]
        db.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        db.execute(text(statement))
        found = db.execute(
            text("SELECT no, act_id, encode(body_sha256, 'hex') AS a, encode(body_sm3, 'hex') AS b FROM seal")
        ).all()
        broken = {row.no for row in found if seal.digest_body(db, row.act_id) != seal.Digests(row.a, row.b)}
        db.rollback()
    return broken


def seal_of(engine: Engine, statement: str) -> int:
    (found,) = catalog(engine, f"SELECT min(s.no) FROM seal AS s WHERE s.act_id IN ({statement})")
    return int(found[0])


TAMPER: dict[str, tuple[str, str]] = {
    "a transfer": (
        "UPDATE transfer SET amount_fen = amount_fen + 1 WHERE run_id IS NOT NULL",
        "SELECT act_id FROM transfer WHERE run_id IS NOT NULL",
    ),
    "an invoice": ("UPDATE invoice SET issued_on = issued_on + 1", "SELECT act_id FROM invoice"),
    "a line of an invoice": ("UPDATE invoice_line SET remark = 'x'", "SELECT act_id FROM invoice"),
    "the cells of a rejected row": ("UPDATE upload_row SET cells = cells || 'x'", "SELECT upload_id FROM upload_row"),
    "a line of a run": ("UPDATE run_line SET reasons = '[1]'", "SELECT act_id FROM run"),
    "whether a run is final": ("UPDATE run SET pro_rata = TRUE", "SELECT act_id FROM run"),
    "a qualification": ("UPDATE qualification SET basis = 'x'", "SELECT act_id FROM qualification"),
    "a hash of an account": (
        "UPDATE bank_account SET account_no = '1', account_last4 = '1',"
        " account_sha256 = sha256(account_salt || convert_to('1', 'UTF8'))",
        "SELECT act_id FROM bank_account",
    ),
    "who decided": ("UPDATE decision SET why = 'x'", "SELECT act_id FROM decision"),
}


@pytest.mark.parametrize("what", TAMPER)
def test_what_is_changed_behind_the_triggers_no_longer_fits_its_seal(full: Engine, what: str) -> None:
    statement, owners = TAMPER[what]
    assert min(tampered(full, statement)) == seal_of(full, owners)


def test_what_is_deleted_or_slipped_in_no_longer_fits_its_seal(full: Engine) -> None:
    assert tampered(full, "DELETE FROM upload_problem") != set()
    slipped = (
        "UPDATE listing SET row_no = row_no; INSERT INTO listing (provider_id, from_on, span, act_id, row_no)"
        " SELECT provider_id, from_on, span, act_id, row_no + 1 FROM listing"
    )
    assert tampered(full, slipped) == {seal_of(full, "SELECT act_id FROM listing")}
