"""Policy documents in the database: recorded by an act, read back as they were known at a cutoff."""

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Connection

from settlement.policy import BadPolicy, Policy, cap_for_year, check, in_force, load, parameters
from voucher import acts
from voucher.acts import canonical
from voucher.database import one, query, run_file
from voucher.errors import Misused, Refused
from voucher.issuance import Terms


def record(db: Connection, policy: Policy, body: bytes, actor: str) -> bool:
    """Record one policy file as an act; only then is it in force. Returns False when it was recorded before.

    Raises Refused when a recorded file was edited, BadPolicy when it does not fit the recorded ones.
    """
    request = {"policy": policy.id, "sha256": policy.sha256}
    try:
        with acts.act(db, "policy", policy.id, actor, request) as act:
            run_file(db, "queries/policy/lock_documents.sql")
            faults = check([*recorded(db, acts_so_far(db)), policy])
            if faults:
                raise BadPolicy(faults)
            run_file(db, "queries/policy/programme.sql", programme_id=policy.programme, act_id=act.act_id)
            run_file(
                db,
                "queries/policy/record.sql",
                policy_id=policy.id,
                programme_id=policy.programme,
                supersedes=policy.supersedes,
                from_on=policy.span.start,
                until_on=policy.span.end,
                body=body.decode("utf-8"),
                parameters=canonical(parameters(policy)),
                act_id=act.act_id,
            )
    except acts.AlreadyDone:
        return False
    except Refused as refusal:
        if refusal.code == "reference_conflict":
            raise Refused(
                "policy_edited", f"政策文件 {policy.id} 已登记，内容不可改动。请另立新文件并注明 supersedes。"
            ) from None
        raise
    return True


def acts_so_far(db: Connection) -> int:
    """Return the last seal number, 0 on an empty ledger."""
    row = one(db, "queries/act/last.sql", moment=None)
    return int(row["no"]) if row else 0


_parsed = lru_cache(maxsize=64)(load)
"""A recorded document never changes, so that it is parsed once."""


def recorded(db: Connection, cutoff: int) -> list[Policy]:
    """Read the documents of all programmes that were recorded by a seal number."""
    return [_parsed(row["body"].encode("utf-8")) for row in query(db, "queries/policy/list.sql", cutoff=cutoff)]


def only_programme(policies: Sequence[Policy], asked: str | None) -> str:
    """Choose the programme a command is about: the one asked for, else the only one. Raises Misused, Refused."""
    programmes = sorted({policy.programme for policy in policies})
    if asked is not None:
        if asked not in programmes:
            raise Refused("no_programme", f"没有“{asked}”这一事项。已登记的事项：{'、'.join(programmes) or '无'}。")
        return asked
    if len(programmes) != 1:
        known = "、".join(programmes) or "尚无已登记的政策"
        raise Misused("which_programme", f"请指明事项：{known}。命令后加上 --programme 事项。")
    return programmes[0]


def named(policies: Sequence[Policy], programme: str) -> str:
    """Name a programme in brackets where there are several; empty where nobody could mistake it."""
    return f"（事项 {programme}）" if len({policy.programme for policy in policies}) > 1 else ""


def programmes(db: Connection) -> list[str]:
    """List the programmes of the recorded documents."""
    return sorted({policy.programme for policy in recorded(db, acts.cutoff(db))})


def terms(db: Connection, programme: str | None, year: int) -> Terms:
    """Read from the documents in force what a year's vouchers rest on. Raises Refused."""
    policies = recorded(db, acts.cutoff(db))
    chosen = only_programme(policies, programme)
    own = [(policy, span) for policy, span in in_force(policies) if policy.programme == chosen]
    rows = [
        {"from_on": span.start.isoformat(), "until_on": span.end.isoformat(), "categories": sorted(policy.categories)}
        for policy, span in own
    ]
    return Terms(chosen, year, cap_for_year(own, year), rows, named(policies, chosen))
