"""`cvl audit`: export the audit bundle, and verify one with no database."""

import sys
from io import SEEK_END
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from console.answer import Answer, pairs, table
from console.chinese import FILE, NUMBER, OneOf, argument, option
from console.door import Verb
from reconciliation import bundle, bundle_export, bundle_verify
from reconciliation import journal as journals
from reconciliation.bundle_export import START, Exported
from reconciliation.bundle_verify import Verdict
from voucher import access, acts
from voucher.database import reading, run
from voucher.errors import Misused
from voucher.files import written

SHOWN = 20


def export(
    engine: Engine, as_user: str | None, out: Path, since: str | None = None, until: int | None = None,
    journal: str | None = None,
) -> Answer:  # fmt: skip
    """Write the audit bundle or a journal up to the last seal, then record that as an act of its own."""
    user = run(engine, lambda db: access.require(db, as_user, "audit export"), "cvl_auditor")
    if journal is not None:
        return _journal(engine, user, out, since, until, journal)
    with written(out) as file:

        def work(db: Connection) -> Exported:
            file.seek(0)
            file.truncate()
            start = START if since is None else bundle_export.since(db, since)
            return bundle_export.export(db, file, start, acts.cutoff(db) if until is None else until)

        with reading(engine) as books:
            done = run(books, work, "cvl_auditor")
        run(engine, lambda db: bundle_export.record(db, user.name, done.since, done.until, done.sha256))
    data = {
        "out": str(out), "since": str(done.since.no), "until": str(done.until.no), "sha256": done.sha256,
        "chain_sha256": done.until.sha256, "chain_sm3": done.until.sm3,
        "first_wrong_act": None if done.wrong is None else str(done.wrong),
    }  # fmt: skip
    text = [
        f"审计包已写入 {out}：第{done.since.no + 1}号至第{done.until.no}号，共{done.until.no - done.since.no}件办理。",
        *pairs(
            [
                ("文件 SHA-256", done.sha256),
                ("末号链摘要 SHA-256", done.until.sha256),
                ("末号链摘要 SM3", done.until.sm3),
            ]
        ),
        f"核验（不需要数据库）：cvl audit verify {out}；不用本程序的核验办法见包内 HOW-TO-CHECK.md。",
    ]
    if done.wrong is not None:
        text.append(f"第{done.wrong}号的内容与封存摘要不符，已照现状导出。请保留现场，并联系系统管理员。")
    return Answer(data, text, 0 if done.wrong is None else 5)


def _journal(engine: Engine, user: access.User, out: Path, since: str | None, until: int | None, format: str) -> Answer:
    """Write the books for another tool."""
    if since is not None:
        raise Misused("whole_journal", "账簿总是从第1号起，不能与 --since 同用。请去掉 --since。")
    with written(out) as file:

        def work(db: Connection) -> bundle.Point:
            file.seek(0)
            file.truncate()
            place = bundle_export.point(db, acts.cutoff(db) if until is None else until)
            journals.export(db, file, format, place.no)
            return place

        with reading(engine) as books:
            place = run(books, work, "cvl_auditor")
        sha256 = bundle.digest(file, file.seek(0, SEEK_END)).hexdigest()
        run(engine, lambda db: bundle_export.record(db, user.name, START, place, sha256, format))
    data = {"out": str(out), "journal": format, "until": str(place.no), "sha256": sha256}
    return Answer(data, [f"账簿已写入 {out}（{format}）：截至第{place.no}号的全部转账，末尾逐户写明余额。"])


def verify(files: tuple[Path, ...], expect: str | None) -> Answer:
    """Verify audit bundles; exit 5 with the first place that is wrong."""
    verdict = bundle_verify.verify(files, expect, _say)
    data: dict[str, Any] = {
        "ok": not verdict.faults, "partial": bool(verdict.since and verdict.since.no),
        "since": None if verdict.since is None else str(verdict.since.no),
        "until": None if verdict.until is None else str(verdict.until.no),
        "chain_sha256": verdict.until and verdict.until.sha256, "chain_sm3": verdict.until and verdict.until.sm3,
        "expected_act": None if verdict.expected is None else str(verdict.expected), "derived": verdict.derived,
        "first_wrong": verdict.faults[0].place if verdict.faults else None,
        "faults": [{"place": fault.place, "detail": fault.detail} for fault in verdict.faults],
    }  # fmt: skip
    if verdict.faults:
        first = verdict.faults[0]
        text = [f"核验不通过：有{len(verdict.faults)}处不符，最早的一处在 {first.place}。请不要据此办理，并追查来源。"]
        text += table(["位置", "说明"], [(fault.place, fault.detail) for fault in verdict.faults[:SHOWN]])
        return Answer(data, text, 5)
    return Answer(data, _good(verdict, expect), 3 if data["partial"] else 0)


def _good(verdict: Verdict, expect: str | None) -> list[str]:
    """Say what was verified, and what was not."""
    assert verdict.since is not None
    assert verdict.until is not None
    text = [f"核验通过：第{verdict.since.no + 1}号至第{verdict.until.no}号，原文逐字相符，两条摘要链没有断。"]
    if verdict.derived:
        sizes = verdict.derived
        text.append(
            f"由原文重算：{sizes['accounts']}个账户的余额、{sizes['runs']}个结算批次的{sizes['lines']}行，逐分一致。"
        )
    else:
        text.append("这份包不是从第1号起的，余额和补贴没有重算。请把此前的各份一并列出再核验一次。")
    if verdict.expected is not None:
        behind = verdict.until.no - verdict.expected
        more = f"，此后还有{behind}件" if behind else "，即末号"
        text.append(f"所给链摘要是第{verdict.expected}号的{more}。")
    text += pairs([("末号链摘要 SHA-256", verdict.until.sha256), ("末号链摘要 SM3", verdict.until.sm3)])
    if expect is None:
        text.append("还请用 --expect 与报表或结算单上印的链摘要比对：那能发现整条链被重做或截短。")
    return text


def _say(sentence: str) -> None:
    """Tell the step on a terminal's standard error."""
    if sys.stderr.isatty():
        print(f"{sentence}……", file=sys.stderr, flush=True)


VERBS = (
    Verb(
        "audit export",
        export,
        "导出审计包：每件办理封存的原文、摘要链、政策文件和余额，一个 zip 文件。\n"
        "导出本身也是一件办理，包止于它之前一号；截至同一号导出的，逐字节相同。",
        [
            option("--out", kind=FILE, help="写到哪个文件", required=True),
            option("--since", help="从哪个链摘要之后起，即上一份审计包的末号链摘要", shown="链摘要"),
            option("--journal", kind=OneOf("工具", tuple(journals.FORMATS)), help="改为写出账簿，供其他记账工具核对"),
            option("--until", kind=NUMBER, help="截至第几号；不写则截至最后一号", shown="号"),
        ],
        acting=True,
    ),
    Verb(
        "audit verify",
        verify,
        "核验审计包，不需要数据库：逐字核对原文和摘要链，并重新计算每个账户的余额和每一笔补贴。\n"
        "通过时退出码为 0；有不符时为 5，并指出最早的一处；不从第1号起、又没有给出此前各份的，为 3。",
        [
            argument("files", "审计包", kind=FILE, several=True),
            option("--expect", help="报表或结算单上印的链摘要，用来发现重做或截短的包", shown="链摘要"),
        ],
        database=False,
    ),
)
