"""The works that are measured: the program's own code, from a file to an approved run and its checks."""

from datetime import date
from pathlib import Path

from sqlalchemy import Engine

from bench import data
from bench.place import Place
from console.basics import init
from importers.accept import ask, import_file
from importers.registry import import_registry
from reconciliation import bank, bundle_export, bundle_verify, decisions, invariants
from settlement import run as runs
from voucher import access, acts, ledger
from voucher.access import User
from voucher.database import run, transaction

MAKER, CHECKER = User("maker", "maker", None), User("checker", "checker", None)
THROUGH = date(2026, 6, 30)


def furnish(place: Place, database: str, companies: int) -> None:
    """Create the ledger with its users, its registers and an appropriation that suffices."""
    with place.engine(database) as engine:
        init(engine)
        with transaction(engine) as db:
            for name, role in (("admin", "admin"), ("maker", "maker"), ("checker", "checker")):
                access.add(db, None if name == "admin" else "admin", name, role)
        for file in data.write_registry(place.home, companies):
            taken = import_registry(engine, file, MAKER)
            assert taken.exit_status == 0, taken.problems[:3]
        proposal = run(engine, lambda db: ledger.propose_appropriation(db, MAKER, 2026, 10**12, "合成指标"))
        run(engine, lambda db: decisions.decide(db, proposal, "approved", CHECKER))


def run_import(engine: Engine, source: Path, rows: int) -> None:
    """Import a file of sound rows."""
    outcome = import_file(engine, source, MAKER, ask(MAKER, None, None, None))
    assert outcome.counts["accepted"] == rows, (outcome.counts, outcome.problems[:3])


def run_draft(engine: Engine) -> int:
    """Draft a settlement; return the run."""
    drafted = run(engine, lambda db: runs.draft(db, MAKER, THROUGH))
    assert drafted.run is not None
    return drafted.run.run_id


def run_submit(engine: Engine, run_id: int) -> None:
    """Submit a draft."""
    run(engine, lambda db: runs.submit(db, MAKER, run_id))


def run_approve(engine: Engine, run_id: int) -> None:
    """Approve a submitted run."""
    decided = run(engine, lambda db: runs.decide(db, CHECKER, run_id, "approved"))
    assert decided.state == "approved"


def run_checks(engine: Engine) -> None:
    """Run all checks."""
    failures = invariants.check_at_once(engine)
    assert not failures, failures[:3]


def run_export(engine: Engine, out: Path) -> None:
    """Export the audit bundle of the whole ledger."""
    with out.open("w+b") as file:
        run(engine, lambda db: bundle_export.export(db, file, bundle_export.START, acts.cutoff(db)), "cvl_auditor")


def run_verify(source: Path) -> None:
    """Verify a bundle; every grant is derived anew."""
    verdict = bundle_verify.verify([source])
    assert not verdict.faults, verdict.faults[:3]


def fill_match(place: Place, database: str, rows: int) -> None:
    """Write payments in transit and a statement of as many lines."""
    statements = (Path(__file__).parent / "match_facts.sql").read_text("utf-8").split(";\n")
    with place.root(database) as root:
        root.execute("SET session_replication_role = replica")
        for statement in statements:
            root.execute(statement, {"rows": rows})


def run_match(engine: Engine, rows: int) -> str:
    """Match every payment; only the lines that are nobody's payment are left."""
    found = run(engine, lambda db: bank.counts(db), "cvl_auditor")
    counted = {row["way"]: row["matches"] for row in found}
    assert sum(counted.values()) == rows, counted
    return ", ".join(f"{way} {count:,}" for way, count in counted.items())
