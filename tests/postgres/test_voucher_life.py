"""The life of a voucher: what may follow what, what becomes of the limit, and that both engines see it alike."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from console import companies, vouchers
from reconciliation import invariants
from settlement import lapse, merger
from settlement import run as runs
from settlement.facts import Facts, Invoice
from tests.cases.histories import invoice, red_of, usual
from tests.postgres import recorder
from tests.postgres.recorder import CHECKER, MAKER, number, record, uscc
from tests.postgres.witness import PROGRAMME, draft, lines_of, settle
from voucher import acts, approval, ledger, life
from voucher.database import transaction
from voucher.errors import Misused, Refused

MAY = date(2026, 5, 1), date(2026, 5, 31)
CAP = 100_000_000
AFTER = date(2027, 4, 1)


class Books:
    """A ledger that acts come into one after another, each in a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.facts = Facts()
        with transaction(engine) as db:
            recorder.appropriate(db, 2026, 10**10)
        self.add(usual())

    def add(self, news: Facts, *invoices: Invoice) -> None:
        """Record further facts."""
        before, more = self.facts, [*self.facts.invoices, *invoices]
        self.facts = replace(news if news.qualifications else before, invoices=more)
        with transaction(self.engine) as db:
            record(db, f"第{len(more)}", self.facts, before)

    def invoices(self, *invoices: Invoice) -> None:
        self.add(Facts(), *invoices)

    def settle(self) -> None:
        with transaction(self.engine) as db:
            settle(db)

    def drafted(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """Draft with both engines: number, granted, withheld of the lines; number and last reason of what is held."""
        with transaction(self.engine) as db:
            found = draft(db)
            lines = [(x["invoice_number"], x["granted_fen"], x["withheld_fen"]) for x in lines_of(db, found)]
            db.rollback()
        return lines, [(x["invoice_number"], x["reasons"][-1]["code"]) for x in found.held]

    def approved(self, propose: Callable[[Any], int]) -> dict[str, Any]:
        """Propose something and approve it."""
        with transaction(self.engine) as db:
            act = propose(db)
        with transaction(self.engine) as db:
            return approval.decide(db, act, "approved", CHECKER)

    def move(self, state: str, voucher: int = 0, why: str = "线索") -> None:
        self.approved(lambda db: life.propose_voucher(db, MAKER, voucher or self.voucher(), state, why))

    def freeze(self, state: str, company: int, why: str = "线索") -> None:
        self.approved(lambda db: life.propose_company(db, MAKER, uscc(company), state, why))

    def merge(self, absorbed: int, survivor: int, on: date = MAY[1], why: str = "登记机关文号") -> None:
        self.approved(lambda db: merger.propose(db, MAKER, uscc(absorbed), uscc(survivor), on, why))

    def voucher(self, company: int = 1) -> int:
        with transaction(self.engine) as db:
            found = db.execute(text("SELECT voucher_id FROM voucher WHERE company_id = :c"), {"c": company})
            return int(found.scalar_one())

    def limits(self, company: int = 1) -> tuple[int, ...]:
        """Return what is left, redeemed and lapsed of a company in 2026."""
        with transaction(self.engine) as db:
            found = {row["account"]: row["balance_fen"] for row in ledger.balances(db, acts.cutoff(db), "limit:")}
        kinds = ("voucher", "redeemed", "lapsed")
        return tuple(found.get(f"limit:{kind}:{PROGRAMME}:{uscc(company)}:2026", 0) for kind in kinds)

    def faults(self) -> list[Any]:
        """Run every check but the one that the recorder's uploads, all of one row, cannot pass."""
        with transaction(self.engine, "cvl_auditor") as db:
            return [found for found in invariants.check_all(db) if found.check != "upload_rows"]


@pytest.fixture
def books(db_engine: Engine) -> Books:
    return Books(db_engine)


def refused(code: str, work: Callable[[], object]) -> str:
    with pytest.raises((Refused, Misused)) as caught:
        work()
    assert caught.value.code == code
    return caught.value.message


def test_a_voucher_is_frozen_thawed_and_revoked_and_the_rest_of_its_limit_lapses(books: Books) -> None:
    books.invoices(invoice(1, 100_000_000, *MAY))
    books.settle()
    books.move("frozen")
    books.invoices(invoice(2, 100_000, *MAY))
    assert books.drafted() == ([], [(number("2"), "frozen")])
    assert "冻结" in refused("move_not_allowed", lambda: books.move("frozen", why="再次"))
    books.move("issued")
    assert books.drafted()[0] == [(number("2"), 20_000, 0)]
    books.move("revoked")
    assert books.limits() == (0, 20_000_000, 80_000_000)
    assert books.drafted() == ([(number("2"), 0, 20_000)], [])
    for state in ("frozen", "issued", "returned", "revoked"):
        refused("move_not_allowed", lambda state=state: books.move(state, why="再次"))  # type: ignore[misc]
    assert books.faults() == []


def test_the_database_refuses_a_move_that_is_not_in_the_table(books: Books) -> None:
    books.invoices(invoice(1, 1_000, *MAY))
    books.settle()
    move = text(
        "INSERT INTO move (noun, subject_id, step, from_state, to_state, act_id)"
        " SELECT 'voucher', subject_id, :step, :before, :after, act_id FROM move"
    )
    for step, before, after in ((2, "issued", "none"), (2, "frozen", "issued"), (3, "issued", "frozen")):
        with pytest.raises(DBAPIError, match="foreign key"), transaction(books.engine) as db:
            db.execute(move, {"step": step, "before": before, "after": after})


def test_a_voucher_given_back_keeps_what_was_granted(books: Books) -> None:
    books.invoices(invoice(1, 100_000, *MAY))
    books.settle()
    books.move("returned")
    assert books.limits() == (0, 20_000, CAP - 20_000)
    assert books.drafted() == ([], [])


def test_a_proposal_that_was_overtaken_is_stale_and_one_that_waits_blocks_another(books: Books) -> None:
    books.invoices(invoice(1, 1_000, *MAY))
    books.settle()
    voucher = books.voucher()

    def propose(state: str, why: str = "线索") -> int:
        with transaction(books.engine) as db:
            return life.propose_voucher(db, MAKER, voucher, state, why)

    first = propose("frozen")
    assert propose("frozen") == first
    assert str(first) in refused("proposal_pending", lambda: propose("revoked"))
    refused("why", lambda: propose("frozen", " "))
    with transaction(books.engine) as db:
        recorder.move_voucher(db, voucher, "frozen")
        recorder.move_voucher(db, voucher, "issued")
    with pytest.raises(Refused, match="stale"), transaction(books.engine) as db:
        approval.decide(db, first, "approved", CHECKER)


def test_a_frozen_company_is_held_before_it_has_a_voucher(books: Books) -> None:
    books.freeze("frozen", 1)
    refused("move_not_allowed", lambda: books.freeze("frozen", 1, "再次"))
    books.invoices(invoice(1, 1_000, *MAY), invoice(2, 1_000, *MAY, company=2))
    assert books.drafted() == ([(number("2"), 200, 0)], [(number("1"), "frozen")])
    books.freeze("active", 1)
    assert books.drafted() == ([(number("1"), 200, 0), (number("2"), 200, 0)], [])


def test_a_company_frozen_after_the_draft_makes_the_run_stale(books: Books) -> None:
    books.invoices(invoice(1, 1_000, *MAY))
    with transaction(books.engine) as db:
        run = draft(db).run
        assert run is not None
        runs.submit(db, MAKER, run.run_id)
    books.freeze("frozen", 1)
    with pytest.raises(Refused, match="stale"), transaction(books.engine) as db:
        runs.decide(db, CHECKER, run.run_id, "approved")


def expired(books: Books, on: date = AFTER) -> list[tuple[str, int, bool]]:
    with transaction(books.engine) as db:
        return [(each.company, each.left_fen, bool(each.waits_for)) for each in lapse.expire(db, MAKER, on)]


def test_limit_lapses_after_the_deadline_once_nothing_waits(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    books.invoices(invoice(1, 100_000, *MAY), invoice(2, 100_000, *MAY, company=2))
    books.settle()
    blue = invoice(3, 50_000, *MAY, company=2)
    books.invoices(blue)
    refused("day_ahead", lambda: expired(books))
    monkeypatch.setenv("CVL_TODAY", "2027-04-02")
    assert expired(books, date(2027, 3, 31)) == []
    waits = (uscc(2), CAP - 20_000, True)
    assert expired(books) == [(uscc(1), CAP - 20_000, False), waits]
    assert expired(books) == [waits]
    with transaction(books.engine) as db:  # what was drafted to find that out is gone
        assert db.execute(text("SELECT count(*) FROM draft_line")).scalar_one() == 0
    assert books.limits() == (0, 20_000, CAP - 20_000)
    with transaction(books.engine) as db:
        recorder.appropriate(db, 2027, 10**9, "2027年指标")
    books.settle()
    assert expired(books) == [(uscc(2), CAP - 30_000, False)]
    assert expired(books) == []
    books.invoices(red_of(blue, 4, 50_000))
    assert books.drafted()[0] == [(number("3"), -10_000, 0)]
    books.settle()
    assert books.limits(2) == (0, 20_000, CAP - 20_000)
    assert books.faults() == []


def test_an_invoice_held_at_the_door_keeps_the_limit_open(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVL_TODAY", "2027-04-02")
    books.invoices(invoice(1, 100_000, *MAY))
    with transaction(books.engine) as db:
        recorder.appropriate(db, 2027, 10**9, "2027年指标")
    books.settle()
    held = text(
        "INSERT INTO held_row (upload_id, sheet, row_no, digest, invoice_number, invoice_kind, waits_for, evidence,"
        " received_on, content) SELECT upload_id, '', :no, '', :number, 'blue', 'span', 'template', :received,"
        " jsonb_build_object('company_uscc', CAST(:company AS text)) FROM upload LIMIT 1"
    )
    with transaction(books.engine) as db, acts.act(db, "note", "x", MAKER.name, ""):
        late = {"no": 1, "number": number("8"), "received": date(2027, 4, 1), "company": uscc(1)}
        db.execute(held, late)
        db.execute(held, late | {"no": 2, "number": number("1")})
        db.execute(held, late | {"no": 3, "number": number("9"), "received": date(2027, 3, 31)})
    with transaction(books.engine) as db:
        assert [each.waits_for for each in lapse.expire(db, MAKER, AFTER)] == [(number("9"),)]


def test_the_whole_life_stands_on_one_screen_as_of_any_moment(books: Books) -> None:
    applied = vouchers.apply(books.engine, "maker1", 2026, uscc(1), 50_000, "SQ-1", None)
    assert applied.data["state"] == "proposed"
    books.approved(lambda _: int(applied.data["act"]))
    books.invoices(invoice(1, 100_000, *MAY))
    books.settle()
    books.move("frozen")
    with transaction(books.engine) as db:
        life.propose_company(db, MAKER, uscc(1), "frozen", "核查")
        before = str(db.execute(text("SELECT recorded_at FROM seal ORDER BY no DESC OFFSET 4 LIMIT 1")).scalar_one())
    voucher = books.voucher()
    shown = vouchers.show(books.engine, voucher, None)
    assert [(e["what"], e["amount"], e["proposed_by"]) for e in shown.data["events"]] == [
        ("voucher:none:issued", None, "maker1"),
        ("limit:authority:voucher", "500.00", "maker1"),
        ("limit:voucher:redeemed", "200.00", "maker1"),
        ("voucher:issued:frozen", None, "maker1"),
    ]
    assert (shown.data["state"], shown.data["use"], shown.data["left"]) == ("frozen", "partly_redeemed", "300.00")
    uses = {
        life.use({"granted_fen": granted, "left_fen": 0, "lapsed_fen": lapsed}) for granted, lapsed in [(0, 1), (1, 1)]
    }
    assert uses == {"unused", "partly_redeemed"}  # what lapsed was not used
    screen = "\n".join(shown.text)
    for words in ("申请 SQ-1", "maker1 提交，checker1 复核", "线索", "待复核：事项", "200.00"):
        assert words in screen
    then = vouchers.show(books.engine, voucher, before).data
    assert (then["state"], then["left"], len(then["events"]), then["pending"]) == ("issued", "500.00", 2, [])
    listed = vouchers.show_all(books.engine, None, None, before).data["vouchers"]
    assert [(each["state"], each["use"], each["granted"]) for each in listed] == [("issued", "unused", "0.00")]
    refused("no_voucher", lambda: vouchers.show(books.engine, voucher, "2020-01-01"))


def test_the_doors_name_what_is_wrong(books: Books) -> None:
    refused("no_voucher", lambda: vouchers.freeze(books.engine, "maker1", 9, "线索"))
    refused("unknown_company", lambda: companies.freeze(books.engine, "maker1", uscc(8), "线索"))
    refused("day_ahead", lambda: companies.merge(books.engine, "maker1", uscc(1), uscc(2), date(2027, 1, 1), "x"))
    refused("not_allowed", lambda: vouchers.expire(books.engine, "checker1", AFTER, None))
    refused("no_programme", lambda: vouchers.expire(books.engine, "maker1", MAY[0], "x"))
