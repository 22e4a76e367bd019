"""Write the sample data of `cvl demo` beside this script: python examples/generate.py [FOLDER].

The same seed gives the same files. Standard library and XlsxWriter only.
"""

import csv
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import xlsxwriter
from billing import bill_all
from story import COMPANIES, PROVIDERS, Company, Invoice, Provider, Story

SEED = 20251225
HEADER_ROW = (
    "模板版本,发票号码,发票类型,开票日期,供方统一社会信用代码,供方名称,用方统一社会信用代码,用方名称,合同编号,服务起始日,服务截止日,"
    "税收分类编码,项目名称,规格型号,计量单位,用量,不含税金额,税率,税额,价税合计,已付金额,原发票号码,备注"
)
HEADER = HEADER_ROW.split(",")
MONEY = {"不含税金额", "税额", "价税合计", "已付金额"}
HANDED_IN = {
    "2026-01": "2026-02-06", "2026-02": "2026-03-06", "2026-03": "2026-04-08",
    "2026-04": "2026-05-08", "2026-05": "2026-06-05", "2026-06": "2026-07-07",
}  # fmt: skip
RETURNED = 5
"""The company whose account was closed when the bank came to pay it."""
Cell = str | int | float | date | None


def rows_of(invoice: Invoice) -> list[dict[str, Cell]]:
    """Lay an invoice out as template rows: money as whole fen, days as dates, mistyped cells as they are."""
    rows = []
    for line in invoice.lines:
        start, end = invoice.span or (None, None)
        values: Sequence[Cell] = (
            "CQ-COMPUTE-1", invoice.number, "红字" if invoice.original else "蓝字", invoice.issued_on,
            invoice.seller.uscc, invoice.seller.name, invoice.buyer.uscc, invoice.buyer.name,
            f"合成-{invoice.seller.digit}-2026-{invoice.buyer.no:03d}", start, end,
            line.code, line.item, line.spec, line.unit, line.quantity,
            line.net_fen, f"{line.rate_bp // 100}%", line.tax_fen, line.gross_fen, line.paid_fen,
            invoice.original, invoice.remark,
        )  # fmt: skip
        rows.append(dict(zip(HEADER, values, strict=True)))
    rows[0].update(invoice.raw)
    return rows


def yuan(fen: int, *, grouped: bool = False) -> str:
    """Write fen as yuan with two decimals, grouped by thousands on request."""
    whole, cents = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole:{',' if grouped else ''}}.{cents:02d}"


def write_plain_csv(path: Path, invoices: Iterable[Invoice]) -> None:
    """Write the first provider's file: UTF-8 with BOM, ISO days, plain amounts."""

    def cell(column: str, value: Cell) -> str:
        if column in MONEY and isinstance(value, int):
            return yuan(value)
        return "" if value is None else str(value)

    rows = [[cell(c, v) for c, v in row.items()] for invoice in invoices for row in rows_of(invoice)]
    _write_csv(path, [HEADER, *rows], "utf-8-sig")


def write_gb18030_csv(path: Path, invoices: Iterable[Invoice]) -> None:
    """Write the second provider's file: GB18030, 2026/1/5, thousands separators, a 合计 row and a blank one."""

    def cell(column: str, value: Cell) -> str:
        if column in MONEY and isinstance(value, int):
            return yuan(value, grouped=True)
        if isinstance(value, date):
            return f"{value.year}/{value.month}/{value.day}"
        return "" if value is None else str(value)

    laid = [row for invoice in invoices for row in rows_of(invoice)]
    total: dict[str, Cell] = dict.fromkeys(HEADER, "")
    total["模板版本"] = "合计"
    for column in ("不含税金额", "税额", "价税合计"):
        total[column] = sum(v for row in laid if isinstance(v := row[column], int))
    rows = [[cell(c, v) for c, v in row.items()] for row in [*laid, total]]
    _write_csv(path, [HEADER, *rows, [""] * len(HEADER)], "gb18030")


def _write_csv(path: Path, rows: Iterable[Sequence[str]], encoding: str, newline: str = "\r\n") -> None:
    text = StringIO(newline="")
    csv.writer(text, lineterminator=newline).writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.getvalue().encode(encoding))


def write_workbook(path: Path, invoices: Iterable[Invoice], *, real_days: bool) -> None:
    """Write the third provider's file: xlsx with amounts as numbers, days as text or as date cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    book = xlsxwriter.Workbook(path)
    book.set_properties({"title": "合成样例", "created": datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)})
    sheet = book.add_worksheet("算力服务明细")
    money, day = book.add_format({"num_format": "#,##0.00"}), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(HEADER) - 1, 16)
    sheet.write_row(0, 0, HEADER)
    rows = [row for invoice in invoices for row in rows_of(invoice)]
    for at, row in enumerate(rows, start=1):
        for column, (name, value) in enumerate(row.items()):
            if name in MONEY and isinstance(value, int):
                sheet.write_number(at, column, value / 100, money)
            elif isinstance(value, float):
                sheet.write_number(at, column, value)
            elif isinstance(value, date) and real_days:
                sheet.write_datetime(at, column, datetime(value.year, value.month, value.day), day)
            elif value not in (None, ""):
                sheet.write_string(at, column, str(value))
    book.close()


def write_invoices(folder: Path, story: Story) -> list[tuple[str, Provider, str, str]]:
    """Write every provider's monthly file; return path, provider, service month and day handed in of each."""
    written = []
    providers = {provider.slug: provider for provider in PROVIDERS}
    for name, invoices in sorted(story.files.items(), key=lambda item: item[0].replace("-corrected", "~")):
        month, slug = name.split("/")
        provider = providers[slug.removesuffix("-corrected")]
        path = f"invoices/{name}.{'xlsx' if provider.slug == 'chaosuan' else 'csv'}"
        if provider.slug == "yunsuan":
            write_plain_csv(folder / path, invoices)
        elif provider.slug == "zhisuan":
            write_gb18030_csv(folder / path, invoices)
        else:
            write_workbook(folder / path, invoices, real_days=month >= "2026-04")
        written.append((path, provider, month, "2026-05-13" if slug.endswith("-corrected") else HANDED_IN[month]))
    return written


def write_registry(folder: Path, story: Story) -> None:
    """Write the bureau's lists: companies, providers, relations, subsidies, payments, and later changes."""
    a, b, c = PROVIDERS
    companies = [_company_row(company) for company in COMPANIES.values()]
    companies.append(_company_row(COMPANIES[19], category="数字孪生体", from_on="2026-04-01", until_on=""))
    head = "统一社会信用代码,企业名称,类别,资格起,资格止,认定依据,开户名,开户银行,银行账号,联行号"
    _registry(folder, "companies", head, companies)
    _registry(
        folder,
        "companies-2026-05",
        head,
        [_company_row(COMPANIES[11], until_on="2026-04-30", basis="合成撤销〔2026〕2号")],
    )
    _registry(folder, "companies-2026-07", head, [_company_row(COMPANIES[RETURNED], account="9988000100000000005")])
    head = "统一社会信用代码,服务商名称,入库起,入库止"
    _registry(folder, "providers", head, [(p.uscc, p.name, "2025-12-01", "") for p in PROVIDERS])
    _registry(folder, "providers-2026-05", head, [(c.uscc, c.name, "2025-12-01", "2026-05-09")])
    _registry(folder, "relations", "供方统一社会信用代码,用方统一社会信用代码,关系,比例,起,止", [
        (b.uscc, COMPANIES[12].uscc, "持股", "30%", "2026-04-01", ""),
        (a.uscc, COMPANIES[13].uscc, "持股", "24.99%", "2026-01-01", ""),
        (c.uscc, COMPANIES[14].uscc, "同一实控人", "5", "2025-12-01", ""),
    ])  # fmt: skip
    marked = {name: invoice.number for name, invoice in story.marked.items()}
    head = "发票号码,政策名称,已获补贴金额,放弃"
    later = (marked["subsidy lower, given up in July"], "合成区级算力补贴", "20000.00")
    _registry(folder, "subsidies", head, [
        (marked["subsidy higher"], "合成区级算力补贴", "500000.00", "否"),
        (marked["subsidy lower, given up"], "合成区级算力补贴", "15000.00", "是"),
        (*later, "否"),
        (marked["subsidy lower, kept"], "合成园区租金补贴", "30000.00", "否"),
    ])  # fmt: skip
    _registry(folder, "subsidies-2026-07", head, [(*later, "是")])
    _registry(folder, "payments", "发票号码,付款日期,流水号,金额", [
        (marked["paid 40 percent"], "2026-02-20", "HC20260220001", "101760.00"),
        (marked["paid in two parts"], "2026-03-10", "HC20260310001", "100000.00"),
        (marked["paid in two parts"], "2026-03-27", "HC20260327001", "90800.00"),
    ])  # fmt: skip


def _company_row(
    company: Company,
    *,
    category: str = "",
    from_on: str = "",
    until_on: str | None = None,
    basis: str = "合成认定〔2025〕1号",
    account: str = "",
) -> tuple[str, ...]:
    number = account or f"99880000{company.no:011d}"
    whole = (company.name, "合成银行重庆分行", number, f"{999000000000 + company.no}")
    until = company.until_on if until_on is None else until_on
    return (
        company.uscc, company.name, category or company.category, from_on or company.from_on, until, basis,
        *(whole if company.has_account else ("", "", "", "")),
    )  # fmt: skip


def _registry(folder: Path, name: str, head: str, rows: Iterable[Sequence[str]]) -> None:
    _write_csv(folder / f"registry/{name}.csv", [head.split(","), *rows], "utf-8-sig", "\n")


def write_manifest(folder: Path, files: list[tuple[str, Provider, str, str]]) -> None:
    """Write demo.toml: the users, then every step of the walk in order with its business day."""
    users = [
        ("admin1", "admin", ""),
        ("maker1", "maker", ""),
        ("checker1", "checker", ""),
        ("auditor1", "auditor", ""),
    ]
    users += [(p.user, "provider", p.uscc) for p in PROVIDERS]
    text = ["# 演示的全部步骤，由 generate.py 写出；数据均为合成。day 是该步的业务日。\n"]
    for name, role, code in users:
        text.append(_table("users", name=name, role=role, **({"provider": code} if code else {})))
    steps: list[tuple[str, int, dict[str, object]]] = []

    def step(day: str, **values: object) -> None:
        steps.append((day, len(steps), {"day": date.fromisoformat(day), **values}))

    for name in ("providers", "companies", "relations"):
        step("2026-01-05", do="registry", user="maker1", file=f"registry/{name}.csv")
    budget = {"year": 2026, "amount": "12000000.00", "ref": "合成指标〔2026〕1号"}
    step("2026-01-06", do="appropriate", user="maker1", approver="checker1", **budget)
    for path, provider, month, day in files:
        step(
            day,
            do="import",
            user=provider.user,
            file=path,
            provider=provider.uscc,
            service_month=month,
            received_on=date.fromisoformat(day),
        )
    for name in ("subsidies", "payments"):
        step("2026-04-09", do="registry", user="maker1", file=f"registry/{name}.csv")
    step("2026-04-10", do="settle", user="maker1", approver="checker1", through="2026-03")
    _pay_first(step)
    step("2026-04-30", do="report", user="auditor1", name="reconciliation", period="2026-04")
    for name in ("providers-2026-05", "companies-2026-05"):
        step("2026-05-12", do="registry", user="maker1", file=f"registry/{name}.csv")
    step("2026-07-08", do="registry", user="maker1", file="registry/subsidies-2026-07.csv")
    step("2026-07-10", do="settle", user="maker1", approver="checker1", through="2026-06")
    _pay_second(step)
    step("2026-07-31", do="reconcile", user="auditor1")
    step("2026-07-31", do="report", user="auditor1", name="reconciliation", period="2026-07")
    text += [_table("steps", **values) for _, _, values in sorted(steps, key=lambda s: s[:2])]
    (folder / "demo.toml").write_text("\n".join(text), encoding="utf-8", newline="\n")


def _pay_first(step: Callable[..., None]) -> None:
    """Disclose and pay the first run."""
    step("2026-04-10", do="disclose", user="maker1", run=1)
    step("2026-04-20", do="pay", user="maker1", approver="checker1", run=1)
    step("2026-04-21", do="result", user="maker1")
    step("2026-04-30", do="statement", user="maker1")


def _pay_second(step: Callable[..., None]) -> None:
    """Disclose and pay the second run; one payment comes back, and is paid again to the corrected account."""
    step("2026-07-10", do="disclose", user="maker1", run=2)
    step("2026-07-20", do="pay", user="maker1", approver="checker1", run=2)
    step("2026-07-21", do="result", user="maker1", returned=COMPANIES[RETURNED].name)
    step("2026-07-22", do="registry", user="maker1", approver="checker1", file="registry/companies-2026-07.csv")
    step("2026-07-23", do="pay", user="maker1", approver="checker1", run=2)
    step("2026-07-24", do="result", user="maker1")
    step("2026-07-31", do="statement", user="maker1")


def _table(heading: str, /, **values: object) -> str:
    lines = [f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in values.items()]
    return "\n".join([f"[[{heading}]]", *lines, ""])


def write_readme(folder: Path, story: Story, files: list[tuple[str, Provider, str, str]]) -> None:
    """Write README.md: what each file holds and every trap, with the outcome it must have."""
    counts = {name: (len(invoices), sum(len(i.lines) for i in invoices)) for name, invoices in story.files.items()}
    listed = []
    for path, provider, month, day in files:
        invoices, rows = counts[path.removeprefix("invoices/").rsplit(".", 1)[0]]
        listed.append(f"| `{path}` | {provider.name} | {month} | {day} | {invoices} | {rows} |")
    total = sum(n for n, _ in counts.values())
    text = README.format(
        total=total, companies=len(COMPANIES), files="\n".join(listed),
        traps="\n".join(f"| `{t.file}` | {t.number} | {t.what} | {t.outcome} |" for t in story.traps),
    )  # fmt: skip
    (folder / "README.md").write_text(text, encoding="utf-8", newline="\n")


README = """# 演示数据（全部为合成）

这里的企业、服务商、信用代码、账号、发票号码与金额**全部由程序合成**，与任何真实主体无关。
`python examples/generate.py` 重新生成本目录；种子固定，每次结果相同。`cvl demo` 按 `demo.toml` 的顺序走完全程。

`bank.toml` 是演示银行的文件格式；银行的回执与对账单由演示程序写出。

三家服务商在2026年1月至6月向{companies}家企业提供算力服务，共报送{total}张次发票：
云算力报 UTF-8（带 BOM）的 csv；智算中心报 GB18030 的 csv，日期写作 2026/1/5，金额带千分位，末尾有合计行与空行；
超算科技报 xlsx，金额是数值，4月起日期是日期单元格。模板均为 `CQ-COMPUTE-1`，一行一个发票明细。

## 名单（`registry/`）

| 文件 | 内容 |
|---|---|
| `companies.csv` | 企业、资格起止与收款账号 |
| `companies-2026-05.csv` | 5月的变更：一家企业的资格止于4月30日 |
| `companies-2026-07.csv` | 7月的变更：一家企业更正收款账户，银行此前退回了它的款项 |
| `providers.csv` | 三家服务商的入库期 |
| `providers-2026-05.csv` | 5月的变更：一家服务商自5月10日起退出 |
| `relations.csv` | 供需双方的关联关系 |
| `subsidies.csv`、`subsidies-2026-07.csv` | 同一发票已获的其他补贴；7月有一家书面放弃 |
| `payments.csv` | 三笔付款流水 |

## 发票（`invoices/`）

| 文件 | 服务商 | 服务月份 | 报送日 | 发票（张） | 明细（行） |
|---|---|---|---|---|---|
{files}

## 埋下的情形，与应有的结果

| 位置 | 发票号码或企业 | 情形 | 应有结果 |
|---|---|---|---|
{traps}
"""


BANK = """# 演示用的银行格式：付款方为合成，其余同随附的通用格式。
title = "演示银行"

[payer]
name = "合成主管部门"
account = "9988000099999999999"
clearing_no = "999000000999"

[payout]
encoding = "gb18030"
account_prefix = "\\t"
columns = [
    ["序号", "no"],
    ["收款方账号", "account"],
    ["收款方户名", "holder"],
    ["收款方银行", "bank"],
    ["银行联行号", "clearing_no"],
    ["金额", "amount"],
    ["用途", "purpose"],
]
"""


def main(folder: Path) -> None:
    """Write all files of the sample into a folder."""
    story = Story(SEED)
    bill_all(story)
    write_registry(folder, story)
    files = write_invoices(folder, story)
    write_manifest(folder, files)
    write_readme(folder, story, files)
    (folder / "bank.toml").write_text(BANK, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
