"""Acts one after another: their numbers, what is done twice, and what a moment means."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from tests.postgres.test_acts import catalog
from voucher import acts, seal
from voucher.database import run, transaction
from voucher.errors import Broken, Misused, Refused


def nothing(db: Connection, reference: str, actor: str = "maker1", kind: str = "note", request: object = "") -> int:
    """Do an act that writes nothing but itself; return its seal number."""
    with acts.act(db, kind, reference, actor, request) as act:
        pass
    return act.no


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


@pytest.mark.parametrize("moment", ["gestern", "2026-02-30", "2026-13-1", "15.8.2026", "9999-12-31", ""])
def test_a_moment_that_is_none_is_misuse(db_engine: Engine, moment: str) -> None:
    with transaction(db_engine) as db, pytest.raises(Misused, match="bad_time"):
        acts.cutoff(db, moment)
