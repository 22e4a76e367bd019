"""A draft of a policy tried on a year: both sides from zero, by hand where it can be, and not one row written."""

from datetime import date
from pathlib import Path
from typing import Any

import pypdf
import pytest
from sqlalchemy.exc import DBAPIError

from console import simulations, vouchers
from settlement import run as runs
from settlement.policy import BadPolicy
from settlement.simulate import Side
from tests.postgres import recorder
from tests.postgres.desk import CHECKER, MAKER, Desk, line
from tests.postgres.witness import END, SHIPPED, document
from voucher import approval, life
from voucher.database import transaction
from voucher.errors import Misused


def simulated(desk: Desk, year: int, file: Path | None = None, *settings: str, out: Path | None = None) -> Any:
    return simulations.simulate(desk.engine, file, settings, year, None, out).data


def test_a_file_that_starts_later_stands_in_place_of_all_documents(desk: Desk) -> None:
    desk.take([line("a", "620000.00", since="2025-12-01", until="2026-01-31")], received_on=date(2026, 2, 6))
    later = desk.file(document({"from": date(2025, 12, 31)}, id="draft.1", supersedes=SHIPPED), "草案.toml")
    before = desk.everything()
    found = simulated(desk, 2025, later)
    assert (found["now"]["granted"], found["then"]["granted"], found["difference"]) == (
        "14000.00",
        "2000.00",
        "-12000.00",
    )
    assert found["changes"] == [
        {"name": "年内有效期", "now": "2025-12-25至2025-12-31", "then": "2025-12-31至2025-12-31"}
    ]
    same = simulated(desk, 2026, later)
    assert same["changes"] == []
    gone = simulated(desk, 2027, desk.file(document({"until": date(2026, 12, 31)}, id="draft.1"), "草案.toml"))
    assert gone["changes"] == [{"name": "年内有效期", "now": "2027-01-01至2027-12-31", "then": "无"}]
    assert same["now"]["granted"] == same["then"]["granted"] == "62000.00"
    assert (same["gain"], same["lose"], found["lose"]) == (0, 0, 1)
    assert desk.everything() == before


def test_a_simulation_as_of_an_earlier_moment_knows_what_was_known_then(desk: Desk) -> None:
    desk.take([line("a", "1000000.00")])
    (moment,) = desk.rows("SELECT max(recorded_at) FROM seal")[0]
    desk.take([line("b", "500000.00")])
    now = simulated(desk, 2026, None, "rate_bp=2500")
    then = simulations.simulate(desk.engine, None, ["rate_bp=2500"], 2026, None, None, moment.isoformat()).data
    assert (now["now"]["granted"], now["then"]["granted"], now["as_of"]) == ("300000.00", "375000.00", None)
    assert (then["now"]["granted"], then["then"]["granted"]) == ("200000.00", "250000.00")
    assert int(then["cutoff"]) < int(now["cutoff"])


def test_both_sides_begin_at_zero_whatever_was_settled_or_frozen(desk: Desk) -> None:
    desk.take([line("a", "4000000.00"), line("b", "3000000.00", buyer="D", since="2026-03-01", until="2026-03-31")])
    with transaction(desk.engine) as db:
        recorder.appropriate(db, 2026, 150_000_000)
    fresh = simulated(desk, 2026, None, "rate_bp=3000", "annual_cap_fen=100000000")
    settle(desk)
    voucher = int(vouchers.show_all(desk.engine, None, None, None).data["vouchers"][0]["voucher"])
    with transaction(desk.engine) as db:
        act = life.propose_voucher(db, MAKER, voucher, "revoked", "线索")
    with transaction(desk.engine) as db:
        approval.decide(db, act, "approved", CHECKER)
    before = desk.everything()
    found = simulated(desk, 2026, None, "rate_bp=3000", "annual_cap_fen=100000000")
    assert desk.everything() == before
    assert {**found, "cutoff": ""} == {**fresh, "cutoff": ""}
    assert (found["now"]["granted"], found["now"]["withheld"]) == ("1400000.00", "0.00")
    assert (found["then"]["granted"], found["then"]["withheld"]) == ("1900000.00", "200000.00")
    assert [(each["now"], each["then"]) for each in found["companies"]] == [
        ("600000.00", "900000.00"),
        ("800000.00", "1000000.00"),
    ]
    assert (found["now"]["months"][2], found["now"]["months"][6]) == ("600000.00", "800000.00")
    assert (found["now"]["runs_out"], found["then"]["runs_out"]) == (None, 7)


def settle(desk: Desk) -> None:
    """Settle all that is there."""
    with transaction(desk.engine) as db:
        draft = runs.draft(db, MAKER, END).run
        assert draft is not None
        runs.submit(db, MAKER, draft.run_id)
        runs.decide(db, CHECKER, draft.run_id, "approved")


def test_what_cannot_be_tried_is_said(desk: Desk) -> None:
    for settings, code in ((("rate=1",), "bad_setting"), (("rate_bp",), "bad_setting")):
        with pytest.raises(Misused) as caught:
            simulated(desk, 2026, None, *settings)
        assert caught.value.code == code
    for setting in ("rate_bp=10001", "rate_bp=0.2", "overlap=never", "eligible_tax_codes=30x"):
        with pytest.raises(BadPolicy):
            simulated(desk, 2026, None, setting)
    with pytest.raises(BadPolicy):
        simulated(desk, 2026, desk.file(b"rate_bp = 1", "坏.toml"))
    with pytest.raises(Misused, match="bad_form"):
        simulated(desk, 2026, None, "rate_bp=1", out=desk.home / "图.xlsx")


def test_lists_and_words_can_be_set(desk: Desk) -> None:
    desk.take([line("a", "100.00"), line("b", "100.00", tax_code="1090511010000000000")])
    same = simulated(desk, 2026, None, "rate_bp=2000")
    assert (same["now"], same["changes"]) == (same["then"], [])
    with pytest.raises(Misused, match="nothing_changed"):
        simulated(desk, 2026)
    found = simulated(desk, 2026, None, "eligible_tax_codes=109", "issuance=application")
    assert found["changes"] == [
        {"name": "发券方式", "now": "自动发放", "then": "凭申请发放"},
        {"name": "支持的税收分类编码", "now": "3040201、3040202、3040203、3040204、3040205", "then": "109"},
    ]
    assert (found["now"]["granted"], found["then"]["granted"]) == ("20.00", "20.00")
    assert simulated(desk, 2026, None, "eligible_tax_codes=109,3040203")["then"]["granted"] == "40.00"
    recorded = document({"overlap": "joint_limit", "joint_limit_bp": 3000}, id="case.1", supersedes=SHIPPED)
    joint = desk.file(recorded, "合计.toml")
    assert simulated(desk, 2026, joint, "overlap=top_up")["then"]["granted"] == "20.00"


def test_the_role_of_a_simulation_cannot_write(desk: Desk) -> None:
    with pytest.raises(DBAPIError, match="permission denied"), transaction(desk.engine, "cvl_auditor") as db:
        recorder._insert(db, "party", [{"uscc": "91500000T000000001", "act_id": 1}])


def test_the_month_in_which_the_appropriation_runs_out() -> None:
    side = Side(months={3: 50, 7: 50})
    assert [side.runs_out(fen) for fen in (0, 49, 50, 99, 100)] == [3, 3, 7, 7, None]


def test_the_chart_is_the_same_each_time_and_in_each_form(desk: Desk, tmp_path: Path) -> None:
    desk.take([line("a", "100.00")])
    for form, begins in (("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        file = tmp_path / f"图.{form}"
        simulated(desk, 2026, None, "rate_bp=3000", out=file)
        first = file.read_bytes()
        assert first.startswith(begins)
        simulated(desk, 2026, None, "rate_bp=3000", out=file)
        assert file.read_bytes() == first
    (page,) = pypdf.PdfReader(tmp_path / "图.pdf").pages
    assert "2026年度政策模拟" in "".join(page.extract_text().split())
