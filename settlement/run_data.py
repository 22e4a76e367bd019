"""A run as JSON: what `cvl settle` prints and the API answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from settlement import run as runs
from settlement.clauses import clause
from settlement.policy import Policy
from voucher.money import format_yuan
from voucher.reasons import Reason, sentence

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
        "lines": rows(runs.lines(db, found), policies),
        "backfill": rows(backfill, policies),
        "held": rows(held, policies),
    }


def rows(found: Sequence[Row], policies: Sequence[Policy]) -> list[dict[str, Any]]:
    """Write lines, or listed claims, as JSON."""
    by_id = {policy.id: policy for policy in policies}
    figures = ("basis", "computed", "overlap_cut", "granted", "withheld", "budget_cut")
    return [
        {name: row[name] for name in ("invoice_number", "company", "provider", "cap_year", "kind")}
        | {name: format_yuan(row[f"{name}_fen"]) for name in figures}
        | {"reasons": [_reason(by_id.get(row["policy_ids"][0]), each) for each in row["reasons"]]}
        for row in found
    ]


def _reason(policy: Policy | None, stored: Row) -> dict[str, str]:
    """Write a reason as JSON, with the words of the line's document behind it."""
    return {
        "code": stored["code"],
        "clause": clause(policy, stored["code"]),
        "amount": format_yuan(stored["amount_fen"]),
        "sentence": sentence(Reason(stored["code"], stored["amount_fen"], stored.get("other_fen"))),
    }


def sentences(row: Row) -> list[str]:
    """Write the reasons of a line; a recovery that nothing was cut for says what became of the claim."""
    if row["kind"] == "recovery" and not row["reasons"]:
        worth = row["computed_fen"] - row["overlap_cut_fen"]
        before, after = (format_yuan(fen, grouped=True) for fen in (worth - row["granted_fen"], worth))
        return [f"已兑付{before}元，按现有凭据只应兑付{after}元，差额追回（缘由见 cvl explain）。"]
    return [sentence(Reason(r["code"], r["amount_fen"], r.get("other_fen"))) for r in row["reasons"]]
