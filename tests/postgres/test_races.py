"""Two at once: whoever comes first, nothing is lost, nothing counts twice, and nobody gets a fen above the cap."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event, local
from typing import Any

import pytest
from sqlalchemy import Engine, text

from importers import originals
from importers.outcome import Outcome
from importers.receive import Received
from reconciliation.invariants import check_all
from settlement import run as runs
from settlement.verify import verify
from tests.postgres import recorder
from tests.postgres.desk import Cells, Desk, companies, counts, csv_bytes, line, providers, real, statuses
from tests.postgres.witness import END
from voucher.access import User
from voucher.database import run, transaction
from voucher.errors import Busy, Refused

CAP = 100_000_000
UPLOADS, CONNECTIONS = int(os.environ.get("CVL_TEST_UPLOADS", "64")), 16
"""A thousand uploads take a minute and a half; these are enough to meet the cap."""


@pytest.fixture
def desk(db_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    home = tmp_path / "home"
    monkeypatch.setenv("CVL_HOME", str(home))
    made = Desk(db_engine, home)
    made.register(companies("C", "D"))
    made.register(providers("P", "Q"))
    return made


def sound(desk: Desk) -> None:
    """Let the books and the seal be checked by all checks there are."""
    with transaction(desk.engine, "cvl_auditor") as db:
        assert check_all(db) == []


class Turns:
    """Let a first import go on until everything is written and only its seal is missing, then a second one start."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk = desk
        self.pool = ThreadPoolExecutor(4)
        self.arrived, self.go = Event(), Event()
        self.mine = local()
        real_keep = originals.keep

        def keep(files: Sequence[Received]) -> None:
            real_keep(files)
            if getattr(self.mine, "first", False):
                self.arrived.set()
                assert self.go.wait(30)
                if self.fails:
                    raise ZeroDivisionError

        monkeypatch.setattr(originals, "keep", keep)

    def play(
        self, first: Callable[[], Outcome], second: Callable[[], Outcome], *, waits: bool, fails: bool = False
    ) -> tuple[Future[Outcome], Future[Outcome]]:
        """Start both; the first goes on when the second waits for it, or when the second is done."""
        self.fails = fails

        def leading() -> Outcome:
            self.mine.first = True
            return first()

        one = self.pool.submit(leading)
        assert self.arrived.wait(30), one.exception()
        two = self.pool.submit(second)
        try:
            while not two.done() and not (waits and self.someone_waits()):
                pass
            assert two.done() != waits, two.exception() if two.done() else ""
        finally:
            self.go.set()
        self.pool.shutdown()
        return one, two

    def someone_waits(self) -> bool:
        (row,) = self.desk.rows(
            "SELECT count(*) FROM pg_locks AS l INNER JOIN pg_stat_activity AS a ON a.pid = l.pid"
            " WHERE NOT l.granted AND a.datname = current_database()"
        )
        return bool(row[0])


@pytest.fixture
def turns(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Turns:
    return Turns(desk, monkeypatch)


def importing(desk: Desk, name: str, *rows: dict[str, Any]) -> Callable[[], Outcome]:
    path = desk.file(list(rows), name)
    return lambda: desk.take(path)


def test_the_same_file_twice_at_once_is_one_upload(desk: Desk, turns: Turns) -> None:
    rows = [line("a"), line("b")]
    one, two = turns.play(importing(desk, "1.csv", *rows), importing(desk, "2.csv", *rows), waits=True)
    assert (one.result().fresh, two.result().fresh) == (True, False)
    assert one.result().upload_id == two.result().upload_id
    assert desk.rows("SELECT count(*) FROM upload") == [(1,)]
    assert desk.accepted() == [(real("a"), 1), (real("b"), 2)]


def test_the_same_file_is_taken_by_the_second_when_the_first_fails(desk: Desk, turns: Turns) -> None:
    rows = [line("a"), line("b")]
    one, two = turns.play(importing(desk, "1.csv", *rows), importing(desk, "2.csv", *rows), waits=True, fails=True)
    assert isinstance(one.exception(), ZeroDivisionError)
    assert two.result().fresh
    assert desk.accepted() == [(real("a"), 1), (real("b"), 2)]
    sound(desk)


@pytest.mark.parametrize(("net", "ends"), [("1000.00", "duplicate"), ("1000.01", "conflict")])
def test_one_number_in_two_files_at_once_is_one_invoice(desk: Desk, turns: Turns, net: str, ends: str) -> None:
    one, two = turns.play(
        importing(desk, "1.csv", line("x"), line("a")), importing(desk, "2.csv", line("a", net), line("y")), waits=True
    )
    assert counts(one.result()) == {"accepted": 2}
    assert statuses(two.result()) == {real("a"): ends, real("y"): "accepted"}
    assert [number for number, _ in desk.accepted()] == [real(s) for s in "xay"]
    assert [no for _, no in desk.accepted()] == [1, 2, 3]
    sound(desk)


def test_files_with_nothing_in_common_do_not_wait_for_each_other(desk: Desk, turns: Turns) -> None:
    one, two = turns.play(
        importing(desk, "1.csv", line("a")), importing(desk, "2.csv", line("b", buyer="D")), waits=False
    )
    assert counts(one.result()) == counts(two.result()) == {"accepted": 1}
    assert desk.accepted() == [(real("b"), 1), (real("a"), 2)]


def test_a_red_letter_on_its_way_is_seen_by_its_blue(desk: Desk, turns: Turns) -> None:
    one, two = turns.play(
        importing(desk, "红.csv", line("r", "-1.00", red_of="a")), importing(desk, "蓝.csv", line("a")), waits=True
    )
    assert counts(one.result()) == {"held": 1}
    assert counts(two.result()) == {"accepted": 1}
    assert desk.accepted() == [(real("a"), 1), (real("r"), 2)]
    sound(desk)


def test_a_blue_on_its_way_is_seen_by_its_red_letter(desk: Desk, turns: Turns) -> None:
    one, two = turns.play(
        importing(desk, "蓝.csv", line("a")), importing(desk, "红.csv", line("r", "-1.00", red_of="a")), waits=True
    )
    assert counts(one.result()) == counts(two.result()) == {"accepted": 1}
    sound(desk)


def test_two_red_letters_on_their_way_do_not_pass_their_blue_together(desk: Desk, turns: Turns) -> None:
    desk.take([line("a", "100.00")])
    one, two = turns.play(
        importing(desk, "1.csv", line("r", "-60.00", red_of="a")),
        importing(desk, "2.csv", line("s", "-60.00", red_of="a")),
        waits=True,
    )
    assert (counts(one.result()), counts(two.result())) == ({"accepted": 1}, {"rejected": 1})
    sound(desk)


def test_a_held_red_letter_is_released_once_by_two_files_with_its_blue(desk: Desk, turns: Turns) -> None:
    desk.take([line("r", "-60.00", red_of="a")])
    one, two = turns.play(
        importing(desk, "1.csv", line("a", "100.00"), line("x")),
        importing(desk, "2.csv", line("a", "100.00")),
        waits=True,
    )
    assert counts(one.result()) == {"accepted": 2}
    assert (counts(two.result()), two.result().problems) == ({"duplicate": 1}, ())
    assert [number for number, _ in desk.accepted()] == [real("a"), real("x"), real("r")]
    sound(desk)


def test_a_file_that_waits_too_long_is_told_busy_and_changes_nothing(
    desk: Desk, turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voucher.database.LOCK_TIMEOUT", "50ms")
    one, two = turns.play(importing(desk, "1.csv", line("a")), importing(desk, "2.csv", line("a", "5.00")), waits=False)
    assert isinstance(two.exception(), Busy)
    assert counts(one.result()) == {"accepted": 1}
    assert len(desk.documents()) == 3
    sound(desk)


def test_two_registers_at_once_are_one_after_the_other(desk: Desk) -> None:
    barrier = Barrier(4)
    files = [desk.file(csv, f"{i}.csv") for i, csv in enumerate(_registers())]

    def work(path: Path) -> int:
        barrier.wait()
        return desk.register(path).exit_status

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(work, files)) == [0, 0, 0, 3]
    assert desk.rows("SELECT count(*) FROM bank_account") == [(1,)]
    assert desk.rows("SELECT count(*) FROM proposal WHERE kind = 'bank_account'") == [(1,)]
    sound(desk)


def _registers() -> list[bytes]:
    """Write four registers that name the same parties; two bring an account each for the same company."""
    first, second = companies("C", "E"), companies("C", "E")
    first[1][8], second[1][8] = "11112222", "33334444"
    return [csv_bytes(each) for each in (first, second, providers("P", "E"), companies("E", since="2026-01-01"))]


class Rush:
    """Many uploads over many connections for one company near its cap, while two people draft and approve."""

    def __init__(self, desk: Desk, uploads: int) -> None:
        self.desk = desk
        self.uploads = uploads
        self.barrier = Barrier(CONNECTIONS + 2)
        self.done = Event()
        self.refused: list[str] = []

    def play(self) -> list[Outcome]:
        with transaction(self.desk.engine) as db:
            recorder.appropriate(db, 2026, 10**12)
        self.desk.take([line("near", "4980000.00")], name="近.csv")
        self.settle("maker1", "checker1")
        files = [self.desk.file(self.rows(i), f"{i}.csv") for i in range(self.uploads)]
        with ThreadPoolExecutor(CONNECTIONS + 2) as pool:
            people = [pool.submit(self.settling, f"maker{i}", f"checker{3 - i}") for i in (1, 2)]
            shares = [files[i::CONNECTIONS] for i in range(CONNECTIONS)]
            outcomes = [outcome for taken in pool.map(self.uploading, shares) for outcome in taken]
            self.done.set()
            for person in people:
                person.result()
        while self.settle("maker1", "checker1"):
            pass
        return outcomes

    def rows(self, place: int) -> list[Cells]:
        """Write an upload: mostly one invoice of its own, now and then a known number, changed or not, or a red."""
        kind, mine = place % 10, f"u{place}"
        if kind in (7, 8):
            known = line(f"u{place - 2}", "500.00" if kind == 7 else "501.00", seller="PQ"[place % 2])
            return [known, line(mine, "500.00")]
        if kind == 9:
            return [line(mine, "500.00"), line(f"r{place}", "-100.00", red_of=mine)]
        return [line(mine, "500.00", seller="PQ"[place % 2])]

    def uploading(self, files: list[Path]) -> list[Outcome]:
        self.barrier.wait()
        return [self.desk.take(path) for path in files]

    def settling(self, maker: str, checker: str) -> None:
        self.barrier.wait()
        while not self.done.is_set():
            self.settle(maker, checker)

    def settle(self, maker: str, checker: str) -> bool:
        """Draft, submit and approve whatever there is; tell whether there was anything."""
        drafter, approver = User(maker, "maker", None), User(checker, "checker", None)
        try:
            drafted = run(self.desk.engine, lambda db: runs.draft(db, drafter, END)).run
            if drafted is None:
                return False
            run(self.desk.engine, lambda db: runs.submit(db, drafter, drafted.run_id))
            run(self.desk.engine, lambda db: runs.decide(db, approver, drafted.run_id, "approved"))
        except (Refused, Busy) as refusal:
            self.refused.append(refusal.code)
            return False
        return True


def test_c4_uploads_near_the_cap_never_pass_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case C4; CVL_TEST_UPLOADS=1000 is the thousand itself."""
    monkeypatch.setattr("voucher.database.LOCK_TIMEOUT", "60s")
    rush = Rush(desk, UPLOADS)
    outcomes = rush.play()
    assert len(outcomes) == UPLOADS
    assert all(outcome.upload_id and outcome.rows == sum(outcome.counts.values()) for outcome in outcomes)
    assert {name for outcome in outcomes for name in counts(outcome)} == {"accepted", "duplicate", "conflict"}
    assert desk.rows("SELECT count(*) FROM upload") == [(UPLOADS + 1,)]
    numbers = [no for _, no in desk.accepted()]
    assert numbers == list(range(1, len(numbers) + 1))
    (granted,) = desk.rows(
        "SELECT CAST(sum(l.granted_fen) AS bigint) FROM run_line AS l INNER JOIN run AS r USING (run_id)"
        " INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'"
    )
    assert granted == (CAP,)
    assert set(rush.refused) <= {"run_open", "no_run", "not_a_draft", "busy", "stale", "not_yours"}
    sound(desk)
    with transaction(desk.engine) as db:
        approved = [row[0] for row in db.execute(text("SELECT run_id FROM run ORDER BY run_id"))]
        assert all(verify(db, run_id) == [] for run_id in approved[-3:])
