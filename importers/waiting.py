"""What to do next about an invoice number that waits: each step in words, as a command and as a page of the portal."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from importers import resolve
from importers.resolve import KINDS, Row
from voucher import acts
from voucher.database import one

_AGAIN = "cvl import 文件 --as 经办人员"
_UPLOADS = "/uploads"
_DIGITS = 12
Taken = Callable[[str], Row | None]
"""Finds an accepted invoice by its number."""


@dataclass(frozen=True, slots=True)
class Step:
    """what: in words. command: of the operator. page: of the portal."""

    what: str
    command: str
    page: str


def next_steps(db: Connection, number: str, found: Sequence[Row], outcome: str, cutoff: int = acts.NOW) -> list[Step]:
    """List what a person may do next about a number, the first being the usual; none when it waits for nobody.

    found: its documents, as `resolve.documents` lists them at the cutoff. outcome: of its last row that was not
    accepted, empty when there is none.
    """

    def taken(other: str) -> Row | None:
        return one(db, "queries/evidence/accepted.sql", number=other, cutoff=cutoff)

    accepted = taken(number)
    steps = list(_steps(number, found, accepted, taken))
    if not steps and accepted is None and outcome == "rejected":
        steps.append(Step("照“报送记录”中的原因改正后重新导入", _AGAIN, _UPLOADS))
    return steps


def _steps(number: str, found: Sequence[Row], accepted: Row | None, taken: Taken) -> Iterator[Step]:
    """Yield the steps by what the documents wait for."""
    waiting = [row for row in found if row["open"]]
    if accepted is not None:  # what waited for a span or the like has what it needs
        waiting = [row for row in waiting if row["waits_for"] in ("resolution", "confirmation") and row["kind"] != "qr"]
    if not waiting:
        return
    disputed = any(row["waits_for"] == "resolution" for row in waiting)
    choice = found if disputed else [row for row in waiting if row["waits_for"] == "confirmation"]
    able = [row for row in choice if _may_be_kept(row, accepted)]
    if able:
        yield Step("取出原件核对", f"cvl invoice document {number} --out 目录", f"/conflicts/{number}")
    for row in {(row["sha256"], row["kind"]): row for row in able}.values():
        what = f"核对后以{KINDS[row['kind']]}（{row['file_name']}）为准，须经复核"
        command = f"cvl invoice resolve {number} --keep {row['sha256'][:_DIGITS]} --why “……” --as 经办人员"
        yield Step(what, command, f"/conflicts/{number}")
    if accepted is None:
        yield from _missing(waiting, taken)
    if able:
        yield Step("原件有误的，导入更正后的单据", _AGAIN, _UPLOADS)


def _may_be_kept(row: Row, accepted: Row | None) -> bool:
    """Tell whether a person can decide for a document as it is."""
    return resolve.refusal(row, accepted) is None and (accepted is not None or bool(row["has_span"]))


def _missing(waiting: Sequence[Row], taken: Taken) -> Iterator[Step]:
    """Yield what to bring for an invoice that is not accepted."""
    lined = [row for row in waiting if row["has_lines"]]
    if not lined:
        yield Step("导入同一发票的数电票 XML 或模板行（要有税收分类编码）", _AGAIN, _UPLOADS)
    for original in sorted({row["original_number"] for row in lined if row["waits_for"] == "original"}):
        if taken(original) is None:
            what = f"导入蓝字发票 {original}，受理后这张红字自动受理；号码写错的，改正后重新导入"
        else:
            what = f"原发票 {original} 已受理，但这张红字冲不了它（超过余额、双方不同或原发票也是红字）；改正后重新导入"
        yield Step(what, _AGAIN, _UPLOADS)
    if any(row["invoice_kind"] == "blue" and not row["has_span"] for row in lined):
        what = "补服务期间：导入写明服务起始日和服务截止日的模板行，或照原文件再导入一次并指明服务月份"
        yield Step(what, "cvl import 文件 --service-month 年-月 --as 经办人员", _UPLOADS)
