"""One session of the database serves upload after upload: what one left behind is nothing to the next."""

import pytest
from sqlalchemy import Connection

from importers import accept, books, stage
from tests.postgres.desk import MAKER, Desk, counts, line, said
from voucher.database import driver, transaction
from voucher.errors import Refused

STAGES = "SELECT CAST(to_regclass('pg_temp.stage') AS bigint), (SELECT count(*) FROM pg_temp.stage)"


def staged(desk: Desk) -> tuple[int, int]:
    """Return which staging table the session has and its rows."""
    with transaction(desk.engine) as db:
        ((table, rows),) = driver(db).execute(STAGES)
    return table, rows


def test_an_upload_sees_nothing_of_those_before_it_in_its_session(desk: Desk) -> None:
    assert counts(desk.take([line("a"), line("b", buyer="X")])) == {"accepted": 1, "rejected": 1}
    table = staged(desk)
    assert table[1] == 0
    for _ in range(7):  # often enough for the session to keep its plans
        assert counts(desk.take([line("c"), line("c", "5.00"), line("d", since="", until="")], dry_run=True)) == {
            "accepted": 2, "held": 1,
        }  # fmt: skip
    assert desk.take([line("e", tax="1,2345.6")]).counts["rejected"] == 1
    assert staged(desk) == table
    last = desk.take([line("a"), line("c"), line("f", "3.00")])
    assert (last.rows, counts(last), said(last)) == (3, {"duplicate": 1, "accepted": 2}, [])


def test_what_a_large_import_left_behind_is_cleared_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.take([line("a")])
    table, _ = staged(desk)
    desk.take([line("b")], dry_run=True)
    assert staged(desk) == (table, 0)

    def stopped(_db: Connection, _upload_id: int) -> None:
        raise Refused("stopped", "")

    for least, same in ((1 << 20, True), (1, False)):
        with pytest.raises(Refused, match="stopped"):
            accept.import_file(
                desk.engine, desk.file([line("b")]), MAKER, accept.ask(MAKER, None, None, None), look=stopped
            )
        monkeypatch.setattr(stage, "_LEFT_BYTES", least)
        assert counts(desk.take([line("b")], dry_run=True)) == {"accepted": 1}
        assert (staged(desk)[0] == table) is same


@pytest.mark.parametrize("rows", [books._FEW, books._FEW + 1])
def test_only_small_uploads_use_the_plans_of_the_one_before(desk: Desk, rows: int) -> None:
    desk.engine.dispose()
    lines = [line(f"a{n}") for n in range(rows)]
    for _ in range(7):
        desk.take(lines, dry_run=True)
    with transaction(desk.engine) as db:
        assert driver(db).prepare_threshold is not None
        kept = driver(db).execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%INTO judged%'")
        assert kept.fetchone() == (int(rows <= books._FEW),)


def test_behind_an_old_pgbouncer_no_session_keeps_a_plan(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_PREPARE", "never")
    desk.engine.dispose()
    for _ in range(7):
        assert counts(desk.take([line("a")], dry_run=True)) == {"accepted": 1}
    with transaction(desk.engine) as db:
        assert driver(db).execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
