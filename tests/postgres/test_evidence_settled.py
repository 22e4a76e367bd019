"""Better evidence that arrives after acceptance or settlement is an adjustment, in both witnesses."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Connection

from console import invoices
from settlement import run as runs
from settlement.verify import verify
from tests.cases import sheets
from tests.cases.steps import PARTIES
from tests.postgres import recorder
from tests.postgres.desk import Desk, counts, line, real
from tests.postgres.recorder import CHECKER, MAKER
from tests.postgres.witness import END, PROGRAMME
from tests.samples.bill import Bill, Row
from tests.samples.xml import xml
from voucher.database import transaction

P, C = PARTIES["P"], PARTIES["C"]
HARDWARE = "1090511010000000000"
GPU = Row(item="智算算力服务", net="600.00", tax="36.00", quantity="1")
BILL = Bill(
    number=real("a"), seller=(P.uscc, P.name), buyer=(C.uscc, C.name), issued="2026-08-01", remark="",
    rows=(GPU, Row(item="服务器", net="400.00", tax="24.00", code=HARDWARE)),
)  # fmt: skip


@pytest.fixture
def desk(desk: Desk) -> Desk:
    with transaction(desk.engine) as db:
        recorder.appropriate(db, 2026, 10**10)
    return desk


def draft(db: Connection, through: date = END) -> runs.Draft:
    """Draft with the queries; the plain engine must find the same."""
    drafted = runs.draft(db, MAKER, through, backfill=False, programme=PROGRAMME)
    assert drafted.run is None or verify(db, drafted.run.run_id) == []
    return drafted


def lines_of(db: Connection, drafted: runs.Draft) -> list[dict[str, object]]:
    assert drafted.run is not None
    return runs.lines(db, drafted.run)


def settle(db: Connection) -> None:
    drafted = draft(db).run
    assert drafted is not None
    run = runs.submit(db, MAKER, drafted.run_id)
    runs.decide(db, CHECKER, run.run_id, "approved")


def test_the_lines_of_a_better_document_count_before_settlement(desk: Desk) -> None:
    assert counts(desk.take([line("a")])) == {"accepted": 1}
    assert counts(desk.take(xml(BILL), name="a.xml")) == {"duplicate": 2}
    with transaction(desk.engine) as db:
        (row,) = lines_of(db, draft(db))
    assert (row["basis_fen"], row["granted_fen"]) == (60_000, 12_000)


def test_a_better_document_after_settlement_recovers_what_was_too_much(desk: Desk) -> None:
    desk.take([line("a")])
    with transaction(desk.engine) as db:
        settle(db)
    desk.take(xml(BILL), name="a.xml")
    with transaction(desk.engine) as db:
        (row,) = lines_of(db, draft(db))
    assert (row["kind"], row["granted_fen"]) == ("recovery", -8_000)


def test_the_span_of_a_template_row_takes_the_place_of_a_remark(desk: Desk) -> None:
    remarked = Bill(**{**BILL.__dict__, "rows": (Row(net="1000.00", tax="60.00"),), "remark": "账期202606"})
    assert counts(desk.take(xml(remarked), name="a.xml")) == {"accepted": 1}
    assert counts(desk.take([line("a", since="2026-07-01", until="2026-07-31")])) == {"duplicate": 1}
    with transaction(desk.engine) as db:
        assert draft(db, date(2026, 6, 30)).run is None
    with transaction(desk.engine) as db:
        assert draft(db, date(2026, 7, 31)).run is not None


def test_payments_and_contract_of_a_template_count_in_whatever_order_it_comes(desk: Desk) -> None:
    whole = replace(BILL, rows=(replace(GPU, net="1000.00", tax="60.00"),), remark="账期202607")
    red = replace(whole, number=real("r"), red_of=real("a"), rows=(replace(GPU, net="-100.00", tax="-6.00"),))
    assert counts(desk.take(xml(whole), name="a.xml")) == {"accepted": 1}
    with transaction(desk.engine) as db:
        settle(db)
    later = (
        ([line("a", paid="530.00", contract="HT-9")], 50_000),
        (xml(red), 50_000 * 9 // 10 * 1060 // 954),
        ([line("r", "-100.00", red_of="a", paid="-53.00")], 45_000),
    )
    for papers, basis in later:
        desk.take(papers, name="later.xml")
        with transaction(desk.engine) as db:
            assert [row["basis_fen"] for row in lines_of(db, draft(db))] == [basis]
    contracts = [sheets.CONTRACTS.split(","), ["HT-9", P.uscc, C.uscc, "106.00", "2026-01-01", ""]]
    assert desk.register(contracts).exit_status == 0
    with transaction(desk.engine) as db:
        (row,) = lines_of(db, draft(db))
    assert (row["kind"], row["basis_fen"], row["granted_fen"]) == ("recovery", 10_000, -18_000)
    shown = invoices.show(desk.engine, real("a")).data
    assert (shown["paid"], shown["contract_no"]) == ("530.00", "HT-9")
