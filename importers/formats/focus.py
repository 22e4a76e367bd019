"""FOCUS 1.0 to 1.2, the FinOps open cost and usage specification: csv, xlsx or parquet, one row per charge.

A usage annex and never money: what an invoice is worth stands on the invoice. BilledCost over an InvoiceId must be its
payable amount, tax and all. Our own rules on it, since the official validator reads a 20-digit InvoiceId as nothing and
refuses Chinese names; the specification itself does not.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from importers.columns import RETURN_COLUMNS, Header, header_name
from importers.messages import make
from importers.usage_cells import Instants, day_of, is_day_start
from importers.usage_format import EVIDENCE, UsageFormat
from importers.usage_profile import Profile
from importers.usage_reading import AMOUNT, QUANTITY, Rule, Said
from voucher.problem import Problem

KINDS = ("csv", "xlsx", "parquet")
PROFILE = Profile(
    name="FOCUS",
    title="FOCUS 成本与用量明细",
    basis="gross",
    zone="UTC",
    utc=True,
    telling=("ChargeCategory", "BillingPeriodStart"),
    columns={
        "number": ("InvoiceId",),
        "amount": ("BilledCost",),
        "from": ("ChargePeriodStart",),
        "until": ("ChargePeriodEnd",),
        "unit": ("PricingUnit",),
        "quantity": ("PricingQuantity",),
        "currency": ("BillingCurrency",),
        "company": ("BillingAccountId",),
    },
)
MANDATORY = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodStart",
    "BillingPeriodEnd", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodStart", "ChargePeriodEnd",
    "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit",
    "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
)  # fmt: skip
FURTHER = (
    "AvailabilityZone", "BillingAccountType", "CapacityReservationId", "CapacityReservationStatus", "ChargeFrequency",
    "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName", "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus", "CommitmentDiscountType", "CommitmentDiscountUnit", "ConsumedQuantity",
    "ConsumedUnit", "ContractedUnitPrice", "InvoiceId", "ListUnitPrice", "PricingCategory", "PricingCurrency",
    "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice", "RegionId",
    "RegionName", "ResourceId", "ResourceName", "ResourceType", "ServiceSubcategory", "SkuId", "SkuMeter",
    "SkuPriceDetails", "SkuPriceId", "SubAccountId", "SubAccountName", "SubAccountType", "Tags",
)  # fmt: skip
FILLED = ("BillingAccountId", "BillingCurrency", "InvoiceIssuerName", "ProviderName", "PublisherName", "ServiceName")
"""Mandatory columns that may not be empty, beside those that have a rule of their own."""
CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
FREQUENCIES = ("One-Time", "Recurring", "Usage-Based")
PRICINGS = ("Standard", "Dynamic", "Committed", "Other")
SERVICES = (
    "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools",
    "Multicloud", "Identity", "Integration", "Internet of Things", "Management and Governance", "Media", "Migration",
    "Mobile", "Networking", "Security", "Storage", "Web", "Other",
)  # fmt: skip
COMPUTE = ("AI and Machine Learning", "Compute")
_UNIT = re.compile(
    r"(?:\d+ )?[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z][A-Za-z0-9]*)*(?:/[A-Za-z]+)?\Z|[\u4e00-\u9fff·A-Za-z]+\Z"
)
_POWER = re.compile(r"[PTE]FLOPS|(?<![A-Za-z])P·|[PTE]OPS", re.IGNORECASE)
_PRECISION = re.compile(r"(?:FP|BF|TF|INT)\d+", re.IGNORECASE)
_start = Instants("UTC", closing=False, utc_only=True)


def about(header: Header) -> Iterator[Problem]:
    """Say which mandatory columns are missing, and which columns are none of the specification."""
    names = {header_name(cell): cell for cell in header.cells if header_name(cell)}
    if missing := [name for name in MANDATORY if name not in names]:
        yield make("focus_column_missing", value="、".join(missing), row=header.row_no, sheet=header.sheet)
    known = {*MANDATORY, *FURTHER, *RETURN_COLUMNS}
    if unknown := [name for name in names if name not in known and not name.startswith("x_")]:
        yield make("focus_column_unknown", value="、".join(unknown), row=header.row_no, sheet=header.sheet)


def _one_of(code: str, column: str, words: Sequence[str], *, empty: bool = True) -> Rule:
    """Make the rule that a column has one of some words; a column that is not there has none to be wrong."""

    def judge(word: str | None) -> Iterable[Said]:
        fine = word is None or word in words or (empty and not word)
        return () if fine else ((code, column, word or ""),)

    return Rule((column,), judge)


def _filled(column: str) -> Rule:
    """Make the rule that a column is not empty."""
    return Rule((column,), lambda word: (("focus_empty", column, ""),) if word == "" else ())


def _not_compute(service: str | None) -> Iterable[Said]:
    if service in SERVICES and service not in COMPUTE:
        yield "focus_not_compute", "ServiceCategory", service


def _period(
    since: str | None, until: str | None, start: str | None, end: str | None, kind: str | None
) -> Iterable[Said]:
    """Judge the billing period, and the charge's period against it."""
    if since is None or until is None:
        return
    first, last = _start(since)[0], _start(until)[0]
    if first is None or last is None or last <= first:
        yield "focus_billing_period", "BillingPeriodStart", f"{since}/{until}"
        return
    yield from _month(first, last, f"{since}/{until}")
    begins, ends = _start(start or "")[0], _start(end or "")[0]
    inside = begins is None or (first <= begins < last and (ends is None or ends <= last))
    if not inside and kind != "Correction":
        yield "focus_outside_period", "ChargePeriodStart", start or ""
    if inside and kind == "Correction" and begins is not None:
        yield "focus_correction_inside", "ChargeClass", kind


def _month(first: int, last: int, shown: str) -> Iterable[Said]:
    """Judge whether a billing period is a whole month here, or one of UTC's."""
    if is_day_start(first) and is_day_start(last) and _next_month(day_of(first)) == day_of(last):
        return
    utc = first % 86_400 == 0 and last % 86_400 == 0 and _next_month(first // 86_400) == last // 86_400
    yield "focus_month_utc" if utc else "focus_month_partial", "BillingPeriodStart", shown


def _next_month(day: int) -> int | None:
    """Return the first day of the month after one that begins on a day; both counted from 1970-01-01."""
    begins = date(1970, 1, 1) + timedelta(days=day)
    if begins.day != 1:
        return None
    following = date(begins.year + begins.month // 12, begins.month % 12 + 1, 1)
    return (following - date(1970, 1, 1)).days


def _signs(category: str | None, kind: str | None, cost: str, quantity: str, unit: str | None) -> Iterable[Said]:
    """Judge signs of cost and quantity, and that what must have a quantity has one, with its unit."""
    correction = kind == "Correction"
    if category == "Usage" and not quantity and unit is not None:
        yield "focus_quantity_missing", "PricingQuantity", ""
    if category == "Tax" and quantity:
        yield "focus_quantity_of_tax", "PricingQuantity", ""
    if quantity == "-" and category == "Usage" and not correction:
        yield "focus_quantity_negative", "PricingQuantity", ""
    if cost == "-" and category in ("Usage", "Purchase") and not correction:
        yield "focus_cost_negative", "BilledCost", ""
    if cost == "+" and category == "Credit" and not correction:
        yield "focus_credit_positive", "BilledCost", ""
    if quantity and unit == "":
        yield "focus_unit_missing", "PricingUnit", ""


def _unit(unit: str | None, details: str | None) -> Iterable[Said]:
    """Judge how a unit is written; computing power without its precision is no unit."""
    if not unit:
        return
    if _POWER.search(unit):
        if not _PRECISION.search(unit) and not _PRECISION.search(details or ""):
            yield "focus_unit_precision", "PricingUnit", unit
    elif not _UNIT.match(unit):
        yield "focus_unit_form", "PricingUnit", unit


def _consumed(quantity: str | None, unit: str | None) -> Iterable[Said]:
    if quantity is not None and unit is not None and bool(quantity) != bool(unit):
        yield "focus_consumed_unit", "ConsumedUnit", ""


def _pricing_currency(priced: str | None, billed: str | None) -> Iterable[Said]:
    if priced and billed and priced != billed:
        yield "focus_pricing_currency", "PricingCurrency", priced


PERIODS = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd", "ChargeClass")
RULES = (
    _one_of("focus_charge_category", "ChargeCategory", CATEGORIES, empty=False),
    _one_of("focus_charge_class", "ChargeClass", ("Correction",)),
    _one_of("focus_charge_frequency", "ChargeFrequency", FREQUENCIES),
    _one_of("focus_pricing_category", "PricingCategory", PRICINGS),
    _one_of("focus_service_category", "ServiceCategory", SERVICES, empty=False),
    Rule(("ServiceCategory",), _not_compute),
    *map(_filled, FILLED),
    Rule(PERIODS, _period),
    Rule(("ChargeCategory", "ChargeClass", AMOUNT, QUANTITY, "PricingUnit"), _signs),
    Rule(("PricingUnit", "SkuPriceDetails"), _unit),
    Rule(("ConsumedQuantity", "ConsumedUnit"), _consumed),
    Rule(("PricingCurrency", "BillingCurrency"), _pricing_currency),
)
FORMAT = UsageFormat(PROFILE, RULES, about, EVIDENCE, KINDS)
