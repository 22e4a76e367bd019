"""A run as JSON: what `cvl settle` prints and the API answers."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from settlement import run as runs
from settlement.clauses import clause, ruling
from settlement.policy import Policy
from voucher.money import format_yuan
from voucher.reasons import Reason, reasons_of, sentence

Row = Mapping[str, Any]


def head(db: Connection, found: runs.Run) -> dict[str, Any]:
    """Write what every answer about a run begins with."""
    return {
        "run": str(found.run_id), "state": found.state, "through": f"{found.through:%Y-%m}",
        "programme": found.programme, "policies": list(found.policies), "maker": found.maker,
        "checker": found.checker, "digest": found.digest,
        "totals": {name: format_yuan(fen) for name, fen in runs.totals(db, found).items()},
    }  # fmt: skip


def whole(
    db: Connection, found: runs.Run, policies: Sequence[Policy], held: Sequence[Row], backfill: Sequence[Row]
) -> dict[str, Any]:
    """Write a run as JSON."""
    return head(db, found) | {
        "lines": rows(runs.lines(db, found), policies, found.through),
        "backfill": rows(backfill, policies, found.through),
        "held": rows(held, policies, found.through),
    }


def rows(found: Sequence[Row], policies: Sequence[Policy], through: date) -> list[dict[str, Any]]:
    """Write lines, or listed claims, as JSON."""
    figures = ("basis", "computed", "overlap_cut", "granted", "withheld", "budget_cut")
    return [
        {name: row[name] for name in ("invoice_number", "company", "provider", "cap_year", "kind")}
        | {name: format_yuan(row[f"{name}_fen"]) for name in figures}
        | {
            "reasons": [
                _reason(ruling(policies, row["policy_ids"][0], row["cap_year"], through, each.code), each)
                for each in reasons_of(row["reasons"])
            ]
        }
        for row in found
    ]


def _reason(policy: Policy | None, reason: Reason) -> dict[str, str]:
    """Write a reason as JSON, with the words of the document it rests on."""
    return {
        "code": reason.code,
        "clause": clause(policy, reason.code),
        "amount": format_yuan(reason.amount_fen),
        "sentence": sentence(reason),
    }
