"""Synthetic input of any size: companies, providers, and a template csv with one row per invoice."""

import csv
import random
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from importers.formats.cq_compute_1 import COLUMNS

_CHARS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORG_CHARS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def uscc(serial: int) -> str:
    """Make a synthetic unified social credit code with both check digits right."""
    organisation = f"MA{serial:06d}"
    rest = 11 - sum(w * _ORG_CHARS.index(c) for w, c in zip(_ORG_WEIGHTS, organisation, strict=True)) % 11
    body = "91500100" + organisation + ("X" if rest == 10 else str(rest % 11))
    total = sum(w * _CHARS.index(c) for w, c in zip(_WEIGHTS, body, strict=True))
    return body + _CHARS[(31 - total % 31) % 31]


def usable(serials: range, count: int) -> list[str]:
    """Return so many codes."""
    return [uscc(serial) for serial in serials][:count]


@cache
def companies(count: int) -> list[str]:
    """Return the codes of the benchmark's companies."""
    return usable(range(1, count + 1), count)


@cache
def providers(count: int = 3) -> list[str]:
    """Return the codes of the benchmark's providers."""
    return usable(range(900_001, 900_001 + count), count)


def write_registry(folder: Path, count: int, sellers: int = 3) -> tuple[Path, Path]:
    """Write a companies and a providers file."""
    company_file, provider_file = folder / "companies.csv", folder / "providers.csv"
    with company_file.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        head = "统一社会信用代码,企业名称,类别,资格起,资格止,认定依据,开户名,开户银行,银行账号,联行号"
        writer.writerow(head.split(","))
        for n, code in enumerate(companies(count), 1):
            writer.writerow([code, f"合成企业{n}有限公司", "智能体", "2025-01-01", "", "合成", "", "", "", ""])
    with provider_file.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["统一社会信用代码", "服务商名称", "入库起", "入库止"])
        for n, code in enumerate(providers(sellers), 1):
            writer.writerow([code, f"合成算力{n}有限公司", "2025-01-01", ""])
    return company_file, provider_file


def write_template(
    path: Path, rows: int, count: int, seed: int = 20260701, first: int = 0, sellers: Sequence[int] = (0, 1, 2)
) -> None:
    """Write a template file of so many invoices, numbered from `first`, over six months of 2026, all sound."""
    rng = random.Random(seed)
    codes, known = companies(count), providers(max(sellers) + 1)
    months = [date(2026, m, 1) for m in range(1, 7)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([column.name for column in COLUMNS])
        for n in range(rows):
            company, seller = rng.randrange(count), sellers[n % len(sellers)]
            start = months[n % 6]
            end = (start.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
            net = rng.randrange(1_000_00, 90_000_00)
            tax = (net * 6 + 50) // 100
            gross = net + tax
            yuan = [f"{fen // 100}.{fen % 100:02d}" for fen in (net, tax, gross)]
            writer.writerow([
                "CQ-COMPUTE-1", f"265000{first + n:013d}1", "蓝字", end.isoformat(), known[seller],
                f"合成算力{seller + 1}有限公司", codes[company], f"合成企业{company + 1}有限公司",
                f"HT-{company:06d}", start.isoformat(), end.isoformat(), "3040203000000000000",
                "*信息技术服务*智算算力服务费", "80G-8卡", "卡时", str(net // 1200), yuan[0], "6%", yuan[1], yuan[2],
                "", "", "",
            ])  # fmt: skip
