"""Acts, their seal and the second person: what must hold even if the program is wrong."""

import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from threading import Barrier
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text
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
from voucher import access, acts, approval, ledger, seal
from voucher.access import COMMANDS, ROLES, User
from voucher.database import run, transaction
from voucher.errors import Broken, Misused, Refused
from voucher.sealed import SEALED

OTHER = User("checker2", "checker", None)
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


def nothing(db: Connection, reference: str, actor: str = "maker1", kind: str = "note", request: object = "") -> int:
    """Do an act that writes nothing but itself; return its seal number."""
    with acts.act(db, kind, reference, actor, request) as act:
        pass
    return act.no


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


# the number


def test_acts_of_sixteen_threads_are_numbered_without_a_gap(db_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voucher.database.LOCK_TIMEOUT", "60s")
    with transaction(db_engine) as db:
        first = acts.cutoff(db) + 1
    barrier = Barrier(16)

    def work(thread: int) -> list[int]:
        barrier.wait()
        taken = []
        for place in range(8):
            taken.append(run(db_engine, lambda db, p=place: nothing(db, f"{thread}.{p}")))
            if place % 3 == 0:
                with transaction(db_engine) as db:
                    nothing(db, f"{thread}.{place}.undone")
                    db.rollback()
        return taken

    with ThreadPoolExecutor(16) as pool:
        numbers = [no for taken in pool.map(work, range(16)) for no in taken]
    assert sorted(numbers) == list(range(first, first + 128))
    rows = sorted(catalog(db_engine, "SELECT no, recorded_at, previous_no FROM seal"))
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)
    assert all(row[2] == (row[0] - 1 or None) for row in rows)


def test_an_act_without_a_seal_cannot_commit(db_engine: Engine) -> None:
    with pytest.raises(Broken, match="is not sealed"), transaction(db_engine) as db:
        db.execute(
            text(
                "INSERT INTO act (kind, reference, actor, effective_on, request_sha256)"
                " VALUES ('note', '1', 'maker1', '2026-08-15', sha256(''))"
            )
        )


def test_facts_of_an_act_that_is_sealed_already_change_its_digest(db_engine: Engine) -> None:
    with transaction(db_engine) as db:
        number = nothing(db, "1")
        act = db.execute(text("SELECT act_id FROM seal WHERE no = :no"), {"no": number}).scalar_one()
        before = seal.digest_body(db, act)
        db.execute(text("INSERT INTO party (uscc, act_id) VALUES (repeat('9', 18), :act)"), {"act": act})
        assert seal.digest_body(db, act) != before


def test_a_seal_cannot_be_set_out_of_turn(db_engine: Engine) -> None:
    statement = (
        "INSERT INTO seal SELECT :no, act_id, now(), 0, 0, sha256(''), sha256(''), sha256(''), sha256('') FROM opened"
    )
    opened = (
        "WITH opened AS (INSERT INTO act (kind, reference, actor, effective_on, request_sha256)"
        " VALUES ('note', '1', 'maker1', '2026-08-15', sha256('')) RETURNING act_id) "
    )
    columns = statement.replace("seal SELECT", "seal (no, act_id, recorded_at, accepted_before, accepted, body_sha256,"
                                " body_sm3, chain_sha256, chain_sm3) SELECT")  # fmt: skip
    with transaction(db_engine) as db:
        last = acts.cutoff(db)
    for number in (last, last + 2):
        with pytest.raises(DBAPIError, match=r"duplicate key|foreign key"), transaction(db_engine) as db:
            db.execute(text(opened + columns), {"no": number})


# idempotency


def test_the_same_act_again_gives_the_first_and_another_body_is_refused(db_engine: Engine) -> None:
    with transaction(db_engine) as db:
        number = nothing(db, "文号1", request={"a": 1, "b": [2]})
        with pytest.raises(acts.AlreadyDone) as caught:
            nothing(db, "文号1", request={"b": [2], "a": 1})
        with pytest.raises(Refused, match=f"reference_conflict.*第{number}号"):
            nothing(db, "文号1", request={"a": 2})
        assert nothing(db, "文号1", kind="other") == number + 1
        row = db.execute(text("SELECT no FROM seal WHERE act_id = :act"), {"act": caught.value.act_id}).one()
        assert row.no == number


def test_one_of_two_at_once_is_first(db_engine: Engine) -> None:
    barrier = Barrier(4)

    def work(_: int) -> str:
        barrier.wait()
        try:
            run(db_engine, lambda db: nothing(db, "同一件事"))
        except acts.AlreadyDone:
            return "again"
        return "first"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(work, range(4))) == ["again", "again", "again", "first"]


@pytest.mark.parametrize("reference", ["", "a|b", "a\nb", "a\x7fb"])
def test_a_reference_holds_no_bar_and_no_control_character(db_engine: Engine, reference: str) -> None:
    with pytest.raises(psycopg.Error, match="act_reference_check"), transaction(db_engine) as db:
        nothing(db, reference)


def test_an_act_is_somebodys(db_engine: Engine) -> None:
    with pytest.raises(DBAPIError, match="foreign key"), transaction(db_engine) as db:
        nothing(db, "1", actor="nobody")


# cutoff and as-of


def test_a_cutoff_is_the_last_seal_recorded_by_then(db_engine: Engine) -> None:
    with transaction(db_engine) as db:
        nothing(db, "1")
        last = acts.last(db)
    with transaction(db_engine) as db:
        assert acts.cutoff(db) == last["no"]
        assert acts.cutoff(db, last["recorded_at"].isoformat()) == last["no"]
        utc = last["recorded_at"].astimezone(UTC)
        assert acts.cutoff(db, utc.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")) == last["no"]
        before = datetime.fromtimestamp(utc.timestamp() - 0.000_1, UTC).isoformat()
        assert acts.cutoff(db, before) == last["no"] - 1
        assert acts.cutoff(db, "2000-01-01") == 0
        assert acts.cutoff(db, "2199-12-31") == last["no"]


def test_a_bare_day_means_its_end_in_shanghai(db_engine: Engine) -> None:
    with transaction(db_engine) as db:
        last = acts.last(db)
        day = last["recorded_at"].astimezone(acts.ZONE).date()
        assert acts.cutoff(db, day.isoformat()) == last["no"]
        moments = {"2026-08-15": "2026-08-15T15:59:59.999999Z", "2026-08-15T12:00:00": "2026-08-15T04:00:00Z"}
        for asked, meant in moments.items():
            assert acts.cutoff(db, asked) == acts.cutoff(db, meant)


def test_the_end_of_a_day_is_its_last_microsecond(db_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    with transaction(db_engine) as db:
        monkeypatch.setattr(acts, "one", lambda _db, _name, *, moment: asked.append(moment))
        acts.cutoff(db, "2026-08-15")
    assert asked == [datetime(2026, 8, 15, 15, 59, 59, 999_999, UTC)]


@pytest.mark.parametrize("moment", ["gestern", "2026-02-30", "2026-8-1", "15.8.2026", ""])
def test_a_moment_that_is_none_is_misuse(db_engine: Engine, moment: str) -> None:
    with transaction(db_engine) as db, pytest.raises(Misused, match="bad_time"):
        acts.cutoff(db, moment)


# the second person


def proposed(engine: Engine, reference: str = "渝财〔2026〕1号") -> int:
    return run(engine, lambda db: ledger.propose_appropriation(db, MAKER, 2026, 100, reference))


def decide(engine: Engine, proposal: int, verdict: str, user: User, **other: Any) -> dict[str, Any]:
    return run(engine, lambda db: approval.decide(db, proposal, verdict, user, **other))


def test_an_approval_is_an_act_of_its_own_that_owns_its_effect(db_engine: Engine) -> None:
    proposal = proposed(db_engine)
    assert decide(db_engine, proposal, "approved", CHECKER)["state"] == "approved"
    owner = (
        "SELECT a.kind, a.actor, d.proposal_act_id FROM transfer AS t INNER JOIN act AS a ON a.act_id = t.act_id"
        " INNER JOIN decision AS d ON d.act_id = t.act_id"
    )
    assert catalog(db_engine, owner) == {("decision", "checker1", proposal)}


def test_a_decision_is_final_and_the_same_one_again_is_the_first(db_engine: Engine) -> None:
    proposal = proposed(db_engine)
    first = decide(db_engine, proposal, "approved", CHECKER)
    count = catalog(db_engine, "SELECT count(*) FROM act")
    assert decide(db_engine, proposal, "approved", CHECKER)["state"] == first["state"]
    for verdict, user in (("approved", OTHER), ("rejected", CHECKER), ("withdrawn", MAKER)):
        with pytest.raises(Refused, match="decided"):
            decide(db_engine, proposal, verdict, user, why="改主意")
    assert catalog(db_engine, "SELECT count(*) FROM act") == count


def test_a_rejection_needs_a_why_and_leaves_it_on_record(db_engine: Engine) -> None:
    proposal = proposed(db_engine)
    for why in ("", "  "):
        with pytest.raises(Refused, match="why"):
            decide(db_engine, proposal, "rejected", CHECKER, why=why)
    decide(db_engine, proposal, "rejected", CHECKER, why="文号不符")
    assert catalog(db_engine, "SELECT verdict, why FROM decision") == {("rejected", "文号不符")}
    assert catalog(db_engine, "SELECT * FROM transfer") == set()


def test_only_the_maker_withdraws(db_engine: Engine) -> None:
    proposal = proposed(db_engine)
    with pytest.raises(Refused, match="second_person"):
        decide(db_engine, proposal, "withdrawn", User("maker2", "maker", None))
    assert decide(db_engine, proposal, "withdrawn", MAKER)["state"] == "withdrawn"


def test_what_waits_is_listed_until_it_is_decided(db_engine: Engine) -> None:
    first, second = proposed(db_engine, "一"), proposed(db_engine, "二")
    decide(db_engine, first, "approved", CHECKER)
    with transaction(db_engine) as db:
        assert [each.act_id for each in approval.pending(db)] == [second]
        assert approval.find(db, first).state == "approved"
        with pytest.raises(Refused, match="no_proposal"):
            approval.find(db, 10**9)


def test_an_approval_is_bound_to_what_was_seen(db_engine: Engine) -> None:
    proposal = proposed(db_engine)
    with transaction(db_engine) as db:
        digest = approval.find(db, proposal).digest
    wrong = "0" * 8 if digest[:8] != "0" * 8 else "1" * 8
    for seen in (wrong, digest[:7], ""):
        with pytest.raises(Refused, match="digest_differs"):
            decide(db_engine, proposal, "approved", CHECKER, digest=seen)
    assert decide(db_engine, proposal, "approved", CHECKER, digest=digest[:8].upper())["state"] == "approved"


def raw(db: Connection, proposal: int, verdict: str, decider: str, actor: str = "") -> None:
    """Decide by SQL alone, as a program gone wrong might."""
    with acts.act(db, "decision", str(proposal), actor or decider, verdict) as act:
        db.execute(
            text(
                "INSERT INTO decision (proposal_act_id, verdict, why, decided_by, act_id)"
                " VALUES (:proposal, :verdict, 'w', :decider, :act)"
            ),
            {"proposal": proposal, "verdict": verdict, "decider": decider, "act": act.act_id},
        )


@pytest.mark.parametrize(
    ("verdict", "decider", "actor"),
    [
        ("approved", "maker1", ""),
        ("approved", "maker2", ""),
        ("approved", "admin1", ""),
        ("approved", "auditor1", ""),
        ("approved", "system", ""),
        ("rejected", "maker2", ""),
        ("withdrawn", "maker2", ""),
        ("withdrawn", "checker1", ""),
        ("approved", "checker1", "maker1"),
    ],
)
def test_the_database_itself_wants_a_second_person(db_engine: Engine, verdict: str, decider: str, actor: str) -> None:
    proposal = proposed(db_engine)
    with pytest.raises(Refused, match="second_person"), transaction(db_engine) as db:
        raw(db, proposal, verdict, decider, actor)
    with transaction(db_engine) as db:
        raw(db, proposal, "approved", "checker1")


def test_who_drafted_does_not_approve_either(db_engine: Engine) -> None:
    """A proposal that a checker drafted and somebody else handed in."""
    with transaction(db_engine) as db, acts.act(db, "appropriation", "x", "maker1", "x") as act:
        approval.propose(db, act, "appropriation", "x", {"year": 2026, "amount_fen": 1}, MAKER, "checker1")
    with pytest.raises(Refused, match="second_person"):
        decide(db_engine, act.act_id, "approved", CHECKER)
    assert decide(db_engine, act.act_id, "approved", OTHER)["state"] == "approved"


# roles


def test_each_command_is_open_to_its_roles_and_to_no_other(db_engine: Engine) -> None:
    with transaction(db_engine) as db:
        access.add(db, "admin1", "provider1", "provider", "9" * 18)
        names = {role: f"{role}1" for role in ROLES}
        for command, open_to in COMMANDS.items():
            for role, name in names.items():
                if role in open_to:
                    assert access.require(db, name, command).name == name
                else:
                    with pytest.raises(Refused, match="not_allowed"):
                        access.require(db, name, command)
    assert COMMANDS["approve"] == COMMANDS["reject"] == {"checker"}
    assert not any("system" in open_to for open_to in COMMANDS.values())
    assert {command for command, open_to in COMMANDS.items() if "auditor" in open_to} == {"audit export", "flag decide"}


def test_an_acting_command_is_somebodys(db_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CVL_USER", raising=False)
    with transaction(db_engine) as db:
        with pytest.raises(Misused, match="who"):
            access.require(db, None, "import")
        for name in ("nobody", "system"):
            with pytest.raises(Refused, match="unknown_user"):
                access.require(db, name, "import")
        monkeypatch.setenv("CVL_USER", "maker1")
        assert access.require(db, None, "import").name == "maker1"


@pytest.mark.parametrize(
    ("name", "role", "code"),
    [
        *((name, "maker", None) for name in ("@x", "a|b", "a\nb", "", "x" * 65)),
        ("x", "system", None),
        ("x", "boss", None),
        ("x", "provider", None),
        ("x", "maker", "9" * 18),
    ],
)
def test_a_user_that_cannot_be_is_misuse(db_engine: Engine, name: str, role: str, code: str | None) -> None:
    with transaction(db_engine) as db, pytest.raises(Misused):
        access.add(db, "admin1", name, role, code)


def test_a_name_keeps_its_role(db_engine: Engine) -> None:
    with transaction(db_engine) as db:
        assert access.add(db, "admin1", "maker1", "maker").role == "maker"
    with pytest.raises(Refused, match="reference_conflict"), transaction(db_engine) as db:
        access.add(db, "admin1", "maker1", "checker")
    with pytest.raises(Refused, match="not_allowed"), transaction(db_engine) as db:
        access.add(db, "maker1", "new", "maker")


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
