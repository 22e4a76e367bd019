"""Generated facts for the comparison of both engines and for the properties of the plain one.

Small numbers of companies and providers, spans around the edges of the policy and of years, amounts from a
few fen to several caps, rows that supersede or void each other: so that the rules meet each other often.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from settlement.facts import (
    Contract,
    Facts,
    Invoice,
    InvoiceLine,
    Listing,
    Metering,
    Payment,
    Qualification,
    Refusal,
    Relation,
    Subsidy,
    Verification,
)
from settlement.policy import Policy
from tests.cases.player import policy
from voucher.days import Span

calm = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
"""Time is no failure on a busy machine; a failure prints how to repeat it."""
COMPANIES = (1, 2)
PROVIDERS = (11, 12)
CONTRACTS = ("HT-1", "HT-2")
CODES = ("3040203000000000000", "3040201990000000000", "1090511010000000000", "3040203900000000000")
EDGES = (date(2026, 3, 31), date(2026, 4, 1), date(2027, 4, 1))
FIRST = date(2025, 11, 1)
STARTS = [FIRST + timedelta(days=days) for days in range(0, 800, 13)]


def policies(cap_fen: int = 100_000_000, overlap: str = "exclusive", over_budget: str = "refuse") -> list[Policy]:
    """Return two programmes: one amended in mid 2026, one with a longer tax prefix."""
    joint = {"joint_limit_bp": 3000} if overlap == "joint_limit" else {}
    first = policy({"annual_cap_fen": cap_fen, "overlap": overlap, "over_budget": over_budget, **joint})
    amended = replace(
        first,
        id="amended",
        supersedes=first.id,
        span=Span(date(2026, 7, 1), first.span.end),
        rate_bp=3333,
        annual_cap_fen=cap_fen + 1,
        categories={"ai_agent": "智能体"},
        related_party_share_bp=5000,
    )
    other = replace(
        first,
        id="other.1",
        programme="other",
        span=Span(date(2026, 2, 1), date(2027, 2, 1)),
        eligible_tax_codes=("30402039", "109"),
    )
    return [first, amended, other]


@st.composite
def spans(draw: st.DrawFn, longest: int = 400) -> Span:
    """Draw a span; now and then an empty one, as a row that voids another has it."""
    start = draw(st.sampled_from(STARTS))
    return Span(start, start + timedelta(days=draw(st.sampled_from([0, 1, 30, 31, 61, 92, longest]))))


@st.composite
def blue(draw: st.DrawFn, invoice_id: int) -> Invoice:
    """Draw a blue invoice; its number is its id, as is its 受理号."""
    span = draw(spans().filter(lambda each: each.days > 0))
    nets = draw(st.lists(st.sampled_from([1, 4, 99, 12_345, 700_001, 30_000_000]), min_size=1, max_size=3))
    lines = [InvoiceLine(place, draw(st.sampled_from(CODES)), net) for place, net in enumerate(nets, 1)]
    tax = sum(nets) * 6 // 100
    return Invoice(
        invoice_id=invoice_id,
        number=str(invoice_id),
        kind="blue",
        original_number=None,
        company=draw(st.sampled_from(COMPANIES)),
        provider=draw(st.sampled_from(PROVIDERS)),
        accepted_no=invoice_id,
        received_on=draw(st.sampled_from([*[min(span.last, date(span.start.year + 1, 3, 31))] * 5, *EDGES])),
        span=span,
        net_fen=sum(nets),
        tax_fen=tax,
        gross_fen=sum(nets) + tax,
        paid_fen=draw(st.none() | st.integers(0, sum(nets) + tax)),
        lines=lines,
        contract_no=draw(st.sampled_from(["", *CONTRACTS])),
    )


@st.composite
def red(draw: st.DrawFn, invoice_id: int, original: Invoice) -> Invoice:
    """Draw a red-letter of an invoice: a part of its first line, or all of it."""
    line = original.lines[0]
    net = draw(st.sampled_from([line.net_fen, (line.net_fen + 2) // 3, 1]))
    tax = original.tax_fen * net // original.net_fen
    return replace(
        original,
        invoice_id=invoice_id,
        number=str(invoice_id),
        kind="red",
        original_number=original.number,
        accepted_no=invoice_id,
        net_fen=-net,
        tax_fen=-tax,
        gross_fen=-net - tax,
        paid_fen=draw(st.none() | st.just(0)),
        lines=[InvoiceLine(1, line.tax_code, -net)],
    )


@st.composite
def registers(draw: st.DrawFn, act: int) -> Facts:
    """Draw the registry rows of one act; keys repeat, so later acts supersede earlier ones."""
    usual = Span(date(2025, 1, 1), date(2200, 1, 1))
    shortened = st.sampled_from([*STARTS[20:], usual.start]).map(lambda end: Span(usual.start, end))
    some = st.one_of(st.just(usual), st.just(usual), shortened, spans())
    company, provider = st.sampled_from(COMPANIES), st.sampled_from(PROVIDERS)
    ats = [(act, place) for place in range(30)]
    category = st.sampled_from(["ai_agent", "ai_agent", "digital_twin", "unheard_of"])
    return Facts(
        qualifications=[
            Qualification(draw(company), draw(category), draw(some), ats[i]) for i in range(draw(st.integers(0, 3)))
        ],
        listings=[Listing(draw(provider), draw(some), ats[i]) for i in range(draw(st.integers(0, 3)))],
        relations=[
            Relation(
                draw(provider),
                draw(company),
                draw(st.sampled_from(["shareholding", "shareholding", "common_control"])),
                draw(st.sampled_from([1, 2499, 2500, 5000])),
                draw(spans(61)),
                ats[i],
            )
            for i in range(draw(st.integers(0, 1)))
        ],
    )


@st.composite
def metering(draw: st.DrawFn, act: int, place: int, of: Invoice) -> Metering:
    """Draw what a file of usage says of an invoice: near its amount or far from it, days within its span or not."""
    assert of.span is not None
    gross = draw(st.booleans())
    amount = of.gross_fen if gross else of.net_fen
    scale = st.sampled_from(
        [Decimal("-0.1"), Decimal(0), Decimal("0.3333333333"), Decimal("0.5"), Decimal(1), Decimal(2)]
    )
    days = sorted(draw(st.sets(st.integers(-2, of.span.days + 1), max_size=4)))
    weight = st.sampled_from([Decimal("0.000000000001"), Decimal("7.25"), Decimal(90_000), Decimal("-1.5"), Decimal(0)])
    return Metering(
        invoice_number=of.number,
        gross=gross,
        replaces=draw(st.booleans()),
        metered_yuan=amount * draw(scale) / 100,
        days=[(of.span.start + timedelta(days=day), draw(weight)) for day in days],
        at=(act, place),
    )


@st.composite
def invoices(draw: st.DrawFn, before: Facts) -> Facts:
    """Draw some blue invoices and perhaps a red-letter, with ids that follow those there are."""
    numbers = iter(range(len(before.invoices) + 1, 10_000))
    fresh = [draw(blue(next(numbers))) for _ in range(draw(st.integers(1, 4)))]
    reversed_ = {each.original_number for each in before.invoices if each.kind == "red"}
    open_ = [each for each in before.invoices if each.kind == "blue" and each.number not in reversed_]
    if draw(st.booleans()) and open_:
        fresh.append(draw(red(next(numbers), draw(st.sampled_from(open_)))))
    return Facts(invoices=fresh)


@st.composite
def adjustments(draw: st.DrawFn, act: int, blues: Sequence[Invoice]) -> Facts:
    """Draw what one act adds about blue invoices there are: subsidies, payments, refusals, contracts, usage, …"""
    known = [each.number for each in blues]
    some = [draw(st.sampled_from(known))] if draw(st.booleans()) and known else []
    used = draw(st.lists(st.sampled_from(blues), max_size=2, unique_by=lambda each: each.number)) if blues else []
    used.sort(key=lambda each: each.invoice_id)
    amount = st.sampled_from([1, 500, 70_000, 9_000_000])
    left = st.sampled_from([0, 800_000, 40_000_000])
    company, provider = st.sampled_from(COMPANIES), st.sampled_from(PROVIDERS)
    return Facts(
        subsidies=[
            Subsidy(n, draw(st.sampled_from("甲乙")), draw(amount), draw(st.booleans()), (act, 40)) for n in some
        ],
        payments=[Payment(n, date(2026, 5, 1), draw(st.sampled_from("ab")), draw(amount), (act, 50)) for n in some],
        verifications=[
            Verification(n, date(2026, 5, draw(st.integers(1, 3))), draw(st.booleans()), (act, 60 + i))
            for i, n in enumerate([*some, *known[-2:]])
        ],
        refusals=[
            Refusal(n, draw(st.sampled_from([None, 2026])), draw(st.booleans()) or draw(st.booleans()), (act, 1))
            for n in some[:1]
        ],
        contracts=[
            Contract(draw(st.sampled_from(CONTRACTS)), draw(provider), draw(company), draw(left), draw(spans()), at)
            for at in [(act, 80)] * draw(st.integers(0, 1))
        ],
        meterings=[draw(metering(act, 90 + i, each)) for i, each in enumerate(used)],
    )


def joined(before: Facts, *news: Facts) -> Facts:
    """Return facts with others after them, kind by kind."""
    kinds = [field.name for field in fields(Facts)]
    return Facts(**{kind: [row for each in (before, *news) for row in getattr(each, kind)] for kind in kinds})


def blues(facts: Facts) -> list[Invoice]:
    """List the blue invoices."""
    return [each for each in facts.invoices if each.kind == "blue"]


@st.composite
def news(draw: st.DrawFn, act: int, before: Facts) -> Facts:
    """Draw facts with what one act adds: registry rows, invoices, red-letters, subsidies, payments."""
    rows, fresh = draw(registers(act)), draw(invoices(before))
    return joined(before, rows, fresh, draw(adjustments(act, blues(joined(before, fresh)))))


@dataclass(frozen=True, slots=True)
class Act:
    """One move of a history: news drawn by a seed come in, then perhaps a run."""

    settles: bool
    backfill: bool
    through: date


@st.composite
def acts(draw: st.DrawFn) -> list[Act]:
    """Draw the moves of a history, most of them with a run."""
    months = [date(2025, 12, 31), date(2026, 6, 30), date(2026, 12, 31), date(2028, 12, 31)]
    one = st.builds(Act, st.sampled_from([True, True, False]), st.booleans(), st.sampled_from(months))
    return draw(st.lists(one, min_size=2, max_size=6))


def usual() -> Facts:
    """Return facts in which all companies are qualified and all providers listed for good."""
    always = Span(date(2025, 1, 1), date(2200, 1, 1))
    return Facts(
        qualifications=[Qualification(company, "ai_agent", always, (0, company)) for company in COMPANIES],
        listings=[Listing(provider, always, (0, provider)) for provider in PROVIDERS],
    )


def invoice(invoice_id: int, net: int, first: date, last: date, **changes: object) -> Invoice:
    """Return a plain blue invoice of company 1 and provider 11; both days inclusive, net in fen, no tax."""
    plain = Invoice(
        invoice_id=invoice_id,
        number=str(invoice_id),
        kind="blue",
        original_number=None,
        company=1,
        provider=11,
        accepted_no=invoice_id,
        received_on=first,
        span=Span(first, last + timedelta(days=1)),
        net_fen=net,
        tax_fen=0,
        gross_fen=net,
        paid_fen=None,
        lines=[InvoiceLine(1, CODES[0], net)],
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def red_of(original: Invoice, invoice_id: int, net: int) -> Invoice:
    """Return a red-letter of a plain invoice. net: fen, above zero."""
    return replace(
        original,
        invoice_id=invoice_id,
        number=str(invoice_id),
        kind="red",
        original_number=original.number,
        accepted_no=invoice_id,
        net_fen=-net,
        gross_fen=-net,
        lines=[InvoiceLine(1, original.lines[0].tax_code, -net)],
    )
