"""Golden samples of usage files, and how what is read from them is written down."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from importers.parts import UsageChunk
from tests.samples import export
from tests.samples.usage import (
    ALIBABA,
    CQ,
    FOCUS,
    HUAWEI,
    TENCENT,
    alibaba,
    csv_bytes,
    focus,
    focus_csv,
    huawei,
    parquet,
    tencent,
    utc,
)

NUMBER = "26502000000099900001"
OTHER = "26502000000099900002"
FIRST = date(2026, 8, 1)
LAST = date(2026, 8, 31)
NEXT = date(2026, 9, 1)
HOURS = ("2026-08-01 10:00:00", "2026-08-01 11:00:00")
MONTH = {"ChargePeriodEnd": utc(NEXT), "PricingQuantity": "1", "PricingUnit": "Month"}
NONE = {"PricingQuantity": "", "PricingUnit": ""}


def _clean() -> list[dict[str, str]]:
    """Usage of two days, a month bought, tax, a credit, and a correction of an earlier month."""
    return [
        focus(NUMBER, "100.00", FIRST, SkuPriceDetails='{"GpuCount": 8}'),
        focus(NUMBER, "0.0277777778", FIRST),
        focus(NUMBER, "12.5", LAST, ChargePeriodStart=utc(LAST, 23), ChargePeriodEnd=utc(NEXT)),
        focus(NUMBER, "310", FIRST, ChargeCategory="Purchase", **MONTH),
        focus(NUMBER, "6.00", FIRST, ChargeCategory="Tax", **NONE),
        focus(NUMBER, "-30", FIRST, ChargeCategory="Credit", **NONE),
        focus(
            OTHER, "-12.50", FIRST, ChargeClass="Correction", PricingQuantity="-1",
            ChargePeriodStart=utc(date(2026, 7, 31)), ChargePeriodEnd=utc(date(2026, 7, 31), 1),
        ),
    ]  # fmt: skip


def _faulty() -> list[dict[str, str]]:
    """Lines that each break one rule."""
    one = {
        "BilledCost": "", "BillingCurrency": "USD", "ChargeCategory": "Usages", "ChargeClass": "Corrected",
        "InvoiceId": "265", "PricingQuantity": "eight", "PricingUnit": "GPU|Hours",
    }  # fmt: skip
    rows = [focus(NUMBER, "1", FIRST) | {name: cell} for name, cell in one.items()]
    more: list[dict[str, str]] = [
        {"ChargePeriodStart": "yesterday"}, {"ChargePeriodStart": ""}, {"ChargePeriodEnd": "2016-01-01T00:00:00Z"},
        {"ChargePeriodStart": "2016-01-01T00:00:00Z"}, {"InvoiceId": ""}, {"BilledCost": "100000000000"},
        {"BillingPeriodEnd": utc(FIRST)},
    ]  # fmt: skip
    return rows + [focus(NUMBER, "1", FIRST) | cells for cells in more]


def _doubtful() -> list[dict[str, str]]:
    """Lines that are taken, each with one warning."""
    cells: list[dict[str, str]] = [
        {"ChargeFrequency": "Often"}, {"PricingCategory": "Cheap"}, {"ServiceCategory": "Magic"},
        {"ServiceCategory": "Storage"}, {"ProviderName": ""}, {"ServiceName": "NULL"},
        {"BillingPeriodStart": utc(date(2026, 8, 2)), "ChargePeriodStart": utc(LAST), "ChargePeriodEnd": utc(NEXT)},
        {"ChargePeriodStart": utc(date(2026, 7, 31)), "ChargePeriodEnd": utc(date(2026, 7, 31), 1)},
        {"ChargeClass": "Correction"}, {"PricingQuantity": "", "PricingUnit": ""}, {"ChargeCategory": "Tax"},
        {"PricingQuantity": "-1"}, {"BilledCost": "-1"}, {"ChargeCategory": "Credit"} | NONE,
        {"PricingUnit": ""}, {"PricingUnit": "GPU hours?"}, {"PricingUnit": "PFLOPS-Hours"},
        {"PricingUnit": "PFLOPS-FP16-Hours"}, {"PricingUnit": "卡时"}, {"ConsumedQuantity": "1", "ConsumedUnit": ""},
        {"PricingCurrency": "USD"}, {"ChargePeriodStart": "2026-08-01 02:00:00", "ChargePeriodEnd": utc(FIRST, 11)},
        {"SubServices": "x"}, {"x_Own": "y"},
        {"PricingUnit": "NULL", "PricingQuantity": "null"},
    ]  # fmt: skip
    return [focus(NUMBER, "1", FIRST) | each for each in cells]


def _without(*names: str) -> bytes:
    rows = [{name: cell for name, cell in row.items() if name not in names} for row in _clean()[1:]]
    return csv_bytes([name for name in FOCUS if name not in names], rows)


def focus_samples() -> dict[str, bytes]:
    """Samples of FOCUS."""
    whole = focus_csv(*_clean())
    august = {"BillingPeriodStart": "2026-08-01T00:00:00Z", "BillingPeriodEnd": "2026-09-01T00:00:00Z"}
    exact = [
        focus(NUMBER, cell, FIRST) for cell in ("1E-7", "0.30000000000000004", "1,234.5", "1.0000000000005", "-2e2")
    ]
    table = [[*FOCUS], *([row.get(name, "") for name in FOCUS] for row in _clean()[1:])]
    return {
        "clean.csv": whole,
        "clean.parquet": parquet(whole),
        "clean.xlsx": export.xlsx_bytes({"usage": table}),
        "gb18030.csv": whole.decode().encode("gb18030"),
        "faulty.csv": focus_csv(*_faulty()),
        "doubtful.csv": focus_csv(*_doubtful()),
        "month_of_utc.csv": focus_csv(focus(NUMBER, "1", FIRST, **august)),
        "exact.csv": focus_csv(*exact),
        "few_columns.csv": _without("ListCost", "PublisherName", "ChargeClass"),
        "no_start.csv": _without("ChargePeriodStart"),
        "two_costs.csv": whole.replace(b"EffectiveCost", b"BilledCost"),
        "wide_line.csv": whole + b"1,2\n",
        "empty.csv": focus_csv(),
        "broken.parquet": b"PAR1" + bytes(60) + b"PAR1",
    }


def _named(header: list[str], row: Callable[..., dict[str, str]], column: str) -> dict[str, bytes]:
    """Samples of a cloud's bill: without numbers as it comes, with a column of them, without the amount."""
    name = next(name for name, cell in row("4.4", *HOURS).items() if cell == "4.4")
    numbered = [row("70.25", *HOURS, **{column: NUMBER}), row("0.00000001", *HOURS, **{column: NUMBER})]
    late = ("2026-08-31 23:30:00", "2026-09-01 00:30:00")
    early = ("2026-10-31 10:00:00", "2026-10-31 11:00:00")
    return {
        "plain.csv": csv_bytes(header, [row("100.00", *HOURS)]),
        "numbered.csv": csv_bytes([*header, column], [*numbered, row("2", *late, **{column: NUMBER})], "gb18030"),
        "not_final.csv": csv_bytes([*header, column], [row("100.00", *early, **{column: NUMBER})]),
        "no_amount.csv": csv_bytes([each for each in header if each != name], []),
    }


def cq_usage_1() -> dict[str, bytes]:
    """Samples of our own sheet of usage."""
    code = "91500105MA9X000384"
    rows = [
        dict(zip(CQ, (NUMBER, "2026-08-01", "2026-08-31", "卡时", "310", "31.01", "", code), strict=True)),
        dict(zip(CQ, (NUMBER, "2026/8/2", "", "P·时(FP16)", "1.5", "10", "人民币", code), strict=True)),
        dict(zip(CQ, (NUMBER, "2026-08-03", "2026-08-02", "卡时", "1", "10", "", code), strict=True)),
    ]
    days = ["2026年8月1日", "2026.8.2", "20260803", "2026-08-04"]
    as_written = [{**rows[1], CQ[1]: day} for day in days]
    return {
        "clean.csv": csv_bytes(CQ, rows[:2]), "reversed.csv": csv_bytes(CQ, rows),
        "days.csv": csv_bytes(CQ, as_written),
    }  # fmt: skip


SAMPLES: Mapping[str, Callable[[], dict[str, bytes]]] = {
    "focus": focus_samples,
    "alibaba": lambda: _named(ALIBABA, alibaba, "InvoiceNo"),
    "huawei": lambda: _named(HUAWEI, huawei, "发票号码"),
    "tencent": lambda: _named(TENCENT, tencent, "Invoice Number"),
    "cq_usage_1": cq_usage_1,
}


def told(chunk: UsageChunk) -> dict[str, Any]:
    """Write down what a chunk of usage holds; days as dates, amounts in parts of 10⁻¹²."""
    start = date(1970, 1, 1)
    sums = [
        {
            "number": number, "first": str(start + timedelta(first)), "last": str(start + timedelta(last)),
            "unit": unit, "lines": lines, "quantity": quantity, "amount": amount,
        }
        for (number, first, last, unit), (lines, quantity, amount) in sorted(chunk.sums.items())
    ]  # fmt: skip
    return {
        "lines": chunk.rows, "sums": sums, "companies": [list(pair) for pair in sorted(chunk.companies)],
        "failed": [row_no for row_no, _, _ in chunk.failed],
    }  # fmt: skip
