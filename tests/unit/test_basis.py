"""What of an invoice is basis: its lines, red-letters, payments, contract and metered bill."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from settlement.facts import Contract, InvoiceLine, Metering, Payment, Qualification
from settlement.policy import in_force
from settlement.worth import Registers, weigh
from tests.cases import histories
from tests.cases.histories import invoice, policies, red_of, usual
from tests.unit.weighing import MAY, POLICY, bill, why
from voucher.days import Span, year_span
from voucher.reasons import Reason


@pytest.mark.parametrize(
    ("cell", "red_cell", "register", "basis"),
    [
        (None, None, [], 9000),
        (None, 0, [], 0),
        (None, None, [(1, 4500)], 4500),
        (3000, None, [(1, 1500)], 4500),
        (3000, -1000, [], 2000),
        (0, None, [], 0),
        (9000, None, [(1, 5)], 9000),
        (8999, None, [], 8999),
        (None, None, [(1, 100), (2, 200)], 300),
    ],
)
def test_once_a_payment_is_given_what_is_missing_counts_zero(
    cell: int | None, red_cell: int | None, register: list[tuple[int, int]], basis: int
) -> None:
    blue = invoice(1, 10_000, *MAY, paid_fen=cell)
    red = replace(red_of(blue, 2, 1000), paid_fen=red_cell)
    payments = [Payment("1", date(2026, 6, day), "ref", amount, (1, day)) for day, amount in register]
    facts = replace(usual(), invoices=[blue, red], payments=payments)
    assert bill(facts, blue).basis_fen == basis


def test_a_payment_registered_again_replaces_the_first() -> None:
    blue = invoice(1, 10_000, *MAY)
    payments = [Payment("1", date(2026, 6, 1), "ref", amount, (1, amount)) for amount in (700, 600)]
    assert bill(replace(usual(), payments=payments), blue).basis_fen == 700


def test_the_paid_part_is_gross_and_scales_the_net() -> None:
    blue = invoice(1, 10_000, *MAY, gross_fen=10_600, paid_fen=5_301)
    assert bill(usual(), blue).basis_fen == 10_000 * 5_301 // 10_600
    assert why(usual(), blue) == {"unpaid": 10_000 - 5_000}


def test_the_tighter_of_two_limits_is_named() -> None:
    blue = invoice(1, 10_000, *MAY, paid_fen=6_000, contract_no="HT-1")
    facts = replace(usual(), contracts=[contract(4_000)], invoices=[blue])
    assert why(facts, blue) == {"over_contract": 6_000}
    assert why(facts, replace(blue, paid_fen=3_000)) == {"unpaid": 7_000}
    assert why(replace(facts, contracts=[contract(0)]), replace(blue, paid_fen=None)) == {"over_contract": 10_000}


def contract(amount_fen: int, first: date = date(2026, 1, 1), at: int = 1, **other: str | int) -> Contract:
    """Return a contract of 2026 of provider 11 and company 1."""
    of = {"contract_no": "HT-1", "provider": 11, "company": 1} | other
    return Contract(**of, amount_fen=amount_fen, span=Span(first, date(2027, 1, 1)), at=(at, 1))  # type: ignore[arg-type]


def test_earlier_invoices_of_a_contract_leave_less_of_it() -> None:
    one, two, three = (invoice(i, 10_000, *MAY, gross_fen=10_600, tax_fen=600, contract_no="HT-1") for i in (1, 2, 3))
    facts = replace(usual(), contracts=[contract(15_900)], invoices=[three, two, one])
    assert [bill(facts, each).basis_fen for each in (one, two, three)] == [10_000, 5_000, 0]
    assert why(facts, two) == {"over_contract": 5_000}
    red = red_of(one, 4, 5_300)
    assert bill(replace(facts, invoices=[*facts.invoices, red]), two).basis_fen == 10_000


@pytest.mark.parametrize(
    "other", [{"contract_no": "HT-2"}, {"provider": 12}, {"company": 2}, {"first": date(2026, 6, 1)}]
)
def test_a_contract_of_others_or_of_other_days_limits_nothing(other: dict[str, Any]) -> None:
    blue = invoice(1, 10_000, *MAY, contract_no="HT-1")
    assert bill(replace(usual(), contracts=[contract(0, **other)], invoices=[blue]), blue).basis_fen == 10_000


def test_of_contract_rows_the_newest_of_its_key_and_the_latest_span_count() -> None:
    blue = invoice(1, 10_000, *MAY, contract_no="HT-1")
    rows = [contract(1_000), contract(2_000, at=2), contract(3_000, date(2026, 4, 1))]
    assert bill(replace(usual(), contracts=rows[:2], invoices=[blue]), blue).basis_fen == 2_000
    assert bill(replace(usual(), contracts=rows, invoices=[blue]), blue).basis_fen == 3_000
    void = replace(rows[0], span=Span(date(2026, 1, 1), date(2026, 1, 1)), at=(3, 1))
    assert bill(replace(usual(), contracts=[*rows[:2], void], invoices=[blue]), blue).basis_fen == 10_000
    both = [contract(10_000), contract(10_000, date(2026, 4, 1))]
    early = invoice(2, 10_000, date(2026, 2, 1), date(2026, 2, 28), contract_no="HT-1")
    assert bill(replace(usual(), contracts=both, invoices=[blue, early]), early).basis_fen == 10_000


def test_the_last_fen_of_an_invoice_or_of_what_was_paid_still_counts() -> None:
    assert bill(usual(), invoice(1, 1, *MAY, paid_fen=1)).basis_fen == 1
    assert bill(usual(), invoice(1, 1_000, *MAY, paid_fen=1)).basis_fen == 1


@pytest.mark.parametrize(
    ("net", "gross", "tolerance", "told"),
    [
        (None, None, 0, None),
        ("100.004", None, 0, None),
        ("100.005", None, 0, 10_001),
        ("99.99", None, 1, None),
        (None, "106", 0, None),
        (None, "105.98", 1, 10_598),
        ("99.90", "106.05", 0, 9_990),
        ("99.95", "106.10", 0, 10_610),
        ("99.95", "106.05", 4, 9_995),
        ("-0.005", None, 0, -1),
    ],
)
def test_of_the_metered_sums_the_one_furthest_from_the_invoice_is_told(
    net: str | None, gross: str | None, tolerance: int, told: int | None
) -> None:
    blue = invoice(1, 20_000, *MAY, gross_fen=21_200)
    red = replace(red_of(blue, 2, 10_000), gross_fen=-10_600)
    rows = [
        Metering("1", place == 1, False, Decimal(yuan), [], (place, 1))
        for place, yuan in enumerate((net, gross))
        if yuan is not None
    ]
    registers = Registers(replace(usual(), invoices=[blue, red], meterings=rows))
    assert registers.usage_differs(blue, tolerance) == told


def test_nothing_gross_is_left_after_red_letters() -> None:
    blue = invoice(1, 10_000, *MAY, paid_fen=10_000)
    assert bill(replace(usual(), invoices=[blue, red_of(blue, 2, 10_000)]), blue).basis_fen == 0


def test_a_line_goes_to_the_programme_with_the_longest_prefix() -> None:
    lines = [InvoiceLine(i, code, 10**i) for i, code in enumerate(histories.CODES)]
    blue = invoice(1, 1111, *MAY, lines=lines)
    documents = policies()
    first = weigh(Registers(usual()), in_force(documents), documents[0].programme, blue)
    other = weigh(Registers(usual()), in_force(documents), "other", blue)
    assert (first.eligible_net_fen, first.excluded_net_fen) == (11, 1100)
    assert (other.eligible_net_fen, other.excluded_net_fen) == (1100, 11)


def test_a_prefix_of_one_digit_takes_its_lines_and_days_before_all_documents_leave_none_out() -> None:
    wide = replace(POLICY, eligible_tax_codes=("3",))
    assert bill(usual(), invoice(1, 100, *MAY), [wide]).eligible_net_fen == 100
    early = invoice(1, 3100, date(2024, 5, 1), date(2024, 5, 31))
    assert (why(usual(), early), bill(usual(), early).outside) == ({"before_policy": 3100}, False)


def test_a_rival_counts_only_on_the_first_eligible_day() -> None:
    lines = [InvoiceLine(1, "3040203900000000000", 100)]
    january = invoice(1, 100, date(2026, 1, 31), date(2026, 2, 1), lines=lines)
    february = invoice(1, 100, date(2026, 2, 1), date(2026, 2, 1), lines=lines)
    documents = in_force(policies())
    assert weigh(Registers(usual()), documents, POLICY.programme, january).eligible_net_fen == 100
    assert weigh(Registers(usual()), documents, POLICY.programme, february).eligible_net_fen == 0


def test_the_document_of_the_first_eligible_day_gives_the_tax_codes() -> None:
    old, new, _ = policies()
    new = replace(new, eligible_tax_codes=("9",))
    june = Qualification(1, "ai_agent", Span(date(2026, 6, 1), date(2200, 1, 1)), (1, 1))
    july = replace(june, span=Span(date(2026, 7, 1), date(2200, 1, 1)))
    blue = invoice(1, 9200, date(2026, 5, 31), date(2026, 8, 30))
    assert bill(replace(usual(), qualifications=[june]), blue, [old, new]).eligible_net_fen == 9200
    assert bill(replace(usual(), qualifications=[july]), blue, [old, new]).eligible_net_fen == 0


def test_lines_left_out_are_told_by_year() -> None:
    lines = [InvoiceLine(1, histories.CODES[0], 6200), InvoiceLine(2, "109", 620)]
    blue = invoice(1, 6820, date(2026, 12, 1), date(2027, 1, 31), lines=lines)
    weighed = bill(usual(), blue)
    assert weighed.reasons(year_span(2026)) == (Reason("tax_code_not_eligible", 310),)
    assert weighed.basis_fen == 6200


@pytest.mark.parametrize(
    ("net", "paid", "metered", "cut"),
    [
        (10_000, 5_000, "50", {"unpaid": 5_000}),
        (10_000, 5_001, "50", {"over_metered": 5_000}),
        (10_000, None, "-1", {"over_metered": 10_000}),
        (1, None, "0", {"over_metered": 1}),
    ],
)
def test_a_net_metered_bill_is_a_plain_minimum(net: int, paid: int | None, metered: str, cut: dict[str, int]) -> None:
    facts = replace(usual(), meterings=[Metering("1", False, False, Decimal(metered), [], (1, 1))])
    assert why(facts, invoice(1, net, *MAY, paid_fen=paid)) == cut


def test_of_limits_that_leave_nothing_the_first_is_named_though_more_was_credited_than_used() -> None:
    facts = replace(usual(), meterings=[Metering("1", True, False, Decimal(-5), [], (1, 1))])
    assert why(facts, invoice(1, 10_000, *MAY, paid_fen=0)) == {"unpaid": 10_000}
    assert why(facts, invoice(1, 10_000, *MAY, paid_fen=1)) == {"over_metered": 10_000}
