"""Reports: one SQL file each under sql/reports; its header says what the columns are and what the face explains.

A report ends at a cutoff (a seal number) and its bytes depend on that, on its period and on who made it alone.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO

from sqlalchemy import Connection

import sql
from reconciliation import flags, invariants, pdf, plain
from reconciliation.bank import USUAL, Within
from reconciliation.document import (
    AGREED,
    AGREED_WITHIN,
    Column,
    Difference,
    Fact,
    Layout,
    Report,
    Section,
    Value,
    cross_check,
    parse_layout,
)
from reconciliation.invariants import Failure
from settlement import documents
from voucher.capitals import capitals
from voucher.database import Row, expect_many, one, query
from voucher.days import ZONE, Span, month_span, year_span
from voucher.errors import Misused, Refused
from voucher.money import format_yuan
from voucher.reasons import sentences


def _workbook(report: Report, target: BinaryIO) -> None:
    """Write a report as a workbook."""
    from reconciliation import workbook  # what writes it is slow to load, and few commands write one

    workbook.write(report, target)


FORMATS: Mapping[str, Callable[[Report, BinaryIO], None]] = {
    "xlsx": _workbook,
    "csv": plain.write_csv,
    "json": plain.write_json,
    "pdf": pdf.write,
}
"""Format to the function that writes a report in it."""
_ROW_KINDS = ("row", "total", "control")


def names() -> dict[str, str]:
    """List the reports: name to Chinese title."""
    return {name: layout(name).title for name in _paths()}


def _paths() -> dict[str, str]:
    return {path.removeprefix("reports/").removesuffix(".sql"): path for path in sql.names("reports")}


def layout(name: str) -> Layout:
    """Read the header of a report. Raises Misused when there is none of that name."""
    path = _paths().get(name)
    if path is None:
        raise Misused("no_report", f"没有名为“{name}”的报表。可选：{'、'.join(_paths())}。")
    return parse_layout(name, sql.read(path))


def period_span(period: str) -> Span:
    """Read a period, 2026-08 or 2026, as its days. Raises Misused."""
    try:
        if re.fullmatch(r"2[01]\d\d", period, re.ASCII):
            return year_span(int(period))
        return month_span(period)
    except ValueError:
        raise Misused("bad_period", f"期间“{period}”无法识别。请写成 2026-08 或 2026。") from None


def run(
    db: Connection,
    name: str,
    period: str,
    cutoff: int,
    made_by: str,
    checked: Sequence[Failure] | None = None,
    within: Within = USUAL,
) -> Report:
    """Make a report of a period as of a cutoff. made_by: printed on the face.

    checked: what `invariants.check_all` has just found, so that it need not run again. within: how late and how far
    off the bank may book a payment.
    Only reads; the auditor's role is enough. Raises Misused, Refused.
    """
    header = layout(name)
    if header.checks == "all" and checked is None:
        checked = invariants.check_all(db, within)
    return _made(db, header, _paths()[name], period, cutoff, made_by, asdict(within), checked or ())


def statement(db: Connection, name: str, provider: str, period: str, cutoff: int, made_by: str) -> Report:
    """Make a statement of one provider's (USCC): a query of sql/statements, laid out as a report.

    Reads what the provider may see; the role cvl_provider is enough. Raises Misused, Refused.
    """
    path = f"statements/{name}.sql"
    header = parse_layout(name, sql.read(path))
    return _made(db, header, path, period, cutoff, made_by, {"provider": provider}, ())


def _made(
    db: Connection, header: Layout, path: str, period: str, cutoff: int, made_by: str, more: Mapping[str, Any],
    checked: Sequence[Failure],
) -> Report:  # fmt: skip
    """Ask a report's query and put the answer together."""
    name, span = header.name, period_span(period)
    sealed = one(db, "queries/reconcile/seal.sql", no=cutoff)
    if sealed is None:
        why = f"账上没有第{cutoff}号" if cutoff else "在该时刻账上还没有任何记录"
        raise Refused("no_cutoff", f"{why}，无法出具截止当时的报表。请改用较晚的时刻，末号见 cvl balance。")
    params: dict[str, Any] = {"period_from": span.start, "period_until": span.end, "cutoff": cutoff, **more}
    if header.gathers:
        params["found"] = flags.gather(db, header.gathers, params)
    if header.over_many:
        expect_many(db)
    sections, totals, control = _split(header, query(db, path, **{key: params[key] for key in sorted(header.params)}))
    differences = cross_check(header, sections[0].rows, totals, control)
    if header.checks == "all":
        differences += _known(checked, cutoff)
    words = {"year": str(span.start.year), "period": period}
    if {"days", "tolerance_fen"} <= header.params:
        words |= {"days": str(more["days"]), "tolerance": format_yuan(more["tolerance_fen"])}
    return Report(
        layout=header,
        period=period,
        cutoff=cutoff,
        sealed_at=sealed["recorded_at"],
        digest=sealed["chain_sha256"],
        face=(
            Fact("编号", f"{name}-{period}-{cutoff}"),
            Fact("期间", f"{period}（{span.start}至{span.last}）"),
            *_face(db, header, sealed, made_by, sections, differences),
        ),
        notes=tuple(re.sub(r"\{([a-z]+)\}", lambda match: words[match[1]], note) for note in header.notes),
        sections=tuple(sections),
        totals=totals,
        differences=tuple(differences),
    )


def _split(header: Layout, rows: list[Row]) -> tuple[list[Section], tuple[Value, ...] | None, dict[str, Value]]:
    """Sort the rows by kind: those of each sheet, the totals, and the ledger's own figures.

    A query may name row_kind and sheet; without them every row is a row of one sheet.
    """
    sheets: dict[str, list[tuple[Value, ...]]] = {}
    totals: tuple[Value, ...] | None = None
    control: dict[str, Value] = {}
    for row in rows:
        kind = row.get("row_kind", "row")
        assert kind in _ROW_KINDS, kind
        values = tuple(_value(column, row[column.name]) for column in header.columns)
        if kind == "row":
            sheets.setdefault(row.get("sheet") or header.title, []).append(values)
        elif kind == "total":
            assert totals is None, "a report has one totals row"
            totals = values
        else:
            control = dict(zip((column.name for column in header.columns), values, strict=True))
    sections = [Section(title, found) for title, found in sheets.items()] or [Section(header.title, [])]
    if totals is None and sections[0].rows:
        totals = _added(header, sections[0].rows)
    return sections, totals, control


def _added(header: Layout, rows: Sequence[tuple[Value, ...]]) -> tuple[Value, ...] | None:
    """Add up the columns that add up; None when none does."""
    if not header.sums:
        return None
    return tuple(
        sum(value for row in rows if isinstance(value := row[place], int)) if column.name in header.sums else None
        for place, column in enumerate(header.columns)
    )


def _value(column: Column, value: Any) -> Value:
    """Turn a database value into one of its column's type; sums come as numeric."""
    if value is None:
        return None
    if column.type in ("money", "count", "percent"):
        assert isinstance(value, int | Decimal), column.name
        assert value == int(value), column.name
        return int(value)
    if column.type == "capitals":
        return capitals(int(value))
    if column.type == "reasons":
        stored = str(value)  # a sentence, or a stored list of reasons
        return sentences(json.loads(stored)) if stored.startswith("[") else stored
    assert isinstance(value, date if column.type == "day" else str), column.name
    return value


def _known(failures: Sequence[Failure], cutoff: int) -> list[Difference]:
    """Take over what the checks found; what concerns acts after the cutoff is left to later reports."""
    return [
        Difference(failure.title, failure.act_no, failure.subject, failure.detail)
        for failure in failures
        if failure.act_no is None or failure.act_no <= cutoff
    ]


def _face(
    db: Connection,
    header: Layout,
    sealed: Row, made_by: str, sections: Sequence[Section],
    differences: Sequence[Difference],
) -> tuple[Fact, ...]:  # fmt: skip
    """Write what else stands above the table: cutoff, who made it, rows, agreement; basis, policies, digests."""
    policies = [
        f"{policy.number}{policy.item}，文件 {policy.id}，SHA-256 {policy.sha256}"
        for policy in documents.recorded(db, int(sealed["no"]))
    ]
    recorded: datetime = sealed["recorded_at"].astimezone(ZONE)
    agreed = f"有{len(differences)}处差异，见“差异”页" if differences else AGREED if header.checks else AGREED_WITHIN
    return (
        Fact("截止", f"第{sealed['no']}号（记录于{recorded:%Y-%m-%d %H:%M:%S}）"),
        Fact("编制人", made_by or "（未写明）"),
        Fact("金额单位", "元"),
        Fact("行数", "，".join(f"{section.title}{len(section.rows)}行" for section in sections)),
        Fact("核对", agreed),
        Fact("口径", header.basis, wide=True),
        *(Fact("政策依据", policy, wide=True) for policy in policies),
        Fact("链摘要", f"SHA-256 {sealed['chain_sha256']}　SM3 {sealed['chain_sm3']}", wide=True),
    )
