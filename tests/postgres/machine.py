"""Register, import, adjust, draft, approve, pay, recover and expire in any order, each as an act that is committed.

What must hold whatever the order is checked after each step; `test_any_order.py` says how long it is tried.
"""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import Connection, text

from reconciliation import disclosure, invariants, payments, results
from settlement import documents, engine, lapse, load, recovery
from settlement import run as runs
from settlement.facts import Facts
from settlement.policy import in_force
from settlement.worth import Registers, weigh
from tests.cases import histories
from tests.postgres import recorder, witness
from tests.postgres.machine_asks import ACCOUNT, CLOSED, GRANTED, LINES, NEGATIVE, STATES, TAKEN_EARLY
from tests.postgres.recorder import CHECKER, MAKER, PROGRAMME
from tests.postgres.shelf import Shelf
from tests.postgres.small_ledger import RESULT
from tests.postgres.witness import SHIPPED, lines_of, record_document, told_lines, told_rows
from voucher import approval, life
from voucher.database import transaction
from voucher.errors import Refused
from voucher.money import format_yuan

FIRST_DAY = date(2026, 4, 15)
LAST_DAY = date(2026, 11, 30)
"""The calendar of working days and the appropriation are those of 2026; the year 2025 can lapse in it."""
CAPS = st.sampled_from([100_000, 5_000_000, 100_000_000])
MONTHS = st.sampled_from([date(2025, 12, 31), date(2026, 6, 30), *[date(2028, 12, 31)] * 3])
MOVES = [
    *["import_invoices"] * 5, "register", *["adjust"] * 2, *["settle"] * 6, *["pay"] * 3, *["give_back"] * 2,
    "draft", "approve", "move", "appropriate", "expire", "wait",
]  # fmt: skip
MODES = st.sampled_from(["exclusive", "exclusive", "top_up"])
CHECKS = (
    "balances", "cap", "floors", "granted_once", "line_money", "lines_posted", "redeemed", "transfers_approved",
    "voucher_face",
)  # fmt: skip


class AnyOrder(RuleBasedStateMachine):
    """A ledger on a database as new. fresh: the open draft was made after everything there is."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__()
        self.shelf, self.shelved = shelf, shelf.take()
        self.engine = self.shelved.engine
        self.patch, self.home = pytest.MonkeyPatch(), tempfile.TemporaryDirectory()
        self.patch.setenv("CVL_HOME", str(Path(self.home.name) / "home"))
        self.day, self.acts, self.cap_fen, self.over_budget = FIRST_DAY, 0, 0, "refuse"
        self.facts = histories.usual()
        self.drafted: runs.Run | None = None
        self.fresh, self.backfill, self.through = False, False, FIRST_DAY
        self.approved: list[int] = []
        self.recovered = False

    def teardown(self) -> None:
        """Let all checks and the seal speak before the database goes back."""
        try:
            with self.write() as db:
                found = invariants.check_all(db)
            assert not found, found
        finally:
            self.patch.undo()
            self.home.cleanup()
            self.shelf.put_back(self.shelved)

    def write(self) -> Any:
        """Open a transaction on the machine's day."""
        self.patch.setenv("CVL_TODAY", self.day.isoformat())
        return transaction(self.engine)

    def stale(self) -> None:
        """Remember that something came after the open draft."""
        self.fresh = False

    @initialize(cap=CAPS, overlap=MODES, over=st.sampled_from(["refuse", "refuse", "pro_rata"]))
    def begin(self, cap: int, overlap: str, over: str) -> None:
        self.cap_fen, self.over_budget = cap, over
        with self.write() as db:
            changes = {"annual_cap_fen": cap, "overlap": overlap, "over_budget": over}
            record_document(db, changes, id="t.1", supersedes=SHIPPED)
            recorder.appropriate(db, 2026, 2_000_000 if over == "pro_rata" else 10**12)
            recorder.record(db, "usual", self.facts)
        with self.write() as db, recorder.acts.act(db, "accounts", "1", MAKER.name, 1) as act:
            db.execute(text(ACCOUNT), {"act": act.act_id, "companies": list(histories.COMPANIES)})

    @rule(what=st.sampled_from(MOVES), data=st.data())
    def do(self, what: str, data: st.DataObject) -> None:
        """Do the next thing. One rule for all: of many rules Hypothesis leaves some out of a history altogether."""
        getattr(self, what)(data)

    def take_in(self, *news: Facts) -> None:
        """Record facts as one act."""
        before, self.acts = self.facts, self.acts + 1
        self.facts = histories.joined(before, *news)
        with self.write() as db:
            recorder.record(db, f"act {self.acts}", self.facts, before)
        self.stale()

    def register(self, data: st.DataObject) -> None:
        self.take_in(data.draw(histories.registers(self.acts + 1)))

    def import_invoices(self, data: st.DataObject) -> None:
        self.take_in(data.draw(histories.invoices(self.facts)))

    def adjust(self, data: st.DataObject) -> None:
        """Bring subsidies, payments, verifications, refusals, contracts."""
        told = data.draw(histories.adjustments(self.acts + 1, histories.blues(self.facts)))
        self.take_in(replace(told, meterings=()))  # the recorder's files of usage have sums, but no lines to check

    def settle(self, data: st.DataObject) -> None:
        """Draft and approve with nothing in between."""
        self.draft(data)
        self.approve(data)

    def draft(self, data: st.DataObject) -> None:
        """Draft twice with both engines: the same bytes; what a company gets rests on its own facts alone."""
        through, backfill = data.draw(MONTHS, "through"), data.draw(st.booleans(), "backfill")
        self.through, self.backfill = through, backfill
        with self.write() as db:
            one = witness.draft(db, through, backfill=backfill)
        with self.write() as db:
            two = witness.draft(db, through, backfill=backfill)
            lines = lines_of(db, two)
            facts = load.facts_at(db, PROGRAMME, two.cutoff)
            policies = documents.recorded(db, two.cutoff)
        told = [(d.run and d.run.digest, told_rows(d.held), told_rows(d.backfill)) for d in (one, two)]
        assert told[0] == told[1]
        self.drafted, self.fresh = two.run, True
        if self.over_budget == "refuse":
            for company in histories.COMPANIES:
                alone = engine.draft(_of(facts, company), policies, PROGRAMME, through, backfill=backfill)
                own = [each for each in lines if each["company"] == recorder.uscc(company)]
                assert told_rows(own) == told_lines(alone.lines, facts)

    def approve(self, _: st.DataObject) -> None:
        """Submit and approve the open draft, or be refused for a reason there is."""
        run, self.drafted = self.drafted, None
        if run is None:
            return
        code = self.attempt(lambda db: runs.submit(db, MAKER, run.run_id))
        if code:
            assert code == "over_budget"
            self.attempt(lambda db: runs.decide(db, MAKER, run.run_id, "withdrawn"))
            return
        code = self.attempt(lambda db: runs.decide(db, CHECKER, run.run_id, "approved"))
        if code:
            assert (code, self.fresh) == ("stale", False)
            self.attempt(lambda db: runs.decide(db, CHECKER, run.run_id, "rejected", why="已过时"))
            return
        self.approved.append(run.run_id)
        event("approved, pro rata" if run.pro_rata else "approved")
        with self.write() as db:
            recovered = runs.totals(db, runs.find(db, run.run_id))["recovered"] > 0
            assert db.execute(text(TAKEN_EARLY), {"run": run.run_id}).all() == []
        if recovered:
            event("recovered")
            self.recovered = True
        if self.fresh:
            self._nothing_left()

    def attempt(self, work: Callable[[Connection], object]) -> str:
        """Do some work in a transaction; return the code it was refused with, empty when it was not."""
        try:
            with self.write() as db:
                work(db)
        except Refused as refusal:
            return refusal.code
        return ""

    def _nothing_left(self) -> None:
        """Check that a run with nothing after its draft leaves nothing to do, and no one more than is due."""
        with self.write() as db:
            assert witness.draft(db, self.through, backfill=self.backfill).run is None
            cutoff = recorder.acts.cutoff(db)
            facts, policies = load.facts_at(db, PROGRAMME, cutoff), in_force(documents.recorded(db, cutoff))
        registers = Registers(facts)
        granted: dict[tuple[int, int], int] = {}
        for row in facts.served:
            key = row.invoice_id, row.cap_year
            granted[key] = granted.get(key, 0) + row.granted_fen
        bills = {x.invoice_id: weigh(registers, policies, PROGRAMME, x) for x in facts.invoices if x.kind == "blue"}
        for (invoice, year), fen in granted.items():
            counted = bills[invoice].counted(year)
            computed = sum(each.amount_fen * each.document.rate_bp for each in counted if each.document) // 10_000
            assert 0 <= fen <= computed

    def move(self, data: st.DataObject) -> None:
        """Freeze, thaw or revoke a voucher or a company, by two people."""
        with self.write() as db:
            now = {(noun, subject): state for noun, subject, state in db.execute(text(STATES))}
            subjects = [*now, *(("company", x) for x in histories.COMPANIES if ("company", x) not in now)]
            noun, subject = data.draw(st.sampled_from(sorted(subjects)), "subject")
            following = {"issued": ["frozen", "revoked"], "frozen": ["issued" if noun == "voucher" else "active"]}
            states = following.get(now.get((noun, subject), "active"), ["frozen"] if noun == "company" else [])
            if not states:
                return
            state = data.draw(st.sampled_from(states), "state")
            if noun == "voucher":
                proposal = life.propose_voucher(db, MAKER, subject, state, "核查")
            else:
                proposal = life.propose_company(db, MAKER, recorder.uscc(subject), state, "核查")
            approval.decide(db, proposal, "approved", CHECKER)
        self.stale()

    def appropriate(self, data: st.DataObject) -> None:
        fen, self.acts = data.draw(st.sampled_from([7, 1_000, 2_000_000]), "fen"), self.acts + 1
        with self.write() as db:
            recorder.appropriate(db, 2026, fen, f"追加{self.acts}")
        self.stale()

    def pay(self, data: st.DataObject) -> None:
        """Disclose a run, wait, send what can be paid to the bank, and take in what the bank says of some of it."""
        if not self.approved:
            return
        with self.write() as db:
            run_id = data.draw(st.sampled_from(self.approved), "run")
            shown = disclosure.disclose(db, MAKER, run_id, None)
        self.stale()
        if not shown.over:
            self._wait(14)
        with self.write() as db:
            if not (shown := disclosure.disclose(db, MAKER, run_id, None)).over:
                return
            plain, facts = self._plain(db)
            batch = payments.propose(db, MAKER, run_id).batch
            self._payable(db, run_id, batch, plain, facts)
        if batch is not None:
            with self.write() as db:
                approval.decide(db, batch, "approved", CHECKER)
            self._hear(data, batch)

    def _plain(self, db: Connection) -> tuple[engine.Draft, Facts]:
        """Give what the plain engine would still do of all that is known, and the facts."""
        cutoff = recorder.acts.cutoff(db)
        facts = load.facts_at(db, PROGRAMME, cutoff)
        policies = documents.recorded(db, cutoff)
        return engine.draft(facts, policies, PROGRAMME, date(2199, 12, 31), backfill=False), facts

    def _payable(self, db: Connection, run_id: int, batch: int | None, plain: engine.Draft, facts: Facts) -> None:
        """Check a batch: nothing of a claim that is worth less than it was granted, disputed or frozen; all of the rest
        of which nothing was ever sent or taken back."""
        due = {(x.invoice_id, x.cap_year) for x in plain.lines if x.kind == "recovery"}
        due |= {(x.invoice_id, x.cap_year) for x in plain.held if "overlap_open" in {y.code for y in x.reasons}}
        frozen = {(x.company, year) for x in facts.standings if x.frozen for year in (2025, 2026, 2027, 2028)}
        frozen |= {(x.company, x.cap_year) for x in facts.vouchers if x.frozen}
        taken = {(x.invoice_id, x.cap_year) for x in facts.served if x.granted_fen < 0}
        for row in db.execute(text(LINES), {"run": run_id, "batch": batch or 0}):
            claim = row.invoice_id, row.cap_year
            clean = claim not in due and (row.company_id, row.cap_year) not in frozen
            assert row.fen == 0 or clean, row
            assert row.fen <= row.granted_fen - row.earlier_fen, row
            if clean and claim not in taken and row.earlier_fen == 0:
                assert row.fen == row.granted_fen, row

    def _hear(self, data: st.DataObject, batch: int) -> None:
        """Take in the bank's words, twice; the second time nothing is news."""
        with self.write() as db:
            sent = payments.payments(db, batch)
        rows = []
        for each in sent:
            word = data.draw(st.sampled_from(["成功", "成功", "退回", ""]), "bank")
            if word:
                amount, why = format_yuan(each["amount_fen"]), "户名不符" if word == "退回" else ""
                rows.append(f"{each['reference']},{amount},{word},{self.day},LS-{each['reference']},{why}")
        if rows:
            event("heard from the bank")
            file = Path(self.home.name) / f"{batch}.csv"
            file.write_text("\n".join([RESULT, *rows, ""]), "utf-8")
            one, two = (results.take(self.engine, file, MAKER, None) for _ in range(2))
            assert (one.paid + one.returned, list(one.problems)) == (len(rows), [])
            assert (two.paid, two.returned, two.act) == (0, 0, None)

    def give_back(self, data: st.DataObject) -> None:
        """A company pays back some of what it owes."""
        if not self.recovered:
            return
        with self.write() as db:
            owed = [x for x in recovery.recoverables(db, recorder.acts.NOW) if x["recoverable_fen"] > 0]
            if not owed:
                return
            event("paid back")
            self.acts += 1
            row = data.draw(st.sampled_from(owed), "claim")
            fen = data.draw(st.sampled_from([1, row["recoverable_fen"]]), "fen")
            number = row["invoice_number"]
            recovery.tell(db, MAKER, number, self.day, f"告知{self.acts}")
            proposal = recovery.propose_return(db, MAKER, number, fen, self.day, f"BK{self.acts}")
            approval.decide(db, proposal, "approved", CHECKER)
        self.stale()

    def expire(self, _: st.DataObject) -> None:
        """Let lapse what is due; what waits stays open, and the same again finds nothing."""
        with self.write() as db:
            plain, _ = self._plain(db)
            open_ = {
                (recorder.uscc(x.company), x.cap_year) for x in (*plain.lines, *plain.held, *plain.backfill_listed)
            }
            found = lapse.expire(db, MAKER, self.day)
            assert all(date(each.cap_year + 1, 3, 31) < self.day for each in found)
            assert {each for each in found if ((each.company, each.cap_year) in open_) != bool(each.waits_for)} == set()
            done = [each for each in found if not each.waits_for]
            ids = [each.voucher_id for each in done]
            assert set(db.execute(text(CLOSED), {"ids": ids})) <= {("expired", 0)}
            again = lapse.expire(db, MAKER, self.day)
            assert all(each.waits_for for each in again)
        if done:
            self.stale()
            event("expired")

    def wait(self, data: st.DataObject) -> None:
        self._wait(data.draw(st.sampled_from([1, 30]), "days"))

    def _wait(self, days: int) -> None:
        self.day = min(LAST_DAY, self.day + timedelta(days=days))

    @invariant()
    def books_are_right(self) -> None:
        """No account but the roots is below zero, no company-year above its cap, and the running checks are content."""
        with self.write() as db:
            assert list(db.execute(text(NEGATIVE))) == []
            for company, year, fen in db.execute(text(GRANTED), {"programme": PROGRAMME}):
                assert 0 <= fen <= self.cap_fen, (company, year)
            for name in CHECKS:
                assert invariants.check_one(db, f"checks/{name}.sql") == []


def _of(facts: Facts, company: int) -> Facts:
    """Return the facts of one company; registers of providers and of invoices stay, they are looked up by key."""
    own = [each for each in facts.invoices if each.company == company]
    ids = {each.invoice_id for each in own}
    return replace(
        facts,
        qualifications=[each for each in facts.qualifications if each.company == company],
        relations=[each for each in facts.relations if each.company == company],
        contracts=[each for each in facts.contracts if each.company == company],
        invoices=own,
        served=[each for each in facts.served if each.invoice_id in ids],
        vouchers=[each for each in facts.vouchers if each.company == company],
        standings=[each for each in facts.standings if each.company == company],
    )
