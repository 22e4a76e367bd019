"""`cvl invoice resolve` and `invoice document`: the documents of an invoice, which one counts, and their very bytes."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from console.answer import Answer, table, yuan
from console.chinese import FILE, argument, option
from console.door import Verb
from console.proposed import proposed
from importers import resolve
from importers.originals import Originals, pack_of
from importers.resolve import Row
from importers.waiting import Step
from voucher import access, approval
from voucher.database import query, run
from voucher.errors import Broken, Refused, cause
from voucher.money import format_yuan

SHOWN = 12
"""Characters of a document's SHA-256 that are shown."""


def documents_data(found: Sequence[Row]) -> list[dict[str, Any]]:
    """Write the documents of an invoice as JSON."""
    return [
        {
            "sha256": r["sha256"], "kind": r["kind"], "state": r["state"], "file": r["file_name"],
            "received_on": r["received_on"], "has_tax_codes": r["has_lines"], "best": r["counts"],
            "gives_span": r["gives_span"], "upload_id": str(r["upload_id"]),
            "gross": None if r["gross_fen"] is None else format_yuan(r["gross_fen"]), "notes": r["notes"],
        }
        for r in found
    ]  # fmt: skip


def documents_lines(found: Sequence[Row]) -> list[str]:
    """Write the same for people: which document counts for lines, which for the span, and what is in dispute."""
    if not found:
        return []
    rows: list[tuple[str, ...]] = [
        (
            r["sha256"][:SHOWN], resolve.KINDS.get(r["kind"], str(r["kind"])), resolve.STATES[r["state"]],
            "、".join(word for word, yes in (("金额和明细", r["counts"]), ("服务期间", r["gives_span"])) if yes),
            "" if r["gross_fen"] is None else yuan(r["gross_fen"]), "有" if r["has_lines"] else "无", r["file_name"],
        )
        for r in found
    ]  # fmt: skip
    heads = ["摘要", "种类", "状态", "采用", ">价税合计", "税收编码", "文件"]
    text = ["", "单据：", *table(heads, rows)]
    text += [
        f"{r['sha256'][:SHOWN]} 另载：" + "；".join(f"{name} {said}" for name, said in r["notes"].items())
        for r in found
        if r["notes"]
    ]
    return text


def steps_lines(steps: Sequence[Step]) -> list[str]:
    """Write what to do next about an invoice that waits."""
    return ["", "下一步：", *(f"  {step.what}：{step.command}" for step in steps)] if steps else []


def propose(engine: Engine, as_user: str | None, number: str, keep: str, why: str) -> Answer:
    """Propose which document of an invoice number counts."""

    def work(db: Connection) -> Answer:
        user = access.require(db, as_user, "invoice resolve")
        return proposed(approval.find(db, resolve.propose(db, user, number, keep, why)))

    return run(engine, work)


def fetch(engine: Engine, number: str, out: Path) -> Answer:
    """Write the original bytes of every document of an invoice to a folder."""
    found = run(engine, lambda db: resolve.documents(db, number), "cvl_auditor")
    if not found:
        found = run(engine, lambda db: query(db, "queries/evidence/files.sql", number=number), "cvl_auditor")
    if not found:
        raise Refused("no_invoice", f"没有收到过发票 {number}。请核对号码，或用 cvl invoice list 查看。")
    written: dict[str, str] = {}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for row in found:
            if row["sha256"] not in written:
                written[row["sha256"]] = _write(engine, row, out)
    except OSError as error:
        raise Refused("cannot_write", f"无法写入 {out}：{cause(error)}。请核对目录和权限。") from error
    data = {"number": number, "documents": [{"sha256": sha, "path": path} for sha, path in written.items()]}
    return Answer(data, [f"已取出 {len(written)} 份原件：", *(f"  {path}" for path in written.values())])


def _write(engine: Engine, row: Row, out: Path) -> str:
    """Write one document under a name of ours and return its path. Raises Broken when the kept bytes are wrong."""
    sha256 = row["sha256"]
    try:
        with Originals() as originals:
            data = originals.read(sha256, run(engine, lambda db: pack_of(db, sha256), "cvl_auditor"))
    except FileNotFoundError:
        raise Broken("document_missing", f"原件 {sha256} 不在存档中。请从备份恢复 documents 目录。") from None
    plain = re.sub(r"[^\w.()（）-]", "_", row["file_name"])[-80:].lstrip(".")
    target = out / f"{sha256[:SHOWN]}-{plain}"
    part = out / f".{sha256[:SHOWN]}-{os.getpid()}.part"
    try:
        part.write_bytes(data)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return str(target)


VERBS = (
    Verb(
        "invoice resolve",
        propose,
        "同一发票号码的单据内容冲突时，核定以哪一份为准。须由复核人员批准后生效；已结算的按差额追回或补发。",
        [
            argument("number", "发票号码"),
            option("--keep", help="单据摘要的前几位（至少8位），见 cvl invoice show", required=True, shown="摘要"),
            option("--why", help="理由", required=True, shown="理由"),
        ],
        acting=True,
    ),
    Verb(
        "invoice document",
        fetch,
        "把一张发票报送过的全部原件写到一个目录，逐份核对摘要。",
        [argument("number", "发票号码"), option("--out", kind=FILE, help="写到哪个目录", required=True, shown="目录")],
    ),
)
