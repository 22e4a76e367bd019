"""Play a worked example through the real doors: registry files, template files, budget, draft, submit, approve."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from threading import Barrier
from typing import Any

import pytest

from console.refusals import refuse
from console.vouchers import issue
from importers import accept
from settlement import run as runs
from settlement.explain import explain
from settlement.simulate import simulate
from settlement.verify import verify
from tests.cases import doors, sheets, steps
from tests.cases.player import policy
from tests.postgres.desk import CHECKER, MAKER, Desk, csv_bytes, said
from tests.postgres.recorder import appropriate
from tests.postgres.witness import SHIPPED, record_document
from tests.samples.usage import focus, focus_csv
from voucher import acts, approval, life
from voucher.access import User
from voucher.database import query, run, transaction
from voucher.errors import Refused
from voucher.money import format_yuan
from voucher.reasons import Reason, reasons_of

ENOUGH = 10**12


@dataclass
class Player:
    """Plays steps. symbols: real invoice number to the case's letter."""

    case: steps.Case
    desk: Desk
    patch: pytest.MonkeyPatch
    symbols: dict[str, str] = field(default_factory=dict)
    files: int = 0
    funded: set[int] = field(default_factory=set)
    approved: runs.Run | None = None
    last_run: int = 0
    sound: bool = True

    def play(self) -> None:
        if self.case.policy:
            with transaction(self.desk.engine) as db:
                record_document(db, self.case.policy, id="case.1", supersedes=SHIPPED)
        for step in self.case.steps:
            if isinstance(step, steps.Do):
                doors.play(self, step)
                continue
            self.go_to(step.today)
            if isinstance(step, steps.Settle) and step.simulate:
                self.simulate(step)
            elif isinstance(step, steps.Settle):
                self.settle(step)
            else:
                self.take(step)
        if self.approved is not None and self.sound:
            with transaction(self.desk.engine) as db:
                assert runs.draft(db, MAKER, self.approved.through).run is None

    def go_to(self, day: date) -> None:
        """Let it be a later business day."""
        self.patch.setenv("CVL_TODAY", day.isoformat())

    def take(self, step: steps.Facts) -> None:
        """Hand in the files of a step, in the order of its fields."""
        self.register(step.companies, sheets.companies)
        self.register(step.providers, sheets.providers)
        self.register(step.relations, sheets.relations)
        for (_, received_on), rows in groupby(step.invoices, lambda row: (row.provider, row.received_on)):
            self.hand_in(list(rows), received_on)
        self.register(step.subsidies, sheets.subsidies)
        self.register(step.payments, sheets.payments)
        if step.appropriate_fen is not None:
            self.appropriate(step.today.year, step.appropriate_fen)
        for voucher in step.vouchers:
            code = steps.PARTIES[voucher.company].uscc
            answer = issue(self.desk.engine, MAKER.name, voucher.year, code, voucher.face_fen, None)
            assert isinstance(answer.data, Mapping)
            act = int(answer.data["act"])
            run(self.desk.engine, lambda db, act=act: approval.decide(db, act, "approved", CHECKER))
        self.register(step.contracts, sheets.contracts)
        for refusal in step.refusals:
            self.refuse(refusal)
        for usage in step.usage:
            self.use(usage)

    def register(self, rows: Sequence[Any], sheet: Any) -> None:
        if rows:
            taken = self.desk.register(sheet(rows))
            assert (taken.exit_status, said(taken)) == (0, [])

    def use(self, row: steps.UsageRow) -> None:
        """Hand in a file of usage: ours for net amounts, FOCUS for those with tax."""
        lines = [focus(steps.number(row.invoice), f"{yuan:f}", day) for day, yuan in row.days]
        data = focus_csv(*lines) if row.gross else csv_bytes(sheets.usage(row))
        asked = accept.ask(MAKER, None, None, None, None, "replace" if row.replaces else None)
        taken = accept.import_file(self.desk.engine, self.desk.file(data, "usage.csv"), MAKER, asked)
        assert (taken.exit_status, taken.counts["accepted"]) == (0, len(row.days)), taken.problems

    def refuse(self, row: steps.RefusalRow) -> None:
        """Refuse a claim, or lift that, by two people."""
        number = steps.number(row.invoice)
        answer = refuse(self.desk.engine, MAKER.name, number, "查实", row.year, lift=row.lift, programme=None)
        act = int(answer.data["act"])
        run(self.desk.engine, lambda db: approval.decide(db, act, "approved", CHECKER))

    def hand_in(self, rows: Sequence[steps.InvoiceRow], received_on: date) -> None:
        """Import one provider's invoices of a day; each ends as the case says."""
        self.files += 1
        self.symbols |= {steps.number(row.symbol): row.symbol for row in rows}
        data = csv_bytes(sheets.invoices(rows))
        outcome = self.desk.take(data, received_on=received_on, name=f"{self.files}.csv")
        found = {row["number"]: row["status"] for row in outcome.invoices}
        assert [found[steps.number(row.symbol)] for row in rows] == [row.outcome for row in rows]
        codes = {(p.invoice_number, p.code) for p in outcome.problems}  # a warning about a name has no number
        told = [codes & {(steps.number(row.symbol), row.code), ("", row.code)} for row in rows if row.code]
        assert all(told)

    def appropriate(self, year: int, fen: int) -> None:
        self.files += 1
        with transaction(self.desk.engine) as db:
            appropriate(db, year, fen, f"指标{self.files}")

    def settle(self, step: steps.Settle) -> None:
        """Draft, compare with what the case expects, submit and approve."""
        engine = self.desk.engine
        if not self.case.bounded and step.today.year not in self.funded:
            self.funded.add(step.today.year)
            self.appropriate(step.today.year, ENOUGH)
        if step.room:
            assert self.room(step.room) == step.room.amount_fen
        through = runs.month_end(step.through)
        makers = (MAKER, User("maker2", "maker", None)) if step.at_once else (MAKER,)
        (drafted,) = together(
            makers, lambda by: run(engine, lambda db: runs.draft(db, by, through, backfill=step.backfill))
        )
        self.compare(step, drafted)
        if drafted.run is not None:
            self.finish(step, drafted.run)
        if step.total:
            assert self.granted(step.total) == step.total.amount_fen

    def simulate(self, step: steps.Settle) -> None:
        """Simulate each year of the expected lines under the step's document; nothing is written."""
        before = self.desk.everything()
        for year in {line.year for line in step.lines}:
            with transaction(self.desk.engine) as db:
                side = simulate(db, year, policy({**self.case.policy, **step.policy})).then
            own = [line for line in step.lines if line.year == year]
            assert (side.claims, side.granted_fen) == (len(own), sum(line.granted_fen for line in own))
        assert self.desk.everything() == before

    def finish(self, step: steps.Settle, drafted: runs.Run) -> None:
        """Submit and approve a draft, or be refused as the case says."""
        engine, run_id, maker = self.desk.engine, drafted.run_id, User(drafted.drafted_by, "maker", None)
        self.approved = None
        if not step.approve:
            with transaction(engine) as db:
                assert verify(db, run_id) == []
            run(engine, lambda db: runs.decide(db, MAKER, run_id, "withdrawn"))
            return
        if step.gap_fen is not None:
            before = self.desk.everything()
            with pytest.raises(Refused, match="over_budget") as caught:
                run(engine, lambda db: runs.submit(db, maker, run_id))
            assert f"差{format_yuan(step.gap_fen, grouped=True)}元" in caught.value.message
            assert self.desk.everything() == before
            return
        submitted = run(engine, lambda db: runs.submit(db, maker, run_id))
        if step.freeze:
            self.freeze(step)
        user = MAKER if step.by == "maker" else CHECKER
        if step.refused:
            with pytest.raises(Refused, match=step.refused):
                run(engine, lambda db: runs.decide(db, user, run_id, "approved"))
            run(engine, lambda db: runs.decide(db, CHECKER, run_id, "rejected", why="重新起草"))
            return
        approvers = (CHECKER, User("checker2", "checker", None)) if step.at_once else (user,)
        together(approvers, lambda by: run(engine, lambda db: runs.decide(db, by, run_id, "approved")))
        with transaction(engine) as db:
            assert verify(db, run_id) == []
        self.approved, self.last_run = submitted, run_id

    def freeze(self, step: steps.Settle) -> None:
        """Freeze the voucher of the run's first line, by two people."""
        ((voucher,),) = self.desk.rows("SELECT voucher_id FROM voucher WHERE cap_year = :y", y=step.lines[0].year)
        act = run(self.desk.engine, lambda db: life.propose_voucher(db, MAKER, voucher, "frozen", "核查"))
        run(self.desk.engine, lambda db: approval.decide(db, act, "approved", CHECKER))

    def compare(self, step: steps.Settle, drafted: runs.Draft) -> None:
        """Compare a draft, and what it lists beside its lines, with what the case expects."""
        lines: list[dict[str, Any]] = []
        with transaction(self.desk.engine) as db:
            if drafted.run is not None:
                lines = runs.lines(db, drafted.run)
        assert [(*self.key(x), x["kind"]) for x in lines] == [(x.invoice, x.year, x.kind) for x in step.lines]
        for line, expected in zip(lines, step.lines, strict=True):
            same(line, expected)
        listed = [(*self.key(x), x["granted_fen"]) for x in drafted.backfill]
        assert listed == list(step.backfill_listed)
        held = [(*self.key(x), x["reasons"][-1]["code"]) for x in drafted.held]
        assert held == list(step.held)
        for symbol, reasons in step.left_out:
            with transaction(self.desk.engine) as db:
                found = explain(db, steps.number(symbol), acts.cutoff(db))
                told = query(
                    db,
                    "reports/cuts.sql",
                    period_from=date(2025, 1, 1),
                    period_until=date(2099, 1, 1),
                    cutoff=acts.cutoff(db),
                )
            assert {why.code: why.amount_fen for part in found.parts for why in part.why} == dict(reasons)
            uneligible = [row for row in told if row["invoice_number"] == steps.number(symbol)]
            assert {(row["stage"], row["code"], row["cut_fen"]) for row in uneligible} == {
                ("不计入", code, amount) for code, amount in dict(reasons).items()
            }

    def key(self, row: Mapping[str, Any]) -> tuple[str, int]:
        return self.symbols[row["invoice_number"]], row["cap_year"]

    def room(self, asked: steps.YearAmount) -> int:
        """Read what is left on a voucher; before it is issued, the face it would have."""
        name = f"limit:voucher:%:{steps.PARTIES[asked.company].uscc}:{asked.year}"
        found = self.desk.rows("SELECT balance_fen FROM account WHERE name LIKE :name", name=name)
        return int(found[0][0]) if found else 100_000_000

    def granted(self, asked: steps.YearAmount) -> int:
        """Sum what approved runs granted a company for a year; the redeemed account must say the same."""
        code = steps.PARTIES[asked.company].uscc
        ((fen,),) = self.desk.rows(
            "SELECT coalesce(sum(l.granted_fen), 0) FROM run_line AS l INNER JOIN run AS r USING (run_id)"
            " INNER JOIN decision AS d ON d.proposal_act_id = r.proposal_act_id AND d.verdict = 'approved'"
            " INNER JOIN party AS p ON p.party_id = l.company_id WHERE p.uscc = :code AND l.cap_year = :year",
            code=code,
            year=asked.year,
        )
        name = f"limit:redeemed:%:{code}:{asked.year}"
        booked = self.desk.rows("SELECT balance_fen FROM account WHERE name LIKE :name", name=name)
        assert int(fen) == (int(booked[0][0]) if booked else 0)
        return int(fen)


def together(people: Sequence[User], work: Callable[[User], Any]) -> list[Any]:
    """Let people do the same at once; give what those got who were not refused: of several, one."""
    barrier = Barrier(len(people))

    def one(user: User) -> Any:
        barrier.wait()
        try:
            return work(user)
        except Refused as refusal:
            return refusal

    with ThreadPoolExecutor(len(people)) as pool:
        found = [each for each in pool.map(one, people) if len(people) == 1 or not isinstance(each, Refused)]
    for each in found:
        if isinstance(each, Refused):
            raise each
    assert len(found) == 1
    return found


def same(line: Mapping[str, Any], expected: steps.Expected) -> None:
    """Compare a line with what is expected of it; what is not given is not compared."""
    amounts = tuple(line[f"{name}_fen"] for name in ("granted", "withheld", "overlap_cut", "budget_cut"))
    assert amounts == (
        expected.granted_fen,
        expected.withheld_fen,
        expected.overlap_cut_fen,
        expected.budget_cut_fen,
    )
    assert expected.basis_fen in (None, line["basis_fen"])
    assert expected.computed_fen in (None, line["computed_fen"])
    if expected.reasons is not None:
        figures = [Reason(code, *amounts) for code, amounts in expected.reasons.items()]
        assert list(reasons_of(line["reasons"])) == figures
