"""Red flags (疑点): each one query under sql/flags; what a person decides of one is an act beside its evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

import sql
from reconciliation.invariants import title
from voucher import acts
from voucher.access import User
from voucher.acts import canonical
from voucher.database import expect_many, one, query, run_file
from voucher.errors import Misused, Refused

VERDICTS: Mapping[str, str] = {"cleared": "排除", "confirmed": "属实", "watched": "继续关注"}
"""Verdict on a red flag to what it is called on screen."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One red flag. name: its query; subject: what it is about, the same as long as that is; amount in fen."""

    name: str
    title: str
    subject: str
    about: str
    evidence: str
    amount_fen: int


def find(db: Connection, folder: str, params: Mapping[str, Any]) -> list[Flag]:
    """Ask every query of a folder, in the order of their names; only reads."""
    expect_many(db)
    found = []
    for path in sql.names(folder):
        name = path.removeprefix(f"{folder}/").removesuffix(".sql")
        rows = query(db, path, **{key: params[key] for key in ("period_from", "period_until", "cutoff")})
        found += [
            Flag(name, title(path), row["subject"], row["about"], row["evidence"], int(row["amount_fen"]))
            for row in rows
        ]
    return found


def gather(db: Connection, folder: str, params: Mapping[str, Any]) -> str:
    """Give the flags of a folder as JSON for a report's query."""
    return canonical(
        [
            {"flag": f.name, "title": f.title, "subject": f.subject, "about": f.about, "evidence": f.evidence,
             "amount_fen": f.amount_fen, "place": place}
            for place, f in enumerate(find(db, folder, params))
        ]
    )  # fmt: skip


def decide(
    db: Connection, user: User, params: Mapping[str, Any], name: str, subject: str, verdict: str, why: str
) -> int:
    """Record what a person decided of a flag that is there in the period. Returns the act's id.

    The same decision on the same evidence twice gives the first answer. Raises Misused, Refused.
    """
    if verdict not in VERDICTS:
        raise Misused("bad_verdict", f"没有“{verdict}”这一结论。可选：{'、'.join(VERDICTS)}。")
    if not why.strip():
        raise Misused("why", "请写明理由。")
    found = [flag for flag in find(db, "flags", params) if (flag.name, flag.subject) == (name, subject)]
    if not found:
        raise Refused("no_flag", f"本期没有疑点“{name} {subject}”。请用 cvl flag list 查看。")
    evidence = acts.digest(found[0].evidence)
    request = {"verdict": verdict, "why": why, "evidence": evidence, "by": user.name}
    earlier = one(db, "queries/flag/earlier.sql", flag=name, subject=subject)
    assert earlier is not None
    for place in range(max(0, earlier["decisions"] - 1), earlier["decisions"] + 1):
        try:
            with acts.act(db, "flag", f"{name}/{subject}/{place}", user.name, request) as act:
                run_file(
                    db, "queries/flag/decide.sql", flag=name, subject=subject, verdict=verdict, why=why,
                    evidence_sha256=evidence, act_id=act.act_id,
                )  # fmt: skip
            return act.act_id
        except acts.AlreadyDone as done:
            return done.act_id
        except Refused:
            continue
    raise Refused("decided", f"疑点“{name} {subject}”刚被他人处理，请重新查看。")
