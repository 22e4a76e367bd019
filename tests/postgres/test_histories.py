"""Generated histories: whatever comes in, in whatever order it is settled, both engines say the same."""

import os
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from reconciliation import invariants
from settlement import load, recovery
from settlement import run as runs
from settlement.facts import Facts
from settlement.verify import verify
from tests.cases import histories
from tests.postgres import recorder
from tests.postgres.conftest import Clone
from tests.postgres.recorder import CHECKER, MAKER, record, renumbered
from tests.postgres.witness import PROGRAMME, SHIPPED, draft, record_document
from voucher import acts, ledger, life
from voucher.database import transaction
from voucher.errors import Refused

CAPS = st.sampled_from([100_000, 5_000_000, 100_000_000])
MODES = st.sampled_from(["exclusive", "exclusive", "top_up", "joint_limit"])
MONEY = st.sampled_from([0, 7, 1_000, 2_000_000, 10**12])
CHECKS = (
    "balances", "cap", "floors", "granted_once", "line_money", "lines_posted", "redeemed", "transfers_approved",
    "voucher_face",
)  # fmt: skip
SPEND = st.sampled_from([0, 0, 500_000, 40_000_000])
VERIFY = st.sampled_from(["none", "none", "required"])
quick = settings(
    max_examples=int(os.environ.get("CVL_SOAK_EXAMPLES", "6")),
    deadline=None,
    database=None,
    print_blob=True,
    phases=[Phase.explicit, Phase.generate],  # a history that fails is long, and shrinking it takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def books(clone: Clone) -> Engine:
    """Give a database with an appropriation; the examples roll back what they write."""
    engine = clone()
    with transaction(engine) as db:
        recorder.appropriate(db, 2026, 10**12)
    return engine


@quick
@given(data=st.data())
def test_both_engines_agree_on_any_history(books: Engine, data: st.DataObject) -> None:
    with transaction(books) as db:
        amended = data.draw(st.integers(1, 4), "amended in act")
        cap, over = data.draw(CAPS, "cap"), data.draw(st.sampled_from(["refuse", "pro_rata"]), "over budget")
        _first_documents(
            db, cap, data.draw(MODES, "overlap"), data.draw(VERIFY, "verify"), data.draw(SPEND, "least"), over,
            data.draw(st.sampled_from(["warn", "hold"]), "usage"),
        )  # fmt: skip
        facts = histories.usual()
        record(db, "usual", facts)
        for number, act in enumerate(data.draw(histories.acts()), 1):
            if number == amended:
                _amend(db, cap, over)
            before = facts
            facts = replace(data.draw(histories.news(number, before)), served=(), vouchers=())
            record(db, f"act {number}", facts, before)
            _move_some_voucher(db, data)
            recorder.leave(db, 2026, data.draw(MONEY, "money") if over == "pro_rata" else 10**12, f"money {number}")
            _pay_some_line(db, data)
            _freeze_some_company(db, facts, data)
            _next_transaction(db)
            _same_facts(db, facts)
            _settle(db, act)
        db.rollback()


def _first_documents(
    db: Connection, cap_fen: int, overlap: str, verify: str, least_fen: int, over_budget: str, usage: str
) -> None:
    """Put a document with a cap and a mode in place of the shipped one, and one of another programme."""
    joint = {"joint_limit_bp": 3000} if overlap == "joint_limit" else {}
    changes = {
        "annual_cap_fen": cap_fen,
        "overlap": overlap,
        "tax_verification": verify,
        "usage_sum": usage,
        "min_spend_fen": least_fen,
        "over_budget": over_budget,
        **joint,
    }
    record_document(db, changes, id="t.1", supersedes=SHIPPED)
    other = {"from": date(2026, 2, 1), "eligible_tax_codes": ["30402039", "109"]}
    record_document(db, other, id="other.1", programme="other")


def _amend(db: Connection, cap_fen: int, over_budget: str) -> None:
    changes = {
        "from": date(2026, 7, 1),
        "rate_bp": 3333,
        "annual_cap_fen": cap_fen + 1,
        "categories": '{ ai_agent = "智能体" }',
        "related_party_share_bp": 5000,
        "over_budget": over_budget,
    }
    record_document(db, changes, id="t.2", supersedes="t.1")


def _move_some_voucher(db: Connection, data: st.DataObject) -> None:
    """Freeze, thaw or revoke a voucher now and then."""
    vouchers = db.execute(
        text(
            "SELECT DISTINCT ON (subject_id) subject_id, to_state FROM move WHERE noun = 'voucher'"
            " ORDER BY subject_id, step DESC"
        )
    ).all()
    if vouchers and data.draw(st.integers(0, 2), "move") == 0:
        voucher, state = data.draw(st.sampled_from(vouchers))
        following = {"issued": ["frozen", "revoked"], "frozen": ["issued", "issued", "revoked"]}
        if state in following:
            recorder.move_voucher(db, voucher, data.draw(st.sampled_from(following[state])))


def _freeze_some_company(db: Connection, facts: Facts, data: st.DataObject) -> None:
    """Freeze or thaw a company now and then; one that has a voucher or none yet."""
    companies = sorted({row.company for row in facts.qualifications})
    if companies and data.draw(st.integers(0, 3), "freeze") == 0:
        company = data.draw(st.sampled_from(companies))
        row = db.execute(text("SELECT state FROM state_at('company', 1000000) WHERE subject_id = :id"), {"id": company})
        state = "active" if row.scalar() == "frozen" else "frozen"
        request = {"company": company, "to": state}
        number = db.execute(text("SELECT count(*) FROM act")).scalar_one()
        with acts.act(db, "company_state", str(number), "maker1", request) as act:
            life.move(db, act, "company", [company], state, "")


def _same_facts(db: Connection, facts: Facts) -> None:
    """Check that the facts are read as they were written; the engine alone would not see what both miss."""
    read = load.facts_at(db, PROGRAMME, 10**6)
    written = renumbered(facts)
    for name in (
        "qualifications",
        "listings",
        "relations",
        "subsidies",
        "payments",
        "verifications",
        "contracts",
        "refusals",
        "meterings",
    ):
        got, put = ([replace(row, at=(0, 0)) for row in getattr(each, name)] for each in (read, written))
        assert got == put
        ats = [row.at for row in getattr(read, name)]
        assert ats == sorted(ats if name == "meterings" else set(ats))
    assert read.invoices == written.invoices


def _pay_some_line(db: Connection, data: st.DataObject) -> None:
    """Send a part of what is owed to the bank, or have what is with the bank paid, now and then."""
    found = recorder.positions(db)
    if found and data.draw(st.booleans(), "pay"):
        line = data.draw(st.sampled_from(found), "line")
        following = {"payable": "in_transit", "in_transit": "paid"}[line.kind]
        recorder.move_line(db, line, data.draw(st.sampled_from([1, line.fen])), line.kind, following)


def _holds(db: Connection) -> None:
    """Check what must hold after each approval: floors, caps, each claim once, each line's money and limit."""
    for name in CHECKS:
        assert invariants.check_one(db, f"checks/{name}.sql") == []


def _settle(db: Connection, act: histories.Act) -> None:
    """Draft with both engines; approve if the history says so."""
    run = draft(db, act.through, backfill=act.backfill).run
    _next_transaction(db)
    if run is None:
        return
    if not act.settles:
        second = draft(db, act.through, backfill=act.backfill).run
        assert second is not None
        assert (second.digest, second.lines, second.pro_rata) == (run.digest, run.lines, run.pro_rata)
        runs.decide(db, MAKER, second.run_id, "withdrawn")
        return
    if _nothing_left(db, run):
        with pytest.raises(Refused, match="over_budget"), db.begin_nested():
            runs.submit(db, MAKER, run.run_id)
        runs.decide(db, MAKER, run.run_id, "withdrawn")
        return
    runs.submit(db, MAKER, run.run_id)
    runs.decide(db, CHECKER, run.run_id, "approved")
    assert not run.pro_rata or ledger.available(db, 2026) == 0
    _next_transaction(db)
    assert verify(db, run.run_id) == []
    _holds(db)
    again = draft(db, act.through, backfill=act.backfill)
    assert again.run is None
    _next_transaction(db)


def _nothing_left(db: Connection, run: runs.Run) -> bool:
    """Tell whether a run wants money while neither the appropriation nor its own recoveries have any."""
    sums = runs.totals(db, run)
    back = recovery.returning(db, run.run_id, run.programme, run.fiscal_year, sums["recovered"])
    return sums["granted"] > 0 and ledger.available(db, 2026) + back == 0


def _next_transaction(db: Connection) -> None:
    """Do what a commit would: check what is deferred and drop the temporary tables."""
    db.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    db.exec_driver_sql("SET CONSTRAINTS ALL DEFERRED")
    db.exec_driver_sql("DISCARD TEMP")
