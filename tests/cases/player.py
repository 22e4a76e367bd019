"""The worked examples as steps that any player can play: facts come in, a run is settled.

A case is a TOML table with `step` tables. A step either brings facts (in the order of `steps.Facts`) or
settles. Parties and invoices are single letters; `steps.PARTIES` and `steps.number` give them real codes.
Amounts are quoted yuan in the files and fen here; days are TOML dates, both inclusive.

Keys of a case
    id, variant      "D1"; what sets this variant apart
    policy           parameters of the shipped document that differ in this case; `from` is its first day
    unknown          parties that no register knows
Facts of a step
    companies        company, category (智能体), from, until          } the registry files of DESIGN 8;
    providers        provider, from, until                            } an empty `until` is open,
    relations        provider, company, kind, share, from, until      } one before `from` voids the row
    invoices         number, company (C), provider (P), from, until, net or lines [{code, net}], paid,
                     red_of (then amounts are negative), reissue_of, outcome (accepted | held | rejected), code,
                     buyer_name, received (the last day, or 03-31 after the first year if that is earlier)
    subsidies        invoice, policy, amount, waived
    payments         invoice, on, reference, amount
    appropriate      yuan; without any in the case there is enough
    vouchers         company, year, face: issued by hand
    refuse           invoice, year (absent: all years), lift
    contracts        company, provider, amount, from, until: all invoices name its number
    usage            invoice, gross (net), replace, days [{on, amount}]: with up to 12 decimals
A settling step
    settle           "2026-12": through that month. backfill: true to grant what is listed
    approve          false: drafted only. simulate: true, with its own `policy`: drafted, nothing written
    lines            invoice, year, kind (grant), granted; withheld, overlap_cut, budget_cut (0.00);
                     basis, computed, reasons {code = amount or [amount, other]} where given
    backfill_listed  invoice, year, granted: the whole list
    held             invoice, year, reason: the whole list
    left_out         invoice, reasons: the whole list
    gap              submit is refused, this much is missing in the appropriation
    room, total      company, year, amount: before the run; granted in all after it
    refused          the approval is refused with this code: `by = "maker"`, or `freeze`, the voucher after submit
    at_once          two draft, and two approve, at the same time
A step at a door that brings no facts to compute on; the plain engine passes it over
    do = "pay"       the last run: disclosed, sent after 14 days, and the bank's word (成功 | 退回) taken in;
                     sent: company = amount; twice: the same result file again changes nothing
    do = "account"   company, number: a corrected account, by two people
    do = "money"     balances of money accounts by kind; references: of the bank, in order
    do = "forbid"    tables: UPDATE, DELETE and TRUNCATE are refused to both roles
    do = "tamper"    table, set: changed by the owner, triggers off; both verifications name the act
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from settlement.policy import Policy, load
from tests.cases.steps import (
    Case,
    CompanyRow,
    ContractRow,
    Do,
    Expected,
    Facts,
    InvoiceRow,
    LineRow,
    PaymentRow,
    ProviderRow,
    RefusalRow,
    RelationRow,
    Settle,
    SubsidyRow,
    UsageRow,
    VoucherRow,
    YearAmount,
)
from voucher.days import month_span
from voucher.money import parse_yuan

HERE = Path(__file__).parent
POLICY_FILE = HERE.parents[1] / "settlement" / "policies" / "cq-2025-12-08.1.toml"
REGISTERED_FROM = date(2025, 1, 1)
"""First day of the default qualification and listing."""
CATEGORY = "智能体"
GPU = "3040203000000000000"
TAX_PERCENT = 6
DISCLOSURE_DAYS = 14
"""More than the five working days of the shipped document, wherever they fall in 2026."""


def cases() -> list[Case]:
    """Read all cases, in order of files."""
    return [
        _case(table) for file in sorted(HERE.glob("*.toml")) for table in tomllib.loads(file.read_text("utf-8"))["case"]
    ]


def policy_bytes(changes: Mapping[str, Any]) -> bytes:
    """Return the shipped policy file with other values of some parameters, as a file would have them."""
    text = POLICY_FILE.read_text("utf-8")
    for name, value in changes.items():
        word = value.isoformat() if isinstance(value, date) else f'"{value}"' if isinstance(value, str) else str(value)
        if name == "from":
            text = re.sub(r"(?m)^from = .*$", f"from = {word}", text)
        elif f"[{name}]" in text:
            text = re.sub(rf"(?m)(^\[{name}\]\nvalue = ).*$", rf"\g<1>{word}", text)
        else:
            text += f'\n[{name}]\nvalue = {word}\nassumed = "算例"\n'
    return text.encode()


def policy(changes: Mapping[str, Any]) -> Policy:
    """Return the shipped policy with other values of some parameters."""
    return load(policy_bytes(changes))


def _case(table: Mapping[str, Any]) -> Case:
    """Read one case: its default registrations first, then its steps with their business days."""
    known = {"id", "variant", "policy", "unknown", "step"}
    assert table.keys() <= known, table.keys() - known
    invoices = [row for step in table["step"] for row in step.get("invoices", ())]
    companies = {row.get("company", "C") for row in invoices} - set(table.get("unknown", ()))
    providers = {row.get("provider", "P") for row in invoices}
    first = Facts(
        today=date(2026, 1, 1),
        companies=tuple(CompanyRow(c, CATEGORY, REGISTERED_FROM, None) for c in sorted(companies)),
        providers=tuple(ProviderRow(p, REGISTERED_FROM, None) for p in sorted(providers)),
    )
    steps: list[Facts | Settle | Do] = [first]
    for step in table["step"]:
        kind = _settle if "settle" in step else _do if "do" in step else _facts
        steps.append(kind(step, steps[-1].today))
    return Case(
        id=table["id"],
        variant=table.get("variant", ""),
        policy=table.get("policy", {}),
        steps=tuple(steps),
        bounded=any("appropriate" in step for step in table["step"]),
    )


def _facts(step: Mapping[str, Any], today: date) -> Facts:
    """Read a step that brings facts; its business day is the last day an invoice of it is handed in."""
    names = {"companies", "providers", "relations", "invoices", "subsidies", "payments"}
    assert step.keys() <= names | {"appropriate", "vouchers", "refuse", "contracts", "usage"}, step.keys()
    invoices = tuple(_invoice(row) for row in step.get("invoices", ()))
    return Facts(
        today=max([today, *(row.received_on for row in invoices)]),
        companies=tuple(
            CompanyRow(r["company"], r.get("category", CATEGORY), r["from"], r.get("until"))
            for r in step.get("companies", ())
        ),
        providers=tuple(ProviderRow(r["provider"], r["from"], r.get("until")) for r in step.get("providers", ())),
        relations=tuple(
            RelationRow(r["provider"], r["company"], r["kind"], parse_yuan(r["share"]), r["from"], r.get("until"))
            for r in step.get("relations", ())
        ),
        invoices=invoices,
        subsidies=tuple(
            SubsidyRow(r["invoice"], r["policy"], parse_yuan(r["amount"]), r["waived"])
            for r in step.get("subsidies", ())
        ),
        payments=tuple(
            PaymentRow(r["invoice"], r["on"], r["reference"], parse_yuan(r["amount"])) for r in step.get("payments", ())
        ),
        appropriate_fen=_fen(step, "appropriate"),
        vouchers=tuple(VoucherRow(r["company"], r["year"], parse_yuan(r["face"])) for r in step.get("vouchers", ())),
        refusals=tuple(RefusalRow(r["invoice"], r.get("year"), r.get("lift", False)) for r in step.get("refuse", ())),
        contracts=tuple(
            ContractRow(
                r.get("provider", "P"), r.get("company", "C"), parse_yuan(r["amount"]), r["from"], r.get("until")
            )
            for r in step.get("contracts", ())
        ),
        usage=tuple(
            UsageRow(
                r["invoice"],
                r.get("gross", False),
                r.get("replace", False),
                tuple((day["on"], Decimal(day["amount"])) for day in r["days"]),
            )
            for r in step.get("usage", ())
        ),
    )


def _invoice(row: Mapping[str, Any]) -> InvoiceRow:
    """Read an invoice with its defaults."""
    given = row.get("lines") or [{"code": GPU, "net": row["net"]}]
    lines = []
    for place, line in enumerate(given):
        net = parse_yuan(line["net"])
        tax = (abs(net) * TAX_PERCENT + 50) // 100 * (1 if net >= 0 else -1)
        paid = parse_yuan(row["paid"]) if "paid" in row and place == 0 else None
        lines.append(LineRow(line["code"], net, tax, paid))
    return InvoiceRow(
        symbol=row["number"],
        company=row.get("company", "C"),
        provider=row.get("provider", "P"),
        first=row["from"],
        last=row["until"],
        received_on=row.get("received", min(row["until"], date(row["from"].year + 1, 3, 31))),
        red_of=row.get("red_of"),
        reissue_of=row.get("reissue_of"),
        lines=tuple(lines),
        outcome=row.get("outcome", "accepted"),
        code=row.get("code", ""),
        buyer_name=row.get("buyer_name", ""),
    )


def _do(step: Mapping[str, Any], today: date) -> Do:
    """Read a step at a door; before a payment lies its disclosure."""
    later = timedelta(days=DISCLOSURE_DAYS if step["do"] == "pay" else 0)
    return Do(today + later, step["do"], {name: value for name, value in step.items() if name != "do"})


def _settle(step: Mapping[str, Any], today: date) -> Settle:
    """Read a settling step; its business day is not before the last day of its month."""
    lists = {"lines", "backfill_listed", "held", "left_out"}
    assert step.keys() <= lists | {
        "settle",
        "backfill",
        "approve",
        "simulate",
        "policy",
        "gap",
        "room",
        "total",
        "by",
        "freeze",
        "refused",
        "at_once",
    }
    return Settle(
        today=max(today, month_span(step["settle"]).last),
        through=step["settle"],
        backfill=step.get("backfill", False),
        approve=step.get("approve", True),
        simulate=step.get("simulate", False),
        policy=step.get("policy", {}),
        lines=tuple(_expected(row) for row in step.get("lines", ())),
        backfill_listed=tuple(
            (row["invoice"], row["year"], parse_yuan(row["granted"])) for row in step.get("backfill_listed", ())
        ),
        held=tuple((row["invoice"], row["year"], row["reason"]) for row in step.get("held", ())),
        left_out=tuple(
            (row["invoice"], {code: parse_yuan(amount) for code, amount in row["reasons"].items()})
            for row in step.get("left_out", ())
        ),
        gap_fen=_fen(step, "gap"),
        room=_year_amount(step.get("room")),
        total=_year_amount(step.get("total")),
        by=step.get("by", "checker"),
        freeze=step.get("freeze", False),
        refused=step.get("refused", ""),
        at_once=step.get("at_once", False),
    )


def _expected(row: Mapping[str, Any]) -> Expected:
    """Read an expected line."""
    reasons: dict[str, tuple[int, int | None]] | None = None
    if "reasons" in row:
        reasons = {}
        for code, figures in row["reasons"].items():
            amount, other = figures if isinstance(figures, list) else (figures, None)
            reasons[code] = parse_yuan(amount), None if other is None else parse_yuan(other)
    return Expected(
        invoice=row["invoice"],
        year=row["year"],
        kind=row.get("kind", "grant"),
        granted_fen=parse_yuan(row["granted"]),
        withheld_fen=_fen(row, "withheld") or 0,
        overlap_cut_fen=_fen(row, "overlap_cut") or 0,
        budget_cut_fen=_fen(row, "budget_cut") or 0,
        basis_fen=_fen(row, "basis"),
        computed_fen=_fen(row, "computed"),
        reasons=reasons,
    )


def _year_amount(row: Mapping[str, Any] | None) -> YearAmount | None:
    return None if row is None else YearAmount(row.get("company", "C"), row["year"], parse_yuan(row["amount"]))


def _fen(row: Mapping[str, Any], key: str) -> int | None:
    return parse_yuan(row[key]) if key in row else None
