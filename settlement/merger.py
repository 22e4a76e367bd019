"""A company is merged into another: the room that both have used counts once.

The simplest rule that is sound, and that any reader of the books can follow: from the cap year of the day on, the two
have one cap, the survivor's. What the absorbed company (and whoever was merged into it before) was granted of such a
year is taken off the survivor's voucher and goes to lapsed; the absorbed company's own vouchers of those years are
closed, and nothing more is granted to it. What was granted stays, also where both together had more than one cap; no
limit is handed over. Where the voucher has less left than that, limit that comes back to it later, by a recovery or a
raised cap, goes to lapsed first. Therefore its claims are settled first: while one is not, the merger is refused.
Earlier years stay as they are, each company with its own cap.

ASSUMPTION: the notice says nothing of mergers.
"""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from settlement import documents, lapse
from settlement.policy import Policy, governing, in_force
from voucher import acts, approval, issuance, ledger, life
from voucher.access import User
from voucher.database import query, run_file
from voucher.days import business_day
from voucher.errors import Misused, Refused
from voucher.money import MAX_FEN
from voucher.wording import one_line

KIND = "merger"


def propose(db: Connection, user: User, absorbed: str, survivor: str, on: date, why: str) -> int:
    """Propose to record a merger from a day on; both named by USCC. Returns the proposal's act id.

    Raises Misused or Refused (`claims_open`: the absorbed company has claims that are not settled).
    """
    if on > business_day():
        raise Misused("day_ahead", f"{on}尚未到来，最晚只能写今天（{business_day()}）。")
    if not one_line(why):
        raise Misused("why", "请写明依据（如登记机关的文号），不能换行。")
    payload = {"absorbed": absorbed, "survivor": survivor, "on": on.isoformat(), "why": why}
    if (first := approval.done_before(db, KIND, f"{absorbed}:", payload)) is not None:
        return first
    _check(db, payload)
    words = f"企业 {absorbed} 自{on}起并入 {survivor}"
    return approval.propose_next(db, KIND, f"{absorbed}:", words, payload, user)


def _check(db: Connection, asked: dict[str, Any]) -> tuple[int, int]:
    """Return the ids of both. Raises Refused when they cannot be merged, or not yet."""
    absorbed, survivor = life.find_company(db, asked["absorbed"]), life.find_company(db, asked["survivor"])
    if absorbed["party_id"] == survivor["party_id"]:
        raise Refused("same_company", "合并双方是同一家企业。请核对统一社会信用代码。")
    for each in (absorbed, survivor):
        if each["survivor"] is not None:
            raise Refused(
                "merged",
                f"企业 {each['uscc']} 已自{each['merged_on']}起并入 {each['survivor']}。请核对统一社会信用代码。",
            )
    year = date.fromisoformat(asked["on"]).year
    policies = documents.recorded(db, acts.cutoff(db))
    numbers = set()
    for programme, own in _by_programme(policies):
        left = lapse.unsettled(db, policies, programme)
        for cap_year in range(year, own[-1][1].last.year + 1):
            numbers |= set(left.invoices(absorbed["party_id"], cap_year))
    if numbers:
        raise Refused(
            "claims_open",
            f"企业 {asked['absorbed']} 还有{len(numbers)}张发票未结算（{'、'.join(sorted(numbers)[:3])}"
            f"{'等' if len(numbers) > 3 else ''}）。请先结算，再登记合并。",
        )
    return absorbed["party_id"], survivor["party_id"]


def _by_programme(policies: Sequence[Policy]) -> list[tuple[str, list[Any]]]:
    """Return each programme with its documents in force."""
    force = in_force(policies)
    return [
        (each, [entry for entry in force if entry[0].programme == each])
        for each in sorted({policy.programme for policy in policies})
    ]


def _merge(db: Connection, proposal: approval.Proposal, act: acts.Act) -> dict[str, Any]:
    """Record an approved merger: the fact, the closed vouchers, and what the survivor's year has lost by it."""
    asked = json.loads(proposal.payload)
    policies = documents.recorded(db, acts.cutoff(db))
    by_programme = _by_programme(policies)
    run_file(db, "queries/policy/lock_programmes.sql")
    absorbed, survivor = _check(db, asked)
    year = date.fromisoformat(asked["on"]).year
    used = query(db, "queries/voucher/merged_use.sql", company=asked["absorbed"], own=True)
    used = [row for row in used if row["year"] >= year]
    closed = query(db, "queries/voucher/of_company.sql", company_id=absorbed, year=year)
    for row in used:
        own = dict(by_programme)[row["programme_id"]]
        policy = governing(own, row["year"])
        if policy is not None and policy.issuance == "automatic":
            issuance.issue(db, act, row["programme_id"], row["year"], {asked["survivor"]: policy.annual_cap_fen})
    issuance.furnish(db, act)
    standing = query(db, "queries/voucher/of_company.sql", company_id=survivor, year=year)
    theirs = {(row["programme_id"], row["cap_year"]): row["voucher_id"] for row in standing}
    taken = {
        theirs[row["programme_id"], row["year"]]: row["used_fen"]
        for row in used
        if (row["programme_id"], row["year"]) in theirs
    }
    run_file(
        db,
        "queries/voucher/merge.sql",
        absorbed_id=absorbed,
        survivor_id=survivor,
        merged_on=asked["on"],
        act_id=act.act_id,
    )
    run_file(
        db,
        "queries/voucher/absorb.sql",
        absorbed_id=absorbed,
        ids=list(taken),
        amounts=list(taken.values()),
        act_id=act.act_id,
    )
    ids = [row["voucher_id"] for row in closed]
    life.move(db, act, "voucher", ids, "revoked", f"并入 {asked['survivor']}")
    life.lapse(db, act, taken | dict.fromkeys(ids, MAX_FEN))
    ledger.update_balances(db, act)
    return {"absorbed": asked["absorbed"], "survivor": asked["survivor"], "on": asked["on"], "closed": len(closed)}


approval.declare(KIND, _merge)
