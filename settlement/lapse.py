"""Let the limit of years lapse whose claim deadline is past, and find what a run still has to do.

Source: DESIGN 6.10: limit lapses only when the deadline is past and no accepted or held claim of the year is unsettled.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from settlement import documents
from settlement.claims import compute, put_lines
from settlement.policy import Policy, governing, in_force
from voucher import acts, life
from voucher.access import User
from voucher.database import one, query, run_file, undone
from voucher.days import OPEN_END, business_day
from voucher.errors import Misused
from voucher.money import Fen

KIND = "voucher_expire"


@dataclass(frozen=True, slots=True)
class Due:
    """A voucher whose deadline is past. waits_for: invoices not settled yet; while there are any, it stays open."""

    voucher_id: int
    company: str
    cap_year: int
    left_fen: Fen
    waits_for: tuple[str, ...]


class Unsettled:
    """What a run of a programme still has to do, by company and cap year; held invoices are part of it."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            self._rows[row["company_id"]].append(row)

    def invoices(self, company: int, year: int, deadline: date | None = None) -> tuple[str, ...]:
        """Return the numbers that concern the year; one held at the door with no service span concerns every year.

        deadline: an invoice handed in later has no claim of the year.
        """
        found = {
            row["invoice_number"]
            for row in self._rows.get(company, ())
            if row["cap_year"] in (None, year)
            and (deadline is None or row["received_on"] is None or row["received_on"] <= deadline)
        }
        return tuple(sorted(found))


def unsettled(db: Connection, policies: Sequence[Policy], programme: str, through: date = OPEN_END) -> Unsettled:
    """Draft without keeping anything and return every claim that the draft has a line for or lists.

    A claim of a run that was submitted and not decided is among them; so is one that waits for a recovery, since
    whatever a run would still do comes first.
    """
    with undone(db):
        compute(db, policies, programme, acts.cutoff(db), through)
        fresh = one(db, "queries/settle/next_run.sql")
        assert fresh is not None
        put_lines(db, fresh["run_id"])
        rows = query(db, "queries/settle/unsettled.sql", run_id=fresh["run_id"])
    return Unsettled(rows)


def expire(db: Connection, user: User, on: date, programme: str | None = None) -> list[Due]:
    """Close every voucher whose deadline is before a day, as one act per programme; what waits stays open.

    Returns the vouchers of all years past, those that were closed and those that wait; the same again finds only the
    latter. Raises Misused for a day ahead.
    """
    if on > business_day():
        raise Misused("day_ahead", f"{on}尚未到来，最晚只能写今天（{business_day()}）。")
    policies = documents.recorded(db, acts.cutoff(db))
    if programme is not None:
        documents.only_programme(policies, programme)
    chosen = sorted({policy.programme for policy in policies if programme in (None, policy.programme)})
    for each in chosen:  # all of them before the first seal, which every other act waits for
        run_file(db, "queries/policy/lock_programme.sql", programme_id=each)
    return [due for each in chosen for due in _expire(db, user, on, each, policies)]


def _expire(db: Connection, user: User, on: date, programme: str, policies: Sequence[Policy]) -> list[Due]:
    own = [entry for entry in in_force(policies) if entry[0].programme == programme]
    past = []
    for row in life.open_vouchers(db, programme):
        policy = governing(own, row["cap_year"]) or own[-1][0]
        if policy.deadline(row["cap_year"]) < on:
            past.append((row, policy.deadline(row["cap_year"])))
    if not past:
        return []
    left = unsettled(db, policies, programme)
    due = [
        Due(
            row["voucher_id"],
            row["company"],
            row["cap_year"],
            row["left_fen"],
            left.invoices(row["company_id"], row["cap_year"], deadline),
        )
        for row, deadline in past
    ]
    closing = [each.voucher_id for each in due if not each.waits_for]
    if closing:
        reference = f"{programme}:{on}:{acts.cutoff(db)}"
        request = {"programme": programme, "on": on.isoformat(), "vouchers": closing}
        with acts.act(db, KIND, reference, user.name, request) as act:
            life.close(db, act, closing, "expired", f"申报截止日已过（截至{on}）")
    return due
