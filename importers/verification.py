"""Record by hand what the tax platform said of an invoice (查验); files of results are a register."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection

from importers.text import clean_id
from voucher import acts
from voucher.access import User
from voucher.acts import canonical
from voucher.database import one, run_file
from voucher.days import business_day
from voucher.errors import Misused, Refused

KIND = "verification"


def last(db: Connection, number: str) -> Mapping[str, Any] | None:
    """Return the last word on an invoice: that of the last day on which somebody asked; None without any."""
    return one(db, "queries/verification/last.sql", number=clean_id(number), cutoff=acts.NOW)


def record(db: Connection, user: User, number: str, result: str, checked_on: date, checked_by: str) -> bool:
    """Record one result. result: a code of `register_kinds.RESULTS`. Returns False when it is the last word already.

    Raises Misused for a day ahead, Refused for a number that was never handed in.
    """
    number = clean_id(number)
    if checked_on > business_day():
        raise Misused("checked_ahead", f"查验日期 {checked_on} 晚于今天。请核对。")
    if one(db, "queries/verification/known.sql", number=number) is None:
        raise Refused("no_invoice", f"没有收到过发票 {number}。请核对号码，或用 cvl invoice list 查看。")
    known = last(db, number)
    said = {"invoice_number": number, "checked_on": checked_on.isoformat(), "result": result, "checked_by": checked_by}
    if known is not None and (known["result"], known["checked_on"], known["checked_by"]) == (
        result, checked_on, checked_by,
    ):  # fmt: skip
        return False
    reference = f"{number}:{known['times'] + 1 if known else 1}"
    with acts.act(db, KIND, reference, user.name, said) as act:
        run_file(db, "queries/registry/verifications.sql", rows=canonical([said | {"row_no": 1}]), act_id=act.act_id)
    return True
