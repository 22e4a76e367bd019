"""The bank's part in `cvl demo`: it answers payment files and writes statements. Nothing of the ledger is asked."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

ENCODING = "gb18030"
_RESULT = ("用途", "金额", "处理结果", "交易日期", "交易流水号", "失败原因")
_STATEMENT = ("交易日期", "支出金额", "收入金额", "对方户名", "对方账号", "交易流水号", "摘要")


def answer(payout: Path, out: Path, day: date, returned: str | None) -> None:
    """Answer a payment file: everything is paid but what goes to that holder, if any, which comes back."""
    rows = []
    for row in _read(payout):
        back = row["收款方户名"] == returned
        state, why = ("退回", "收款账户已销户") if back else ("成功", "")
        rows.append((row["用途"], row["金额"], state, day.isoformat(), f"{payout.stem}-{row['序号']}", why))
    _write(out, (_RESULT, *rows))


def statement(payouts: Iterable[Path], results: Iterable[Path], out: Path) -> None:
    """Write a statement of all that was paid; the remark of its last line was cut off, as banks do."""
    paid = {row["用途"]: row for each in results for row in _read(each) if row["处理结果"] == "成功"}
    rows = [
        (told["交易日期"], row["金额"], "", row["收款方户名"], row["收款方账号"], told["交易流水号"], row["用途"])
        for each in payouts
        for row in _read(each)
        if (told := paid.get(row["用途"]))
    ]
    rows[-1] = (*rows[-1][:-1], rows[-1][-1].split(" ")[0])
    _write(out, (_STATEMENT, *rows))


def _read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(ENCODING), newline="")))


def _write(path: Path, rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    path.write_bytes(text.getvalue().encode(ENCODING))
