"""The small ledger and, on it, a year through the real doors in which every report has something to tell.

C is paid and D's payment comes back; invoices of both are reversed afterwards, so that one owes and the other is cut;
the bank's statement leaves something over in every bucket of age; every red flag is raised and decided.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from importers import verification
from reconciliation import bank, disclosure, flags, payments, results
from settlement import recovery
from tests.postgres import small_ledger as small
from tests.postgres.desk import Cells, Desk, bill_of, companies, csv_bytes, line, providers
from tests.postgres.witness import SHIPPED, record_document
from tests.samples.xml import xml
from voucher import acts, approval, life
from voucher.database import run, transaction
from voucher.money import format_yuan

C, D, _ = (row[1] for row in companies("C", "D", "E")[1:])
VERDICTS = ("cleared", "confirmed", "watched")


def build(engine: Engine, folder: Path, look: Callable[[str], None] = lambda _: None) -> None:
    """Build it. folder: for the files that are handed in, and CVL_HOME. look: is shown it on the way, by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVL_HOME", str(folder / "home"))
        patch.setenv("CVL_TODAY", "2026-08-15")
        small.build(engine, 4)
        desk = Desk(engine, folder / "home")
        look("begun")
        _register(desk)
        _hand_in(desk)
        number = small.settled(engine, date(2026, 7, 31))
        run(engine, lambda db: disclosure.disclose(db, small.MAKER, number, None))
        patch.setenv("CVL_TODAY", "2026-08-24")
        _pay(desk, number, look)
        patch.setenv("CVL_TODAY", "2026-09-02")
        reds = [line("r", "-60000.00", red_of=_number(3)), line("s", "-94000.00", red_of=_number(12), buyer="D")]
        assert desk.take(reds, name="红字.csv").counts["accepted"] == 2
        small.settled(engine, date(2026, 8, 31))
        _owed(desk)
        _state(desk)
        _decide(engine)


def _number(place: int) -> str:
    return f"265000000000009001{place:02d}"


def _register(desk: Desk) -> None:
    """Register three companies; C and E name one account."""
    rows = companies("C", "D", "E")
    for row, account in zip(rows[1:], ("6222000011112222", "6222000033334444", "6222000011112222"), strict=True):
        row[6:] = [row[1], "合成银行重庆支行", account, "000000000001"]
    desk.register(rows, "企业.csv")
    desk.register(providers("P"), "服务商.csv")


def _hand_in(desk: Desk) -> None:
    """Hand in a round sum of December in time, then consecutive numbers, a jump, and sums just under a limit."""
    december = {"since": "2025-12-26", "until": "2025-12-31", "issued": "2025-12-31"}
    desk.take([line(_number(99), "100000.00", **december)], name="十二月.csv", received_on=date(2026, 3, 20))
    months = ((4, "30000.00"), (4, "30000.00"), (5, "30000.00"), (6, "250000.00"), (6, "250000.00"))
    mine: list[Cells] = [
        line(_number(place), net, since=f"2026-{month:02d}-01", until=f"2026-{month:02d}-28", issued="2026-07-01")
        for place, (month, net) in enumerate(months)
    ]
    under = [line(_number(10 + place), "94000.00", buyer="D") for place in range(0, 6, 2)]
    desk.take([*mine, *under], name="上半年.csv")


def _pay(desk: Desk, number: int, look: Callable[[str], None]) -> None:
    """Pay C, and let what was sent to D come back."""
    batch = run(desk.engine, lambda db: payments.propose(db, small.MAKER, number)).batch
    assert batch is not None
    look("proposed")
    run(desk.engine, lambda db: approval.decide(db, batch, "approved", small.CHECKER))
    told = []
    for paid in run(desk.engine, lambda db: payments.payments(db, batch)):
        back = paid["holder"] == D
        state = "退回,2026-08-24,LS-D,账号户名不符" if back else f"成功,2026-08-24,LS-{paid['payment_no']},"
        told.append(f"{paid['reference']},{format_yuan(paid['amount_fen'])},{state}")
    file = desk.file("\n".join([small.RESULT, *told]).encode(), "回执.csv")
    assert results.take(desk.engine, file, small.MAKER, None).problems == []


def _owed(desk: Desk) -> None:
    """Tell C what it owes, and let a part of that come back."""
    told = (small.MAKER, _number(3), date(2026, 9, 2), "函〔2026〕1号")
    run(desk.engine, lambda db: recovery.tell(db, *told))
    asked: tuple[Any, ...] = (small.MAKER, _number(3), 100_000, date(2026, 9, 2), "HK-1")
    proposal = run(desk.engine, lambda db: recovery.propose_return(db, *asked))
    run(desk.engine, lambda db: approval.decide(db, proposal, "approved", small.CHECKER))


def _state(desk: Desk) -> None:
    """Import a statement: what C was paid, and lines that are nobody's, one for each bucket of age."""
    paid = desk.rows("SELECT amount_fen FROM payment ORDER BY payment_id DESC LIMIT 2")
    rows = [small.STATEMENT.split(","), ["2026-08-26", format_yuan(paid[-1][0]), "", C, "1", "Y1", "算力券兑付"]]
    days = ("2026-05-04", "2026-07-10", "2026-08-20", "2026-09-01")
    rows += [[day, f"{place}.00", "", "某银行", "1", f"F{place}", "手续费"] for place, day in enumerate(days, 1)]
    assert bank.take(desk.engine, desk.file(csv_bytes(rows), "九月对账单.csv"), small.MAKER, None).problems == []


def _decide(engine: Engine) -> None:
    """Decide on one flag of each kind, by turns."""
    params = {"period_from": date(2026, 1, 1), "period_until": date(2027, 1, 1)}
    found = run(engine, lambda db: flags.find(db, "flags", params | {"cutoff": acts.cutoff(db)}), "cvl_auditor")
    first = {flag.name: flag for flag in reversed(found)}
    for place, (name, flag) in enumerate(sorted(first.items())):
        asked = (name, flag.subject, VERDICTS[place % 3], "已调阅合同与付款凭证核实")
        run(engine, lambda db, asked=asked: flags.decide(db, small.MAKER, params | {"cutoff": acts.cutoff(db)}, *asked))


def go_on(engine: Engine, folder: Path) -> None:
    """Let happen what no report's sample shows, but what must not be seen when an earlier moment is asked about."""
    desk = Desk(engine, folder / "home")
    same = [line(symbol, quantity="33.3", buyer=buyer) for symbol, buyer in (("t", "C"), ("u", "D"))]
    other = line(_number(4), "30001.00", since="2026-06-01", until="2026-06-28", issued="2026-07-01")
    counts = desk.take([*same, other], name="十月.csv").counts
    assert (counts["accepted"], counts["conflict"]) == (2, 1)
    first = line(_number(0), "30000.00", since="2026-04-01", until="2026-04-28", issued="2026-07-01")
    assert desk.take(xml(bill_of(first)), name="原件.xml").counts["duplicate"] == 1
    renamed = companies("C")
    renamed[1][1] = "重庆丙改名科技有限公司"
    desk.register(renamed, "改名.csv")
    with transaction(engine) as db:
        verification.record(db, small.MAKER, _number(0), "differs", date(2026, 9, 2), "复核处")
        last = int(db.execute(text("SELECT max(run_id) FROM run")).scalar_one())
        disclosure.disclose(db, small.MAKER, last, None)
        disclosure.release(db, small.MAKER, 1, f"{1:020d}", "已核实")
        voucher = int(db.execute(text("SELECT min(voucher_id) FROM voucher")).scalar_one())
        life.propose_voucher(db, small.MAKER, voucher, "frozen", "线索")
        record_document(db, {"rate_bp": 2500}, id="t.1", supersedes=SHIPPED)
