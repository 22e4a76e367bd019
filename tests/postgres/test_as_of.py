"""What was known then: runs and invoices as they stood at an earlier moment."""

import pytest
from sqlalchemy import Engine, text

from console import invoices, settle
from voucher import acts
from voucher.database import transaction
from voucher.errors import Misused, Refused

MOMENTS = """
SELECT p.recorded_at AS submitted, b.recorded_at AS before, d.recorded_at AS approved
FROM run AS r
INNER JOIN seal AS p ON p.act_id = r.proposal_act_id
INNER JOIN seal AS b ON b.no = p.no - 1
INNER JOIN decision AS e ON e.proposal_act_id = r.proposal_act_id
INNER JOIN seal AS d ON d.act_id = e.act_id
WHERE r.run_id = 1
"""


def test_runs_and_invoices_are_shown_as_they_stood(books: Engine) -> None:
    with transaction(books, "cvl_auditor") as db:
        found = db.execute(text(MOMENTS)).one()
        (accepted,) = db.execute(text("SELECT count(*) FROM invoice")).one()
    submitted, before, approved = (moment.isoformat() for moment in (found.submitted, found.before, found.approved))

    def listed(moment: str | None) -> list[tuple[str, str, str | None]]:
        return [(x["run"], x["state"], x["checker"]) for x in settle.list_runs(books, moment).data["runs"]]

    assert listed(before) == []
    assert listed(submitted) == [("1", "submitted", None)]
    assert listed(approved) == [("1", "approved", "checker1")]
    assert [run for run, _, _ in listed(None)] == ["1", "2"]
    assert settle.show(books, 1, submitted, as_json=True).data["state"] == "submitted"
    with pytest.raises(Refused, match="no_run"):
        settle.show(books, 1, before, as_json=True)

    def granted(moment: str | None) -> tuple[int, int]:
        rows = [x for x in invoices.show_all(books, None, None, None, moment).data["invoices"] if x["accepted_no"]]
        return len(rows), sum(x["granted"] is not None for x in rows)

    assert granted(submitted) == (120, 0)
    assert granted(approved)[0] == 120 < granted(None)[0] == accepted
    assert 0 < granted(approved)[1] < granted(None)[1]


def test_a_day_means_its_end_however_it_is_written(books: Engine) -> None:
    with transaction(books, "cvl_auditor") as db:
        day = db.execute(text("SELECT max(recorded_at) AT TIME ZONE 'Asia/Shanghai' FROM seal")).scalar_one().date()
        last = acts.cutoff(db)
        assert [acts.cutoff(db, day.strftime(form)) for form in ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d")] == [last] * 3
        with pytest.raises(Misused):
            acts.cutoff(db, day.strftime("%G-W%V-%u"))
