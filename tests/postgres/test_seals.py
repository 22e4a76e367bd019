"""The chain of seals of a small ledger: a seal that was changed, made to fit or taken out is found."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text

from reconciliation import invariants
from tests.postgres.test_reconciliation import LAST_SEAL, tampered, value
from voucher import seal
from voucher.database import transaction


@pytest.fixture
def auditor(books: Engine) -> Iterator[Connection]:
    with transaction(books, "cvl_auditor") as db:
        yield db


SEAL_CHANGES = [
    "recorded_at = recorded_at + interval '1 microsecond'",
    "accepted_before = accepted_before + 1",
    "body_sha256 = sha256(body_sha256)",
    "body_sm3 = sha256(body_sm3)",
    "chain_sha256 = sha256(chain_sha256)",
    "chain_sm3 = sha256(chain_sm3)",
]


@pytest.mark.parametrize("change", SEAL_CHANGES)
@pytest.mark.parametrize("no", ["1", "9", LAST_SEAL])
def test_a_changed_seal_is_the_one_and_only_fault(books: Engine, change: str, no: str) -> None:
    with tampered(books, f"UPDATE seal SET {change} WHERE no = {no}") as db:
        failures = invariants.check_seal(db)
        assert {failure.act_no for failure in failures} == {value(db, f"SELECT {no}")}


def test_a_seal_made_to_fit_changed_facts_breaks_the_chain_behind_it(books: Engine) -> None:
    first = "(SELECT min(upload_id) FROM upload)"
    with tampered(books, f"UPDATE upload SET file_name = 'x' WHERE upload_id = {first}") as db:
        row = next(r for r in next(invariants._batches(db)) if r["kind"] == "upload")
        both = "encode(chain_sha256, 'hex') || encode(chain_sm3, 'hex')"
        before = value(db, f"SELECT {both} FROM seal WHERE no = {row['no'] - 1}")
        body = seal.digest_body(db, row["act_id"])
        chained = seal.chain(seal.Digests(before[:64], before[64:]), invariants._header(row, body))
        db.exec_driver_sql("SELECT set_config('role', 'cvl_owner', true)")
        db.execute(text(
            f"UPDATE seal SET body_sha256 = decode('{body.sha256}', 'hex'), body_sm3 = decode('{body.sm3}', 'hex'),"
            f" chain_sha256 = decode('{chained.sha256}', 'hex'), chain_sm3 = decode('{chained.sm3}', 'hex')"
            f" WHERE no = {row['no']}"
        ))  # fmt: skip
        failures = invariants.check_seal(db)
    assert [failure.act_no for failure in failures] == [row["no"] + 1]


def test_a_seal_taken_out_is_missed(books: Engine) -> None:
    unlink = "ALTER TABLE seal DROP CONSTRAINT seal_previous_no_fkey"
    with tampered(books, unlink, "DELETE FROM seal WHERE no = 6") as db:
        failures = invariants.check_seal(db)
    assert failures[0].act_no == 7
    assert "第6号至第6号封存缺失" in failures[0].detail


def test_small_acts_are_digested_together_as_they_are_one_by_one(
    auditor: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = auditor.execute(text("SELECT act_id FROM seal ORDER BY act_id")).scalars().all()
    alone = {act: seal.digest_body(auditor, act) for act in ids}
    assert seal.digest_range(auditor, ids[0], ids[-1]) == alone
    monkeypatch.setattr(seal, "_LINES", 3)
    assert seal.digest_range(auditor, ids[0], ids[-1]) == alone
    for batch, big, rows in ((1, 0, 1), (3, 40, 50), (100, 1000, 1), (4, 10, 10_000)):
        monkeypatch.setattr(invariants, "_BATCH", batch)
        monkeypatch.setattr(invariants, "_BIG", big)
        monkeypatch.setattr(invariants, "_ROWS", rows)
        assert invariants.check_seal(auditor) == []
