"""A second programme beside the first, written as a file only; and a document amended in the middle of a year."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from console import policies
from settlement import documents, explain, refusal
from settlement import run as runs
from settlement.policy import BadPolicy, check
from settlement.verify import verify
from tests.cases import sheets
from tests.cases.steps import PARTIES
from tests.postgres import recorder
from tests.postgres.desk import CHECKER, MAKER, Desk, line, providers, real
from tests.postgres.witness import PROGRAMME, SHIPPED, record_document
from voucher import acts, approval, issuance, life
from voucher.database import run, transaction
from voucher.errors import Misused

FILE = Path(__file__).parents[2] / "examples/policies/cq-2025-12-17.1.toml"
SECOND = "cq-2025-12-17"
HOTEL, VENUE, HARDWARE = "3070402000000000000", "3040304010000000000", "1090511010000000000"
END = date(2026, 12, 31)


@pytest.fixture
def desk(db_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Give a desk where both programmes are in force and company C is qualified for both."""
    monkeypatch.setenv("CVL_HOME", str(tmp_path / "home"))
    desk = Desk(db_engine, tmp_path / "home")
    assert policies.record_file(db_engine, "admin1", FILE).data["recorded"]
    assert not policies.record_file(db_engine, "admin1", FILE).data["recorded"]
    rows = [[PARTIES["C"].uscc, PARTIES["C"].name, word, "2025-01-01", "", "认定", "", "", "", ""]
            for word in ("智能体", "活动承办企业")]  # fmt: skip
    desk.register([sheets.COMPANIES.split(","), *rows])
    desk.register(providers("P"))
    with transaction(db_engine) as db:
        recorder.appropriate(db, 2026, 10**11)
    return desk


def drafted(desk: Desk, programme: str, *, approve: bool = False) -> dict[str, tuple[int, int]]:
    """Draft one programme, recompute it with the plain engine; give basis and granted by invoice."""
    with transaction(desk.engine) as db:
        found = runs.draft(db, MAKER, END, programme=programme)
        if found.run is None:
            return {}
        assert verify(db, found.run.run_id) == []
        lines = {x["invoice_number"]: (x["basis_fen"], x["granted_fen"]) for x in runs.lines(db, found.run)}
        if approve:
            runs.submit(db, MAKER, found.run.run_id)
            runs.decide(db, CHECKER, found.run.run_id, "approved")
        else:
            runs.decide(db, MAKER, found.run.run_id, "withdrawn")
    return lines


def parts(desk: Desk, symbol: str) -> list[Any]:
    with transaction(desk.engine, "cvl_auditor") as db:
        return list(explain.explain(db, real(symbol), acts.cutoff(db)).parts)


def test_each_line_belongs_to_one_programme_and_no_invoice_to_one_without_its_lines(desk: Desk) -> None:
    desk.take(
        [
            line("a", "1000.00"), line("a", "500.00", tax_code=HOTEL), line("a", "7.00", tax_code=HARDWARE),
            line("b", "100.00"), line("c", "300.00", tax_code=VENUE), line("d", "9.00", tax_code=HARDWARE),
        ]
    )  # fmt: skip
    first = {real("a"): (100_000, 20_000), real("b"): (10_000, 2_000)}
    second = {real("a"): (50_000, 25_000), real("c"): (30_000, 15_000)}
    assert drafted(desk, PROGRAMME) == first
    assert drafted(desk, SECOND) == second
    assert [part.programme for part in parts(desk, "a")] == [PROGRAMME, SECOND]
    assert [part.programme for part in parts(desk, "c")] == [SECOND]
    outside = parts(desk, "d")
    assert [[why.code for why in part.why] for part in outside] == [["tax_code_not_eligible"]] * 2
    assert drafted(desk, PROGRAMME, approve=True) == first
    assert drafted(desk, SECOND, approve=True) == second
    assert drafted(desk, PROGRAMME) == drafted(desk, SECOND) == {}
    faces = desk.rows("SELECT programme_id, face_fen FROM voucher ORDER BY programme_id")
    assert faces == [(PROGRAMME, 100_000_000), (SECOND, 200_000_000)]


def test_a_line_stays_with_the_programme_that_had_it_first_and_no_day_is_paid_twice(desk: Desk) -> None:
    since, until = "2026-01-01", "2026-02-28"
    desk.take([line("a", "5900.00", since=since, until=until), line("b", "2800.00", since="2026-02-01", until=until)])
    with transaction(desk.engine) as db:
        changes = {"from": date(2026, 2, 1), "rate_bp": 5000, "eligible_tax_codes": ["30402030"]}
        record_document(db, changes, id="later.1", programme="later")
    assert drafted(desk, PROGRAMME) == {real("a"): (590_000, 118_000)}
    assert drafted(desk, "later") == {real("b"): (280_000, 140_000)}


def test_when_the_first_programme_ends_one_other_has_the_line(desk: Desk) -> None:
    desk.take([line("a", "5900.00", since="2026-01-01", until="2026-02-28")])
    february = date(2026, 2, 1)
    with transaction(desk.engine) as db:
        first = {"from": date(2026, 1, 1), "until": date(2026, 1, 31), "eligible_tax_codes": ["30402030"]}
        record_document(db, first, id="first.1", programme="first")
        for name, prefix in (("next", "304020300"), ("other", "30402030")):
            record_document(db, {"from": february, "eligible_tax_codes": [prefix]}, id=f"{name}.1", programme=name)
    granted = {name: drafted(desk, name) for name in ("first", "next", "other", PROGRAMME)}
    assert granted == {
        "first": {real("a"): (310_000, 62_000)}, "next": {real("a"): (280_000, 56_000)}, "other": {}, PROGRAMME: {},
    }  # fmt: skip


def test_what_came_later_names_the_programme_it_is_about(desk: Desk) -> None:
    desk.take([line("a", "1000.00"), line("a", "500.00", tax_code=HOTEL)])
    for programme in (PROGRAMME, SECOND):
        assert drafted(desk, programme, approve=True)
    ((voucher,),) = desk.rows("SELECT voucher_id FROM voucher WHERE programme_id = :programme", programme=SECOND)
    with transaction(desk.engine) as db:
        frozen = life.propose_voucher(db, MAKER, voucher, "frozen", "核查")
        refused = refusal.propose(db, MAKER, SECOND, real("a"), 2026, why="查实", lift=False)
        for act in (frozen, refused):
            approval.decide(db, act, "approved", CHECKER)
    with transaction(desk.engine, "cvl_auditor") as db:
        later = [each.sentence for each in explain.explain(db, real("a"), acts.cutoff(db)).later]
    assert later == [
        f"2026年度的券（事项 {SECOND}）的状态变为“冻结”。", f"批准2026年度不予兑付（事项 {SECOND}）：查实。",
    ]  # fmt: skip


def test_what_a_second_person_approves_names_the_programme(desk: Desk) -> None:
    desk.take([line("a", "1000.00"), line("a", "500.00", tax_code=HOTEL)])
    with transaction(desk.engine) as db:
        for programme in (PROGRAMME, SECOND):
            issuance.propose_by_hand(db, MAKER, documents.terms(db, programme, 2026), PARTIES["C"].uscc, 100)
            refusal.propose(db, MAKER, programme, real("a"), None, why="查实", lift=False)
        told = [each.subject for each in approval.pending(db)]
    named = [PROGRAMME, PROGRAMME, SECOND, SECOND]
    assert [name for name, words in zip(named, told, strict=True) if f"（事项 {name}）" in words] == named


def test_each_programme_has_its_own_cap(desk: Desk) -> None:
    desk.take([line("a", "6000000.00"), line("a", "5000000.00", tax_code=HOTEL)])
    assert drafted(desk, PROGRAMME) == {real("a"): (600_000_000, 100_000_000)}
    assert drafted(desk, SECOND) == {real("a"): (500_000_000, 200_000_000)}


def test_a_command_about_two_programmes_asks_which(desk: Desk) -> None:
    with transaction(desk.engine) as db:
        with pytest.raises(Misused, match="which_programme"):
            runs.draft(db, MAKER, END)
        assert len(documents.recorded(db, acts.cutoff(db))) == 2


def test_a_document_amended_in_the_middle_of_a_year_counts_from_its_first_day(desk: Desk) -> None:
    changes = {
        "from": date(2026, 7, 1), "rate_bp": 3000, "annual_cap_fen": 25_000,
        "categories": '{ digital_twin = "数字孪生体" }',
    }  # fmt: skip
    desk.take([line("a", "620.00", since="2026-06-01", until="2026-07-31"), line("b", "3100.00")])
    with transaction(desk.engine) as db:
        record_document(db, changes, id="half.1", supersedes=SHIPPED)
    assert drafted(desk, PROGRAMME) == {real("a"): (30_491, 6_098)}
    rows = [[PARTIES["C"].uscc, PARTIES["C"].name, "数字孪生体", "2026-07-01", "", "认定", "", "", "", ""]]
    desk.register([sheets.COMPANIES.split(","), *rows], "又.csv")
    by_hand = (30_491 * 2000 + (62_000 - 30_491) * 3000) // 10_000
    assert drafted(desk, PROGRAMME) == {real("a"): (62_000, by_hand), real("b"): (310_000, 25_000 - by_hand)}


def test_two_documents_that_exclude_each_other_are_not_both_recorded_at_once(desk: Desk) -> None:
    with ThreadPoolExecutor(1) as pool:
        with transaction(desk.engine) as first:
            record_document(first, {"rate_bp": 2500}, id="first.1", supersedes=SHIPPED)
            second = pool.submit(
                run, desk.engine, lambda db: record_document(db, {"rate_bp": 3000}, id="second.1", supersedes=SHIPPED)
            )
            while not desk.rows("SELECT FROM pg_locks WHERE NOT granted"):
                assert not second.done()
        with pytest.raises(BadPolicy, match=r"second\.1"):
            second.result()
    with transaction(desk.engine, "cvl_auditor") as db:
        assert check(documents.recorded(db, acts.NOW)) == []
