"""Every question that can be asked about an earlier moment, and what the ledger answers."""

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from sqlalchemy import Engine

from console import (
    balance,
    banks,
    disclosures,
    explain,
    flags,
    invoices,
    payments,
    policies,
    proposals,
    recoveries,
    registers,
    settle,
    vouchers,
)  # fmt: skip
from console.answer import Answer
from reconciliation import reports
from reconciliation.bank import USUAL
from voucher import acts
from voucher.database import run, transaction
from voucher.errors import Refused

PERIOD = "2026"
SOME = ("26500000000000900100", "26500000000000900103", "26500000000000900112", "26500000000000900104")
"""Invoices to ask about: one of which a document comes later, one reversed after payment, one before it, one paid."""


def answers(engine: Engine, as_of: str | None = None) -> Mapping[str, Any]:
    """Ask everything as of a moment, now when None."""
    lists = {
        "runs": settle.list_runs(engine, as_of), "vouchers": vouchers.show_all(engine, None, None, as_of),
        "batches": payments.list_batches(engine, as_of), "disclosures": disclosures.show(engine, None, as_of),
        "invoices": invoices.show_all(engine, None, None, None, as_of), "proposals": proposals.show(engine, as_of),
        "accounts": balance.show(engine, None, as_of), "budget": registers.years(engine, as_of),
        "recoveries": recoveries.show(engine, as_of), "policies": policies.show_all(engine, as_of),
        "bank": banks.show(engine, USUAL.tolerance_fen, USUAL.days, as_of), "flags": flags.show(engine, PERIOD, as_of),
        "policy": policies.show(engine, None, as_of),
    }  # fmt: skip
    told = {name: _plain(answer) for name, answer in lists.items()}
    ones: dict[str, Callable[[], Answer]] = {}
    for row in told["runs"]["runs"]:
        ones[f"run {row['run']}"] = lambda of=int(row["run"]): settle.show(engine, of, as_of, as_json=True)
        ones[f"disclosure {row['run']}"] = lambda of=int(row["run"]): disclosures.show(engine, of, as_of)
    for row in told["vouchers"]["vouchers"]:
        ones[f"voucher {row['voucher']}"] = lambda of=int(row["voucher"]): vouchers.show(engine, of, as_of)
    for row in told["batches"]["batches"]:
        ones[f"batch {row['batch']}"] = lambda of=int(row["batch"]): payments.show(engine, of, as_of)
    for number in SOME:
        ones[f"invoice {number}"] = lambda of=number: invoices.show(engine, of, as_of)
        ones[f"explain {number}"] = lambda of=number: explain.explain(engine, of, as_of, None)
    return told | {name: _tried(ask) for name, ask in ones.items()} | {"reports": _reports(engine, as_of)}


def _tried(ask: Callable[[], Answer]) -> Any:
    """Ask, and give the code of a refusal as the answer."""
    try:
        return _plain(ask())
    except Refused as refusal:
        return refusal.code


def _plain(answer: Answer) -> Any:
    """Give what was answered as it is printed, without the moment that was asked about."""
    return {key: each for key, each in json.loads(json.dumps(answer.data, default=str)).items() if key != "as_of"}


def _reports(engine: Engine, as_of: str | None) -> Mapping[str, str]:
    """Write every report; the checks that some run speak of the whole ledger, whatever the moment."""
    made = {}
    for name in reports.names():
        with transaction(engine, "cvl_auditor") as db:
            asked = reports.run(db, name, PERIOD, acts.cutoff(db, as_of), "auditor1", checked=())
        target = BytesIO()
        reports.FORMATS["json"](asked, target)
        made[name] = target.getvalue().decode()
    return made


def now(engine: Engine) -> str:
    """Give the moment of the last seal."""
    return str(run(engine, acts.last, "cvl_auditor")["recorded_at"].isoformat())
