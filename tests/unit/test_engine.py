"""The run: recovery, backfill and grant, the room of a company-year, the budget."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from settlement.engine import Room, needed, prorate, room_of, share_out, shares, takers
from settlement.facts import (
    InvoiceLine,
    Metering,
    Payment,
    Refusal,
    Served,
    Standing,
    Subsidy,
    Verification,
    VoucherState,
)
from tests.cases import books
from tests.cases.histories import invoice, policies, red_of, usual
from tests.cases.player import policy
from tests.unit.drafting import CAP, MAY, POLICY, claims, more, run, served, told
from voucher.days import Span
from voucher.reasons import Reason


def test_a_claim_without_a_fen_still_has_its_line() -> None:
    assert told(run(claims(4)).lines) == [(1, "grant", 0, 0)]


def test_a_claim_is_taken_from_the_end_of_its_last_month_on() -> None:
    facts = claims(500)
    assert run(facts, through=date(2026, 4, 30)).lines == []
    assert told(run(facts, through=date(2026, 5, 31)).lines) == [(1, "grant", 100, 0)]


def test_the_last_eligible_day_decides_the_month_not_the_last_service_day() -> None:
    closed = replace(usual().qualifications[0], span=replace(usual().qualifications[0].span, end=date(2026, 5, 1)))
    facts = replace(usual(), qualifications=[closed], invoices=[invoice(1, 6100, date(2026, 4, 1), MAY[1])])
    assert [line.basis_fen for line in run(facts, through=date(2026, 4, 30)).lines] == [3000]


def test_a_claim_after_the_month_reserves_no_room() -> None:
    early = invoice(1, 5 * CAP, date(2026, 6, 1), date(2026, 6, 30))
    late = invoice(2, 500, *MAY)
    assert told(run(replace(usual(), invoices=[early, late]), through=MAY[1]).lines) == [(2, "grant", 100, 0)]


def test_rounding_happens_once_per_claim_over_two_documents() -> None:
    old, new, _ = policies()
    facts = replace(usual(), invoices=[invoice(1, 62, date(2026, 6, 1), date(2026, 7, 31))])
    line = run(facts, [old, new]).lines[0]
    assert line.computed_fen == (30 * 2000 + 32 * 3333) // 10_000
    assert line.policy_ids == ("amended", old.id)
    assert [line.policy_ids for line in run(claims(62), [old, new]).lines] == [(old.id,)]


def test_backfill_comes_before_new_claims_and_keeps_its_room_when_only_listed() -> None:
    facts = served(claims(5 * CAP - 500, 1000))
    facts = more(facts, red_of(facts.invoices[0], 3, 250), invoice(4, 1000, *MAY))
    listed, granted = run(facts), run(facts, backfill=True)
    assert told(listed.lines) == [(1, "recovery", -50, 0), (4, "grant", 0, 200)]
    assert told(listed.backfill_listed) == [(2, "backfill", 50, 50)]
    assert told(granted.lines) == [(1, "recovery", -50, 0), (2, "backfill", 50, 50), (4, "grant", 0, 200)]
    assert granted.backfill_listed == []


def test_a_backfill_that_finds_no_room_is_not_listed() -> None:
    assert run(served(claims(5 * CAP + 5))).backfill_listed == []


def test_what_a_pro_rata_run_cut_is_not_backfilled_but_a_later_rise_is() -> None:
    facts = claims(10_000, paid_fen=5_000)
    cut = prorate(run(facts).lines, 600)
    facts = books.approve(facts, [POLICY], POLICY.programme, cut, final=True)
    assert run(facts).backfill_listed == []
    paid = replace(facts, payments=[Payment("1", MAY[1], "ref", 1_000, (1, 1))])
    assert told(run(paid).backfill_listed) == [(1, "backfill", 200, 0)]


def voucher(face: int, balance: int, **changes: bool) -> VoucherState:
    return VoucherState(1, 2026, face, balance, **{"automatic": True, "frozen": False, "revoked": False, **changes})


@pytest.mark.parametrize(
    ("state", "room"),
    [
        (None, CAP),
        (voucher(CAP, CAP - 300), CAP - 300),
        (voucher(CAP - 1000, 700), 1700),
        (voucher(CAP + 1000, 1000), 0),
        (voucher(900, 600, automatic=False), 600),
        (voucher(CAP, CAP, revoked=True), 0),
    ],
)
def test_the_room_is_what_the_voucher_leaves(state: VoucherState | None, room: int) -> None:
    facts = replace(claims(10 * CAP), vouchers=[state] if state else [])
    assert told(run(facts).lines) == [(1, "grant", room, 2 * CAP - room)]


@pytest.mark.parametrize(
    ("state", "standing", "room"),
    [
        (None, Standing(1, False, None), Room(CAP)),
        (None, Standing(1, True, None), Room(CAP, frozen=True)),
        (None, Standing(1, False, 2027), Room(CAP)),
        (None, Standing(1, False, 2026), Room(0, closed=True)),
        (None, Standing(1, True, 2025), Room(0, frozen=True, closed=True)),
        (voucher(CAP, 300), Standing(1, True, 2027), Room(300, frozen=True)),
        (voucher(CAP, 300), Standing(1, False, 2026), Room(0, closed=True)),
        (voucher(CAP, 300, frozen=True), Standing(1, False, None), Room(300, frozen=True)),
        (voucher(CAP, 300, revoked=True), Standing(1, False, 2027), Room(0, closed=True)),
        (voucher(CAP + 400, 300), None, Room(-100)),
    ],
)
def test_a_company_frozen_or_absorbed_binds_its_room(
    state: VoucherState | None, standing: Standing | None, room: Room
) -> None:
    assert room_of(state, POLICY, 2026, standing) == room


def test_a_year_without_a_document_has_no_room_but_what_is_granted_counts() -> None:
    assert room_of(None, None, 2026, None) == Room(0)
    assert room_of(voucher(CAP, CAP - 300), None, 2026, None) == Room(-300)


def test_a_frozen_company_waits_and_an_absorbed_one_gets_nothing_of_later_years() -> None:
    later = invoice(3, 500, date(2027, 5, 1), date(2027, 5, 31), company=2)
    facts = more(claims(500), invoice(2, 500, *MAY, company=2), later)
    facts = replace(facts, standings=[Standing(1, True, None), Standing(2, False, 2027)])
    result = run(facts)
    assert told(result.lines) == [(2, "grant", 100, 0), (3, "grant", 0, 100)]
    assert [(line.invoice_id, line.reasons) for line in result.held] == [(1, (Reason("frozen", 100),))]


def test_without_a_voucher_nothing_is_granted_when_vouchers_are_applied_for() -> None:
    assert told(run(claims(500), [policy({"issuance": "application"})]).lines) == [(1, "grant", 0, 100)]


def test_a_recovery_does_not_reopen_a_revoked_voucher() -> None:
    facts = served(claims(5000, 5000))
    facts = replace(facts, vouchers=[replace(facts.vouchers[0], revoked=True)])
    facts = more(facts, red_of(facts.invoices[0], 3, 5000), invoice(4, 500, *MAY))
    assert told(run(facts).lines) == [(1, "recovery", -1000, 0), (4, "grant", 0, 100)]


def test_a_frozen_voucher_holds_all_but_recoveries() -> None:
    facts = served(claims(5 * CAP - 500, 1000))
    facts = replace(facts, vouchers=[replace(facts.vouchers[0], frozen=True)])
    facts = more(facts, red_of(facts.invoices[0], 3, 250), invoice(4, 1000, *MAY))
    result = run(facts, backfill=True)
    assert told(result.lines) == [(1, "recovery", -50, 0)]
    assert told(result.held) == [(2, "backfill", 0, 0), (4, "grant", 0, 0)]
    assert [line.reasons for line in result.held] == [(Reason("frozen", 50),), (Reason("frozen", 200),)]


def test_a_held_claim_reserves_no_room() -> None:
    facts = replace(claims(5 * CAP, 500), subsidies=[Subsidy("1", "甲", 100, False, (1, 1))])
    result = run(facts)
    assert told(result.lines) == [(2, "grant", 100, 0)]
    assert result.held[0].reasons == (Reason("other_subsidy_undecided", CAP, 100),)


@pytest.mark.parametrize("year", [None, 2026])
def test_a_refused_claim_is_worth_nothing_until_the_refusal_is_lifted(year: int | None) -> None:
    facts = claims(500)
    refused = replace(facts, refusals=[Refusal("1", year, refused=True, at=(1, 1))])
    line = run(refused).lines[0]
    assert (line.computed_fen, line.overlap_cut_fen, line.granted_fen) == (100, 100, 0)
    assert line.reasons == (Reason("refused", 100),)
    lifted = replace(served(refused), refusals=[])
    assert told(run(lifted).backfill_listed) == [(1, "backfill", 100, 0)]
    again = replace(served(facts), refusals=[Refusal("1", year, refused=True, at=(1, 1))])
    assert told(run(again).lines) == [(1, "recovery", -100, 0)]


def test_the_refusal_of_another_year_changes_nothing() -> None:
    assert told(run(replace(claims(500), refusals=[Refusal("1", 2027, refused=True, at=(1, 1))])).lines) == [
        (1, "grant", 100, 0)
    ]


def test_below_the_minimum_spend_new_claims_wait_and_settled_ones_are_recovered() -> None:
    few = policy({"min_spend_fen": 1001})
    facts = claims(500, 500)
    assert run(facts, [few]).lines == []
    assert [line.reasons for line in run(facts, [few]).held] == [(Reason("below_min_spend", 100, 1000),)] * 2
    assert told(run(more(facts, invoice(3, 1, *MAY)), [few]).lines)[0] == (1, "grant", 100, 0)
    assert told(run(served(facts), [few]).lines) == [(1, "recovery", -100, 0), (2, "recovery", -100, 0)]


def test_a_settled_claim_without_an_eligible_day_is_recovered_whole() -> None:
    facts = replace(served(claims(500)), qualifications=[])
    line = run(facts).lines[0]
    assert told([line]) == [(1, "recovery", -100, 0)]
    assert (line.basis_fen, line.computed_fen, line.policy_ids) == (0, 0, (POLICY.id,))
    assert line.reasons == (Reason("not_qualified", 500), Reason("over_granted", 100, 100))


def test_a_claim_without_a_day_that_counts_names_the_documents_of_its_year_or_the_last_one() -> None:
    ends = (POLICY.span.start, date(2026, 7, 1), date(2027, 1, 1), date(2027, 3, 1))
    documents = [replace(POLICY, id=f"part-{i}", span=Span(ends[i], ends[i + 1])) for i in range(3)]
    year = invoice(2, 500, date(2028, 5, 1), date(2028, 5, 31))
    rows = [Served(place, at, "grant", 100, 0, 0, False) for place, at in ((1, 2026), (2, 2028))]
    facts = replace(more(claims(500), year), qualifications=[], served=rows)
    assert [(line.cap_year, line.granted_fen, line.policy_ids) for line in run(facts, documents).lines] == [
        (2026, -100, ("part-0", "part-1")),
        (2028, -100, ("part-2",)),
    ]


def test_an_invoice_left_out_says_why_over_its_whole_span() -> None:
    facts = replace(usual(), invoices=[invoice(1, 6200, date(2027, 12, 1), date(2028, 1, 31))], listings=[])
    left = run(facts).left_out[0]
    assert left.reasons == (Reason("after_policy", 3100), Reason("not_listed", 3100))


def test_lines_come_by_company_year_kind_and_acceptance() -> None:
    both = invoice(1, 6200, date(2026, 12, 1), date(2027, 1, 31), company=2)
    facts = served(replace(usual(), invoices=[both, invoice(2, 5000, *MAY)]))
    facts = more(facts, red_of(facts.invoices[1], 3, 5000), invoice(5, 50, *MAY), invoice(4, 50, *MAY, company=2))
    facts = more(facts, red_of(both, 6, 6200))
    order = [(line.company, line.cap_year, line.kind, line.accepted_no) for line in run(facts).lines]
    assert order == [
        (1, 2026, "recovery", 2),
        (1, 2026, "grant", 5),
        (2, 2026, "recovery", 1),
        (2, 2026, "grant", 4),
        (2, 2027, "recovery", 1),
    ]


def test_the_budget_covers_grants_and_backfills() -> None:
    facts = served(claims(5 * CAP - 500, 1000))
    facts = more(facts, red_of(facts.invoices[0], 3, 500), invoice(4, 1000, *MAY, company=2))
    assert needed(run(facts, backfill=True).lines) == 100 + 200


def test_enough_budget_cuts_nothing() -> None:
    lines = run(claims(500, 500)).lines
    assert prorate(lines, 200) == lines
    assert [line.budget_cut_fen for line in prorate(lines, 199)] == [0, 1]


def test_a_recovery_takes_no_share_of_what_is_available() -> None:
    facts = served(claims(1000, 1000))
    facts = more(facts, red_of(facts.invoices[0], 3, 1000), invoice(4, 1000, *MAY))
    lines = run(facts).lines
    assert [(line.invoice_id, line.kind) for line in lines] == [(1, "recovery"), (4, "grant")]
    assert takers(lines) == [(4, 2026, 200)]
    cut = share_out(lines, shares(takers(lines), 199))
    assert cut[0] is lines[0]
    assert (cut[1].granted_fen, cut[1].budget_cut_fen) == (199, 1)
    with pytest.raises(AssertionError):
        shares(takers(lines), 0)


def test_a_claim_waits_for_the_tax_platform_where_that_is_asked_for() -> None:
    asked = policy({"tax_verification": "required"})
    facts = claims(1000, 2000)
    held = run(facts, [asked])
    assert (told(held.lines), told(held.held)) == ([], [(1, "grant", 0, 0), (2, "grant", 0, 0)])
    assert held.held[1].reasons == (Reason("not_verified", 400),)
    day, before = date(2026, 5, 2), date(2026, 5, 1)
    said = [Verification("1", day, True, (1, 1)), Verification("2", day, False, (1, 2))]
    said += [Verification("1", before, False, (2, 1)), Verification("2", before, True, (2, 2))]
    facts = replace(facts, verifications=said)
    found = run(facts, [asked])
    assert (told(found.lines), [line.invoice_id for line in found.held]) == ([(1, "grant", 200, 0)], [2])
    doubted = replace(served(facts, [asked]), verifications=[Verification("1", day, False, (2, 1))])
    later = run(doubted, [asked])
    assert (later.lines, [line.invoice_id for line in later.held]) == ([], [2])


def test_a_claim_waits_for_a_person_when_usage_differs_where_that_is_asked_for() -> None:
    asked = policy({"usage_sum": "hold", "usage_sum_tolerance_fen": 5})
    rows = [Metering(str(n), False, False, Decimal(yuan), [], (1, n)) for n, yuan in ((1, "10.05"), (2, "20.06"))]
    facts = replace(claims(1000, 2000), meterings=rows)
    found = run(facts, [asked])
    assert told(found.lines) == [(1, "grant", 200, 0)]
    assert [(line.invoice_id, line.reasons) for line in found.held] == [(2, (Reason("usage_sum_differs", 400, 2006),))]
    assert run(facts).held == []
    later = run(replace(served(claims(1000, 2000)), meterings=rows), [asked])
    assert (later.lines, later.held) == ([], [])


def test_an_invoice_without_one_line_of_the_programme_has_no_claim() -> None:
    other = invoice(1, 1000, *MAY, lines=[InvoiceLine(1, "1090511010000000000", 1000)])
    found = run(replace(usual(), invoices=[other]))
    assert (found.lines, [each.invoice_id for each in found.left_out]) == ([], [1])
    weighed = found.left_out[0]
    assert weighed.reasons == (Reason("tax_code_not_eligible", 1000),)


def test_a_fen_left_over_goes_to_no_line_without_a_share() -> None:
    assert shares([(1, 2026, 0), (2, 2026, 3), (3, 2026, 3)], 3) == {(1, 2026): 0, (2, 2026): 2, (3, 2026): 1}


def test_what_a_found_subsidy_leaves_open_is_what_was_granted() -> None:
    capped = policy({"annual_cap_fen": 150})
    settled = served(claims(1000), [capped])
    found = run(replace(settled, subsidies=[Subsidy("1", "甲", 199, False, (9, 1))]), [capped])
    assert told(found.held) == [(1, "grant", 0, 0)]
    assert found.held[0].reasons[-1] == Reason("overlap_open", 150, 199)
