"""What holds of every run, whatever the facts."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from settlement.engine import KINDS, Draft, Line, draft, needed, prorate
from settlement.facts import Facts
from tests.cases import books, histories
from tests.cases.histories import calm, policies, usual
from tests.unit.drafting import CAP, END, POLICY, claims, more, run, told
from voucher.reasons import SENTENCES


@calm
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8), st.integers(1, 10**7))
def test_prorated_lines_add_up_to_what_is_available(nets: list[int], available: int) -> None:
    lines = run(claims(*(net * 5 for net in nets))).lines
    cut = prorate(lines, available)
    assert needed(cut) == min(available, sum(nets))
    for before, after in zip(lines, cut, strict=True):
        assert 0 <= after.granted_fen <= before.granted_fen
        assert after.budget_cut_fen == before.granted_fen - after.granted_fen
        exact = before.granted_fen * available // max(available, sum(nets))
        assert after.granted_fen in (exact, exact + 1)


@calm
@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_more_basis_never_computes_less(net: int, rise: int) -> None:
    small, large = run(claims(net)).lines[0], run(claims(net + rise)).lines[0]
    assert small.computed_fen <= large.computed_fen


@calm
@given(st.lists(st.integers(0, 3 * CAP), min_size=1, max_size=6))
def test_new_claims_share_the_room_in_acceptance_order(worths: list[int]) -> None:
    lines = run(claims(*(worth * 5 for worth in worths))).lines
    ends = [sum(worths[: place + 1]) for place in range(len(worths))]
    expected = [min(end, CAP) - min(end - worth, CAP) for worth, end in zip(worths, ends, strict=True)]
    assert [line.granted_fen for line in lines] == expected


@calm
@given(st.data())
def test_the_order_in_which_facts_are_read_changes_nothing(data: st.DataObject) -> None:
    facts = data.draw(histories.news(2, data.draw(histories.news(1, usual()))))
    shuffle = Random(data.draw(st.integers())).sample
    mixed = replace(
        facts,
        qualifications=shuffle(facts.qualifications, len(facts.qualifications)),
        listings=shuffle(facts.listings, len(facts.listings)),
        relations=shuffle(facts.relations, len(facts.relations)),
        subsidies=shuffle(facts.subsidies, len(facts.subsidies)),
        invoices=shuffle(facts.invoices, len(facts.invoices)),
    )
    assert run(facts, policies()) == run(mixed, policies())


@calm
@given(st.data())
def test_a_later_invoice_takes_nothing_from_an_earlier_one(data: st.DataObject) -> None:
    facts = data.draw(histories.news(1, usual()))
    later = replace(data.draw(histories.blue(99)), received_on=date(2026, 1, 1))
    documents = policies(cap_fen=100_000)
    before = {(line.invoice_id, line.cap_year): line for line in run(facts, documents).lines}
    after = {(line.invoice_id, line.cap_year): line for line in run(more(facts, later), documents).lines}
    assert {key: line for key, line in after.items() if key[0] != 99} == before


@calm
@given(data=st.data())
def test_the_lines_of_one_company_never_depend_on_another(data: st.DataObject) -> None:
    documents, facts = policies(), data.draw(histories.news(1, usual()))
    whole = draft(facts, documents, documents[0].programme, END, backfill=True)
    for company in histories.COMPANIES:
        own = replace(facts, invoices=[each for each in facts.invoices if each.company == company])
        alone = draft(own, documents, documents[0].programme, END, backfill=True)
        for name in ("lines", "held", "backfill_listed"):
            assert getattr(alone, name) == [each for each in getattr(whole, name) if each.company == company]


@calm
@given(st.data())
def test_what_always_holds_in_a_history_of_runs(data: st.DataObject) -> None:
    over_budget = data.draw(st.sampled_from(["refuse", "pro_rata"]))
    documents = policies(
        cap_fen=data.draw(st.sampled_from([100_000, 5_000_000, CAP])),
        overlap=data.draw(st.sampled_from(["exclusive", "exclusive", "top_up", "joint_limit"])),
        over_budget=over_budget,
    )
    facts = usual()
    for number, act in enumerate(data.draw(histories.acts()), 1):
        facts = data.draw(histories.news(number, facts))
        if not act.settles:
            continue
        result = run(facts, documents, act.through, backfill=act.backfill)
        lines = result.lines
        if over_budget == "pro_rata" and needed(lines):
            lines = prorate(lines, data.draw(st.integers(1, needed(lines))))
        holds_for(lines, result)
        facts = books.approve(facts, documents, POLICY.programme, lines, final=over_budget == "pro_rata")
        within_the_cap(facts, documents[0].annual_cap_fen + 1)
        again = run(facts, documents, act.through, backfill=act.backfill)
        assert again.lines == []
        assert again.held == result.held
        assert again.left_out == result.left_out
        if over_budget == "refuse":
            assert told(again.backfill_listed) == told(result.backfill_listed)


def holds_for(lines: Sequence[Line], result: Draft) -> None:
    """Check what holds of any run's lines."""
    order = [(x.company, x.cap_year, KINDS.index(x.kind), x.accepted_no) for x in lines]
    assert order == sorted(order)
    assert len(set(order)) == len(order)
    for line in (*lines, *result.backfill_listed, *result.held):
        codes = [list(SENTENCES).index(reason.code) for reason in line.reasons]
        assert codes == sorted(set(codes))
        assert line.policy_ids == tuple(sorted(set(line.policy_ids)))
        assert 0 <= line.overlap_cut_fen <= line.computed_fen <= line.basis_fen
    for line in lines:
        assert (line.granted_fen < 0) == (line.kind == "recovery")
        if line.kind == "grant":
            rest = line.computed_fen - line.overlap_cut_fen - line.withheld_fen - line.budget_cut_fen
            assert rest == line.granted_fen


def within_the_cap(facts: Facts, cap: int) -> None:
    """Check that no company-year was granted more than its cap, and that no claim was granted less than 0."""
    claims: dict[tuple[int, int], int] = defaultdict(int)
    for row in facts.served:
        claims[row.invoice_id, row.cap_year] += row.granted_fen
    assert all(amount >= 0 for amount in claims.values())
    for company in histories.COMPANIES:
        for year in (2025, 2026, 2027):
            assert 0 <= books.granted(facts, company, year) <= cap
