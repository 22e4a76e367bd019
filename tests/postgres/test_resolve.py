"""A conflict over an invoice number is decided by one person and approved by another; every byte is kept."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from console import invoices, resolutions
from importers import resolve
from reconciliation import invariants, reports
from tests.postgres import recorder
from tests.postgres.desk import CHECKER, MAKER, Cells, Desk, bill_of, counts, line, real, statuses
from tests.postgres.test_evidence_settled import draft, lines_of, settle
from tests.postgres.test_usage import days, hand_in
from tests.samples.bill import Row
from tests.samples.usage import focus, focus_csv
from tests.samples.xml import xml
from voucher import acts, approval
from voucher.database import query, run, transaction
from voucher.errors import CvlError, Refused

A = real("a")
SPANNED = replace(bill_of(line("a")), remark="服务期间：2026-07-01至2026-07-31")
LESS = replace(bill_of(line("a")), rows=(Row(item="智算算力服务", net="900.00", tax="54.00", quantity="1"),))


@pytest.fixture
def desk(desk: Desk) -> Desk:
    with transaction(desk.engine) as db:
        recorder.appropriate(db, 2026, 10**10)
    return desk


def sha_of(desk: Desk, state: str, kind: str = "") -> str:
    """Return the beginning of the digest of the only document in a state."""
    found = run(desk.engine, lambda db: resolve.documents(db, A))
    (row,) = (r for r in found if r["state"] == state and kind in ("", r["kind"]))
    return str(row["sha256"][:8])


def propose(desk: Desk, keep: str, why: str = "核对原件", number: str = A) -> int:
    return run(desk.engine, lambda db: resolve.propose(db, MAKER, number, keep, why))


def decided(desk: Desk, keep: str, number: str = A) -> None:
    act = propose(desk, keep, number=number)
    run(desk.engine, lambda db: approval.decide(db, act, "approved", CHECKER))


def sound(desk: Desk) -> None:
    with transaction(desk.engine, "cvl_auditor") as db:
        assert invariants.check_all(db) == []


def reported_net(desk: Desk) -> str:
    """Return the accepted amount in fen in the reconciliation of the month."""
    with transaction(desk.engine, "cvl_auditor") as db:
        made = reports.run(db, "reconciliation", "2026-08", acts.cutoff(db), "auditor1", checked=())
    assert made.totals is not None
    return str(made.totals[[column.name for column in made.layout.columns].index("net_fen")])


def in_conflict(desk: Desk, row: Cells | None = None) -> None:
    assert counts(desk.take([row or line("a")])) == {"accepted": 1}
    assert counts(desk.take(xml(LESS), name="a.xml")) == {"conflict": 1}


def test_a_document_that_came_after_the_decision_is_open_though_its_act_began_before(desk: Desk) -> None:
    """A large upload begins, somebody decides about an earlier conflict, and the upload brings another document."""
    in_conflict(desk)
    (first,) = desk.rows("SELECT max(upload_id) FROM upload")[0]
    with transaction(desk.engine) as db, acts.act(db, "upload", "large", MAKER.name, {}) as late:
        decided(desk, sha_of(desk, "conflict"))
        for table in ("upload", "upload_row", "held_row"):
            db.exec_driver_sql(
                f"INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object('upload_id', {late.act_id})"
                f")).* FROM {table} AS t WHERE t.upload_id = {first}"
            )
    with transaction(desk.engine, "cvl_auditor") as db:
        (conflict,) = query(db, "queries/portal/conflicts.sql", rows=None, skip=0, cutoff=None)
        (age,) = query(db, "queries/portal/held_ages.sql", today=date(2026, 8, 15))
        (work,) = query(db, "queries/portal/work.sql", today=date(2026, 8, 15))
    assert (conflict["invoice_number"], conflict["rows"]) == (A, 1)
    assert (age["outcome"], age["invoices"], work["conflicts"]) == ("conflict", 1, 1)


def test_a_document_that_a_person_decided_for_counts_and_is_an_adjustment(desk: Desk) -> None:
    in_conflict(desk)
    with transaction(desk.engine) as db:
        settle(db)
    keep = sha_of(desk, "conflict")
    act = propose(desk, keep)
    run(desk.engine, lambda db: approval.decide(db, act, "approved", CHECKER))
    assert propose(desk, keep) == act
    with transaction(desk.engine) as db:
        (row,) = lines_of(db, draft(db))
    assert (row["kind"], row["basis_fen"], row["granted_fen"]) == ("recovery", 90_000, -2_000)
    assert row["reasons"] == [
        {"code": "corrected", "amount_fen": 10_000},
        {"code": "over_granted", "amount_fen": 2_000, "other_fen": 20_000},
    ]
    assert desk.rows("SELECT gross_fen FROM invoice") == [(106_000,)]
    assert reported_net(desk) == "90000"
    sound(desk)


def test_nothing_counts_before_the_second_person_has_approved(desk: Desk) -> None:
    in_conflict(desk)
    act = propose(desk, sha_of(desk, "conflict"))
    with transaction(desk.engine) as db:
        assert [row["basis_fen"] for row in lines_of(db, draft(db))] == [100_000]
    with pytest.raises(Refused, match="另一名复核"):
        run(desk.engine, lambda db: approval.decide(db, act, "approved", MAKER))
    assert propose(desk, sha_of(desk, "conflict")) == act
    with pytest.raises(Refused, match="尚待复核"):
        propose(desk, sha_of(desk, "own"))


def test_the_first_document_can_be_decided_for_and_then_again_the_other(desk: Desk) -> None:
    in_conflict(desk)
    for keep, basis in (("own", 100_000), ("conflict", 90_000), ("own", 100_000), ("evidence", 90_000)):
        decided(desk, sha_of(desk, keep))
        with transaction(desk.engine) as db:
            assert [row["basis_fen"] for row in lines_of(db, draft(db))] == [basis], keep
        sound(desk)


def test_the_kept_document_handed_in_again_is_a_duplicate_and_others_are_held_against_it(desk: Desk) -> None:
    in_conflict(desk)
    decided(desk, sha_of(desk, "conflict"))
    assert counts(desk.take(xml(LESS), name="again.xml")) == {"duplicate": 1}
    again = xml(LESS).replace(b"<EInvoice>", b"<EInvoice><!-- -->")
    assert counts(desk.take(again, name="third.xml")) == {"duplicate": 1}
    assert counts(desk.take(xml(replace(LESS, rows=SPANNED.rows)), name="b.xml")) == {"conflict": 1}


def test_a_decision_that_takes_the_blue_below_its_reds_is_refused(desk: Desk) -> None:
    in_conflict(desk)
    assert counts(desk.take([line("r", "-950.00", red_of="a")])) == {"accepted": 1}
    act = propose(desk, sha_of(desk, "conflict"))
    with pytest.raises(Refused, match="红字将超过"):
        run(desk.engine, lambda db: approval.decide(db, act, "approved", CHECKER))
    assert desk.rows("SELECT count(*) FROM resolution") == [(0,)]


def test_a_red_letter_after_the_decision_is_held_against_what_counts(desk: Desk) -> None:
    in_conflict(desk)
    decided(desk, sha_of(desk, "conflict"))
    assert counts(desk.take([line("r", "-950.00", red_of="a")])) == {"rejected": 1}
    assert counts(desk.take([line("r", "-900.00", red_of="a")])) == {"accepted": 1}
    with transaction(desk.engine) as db:
        assert [row["basis_fen"] for row in lines_of(db, draft(db))] == [0]
    sound(desk)


def test_a_document_of_other_parties_cannot_take_the_place(desk: Desk) -> None:
    desk.take([line("a")])
    other = replace(LESS, buyer=bill_of(line("a", buyer="D")).buyer)
    assert counts(desk.take(xml(other), name="d.xml")) == {"conflict": 1}
    with pytest.raises(Refused, match="冲红后重开"):
        propose(desk, sha_of(desk, "conflict"))


@pytest.mark.parametrize(("keep", "why"), [("", "x"), ("00000000", "x"), ("own", " ")])
def test_a_decision_names_a_document_and_a_reason(desk: Desk, keep: str, why: str) -> None:
    in_conflict(desk)
    with pytest.raises(CvlError):
        propose(desk, sha_of(desk, "own") if keep == "own" else keep, why)


def test_a_doubtful_document_that_waits_is_accepted_by_the_approval(desk: Desk) -> None:
    doubtful = replace(SPANNED, eiid=real("e"))
    assert counts(desk.take(xml(doubtful), name="a.xml")) == {"held": 1}
    decided(desk, sha_of(desk, "held"))
    assert [number for number, _ in desk.accepted()] == [A]
    with transaction(desk.engine) as db:
        assert [row["basis_fen"] for row in lines_of(db, draft(db))] == [100_000]
    sound(desk)


def test_a_row_whose_number_may_be_rounded_is_accepted_by_the_approval(desk: Desk) -> None:
    rounded = "26502000000099900000"
    assert counts(desk.take([line(rounded)])) == {"held": 1}
    (held,) = [row for row in run(desk.engine, lambda db: resolve.documents(db, rounded)) if row["state"] == "held"]
    decided(desk, held["sha256"], rounded)
    assert [number for number, _ in desk.accepted()] == [rounded]


def test_usage_that_waits_is_taken_up_by_the_decision_that_accepts_its_invoice(desk: Desk) -> None:
    doubtful = replace(SPANNED, eiid=real("e"))
    assert counts(desk.take(xml(doubtful), name="a.xml")) == {"held": 1}
    assert counts(hand_in(desk, focus_csv(focus(A, "1060", date(2026, 7, 1))))) == {"held": 1}
    decided(desk, sha_of(desk, "held"))
    assert [yuan for _, _, _, yuan, _ in days(desk, A)] == [1060]
    sound(desk)


def test_a_template_row_that_a_waiting_document_contradicts_is_accepted_when_decided_for(desk: Desk) -> None:
    assert counts(desk.take(xml(LESS), name="a.xml")) == {"held": 1}
    assert statuses(desk.take([line("a")])) == {A: "conflict"}
    with pytest.raises(Refused, match="没有服务期间"):
        decided(desk, sha_of(desk, "held"))
    act = int(desk.rows("SELECT max(act_id) FROM proposal")[0][0])
    run(desk.engine, lambda db: approval.decide(db, act, "rejected", CHECKER, why="缺服务期间"))
    decided(desk, sha_of(desk, "conflict"))
    assert [number for number, _ in desk.accepted()] == [A]
    sound(desk)


def test_show_tells_the_documents_and_document_gives_their_bytes_back(desk: Desk, tmp_path: Path) -> None:
    in_conflict(desk)
    answer = invoices.show(desk.engine, A)
    assert [(d["kind"], d["state"], d["best"]) for d in answer.data["documents"]] == [
        ("template", "own", True), ("xml", "conflict", False),
    ]  # fmt: skip
    assert any("cvl invoice resolve" in text for text in answer.text)
    decided(desk, sha_of(desk, "conflict"))
    shown = invoices.show(desk.engine, A)
    assert (shown.data["gross"], [d["best"] for d in shown.data["documents"]]) == ("954.00", [False, True])
    assert [row["net"] for row in shown.data["lines"]] == ["900.00"]
    given = resolutions.fetch(desk.engine, A, tmp_path / "out")
    assert xml(LESS) in [Path(each["path"]).read_bytes() for each in given.data["documents"]]
    assert len(list((tmp_path / "out").iterdir())) == 2


def counted(desk: Desk) -> tuple[str, str, int]:
    """Return the first service day, what was paid, and the basis in both witnesses."""
    shown = invoices.show(desk.engine, A).data
    with transaction(desk.engine) as db:
        (row,) = lines_of(db, draft(db))
    return str(shown["service_from"]), shown["paid"] or "", int(str(row["basis_fen"]))


def test_days_and_payments_are_those_of_the_template_that_was_decided_for(desk: Desk) -> None:
    assert counts(desk.take([line("a")])) == {"accepted": 1}
    assert counts(desk.take([line("a", since="2026-06-01", until="2026-06-30", paid="530.00")])) == {"conflict": 1}
    for keep, found in (
        ("conflict", ("2026-06-01", "530.00", 50_000)),
        ("own", ("2026-07-01", "", 100_000)),
        ("evidence", ("2026-06-01", "530.00", 50_000)),
    ):
        decided(desk, sha_of(desk, keep))
        assert counted(desk) == found, keep
    june = sha_of(desk, "evidence")
    assert counts(desk.take([line("a", since="2026-05-01", until="2026-05-31")])) == {"conflict": 1}
    for keep, found in (
        (sha_of(desk, "conflict"), ("2026-05-01", "", 100_000)),
        (june, ("2026-06-01", "530.00", 50_000)),
    ):
        decided(desk, keep)
        assert counted(desk) == found
    assert counts(desk.take(xml(LESS), name="a.xml")) == {"conflict": 1}
    decided(desk, sha_of(desk, "conflict"))
    assert counted(desk) == ("2026-05-01", "", 90_000)
    decided(desk, sha_of(desk, "own"))
    assert counted(desk) == ("2026-07-01", "", 100_000)
    sound(desk)


def test_days_in_a_remark_are_those_of_the_document_that_counts(desk: Desk) -> None:
    assert counts(desk.take(xml(SPANNED), name="a.xml")) == {"accepted": 1}
    june = replace(LESS, remark="账期202606")
    assert counts(desk.take(xml(june), name="b.xml")) == {"conflict": 1}
    decided(desk, sha_of(desk, "conflict"))
    assert counted(desk) == ("2026-06-01", "", 90_000)


def test_a_better_document_that_comes_after_the_decision_counts(desk: Desk) -> None:
    assert counts(desk.take([line("a")])) == {"accepted": 1}
    assert counts(desk.take([line("a", "900.00")])) == {"conflict": 1}
    decided(desk, sha_of(desk, "conflict"))
    server = Row(item="服务器", net="300.00", tax="18.00", code="1090511010000000000")
    split = replace(LESS, rows=(replace(LESS.rows[0], net="600.00", tax="36.00"), server))
    assert counts(desk.take(xml(split), name="a.xml")) == {"duplicate": 2}
    assert counted(desk) == ("2026-07-01", "", 60_000)
