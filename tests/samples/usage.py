"""Usage files: FOCUS and the bills of clouds, from a few words about each line."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
BUYER = "91500000MA5UCC01XB"


def _columns(words: str) -> list[str]:
    return words.split(",")


FOCUS = _columns(
    "BilledCost,BillingAccountId,BillingAccountName,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargeCategory,"
    "ChargeClass,ChargeDescription,ChargePeriodStart,ChargePeriodEnd,ContractedCost,EffectiveCost,InvoiceId,"
    "InvoiceIssuerName,ListCost,PricingQuantity,PricingUnit,ProviderName,PublisherName,ServiceCategory,ServiceName"
)
ALIBABA = _columns(
    "BillingCycle,AccountID,SubscriptionType,ProductCode,ProductName,UsageStartTime,UsageEndTime,RecordID,Item,"
    "InstanceID,InstanceSpec,Region,PretaxGrossAmount,InvoiceDiscount,DeductedByCoupons,PretaxAmount,"
    "DeductedByCashCoupons,DeductedByPrepaidCard,PaymentAmount,OutstandingAmount,Currency"
)
HUAWEI = _columns(
    "账期,企业项目,账号,产品类型编码,产品类型,产品编码,产品,计费模式,使用开始时间,使用结束时间,订单号/交易号,交易时间,"
    "账单类型,资源ID,规格,区域,使用量类型,使用量,使用量单位,单价,官网价,优惠金额,应付金额,现金支付,代金券抵扣,储值卡抵扣,"
    "欠费金额"
)
TENCENT = _columns(
    "Payer Account ID,ProductName,BillingMode,Region,InstanceID,TransactionType,TransactionTime,Usage Start Time,"
    "Usage End Time,ComponentType,Component Usage,Component Usage Unit,OriginalCost,DiscountRate,Currency,"
    "Total Amount After Discount (Excluding Tax),Voucher Deduction,TaxRate,TaxAmount,Total Cost (Including Tax)"
)
CQ = _columns("发票号码,使用日期,使用截止日期,计量单位,用量,不含税金额,币种,用方统一社会信用代码")


def utc(day: date, hour: int = 0) -> str:
    """Write an hour of a day in Chongqing as FOCUS does."""
    moment = datetime.combine(day, time(), ZONE) + timedelta(hours=hour)
    return moment.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ")


def focus(number: str, amount: str, day: date, **other: str) -> dict[str, str]:
    """Write a line of FOCUS: an hour of a day, billed with its month."""
    first = day.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    cells = {
        "BilledCost": amount, "BillingAccountId": BUYER, "BillingAccountName": "合成用券企业", "BillingCurrency": "CNY",
        "BillingPeriodStart": utc(first), "BillingPeriodEnd": utc(following), "ChargeCategory": "Usage",
        "ChargeDescription": "8卡训练实例", "ChargePeriodStart": utc(day), "ChargePeriodEnd": utc(day, 1),
        "ContractedCost": amount, "EffectiveCost": amount, "InvoiceId": number, "InvoiceIssuerName": "合成算力服务",
        "ListCost": amount, "PricingQuantity": "8", "PricingUnit": "GPU-Hours", "ProviderName": "合成算力服务",
        "PublisherName": "合成算力服务", "ServiceCategory": "AI and Machine Learning", "ServiceName": "智算云主机",
    }  # fmt: skip
    return cells | other


def alibaba(amount: str, start: str, end: str, **other: str) -> dict[str, str]:
    """Write a line of Alibaba's instance bill; part of it paid with the cloud's own vouchers."""
    return {
        "BillingCycle": start[:7], "ProductCode": "pai", "UsageStartTime": start, "UsageEndTime": end,
        "Item": "PayAsYouGoBill", "PretaxGrossAmount": "120.00", "PretaxAmount": amount, "Currency": "CNY",
        "DeductedByCashCoupons": "30.00", "PaymentAmount": "70.00",
    } | other  # fmt: skip


def huawei(amount: str, start: str, end: str, **other: str) -> dict[str, str]:
    """Write a line of Huawei's 使用量类型明细账单; its times name their zone."""
    return {
        "账期": start[:7], "计费模式": "按需", "使用开始时间": f"{start} GMT+08:00", "使用结束时间": f"{end} GMT+08:00",
        "账单类型": "消费-使用", "使用量": "3600", "使用量单位": "秒", "应付金额": amount, "代金券抵扣": "30.00",
    } | other  # fmt: skip


def tencent(amount: str, start: str, end: str, **other: str) -> dict[str, str]:
    """Write a line of Tencent's bill."""
    return {
        "Usage Start Time": start, "Usage End Time": end, "Component Usage": "1", "Component Usage Unit": "Hours",
        "Currency": "CNY", "Voucher Deduction": "30.00", "Total Cost (Including Tax)": amount,
    } | other  # fmt: skip


def csv_bytes(header: Sequence[str], rows: Sequence[Mapping[str, Any]], encoding: str = "utf-8") -> bytes:
    """Write lines under a header as csv."""
    file = io.StringIO()
    writer = csv.DictWriter(file, header, restval="", lineterminator="\n", extrasaction="raise")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode(encoding)


def focus_csv(*rows: Mapping[str, str]) -> bytes:
    """Write lines of FOCUS as csv, under the mandatory columns, InvoiceId and what else they have."""
    more = [name for row in rows for name in row if name not in FOCUS]
    return csv_bytes([*FOCUS, *dict.fromkeys(more)], rows)


def parquet(data: bytes) -> bytes:
    """Write a csv as parquet, all of it text."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    header, *rows = csv.reader(io.StringIO(data.decode()))
    columns = [pa.array([row[place] or None for row in rows], pa.string()) for place in range(len(header))]
    target = io.BytesIO()
    pq.write_table(pa.table(columns, names=header), target)
    return target.getvalue()
